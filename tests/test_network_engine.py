"""Two searches, one result: the compiled one equals scipy's to the bit, and nothing waits for the compiler."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gisapp as ga
from gisapp.network import compiled, engine
from gisapp.network.routing import Routing, route_area
from gisapp.network.times import walks


@pytest.fixture(scope="module")
def routing() -> Routing:
    """The sample attached to its streets."""
    return route_area(ga.load_sample(), ga.Params())


def test_every_walk_of_the_sample_is_scipys(routing: Routing, monkeypatch: pytest.MonkeyPatch) -> None:
    """All walks of 35 minutes, and all home-home walks of 11, have the same millimetres in the same order."""
    places, homes = np.arange(routing.n_places), np.arange(0, len(routing.points), 7)
    found = {}
    for name in ("scipy", "compiled"):
        monkeypatch.setenv(engine.SWITCH, name)
        assert (engine.compiled() is not None) == (name == "compiled")
        found[name] = [
            routing.walks(places, limit=routing.limit_mm(35)),
            routing.home_walks(homes, limit=routing.limit_mm(11)),
        ]
    for one, other in zip(found["scipy"], found["compiled"], strict=True):
        assert len(one.mm) > 40_000
        for column in ("home", "place", "mm"):
            assert np.array_equal(getattr(one, column), getattr(other, column))


def test_sums_do_not_depend_on_engine_or_threads(routing: Routing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments of awkward fractions are equal to the last bit with scipy, one thread and many."""
    counts = np.random.default_rng(1).random((len(routing.points), 5)) / 3
    limit = routing.limit_mm(5)
    monkeypatch.setenv(engine.SWITCH, "scipy")
    expected = routing.environments(counts, limit=limit)
    monkeypatch.setenv(engine.SWITCH, "compiled")
    for cores in (1, 2, 7):
        monkeypatch.setattr(os, "cpu_count", lambda n=cores: n)
        monkeypatch.setattr(os, "process_cpu_count", lambda n=cores: n, raising=False)
        assert np.array_equal(routing.environments(counts, limit=limit), expected)


def test_scores_do_not_depend_on_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table of an assessment is the same to the bit."""
    area = ga.load_sample()
    area = area.with_(residents=area.residents.iloc[::5])
    tables = []
    for name in ("scipy", "compiled"):
        monkeypatch.setenv(engine.SWITCH, name)
        result = ga.assess(area)
        tables.append([result.homes, result.places, result.city, result.exposure, result.travel_times])
    for one, other in zip(*tables, strict=True):
        assert one.equals(other)


def test_a_search_that_overfills_its_queue_loses_nothing(routing: Routing) -> None:
    """On a star of streets where every node is improved again and again, the queue is compacted and still exact."""
    n = 60
    u = np.repeat(np.arange(n), n - 1 - np.arange(n))
    v = np.concatenate([np.arange(i + 1, n) for i in range(n)])
    # Far nodes are first met at great cost, then at less and less: a path is always cheaper than a leap.
    cost = ((v - u) ** 2 * 1000 + 1).astype(np.int64)
    network = replace(
        routing.network, u=u, v=v, cost_mm=cost, row=np.arange(len(u)), doors=np.arange(len(u)),
        stubs=np.zeros(0, np.int64), lines=np.empty(len(u), object), n_nodes=n, oneway=None,
    )  # fmt: skip
    homes = compiled.Snaps(u[-n:], np.zeros(n, np.int64), np.zeros(n, np.int64))
    entries = compiled.Entries(
        np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)
    )
    fast = compiled.walks(compiled.searchable(network, homes), entries, limit=10**8)
    slow = walks(network, homes, entries, limit=10**8)
    assert np.array_equal(fast.mm, slow.mm)


def test_without_a_compiler_scipy_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numba is missing, unwanted or without a folder, nothing is compiled and nothing fails."""
    monkeypatch.delenv(engine.SWITCH)
    monkeypatch.setattr(engine, "_mark", lambda: Path("/nowhere/at/all"))
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert engine.compiled() is None
    assert not engine.is_possible()
    monkeypatch.undo()

    def forbidden() -> Path:
        raise PermissionError("no home")

    monkeypatch.delenv(engine.SWITCH)
    monkeypatch.setattr(engine, "numba_dir", forbidden)
    assert engine.compiled() is None
    assert engine.compile_in_background.__wrapped__() is None


def test_the_compiler_runs_beside_and_leaves_its_mark() -> None:
    """Before it has run scipy serves; it runs in a process of its own; the next process finds its work."""
    fresh = {name: value for name, value in os.environ.items() if name != engine.SWITCH}

    def say(*lines: str) -> list[str]:
        code = "\n".join(("from gisapp.network import engine", *lines))
        done = subprocess.run(
            [sys.executable, "-c", code], env=fresh, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    state = "print(engine.is_ready(), engine.compiled() is not None)"
    assert say("engine._mark().unlink(missing_ok=True)", state) == ["False", "False"]
    assert say("print(engine.compile_in_background().wait())") == ["0"]
    assert say(state) == ["True", "True"]
