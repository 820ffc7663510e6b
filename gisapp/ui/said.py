"""Explanations on the screen: the sentence first, then its parts side by side."""

import re
from html import escape

from gisapp.errors import InputError
from gisapp.explain import CITY_FIGURES, Explanation, explain
from gisapp.measures import View
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


def town_html(town: Town, view: View, words: Words) -> str:
    """Return the town's figures, each to be unfolded into its explanation."""
    items = []
    for figure in CITY_FIGURES:
        try:
            found = explain(
                town.assessment, "city", figure, dimension=view.dimension, language=words.language
            )
        except InputError:  # needs groups, and there are none
            continue
        items.append(
            f"<details><summary>{escape(found.title)}</summary>{explanation_html(found, words)}</details>"
        )
    title = escape(words("app.about_town"))
    return f'<div class="tp-town" lang="{words.language}"><h3>{title}</h3>{"".join(items)}</div>'


def _whole(text: str) -> str:
    # A line must not part a number from its unit.
    return re.sub(r"(?<=\d) (?=%|min\b)", "\u00a0", escape(text))
