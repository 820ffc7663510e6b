"""Edits of a GeoPackage as QGIS makes them: by SQL, in a write-ahead log, with the triggers of the spatial index."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import shapely

_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}  # bytes, by the indicator in a GeoPackage's shape
_HOLDER = """
import sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY", "ST_IsEmpty"):
    base.create_function(name, 1, lambda shape: 0)
for statement in sys.argv[2:]:
    base.execute(statement).fetchall()
print("ready", flush=True)
sys.stdin.read()
"""


def blob(shape: shapely.Geometry, crs: int = 32631) -> bytes:
    """A shape as a GeoPackage keeps it."""
    empty = 0x10 if shape.is_empty else 0
    head = b"GP\0" + bytes([1 | empty]) + crs.to_bytes(4, "little", signed=True)
    return head + bytes(shapely.to_wkb(shape, byte_order=1))


def shape_of(value: bytes | None) -> shapely.Geometry | None:
    """The shape in a cell of a GeoPackage."""
    if value is None:
        return None
    return shapely.from_wkb(value[8 + _ENVELOPES[value[3] >> 1 & 7] :])


def edit(path: Path, *statements: str | tuple[str, tuple[Any, ...]], wal: bool = True) -> None:
    """Change a GeoPackage as QGIS does when it saves a layer, and close it."""
    with closing(sqlite3.connect(path)) as base:
        for name, at in (("ST_MinX", 0), ("ST_MinY", 1), ("ST_MaxX", 2), ("ST_MaxY", 3)):
            base.create_function(name, 1, lambda value, at=at: shape_of(value).bounds[at])
        base.create_function("ST_IsEmpty", 1, lambda value: int(shape_of(value).is_empty))
        if wal:
            base.execute("PRAGMA journal_mode = WAL")
        with base:
            for statement in statements:
                base.execute(*((statement,) if isinstance(statement, str) else statement))
        if wal:
            base.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def held(path: Path, *statements: str) -> Iterator[subprocess.Popen[str]]:
    """Let another process have the file open after these statements; it dies without a word when the block ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path), *statements],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()
