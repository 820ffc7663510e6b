"""The walking network once more, as a networkx graph in which homes and entries are nodes: the tests' oracle.

Whole millimetres throughout. Nobody walks through a place: arcs lead out of it only.
"""

from collections.abc import Iterable, Sequence

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely

from gisapp.area import Streets

FLAGS = ("tunnel", "steps", "wheelchair_no", "lit_no", "wheelchair_known", "lit_known")
Row = tuple[int, int, int]  # edge, offset_mm from u, access_mm


def make_streets(xy: list[tuple[float, float]], edges: list[tuple[int, int]], bends: list[float]) -> Streets:
    """Streets between points; each edge has a bend, so that parallel edges and loops have a length."""
    points = gpd.points_from_xy(*zip(*xy, strict=True))
    nodes = gpd.GeoDataFrame(index=pd.RangeIndex(len(xy), name="node_id"), geometry=points, crs=32631)
    lines = []
    for (a, b), bend in zip(edges, bends, strict=True):
        middle = (np.array(xy[a]) + xy[b]) / 2 + (bend, bend / 3)
        corners = [xy[a], middle, xy[b]] if a != b else [xy[a], middle, middle + (5, -3), xy[b]]
        lines.append(shapely.LineString(corners))
    table = {"u": [a for a, _ in edges], "v": [b for _, b in edges], "key": 0, "wait_s": 0.0}
    table |= {
        "length_m": [round(line.length, 3) for line in lines],
        "highway": "residential",
        "name": None,
        "oneway": 0,
    }
    return Streets(
        nodes, gpd.GeoDataFrame({**table, **dict.fromkeys(FLAGS, False)}, geometry=lines, crs=32631)
    )


def split_graph(
    edges: Iterable[tuple[int, int, int]],
    homes: Iterable[Row | None],
    entries: Iterable[tuple[int, Row]],
    oneway: Sequence[int] | None = None,
) -> nx.DiGraph:
    """Return the graph of ``edges`` (u, v, mm) cut at the feet of homes and entries.

    ``homes``: a row a home, None where it is not attached. ``entries``: (place, row), several a place. Nodes:
    ("home", i), ("place", j), ("node", u) and the feet. Of parallel arcs the shortest is kept. ``oneway``: 1 where an
    edge is walked from u to v only, -1 from v to u; arcs lead back along the walk, from the place to the homes.
    """
    edges = list(edges)
    feet: dict[int, set[int]] = {e: {0, cost} for e, (_, _, cost) in enumerate(edges)}
    graph = nx.DiGraph()

    def arc(a: object, b: object, mm: int) -> None:
        if a != b and not (graph.has_edge(a, b) and graph[a][b]["mm"] <= mm):
            graph.add_edge(a, b, mm=mm)

    def foot(e: int, offset: int) -> object:
        u, v, cost = edges[e]
        return ("node", u) if offset == 0 else ("node", v) if offset == cost else ("foot", e, offset)

    for i, row in enumerate(homes):
        graph.add_node(("home", i))
        if row is not None:
            edge, offset, access = row
            feet[edge].add(offset)
            arc(("home", i), foot(edge, offset), access)
            arc(foot(edge, offset), ("home", i), access)
    for place, (edge, offset, access) in entries:
        feet[edge].add(offset)
        arc(("place", place), foot(edge, offset), access)
    for e, (u, v, cost) in enumerate(edges):
        at = sorted(feet[e])
        for a, b in zip(at[:-1], at[1:], strict=True):
            way = oneway[e] if oneway is not None else 0
            if way != 1:
                arc(foot(e, a), foot(e, b), b - a)
            if way != -1:
                arc(foot(e, b), foot(e, a), b - a)
        if cost == 0:
            arc(("node", u), ("node", v), 0)
            arc(("node", v), ("node", u), 0)
    return graph


def home_mm(graph: nx.DiGraph, source: tuple[str, int], limit_mm: float) -> dict[int, int]:
    """Return the walk in millimetres from a home or place to every home within the limit."""
    if source not in graph:
        return {}
    reach = nx.single_source_dijkstra_path_length(graph, source, cutoff=limit_mm, weight="mm")
    return {node[1]: mm for node, mm in reach.items() if node[0] == "home"}
