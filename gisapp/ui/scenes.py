"""Where towns' geometry lies for the page to fetch: one file per content, below the user's cache folder."""

import os
import tempfile
from pathlib import Path

from gisapp.errors import OutputError
from gisapp.maps.scene import scene_name
from gisapp.resources import cache_dir


def scenes_dir() -> Path:
    """Return the folder of scene files, made if needed."""
    return cache_dir("scenes")


def keep_scene(scene: str) -> str:
    """Write a scene once per content and return its file name.

    Whole or not at all: another session may read it at the same moment.
    """
    name = scene_name(scene)
    target = scenes_dir() / name
    if not target.exists():
        try:
            handle, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(scene)
            os.replace(part, target)
        except OSError as error:
            message = f"The map could not be kept in {target.parent}: {error}. Make room there."
            raise OutputError(message) from error
    return name
