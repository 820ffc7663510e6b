"""What a session looks at: the assessed town, its squares and its geometry, made once for all sessions."""

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from gisapp.assessment import Assessment
from gisapp.cells import Cells
from gisapp.errors import MissingError
from gisapp.geopackage import changed_at

PROJECT_VARIABLE = "TREFPUNT_PROJECT"
_one_at_a_time = Lock()


@dataclass(frozen=True)
class Town:
    """An assessed town, ready to be drawn: ``scene`` is the name of its geometry's file."""

    assessment: Assessment
    cells: Cells
    scene: str


def project_path() -> str | None:
    """Return the project file to open: the environment's, else the first argument; None: the sample."""
    return os.environ.get(PROJECT_VARIABLE) or next(iter(sys.argv[1:]), None)


def load_town(path: str | None) -> Town:
    """Load and assess a project file, or the sample; a file that has changed is read again.

    The first caller works and the others wait: the launcher's warm-up and the first session ask at once.
    """
    if path is not None and not Path(path).is_file():
        raise MissingError(f"There is no project file '{path}': check its path.")
    stamp = changed_at(Path(path)) if path is not None else 0.0
    with _one_at_a_time:
        return _town(path, stamp)


@lru_cache(maxsize=2)
def _town(path: str | None, stamp: float) -> Town:
    from gisapp.maps.page import cells_of
    from gisapp.maps.scene import build_scene
    from gisapp.ui.scenes import keep_scene

    assessment = assess_project(path)
    cells = cells_of(assessment)
    return Town(assessment, cells, keep_scene(build_scene(assessment, cells)))


def assess_project(path: str | None) -> Assessment:
    """Assess a project file, or the sample where ``path`` is None."""
    import gisapp

    if path is None:
        return gisapp.assess(gisapp.load_sample())
    area, params, _scenario = gisapp.read_project(path)
    return gisapp.assess(area, params)
