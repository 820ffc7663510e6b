"""Which places people choose: the best few of a kind, nearer ones more, and some stay at home."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gisapp.scores.arrays import TIE, Floats, Ints, Pairs, starts


@dataclass(frozen=True)
class Choice:
    """Probabilities of one kind: ``probability`` (homes x places, CSR) and ``goes`` (homes,), its row sums.

    ``home``, ``place``, ``share``, ``minutes`` are the same entries as lists, by home.
    """

    probability: sparse.csr_array
    goes: Floats
    home: Ints
    place: Ints
    share: Floats
    minutes: Floats


def candidates(pairs: Pairs, value: Floats, n_homes: int, size: int | None) -> tuple[Pairs, Floats]:
    """Return the pairs that any choice set of up to ``size`` can hold: a fraction of all, found without sorting.

    ``pairs`` sorted by home, ``value`` falling within each home.
    """
    if size is None or not len(value):
        return pairs, value
    keep = value >= _limit(pairs.origin, value, n_homes, size)[pairs.origin] * (1 - TIE)
    return pairs.at(keep), value[keep]


def _limit(home: Ints, value: Floats, n_homes: int, size: int) -> Floats:
    """Return the value of each home's last place in its set (n_homes,), 0 where the list is shorter."""
    begin = starts(home, n_homes)
    full = np.diff(begin) >= size
    limit = np.zeros(n_homes)
    limit[full] = value[begin[:-1][full] + size - 1]
    return limit


def set_weights(home: Ints, value: Floats, n_homes: int, size: int | None) -> Floats:
    """Return the weight of each pair in its home's choice set: its value, a share of it on a tie, or 0.

    ``home`` is sorted and ``value`` > 0 falls within each home. The ``size`` best count; values that equal
    the last of these to within 1e-9 (relative) share the remaining slots. None counts all.

    >>> set_weights(np.array([0, 0, 0, 1]), np.array([4.0, 2.0, 2.0, 3.0]), 2, 2).tolist()
    [4.0, 1.0, 1.0, 3.0]
    """
    if size is None or not len(home):
        return value
    limit = _limit(home, value, n_homes, size)[home]
    above = value > limit * (1 + TIE)
    tied = ~above & (value >= limit * (1 - TIE))
    slots = size - np.bincount(home[above], minlength=n_homes)
    sharing = np.bincount(home[tied], minlength=n_homes)
    part = np.divide(slots, sharing, out=np.zeros(n_homes), where=sharing > 0)
    return np.where(above, value, np.where(tied, value * part[home], 0.0))


def choose(
    pairs: Pairs, value: Floats, shape: tuple[int, int], *, size: int | None, outside: float
) -> Choice:
    """Return the probability that a resident of each home chooses each place.

    pi_ij = s_ij / (nu + sum_l s_il) over the choice set, s = alpha f(t), nu = f(outside option). After Huff
    1963 (cited from memory), with an outside option. ``pairs`` sorted by home, ``value`` (s, falling within
    each home), ``shape`` (homes, places), ``outside`` nu.

    >>> pairs = Pairs(np.array([0, 0]), np.array([0, 1]), np.array([5.0, 10.0]))
    >>> chosen = choose(pairs, np.array([0.5, 0.25]), (1, 2), size=5, outside=1 / 8)
    >>> chosen.share.round(4).tolist(), chosen.goes.round(4).tolist()
    ([0.5714, 0.2857], [0.8571])
    """
    weight = set_weights(pairs.origin, value, shape[0], size)
    taken = weight > 0
    if not taken.all():
        pairs, weight = pairs.at(taken), weight[taken]
    home = pairs.origin
    total = np.bincount(home, weights=weight, minlength=shape[0]) + outside
    share = weight / total[home]
    matrix = sparse.csr_array((share, pairs.target, starts(home, shape[0])), shape=shape)
    goes = np.bincount(home, weights=share, minlength=shape[0]).astype(np.float64)
    return Choice(matrix, goes, home, pairs.target, share, pairs.minutes)


def nearest_shares(pairs: Pairs, n_homes: int) -> tuple[Pairs, Floats]:
    """Return each home's nearest places and the share of its visits to each: ties in minutes split equally.

    ``pairs`` sorted by home.

    >>> pairs = Pairs(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([5.0, 5.0, 9.0]))
    >>> nearest_shares(pairs, 1)[1].tolist()
    [0.5, 0.5]
    """
    near = pairs.at(at_nearest(pairs, nearest_minutes(pairs, n_homes)))
    number = np.bincount(near.origin, minlength=n_homes)
    return near, 1.0 / number[near.origin]


def nearest_minutes(pairs: Pairs, n_homes: int) -> Floats:
    """Return the least minutes of each home, infinity where it has no pair; ``pairs`` sorted by home."""
    begin = starts(pairs.origin, n_homes)
    has = np.diff(begin) > 0
    nearest = np.full(n_homes, np.inf)
    if has.any():
        nearest[has] = np.minimum.reduceat(pairs.minutes, begin[:-1][has])
    return nearest


def at_nearest(pairs: Pairs, nearest_min: Floats) -> np.ndarray:
    """Return which pairs lie at their home's nearest minutes, to within 1e-9."""
    limit = nearest_min[pairs.origin]
    return pairs.minutes <= limit + TIE * np.maximum(1.0, limit)
