"""Parameters filled in and laid out as arrays by kind and dimension, as the scores use them."""

from dataclasses import dataclass

import numpy as np

from gisapp.params import Params
from gisapp.scores.arrays import Bools, Floats, Homes, Places

DEFAULT_NORM_MIN = 10.0
DEFAULT_COMPLETENESS = 0.9
NEAR_MIN = 10.0  # the headline's walk


@dataclass(frozen=True)
class Settings:
    """``kinds`` (K); ``weights`` (K,) summing to 1; ``norm_min`` (K,); ``enough`` (K,) bool; ``chosen`` (K,)
    takes part in the choice; ``mixes`` (K, D) has mixing in that dimension; ``users`` the columns of a kind's
    users.
    """

    kinds: tuple[str, ...]
    weights: Floats
    norm_min: Floats
    enough: Bools
    chosen: Bools
    mixes: Bools
    users: tuple[tuple[int, ...], ...]

    @property
    def pooled(self) -> Floats:
        """Weights of each kind in each dimension (K, D), renormalised over the kinds that mix there; NaN if
        none.
        """
        weights = self.weights[:, None] * self.mixes
        with np.errstate(invalid="ignore"):
            return np.asarray(weights / weights.sum(axis=0))


def settle(params: Params, homes: Homes, places: Places) -> Settings:
    """Return the settings of a run; ``params.kinds`` must be filled in.

    A kind takes part in the choice unless it is access-only, or it has places and all of them are for members
    or faith. A selected kind without a place does take part: its visits are 0.
    """
    kinds = params.kinds
    raw = np.array([float(dict(params.kind_weights).get(kind, 1.0)) for kind in kinds])
    norms, enough, users = dict(params.norm_min), dict(params.enough), dict(params.users)
    n_places = np.bincount(places.kind[places.kind >= 0], minlength=len(kinds))
    n_mixing = np.bincount(places.kind[places.mixes], minlength=len(kinds))
    access_only = np.array([kind in params.access_only for kind in kinds], dtype=bool)
    chosen = ~access_only & ((n_mixing > 0) | (n_places == 0))
    columns = homes.columns
    named: list[tuple[int, ...]] = []
    mixes = np.repeat(chosen[:, None], len(homes.dimensions), axis=1)
    for row, kind in enumerate(kinds):
        groups = users.get(kind, ())
        groups = () if groups == "all" else ((groups,) if isinstance(groups, str) else tuple(groups))
        for at, dimension in enumerate(homes.dimensions):
            if any(group.split(":")[0] == dimension.name for group in groups):
                mixes[row, at] = False
        named.append(tuple(columns.index(group) for group in groups if group in columns))
    return Settings(
        kinds=kinds,
        weights=raw / raw.sum() if len(raw) else raw,
        norm_min=np.array([float(norms.get(kind, DEFAULT_NORM_MIN)) for kind in kinds]),
        enough=np.array([bool(enough.get(kind, 0)) for kind in kinds], dtype=bool),
        chosen=chosen,
        mixes=mixes,
        users=tuple(named),
    )


def users_of(settings: Settings, kind: int, homes: Homes) -> Floats:
    """Return how many residents of each home (n,) a kind is for: its ``users`` groups, else everybody.

    Groups of one dimension add up. Groups named in several dimensions are never crossed: the dimension with
    the largest sum counts, as for ``total``. Users of whom the residents' table has no column: everybody.
    """
    columns = settings.users[kind]
    if not columns:
        return homes.total
    sums = [
        homes.counts[:, [c for c in columns if d.columns.start <= c < d.columns.stop]].sum(axis=1)
        for d in homes.dimensions
    ]
    return np.asarray(np.max(sums, axis=0), dtype=np.float64)


def filled_in(params: Params, homes: Homes, reference: Floats, reach_full: float) -> Params:
    """Return the parameters with everything that was derived written down, so that a scenario can keep it.

    Weights are those given (they are normalised in use), so that filling in twice changes no bit.
    """
    weights, norms = dict(params.kind_weights), dict(params.norm_min)
    complete, enough, users = dict(params.completeness), dict(params.enough), dict(params.users)
    return params.with_(
        kind_weights={k: weights.get(k, 1.0) for k in params.kinds},
        norm_min={k: norms.get(k, DEFAULT_NORM_MIN) for k in params.kinds},
        completeness={k: complete.get(k, DEFAULT_COMPLETENESS) for k in params.kinds},
        enough={k: enough.get(k, 0) for k in params.kinds},
        users={k: users.get(k, ()) for k in params.kinds},
        reference=dict(zip(homes.columns, reference.tolist(), strict=True)),
        reach_full=reach_full,
    )


def reference_of(params: Params, homes: Homes) -> Floats | None:
    """Return the frozen composition of the town by column, NaN for a dimension it does not name; None if
    none.
    """
    if not params.reference:
        return None
    given = dict(params.reference)
    named = {key.split(":")[0] for key in given}
    return np.array([given.get(c, 0.0 if c.split(":")[0] in named else np.nan) for c in homes.columns])
