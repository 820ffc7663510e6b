"""The walking network once more, as a networkx graph in which homes and entries are nodes: the tests' oracle.

Whole millimetres throughout. Nobody walks through a place: arcs lead out of it only.
"""

from collections.abc import Iterable

import networkx as nx

Row = tuple[int, int, int]  # edge, offset_mm from u, access_mm


def split_graph(
    edges: Iterable[tuple[int, int, int]], homes: Iterable[Row | None], entries: Iterable[tuple[int, Row]]
) -> nx.MultiDiGraph:
    """Return the graph of ``edges`` (u, v, mm) cut at the feet of homes and entries.

    ``homes``: a row a home, None where it is not attached. ``entries``: (place, row), several a place. Nodes:
    ("home", i), ("place", j), ("node", u) and the feet.
    """
    edges = list(edges)
    feet: dict[int, set[int]] = {e: {0, cost} for e, (_, _, cost) in enumerate(edges)}
    graph = nx.MultiDiGraph()

    def both(a: object, b: object, mm: int) -> None:
        graph.add_edge(a, b, mm=mm)
        graph.add_edge(b, a, mm=mm)

    for i, row in enumerate(homes):
        graph.add_node(("home", i))
        if row is not None:
            edge, offset, access = row
            feet[edge].add(offset)
            both(("home", i), ("foot", edge, offset), access)
    for place, (edge, offset, access) in entries:
        feet[edge].add(offset)
        graph.add_edge(("place", place), ("foot", edge, offset), mm=access)
    for e, (u, v, cost) in enumerate(edges):
        at = sorted(feet[e])
        for a, b in zip(at[:-1], at[1:], strict=True):
            both(("foot", e, a), ("foot", e, b), b - a)
        both(("node", u), ("foot", e, 0), 0)
        both(("node", v), ("foot", e, cost), 0)
    return graph


def home_mm(graph: nx.MultiDiGraph, source: tuple[str, int], limit_mm: float) -> dict[int, int]:
    """Return the walk in millimetres from a home or place to every home within the limit."""
    if source not in graph:
        return {}
    reach = nx.single_source_dijkstra_path_length(graph, source, cutoff=limit_mm, weight="mm")
    return {node[1]: mm for node, mm in reach.items() if node[0] == "home"}
