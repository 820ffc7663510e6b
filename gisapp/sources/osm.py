"""Reading OpenStreetMap extracts (.osm.pbf, .osm and its compressed forms) with pyosmium.

One reading gives everything the product uses: walkable ways, meeting places, buildings, entrances and what the
map's background needs. An ordinary clipped extract names nodes that are not in the file; the stretches of a way
that are there are kept, and what was cut is counted. Of an object in several versions the newest is read.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import osmium
import pandas as pd
import shapely

from gisapp.errors import InputError, MissingError
from gisapp.sources.osm_areas import draw
from gisapp.sources.osm_objects import Found, Objects, Use, sort_objects
from gisapp.sources.osm_paths import Paths, Shapes, lines_of
from gisapp.sources.osm_tags import GATES, GREEN, NODE_KEYS, WALK_FILTERS, WATER, WAY_TAGS, Tags, walkable
from gisapp.sources.osm_text import Extract, member_ways, place_of, read_extract
from gisapp.sources.osm_versions import newest_versions

__all__ = ["GATES", "GREEN", "WALK_FILTERS", "WATER", "WAY_TAGS", "RawOSM", "read_osm", "walkable"]

_SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".osm.xz", ".osh.pbf", ".osh")


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
    """Read an OpenStreetMap extract, or a file with history as it stands at its end.

    ``wanted(tags)`` says whether an object may be a meeting place; ``keys`` are the tag keys it looks at, so that
    other objects are not asked about. Raises ``MissingError`` where there is no file and ``InputError`` where it is
    no OpenStreetMap extract or holds no walkable way.
    """
    path, keys = Path(path), tuple(keys)
    if not path.is_file():
        found = "this is a folder" if path.is_dir() else "there is no such file"
        raise MissingError(f"{path}: {found}. Give the path of an OpenStreetMap extract (.osm.pbf).")
    if not path.name.lower().endswith(_SUFFIXES):
        raise InputError(
            f"{path}: not an OpenStreetMap extract by its name; expected {', '.join(_SUFFIXES)}."
        )
    if not path.stat().st_size:
        raise InputError(f"{path}: is empty (0 bytes). Download it again.")
    with TemporaryDirectory(prefix="trefpunt-", ignore_cleanup_errors=True) as name:
        try:
            return _read(path, Path(name), wanted, keys)
        except InputError:
            raise
        except (RuntimeError, ValueError, OSError) as fault:
            raise InputError(
                f"{path}: cannot be read as OpenStreetMap data ({fault}). Is the file complete? Download it again."
            ) from fault


def _read(path: Path, folder: Path, wanted: Callable[[Tags], bool], keys: tuple[str, ...]) -> RawOSM:
    header = osmium.io.Reader(str(path)).header()
    date = header.get("osmosis_replication_timestamp") or header.get("timestamp")
    source, older = path, 0
    extract = read_extract(source, folder, node_keys=(*NODE_KEYS, *keys))
    objects = sort_objects(extract, wanted=wanted, keys=keys)
    if not objects.in_order:
        source, older = newest_versions(path, folder, objects=objects.total), objects.total
        extract = read_extract(source, folder, node_keys=(*NODE_KEYS, *keys))
        objects = sort_objects(extract, wanted=wanted, keys=keys)
        older -= objects.total
    raw = _shape(source, extract, objects)
    if not np.isfinite(raw.lon).any():
        raise InputError(
            f"{path}: holds no walkable way (no 'highway' that people may walk). Use another extract."
        )
    return replace(raw, data_date=date[:10], counts={**raw.counts, "older_versions": older})


def _shape(source: Path, extract: Extract, objects: Objects) -> RawOSM:
    """Give the objects their geometry and put them where they belong."""
    nodes, ways, relations = objects.nodes, objects.ways, objects.relations
    paths = Paths.of(ways.where, extract)
    drawn = draw(source, extract, objects, paths)
    walk, coast = np.flatnonzero(ways.use & Use.WALK), np.flatnonzero(ways.use & Use.COAST)
    # People cross a square, but OSM draws its outline only: walking along the outline keeps its sides joined.
    # OSMnx drops such areas: a deliberate difference.
    streets = Paths.joined([paths.take(walk), *(outline for _, _, outline in drawn.squares)])
    lonlat = streets.lonlat
    west, south = np.min(lonlat[streets.here], axis=0, initial=np.inf)
    east, north = np.max(lonlat[streets.here], axis=0, initial=-np.inf)
    is_line = shapely.get_type_id(drawn.ways) == shapely.GeometryType.LINESTRING
    way_use = np.where(is_line, ways.use & Use.PLACE, ways.use)
    table = pd.DataFrame(
        {
            "name": [*_names("node", nodes), *_names("relation", relations), *_names("way", ways)],
            "tags": _objects([*nodes.tags, *map(_area_tags, relations.tags), *ways.tags]),
            "last_edit": _objects([*map(_edit, (*nodes.dates, *relations.dates, *ways.dates))]),
            "shape": np.concatenate([_points(nodes), drawn.relations, drawn.ways]),
            "use": np.concatenate([nodes.use, relations.use, way_use]),
            # Nodes, then areas in the order in which reading the ways one by one completes them.
            "after": [*(-np.inf for _ in nodes.ids), *map(_last_way, relations.where), *ways.ids],
        }
    )
    shores = table.iloc[-len(ways.ids) + coast].assign(shape=lines_of(paths.take(coast)), use=Use.COAST)
    table = table.sort_values("after", kind="stable")
    return RawOSM(
        refs=streets.refs,
        lon=lonlat[:, 0],
        lat=lonlat[:, 1],
        starts=streets.starts,
        ways=_way_table(
            [*(ways.ids[n] for n in walk), *(number for number, _, _ in drawn.squares)],
            [*(ways.tags[n] for n in walk), *(tags for _, tags, _ in drawn.squares)],
        ),
        lifts=np.sort(np.array(nodes.ids, dtype=np.int64)[(nodes.use & Use.LIFT) > 0]),
        features=_layer(table, Use.PLACE, "last_edit"),
        buildings=_layer(table, Use.BUILDING),
        entrances=_layer(table, Use.ENTRANCE),
        coastline=_layer(shores, Use.COAST),
        green=_layer(table, Use.GREEN),
        water=_layer(table, Use.WATER),
        bbox=(float(west), float(south), float(east), float(north)),
        data_date="",
        counts={
            "ways_clipped": len(np.unique(streets.way[~streets.here])),
            "refs_missing": int((~streets.here).sum()),
            "areas_broken": drawn.broken,
            "relations_incomplete": drawn.incomplete,
            "deleted": objects.deleted,
        },
    )


def _names(kind: str, found: Found) -> list[str]:
    return [f"{kind}/{number}" for number in found.ids]


def _edit(date: str) -> str | None:
    return date if date >= "1971" else None  # a file without dates has all of them in 1970


def _last_way(members: str) -> float:
    return max(member_ways(members), default=np.inf)


def _points(nodes: Found) -> Shapes:
    places = [place_of(text) for text in nodes.where]
    points = np.full(len(places), None, dtype=object)
    is_there = np.array([place is not None for place in places], dtype=bool)
    points[is_there] = shapely.points(
        np.array([place for place in places if place], dtype=float).reshape(-1, 2)
    )
    return points


def _area_tags(tags: Tags) -> Tags:
    """Return a relation's tags as those of an area: what is drawn in parts is a multipolygon, unless a boundary."""
    others = {key: value for key, value in tags.items() if key != "type"}
    return others if "boundary" in tags else {**others, "type": "multipolygon"}


def _way_table(ids: list[int], tags: list[Tags]) -> pd.DataFrame:
    table = pd.DataFrame({key: pd.Series([t.get(key) for t in tags], dtype=object) for key in WAY_TAGS})
    table.insert(0, "osm_id", np.array(ids, dtype=np.int64))
    return table


def _objects(values: list[Any]) -> "pd.Series[Any]":
    return pd.Series(values, dtype=object)


def _layer(table: pd.DataFrame, use: int, *columns: str) -> gpd.GeoDataFrame:
    """Return the objects of one use that have a shape, their tags and more ``columns``."""
    rows = table[((table["use"] & use) > 0) & table["shape"].notna()]
    values = {column: _objects(list(rows[column])) for column in ("tags", *columns)}
    frame = gpd.GeoDataFrame(values, geometry=rows["shape"].to_numpy(), crs="EPSG:4326")
    frame.index = pd.Index(rows["name"], dtype=object, name="osm_id")
    return frame
