"""Where the bundled folders and the user's own folders are: one resolver for wheel, editable install and checkout."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_config_path

from gisapp.errors import MissingError

APP_NAME = "trefpunt"


def bundled_dir(name: str) -> Path:
    """Return the bundled folder ``name`` ("layers" or "data").

    In a wheel it lies inside the package; in a checkout and an editable install, beside it.

    >>> bundled_dir("layers").name
    'layers'
    """
    package = Path(__file__).parent
    for candidate in (package / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise MissingError(f"The folder '{name}' is missing beside {package}: reinstall trefpunt.")


def cache_dir(*parts: str) -> Path:
    """Return a folder below the user's cache folder, made if needed: whatever lies there can be made again."""
    path = user_cache_path(APP_NAME, appauthor=False).joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def numba_dir() -> Path:
    """Return the folder of compiled code: numba's own setting, else below the user's cache folder."""
    own = os.environ.get("NUMBA_CACHE_DIR")
    return Path(own) if own else cache_dir("numba")


def cores() -> int:
    """Return how many processors this process may use."""
    return (os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) or 1


def config_dir() -> Path:
    """Return the user's settings folder. It is not made until something is written."""
    return user_config_path(APP_NAME, appauthor=False)
