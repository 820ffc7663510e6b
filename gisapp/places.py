"""Meeting places out of mapped features: one tidy row a place, however the map drew it."""

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from gisapp.catalogue import LayerSpec, Matcher, fits_a_table
from gisapp.errors import CRSError, InputError, raise_faults
from gisapp.quality import Finding, Level
from gisapp.shapes import GRID_M, Shapes, cut_long, mend

# Known of few places and filled in by planners; carried through, missing unless known.
PASSED_THROUGH = ("supervised", "programme", "hosts", "open_evening", "language_practice", "buddy_point")

_NAME_LENGTH = 120
_VALUE_LENGTH = 255  # the longest value OpenStreetMap itself accepts

Tags = Mapping[str, str]
Row = dict[str, Any]


def build_places(
    features: gpd.GeoDataFrame,
    catalogue: Sequence[LayerSpec],
    *,
    source: str = "OpenStreetMap",
    same_place_m: float = 25.0,
    part_length_m: float = 400.0,
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Return the meeting places among mapped features, and findings: found, merged, closed, mended, cut.

    ``features``: unique index (``node/1``, ``way/2``), geometry in a projected CRS in metres, ``tags`` (a
    dict a row); ``last_edit`` (ISO date) and the columns of PASSED_THROUGH are kept where present. Result: index
    ``place_id``, columns ``kind`` (the first that fits, in catalogue order), ``name``, ``open_to``, ``capacity``,
    ``also`` (other kinds, ``;``-joined), ``source``, ``tags`` (JSON), ``part_of``, ``core``, ``last_edit`` and those
    of PASSED_THROUGH.
    Row order never matters.

    One place: a point within ``same_place_m`` of an area of its kind, and features of a kind that are closer
    than its ``merge_within_m``, if names are equal or one is missing; equal names first, then nearest first,
    and two names never meet through a nameless third, nor two areas through a point. The area stays, then the
    larger, then the lower id; areas that become one place keep their joint outline. Open areas whose minimum
    rotated rectangle is longer than ``part_length_m`` are cut into parts (``way/2#1``, ``part_of`` =
    ``way/2``). Raises CRSError, and InputError with every fault of the table.

    >>> from gisapp.catalogue import load_catalogue
    >>> points = gpd.GeoSeries.from_wkt(["POINT (0 0)", "POINT (10 0)"], index=["node/1", "node/2"], crs=3035)
    >>> features = gpd.GeoDataFrame({"tags": [{"amenity": "cafe", "name": "Zon"}, {"amenity": "bench"}]},
    ...                             geometry=points, index=points.index)
    >>> places, findings = build_places(features, load_catalogue())
    >>> places[["kind", "name", "open_to"]].to_dict("index")
    {'node/1': {'kind': 'cafes', 'name': 'Zon', 'open_to': 'customers'}}
    """
    _check(features)
    order = sorted(range(len(features)), key=lambda n: _id_order(str(features.index[n])))
    features = features.iloc[order]
    shapes, mended = mend(features.geometry.to_numpy())
    tags = [_plain(t) for t in features["tags"]]
    matcher = Matcher(catalogue)
    fitting = [matcher.kinds(t) for t in tags]
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    had = np.array([bool(kinds) for kinds in fitting], dtype=bool)
    closed = _drop_closed(shapes, tags, fitting, catalogue, usable)
    kept = [n for n, kinds in enumerate(fitting) if kinds and usable[n]]

    specs = {spec.key: spec for spec in catalogue}
    rows = [_row(features, n, shapes[n], tags[n], fitting[n], specs, source) for n in kept]
    groups = _one_place(rows, specs, same_place_m)
    merged = [_merge([rows[n] for n in group], catalogue) for group in groups]
    parts = [part for row in merged for part in cut_place(row, specs[row["kind"]], part_length_m)]
    counts = {
        "found": sum(had),
        "merged": len(rows) - len(merged),
        "closed": closed,
        "mended": int(np.sum(mended & had)),
        "dropped": int(np.sum(~usable & had)),
        "cut": len({row["part_of"] for row in parts if row["part_of"] is not None}),
    }
    return place_table(parts, features.crs), _findings(merged, catalogue, counts)


def clean_text(text: object, *, limit: int = _NAME_LENGTH) -> str:
    """Return a stranger's text without control or direction characters, spaces joined, cut to ``limit``.

    >>> clean_text("  Café\\x00 \\u202eZon\\n ")
    'Café Zon'
    """
    # Joiners (U+200C, U+200D) belong to the spelling of Persian and Indic names; other invisible ones do not.
    kept = "".join(
        " " if c.isspace() else c
        for c in str(text)
        if c.isspace() or c in "\u200c\u200d" or unicodedata.category(c)[0] != "C"
    )
    joined = " ".join(kept.split())
    return joined if len(joined) <= limit else joined[: limit - 1].rstrip() + "…"


def fold_name(name: str) -> str:
    """Return a name as it is compared: no case, accents, punctuation or spaces.

    >>> fold_name("Café 't Hoekske") == fold_name("CAFE T HOEKSKE")
    True
    """
    # Only the accents of alphabets go (U+0300 to U+036F): in other scripts marks are letters.
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not "\u0300" <= c <= "\u036f")
    return "".join(c for c in unicodedata.normalize("NFC", bare) if unicodedata.category(c)[0] in "LNM")


_FINDINGS: Mapping[str, tuple[Level, str]] = {
    "merged": ("info", "{} of {} mapped features are the same place as another and were merged into it."),
    "closed": ("note", "{} of {} mapped features lie on closed ground (a school's, a hotel's) without a word"
                       " on access of their own, and do not count."),
    "mended": ("note", "{} of {} mapped features had a broken outline, which was mended."),
    "dropped": ("warning", "{} of {} mapped features have no usable geometry and were dropped."),
    "cut": ("info", "{} long open places were cut into parts for choice and mix."),
}  # fmt: skip


def _findings(
    merged: Sequence[Row], catalogue: Sequence[LayerSpec], counts: Mapping[str, int]
) -> list[Finding]:
    found = Counter(row["kind"] for row in merged)
    findings = []
    for spec in catalogue:
        n = found[spec.key]
        sentence = f"{spec.title['en']}: {n:,} {'place' if n == 1 else 'places'} found."
        findings.append(Finding(f"places:{spec.key}", sentence, "info" if n else "note", float(n)))
    for what, (level, sentence) in _FINDINGS.items():
        if counts[what]:
            total = len(merged) if what == "cut" else counts["found"]
            text = sentence.format(f"{counts[what]:,}", f"{total:,}")
            findings.append(Finding(f"places_{what}", text, level, float(counts[what]), float(total)))
    return findings


def _check(features: gpd.GeoDataFrame) -> None:
    if features.crs is None:
        raise CRSError("features: no coordinate system; set it with set_crs before building places.")
    crs = CRS.from_user_input(features.crs)
    if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise CRSError(f"features: '{crs.name}' is not projected in metres; reproject with to_crs first.")
    faults = []
    if not features.index.is_unique:
        twice = features.index[features.index.duplicated()][0]
        faults.append(f"features: the index is not unique ('{twice}'); give each object one row.")
    if "tags" not in features.columns:
        faults.append("features: column 'tags' is missing; give each object's tags as a dict.")
    else:
        wrong = [
            str(i) for i, t in features["tags"].items() if not (isinstance(t, Mapping) or _is_missing(t))
        ]
        if wrong:
            faults.append(f"features: 'tags' of '{wrong[0]}' is not a dict ({len(wrong)} rows).")
    raise_faults(faults, InputError)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _plain(tags: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in tags.items()} if isinstance(tags, Mapping) else {}


def _id_order(place_id: str) -> tuple[str, int, str]:
    """Sort node/9 before node/10, nodes before ways."""
    found = re.fullmatch(r"(node|way|relation)/(\d{1,18})", place_id)
    if found is None:
        return ("z", 0, place_id)
    return ({"node": "a", "way": "b", "relation": "c"}[found[1]], int(found[2]), "")


def _drop_closed(
    shapes: Shapes,
    tags: Sequence[Tags],
    fitting: list[list[str]],
    catalogue: Sequence[LayerSpec],
    usable: npt.NDArray[np.bool_],
) -> int:
    """Take from ``fitting`` the kinds that closed ground rules out; return how many objects lost all."""
    had = [bool(kinds) for kinds in fitting]
    is_area = usable & (shapely.get_dimensions(shapes) == 2)
    for spec in catalogue:
        places = [
            n
            for n, kinds in enumerate(fitting)
            if spec.key in kinds and usable[n] and "access" not in tags[n]
        ]
        ground = [n for n, t in enumerate(tags) if is_area[n] and fits_a_table(t, spec.none_within)]
        points = shapely.point_on_surface(shapes[places])
        inside, on = shapely.STRtree(shapes[ground]).query(points, predicate="within")
        for n in {places[i] for i, j in zip(inside, on, strict=True) if places[i] != ground[j]}:
            fitting[n] = [kind for kind in fitting[n] if kind != spec.key]
    return sum(before and not kinds for before, kinds in zip(had, fitting, strict=True))


def _row(
    features: gpd.GeoDataFrame,
    n: int,
    shape: Any,
    tags: Tags,
    kinds: Sequence[str],
    specs: Mapping[str, LayerSpec],
    source: str,
) -> Row:
    given = {c: features[c].iloc[n] for c in (*PASSED_THROUGH, "last_edit") if c in features.columns}
    passed = {c: None if _is_missing(given.get(c)) else given[c] for c in PASSED_THROUGH}
    if passed["supervised"] is None and tags.get("supervised") in ("yes", "no"):
        passed["supervised"] = tags["supervised"]
    return {
        "place_id": str(features.index[n]),
        "kind": kinds[0],
        "name": clean_text(tags.get("name", "")) or None,
        "open_to": specs[kinds[0]].open_to_of(tags),
        "capacity": _capacity(tags),
        "also": list(kinds[1:]),
        "source": source,
        "tags": dict(tags),
        "part_of": None,
        "core": True,
        "last_edit": None if _is_missing(given.get("last_edit")) else given["last_edit"],
        **passed,
        "geometry": shape,
    }


def _capacity(tags: Tags) -> float:
    text = tags.get("capacity:persons", tags.get("capacity", "")).strip()
    return float(text) if re.fullmatch(r"\d{1,7}(\.\d{1,3})?", text) and float(text) > 0 else math.nan


def _one_place(rows: Sequence[Row], specs: Mapping[str, LayerSpec], same_place_m: float) -> list[list[int]]:
    """Return the rows (in id order) that are one place, as lists of positions.

    Pairs are joined one by one: equal names first, then the nearest, then the lowest ids.
    """
    parent = list(range(len(rows)))
    names = [fold_name(row["name"] or "") for row in rows]
    kinds = np.array([row["kind"] for row in rows], dtype=object)
    shapes = np.array([row["geometry"] for row in rows], dtype=object)
    dimension = shapely.get_dimensions(shapes)
    has_area = (dimension == 2).tolist()

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for kind, spec in specs.items():
        of_kind = np.flatnonzero(kinds == kind)
        reach = max(same_place_m, spec.merge_within_m)
        near = shapely.STRtree(shapes[of_kind]).query(shapes[of_kind], predicate="dwithin", distance=reach)
        first, second = of_kind[near[:, near[0] < near[1]]]
        # Rounded to the millimetre, so that moved coordinates give the same order.
        apart_m = np.round(shapely.distance(shapes[first], shapes[second]), 3)
        point_and_area = (dimension[first] != dimension[second]) & (dimension[first] * dimension[second] == 0)
        point_and_area &= np.maximum(dimension[first], dimension[second]) == 2
        merges = apart_m < spec.merge_within_m
        close = merges | (point_and_area & (apart_m <= same_place_m))
        same_name = np.array(
            [bool(names[i]) and names[i] == names[j] for i, j in zip(first, second, strict=True)]
        )
        for n in np.lexsort((second, first, apart_m, ~same_name)) if len(first) else ():
            one, other = root(int(first[n])), root(int(second[n]))
            if not close[n] or one == other:
                continue
            if names[one] and names[other] and names[one] != names[other]:
                continue
            if has_area[one] and has_area[other] and not (merges[n] or (names[one] and names[other])):
                continue
            low, high = min(one, other), max(one, other)
            parent[high] = low
            names[low] = names[low] or names[high]
            has_area[low] = has_area[low] or has_area[high]
    groups: dict[int, list[int]] = {}
    for n in range(len(rows)):
        groups.setdefault(root(n), []).append(n)
    return list(groups.values())


def _merge(group: Sequence[Row], catalogue: Sequence[LayerSpec]) -> Row:
    """Return one row for one place: the area's, else the largest's, filled in with what others know."""
    if len(group) == 1:
        return {**group[0], "also": ";".join(group[0]["also"])}
    dimension = shapely.get_dimensions([row["geometry"] for row in group])
    area = shapely.area([row["geometry"] for row in group])
    best = max(range(len(group)), key=lambda n: (dimension[n], area[n], -n))
    row = dict(group[best])
    for column in ("name", *PASSED_THROUGH):
        known = [other[column] for other in group if other[column] is not None]
        row[column] = row[column] if row[column] is not None or not known else known[0]
    capacities = [c for c in (row["capacity"], *(other["capacity"] for other in group)) if not math.isnan(c)]
    row["capacity"] = capacities[0] if capacities else math.nan
    row["last_edit"] = max((other["last_edit"] for other in group if other["last_edit"]), default=None)
    also = {kind for other in group for kind in other["also"]}
    row["also"] = ";".join(spec.key for spec in catalogue if spec.key in also)
    # A point tells of the whole place (opening hours); another area only of a part of it (one pitch's fence).
    for other in (group[n] for n in range(len(group)) if dimension[n] == 0):
        row["tags"] = {**other["tags"], **row["tags"]}
    if (dimension == 2).sum() > 1:
        areas = [other["geometry"] for other in group if shapely.get_dimensions(other["geometry"]) == 2]
        row["geometry"] = shapely.union_all(areas, grid_size=GRID_M)
    return row


def cut_place(row: Row, spec: LayerSpec, length_m: float) -> Iterator[Row]:
    """Yield the row, or its parts if it is a long open area; a known capacity is shared out by area."""
    shape = row["geometry"]
    pieces = (
        list(cut_long(shape, length_m))
        if spec.entry == "boundary" and shapely.get_dimensions(shape) == 2
        else []
    )
    if len(pieces) < 2:
        yield row
        return
    total_m2 = sum(piece.area for piece in pieces)
    for n, piece in enumerate(pieces, start=1):
        yield {
            **row,
            "place_id": f"{row['place_id']}#{n}",
            "part_of": row["place_id"],
            "capacity": row["capacity"] * piece.area / total_m2,
            "geometry": piece,
        }


def place_table(rows: Sequence[Row], crs: Any, extra: Sequence[str] = ()) -> gpd.GeoDataFrame:
    """Return rows as a table of places (see ``build_places``), with ``extra`` columns of numbers."""
    columns = (
        "kind",
        "name",
        "open_to",
        "capacity",
        "also",
        "source",
        "tags",
        "part_of",
        "core",
        "last_edit",
        *PASSED_THROUGH,
        *extra,
    )
    values: dict[str, Any] = {column: [row.get(column) for row in rows] for column in columns}
    values["tags"] = [
        json.dumps({k: clean_text(v, limit=_VALUE_LENGTH) for k, v in sorted(t.items())}, ensure_ascii=False)
        for t in values["tags"]
    ]
    index = pd.Index([row["place_id"] for row in rows], dtype=object, name="place_id")
    types = {"capacity": float, "core": bool, **dict.fromkeys(extra, float)}
    table = {c: pd.Series(v, index=index, dtype=types.get(c, object)) for c, v in values.items()}
    return gpd.GeoDataFrame(table, geometry=[row["geometry"] for row in rows], index=index, crs=crs)
