"""Barriers between neighbourhoods, and what a crossing would give: found by the detours that they impose.

A barrier is where two streets on either side of a border lie close and the walk between them is long. That finds water,
railways, motorways and walls alike; what lies between can be named only as far as the area's data shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from gisapp.area import StudyArea
from gisapp.assessment import Assessment
from gisapp.errors import InputError
from gisapp.islands import compositions, unlikeness
from gisapp.measures import dimensions
from gisapp.network.routing import Routing, linked
from gisapp.network.times import minutes_of
from gisapp.params import Params
from gisapp.reuse import Kept

LONGEST_M = 150.0  # a footbridge or an underpass, with its ramps
LEAST_DETOUR_MIN = 5.0
WITHIN_MIN = 15.0  # walks beyond this count as this
NEAR_M = 300.0  # whose residents are near an end of a crossing
APART_M = 100.0  # nearer to each other, two crossings are one
_ROADS = {"trunk road": ("motorway", "trunk"), "main road": ("primary",)}
_COLUMNS = ["neighbourhood", "other", "barrier", "straight_m", "walk_min", "people_nearer", "people_within_norm",
            "person_minutes"]  # fmt: skip

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Spot:
    """A possible crossing: its line, and the walk between its ends as things are (infinite beyond the horizon)."""

    line: shapely.LineString
    walk_min: float


def crossings(
    assessment: Assessment,
    *,
    longest_m: float = LONGEST_M,
    least_detour_min: float = LEAST_DETOUR_MIN,
    tries: int = 3,
) -> gpd.GeoDataFrame:
    """Return the barriers between adjacent neighbourhoods, each with the best crossing that was found.

    Neighbourhoods are adjacent if they are at most ``longest_m`` apart. A spot is two street corners, one on either
    side, at most that far apart, of which the walk is ``least_detour_min`` longer than the straight line, with no
    building between. Of the ``tries`` spots with the longest detours for most people around, the one whose footpath
    saves most walking is kept. A row a border, most person-minutes first; borders without such a spot are left out.

    Columns ``neighbourhood``, ``other``; ``barrier``: ``water``, ``trunk road`` and ``main road``, ``;``-joined, or
    ``unknown``, as railways, walls and slopes are not in the data; ``straight_m``; ``walk_min``, today's (missing:
    beyond the horizon, or no way at all, which may be a gap of the map). Over the core's residents, of walks to the
    nearest place of each kind, cut at 15 minutes: ``people_nearer`` (a minute or more, to any kind),
    ``people_within_norm`` (newly, of any kind), ``person_minutes`` saved, the mean over kinds. ``unlike:{d}``: how
    different the neighbourhoods are, 0-1. Geometry: the footpath; ``Scenario.link`` between its ends tells all else
    that it does. A search a spot: seconds for a small town, a minute for a city of 400,000 and 29 neighbourhoods.

    Raises ``InputError`` for an assessment without an area with two neighbourhoods.
    """
    area, params = assessment.area, assessment.params
    kept = assessment.inputs.kept if assessment.inputs is not None else None
    if (
        area is None
        or area.neighbourhoods is None
        or len(area.neighbourhoods) < 2
        or not isinstance(kept, Kept)
    ):
        raise InputError("crossings: needs a scored area (ga.assess) with two neighbourhoods or more.")
    today = _nearest(kept.routing, kept)
    names = area.neighbourhoods["name"].astype(str).tolist()
    unlike = {d: unlikeness(compositions(assessment, d)) for d in dimensions(assessment)}
    rows, lines = [], []
    for one, other, spots in _borders(area, kept.routing, params, longest_m, least_detour_min, tries):
        gains = [_gain(kept, area, params, spot.line, today) for spot in spots]
        best = max(range(len(spots)), key=lambda n: (gains[n]["person_minutes"], -n))
        spot = spots[best]
        row = {
            "neighbourhood": names[one], "other": names[other], "barrier": _between(area, spot.line),
            "straight_m": float(spot.line.length),
            "walk_min": spot.walk_min if np.isfinite(spot.walk_min) else np.nan, **gains[best],
        }  # fmt: skip
        for dimension, table in unlike.items():
            both = names[one] in table.index and names[other] in table.index
            row[f"unlike:{dimension}"] = float(table.loc[names[one], names[other]]) if both else np.nan
        rows.append(row)
        lines.append(spot.line)
    columns = [*_COLUMNS, *(f"unlike:{d}" for d in unlike)]
    table = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=lines, crs=area.crs)
    return table.sort_values("person_minutes", ascending=False, kind="stable", ignore_index=True)


def _borders(
    area: StudyArea, routing: Routing, params: Params, longest_m: float, least_min: float, tries: int
) -> Iterator[tuple[int, int, list[_Spot]]]:
    """Yield each two adjacent neighbourhoods (positions) between which there are spots, with these."""
    assert area.neighbourhoods is not None
    network = (routing.unlinked or routing).network
    shapes = area.neighbourhoods.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    used = np.unique(np.concatenate([network.u[network.doors], network.v[network.doors]]))
    points = area.streets.nodes.geometry.to_numpy()[used]
    node, shape = tree.query(points, predicate="intersects")
    first, at = np.unique(node, return_index=True)
    inside = np.full(len(used), -1)
    inside[first] = shape[at]
    xy = shapely.get_coordinates(points)
    people = _people_near(area, xy)
    graph = routing.network.matrix()
    limit = routing.limit_mm(params.horizon_min)
    pairs = tree.query(shapes, predicate="dwithin", distance=longest_m)
    for one, other in sorted((int(a), int(b)) for a, b in pairs.T if a < b):
        here, there = (
            np.flatnonzero((inside == own) & shapely.dwithin(points, shapes[far], longest_m))
            for own, far in ((one, other), (other, one))
        )
        if not len(here) or not len(there):
            continue
        near = cKDTree(xy[here]).query_ball_tree(cKDTree(xy[there]), longest_m)
        a = np.repeat(np.arange(len(here)), [len(each) for each in near])
        b = np.array([n for each in near for n in each], dtype=np.int64)
        if not len(a):
            continue
        cost = dijkstra(graph, directed=True, indices=used[here], limit=limit)[a, used[there][b]]
        walk, apart = minutes_of(cost, network.speed_ms), np.hypot(*(xy[here][a] - xy[there][b]).T)
        detour = np.minimum(walk, params.horizon_min) - minutes_of(1000 * apart, network.speed_ms)
        promise = np.where(detour >= least_min, detour * np.minimum(people[here][a], people[there][b]), 0.0)
        order = [int(n) for n in np.argsort(-promise, kind="stable") if promise[n] > 0]
        spots = _chosen(area, [(xy[here][a[n]], xy[there][b[n]], float(walk[n])) for n in order], tries)
        if spots:
            yield one, other, spots


def _chosen(area: StudyArea, ends: list[tuple[Floats, Floats, float]], tries: int) -> list[_Spot]:
    """The first spots that lie apart, with no building between."""
    buildings = area.background.get("buildings")
    tree = shapely.STRtree(buildings.geometry.to_numpy() if buildings is not None else [])
    spots: list[_Spot] = []
    for a, b, walk in ends:
        line = shapely.LineString([a, b])
        if any(line.distance(spot.line) < APART_M for spot in spots) or len(tree.query(line, "intersects")):
            continue
        spots.append(_Spot(line, walk))
        if len(spots) == tries:
            break
    return spots


def _people_near(area: StudyArea, xy: Floats) -> Floats:
    """The residents within 300 m, as the crow flies, of each point."""
    homes = shapely.get_coordinates(shapely.centroid(area.residents.geometry.to_numpy()))
    total = area.residents["total"].to_numpy(float)
    near = cKDTree(homes).query_ball_point(xy, NEAR_M)
    return np.array([total[each].sum() for each in near])


def _nearest(routing: Routing, kept: Kept) -> Floats:
    """Minutes to the nearest place of each kind (K, n), at most 15."""
    found = routing.walks(np.arange(routing.n_places), limit=routing.limit_mm(WITHIN_MIN))
    nearest = np.full((len(kept.settings.kinds), len(kept.homes.total)), WITHIN_MIN)
    kind = kept.places.kind[found.place]
    minutes = minutes_of(found.mm, routing.network.speed_ms)
    known = kind >= 0
    np.minimum.at(nearest, (kind[known], found.home[known]), minutes[known])
    return nearest


def _gain(
    kept: Kept, area: StudyArea, params: Params, line: shapely.LineString, today: Floats
) -> dict[str, float]:
    base = kept.routing.unlinked or kept.routing
    after = _nearest(linked(base, area.with_(links=(*area.links, line)), params), kept)
    people = kept.homes.total * kept.homes.core
    saved = today - after
    norm = np.minimum(kept.settings.norm_min, WITHIN_MIN)[:, None]
    newly = ((after <= norm) & (today > norm)).any(axis=0)
    return {
        "people_nearer": float(people[(saved >= 1.0 - 1e-9).any(axis=0)].sum()),
        "people_within_norm": float(people[newly].sum()),
        "person_minutes": float((people * saved.mean(axis=0)).sum()),
    }


def _between(area: StudyArea, line: shapely.LineString) -> str:
    found = []
    water = area.background.get("water")
    if water is not None and water.intersects(line).any():
        found.append("water")
    edges = area.streets.edges
    tunnel = edges["tunnel"].to_numpy(bool) if "tunnel" in edges else np.zeros(len(edges), bool)
    across = (
        edges[edges.crosses(line).to_numpy(bool) & ~tunnel]["highway"].astype(str).str.removesuffix("_link")
    )
    found += [name for name, kinds in _ROADS.items() if across.isin(kinds).any()]
    return ";".join(found) or "unknown"
