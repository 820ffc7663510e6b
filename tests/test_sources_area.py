"""From files to a scored town: a grid of 5 x 5 streets whose walks are worked out by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from grid_town import CELLS, SPEED, GridTown, east_m, north_m, write_grid_town

from gisapp.area import StudyArea
from gisapp.assess_area import assess
from gisapp.assessment import Assessment
from gisapp.network.routing import route_area
from gisapp.params import Params
from gisapp.sources.read import read_area

LIFT_MIN = 0.75
# Straight legs are measured on the map, streets on the globe: a metre's rounding in 400 m.
NEAR_MIN = 0.003


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """The town's files."""
    return write_grid_town(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def area(town: GridTown) -> StudyArea:
    """The town as it is read."""
    return read_area(osm=town.osm, residents=town.census, boundary=town.boundary)


@pytest.fixture(scope="module")
def result(area: StudyArea) -> Assessment:
    """The town scored."""
    return assess(area)


def minutes(result: Assessment, home: str, place: str) -> float:
    """The walk from a home to a place, NaN if there is none."""
    times = result.travel_times
    found = times[(times["home_id"] == home) & (times["place_id"] == place)]["minutes"]
    return float(found.iloc[0]) if len(found) else float("nan")


def test_walks_are_those_of_a_pencil(town: GridTown, result: Assessment) -> None:
    """Front door to gate, entrance, park path or lift-top cafe, along rows and columns at 1.25 m/s."""
    library_leg, gate_leg = east_m(0.2, 3.5), north_m(0.3)
    walks_m = {
        # Over row 0, column 1 and row 1 to the path, and up it to the park's edge: not to its middle.
        ("south", "park"): north_m(0.12) + east_m(0.5, 0) + north_m(1) + east_m(0.5, 1) + north_m(0.3),
        ("south", "library"): north_m(0.12) + east_m(0.5, 0) + north_m(3.5) + library_leg,
        ("south", "playground"): north_m(0.12) + east_m(2.5, 0) + north_m(4) + east_m(0.5, 4) + gate_leg,
        # Along row 4, round the corner into column 0.
        ("north", "library"): north_m(0.1) + east_m(1.5, 4) + north_m(0.5) + library_leg,
        ("north", "playground"): north_m(0.1) + east_m(2, 4) + gate_leg,
        ("north", "park"): north_m(0.1) + north_m(2) + east_m(1, 3) + north_m(0.3),
        # The house over the tunnel opens on column 3, not on the tunnel below it.
        ("tunnel", "playground"): east_m(0.4, 0.45) + north_m(3.55) + east_m(0.5, 4) + gate_leg,
        ("hill", "cafe"): north_m(0.1) + east_m(0.1, 4) + north_m(0.1),
    }
    for (home, place), metres in walks_m.items():
        found = minutes(result, town.homes[home], town.places[place])
        assert found == pytest.approx(metres / SPEED / 60, abs=NEAR_MIN), (home, place)
    up = north_m(0.1) + east_m(2.5, 4) + east_m(1.3, 4) + north_m(0.1)
    found = minutes(result, town.homes["north"], town.places["cafe"])
    assert found == pytest.approx(up / SPEED / 60 + LIFT_MIN, abs=NEAR_MIN)


def test_tunnels_are_walked_though_they_have_no_doors(area: StudyArea) -> None:
    """The tunnel is an edge of the network, its diagonal shorter than the two streets, without doors."""
    edges = area.streets.edges
    tunnel = edges[edges["tunnel"]]
    assert len(tunnel) == 1
    diagonal = np.hypot(east_m(1, 0.5), north_m(1))
    assert tunnel["length_m"].iloc[0] == pytest.approx(diagonal, abs=0.01)
    routing = route_area(area, Params())
    at = np.flatnonzero(routing.network.row == tunnel.index[0])
    assert len(at) == 1
    assert not np.isin(routing.homes.edge, at).any()
    assert not np.isin(routing.entries.edge, at).any()


def test_network_contracts_the_corners_and_bends(area: StudyArea) -> None:
    """25 crossings less 3 corners of degree 2 (one has the lift), two ends of the park path, and the hill's."""
    assert len(area.streets.nodes) == 25 - 3 + 2 + 3
    total = (
        5 * 4 * north_m(1)
        + sum(east_m(4, j) for j in range(5))
        + north_m(1)
        + np.hypot(east_m(1, 0.5), north_m(1))
    )
    total += east_m(1.4, 4) + north_m(0.8)
    assert area.streets.edges["length_m"].sum() == pytest.approx(total, abs=0.05)
    assert area.streets.edges["wait_s"].sum() == pytest.approx(45)
    assert area.streets.edges["steps"].sum() == 1
    assert int(area.crs.to_epsg() or 0) == 32631


def test_access_follows_from_the_walks(town: GridTown, result: Assessment) -> None:
    """One place of a kind: 100 halved each five minutes; overall the geometric mean over all kinds."""
    row = result.homes.loc[town.homes["south"]]
    score = {}
    for kind, place in (("libraries", "library"), ("playgrounds", "playground"), ("parks", "park")):
        t = minutes(result, town.homes["south"], town.places[place])
        score[kind] = 100 * 2 ** (-t / 5)
        assert row[f"nearest_min:{kind}"] == t
        assert row[f"access:{kind}"] == pytest.approx(score[kind], abs=1e-9)
    score |= {kind: row[f"access:{kind}"] for kind in ("cafes", "shops")}
    assert score["cafes"] > 0
    assert score["shops"] > 0
    kinds = result.params.kinds
    assert len(kinds) == 15
    mean = sum(np.log1p(score.get(kind, 0.0)) for kind in kinds) / len(kinds)
    assert row["access"] == pytest.approx(np.expm1(mean), abs=1e-9)
    assert set(result.quality.missing_kinds) == set(kinds) - set(score)


def test_people_of_every_cell_are_in_the_homes_of_their_cell(town: GridTown, area: StudyArea) -> None:
    """Counts go to residential buildings by floor area, to streets where there is none; the rest is unknown."""
    homes = area.residents
    assert set(town.homes.values()) <= set(homes.index)
    sums = homes.groupby("zone_id")[["total", "origin:born_here", "age:65_plus"]].sum()
    for cell, (_, _, counts) in CELLS.items():
        assert sums.loc[cell].tolist() == pytest.approx([counts[0], counts[1], counts[6]])
    assert set(homes.loc[homes["zone_id"] == "middle", "spread"]) == {"streets"}
    assert (homes["zone_id"] == "middle").sum() == 10  # five rows of 59 m, a point each 50 m
    # Three storeys against the median of what is known (3): equal floor area, so equal shares.
    assert homes.loc[town.homes["south"], "total"] == pytest.approx(50, rel=1e-3)
    assert homes.loc[town.homes["north"], "total"] == pytest.approx(50, rel=1e-3)
    origins = homes[[c for c in homes if c.startswith("origin:")]].sum().sum()
    assert homes["total"].sum() - origins == pytest.approx(10)


def test_core_is_what_the_boundary_holds(town: GridTown, area: StudyArea) -> None:
    """Homes outside the boundary are the buffer: they count as visitors, not as residents."""
    assert not area.residents.loc[town.homes["hill"], "core"]
    assert area.residents.loc[town.homes["tunnel"], "core"]
    assert not area.places.loc[town.places["cafe"], "core"]


def test_quality_tells_what_was_cut_lost_or_guessed(
    town: GridTown, area: StudyArea, result: Assessment
) -> None:
    """A clipped way, a cafe beyond the snap limit, guessed storeys, people on streets: all said, with counts."""
    assert area.quality["ways_clipped"].count == 1
    assert area.quality["levels_imputed"].count == 3
    assert area.quality["no_buildings"].count == pytest.approx(40)
    assert result.quality["places_unsnapped"].count == 1
    assert town.places["lost"] in result.quality["places_unsnapped"].sentence
    assert np.isnan(minutes(result, town.homes["south"], town.places["lost"]))
    assert result.places.loc[town.places["lost"], "reach"] == 0
    assert "homes_unsnapped" not in result.quality


def test_counts_known_to_be_published_say_so(area: StudyArea) -> None:
    """The Eurostat grid is recognised by its columns and passes as published, with its attribution."""
    assert area.provenance.counts == "published"
    assert "Eurostat" in area.provenance.attribution
    assert "OpenStreetMap" in area.provenance.attribution
    assert area.provenance.data_date == "2026-03-01"
    assert area.name == "Grid Town"


def test_reading_twice_and_in_xml_gives_the_same_town(
    town: GridTown, area: StudyArea, tmp_path: Path
) -> None:
    """PBF or XML, first or second time: the same streets, places and homes."""
    xml = write_xml(town, tmp_path)
    again = read_area(osm=xml, residents=town.census, boundary=town.boundary)
    pd.testing.assert_frame_equal(pd.DataFrame(again.streets.edges), pd.DataFrame(area.streets.edges))
    pd.testing.assert_frame_equal(pd.DataFrame(again.places), pd.DataFrame(area.places))
    pd.testing.assert_frame_equal(pd.DataFrame(again.residents), pd.DataFrame(area.residents))


def write_xml(town: GridTown, folder: Path) -> Path:
    """The same objects as OSM XML."""
    import osmium

    path = folder / "grid town.osm"
    header = osmium.io.Reader(str(town.osm)).header()
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for thing in osmium.FileProcessor(str(town.osm)):
            writer.add(thing)
    return path
