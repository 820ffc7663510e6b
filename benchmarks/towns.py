"""Networks to measure on: real streets, with synthetic homes and places, and larger ones tiled from them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gisapp.area import Streets
from gisapp.network.entries import Entries
from gisapp.network.graph import Network, build_network
from gisapp.network.snap import Snaps

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FILES = {
    "Monaco": "monaco/monaco_20231226.osm.pbf",
    "Las Palmas": "las_palmas/las_palmas_20230221.osm.pbf",
    "Porto": "porto/porto_streets_20150606.osm.pbf",
}


@dataclass(frozen=True)
class Graph:
    """An undirected network as arrays: ``u``, ``v``, whole ``mm`` and, by node, ``xy`` in metres."""

    name: str
    u: Ints
    v: Ints
    mm: Ints
    xy: Floats

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.xy)


def read_graph(name: str, data: Path) -> Graph:
    """Read a town's streets and contract them, as every assessment does."""
    import shapely

    streets = read_streets(data / FILES[name])
    network = build_network(streets, profile="adult", speed_ms=1.25)
    xy = shapely.get_coordinates(streets.nodes.geometry.to_numpy())
    keep = network.u != network.v  # a loop is of no use to a search, and refused by some peers
    nodes, ends = np.unique(np.stack([network.u[keep], network.v[keep]]), return_inverse=True)
    return Graph(name, *ends.reshape(2, -1), np.maximum(network.cost_mm[keep], 1), xy[nodes])


def read_streets(path: Path) -> Streets:
    """Read the walk network of an extract, and nothing else of it."""
    from gisapp.network.build import build_streets
    from gisapp.sources.osm import read_osm
    from gisapp.sources.read import projected_crs

    raw = read_osm(path, wanted=lambda tags: False, keys=())
    return build_streets(raw, projected_crs(raw))


def tiled(graph: Graph, times: int, seed: int = 0) -> Graph:
    """Return ``times`` x ``times`` copies side by side, joined to their neighbours by a few long bridges."""
    size = graph.xy.max(axis=0) - graph.xy.min(axis=0) + 500.0
    rng = np.random.default_rng(seed)
    u, v, mm, xy = [], [], [], []
    for row, column in np.ndindex(times, times):
        shift = (row * times + column) * graph.n
        u.append(graph.u + shift)
        v.append(graph.v + shift)
        mm.append(graph.mm)
        xy.append(graph.xy + size * (column, row))
        for dr, dc in ((0, 1), (1, 0)):
            if row + dr < times and column + dc < times:
                ends = rng.integers(0, graph.n, (20, 2))
                u.append(ends[:, 0] + shift)
                v.append(ends[:, 1] + ((row + dr) * times + column + dc) * graph.n)
                mm.append(rng.integers(500_000, 900_000, 20))
    return Graph(f"{graph.name} x {times * times}", *(np.concatenate(part) for part in (u, v, mm, xy)))


@dataclass(frozen=True)
class Task:
    """Places at nodes (synthetic): for every node, how many of each kind within ``limit`` mm, and their gravity."""

    graph: Graph
    place_node: Ints
    place_kind: Ints
    n_kinds: int
    limit: int


def make_task(graph: Graph, *, places: int, kinds: int = 10, limit_m: float = 1200.0, seed: int = 1) -> Task:
    """Throw synthetic places on nodes, evenly."""
    rng = np.random.default_rng(seed)
    nodes = rng.integers(0, graph.n, places)
    return Task(graph, nodes, np.sort(rng.integers(0, kinds, places)), kinds, int(limit_m * 1000))


def as_network(graph: Graph) -> Network:
    """Return the arrays as the product's network; nothing is ever snapped to it here, so it has no lines."""
    edges = np.arange(len(graph.u))
    return Network(
        u=graph.u, v=graph.v, cost_mm=graph.mm, lines=np.empty(len(edges), dtype=object), row=edges, doors=edges,
        stubs=edges[:0], n_nodes=graph.n, speed_ms=1.25,
    )  # fmt: skip


def at_nodes(graph: Graph, nodes: Ints) -> Snaps:
    """Attach points to nodes: to one end of any edge there."""
    edge = np.zeros(graph.n, dtype=np.int64)
    edge[graph.v] = np.arange(len(graph.v))
    edge[graph.u] = np.arange(len(graph.u))
    at = edge[nodes]
    offset = np.where(graph.u[at] == nodes, 0, graph.mm[at])
    return Snaps(at, offset, np.zeros(len(nodes), dtype=np.int64))


def inside_edges(graph: Graph, n: int, seed: int) -> Snaps:
    """Throw points on edges: somewhere along, some metres off."""
    rng = np.random.default_rng(seed)
    edge = np.sort(rng.integers(0, len(graph.u), n))
    return Snaps(edge, (rng.random(n) * graph.mm[edge]).astype(np.int64), rng.integers(0, 30_000, n))


def entries_of(snaps: Snaps) -> Entries:
    """Return one entry a place."""
    return Entries(np.arange(len(snaps)), snaps.edge, snaps.offset_mm, snaps.access_mm)
