"""Counted visitors by group turned into what the choice model takes: how much a place draws each group."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gisapp.errors import raise_faults
from gisapp.frames import ATTRACTIVENESS, group_columns
from gisapp.quality import Finding

STEP = 5  # as residents' counts, visitors' are told in fives: a list of members is not published either
VISITORS = "visitors"


def weigh_visitors(
    places: gpd.GeoDataFrame, residents: pd.DataFrame, *, exact: bool = False
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Turn columns ``visitors:dimension:group`` into ``attractiveness:dimension:group`` (score, section 3.1).

    A group's attractiveness is the place's own (1 if blank) times the group's share among the counted visitors,
    divided by its share among the core residents of the groups that were counted: 1 where a place is visited as the
    town is composed, 2 where a group comes twice as often as its number lets expect. Counts are rounded to 5 first,
    unless ``exact``; a place whose counts are blank, or all round to 0, has no evidence. The counts themselves are
    left out of the result. Raises ``InputError`` for a group that the residents do not have.

    >>> places = gpd.GeoDataFrame({"visitors:age:old": [60.0], "visitors:age:young": [20.0]}, index=["own/1"])
    >>> homes = pd.DataFrame({"age:old": [50], "age:young": [50]}, index=["h"])
    >>> weigh_visitors(places, homes)[0].to_dict("list")
    {'attractiveness:age:old': [1.5], 'attractiveness:age:young': [0.5]}
    """
    counted = [str(c) for c in places.columns if str(c).startswith(f"{VISITORS}:")]
    if not counted:
        return places, []
    known = group_columns(residents)
    if not known:
        sentence = "Counted visitors by group were left out: they tell nothing where the residents' groups are unknown."
        return places.drop(columns=counted), [Finding("own_visitors", sentence, "note")]
    faults = []
    by_dimension: dict[str, list[str]] = {}
    for column in counted:
        _, dimension, group = column.split(":")
        if group not in known.get(dimension, ()):
            has = ", ".join(f"{d}:{g}" for d, groups in known.items() for g in groups)
            faults.append(
                f"places: column '{column}' counts a group that the residents do not have; they have {has}."
            )
        by_dimension.setdefault(dimension, []).append(group)
    raise_faults(faults)
    core = residents[residents["core"].to_numpy(bool)] if "core" in residents else residents
    own = (
        places[ATTRACTIVENESS].fillna(1.0) if ATTRACTIVENESS in places else pd.Series(1.0, index=places.index)
    )
    result, with_evidence = places.drop(columns=counted), np.zeros(len(places), dtype=bool)
    for dimension, groups in by_dimension.items():
        people = core[[f"{dimension}:{g}" for g in groups]].sum().to_numpy(float)
        visits = places[[f"{VISITORS}:{dimension}:{g}" for g in groups]].to_numpy(float)
        visits = visits if exact else STEP * np.round(visits / STEP)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = visits / np.nansum(visits, axis=1)[:, None]
            drawn = np.where(people > 0, share / (people / people.sum()), np.nan)
        drawn[~np.isfinite(drawn)] = np.nan
        with_evidence |= np.isfinite(drawn).any(axis=1)
        for at, group in enumerate(groups):
            name = f"{ATTRACTIVENESS}:{dimension}:{group}"
            given = places[name] if name in places else pd.Series(np.nan, index=places.index)
            result[name] = given.where(given.notna(), own * drawn[:, at])
    sentence = f"Counted visitors of {with_evidence.sum()} places by {' and '.join(by_dimension)} tell whom they draw."
    if not exact:
        sentence += f" The counts were rounded to {STEP}."
    return result, [Finding("own_visitors", sentence, "info", float(with_evidence.sum()))]
