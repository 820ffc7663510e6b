"""Scenarios as small TOML files that a person can read, write and send to a colleague."""

import json
import tomllib
from pathlib import Path
from typing import Any

import shapely

from gisapp.errors import InputError, MissingError, raise_faults
from gisapp.outputs import whole_or_nothing
from gisapp.scenario import Edit, Scenario

# What each edit says besides what it does; "columns" are those of ``Scenario.add`` and ``set``.
_FORMS = {
    "add": ("kind", "at"),
    "close": ("place",),
    "move": ("place", "to"),
    "set": ("place",),
    "used_by": ("place", "shares"),
    "link": ("from", "to"),
    "unlink": ("from", "to"),
}
_HEAD = """# A scenario for Trefpunt: edits in the order in which they are made. Coordinates are x, y in the town's own
# system, or longitude, latitude with crs = 4326; a polygon is written as WKT.
"""


def to_toml(scenario: Scenario) -> str:
    """Write a scenario as TOML; ``from_toml`` gives the equal value back.

    >>> plan = Scenario("Square").add("squares", at=(7.4, 43.7), crs=4326).close("node/1")
    >>> from_toml(to_toml(plan)) == plan
    True
    """
    lines = [_HEAD, f"name = {_text(scenario.name)}"]
    for edit in scenario.edits:
        lines += ["", "[[edit]]", f"do = {_text(edit.what)}"]
        lines += [f"{key} = {_value(value)}" for key, value in _fields(edit).items()]
    return "\n".join(lines) + "\n"


def from_toml(text: str, *, name: str = "scenario") -> Scenario:
    """Read a scenario; ``name`` is how faults call the file. Raises ``InputError`` with every fault in one message."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise InputError(f"{name}: is not written as TOML ({fault}).") from fault
    scenario, faults = Scenario(str(table.pop("name", ""))), []
    rows = table.pop("edit", [])
    faults += [f"{name}: '{key}' is not known; give name and [[edit]] tables." for key in table]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{name}: write each edit under a line [[edit]].")
    for number, row in enumerate(rows, start=1):
        try:
            scenario = _made(scenario, dict(row))
        except InputError as fault:
            faults += [f"{name}: edit {number}: {line}" for line in str(fault).splitlines()]
    raise_faults(faults)
    return scenario


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario file."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as fault:
        raise MissingError(f"There is no scenario file '{path}': check its path.") from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: cannot be read as a text file ({fault}).") from fault
    return from_toml(text, name=path.name)


def write_scenario(path: str | Path, scenario: Scenario) -> None:
    """Write a scenario file, all of it or nothing."""
    with whole_or_nothing(Path(path)) as draft:
        draft.write_text(to_toml(scenario), encoding="utf-8")


def _made(scenario: Scenario, row: dict[str, Any]) -> Scenario:
    what = row.pop("do", None)
    if what not in _FORMS:
        raise InputError(f"do = {what!r}: choose one of {', '.join(_FORMS)}.")
    missing = [key for key in _FORMS[what] if key not in row]
    if missing:
        raise InputError(f"{what}: {', '.join(missing)} is missing.")
    crs = row.pop("crs", None)
    if crs is not None and (not isinstance(crs, int) or isinstance(crs, bool)):
        raise InputError(f"{what}: crs = {crs!r}: give an EPSG number, such as 4326.")
    given = {key: row.pop(key) for key in _FORMS[what]}
    here = {key: _point(value) for key, value in given.items() if key in ("at", "to", "from")}
    place = str(given.get("place", ""))
    if what not in ("add", "set") and row:
        raise InputError(f"{what}: '{next(iter(row))}' is not known; give {', '.join(_FORMS[what])}.")
    if what == "add":
        return scenario.add(given["kind"], here["at"], crs=crs, **row)
    if what == "close":
        return scenario.close(place)
    if what == "set":
        return scenario.set(place, **row)
    if what == "move":
        return scenario.move(place, here["to"], crs=crs)
    if what == "link":
        return scenario.link(here["from"], here["to"], crs=crs)
    if what == "unlink":
        return scenario.unlink(here["from"], here["to"], crs=crs)
    if not isinstance(given["shares"], dict):
        raise InputError('used_by: write the shares as a table, { "origin:here" = 1.0 }.')
    return scenario.used_by(place, given["shares"])


def _point(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return shapely.from_wkt(value)
    except shapely.errors.GEOSException as fault:
        raise InputError(f"'{value:.40}' is no WKT, such as POLYGON ((0 0, 1 0, 1 1, 0 0)).") from fault


def _fields(edit: Edit) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if edit.kind:
        out["kind"] = edit.kind
    if edit.place:
        out["place"] = edit.place
    if edit.shape:
        shape = edit.geometry
        if edit.what in ("link", "unlink"):
            out["from"], out["to"] = shapely.get_coordinates(shape).tolist()
        else:
            here = shapely.get_coordinates(shape)[0].tolist() if shape.geom_type == "Point" else edit.shape
            out["at" if edit.what == "add" else "to"] = here
    if edit.crs is not None:
        out["crs"] = edit.crs
    return out | ({"shares": dict(edit.values)} if edit.what == "used_by" else dict(edit.values))


def _text(value: str) -> str:
    # A JSON string is a TOML basic string, but for the one letter that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_text(k)} = {_value(v)}" for k, v in value.items()) + " }"
    return repr(value)
