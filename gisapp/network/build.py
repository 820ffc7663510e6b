"""From raw ways, or from an OSMnx graph, to the compact walkable network."""

from collections.abc import Callable, Iterable, Mapping
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
from gisapp.sources.osm import WAY_TAGS, RawOSM

if TYPE_CHECKING:
    import networkx as nx

EARTH_RADIUS_M = 6_371_009.0  # OSMnx's, so that lengths agree with it
LIFT_WAIT_S = 45.0  # waiting and riding, a planning assumption; half is charged on each side of the lift
FLAGS = ("steps", "wheelchair_no", "lit_no", "wheelchair_known", "lit_known")


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
    attributes["tunnel_m"] = attributes["length_m"] * attributes["tunnel"].map(is_tunnel)
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    xy = np.column_stack([x, y])
    lines = np.asarray(shapely.linestrings(np.stack([xy[u], xy[v]], axis=1)), dtype=object)
    return _contracted(u, v, lines, attributes, node_ids, xy, crs)


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
            "tunnel": ways["tunnel"],
            "lit_no": ways["lit"].eq("no"),
            "lit_known": ways["lit"].notna(),
            # An escalator that runs one way; one that is said to run at all ("yes") may be walked down.
            "oneway": ways["conveying"].map({"forward": 1, "backward": -1}).fillna(0).astype(np.int64),
        }
    )


def _contracted(
    u: npt.NDArray[np.int64],
    v: npt.NDArray[np.int64],
    lines: npt.NDArray[np.object_],
    attributes: pd.DataFrame,
    node_ids: npt.NDArray[np.int64],
    xy: npt.NDArray[np.float64],
    crs: CRS,
) -> Streets:
    """Contract segments ``u``-``v`` (positions in ``node_ids``), drawn as ``lines``, and order the network.

    Local order along a space-filling curve keeps later searches fast; order never changes a result.
    """
    chains = contract(u, v, len(node_ids))
    edges = _edge_table(chains, attributes)
    edges.insert(0, "u", node_ids[chains.u])
    edges.insert(1, "v", node_ids[chains.v])
    used = np.unique(np.concatenate([chains.u, chains.v]))
    nodes = gpd.GeoDataFrame(
        index=pd.Index(node_ids[used], name="node_id"), geometry=shapely.points(xy[used]), crs=crs
    )
    nodes = nodes.iloc[np.argsort(nodes.hilbert_distance().to_numpy(), kind="stable")]
    order = np.lexsort(
        (edges["length_m"], nodes.index.get_indexer(edges["v"]), nodes.index.get_indexer(edges["u"]))
    )
    edges = edges.iloc[order].reset_index(drop=True)
    low, high = edges[["u", "v"]].min(axis=1), edges[["u", "v"]].max(axis=1)
    edges.insert(2, "key", edges.groupby([low, high]).cumcount())
    return Streets(nodes, gpd.GeoDataFrame(edges, geometry=_edge_lines(chains, lines)[order], crs=crs))


def _edge_table(chains: Chains, attributes: pd.DataFrame) -> pd.DataFrame:
    edge = np.repeat(np.arange(len(chains.u)), np.diff(chains.starts))
    rows = attributes.iloc[chains.segment].reset_index(drop=True)
    length = np.bincount(edge, rows["length_m"].to_numpy(float))
    edges = pd.DataFrame({"length_m": np.round(length * 1000) / 1000})
    edges["wait_s"] = np.bincount(edge, rows["wait_s"].to_numpy(float))
    edges["tunnel"] = np.bincount(edge, rows["tunnel_m"].to_numpy(float)) > length / 2
    edges["oneway"] = _directions(edge, rows["oneway"].to_numpy(np.int64), chains)
    # Highway and name of the longest segment stand for the edge.
    longest = np.lexsort((-rows["length_m"].to_numpy(), edge))[chains.starts[:-1]]
    for column in ("highway", "name"):
        edges[column] = rows[column].to_numpy(dtype=object)[longest]
    for column in FLAGS:
        n_set = np.bincount(edge, rows[column].to_numpy(float))
        edges[column] = n_set == np.diff(chains.starts) if column.endswith("_known") else n_set > 0
    return edges


def _directions(edge: npt.NDArray[np.int64], oneway: npt.NDArray[np.int64], chains: Chains) -> Any:
    """One escalator makes a whole edge one-way; two against each other, which would bar it, are a slip of the map."""
    signs = oneway * np.where(chains.forward, 1, -1)
    up, down = (np.bincount(edge, signs == sign) > 0 for sign in (1, -1))
    return up.astype(np.int64) - down.astype(np.int64)


def _edge_lines(chains: Chains, lines: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Join the lines of each chain's segments, which share end points, into one line."""
    edge = np.repeat(np.arange(len(chains.u)), np.diff(chains.starts))
    pieces = lines[chains.segment]
    pieces[~chains.forward] = shapely.reverse(pieces[~chains.forward])
    points, piece = shapely.get_coordinates(pieces, return_index=True)
    closes_piece = np.append(piece[1:] != piece[:-1], True)
    closes_edge = np.append(edge[1:] != edge[:-1], True)
    keep = ~closes_piece | closes_edge[piece]
    joined: npt.NDArray[np.object_] = shapely.linestrings(points[keep], indices=edge[piece[keep]])
    return joined


def mark_segments(graph: "nx.MultiDiGraph[Any]", lifts: Iterable[int]) -> Mapping[str, Callable[[Any], Any]]:
    """Write on each edge of an OSMnx graph that is not yet simplified what the network keeps of it.

    ``lifts``: node ids. Returns what OSMnx takes as ``edge_attr_aggs`` to simplify the graph: left to itself it drops
    the nodes that are lifts, forgets how much of an edge is a tunnel, and lists tags in an order that changes from
    run to run.
    """
    at_lift = set(lifts)
    data = [tags for _, _, tags in graph.edges(data=True)]
    rows = _segment_attributes(
        pd.DataFrame({key: [_first(d.get(key)) for d in data] for key in WAY_TAGS}, dtype=object)
    )
    for (u, v, tags), row in zip(graph.edges(data=True), rows.itertuples(), strict=True):
        on_way = row.highway == "elevator"
        tags["wait_s"] = LIFT_WAIT_S * (0.5 * ((u in at_lift) + (v in at_lift)) + on_way)
        tags["tunnel_m"] = tags["length"] * is_tunnel(row.tunnel)
        tags["escalator"] = (u, int(str(row.oneway)) * (-1 if tags.get("reversed") is True else 1))
        tags["longest"] = (tags["length"], row.highway or "", row.name if isinstance(row.name, str) else "")
        tags.update({flag: bool(getattr(row, flag)) for flag in FLAGS})
    flags = {flag: all if flag.endswith("_known") else any for flag in FLAGS}
    sums = dict.fromkeys(("length", "wait_s", "tunnel_m"), sum)
    return {**sums, "longest": max, "escalator": _joined, **flags}


def streets_from_osmnx(graph: "nx.MultiDiGraph[Any]", crs: CRS) -> Streets:
    """Make the compact network of an OSMnx graph (simplified or not) in the projected ``crs``.

    Both directions of a street become one undirected edge. What ``mark_segments`` wrote is used where it is there;
    without it no lift is charged, and an edge of several ways counts as a tunnel or known by the first of its tags.
    """
    import osmnx

    node_frame, edge_frame = osmnx.graph_to_gdfs(osmnx.convert.to_undirected(graph), fill_edge_geometry=True)
    if CRS.from_user_input(edge_frame.crs).is_geographic:
        node_frame, edge_frame = node_frame.to_crs(crs), edge_frame.to_crs(crs)
    edge_frame = edge_frame.reset_index()
    edge_frame = edge_frame[edge_frame["length"] > 0]
    node_ids = node_frame.index.to_numpy(np.int64)
    order = np.argsort(node_ids)
    xy = shapely.get_coordinates(node_frame.geometry.to_numpy())[order]
    u, v = edge_frame["u"].to_numpy(np.int64), edge_frame["v"].to_numpy(np.int64)
    lines = edge_frame.geometry.to_numpy()
    start = shapely.get_coordinates(shapely.get_point(lines, 0))
    ahead = np.isclose(start, xy[np.searchsorted(node_ids[order], u)], atol=0.01).all(axis=1)
    lines = np.where(ahead, lines, shapely.reverse(lines))
    ids = node_ids[order]
    rows = _edge_attributes(edge_frame)
    return _contracted(np.searchsorted(ids, u), np.searchsorted(ids, v), lines, rows, ids, xy, crs)


def _joined(escalators: list[tuple[int, int]]) -> tuple[int, int]:
    """Where a run of segments begins, and the one direction in which it may be walked: 0 for both."""
    signs = [sign for _, sign in escalators]
    return escalators[0][0], int(1 in signs) - int(-1 in signs)


def _edge_attributes(edges: gpd.GeoDataFrame) -> pd.DataFrame:
    """What the network keeps of OSMnx's edges: as marked, else as their tags say."""
    tags = pd.DataFrame(
        {key: edges[key].map(_first) if key in edges else None for key in WAY_TAGS}, dtype=object
    )
    rows = _segment_attributes(tags)
    rows["length_m"] = edges["length"].to_numpy(float)
    if "longest" in edges:
        for n, column in ((1, "highway"), (2, "name")):
            rows[column] = [longest[n] or None for longest in edges["longest"]]
        for column in ("wait_s", "tunnel_m", *FLAGS):
            rows[column] = edges[column].to_numpy()
        # Undirected, an edge may be listed from either end: it says itself where it began.
        began, sign = np.array(edges["escalator"].tolist(), dtype=np.int64).T
        rows["oneway"] = np.where(began == edges["u"].to_numpy(np.int64), sign, -sign)
        return rows
    rows["steps"] = _mentions(edges, "highway", "steps")
    rows["wheelchair_no"] |= rows["steps"] | _mentions(edges, "wheelchair", "no")
    rows["lit_no"] |= _mentions(edges, "lit", "no")
    rows["wait_s"] = 0.0
    rows["oneway"] = 0  # in which direction the tag was meant is no longer told
    rows["tunnel_m"] = rows["length_m"] * rows["tunnel"].map(is_tunnel)
    return rows


def is_tunnel(tag: object) -> bool:
    """Tell whether a value of ``tunnel`` puts a way under the ground; a passage through a building does not."""
    return isinstance(tag, str) and tag not in ("no", "building_passage", "covered", "passage")


def _first(value: Any) -> Any:
    # OSMnx lists what was in a set: the first of the alphabet is the same in every run.
    if isinstance(value, list):
        return min(value)
    return value if isinstance(value, str) else None


def _mentions(edges: pd.DataFrame, key: str, value: str) -> npt.NDArray[np.bool_]:
    if key not in edges:
        return np.zeros(len(edges), dtype=bool)
    return np.array([value in cell if isinstance(cell, list) else cell == value for cell in edges[key]], bool)


def to_osmnx(streets: Streets) -> "nx.MultiDiGraph[Any]":
    """Return a network as OSMnx holds one: a ``MultiDiGraph`` with both directions of each street.

    Nodes have ``x`` and ``y`` in the area's CRS (the graph's ``crs``), edges ``length`` in metres, ``osmid`` (the row
    in ``streets.edges``), ``highway``, ``name``, ``wheelchair``, ``lit``, ``reversed``, ``geometry`` and what
    ``mark_segments`` writes: ``streets_from_osmnx`` reads the very same network back.
    """
    import networkx as nx

    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(
        crs=CRS.from_user_input(streets.nodes.crs), simplified=True, created_with="Trefpunt"
    )
    xy = shapely.get_coordinates(streets.nodes.geometry.to_numpy())
    for node, (x, y) in zip(streets.nodes.index.tolist(), xy.tolist(), strict=True):
        graph.add_node(node, x=x, y=y)
    edges = streets.edges
    lines = edges.geometry.to_numpy()
    backwards = shapely.reverse(lines)
    for row, edge in enumerate(edges.drop(columns=edges.geometry.name).to_dict("records")):
        length, highway = float(edge["length_m"]), edge["highway"]
        told = {
            # As OSMnx does where stretches differ: the one that stands for the edge, and the other.
            "highway": [highway, "steps"] if edge["steps"] and highway != "steps" else highway,
            "name": edge["name"],
            "wheelchair": "no" if edge["wheelchair_no"] else "yes" if edge["wheelchair_known"] else None,
            "lit": "no" if edge["lit_no"] else "yes" if edge["lit_known"] else None,
        }
        common = {
            "osmid": row,
            "oneway": False,
            "length": length,
            "wait_s": float(edge["wait_s"]),
            "tunnel_m": length if edge["tunnel"] else 0.0,
            "escalator": (int(edge["u"]), int(edge["oneway"])),
            "longest": (length, *(v if isinstance(v, str) else "" for v in (highway, edge["name"]))),
            **{flag: bool(edge[flag]) for flag in FLAGS},
            **{tag: value for tag, value in told.items() if isinstance(value, str | list)},
        }
        u, v, key = int(edge["u"]), int(edge["v"]), int(edge["key"])
        graph.add_edge(u, v, key, **common, reversed=False, geometry=lines[row])
        if u != v:
            back = {**common, "escalator": (v, -int(edge["oneway"]))}
            graph.add_edge(v, u, key, **back, reversed=True, geometry=backwards[row])
    return graph
