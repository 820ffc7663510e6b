"""The floor under any search of this kind: looking once at each out-edge of each node that it settles."""

import time

import numpy as np
from numba import njit

from benchmarks.towns import Task, as_network, at_nodes
from gisapp.network import compiled, kernel


@njit(nogil=True)
def _settle(start, arcs, node, limit, dist, touched, first, queue):
    dist[node] = 0
    touched[0] = node
    return kernel.spread(start, arcs, limit, dist, touched, 1, first, queue)


@njit(nogil=True)
def _scan(start, arcs, nodes):
    total = 0
    for node in nodes:
        for arc in range(start[node], start[node + 1]):
            total += arcs[arc, 0] + arcs[arc, 1]
    return total


def search_and_floor_ns(task: Task, *, sources: int = 300) -> tuple[float, float]:
    """Return nanoseconds for each settled node: of the search, and of only scanning the same nodes' edges."""
    n = task.graph.n
    arcs = compiled.searchable(as_network(task.graph), at_nodes(task.graph, task.place_node[:1])).arcs
    dist, touched = np.full(n, kernel.FAR, np.int32), np.empty(n, np.int32)
    first = np.full((task.limit >> kernel.SHIFT) + 1, -1, np.int32)
    queue = np.empty((len(arcs[1]) + n + 16, 4), np.int32)
    limit = np.int64(task.limit)
    searched = scanned = 0.0
    settled = 0
    # Neighbours one after the other, as the product searches.
    nodes = np.sort(task.place_node)[len(task.place_node) // 3 :][: sources + 1].astype(np.int32)
    for number_of, node in enumerate(nodes):
        began = time.perf_counter()
        number = _settle(*arcs, node, limit, dist, touched, first, queue)
        middle = time.perf_counter()
        _scan(*arcs, touched[:number])
        ended = time.perf_counter()
        dist[touched[:number]] = kernel.FAR
        if number_of:  # the first call compiles
            searched, scanned, settled = searched + middle - began, scanned + ended - middle, settled + number
    return searched / settled * 1e9, scanned / settled * 1e9
