"""Where a new place could come: street corners, parks and squares of the map, or the planner's own layer."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisapp.area import StudyArea
from gisapp.errors import InputError, raise_faults
from gisapp.network.graph import Network
from gisapp.network.snap import nearest_edge
from gisapp.scores.arrays import Bools, Ints

MOST = 2000  # candidates of the map; a finer sieve would tell neighbours on one street apart
OPEN_GROUND = ("parks", "squares")
NEAR_M = 500.0  # a street farther off does not say where a corner is
_CORNER = 3  # streets that meet
_SHAPES = ("Point", "Polygon", "MultiPolygon")


def map_candidates(
    area: StudyArea, network: Network, *, limit_m: float, most: int = MOST
) -> gpd.GeoDataFrame:
    """Return points of the core where a place could come: ``source``, ``name``, geometry.

    ``source``: ``corner`` is a node where three or more walkable streets meet, ``path`` one where none of them has a
    name (``name`` is then the nearest street); ``parks`` and ``squares`` give a point inside, or on the outline where
    the inside lies over ``limit_m`` from a street. More than ``most`` are thinned: of the corners in one cell of a
    grid, as fine as it can be, the one nearest to the cell's middle stays; so with open ground.
    """
    ground, corners = _open_ground(area, network, limit_m), _corners(area, network)
    left = max(most - len(ground), most // 2)
    both = pd.concat(
        [ground[_thinned(ground, most - min(left, len(corners)))], corners[_thinned(corners, left)]]
    )
    both.index = pd.RangeIndex(len(both), name="candidate")
    return gpd.GeoDataFrame(both, crs=area.crs)


def own_candidates(area: StudyArea, given: object) -> gpd.GeoDataFrame:
    """Return the planner's candidates as the map's are: all of them, in the area's CRS, ``source`` own.

    A column ``name`` is kept. Raises ``InputError`` with every fault.
    """
    if not isinstance(given, gpd.GeoDataFrame):
        raise InputError(
            f"candidates: are {type(given).__name__}; give a GeoDataFrame of points or polygons."
        )
    faults = []
    if not len(given):
        faults.append("candidates: the layer is empty; give at least one point or polygon.")
    if given.crs is None:
        faults.append("candidates: have no coordinate system; set it with set_crs(...).")
    shapes = given.geometry
    bad = (~shapes.geom_type.isin(_SHAPES) | shapes.is_empty | ~shapes.is_valid).to_numpy(dtype=bool)
    if bad.any():
        first = given.index[bad][0]
        faults.append(
            f"candidates: {int(bad.sum())} of {len(bad)} are no point or sound polygon, the first is row {first}."
        )
    raise_faults(faults)
    moved = given.to_crs(area.crs)
    name = (
        moved["name"].astype(object) if "name" in moved else pd.Series(None, index=moved.index, dtype=object)
    )
    return gpd.GeoDataFrame(
        {"source": "own", "name": name.where(name.notna(), None).to_numpy()},
        geometry=moved.geometry.to_numpy(),
        index=pd.RangeIndex(len(moved), name="candidate"),
        crs=area.crs,
    )


def _corners(area: StudyArea, network: Network) -> gpd.GeoDataFrame:
    ends = np.concatenate([network.u[network.doors], network.v[network.doors]])
    node = np.flatnonzero(np.bincount(ends, minlength=network.n_nodes) >= _CORNER)
    points = area.streets.nodes.geometry.to_numpy()[node]
    inside = _in_core(area, points)
    names, named = _street_names(area, node[inside])
    return _frame(np.where(named, "corner", "path"), names, points[inside], area)


def _street_names(area: StudyArea, node: Ints) -> tuple[list[str | None], Bools]:
    """Return the names of the streets that meet at each node, by alphabet; else the nearest street's, and False."""
    edges, nodes = area.streets.edges, area.streets.nodes
    named = edges[edges["name"].notna() & (edges["name"].astype(str) != "")]
    ends = pd.concat([named[[end, "name"]].set_axis(["node", "name"], axis=1) for end in ("u", "v")])
    wanted = nodes.index[node]
    ends = ends[ends["node"].isin(wanted)].drop_duplicates().sort_values("name")
    names = ends.groupby("node")["name"].agg(" / ".join).reindex(wanted)
    found: list[str | None] = [name if isinstance(name, str) else None for name in names]
    blank = [at for at, name in enumerate(found) if name is None]
    points = nodes.geometry.to_numpy()[node[blank]]
    tree = shapely.STRtree(named.geometry.to_numpy())
    which, edge = tree.query_nearest(points, max_distance=NEAR_M, all_matches=False)
    for at, name in zip(which.tolist(), named["name"].iloc[edge], strict=True):
        found[blank[at]] = name
    return found, names.notna().to_numpy(dtype=bool)


def _open_ground(area: StudyArea, network: Network, limit_m: float) -> gpd.GeoDataFrame:
    places = area.places[area.places["kind"].isin(OPEN_GROUND) & area.places["core"].astype(bool)]
    shapes = places.geometry.to_numpy()
    points = shapely.point_on_surface(shapes)
    far = np.flatnonzero(nearest_edge(network, points, limit_m=limit_m) < 0)
    edge = nearest_edge(network, shapes[far], limit_m=limit_m)
    near = edge >= 0
    points[far[near]] = shapely.get_point(
        shapely.shortest_line(shapes[far[near]], network.lines[edge[near]]), 0
    )
    keep = np.ones(len(points), dtype=bool)
    keep[far[~near]] = False
    names = [name if isinstance(name, str) and name else None for name in places["name"][keep]]
    return _frame(places["kind"].to_numpy(object)[keep], names, points[keep], area)


def _frame(source: object, names: list[str | None], points: np.ndarray, area: StudyArea) -> gpd.GeoDataFrame:
    columns = {"source": source, "name": np.array(names, dtype=object)}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(points)))
    return gpd.GeoDataFrame(frame, geometry=points, crs=area.crs)


def _in_core(area: StudyArea, points: np.ndarray) -> Bools:
    if area.boundary is None:
        return np.ones(len(points), dtype=bool)
    shapely.prepare(area.boundary)
    return np.asarray(shapely.intersects(area.boundary, points))


def _thinned(frame: gpd.GeoDataFrame, most: int) -> Bools:
    """Tell which points stay so that there are at most ``most``, evenly over the town."""
    keep = np.ones(len(frame), dtype=bool)
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    size = 25.0
    while keep.sum() > most:
        cell = np.floor(xy / size)
        off = np.abs(xy - (cell + 0.5) * size).max(axis=1)
        order = np.lexsort((off, cell[:, 1], cell[:, 0]))
        new = np.append(True, (np.diff(cell[order], axis=0) != 0).any(axis=1))
        keep = np.zeros(len(frame), dtype=bool)
        keep[order[new]] = True
        size *= 1.1
    return keep
