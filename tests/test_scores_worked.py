"""The worked answers of the score's definition, each by hand."""
# ruff: noqa: PD008 (single cells are what is read)

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gisapp.assess import assess_tables
from gisapp.assessment import Assessment
from gisapp.params import Decay, Params
from gisapp.scores.access import access_score, overall_access
from gisapp.scores.arrays import Pairs
from gisapp.scores.catchment import floating_catchment
from gisapp.scores.combine import meeting_score
from gisapp.scores.decay import decay
from gisapp.scores.equity import concentration_index, erreygers_index, gini, lorenz, palma_type_ratio
from gisapp.scores.segregation import islands_floor, units_h


def town(
    homes: dict[str, tuple[float, ...]],
    minutes: dict[tuple[str, str], float],
    *,
    places: dict[str, Any] | None = None,
    core: list[bool] | None = None,
    near: list[tuple[str, str, float]] | None = None,
    **params: Any,
) -> Assessment:
    """Assess homes (counts of groups a, b, ...) and places of one kind from minutes by (home, place)."""
    groups = [f"origin:{g}" for g in "abcdef"[: len(next(iter(homes.values())))]]
    residents = pd.DataFrame.from_dict(homes, orient="index", columns=groups)
    if core is not None:
        residents["core"] = core
    names = sorted({p for _, p in minutes})
    table = pd.DataFrame({"kind": "squares", **(places or {})}, index=pd.Index(names))
    times = pd.DataFrame(
        [(h, p, t) for (h, p), t in minutes.items()], columns=["home_id", "place_id", "minutes"]
    )
    home_times = None
    if near is not None:
        both = near + [(b, a, t) for a, b, t in near]
        home_times = pd.DataFrame(both, columns=["from_id", "to_id", "minutes"])
    return assess_tables(residents, table, times, home_times, Params(**params))


def city(result: Assessment, column: str) -> float:
    """Read a figure of the whole town."""
    return float(result.city.set_index("kind").at["all", column])


def test_decay_at_known_times() -> None:
    """Example 1: the half-life halves every five minutes and ends at the horizon."""
    found = decay(np.array([2.5, 15, 30, 30.01]), Decay(), 30)
    assert found == pytest.approx([math.sqrt(0.5), 1 / 8, 1 / 64, 0])


@pytest.mark.parametrize(
    ("curve", "minutes", "expected"),
    [
        (Decay("step", 10), [0, 10, 10.5], [1, 1, 0]),
        (Decay("linear", 20), [0, 5, 20, 25], [1, 0.75, 0, 0]),
        (Decay("exponential", 8), [0, 8], [1, math.exp(-1)]),
        (Decay("gaussian", 10), [0, 10], [1, math.exp(-0.5)]),
        (Decay("logistic", 10, 3), [0, 10], [1, (1 + math.exp(-10 * math.pi / (3 * math.sqrt(3)))) / 2]),
        (Decay("cumulative_gaussian", 5, 4), [0, 5, 9], [1, 1, math.exp(-0.5)]),
    ],
)
def test_other_decays_at_known_times(curve: Decay, minutes: list[float], expected: list[float]) -> None:
    """Each form of decay at its constants, by its formula; the horizon ends them all."""
    assert decay(np.array([*minutes, 31]), curve, 30) == pytest.approx([*expected, 0])


def test_decay_of_params_is_used_everywhere() -> None:
    """A step decay makes near and far alike in access, choice and reach, and nobody's outside option is 0."""
    result = town(
        {"x": (10, 10)}, {("x", "p"): 1.0, ("x", "q"): 9.0}, decay=Decay("step", 20), choice_weights=(1,)
    )
    assert result.homes.at["x", "access:squares"] == 100
    assert result.places["visitors"].tolist() == pytest.approx([20 / 3, 20 / 3])
    assert result.places["reach"].tolist() == [20, 20]


def test_access_per_kind() -> None:
    """Example 3: three places at 5, 10, 15; one at the door; 0, 5, 10; one that suffices."""

    def score(times: list[float], weights: tuple[float, ...] = (1, 0.2, 0.1)) -> float:
        return float(access_score(decay(np.array(times), Decay())[:, None], weights)[0])

    assert score([5, 10, 15]) == 56.25
    assert score([0, 5, 10]) == 100
    assert score([0]) == 100
    times = {("x", "p"): 5.0, ("x", "q"): 10.0, ("x", "r"): 15.0}
    assert town({"x": (1, 1)}, times).homes.at["x", "access"] == pytest.approx(56.25)
    assert town({"x": (1, 1)}, times, enough={"squares": 1}).homes.at["x", "access"] == pytest.approx(50)


def test_overall_access() -> None:
    """Example 4: a geometric mean that survives zeros, with weights."""
    half = np.array([0.5, 0.5])
    assert overall_access(np.array([[100.0], [0.0]]), half)[0] == pytest.approx(9.049875621, abs=1e-9)
    assert overall_access(np.array([[99.0], [24.0]]), half)[0] == pytest.approx(49)
    found = overall_access(np.array([[99.0], [24.0]]), np.array([0.75, 0.25]))[0]
    assert found == pytest.approx(69.71067812, abs=1e-8)


def test_choice_of_two_places() -> None:
    """Example 5: places at 5 and 10 minutes are chosen 4 and 2 times in 7."""
    result = town({"x": (7, 0), "y": (0, 7)}, {("x", "p"): 5.0, ("x", "q"): 10.0})
    assert result.places["visitors"].tolist() == pytest.approx([4, 2])
    assert result.homes.at["x", "participation"] == pytest.approx(6 / 7)
    assert result.homes.at["y", "participation"] == 0


def test_capacity_and_floating_catchments() -> None:
    """Example 6: room per resident by the choice model, and the four floating-catchment ratios."""
    minutes = {("x", "p"): 5.0, ("x", "q"): 10.0, ("y", "p"): 15.0, ("y", "q"): 5.0}
    result = town({"x": (100,), "y": (300,)}, minutes, places={"capacity": [10, 20]})
    assert result.homes["room:squares"].tolist() == pytest.approx([47 / 600, 133 / 1800], abs=1e-12)
    pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 10, 15, 5]))
    people, seats = np.array([100.0, 300.0]), np.array([10.0, 20.0])
    weight = decay(pairs.minutes, Decay())
    assert floating_catchment(pairs, weight, people, seats) == pytest.approx([3 / 35, 1 / 14])
    three = floating_catchment(pairs, weight, people, seats, method="3sfca")
    assert three == pytest.approx([0.0946196660, 0.0684601113], abs=1e-10)
    balanced = floating_catchment(pairs, weight, people, seats, method="bfca")
    assert balanced == pytest.approx([0.0875481386, 0.0645699615], abs=1e-10)
    two = floating_catchment(pairs, decay(pairs.minutes, Decay("step", 10)), people, seats)
    assert two == pytest.approx([0.15, 0.05])


def test_two_islands_with_a_place_each() -> None:
    """Example 7: each home its own place at the door: nothing bridges."""
    result = town({"x": (100, 0), "y": (0, 100)}, {("x", "p"): 0.0, ("y", "q"): 0.0})
    assert result.places["mix:origin"].tolist() == [0, 0]
    assert result.places["bridging:origin"].tolist() == [0, 0]
    assert city(result, "q") == 0
    assert city(result, "h_units") == pytest.approx(1)
    assert city(result, "h_places") == pytest.approx(1)
    assert city(result, "participation") == pytest.approx(8 / 9)


def test_two_islands_with_a_place_between() -> None:
    """Example 8: one place five minutes from both islands bridges all there is."""
    result = town({"x": (100, 0), "y": (0, 100)}, {("x", "p"): 5.0, ("y", "p"): 5.0})
    place = result.places.loc["p"]
    for column in ("mix:origin", "bridging:origin", "representativeness:origin"):
        assert place[column] == pytest.approx(1)
    assert place["visitors"] == pytest.approx(160)
    assert city(result, "q") == pytest.approx(0.8)
    assert city(result, "h_places") == pytest.approx(0)
    met = result.exposure.query("kind == 'all' and group == 'a' and met_group == 'b'")
    assert met["share"].item() == pytest.approx(0.5)


def test_doorstep_places_raise_access_and_lower_mixing() -> None:
    """Example 9: a place at each island's door beside the one between."""
    middle = {("x", "p"): 5.0, ("y", "p"): 5.0}
    before = town({"x": (100, 0), "y": (0, 100)}, middle, choice_weights=(1,))
    after = town(
        {"x": (100, 0), "y": (0, 100)}, middle | {("x", "q"): 0.0, ("y", "r"): 0.0}, choice_weights=(1,)
    )
    assert (before.homes["access"].iloc[0], after.homes["access"].iloc[0]) == pytest.approx((50, 100))
    assert (city(before, "participation"), city(after, "participation")) == pytest.approx((0.8, 12 / 13))
    assert (city(before, "q"), city(after, "q")) == pytest.approx((0.8, 4 / 13))


@pytest.mark.parametrize(
    ("used", "mix", "bridging", "q"), [((0.0, 1.0), 0, -1, 0), ((1.0, 1.0), 1, 0, 16 / 17)]
)
def test_two_shops_next_door(used: tuple[float, float], mix: float, bridging: float, q: float) -> None:
    """Example 10: one mixed street, two places at the door: each for one group, or both for all."""
    evidence = {"attractiveness:origin:a": [1.0, used[0]], "attractiveness:origin:b": [used[0], 1.0]}
    result = town({"x": (50, 50)}, {("x", "p"): 0.0, ("x", "q"): 0.0}, places=evidence)
    assert result.places["mix:origin"].tolist() == pytest.approx([mix, mix])
    assert result.places["bridging:origin"].tolist() == pytest.approx([bridging, bridging])
    assert result.places["inherited:origin"].tolist() == pytest.approx([1, 1])
    assert city(result, "q") == pytest.approx(q)


def test_relative_mix_in_an_uneven_town() -> None:
    """Example 11: an 80/20 town; places 50/50, 80/20, 0/100, 20/80."""
    homes = {"w": (50, 50), "x": (80, 20), "y": (0, 100), "z": (20, 80)}
    minutes = dict.fromkeys(zip("wxyz", "pqrs", strict=True), 0.0)
    frozen = {"origin:a": 0.8, "origin:b": 0.2}
    places = town(homes, minutes, reference=frozen).places
    assert places["mix:origin"].tolist() == pytest.approx([1.5625, 1, 0, 1])
    assert places["representativeness:origin"].tolist() == pytest.approx([0.7, 1, 0.2, 0.4])


def test_meeting_score() -> None:
    """Example 15: reach and likeness count alike, likeness is capped, no visitors score 0."""
    found = meeting_score(
        np.array([600.0, 600, 0]), 1000, np.array([0.6, 1.39, np.nan]), np.array([0.9, 0.3, np.nan])
    )
    assert found == pytest.approx([60, 42.42640687, 0])


def test_equity_of_four_incomes() -> None:
    """Example 16: access 20, 40, 60, 80 by rising and falling income."""
    access, one = np.array([20.0, 40, 60, 80]), np.ones(4)
    assert gini(access, one) == pytest.approx(0.25)
    assert concentration_index(access, np.arange(4), one) == pytest.approx(0.25)
    assert concentration_index(access, -np.arange(4), one) == pytest.approx(-0.25)
    assert erreygers_index(access, np.arange(4), one) == pytest.approx(0.5)
    assert palma_type_ratio(access, np.arange(4), one) == pytest.approx(2.9091, abs=1e-4)
    assert lorenz(access, one)[1].tolist() == pytest.approx([0, 0.1, 0.3, 0.6, 1])
    assert math.isnan(gini(np.zeros(4), one))
    assert math.isnan(erreygers_index(np.zeros(4), np.arange(4), one))


def test_equity_weighs_people() -> None:
    """Ten people in one row equal ten rows of one."""
    values, people = np.array([10.0, 50.0, 20.0]), np.array([3.0, 2.0, 5.0])
    spread, one = np.repeat(values, people.astype(int)), np.ones(10)
    assert gini(values, people) == pytest.approx(gini(spread, one))
    for index in (concentration_index, palma_type_ratio):
        assert index(values, values, people) == pytest.approx(index(spread, spread, one))
    # ranked by itself, the concentration index is the Gini
    assert concentration_index(values, values, people) == pytest.approx(gini(values, people))
    ten = np.arange(1.0, 11)
    assert palma_type_ratio(ten, ten, np.ones(10)) == pytest.approx(10 / 2.5)


def test_choice_set_of_five_with_a_tie() -> None:
    """Example 24: six places, without and with a tie at the limit."""

    def shares(times: list[float]) -> list[float]:
        result = town({"x": (33, 0), "y": (0, 33)}, {("x", f"p{i}"): t for i, t in enumerate(times)})
        return list(result.places["visitors"])

    assert shares([0, 5, 10, 15, 20, 25]) == pytest.approx([16, 8, 4, 2, 1, 0])
    assert shares([0, 5, 10, 15, 20, 20]) == pytest.approx([16, 8, 4, 2, 0.5, 0.5])
    assert shares([0, 5, 10, 15, 20, 20 + 1e-10]) == pytest.approx([16, 8, 4, 2, 0.5, 0.5])


def test_room_to_sort() -> None:
    """Example 25: one place leaves no room, two next door half, five equal ones four fifths."""
    for number, room in ((1, 0), (2, 0.5), (5, 0.8)):
        result = town({"x": (10, 10)}, {("x", f"p{i}"): 3.0 for i in range(number)})
        assert result.places["room_to_sort"].tolist() == pytest.approx([room] * number)


def test_islands_of_the_day_cannot_be_gamed() -> None:
    """Example 27: serving only the mixed street, or each street: the day's islands stay two thirds."""
    homes = {"x": (50, 50), "y": (100, 0), "z": (0, 100)}
    one = town(homes, {("x", "p"): 2.0})
    each = town(homes, {("x", "p"): 2.0, ("y", "q"): 2.0, ("z", "r"): 2.0})
    for result, islands in ((one, 0), (each, 2 / 3)):
        assert city(result, "islands_places") == pytest.approx(islands)
        assert city(result, "islands_home_visits") == pytest.approx(islands)
        assert city(result, "islands_day") == pytest.approx(2 / 3)


def test_core_and_buffer() -> None:
    """Example 28: places count everybody, town figures only the core."""
    result = town({"x": (60, 40), "y": (100, 0)}, {("x", "p"): 5.0, ("y", "p"): 5.0}, core=[True, False])
    place = result.places.loc["p"]
    assert place["mix:origin"] == pytest.approx(2 / 3)
    assert place["representativeness:origin"] == pytest.approx(0.8)
    assert place["visitors"] == pytest.approx(160)
    assert city(result, "q") == pytest.approx(0.8)
    assert math.isnan(result.homes.at["y", "q:origin"])


def test_floors_of_a_town_without_structure() -> None:
    """Example 19: twenty units of fifty people, two equal groups: H shows 0.0137 by chance alone."""
    assert islands_floor(np.full(20, 50.0), np.full(20, 50.0)) == pytest.approx(19 / 1000)
    assert units_h(np.full((20, 2), 25.0))[1] == pytest.approx(0.0137, abs=5e-5)


def test_undefined_is_not_zero() -> None:
    """Example 36: one group has no mix; an unreachable place has none either, and scores 0."""
    alone = town({"x": (10, 0)}, {("x", "p"): 5.0})
    for column in ("chance", "mix", "representativeness", "meeting_score", "mixed", "mix_sorted"):
        assert math.isnan(alone.places.at["p", f"{column}:origin"])
    assert math.isnan(city(alone, "q"))
    assert city(alone, "participation") == pytest.approx(0.8)
    far = town({"x": (10, 0), "y": (0, 10)}, {("x", "p"): 31.0})
    assert math.isnan(far.places.at["p", "mix:origin"])
    assert far.places.at["p", "meeting_score:origin"] == 0
    assert far.places.at["p", "mixed:origin"] == 0
    assert city(far, "q") == 0


def test_sorting_one_step() -> None:
    """A street between two shops, each at one group's door: visits move to where one's own people go."""
    homes = {"x": (100, 0), "y": (0, 100), "m": (50, 50)}
    minutes = {("x", "p"): 0.0, ("y", "q"): 0.0, ("m", "p"): 5.0, ("m", "q"): 5.0}
    result = town(homes, minutes)
    # eta = 0: x sends 8/9 of 100 to p; m sends 4/9 of 50 of each group to each
    own, shared = 800 / 9, 200 / 9
    assert result.places.at["p", "visitors:origin:a"] == pytest.approx(own + shared)
    share = (own + shared) / (own + 2 * shared)  # of group a at p; P* is even
    # eta = 1: of m's visits by a, share goes to p
    moved = 2 * shared * share
    a, b = own + moved, 2 * shared - moved
    assert result.places.at["p", "mix_sorted:origin"] == pytest.approx(4 * a * b / (a + b) ** 2)
    assert city(result, "q_sorted") < city(result, "q_sorted_half") < city(result, "q")


def test_sorting_is_blind_to_places_side_by_side() -> None:
    """Two shops next door stay as mixed as the street at every degree of sorting."""
    places = town({"x": (30, 70)}, {("x", "p"): 1.0, ("x", "q"): 1.0}).places
    assert places["mix_sorted:origin"].tolist() == pytest.approx([1, 1])


def test_nearest_only_clusters() -> None:
    """Everyone to the nearest place, ties split; those who reach none are reported and left out."""
    homes = {"x": (40, 0), "y": (0, 40), "z": (10, 10)}
    result = town(homes, {("x", "p"): 3.0, ("x", "q"): 3.0, ("y", "q"): 4.0, ("y", "p"): 9.0})
    # p gets 20 of a; q gets 20 of a and 40 of b; 80 of 100 people reach one, half a, half b
    mixed = 60 * (1 - (1 / 3) ** 2 - (2 / 3) ** 2)
    assert city(result, "bridging_index_nearest") == pytest.approx(mixed / 80 / 0.5)
    assert city(result, "unreached") == pytest.approx(0.2)


def test_headline_asks_for_mix_likeness_and_visitors() -> None:
    """A mixed place within ten minutes: at the limit of fifty visitors, and of ten minutes."""

    def share(people: float, minutes: float) -> float:
        homes = {"x": (people, 0), "y": (0, people)}
        return city(town(homes, {("x", "p"): minutes, ("y", "p"): minutes}), "mixed_place_10min")

    exact = 50 * (1 / 8 + 0.25) / 0.25 / 2  # V = 50 at ten minutes
    assert share(exact, 10.0) == 1
    assert share(exact - 1, 10.0) == 0
    assert share(2 * exact, 10.01) == 0


def test_weakest_kind_names() -> None:
    """The lowest score; on ties the larger weight; all that score 0."""
    residents = pd.DataFrame({"o:a": [1, 1, 1]}, index=["x", "y", "z"])
    places = pd.DataFrame({"kind": ["b", "c"]}, index=["p", "q"])
    times = pd.DataFrame(
        {"home_id": ["x", "x", "y"], "place_id": ["p", "q", "p"], "minutes": [5.0, 5.0, 5.0]}
    )
    result = assess_tables(
        residents, places, times, params=Params(kinds=("b", "c", "d"), kind_weights={"c": 2})
    )
    assert result.homes["weakest_kind"].tolist() == ["d", "c;d", "b;c;d"]
    two = assess_tables(residents, places, times, params=Params(kind_weights={"c": 2}))
    assert two.homes["weakest_kind"].tolist() == ["c", "c", "b;c"]
    assert result.quality.missing_kinds == ("d",)


def test_reach_reference_is_the_ninetieth_percentile_of_core_places() -> None:
    """Ten places reached by 1 to 10 people: nine of them at or below nine."""
    homes = {f"h{i}": (float(i), 0.0) for i in range(1, 11)}
    result = town(homes, {(f"h{i}", f"p{i}"): 0.0 for i in range(1, 11)})
    assert result.params.reach_full == 9
