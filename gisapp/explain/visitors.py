"""Where the expected visitors of a place live, and whether its composition may be shown."""

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.cells import CELL_M
from gisapp.display import Hidden, hidden_because
from gisapp.explain.case import number
from gisapp.explain.pairs import codes, pairs_at, places_of
from gisapp.measures import group_columns, residents_of
from gisapp.scores.choice import candidates, choose
from gisapp.scores.decay import decay
from gisapp.scores.mixing import by_attraction


def visitors_by_home(assessment: Assessment, place_id: str) -> pd.Series:
    """Return the expected visitors of a place from each home that reaches it: V_ij = P_i pi_ij.

    Index ``home_id``; their sum is the place's ``visitors``. Empty for a place outside the choice.
    """
    row, places = assessment.places.index.get_loc(place_id), places_of(assessment)
    params, homes, targets = assessment.params, codes(assessment, "home_id"), codes(assessment, "place_id")
    reaching = np.unique(homes[targets == row])
    if not places.mixes[row] or not len(reaching):
        return pd.Series(dtype=float)
    rivals = np.flatnonzero(places.mixes & (places.kind == places.kind[row]))
    wanted = np.zeros(len(assessment.homes), dtype=np.bool_)
    wanted[reaching] = True
    kind = np.zeros(len(assessment.places), dtype=np.bool_)
    kind[rivals] = True
    pairs = pairs_at(assessment, wanted[homes] & kind[targets], reaching).within(params.horizon_min)
    pairs = pairs.at(np.lexsort((pairs.minutes, pairs.origin)))
    curve = params.decay_curve
    ordered, value = by_attraction(pairs, decay(pairs.minutes, curve), places.alpha)
    ordered, value = candidates(ordered, value, len(reaching), params.choice_set)
    outside = float(decay(np.array([params.outside_min]), curve)[0])
    shape = (len(reaching), len(places.kind))
    choice = choose(ordered, value, shape, size=params.choice_set, outside=outside)
    here = choice.place == row
    goes = np.bincount(choice.home[here], weights=choice.share[here], minlength=len(reaching))
    index = assessment.homes.index[reaching]
    return residents_of(assessment)["total"].reindex(index).astype(float) * goes


def largest_cell_share(assessment: Assessment, place_id: str) -> float | None:
    """Return the largest share (0-1) of a place's expected visitors that lives in one square of 100 m.

    Where homes have no geometry, each is a square of its own. None where nobody is expected.
    """
    visitors = visitors_by_home(assessment, place_id)
    if not visitors.sum() > 0:
        return None
    if assessment.area is not None:
        points = assessment.area.residents.geometry.reindex(visitors.index)
        column, row = np.floor(points.x / CELL_M), np.floor(points.y / CELL_M)
        visitors = visitors.groupby([column.to_numpy(), row.to_numpy()]).sum()
    return float(visitors.max() / visitors.sum())


def known_visitors(assessment: Assessment, place_id: str, dimension: str) -> float:
    """Return the expected visitors of known group."""
    columns = group_columns([str(c).removeprefix("visitors:") for c in assessment.places], dimension)
    place = assessment.places.loc[place_id]
    return sum(number(place, f"visitors:{c}") for c in columns if f"visitors:{c}" in assessment.places)


def composition_hidden(assessment: Assessment, place_id: str, dimension: str) -> Hidden | None:
    """Say why the composition of a place may not be shown in a dimension, None where it may."""
    return hidden_because(
        dimension=dimension,
        open_to=_open_to(assessment, place_id),
        visitors=known_visitors(assessment, place_id, dimension),
        largest_share=largest_cell_share(assessment, place_id),
    )


def _open_to(assessment: Assessment, place_id: str) -> str:
    own = assessment.places.loc[place_id].get("open_to")
    if own is None and assessment.area is not None:
        own = assessment.area.places.loc[place_id].get("open_to")
    if isinstance(own, str):
        return own
    kinds = assessment.area.kinds if assessment.area is not None else ()
    kind = assessment.places.loc[place_id, "kind"]
    return next((spec.open_to for spec in kinds if spec.key == kind), "all")
