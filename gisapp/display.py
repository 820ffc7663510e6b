"""What may be shown, and rounded how: every number that a reader sees passes through here.

For readability: privacy is settled at the door, in ``protect``.
"""

import math
from typing import Literal

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

Hidden = Literal["private", "few", "cell"]


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


def part_text(share: float, words: Words, *, base: float = math.inf) -> str:
    """Return the share of a class in a legend: a dash where the class is empty, else as ``share_text``.

    >>> from gisapp.words import load_words
    >>> part_text(0.0, load_words("en")), part_text(0.001, load_words("en"))
    ('–', 'under 5 %')
    """
    return "–" if share == 0 else share_text(share, words, base=base)


def exposure_text(share: float, words: Words) -> str:
    """Return whom one would meet as a whole number of per cent, whatever the number of people who meet them.

    >>> from gisapp.words import load_words
    >>> exposure_text(0.314, load_words("nl")), exposure_text(0.0, load_words("nl"))
    ('31 %', 'minder dan 5 %')
    """
    return share_text(share, words)


def index_text(index: float, words: Words) -> str:
    """Return an index of 0-1 (mix, F, islands, access over 100) as a whole number of at most 100.

    >>> from gisapp.words import load_words
    >>> index_text(1.04, load_words("en")), index_text(float("nan"), load_words("en"))
    ('100', 'not known')
    """
    if not math.isfinite(index):
        return words("value.missing")
    return str(min(100, max(0, math.floor(index * 100 + 0.5 + _TOLERANCE))))


def relative_text(index: float, words: Words) -> str:
    """Return an index of 0-1 as per cent of the town's, at most 100: the words around it say of what.

    >>> from gisapp.words import load_words
    >>> relative_text(1.56, load_words("en"))
    '100 %'
    """
    return words("value.share", number=index_text(index, words))


def change_texts(before: float, after: float, words: Words) -> tuple[str, str]:
    """Return two indices of 0-1 to compare: whole numbers, with a decimal only where they would look equal.

    >>> from gisapp.words import load_words
    >>> change_texts(0.284, 0.363, load_words("nl")), change_texts(0.284, 0.2849, load_words("nl"))
    (('28', '36'), ('28,4', '28,5'))
    """
    texts = index_text(before, words), index_text(after, words)
    if texts[0] != texts[1] or not (math.isfinite(before) and math.isfinite(after)):
        return texts
    first, second = (
        words.number(math.floor(1000 * v + 0.5 + _TOLERANCE) / 10, digits=1) for v in (before, after)
    )
    return first, second


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


def rounded_count(count: float) -> int:
    """Return people as a whole number, to tens from 200 on.

    >>> rounded_count(38366.6), rounded_count(57.4)
    (38370, 57)
    """
    return round(count / 10) * 10 if count >= SMALL_BASE else round(count)


def count_text(count: float, words: Words) -> str:
    """Return people as a whole number, to tens from 200 on, thousands apart; NaN reads "not known".

    >>> from gisapp.words import load_words
    >>> [count_text(38366.6, load_words(language)) for language in ("en", "nl")]
    ['38,370', '38.370']
    """
    return words("value.missing") if math.isnan(count) else words.number(rounded_count(count))


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


def hidden_because(
    *, dimension: str, open_to: str, visitors: float, largest_share: float | None = None
) -> Hidden | None:
    """Return why no more than the mix class of a place may be shown, None where its composition may be.

    ``private``: a single business, club or place of worship, in another dimension than age and household.
    ``few``: under 50 ``visitors`` (expected, of known group). ``cell``: one cell gives more than 30 % of them
    (``largest_share``, 0-1), or it is not known what the largest gives.

    >>> hidden_because(dimension="origin", open_to="customers", visitors=900, largest_share=0.1)
    'private'
    >>> hidden_because(dimension="age", open_to="customers", visitors=49, largest_share=0.1)
    'few'
    >>> hidden_because(dimension="age", open_to="all", visitors=900, largest_share=0.31)
    'cell'
    >>> hidden_because(dimension="age", open_to="customers", visitors=900, largest_share=0.3) is None
    True
    """
    if open_to != "all" and dimension not in OPEN_DIMENSIONS:
        return "private"
    if not visitors >= FEW_VISITORS - _TOLERANCE:
        return "few"
    if largest_share is None or not largest_share <= ONE_CELL_AT_MOST + _TOLERANCE:
        return "cell"
    return None
