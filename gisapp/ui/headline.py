"""The first row of the screen: the town, its headline figures and what they do not claim. Plain HTML."""

from html import escape

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.display import index_text, share_text
from gisapp.titles import dimension_title
from gisapp.words import Words


def headline_html(assessment: Assessment, dimension: str | None, words: Words) -> str:
    """Return title, notes that nobody may miss, and the three figures of one dimension."""
    city = _city_row(assessment, dimension)
    name = dimension_title(dimension, words).lower() if dimension else ""
    mixed = _figure(
        _share(city, "mixed_place_10min", words),
        words("headline.mixed"),
        words("headline.mixed_help"),
        words,
        tag=_potential(name, words),
        also=words("headline.mixed_sorted", share=_share(city, "mixed_place_10min_sorted", words)),
    )
    any_place = _figure(
        _share(city, "any_place_10min", words),
        words("headline.any"),
        words("headline.any_help"),
        words,
        tag=words("headline.within"),
    )
    return (
        f"{_title(assessment, words)}"
        f'<div class="tp-figures">{mixed}{any_place}{_islands(city, name, words)}</div>'
    )


def _title(assessment: Assessment, words: Words) -> str:
    town = assessment.area.name if assessment.area is not None else ""
    provenance, warning = assessment.provenance, ""
    if provenance.counts in ("invented", "missing"):
        note = provenance.counts_note or words(f"app.{provenance.counts}")
        warning = f'<span class="warn" role="note">{escape(note)}</span>'
    elif provenance.counts == "exact":
        warning = f'<span class="warn" role="note">{escape(words("app.exact"))}</span>'
    return f'<div class="tp-title"><h1>{escape(words("app.subtitle", town=town))}</h1>{warning}</div>'


def _figure(number: str, what: str, help_text: str, words: Words, *, tag: str, also: str = "") -> str:
    second = f'<p class="also">{escape(also)}</p>' if also else ""
    return (
        f'<div class="tp-figure"><strong>{escape(number)}</strong><div><div class="top">'
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
        value = _number(city, column)
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


def _city_row(assessment: Assessment, dimension: str | None) -> pd.Series:
    city = assessment.city.reset_index()
    if dimension is None or "dimension" not in city:
        return pd.Series(dtype=float)
    rows = city[(city["dimension"] == dimension) & (city["kind"] == "all")]
    return rows.iloc[0] if len(rows) else pd.Series(dtype=float)


def _number(row: pd.Series, column: str) -> float:
    value = row.get(column, np.nan)
    return float(value) if pd.notna(value) else float("nan")


def _share(row: pd.Series, column: str, words: Words) -> str:
    value = _number(row, column)
    return words("headline.none") if np.isnan(value) else share_text(value, words)
