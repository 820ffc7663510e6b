"""Counts that their publisher holds back, filled in from the totals as far as these tell them."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from gisapp.quality import Finding

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# What publishers write where they tell no count. A blank says as little.
HELD_BACK = frozenset(("-", "–", "x", "c", ":", "*", ".", "..", "...", "(c)", "(x)"))
MARKS = (-9999.0, -8888.0, -7777.0)  # the same in columns of numbers
_BELOW = re.compile(r"(<|<=|≤|&lt;)\s*(\d{1,3})")
MAKES_UP = 0.9  # of the people, so that a remainder is what is held back rather than groups that nobody named


class Filled(NamedTuple):
    """Counts with what could be inferred (NaN where nothing could), and the totals of the rows that are known."""

    counts: dict[str, Floats]
    total: Floats
    findings: list[Finding]


def read_held_back(values: "pd.Series[Any]") -> tuple["pd.Series[Any]", Floats]:
    """Return a column without the marks of counts held back, and the most that each count can be.

    ``"<5"`` is held back, and at most 4; other marks (``HELD_BACK``, ``MARKS``) say nothing of the size.

    >>> values, most = read_held_back(pd.Series(["12", "x", "<5", None]))
    >>> values.tolist(), most.tolist()
    (['12', None, None, None], [inf, inf, 4.0, inf])
    """
    most = np.full(len(values), np.inf)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.mask(values.isin(MARKS)), most
    plain = values.astype(object).where(values.notna(), None)
    for n, value in enumerate(values):
        text = str(value).strip().casefold() if isinstance(value, str) else ""
        below = _BELOW.fullmatch(text)
        if below:
            most[n] = max(0, int(below[2]) - (below[1] in ("<", "&lt;")))
        if below or text in HELD_BACK or (re.fullmatch(r"-\d{4}(\.0+)?", text) and float(text) in MARKS):
            plain.iloc[n] = None
    return plain, most


def fill_held_back(
    counts: Floats, total: Floats, most: Floats | None = None, *, town: Flags | None = None
) -> Floats:
    """Return counts (rows by the groups of one dimension, NaN where held back) with what can be inferred.

    What a row's known counts lack of its ``total`` (NaN where unknown) is spread over the groups held back there, by
    these groups' shares in the town (``town_shares``). No count exceeds ``most``; what is left then belongs to no
    group. Where the total is unknown, or the share of a group held back, nothing is inferred.

    >>> fill_held_back(np.array([[60.0, 20.0, 20.0], [30.0, np.nan, np.nan]]), np.array([100.0, 50.0])).tolist()
    [[60.0, 20.0, 20.0], [30.0, 10.0, 10.0]]
    """
    hidden = np.isnan(counts)
    limit = np.full(counts.shape, np.inf) if most is None else most
    lacking = np.maximum(total - np.nansum(counts, axis=1), 0.0)
    share = np.where(hidden, town_shares(counts, town), 0.0)
    alone = hidden & (hidden.sum(axis=1) == 1)[:, None] & ~np.isnan(share)
    share[alone] = 1.0  # though nobody of this group was counted elsewhere
    told = hidden.any(axis=1) & np.isfinite(lacking) & ((share.sum(axis=1) > 0) | (lacking == 0))
    told &= ~np.isnan(share).any(axis=1)
    part = np.where(hidden & told[:, None], 0.0, counts)
    share, left = np.where(told[:, None], share, 0.0), np.where(told, lacking, 0.0)
    for _ in range(counts.shape[1]):  # each round fills a group up to its limit, or spreads all that is left
        open_share = np.where(part < limit, share, 0.0)
        whole = open_share.sum(axis=1, keepdims=True)
        more = np.divide(left[:, None] * open_share, whole, out=np.zeros_like(part), where=whole > 0)
        grown = np.where(hidden, np.minimum(part + more, limit), part)
        left = np.maximum(left - np.nansum(grown - part, axis=1), 0.0)
        part = grown
    return part


def town_shares(counts: Floats, town: Flags | None = None) -> Floats:
    """Return people by group, to be taken as shares; NaN for groups that nobody counted anywhere.

    Over the rows of ``town`` (else all) where every group is known; where there are none, over all known counts.
    """
    known = ~np.isnan(counts)
    if town is not None and known[town].any():
        counts, known = counts[town], known[town]
    whole = known.all(axis=1)
    rows = whole if counts[whole].sum() > 0 else np.ones(len(counts), dtype=bool)
    sums = np.nansum(counts[rows], axis=0)
    return np.where(known.any(axis=0), sums, np.nan)


def fill_table(
    counts: Mapping[str, Floats], total: Floats, most: Mapping[str, Floats], *, town: Flags | None = None
) -> Filled:
    """Fill in counts by ``dimension:group``, dimension by dimension, and say what was imputed.

    A missing ``total`` is that of a dimension of which every group is known, the largest of several. A dimension
    whose groups make up less than ``MAKES_UP`` of the people where all are told (children and the old, say) is no
    measure of what is held back: nothing of it is filled in, and it tells no total.
    """
    dimensions: dict[str, list[str]] = {}
    for column in counts:
        dimensions.setdefault(column.split(":")[0], []).append(column)
    given = {d: np.column_stack([counts[c] for c in own]) for d, own in dimensions.items()}
    sums = {d: values.sum(axis=1) for d, values in given.items()}
    people = total if np.isfinite(total).any() or not sums else np.max(list(sums.values()), axis=0)
    trusted = [d for d in dimensions if _makes_up(sums[d], people)]
    if trusted:
        largest = np.max(np.nan_to_num([sums[d] for d in trusted], nan=-1.0), axis=0)
        total = np.where(np.isnan(total) & (largest >= 0), largest, total)
    result: dict[str, Floats] = {}
    findings: list[Finding] = []
    for dimension, columns in dimensions.items():
        filled = given[dimension]
        if dimension in trusted:
            limits = np.column_stack([most[c] for c in columns])
            filled = fill_held_back(filled, total, limits, town=town)
        result.update(zip(columns, filled.T, strict=True))
        findings += _imputed(dimension, np.isnan(given[dimension]), filled, total, town)
    return Filled(result, total, findings)


def _makes_up(known: Floats, people: Floats) -> bool:
    told = np.isfinite(known) & np.isfinite(people)
    return not told.any() or bool(known[told].sum() >= MAKES_UP * people[told].sum())


def _imputed(
    dimension: str, hidden: Flags, filled: Floats, total: Floats, town: Flags | None
) -> list[Finding]:
    here = np.ones(len(hidden), dtype=bool) if town is None else town
    done = hidden & ~np.isnan(filled) & here[:, None]
    if not done.any():
        return []
    cells, of = int(done.sum()), int(done[here].size)
    people, everybody = float(filled[done].sum()), float(np.nansum(total[here]))
    told = (
        f"By {dimension}, {cells} of {of} counts are held back by their publisher and were imputed: what lacks of the "
        "totals was spread over them by the town's shares."
    )
    findings = [Finding(f"residents_imputed:{dimension}", told, "note", cells, of)]
    if everybody:
        sentence = f"By {dimension}, the group of {people:,.0f} people ({people / everybody:.1%}) is imputed."
        findings.append(
            Finding(f"residents_imputed_people:{dimension}", sentence,
                    "warning" if people > 0.1 * everybody else "note", people, everybody)
        )  # fmt: skip
    return findings
