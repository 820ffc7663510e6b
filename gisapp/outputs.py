"""Files that are written whole or not at all."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyogrio.errors

from gisapp.errors import InputError, OutputError
from gisapp.geopackage import check_free

_GDAL_FAULTS = (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError)


def check_output(path: str | Path, *, overwrite: bool = False) -> Path:
    """Return the path if a file can be written there; called before the work, not after it.

    Raises ``OutputError`` where the folder is missing or closed, or a file is there and may not be replaced.
    """
    path = Path(path)
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: the folder '{folder}' does not exist. Make it first, or choose another.")
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder. Give the name of a file in it.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: this file exists. Choose another name, or say --overwrite to replace it.")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise OutputError(f"{path}: nothing may be written there. Choose a folder of your own.")
    check_free(path)
    return path


def check_project_output(path: Path, *, overwrite: bool = False) -> None:
    """Check the same of a project file at --out, and that its name says what it is."""
    if path.suffix != ".gpkg":
        raise InputError(f"--out {path}: a project file ends in .gpkg.")
    check_output(path, overwrite=overwrite)


@contextlib.contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when all went well, and vanishes otherwise.

    Raises ``OutputError`` where the disk is full, or the file was opened by another program in the meantime.
    """
    draft = path
    try:
        handle, name = tempfile.mkstemp(prefix=".trefpunt-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        draft = Path(name)
        draft.unlink()
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        check_free(path)
        draft.replace(path)
    except OutputError:
        raise
    except (OSError, sqlite3.Error, *_GDAL_FAULTS) as fault:
        raise OutputError(
            f"{path}: could not be written ({fault}). Is the disk full or the file open?"
        ) from fault
    finally:
        if draft != path:
            for leftover in path.parent.glob(f"{draft.name}*"):
                leftover.unlink(missing_ok=True)
