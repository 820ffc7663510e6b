"""The model beside counted visitors: how far what it expects lies from what was counted, kind by kind, good or bad."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from gisapp.assess_area import assess
from gisapp.assessment import Assessment
from gisapp.errors import InputError, raise_faults
from gisapp.frames import ATTRACTIVENESS
from gisapp.titles import group_title, kind_title
from gisapp.words import Words

ENOUGH_PLACES = 20  # of a kind, before a fit is told (score.md, section 6.4)
VISITORS = "visitors"
ALL = "all"

Floats = npt.NDArray[np.float64]


def beside_counts(assessment: Assessment, counts: pd.DataFrame) -> pd.DataFrame:
    """Put counted visitors beside those that the model expects, place by place.

    ``counts``: index ``place_id`` (of the whole, where a place is cut into parts); column ``visitors`` (people or
    visits, of any period) and columns ``visitors:dimension:group``, blank where nobody counted. Result: a row for each
    place and count, columns ``place_id``, ``kind``, ``dimension``, ``group``, ``counted``, ``model``, ``even``. Of
    dimension ``all``: the share (0-1) of the visitors of all counted places of its kind. Of other dimensions: the
    share of the group among the visitors of all groups counted there. ``even`` is what everybody would say who knows
    nothing: all places alike, and composed as the town. Places outside the choice, or where nobody is expected, have a
    blank ``model``.

    The model must not have been told what it is tested by: attractiveness by group is left out, and an area is scored
    again without it. Raises ``InputError`` with every fault, and for tables that were scored with such columns.

    Raw, for whom the counts belong to: what may be shown of a place is ``gisapp.display``'s to say.
    """
    blind = _blind(assessment)
    places = blind.places
    whole = pd.Series(places.index, index=places.index, dtype=object)
    if "part_of" in places:
        whole = places["part_of"].where(places["part_of"].notna(), whole)
    _check(counts, set(whole), places)
    number = places[[c for c in places if str(c).startswith(VISITORS)]].astype(float)
    expected = number.groupby(whole.to_numpy(dtype=object)).sum(min_count=1)
    kinds = places["kind"].groupby(whole.to_numpy(dtype=object)).first().reindex(counts.index)
    counted, model = counts.astype(float), expected.reindex(counts.index)
    names = [str(c) for c in counted]
    parts = []
    if VISITORS in names:
        known = counted[VISITORS].notna() & model[VISITORS].notna()
        of_kind = kinds[known]
        shares = [_part(each[VISITORS][known].groupby(of_kind)) for each in (counted, model)]
        even = 1.0 / of_kind.groupby(of_kind).transform("size")
        parts.append(_rows(kinds, ALL, ALL, *(s.reindex(counts.index) for s in (*shares, even))))
    reference = dict(blind.params.reference)
    for dimension in dict.fromkeys(c.split(":")[1] for c in names if c != VISITORS):
        own = [c for c in names if c.startswith(f"{VISITORS}:{dimension}:")]
        told = counted[own].notna().to_numpy()
        town = np.array([reference.get(c.removeprefix(f"{VISITORS}:"), np.nan) for c in own])
        tables = [
            counted[own].to_numpy(),
            model.reindex(columns=own).to_numpy(float),
            np.tile(town, (len(counts), 1)),
        ]
        for at, column in enumerate(own):
            shares_of = [
                _share(np.where(told, table, 0.0), at, told[:, at], counts.index) for table in tables
            ]
            parts.append(_rows(kinds, dimension, column.split(":")[2], *shares_of))
    table = pd.concat(parts, ignore_index=True)
    return table[table["counted"].notna()].reset_index(drop=True)


def fit(beside: pd.DataFrame) -> pd.DataFrame:
    """Return how well the model agrees with the counts: a row a ``kind``, ``dimension`` and ``group``.

    ``beside``: as ``beside_counts`` gives it. Columns ``places`` (with count and model), ``enough`` (20 or more), and,
    missing where there are not enough: ``spearman`` (rank correlation over places, -1 to 1; missing too where one side
    is the same everywhere), ``mean_abs_difference`` of the shares (0-1), and ``mean_abs_difference_even``, that of
    whoever knows nothing: a model that is no better than this tells nothing.

    >>> share = np.arange(20) / 190
    >>> table = fit(pd.DataFrame({"kind": "parks", "dimension": "all", "group": "all", "counted": share,
    ...                           "model": share[::-1], "even": 0.05}))
    >>> table[["places", "enough", "spearman"]].to_numpy().tolist()
    [[20, True, -1.0]]
    """
    rows: list[dict[str, Any]] = []
    for (kind, dimension, group), part in beside.groupby(["kind", "dimension", "group"], sort=False):
        both = part[part["model"].notna()]
        counted, model, even = (both[c].to_numpy(float) for c in ("counted", "model", "even"))
        enough = len(both) >= ENOUGH_PLACES
        rows.append({
            "kind": kind, "dimension": dimension, "group": group, "places": len(both), "enough": enough,
            "spearman": spearman(counted, model) if enough else np.nan,
            "mean_abs_difference": float(np.abs(counted - model).mean()) if enough else np.nan,
            "mean_abs_difference_even": float(np.abs(counted - even).mean()) if enough else np.nan,
        })  # fmt: skip
    columns = ["kind", "dimension", "group", "places", "enough", "spearman", "mean_abs_difference",
               "mean_abs_difference_even"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def fit_text(row: "pd.Series[Any]", assessment: Assessment, words: Words) -> str:
    """Return one row of ``fit`` as a sentence; too few counted places are said to be too few."""
    kind = kind_title(str(row["kind"]), assessment, words)
    if not row["enough"]:
        return words.plural(
            "counted.few", int(row["places"]), kind=kind, places=int(row["places"]), least=ENOUGH_PLACES
        )
    rank = (
        words("value.missing")
        if np.isnan(row["spearman"])
        else words.number(float(row["spearman"]), digits=2)
    )
    off, even = (
        words.number(100 * float(row[column]), digits=1)
        for column in ("mean_abs_difference", "mean_abs_difference_even")
    )
    of_all = row["dimension"] == ALL
    group = words("counted.all") if of_all else group_title(f"{row['dimension']}:{row['group']}", words)
    return words(
        "counted.fit", kind=kind, places=int(row["places"]), group=group, rank=rank, off=off, even=even
    )


def spearman(one: Floats, other: Floats) -> float:
    """Return the rank correlation of two rows of numbers, ties at their mean rank; NaN where one does not vary.

    >>> spearman(np.array([1.0, 2, 3, 3]), np.array([10.0, 20, 40, 40]))
    1.0
    """
    a, b = (rankdata(values) - (len(values) + 1) / 2 for values in (one, other))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def _blind(assessment: Assessment) -> Assessment:
    """The assessment without evidence on groups: the same one where it had none."""
    if assessment.area is None:
        if assessment.inputs is not None and assessment.inputs.places.alpha_group:
            raise InputError(
                f"counts: these places were scored with columns '{ATTRACTIVENESS}:dimension:group', and a model is not "
                "tested by what it was told. Score the tables without them first."
            )
        return assessment
    places = assessment.area.places
    evidence = [c for c in places if str(c).startswith(f"{ATTRACTIVENESS}:")]
    if not evidence:
        return assessment
    return assess(
        assessment.area.with_(places=places.drop(columns=evidence)), assessment.params, since=assessment
    )


def _check(counts: pd.DataFrame, known: set[object], places: pd.DataFrame) -> None:
    faults = []
    if not counts.index.is_unique:
        faults.append("counts: place_id is not unique; give each place one row.")
    unknown = [p for p in counts.index if p not in known]
    if unknown:
        whole = places["part_of"].get(unknown[0]) if "part_of" in places else None
        advice = (
            f"it is a part of '{whole}': count the whole"
            if isinstance(whole, str)
            else "name places of this map"
        )
        faults.append(f"counts: there is no place '{unknown[0]}' ({len(unknown)} such rows); {advice}.")
    if not len(counts.columns):
        faults.append("counts: no column; name one 'visitors' or 'visitors:dimension:group'.")
    for column in counts:
        if column not in places or not (column == VISITORS or str(column).startswith(f"{VISITORS}:")):
            groups = ", ".join(str(c) for c in places if str(c).startswith(f"{VISITORS}:"))
            faults.append(f"counts: column '{column}' is not known; choose from {VISITORS}, {groups}.")
        elif not pd.api.types.is_numeric_dtype(counts[column]):
            faults.append(f"counts: '{column}' does not hold numbers; leave it blank where nobody counted.")
        else:
            values = counts[column].to_numpy(float, na_value=np.nan)
            if (values < 0).any() or np.isinf(values).any():
                faults.append(f"counts: '{column}' holds numbers that are no counts; counts are 0 or more.")
    raise_faults(faults)


def _part(groups: Any) -> Any:
    total = groups.transform("sum")
    return groups.obj / total.where(total > 0)


def _share(table: Floats, at: int, told: npt.NDArray[np.bool_], index: pd.Index) -> "pd.Series[float]":
    total = table.sum(axis=1)
    share = np.divide(table[:, at], total, out=np.full(len(table), np.nan), where=told & (total > 0))
    return pd.Series(share, index=index)


def _rows(kinds: Any, dimension: str, group: str, counted: Any, model: Any, even: Any) -> pd.DataFrame:
    table = pd.DataFrame({
        "place_id": kinds.index, "kind": kinds.to_numpy(), "dimension": dimension, "group": group,
        "counted": counted.to_numpy(), "model": model.to_numpy(), "even": even.to_numpy(),
    })  # fmt: skip
    return table
