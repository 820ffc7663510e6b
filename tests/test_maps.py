"""The map's texts: the scene that stays, the paint that changes, the legend, and the passages on a click."""

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from toy_town import CRS, HOSTILE, toy_area, toy_assessment

from gisapp.cells import Cells
from gisapp.errors import InputError, MissingError
from gisapp.maps import score_map
from gisapp.maps.legend import legend_html
from gisapp.maps.page import cells_of
from gisapp.maps.paint import build_paint
from gisapp.maps.scene import build_scene, home_buildings, scene_name
from gisapp.measures import MEASURES, view_of
from gisapp.words import load_words

WORDS = load_words("en")
RESULT = toy_assessment()
CELLS: Cells = cells_of(RESULT)


def paint(measure: str, dimension: str | None = None, **options: object) -> dict:
    """Return the paint of a measure as a dictionary."""
    view = view_of(RESULT, measure, dimension=dimension)
    return json.loads(build_paint(RESULT, CELLS, view, WORDS, **options))


def test_the_scene_holds_every_row_in_the_order_of_its_table() -> None:
    """Squares, homes and places are as many as in the tables, and lie where they lie, to 0.1 m."""
    scene = json.loads(build_scene(RESULT, CELLS))
    assert scene["cell_ids"] == list(CELLS.frame.index)
    assert len(scene["cells"]) == len(CELLS.frame)
    assert len(scene["homes"]) == len(home_buildings(RESULT.area)) == 96
    assert scene["marks"]["ids"] == list(RESULT.places.index)
    expected = RESULT.area.places.to_crs(4326).geometry
    assert np.allclose(scene["marks"]["lat"], expected.y, atol=1e-6)
    assert np.allclose(scene["marks"]["lng"], expected.x, atol=1e-6)
    first = shapely.from_geojson(json.dumps(scene["cells"][0]))
    assert first.equals_exact(CELLS.frame.to_crs(4326).geometry.iloc[0].normalize(), 2e-6, normalize=True)


def test_the_same_town_makes_the_same_scene_and_another_town_another_name() -> None:
    """The base map must be byte-stable, and two towns must never share an address."""
    scene = build_scene(RESULT, CELLS)
    assert scene == build_scene(toy_assessment(), cells_of(toy_assessment()))
    area = toy_area()
    other = toy_assessment(area.with_(name="x", places=area.places.iloc[:-1]))
    assert scene_name(scene) != scene_name(build_scene(other, cells_of(other)))


def test_land_goes_on_beyond_the_frame_only_where_the_frame_cuts_it() -> None:
    """Land that ends on a straight frame in the west goes on westwards; the sea in the east stays sea."""
    area = toy_area()
    west, south, east, north = area.residents.total_bounds
    coast = [(west - 100, south - 100), (east, south - 100), (east + 150, north - 300), (east, north + 100)]
    land = gpd.GeoDataFrame(geometry=[shapely.Polygon([*coast, (west - 100, north + 100)])], crs=CRS)
    result = toy_assessment(area.with_(background={**area.background, "land": land}))
    drawn = shapely.from_geojson(json.dumps(json.loads(build_scene(result, cells_of(result)))["land"]))
    spots = gpd.GeoSeries.from_xy([west - 5_000, east + 5_000], [north - 200, north - 200], crs=CRS).to_crs(
        4326
    )
    assert shapely.contains(drawn, spots.to_numpy()).tolist() == [True, False]


@pytest.mark.parametrize("measure", MEASURES)
def test_paint_has_one_class_a_row(measure: str) -> None:
    """One character for each square, home and place, and a text for each square."""
    found = paint(measure)
    assert len(found["cells"]) == len(found["cell_texts"]) == len(CELLS.frame)
    assert len(found["homes"]) == 96
    assert len(found["marks"]) == len(RESULT.places)
    assert set(found["cells"]) <= set("-012345"[: len(found["colours"]) + 1])


def test_paint_tells_unknown_unreachable_and_nothing_apart() -> None:
    """A home of unknown access is hatched, one that reaches nothing has the last class, not the hatch."""
    result = toy_assessment()
    square = CELLS.of_home["h00"]
    inside = CELLS.of_home.index[CELLS.of_home == square]
    result.homes.loc[inside, "access"] = np.nan
    result.homes.loc[inside, "nearest_min:libraries"] = np.nan
    row = list(CELLS.frame.index).index(square)
    for measure, code, text in (("access", "-", "not known"), ("walk:libraries", "4", "none within 30 min")):
        found = json.loads(build_paint(result, CELLS, view_of(result, measure), WORDS))
        assert (found["cells"][row], found["cell_texts"][row]) == (code, text)


def test_only_chosen_kinds_are_shown() -> None:
    """The paint says for each kind in the scene whether it is drawn."""
    kinds = json.loads(build_scene(RESULT, CELLS))["marks"]["kinds"]
    assert paint("access", kinds=["cafes"])["shown"] == [kind == "cafes" for kind in kinds]
    assert paint("access")["shown"] == [True] * len(kinds)


def test_the_legend_says_the_limits_and_that_shares_are_of_residents() -> None:
    """Limits stand in words, the shares of all classes are there, and unknown has a row of its own if any."""
    text = legend_html(RESULT, CELLS, view_of(RESULT, "walk:libraries"), WORDS)
    for label in WORDS.several("measures.walk.classes"):
        assert label in text
    assert WORDS("legend.share") in text
    assert WORDS("legend.missing") not in text
    result = toy_assessment()
    result.homes["access"] = np.nan
    assert "over 95 %" in legend_html(result, CELLS, view_of(result, "access"), WORDS)


def test_a_saved_map_names_no_address_and_keeps_hostile_names_inside_their_strings() -> None:
    """Nothing is linked, no name closes the script, and invented residents are announced."""
    html = score_map(RESULT).get_root().render()
    for mark in ("<link", "<script src", "cdn.", "@import"):
        assert mark not in html
    assert HOSTILE not in html
    assert "</script><script>window.hacked" not in html
    assert "Residents are invented" in html


def test_score_map_refuses_what_it_cannot_draw() -> None:
    """Unknown measures and kinds, and tables without geometry, are plain errors."""
    with pytest.raises(MissingError, match="acces"):
        score_map(RESULT, "acces")
    with pytest.raises(InputError, match="pubs"):
        score_map(RESULT, kinds=["pubs"])
    with pytest.raises(InputError, match="geometry"):
        score_map(replace(RESULT, area=None))


def test_a_town_of_one_home_is_drawn_too() -> None:
    """One square, one class, nothing divided by nothing."""
    area = toy_area()
    result = toy_assessment(area.with_(residents=area.residents.iloc[[5]]))
    cells = cells_of(result)
    assert len(cells.frame) == 1
    assert (
        json.loads(build_paint(result, cells, view_of(result, "residents"), WORDS))["cells"] == "1"
    )  # 30 people
    assert isinstance(cells.of_home, pd.Series)
