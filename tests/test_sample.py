"""The bundled town: real, complete, unchanged, and inputs only."""

import hashlib
import importlib.util
import io
import shutil
import tarfile
import tomllib
from pathlib import Path
from types import ModuleType

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisapp.area import StudyArea
from gisapp.errors import IntegrityError, MissingError
from gisapp.resources import bundled_dir
from gisapp.sources import sample
from gisapp.sources.sample import load_sample

ROOT = Path(__file__).parents[1]
MONACO = bundled_dir("data") / "monaco"
SHARED = ROOT.parent / "shared" / "data" / "monaco"


@pytest.fixture(scope="module")
def area() -> StudyArea:
    """The sample."""
    return load_sample()


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the bundled data that a test may spoil."""
    shutil.copytree(MONACO, tmp_path / "data" / "monaco")
    monkeypatch.setattr(sample, "bundled_dir", lambda name: tmp_path / name)
    return tmp_path / "data" / "monaco"


def test_everything_is_there(area: StudyArea) -> None:
    """All residents, nine quarters, and places of thirteen of fifteen kinds; the other two are named."""
    assert area.residents["total"].sum() == 38_367
    for dimension in ("age", "residence"):
        groups = area.residents[[c for c in area.residents if c.startswith(f"{dimension}:")]]
        assert (groups.sum(axis=1) == area.residents["total"]).all()
        assert (groups == groups.round()).all(axis=None)
    assert area.neighbourhoods is not None
    assert len(area.neighbourhoods) == area.neighbourhoods["name"].nunique() == 9
    assert set(area.quality.missing_kinds) == {"community_centres", "gardens"}
    assert area.residents.index.is_unique
    assert area.places.index.is_unique
    assert area.streets.edges[["u", "v"]].isin(area.streets.nodes.index).all(axis=None)


def test_quarters_tile_the_land_inside_the_boundary(area: StudyArea) -> None:
    """The nine quarters cover the boundary without a gap or an overlap worth a building."""
    assert area.neighbourhoods is not None
    quarters = area.neighbourhoods.geometry
    assert quarters.is_valid.all()
    union = quarters.union_all()
    assert union.symmetric_difference(area.boundary).area < 0.005 * area.boundary.area
    assert quarters.area.sum() == pytest.approx(union.area, rel=1e-6)
    assert quarters.intersects(shapely.point_on_surface(area.boundary)).any()


def test_the_harbour_is_water_though_it_lies_inside_the_boundary(area: StudyArea) -> None:
    """Port Hercule is sea; the Casino square, the Rock and Fontvieille's made ground are land."""

    def at(lon: float, lat: float) -> shapely.Point:
        return gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(area.crs).iloc[0]

    land = area.background["land"].union_all()
    assert area.boundary.contains(at(7.4260, 43.7350))
    assert not land.intersects(at(7.4260, 43.7350))
    for lon, lat in ((7.4279, 43.7393), (7.4203, 43.7312), (7.4155, 43.7283)):
        assert land.contains(at(lon, lat))
    assert not land.intersects(at(7.4400, 43.7300)), "the open sea"
    on_land = shapely.dwithin(area.residents.geometry.to_numpy(), land, 5)
    assert area.residents.loc[on_land, "total"].sum() > 0.99 * 38_367


def test_invented_residents_say_so_and_make_islands(area: StudyArea) -> None:
    """Counts are marked as invented wherever provenance goes, and newcomers live in the west."""
    assert area.provenance.counts == "invented"
    assert "invented" in area.provenance.counts_note.lower()
    west = area.residents.geometry.x < area.residents.geometry.x.median()
    share = area.residents.groupby(west)[["residence:newcomer", "total"]].sum()
    share = share["residence:newcomer"] / share["total"]
    assert share[True] > 3 * share[False]
    homes, buildings = area.residents, area.background["buildings"]
    assert set(homes.index) == set(buildings["home_id"].dropna())
    assert any("edge" in note for note in area.provenance.notes)
    assert any("Slope" in note for note in area.provenance.notes)


def test_what_meets_nobody_is_no_place(area: StudyArea) -> None:
    """No place is tagged as private, and none is a private garden or a hotel's own ground."""
    text = area.places["tags"].str.cat(sep="\n")
    assert '"access": "private"' not in text
    assert '"access": "no"' not in text
    assert not (area.places["tags"].str.contains('"leisure": "garden"') & area.places["name"].isna()).any()
    assert len(area.places) > 300


def test_provenance_has_hash_rows_and_size_of_every_file() -> None:
    """The published hashes and row counts are those of the files; nothing else lies there, and it is small."""
    about = tomllib.loads((MONACO / "PROVENANCE.toml").read_text(encoding="utf-8"))
    files = sorted(MONACO.glob("*.parquet"))
    assert [path.name for path in files] == sorted(row["name"] for row in about["file"])
    assert sum(path.stat().st_size for path in MONACO.iterdir()) < 2_000_000
    for row in about["file"]:
        content = (MONACO / row["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert len(pd.read_parquet(io.BytesIO(content), columns=["geometry"])) == row["rows"]
    assert about["source"][0]["data_date"] == "2023-12-26"
    assert about["source"][0]["licence"] == "ODbL-1.0"
    assert (ROOT / about["script"]).is_file()
    west, south, east, north = about["bbox"]
    assert west < 7.4260 < east
    assert south < 43.7350 < north


def test_data_holds_inputs_only() -> None:
    """No column of the bundled files is a score, a travel time or anything else that the product computes."""
    made = (
        "access",
        "mix",
        "visitors",
        "reach",
        "minutes",
        "nearest",
        "q:",
        "chance",
        "bridging",
        "meets",
        "inherited",
    )
    for path in MONACO.glob("*.parquet"):
        for column in pd.read_parquet(path).columns:
            assert not column.startswith(made), (path.name, column)


def test_a_changed_byte_is_found(copied: Path) -> None:
    """A file that is not the published one is refused by name, with what to do."""
    path = copied / "residents.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        IntegrityError, match=r"residents\.parquet: this bundled file was changed.*build_sample"
    ):
        load_sample()


def test_a_missing_file_is_found(copied: Path) -> None:
    """So is one that is not there, or not as long as published."""
    (copied / "land.parquet").unlink()
    with pytest.raises(IntegrityError, match=r"land\.parquet: this bundled file is missing"):
        load_sample()


def test_an_unknown_sample_names_the_known_ones() -> None:
    """An unknown name is answered with the names there are."""
    with pytest.raises(MissingError, match="no sample 'atlantis'. Bundled: monaco"):
        load_sample("atlantis")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that builds the sample."""
    spec = importlib.util.spec_from_file_location("build_sample", ROOT / "scripts" / "build_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory, script: ModuleType) -> Path:
    """A source distribution with the extract and boundary that the script asks for, if they are at hand."""
    path = tmp_path_factory.mktemp("sdist") / "quackosm-0.19.0.tar.gz"
    names = {
        "tests/test_files/monaco.osm.pbf": "monaco_20231226.osm.pbf",
        "tests/test_files/monaco_boundary.geojson": "monaco_boundary.geojson",
    }
    with tarfile.open(path, "w:gz") as archive:
        for member, name in names.items():
            if not (SHARED / name).is_file():
                pytest.skip(f"no {name} in {SHARED}")
            content = (SHARED / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != script.SHA256[member]:
                pytest.skip(f"{name} is another file than the script asks for")
            info = tarfile.TarInfo(f"quackosm-0.19.0/{member}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_the_script_refuses_another_source(sdist: Path, script: ModuleType, tmp_path: Path) -> None:
    """A source distribution with another hash is not built from, and nothing is written."""
    with pytest.raises(SystemExit, match="sha256"):
        script.build(sdist, tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()


def test_anyone_can_build_the_sample_again(
    sdist: Path, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script makes the same tables from the same source: every row, count and shape."""
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    monkeypatch.setitem(script.SHA256, "quackosm-0.19.0.tar.gz", digest)
    (tmp_path / "work").mkdir()
    script.build(sdist, tmp_path / "out", tmp_path / "work")
    about = tomllib.loads((tmp_path / "out" / "PROVENANCE.toml").read_text(encoding="utf-8"))
    published = tomllib.loads((MONACO / "PROVENANCE.toml").read_text(encoding="utf-8"))
    assert {k: v for k, v in about.items() if k != "file"} == {
        k: v for k, v in published.items() if k != "file"
    }
    for row in published["file"]:
        ours, theirs = (gpd.read_parquet(folder / row["name"]) for folder in (tmp_path / "out", MONACO))
        assert ours.crs == theirs.crs
        pd.testing.assert_frame_equal(
            pd.DataFrame(ours.drop(columns="geometry")), pd.DataFrame(theirs.drop(columns="geometry"))
        )
        # Other releases of GEOS and PROJ may differ by a hair.
        assert np.allclose(ours.geometry.area, theirs.geometry.area, rtol=1e-6, atol=1e-3)
        assert shapely.hausdorff_distance(ours.geometry.to_numpy(), theirs.geometry.to_numpy()).max() < 0.001
