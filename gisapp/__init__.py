"""Trefpunt: where neighbours of different backgrounds can meet, and what would make it happen.

    import gisapp as ga

    area = ga.load_sample()
    result = ga.assess(area, ga.Params(speed_kmh=4.5))
    ga.score_map(result).save("score.html")

Verbs say where things come from: ``load_`` what is bundled, ``read_`` a file of yours, ``fetch_`` the
network. Every public name is listed in ``__all__`` and comes from its module when first used, so that
``import gisapp`` takes no time.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gisapp.area import StudyArea
    from gisapp.assess import assess_tables
    from gisapp.assess_area import assess
    from gisapp.assessment import Assessment
    from gisapp.catalogue import LayerSpec, load_catalogue
    from gisapp.compare import Comparison, compare
    from gisapp.completeness import completeness
    from gisapp.counted import beside_counts
    from gisapp.crossings import crossings
    from gisapp.doors import Doors, within_reach
    from gisapp.errors import TrefpuntError
    from gisapp.explain import explain
    from gisapp.islands import joined_islands
    from gisapp.left_out import left_out
    from gisapp.maps import score_map
    from gisapp.params import Params
    from gisapp.project import read_project
    from gisapp.protect import protect
    from gisapp.scenario import Scenario
    from gisapp.sensitivity import sensitivity
    from gisapp.siting import Sites, suggest_sites
    from gisapp.sources.fetch import fetch_area
    from gisapp.sources.read import read_area
    from gisapp.sources.sample import load_sample

__version__ = "0.1.0"

__all__ = [
    "Assessment",
    "Comparison",
    "Doors",
    "LayerSpec",
    "Params",
    "Scenario",
    "Sites",
    "StudyArea",
    "TrefpuntError",
    "assess",
    "assess_tables",
    "beside_counts",
    "compare",
    "completeness",
    "crossings",
    "explain",
    "fetch_area",
    "joined_islands",
    "left_out",
    "load_catalogue",
    "load_sample",
    "protect",
    "read_area",
    "read_project",
    "score_map",
    "sensitivity",
    "suggest_sites",
    "within_reach",
]

_MODULE_OF = {
    "Assessment": "gisapp.assessment",
    "Comparison": "gisapp.compare",
    "Scenario": "gisapp.scenario",
    "compare": "gisapp.compare",
    "Doors": "gisapp.doors",
    "LayerSpec": "gisapp.catalogue",
    "Params": "gisapp.params",
    "StudyArea": "gisapp.area",
    "TrefpuntError": "gisapp.errors",
    "assess": "gisapp.assess_area",
    "assess_tables": "gisapp.assess",
    "beside_counts": "gisapp.counted",
    "completeness": "gisapp.completeness",
    "crossings": "gisapp.crossings",
    "explain": "gisapp.explain",
    "fetch_area": "gisapp.sources.fetch",
    "joined_islands": "gisapp.islands",
    "left_out": "gisapp.left_out",
    "load_catalogue": "gisapp.catalogue",
    "load_sample": "gisapp.sources.sample",
    "protect": "gisapp.protect",
    "read_area": "gisapp.sources.read",
    "read_project": "gisapp.project",
    "score_map": "gisapp.maps",
    "sensitivity": "gisapp.sensitivity",
    "Sites": "gisapp.siting",
    "suggest_sites": "gisapp.siting",
    "within_reach": "gisapp.doors",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'gisapp' has no attribute '{name}'")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package itself, with public functions that no submodule of the same name can hide.

    Importing the module ``gisapp.assess`` would bind that module to ``gisapp.assess``, where callers expect
    the function.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _MODULE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
