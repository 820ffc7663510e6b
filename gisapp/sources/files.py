"""Vector files of a planner, read and checked at the door."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gisapp.errors import CRSError, InputError, MissingError


def read_vector(path: str | Path, crs: CRS, *, what: str) -> gpd.GeoDataFrame:
    """Read a vector file and bring it to ``crs``.

    ``what`` names the table in messages ("residents"). Empty geometries are dropped and invalid ones mended. Raises
    ``MissingError`` where there is no file, ``CRSError`` where it has no coordinate system and ``InputError``
    where it holds no geometry or its coordinates lie outside the system's range.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingError(f"{what}: there is no file '{path}'. Check the path.")
    try:
        frame = gpd.read_parquet(path) if path.suffix in (".parquet", ".geoparquet") else gpd.read_file(path)
    except Exception as fault:
        raise InputError(
            f"{what}: '{path}' cannot be read as a vector file ({_first_line(fault)}). Export it again, for "
            "instance as GeoPackage."
        ) from fault
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.isna().all():
        raise InputError(f"{what}: '{path}' holds no geometry. Use a layer with points or polygons.")
    if frame.crs is None:
        raise CRSError(
            f"{what}: '{path}' has no coordinate system. Set it in your GIS (in QGIS: Layer > Set CRS) and save again."
        )
    shapes = frame.geometry.to_numpy()
    frame = frame[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if frame.empty:
        raise InputError(f"{what}: '{path}' holds only empty geometries.")
    moved = frame.to_crs(crs)
    if not np.isfinite(moved.total_bounds).all():
        raise CRSError(
            f"{what}: coordinates in '{path}' do not fit its coordinate system {frame.crs.to_string()}. "
            "Were latitude and longitude swapped, or another system meant?"
        )
    # Measures, heights and broken rings carry no people.
    return moved.set_geometry(shapely.make_valid(shapely.force_2d(moved.geometry.to_numpy())), crs=crs)


def name_column(frame: gpd.GeoDataFrame, *, what: str) -> "pd.Series[str]":
    """Return the column that names the rows: one called like a name, else the first with texts all different."""
    texts = [c for c in frame.columns if c != frame.geometry.name and _is_text(frame[c])]
    for wanted in ("name", "naam", "nom", "nombre", "denominaci", "label"):
        for column in texts:
            if wanted in str(column).lower():
                return pd.Series(frame[column].astype(str))
    for column in texts:
        if frame[column].is_unique:
            return pd.Series(frame[column].astype(str))
    raise InputError(f"{what}: no column names the areas. Add a column 'name'.")


def _is_text(values: "pd.Series[str]") -> bool:
    return bool(pd.api.types.is_string_dtype(values)) and bool(values.notna().all())


def _first_line(fault: Exception) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0][:200]
