"""From checked tables to the arrays of the scores."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import sparse

from gisapp.frames import ATTRACTIVENESS, count_columns, group_columns, id_codes
from gisapp.params import Params
from gisapp.scores.arrays import Dimension, Floats, Homes, Ints, Pairs, Places, make_pairs

CHOICE_OPEN_TO = ("all", "customers")  # members and faith: access only


def encode_homes(residents: pd.DataFrame) -> Homes:
    """Return the residents as arrays; ``total`` defaults to the largest row sum over dimensions."""
    dimensions, start = [], 0
    columns: list[str] = []
    for name, groups in group_columns(residents).items():
        dimensions.append(Dimension(name, groups, slice(start, start + len(groups))))
        columns += [f"{name}:{group}" for group in groups]
        start += len(groups)
    n = len(residents)
    counts = np.empty((n, start))
    for at, column in enumerate(columns):
        counts[:, at] = residents[column].to_numpy(dtype=np.float64)
    if "total" in residents:
        total = residents["total"].to_numpy(dtype=np.float64)
    else:
        sums: dict[str, Floats] = {}
        for column in count_columns(residents):
            values = residents[column].to_numpy(dtype=np.float64)
            dimension = column.split(":")[0]
            sums[dimension] = sums[dimension] + values if dimension in sums else values
        total = np.max(list(sums.values()), axis=0)
    core = residents["core"].to_numpy(dtype=bool) if "core" in residents else np.ones(n, dtype=bool)
    return Homes(residents.index.rename("home_id"), total, core, counts, tuple(dimensions), _zones(residents))


def _zones(residents: pd.DataFrame) -> Ints:
    if "zone_id" not in residents:
        return np.arange(len(residents))
    codes = pd.factorize(residents["zone_id"])[0].astype(np.int64)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(len(alone))
    return codes


def encode_places(places: pd.DataFrame, homes: Homes, params: Params) -> Places:
    """Return the places as arrays, kinds in the order of ``params.kinds``.

    Parts of one place share a ``part_of``. A row that others name as their whole, and that is no part itself,
    gives access only: its parts stand for it in the choice.
    """
    n = len(places)
    kind = pd.Index(params.kinds).get_indexer(pd.Index(places["kind"])).astype(np.int16)
    open_to = places["open_to"] if "open_to" in places else pd.Series("all", index=places.index)
    mixes = (open_to.isna() | open_to.isin(CHOICE_OPEN_TO)).to_numpy(dtype=bool)
    mixes = mixes & (kind >= 0) & ~places["kind"].isin(params.access_only).to_numpy(dtype=bool)
    whole = np.arange(n)
    if "part_of" in places and places["part_of"].notna().any():
        named = places["part_of"].notna().to_numpy()
        key = pd.Series(places.index, dtype=object)
        key[named] = places["part_of"][named].to_numpy(dtype=object)
        whole = pd.factorize(key)[0]
        mixes = mixes & (named | ~places.index.isin(places["part_of"][named]))
    alpha = _numbers(places, ATTRACTIVENESS, 1.0, n)
    alpha_group = {}
    for column, name in enumerate(homes.columns):
        own = f"{ATTRACTIVENESS}:{name}"
        if own in places:
            values = _numbers(places, own, np.nan, n)
            alpha_group[column] = np.where(np.isnan(values), alpha, values)
    return Places(
        ids=places.index.rename("place_id"),
        kind=kind,
        core=places["core"].to_numpy(dtype=bool) if "core" in places else np.ones(n, dtype=bool),
        mixes=mixes,
        alpha=alpha,
        capacity=_numbers(places, "capacity", np.nan, n),
        whole=whole.astype(np.int64),
        alpha_group=alpha_group,
    )


def _numbers(frame: pd.DataFrame, column: str, blank: float, n: int) -> Floats:
    if column not in frame:
        return np.full(n, blank)
    values = pd.to_numeric(frame[column]).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), blank, values)


def encode_travel_times(
    travel_times: pd.DataFrame, homes: pd.Index, places: pd.Index, *, profile: str, keep_min: float
) -> Mapping[str, Pairs]:
    """Return the pairs of each walker profile, at most ``keep_min`` minutes long; a pair given twice counts
    once.

    Without a column ``profile`` all rows are those of ``profile``; so are rows where it is blank.
    """
    near = travel_times["minutes"].to_numpy(dtype=np.float64) <= keep_min
    frame = travel_times if near.all() else travel_times[near]
    whose = frame.get("profile")
    out = {}
    for name in [profile] if whose is None else [profile, *sorted(set(whose.dropna()) - {profile})]:
        rows = frame
        if whose is not None:
            mine = (whose == name) | whose.isna() if name == profile else whose == name
            rows = frame[mine.to_numpy(dtype=bool)]
        out[name] = make_pairs(
            id_codes(rows["home_id"], homes),
            id_codes(rows["place_id"], places),
            rows["minutes"].to_numpy(dtype=np.float64),
            len(places),
        )
    return out


def encode_home_times(home_times: pd.DataFrame, homes: pd.Index, *, keep_min: float) -> Pairs:
    """Return the pairs of different homes within ``keep_min`` minutes, each once."""
    minutes = home_times["minutes"].to_numpy(dtype=np.float64)
    near = minutes <= keep_min
    origin = id_codes(home_times["from_id"], homes)[near]
    target = id_codes(home_times["to_id"], homes)[near]
    others = origin != target
    return make_pairs(origin[others], target[others], minutes[near][others], len(homes))


def environments(homes: Homes, home_pairs: Pairs | None, environment_min: float) -> Floats:
    """Return the residents by group (n, C) within ``environment_min`` of each home, itself included."""
    if home_pairs is None or not len(home_pairs.origin):
        return homes.counts
    near = home_pairs.within(environment_min)
    n = len(homes.total)
    ends = np.searchsorted(near.origin, np.arange(n + 1))
    neighbours = sparse.csr_array((np.ones(len(near.origin)), near.target, ends), shape=(n, n))
    return np.asarray(homes.counts + neighbours @ homes.counts)
