"""The first row of the screen: the town, its headline figures and what they do not claim. Plain HTML."""

from html import escape

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.display import index_text, share_text
from gisapp.explain.case import Case, number
from gisapp.titles import counts_sentence, dimension_title
from gisapp.words import Words

_LONG = 6  # characters: "over 95 %" is set smaller than "63 %"


def headline_html(assessment: Assessment, dimension: str | None, words: Words) -> str:
    """Return title, notes that nobody may miss, and the three figures of one dimension."""
    case = Case(assessment, words, dimension)
    city = _city_row(case)
    base = case.known_residents() if assessment.area is not None else np.inf
    name = dimension_title(dimension, words).lower() if dimension else ""
    mixed = _figure(
        _share(city, "mixed_place_10min", words, base),
        words("headline.mixed"),
        words("headline.mixed_help"),
        words,
        tag=_potential(name, words),
        also=words("headline.mixed_sorted", share=_share(city, "mixed_place_10min_sorted", words, base)),
    )
    any_place = _figure(
        _share(city, "any_place_10min", words, base),
        words("headline.any"),
        words("headline.any_help"),
        words,
        tag=words("headline.within"),
    )
    return (
        f'<div lang="{words.language}">{_title(assessment, words)}'
        f'<div class="tp-figures">{mixed}{any_place}{_islands(city, name, words)}</div></div>'
    )


def _title(assessment: Assessment, words: Words) -> str:
    town = assessment.area.name if assessment.area is not None else ""
    note = counts_sentence(assessment, words)
    warning = f'<span class="warn" role="note">{escape(note)}</span>' if note else ""
    return f'<div class="tp-title"><h1>{escape(words("app.subtitle", town=town))}</h1>{warning}</div>'


def _figure(number: str, what: str, help_text: str, words: Words, *, tag: str, also: str = "") -> str:
    long = ' class="long"' if len(number) > _LONG else ""
    second = f'<p class="also">{escape(also)}</p>' if also else ""
    return (
        f'<div class="tp-figure"><strong{long}>{escape(number)}</strong><div><div class="top">'
        f'<span class="what">{escape(what)}</span></div>'
        f'{second}<p class="help">{escape(help_text)} <span class="tag">{escape(tag)}</span></p></div></div>'
    )


def _islands(city: pd.Series, name: str, words: Words) -> str:
    bars = []
    for key, column, light in (
        ("headline.islands_home", "islands_home_visits", ""),
        ("headline.islands_places", "islands_places", ""),
        ("headline.islands_nearest", "islands_places_nearest", ' class="light"'),
    ):
        value = number(city, column)
        width = 0.0 if np.isnan(value) else 100 * min(max(value, 0.0), 1.0)
        text = words("headline.none") if np.isnan(value) else index_text(value, words)
        bar = f'<span><i{light} style="width:{width:.0f}%"></i></span>'
        bars.append(f"<span>{escape(words(key))}</span>{bar}<span>{escape(text)}</span>")
    tag = escape(_potential(name, words))
    what, help_text = escape(words("headline.islands")), escape(words("headline.islands_help"))
    return (
        f'<div class="tp-figure"><div><div class="top"><span class="what">{what}</span>'
        f'<span class="help">{help_text}</span><span class="tag">{tag}</span></div>'
        f'<div class="tp-bars">{"".join(bars)}</div></div></div>'
    )


def _potential(dimension: str, words: Words) -> str:
    return " · ".join(filter(None, (words("app.potential"), dimension)))


def _city_row(case: Case) -> pd.Series:
    return case.pooled() if "all" in case.city_rows().index else pd.Series(dtype=float)


def _share(row: pd.Series, column: str, words: Words, base: float) -> str:
    value = number(row, column)
    return words("headline.none") if np.isnan(value) else share_text(value, words, base=base)
