"""Doors and programmes: hours read at a moment, filters that keep the unknown apart, and who can walk there."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gisapp as ga
from gisapp.doors import ASPECTS, SAID, Doors, filter_places, what_is_said, within_reach, within_reach_by_home
from gisapp.errors import InputError, MissingError
from gisapp.hours import door_at

SATURDAY = datetime(2026, 6, 6, 20, 30)
MONACO, BRUSSELS = (43.738, 7.424), (50.85, 4.35)


@pytest.fixture(scope="module")
def result() -> ga.Assessment:
    """The sample with every fifth home."""
    sample = ga.load_sample()
    return ga.assess(sample.with_(residents=sample.residents.iloc[::5]))


@pytest.mark.parametrize(
    ("text", "door"),
    [
        ("24/7", "open"), ("Mo-Fr 09:00-18:00; Sa 10:00-21:00", "open"), ("Fr-Sa 18:00-02:00", "open"),
        ("Mo-Fr 09:00-18:00; Sa 10:00-20:00", "closed"), ("Sa off", "closed"), ("Oct-Mar", "closed"),
        ("sunrise-sunset", "open"), ("Mo-Su 10:00-22:00; PH off", "open"), ("Sa[2] 10:00-23:00", "closed"),
        ('24/7 "members only"', "unknown"), ('"by appointment"', "unknown"), ("Sa unknown", "unknown"),
        ("10:00-18:00+", "unknown"), ("18:00+", "open"), ("SH 10:00-22:00", "unknown"), ('Sa off "SH, PH"', "closed"),
        ("on request", "unknown"), ("", "unknown"), ("  ", "unknown"), (":", "unknown"), ("\x00", "unknown"),
        ("Mo-Su 10:00-22:00;" * 100, "unknown"),
    ],
)  # fmt: skip
def test_hours_on_a_saturday_evening_in_june(text: str, door: str) -> None:
    """What the hours say is told; what they leave open is unknown: remarks, open ends, school holidays."""
    assert door_at(text, SATURDAY, where=MONACO) == door


def test_public_holidays_are_the_country_s() -> None:
    """Belgium's national day closes doors in Brussels and not in Monaco, and is unknown where no country is."""
    text, day = "Mo-Su 10:00-22:00; PH off", datetime(2026, 7, 21, 12)
    assert [door_at(text, day, where=where) for where in (BRUSSELS, MONACO, None)] == [
        "closed",
        "open",
        "unknown",
    ]
    assert door_at(text, day.replace(year=1999), where=BRUSSELS) == "unknown"


@settings(max_examples=300, deadline=1000)
@given(
    text=st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                ["Mo", "Sa[-1]", "+2 days", "PH", "SH", "10:00-18:00", "18:00+", "(sunset+23:59)-48:00", "off",
                 "unknown", '"', "||", ";", ",", "Feb 31", "week 53-1", "easter -364 days", "2026+",
                 "10:00-16:00/00:00", "(", "+"]
            ),
            max_size=40,
        ).map(" ".join),
        st.sampled_from(["(", "Mo,", "[", '"', "10:00-11:00,", "|| "]).map(lambda part: part * 50_000),
    ),
    at=st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)),
)  # fmt: skip
def test_no_text_does_any_harm(text: str, at: datetime) -> None:
    """Whatever a stranger wrote, the answer is one of three, and quick."""
    assert door_at(text, at, where=MONACO) in ("open", "closed", "unknown")


def test_a_moment_is_local_time_within_reach() -> None:
    """A time zone, another century or no moment at all is told as a fault."""
    for wrong, said in (
        (SATURDAY.replace(tzinfo=UTC), "local time"),
        (datetime(1850, 1, 1), "1850"),
        ("Sa", "a datetime"),
    ):
        with pytest.raises(InputError, match=said):
            Doors(open_at=wrong)  # type: ignore[arg-type]


def test_what_is_said_keeps_the_unknown_apart() -> None:
    """Fee, charge, flags and texts are read as yes or no; blanks, conditions and broken tags are neither."""
    tags = ['{"fee": "no"}', '{"fee": "yes"}', '{"charge": "2.50 EUR"}', '{"charge": "0 EUR"}', '{"fee": "Sa,Su"}',
            "{", None, '["fee"]']  # fmt: skip
    hosts = ["yes", "no", "Ann", True, np.False_, None, np.nan, " "]
    said = what_is_said(pd.DataFrame({"tags": tags, "hosts": hosts}))
    assert said["free"].tolist() == ["yes", "no", "no", *["unknown"] * 5]
    assert said["hosts"].tolist() == ["yes", "no", "yes", "yes", "no", *["unknown"] * 3]
    assert set(said["programme"]) == {"unknown"}


def town() -> ga.Assessment:
    """Three homes in a row, 9 minutes apart; clubs at home a (supervised), b (does not say) and c (is not)."""
    homes = pd.DataFrame(
        {"age:young": [10, 20, 30], "age:old": [30, 0, 10], "total": [40, 20, 40], "core": True},
        index=["a", "b", "c"],
    )
    clubs = pd.DataFrame({"kind": "clubs", "supervised": ["yes", None, "no"]}, index=["A", "B", "C"])
    minutes = {
        ("a", "A"): 1,
        ("a", "B"): 10,
        ("b", "A"): 12,
        ("b", "B"): 2,
        ("b", "C"): 9,
        ("c", "C"): 1,
        ("c", "B"): 14,
    }
    times = pd.DataFrame(
        [(*pair, float(t)) for pair, t in minutes.items()], columns=["home_id", "place_id", "minutes"]
    )
    return ga.assess_tables(homes, clubs, times)


def test_within_reach_of_a_supervised_club() -> None:
    """Home a has one, b only one that does not say, c only one that is not: shares of each group by hand."""
    table = within_reach(town(), Doors("clubs", "supervised"), 10)
    assert table["dimension"].tolist() == ["all", "age", "age"]
    assert table["residents"].tolist() == [100, 60, 40]
    expected = np.array([[40, 40, 20], [10, 30, 20], [30, 10, 0]]) / np.array([[100], [60], [40]])
    np.testing.assert_allclose(table[["yes", "no", "unknown"]].to_numpy(float), expected)
    assert within_reach_by_home(town(), Doors("clubs", "supervised"), 12).tolist() == ["yes", "yes", "no"]
    assert within_reach(town(), Doors("clubs"), 10)["yes"].tolist() == [1, 1, 1]


def test_faults_of_a_filter_are_told() -> None:
    """An unknown kind, a walk beyond the horizon and a word that no place is asked for are faults."""
    with pytest.raises(MissingError, match="no kind 'parks'"):
        filter_places(town(), Doors("parks"))
    for minutes in (0, 31, float("nan")):
        with pytest.raises(InputError, match="the horizon"):
            within_reach(town(), Doors(), minutes)
    with pytest.raises(InputError, match="'warm' is not told"):
        Doors(must=("warm", "free"))


@settings(max_examples=25, deadline=None)
@given(
    must=st.sets(st.sampled_from(ASPECTS), max_size=2), minutes=st.floats(1, 30), hour=st.integers(0, 23),
    kinds=st.sampled_from([(), ("playgrounds",), ("cafes", "restaurants")]), ask_hours=st.booleans(),
)  # fmt: skip
def test_shares_add_up_and_more_questions_never_help(
    result: ga.Assessment, must: set[str], minutes: float, hour: int, kinds: tuple[str, ...], ask_hours: bool
) -> None:
    """Yes, no and unknown add up to 1; asking more, or walking less, never adds a yes nor takes away a no."""
    moment = SATURDAY.replace(hour=hour) if ask_hours else None
    doors = Doors(kinds, tuple(must), moment)
    table, plain = within_reach(result, doors, minutes), within_reach(result, Doors(kinds), minutes)
    near = within_reach(result, doors, minutes / 2)
    np.testing.assert_allclose(table[list(SAID)].sum(axis=1), 1)
    assert (plain["unknown"] == 0).all()
    for less in (table, near):
        more = plain if less is table else table
        assert (less["yes"] <= more["yes"] + 1e-12).all()
        assert (less["no"] >= more["no"] - 1e-12).all()


def test_the_search_agrees_with_the_table_of_walks(result: ga.Assessment) -> None:
    """With and without the network at hand, the same homes reach an open door on a Saturday evening."""
    doors = Doors(open_at=SATURDAY)
    meant = filter_places(result, doors)
    assert set(meant) == set(SAID)
    assert (meant == "unknown").mean() > 0.5
    open_ones = meant.index[meant == "yes"]
    walks = result.travel_times
    reached = walks[(walks["minutes"] <= 7) & walks["place_id"].isin(open_ones)]["home_id"].unique()
    said = within_reach_by_home(result, doors, 7)
    assert set(said.index[said == "yes"]) == set(reached)
