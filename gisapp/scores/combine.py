"""From parts to the few composites that are shown beside them: Q, the meeting score and the headline."""

from collections.abc import Sequence

import numpy as np

from gisapp.scores.arrays import TIE, Bools, Floats, Pairs


def city_q(weighted_diversity: float, people: float, reference_diversity: float) -> float:
    """Return Q = sum_j V_j I(p_j) / (N I(P)), 0 to 1.

    It is participation x I(P*)/I(P) x (1 - R): how many go, how varied they are together, how little they
    keep to places of their own. NaN for one group or no people.

    >>> city_q(80.0, 200.0, 0.5)
    0.8
    """
    scale = people * reference_diversity
    return weighted_diversity / scale if scale > 0 else float("nan")


def reach_reference(reach: Floats, share: float = 0.9) -> float:
    """Return U_ref: the smallest reach with at least 90 % of the places at or below it; 0 without places.

    >>> reach_reference(np.arange(1.0, 21))
    18.0
    """
    if not len(reach):
        return 0.0
    # the small subtraction keeps 0.9 * 20 = 18.000000000000004 from asking for one place more
    return float(np.sort(reach)[int(np.ceil(share * len(reach) - 1e-9)) - 1])


def likeness(mix: Floats, representativeness: Floats) -> Floats:
    """Return min(1, M, F), the part of the meeting score that says how much a place is like the town."""
    return np.minimum(1.0, np.minimum(mix, representativeness))


def meeting_score(reach: Floats, reach_full: float, mix: Floats, representativeness: Floats) -> Floats:
    """Return S = 100 sqrt(min(1, U / U_ref) min(1, M, F)), 0 to 100; 0 where M is undefined (no visitors).

    With U_ref = 0 the first factor is 1.

    >>> meeting_score(np.array([600.0, 0]), 1000, np.array([0.6, np.nan]), np.array([0.9, np.nan])).tolist()
    [60.0, 0.0]
    """
    full = np.minimum(1.0, reach / reach_full) if reach_full > 0 else np.ones_like(reach)
    return 100.0 * np.sqrt(full * np.nan_to_num(likeness(mix, representativeness)))


def is_mixed(mix: Floats, representativeness: Floats, visitors: Floats, limits: Sequence[float]) -> Bools:
    """Return whether M, F and V reach their limits, each to within 1e-9; False where M is undefined.

    >>> is_mixed(np.array([0.8]), np.array([0.7]), np.array([50.0]), (0.8, 0.7, 50)).tolist()
    [True]
    """
    least_mix, least_likeness, least_visitors = limits
    with np.errstate(invalid="ignore"):
        return (
            (mix >= least_mix - TIE)
            & (representativeness >= least_likeness - TIE)
            & (visitors >= least_visitors - TIE)
        )


def homes_with(pairs: Pairs, wanted: Bools, n_homes: int) -> Bools:
    """Return which homes have at least one wanted target among ``pairs``.

    >>> pairs = Pairs(np.array([0, 2]), np.array([0, 1]), np.array([5.0, 5.0]))
    >>> homes_with(pairs, np.array([True, False]), 3).tolist()
    [True, False, False]
    """
    found = np.zeros(n_homes, dtype=np.bool_)
    found[pairs.origin[wanted[pairs.target]]] = True
    return found


def competition_ranks(values: Floats) -> Floats:
    """Return the rank of each value, 1 for the largest; values equal to within 1e-9 share a rank; NaN has
    none.

    >>> competition_ranks(np.array([3.0, 5.0, 3.0, np.nan])).tolist()
    [2.0, 1.0, 2.0, nan]
    """
    ranks = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(-values[known], kind="stable")]
    run = values[order]
    new = np.append(True, run[1:] < run[:-1] - TIE * np.abs(run[:-1])) if len(run) else np.zeros(0, bool)
    position = np.arange(1, len(run) + 1)
    ranks[order] = np.maximum.accumulate(np.where(new, position, 0))
    return ranks
