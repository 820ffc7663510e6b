"""The cells in which residents are counted before anything is told of them: none of fewer than 50 people."""

import heapq
import warnings
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisapp.errors import CRSError, InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Names = npt.NDArray[np.object_]

GRID_M = 100.0
LEAST_RESIDENTS = 50
# Sums to a millionth of a person: the last bits of a float would tell how it was added up.
DECIMALS = 6


def by_home(values: Any, residents: pd.DataFrame, what: str) -> "pd.Series[Any]":
    """Return one value a home, from a series by ``home_id`` or values in row order."""
    if isinstance(values, pd.Series):
        lacking = ~residents.index.isin(values.index)
        if lacking.any() or not values.index.is_unique:
            raise InputError(
                f"{what}: {int(lacking.sum())} homes are not in its index; give one row a home, by home_id."
            )
        return values.reindex(residents.index)
    if len(values) != len(residents):
        raise InputError(f"{what}: holds {len(values)} values for {len(residents)} homes; give one a home.")
    return pd.Series(values, index=residents.index)


def has_geometry(residents: pd.DataFrame) -> bool:
    """Say whether homes lie anywhere."""
    return isinstance(residents, gpd.GeoDataFrame) and residents.active_geometry_name is not None


def coordinates(residents: pd.DataFrame) -> Floats:
    """Return the homes' points in metres (n, 2), NaN where a home has none. Raises ``CRSError`` on degrees or feet."""
    if not has_geometry(residents):
        return np.full((len(residents), 2), np.nan)
    crs = residents.crs
    if crs is None:
        warnings.warn("residents: no coordinate system; taken to be metres.", UserWarning, stacklevel=3)
    elif crs.is_geographic or crs.axis_info[0].unit_conversion_factor != 1:
        raise CRSError(f"residents: {crs.to_string()} is not in metres; bring them to a projected CRS first.")
    points = shapely.centroid(residents.geometry.to_numpy())
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


@dataclass(frozen=True)
class Partition:
    """``code``: each home's cell; ``ids``: the cells' names, lowest first; ``labels``: these as they were given."""

    code: Ints
    ids: list[str]
    labels: Names


def build_partition(residents: pd.DataFrame, zones: Any, xy: Floats) -> Partition:
    """Return the cell of each home: its zone, else its square of 100 m (``E3717N48434``: its lower left corner)."""
    if isinstance(zones, gpd.GeoDataFrame):
        given = _zones_at(residents, zones, xy)
    elif zones is not None:
        given = by_home(zones, residents, "zones")
    else:
        given = residents.get("zone_id", pd.Series(np.nan, index=residents.index))
    given = given.infer_objects()
    missing = given.isna().to_numpy(bool)
    lost = missing & np.isnan(xy).any(axis=1)
    if lost.any():
        raise InputError(
            f"residents: {int(lost.sum())} homes have neither a zone nor a point ('{residents.index[lost][0]}' the "
            "first). Give each a zone (zones=, or a column zone_id) or geometry, for a 100 m grid."
        )
    labels = given.astype(object).to_numpy(dtype=object, copy=True)
    east, north = np.floor(xy[missing] / GRID_M).astype(np.int64).T
    labels[missing] = [f"E{e}N{n}" for e, n in zip(east, north, strict=True)]
    texts = np.array([_text(label) for label in labels], dtype=object)
    ids, code = np.unique(texts.astype(str), return_inverse=True)
    first = np.full(len(ids), len(texts))
    np.minimum.at(first, code, np.arange(len(texts)))
    if pd.api.types.is_numeric_dtype(given) and not missing.any():
        order = np.argsort(given.to_numpy(np.float64)[first], kind="stable")  # 9 is lower than 10
        rank = np.empty(len(ids), dtype=np.int64)
        rank[order] = np.arange(len(ids))
        ids, first, code = ids[order], first[order], rank[code]
    return Partition(code.astype(np.int64), [str(i) for i in ids], labels[first])


def _text(label: Any) -> str:
    """The name of a cell: a blank elsewhere makes 7 a 7.0, which is the same cell."""
    return (
        str(int(label))
        if isinstance(label, float | np.floating) and float(label).is_integer()
        else str(label)
    )


def _zones_at(residents: pd.DataFrame, zones: gpd.GeoDataFrame, xy: Floats) -> "pd.Series[Any]":
    """The zone that each home lies in; on a seam, the one of the lowest id."""
    crs = getattr(residents, "crs", None)
    if crs is not None and zones.crs is not None and zones.crs != crs:
        zones = zones.to_crs(crs)
    zones = zones.sort_index()
    found = pd.Series(np.nan, index=residents.index, dtype=object)
    known = np.flatnonzero(~np.isnan(xy).any(axis=1))
    row, zone = shapely.STRtree(zones.geometry.to_numpy()).query(
        shapely.points(xy[known]), predicate="intersects"
    )
    first = pd.DataFrame({"row": known[row], "zone": zone}).groupby("row")["zone"].min()
    found.iloc[first.index.to_numpy()] = zones.index.to_numpy(dtype=object)[first.to_numpy()]
    return found


def join_small(cells: Partition, total: Floats, xy: Floats) -> Ints:
    """Return what each cell ends in: itself, or the cell it joins because fewer than 50 people live in it.

    Smallest first, to the nearest resident-weighted centroid; ties to the lowest id. ``total``, ``xy``: a row a home.
    """
    n = len(cells.ids)
    located = ~np.isnan(xy).any(axis=1)
    at, people, xy = cells.code[located], total[located], xy[located]
    size = sums_by_cell(cells.code, total[:, None], n)[:, 0]
    weight = np.bincount(at, people, n).astype(np.float64)
    x, y = (_centres(at, people, metres, n, weight) for metres in xy.T)
    joined = np.arange(n)
    queue = [(people, cell) for cell, people in enumerate(size) if people < LEAST_RESIDENTS]
    heapq.heapify(queue)
    left = n
    while queue and left > 1:
        people_there, small = heapq.heappop(queue)
        if joined[small] != small or people_there != size[small]:  # an older entry
            continue
        into = _nearest(small, x, y) if left > 2 else _other(small, joined)
        if into is None:
            raise InputError(
                f"residents: zone '{cells.ids[small]}' has fewer than {LEAST_RESIDENTS} residents, and without "
                "geometry nobody can say which zone is nearest. Join it to a neighbour in zones, or give points."
            )
        both = weight[into] + weight[small]
        if both > 0:
            x[into], y[into] = (
                sum(c[k] * weight[k] for k in (into, small) if weight[k] > 0) / both for c in (x, y)
            )
        weight[into], size[into] = both, round(size[into] + size[small], DECIMALS)
        x[small], joined[small], left = np.inf, into, left - 1
        if size[into] < LEAST_RESIDENTS:
            heapq.heappush(queue, (size[into], into))
    while (joined != joined[joined]).any():
        joined = joined[joined]
    return joined


def _centres(code: Ints, people: Floats, metres: Floats, n: int, weight: Floats) -> Floats:
    """One coordinate of the resident-weighted centroids; infinite where a cell has no point, plain without people."""
    number = np.bincount(code, minlength=n)
    plain = np.bincount(code, metres, n) / np.maximum(number, 1)
    weighted = np.bincount(code, people * metres, n) / np.where(weight > 0, weight, 1.0)
    return np.where(number == 0, np.inf, np.where(weight > 0, weighted, plain))


def _nearest(small: int, x: Floats, y: Floats) -> int | None:
    """The nearest other cell; equal to within a micrometre, the lowest id. Cells that are gone are at infinity."""
    if not np.isfinite(x[small]):
        return None
    apart = (x - x[small]) ** 2 + (y - y[small]) ** 2
    apart[small] = np.inf
    least = apart.min()
    if not np.isfinite(least):
        return None
    return int(np.argmax(apart <= (np.sqrt(least) + 1e-6) ** 2))


def _other(small: int, joined: Ints) -> int:
    standing = np.flatnonzero(joined == np.arange(len(joined)))
    return int(standing[standing != small][0])


def sums_by_cell(code: Ints, values: Floats, n: int) -> Floats:
    """Return sums of ``values`` (homes, columns) by cell, to a millionth."""
    sums = [np.bincount(code, column, n) for column in values.T]
    return np.round(np.array(sums).T.reshape(n, values.shape[1]), DECIMALS)
