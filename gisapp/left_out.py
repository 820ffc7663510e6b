"""Who is left out, and where: residents beyond the norm by group and neighbourhood, gaps, and the Lorenz curve.

Raw numbers of people and shares of 0-1, over the residents of the core: rounding is ``gisapp.display``'s. Walks are
those of the assessment's one profile; groups that walk at a pace of their own have theirs in ``Assessment.equity``.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisapp.area import StudyArea
from gisapp.assessment import Assessment
from gisapp.errors import MissingError
from gisapp.frames import group_columns
from gisapp.measures import residents_of
from gisapp.scores.equity import gini, lorenz

ALL = "all"


def left_out(assessment: Assessment, *, by_neighbourhood: bool = False) -> pd.DataFrame:
    """Return the residents of each group who live beyond the norm of each kind.

    Columns ``neighbourhood`` (if asked for; missing for homes outside all), ``kind``, ``dimension``, ``group``,
    ``residents``, ``left_out`` (people) and ``share`` (0-1, missing without residents). Dimension ``all`` is
    everybody. A home without a place of the kind within the horizon is beyond the norm.
    """
    people, columns = _people(assessment)
    within = {k: assessment.homes[f"within_norm:{k}"] for k in _kinds(assessment)}
    beyond = pd.DataFrame(
        {k: 1.0 - v.fillna(0.0).astype(float) for k, v in within.items()}, index=people.index
    )
    where = _where(assessment) if by_neighbourhood else pd.Series("", index=people.index, dtype=object)
    parts = []
    for name, homes in where.groupby(where, sort=False, dropna=False):
        count, out = people.loc[homes.index], beyond.loc[homes.index]
        missing = count.to_numpy().T @ out.to_numpy()
        for at, (dimension, group) in enumerate(columns):
            parts.append(pd.DataFrame({
                "neighbourhood": name, "kind": list(beyond), "dimension": dimension, "group": group,
                "residents": float(count.iloc[:, at].sum()), "left_out": missing[at],
            }))  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    table["share"] = table["left_out"] / table["residents"].where(table["residents"] > 0)
    return table if by_neighbourhood else table.drop(columns="neighbourhood")


def homes_left_out(assessment: Assessment, kind: str) -> pd.DataFrame:
    """Return the core's inhabited homes beyond the norm of a kind, those with most people first.

    Index ``home_id``; columns ``nearest_min`` (missing: none within the horizon), the counts by group, ``total``, and
    ``neighbourhood`` and ``geometry`` where the assessment has an area. Raises ``MissingError`` for an unknown kind.
    """
    if kind not in _kinds(assessment):
        raise MissingError(f"kind='{kind}': choose one of {', '.join(_kinds(assessment))}.")
    residents = residents_of(assessment).reindex(assessment.homes.index)
    people, columns = _people(assessment)
    out = (people["total"] > 0) & ~(assessment.homes[f"within_norm:{kind}"] == 1)
    table = people[[*(f"{d}:{g}" for d, g in columns if d != ALL), "total"]][out]
    table.insert(0, "nearest_min", assessment.homes[f"nearest_min:{kind}"][out])
    if assessment.area is not None:
        table["neighbourhood"] = _where(assessment)[out]
        geometry = residents.geometry[out]
        table = gpd.GeoDataFrame(table, geometry=geometry, crs=assessment.area.crs)
    return table.sort_values("total", ascending=False, kind="stable")


def lorenz_curve(assessment: Assessment, kind: str | None = None) -> pd.DataFrame:
    """Return the Lorenz curve of access, overall or to one kind: columns ``people`` and ``access``.

    Cumulative shares from (0, 0), those with least access first; ``access`` is missing where nobody has any.
    """
    column = "access" if kind is None else f"access:{kind}"
    if column not in assessment.homes:
        raise MissingError(f"kind='{kind}': choose one of {', '.join(_kinds(assessment))}.")
    total = _people(assessment)[0]["total"].to_numpy(np.float64)
    lived_in = total > 0
    across, up = lorenz(assessment.homes[column].to_numpy(np.float64)[lived_in], total[lived_in])
    return pd.DataFrame({"people": across, "access": up})


def gaps(assessment: Assessment) -> pd.DataFrame:
    """Return, for each dimension and each column of ``Assessment.equity``, the best and the worst group.

    Columns ``dimension``, ``measure``, ``best``, ``best_value``, ``worst``, ``worst_value`` and ``gap``, the
    best minus the worst. Missing where no group has a value; groups that are equal come in the table's order.
    """
    rows: list[dict[str, Any]] = []
    for dimension, groups in assessment.equity.groupby("dimension", sort=False):
        values = groups.set_index("group").drop(columns="dimension").astype(float)
        for measure in values:
            known = values[measure].dropna()
            best, worst = (known.idxmax(), known.idxmin()) if len(known) else (None, None)
            high, low = (known.max(), known.min()) if len(known) else (np.nan, np.nan)
            rows.append({
                "dimension": dimension, "measure": measure, "best": best, "best_value": high, "worst": worst,
                "worst_value": low, "gap": high - low,
            })  # fmt: skip
    columns = ["dimension", "measure", "best", "best_value", "worst", "worst_value", "gap"]
    return pd.DataFrame(rows, columns=columns)


def neighbourhood_gaps(assessment: Assessment) -> pd.DataFrame:
    """Return how access differs between neighbourhoods, and between groups and homes in each.

    Index ``neighbourhood`` (missing for homes outside all); columns ``residents``, ``access_mean``, ``from_town`` (it
    minus the town's mean), ``gini`` within the neighbourhood, and for each dimension ``gap:{d}``, the best group's mean
    access there minus the worst's; groups without residents there do not count.
    """
    people, columns = _people(assessment)
    access, where = assessment.homes["access"].astype(float), _where(assessment)
    town = _mean(access, people["total"])
    rows: list[dict[str, Any]] = []
    names = []
    for name, homes in where.groupby(where, sort=False, dropna=False):
        count, own = people.loc[homes.index], access.loc[homes.index]
        mean, total = _mean(own, count["total"]), np.asarray(count["total"], dtype=np.float64)
        row = {
            "residents": float(total.sum()),
            "access_mean": mean,
            "from_town": mean - town,
            "gini": gini(np.asarray(own, dtype=np.float64), total) if total.sum() > 0 else np.nan,
        }
        for dimension in dict.fromkeys(d for d, _ in columns if d != ALL):
            means = [_mean(own, count[f"{d}:{g}"]) for d, g in columns if d == dimension]
            known = [m for m in means if not np.isnan(m)]
            row[f"gap:{dimension}"] = max(known) - min(known) if known else np.nan
        rows.append(row)
        names.append(name)
    return pd.DataFrame(rows, index=pd.Index(names, name="neighbourhood", dtype=object))


def neighbourhood_of(area: StudyArea) -> "pd.Series[Any]":
    """Return the name of each home's neighbourhood, missing outside all; on a seam the first in the table.

    Index ``home_id``. An area without neighbourhoods is one, of the area's own name.
    """
    homes = area.residents
    if area.neighbourhoods is None or not len(area.neighbourhoods):
        return pd.Series(area.name, index=homes.index, name="neighbourhood", dtype=object)
    tree = shapely.STRtree(area.neighbourhoods.geometry.to_numpy())
    home, shape = tree.query(homes.geometry.to_numpy(), predicate="intersects")
    first = pd.Series(shape).groupby(home).min()
    names = np.full(len(homes), None, dtype=object)
    names[first.index.to_numpy()] = (
        area.neighbourhoods["name"].astype(str).to_numpy(dtype=object)[first.to_numpy()]
    )
    return pd.Series(names, index=homes.index, name="neighbourhood", dtype=object)


def _where(assessment: Assessment) -> "pd.Series[Any]":
    if assessment.area is None:
        return pd.Series("", index=assessment.homes.index, name="neighbourhood", dtype=object)
    return neighbourhood_of(assessment.area).reindex(assessment.homes.index)


def _people(assessment: Assessment) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The core's residents by home, ``total`` first, and the dimension and group of each column."""
    residents = residents_of(assessment).reindex(assessment.homes.index)
    groups = [(d, g) for d, own in group_columns(residents).items() for g in own]
    table = pd.DataFrame(residents[["total", *(f"{d}:{g}" for d, g in groups)]]).astype(float)
    if "core" in residents:
        table = table.mul(residents["core"].astype(float), axis=0)
    return table, [(ALL, ALL), *groups]


def _kinds(assessment: Assessment) -> list[str]:
    return [k for k in assessment.params.kinds if f"within_norm:{k}" in assessment.homes]


def _mean(values: "pd.Series[float]", people: "pd.Series[float]") -> float:
    total = float(people.sum())
    return float((values * people).sum() / total) if total > 0 else float("nan")
