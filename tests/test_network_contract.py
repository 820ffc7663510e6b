"""Contraction of raw segments, and the network built from an extract, against networkx and OSMnx."""

from collections import Counter
from pathlib import Path

import networkx as nx
import numpy as np
import osmnx as ox
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisapp.area import Streets
from gisapp.catalogue import Matcher, load_catalogue
from gisapp.network.build import build_streets, mark_segments, streets_from_osmnx
from gisapp.network.contract import Chains, contract
from gisapp.sources.osm import RawOSM, read_osm, walkable
from gisapp.sources.read import projected_crs

SHARED = Path(__file__).parents[2] / "shared" / "data"
MONACO = SHARED / "monaco" / "monaco_20231226.osm.pbf"

Segments = list[tuple[int, int]]


@st.composite
def multigraphs(draw: st.DrawFn) -> tuple[int, Segments, list[int]]:
    """Node count, segments (parallel ones and loops too) and whole lengths: paths and rings are common."""
    segments: Segments = []
    n = draw(st.integers(2, 6))
    for _ in range(draw(st.integers(1, 7))):
        ends = [draw(st.integers(0, n - 1)) for _ in range(2)]
        inner = list(range(n, n + draw(st.integers(0, 3))))
        n += len(inner)
        walk = [ends[0], *inner, ends[1]]
        segments += list(zip(walk[:-1], walk[1:], strict=True))
    if draw(st.booleans()):  # a ring without a junction
        ring = list(range(n, n + draw(st.integers(2, 5))))
        n += len(ring)
        segments += list(zip(ring, [*ring[1:], ring[0]], strict=True))
    order = draw(st.permutations(range(len(segments))))
    flips = draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments)))
    segments = [segments[i][::-1] if flip else segments[i] for i, flip in zip(order, flips, strict=True)]
    lengths = draw(st.lists(st.integers(1, 9), min_size=len(segments), max_size=len(segments)))
    return n, segments, lengths


def contracted(n: int, segments: Segments) -> Chains:
    """Contract a list of segments."""
    u, v = np.array(segments, dtype=np.int64).T
    return contract(u, v, n)


def as_graphs(n: int, segments: Segments, lengths: list[int]) -> tuple[nx.MultiGraph, nx.MultiGraph]:
    """Return the raw and the contracted network as networkx multigraphs."""
    raw, small, chains = nx.MultiGraph(), nx.MultiGraph(), contracted(n, segments)
    for (a, b), length in zip(segments, lengths, strict=True):
        raw.add_edge(a, b, length=length)
    for e, (a, b) in enumerate(zip(chains.u.tolist(), chains.v.tolist(), strict=True)):
        run = chains.segment[chains.starts[e] : chains.starts[e + 1]]
        small.add_edge(a, b, length=sum(lengths[i] for i in run), run=run.tolist())
    return raw, small


@settings(max_examples=120, deadline=None)
@given(multigraphs())
def test_contraction_keeps_every_distance_length_and_component(town: tuple[int, Segments, list[int]]) -> None:
    """Distances between kept nodes, total length and components are those of the raw network."""
    raw, small = as_graphs(*town)
    assert sorted(i for _, _, run in small.edges(data="run") for i in run) == list(range(len(town[1])))
    assert raw.size("length") == small.size("length")
    here = dict(nx.all_pairs_dijkstra_path_length(raw, weight="length"))
    there = dict(nx.all_pairs_dijkstra_path_length(small, weight="length"))
    for a in small:
        assert there[a] == {b: d for b, d in here[a].items() if b in small}
    for part in nx.connected_components(raw):
        kept = part & set(small)
        assert kept, "a component vanished"
        ends = {x for x in part if not (raw.degree(x) == 2 and len(set(raw[x]) - {x}) == 2)}
        # Only nodes of two different neighbours vanish; a free ring keeps one, its lowest.
        assert kept == (ends or {min(part)})


@settings(max_examples=60, deadline=None)
@given(multigraphs())
def test_runs_are_walks_from_u_to_v(town: tuple[int, Segments, list[int]]) -> None:
    """Each contracted edge is a walk over its segments in order, with the directions it says."""
    n, segments, _ = town
    chains = contracted(n, segments)
    for e in range(len(chains.u)):
        at = int(chains.u[e])
        for i in range(chains.starts[e], chains.starts[e + 1]):
            a, b = segments[chains.segment[i]]
            a, b = (a, b) if chains.forward[i] else (b, a)
            assert at == a
            at = b
        assert at == chains.v[e]


def _by_osmnx(n: int, segments: Segments, lengths: list[int]) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(crs="EPSG:32631")
    for x in range(n):
        graph.add_node(x, x=float(x), y=float(x * x % 7))
    for i, ((a, b), length) in enumerate(zip(segments, lengths, strict=True)):
        graph.add_edge(a, b, length=length, osmid=i)
        graph.add_edge(b, a, length=length, osmid=i)
    graph.remove_nodes_from([x for x in list(graph) if graph.degree(x) == 0])
    return ox.simplify_graph(graph, remove_rings=False, edge_attr_aggs={"length": sum})


@settings(max_examples=100, deadline=None)
@given(multigraphs())
def test_contraction_agrees_with_osmnx(town: tuple[int, Segments, list[int]]) -> None:
    """OSMnx gives the same nodes and (u, v, length), but for rings without a junction."""
    n, segments, lengths = town
    once: dict[tuple[int, int], int] = {}
    for (a, b), length in zip(segments, lengths, strict=True):
        if a != b:  # as in a street file: no loop of one segment, no segment twice
            once.setdefault((min(a, b), max(a, b)), length)
    if not once:
        return
    raw, small = as_graphs(n, list(once), list(once.values()))
    theirs = _by_osmnx(n, list(once), list(once.values()))
    rings = {
        x for part in nx.connected_components(raw) if all(raw.degree(y) == 2 for y in part) for x in part
    }
    assert set(theirs) - rings == set(small) - rings
    ours = Counter((min(a, b), max(a, b), d) for a, b, d in small.edges(data="length") if a not in rings)
    both_ways = Counter(
        (min(a, b), max(a, b), d) for a, b, d in theirs.edges(data="length") if a not in rings
    )
    assert {edge: 2 * count for edge, count in ours.items()} == dict(both_ways)


@pytest.fixture(scope="module")
def monaco() -> RawOSM:
    """Monaco's extract, if the folder of real data is there."""
    if not MONACO.is_file():
        pytest.skip(f"no extract at {MONACO}")
    matcher = Matcher(load_catalogue())
    return read_osm(MONACO, wanted=matcher.wanted, keys=matcher.keys)


def plain_edges(streets: Streets) -> pd.DataFrame:
    """Every column of the edges but the drawing, whichever end comes first."""
    edges = pd.DataFrame(streets.edges.drop(columns=["geometry", "key"]))
    ends = edges[["u", "v"]]
    edges["oneway"] *= np.where(ends["u"] <= ends["v"], 1, -1)
    edges["u"], edges["v"] = ends.min(axis=1), ends.max(axis=1)
    edges[["highway", "name"]] = edges[["highway", "name"]].astype(object).fillna("")
    return edges.sort_values(["u", "v", "length_m"], ignore_index=True)


def test_extract_gives_the_network_that_osmnx_gives(monaco: RawOSM) -> None:
    """On a whole town: OSMnx's nodes, its edges with lengths to 1 mm, and all that is kept of their tags."""
    raw_graph = nx.MultiDiGraph(crs="EPSG:4326")
    place = dict(zip(monaco.refs.tolist(), zip(monaco.lon, monaco.lat, strict=True), strict=True))
    raw_graph.add_nodes_from((i, {"x": x, "y": y}) for i, (x, y) in place.items() if np.isfinite(x))
    for w, way in enumerate(monaco.ways.to_dict("records")):
        tags = {key: value for key, value in way.items() if isinstance(value, str)}
        refs = monaco.refs[monaco.starts[w] : monaco.starts[w + 1]].tolist()
        for a, b in zip(refs[:-1], refs[1:], strict=True):
            if a != b and a in raw_graph and b in raw_graph and not raw_graph.has_edge(a, b):
                raw_graph.add_edge(a, b, osmid=w, **tags)
                raw_graph.add_edge(b, a, osmid=w, reversed=True, **tags)
    raw_graph.remove_nodes_from([x for x in list(raw_graph) if raw_graph.degree(x) == 0])
    raw_graph = ox.distance.add_edge_lengths(raw_graph)
    aggregates = mark_segments(raw_graph, monaco.lifts.tolist())
    simple = ox.simplify_graph(raw_graph, remove_rings=False, edge_attr_aggs=aggregates)
    crs = projected_crs(monaco)
    ours, theirs = build_streets(monaco, crs), streets_from_osmnx(simple, crs)
    assert set(ours.nodes.index) == set(theirs.nodes.index)

    pd.testing.assert_frame_equal(plain_edges(ours), plain_edges(theirs))
    assert len(ours.nodes) > 2_500
    assert (ours.edges["oneway"] != 0).sum() == 15  # the town's escalators that run one way
    # A drawn line runs from u to v, and is as long as the street, but for the projection's scale.
    xy = {i: p.coords[0] for i, p in ours.nodes.geometry.items()}
    assert all(line.coords[0] == xy[u] and line.coords[-1] == xy[v] for u, v, line in
               zip(ours.edges["u"], ours.edges["v"], ours.edges.geometry, strict=True))  # fmt: skip
    assert np.allclose(ours.edges.length, ours.edges["length_m"], rtol=0.005, atol=0.01)


def test_walk_filter_agrees_with_osmnx_network_type() -> None:
    """What OSMnx's walk filter lets through of single tags, ours does too, but for ways nobody walks."""
    assert walkable({"highway": "steps"})
    assert walkable({"highway": "footway", "bicycle": "yes"})
    assert not walkable({"highway": "footway", "access": "private"})
    assert not walkable({"highway": "footway", "area": "yes"})
    assert not walkable({"highway": "motorway"})
    assert not walkable({"highway": "residential", "sidewalk": "separate"})
    assert not walkable({"building": "yes"})
    assert walkable({"highway": "cycleway", "foot": "yes"})
