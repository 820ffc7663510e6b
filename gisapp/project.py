"""The project file: one GeoPackage that QGIS opens, with a town's inputs, parameters and results."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from gisapp.area import Edits, Provenance, Source, Streets, StudyArea
from gisapp.assessment import Assessment
from gisapp.catalogue import LayerSpec
from gisapp.edits import TakenIn, edits_finding, outdated_finding, take_in
from gisapp.errors import InputError, MissingError, TrefpuntError
from gisapp.geopackage import EVERY_ROW, steady
from gisapp.outputs import check_output, whole_or_nothing
from gisapp.params import Params
from gisapp.project_format import (
    BACKGROUND,
    META,
    PLACES_WRITTEN,
    SHAPE,
    Contents,
    layers_of,
    refuse_newer,
    upgrade,
)
from gisapp.quality import Quality

__all__ = ["Project", "check_output", "read_project", "read_results", "write_project"]
_SQLITE = b"SQLite format 3\0"
_WRITTEN = "1970-01-01T00:00:00.000Z"
_TABLES = ("city", "exposure", "equity", "inequality")
_EDITS_TITLE = "Places edited in the project file"


class Project(NamedTuple):
    """What a project file holds. ``scenario``: as it was given to ``write_project``, None while there is none."""

    area: StudyArea
    params: Params
    scenario: str | None


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
    scenario: str | None = None,
    extra: Mapping[str, pd.DataFrame] = {},
    overwrite: bool = False,
) -> Path:
    """Write a project file: inputs and, where given, results and a scenario's text. All of it or nothing.

    ``extra``: further layers and tables, by name.

    The same content gives the same bytes. With exact counts in it, its first layer is ``NOT_FOR_PUBLICATION``.
    Raises ``OutputError`` where it cannot be written, or another program has it open.
    """
    path = check_output(path, overwrite=overwrite)
    with whole_or_nothing(path) as draft:
        with _unhurried_disk():
            for layer, frame in layers_of(area, params, result, scenario, extra):
                pyogrio.write_dataframe(frame, draft, layer=layer, driver="GPKG", append=draft.exists())
        _forget_when(draft)
    return path


def read_project(path: str | Path) -> Project:
    """Read the inputs and parameters of a project file, and what was edited in its layer of places.

    A place that was changed or added there is the planner's (``source``), and all edits are in ``quality`` and in
    ``edits``. Raises ``MissingError`` where there is no file, and ``InputError`` where it is no project file of this
    version or an older one, where another program is writing to it, or where an edited row cannot be used.
    """
    path = Path(path)
    with _readable(path):
        contents = _contents(path)
        taken = _places(contents, path)
        return Project(
            _area(contents, taken), Params.from_json(contents.meta["params"]), contents.meta.get("scenario")
        )


def read_results(path: str | Path) -> Assessment | None:
    """Read the results a project file holds, or None; travel times are not kept in it and come back empty.

    Where places were edited since, the results are those of the places as they were, ``area`` has these, and
    ``quality`` says first that they are out of date (``results_outdated``).
    """
    path = Path(path)
    with _readable(path):
        contents = _contents(path, results=True)
        if "result_homes" not in contents.tables:
            return None
        tables = {name: contents.tables[f"result_{name}"] for name in ("homes", "places", *_TABLES)}
        taken = _places(contents, path)
        quality = Quality.from_json(contents.meta["result_quality"])
        written = _written(contents)
        scored = set(tables["places"]["place_id"])
        if taken.found != Edits() or scored != set(written.index):
            quality = quality.add(**vars(outdated_finding(taken.found)))
        edits = Edits.from_json(contents.meta["edits"])
        area = _area(contents, TakenIn(written, edits, Edits()))
        return Assessment(
            homes=tables["homes"].set_index("home_id"),
            places=tables["places"].set_index("place_id"),
            city=tables["city"],
            exposure=tables["exposure"],
            equity=tables["equity"],
            inequality=tables["inequality"].set_index("dimension"),
            times=lambda: pd.DataFrame({"home_id": [], "place_id": [], "minutes": []}),
            params=Params.from_json(contents.meta["params"]),
            provenance=area.provenance,
            quality=quality,
            area=area,
        )


def _area(contents: Contents, taken: TakenIn) -> StudyArea:
    meta, tables = contents
    frames: dict[str, Any] = dict(tables)
    provenance, quality = Provenance.from_json(meta["provenance"]), Quality.from_json(meta["quality"])
    kinds = tuple(_kind_from(value) for value in json.loads(meta["kinds"]))
    if taken.found != Edits():
        finding = edits_finding(taken.edits, taken.places)
        assert finding is not None
        present = set(taken.places["kind"])
        quality = quality.add(**vars(finding))
        quality = quality.with_missing_kinds(tuple(k.key for k in kinds if k.key not in present))
        if all(source.title != _EDITS_TITLE for source in provenance.sources):
            provenance = replace(provenance, sources=(*provenance.sources, Source(_EDITS_TITLE)))
    return StudyArea(
        name=meta["name"],
        streets=Streets(
            nodes=frames["street_nodes"].set_index("node_id"), edges=_flags(frames["street_edges"])
        ),
        places=taken.places,
        residents=_flags(frames["homes"]).set_index("home_id"),
        kinds=kinds,
        boundary=frames["boundary"].geometry.iloc[0] if "boundary" in frames else None,
        neighbourhoods=frames.get("neighbourhoods"),
        entrances=_by_osm_id(_flags(frames["entrances"])) if "entrances" in frames else None,
        background={layer: _by_osm_id(frames[layer]) for layer in BACKGROUND if layer in frames},
        provenance=provenance,
        quality=quality,
        buffer_min=json.loads(meta["buffer_min"]),
        edits=taken.edits,
    )


def _places(contents: Contents, path: Path) -> TakenIn:
    """The places with the planner's edits."""
    tables: Mapping[str, Any] = contents.tables
    boundary = tables["boundary"].geometry.iloc[0] if "boundary" in tables else None
    kinds = tuple(_kind_from(value) for value in json.loads(contents.meta["kinds"]))
    edits = Edits.from_json(contents.meta["edits"])
    return take_in(tables["places"], _written(contents), kinds, boundary, edits, name=path.name)


def _written(contents: Contents) -> gpd.GeoDataFrame:
    """The places as they were written."""
    table = contents.tables[PLACES_WRITTEN]
    shapes = shapely.from_wkb(table[SHAPE].to_numpy(dtype=object))
    homes: Any = contents.tables["homes"]
    frame = gpd.GeoDataFrame(table.drop(columns=SHAPE), geometry=shapes, crs=homes.crs)
    return _flags(frame).set_index("place_id")


def _forget_when(path: Path) -> None:
    """Take out of a GeoPackage what is not its content: the time of writing and SQLite's count of changes."""
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE gpkg_contents SET last_change = ?", (_WRITTEN,))
    with path.open("rb+") as file:
        # The change counter and the version it holds for must agree (SQLite file format, header).
        for at in (24, 92):
            file.seek(at)
            file.write((1).to_bytes(4, "big"))


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))


def _contents(path: Path, *, results: bool = False) -> Contents:
    """Read all layers, in the form that today's version of the format has."""
    if not path.is_file():
        found = "this is a folder, and no" if path.is_dir() else "there is no such"
        raise MissingError(
            f"{path}: {found} project file. Make one with 'trefpunt score ... --out FILE.gpkg'."
        )
    with steady(path) as file:
        try:
            kinds: dict[str, str | None] = dict(pyogrio.list_layers(file))
        except Exception as fault:
            raise InputError(
                f"{path}: is no GeoPackage, or a damaged one. Use a copy, or score the town again."
            ) from fault
        if META not in kinds:
            is_one = _begins(path) == _SQLITE
            raise InputError(
                f"{path}: is {'a' if is_one else 'no'} GeoPackage, {'but' if is_one else 'so'} no project of Trefpunt. "
                "Score the town with --out first."
            )
        wanted = [n for n in kinds if n != META and (results or not n.startswith("result_"))]
        table = _read(file, META, None)
        meta = dict(zip(table["key"], table["value"], strict=True))
        refuse_newer(meta)
        return upgrade(Contents(meta, {name: _read(file, name, kinds[name]) for name in wanted}))


def _read(path: Path, layer: str, shapes: str | None) -> pd.DataFrame:
    frame: pd.DataFrame = pyogrio.read_dataframe(
        path, layer=layer, read_geometry=shapes is not None, fid_as_index=layer == "places", where=EVERY_ROW
    )
    return frame


def _by_osm_id(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_index("osm_id") if "osm_id" in frame else frame


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
