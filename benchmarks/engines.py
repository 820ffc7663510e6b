"""One question, many engines: for every node, how many places of each kind lie within reach, and their gravity.

Gravity is the sum of 1 - d / limit over the places within ``limit``, the linear decay that all of these libraries have.
Every function returns arrays (nodes, kinds), or only the nodes it was asked for where it is too slow for all.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.towns import Graph, Task, as_network, at_nodes, entries_of
from gisapp.network import compiled
from gisapp.network.times import Walks
from gisapp.network.times import walks as scipy_walks

Floats = npt.NDArray[np.float64]
Answer = tuple[Floats, Floats]


def walker(graph: Graph) -> Callable[[Task], Walks]:
    """Lay the network out as an assessment does; the function returned searches."""
    town = compiled.searchable(as_network(graph), at_nodes(graph, np.arange(graph.n)))
    return lambda task: compiled.search(town, entries_of(at_nodes(graph, task.place_node)), limit=task.limit)


def trefpunt(graph: Graph) -> Callable[[Task], Answer]:
    """The product's compiled search, and the sums over what it finds."""
    walk = walker(graph)
    return lambda task: summed(task, walk(task))


def scipy_search(graph: Graph) -> Callable[[Task], Answer]:
    """The product's own reference, on ``scipy.sparse.csgraph.dijkstra``."""
    network, homes = as_network(graph), at_nodes(graph, np.arange(graph.n))

    def answer(task: Task) -> Answer:
        entries = entries_of(at_nodes(graph, task.place_node))
        return summed(task, scipy_walks(network, homes, entries, limit=task.limit))

    return answer


def summed(task: Task, walks: Walks) -> Answer:
    """Count walks by node and kind."""
    cell = walks.home.astype(np.int64) * task.n_kinds + task.place_kind[walks.place]
    size, shape = task.graph.n * task.n_kinds, (task.graph.n, task.n_kinds)
    gravity = np.bincount(cell, weights=1.0 - walks.mm / task.limit, minlength=size)
    return np.bincount(cell, minlength=size).reshape(shape).astype(float), gravity.reshape(shape)


class Pandana:
    """A contraction hierarchy, built here and searched from every node; ``precompute`` keeps all pairs in reach."""

    def __init__(self, graph: Graph, *, precompute: bool) -> None:
        self.graph, self.precompute = graph, precompute
        self.build()

    def build(self) -> None:
        """Build the hierarchy; before each precompute, since a second one adds to the first."""
        import pandana
        import pandas as pd

        graph = self.graph
        self.network = pandana.Network(
            pd.Series(graph.xy[:, 0]), pd.Series(graph.xy[:, 1]), pd.Series(graph.u), pd.Series(graph.v),
            pd.DataFrame({"m": graph.mm / 1000.0}), twoway=True,
        )  # fmt: skip

    def __call__(self, task: Task) -> Answer:
        """Precompute if asked to, and aggregate."""
        if self.precompute:
            self.network.precompute(task.limit / 1000.0)
        return self.aggregate(task)

    def aggregate(self, task: Task) -> Answer:
        """Aggregate every kind, as has to be done after each change of places."""
        import pandas as pd

        limit, counts, gravity = task.limit / 1000.0, [], []
        for kind in range(task.n_kinds):
            nodes = pd.Series(task.place_node[task.place_kind == kind])
            self.network.set(nodes, variable=pd.Series(np.ones(len(nodes))), name=f"k{kind}")
            counts.append(
                self.network.aggregate(limit, type="count", decay="flat", name=f"k{kind}").to_numpy()
            )
            gravity.append(
                self.network.aggregate(limit, type="sum", decay="linear", name=f"k{kind}").to_numpy()
            )
        return np.array(counts).T, np.array(gravity).T


def cityseer(graph: Graph) -> Callable[[Task], Answer]:
    """Its own search in Rust, from every node; places are assigned to the network by position."""
    import geopandas as gpd
    import networkx as nx
    import shapely
    from cityseer.metrics import layers
    from cityseer.tools import graphs, io

    multi: Any = nx.MultiGraph(crs="EPSG:32628")
    for node, (x, y) in enumerate(graph.xy.tolist()):
        multi.add_node(str(node), x=x, y=y)
    for u, v, mm in zip(graph.u.tolist(), graph.v.tolist(), graph.mm.tolist(), strict=True):
        multi.add_edge(
            str(u), str(v), geom=shapely.LineString([graph.xy[u], graph.xy[v]]), length=mm / 1000.0
        )
    del graphs
    nodes, _edges, network = io.network_structure_from_nx(multi)

    def answer(task: Task) -> Answer:
        data = gpd.GeoDataFrame(
            {"kind": [f"k{k}" for k in task.place_kind.tolist()]},
            geometry=shapely.points(graph.xy[task.place_node]), crs="EPSG:32628",
        )  # fmt: skip
        names = [f"k{k}" for k in range(task.n_kinds)]
        found = layers.compute_accessibilities(
            data, landuse_column_label="kind", accessibility_keys=names, nodes_gdf=nodes, network_structure=network,
            distances=[task.limit // 1000],
        )  # fmt: skip
        columns = [f"cc_{name}_{task.limit // 1000}_nw" for name in names]
        weighted = [f"cc_{name}_{task.limit // 1000}_wt" for name in names]
        order = np.argsort(found.index.astype(int))
        return found[columns].to_numpy()[order], found[weighted].to_numpy()[order]

    return answer


def networkx_from_places(graph: Graph) -> Callable[[Task], Answer]:
    """The sensible use of networkx: a bounded Dijkstra from every place."""
    import networkx as nx

    plain = simple(graph)

    def answer(task: Task) -> Answer:
        counts, gravity = np.zeros((graph.n, task.n_kinds)), np.zeros((graph.n, task.n_kinds))
        for node, kind in zip(task.place_node.tolist(), task.place_kind.tolist(), strict=True):
            found = nx.single_source_dijkstra_path_length(plain, node, cutoff=task.limit, weight="mm")
            at = np.fromiter(found.keys(), np.int64, len(found))
            counts[at, kind] += 1
            gravity[at, kind] += 1.0 - np.fromiter(found.values(), float, len(found)) / task.limit
        return counts, gravity

    return answer


def ego_graphs(graph: Graph, nodes: npt.NDArray[np.int64]) -> Callable[[Task], Answer]:
    """The usual idiom with OSMnx graphs, ``networkx.ego_graph`` around each node; here around ``nodes`` only."""
    import networkx as nx

    plain = simple(graph)

    def answer(task: Task) -> Answer:
        counts = np.zeros((len(nodes), task.n_kinds))
        places: dict[int, list[int]] = {}
        for node, kind in zip(task.place_node.tolist(), task.place_kind.tolist(), strict=True):
            places.setdefault(node, []).append(kind)
        for row, node in enumerate(nodes.tolist()):
            for other in nx.ego_graph(plain, node, radius=task.limit, distance="mm"):
                for kind in places.get(other, ()):
                    counts[row, kind] += 1
        return counts, np.full_like(counts, np.nan)

    return answer


def simple(graph: Graph) -> Any:
    """Return a networkx graph with the shortest of parallel edges."""
    import networkx as nx

    plain: Any = nx.Graph()
    plain.add_nodes_from(range(graph.n))
    for u, v, mm in zip(graph.u.tolist(), graph.v.tolist(), graph.mm.tolist(), strict=True):
        if not plain.has_edge(u, v) or plain[u][v]["mm"] > mm:
            plain.add_edge(u, v, mm=mm)
    return plain
