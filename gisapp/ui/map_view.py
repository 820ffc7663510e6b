"""The map in the app: the page is sent once, then only classes; what is clicked comes back as an id."""

from typing import Any

import streamlit as st
from streamlit_folium import st_folium

from gisapp.maps.legend import legend_html
from gisapp.maps.page import BareMap, Scene, repaint
from gisapp.maps.paint import build_paint
from gisapp.measures import View
from gisapp.ui.assets import scene_address, scripts, styles
from gisapp.ui.controls import Choice
from gisapp.ui.load import Town
from gisapp.words import Words

MAP_HEIGHT = 500  # px until the style sheet has given the frame the rest of the window


def draw_map(town: Town, choice: Choice, words: Words) -> tuple[str, str] | None:
    """Draw the map and return what was clicked last, as ("cell" or "place", id).

    The map itself is the same text at every run, so that it is never mounted anew: zoom and position stay.
    """
    page = BareMap(scripts(), styles())
    page.add_child(Scene(f'"{scene_address(town.scene)}"'))
    group = repaint(_paint(town.scene, town, choice, words.language, words))
    answer = st_folium(
        page,
        key="map",
        height=MAP_HEIGHT,
        use_container_width=True,
        feature_group_to_add=group,
        returned_objects=["last_active_drawing"],
    )
    return _picked(answer)


def draw_legend(town: Town, view: View, words: Words) -> None:
    """Draw the legend of what the map shows."""
    st.html(legend_html(town.assessment, town.cells, view, words))


@st.cache_data(show_spinner=False, max_entries=64)
def _paint(scene: str, _town: Town, choice: Choice, language: str, _words: Words) -> str:
    return build_paint(
        _town.assessment, _town.cells, choice.view, _words, kinds=choice.kinds, tiles=choice.tiles
    )


def _picked(answer: Any) -> tuple[str, str] | None:
    drawing = (answer or {}).get("last_active_drawing") or {}
    properties = drawing.get("properties") or {}
    if properties.get("type") in ("cell", "place") and isinstance(properties.get("id"), str):
        return properties["type"], properties["id"]
    return None
