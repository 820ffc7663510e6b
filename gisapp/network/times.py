"""Walking times between homes and places, and between homes, exact to the millimetre, by bounded search."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from gisapp.network.entries import Entries
from gisapp.network.graph import Network
from gisapp.network.snap import Snaps

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

_CHUNK_CELLS = 4_000_000  # cells of a dense distance block: 32 MB


@dataclass(frozen=True)
class Walks:
    """Walks between homes and places (positions), in whole millimetres: by home, then length, then place."""

    home: Codes
    place: Codes
    mm: Codes


def minutes_of(cost_mm: npt.NDArray[np.generic], speed_ms: float) -> Floats:
    """Turn whole millimetres into minutes at a speed in m/s.

    >>> float(minutes_of(np.array([335_000]), 1.25)[0].round(4))
    4.4667
    """
    return np.asarray(cost_mm, dtype=np.float64) / mm_per_min(speed_ms)


def mm_per_min(speed_ms: float) -> float:
    """Return the millimetres that are walked in a minute at a speed in m/s."""
    return 60_000.0 * speed_ms


def limit_mm(minutes: float, speed_ms: float) -> int:
    """Return the longest walk in whole millimetres that takes at most ``minutes``.

    >>> limit_mm(3.5, 0.85)   # 178499.99999999997 as floats multiply
    178500
    """
    return int(np.floor(np.round(minutes * mm_per_min(speed_ms), 3)))


def walks(network: Network, homes: Snaps, entries: Entries, *, limit: int) -> Walks:
    """Return all walks of at most ``limit`` millimetres between homes and the places of ``entries``.

    A search runs from each place (a node of its own, joined to both ends of each entry's edge); a home is reached
    over the ends of its edge, or along the edge where an entry lies on the same one.
    """
    place_ids = np.unique(entries.place)
    arcs = _entry_arcs(network, entries, place_ids)
    graph = network.matrix(arcs, n_extra=len(place_ids))
    same = same_edge(network, homes, entries)
    located = np.flatnonzero(homes.reached)
    size = network.n_nodes + len(place_ids)
    chunk = max(1, _CHUNK_CELLS // max(size, len(homes), 1))
    found = []
    for begin in range(0, len(place_ids), chunk):
        places = place_ids[begin : begin + chunk]
        sources = network.n_nodes + np.arange(begin, begin + len(places))
        reach = dijkstra(graph, directed=True, indices=sources, limit=limit)
        cost = _to_homes(network, homes, located, reach)
        low, high = np.searchsorted(same[1], [places[0], places[-1] + 1])
        row = np.searchsorted(places, same[1][low:high])
        np.minimum.at(
            cost, (row, np.searchsorted(located, same[0][low:high])), same[2][low:high].astype(float)
        )
        at_place, at_home = np.nonzero(cost <= limit)
        found.append((located[at_home], places[at_place], cost[at_place, at_home]))
    if not found:
        return Walks(*(np.zeros(0, np.int32) for _ in range(3)))
    return in_order(*(np.concatenate(parts).astype(np.int32) for parts in zip(*found, strict=True)))


def in_order(home: Codes, place: Codes, mm: Codes) -> Walks:
    """Sort walks by home, then length, then place.

    >>> in_order(*np.array([[1, 0, 1], [0, 0, 1], [50, 70, 25]], dtype=np.int32)).mm.tolist()
    [70, 25, 50]
    """
    order = np.lexsort((place, mm, home))
    return Walks(home[order], place[order], mm[order])


def home_pairs(
    network: Network, homes: Snaps, points: npt.NDArray[np.object_], *, limit: int
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield home-home pairs of at most ``limit`` millimetres in blocks: from, to (positions), minutes; both directions.

    Each home is paired with itself at 0, attached to the network or not. Pairs are never all held at once.
    """
    network = network.undirected()
    graph = network.matrix()
    alone = np.flatnonzero(~homes.reached)
    if len(alone):
        yield alone, alone, np.zeros(len(alone))
    located = np.flatnonzero(homes.reached)
    if not len(located):
        return
    xy = shapely.get_coordinates(points[located])
    order = located[np.lexsort((network.v[homes.edge[located]], network.u[homes.edge[located]]))]
    # No walk is shorter than the straight line; 1 % and 1 m allow for map projection and rounding.
    margin_m = limit / 1000.0 * 1.01 + 1.0
    for block in np.array_split(order, max(1, len(order) // 128)):
        corner = shapely.get_coordinates(points[block])
        near = (xy >= corner.min(axis=0) - margin_m).all(axis=1) & (xy <= corner.max(axis=0) + margin_m).all(
            axis=1
        )
        target = located[near]
        edge = homes.edge[block]
        nodes, at = np.unique(np.concatenate([network.u[edge], network.v[edge]]), return_inverse=True)
        reach = dijkstra(graph, directed=True, indices=nodes, limit=limit)
        leg = homes.access_mm[block].astype(float)
        ahead = leg + homes.offset_mm[block]
        behind = leg + network.cost_mm[edge] - homes.offset_mm[block]
        to_nodes = np.minimum(
            reach[at[: len(block)]] + ahead[:, None], reach[at[len(block) :]] + behind[:, None]
        )
        cost = _to_homes(network, homes, target, to_nodes)
        same = edge[:, None] == homes.edge[target][None, :]
        i, j = np.nonzero(same)
        along = np.abs(homes.offset_mm[block[i]] - homes.offset_mm[target[j]])
        cost[i, j] = np.minimum(cost[i, j], along + homes.access_mm[block[i]] + homes.access_mm[target[j]])
        cost[block[:, None] == target[None, :]] = 0.0
        i, j = np.nonzero(cost <= limit)
        yield block[i], target[j], minutes_of(cost[i, j], network.speed_ms)


def environments(
    network: Network, homes: Snaps, points: npt.NDArray[np.object_], counts: Floats, *, limit: int
) -> Floats:
    """Sum ``counts`` (homes x groups) over all homes within ``limit`` mm of each home, itself included."""
    total = np.zeros_like(counts, dtype=float)
    for here, there, _ in home_pairs(network, homes, points, limit=limit):
        near = coo_array((np.ones(len(here)), (here, there)), shape=(len(homes), len(homes))).tocsr()
        rows = np.unique(here)
        total[rows] = near[rows] @ counts
    return total


def _entry_arcs(network: Network, entries: Entries, place_ids: Ints) -> tuple[Ints, Ints, Ints]:
    node = network.n_nodes + np.searchsorted(place_ids, entries.place)
    edge = entries.edge
    tail = np.concatenate([node, node])
    head = np.concatenate([network.u[edge], network.v[edge]])
    rest = network.cost_mm[edge] - entries.offset_mm
    cost = np.concatenate([entries.access_mm + entries.offset_mm, entries.access_mm + rest])
    open_ = np.concatenate(network.arrives(edge, entries.offset_mm))
    return tail[open_], head[open_], cost[open_]


def _to_homes(network: Network, homes: Snaps, target: Ints, reach: Floats) -> Floats:
    """Continue from nodes (columns of ``reach``) over either end of each home's edge to the home."""
    edge, offset, leg = homes.edge[target], homes.offset_mm[target], homes.access_mm[target]
    cost = reach[:, network.u[edge]]
    cost += offset + leg
    other = reach[:, network.v[edge]]
    other += network.cost_mm[edge] - offset + leg
    to_u, to_v = network.leaves(edge, offset)
    cost[:, ~to_u] = np.inf
    other[:, ~to_v] = np.inf
    return np.minimum(cost, other, out=cost)


def same_edge(network: Network, homes: Snaps, entries: Entries) -> tuple[Ints, Ints, Ints]:
    """Home, place and cost of every home and entry on one edge, sorted by place."""
    order = np.argsort(homes.edge, kind="stable")
    low = np.searchsorted(homes.edge[order], entries.edge, side="left")
    count = np.searchsorted(homes.edge[order], entries.edge, side="right") - low
    row = np.repeat(np.arange(len(entries.edge)), count)
    home = order[np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + low[row]]
    ahead = entries.offset_mm[row] - homes.offset_mm[home]
    if network.oneway is not None:
        open_ = ahead * network.oneway[entries.edge[row]] >= 0
        home, row, ahead = home[open_], row[open_], ahead[open_]
    along = np.abs(ahead)
    return home, entries.place[row], along + homes.access_mm[home] + entries.access_mm[row]
