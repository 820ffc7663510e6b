"""Counts as towns keep them: zones, addresses, a table with its polygons, and a census grid of all Europe."""

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from grid_town import CELLS, COUNTS, GridTown, lonlat, write_grid_town
from pyproj import CRS

from gisapp.area import StudyArea
from gisapp.errors import CRSError, InputError, MissingError
from gisapp.sources import grid_file
from gisapp.sources.counts import drop_unreported, homes_at_points, read_counts, unknown_findings
from gisapp.sources.read import read_area

UTM = CRS("EPSG:32631")
NEAR = (3.0, 51.0, 3.02, 51.02)
GROUPS = {"total": ["T"], "origin": ["NAT", "EU_OTH", "OTH"]}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """The town's files."""
    return write_grid_town(tmp_path_factory.mktemp("grid"))


def zones(**more: list[object]) -> gpd.GeoDataFrame:
    """Three zones of 200 m in the town, with counts."""
    shapes = [shapely.box(500_000 + 200 * n, 5_650_000, 500_200 + 200 * n, 5_650_200) for n in range(3)]
    table = {
        "code": ["01", "02", "03"],
        "T": [100, 60, 40],
        "NAT": [70, 30, 40],
        "EU_OTH": [20, 20, 0],
        "OTH": [0, 10, 0],
    }
    return gpd.GeoDataFrame({**table, **more}, geometry=shapes, crs=UTM)


def count(path: Path | str, **options: object) -> gpd.GeoDataFrame:
    """Read counts of the town."""
    return read_counts(path, UTM, near=NEAR, **options).zones  # type: ignore[arg-type]


def said(path: Path | str, **options: object) -> dict[str, str]:
    """What was found while reading."""
    return {f.code: f.sentence for f in read_counts(path, UTM, near=NEAR, **options).findings}  # type: ignore[arg-type]


def test_zones_with_a_total_keep_their_unknown(tmp_path: Path) -> None:
    """What the groups lack of the total is unknown; where they exceed it their sum counts, and that is said."""
    zones(T=[100, 60, 30]).to_file(tmp_path / "zones.gpkg")
    found = count(tmp_path / "zones.gpkg", groups=GROUPS)
    assert found["total"].tolist() == [100, 60, 40]
    assert found["origin:NAT"].tolist() == [70, 30, 40]
    assert (
        "In 1 rows of 'zones.gpkg' the groups add up"
        in said(tmp_path / "zones.gpkg", groups=GROUPS)["residents_over_total"]
    )
    report = unknown_findings(found)[0]
    assert (report.count, report.total) == (10, 200)
    assert "The group by origin of 10 of 200 people (5%) is unknown" in report.sentence
    without = count(tmp_path / "zones.gpkg", groups={"origin": ["NAT", "EU_OTH", "OTH"]})
    assert without["total"].tolist() == [90, 60, 40]


def test_columns_that_name_groups_need_no_telling(tmp_path: Path) -> None:
    """origin:born_here says itself what it is; decimal commas and blanks are read, and the blank is said."""
    frame = zones().rename(columns={"NAT": "origin:here", "OTH": "origin:else"})[
        ["origin:here", "origin:else", "geometry"]
    ]
    table = pd.DataFrame(frame.drop(columns="geometry")).assign(wkt=frame.to_crs(4326).to_wkt()["geometry"])
    table["origin:here"] = ["70,5", "30", ""]
    table.to_csv(tmp_path / "zones.csv", sep=";", index=False)
    found = count(tmp_path / "zones.csv")
    assert found["origin:here"].tolist() == [70.5, 30, 0]
    assert found["total"].tolist() == [70.5, 40, 0]
    assert (
        "1 counts of 'zones.csv' are blank or held back, and nothing tells them"
        in said(tmp_path / "zones.csv")["residents_blank"]
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"NAT": [70, -1, 40]}, "column 'NAT' is negative in row 2"),
        ({"NAT": ["70", "few", "4"]}, r"column 'NAT' holds no number in row 2 \('few'\)"),
        ({"NAT": ["1.500", "20", "4"]}, "which may be 1500 or 1.500"),
    ],
)
def test_wrong_counts_are_told_by_row(more: dict[str, list[object]], message: str, tmp_path: Path) -> None:
    """Negative, text, and thousands that may be decimals."""
    zones(**more).to_file(tmp_path / "zones.gpkg")
    with pytest.raises(InputError, match=message):
        count(tmp_path / "zones.gpkg", groups=GROUPS)


def test_a_group_that_nobody_is_in_was_not_reported() -> None:
    """A column that is 0 everywhere, as Germany's employment, goes and is named."""
    homes, findings = drop_unreported(
        gpd.GeoDataFrame({"work:yes": [0.0, 0], "age:old": [0.0, 1], "total": [5.0, 5]})
    )
    assert homes.columns.tolist() == ["age:old", "total"]
    assert "'work:yes': 0 everywhere, taken as not reported" in findings[0].sentence


def test_a_table_is_joined_to_its_polygons(tmp_path: Path) -> None:
    """By a column both have, or two that are named; leading zeros that a spreadsheet drops are no fault, and said."""
    frame = zones()
    frame[["code", "geometry"]].rename(columns={"code": "sector"}).to_file(tmp_path / "polygons.geojson")
    table = pd.DataFrame(frame.drop(columns="geometry"))
    table.to_excel(tmp_path / "counts.xlsx", index=False)
    options = {"zones": tmp_path / "polygons.geojson", "key": "code=sector", "groups": GROUPS}
    found = count(tmp_path / "counts.xlsx", **options)
    assert found["total"].tolist() == [100, 60, 40]
    assert found.area.to_numpy() == pytest.approx([40_000] * 3, rel=1e-6)
    table.assign(code=[1, 2, 4]).to_csv(tmp_path / "bare.csv", index=False)
    assert count(tmp_path / "bare.csv", **options)["total"].tolist() == [100, 60]
    report = said(tmp_path / "bare.csv", **options)
    assert "without leading zeros" in report["residents_zeros"]
    assert (
        "1 of 3 rows of 'bare.csv' have no polygon in 'polygons.geojson' (row 4)"
        in report["residents_without_zone"]
    )
    assert "1 of 3 polygons of 'polygons.geojson' have no row" in report["residents_zones_empty"]


def test_a_table_that_does_not_join_says_why(tmp_path: Path) -> None:
    """No such column, no common code, no common column, a code twice."""
    frame = zones()
    frame[["code", "geometry"]].to_file(tmp_path / "polygons.gpkg")
    table = pd.DataFrame(frame.drop(columns="geometry"))
    for name, changed in (("other", table.assign(code=list("xyz"))), ("twice", table.assign(code=["01", "02", "02"])),
                          ("alien", table.rename(columns={"code": "wijk"}))):  # fmt: skip
        changed.to_csv(tmp_path / f"{name}.csv", index=False)
    polygons = {"zones": tmp_path / "polygons.gpkg", "groups": GROUPS}
    with pytest.raises(
        InputError, match="no 'code' of 'other.csv' .'x'. is a 'code' of 'polygons.gpkg' .'01'."
    ):
        count(tmp_path / "other.csv", **polygons)
    with pytest.raises(InputError, match="'02' stands twice in 'twice.csv' .row 3, row 4."):
        count(tmp_path / "twice.csv", **polygons)
    with pytest.raises(InputError, match="'alien.csv' and 'polygons.gpkg' share no column"):
        count(tmp_path / "alien.csv", **polygons)
    with pytest.raises(MissingError, match=r"'alien.csv' has no column 'code' \(named as key\)"):
        count(tmp_path / "alien.csv", key="code", **polygons)


def test_addresses_are_homes_and_protected_in_squares(town: GridTown, tmp_path: Path) -> None:
    """Points with counts are homes themselves; unpublished, their counts go through the 100 m grid."""
    points = [lonlat(0.1 + 0.2 * n, 0.05) for n in range(20)]
    frame = gpd.GeoDataFrame(
        {"age:old": [3, 4] * 10, "age:young": [9, 8] * 10},
        geometry=[shapely.Point(p) for p in points],
        crs=4326,
    )
    frame.to_file(tmp_path / "homes.gpkg")
    area = read_area(osm=town.osm, residents=tmp_path / "homes.gpkg", published="the town")
    assert area.residents["total"].tolist() == [12] * 20
    assert set(area.residents["spread"]) == {"points"}
    assert "no_buildings" not in area.quality
    safe = read_area(osm=town.osm, residents=tmp_path / "homes.gpkg")
    assert safe.provenance.counts == "protected"
    assert safe.residents["age:old"].tolist() != pytest.approx([3, 4] * 10)
    assert safe.residents["age:old"].sum() % 5 == pytest.approx(0, abs=1e-6)
    assert safe.residents["total"].sum() == pytest.approx(240, abs=30)


def test_points_that_stand_for_zones_are_told() -> None:
    """900 people at one address."""
    points = gpd.GeoDataFrame(
        {"age:old": [900.0], "total": [900.0]}, geometry=[shapely.Point(0, 0)], crs=UTM, index=["a"]
    )
    assert "hold over 200 people each" in homes_at_points(points)[1][0].sentence
    assert homes_at_points(points.assign(total=2.0))[1] == []


def test_points_and_polygons_do_not_mix(town: GridTown, tmp_path: Path) -> None:
    """Homes or zones, one of both."""
    shapes = [shapely.Point(lonlat(1, 1)), shapely.box(*lonlat(1, 1), *lonlat(2, 2))]
    gpd.GeoDataFrame({"age:old": [3, 5]}, geometry=shapes, crs=4326).to_file(tmp_path / "mixed.gpkg")
    with pytest.raises(InputError, match="points and polygons are mixed"):
        read_area(osm=town.osm, residents=tmp_path / "mixed.gpkg")


def europe(folder: Path, cells: int) -> pd.DataFrame:
    """A census grid as Eurostat's: a square of Europe that holds Bourges, with its columns and one more."""
    side = int(np.ceil(np.sqrt(cells)))
    at = np.arange(cells)
    north, east = 2_580_000 - side * 500 + at // side * 1000, 3_750_000 - side * 500 + at % side * 1000
    table = pd.DataFrame({"GRD_ID": [f"CRS3035RES1000mN{n}E{e}" for n, e in zip(north, east, strict=True)]})
    for number, column in enumerate(["T", "Y_LT15", "Y_1564", "Y_GE65", "NAT", "EU_OTH", "OTH", "EMP"]):
        table[column] = (at + number) % 97
    table["T_CI"] = 0
    table["shape"] = shapely.box(east, north, east + 1000, north + 1000)
    return table


def write_europe(table: pd.DataFrame, path: Path) -> Path:
    """Write the grid in the format of the suffix."""
    plain = table.drop(columns="shape")
    if path.suffix == ".csv":
        plain.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        plain.to_parquet(path, index=False, row_group_size=20_000)
    else:
        gpd.GeoDataFrame(plain, geometry=table["shape"].to_numpy(), crs=3035).to_file(path, use_arrow=True)
    return path


BOURGES = (2.0, 46.0, 2.1, 46.1)


def test_every_form_of_a_large_grid_gives_the_cells_near_the_town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CSV, Parquet and GeoPackage agree on cells, counts and places, whole or by block."""
    table = europe(tmp_path, 8_000)
    found = {}
    for most in (0, 50_000):
        monkeypatch.setattr(grid_file, "MOST_WHOLE", most)
        for suffix in (".csv", ".parquet", ".gpkg"):
            path = write_europe(table, tmp_path / f"europe{most}{suffix}")
            result = read_counts(path, CRS("EPSG:32631"), near=BOURGES)
            assert result.source is not None
            found[most, suffix] = result.zones.sort_index()
    near = found[0, ".csv"]
    assert 100 < len(near) < 400
    for zones_found in found.values():
        some = zones_found.loc[near.index.intersection(zones_found.index)]
        pd.testing.assert_frame_equal(pd.DataFrame(some.drop(columns="geometry")),
                                      pd.DataFrame(near.loc[some.index].drop(columns="geometry")))  # fmt: skip
        assert len(some) >= 0.9 * len(near)
        assert (
            shapely.hausdorff_distance(
                some.geometry.to_numpy(), near.loc[some.index].geometry.to_numpy()
            ).max()
            < 1
        )
    assert len(found[0, ".parquet"]) == len(near)
    assert len(found[50_000, ".gpkg"]) == 8_000


def test_other_columns_of_a_large_grid_can_be_named(tmp_path: Path) -> None:
    """Employment is not read unasked; named, it is read by block, and is nobody's publication until said."""
    path = write_europe(europe(tmp_path, 8_000), tmp_path / "europe.csv")
    found = read_counts(path, UTM, near=BOURGES, groups={"total": ["T"], "work": ["EMP"]})
    assert found.source is None
    assert (found.zones["work:EMP"] <= found.zones["total"]).all()
    with pytest.raises(InputError, match="'europe.csv' has no column 'EMPL'"):
        read_counts(path, UTM, near=BOURGES, groups={"work": ["EMPL"]})


def test_marks_in_a_large_grid_are_counts_held_back(tmp_path: Path) -> None:
    """ "x", ":" and "-" among the counts of a CSV file are no fault of it; what lacks of their totals is imputed."""
    table = europe(tmp_path, 8_000)
    table["T"] = table["NAT"] + table["EU_OTH"] + table["OTH"]
    whole = read_counts(write_europe(table, tmp_path / "whole.csv"), UTM, near=BOURGES).zones
    marked = table.assign(OTH=[("x", ":", "-", str(v))[n % 4] for n, v in enumerate(table["OTH"])])
    found = read_counts(write_europe(marked, tmp_path / "marked.csv"), UTM, near=BOURGES)
    pd.testing.assert_frame_equal(found.zones, whole)
    assert "residents_imputed:origin" in {f.code for f in found.findings}


def test_a_grid_of_elsewhere_or_broken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another country; no coordinate system; text among the counts; a truncated file."""
    table = europe(tmp_path, 400)
    for suffix in (".csv", ".parquet"):
        path = write_europe(table, tmp_path / f"europe{suffix}")
        with pytest.raises(InputError, match="holds no census cell between longitude 3.00 and 3.02"):
            count(path)
    text = (tmp_path / "europe.csv").read_text().replace("E3750000,", "E3750000,many")
    (tmp_path / "text.csv").write_text(text)
    with pytest.raises(InputError, match="'text.csv' cannot be read .*many"):
        read_counts(tmp_path / "text.csv", UTM, near=BOURGES)
    cut = (tmp_path / "europe.parquet").read_bytes()[:-50]
    (tmp_path / "cut.parquet").write_bytes(cut)
    with pytest.raises(InputError, match="'cut.parquet' is truncated"):
        count(tmp_path / "cut.parquet")
    monkeypatch.setattr(grid_file, "MOST_WHOLE", 0)
    path = write_europe(table, tmp_path / "europe.gpkg")
    bare = gpd.read_file(path).set_crs(None, allow_override=True)
    with pytest.warns(UserWarning, match="crs"):
        bare.to_file(tmp_path / "bare.gpkg")
    with pytest.raises(CRSError, match="'bare.gpkg' has no coordinate system"):
        read_counts(tmp_path / "bare.gpkg", UTM, near=BOURGES)


MEASURE = """
import re, sys
from pathlib import Path
from pyproj import CRS
from gisapp.sources.counts import read_counts
found = read_counts(sys.argv[1], CRS("EPSG:32631"), near=(2.0, 46.0, 2.1, 46.1))
peak = re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())
print(len(found.zones), int(peak[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".gpkg"])
def test_all_of_europe_takes_little_memory(suffix: str, tmp_path: Path) -> None:
    """1.9 million cells, the whole of the census: under 400 MB for the process."""
    path = write_europe(europe(tmp_path, 1_900_000), tmp_path / f"europe{suffix}")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    cells, megabytes = (int(word) for word in done.stdout.split())
    assert 100 < cells < 400
    assert megabytes < 400


def test_the_town_from_a_table_is_the_town_from_the_grid(town: GridTown, tmp_path: Path) -> None:
    """Counts in a spreadsheet, cells as polygons: the same homes as the census grid gives."""
    table = pd.DataFrame(
        [{"cell": name, **dict(zip(COUNTS, c, strict=True))} for name, (_, _, c) in CELLS.items()]
    )
    table.to_excel(tmp_path / "counts.xlsx", index=False)
    groups = {"total": ["T"], "origin": ["NAT", "EU_OTH", "OTH"], "age": ["Y_LT15", "Y_1564", "Y_GE65"]}

    def read(residents: Path, **more: object) -> StudyArea:
        return read_area(osm=town.osm, residents=residents, **more)  # type: ignore[arg-type]

    joined = read(
        tmp_path / "counts.xlsx", zones=town.census, key="cell=GRD_ID", groups=groups, published="the town"
    )
    grid = read(town.census)
    for ours, theirs in (
        ("total", "total"),
        ("origin:NAT", "origin:born_here"),
        ("age:Y_GE65", "age:65_plus"),
    ):
        assert joined.residents[ours].to_numpy() == pytest.approx(grid.residents[theirs].to_numpy()), ours
    assert grid.quality["residents_unknown_origin"].count == pytest.approx(10)
