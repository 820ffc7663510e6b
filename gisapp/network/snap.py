"""Attaching points to the nearest walkable edge: never to a node, never silently beyond the limit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from gisapp.network.graph import Network

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Snaps:
    """Where points meet the network: ``edge`` (position in ``Network``; -1 beyond the limit), ``offset_mm``
    from the edge's ``u``, ``access_mm`` of straight walking between point and edge."""

    edge: Ints
    offset_mm: Ints
    access_mm: Ints

    @property
    def reached(self) -> npt.NDArray[np.bool_]:
        """Which points are attached."""
        return self.edge >= 0

    def __len__(self) -> int:
        return len(self.edge)


def snap_points(network: Network, points: npt.NDArray[np.object_], *, limit_m: float) -> Snaps:
    """Attach each point to the foot of the perpendicular on its nearest edge (see ``nearest_edge``)."""
    edge = nearest_edge(network, points, limit_m=limit_m)
    hit = edge >= 0
    offset, access = np.zeros(len(points), np.int64), np.zeros(len(points), np.int64)
    offset[hit] = offsets_mm(network, edge[hit], points[hit])
    access[hit] = np.round(shapely.distance(network.lines[edge[hit]], points[hit]) * 1000)
    return Snaps(edge, offset, access)


def nearest_edge(network: Network, shapes: npt.NDArray[np.object_], *, limit_m: float) -> Ints:
    """Return the edge nearest to each shape within ``limit_m``, or -1.

    Edges in tunnels have no doors; stubs (short unconnected parts) serve shapes that have nothing else within the
    limit. Two edges at the same distance: the first in the network's order.
    """
    nearest = np.full(len(shapes), -1, dtype=np.int64)
    tiers = ((network.doors, "door_tree"), (network.stubs, "stub_tree"))
    for tier, tree in tiers:
        left = np.flatnonzero(nearest < 0)
        if not len(left) or not len(tier):
            continue
        which, at = getattr(network, tree).query_nearest(shapes[left], max_distance=limit_m, all_matches=True)
        first = np.full(len(left), len(network.lines))
        np.minimum.at(first, which, tier[at])
        hit = first < len(network.lines)
        nearest[left[hit]] = first[hit]
    return nearest


def offsets_mm(network: Network, edge: Ints, points: npt.NDArray[np.object_]) -> Ints:
    """Return how far along ``edge`` each point's foot lies, from ``u``, in whole millimetres of cost."""
    share = shapely.line_locate_point(network.lines[edge], points, normalized=True)
    return np.round(np.nan_to_num(share) * network.cost_mm[edge]).astype(np.int64)
