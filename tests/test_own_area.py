"""A planner's own data from the command to the project file: shown, kept, undone, and refused with exit code 2."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import pytest
from grid_town import GridTown, write_grid_town

from gisapp.assess_area import assess
from gisapp.cli import main
from gisapp.project import read_project
from gisapp.sources.merge_places import MergeResult, merge_table, unmerge
from gisapp.sources.read import read_area

LIST = "Naam;Soort;lon;lat;Capaciteit;Avond;visitors:origin:born_here;visitors:origin:born_outside_eu\n"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """The town's files, with a list of places: its library again, and a club that the map does not know."""
    town = write_grid_town(tmp_path_factory.mktemp("grid"))
    at = (
        read_area(osm=town.osm, residents=town.census).places.loc[town.places["library"], "geometry"].centroid
    )
    here = gpd.GeoSeries([at], crs="EPSG:32631").to_crs(4326).iloc[0]
    rows = (
        f"The library;Bibliotheek;{here.x};{here.y};50;ja;;\nKlaverjas;Vereniging;3.001;51.001;30;nee;60;20\n"
    )
    (town.osm.parent / "list.csv").write_text(LIST + rows)
    return town


class Done(NamedTuple):
    """How the command ended."""

    code: object
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process."""

    def command(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["trefpunt", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        return Done(stop.value.code, *capsys.readouterr())

    return command


def test_a_list_goes_through_the_command_into_the_project_and_back(
    run: Run, town: GridTown, tmp_path: Path
) -> None:
    """Columns and merges are shown; the project keeps what planners know, and the merge can still be undone."""
    done = run("score", "--osm", town.osm, "--residents", town.census, "--places", town.osm.parent / "list.csv",
               "--out", tmp_path / "town.gpkg")  # fmt: skip
    assert done.code == 0, done.err
    assert "'list.csv': 2 places read; name from 'Naam', kind from 'Soort'" in done.out
    assert f"own/1 The library = {town.places['library']} Library (0 m, names 100% alike)" in done.out
    area = read_project(tmp_path / "town.gpkg").area
    places = area.places
    assert places.loc["own/1", ["name", "capacity", "open_evening", "source"]].tolist() == [
        "The library",
        50,
        "yes",
        "list.csv",
    ]
    assert places.loc["own/2", "kind"] == "clubs"
    assert places.loc["own/2", "attractiveness:origin:born_here"] == pytest.approx(0.75 / (140 / 205))
    assert town.places["library"] not in places.index
    bare = read_area(osm=town.osm, residents=town.census)
    undone = unmerge(MergeResult(places, merge_table(places)), "own/1").places
    library = town.places["library"]
    assert undone.loc[library, "geometry"].equals(bare.places.loc[library, "geometry"])
    assert undone.loc[library, "name"] == "Library"
    assert undone.loc["own/1", "geometry"].geom_type == "Point"
    assert [s.title for s in area.provenance.sources][-1] == "list.csv"


def test_own_places_count(town: GridTown) -> None:
    """The library is one, not two, with its capacity; the club is access only unless it says otherwise."""
    area = read_area(osm=town.osm, residents=town.census, places=[town.osm.parent / "list.csv"])
    bare = assess(read_area(osm=town.osm, residents=town.census))
    result = assess(area)
    home = town.homes["south"]
    assert result.homes.loc[home, "count:libraries:15"] == 1
    assert result.homes.loc[home, "nearest_min:libraries"] == bare.homes.loc[home, "nearest_min:libraries"]
    assert result.homes["room:libraries"].notna().any()
    assert result.places.loc["own/2", "reach"] > 0
    assert pd.isna(result.places.loc["own/2", "visitors"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--places", "{list}:unicorns"], "places: there is no kind 'unicorns'; the nearest is"),
        (["--places", "{tmp}/none.csv"], "places: there is no file"),
        (
            ["--neighbourhoods", "{list}"],
            "'list.csv' has points in row 2, row 3, where polygons are wanted",
        ),
        (
            ["--streets", "{boundary}"],
            "streets: 'boundary.geojson' has polygons in row 1, where lines are wanted",
        ),
        (["--zones", "{boundary}"], "share no column. Say which columns name the zones"),
    ],
)
def test_wrong_files_end_with_code_2_and_nothing_written(
    words: list[str], message: str, run: Run, town: GridTown, tmp_path: Path
) -> None:
    """One message, no traceback, no file."""
    names = {"list": town.osm.parent / "list.csv", "tmp": tmp_path, "boundary": town.boundary}
    out = tmp_path / "town.gpkg"
    done = run(
        "score",
        "--osm",
        town.osm,
        "--residents",
        town.census,
        "--out",
        out,
        *(w.format(**names) for w in words),
    )
    assert done.code == 2
    assert done.err.startswith("trefpunt: ")
    assert message in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.iterdir())


def test_flags_of_files_need_files(run: Run) -> None:
    """--places and --streets say what they go with."""
    done = run("score", "--sample", "monaco", "--places", "list.csv")
    assert done.code == 2
    assert "--places go with --osm" in done.err
