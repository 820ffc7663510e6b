"""Files that the map's page asks for, served by Streamlit itself: Leaflet, our scripts, and each town's geometry.

A folder declared as a component is served under ``component/<module>.<name>/``, whatever the app's base path;
the map's own frame is a component too, so ``../<module>.<name>/`` reaches it without the network.
"""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

from streamlit.components.v1 import declare_component

from gisapp.errors import OutputError
from gisapp.maps.page import SCRIPTS, STYLE, leaflet_dir, static_dir
from gisapp.maps.scene import scene_name
from gisapp.resources import cache_dir

_SCENES = cache_dir("scenes")

declare_component("leaflet", path=str(leaflet_dir()))
declare_component("page", path=str(static_dir()))
declare_component("scenes", path=str(_SCENES))


@cache
def scripts() -> tuple[tuple[str, str], ...]:
    """Return name and address of each script that the map needs, in order."""
    return (("leaflet", f"../{__name__}.leaflet/leaflet.js"), *((n, _own(n)) for n in SCRIPTS))


@cache
def styles() -> tuple[tuple[str, str], ...]:
    """Return name and address of each style sheet that the map needs, in order."""
    return (("leaflet_css", f"../{__name__}.leaflet/leaflet.css"), (STYLE, _own(STYLE)))


def publish_scene(scene: str) -> str:
    """Write a scene where the page can fetch it, once per content, and return its address."""
    name = scene_name(scene)
    target = _SCENES / name
    if not target.exists():
        _write(target, scene)
    return f"../{__name__}.scenes/{name}"


def _own(name: str) -> str:
    # The content's hash in the address: a browser that keeps old files asks anew after an update.
    digest = hashlib.sha256((static_dir() / name).read_bytes()).hexdigest()[:12]
    return f"../{__name__}.page/{name}?v={digest}"


def _write(target: Path, text: str) -> None:
    """Write a file whole or not at all: another session may read it at the same moment."""
    try:
        handle, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(part, target)
    except OSError as error:
        raise OutputError(f"The map could not be kept in {target.parent}: {error}. Make room there.") from error
