"""The door of ``assess_tables``: what is refused and how, and the cases at the edges of what is accepted."""
# ruff: noqa: PD008 (single cells are what is read)

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gisapp.assess import assess_tables
from gisapp.errors import InputError
from gisapp.params import Decay, Params
from gisapp.scores.arrays import Pairs
from gisapp.scores.run import KindPairs
from gisapp.scores.sensitivity import Draw, redrawn
from gisapp.sensitivity import sensitivity


def residents() -> pd.DataFrame:
    """Three homes of two groups."""
    return pd.DataFrame({"origin:a": [80, 20, 50], "origin:b": [20, 80, 50]}, index=["x", "y", "z"])


def places() -> pd.DataFrame:
    """Two squares and a park."""
    return pd.DataFrame({"kind": ["square", "square", "park"]}, index=["p", "q", "r"])


def times() -> pd.DataFrame:
    """Walks from each home to each place."""
    rows = [(h, p, 3.0 * i + 4.0 * j) for i, h in enumerate("xyz") for j, p in enumerate("pqr")]
    return pd.DataFrame(rows, columns=["home_id", "place_id", "minutes"])


def refused(*words: str, **tables: pd.DataFrame | Params) -> str:
    """Assess tables that must be refused with these words; returns the message."""
    given: dict[str, object] = {
        "residents": residents(),
        "places": places(),
        "travel_times": times(),
        **tables,
    }
    with pytest.raises(InputError) as error:
        assess_tables(**given)  # type: ignore[arg-type]
    message = str(error.value)
    for word in words:
        assert word in message
    return message


def test_every_fault_of_every_table_in_one_message() -> None:
    """Nothing is reported one at a time."""
    people = residents().rename(columns={"origin:b": "origin:b:c"}).set_axis(["x", "x", "z"])
    table = places().assign(
        kind=["all", "a:b", None], open_to=["all", "public", "all"], capacity=[1, -1, np.inf]
    )
    walk = times().assign(minutes=[-1.0, np.nan, np.inf, *range(6)])
    near = pd.DataFrame({"from_id": ["x"], "to_id": ["z"], "minutes": ["far"]})
    message = refused(residents=people, places=table, travel_times=walk, home_times=near)
    assert message.splitlines()[0] == "12 faults:"
    for part in (
        "home_id is not unique ('x')", "'origin:b:c' has 2 colons", "a kind is called 'all'", "'a:b' has a colon",
        "'kind' is blank or no text at 'r'", "open_to is 'public'", "'capacity' is not finite at 'r'",
        "'capacity' is negative at 'q'", "'minutes' is negative at 0", "'minutes' is blank at 1",
        "'minutes' is not finite at 2", "home_times: 'minutes' holds",
    ):  # fmt: skip
        assert part in message


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_counts_must_be_finite_and_not_negative(value: float) -> None:
    """A count below 0, missing or infinite is refused, and named."""
    refused("origin:a", "'y'", residents=residents().assign(**{"origin:a": [1.0, value, 1.0]}))


def test_counts_as_text_are_refused() -> None:
    """Numbers that are text are not guessed at."""
    refused("not numbers", residents=residents().assign(**{"origin:a": ["1", "2", "3"]}))


@pytest.mark.parametrize("table", ["residents", "places", "travel_times"])
def test_missing_columns_and_rows(table: str) -> None:
    """A table without what it needs says which column is missing."""
    if table == "residents":
        refused("no count column", residents=residents()[[]])
        refused("no rows", residents=residents().iloc[:0])
    elif table == "places":
        refused("'kind' is missing", places=places()[[]])
    else:
        refused("'home_id' is missing", "'minutes' is missing", travel_times=times()[["place_id"]])


def test_unknown_ids_are_named_in_plain_and_in_categories() -> None:
    """An id that the other table does not have is refused, however it is stored."""
    walk = times().replace({"home_id": {"z": "w"}, "place_id": {"r": "s"}})
    for table in (walk, walk.astype({"home_id": "category", "place_id": "category"})):
        refused("home_id 'w' is not in residents", "place_id 's' is not in places", travel_times=table)


def test_evidence_for_a_group_that_nobody_belongs_to_is_refused() -> None:
    """A column of attractiveness must name a group of the residents."""
    refused("no known group 'origin:c'", places=places().assign(**{"attractiveness:origin:c": 1.0}))
    refused("1 colons", places=places().assign(**{"attractiveness:origin": 1.0}))


def test_parameters_that_do_not_fit_the_tables_are_refused() -> None:
    """A frozen reference and walker profiles must be about these residents and times."""
    refused("'origin:z'", params=Params(reference={"origin:z": 1.0}))
    refused("add up to 0.5", params=Params(reference={"origin:a": 0.5, "origin:b": 0.0}))
    refused("profile 'older'", params=Params(group_profiles={"origin:a": "older"}))
    refused("profile is 'walker'", travel_times=times().assign(profile="walker"))
    refused("no row has profile 'adult'", travel_times=times().assign(profile="older"))


def test_categories_text_and_numbers_as_ids_agree() -> None:
    """The fast path over categories gives the numbers of the plain one."""
    plain = assess_tables(residents(), places(), times())
    fast = assess_tables(
        residents(), places(), times().astype({"home_id": "category", "place_id": "category"})
    )
    pd.testing.assert_frame_equal(plain.homes, fast.homes, check_exact=True)
    to_numbers = {"x": 7, "y": 8, "z": 9}
    numbered = assess_tables(
        residents().rename(index=to_numbers), places(), times().replace({"home_id": to_numbers})
    )
    assert numbered.places["mix:origin"].tolist() == plain.places["mix:origin"].tolist()


def test_a_pair_given_twice_counts_at_its_minimum() -> None:
    """Duplicates add nobody and the shortest counts."""
    twice = pd.concat([times().assign(minutes=lambda t: t["minutes"] + 2), times()])
    once, doubled = (assess_tables(residents(), places(), t) for t in (times(), twice))
    pd.testing.assert_frame_equal(once.places, doubled.places)
    assert len(doubled.travel_times) == len(times())


def test_long_minutes_are_kept_for_later_and_count_for_nothing() -> None:
    """A walk beyond the horizon is ignored here, and stays for the sensitivity run."""
    walk = times().assign(minutes=lambda t: np.where(t["place_id"] == "r", 33.0, t["minutes"]))
    result = assess_tables(residents(), places(), walk)
    assert (result.homes["access:park"] == 0).all()
    assert result.travel_times["minutes"].max() <= 30
    assert result.inputs is not None
    assert max(split.pairs.minutes.max() for split in result.inputs.splits() if len(split.members)) == 33


def test_members_faith_and_access_only_give_access_and_reach_alone() -> None:
    """They count as near, and nobody meets there."""
    table = places().assign(open_to=["all", "members", "faith"])
    result = assess_tables(residents(), table, times())
    assert result.homes["count:square:15"].tolist() == [2, 2, 2]
    left = result.places.loc[["q", "r"]].drop(columns=["kind", "open_to", "reach"])
    assert left.isna().all(axis=None)
    assert (result.places["reach"] > 0).all()
    assert set(result.city["kind"]) == {"square", "all"}
    only = assess_tables(residents(), places(), times(), params=Params(access_only=("park",)))
    assert math.isnan(only.places.at["r", "visitors"])
    assert set(only.city["kind"]) == {"square", "all"}


def test_a_kind_for_some_ages_has_no_age_mix() -> None:
    """A kind with users is null in that dimension, mixes in the others, and its capacity is per user."""
    people = residents().assign(**{"age:young": [10, 20, 30], "age:old": [90, 80, 70]})
    params = Params(users={"park": ("age:young",)})
    result = assess_tables(people, places().assign(capacity=[np.nan, np.nan, 12.0]), times(), params=params)
    assert math.isnan(result.places.at["r", "mix:age"])
    assert math.isnan(result.places.at["r", "visitors:age:young"])
    assert (result.homes.index.name, result.places.index.name) == ("home_id", "place_id")
    assert not math.isnan(result.places.at["r", "mix:origin"])
    assert set(result.city[result.city["dimension"] == "age"]["kind"]) == {"square", "all"}
    assert (result.homes["room:park"] * people["age:young"]).sum() == pytest.approx(12)


def test_parts_of_a_long_park_count_once_for_access_and_apart_for_mixing() -> None:
    """Uncut, a park between two groups would be mixed; its ends are not."""
    people = pd.DataFrame({"o:a": [100, 0], "o:b": [0, 100]}, index=["x", "y"])
    ends = pd.DataFrame({"kind": "park", "part_of": "long park"}, index=["west", "east"])
    walk = pd.DataFrame(
        {"home_id": ["x", "x", "y", "y"], "place_id": ["west", "east"] * 2, "minutes": [1.0, 25.0, 25.0, 1.0]}
    )
    cut = assess_tables(people, ends, walk)
    assert cut.homes["count:park:15"].tolist() == [1, 1]
    assert cut.homes["third_nearest_min:park"].isna().all()
    assert cut.homes["access:park"].tolist() == pytest.approx([100 * 2**-0.2] * 2)
    assert (cut.places["mix:o"] < 0.2).all()
    # a row for the whole, to which the parts point, gives access and reach alone
    whole = pd.concat([ends, pd.DataFrame({"kind": ["park"], "part_of": [None]}, index=["long park"])])
    named = assess_tables(people, whole, walk)
    assert math.isnan(named.places.at["long park", "visitors"])
    assert named.places.loc[["west", "east"], "mix:o"].tolist() == cut.places["mix:o"].tolist()


def test_a_group_absent_from_the_core_changes_nothing() -> None:
    """Its rows are null, even where the buffer has it."""
    people = residents().assign(core=[True, True, False])
    absent = people.assign(**{"origin:c": [0, 0, 40]})
    one, other = assess_tables(people, places(), times()), assess_tables(absent, places(), times())
    pd.testing.assert_frame_equal(one.city, other.city)
    assert other.places["mix:origin"].tolist() == one.places["mix:origin"].tolist()
    rows = other.exposure[other.exposure["group"] == "c"]
    assert rows[["share", "share_at_home", "share_if_even"]].isna().all(axis=None)
    assert other.equity.set_index("group").loc["c", ["access_mean", "participation"]].isna().all()


def test_dimensions_with_different_totals_and_unknown_groups() -> None:
    """Visitors count everybody; composition counts the known; too many unknown are flagged."""
    people = residents().assign(**{"age:young": [10, 10, 10], "age:unknown": [40, 40, 40]})
    result = assess_tables(people, places(), times())
    share = (result.places["visitors:age:young"] / result.places["visitors"]).to_numpy()
    assert share == pytest.approx(np.full(3, 0.1))
    assert result.places["mix:age"].isna().all()
    assert "unknown_group:age" in result.quality
    assert "unknown_group:origin" not in result.quality


def test_nobody_and_nothing() -> None:
    """No people, no places, no times, nothing attractive: tables with nulls and zeros, no error."""
    empty = residents() * 0
    result = assess_tables(empty, places(), times())
    assert result.city["q"].isna().all()
    assert (result.places["visitors"] == 0).all()
    assert result.homes["participation"].gt(0).all()
    nowhere = assess_tables(residents(), places().iloc[:0], times().iloc[:0], params=Params(kinds=("park",)))
    assert nowhere.city.set_index("kind").at["park", "q"] == 0
    assert nowhere.quality.missing_kinds == ("park",)
    assert nowhere.city["unreached"].eq(1).all()
    dull = assess_tables(residents(), places().assign(attractiveness=0.0), times())
    assert (dull.homes["participation"] == 0).all()
    assert (dull.places["visitors"] == 0).all()
    counted = assess_tables(
        pd.DataFrame({"total": [3.0]}, index=["x"]), places(), times().query("home_id == 'x'")
    )
    assert counted.city.empty
    assert counted.places["visitors"].gt(0).all()


def test_groups_may_walk_at_their_own_pace() -> None:
    """Access of a group with a profile comes from that profile's rows; choices stay the default's."""
    both = pd.concat(
        [times().assign(profile="adult"), times().assign(profile="older", minutes=lambda t: t["minutes"] * 2)]
    )
    params = Params(group_profiles={"origin:b": "older"})
    result = assess_tables(residents(), places(), both, params=params)
    plain = assess_tables(residents(), places(), times())
    slow = assess_tables(residents(), places(), times().assign(minutes=lambda t: t["minutes"] * 2))
    means = result.equity.set_index("group")["access_mean"]
    assert means["a"] == plain.equity.set_index("group")["access_mean"]["a"]
    assert means["b"] == slow.equity.set_index("group")["access_mean"]["b"]
    pd.testing.assert_frame_equal(result.city, plain.city)


def test_capacity_partly_known() -> None:
    """A place of unknown capacity gives no room and is said; its neighbour's is handed out in full."""
    result = assess_tables(residents(), places().assign(capacity=[30.0, np.nan, np.nan]), times())
    assert (result.homes["room:square"] * 100).sum() == pytest.approx(30)
    assert "room:park" not in result.homes
    assert math.isnan(result.places.at["q", "crowding"])
    assert "capacity_unknown:square" in result.quality


def test_counts_that_nobody_vouches_for_are_not_for_publication() -> None:
    """Published counts say by whom; protected ones carry their mark; others are exact."""
    assert assess_tables(residents(), places(), times(), published="Statbel").provenance.counts == "published"
    exact = assess_tables(residents(), places(), times()).provenance
    assert exact.counts == "exact"
    assert "NOT FOR PUBLICATION" in exact.counts_note
    people = residents()
    people.attrs["counts"] = "protected"
    assert assess_tables(people, places(), times()).provenance.counts == "protected"


def test_parameters_come_back_filled_in_and_frozen() -> None:
    """Assessing a changed town with the result's parameters keeps kinds, weights, composition and reach."""
    first = assess_tables(residents(), places(), times(), params=Params(decay=Decay("linear", 20)))
    assert first.params.kinds == ("park", "square")
    assert dict(first.params.reference)["origin:a"] == 0.5
    assert first.params.reach_full is not None
    assert Params.from_json(first.params.to_json()) == first.params
    fewer = places().iloc[:2]
    closed = assess_tables(residents(), fewer, times().query("place_id != 'r'"), params=first.params)
    assert closed.params == first.params
    assert closed.quality.missing_kinds == ("park",)


def test_sensitivity_is_a_function_of_its_seed_and_ranks_all_places() -> None:
    """The same seed gives the same tables; another differs; ranks lie within the number of places."""
    result = assess_tables(residents(), places(), times())
    one, again, other = (sensitivity(result, draws=30, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.places, again.places, check_exact=True)
    pd.testing.assert_frame_equal(one.city, again.city, check_exact=True)
    assert not one.city["p50"].equals(other.city["p50"])
    ranks = one.places[[f"rank_{q}:origin" for q in ("p05", "median", "p95")]].to_numpy()
    assert (np.diff(ranks, axis=1) >= 0).all()
    assert ranks.min() >= 1
    assert ranks.max() <= 3
    assert (one.places["top10:origin"] == 1).all()
    known = one.city.dropna()
    assert (known["p05"] <= known["p50"]).all()
    assert (known["p50"] <= known["p95"]).all()
    assert set(one.by_choice_set["choice_set"]) <= {0, 1, 3, 5, 10}


def test_sensitivity_takes_pairs_that_are_found_when_asked() -> None:
    """An area's pairs are not kept but found again: the numbers are those of stored pairs."""
    near = pd.DataFrame({"from_id": ["x", "y"], "to_id": ["y", "x"], "minutes": [4.0, 4.0]})
    result = assess_tables(residents(), places(), times(), near)
    stored = result.inputs
    assert stored is not None
    asked = replace(stored, home_pairs=lambda rows: stored.home_pairs)
    one, other = sensitivity(result, draws=10), sensitivity(replace(result, inputs=asked), draws=10)
    pd.testing.assert_frame_equal(one.city, other.city, check_exact=True)
    with pytest.raises(InputError, match="does not carry its inputs"):
        sensitivity(replace(result, inputs=None))


def test_a_draw_leaves_places_out_and_rescales_minutes() -> None:
    """At 1.1 times the speed eleven minutes are ten, and a place that was left out is not reached."""
    split = KindPairs(0, np.array([4, 7]), Pairs(np.array([0, 0]), np.array([0, 1]), np.array([11.0, 2.0])))
    drawn = Draw(Params(), speed=1.1, eta=0.5, dropped=np.arange(8) == 7)
    pairs = redrawn(split, drawn).pairs
    assert (pairs.target.tolist(), pairs.minutes.tolist()) == ([0], pytest.approx([10.0]))


def test_rounded_counts_are_shaken() -> None:
    """Where the provider rounded, the draws move the counts; where not, what depends on counts alone stands still."""
    rounded = residents()
    rounded.attrs["rounding_step"] = 5
    widths = []
    for people in (residents(), rounded):
        spread = sensitivity(assess_tables(people, places(), times()), draws=20).city
        units = spread[spread["measure"] == "h_units"]
        widths.append(float((units["p95"] - units["p05"]).max()))
    assert widths[0] == pytest.approx(0, abs=1e-12)
    assert widths[1] > 0.001


def test_sensitivity_on_a_sample_keeps_the_size_of_the_town() -> None:
    """A sample of homes is scaled up: visitors, and so the headline's limit, stay those of the town."""
    people = pd.concat([residents().add_suffix(f"{i}", axis=0) for i in range(40)])
    walk = pd.concat([times().assign(home_id=lambda t, i=i: t["home_id"] + f"{i}") for i in range(40)])
    result = assess_tables(people, places(), walk)
    whole, part = sensitivity(result, draws=20), sensitivity(result, draws=20, homes=30)
    keys = ["dimension", "kind", "measure"]
    both = whole.city.merge(part.city, on=keys).query("measure == 'mixed_place_10min'")
    assert (both["p50_x"] - both["p50_y"]).abs().max() < 0.5
    assert result.inputs is not None
    assert len(result.inputs.homes.total) == 120
