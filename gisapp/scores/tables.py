"""The tables of an assessment, from the arrays of a run: names, order and nulls as the contract has them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gisapp.params import Params
from gisapp.scores.access import overall_access, weakest_kinds
from gisapp.scores.arrays import Bools, Floats, Homes, Places, ratio
from gisapp.scores.city import Sums, home_figures, sorted_figures, town_figures
from gisapp.scores.combine import meeting_score
from gisapp.scores.equity import gap, gini, group_means
from gisapp.scores.mixing import Town
from gisapp.scores.run import HomeScores, PlaceScores
from gisapp.scores.settings import NEAR_MIN, Settings

CITY_COLUMNS = (
    "q", "participation", "visit_diversity", "islands_places", "islands_home_visits",
    "islands_places_nearest", "islands_home_visits_nearest", "islands_home", "islands_home_floor",
    "islands_day", "q_sorted_half", "q_sorted", "islands_places_sorted_half", "islands_places_sorted",
    "mixed_place_10min", "mixed_place_10min_sorted",
    "any_place_10min", "mean_visit_min", "share_nearest", "bridging_index_nearest", "unreached", "h_home",
    "h_home_floor", "h_units", "h_units_floor", "h_places",
)  # fmt: skip

AT_ONE = 2  # position of the run with eta = 1: after eta = 0 and 0.5


@dataclass(frozen=True)
class Headline:
    """Whether each home has such a place within 10 minutes, over the kinds that mix in each dimension (n, D):
    a mixed one, one that stays mixed at eta = 1, any; NaN where undefined."""

    mixed: Floats
    sorted: Floats
    any: Floats


def headline(scores: HomeScores, settings: Settings, town: Town) -> Headline:
    """Return the headline flags of each home."""
    none = np.where(settings.mixes.any(axis=0), 0.0, np.nan)
    compares = np.where(town.reference_diversity > 0, 0.0, np.nan)
    mixed, at_one = scores.mixed_near[0], scores.mixed_near[AT_ONE]
    any_near = (scores.any_near[:, :, None] & settings.mixes[:, None, :]).any(axis=0).astype(float)
    return Headline(
        mixed.any(axis=0) + none + compares, at_one.any(axis=0) + none + compares, any_near + none
    )


def home_table(
    scores: HomeScores, flags: Headline, homes: Homes, town: Town, params: Params, settings: Settings
) -> pd.DataFrame:
    """Return ``Assessment.homes``."""
    out: dict[str, object] = {}
    for at, kind in enumerate(settings.kinds):
        raw = scores.reach[at]
        out[f"nearest_min:{kind}"] = raw.nth_min[0]
        out[f"third_nearest_min:{kind}"] = raw.nth_min[2]
        for cutoff, counts in zip(params.cutoffs_min, raw.counts, strict=True):
            out[f"count:{kind}:{cutoff:g}"] = counts.astype(np.int64)
        out[f"gravity:{kind}"] = raw.gravity
        out[f"access:{kind}"] = scores.access[at]
        out[f"within_norm:{kind}"] = (raw.nth_min[0] <= settings.norm_min[at]).astype(np.int64)
        if at in scores.room:
            out[f"room:{kind}"] = scores.room[at]
    out["access"] = overall_access(scores.access, settings.weights)
    out["weakest_kind"] = weakest_kinds(scores.access, settings.kinds, settings.weights)
    out["participation"] = participation(scores, settings)
    outside = np.where(homes.core, 0.0, np.nan)
    known = town.by_dimension(town.people)
    around = town.by_dimension(town.environment)
    for at, dimension in enumerate(town.dimensions):
        compares = 0.0 if town.reference_diversity[at] > 0 else np.nan
        mixing = 0.0 if settings.mixes[:, at].any() else np.nan
        name = dimension.name
        lived = np.where(around[:, at] > 0, compares, np.nan)
        out[f"environment_diversity:{name}"] = town.diversity_at_home[:, at] + lived
        out[f"q:{name}"] = ratio(scores.q[:, at], known[:, at]) + outside + compares + mixing
        for column, group in zip(
            range(dimension.columns.start, dimension.columns.stop), dimension.groups, strict=True
        ):
            here = compares if town.present[column] else np.nan
            meets = ratio(scores.meets[:, column], scores.meets_base[:, column])
            out[f"meets_others:{name}:{group}"] = meets + outside + here
            out[f"meets_others_at_home:{name}:{group}"] = 1.0 - town.shares_at_home[:, column] + lived + here
        out[f"mixed_place_10min:{name}"] = flags.mixed[:, at]
        out[f"mixed_place_10min_sorted:{name}"] = flags.sorted[:, at]
    return pd.DataFrame(out, index=homes.ids)


def participation(scores: HomeScores, settings: Settings) -> Floats:
    """Return each home's probability to go, pooled over the kinds of the choice by weight; group-free."""
    weights = settings.weights * settings.chosen
    total = weights.sum()
    return (weights / total) @ scores.goes if total > 0 else np.full(scores.goes.shape[1], np.nan)


def place_table(
    scores: PlaceScores, carried: pd.DataFrame, places: Places, town: Town, params: Params, settings: Settings
) -> pd.DataFrame:
    """Return ``Assessment.places``: the ``carried`` columns, then the scores; ``params.reach_full`` is filled
    in.
    """
    out: dict[str, object] = {
        "reach": scores.reach,
        "visitors": scores.visitors,
        "room_to_sort": scores.room_to_sort,
        "crowding": scores.crowding,
    }
    columns = [f"{d.name}:{group}" for d in town.dimensions for group in d.groups]
    mixing = np.zeros((len(places.kind), len(town.dimensions)), dtype=bool)
    if len(settings.kinds):
        mixing[places.mixes] = settings.mixes[places.kind[places.mixes]]
    full = float(params.reach_full or 0.0)
    for at, dimension in enumerate(town.dimensions):
        for column in range(dimension.columns.start, dimension.columns.stop):
            out[f"visitors:{columns[column]}"] = scores.by_group[:, column]
        defined = np.where(mixing[:, at] & (town.reference_diversity[at] > 0), 0.0, np.nan)
        mix, likeness, inherited = scores.mix[:, :, at], scores.likeness[:, :, at], scores.inherited[:, :, at]
        name = dimension.name
        out[f"chance:{name}"] = scores.chance[0, :, at]
        out[f"mix:{name}"] = mix[0]
        out[f"representativeness:{name}"] = likeness[0]
        out[f"inherited:{name}"] = inherited[0]
        out[f"bridging:{name}"] = mix[0] - inherited[0]
        out[f"meeting_score:{name}"] = meeting_score(scores.reach, full, mix[0], likeness[0]) + defined
        out[f"mixed:{name}"] = scores.mixed[0, :, at]
        out[f"mix_sorted_half:{name}"] = mix[1]
        out[f"mix_sorted:{name}"] = mix[2]
        out[f"representativeness_sorted:{name}"] = likeness[2]
        out[f"bridging_sorted:{name}"] = mix[2] - inherited[2]
        out[f"meeting_score_sorted:{name}"] = meeting_score(scores.reach, full, mix[2], likeness[2]) + defined
        out[f"mixed_sorted:{name}"] = scores.mixed[2, :, at]
    return pd.concat([carried.set_axis(places.ids), pd.DataFrame(out, index=places.ids)], axis=1)


def pool(sums: Sequence[Sums | None], town: Town, settings: Settings) -> Sums | None:
    """Return the sums over kinds, weighted in each dimension over the kinds that mix there, or None."""
    pooled: Sums | None = None
    for each, weight, mixes in zip(sums, settings.pooled, settings.mixes, strict=True):
        if each is not None and mixes.any():
            part = each.weighted(weight, town)
            pooled = part if pooled is None else pooled.plus(part)
    return pooled


def city_table(
    sums: Sequence[Sums | None], pooled: Sums | None, scores: HomeScores, flags: Headline, homes: Homes,
    town: Town, settings: Settings,
) -> pd.DataFrame:  # fmt: skip
    """Return ``Assessment.city``: for each dimension a row for each kind that mixes in it, then ``all``."""
    people = town.known.sum(axis=0)
    # A row a dimension: sums along rows in memory are the fast ones.
    known = np.ascontiguousarray(town.known.T)

    def shares(near: Floats | Bools) -> Floats:  # (n, D) flags -> (D,) of core residents of known group
        return ratio((near.T * known).sum(axis=1), people)

    base = home_figures(homes, town)
    compares = np.where(town.reference_diversity > 0, 0.0, np.nan)
    rows: dict[tuple[int, int], dict[str, float]] = {}
    for at, each in [*enumerate(sums), (len(sums), pooled)]:
        is_all = at == len(sums)
        if each is None and not is_all:
            continue
        figures = dict(base)
        if each is not None:
            figures |= town_figures(each, town)
            figures["q_sorted_half"], figures["islands_places_sorted_half"] = sorted_figures(each, town, 0)
            figures["q_sorted"], figures["islands_places_sorted"] = sorted_figures(each, town, 1)
        if is_all:
            mixed, at_one, near = flags.mixed, flags.sorted, flags.any
        else:
            mixed, at_one = scores.mixed_near[0, at], scores.mixed_near[AT_ONE, at]
            near = scores.any_near[at][:, None]
        figures["mixed_place_10min"] = shares(mixed) + compares
        figures["mixed_place_10min_sorted"] = shares(at_one) + compares
        figures["any_place_10min"] = shares(near)
        for dimension in range(len(town.dimensions)):
            mixes = settings.mixes[:, dimension].any() if is_all else settings.mixes[at, dimension]
            if mixes:
                rows[dimension, at] = {name: float(values[dimension]) for name, values in figures.items()}
            elif is_all:
                rows[dimension, at] = {name: float(values[dimension]) for name, values in base.items()}
    names = [*settings.kinds, "all"]
    keys = sorted(rows)
    frame = pd.DataFrame([rows[key] for key in keys], columns=list(CITY_COLUMNS), dtype=float)
    frame.insert(0, "dimension", [town.dimensions[d].name for d, _ in keys])
    frame.insert(1, "kind", [names[k] for _, k in keys])
    return frame


def exposure_table(
    sums: Sequence[Sums | None], pooled: Sums | None, town: Town, settings: Settings
) -> pd.DataFrame:
    """Return ``Assessment.exposure``: of the people that a group meets, the share of each group.

    gP*h = sum_j (V_jg / V_g) p_jh over the core's visits, beside the same visits at home, sum_i (n_ig r_ig /
    V_g) e_ih / e_i, and an even spread, P_h. Null for a group absent from the core or without visits, and
    throughout a dimension of one group.
    """
    parts = []
    for at, dimension in enumerate(town.dimensions):
        block = dimension.columns
        compares = 0.0 if town.reference_diversity[at] > 0 else np.nan
        present = np.where(town.present[block], compares, np.nan)[:, None]
        for row, each in [*enumerate(sums), (len(sums), pooled)]:
            if each is None or (row < len(sums) and not settings.mixes[row, at]):
                continue
            if row == len(sums) and not settings.mixes[:, at].any():
                continue
            visits = each.visits[block][:, None]
            groups = len(dimension.groups)
            parts.append(pd.DataFrame({
                "dimension": dimension.name,
                "kind": "all" if row == len(sums) else settings.kinds[row],
                "group": np.repeat(np.array(dimension.groups, dtype=object), groups),
                "met_group": np.tile(np.array(dimension.groups, dtype=object), groups),
                "share": (ratio(each.meet[block, block], visits) + present).ravel(),
                "share_at_home": (ratio(each.meet_at_home[block, block], visits) + present).ravel(),
                "share_if_even": (np.tile(town.reference[block], (groups, 1)) + present).ravel(),
            }))  # fmt: skip
    columns = ["dimension", "kind", "group", "met_group", "share", "share_at_home", "share_if_even"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


@dataclass(frozen=True)
class GroupAccess:
    """Access as one walker profile has it: ``access`` (n,) overall and ``nearest_min`` (K, n)."""

    access: Floats
    nearest_min: Floats


def equity_table(
    own: GroupAccess, by_profile: dict[str, GroupAccess], pooled: Sums | None, flags: Headline, town: Town,
    params: Params, settings: Settings,
) -> pd.DataFrame:  # fmt: skip
    """Return ``Assessment.equity``: A_g = sum_i n_ig a_i / N_g over core residents, and shares alike.

    Groups named in ``params.group_profiles`` have the access and shares of their own walking times;
    everything that concerns choice stays that of the default profile.
    """
    profiles = dict(params.group_profiles)
    rows = []
    for at, dimension in enumerate(town.dimensions):
        for column, group in zip(
            range(dimension.columns.start, dimension.columns.stop), dimension.groups, strict=True
        ):
            walker = by_profile.get(profiles.get(f"{dimension.name}:{group}", ""), own)
            people = town.core[:, column]

            def mean(values: Floats, people: Floats = people) -> float:
                return float(group_means(values, people[:, None])[0])

            visits = np.nan if pooled is None or not settings.mixes[:, at].any() else pooled.visits[column]
            row = {
                "dimension": dimension.name,
                "group": group,
                "access_mean": mean(walker.access),
                "participation": float(ratio(visits, people.sum())),
            }
            near, norm = walker.nearest_min <= NEAR_MIN, walker.nearest_min <= settings.norm_min[:, None]
            for k, kind in enumerate(settings.kinds):
                row[f"share_within_10_min:{kind}"] = mean(near[k].astype(float))
                row[f"share_within_norm:{kind}"] = mean(norm[k].astype(float))
            row["mixed_place_10min"] = mean(flags.mixed[:, at])
            row["mixed_place_10min_sorted"] = mean(flags.sorted[:, at])
            row["any_place_10min"] = mean(flags.any[:, at])
            rows.append(row)
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["dimension", "group"])


def inequality_table(
    own: GroupAccess, equity: pd.DataFrame, homes: Homes, town: Town, settings: Settings
) -> pd.DataFrame:
    """Return ``Assessment.inequality``: Gini of access and shares beyond the norm over everybody in the core,
    and the gap between the best and the worst group's mean access.
    """
    people = homes.total * homes.core
    shared = {"gini": gini(own.access, people)}
    beyond = {}
    for kind, nearest, norm in zip(settings.kinds, own.nearest_min, settings.norm_min, strict=True):
        left_out = people * ~(nearest <= norm)  # NaN, no place within the horizon, is left out too
        beyond[f"share_beyond_norm:{kind}"] = float(ratio(left_out.sum(), people.sum()))
    rows = []
    for dimension in town.dimensions:
        means = equity.loc[equity["dimension"] == dimension.name, "access_mean"].to_numpy(dtype=float)
        rows.append({**shared, "gap": gap(means), **beyond})
    index = pd.Index([d.name for d in town.dimensions], name="dimension", dtype=object)
    return pd.DataFrame(rows, index=index, columns=["gini", "gap", *beyond])
