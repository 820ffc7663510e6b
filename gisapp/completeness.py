"""How many places are mapped for the people of each neighbourhood, and how long ago: where the map may be thin.

OpenStreetMap is fuller where more people map. A low score may be the map's and not the street's, so no score of a
neighbourhood should be read without this table.
"""

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd
import shapely

from gisapp.area import StudyArea
from gisapp.quality import Finding, Quality

THIN = 1 / 3  # of the places that the middle neighbourhood's rate would give
LEAST_EXPECTED = 5.0  # below this, few places may be chance
STALE_YEARS = 3
_NAMED = 5
_CODES = ("places_thin", "places_stale", "places_last_edit")


def completeness(area: StudyArea) -> pd.DataFrame:
    """Return the places mapped in each neighbourhood, beside its residents and the dates of the last edits.

    Index ``neighbourhood`` (one row with the area's name where it has none); columns ``residents``, ``places`` (of all
    kinds, the parts of one place once, counted wherever it reaches), ``places_per_1000``, ``expected`` (places, at the
    median of these rates, or if that is 0 at the rate of all), ``thin`` (5 or more expected and at most a third of
    them mapped), ``last_edit`` and ``median_edit`` (ISO dates of the places there; missing where the data has none).
    What needs residents is missing where nobody is counted.

    >>> from gisapp.sources.sample import load_sample
    >>> table = completeness(load_sample())
    >>> len(table), bool((table["places"] > 0).all())
    (9, True)
    """
    shapes, names = _neighbourhoods(area)
    tree, size = shapely.STRtree(shapes), len(names)
    home, of_home = tree.query(area.residents.geometry.to_numpy(), "intersects")
    people = np.bincount(of_home, area.residents["total"].to_numpy(float)[home], minlength=size)
    place, of_place = tree.query(area.places.geometry.to_numpy(), "intersects")
    ids = area.places.index.to_series()
    whole = (
        area.places["part_of"].where(area.places["part_of"].notna(), ids) if "part_of" in area.places else ids
    )
    found = pd.DataFrame({"where": of_place, "place": whole.to_numpy(dtype=object)[place]})
    found["edit"] = _edits(area).to_numpy(dtype=object)[place]
    found = found.drop_duplicates(["where", "place"])
    number = np.bincount(found["where"].to_numpy(np.int64), minlength=size)
    if area.provenance.counts == "missing" or not people.sum():
        people = np.full(size, np.nan)
    table = pd.DataFrame(
        {"residents": people, "places": number}, index=pd.Index(names, name="neighbourhood", dtype=object)
    )
    table["places_per_1000"] = 1000.0 * table["places"] / table["residents"].where(table["residents"] > 0)
    table["expected"] = table["residents"] * _usual_rate(table) / 1000.0
    table["thin"] = (table["expected"] >= LEAST_EXPECTED) & (table["places"] <= THIN * table["expected"])
    days = [sorted(found.loc[found["where"] == n, "edit"].dropna()) for n in range(size)]
    table["last_edit"] = pd.Series([d[-1] if d else None for d in days], index=table.index, dtype=object)
    table["median_edit"] = pd.Series([_median(d) for d in days], index=table.index, dtype=object)
    return table


def with_completeness(area: StudyArea) -> StudyArea:
    """Return the area with a quality report that says where the map looks thin, and how old it is."""
    kept = tuple(f for f in area.quality.findings if f.code not in _CODES)
    quality = Quality(kept, area.quality.missing_kinds)
    for finding in completeness_findings(area):
        quality = quality.add(**vars(finding))
    return area.with_(quality=quality)


def completeness_findings(area: StudyArea) -> list[Finding]:
    """Say which neighbourhoods have conspicuously few places for their people, and how old what is mapped there is."""
    table = completeness(area)
    findings = []
    thin = table[table["thin"]].sort_values("places_per_1000")
    if len(thin):
        rate = _usual_rate(table)
        rates = [f"{name} ({value:.1f})" for name, value in thin["places_per_1000"].items()]
        sentence = (
            f"{len(thin)} of {len(table)} neighbourhoods have conspicuously few places on the map for their people, "
            f"per 1,000 residents: {_named(rates)}; elsewhere it is {rate:.1f}. Are places missing there? Add "
            "those you know."
        )
        findings.append(Finding("places_thin", sentence, "warning", len(thin), len(table)))
    edits = sorted(_edits(area).dropna())
    if not edits:
        if len(area.places):
            sentence = "The data does not say when places were last edited: how old the map is, is unknown."
            findings.append(Finding("places_last_edit", sentence, "note"))
        return findings
    sentence = (
        f"Half of the mapped places were last edited before {_median(edits)}, the latest on {edits[-1]}."
    )
    findings.append(Finding("places_last_edit", sentence, "info", len(edits), len(area.places)))
    since = _years_before(area.provenance.data_date or edits[-1], STALE_YEARS)
    old = table[table["last_edit"].notna() & (table["last_edit"].fillna("9999") < since)].sort_values(
        "last_edit"
    )
    if len(old):
        dates = [f"{name} ({day})" for name, day in old["last_edit"].items()]
        sentence = (
            f"In {len(old)} of {len(table)} neighbourhoods no place on the map was edited in the last {STALE_YEARS} "
            f"years of the data: {_named(dates)}."
        )
        findings.append(Finding("places_stale", sentence, "note", len(old), len(table)))
    return findings


def _neighbourhoods(area: StudyArea) -> tuple["np.ndarray", list[str]]:
    if area.neighbourhoods is not None and len(area.neighbourhoods):
        return area.neighbourhoods.geometry.to_numpy(), area.neighbourhoods["name"].astype(str).tolist()
    outline = area.boundary
    if outline is None:
        outline = shapely.box(*area.streets.nodes.total_bounds)
    return np.array([outline], dtype=object), [area.name]


def _usual_rate(table: pd.DataFrame) -> float:
    """The middle neighbourhood's places per 1,000 (a busy centre sets the whole town's), or if it has none, of all."""
    rates, people = table["places_per_1000"].dropna(), float(table["residents"].sum())
    if rates.empty or not people:
        return float("nan")
    median = float(rates.median())
    return median if median > 0 else 1000.0 * float(table["places"].sum()) / people


def _edits(area: StudyArea) -> "pd.Series[str]":
    """The dates of the last edits by place; missing where the data has none."""
    if "last_edit" in area.places:
        return pd.Series(area.places["last_edit"], dtype=object)
    return pd.Series(None, index=area.places.index, dtype=object)


def _median(days: list[str]) -> str | None:
    return days[(len(days) - 1) // 2] if days else None


def _years_before(day: str, years: int) -> str:
    try:
        then = date.fromisoformat(day[:10])
    except ValueError:  # a year, or nothing
        return f"{int(day[:4]) - years:04d}" if day[:4].isdigit() else ""
    return f"{then.year - years:04d}{then.isoformat()[4:]}"


def _named(items: Iterable[str]) -> str:
    names = list(items)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
