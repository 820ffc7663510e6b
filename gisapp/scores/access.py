"""What can be reached on foot from each home: nearest, counts, gravity, and one access score of 0 to 100."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from gisapp.scores.arrays import Bools, Floats, Ints, Pairs, ratio, run_sums, starts


@dataclass(frozen=True)
class Reach:
    """Raw access to one kind, one value a home: ``nth_min`` (ranks, homes) holds the minutes to the nearest,
    second, third ... place, NaN where there is none within the horizon; ``counts`` (cutoffs, homes);
    ``gravity``.
    """

    nth_min: Floats
    counts: Floats
    gravity: Floats


def once_a_place(pairs: Pairs, whole: Ints, alpha: Floats) -> Bools:
    """Tell which pairs count where places are cut into parts: for each home and whole place that to its nearest
    part (on ties the more attractive).

    ``whole`` gives each target's whole place.

    >>> pairs = Pairs(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([5.0, 4.0, 6.0]))
    >>> once_a_place(pairs, np.array([7, 7, 8]), np.ones(3)).tolist()
    [False, True, True]
    """
    several = np.bincount(whole)[whole] > 1
    rows = np.flatnonzero(several[pairs.target])
    target = pairs.target[rows]
    order = rows[np.lexsort((-alpha[target], pairs.minutes[rows], whole[target], pairs.origin[rows]))]
    home, group = pairs.origin[order], whole[pairs.target[order]]
    keep = np.ones(len(pairs.target), dtype=bool)
    keep[order[1:][(home[1:] == home[:-1]) & (group[1:] == group[:-1])]] = False
    return keep


def reach(
    pairs: Pairs, n_homes: int, weight: Floats, *, cutoffs_min: Sequence[float] = (5, 10, 15), ranks: int = 3
) -> Reach:
    """Return the raw measures of one kind.

    ``pairs`` sorted by home, then minutes, within the horizon. ``weight`` is alpha_j f(t_ij) of each pair;
    gravity is its sum (Hansen 1959, cited from memory). Counts include the cutoff itself.

    >>> pairs = Pairs(np.array([0, 0]), np.array([0, 1]), np.array([5.0, 10.0]))
    >>> r = reach(pairs, 2, np.array([0.5, 0.25]))
    >>> r.nth_min[0].tolist(), r.counts.tolist(), r.gravity.tolist()
    ([5.0, nan], [[1.0, 0.0], [2.0, 0.0], [2.0, 0.0]], [0.75, 0.0])
    """
    begin = starts(pairs.origin, n_homes)
    number = np.diff(begin)
    nth = np.full((ranks, n_homes), np.nan)
    for rank in range(ranks):
        has = number > rank
        nth[rank, has] = pairs.minutes[begin[:-1][has] + rank]
    counts = [run_sums(pairs.minutes <= cutoff, begin) for cutoff in cutoffs_min]
    return Reach(nth, np.array(counts).reshape(len(cutoffs_min), n_homes), run_sums(weight, begin))


def access_score(nth_weight: Floats, choice_weights: Sequence[float]) -> Floats:
    """Return a = min(100, 100 (w1 f1 + w2 f2 + ...)): 100 one at the door, 50 one at five minutes.

    ``nth_weight`` (ranks, homes) holds f of the r-th nearest, 0 where there is none. Diminishing counts as in
    Walk Score 2010 (read); the weights are our judgement. A kind of which one place suffices has one weight.

    >>> access_score(np.array([[0.5], [0.25], [0.125]]), (1, 0.2, 0.1)).tolist()
    [56.25]
    """
    number = min(len(choice_weights), len(nth_weight))
    total = np.zeros(nth_weight.shape[1])
    for rank in range(number):
        total += choice_weights[rank] * nth_weight[rank]
    return np.minimum(100.0, 100.0 * total)


Mean = Literal["geometric", "arithmetic", "minimum"]


def overall_access(scores: Floats, weights: Floats, *, mean: Mean = "geometric") -> Floats:
    """Return exp(sum_k w_k ln(1 + a_k)) - 1: the score that, held in every kind, would be as good.

    ``scores`` (kinds, homes) of 0 to 100, ``weights`` (kinds,) summing to 1. A geometric mean that survives
    zeros (on compensability: Nardo et al. 2008, read). ``mean``: the arithmetic mean lets kinds make up for
    each other in full, the minimum over kinds of positive weight not at all.

    >>> overall_access(np.array([[100.0], [0.0]]), np.array([0.5, 0.5])).round(9).tolist()
    [9.049875621]
    >>> overall_access(np.array([[100.0], [0.0]]), np.array([0.5, 0.5]), mean="arithmetic").tolist()
    [50.0]
    """
    if not len(scores):
        return np.full(scores.shape[1], np.nan)
    if mean == "arithmetic":
        return np.asarray(weights @ scores)
    if mean == "minimum":
        return np.asarray(scores[weights > 0].min(axis=0))
    return np.expm1(weights @ np.log1p(scores))


def weakest_kinds(scores: Floats, kinds: Sequence[str], weights: Floats) -> list[str | None]:
    """Return the name of each home's weakest kind: the lowest score; on ties the larger weight, then the
    order.

    Where several kinds score 0, all of them, joined by ``;``. ``scores`` (kinds, homes).

    >>> weakest_kinds(np.array([[0.0, 5.0], [0.0, 5.0]]), ("a", "b"), np.array([0.4, 0.6]))
    ['a;b', 'b']
    """
    if not len(kinds):
        return [None] * scores.shape[1]
    order = np.lexsort((np.arange(len(kinds)), -weights))
    first = order[np.argmin(scores[order], axis=0)]
    names = np.array(kinds, dtype=object)[first]
    zero = scores == 0
    several = zero.sum(axis=0) > 1
    if several.any():
        rows = np.ascontiguousarray(np.packbits(zero[:, several], axis=0).T)
        _, first, which = np.unique(
            rows.view(f"S{rows.shape[1]}")[:, 0], return_index=True, return_inverse=True
        )
        patterns = zero[:, several][:, first].T
        joined = [";".join(k for k, at in zip(kinds, pattern, strict=True) if at) for pattern in patterns]
        names[several] = np.array(joined, dtype=object)[which]
    return list(names)


def room(
    probability: sparse.csr_array | Floats, users: Floats, capacity: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return room per resident (homes,), demand (places,) and crowding (places,) of one kind.

    room_i = sum_j pi_ij c_j / D_j with D_j = sum_i users_i pi_ij; crowding = D_j / c_j. A floating-catchment
    ratio whose demand is split by the one choice model (Paez, Higgins & Vivona 2019, cited from memory;
    formula checked in the code of the R package ``accessibility``). sum_i users_i room_i = sum of c_j over
    places with users. ``capacity`` is NaN where unknown: such a place gives no room, and has no crowding.

    >>> pi = np.array([[0.5], [0.25]])
    >>> room(pi, np.array([100.0, 200.0]), np.array([20.0]))[0].tolist()
    [0.1, 0.05]
    """
    demand = np.asarray(probability.T @ users)
    known = np.isfinite(capacity)
    each = np.divide(capacity, demand, out=np.zeros(len(demand)), where=known & (demand > 0))
    crowding = np.where(known, ratio(demand, np.where(known, capacity, 1.0)), np.nan)
    return np.asarray(probability @ each), demand, crowding
