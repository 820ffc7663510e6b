"""Where the map may be thin: places for the people of each neighbourhood, and when they were last edited."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from grid_town import GridTown, box, write_grid_town

from gisapp.area import Provenance, Source, Streets, StudyArea
from gisapp.catalogue import Matcher, load_catalogue
from gisapp.completeness import completeness, completeness_findings, with_completeness
from gisapp.errors import CRSError, InputError
from gisapp.places import build_places
from gisapp.recount import refresh_residents
from gisapp.sources.neighbourhoods import overlaps
from gisapp.sources.osm import read_osm
from gisapp.sources.read import read_area

UTM = "EPSG:32631"


def quarters(number: int = 4) -> gpd.GeoDataFrame:
    """Squares of 100 m side by side."""
    shapes = [shapely.box(100 * n, 0, 100 * n + 100, 100) for n in range(number)]
    return gpd.GeoDataFrame({"name": [f"Q{n}" for n in range(number)]}, geometry=shapes, crs=UTM)


def town(places: list[int], people: list[float], edits: list[str | None] | None = None) -> StudyArea:
    """An area of quarters with so many places and people in the middle of each; places in one have one date."""
    spots = np.repeat(np.arange(len(places)), places)
    frame = gpd.GeoDataFrame(
        {"kind": "cafes", "part_of": None}, index=pd.Index([f"node/{n}" for n in range(len(spots))], name="place_id"),
        geometry=shapely.points(100.0 * spots + 50, 50.0), crs=UTM,
    )  # fmt: skip
    if edits is not None:
        frame["last_edit"] = pd.Series([edits[n] for n in spots], index=frame.index, dtype=object)
    homes = gpd.GeoDataFrame(
        {"total": people}, geometry=[shapely.Point(100.0 * n + 20, 20) for n in range(len(people))], crs=UTM
    )
    none = gpd.GeoDataFrame(geometry=[shapely.Point(0, 0), shapely.Point(400, 100)], crs=UTM)
    return StudyArea(
        "Town", Streets(none, none), frame, homes, (), neighbourhoods=quarters(len(places)),
        provenance=Provenance((Source("OpenStreetMap", "2024-01-01"),)),
    )  # fmt: skip


def test_places_for_the_people() -> None:
    """8, 10, 12 and 1 place for 1,000 each: the median is 9, and 1 is less than a third of it."""
    table = completeness(town([8, 10, 12, 1], [1000] * 4))
    assert table["places_per_1000"].tolist() == [8, 10, 12, 1]
    assert table["expected"].tolist() == [9] * 4
    assert table["thin"].tolist() == [False, False, False, True]
    found = completeness_findings(town([8, 10, 12, 1], [1000] * 4))[0]
    assert (found.code, found.level, found.count, found.total) == ("places_thin", "warning", 1, 4)
    assert "Q3 (1.0); elsewhere it is 9.0" in found.sentence


def test_a_town_mapped_in_its_centre_only() -> None:
    """Where most neighbourhoods have no place at all, all together set the rate: 30 for 4,000."""
    table = completeness(town([30, 0, 0, 0], [1000] * 4))
    assert table["expected"].tolist() == [7.5] * 4
    assert table["thin"].tolist() == [False, True, True, True]


def test_few_people_are_no_thin_map() -> None:
    """No place for 400 people of a town of 9 per 1,000 may be chance; nobody at all has no rate."""
    table = completeness(town([8, 10, 0, 0], [1000, 1000, 400, 0]))
    assert not table["thin"].any()
    assert table["places_per_1000"].isna().tolist() == [False, False, False, True]


def test_dates_of_the_last_edits() -> None:
    """The newest by quarter, and which quarters nobody edited in three years of the data's date."""
    area = town([2, 1, 3], [10, 10, 10], ["2020-12-31", "2021-01-01", None])
    table = completeness(area)
    assert table["last_edit"].tolist()[:2] == ["2020-12-31", "2021-01-01"]
    assert table["last_edit"].isna().tolist() == [False, False, True]
    said = {f.code: f for f in completeness_findings(area)}
    assert "In 1 of 3 neighbourhoods" in said["places_stale"].sentence
    assert "Q0 (2020-12-31)" in said["places_stale"].sentence
    assert (said["places_last_edit"].count, said["places_last_edit"].total) == (3, 6)
    assert "unknown" in completeness_findings(town([1], [10]))[0].sentence


def test_a_long_place_counts_once_wherever_it_reaches() -> None:
    """Parts of one park in the same quarter are one place; in the next quarter it is one again."""
    area = town([3, 1], [100, 100])
    parts = area.places.assign(part_of=["way/1", "way/1", None, "way/1"])
    assert completeness(area.with_(places=parts))["places"].tolist() == [2, 1]


def test_without_neighbourhoods_or_counts() -> None:
    """One row for the town; where nobody is counted there is no rate, and no neighbourhood is called thin."""
    area = town([8, 1], [1000, 1000]).with_(neighbourhoods=None)
    assert completeness(area)["places"].to_dict() == {"Town": 9}
    uncounted = town([8, 8, 1], [1000] * 3)
    uncounted = uncounted.with_(provenance=Provenance(counts="missing"))
    table = completeness(uncounted)
    assert table["places_per_1000"].isna().all()
    assert not table["thin"].any()


def test_the_report_is_renewed() -> None:
    """What was found of an earlier state is not kept."""
    area = with_completeness(town([8, 10, 1], [1000] * 3, ["2023-01-01"] * 3))
    assert "places_thin" in area.quality
    better = with_completeness(area.with_(neighbourhoods=quarters(2)))
    assert "places_thin" not in better.quality
    assert "places_last_edit" in better.quality


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """A town as files."""
    return write_grid_town(tmp_path_factory.mktemp("grid"))


def areas(*rows: tuple[str, float, float]) -> gpd.GeoDataFrame:
    """Neighbourhoods from west to east of the grid town, in blocks."""
    shapes = [shapely.Polygon(box(west, -1, east, 6)) for _, west, east in rows]
    return gpd.GeoDataFrame({"wijk": [name for name, _, _ in rows]}, geometry=shapes, crs=4326)


@pytest.mark.parametrize("crs", [31370, 3812, 5635, 3035, 4326])
def test_any_coordinate_system(grid: GridTown, tmp_path: Path, crs: int) -> None:
    """Neighbourhoods in Lambert 72 and 2008, PTRA08, LAEA and degrees are the same to half a metre."""
    areas(("West", -1, 2.5), ("East", 2.5, 6)).to_crs(crs).to_file(tmp_path / "areas.gpkg")
    found = read_area(osm=grid.osm, residents=grid.census, neighbourhoods=tmp_path / "areas.gpkg")
    expected = areas(("East", 2.5, 6), ("West", -1, 2.5)).to_crs(found.crs).geometry
    assert found.neighbourhoods is not None
    assert found.neighbourhoods["name"].tolist() == ["East", "West"]
    assert shapely.hausdorff_distance(found.neighbourhoods.geometry.to_numpy(), expected.to_numpy()).max() < (
        1.5 if crs == 31370 else 0.5
    )
    assert completeness(found)["residents"].sum() == pytest.approx(240)


def test_names_overlaps_and_gaps_are_counted(grid: GridTown, tmp_path: Path) -> None:
    """Two of a name, two that share ground, and people between them; a shared border is no overlap."""
    areas(("Quay", -1, 1.8), ("Quay", 1.8, 2.6), ("Hill", 2.5, 2.7)).to_file(tmp_path / "areas.gpkg")
    area = read_area(osm=grid.osm, residents=grid.census, neighbourhoods=tmp_path / "areas.gpkg")
    assert area.neighbourhoods is not None
    assert area.neighbourhoods["name"].tolist() == ["Hill", "Quay", "Quay (2)"]
    assert "1 of 3 areas bear the name of another" in area.quality["neighbourhoods_names"].sentence
    assert "1 pairs of areas overlap (Hill and Quay (2))" in area.quality["neighbourhoods_overlap"].sentence
    assert (area.quality["neighbourhoods_none"].count, area.quality["neighbourhoods_none"].total) == (
        100,
        240,
    )
    assert overlaps(areas(("A", 0, 1), ("B", 1, 2)).rename(columns={"wijk": "name"})).empty


def test_neighbourhoods_that_are_none_are_refused(grid: GridTown, tmp_path: Path) -> None:
    """Of another town, beside the houses, lines, without a name, without a coordinate system: a sentence each."""
    good = areas(("West", -1, 2.5), ("East", 2.5, 6))
    cases: dict[str, tuple[gpd.GeoDataFrame, type[Exception], str]] = {
        "far": (good.assign(geometry=good.translate(5, 0)), InputError, "does not overlap the streets"),
        "beside": (
            good.assign(geometry=good.translate(0, 0.015)),
            InputError,
            "does not overlap the town: no home",
        ),
        "lines": (good.assign(geometry=good.boundary), InputError, "polygons are wanted"),
        "nameless": (good[["geometry"]].assign(size=1.5), InputError, "no column names the areas"),
        "swapped": (
            good.assign(geometry=shapely.transform(good.geometry.to_numpy(), lambda xy: xy[:, ::-1])),
            InputError,
            "swapped",
        ),
    }
    for name, (frame, fault, words) in cases.items():
        frame.to_file(tmp_path / f"{name}.gpkg")
        with pytest.raises(fault, match=words) as caught:
            read_area(osm=grid.osm, residents=grid.census, neighbourhoods=tmp_path / f"{name}.gpkg")
        assert f"neighbourhoods: '{name}.gpkg'" in str(caught.value)
    with pytest.warns(UserWarning, match="crs"):
        good.set_crs(None, allow_override=True).to_file(tmp_path / "bare.gpkg")
    with pytest.raises(CRSError, match="no coordinate system"):
        read_area(osm=grid.osm, residents=grid.census, neighbourhoods=tmp_path / "bare.gpkg")


XML = """<osm version="0.6">
<node id="1" lat="51.0" lon="3.0" version="1"/><node id="2" lat="51.0" lon="3.002" version="1"/>
<node id="3" lat="51.0001" lon="3.0" version="3" timestamp="2019-05-04T10:00:00Z">
 <tag k="amenity" v="cafe"/><tag k="name" v="Anker"/></node>
<node id="4" lat="51.0001" lon="3.0001" version="2" timestamp="2022-08-01T10:00:00Z">
 <tag k="amenity" v="cafe"/><tag k="name" v="Anker"/></node>
<node id="5" lat="51.0001" lon="3.002" version="1"><tag k="amenity" v="cafe"/></node>
<way id="1" version="1" timestamp="2025-01-01T00:00:00Z"><nd ref="1"/><nd ref="2"/>
 <tag k="highway" v="residential"/></way>
</osm>"""


def test_dates_come_from_the_map(tmp_path: Path) -> None:
    """The last edit of an object is read with it, of a place made of two the later; without a date it is missing."""
    (tmp_path / "town.osm").write_text(XML, encoding="utf-8")
    catalogue = load_catalogue()
    matcher = Matcher(catalogue)
    raw = read_osm(tmp_path / "town.osm", wanted=matcher.wanted, keys=matcher.keys)
    joining = [replace(spec, merge_within_m=25.0) for spec in catalogue]
    places, _ = build_places(raw.features.to_crs(UTM), joining)
    assert places["last_edit"].where(places["last_edit"].notna(), None).to_dict() == {
        "node/3": "2022-08-01",
        "node/5": None,
    }


def test_other_counts_are_set_against_the_same_places(grid: GridTown, tmp_path: Path) -> None:
    """After a refresh of residents, the report speaks of the people that are there now."""
    areas(("West", -1, 2.5), ("East", 2.5, 4.4), ("Hill", 4.4, 6)).to_file(tmp_path / "areas.gpkg")
    area = read_area(osm=grid.osm, residents=grid.census, neighbourhoods=tmp_path / "areas.gpkg")
    assert "places_thin" not in area.quality
    crowd = gpd.read_file(grid.census)
    counts = [c for c in crowd if c not in ("GRD_ID", "geometry")]
    crowd[counts] = crowd[counts] * 40
    crowd.loc[crowd["GRD_ID"] == "east", counts] *= 10
    crowd.to_file(tmp_path / "crowd.gpkg")
    counted = refresh_residents(area, tmp_path / "crowd.gpkg").area
    assert "East" in counted.quality["places_thin"].sentence
