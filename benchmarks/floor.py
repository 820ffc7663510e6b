"""The floor under any search of this kind: looking once at each out-edge of each node that it settles."""

import time

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmarks.towns import Task, as_network
from gisapp.network import kernel


@njit(nogil=True)
def _settle(start, head, cost, node, limit, dist, touched, first, entry_node, entry_next, entry_dist):  # type: ignore[no-untyped-def]
    dist[node] = 0
    touched[0] = node
    return kernel.spread(
        start, head, cost, limit, dist, touched, 1, first, entry_node, entry_next, entry_dist
    )


@njit(nogil=True)
def _scan(start, head, cost, nodes):  # type: ignore[no-untyped-def]
    total = 0
    for node in nodes:
        for arc in range(start[node], start[node + 1]):
            total += cost[arc] + head[arc]
    return total


def search_and_floor_ns(task: Task, *, sources: int = 300) -> tuple[float, float]:
    """Return nanoseconds for each settled node: of the search, and of only scanning the same nodes' edges."""
    matrix = as_network(task.graph).matrix()
    arcs = [np.ascontiguousarray(part, np.int32) for part in (matrix.indptr, matrix.indices, matrix.data)]
    n = task.graph.n
    dist, touched = np.full(n, kernel.FAR, np.int32), np.empty(n, np.int32)
    first = np.full((task.limit >> kernel.SHIFT) + 1, -1, np.int32)
    pool: list[npt.NDArray[np.int32]] = [np.empty(len(arcs[1]) + n + 16, np.int32) for _ in range(3)]
    limit = np.int64(task.limit)
    searched = scanned = 0.0
    settled = 0
    for node in task.place_node[: sources + 1].astype(np.int32):
        began = time.perf_counter()
        number = _settle(*arcs, node, limit, dist, touched, first, *pool)
        middle = time.perf_counter()
        _scan(*arcs, touched[:number])
        ended = time.perf_counter()
        dist[touched[:number]] = kernel.FAR
        if settled or node != task.place_node[0]:  # the first call compiles
            searched, scanned, settled = searched + middle - began, scanned + ended - middle, settled + number
    return searched / settled * 1e9, scanned / settled * 1e9
