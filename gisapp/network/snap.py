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
    """Attach each point to the foot of the perpendicular on its nearest edge, if within ``limit_m``.

    Two edges at the same distance: the first in the network's order.
    """
    tree = shapely.STRtree(network.lines)
    which, edge = tree.query_nearest(points, max_distance=limit_m, all_matches=True)
    found = np.full(len(points), np.iinfo(np.int64).max)
    np.minimum.at(found, which, edge)
    hit = found < np.iinfo(np.int64).max
    nearest = np.where(hit, found, -1)
    offset, access = np.zeros(len(points), np.int64), np.zeros(len(points), np.int64)
    offset[hit] = offsets_mm(network, nearest[hit], points[hit])
    access[hit] = np.round(shapely.distance(network.lines[nearest[hit]], points[hit]) * 1000)
    return Snaps(nearest, offset, access)


def offsets_mm(network: Network, edge: Ints, points: npt.NDArray[np.object_]) -> Ints:
    """Return how far along ``edge`` each point's foot lies, from ``u``, in whole millimetres of cost."""
    share = shapely.line_locate_point(network.lines[edge], points, normalized=True)
    return np.round(np.nan_to_num(share) * network.cost_mm[edge]).astype(np.int64)
