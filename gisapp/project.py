"""The project file: one GeoPackage that QGIS opens, with a town's inputs, parameters and results."""

import contextlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd
import pyogrio
import pyogrio.errors
import shapely

from gisapp import __version__
from gisapp.area import NOT_FOR_PUBLICATION, Provenance, Streets, StudyArea
from gisapp.assessment import Assessment
from gisapp.catalogue import LayerSpec
from gisapp.errors import InputError, MissingError, OutputError, TrefpuntError
from gisapp.params import Params
from gisapp.quality import Quality

FORMAT = 1
_BACKGROUND = ("land", "water", "green", "buildings")
_WRITTEN = "1970-01-01T00:00:00.000Z"
_GDAL_FAULTS = (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError)
_TABLES = ("city", "exposure", "equity", "inequality")


class Project(NamedTuple):
    """What a project file holds. ``scenario`` is None while the project has none."""

    area: StudyArea
    params: Params
    scenario: None


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
    return path


@contextlib.contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when all went well, and vanishes otherwise."""
    draft = path
    try:
        handle, name = tempfile.mkstemp(prefix=".trefpunt-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        draft = Path(name)
        draft.unlink()
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    except (OSError, sqlite3.Error, *_GDAL_FAULTS) as fault:
        raise OutputError(
            f"{path}: could not be written ({fault}). Is the disk full or the file open?"
        ) from fault
    finally:
        if draft != path:
            for leftover in path.parent.glob(f"{draft.name}*"):
                leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def _unhurried_disk() -> Iterator[None]:
    """Let GDAL leave the flushing to us: a draft need not reach the disk layer by layer, only once, when whole."""
    before = pyogrio.get_gdal_config_option("OGR_SQLITE_SYNCHRONOUS")
    pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": before})


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what a spoilt file makes a reader stumble over into a sentence with its name."""
    try:
        yield
    except TrefpuntError as fault:
        raise type(fault)(str(fault) if str(path) in str(fault) else f"{path}: {fault}") from fault
    except (RuntimeError, LookupError, TypeError, ValueError, sqlite3.Error) as fault:
        raise InputError(
            f"{path}: is a damaged project ({type(fault).__name__}: {fault}). Use a copy, or score the town again."
        ) from fault


def write_project(
    path: str | Path,
    area: StudyArea,
    params: Params,
    result: Assessment | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a project file: inputs and, where given, results. All of it or nothing.

    The same content gives the same bytes. With exact counts in it, its first layer is ``NOT_FOR_PUBLICATION``.
    Raises ``OutputError`` where it cannot be written.
    """
    path = check_output(path, overwrite=overwrite)
    with whole_or_nothing(path) as draft:
        with _unhurried_disk():
            for layer, frame in _layers(area, params, result):
                pyogrio.write_dataframe(frame, draft, layer=layer, driver="GPKG", append=draft.exists())
        _forget_when(draft)
    return path


def read_project(path: str | Path) -> Project:
    """Read the inputs and parameters of a project file.

    Raises ``MissingError`` where there is no file and ``InputError`` where it is no project file of this version.
    """
    path = Path(path)
    with _readable(path):
        meta = _open(path)
        area = StudyArea(
            name=meta["name"],
            streets=Streets(
                nodes=_read(path, "street_nodes").set_index("node_id"),
                edges=_flags(_read(path, "street_edges")),
            ),
            places=_flags(_read(path, "places")).set_index("place_id"),
            residents=_flags(_read(path, "homes")).set_index("home_id"),
            kinds=tuple(_kind_from(value) for value in json.loads(meta["kinds"])),
            boundary=_read(path, "boundary").geometry.iloc[0] if _has(path, "boundary") else None,
            neighbourhoods=_read(path, "neighbourhoods") if _has(path, "neighbourhoods") else None,
            entrances=_by_osm_id(_flags(_read(path, "entrances"))) if _has(path, "entrances") else None,
            background={layer: _by_osm_id(_read(path, layer)) for layer in _BACKGROUND if _has(path, layer)},
            provenance=Provenance.from_json(meta["provenance"]),
            quality=Quality.from_json(meta["quality"]),
        )
        return Project(area, Params.from_json(meta["params"]), None)


def read_results(path: str | Path) -> Assessment | None:
    """Read the results a project file holds, or None; travel times are not kept in it and come back empty."""
    path = Path(path)
    with _readable(path):
        meta = _open(path)
        if not _has(path, "result_homes"):
            return None
        area, params, _ = read_project(path)
        tables = {name: _read_table(path, f"result_{name}") for name in ("homes", "places", *_TABLES)}
        return Assessment(
            homes=tables["homes"].set_index("home_id"),
            places=tables["places"].set_index("place_id"),
            city=tables["city"],
            exposure=tables["exposure"],
            equity=tables["equity"],
            inequality=tables["inequality"].set_index("dimension"),
            times=lambda: pd.DataFrame({"home_id": [], "place_id": [], "minutes": []}),
            params=params,
            provenance=area.provenance,
            quality=Quality.from_json(meta["result_quality"]),
            area=area,
        )


def _forget_when(path: Path) -> None:
    """Take out of a GeoPackage what is not its content: the time of writing and SQLite's count of changes."""
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE gpkg_contents SET last_change = ?", (_WRITTEN,))
    with path.open("rb+") as file:
        # The change counter and the version it holds for must agree (SQLite file format, header).
        for at in (24, 92):
            file.seek(at)
            file.write((1).to_bytes(4, "big"))


def _layers(area: StudyArea, params: Params, result: Assessment | None) -> Iterator[tuple[str, pd.DataFrame]]:
    meta = {
        "format": str(FORMAT),
        "version": __version__,
        "name": area.name,
        "params": params.to_json(),
        "provenance": area.provenance.to_json(),
        "quality": area.quality.to_json(),
        "kinds": json.dumps([asdict(kind) for kind in area.kinds], ensure_ascii=False),
    }
    if area.provenance.mark:
        # With a shape: a GeoPackage lists tables without one last.
        extent = shapely.box(*area.residents.total_bounds)
        note = {"note": [area.provenance.counts_note]}
        yield NOT_FOR_PUBLICATION.replace(" ", "_"), gpd.GeoDataFrame(note, geometry=[extent], crs=area.crs)
    yield "homes", area.residents.reset_index()
    yield "places", area.places.reset_index()
    yield "street_nodes", area.streets.nodes.reset_index()
    yield "street_edges", area.streets.edges
    if area.neighbourhoods is not None:
        yield "neighbourhoods", area.neighbourhoods
    if area.boundary is not None:
        yield "boundary", gpd.GeoDataFrame(geometry=[area.boundary], crs=area.crs)
    if area.entrances is not None and len(area.entrances):
        yield "entrances", area.entrances.reset_index(names="osm_id")
    for layer in _BACKGROUND:
        if layer in area.background and len(area.background[layer]):
            frame = area.background[layer]
            yield layer, frame.reset_index(names="osm_id") if layer == "buildings" else frame
    if result is not None:
        meta["result_quality"] = result.quality.to_json()
        yield "result_homes", result.homes.reset_index()
        yield "result_places", result.places.reset_index()
        yield "result_inequality", result.inequality.reset_index()
        for name in ("city", "exposure", "equity"):
            yield f"result_{name}", getattr(result, name)
    # Last: a file without it was not finished.
    yield "trefpunt", pd.DataFrame({"key": list(meta), "value": list(meta.values())})


def _open(path: Path) -> dict[str, str]:
    """Return what the project says of itself."""
    if not path.is_file():
        raise MissingError(
            f"{path}: there is no such project file. Make one with 'trefpunt score ... --out FILE.gpkg'."
        )
    try:
        has_meta = _has(path, "trefpunt")
    except Exception as fault:
        raise InputError(
            f"{path}: is no GeoPackage, or a damaged one. Use a copy, or score the town again."
        ) from fault
    if not has_meta:
        raise InputError(
            f"{path}: is a GeoPackage, but no project of Trefpunt. Score the town with --out first."
        )
    table = _read_table(path, "trefpunt")
    meta = dict(zip(table["key"], table["value"], strict=True))
    if int(meta["format"]) > FORMAT:
        raise InputError(
            f"{path}: was written by Trefpunt {meta['version']}, this is {__version__}. Install the newer version."
        )
    return meta


def _has(path: Path, layer: str) -> bool:
    return layer in set(pyogrio.list_layers(path)[:, 0])


def _read(path: Path, layer: str) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(path, layer=layer)


def _by_osm_id(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_index("osm_id") if "osm_id" in frame else frame


def _read_table(path: Path, layer: str) -> pd.DataFrame:
    table: pd.DataFrame = pyogrio.read_dataframe(path, layer=layer, read_geometry=False)
    return table


def _flags(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """GeoPackage has no plain type for yes and no in every reader: bring flag columns back to bool."""
    flags = ("core", "tunnel", "steps", "wheelchair_no", "lit_no", "wheelchair_known", "lit_known", "is_gate")
    present = [c for c in flags if c in frame]
    return frame.astype(dict.fromkeys(present, bool))


def _kind_from(value: Mapping[str, Any]) -> LayerSpec:
    return LayerSpec(**{key: _tuples(item) for key, item in value.items()})


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
