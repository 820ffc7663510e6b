"""The map as tables, for those who read with a keyboard or a screen reader, and to sort."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.cells import Cells
from gisapp.display import mix_classes, rounded_count
from gisapp.maps.paint import value_text
from gisapp.measures import View, cell_values
from gisapp.titles import kind_title
from gisapp.words import Words


def cell_table(assessment: Assessment, cells: Cells, view: View, words: Words) -> pd.DataFrame:
    """Return one row a square: its residents, the view's value and class, in words."""
    values = cell_values(assessment, view, cells)
    labels = (*words.several(f"measures.{view.measure.key}.classes"), words("value.missing"))
    residents = cells.frame["residents"]
    return pd.DataFrame(
        {
            words("columns.cell"): cells.frame.index.to_numpy(),
            words("columns.residents"): [rounded_count(n) for n in residents],
            words("columns.value"): [
                value_text(v, view.measure, words, base=n)
                for v, n in zip(values.to_numpy(dtype=float), residents, strict=True)
            ],
            words("columns.class"): [labels[c] for c in view.measure.classify(values)],
        }
    )


def place_table(
    assessment: Assessment, view: View, words: Words, *, kinds: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return one row a place: name, kind, mix class and expected visitors."""
    places = assessment.places
    if kinds is not None:
        places = places[places["kind"].isin(list(kinds))]
    names = pd.Series("", index=places.index)
    if assessment.area is not None and "name" in assessment.area.places:
        names = assessment.area.places["name"].reindex(places.index).fillna("").astype(str)
    labels = words.several("marks.classes")
    visitors = places["visitors"] if "visitors" in places else pd.Series(np.nan, index=places.index)
    shown = [pd.NA if pd.isna(v) else rounded_count(v) for v in visitors]
    return pd.DataFrame(
        {
            words("columns.name"): names.to_numpy(),
            words("columns.kind"): [kind_title(k, assessment, words) for k in places["kind"]],
            words("columns.mix"): [labels[c] for c in mix_classes(places, view.dimension or "")],
            words("columns.visitors"): pd.array(shown, dtype="Int64"),
        }
    )
