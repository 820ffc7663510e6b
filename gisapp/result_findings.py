"""What a score says of itself: missing kinds, homes that reach nothing, groups unknown, floors of small numbers."""

import numpy as np
import pandas as pd

from gisapp.params import Params
from gisapp.quality import Quality
from gisapp.scores.arrays import Homes, Places
from gisapp.scores.mixing import Town
from gisapp.scores.run import HomeScores
from gisapp.scores.settings import Settings

UNKNOWN_SHARE = 0.10  # flag a dimension in which more residents than this are of unknown group
FLOORS = (("islands_home", "islands_home_floor"), ("h_home", "h_home_floor"), ("h_units", "h_units_floor"))
FLOOR_SHARE = 0.10  # flag an index whose floor is more than this share of it


def result_findings(
    quality: Quality, homes: Homes, places: Places, town: Town, params: Params, settings: Settings,
    scores: HomeScores, city: pd.DataFrame,
) -> Quality:  # fmt: skip
    """Return the report with what scoring found: missing kinds, homes that reach nothing, unknown groups, floors."""
    present = set(places.kind.tolist())
    missing = tuple(kind for at, kind in enumerate(settings.kinds) if at not in present)
    quality = quality.with_missing_kinds(missing)
    if missing:
        sentence = f"No place of these kinds in the area: {', '.join(missing)}."
        quality = quality.add("missing_kinds", sentence, "note", len(missing), len(settings.kinds))
    reached = np.zeros(len(homes.total), dtype=bool)
    for raw in scores.reach:
        reached |= ~np.isnan(raw.nth_min[0])
    alone = int((~reached).sum())
    if alone:
        sentence = f"{alone} of {len(reached)} homes reach no place within {params.horizon_min:g} minutes."
        quality = quality.add("homes_reaching_nothing", sentence, "note", alone, len(reached))
    people = float(homes.total[homes.core].sum())
    for dimension in town.dimensions:
        known = float(homes.counts[homes.core][:, dimension.columns].sum())
        unknown = max(0.0, people - known)
        if people and unknown / people > UNKNOWN_SHARE:
            sentence = f"The group ({dimension.name}) of {unknown / people:.0%} of the residents is unknown."
            quality = quality.add(f"unknown_group:{dimension.name}", sentence, "warning", unknown, people)
        row = city[(city["dimension"] == dimension.name) & (city["kind"] == "all")].iloc[0]
        for value, floor in FLOORS:
            if row[floor] > FLOOR_SHARE * abs(row[value]):
                sentence = (
                    f"By {dimension.name}, '{value}' is {row[value]:.3f}; a town without any structure would show "
                    f"{row[floor]:.3f}, from the small numbers of people in each unit alone."
                )
                code = f"floor:{value}:{dimension.name}"
                quality = quality.add(code, sentence, "note", float(row[floor]), float(row[value]))
    known_capacity = np.isfinite(places.capacity)
    for kind in sorted({int(k) for k in places.kind[known_capacity] if k >= 0}):
        blank = int((~known_capacity & (places.kind == kind)).sum())
        if blank:
            name, number = settings.kinds[kind], int((places.kind == kind).sum())
            sentence = f"{blank} of {number} {name} have no known capacity and count for none in 'room'."
            quality = quality.add(f"capacity_unknown:{name}", sentence, "note", blank, number)
    return quality
