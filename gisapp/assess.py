"""The whole chain in one call: from residents, places and walking times to an ``Assessment``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from gisapp.area import CountsStatus, Provenance
from gisapp.assessment import Assessment, Inputs
from gisapp.encode import encode_home_times, encode_homes, encode_places, encode_travel_times, environments
from gisapp.errors import raise_faults
from gisapp.frames import (
    home_times_faults,
    places_faults,
    residents_faults,
    table_faults,
    travel_times_faults,
)
from gisapp.params import Params, check_params, kind_faults
from gisapp.quality import Quality
from gisapp.result_findings import result_findings
from gisapp.scores.access import overall_access
from gisapp.scores.arrays import Floats, Homes, Pairs, Places
from gisapp.scores.combine import reach_reference
from gisapp.scores.decay import decay
from gisapp.scores.kind_pairs import KindPairs, split_kinds
from gisapp.scores.mixing import Town, describe_town
from gisapp.scores.run import HomeScores, KindScores, gather, kind_access, score_kinds
from gisapp.scores.settings import Settings, filled_in, reference_of, settle
from gisapp.scores.tables import (
    GroupAccess,
    city_table,
    equity_table,
    exposure_table,
    headline,
    home_table,
    inequality_table,
    place_table,
    pool,
)

# Times are kept this much beyond their limit, so that sensitivity can draw faster walkers: 30 -> 35, 10 ->
# 11.
KEEP_BEYOND = 7 / 6
WIDEST_ENVIRONMENT_MIN = 11.0

CARRIED = (
    "kind", "name", "core", "open_to", "capacity", "part_of", "supervised", "programme", "hosts",
    "open_evening", "language_practice", "buddy_point",
)  # fmt: skip


def assess_tables(
    residents: pd.DataFrame,
    places: pd.DataFrame,
    travel_times: pd.DataFrame,
    home_times: pd.DataFrame | None = None,
    params: Params = Params(),  # noqa: B008 (frozen)
    *,
    published: str | None = None,
) -> Assessment:
    """Score a town from tables alone: bring your own walking times, no geometry is needed.

    ``residents``: index ``home_id``; counts ``dimension:group``; optional ``total``, ``core``, ``zone_id``.
    ``places``: index ``place_id``; ``kind``; optional ``core``, ``open_to``, ``capacity``,
    ``attractiveness``, ``attractiveness:dimension:group``, ``part_of``. ``travel_times``: ``home_id``,
    ``place_id``, ``minutes``, optional ``profile``; an absent pair is unreachable, a pair given twice counts
    at its minimum. ``home_times``: ``from_id``, ``to_id``, ``minutes``, both directions; a home is always in
    its own environment. ``published`` names who published the counts; without it, exports are marked not for
    publication.

    Raises ``InputError`` with every fault of all tables in one message.

    Readings of the specification where it leaves a choice: environments count everybody, buffer included; a
    group absent from the core is left out of all compositions; a kind whose places are all for members or
    faith is outside the choice; walker profiles of groups change access by group, not choices.

    >>> homes = pd.DataFrame({"origin:here": [100, 0], "origin:elsewhere": [0, 100]}, index=["a", "b"])
    >>> square = pd.DataFrame({"kind": ["squares"]}, index=["s"])
    >>> times = pd.DataFrame({"home_id": ["a", "b"], "place_id": ["s", "s"], "minutes": [5.0, 5.0]})
    >>> result = assess_tables(homes, square, times)
    >>> result.places.loc["s", ["visitors", "mix:origin"]].round(9).tolist()
    [160.0, 1.0]
    >>> result.city.loc[result.city.kind == "all", "q"].round(9).tolist()
    [0.8]
    """
    given = {"residents": residents, "places": places, "travel_times": travel_times}
    raise_faults(table_faults(**given, **({} if home_times is None else {"home_times": home_times})))
    check_params(params)
    faults = residents_faults(residents) + places_faults(places, residents)
    faults += travel_times_faults(travel_times, residents.index, places.index)
    if home_times is not None:
        faults += home_times_faults(home_times, residents.index)
    raise_faults(faults or _params_faults(params, residents, places, travel_times))

    if not params.kinds:
        params = params.with_(kinds=tuple(sorted(set(places["kind"]))))
    homes = encode_homes(residents)
    place_arrays = encode_places(places, homes, params)
    by_profile = encode_travel_times(
        travel_times,
        homes.ids,
        place_arrays.ids,
        profile=params.profile,
        keep_min=params.horizon_min * KEEP_BEYOND,
    )
    home_pairs = None
    if home_times is not None:
        keep = max(params.environment_min, WIDEST_ENVIRONMENT_MIN)
        home_pairs = encode_home_times(home_times, homes.ids, keep_min=keep)
    pairs, n_kinds = by_profile[params.profile], len(params.kinds)
    scored = assess_core(
        homes,
        place_arrays,
        split_kinds(pairs, place_arrays, n_kinds),
        environments(homes, home_pairs, params.environment_min),
        params,
        carried=places[[c for c in CARRIED if c in places]],
        profiles={name: split_kinds(each, place_arrays, n_kinds) for name, each in by_profile.items()},
    )
    rounding = residents.attrs.get("rounding_step")
    return Assessment(
        **vars(scored),
        times=partial(times_table, pairs.within(params.horizon_min), homes.ids, place_arrays.ids),
        provenance=_provenance(residents, published),
        inputs=Inputs(
            homes, place_arrays, partial(split_kinds, pairs, place_arrays, n_kinds), home_pairs, rounding
        ),
    )


@dataclass(frozen=True)
class Scored:
    """The tables of an assessment, its filled-in parameters and what its scoring found: fields of ``Assessment``."""

    homes: pd.DataFrame
    places: pd.DataFrame
    city: pd.DataFrame
    exposure: pd.DataFrame
    equity: pd.DataFrame
    inequality: pd.DataFrame
    params: Params
    quality: Quality


def assess_core(
    homes: Homes,
    places: Places,
    splits: Iterable[KindPairs],
    environment: Floats,
    params: Params,
    *,
    carried: pd.DataFrame,
    profiles: Mapping[str, Iterable[KindPairs]] | None = None,
    quality: Quality = Quality(),  # noqa: B008 (frozen)
) -> Scored:
    """Score homes and places from arrays; ``params.kinds`` must be filled in.

    ``splits``: the pairs of each kind in turn; those beyond the horizon are ignored. ``environment`` (homes, group
    columns): residents within ``params.environment_min`` of each home, itself included. ``carried``: columns that
    stand in front of the places' scores. ``profiles``: pairs of other walker profiles, for the groups that
    ``params.group_profiles`` names.
    """
    settings = settle(params, homes, places)
    town = describe_town(homes, environment, reference_of(params, homes))
    kinds = score_kinds(splits, homes, places, town, params, settings)
    return tabulate(
        kinds, homes, places, town, params, settings, carried=carried, profiles=profiles, quality=quality
    )


def tabulate(
    kinds: Iterable[KindScores],
    homes: Homes,
    places: Places,
    town: Town,
    params: Params,
    settings: Settings,
    *,
    carried: pd.DataFrame,
    profiles: Mapping[str, Iterable[KindPairs]] | None = None,
    quality: Quality = Quality(),  # noqa: B008 (frozen)
) -> Scored:
    """Put the scores of all kinds, in their order, together into tables: see ``assess_core``."""
    scores, place_scores, sums = gather(kinds, len(places.kind), town, settings)
    reach_full = params.reach_full
    if reach_full is None:
        core_places = places.core & (places.kind >= 0)
        reach_full = reach_reference(place_scores.reach[core_places])
    params = filled_in(params, homes, town.reference, reach_full)
    flags = headline(scores, settings, town)
    pooled = pool(sums, town, settings)
    home_frame = home_table(scores, flags, homes, town, params, settings)
    own = GroupAccess(home_frame["access"].to_numpy(), _nearest(scores, len(homes.total)))
    wanted = {profile for _, profile in params.group_profiles} - {params.profile}
    by_profile = {
        name: profile_access(profiles[name], homes, places, params, settings)
        for name in sorted(wanted)
        if profiles is not None and name in profiles
    }
    equity = equity_table(own, by_profile, pooled, flags, town, params, settings)
    city = city_table(sums, pooled, scores, flags, homes, town, settings)
    return Scored(
        homes=home_frame,
        places=place_table(place_scores, carried, places, town, params, settings),
        city=city,
        exposure=exposure_table(sums, pooled, town, settings),
        equity=equity,
        inequality=inequality_table(own, equity, homes, town, settings),
        params=params,
        quality=result_findings(quality, homes, places, town, params, settings, scores, city),
    )


def profile_access(
    splits: Iterable[KindPairs], homes: Homes, places: Places, params: Params, settings: Settings
) -> GroupAccess:
    """Return access as walkers of one profile have it, from their own walking times."""
    n = len(homes.total)
    access, nearest = np.zeros((len(settings.kinds), n)), np.full((len(settings.kinds), n), np.nan)
    for each in splits:
        split = KindPairs(each.kind, each.members, each.pairs.within(params.horizon_min))
        weight = decay(split.pairs.minutes, params.decay_curve)
        raw, access[split.kind] = kind_access(
            split, weight, params.decay_curve, places, n, params, bool(settings.enough[split.kind])
        )
        nearest[split.kind] = raw.nth_min[0]
    return GroupAccess(overall_access(access, settings.weights), nearest)


def times_table(pairs: Pairs, homes: pd.Index, places: pd.Index) -> pd.DataFrame:
    """Return pairs as a table of ``home_id``, ``place_id`` (categories, to save room) and ``minutes``."""
    return pd.DataFrame(
        {
            "home_id": pd.Categorical.from_codes(pairs.origin, categories=homes),
            "place_id": pd.Categorical.from_codes(pairs.target, categories=places),
            "minutes": pairs.minutes,
        },
        copy=False,
    )


def _nearest(scores: HomeScores, n_homes: int) -> Floats:
    return np.array([raw.nth_min[0] for raw in scores.reach]).reshape(len(scores.reach), n_homes)


def _params_faults(
    params: Params, residents: pd.DataFrame, places: pd.DataFrame, travel_times: pd.DataFrame
) -> list[str]:
    faults = kind_faults(params, {*params.kinds, *places["kind"]}, all_known=False)
    sums: dict[str, float] = {}
    for key, share in params.reference:
        if key not in residents.columns or key.endswith(":unknown"):
            faults.append(f"params: reference names '{key}', which residents have no column for.")
        sums[key.split(":")[0]] = sums.get(key.split(":")[0], 0.0) + share
    for dimension, total in sums.items():
        if total and abs(total - 1) > 1e-6:
            faults.append(
                f"params: the reference shares of '{dimension}' add up to {total:g}; they must add up to 1."
            )
    given = set(travel_times["profile"].dropna()) if "profile" in travel_times else set()
    base = "profile" not in travel_times or travel_times["profile"].isna().any() or params.profile in given
    if len(travel_times) and not base:
        faults.append(
            f"travel_times: no row has profile '{params.profile}'; add its times or set Params(profile=...)."
        )
    for group, profile in params.group_profiles:
        if profile != params.profile and profile not in given:
            faults.append(
                f"params: group_profiles gives '{group}' profile '{profile}'; travel_times has no row of it."
            )
        if group not in residents.columns:
            faults.append(f"params: group_profiles names '{group}', which residents have no column for.")
    return faults


def _provenance(residents: pd.DataFrame, published: str | None) -> Provenance:
    """``protect`` leaves its mark in the table's ``attrs``; counts that nobody vouches for are exact."""
    if published:
        return Provenance(counts="published", counts_note=f"Counts published by {published}.")
    marked = residents.attrs.get("counts")
    status: CountsStatus = marked if marked in ("published", "protected", "invented") else "exact"
    note = "NOT FOR PUBLICATION: exact counts." if status == "exact" else ""
    return Provenance(counts=status, counts_note=str(residents.attrs.get("counts_note", note)))
