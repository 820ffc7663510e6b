"""Where places are entered from the network: points, doors, or the edge of a park. Never a centroid."""

import json
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisapp.catalogue import LayerSpec
from gisapp.network.graph import Network
from gisapp.network.snap import Snaps, nearest_edge, offsets_mm, snap_points

Ints = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]

BOUNDARY_STEP_M = 25.0  # score.md §1.1 (b)
BOUNDARY_REACH_M = 20.0
_ON_M = 0.5  # a gate this near the outline is on it: extracts round coordinates


@dataclass(frozen=True)
class Entries:
    """Entry points of places: several rows a place, sorted by ``place`` (position in the places table)."""

    place: Ints
    edge: Ints
    offset_mm: Ints
    access_mm: Ints

    def of(self, places: Ints, n_places: int) -> "Entries":
        """Return the entries of ``places`` (positions, ascending) only; ``place`` counts within these."""
        local = np.full(n_places, -1, dtype=np.int64)
        local[places] = np.arange(len(places))
        rows = np.flatnonzero(local[self.place] >= 0)
        return Entries(local[self.place[rows]], self.edge[rows], self.offset_mm[rows], self.access_mm[rows])


def find_entries(
    network: Network,
    places: gpd.GeoDataFrame,
    kinds: tuple[LayerSpec, ...],
    *,
    limit_m: float,
    gates: gpd.GeoDataFrame | None = None,
    homes: Shapes | None = None,
) -> Entries:
    """Find every entry of every place within ``limit_m`` of the network.

    Points snap as they are. Polygons, the first that gives an entry: mapped entrances and gates; for open
    polygons (``entry = "boundary"``, no barrier tag) crossings of edges with the outline, network nodes inside
    and outline points each 25 m within 20 m of an edge; crossings of edges with the outline, else its nearest
    point. What only a stub reaches goes on to the next rule. ``homes``: feet of homes on the network; those
    inside an open polygon are entries too, since inside it no walk is left. A place without a row in the result
    cannot be reached. Source of the rule: Wang, Wang & Liu 2021 (read).
    """
    shapes = places.geometry.to_numpy()
    is_area = np.isin(shapely.get_type_id(shapes), (3, 6))
    entry_of = {kind.key: kind.entry for kind in kinds}
    mode = places["kind"].map(entry_of).fillna("point").to_numpy(dtype=object)
    is_open = is_area & (mode == "boundary") & ~_is_closed(places)
    is_door = np.zeros(len(network.u), dtype=bool)
    is_door[network.doors] = True
    parts = [_snapped(network, shapes, np.flatnonzero(~is_area), limit_m)]
    todo = is_area.copy()
    if gates is not None and len(gates):
        found = _at_gates(network, shapes, np.flatnonzero(todo), is_open, gates, limit_m)
        parts.append(found)
        todo[found.place] = False
    found = _open_outline(network, shapes, np.flatnonzero(todo & is_open), homes)
    parts.append(found)
    todo[found.place[is_door[found.edge]]] = False
    found = _crossings(network, shapes, np.flatnonzero(todo), stubs=False)
    parts.append(found)
    todo[found.place] = False
    parts.append(_nearest_outline(network, shapes, np.flatnonzero(todo), limit_m))
    return _sorted_unique(parts)


def _is_closed(places: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    """Whether an area is fenced or a building: one walks in by its doors only."""
    if "tags" not in places:
        return np.zeros(len(places), dtype=bool)
    closed = (_says_closed(text) for text in places["tags"])
    return np.fromiter(closed, dtype=bool, count=len(places))


def _says_closed(text: object) -> bool:
    if not isinstance(text, str) or not ("barrier" in text or "building" in text):
        return False
    tags = json.loads(text)
    return any(tags.get(key, "no") != "no" for key in ("barrier", "building"))


def _snapped(network: Network, shapes: Shapes, which: Ints, limit_m: float) -> Entries:
    # Lines (a clipped park) are met at their nearest point, as outlines are.
    is_point = shapely.get_type_id(shapes[which]) == 0
    snaps = snap_points(network, shapes[which[is_point]], limit_m=limit_m)
    points = _of_snaps(which[is_point], snaps)
    return _join([points, _nearest_outline(network, shapes, which[~is_point], limit_m)])


def _at_gates(
    network: Network,
    shapes: Shapes,
    which: Ints,
    is_open: npt.NDArray[np.bool_],
    gates: gpd.GeoDataFrame,
    limit_m: float,
) -> Entries:
    points = gates.geometry.to_numpy()
    is_gate = gates["is_gate"].to_numpy(bool) if "is_gate" in gates else np.ones(len(gates), bool)
    place, gate = (
        shapely.STRtree(points).query(shapes[which], predicate="dwithin", distance=_ON_M).reshape(2, -1)
    )
    # The door of a pavilion inside a park is not the park's entrance: inside an open area only gates count.
    edge_m = shapely.distance(shapely.boundary(shapes[which[place]]), points[gate])
    keep = (edge_m <= _ON_M) | is_gate[gate] | ~is_open[which[place]]
    place, gate = which[place[keep]], gate[keep]
    return _of_snaps(place, snap_points(network, points[gate], limit_m=limit_m))


def _open_outline(network: Network, shapes: Shapes, which: Ints, homes: Shapes | None) -> Entries:
    areas = shapes[which]
    if not len(areas):
        return _join([])
    area, edge = _touching(network, areas, stubs=True)
    inside = [
        _on_edge(network, which[area[within]], edge[within], end[within])
        for end in (shapely.get_point(network.lines[edge], 0), shapely.get_point(network.lines[edge], -1))
        for within in [shapely.intersects(areas[area], end)]
    ]
    marks, owner = _outline_points(shapely.boundary(areas))
    near = snap_points(network, marks, limit_m=BOUNDARY_REACH_M)
    parts = [_crossings(network, shapes, which, stubs=True), *inside, _of_snaps(which[owner], near)]
    if homes is not None and len(homes):
        area, home = shapely.STRtree(homes).query(areas, predicate="intersects")
        nearest = snap_points(network, homes[home], limit_m=_ON_M)
        parts.append(
            _of_snaps(which[area], Snaps(nearest.edge, nearest.offset_mm, np.zeros_like(nearest.edge)))
        )
    return _join(parts)


def _crossings(network: Network, shapes: Shapes, which: Ints, *, stubs: bool) -> Entries:
    """Where edges with doors (and stubs) cross the outlines of areas."""
    outlines = shapely.boundary(shapes[which])
    area, edge = _touching(network, outlines, stubs=stubs)
    crossing = shapely.intersection(network.lines[edge], outlines[area])
    xy, pair = shapely.get_coordinates(crossing, return_index=True)
    return _on_edge(network, which[area[pair]], edge[pair], _points(xy))


def _touching(network: Network, shapes: Shapes, *, stubs: bool) -> tuple[Ints, Ints]:
    """Return each shape (position) with each edge that has doors, or is a stub, and touches it."""
    shape, at = network.door_tree.query(shapes, predicate="intersects")
    edge = network.doors[at]
    if stubs:
        other, at = network.stub_tree.query(shapes, predicate="intersects")
        shape, edge = np.concatenate([shape, other]), np.concatenate([edge, network.stubs[at]])
    return shape, edge


def _points(xy: npt.NDArray[np.float64]) -> Shapes:
    points: Shapes = np.asarray(shapely.points(xy), dtype=object)
    return points


def _outline_points(outlines: Shapes) -> tuple[Shapes, Ints]:
    """Points along each outline, each 25 m from its start."""
    rings, owner = shapely.get_parts(outlines, return_index=True)
    count = np.maximum(1, np.floor(shapely.length(rings) / BOUNDARY_STEP_M).astype(np.int64))
    ring = np.repeat(np.arange(len(rings)), count)
    step = np.arange(len(ring)) - np.repeat(np.cumsum(count) - count, count)
    return shapely.line_interpolate_point(rings[ring], step * BOUNDARY_STEP_M), owner[ring]


def _nearest_outline(network: Network, shapes: Shapes, which: Ints, limit_m: float) -> Entries:
    is_area = np.isin(shapely.get_type_id(shapes[which]), (3, 6))
    outlines = np.where(is_area, shapely.boundary(shapes[which]), shapes[which])
    edge = nearest_edge(network, outlines, limit_m=limit_m)
    hit = edge >= 0
    which, edge = which[hit], edge[hit]
    legs = shapely.shortest_line(network.lines[edge], outlines[hit])
    access = np.round(shapely.length(legs) * 1000).astype(np.int64)
    return Entries(which, edge, offsets_mm(network, edge, shapely.get_point(legs, 0)), access)


def _on_edge(network: Network, place: Ints, edge: Ints, points: Shapes) -> Entries:
    return Entries(place, edge, offsets_mm(network, edge, points), np.zeros(len(place), dtype=np.int64))


def _of_snaps(place: Ints, snaps: Snaps) -> Entries:
    ok = snaps.reached
    return Entries(place[ok], snaps.edge[ok], snaps.offset_mm[ok], snaps.access_mm[ok])


def _join(parts: list[Entries]) -> Entries:
    none = np.zeros(0, dtype=np.int64)
    names = ("place", "edge", "offset_mm", "access_mm")
    return Entries(*(np.concatenate([none, *(getattr(p, f) for p in parts)]) for f in names))


def _sorted_unique(parts: list[Entries]) -> Entries:
    """Sort by place, edge, offset; of entries at one spot keep the cheapest leg."""
    joined = _join(parts)
    table = pd.DataFrame(vars(joined)).sort_values(["place", "edge", "offset_mm", "access_mm"])
    table = table.drop_duplicates(["place", "edge", "offset_mm"])
    return Entries(*(table[c].to_numpy(np.int64) for c in ("place", "edge", "offset_mm", "access_mm")))
