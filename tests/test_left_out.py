"""Who is left out: people by hand, sums that add up, and agreement with the tables of the assessment."""

import numpy as np
import pandas as pd
import pytest
import shapely

import gisapp as ga
from gisapp.errors import MissingError
from gisapp.left_out import gaps, homes_left_out, left_out, lorenz_curve, neighbourhood_gaps, neighbourhood_of


@pytest.fixture(scope="module")
def result() -> ga.Assessment:
    """The sample with every fourth home, the last fifth outside the core, and one neighbourhood left out."""
    sample = ga.load_sample()
    residents = sample.residents.iloc[::4].copy()
    residents.iloc[200:, residents.columns.get_loc("core")] = False
    return ga.assess(sample.with_(residents=residents, neighbourhoods=sample.neighbourhoods.iloc[1:]))


def small() -> ga.Assessment:
    """Three homes and one outside the core; a library (norm 15) 10, 20 and 40 minutes away."""
    homes = pd.DataFrame(
        {"age:young": [10, 0, 5, 99], "age:old": [10, 20, 5, 99], "core": [True, True, True, False]},
        index=list("abcx"),
    )
    library = pd.DataFrame({"kind": ["libraries"]}, index=["L"])
    times = pd.DataFrame({"home_id": list("abc"), "place_id": "L", "minutes": [10.0, 20.0, 40.0]})
    return ga.assess_tables(
        homes, library, times, params=ga.Params(norm_min={"libraries": 15}, enough={"libraries": 1})
    )


def test_people_beyond_the_norm() -> None:
    """Homes b and c are beyond it: 30 of 50 people, 5 of 15 young, 25 of 35 old; home x is not of the core."""
    table = left_out(small()).set_index("group")
    assert table["residents"].tolist() == [50, 15, 35]
    assert table["left_out"].tolist() == [30, 5, 25]
    assert table["share"].tolist() == pytest.approx([0.6, 1 / 3, 5 / 7])
    homes = homes_left_out(small(), "libraries")
    assert homes.index.tolist() == ["b", "c"]
    assert homes["nearest_min"].isna().tolist() == [False, True]
    assert homes["age:old"].tolist() == [20, 5]
    with pytest.raises(MissingError, match="'parks'"):
        homes_left_out(small(), "parks")


def test_gaps_and_the_lorenz_curve() -> None:
    """Access 25, 6.25 and 0: the young have the most; the poorest 20 % have nothing, the next 40 % a fifth."""
    table = gaps(small()).set_index("measure")
    assert table.loc["access_mean", ["best", "worst"]].tolist() == ["young", "old"]
    young, old = 250 / 15, (250 + 125) / 35
    assert table.loc["access_mean", "gap"] == pytest.approx(young - old)
    curve = lorenz_curve(small())
    assert curve["people"].tolist() == pytest.approx([0, 0.2, 0.6, 1])  # home x is nobody
    assert curve["access"].tolist() == pytest.approx([0, 0, 0.2, 1])
    assert lorenz_curve(small(), "libraries").equals(curve)


def test_the_tables_agree_with_those_of_the_assessment(result: ga.Assessment) -> None:
    """Shares by group are those of ``equity``, everybody's those of ``inequality``, and the curve's area the Gini."""
    table = left_out(result).set_index(["kind", "dimension", "group"])["share"]
    for _, row in result.equity.iterrows():
        for kind in result.params.kinds:
            assert table[kind, row["dimension"], row["group"]] == pytest.approx(
                1 - row[f"share_within_norm:{kind}"]
            )
    for kind in result.params.kinds:
        assert table[kind, "all", "all"] == pytest.approx(
            result.inequality[f"share_beyond_norm:{kind}"].iloc[0]
        )
    curve = lorenz_curve(result)
    area = np.trapezoid(curve["access"], curve["people"])
    assert 1 - 2 * area == pytest.approx(result.inequality["gini"].iloc[0])
    access = gaps(result).query("measure == 'access_mean'").set_index("dimension")["gap"]
    assert access.to_dict() == pytest.approx(result.inequality["gap"].to_dict())


def test_neighbourhoods_add_up_to_the_town(result: ga.Assessment) -> None:
    """People left out by neighbourhood sum to the town's, homes outside all included; so do their homes."""
    keys = ["kind", "dimension", "group"]
    town = left_out(result).set_index(keys)[["residents", "left_out"]]
    parts = left_out(result, by_neighbourhood=True)
    pd.testing.assert_frame_equal(parts.groupby(keys)[["residents", "left_out"]].sum().loc[town.index], town)
    for kind in ("libraries", "playgrounds"):
        homes = homes_left_out(result, kind)
        assert homes["total"].sum() == pytest.approx(town.loc[(kind, "all", "all"), "left_out"])
        assert homes.geometry.equals(result.area.residents.geometry.loc[homes.index])
    table = neighbourhood_gaps(result)
    assert (table["residents"] * table["from_town"]).sum() == pytest.approx(0, abs=1e-6)
    assert (table.filter(like="gap:").fillna(0) >= 0).all(axis=None)


def test_each_home_has_one_neighbourhood() -> None:
    """A home on a seam is in the first, one outside all in none, and a town without any is one."""
    area = ga.load_sample()
    shapes = area.neighbourhoods.iloc[:2].copy()
    point = area.residents.geometry.iloc[0]
    shapes["geometry"] = [shapely.box(point.x - 50, point.y - 50, point.x + d, point.y + 50) for d in (0, 50)]
    found = neighbourhood_of(area.with_(neighbourhoods=shapes))
    assert found.iloc[0] == shapes["name"].iloc[0]
    assert found.isna().any()
    assert set(neighbourhood_of(area.with_(neighbourhoods=None))) == {area.name}
