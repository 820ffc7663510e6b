"""People shared out to the buildings they may live in, so that walks begin at front doors.

Totals are conserved: what a zone holds is what its homes hold, group by group.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisapp.area import Streets

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# OpenStreetMap's values of `building` that people live in. `yes` counts where nothing else says what it is.
_HOUSES = "apartments,house,residential,detached,semidetached_house,terrace,dormitory,bungalow,cabin,farm"
_OTHER_HOMES = "static_caravan,houseboat,tower_block,tenement"
RESIDENTIAL = frozenset(f"{_HOUSES},{_OTHER_HOMES}".split(","))
_OTHER_USE = (
    "amenity", "shop", "office", "tourism", "leisure", "industrial", "man_made", "military", "power",
    "public_transport", "railway", "aeroway", "craft", "healthcare", "historic", "landuse", "parking", "religion",
    "government", "sport",
)  # fmt: skip
LEVELS_NEAR_M = 100.0
_DEFAULT_LEVELS = 2.0
STREET_STEP_M = 50.0
_STREETS = frozenset(
    ("residential", "living_street", "unclassified", "tertiary", "secondary", "primary", "pedestrian", "road")
)


def residential_buildings(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Select the buildings people may live in and estimate their floor area.

    ``buildings``: index OSM id, ``tags``, polygons in metres. Result: index as given, columns ``levels``,
    ``levels_imputed`` (bool), ``floor_m2`` (footprint times levels, above 0). Buildings tagged as residential, and
    ``building=yes`` without another main tag. Missing levels: the median of known ones within 100 m, else that of
    all, else 2.
    """
    tags = buildings["tags"].to_numpy(dtype=object)
    keep = np.array([_is_home(t) for t in tags], dtype=bool)
    keep &= np.isin(shapely.get_type_id(buildings.geometry.to_numpy()), (3, 6))
    homes = buildings[keep][["geometry"]].copy()
    known = _levels(buildings["tags"])
    homes["levels"] = known[keep]
    homes["levels_imputed"] = homes["levels"].isna()
    homes["levels"] = _fill_levels(
        homes, buildings[known.notna()].geometry, np.asarray(known.dropna(), dtype=np.float64)
    )
    homes["floor_m2"] = np.maximum(homes.area * homes["levels"], 1.0)
    return homes


def share_out(
    zones: gpd.GeoDataFrame, columns: list[str], buildings: gpd.GeoDataFrame, streets: Streets
) -> gpd.GeoDataFrame:
    """Share each zone's counts to the homes in it, in proportion to floor area.

    ``zones``: index ``zone_id``, polygons, count ``columns``. ``buildings``: as ``residential_buildings`` gives;
    each belongs to the zone its inner point lies in. A zone with people and no such building is shared equally to
    points each 50 m along its streets; without streets, to its own inner point. Result: index ``home_id``, inner
    points, ``columns``, ``zone_id``, ``floor_m2`` and ``spread`` ("buildings", "streets" or "zone").
    """
    inner = shapely.point_on_surface(buildings.geometry.to_numpy())
    spots = pd.DataFrame(
        {"home_id": buildings.index.to_numpy(dtype=object), "weight": buildings["floor_m2"].to_numpy(float)}
    )
    zone, row = _in_zones(zones, inner)
    parts = [_spots(spots.iloc[row], inner[row], zone, "buildings")]
    people = zones[columns].sum(axis=1).to_numpy(float) > 0
    empty = np.setdiff1d(np.flatnonzero(people), zone)
    parts.append(_street_spots(zones, empty, streets))
    empty = np.setdiff1d(empty, parts[-1]["zone"].to_numpy(np.int64))
    centre = shapely.point_on_surface(zones.geometry.to_numpy()[empty])
    ids = pd.DataFrame({"home_id": [f"zone/{zones.index[z]}" for z in empty], "weight": 1.0})
    parts.append(_spots(ids, centre, empty, "zone"))
    table = pd.concat([p for p in parts if len(p)], ignore_index=True)
    at = table["zone"].to_numpy(np.int64)
    weight = table["weight"].to_numpy(float)
    share = weight / np.bincount(at, weight, minlength=len(zones))[at]
    homes = gpd.GeoDataFrame(
        zones[columns].to_numpy(float)[at] * share[:, None],
        columns=columns,
        index=pd.Index(table["home_id"].to_numpy(dtype=object), name="home_id"),
        geometry=table["geometry"].to_numpy(),
        crs=zones.crs,
    )
    homes["zone_id"] = zones.index.to_numpy(dtype=object)[at]
    homes["floor_m2"] = np.where(table["spread"] == "buildings", weight, np.nan)
    homes["spread"] = table["spread"].to_numpy(dtype=object)
    return homes[(homes[columns] > 0).any(axis=1)]


def whole_people(weights: Floats, total: int) -> Ints:
    """Share ``total`` people in proportion to ``weights`` in whole numbers: largest remainders, then lowest index.

    >>> whole_people(np.array([1.0, 1.0, 1.0]), 10).tolist()
    [4, 3, 3]
    """
    exact = weights / weights.sum() * total
    counts: Ints = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


def _is_home(tags: dict[str, str]) -> bool:
    use = tags.get("building", "no")
    if use in RESIDENTIAL:
        return True
    return use == "yes" and not any(key in tags for key in _OTHER_USE)


def _levels(tags: "pd.Series[Any]") -> "pd.Series[float]":
    text = pd.Series([t.get("building:levels") for t in tags], index=tags.index, dtype="string")
    number = pd.to_numeric(text.str.replace(",", ".").str.strip(), errors="coerce").astype(float)
    return number.where((number >= 1) & (number <= 100))


def _fill_levels(homes: gpd.GeoDataFrame, known: gpd.GeoSeries, levels: Floats) -> "pd.Series[float]":
    filled = homes["levels"].copy()
    missing = np.flatnonzero(filled.isna())
    if len(levels):
        tree = shapely.STRtree(known.to_numpy())
        shapes = homes.geometry.to_numpy()[missing]
        row, near = tree.query(shapes, predicate="dwithin", distance=LEVELS_NEAR_M)
        median = pd.Series(levels[near]).groupby(row).median()
        filled.iloc[missing[median.index.to_numpy(np.int64)]] = median.to_numpy()
        filled = filled.fillna(float(np.median(levels)))
    imputed: pd.Series[float] = filled.fillna(_DEFAULT_LEVELS)
    return imputed


def _in_zones(zones: gpd.GeoDataFrame, points: npt.NDArray[np.object_]) -> tuple[Ints, Ints]:
    """Zone and row of each point that lies in a zone; on a seam, the first zone takes it."""
    row, zone = shapely.STRtree(zones.geometry.to_numpy()).query(points, predicate="intersects")
    first = pd.DataFrame({"row": row, "zone": zone}).sort_values(["row", "zone"]).drop_duplicates("row")
    return first["zone"].to_numpy(np.int64), first["row"].to_numpy(np.int64)


def _street_spots(zones: gpd.GeoDataFrame, which: Ints, streets: Streets) -> pd.DataFrame:
    """Points along the streets of the zones ``which``: streets with front doors, else whatever is walkable."""
    edges = streets.edges[~streets.edges["tunnel"].to_numpy(bool)]
    is_street = edges["highway"].isin(_STREETS).to_numpy(bool)
    lines = edges.geometry.to_numpy()
    first = _along(zones, which, lines[is_street])
    rest = np.setdiff1d(which, first["zone"].to_numpy(np.int64))
    return pd.concat([first, _along(zones, rest, lines[~is_street])], ignore_index=True)


def _along(zones: gpd.GeoDataFrame, which: Ints, lines: npt.NDArray[np.object_]) -> pd.DataFrame:
    zone, edge = shapely.STRtree(lines).query(zones.geometry.to_numpy()[which], predicate="intersects")
    inside, source = shapely.get_parts(
        shapely.intersection(lines[edge], zones.geometry.to_numpy()[which[zone]]), return_index=True
    )
    count = np.ceil(shapely.length(inside) / STREET_STEP_M).astype(np.int64)
    piece = np.repeat(np.arange(len(inside)), count)
    step = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    points = shapely.line_interpolate_point(inside[piece], (step + 0.5) / count[piece], normalized=True)
    owner = which[zone[source[piece]]]
    order = np.argsort(owner, kind="stable")
    owner, points = owner[order], points[order]
    number = pd.Series(owner).groupby(owner).cumcount()
    ids = [f"street/{zones.index[z]}/{n}" for z, n in zip(owner, number, strict=True)]
    return _spots(pd.DataFrame({"home_id": ids, "weight": 1.0}), points, owner, "streets")


def _spots(table: pd.DataFrame, points: npt.NDArray[np.object_], zone: Ints, spread: str) -> pd.DataFrame:
    return table.assign(geometry=points, zone=zone, spread=spread)
