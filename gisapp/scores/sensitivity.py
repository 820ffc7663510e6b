"""What the score's assumptions could as well have been: the draws of a Monte Carlo run, and its summaries."""

from dataclasses import dataclass

import numpy as np

from gisapp.params import Params
from gisapp.scores.arrays import Bools, Floats, Homes, Pairs, Places
from gisapp.scores.kind_pairs import KindPairs
from gisapp.scores.settings import Settings

HALF_TIME_MIN = (3.5, 8.0)
SPEED = (0.9, 1.1)
OUTSIDE_MIN = (10.0, 20.0)
CHOICE_SETS = (1, 3, 5, 10, None)
ENVIRONMENTS_MIN = (3.0, 5.0, 10.0)
CHOICE_WEIGHTS = ((1.0,), (1.0, 0.2, 0.1), (1.0, 0.5, 0.25))
CONCENTRATION = 10.0  # of the kind weights' Dirichlet, for each kind
TOP = 10
FRAGILE = 1 / 3  # of the places


@dataclass(frozen=True)
class Draw:
    """One draw: parameters, a factor on walking speed, the degree of sorting, the places left out (J,)."""

    params: Params
    speed: float
    eta: float
    dropped: Bools


def draw(
    rng: np.random.Generator, params: Params, settings: Settings, places: Places, *, faster: bool
) -> Draw:
    """Draw one set of assumptions.

    h ~ logU(3.5, 8); speed x U(0.9, 1.1), or U(0.9, 1) where the times end at the horizon (not ``faster``);
    outside option ~ U(10, 20) minutes; choice set 1, 3, 5, 10 or all; sorting ~ U(0, 1); environment 3, 5 or
    10 minutes; access weights; kind weights ~ Dirichlet(10 K w) over the K positive weights; each place left
    out with probability 1 - completeness of its kind, all parts of a place together. After Nardo et al. 2008
    (read) and Saisana et al. 2005 (cited from memory). Decays other than the half-life are stretched as much.
    """
    half_time = float(np.exp(rng.uniform(*np.log(HALF_TIME_MIN))))
    speed = float(rng.uniform(SPEED[0], SPEED[1] if faster else 1.0))
    outside = float(rng.uniform(*OUTSIDE_MIN))
    size = CHOICE_SETS[rng.integers(len(CHOICE_SETS))]
    eta = float(rng.uniform())
    environment = ENVIRONMENTS_MIN[rng.integers(len(ENVIRONMENTS_MIN))]
    access = CHOICE_WEIGHTS[rng.integers(len(CHOICE_WEIGHTS))]
    weights = np.zeros(len(settings.kinds))
    positive = settings.weights > 0
    weights[positive] = rng.dirichlet(CONCENTRATION * positive.sum() * settings.weights[positive])
    completeness = dict(params.completeness)
    missing = 1 - np.array([completeness.get(kind, 0.9) for kind in settings.kinds] + [1.0])
    luck = rng.uniform(size=len(places.whole))
    dropped = luck[places.whole] < missing[places.kind]
    curve = None if params.decay is None else params.decay.stretched(half_time / params.half_time_min)
    changed = params.with_(
        half_time_min=half_time,
        decay=curve,
        outside_min=outside,
        choice_set=size,
        environment_min=environment,
        choice_weights=access,
        kind_weights=dict(zip(settings.kinds, weights.tolist(), strict=True)),
    )
    return Draw(changed, speed, eta, dropped)


def redrawn(split: KindPairs, drawn: Draw) -> KindPairs:
    """Return the pairs of one kind as in a draw: without the places left out, at the drawn speed."""
    keep = ~drawn.dropped[split.members][split.pairs.target]
    pairs = split.pairs.at(keep)
    return KindPairs(
        split.kind, split.members, Pairs(pairs.origin, pairs.target, pairs.minutes / drawn.speed)
    )


def shaken(rng: np.random.Generator, homes: Homes, step: float) -> Floats:
    """Return the counts as they may have been before their provider rounded them at random to ``step``.

    Each count of a zone (the level of ``homes.zone``) moves by a triangular error of less than ``step``,
    unbiased, in proportion over its homes; a count of 0 stays 0.
    """
    zones = int(homes.zone.max()) + 1
    counts = np.empty_like(homes.counts)
    for column in range(counts.shape[1]):
        total = np.bincount(homes.zone, weights=homes.counts[:, column], minlength=zones)
        error = rng.uniform(-step / 2, step / 2, zones) + rng.uniform(-step / 2, step / 2, zones)
        factor = np.divide(np.maximum(total + error, 0), total, out=np.ones(zones), where=total > 0)
        counts[:, column] = homes.counts[:, column] * factor[homes.zone]
    return counts


def rank_summary(ranks: Floats) -> dict[str, Floats]:
    """Return median, 5 and 95 % rank, the share of draws in the top ten, and whether the rank is fragile.

    ``ranks`` (draws, places), NaN where a place was left out; NaN for a place never ranked. Fragile (1): the
    interval spans over a third of the ranked places.

    >>> ranks = np.array([[1.0, 2.0, np.nan], [2.0, 1.0, np.nan], [1.0, 2.0, np.nan]])
    >>> rank_summary(ranks)["rank_median"].tolist()
    [1.0, 2.0, nan]
    """
    ranked = ~np.isnan(ranks).all(axis=0)
    out = {
        name: np.full(ranks.shape[1], np.nan)
        for name in ("rank_median", "rank_p05", "rank_p95", "top10", "fragile")
    }
    if not ranked.any():
        return out
    mine = ranks[:, ranked]
    low, middle, high = np.nanquantile(mine, (0.05, 0.5, 0.95), axis=0)
    out["rank_median"][ranked], out["rank_p05"][ranked], out["rank_p95"][ranked] = middle, low, high
    out["top10"][ranked] = (mine <= TOP).sum(axis=0) / (~np.isnan(mine)).sum(axis=0)
    out["fragile"][ranked] = high - low > FRAGILE * ranked.sum()
    return out
