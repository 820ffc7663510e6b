"""A project brought up to date: newer OpenStreetMap data or counts, the planner's own places kept, changes said."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisapp.area import StudyArea
from gisapp.assess_area import assess
from gisapp.catalogue import Matcher
from gisapp.completeness import with_completeness
from gisapp.edits import edits_finding, whole_ids
from gisapp.network.build import build_streets
from gisapp.project import read_project, read_results, write_project
from gisapp.quality import Quality
from gisapp.recount import Refreshed, linked, refresh_residents
from gisapp.settings import OnlineSettings, read_settings
from gisapp.sources.counts import Groups
from gisapp.sources.fetch import download
from gisapp.sources.merge_places import MATCHES, REPLACES, merge_findings, merge_places, merge_table
from gisapp.sources.osm import read_osm
from gisapp.sources.read import assemble_area

OSM = "OpenStreetMap"
BUFFER_MIN = 30.0  # for a project that was made from files
_NAMED = 5  # names in a sentence
_ABOUT_RESIDENTS = ("levels_imputed", "near_edge", "no_buildings", "residents_", "census_")


def refresh_project(
    path: str | Path,
    *,
    osm: str | Path | None = None,
    online: bool = False,
    residents: str | Path | None = None,
    zones: str | Path | None = None,
    key: str | None = None,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
    settings: OnlineSettings | None = None,
    confirm: Callable[[str], bool] | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> tuple[str, ...]:
    """Bring newer data into a project file, and return what changed, a sentence a line.

    Without ``osm`` (a file) and ``residents``, OpenStreetMap is downloaded; ``online`` does so beside ``residents``.
    A file that held results is scored again; its scenario stays. All of the file is replaced, or nothing; raises as
    ``fetch_area`` and ``write_project`` do.
    """
    progress(f"Reading {path}")
    area, params, scenario = read_project(path)
    scored = read_results(path) is not None
    if osm is None and (online or residents is None):
        area, changes = refresh_streets(
            area,
            settings=read_settings() if settings is None else settings,
            confirm=confirm,
            progress=progress,
        )
    elif osm is not None:
        area, changes = refresh_streets(area, osm=osm, progress=progress)
    else:
        changes = ()
    if residents is not None:
        progress("Sharing residents to buildings")
        area, more = refresh_residents(
            area, residents, zones=zones, key=key, groups=groups, published=published, keep_exact=keep_exact
        )
        changes = (*changes, *more)
    result = None
    if scored:
        progress("Walking from every place and scoring")
        # What stands for "full" and for the town's composition is the new town's.
        result = assess(area, params.with_(reach_full=None, reference=()))
        params = result.params
    progress(f"Writing {path}")
    write_project(path, area, params, result, scenario=scenario, overwrite=True)
    return changes


def refresh_streets(
    area: StudyArea,
    *,
    osm: str | Path | None = None,
    settings: OnlineSettings | None = None,
    confirm: Callable[[str], bool] | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Refreshed:
    """Return the area with newer streets, places and background, from a file or by download.

    Places whose ``source`` is not OpenStreetMap are the planner's: they stay, win over what OpenStreetMap has under
    the same id, and take in objects new on the map as ``merge_places`` does; what the planner took out stays out.
    Counted residents stay where they are. As much is downloaded as was before, else 30 minutes' walk around the
    boundary.
    """
    ground, buffer_min = area.boundary, BUFFER_MIN if area.buffer_min is None else area.buffer_min
    if osm is not None:
        matcher = Matcher(area.kinds)
        progress("Reading OpenStreetMap data")
        raw = read_osm(osm, wanted=matcher.wanted, keys=matcher.keys)
        progress("Building the street network")
        streets = build_streets(raw, area.crs)
    else:
        if ground is None:
            ground, buffer_min = (
                shapely.convex_hull(shapely.multipoints(area.streets.nodes.geometry.to_numpy())),
                0.0,
            )
        raw, streets = download(
            ground, area.crs, area.kinds, buffer_min=buffer_min, fresh=True, confirm=confirm, progress=progress,
            settings=OnlineSettings() if settings is None else settings,
        )  # fmt: skip
    new = assemble_area(
        raw, streets, name=area.name, catalogue=area.kinds, core=area.boundary, progress=progress
    )
    stays_out = np.isin(whole_ids(new.places), area.edits.removed)
    places, merged = _with_own(new.places[~stays_out], area.places)
    n_own = int((area.places["source"] != OSM).sum())
    n_out = len(set(whole_ids(new.places)[stays_out]))
    new = new.with_(
        places=places, neighbourhoods=area.neighbourhoods, buffer_min=area.buffer_min, edits=area.edits,
        quality=_quality_of(new.quality, area, places),
    )  # fmt: skip
    if area.provenance.counts != "missing":
        new = _with_residents_of(new, area)
    new = with_completeness(new)
    old_source, new_source = area.provenance.sources[0], new.provenance.sources[0]
    new_source = replace(new_source, note=old_source.note)
    provenance = replace(
        area.provenance,
        sources=(new_source, *area.provenance.sources[1:]),
        counts_note=area.provenance.counts_note or new.provenance.counts_note,
    )
    before, after = (float(a.streets.edges["length_m"].sum()) / 1000 for a in (area, new))
    changes = (
        f"OpenStreetMap of {old_source.data_date or 'unknown date'} -> {new_source.data_date or 'unknown date'}: "
        f"{before:,.1f} -> {after:,.1f} km of streets ({after - before:+,.1f} km).",
        *_place_changes(area.places, places, {kind.key: kind.title["en"] for kind in area.kinds}),
        *([f"{n_own:,} places of your own were kept."] if n_own else []),
        *([f"{n_out:,} places that you took out stay out."] if n_out else []),
        *(f.sentence for f in merge_findings(merged)),
    )
    return Refreshed(new.with_(provenance=provenance), changes)


def _with_own(new: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Put the planner's places in the place of what OpenStreetMap has for them; return what was newly merged.

    What was merged stays so, and what stood side by side (a merge undone) does too; only an object that is new on the
    map may turn out to be a place that the planner had before.
    """
    own = old[old["source"] != OSM]
    theirs = [*whole_ids(own), *own.index, *(merge_table(own)["osm_id"] if REPLACES in own else [])]
    kept = new[~(np.isin(whole_ids(new), theirs) | new.index.isin(theirs))]
    if own.empty:
        return kept, pd.DataFrame(columns=list(MATCHES))
    seen = kept.index.isin(old.index)
    done = own[REPLACES].notna() if REPLACES in own else pd.Series(False, index=own.index)
    found = merge_places(kept[~seen], own[~done])
    columns = list(dict.fromkeys([*new.columns, *found.places.columns]))
    tables = [t.reindex(columns=columns) for t in (kept[seen], own[done], found.places) if len(t)]
    places = gpd.GeoDataFrame(pd.concat(tables), geometry=new.geometry.name, crs=new.crs)
    places.index.name = "place_id"
    return places, found.matches


def _quality_of(quality: Quality, old: StudyArea, places: gpd.GeoDataFrame) -> Quality:
    """Say of the places what the reader of the map does not know: which are missing now, and which were edited."""
    present = set(places["kind"])
    quality = quality.with_missing_kinds(tuple(k.key for k in old.kinds if k.key not in present))
    finding = edits_finding(old.edits, places)
    return quality if finding is None else quality.add(**vars(finding))


def _with_residents_of(new: StudyArea, old: StudyArea) -> StudyArea:
    """Keep the counted residents, and what was found of them."""
    kept = [f for f in new.quality.findings if not f.code.startswith(_ABOUT_RESIDENTS)]
    of_residents = [f for f in old.quality.findings if f.code.startswith(_ABOUT_RESIDENTS)]
    quality = Quality((*kept, *of_residents), new.quality.missing_kinds)
    background = linked(new.background, old.residents.index)
    return new.with_(residents=old.residents, background=background, quality=quality)


def _place_changes(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, titles: dict[str, str]) -> list[str]:
    """Say by kind which of OpenStreetMap's places are new, gone, or called otherwise."""
    old, new = old[old["source"] == OSM], new[new["source"] == OSM]
    both = old.index.intersection(new.index)
    was, is_now = old.loc[both, "name"].fillna(""), new.loc[both, "name"].fillna("")
    renamed = both[(was != is_now).to_numpy()]
    lines = []
    for kind, title in titles.items():
        parts = [
            f"{len(rows)} {word}{_names(rows['name'])}"
            for word, rows in (
                ("new", new[(new["kind"] == kind) & ~new.index.isin(old.index)]),
                ("gone", old[(old["kind"] == kind) & ~old.index.isin(new.index)]),
            )
            if len(rows)
        ]
        pairs = [
            f"{was[n] or 'no name'} -> {is_now[n] or 'no name'}"
            for n in renamed
            if new.loc[n, "kind"] == kind
        ]
        if pairs:
            parts.append(f"{len(pairs)} renamed{_names(pd.Series(pairs))}")
        if parts:
            lines.append(f"{title}: {', '.join(parts)}.")
    return lines or ["Places: no change."]


def _names(names: "pd.Series[str]") -> str:
    known = [name for name in names if isinstance(name, str) and name]
    more = ", ..." if len(known) > _NAMED else ""
    return f" ({', '.join(known[:_NAMED])}{more})" if known else ""
