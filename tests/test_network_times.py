"""Walking times and home environments, to the millimetre, against networkx on the split graph."""

from dataclasses import dataclass

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from split_graph import home_mm, make_streets, split_graph

from gisapp.area import Streets
from gisapp.network import compiled
from gisapp.network.entries import Entries
from gisapp.network.graph import Network, build_network
from gisapp.network.snap import Snaps
from gisapp.network.times import Walks, environments, home_pairs, limit_mm, minutes_of, walks

Row = tuple[int, int, int]


@dataclass
class Town:
    """A small random network with homes and entries attached."""

    network: Network
    homes: list[Row | None]
    entries: list[tuple[int, Row]]
    n_places: int

    def snaps(self) -> Snaps:
        rows = [row or (-1, 0, 0) for row in self.homes]
        return Snaps(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)

    def entry_rows(self) -> Entries:
        rows = sorted((place, *row) for place, row in self.entries)
        return Entries(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)

    def points(self) -> np.ndarray:
        lines = self.network.lines
        return np.array([
            shapely.Point(1e6, 1e6) if row is None
            else lines[row[0]].interpolate(row[1] / max(1, self.network.cost_mm[row[0]]), normalized=True)
            for row in self.homes
        ], dtype=object)  # fmt: skip

    def walks(self, horizon_min: float, engine: str = "scipy") -> Walks:
        limit = limit_mm(horizon_min, self.network.speed_ms)
        if engine == "scipy":
            return walks(self.network, self.snaps(), self.entry_rows(), limit=limit)
        town = compiled.searchable(self.network, self.snaps())
        return compiled.walks(town, self.entry_rows(), limit=limit)

    def times(self, horizon_min: float, engine: str = "scipy") -> dict[tuple[int, int], float]:
        """Minutes by home and place, checked to be single and in order."""
        found = self.walks(horizon_min, engine)
        rows = list(zip(found.home.tolist(), found.mm.tolist(), found.place.tolist(), strict=True))
        assert rows == sorted(rows)
        minutes = minutes_of(found.mm, self.network.speed_ms).tolist()
        pairs = dict(zip(zip(found.home.tolist(), found.place.tolist(), strict=True), minutes, strict=True))
        assert len(pairs) == len(rows)
        return pairs

    def graph(self, *, directed: bool = True) -> object:
        edges = zip(
            self.network.u.tolist(), self.network.v.tolist(), self.network.cost_mm.tolist(), strict=True
        )
        return split_graph(edges, self.homes, self.entries, self.network.oneway if directed else None)


ENGINES = pytest.mark.parametrize("engine", ["scipy", "compiled"])


@st.composite
def towns(draw: st.DrawFn) -> Town:
    """Networks with parallel edges, loops and several parts; homes and entries often share an edge."""
    n = draw(st.integers(2, 7))
    xy = [(draw(st.integers(0, 900)) + 0.25 * i, draw(st.integers(0, 900)) + 0.5 * i) for i in range(n)]
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    edges = draw(st.lists(ends, min_size=1, max_size=9))
    bends = draw(st.lists(st.integers(1, 200).map(float), min_size=len(edges), max_size=len(edges)))
    speed = draw(st.sampled_from([1.25, 0.85, 4.0 / 3.6]))
    streets = make_streets(xy, edges, bends)
    ways = draw(st.lists(st.sampled_from([0, 0, 0, 1, -1]), min_size=len(edges), max_size=len(edges)))
    streets = Streets(streets.nodes, streets.edges.assign(oneway=ways))
    network = build_network(streets, profile="adult", speed_ms=speed)

    def row() -> Row:
        edge = draw(st.integers(0, len(edges) - 1))
        cost = int(network.cost_mm[edge])
        offset = draw(st.one_of(st.sampled_from([0, cost]), st.integers(0, cost)))
        return edge, offset, draw(st.sampled_from([0, 0, 1, 12_345, 99_999]))

    homes = [row() if draw(st.integers(0, 5)) else None for _ in range(draw(st.integers(1, 6)))]
    n_places = draw(st.integers(0, 5))
    entries = {
        (p, *row()[:2]): draw(st.sampled_from([0, 7_001]))
        for p in range(n_places)
        for _ in range(draw(st.integers(0, 3)))
    }
    return Town(network, homes, [(p, (e, o, a)) for (p, e, o), a in entries.items()], n_places)


HORIZON = st.sampled_from([30.0, 12.0, 3.5, 0.25])


@ENGINES
@settings(max_examples=120, deadline=None)
@given(town=towns(), horizon_min=HORIZON)
def test_walks_are_networkx_to_the_millimetre(engine: str, town: Town, horizon_min: float) -> None:
    """Every pair within the horizon and no other, with exactly the shortest walk of the split graph."""
    speed = town.network.speed_ms
    limit, graph, expected = limit_mm(horizon_min, speed), town.graph(), {}
    for place in range(town.n_places):
        for home, mm in home_mm(graph, ("place", place), limit).items():
            expected[home, place] = mm / (60_000 * speed)
    assert town.times(horizon_min, engine) == expected


@settings(max_examples=60, deadline=None)
@given(towns(), HORIZON)
def test_home_pairs_and_environments_are_networkx_to_the_millimetre(town: Town, within_min: float) -> None:
    """Homes near each home and the sums over them; a home is near itself even where it is not attached."""
    speed, graph, n = town.network.speed_ms, town.graph(directed=False), len(town.homes)
    limit = limit_mm(within_min, speed)
    expected = {
        (a, b): mm / (60_000 * speed)
        for a in range(n)
        for b, mm in home_mm(graph, ("home", a), limit).items()
    }
    expected |= {(a, a): 0.0 for a in range(n)}
    found = {}
    for a, b, minutes in home_pairs(town.network, town.snaps(), town.points(), limit=limit):
        for key in zip(a.tolist(), b.tolist(), minutes.tolist(), strict=True):
            assert key[:2] not in found
            found[key[:2]] = key[2]
    assert found == expected
    counts = np.random.default_rng(n).integers(0, 50, (n, 2)).astype(float)
    sums = [counts[[b for a, b in expected if a == home]].sum(axis=0) for home in range(n)]
    near = compiled.searchable(town.network.undirected(), town.snaps())
    fast = compiled.environments(near, counts, limit=limit)
    assert np.array_equal(fast, sums)
    assert np.array_equal(environments(town.network, town.snaps(), town.points(), counts, limit=limit), sums)


@settings(max_examples=60, deadline=None)
@given(towns())
def test_slower_walkers_reach_less_and_longer_horizons_keep_all(town: Town) -> None:
    """A lower speed adds no pair and shortens no time; a longer horizon keeps every minute it had."""
    near, far = town.times(4.0), town.times(9.0)
    assert near.items() <= far.items()
    assert {key for key, minutes in far.items() if minutes <= 4.0} == set(near)
    town.network = Network(**{**vars(town.network), "speed_ms": town.network.speed_ms * 0.8})
    slow = town.times(9.0)
    assert set(slow) <= set(far)
    assert all(slow[key] > far[key] or slow[key] == 0 for key in slow)


@settings(max_examples=60, deadline=None)
@given(towns(), st.randoms(use_true_random=False))
def test_direction_order_and_place_of_the_network_change_nothing(town: Town, random: object) -> None:
    """Edges drawn the other way, in another order, on nodes numbered afresh: the same minutes bit by bit."""
    before = town.times(9.0)
    network, m = town.network, len(town.network.u)
    order, node = list(range(m)), list(range(network.n_nodes))
    random.shuffle(order)
    random.shuffle(node)
    new_number, flip = {old: new for new, old in enumerate(order)}, [random.random() < 0.5 for _ in range(m)]
    number, cost = np.array(node), network.cost_mm

    def moved(row: Row | None) -> Row | None:
        return row and (new_number[row[0]], int(cost[row[0]]) - row[1] if flip[row[0]] else row[1], row[2])

    swapped = np.array(flip)[order]
    u, v = number[network.u[order]], number[network.v[order]]
    network = Network(
        **{
            **vars(network),
            "u": np.where(swapped, v, u),
            "v": np.where(swapped, u, v),
            "cost_mm": cost[order],
            "oneway": None
            if network.oneway is None
            else np.where(swapped, -network.oneway[order], network.oneway[order]),
        }
    )
    other = Town(
        network, [moved(r) for r in town.homes], [(p, moved(r)) for p, r in town.entries], town.n_places
    )
    assert other.times(9.0) == before


def straight(metres: float, **columns: float) -> Streets:
    """One straight street."""
    streets = make_streets([(0, 0), (metres, 0)], [(0, 1)], [0.0])
    return Streets(streets.nodes, streets.edges.assign(**columns))


def test_worked_answer_of_335_metres() -> None:
    """335 m including both legs, on one edge, take 4.4667 minutes at 1.25 m/s."""
    network = build_network(straight(500.0), profile="adult", speed_ms=1.25)
    town = Town(network, [(0, 50_000, 20_000)], [(0, (0, 350_000, 15_000))], 1)
    assert town.times(30.0) == {(0, 0): pytest.approx(4.4667, abs=5e-5)}


def test_the_horizon_is_inclusive_to_the_millimetre() -> None:
    """A walk of exactly 30 minutes counts, one a millimetre longer does not."""
    network = build_network(straight(3_000.0), profile="adult", speed_ms=1.25)
    town = Town(network, [(0, 0, 0), (0, 0, 1)], [(0, (0, 2_250_000, 0))], 1)
    assert town.times(30.0) == {(0, 0): 30.0}


def test_neighbours_are_found_across_blocks_of_homes() -> None:
    """600 homes along 3 km, more than are searched at once: all within five minutes, and no other."""
    network = build_network(straight(3_000.0), profile="adult", speed_ms=1.25)
    at = np.arange(600) * 5_000
    town = Town(network, [(0, int(offset), 0) for offset in at], [], 0)
    expected = {(i, j) for i in range(600) for j in np.flatnonzero(abs(at - at[i]) <= 375_000).tolist()}
    blocks = home_pairs(network, town.snaps(), town.points(), limit=375_000)
    pairs = [pair for a, b, _ in blocks for pair in zip(a.tolist(), b.tolist(), strict=True)]
    assert len(pairs) == len(expected)
    assert set(pairs) == expected


def test_waiting_for_a_lift_costs_its_seconds_at_every_speed() -> None:
    """45 s of waiting are 0.75 minutes for a fast and for a slow walker."""
    for speed in (1.25, 0.8):
        network = build_network(straight(60.0, wait_s=45.0), profile="adult", speed_ms=speed)
        town = Town(network, [(0, 0, 0)], [(0, (0, int(network.cost_mm[0]), 0))], 1)
        assert town.times(30.0)[0, 0] == pytest.approx(60 / speed / 60 + 0.75, abs=1e-5)


def test_profiles_leave_out_what_is_said_not_to_be_for_them() -> None:
    """Wheelchairs avoid what is barred and evening walkers what is unlit; unknown stays."""
    streets = make_streets([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 2), (0, 2)], [0.0, 0.0, 90.0])
    edges = streets.edges.assign(wheelchair_no=[True, False, False], lit_no=[False, True, False])
    streets = Streets(streets.nodes, edges)
    kept = {
        p: build_network(streets, profile=p, speed_ms=1.0).row.tolist()
        for p in ("adult", "wheelchair", "evening")
    }
    assert kept == {"adult": [0, 1, 2], "wheelchair": [1, 2], "evening": [0, 2]}


def test_short_parts_that_hang_on_nothing_are_stubs() -> None:
    """A part of under 500 m in all is a stub: no front door opens on it where a joined street is near."""
    xy = [(0, 0), (600, 0), (0, 50), (300, 50), (600, 50), (0, 2000), (480, 2000), (500.5, 2000)]
    streets = make_streets([*xy], [(0, 1), (2, 3), (5, 6), (6, 7)], [0.0] * 4)
    network = build_network(streets, profile="adult", speed_ms=1.25)
    assert network.doors.tolist() == [0, 2, 3]
    assert network.stubs.tolist() == [1]


@example(n_far=3)
@settings(max_examples=20, deadline=None)
@given(n_far=st.integers(0, 5))
def test_homes_and_places_without_a_street_are_in_no_pair(n_far: int) -> None:
    """Unattached homes reach nothing, places without an entry are reached by nobody, nothing breaks."""
    network = build_network(straight(500.0), profile="adult", speed_ms=1.25)
    homes: list[Row | None] = [None] * n_far + [(0, 10, 10)]
    town = Town(network, homes, [(1, (0, 10, 0))], 3)
    assert set(town.times(30.0)) == {(n_far, 1)}
