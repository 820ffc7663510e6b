"""Footpaths that do not exist yet: joined to a network whose homes and places stay attached where they are.

A new path has no doors, and the streets that it meets are split without a millimetre lost: so it can shorten a walk,
and never lengthens one.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops
from shapely.geometry.base import BaseGeometry

from gisapp.errors import InputError
from gisapp.network.entries import Entries
from gisapp.network.graph import Network
from gisapp.network.snap import Snaps, snap_points

Ints = npt.NDArray[np.int64]


def with_links(
    network: Network, homes: Snaps, entries: Entries, links: Sequence[BaseGeometry], *, limit_m: float
) -> tuple[Network, Snaps, Entries]:
    """Return the network with ``links`` (lines of two points), and what is attached to it.

    Each end is joined to its nearest street within ``limit_m``; a link costs its straight length and both joints.
    Raises ``InputError`` where an end has no street.
    """
    points = np.asarray(
        shapely.points(shapely.get_coordinates(np.asarray(links, dtype=object))), dtype=object
    )
    ends = snap_points(network, points, limit_m=limit_m)
    if not ends.reached.all():
        x, y = shapely.get_coordinates(points[~ends.reached])[0]
        raise InputError(
            f"link: its end ({x:.0f}, {y:.0f}) lies over {limit_m:g} m from any street of this walker."
        )
    split, node = _split(network, ends)
    length = np.round(shapely.length(np.asarray(links, dtype=object)) * 1000).astype(np.int64)
    u, v = node.reshape(-1, 2).T
    both_ways = np.zeros(len(links), dtype=np.int64)
    oneway = split.network.oneway
    joined = replace(
        split.network,
        u=np.concatenate([split.network.u, u]),
        v=np.concatenate([split.network.v, v]),
        cost_mm=np.concatenate([split.network.cost_mm, length + ends.access_mm.reshape(-1, 2).sum(axis=1)]),
        lines=np.concatenate([split.network.lines, np.asarray(links, dtype=object)]),
        row=np.concatenate([split.network.row, np.full(len(links), -1)]),
        oneway=None if oneway is None else np.concatenate([oneway, both_ways]),
    )
    homes_at = split.place(homes.edge, homes.offset_mm)
    entries_at = split.place(entries.edge, entries.offset_mm)
    return (
        joined,
        Snaps(*homes_at, homes.access_mm),
        Entries(entries.place, *entries_at, entries.access_mm),
    )


class _Split:
    """A network with some edges cut: ``first`` piece of each old edge keeps its number, the others follow."""

    def __init__(self, network: Network, cuts: dict[int, Ints], pieces: dict[int, Ints]) -> None:
        self.network, self.cuts, self.pieces = network, cuts, pieces

    def place(self, edge: Ints, offset: Ints) -> tuple[Ints, Ints]:
        """Return the piece, and the offset on it, of each position on an old edge."""
        edge, offset = edge.copy(), offset.copy()
        for old, cuts in self.cuts.items():
            rows = np.flatnonzero(edge == old)
            at = np.searchsorted(cuts, offset[rows], side="right")
            offset[rows] -= np.concatenate([[0], cuts])[at]
            edge[rows] = self.pieces[old][at]
        return edge, offset


def _split(network: Network, ends: Snaps) -> tuple[_Split, Ints]:
    """Cut the edges at ``ends``; return also the node at each end."""
    node = np.zeros(len(ends), dtype=np.int64)
    u, v, cost = network.u.copy(), network.v.copy(), network.cost_mm.copy()
    lines, row, oneway = network.lines.copy(), network.row.copy(), network.oneway
    doors, stubs = [network.doors], [network.stubs]
    n_nodes = network.n_nodes
    cuts: dict[int, Ints] = {}
    pieces: dict[int, Ints] = {}
    more: list[tuple[int, int, int, BaseGeometry, int, int]] = []  # u, v, mm, line, row, whole edge
    for edge in np.unique(ends.edge).tolist():
        total, at_u, at_v = int(cost[edge]), int(u[edge]), int(v[edge])
        here = np.flatnonzero(ends.edge == edge)
        inner = np.unique(ends.offset_mm[here])
        inner = inner[(inner > 0) & (inner < total)]
        nodes = [at_u, *range(n_nodes, n_nodes + len(inner)), at_v]
        n_nodes += len(inner)
        stops = [0, *inner.tolist(), total]
        for row_of in here.tolist():
            node[row_of] = nodes[stops.index(int(ends.offset_mm[row_of]))]
        if not len(inner):
            continue
        whole = lines[edge]
        numbers = [edge]
        for k in range(len(stops) - 1):
            piece = shapely.ops.substring(whole, stops[k] / total, stops[k + 1] / total, normalized=True)
            if k == 0:
                v[edge], cost[edge], lines[edge] = nodes[1], stops[1], piece
                continue
            numbers.append(len(u) + len(more))
            more.append((nodes[k], nodes[k + 1], stops[k + 1] - stops[k], piece, int(row[edge]), edge))
        cuts[edge], pieces[edge] = inner, np.array(numbers)
        for kind, tier in ((doors, network.doors), (stubs, network.stubs)):
            if np.isin(edge, tier):
                kind.append(pieces[edge][1:])
    added = np.empty(len(more), dtype=object)
    added[:] = [piece for _, _, _, piece, _, _ in more]
    numbers_of = np.array([m[:3] + m[4:] for m in more], dtype=np.int64).reshape(-1, 5)
    return _Split(
        replace(
            network,
            u=np.concatenate([u, numbers_of[:, 0]]),
            v=np.concatenate([v, numbers_of[:, 1]]),
            cost_mm=np.concatenate([cost, numbers_of[:, 2]]),
            lines=np.concatenate([lines, added]),
            row=np.concatenate([row, numbers_of[:, 3]]),
            oneway=None if oneway is None else np.concatenate([oneway, oneway[numbers_of[:, 4]]]),
            doors=np.concatenate(doors),
            stubs=np.concatenate(stubs),
            n_nodes=n_nodes,
        ),
        cuts,
        pieces,
    ), node
