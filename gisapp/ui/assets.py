"""Files that the map's page asks for, served by Streamlit itself: Leaflet, our scripts, the geometry.

A folder declared as a component is served under ``component/<module>.<name>/``, whatever the app's base path;
the map's own frame is a component too, so ``../<module>.<name>/`` reaches it without the network.
"""

import hashlib
from functools import cache

from streamlit.components.v1 import declare_component

from gisapp.maps.page import SCRIPTS, STYLE, leaflet_dir, static_dir
from gisapp.ui.scenes import scenes_dir


def declare_assets() -> None:
    """Have Streamlit serve the three folders. Called at every run: outside a run it would be forgotten."""
    declare_component("leaflet", path=str(leaflet_dir()))
    declare_component("page", path=str(static_dir()))
    declare_component("scenes", path=str(scenes_dir()))


@cache
def scripts() -> tuple[tuple[str, str], ...]:
    """Return name and address of each script that the map needs, in order."""
    return (("leaflet", f"../{__name__}.leaflet/leaflet.js"), *((n, _own(n)) for n in SCRIPTS))


@cache
def styles() -> tuple[tuple[str, str], ...]:
    """Return name and address of each style sheet that the map needs, in order."""
    return (("leaflet_css", f"../{__name__}.leaflet/leaflet.css"), (STYLE, _own(STYLE)))


def scene_address(name: str) -> str:
    """Return where the page finds the scene file ``name``."""
    return f"../{__name__}.scenes/{name}"


def _own(name: str) -> str:
    # The content's hash in the address: a browser that keeps old files asks anew after an update.
    digest = hashlib.sha256((static_dir() / name).read_bytes()).hexdigest()[:12]
    return f"../{__name__}.page/{name}?v={digest}"
