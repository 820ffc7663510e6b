"""Which search runs: the compiled one where it is ready, else scipy's. Both give the same numbers to the bit.

Compiling takes some twenty seconds, once for each installation. It is done by a process of its own in the background
and its result kept in the user's cache folder; until then scipy serves. Nothing ever waits for the compiler.
"""

import hashlib
import logging
import os
import platform
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from gisapp.resources import numba_dir

log = logging.getLogger(__name__)

SWITCH = "TREFPUNT_SEARCH"  # "scipy": never the compiled search; "compiled": wait for the compiler if need be
_KERNEL = Path(__file__).with_name("kernel.py")


def compiled() -> ModuleType | None:
    """Return the module of the compiled search if it is ready, else None."""
    if os.environ.get(SWITCH) == "compiled" or is_ready():
        return _load()
    return None


def is_ready() -> bool:
    """Tell whether the compiled search is in the user's cache and wanted."""
    return is_possible() and _mark().is_file()


def is_possible() -> bool:
    """Tell whether there is a compiler, a folder for what it makes, and no wish to do without it."""
    if os.environ.get(SWITCH) == "scipy" or find_spec("numba") is None:
        return False
    try:
        return numba_dir() is not None
    except OSError:  # a user without a folder of their own
        return False


@cache
def compile_in_background() -> "subprocess.Popen[bytes] | None":
    """Start the compiler in a process of its own, at low priority, unless all is ready; once a process of ours."""
    if not is_possible() or is_ready():
        return None
    # It outlives a short command, so that the next one is fast; it ends by itself.
    return subprocess.Popen(  # noqa: S603 (this very Python, this very module)
        [sys.executable, "-m", __name__],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@cache
def _load() -> ModuleType | None:
    try:
        module = import_module("gisapp.network.compiled")
    except Exception as fault:  # noqa: BLE001 (whatever the compiler cannot do here, scipy can)
        log.warning("The compiled search is not available (%s); scipy's is used.", fault)
        return None
    _mark().touch()
    return module


def _mark() -> Path:
    """Return the file that says: these functions were compiled on this machine, by this numba."""
    stat = _KERNEL.stat()
    what = (version("numba"), version("numpy"), sys.version, platform.machine(), platform.processor(), _KERNEL,
            stat.st_mtime_ns, stat.st_size)  # fmt: skip
    name = hashlib.sha256(repr(what).encode()).hexdigest()[:16]
    return numba_dir() / f"{name}.compiled"


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    _load()
