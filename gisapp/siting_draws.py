"""How often a candidate stays among the best of a shortlist, when the score's assumptions are drawn anew."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gisapp.scores.arrays import TIE, Floats, Ints, starts
from gisapp.scores.sensitivity import Draw, draw
from gisapp.scores.settings import settle
from gisapp.siting_mixing import Mixing
from gisapp.siting_objectives import Access, Problem, TotalTime, Within, WorstTime

DRAWS = 100
_NEAREST = 12  # places of a home that are drawn from: one in ten is left out, and three count


def stays_best(
    problem: Problem,
    rivals: Ints,
    objective: str,
    n: int,
    mixing: Mixing | None,
    *,
    within_min: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Floats:
    """Return for each of ``rivals`` the share of draws in which it is among the best ``n`` of them.

    Each draw is one of ``sensitivity`` (half-time, speed, outside option, choice set, access weights, places left
    out); each rival counts by itself, by what ``objective`` asks for, and equals share a rank. The default rule counts
    residents within the norm.
    """
    short = _only(problem, rivals)
    kept = problem.kept
    norm = float(kept.settings.norm_min[problem.kind])
    goals: dict[str, Callable[[Problem], Floats]] = {
        "norm": lambda drawn: Within(drawn, norm).gains([]),
        "coverage": lambda drawn: Within(drawn, norm if within_min is None else within_min).gains([]),
        "access": lambda drawn: Access(drawn).gains([]),
        "p-median": lambda drawn: TotalTime(drawn).gains([]),
        "p-center": lambda drawn: WorstTime(drawn).gains([]),
    }
    if objective == "mixing" and mixing is not None:
        at, every = mixing.dimension, np.arange(len(rivals))
        goals["mixing"] = lambda drawn: Mixing(drawn, at).screened([], every)
    gain_of = goals.get(objective, goals["norm"])
    luck = np.random.default_rng(seed)
    best = np.zeros(len(rivals))
    for _ in range(draws):
        gain = gain_of(_drawn(short, draw(luck, kept.params, kept.settings, kept.places, faster=False)))
        least = np.sort(gain)[-min(n, len(gain))]
        best += gain >= least - TIE * max(1.0, abs(float(least)))
    return best / draws


def _only(problem: Problem, rivals: Ints) -> Problem:
    """Keep the walks of some candidates, and those to each home's nearest places."""
    rows = np.concatenate([np.arange(problem.begin[one], problem.begin[one + 1]) for one in rivals])
    length = (problem.begin[1:] - problem.begin[:-1])[rivals]
    origin = problem.existing.origin
    rank = np.arange(len(origin)) - starts(origin, len(problem.people))[origin]
    return replace(
        problem,
        begin=np.append(0, np.cumsum(length)),
        home=problem.home[rows],
        minutes=problem.minutes[rows],
        existing=problem.existing.at(rank < _NEAREST),
    )


def _drawn(problem: Problem, drawn: Draw) -> Problem:
    """Return the problem as it is under one draw: walks slower, places gone, other weights."""
    horizon, params = drawn.params.horizon_min, drawn.params
    old = problem.existing
    old = old.at(~drawn.dropped[problem.members][old.target])
    old = replace(old, minutes=old.minutes / drawn.speed).within(horizon)
    begin = starts(old.origin, len(problem.people))
    nth = np.full_like(problem.nth_min, np.inf)
    for rank, row in enumerate(nth):
        has = np.flatnonzero(np.diff(begin) > rank)
        row[has] = old.minutes[begin[:-1][has] + rank]
    minutes = problem.minutes / drawn.speed
    near = minutes <= horizon
    length = np.add.reduceat(np.append(near, False), problem.begin[:-1], dtype=np.int64)
    length[problem.begin[1:] == problem.begin[:-1]] = 0
    kept = problem.kept
    return replace(
        problem,
        kept=replace(kept, params=params, settings=settle(params, kept.homes, kept.places)),
        begin=np.append(0, np.cumsum(length)),
        home=problem.home[near],
        minutes=minutes[near],
        nth_min=nth,
        existing=old,
    )
