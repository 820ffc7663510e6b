"""The census grid: recognised by its columns; what is hidden, missing or unreported is unknown, never zero."""

import warnings
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from grid_town import GridTown, write_grid_town
from pyproj import CRS

from gisapp.assess_area import assess
from gisapp.errors import CRSError, InputError, MissingError, TrefpuntError
from gisapp.sources.census import is_census_grid, read_census_grid
from gisapp.sources.files import read_vector
from gisapp.sources.read import read_area

NAN = float("nan")
COLUMNS = ("T", "NAT", "EU_OTH", "OTH", "Y_LT15", "Y_1564", "Y_GE65")


def grid(*rows: tuple[float, ...], **more: list[float]) -> gpd.GeoDataFrame:
    """Cells with counts in the order of COLUMNS."""
    table = {column: [row[n] for row in rows] for n, column in enumerate(COLUMNS)}
    cells = [shapely.box(1000 * n, 0, 1000 * n + 1000, 1000) for n in range(len(rows))]
    return gpd.GeoDataFrame(
        {"GRD_ID": [f"c{n}" for n in range(len(rows))], **table, **more}, geometry=cells, crs=3035
    )


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """A town as files."""
    return write_grid_town(tmp_path_factory.mktemp("census"))


def test_held_back_counts_are_imputed_from_the_rest_of_their_cell() -> None:
    """30 of 100 people lack where one group is -9999, 10 of 50 where one is blank: they are of that group."""
    zones, findings = read_census_grid(grid((100, 60, -9999, 10, 20, 50, 30), (50, 20, 20, NAN, 50, 0, 0)))
    assert zones["origin:born_elsewhere_eu"].tolist() == [30, 20]
    assert zones["origin:born_outside_eu"].tolist() == [10, 10]
    assert zones["total"].tolist() == [100, 50]
    assert {f.code: (f.count, f.total) for f in findings} == {
        "census_hidden": (2, None),
        "residents_imputed:origin": (2, 6),
        "residents_imputed_people:origin": (40, 150),
    }


def test_the_remainder_is_spread_by_the_shares_of_the_town() -> None:
    """Abroad the town has 30 of the EU and 10 of elsewhere: of the 20 who lack in the last cell, 15 and 5."""
    cells = grid(
        (100, 60, 30, 10, 20, 50, 30), (40, 20, -9999, -9999, 10, 20, 10), (-9999, 5, NAN, 0, -9999, 1, 1)
    )
    zones, findings = read_census_grid(cells)
    assert zones["origin:born_elsewhere_eu"].tolist() == [30, 15, 0]
    assert zones["origin:born_outside_eu"].tolist() == [10, 5, 0]
    assert zones["total"].tolist() == [100, 40, 5]
    assert "3 cannot be told" not in findings[0].sentence
    assert findings[0].sentence.startswith("5 census counts are not published; 2 cannot be told")


def test_a_flagged_zero_is_held_back_and_text_is_refused() -> None:
    """Beside a flag of confidentiality, 0 is no count; a word that is no known mark is a fault of the file."""
    zones, findings = read_census_grid(
        grid((100, 60, 0, 10, 20, 50, 30), (90, 60, 20, 10, 10, 50, 30), EU_OTH_CI=[1, 0])
    )
    assert zones["origin:born_elsewhere_eu"].tolist() == [30, 20]
    assert {"census_hidden", "census_flagged", "residents_imputed:origin"} <= {f.code for f in findings}
    with pytest.raises(InputError, match=r"'NAT' of the census grid holds no number in cell c0 \('many'\)"):
        read_census_grid(grid((100, 60, 0, 10, 20, 50, 30)).assign(NAT=["many"]))


def test_a_hidden_total_is_at_least_the_known_people() -> None:
    """Where the total is hidden, or smaller than its groups, the groups that are known make it up."""
    zones, _ = read_census_grid(grid((-9999, 60, 20, 10, 20, 50, 10), (10, 60, 0, 0, 5, 5, 70)))
    assert zones["total"].tolist() == [90, 80]


def test_a_dimension_that_nobody_reported_is_left_out() -> None:
    """Zero everywhere means not reported: no column of zeros, a warning, and a total without gaps."""
    zones, findings = read_census_grid(grid((100, 0, 0, 0, 20, 50, 30), (40, 0, NAN, -1, 10, 20, 10)))
    assert [c for c in zones if c.startswith("origin:")] == []
    assert zones["total"].tolist() == [100, 40]
    assert "census_no_origin" in {f.code for f in findings}
    zones, findings = read_census_grid(grid((100, 0, 0, 0, 0, 0, 0), (NAN, 0, 0, 0, 0, 0, 0)))
    assert zones["total"].tolist() == [100, 0]
    assert zones.columns.tolist() == ["geometry", "total"]


def test_groups_are_never_scaled_to_the_total() -> None:
    """People of unknown group are in no group, but in the total; confidential cells are counted."""
    zones, findings = read_census_grid(grid((100, 60, 0, 10, 20, 50, 30), T_CI=[-9999], NAT_CI=[1]))
    assert zones[[c for c in zones if c.startswith("origin:")]].sum(axis=1).tolist() == [70]
    assert zones["total"].tolist() == [100]
    assert {f.code: (f.count, f.total) for f in findings} == {"census_flagged": (1, 1)}


def test_only_the_grids_own_columns_are_the_grid() -> None:
    """A table that lacks one of the columns is a planner's own and needs to say what its columns are."""
    assert is_census_grid(["geometry", "GRD_ID", *COLUMNS, "EMP"])
    for column in ("GRD_ID", *COLUMNS):
        assert not is_census_grid({"GRD_ID", *COLUMNS} - {column})


def test_a_cell_that_stands_twice_is_refused() -> None:
    """Two rows of one cell would count its people twice."""
    cells = grid((10, 10, 0, 0, 1, 8, 1), (10, 10, 0, 0, 1, 8, 1)).assign(GRD_ID="c7")
    with pytest.raises(InputError, match="cell c7 twice"):
        read_census_grid(cells)


@pytest.mark.parametrize("crs", [4326, 3857, 25831, 32632])
def test_the_coordinate_system_of_the_file_does_not_matter(town: GridTown, tmp_path: Path, crs: int) -> None:
    """Residents in degrees or in metres of any grid live in the same houses."""
    path = tmp_path / "cells.gpkg"
    gpd.read_file(town.census).to_crs(crs).to_file(path)
    expected = read_area(osm=town.osm, residents=town.census).residents
    found = read_area(osm=town.osm, residents=path).residents
    assert found.index.tolist() == expected.index.tolist()
    assert np.allclose(found["total"], expected["total"])
    assert found.geometry.geom_equals_exact(expected.geometry, 0.1).all()


Spoil = Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]


def _swapped(cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    flip = cells.to_crs(4326).geometry.map(lambda g: shapely.transform(g, lambda xy: xy[:, ::-1]))
    return cells.to_crs(4326).set_geometry(flip)


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda c: c.set_crs(None, allow_override=True), CRSError, "no coordinate system"),
        (_swapped, TrefpuntError, "overlap|swapped"),
        (lambda c: c.to_crs(4326).assign(geometry=lambda f: f.translate(40, 0)), InputError, "longitude 4"),
        (lambda c: c.set_crs(4326, allow_override=True), CRSError, "degrees|do not fit|swapped"),
        (lambda c: c.assign(geometry=c.centroid), InputError, "polygons"),
        (lambda c: c.drop(columns="NAT"), InputError, "--groups"),
    ],
    ids=["no crs", "swapped", "elsewhere", "metres as degrees", "points", "another table"],
)
def test_what_cannot_be_used_is_said_in_a_sentence(
    town: GridTown, tmp_path: Path, spoil: Spoil, error: type[TrefpuntError], words: str
) -> None:
    """No coordinate system, a wrong or a swapped one, another town, points: a sentence with the file's name."""
    path = tmp_path / "cells.gpkg"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyogrio, of the missing system
        spoil(gpd.read_file(town.census)).to_file(path)
    with pytest.raises(error, match=words) as caught:
        read_area(osm=town.osm, residents=path)
    assert "cells.gpkg" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "error"), [(b"", InputError), (b"SQLite format 3\0broken", InputError), (None, MissingError)]
)
def test_files_that_are_none(tmp_path: Path, content: bytes | None, error: type[TrefpuntError]) -> None:
    """An empty, a broken and an absent file: what it was meant for, its name, and what to do."""
    path = tmp_path / "residents.gpkg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=r"^residents: .*residents\.gpkg"):
        read_vector(path, CRS.from_epsg(32631), what="residents")


def test_a_boundary_or_quarters_of_another_town_are_refused(town: GridTown, tmp_path: Path) -> None:
    """A boundary in which nobody lives, and one that holds no area."""
    frame = gpd.read_file(town.boundary)
    far, line = tmp_path / "far.geojson", tmp_path / "line.geojson"
    frame.assign(geometry=frame.translate(5, 0)).to_file(far)
    frame.assign(geometry=frame.boundary).to_file(line)
    with pytest.raises(InputError, match="boundary"):
        read_area(osm=town.osm, residents=town.census, boundary=far)
    with pytest.raises(InputError, match="boundary: .* polygons are wanted"):
        read_area(osm=town.osm, residents=town.census, boundary=line)


def test_a_table_of_ones_own_gives_the_same_town(town: GridTown) -> None:
    """The same counts named by hand, and said to be published, give the same scores as the recognised grid."""
    groups = {"origin": ["NAT", "EU_OTH", "OTH"], "age": ["Y_LT15", "Y_1564", "Y_GE65"]}
    own = read_area(osm=town.osm, residents=town.census, groups=groups, published="the town")
    grid = read_area(osm=town.osm, residents=town.census)
    assert own.provenance.counts_note == "Counts published by the town."
    assert own.residents["origin:NAT"].tolist() == grid.residents["origin:born_here"].tolist()
    access = [assess(area).homes["access"].to_numpy() for area in (own, grid)]
    assert np.array_equal(*access)


def test_wrong_columns_are_told_all_at_once(town: GridTown, tmp_path: Path) -> None:
    """A column that is not there and one that holds no counts: both in one message, with the row."""
    path = tmp_path / "own.gpkg"
    gpd.read_file(town.census).assign(words=["1", "2", "few", "4"]).to_file(path)
    with pytest.raises(InputError) as caught:
        read_area(
            osm=town.osm, residents=path, groups={"origin": ["NAT", "NATT", "words"]}, published="the town"
        )
    assert "NATT" in str(caught.value)
    assert "'words'" in str(caught.value)
    assert "row 3" in str(caught.value)
