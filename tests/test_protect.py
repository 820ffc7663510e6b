"""Protection of counts: answers by hand, a plain copy of the rule as oracle, and what must always hold."""

import os
import stat
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_protect import plain_protect, plain_u

import gisapp as ga
from gisapp.errors import CRSError, InputError, IntegrityError
from gisapp.protect import keyed_chance, round_to_five, user_secret

GROUPS = ("origin:here", "origin:newcomer", "age:young", "age:unknown")


@st.composite
def towns(draw: st.DrawFn, most: int = 12) -> gpd.GeoDataFrame:
    """Homes on a coarse lattice (so that distances tie) with zones, whole counts and totals of their own."""
    n = draw(st.integers(1, most))
    count = st.integers(0, 40)
    frame = gpd.GeoDataFrame(
        {name: draw(st.lists(count, min_size=n, max_size=n)) for name in GROUPS},
        index=pd.Index([f"h{i}" for i in range(n)], name="home_id"),
        geometry=gpd.points_from_xy(
            *(np.array(draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))) * 50.0 for _ in range(2))
        ),
        crs=32631,
    )
    frame["total"] = draw(st.lists(st.integers(0, 60), min_size=n, max_size=n))
    frame["zone_id"] = draw(st.lists(st.sampled_from("abcde"), min_size=n, max_size=n))
    return frame


def test_worked_answers() -> None:
    """Rounding and its chance, as the specification works them out."""
    assert round_to_five([7, 7, 4, 4, 10, 0], [0.3, 0.4, 0.79, 0.8, 0.0, 0.0]).tolist() == [
        10,
        5,
        5,
        0,
        10,
        0,
    ]
    assert keyed_chance(b"key", "7", "origin", "newcomer") == pytest.approx(0.193150307238, abs=1e-12)


def test_a_street_by_hand() -> None:
    """30 people join the nearest 60, whose id they take; counts are summed, rounded and spread by totals."""
    homes = gpd.GeoDataFrame(
        {"origin:newcomer": [7, 0, 50], "total": [60, 30, 90], "zone_id": [7, 8, 9], "core": [True, False, True]},
        index=["a", "b", "c"], geometry=gpd.points_from_xy([0, 40, 100], [0, 0, 0]), crs=32631,
    )  # fmt: skip
    safe = ga.protect(homes, secret="key")
    assert safe["zone_id"].tolist() == [7, 7, 9]
    # u = 0.193: 7 goes up to 10, of which 60/90 live in a and 30/90 in b. 50 is a multiple of 5 already.
    assert safe["origin:newcomer"].tolist() == pytest.approx([20 / 3, 10 / 3, 50])
    assert safe["total"].tolist() == [60, 30, 90]
    assert safe["core"].tolist() == [True, False, True]
    assert safe.attrs["counts"] == "protected"
    assert "2 cells of at least 50 residents; 1 smaller ones joined" in safe.attrs["counts_note"]


@settings(max_examples=150, deadline=None)
@given(town=towns(), secret=st.binary(min_size=1, max_size=8), by_weight=st.booleans())
def test_same_as_plain_loops(town: gpd.GeoDataFrame, secret: bytes, by_weight: bool) -> None:
    """Cells, rounding and spreading are those of the rule in plain loops, with totals or weights."""
    weights = pd.Series(np.arange(len(town)) % 3, index=town.index) if by_weight else None
    safe = ga.protect(town, weights=weights, secret=secret)
    points = {h: (p.x, p.y) for h, p in town.geometry.items()}
    ends, spread = plain_protect(
        town[list(GROUPS)].T.to_dict(), town["total"].to_dict(), town["zone_id"].to_dict(), points, secret,
        None if weights is None else weights.to_dict(),
    )  # fmt: skip
    assert safe["zone_id"].to_dict() == ends
    expected = pd.DataFrame(spread).T
    np.testing.assert_allclose(safe[list(GROUPS)], expected[list(GROUPS)], atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(town=towns(), secret=st.binary(min_size=1, max_size=8))
def test_what_always_holds(town: gpd.GeoDataFrame, secret: bytes) -> None:
    """Cells of 50 or one of all; multiples of 5, off by less than 5; the argument as it was; order no matter."""
    before = town.copy()
    safe = ga.protect(town, secret=secret)
    pd.testing.assert_frame_equal(pd.DataFrame(town), pd.DataFrame(before))
    assert safe.index.equals(town.index)
    assert list(safe.columns) == list(town.columns)
    people = town["total"].groupby(safe["zone_id"]).sum()
    assert len(people) == 1 or people.min() >= 50
    sums = safe[list(GROUPS)].groupby(safe["zone_id"]).sum()
    np.testing.assert_allclose(sums / 5, np.round(sums / 5), atol=1e-9)
    if people.sum() >= 50:
        exact = town[list(GROUPS)].groupby(safe["zone_id"]).sum()
        assert (abs(sums - exact) < 5).all(axis=None)
    back = ga.protect(town.iloc[::-1], secret=secret).loc[town.index]
    np.testing.assert_allclose(back[list(GROUPS)], safe[list(GROUPS)], atol=1e-9)
    again = ga.protect(safe, secret=secret)
    np.testing.assert_allclose(again[list(GROUPS)], safe[list(GROUPS)], atol=1e-9)


def test_unbiased_over_secrets() -> None:
    """Each count keeps its mean over secrets, and never moves by 5 or more."""
    counts = np.array([0.0, 1, 2, 3, 4, 5, 7, 12.5])
    names = [("origin", str(n)) for n in counts]
    draws = np.array(
        [
            round_to_five(counts, [keyed_chance(str(s).encode(), "c", *name) for name in names])
            for s in range(4000)
        ]
    )
    spread = 5 * np.sqrt((counts % 5 / 5) * (1 - counts % 5 / 5) / len(draws))
    assert (abs(draws.mean(axis=0) - counts) <= 4.5 * spread).all()
    assert (abs(draws - counts) < 5).all()


@settings(max_examples=60, deadline=None)
@given(town=towns(), secret=st.binary(min_size=1, max_size=8), data=st.data())
def test_tables_with_the_same_rounded_counts_are_the_same_table(
    town: gpd.GeoDataFrame, secret: bytes, data: st.DataObject
) -> None:
    """Move people between homes of a cell and change counts within their rounding: not a bit of it shows."""
    safe = ga.protect(town, secret=secret)
    twin = town.copy()
    for cell, homes in town.groupby(safe["zone_id"]):
        for name in GROUPS:
            n = int(homes[name].sum())
            u = plain_u(secret, str(cell), *name.split(":"))
            same = [m for m in range(max(0, n - 9), n + 10) if round_to_five(m, u) == round_to_five(n, u)]
            twin.loc[homes.index, name] = 0
            at = data.draw(st.sampled_from(sorted(homes.index)))
            twin.loc[at, name] = data.draw(st.sampled_from(same))
    pd.testing.assert_frame_equal(
        pd.DataFrame(ga.protect(twin, secret=secret)), pd.DataFrame(safe), check_exact=True
    )


def test_with_weights_totals_tell_nothing_either() -> None:
    """Same rounded counts, other totals: the same bits, and a total that is the mean over dimensions."""
    secret = next(
        s for s in (str(i).encode() for i in range(999))
        if plain_u(s, "z", "origin", "a") < 0.2 and plain_u(s, "z", "age", "b") > 0.8
    )  # fmt: skip
    tables = [
        pd.DataFrame({"origin:a": [a, 20], "age:b": [b, 20], "total": [max(a, b), 20]}, index=["h", "i"])
        for a, b in ((36, 40), (38, 41))
    ]
    weights = pd.Series({"i": 1.0, "h": 3.0})
    first, second = (ga.protect(t, ["z", "z"], weights=weights, secret=secret) for t in tables)
    assert first["origin:a"].tolist() == [45.0, 15.0]
    assert first["age:b"].tolist() == [45.0, 15.0]
    # 60 residents: by origin 56, shown as 60, and 4 of unknown origin; by age all 60
    rest = float(round_to_five(4, plain_u(secret, "z", "origin", "")))
    assert first["total"].sum() == pytest.approx((60 + rest + 60) / 2)
    pd.testing.assert_frame_equal(
        first[["origin:a", "age:b"]], second[["origin:a", "age:b"]], check_exact=True
    )
    bare = [ga.protect(t.drop(columns="total"), ["z", "z"], weights=weights, secret=secret) for t in tables]
    pd.testing.assert_frame_equal(*bare, check_exact=True)


def test_people_of_unknown_group_stay_people() -> None:
    """With weights, the total of a cell holds the rounded rest whose group nobody knows: 40 of 100."""
    homes = pd.DataFrame({"origin:a": [60.0], "total": [100.0]}, index=["h"])
    assert ga.protect(homes, ["z"], weights=[1.0], secret="key")["total"].tolist() == [100.0]


def test_fewer_than_50_in_all_have_no_composition() -> None:
    """49 people are people, but nothing is said of their groups: mixing is null."""
    homes = pd.DataFrame({"origin:a": [20, 9], "origin:b": [0, 20]}, index=["h", "i"])
    safe = ga.protect(homes, ["x", "y"], secret="key")
    assert safe[["origin:a", "origin:b"]].to_numpy().sum() == 0
    assert safe["total"].tolist() == [20, 29]
    assert "nothing is told" in safe.attrs["counts_note"]
    places = pd.DataFrame({"kind": ["squares"]}, index=["s"])
    times = pd.DataFrame({"home_id": ["h", "i"], "place_id": ["s", "s"], "minutes": [1.0, 2.0]})
    result = ga.assess_tables(safe, places, times)
    assert result.provenance.counts == "protected"
    assert result.places["mix:origin"].isna().all()
    assert result.places["visitors"].iloc[0] > 40


def test_nothing_exact_is_left_beside_the_counts() -> None:
    """Columns that nobody knows, and notes in attrs, are not carried along."""
    homes = pd.DataFrame({"origin:a": [60], "newcomers": [61], "floor_m2": [9.0]}, index=["h"])
    homes.attrs = {"exact": [60], "counts": "published"}
    safe = ga.protect(homes, ["z"], secret="key")
    assert list(safe.columns) == ["origin:a", "floor_m2"]
    assert sorted(safe.attrs) == ["counts", "counts_note"]


def test_the_last_bits_of_a_sum_tell_nothing() -> None:
    """0.1 + 0.2 and 0.3 are one number of people: the results are the same to the bit."""
    one, two = (
        pd.DataFrame({"origin:a": [a, 60.0, 0.0], "origin:b": [b, 0.0, 70.0]}, index=list("hij"))
        for a, b in ((0.1, 0.2), (0.0, 0.3))
    )
    pd.testing.assert_frame_equal(
        *(ga.protect(t, ["z"] * 3, secret="key") for t in (one, two)), check_exact=True
    )


def test_cells_may_be_a_grid_polygons_or_names() -> None:
    """Squares of 100 m by hand; polygons and names of the same cells give the same table; a blank is no new cell."""
    homes = gpd.GeoDataFrame(
        {"origin:a": [61.0, 62, 63]}, index=["h", "i", "j"],
        geometry=gpd.points_from_xy([10, 99.9, 100], [199, 101, 101]), crs=32631,
    )  # fmt: skip
    grid = ga.protect(homes, secret="key")
    named = ga.protect(homes, ["E0N1", "E0N1", "E1N1"], secret="key")
    squares = gpd.GeoDataFrame(
        index=["E0N1", "E1N1"],
        geometry=[shapely.box(0, 100, 99.95, 200), shapely.box(100, 100, 200, 200)],
        crs=32631,
    )
    pd.testing.assert_frame_equal(grid, named)
    pd.testing.assert_frame_equal(
        grid, ga.protect(homes, squares.iloc[::-1], secret="key")
    )  # j is on the seam
    u = plain_u(b"key", "E0N1", "origin", "a")
    assert grid["origin:a"].iloc[:2].sum() == pytest.approx(float(round_to_five(123, u)))
    numbers = ga.protect(homes, pd.Series({"j": np.nan, "h": 7.0, "i": 7.0}), secret="key")
    mixed = ga.protect(homes, pd.Series({"j": "E1N1", "h": "7", "i": "7"}), secret="key")
    pd.testing.assert_frame_equal(numbers, mixed)


def test_whole_numbers_of_zones_are_ordered_as_numbers() -> None:
    """Zone 9 is lower than zone 10 where a small zone lies between the two."""
    homes = gpd.GeoDataFrame(
        {"origin:a": [60, 60, 10], "zone_id": [10, 9, 11]}, index=["h", "i", "j"],
        geometry=gpd.points_from_xy([0, 100, 50], [0, 0, 0]), crs=32631,
    )  # fmt: skip
    assert ga.protect(homes, secret="key")["zone_id"].tolist() == [10, 9, 9]
    homes["zone_id"] = homes["zone_id"].astype(str)
    assert ga.protect(homes, secret="key")["zone_id"].tolist() == ["10", "9", "10"]


def test_nearest_is_the_nearest() -> None:
    """A zone of nobody lies where its houses are; a tie stays one though floats differ in their last bit."""
    homes = gpd.GeoDataFrame(
        {"origin:a": [60, 60, 0], "zone_id": ["a", "b", "m"]}, index=["h", "i", "j"],
        geometry=gpd.points_from_xy([0, 900, 1000], [0, 0, 0]), crs=32631,
    )  # fmt: skip
    assert ga.protect(homes, secret="key")["zone_id"].tolist() == ["a", "b", "b"]
    tied = homes.set_geometry(gpd.points_from_xy([0.1, 0.3, 0.2], [0, 0, 0]), crs=32631)
    assert 0.3 - 0.2 < 0.2 - 0.1
    assert ga.protect(tied, secret="key")["zone_id"].tolist() == ["a", "b", "a"]


def test_fifty_people_in_parts_are_fifty() -> None:
    """Shares that add up to 49.99999999999999 in floats are 50 people, a cell of their own."""
    n = next(n for n in range(2, 99) if np.bincount(np.zeros(n, int), np.full(n, 50 / n))[0] < 50)
    homes = pd.DataFrame({"origin:a": [*[50 / n] * n, 90, 90]}, index=[f"h{i}" for i in range(n + 2)])
    homes["total"] = homes["origin:a"]
    # One person short, it would have to join another zone, and without geometry no zone is the nearest.
    safe = ga.protect(homes, [*["x"] * n, "y", "z"], secret="key")
    assert safe["origin:a"].sum() == pytest.approx(230)


def test_what_cannot_be_protected_is_refused_with_the_mend() -> None:
    """No zone and no point; a small zone nowhere; degrees; weights that lack a home; an empty secret."""
    bare = pd.DataFrame({"origin:a": [60, 60, 9]}, index=["h", "i", "j"])
    with pytest.raises(InputError, match="neither a zone nor a point .*'h'.*zone_id"):
        ga.protect(bare, secret="key")
    with pytest.raises(InputError, match="zone 'z' has fewer than 50 .* without geometry"):
        ga.protect(bare, ["x", "y", "z"], secret="key")
    assert ga.protect(bare, ["x", "x", "z"], secret="key").notna().all(axis=None)  # only one zone to join
    degrees = gpd.GeoDataFrame(bare, geometry=gpd.points_from_xy([4, 4, 4], [51, 51, 51]), crs=4326)
    with pytest.raises(CRSError, match="not in metres"):
        ga.protect(degrees, secret="key")
    with pytest.raises(InputError, match="1 homes have none .'j'"):
        ga.protect(bare, ["x"] * 3, weights=[1, 2, np.nan], secret="key")
    with pytest.raises(InputError, match="1 homes are not in its index"):
        ga.protect(bare, ["x"] * 3, weights=pd.Series({"h": 1, "i": 1}), secret="key")
    with pytest.raises(InputError, match="secret: is empty"):
        ga.protect(bare, ["x"] * 3, secret="")


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """32 bytes in the settings folder, readable by the user only, the same ever after; damage is not papered over."""
    monkeypatch.setattr(sys.modules["gisapp.protect"], "config_dir", lambda: tmp_path / "settings")
    first = user_secret()
    path = tmp_path / "settings" / "secret"
    assert len(first) == 32
    assert first == user_secret() == path.read_bytes()
    assert os.listdir(path.parent) == ["secret"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    homes = pd.DataFrame({"origin:a": [63]}, index=["h"])
    default, given = ga.protect(homes, ["z"]), ga.protect(homes, ["z"], secret=first)
    pd.testing.assert_frame_equal(default, given)
    path.write_bytes(b"short")
    with pytest.raises(IntegrityError, match="damaged"):
        user_secret()
