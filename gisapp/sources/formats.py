"""Files of every common format opened without trust: what a file is, is told by its first bytes."""

import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as UnknownCRS

from gisapp.errors import CRSError, InputError, MissingError
from gisapp.geopackage import EVERY_ROW
from gisapp.quality import Finding
from gisapp.sources.archives import check_xml, only_one, unpack
from gisapp.sources.located import locate
from gisapp.sources.tables import Table, first_line, read_csv, read_excel, read_json

_MAGIC = {
    ".gpkg": b"SQLite format 3\0",
    ".fgb": b"fgb\x03",
    ".shp": b"\x00\x00\x27\x0a",
    ".parquet": b"PAR1",
    ".geoparquet": b"PAR1",
    ".xlsx": b"PK",
    ".xlsm": b"PK",
    ".zip": b"PK",
    ".kmz": b"PK",
}
_TEXTS = (".csv", ".tsv", ".txt")
_SHEETS = (".xlsx", ".xlsm")
FORMATS = (
    "GeoPackage (.gpkg), GeoJSON, Shapefile (.shp, .zip), GeoParquet, FlatGeobuf, KML, Excel (.xlsx) or CSV"
)
_KNOWN = (*_MAGIC, *_TEXTS, ".json", ".geojson", ".kml")
_OPTIONS = ("layername", "crs", "encoding")
# What GDAL says of every ordinary file with measures: they are dropped, as heights are.
_SAID_OF_MEASURES = "Measured (M) geometry types are not supported"


@dataclass(frozen=True)
class FileSpec:
    """A file and what its reader must be told: ``FILE|layername=...|crs=EPSG:31370|encoding=cp1250``."""

    path: Path
    layer: str | None = None
    crs: CRS | None = None
    encoding: str | None = None

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.path.name


@dataclass(frozen=True)
class Opened:
    """What a file holds, as it stands in it: ``rows`` are numbers under which its own program shows the rows."""

    frame: gpd.GeoDataFrame
    rows: npt.NDArray[np.int64]
    findings: tuple[Finding, ...] = ()

    def row(self, n: int) -> str:
        """Return the name of the ``n``-th row for a message."""
        return f"row {self.rows[n]}"


def split_options(source: str | Path, *, what: str) -> tuple[str, dict[str, str]]:
    """Split the options from a path, which are written as QGIS writes them.

    >>> split_options("wijken.gpkg|layername=wijken12", what="neighbourhoods")
    ('wijken.gpkg', {'layername': 'wijken12'})
    """
    text, *options = str(source).split("|")
    values: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or key.strip() not in _OPTIONS or not value.strip():
            raise InputError(
                f"{what}: '{option}' behind '{text}' is no option. Write |layername=NAME, |crs=EPSG:31370 "
                "or |encoding=cp1252."
            )
        values[key.strip()] = value.strip()
    return text, values


def parse_spec(source: str | Path, *, what: str) -> FileSpec:
    """Return the file that is meant, and what its reader must be told. Raises ``MissingError`` where there is none."""
    text, values = split_options(source, what=what)
    try:
        crs = CRS.from_user_input(values["crs"]) if "crs" in values else None
    except UnknownCRS as fault:
        raise CRSError(
            f"{what}: there is no coordinate system '{values['crs']}'. Write for instance EPSG:31370."
        ) from fault
    path = Path(text)
    if not path.is_file():
        found = f"'{path}' is a folder" if path.is_dir() else f"there is no file '{path}'"
        raise MissingError(f"{what}: {found}. Check the path.")
    return FileSpec(path, values.get("layername"), crs, values.get("encoding"))


def open_shapes(spec: FileSpec, *, what: str) -> Opened:
    """Open a file as rows with shapes, in its own coordinate system. Raises ``InputError`` and ``CRSError``."""
    with tempfile.TemporaryDirectory(prefix="trefpunt-") as folder:
        opened = _open(spec, what, Path(folder))
    if isinstance(opened, Opened):
        return (
            opened
            if spec.crs is None
            else replace(opened, frame=opened.frame.set_crs(spec.crs, allow_override=True))
        )
    frame = locate(opened, what=what, name=spec.name, crs=spec.crs)
    return Opened(frame, opened.rows, opened.findings)


def open_table(spec: FileSpec, *, what: str) -> Table:
    """Open a file as rows, whether or not it says where they lie."""
    with tempfile.TemporaryDirectory(prefix="trefpunt-") as folder:
        opened = _open(spec, what, Path(folder))
    if isinstance(opened, Table):
        return opened
    plain = pd.DataFrame(opened.frame.drop(columns=opened.frame.geometry.name))
    return Table(plain, opened.rows, opened.findings)


def _open(spec: FileSpec, what: str, folder: Path) -> Opened | Table:
    suffix = check_bytes(spec, what=what)
    if suffix in (".zip", ".kmz"):
        files = unpack(spec.path, folder, what=what)
        inner = only_one(
            [
                f
                for f in files
                if f.suffix.lower() in _KNOWN and f.suffix.lower() != ".zip" and not f.name.startswith(".")
            ],
            what=what,
            archive=spec.name,
        )
        spec = replace(spec, path=inner)
        suffix = check_bytes(spec, what=what)
    if suffix in _TEXTS:
        return read_csv(spec.path, what=what, encoding=spec.encoding)
    if suffix in _SHEETS:
        return read_excel(spec.path, what=what, sheet=spec.layer)
    if suffix == ".json" and (table := read_json(spec.path, what=what)) is not None:
        return table
    if suffix in (".parquet", ".geoparquet"):
        return _read_parquet(spec, what)
    if suffix == ".kml" and (root := check_xml(spec.path, what=what)) != "kml":
        raise InputError(
            f"{what}: '{spec.name}' is no KML file (its root is '{root}'). Export it again as KML."
        )
    return _read_vector(spec, what)


def check_bytes(spec: FileSpec, *, what: str) -> str:
    """Return the suffix of a file that is what this says, or raise ``InputError``: empty, truncated, something else."""
    path, suffix = spec.path, spec.path.suffix.lower()
    if suffix not in _KNOWN:
        raise InputError(f"{what}: '{spec.name}' is in no format that can be read. Save it as {FORMATS}.")
    size = path.stat().st_size
    if not size:
        raise InputError(f"{what}: '{spec.name}' is empty (0 bytes). Save or download it again.")
    with path.open("rb") as file:
        head = file.read(128)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if not head.startswith(_MAGIC.get(suffix, b"")):
        raise InputError(
            f"{what}: '{spec.name}' is by its content no {suffix[1:]} file. Has it been renamed? Save it as {FORMATS}."
        )
    if suffix == ".geojson" and head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
        raise InputError(f"{what}: '{spec.name}' is by its content no GeoJSON file. Save it as {FORMATS}.")
    if size < _size_told(suffix, head) or (_MAGIC.get(suffix) == b"PAR1" and tail != b"PAR1"):
        raise InputError(
            f"{what}: '{spec.name}' is truncated: its end is missing. Download or copy it again."
        )
    if suffix == ".shp":
        _check_companions(spec, what)
    return suffix


def _size_told(suffix: str, head: bytes) -> int:
    """Return the size in bytes that a file says it has, where it does."""
    if suffix == ".shp":
        return int.from_bytes(head[24:28], "big") * 2
    if suffix == ".gpkg" and head[24:28] == head[92:96]:
        page = int.from_bytes(head[16:18], "big")
        return (65_536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
    return 0


def _check_companions(spec: FileSpec, what: str) -> None:
    beside = {f.suffix.lower(): f for f in spec.path.parent.glob("*") if f.stem == spec.path.stem}
    lacking = [suffix for suffix in (".shx", ".dbf") if suffix not in beside]
    if lacking:
        raise InputError(
            f"{what}: '{spec.name}' lies there without its {' and '.join(lacking)}. A Shapefile is several "
            "files: copy all."
        )
    with beside[".dbf"].open("rb") as file:
        head = file.read(12)
    told = int.from_bytes(head[8:10], "little") + int.from_bytes(head[4:8], "little") * int.from_bytes(
        head[10:12], "little"
    )
    if beside[".dbf"].stat().st_size < told:
        raise InputError(f"{what}: '{beside['.dbf'].name}' is truncated: its end is missing. Copy it again.")


def _read_parquet(spec: FileSpec, what: str) -> Opened | Table:
    try:
        frame = gpd.read_parquet(spec.path)
    except ValueError as fault:
        if "geo metadata" not in str(fault):
            raise InputError(_unreadable(spec, what, fault)) from fault
        try:
            plain = pd.read_parquet(spec.path)
        except Exception as damage:
            raise InputError(_unreadable(spec, what, damage)) from damage
        return Table(plain.reset_index(drop=True), np.arange(1, len(plain) + 1))
    except Exception as fault:
        raise InputError(_unreadable(spec, what, fault)) from fault
    return Opened(frame.reset_index(drop=True), np.arange(1, len(frame) + 1))


def _read_vector(spec: FileSpec, what: str) -> Opened:
    layers = choose_layers(spec, what=what)
    frames, said = [], []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for layer in layers:
            try:
                frames.append(_read_layer(spec, layer))
            except Exception as fault:
                raise InputError(_unreadable(spec, what, fault)) from fault
    systems = {frame.crs.to_string(): frame.crs for frame in frames if frame.crs is not None}
    if len(systems) > 1:
        raise CRSError(
            f"{what}: '{spec.name}' mixes two coordinate systems, {' and '.join(systems)}. Bring all to one."
        )
    for text in dict.fromkeys(str(w.message) for w in caught):
        if _SAID_OF_MEASURES not in text:
            said.append(Finding(f"{what}_file:{spec.name}", f"{what}: '{spec.name}': {text}", "note"))
    frame = (
        frames[0]
        if len(frames) == 1
        else gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=frames[0].crs)
    )
    return Opened(frame.reset_index(drop=True), np.arange(1, len(frame) + 1), tuple(said))


def choose_layers(spec: FileSpec, *, what: str) -> list[str]:
    """Return the layers of a vector file to read: the one named, the only one with shapes, or every folder of a KML."""
    try:
        found = {str(name): kind for name, kind in pyogrio.list_layers(spec.path)}
    except Exception as fault:
        raise InputError(_unreadable(spec, what, fault)) from fault
    shaped = [name for name, kind in found.items() if kind is not None]
    if spec.layer is not None:
        if spec.layer not in found:
            raise MissingError(
                f"{what}: '{spec.name}' has no layer '{spec.layer}'; it has {_quoted(shaped)}. Name one of these."
            )
        return [spec.layer]
    if not shaped:
        raise InputError(
            f"{what}: '{spec.name}' holds no geometry. Use a layer with points, lines or polygons."
        )
    if len(shaped) > 1 and spec.path.suffix.lower() != ".kml":
        raise InputError(
            f"{what}: '{spec.name}' has {len(shaped)} layers: {_quoted(shaped)}. Name one: "
            f"'{spec.name}|layername={shaped[0]}'."
        )
    return shaped


def _read_layer(spec: FileSpec, layer: str) -> gpd.GeoDataFrame:
    options: dict[str, Any] = {"layer": layer, "on_invalid": "ignore"}
    if spec.path.suffix.lower() == ".gpkg":
        options["where"] = EVERY_ROW
    try:
        return pyogrio.read_dataframe(spec.path, encoding=spec.encoding, **options)
    except UnicodeDecodeError:
        if spec.encoding:
            raise
        warnings.warn(
            "is not in the encoding it names and was read as Windows-1252.", UserWarning, stacklevel=2
        )
        return pyogrio.read_dataframe(spec.path, encoding="cp1252", **options)


def _unreadable(spec: FileSpec, what: str, fault: BaseException) -> str:
    return (
        f"{what}: '{spec.name}' cannot be read ({first_line(fault).replace(str(spec.path), spec.name)}). Is it "
        "complete? Export it again, for instance as GeoPackage."
    )


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:8]) + (
        f" and {len(names) - 8} more" if len(names) > 8 else ""
    )


def has_heights(shapes: npt.NDArray[np.object_]) -> int:
    """Return how many shapes have heights or measures."""
    return int((shapely.has_z(shapes) | shapely.has_m(shapes)).sum())
