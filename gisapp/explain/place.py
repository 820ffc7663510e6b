"""A place explained: who might come, how mixed they would be, what limits it, as far as that may be shown."""

import math

import numpy as np
import pandas as pd

from gisapp.display import (
    FEW_VISITORS,
    LIKE_THE_TOWN,
    LITTLE,
    MIX_LIMITS,
    MIXED,
    NOT_COMPUTED,
    UNLIKE,
    Hidden,
    change_texts,
    count_text,
    index_text,
    mix_classes,
    relative_text,
    rounded_count,
    share_text,
)
from gisapp.errors import MissingError
from gisapp.explain.case import Case, number
from gisapp.explain.result import Explanation
from gisapp.explain.visitors import composition_hidden, known_visitors
from gisapp.measures import group_columns
from gisapp.scores.combine import meeting_score
from gisapp.titles import kind_title

_EQUAL = 1e-9
# The least that each mix class promises of min(1, M, F): more may not be told of some places.
_AT_LEAST = {LITTLE: 0.0, UNLIKE: 0.0, MIXED: LIKE_THE_TOWN}


def explain_place(case: Case, place_id: str) -> Explanation:
    """Explain a place; an unknown one is a ``MissingError``."""
    places, words = case.assessment.places, case.words
    if place_id not in places.index:
        raise MissingError(f"There is no place '{place_id}' on this map.")
    place = places.loc[[place_id]].iloc[0]
    name, kind = _name(case, place_id), kind_title(str(place["kind"]), case.assessment, words)
    says = [words("place.named", name=name, kind=kind.lower()) if name else words("place.unnamed", kind=kind)]
    visitors = number(place, "visitors")
    claims: tuple[str, ...] = (words("explain.potential"), words("place.claim_expected"))
    if math.isnan(visitors):
        return Explanation(
            name or kind, (*says, words("place.reach_only")), (), (words("place.no_choice"),), claims[:1],
            words.language,
        )  # fmt: skip
    text = count_text(visitors, words)
    says.append(words.plural("place.visitors", rounded_count(visitors), visitors=text))
    holds: list[str] = []
    helps: list[str] = []
    if case.dimension is not None:
        mix_class = int(mix_classes(places.loc[[place_id]], case.dimension).iloc[0])
        says.append(words("place.mix", by=case.by, mix=words.several("marks.classes")[mix_class]))
        if mix_class != NOT_COMPUTED:
            hidden = composition_hidden(case.assessment, place_id, case.dimension)
            says += _shown(case, place, place_id, hidden)
            holds = _holds(case, place, place_id, mix_class, hidden)
            helps = [_limit(case, place, mix_class, hidden)]
            claims = (*claims, words("place.claim_blind"))
    return Explanation(name or kind, tuple(says), tuple(holds), tuple(helps), claims, words.language)


def _name(case: Case, place_id: str) -> str:
    area = case.assessment.area
    table = case.assessment.places if area is None else area.places
    name = table.loc[place_id].get("name")
    return name if isinstance(name, str) else ""


def _shown(case: Case, place: pd.Series, place_id: str, hidden: Hidden | None) -> list[str]:
    words, d = case.words, case.dimension
    if hidden is not None:
        sentences = [words(f"place.hidden_{hidden}")]
    else:
        base = known_visitors(case.assessment, place_id, str(d))
        chance = share_text(number(place, f"chance:{d}"), words, base=base)
        relative = relative_text(number(place, f"mix:{d}"), words)
        sentences = [words("place.chance", chance=chance, relative=relative)]
        likeness = number(place, f"representativeness:{d}")
        sentences.append(words("place.likeness", likeness=index_text(likeness, words)))
        for key, column in (("inherited", f"inherited:{d}"), ("sorted", f"mix_sorted:{d}")):
            value = number(place, column)
            if math.isfinite(value):
                sentences.append(words(f"place.{key}", **{key: relative_text(value, words)}))
    room = number(place, "room_to_sort")
    if math.isfinite(room):
        sentences.append(words("place.room", room=share_text(room, words)))
    return sentences


def _holds(case: Case, place: pd.Series, place_id: str, mix_class: int, hidden: Hidden | None) -> list[str]:
    words, d = case.words, case.dimension
    least_mix, least_likeness, least_visitors = case.assessment.params.mixed_at
    sentences = []
    known = known_visitors(case.assessment, place_id, str(d))
    if known < least_visitors - _EQUAL:
        shown = {"visitors": count_text(known, words), "least": count_text(least_visitors, words)}
        sentences.append(words("place.few", **shown))
    mix, likeness = number(place, f"mix:{d}"), number(place, f"representativeness:{d}")
    if mix < least_mix - _EQUAL and hidden is None:
        shown = {"mix": relative_text(mix, words), "least": relative_text(least_mix, words)}
        sentences.append(words("place.low_mix", **shown))
    elif mix_class not in (MIXED, UNLIKE):
        sentences.append(words("place.low_mix_class"))
    if likeness < least_likeness - _EQUAL and hidden is None:
        shown = {"likeness": index_text(likeness, words), "least": index_text(least_likeness, words)}
        sentences.append(words("place.low_likeness", **shown))
    elif mix_class == UNLIKE:
        sentences.append(words("place.low_likeness_class"))
    if sentences and hidden is None and known >= FEW_VISITORS:
        sentences += _over_represented(case, place, known)
    return sentences or [words("place.is_mixed")]


def _over_represented(case: Case, place: pd.Series, known: float) -> list[str]:
    town = dict(case.assessment.params.reference)
    groups = [g for g in group_columns(list(town), str(case.dimension)) if town[g] > 0]
    here = {g: number(place, f"visitors:{g}") / known for g in groups}
    over = {g: here[g] - town[g] for g in groups if here[g] > town[g] + _EQUAL}
    if not over:
        return []
    most = max(over, key=lambda g: over[g])
    return [
        case.words(
            "place.most",
            group=case.group_name(most.partition(":")[2]),
            here=share_text(here[most], case.words, base=known),
            town=share_text(town[most], case.words),
        )
    ]


def _limit(case: Case, place: pd.Series, mix_class: int, hidden: Hidden | None) -> str:
    """Which of reach, mix and likeness is the least part of the meeting score, and what it would be without."""
    words, d, full = case.words, case.dimension, case.assessment.params.reach_full or 0.0
    reach = min(1.0, number(place, "reach") / full) if full > 0 else 1.0
    shown_reach = index_text(reach, words)
    if hidden is not None:
        if reach < _AT_LEAST.get(mix_class, MIX_LIMITS[0]):
            return words("place.class_reach", reach=shown_reach)
        if mix_class == MIXED:
            return words("place.class_reach", reach=shown_reach) if reach < 1 else words("place.class_none")
        return words("place.class_likeness" if mix_class == UNLIKE else "place.class_mix")
    mix, likeness = number(place, f"mix:{d}"), number(place, f"representativeness:{d}")
    factors = {"reach": reach, "mix": min(1.0, mix), "likeness": min(1.0, likeness)}
    least = min(factors, key=lambda name: factors[name])
    if factors[least] >= 1 - _EQUAL:
        return words("place.limit_none")
    scores = [
        float(meeting_score(np.array([f["reach"]]), 1.0, np.array([f["mix"]]), np.array([f["likeness"]]))[0])
        for f in (factors, {**factors, least: 1.0})
    ]
    parts = {name: index_text(value, words) for name, value in factors.items()}
    before, after = change_texts(scores[0] / 100, scores[1] / 100, words)
    return words(f"place.limit_{least}", parts=words("place.parts", **parts), before=before, after=after)
