"""The town's headline and its access explained, with what stands in their way."""

import math

import numpy as np

from gisapp.display import change_texts, count_text, index_text, share_text
from gisapp.errors import InputError
from gisapp.explain.case import Case, extremes, named_until, number, two_groups, value_at
from gisapp.explain.gain import best_gains
from gisapp.explain.homes import access_band, gain_texts
from gisapp.explain.pairs import codes
from gisapp.explain.result import Explanation
from gisapp.measures import group_columns, residents_of
from gisapp.scores.combine import is_mixed
from gisapp.scores.settings import NEAR_MIN

_OBSTACLES = ("mix", "likeness", "visitors")  # in the order of Params.mixed_at


def headline_sentence(case: Case) -> str:
    """Return the headline: who can walk to a mixed place, if groups keep more apart too, and to any place."""
    row, base = case.pooled(), case.known_residents()
    columns = {"mixed": "mixed_place_10min", "sorted": "mixed_place_10min_sorted", "any": "any_place_10min"}
    shown = {key: share_text(number(row, name), case.words, base=base) for key, name in columns.items()}
    return case.words("town.headline_says", by=case.by, **shown)


def explain_headline(case: Case) -> Explanation:
    """Explain the share of residents with a mixed place within 10 minutes."""
    row, words = case.pooled(), case.words
    without = share_without_each_limit(case)
    now = number(row, "mixed_place_10min")
    helps = []
    if without and max(without.values()) > now + 1e-9:
        most = max(without, key=lambda name: without[name])
        share = share_text(without[most], words, base=case.known_residents())
        helps.append(words(f"town.headline_raise_{most}", share=share))
    return Explanation(
        title=words("town.headline"),
        what_it_is=(headline_sentence(case),),
        holds_down=(*_mixed_places(case), *two_groups(case, "mixed_place_10min", "town.headline_least")),
        would_raise=tuple(helps) or (words("explain.nothing"),),
        not_claimed=(words("explain.potential"), words("town.headline_claim")),
        language=words.language,
    )


def share_without_each_limit(case: Case) -> dict[str, float]:
    """Return the headline share if mix, likeness or visitors alone were no obstacle: computed, 0-1.

    Places of no visitors or without mixing in the dimension stay out.
    """
    assessment = case.assessment
    mix, likeness, visitors = _mixing(case)
    people = residents_of(assessment).reindex(assessment.homes.index)
    groups = group_columns(list(people.columns), str(case.dimension))
    core = people["core"].to_numpy(dtype=bool) if "core" in people else True
    known = people[groups].sum(axis=1).to_numpy(dtype=float) * core
    if not known.sum() > 0:
        return {}
    near = assessment.travel_times["minutes"].to_numpy() <= NEAR_MIN
    home, place = codes(assessment, "home_id")[near], codes(assessment, "place_id")[near]
    shares = {}
    for at, name in enumerate(_OBSTACLES):
        limits = list(assessment.params.mixed_at)
        limits[at] = -math.inf
        ok = is_mixed(mix, likeness, visitors, limits)
        has = np.zeros(len(known), dtype=bool)
        has[home[ok[place]]] = True
        shares[name] = float(known[has].sum() / known.sum())
    return shares


def explain_access(case: Case) -> Explanation:
    """Explain mean access over the core's residents."""
    words, assessment = case.words, case.assessment
    people = residents_of(assessment).reindex(assessment.homes.index)
    weights = people["total"].to_numpy(dtype=float)
    if "core" in people:
        weights = weights * people["core"].to_numpy(dtype=bool)
    access = assessment.homes["access"].to_numpy(dtype=float)
    mean = float(access @ weights / weights.sum()) if weights.sum() > 0 else math.nan
    if math.isnan(mean):
        raise InputError("Nobody lives here and no kind of place is scored: there is no mean access.")
    score = index_text(mean / 100, words)
    holds = []
    beyond = {
        kind: float(weights[assessment.homes[f"within_norm:{kind}"].to_numpy() == 0].sum() / weights.sum())
        for kind in assessment.params.kinds
    }
    far = named_until(sorted((k for k in beyond if beyond[k] > 0), key=lambda k: -beyond[k]))
    if far:
        base = float(weights.sum())
        listed = words.listed(
            f"{case.kind_name(kind)} {share_text(beyond[kind], words, base=base)}" for kind in far
        )
        holds.append(words("town.access_beyond", list=listed))
    groups = case.groups()
    ends = extremes(groups["access_mean"]) if "access_mean" in groups else None
    if ends:
        (least, worst), (most, best) = ((g, value_at(groups["access_mean"], g)) for g in ends)
        score_least, score_most = change_texts(worst / 100, best / 100, words)
        shown = {"group": case.group_name(least), "other": case.group_name(most)}
        holds.append(
            words("town.access_groups", by=case.by, **shown, score=score_least, other_score=score_most)
        )
    at = np.flatnonzero(weights > 0)
    gains = best_gains(assessment, at, weights[at])
    return Explanation(
        title=words("town.access"),
        what_it_is=(
            words("town.access_says", score=score, band=access_band(mean, case)),
            words("measures.access.help_all"),
        ),
        holds_down=tuple(holds),
        would_raise=gain_texts(case, gains, "town.access_raise") or (words("cell.raise_none"),),
        not_claimed=(words("explain.potential"), words("explain.left_out")),
        language=words.language,
    )


def _mixing(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """M, F and known visitors of each place in the dimension; NaN where it takes no part."""
    places, d = case.assessment.places, case.dimension
    groups = group_columns([str(c).removeprefix("visitors:") for c in places], str(d))
    columns = [f"visitors:{g}" for g in groups if f"visitors:{g}" in places]

    def values(name: str) -> np.ndarray:
        return places[name].to_numpy(dtype=float, na_value=np.nan)

    return (
        values(f"mix:{d}"),
        values(f"representativeness:{d}"),
        places[columns].sum(axis=1).to_numpy(dtype=float),
    )


def _mixed_places(case: Case) -> list[str]:
    words, places = case.words, case.assessment.places
    column = f"mixed:{case.dimension}"
    if column not in places or not places[column].notna().any():
        return []
    mix, likeness, visitors = _mixing(case)
    least_mix, least_likeness, least_visitors = case.assessment.params.mixed_at
    part = places[column].notna().to_numpy()
    few = part & (visitors < least_visitors - 1e-9)
    low = part & (mix < least_mix - 1e-9)
    unlike = part & ~low & (likeness < least_likeness - 1e-9)
    mixed = places[column].to_numpy(dtype=float, na_value=0.0) > 0
    n_mixed, n_all = int(mixed.sum()), int(part.sum())
    shown = {"mixed": words.number(n_mixed), "all": words.number(n_all)}
    says = [
        words.plural("town.headline_places", n_mixed, **shown)
        if n_mixed
        else words("town.headline_places_none", all=shown["all"])
    ]
    faults = {name: int(which.sum()) for name, which in (("few", few), ("low", low), ("unlike", unlike))}
    least = {"few": {"least": count_text(least_visitors, words)}}
    listed = words.listed(
        words(f"not_mixed.{name}", number=words.number(number), **least.get(name, {}))
        for name, number in faults.items()
        if number
    )
    if listed:
        several = "_several" if sum(faults.values()) > n_all - n_mixed else ""
        says.append(words(f"town.headline_others{several}", list=listed))
    return says
