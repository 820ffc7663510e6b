"""What a planner changed in a project file's layer of places: found by comparing it with what was written.

QGIS changes rows in place, but may also write the whole layer anew: row numbers, types of columns and the order of
rows then differ, so rows are known by their ``place_id`` and compared by what they say.
"""

from collections.abc import Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gisapp.area import Edits
from gisapp.catalogue import LayerSpec
from gisapp.edited_rows import differences, new_ids, text_of, tidy_rows
from gisapp.errors import CRSError, raise_faults
from gisapp.frames import places_faults
from gisapp.quality import Finding
from gisapp.sources.merge_places import REPLACES, merge_table
from gisapp.sources.own_places import WHAT, fill_open_to

EDITED = "planner"  # the source of a place that was changed or added in a project file
_NAMED = 5


class TakenIn(NamedTuple):
    """``places`` with the planner's edits, and all ``edits`` so far; ``found``: those of this file alone."""

    places: gpd.GeoDataFrame
    edits: Edits
    found: Edits


def take_in(
    found: gpd.GeoDataFrame,
    written: gpd.GeoDataFrame,
    kinds: Sequence[LayerSpec],
    boundary: BaseGeometry | None,
    before: Edits,
    *,
    name: str,
) -> TakenIn:
    """Return the places with what the planner made of them.

    ``found``: the layer as it stands, index the file's row numbers; ``written``: as it was written, index
    ``place_id``. ``before``: edits of earlier times. ``name``: the file's, for messages. A row that differs has the
    source ``planner`` and keeps its id, and so do all parts of a place that is cut; a row without an id, or with one
    that is taken, gets a new one. Rows that nobody changed come back as they were written, to the bit. Raises
    ``InputError`` with every row that cannot be used.
    """
    found = _in_crs(found, CRS.from_user_input(written.crs), name)
    at = written.index.get_indexer(pd.Index([text_of(v) for v in found["place_id"]], dtype=object))
    at[pd.Series(at).duplicated().to_numpy() & (at >= 0)] = -1  # a copy of a row is another place
    unlike = differences(found, written, at)
    edited = (at < 0) | unlike.any(axis=1).to_numpy(bool)
    gone = ~np.isin(np.arange(len(written)), at)
    if not edited.any() and not gone.any():
        return TakenIn(written, before, Edits())
    fresh = new_ids(found[at < 0], {*written.index, *whole_ids(written), *before.removed})
    rows = tidy_rows(found[edited], unlike[edited], written, at[edited], fresh, kinds, name)
    order = np.concatenate([at[~edited], rows.pop("at")])
    places = pd.concat([table for table in (written.iloc[at[~edited]], rows) if len(table)])
    places = places.iloc[np.argsort(order, kind="stable")]
    places.index = pd.Index(places.index, dtype=object, name="place_id")

    was, now = whole_ids(written), whole_ids(places)
    touched = {*was[gone], *was[at[edited & (at >= 0)]]}
    mine = np.isin(now, [*touched, *fresh.values()])
    places.loc[mine, "source"] = EDITED
    places = fill_open_to(places, kinds)
    inside = True if boundary is None else shapely.intersects(boundary, places.geometry.to_numpy())
    places["core"] = np.where(mine, inside, places["core"].to_numpy(bool))
    raise_faults(places_faults(places))
    new = Edits(
        changed=tuple(w for w in dict.fromkeys(was) if w in touched and w in set(now)),
        added=tuple(dict.fromkeys(fresh.values())),
        removed=tuple(w for w in dict.fromkeys(was) if w not in set(now)),
    )
    return TakenIn(places, _together(before, new, written[np.isin(was, new.removed)]), new)


def edits_finding(edits: Edits, places: gpd.GeoDataFrame) -> Finding | None:
    """Return the line of the quality report on a planner's edits, or None where there are none."""
    if edits == Edits():
        return None
    parts = [
        f"{len(ids)} {what} ({_some([_title(places, i) for i in ids])})"
        for ids, what in ((edits.changed, "changed"), (edits.added, "added"), (edits.removed, "taken out"))
        if ids
    ]
    count = len(edits.changed) + len(edits.added) + len(edits.removed)
    sentence = f"Places that were edited in the project file, and stay so: {', '.join(parts)}."
    return Finding("places_edited", sentence, "note", count)


def outdated_finding(edits: Edits) -> Finding:
    """Return the warning that results are older than the places in their file."""
    said = ", ".join(
        f"{len(ids)} {what}"
        for ids, what in ((edits.changed, "changed"), (edits.added, "added"), (edits.removed, "taken out"))
        if ids
    )
    sentence = (
        f"These results are out of date: places were edited after they were computed ({said}). Score the project again "
        "with 'trefpunt score --project'."
    )
    return Finding("results_outdated", sentence, "warning")


def _in_crs(found: gpd.GeoDataFrame, crs: CRS, name: str) -> gpd.GeoDataFrame:
    if found.crs is None:
        raise CRSError(
            f"{WHAT}: the layer 'places' of '{name}' has no coordinate system. Set it to {crs.to_string()}."
        )
    return found if CRS.from_user_input(found.crs) == crs else found.to_crs(crs)


def whole_ids(places: gpd.GeoDataFrame) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """Return the id of the whole place that each row is, or is a part of."""
    ids = pd.Series(places.index, index=places.index, dtype=object)
    return np.asarray(places["part_of"].astype(object).where(places["part_of"].notna(), ids), dtype=object)


def _together(before: Edits, new: Edits, lost: gpd.GeoDataFrame) -> Edits:
    """Both, each place once: one that was added and then changed is still added, or taken out never was."""
    merged = merge_table(lost)["osm_id"].tolist() if REPLACES in lost else []
    removed = [i for i in (*before.removed, *new.removed, *merged) if i not in (*new.added, *before.added)]
    changed = [i for i in (*before.changed, *new.changed) if i not in (*before.added, *new.removed)]
    added = [i for i in (*before.added, *new.added) if i not in new.removed]
    return Edits(*(tuple(dict.fromkeys(map(str, ids))) for ids in (changed, added, removed)))


def _title(places: gpd.GeoDataFrame, place_id: str) -> str:
    rows = places[(places.index == place_id) | (places["part_of"] == place_id).to_numpy(bool)]
    name = text_of(rows["name"].iloc[0]) if len(rows) else None
    return f"{place_id} {name}" if name else place_id


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return "; ".join(items[:_NAMED]) + more
