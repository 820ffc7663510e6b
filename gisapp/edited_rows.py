"""Rows of a project file's places that a planner edited: what differs in them, and what they are read as."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisapp.catalogue import LayerSpec
from gisapp.errors import raise_faults
from gisapp.frames import ATTRACTIVENESS
from gisapp.places import PASSED_THROUGH
from gisapp.shapes import mend
from gisapp.sources.columns import KindNames
from gisapp.sources.files import Layer
from gisapp.sources.formats import FileSpec
from gisapp.sources.merge_places import REPLACES
from gisapp.sources.numbers import name_rows, read_numbers
from gisapp.sources.own_places import WHAT, tidy_places

_SAME_M = 0.001  # a layer written anew may have moved a shape by less
_DERIVED = ("core", "part_of", REPLACES)  # follow from the rest, and are no planner's to edit
_READ = ("kind", "name", "open_to", "capacity", *PASSED_THROUGH)


def text_of(value: Any) -> str | None:
    """Return what a cell says, None where it says nothing: QGIS writes NULL, a reader NaN, a form an empty text."""
    if value is None or value is pd.NA or value != value:
        return None
    return str(value).strip() or None


def differences(found: gpd.GeoDataFrame, written: gpd.GeoDataFrame, at: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Return for each row of ``found`` and each column whether it differs from row ``at`` of ``written``.

    A column that is not there any more is as it was, and one of the planner's own was empty; a row that never was
    (``at`` -1) differs in nothing.
    """
    own = [c for c in found if c not in (*written.columns, "place_id", "geometry")]
    names = [c for c in written.columns if c in found and c not in _DERIVED and c != "geometry"]
    unlike = pd.DataFrame(False, index=found.index, columns=[*names, *own, "geometry"])
    known = at >= 0
    now, was = found[known], written.iloc[at[known]]
    for name in names:
        if pd.api.types.is_numeric_dtype(was[name]) and not pd.api.types.is_bool_dtype(was[name]):
            numbers, wrong = read_numbers(now[name])
            before = was[name].to_numpy(float, na_value=np.nan)
            same = ~wrong & ((numbers == before) | (np.isnan(numbers) & np.isnan(before)))
        else:
            pairs = zip(now[name], was[name], strict=True)
            same = np.array([text_of(a) == text_of(b) for a, b in pairs], dtype=bool)
        unlike.loc[known, name] = ~same
    for name in own:
        unlike.loc[known, name] = [text_of(value) is not None for value in now[name]]
    unlike.loc[known, "geometry"] = ~_same_shapes(now.geometry.to_numpy(), was.geometry.to_numpy())
    return unlike


def new_ids(rows: gpd.GeoDataFrame, taken: set[str]) -> dict[int, str]:
    """Return an id for each new row: the one that the planner gave it, else ``own/N`` with the row's number."""
    taken = set(taken)
    ids: dict[int, str] = {}
    for fid, value in rows["place_id"].items():
        given, number = text_of(value), int(fid)
        while given is None or given in taken or "#" in given:
            given, number = f"own/{number}", number + 1
        taken.add(given)
        ids[int(fid)] = given
    return ids


def tidy_rows(
    found: gpd.GeoDataFrame,
    unlike: pd.DataFrame,
    written: gpd.GeoDataFrame,
    at: npt.NDArray[np.intp],
    fresh: Mapping[int, str],
    kinds: Sequence[LayerSpec],
    name: str,
) -> gpd.GeoDataFrame:
    """Return edited rows as places, by the rules for a planner's list; what was not touched stays as written.

    ``unlike``, ``at``: see ``differences``. ``fresh``: the ids of new rows. Columns are those of ``written``, further
    ones of ``found``, and ``at``, after which to order them. A long open place that was drawn anew is cut, as
    ``build_places`` does.
    """
    layer = _checked(found, kinds, name)
    read = tidy_places(layer, written.crs, kinds).places
    extra = [c for c in found.columns if c not in (*written.columns, "place_id", "geometry")]
    columns = [*written.columns, *extra]
    tables = []
    for n, (fid, was_at) in enumerate(zip(found.index, at, strict=True)):
        rows = read[(read.index == f"own/{n}") | (read["part_of"] == f"own/{n}").to_numpy(bool)]
        raw = found.loc[fid]
        new = was_at < 0
        rows = _filled(rows, raw, columns)
        if not new:
            touched = unlike.loc[fid]
            rows = _as_written(rows, layer.frame.geometry.iloc[n], touched, written.iloc[was_at])
        place_id = fresh[int(fid)] if new else str(written.index[was_at])
        if len(rows) > 1:
            ids = [f"{place_id}#{k}" for k in range(1, len(rows) + 1)]
            rows = rows.assign(part_of=place_id)
        else:
            ids = [place_id]
            rows = rows.assign(part_of=None if new else written["part_of"].iloc[was_at])
        rows = rows.set_axis(pd.Index(ids, dtype=object), axis=0)
        tables.append(rows.assign(at=len(written) + n if new else was_at))
    if not tables:
        return written.iloc[:0].assign(at=np.array([], dtype=np.intp))
    types = {c: written[c].dtype for c in written.columns if c != "geometry"}
    joined = gpd.GeoDataFrame(pd.concat(tables), geometry="geometry", crs=written.crs).astype(types)
    return joined[[*columns, "at"]]


def _checked(found: gpd.GeoDataFrame, kinds: Sequence[LayerSpec], name: str) -> Layer:
    """The rows as a layer with sound shapes; all faults that a list's reader does not know of in one message."""
    rows, where = found.index.to_numpy(np.int64), f"{WHAT}: '{name}'"

    def named(which: npt.NDArray[np.bool_]) -> str:
        names = [text_of(v) for v in found["name"]] if "name" in found else [None] * len(found)
        return name_rows(
            np.flatnonzero(which), lambda n: f"row {rows[n]}" + (f" ({names[n]})" if names[n] else "")
        )

    given = found.geometry.to_numpy()
    bare = shapely.is_missing(given) | shapely.is_empty(given)
    sound, _ = mend(given.copy())
    lost = ~bare & shapely.is_missing(sound)
    line = ~bare & ~lost & (shapely.get_dimensions(sound) == 1)
    faults = [
        f"{where} {what} in {named(which)}. {mend_it}"
        for which, what, mend_it in (
            (bare, "has no shape", "Draw a point or an outline, or delete the row."),
            (lost, "has coordinates that are no numbers", "Draw these again, or delete them."),
            (line, "has a line", "Draw a point or an outline instead."),
        )
        if which.any()
    ]
    names = KindNames(kinds)
    for column, check in (("tags", _no_tags), ("also", lambda text: _no_kinds(text, names))):
        wrong = np.array([check(text_of(v)) for v in found[column]] if column in found else [], dtype=bool)
        if wrong.any():
            what = "a JSON object of texts" if column == "tags" else "kinds parted by ';'"
            faults.append(
                f"{where}: column '{column}' does not hold {what} in {named(wrong)}. Leave it empty."
            )
    raise_faults(faults)
    columns = [c for c in found.columns if c in _READ or str(c).split(":")[0] == ATTRACTIVENESS]
    frame = found[[*columns]].reset_index(drop=True)
    frame.insert(0, "place_id", [str(n) for n in range(len(frame))])
    if "kind" not in frame:
        frame["kind"] = None
    return Layer(gpd.GeoDataFrame(frame, geometry=sound, crs=found.crs), FileSpec(Path(name)), rows)


def _filled(rows: gpd.GeoDataFrame, raw: "pd.Series[Any]", columns: Sequence[str]) -> gpd.GeoDataFrame:
    """Give rows what their list's reader leaves out: tags, further kinds and the planner's own columns."""
    rows = rows.assign(tags=text_of(raw.get("tags")) or "{}", also=text_of(raw.get("also")) or "")
    own = {c: raw.get(c) for c in columns if c not in rows and c != REPLACES}
    rows = rows.assign(**{c: pd.Series([v] * len(rows), index=rows.index) for c, v in own.items()})
    return rows.assign(**{REPLACES: None}) if REPLACES in columns else rows


def _as_written(
    rows: gpd.GeoDataFrame, shape: Any, touched: "pd.Series[bool]", was: "pd.Series[Any]"
) -> gpd.GeoDataFrame:
    """Take back what was not touched. A part stays one part, and so does what was neither drawn nor called anew."""
    drawn = bool(touched["geometry"])
    cut = len(rows) > 1 and text_of(was["part_of"]) is None and (drawn or bool(touched["kind"]))
    if not cut:
        capacity = rows["capacity"].sum(min_count=1)
        rows = rows.iloc[:1].assign(capacity=capacity, geometry=[shape if drawn else was["geometry"]])
    for column in touched.index:
        if (
            not touched[column]
            and column in was
            and column != "geometry"
            and not (cut and column == "capacity")
        ):
            rows[column] = pd.Series([was[column]] * len(rows), index=rows.index, dtype=object)
    if touched["kind"] and not touched["open_to"]:
        rows["open_to"] = None  # what the other kind's layer says
    if REPLACES in rows:
        rows[REPLACES] = [was[REPLACES]] + [None] * (len(rows) - 1)
    return rows


def _same_shapes(now: npt.NDArray[np.object_], was: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Compare shapes; one part of several is written as several where a layer holds both."""
    here, before = (shapely.normalize(_single(shapely.force_2d(shapes))) for shapes in (now, was))
    missing = shapely.is_missing(here) | shapely.is_empty(here)
    return np.asarray(shapely.equals_exact(here, before, tolerance=_SAME_M) & ~missing)


def _single(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    alone = (shapely.get_type_id(shapes) >= 4) & (shapely.get_num_geometries(shapes) == 1)
    return np.where(alone, shapely.get_geometry(shapes, 0), shapes)


def _no_tags(text: str | None) -> bool:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return True
    return not (isinstance(value, dict) and all(isinstance(v, str) for v in value.values()))


def _no_kinds(text: str | None, names: KindNames) -> bool:
    return any(names.find(word) is None for word in (text or "").split(";") if word.strip())
