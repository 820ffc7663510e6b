"""A scenario applied to an area: every edit is checked, then a new area is made; the old one is never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from gisapp.area import Streets, StudyArea
from gisapp.errors import InputError, raise_faults
from gisapp.frames import ATTRACTIVENESS, group_columns
from gisapp.places import clean_text, cut_place, place_table
from gisapp.scenario import Edit, Scenario
from gisapp.sources.own_places import PART_LENGTH_M

SOURCE = "scenario"
_REACH_M = 500.0  # an edit farther than this from every street lies outside the area
_NEAR_M = 100.0  # the ends of a link are joined to a street within this; a stretch is found within it
_ONCE = ("close", "move", "set", "used_by")  # at most one of each for one place


@dataclass
class _Draft:
    """The area while it is edited: ``closed`` and ``changed`` by whole place id, ``added`` rows in order."""

    area: StudyArea
    places: gpd.GeoDataFrame
    streets: Streets
    links: tuple[BaseGeometry, ...]
    added: list[str] = field(default_factory=list)
    done: set[tuple[str, str]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def apply_scenario(area: StudyArea, scenario: Scenario) -> StudyArea:
    """Return the area as it would be: places added (ids ``new/1``, ...), closed, moved, changed; paths added, removed.

    Places keep their order, new ones follow. ``quality`` says what is assumed. Raises ``InputError`` with every fault
    of all edits in one message: unknown kinds, places and groups, edits outside the area or twice on one place.
    """
    draft = _Draft(area, area.places, area.streets, area.links)
    for number, edit in enumerate(scenario.edits, start=1):
        where = f"edit {number} ({edit.what}{f' {edit.place}' if edit.place else ''})"
        _EDITS[edit.what](draft, edit, where)
    raise_faults(draft.faults)
    quality = area.quality
    assumed = [edit.place for edit in scenario.edits if edit.what == "used_by"]
    if assumed:
        sentence = (
            f"Who uses {', '.join(map(str, assumed))} is assumed, not counted: it was declared by hand."
        )
        quality = quality.add("scenario_assumed", sentence, "note", len(assumed), len(draft.places))
    return area.with_(places=draft.places, streets=draft.streets, links=draft.links, quality=quality)


def _add(draft: _Draft, edit: Edit, where: str) -> None:
    layers = {layer.key: layer for layer in draft.area.kinds}
    known = {*layers, *draft.area.places["kind"]}
    if edit.kind not in known:
        near = get_close_matches(str(edit.kind), sorted(known), 1, 0)
        draft.faults.append(
            f"{where}: there is no kind '{edit.kind}'; the nearest is '{near[0] if near else ''}'."
        )
        return
    shape = _placed(draft, edit, where)
    if shape is None:
        return
    taken, number = set(draft.area.places.index) | set(draft.added), 1
    while f"new/{number}" in taken:
        number += 1
    layer = layers.get(str(edit.kind))
    core = draft.area.boundary is None or bool(draft.area.boundary.intersects(shape))
    row: dict[str, Any] = {
        "place_id": f"new/{number}", "kind": edit.kind, "geometry": shape, "source": SOURCE, "tags": {}, "core": core,
        "open_to": layer.open_to if layer else "all", "capacity": float("nan"),
        **{column: _told(value) for column, value in edit.values},
    }  # fmt: skip
    rows = list(cut_place(row, layer, PART_LENGTH_M)) if layer else [row]
    draft.added.append(row["place_id"])
    _append(draft, place_table(rows, draft.places.crs, [c for c in row if c == ATTRACTIVENESS]))


def _append(draft: _Draft, new: gpd.GeoDataFrame) -> None:
    places = draft.places
    for column in new.columns.difference(places.columns):
        if new[column].notna().any():
            places = places.assign(**{column: pd.Series(np.nan, index=places.index, dtype=new[column].dtype)})
    new = new.reindex(columns=places.columns)
    for column in places.columns.drop(places.geometry.name):
        new[column] = new[column].astype(places[column].dtype)
    both = pd.concat([places, new])
    both.index.name = places.index.name
    draft.places = both


def _close(draft: _Draft, edit: Edit, where: str) -> None:
    rows = _rows(draft, edit, where)
    if rows is not None:
        draft.places = draft.places[~rows]


def _move(draft: _Draft, edit: Edit, where: str) -> None:
    rows, target = _rows(draft, edit, where), _placed(draft, edit, where)
    if rows is None or target is None:
        return
    shapes = draft.places.geometry.to_numpy().copy()
    middle = shapely.centroid(shapely.geometrycollections(shapes[rows]))
    by = shapely.get_coordinates(target)[0] - shapely.get_coordinates(middle)[0]
    shapes[rows] = shapely.transform(shapes[rows], lambda xy: xy + by)
    draft.places = draft.places.set_geometry(
        gpd.GeoSeries(shapes, index=draft.places.index, crs=draft.places.crs)
    )


def _set(draft: _Draft, edit: Edit, where: str) -> None:
    rows = _rows(draft, edit, where)
    if rows is None:
        return
    for column, value in edit.values:
        share = 1.0
        if column == "capacity":  # a place in parts has it by area, as where it was cut
            area_m2 = draft.places.geometry.area.to_numpy()[rows]
            share = area_m2 / area_m2.sum() if rows.sum() > 1 else 1.0
        told = _told(value)
        _write(draft, rows, column, told if isinstance(told, str) else told * share)


def _told(value: Any) -> Any:
    """Return a number as it is, yes and no as these words, and a text without what a text must not hold."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, int | float) else clean_text(value)


def _used_by(draft: _Draft, edit: Edit, where: str) -> None:
    known = [
        f"{name}:{group}" for name, groups in group_columns(draft.area.residents).items() for group in groups
    ]
    unknown = [group for group, _ in edit.values if group not in known]
    if unknown:
        draft.faults.append(
            f"{where}: residents are not counted by {', '.join(unknown)}; choose from {', '.join(known)}."
        )
    rows = _rows(draft, edit, where)
    if rows is None or unknown:
        return
    for group, share in edit.values:
        _write(draft, rows, f"{ATTRACTIVENESS}:{group}", float(share))


def _write(draft: _Draft, rows: np.ndarray, column: str, value: Any) -> None:
    number = not isinstance(value, str)
    if column in draft.places:
        values = draft.places[column].astype(float if number else object).to_numpy(copy=True)
    else:
        values = np.full(len(draft.places), np.nan if number else None, dtype=float if number else object)
    values[rows] = value
    draft.places = draft.places.assign(**{column: values})


def _link(draft: _Draft, edit: Edit, where: str) -> None:
    line = _placed(draft, edit, where, reach_m=_NEAR_M)
    if line is not None:
        draft.links = (*draft.links, line)


def _unlink(draft: _Draft, edit: Edit, where: str) -> None:
    line = _placed(draft, edit, where, reach_m=_NEAR_M)
    if line is None:
        return
    same = [n for n, link in enumerate(draft.links) if shapely.hausdorff_distance(link, line) < 1.0]
    if same:
        draft.links = tuple(link for n, link in enumerate(draft.links) if n != same[-1])
        return
    ends = [shapely.Point(xy) for xy in shapely.get_coordinates(line).tolist()]
    edges = draft.streets.edges
    lines = edges.geometry.to_numpy()
    far = np.max([shapely.distance(lines, end) for end in ends], axis=0)
    best = int(np.argmin(far))
    if far[best] > 25.0:
        draft.faults.append(
            f"{where}: no stretch of street without a junction joins these points: the nearest leaves one of them "
            f"{far[best]:.0f} m aside. Name two points on the same stretch."
        )
        return
    draft.streets = Streets(draft.streets.nodes, edges.drop(index=edges.index[best]).reset_index(drop=True))


_EDITS = {
    "add": _add, "close": _close, "move": _move, "set": _set, "used_by": _used_by, "link": _link, "unlink": _unlink,
}  # fmt: skip


def _rows(draft: _Draft, edit: Edit, where: str) -> "np.ndarray | None":
    """Return which rows are the place, all its parts included; None, and a fault, where there is none."""
    place = str(edit.place)
    if edit.what in _ONCE:
        if (edit.what, place) in draft.done:
            draft.faults.append(f"{where}: this place has an edit of this sort already; keep one of them.")
            return None
        if ("close", place) in draft.done:
            draft.faults.append(f"{where}: this scenario closes that place; take one of both edits out.")
            return None
        if edit.what == "close" and any(done == place for _, done in draft.done):
            draft.faults.append(
                f"{where}: this scenario changes that place, too; take one of both edits out."
            )
            return None
        draft.done.add((edit.what, place))
    rows = draft.places.index == place
    if "part_of" in draft.places:
        rows = rows | (draft.places["part_of"] == place).to_numpy(dtype=bool)
    if not rows.any():
        near = get_close_matches(place, [str(i) for i in draft.places.index], 1, 0.6)
        hint = f" The nearest id is '{near[0]}'." if near else ""
        draft.faults.append(f"{where}: there is no place '{place}' in this area.{hint}")
        return None
    return np.asarray(rows)


def _placed(draft: _Draft, edit: Edit, where: str, *, reach_m: float = _REACH_M) -> BaseGeometry | None:
    """Return the edit's shape in the area's CRS; None, and a fault, where that lies beyond its streets."""
    try:
        shape = _projected(edit, draft.area.crs)
    except (InputError, ValueError) as fault:
        draft.faults.append(f"{where}: {fault}")
        return None
    streets = draft.area.streets.edges.geometry.to_numpy()
    parts: Sequence[BaseGeometry] = [shape]
    if edit.what in ("link", "unlink"):
        parts = [shapely.Point(xy) for xy in shapely.get_coordinates(shape).tolist()]
    tree = shapely.STRtree(streets)
    if any(not len(tree.query(part, predicate="dwithin", distance=reach_m)) for part in parts):
        x, y = shapely.get_coordinates(shape)[0]
        draft.faults.append(
            f"{where}: ({x:.0f}, {y:.0f}) lies over {reach_m:g} m from any street of '{draft.area.name}'. Its "
            f"coordinates are {draft.area.crs.name}; give crs=4326 for longitude and latitude."
        )
        return None
    return shape


def _projected(edit: Edit, crs: CRS) -> BaseGeometry:
    shape = edit.geometry
    if edit.crs is None:
        return shape
    try:
        project = Transformer.from_crs(CRS.from_epsg(edit.crs), crs, always_xy=True).transform
    except Exception as fault:
        raise InputError(f"crs={edit.crs}: is no EPSG number that is known ({fault}).") from fault
    moved: BaseGeometry = shapely.transform(shape, lambda xy: np.column_stack(project(xy[:, 0], xy[:, 1])))
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise InputError(f"crs={edit.crs}: these coordinates lie outside that system.")
    return moved
