"""Reading OpenStreetMap extracts (.osm.pbf, .osm and its compressed forms) with pyosmium.

One pass over the file gives everything the product uses: walkable ways, meeting places, buildings, entrances
and what the map's background needs. An ordinary clipped extract names nodes that are not in the file; the
stretches of a way that are there are kept, and what was cut is counted.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import osmium
import pandas as pd
import shapely

from gisapp.errors import InputError, MissingError

Tags = dict[str, str]

_NOT_WALKED = (
    "abandoned|bus_guideway|busway|construction|demolished|disused|emergency_bay|escape|motorway|motorway_link|"
    "no|planned|platform|proposed|raceway|razed|rest_area|services|via_ferrata"
)
_SEPARATE = "".join(
    f'["{key}"!~"^separate$"]' for key in ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")
)
# Overpass filters, as OSMnx takes them in `custom_filter`; their union is what counts as walkable.
# A road whose pavements are mapped on their own is left out, as OSMnx does: people walk on the pavement.
WALK_FILTERS: tuple[str, ...] = (
    f'["highway"]["area"!~"^yes$"]["highway"!~"^({_NOT_WALKED}|cycleway)$"]["motorroad"!~"^yes$"]'
    f'["foot"!~"^(no|private|use_sidepath)$"]["access"!~"^(private|no)$"]["service"!~"private"]{_SEPARATE}',
    f'["highway"]["area"!~"^yes$"]["highway"!~"^({_NOT_WALKED})$"]["foot"~"^(yes|designated|permissive)$"]',
)
WAY_TAGS = ("highway", "name", "wheelchair", "lit", "incline", "kerb", "tunnel")  # kept of each walkable way
_AREA_HIGHWAYS = ("pedestrian", "footway", "path", "steps", "corridor")
GATES = (
    "gate", "kissing_gate", "swing_gate", "entrance", "turnstile", "lift_gate", "stile", "sally_port", "wicket_gate"
)  # fmt: skip
_NO_ENTRANCES = ("no", "emergency", "exit", "fire_exit", "garage")
GREEN: Mapping[str, tuple[str, ...]] = {
    "leisure": ("park", "garden", "nature_reserve", "golf_course", "dog_park", "common", "pitch"),
    "landuse": ("grass", "forest", "meadow", "recreation_ground", "cemetery", "village_green", "allotments",
                "orchard", "vineyard", "greenfield"),
    "natural": ("wood", "scrub", "grassland", "heath", "wetland"),
}  # fmt: skip
WATER: Mapping[str, tuple[str, ...]] = {
    "natural": ("water", "bay"),
    "waterway": ("riverbank", "dock"),
    "landuse": ("reservoir", "basin"),
    "leisure": ("swimming_pool",),
}
_KEYS = ("highway", "building", "entrance", "barrier", "natural", "waterway", "landuse", "leisure")
_NO_DATE = 1970
_SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".osm.xz")


@dataclass(frozen=True)
class RawOSM:
    """What one extract holds, in longitude and latitude (EPSG:4326), before anything is decided.

    ``refs``, ``lon``, ``lat``: the nodes of all walkable ways one after the other, NaN where the extract lacks
    the node; way ``w`` has rows ``starts[w]:starts[w+1]``. ``ways``: a row a way, ``osm_id`` and its tags.
    ``lifts``: node ids of lifts. ``features``: what the catalogue may want, index OSM id, ``tags``, geometry, and
    ``last_edit`` (ISO date, None where the file does not say). ``buildings``: the same without dates. ``entrances``:
    points. ``coastline``: lines, land on the left.
    """

    refs: npt.NDArray[np.int64]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]
    ways: pd.DataFrame
    lifts: npt.NDArray[np.int64]
    features: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    entrances: gpd.GeoDataFrame
    coastline: gpd.GeoDataFrame
    green: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    bbox: tuple[float, float, float, float]
    data_date: str
    counts: Mapping[str, int] = field(default_factory=dict)


def read_osm(path: str | Path, *, wanted: Callable[[Tags], bool], keys: Iterable[str]) -> RawOSM:
    """Read an OpenStreetMap extract.

    ``wanted(tags)`` says whether an object may be a meeting place; ``keys`` are the tag keys it looks at, so that
    other objects never leave the parser. Raises ``MissingError`` where there is no file and ``InputError`` where
    it is no OpenStreetMap extract or holds no walkable way.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingError(
            f"{path}: there is no such file. Give the path of an OpenStreetMap extract (.osm.pbf)."
        )
    if not path.name.lower().endswith(_SUFFIXES):
        raise InputError(
            f"{path}: not an OpenStreetMap extract by its name; expected {', '.join(_SUFFIXES)}."
        )
    collector = _Collector(wanted)
    try:
        header = osmium.io.Reader(str(path)).header()
        processor = (
            osmium.FileProcessor(str(path))
            .with_locations()
            .with_areas()
            .with_filter(osmium.filter.KeyFilter(*dict.fromkeys((*_KEYS, *keys))))
        )
        for thing in processor:
            collector.take(thing)
    except (RuntimeError, ValueError, OSError) as fault:
        if "ID twice" in str(fault):
            raise InputError(
                f"{path}: holds one object in several versions, as a file with history does. Use an ordinary extract."
            ) from fault
        raise InputError(
            f"{path}: cannot be read as OpenStreetMap data ({fault}). Is the file complete? Download it again."
        ) from fault
    if not collector.way_tags:
        raise InputError(
            f"{path}: holds no walkable way (no 'highway' that people may walk). Use another extract."
        )
    date = header.get("osmosis_replication_timestamp") or header.get("timestamp")
    return collector.finish(date[:10])


def walkable(tags: Mapping[str, str]) -> bool:
    """Tell whether ``WALK_FILTERS`` lets a way through: the same rule as Overpass applies to the same text.

    >>> walkable({"highway": "footway"}), walkable({"highway": "cycleway"})
    (True, False)
    >>> walkable({"highway": "cycleway", "foot": "designated"})
    True
    """
    return any(all(test(tags) for test in tests) for tests in _WALK_TESTS)


def _compile(overpass_filter: str) -> list[Callable[[Mapping[str, str]], bool]]:
    found = re.findall(r'\["([^"]+)"(?:(!?~)"([^"]*)")?\]', overpass_filter)
    return [partial(_passes, key=key, operator=operator, regex=re.compile(p)) for key, operator, p in found]


def _passes(tags: Mapping[str, str], *, key: str, operator: str, regex: re.Pattern[str]) -> bool:
    if operator == "!~":
        return key not in tags or not regex.search(tags[key])
    return key in tags and bool(regex.search(tags[key]))


_WALK_TESTS = [_compile(text) for text in WALK_FILTERS]


class _Collector:
    """Takes objects as the parser yields them and sorts them into lists; nothing is decided beyond that."""

    def __init__(self, wanted: Callable[[Tags], bool]) -> None:
        self.wanted = wanted
        self.refs: list[int] = []
        self.xy: list[tuple[float, float]] = []
        self.starts: list[int] = [0]
        self.way_ids: list[int] = []
        self.way_tags: list[Tags] = []
        self.lifts: list[int] = []
        self.features: list[tuple[str, Any, Tags]] = []
        self.buildings: list[tuple[str, Any, Tags]] = []
        self.entrances: list[tuple[str, Any, Tags]] = []
        self.coastline: list[tuple[str, Any, Tags]] = []
        self.green: list[tuple[str, Any, Tags]] = []
        self.water: list[tuple[str, Any, Tags]] = []
        self.edits: dict[str, str] = {}
        self.relations: set[int] = set()
        self.assembled: set[int] = set()
        self.counts = {"ways_clipped": 0, "refs_missing": 0, "areas_broken": 0, "deleted": 0}
        self.factory = osmium.geom.WKBFactory()

    def take(self, thing: Any) -> None:
        if thing.deleted:
            self.counts["deleted"] += 1
        elif thing.is_node():
            self._take_node(thing)
        elif thing.is_area():
            self._take_area(thing)
        elif thing.is_way():
            self._take_way(thing)
        elif thing.is_relation():
            self._take_relation(thing)

    def _take_node(self, node: Any) -> None:
        tags = dict(node.tags)
        if tags.get("highway") == "elevator":
            self.lifts.append(node.id)
        is_entrance = _is_way_in(tags)
        is_feature = self.wanted(tags)
        if not (is_entrance or is_feature) or not node.location.valid():
            return
        row = (f"node/{node.id}", shapely.Point(node.lon, node.lat), tags)
        if is_entrance:
            self.entrances.append(row)
        if is_feature:
            self.features.append(row)
            self._date(row[0], node)

    def _take_relation(self, relation: Any) -> None:
        """Remember what should become an area: with a member missing, none is assembled from it."""
        tags = dict(relation.tags)
        is_used = tags.get("building", "no") != "no" or _any_of(tags, GREEN) or _any_of(tags, WATER)
        if tags.get("type") == "multipolygon" and (is_used or self.wanted(tags)):
            self.relations.add(relation.id)

    def _take_way(self, way: Any) -> None:
        tags = dict(way.tags)
        if tags.get("natural") == "coastline":
            points = [(r.lon, r.lat) for r in way.nodes if r.location.valid()]
            if len(points) > 1:
                self.coastline.append((f"way/{way.id}", shapely.LineString(points), tags))
        if walkable(tags):
            self._take_line(way.id, way.nodes, tags)
        elif not way.is_closed() and self.wanted(tags):
            points = [(r.lon, r.lat) for r in way.nodes if r.location.valid()]
            if len(points) > 1:
                self.features.append((f"way/{way.id}", shapely.LineString(points), tags))
                self._date(f"way/{way.id}", way)

    def _take_line(self, osm_id: int, nodes: Any, tags: Tags) -> None:
        missing = 0
        for ref in nodes:
            self.refs.append(ref.ref)
            if ref.location.valid():
                self.xy.append((ref.lon, ref.lat))
            else:
                self.xy.append((np.nan, np.nan))
                missing += 1
        self.counts["refs_missing"] += missing
        self.counts["ways_clipped"] += missing > 0
        self.starts.append(len(self.refs))
        self.way_ids.append(osm_id)
        self.way_tags.append(tags)

    def _take_area(self, area: Any) -> None:
        tags = dict(area.tags)
        if not area.from_way():
            self.assembled.add(area.orig_id())
        if not area.from_way() and "boundary" not in tags:
            tags["type"] = "multipolygon"  # which osmium leaves out of an assembled area's tags
        is_building = tags.get("building", "no") != "no"
        is_feature = self.wanted(tags)
        is_green, is_water = _any_of(tags, GREEN), _any_of(tags, WATER)
        if _is_walking_area(tags, from_way=area.from_way()):
            # People cross a square, but OSM draws its outline only: walking along the outline keeps its
            # sides joined. OSMnx drops such areas: a deliberate difference.
            for ring in area.outer_rings():
                self._take_line(area.orig_id(), ring, tags)
        if not (is_building or is_feature or is_green or is_water):
            return
        try:
            shape = self.factory.create_multipolygon(area)
        except RuntimeError:
            self.counts["areas_broken"] += 1
            return
        row = (f"{'way' if area.from_way() else 'relation'}/{area.orig_id()}", shape, tags)
        for rows, belongs in (
            (self.buildings, is_building),
            (self.features, is_feature),
            (self.green, is_green),
            (self.water, is_water),
        ):
            if belongs:
                rows.append(row)
        if is_feature:
            self._date(row[0], area)

    def _date(self, osm_id: str, thing: Any) -> None:
        """Remember when an object was last edited; a file without dates has all of them in 1970."""
        if thing.timestamp.year > _NO_DATE:
            self.edits[osm_id] = f"{thing.timestamp:%Y-%m-%d}"

    def finish(self, data_date: str) -> RawOSM:
        self.counts["relations_incomplete"] = len(self.relations - self.assembled)
        lonlat = np.array(self.xy, dtype=float).reshape(-1, 2)
        low, high = np.nanmin(lonlat, axis=0), np.nanmax(lonlat, axis=0)
        return RawOSM(
            refs=np.array(self.refs, dtype=np.int64),
            lon=lonlat[:, 0],
            lat=lonlat[:, 1],
            starts=np.array(self.starts, dtype=np.int64),
            ways=_way_table(self.way_ids, self.way_tags),
            lifts=np.array(sorted(self.lifts), dtype=np.int64),
            features=_frame(self.features).assign(
                last_edit=lambda f: pd.Series([self.edits.get(i) for i in f.index], f.index, dtype=object)
            ),
            buildings=_frame(self.buildings),
            entrances=_frame(self.entrances),
            coastline=_frame(self.coastline),
            green=_frame(self.green),
            water=_frame(self.water),
            bbox=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
            data_date=data_date,
            counts=self.counts,
        )


def _any_of(tags: Mapping[str, str], values: Mapping[str, tuple[str, ...]]) -> bool:
    return any(tags.get(key) in wanted for key, wanted in values.items())


def _is_way_in(tags: Mapping[str, str]) -> bool:
    """Tell whether a node is an entrance or a gate that visitors may use."""
    if tags.get("access") in ("private", "no") or tags.get("foot") in ("private", "no"):
        return False
    return tags.get("entrance", "no") not in _NO_ENTRANCES or tags.get("barrier") in GATES


def _is_walking_area(tags: Mapping[str, str], *, from_way: bool) -> bool:
    if tags.get("highway") not in _AREA_HIGHWAYS or (from_way and tags.get("area") != "yes"):
        return False
    return walkable({key: value for key, value in tags.items() if key != "area"})


def _way_table(ids: list[int], tags: list[Tags]) -> pd.DataFrame:
    table = pd.DataFrame({key: pd.Series([t.get(key) for t in tags], dtype=object) for key in WAY_TAGS})
    table.insert(0, "osm_id", np.array(ids, dtype=np.int64))
    return table


def _frame(rows: list[tuple[str, Any, Tags]]) -> gpd.GeoDataFrame:
    """Make a frame of (id, geometry or WKB hex, tags) rows; of an object met twice in the file, the last is kept."""
    ids = [row[0] for row in rows]
    shapes = np.array([row[1] if not isinstance(row[1], str) else None for row in rows], dtype=object)
    is_text = np.array([isinstance(row[1], str) for row in rows], dtype=bool)
    if is_text.any():
        shapes[is_text] = shapely.from_wkb([row[1] for row in rows if isinstance(row[1], str)])
        single = is_text & (shapely.get_num_geometries(shapes) == 1)
        shapes[single] = shapely.get_geometry(shapes[single], 0)
    frame = gpd.GeoDataFrame(
        {"tags": pd.Series([row[2] for row in rows], dtype=object)}, geometry=shapes, crs="EPSG:4326"
    )
    frame.index = pd.Index(ids, dtype=object, name="osm_id")
    # Versions of one object stand in order: the last is the present one.
    return frame[~frame.index.duplicated(keep="last")]
