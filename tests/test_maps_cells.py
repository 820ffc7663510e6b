"""Squares, measures and what may be shown, against answers worked out by hand."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from toy_town import toy_area, toy_assessment

from gisapp.cells import build_cells, cell_means
from gisapp.errors import InputError, MissingError
from gisapp.measures import MEASURES, class_shares, home_values, view_of
from gisapp.words import load_words

WORDS = load_words("en")


def homes(points: list[tuple[float, float]], total: list[float], **more: object) -> gpd.GeoDataFrame:
    """Return homes h0, h1 ... at points in metres."""
    index = pd.Index([f"h{i}" for i in range(len(points))], name="home_id")
    shapes = [shapely.Point(p) for p in points]
    return gpd.GeoDataFrame({"total": total, **more}, index=index, geometry=shapes, crs=32632)


def test_a_square_holds_the_homes_from_its_lower_left_edge_on() -> None:
    """100 m belongs to the next square; squares without people are not made; negative metres work."""
    cells = build_cells(homes([(0, 0), (99.9, 99.9), (100, 0), (-1, 0), (250, 0)], [1, 2, 4, 8, 0]))
    assert cells.frame["residents"].to_dict() == {"E-1N0": 8, "E0N0": 3, "E1N0": 4}
    assert cells.frame.geometry["E1N0"].bounds == (100, 0, 200, 100)
    assert cells.of_home["h4"] is None or pd.isna(cells.of_home["h4"])


def test_only_the_core_is_drawn() -> None:
    """A home of the buffer gives no square."""
    cells = build_cells(homes([(0, 0), (500, 0)], [1, 1], core=[True, False]))
    assert list(cells.frame.index) == ["E0N0"]


def test_squares_end_at_the_land_but_people_on_a_pier_stay() -> None:
    """Half a square of land leaves half a square; a square without any land stays whole."""
    cells = build_cells(homes([(10, 10), (510, 10)], [1, 1]), land=shapely.box(-50, -50, 50, 300))
    assert cells.frame.geometry.area.to_dict() == {"E0N0": 5_000, "E5N0": 10_000}


def test_means_weigh_people_and_keep_unknown_and_unreachable_apart() -> None:
    """2 people at 4 and 1 at 10 make 6; unknown is left out; mostly unreachable is unreachable."""
    frame = homes([(1, 1), (2, 2), (3, 3), (101, 1), (102, 2), (201, 1)], [2, 1, 50, 3, 2, 9])
    values = pd.Series([4.0, 10.0, np.nan, np.inf, 6.0, np.nan], index=frame.index)
    means = cell_means(build_cells(frame), values, frame["total"])
    assert means[["E0N0", "E1N0"]].tolist() == [6.0, np.inf]
    assert np.isnan(means["E2N0"])


@pytest.mark.parametrize(
    ("measure", "values", "classes"),
    [
        ("access", [0, 12.4, 12.5, 25, 40, 69.9, 70, 100], [0, 0, 1, 2, 3, 3, 4, 4]),
        ("walk", [0, 5, 5.01, 10, 15, 15.1, 30, np.inf, np.nan], [0, 0, 1, 1, 2, 3, 3, 4, -1]),
        ("left_out", [0, 0.01, 0.25, 0.5, 0.75, 1], [0, 1, 2, 3, 4, 4]),
        ("mixed_place", [0, 0.2, 0.5, 0.99, 1], [0, 1, 2, 2, 3]),
        ("meets", [0.05, 0.1, 0.3, 0.5, 0.9], [0, 1, 3, 5, 5]),
    ],
)
def test_class_limits_are_those_of_the_legend(measure: str, values: list[float], classes: list[int]) -> None:
    """Each limit falls on the side that the legend's words say."""
    assert MEASURES[measure].classify(pd.Series(values)).tolist() == classes


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_has_a_word_and_a_colour_for_each_class(measure: str) -> None:
    """One label and one colour a class, all colours different."""
    found = MEASURES[measure]
    assert len(WORDS.several(f"measures.{measure}.classes")) == len(found.limits) + 1
    assert len(set(found.colours)) == len(found.limits) + 1


def test_legend_shares_are_of_residents() -> None:
    """Squares of 30 and 10 people at 80 and 20, 60 people unknown: 10 %, 30 % and 60 % unknown."""
    view = view_of(toy_assessment(), "access")
    shares, unknown = class_shares(view, pd.Series([80.0, 20.0, np.nan]), pd.Series([30.0, 10.0, 60.0]))
    assert shares == pytest.approx([0, 0.1, 0, 0, 0.3])
    assert unknown == pytest.approx(0.6)


def test_unreachable_homes_count_as_beyond_and_not_as_unknown() -> None:
    """A null nearest time means none within 30 minutes."""
    result = toy_assessment()
    result.homes.loc["h00", "nearest_min:libraries"] = np.nan
    values = home_values(result, view_of(result, "walk:libraries"))
    assert values["h00"] == np.inf
    assert values["h01"] == result.homes.loc["h01", "nearest_min:libraries"]


def test_who_one_could_meet_is_weighed_by_the_groups_of_the_home() -> None:
    """8 newcomers who meet 50 % others and 2 long-time residents who meet 100 %: 60 %."""
    area = toy_area()
    area.residents.loc["h00", ["residence:newcomer", "residence:long_time"]] = [8.0, 2.0]
    result = toy_assessment(area)
    result.homes.loc["h00", ["meets_others:residence:newcomer", "meets_others:residence:long_time"]] = [
        0.5,
        1.0,
    ]
    values = home_values(result, view_of(result, "meets", dimension="residence"))
    assert values["h00"] == pytest.approx(0.6)


def test_an_unknown_name_is_one_sentence_that_lists_the_known_ones() -> None:
    """Measure, kind and dimension are checked; nothing is silently replaced."""
    result = toy_assessment()
    for measure, dimension, known in (
        ("acces", None, "access, walk"),
        ("walk:pubs", None, "libraries, playgrounds"),
        ("meets", "income", "age, residence"),
    ):
        with pytest.raises(MissingError, match=known):
            view_of(result, measure, dimension=dimension)


def test_tables_without_geometry_are_refused() -> None:
    """An assessment made from bare tables has nothing to draw, and says so."""
    bare = replace(toy_assessment(), area=None)
    with pytest.raises(InputError, match="geometry"):
        home_values(bare, view_of(bare, "residents"))
