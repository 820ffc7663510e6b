"""What new places of one kind would do to Q: screened by one pass over the homes they draw from, then exact."""

from collections.abc import Sequence

import numpy as np

from gisapp.scores.arrays import Floats, Ints, Pairs, ratio, starts
from gisapp.scores.choice import candidates, set_weights
from gisapp.scores.decay import decay
from gisapp.scores.mixing import by_attraction
from gisapp.siting_objectives import Problem, summed

EXACT = 25  # candidates of the best screened ones that are computed in full

Best = tuple[Pairs, Floats]


class Mixing:
    """Q of one dimension, pooled over kinds, as places of one kind are added: neither monotone nor submodular.

    Q = sum_k w_k sum_j V_j I(p_j) / (N I(P)), and only the sum of this kind changes. ``value`` is that kind's part,
    exact; ``gains`` are exact for the ``EXACT`` best screened candidates and minus infinity for others.
    """

    def __init__(self, problem: Problem, dimension: int) -> None:
        kept, town = problem.kept, problem.kept.town
        self.problem, self.kept, self.dimension = problem, kept, dimension
        self.name = town.dimensions[dimension].name
        self.columns = np.arange(kept.homes.counts.shape[1])[town.dimensions[dimension].columns]
        self.core = np.ascontiguousarray(town.core[:, self.columns])
        scale = float(town.known_people[dimension] * town.reference_diversity[dimension])
        weight = float(np.nan_to_num(kept.settings.pooled)[problem.kind, dimension])
        self.scale = weight / scale if scale > 0 else 0.0
        self.size = kept.params.choice_set
        curve = kept.params.decay_curve
        self.outside = float(decay(np.array([kept.params.outside_min]), curve)[0])
        self._known: dict[frozenset[int], float] = {}
        self.variants = self._existing()

    def value(self, chosen: Sequence[int]) -> float:
        """Return this kind's part of Q with places at ``chosen``."""
        key = frozenset(chosen)
        if key not in self._known:
            n_places = self.n_existing + len(chosen)
            visits = np.zeros((n_places, len(self.columns)))
            for columns, best in self.variants:
                pairs, weight, total = self._choice(self._joined(best, chosen))
                found = self._visits(pairs.origin, pairs.target, weight / total[pairs.origin], n_places)
                visits[:, columns] = found[:, columns]
            self._known[key] = self.scale * float(_diverse(visits).sum())
        return self._known[key]

    def gains(self, chosen: Sequence[int], among: Ints | None = None) -> Floats:
        """Return the rise of Q by each candidate (of those in ``among``), exact for the best of them."""
        among = np.arange(self.problem.size) if among is None else among
        among = among[~np.isin(among, list(chosen))]
        out = np.full(self.problem.size, -np.inf)
        if len(among) > EXACT:
            screened = self.screened(chosen, among)
            among = np.sort(among[np.argsort(-screened, kind="stable")[:EXACT]])
        before = self.value(chosen)
        for one in among.tolist():
            out[one] = self.value([*chosen, one]) - before
        return out

    def screened(self, chosen: Sequence[int], among: Ints) -> Floats:
        """Return the rise of Q by each of ``among``, exact but for ties at the end of a choice set.

        Groups with an attractiveness of their own are taken to choose as the others do.
        """
        problem, n = self.problem, len(self.core)
        pairs, weight, total = self._choice(self._joined(self.variants[0][1], chosen))
        begin = starts(pairs.origin, n)
        number = np.diff(begin)
        full = np.zeros(n, dtype=bool) if self.size is None else number >= self.size
        last = np.zeros(n)
        last[full] = weight[begin[1:][full] - 1]
        n_places = self.n_existing + len(chosen)
        share = weight / total[pairs.origin]
        visits = self._visits(pairs.origin, pairs.target, share, n_places)
        before = float(_diverse(visits).sum())
        out = np.zeros(len(among))
        for at, one in enumerate(among.tolist()):
            rows = problem.walks(one)
            home, new = problem.home[rows], problem.weight[rows]
            enters = new > last[home]
            home, new = home[enters], new[enters]
            now = total[home] - last[home] + new
            run = number[home]
            entry = np.arange(run.sum()) + np.repeat(begin[home] - np.cumsum(run) + run, run)
            less = weight[entry] / np.repeat(now, run)
            ends = (np.cumsum(run) - 1)[full[home]]
            less[ends] = 0.0
            less -= share[entry]
            place, whose = pairs.target[entry], np.repeat(home, run)
            changed = visits + self._visits(whose, place, less, n_places)
            own = (self.core[home] * (new / now)[:, None]).sum(axis=0)
            out[at] = float(_diverse(changed).sum() + _diverse(own[None]).sum()) - before
        return self.scale * out

    def _existing(self) -> list[tuple[list[int], Best]]:
        """Return, for each way of choosing, its columns and the pairs that any choice set can hold."""
        kept, problem = self.kept, self.problem
        mixes = kept.places.mixes[problem.members]
        members = problem.members[mixes]
        self.n_existing = len(members)
        found = problem.existing.at(mixes[problem.existing.target])
        target = (np.cumsum(mixes) - 1)[found.target]
        pairs = Pairs(found.origin, target, found.minutes)
        pairs = pairs.at(self.core.sum(axis=1)[pairs.origin] > 0)
        weight = decay(pairs.minutes, kept.params.decay_curve)
        alpha = kept.places.alpha[members]
        own = {c: v[members] for c, v in kept.places.alpha_group.items() if (v[members] != alpha).any()}
        blind = [at for at, column in enumerate(self.columns) if column not in own]
        ways = [(blind, alpha)]
        ways += [([at], own[column]) for at, column in enumerate(self.columns) if column in own]
        return [
            (columns, candidates(*by_attraction(pairs, weight, values), len(self.core), self.size))
            for columns, values in ways
        ]

    def _joined(self, best: Best, chosen: Sequence[int]) -> Best:
        """Add the walks from ``chosen``, and sort by home, the most attractive first."""
        if not len(chosen):
            return best
        problem, (old, value) = self.problem, best
        rows = [problem.walks(one) for one in chosen]
        number = [self.n_existing + at for at in range(len(chosen))]
        origin = np.concatenate([old.origin, *(problem.home[r] for r in rows)])
        target = np.concatenate(
            [old.target, *(np.full(r.stop - r.start, j) for r, j in zip(rows, number, strict=True))]
        )
        minutes = np.concatenate([old.minutes, *(problem.minutes[r] for r in rows)])
        values = np.concatenate([value, *(problem.weight[r] for r in rows)])
        order = np.lexsort((-values, origin))
        order = order[values[order] > 0]
        return Pairs(origin, target, minutes).at(order), values[order]

    def _choice(self, best: Best) -> tuple[Pairs, Floats, Floats]:
        """Return the pairs in the choice sets, their weights, and each home's sum with the outside option."""
        pairs, value = best
        weight = set_weights(pairs.origin, value, len(self.core), self.size)
        taken = weight > 0
        pairs, weight = pairs.at(taken), weight[taken]
        return pairs, weight, summed(pairs.origin, weight, len(self.core)) + self.outside

    def _visits(self, home: Ints, place: Ints, share: Floats, n_places: int) -> Floats:
        """Return the core's visits to places by group (J, G): a ``share`` of the people of ``home`` go to ``place``."""
        return np.column_stack([summed(place, people[home] * share, n_places) for people in self.core.T])


def _diverse(visits: Floats) -> Floats:
    """Return V_j I(p_j) of places (J, G), 0 where nobody comes."""
    total = visits.sum(axis=1)
    return np.asarray(total - np.nan_to_num(ratio((visits**2).sum(axis=1), total)))
