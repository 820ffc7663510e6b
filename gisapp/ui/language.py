"""The reader's language: in the address (``?lang=nl``), with a switch in the corner of the screen."""

from collections.abc import Sequence

import streamlit as st

from gisapp.words import LANGUAGES, Words, load_words

_PARAMETER = "lang"


def chosen_language() -> str:
    """Return the language of the address; one that we do not speak is English."""
    asked = st.query_params.get(_PARAMETER, "en")
    return asked if asked in LANGUAGES else "en"


def choose_language(*, keep: Sequence[str]) -> Words:
    """Draw the switch and return the words of the chosen language; the widgets ``keep`` keep their choice."""
    if "language" not in st.session_state:
        st.session_state["language"] = chosen_language()
    st.segmented_control(
        load_words(chosen_language())("app.language"),
        LANGUAGES,
        format_func=str.upper,
        key="language",
        label_visibility="collapsed",
        on_change=_remember,
        args=(tuple(keep),),
        required=True,
    )
    return load_words(chosen_language())


def _remember(keep: tuple[str, ...]) -> None:
    # The switch is drawn anew with the address' language, so that both always say the same.
    st.query_params[_PARAMETER] = st.session_state["language"] or chosen_language()
    # The browser knows a choice by its words, which will not be among the next language's: say it by its key.
    for key in keep:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]
