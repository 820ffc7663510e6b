"""Rows of a planner's list that give an address and no coordinates: counted, and looked up online only when asked."""

from collections.abc import Callable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisapp.places import fold_name as fold
from gisapp.quality import Finding
from gisapp.sources.formats import Opened
from gisapp.sources.located import ADDRESS
from gisapp.sources.numbers import name_rows

# Finds where addresses lie, in longitude and latitude; None where one is not found.
Finder = Callable[[Sequence[str]], Sequence["shapely.Point | None"]]
NUMBER = ("huisnummer", "huisnr", "nummer", "nr", "housenumber", "number", "numero")
_POSTCODE = ("postcode", "postalcode", "zip", "zipcode", "codepostal", "codigopostal", "cp")
_TOWN = (
    "gemeente",
    "stad",
    "woonplaats",
    "plaats",
    "city",
    "town",
    "municipality",
    "commune",
    "ville",
    "municipio",
)


def address_texts(frame: pd.DataFrame) -> list[str | None]:
    """Return the address of each row in one line, from columns known by their names; None where it has none.

    >>> address_texts(pd.DataFrame({"Straat": ["Markt", None], "Nr": ["3", "4"], "Gemeente": ["Mechelen", "Mechelen"]}))
    ['Markt 3, Mechelen', None]
    """
    folded = {fold(str(c)): c for c in frame.columns}

    def cell(names: Sequence[str], n: int) -> str:
        values = [frame[folded[name]].iloc[n] for name in names if name in folded]
        return next((_text(v) for v in values if _text(v)), "")

    texts: list[str | None] = []
    for n in range(len(frame)):
        street, number = cell(ADDRESS, n), cell(NUMBER, n)
        line = street if not number or number in street.split() else f"{street} {number}"
        town = " ".join(filter(None, (cell(_POSTCODE, n), cell(_TOWN, n))))
        texts.append(", ".join(filter(None, (line, town))) if street else None)
    return texts


def is_house_number(column: str, frame: pd.DataFrame) -> bool:
    """Tell whether a column numbers the houses of a street, and not the rows of a list.

    >>> is_house_number("Nr", pd.DataFrame(columns=["Straat", "Nr"]))
    True
    """
    return fold(column) in NUMBER and any(fold(str(c)) in ADDRESS for c in frame.columns)


def look_up(opened: Opened, find: Finder | None, *, what: str, name: str) -> Opened:
    """Give rows that have only an address the place where ``find`` finds it; without ``find``, say how many there are.

    What was found, was not found or was not asked for stands in ``findings``, by row.
    """
    shapes = opened.frame.geometry.to_numpy()
    texts = address_texts(pd.DataFrame(opened.frame.drop(columns=opened.frame.geometry.name)))
    bare = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    rows = np.flatnonzero(bare & np.array([text is not None for text in texts], dtype=bool))
    if not len(rows):
        return opened
    where = f"{what}: '{name}'"
    if find is None:
        sentence = (
            f"{where}: {len(rows)} of {len(shapes)} rows give an address and no coordinates, and were left out "
            f"({name_rows(rows, opened.row)}). Say --geocode to look them up online, or add columns 'lon' and 'lat'."
        )
        finding = Finding(f"{what}_addresses:{name}", sentence, "warning", len(rows), len(shapes))
        return Opened(opened.frame, opened.rows, (*opened.findings, finding))
    points = gpd.GeoSeries(list(find([str(texts[n]) for n in rows])), crs="EPSG:4326")
    found = points.notna().to_numpy()
    filled = shapes.copy()
    filled[rows] = points.to_crs(opened.frame.crs).to_numpy()
    findings = []
    if found.any():
        named = name_rows(rows[found], opened.row)
        sentence = f"{where}: {found.sum()} rows lie where their address was found online ({named})."
        findings.append(Finding(f"{what}_geocoded:{name}", sentence, "note", found.sum(), len(shapes)))
    if not found.all():
        sentence = (
            f"{where}: {(~found).sum()} of {len(rows)} addresses were not found near the town, and their rows were "
            f"left out ({name_rows(rows[~found], opened.row)}). Correct them, or add columns 'lon' and 'lat'."
        )
        findings.append(Finding(f"{what}_not_found:{name}", sentence, "warning", (~found).sum(), len(rows)))
    frame = opened.frame.set_geometry(filled, crs=opened.frame.crs)
    return Opened(frame, opened.rows, (*opened.findings, *findings))


def _text(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())
