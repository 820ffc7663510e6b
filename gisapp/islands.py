"""Which islands a place joins: the neighbourhoods whose residents share it, and how different these are."""

from typing import Any

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.errors import MissingError
from gisapp.explain.visitors import visitors_by_home
from gisapp.left_out import neighbourhood_of
from gisapp.measures import dimensions, group_columns, residents_of


def joined_islands(assessment: Assessment, place_id: str, dimension: str | None = None) -> pd.DataFrame:
    """Return the neighbourhoods whose residents share a place, those with most visitors first.

    Index ``neighbourhood`` (missing: homes outside all; the zone's number where there is no area); columns
    ``visitors`` (expected) and ``share`` (0-1) of all the place's, ``residents`` of the neighbourhood, whether they
    come or not, ``share:{group}`` among its residents of known group, and ``unlike``, how different these are from the
    visitors who come from elsewhere: half the sum of the differences of both compositions, 0-1, missing where nobody
    comes from elsewhere. Each visitor counts with the composition of their neighbourhood. No rows for a place outside
    the choice, or where nobody is expected. Group-blind: what is counted or declared of a place's visitors does not
    enter. Potential, not prediction.

    ``dimension``: the first that is compared, if None. Raises ``MissingError`` for an unknown place or dimension.
    """
    known = dimensions(assessment)
    dimension = dimension or (known[0] if known else "")
    if place_id not in assessment.places.index:
        raise MissingError(f"There is no place '{place_id}' on this map.")
    if dimension not in known:
        raise MissingError(f"dimension='{dimension}': choose one of {', '.join(known) or 'none here'}.")
    where = _units(assessment)
    by_home = visitors_by_home(assessment, place_id)
    unit = where.reindex(by_home.index)
    visitors = by_home[by_home > 0].groupby(unit[by_home > 0], dropna=False).sum()
    visitors = visitors.sort_values(ascending=False, kind="stable").rename_axis("neighbourhood")
    mixes = compositions(assessment, dimension)
    table = pd.DataFrame({"visitors": visitors, "share": visitors / visitors.sum()})
    table = table.join(mixes.reindex(table.index))
    columns = [c for c in mixes if str(c).startswith("share:")]
    own, weight = table[columns].to_numpy(float), table["share"].to_numpy(float)
    weight = np.where(np.isnan(own).any(axis=1), 0.0, weight)
    sums = (np.nan_to_num(own) * weight[:, None]).sum(axis=0)
    rest = weight.sum() - weight
    others = np.where(rest[:, None] > 1e-12, sums - np.nan_to_num(own) * weight[:, None], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        table["unlike"] = np.abs(own - others / rest[:, None]).sum(axis=1) / 2
    table.loc[np.isnan(own).any(axis=1) | (rest <= 1e-12), "unlike"] = np.nan
    return table


def islands_joined(joined: pd.DataFrame) -> float:
    """Return how different two visitors' neighbourhoods are on average, drawn at random among a place's visitors.

    sum_uv s_u s_v D_uv, D_uv half the sum of the differences of both neighbourhoods' compositions: 0 where all come
    from one, or from ones that are alike; at most 1/2 for two. ``joined``: from ``joined_islands``. Visitors from where
    no group is known are left out; missing if these are all.

    >>> table = pd.DataFrame({"share": [0.5, 0.5], "share:age:old": [1.0, 0.0], "share:age:young": [0.0, 1.0]})
    >>> islands_joined(table)
    0.5
    """
    columns = [c for c in joined if str(c).startswith("share:")]
    table = joined.dropna(subset=columns)
    weight = table["share"].to_numpy(float)
    if not weight.sum() > 0:
        return float("nan")
    weight = weight / weight.sum()
    return float(weight @ unlikeness(table[columns]).to_numpy(float) @ weight)


def compositions(assessment: Assessment, dimension: str) -> pd.DataFrame:
    """Return the residents of each neighbourhood and their composition: ``residents``, ``share:{group}`` (0-1).

    Index ``neighbourhood``, in the order of the homes. Everybody counts, in the core or not.
    """
    residents = residents_of(assessment).reindex(assessment.homes.index)
    groups = group_columns([str(c) for c in residents], dimension)
    sums = (
        residents[["total", *groups]]
        .astype(float)
        .groupby(_units(assessment), sort=False, dropna=False)
        .sum()
    )
    known = sums[groups].sum(axis=1)
    shares = sums[groups].div(known.where(known > 0), axis=0).add_prefix("share:")
    table = sums[["total"]].rename(columns={"total": "residents"}).join(shares)
    return table.rename_axis("neighbourhood")


def unlikeness(mixes: pd.DataFrame) -> pd.DataFrame:
    """Return how different every two rows' compositions are: half the sum of their differences, 0 alike to 1.

    ``mixes``: the columns ``share:{group}`` of ``compositions`` are read. Rows and columns: its index.
    """
    shares = mixes[[c for c in mixes if str(c).startswith("share:")]].to_numpy(float)
    apart = np.abs(shares[:, None, :] - shares[None, :, :]).sum(axis=2) / 2
    return pd.DataFrame(apart, index=mixes.index, columns=mixes.index)


def _units(assessment: Assessment) -> "pd.Series[Any]":
    if assessment.area is not None:
        return neighbourhood_of(assessment.area).reindex(assessment.homes.index)
    residents = residents_of(assessment)
    if "zone_id" in residents:
        return residents["zone_id"].reindex(assessment.homes.index)
    if assessment.inputs is not None:
        return pd.Series(assessment.inputs.homes.zone, index=assessment.homes.index)
    return pd.Series(assessment.homes.index, index=assessment.homes.index, dtype=object)
