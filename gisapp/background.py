"""What lies under the map: land, water, green and buildings of an extract. Nothing here enters a score."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gisapp.sources.osm import RawOSM

Shapes = npt.NDArray[np.object_]

_SIDE_M = 0.5  # how far beside a coastline its land or water is looked for
_TINY_GREEN_M2 = 100.0
_TREND_M = 1000.0  # stretch of coast that tells where it is going


def build_background(
    raw: RawOSM, crs: CRS, *, frame: BaseGeometry, homes: "pd.Series[str] | None" = None
) -> dict[str, gpd.GeoDataFrame]:
    """Build the background layers of an area, all in ``crs`` and inside ``frame``.

    ``land``: what lies left of the coastline (all of ``frame`` where the extract has none). ``water``: lakes,
    docks and pools. ``green``, ``buildings``. ``homes``: building id -> home id, carried as column ``home_id``.
    """
    coast = raw.coastline.to_crs(crs).geometry.to_numpy()
    buildings = raw.buildings.to_crs(crs)[["geometry"]]
    buildings["home_id"] = homes.reindex(buildings.index) if homes is not None else None
    green = raw.green.to_crs(crs)
    green = green[green.area > _TINY_GREEN_M2]
    return {
        "land": _frame(land_polygons(coast, frame), crs),
        "water": _frame(_polygons(raw.water.to_crs(crs).geometry.to_numpy(), frame), crs),
        "green": _frame(_polygons(green.geometry.to_numpy(), frame), crs),
        "buildings": buildings[shapely.intersects(buildings.geometry.to_numpy(), frame)],
    }


def land_polygons(coast: Shapes, frame: BaseGeometry) -> Shapes:
    """Return the land inside ``frame``: OpenStreetMap draws coastlines with the land on their left.

    The frame is cut along the coast; each face is land or water by the side on which more metres of its coast
    have it. A face without coast is what the nearest coast says, and all is land where there is no coast.

    >>> frame = shapely.box(0, 0, 10, 10)
    >>> coast = np.array([shapely.LineString([(5, -1), (5, 11)])])   # northwards: land in the west
    >>> [round(face.area) for face in land_polygons(coast, frame)]
    [50]
    """
    if not len(coast):
        return np.array([frame], dtype=object)
    lines = shapely.get_parts(shapely.line_merge(shapely.union_all(coast)))
    noded = shapely.union_all([*lines, *_to_frame(lines, frame), shapely.boundary(frame)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    faces = faces[shapely.covers(frame.buffer(1e-6), faces)]
    start, end = _segments(coast)
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    left = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(length, 1e-9)[:, None]
    tree = shapely.STRtree(faces)
    vote = np.zeros(len(faces))
    for side, weight in ((1.0, length), (-1.0, -length)):
        beside = shapely.points((start + end) / 2 + side * _SIDE_M * left)
        point, face = tree.query(beside, predicate="within")
        np.add.at(vote, face, weight[point])
    silent = np.flatnonzero(vote == 0)
    inner = shapely.point_on_surface(faces[silent])
    pieces = np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object)
    nearest = shapely.STRtree(pieces).nearest(inner)
    away = shapely.get_coordinates(inner) - start[nearest]
    vote[silent] = along[nearest, 0] * away[:, 1] - along[nearest, 1] * away[:, 0]
    return faces[vote >= 0]


def _to_frame(lines: Shapes, frame: BaseGeometry) -> list[BaseGeometry]:
    """Carry long coasts that a clipped extract ends inside the frame on to the frame, the way they were going."""
    size = shapely.length(shapely.boundary(frame))
    rays: list[BaseGeometry] = []
    for line in lines[(shapely.length(lines) >= _TREND_M) & ~shapely.is_ring(lines)]:
        for tip, back in ((0, _TREND_M), (-1, -_TREND_M)):
            at = shapely.get_coordinates(shapely.get_point(line, tip))[
                0
            ]  # exact: the ray must touch the coast
            before = shapely.get_coordinates(shapely.line_interpolate_point(line, back))[0]
            if frame.contains(shapely.Point(at)) and np.hypot(*(at - before)) > 0:
                ahead = at + (at - before) / np.hypot(*(at - before)) * size
                rays.append(shapely.LineString([at, ahead]))
    return rays


def _segments(lines: Shapes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    xy, line = shapely.get_coordinates(lines, return_index=True)
    joined = line[1:] == line[:-1]
    return xy[:-1][joined], xy[1:][joined]


def _polygons(shapes: Shapes, frame: BaseGeometry) -> Shapes:
    parts = shapely.get_parts(shapely.intersection(shapely.make_valid(shapes), frame))
    areas = parts[np.isin(shapely.get_type_id(parts), (3, 6))]
    return areas[~shapely.is_empty(areas)]


def _frame(shapes: Shapes, crs: CRS) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=shapes, crs=crs)
