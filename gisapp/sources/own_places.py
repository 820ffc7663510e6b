"""A planner's own list of places: one tidy row a place, as OpenStreetMap's are, with what only planners know."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from gisapp.catalogue import LayerSpec, Matcher
from gisapp.errors import InputError, MissingError, raise_faults
from gisapp.frames import OPEN_TO
from gisapp.places import PASSED_THROUGH, clean_text, cut_place, place_table
from gisapp.quality import Finding
from gisapp.sources.addresses import Finder, is_house_number
from gisapp.sources.columns import KindNames, describe_columns, propose_columns
from gisapp.sources.files import Bounds, Layer, read_layer
from gisapp.sources.numbers import count_faults, name_rows

WHAT = "places"
PART_LENGTH_M = 400.0
# Tags of OpenStreetMap that a list may carry and that say more than what kind a place is.
_KEPT_TAGS = ("access", "barrier", "wheelchair", "opening_hours", "website")
_YES = frozenset(["yes", "y", "ja", "j", "oui", "o", "true", "waar", "vrai", "1", "x"])
_NO = frozenset(["no", "n", "nee", "neen", "non", "false", "onwaar", "faux", "0"])
_UNKNOWN = frozenset(("-", "?", "n/a", "onbekend", "unknown", "inconnu"))
_OPEN_WORDS: Mapping[str, str] = {
    **{word: word for word in OPEN_TO},
    **dict.fromkeys(
        ("everybody", "everyone", "public", "iedereen", "openbaar", "alle", "tous", "toutlemonde"), "all"
    ),
    **dict.fromkeys(("klanten", "clients", "klant", "client", "customer"), "customers"),
    **dict.fromkeys(("leden", "membres", "lid", "membre", "member"), "members"),
    **dict.fromkeys(("geloof", "religie", "foi", "culte", "religion"), "faith"),
}


class OwnPlaces(NamedTuple):
    """Places as ``build_places`` gives them (``open_to`` missing where not stated), and what was found.

    Further columns: ``attractiveness``, ``attractiveness:dimension:group``, ``visitors:dimension:group`` as given.
    """

    places: gpd.GeoDataFrame
    findings: tuple[Finding, ...]


def split_kind(source: str | Path, catalogue: Sequence[LayerSpec]) -> tuple[str, str | None]:
    """Split ``FILE:kind``; the kind may be a key or a title in any language.

    >>> from gisapp.catalogue import load_catalogue
    >>> split_kind("clubs.xlsx:sports", load_catalogue()), split_kind("clubs.xlsx|layername=A", load_catalogue())
    (('clubs.xlsx', 'sports'), ('clubs.xlsx|layername=A', None))
    """
    text = str(source)
    file, colon, word = text.rpartition(":")
    if (
        not colon
        or re.search(r"[\\/|=]", word)
        or word.isdigit()
        or re.fullmatch(r"[A-Za-z]", file)
        or Path(text).is_file()
    ):
        return text, None
    names = KindNames(catalogue)
    kind = names.find(word)
    if kind is None:
        raise MissingError(
            f"{WHAT}: there is no kind '{word}'; the nearest is '{names.nearest(word)}'. See 'trefpunt layers'."
        )
    return file, kind


def read_places(
    source: str | Path,
    crs: CRS,
    catalogue: Sequence[LayerSpec],
    *,
    columns: Mapping[str, str] | None = None,
    near: Bounds | None = None,
    first: int = 1,
    find: Finder | None = None,
) -> OwnPlaces:
    """Read a list of places in any format of ``read_layer``.

    ``source``: ``FILE`` or ``FILE:kind``; without a kind, a column says it, or tags of OpenStreetMap do. ``columns``:
    what says what, where the proposal (``propose_columns``) is wrong. Ids are ``own/1`` by row, counted from
    ``first``, or ``own/ID`` from an id column. ``find``: looks up addresses of rows without coordinates. All faults
    of the list are raised at once, with their rows.
    """
    file, kind = split_kind(source, catalogue)
    layer = read_layer(file, crs, what=WHAT, shapes=("points", "polygons"), near=near, find=find)
    return tidy_places(layer, crs, catalogue, kind=kind, columns=columns, first=first)


def tidy_places(
    layer: Layer,
    crs: CRS,
    catalogue: Sequence[LayerSpec],
    *,
    kind: str | None = None,
    columns: Mapping[str, str] | None = None,
    first: int = 1,
) -> OwnPlaces:
    """Make places of the rows of a checked layer: see ``read_places``. ``kind``: of all rows."""
    frame = pd.DataFrame(layer.frame.drop(columns=layer.frame.geometry.name))
    mapping = propose_columns(frame)
    if "id" in mapping and is_house_number(mapping["id"], frame):
        del mapping["id"]
    mapping |= columns or {}
    unknown = [column for column in mapping.values() if column not in frame]
    if unknown:
        raise MissingError(f"{WHAT}: '{layer.name}' has no column '{unknown[0]}'. Name one that it has.")
    if kind is not None:
        mapping.pop("kind", None)
    faults: list[str] = []
    kinds = _kinds(frame, mapping, kind, catalogue, layer, faults)
    given = {field: frame[column] for field, column in mapping.items()}
    numbers = {
        field: _counts(values, mapping[field], layer, faults)
        for field, values in given.items()
        if field.split(":")[0] in ("capacity", "attractiveness", "visitors")
    }
    ids = _ids(given.get("id"), layer, first, faults)
    open_to = _open_to(given.get("open_to"), layer, faults)
    raise_faults(faults)
    specs = {spec.key: spec for spec in catalogue}
    tags = _tags(frame, catalogue)
    extra = [field for field in numbers if field != "capacity"]
    rows = [
        {
            "place_id": ids[n],
            "kind": kinds[n][0],
            "name": _text(given.get("name"), n) or tags[n].get("name"),
            "open_to": open_to[n],
            "capacity": numbers["capacity"][n]
            if "capacity" in numbers and numbers["capacity"][n] > 0
            else np.nan,
            "also": ";".join(kinds[n][1:]),
            "source": layer.name,
            "tags": tags[n],
            "part_of": None,
            "core": True,
            **{field: _flag(_text(given.get(field), n)) for field in PASSED_THROUGH},
            **{field: numbers[field][n] for field in extra},
            "geometry": shape,
        }
        for n, shape in enumerate(layer.frame.geometry)
    ]
    parts = [part for row in rows for part in cut_place(row, specs[row["kind"]], PART_LENGTH_M)]
    used = describe_columns(mapping, [str(c) for c in frame.columns])
    if "capacity" in numbers and (zero := int((numbers["capacity"] == 0).sum())):
        used += f". The capacity of {zero} is 0, taken as unknown"
    finding = Finding(
        f"own_places:{layer.name}",
        f"'{layer.name}': {len(rows)} places read; {used}.",
        "info",
        float(len(rows)),
    )
    return OwnPlaces(place_table(parts, crs, extra), (*layer.findings, finding))


def fill_open_to(places: gpd.GeoDataFrame, catalogue: Sequence[LayerSpec]) -> gpd.GeoDataFrame:
    """Give places whose list does not say to whom they are open what their layer says."""
    layers = {spec.key: spec.open_to for spec in catalogue}
    return places.assign(
        open_to=places["open_to"].where(places["open_to"].notna(), places["kind"].map(layers))
    )


def _kinds(
    frame: pd.DataFrame,
    mapping: Mapping[str, str],
    kind: str | None,
    catalogue: Sequence[LayerSpec],
    layer: Layer,
    faults: list[str],
) -> list[list[str]]:
    """The kinds of each row, the first its own; told by the file, a column, or tags of OpenStreetMap."""
    if kind is not None:
        return [[kind]] * len(frame)
    where, names = f"{WHAT}: '{layer.name}'", KindNames(catalogue)
    if "kind" in mapping:
        words = [_text(frame[mapping["kind"]], n) or "" for n in range(len(frame))]
        found = [names.find(word) if word else None for word in words]
        for word in dict.fromkeys(w for w, k in zip(words, found, strict=True) if k is None):
            rows = name_rows([n for n, w in enumerate(words) if w == word], layer.row)
            faults.append(
                f"{where}: '{word}' in column '{mapping['kind']}' is no kind ({rows}); the nearest is "
                f"'{names.nearest(word)}'. See 'trefpunt layers'."
                if word
                else f"{where}: column '{mapping['kind']}' is empty in {rows}. Say what kind of place it is."
            )
        return [[k or ""] for k in found]
    matcher = Matcher(catalogue)
    fitting = [matcher.kinds(t) for t in _tags(frame, catalogue)]
    lacking = [n for n, kinds in enumerate(fitting) if not kinds]
    if lacking:
        faults.append(
            f"{where} does not say what kind of place {name_rows(lacking, layer.row)} is. Add a column 'kind', or name "
            f"one kind for all: '{layer.name}:clubs'. See 'trefpunt layers'."
        )
    return fitting


def _tags(frame: pd.DataFrame, catalogue: Sequence[LayerSpec]) -> list[dict[str, str]]:
    keys = {*Matcher(catalogue).keys, *_KEPT_TAGS} - {"name"}
    columns = [c for c in frame.columns if c in keys]
    return [{c: text for c in columns if (text := _text(frame[c], n))} for n in range(len(frame))]


def _ids(values: "pd.Series[Any] | None", layer: Layer, first: int, faults: list[str]) -> list[str]:
    if values is None:
        return [f"own/{n + first}" for n in range(len(layer.frame))]
    texts = [_text(values, n) for n in range(len(values))]
    blank = [n for n, text in enumerate(texts) if not text]
    if len(blank) == len(texts):
        return _ids(None, layer, first, faults)
    if blank:
        faults.append(
            f"{WHAT}: '{layer.name}' has no id in {name_rows(blank, layer.row)}. Fill in column '{values.name}'."
        )
    seen: dict[str | None, int] = {}
    for n, text in enumerate(texts):
        if text and text in seen:
            faults.append(
                f"{WHAT}: '{layer.name}' has the id '{text}' twice, in {layer.row(seen[text])} and {layer.row(n)}. "
                "Give each place its own, or take one out."
            )
        seen.setdefault(text, n)
    return [f"own/{text}" for text in texts]


def _open_to(values: "pd.Series[Any] | None", layer: Layer, faults: list[str]) -> list[str | None]:
    if values is None:
        return [None] * len(layer.frame)
    texts = [_text(values, n) for n in range(len(values))]
    found = [_OPEN_WORDS.get(re.sub(r"[^a-z]", "", text.casefold())) if text else None for text in texts]
    wrong = [n for n, (text, word) in enumerate(zip(texts, found, strict=True)) if text and word is None]
    if wrong:
        faults.append(
            f"{WHAT}: '{layer.name}': '{texts[wrong[0]]}' in column '{values.name}' ({name_rows(wrong, layer.row)}) "
            f"does not say to whom a place is open. Write one of {', '.join(OPEN_TO)}."
        )
    return found


def _counts(values: "pd.Series[Any]", column: str, layer: Layer, faults: list[str]) -> np.ndarray[Any, Any]:
    numbers, wrong = count_faults(values, column, layer.row)
    faults.extend(f"{WHAT}: '{layer.name}': {sentence}" for sentence in wrong)
    return numbers


def _flag(text: str | None) -> str | None:
    """Yes and no in one spelling, unknown as missing; other words as they stand."""
    word = (text or "").casefold()
    if word in _UNKNOWN:
        return None
    return "yes" if word in _YES else "no" if word in _NO else text


def _text(values: "pd.Series[Any] | None", n: int) -> str | None:
    value = None if values is None else values.iloc[n]
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return clean_text(value) or None


def _check_distinct(tables: Sequence[gpd.GeoDataFrame]) -> None:
    """Raise ``InputError`` where two lists use the same id."""
    seen: dict[str, str] = {}
    for table in tables:
        for place_id, source in zip(table.index, table["source"], strict=True):
            if seen.setdefault(place_id, source) != source:
                raise InputError(
                    f"{WHAT}: '{seen[place_id]}' and '{source}' both have the id '{place_id.removeprefix('own/')}'. "
                    "Give the places of one list other ids."
                )


def read_lists(
    sources: Sequence[str | Path],
    crs: CRS,
    catalogue: Sequence[LayerSpec],
    *,
    near: Bounds | None = None,
    find: Finder | None = None,
) -> list[OwnPlaces]:
    """Read several lists; rows without an id are numbered through."""
    lists: list[OwnPlaces] = []
    for source in sources:
        first = 1 + sum(len(own.places) for own in lists)
        lists.append(read_places(source, crs, catalogue, near=near, first=first, find=find))
    _check_distinct([own.places for own in lists])
    return lists
