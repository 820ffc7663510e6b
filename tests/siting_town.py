"""Small towns on paths and grids, with walks by networkx: where the best sites can be found by trying all."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely

from gisapp.area import Streets, StudyArea
from gisapp.catalogue import LayerSpec

CRS = 32631
SPEED_M_MIN = 75.0
KIND = LayerSpec("squares", {"en": "Squares"}, {"en": ""}, norm_min=6)


@dataclass(frozen=True)
class SitingTown:
    """An area with a home at each node, candidates at nodes, and the minutes from each candidate to each home."""

    area: StudyArea
    candidates: gpd.GeoDataFrame
    minutes: np.ndarray
    existing: np.ndarray
    people: np.ndarray

    def sets(self, n: int) -> list[tuple[int, ...]]:
        """Return all choices of n candidates."""
        return list(combinations(range(len(self.candidates)), n))

    def nearest(self, chosen: Sequence[int]) -> np.ndarray:
        """Return each home's minutes to the nearest place, the chosen ones included; 30 where it is beyond."""
        both = np.vstack([self.existing[None], self.minutes[list(chosen)]])
        return np.minimum(both.min(axis=0), 30.0)


def siting_town(
    graph: nx.Graph, groups: np.ndarray, candidates: Sequence[int], existing: Sequence[int] = ()
) -> SitingTown:
    """Build a town of a graph: nodes 0, 1, ... with ``xy``, straight edges, ``groups`` (nodes, 2) residents of each."""
    xy = np.array([graph.nodes[node]["xy"] for node in sorted(graph)], dtype=float) + [500_000.0, 5_600_000.0]
    points = shapely.points(xy)
    nodes = gpd.GeoDataFrame(index=pd.RangeIndex(len(xy), name="node_id"), geometry=points, crs=CRS)
    ends = np.array(sorted(tuple(sorted(edge)) for edge in graph.edges))
    lines = shapely.linestrings(xy[ends])
    length = np.round(shapely.length(lines), 3)
    edges = gpd.GeoDataFrame(
        {
            "u": ends[:, 0], "v": ends[:, 1], "key": 0, "length_m": length, "wait_s": 0.0, "highway": "residential",
            "name": [f"Street {n}" for n in range(len(ends))],
            **dict.fromkeys(
                ("tunnel", "steps", "wheelchair_no", "lit_no", "wheelchair_known", "lit_known"), False
            ),
        },
        geometry=lines, crs=CRS,
    )  # fmt: skip
    for (u, v), metres in zip(ends.tolist(), length.tolist(), strict=True):
        graph.edges[u, v]["m"] = metres
    people = groups.sum(axis=1).astype(float)
    residents = gpd.GeoDataFrame(
        {"origin:here": groups[:, 0].astype(float), "origin:elsewhere": groups[:, 1].astype(float), "total": people,
         "core": True, "zone_id": "z"},
        index=pd.Index([f"h{n}" for n in range(len(xy))], name="home_id"), geometry=points, crs=CRS,
    )  # fmt: skip
    table = {"kind": "squares", "name": None, "open_to": "all", "capacity": np.nan, "also": "", "source": "own",
             "core": True, "tags": "{}"}  # fmt: skip
    index = pd.Index([f"own/{n}" for n in existing], name="place_id", dtype=object)
    places = gpd.GeoDataFrame(
        pd.DataFrame(table, index=index), geometry=list(points[list(existing)]), crs=CRS
    )
    walks = dict(nx.all_pairs_dijkstra_path_length(graph, weight="m"))
    size = range(len(xy))
    minutes = np.array([[walks[a].get(b, np.inf) / SPEED_M_MIN for b in size] for a in size])
    return SitingTown(
        StudyArea("town", Streets(nodes, edges), places, residents, (KIND,)),
        gpd.GeoDataFrame(
            {"name": [f"node {c}" for c in candidates]}, geometry=points[list(candidates)], crs=CRS
        ),
        minutes[list(candidates)],
        minutes[list(existing)].min(axis=0) if len(existing) else np.full(len(xy), np.inf),
        people,
    )


def path(metres: Sequence[float]) -> nx.Graph:
    """Return a street with nodes at the ends of stretches of these lengths."""
    graph = nx.path_graph(len(metres) + 1)
    for node, x in enumerate(np.concatenate([[0.0], np.cumsum(metres)])):
        graph.nodes[node]["xy"] = (x, 0.0)
    return graph


def grid(rng: np.random.Generator, side: int = 4) -> nx.Graph:
    """Return crooked blocks of some 300 m."""
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(side, side), label_attribute="at")
    for node in graph:
        i, j = graph.nodes[node]["at"]
        graph.nodes[node]["xy"] = (300.0 * i + rng.uniform(-90, 90), 300.0 * j + rng.uniform(-90, 90))
    return graph
