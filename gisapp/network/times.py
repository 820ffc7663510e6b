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
class Pairs:
    """Pairs within the horizon: positions of home and place, and minutes; sorted by home, then place."""

    home: Codes
    place: Codes
    minutes: Floats


def minutes_of(cost_mm: npt.NDArray[np.generic], speed_ms: float) -> Floats:
    """Turn whole millimetres into minutes at a speed in m/s.

    >>> float(minutes_of(np.array([335_000]), 1.25)[0].round(4))
    4.4667
    """
    return np.asarray(cost_mm, dtype=np.float64) / (60_000.0 * speed_ms)


def travel_times(
    network: Network, homes: Snaps, entries: Entries, *, n_places: int, horizon_min: float
) -> Pairs:
    """Return all home-place pairs within ``horizon_min``.

    A search runs from each place (a node of its own, joined to both ends of each entry's edge); a home is reached
    over the ends of its edge, or along the edge where an entry lies on the same one.
    """
    limit_mm = horizon_min * 60_000.0 * network.speed_ms
    place_ids = np.unique(entries.place)
    arcs = _entry_arcs(network, entries, place_ids)
    graph = network.matrix(arcs, n_extra=len(place_ids))
    same = same_edge(homes, entries)
    located = np.flatnonzero(homes.reached)
    size = network.n_nodes + len(place_ids)
    chunk = max(1, _CHUNK_CELLS // max(size, len(homes), 1))
    found_home, found_place, found_mm = [], [], []
    for begin in range(0, len(place_ids), chunk):
        places = place_ids[begin : begin + chunk]
        sources = network.n_nodes + np.arange(begin, begin + len(places))
        reach = dijkstra(graph, directed=True, indices=sources, limit=limit_mm)
        cost = _to_homes(network, homes, located, reach)
        low, high = np.searchsorted(same[1], [places[0], places[-1] + 1])
        row = np.searchsorted(places, same[1][low:high])
        np.minimum.at(
            cost, (row, np.searchsorted(located, same[0][low:high])), same[2][low:high].astype(float)
        )
        at_place, at_home = np.nonzero(cost <= limit_mm)
        found_home.append(located[at_home].astype(np.int32))
        found_place.append(places[at_place].astype(np.int32))
        found_mm.append(cost[at_place, at_home])
    return by_home(found_home, found_place, found_mm, (len(homes), n_places), network.speed_ms)


def home_pairs(
    network: Network, homes: Snaps, points: npt.NDArray[np.object_], *, within_min: float
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield home-home pairs within ``within_min`` in blocks: from, to (positions), minutes; both directions.

    Each home is paired with itself at 0, attached to the network or not. Pairs are never all held at once.
    """
    limit_mm = within_min * 60_000.0 * network.speed_ms
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
    margin_m = limit_mm / 1000.0 * 1.01 + 1.0
    for block in np.array_split(order, max(1, len(order) // 128)):
        corner = shapely.get_coordinates(points[block])
        near = (xy >= corner.min(axis=0) - margin_m).all(axis=1) & (xy <= corner.max(axis=0) + margin_m).all(
            axis=1
        )
        target = located[near]
        edge = homes.edge[block]
        nodes, at = np.unique(np.concatenate([network.u[edge], network.v[edge]]), return_inverse=True)
        reach = dijkstra(graph, directed=True, indices=nodes, limit=limit_mm)
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
        i, j = np.nonzero(cost <= limit_mm)
        yield block[i], target[j], minutes_of(cost[i, j], network.speed_ms)


def environments(
    network: Network, homes: Snaps, points: npt.NDArray[np.object_], counts: Floats, *, within_min: float
) -> Floats:
    """Sum ``counts`` (homes x groups) over all homes within ``within_min`` of each home, itself included."""
    total = np.zeros_like(counts, dtype=float)
    for here, there, _ in home_pairs(network, homes, points, within_min=within_min):
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
    return tail, head, cost


def _to_homes(network: Network, homes: Snaps, target: Ints, reach: Floats) -> Floats:
    """Continue from nodes (columns of ``reach``) over either end of each home's edge to the home."""
    edge, offset, leg = homes.edge[target], homes.offset_mm[target], homes.access_mm[target]
    cost = reach[:, network.u[edge]]
    cost += offset + leg
    other = reach[:, network.v[edge]]
    other += network.cost_mm[edge] - offset + leg
    return np.minimum(cost, other, out=cost)


def same_edge(homes: Snaps, entries: Entries) -> tuple[Ints, Ints, Ints]:
    """Home, place and cost of every home and entry on one edge, sorted by place."""
    order = np.argsort(homes.edge, kind="stable")
    low = np.searchsorted(homes.edge[order], entries.edge, side="left")
    count = np.searchsorted(homes.edge[order], entries.edge, side="right") - low
    row = np.repeat(np.arange(len(entries.edge)), count)
    home = order[np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + low[row]]
    along = np.abs(homes.offset_mm[home] - entries.offset_mm[row])
    return home, entries.place[row], along + homes.access_mm[home] + entries.access_mm[row]


def by_home(
    home: list[Codes], place: list[Codes], mm: list[Floats], shape: tuple[int, int], speed_ms: float
) -> Pairs:
    if not home:
        return Pairs(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    # A counting sort by way of CSR: linear, where sorting 16 million pairs takes seconds.
    table = coo_array(
        (np.concatenate(mm), (np.concatenate(home), np.concatenate(place))), shape=shape
    ).tocsr()
    rows = np.repeat(np.arange(shape[0], dtype=np.int32), np.diff(table.indptr))
    return Pairs(rows, table.indices.astype(np.int32, copy=False), minutes_of(table.data, speed_ms))
