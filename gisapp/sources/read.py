"""From files to a study area: the one place where sources meet."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from gisapp.completeness import with_completeness
from gisapp.errors import InputError
from gisapp.network.build import build_streets
from gisapp.places import build_places
from gisapp.protect import protect, share_out_protected
from gisapp.quality import Finding, Quality
from gisapp.residents import residential_buildings, share_out
from gisapp.sources.addresses import Finder
from gisapp.sources.counts import (
    Groups,
    are_points,
    drop_unreported,
    homes_at_points,
    read_counts,
    unknown_findings,
)
from gisapp.sources.files import bounds_of, read_layer
from gisapp.sources.findings import coarse_findings, edge_findings, home_findings, osm_findings
from gisapp.sources.formats import parse_spec
from gisapp.sources.merge_places import add_places
from gisapp.sources.neighbourhoods import read_neighbourhoods
from gisapp.sources.osm import RawOSM, read_osm
from gisapp.sources.own_places import OwnPlaces, read_lists
from gisapp.sources.own_streets import no_osm, read_streets
from gisapp.sources.uncounted import MISSING_NOTE, homes_by_floor

OSM_ATTRIBUTION = "© OpenStreetMap contributors, available under the Open Database Licence (ODbL)"
FRAME_MARGIN_M = 300.0
_HALF_WORLD_DEG = 180.0


def read_area(
    *,
    osm: str | Path | None = None,
    streets: str | Path | None = None,
    places: str | Path | Sequence[str | Path] = (),
    residents: str | Path | None = None,
    zones: str | Path | None = None,
    key: str | None = None,
    boundary: str | Path | None = None,
    neighbourhoods: str | Path | None = None,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
    geocode: bool = False,
    name: str | None = None,
    catalogue: tuple[LayerSpec, ...] | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyArea:
    """Read a study area from local files.

    ``osm``: an OpenStreetMap extract. ``streets``: an own walk network, a line layer or an OSMnx GraphML, instead of
    the extract's or without any. ``places``: own lists, ``FILE`` or ``FILE:kind``, merged with the extract's places.
    ``residents``: polygons or points with counts, or, with ``zones`` and ``key``, a table of counts and its polygons;
    the Eurostat census grid is recognised by its columns, any other table needs ``groups`` (dimension -> count
    columns), or columns called ``dimension:group``. Unless it is that grid, or ``published`` names who published it,
    its counts are protected as they come in (``protect``, under the user's own secret); ``keep_exact`` keeps them,
    and marks all that follows NOT FOR PUBLICATION. Without residents homes are weighted by floor area and nothing is
    said on mixing. ``boundary``: polygons of the municipality, the core; without it everything is.
    ``neighbourhoods``: polygons with names. ``geocode``: look up online, at the Nominatim server of the user's
    settings, the addresses of places without coordinates; otherwise these rows are left out, and told. The result is
    in the UTM zone of the streets. Options of a file stand behind its name: ``town.gpkg|layername=zones``. Raises
    ``TrefpuntError`` with a sentence on anything it cannot use.
    """
    if keep_exact and published:
        raise InputError("keep_exact is for counts that nobody published: give either that or published.")
    told = {"zones": zones, "key": key, "groups": groups, "published": published, "keep_exact": keep_exact}
    if residents is None and any(told.values()):
        names = " and ".join(name for name, value in told.items() if value)
        raise InputError(f"{names}: say something of residents, and none are given. Give --residents too.")
    if key is not None and zones is None:
        raise InputError("key: joins a table of residents to its polygons. Give these with --zones too.")
    if osm is None and (streets is None or residents is None):
        raise InputError("Give an OpenStreetMap extract (osm), or your own streets and residents.")
    catalogue = load_catalogue() if catalogue is None else catalogue
    raw, network, notes = _ground(osm, streets, catalogue, progress)
    crs = CRS.from_user_input(network.nodes.crs)
    core = None
    if boundary is not None:
        outline = read_layer(
            boundary, crs, what="boundary", shapes=("polygons",), near=bounds_of(network.nodes)
        )
        core = _union(outline.frame, "boundary")
        if not shapely.intersects(core, network.nodes.geometry.to_numpy()).any():
            raise InputError(
                f"boundary: '{outline.name}' holds no street: it lies beside the town, or in the sea. Use the outline "
                "of the same town."
            )
        notes += outline.findings
    find = None
    if geocode:
        from gisapp.settings import read_settings
        from gisapp.sources.geocode import address_finder

        find = address_finder(
            read_settings(), near=bounds_of(network.nodes), town=name or "", progress=progress
        )
    own = [places] if isinstance(places, str | Path) else list(places)
    area = assemble_area(
        raw, network, name=name or _town_name(Path(osm or streets or "")), catalogue=catalogue, places=own,
        residents=residents, zones=zones, key=key, core=core, neighbourhoods=neighbourhoods, groups=groups,
        published=published, keep_exact=keep_exact, find=find, notes=notes, progress=progress,
    )  # fmt: skip
    if streets is None:
        return area
    sources = area.provenance.sources if osm else area.provenance.sources[1:]
    ours = Source(parse_spec(streets, what="streets").name, note="Own walk network")
    sources = (*sources[:1], ours, *sources[1:]) if osm else (ours, *sources)
    return area.with_(provenance=replace(area.provenance, sources=sources))


def _ground(
    osm: str | Path | None,
    streets: str | Path | None,
    catalogue: tuple[LayerSpec, ...],
    progress: Callable[[str], None],
) -> tuple[RawOSM, Streets, list[Finding]]:
    """What is mapped, and the streets: OpenStreetMap's, or the planner's own."""
    raw, crs = None, None
    if osm is not None:
        progress("Reading OpenStreetMap data")
        matcher = Matcher(catalogue)
        raw = read_osm(osm, wanted=matcher.wanted, keys=matcher.keys)
        crs = projected_crs(raw)
    progress("Building the street network")
    if streets is None and raw is not None and crs is not None:
        return raw, build_streets(raw, crs), []
    own = read_streets(streets or "", crs)
    if raw is None:
        raw = no_osm(bounds_of(own.streets.nodes))
    # What the extract's own ways lack is of no concern any more.
    return (
        replace(raw, counts={k: v for k, v in raw.counts.items() if k != "ways_clipped"}),
        own.streets,
        own.findings,
    )


def assemble_area(
    raw: RawOSM,
    streets: Streets,
    *,
    name: str,
    catalogue: tuple[LayerSpec, ...],
    places: Sequence[str | Path] = (),
    residents: str | Path | None = None,
    zones: str | Path | None = None,
    key: str | None = None,
    core: BaseGeometry | None = None,
    neighbourhoods: str | Path | None = None,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
    find: Finder | None = None,
    notes: Sequence[Finding] = (),
    progress: Callable[[str], None] = lambda step: None,
) -> StudyArea:
    """Make a study area of OpenStreetMap data and the streets built from it: the same for files and downloads.

    The CRS is the streets'. Without ``residents``, homes are weighted by floor area: see ``homes_by_floor``.
    ``find``: looks up addresses of places without coordinates. ``notes``: what was found before.
    """
    crs = CRS.from_user_input(streets.nodes.crs)
    near = bounds_of(streets.nodes)
    osm_places, place_findings = build_places(raw.features.to_crs(crs), catalogue)
    lists = read_lists(places, crs, catalogue, near=near, find=find)
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
            residents,
            buildings,
            streets,
            groups=groups,
            published=published,
            keep_exact=keep_exact,
            zones=zones,
            key=key,
        )
        findings += home_findings(homes, buildings)
        provenance = Provenance((osm_source, source), homes.attrs["counts"], homes.attrs["counts_note"])
    homes = _mark_core(homes, core)
    own = [_mark_core(found.places, core) for found in lists]
    all_places, own_findings = add_places(
        _mark_core(osm_places, core), own, homes, catalogue, exact=keep_exact
    )
    for found in lists:
        place_findings += found.findings
        provenance = replace(provenance, sources=(*provenance.sources, _list_source(found)))
    if core is not None and not homes["core"].any():
        raise InputError("boundary: no home lies inside it. Use the outline of the same town.")
    progress("Preparing the map's background")
    frame = shapely.box(*streets.nodes.total_bounds).buffer(FRAME_MARGIN_M, join_style="mitre")
    background = build_background(raw, crs, frame=frame, homes=pd.Series(homes.index, index=homes.index))
    areas = None
    if neighbourhoods is not None:
        areas, notes_on_areas = read_neighbourhoods(neighbourhoods, homes, near=near)
        findings += notes_on_areas
    quality = Quality()
    for finding in (
        *osm_findings(raw, streets), *notes, *place_findings, *own_findings, *findings,
        *edge_findings(homes, streets, background["land"], core),
    ):  # fmt: skip
        quality = quality.add(**vars(finding))
    present = set(all_places["kind"])
    quality = quality.with_missing_kinds(tuple(k.key for k in catalogue if k.key not in present))
    area = StudyArea(
        name=name,
        streets=streets,
        places=all_places,
        residents=homes,
        kinds=catalogue,
        boundary=core,
        neighbourhoods=areas,
        entrances=gates_of(raw, crs),
        background=background,
        provenance=provenance,
        quality=quality,
    )
    return with_completeness(area)


def count_homes(
    residents: str | Path,
    buildings: gpd.GeoDataFrame,
    streets: Streets,
    *,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
    zones: str | Path | None = None,
    key: str | None = None,
) -> tuple[gpd.GeoDataFrame, Source, list[Finding]]:
    """Read counts (see ``read_counts``) and share them out to ``buildings`` (``floor_m2``) in reach of the streets.

    Counts that nobody published are protected before anything else is done with them, unless ``keep_exact``. What was
    done stands in the homes' ``attrs``: ``counts`` and ``counts_note``, as in ``Provenance``.
    """
    counted, source, findings = read_counts(
        residents, CRS.from_user_input(streets.nodes.crs), near=bounds_of(streets.nodes), groups=groups,
        published=published, zones=zones, key=key,
    )  # fmt: skip
    columns = [c for c in counted.columns if ":" in str(c) or c == "total"]
    protected = source is None and not keep_exact
    said = {"counts": "exact", "counts_note": f"{NOT_FOR_PUBLICATION}: exact counts."}
    if source is not None:
        said = {"counts": "published", "counts_note": f"Counts published by {source.title}."}
    in_points = are_points(counted)
    if in_points:
        homes, notes = homes_at_points(counted)
        findings += notes
        if protected:
            homes = protect(homes, weights=pd.Series(1.0, index=homes.index))
            said = homes.attrs
            homes = homes[(homes[columns] > 0).any(axis=1)]
    elif protected:
        homes = share_out_protected(counted, columns, buildings, streets)
        said = homes.attrs
    else:
        homes = share_out(counted, columns, buildings, streets)
    homes, beyond = _in_reach_of_streets(homes, streets)
    _check_overlap(homes, counted, residents)
    homes, empty = drop_unreported(homes)
    findings += [] if in_points else coarse_findings(homes, counted.geometry)
    homes.attrs = said
    if protected:
        findings = _of_protected(findings, parse_spec(residents, what="residents").name)
    source = source or Source("Residents, own counts")
    return homes, source, [*findings, *beyond, *empty, *unknown_findings(homes)]


def _of_protected(findings: list[Finding], name: str) -> list[Finding]:
    """What was found in a table that is protected: not its name, and not what exact counts alone can tell."""
    return [
        replace(
            f, code=f.code.removesuffix(f":{name}"), sentence=f.sentence.replace(f"'{name}'", "the table")
        )
        for f in findings
        if f.code != "residents_over_total" and not f.code.startswith("residents_imputed_people")
    ]


def _town_name(path: Path) -> str:
    """Make a name of a file's: las_palmas_20230221.osm.pbf -> Las Palmas."""
    words = [w for w in re.split(r"[\W_]+", path.name.split(".")[0]) if w and not w.isdigit()]
    return " ".join(words).title() or path.name


def _list_source(found: OwnPlaces) -> Source:
    return Source(str(found.places["source"].iloc[0]), note="Own list of places")


def projected_crs(raw: RawOSM) -> CRS:
    """Return the UTM zone of an extract. Raises ``InputError`` where it reaches around the world."""
    if raw.bbox[2] - raw.bbox[0] > _HALF_WORLD_DEG:
        raise InputError(
            f"osm: the extract reaches from longitude {raw.bbox[0]:.2f} to {raw.bbox[2]:.2f}, around the world. If the "
            "town crosses the 180th meridian, use an extract of one side."
        )
    return CRS.from_user_input(gpd.GeoSeries([shapely.box(*raw.bbox)], crs="EPSG:4326").estimate_utm_crs())


def gates_of(raw: RawOSM, crs: CRS) -> gpd.GeoDataFrame:
    """Return mapped entrances and gates: points in ``crs`` with ``is_gate``."""
    points = raw.entrances.to_crs(crs)
    gates = points[["geometry"]].copy()
    gates["is_gate"] = np.array(["barrier" in tags for tags in points["tags"]], dtype=bool)
    return gates


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
