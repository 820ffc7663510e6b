"""Who has how much: means and gaps by group, Gini, Lorenz, concentration and Palma-type ratio."""

import numpy as np

from gisapp.scores.arrays import Floats, ratio


def group_means(values: Floats, counts: Floats) -> Floats:
    """Return A_g = sum_i n_ig a_i / N_g for each group; NaN for a group without people.

    ``values`` (homes,) or (homes, groups), ``counts`` (homes, groups).

    >>> group_means(np.array([10.0, 30.0]), np.array([[1.0, 0.0], [3.0, 0.0]])).tolist()
    [25.0, nan]
    """
    wide = values if values.ndim == 2 else values[:, None]
    return ratio((wide * counts).sum(axis=0), counts.sum(axis=0))


def gap(means: Floats) -> float:
    """Return the best group's mean minus the worst's; NaN without a group.

    >>> gap(np.array([40.0, 25.0, np.nan]))
    15.0
    """
    known = means[~np.isnan(means)]
    return float(known.max() - known.min()) if len(known) else float("nan")


def lorenz(values: Floats, people: Floats) -> tuple[Floats, Floats]:
    """Return the Lorenz curve: cumulative shares of people, poorest first, and of what they have, from (0,
    0).

    NaN shares where the total is 0.

    >>> [c.tolist() for c in lorenz(np.array([30.0, 10.0]), np.array([1.0, 1.0]))]
    [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0]]
    """
    order = np.argsort(values, kind="stable")
    people, total = people[order], (values * people)[order]
    return (
        np.append(0.0, ratio(np.cumsum(people), people.sum())),
        np.append(0.0, ratio(np.cumsum(total), total.sum())),
    )


def gini(values: Floats, people: Floats) -> float:
    """Return the Gini index over people, sum_ij w_i w_j |x_i - x_j| / (2 W^2 mean); NaN where the mean is 0.

    Equal to the package ``inequality`` where everybody weighs the same.

    >>> gini(np.array([20.0, 40, 60, 80]), np.ones(4))
    0.25
    """
    across, up = lorenz(values, people)
    return float(1.0 - (np.diff(across) * (up[1:] + up[:-1])).sum())


def fractional_rank(rank_by: Floats, people: Floats) -> Floats:
    """Return each row's fractional rank: the share of people below it plus half of its own, ties together.

    van Doorslaer & Koolman's rank (as in the R package ``accessibility``, read).

    >>> fractional_rank(np.array([1.0, 2.0]), np.array([1.0, 3.0])).tolist()
    [0.125, 0.625]
    """
    _, which = np.unique(rank_by, return_inverse=True)
    weight = np.bincount(which, weights=people) / people.sum()
    return np.asarray((np.cumsum(weight) - weight / 2)[which])


def concentration_index(values: Floats, rank_by: Floats, people: Floats) -> float:
    """Return CI = 2 cov_w(x, rank) / mean, -1 to 1: above 0 the better-off have more. NaN where the mean is
    0.

    ``rank_by`` is an income or its rank, poorest lowest; ``people`` are weights.

    >>> round(concentration_index(np.array([20.0, 40, 60, 80]), np.arange(4.0), np.ones(4)), 12)
    0.25
    """
    if people.sum() == 0:
        return float("nan")
    weight = people / people.sum()
    mean = float((weight * values).sum())
    rank = fractional_rank(rank_by, people)
    covariance = float((weight * (values - mean) * (rank - (weight * rank).sum())).sum())
    return 2 * covariance / mean if mean > 0 else float("nan")


def erreygers_index(
    values: Floats, rank_by: Floats, people: Floats, *, bounds: tuple[float, float] = (0.0, 100.0)
) -> float:
    """Return Erreygers' corrected concentration index, 4 mean / (b - a) CI, with the score's bounds (0, 100).

    The R package ``accessibility`` takes the observed least and greatest value as bounds (read).

    >>> round(erreygers_index(np.array([20.0, 40, 60, 80]), np.arange(4.0), np.ones(4)), 12)
    0.5
    """
    total = people.sum()
    mean = float((values * people).sum() / total) if total else float("nan")
    return 4 * mean / (bounds[1] - bounds[0]) * concentration_index(values, rank_by, people)


def palma_type_ratio(values: Floats, rank_by: Floats, people: Floats) -> float:
    """Return the mean of the best-off tenth over the mean of the worst-off 40 %, by ``rank_by``; NaN if that
    is 0.

    A row that straddles a limit counts with the part of its people inside.

    >>> round(palma_type_ratio(np.array([20.0, 40, 60, 80]), np.arange(4.0), np.ones(4)), 4)
    2.9091
    """
    order = np.argsort(rank_by, kind="stable")
    weight, value = people[order], values[order]
    total = weight.sum()
    if total == 0:
        return float("nan")
    end = np.cumsum(weight) / total
    begin = end - weight / total

    def mean(low: float, high: float) -> float:
        inside = np.clip(np.minimum(end, high) - np.maximum(begin, low), 0, None)
        return float((inside * value).sum() / inside.sum())

    return float(ratio(mean(0.9, 1.0), mean(0.0, 0.4)))
