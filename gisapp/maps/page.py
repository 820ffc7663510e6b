"""Folium maps of an assessment: one that carries all in its file, one that the app feeds by address."""

import hashlib
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path

import folium
from folium.template import Template

from gisapp.assessment import Assessment
from gisapp.cells import Cells, build_cells
from gisapp.errors import InputError
from gisapp.maps.legend import legend_html
from gisapp.maps.paint import build_paint, view_title
from gisapp.maps.scene import build_scene
from gisapp.measures import view_of
from gisapp.titles import counts_sentence, words_for
from gisapp.words import Words

SCRIPTS = ("names.js", "trefpunt.js")
STYLE = "trefpunt.css"


class BareMap(folium.Map):
    """A folium map without tiles, whose scripts and styles are named by whoever shows it, never a CDN."""

    def __init__(
        self,
        js: Sequence[tuple[str, str]] = (),
        css: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.default_js, self.default_css = list(js), list(css)
        super().__init__(
            location=(0, 0), zoom_start=2, tiles=None, max_zoom=19, zoom_snap=0.25, zoom_delta=0.5,
            wheel_px_per_zoom_level=90,
        )  # fmt: skip


class Scene(folium.MacroElement):
    """The geometry of a map: JSON, or the address of a JSON file in quotes."""

    _template = Template(
        """{% macro script(this, kwargs) %}
        trefpunt.draw({{ this._parent.get_name() }}, {{ this.scene }});
        {% endmacro %}"""
    )

    def __init__(self, scene: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Scene"
        self.scene = script_safe(scene)


class Paint(folium.MacroElement):
    """The classes and words of a map; put into a feature group, it repaints without touching the map."""

    _template = Template(
        """{% macro script(this, kwargs) %}
        trefpunt.paint({{ this.map_name }}, {{ this.paint }});
        {% endmacro %}"""
    )

    def __init__(self, paint: str, map_name: str = "map_div") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Paint"
        self.paint = script_safe(paint)
        self.map_name = map_name


def repaint(paint: str) -> folium.FeatureGroup:
    """Return the layer that repaints a map on screen without mounting it anew."""
    group = folium.FeatureGroup()
    group.add_child(Paint(paint))
    return group


def score_map(
    assessment: Assessment,
    measure: str = "access",
    *,
    dimension: str | None = None,
    kinds: Sequence[str] | None = None,
    language: str = "en",
) -> folium.Map:
    """Return a map of an assessment that needs no internet: ``score_map(result).save("score.html")``.

    ``measure``: ``access``, ``access:libraries``, ``walk:libraries``, ``left_out:libraries``,
    ``mixed_place``, ``mixed_place_sorted``, ``meets``, ``meets_at_home`` or ``residents``. ``dimension``:
    whose mixing colours the places and the mixing measures, default the first. ``kinds``: the kinds of
    places drawn, default all.

    Squares of 100 m show resident-weighted means; zoomed in, buildings take the colour of their own value.
    Raises ``MissingError`` for an unknown measure, dimension or kind, ``InputError`` without geometry.
    """
    words = words_for(assessment, language)
    view = view_of(assessment, measure, dimension=dimension)
    check_kinds(assessment, kinds)
    cells = cells_of(assessment)
    scene, paint = build_scene(assessment, cells), build_paint(assessment, cells, view, words, kinds=kinds)
    page = BareMap()
    # Folium draws names at random; the same assessment must give the same page to the byte.
    page._id = hashlib.sha256(f"{scene}{paint}".encode()).hexdigest()[:32]
    figure = page.get_root()
    assert isinstance(figure, folium.Figure)
    title = escape(view_title(view, assessment, words))
    mark = assessment.provenance.mark
    figure.title = f"{mark}: {title}" if mark else title
    figure.header.add_child(folium.Element(_inlined_assets()), name="assets")
    figure.html.add_child(folium.Element(_head(assessment, title, words)), name="head")
    page.add_child(Scene(scene))
    page.add_child(Paint(paint, page.get_name()))
    legend = legend_html(assessment, cells, view, words)
    figure.html.add_child(folium.Element(f"<aside>{legend}</aside>"), name="legend")
    return page


def cells_of(assessment: Assessment) -> Cells:
    """Return the squares of an assessment, cut at the land's edge where the land is known."""
    if assessment.area is None:
        raise InputError("This assessment was made from tables without geometry: there is nothing to draw.")
    land = assessment.area.background.get("land")
    return build_cells(assessment.area.residents, land=None if land is None else land.union_all())


def check_kinds(assessment: Assessment, kinds: Sequence[str] | None) -> None:
    """Raise ``InputError`` where a kind is not one of the assessment's."""
    unknown = sorted(set(kinds or ()) - set(assessment.params.kinds))
    if unknown:
        raise InputError(
            f"kinds: {', '.join(unknown)} not among the kinds here ({', '.join(assessment.params.kinds)})."
        )


def static_dir() -> Path:
    """Return the folder of the map's own scripts and style."""
    return Path(str(resources.files("gisapp.maps").joinpath("static")))


def static_text(name: str) -> str:
    """Return the text of one of the map's own files."""
    return (static_dir() / name).read_text("utf-8")


def leaflet_dir() -> Path:
    """Return the folder of Leaflet's files, as the XStatic-Leaflet package installed them."""
    from xstatic.pkg import leaflet

    return Path(leaflet.BASE_DIR)


def script_safe(text: str) -> str:
    """Return JSON that may stand inside a script element: no tag in it can close or open one.

    >>> script_safe('"</script><!--"')
    '"\\\\u003c/script>\\\\u003c!--"'
    """
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _inlined_assets() -> str:
    style = (leaflet_dir() / "leaflet.css").read_text("utf-8")
    style += "".join(static_text(name) for name in (STYLE, "legend.css", "page.css"))
    scripts = [(leaflet_dir() / "leaflet.js").read_text("utf-8"), *(static_text(name) for name in SCRIPTS)]
    return f"<style>{style}</style>" + "".join(f"<script>{_whole(s)}</script>" for s in scripts)


def _whole(script: str) -> str:
    # A script must not close its own element, nor send the browser's tools for a source map.
    return script.replace("</script", "<\\/script").replace("//# sourceMappingURL=", "// source map: ")


def _head(assessment: Assessment, title: str, words: Words) -> str:
    provenance = assessment.provenance
    town = escape(assessment.area.name) if assessment.area is not None else ""
    said = (
        provenance.counts_note
        if provenance.mark
        else counts_sentence(assessment, words) or provenance.counts_note
    )
    note = f"<p>{escape(said)}</p>" if said else ""
    mark = f'<p class="tp-mark"><strong>{escape(provenance.mark)}</strong></p>' if provenance.mark else ""
    return f'<header class="tp-head"><h1>{town}: {title}</h1>{mark}{note}</header>'
