"""The app's first screen: headline, map, legend, one passage on what was clicked, and the map as a table."""

import logging
from functools import cache
from html import escape
from importlib import resources

import streamlit as st

from gisapp.errors import TrefpuntError
from gisapp.maps.page import static_text
from gisapp.maps.tables import cell_table, place_table
from gisapp.titles import kind_title, translated, words_for
from gisapp.ui.assets import declare_assets
from gisapp.ui.controls import WIDGETS, choose
from gisapp.ui.headline import headline_html
from gisapp.ui.language import choose_language, chosen_language
from gisapp.ui.load import Town, load_town, project_path
from gisapp.ui.map_view import draw_legend, draw_map
from gisapp.ui.said import choose_figure, figure_html, picked_html
from gisapp.words import Words, load_words

log = logging.getLogger(__name__)


def main() -> None:
    """Draw the screen; a fault becomes a sentence, never a traceback."""
    words = load_words(chosen_language())
    st.set_page_config(page_title=words("app.title"), layout="wide")
    st.html(f"<style>{_style()}</style>")
    try:
        _screen(choose_language(keep=WIDGETS))
    except TrefpuntError as error:
        st.error(f"**{words('app.fault_title')}.** {error}")
    except Exception as error:  # noqa: BLE001
        log.exception("The screen could not be drawn.")
        st.error(words("app.fault_unknown", name=type(error).__name__))


@cache
def _style() -> str:
    own = resources.files("gisapp.ui").joinpath("static", "app.css").read_text("utf-8")
    return own + static_text("legend.css")


def _screen(words: Words) -> None:
    declare_assets()
    with st.spinner(words("app.loading")):
        town = load_town(project_path())
    words = words_for(town.assessment, words.language)
    top = st.container()
    left, right = st.columns([3.35, 1], gap="small")
    with right:
        choice = choose(town.assessment, words)
        draw_legend(town, choice.view, words)
    top.html(headline_html(town.assessment, choice.view.dimension, words))
    with left:
        picked = draw_map(town, choice, words)
    left.html(picked_html(town, picked, choice.view, words))
    with left:
        figure = choose_figure(town, choice.view.dimension, words)
    if figure is not None:
        left.html(figure_html(town.scene, town, figure, choice.view.dimension, words.language))
    _notes(town, words)
    if st.toggle(words("app.table_title"), key="table"):
        st.caption(words("app.table_cells", size=f"{town.cells.size_m:g}"))
        st.dataframe(cell_table(town.assessment, town.cells, choice.view, words), hide_index=True)
        st.caption(words("app.table_places"))
        st.dataframe(place_table(town.assessment, choice.view, words, kinds=choice.kinds), hide_index=True)


# What limits trust in every figure on the screen; the whole report is in the project file.
_DOUBTS = ("homes_unsnapped", "near_edge", "no_buildings", "levels_imputed")


def _notes(town: Town, words: Words) -> None:
    assessment = town.assessment
    lines = []
    if assessment.quality.missing_kinds:
        kinds = words.listed(
            kind_title(k, assessment, words).lower() for k in assessment.quality.missing_kinds
        )
        lines.append((words("app.missing_kinds", kinds=kinds), words.language))
    quality = assessment.quality
    lines += [translated(note, words) for note in assessment.provenance.notes]
    lines += [translated(quality[code].sentence, words) for code in _DOUBTS if code in quality]
    if lines:
        # A caption reads Markdown: a name from a file must not become a link or a picture.
        said = " · ".join(f'<span lang="{language}">{escape(line)}</span>' for line, language in lines)
        st.html(f'<div class="tp-legend"><p>{said}</p></div>')


if __name__ == "__main__":
    main()
