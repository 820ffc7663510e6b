"""A planner edits the places of a project in QGIS: what was touched is theirs, what was not stays to the bit."""

import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from gis_edits import blob, edit
from grid_town import GridTown, write_grid_town

from gisapp.area import Edits
from gisapp.assess_area import assess
from gisapp.assessment import Assessment
from gisapp.edits import EDITED
from gisapp.errors import CRSError, InputError
from gisapp.params import Params
from gisapp.project import read_project, read_results, write_project
from gisapp.refresh import refresh_project
from gisapp.sources.merge_places import merge_places
from gisapp.sources.read import read_area


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """A town as files."""
    return write_grid_town(tmp_path_factory.mktemp("edits"))


@pytest.fixture(scope="module")
def result(town: GridTown) -> Assessment:
    """The town scored."""
    return assess(read_area(osm=town.osm, residents=town.census, boundary=town.boundary))


@pytest.fixture(scope="module")
def written(result: Assessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's project file."""
    assert result.area is not None
    return write_project(tmp_path_factory.mktemp("out") / "grid.gpkg", result.area, result.params, result)


@pytest.fixture
def path(written: Path, tmp_path: Path) -> Path:
    """A copy of the project to edit."""
    return Path(shutil.copy(written, tmp_path / "grid.gpkg"))


def rewrite(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write the layer of places anew, as QGIS does when a layer is saved over itself."""
    pyogrio.write_dataframe(frame, path, layer="places", driver="GPKG", append=False)


def plain(places: gpd.GeoDataFrame) -> dict[str, dict[str, object]]:
    """What the rows say; a missing value is None however it is held."""
    table = pd.DataFrame(places.drop(columns="geometry")).astype(object)
    return table.where(table.notna(), None).to_dict("index")


def assert_as_written(path: Path, places: gpd.GeoDataFrame) -> None:
    """The places that are read are these, values and shapes to the bit."""
    found = read_project(path).area.places
    assert plain(found) == plain(places)
    assert found.index.tolist() == places.index.tolist()
    assert (shapely.to_wkb(found.geometry.to_numpy()) == shapely.to_wkb(places.geometry.to_numpy())).all()


def test_a_layer_that_says_the_same_is_not_edited(path: Path, result: Assessment) -> None:
    """Opened and saved without a change; written anew in another order, as multiple shapes with heights, types as
    text and no texts as empty ones."""
    assert result.area is not None
    edit(path, "UPDATE places SET name = name, geom = geom")
    assert_as_written(path, result.area.places)
    frame = pyogrio.read_dataframe(path, layer="places").iloc[::-1].reset_index(drop=True)
    frame["capacity"] = frame["capacity"].astype(object).where(frame["capacity"].notna(), None)
    frame["core"] = frame["core"].astype(int)
    frame["hosts"] = ""
    single = shapely.get_type_id(frame.geometry.to_numpy()) == 3
    frame.loc[single, "geometry"] = [shapely.MultiPolygon([g]) for g in frame.geometry[single]]
    frame.geometry = shapely.force_3d(frame.geometry.to_numpy())
    rewrite(path, frame)
    assert_as_written(path, result.area.places)
    area = read_project(path).area
    assert area.edits == Edits()
    assert "places_edited" not in area.quality
    stored = read_results(path)
    assert stored is not None
    assert "results_outdated" not in stored.quality


def test_changes_are_the_planners(path: Path, town: GridTown, result: Assessment) -> None:
    """Name, capacity, kind and shape: each changed row keeps its id, gets the planner's source and is told of."""
    assert result.area is not None
    before = result.area.places
    east = before.loc[town.places["cafe"]].geometry
    edit(
        path,
        f"UPDATE places SET name = '  Our Library ', capacity = 80 WHERE place_id = '{town.places['library']}'",
        f"UPDATE places SET kind = 'Bibliotheek' WHERE place_id = '{town.places['lost']}'",
        ("UPDATE places SET geom = ? WHERE place_id = ?",
         (blob(shapely.Point(east.x - 200, east.y)), town.places["cafe"])),
    )  # fmt: skip
    area = read_project(path).area
    library, lost, cafe = (area.places.loc[town.places[name]] for name in ("library", "lost", "cafe"))
    assert (library["name"], library["capacity"], library["source"]) == ("Our Library", 80.0, EDITED)
    assert shapely.equals_identical(library.geometry, before.loc[town.places["library"]].geometry)
    assert json.loads(library["tags"])["amenity"] == "library"
    assert (lost["kind"], lost["open_to"], lost["name"]) == ("libraries", "all", "Far from any street")
    assert cafe.geometry.x == east.x - 200
    assert not before.loc[town.places["cafe"], "core"]
    assert bool(cafe["core"])  # moved into the town
    assert area.places.index.tolist() == before.index.tolist()
    others = [town.places["park"], town.places["playground"]]
    assert plain(area.places.loc[others]) == plain(before.loc[others])
    assert area.edits == Edits(changed=tuple(i for i in before.index if i in {
        town.places[n] for n in ("library", "lost", "cafe")}))  # fmt: skip
    finding = area.quality["places_edited"]
    assert (finding.count, finding.level) == (3, "note")
    assert "3 changed" in finding.sentence
    assert f"{town.places['library']} Our Library" in finding.sentence
    assert [s.title for s in area.provenance.sources][-1] == "Places edited in the project file"


def test_new_rows_get_an_id_and_what_their_layer_says(path: Path, result: Assessment) -> None:
    """A drawn point and a copied outline: NULL everywhere, or the id of another; both are places of their own."""
    assert result.area is not None
    at = result.area.streets.nodes.geometry.iloc[0]
    park = result.area.places[result.area.places["kind"] == "parks"].index[0]
    edit(
        path,
        ("INSERT INTO places (geom, kind) VALUES (?, 'cafes')", (blob(at),)),
        ("INSERT INTO places (geom, kind, name, place_id, capacity) VALUES (?, 'playgrounds', 'Swing', 'swing', 9)",
         (blob(at.buffer(10)),)),
        f"INSERT INTO places (geom, place_id, kind, name, source, tags, also, part_of, open_to) SELECT geom, place_id, "
        f"kind, name, source, tags, also, part_of, open_to FROM places WHERE place_id = '{park}'",
    )  # fmt: skip
    area = read_project(path).area
    n = len(result.area.places)
    new = area.places.iloc[n:]
    assert new.index.tolist() == [f"own/{n + 1}", "swing", f"own/{n + 3}"]
    assert new["source"].tolist() == [EDITED] * 3
    assert new["open_to"].tolist() == ["customers", "all", "all"]
    assert new["tags"].tolist()[:2] == ["{}", "{}"]
    assert new["also"].tolist() == [""] * 3
    assert new["core"].all()
    assert new["name"].isna().tolist() == [True, False, False]
    assert new["capacity"].tolist()[1] == 9
    assert area.places.loc[park, "source"] == "OpenStreetMap"
    assert area.edits.added == tuple(new.index)
    assert area.places.index.is_unique
    again = assess(area)
    assert again.places.loc["swing", "reach"] > 0
    assert read_project(path).area.places.index.tolist() == area.places.index.tolist()


def test_deleted_rows_are_gone_and_named(path: Path, town: GridTown) -> None:
    """A place that was taken out is not scored; the report says which, and which kind is missing now."""
    edit(path, f"DELETE FROM places WHERE place_id = '{town.places['library']}'")
    area = read_project(path).area
    assert town.places["library"] not in area.places.index
    assert area.edits.removed == (town.places["library"],)
    assert f"1 taken out ({town.places['library']})" in area.quality["places_edited"].sentence
    assert "libraries" in area.quality.missing_kinds
    assert town.places["library"] not in assess(area).places.index


def test_results_of_older_places_are_said_to_be_out_of_date(
    path: Path, result: Assessment, town: GridTown
) -> None:
    """They are shown with the places they were computed from, and a warning that names the edits."""
    assert result.area is not None
    edit(path, f"UPDATE places SET capacity = 5 WHERE place_id = '{town.places['library']}'",
         f"DELETE FROM places WHERE place_id = '{town.places['park']}'")  # fmt: skip
    stored = read_results(path)
    assert stored is not None
    assert stored.area is not None
    finding = stored.quality["results_outdated"]
    assert finding.level == "warning"
    assert "(1 changed, 1 taken out)" in finding.sentence
    assert set(stored.places.index) == set(stored.area.places.index) == set(result.places.index)
    area, params, _ = read_project(path)
    again = assess(area, params)
    write_project(path, area, again.params, again, overwrite=True)
    now = read_results(path)
    assert now is not None
    assert "results_outdated" not in now.quality
    assert now.quality["places_edited"].count == 2


def test_edits_of_several_days_add_up(path: Path, town: GridTown) -> None:
    """Edited, written, edited again: changed once, added then dropped is nothing, and the removed stay removed."""
    library, park = town.places["library"], town.places["park"]
    point = blob(shapely.Point(500_200, 5_650_000))
    edit(path, f"UPDATE places SET name = 'One' WHERE place_id = '{library}'",
         f"DELETE FROM places WHERE place_id = '{park}'",
         ("INSERT INTO places (geom, kind, place_id) VALUES (?, 'cafes', 'a')", (point,)),
         ("INSERT INTO places (geom, kind, place_id) VALUES (?, 'cafes', 'b')", (point,)))  # fmt: skip
    area, params, _ = read_project(path)
    write_project(path, area, params, overwrite=True)
    assert read_project(path).area.edits == area.edits
    edit(path, f"UPDATE places SET name = 'Two' WHERE place_id IN ('{library}', 'b')",
         "DELETE FROM places WHERE place_id = 'a'")  # fmt: skip
    again = read_project(path).area
    assert again.edits == Edits(changed=(library,), added=("b",), removed=(park,))
    assert again.places.loc[library, "name"] == "Two"
    edit(path, f"DELETE FROM places WHERE place_id = '{library}'")
    assert read_project(path).area.edits == Edits(changed=(), added=("b",), removed=(park, library))


def test_a_column_of_the_planners_own_stays(path: Path, town: GridTown) -> None:
    """A field that was added in QGIS is carried along, and attractiveness is used."""
    edit(
        path,
        "ALTER TABLE places ADD COLUMN remark TEXT",
        "ALTER TABLE places ADD COLUMN attractiveness REAL",
        f"UPDATE places SET remark = 'shady', attractiveness = 3 WHERE place_id = '{town.places['park']}'",
    )
    area, params, _ = read_project(path)
    write_project(path, area, params, overwrite=True)
    park = read_project(path).area.places.loc[town.places["park"]]
    assert (park["remark"], park["attractiveness"]) == ("shady", 3.0)


def test_a_part_makes_the_whole_place_the_planners(result: Assessment, tmp_path: Path) -> None:
    """A long park is cut into parts: renaming or deleting one is an edit of the park, which keeps its other parts."""
    assert result.area is not None
    x, y = result.area.streets.nodes.total_bounds[:2]
    path = write_project(tmp_path / "long.gpkg", result.area, Params())
    edit(path, ("INSERT INTO places (geom, kind, place_id, capacity) VALUES (?, 'parks', 'river', 90)",
                (blob(shapely.box(x, y, x + 900, y + 20)),)))  # fmt: skip
    area, params, _ = read_project(path)
    assert [i for i in area.places.index if i.startswith("river")] == ["river#1", "river#2", "river#3"]
    assert area.places.loc[["river#1", "river#2"], "part_of"].tolist() == ["river", "river"]
    assert area.places["capacity"].sum() == pytest.approx(90)
    assert area.edits.added == ("river",)
    osm = area.places.assign(source="OpenStreetMap")
    write_project(path, area.with_(places=osm, edits=Edits()), params, overwrite=True)
    edit(
        path,
        "UPDATE places SET name = 'Bend' WHERE place_id = 'river#2'",
        "DELETE FROM places WHERE place_id = 'river#3'",
    )
    again = read_project(path).area
    assert again.edits == Edits(changed=("river",))
    rows = again.places[again.places["part_of"] == "river"]
    assert rows.index.tolist() == ["river#1", "river#2"]
    assert rows["source"].tolist() == [EDITED, EDITED]
    assert rows["capacity"].tolist() == osm.loc[rows.index, "capacity"].tolist()


BAD: dict[str, tuple[str, tuple[object, ...], str]] = {
    "unknown kind": ("UPDATE places SET kind = 'librarys' WHERE place_id = :p", (),
                     "'librarys' in column 'kind' is no kind .row 5.; the nearest is 'librar"),
    "no kind": ("UPDATE places SET kind = NULL WHERE place_id = :p", (), "column 'kind' is empty in row 5"),
    "no shape": ("UPDATE places SET geom = NULL WHERE place_id = :p", (), r"has no shape in row 5 \(Library\)"),
    "empty shape": ("UPDATE places SET geom = ? WHERE place_id = :p", (blob(shapely.Point()),),
                    "has no shape in row 5"),
    "a line": ("UPDATE places SET geom = ? WHERE place_id = :p", (blob(shapely.LineString([(0, 0), (9, 9)])),),
               "has a line in row 5"),
    "not finite": ("UPDATE places SET geom = ? WHERE place_id = :p",
                   (blob(shapely.LineString([(0, 0), (np.inf, 9)])),), "coordinates that are no numbers in row 5"),
    "open to whom": ("UPDATE places SET open_to = 'dogs' WHERE place_id = :p", (), "'dogs' in column 'open_to' .row 5"),
    "negative": ("UPDATE places SET capacity = -3 WHERE place_id = :p", (), "'capacity' is negative in row 5"),
    "tags": ("UPDATE places SET tags = 'nice' WHERE place_id = :p", (),
             "'tags' does not hold a JSON object of texts in row 5"),
    "further kinds": ("UPDATE places SET also = 'parks;zoos' WHERE place_id = :p", (),
                      "'also' does not hold kinds parted by ';' in row 5"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_an_edit_that_cannot_be_used_names_its_row(path: Path, town: GridTown, case: str) -> None:
    """One sentence with the file, the row and what to do; results are not shown either."""
    statement, values, message = BAD[case]
    edit(path, (statement.replace(":p", f"'{town.places['library']}'"), values))
    with pytest.raises(InputError, match=message) as fault:
        read_project(path)
    assert "grid.gpkg" in str(fault.value)
    with pytest.raises(InputError, match=message):
        read_results(path)


def test_a_layer_in_another_system_is_brought_back(path: Path, result: Assessment) -> None:
    """Saved over itself in degrees, nothing is edited; without a system it is refused."""
    assert result.area is not None
    frame = pyogrio.read_dataframe(path, layer="places")
    rewrite(path, frame.to_crs(4326))
    assert_as_written(path, result.area.places)
    with pytest.warns(UserWarning, match="crs"):
        rewrite(path, frame.set_crs(None, allow_override=True))
    with pytest.raises(
        CRSError, match="'places' of 'grid.gpkg' has no coordinate system. Set it to EPSG:32631"
    ):
        read_project(path)


def test_a_broken_outline_is_mended(path: Path, town: GridTown) -> None:
    """An outline that crosses itself is taken for what it encloses."""
    bow = shapely.Polygon(
        [(500_000, 5_650_000), (500_020, 5_650_020), (500_020, 5_650_000), (500_000, 5_650_020)]
    )
    edit(path, ("UPDATE places SET geom = ? WHERE place_id = ?", (blob(bow), town.places["park"])))
    park = read_project(path).area.places.loc[town.places["park"]].geometry
    assert park.is_valid
    assert park.area == pytest.approx(200)


def test_a_refresh_keeps_edits(path: Path, town: GridTown) -> None:
    """The changed keeps its values, the added stays, the deleted does not come back; the report and changes say so."""
    library, park, cafe = (town.places[name] for name in ("library", "park", "cafe"))
    edit(path, f"UPDATE places SET name = 'Ours', kind = 'community_centres' WHERE place_id = '{library}'",
         f"DELETE FROM places WHERE place_id IN ('{park}', '{cafe}')",
         ("INSERT INTO places (geom, kind, name) VALUES (?, 'cafes', 'New')",
          (blob(shapely.Point(500_200, 5_650_000)),)))  # fmt: skip
    before = read_project(path).area
    changes = refresh_project(path, osm=town.osm)
    area = read_project(path).area
    assert area.places.loc[library, ["name", "kind", "source"]].tolist() == [
        "Ours",
        "community_centres",
        EDITED,
    ]
    assert not area.places.index.isin([park, cafe]).any()
    assert "New" in area.places["name"].tolist()
    assert set(area.places.index) == set(before.places.index)
    assert area.edits == before.edits
    assert area.quality["places_edited"] == before.quality["places_edited"]
    assert "2 places of your own were kept." in changes
    assert "2 places that you took out stay out." in changes
    assert read_results(path) is not None


def test_a_place_merged_with_the_maps_stays_out_when_deleted(path: Path, town: GridTown) -> None:
    """Deleting a place of the planner's list takes out the map's one that it stands for, too."""
    area, params, _ = read_project(path)
    own = area.places.loc[[town.places["park"]]].set_axis(["own/1"], axis=0)
    own = own.assign(source="list.csv", tags="{}")
    merged = merge_places(area.places, own)
    assert merged.matches["osm_id"].tolist() == [town.places["park"]]
    write_project(path, area.with_(places=merged.places), params, overwrite=True)
    edit(path, "DELETE FROM places WHERE place_id = 'own/1'")
    refresh_project(path, osm=town.osm)
    after = read_project(path).area
    assert not after.places.index.isin(["own/1", town.places["park"]]).any()
    assert set(after.edits.removed) == {"own/1", town.places["park"]}
