"""What a session looks at: the assessed town, its squares and the address of its geometry, made once."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from gisapp.assessment import Assessment
from gisapp.cells import Cells
from gisapp.maps.page import cells_of
from gisapp.maps.scene import build_scene
from gisapp.ui.assets import publish_scene

PROJECT_VARIABLE = "TREFPUNT_PROJECT"


@dataclass(frozen=True)
class Town:
    """An assessed town, ready to be drawn."""

    assessment: Assessment
    cells: Cells
    scene: str  # address of the geometry, for the page


def project_path() -> str | None:
    """Return the project file to open: the environment's, else the first argument, else None for the sample."""
    return os.environ.get(PROJECT_VARIABLE) or next(iter(sys.argv[1:]), None)


def load_town(path: str | None) -> Town:
    """Load and assess a project file, or the sample; a file that has changed is read again."""
    stamp = Path(path).stat().st_mtime if path and Path(path).exists() else 0.0
    return _town(path, stamp)


@st.cache_resource(show_spinner=False)
def _town(path: str | None, stamp: float) -> Town:
    assessment = assess_project(path)
    cells = cells_of(assessment)
    return Town(assessment, cells, publish_scene(build_scene(assessment, cells)))


def assess_project(path: str | None) -> Assessment:
    """Assess a project file, or the sample where ``path`` is None."""
    import gisapp

    if path is None:
        return gisapp.assess(gisapp.load_sample())
    area, params, _scenario = gisapp.read_project(path)
    return gisapp.assess(area, params)
