"""What stays the same while a map is looked at: land, streets, squares, homes, places, as one JSON text."""

import hashlib
import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from gisapp.area import StudyArea
from gisapp.assessment import Assessment
from gisapp.cells import Cells
from gisapp.display import rounded_count
from gisapp.errors import InputError

DEGREES = 1e-6  # 0.1 m: finer than any screen
_RANKS = (
    ("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"),
    ("secondary", "tertiary", "secondary_link", "tertiary_link"),
    ("residential", "unclassified", "living_street", "pedestrian", "road", "service"),
)  # and below these: paths, footways, steps
_LABEL_LENGTH_M = 60.0
_EDGE_M = 0.5
_FAR_M = 20_000.0


def build_scene(assessment: Assessment, cells: Cells) -> str:
    """Return the map's geometry as JSON: rounded coordinates in degrees, rows in the order of their tables.

    ``cells``, ``homes`` and ``marks`` keep the order of ``cells.frame``, of the buildings that are homes,
    and of ``assessment.places``: what is sent later are classes in that order. Raises ``InputError``
    without geometry.
    """
    area = assessment.area
    if area is None:
        raise InputError("This assessment was made from tables without geometry: there is nothing to draw.")
    homes = home_buildings(area)
    parts = {
        "bounds": json.dumps(_bounds(area, cells)),
        "land": _merged(_endless(area.background.get("land"))),
        "water": _merged(area.background.get("water")),
        "green": _merged(area.background.get("green")),
        "buildings": _merged(_others(area)),
        "boundary": _boundary(area),
        "borders": _borders(area),
        "streets": "[" + ",".join(_streets(area)) + "]",
        "cells": _each(cells.frame),
        "residents": json.dumps([rounded_count(float(n)) for n in cells.frame["residents"]]),
        "cell_ids": json.dumps(list(cells.frame.index)),
        "homes": _each(homes),
        "marks": json.dumps(_marks(assessment), ensure_ascii=False),
        "names": json.dumps(_names(area), ensure_ascii=False),
    }
    return "{" + ",".join(f'"{key}":{value}' for key, value in parts.items()) + "}"


def scene_name(scene: str) -> str:
    """Return the file name of a scene: the same content has the same name, another content another one."""
    return f"scene-{hashlib.sha256(scene.encode()).hexdigest()[:24]}.json"


def home_buildings(area: StudyArea) -> gpd.GeoDataFrame:
    """Return the buildings that are homes of the core, with ``home_id``."""
    buildings = area.background.get("buildings")
    if buildings is None or "home_id" not in buildings:
        return gpd.GeoDataFrame({"home_id": []}, geometry=[], crs=area.crs)
    core = area.residents
    if "core" in core:
        core = core[core["core"].astype(bool)]
    return buildings[core.index.get_indexer(buildings["home_id"]) >= 0]


def _others(area: StudyArea) -> gpd.GeoDataFrame | None:
    buildings = area.background.get("buildings")
    if buildings is None:
        return None
    return buildings.drop(index=home_buildings(area).index)


def _endless(land: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """The land, going on where the data's frame cuts it off, so that the map has no edge of false sea."""
    if land is None or len(land) == 0:
        return None
    whole = land.union_all()
    west, south, east, north = whole.bounds
    middle = ((west + east) / 2, (south + north) / 2)
    corners = [(west, south), (west, north), (east, north), (east, south)]
    beyond = []
    for number, (start, way) in enumerate(zip(corners, ((-1, 0), (0, 1), (1, 0), (0, -1)), strict=True)):
        side = shapely.LineString([start, corners[(number + 1) % 4]])
        cut = shapely.get_parts(shapely.intersection(whole.boundary, side.buffer(_EDGE_M)))
        beyond += [_stretched(piece, way) for piece in cut[shapely.length(cut) > 10 * _EDGE_M]]
        if shapely.distance(whole, shapely.Point(start)) < _EDGE_M:
            out = [a + _FAR_M if a > m else a - _FAR_M for a, m in zip(start, middle, strict=True)]
            beyond.append(shapely.LineString([start, out]).envelope)
    return gpd.GeoDataFrame(geometry=[shapely.union_all([whole, *beyond])], crs=land.crs)


def _stretched(piece: BaseGeometry, way: tuple[int, int]) -> BaseGeometry:
    west, south, east, north = piece.bounds
    x, y = way[0] * _FAR_M, way[1] * _FAR_M
    far = shapely.box(west + x, south + y, east + x, north + y)
    return shapely.union_all([piece.envelope, far]).envelope


def _degrees(geometry: gpd.GeoSeries) -> np.ndarray:
    rounded = shapely.set_precision(geometry.to_crs(4326).to_numpy(), DEGREES, mode="pointwise")
    return np.asarray(rounded)


def _merged(frame: gpd.GeoDataFrame | None) -> str:
    """One geometry for a whole layer, its rings wound so that overlaps fill and holes stay open."""
    if frame is None or len(frame) == 0:
        return "null"
    parts = shapely.get_parts(_degrees(frame.geometry))
    parts = parts[shapely.get_dimensions(parts) == 2]
    return str(shapely.to_geojson(shapely.orient_polygons(shapely.multipolygons(parts))))


def _each(frame: gpd.GeoDataFrame) -> str:
    if len(frame) == 0:
        return "[]"
    return "[" + ",".join(shapely.to_geojson(shapely.orient_polygons(_degrees(frame.geometry)))) + "]"


def _boundary(area: StudyArea) -> str:
    if area.boundary is None:
        return "null"
    line = gpd.GeoSeries([area.boundary.boundary.simplify(1.0)], crs=area.crs)
    return str(shapely.to_geojson(_degrees(line)[0]))


def _borders(area: StudyArea) -> str:
    """Where neighbourhoods end: a border that two of them share is drawn once."""
    if area.neighbourhoods is None or not len(area.neighbourhoods):
        return "null"
    outlines = shapely.union_all(shapely.boundary(area.neighbourhoods.geometry.to_numpy()))
    line = gpd.GeoSeries([shapely.simplify(shapely.line_merge(outlines), 2.0)], crs=area.crs)
    return str(shapely.to_geojson(_degrees(line)[0]))


def _streets(area: StudyArea) -> list[str]:
    edges = area.streets.edges
    highway = edges["highway"].astype(str).to_numpy() if "highway" in edges else np.full(len(edges), "path")
    rank = np.full(len(edges), len(_RANKS))
    for number, values in enumerate(_RANKS):
        rank[np.isin(highway, values)] = number
    lines = _degrees(edges.geometry.simplify(0.5))
    return [
        str(shapely.to_geojson(shapely.multilinestrings(shapely.get_parts(lines[rank == number]))))
        for number in range(len(_RANKS) + 1)
    ]


def _marks(assessment: Assessment) -> dict[str, Any]:
    area = assessment.area
    assert area is not None
    places = area.places.reindex(assessment.places.index)
    points = gpd.GeoSeries(shapely.point_on_surface(places.geometry.to_numpy()), crs=area.crs).to_crs(4326)
    names = places["name"] if "name" in places else pd.Series("", index=places.index)
    reach = assessment.places["reach"].fillna(0.0).to_numpy(dtype=float)
    largest = float(reach.max()) if len(reach) else 0.0
    kinds = list(dict.fromkeys(assessment.places["kind"]))
    return {
        "ids": [str(i) for i in places.index],
        "lat": points.y.round(6).tolist(),
        "lng": points.x.round(6).tolist(),
        "name": ["" if pd.isna(n) else str(n) for n in names],
        "kinds": kinds,
        "kind": [kinds.index(k) for k in assessment.places["kind"]],
        # Area follows reach, so the radius follows its root.
        "size": np.sqrt(reach / largest).round(3).tolist() if largest > 0 else [0.0] * len(reach),
    }


def _names(area: StudyArea) -> dict[str, Any]:
    names: dict[str, Any] = {"areas": [], "streets": []}
    if area.neighbourhoods is not None and len(area.neighbourhoods):
        inside = shapely.point_on_surface(area.neighbourhoods.geometry.to_numpy())
        points = gpd.GeoSeries(inside, crs=area.crs).to_crs(4326)
        names["areas"] = [
            [str(name), round(p.y, 6), round(p.x, 6)]
            for name, p in zip(area.neighbourhoods["name"], points, strict=True)
        ]
    edges = area.streets.edges
    if "name" in edges:
        named = edges[edges["name"].notna() & (edges["name"].astype(str) != "")]
        merged = named.geometry.groupby(named["name"].astype(str)).agg(
            lambda lines: shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines.to_numpy())))
        )
        parts = gpd.GeoSeries(merged, crs=area.crs).simplify(2.0).explode(index_parts=False)
        parts = parts[parts.length >= _LABEL_LENGTH_M].sort_index()
        names["streets"] = [
            [str(name), np.round(shapely.get_coordinates(line)[:, ::-1], 6).tolist()]
            for name, line in zip(parts.index, _degrees(parts), strict=True)
        ]
    return names


def _bounds(area: StudyArea, cells: Cells) -> list[list[float]]:
    """South-west and north-east corner of where people live, which is what the map opens on."""
    frame = cells.frame if len(cells.frame) else area.residents
    west, south, east, north = frame.to_crs(4326).total_bounds.round(6).tolist()
    return [[south, west], [north, east]]
