"""What one more place of each kind would do for access: the score computed again, not guessed."""

from dataclasses import dataclass

import numpy as np

from gisapp.assessment import Assessment
from gisapp.explain.pairs import pairs_of, places_of
from gisapp.scores.access import access_score, overall_access
from gisapp.scores.arrays import Floats, Ints
from gisapp.scores.decay import decay
from gisapp.scores.kind_pairs import split_kinds
from gisapp.scores.run import kind_access

NEW_PLACE_MIN = 5.0
_EQUAL = 1e-9


@dataclass(frozen=True)
class Gain:
    """Mean overall access (0-100) before, and after one more place of each of ``kinds``, all equally good."""

    kinds: tuple[str, ...]
    before: float
    after: float


def access_with_one_more(
    assessment: Assessment, homes: Ints, *, at_min: float = NEW_PLACE_MIN
) -> tuple[Floats, Floats]:
    """Return overall access (n,) of the homes at these positions, and (kinds, n) with one more place each.

    Row k holds overall access with one more place of ``params.kinds[k]`` at ``at_min`` minutes of every home,
    by the formulas of ``gisapp.scores.access``: that place takes its rank among those already there.
    """
    params, places, n = assessment.params, places_of(assessment), len(homes)
    curve, enough = params.decay_curve, dict(params.enough)
    scores = np.zeros((len(params.kinds), n))
    more = np.zeros_like(scores)
    for split in split_kinds(pairs_of(assessment, homes), places, len(params.kinds)):
        one = bool(enough.get(params.kinds[split.kind], 0))
        weight = decay(split.pairs.minutes, curve)
        raw, scores[split.kind] = kind_access(split, weight, curve, places, n, params, one)
        minutes = np.vstack([np.nan_to_num(raw.nth_min, nan=np.inf), np.full(n, at_min)])
        ranked = np.sort(minutes, axis=0)[:-1]
        near = np.where(np.isfinite(ranked), decay(np.where(np.isfinite(ranked), ranked, 0.0), curve), 0.0)
        more[split.kind] = access_score(near, (1.0,) if one else params.choice_weights)
    given = dict(params.kind_weights)
    weights = np.array([float(given.get(kind, 1.0)) for kind in params.kinds])
    weights = weights / weights.sum()
    changed = np.repeat(scores[None], len(params.kinds), axis=0)
    each = np.arange(len(params.kinds))
    changed[each, each] = more
    return overall_access(scores, weights), np.array([overall_access(a, weights) for a in changed])


def best_gains(assessment: Assessment, homes: Ints, weights: Floats) -> tuple[Gain, ...]:
    """Return the kinds whose one more place at five minutes raises mean access most.

    ``weights`` (n,): people in each home. First the best of all kinds; then, if no place of these is in the
    area at all, the best of those it has. Empty where nothing would raise it.
    """
    if not assessment.params.kinds or not weights.sum() > 0:
        return ()
    now, more = access_with_one_more(assessment, homes)
    before, after = float(now @ weights / weights.sum()), more @ weights / weights.sum()
    present = set(assessment.places["kind"])
    kinds = np.array(assessment.params.kinds, dtype=object)
    has = np.array([kind in present for kind in kinds], dtype=bool)
    gains = []
    for among in (np.ones(len(kinds), dtype=bool), has):
        if not among.any() or not after[among].max() > before + _EQUAL:
            break
        top = float(after[among].max())
        gains.append(Gain(tuple(kinds[among & (after >= top - _EQUAL)]), before, top))
        if present & set(gains[0].kinds):
            break
    return tuple(gains)
