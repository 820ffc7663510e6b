"""A planner's list of places: columns found, kinds matched, merged with the map's and unmerged."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from gisapp.catalogue import load_catalogue
from gisapp.errors import InputError, MissingError
from gisapp.places import build_places
from gisapp.sources.columns import propose_columns
from gisapp.sources.evidence import weigh_visitors
from gisapp.sources.merge_places import (
    MergeResult,
    add_places,
    merge_places,
    merge_table,
    name_similarity,
    unmerge,
)
from gisapp.sources.own_places import OwnPlaces, read_lists, read_places

UTM = CRS("EPSG:32631")
CATALOGUE = load_catalogue()
EAST, NORTH = 603_000.0, 5_653_000.0
SHARED = Path(__file__).parents[2] / "shared" / "data"


def write_list(path: Path, text: str) -> Path:
    """Write a list as it is typed."""
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path | str, **options: object) -> OwnPlaces:
    """Read a list of the town."""
    return read_places(path, UTM, CATALOGUE, **options)  # type: ignore[arg-type]


def osm(
    *rows: tuple[str, float, float, dict[str, str]], areas: dict[str, shapely.Geometry] | None = None
) -> gpd.GeoDataFrame:
    """Places as the map has them: id, metres east and north of the corner, tags."""
    areas = areas or {}
    shapes = [areas.get(i, shapely.Point(EAST + x, NORTH + y)) for i, x, y, _ in rows]
    features = gpd.GeoDataFrame(
        {"tags": [tags for *_, tags in rows]}, geometry=shapes, index=[r[0] for r in rows], crs=UTM
    )
    return build_places(features, CATALOGUE)[0]


def own(
    path: Path, rows: list[tuple[str | None, str, float, float]], **more: list[object]
) -> gpd.GeoDataFrame:
    """A planner's list: name, kind, metres east and north."""
    frame = pd.DataFrame(
        {"naam": [r[0] for r in rows], "soort": [r[1] for r in rows], "x": [EAST + r[2] for r in rows],
         "y": [NORTH + r[3] for r in rows], **more}
    )  # fmt: skip
    frame.to_csv(path, index=False)
    return read(f"{path}|crs=EPSG:32631").places


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["Naam", "Soort", "Capaciteit", "Toezicht", "'s avonds open"],
         ["name", "kind", "capacity", "supervised", "open_evening"]),
        (["Nom", "Catégorie", "Capacité", "Surveillé", "Hôtes"], ["name", "kind", "capacity", "supervised", "hosts"]),
        (["name", "kind", "open_to", "buddy_point", "language_practice", "open_evening", "programme"],
         ["name", "kind", "open_to", "programme", "open_evening", "language_practice", "buddy_point"]),
        (["Clubnaam", "Aantal zitplaatsen", "Opmerking"], ["name", "capacity"]),
        (["bezoekers:origin:newcomer", "visitors:origin:born_here"],
         ["visitors:origin:newcomer", "visitors:origin:born_here"]),
    ],
)  # fmt: skip
def test_columns_are_proposed_in_three_languages(columns: list[str], found: list[str]) -> None:
    """English, Dutch and French names, whole or inside a longer one; no column serves twice."""
    mapping = propose_columns(pd.DataFrame(columns=columns))
    assert list(mapping) == found
    assert len(set(mapping.values())) == len(mapping)


def test_a_list_becomes_places_with_what_only_planners_know(tmp_path: Path) -> None:
    """Kinds by Dutch title, yes and no in one spelling, blanks unknown, and the mapping shown with what is unused."""
    path = write_list(
        tmp_path / "clubs.csv",
        "Nr;Naam;Soort;lon;lat;Capaciteit;Toezicht;Open voor;Buddypunt;Telefoon\n"
        "a;Café Zon;Café;4,4748;51,0262;40;ja;klanten;?;1\n"
        "b;;Speeltuin;4,4752;51,0266;;nee;iedereen;1;2\n",
    )
    places, findings = read(path)
    assert places.index.tolist() == ["own/a", "own/b"]
    assert places["kind"].tolist() == ["cafes", "playgrounds"]
    assert places["name"].tolist() == ["Café Zon", None]
    assert places["open_to"].tolist() == ["customers", "all"]
    assert places["supervised"].tolist() == ["yes", "no"]
    assert places["buddy_point"].tolist() == [None, "yes"]
    assert places["capacity"].iloc[0] == 40
    assert np.isnan(places["capacity"].iloc[1])
    assert places["source"].tolist() == ["clubs.csv"] * 2
    assert "2 places read; id from 'Nr', name from 'Naam'" in findings[-1].sentence
    assert findings[-1].sentence.endswith("not used: 'Telefoon'.")
    assert "Telefoon" not in "".join(places["tags"])


def test_one_kind_for_a_whole_list(tmp_path: Path) -> None:
    """FILE:kind, by key or title; a kind that is not known names the nearest."""
    path = write_list(tmp_path / "list.csv", "naam,lon,lat,type\nA,4.5,51,vzw\n")
    assert read(f"{path}:clubs").places["kind"].tolist() == ["clubs"]
    assert read(f"{path}:Bibliotheken").places["kind"].tolist() == ["libraries"]
    with pytest.raises(MissingError, match="there is no kind 'club house'; the nearest is 'clubs'"):
        read(f"{path}:club house")


def test_tags_of_the_map_tell_kinds(tmp_path: Path) -> None:
    """A list with amenity=bar, as map tools export it, needs no column of kinds; ids are counted through."""
    path = write_list(tmp_path / "bars.json", json.dumps(
        [{"name": n, "lat": 51.0, "lon": 4.5, "amenity": a} for n, a in (("A", "bar"), ("B", "pub"))]
    ))  # fmt: skip
    first, second = read_lists(
        [path, write_list(tmp_path / "c.csv", "naam,lon,lat,soort\nC,4.5,51,park\n")], UTM, CATALOGUE
    )
    assert first.places["kind"].tolist() == ["cafes", "cafes"]
    assert [*first.places.index, *second.places.index] == ["own/1", "own/2", "own/3"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "A,4.5,51,bibliotheekje,\nB,4.5,51,kapper,",
            "'kapper' in column 'soort' is no kind .row 3.; the nearest is",
        ),
        ("A,4.5,51,,\nB,4.5,51,park,", "column 'soort' is empty in row 2"),
        ("A,4.5,51,park,many", "column 'capaciteit' holds no number in row 2 .'many'."),
        ("A,4.5,51,park,-3", "column 'capaciteit' is negative in row 2"),
        ("A,4.5,51,park,1.500", "'1.500', which may be 1500 or 1.500"),
    ],
)
def test_faults_of_a_list_name_their_rows(rows: str, message: str, tmp_path: Path) -> None:
    """One sentence each, and all of them at once."""
    path = write_list(tmp_path / "list.csv", f"naam,lon,lat,soort,capaciteit\n{rows}\n")
    with pytest.raises(InputError, match=message):
        read(path)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Kind, capacity, id and audience: four faults, one message."""
    path = write_list(
        tmp_path / "list.csv",
        "id,lon,lat,soort,capaciteit,open voor\n1,4.5,51,kapper,x,katten\n1,4.5,51,park,3,all\n",
    )
    with pytest.raises(InputError, match="^4 faults:") as fault:
        read(path)
    assert "has the id '1' twice, in row 2 and row 3" in str(fault.value)
    assert "'katten' in column 'open voor' (row 2) does not say to whom" in str(fault.value)


def test_lists_that_share_an_id_are_refused(tmp_path: Path) -> None:
    """Two registers with the same number."""
    paths = [write_list(tmp_path / f"{n}.csv", "id,lon,lat,soort\n7,4.5,51,park\n") for n in "ab"]
    with pytest.raises(InputError, match="'a.csv' and 'b.csv' both have the id '7'"):
        read_lists(paths, UTM, CATALOGUE)


def test_a_list_without_kinds_is_asked_for_them(tmp_path: Path) -> None:
    """No column of kinds, no tags: the mend is named."""
    path = write_list(tmp_path / "list.csv", "naam,lon,lat\nA,4.5,51\n")
    with pytest.raises(
        InputError,
        match="what kind of place row 2 is. Add a column 'kind', or .*'list.csv:clubs'",
    ):
        read(path)


def test_long_open_areas_are_cut_as_the_map_s_are(tmp_path: Path) -> None:
    """A park of 900 m is three parts of one place, the capacity shared out."""
    frame = gpd.GeoDataFrame(
        {"naam": ["Long"], "capaciteit": [300]},
        geometry=[shapely.box(EAST, NORTH, EAST + 900, NORTH + 50)],
        crs=UTM,
    )
    frame.to_file(tmp_path / "parks.gpkg")
    places = read(f"{tmp_path / 'parks.gpkg'}:parks").places
    assert places.index.tolist() == ["own/1#1", "own/1#2", "own/1#3"]
    assert places["part_of"].tolist() == ["own/1"] * 3
    assert places["capacity"].tolist() == pytest.approx([100] * 3)


def test_the_same_place_is_one_and_the_register_wins(tmp_path: Path) -> None:
    """Alike within 25 m and of a kind: merged, with the list's id, name and capacity, the map's outline and tags."""
    square = shapely.box(EAST + 90, NORTH - 10, EAST + 110, NORTH + 10)
    map_places = osm(
        ("node/1", 0, 0, {"amenity": "cafe", "name": "Den Anker", "wheelchair": "yes"}),
        ("way/2", 0, 0, {"leisure": "playground"}),
        ("node/3", 300, 0, {"amenity": "cafe", "name": "Zon"}),
        ("node/4", 500, 0, {"amenity": "cafe", "name": "Maan"}),
        areas={"way/2": square},
    )
    mine = own(
        tmp_path / "own.csv",
        [
            ("Café Den Anker", "café", 10, 0),
            ("Speeltuin Noord", "speeltuin", 120, 0),
            ("Zon", "café", 330, 0),
            ("Ster", "café", 500, 5),
        ],
        capaciteit=[40, None, None, None],
    )
    result = merge_places(map_places, mine)
    assert sorted(result.places.index) == ["node/3", "node/4", "own/1", "own/2", "own/3", "own/4"]
    assert result.matches[["own_id", "osm_id", "distance_m"]].to_numpy().tolist() == [
        ["own/1", "node/1", 10.0],
        ["own/2", "way/2", 10.0],
    ]
    anker, playground = result.places.loc["own/1"], result.places.loc["own/2"]
    assert (anker["name"], anker["capacity"], anker["source"]) == ("Café Den Anker", 40, "own.csv")
    assert json.loads(anker["tags"]) == {"amenity": "cafe", "name": "Den Anker", "wheelchair": "yes"}
    assert anker.geometry.equals(shapely.Point(EAST + 10, NORTH))
    assert playground.geometry.equals(square)
    assert playground["open_to"] == "all"


def assert_same(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> None:
    """Equal to the bit, whatever the order of rows."""
    one, other = one.sort_index(), other.sort_index()
    shared = [c for c in one.columns if c in other.columns]
    pd.testing.assert_frame_equal(pd.DataFrame(one[shared]), pd.DataFrame(other[shared]))


def test_merging_is_undone_to_the_bit(tmp_path: Path) -> None:
    """Every match taken back, in any order, and also from a table that went through a project file's texts."""
    long_park = shapely.box(EAST, NORTH + 1000, EAST + 900, NORTH + 1040)
    map_places = osm(
        ("node/1", 0, 0, {"amenity": "cafe", "name": "Den Anker", "capacity": "33"}),
        ("way/2", 0, 0, {"leisure": "park", "name": "Long Park"}),
        ("node/3", 300, 0, {"amenity": "cafe", "name": "Zon"}),
        areas={"way/2": long_park},
    )
    mine = own(
        tmp_path / "own.csv",
        [("Anker", "café", 10, 0), ("long park", "park", 450, 1020)],
        capaciteit=[None, 90.1],
    )
    merged = merge_places(map_places, mine)
    assert set(merged.places.index) == {"own/1", "own/2#1", "own/2#2", "own/2#3", "node/3"}
    assert merged.places.loc["own/1", "capacity"] == 33
    assert merged.places.loc[["own/2#1", "own/2#2", "own/2#3"], "capacity"].sum() == pytest.approx(90.1)
    again = MergeResult(merged.places, merge_table(merged.places))
    pd.testing.assert_frame_equal(again.matches, merged.matches)
    for order in (("own/1", "own/2"), ("own/2", "own/1")):
        result = merged
        for own_id in order:
            result = unmerge(result, own_id)
        assert result.matches.empty
        assert_same(result.places.loc[map_places.index], map_places)
        assert_same(result.places.loc[mine.index], mine)
        assert len(result.places) == len(map_places) + len(mine)
    with pytest.raises(MissingError, match="'own/1' is not merged"):
        unmerge(result, "own/1")


def test_a_kind_the_map_names_second_is_the_same_place(tmp_path: Path) -> None:
    """A café that is a restaurant too, listed as a restaurant: one place, the list's kind first."""
    place = osm(("node/1", 0, 0, {"amenity": "cafe", "name": "Zon"})).assign(also="restaurants")
    result = merge_places(place, own(tmp_path / "own.csv", [("Zon", "restaurants", 3, 0)]))
    assert result.places[["kind", "also"]].to_numpy().tolist() == [["restaurants", "cafes"]]


def test_nearest_and_best_names_are_matched_once(tmp_path: Path) -> None:
    """Two nameless places near one of the list: the nearest; two of the list near one: equal names first."""
    places = osm(("node/1", 0, 0, {"amenity": "cafe"}), ("node/2", 8, 0, {"amenity": "cafe"}))
    near = merge_places(places, own(tmp_path / "own.csv", [("Noord", "café", 7, 0)]))
    assert near.matches["osm_id"].tolist() == ["node/2"]
    cafe = osm(("node/1", 0, 0, {"amenity": "cafe", "name": "Zon"}))
    named = merge_places(cafe, own(tmp_path / "own.csv", [(None, "café", 1, 0), ("Zon", "café", 20, 0)]))
    assert named.matches["own_id"].tolist() == ["own/2"]


def test_a_nameless_outline_beside_another_is_another_place(tmp_path: Path) -> None:
    """Two parks 20 m apart, one without a name: two; where they overlap: one."""
    for gap, matches in ((20.0, 0), (-1.0, 1)):
        mine = gpd.GeoDataFrame(
            {"naam": ["Park"]}, geometry=[shapely.box(EAST, NORTH, EAST + 50, NORTH + 50)], crs=UTM
        )
        mine.to_file(tmp_path / "parks.gpkg")
        theirs = shapely.box(EAST + 50 + gap, NORTH, EAST + 100 + gap, NORTH + 50)
        place = osm(("way/1", 0, 0, {"leisure": "park"}), areas={"way/1": theirs})
        assert len(merge_places(place, read(f"{tmp_path / 'parks.gpkg'}:parks").places).matches) == matches


def test_merging_with_nothing_changes_nothing(tmp_path: Path) -> None:
    """An empty map, and a list far away."""
    mine = own(tmp_path / "own.csv", [("A", "café", 0, 0)])
    nothing = osm(("node/1", 0, 0, {"amenity": "cafe"})).iloc[:0]
    assert merge_places(nothing, mine).places.index.tolist() == ["own/1"]
    far = osm(("node/1", 26, 0, {"amenity": "cafe", "name": "A"}))
    assert merge_places(far, mine).matches.empty


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_of_names_is_a_likeness(one: str, other: str) -> None:
    """Symmetric, 0 to 1, and 1 with itself where there is anything to compare."""
    assert 0 <= name_similarity(one, other) <= 1
    assert name_similarity(one, other) == pytest.approx(name_similarity(other, one), abs=0.35)
    assert name_similarity(one, one) in (0.0, 1.0)


HOMES = pd.DataFrame(
    {"origin:here": [80.0, 10], "origin:new": [20.0, 90], "core": [True, False]}, index=["a", "b"]
)


def test_counted_visitors_become_evidence() -> None:
    """Drawn as the town is composed: 1; all of the group that is a fifth: 5; blank stays blank."""
    places = gpd.GeoDataFrame(
        {"visitors:origin:here": [80.0, 0, np.nan, 2], "visitors:origin:new": [20.0, 50, np.nan, 1],
         "attractiveness": [1.0, 2.0, 1.0, 1.0]}, index=list("abcd")
    )  # fmt: skip
    result, findings = weigh_visitors(places, HOMES)
    assert result["attractiveness:origin:here"].to_numpy() == pytest.approx(
        [1, 0, np.nan, np.nan], nan_ok=True
    )
    assert result["attractiveness:origin:new"].to_numpy() == pytest.approx(
        [1, 10, np.nan, np.nan], nan_ok=True
    )
    assert not [c for c in result.columns if c.startswith("visitors")]
    assert findings[0].count == 2
    exact, _ = weigh_visitors(places, HOMES, exact=True)
    assert exact.loc["d", "attractiveness:origin:new"] == pytest.approx((1 / 3) / 0.2)


def test_visitors_of_unknown_groups_are_refused() -> None:
    """A group that the residents do not have, with those that they have; and none without counted residents."""
    places = gpd.GeoDataFrame({"visitors:origin:old": [1.0]}, index=["a"])
    with pytest.raises(
        InputError, match="counts a group that the residents do not have; they have origin:here"
    ):
        weigh_visitors(places, HOMES)
    result, findings = weigh_visitors(places, pd.DataFrame({"total": [1.0]}, index=["h"]))
    assert result.columns.tolist() == []
    assert "were left out" in findings[0].sentence


def test_no_count_of_visitors_survives_the_merge(tmp_path: Path) -> None:
    """What a merged row keeps for undoing holds no counted visitor either."""
    mine = own(
        tmp_path / "own.csv",
        [("Zon", "café", 3, 0)],
        **{"visitors:origin:here": [83], "visitors:origin:new": [21]},
    )
    places, findings = add_places(
        osm(("node/1", 0, 0, {"amenity": "cafe", "name": "Zon"})), [mine], HOMES, CATALOGUE
    )
    assert "visitors" not in places.to_csv()
    assert places["attractiveness:origin:here"].tolist() == pytest.approx([85 / 105 / 0.8])
    assert "own/1 Zon = node/1 Zon (3 m, names 100% alike)" in findings[-1].sentence
    assert add_places(mine, [], HOMES, CATALOGUE)[0] is mine


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
def test_real_lists(tmp_path: Path) -> None:
    """Mechelen's bars by hand against the map's of the same town: both read, some are the same."""
    near = (4.3, 50.9, 4.6, 51.1)
    mine = read(SHARED / "mechelen" / "bars.json", near=near).places
    theirs = read(f"{SHARED / 'mechelen' / 'osm_bars_2026-04-10.json'}:cafes", near=near).places
    theirs.index = pd.Index([i.removeprefix("own/") for i in theirs.index], name="place_id", dtype=object)
    assert set(mine["kind"]) == {"cafes", "restaurants"}
    places, findings = add_places(theirs, [mine], HOMES, CATALOGUE)
    assert len(places) == len(theirs) + len(mine)
    # Typed by hand from addresses: five of the same name, none within 25 m.
    assert [(f.code, f.count) for f in findings] == [("own_places_double", 5)]
    assert "Bar Popular (113 m from node/" in findings[0].sentence
