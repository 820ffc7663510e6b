"""What every explanation starts from: the assessment, the reader's words, and whom it compares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.display import share_text
from gisapp.errors import InputError
from gisapp.measures import group_columns, residents_of
from gisapp.titles import by_dimension, group_title, kind_title, sentence_start
from gisapp.words import Words

MOST_NAMED = 3  # kinds named in one sentence


@dataclass(frozen=True)
class Case:
    """An assessment to be explained in one language, for one dimension (None: without groups)."""

    assessment: Assessment
    words: Words
    dimension: str | None = None
    kind: str | None = None

    @property
    def by(self) -> str:
        """ "By age", in the reader's language."""
        return by_dimension(self.dimension or "", self.words)

    def kind_name(self, kind: str) -> str:
        """Return the name of a kind as it stands inside a sentence."""
        return kind_title(kind, self.assessment, self.words).lower()

    def kind_names(self, kinds: Iterable[str]) -> str:
        """Return the names of kinds as a list."""
        return self.words.listed(map(self.kind_name, kinds))

    def group_name(self, group: str) -> str:
        """Return the name of a group of the dimension."""
        return group_title(f"{self.dimension}:{group}", self.words)

    def city_rows(self) -> pd.DataFrame:
        """Return the town's rows of the dimension, index ``kind``."""
        city = self.assessment.city
        if self.dimension is None or "dimension" not in city:
            return pd.DataFrame()
        return city[city["dimension"] == self.dimension].set_index("kind")

    def pooled(self) -> pd.Series:
        """Return the town's figures of the dimension over all kinds; ``InputError`` where there are none."""
        rows = self.city_rows()
        if "all" not in rows.index:
            raise InputError("This figure compares groups of residents, and these residents have none.")
        return rows.loc[["all"]].iloc[0]

    def groups(self) -> pd.DataFrame:
        """Return the equity rows of the dimension, index ``group``."""
        equity = self.assessment.equity
        if self.dimension is None or "dimension" not in equity:
            return pd.DataFrame()
        return equity[equity["dimension"] == self.dimension].set_index("group")

    def known_residents(self) -> float:
        """Return how many residents of the core are of known group in the dimension; without one, all."""
        people = residents_of(self.assessment)
        people = people[people["core"].astype(bool)] if "core" in people else people
        known = group_columns(list(people.columns), self.dimension or "")
        return float(people[known or ["total"]].sum().sum())


def number(row: Any, column: str) -> float:
    """Return a number of a row, NaN where it is missing.

    >>> number({"q": 0.5}, "q"), number({}, "q")
    (0.5, nan)
    """
    value = row.get(column, np.nan)
    return float("nan") if pd.isna(value) else float(value)


def value_at(values: pd.Series, label: str) -> float:
    """Return the number of a series at a label."""
    return float(values.to_numpy(dtype=float)[values.index.get_loc(label)])


def extremes(values: pd.Series) -> tuple[str, str] | None:
    """Return the names of the least and the most, None where fewer than two are known or all are equal."""
    known = values.dropna()
    if len(known) < 2 or known.max() - known.min() < 1e-9:
        return None
    return str(known.idxmin()), str(known.idxmax())


def named_until(kinds: Sequence[str], limit: int = MOST_NAMED) -> tuple[str, ...]:
    """Return the first few of some kinds: a sentence names no more."""
    return tuple(kinds[:limit])


def two_groups(case: Case, column: str, key: str) -> list[str]:
    """Return the sentence ``key`` on the groups with the least and the most of a share; none if they read alike."""
    groups = case.groups()
    ends = extremes(groups[column]) if column in groups else None
    if ends is None:
        return []
    base = case.known_residents()
    least, most = (share_text(value_at(groups[column], g), case.words, base=base) for g in ends)
    if least == most:
        return []
    group, other = (case.group_name(g) for g in ends)
    return [sentence_start(case.words(key, group=group, share=least, other=other, other_share=most))]
