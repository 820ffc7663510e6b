"""The first row of the screen: the town, its headline figures and what they do not claim. Plain HTML."""

from html import escape

import numpy as np
import pandas as pd

from gisapp.assessment import Assessment
from gisapp.display import index_text, share_text
from gisapp.names import dimension_title
from gisapp.words import Words

HEADLINE_CSS = """
.tp-title { display: flex; align-items: baseline; gap: 14px; flex-wrap: wrap; margin: 0 0 4px; }
.tp-title h1 { font-size: 1.45rem; font-weight: 650; margin: 0; padding: 0; letter-spacing: -.01em; }
.tp-title .warn { color: #7a3206; background: #fdeedd; border-radius: 4px; padding: 2px 9px; font-size: .86rem; }
.tp-figures { display: grid; grid-template-columns: 1fr 1fr 1.35fr; gap: 10px; }
.tp-figure { border: 1px solid #e3dfd6; border-radius: 6px; padding: 7px 12px 8px; background: #fff; }
.tp-figure .top { display: flex; align-items: baseline; gap: 9px; flex-wrap: wrap; line-height: 1.15; }
.tp-figure strong { font-size: 1.7rem; font-weight: 650; color: #23375e; white-space: nowrap; }
.tp-figure .what { font-size: .95rem; font-weight: 600; color: #33332f; }
.tp-figure .tag { font-size: .72rem; color: #55554d; border: 1px solid #cfcabf; border-radius: 9px; padding: 0 7px; }
.tp-figure .also { font-size: .9rem; color: #33332f; margin: 1px 0 0; }
.tp-figure .help { font-size: .78rem; line-height: 1.3; color: #5c5c55; margin: 3px 0 0; }
.tp-bars { display: grid; grid-template-columns: max-content 1fr 2.2em; gap: 1px 8px; font-size: .84rem; align-items: center;
  line-height: 1.25; margin-top: 2px; }
.tp-bars i { display: block; height: 9px; border-radius: 2px; background: #23375e; min-width: 2px; }
.tp-bars i.light { background: #8fa0bd; }
.tp-bars span:nth-child(3n) { text-align: right; font-weight: 600; font-variant-numeric: tabular-nums; }
@media (max-width: 800px) { .tp-figures { grid-template-columns: 1fr; } }
"""


def headline_html(assessment: Assessment, dimension: str | None, words: Words) -> str:
    """Return title, notes that nobody may miss, and the three figures of one dimension."""
    city = _city_row(assessment, dimension)
    name = dimension_title(dimension, words).lower() if dimension else ""
    mixed = _figure(
        _share(city, "mixed_place_10min", words),
        words("headline.mixed"),
        words("headline.mixed_help"),
        words,
        tag=f"{words('app.potential')} · {name}",
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
        f"<style>{HEADLINE_CSS}</style>{_title(assessment, words)}"
        f'<div class="tp-figures">{mixed}{any_place}{_islands(city, name, words)}</div>'
    )


def _title(assessment: Assessment, words: Words) -> str:
    town = assessment.area.name if assessment.area is not None else ""
    provenance, warning = assessment.provenance, ""
    if provenance.counts == "invented":
        note = provenance.counts_note or words("app.invented")
        warning = f'<span class="warn" role="note">{escape(note)}</span>'
    elif provenance.counts == "exact":
        warning = f'<span class="warn" role="note">{escape(words("app.exact"))}</span>'
    return f'<div class="tp-title"><h1>{escape(words("app.subtitle", town=town))}</h1>{warning}</div>'


def _figure(number: str, what: str, help_text: str, words: Words, *, tag: str, also: str = "") -> str:
    second = f'<p class="also">{escape(also)}</p>' if also else ""
    return (
        f'<div class="tp-figure"><div class="top"><strong>{escape(number)}</strong>'
        f'<span class="what">{escape(what)}</span><span class="tag">{escape(tag)}</span></div>'
        f'{second}<p class="help">{escape(help_text)}</p></div>'
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
    tag = f"{words('app.potential')} · {name}"
    return (
        f'<div class="tp-figure"><div class="top"><span class="what">{escape(words("headline.islands"))}</span>'
        f'<span class="tag">{escape(tag)}</span></div><div class="tp-bars">{"".join(bars)}</div>'
        f'<p class="help">{escape(words("headline.islands_help"))}</p></div>'
    )


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
