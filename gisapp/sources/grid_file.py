"""The cells near a town out of a census grid of all Europe, without loading the file whole."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyproj import CRS, Transformer

from gisapp.errors import CRSError, InputError
from gisapp.sources.census import GRID_GROUPS, GRID_KEY
from gisapp.sources.files import Bounds
from gisapp.sources.formats import FileSpec, check_bytes, choose_layers
from gisapp.sources.impute import HELD_BACK
from gisapp.sources.tables import csv_delimiter, first_line

GRID_CRS = CRS("EPSG:3035")
MARGIN_M = 2000.0  # cells this far beyond the streets' frame are read too
MOST_WHOLE = 50_000  # cells; a country has more
_BLOCK = 2**21  # bytes of a CSV file, or rows of a Parquet file by 64, read at a time
_ID = r"^(?:CRS3035)?(?:RES)?(?P<side>\d+)(?P<unit>km|m)N(?P<north>\d+)E(?P<east>\d+)$"
_VECTOR = (".gpkg", ".geojson", ".fgb", ".shp")
_TABLES = (".csv", ".txt", ".parquet", ".geoparquet")
# Counts held back, as publishers write it. The reader of large files takes whole texts only.
_NOT_GIVEN = ["", "NA", "n/a", "NULL", "X", "C", *HELD_BACK, *(f"<{n}" for n in range(2, 21))]


def grid_columns(spec: FileSpec, *, what: str) -> list[str]:
    """Return the names of a file's columns where they can be told without reading it; else an empty list."""
    suffix = spec.path.suffix.lower()
    if suffix not in (*_VECTOR, *_TABLES):
        return []
    check_bytes(spec, what=what)
    try:
        if suffix in _VECTOR:
            layer = choose_layers(spec, what=what)[0]
            return [str(name) for name in pyogrio.read_info(spec.path, layer=layer)["fields"]]
        if suffix in (".parquet", ".geoparquet"):
            return list(pq.read_schema(spec.path).names)
        mark, names = _csv_header(spec)
        return names if mark else []
    except (pa.ArrowException, OSError, ValueError, LookupError, pyogrio.errors.DataSourceError):
        return []  # the reader of the whole file says what is wrong


def is_whole(spec: FileSpec, *, what: str) -> bool:
    """Say whether a census file is small enough to be read whole and checked as any other layer."""
    if spec.path.suffix.lower() not in _VECTOR:
        return False
    layer = choose_layers(spec, what=what)[0]
    return int(pyogrio.read_info(spec.path, layer=layer)["features"]) <= MOST_WHOLE


def read_grid_cells(spec: FileSpec, near: Bounds, *, what: str, more: Sequence[str] = ()) -> gpd.GeoDataFrame:
    """Return the census cells within ``MARGIN_M`` of ``near`` (degrees), in EPSG:3035, with Eurostat's columns
    and those of ``more`` that it has.

    A GeoPackage is read through its spatial index; CSV and Parquet files block by block, the cell's id telling where
    it lies (``CRS3035RES1000mN2689000E4341000``: its lower left corner). Raises ``InputError`` where the file holds no
    cell there.
    """
    wanted = [GRID_KEY, "T", *GRID_GROUPS, *more]
    where = f"{what}: '{spec.name}'"
    columns = grid_columns(spec, what=what)
    keep = [c for c in columns if c in wanted or (c.endswith("_CI") and c[:-3] in wanted)]
    try:
        if spec.path.suffix.lower() in _VECTOR:
            cells = _from_vector(spec, near, keep, what)
        elif spec.path.suffix.lower() in (".parquet", ".geoparquet"):
            cells = _with_squares(
                _near_rows(_parquet_batches(spec, keep, _frame_of(near)), near, where), spec, what
            )
        else:
            cells = _with_squares(_near_rows(_csv_batches(spec, keep), near, where), spec, what)
    except (
        pa.ArrowException,
        OSError,
        LookupError,
        UnicodeError,
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
    ) as fault:
        raise InputError(
            f"{what}: '{spec.name}' cannot be read ({first_line(fault)}). Is it complete? Download it again."
        ) from fault
    if cells.empty:
        raise InputError(
            f"{what}: '{spec.name}' does not overlap the streets: it holds no census cell between longitude "
            f"{near[0]:.2f} and {near[2]:.2f}, latitude {near[1]:.2f} and {near[3]:.2f}. Use residents and streets of "
            "the same town."
        )
    return cells


def cell_corners(ids: Any) -> npt.NDArray[np.float64]:
    """Return west, south and side in metres of cells by their id, NaN where it is none.

    >>> cell_corners(["CRS3035RES1000mN2689000E4341000", "1kmN2689E4341", "?"]).tolist()
    [[4341000.0, 2689000.0, 1000.0], [4341000.0, 2689000.0, 1000.0], [nan, nan, nan]]
    """
    parts = pc.extract_regex(
        pa.array(ids, pa.string()) if not isinstance(ids, pa.Array) else ids, pattern=_ID
    )
    in_km = pc.fill_null(pc.equal(pc.struct_field(parts, "unit"), "km"), False).to_numpy(zero_copy_only=False)
    unit = np.where(in_km, 1000.0, 1.0)
    east, north, side = (
        pc.struct_field(parts, name).cast(pa.float64()).to_numpy(zero_copy_only=False)
        for name in ("east", "north", "side")
    )
    return np.column_stack([east * unit, north * unit, side * unit])


def _frame_of(near: Bounds) -> Bounds:
    west, south, east, north = Transformer.from_crs("EPSG:4326", GRID_CRS, always_xy=True).transform_bounds(
        *near
    )
    return west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M


def _from_vector(spec: FileSpec, near: Bounds, columns: list[str], what: str) -> gpd.GeoDataFrame:
    layer = choose_layers(spec, what=what)[0]
    own = spec.crs or pyogrio.read_info(spec.path, layer=layer)["crs"]
    if own is None:
        raise CRSError(
            f"{what}: '{spec.name}' has no coordinate system. Name it: '{spec.name}|crs=EPSG:3035'."
        )
    frame = _frame_of(near)
    bbox = Transformer.from_crs(GRID_CRS, own, always_xy=True).transform_bounds(*frame)
    cells = pyogrio.read_dataframe(spec.path, layer=layer, columns=columns, bbox=bbox)
    return cells.set_crs(own, allow_override=True).to_crs(GRID_CRS)


def _csv_header(spec: FileSpec) -> tuple[str, list[str]]:
    with spec.path.open("rb") as file:
        line = file.readline(10_000).decode("utf-8-sig", errors="replace").rstrip("\r\n")
    mark = csv_delimiter(line)
    return mark, [name.strip().strip('"') for name in line.split(mark)]


def _csv_batches(spec: FileSpec, columns: list[str]) -> Iterator[pa.RecordBatch]:
    numbers = dict.fromkeys(columns, pa.float64())
    with pacsv.open_csv(
        spec.path,
        read_options=pacsv.ReadOptions(
            block_size=_BLOCK, use_threads=False, encoding=spec.encoding or "utf8"
        ),
        parse_options=pacsv.ParseOptions(delimiter=_csv_header(spec)[0]),
        convert_options=pacsv.ConvertOptions(
            include_columns=columns, column_types={**numbers, GRID_KEY: pa.string()}, null_values=_NOT_GIVEN
        ),
    ) as reader:
        yield from reader


def _parquet_batches(spec: FileSpec, columns: list[str], frame: Bounds) -> Iterator[pa.RecordBatch]:
    """Only row groups that hold a cell of the frame are read beyond their ids."""
    with pq.ParquetFile(spec.path) as file:
        for group in range(file.num_row_groups):
            rows = _BLOCK // 64
            ids = file.iter_batches(batch_size=rows, row_groups=[group], columns=[GRID_KEY])
            if any(_inside(batch.column(0), frame).any() for batch in ids):
                yield from file.iter_batches(batch_size=rows, row_groups=[group], columns=columns)


def _near_rows(batches: Iterable[pa.RecordBatch], near: Bounds, where: str) -> pd.DataFrame:
    frame, cells = _frame_of(near), 0
    found: list[pd.DataFrame] = []
    for batch in batches:
        inside = _inside(batch.column(GRID_KEY), frame)
        if not inside.any() and not found and not cells:
            ids = batch.column(GRID_KEY)
            cells += int(np.isfinite(cell_corners(ids.cast(pa.string()))[:, 0]).sum())
            if not cells and len(ids):
                raise InputError(
                    f"{where} has ids in '{GRID_KEY}' that are none of the grid ('{ids[0]}'). They look like "
                    "'CRS3035RES1000mN2689000E4341000'."
                )
        if inside.any():
            found.append(batch.filter(pa.array(inside)).to_pandas())
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame({GRID_KEY: []})


def _inside(ids: Any, frame: Bounds) -> npt.NDArray[np.bool_]:
    west, south, side = cell_corners(ids.cast(pa.string())).T
    inside = (west + side >= frame[0]) & (west <= frame[2]) & (south + side >= frame[1]) & (south <= frame[3])
    return np.asarray(inside, dtype=np.bool_)


def _with_squares(cells: pd.DataFrame, spec: FileSpec, what: str) -> gpd.GeoDataFrame:
    west, south, side = cell_corners(list(cells[GRID_KEY])).T if len(cells) else np.empty((3, 0))
    return gpd.GeoDataFrame(cells, geometry=shapely.box(west, south, west + side, south + side), crs=GRID_CRS)
