"""One run over all kinds: access and mixing of every home and place, as arrays."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gisapp.params import Decay, Params
from gisapp.scores.access import Reach, access_score, reach, room, whole_places
from gisapp.scores.arrays import Bools, Floats, Homes, Ints, Pairs, Places, sort_within
from gisapp.scores.city import Sums, no_visits, sum_visits
from gisapp.scores.combine import homes_with, is_mixed
from gisapp.scores.decay import decay
from gisapp.scores.mixing import SORTING, KindMixing, Town, mix_kind, place_mix
from gisapp.scores.settings import NEAR_MIN, Settings, users_of


@dataclass(frozen=True)
class KindPairs:
    """The pairs of one kind (position ``kind``): ``pairs.target`` counts within ``members``, the positions of
    its places in the table; sorted by home, then minutes.
    """

    kind: int
    members: Ints
    pairs: Pairs


@dataclass
class PlaceScores:
    """Place by place (J rows of the table): ``reach``, ``visitors``, ``room_to_sort``, ``crowding`` (J,),
    ``by_group`` (J, C), and for each run (R, J, D): ``known`` visitors, ``chance``, ``mix``, ``likeness``
    (F), ``inherited``, ``mixed`` (0/1). NaN where undefined or outside the choice.
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


def kind_access(
    split: KindPairs, weight: Floats, curve: Decay, places: Places, n_homes: int, params: Params, enough: bool
) -> tuple[Reach, Floats]:
    """Return the raw measures and the score of access to one kind: a place cut into parts counts once."""
    pairs, alpha = split.pairs, places.alpha[split.members]
    if places.has_parts:
        pairs = whole_places(pairs, places.whole[split.members], alpha)
        weight = decay(pairs.minutes, curve)
    ranks = max(3, len(params.choice_weights))
    raw = reach(pairs, n_homes, weight * alpha[pairs.target], cutoffs_min=params.cutoffs_min, ranks=ranks)
    near = np.where(np.isnan(raw.nth_min), 0.0, decay(np.nan_to_num(raw.nth_min), curve))
    return raw, access_score(near, (1.0,) if enough else params.choice_weights)


def score_kinds(
    splits: Iterable[KindPairs],
    homes: Homes,
    places: Places,
    town: Town,
    params: Params,
    settings: Settings,
    *,
    etas: tuple[float, ...] = SORTING,
) -> tuple[HomeScores, PlaceScores, list[Sums | None]]:
    """Return the scores of homes and places, and each kind's town sums (None for a kind outside the choice).

    Runs: eta = 0, then ``etas``. Times beyond the horizon count for nothing. The outside option's weight is
    that of its minutes, horizon or not.
    """
    curve, n_kinds = params.decay_curve, len(settings.kinds)
    n, (j, c, d) = len(homes.total), (len(places.kind), town.people.shape[1], len(town.dimensions))
    runs = 1 + len(etas)
    outside = float(decay(np.array([params.outside_min]), curve)[0])
    homes_out = HomeScores(
        reach=[], access=np.zeros((n_kinds, n)), goes=np.zeros((n_kinds, n)), room={},
        any_near=np.zeros((n_kinds, n), dtype=bool), mixed_near=np.zeros((runs, n_kinds, n, d), dtype=bool),
        q=np.zeros((n, d)), meets=np.zeros((n, c)), meets_base=np.zeros((n, c)),
    )  # fmt: skip
    places_out = _blank_places(j, c, d, runs)
    sums: list[Sums | None] = []
    for split in splits:
        kind, members = split.kind, split.members
        pairs = split.pairs.within(params.horizon_min)
        split = KindPairs(kind, members, pairs)
        weight = decay(pairs.minutes, curve)
        raw, homes_out.access[kind] = kind_access(
            split, weight, curve, places, n, params, bool(settings.enough[kind])
        )
        homes_out.reach.append(raw)
        places_out.reach[members] = np.bincount(
            pairs.target, weights=homes.total[pairs.origin] * weight, minlength=len(members)
        )
        if not settings.chosen[kind]:
            sums.append(None)
            continue
        if not len(members):
            sums.append(no_visits(town, len(etas)))
            continue
        open_places = places.mixes[members]
        if not open_places.all():
            keep = open_places[pairs.target]
            pairs, weight = pairs.at(keep), weight[keep]
        mixing = mix_kind(
            pairs, weight, places.alpha[members],
            {column: values[members] for column, values in places.alpha_group.items()
             if (values[members] != places.alpha[members]).any()},
            town, size=params.choice_set, outside=outside, etas=etas,
        )  # fmt: skip
        sums.append(sum_visits(mixing, town))
        _record_homes(homes_out, kind, mixing, town, settings)
        _record_places(places_out, members, open_places, mixing, town, params, settings.mixes[kind])
        near = pairs.within(NEAR_MIN)
        homes_out.any_near[kind] = homes_with(near, open_places, n)
        for run, dimension in np.ndindex(runs, d):
            mixed = places_out.mixed[run, members, dimension] == 1
            homes_out.mixed_near[run, kind, :, dimension] = homes_with(near, mixed, n)
        capacity = places.capacity[members]
        if np.isfinite(capacity).any():
            users = users_of(settings, kind, homes)
            homes_out.room[kind], _, crowding = room(mixing.choice.probability, users, capacity)
            places_out.crowding[members[open_places]] = crowding[open_places]
    return homes_out, places_out, sums


def _record_homes(out: HomeScores, kind: int, mixing: KindMixing, town: Town, settings: Settings) -> None:
    out.goes[kind] = mixing.choice.goes
    share = np.where(settings.mixes[kind], np.nan_to_num(settings.pooled[kind]), 0.0)
    wide = share[town.column_dimension]
    out.q += share * mixing.q
    out.meets += wide * mixing.meets
    out.meets_base += wide * mixing.meets_base


def _record_places(
    out: PlaceScores, members: Ints, open_places: Bools, mixing: KindMixing, town: Town, params: Params, mixes: Bools
) -> None:  # fmt: skip
    shown = members[open_places]
    out.visitors[shown] = mixing.visitors[open_places]
    out.room_to_sort[shown] = mixing.room_to_sort[open_places]
    by_group = np.where(mixes[town.column_dimension], mixing.runs[0].all, np.nan)
    out.by_group[shown] = by_group[open_places]
    undefined = np.where(mixes & (town.reference_diversity > 0), 0.0, np.nan)
    for run, visits in enumerate(mixing.runs):
        chance, mix, likeness, inherited = place_mix(visits, town)
        known = town.by_dimension(visits.all * town.present)
        mixed = is_mixed(mix, likeness, known, params.mixed_at)
        found = {
            "chance": chance,
            "mix": mix,
            "likeness": likeness,
            "inherited": inherited,
            "known": known,
            "mixed": mixed,
        }
        for name, values in found.items():
            getattr(out, name)[run, shown] = (values + undefined)[open_places]


def _blank_places(rows: int, columns: int, dimensions: int, runs: int) -> PlaceScores:
    def blank(*shape: int) -> Floats:
        return np.full(shape, np.nan)

    flat = {name: blank(rows) for name in ("reach", "visitors", "room_to_sort", "crowding")}
    by_run = {
        name: blank(runs, rows, dimensions)
        for name in ("known", "chance", "mix", "likeness", "inherited", "mixed")
    }
    return PlaceScores(**flat, by_group=blank(rows, columns), **by_run)
