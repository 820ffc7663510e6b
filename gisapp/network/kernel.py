"""Bounded search over the network, compiled: the same numbers as scipy's to the last bit, many times faster.

Importing this module imports numba and loads its functions from the user's cache folder, or compiles them:
``engine.py`` decides when.
"""

import os

import numpy as np
import numpy.typing as npt

from gisapp.resources import numba_dir

os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_dir()))

from numba import njit  # noqa: E402 (its cache folder is read at import)

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

FAR = np.int32(2**31 - 1)
# Width of a bucket of the queue: 32.8 m. Nodes within one bucket may be settled twice; the result is exact.
SHIFT = 15

_GRAPH = "int32[::1], int32[:, ::1]"
_SLOTS = "int32[::1], int32[:, ::1]"
# Columns of an arc: where it leads and what it costs; of a slot: a home and the rest of its way; of an entry of the
# queue: node, distance, the entry behind it. What is read together lies together.


@njit("int64(int32[::1], int32[::1], int32[:, ::1], int64, int64)", nogil=True, cache=True)
def _compact(dist, first, queue, bucket, last_bucket):
    """Move the entries that still count to the front of the pool and return their number: one a node at most."""
    old = queue.copy()
    n = 0
    for at in range(bucket, last_bucket + 1):
        entry = first[at]
        first[at] = -1
        while entry >= 0:
            if old[entry, 1] == dist[old[entry, 0]]:
                queue[n, 0] = old[entry, 0]
                queue[n, 1] = old[entry, 1]
                queue[n, 2] = first[at]
                first[at] = n
                n += 1
            entry = old[entry, 2]
    return n


@njit(
    f"int64({_GRAPH}, int64, int32[::1], int32[::1], int64, int32[::1], int32[:, ::1])",
    nogil=True,
    cache=True,
)
def spread(start, arcs, limit, dist, touched, n_touched, first, queue):
    """Settle every node within ``limit`` of those already in ``touched``, whose ``dist`` is set; return their number.

    A bucket queue: ``first`` holds the newest entry of each bucket, entries are chained. An entry whose distance has
    since fallen is passed over. Indices are unsigned: numba would else ask of each whether it counts from the end.
    """
    n_entries = 0
    last_bucket = limit >> SHIFT
    for i in range(n_touched):
        node = touched[i]
        bucket = dist[node] >> SHIFT
        queue[n_entries, 0] = node
        queue[n_entries, 1] = dist[node]
        queue[n_entries, 2] = first[bucket]
        first[bucket] = n_entries
        n_entries += 1
    far = np.int64(FAR)
    for bucket in range(last_bucket + 1):
        here_first = np.uintp(bucket)
        entry = first[here_first]
        while entry >= 0:
            row = np.uintp(entry)
            first[here_first] = queue[row, 2]
            node = np.uintp(queue[row, 0])
            here = np.int64(queue[row, 1])
            if here == dist[node]:
                for k in range(start[node], start[node + np.uintp(1)]):
                    arc = np.uintp(k)
                    there = here + arcs[arc, 1]
                    other = np.uintp(arcs[arc, 0])
                    known = dist[other]
                    if there < known and there <= limit:
                        if known == far:
                            touched[np.uintp(n_touched)] = arcs[arc, 0]
                            n_touched += 1
                        dist[other] = there
                        at = np.uintp(there >> SHIFT)
                        new = np.uintp(n_entries)
                        queue[new, 0] = arcs[arc, 0]
                        queue[new, 1] = there
                        queue[new, 2] = first[at]
                        first[at] = n_entries
                        n_entries += 1
                        if n_entries == len(queue):
                            # The pool is full: keep what is still waiting, which is far less.
                            n_entries = _compact(dist, first, queue, bucket, last_bucket)
            entry = first[here_first]
    return n_touched


@njit("int64(int32[::1], int32[::1], int64, int64, int64, int32[::1], int32[::1])", nogil=True, cache=True)
def seed(seed_node, seed_mm, low, high, limit, dist, touched):
    """Set ``dist`` of the nodes at which a source begins, seeds ``low`` to ``high``; return how many were touched."""
    n_touched = 0
    for i in range(low, high):
        node, mm = seed_node[i], seed_mm[i]
        if mm <= limit and mm < dist[node]:
            if dist[node] == FAR:
                touched[n_touched] = node
                n_touched += 1
            dist[node] = mm
    return n_touched


@njit(
    f"Tuple((int64[::1], int32[::1], int32[::1]))({_GRAPH}, int32[::1], int32[::1], int32[::1], {_SLOTS}, int64, "
    "int32[::1], int32[::1], int32[::1], int32)",
    nogil=True, cache=True,
)  # fmt: skip
def reach_homes(
    start, arcs, seed_start, seed_node, seed_mm, slot_start, slots, n_homes,
    same_start, same_home, same_mm, limit,
):  # fmt: skip
    """Search from each source and return its homes within ``limit``: number per source, home, millimetres.

    Source ``s`` begins at the nodes ``seed_node[seed_start[s]:seed_start[s + 1]]`` with what it takes to get
    there; ``slots``: homes at each node with the rest of their way; ``same_*``: homes on a source's own edges.
    """
    n_sources = len(seed_start) - 1
    dist = np.full(len(start) - 1, FAR, np.int32)
    touched = np.empty(len(start) - 1, np.int32)
    best = np.full(n_homes, FAR, np.int32)
    reached = np.empty(n_homes, np.int32)
    first = np.full((limit >> SHIFT) + 1, -1, np.int32)
    queue = np.empty((len(arcs) + len(start) + 16, 4), np.int32)
    counts = np.zeros(n_sources, np.int64)
    out_home, out_mm = np.empty(1 << 16, np.int32), np.empty(1 << 16, np.int32)
    n_out = 0
    for source in range(n_sources):
        n_touched = seed(seed_node, seed_mm, seed_start[source], seed_start[source + 1], limit, dist, touched)
        n_touched = spread(start, arcs, limit, dist, touched, n_touched, first, queue)
        n_reached = 0
        for i in range(same_start[source], same_start[source + 1]):
            home, mm = same_home[i], same_mm[i]
            if mm <= limit and mm < best[home]:
                if best[home] == FAR:
                    reached[n_reached] = home
                    n_reached += 1
                best[home] = mm
        for i in range(n_touched):
            node = touched[i]
            here = dist[node]
            dist[node] = FAR
            for slot in range(slot_start[node], slot_start[node + 1]):
                mm = here + slots[slot, 1]
                home = slots[slot, 0]
                if mm <= limit and mm < best[home]:
                    if best[home] == FAR:
                        reached[n_reached] = home
                        n_reached += 1
                    best[home] = mm
        if n_out + n_reached > len(out_home):
            size = max(2 * len(out_home), n_out + n_reached)
            more_home, more_mm = np.empty(size, np.int32), np.empty(size, np.int32)
            more_home[:n_out], more_mm[:n_out] = out_home[:n_out], out_mm[:n_out]
            out_home, out_mm = more_home, more_mm
        for i in range(n_reached):
            home = reached[i]
            out_home[n_out] = home
            out_mm[n_out] = best[home]
            best[home] = FAR
            n_out += 1
        counts[source] = n_reached
    return counts, out_home[:n_out].copy(), out_mm[:n_out].copy()


@njit(
    f"void({_GRAPH}, int32[::1], int32[::1], int32[::1], {_SLOTS}, float64[:, ::1], int32[::1], int32[::1], "
    "int32[::1], int32[::1], int32, float64[:, ::1])",
    nogil=True, cache=True,
)  # fmt: skip
def sum_around(
    start, arcs, seed_start, seed_node, seed_mm, slot_start, slots, counts,
    same_start, same_home, same_mm, own, limit, total,
):  # fmt: skip
    """Add to ``total[s]`` the ``counts`` of all homes within ``limit`` of source ``s``, and of home ``own[s]``.

    No pair is kept. Homes are added in the order of their numbers, so that sums do not depend on the search.
    """
    n_homes, n_groups = counts.shape
    dist = np.full(len(start) - 1, FAR, np.int32)
    touched = np.empty(len(start) - 1, np.int32)
    marked = np.zeros(n_homes, np.bool_)
    reached = np.empty(n_homes, np.int32)
    first = np.full((limit >> SHIFT) + 1, -1, np.int32)
    queue = np.empty((len(arcs) + len(start) + 16, 4), np.int32)
    for source in range(len(seed_start) - 1):
        n_touched = seed(seed_node, seed_mm, seed_start[source], seed_start[source + 1], limit, dist, touched)
        n_touched = spread(start, arcs, limit, dist, touched, n_touched, first, queue)
        reached[0] = own[source]
        marked[own[source]] = True
        n_reached = 1
        for i in range(same_start[source], same_start[source + 1]):
            home = same_home[i]
            if same_mm[i] <= limit and not marked[home]:
                marked[home] = True
                reached[n_reached] = home
                n_reached += 1
        for i in range(n_touched):
            node = touched[i]
            here = dist[node]
            dist[node] = FAR
            for slot in range(slot_start[node], slot_start[node + 1]):
                home = slots[slot, 0]
                if here + slots[slot, 1] <= limit and not marked[home]:
                    marked[home] = True
                    reached[n_reached] = home
                    n_reached += 1
        found = np.sort(reached[:n_reached])
        for home in found:
            marked[home] = False
            for group in range(n_groups):
                total[source, group] += counts[home, group]


@njit("int64[::1](int32[::1], int32[::1], int32[::1], int64[::1])", nogil=True, cache=True)
def group_by_home(home, place, mm, starts):
    """Return millimetres and place of each walk as one key, home by home, and fill in where each home begins."""
    for h in home:
        starts[h + 1] += 1
    for at in range(1, len(starts)):
        starts[at] += starts[at - 1]
    follow = starts[:-1].copy()
    key = np.empty(len(home), np.int64)
    for i in range(len(home)):
        key[follow[home[i]]] = (np.int64(mm[i]) << 32) | np.int64(place[i])
        follow[home[i]] += 1
    return key


@njit(
    "void(int64[::1], int64[::1], int64, int64, int32[::1], int32[::1], int32[::1])", nogil=True, cache=True
)
def sort_within(key, starts, low, high, home, place, mm):
    """Sort the keys of homes ``low`` to ``high`` and write them out as ``home``, ``place`` and ``mm``."""
    for h in range(low, high):
        run = key[starts[h] : starts[h + 1]]
        run.sort()
        for i in range(starts[h], starts[h + 1]):
            home[i] = h
            place[i] = np.int32(key[i] & 0xFFFFFFFF)
            mm[i] = np.int32(key[i] >> 32)
