"""Where next: optima found by trying all sets, greedy's bound, exact effects, the default rule, and faults."""

from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from siting_town import CRS, SitingTown, grid, path, siting_town
from typer.testing import CliRunner

import gisapp as ga
from gisapp.area import StudyArea
from gisapp.cli import app
from gisapp.errors import InputError
from gisapp.project import read_project, write_project
from gisapp.scenario_apply import apply_scenario
from gisapp.scores.arrays import Pairs
from gisapp.scores.sensitivity import Draw
from gisapp.siting import _problem
from gisapp.siting_candidates import map_candidates, own_candidates
from gisapp.siting_draws import _drawn, _only, stays_best
from gisapp.siting_mixing import Mixing
from gisapp.siting_objectives import Access, Problem, TotalTime, Within, WorstTime
from gisapp.siting_search import best_exchange, greedy, lazy_greedy, most_covered


def towns() -> list[SitingTown]:
    """Return paths and grids, some with a square already."""
    made = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        metres = rng.uniform(150, 600, 9)
        made.append(
            siting_town(path(metres), rng.integers(0, 90, (10, 2)), range(0, 10, 2), [5] if seed else [])
        )
        made.append(siting_town(grid(rng), rng.integers(0, 90, (16, 2)), [0, 2, 5, 7, 8, 10, 13], [6]))
    return made


@pytest.fixture(scope="module", params=range(4))
def town(request: pytest.FixtureRequest) -> SitingTown:
    """One of the towns."""
    return towns()[request.param]


@pytest.fixture(scope="module")
def base(town: SitingTown) -> ga.Assessment:
    """The town's scores."""
    return ga.assess(town.area)


@pytest.fixture(scope="module")
def sample() -> StudyArea:
    """The sample with every ninth home."""
    area = ga.load_sample()
    return area.with_(residents=area.residents.iloc[::9])


@pytest.fixture(scope="module")
def before(sample: StudyArea) -> ga.Assessment:
    """The sample's scores."""
    return ga.assess(sample)


def goodness(town: SitingTown, objective: str, chosen: tuple[int, ...]) -> float:
    """Return how good a set is, from its definition."""
    nearest = town.nearest(chosen)
    if objective in ("norm", "coverage"):
        return float(town.people[nearest <= 6 + 1e-9].sum())
    if objective == "p-median":
        return -float((town.people * nearest).sum())
    if objective == "p-center":
        return -float(nearest[town.people > 0].max())
    minutes = np.vstack([town.existing[None], town.minutes[list(chosen)]])
    near = -np.sort(-np.where(minutes <= 30, 2.0 ** (-minutes / 5), 0.0), axis=0)[:3]
    score = np.minimum(100, 100 * (np.array([1, 0.2, 0.1])[: len(near), None] * near).sum(axis=0))
    return float((town.people * np.log1p(score)).sum())


@pytest.mark.parametrize("objective", ["coverage", "p-median", "p-center"])
@pytest.mark.parametrize("n", [1, 3])
def test_the_best_of_all_sets_is_found(town: SitingTown, base: ga.Assessment, objective: str, n: int) -> None:
    """On paths and grids, what is suggested is as good as the best of all sets, walks by networkx."""
    sites = ga.suggest_sites(
        town.area, "squares", n, objective=objective, candidates=town.candidates, baseline=base
    )
    best = max(goodness(town, objective, chosen) for chosen in town.sets(n))
    found = goodness(town, objective, tuple(sites.table["candidate"]))
    assert found == pytest.approx(best, rel=1e-5)
    assert sites.table.index.tolist() == list(range(1, n + 1))
    if objective == "coverage":
        assert sites.method.startswith("Every candidate" if n == 1 else "Exact")


@pytest.mark.parametrize("objective", ["norm", "access"])
@pytest.mark.parametrize("n", [1, 3])
def test_greedy_keeps_its_promise(town: SitingTown, base: ga.Assessment, objective: str, n: int) -> None:
    """Of what the best set adds, greedy adds at least 63 %, and one site is the best of all."""
    sites = ga.suggest_sites(
        town.area, "squares", n, objective=objective, candidates=town.candidates, baseline=base
    )
    none = goodness(town, objective, ()) if np.isfinite(town.existing).any() else 0.0
    best = max(goodness(town, objective, chosen) for chosen in town.sets(n)) - none
    found = goodness(town, objective, tuple(sites.table["candidate"])) - none
    assert found >= (1 - 1 / np.e if n > 1 else 1) * best * (1 - 1e-6) - 1e-3


@pytest.mark.parametrize("n", [2])
def test_mixing_is_as_good_as_the_best_of_all_sets(town: SitingTown, base: ga.Assessment, n: int) -> None:
    """Q of the suggested sites, scored afresh, is that of the best set of all, each scored afresh."""

    def q(chosen: tuple[int, ...]) -> float:
        plan = ga.Scenario()
        for one in chosen:
            plan = plan.add("squares", at=town.candidates.geometry.iloc[one])
        change = ga.compare(town.area, plan, base.params, baseline=base)
        return float(change.scenario.city.set_index("kind").loc["all", "q"])

    sites = ga.suggest_sites(
        town.area, "squares", n, objective="mixing", candidates=town.candidates, baseline=base
    )
    found = float(sites.change.scenario.city.set_index("kind").loc["all", "q"])
    assert found == pytest.approx(max(q(chosen) for chosen in town.sets(n)), abs=1e-9)
    expected = [
        q((one,)) - float(base.city.set_index("kind").loc["all", "q"]) for one in sites.shortlist.index
    ]
    assert sites.shortlist["q"].tolist() == pytest.approx(expected, abs=1e-12)


def test_a_street_with_answers_by_hand() -> None:
    """Five homes 300 m apart: one square goes in the middle; two at the ends' neighbours leave nobody over 4 min."""
    street = siting_town(path([300] * 4), np.full((5, 2), 50), range(5))
    one = ga.suggest_sites(street.area, "squares", objective="p-median", candidates=street.candidates)
    assert one.table.loc[1, "name"] == "node 2"
    assert (
        one.table.loc[1, "residents_within_norm"] == 300
    )  # 6 minutes are 450 m: the middle and both beside it
    two = ga.suggest_sites(street.area, "squares", 2, objective="p-center", candidates=street.candidates)
    assert two.change.scenario.homes["nearest_min:squares"].max() == pytest.approx(4)
    assert two.scenario == ga.Scenario("squares (p-center)").add(
        "squares", at=two.table.geometry.loc[1]
    ).add("squares", at=two.table.geometry.loc[2])  # fmt: skip


def test_what_is_there_stays() -> None:
    """A candidate where a square is already adds nobody; the one on the other side is taken."""
    street = siting_town(path([300] * 6), np.full((7, 2), 50), [1, 5], [1])
    sites = ga.suggest_sites(street.area, "squares", candidates=street.candidates)
    assert sites.table["name"].tolist() == ["node 5"]
    assert set(sites.shortlist.loc[0, ["residents_within_norm"]]) == {0.0}
    assert len(sites.change.scenario.places) == 2


def test_the_default_rule_takes_the_better_mixed_of_those_nearly_best() -> None:
    """Of 100, 95 and 80 newly served, the second, which mixes, is taken; the third mixes more, but serves too few."""
    metres = [600.0] * 6
    people = np.zeros((7, 2), dtype=int)
    people[0], people[2], people[4] = (100, 0), (75, 20), (40, 40)
    people[6] = (0, 60)  # near no candidate
    street = siting_town(path(metres), people, [0, 2, 4])
    chosen = {
        objective: ga.suggest_sites(street.area, "squares", objective=objective, candidates=street.candidates)
        for objective in ("norm", "default")
    }
    assert chosen["norm"].table["name"].tolist() == ["node 0"]
    assert chosen["default"].table["name"].tolist() == ["node 2"]
    short = chosen["default"].shortlist
    assert short.loc[2, "q"] > short.loc[1, "q"] > short.loc[0, "q"]


def test_more_access_and_less_mixing_is_told_as_a_conflict() -> None:
    """A square halfway between two groups; one more on a doorstep raises access, lowers Q, and the reason says so."""
    people = np.array([[100, 0], [0, 0], [0, 100]])
    street = siting_town(path([375, 375]), people, [0, 2], [1])
    sites = ga.suggest_sites(street.area, "squares", 2, objective="access", candidates=street.candidates,
                              params=ga.Params(horizon_min=8))  # fmt: skip
    assert (sites.table["q:origin"] < 0).all()
    assert sites.table["reason"].str.contains("A conflict: more access, less mixing").all()
    assert (sites.table["access"] > 0).all()
    assert all("Een conflict" in text for text in sites.reasons("nl"))
    assert all("50 habitants de plus" not in text and "Un conflit" in text for text in sites.reasons("fr"))
    assert sites.change.scenario.city["q"].iloc[-1] == pytest.approx(4 / 13, abs=1e-6)  # score.md, case 9


def test_only_the_core_counts_and_links_are_walked() -> None:
    """Who lives in the buffer is no reason for a site; a footpath of a scenario brings a candidate into reach."""
    street = siting_town(path([300] * 6), np.full((7, 2), 50), [0, 5])
    half = street.area.residents.assign(core=[True] * 3 + [False] * 4)
    sites = ga.suggest_sites(street.area.with_(residents=half), "squares", candidates=street.candidates)
    assert sites.table["name"].tolist() == ["node 0"]
    assert sites.table.loc[1, "residents_within_norm"] == 200
    assert sites.shortlist["residents_within_norm"].tolist() == [200, 0]
    bend = path([600, 200, 600])
    for node, xy in enumerate([(0, 0), (0, 600), (200, 600), (200, 0)]):
        bend.nodes[node]["xy"] = xy
    block = siting_town(bend, np.array([[50, 30], [0, 0], [0, 0], [0, 0]]), [3])
    ends = [(p.x, p.y) for p in block.area.residents.geometry.iloc[[0, 3]]]
    linked = apply_scenario(block.area, ga.Scenario().link(ends[0], ends[1]))
    for town, expected in ((block.area, 0), (linked, 80)):
        found = ga.suggest_sites(town, "squares", candidates=block.candidates)
        assert found.shortlist["residents_within_norm"].tolist() == [expected]
        assert found.table.loc[1, "residents_within_norm"] == expected


def random_problem(rng: np.random.Generator, homes: int = 40, farthest: float = 40) -> Problem:
    """Return ten candidates and homes with random walks, some places there already where walks may be long."""
    minutes = rng.uniform(0, farthest, (10, homes))
    near = minutes <= 30
    params = ga.Params()
    settings = SimpleNamespace(enough=np.array([False]))
    share = 0.4 if farthest > 30 else 0.0
    now = np.sort(np.where(rng.random((3, homes)) < share, rng.uniform(5, 30, (3, homes)), np.inf), axis=0)
    return Problem(
        kept=SimpleNamespace(params=params, settings=settings),  # type: ignore[arg-type]
        kind=0,
        begin=np.concatenate([[0], np.cumsum(near.sum(axis=1))]),
        home=np.nonzero(near)[1],
        minutes=minutes[near],
        people=rng.integers(0, 100, homes).astype(float),
        nth_min=now,
        members=np.zeros(0, int),
        existing=Pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0)),
    )


@pytest.mark.parametrize("seed", range(25))
def test_random_cases_against_all_sets(seed: int) -> None:
    """Gains are differences of values; greedy reaches 63 %; lazy is greedy; coverage and exchange reach the optimum."""
    problem = random_problem(np.random.default_rng(seed))
    sets = list(combinations(range(10), 3))
    within, access = Within(problem, 10), Access(problem)
    for goal in (within, access, TotalTime(problem), WorstTime(problem)):
        for chosen in ([], [3], [1, 7]):
            expected = [goal.value([*chosen, one]) - goal.value(chosen) for one in range(10)]
            assert goal.gains(chosen) == pytest.approx(np.array(expected), abs=1e-7)
    for goal in (within, access):
        none, best = goal.value([]), max(goal.value(chosen) for chosen in sets)
        assert goal.value(greedy(goal.gains, 3)) - none >= (1 - 1 / np.e) * (best - none)
    assert lazy_greedy(access.gains([]), access.gain, 3) == greedy(access.gains, 3)
    covered, share = most_covered(*within.pairs(), 3, 10)
    assert share == 1
    assert within.value(covered) == max(within.value(chosen) for chosen in sets)
    for goal in (TotalTime(problem), WorstTime(problem)):
        found = goal.value(best_exchange(goal.gains, goal.value, 3, 10, restarts=10))
        assert found == pytest.approx(max(goal.value(chosen) for chosen in sets))


def test_the_worst_served_of_many_homes_is_found() -> None:
    """A candidate that helps hundreds of the worst served is told from one that leaves out the last of them."""
    problem = random_problem(np.random.default_rng(0), homes=900, farthest=25)
    goal = WorstTime(problem)
    for chosen in ([], [4]):
        expected = [goal.value([*chosen, one]) - goal.value(chosen) for one in range(10)]
        assert goal.gains(chosen) == pytest.approx(np.array(expected), abs=1e-7)
    assert goal.gains([]).max() > 4  # all were beyond 30 minutes


@pytest.mark.parametrize("kind", ["playgrounds", "cafes", "clubs"])
def test_effects_are_those_of_compare(sample: StudyArea, before: ga.Assessment, kind: str) -> None:
    """A row's figures are a comparison's after minus before; the shortlist's are those of each candidate alone."""
    sites = ga.suggest_sites(sample, kind, 2, objective="default", params=before.params, baseline=before)
    both = sites.change
    again = ga.compare(sample, sites.scenario, before.params, baseline=before)
    assert again.scenario.homes.equals(both.scenario.homes)
    people = (sample.residents["total"] * sample.residents["core"]).to_numpy()
    newly = (people * both.difference.homes[f"within_norm:{kind}"].to_numpy()).sum()
    assert sites.table["residents_within_norm"].sum() == pytest.approx(newly)
    assert sites.table["access"].sum() == pytest.approx(
        (people * both.difference.homes["access"].to_numpy()).sum() / people.sum()
    )
    city = both.difference.city.set_index(["dimension", "kind"])
    for dimension in ("age", "residence"):
        column = sites.table[f"islands_places_sorted:{dimension}"].sum()
        assert column == pytest.approx(city.loc[(dimension, "all"), "islands_places_sorted"], abs=1e-12)
    assert not both.conflict
    for _, row in sites.shortlist.iloc[[0, 3, 7]].iterrows():
        plan = ga.Scenario().add(kind, at=row.geometry)
        alone = ga.compare(sample, plan, before.params, baseline=before).difference
        assert row["access"] == pytest.approx((people * alone.homes["access"]).sum() / people.sum(), abs=1e-9)
        if not np.isnan(row["q"]):
            changed = alone.city.set_index(["dimension", "kind"])["q"]
            assert any(row["q"] == pytest.approx(v, abs=1e-12) for v in changed.xs("all", level="kind"))
    assert (sites.shortlist["q"].isna().all()) == (kind == "clubs")  # clubs are access only
    assert len(sites.shortlist) == 20
    assert sites.shortlist["on_front"].any()


def test_candidates_of_the_map_are_corners_and_open_ground(sample: StudyArea, before: ga.Assessment) -> None:
    """Corners join three streets; there are never more than asked, spread over the town; all lie in the core."""
    assert before.inputs is not None
    network = before.inputs.kept.routing.network
    sample = sample.with_(boundary=None)
    every = map_candidates(sample, network, limit_m=100, most=100_000)
    assert set(every["source"]) == {"corner", "path", "parks", "squares"}
    assert every.loc[every["source"] == "corner", "name"].notna().all()
    degree = np.bincount(np.concatenate([network.u[network.doors], network.v[network.doors]]))
    corners = every[every["source"].isin(["corner", "path"])]
    assert len(corners) == (degree >= 3).sum()
    few = map_candidates(sample, network, limit_m=100, most=150)
    assert 100 <= len(few) <= 150
    spread = few.geometry.union_all().convex_hull.area / every.geometry.union_all().convex_hull.area
    assert spread > 0.8
    box = shapely.box(*sample.residents.total_bounds).buffer(-300)
    inside = map_candidates(sample.with_(boundary=box), network, limit_m=100)
    assert 0 < len(inside) < len(every)
    assert inside[inside["source"].isin(["corner", "path"])].intersects(box).all()


def test_a_planners_own_layer(sample: StudyArea, before: ga.Assessment) -> None:
    """Points and polygons in any system are used as given; what lies far from every street is left out."""
    x, y = sample.residents.geometry.iloc[30].coords[0]
    shapes = [shapely.box(x, y, x + 25, y + 25), shapely.Point(x + 200, y), shapely.Point(x + 90_000, y)]
    own = gpd.GeoDataFrame({"name": ["Yard", None, "Far"]}, geometry=shapes, crs=sample.crs).to_crs(4326)
    sites = ga.suggest_sites(sample, "gardens", 2, candidates=own, params=before.params, baseline=before)
    assert set(sites.table["candidate"]) == {0, 1}
    assert sites.table.geometry.geom_type.isin(["Point", "Polygon"]).all()
    assert sites.table["reason"].str.startswith("Own candidate").all()
    with pytest.raises(InputError, match="only 2 candidates near a walkable street"):
        ga.suggest_sites(sample, "gardens", 3, candidates=own, params=before.params, baseline=before)
    with pytest.raises(InputError, match="none of 1 lies within 100 m from a walkable street"):
        ga.suggest_sites(sample, "gardens", candidates=own.iloc[[2]], params=before.params, baseline=before)


def test_what_cannot_be_asked_is_told_in_a_sentence(sample: StudyArea, before: ga.Assessment) -> None:
    """Unknown kinds and objectives, no number of sites, unusable layers: each named, in one message."""
    with pytest.raises(InputError) as fault:
        ga.suggest_sites(sample, "playground", 0, objective="best", within_min=99)
    for said in ("no 'playground'", "nearest is 'playgrounds'", "n=0", "objective='best'", "within_min=99"):
        assert said in str(fault.value)
    with pytest.raises(InputError, match="takes no part in mixing"):
        ga.suggest_sites(sample, "schools", objective="mixing", params=before.params, baseline=before)
    with pytest.raises(InputError, match="counted by"):
        ga.suggest_sites(sample, "cafes", dimension="shoes", params=before.params, baseline=before)
    line = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])])
    with pytest.raises(InputError, match=r"coordinate system[\s\S]*no point or sound polygon"):
        ga.suggest_sites(sample, "cafes", candidates=line, params=before.params, baseline=before)
    with pytest.raises(InputError, match="layer is empty"):
        ga.suggest_sites(sample, "cafes", candidates=line.iloc[:0].set_crs(CRS))
    with pytest.raises(InputError, match="GeoDataFrame"):
        ga.suggest_sites(sample, "cafes", candidates=[(1, 2)])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="baseline is no assessment of this area"):
        ga.suggest_sites(sample.with_(name="other"), "cafes", baseline=before)


def test_the_command_writes_sites_and_rivals(tmp_path, sample: StudyArea, before: ga.Assessment) -> None:
    """``trefpunt site`` prints reasons, and writes a project that holds the scenario, the sites and their rivals."""
    project, out = tmp_path / "town.gpkg", tmp_path / "sites.gpkg"
    write_project(project, sample, before.params, before)
    arguments = ["site", str(project), "--kind", "playgrounds", "--n", "2", "--out", str(out)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "1. " in done.output
    assert "more residents have one within 6 minutes" in done.output
    layers = {name for name, _ in pyogrio.list_layers(out)}
    assert {"sites", "site_rivals"} <= layers
    sites = gpd.read_file(out, layer="sites")
    assert sites["rank"].tolist() == [1, 2]
    again = read_project(out)
    assert again.scenario is not None
    assert again.scenario.count("[[edit]]") == 2
    mine = tmp_path / "own.geojson"
    points = sites.geometry.to_crs(4326)
    gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=points).to_file(mine)
    arguments = ["site", str(project), "--kind", "playgrounds", "--candidates", str(mine)]
    assert "Own candidate (a): " in CliRunner().invoke(app, arguments, catch_exceptions=False).output
    for path_, said in (
        (tmp_path / "none.gpkg", "there is no file"),
        (project.with_suffix(".toml"), ""),
    ):
        if said == "":
            path_.write_text("x = 1")
        with pytest.raises(ga.TrefpuntError, match=said or "in no format that can be read"):
            CliRunner().invoke(
                app,
                ["site", str(project), "--kind", "cafes", "--candidates", str(path_)],
                catch_exceptions=False,
            )


def test_who_stays_best_when_assumptions_change(town: SitingTown) -> None:
    """As many lead as there are sites in each draw; a draw that changes nothing leaves the gains as they are."""
    before = ga.assess(town.area)
    kept = before.inputs.kept  # type: ignore[union-attr]
    table, problem = _problem(own_candidates(town.area, town.candidates), kept, "squares", 1)
    every = np.arange(problem.size)
    same = Draw(kept.params, 1.0, 0.0, np.zeros(len(kept.places.kind), dtype=bool))
    redone, mixing = _drawn(_only(problem, every), same), Mixing(problem, 0)
    for goal in (lambda p: Within(p, 6.0), Access, TotalTime, WorstTime):
        assert goal(redone).gains([]) == pytest.approx(goal(problem).gains([]))
    assert Mixing(redone, 0).screened([], every) == pytest.approx(mixing.screened([], every))
    strict = ga.assess(town.area, ga.Params(choice_set=2))
    choosy = Mixing(replace(problem, kept=strict.inputs.kept), 0)  # type: ignore[union-attr]
    exact = [choosy.value([0, 1, one]) - choosy.value([0, 1]) for one in every[2:]]
    assert choosy.screened([0, 1], every[2:]) == pytest.approx(np.array(exact), abs=1e-12)
    for objective in ("norm", "access", "p-median", "mixing"):
        share = stays_best(problem, every, objective, 2, mixing, draws=20)
        assert share.sum() >= 2 - 1e-9
        assert (share <= 1).all()
        assert stays_best(problem, every, objective, 2, mixing, draws=20).tolist() == share.tolist()
    best = int(np.argmax(Access(problem).gains([])))
    assert stays_best(problem, every, "access", 2, None)[best] > 0.5
    slow = _drawn(_only(problem, every), replace(same, speed=0.5))
    assert slow.minutes == pytest.approx(problem.minutes[problem.minutes <= 15] * 2)
    assert Access(slow).value([0]) < Access(problem).value([0])
    gone = _drawn(_only(problem, every), replace(same, dropped=~same.dropped))
    assert np.isinf(gone.nth_min).all()
    assert not len(gone.existing.origin)


def test_a_kind_that_nobody_has_yet() -> None:
    """Where there is no place of the kind at all, the first one is found as any other."""
    street = siting_town(path([300] * 4), np.full((5, 2), 50), range(5))
    sites = ga.suggest_sites(street.area, "squares", 2, candidates=street.candidates)
    assert pd.isna(street.existing).sum() == 0
    assert sites.table["residents_within_norm"].sum() == 500
