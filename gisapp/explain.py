"""A square or a place explained in one plain passage, with its numbers and what they do not claim."""

from typing import Any

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.cells import Cells, cell_means
from gisapp.display import (
    MIXED,
    NOT_COMPUTED,
    count_text,
    index_text,
    may_show_composition,
    minutes_text,
    mix_classes,
    share_text,
)
from gisapp.errors import InputError, MissingError
from gisapp.measures import MEASURES, View, cell_values, group_columns
from gisapp.titles import dimension_title, kind_title
from gisapp.words import Words

_NEAREST = 3


def explain_cell(assessment: Assessment, cells: Cells, cell_id: str, view: View, words: Words) -> str:
    """Return what a square's residents can reach, its weakest kind and whether a mixed place is near.

    Raises ``MissingError`` for a square that is not on the map.
    """
    if cell_id not in cells.frame.index:
        raise MissingError(f"There is no square '{cell_id}' on this map.")
    here = cells.of_home.index[cells.of_home == cell_id]
    people = float(cells.frame.loc[cell_id, "residents"])
    sentences = [
        words("sentence.cell_one")
        if round(people) == 1
        else words("sentence.cell", people=count_text(people))
    ]
    few = Cells(cells.frame.loc[[cell_id]], cells.of_home.loc[here], cells.size_m)
    access = cell_values(assessment, View(MEASURES["access"]), few).iloc[0]
    if np.isfinite(access):
        band = words.several("measures.access.classes")[MEASURES["access"].classify(pd.Series([access]))[0]]
        score = index_text(access / 100, words)
        sentences.append(words("sentence.cell_access", score=score, band=band.split(",")[0]))
    sentences += _weakest_and_nearest(assessment, few, view, words)
    if view.dimension is not None:
        sentences += _mixing_of(assessment, few, view.dimension, words)
    return " ".join([*sentences, words("sentence.claim")])


def explain_place(assessment: Assessment, cells: Cells, place_id: str, view: View, words: Words) -> str:
    """Return who might come to a place and how mixed they would be, as far as that may be shown.

    Raises ``MissingError`` for a place that the assessment does not hold.
    """
    if place_id not in assessment.places.index or assessment.area is None:
        raise MissingError(f"There is no place '{place_id}' on this map.")
    place, source = assessment.places.loc[place_id], assessment.area.places.loc[place_id]
    kind, name = kind_title(str(place["kind"]), assessment, words), source.get("name")
    sentences = [
        words("sentence.place", name=name, kind=kind.lower())
        if isinstance(name, str) and name
        else words("sentence.place_unnamed", kind=kind)
    ]
    visitors = _number(place, "visitors")
    if np.isnan(visitors):
        return " ".join([*sentences, words("sentence.place_reach_only")])
    sentences.append(words("sentence.place_reach", visitors=count_text(visitors)))
    if view.dimension is not None:
        sentences += _mix_of_place(assessment, cells, place_id, view.dimension, words)
    return " ".join([*sentences, words("sentence.claim")])


def _weakest_and_nearest(assessment: Assessment, few: Cells, view: View, words: Words) -> list[str]:
    def mean(column: str) -> float:
        values = assessment.homes[column]
        values = values.fillna(np.inf) if column.startswith("nearest_min:") else values
        return float(cell_means(few, values, _weights(assessment)).iloc[0])

    # A kind without any place in the area is named beside the map, and would be the weakest everywhere.
    present = set(assessment.places["kind"])
    kinds = [k for k in assessment.params.kinds if k in present and f"nearest_min:{k}" in assessment.homes]
    minutes = {kind: mean(f"nearest_min:{kind}") for kind in kinds}
    reached = sorted((k for k in kinds if np.isfinite(minutes[k])), key=lambda k: minutes[k])
    if not reached:
        return [words("sentence.cell_none")]

    def named(kind: str) -> str:
        return f"{kind_title(kind, assessment, words).lower()} {minutes_text(minutes[kind], words)}"

    sentences = []
    if view.kind in minutes:
        kind = kind_title(view.kind, assessment, words).lower()
        sentences.append(
            words("sentence.cell_nearest", kind=kind, value=minutes_text(minutes[view.kind], words))
        )
    listed = ", ".join(named(k) for k in reached[:_NEAREST])
    sentences.append(words("sentence.cell_nearest_more", list=listed))
    scores = {kind: mean(f"access:{kind}") for kind in kinds if f"access:{kind}" in assessment.homes}
    scores = {kind: score for kind, score in scores.items() if np.isfinite(score)}
    if scores:
        lowest = min(scores.values())
        weakest = ", ".join(named(k) for k, score in scores.items() if score <= lowest + 1e-9)
        sentences.append(words("sentence.cell_weakest", kinds=weakest))
    return sentences


def _mixing_of(assessment: Assessment, few: Cells, dimension: str, words: Words) -> list[str]:
    title = dimension_title(dimension, words).lower()

    def value(measure: str) -> float:
        return float(cell_values(assessment, View(MEASURES[measure], None, dimension), few).iloc[0])

    people = float(few.frame["residents"].iloc[0])
    share = value("mixed_place")
    if np.isnan(share):
        return []
    if share <= 0:
        sentences = [words("sentence.cell_mixed_none", dimension=title)]
    elif share >= 1:
        sentences = [words("sentence.cell_mixed_all", dimension=title)]
    else:
        text = share_text(share, words, base=people)
        sentences = [words("sentence.cell_mixed_some", dimension=title, share=text)]
    places, home = value("meets"), value("meets_at_home")
    if np.isfinite(places) and np.isfinite(home):
        shown = share_text(places, words), share_text(home, words)
        sentences.append(words("sentence.cell_meets", share=shown[0], home=shown[1]))
    return sentences


def _mix_of_place(
    assessment: Assessment, cells: Cells, place_id: str, dimension: str, words: Words
) -> list[str]:
    place = assessment.places.loc[place_id]
    mix_class = int(mix_classes(assessment.places.loc[[place_id]], dimension).iloc[0])
    mix = words.several("marks.classes")[mix_class]
    sentences = [words("sentence.place_mix", dimension=dimension_title(dimension, words).lower(), mix=mix)]
    if mix_class == NOT_COMPUTED:
        return sentences
    known = sum(_number(place, c) for c in visitor_columns(assessment, dimension))
    allowed = may_show_composition(
        dimension=dimension,
        open_to=_open_to(assessment, place_id),
        visitors=known,
        largest_share=largest_cell_share(assessment, cells, place_id),
    )
    if not allowed:
        few = known < assessment.params.mixed_at[2]
        sentences.append(words("sentence.place_few" if few else "sentence.place_private"))
    else:
        chance = share_text(_number(place, f"chance:{dimension}"), words, base=known)
        relative = words("value.share", number=index_text(_number(place, f"mix:{dimension}"), words))
        sentences.append(words("sentence.place_chance", chance=chance, relative=relative))
        inherited = _number(place, f"inherited:{dimension}")
        if np.isfinite(inherited):
            number = words("value.share", number=index_text(inherited, words))
            sentences.append(words("sentence.place_inherited", inherited=number))
    room = _number(place, "room_to_sort")
    if np.isfinite(room) and mix_class >= MIXED:
        sentences.append(words("sentence.place_room", room=share_text(room, words)))
    return sentences


def visitor_columns(assessment: Assessment, dimension: str) -> list[str]:
    """Return the columns of expected visitors by group of a dimension."""
    names = [str(c).removeprefix("visitors:") for c in assessment.places if str(c).startswith("visitors:")]
    return [f"visitors:{name}" for name in group_columns(names, dimension)]


def largest_cell_share(assessment: Assessment, cells: Cells, place_id: str) -> float | None:
    """Return the largest share (0-1) of those who might come that lives in one square; None where unknown.

    Residents count by the decay of their walk: the choice among other places of the kind is left out, which
    spreads people over fewer or more squares alike.
    """
    times = assessment.travel_times
    own = times[times["place_id"] == place_id]
    weight = _weights(assessment).reindex(own["home_id"]).to_numpy() * 2.0 ** (
        -own["minutes"].to_numpy(dtype=float) / assessment.params.half_time_min
    )
    sums = pd.Series(weight).groupby(cells.of_home.reindex(own["home_id"]).to_numpy()).sum()
    return float(sums.max() / sums.sum()) if len(sums) and sums.sum() > 0 else None


def _number(row: Any, column: str) -> float:
    value = row.get(column, np.nan)
    return float("nan") if pd.isna(value) else float(value)


def _open_to(assessment: Assessment, place_id: str) -> str:
    assert assessment.area is not None
    place = assessment.area.places.loc[place_id]
    if isinstance(place.get("open_to"), str):
        return str(place["open_to"])
    return next((spec.open_to for spec in assessment.area.kinds if spec.key == place["kind"]), "all")


def _weights(assessment: Assessment) -> pd.Series:
    if assessment.area is None:
        raise InputError("This assessment was made from tables without geometry: nothing to explain.")
    total: pd.Series[float] = assessment.area.residents["total"]
    return total
