"""How far the result would move under other reasonable assumptions: a Monte Carlo run over an assessment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse

from gisapp.assessment import Assessment, Inputs
from gisapp.errors import InputError
from gisapp.params import Params
from gisapp.resources import cores
from gisapp.scores.arrays import Floats, Homes, Ints, Pairs
from gisapp.scores.combine import competition_ranks, likeness
from gisapp.scores.kind_pairs import KindPairs
from gisapp.scores.mixing import SORTING, describe_town
from gisapp.scores.run import gather, score_kinds
from gisapp.scores.sensitivity import Draw, draw, rank_summary, redrawn, shaken
from gisapp.scores.settings import reference_of, settle
from gisapp.scores.tables import city_table, headline, pool

QUANTILES = {"p05": 0.05, "p50": 0.50, "p95": 0.95}


@dataclass(frozen=True)
class Sensitivity:
    """Intervals over draws. ``places`` (index ``place_id``), for each dimension ``rank_median:{d}``,
    ``rank_p05:{d}``, ``rank_p95:{d}``, ``top10:{d}`` (share of draws) and ``fragile:{d}`` (0/1). ``city`` and
    ``by_choice_set``: ``dimension``, ``kind``, ``measure`` (a column of ``Assessment.city``), ``p05``,
    ``p50``, ``p95``; the second only the islands at places, for each ``choice_set`` (0: all places).
    """

    places: pd.DataFrame
    city: pd.DataFrame
    by_choice_set: pd.DataFrame
    draws: int
    seed: int


def sensitivity(assessment: Assessment, *, draws: int = 200, seed: int = 0, homes: int = 5000) -> Sensitivity:
    """Score a town again under ``draws`` sets of assumptions, on a sample of at most ``homes`` homes.

    Places are ranked by sqrt(U min(1, M, F)) at the drawn degree of sorting, among the core's places that
    take part in the dimension; equal values share a rank. The town's figures keep their own degree of
    sorting. The same seed gives the same result. Raises ``InputError`` if the assessment does not carry its
    inputs.

    >>> from gisapp.assess import assess_tables
    >>> town = pd.DataFrame({"origin:here": [80, 20], "origin:elsewhere": [20, 80]}, index=["a", "b"])
    >>> square = pd.DataFrame({"kind": ["squares"]}, index=["s"])
    >>> times = pd.DataFrame({"home_id": ["a", "b"], "place_id": ["s", "s"], "minutes": [5.0, 5.0]})
    >>> result = sensitivity(assess_tables(town, square, times), draws=20)
    >>> result.places["rank_median:origin"].tolist()
    [1.0]
    """
    inputs = assessment.inputs
    if inputs is None:
        raise InputError("sensitivity: this assessment does not carry its inputs; assess the area again.")
    rng = np.random.default_rng(seed)
    sample = _sampled(inputs, homes, assessment.params.horizon_min, rng)
    # Each draw has luck of its own, so that it comes out the same whichever thread takes it.
    score = partial(_score_draw, inputs, sample, assessment.params)
    with ThreadPoolExecutor(cores()) as pool:
        scored = list(pool.map(score, rng.spawn(draws)))
    cities, ranks = [city for city, _ in scored], np.array([rank for _, rank in scored])
    dimensions, places = sample.homes.dimensions, inputs.places
    columns = {}
    for at, dimension in enumerate(dimensions):
        for name, values in rank_summary(ranks[:, :, at]).items():
            columns[f"{name}:{dimension.name}"] = values
    return Sensitivity(
        places=pd.DataFrame(columns, index=places.ids),
        city=_quantiles(cities, ["dimension", "kind"]),
        by_choice_set=_quantiles(cities, ["dimension", "kind", "choice_set"], ["islands_places"]),
        draws=draws,
        seed=seed,
    )


def _score_draw(
    inputs: Inputs, sample: "_Sample", params: Params, rng: np.random.Generator
) -> tuple[pd.DataFrame, Floats]:
    """Return the city table of one draw, and the ranks of its places (J, D), NaN where a place has none."""
    places = inputs.places
    # times beyond the horizon were kept: faster walkers may be drawn
    drawn = draw(rng, params, settle(params, sample.homes, places), places, faster=sample.faster)
    town_homes, counts = sample.homes, inputs.homes.counts
    if inputs.rounding:
        counts = shaken(rng, inputs.homes, inputs.rounding)
        town_homes = replace(town_homes, counts=counts[sample.rows] * sample.expansion)
    town = describe_town(town_homes, _environment(sample, counts, drawn), reference_of(params, town_homes))
    settings = settle(drawn.params, town_homes, places)
    etas = (*SORTING, drawn.eta)
    kinds = score_kinds(
        (redrawn(split, drawn) for split in sample.splits), town_homes, places, town, drawn.params, settings,
        etas=etas,
    )  # fmt: skip
    scores, found, sums = gather(kinds, len(places.kind), town, settings, etas=len(etas))
    flags, pooled = headline(scores, settings, town), pool(sums, town, settings)
    city = city_table(sums, pooled, scores, flags, town_homes, town, settings)
    value = np.sqrt(found.reach[:, None] * np.nan_to_num(likeness(found.mix[-1], found.likeness[-1])))
    ranked = ~np.isnan(found.known[-1]) & places.core[:, None] & ~drawn.dropped[:, None]
    ranks = [competition_ranks(column) for column in np.where(ranked, value, np.nan).T]
    shape = (len(sample.homes.dimensions), len(places.kind))
    return city.assign(choice_set=drawn.params.choice_set or 0), np.array(ranks).reshape(shape).T


@dataclass(frozen=True)
class _Sample:
    """A sample of homes: ``rows`` are their positions among all, ``expansion`` scales their counts to the
    town, ``faster``: whether times beyond the horizon are known; ``neighbours`` (sample x all homes) holds minutes.
    """

    homes: Homes
    rows: Ints
    expansion: float
    splits: tuple[KindPairs, ...]
    faster: bool
    neighbours: sparse.csr_array | None


def _sampled(inputs: Inputs, size: int, horizon_min: float, rng: np.random.Generator) -> _Sample:
    everybody = inputs.homes
    n = len(everybody.total)
    rows = np.arange(n) if n <= size else np.sort(rng.choice(n, size, replace=False))
    expansion = n / len(rows)
    homes = Homes(
        everybody.ids[rows], everybody.total[rows] * expansion, everybody.core[rows],
        everybody.counts[rows] * expansion, everybody.dimensions, everybody.zone[rows],
    )  # fmt: skip
    where = np.full(n, -1, dtype=np.int32)
    where[rows] = np.arange(len(rows))

    def of_sample(pairs: Pairs) -> Pairs:
        kept = pairs if n == len(rows) else pairs.at(where[pairs.origin] >= 0)
        return Pairs(where[kept.origin], kept.target, kept.minutes)

    neighbours = None
    if inputs.home_pairs is not None:
        near = of_sample(inputs.home_pairs(rows) if callable(inputs.home_pairs) else inputs.home_pairs)
        ends = np.searchsorted(near.origin, np.arange(len(rows) + 1))
        neighbours = sparse.csr_array((near.minutes, near.target, ends), shape=(len(rows), n))
    splits = tuple(KindPairs(each.kind, each.members, of_sample(each.pairs)) for each in inputs.splits())
    faster = any((split.pairs.minutes > horizon_min).any() for split in splits)
    return _Sample(homes, rows, expansion, splits, faster, neighbours)


def _environment(sample: _Sample, counts: Floats, drawn: Draw) -> Floats:
    own = counts[sample.rows]
    if sample.neighbours is None:
        return own
    near = sample.neighbours.copy()
    near.data = (near.data / drawn.speed <= drawn.params.environment_min).astype(np.float64)
    return np.asarray(own + near @ counts)


def _quantiles(cities: list[pd.DataFrame], by: list[str], measures: list[str] | None = None) -> pd.DataFrame:
    every = pd.concat(cities, ignore_index=True)
    names = measures or [c for c in every.columns if c not in ("dimension", "kind", "choice_set")]
    long = every.melt(id_vars=by, value_vars=names, var_name="measure")
    order = long[[*by, "measure"]].drop_duplicates()
    if "choice_set" in by:
        order = order.sort_values(by)
    groups = long.groupby([*by, "measure"], sort=False)["value"]
    quantiles = pd.DataFrame({name: groups.quantile(q) for name, q in QUANTILES.items()})
    return order.merge(quantiles, left_on=[*by, "measure"], right_index=True, how="left").reset_index(
        drop=True
    )
