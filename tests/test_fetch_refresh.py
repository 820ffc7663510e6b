"""A project brought up to date: what is the planner's stays, what changed is said, and a fault changes nothing."""

import copy
import sys
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from fake_servers import FakeServers, Overpass, osm_data, place
from grid_town import GridTown, box, lonlat, write_grid_town

from gisapp import Params, assess, read_area, read_project
from gisapp.area import StudyArea
from gisapp.cli import main
from gisapp.errors import InputError, OfflineError
from gisapp.project import read_results, write_project
from gisapp.refresh import refresh_project, refresh_residents, refresh_streets
from gisapp.settings import OnlineSettings, read_settings
from gisapp.sources.merge_places import merge_places
from gisapp.sources.overpass import clear_cache

OUTLINE = shapely.Polygon(box(-1, -3, 4.45, 6))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """The grid town's files."""
    return write_grid_town(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def area(town: GridTown) -> StudyArea:
    """The grid town with its census, a place edited by the planner, and a list of two merged into it."""
    area = read_area(osm=town.osm, residents=town.census, boundary=town.boundary)
    places = area.places.copy()
    places.loc[town.places["library"], ["name", "capacity", "source"]] = ["Our Library", 80.0, "own list"]
    own = area.places.loc[[town.places["park"], town.places["cafe"]]].copy()
    own.index = pd.Index(["own/1", "own/2"], name="place_id")
    own["source"], own["name"], own["tags"] = "own list", ["The Middle Park", "Café Novum"], "{}"
    spot = gpd.GeoSeries([shapely.Point(*lonlat(1.2, 2.05))], crs=4326).to_crs(area.crs).iloc[0]
    own.geometry = [own.geometry.iloc[0].centroid, spot]
    merged = merge_places(places, own)
    assert merged.matches["own_id"].tolist() == ["own/1"]
    return area.with_(places=merged.places)


@pytest.fixture(scope="module")
def newer(town: GridTown) -> Overpass:
    """The town some years later: a cafe new, one gone, one street more, a park with another name."""
    data = copy.deepcopy(osm_data(town.osm))
    data.node(*lonlat(1.2, 2.02), {"amenity": "cafe", "name": "Novum", "cuisine": "tart"})
    data.node(*lonlat(3.2, 2.02), {"amenity": "cafe", "name": "Nimbus"})
    del data.nodes[int(town.places["cafe"].split("/")[1])]
    playground = int(town.places["playground"].split("/")[1])
    data.ways[playground][1]["name"] = "Slide"
    ends = data.node(*lonlat(2, 4)), data.node(*lonlat(2, 5))
    top = min(
        data.nodes, key=lambda n: shapely.Point(lonlat(2, 4)).distance(shapely.Point(data.nodes[n][:2]))
    )
    data.way([top, ends[1]], {"highway": "residential"})
    data.ring(box(1.9, 4.5, 1.97, 4.6), {"building": "house"})
    return Overpass(data)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No kept answers and no pauses of courtesy."""
    clear_cache()
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.fixture
def servers(newer: Overpass) -> Iterator[FakeServers]:
    """Servers that know the newer town."""
    with FakeServers(newer, {"Grid": [place("Grid", OUTLINE)]}) as servers:
        yield servers


def settings(servers: FakeServers) -> OnlineSettings:
    """Return settings that lead to the servers."""
    return read_settings(overpass_url=f"{servers.url}/api", nominatim_url=servers.url)


def test_own_places_stay_and_changes_are_said(servers: FakeServers, area: StudyArea, town: GridTown) -> None:
    """New, gone and renamed places by kind, street length, dates; the planner's two places win over the map's."""
    after, changes = refresh_streets(area, settings=settings(servers))
    said = "\n".join(changes)
    assert "OpenStreetMap of 2026-03-01 -> 2024-05-06" in changes[0]
    assert "(+0.1 km)" in changes[0]
    assert ": 1 new (Nimbus), 1 gone (Upstairs)." in said
    assert "Playgrounds: 1 renamed (no name -> Slide)." in said
    assert "Libraries" not in said
    assert changes[-2] == "3 places of your own were kept."
    assert "own/2 Café Novum" in changes[-1]
    assert "Novum (" in changes[-1]
    assert after.places.loc[town.places["library"], ["name", "capacity"]].tolist() == ["Our Library", 80.0]
    assert after.places.loc[["own/1", "own/2"], "name"].tolist() == ["The Middle Park", "Café Novum"]
    assert "tart" in after.places.loc["own/2", "tags"]
    assert town.places["park"] not in after.places.index  # merged before
    assert after.places.loc["own/1"].geometry.equals(area.places.loc["own/1"].geometry)
    assert after.places.index.is_unique
    assert after.places.crs == area.places.crs
    pd.testing.assert_frame_equal(pd.DataFrame(after.residents), pd.DataFrame(area.residents))
    assert after.provenance.counts == "published"
    assert after.provenance.data_date == "2024-05-06"
    assert after.provenance.sources[1:] == area.provenance.sources[1:]
    assert "residents_missing" not in after.quality
    linked = after.background["buildings"]["home_id"].dropna()
    assert set(linked) <= set(area.residents.index)
    assert len(linked)
    assert assess(after).homes["access"].notna().any()


def test_nothing_new_is_said_too(area: StudyArea, town: GridTown) -> None:
    """The same file again: no change of streets or places."""
    plain = read_area(osm=town.osm, boundary=town.boundary)
    after, changes = refresh_streets(plain, osm=town.osm)
    assert "(+0.0 km)" in changes[0]
    assert changes[1:] == ("Places: no change.",)
    assert len(after.residents) == len(plain.residents)
    assert after.provenance.counts == "missing"


def test_counts_come_to_a_town_without(town: GridTown) -> None:
    """A census brings people to the homes that are there: as many, group by group, as reading it at once."""
    plain = read_area(osm=town.osm, boundary=town.boundary)
    at_once = read_area(osm=town.osm, boundary=town.boundary, residents=town.census)
    after, changes = refresh_residents(plain, town.census)
    assert changes == ("Residents: nobody counted -> 240 (Eurostat, Census 2021 population grid).",)
    assert set(after.residents.index) == set(at_once.residents.index)
    columns = [c for c in at_once.residents if ":" in c or c == "total"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(after.residents[columns]).sort_index(),
        pd.DataFrame(at_once.residents[columns]).sort_index(),
    )
    assert (after.residents["core"].sort_index() == at_once.residents["core"].sort_index()).all()
    assert after.provenance == at_once.provenance
    assert "residents_missing" not in after.quality
    again, changes = refresh_residents(after, town.census)
    assert changes[0].startswith("Residents: 240 -> 240")
    assert len(again.provenance.sources) == 2


def test_the_command_refreshes_a_scored_project(
    servers: FakeServers, area: StudyArea, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The file is replaced as a whole, scored again if it was, and the changes are printed."""
    path = tmp_path / "grid.gpkg"
    result = assess(area, Params(speed_kmh=4.0))
    write_project(path, area, result.params, result)
    monkeypatch.setattr(
        sys, "argv", ["trefpunt", "refresh", str(path), "--overpass-url", f"{servers.url}/api"]
    )
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr()
    assert (stop.value.code, said.err) == (0, "")
    assert "Nimbus" in said.out
    project = read_project(path)
    assert {"Café Novum", "Nimbus"} <= set(project.area.places["name"])
    assert project.params.speed_kmh == 4.0
    scores = read_results(path)
    assert scores is not None
    assert set(scores.places.index) == set(project.area.places.index)
    assert [p.name for p in tmp_path.iterdir()] == ["grid.gpkg"]


@pytest.mark.parametrize("fault", ["504", "remark", "empty", "truncated"])
def test_a_fault_leaves_the_project_as_it_was(
    servers: FakeServers, area: StudyArea, tmp_path: Path, fault: str
) -> None:
    """Not a byte changes, and nothing else is left in the folder."""
    path = tmp_path / "grid.gpkg"
    write_project(path, area, Params())
    before = path.read_bytes()
    servers.fault = fault
    with pytest.raises((OfflineError, InputError)):
        refresh_project(path, settings=settings(servers))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["grid.gpkg"]


def test_a_census_of_elsewhere_is_refused(area: StudyArea, tmp_path: Path, town: GridTown) -> None:
    """Counts that do not overlap the town change nothing."""
    cells = gpd.read_file(town.census)
    cells.geometry = cells.geometry.translate(100_000, 0)
    cells.to_file(tmp_path / "elsewhere.gpkg")
    with pytest.raises(InputError, match="does not overlap the streets"):
        refresh_residents(area, tmp_path / "elsewhere.gpkg")


@pytest.mark.parametrize(("stored", "asked"), [(7.5, 7.5), (0.0, 0.0), (None, 30.0)])
def test_as_much_is_downloaded_as_was_before(
    area: StudyArea, monkeypatch: pytest.MonkeyPatch, stored: float | None, asked: float
) -> None:
    """A refresh takes in the width that the project was made with; one that was made from files gets 30 minutes."""
    widths = []

    def stop(*args: object, buffer_min: float, **options: object) -> None:
        widths.append(buffer_min)
        raise OfflineError("far enough")

    monkeypatch.setattr("gisapp.refresh.download", stop)
    with pytest.raises(OfflineError):
        refresh_streets(area.with_(buffer_min=stored))
    assert widths == [asked]
