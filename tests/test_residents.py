"""People shared out to buildings: nobody lost, nobody made up, and nobody judged by where a centre lies."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from split_graph import make_streets

from gisapp.area import Streets
from gisapp.residents import residential_buildings, share_out, whole_people

CRS = 32631
COLUMNS = ["origin:a", "origin:b", "total"]


def buildings(*rows: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    """Square buildings: x, y of the middle, side in metres, floor area."""
    return gpd.GeoDataFrame(
        {"floor_m2": [row[3] for row in rows]},
        geometry=[shapely.Point(x, y).buffer(side / 2, cap_style="square") for x, y, side, _ in rows],
        index=[f"way/{n}" for n in range(len(rows))],
        crs=CRS,
    )


def zones(*rows: tuple[shapely.Geometry, float, float]) -> gpd.GeoDataFrame:
    """Zones: shape, people of a and of b; five more are of unknown group."""
    table = {"origin:a": [a for _, a, _ in rows], "origin:b": [b for _, _, b in rows]}
    table["total"] = [a + b + 5 for _, a, b in rows]
    names = [f"z{n}" for n in range(len(rows))]
    return gpd.GeoDataFrame(table, geometry=[shape for shape, _, _ in rows], index=names, crs=CRS)


def street(*lines: list[tuple[float, float]], **columns: object) -> Streets:
    """Straight streets."""
    xy = [point for line in lines for point in line]
    streets = make_streets(xy, [(2 * n, 2 * n + 1) for n in range(len(lines))], [0.0] * len(lines))
    return Streets(streets.nodes, streets.edges.assign(**columns))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_every_group_of_every_zone_is_conserved(data: st.DataObject) -> None:
    """Whatever zones, buildings and streets: what a zone holds is what its homes hold, to 1e-9."""
    number = st.floats(0, 1e5, allow_nan=False)
    coordinate = st.integers(-50, 450).map(float)
    grid = [shapely.box(100 * i, 100 * j, 100 * i + 100, 100 * j + 100) for i in range(4) for j in range(2)]
    people = zones(*[(cell, data.draw(number), data.draw(number)) for cell in grid])
    row = st.tuples(coordinate, coordinate, st.sampled_from([1.0, 12.0, 90.0]), st.floats(0.5, 1e4))
    houses = buildings(*data.draw(st.lists(row, max_size=12)))
    lines = data.draw(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), max_size=4))
    lines = [[(a, b), (c + 0.5, d + 0.5)] for a, b, c, d in lines]
    streets = street([(-900.0, 0.0), (-800.0, 0.0)], *lines)
    streets.edges["highway"] = [
        "residential",
        *data.draw(st.lists(st.sampled_from(["primary", "path"]), min_size=len(lines), max_size=len(lines))),
    ]
    homes = share_out(people, COLUMNS, houses, streets)
    assert homes.index.is_unique
    sums = homes.groupby("zone_id")[COLUMNS].sum().reindex(people.index)
    assert np.allclose(sums, people[COLUMNS], rtol=1e-9, atol=1e-9)
    inside = people.geometry.loc[homes["zone_id"]].to_numpy()
    assert (shapely.distance(inside, homes.geometry.to_numpy()) < 1e-6).all()


def test_floor_area_decides() -> None:
    """A building with three times the floor area gets three times the people, group by group."""
    people = zones((shapely.box(0, 0, 100, 100), 60, 20))
    homes = share_out(
        people, COLUMNS, buildings((20, 20, 10, 300), (70, 70, 10, 100)), street([(0, 0), (9, 0)])
    )
    assert homes["origin:a"].tolist() == [45, 15]
    assert homes["total"].tolist() == [63.75, 21.25]
    assert homes["floor_m2"].tolist() == [300, 100]


def test_coast_cells_lose_nobody_and_no_centre_decides() -> None:
    """A cell whose centre is at sea, and whose only house stands in a corner, keeps all its people there."""
    people = zones((shapely.box(0, 0, 1000, 1000), 80, 0), (shapely.box(1000, 0, 2000, 1000), 0, 9))
    houses = buildings((990, 10, 8, 50), (1010, 10, 8, 50))
    homes = share_out(people, COLUMNS, houses, street([(985, 0), (1015, 0)]))
    assert homes["origin:a"].to_dict() == {"way/0": 80, "way/1": 0}
    assert homes["total"].sum() == 80 + 9 + 10


def test_cells_without_buildings_go_to_their_streets() -> None:
    """No building: points each 50 m at most along streets with doors, not along paths or in tunnels."""
    people = zones((shapely.box(0, 0, 200, 100), 30, 0))
    lines = [[(0.0, 50.0), (200.0, 50.0)], [(0.0, 90.0), (200.0, 90.0)], [(0.0, 10.0), (200.0, 10.0)]]
    streets = street(*lines, highway=["residential", "footway", "primary"], tunnel=[False, False, True])
    homes = share_out(people, COLUMNS, buildings(), streets)
    assert [(p.x, p.y) for p in homes.geometry] == [(25, 50), (75, 50), (125, 50), (175, 50)]
    assert homes["origin:a"].tolist() == [7.5] * 4
    assert set(homes["spread"]) == {"streets"}
    assert homes["floor_m2"].isna().all()


def test_cells_with_paths_only_and_cells_with_nothing() -> None:
    """Without streets people go to paths, and without either to a point inside their zone: never nowhere."""
    horseshoe = shapely.box(300, 0, 400, 100) - shapely.box(320, 0, 380, 90)
    people = zones(
        (shapely.box(0, 0, 100, 100), 10, 0), (horseshoe, 0, 10), (shapely.box(900, 0, 950, 50), 0, 0)
    )
    homes = share_out(people, COLUMNS, buildings(), street([(0.0, 50.0), (60.0, 50.0)], highway="path"))
    assert homes["spread"].tolist() == ["streets", "streets", "zone", "zone"]
    last = homes[homes["zone_id"] == "z1"]
    assert horseshoe.contains(last.geometry.iloc[0])
    assert not horseshoe.contains(horseshoe.centroid)


def test_a_building_on_a_seam_is_counted_once() -> None:
    """A building whose inner point lies on the border of two zones houses people of one of them."""
    people = zones((shapely.box(0, 0, 100, 100), 10, 0), (shapely.box(100, 0, 200, 100), 0, 10))
    homes = share_out(people, COLUMNS, buildings((100, 50, 20, 90)), street([(150.0, 50.0), (160.0, 50.0)]))
    assert homes.index.is_unique
    assert homes[["origin:a", "origin:b"]].sum().tolist() == [10, 10]


def test_who_lives_where() -> None:
    """Homes are buildings tagged so, and plain ones without another use; storeys come from within 100 m."""
    rows = [
        ({"building": "apartments", "building:levels": "6"}, 0),
        ({"building": "yes"}, 60),
        ({"building": "yes", "shop": "bakery"}, 100),
        ({"building": "garage"}, 140),
        ({"building": "house", "building:levels": "two"}, 180),
        ({"building": "office", "building:levels": "4"}, 200),
        ({"building": "terrace"}, 1000),
        ({"building": "house", "building:levels": "1,5"}, 2000),
    ]
    frame = gpd.GeoDataFrame(
        {"tags": [tags for tags, _ in rows]},
        geometry=[shapely.box(x, 0, x + 10, 10) for _, x in rows],
        index=[f"way/{n}" for n in range(len(rows))],
        crs=CRS,
    )
    homes = residential_buildings(frame)
    assert homes.index.tolist() == ["way/0", "way/1", "way/4", "way/6", "way/7"]
    # Median of 6 within 100 m; of 4 (an office tells of its street too); far from all, the median of all.
    assert homes["levels"].tolist() == [6, 6, 4, 4, 1.5]
    assert homes["levels_imputed"].tolist() == [False, True, True, True, False]
    assert homes["floor_m2"].tolist() == [600, 600, 400, 400, 150]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=30), st.integers(0, 100_000))
def test_whole_people_add_up_and_stay_near_their_share(weights: list[float], total: int) -> None:
    """Whole people: the sum is exact, and nobody's share is off by one or more."""
    shares = np.array(weights) / np.sum(weights) * total
    counts = whole_people(np.array(weights), total)
    assert counts.sum() == total
    assert (np.abs(counts - shares) < 1 + 1e-6).all()


@pytest.mark.parametrize("levels", ["0", "-3", "1000", "many", ""])
def test_storeys_that_cannot_be_are_unknown(levels: str) -> None:
    """A number of storeys below 1 or above 100 is no number: two are assumed where nothing is known."""
    frame = gpd.GeoDataFrame(
        {"tags": [{"building": "house", "building:levels": levels}]},
        geometry=[shapely.box(0, 0, 5, 5)],
        crs=CRS,
    )
    homes = residential_buildings(frame)
    assert homes["levels"].tolist() == [2]
    assert homes["levels_imputed"].all()
