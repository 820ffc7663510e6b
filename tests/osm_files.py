"""Small OpenStreetMap files for tests: points, ways and multipolygons by hand, written with pyosmium."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import osmium
from osmium.osm import mutable

EARTH_RADIUS_M = 6_371_009.0


def haversine_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the great-circle distance in metres between two points in degrees."""
    a, b = np.radians([lat1, lat2])
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    return float(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half)))


class OsmFile:
    """Collects objects; ``write`` puts them into a .osm or .osm.pbf file, in the order OSM files have."""

    def __init__(self) -> None:
        self.nodes: dict[int, tuple[float, float, dict[str, str]]] = {}
        self.ways: dict[int, tuple[list[int], dict[str, str]]] = {}
        self.relations: dict[int, tuple[list[tuple[str, int, str]], dict[str, str]]] = {}

    def node(self, lon: float, lat: float, tags: Mapping[str, str] | None = None, *, id: int = 0) -> int:
        """Add a node and return its id; coordinates are rounded as OpenStreetMap keeps them."""
        number = id or 1 + max(self.nodes, default=0)
        self.nodes[number] = (round(lon, 7), round(lat, 7), dict(tags or {}))
        return number

    def way(self, refs: Iterable[int], tags: Mapping[str, str], *, id: int = 0) -> int:
        """Add a way over nodes (which need not be in the file) and return its id."""
        number = id or 1 + max(self.ways, default=0)
        self.ways[number] = (list(refs), dict(tags))
        return number

    def ring(self, corners: Iterable[tuple[float, float]], tags: Mapping[str, str]) -> int:
        """Add a closed way with nodes of its own and return its id."""
        refs = [self.node(lon, lat) for lon, lat in corners]
        return self.way([*refs, refs[0]], tags)

    def relation(self, members: Iterable[tuple[str, int, str]], tags: Mapping[str, str]) -> int:
        """Add a relation of (type, id, role) members and return its id."""
        number = 1 + max(self.relations, default=0)
        self.relations[number] = (list(members), dict(tags))
        return number

    def length_m(self, *refs: int) -> float:
        """Return the great-circle length of a walk over nodes."""
        at = [self.nodes[ref][:2] for ref in refs]
        return sum(haversine_m(*a, *b) for a, b in zip(at[:-1], at[1:], strict=True))

    def write(self, path: Path, *, without: Iterable[int] = ()) -> Path:
        """Write the file and return its path; the nodes ``without`` stay out, as in a clipped extract."""
        left_out = set(without)
        header = osmium.io.Header()
        header.set("osmosis_replication_timestamp", "2026-03-01T00:00:00Z")
        header.set("timestamp", "2026-03-01T00:00:00Z")
        about = {"version": 1, "visible": True}
        with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
            for number, (lon, lat, tags) in sorted(self.nodes.items()):
                if number not in left_out:
                    writer.add_node(mutable.Node(id=number, location=(lon, lat), tags=tags, **about))
            for number, (refs, tags) in sorted(self.ways.items()):
                writer.add_way(mutable.Way(id=number, nodes=refs, tags=tags, **about))
            for number, (members, tags) in sorted(self.relations.items()):
                short = [(kind[0], ref, role) for kind, ref, role in members]
                writer.add_relation(mutable.Relation(id=number, members=short, tags=tags, **about))
        return path
