"""The pairs of one kind at a time, each home's nearest place first: the form in which every kind is scored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gisapp.scores.arrays import Ints, Pairs, Places, sort_within


@dataclass(frozen=True)
class KindPairs:
    """The pairs of one kind (position ``kind``): ``pairs.target`` counts within ``members``, the positions of
    its places in the table; sorted by home, then minutes.
    """

    kind: int
    members: Ints
    pairs: Pairs


def split_kinds(pairs: Pairs, places: Places, n_kinds: int) -> Iterator[KindPairs]:
    """Yield the pairs of each kind, one kind at a time, so that only one is held besides the table."""
    kind_of = places.kind[pairs.target]
    order = np.argsort(kind_of, kind="stable")
    # kinds that are not selected (-1) come first
    ends = np.cumsum(np.bincount(kind_of + 1, minlength=n_kinds + 1))
    local = np.zeros(len(places.kind), dtype=np.int32)
    for kind in range(n_kinds):
        members = np.flatnonzero(places.kind == kind)
        local[members] = np.arange(len(members))
        rows = order[ends[kind] : ends[kind + 1]]
        home, minutes = pairs.origin[rows], pairs.minutes[rows]
        nearest_first = sort_within(home, minutes)  # within homes, so the homes stay as they are
        target = local[pairs.target[rows]][nearest_first]
        yield KindPairs(kind, members, Pairs(home, target, minutes[nearest_first]))
