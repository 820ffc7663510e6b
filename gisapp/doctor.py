"""What a help desk asks first: versions, folders, assets, and whether the network can be reached."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gisapp import __version__
from gisapp.errors import TrefpuntError
from gisapp.network.engine import is_ready
from gisapp.resources import bundled_dir, cache_dir, config_dir

PACKAGES = ("geopandas", "shapely", "pyproj", "pyogrio", "numpy", "scipy", "numba", "pandas", "pyarrow", "osmium",
            "osmnx", "folium", "streamlit", "streamlit-folium", "XStatic-Leaflet")  # fmt: skip


class Check(NamedTuple):
    """One line: what was looked at, what was found, and whether the product works without mending it."""

    what: str
    found: str
    ok: bool = True


def examine(*, online: bool = True) -> Iterator[Check]:
    """Yield the checks in reading order; ``online=False`` leaves the network alone."""
    yield Check("trefpunt", __version__)
    yield Check("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}",
                sys.version_info >= (3, 11))  # fmt: skip
    for package in PACKAGES:
        try:
            yield Check(package, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Check(package, "missing: install trefpunt again", ok=False)
    yield Check("compiled search", "ready" if is_ready() else "not compiled yet: scipy's serves, more slowly")
    yield from _folders()
    yield from _assets()
    if online:
        yield from _servers()


def _folders() -> Iterator[Check]:
    for name, path in (("settings folder", config_dir()), ("cache folder", _cache())):
        if isinstance(path, str):
            yield Check(name, path, ok=False)
        else:
            yield Check(name, f"{path}{'' if path.exists() else ' (not made yet)'}")


def _cache() -> Path | str:
    try:
        path = cache_dir()
    except OSError as fault:
        return f"cannot be made ({fault})"
    return path if os.access(path, os.W_OK) else f"{path} may not be written"


def _assets() -> Iterator[Check]:
    try:
        from gisapp.catalogue import load_catalogue

        yield Check("layer files", f"{len(load_catalogue())} kinds in {bundled_dir('layers')}")
    except TrefpuntError as fault:
        yield Check("layer files", str(fault), ok=False)
    try:
        from gisapp.sources.sample import load_sample, sample_names

        for name in sample_names():
            load_sample(name)
            yield Check(f"sample {name}", "complete and unchanged")
    except TrefpuntError as fault:
        yield Check("sample", str(fault), ok=False)
    try:
        from gisapp.maps.page import leaflet_dir

        found = (leaflet_dir() / "leaflet.js").is_file()
        yield Check("Leaflet", str(leaflet_dir()) if found else "missing: install XStatic-Leaflet", ok=found)
    except (ImportError, TrefpuntError) as fault:
        yield Check("Leaflet", str(fault), ok=False)


def _servers() -> Iterator[Check]:
    from gisapp.settings import read_settings
    from gisapp.sources.overpass import check_reachable

    try:
        settings = read_settings()
    except TrefpuntError as fault:
        yield Check("settings", str(fault), ok=False)
        return
    for url in (settings.overpass_url, settings.nominatim_url):
        try:
            check_reachable(url, settings)
            yield Check(url, "reachable")
        except TrefpuntError:
            # Not a fault: the app and files work without it, only downloading a town does not.
            yield Check(url, "not reachable: work from files; the app needs no internet")
