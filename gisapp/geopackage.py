"""A GeoPackage that other programs use too: read whole while QGIS saves to it, replaced only when nobody has it."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gisapp.errors import InputError, OutputError

WAIT_S = 2.0  # another program saving a layer is done sooner
# A condition makes GDAL count the rows. Without one it believes the count that stands in the file, and rows beyond it
# are lost: QGIS leaves a wrong one behind where the points and the outlines of a layer are edited at once.
EVERY_ROW = "1=1"
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_BESIDE = ("-wal", "-journal")  # what SQLite keeps next to a file that is being written


@contextlib.contextmanager
def steady(path: Path) -> Iterator[Path]:
    """Give a path at which the file can be read as it was at one moment, with all that was saved.

    QGIS keeps what it saves beside the file (``-wal``) as long as it has it open: then a copy is read, in which
    everything is together. Raises ``InputError`` where another program keeps the file to itself.
    """
    if not any(_holds_something(path, end) for end in _BESIDE):
        _look_into(path)
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="trefpunt-") as folder:
        copy = Path(folder) / path.name
        try:
            _copy(path, copy)
        except sqlite3.Error as fault:
            _refuse_if_busy(path, fault)
            raise InputError(
                f"{path}: what is kept beside it ({path.name}-wal or -journal) cannot be read with it ({fault}). "
                "Open and close it in QGIS, or bring these files to a folder where you may write."
            ) from fault
        yield copy


def changed_at(path: Path) -> float:
    """Return when the file was changed last (as ``st_mtime``), by a program that still has it open, too."""
    files = [path, *(path.with_name(path.name + end) for end in _BESIDE)]
    return max(file.stat().st_mtime for file in files if file.is_file())


def check_free(path: Path) -> None:
    """Raise ``OutputError`` where a file may not be replaced because another program has it open.

    What a program that is gone left beside the file is taken into it: left there, it would be written over the
    pages of the new one.
    """
    if not path.exists():
        for end in _BESIDE:
            if _holds_something(path, end):
                raise OutputError(
                    f"{path}: '{path.name}{end}' is left of another file of this name. Take it away first."
                )
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as base:
            base.execute(
                "PRAGMA journal_mode = DELETE"
            )  # from a write-ahead log: only where nobody else is in
            base.execute("BEGIN EXCLUSIVE")
            base.execute("ROLLBACK")
    except sqlite3.Error as fault:
        if _is_busy(fault):
            raise OutputError(
                f"{path}: is open in another program. Close it there (in QGIS: remove its layers), or choose another "
                "name."
            ) from fault


def _look_into(path: Path) -> None:
    """Find out in two seconds whether the file is kept by another program: GDAL would wait for ten."""
    try:
        with contextlib.closing(_open(path, "ro")) as base:
            base.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as fault:
        _refuse_if_busy(path, fault)


def _copy(path: Path, copy: Path) -> None:
    """Copy with what stands beside; a broken-off change can only be taken back by one who may write."""
    for mode in ("ro", "rw"):
        try:
            with (
                contextlib.closing(_open(path, mode)) as base,
                contextlib.closing(sqlite3.connect(copy)) as new,
            ):
                base.backup(new)
                return
        except sqlite3.OperationalError as fault:
            if mode == "rw" or _is_busy(fault):
                raise


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=WAIT_S)


def _holds_something(path: Path, end: str) -> bool:
    beside = path.with_name(path.name + end)
    return beside.is_file() and beside.stat().st_size > 0


def _is_busy(fault: sqlite3.Error) -> bool:
    return getattr(fault, "sqlite_errorname", "").startswith(_BUSY)


def _refuse_if_busy(path: Path, fault: sqlite3.Error) -> None:
    if _is_busy(fault):
        raise InputError(
            f"{path}: another program is writing to it. Save and close it there, then try again."
        ) from fault
