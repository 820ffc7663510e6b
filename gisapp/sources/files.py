"""Vector files of a planner, checked at the door: read, mended, counted and brought to the area's system."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from pyproj import CRS

from gisapp.errors import CRSError, InputError
from gisapp.quality import Finding
from gisapp.shapes import Shapes, mend
from gisapp.sources.addresses import Finder, address_texts, look_up
from gisapp.sources.formats import FileSpec, Opened, has_heights, open_shapes, parse_spec
from gisapp.sources.located import LOOKED_UP
from gisapp.sources.numbers import name_rows

Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees

_DIMENSION = {"points": 0, "lines": 1, "polygons": 2}
_NAMES = (
    "name",
    "naam",
    "nom",
    "nombre",
    "namn",
    "label",
    "denominaci",
    "titel",
    "title",
    "wijk",
    "buurt",
    "barrio",
)
_HALF_WORLD_DEG = 180.0
_NEAR_DEG = 0.05  # what lies this far from the streets' frame is still of the same town


@dataclass(frozen=True)
class Layer:
    """A checked layer: ``frame`` in the area's system, ``rows`` under which its own program shows the rows."""

    frame: gpd.GeoDataFrame
    spec: FileSpec
    rows: npt.NDArray[np.int64]
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.spec.name

    def row(self, n: int) -> str:
        """Return the name of the ``n``-th row for a message."""
        return f"row {self.rows[n]}"


def read_vector(path: str | Path, crs: CRS, *, what: str) -> gpd.GeoDataFrame:
    """Read a vector file and bring it to ``crs``: the frame of ``read_layer``."""
    return read_layer(path, crs, what=what).frame


def read_layer(
    source: str | Path,
    crs: CRS,
    *,
    what: str,
    shapes: Sequence[str] = ("points", "lines", "polygons"),
    near: Bounds | None = None,
    find: Finder | None = None,
) -> Layer:
    """Read a file with shapes and bring it to ``crs``.

    ``source``: a path, with options behind it (``FILE|layername=NAME|crs=EPSG:31370|encoding=cp1252``). ``what`` names
    the table in messages ("residents"). ``shapes``: what is wanted. ``near``: the streets' bounds in degrees; a layer
    that lies elsewhere is refused, and told if it would fit with latitude and longitude swapped. ``find``: looks up
    the addresses of places that have no coordinates.

    Rows without a shape are left out and broken shapes mended, both counted in ``findings``; heights are dropped.
    Raises ``MissingError`` where there is no file or layer, ``CRSError`` where the coordinate system is missing or
    cannot be meant, and ``InputError`` on anything else that cannot be used.
    """
    spec = parse_spec(source, what=what)
    opened = open_shapes(spec, what=what)
    where = f"{what}: '{spec.name}'"
    if what == LOOKED_UP:
        opened = look_up(opened, find, what=what, name=spec.name)
    given = opened.frame.geometry.to_numpy()
    if not len(given):
        raise InputError(f"{where} has no rows. Is it the right layer? Export it again.")
    _check_finite(given, opened, where)
    present = ~(shapely.is_missing(given) | shapely.is_empty(given))
    told = np.zeros(len(given), dtype=bool)
    if what == LOOKED_UP:  # rows with an address are told of already
        told = ~present & np.array([t is not None for t in address_texts(opened.frame)], dtype=bool)
    if not present.any() and told.any():
        raise InputError(
            f"{where}: no address was found online near the town. Correct them, or add columns 'lon' and 'lat'."
            if find
            else f"{where} has addresses and no coordinates ({told.sum()} of {len(given)} rows). Say --geocode "
            "(geocode=True) to look them up online, or add columns 'lon' and 'lat'."
        )
    if not present.any():
        raise InputError(
            f"{where} holds no shape in any of its {len(given)} rows. Use a layer with points or polygons."
        )
    system = _known_crs(opened.frame.crs, given[present], where, spec)
    _check_width(given[present], system, where)
    findings = list(opened.findings)

    def note(code: str, sentence: str, count: int) -> None:
        findings.append(
            Finding(f"{what}_{code}:{spec.name}", f"{where}: {sentence}", "note", count, len(given))
        )

    if not (present | told).all():
        bare = ~present & ~told
        rows = name_rows(np.flatnonzero(bare), opened.row)
        note(
            "empty",
            f"{bare.sum()} of {len(given)} rows have no shape and were left out ({rows}).",
            bare.sum(),
        )
    if heights := has_heights(given[present]):
        note("heights", f"heights or measures of {heights} shapes were dropped.", heights)
    frame = opened.frame[present]
    moved = _moved(frame.set_crs(system, allow_override=True), crs, where)
    flat, mended = mend(moved.geometry.to_numpy())
    if mended.any():
        rows = name_rows(opened.rows[present][mended], lambda n: f"row {n}")
        note("mended", f"{mended.sum()} broken shapes (such as outlines that cross themselves) were mended ({rows}).",
             mended.sum())  # fmt: skip
    kept = ~shapely.is_missing(flat)
    moved = moved[kept].set_geometry(flat[kept], crs=crs).reset_index(drop=True)
    layer = Layer(moved, spec, opened.rows[present][kept], tuple(findings))
    _check_shapes(layer, shapes, where)
    if near is not None:
        _check_near(given[present], system, near, where)
    if system.is_geographic and system != crs:
        sentence = f"{where} is in degrees ({system.to_string()}) and was brought to {crs.to_string()}."
        layer = Layer(layer.frame, spec, layer.rows,
                      (*findings, Finding(f"{what}_reprojected:{spec.name}", sentence)))  # fmt: skip
    return layer


def name_column(frame: gpd.GeoDataFrame, *, what: str) -> "pd.Series[str]":
    """Return the column that names the rows: one called like a name, else the first with values all different.

    Rows without a name are numbered, and a name met again gets its number (``attrs["again"]``: how many): no two areas
    are called the same.
    """
    columns = [c for c in frame.columns if c != frame.geometry.name and frame[c].notna().any()]
    texts = [c for c in columns if pd.api.types.is_string_dtype(frame[c].dropna())]
    lower = {c: str(c).lower() for c in texts}
    for fits in (str.__eq__, str.__contains__):
        for wanted in _NAMES:
            for column in texts:
                if fits(lower[column], wanted):
                    return _distinct(frame[column])
    for column in [*texts, *(c for c in columns if c not in texts)]:
        if frame[column].is_unique and not pd.api.types.is_float_dtype(frame[column]):
            return _distinct(frame[column])
    raise InputError(f"{what}: no column names the areas. Add a column 'name'.")


def _distinct(values: "pd.Series[Any]") -> "pd.Series[str]":
    texts = pd.Series(
        [str(v).strip() if pd.notna(v) else "" for v in values], index=values.index, dtype=object
    )
    number = pd.Series(np.arange(1, len(texts) + 1).astype(str), index=texts.index)
    texts = texts.where(texts != "", "Area " + number)
    again = texts.groupby(texts).cumcount()
    distinct = texts.where(again == 0, texts + " (" + (again + 1).astype(str) + ")")
    distinct.attrs["again"] = int((again > 0).sum())
    return distinct


def _check_finite(shapes: Shapes, opened: Opened, where: str) -> None:
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    wrong = np.unique(owner[~np.isfinite(xy).all(axis=1)])
    if len(wrong):
        raise InputError(
            f"{where} has coordinates that are no numbers (not finite) in {name_rows(wrong, opened.row)}. Draw these "
            "again or delete them."
        )


def _known_crs(crs: CRS | None, shapes: Shapes, where: str, spec: FileSpec) -> CRS:
    """The layer's coordinate system, if it can be the one that its coordinates are in."""
    if crs is None:
        raise CRSError(
            f"{where} has no coordinate system. Set it in your GIS (in QGIS: Layer > Set CRS) and save again, or name "
            f"it: '{spec.name}|crs=EPSG:31370'."
        )
    system = CRS.from_user_input(crs)
    west, south, east, north = shapely.total_bounds(shapes)
    in_degrees = max(abs(west), abs(east)) <= 360 and max(abs(south), abs(north)) <= 90
    if system.is_geographic and not in_degrees:
        if max(abs(west), abs(east)) <= 90 and max(abs(south), abs(north)) <= 360:
            raise CRSError(
                f"{where} has latitudes of up to {max(abs(south), abs(north)):.0f} degrees: latitude and longitude are "
                "swapped. Swap the two and save again."
            )
        raise CRSError(
            f"{where} says that it is in degrees ({system.to_string()}), but has coordinates such as {west:.8g}, "
            f"{south:.8g}: these are metres. Name the right system: '{spec.name}|crs=EPSG:31370'."
        )
    if not system.is_geographic and in_degrees and not (west == east == south == north == 0):
        raise CRSError(
            f"{where} says that it is in {system.to_string()}, but has coordinates such as {west:.4f}, {south:.4f}: "
            f"these are degrees. Name the right system: '{spec.name}|crs=EPSG:4326'."
        )
    return system


def _check_width(shapes: Shapes, system: CRS, where: str) -> None:
    west, _, east, _ = shapely.total_bounds(shapes)
    if system.is_geographic and east - west > _HALF_WORLD_DEG:
        raise InputError(
            f"{where} reaches from longitude {west:.2f} to {east:.2f}, around the world. If it crosses the 180th "
            "meridian, give longitudes beyond it as 180 and more, or cut off what lies behind it."
        )


def _moved(frame: gpd.GeoDataFrame, crs: CRS, where: str) -> gpd.GeoDataFrame:
    moved = frame.to_crs(crs)
    if not np.isfinite(moved.total_bounds).all():
        raise CRSError(
            f"{where}: its coordinates do not fit its coordinate system {frame.crs.to_string()}. Were latitude and "
            "longitude swapped, or another system meant?"
        )
    return moved


def _check_shapes(layer: Layer, wanted: Sequence[str], where: str) -> None:
    dimension = shapely.get_dimensions(layer.frame.geometry.to_numpy())
    wrong = np.flatnonzero(~np.isin(dimension, [_DIMENSION[name] for name in wanted]))
    if len(wrong):
        found = next(name for name, d in _DIMENSION.items() if d == dimension[wrong[0]])
        raise InputError(
            f"{where} has {found} in {name_rows(wrong, layer.row)}, where {' or '.join(wanted)} are wanted. Use "
            "another layer, or leave these rows out."
        )


def _check_near(shapes: Shapes, system: CRS, near: Bounds, where: str) -> None:
    west, south, east, north = shapely.total_bounds(shapes)
    here = _degrees((west, south, east, north), system)
    if here is not None and _meet(here, near):
        return
    swapped = _degrees((south, west, north, east), system)
    if swapped is not None and _meet(swapped, near):
        raise InputError(
            f"{where} lies far from the streets, and would lie among them with latitude and longitude swapped (x and "
            "y). Swap the two columns, or the axes in your GIS, and save again: here, or in the streets."
        )
    found = "beyond its coordinate system" if here is None else (
        f"between longitude {here[0]:.2f} and {here[2]:.2f}, latitude {here[1]:.2f} and {here[3]:.2f}"
    )  # fmt: skip
    raise InputError(
        f"{where} does not overlap the streets: it lies {found}, they between longitude {near[0]:.2f} and "
        f"{near[2]:.2f}, latitude {near[1]:.2f} and {near[3]:.2f}. Use files of the same town."
    )


def _degrees(bounds: Bounds, system: CRS) -> Bounds | None:
    turn = pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    found = turn.transform_bounds(*bounds)
    return found if np.isfinite(found).all() and max(abs(found[1]), abs(found[3])) <= 90 else None


def _meet(here: Bounds, near: Bounds) -> bool:
    return (
        here[0] <= near[2] + _NEAR_DEG and here[2] >= near[0] - _NEAR_DEG
        and here[1] <= near[3] + _NEAR_DEG and here[3] >= near[1] - _NEAR_DEG
    )  # fmt: skip


def bounds_of(frame: gpd.GeoDataFrame) -> Bounds:
    """Return the bounds of a frame in degrees."""
    west, south, east, north = frame.to_crs("EPSG:4326").total_bounds
    return float(west), float(south), float(east), float(north)
