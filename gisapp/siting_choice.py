"""From an objective's name to the candidates that serve it best, and a sentence on how they were found."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gisapp.assessment import Assessment
from gisapp.scores.arrays import TIE, Floats
from gisapp.siting_mixing import EXACT, Mixing
from gisapp.siting_objectives import Access, Problem, TotalTime, Within, WorstTime
from gisapp.siting_search import best_exchange, best_of, greedy, lazy_greedy, most_covered, ranked

OBJECTIVES = ("norm", "default", "access", "coverage", "p-median", "p-center", "mixing")
NEARLY = 0.9  # of the best gain: among such candidates mixing decides (score.md 4.2)
_RESTARTS = 10
_FEW = 500_000  # walks; of more, every start of an exchange takes seconds


def choose_sites(
    problem: Problem,
    n: int,
    objective: str,
    mixing: Mixing | None,
    before: Assessment,
    *,
    within_min: float | None = None,
) -> tuple[list[int], str]:
    """Return the chosen candidates, the one that adds most first, and how they were found in a sentence."""
    norm = float(problem.kept.settings.norm_min[problem.kind])
    if objective == "default":
        return _by_the_rule(problem, n, mixing, before)
    if objective == "norm":
        return _by_norm(problem, n, norm), _sure(
            n, "greedy: at least 63 % of the people that any choice could reach"
        )
    if objective == "coverage":
        return _by_coverage(problem, n, norm if within_min is None else within_min)
    if objective == "access":
        access = Access(problem)
        how = _sure(n, "lazy greedy: at least 63 % of the best")
        if not access.is_submodular:
            return greedy(access.gains, n), _sure(n, "greedy, without a guarantee")
        return lazy_greedy(access.gains([]), access.gain, n), how
    goal: Any = mixing
    if objective in ("p-median", "p-center"):
        goal = TotalTime(problem) if objective == "p-median" else WorstTime(problem)
    restarts = _RESTARTS if len(problem.home) <= _FEW else 0
    chosen = best_exchange(goal.gains, goal.value, n, problem.size, restarts=restarts)
    said = (
        f"exchange from the greedy choice and {restarts} random ones"
        if restarts
        else "exchange from the greedy choice"
    )
    said = _sure(n, f"{said}: no single swap is better", exact=objective != "mixing" or problem.size <= EXACT)
    if isinstance(goal, WorstTime) and goal.worst(chosen) >= goal.total.horizon:
        said += (
            f" Somebody stays beyond {goal.total.horizon:g} minutes even so: what brings most residents within "
            "them was taken."
        )
    return chosen, said


def _sure(n: int, otherwise: str, *, exact: bool = True) -> str:
    if n == 1 and exact:
        return "Every candidate was tried: the best of all."
    return otherwise[0].upper() + otherwise[1:] + "."


def _by_norm(problem: Problem, n: int, norm: float) -> list[int]:
    within = Within(problem, norm)
    chosen: list[int] = []
    for _ in range(n):
        chosen.append(best_of(_newly(problem, within, chosen), chosen))
    return chosen


def _newly(problem: Problem, within: Within, chosen: Sequence[int]) -> Floats:
    """Return the residents newly within the norm; where no candidate adds any, the gain in access."""
    gain = within.gains(chosen)
    return gain if gain.max() > 0 else Access(problem).gains(chosen)


def _by_coverage(problem: Problem, n: int, limit_min: float) -> tuple[list[int], str]:
    within = Within(problem, limit_min)
    chosen, share = most_covered(*within.pairs(), n, problem.size)
    first = greedy(within.gains, n)
    if share == 0 or within.value(chosen) < within.value(first):
        return first, _sure(n, "greedy: the exact solution was not found in time")
    chosen = ranked(chosen, within.gains)
    while len(chosen) < n:  # more sites than there are people to cover
        chosen.append(best_of(Access(problem).gains(chosen), chosen))
    how = "exact: no other choice covers more people within"
    if share < 1:
        how = f"within {100 * (1 - share):.1f} % of the most people that any choice could cover within"
    return chosen, _sure(n, f"{how} {limit_min:g} minutes")


def _by_the_rule(
    problem: Problem, n: int, mixing: Mixing | None, before: Assessment
) -> tuple[list[int], str]:
    norm = Within(problem, float(problem.kept.settings.norm_min[problem.kind]))
    worst = _worst_served(problem, before)
    chosen: list[int] = []
    for _ in range(n):
        gain = np.array(_newly(problem, norm, chosen))
        gain[chosen] = -np.inf
        among = np.flatnonzero(gain >= NEARLY * gain.max() - TIE)
        if mixing is not None and len(among) > 1:
            rise = mixing.gains(chosen, among)[among]
            among = among[rise >= rise.max() - TIE * max(1.0, abs(float(rise.max())))]
        if worst is not None and len(among) > 1:
            helped = [worst.gain(chosen, one) for one in among.tolist()]
            among = among[[int(np.argmax(helped))]]
        chosen.append(int(among[0]))
    rule = "of the candidates with at least 90 % of the best gain, the one that raises mixing most"
    return chosen, _sure(n, f"one site at a time: {rule}", exact=False)


def _worst_served(problem: Problem, before: Assessment) -> Access | None:
    """Return access as the group counts it whose mean access is least."""
    equity = before.equity
    if not len(equity) or equity["access_mean"].isna().all():
        return None
    row = equity.iloc[int(np.nanargmin(equity["access_mean"].to_numpy(dtype=float)))]
    column = problem.kept.homes.columns.index(f"{row['dimension']}:{row['group']}")
    return Access(problem, problem.kept.town.core[:, column])
