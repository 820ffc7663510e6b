"""Reading OpenStreetMap extracts (.osm.pbf, .osm and its compressed forms) with pyosmium.

One reading gives everything the product uses: walkable ways, meeting places, buildings, entrances and what the
map's background needs. An ordinary clipped extract names nodes that are not in the file; the stretches of a way
that are there are kept, and what was cut is counted. Of an object in several versions the newest is read.
"""

import lzma
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
from gisapp.sources.osm_text import Extract, place_of, read_extract
from gisapp.sources.osm_versions import newest_versions

__all__ = ["GATES", "GREEN", "WALK_FILTERS", "WATER", "WAY_TAGS", "RawOSM", "read_osm", "walkable"]

_SUFFIXES = (".pbf", *(f"{kind}{pack}" for kind in (".osm", ".osh") for pack in ("", ".gz", ".bz2", ".xz")))
MOST_UNPACKED = 8e9  # bytes


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
            return _read(_plain(path, Path(name)), Path(name), wanted, keys)
        except InputError:
            raise
        except (RuntimeError, ValueError, OSError, EOFError, lzma.LZMAError) as fault:
            raise InputError(
                f"{path}: cannot be read as OpenStreetMap data ({fault}). Is the file complete? Download it again."
            ) from fault


def _plain(path: Path, folder: Path) -> Path:
    """Unpack what pyosmium cannot."""
    if path.suffix.lower() != ".xz":
        return path
    plain = folder / path.stem
    with lzma.open(path) as packed, plain.open("wb") as unpacked:
        while part := packed.read(1 << 20):
            if unpacked.tell() > MOST_UNPACKED:
                raise InputError(
                    f"{path}: unpacks to more than {MOST_UNPACKED / 1e9:.0f} GB. Use an extract of one town."
                )
            unpacked.write(part)
    return plain


def _read(path: Path, folder: Path, wanted: Callable[[Tags], bool], keys: tuple[str, ...]) -> RawOSM:
    header = osmium.io.Reader(str(path), osmium.osm.NOTHING).header()
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
            f"{path.name}: holds no walkable way (no 'highway' that people may walk). Use another extract."
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
    shapes = np.concatenate([_points(nodes), drawn.relations, drawn.ways])
    uses = np.concatenate([nodes.use, relations.use, np.where(is_line, ways.use & Use.PLACE, ways.use)])
    uses[shapely.is_missing(shapes)] = 0
    # Nodes, then areas in the order in which reading the ways one by one completes them.
    after = np.concatenate([np.full(len(nodes.ids), -np.inf), drawn.last_ways, ways.ids])
    order = np.argsort(after, kind="stable")
    names = _as_objects([*_names("node", nodes), *_names("relation", relations), *_names("way", ways)])
    tags = _as_objects([*nodes.tags, *map(_area_tags, relations.tags), *ways.tags])
    dates = [*nodes.dates, *relations.dates, *ways.dates]

    def layer(use: int) -> gpd.GeoDataFrame:
        rows = order[(uses[order] & use) > 0]
        return _frame(names[rows], tags[rows], shapes[rows])

    places = layer(Use.PLACE)
    edited = dict(zip(names, dates, strict=True))
    places["last_edit"] = _as_objects([_edit(edited[name]) for name in places.index])
    shore = len(names) - len(ways.ids) + coast
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
        features=places,
        buildings=layer(Use.BUILDING),
        entrances=layer(Use.ENTRANCE),
        coastline=_frame(names[shore], tags[shore], lines_of(paths.take(coast))),
        green=layer(Use.GREEN),
        water=layer(Use.WATER),
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


def _as_objects(values: list[Any]) -> npt.NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _frame(names: Shapes, tags: Shapes, shapes: Shapes) -> gpd.GeoDataFrame:
    index = pd.Index(names, dtype=object, name="osm_id")
    return gpd.GeoDataFrame({"tags": tags}, index=index, geometry=shapes, crs="EPSG:4326")
