"""What if: edits of every sort, their inverse, links that never lengthen a walk, and conflicts told as conflicts."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_reuse import TABLES

import gisapp as ga
from gisapp import cli
from gisapp.area import StudyArea
from gisapp.change_summary import change_summary
from gisapp.compare import by_neighbourhood
from gisapp.errors import InputError, MissingError
from gisapp.network.routing import route_area
from gisapp.project import write_project
from gisapp.scenario_apply import apply_scenario
from gisapp.scenario_file import from_toml, read_scenario, to_toml, write_scenario


@pytest.fixture(scope="module")
def area() -> StudyArea:
    """The sample with every ninth home."""
    sample = ga.load_sample()
    return sample.with_(residents=sample.residents.iloc[::9])


@pytest.fixture(scope="module")
def before(area: StudyArea) -> ga.Assessment:
    """The baseline."""
    return ga.assess(area)


def middle(area: StudyArea, row: int = 60) -> tuple[float, float]:
    """Return where a home is."""
    point = area.residents.geometry.iloc[row]
    return point.x, point.y


def test_each_edit_does_what_it_says(area: StudyArea) -> None:
    """Add, close, move, set and declare use change these rows and no others, and never the area they came from."""
    untouched = area.places.copy()
    ids = area.places.index
    x, y = middle(area)
    plan = (
        ga.Scenario("all").add("clubs", at=(7.42, 43.735), crs=4326, name="Boxing", capacity=40, supervised=True)
        .close(ids[0]).move(ids[1], to=(x, y)).set(ids[2], capacity=25, open_to="members")
        .used_by(ids[3], {"residence:long_time": 1.0, "residence:newcomer": 0.1})
    )  # fmt: skip
    places = apply_scenario(area, plan).places
    assert places.index.tolist() == [*ids[1:], "new/1"]
    new = places.loc["new/1"]
    assert (new["kind"], new["name"], new["capacity"], new["source"], new["supervised"]) == (
        "clubs", "Boxing", 40, "scenario", "yes",
    )  # fmt: skip
    assert new["core"]
    assert new.geometry.distance(shapely.Point(*middle(area))) < 5_000
    assert shapely.centroid(places.geometry.loc[ids[1]]).distance(shapely.Point(x, y)) < 1e-6
    assert (places.loc[ids[2], "capacity"], places.loc[ids[2], "open_to"]) == (25, "members")
    assert places.loc[ids[3], "attractiveness:residence:newcomer"] == 0.1
    assert places["attractiveness:residence:newcomer"].isna().sum() == len(places) - 1
    rest = places.index.difference([*ids[:4], "new/1"], sort=False)
    pd.testing.assert_frame_equal(places.loc[rest, untouched.columns], untouched.loc[rest], check_dtype=False)
    pd.testing.assert_frame_equal(area.places, untouched)


def test_all_faults_of_all_edits_come_in_one_message(area: StudyArea) -> None:
    """Unknown kinds, places, groups and systems, edits outside or twice: each with its number, nothing applied."""
    here, ids = middle(area), area.places.index
    plan = (
        ga.Scenario().add("playground", at=here).add("clubs", at=(7.42, 43.735)).close("node/404").close(ids[0])
        .close(ids[0]).move(ids[0], to=here).used_by(ids[1], {"origin:marsians": 1.0}).add("clubs", at=here, crs=1)
        .unlink((here[0], here[1]), (here[0] + 900, here[1] + 900))
    )  # fmt: skip
    with pytest.raises(InputError) as fault:
        apply_scenario(area, plan)
    text = str(fault.value)
    for expected in (
        "edit 1 (add): there is no kind 'playground'; the nearest is 'playgrounds'", "edit 2 (add): (7, 44) lies over",
        "edit 3 (close node/404): there is no place", "edit 5 (close", "keep one of them", "edit 6 (move",
        "closes that",
        "origin:marsians", "crs=1", "no stretch of street",
    ):  # fmt: skip
        assert expected in text
    with pytest.raises(InputError, match="capacity=-3"):
        ga.Scenario().set("node/1", capacity=-3)
    with pytest.raises(InputError, match="'colour' cannot be set"):
        ga.Scenario().add("clubs", at=here, colour="red")


def test_a_scenario_and_its_inverse_restore_every_bit(area: StudyArea, before: ga.Assessment) -> None:
    """Place added and closed, moved there and back, path added and taken out: the baseline, to the bit."""
    place = area.places.index[10]
    home = shapely.centroid(area.places.geometry.loc[place])
    a, b = middle(area, 20), middle(area, 70)
    there = apply_scenario(area, ga.Scenario().add("clubs", at=middle(area)).link(a, b))
    assert not ga.assess(there, before.params).homes.equals(before.homes)
    back = apply_scenario(there, ga.Scenario().close("new/1").unlink(a, b))
    moved = apply_scenario(area, ga.Scenario().move(place, to=middle(area)))
    home_again = apply_scenario(moved, ga.Scenario().move(place, to=(home.x, home.y)))
    fresh = ga.assess(area, before.params)
    for name in TABLES:
        assert getattr(ga.assess(back, before.params), name).equals(getattr(fresh, name))
    one = home_again.places.geometry.loc[place]
    assert one.equals_exact(area.places.geometry.loc[place], 1e-6)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(ends=st.lists(st.tuples(st.integers(0, 110), st.integers(0, 110)), min_size=1, max_size=3))
def test_a_link_never_lengthens_a_walk(
    area: StudyArea, before: ga.Assessment, ends: list[tuple[int, int]]
) -> None:
    """Whatever points are joined, every walk stays or gets shorter, and some new ones come into reach."""
    plan = ga.Scenario()
    for a, b in ends:
        if a != b:
            plan = plan.link(middle(area, a), middle(area, b))
    try:
        after = apply_scenario(area, plan)
    except InputError:
        return  # a home far from every street
    members = np.arange(len(area.places))
    old, new = (route_area(each, before.params).walks(members, limit=2_250_000) for each in (area, after))
    then, now = (
        dict(zip(zip(w.home.tolist(), w.place.tolist(), strict=True), w.mm.tolist(), strict=True))
        for w in (old, new)
    )
    assert set(then) <= set(now)
    assert all(now[pair] <= mm for pair, mm in then.items())


def test_a_link_is_a_bridge(area: StudyArea, before: ga.Assessment) -> None:
    """A path between two far ends makes their walk its own length, and no home or place opens on it."""
    far = area.residents.geometry.distance(area.residents.geometry.iloc[0]).argmax()
    a, b = middle(area, 0), middle(area, int(far))
    routing = route_area(apply_scenario(area, ga.Scenario().link(a, b)), before.params)
    plain = route_area(area, before.params)
    limit = 10_000_000
    walks = [each.home_walks(np.array([0]), limit=limit) for each in (plain, routing)]
    old, new = (w.mm[w.home == far][0] for w in walks)
    straight = shapely.Point(a).distance(shapely.Point(b)) * 1000
    assert new < old
    assert straight <= new <= straight + 4 * 100_000
    assert routing.network.doors.max() < len(routing.network.u) - 1
    assert np.array_equal(routing.homes.access_mm, plain.homes.access_mm)
    with pytest.raises(InputError, match="500 m|100 m"):
        apply_scenario(area, ga.Scenario().link(a, (a[0] + 90_000, a[1])))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(["playgrounds", "clubs", "shops", "schools", "squares"]), row=st.integers(0, 110))
def test_an_added_place_lowers_nobodys_access(
    area: StudyArea, before: ga.Assessment, kind: str, row: int
) -> None:
    """Access, participation and reach of every home and group stay or rise; no conflict is told."""
    change = ga.compare(area, ga.Scenario().add(kind, at=middle(area, row)), before.params, baseline=before)
    assert change.difference.homes["access"].min() >= -1e-9
    assert change.difference.homes["participation"].min() >= -1e-12
    assert not change.conflict
    assert change.people_losing == 0
    assert np.isnan(change.difference.places.loc["new/1", "reach"])
    assert change.difference.places.loc["new/1", "kind"] == kind


def test_closing_is_told_as_a_conflict_with_those_who_lose(area: StudyArea, before: ga.Assessment) -> None:
    """Closing every park lowers access: losers are named, and no sentence calls it a gain."""
    plan = ga.Scenario("No parks")
    for place in area.places.index[area.places["kind"] == "parks"]:
        plan = plan.close(place)
    change = ga.compare(area, plan, before.params, baseline=before)
    assert change.conflict
    assert set(change.losers["measure"]) <= {"access_mean", "participation"}
    assert (change.losers["after"] < change.losers["before"]).all()
    assert 0 < change.people_losing <= (area.residents["total"] * area.residents["core"]).sum()
    for language, said in (("en", "A conflict"), ("nl", "Een conflict"), ("fr", "Un conflit")):
        text = change_summary(change, language)
        assert said in text
        assert "No parks" in text
    table = by_neighbourhood(change)
    assert (table["access_after"] <= table["access_before"]).all()
    assert table["lose"].sum() == pytest.approx(change.people_losing, rel=0.02)


def test_doorstep_places_raise_access_and_lower_mixing() -> None:
    """Score.md's case 9: a place in the middle, then one on each doorstep; access up, Q from .8 to .31, and back."""
    homes = pd.DataFrame({"origin:here": [100, 0], "origin:elsewhere": [0, 100]}, index=["a", "b"])
    squares = pd.DataFrame({"kind": "squares"}, index=["middle", "a", "b"])
    times = pd.DataFrame({
        "home_id": ["a", "b", "a", "b"], "place_id": ["middle", "middle", "a", "b"], "minutes": [5.0, 5.0, 0.0, 0.0],
    })  # fmt: skip
    one = ga.assess_tables(homes, squares.loc[["middle"]], times[:2])
    both = ga.assess_tables(homes, squares, times, params=one.params)
    q = [r.city.set_index("kind").loc["all", "q"] for r in (one, both)]
    assert q == pytest.approx([0.8, 4 / 13])
    assert one.equity["access_mean"].tolist() == pytest.approx([50, 50])
    assert both.equity["access_mean"].tolist() == pytest.approx([100, 100])


def test_scenarios_are_small_files(tmp_path: Path, area: StudyArea) -> None:
    """Every edit goes to TOML and comes back equal; a file's faults are told with the number of the edit."""
    x, y = middle(area)
    plan = (
        ga.Scenario('Plan "A"\nés').add("squares", at=shapely.box(x, y, x + 30, y + 30), name="<b>Plein</b>")
        .add("clubs", at=(7.42, 43.73), crs=4326, capacity=12.5, supervised=True, hosts="Ann").close("node/1")
        .move("way/2", to=(x, y)).set("node/3", attractiveness=2, open_evening=False)
        .used_by("node/4", {"age:0_14": 0.25}).link((x, y), (x + 50, y)).unlink((7.4, 43.7), (7.5, 43.8), crs=4326)
    )  # fmt: skip
    assert from_toml(to_toml(plan)) == plan
    file = tmp_path / "plan.toml"
    file.write_text(to_toml(plan), encoding="utf-8")
    assert read_scenario(file) == plan
    broken = 'name = "x"\n[[edit]]\ndo = "fly"\n[[edit]]\ndo = "close"\n[[edit]]\ndo = "move"\nplace = "a"\nto = [1]\n'
    with pytest.raises(InputError) as fault:
        from_toml(broken, name="plan.toml")
    assert [line.split(":")[1].strip() for line in str(fault.value).splitlines()[-3:]] == [
        "edit 1",
        "edit 2",
        "edit 3",
    ]
    with pytest.raises(InputError, match="not written as TOML"):
        from_toml("name = ")
    with pytest.raises(MissingError, match="no scenario file"):
        read_scenario(tmp_path / "none.toml")


def test_the_command_compares_and_writes_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], area: StudyArea
) -> None:
    """A plan gives a verdict and a file with the differences; a faulty plan gives sentences and no file."""
    project, plan, out = tmp_path / "town.gpkg", tmp_path / "plan.toml", tmp_path / "plan.gpkg"
    write_project(project, area, ga.Params())
    scenario = ga.Scenario("Plan A").add("clubs", at=middle(area)).close(area.places.index[0])
    write_scenario(plan, scenario)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trefpunt", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        said = capsys.readouterr()
        return int(stop.value.code or 0), said.out, said.err

    code, told, _ = call("compare", project, plan, "--out", out)
    assert code == 0
    assert "Scenario 'Plan A', 2 edits" in told
    layers = set(pyogrio.list_layers(out)[:, 0])
    assert {
        "difference_homes",
        "difference_places",
        "difference_city",
        "difference_equity",
        "losers",
    } <= layers
    change = pyogrio.read_dataframe(out, layer="difference_places").set_index("place_id")
    assert change["reach"].isna()[["new/1", area.places.index[0]]].all()
    stored = ga.read_project(out)
    assert from_toml(stored.scenario) == scenario
    assert stored.area.places.index.equals(area.places.index)
    plan.write_text(
        '[[edit]]\ndo = "close"\nplace = "node/404"\n[[edit]]\ndo = "add"\nkind = "pubs"\nat = [1, 2]\n'
    )
    out.unlink()
    code, told, fault = call("compare", project, plan, "--out", out)
    assert (code, told) == (2, "")
    assert "edit 1 (close node/404)" in fault
    assert "no kind 'pubs'" in fault
    assert not out.exists()
