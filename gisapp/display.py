"""What may be shown, and rounded how. For readability: privacy is settled at the door, in ``protect``."""

import math

import numpy as np
import pandas as pd

from gisapp.words import Words

FEW_VISITORS = 50  # below this, no composition
ONE_CELL_AT_MOST = 0.30  # no composition where one cell gives a larger share of the visitors
SMALL_BASE = 200  # below this, shares to 10 %, else to 1 %
OPEN_DIMENSIONS = ("age", "household")  # shown for single businesses, clubs and places of worship too
MIX_LIMITS = (0.5, 0.8)
LIKE_THE_TOWN = 0.7
LITTLE, SOME, MIXED, UNLIKE, NOT_COMPUTED = range(5)
_TOLERANCE = 1e-9


def share_text(share: float, words: Words, *, base: float = math.inf) -> str:
    """Return a share as a text that promises no more than it knows.

    To 10 % where fewer than 200 people stand behind it, else to 1 %; never "0 %" or "100 %".

    >>> from gisapp.words import load_words
    >>> words = load_words("en")
    >>> [share_text(s, words) for s in (0.0, 0.04, 0.123, 0.97, float("nan"))]
    ['under 5 %', 'under 5 %', '12 %', 'over 95 %', 'not known']
    >>> share_text(0.123, words, base=120)
    '10 %'
    """
    if not math.isfinite(share):
        return words("value.missing")
    if share < 0.05 - _TOLERANCE:
        return words("value.share_under", number=5)
    if share > 0.95 + _TOLERANCE:
        return words("value.share_over", number=95)
    step = 10 if base < SMALL_BASE else 1
    number = step * math.floor(share * 100 / step + 0.5 + _TOLERANCE)
    if number <= 0:
        return words("value.share_under", number=10)
    if number >= 100:
        return words("value.share_over", number=90)
    return words("value.share", number=number)


def index_text(index: float, words: Words) -> str:
    """Return an index of 0-1 as a whole number of at most 100.

    >>> from gisapp.words import load_words
    >>> index_text(1.04, load_words("en")), index_text(float("nan"), load_words("en"))
    ('100', 'not known')
    """
    if not math.isfinite(index):
        return words("value.missing")
    return str(min(100, max(0, math.floor(index * 100 + 0.5))))


def minutes_text(minutes: float, words: Words) -> str:
    """Return walking minutes as whole minutes; infinity reads "none within 30 min", NaN "not known".

    Rounded up, so that nobody is promised a shorter walk than it is.

    >>> from gisapp.words import load_words
    >>> [minutes_text(t, load_words("en")) for t in (0.4, 7.0, 7.2, float("inf"))]
    ['under 1 min', '7 min', '8 min', 'none within 30 min']
    """
    if math.isnan(minutes):
        return words("value.missing")
    if math.isinf(minutes):
        return words("value.beyond")
    if minutes < 1:
        return words("value.minutes_under")
    return words("value.minutes", number=math.ceil(minutes - _TOLERANCE))


def count_text(count: float) -> str:
    """Return people as a whole number, to tens from 200 on, thousands apart.

    >>> count_text(38366.6), count_text(57.4)
    ('38,370', '57')
    """
    whole = round(count / 10) * 10 if count >= SMALL_BASE else round(count)
    return f"{whole:,}"


def mix_classes(places: pd.DataFrame, dimension: str) -> pd.Series:
    """Return the mix class of each place: 0 little, 1 some, 2 like the town, 3 not like it, 4 not computed.

    Index: that of ``places``. Limits: M 0.5 and 0.8; like the town where F >= 0.7.

    >>> table = pd.DataFrame({"mix:age": [0.4, 0.6, 0.9, 0.9, None],
    ...                       "representativeness:age": [0.9, 0.9, 0.7, 0.3, None]})
    >>> mix_classes(table, "age").tolist()
    [0, 1, 2, 3, 4]
    """
    classes = np.full(len(places), NOT_COMPUTED)
    if f"mix:{dimension}" in places and f"representativeness:{dimension}" in places:
        mix = places[f"mix:{dimension}"].to_numpy(dtype=float, na_value=np.nan)
        likeness = places[f"representativeness:{dimension}"].to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(mix)
        classes[known] = np.searchsorted(np.array(MIX_LIMITS) - _TOLERANCE, mix[known], side="right")
        classes[known & (classes == MIXED) & ~(likeness >= LIKE_THE_TOWN - _TOLERANCE)] = UNLIKE
    return pd.Series(classes, index=places.index, name="mix_class")


def may_show_composition(
    *, dimension: str, open_to: str, visitors: float, largest_share: float | None = None
) -> bool:
    """Say whether more than the mix class of a place may be shown.

    ``visitors``: expected visitors of known group. ``largest_share`` (0-1): the share of them that one cell
    gives; None where it is not known, and then nothing is shown.

    >>> may_show_composition(dimension="origin", open_to="customers", visitors=900, largest_share=0.1)
    False
    >>> may_show_composition(dimension="age", open_to="customers", visitors=900, largest_share=0.1)
    True
    >>> may_show_composition(dimension="age", open_to="all", visitors=49, largest_share=0.1)
    False
    """
    if open_to != "all" and dimension not in OPEN_DIMENSIONS:
        return False
    if not visitors >= FEW_VISITORS - _TOLERANCE:
        return False
    return largest_share is not None and largest_share <= ONE_CELL_AT_MOST + _TOLERANCE
