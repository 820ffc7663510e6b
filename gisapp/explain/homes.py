"""A square or a single home explained: its access, what is missing, and who its residents could meet."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from gisapp.cells import Cells
from gisapp.display import (
    change_texts,
    count_text,
    exposure_text,
    index_text,
    minutes_text,
    rounded_count,
    share_text,
)
from gisapp.errors import MissingError
from gisapp.explain.case import Case, named_until, value_at
from gisapp.explain.gain import Gain, best_gains
from gisapp.explain.result import Explanation
from gisapp.measures import MEASURES, View, home_values, residents_of

_STRONG = 70.0  # the upper band of access: a kind there is no weakness
_EQUAL = 1e-9

Mean = Callable[[pd.Series], float]


def explain_cell(case: Case, cell_id: str, cells: Cells) -> Explanation:
    """Explain a square of ``cells``; an unknown one is a ``MissingError``."""
    if cell_id not in cells.frame.index:
        raise MissingError(f"There is no square '{cell_id}' on this map.")
    here = cells.of_home.index[cells.of_home == cell_id]
    return _explain(case, here, value_at(cells.frame["residents"], cell_id), "cell.people", cell_id)


def explain_home(case: Case, home_id: str) -> Explanation:
    """Explain a single home; an unknown one is a ``MissingError``."""
    homes = case.assessment.homes.index
    if home_id not in homes:
        raise MissingError(f"There is no home '{home_id}' in this assessment.")
    people = value_at(residents_of(case.assessment)["total"], home_id)
    return _explain(case, homes[homes == home_id], people, "cell.home", str(home_id))


def _explain(case: Case, homes: pd.Index, people: float, who: str, title: str) -> Explanation:
    words, totals = case.words, residents_of(case.assessment)["total"].reindex(homes).astype(float)
    weights = totals if totals.sum() > 0 else pd.Series(1.0, index=homes)

    def mean(values: pd.Series) -> float:
        return mean_of(values.reindex(homes).to_numpy(dtype=float), weights.to_numpy(dtype=float))

    says = [words.plural(who, rounded_count(people), people=count_text(people, words))]
    access = mean(case.assessment.homes["access"])
    if math.isfinite(access):
        says.append(_access(case, access))
    minutes = {
        kind: mean(case.assessment.homes[f"nearest_min:{kind}"].fillna(np.inf))
        for kind in case.assessment.params.kinds
        if f"nearest_min:{kind}" in case.assessment.homes
    }
    says += _nearest(case, minutes)
    claims = [words("explain.potential")]
    if case.dimension is not None:
        meetings = _meetings(case, people, mean)
        says += meetings
        claims += [words("cell.claim_meets")] if meetings else []
    return Explanation(
        title=title,
        what_it_is=tuple(says),
        holds_down=_weakest(case, minutes, mean),
        would_raise=_raise(case, homes, weights),
        not_claimed=(*claims, words("explain.left_out")),
        language=words.language,
    )


def mean_of(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted mean of a few homes, as ``cell_means`` has it for a square of the map.

    NaN is unknown and left out; infinity, none within the horizon, holds where more than half of the people
    are there.

    >>> mean_of(np.array([4.0, np.inf, np.nan]), np.array([2.0, 1.0, 9.0]))
    4.0
    """
    beyond, known = np.isinf(values), np.isfinite(values)
    inside = float(weights[known].sum())
    if weights[beyond].sum() > inside:
        return math.inf
    return float(values[known] @ weights[known]) / inside if inside > 0 else math.nan


def access_band(access: float, case: Case) -> str:
    """Return the name of the band of an access score (0-100), without its limits."""
    bands = case.words.several("measures.access.classes")
    return bands[int(MEASURES["access"].classify(pd.Series([access]))[0])].split(",")[0]


def gain_texts(case: Case, gains: tuple[Gain, ...], key: str) -> tuple[str, ...]:
    """Return what one more place would do, as sentences: ``key`` and, for kinds that exist here, another."""
    sentences = []
    for gain, said in zip(gains, (key, "cell.raise_present"), strict=False):
        before, after = change_texts(gain.before / 100, gain.after / 100, case.words)
        kinds = case.kind_names(gain.kinds)
        sentences.append(case.words.plural(said, len(gain.kinds), before=before, after=after, kinds=kinds))
    return tuple(sentences)


def _access(case: Case, access: float) -> str:
    words, curve = case.words, case.assessment.params.decay_curve
    said = {"score": index_text(access / 100, words), "band": access_band(access, case)}
    if curve.form != "half_life" or access <= 0:
        return words("cell.access", **said)
    like = max(0.0, -curve.minutes * math.log2(access / 100))
    if like > case.assessment.params.horizon_min:
        return words("cell.access", **said)
    return words("cell.access_like", **said, minutes=minutes_text(like, words))


def _nearest(case: Case, minutes: dict[str, float]) -> list[str]:
    words = case.words
    reached = sorted((k for k in minutes if math.isfinite(minutes[k])), key=lambda k: minutes[k])
    if not reached:
        return [words("cell.none")]
    sentences = []
    if case.kind in minutes:
        value = minutes_text(minutes[case.kind], words)
        sentences.append(words("cell.nearest_of", kind=case.kind_name(case.kind), value=value))
    listed = words.listed(_with_minutes(case, kind, minutes) for kind in named_until(reached))
    return [*sentences, words("cell.nearest", list=listed)]


def _with_minutes(case: Case, kind: str, minutes: dict[str, float]) -> str:
    return f"{case.kind_name(kind)} {minutes_text(minutes[kind], case.words)}"


def _weakest(case: Case, minutes: dict[str, float], mean: Mean) -> tuple[str, ...]:
    words, table = case.words, case.assessment.homes
    present = set(case.assessment.places["kind"])
    scores = {kind: mean(table[f"access:{kind}"]) for kind in minutes if f"access:{kind}" in table}
    weak = sorted(
        (k for k, score in scores.items() if k in present and score < _STRONG), key=lambda k: scores[k]
    )
    sentences = []
    if weak:
        none = [k for k in weak if scores[k] <= _EQUAL]  # all that are at 0 are equally weak
        named = none or named_until(weak)
        sentences.append(
            words("cell.weakest", list=words.listed(_with_minutes(case, k, minutes) for k in named))
        )
    elif scores:
        sentences.append(words("cell.weakest_none"))
    absent = [kind for kind in case.assessment.params.kinds if kind not in present]
    if absent:
        sentences.append(words.plural("cell.absent", len(absent), kinds=case.kind_names(absent)))
    return tuple(sentences)


def _raise(case: Case, homes: pd.Index, weights: pd.Series) -> tuple[str, ...]:
    at = np.sort(case.assessment.homes.index.get_indexer(homes))
    people = weights.reindex(case.assessment.homes.index[at]).to_numpy(dtype=float)
    gains = best_gains(case.assessment, at, people)
    return gain_texts(case, gains, "cell.raise") or (case.words("cell.raise_none"),)


def _meetings(case: Case, people: float, mean: Mean) -> list[str]:
    words, table = case.words, case.assessment.homes
    column = f"mixed_place_10min:{case.dimension}"
    share = mean(table[column]) if column in table else math.nan
    if not math.isfinite(share):
        return []
    key = "none" if share <= 0 else "all" if share >= 1 else "some"
    text = share_text(share, words, base=people)
    sentences = [words(f"cell.mixed_{key}", by=case.by, **({"share": text} if key == "some" else {}))]
    places, street = (
        mean(home_values(case.assessment, View(MEASURES[key], None, case.dimension)))
        for key in ("meets", "meets_at_home")
    )
    if math.isfinite(places) and math.isfinite(street):
        shown = {"share": exposure_text(places, words), "home": exposure_text(street, words)}
        sentences.append(words("cell.meets", by=case.by, **shown))
    return sentences
