"""The residents of an area counted anew: another table's people, shared out to the homes that are there."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import shapely

from gisapp.area import Provenance, StudyArea
from gisapp.completeness import with_completeness
from gisapp.errors import InputError
from gisapp.quality import Quality
from gisapp.sources.counts import Groups
from gisapp.sources.read import count_homes


class Refreshed(NamedTuple):
    """An area with newer data, and what changed, a sentence a line."""

    area: StudyArea
    changes: tuple[str, ...]


def refresh_residents(
    area: StudyArea,
    residents: str | Path,
    *,
    zones: str | Path | None = None,
    key: str | None = None,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
) -> Refreshed:
    """Return the area with the counts of another table, shared out to the homes it has by their floor area."""
    if keep_exact and published:
        raise InputError("keep_exact is for counts that nobody published: give either that or published.")
    homes, source, findings = count_homes(
        residents,
        _home_buildings(area),
        area.streets,
        zones=zones,
        key=key,
        groups=groups,
        published=published,
        keep_exact=keep_exact,
    )
    counts, note = homes.attrs["counts"], homes.attrs["counts_note"]
    core = area.boundary
    homes["core"] = True if core is None else shapely.intersects(core, homes.geometry.to_numpy())
    if not homes["core"].any():
        raise InputError(f"residents: nobody in '{residents}' lives inside the boundary of {area.name}.")
    quality = Quality(
        tuple(f for f in area.quality.findings if not f.code.startswith(("residents_", "census_"))),
        area.quality.missing_kinds,
    )
    for finding in findings:
        quality = quality.add(**vars(finding))
    old = area.provenance
    others = tuple(
        s for s in old.sources[1:] if s.title not in old.counts_note and not s.title.startswith("Residents")
    )
    before = "nobody counted" if old.counts == "missing" else f"{float(area.residents['total'].sum()):,.0f}"
    after = float(homes["total"].sum())
    counted = area.with_(
        residents=homes,
        background=linked(area.background, homes.index),
        provenance=Provenance((*old.sources[:1], *others, source), counts, note, old.notes),
        quality=quality,
    )
    return Refreshed(
        with_completeness(counted),
        (f"Residents: {before} -> {after:,.0f} ({source.title}).",),
    )


def _home_buildings(area: StudyArea) -> gpd.GeoDataFrame:
    """Return the buildings that are homes, with their floor area, as counts are shared out to."""
    buildings = area.background.get("buildings")
    homes = area.residents
    if buildings is None or "home_id" not in buildings:
        return gpd.GeoDataFrame({"floor_m2": homes["floor_m2"]}, geometry=homes.geometry)[
            homes["floor_m2"].notna()
        ]
    known = buildings[buildings["home_id"].isin(homes.index)].drop_duplicates("home_id")
    frame = known.set_index("home_id")[["geometry"]]
    frame["floor_m2"] = homes["floor_m2"].reindex(frame.index).fillna(1.0).to_numpy(float)
    return frame


def linked(background: Mapping[str, gpd.GeoDataFrame], homes: "pd.Index[str]") -> dict[str, gpd.GeoDataFrame]:
    """Let each building name the home it is, where it is one."""
    layers = dict(background)
    if "buildings" in layers:
        buildings = layers["buildings"]
        ids = (
            buildings["osm_id"]
            if "osm_id" in buildings
            else pd.Series(buildings.index, index=buildings.index)
        )
        layers["buildings"] = buildings.assign(home_id=ids.where(ids.isin(homes), None))
    return layers
