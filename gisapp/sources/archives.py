"""Zip and XML files of strangers: looked through before anything is unpacked or parsed."""

import re
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO
from xml.parsers import expat

from gisapp.errors import InputError

MOST_UNPACKED = 2**30  # 1 GiB, several times a country's census or a city's register
MOST_MEMBERS = 10_000
_CHUNK = 2**20


def check_archive(path: Path, *, what: str) -> list[str]:
    """Return the names of the files in a zip, or raise ``InputError``.

    Refused: a damaged or locked zip, a name that leads out of the folder it is unpacked in, a link, more than
    ``MOST_MEMBERS`` files, and more than ``MOST_UNPACKED`` bytes by its own account.
    """
    where = f"{what}: '{path.name}'"
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as fault:
        raise InputError(f"{where} is no whole zip file ({fault}). Make or download it again.") from fault
    for member in members:
        if _leads_out(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(
                f"{where} holds '{member.filename[:80]}', which would be written outside its folder. It may be "
                "meant to do harm: do not unpack it, and ask for a clean copy."
            )
        if member.flag_bits & 0x1:
            raise InputError(f"{where} is locked with a password. Unpack it and give the file in it.")
    size = sum(member.file_size for member in members)
    if size > MOST_UNPACKED or len(members) > MOST_MEMBERS:
        raise InputError(_too_large(where))
    return [member.filename for member in members if not member.is_dir()]


def unpack(path: Path, folder: Path, *, what: str) -> list[Path]:
    """Unpack a checked zip into ``folder`` and return its files; a zip that lies about its size is stopped."""
    check_archive(path, what=what)
    left = MOST_UNPACKED
    files = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                target = folder.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as copy:
                    while chunk := source.read(_CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise InputError(_too_large(f"{what}: '{path.name}'"))
                        copy.write(chunk)
                files.append(target)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as fault:
        raise InputError(
            f"{what}: '{path.name}' cannot be unpacked ({fault}). Make or download it again."
        ) from fault
    return files


def check_xml(path: Path, *, what: str) -> str:
    """Return the name of the root element of an XML file, or raise ``InputError``.

    A document type can define entities that grow to gigabytes or read other files; no map needs one. It must
    stand before the root element, so nothing behind that is read.
    """
    with path.open("rb") as file:
        return _root_of(file, f"{what}: '{path.name}'")


def check_workbook(path: Path, *, what: str) -> None:
    """Check an Excel workbook, which is a zip of XML files; raise ``InputError`` where it is not to be trusted."""
    names = check_archive(path, what=what)
    if "xl/workbook.xml" not in names:
        raise InputError(f"{what}: '{path.name}' is no Excel workbook. Save it again as .xlsx, or as CSV.")
    with zipfile.ZipFile(path) as archive:
        for name in names:
            if name.endswith((".xml", ".rels")):
                with archive.open(name) as file:
                    _root_of(file, f"{what}: '{path.name}'")


def _leads_out(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not parts or ".." in parts or parts[0] == "/" or bool(re.match(r"[A-Za-z]:", name)) or "\0" in name


def _too_large(where: str) -> str:
    return (
        f"{where} unpacks to more than {MOST_UNPACKED / 2**30:.0f} GiB or {MOST_MEMBERS:,} files, far more than a "
        "town's data. If you trust it, unpack it yourself and give the file in it."
    )


class _Done(Exception):  # noqa: N818
    """The root element has begun: nothing dangerous can be declared any more."""


def _root_of(file: IO[bytes], where: str) -> str:
    root = ""

    def start(name: str, attributes: object) -> None:
        nonlocal root
        root = name.rpartition(":")[2]
        raise _Done

    def declare(*declaration: object) -> None:
        raise InputError(
            f"{where} declares a document type (DOCTYPE), which can hide harmful entities and is not needed. "
            "Export it again from your GIS, for instance as GeoPackage."
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = declare
    parser.EntityDeclHandler = declare
    try:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except _Done:
        return root
    except InputError:
        raise
    except (expat.ExpatError, zipfile.BadZipFile, ValueError, LookupError) as fault:
        raise InputError(f"{where} is no whole XML file ({fault}). Export it again.") from fault
    return root


def only_one(files: Iterable[Path], *, what: str, archive: str) -> Path:
    """Return the one file of several that can be read, or raise ``InputError`` naming them."""
    found = sorted(files)
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"'{file.name}'" for file in found[:8])
    raise InputError(
        f"{what}: '{archive}' holds {len(found)} files that could be meant: {names}. Unpack it and give one of them."
        if found
        else f"{what}: '{archive}' holds no file with map data. Zip the .shp with its .shx, .dbf and .prj."
    )
