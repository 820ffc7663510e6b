"""The project file: what goes in comes out, to the byte; what is none is refused; nothing half-written stays."""

import json
import shutil
import sqlite3
from dataclasses import fields
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from grid_town import GridTown, write_grid_town

from gisapp import project
from gisapp.area import StudyArea
from gisapp.assess_area import assess
from gisapp.assessment import Assessment
from gisapp.errors import InputError, MissingError, OutputError, TrefpuntError
from gisapp.params import Params
from gisapp.project import read_project, read_results, write_project
from gisapp.sources.read import read_area
from gisapp.sources.sample import load_sample

TABLES = ("homes", "places", "city", "exposure", "equity", "inequality")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """A town as files."""
    return write_grid_town(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def grid_result(town: GridTown) -> Assessment:
    """The town scored."""
    return assess(read_area(osm=town.osm, residents=town.census, boundary=town.boundary))


@pytest.fixture(scope="module")
def sample_result() -> Assessment:
    """The sample scored."""
    return assess(load_sample())


@pytest.fixture(scope="module")
def written(grid_result: Assessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The grid town's project file."""
    assert grid_result.area is not None
    path = tmp_path_factory.mktemp("out") / "grid.gpkg"
    return write_project(path, grid_result.area, grid_result.params, grid_result)


def same_table(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Columns, index, values bit by bit and shapes byte by byte; a missing text is missing, however it is held."""
    columns = expected.columns.drop("geometry", errors="ignore")  # which a GeoPackage puts last
    assert found.columns.drop("geometry", errors="ignore").tolist() == columns.tolist()
    assert found.index.tolist() == expected.index.tolist()
    assert found.index.name == expected.index.name
    if isinstance(expected, gpd.GeoDataFrame):
        assert isinstance(found, gpd.GeoDataFrame)
        assert found.crs == expected.crs
        assert parts(found) == parts(expected)
    for column in columns:
        a, b = found[column], expected[column]
        assert a.isna().tolist() == b.isna().tolist(), column
        assert a.dropna().tolist() == b.dropna().tolist(), column
        if b.dtype.kind in "bif":
            assert a.dtype.kind == b.dtype.kind, (column, a.dtype, b.dtype)


def parts(frame: gpd.GeoDataFrame) -> list[tuple[int, bytes]]:
    """Shapes byte by byte; QGIS wants single polygons among multiple ones to be multiple too."""
    shapes, owner = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    return list(zip(owner.tolist(), shapely.to_wkb(shapes).tolist(), strict=True))


def same_area(found: StudyArea, expected: StudyArea) -> None:
    """Every part of an area."""
    for name in ("places", "residents", "neighbourhoods", "entrances"):
        a, b = getattr(found, name), getattr(expected, name)
        assert (a is None) == (b is None), name
        if b is not None:
            same_table(a, b)
    same_table(found.streets.nodes, expected.streets.nodes)
    same_table(found.streets.edges, expected.streets.edges)
    assert set(found.background) == {name for name, layer in expected.background.items() if len(layer)}
    for name, layer in found.background.items():
        same_table(layer, expected.background[name])
    assert (found.boundary is None) == (expected.boundary is None)
    if expected.boundary is not None:
        assert shapely.to_wkb(found.boundary) == shapely.to_wkb(expected.boundary)
    for name in ("name", "kinds", "provenance", "quality", "crs", "buffer_min", "edits"):
        assert getattr(found, name) == getattr(expected, name), name


@pytest.mark.parametrize("which", ["grid_result", "sample_result"])
def test_what_goes_in_comes_out(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Inputs, parameters and results survive the file, and scoring what was read gives the same tables."""
    result: Assessment = request.getfixturevalue(which)
    assert result.area is not None
    path = write_project(tmp_path / "town.gpkg", result.area, result.params, result)
    area, params, scenario = read_project(path)
    assert scenario is None
    assert params == result.params
    same_area(area, result.area)
    stored = read_results(path)
    assert stored is not None
    again = assess(area, params)
    for name in TABLES:
        same_table(getattr(stored, name), getattr(result, name))
        same_table(getattr(again, name), getattr(result, name))
    assert stored.quality == result.quality == again.quality
    assert stored.params == result.params
    assert {f.name for f in fields(StudyArea)} == {
        "name", "streets", "places", "residents", "kinds", "boundary", "neighbourhoods", "entrances", "background",
        "provenance", "quality", "buffer_min", "edits", "links",
    }, "a part of an area that this test does not look at"  # fmt: skip


def test_inputs_alone_have_no_results(grid_result: Assessment, tmp_path: Path) -> None:
    """A project that was not scored yet says so."""
    assert grid_result.area is not None
    path = write_project(tmp_path / "town.gpkg", grid_result.area, Params())
    assert read_results(path) is None
    assert read_project(path).params == Params()


def test_a_town_without_a_single_place_can_be_kept(grid_result: Assessment, tmp_path: Path) -> None:
    """No places, no boundary, no quarters, no gates, no background: still a project, and still scored."""
    area = grid_result.area
    assert area is not None
    bare = area.with_(
        places=area.places.iloc[:0], boundary=None, neighbourhoods=None, entrances=None, background={}
    )
    result = assess(bare)
    path = write_project(tmp_path / "bare.gpkg", bare, result.params, result)
    again = assess(*read_project(path)[:2])
    assert (again.homes["access"] == 0).all()
    assert len(again.places) == 0


def test_qgis_opens_it(written: Path) -> None:
    """A plain GeoPackage: every layer has shapes in the area's system or none, and tables are registered."""
    layers = dict(pyogrio.list_layers(written))
    assert {"homes", "places", "street_edges", "result_homes", "result_city", "trefpunt"} <= set(layers)
    assert layers["homes"] == "Point"
    assert layers["trefpunt"] is None
    with sqlite3.connect(written) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    base.close()


def rewritten(written: Path, path: Path, key: str, value: str | None) -> Path:
    """A copy in which one line of the project's own table reads otherwise."""
    shutil.copy(written, path)
    base = sqlite3.connect(path)
    with base:
        if value is None:
            base.execute("DELETE FROM trefpunt WHERE key = ?", (key,))
        else:
            base.execute("UPDATE trefpunt SET value = ? WHERE key = ?", (value, key))
    base.close()
    return path


def test_a_newer_format_is_refused_with_advice(written: Path, tmp_path: Path) -> None:
    """A file of a later version is not half understood: install the newer version."""
    path = rewritten(written, tmp_path / "new.gpkg", "format", "99")
    with pytest.raises(InputError, match=r"new\.gpkg: was written by .*Install the newer version"):
        read_project(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", "one"), ("format", None), ("params", "{"), ("params", '{"speed": 3}'), ("kinds", '[{"a": 1}]'),
     ("quality", None), ("provenance", "[]")],
)  # fmt: skip
def test_a_spoilt_project_is_refused_with_its_name(
    written: Path, tmp_path: Path, key: str, value: str | None
) -> None:
    """Whatever is missing or unreadable inside: one sentence with the file's name, never a traceback."""
    path = rewritten(written, tmp_path / "spoilt.gpkg", key, value)
    with pytest.raises(TrefpuntError, match=r"spoilt\.gpkg"):
        read_project(path)


@pytest.mark.parametrize("layer", ["homes", "places", "street_edges", "trefpunt"])
def test_a_project_without_one_of_its_layers_is_refused(written: Path, tmp_path: Path, layer: str) -> None:
    """A layer that was deleted in QGIS is missed by name of the file."""
    path = tmp_path / "cut.gpkg"
    for name, kind in pyogrio.list_layers(written):
        if name != layer:
            frame = pyogrio.read_dataframe(written, layer=name, read_geometry=kind is not None)
            pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", append=path.exists())
    with pytest.raises(TrefpuntError, match=r"cut\.gpkg"):
        read_project(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_truncated_project_is_refused(written: Path, tmp_path: Path, share: float) -> None:
    """A file of which the end is missing is refused, wherever it was cut."""
    path = tmp_path / "torn.gpkg"
    content = written.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=r"torn\.gpkg"):
        read_project(path)


def test_another_geopackage_is_no_project(town: GridTown, tmp_path: Path) -> None:
    """A GeoPackage of something else, a text file and no file at all."""
    with pytest.raises(InputError, match=r"census\.gpkg: is a GeoPackage, but no project"):
        read_project(town.census)
    text = tmp_path / "words.gpkg"
    text.write_text("not a database")
    with pytest.raises(InputError, match=r"words\.gpkg: is no GeoPackage"):
        read_project(text)
    with pytest.raises(MissingError, match="there is no such project file"):
        read_project(tmp_path / "nothing.gpkg")


def test_existing_files_and_closed_folders_are_told_before_the_work(
    grid_result: Assessment, tmp_path: Path
) -> None:
    """An existing file, a folder, a missing folder: refused, and the file that was there is untouched."""
    area = grid_result.area
    assert area is not None
    path = tmp_path / "mine.gpkg"
    path.write_text("mine")
    for target, words in (
        (path, "this file exists"), (tmp_path, "this is a folder"), (tmp_path / "no" / "x.gpkg", "does not exist"),
        (path / "x.gpkg", "does not exist"),
    ):  # fmt: skip
        with pytest.raises(OutputError, match=words):
            write_project(target, area, Params())
    assert path.read_text() == "mine"
    write_project(path, area, Params(), overwrite=True)
    assert read_project(path).area.name == area.name
    assert [p.name for p in tmp_path.iterdir()] == ["mine.gpkg"]


@pytest.mark.parametrize(
    "fault", [RuntimeError("a fault"), OSError(28, "No space left"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failure_in_the_middle_leaves_nothing(
    grid_result: Assessment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    overwrite: bool,
) -> None:
    """No new file, no temporary one, and an old one as it was; a full disk is told as such."""
    area, path = grid_result.area, tmp_path / "town.gpkg"
    assert area is not None
    if overwrite:
        path.write_text("old")
    write, calls = pyogrio.write_dataframe, []

    def failing(*args: object, **options: object) -> None:
        calls.append(args)
        if len(calls) == 4:
            raise fault
        write(*args, **options)

    monkeypatch.setattr(project.pyogrio, "write_dataframe", failing)
    expected = OutputError if isinstance(fault, OSError) else type(fault)
    with pytest.raises(expected):
        write_project(path, area, Params(), grid_result, overwrite=overwrite)
    assert [p.name for p in tmp_path.iterdir()] == (["town.gpkg"] if overwrite else [])
    assert not overwrite or path.read_text() == "old"


def test_a_disk_that_fills_up_is_told_as_such(
    grid_result: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database library says of a full disk is an output that cannot be written, not a fault of ours."""
    assert grid_result.area is not None

    def full(*args: object, **options: object) -> None:
        raise pyogrio.errors.DataSourceError("sqlite3_exec() failed: database or disk is full")

    monkeypatch.setattr(project.pyogrio, "write_dataframe", full)
    with pytest.raises(OutputError, match="disk is full"):
        write_project(tmp_path / "town.gpkg", grid_result.area, Params())
    assert list(tmp_path.iterdir()) == []


def test_the_same_content_gives_the_same_bytes(
    grid_result: Assessment, written: Path, tmp_path: Path
) -> None:
    """Nothing of the moment or the machine is in the file."""
    assert grid_result.area is not None
    again = write_project(tmp_path / "again.gpkg", grid_result.area, grid_result.params, grid_result)
    assert again.read_bytes() == written.read_bytes()


def test_names_that_look_like_code_survive(grid_result: Assessment, tmp_path: Path) -> None:
    """Quotes, markup, formulas and any script's letters come back as they were; so does a very long value."""
    area = grid_result.area
    assert area is not None
    names = ["'; DROP TABLE homes; --", '<b>"Zoë" & Ünal</b>', "=1+1", "مكتبة 図書館 🎈", "x" * 10_000]
    places = area.places.copy()
    places["name"] = pd.Series((names * len(places))[: len(places)], index=places.index, dtype=object)
    path = write_project(tmp_path / "names.gpkg", area.with_(places=places, name=names[1]), Params())
    found = read_project(path).area
    assert found.places["name"].tolist() == places["name"].tolist()
    assert found.name == names[1]
    assert json.loads(found.places["tags"].iloc[0]) == json.loads(places["tags"].iloc[0])
    assert np.array_equal(found.residents["total"], area.residents["total"])
