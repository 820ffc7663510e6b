"""Doors and programmes: which places are open at a moment, free, supervised; and who can walk to one that is.

Shown and filtered, in no formula of the scores. What is not told is unknown, which is neither yes nor no.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gisapp.area import StudyArea
from gisapp.assessment import Assessment
from gisapp.errors import InputError, MissingError, raise_faults
from gisapp.explain.pairs import codes
from gisapp.frames import group_columns
from gisapp.hours import LatLon, check_moment, door_at
from gisapp.measures import residents_of
from gisapp.places import PASSED_THROUGH
from gisapp.reuse import Kept

Said = Literal["yes", "no", "unknown"]
SAID: tuple[Said, ...] = ("yes", "no", "unknown")

# What may be asked of a place: whether it costs nothing, and the planner's own columns.
ASPECTS = ("free", *PASSED_THROUGH)

_NO = ("no", "n", "nee", "neen", "non", "none", "false", "0")
_NOT_SAID = ("", "unknown", "?", "nan", "<na>")
_DOOR: Mapping[str, Said] = {"open": "yes", "closed": "no", "unknown": "unknown"}

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Doors:
    """Which places are meant: of any of ``kinds`` (empty: all), with all ``must`` and open at ``open_at``.

    ``must``: any of ``ASPECTS``. ``open_at``: local time.

    >>> Doors(kinds="clubs", must="supervised")
    Doors(kinds=('clubs',), must=('supervised',), open_at=None)
    >>> Doors(must=("warm",))
    Traceback (most recent call last):
    gisapp.errors.InputError: must: 'warm' is not told of places; choose from free, supervised, programme, hosts, \
open_evening, language_practice, buddy_point.
    """

    kinds: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    open_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("kinds", "must"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        raise_faults(
            [
                f"must: '{aspect}' is not told of places; choose from {', '.join(ASPECTS)}."
                for aspect in self.must
                if aspect not in ASPECTS
            ]
        )
        if self.open_at is not None:
            check_moment(self.open_at)


def what_is_said(
    places: pd.DataFrame, *, open_at: datetime | None = None, where: LatLon | None = None
) -> pd.DataFrame:
    """Return what is told of each place: ``yes``, ``no`` or ``unknown`` in a column for each of ``ASPECTS``.

    Index: that of ``places``; their columns of these names and ``tags`` (JSON) are read, missing ones are unknown.
    ``free`` is OSM's ``fee`` (a donation is free), else no where a ``charge`` is stated. A text that is no "no" is a
    yes: a named programme is one. With ``open_at`` there is a column ``open``, from ``opening_hours``; ``where``
    (latitude, longitude) is for sunset and public holidays.

    >>> places = pd.DataFrame({"supervised": ["yes", None], "programme": [None, "Chess on Mondays"],
    ...                        "tags": ['{"fee": "no"}', "{}"]}, index=["node/1", "node/2"])
    >>> what_is_said(places)[["free", "supervised", "programme"]].to_numpy().tolist()
    [['yes', 'yes', 'unknown'], ['unknown', 'unknown', 'yes']]
    """
    tags = [_tags(text) for text in places["tags"]] if "tags" in places else [{}] * len(places)
    said: dict[str, list[Said]] = {"free": [_free(each) for each in tags]}
    for aspect in PASSED_THROUGH:
        said[aspect] = [_says(v) for v in places[aspect]] if aspect in places else ["unknown"] * len(places)
    if open_at is not None:
        check_moment(open_at)
        said["open"] = [_DOOR[door_at(each.get("opening_hours"), open_at, where=where)] for each in tags]
    return pd.DataFrame(said, index=places.index, dtype=object)


def filter_places(assessment: Assessment, doors: Doors) -> "pd.Series[Any]":
    """Tell of each place of the filter's kinds whether it is meant: ``yes``, ``no`` or ``unknown``.

    Index ``place_id``. ``no`` if any of what is asked is no; else ``unknown`` if any of it is; else ``yes``. Raises
    ``MissingError`` for a kind that the assessment does not have.
    """
    known = {*assessment.params.kinds, *assessment.places["kind"]}
    for kind in doors.kinds:
        if kind not in known:
            raise MissingError(
                f"kinds: there is no kind '{kind}' here; choose from {', '.join(sorted(known))}."
            )
    area, table = assessment.area, assessment.places
    places: pd.DataFrame = table if area is None else area.places.loc[table.index]
    if doors.kinds:
        places = places[places["kind"].isin(doors.kinds)]
    asked = [*doors.must, *(["open"] if doors.open_at is not None else [])]
    said = what_is_said(places, open_at=doors.open_at, where=None if area is None else where_is(area))[asked]
    answers = np.full(len(places), "yes", dtype=object)
    answers[(said == "unknown").any(axis=1).to_numpy(bool)] = "unknown"
    answers[(said == "no").any(axis=1).to_numpy(bool)] = "no"
    return pd.Series(answers, index=places.index, name="meant")


def within_reach_by_home(assessment: Assessment, doors: Doors, minutes: float = 10.0) -> "pd.Series[Any]":
    """Tell of each home whether a place that is meant lies within a walk: ``yes``, ``no`` or ``unknown``.

    Index ``home_id``. ``unknown``: none that surely is meant lies near, but one that does not say does.
    Raises ``InputError`` unless 0 < ``minutes`` <= the horizon.
    """
    horizon = assessment.params.horizon_min
    if not 0 < minutes <= horizon:
        raise InputError(
            f"minutes={minutes!r}: give a number above 0 and of at most {horizon:g}, the horizon."
        )
    meant = filter_places(assessment, doors)
    rows = assessment.places.index.get_indexer(meant.index)
    answers = np.full(len(assessment.homes), "no", dtype=object)
    for answer in ("unknown", "yes"):
        wanted = rows[(meant == answer).to_numpy(bool)]
        answers[_homes_near(assessment, wanted, minutes)] = answer
    return pd.Series(answers, index=assessment.homes.index, name="within_reach")


def within_reach(assessment: Assessment, doors: Doors, minutes: float = 10.0) -> pd.DataFrame:
    """Return for whom a place that is meant lies within a walk of ``minutes``, by group.

    Columns ``dimension``, ``group``, ``residents`` (of the core), and shares of them (0-1, adding up to 1; missing
    without residents): ``yes``; ``no``; ``unknown``, as only places that do not say are near. The first row, of
    dimension ``all``, is everybody. Walks are those of the assessment's one profile.
    """
    answers = within_reach_by_home(assessment, doors, minutes)
    residents = residents_of(assessment).reindex(answers.index)
    core = residents["core"].astype(float) if "core" in residents else 1.0
    columns = [("all", "all", "total")]
    columns += [(d, g, f"{d}:{g}") for d, groups in group_columns(residents).items() for g in groups]
    rows: list[dict[str, Any]] = []
    for dimension, group, column in columns:
        people = residents[column].astype(float) * core
        total = float(people.sum())
        shares = {a: float(people[answers == a].sum()) / total if total > 0 else float("nan") for a in SAID}
        rows.append({"dimension": dimension, "group": group, "residents": total} | dict(shares))
    return pd.DataFrame(rows)


def where_is(area: StudyArea) -> LatLon | None:
    """Return the latitude and longitude of an area's middle; None where it has no residents."""
    if not len(area.residents):
        return None
    left, bottom, right, top = area.residents.total_bounds
    middle = gpd.GeoSeries.from_xy([(left + right) / 2], [(bottom + top) / 2], crs=area.crs).to_crs(4326)
    return float(middle.y.iloc[0]), float(middle.x.iloc[0])


def _homes_near(assessment: Assessment, places: Ints, minutes: float) -> Ints:
    """The positions of the homes that have any of these places within a walk."""
    if not len(places):
        return np.zeros(0, np.int64)
    kept = assessment.inputs.kept if assessment.inputs is not None else None
    if isinstance(kept, Kept):  # a search that ends at these minutes, and not one of all walks
        found = kept.routing.walks(places, limit=kept.routing.limit_mm(minutes))
        return np.unique(found.home).astype(np.int64)
    near = assessment.travel_times["minutes"].to_numpy() <= minutes
    here = np.isin(codes(assessment, "place_id"), places)
    return np.unique(codes(assessment, "home_id")[near & here]).astype(np.int64)


def _tags(text: object) -> dict[str, str]:
    if not isinstance(text, str):
        return {}
    try:
        tags = json.loads(text)
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in tags.items()} if isinstance(tags, dict) else {}


def _free(tags: Mapping[str, str]) -> Said:
    fee = tags.get("fee", "").strip().casefold()
    if fee in ("no", "donation"):
        return "yes"
    if fee == "yes":
        return "no"
    charge = tags.get("charge", "").strip()
    return "no" if not fee and charge[:1].isdigit() and charge.strip("0.,")[:1].isdigit() else "unknown"


def _says(value: object) -> Said:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "unknown"
    if isinstance(value, bool | np.bool_ | int | float | np.number):
        return "yes" if value else "no"
    word = str(value).strip().casefold()
    return "unknown" if word in _NOT_SAID else "no" if word in _NO else "yes"
