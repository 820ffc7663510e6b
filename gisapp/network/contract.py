"""Raw street segments become a compact network: nodes of degree 2 are contracted, every component is kept."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chains:
    """Edges of the contracted network as runs of raw segments.

    Run ``e`` has rows ``starts[e]:starts[e+1]`` of ``segment`` (index into the raw segments) and ``forward``
    (False where the run walks that segment from v to u). ``u``, ``v``: end nodes (indices of raw nodes).
    """

    u: Ints
    v: Ints
    starts: Ints
    segment: Ints
    forward: Bools


def contract(u: Ints, v: Ints, n_nodes: int) -> Chains:
    """Contract all nodes of degree 2 of an undirected multigraph of segments ``u[i]``-``v[i]``.

    ``u``, ``v``: node indices below ``n_nodes``. A node with a loop of its own stays. A ring without a junction
    keeps its lowest node as a loop. The rule for what may be contracted is OSMnx's (exactly two neighbours);
    unlike OSMnx, free rings are kept.

    >>> chains = contract(np.array([0, 1, 2]), np.array([1, 2, 3]), 4)
    >>> chains.u.tolist(), chains.v.tolist(), chains.segment.tolist()
    ([0], [3], [0, 1, 2])
    """
    n = len(u)
    if n == 0:
        empty = np.zeros(0, dtype=np.int64)
        return Chains(empty, empty, np.zeros(1, dtype=np.int64), empty, np.zeros(0, dtype=bool))
    # Half-edge h < n walks segment h from u to v, half-edge h + n walks it back.
    tail, head = np.concatenate([u, v]), np.concatenate([v, u])
    is_end = _end_nodes(tail, head, n_nodes)
    follow = _next_half_edge(tail, head, n_nodes)
    begin = np.flatnonzero(is_end[tail])
    owner, step, half, last = _walk(begin, follow, head, is_end)
    # Every run is walked from both ends; keep the walk whose first half-edge has the lower number.
    twin_first = (last + n) % (2 * n)
    keep_run = begin <= twin_first
    keep = keep_run[owner]
    owner, step, half = owner[keep], step[keep], half[keep]
    order = np.lexsort((step, owner))
    new_number = np.cumsum(keep_run) - 1
    counts = np.bincount(new_number[owner], minlength=int(keep_run.sum()))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    half = half[order]
    return Chains(
        u=tail[begin[keep_run]], v=head[last[keep_run]], starts=starts, segment=half % n, forward=half < n
    )


def _end_nodes(tail: Ints, head: Ints, n_nodes: int) -> Bools:
    degree = np.bincount(tail, minlength=n_nodes)
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    pairs = np.unique(np.stack([np.concatenate([low, high]), np.concatenate([high, low])]), axis=1)
    neighbours = np.bincount(pairs[0], minlength=n_nodes)
    is_end: Bools = ~((degree == 2) & (neighbours == 2))
    graph = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    n_parts, part = connected_components(graph, directed=False)
    has_end = np.zeros(n_parts, dtype=bool)
    has_end[part[is_end]] = True
    _, first = np.unique(part, return_index=True)
    is_end[first[~has_end]] = True
    return is_end


def _next_half_edge(tail: Ints, head: Ints, n_nodes: int) -> Ints:
    """For each half-edge, the other half-edge that leaves its head (meaningful at degree 2 only)."""
    n = len(tail) // 2
    order = np.argsort(tail, kind="stable")
    start = np.searchsorted(tail[order], np.arange(n_nodes + 1))
    first = order[np.minimum(start[head], 2 * n - 1)]
    second = order[np.minimum(start[head] + 1, 2 * n - 1)]
    back = (np.arange(2 * n) + n) % (2 * n)
    return np.where(first == back, second, first)


def _walk(begin: Ints, follow: Ints, head: Ints, is_end: Bools) -> tuple[Ints, Ints, Ints, Ints]:
    """Walk all runs at once, a step a round: as many rounds as the longest run has segments."""
    owners, steps, halves = [], [], []
    last = begin.copy()
    run, current, step = np.arange(len(begin)), begin, 0
    while len(run):
        owners.append(run)
        steps.append(np.full(len(run), step))
        halves.append(current)
        last[run] = current
        going = ~is_end[head[current]]
        run, current, step = run[going], follow[current[going]], step + 1
    return np.concatenate(owners), np.concatenate(steps), np.concatenate(halves), last
