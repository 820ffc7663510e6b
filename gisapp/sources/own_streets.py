"""A planner's own walk network: a line layer, each line a way, or a GraphML file of OSMnx."""

import ast
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gisapp.area import Streets
from gisapp.errors import InputError
from gisapp.network.build import FLAGS, build_streets, streets_from_osmnx
from gisapp.quality import Finding
from gisapp.sources.archives import check_xml
from gisapp.sources.files import Bounds, bounds_of, read_layer
from gisapp.sources.formats import parse_spec
from gisapp.sources.osm import WAY_TAGS, RawOSM
from gisapp.sources.tables import first_line

WHAT = "streets"
JOIN_M = 0.01  # ends of lines that meet within a centimetre are one crossing
SAME_M = 0.001  # bends of two lines on the very same spot are one crossing too, as in OpenStreetMap
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# What ``to_osmnx`` writes on edges, which GraphML keeps as text.
_MARKS: Mapping[str, Callable[[str], Any]] = {
    "wait_s": float, "tunnel_m": float, "longest": ast.literal_eval, "escalator": ast.literal_eval,
    **dict.fromkeys(FLAGS, "True".__eq__),
}  # fmt: skip
_YES = ("yes", "true", "1", "ja", "oui")


class OwnStreets(NamedTuple):
    """The network, what was found, and its file's name."""

    streets: Streets
    findings: list[Finding]
    name: str


def read_streets(source: str | Path, crs: CRS | None = None) -> OwnStreets:
    """Read a walk network from a line layer or an OSMnx GraphML file, in ``crs`` or else in its UTM zone.

    Each line is a way. Lines are joined where an end lies within 1 cm of an end, a bend or any other point of another
    line, and where bends share a spot to the millimetre; lines that merely cross are not joined: one may be a bridge.
    Columns ``highway``, ``name``, ``wheelchair``, ``lit``, ``incline``, ``kerb``, ``tunnel`` (as OpenStreetMap uses
    them) and ``steps`` count where present. Lengths are great-circle lengths. Raises ``InputError``.
    """
    if parse_spec(source, what=WHAT).path.suffix.lower() == ".graphml":
        return _from_graphml(source, crs)
    lines = read_layer(source, CRS("EPSG:4326"), what=WHAT, shapes=("lines",))
    zone = crs or CRS.from_user_input(lines.frame.estimate_utm_crs())
    frame = lines.frame.to_crs(zone).explode(ignore_index=True)
    raw, joined = lines_as_ways(frame)
    findings = list(lines.findings)
    if joined:
        sentence = f"{joined} ends of lines in '{lines.name}' lie on another line and were joined there."
        findings.append(Finding("own_streets_joined", sentence, "info", joined))
    return OwnStreets(build_streets(raw, zone), findings, lines.name)


def lines_as_ways(lines: gpd.GeoDataFrame) -> tuple[RawOSM, int]:
    """Return lines in metres as the ways of an extract that holds nothing else.

    The number is that of ends that were joined to another line between two of its points.
    """
    shapes, count = _with_ends_of_others(lines.geometry.to_numpy())
    xy, way = shapely.get_coordinates(shapes, return_index=True)
    starts = np.searchsorted(way, np.arange(len(shapes) + 1)).astype(np.int64)
    is_end = np.zeros(len(xy), dtype=bool)
    is_end[starts[:-1]] = is_end[starts[1:] - 1] = True
    node = _join(xy, is_end)
    first = np.full(node.max() + 1, len(xy))
    np.minimum.at(first, node, np.arange(len(xy)))
    degrees = shapely.get_coordinates(
        gpd.GeoSeries(shapely.points(xy[first]), crs=lines.crs).to_crs("EPSG:4326").to_numpy()
    )
    refs = node.astype(np.int64) + 1
    ways = pd.DataFrame({tag: _texts(lines, tag) for tag in WAY_TAGS}, dtype=object)
    ways["highway"] = ways["highway"].where(ways["highway"].notna(), "residential")
    ways["highway"] = ways["highway"].mask(
        _texts(lines, "steps").str.lower().isin(_YES).fillna(False), "steps"
    )
    ways.insert(0, "osm_id", np.arange(1, len(ways) + 1))
    west, south, east, north = (float(v) for v in (*degrees.min(axis=0), *degrees.max(axis=0)))
    raw = no_osm((west, south, east, north))
    at = degrees[node]
    return replace(raw, refs=refs, lon=at[:, 0], lat=at[:, 1], starts=starts, ways=ways), count


def no_osm(bbox: Bounds) -> RawOSM:
    """Return what an extract of an empty land holds: for towns that come without OpenStreetMap."""
    nothing = gpd.GeoDataFrame(
        {"tags": pd.Series([], dtype=object)}, geometry=gpd.GeoSeries([], crs="EPSG:4326"),
        index=pd.Index([], dtype=object, name="osm_id"),
    )  # fmt: skip
    none, no_place = np.empty(0, dtype=np.int64), np.empty(0)
    return RawOSM(
        refs=none, lon=no_place, lat=no_place, starts=np.zeros(1, dtype=np.int64),
        ways=pd.DataFrame({c: [] for c in ("osm_id", *WAY_TAGS)}), lifts=none, features=nothing, buildings=nothing,
        entrances=nothing, coastline=nothing, green=nothing, water=nothing, bbox=bbox, data_date="",
    )  # fmt: skip


def _with_ends_of_others(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], int]:
    """Give lines a point where another line's end lies on them, away from their own points."""
    ends = np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])
    owner = np.tile(np.arange(len(shapes)), 2)
    end, line = shapely.STRtree(shapes).query(ends, predicate="dwithin", distance=JOIN_M)
    other = owner[end] != line
    end, line = end[other], line[other]
    corners = cKDTree(shapely.get_coordinates(shapes))
    met = np.asarray(corners.query_ball_point(shapely.get_coordinates(ends), JOIN_M, return_length=True))
    loose = met[end] < 2
    end, line = end[loose], line[loose]
    result = shapes.copy()
    for n in np.unique(line):
        points = shapely.get_coordinates(result[n])
        # The ends themselves, not their feet on the line, so that both lines meet on the same spot.
        added = np.unique(shapely.get_coordinates(ends[end[line == n]]), axis=0)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        at = shapely.line_locate_point(result[n], shapely.points(added))
        order = np.argsort(np.concatenate([along, at]), kind="stable")
        result[n] = shapely.LineString(np.concatenate([points, added])[order])
    return result, len(np.unique(end))


def _join(xy: Floats, is_end: npt.NDArray[np.bool_]) -> Ints:
    """Number the spots that points lie on: an end takes what lies within 1 cm, bends what lies within 1 mm."""
    tree = cKDTree(xy)
    near = tree.query_pairs(JOIN_M, output_type="ndarray")
    apart = np.hypot(*(xy[near[:, 0]] - xy[near[:, 1]]).T)
    ends = np.isin(near[:, 0], np.flatnonzero(is_end)) | np.isin(near[:, 1], np.flatnonzero(is_end))
    near = near[ends | (apart <= SAME_M)]
    pairs = coo_array((np.ones(len(near), dtype=np.int8), (near[:, 0], near[:, 1])), shape=(len(xy), len(xy)))
    return np.asarray(connected_components(pairs, directed=False)[1], dtype=np.int64)


def _texts(lines: gpd.GeoDataFrame, column: str) -> "pd.Series[Any]":
    if column not in lines:
        return pd.Series([None] * len(lines), dtype=object).astype("string")
    return (
        pd.Series(lines[column].to_numpy(dtype=object))
        .map(lambda v: None if pd.isna(v) else str(v))
        .astype("string")
    )


def _said(fault: BaseException) -> str:
    return f"it has no {fault}" if isinstance(fault, KeyError) else first_line(fault)


def _from_graphml(source: str | Path, crs: CRS | None) -> OwnStreets:
    import osmnx

    spec = parse_spec(source, what=WHAT)
    if not spec.path.stat().st_size:
        raise InputError(f"{WHAT}: '{spec.name}' is empty (0 bytes). Save or download it again.")
    if (root := check_xml(spec.path, what=WHAT)) != "graphml":
        raise InputError(
            f"{WHAT}: '{spec.name}' is no GraphML file (its root is '{root}'). Save it with OSMnx."
        )
    try:
        with warnings.catch_warnings(record=True):
            graph = osmnx.load_graphml(spec.path, edge_dtypes=dict(_MARKS))
            nodes = osmnx.convert.graph_to_gdfs(graph, edges=False)
            zone = crs or CRS.from_user_input(nodes.estimate_utm_crs())
            streets = streets_from_osmnx(graph, zone)
    except Exception as fault:
        raise InputError(
            f"{WHAT}: '{spec.name}' cannot be read as a street graph ({_said(fault)}). Save it with "
            "osmnx.save_graphml."
        ) from fault
    if not np.isfinite(bounds_of(streets.nodes)).all():
        raise InputError(
            f"{WHAT}: '{spec.name}' has nodes without a place on earth. Save it with osmnx.save_graphml."
        )
    return OwnStreets(streets, [], spec.name)
