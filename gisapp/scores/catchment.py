"""Floating-catchment ratios, supply per person where people compete: options beside ``access.room``."""

from typing import Literal

import numpy as np

from gisapp.params import Decay
from gisapp.scores.arrays import Floats, Pairs
from gisapp.scores.decay import decay

Method = Literal["2sfca", "e2sfca", "3sfca", "bfca"]


def floating_catchment(
    pairs: Pairs, demand: Floats, supply: Floats, *, method: Method = "e2sfca", curve: Decay | None = None,
    horizon_min: float = 30.0,
) -> Floats:  # fmt: skip
    """Return supply per person at each home (homes,), 0 where nothing is reached.

    With w_ij = f(t_ij), demand P_i (people) and supply c_j:

    - 2sfca: sum_j w_ij c_j / sum_i P_i w_ij, w a step (Luo & Wang 2003, cited from memory)
    - e2sfca: the same with a decay (Luo & Qi 2009, cited from memory). It equals spatial availability per
      person with the same weights (Soukhov et al. 2023, read).
    - 3sfca: people divide over places first, g_ij = w_ij / sum_l w_il: sum_j g_ij w_ij c_j / sum_i P_i g_ij
      w_ij (Wan et al. 2012, as in the package ``access``, read)
    - bfca: each home's weights sum to 1 in demand, each place's in supply: sum_j (w_ij / sum_i w_ij) c_j /
      sum_i P_i (w_ij / sum_l w_il); all supply is handed out once to places (Paez, Higgins & Vivona 2019,
      formula read in the R package ``accessibility``)

    ``curve`` defaults to the half-life of 5 minutes, and to a step at ``horizon_min`` for 2sfca.

    >>> pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 10.0, 15.0, 5.0]))
    >>> people, seats = np.array([100.0, 300.0]), np.array([10.0, 20.0])
    >>> floating_catchment(pairs, people, seats).round(10).tolist()
    [0.0857142857, 0.0714285714]
    >>> floating_catchment(pairs, people, seats, method="2sfca", horizon_min=10).round(10).tolist()
    [0.15, 0.05]
    """
    if curve is None:
        curve = Decay("step", horizon_min) if method == "2sfca" else Decay()
    weight = decay(pairs.minutes, curve, horizon_min)
    n, j = len(demand), len(supply)
    of_home = np.bincount(pairs.origin, weights=weight, minlength=n)[pairs.origin]
    share = np.divide(weight, of_home, out=np.zeros_like(weight), where=of_home > 0)
    gives = weight
    if method == "3sfca":
        weight = gives = share * weight
    elif method == "bfca":
        of_place = np.bincount(pairs.target, weights=weight, minlength=j)[pairs.target]
        gives = np.divide(weight, of_place, out=np.zeros_like(weight), where=of_place > 0)
        weight = share
    asked = np.bincount(pairs.target, weights=demand[pairs.origin] * weight, minlength=j)
    each = np.divide(supply, asked, out=np.zeros(j), where=asked > 0)
    return np.bincount(pairs.origin, weights=gives * each[pairs.target], minlength=n).astype(np.float64)
