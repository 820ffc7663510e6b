"""The catalogue of meeting places: layer files, read, checked and ordered; and OSM tags matched to kinds."""

import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast, get_args

from gisapp.errors import CatalogueError, MissingError, raise_faults
from gisapp.resources import bundled_dir

OpenTo = Literal["all", "customers", "members", "faith"]
Entry = Literal["point", "entrance", "boundary"]
Tags = Mapping[str, str]
TagValues = Mapping[str, tuple[str, ...]]  # OSM key -> values, "*" = any but "no"

LANGUAGES = ("en", "nl", "fr")

# Tags that qualify an object but do not say what it is: a reader that filters by key would drown in them.
_QUALIFIERS = frozenset({"access", "area", "fee", "name", "type"})

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "": ("key", "order", "title", "why", "open_to", "open_to_if", "users", "norm_min", "access_only",
         "osm", "reach", "style", "source"),
    "osm": ("any_of", "all_of", "none_of", "none_within"),
    "reach": ("entry", "enough", "merge_within_m", "car"),
    "style": ("colour", "icon"),
    "source": ("licence", "norm"),
}  # fmt: skip
# TOML puts a key written below [osm] into that table; these are meant for the kind wherever they stand.
_HOISTED = ("open_to", "users", "norm_min")


@dataclass(frozen=True)
class LayerSpec:
    """One kind of meeting place, as its layer file in ``layers/`` tells it.

    An object is of this kind if one tag of ``any_of`` or all tags of one table of ``all_of`` fit, and none
    of ``none_of`` does. An object without an access tag of its own on ground with all tags of one table of
    ``none_within`` is not open to neighbours and does not count. ``open_to_if``: the tags of a single place
    that change the layer's ``open_to``.

    >>> spec = LayerSpec("parks", {"en": "Parks"}, {"en": ""}, any_of={"leisure": ("park",)},
    ...                  none_of={"access": ("private", "no")})
    >>> spec.fits({"leisure": "park"}), spec.fits({"leisure": "park", "access": "private"})
    (True, False)
    """

    key: str
    title: Mapping[str, str]
    why: Mapping[str, str]
    any_of: TagValues = field(default_factory=dict)
    none_of: TagValues = field(default_factory=dict)
    all_of: tuple[TagValues, ...] = ()
    none_within: tuple[TagValues, ...] = ()
    open_to: OpenTo = "all"
    open_to_if: Mapping[str, TagValues] = field(default_factory=dict)
    users: tuple[str, ...] = ()  # () = everybody; else dimension:group
    norm_min: float = 10.0
    norm_source: str = ""
    entry: Entry = "point"
    enough: bool = False
    merge_within_m: float = 25.0
    car: bool = False
    access_only: bool = False
    colour: str = "#555555"
    icon: str = "circle"
    licence: str = "ODbL-1.0"
    order: int = 0

    def fits(self, tags: Tags) -> bool:
        """Say whether an object with these OSM tags is a place of this kind."""
        if _any_tag(tags, self.none_of):
            return False
        return _any_tag(tags, self.any_of) or fits_a_table(tags, self.all_of)

    def open_to_of(self, tags: Tags) -> OpenTo:
        """Return to whom one place is open: the first rule of ``open_to_if`` that fits, else the layer's."""
        for who, values in self.open_to_if.items():
            if _any_tag(tags, values):
                return cast(OpenTo, who)
        return self.open_to


def load_catalogue(path: str | Path | None = None) -> tuple[LayerSpec, ...]:
    """Read the layer files of a folder (default: the bundled ``layers/``) or one file, in catalogue order.

    Kinds without an ``order`` come last, by key. Raises MissingError if nothing is there, and CatalogueError
    once with every fault of every file.

    >>> [spec.key for spec in load_catalogue()][:4]
    ['community_centres', 'clubs', 'libraries', 'playgrounds']
    """
    folder = bundled_dir("layers") if path is None else Path(path)
    files = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    if not files:
        raise MissingError(f"No layer file in '{folder}': name a folder that holds *.toml files.")
    faults: list[str] = []
    specs = [(file.name, _read_layer(file, faults)) for file in files]
    read = [(name, spec) for name, spec in specs if spec is not None]
    taken: dict[tuple[str, str | int], str] = {}
    for name, spec in read:
        for what, value in (("key", spec.key), ("order", spec.order)):
            if value and (what, value) in taken:
                faults.append(f"{name}: {what} {value!r} is taken by {taken[what, value]}; choose another.")
            taken.setdefault((what, value), name)
    raise_faults(faults, CatalogueError)
    return tuple(sorted((spec for _, spec in read), key=lambda s: (s.order or math.inf, s.key)))


class Matcher:
    """Finds the kinds of an object by its OSM tags; built once, quick for a town's objects.

    ``keys``: the OSM keys a reader filters by. Values separated by ``;`` are taken one by one.

    >>> matcher = Matcher(load_catalogue())
    >>> matcher.kinds({"amenity": "cafe", "shop": "newsagent;bakery"})
    ['cafes', 'shops']
    >>> matcher.kinds({"leisure": "playground", "access": "private"})
    []
    >>> matcher.wanted({"amenity": "prison"}), matcher.wanted({"natural": "tree"})
    (True, False)
    """

    def __init__(self, catalogue: Sequence[LayerSpec]) -> None:
        self._specs = tuple(catalogue)
        self._by_tag: dict[tuple[str, str], set[int]] = {}
        self._grounds = tuple(table for spec in self._specs for table in spec.none_within)
        for n, spec in enumerate(self._specs):
            for table in (spec.any_of, *spec.all_of):
                for pair in _pairs(table):
                    self._by_tag.setdefault(pair, set()).add(n)
        ground_keys = {key for table in self._grounds for key in table}
        self.keys = (frozenset(key for key, _ in self._by_tag) | ground_keys) - _QUALIFIERS
        pairs = [*self._by_tag, *(pair for table in self._grounds for pair in _pairs(table))]
        self._values = {key: {value for k, value in pairs if k == key} for key in self.keys}

    def kinds(self, tags: Tags) -> list[str]:
        """Return the keys of the kinds that fit, in catalogue order."""
        candidates: set[int] = set()
        for pair in _pairs_of(tags):
            candidates.update(self._by_tag.get(pair, ()))
        return [self._specs[n].key for n in sorted(candidates) if self._specs[n].fits(tags)]

    def wanted(self, tags: Tags) -> bool:
        """Say whether ``build_places`` needs the object: as a place, or as ground that closes others."""
        return self._hints(tags) and (bool(self.kinds(tags)) or fits_a_table(tags, self._grounds))

    def _hints(self, tags: Tags) -> bool:
        """Say whether any tag is one the layer files name: most objects of a town have none, and are done with."""
        for key, value in tags.items():
            values = self._values.get(key)
            if values is not None and (value in values or "*" in values or ";" in value):
                return True
        return False


def osm_keys(catalogue: Sequence[LayerSpec]) -> frozenset[str]:
    """Return the OSM keys that a reader must keep objects by.

    >>> "leisure" in osm_keys(load_catalogue()), "access" in osm_keys(load_catalogue())
    (True, False)
    """
    return Matcher(catalogue).keys


def fits_a_table(tags: Tags, tables: Sequence[TagValues]) -> bool:
    """Say whether all tags of at least one of the tables fit ("*" = any value but "no").

    >>> fits_a_table({"leisure": "garden", "name": "Rosarium"}, [{"leisure": ("garden",), "name": ("*",)}])
    True
    """
    return any(all(_has_value(tags, key, values) for key, values in table.items()) for table in tables)


def _split(value: str) -> list[str]:
    return [part for part in (p.strip() for p in value.split(";")) if part]


def _has_value(tags: Tags, key: str, values: tuple[str, ...]) -> bool:
    value = tags.get(key)
    if value is None:
        return False
    return any(part in values or ("*" in values and part != "no") for part in _split(value))


def _any_tag(tags: Tags, table: TagValues) -> bool:
    return any(_has_value(tags, key, values) for key, values in table.items())


def _pairs(table: TagValues) -> list[tuple[str, str]]:
    return [(key, value) for key, values in table.items() for value in values]


def _pairs_of(tags: Tags) -> list[tuple[str, str]]:
    return [(key, value) for key, text in tags.items() for value in (*_split(text), "*")]


class _Table:
    """One table of a layer file: takes values out by name and type, and notes each fault with its place."""

    def __init__(self, values: Mapping[str, Any], where: str, faults: list[str]) -> None:
        self.values, self.where, self.faults = values, where, faults

    def fault(self, name: str, what: str) -> None:
        self.faults.append(f"{self.where}{name}: {what}")

    def take(self, name: str, default: Any, what: str, good: Callable[[Any], bool]) -> Any:
        """Return the value if it is ``good``; a missing one is ``default``, or a fault if that is None."""
        value = self.values.get(name, default)
        if value is None:
            self.fault(name, f"is missing; give {what}.")
        elif not good(value):
            self.fault(name, f"{value!r} is not {what}.")
        else:
            return value
        return default

    def choice(self, name: str, default: str, options: Sequence[str]) -> str:
        return str(self.take(name, default, f"one of {', '.join(options)}", lambda v: v in options))

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self.take(name, default, "true or false", lambda v: isinstance(v, bool)))

    def number(self, name: str, default: float, what: str, good: Callable[[float], bool]) -> float:
        return float(self.take(name, default, what, lambda v: _is_number(v) and good(v)))

    def text(self, name: str, default: str | None, pattern: str, what: str) -> str:
        value = self.take(
            name, default, what, lambda v: isinstance(v, str) and bool(re.fullmatch(pattern, v))
        )
        return str(value or "")

    def languages(self, name: str) -> Mapping[str, str]:
        what = f"a text in each of {', '.join(LANGUAGES)}"
        value = self.values.get(name)
        if name == "why" and isinstance(value, str):
            value = dict.fromkeys(LANGUAGES, value)
        if not isinstance(value, dict):
            self.fault(name, f"is missing; give {what}." if value is None else f"{value!r} is not {what}.")
            return {}
        _check_known(value, LANGUAGES, f"{self.where}{name}", self.faults)
        for language in LANGUAGES:
            text = value.get(language)
            if not (isinstance(text, str) and text.strip()):
                self.fault(f"{name}.{language}", "is missing or not a text.")
        return {language: str(value.get(language, "")) for language in LANGUAGES}

    def tag_values(self, name: str, value: Any = None) -> TagValues:
        """Return a table of OSM keys and their values, which must be lists of texts."""
        value = self.values.get(name, {}) if value is None else value
        if not isinstance(value, dict):
            self.fault(name, 'give a table such as { leisure = ["park"] }.')
            return {}
        table = {}
        for key, values in value.items():
            if not (isinstance(values, list) and values and all(isinstance(v, str) and v for v in values)):
                self.fault(f"{name}.{key}", f'{values!r} is not a list of values such as ["park"] or ["*"].')
            else:
                table[key] = tuple(values)
        return table

    def combinations(self, name: str) -> tuple[TagValues, ...]:
        value = self.values.get(name, [])
        if not isinstance(value, list):
            self.fault(name, 'give a list of tables such as [{ leisure = ["garden"], name = ["*"] }].')
            return ()
        tables = tuple(self.tag_values(name, table) for table in value)
        for table in tables:
            if not set(table) - _QUALIFIERS:
                self.fault(
                    name, f"a combination needs a tag that says what the object is, not only {list(table)}."
                )
        return tables


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_known(values: Mapping[str, Any], known: Sequence[str], where: str, faults: list[str]) -> None:
    for key in values:
        if key not in known:
            nearest = get_close_matches(key, known, n=1, cutoff=0.0)[0]
            faults.append(f"{where}: unknown key '{key}'; the nearest known one is '{nearest}'.")


def _read_layer(file: Path, faults: list[str]) -> LayerSpec | None:
    name = file.name
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        faults.append(f"{name}: cannot be read ({error.strerror}).")
        return None
    except UnicodeDecodeError:
        faults.append(f"{name}: is not UTF-8 text; save it as UTF-8.")
        return None
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{name}: is not valid TOML: {error}.")
        return None
    before = len(faults)
    tables = {}
    for section in ("osm", "reach", "style", "source"):
        part = values.get(section, {})
        if not isinstance(part, dict):
            faults.append(f"{name}: '{section}' is not a table; write [{section}].")
            part = {}
        tables[section] = dict(part)
    for key in _HOISTED:
        if key in tables["osm"]:
            moved = tables["osm"].pop(key)
            if key in values:
                faults.append(f"{name}: '{key}' stands twice; keep one.")
            values[key] = moved
    _check_known(values, _KNOWN[""], name, faults)
    for section, part in tables.items():
        _check_known(part, _KNOWN[section], f"{name} [{section}]", faults)
    top = _Table(values, f"{name}: ", faults)
    sections = [_Table(tables[section], f"{name} [{section}]: ", faults) for section in tables]
    spec = _spec(top, *sections)
    return spec if len(faults) == before else None


def _spec(top: _Table, osm: _Table, reach: _Table, style: _Table, source: _Table) -> LayerSpec:
    key = top.text("key", None, "[a-z][a-z0-9_]*", "a word of small letters, digits and _ (no ':')")
    if key == "all":
        top.fault("key", "'all' is reserved; choose another.")
    users = top.values.get("users", "all")
    if users == "all":
        users = []
    elif not (
        isinstance(users, list) and users and all(_is_text(group, r"[^:\s]+:[^:\s]+") for group in users)
    ):
        top.fault("users", f'{users!r} is not "all" or a list of dimension:group.')
        users = []
    open_to = top.choice("open_to", "all", get_args(OpenTo))
    narrower = top.values.get("open_to_if", {})
    if not isinstance(narrower, dict):
        top.fault("open_to_if", 'give a table such as { customers = { fee = ["yes"] } }.')
        narrower = {}
    _check_known(narrower, get_args(OpenTo), f"{top.where}open_to_if", top.faults)
    if "any_of" not in osm.values and "all_of" not in osm.values:
        osm.fault("any_of", 'is missing; give a table such as { leisure = ["park"] }.')
    if "order" in top.values:
        top.take("order", 0, "a whole number above 0", lambda v: _is_whole(v) and v > 0)
    return LayerSpec(
        key=key,
        title=top.languages("title"),
        why=top.languages("why"),
        any_of=osm.tag_values("any_of"),
        none_of=osm.tag_values("none_of"),
        all_of=osm.combinations("all_of"),
        none_within=osm.combinations("none_within"),
        open_to=cast(OpenTo, open_to),
        open_to_if={who: top.tag_values(f"open_to_if.{who}", tags) for who, tags in narrower.items()},
        users=tuple(users),
        norm_min=top.number("norm_min", 10.0, "a number of minutes above 0", lambda v: v > 0),
        norm_source=source.text("norm", "", "(?s).*", "a text"),
        entry=cast(Entry, reach.choice("entry", "point", get_args(Entry))),
        enough=reach.flag("enough"),
        merge_within_m=reach.number(
            "merge_within_m", 25.0, "a number of metres, 0 or more", lambda v: v >= 0
        ),
        car=reach.flag("car"),
        access_only=top.flag("access_only", open_to in ("members", "faith")),
        colour=style.text("colour", "#555555", "#[0-9a-fA-F]{6}", 'a colour such as "#c2542d"'),
        icon=style.text("icon", "circle", "[a-z][a-z0-9_-]*", "a word of small letters"),
        licence=source.text("licence", "ODbL-1.0", r"\S.*", "a licence's name"),
        order=top.values.get("order", 0),
    )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None
