"""Barriers and crossings: a river between two streets by hand, and agreement with the scenario that builds the link."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from split_graph import make_streets

import gisapp as ga
from gisapp.area import StudyArea
from gisapp.catalogue import LayerSpec
from gisapp.crossings import LEAST_DETOUR_MIN, LONGEST_M, WITHIN_MIN, _between, crossings
from gisapp.errors import InputError

CRS = 32631
X, Y = 600_000.0, 5_700_000.0


def layer(*shapes: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    """Return shapes, given in metres from the town's corner, as a layer."""
    moved = [shapely.transform(shape, lambda xy: xy + (X, Y)) for shape in shapes]
    return gpd.GeoDataFrame(geometry=moved, crs=CRS).assign(**columns)


def river_town() -> StudyArea:
    """Two streets of 400 m, 100 m apart, a river between and one bridge at the east end.

    100 people live at the west end of the south street, 10 at its east end; the library is at the north-west corner.
    """
    xy = [(X + 100 * i, Y + 100 * j) for j in (0, 1) for i in range(5)]
    edges = [(5 * j + i, 5 * j + i + 1) for j in (0, 1) for i in range(4)] + [(4, 9)]
    streets = make_streets(xy, edges, [0.0] * len(edges))
    residents = layer(shapely.Point(0, 0), shapely.Point(400, 0)).assign(
        **{"age:young": [100.0, 0.0], "age:old": [0.0, 10.0]},
        total=[100.0, 10.0],
        core=True,
        zone_id=["w", "e"],
    )
    residents.index = pd.Index(["west", "east"], name="home_id")
    places = layer(
        shapely.Point(0, 100), kind="libraries", name=None, open_to="all", core=True, tags="{}", part_of=None
    )
    places.index = pd.Index(["node/1"], name="place_id")
    quarters = layer(shapely.box(-50, -50, 450, 50), shapely.box(-50, 50, 450, 150), name=["South", "North"])
    spec = LayerSpec("libraries", {"en": "Libraries"}, {"en": ""}, enough=True, norm_min=10)
    return StudyArea(
        "River", streets, places, residents, (spec,), neighbourhoods=quarters,
        background={"water": layer(shapely.box(-50, 30, 350, 70))},
    )  # fmt: skip


def test_the_best_crossing_of_a_river() -> None:
    """At the west end: 12 minutes become 80 seconds for 100 people, and the 10 at the bridge gain nothing."""
    found = crossings(ga.assess(river_town()))
    assert len(found) == 1
    row = found.iloc[0]
    assert {row["neighbourhood"], row["other"]} == {"South", "North"}
    assert row["barrier"] == "water"
    assert [row["straight_m"], row["walk_min"]] == pytest.approx([100, 12])
    assert [row["people_nearer"], row["people_within_norm"]] == [100, 100]
    assert row["person_minutes"] == pytest.approx(100 * (12 - 100 / 75))
    assert np.isnan(row["unlike:age"])  # nobody lives in the north
    assert {tuple(np.round(xy)) for xy in row.geometry.coords} == {(X, Y), (X, Y + 100)}


def test_a_building_is_no_crossing() -> None:
    """With a house in the way the path runs slantwise past it: 141 m, and 241 m from door to door."""
    area = river_town()
    house = layer(shapely.box(-5, 40, 5, 60))
    row = crossings(ga.assess(area.with_(background={**area.background, "buildings": house}))).iloc[0]
    assert row["straight_m"] == pytest.approx(np.sqrt(2) * 100)
    assert row["person_minutes"] == pytest.approx(100 * (12 - (100 + np.sqrt(2) * 100) / 75), abs=0.01)


def test_what_lies_between_is_named_as_far_as_it_is_known() -> None:
    """A trunk road and a main road are named, in a tunnel they are not, and nothing known is unknown."""
    area = river_town().with_(background={})
    line = shapely.LineString([(X + 50, Y - 10), (X + 50, Y + 110)])
    edges = area.streets.edges
    assert _between(area, line) == "unknown"
    for tunnel, said in ((False, "trunk road;main road"), (True, "main road")):
        roads = edges.assign(
            highway=["trunk_link", *["residential"] * 3, "primary", *["residential"] * 4],
            tunnel=[tunnel, *[False] * (len(edges) - 1)],
        )
        streets = ga.area.Streets(area.streets.nodes, roads)
        assert _between(area.with_(streets=streets), line) == said


def test_no_detour_no_barrier() -> None:
    """With bridges at every corner there is none to find, and an area of one piece is told to have no borders."""
    area = river_town()
    xy = [(p.x, p.y) for p in area.streets.nodes.geometry]
    edges = list(zip(area.streets.edges["u"], area.streets.edges["v"], strict=True)) + [
        (i, i + 5) for i in range(4)
    ]
    bridged = area.with_(streets=make_streets(xy, edges, [0.0] * len(edges)))
    assert crossings(ga.assess(bridged)).empty
    with pytest.raises(InputError, match="two neighbourhoods"):
        crossings(ga.assess(area.with_(neighbourhoods=None)))


def test_the_gain_is_that_of_the_scenario() -> None:
    """In the sample, every spot is a detour; the best one's gain is what comparing with the link tells."""
    sample = ga.load_sample()
    area = sample.with_(residents=sample.residents.iloc[::6])
    result = ga.assess(area)
    found = crossings(result, tries=2)
    assert len(found) > 3
    assert (found["straight_m"] <= LONGEST_M).all()
    walk = found["walk_min"].fillna(result.params.horizon_min)
    assert (walk - found["straight_m"] / 75 >= LEAST_DETOUR_MIN - 1e-3).all()
    assert (found["person_minutes"] >= 0).all()
    assert found["person_minutes"].is_monotonic_decreasing
    best = found.iloc[0]
    a, b = best.geometry.coords
    change = ga.compare(area, ga.Scenario().link(a, b), result.params, baseline=result)
    columns = [f"nearest_min:{kind}" for kind in result.params.kinds]
    then, now = (
        each.homes[columns].fillna(99).clip(upper=WITHIN_MIN) for each in (change.baseline, change.scenario)
    )
    people = area.residents["total"] * area.residents["core"]
    saved = then - now
    assert best["person_minutes"] == pytest.approx((people * saved.mean(axis=1)).sum())
    assert best["people_nearer"] == pytest.approx(people[(saved >= 1).any(axis=1)].sum())
    assert not change.conflict
