"""What holds for every test: no network but this machine, and no file outside temporary folders."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OFFLINE = Path(__file__).parent / "offline"
collect_ignore = ["offline"]

# Now, before any test module is imported, and for every Python process that a test starts.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
sys.path.insert(0, str(OFFLINE))
sys.modules.pop("sitecustomize", None)  # some systems have one of their own, imported at start-up
import sitecustomize  # noqa: E402, F401

sys.path.remove(str(OFFLINE))


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a user of its own: cache and settings folders that start empty and vanish with it."""
    user = Path(tempfile.mkdtemp(prefix="trefpunt-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(user, ignore_errors=True))
    for name, folder in {
        "XDG_CACHE_HOME": "cache",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        # platformdirs asks Windows itself for the folders, unless these are set.
        "WIN_PD_OVERRIDE_LOCAL_APPDATA": "cache",
        "WIN_PD_OVERRIDE_APPDATA": "config",
    }.items():
        path = user / folder
        path.mkdir(exist_ok=True)
        os.environ[name] = str(path)
    # Compiled once for all workers of a run: the first to ask, usually their parent, makes the folder.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(user / "numba"))
    # No compiler starts in the background of a test; those of the compiled search ask for it.
    os.environ.setdefault("TREFPUNT_SEARCH", "scipy")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where this machine's Chromium is; without one, skip the test, but fail it in CI."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is not installed")
    return found
