"""Squares of the projected grid, and the resident-weighted means of what their homes have."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CELL_M = 100.0


@dataclass(frozen=True)
class Cells:
    """The squares in which people live.

    ``frame``: index ``cell_id`` (``E3717N48434``: the lower left corner in cell sizes), column ``residents``
    and the square, cut at the land's edge. ``of_home``: ``cell_id`` of each home of the core, index
    ``home_id``, missing where nobody lives. CRS: the homes'.
    """

    frame: gpd.GeoDataFrame
    of_home: pd.Series
    size_m: float = CELL_M


def build_cells(
    residents: gpd.GeoDataFrame, *, size_m: float = CELL_M, land: shapely.Geometry | None = None
) -> Cells:
    """Build the squares of ``size_m`` metres that hold residents of the core.

    ``residents``: homes as points in a projected CRS in metres, with ``total`` and, if not everybody is
    meant, ``core``. ``land``: where given, squares are cut at its edge, for the eye only.

    >>> homes = gpd.GeoDataFrame({"total": [3, 5, 0]}, index=["a", "b", "c"], crs=32632,
    ...                          geometry=gpd.points_from_xy([10, 90, 250], [5, 5, 5]))
    >>> build_cells(homes).frame["residents"].to_dict()
    {'E0N0': 8.0}
    """
    homes = residents[residents["core"].astype(bool)] if "core" in residents else residents
    column = np.floor(homes.geometry.x.to_numpy() / size_m).astype(np.int64)
    row = np.floor(homes.geometry.y.to_numpy() / size_m).astype(np.int64)
    ids = pd.Series(
        [f"E{c}N{r}" for c, r in zip(column, row, strict=True)], index=homes.index, name="cell_id"
    )
    table = pd.DataFrame(
        {"cell_id": ids, "column": column, "row": row, "residents": homes["total"].astype(float)}
    )
    table = table.groupby("cell_id", sort=True).agg({"column": "first", "row": "first", "residents": "sum"})
    table = table[table["residents"] > 0]
    west = table["column"].to_numpy() * size_m
    south = table["row"].to_numpy() * size_m
    squares = shapely.box(west, south, west + size_m, south + size_m)
    if land is not None:
        squares = _cut(squares, land)
    frame = gpd.GeoDataFrame({"residents": table["residents"]}, geometry=squares, crs=residents.crs)
    return Cells(frame, ids.where(ids.isin(frame.index)), size_m)


def _cut(squares: np.ndarray, land: shapely.Geometry) -> np.ndarray:
    shapely.prepare(land)
    edge = np.flatnonzero(~shapely.contains_properly(land, squares))
    cut = shapely.intersection(squares[edge], land)
    # A square that has people but no land (a pier, a house on the water) stays whole: people are not lost.
    keep = ~shapely.is_empty(cut) & (shapely.get_dimensions(cut) == 2)
    squares[edge[keep]] = cut[keep]
    return squares


def cell_means(cells: Cells, values: pd.Series, weights: pd.Series) -> pd.Series:
    """Return the weighted mean of ``values`` (index ``home_id``) over the homes of each square.

    NaN means unknown and is left out; infinity means "none within the horizon": a square is infinite where
    more than half of its people are, else they are left out. Unknown where nobody's value is known.

    >>> homes = gpd.GeoDataFrame({"total": [3, 1]}, index=["a", "b"], crs=32632,
    ...                          geometry=gpd.points_from_xy([10, 90], [5, 5]))
    >>> cell_means(build_cells(homes), pd.Series({"a": 4.0, "b": 8.0}), homes["total"]).tolist()
    [5.0]
    """
    table = pd.DataFrame(
        {
            "cell_id": cells.of_home,
            "value": values.reindex(cells.of_home.index).astype(float),
            "weight": weights.reindex(cells.of_home.index).astype(float),
        }
    ).dropna()
    beyond = np.isinf(table["value"])
    table["beyond"] = table["weight"].where(beyond, 0.0)
    table["inside"] = table["weight"].where(~beyond, 0.0)
    table["sum"] = table["value"].where(~beyond, 0.0) * table["inside"]
    sums = table.groupby("cell_id")[["beyond", "inside", "sum"]].sum().reindex(cells.frame.index)
    means: pd.Series[float] = sums["sum"] / sums["inside"].where(sums["inside"] > 0)
    return means.mask(sums["beyond"] > sums["inside"], np.inf)
