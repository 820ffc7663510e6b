"""Who could share the places of one kind: visitors, mix, mix in their own streets, sorting, room to sort."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gisapp.scores.arrays import Bools, Dimension, Floats, Homes, Ints, Pairs, ratio, sum_groups
from gisapp.scores.choice import Choice, at_nearest, candidates, choose, nearest_minutes, nearest_shares

SORTING = (0.5, 1.0)  # eta of the two fixed sorting columns; eta = 0 is the baseline


@dataclass(frozen=True)
class Town:
    """What all kinds share: people by group, the town's composition and each home's environment.

    C columns (groups of all dimensions side by side), D dimensions, n homes. ``people`` (n, C) and ``core``
    (n, C; 0 outside the core) are 0 for groups absent from the core, which change nothing; ``everybody`` (n,
    C) has them. ``shares_at_home`` (n, C) and ``diversity_at_home`` (n, D) describe the environments, 0 where
    nobody of known group lives.
    """

    dimensions: tuple[Dimension, ...]
    everybody: Floats
    people: Floats
    core: Floats
    present: Bools
    reference: Floats
    reference_diversity: Floats
    environment: Floats
    shares_at_home: Floats
    diversity_at_home: Floats
    total: Floats
    column_dimension: Ints

    @cached_property
    def known(self) -> Floats:
        """Core residents of known group in each home (n, D)."""
        return self.by_dimension(self.core)

    @cached_property
    def known_people(self) -> Floats:
        """Core residents of known group (D,)."""
        return self.by_dimension(self.core.sum(axis=0))

    def by_dimension(self, values: Floats) -> Floats:
        """Sum the last axis (C) over the groups of each dimension (D)."""
        return sum_groups(values, self.dimensions)

    def shares(self, counts: Floats) -> Floats:
        """Return counts (..., C) as shares of their dimension's sum, NaN where that is 0."""
        return ratio(counts, self.by_dimension(counts)[..., self.column_dimension])


def describe_town(homes: Homes, environment: Floats, reference: Floats | None = None) -> Town:
    """Return the town: P = composition of the core's residents of known group, unless ``reference`` is given.

    ``environment`` (n, C): residents by group within the environment of each home, itself included.
    A group is absent if the core counts nobody of it and the reference gives it no share.
    """
    dimensions = homes.dimensions
    columns = np.repeat(np.arange(len(dimensions)), [len(d.groups) for d in dimensions])

    def shares_of(counts: Floats) -> Floats:
        return np.nan_to_num(ratio(counts, sum_groups(counts, dimensions)[..., columns]))

    core_sum = homes.counts[homes.core].sum(axis=0)
    own = shares_of(core_sum)
    shares = own if reference is None else np.where(np.isnan(reference), own, reference)
    present = (core_sum > 0) | (shares > 0)
    people = homes.counts if present.all() else homes.counts * present
    environment = environment if present.all() else environment * present
    at_home = shares_of(environment)
    return Town(
        dimensions=dimensions,
        everybody=homes.counts,
        people=people,
        core=people if homes.core.all() else people * homes.core[:, None],
        present=present,
        reference=shares,
        reference_diversity=sum_groups(shares * (1 - shares), dimensions),
        environment=environment,
        shares_at_home=at_home,
        diversity_at_home=sum_groups(at_home * (1 - at_home), dimensions),
        total=homes.total,
        column_dimension=columns,
    )


@dataclass(frozen=True)
class Visits:
    """Expected visits to the places of one kind in one run (one eta): everybody's ``all`` (J, C), the core's
    ``core`` (J, C), and ``inherited`` (J, D) = sum_i V_ij I(e_i)."""

    all: Floats
    core: Floats
    inherited: Floats


@dataclass(frozen=True)
class KindMixing:
    """One kind's mixing: J places, n homes, C group columns, D dimensions.

    ``goes`` (n,) and ``choice`` are group-free; ``goes_by_group`` (n, C) is r_ig. ``runs`` holds the visits
    at eta = 0 and at each eta of sorting. Per home: ``q`` (n, D) = sum_g sum_j n_ig pi_ijg M_j, ``meets`` (n,
    C) = sum_j pi_ijg (1 - p_jg) and ``meets_base`` (n, C), the visits for which p_jg is defined. Per column,
    over core residents: ``minutes`` and ``at_nearest`` (C,) = visits' minutes, visits to the nearest.
    Nearest-only: ``nearest_visits`` (J, C) and ``nearest_goes`` (n, C) with m = 1; ``clusters`` (J, C) =
    everybody who reaches a place, counted at the nearest in minutes.
    """

    choice: Choice
    visitors: Floats
    room_to_sort: Floats
    goes_by_group: Floats
    runs: tuple[Visits, ...]
    q: Floats
    meets: Floats
    meets_base: Floats
    minutes: Floats
    at_nearest: Floats
    nearest_visits: Floats
    nearest_goes: Floats
    clusters: Floats


def mix_kind(
    pairs: Pairs,
    weight: Floats,
    alpha: Floats,
    alpha_group: dict[int, Floats],
    town: Town,
    *,
    size: int | None,
    outside: float,
    etas: Sequence[float] = SORTING,
) -> KindMixing:
    """Compute the mixing of one kind.

    ``pairs``: its places (positions 0 to J-1) from each home, sorted by home, then minutes. ``weight`` is
    f(t) of each pair, ``alpha`` (J,) the attractiveness, ``alpha_group`` that of group columns with evidence
    of their own. V_jg = sum_i n_ig pi_ijg; groups without evidence share one choice.
    """
    shape = (len(town.total), len(alpha))
    blind = [c for c in range(town.people.shape[1]) if c not in alpha_group]
    variants = [(blind, alpha), *(([c], values) for c, values in alpha_group.items())]
    nearest = nearest_minutes(pairs, shape[0])
    places_by_group = (shape[1], town.people.shape[1])
    homes_by_group = town.people.shape

    base: Choice | None = None
    chosen: list[tuple[list[int], Choice]] = []
    nearest_visits, nearest_goes = np.zeros(places_by_group), np.zeros(homes_by_group)
    goes = np.zeros(homes_by_group)
    minutes, nearest_sum = np.zeros(homes_by_group[1]), np.zeros(homes_by_group[1])
    for columns, attraction in variants:
        ordered, value = candidates(*by_attraction(pairs, weight, attraction), shape[0], size)
        choice = choose(ordered, value, shape, size=size, outside=outside)
        base = base or choice
        if not columns:
            continue
        chosen.append((columns, choice))
        goes[:, columns] = choice.goes[:, None]
        people = town.core[:, columns]
        minutes[columns] = _home_sums(choice, choice.minutes, shape[0]) @ people
        is_nearest = at_nearest(Pairs(choice.home, choice.place, choice.minutes), nearest)
        nearest_sum[columns] = _home_sums(choice, is_nearest.astype(float), shape[0]) @ people
        one = choice if size == 1 else choose(ordered, value, shape, size=1, outside=outside)
        nearest_visits[:, columns] = one.probability.T @ people
        nearest_goes[:, columns] = one.goes[:, None]
    assert base is not None  # the blind variant always stands first
    near, share = nearest_shares(pairs, shape[0])
    clusters = np.zeros(places_by_group)
    for column in range(homes_by_group[1]):
        people = town.core[near.origin, column] * share
        clusters[:, column] = np.bincount(near.target, weights=people, minlength=shape[1])

    first = first_visits(chosen, town, places_by_group)
    runs = (first, *(sorted_visits(chosen, first, town, eta) for eta in etas))
    visitors = base.probability.T @ town.total
    stays = _place_sums(base, town.total[base.home] * base.share**2 / base.goes[base.home], shape[1])
    q, meets, meets_base = home_meetings(chosen, first, town)
    return KindMixing(
        choice=base,
        visitors=visitors,
        room_to_sort=np.maximum(0.0, 1.0 - ratio(stays, visitors)),
        goes_by_group=goes,
        runs=runs,
        q=q,
        meets=meets,
        meets_base=meets_base,
        minutes=minutes,
        at_nearest=nearest_sum,
        nearest_visits=nearest_visits,
        nearest_goes=nearest_goes,
        clusters=clusters,
    )


def by_attraction(pairs: Pairs, weight: Floats, attraction: Floats) -> tuple[Pairs, Floats]:
    """Return the pairs with s_ij = alpha_j f(t_ij) > 0, the best of each home first, and s.

    Where all places attract alike, the order by minutes serves: f never rises with time.
    """
    value = weight * attraction[pairs.target]
    alike = len(attraction) == 0 or (attraction == attraction[0]).all()
    if not alike:
        order = np.lexsort((-value, pairs.origin))
        pairs, value = pairs.at(order), value[order]
    taken = value > 0
    return (pairs, value) if taken.all() else (pairs.at(taken), value[taken])


def first_visits(chosen: list[tuple[list[int], Choice]], town: Town, shape: tuple[int, int]) -> Visits:
    """Return the visits of the baseline (eta = 0)."""
    everybody, core, inherited = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    own_street = town.people * town.diversity_at_home[:, town.column_dimension]
    for columns, choice in chosen:
        to_places = choice.probability.T
        everybody[:, columns] = to_places @ town.everybody[:, columns]
        core[:, columns] = (
            to_places @ town.core[:, columns] if town.core is not town.everybody else everybody[:, columns]
        )
        inherited[:, columns] = to_places @ own_street[:, columns]
    return Visits(everybody, core, town.by_dimension(inherited))


def sorted_visits(chosen: list[tuple[list[int], Choice]], first: Visits, town: Town, eta: float) -> Visits:
    """Return the visits if each group prefers places where its own people already go.

    pi_ijg = r_ig s_ijg w_jg / sum_l s_ilg w_lg with w_jg = (p_jg / P*_g)^eta; p and P* (this kind,
    everybody's visits) from the baseline. w = 1 where nobody visits or P*_g = 0, and 0^0 = 1; where the sum
    is 0 the choice is unchanged. Sorting moves visits and creates none.
    """
    known = first.all * town.present
    lift = ratio(town.shares(known), town.shares(known.sum(axis=0)))
    preference = np.where(np.isnan(lift), 1.0, np.nan_to_num(lift)) ** eta
    everybody, core = np.zeros_like(first.all), np.zeros_like(first.all)
    inherited = np.zeros_like(first.all)
    own_street = town.diversity_at_home[:, town.column_dimension]
    no_buffer = town.core is town.everybody
    for columns, choice in chosen:
        preferred = preference[:, columns]
        pull = choice.probability @ preferred  # sum_l pi_il w_lg
        factor = np.divide(choice.goes[:, None], pull, out=np.zeros_like(pull), where=pull > 0)
        stuck = (pull == 0) & (choice.goes[:, None] > 0)
        sources = [town.everybody[:, columns], town.people[:, columns] * own_street[:, columns]]
        if not no_buffer:
            sources.append(town.core[:, columns])
        width = len(columns)
        moved = choice.probability.T @ np.hstack([people * factor for people in sources])
        kept = (
            choice.probability.T @ np.hstack([people * stuck for people in sources]) if stuck.any() else 0.0
        )
        total = moved * np.tile(preferred, len(sources)) + kept
        everybody[:, columns] = total[:, :width]
        inherited[:, columns] = total[:, width : 2 * width]
        core[:, columns] = total[:, -width:] if not no_buffer else total[:, :width]
    return Visits(everybody, core, town.by_dimension(inherited))


def home_meetings(
    chosen: list[tuple[list[int], Choice]], first: Visits, town: Town
) -> tuple[Floats, Floats, Floats]:
    """Return per home sum_g sum_j n_ig pi_ijg M_j (n, D), sum_j pi_ijg (1 - p_jg) and its visits (n, C).

    p and M are those of the core's visits; a place that nobody of the core visits counts in none of the
    three.
    """
    shares = town.shares(first.core)
    defined = ~np.isnan(shares)
    shares = np.nan_to_num(shares)
    diversity = town.by_dimension(shares * (1 - shares))
    mix = ratio(diversity, town.reference_diversity)[:, town.column_dimension]
    q = np.zeros(town.people.shape)
    meets, base = np.zeros(town.people.shape), np.zeros(town.people.shape)
    for columns, choice in chosen:
        q[:, columns] = town.core[:, columns] * (choice.probability @ mix[:, columns])
        meets[:, columns] = choice.probability @ (defined * (1 - shares))[:, columns]
        base[:, columns] = choice.probability @ defined[:, columns].astype(float)
    return town.by_dimension(q), meets, base


def place_mix(visits: Visits, town: Town) -> tuple[Floats, Floats, Floats, Floats]:
    """Return chance I(p), M = I(p)/I(P), F and inherited/I(P) of each place and dimension: (J, D) each.

    NaN where nobody of known group visits; M and inherited NaN for a dimension with one group.
    """
    known = visits.all * town.present
    shares = town.shares(known)
    chance = town.by_dimension(shares * (1 - shares))
    likeness = 1.0 - 0.5 * town.by_dimension(np.abs(shares - town.reference))
    inherited = ratio(visits.inherited, town.by_dimension(known) * town.reference_diversity)
    return chance, ratio(chance, town.reference_diversity), likeness, inherited


def _home_sums(choice: Choice, values: Floats, n_homes: int) -> Floats:
    sums = np.bincount(choice.home, weights=choice.share * values, minlength=n_homes)
    return sums.astype(np.float64)


def _place_sums(choice: Choice, values: Floats, n_places: int) -> Floats:
    return np.bincount(choice.place, weights=values, minlength=n_places).astype(np.float64)
