"""Walks taken out of an assessment again, as the arrays that the scores are computed from."""

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.encode import encode_homes, encode_places
from gisapp.measures import residents_of
from gisapp.scores.arrays import Bools, Ints, Pairs, Places, make_pairs


def places_of(assessment: Assessment) -> Places:
    """Return the places of an assessment as arrays, in the order of ``assessment.places``."""
    if assessment.inputs is not None:
        return assessment.inputs.places
    assert assessment.area is not None  # residents_of has refused it
    homes = encode_homes(residents_of(assessment).iloc[:1])  # for the names of its columns only
    return encode_places(assessment.area.places.loc[assessment.places.index], homes, assessment.params)


def codes(assessment: Assessment, column: str) -> Ints:
    """Return the position of each walk's ``home_id`` or ``place_id`` in its table.

    Categories that are the table's own index already are these positions.
    """
    table = assessment.homes if column == "home_id" else assessment.places
    values = assessment.travel_times[column]
    if isinstance(values.dtype, pd.CategoricalDtype) and values.cat.categories.equals(table.index):
        return values.cat.codes.to_numpy()
    return table.index.get_indexer(pd.Index(values))


def pairs_at(assessment: Assessment, rows: Bools, homes: Ints) -> Pairs:
    """Return the walks at ``rows`` whose home is among the positions ``homes`` (ascending, which number them)."""
    home, minutes = codes(assessment, "home_id")[rows], assessment.travel_times["minutes"].to_numpy()[rows]
    place = codes(assessment, "place_id")[rows]
    at = np.searchsorted(homes, home)
    return make_pairs(at, place, minutes.astype(np.float64), len(assessment.places))


def pairs_of(assessment: Assessment, homes: Ints) -> Pairs:
    """Return all walks of the homes at these positions (ascending)."""
    wanted = np.zeros(len(assessment.homes), dtype=np.bool_)
    wanted[homes] = True
    return pairs_at(assessment, wanted[codes(assessment, "home_id")], homes)
