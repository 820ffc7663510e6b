"""What a map can show: each measure with its fixed class limits, the same for every town, map and sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.cells import Cells, cell_means
from gisapp.errors import InputError, MissingError

Unit = Literal["minutes", "score", "share", "exposure", "people"]

# Viridis, from its pale to its dark end: readable for colour-blind readers, and pale where there is little.
_PALE_TO_DARK = {
    4: ("#f4e61e", "#6ccd5a", "#26828e", "#472f7d"),
    5: ("#f4e61e", "#7ad151", "#22a884", "#2a788e", "#46307e"),
    6: ("#f4e61e", "#95d840", "#3fbc73", "#1f988b", "#33638d", "#482878"),
}


@dataclass(frozen=True)
class Measure:
    """One measure: where its numbers are, in which unit, and the limits of its classes.

    ``limits`` ascend in the raw unit; ``closed`` says on which side a class includes its limit.
    ``dark`` says which end of the classes is drawn dark.
    """

    key: str
    unit: Unit
    limits: tuple[float, ...]
    needs: Literal["nothing", "kind", "dimension"] = "nothing"
    closed: Literal["left", "right"] = "left"
    dark: Literal["high", "low"] = "high"

    @property
    def colours(self) -> tuple[str, ...]:
        """The colour of each class, in the order of the limits."""
        ramp = _PALE_TO_DARK[len(self.limits) + 1]
        return ramp if self.dark == "high" else ramp[::-1]

    def classify(self, values: pd.Series) -> np.ndarray:
        """Return the class of each value, -1 where it is unknown.

        >>> MEASURES["walk"].classify(pd.Series([5.0, 5.1, np.inf, np.nan])).tolist()
        [0, 1, 4, -1]
        """
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        side: Literal["left", "right"] = "right" if self.closed == "left" else "left"
        nudge = -1e-9 if self.closed == "left" else 1e-9
        classes = np.searchsorted(np.array(self.limits) + nudge, numbers, side=side)
        return np.where(np.isnan(numbers), -1, classes)


_NOBODY = 2e-9
MEASURES = {
    m.key: m
    for m in (
        Measure("access", "score", (12.5, 25, 40, 70)),
        Measure("walk", "minutes", (5, 10, 15, 30), needs="kind", closed="right", dark="low"),
        Measure("left_out", "share", (_NOBODY, 0.25, 0.5, 0.75), needs="kind"),
        Measure("mixed_place", "share", (_NOBODY, 0.5, 1.0), needs="dimension"),
        Measure("mixed_place_sorted", "share", (_NOBODY, 0.5, 1.0), needs="dimension"),
        Measure("meets", "exposure", (0.1, 0.2, 0.3, 0.4, 0.5), needs="dimension"),
        Measure("meets_at_home", "exposure", (0.1, 0.2, 0.3, 0.4, 0.5), needs="dimension"),
        Measure("residents", "people", (25, 100, 250, 500)),
    )
}


@dataclass(frozen=True)
class View:
    """One thing to draw: a measure, and the kind or dimension that it is drawn for."""

    measure: Measure
    kind: str | None = None
    dimension: str | None = None


def dimensions(assessment: Assessment) -> tuple[str, ...]:
    """Return the dimensions that the assessment compares, in the order of its city table."""
    return tuple(dict.fromkeys(assessment.city["dimension"]))


def view_of(assessment: Assessment, measure: str, *, dimension: str | None = None) -> View:
    """Return the view that ``measure`` names: ``access``, ``access:libraries``, ``walk:parks``, ``meets``.

    A measure that needs a kind takes the first kind that has a place if none is named, one that needs a
    dimension the first dimension. Raises ``MissingError`` for an unknown measure, kind or dimension.
    """
    key, _, kind = measure.partition(":")
    found = MEASURES.get(key)
    if found is None:
        raise MissingError(f"measure='{measure}': choose one of {', '.join(MEASURES)}.")
    known = dimensions(assessment)
    if dimension is not None and dimension not in known:
        raise MissingError(f"dimension='{dimension}': choose one of {', '.join(known) or 'none here'}.")
    if kind and kind not in assessment.params.kinds:
        raise MissingError(f"measure='{measure}': the kinds here are {', '.join(assessment.params.kinds)}.")
    if found.needs == "kind" and not kind:
        present = set(assessment.places["kind"])
        kind = next((k for k in assessment.params.kinds if k in present), "")
        if not kind:
            raise InputError(f"measure='{measure}' needs a kind of place, and this area has none.")
    if found.needs == "dimension" and not known:
        raise InputError(f"measure='{measure}' needs residents in groups, and these residents have none.")
    return View(found, kind or None, dimension or (known[0] if known else None))


def home_values(assessment: Assessment, view: View) -> pd.Series:
    """Return the view's number for each home (index ``home_id``), NaN where it is unknown.

    Minutes are infinite where nothing lies within the horizon. Shares are 0-1, access 0-100.
    """
    homes, key, kind, dimension = assessment.homes, view.measure.key, view.kind, view.dimension
    if key == "access":
        return _column(homes, f"access:{kind}" if kind else "access")
    if key == "walk":
        return _column(homes, f"nearest_min:{kind}").fillna(np.inf)
    if key == "left_out":
        return 1.0 - _column(homes, f"within_norm:{kind}")
    if key == "mixed_place":
        return _column(homes, f"mixed_place_10min:{dimension}")
    if key == "mixed_place_sorted":
        return _column(homes, f"mixed_place_10min_sorted:{dimension}")
    if key == "residents":
        total: pd.Series[float] = residents_of(assessment)["total"].astype(float)
        return total
    column = "meets_others" if key == "meets" else "meets_others_at_home"
    return _mean_over_groups(assessment, column, str(dimension))


def cell_values(assessment: Assessment, view: View, cells: Cells) -> pd.Series:
    """Return the view's number for each square: the mean over its residents, or how many they are."""
    if view.measure.key == "residents":
        residents: pd.Series[float] = cells.frame["residents"]
        return residents
    return cell_means(cells, home_values(assessment, view), residents_of(assessment)["total"])


def class_shares(view: View, values: pd.Series, residents: pd.Series) -> tuple[list[float], float]:
    """Return the share of residents in each class (0-1), and of those whose class is unknown."""
    classes = view.measure.classify(values)
    total = float(residents.sum())
    sums = np.bincount(classes + 1, weights=residents, minlength=len(view.measure.limits) + 2)
    shares = sums / total if total > 0 else np.zeros_like(sums)
    return shares[1:].tolist(), float(shares[0])


def group_columns(columns: Sequence[str], dimension: str) -> list[str]:
    """Return the count columns of a dimension, without its residents of unknown group."""
    prefix = f"{dimension}:"
    return [c for c in columns if c.startswith(prefix) and c != f"{prefix}unknown"]


def residents_of(assessment: Assessment) -> pd.DataFrame:
    """Return the residents that were scored, with ``total`` and ``core``: the area's, else the given table's."""
    if assessment.area is not None:
        residents: pd.DataFrame = assessment.area.residents
        return residents
    if assessment.inputs is None:
        raise InputError("This assessment was made from tables without geometry: there is nothing to draw.")
    homes = assessment.inputs.homes
    table = pd.DataFrame(homes.counts, index=homes.ids, columns=list(homes.columns))
    return table.assign(total=homes.total, core=homes.core)


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        return pd.Series(np.nan, index=table.index, name=name)
    return table[name].astype(float)


def _mean_over_groups(assessment: Assessment, column: str, dimension: str) -> pd.Series:
    counts = residents_of(assessment)
    counts = counts[group_columns(list(counts.columns), dimension)].reindex(assessment.homes.index)
    shares = pd.DataFrame({c: _column(assessment.homes, f"{column}:{c}") for c in counts})
    known = counts.astype(float).where(shares.notna(), 0.0)
    total = known.sum(axis=1)
    return ((shares.fillna(0.0) * known).sum(axis=1) / total.where(total > 0)).rename(column)
