"""Floating-catchment ratios, supply per person where people compete: options beside ``access.room``."""

from typing import Literal

import numpy as np

from gisapp.scores.arrays import Floats, Pairs

Method = Literal["2sfca", "3sfca", "bfca"]


def floating_catchment(
    pairs: Pairs, weight: Floats, demand: Floats, supply: Floats, *, method: Method = "2sfca",
    limit_min: float = np.inf,
) -> Floats:  # fmt: skip
    """Return supply per person at each home (homes,), 0 where nothing is reached.

    ``weight`` is w_ij = f(t_ij) of each pair (see ``decay``), ``demand`` P_i people, ``supply`` c_j:

    - 2sfca: sum_j w_ij c_j / sum_i P_i w_ij. With a step this is 2SFCA (Luo & Wang 2003, cited from memory),
      with any other decay E2SFCA (Luo & Qi 2009, cited from memory), which equals spatial availability per
      person (Soukhov et al. 2023, read).
    - 3sfca: people divide over places first, g_ij = w_ij / sum_l w_il: sum_j g_ij w_ij c_j / sum_i P_i g_ij
      w_ij (Wan et al. 2012, as in the package ``access``, read)
    - bfca: in demand each home's weights sum to 1, in supply each place's do: sum_j (w_ij / sum_i w_ij) c_j /
      sum_i P_i (w_ij / sum_l w_il) (Paez, Higgins & Vivona 2019; formula read in the R package
      ``accessibility``)

    Pairs beyond ``limit_min`` are out of reach; in 3sfca they still take their part of w_il, as in ``access``.

    >>> pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 10.0, 15.0, 5.0]))
    >>> people, seats = np.array([100.0, 300.0]), np.array([10.0, 20.0])
    >>> floating_catchment(pairs, 2 ** (-pairs.minutes / 5), people, seats).round(10).tolist()
    [0.0857142857, 0.0714285714]
    """
    n, j = len(demand), len(supply)
    of_home = np.bincount(pairs.origin, weights=weight, minlength=n)[pairs.origin]
    share = np.divide(weight, of_home, out=np.zeros_like(weight), where=of_home > 0)
    reached = pairs.minutes <= limit_min
    weight = np.where(reached, weight, 0.0)
    asks = gives = weight
    if method == "3sfca":
        asks = gives = share * weight
    elif method == "bfca":
        of_place = np.bincount(pairs.target, weights=weight, minlength=j)[pairs.target]
        of_home = np.bincount(pairs.origin, weights=weight, minlength=n)[pairs.origin]
        share = np.divide(weight, of_home, out=np.zeros_like(weight), where=of_home > 0)
        asks, gives = share, np.divide(weight, of_place, out=np.zeros_like(weight), where=of_place > 0)
    asked = np.bincount(pairs.target, weights=demand[pairs.origin] * asks, minlength=j)
    each = np.divide(supply, asked, out=np.zeros(j), where=asked > 0)
    return np.bincount(pairs.origin, weights=gives * each[pairs.target], minlength=n).astype(np.float64)
