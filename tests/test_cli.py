"""The command as users call it: what goes wrong is one message on stderr, an exit code, and nothing half-written."""

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pyogrio
import pytest
from grid_town import GridTown, write_grid_town
from osm_files import OsmFile

from gisapp import __version__, cli
from gisapp.params import Params
from gisapp.project import read_project, read_results, write_project
from gisapp.sources import sample
from gisapp.sources.read import read_area


class Said(NamedTuple):
    """What a call of the command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command in this process, by the function that the console script calls."""

    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["trefpunt", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        code = stop.value.code
        return Said(code if isinstance(code, int) else 0, out, err)

    return call


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """A town as files."""
    return write_grid_town(tmp_path_factory.mktemp("cli"))


@pytest.fixture
def spoilt(town: GridTown, tmp_path: Path) -> Path:
    """A folder of files that are not what they seem."""
    folder = tmp_path / "spoilt"
    folder.mkdir()
    whole = town.osm.read_bytes()
    (folder / "empty.osm.pbf").write_bytes(b"")
    (folder / "torn.osm.pbf").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "text.osm.pbf").write_text("Dear planner, please find attached the map.")
    (folder / "text.osm").write_text("Dear planner")
    (folder / "half.osm").write_text(
        '<?xml version="1.0"?><osm version="0.6"><node id="1" lat="51" lon="3"/>'
    )
    shutil.copy(town.osm, folder / "map.shp.zip")
    OsmFile().write(folder / "nothing.osm.pbf")
    lake = OsmFile()
    lake.ring([(3.0, 51.0), (3.01, 51.0), (3.01, 51.01)], {"natural": "water"})
    lake.write(folder / "lake.osm.pbf")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyogrio, of the missing system
        gpd.read_file(town.census).set_crs(None, allow_override=True).to_file(folder / "nocrs.gpkg")
    (folder / "empty.gpkg").write_bytes(b"")
    (folder / "torn.csv").write_text("a,b\n1,2\n")
    layer = folder / "layers"
    layer.mkdir()
    (layer / "benches.toml").write_text('key = "benches"\ncolor = "#ffffff"\n')
    (layer / "torn.toml").write_text("key = ")
    return folder


BAD: dict[str, tuple[str, str]] = {
    "unknown sample": ("score --sample atlantis", "no sample 'atlantis'. Bundled: monaco"),
    "no source": ("score --out {new}", "one of --sample, --project or --osm"),
    "two sources": ("score --sample monaco --osm {osm} --out {new}", "not --sample and --osm"),
    "existing output": ("score --sample monaco --out {census}", "this file exists"),
    "output in no folder": ("score --sample monaco --out {tmp}/none/a.gpkg", "does not exist"),
    "output in a file": ("score --sample monaco --out {census}/a.gpkg", "does not exist"),
    "output is a folder": ("score --sample monaco --out {tmp}/folder.gpkg", "this is a folder"),
    "wrong suffix": ("score --sample monaco --out {tmp}/a.geojson", "ends in .gpkg"),
    "raw tables in a full folder": ("score --sample monaco --raw-out {spoilt}", "empty or a new folder"),
    "raw tables in a file": ("score --sample monaco --raw-out {census}", "empty or a new folder"),
    "raw tables in no folder": ("score --sample monaco --raw-out {tmp}/no/raw", "does not exist"),
    "no such extract": ("score --osm {tmp}/no.osm.pbf --residents {census} --out {new}", "no.osm.pbf"),
    "extract is a folder": ("score --osm {tmp} --residents {census} --out {new}", "this is a folder"),
    "empty extract": ("score --osm {spoilt}/empty.osm.pbf --residents {census} --out {new}", "is empty (0 bytes)"),
    "torn extract": ("score --osm {spoilt}/torn.osm.pbf --residents {census} --out {new}", "torn.osm.pbf"),
    "text as extract": ("score --osm {spoilt}/text.osm.pbf --residents {census} --out {new}", "text.osm.pbf"),
    "text as XML": ("score --osm {spoilt}/text.osm --residents {census} --out {new}", "text.osm"),
    "half an XML": ("score --osm {spoilt}/half.osm --residents {census} --out {new}", "half.osm"),
    "another suffix": ("score --osm {spoilt}/map.shp.zip --residents {census} --out {new}", "by its name"),
    "extract of nothing": ("score --osm {spoilt}/nothing.osm.pbf --residents {census} --out {new}", "no walkable"),
    "extract without ways": ("score --osm {spoilt}/lake.osm.pbf --residents {census} --out {new}", "no walkable"),
    "no such residents": ("score --osm {osm} --residents {tmp}/no.gpkg --out {new}", "residents: "),
    "residents without crs": ("score --osm {osm} --residents {spoilt}/nocrs.gpkg --out {new}", "coordinate system"),
    "empty residents": ("score --osm {osm} --residents {spoilt}/empty.gpkg --out {new}", "empty.gpkg"),
    "no such boundary": ("score --osm {osm} --residents {census} --boundary {tmp}/b.shp --out {new}", "boundary: "),
    "unknown column": (
        "score --osm {osm} --residents {census} --groups origin=NAT,NOPE --published us --out {new}", "NOPE",
    ),
    "groups without columns": ("score --osm {osm} --residents {census} --groups age --out {new}", "--groups 'age'"),
    "groups twice": ("score --osm {osm} --residents {census} --groups a=T;a=T --out {new}", "'a' is named twice"),
    "empty groups": ("score --osm {osm} --residents {census} --groups ; --out {new}", "--groups: is empty"),
    "flags of another source": ("score --sample monaco --residents {census} --out {new}", "go with --osm"),
    "columns without residents": ("score --osm {osm} --groups a=T --key code --out {new}", "--key and --groups go"),
    "geocode nothing": ("score --osm {osm} --residents {census} --geocode --out {new}", "--geocode goes with --places"),
    "published and exact": (
        "score --osm {osm} --residents {census} --published us --keep-exact --out {new}", "either that or",
    ),
    "no project": ("score --project {census} --out {new}", "no project of Trefpunt"),
    "text as a project": ("score --project {spoilt}/torn.csv", "is no GeoPackage, so no project"),
    "folder as a project": ("score --project {spoilt}", "this is a folder"),
    "no such project": ("score --project {tmp}/no.gpkg", "no such project file"),
    "app on no project": ("app --project {census}", "no project of Trefpunt"),
    "port 0": ("app --port 0", "--port"),
    "port of words": ("app --port soon", "--port"),
    "unknown flag": ("score --smaple monaco", "--sample"),
    "unknown command": ("scroe", "scroe"),
    "broken layers": ("layers --check {spoilt}/layers", "color"),
    "no layers": ("layers --check {tmp}", "No layer file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message(run: Run, town: GridTown, spoilt: Path, tmp_path: Path, case: str) -> None:
    """Exit code 2; what, where and what to do on stderr; no traceback; no file made, none touched."""
    command, words = BAD[case]
    (tmp_path / "folder.gpkg").mkdir()
    before = {path: path.stat().st_mtime_ns for path in [*tmp_path.rglob("*"), *town.census.parent.iterdir()]}
    filled = [
        part.format(osm=town.osm, census=town.census, spoilt=spoilt, tmp=tmp_path, new=tmp_path / "new.gpkg")
        for part in command.split()
    ]
    said = run(*filled)
    assert said.code == 2, said
    assert words in said.err
    assert said.err.count("trefpunt: ") == 1
    assert "Traceback" not in said.err
    assert "Error(" not in said.err
    assert said.out == ""
    after = {path: path.stat().st_mtime_ns for path in [*tmp_path.rglob("*"), *town.census.parent.iterdir()]}
    assert after == before


def test_every_fault_of_the_layers_is_told_at_once(run: Run, spoilt: Path) -> None:
    """A broken layer folder: each file and fault, with the nearest known key."""
    said = run("layers", "--check", spoilt / "layers")
    assert said.code == 2
    assert "benches.toml" in said.err
    assert "nearest known one" in said.err
    assert "torn.toml: is not valid TOML" in said.err


def test_changed_data_is_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundled file whose hash is wrong: its name, and how to mend it."""
    shutil.copytree(sample.bundled_dir("data") / "monaco", tmp_path / "data" / "monaco")
    path = tmp_path / "data" / "monaco" / "places.parquet"
    path.write_bytes(path.read_bytes() + b"\0")
    monkeypatch.setattr(sample, "bundled_dir", lambda name: tmp_path / name)
    said = run("score", "--sample", "monaco", "--out", tmp_path / "monaco.gpkg")
    assert said.code == 2
    assert "places.parquet: this bundled file was changed" in said.err
    assert not (tmp_path / "monaco.gpkg").exists()
    doctor = run("doctor", "--no-online")
    assert doctor.code == 2
    assert "BAD" in doctor.out


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_closed_folder_is_told_before_the_work(run: Run, tmp_path: Path) -> None:
    """An output in a folder that may not be written to."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    said = run("score", "--sample", "monaco", "--out", closed / "a.gpkg")
    assert said.code == 2
    assert "nothing may be written there" in said.err


def test_version_layers_and_doctor(run: Run) -> None:
    """What a help desk asks first, without a network."""
    assert run("--version") == Said(0, f"trefpunt {__version__}\n", "")
    layers = run("layers")
    assert layers.code == 0
    assert len(layers.out.splitlines()) >= 15
    assert "playgrounds" in layers.out
    doctor = run("doctor")
    assert doctor.code == 0, doctor.out
    assert "not reachable" in doctor.out
    assert "BAD" not in doctor.out
    for word in (
        "trefpunt",
        "Python",
        "geopandas",
        "settings folder",
        "cache folder",
        "sample monaco",
        "Leaflet",
    ):
        assert word in doctor.out


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    """Typing the bare name says what there is to type."""
    said = run()
    assert (said.code, said.err) == (0, "")
    assert "score" in said.out
    help_ = run("score", "--help")
    assert help_.code == 0
    assert "--residents" in help_.out


def test_a_fault_of_ours_names_its_log(run: Run, town: GridTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, one line, and the traceback in a file that can be sent in."""

    def broken(*args: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("gisapp.assess_area.assess", broken)
    said = run("score", "--osm", town.osm, "--residents", town.census)
    assert said.code == 1
    assert "fault of ours (ZeroDivisionError)" in said.err
    assert "Traceback" not in said.err
    log = Path(said.err.split("the file ")[1].strip().rstrip("."))
    text = log.read_text(encoding="utf-8")
    assert "ZeroDivisionError: a bug" in text
    assert "Traceback" in text


def test_a_fault_of_ours_is_told_where_nothing_can_be_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Even without a cache folder there is a message and a log, not a second fault."""

    def broken(*args: object) -> None:
        raise ZeroDivisionError("a bug")

    def closed() -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gisapp.catalogue.load_catalogue", broken)
    monkeypatch.setattr(cli, "cache_dir", closed)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    said = run("layers")
    assert said.code == 1
    assert "fault of ours (ZeroDivisionError)" in said.err
    assert "Traceback" not in said.err


def test_stopping_is_no_fault(
    run: Run, town: GridTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle: one line, nothing half-written."""

    def stopped(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gisapp.project.layers_of", stopped)
    said = run("score", "--osm", town.osm, "--residents", town.census, "--out", tmp_path / "a.gpkg")
    assert said.code == 130
    assert "nothing was written" in said.err
    assert list(tmp_path.iterdir()) == []


def test_the_main_job(run: Run, town: GridTown, tmp_path: Path) -> None:
    """Files in; headline, project file and raw tables out; the project scores again to the same headline."""
    out, raw = tmp_path / "town.gpkg", tmp_path / "raw"
    said = run(
        "score", "--osm", town.osm, "--residents", town.census, "--boundary", town.boundary,
        "--out", out, "--raw-out", raw,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.err == ""
    lines = said.out.splitlines()
    assert sum(line.startswith("Counts published by Eurostat") for line in lines) == 1
    assert sum(line.startswith("By ") and "mixed place" in line for line in lines) == 2
    assert any("OpenStreetMap contributors" in line for line in lines)
    assert read_results(out) is not None
    assert (raw / "travel_times.parquet").is_file()
    again = run("score", "--project", out, "--out", tmp_path / "again.gpkg")
    assert again.code == 0
    assert again.out.splitlines() == lines
    assert run("score", "--project", out, "--out", out).code == 2
    assert run("score", "--project", out, "--out", out, "--overwrite").code == 0
    assert read_project(out).area.name == "Grid Town"


def test_raw_tables_and_project_are_both_made_or_none(
    run: Run, town: GridTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that cannot be written takes the raw tables with it, and is what the message is about."""

    def full(*args: object, **options: object) -> None:
        raise pyogrio.errors.DataSourceError("database or disk is full")

    monkeypatch.setattr("pyogrio.write_dataframe", full)
    said = run(
        "score", "--osm", town.osm, "--residents", town.census, "--out", tmp_path / "a.gpkg",
        "--raw-out", tmp_path / "raw",
    )  # fmt: skip
    assert said.code == 2
    assert "a.gpkg: could not be written (database or disk is full)" in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_is_carried_along(run: Run, town: GridTown, tmp_path: Path) -> None:
    """Scoring a project again keeps the scenario that it holds."""
    area = read_area(osm=town.osm, residents=town.census)
    write_project(tmp_path / "a.gpkg", area, Params(), scenario="[[add]]")
    assert run("score", "--project", tmp_path / "a.gpkg", "--out", tmp_path / "b.gpkg").code == 0
    assert read_project(tmp_path / "b.gpkg").scenario == "[[add]]"


def test_exact_counts_are_marked_everywhere(run: Run, town: GridTown, tmp_path: Path) -> None:
    """Counts that nobody published: kept exact only if asked, and then said in every output."""
    out, table = tmp_path / "exact.gpkg", tmp_path / "own.gpkg"
    gpd.read_file(town.census).drop(columns="GRD_ID").to_file(table)
    own = ("score", "--osm", town.osm, "--residents", table, "--groups", "origin=NAT,EU_OTH,OTH")
    said = run(*own, "--keep-exact", "--out", out)
    assert said.code == 0, said.err
    assert "NOT FOR PUBLICATION" in said.out
    assert read_project(out).area.provenance.counts == "exact"


def test_as_a_program_of_its_own(tmp_path: Path) -> None:
    """In a process and folder of its own: the exit codes are the shell's, and stderr has no traceback."""
    call = [sys.executable, "-m", "gisapp.cli"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(cli.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    bad = subprocess.run(
        [*call, "score", "--sample", "atlantis"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert bad.returncode == 2
    assert bad.stderr.startswith("trefpunt: There is no sample 'atlantis'")
    assert len(bad.stderr.splitlines()) == 1
    good = subprocess.run([*call, "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (good.returncode, good.stdout) == (0, f"trefpunt {__version__}\n")
    assert list(tmp_path.iterdir()) == []
