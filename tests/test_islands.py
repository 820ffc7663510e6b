"""Which islands a place joins, and where a crossing would: by hand, and in agreement with the assessment."""

import numpy as np
import pandas as pd
import pytest

import gisapp as ga
from gisapp.errors import MissingError
from gisapp.islands import compositions, islands_joined, joined_islands, unlikeness


@pytest.fixture(scope="module")
def result() -> ga.Assessment:
    """The sample with every sixth home."""
    sample = ga.load_sample()
    return ga.assess(sample.with_(residents=sample.residents.iloc[::6]))


def two_islands() -> ga.Assessment:
    """Score.md's case 8, with a third home: zones of one group each, a square 5 minutes from both; one has its own."""
    homes = pd.DataFrame(
        {"origin:here": [100, 0, 30], "origin:elsewhere": [0, 100, 70], "zone_id": ["west", "east", "far"]},
        index=["a", "b", "c"],
    )
    squares = pd.DataFrame({"kind": "squares"}, index=["middle", "doorstep"])
    times = pd.DataFrame(
        {"home_id": ["a", "b", "c"], "place_id": ["middle", "middle", "doorstep"], "minutes": [5.0, 5.0, 0.0]}
    )
    return ga.assess_tables(homes, squares, times)


def test_a_place_between_two_islands_joins_them() -> None:
    """Half of the square's visitors come from each island, wholly unlike; the doorstep square joins nobody."""
    table = joined_islands(two_islands(), "middle")
    assert set(table.index) == {0, 1}
    assert table["visitors"].tolist() == pytest.approx([80, 80])
    assert table["share"].tolist() == pytest.approx([0.5, 0.5])
    assert table["residents"].tolist() == [100, 100]
    assert table["unlike"].tolist() == pytest.approx([1, 1])
    assert islands_joined(table) == pytest.approx(0.5)
    alone = joined_islands(two_islands(), "doorstep")
    assert alone["unlike"].isna().tolist() == [True]
    assert islands_joined(alone) == 0


def test_unlike_compositions() -> None:
    """Of 30 and 70 against 100 and 0, 70 of 100 would have to change; a composition is like itself."""
    table = unlikeness(compositions(two_islands(), "origin")).to_numpy()
    np.testing.assert_allclose(table, [[0, 1, 0.7], [1, 0, 0.3], [0.7, 0.3, 0]], atol=1e-12)


def test_joined_islands_sum_to_the_place_s_visitors(result: ga.Assessment) -> None:
    """For places of several kinds, neighbourhoods' visitors are the place's, and shares add up."""
    residents = compositions(result, "age")["residents"]
    assert residents.sum() == pytest.approx(result.area.residents["total"].sum())
    places = result.places[result.places["visitors"] > 0]
    for place in places.groupby("kind").head(1).index:
        table = joined_islands(result, place, "age")
        assert table["visitors"].sum() == pytest.approx(places.loc[place, "visitors"])
        assert table.filter(like="share:").sum(axis=1).dropna().to_numpy() == pytest.approx(1)
        assert table["visitors"].is_monotonic_decreasing
        assert 0 <= islands_joined(table) <= 1 - (table["share"] ** 2).sum() + 1e-12


def test_unknown_places_and_dimensions_are_told(result: ga.Assessment) -> None:
    """A place or dimension that is not there is a fault; one outside the choice has no rows."""
    with pytest.raises(MissingError, match="no place 'x'"):
        joined_islands(result, "x")
    with pytest.raises(MissingError, match="'faith': choose one of residence, age"):
        joined_islands(result, result.places.index[0], "faith")
    worship = result.places.index[result.places["kind"] == "worship"][0]
    assert joined_islands(result, worship).empty
