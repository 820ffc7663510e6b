"""Where next: the sites of a map, or of a planner's own, where new places of a kind would do most."""

from dataclasses import dataclass, replace
from difflib import get_close_matches

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from gisapp.area import StudyArea
from gisapp.assess_area import assess, with_layers
from gisapp.assessment import Assessment
from gisapp.compare import Comparison, compare
from gisapp.encode import CHOICE_OPEN_TO
from gisapp.errors import InputError, raise_faults
from gisapp.network.routing import entries_of, linked
from gisapp.network.times import minutes_of
from gisapp.params import Params, check_params
from gisapp.reuse import Kept
from gisapp.scenario import Scenario
from gisapp.scores.arrays import Pairs, starts
from gisapp.siting_candidates import map_candidates, own_candidates
from gisapp.siting_choice import OBJECTIVES, choose_sites
from gisapp.siting_draws import stays_best
from gisapp.siting_effects import effects, reason, shortlist_of
from gisapp.siting_mixing import Mixing
from gisapp.siting_objectives import Problem
from gisapp.titles import words_for


@dataclass(frozen=True)
class Sites:
    """Suggested sites. ``table``: a row a site, index ``rank`` from 1: ``candidate``, ``source``, ``name``, ``reason``,
    geometry, and what it changes once those above it are there (differences as in ``Assessment``, see
    ``siting_effects.effects``).

    ``shortlist``: at most 20 candidates by themselves, each with ``residents_within_norm``, ``access``, ``q``,
    ``on_front`` (no other has both more access and more mixing), ``chosen`` and ``stays_best`` (the share of 100
    draws of the score's assumptions in which it is among the best of them, as many as there are sites). ``method``:
    how they were found, and how sure that is. ``dimension``: by which ``q`` is told, if any. ``change``: the town
    before and after all sites together.
    """

    kind: str
    objective: str
    method: str
    dimension: str | None
    table: gpd.GeoDataFrame
    shortlist: gpd.GeoDataFrame
    change: Comparison

    @property
    def scenario(self) -> Scenario:
        """The scenario that adds all sites."""
        return self.change.plan

    def reasons(self, language: str = "en") -> list[str]:
        """Return the sentences of ``reason`` in a language."""
        before = self.change.baseline
        words = words_for(before, language)
        return [reason(site, self.kind, before, self.dimension, words) for site in _rows(self.table)]


def suggest_sites(
    area: StudyArea,
    kind: str,
    n: int = 1,
    *,
    objective: str = "norm",
    candidates: gpd.GeoDataFrame | None = None,
    params: Params = Params(),  # noqa: B008 (frozen)
    within_min: float | None = None,
    dimension: str | None = None,
    baseline: Assessment | None = None,
) -> Sites:
    """Suggest ``n`` sites for new places of a kind beside those it has.

    ``objective``: "norm" (core residents newly within the kind's norm, greedy), "default" (among candidates with 90 %
    of the best such gain the one that mixes most; then the worst-served group's gain), "access" (sum of
    P_i ln(1 + a_i), lazy greedy), "coverage" (as norm, within ``within_min`` minutes, exact), "p-median" (total
    time), "p-center" (worst time), "mixing" (Q of ``dimension``: by default the first in which the kind mixes, age
    last); the last three by exchange. Formulas: score.md 4.2. ``candidates``: points or polygons; by default at most
    2,000 corners, parks and squares of the core. ``baseline``: the area's assessment under ``params``, if it is at
    hand. Raises ``InputError`` with every fault.

    >>> from gisapp.sources.sample import load_sample
    >>> area = load_sample()
    >>> sites = suggest_sites(area.with_(residents=area.residents.iloc[::20]), "playgrounds")
    >>> bool(sites.table.loc[1, "residents_within_norm"] > 0), sites.change.conflict
    (True, False)
    """
    check_params(params)
    wanted = _checked(area, kind, n, objective, within_min, params)
    own = None if candidates is None else own_candidates(area, candidates)
    before = assess(area, params) if baseline is None else baseline
    kept = before.inputs.kept if before.inputs is not None else None
    if not isinstance(kept, Kept) or before.area is not area:
        raise InputError(
            "suggest_sites: baseline is no assessment of this area; leave it out, or assess the area."
        )
    table = (
        map_candidates(area, kept.routing.network, limit_m=kept.params.snap_limit_m) if own is None else own
    )
    table, problem = _problem(table, kept, kind, wanted)
    mixing = _mixing(problem, area, dimension, needed=objective == "mixing" or dimension is not None)
    chosen, method = choose_sites(problem, wanted, objective, mixing, before, within_min=within_min)

    changes, steps = [], []
    now, result = area, before
    for one in chosen:
        change = compare(
            now, Scenario().add(kind, at=table.geometry.iloc[one]), before.params, baseline=result
        )
        assert change.scenario.area is not None
        now, result = change.scenario.area, change.scenario
        steps.append(change)
        changes.append(effects(change, kind))
    plan = Scenario(f"{kind} ({objective})")
    for one in chosen:
        plan = plan.add(kind, at=table.geometry.iloc[one])
    several = len(chosen) > 1
    whole = compare(area, plan, before.params, baseline=before) if several else replace(steps[0], plan=plan)
    sites = table.iloc[chosen].copy()
    sites.insert(0, "candidate", sites.index)
    sites.index = pd.RangeIndex(1, len(sites) + 1, name="rank")
    sites = gpd.GeoDataFrame(pd.concat([sites, pd.DataFrame(changes, index=sites.index)], axis=1))
    by = None if mixing is None else mixing.name
    words = words_for(before, "en")
    sites.insert(3, "reason", [reason(site, kind, before, by, words) for site in _rows(sites)])
    short = shortlist_of(problem, table, before, mixing, chosen)
    rivals = table.index.get_indexer(short.index)
    short["stays_best"] = stays_best(problem, rivals, objective, wanted, mixing, within_min=within_min)
    return Sites(kind, objective, method, by, sites, short, whole)


def _rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)]


def _checked(
    area: object, kind: str, n: object, objective: str, within_min: float | None, params: Params
) -> int:
    """Return ``n``, or raise every fault of what is asked."""
    if not isinstance(area, StudyArea):
        raise InputError(f"suggest_sites: is given {area!r:.60}, and needs a study area.")
    faults = []
    selected = with_layers(params, area.kinds).kinds
    if kind not in selected:
        near = get_close_matches(str(kind), selected, 1, 0)
        faults.append(
            f"kind: there is no '{kind}' among the kinds that are scored; the nearest is '{near[0] if near else ''}'."
        )
    number = int(n) if isinstance(n, int | np.integer) and not isinstance(n, bool) else 0
    if number < 1:
        faults.append(f"n={n!r}: give a whole number of 1 or more.")
    if objective not in OBJECTIVES:
        faults.append(f"objective={objective!r}: choose one of {', '.join(OBJECTIVES)}.")
    if within_min is not None and not (
        isinstance(within_min, int | float) and 0 < within_min <= params.horizon_min
    ):
        faults.append(f"within_min={within_min!r}: give minutes above 0, at most {params.horizon_min:g}.")
    raise_faults(faults)
    return number


def _problem(table: gpd.GeoDataFrame, kept: Kept, kind: str, n: int) -> tuple[gpd.GeoDataFrame, Problem]:
    """Walk from every candidate at once; those too far from any street are left out."""
    area, params, homes = kept.area, kept.params, kept.homes
    base = kept.routing.unlinked or kept.routing
    places = gpd.GeoDataFrame({"kind": kind, "tags": "{}"}, index=table.index, geometry=table.geometry)
    entries = entries_of(base.network, base.homes, area, places, params)
    near = np.unique(entries.place)
    if not len(near):
        raise InputError(
            f"candidates: none of {len(table):,} lies within {params.snap_limit_m:g} m from a walkable street."
        )
    if len(near) < n:
        raise InputError(
            f"n={n}: there are only {len(near):,} candidates near a walkable street; ask for fewer."
        )
    routing = linked(base.with_entries(entries.of(near, len(table)), len(near)), area, params)
    found = routing.walks(np.arange(len(near)), limit=routing.limit_mm(params.horizon_min))
    people = np.where(homes.core, homes.total, 0.0)
    lived = people[found.home] > 0
    home, place, mm = (values[lived] for values in (found.home, found.place, found.mm))
    matrix = sparse.csr_array((mm, place, starts(home, len(people))), shape=(len(people), len(near))).tocsc()
    position = kept.settings.kinds.index(kind)
    nth = kept.kinds[position].reach.nth_min
    members = np.flatnonzero(kept.places.kind == position)
    old = kept.routing.walks(members, limit=routing.limit_mm(params.horizon_min))
    problem = Problem(
        kept=kept,
        kind=position,
        begin=matrix.indptr.astype(np.int64),
        home=matrix.indices.astype(np.int32),
        minutes=minutes_of(matrix.data, routing.network.speed_ms),
        people=people,
        nth_min=np.where(np.isnan(nth), np.inf, nth),
        members=members,
        existing=Pairs(old.home, old.place, minutes_of(old.mm, routing.network.speed_ms)),
    )
    return table.iloc[near], problem


def _mixing(problem: Problem, area: StudyArea, dimension: str | None, *, needed: bool) -> Mixing | None:
    """Return Q as the objective of a dimension; None where new places of the kind take no part in mixing."""
    settings, town = problem.kept.settings, problem.kept.town
    names = [d.name for d in town.dimensions]
    kind = settings.kinds[problem.kind]
    mixes = settings.mixes[problem.kind] & (town.reference_diversity > 0)
    if any(layer.key == kind and layer.open_to not in CHOICE_OPEN_TO for layer in area.kinds):
        mixes = np.zeros(len(names), dtype=bool)
    if dimension is not None and dimension not in names:
        raise InputError(
            f"dimension={dimension!r}: residents are counted by {', '.join(names) or 'nothing'}."
        )
    possible = [at for at in np.flatnonzero(mixes).tolist() if dimension in (None, names[at])]
    if possible:  # who is how old says least about who keeps apart
        return Mixing(problem, min(possible, key=lambda at: names[at] == "age"))
    if needed:
        by = f" by {dimension}" if dimension else ""
        raise InputError(f"objective: '{kind}' takes no part in mixing{by}; choose 'norm' or 'access'.")
    return None
