"""Numbers as people type them: decimal commas, spaces between thousands, and what is no number at all."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
RowName = Callable[[int], str]

_BLANK = frozenset(("", "nan", "none", "null", "na", "n/a", "#n/a", "<na>"))
_PLAIN = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")
_BOTH = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d*|[+-]?\d{1,3}(?:,\d{3})+\.\d*")
_MILLIONS = re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3}){2,}|(?:,\d{3}){2,})")
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'’")
_SHOWN = 3


def read_numbers(values: "pd.Series[Any]") -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return numbers (NaN where blank) and which values are no number; "1 234,5" is 1234.5.

    >>> read_numbers(pd.Series(["12,5", " 1 000 ", None, "many", "1.234,5"]))[0].tolist()
    [12.5, 1000.0, nan, nan, 1234.5]
    """
    if pd.api.types.is_bool_dtype(values):
        return np.full(len(values), np.nan), np.ones(len(values), dtype=bool)
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers, np.isinf(numbers)
    numbers, wrong = np.full(len(values), np.nan), np.zeros(len(values), dtype=bool)
    for n, value in enumerate(values):
        number = _number(value)
        if number is None:
            wrong[n] = True
        else:
            numbers[n] = number
    return numbers, wrong


def count_faults(values: "pd.Series[Any]", column: str, row_name: RowName) -> tuple[Floats, list[str]]:
    """Return counts (NaN where blank) and a sentence for each thing that is wrong with them.

    Counts are 0 or more. "1.234" in a column without other decimals may be a thousand or a little over one: that
    is never guessed.
    """
    numbers, wrong = read_numbers(values)
    faults = []
    if wrong.any():
        shown = name_rows(np.flatnonzero(wrong), row_name)
        faults.append(
            f"column '{column}' holds no number in {shown} ('{_cut(values.iloc[int(np.argmax(wrong))])}')."
        )
    if (negative := np.nan_to_num(numbers) < 0).any():
        faults.append(f"column '{column}' is negative in {name_rows(np.flatnonzero(negative), row_name)}.")
    texts = [str(v).translate(_SPACES) for v in values if isinstance(v, str) and v.strip()]
    odd = [t for t in texts if "." in t or "," in t]
    if odd and all(_THOUSANDS.fullmatch(t) for t in odd):
        faults.append(
            f"column '{column}' holds '{odd[0]}', which may be {odd[0].replace('.', '').replace(',', '')} or "
            f"{odd[0].replace(',', '.')}: write it without a mark for thousands."
        )
    return numbers, faults


def _number(value: object) -> float | None:
    if value is None or value is pd.NA or value is pd.NaT:
        return np.nan
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, int | float | np.number):
        return float(value) if not np.isinf(float(value)) else None
    text = str(value).translate(_SPACES)
    if text.casefold() in _BLANK:
        return np.nan
    if _BOTH.fullmatch(text) or _MILLIONS.fullmatch(text):
        mark = max(".,", key=text.rfind) if _BOTH.fullmatch(text) else ""
        for other in {".", ","} - {mark}:
            text = text.replace(other, "")
    if not _PLAIN.fullmatch(text):
        return None
    number = float(text.replace(",", "."))
    return number if np.isfinite(number) else None


def name_rows(rows: Sequence[int] | npt.NDArray[np.int64], row_name: RowName) -> str:
    """Return the first rows by name, and how many more there are.

    >>> name_rows([0, 1, 2, 3], lambda n: f"row {n + 2}")
    'row 2, row 3, row 4 and 1 more'
    """
    shown = ", ".join(row_name(int(n)) for n in rows[:_SHOWN])
    return shown + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


def _cut(value: object) -> str:
    return str(value)[:40]
