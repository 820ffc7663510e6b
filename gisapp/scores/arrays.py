"""The arrays that every score is computed from, and the few reductions over runs of equal homes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[Any]
Bools = NDArray[np.bool_]

# Values that differ by less than this share are equal: summing order moves the last digits.
TIE = 1e-9


@dataclass(frozen=True)
class Dimension:
    """One partition of the residents: its known groups, and their columns in ``Homes.counts``."""

    name: str
    groups: tuple[str, ...]
    columns: slice


@dataclass(frozen=True)
class Homes:
    """Homes as arrays: ``total`` (n,), ``core`` (n,), ``counts`` (n, C; known groups of all dimensions side
    by side), ``zone`` (n,), the code of the supplied zone (a home without one is its own zone).
    """

    ids: pd.Index
    total: Floats
    core: Bools
    counts: Floats
    dimensions: tuple[Dimension, ...]
    zone: Ints

    @property
    def columns(self) -> tuple[str, ...]:
        """``dimension:group`` of each column of ``counts``."""
        return tuple(f"{d.name}:{group}" for d in self.dimensions for group in d.groups)


@dataclass(frozen=True)
class Places:
    """Places as arrays over all rows of the table.

    ``kind``: position in ``kinds``, -1 where the kind is not selected. ``mixes``: takes part in the choice.
    ``alpha_group``: column of ``Homes.counts`` -> attractiveness for that group, filled with ``alpha`` where
    blank. ``whole``: the same code for all parts of one place.
    """

    ids: pd.Index
    kind: Ints
    core: Bools
    mixes: Bools
    alpha: Floats
    capacity: Floats
    whole: Ints
    alpha_group: Mapping[int, Floats] = field(default_factory=dict)

    @property
    def has_parts(self) -> bool:
        """Whether any place is cut into parts."""
        return bool(len(self.whole)) and int(self.whole.max()) + 1 < len(self.whole)


@dataclass(frozen=True)
class Pairs:
    """Walking minutes from ``origin`` (a home's position) to ``target`` (a place's, or a home's).

    Sorted by origin, no pair twice; positions int32, minutes float64. Pairs beyond the horizon may be kept
    for ``sensitivity``: every score cuts at its own horizon.
    """

    origin: Ints
    target: Ints
    minutes: Floats

    def within(self, limit_min: float) -> "Pairs":
        """Return the pairs of at most ``limit_min`` minutes; itself if there are no others."""
        keep = self.minutes <= limit_min
        return self if keep.all() else self.at(keep)

    def at(self, rows: Ints | Bools) -> "Pairs":
        """Return the pairs at these rows, in their order."""
        return Pairs(self.origin[rows], self.target[rows], self.minutes[rows])


def make_pairs(origin: Ints, target: Ints, minutes: Floats, n_targets: int) -> Pairs:
    """Sort pairs by origin and target, and keep the least minutes of pairs that occur twice.

    >>> make_pairs(np.array([1, 0, 1]), np.array([0, 1, 0]), np.array([5.0, 2.0, 4.0]), 2)
    Pairs(origin=array([0, 1], dtype=int32), target=array([1, 0], dtype=int32), minutes=array([2., 4.]))
    """
    origin, target = origin.astype(np.int32, copy=False), target.astype(np.int32, copy=False)
    key = origin.astype(np.int64) * max(n_targets, 1) + target
    step = np.diff(key)
    if (step > 0).all():
        return Pairs(origin, target, minutes)
    if (step < 0).any():
        order = np.argsort(key, kind="stable")
        key, origin, target, minutes = key[order], origin[order], target[order], minutes[order]
    first = np.flatnonzero(np.append(True, np.diff(key) > 0))
    if len(first) == len(key):
        return Pairs(origin, target, minutes)
    return Pairs(origin[first], target[first], np.minimum.reduceat(minutes, first))


def sort_within(home: Ints, value: Floats) -> Ints:
    """Return the order that sorts ``value`` upwards within each home; ``home`` is sorted already.

    Equal values keep their order. One pass over packed keys (24 bits of home, 40 bits of value, steps of 6e-11 for
    values below 64) is three times as fast as two; where a run is not in order after it, or values do not fit, two
    passes follow.

    >>> sort_within(np.array([0, 0, 3]), np.array([2.0, 1.0, 0.5])).tolist()
    [1, 0, 2]
    """
    if len(home) and int(home[-1]) < 2**24 and value.min() >= 0 and value.max() < 64:
        key = home.astype(np.uint64)
        key <<= np.uint64(40)
        key |= (value * 2.0**34).astype(np.uint64)
        order = np.argsort(key)
        run = value[order]
        same_home = home[1:] == home[:-1]
        if not ((run[1:] < run[:-1]) & same_home).any():
            return _ties_in_order(order, (run[1:] == run[:-1]) & same_home)
    return np.lexsort((value, home))


def _ties_in_order(order: Ints, tied: Bools) -> Ints:
    """Sort ``order`` upwards within runs of ties; ``tied``: whether each entry ties with the one before."""
    again = np.flatnonzero(tied)
    if len(again):
        rows = np.unique(np.concatenate([again, again + 1]))
        run = np.cumsum(np.append(True, ~tied))[rows]
        order[rows] = order[rows][np.lexsort((order[rows], run))]
    return order


def starts(home: Ints, n_homes: int) -> Ints:
    """Return where each home's run begins in the sorted ``home``, and the total at the end: (n_homes + 1,).

    >>> starts(np.array([0, 0, 2]), 3).tolist()
    [0, 2, 2, 3]
    """
    return np.searchsorted(home, np.arange(n_homes + 1, dtype=home.dtype))


def run_sums(values: Floats | Bools, begin: Ints) -> Floats:
    """Sum ``values`` over the runs that start at ``begin`` (as of ``starts``): one number a home, 0 for no value.

    >>> run_sums(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 2, 3])).tolist()
    [3.0, 0.0, 4.0]
    """
    out = np.zeros(len(begin) - 1)
    some = begin[1:] > begin[:-1]
    if some.any():
        out[some] = np.add.reduceat(values, begin[:-1][some], dtype=np.float64)
    return out


def sum_groups(values: Floats, dimensions: Sequence[Dimension]) -> Floats:
    """Sum the last axis (columns of groups) over the groups of each dimension: (..., C) -> (..., D).

    >>> two = (Dimension("age", ("young", "old"), slice(0, 2)), Dimension("sex", ("f",), slice(2, 3)))
    >>> sum_groups(np.array([1.0, 2.0, 4.0]), two).tolist()
    [3.0, 4.0]
    """
    if not dimensions:
        return np.zeros((*values.shape[:-1], 0))
    return np.asarray(np.add.reduceat(values, [d.columns.start for d in dimensions], axis=-1))


def ratio(numerator: Any, denominator: Any) -> Floats:
    """Divide, and give NaN where the denominator is 0: undefined is not zero.

    >>> ratio([1.0, 0.0], [4.0, 0.0]).tolist()
    [0.25, nan]
    """
    top, bottom = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    out: Floats = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return out
