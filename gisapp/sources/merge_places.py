"""A planner's list and OpenStreetMap's places made one table: each place once, the register wins, all reversible."""

import json
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisapp.catalogue import LayerSpec
from gisapp.errors import MissingError
from gisapp.places import PASSED_THROUGH, fold_name
from gisapp.quality import Finding
from gisapp.sources.evidence import weigh_visitors
from gisapp.sources.own_places import fill_open_to

MERGE_WITHIN_M = 25.0
DOUBLE_WITHIN_M = 300.0  # coordinates typed from an address may be this far off
ALIKE = 0.75  # similarity of names, 0-1, from which two of them are the same
REPLACES = "replaces"  # column: what a merged row was made of, as JSON, so that merging can be undone
MATCHES = ("own_id", "own_name", "osm_id", "osm_name", "kind", "distance_m", "similarity")
_WON = ("name", "kind", "open_to", "capacity", "source", *PASSED_THROUGH)
# Words that say what a place is and not which one: two cafés are not the same for being cafés.
_COMMON = frozenset(
    """
    cafe bar pub taverne brasserie restaurant club vzw asbl plein square place school basisschool ecole bibliotheek bib
    library bibliotheque park parc maison speeltuin speelplein playground buurthuis jeugdhuis sporthal centrum center
    centre huis house kerk church eglise moskee de den het een t van von op aan in te en la le les l un une du des d et
    the of and
    """.split()  # noqa: SIM905
)


class MergeResult(NamedTuple):
    """``places``: all places, each once. ``matches``: which own place is which of OpenStreetMap's, and how alike."""

    places: gpd.GeoDataFrame
    matches: pd.DataFrame


def merge_places(osm: gpd.GeoDataFrame, own: gpd.GeoDataFrame) -> MergeResult:
    """Merge a planner's places into OpenStreetMap's: the same kind, within 25 m, and alike by name.

    Where one of the two has no name, the nearest counts (of two outlines: one that overlaps). Each place is merged at
    most once, equal names first. What the list says wins, with its id; what it leaves open, and the outline where it
    has only a point, stays OpenStreetMap's. Columns as in ``build_places``, and ``replaces``; ``unmerge`` brings the
    originals back.
    """
    columns = list(dict.fromkeys([*osm.columns, *own.columns, REPLACES]))
    osm, own = (_with_columns(table, columns) for table in (osm, own))
    pairs = _each_once(_alike(osm, own, MERGE_WITHIN_M), set())
    if not pairs:
        return _result(_concat([osm, own]))
    osm_of, own_of = _whole_ids(osm), _whole_ids(own)
    merged = [
        _merge_one(osm[osm_of == pair["osm_id"]], own[own_of == pair["own_id"]], pair) for pair in pairs
    ]
    left = osm[~np.isin(osm_of, [p["osm_id"] for p in pairs])]
    alone = own[~np.isin(own_of, [p["own_id"] for p in pairs])]
    return _result(_concat([left, alone, *merged]))


def unmerge(result: MergeResult, own_id: str) -> MergeResult:
    """Return the result with one own place and the place it was merged with side by side again, as they were."""
    places = result.places
    rows = _whole_ids(places) == own_id
    texts = places.loc[rows, REPLACES].dropna() if REPLACES in places else pd.Series(dtype=object)
    if texts.empty:
        raise MissingError(f"places: '{own_id}' is not merged with another place. See the table of matches.")
    before = json.loads(texts.iloc[0])
    originals = [_from_json(before[word], places) for word in ("osm", "own")]
    return _result(_concat([places[~rows], *originals]))


def merge_table(places: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the matches that a table of places was made with: see ``MATCHES``."""
    texts = places[REPLACES].dropna() if REPLACES in places else []
    rows = [json.loads(text)["match"] for text in texts]
    return pd.DataFrame(rows, columns=list(MATCHES)).sort_values("own_id", ignore_index=True)


def merge_findings(matches: pd.DataFrame) -> list[Finding]:
    """Return one line on all merged places, naming each pair."""
    if matches.empty:
        return []
    names = "; ".join(
        f"{m['own_id']} {m['own_name'] or '(no name)'} = {m['osm_id']} {m['osm_name'] or '(no name)'} "
        f"({m['distance_m']:.0f} m, names {m['similarity']:.0%} alike)"
        for m in matches.to_dict("records")
    )
    sentence = (
        f"{len(matches)} of your places are OpenStreetMap's too and were merged, yours winning: {names}."
    )
    return [Finding("own_places_merged", sentence, "note", float(len(matches)))]


def name_similarity(one: str | None, other: str | None) -> float:
    """Return how alike two names are, 0-1; words that all places of a kind share do not count, numbers must agree.

    >>> name_similarity("Café Den Anker", "Anker"), name_similarity("Café A", "Café B")
    (1.0, 0.0)
    >>> name_similarity("School 1", "School 2"), round(name_similarity("'t Ankertje", "Het Ankertie"), 2)
    (0.0, 0.88)
    """
    a, b = (_telling(name or "") for name in (one, other))
    if not a or not b:
        return 0.0
    digits = [{word for word in words if word.isdigit()} for words in (a, b)]
    if digits[0] and digits[1] and digits[0] != digits[1]:
        return 0.0
    if a <= b or b <= a:
        return 1.0
    return SequenceMatcher(None, " ".join(sorted(a)), " ".join(sorted(b)), autojunk=False).ratio()


def _telling(name: str) -> frozenset[str]:
    words = [folded for word in re.split(r"[\W_]+", name) if (folded := fold_name(word))]
    return frozenset(w for w in words if w not in _COMMON) or frozenset(words)


def _alike(osm: gpd.GeoDataFrame, own: gpd.GeoDataFrame, within_m: float) -> list[dict[str, Any]]:
    """Pairs of places of a kind with like names, or one of them nameless, best first."""
    row, other = shapely.STRtree(osm.geometry.to_numpy()).query(
        own.geometry.to_numpy(), predicate="dwithin", distance=within_m
    )
    apart = shapely.distance(own.geometry.to_numpy()[row], osm.geometry.to_numpy()[other])
    osm_ids, own_ids = _whole_ids(osm), _whole_ids(own)
    kinds, also = (osm[column].to_numpy(dtype=object) for column in ("kind", "also"))
    own_kinds = own["kind"].to_numpy(dtype=object)
    own_names, osm_names = ([None if _missing(n) else str(n) for n in t["name"]] for t in (own, osm))
    areas = [shapely.get_dimensions(t.geometry.to_numpy()) == 2 for t in (own, osm)]
    found = []
    for i, j, metres in zip(row, other, np.round(apart, 3).tolist(), strict=True):
        if own_kinds[i] != kinds[j] and own_kinds[i] not in _listed(also[j]):
            continue
        names = (own_names[i], osm_names[j])
        alike = name_similarity(*names)
        if all(names) and alike < ALIKE:
            continue
        # A nameless outline beside another is another place, unless they overlap.
        if alike < ALIKE and areas[0][i] and areas[1][j] and metres > 0:
            continue
        values = (own_ids[i], names[0], osm_ids[j], names[1], own_kinds[i], metres, alike)
        found.append(dict(zip(MATCHES, values, strict=True)))
    return sorted(found, key=lambda f: (-f["similarity"], f["distance_m"], f["own_id"], f["osm_id"]))


def _each_once(found: Sequence[dict[str, Any]], taken: set[str]) -> list[dict[str, Any]]:
    pairs, taken = [], set(taken)
    for pair in found:
        if pair["own_id"] not in taken and pair["osm_id"] not in taken:
            taken |= {pair["own_id"], pair["osm_id"]}
            pairs.append(pair)
    return pairs


def _double_findings(osm: gpd.GeoDataFrame, own: gpd.GeoDataFrame, matches: pd.DataFrame) -> list[Finding]:
    """Report places of the same name that lie too far apart to be merged: a coordinate may be wrong, or one double."""
    named = [
        f
        for f in _alike(osm, own, DOUBLE_WITHIN_M)
        if f["similarity"] == 1.0 and f["distance_m"] > MERGE_WITHIN_M
    ]
    doubles = _each_once(named, {*matches["own_id"], *matches["osm_id"]})
    if not doubles:
        return []
    names = "; ".join(
        f"{d['own_id']} {d['own_name']} ({d['distance_m']:.0f} m from {d['osm_id']})" for d in doubles
    )
    sentence = (
        f"{len(doubles)} of your places have the name of one of OpenStreetMap's more than {MERGE_WITHIN_M:.0f} m away "
        f"and count beside it: {names}. Check their coordinates."
    )
    return [Finding("own_places_double", sentence, "warning", float(len(doubles)))]


def _merge_one(theirs: gpd.GeoDataFrame, mine: gpd.GeoDataFrame, pair: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """The row (or the parts) of one place: whichever has an outline, with what the list says."""
    outlined = [bool((shapely.get_dimensions(t.geometry.to_numpy()) == 2).any()) for t in (theirs, mine)]
    base, told = (theirs, mine.iloc[0]) if outlined[0] and not outlined[1] else (mine, mine.iloc[0])
    known = theirs.iloc[0]
    ids = list(base.index)
    if base is theirs:  # way/2#1, the first part of way/2, becomes own/1#1
        ids = [pair["own_id"] + i.removeprefix(pair["osm_id"]) for i in base.index.astype(str)]
    merged = base.set_axis(pd.Index(ids, dtype=object, name=base.index.name), axis=0)
    share = base.area.to_numpy() / base.area.sum() if len(base) > 1 else np.ones(1)
    extra = [c for c in merged.columns if str(c).split(":")[0] in ("attractiveness", "visitors")]
    for column in (*_WON, *extra):
        value = told[column] if not _missing(told[column]) else known[column]
        if column == "capacity" and not _missing(value):
            of_parts = mine if not _missing(told[column]) else theirs
            merged[column] = of_parts[column].sum() * share
        else:
            merged[column] = pd.Series([value] * len(merged), index=merged.index, dtype=merged[column].dtype)
    kinds = dict.fromkeys((*_listed(told["also"]), str(known["kind"]), *_listed(known["also"])))
    merged["also"] = ";".join(k for k in kinds if k != told["kind"])
    tags = {**json.loads(known["tags"]), **json.loads(told["tags"])}
    merged["tags"] = json.dumps(dict(sorted(tags.items())), ensure_ascii=False)
    whole = pair["own_id"] if len(merged) > 1 else None
    merged["part_of"] = pd.Series([whole] * len(merged), index=merged.index, dtype=object)
    before = {"match": dict(pair), "osm": _to_json(theirs), "own": _to_json(mine)}
    notes = [json.dumps(before, ensure_ascii=False)] + [None] * (len(merged) - 1)
    merged[REPLACES] = pd.Series(notes, index=merged.index, dtype=object)
    return merged


def _result(places: gpd.GeoDataFrame) -> MergeResult:
    return MergeResult(places, merge_table(places))


def _whole_ids(places: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """The id of the whole place that each row is, or is a part of."""
    whole = places["part_of"] if "part_of" in places else pd.Series(None, index=places.index, dtype=object)
    return np.asarray(whole.where(whole.notna(), pd.Series(places.index, index=places.index)), dtype=object)


def _with_columns(table: gpd.GeoDataFrame, columns: Sequence[str]) -> gpd.GeoDataFrame:
    table = table.copy()
    for column in columns:
        if column not in table:
            number = str(column).split(":")[0] in ("attractiveness", "visitors")
            blank = pd.Series(
                np.nan if number else None, index=table.index, dtype=float if number else object
            )
            table[column] = blank
    return table[list(columns)]


def _concat(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    filled = [table for table in tables if len(table)] or [tables[0]]
    joined = gpd.GeoDataFrame(pd.concat(filled), crs=tables[0].crs)
    joined.index = pd.Index(joined.index, dtype=object, name="place_id")
    return joined


def _to_json(rows: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    name = rows.geometry.name
    return [
        {
            "place_id": str(place_id),
            **{
                c: None if _missing(row[c]) else _plain(row[c])
                for c in rows.columns
                if c not in (name, REPLACES)
            },
            "geometry": shapely.to_wkb(row[name], hex=True),
        }
        for place_id, row in rows.iterrows()
    ]


def _from_json(rows: Sequence[Mapping[str, Any]], like: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    index = pd.Index([row["place_id"] for row in rows], dtype=object, name="place_id")
    values = {
        c: pd.Series([row.get(c) for row in rows], index=index, dtype=like[c].dtype)
        for c in like.columns if c != like.geometry.name
    }  # fmt: skip
    shapes = shapely.from_wkb([row["geometry"] for row in rows])
    return gpd.GeoDataFrame(values, geometry=shapes, index=index, crs=like.crs)[list(like.columns)]


def _listed(kinds: Any) -> list[str]:
    return [] if _missing(kinds) else [kind for kind in str(kinds).split(";") if kind]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value != value


def add_places(
    osm: gpd.GeoDataFrame,
    lists: Sequence[gpd.GeoDataFrame],
    residents: pd.DataFrame,
    catalogue: Sequence[LayerSpec],
    *,
    exact: bool = False,
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Add a planner's lists to OpenStreetMap's places: visitors weighed, the same places merged, one table.

    ``exact``: visitors' counts are not rounded. All tables share a CRS.
    """
    if not lists:
        return osm, []
    own = _concat([_with_columns(t, _columns_of(lists)) for t in lists])
    own, findings = weigh_visitors(own, residents, exact=exact)
    merged = merge_places(osm, own)
    doubles = _double_findings(osm, own, merged.matches)
    return fill_open_to(merged.places, catalogue), [*findings, *merge_findings(merged.matches), *doubles]


def _columns_of(tables: Sequence[gpd.GeoDataFrame]) -> list[str]:
    return list(dict.fromkeys(str(column) for table in tables for column in table.columns))
