"""Places out of mapped features: what is one place, what is none, what is cut; row order never matters."""

import json
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisapp.catalogue import load_catalogue
from gisapp.errors import CRSError, InputError
from gisapp.places import build_places, clean_text, fold_name
from gisapp.shapes import cut_long, mend

CATALOGUE = load_catalogue()
CRS = "EPSG:3035"


def features(*rows, **columns):
    """Make a frame of (id, geometry as WKT or shape, tags) rows."""
    shapes = [shapely.from_wkt(row[1]) if isinstance(row[1], str) else row[1] for row in rows]
    tags = pd.Series([row[2] for row in rows], dtype=object)
    return gpd.GeoDataFrame({"tags": tags, **columns}, geometry=shapes, crs=CRS).set_axis(
        [r[0] for r in rows]
    )


def places_of(*rows, **columns):
    return build_places(features(*rows, **columns), CATALOGUE)[0]


def ids(places):
    return list(places.index)


def box(x, y, width=10.0, height=10.0):
    return shapely.box(x, y, x + width, y + height)


PLAY = {"leisure": "playground"}
CAFE = {"amenity": "cafe"}
LIBRARY = {"amenity": "library"}


def test_one_row_a_place_in_id_order():
    """A place is named, open and counted as its tags say; the first kind wins, the others are kept."""
    places = places_of(
        ("way/2", box(0, 0), {**PLAY, "capacity": "30", "supervised": "yes"}),
        ("node/10", "POINT (500 0)", {**CAFE, "shop": "bakery", "name": "Zon"}),
        ("node/9", "POINT (900 0)", {"amenity": "place_of_worship", "capacity": "many"}),
        ("node/8", "POINT (950 0)", {"amenity": "bench"}),
    )
    assert ids(places) == ["node/9", "node/10", "way/2"]
    assert places.index.name == "place_id"
    assert list(places["kind"]) == ["worship", "cafes", "playgrounds"]
    assert list(places["also"]) == ["", "shops", ""]
    assert list(places["open_to"]) == ["faith", "customers", "all"]
    assert math.isnan(places["capacity"].iloc[0])
    assert places["capacity"].iloc[2] == 30
    assert places["name"].isna().tolist() == [True, False, True]
    assert places["supervised"].iloc[2] == "yes"
    assert places[["programme", "part_of"]].isna().all(axis=None)
    assert places["core"].all()
    assert set(places["source"]) == {"OpenStreetMap"}
    assert json.loads(places["tags"].iloc[1]) == {"amenity": "cafe", "name": "Zon", "shop": "bakery"}
    assert places.crs == CRS


@pytest.mark.parametrize(
    ("point", "point_name", "area_name", "one"),
    [
        ("POINT (5 5)", "Zuid", "Zuid", True),
        ("POINT (5 5)", "Zuid", None, True),
        ("POINT (5 5)", None, "Zuid", True),
        ("POINT (35 5)", "BIB, ZUID", "Bíb Zuid", True),
        ("POINT (35.1 5)", "Zuid", "Zuid", False),
        ("POINT (5 5)", "Zuid", "Noord", False),
    ],
)
def test_node_and_area_of_one_place(point, point_name, area_name, one):
    """A point in or within 25 m of an area of its kind is that place, unless the names differ."""
    places = places_of(
        (
            "node/1",
            point,
            {**LIBRARY, "opening_hours": "24/7", **({"name": point_name} if point_name else {})},
        ),
        ("way/1", box(0, 0), {**LIBRARY, **({"name": area_name} if area_name else {})}),
    )
    assert ids(places) == (["way/1"] if one else ["node/1", "way/1"])
    if one:
        assert places.loc["way/1", "name"] == (area_name or point_name)
        assert places.loc["way/1", "geometry"].equals(box(0, 0))
        assert json.loads(places.loc["way/1", "tags"])["opening_hours"] == "24/7"


def test_other_kinds_stay():
    """A playground in a park, and a café in a library, are places of their own."""
    park = ("way/1", box(0, 0, 100, 100), {"leisure": "park"})
    assert ids(places_of(park, ("way/2", box(10, 10), PLAY))) == ["way/1", "way/2"]


def test_pitches_of_a_sports_centre_are_one_place():
    """Pitches inside a sports centre belong to it; courts side by side are one ground, jointly outlined."""
    centre = ("way/9", box(0, 0, 200, 100), {"leisure": "sports_centre", "name": "De Bres"})
    pitches = [("way/1", box(10, 10), {"leisure": "pitch"}), ("way/2", box(150, 10), {"leisure": "pitch"})]
    places = places_of(centre, *pitches)
    assert ids(places) == ["way/9"]
    assert places.loc["way/9", "geometry"].area == 20000
    courts = places_of(
        ("way/1", box(0, 0), {"leisure": "pitch"}), ("way/2", box(15, 0, 20), {"leisure": "pitch"})
    )
    assert ids(courts) == ["way/2"]
    assert courts.loc["way/2", "geometry"].area == 300


def test_two_names_never_merge_through_a_nameless_third():
    """The nameless one in the middle goes to the nearer; the two named ones stay two."""
    west = ("way/1", box(0, 0), {**PLAY, "name": "West"})
    middle = ("way/2", box(30, 0), PLAY)
    east = ("way/3", box(55, 0, 20), {**PLAY, "name": "East"})
    places = places_of(west, middle, east)
    assert ids(places) == ["way/1", "way/3"]
    assert places.loc["way/3", "geometry"].area == 300
    assert list(places["name"]) == ["West", "East"]


def test_a_point_joins_two_nameless_areas_no_more_than_one():
    """A named point between two nameless restaurants is the nearer one; the other stays."""
    food = {"amenity": "restaurant"}
    places = places_of(
        ("way/1", box(0, 0), food),
        ("node/1", "POINT (12 5)", {**food, "name": "Bon"}),
        ("way/2", box(20, 0), food),
    )
    assert ids(places) == ["way/1", "way/2"]
    assert places.loc["way/1", "name"] == "Bon"
    assert pd.isna(places.loc["way/2", "name"])


def test_shops_next_door_stay_two():
    """Two shops next door are two, whether the map knows their names or not."""
    baker, butcher = {"shop": "bakery"}, {"shop": "butcher"}
    for one, other in ((baker, butcher), ({**baker, "name": "A"}, {**butcher, "name": "B"})):
        assert len(places_of(("node/1", "POINT (0 0)", one), ("node/2", "POINT (3 0)", other))) == 2


def test_merging_distance_is_exclusive():
    """Playgrounds merge closer than 50 m, not at 50 m."""
    for gap, n in ((49.9, 1), (50.0, 2)):
        assert len(places_of(("node/1", "POINT (0 0)", PLAY), ("node/2", f"POINT ({gap} 0)", PLAY))) == n


@pytest.mark.parametrize(
    ("tags", "ground", "counts"),
    [
        ({"leisure": "pitch"}, {"amenity": "school"}, False),
        ({"leisure": "pitch", "access": "yes"}, {"amenity": "school"}, True),
        ({"leisure": "pitch"}, {"leisure": "park"}, True),
        (PLAY, {"tourism": "hotel"}, False),
        (PLAY, {"leisure": "garden", "access": "private"}, False),
        (PLAY, {"leisure": "garden"}, True),
    ],
)
def test_closed_ground(tags, ground, counts):
    """A pitch or playground on closed ground does not count, unless its own access tag says so."""
    frame = features(("node/1", "POINT (50 50)", tags), ("way/1", box(0, 0, 100, 100), ground))
    places, findings = build_places(frame, CATALOGUE)
    assert ("node/1" in places.index) == counts
    assert any(f.code == "places_closed" for f in findings) != counts


def test_long_open_places_are_cut():
    """A 1,000 m park becomes three parts from west to east; a school as long is left whole."""
    turned = shapely.affinity.rotate(box(0, 0, 1000, 60), 30)
    park = places_of(("way/1", turned, {"leisure": "park", "name": "Lint", "capacity": "300"}))
    assert ids(park) == ["way/1#1", "way/1#2", "way/1#3"]
    assert set(park["part_of"]) == {"way/1"}
    assert park.geometry.centroid.x.is_monotonic_increasing
    assert park.area.to_numpy() == pytest.approx([20000] * 3)
    assert park["capacity"].to_numpy() == pytest.approx([100] * 3)
    assert set(park["name"]) == {"Lint"}
    assert ids(places_of(("way/1", box(0, 0, 399.9, 60), {"leisure": "park"}))) == ["way/1"]
    assert ids(places_of(("way/1", turned, {"amenity": "school"}))) == ["way/1"]


@given(
    st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 2500)), min_size=3, max_size=12, unique=True),
    st.floats(0, 360),
)
@settings(max_examples=60, deadline=None)
def test_cutting_keeps_all_the_ground(corners, angle):
    """Parts cover the whole, do not overlap, and none is longer than 400 m."""
    whole = shapely.affinity.rotate(shapely.concave_hull(shapely.MultiPoint(corners), ratio=0.5), angle)
    if shapely.get_dimensions(whole) != 2 or whole.area < 100:
        return
    parts = list(cut_long(whole, 400))
    assert sum(part.area for part in parts) == pytest.approx(whole.area, rel=1e-6)
    assert shapely.union_all(parts, grid_size=1e-6).area == pytest.approx(whole.area, rel=1e-6)
    for part in parts:
        sides = np.diff(shapely.get_coordinates(shapely.oriented_envelope(part)), axis=0)
        assert np.hypot(*sides.T).max() <= 400.001


def test_broken_and_empty_geometry_is_counted():
    """A bow-tie is mended, an empty polygon dropped, and both are said."""
    frame = features(
        ("way/1", "POLYGON ((0 0, 40 40, 40 0, 0 40, 0 0))", PLAY),
        ("way/2", "POLYGON EMPTY", PLAY),
        ("way/3", None, CAFE),
        ("node/1", shapely.Point(math.inf, 0), CAFE),
    )
    places, findings = build_places(frame, CATALOGUE)
    assert ids(places) == ["way/1"]
    assert places.geometry.is_valid.all()
    assert places.area.iloc[0] == 800
    said = {f.code: f for f in findings}
    assert said["places_mended"].count == 1
    assert said["places_dropped"].count == 3
    assert said["places:playgrounds"].sentence == "Playgrounds: 1 place found."
    assert said["places:libraries"].level == "note"


def test_mending_keeps_the_area_only():
    """Of a mended outline with a spike, the area stays and the spike goes."""
    shapes, mended = mend(
        np.array([shapely.from_wkt("POLYGON ((0 0, 4 0, 4 4, 8 4, 4 4, 0 4, 0 0))")], dtype=object)
    )
    assert mended.all()
    assert shapes[0].geom_type == "Polygon"
    assert shapes[0].area == 16


def test_hostile_names_stay_data():
    """Control and direction characters go, markup stays text, and a novel is cut."""
    assert clean_text("a\x00b\x1b[31m\u202ec\ufeff\n\td") == "ab[31mc d"
    assert clean_text("<script>alert(1)</script>") == "<script>alert(1)</script>"
    assert clean_text("x" * 5000) == "x" * 119 + "…"
    assert clean_text("نمی\u200cدانم") == "نمی\u200cدانم"
    places = places_of(("node/1", "POINT (0 0)", {**CAFE, "name": "\x07\u202e", "note": "n\x00" * 500}))
    assert places["name"].isna().all()
    assert len(json.loads(places["tags"].iloc[0])["note"]) == 255


def test_names_are_compared_folded():
    """Case, accents, punctuation and spaces do not make another name; another script's marks do."""
    assert fold_name("Plaza de la Música") == fold_name("PLAZA DE LA MUSICA")
    assert fold_name("L'Été") == fold_name("L\u2019ete")
    assert fold_name("か") != fold_name("が")
    assert fold_name("...") == ""


def test_own_columns_pass_through():
    """What a planner's list says of a place is kept untouched."""
    places = places_of(("own/1", "POINT (0 0)", CAFE), programme=["chess on Mondays"], supervised=["no"])
    assert places.loc["own/1", "programme"] == "chess on Mondays"
    assert places.loc["own/1", "supervised"] == "no"


def test_refuses_what_it_cannot_place():
    """Degrees, no CRS, double ids and tags that are no dict are refused, naming the fault."""
    frame = features(("node/1", "POINT (0 0)", CAFE), ("node/2", "POINT (9 9)", CAFE))
    with pytest.raises(CRSError, match="not projected in metres"):
        build_places(frame.to_crs(4326), CATALOGUE)
    with pytest.raises(CRSError, match="no coordinate system"):
        build_places(frame.set_crs(None, allow_override=True), CATALOGUE)
    twice = frame.set_axis(["node/1", "node/1"])
    twice["tags"] = "amenity=cafe"
    with pytest.raises(InputError, match=r"(?s)2 faults.*not unique.*not a dict"):
        build_places(twice, CATALOGUE)


def test_nothing_in_nothing_out():
    """No features make an empty table with all columns, and one finding a kind."""
    frame = features(("node/1", "POINT (0 0)", CAFE)).iloc[:0]
    places, findings = build_places(frame, CATALOGUE)
    assert len(places) == 0
    assert {"kind", "name", "part_of", "core", "geometry"} <= set(places.columns)
    assert [f.count for f in findings] == [0.0] * len(CATALOGUE)


_TAGS = st.sampled_from(
    [
        PLAY,
        CAFE,
        {"leisure": "park"},
        {"leisure": "pitch"},
        {"amenity": "school"},
        {"leisure": "sports_centre"},
    ]
)
_FEATURE = st.tuples(
    st.integers(0, 12), st.integers(0, 12), st.integers(0, 60), _TAGS, st.sampled_from([None, "A", "a.", "B"])
)


@given(st.lists(_FEATURE, max_size=14), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_row_order_never_matters(drawn, random):
    """Shuffled features give the same table, no name is lost, and the argument is untouched."""
    rows = []
    for n, (x, y, size, tags, name) in enumerate(drawn):
        shape = box(10 * x, 10 * y, size, size) if size else shapely.Point(10 * x, 10 * y)
        rows.append((f"{'way' if size else 'node'}/{n}", shape, {**tags, **({"name": name} if name else {})}))
    if not rows:
        return
    shuffled = rows.copy()
    random.shuffle(shuffled)
    before = features(*rows)
    frame = before.copy()
    places, findings = build_places(frame, CATALOGUE)
    pd.testing.assert_frame_equal(frame, before)
    other, same = build_places(features(*shuffled), CATALOGUE)
    pd.testing.assert_frame_equal(places.drop(columns="geometry"), other.drop(columns="geometry"))
    assert shapely.equals(places.geometry.to_numpy(), other.geometry.to_numpy()).all()
    assert findings == same
    # Only closed ground (a school's) takes a named place away.
    if not any("amenity" in tags and tags["amenity"] == "school" for _, _, tags in rows):
        assert {fold_name(tags["name"]) for _, _, tags in rows if "name" in tags} == {
            fold_name(name) for name in places["name"].dropna()
        }
