"""The result of an assessment: tables on the homes and places that went in, and how they came about."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from gisapp.area import Provenance, StudyArea
from gisapp.params import Params
from gisapp.quality import Quality
from gisapp.scores.arrays import Homes, Ints, Pairs, Places
from gisapp.scores.kind_pairs import KindPairs


@dataclass(frozen=True)
class Inputs:
    """What was scored, as arrays, so that ``sensitivity`` can score it again.

    ``splits`` finds the pairs of homes and places again, a kind at a time, to 7/6 of the horizon where such times are
    known. ``home_pairs`` (to other homes, to 11 minutes; None where each home is its own environment) are the pairs,
    or a function that finds those of the homes at the positions it is given, in their order. ``rounding`` is the step
    to which the counts' provider rounded them, if known. ``kept`` serves ``assess(..., since=...)``.
    """

    homes: Homes
    places: Places
    splits: Callable[[], Iterable[KindPairs]]
    home_pairs: Pairs | Callable[[Ints], Pairs] | None = None
    rounding: float | None = None
    kept: object = None


@dataclass(frozen=True)
class Assessment:
    """Scores of an area under frozen parameters. All columns are raw: see docs/contract of each table.

    ``homes`` (index ``home_id``), ``places`` (index ``place_id``), ``city`` (a row per dimension and kind,
    and kind ``all``), ``exposure``, ``equity``, ``inequality`` (index ``dimension``). ``times`` finds
    ``travel_times``. ``area`` is None when the tables came without geometry.
    """

    homes: pd.DataFrame
    places: pd.DataFrame
    city: pd.DataFrame
    exposure: pd.DataFrame
    equity: pd.DataFrame
    inequality: pd.DataFrame
    times: Callable[[], pd.DataFrame]
    params: Params
    provenance: Provenance
    quality: Quality
    area: StudyArea | None = None
    inputs: Inputs | None = field(default=None, repr=False, compare=False)

    @cached_property
    def travel_times(self) -> pd.DataFrame:
        """All walks within the horizon: ``home_id``, ``place_id``, ``minutes``. Found when first asked for."""
        return self.times()
