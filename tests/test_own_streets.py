"""A planner's own walk network: lines or an OSMnx graph in, the same walks out, and back to OSMnx."""

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely
from grid_town import GridTown, write_grid_town
from pyproj import CRS

from gisapp.area import Streets
from gisapp.assess_area import assess
from gisapp.errors import InputError
from gisapp.network import to_osmnx
from gisapp.network.build import streets_from_osmnx
from gisapp.sources.own_streets import read_streets
from gisapp.sources.read import read_area

UTM = CRS("EPSG:32631")
X, Y = 500_000.0, 5_650_000.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """The town's files."""
    return write_grid_town(tmp_path_factory.mktemp("grid"))


def read(path: Path, *lines: list[tuple[float, float]], **columns: list[object]) -> Streets:
    """Write lines in metres from a corner, and read them as a network."""
    shapes = [shapely.LineString([(X + x, Y + y) for x, y in line]) for line in lines]
    gpd.GeoDataFrame(columns or {"n": range(len(shapes))}, geometry=shapes, crs=UTM).to_file(path)
    return read_streets(path).streets


def pieces(streets: Streets) -> list[float]:
    """Lengths of the edges, to ten metres: on the globe they are half a percent off the map's."""
    return sorted(streets.edges["length_m"].round(-1).tolist())


@pytest.mark.parametrize(
    ("gap", "joined"),
    [(0.0, True), (0.001, True), (0.009, True), (0.02, False)],
    ids=["same", "1 mm", "9 mm", "2 cm"],
)
def test_ends_that_all_but_meet_are_joined(gap: float, joined: bool, tmp_path: Path) -> None:
    """Two streets in a row are one edge if their ends lie within a centimetre."""
    streets = read(tmp_path / "s.gpkg", [(0, 0), (100, 0)], [(100 + gap, 0), (300, 0)])
    assert pieces(streets) == ([300] if joined else [100, 200])


def test_an_end_on_another_line_is_a_crossing_and_a_bridge_is_none(tmp_path: Path) -> None:
    """A side street that ends on a street (no bend there) joins it; one that crosses without an end does not."""
    found = read(tmp_path / "s.gpkg", [(0, 0), (300, 0)], [(100, 0.004), (100, 80)], [(200, -50), (200, 50)])
    assert pieces(found) == [80, 100, 100, 200]
    notes = read_streets(tmp_path / "s.gpkg").findings
    assert [f.count for f in notes if f.code == "own_streets_joined"] == [1]


def test_shared_bends_are_crossings_as_on_the_map(tmp_path: Path) -> None:
    """Lines exported from OpenStreetMap cross where they share a point; a closed ring keeps its shape."""
    found = read(tmp_path / "s.gpkg", [(0, 0), (100, 0), (200, 0)], [(100, -50), (100, 0), (100, 50)])
    assert pieces(found) == [50, 50, 100, 100]
    ring = read(tmp_path / "r.gpkg", [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)], [(50, 0), (50, -30)])
    assert pieces(ring) == [30, 400]


def test_columns_count_where_present(tmp_path: Path) -> None:
    """Highway, name, steps and wheelchair are read; without them a line is a street that says nothing."""
    found = read(
        tmp_path / "s.gpkg", [(0, 0), (100, 0)], [(0, 50), (90, 50)], [(0, 90), (80, 90)],
        name=["Markt", None, None], steps=["no", "ja", None], wheelchair=["yes", None, "no"],
        highway=["footway", None, None],
    )  # fmt: skip
    edges = found.edges.sort_values("length_m", ascending=False)
    assert edges["highway"].tolist() == ["footway", "steps", "residential"]
    assert edges["name"].iloc[0] == "Markt"
    assert edges["steps"].tolist() == [False, True, False]
    assert edges["wheelchair_no"].tolist() == [False, True, True]
    assert edges["wheelchair_known"].tolist() == [True, True, True]
    assert not edges["lit_known"].any()


def test_the_town_walks_on_its_own_lines(town: GridTown, tmp_path: Path) -> None:
    """The grid's streets drawn as a layer, in Lambert 72 and zipped or not, give the walks of the extract."""
    osm = read_area(osm=town.osm, residents=town.census)
    lines = osm.streets.edges[osm.streets.edges["wait_s"] == 0][["highway", "name", "geometry"]]
    lines.to_crs(31370).to_file(tmp_path / "streets.shp")
    own = read_area(osm=town.osm, streets=tmp_path / "streets.shp", residents=town.census)
    assert [s.title for s in own.provenance.sources][:2] == ["OpenStreetMap", "streets.shp"]
    assert own.streets.edges["length_m"].sum() == pytest.approx(lines.length.sum(), rel=5e-3)
    home = town.homes["south"]
    walks = [assess(a).homes.loc[home, "nearest_min:libraries"] for a in (osm, own)]
    assert walks[1] == pytest.approx(walks[0], abs=0.01)


def test_a_town_without_openstreetmap(town: GridTown, tmp_path: Path) -> None:
    """Own streets, own places and own addresses are a town as well."""
    osm = read_area(osm=town.osm, residents=town.census)
    osm.streets.edges[["geometry"]].to_file(tmp_path / "streets.gpkg")
    homes = osm.residents.head(3)[["total", "origin:born_here", "origin:born_outside_eu", "geometry"]]
    homes.to_file(tmp_path / "homes.gpkg")
    place = osm.places.loc[[town.places["library"]]].geometry.centroid.to_crs(4326).iloc[0]
    (tmp_path / "list.csv").write_text(f"naam;lon;lat\nBib;{place.x};{place.y}\n")
    area = read_area(
        streets=tmp_path / "streets.gpkg", residents=tmp_path / "homes.gpkg", published="the town",
        places=f"{tmp_path / 'list.csv'}:libraries",
    )  # fmt: skip
    assert [s.title for s in area.provenance.sources] == ["streets.gpkg", "the town", "list.csv"]
    result = assess(area)
    assert result.homes["nearest_min:libraries"].notna().all()
    with pytest.raises(InputError, match="Give an OpenStreetMap extract"):
        read_area(streets=tmp_path / "streets.gpkg")


@pytest.fixture(scope="module")
def streets(town: GridTown) -> Streets:
    """The town's network."""
    return read_area(osm=town.osm, residents=town.census).streets


def as_told(streets: Streets) -> pd.DataFrame:
    """Edges whatever their order and direction."""
    edges = pd.DataFrame(streets.edges.drop(columns=["geometry", "key"]))
    edges[["u", "v"]] = np.sort(edges[["u", "v"]].to_numpy(), axis=1)
    return edges.sort_values(["u", "v", "length_m"], ignore_index=True)


def test_osmnx_gets_the_network_and_gives_it_back(streets: Streets) -> None:
    """To OSMnx and back: the same nodes, edges, lengths, lifts, tunnels and flags; OSMnx can use it."""
    graph = to_osmnx(streets)
    back = streets_from_osmnx(graph, UTM)
    pd.testing.assert_frame_equal(as_told(back), as_told(streets), check_dtype=False)
    assert sorted(back.nodes.index) == sorted(streets.nodes.index)
    assert osmnx.stats.edge_length_total(osmnx.convert.to_undirected(graph)) == pytest.approx(
        streets.edges["length_m"].sum()
    )
    assert osmnx.distance.nearest_nodes(graph, *graph.nodes[next(iter(graph))].values()) == next(iter(graph))


def test_a_graphml_of_osmnx_is_a_network(streets: Streets, tmp_path: Path) -> None:
    """What save_graphml wrote is read: the same edges and lengths."""
    osmnx.save_graphml(to_osmnx(streets), tmp_path / "town.graphml")
    own = read_streets(tmp_path / "town.graphml", UTM)
    assert own.name == "town.graphml"
    assert sorted(own.streets.edges["length_m"]) == pytest.approx(
        sorted(streets.edges["length_m"]), abs=0.002
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"'town.graphml' is empty \(0 bytes\)"),
        (b"<graphml>", "cannot be read as a street graph|no whole XML"),
        (b"<kml/>", "no GraphML file .its root is 'kml'"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><graphml>&a;</graphml>', "declares a document type"),
        (
            b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed"/></graphml>',
            "cannot be read",
        ),
    ],
)
def test_a_graphml_that_is_none(content: bytes, message: str, tmp_path: Path) -> None:
    """Empty, broken, hostile, or a graph of nothing: one sentence."""
    (tmp_path / "town.graphml").write_bytes(content)
    with warnings.catch_warnings(), pytest.raises(InputError, match=message):
        read_streets(tmp_path / "town.graphml")


def test_polygons_are_no_streets(tmp_path: Path) -> None:
    """A layer of squares where lines are wanted."""
    gpd.GeoDataFrame(geometry=[shapely.box(X, Y, X + 5, Y + 5)], crs=UTM).to_file(tmp_path / "s.gpkg")
    with pytest.raises(InputError, match="'s.gpkg' has polygons in row 1, where lines are wanted"):
        read_streets(tmp_path / "s.gpkg")
