"""What if: an immutable list of edits to a town's places and paths, made in code, in the app or in a small file."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from gisapp.errors import InputError, raise_faults
from gisapp.frames import OPEN_TO

XY = tuple[float, float]
# What may be said of a place besides kind, name and position: the planner's own columns.
SETTABLE = (
    "capacity", "attractiveness", "open_to", "supervised", "programme", "hosts", "open_evening", "language_practice",
    "buddy_point", "name",
)  # fmt: skip
_NUMBERS = ("capacity", "attractiveness")


@dataclass(frozen=True)
class Edit:
    """One edit. ``what``: add, close, move, set, used_by, link or unlink.

    ``place``: the id it is about. ``kind`` and ``shape`` (WKT: where it is added or moved to; for links the line
    between both ends) in ``crs`` (EPSG number; None: the area's own). ``values``: name and value, as given.
    """

    what: str
    place: str | None = None
    kind: str | None = None
    shape: str | None = None
    crs: int | None = None
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def geometry(self) -> BaseGeometry:
        """The shape."""
        shape = shapely.from_wkt(str(self.shape))
        assert shape is not None
        return shape


@dataclass(frozen=True)
class Scenario:
    """Edits in the order in which they are made; each method returns a new scenario.

    ``at`` and ``to`` are (x, y) in the area's CRS, or lon, lat with ``crs=4326``; ``at`` takes a polygon too. Whether
    a kind or place exists is checked against the area, by ``apply_scenario`` and ``compare``.

    >>> plan = Scenario("Square").add("playgrounds", at=(10.0, 20.0), capacity=30).close("node/1")
    >>> [edit.what for edit in plan.edits]
    ['add', 'close']
    >>> Scenario().move("node/1", to=(1.0, float("nan")))
    Traceback (most recent call last):
    gisapp.errors.InputError: move node/1: to=(1.0, nan): give two numbers, x and y.
    """

    name: str = ""
    edits: tuple[Edit, ...] = field(default=())

    def add(
        self, kind: str, at: XY | BaseGeometry, name: str | None = None, capacity: float | None = None,
        crs: int | None = None, **columns: Any,
    ) -> "Scenario":  # fmt: skip
        """Add a place of a kind at a point or as a polygon; ``columns``: any of ``SETTABLE``."""
        given = {"name": name, "capacity": capacity, **columns}
        given = {column: value for column, value in given.items() if value is not None}
        where = f"add {kind}"
        return self._with(Edit("add", None, str(kind), _shape(at, where, "at"), crs, _values(given, where)))

    def close(self, place_id: str) -> "Scenario":
        """Close a place; one cut into parts, with all its parts."""
        return self._with(Edit("close", str(place_id)))

    def move(self, place_id: str, to: XY, crs: int | None = None) -> "Scenario":
        """Move a place; a polygon keeps its shape around the new point."""
        return self._with(Edit("move", str(place_id), None, _shape(to, f"move {place_id}", "to"), crs))

    def set(self, place_id: str, **columns: Any) -> "Scenario":
        """Change what is said of a place: capacity, attractiveness, open_to and the planner's other columns."""
        return self._with(Edit("set", str(place_id), values=_values(columns, f"set {place_id}")))

    def used_by(self, place_id: str, shares: Mapping[str, float]) -> "Scenario":
        """Declare by hand how much a place attracts each group (``dimension:group``, 0 or more): marked assumed."""
        faults = [
            f"used_by {place_id}: {group}={share!r}: give a number of 0 or more."
            for group, share in shares.items()
            if not _is_number(share) or share < 0
        ]
        if not shares:
            faults = [f"used_by {place_id}: name a group and how much the place attracts it."]
        raise_faults(faults)
        return self._with(Edit("used_by", str(place_id), values=tuple(sorted(shares.items()))))

    def link(self, a: XY, b: XY, crs: int | None = None) -> "Scenario":
        """Add a footpath or crossing, straight, between the streets nearest to two points."""
        return self._with(Edit("link", None, None, _line(a, b, "link"), crs))

    def unlink(self, a: XY, b: XY, crs: int | None = None) -> "Scenario":
        """Take out a link that was added between these points, or the stretch of street that joins them."""
        return self._with(Edit("unlink", None, None, _line(a, b, "unlink"), crs))

    def _with(self, edit: Edit) -> "Scenario":
        return replace(self, edits=(*self.edits, edit))


def _shape(at: Any, where: str, name: str) -> str:
    if isinstance(at, BaseGeometry):
        if at.geom_type not in ("Point", "Polygon", "MultiPolygon") or at.is_empty or not at.is_valid:
            raise InputError(
                f"{where}: {name}: give a point or a polygon whose outline does not cross itself."
            )
        return str(shapely.to_wkt(at, rounding_precision=-1))
    return str(shapely.to_wkt(shapely.Point(*_xy(at, where, name)), rounding_precision=-1))


def _line(a: Any, b: Any, where: str) -> str:
    ends = [_xy(a, where, "from"), _xy(b, where, "to")]
    if ends[0] == ends[1]:
        raise InputError(f"{where}: both ends are {ends[0]}; give two different points.")
    return str(shapely.to_wkt(shapely.LineString(ends), rounding_precision=-1))


def _xy(value: Any, where: str, name: str) -> XY:
    try:
        x, y = value
    except (TypeError, ValueError):
        x = y = None
    if not (_is_number(x) and _is_number(y)):
        raise InputError(f"{where}: {name}={value!r}: give two numbers, x and y.")
    return float(x), float(y)


def _values(given: Mapping[str, Any], where: str) -> tuple[tuple[str, Any], ...]:
    faults = []
    for column, value in given.items():
        if column not in SETTABLE:
            faults.append(f"{where}: '{column}' cannot be set; choose from {', '.join(SETTABLE)}.")
        elif column in _NUMBERS and not (_is_number(value) and value > 0):
            faults.append(f"{where}: {column}={value!r}: give a number above 0.")
        elif column == "open_to" and value not in OPEN_TO:
            faults.append(f"{where}: open_to={value!r}: choose one of {', '.join(OPEN_TO)}.")
        elif column not in _NUMBERS and not isinstance(value, str | bool):
            faults.append(f"{where}: {column}={value!r}: give a text, or yes or no.")
    raise_faults(faults)
    return tuple(sorted(given.items()))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
