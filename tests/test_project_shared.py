"""A project file that is not ours alone: open in QGIS, left behind by a program that died, or written long ago."""

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyogrio
import pytest
import shapely
from gis_edits import blob, edit, held
from grid_town import GridTown, write_grid_town

from gisapp import geopackage
from gisapp.area import Edits, StudyArea
from gisapp.assess_area import assess
from gisapp.edits import EDITED
from gisapp.errors import InputError, OutputError
from gisapp.geopackage import changed_at
from gisapp.params import Params
from gisapp.project import check_output, read_project, read_results, write_project
from gisapp.project_format import FORMAT
from gisapp.refresh import refresh_project
from gisapp.sources.read import read_area

# The grid town of these tests, scored and written by version 0.1.0 while its format was 1.
FORMAT_1 = Path(__file__).parent / "data" / "format_1.gpkg.zip"
RENAME = "UPDATE places SET name = 'Saved in QGIS' WHERE fid = 1"
WAL = "PRAGMA journal_mode = WAL"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """A town as files."""
    return write_grid_town(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def area(town: GridTown) -> StudyArea:
    """The town."""
    return read_area(osm=town.osm, residents=town.census, boundary=town.boundary)


@pytest.fixture
def path(area: StudyArea, tmp_path: Path) -> Path:
    """The town's project file."""
    return write_project(tmp_path / "grid.gpkg", area, Params())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A project of format 1."""
    with zipfile.ZipFile(FORMAT_1) as archive:
        return Path(archive.extract("format_1.gpkg", tmp_path))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for another program."""
    monkeypatch.setattr(geopackage, "WAIT_S", 0.1)


def test_a_file_that_is_being_written_is_told_as_such(path: Path, area: StudyArea) -> None:
    """Locked by another program: a sentence for reading and for writing, and the file stays."""
    before = path.read_bytes()
    with held(path, "BEGIN EXCLUSIVE"):
        with pytest.raises(
            InputError, match=r"grid\.gpkg: another program is writing to it\. Save and close"
        ):
            read_project(path)
        with pytest.raises(OutputError, match=r"grid\.gpkg: is open in another program\. Close it there"):
            check_output(path, overwrite=True)
        with pytest.raises(OutputError, match="is open in another program"):
            write_project(path, area, Params(), overwrite=True)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["grid.gpkg"]


def test_what_qgis_saved_beside_the_file_is_read_and_not_written_over(path: Path, area: StudyArea) -> None:
    """While QGIS has the file open, what it saved stands in the log beside it."""
    before = changed_at(path)
    with held(path, WAL, "SELECT 1", RENAME):
        assert changed_at(path) > before
        assert "Saved in QGIS" not in path.read_bytes().decode("latin-1")
        assert read_project(path).area.places["name"].iloc[0] == "Saved in QGIS"
        with pytest.raises(OutputError, match="is open in another program"):
            write_project(path, area, Params(), overwrite=True)
        assert read_project(path).area.places["name"].iloc[0] == "Saved in QGIS"


def test_what_a_program_that_died_left_beside_the_file_is_not_lost(
    path: Path, town: GridTown, area: StudyArea
) -> None:
    """Its log is read, goes into the file before that is replaced, and never over the pages of a new one."""
    with held(path, WAL, RENAME):
        pass
    log = path.with_name("grid.gpkg-wal")
    assert log.stat().st_size > 0
    left = log.read_bytes()
    assert read_project(path).area.places["name"].iloc[0] == "Saved in QGIS"
    changes = refresh_project(path, osm=town.osm)
    assert "1 places of your own were kept." in changes
    assert "Saved in QGIS" in read_project(path).area.places["name"].tolist()
    assert [p.name for p in path.parent.iterdir()] == ["grid.gpkg"]
    path.unlink()
    log.write_bytes(left)
    with pytest.raises(OutputError, match=r"'grid\.gpkg-wal' is left of another file.*Take it away"):
        write_project(path, area, Params())


def test_a_change_that_was_broken_off_is_taken_back(path: Path, area: StudyArea) -> None:
    """A program that died while it wrote leaves a journal: the file is read as it was before."""
    before, big = path.read_bytes(), "UPDATE street_edges SET name = hex(randomblob(2000))"
    with held(path, "PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "BEGIN", "DELETE FROM places", big):
        pass
    assert path.read_bytes() != before
    assert path.with_name("grid.gpkg-journal").stat().st_size > 0
    found = read_project(path).area
    assert found.places.index.tolist() == area.places.index.tolist()
    assert found.streets.edges["name"].fillna("").tolist() == area.streets.edges["name"].fillna("").tolist()


def test_a_file_opened_while_a_town_is_scored_is_not_replaced(path: Path, area: StudyArea) -> None:
    """Free when the work began, open when it is done: told, and nothing is left of the draft."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gisapp.project.check_output", lambda path, overwrite: Path(path))
        with held(path, WAL, RENAME), pytest.raises(OutputError, match="is open in another program"):
            write_project(path, area, Params(), overwrite=True)
    assert not list(path.parent.glob(".trefpunt-*"))


def test_a_project_of_format_1_opens(old: Path, tmp_path: Path) -> None:
    """Inputs, parameters and results as they were; written again, it is of today's format and says the same."""
    with closing(sqlite3.connect(old)) as base:
        assert base.execute("SELECT value FROM trefpunt WHERE key = 'format'").fetchone() == ("1",)
    area, params, scenario = read_project(old)
    assert (len(area.places), len(area.residents), scenario) == (6, 14, None)
    assert (area.edits, area.buffer_min) == (Edits(), None)
    assert params.norm_min
    stored = read_results(old)
    assert stored is not None
    assert "results_outdated" not in stored.quality
    new = write_project(tmp_path / "new.gpkg", area, params, stored)
    table = pyogrio.read_dataframe(new, layer="trefpunt", read_geometry=False)
    assert dict(zip(table["key"], table["value"], strict=True))["format"] == str(FORMAT)
    again = read_project(new)
    assert again.params == params
    assert again.area.quality == area.quality
    assert again.area.places.index.tolist() == area.places.index.tolist()
    pd.testing.assert_frame_equal(assess(again.area, params).city, assess(area, params).city)


def test_a_project_of_format_1_that_was_edited_opens(old: Path) -> None:
    """Of an older file it is not known what was changed; what was added and deleted is, and its results are old."""
    edit(old, ("INSERT INTO places (geom, kind) VALUES (?, 'cafes')", (blob(shapely.Point(500_100, 5_650_000)),)),
         "DELETE FROM places WHERE fid = 1")  # fmt: skip
    area = read_project(old).area
    assert area.places["source"].tolist()[-1] == EDITED
    assert area.edits == Edits(added=("own/7",))
    stored = read_results(old)
    assert stored is not None
    assert "results_outdated" in stored.quality


def test_the_width_of_an_older_download_is_known(old: Path) -> None:
    """Format 1 had it in the note on the source only."""
    note = "Grid, and 12.5 minutes'' walk around it, from here"
    edit(
        old,
        f"""UPDATE trefpunt SET value = replace(value, '"note": ""', '"note": "{note}"') WHERE key = 'provenance'""",
    )
    assert read_project(old).area.buffer_min == 12.5


def test_a_scenario_is_kept(path: Path, town: GridTown) -> None:
    """Its text comes back word for word, and a refresh carries it along."""
    area, params, none = read_project(path)
    assert none is None
    text = '[[add]]\nkind = "cafes"  # "ünïcode"\n'
    write_project(path, area, params, scenario=text, overwrite=True)
    assert read_project(path).scenario == text
    refresh_project(path, osm=town.osm)
    assert read_project(path).scenario == text
