"""Opening hours as OpenStreetMap writes them, read at a moment: open, closed, or not known.

The grammar is that of ``opening_hours`` (wiki.openstreetmap.org/wiki/Key:opening_hours/specification), which the
library opening-hours-py reads. What it takes for granted is unknown here: that an open door with a remark ("by
appointment") is open to all, that a place without a stated end has closed, and holidays of which no calendar is kept.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Literal

from opening_hours import OpeningHours, ParserError, State  # type: ignore[attr-defined]  # not in its stubs

from gisapp.errors import InputError

Door = Literal["open", "closed", "unknown"]
LatLon = tuple[float, float]

LONGEST_TEXT = 255  # the longest value that OpenStreetMap accepts
YEARS = (1970, 2099)  # what the library counts days and keeps holidays for
_REMARK = re.compile(r'"[^"]*"?')
_HOLIDAYS = {name: re.compile(rf"\b{name}\b", re.IGNORECASE) for name in ("PH", "SH")}
_OPEN_END = re.compile(r"(?::\d\d|\bsunrise|\bsunset|\bdawn|\bdusk|\))\s*\+(?!\d)", re.IGNORECASE)


def door_at(text: object, at: datetime, *, where: LatLon | None = None) -> Door:
    """Tell whether a place with these opening hours is open at a moment of local time.

    ``where`` (latitude, longitude) gives sunset and the country's public holidays. Unknown are: no text, one that
    cannot be read, hours with a remark or said to be unknown, hours that turn on school holidays or on public
    holidays nobody knows, and the time after the start of hours without an end where they no longer surely hold.

    >>> saturday = datetime(2026, 6, 6, 20, 30)
    >>> [door_at(text, saturday) for text in ("Mo-Sa 10:00-22:00", "Mo-Fr 10:00-22:00", "ask at the bar", None)]
    ['open', 'closed', 'unknown', 'unknown']
    >>> door_at('Sa 20:00-23:00 "by appointment"', saturday)
    'unknown'
    """
    check_moment(at)
    if not isinstance(text, str) or not re.search(r"\w", text) or len(text) > LONGEST_TEXT:
        return "unknown"
    try:
        hours = OpeningHours(text.strip(), coords=where)
    except ParserError:
        return "unknown"
    rules = _REMARK.sub("", text)
    if _HOLIDAYS["SH"].search(rules) or (
        _HOLIDAYS["PH"].search(rules) and not _knows_holidays(where, at.year)
    ):
        return "unknown"
    state, remark = hours.state(at)
    if state == State.OPEN:
        return "unknown" if remark else "open"
    if state == State.CLOSED:
        return "unknown" if _OPEN_END.search(rules) else "closed"
    return "unknown"


def check_moment(at: object) -> None:
    """Raise ``InputError`` unless ``at`` is a moment of local time in the years that are known.

    >>> check_moment(datetime(1066, 10, 14))
    Traceback (most recent call last):
    gisapp.errors.InputError: open_at: the year 1066 is out of reach; choose a moment from 1970 to 2099.
    """
    if not isinstance(at, datetime):
        raise InputError(f"open_at={at!r:.60}: give a datetime, such as datetime(2026, 6, 6, 20, 30).")
    if at.tzinfo is not None:
        raise InputError(
            f"open_at={at}: give local time, without a time zone: doors open by the town's clock."
        )
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise InputError(
            f"open_at: the year {at.year} is out of reach; choose a moment from {YEARS[0]} to {YEARS[1]}."
        )


@lru_cache(maxsize=256)
def _knows_holidays(where: LatLon | None, year: int) -> bool:
    """Tell whether there is a calendar of public holidays that covers a year: it has days of this one and the next."""
    if where is None:
        return False
    holidays = OpeningHours("PH", coords=where, max_interval_days=800)
    days = [holidays.next_change(datetime(each - 1, 12, 30)) for each in (year, year + 1)]
    return all(
        day is not None and day.year in (each - 1, each)
        for day, each in zip(days, (year, year + 1), strict=True)
    )
