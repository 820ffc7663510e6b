"""Shapes of an extract's ways and relations: simple rings in bulk, all other areas assembled by libosmium."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import osmium
import shapely

from gisapp.sources.osm_objects import AS_AREA, SHAPED, Objects, Use
from gisapp.sources.osm_paths import RING, Paths, Shapes, closed, lines_of, polygons_of, simple_rings
from gisapp.sources.osm_tags import Tags
from gisapp.sources.osm_text import Extract, member_ways

Square = tuple[int, Tags, Paths]  # OSM id, tags, outline


@dataclass
class Drawn:
    """``ways``, ``relations``: a polygon (of places also a line) or None for each of the objects.

    ``last_ways``: the last member of each relation; a reader that takes way by way has it complete there.
    ``squares``: the areas that people walk over, in that order. ``broken``: areas that could not be assembled.
    ``incomplete``: multipolygons that lack members.
    """

    ways: Shapes
    relations: Shapes
    last_ways: npt.NDArray[np.float64]
    squares: list[Square] = field(default_factory=list)
    broken: int = 0
    incomplete: int = 0


def draw(source: Path, extract: Extract, objects: Objects, paths: Paths) -> Drawn:
    """Draw the used ways, whose node lists are ``paths``, and relations of the file ``source``."""
    ways, relations = objects.ways, objects.relations
    use = ways.use
    same_node, same_place = closed(paths)
    is_ring = (same_node | same_place) & (np.diff(paths.starts) >= RING)
    rings = np.flatnonzero(is_ring & ((use & AS_AREA) > 0) & ((use & Use.NO_AREA) == 0))
    simple, outlines = simple_rings(paths.take(rings))
    odd, rings = rings[~simple], rings[simple]
    made = assemble(
        source,
        extract,
        ways=[ways.ids[n] for n in odd],
        relations=relations.ids,
        members=[way for text in relations.where for way in member_ways(text)],
    )
    shapes = np.full(len(use), None, dtype=object)
    lines = np.flatnonzero(~same_node & ((use & Use.PLACE) > 0) & ((use & Use.WALK) == 0))
    shapes[lines] = lines_of(paths.take(lines))
    shapes[rings] = polygons_of(outlines)
    shapes[odd] = made.shapes([("way", ways.ids[n]) for n in odd])
    last_ways = [max(member_ways(text), default=np.inf) for text in relations.where]
    drawn = Drawn(
        shapes, made.shapes([("relation", n) for n in relations.ids]), np.array(last_ways, dtype=float)
    )
    squares: list[tuple[float, Square]] = []
    for n, last_way in enumerate(last_ways):
        name, tags = ("relation", relations.ids[n]), relations.tags[n]
        if relations.uses[n] & Use.SQUARE:
            squares += [(last_way, (name[1], tags, outline)) for outline in made.outlines.get(name, ())]
        if relations.uses[n] & SHAPED:
            drawn.broken += name in made.wkb and made.wkb[name] is None
            drawn.incomplete += name not in made.wkb and tags["type"] == "multipolygon"
    for way in odd.tolist():
        name, tags = ("way", ways.ids[way]), ways.tags[way]
        if ways.uses[way] & Use.SQUARE:
            squares += [(name[1], (name[1], tags, outline)) for outline in made.outlines.get(name, ())]
        drawn.broken += bool(ways.uses[way] & SHAPED) and name in made.wkb and made.wkb[name] is None
    for row in np.flatnonzero(use[rings] & Use.SQUARE):
        way = int(rings[row])
        squares.append((ways.ids[way], (ways.ids[way], ways.tags[way], outlines.take(np.array([row])))))
    drawn.squares.extend(square for _, square in sorted(squares, key=lambda row: row[0]))
    return drawn


@dataclass
class Assembled:
    """Areas that libosmium made, by ("way" or "relation", id): their shape, None if broken, and outer rings."""

    wkb: dict[tuple[str, int], str | None] = field(default_factory=dict)
    outlines: dict[tuple[str, int], list[Paths]] = field(default_factory=dict)
    _factory: osmium.geom.WKBFactory = field(default_factory=osmium.geom.WKBFactory)

    def area(self, area: osmium.osm.Area) -> None:
        """Take an area, as a handler of pyosmium does."""
        name = ("way" if area.from_way() else "relation", area.orig_id())
        try:
            self.wkb[name] = self._factory.create_multipolygon(area)
        except RuntimeError:
            self.wkb[name] = None
        if "highway" in area.tags:
            self.outlines[name] = [_outline(ring) for ring in area.outer_rings()]

    def shapes(self, names: Iterable[tuple[str, int]]) -> Shapes:
        """Return the areas of these names, polygons where they have one part, and None where there is none."""
        shapes: Shapes = shapely.from_wkb(np.array([self.wkb.get(name) for name in names], dtype=object))
        single = shapely.get_num_geometries(shapes) == 1
        shapes[single] = shapely.get_geometry(shapes[single], 0)
        return shapes


def assemble(
    source: Path, extract: Extract, *, ways: Iterable[int], relations: Iterable[int], members: Iterable[int]
) -> Assembled:
    """Let libosmium assemble areas from ``ways`` by themselves and from ``relations`` of ``members``."""
    found, manager = Assembled(), osmium.area.AreaManager()
    # pyosmium filters and places ids above 0 only: new objects of an editor, below 0, are not assembled.
    ways, relations, members = ([i for i in ids if i > 0] for ids in (ways, relations, members))
    if not (ways or relations):
        return found
    with osmium.io.Reader(str(source), osmium.osm.RELATION) as reader:
        osmium.apply(reader, osmium.filter.IdFilter(relations), manager.first_pass_handler())
    places = osmium.NodeLocationsForWays(extract.locations)
    places.ignore_errors()
    needed = osmium.filter.IdFilter([*ways, *members])
    with osmium.io.Reader(str(source), osmium.osm.WAY) as reader:
        osmium.apply(reader, needed, places, manager.second_pass_handler(found))
    return found


def _outline(ring: osmium.osm.OuterRing) -> Paths:
    refs, x, y = np.array([(node.ref, node.x, node.y) for node in ring], dtype=np.int64).T
    return Paths(refs, x, y, np.ones(len(refs), dtype=bool), np.array([0, len(refs)]))
