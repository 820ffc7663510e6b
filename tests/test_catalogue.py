"""The layer files as they are bundled, the faults a broken one is refused for, and tags matched to kinds."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from gisapp.catalogue import LANGUAGES, Matcher, load_catalogue, osm_keys
from gisapp.errors import CatalogueError, MissingError

CATALOGUE = load_catalogue()
KINDS = {spec.key: spec for spec in CATALOGUE}
MATCHER = Matcher(CATALOGUE)

GOOD = """
key = "playgrounds"
title = { en = "Playgrounds", nl = "Speeltuinen", fr = "Aires de jeux" }
why = "Carers of young children meet here daily"
[osm]
any_of = { leisure = ["playground"] }
none_of = { access = ["private", "no"] }
open_to = "all"
users = ["age:0_14"]
norm_min = 6
[reach]
entry = "boundary"
merge_within_m = 50
[style]
colour = "#c2542d"
icon = "child"
[source]
licence = "ODbL-1.0"
"""


def faults_of(folder: Path, text: str, name: str = "mine.toml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(folder)
    return str(caught.value)


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.key)
def test_bundled_layer_is_complete(spec):
    """Each bundled layer speaks three languages, names its norm's source and refuses private places."""
    for texts in (spec.title, spec.why):
        assert set(texts) == set(LANGUAGES)
        assert len(set(texts.values())) > 1 or spec.key in ("restaurants", "culture")
    assert spec.norm_source
    assert spec.order > 0
    assert {"private", "no"} <= set(spec.none_of["access"])
    assert spec.access_only == (spec.open_to in ("members", "faith"))


def test_bundled_norms_and_openness():
    """Norms and openness are those of the score's definition."""
    norms = {
        "playgrounds": 6,
        "parks": 6,
        "community_centres": 10,
        "schools": 10,
        "libraries": 15,
        "sports": 15,
    }
    assert {key: KINDS[key].norm_min for key in norms} == norms
    assert KINDS["worship"].open_to == "faith"
    assert KINDS["clubs"].open_to == "members"
    assert KINDS["playgrounds"].users == ("age:0_14",)
    assert KINDS["libraries"].enough
    assert [spec.order for spec in CATALOGUE] == sorted({spec.order for spec in CATALOGUE})


# Linear RGB as seen with normal vision, without red cones, without green cones (Vienot et al. 1999).
VISIONS = (
    np.eye(3),
    np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
)


def test_colours_differ_for_colour_blind_readers():
    """No two kinds look alike, with normal vision or without red or green cones, and none fades on white."""

    def lab(rgb: np.ndarray) -> np.ndarray:
        xyz = rgb @ np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).T
        f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    rgb = {}
    for spec in CATALOGUE:
        value = np.array([int(spec.colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        rgb[spec.key] = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        assert 1.05 / (rgb[spec.key] @ [0.2126, 0.7152, 0.0722] + 0.05) > 2, spec.key
    for one, other in combinations(rgb, 2):
        for vision in VISIONS:
            seen = [lab(np.clip(vision @ rgb[key], 0, 1)) for key in (one, other)]
            assert np.linalg.norm(seen[0] - seen[1]) > 12, (one, other)


@pytest.mark.parametrize(
    ("tags", "kinds"),
    [
        ({"leisure": "playground"}, ["playgrounds"]),
        ({"leisure": "playground", "access": "private"}, []),
        ({"leisure": "playground", "access": "customers"}, []),
        ({"leisure": "park", "access": "yes;no"}, []),
        ({"leisure": "garden"}, []),
        ({"leisure": "garden", "name": "Rosarium"}, ["parks"]),
        ({"leisure": "garden", "name": "Villa", "access": "private"}, []),
        ({"leisure": "garden", "name": "Villa", "garden:type": "private"}, []),
        ({"leisure": "garden", "garden:type": "community", "name": "Pluktuin"}, ["gardens", "parks"]),
        ({"leisure": "swimming_pool"}, []),
        ({"leisure": "swimming_pool", "access": "yes"}, ["sports"]),
        ({"leisure": "track", "sport": "motor"}, []),
        ({"leisure": "sports_centre", "club": "sport"}, ["clubs", "sports"]),
        ({"club": "no", "amenity": "pub"}, ["cafes"]),
        ({"highway": "pedestrian", "name": "Rue Basse"}, []),
        ({"highway": "pedestrian", "area": "yes", "name": "Grand-Place"}, ["squares"]),
        ({"amenity": "cafe", "shop": "newsagent; bakery"}, ["cafes", "shops"]),
        ({"shop": "hairdresser"}, []),
        ({"amenity": "place_of_worship"}, ["worship"]),
        ({"amenity": "community_centre", "disused": "yes"}, []),
        ({}, []),
    ],
)
def test_kinds_of_tags(tags, kinds):
    """Access and the first kind in catalogue order decide, whatever the order of the tags."""
    assert MATCHER.kinds(tags) == kinds
    assert MATCHER.kinds(dict(reversed(tags.items()))) == kinds
    assert [spec.key for spec in CATALOGUE if spec.fits(tags)] == kinds
    assert MATCHER.wanted(tags) or not kinds


def test_openness_of_one_place():
    """A place's own tags can narrow or widen its layer's openness."""
    assert KINDS["sports"].open_to_of({"leisure": "pitch"}) == "all"
    assert KINDS["sports"].open_to_of({"leisure": "pitch", "access": "members"}) == "members"
    assert KINDS["sports"].open_to_of({"leisure": "fitness_centre"}) == "customers"
    assert KINDS["gardens"].open_to_of({"landuse": "allotments"}) == "members"
    assert KINDS["gardens"].open_to_of({"landuse": "allotments", "garden:type": "community"}) == "all"


def test_reader_keys_find_every_place():
    """Each kind's objects carry a key that readers filter by, and qualifiers alone are not among the keys."""
    keys = osm_keys(CATALOGUE)
    for spec in CATALOGUE:
        assert set(spec.any_of) <= keys
        assert all(set(table) & keys for table in (*spec.all_of, *spec.none_within))
    assert not keys & {"access", "name", "area", "type"}


def test_reads_a_plain_layer_file(tmp_path):
    """A layer file without an order, with keys below [osm] and one text for the reason, is read as meant."""
    (tmp_path / "playgrounds.toml").write_text(GOOD, encoding="utf-8")
    (spec,) = load_catalogue(tmp_path)
    assert (spec.norm_min, spec.users, spec.open_to) == (6.0, ("age:0_14",), "all")
    assert spec.why["fr"] == "Carers of young children meet here daily"
    assert load_catalogue(tmp_path / "playgrounds.toml") == (spec,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("colour =", "color =", ("[style]", "'color'", "'colour'")),
        ("norm_min =", "norm_mins =", ("'norm_mins'", "nearest known one is ")),
        ("[style]", "[styles]", ("'styles'", "'style'")),
        ("key = ", "keys = ", ("'keys'", "'key'")),
        ('"playgrounds"', '"all"', ("'all' is reserved",)),
        ('"playgrounds"', '"play:ground"', ("key", "play:ground")),
        ('nl = "Speeltuinen", ', "", ("title.nl", "missing")),
        ('nl = "Speeltuinen"', "nl = 3", ("title.nl",)),
        ("#c2542d", "brown", ("colour", "'brown'", "#c2542d")),
        ("norm_min = 6", "norm_min = 0", ("norm_min", "above 0")),
        ("norm_min = 6", "norm_min = nan", ("norm_min", "above 0")),
        ("norm_min = 6", 'norm_min = "6"', ("norm_min", "'6'")),
        ("merge_within_m = 50", "merge_within_m = -1", ("merge_within_m", "-1")),
        ("merge_within_m = 50", "merge_within_m = true", ("merge_within_m", "True")),
        ('"boundary"', '"edge"', ("entry", "'edge'", "point, entrance, boundary")),
        ('open_to = "all"', 'open_to = "everyone"', ("open_to", "members")),
        ('["playground"]', '"playground"', ("[osm]", "any_of.leisure", "list")),
        ('["age:0_14"]', '["children"]', ("users", "dimension:group")),
        ('any_of = { leisure = ["playground"] }', "", ("any_of", "missing")),
        (
            'any_of = { leisure = ["playground"] }',
            'all_of = [{ name = ["*"] }]',
            ("all_of", "what the object is"),
        ),
        ('[source]\nlicence = "ODbL-1.0"', "", None),
        ("[reach]", "[reach", ("TOML", "mine.toml")),
        ("key =", "order = 0\nkey =", ("order", "above 0")),
    ],
)
def test_refuses_a_broken_layer(tmp_path, old, new, said):
    """A fault names the file, the place, the value and what would do."""
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if said is None:
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        assert load_catalogue(tmp_path)[0].licence == "ODbL-1.0"
        return
    message = faults_of(tmp_path, text)
    for words in ("mine.toml", *said):
        assert words in message


def test_all_faults_of_all_files_at_once(tmp_path):
    """One error lists what is wrong in every file, kinds and orders taken twice included."""
    (tmp_path / "a.toml").write_text("order = 1\n" + GOOD, encoding="utf-8")
    (tmp_path / "b.toml").write_text("order = 1\n" + GOOD, encoding="utf-8")
    (tmp_path / "c.toml").write_bytes(b'key = "\xff"')
    message = faults_of(tmp_path, GOOD.replace("icon", "ikon").replace("= 6", "= -6"))
    assert message.startswith("5 faults:")
    for words in (
        "b.toml: key 'playgrounds' is taken by a.toml",
        "b.toml: order 1 is taken by a.toml",
        "c.toml: is not UTF-8",
        "mine.toml [style]: unknown key 'ikon'; the nearest known one is 'icon'",
        "mine.toml: norm_min: -6",
    ):
        assert words in message


def test_says_when_there_is_nothing_to_read(tmp_path):
    """An empty or absent folder is named."""
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(MissingError, match="No layer file in"):
            load_catalogue(folder)
