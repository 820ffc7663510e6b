"""The scores of one kind at a time, and of all kinds together, as arrays."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gisapp.params import Decay, Params
from gisapp.scores.access import Reach, access_score, once_a_place, reach, room
from gisapp.scores.arrays import Bools, Floats, Homes, Ints, Places
from gisapp.scores.city import Sums, no_visits, sum_visits
from gisapp.scores.combine import homes_with, is_mixed
from gisapp.scores.decay import decay
from gisapp.scores.kind_pairs import KindPairs
from gisapp.scores.mixing import SORTING, KindMixing, Town, mix_kind, place_mix
from gisapp.scores.settings import NEAR_MIN, Settings, users_of

BY_PLACE = ("reach", "visitors", "room_to_sort", "crowding")
BY_RUN = ("known", "chance", "mix", "likeness", "inherited", "mixed")


@dataclass(frozen=True)
class PlaceScores:
    """Place by place (J rows): ``reach``, ``visitors``, ``room_to_sort``, ``crowding`` (J,), ``by_group`` (J, C),
    and for each run (R, J, D): ``known`` visitors, ``chance``, ``mix``, ``likeness`` (F), ``inherited``, ``mixed``
    (0/1). NaN where undefined or outside the choice.
    """

    reach: Floats
    visitors: Floats
    room_to_sort: Floats
    crowding: Floats
    by_group: Floats
    known: Floats
    chance: Floats
    mix: Floats
    likeness: Floats
    inherited: Floats
    mixed: Floats


@dataclass(frozen=True)
class KindScores:
    """What one kind (position ``kind``) gives: to its places (``members``, positions in the table), and to homes.

    By home: ``reach``, ``access``, ``any_near`` (n,) and ``mixed_near`` (R, n, D) whether such a place is within 10
    minutes. None for a kind outside the choice: ``sums``, ``goes`` (n,), ``q`` (n, D), ``meets`` and ``meets_base``
    (n, C); ``room`` (n,) is None where no capacity is known. Weights of kinds do not enter.
    """

    kind: int
    members: Ints
    places: PlaceScores
    reach: Reach
    access: Floats
    any_near: Bools
    mixed_near: Bools
    sums: Sums | None = None
    goes: Floats | None = None
    q: Floats | None = None
    meets: Floats | None = None
    meets_base: Floats | None = None
    room: Floats | None = None


@dataclass
class HomeScores:
    """Home by home: ``reach`` and ``access`` of each kind, ``goes`` (K, n), ``room`` (K -> (n,)),
    ``any_near`` (K, n) and ``mixed_near`` (R, K, n, D) whether such a place is within 10 minutes; pooled over
    kinds by weight: ``q`` (n, D), ``meets`` and ``meets_base`` (n, C).
    """

    reach: list[Reach]
    access: Floats
    goes: Floats
    room: dict[int, Floats]
    any_near: Bools
    mixed_near: Bools
    q: Floats
    meets: Floats
    meets_base: Floats


def kind_access(
    split: KindPairs, weight: Floats, curve: Decay, places: Places, n_homes: int, params: Params, enough: bool
) -> tuple[Reach, Floats]:
    """Return the raw measures and the score of access to one kind: a place cut into parts counts once."""
    pairs, alpha = split.pairs, places.alpha[split.members]
    if places.has_parts:
        once = once_a_place(pairs, places.whole[split.members], alpha)
        pairs, weight = pairs.at(once), weight[once]
    ranks = max(3, len(params.choice_weights))
    if (alpha != 1).any():
        weight = weight * alpha[pairs.target]
    raw = reach(pairs, n_homes, weight, cutoffs_min=params.cutoffs_min, ranks=ranks)
    near = np.where(np.isnan(raw.nth_min), 0.0, decay(np.nan_to_num(raw.nth_min), curve))
    return raw, access_score(near, (1.0,) if enough else params.choice_weights)


def score_kind(
    split: KindPairs,
    homes: Homes,
    places: Places,
    town: Town,
    params: Params,
    settings: Settings,
    *,
    etas: tuple[float, ...] = SORTING,
) -> KindScores:
    """Return the scores of one kind.

    Runs: eta = 0, then ``etas``. Times beyond the horizon count for nothing. The outside option's weight is
    that of its minutes, horizon or not.
    """
    curve, n = params.decay_curve, len(homes.total)
    kind, members = split.kind, split.members
    pairs = split.pairs.within(params.horizon_min)
    weight = decay(pairs.minutes, curve)
    raw, access = kind_access(
        KindPairs(kind, members, pairs), weight, curve, places, n, params, bool(settings.enough[kind])
    )
    found = _blank_places(len(members), town, runs=1 + len(etas))
    found.reach[:] = np.bincount(
        pairs.target, weights=homes.total[pairs.origin] * weight, minlength=len(members)
    )
    any_near = np.zeros(n, dtype=bool)
    mixed_near = np.zeros((1 + len(etas), n, len(town.dimensions)), dtype=bool)
    if not settings.chosen[kind]:
        return KindScores(kind, members, found, raw, access, any_near, mixed_near)
    if not len(members):
        sums = no_visits(town, len(etas))
        return KindScores(kind, members, found, raw, access, any_near, mixed_near, sums)
    open_places = places.mixes[members]
    if not open_places.all():
        keep = open_places[pairs.target]
        pairs, weight = pairs.at(keep), weight[keep]
    mixing = mix_kind(
        pairs, weight, places.alpha[members],
        {column: values[members] for column, values in places.alpha_group.items()
         if (values[members] != places.alpha[members]).any()},
        town, size=params.choice_set, outside=float(decay(np.array([params.outside_min]), curve)[0]), etas=etas,
    )  # fmt: skip
    _record_places(found, open_places, mixing, town, params, settings.mixes[kind])
    near = pairs.within(NEAR_MIN)
    any_near = homes_with(near, open_places, n)
    for run, dimension in np.ndindex(1 + len(etas), len(town.dimensions)):
        mixed_near[run, :, dimension] = homes_with(near, found.mixed[run, :, dimension] == 1, n)
    capacity, each = places.capacity[members], None
    if np.isfinite(capacity).any():
        each, _, crowding = room(mixing.choice.probability, users_of(settings, kind, homes), capacity)
        found.crowding[open_places] = crowding[open_places]
    return KindScores(
        kind, members, found, raw, access, any_near, mixed_near, sum_visits(mixing, town),
        mixing.choice.goes, mixing.q, mixing.meets, mixing.meets_base, each,
    )  # fmt: skip


def score_kinds(
    splits: Iterable[KindPairs], homes: Homes, places: Places, town: Town, params: Params, settings: Settings,
    *, etas: tuple[float, ...] = SORTING,
) -> Iterator[KindScores]:  # fmt: skip
    """Score kind after kind; ``gather`` puts them together."""
    for split in splits:
        yield score_kind(split, homes, places, town, params, settings, etas=etas)


def gather(
    kinds: Iterable[KindScores], n_places: int, town: Town, settings: Settings, *, etas: int = len(SORTING)
) -> tuple[HomeScores, PlaceScores, list[Sums | None]]:
    """Return the scores of homes and places, and each kind's town sums (None for a kind outside the choice)."""
    n_kinds, n = len(settings.kinds), len(town.total)
    c, d = town.people.shape[1], len(town.dimensions)
    homes = HomeScores(
        reach=[], access=np.zeros((n_kinds, n)), goes=np.zeros((n_kinds, n)), room={},
        any_near=np.zeros((n_kinds, n), dtype=bool),
        mixed_near=np.zeros((1 + etas, n_kinds, n, d), dtype=bool),
        q=np.zeros((n, d)), meets=np.zeros((n, c)), meets_base=np.zeros((n, c)),
    )  # fmt: skip
    places = _blank_places(n_places, town, runs=1 + etas)
    sums: list[Sums | None] = []
    pooled = np.where(settings.mixes, np.nan_to_num(settings.pooled), 0.0)
    for each in kinds:
        kind = each.kind
        homes.reach.append(each.reach)
        homes.access[kind] = each.access
        homes.any_near[kind] = each.any_near
        homes.mixed_near[:, kind] = each.mixed_near
        sums.append(each.sums)
        for name in (*BY_PLACE, "by_group"):
            getattr(places, name)[each.members] = getattr(each.places, name)
        for name in BY_RUN:
            getattr(places, name)[:, each.members] = getattr(each.places, name)
        if each.goes is not None:
            homes.goes[kind] = each.goes
            wide = pooled[kind][town.column_dimension]
            homes.q += pooled[kind] * each.q
            homes.meets += wide * each.meets
            homes.meets_base += wide * each.meets_base
        if each.room is not None:
            homes.room[kind] = each.room
    return homes, places, sums


def _record_places(
    out: PlaceScores, open_places: Bools, mixing: KindMixing, town: Town, params: Params, mixes: Bools
) -> None:
    out.visitors[open_places] = mixing.visitors[open_places]
    out.room_to_sort[open_places] = mixing.room_to_sort[open_places]
    by_group = np.where(mixes[town.column_dimension], mixing.runs[0].all, np.nan)
    out.by_group[open_places] = by_group[open_places]
    undefined = np.where(mixes & (town.reference_diversity > 0), 0.0, np.nan)
    for run, visits in enumerate(mixing.runs):
        chance, mix, likeness, inherited = place_mix(visits, town)
        known = town.by_dimension(visits.all * town.present)
        mixed = is_mixed(mix, likeness, known, params.mixed_at)
        for name, values in zip(BY_RUN, (known, chance, mix, likeness, inherited, mixed), strict=True):
            getattr(out, name)[run, open_places] = (values + undefined)[open_places]


def _blank_places(rows: int, town: Town, *, runs: int) -> PlaceScores:
    def blank(*shape: int) -> Floats:
        return np.full(shape, np.nan)

    return PlaceScores(
        **{name: blank(rows) for name in BY_PLACE},
        by_group=blank(rows, town.people.shape[1]),
        **{name: blank(runs, rows, len(town.dimensions)) for name in BY_RUN},
    )
