"""From files to a study area: the one place where sources meet."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gisapp.area import NOT_FOR_PUBLICATION, Provenance, Source, Streets, StudyArea
from gisapp.background import build_background
from gisapp.catalogue import LayerSpec, Matcher, load_catalogue
from gisapp.errors import InputError
from gisapp.network.build import build_streets
from gisapp.places import build_places
from gisapp.protect import share_out_protected
from gisapp.quality import Finding, Quality
from gisapp.residents import residential_buildings, share_out
from gisapp.sources.census import GRID_ATTRIBUTION, GRID_GROUPS, GRID_TITLE, is_census_grid, read_census_grid
from gisapp.sources.files import name_column, read_vector
from gisapp.sources.osm import RawOSM, read_osm
from gisapp.sources.uncounted import MISSING_NOTE, homes_by_floor

OSM_ATTRIBUTION = "© OpenStreetMap contributors, available under the Open Database Licence (ODbL)"
FRAME_MARGIN_M = 300.0
EDGE_M = 2250.0  # 30 minutes at the adult's speed

Groups = Mapping[str, Sequence[str]]


def read_area(
    *,
    osm: str | Path,
    residents: str | Path | None = None,
    boundary: str | Path | None = None,
    neighbourhoods: str | Path | None = None,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
    name: str | None = None,
    catalogue: tuple[LayerSpec, ...] | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyArea:
    """Read a study area from local files.

    ``osm``: an OpenStreetMap extract. ``residents``: polygons with counts; the Eurostat census grid is recognised
    by its columns, any other table needs ``groups`` (dimension -> count columns). Unless it is that grid, or
    ``published`` names who published it, its counts are protected as they come in (``protect``, under the user's own
    secret); ``keep_exact`` keeps them, and marks all that follows NOT FOR PUBLICATION. Without residents homes are
    weighted by floor area and nothing is said on mixing. ``boundary``: polygons of the municipality, the core;
    without it everything is. The result is in the UTM zone of the extract.
    Raises ``TrefpuntError`` with a sentence on anything it cannot use.
    """
    if keep_exact and published:
        raise InputError("keep_exact is for counts that nobody published: give either that or published.")
    progress("Reading OpenStreetMap data")
    catalogue = load_catalogue() if catalogue is None else catalogue
    matcher = Matcher(catalogue)
    raw = read_osm(osm, wanted=matcher.wanted, keys=matcher.keys)
    crs = projected_crs(raw)
    progress("Building the street network")
    streets = build_streets(raw, crs)
    core = None if boundary is None else _union(read_vector(boundary, crs, what="boundary"), "boundary")
    return assemble_area(
        raw, streets, name=name or _town_name(Path(osm)), catalogue=catalogue, residents=residents, core=core,
        neighbourhoods=neighbourhoods, groups=groups, published=published, keep_exact=keep_exact, progress=progress,
    )  # fmt: skip


def assemble_area(
    raw: RawOSM,
    streets: Streets,
    *,
    name: str,
    catalogue: tuple[LayerSpec, ...],
    residents: str | Path | None = None,
    core: BaseGeometry | None = None,
    neighbourhoods: str | Path | None = None,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyArea:
    """Make a study area of OpenStreetMap data and the streets built from it: the same for files and downloads.

    The CRS is the streets'. Without ``residents``, homes are weighted by floor area: see ``homes_by_floor``.
    """
    crs = CRS.from_user_input(streets.nodes.crs)
    places, place_findings = build_places(raw.features.to_crs(crs), catalogue)
    buildings = residential_buildings(raw.buildings.to_crs(crs))
    osm_source = Source("OpenStreetMap", raw.data_date, "ODbL-1.0", OSM_ATTRIBUTION)
    if residents is None:
        progress("Weighing homes by floor area")
        homes, findings = homes_by_floor(buildings, streets)
        homes, _ = _in_reach_of_streets(homes, streets)
        provenance = Provenance((osm_source,), "missing", MISSING_NOTE)
    else:
        progress("Sharing residents to buildings")
        homes, source, findings = count_homes(
            residents, buildings, streets, groups=groups, published=published, keep_exact=keep_exact
        )
        findings += _home_findings(homes, buildings)
        provenance = Provenance((osm_source, source), homes.attrs["counts"], homes.attrs["counts_note"])
    homes, places = _mark_core(homes, core), _mark_core(places, core)
    if core is not None and not homes["core"].any():
        raise InputError("boundary: no home lies inside it. Use the outline of the same town.")
    progress("Preparing the map's background")
    frame = shapely.box(*streets.nodes.total_bounds).buffer(FRAME_MARGIN_M, join_style="mitre")
    background = build_background(raw, crs, frame=frame, homes=pd.Series(homes.index, index=homes.index))
    areas = (
        None if neighbourhoods is None else _named(read_vector(neighbourhoods, crs, what="neighbourhoods"))
    )
    quality = Quality()
    for finding in (
        *osm_findings(raw, streets), *place_findings, *findings,
        *_edge_findings(homes, streets, background["land"], core),
    ):  # fmt: skip
        quality = quality.add(**vars(finding))
    present = set(places["kind"])
    quality = quality.with_missing_kinds(tuple(k.key for k in catalogue if k.key not in present))
    return StudyArea(
        name=name,
        streets=streets,
        places=places,
        residents=homes,
        kinds=catalogue,
        boundary=core,
        neighbourhoods=areas,
        entrances=gates_of(raw, crs),
        background=background,
        provenance=provenance,
        quality=quality,
    )


def count_homes(
    residents: str | Path,
    buildings: gpd.GeoDataFrame,
    streets: Streets,
    *,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
) -> tuple[gpd.GeoDataFrame, Source, list[Finding]]:
    """Read counts and share them out to ``buildings`` (``floor_m2``, polygons) in reach of the streets.

    Counts that nobody published are protected before anything else is done with them, unless ``keep_exact``. What was
    done stands in the homes' ``attrs``: ``counts`` and ``counts_note``, as in ``Provenance``.
    """
    zones, source, findings = _zones(residents, CRS.from_user_input(streets.nodes.crs), groups, published)
    columns = [c for c in zones.columns if ":" in str(c) or c == "total"]
    if source is None and not keep_exact:
        homes = share_out_protected(zones, columns, buildings, streets)
        said = homes.attrs
    else:
        homes = share_out(zones, columns, buildings, streets)
        exact = {"counts": "exact", "counts_note": f"{NOT_FOR_PUBLICATION}: exact counts."}
        said = (
            exact
            if source is None
            else {"counts": "published", "counts_note": f"Counts published by {source.title}."}
        )
    homes, beyond = _in_reach_of_streets(homes, streets)
    _check_overlap(homes, zones, residents)
    homes.attrs = said
    source = source or Source("Residents, own counts")
    return homes, source, [*findings, *beyond]


def _town_name(path: Path) -> str:
    """Make a name of a file's: las_palmas_20230221.osm.pbf -> Las Palmas."""
    words = [w for w in re.split(r"[\W_]+", path.name.split(".")[0]) if w and not w.isdigit()]
    return " ".join(words).title() or path.name


def projected_crs(raw: RawOSM) -> CRS:
    """Return the UTM zone of an extract."""
    return CRS.from_user_input(gpd.GeoSeries([shapely.box(*raw.bbox)], crs="EPSG:4326").estimate_utm_crs())


def gates_of(raw: RawOSM, crs: CRS) -> gpd.GeoDataFrame:
    """Return mapped entrances and gates: points in ``crs`` with ``is_gate``."""
    points = raw.entrances.to_crs(crs)
    gates = points[["geometry"]].copy()
    gates["is_gate"] = np.array(["barrier" in tags for tags in points["tags"]], dtype=bool)
    return gates


def _zones(
    path: str | Path, crs: CRS, groups: Groups | None, published: str | None
) -> tuple[gpd.GeoDataFrame, Source | None, list[Finding]]:
    """Zones with counts, who published these (None: nobody said so) and what was found on the way."""
    cells = read_vector(path, crs, what="residents")
    if not np.isin(shapely.get_type_id(cells.geometry.to_numpy()), (3, 6)).all():
        raise InputError(f"residents: '{path}' must hold polygons (census cells or zones) only.")
    grid = Source(GRID_TITLE, "2021", "CC BY 4.0", GRID_ATTRIBUTION)
    if is_census_grid(cells.columns) and groups is None:
        zones, findings = read_census_grid(cells)
        return zones, grid, findings
    if groups is None:
        raise InputError(
            f"residents: '{path}' is not a Eurostat census grid. Name its count columns, for instance "
            "--groups 'origin=NAT,EU_OTH,OTH;age=Y_LT15,Y_1564,Y_GE65'."
        )
    faults = []
    zones = gpd.GeoDataFrame(geometry=cells.geometry.to_numpy(), crs=crs)
    zones.index = pd.Index([f"zone {n + 1}" for n in range(len(cells))], dtype=object, name="zone_id")
    for dimension, columns in groups.items():
        for column in columns:
            if column not in cells:
                faults.append(f"residents: '{path}' has no column '{column}' (named for {dimension}).")
                continue
            numbers = pd.to_numeric(cells[column], errors="coerce").to_numpy(float)
            if not (np.isfinite(numbers) & (numbers >= 0)).all():
                bad = int(np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))[0]) + 1
                faults.append(
                    f"residents: column '{column}' of '{path}' holds no count of 0 or more in row {bad}."
                )
            zones[f"{dimension}:{column}"] = numbers
    if faults:
        raise InputError("\n".join(faults))
    sums = [zones[[f"{d}:{c}" for c in columns]].sum(axis=1) for d, columns in groups.items()]
    zones["total"] = np.max([s.to_numpy() for s in sums], axis=0)
    if published:
        return zones, Source(published, attribution=published), []
    of_grid = is_census_grid(cells.columns) and {c for own in groups.values() for c in own} <= set(
        GRID_GROUPS
    )
    return zones, grid if of_grid else None, []


def _union(frame: gpd.GeoDataFrame, what: str) -> BaseGeometry:
    shape: BaseGeometry = frame.geometry.union_all()
    if shape.area == 0:
        raise InputError(f"{what}: holds no polygon. Use the outline of the municipality.")
    return shape


def _mark_core(frame: gpd.GeoDataFrame, core: BaseGeometry | None) -> gpd.GeoDataFrame:
    if core is None:
        return frame.assign(core=True)
    shapely.prepare(core)
    return frame.assign(core=shapely.intersects(core, frame.geometry.to_numpy()))


def _in_reach_of_streets(homes: gpd.GeoDataFrame, streets: Streets) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Leave out homes beyond the extract, and say so: a census often covers far more ground than the streets."""
    hull = shapely.convex_hull(shapely.multipoints(streets.nodes.geometry.to_numpy())).buffer(FRAME_MARGIN_M)
    here = shapely.intersects(hull, homes.geometry.to_numpy())
    if here.all():
        return homes, []
    people, total = float(homes.loc[~here, "total"].sum()), float(homes["total"].sum())
    sentence = f"{people:,.0f} of the table's {total:,.0f} people live beyond the streets' extract and were left out."
    return homes[here], [Finding("residents_beyond", sentence, "note", people, total)]


def _check_overlap(homes: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, path: str | Path) -> None:
    if homes.empty:
        west, south, east, north = zones.to_crs("EPSG:4326").total_bounds
        raise InputError(
            f"residents: '{path}' does not overlap the streets; it lies between longitude {west:.2f} and {east:.2f}, "
            f"latitude {south:.2f} and {north:.2f}. Use residents and streets of the same town."
        )


def _named(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names = name_column(frame, what="neighbourhoods")
    named = gpd.GeoDataFrame(
        {"name": names.to_numpy(dtype=object)}, geometry=frame.geometry.to_numpy(), crs=frame.crs
    )
    return named.sort_values("name", ignore_index=True)


def osm_findings(raw: RawOSM, streets: Streets) -> list[Finding]:
    edges = streets.edges
    findings = []
    if raw.counts.get("ways_clipped"):
        n = raw.counts["ways_clipped"]
        findings.append(
            Finding("ways_clipped", f"{n} of {len(raw.ways)} walkable ways name nodes that the extract lacks; the "
                    "stretches that are there were kept.", "note", n, len(raw.ways))
        )  # fmt: skip
    if raw.counts.get("areas_broken"):
        n = raw.counts["areas_broken"]
        findings.append(
            Finding("areas_broken", f"{n} areas could not be assembled and were left out.", "note", n)
        )
    length = edges["length_m"].to_numpy(float)
    for code, word in (("wheelchair", "wheelchair access"), ("lit", "lighting")):
        unknown = length[~edges[f"{code}_known"].to_numpy(bool)].sum()
        findings.append(
            Finding(f"{code}_unknown", f"{unknown / length.sum():.0%} of the network's length says nothing on {word}: "
                    "unknown is not no.", "info", float(unknown), float(length.sum()))
        )  # fmt: skip
    return findings


def _home_findings(homes: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> list[Finding]:
    total = float(homes["total"].sum())
    used = buildings.loc[buildings.index.intersection(homes.index)]
    findings = [
        Finding("levels_imputed", f"{used['levels_imputed'].mean():.0%} of residential buildings have no mapped number "
                "of storeys; it was taken from buildings within 100 m.", "note",
                int(used["levels_imputed"].sum()), len(used))
    ] if len(used) else []  # fmt: skip
    elsewhere = float(homes.loc[homes["spread"] != "buildings", "total"].sum())
    if elsewhere:
        findings.append(
            Finding("no_buildings", f"{elsewhere / total:.0%} of residents live in census cells without a mapped "
                    "residential building; they were spread along the streets there.", "note", elsewhere, total)
        )  # fmt: skip
    return findings


def _edge_findings(
    homes: gpd.GeoDataFrame, streets: Streets, land: gpd.GeoDataFrame, core: BaseGeometry | None
) -> list[Finding]:
    """Report core residents within 30 minutes of where the data ends; the sea is no such edge."""
    hull = shapely.convex_hull(shapely.multipoints(streets.nodes.geometry.to_numpy()))
    rim = shapely.intersection(shapely.boundary(hull), shapely.union_all(land.geometry.to_numpy()))
    inside = homes[homes["core"]]
    near = shapely.dwithin(inside.geometry.to_numpy(), rim, EDGE_M)
    people, total = float(inside.loc[near, "total"].sum()), float(inside["total"].sum())
    findings = []
    if people:
        findings.append(
            Finding("near_edge", f"{people / total:.0%} of residents live within 30 minutes of the edge of the data: "
                    "places beyond it are missing from their scores.", "note", people, total)
        )  # fmt: skip
    if core is None:
        findings.append(
            Finding("no_boundary", "No boundary was given: everybody in the data counts as a resident of the town.",
                    "note")
        )  # fmt: skip
    return findings
