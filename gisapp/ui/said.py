"""Explanations on the screen: the sentence first, then its parts side by side."""

import re
from html import escape

import streamlit as st

from gisapp.explain import CITY_FIGURES, Explanation, explain
from gisapp.measures import View
from gisapp.titles import words_for
from gisapp.ui.load import Town
from gisapp.words import Words

_PARTS = ("holds_down", "would_raise", "not_claimed")


def explanation_html(found: Explanation, words: Words) -> str:
    """Return an explanation as HTML: what it is, then three parts under their headings."""
    parts = []
    for name in _PARTS:
        sentences = getattr(found, name)
        if sentences:
            text = "".join(f"<p>{_whole(sentence)}</p>" for sentence in sentences)
            parts.append(f"<section><h4>{escape(words(f'explain.{name}'))}</h4>{text}</section>")
    first = _whole(" ".join(found.what_it_is))
    return f'<p class="first">{first}</p><div class="tp-parts">{"".join(parts)}</div>'


def picked_html(town: Town, picked: tuple[str, str] | None, view: View, words: Words) -> str:
    """Return the explanation of what was clicked, or how to get one."""
    if picked is None:
        inside = f"<p>{escape(words('app.click_hint'))}</p>"
    else:
        what, which = picked
        found = explain(
            town.assessment, what, which,
            dimension=view.dimension, kind=view.kind, language=words.language, cells=town.cells,
        )  # fmt: skip
        inside = explanation_html(found, words)
    return f'<div class="tp-said" role="status" aria-live="polite" lang="{words.language}">{inside}</div>'


def choose_figure(town: Town, dimension: str | None, words: Words) -> str | None:
    """Offer the town's figures and return the one to be explained; without groups only access."""
    figures = list(CITY_FIGURES) if dimension is not None else ["access"]
    chosen: str | None = st.pills(
        words("app.about_town"), figures, format_func=lambda key: words(f"town.{key}"), key="figure"
    )
    return chosen


@st.cache_data(show_spinner=False, max_entries=64)
def figure_html(scene: str, _town: Town, figure: str, dimension: str | None, language: str) -> str:
    """Return the explanation of one of the town's figures."""
    found = explain(_town.assessment, "city", figure, dimension=dimension, language=language)
    inside = explanation_html(found, words_for(_town.assessment, language))
    return f'<div class="tp-said" role="status" lang="{language}">{inside}</div>'


def _whole(text: str) -> str:
    # A line must not part a number from its unit.
    return re.sub(r"(?<=\d) (?=%|min\b)", "\u00a0", escape(text))
