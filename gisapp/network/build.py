"""From raw ways, or from an OSMnx graph, to the compact walkable network."""

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from gisapp.area import Streets
from gisapp.errors import InputError
from gisapp.network.contract import Chains, contract
from gisapp.sources.osm import RawOSM

if TYPE_CHECKING:
    import networkx as nx

EARTH_RADIUS_M = 6_371_009.0  # OSMnx's, so that lengths agree with it
LIFT_WAIT_S = 45.0  # waiting and riding, a planning assumption; half is charged on each side of the lift
_FLAGS = ("steps", "wheelchair_no", "lit_no", "wheelchair_known", "lit_known")


def build_streets(raw: RawOSM, crs: CRS) -> Streets:
    """Build the walkable network of an extract in the projected ``crs``: see ``Streets``.

    Lengths are great-circle lengths as OSMnx measures them, rounded to 1 mm for each contracted edge. Stretches
    whose nodes the extract lacks are left out; a segment drawn twice is taken once.
    """
    here = np.isfinite(raw.lon)
    way = np.repeat(np.arange(len(raw.ways)), np.diff(raw.starts))
    same_way = (way[:-1] == way[1:]) & here[:-1] & here[1:] & (raw.refs[:-1] != raw.refs[1:])
    at = np.flatnonzero(same_way)
    node_ids, compact = np.unique(raw.refs, return_inverse=True)
    lon, lat = np.full(len(node_ids), np.nan), np.full(len(node_ids), np.nan)
    lon[compact[here]], lat[compact[here]] = raw.lon[here], raw.lat[here]
    segments = pd.DataFrame({"u": compact[at], "v": compact[at + 1], "way": way[at]})
    low, high = segments[["u", "v"]].min(axis=1), segments[["u", "v"]].max(axis=1)
    segments = segments[~pd.DataFrame({"low": low, "high": high}).duplicated()].reset_index(drop=True)
    if segments.empty:
        raise InputError("The extract holds no walkable stretch of which both ends are known.")
    attributes = _segment_attributes(raw.ways).iloc[segments["way"].to_numpy()].reset_index(drop=True)
    u, v = segments["u"].to_numpy(np.int64), segments["v"].to_numpy(np.int64)
    attributes["length_m"] = great_circle_m(lon[u], lat[u], lon[v], lat[v])
    is_lift = np.isin(node_ids, raw.lifts)
    attributes["wait_s"] = LIFT_WAIT_S * (
        0.5 * (is_lift[u].astype(float) + is_lift[v]) + (attributes["highway"] == "elevator")
    )
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    xy = np.column_stack([x, y])
    chains = contract(u, v, len(node_ids))
    return _streets(chains, segments, attributes, node_ids, xy, crs)


def great_circle_m(
    lon1: npt.NDArray[np.float64],
    lat1: npt.NDArray[np.float64],
    lon2: npt.NDArray[np.float64],
    lat2: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return great-circle distances in metres between points in degrees (haversine form).

    >>> float(great_circle_m(np.array([0.0]), np.array([0.0]), np.array([1.0]), np.array([0.0]))[0].round(1))
    111195.1
    """
    a, b = np.radians(lat1), np.radians(lat2)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    distance: npt.NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return distance


def _segment_attributes(ways: pd.DataFrame) -> pd.DataFrame:
    """Turn tags of ways into what the network keeps. Unknown is not no: two flags, "no" and "known"."""
    incline = pd.to_numeric(ways["incline"].astype("string").str.extract(r"(-?\d+(?:\.\d+)?)\s*%")[0])
    return pd.DataFrame(
        {
            "highway": ways["highway"],
            "name": ways["name"],
            "steps": ways["highway"].eq("steps"),
            "wheelchair_no": ways["wheelchair"].eq("no")
            | ways["highway"].eq("steps")
            | ways["kerb"].isin(["raised", "regular"])
            | incline.abs().gt(8).fillna(False),
            "wheelchair_known": ways["wheelchair"].notna() | ways["highway"].eq("steps"),
            "lit_no": ways["lit"].eq("no"),
            "lit_known": ways["lit"].notna(),
        }
    )


def _streets(
    chains: Chains,
    segments: pd.DataFrame,
    attributes: pd.DataFrame,
    node_ids: npt.NDArray[np.int64],
    xy: npt.NDArray[np.float64],
    crs: CRS,
) -> Streets:
    edge = np.repeat(np.arange(len(chains.u)), np.diff(chains.starts))
    rows = attributes.iloc[chains.segment].reset_index(drop=True)
    length = np.bincount(edge, rows["length_m"].to_numpy(float))
    edges = pd.DataFrame({"length_m": np.round(length * 1000) / 1000})
    edges["wait_s"] = np.bincount(edge, rows["wait_s"].to_numpy(float))
    # Highway and name of the longest segment stand for the edge.
    longest = np.lexsort((-rows["length_m"].to_numpy(), edge))[chains.starts[:-1]]
    for column in ("highway", "name"):
        edges[column] = rows[column].to_numpy(dtype=object)[longest]
    for column in _FLAGS:
        whole = column.endswith("_known")
        n_set = np.bincount(edge, rows[column].to_numpy(float))
        edges[column] = n_set == np.diff(chains.starts) if whole else n_set > 0
    u, v = segments["u"].to_numpy(), segments["v"].to_numpy()
    from_node = np.where(chains.forward, u[chains.segment], v[chains.segment])
    to_node = np.where(chains.forward, v[chains.segment], u[chains.segment])
    # A line is the first node of its run followed by the head of each segment.
    slot = np.arange(len(edge)) + edge + 1
    line_nodes = np.empty(len(edge) + len(chains.u), dtype=np.int64)
    line_nodes[slot] = to_node
    line_nodes[chains.starts[:-1] + np.arange(len(chains.u))] = from_node[chains.starts[:-1]]
    owner = np.repeat(np.arange(len(chains.u)), np.diff(chains.starts) + 1)
    lines = shapely.linestrings(xy[line_nodes], indices=owner)
    return make_streets(node_ids[chains.u], node_ids[chains.v], edges, lines, node_ids, xy, crs)


def make_streets(
    u: npt.NDArray[np.int64],
    v: npt.NDArray[np.int64],
    edges: pd.DataFrame,
    lines: npt.NDArray[np.object_],
    node_ids: npt.NDArray[np.int64],
    xy: npt.NDArray[np.float64],
    crs: CRS,
) -> Streets:
    """Put end nodes, attributes and lines into ``Streets``, sorted along a space-filling curve.

    Local order of nodes keeps later searches fast; order never changes a result.
    """
    used = np.unique(np.concatenate([u, v]))
    where = np.searchsorted(node_ids, used)
    nodes = gpd.GeoDataFrame(
        index=pd.Index(used, name="node_id"), geometry=shapely.points(xy[where]), crs=crs
    )
    nodes = nodes.iloc[np.argsort(nodes.hilbert_distance().to_numpy(), kind="stable")]
    table = edges.assign(u=u, v=v)
    rank = pd.Series(np.arange(len(nodes)), index=nodes.index)
    order = np.lexsort(
        (table["length_m"], rank[v].to_numpy(), rank[u].to_numpy()),
    )
    table, lines = table.iloc[order].reset_index(drop=True), lines[order]
    low, high = table[["u", "v"]].min(axis=1), table[["u", "v"]].max(axis=1)
    table["key"] = table.groupby([low, high]).cumcount()
    table = table[["u", "v", "key", *edges.columns]]
    return Streets(nodes=nodes, edges=gpd.GeoDataFrame(table, geometry=lines, crs=crs))


def streets_from_osmnx(graph: "nx.MultiDiGraph[Any]", crs: CRS) -> Streets:
    """Make the compact network of an OSMnx graph (simplified or not) in the projected ``crs``.

    Both directions of a street become one undirected edge. Lifts are recognised by ``highway=elevator`` on the
    nodes of an unsimplified graph; a simplified one must carry ``wait_s`` on its edges.
    """
    import osmnx

    node_frame, edge_frame = osmnx.graph_to_gdfs(osmnx.convert.to_undirected(graph), fill_edge_geometry=True)
    if CRS.from_user_input(edge_frame.crs).is_geographic:
        node_frame, edge_frame = node_frame.to_crs(crs), edge_frame.to_crs(crs)
    edge_frame = edge_frame.reset_index()
    edge_frame = edge_frame[(edge_frame["u"] != edge_frame["v"]) | (edge_frame["length"] > 0)]
    node_ids = node_frame.index.to_numpy(np.int64)
    order = np.argsort(node_ids)
    xy = shapely.get_coordinates(node_frame.geometry.to_numpy())[order]
    u, v = edge_frame["u"].to_numpy(np.int64), edge_frame["v"].to_numpy(np.int64)
    lines = edge_frame.geometry.to_numpy()
    start = shapely.get_coordinates(shapely.get_point(lines, 0))
    ahead = np.isclose(start, xy[np.searchsorted(node_ids[order], u)], atol=0.01).all(axis=1)
    lines = np.where(ahead, lines, shapely.reverse(lines))
    tags = pd.DataFrame(
        {
            key: edge_frame[key].map(_first) if key in edge_frame else None
            for key in ("highway", "name", "wheelchair", "lit", "incline", "kerb")
        },
        dtype=object,
    )
    edges = _segment_attributes(tags)
    edges["steps"] = _mentions(edge_frame, "highway", "steps")
    edges["wheelchair_no"] |= edges["steps"] | _mentions(edge_frame, "wheelchair", "no")
    edges["lit_no"] |= _mentions(edge_frame, "lit", "no")
    edges.insert(0, "length_m", np.round(edge_frame["length"].to_numpy(float) * 1000) / 1000)
    wait = edge_frame["wait_s"].to_numpy(float) if "wait_s" in edge_frame else np.zeros(len(edges))
    edges.insert(1, "wait_s", wait)
    edges = edges[["length_m", "wait_s", "highway", "name", *_FLAGS]]
    return make_streets(u, v, edges, lines, node_ids[order], xy, crs)


def _first(value: Any) -> Any:
    if isinstance(value, list):
        return value[0]
    return value if isinstance(value, str) else None


def _mentions(edges: pd.DataFrame, key: str, value: str) -> npt.NDArray[np.bool_]:
    if key not in edges:
        return np.zeros(len(edges), dtype=bool)
    return np.array([value in cell if isinstance(cell, list) else cell == value for cell in edges[key]], bool)
