"""What a set of new places of one kind would be good for: people within a time, access, total and worst time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gisapp.reuse import Kept
from gisapp.scores.access import access_score
from gisapp.scores.arrays import Floats, Ints, Pairs
from gisapp.scores.decay import decay


@dataclass(frozen=True)
class Problem:
    """New places of one kind beside those it has, which stay.

    ``kind``: its position. The walks from candidate c to homes of the core where people live are the rows
    ``begin[c]`` to ``begin[c + 1]`` of ``home`` and ``minutes``, none beyond the horizon. ``people``: core residents
    of each home; ``nth_min`` (ranks, homes): minutes to the nearest, second, ... place now, infinity for none.
    ``existing``: all walks to the kind's places (``members``, positions in the table), nearest first.
    """

    kept: Kept
    kind: int
    begin: Ints
    home: Ints
    minutes: Floats
    people: Floats
    nth_min: Floats
    members: Ints
    existing: Pairs

    @property
    def size(self) -> int:
        """How many candidates there are."""
        return len(self.begin) - 1

    @cached_property
    def candidate(self) -> Ints:
        """The candidate of each walk."""
        return np.repeat(np.arange(self.size, dtype=np.int32), np.diff(self.begin))

    @cached_property
    def weight(self) -> Floats:
        """The decay of each walk's minutes."""
        found: Floats = decay(self.minutes, self.kept.params.decay_curve)
        return found

    def walks(self, candidate: int) -> slice:
        """The rows of one candidate's walks."""
        return slice(int(self.begin[candidate]), int(self.begin[candidate + 1]))

    def sums(self, values: Floats) -> Floats:
        """Sum values of walks by candidate."""
        out = np.zeros(self.size)
        some = self.begin[1:] > self.begin[:-1]
        out[some] = np.add.reduceat(values, self.begin[:-1][some]) if some.any() else 0.0
        return out


def summed(which: Ints, values: Floats, size: int) -> Floats:
    """Sum values by what they belong to (positions below ``size``)."""
    return np.asarray(np.bincount(which, weights=values, minlength=size), dtype=np.float64)


def nearest(problem: Problem, chosen: Sequence[int]) -> Floats:
    """Return each home's minutes to the nearest place, those at ``chosen`` included; infinity for none."""
    best: Floats = problem.nth_min[0].copy()
    for one in chosen:
        rows = problem.walks(one)
        np.minimum.at(best, problem.home[rows], problem.minutes[rows])
    return best


class Within:
    """People with a place within ``limit_min``: monotone and submodular."""

    def __init__(self, problem: Problem, limit_min: float) -> None:
        self.problem, self.limit_min = problem, limit_min
        self.rows = np.flatnonzero(problem.minutes <= limit_min)

    def gains(self, chosen: Sequence[int]) -> Floats:
        """Return the people newly within the limit by each candidate."""
        problem = self.problem
        left = np.where(nearest(problem, chosen) > self.limit_min, problem.people, 0.0)
        weights = left[problem.home[self.rows]]
        return summed(problem.candidate[self.rows], weights, problem.size)

    def value(self, chosen: Sequence[int]) -> float:
        """Return the people within the limit."""
        return float(self.problem.people[nearest(self.problem, chosen) <= self.limit_min].sum())

    def pairs(self) -> tuple[Ints, Ints, Floats]:
        """Return candidate and home of the walks within the limit to homes that are not within it now, and people."""
        problem = self.problem
        left = problem.nth_min[0] > self.limit_min
        rows = self.rows[left[problem.home[self.rows]]]
        return problem.candidate[rows], problem.home[rows], problem.people


class Access:
    """Sum of P_i ln(1 + a_ik): monotone and submodular. ``people``: whose, by home (default: all of the core)."""

    def __init__(self, problem: Problem, people: Floats | None = None) -> None:
        params = problem.kept.params
        self.problem = problem
        self.people = problem.people if people is None else people
        enough = bool(problem.kept.settings.enough[problem.kind])
        self.choice_weights = (1.0,) if enough else params.choice_weights
        minutes = np.where(np.isinf(problem.nth_min), 0.0, problem.nth_min)
        near = np.where(np.isinf(problem.nth_min), 0.0, decay(minutes, params.decay_curve))
        self.near = near[: len(self.choice_weights)]

    @property
    def is_submodular(self) -> bool:
        """Whether a further place never counts for more than a nearer one."""
        return bool((np.diff(self.choice_weights) <= 0).all())

    def gains(self, chosen: Sequence[int]) -> Floats:
        """Return what each candidate adds."""
        rows = slice(None)
        return self.problem.sums(self.people[self.problem.home] * self._rises(self._with(chosen), rows))

    def gain(self, chosen: Sequence[int], one: int) -> float:
        """Return what one candidate adds."""
        home, rise = self.rises(chosen, one)
        return float((self.people[home] * rise).sum())

    def rises(self, chosen: Sequence[int], one: int) -> tuple[Ints, Floats]:
        """Return the homes that one candidate reaches, and the rise of ln(1 + a_ik) of each."""
        rows = self.problem.walks(one)
        return self.problem.home[rows], self._rises(self._with(chosen), rows)

    def value(self, chosen: Sequence[int]) -> float:
        """Return the sum over all homes."""
        return float((self.people * np.log1p(self._score(self._with(chosen)))).sum())

    def _rises(self, near: Floats, rows: slice) -> Floats:
        home, new = self.problem.home[rows], self.problem.weight[rows]
        then = np.log1p(self._score(near))
        return np.asarray(np.log1p(self._score(_inserted(near[:, home], new))) - then[home])

    def _with(self, chosen: Sequence[int]) -> Floats:
        near = self.near
        for one in chosen:
            rows = self.problem.walks(one)
            home = self.problem.home[rows]
            near = near.copy()
            near[:, home] = _inserted(near[:, home], self.problem.weight[rows])
        return near

    def _score(self, near: Floats) -> Floats:
        return access_score(near, self.choice_weights)


def _inserted(near: Floats, new: Floats) -> Floats:
    """Put one more weight among the falling ones of each home (ranks, homes); the least drops out."""
    out = np.empty_like(near)
    for rank, old in enumerate(near):
        out[rank] = np.maximum(old, new)
        new = np.minimum(old, new)
    return out


class TotalTime:
    """Minus the total minutes of all residents to the nearest place (p-median); beyond the horizon counts as it."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.horizon = problem, problem.kept.params.horizon_min

    def gains(self, chosen: Sequence[int]) -> Floats:
        """Return the minutes that each candidate saves."""
        problem = self.problem
        now = np.minimum(nearest(problem, chosen), self.horizon)
        saved = np.maximum(now[problem.home] - problem.minutes, 0.0)
        saved *= problem.people[problem.home]
        return problem.sums(saved)

    def value(self, chosen: Sequence[int]) -> float:
        """Return minus the total."""
        return -float((self.problem.people * np.minimum(nearest(self.problem, chosen), self.horizon)).sum())


class WorstTime:
    """Minus the minutes of the worst-served home (p-center).

    Of equals, what brings more residents within the horizon counts more, then what saves more minutes in all. Homes
    that neither a place nor a candidate reaches are left out; beyond the horizon counts as it.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.total = problem, TotalTime(problem)
        self.within = Within(problem, problem.kept.params.horizon_min)
        served = np.isfinite(problem.nth_min[0])
        served[problem.home] = True
        self.homes = np.flatnonzero(served & (problem.people > 0))
        everybody = max(float(problem.people.sum()), 1.0)
        self.shares = (1e-3 / everybody, 1e-8 / everybody)  # small beside a second of the worst time

    def worst(self, chosen: Sequence[int]) -> float:
        """Return the minutes of the worst-served home."""
        now = np.minimum(nearest(self.problem, chosen), self.total.horizon)
        return float(now[self.homes].max(initial=0.0))

    def gains(self, chosen: Sequence[int]) -> Floats:
        """Return by how much each candidate shortens the worst time, and the shares that settle ties."""
        problem = self.problem
        now = np.minimum(nearest(problem, chosen), self.total.horizon)
        helped = np.flatnonzero(problem.minutes < now[problem.home])
        worst = np.maximum(self._left(now, helped), self._reached(helped))
        people, minutes = self.within.gains(chosen), self.total.gains(chosen)
        return self.worst(chosen) - worst + self.shares[0] * people + self.shares[1] * minutes

    def value(self, chosen: Sequence[int]) -> float:
        """Return minus the worst time, and the shares that settle ties."""
        people, minutes = self.within.value(chosen), self.total.value(chosen)
        return -self.worst(chosen) + self.shares[0] * people + self.shares[1] * minutes

    def _reached(self, helped: Ints) -> Floats:
        worst = np.zeros(self.problem.size)
        np.maximum.at(worst, self.problem.candidate[helped], self.problem.minutes[helped])
        return worst

    def _left(self, now: Floats, helped: Ints) -> Floats:
        """Return the longest time among the homes that each candidate does not help.

        Homes are ranked by time, the longest first; a candidate's first gap in the ranks it helps is that home.
        """
        problem, homes = self.problem, self.homes[np.argsort(-now[self.homes], kind="stable")]
        rank = np.full(len(now), len(homes))
        rank[homes] = np.arange(len(homes))
        times = np.append(now[homes], 0.0)
        gap, open_, width = np.zeros(problem.size, np.int64), np.ones(problem.size, dtype=bool), 256
        while open_.any():
            rows = helped[(rank[problem.home[helped]] < width) & open_[problem.candidate[helped]]]
            order = rows[np.lexsort((rank[problem.home[rows]], problem.candidate[rows]))]
            which = problem.candidate[order]
            place = np.arange(len(order)) - np.searchsorted(which, which)
            unbroken = rank[problem.home[order]] == place
            gap[open_] = np.bincount(which[unbroken], minlength=problem.size)[open_]
            open_ &= (gap >= width) & (width < len(homes))
            width *= 8
        return times[np.minimum(gap, len(homes))]
