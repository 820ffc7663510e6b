"""Where the rows of a table lie: WKT, longitude and latitude, or x and y in their columns."""

import re
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from gisapp.errors import CRSError, InputError, raise_faults
from gisapp.places import fold_name as fold
from gisapp.sources.numbers import name_rows, read_numbers
from gisapp.sources.tables import Table

LON = (
    "lon",
    "lng",
    "long",
    "longitude",
    "lengtegraad",
    "coordlon",
    "lonwgs84",
    "xwgs84",
    "wgs84lon",
    "geolon",
)
LAT = ("lat", "latitud", "latitude", "breedtegraad", "coordlat", "latwgs84", "ywgs84", "wgs84lat", "geolat")
X = ("x", "xcoord", "xcoordinaat", "coordx", "easting", "oost", "lambertx", "xlambert", "xlambert72", "xlambert08",
     "xl72", "xl08", "xm", "pointx")  # fmt: skip
Y = ("y", "ycoord", "ycoordinaat", "coordy", "northing", "noord", "lamberty", "ylambert", "ylambert72", "ylambert08",
     "yl72", "yl08", "ym", "pointy")  # fmt: skip
WKT = ("wkt", "geometry", "geom", "thegeom", "shape", "wktgeometry", "geometrie")
ADDRESS = ("adres", "address", "adresse", "straat", "street", "rue", "straatnaam")
LOOKED_UP = "places"  # the only table whose addresses may be looked up
_WKT_START = re.compile(
    r"\s*(?:SRID=(\d{4,6});)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)", re.I
)


def locate(table: Table, *, what: str, name: str, crs: CRS | None) -> gpd.GeoDataFrame:
    """Give a table the shapes that its columns tell: WKT, longitude and latitude, or x and y in ``crs``.

    A row without any has no shape; in a list of places, it may have an address (see ``addresses``), which in any
    other table is refused. Raises ``InputError`` where no column tells a place, or one holds no number, and
    ``CRSError`` where x and y are metres of an unknown system.
    """
    frame, folded = table.frame, {fold(str(c)): c for c in table.frame.columns}
    if frame.empty:
        raise InputError(f"{what}: '{name}' has column names and no rows. Put data below them.")
    wkt = [folded[n] for n in WKT if n in folded] + [c for c in frame if _is_wkt(frame[c])]
    if wkt and _is_wkt(frame[wkt[0]]):
        return _from_wkt(table, str(wkt[0]), crs, what=what, name=name)
    for ours, system in (((LON, LAT), CRS("EPSG:4326")), ((X, Y), crs)):
        pair = [next((folded[n] for n in names if n in folded), None) for names in ours]
        if pair[0] is not None and pair[1] is not None:
            return _from_columns(table, str(pair[0]), str(pair[1]), system, what=what, name=name)
    address = [folded[n] for n in ADDRESS if n in folded]
    if address and what == LOOKED_UP:
        return gpd.GeoDataFrame(frame, geometry=np.full(len(frame), None, dtype=object), crs="EPSG:4326")
    raise InputError(
        f"{what}: '{name}' has addresses (column '{address[0]}') and no coordinates. Add columns 'lon' and 'lat': "
        "addresses of people are never looked up online."
        if address
        else f"{what}: '{name}' has no column that says where its rows lie; it has {_columns(frame)}. Add columns "
        "'lon' and 'lat', or save it from your GIS as GeoPackage."
    )


def _from_wkt(table: Table, column: str, crs: CRS | None, *, what: str, name: str) -> gpd.GeoDataFrame:
    texts = table.frame[column].map(lambda v: v if isinstance(v, str) and v.strip() else None)
    parts = texts.astype("string").str.extract(r"^\s*(?:SRID=(\d+);)?(.*)$", flags=re.I | re.S)
    systems = sorted(set(parts[0].dropna()))
    if len(systems) > 1:
        rows = [int(np.flatnonzero((parts[0] == s).fillna(False).to_numpy(bool))[0]) for s in systems[:2]]
        raise CRSError(
            f"{what}: '{name}' mixes two coordinate systems, EPSG:{systems[0]} ({table.row(rows[0])}) and "
            f"EPSG:{systems[1]} ({table.row(rows[1])}). Bring all rows to one."
        )
    shapes = shapely.from_wkt(
        parts[1].astype(object).where(parts[1].notna(), None).to_numpy(dtype=object), on_invalid="ignore"
    )
    lost = shapely.is_missing(shapes) & texts.notna().to_numpy(bool)
    if lost.any():
        rows_named = name_rows(np.flatnonzero(lost), table.row)
        raise InputError(
            f"{what}: '{name}' holds no WKT in {rows_named} of column '{column}'. Write POINT (4.48 51.03)."
        )
    system = (
        CRS.from_epsg(int(systems[0])) if systems else crs or _guess(shapely.total_bounds(shapes), what, name)
    )
    return gpd.GeoDataFrame(table.frame.drop(columns=column), geometry=shapes, crs=system)


def _from_columns(table: Table, x: str, y: str, crs: CRS | None, *, what: str, name: str) -> gpd.GeoDataFrame:
    values = []
    faults = []
    for column in (x, y):
        numbers, wrong = read_numbers(table.frame[column])
        if wrong.any():
            rows = name_rows(np.flatnonzero(wrong), table.row)
            text = str(table.frame[column].iloc[int(np.argmax(wrong))])[:40]
            faults.append(
                f"{what}: '{name}' holds no coordinate in {rows} of column '{column}' ('{text}'). Correct it, or leave "
                "it empty."
            )
        values.append(numbers)
    raise_faults(faults)
    given = np.isfinite(values[0]) & np.isfinite(values[1])
    half = np.isfinite(values[0]) != np.isfinite(values[1])
    if half.any():
        rows = name_rows(np.flatnonzero(half), table.row)
        raise InputError(
            f"{what}: '{name}' gives only one of '{x}' and '{y}' in {rows}. Give both or neither."
        )
    if what != LOOKED_UP:
        _check_addresses(table, given, what, name)
    shapes = np.full(len(table.frame), None, dtype=object)
    shapes[given] = shapely.points(values[0][given], values[1][given])
    if not given.any() and what == LOOKED_UP and any(fold(str(c)) in ADDRESS for c in table.frame):
        crs = CRS("EPSG:4326")
    elif not given.any():
        raise InputError(f"{what}: '{name}' has no coordinate in '{x}' and '{y}'. Fill these columns in.")
    if crs is None:
        crs = _guess(shapely.total_bounds(shapes), what, name)
    return gpd.GeoDataFrame(table.frame.drop(columns=[x, y]), geometry=shapes, crs=crs)


def _check_addresses(table: Table, given: npt.NDArray[np.bool_], what: str, name: str) -> None:
    folded = {fold(str(c)): c for c in table.frame.columns}
    for column in (folded[n] for n in ADDRESS if n in folded):
        only = table.frame[column].notna().to_numpy(bool) & ~given
        if only.any():
            rows = name_rows(np.flatnonzero(only), table.row)
            raise InputError(
                f"{what}: '{name}' has an address and no coordinates in {rows}. Fill these in: addresses of people "
                "are never looked up online."
            )


def _guess(bounds: npt.NDArray[np.float64], what: str, name: str) -> CRS:
    if np.abs(bounds[[0, 2]]).max() <= 180 and np.abs(bounds[[1, 3]]).max() <= 90:
        return CRS("EPSG:4326")
    raise CRSError(
        f"{what}: '{name}' has coordinates in metres and does not say in which system. Name it, for instance "
        f"'{name}|crs=EPSG:31370', or give columns 'lon' and 'lat'."
    )


def _is_wkt(values: "pd.Series[Any]") -> bool:
    texts = [v for v in values if isinstance(v, str) and v.strip()]
    return bool(texts) and all(_WKT_START.match(t) for t in texts[:20])


def _columns(frame: pd.DataFrame) -> str:
    names = [f"'{c}'" for c in frame.columns]
    return (
        ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        if names
        else "no columns"
    )
