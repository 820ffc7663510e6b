"""The town's figures: sums over visits to each kind, which add up, and the measures made of them."""

from dataclasses import dataclass, fields

import numpy as np

from gisapp.scores.arrays import Floats, Homes, ratio
from gisapp.scores.mixing import KindMixing, Town
from gisapp.scores.segregation import diversity, entropy, islands, islands_floor, theil_floor, units_h

HOME_FIGURES = (
    "islands_home", "islands_home_floor", "h_home", "h_home_floor", "h_units", "h_units_floor",
)  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """Sums over the core's visits to one kind, or to all kinds by weight: every town figure is made of these.

    By column (C,): ``visits``, ``nearest_visits`` (m = 1). By dimension (D,): ``diversity`` = sum_j V_j
    I(p_j), ``entropy`` = sum_j V_j E(p_j), ``home_diversity`` = sum_i W_i I(e_i) with W_i the visits of home
    i, ``stay_diversity`` = sum_i (n_i - W_i) I(e_i), ``minutes``, ``at_nearest``, ``nearest_diversity``,
    ``nearest_home_diversity``, ``sorted_diversity`` for each eta (E, D), ``unreached`` (people), ``bridging``
    (BI of the clusters, 0 where undefined) and ``bridging_weight`` (1 where defined). By pair of columns (C,
    C): ``meet`` = sum_j V_jg p_jh and ``meet_at_home`` = sum_i n_ig r_ig e_ih/e_i.
    """

    visits: Floats
    nearest_visits: Floats
    diversity: Floats
    entropy: Floats
    home_diversity: Floats
    stay_diversity: Floats
    minutes: Floats
    at_nearest: Floats
    nearest_diversity: Floats
    nearest_home_diversity: Floats
    sorted_diversity: Floats
    unreached: Floats
    bridging: Floats
    bridging_weight: Floats
    meet: Floats
    meet_at_home: Floats

    def weighted(self, weight: Floats, town: Town) -> "Sums":
        """Return the sums times a weight for each dimension (D,)."""
        wide = weight[town.column_dimension]
        by_column = ("visits", "nearest_visits")
        scaled = {
            f.name: getattr(self, f.name) * (wide if f.name in by_column else weight)
            for f in fields(self)
            if not f.name.startswith("meet")
        }
        return Sums(**scaled, meet=self.meet * wide[:, None], meet_at_home=self.meet_at_home * wide[:, None])

    def plus(self, other: "Sums") -> "Sums":
        """Return the sum of both."""
        return Sums(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def no_visits(town: Town, etas: int) -> Sums:
    """Return the sums of a kind without a place: everybody stays among their neighbours."""
    columns, dims = town.people.shape[1], len(town.dimensions)
    known = town.known
    zero = np.zeros(dims)
    return Sums(
        visits=np.zeros(columns), nearest_visits=np.zeros(columns), diversity=zero, entropy=zero,
        home_diversity=zero, stay_diversity=(known * town.diversity_at_home).sum(axis=0), minutes=zero,
        at_nearest=zero, nearest_diversity=zero, nearest_home_diversity=zero,
        sorted_diversity=np.zeros((etas, dims)), unreached=known.sum(axis=0), bridging=zero,
        bridging_weight=zero, meet=np.zeros((columns, columns)), meet_at_home=np.zeros((columns, columns)),
    )  # fmt: skip


def sum_visits(mixing: KindMixing, town: Town) -> Sums:
    """Return the sums of one kind."""
    goers = town.core * mixing.goes_by_group
    near_goers = town.core * mixing.nearest_goes
    core = mixing.runs[0].core
    street = town.diversity_at_home
    clusters = town.by_dimension(mixing.clusters.sum(axis=0))
    cluster_reference = _diversity_by_dimension(mixing.clusters.sum(axis=0)[None], town)[0]
    bridging = ratio(weighted_diversity(mixing.clusters, town), clusters * cluster_reference)
    return Sums(
        visits=core.sum(axis=0),
        nearest_visits=mixing.nearest_visits.sum(axis=0),
        diversity=weighted_diversity(core, town),
        entropy=_weighted_entropy(core, town),
        home_diversity=(town.by_dimension(goers) * street).sum(axis=0),
        stay_diversity=(town.by_dimension(town.core - goers) * street).sum(axis=0),
        minutes=town.by_dimension(mixing.minutes),
        at_nearest=town.by_dimension(mixing.at_nearest),
        nearest_diversity=weighted_diversity(mixing.nearest_visits, town),
        nearest_home_diversity=(town.by_dimension(near_goers) * street).sum(axis=0),
        sorted_diversity=np.array([weighted_diversity(run.core, town) for run in mixing.runs[1:]]).reshape(
            len(mixing.runs) - 1, len(town.dimensions)
        ),
        unreached=town.known_people - clusters,
        bridging=np.nan_to_num(bridging),
        bridging_weight=(~np.isnan(bridging)).astype(float),
        meet=core.T @ np.nan_to_num(town.shares(core)),
        meet_at_home=goers.T @ town.shares_at_home,
    )


def weighted_diversity(counts: Floats, town: Town) -> Floats:
    """Return sum_u T_u I(p_u) by dimension, (units, C) -> (D,)."""
    diverse = np.nan_to_num(_diversity_by_dimension(counts, town))
    return np.asarray((town.by_dimension(counts) * diverse).sum(axis=0))


def _diversity_by_dimension(counts: Floats, town: Town) -> Floats:
    shares = town.shares(counts)
    return town.by_dimension(shares * (1 - shares))


def _weighted_entropy(counts: Floats, town: Town) -> Floats:
    shares = np.nan_to_num(town.shares(counts))
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(town.by_dimension(counts * logs)).sum(axis=0))


def town_figures(sums: Sums, town: Town) -> dict[str, Floats]:
    """Return the columns of ``Assessment.city`` that are made of visits, each (D,); NaN where undefined.

    With V the core's visits, P* their composition and N the core's residents of known group:

    - q = sum V_j I(p_j) / (N I(P)) = participation x visit_diversity x (1 - islands_places)
    - islands = 1 - sum T_u I(p_u) / (T I(ref)); over places and over the same visits at home, ref = P*
    - islands_day = 1 - [sum V_j I(p_j) + sum_i (n_i - W_i) I(e_i)] / (N I(P)): who does not go stays among
      neighbours, so not serving the islands does not lower it
    - bridging_index_nearest: everyone to the nearest place, 1 - R over these clusters, group form of
      Nilforoshan et al. 2023 (abstract read; formula cited from memory)
    """
    people = town.known_people
    possible = people * town.reference_diversity
    visits = town.by_dimension(sums.visits)
    near_visits = town.by_dimension(sums.nearest_visits)
    of_visits = _diversity_by_dimension(sums.visits[None], town)[0]
    of_near = _diversity_by_dimension(sums.nearest_visits[None], town)[0]
    shares = np.nan_to_num(town.shares(sums.visits))
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    figures = {
        "q": ratio(sums.diversity, possible),
        "participation": ratio(visits, people),
        "visit_diversity": ratio(of_visits, town.reference_diversity),
        "islands_places": islands(sums.diversity, visits, of_visits),
        "islands_home_visits": islands(sums.home_diversity, visits, of_visits),
        "islands_places_nearest": islands(sums.nearest_diversity, near_visits, of_near),
        "islands_home_visits_nearest": islands(sums.nearest_home_diversity, near_visits, of_near),
        "islands_day": islands(sums.diversity + sums.stay_diversity, people, town.reference_diversity),
        "mean_visit_min": ratio(sums.minutes, visits),
        "share_nearest": ratio(sums.at_nearest, visits),
        "bridging_index_nearest": ratio(sums.bridging, sums.bridging_weight),
        "unreached": np.clip(ratio(sums.unreached, people), 0.0, None),
        "h_places": islands(sums.entropy, visits, -town.by_dimension(shares * logs)),
    }
    return figures


def sorted_figures(sums: Sums, town: Town, eta: int) -> tuple[Floats, Floats]:
    """Return Q and the islands at places, (D,) each, of the sorted run at this position of the etas.

    Sorting moves visits between places, so participation and P* stay those of the baseline.
    """
    people = town.known_people
    of_visits = _diversity_by_dimension(sums.visits[None], town)[0]
    moved = sums.sorted_diversity[eta]
    return (
        ratio(moved, people * town.reference_diversity),
        islands(moved, town.by_dimension(sums.visits), of_visits),
    )


def home_figures(homes: Homes, town: Town) -> dict[str, Floats]:
    """Return the columns of ``Assessment.city`` about homes alone, each (D,): islands and Theil's H at home,
    over the supplied zones, and their floors (what a city without structure shows)."""
    out: dict[str, list[float]] = {name: [] for name in HOME_FIGURES}
    for dimension in town.dimensions:
        core, around = town.core[:, dimension.columns], town.environment[:, dimension.columns]
        reference = town.reference[dimension.columns]
        people, near = core.sum(axis=1), around.sum(axis=1)
        total, groups = people.sum(), int(town.present[dimension.columns].sum())
        shares = town.shares_at_home[:, dimension.columns]
        defined = groups > 1 and total > 0
        floor = islands_floor(people, near) if defined else float("nan")
        e = float(entropy(reference))
        out["islands_home"].append(
            float(islands((people * diversity(shares)).sum(), total, diversity(reference)))
        )
        out["islands_home_floor"].append(floor)
        out["h_home"].append(float(islands((people * entropy(shares)).sum(), total, e)))
        out["h_home_floor"].append(theil_floor(floor, groups, e) if defined else float("nan"))
        zones = np.array([np.bincount(homes.zone, weights=people) for people in core.T]).T
        units, units_floor = units_h(zones)
        out["h_units"].append(units)
        out["h_units_floor"].append(units_floor)
    return {name: np.array(values) for name, values in out.items()}
