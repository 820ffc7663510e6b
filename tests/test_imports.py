"""The house: imports run downwards only, and each heavy library has one home.

The tests read the source with ``ast``, imports inside functions and behind TYPE_CHECKING included.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import gisapp

ROOT = Path(__file__).parents[1]

# Lowest floor first. A name stands for gisapp/NAME.py, or for gisapp/NAME/ with all in it. A module may
# import from lower floors, and from its own floor as long as no circle comes of it. New modules go in here.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("params", "frames", "geopackage", "outputs", "resources", "settings", "shapes", "words"),
    (
        *(
            "area",
            "background",
            "catalogue",
            "completeness",
            "encode",
            "hours",
            "partition",
            "places",
            "protect",
            "quality",
            "residents",
        ),
        *("network", "scores", "sources"),
    ),
    (
        "assess",
        "assess_area",
        "assessment",
        "edited_rows",
        "edits",
        "project",
        "project_format",
        "reuse",
        "result_findings",
    ),
    (
        "cells",
        "display",
        "doors",
        "explain",
        "measures",
        "titles",
        "recount",
        "refresh",
        "change_summary",
        "compare",
        "counted",
        "crossings",
        "islands",
        "left_out",
        "scenario",
        "scenario_apply",
        "scenario_file",
        "sensitivity",
        "siting",
        "siting_candidates",
        "siting_choice",
        "siting_draws",
        "siting_effects",
        "siting_mixing",
        "siting_objectives",
        "siting_search",
        "summary",
    ),
    ("audit", "exports", "maps", "region", "sheets"),
    ("cli", "cli_decide", "cli_online", "doctor", "terminal", "ui"),
    ("streamlit_app",),
)

# From here up, modules may use the public names of ``gisapp`` itself: below, that hides where an arrow leads.
FLOORS_WITH_THE_DOOR = 7

# Libraries that only these modules import (patterns of module names).
HOMES: dict[str, tuple[str, ...]] = {
    "branca": ("gisapp.maps", "gisapp.maps.*"),
    "dask": ("gisapp.region", "gisapp.region.*"),
    "folium": ("gisapp.maps", "gisapp.maps.*"),
    "matplotlib": ("gisapp.sheets", "gisapp.sheets.*"),
    "opening_hours": ("gisapp.hours",),
    "osmnx": ("gisapp.network.build*", "gisapp.sources.*"),
    "streamlit": ("gisapp.ui", "gisapp.ui.*", "streamlit_app"),
    "streamlit_folium": ("gisapp.ui", "gisapp.ui.*"),
}

# The scores are arrays and tables: a travel-time table from elsewhere fits as well as ours.
NOT_IN_SCORES = ("gisapp.network", "gisapp.sources", "geopandas", "shapely", "pyproj", "networkx", *HOMES)

HEAVY = (
    "dask",
    "folium",
    "geopandas",
    "matplotlib",
    "numba",
    "numpy",
    "osmnx",
    "pandas",
    "scipy",
    "streamlit",
)

Arrows = dict[str, set[str]]


def read_arrows(root: Path) -> Arrows:
    """Return what each module below ``root`` imports: modules of ours, and libraries by their top name."""
    files = {}
    for path in sorted(root.glob("gisapp/**/*.py")) + sorted(root.glob("streamlit_app.py")):
        parts = path.relative_to(root).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    arrows: Arrows = {}
    for module, path in files.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = _imported_names(ast.parse(path.read_text(encoding="utf-8")), package)
        arrows[module] = {_target(name, files) for name in names} - {module}
    return arrows


def _imported_names(tree: ast.AST, package: str) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if (
                called in ("import_module", "__import__")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)


def _target(name: str, files: Iterable[str]) -> str:
    """Return the module of ours that a dotted name leads to, or the top name of a library."""
    if name.partition(".")[0] not in ("gisapp", "streamlit_app"):
        return name.partition(".")[0]
    if name == "gisapp.__version__":
        return name
    while name not in files and "." in name:
        name = name.rpartition(".")[0]
    return name


def _floor(module: str) -> int | None:
    name = module.removeprefix("gisapp.").partition(".")[0]
    return next((number for number, names in enumerate(FLOORS, 1) if name in names), None)


def faults_in(arrows: Arrows) -> list[str]:
    """Return one sentence for each import that the house does not allow."""
    faults = []
    ours = {module: targets for module, targets in arrows.items() if module != "gisapp"}
    for module, targets in ours.items():
        here = _floor(module)
        if here is None:
            faults.append(f"{module} stands on no floor: add it to FLOORS in tests/test_imports.py")
            continue
        for target in sorted(targets):
            if target == "gisapp" and here < FLOORS_WITH_THE_DOOR:
                faults.append(f"{module} imports through the package: name the module itself")
            elif target in ours and (there := _floor(target)) is not None and there > here:
                faults.append(
                    f"{module} (floor {here}) imports {target} (floor {there}): imports only run down"
                )
            if target in HOMES and not any(fnmatch(module, pattern) for pattern in HOMES[target]):
                faults.append(f"{module} imports {target}, whose home is {' or '.join(HOMES[target])}")
            if module.startswith("gisapp.scores") and target.startswith(NOT_IN_SCORES):
                faults.append(f"{module} imports {target}: scores take arrays and tables only")
    try:
        TopologicalSorter({module: targets & set(ours) for module, targets in ours.items()}).prepare()
    except CycleError as error:
        faults.append("imports run in a circle: " + " <- ".join(error.args[1]))
    return faults


def test_the_house_stands() -> None:
    """Every module has a floor, no import runs up or in a circle, and each library is at home."""
    arrows = read_arrows(ROOT)
    assert "gisapp.errors" in arrows["gisapp.params"]
    names = [name for floor in FLOORS for name in floor]
    assert len(names) == len(set(names)), "a module stands on two floors"
    assert faults_in(arrows) == []


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (
            {"gisapp/params.py": "from gisapp.assess import assess", "gisapp/assess.py": ""},
            "imports only run down",
        ),
        (
            {"gisapp/area.py": "def f():\n    from .maps import page", "gisapp/maps/page.py": ""},
            "gisapp.area (floor 3) imports gisapp.maps.page (floor 6)",
        ),
        ({"gisapp/area.py": "import gisapp.places", "gisapp/places.py": "import gisapp.area"}, "in a circle"),
        ({"gisapp/places.py": "import osmnx as ox"}, "imports osmnx, whose home is"),
        ({"gisapp/network/snap.py": "from osmnx import distance"}, "imports osmnx, whose home is"),
        ({"gisapp/explain.py": "from folium.plugins import Draw"}, "imports folium, whose home is"),
        ({"gisapp/maps/page.py": "import streamlit_folium"}, "imports streamlit_folium, whose home is"),
        (
            {"gisapp/cli.py": "from importlib import import_module\nimport_module('streamlit.web')"},
            "imports streamlit",
        ),
        ({"gisapp/exports.py": "import matplotlib.pyplot as plt"}, "imports matplotlib, whose home is"),
        ({"gisapp/assess.py": "import dask.bag"}, "imports dask, whose home is"),
        ({"gisapp/scores/mixing.py": "import shapely"}, "scores take arrays and tables only"),
        (
            {"gisapp/scores/access.py": "from ..network import times", "gisapp/network/times.py": ""},
            "scores take arrays and tables only",
        ),
        ({"gisapp/area.py": "from gisapp import Params"}, "name the module itself"),
        ({"gisapp/attic.py": ""}, "add it to FLOORS in tests/test_imports.py"),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    """The check above is not blind: each rule, broken in a small tree, is reported."""
    for name, text in {"gisapp/__init__.py": "", **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    faults = faults_in(read_arrows(tmp_path))
    assert any(fault in text for text in faults), faults


def test_what_is_allowed_passes(tmp_path: Path) -> None:
    """Imports that run down, stay on a floor without a circle, or ask for the version, are no fault."""
    (tmp_path / "gisapp" / "maps").mkdir(parents=True)
    for name, text in {
        "__init__.py": "from gisapp.maps import score_map",
        "errors.py": "import json, numpy",
        "area.py": "from gisapp import __version__, errors\nfrom . import catalogue",
        "catalogue.py": "",
        "maps/__init__.py": "from gisapp.maps.page import score_map",
        "maps/page.py": "import folium\nfrom gisapp.area import StudyArea\nfrom gisapp.maps import style",
        "maps/style.py": "",
    }.items():
        (tmp_path / "gisapp" / name).write_text(text)
    assert faults_in(read_arrows(tmp_path)) == []


def test_importing_the_package_loads_no_heavy_library() -> None:
    """``import gisapp`` is quick: heavy libraries come with the first name that needs them."""
    code = "import gisapp, json, sys; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "gisapp" in loaded
    assert set(loaded).isdisjoint(HEAVY)


@pytest.mark.parametrize("name", gisapp.__all__)
def test_each_public_name_comes_from_the_module_that_types_say(name: str) -> None:
    """What ``gisapp`` hands out under a name is what editors and mypy believe it to be."""
    typed = {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(gisapp.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert getattr(gisapp, name) is getattr(import_module(typed[name]), name)


def test_public_names_are_listed_once_and_in_order() -> None:
    """``__all__``, the table behind it and ``dir`` agree, and an unknown name is an AttributeError."""
    assert gisapp.__all__ == sorted(gisapp._MODULE_OF)
    assert set(gisapp.__all__) <= set(dir(gisapp))
    with pytest.raises(AttributeError, match="no attribute 'attic'"):
        gisapp.attic  # noqa: B018


def test_a_function_is_not_hidden_by_a_module_of_its_name() -> None:
    """After ``import gisapp.assess`` anywhere, ``gisapp.assess`` is still the function."""
    code = "import gisapp.assess, gisapp as ga; assert callable(ga.assess), ga.assess"
    subprocess.run([sys.executable, "-c", code], check=True)
