"""Walks and home environments by the compiled search: to the bit what ``times.py`` returns, many times faster."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gisapp.network import kernel
from gisapp.network.entries import Entries
from gisapp.network.graph import Network
from gisapp.network.snap import Snaps
from gisapp.network.times import Walks, same_edge
from gisapp.resources import cores

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Result = TypeVar("Result")

_BLOCKS_PER_CORE = 4
_ROWS_A_BLOCK = 64  # fewer sources than this are not worth a thread


@dataclass(frozen=True)
class Searchable:
    """A network with its homes, laid out for the compiled search: arcs by node, and homes by node.

    ``arcs``: where those of each node start, and rows of node and cost (mm), each against the direction in which it is
    walked. ``slots``: where those of each node start, and rows of home and the rest of its way (mm).
    """

    network: Network
    homes: Snaps
    arcs: tuple[Codes, Codes]
    slots: tuple[Codes, Codes]


def searchable(network: Network, homes: Snaps) -> Searchable:
    """Lay out a network and its homes once for many searches."""
    matrix = network.matrix()
    located = np.flatnonzero(homes.reached)
    rows = [values[located] for values in _rows(homes)]
    way_out = np.concatenate(network.leaves(rows[0], rows[1]))
    node, mm = (values.T.ravel()[way_out] for values in _both_ends(network, *rows))
    home = np.tile(located, 2)[way_out]
    order = np.argsort(node, kind="stable")
    starts = np.searchsorted(node[order], np.arange(network.n_nodes + 1))
    return Searchable(
        network,
        homes,
        (_codes(matrix.indptr), _codes(np.column_stack([matrix.indices, matrix.data]))),
        (_codes(starts), _codes(np.column_stack([home[order], mm[order]]))),
    )


def walks(town: Searchable, entries: Entries, *, limit: int) -> Walks:
    """Return all walks of at most ``limit`` millimetres: see ``times.walks``."""
    return _in_order(search(town, entries, limit=limit), len(town.homes))


def search(town: Searchable, entries: Entries, *, limit: int) -> Walks:
    """Return the same walks in the order in which they are found: place by place."""
    place_ids, entries = _neighbours_together(town.network, entries)
    ends = np.searchsorted(entries.place, np.arange(len(place_ids) + 1))
    node, rest = _both_ends(town.network, entries.edge, entries.offset_mm, entries.access_mm)
    way_in = np.stack(town.network.arrives(entries.edge, entries.offset_mm), axis=1)
    seed_node, seed_mm = _codes(node.ravel()), _codes(np.where(way_in, rest, kernel.FAR).ravel())
    beside, owner, along_mm = same_edge(town.network, town.homes, entries)
    same_starts = np.searchsorted(owner, np.arange(len(place_ids) + 1))
    same_home, same_mm = _codes(beside), _codes(along_mm)

    def block(low: int, high: int) -> tuple[Ints, Codes, Codes]:
        seeds = slice(2 * ends[low], 2 * ends[high])
        same = slice(same_starts[low], same_starts[high])
        found: tuple[Ints, Codes, Codes] = kernel.reach_homes(
            *town.arcs, _codes(2 * (ends[low : high + 1] - ends[low])), seed_node[seeds], seed_mm[seeds],
            *town.slots, len(town.homes), _codes(same_starts[low : high + 1] - same_starts[low]),
            same_home[same], same_mm[same], np.int32(limit),
        )  # fmt: skip
        return found

    blocks = _in_threads(block, len(place_ids))
    if not blocks:
        return Walks(*(np.zeros(0, np.int32) for _ in range(3)))
    counts = np.concatenate([b[0] for b in blocks])
    place = np.repeat(place_ids, counts).astype(np.int32)
    return Walks(np.concatenate([b[1] for b in blocks]), place, np.concatenate([b[2] for b in blocks]))


def _neighbours_together(network: Network, entries: Entries) -> tuple[Ints, Entries]:
    """Return the places in the order of their nodes, and their entries so numbered: what is near stays in the cache."""
    ids, first, count = np.unique(entries.place, return_index=True, return_counts=True)
    order = np.argsort(network.u[entries.edge[first]], kind="stable")
    first, count = first[order], count[order]
    number = np.repeat(np.arange(len(ids)), count)
    rows = np.arange(len(number)) - np.repeat(np.cumsum(count) - count - first, count)
    return ids[order], Entries(number, entries.edge[rows], entries.offset_mm[rows], entries.access_mm[rows])


def _in_order(found: Walks, n_homes: int) -> Walks:
    """Sort walks by home, then length, then place."""
    starts = np.zeros(n_homes + 1, dtype=np.int64)
    key = kernel.group_by_home(found.home, found.place, found.mm, starts)
    out = Walks(*(np.empty_like(column) for column in (found.home, found.place, found.mm)))
    _in_threads(
        lambda low, high: kernel.sort_within(key, starts, low, high, out.home, out.place, out.mm), n_homes
    )
    return out


def environments(town: Searchable, counts: Floats, *, limit: int) -> Floats:
    """Sum ``counts`` over the homes within ``limit`` millimetres of each home: see ``times.environments``.

    ``town``: of an undirected network.
    """
    network, homes = town.network, town.homes
    total = np.array(counts, dtype=np.float64)
    located = np.flatnonzero(homes.reached)
    # Neighbours in space are neighbours in memory.
    located = located[np.lexsort((network.v[homes.edge[located]], network.u[homes.edge[located]]))]
    edge, offset, leg = (values[located] for values in _rows(homes))
    node, mm = _both_ends(network, edge, offset, leg)
    seed_node, seed_mm = _codes(node.ravel()), _codes(mm.ravel())
    beside, source, along_mm = same_edge(network, homes, Entries(np.arange(len(located)), edge, offset, leg))
    same_starts = np.searchsorted(source, np.arange(len(located) + 1))
    same_home, same_mm = _codes(beside), _codes(along_mm)
    sums = np.zeros((len(located), counts.shape[1]))
    values = np.ascontiguousarray(counts, dtype=np.float64)

    def block(low: int, high: int) -> None:
        same = slice(same_starts[low], same_starts[high])
        kernel.sum_around(
            *town.arcs, _codes(2 * np.arange(high - low + 1)), seed_node[2 * low : 2 * high],
            seed_mm[2 * low : 2 * high], *town.slots, values,
            _codes(same_starts[low : high + 1] - same_starts[low]), same_home[same], same_mm[same],
            _codes(located[low:high]), np.int32(limit), sums[low:high],
        )  # fmt: skip

    _in_threads(block, len(located))
    total[located] = sums
    return total


def _rows(snaps: Snaps) -> tuple[Ints, Ints, Ints]:
    return snaps.edge, snaps.offset_mm, snaps.access_mm


def _both_ends(network: Network, edge: Ints, offset_mm: Ints, access_mm: Ints) -> tuple[Ints, Ints]:
    """Return the two end nodes of each edge and the way to each (rows, 2)."""
    node = np.stack([network.u[edge], network.v[edge]], axis=1)
    mm = np.stack([access_mm + offset_mm, access_mm + network.cost_mm[edge] - offset_mm], axis=1)
    return node, mm


def _codes(values: npt.ArrayLike) -> Codes:
    return np.ascontiguousarray(values, dtype=np.int32)


def _in_threads(work: Callable[[int, int], Result], n: int) -> list[Result]:
    """Call ``work(low, high)`` on ranges that cover ``n`` rows, on all cores; results in order of the rows."""
    blocks = max(1, min(n // _ROWS_A_BLOCK, _BLOCKS_PER_CORE * cores()))
    cuts = np.unique(np.linspace(0, n, blocks + 1).astype(np.int64)).tolist()
    ranges: Iterable[tuple[int, int]] = zip(cuts[:-1], cuts[1:], strict=True)
    if blocks == 1:
        return [work(*ends) for ends in ranges]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(lambda ends: work(*ends), ranges))
