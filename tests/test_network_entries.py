"""Where places are entered and homes attached: the order of the rules, the limits, and never the centroid."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from split_graph import make_streets

from gisapp.catalogue import LayerSpec
from gisapp.network.entries import Entries, find_entries
from gisapp.network.graph import Network, build_network
from gisapp.network.snap import snap_points
from gisapp.network.times import minutes_of, walks

KINDS = tuple(
    LayerSpec(key, {}, {}, entry=entry)
    for key, entry in (("parks", "boundary"), ("libraries", "entrance"), ("cafes", "point"))
)


def network_of(*lines: list[tuple[float, float]], tunnels: tuple[int, ...] = ()) -> Network:
    """Straight edges between the end points of each line; equal end points are one node."""
    xy = list(dict.fromkeys(point for line in lines for point in line))
    edges = [(xy.index(line[0]), xy.index(line[-1])) for line in lines]
    streets = make_streets(xy, edges, [0.0] * len(edges))
    streets.edges.loc[list(tunnels), "tunnel"] = True
    return build_network(streets, profile="adult", speed_ms=1.25)


def place(shape: shapely.Geometry, kind: str = "parks", **tags: str) -> gpd.GeoDataFrame:
    """One place."""
    row = {"kind": [kind], "tags": [json.dumps(tags, ensure_ascii=False)]}
    return gpd.GeoDataFrame(row, geometry=[shape], index=["way/1"], crs=32631)


def gates(*points: tuple[float, float], is_gate: bool = True) -> gpd.GeoDataFrame:
    """Mapped gates or doors."""
    return gpd.GeoDataFrame(
        {"is_gate": [is_gate] * len(points)}, geometry=[shapely.Point(p) for p in points], crs=32631
    )


def where(network: Network, entries: Entries) -> set[tuple[float, float, float]]:
    """Entries as x, y and leg in metres, whole centimetres."""
    lines, offset = network.lines[entries.edge], entries.offset_mm / 1000
    xy = shapely.get_coordinates(shapely.line_interpolate_point(lines, offset))
    rows = np.column_stack([xy, entries.access_mm / 1000]).round(2) + 0.0
    return set(map(tuple, rows.tolist()))


def minutes_to(network: Network, entries: Entries, home: tuple[float, float]) -> float:
    """The walk from one home to the one place."""
    homes = snap_points(network, np.array([shapely.Point(home)]), limit_m=100)
    return float(minutes_of(walks(network, homes, entries, limit=2_250_000).mm, network.speed_ms)[0])


LONG_STREET = [(0.0, 0.0), (1000.0, 0.0)]


def test_a_park_is_reached_at_its_gate_not_at_its_centre() -> None:
    """Worked answer: 175 m to the gate are 2.3333 minutes; the centroid would say 5.6667."""
    network = network_of(LONG_STREET)
    park = shapely.box(175, -50, 675, 50)
    assert shapely.centroid(park).x / 75 == pytest.approx(5.6667, abs=5e-5)
    by_gate = find_entries(network, place(park), KINDS, limit_m=100, gates=gates((175, 0)))
    assert where(network, by_gate) == {(175, 0, 0)}
    assert minutes_to(network, by_gate, (0, 0)) == pytest.approx(2.3333, abs=5e-5)
    by_edge = find_entries(network, place(park), KINDS, limit_m=100)
    assert minutes_to(network, by_edge, (0, 0)) == pytest.approx(2.3333, abs=5e-5)


def test_first_rule_gates_and_doors() -> None:
    """Mapped gates on the outline are the only ways in, even where a path crosses and others lie nearer."""
    network = network_of([(0, 0), (400, 0)], [(400, 0), (400, 400)])
    park = place(shapely.box(100, 10, 200, 200))
    found = find_entries(network, park, KINDS, limit_m=100, gates=gates((200, 40), (100, 10.4), (300, 300)))
    assert where(network, found) == {(200, 0, 40), (100, 0, 10.4)}


def test_doors_inside_an_open_park_are_not_its_gates() -> None:
    """The door of a pavilion in a park is the pavilion's; in a building a door behind the wall is its own."""
    network = network_of([(0, 0), (600, 0)])
    shape, door = shapely.box(100, 60, 200, 160), gates((150, 90), is_gate=False)
    park = find_entries(network, place(shape), KINDS, limit_m=100, gates=door)
    assert where(network, park).isdisjoint({(150, 0, 90)})
    assert min(leg for _, _, leg in where(network, park)) == 60
    hall = find_entries(network, place(shape, "libraries", building="yes"), KINDS, limit_m=100, gates=door)
    assert where(network, hall) == {(150, 0, 90)}


def test_second_rule_crossings_nodes_inside_and_outline_points() -> None:
    """An open park: where paths cross its edge, network nodes in it, and its edge each 25 m within 20 m."""
    network = network_of([(0, 0), (150, 0)], [(150, 0), (150, 150)], [(150, 150), (600, 150)])
    park = shapely.Polygon([(100, 15), (250, 15), (250, 300), (100, 300)])
    found = where(network, find_entries(network, place(park), KINDS, limit_m=100))
    assert {(150, 15, 0), (250, 150, 0), (150, 150, 0)} <= found
    legs = {(x, y): leg for x, y, leg in found if leg}
    # Marks at 0, 25 and 50 m along the south edge are 15 m from the street; on the path beyond, none is.
    assert legs[100, 0] == 15
    assert legs[125, 0] == 15
    assert all(leg <= 20 for leg in legs.values())
    assert not any(x == 150 and 15 < y < 150 for x, y, _ in found), "the middle of a path is no entry"


@pytest.mark.parametrize(("apart", "reached"), [(20.0, True), (20.001, False)])
def test_outline_points_reach_twenty_metres(apart: float, reached: bool) -> None:
    """An open edge 20 m from the street is stepped over anywhere; a millimetre more and only at its nearest point."""
    network = network_of(LONG_STREET)
    found = find_entries(network, place(shapely.box(400, apart, 500, apart + 90)), KINDS, limit_m=100)
    assert (len(found.place) > 1) is reached
    assert len(found.place) >= 1


def test_inside_an_open_park_no_walk_is_left() -> None:
    """A home whose front door is inside a square is there in its own leg only."""
    network = network_of(LONG_STREET)
    square = place(shapely.box(100, -20, 300, 20))
    homes = np.array([shapely.Point(200, 0)])
    found = find_entries(network, square, KINDS, limit_m=100, homes=homes)
    assert minutes_to(network, found, (200, 5)) == pytest.approx(5 / 75, abs=1e-6)


def test_third_rule_the_nearest_point_of_the_outline() -> None:
    """A fenced ground or a building without a mapped door is entered where its outline is nearest."""
    network = network_of([(0, 0), (600, 0)])
    shape = shapely.Polygon([(200, 60), (300, 40), (300, 200)])
    for tags in ({"barrier": "fence"}, {"building": "yes"}):
        found = find_entries(network, place(shape, **tags), KINDS, limit_m=100)
        assert where(network, found) == {(300, 0, 40)}
    library = find_entries(network, place(shape, "libraries"), KINDS, limit_m=100)
    assert where(network, library) == {(300, 0, 40)}


@pytest.mark.parametrize("flip", [False, True])
def test_third_rule_where_a_street_runs_through(flip: bool) -> None:
    """A closed place that a street crosses is entered where the street meets its outline, on either side."""
    line = LONG_STREET[::-1] if flip else LONG_STREET
    network = network_of(line)
    found = find_entries(network, place(shapely.box(400, -30, 600, 30), barrier="fence"), KINDS, limit_m=100)
    assert where(network, found) == {(400, 0, 0), (600, 0, 0)}


def test_a_barrier_of_no_is_none() -> None:
    """``barrier=no`` and ``building=no`` say that an area is open; a name that holds the word says nothing."""
    network = network_of(LONG_STREET)
    park = shapely.box(400, -30, 600, 30)
    expected = where(network, find_entries(network, place(park), KINDS, limit_m=100))
    for tags in ({"barrier": "no"}, {"building": "no"}, {"name": 'The "barrier": park'}):
        assert where(network, find_entries(network, place(park, **tags), KINDS, limit_m=100)) == expected


def test_the_snap_limit_is_inclusive_and_final() -> None:
    """100 m from a street is attached, a millimetre more is not: home, point, building and park alike."""
    network = network_of(LONG_STREET)
    homes = snap_points(network, shapely.points([[500, 100], [500, 100.001]]), limit_m=100)
    assert homes.reached.tolist() == [True, False]
    assert homes.access_mm[0] == 100_000
    for far, n in ((100.0, 1), (100.001, 0)):
        cafe = find_entries(network, place(shapely.Point(500, far), "cafes"), KINDS, limit_m=100)
        hall = find_entries(
            network, place(shapely.box(500, far, 600, far + 50), building="yes"), KINDS, limit_m=100
        )
        park = find_entries(network, place(shapely.box(500, far, 600, far + 50)), KINDS, limit_m=100)
        assert len(cafe.place) == n
        assert len(hall.place) == n
        assert len(park.place) == n


def test_tunnels_have_no_doors() -> None:
    """What lies above a tunnel is attached to the street beside it, and a park over it is not entered from below."""
    network = network_of([(0, 0), (600, 0)], [(0, 0), (0, 80)], [(0, 80), (600, 80)], tunnels=(0,))
    home = snap_points(network, shapely.points([[300, 10]]), limit_m=100)
    assert network.lines[home.edge[0]].distance(shapely.Point(300, 80)) == 0
    found = find_entries(network, place(shapely.box(200, -20, 400, 20)), KINDS, limit_m=100)
    assert where(network, found) == {(200, 80, 60)} or {y for _, y, _ in where(network, found)} == {80}


def test_stubs_serve_only_where_nothing_else_is_near() -> None:
    """A short path joined to nothing does not swallow the homes around it, but serves those without a street."""
    network = network_of([(0, 0), (600, 0)], [(100, 40), (300, 40)], [(0, 900), (100, 900)])
    homes = snap_points(network, shapely.points([[200, 39], [50, 905]]), limit_m=100)
    assert homes.edge.tolist() == [0, 2]
    assert homes.access_mm.tolist() == [39_000, 5_000]


def test_a_path_joined_to_nothing_does_not_lock_a_park() -> None:
    """A park whose own path hangs on nothing is still entered from the street beside it."""
    network = network_of(LONG_STREET, [(420, 80), (480, 120)])
    found = where(network, find_entries(network, place(shapely.box(400, 50, 500, 150)), KINDS, limit_m=100))
    assert any(y == 0 and leg == 50 for _, y, leg in found)


def test_lines_and_collections_are_met_where_they_come_near() -> None:
    """A place drawn as a line, as clipped parks are, is met at its nearest point."""
    network = network_of(LONG_STREET)
    line = shapely.LineString([(300, 90), (400, 30), (500, 90)])
    assert where(network, find_entries(network, place(line), KINDS, limit_m=100)) == {(400, 0, 30)}


def test_no_places_no_entries() -> None:
    """An area without a single place has no entry and breaks nothing."""
    empty = place(shapely.Point(0, 0)).iloc[:0]
    found = find_entries(network_of(LONG_STREET), empty, KINDS, limit_m=100, gates=gates((1, 1)))
    assert len(found.place) == 0
