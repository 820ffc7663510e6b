"""A study area by its name: OSMnx finds it, downloads its streets and features, and the usual chain does the rest."""

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gisapp.area import Streets, StudyArea
from gisapp.catalogue import LayerSpec, Matcher, load_catalogue
from gisapp.errors import InputError, MissingError
from gisapp.network.build import build_streets
from gisapp.settings import OnlineSettings, read_settings
from gisapp.sources.counts import Groups
from gisapp.sources.elements import write_elements
from gisapp.sources.files import bounds_of
from gisapp.sources.geocode import address_finder, find_place
from gisapp.sources.osm import GATES, WALK_FILTERS, WAY_TAGS, RawOSM, read_osm
from gisapp.sources.overpass import Answers, announces_slots, check_reachable, online, prune_cache
from gisapp.sources.questions import Tags, background_tags, place_tags
from gisapp.sources.read import FRAME_MARGIN_M, assemble_area

if TYPE_CHECKING:
    import networkx as nx

METRES_PER_MIN = 75.0  # 4.5 km/h, the adult's speed
_OUTLINE_M = 50.0  # the outline sent to the server is simplified by this much, and wider by as much
Progress = Callable[[str], None]
Confirm = Callable[[str], bool]


class Downloaded(NamedTuple):
    """OpenStreetMap around a town, cut to where it was asked for, and its street network."""

    raw: RawOSM
    streets: Streets


def fetch_area(
    place: str,
    *,
    kinds: Sequence[str] | None = None,
    buffer_min: float = 30.0,
    places: str | Path | Sequence[str | Path] = (),
    residents: str | Path | None = None,
    zones: str | Path | None = None,
    key: str | None = None,
    neighbourhoods: str | Path | None = None,
    groups: Groups | None = None,
    published: str | None = None,
    keep_exact: bool = False,
    geocode: bool = False,
    confirm: Confirm | None = None,
    fresh: bool = False,
    settings: OnlineSettings | None = None,
    progress: Progress = lambda step: None,
) -> StudyArea:
    """Download a town from OpenStreetMap: the area of ``place`` and ``buffer_min`` minutes' walk around it.

    ``place``: a name such as "Mechelen, Belgium", or an OpenStreetMap id such as "R59518". ``kinds``: keys of the
    layers wanted; None: all. ``places``, ``residents``, ``zones``, ``key``, ``neighbourhoods``, ``groups``,
    ``published``, ``keep_exact``, ``geocode``: as in ``read_area``; no counts are online, so without a file homes are
    weighted by floor area, and nothing mixes. ``confirm``: asked before an area above ``settings.max_area_km2`` is
    downloaded; without it, that is refused. ``fresh``: ask the servers again, whatever answers are kept. The
    municipality is the core; CRS: its UTM zone.

    Raises ``InputError`` where the name means no area, or several, and ``OfflineError`` where a server is out of
    reach, too slow, refuses or answers by halves.
    """
    settings = read_settings() if settings is None else settings
    catalogue = _chosen(kinds)
    if keep_exact and published:
        raise InputError("keep_exact is for counts that nobody published: give either that or published.")
    if not (math.isfinite(buffer_min) and 0 <= buffer_min <= 120):
        raise InputError(f"buffer_min is {buffer_min:g}: give minutes between 0 and 120.")
    progress(f"Looking up {place}")
    found = find_place(place, settings, fresh=fresh)
    outline = gpd.GeoSeries([found.outline], crs="EPSG:4326")
    crs = CRS.from_user_input(outline.estimate_utm_crs())
    core: BaseGeometry = outline.to_crs(crs).iloc[0]
    progress(f"Found {found.title}")
    data = download(
        core,
        crs,
        catalogue,
        buffer_min=buffer_min,
        settings=settings,
        confirm=confirm,
        fresh=fresh,
        progress=progress,
    )
    find = None
    if geocode:
        near = bounds_of(data.streets.nodes)
        find = address_finder(settings, near=near, town=found.title, fresh=fresh, progress=progress)
    own = [places] if isinstance(places, str | Path) else list(places)
    area = assemble_area(
        data.raw, data.streets, name=found.name, catalogue=catalogue, places=own, residents=residents, zones=zones,
        key=key, core=core, neighbourhoods=neighbourhoods, groups=groups, published=published,
        keep_exact=keep_exact, find=find, progress=progress,
    )  # fmt: skip
    note = f"{found.title}, and {buffer_min:g} minutes' walk around it, from {urlsplit(settings.overpass_url).hostname}"
    streets_source, *others = area.provenance.sources
    sources = (replace(streets_source, note=note), *others)
    return area.with_(provenance=replace(area.provenance, sources=sources), buffer_min=float(buffer_min))


def download(
    core: BaseGeometry,
    crs: CRS,
    catalogue: tuple[LayerSpec, ...],
    *,
    buffer_min: float,
    settings: OnlineSettings,
    confirm: Confirm | None = None,
    fresh: bool = False,
    progress: Progress = lambda step: None,
) -> Downloaded:
    """Download streets and features of ``core`` (in ``crs``, metres) and what lies around it.

    OSMnx asks, keeps the answers and builds the graph, which is contracted as a file's ways are. Squares and other
    walking areas, which it leaves out, are added with their outline, as the reader of files does: they join the
    streets around them.
    """
    zone_m = core.buffer(buffer_min * METRES_PER_MIN + _OUTLINE_M).simplify(_OUTLINE_M)
    _check_size(zone_m, settings, confirm)
    frame_m = shapely.box(*zone_m.bounds).buffer(FRAME_MARGIN_M, join_style="mitre")
    zone, frame = shapely.set_precision(
        gpd.GeoSeries([zone_m, frame_m], crs=crs).to_crs(4326).to_numpy(), 1e-6
    )
    matcher = Matcher(catalogue)
    asked: tuple[tuple[str, BaseGeometry, Tags], ...] = (
        ("meeting places", zone, place_tags(catalogue, matcher)),
        ("buildings and entrances", zone, {"building": True, "entrance": True, "barrier": list(GATES)}),
        ("green and water", frame, background_tags()),
    )
    question = [settings.overpass_url, zone.wkt, WALK_FILTERS, WAY_TAGS, [tags for _, _, tags in asked]]
    answers = Answers(question, settings, fresh=fresh)
    slots, verb = False, "Reading kept"
    if not answers.complete:
        verb = "Downloading"
        progress("Asking the map server for room")
        check_reachable(settings.overpass_url, settings)
        slots = announces_slots(settings)
    deadline = time.monotonic() + settings.total_s
    with online(settings, answers, rate_limit=slots, deadline=deadline) as osmnx:
        progress(f"{verb} streets")
        try:
            graph = osmnx.graph_from_polygon(
                zone, network_type="walk", simplify=False, retain_all=True, custom_filter=list(WALK_FILTERS)
            )
        except ValueError as fault:
            answers.forget()
            server = urlsplit(settings.overpass_url).hostname
            raise InputError(
                f"{server} knows no walkable street there. Is the place on land, and in the server's region?"
            ) from fault
        for what, shape, tags in asked:
            progress(f"{verb} {what}")
            _download_only(osmnx, shape, tags)
    progress("Reading what was downloaded")
    raw = _clipped(_read(answers, matcher), zone)
    answers.finish()
    prune_cache(settings)
    progress("Building the street network")
    return Downloaded(raw, build_streets(_as_osmnx_has_it(raw, graph), crs))


def _chosen(kinds: Sequence[str] | None) -> tuple[LayerSpec, ...]:
    catalogue = load_catalogue()
    if kinds is None:
        return catalogue
    known = [spec.key for spec in catalogue]
    for kind in kinds:
        if kind not in known:
            nearest = get_close_matches(kind, known, n=1, cutoff=0.0)[0]
            raise MissingError(
                f"There is no kind '{kind}'; the nearest is '{nearest}'. See 'trefpunt layers'."
            )
    if not kinds:
        raise InputError(
            "No kind of meeting place was chosen: name at least one, or leave kinds out for all."
        )
    return tuple(spec for spec in catalogue if spec.key in kinds)


def _check_size(zone: BaseGeometry, settings: OnlineSettings, confirm: Confirm | None) -> None:
    km2, limit = zone.area / 1e6, settings.max_area_km2
    if km2 <= limit:
        return
    question = f"The area and what lies around it measure {km2:,.0f} km2, more than {limit:,.0f} km2."
    if confirm is None:
        raise InputError(f"{question} Name a smaller place, or say --large to download it all the same.")
    if not confirm(f"{question} Downloading it may take long and burden a shared server. Go on?"):
        raise InputError(f"{question} Nothing was downloaded.")


def _download_only(osmnx: Any, shape: BaseGeometry, tags: Tags) -> None:
    """Let OSMnx download features into its folder; a table with a column a tag would be too wide for a city."""
    osmnx.settings.cache_only_mode = True
    try:
        osmnx.features_from_polygon(shape, dict(tags))
    except InterruptedError:  # how OSMnx says that it is done
        pass
    finally:
        osmnx.settings.cache_only_mode = False


def _read(answers: Answers, matcher: Matcher) -> RawOSM:
    """Read all answers as one extract, by the reader of files: areas, entrances and coasts are made the same way."""
    with tempfile.TemporaryDirectory(prefix="trefpunt-") as folder:
        path = Path(folder) / "answers.osm.pbf"
        data_date = write_elements(answers.read(), path)
        raw = read_osm(path, wanted=matcher.wanted, keys=matcher.keys)
    return replace(raw, data_date=data_date)


def _clipped(raw: RawOSM, zone: BaseGeometry) -> RawOSM:
    """Cut to where was asked: answers hold whole ways, and members of relations that lie elsewhere."""
    shapely.prepare(zone)
    away = ~shapely.intersects_xy(zone, raw.lon, raw.lat)

    def here(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return frame[shapely.intersects(zone, frame.geometry.to_numpy())]

    return replace(
        raw,
        lon=np.where(away, np.nan, raw.lon),
        lat=np.where(away, np.nan, raw.lat),
        features=here(raw.features),
        buildings=here(raw.buildings),
        entrances=here(raw.entrances),
    )


def _as_osmnx_has_it(raw: RawOSM, graph: "nx.MultiDiGraph[Any]") -> RawOSM:
    """Take the ways from OSMnx's graph, each stretch once, and from ``raw`` the walking areas that it leaves out."""
    # Both directions are in it; that of the way says where an escalator goes.
    stretches = [(u, v, data) for u, v, data in graph.edges(data=True) if not data["reversed"]]
    refs = np.array([(u, v) for u, v, _ in stretches], dtype=np.int64).ravel()
    places = np.array([(graph.nodes[ref]["x"], graph.nodes[ref]["y"]) for ref in refs], dtype=float)
    columns = {key: pd.Series([data.get(key) for _, _, data in stretches], dtype=object) for key in WAY_TAGS}
    ways = pd.DataFrame({"osm_id": [data["osmid"] for _, _, data in stretches], **columns})
    sizes = np.diff(raw.starts)
    way = np.repeat(np.arange(len(sizes)), sizes)
    here = np.isfinite(raw.lon)
    drawn = np.flatnonzero((way[:-1] == way[1:]) & here[:-1] & here[1:])
    lacking = [n for n in drawn if not graph.has_edge(raw.refs[n], raw.refs[n + 1])]
    area = np.isin(np.arange(len(sizes)), way[lacking])
    rows = area[way]
    lengths = np.concatenate([np.full(len(ways), 2), sizes[area]])
    return replace(
        raw,
        refs=np.concatenate([refs, raw.refs[rows]]),
        lon=np.concatenate([places[:, 0], raw.lon[rows]]),
        lat=np.concatenate([places[:, 1], raw.lat[rows]]),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        ways=pd.concat([ways, raw.ways[area]], ignore_index=True),
    )
