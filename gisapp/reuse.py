"""What of an earlier assessment still holds after a change: only what cannot have moved is taken over.

A change of one place touches the pairs of its kind and no others; a change of streets touches everything. Whatever is
taken over was computed from the same inputs by the same functions, so that a result is the same to the bit whether it
was computed afresh or since an earlier one.
"""

from dataclasses import dataclass, replace

import numpy as np

from gisapp.area import StudyArea
from gisapp.network.entries import Entries
from gisapp.network.routing import Routing, entries_of, linked
from gisapp.params import Params
from gisapp.scores.arrays import Floats, Homes, Ints, Places
from gisapp.scores.mixing import Town
from gisapp.scores.run import KindScores
from gisapp.scores.settings import Settings

# What of Params a kind's scores depend on, besides its place in ``Settings``.
_OF_KINDS = (
    "decay_curve", "horizon_min", "outside_min", "choice_set", "choice_weights", "cutoffs_min", "mixed_at",
)  # fmt: skip
_OF_NETWORK = ("profile", "speed_ms", "snap_limit_m")
_OF_ENTRIES = ("kind", "tags")


@dataclass(frozen=True)
class Kept:
    """All that an assessment was made of and made on its way; nothing here is written to a file."""

    area: StudyArea
    routing: Routing
    homes: Homes
    places: Places
    town: Town
    params: Params
    settings: Settings
    reference: Floats | None
    kinds: tuple[KindScores, ...]


def known_homes(before: Kept | None, area: StudyArea) -> Homes | None:
    """Return the residents as arrays if the area's residents are the earlier ones."""
    return before.homes if before is not None and area.residents is before.area.residents else None


def known_routing(before: Kept | None, area: StudyArea, params: Params) -> Routing | None:
    """Return the earlier network with its homes, and entries found only of places that are new or were changed."""
    if (
        before is None
        or area.streets is not before.area.streets
        or area.residents is not before.area.residents
        or area.entrances is not before.area.entrances
        or area.kinds != before.area.kinds
        or not _equal(params, before.params, _OF_NETWORK)
    ):
        return None
    old, new = before.area.places, area.places
    at = old.index.get_indexer(new.index)
    same = at >= 0
    same[same] = new.geometry.to_numpy()[same] == old.geometry.to_numpy()[at[same]]
    known = at >= 0
    for column in _OF_ENTRIES:
        if column in new:
            now = new[column].fillna("").to_numpy(object)
            was = np.full(len(new), "", object)
            if column in old:
                was[known] = old[column].fillna("").to_numpy(object)[at[known]]
            same &= now == was
    fresh = np.flatnonzero(~same)
    then = before.routing.unlinked or before.routing
    found = entries_of(then.network, then.homes, area, new.iloc[fresh], params)
    entries = _merged(then.entries, at, np.flatnonzero(same), found, fresh)
    return linked(then.with_entries(entries, len(new)), area, params)


def _merged(old: Entries, at: Ints, same: Ints, found: Entries, fresh: Ints) -> Entries:
    """Put the old entries of the places ``same`` and the ``found`` ones of ``fresh`` together, by place.

    ``at``: position of each place among the old ones.
    """
    position = np.full(max(int(at.max(initial=-1)), int(old.place.max(initial=-1))) + 1, -1)
    position[at[same]] = same
    rows = np.flatnonzero(position[old.place] >= 0) if len(old.place) else np.zeros(0, np.int64)
    place = np.concatenate([position[old.place[rows]], fresh[found.place]])
    order = np.argsort(place, kind="stable")
    return Entries(
        place[order],
        *(
            np.concatenate([getattr(old, name)[rows], getattr(found, name)])[order]
            for name in ("edge", "offset_mm", "access_mm")
        ),
    )


def known_town(
    before: Kept | None, routing: Routing, params: Params, reference: Floats | None
) -> Town | None:
    """Return the earlier description of the residents if they, their streets and the reference are the same."""
    if before is None or routing.network is not before.routing.network:
        return None
    if params.environment_min != before.params.environment_min:
        return None
    then = before.town.reference if before.reference is None else before.reference
    if reference is None:
        return before.town if before.reference is None else None
    return before.town if np.array_equal(reference, then, equal_nan=True) else None


def known_kind(
    before: Kept | None, kind: int, routing: Routing, town: Town, places: Places, params: Params, settings: Settings
) -> KindScores | None:  # fmt: skip
    """Return the earlier scores of one kind if its places, their entries and its settings are the same."""
    if before is None or town is not before.town or settings.kinds != before.settings.kinds:
        return None
    if routing.network is not before.routing.network or not _equal(params, before.params, _OF_KINDS):
        return None
    now, then = settings, before.settings
    if (
        now.enough[kind] != then.enough[kind]
        or now.chosen[kind] != then.chosen[kind]
        or now.users[kind] != then.users[kind]
        or not np.array_equal(now.mixes[kind], then.mixes[kind])
    ):
        return None
    members, old = np.flatnonzero(places.kind == kind), np.flatnonzero(before.places.kind == kind)
    if not _same_places(places, members, before.places, old):
        return None
    if not _same_entries(routing.entries.of(members, routing.n_places),
                         before.routing.entries.of(old, before.routing.n_places)):  # fmt: skip
        return None
    return replace(before.kinds[kind], members=members)


def _same_places(now: Places, members: Ints, then: Places, old: Ints) -> bool:
    if len(members) != len(old) or not now.ids[members].equals(then.ids[old]):
        return False
    if now.has_parts != then.has_parts or now.alpha_group.keys() != then.alpha_group.keys():
        return False
    parts, were = (np.unique(each, return_inverse=True)[1] for each in (now.whole[members], then.whole[old]))
    columns = [(now.alpha, then.alpha), (now.capacity, then.capacity), (now.mixes, then.mixes)]
    columns += [(now.alpha_group[c], then.alpha_group[c]) for c in now.alpha_group]
    return np.array_equal(parts, were) and all(
        np.array_equal(a[members].astype(float), b[old].astype(float), equal_nan=True) for a, b in columns
    )


def _same_entries(now: Entries, then: Entries) -> bool:
    return all(np.array_equal(getattr(now, name), getattr(then, name)) for name in vars(now))


def _equal(now: Params, then: Params, names: tuple[str, ...]) -> bool:
    return all(getattr(now, name) == getattr(then, name) for name in names)
