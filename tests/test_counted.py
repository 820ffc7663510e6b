"""Counted visitors beside the model: shares by hand, the fit good or bad, and no model tested by what it was told."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import gisapp as ga
from gisapp.counted import ENOUGH_PLACES, beside_counts, fit, fit_text
from gisapp.errors import InputError
from gisapp.words import LANGUAGES, load_words


def town(places: int) -> ga.Assessment:
    """As many homes as clubs, each club at the door of one home only; the share of young people rises from home to
    home."""
    young = np.arange(places) + 1.0
    homes = pd.DataFrame(
        {"age:young": young, "age:old": 2.0 * places - young}, index=[f"h{n:02}" for n in range(places)]
    )
    clubs = pd.DataFrame({"kind": "clubs"}, index=[f"p{n:02}" for n in range(places)])
    times = pd.DataFrame({"home_id": homes.index, "place_id": clubs.index, "minutes": 0.0})
    return ga.assess_tables(homes, clubs, times)


def counts_like(result: ga.Assessment) -> pd.DataFrame:
    """Counts that the model has exactly right, five times over."""
    return 5 * result.places[["visitors", "visitors:age:young", "visitors:age:old"]]


def test_a_place_shows_the_model_beside_the_count() -> None:
    """Two clubs of 4 people, 1 and 2 of them young; counted are 30 and 10 visitors, half of the first ones young."""
    counts = pd.DataFrame(
        {"visitors": [30, 10], "visitors:age:young": [15.0, np.nan], "visitors:age:old": [15.0, np.nan]},
        index=["p00", "p01"],
    )
    table = beside_counts(town(2), counts).set_index(["place_id", "dimension", "group"])
    assert table.loc[("p00", "all", "all"), ["counted", "model", "even"]].tolist() == pytest.approx(
        [0.75, 0.5, 0.5]
    )
    assert table.loc[("p00", "age", "young"), ["counted", "model", "even"]].tolist() == pytest.approx(
        [0.5, 0.25, 0.375]
    )
    assert ("p01", "age", "young") not in table.index


def test_the_fit_is_told_from_twenty_places_on() -> None:
    """A model that is right has rank 1 and difference 0; 19 places are too few for either, and it is said so."""
    right, few = (town(n) for n in (ENOUGH_PLACES, ENOUGH_PLACES - 1))
    table = fit(beside_counts(right, counts_like(right))).set_index("group")
    assert table["enough"].all()
    assert table.loc[["young", "old"], "spearman"].tolist() == pytest.approx([1, 1])
    assert table["mean_abs_difference"].tolist() == pytest.approx([0, 0, 0])
    assert np.isnan(table.loc["all", "spearman"])  # all clubs have as many visitors
    assert (table.loc[["young", "old"], "mean_abs_difference_even"] > 0.1).all()
    table = fit(beside_counts(few, counts_like(few)))
    assert not table["enough"].any()
    assert table[["spearman", "mean_abs_difference", "mean_abs_difference_even"]].isna().all(axis=None)
    for language in LANGUAGES:
        words = load_words(language)
        assert "19" in fit_text(table.iloc[0], few, words)
        assert "20" in fit_text(fit(beside_counts(right, counts_like(right))).iloc[1], right, words)


def test_a_bad_fit_is_told_as_bad() -> None:
    """Counts in the reverse order have rank -1, and the model is further off than who knows nothing."""
    result = town(30)
    counts = counts_like(result)
    counts[:] = counts.to_numpy()[::-1]
    row = fit(beside_counts(result, counts)).set_index("group").loc["young"]
    assert row["spearman"] == pytest.approx(-1)
    assert row["mean_abs_difference"] > row["mean_abs_difference_even"]


def test_the_rank_correlation_is_scipy_s() -> None:
    """On random shares with ties the fit's rank correlation and mean difference are those of scipy and numpy."""
    rng = np.random.default_rng(3)
    counted, model = np.round(rng.random((2, 40)), 1)
    row = fit(pd.DataFrame(
        {"kind": "parks", "dimension": "age", "group": "old", "counted": counted, "model": model, "even": 0.5}
    )).iloc[0]  # fmt: skip
    assert row["spearman"] == pytest.approx(spearmanr(counted, model).statistic)
    assert row["mean_abs_difference"] == pytest.approx(np.abs(counted - model).mean())


def test_a_model_is_not_tested_by_what_it_was_told() -> None:
    """Evidence on a place's visitors changes its visitors, and not the model beside the counts."""
    area = ga.load_sample()
    area = area.with_(residents=area.residents.iloc[::20])
    plain = ga.assess(area)
    park = plain.places.index[plain.places["kind"] == "parks"][0]
    whole = str(plain.places.loc[park, "part_of"] or park)
    told_places = area.places.assign(**{"attractiveness:age:65_plus": np.nan})
    told_places.loc[park, "attractiveness:age:65_plus"] = 5.0
    told = ga.assess(area.with_(places=told_places), plain.params)
    column = "visitors:age:65_plus"
    assert told.places.loc[park, column] > 1.01 * plain.places.loc[park, column]
    counts = pd.DataFrame({column: [10], "visitors:age:0_14": [10]}, index=[whole])
    one, other = (beside_counts(each, counts)["model"] for each in (plain, told))
    pd.testing.assert_series_equal(one, other)
    homes = pd.DataFrame({"age:young": [1], "age:old": [1]}, index=["h"])
    clubs = pd.DataFrame({"kind": "clubs", "attractiveness:age:old": [2.0]}, index=["p"])
    times = pd.DataFrame({"home_id": ["h"], "place_id": ["p"], "minutes": [1.0]})
    with pytest.raises(InputError, match="not tested by what it was told"):
        beside_counts(ga.assess_tables(homes, clubs, times), pd.DataFrame({"visitors": [1]}, index=["p"]))


def test_faults_of_counts_come_in_one_message() -> None:
    """Unknown places, places twice, unknown columns and numbers that are no counts are all told."""
    counts = pd.DataFrame({"visitors": [-1, 2, 3], "visitors:age:lost": 1}, index=["p00", "p00", "nowhere"])
    with pytest.raises(InputError) as fault:
        beside_counts(town(2), counts)
    for said in (
        "not unique",
        "no place 'nowhere'",
        "'visitors:age:lost' is not known",
        "'visitors' holds numbers",
    ):
        assert said in str(fault.value)
