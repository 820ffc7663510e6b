"""Which n of many candidates: greedy, lazy greedy, exchange, and exact coverage. Pure functions over numbers.

An objective gives ``gains(chosen)``, what each candidate would add to those chosen, and ``value(chosen)``.
"""

import heapq
from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from gisapp.scores.arrays import TIE, Floats, Ints

Gains = Callable[[Sequence[int]], Floats]
Value = Callable[[Sequence[int]], float]


def greedy(gains: Gains, n: int) -> list[int]:
    """Take the candidate that adds most, n times; of equals the first.

    For a monotone submodular objective at least 1 - 1/e (63 %) of the best that n can do (Nemhauser, Wolsey & Fisher
    1978, cited from memory).

    >>> greedy(lambda chosen: np.array([1.0, 3.0, 2.0]), 2)
    [1, 2]
    """
    chosen: list[int] = []
    for _ in range(n):
        chosen.append(best_of(gains(chosen), chosen))
    return chosen


def best_of(gain: Floats, chosen: Sequence[int]) -> int:
    """Return the candidate of the largest gain that is not chosen yet."""
    gain = np.array(gain, dtype=np.float64)
    gain[list(chosen)] = -np.inf
    return int(np.argmax(gain))


def lazy_greedy(first: Floats, gain: Callable[[Sequence[int], int], float], n: int) -> list[int]:
    """Return what ``greedy`` returns for a submodular objective, with far fewer gains computed.

    ``first``: the gains when nothing is chosen. What a candidate adds never grows as others are chosen, so that an
    old gain is an upper bound, and one that leads after being computed again is the best (Minoux 1978, cited from
    memory).

    >>> lazy_greedy(np.array([1.0, 3.0, 2.0]), lambda chosen, one: [1.0, 3.0, 0.5][one], 2)
    [1, 0]
    """
    heap = [(-value, at, 0) for at, value in enumerate(first.tolist())]
    heapq.heapify(heap)
    chosen: list[int] = []
    while len(chosen) < n:
        value, at, known = heapq.heappop(heap)
        if known == len(chosen):
            chosen.append(at)
        else:
            heapq.heappush(heap, (-gain(chosen, at), at, len(chosen)))
    return chosen


def exchange(start: Sequence[int], gains: Gains, value: Value) -> list[int]:
    """Swap one chosen candidate for a better one until no single swap helps (Teitz & Bart 1968, from memory)."""
    chosen, best = list(start), value(start)
    swapped = len(chosen) > 1  # one candidate was the best of all already
    while swapped:
        swapped = False
        for at in range(len(chosen)):
            rest = [*chosen[:at], *chosen[at + 1 :]]
            other = best_of(gains(rest), rest)
            if other == chosen[at]:
                continue
            new = value([*rest, other])
            if new > best + TIE * max(1.0, abs(best)):
                chosen, best, swapped = [*chosen[:at], other, *chosen[at + 1 :]], new, True
    return chosen


def best_exchange(gains: Gains, value: Value, n: int, n_candidates: int, *, restarts: int) -> list[int]:
    """Return the best of exchanges from the greedy choice and from ``restarts`` random ones (always the same)."""
    luck = np.random.default_rng(0)
    starts = [greedy(gains, n)]
    if n > 1:
        starts += [luck.choice(n_candidates, n, replace=False).tolist() for _ in range(restarts)]
    found = [exchange(start, gains, value) for start in starts]
    return ranked(max(found, key=value), gains)


def ranked(chosen: Sequence[int], gains: Gains) -> list[int]:
    """Return the chosen ones, the one that adds most first."""
    order: list[int] = []
    while len(order) < len(chosen):
        left = [one for one in chosen if one not in order]
        gain = gains(order)
        order.append(max(left, key=lambda one: gain[one]))
    return order


def most_covered(
    candidate: Ints, home: Ints, people: Floats, n: int, n_candidates: int, *, seconds: float = 60.0
) -> tuple[list[int], float]:
    """Return the n candidates that cover most people (Church & ReVelle 1974), and the proven share of the optimum.

    ``candidate``, ``home``: pairs of which the first covers the second; ``people`` of each home. Solved as an integer
    programme by scipy's HiGHS: the share is 1 where it is optimal, and below that if the time was up before.

    >>> most_covered(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), np.array([2.0, 1.0]), 1, 3)
    ([1], 1.0)
    """
    homes, row = np.unique(home, return_inverse=True)
    size = len(homes)
    if not size:
        return [], 1.0
    covers = sparse.csr_array((np.ones(len(row)), (row, candidate)), shape=(size, n_candidates))
    total = float(people[homes].sum())
    solved = milp(
        np.concatenate([np.zeros(n_candidates), -people[homes] / total]),
        integrality=np.concatenate([np.ones(n_candidates), np.zeros(size)]),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(sparse.hstack([covers, -sparse.eye_array(size)], format="csr"), 0, np.inf),
            LinearConstraint(np.concatenate([np.ones(n_candidates), np.zeros(size)])[None], 0, n),
        ],
        options={"time_limit": seconds, "mip_rel_gap": 1e-9},
    )
    if solved.x is None:
        return [], 0.0
    bound = -float(solved.mip_dual_bound)
    share = 1.0 if solved.status == 0 or bound <= 0 else -float(solved.fun) / bound
    return np.flatnonzero(solved.x[:n_candidates] > 0.5).tolist(), share
