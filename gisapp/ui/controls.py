"""What the reader chooses: measure, kind, groups compared, places drawn, tiles."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gisapp.assessment import Assessment
from gisapp.measures import MEASURES, View, dimensions, view_of
from gisapp.titles import dimension_title, kind_title
from gisapp.words import Words

_ALL = "all"  # no kind has this name: the catalogue refuses it
WIDGETS = ("measure", "kind", "kind_access", "dimension", "shown", "figure")
_WITH_KIND = ("access", "walk", "left_out")


@dataclass(frozen=True)
class Choice:
    """What is to be drawn."""

    view: View
    kinds: tuple[str, ...] | None  # None: all
    tiles: bool


def choose(assessment: Assessment, words: Words) -> Choice:
    """Draw the controls and return what was chosen."""
    known = dimensions(assessment)
    measure = st.selectbox(
        words("app.choose_measure"),
        [key for key, found in MEASURES.items() if known or found.needs != "dimension"],
        format_func=lambda key: words(f"measures.{key}.title"),
        key="measure",
    )
    present = set(assessment.places["kind"])
    kinds = [kind for kind in assessment.params.kinds if kind in present]
    left, right = st.columns(2, gap="small")
    kind = _choose_kind(left, measure, kinds, assessment, words)
    dimension = right.selectbox(
        words("app.choose_dimension"),
        known,
        format_func=lambda key: dimension_title(key, words),
        key="dimension",
        disabled=not known,
    )
    view = view_of(assessment, f"{measure}:{kind}" if kind else measure, dimension=dimension)
    with st.popover(words("app.choose_shown"), width="stretch"):
        shown = st.multiselect(
            words("app.choose_shown"),
            kinds,
            format_func=lambda key: kind_title(key, assessment, words),
            placeholder=words("app.shown_all"),
            key="shown",
        )
        tiles = st.toggle(words("app.tiles"), value=False, key="tiles")
    return Choice(view, tuple(shown) or None, tiles)


def _choose_kind(
    place: DeltaGenerator,
    measure: str,
    kinds: list[str],
    assessment: Assessment,
    words: Words,
) -> str | None:
    if measure not in _WITH_KIND:
        place.selectbox(words("app.choose_kind"), [words("app.all_kinds")], disabled=True, key="no_kind")
        return None
    options = [_ALL, *kinds] if measure == "access" else kinds
    chosen = place.selectbox(
        words("app.choose_kind"),
        options,
        format_func=lambda key: words("app.all_kinds") if key == _ALL else kind_title(key, assessment, words),
        key="kind_access" if measure == "access" else "kind",
    )
    return chosen if chosen != _ALL else None
