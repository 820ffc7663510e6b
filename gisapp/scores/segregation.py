"""Diversity, islands and exposure: what a set of people looks like, and how unevenly it is spread."""

import numpy as np
from numpy.typing import ArrayLike

from gisapp.scores.arrays import Floats, ratio


def composition(counts: Floats) -> Floats:
    """Return each row's shares by group; NaN where a row is empty.

    >>> composition(np.array([[1.0, 3.0], [0.0, 0.0]])).tolist()
    [[0.25, 0.75], [nan, nan]]
    """
    return ratio(counts, counts.sum(axis=-1, keepdims=True))


def diversity(shares: Floats) -> Floats:
    """Return I(p) = 1 - sum p_g^2, the chance that two people drawn at random differ in group: 0 to 1 - 1/G.

    Gini-Simpson; it decomposes (Reardon & Firebaugh 2002, read in PySAL's code).

    >>> diversity(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [0.5, 0.0]
    """
    # sum p(1-p) and not 1 - sum p^2: exactly 0 for one group, whatever the rounding
    return np.asarray((shares * (1.0 - shares)).sum(axis=-1))


def entropy(shares: Floats) -> Floats:
    """Return E(p) = -sum p_g ln p_g in nats, with 0 ln 0 = 0.

    >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(6).tolist()
    [0.693147, 0.0]
    """
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    total = -(shares * logs).sum(axis=-1)
    return np.asarray(total + 0.0)  # -0.0 -> 0.0


def hill_number(shares: Floats, order: float) -> Floats:
    """Return the effective number of groups (Hill 1973, Jost 2006, read): how many equal groups are as
    diverse.

    Order 0 counts groups, 1 is exp of the entropy, 2 is 1 / (1 - I).

    >>> hill_number(np.array([[0.5, 0.5], [1.0, 0.0]]), 2).tolist()
    [2.0, 1.0]
    """
    if order == 1:
        return np.exp(entropy(shares))
    powers = np.power(shares, order, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(powers.sum(axis=-1) ** (1 / (1 - order)))


def sample_diversity(counts: Floats) -> Floats:
    """Return 1 - sum n (n - 1) / (N (N - 1)): I(p) of the people behind a sample, without its bias; NaN if N
    < 2.

    >>> sample_diversity(np.array([[1.0, 1.0], [1.0, 0.0]])).tolist()
    [1.0, nan]
    """
    total = counts.sum(axis=-1)
    return 1.0 - ratio((counts * (counts - 1)).sum(axis=-1), total * (total - 1))


def representativeness(shares: Floats, reference: Floats) -> Floats:
    """Return F = 1 - 1/2 sum |p_g - P_g|, likeness to the town: 1 the same, 0 no group in common.

    >>> representativeness(np.array([[0.5, 0.5]]), np.array([0.8, 0.2])).tolist()
    [0.7]
    """
    return np.asarray(1.0 - 0.5 * np.abs(shares - reference).sum(axis=-1))


def islands(weighted: ArrayLike, total: ArrayLike, reference: ArrayLike) -> Floats:
    """Return R = 1 - sum_u T_u I(p_u) / (T I(ref)): 0 no islands, 1 each unit one group.

    ``weighted`` is sum_u T_u I(p_u). With the pooled composition as reference it is Reardon & Firebaugh's R
    (2002, read in PySAL's code). With entropies in place of I it is Theil's H (as PySAL's MultiInfoTheory).

    >>> islands(0.0, 10.0, 0.5).item(), islands(0.0, 0.0, np.nan).item()
    (1.0, nan)
    """
    return 1.0 - ratio(weighted, np.asarray(total, float) * np.asarray(reference, float))


def islands_floor(people: Floats, environment: Floats) -> float:
    """Return what R shows in a city without structure: max(0, (1/T) sum_i n_i (1/n_ei - 1/T)).

    ``people`` n_i and ``environment`` n_ei, the residents of known group of each home and of its environment.
    Derived from the expected I of n people drawn from the town.

    >>> round(islands_floor(np.full(20, 50.0), np.full(20, 50.0)), 6)
    0.019
    """
    total = people.sum()
    if total == 0:
        return float("nan")
    lived = people > 0
    return max(0.0, float((people[lived] * (1 / environment[lived] - 1 / total)).sum() / total))


def theil_floor(floor: float, groups: int, reference_entropy: float) -> float:
    """Return the floor of Theil's H from the floor of R: (G - 1) / (2 E) of it.

    >>> round(theil_floor(0.5, 2, 0.6931471805599453), 6)
    0.360674
    """
    return float(ratio((groups - 1) * floor, 2 * reference_entropy))


def units_h(counts: Floats) -> tuple[float, float]:
    """Return Theil's H over disjoint units and its floor (U - 1)(G - 1) / (2 T E).

    ``counts`` (units, groups). E is that of the pooled units, as in PySAL's MultiInfoTheory; empty units and
    empty groups change nothing.

    >>> units_h(np.array([[100.0, 0.0], [0.0, 100.0]]))[0]
    1.0
    """
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    total = counts.sum()
    if total == 0 or counts.shape[1] < 2:
        return float("nan"), float("nan")
    pooled = float(entropy(counts.sum(axis=0) / total))
    people = counts.sum(axis=1)
    h = islands((people * entropy(composition(counts))).sum(), total, pooled)
    return float(h), (len(counts) - 1) * (counts.shape[1] - 1) / (2 * total * pooled)


def exposure(counts: Floats) -> Floats:
    """Return gP*h = sum_u (n_ug / N_g) p_uh: of the people that group g shares a unit with, the share of h.

    ``counts`` (units, groups) -> (groups, groups), rows sum to 1; NaN for a group without members. The
    diagonal is isolation (Bell 1954, Lieberson 1981, cited from memory). N_g gP*h = N_h hP*g.

    >>> exposure(np.array([[1.0, 1.0], [1.0, 0.0]])).tolist()
    [[0.75, 0.25], [0.5, 0.5]]
    """
    meet = counts.T @ np.nan_to_num(composition(counts))
    return ratio(meet, counts.sum(axis=0)[:, None])


def dissimilarity(counts: Floats) -> float:
    """Return the multigroup index of dissimilarity, sum_u,g T_u |p_ug - P_g| / (2 T I(P)): 0 even, 1 apart.

    Morgan 1975, Sakoda 1981, as in Reardon & Firebaugh 2002 (read in PySAL's code); with two groups, Duncan's
    D.

    >>> dissimilarity(np.array([[60.0, 40.0], [20.0, 80.0]])).__round__(6)
    0.416667
    """
    people, pooled = counts.sum(axis=1), composition(counts.sum(axis=0))
    apart = np.abs(np.nan_to_num(composition(counts)) - pooled) * people[:, None]
    return float(ratio(apart.sum(), 2 * people.sum() * diversity(pooled)))


def normalised_exposure(counts: Floats) -> float:
    """Return P = sum_u,g T_u (p_ug - P_g)^2 / (T (1 - P_g)), as in Reardon & Firebaugh 2002 (read in PySAL's
    code).

    >>> normalised_exposure(np.array([[10.0, 0.0], [0.0, 10.0]]))
    1.0
    """
    people, pooled = counts.sum(axis=1), composition(counts.sum(axis=0))
    apart = (np.nan_to_num(composition(counts)) - pooled) ** 2 * people[:, None]
    return float(ratio(apart, people.sum() * (1 - pooled)).sum())


def segregation_gini(counts: Floats) -> float:
    """Return G = sum_g,u,v T_u T_v |p_ug - p_vg| / (2 T^2 I(P)), as in Reardon & Firebaugh 2002 (read in
    PySAL).

    >>> segregation_gini(np.array([[10.0, 0.0], [0.0, 10.0]]))
    1.0
    """
    people, shares = counts.sum(axis=1), np.nan_to_num(composition(counts))
    apart = np.abs(shares[:, None, :] - shares[None, :, :]).sum(axis=2)
    total, pooled = people.sum(), composition(counts.sum(axis=0))
    return float(ratio(people @ apart @ people, 2 * total**2 * diversity(pooled)))
