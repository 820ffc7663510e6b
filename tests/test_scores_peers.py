"""The same tables through the packages ``segregation``, ``access`` and ``inequality``: equal to 1e-9."""

import access.fca
import numpy as np
import pandas as pd
import pytest
from inequality.gini import Gini
from segregation import multigroup, singlegroup

from gisapp.scores import segregation as own
from gisapp.scores.arrays import Pairs
from gisapp.scores.catchment import floating_catchment
from gisapp.scores.equity import gini

ZONES = np.array([[60.0, 30, 10], [20, 60, 20], [10, 10, 80], [50, 25, 25]])
GROUPS = ["a", "b", "c"]


def frame(counts: np.ndarray) -> pd.DataFrame:
    """A table of counts as PySAL takes it."""
    return pd.DataFrame(counts, columns=GROUPS)


def relative_diversity(counts: np.ndarray) -> float:
    """R over the rows, by the function that the islands use."""
    people, pooled = counts.sum(axis=1), own.composition(counts.sum(axis=0))
    weighted = (people * np.nan_to_num(own.diversity(own.composition(counts)))).sum()
    return float(own.islands(weighted, people.sum(), own.diversity(pooled)))


MULTIGROUP = {
    "MultiInfoTheory": (lambda c: own.units_h(c)[0], 0.19659858774127387),
    "MultiRelativeDiversity": (relative_diversity, 0.22477709995307368),
    "MultiDissim": (own.dissimilarity, 0.43172219615204127),
    "MultiNormExposure": (own.normalised_exposure, 0.22536746272595332),
    "MultiGini": (own.segregation_gini, 0.5161895823557016),
    "MultiDiversity": (lambda c: float(own.entropy(own.composition(c.sum(axis=0)))), 1.0975114185647865),
    "SimpsonsInteraction": (lambda c: float(own.diversity(own.composition(c.sum(axis=0)))), 0.6659375),
    "MultiDivergence": (
        lambda c: own.units_h(c)[0] * float(own.entropy(own.composition(c.sum(axis=0)))),
        0.21576919491975913,
    ),
}


@pytest.mark.parametrize("name", MULTIGROUP)
def test_multigroup_indices_equal_pysal(name: str) -> None:
    """On four zones and three groups, with a zero cell, and on random counts."""
    ours, expected = MULTIGROUP[name]
    assert ours(ZONES) == pytest.approx(expected, abs=1e-12)
    zero = ZONES.copy()
    zero[0, 2] = 0
    random = np.random.default_rng(1).integers(1, 200, (9, 3)).astype(float)
    for counts in (ZONES, zero, random):
        theirs = getattr(multigroup, name)(frame(counts), GROUPS).statistic
        assert ours(counts) == pytest.approx(theirs, abs=1e-9)


def test_a_zero_cell_and_an_empty_zone() -> None:
    """With no c in the first zone H and D are known; an empty zone or group changes nothing."""
    zero = ZONES.copy()
    zero[0, 2] = 0
    assert own.units_h(zero)[0] == pytest.approx(0.2517014908159999, abs=1e-12)
    assert own.dissimilarity(zero) == pytest.approx(0.45777777777777784, abs=1e-12)
    wider = np.zeros((5, 4))
    wider[:4, :3] = ZONES
    assert own.units_h(wider) == pytest.approx(own.units_h(ZONES), abs=1e-12)
    assert relative_diversity(wider) == pytest.approx(relative_diversity(ZONES), abs=1e-12)
    assert own.dissimilarity(wider) == pytest.approx(own.dissimilarity(ZONES), abs=1e-12)


@pytest.mark.parametrize(
    ("group", "isolation", "dissim", "entropy"),
    [
        ("a", 0.4714285714285714, 0.43956043956, 0.15373556971),
        ("b", 0.418, 0.33454545455, 0.12600961153),
        ("c", 0.5574074074074074, 0.51712089448, 0.26167838924),
    ],
)
def test_one_group_against_the_rest_equals_pysal(
    group: str, isolation: float, dissim: float, entropy: float
) -> None:
    """Isolation, dissimilarity and entropy of each group against the others."""
    table = frame(ZONES)
    table["all"] = ZONES.sum(axis=1)
    at = GROUPS.index(group)
    rest = np.column_stack([ZONES[:, at], ZONES.sum(axis=1) - ZONES[:, at]])
    pairs = [
        (own.exposure(ZONES)[at, at], singlegroup.Isolation(table, group, "all").statistic, isolation),
        (own.dissimilarity(rest), singlegroup.Dissim(table, group, "all").statistic, dissim),
        (own.units_h(rest)[0], singlegroup.Entropy(table, group, "all").statistic, entropy),
    ]
    for ours, theirs, expected in pairs:
        assert ours == pytest.approx(theirs, abs=1e-9)
        assert ours == pytest.approx(expected, abs=1e-10)


def test_interaction_between_groups_equals_pysal() -> None:
    """gP*h off the diagonal: of the people that a meets, the share of b."""
    table = pd.DataFrame({"a": ZONES[:, 0], "ab": ZONES[:, :2].sum(axis=1)})
    theirs = singlegroup.Interaction(table, "a", "ab").statistic
    assert own.exposure(ZONES[:, :2])[0, 1] == pytest.approx(theirs, abs=1e-9)


# the package itself calls pandas in a way that pandas is giving up
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_floating_catchments_equal_access() -> None:
    """The hospital example of ``access``: two-stage and three-stage ratios with weight 1/cost within 61."""
    people, doctors = np.array([100.0, 50, 10]), np.array([15.0, 20, 100])
    cost = np.array([[1.0, 80, 40], [80, 1, 40], [40, 40, 1]])
    origin, target = np.indices((3, 3)).reshape(2, -1)
    pairs = Pairs(origin, target, cost.ravel())
    table = pd.DataFrame({"origin": pairs.origin, "dest": pairs.target, "cost": pairs.minutes})
    demand = pd.DataFrame({"geoid": range(3), "demand": people})
    supply = pd.DataFrame({"supply": doctors}, index=pd.RangeIndex(3, name="geoid"))

    def theirs(function: object) -> np.ndarray:
        result = function(  # type: ignore[operator]
            demand, supply, table.copy(), max_cost=61, demand_name="demand", supply_name="supply",
            demand_index="geoid", weight_fn=lambda x: 1 / x,
        )  # fmt: skip
        return result.sort_index().to_numpy()

    ours = floating_catchment(pairs, 1 / pairs.minutes, people, doctors, limit_min=61)
    assert ours == pytest.approx(theirs(access.fca.two_stage_fca), abs=1e-9)
    assert ours == pytest.approx([0.3314441169802766, 0.5798281320669381, 7.286418169862544], abs=1e-9)
    three = floating_catchment(pairs, 1 / pairs.minutes, people, doctors, method="3sfca", limit_min=61)
    assert three == pytest.approx([0.15625658829061984, 0.4062164524508605, 9.906351854839498], abs=1e-9)
    assert three == pytest.approx(theirs(access.fca.three_stage_fca), abs=1e-9)


def test_gini_equals_inequality() -> None:
    """On four values and on random ones."""
    for values in (np.array([20.0, 40, 60, 80]), np.random.default_rng(2).random(50)):
        assert gini(values, np.ones(len(values))) == pytest.approx(Gini(values).g, abs=1e-9)
