"""What changes when another measure is chosen: classes, values, colours and words, as one small JSON text."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.cells import Cells
from gisapp.display import (
    count_text,
    exposure_text,
    index_text,
    minutes_text,
    mix_classes,
    rounded_count,
    share_text,
)
from gisapp.maps.scene import home_buildings
from gisapp.measures import Measure, View, cell_values, home_values
from gisapp.titles import kind_title
from gisapp.words import Words

# From little to well mixed in one hue, "not like the town" in a hue of its own, grey where not computed.
MARK_COLOURS = ("#ffffff", "#f2b3d0", "#b3246b", "#f28e2b", "#a3a39b")
_DIGITS = "-0123456789"


def build_paint(
    assessment: Assessment,
    cells: Cells,
    view: View,
    words: Words,
    *,
    kinds: Sequence[str] | None = None,
    tiles: bool = False,
) -> str:
    """Return what turns the scene into the map of ``view``, as JSON.

    ``cells``, ``homes``, ``marks``: one character a row of the scene, its class or ``-`` where it is unknown.
    ``kinds``: the kinds of places to draw, None for all.
    """
    area = assessment.area
    assert area is not None  # build_scene has refused it
    at_cells = cell_values(assessment, view, cells)
    at_homes = home_values(assessment, view).reindex(home_buildings(area)["home_id"])
    present = list(dict.fromkeys(assessment.places["kind"]))
    bases = cells.frame["residents"].to_numpy()
    mixes = mix_classes(assessment.places, view.dimension or "")
    paint = {
        "view": ":".join(filter(None, (view.measure.key, view.kind, view.dimension))),
        "title": view_title(view, assessment, words),
        "colours": view.measure.colours,
        "cells": _codes(view.measure.classify(at_cells)),
        "cell_texts": _texts(at_cells, view.measure, words, bases),
        "homes": _codes(_home_classes(view, at_homes)),
        "marks": _codes(mixes.to_numpy()),
        "mark_colours": MARK_COLOURS,
        "mark_texts": words.several("marks.names"),
        "kinds": [kind_title(k, assessment, words) for k in present],
        "shown": [k in kinds for k in present] if kinds is not None else [True] * len(present),
        "language": words.language,
        "people": {form: words(f"value.people.{form}", number="{}") for form in ("one", "other")},
        "zoom": [words("app.zoom_in"), words("app.zoom_out")],
        "credit": credit(assessment, words),
        "tiles": tiles,
    }
    return json.dumps(paint, ensure_ascii=False)


def view_title(view: View, assessment: Assessment, words: Words) -> str:
    """Return the name of a view: "Walking time, libraries"."""
    title = words(f"measures.{view.measure.key}.title")
    if view.kind:
        return words("legend.of", title=title, kind=kind_title(view.kind, assessment, words).lower())
    return title


def credit(assessment: Assessment, words: Words) -> str:
    """Return the line under the map: whose data, of which date, and whether the residents are invented."""
    provenance = assessment.provenance
    parts = [provenance.attribution or "© OpenStreetMap contributors, ODbL"]
    if provenance.data_date:
        parts.append(words("legend.date", date=provenance.data_date))
    if provenance.counts in ("invented", "missing"):
        parts.append(words(f"app.{provenance.counts}_short"))
    if provenance.counts == "exact":
        parts.append(words("app.exact"))
    return " · ".join(parts)


def value_text(value: float, measure: Measure, words: Words, *, base: float = np.inf) -> str:
    """Return one value of a measure as it is shown; ``base`` is the number of people behind it."""
    if pd.isna(value):
        return words("value.missing")
    if measure.unit == "minutes":
        return minutes_text(value, words)
    if measure.unit == "share":
        return share_text(value, words, base=base)
    if measure.unit == "exposure":
        return exposure_text(value, words)
    if measure.unit == "people":
        return words.plural("value.people", rounded_count(value), number=count_text(value, words))
    return words("value.score", number=index_text(value / 100, words))


def _home_classes(view: View, values: pd.Series) -> np.ndarray:
    if view.measure.key == "residents":  # the limits are those of a square, not of a house
        return np.full(len(values), -1)
    return view.measure.classify(values)


def _texts(values: pd.Series, measure: Measure, words: Words, bases: np.ndarray) -> list[str]:
    return [
        value_text(value, measure, words, base=base)
        for value, base in zip(values.to_numpy(dtype=float), bases, strict=True)
    ]


def _codes(classes: np.ndarray) -> str:
    return "".join(np.array(list(_DIGITS))[classes + 1])
