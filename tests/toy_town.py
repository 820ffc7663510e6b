"""A small made-up town and an assessment of it, for what only draws and explains.

Its scores are not the point: minutes are straight lines, so that nothing here depends on the network.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisapp.area import Provenance, Source, Streets, StudyArea
from gisapp.assessment import Assessment
from gisapp.catalogue import LayerSpec
from gisapp.params import Params
from gisapp.quality import Quality

CRS = 32631
HOSTILE = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>'
GROUPS = ("age:0_14", "age:15_64", "age:65plus", "residence:newcomer", "residence:long_time")
KINDS = ("libraries", "playgrounds", "cafes", "gardens")  # gardens: none in this town
EAST, NORTH = 600_000.0, 5_700_000.0


def _spec(key: str, open_to: str = "all", access_only: bool = False) -> LayerSpec:
    return LayerSpec(
        key=key,
        title={"en": key.capitalize()},
        why="made up",
        any_of={},
        none_of={},
        open_to=open_to,
        access_only=access_only,
    )


def toy_area() -> StudyArea:
    """Return a town of 8 x 6 blocks of 100 m by the sea, 96 homes and 9 places in three of four kinds."""
    lines, names, highway = [], [], []
    for i in range(9):
        lines.append(shapely.LineString([(EAST + 100 * i, NORTH), (EAST + 100 * i, NORTH + 600)]))
        names.append(f"Column {i}")
        highway.append("primary" if i == 4 else "residential")
    for j in range(7):
        lines.append(shapely.LineString([(EAST, NORTH + 100 * j), (EAST + 800, NORTH + 100 * j)]))
        names.append("Sea walk" if j == 0 else f"Row {j}")
        highway.append("footway" if j == 0 else "residential")
    edges = gpd.GeoDataFrame({"highway": highway, "name": names}, geometry=lines, crs=CRS)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(25.0, 800, 66), np.arange(30.0, 600, 80)))
    homes = pd.Index([f"h{i:02}" for i in range(len(x))], name="home_id")
    total = 20.0 + 10.0 * (np.arange(len(x)) % 4)
    east = x / 800
    counts = {
        "age:0_14": 0.2 * total,
        "age:15_64": 0.5 * total,
        "age:65plus": 0.3 * total,
        "residence:newcomer": np.round(total * 0.8 * east),
        "residence:long_time": total - np.round(total * 0.8 * east),
    }
    residents = gpd.GeoDataFrame(
        {**counts, "total": total, "core": True, "zone_id": np.where(x < 400, "west", "east")},
        index=homes,
        geometry=gpd.points_from_xy(EAST + x, NORTH + y),
        crs=CRS,
    )
    buildings = gpd.GeoDataFrame(
        {"home_id": [*homes, None]},
        geometry=[
            *residents.geometry.buffer(12, cap_style="square"),
            shapely.box(EAST, NORTH + 560, EAST + 30, NORTH + 590),
        ],
        crs=CRS,
    )
    spots = [
        (100, 100),
        (700, 500),
        (400, 300),
        (50, 300),
        (750, 80),
        (200, 500),
        (600, 200),
        (420, 560),
        (330, 90),
    ]
    kinds = [
        "libraries",
        "libraries",
        "playgrounds",
        "playgrounds",
        "playgrounds",
        "cafes",
        "cafes",
        "cafes",
        "cafes",
    ]
    places = gpd.GeoDataFrame(
        {
            "kind": kinds,
            "name": [
                "Library west",
                HOSTILE,
                "Swings",
                None,
                "Slides",
                "=HYPERLINK()",
                "Café Ü",
                "Bar <b>",
                "The end",
            ],
            "open_to": ["all"] * 5 + ["customers"] * 4,
            "core": True,
        },
        index=pd.Index([f"node/{i}" for i in range(9)], name="place_id"),
        geometry=[shapely.Point(EAST + a, NORTH + b) for a, b in spots],
        crs=CRS,
    )
    box = shapely.box(EAST - 60, NORTH - 40, EAST + 860, NORTH + 660)
    layer = lambda *shapes: gpd.GeoDataFrame(geometry=list(shapes), crs=CRS)  # noqa: E731
    return StudyArea(
        name="Toy town",
        streets=Streets(nodes=gpd.GeoDataFrame(geometry=[], crs=CRS), edges=edges),
        places=places,
        residents=residents,
        kinds=(_spec("libraries"), _spec("playgrounds"), _spec("cafes", "customers"), _spec("gardens")),
        boundary=box,
        neighbourhoods=gpd.GeoDataFrame(
            {"name": ["West", HOSTILE]},
            geometry=[
                shapely.box(EAST, NORTH, EAST + 400, NORTH + 600),
                shapely.box(EAST + 400, NORTH, EAST + 800, NORTH + 600),
            ],
            crs=CRS,
        ),
        background={
            "land": layer(box),
            "water": layer(shapely.box(EAST - 400, NORTH - 400, EAST + 1200, NORTH - 40)),
            "green": layer(shapely.box(EAST + 610, NORTH + 310, EAST + 690, NORTH + 390)),
            "buildings": buildings,
        },
        provenance=Provenance(
            sources=(
                Source("OpenStreetMap", "2026-01-01", "ODbL-1.0", "© OpenStreetMap contributors, ODbL"),
            ),
            counts="invented",
            counts_note="Residents are invented for this toy town.",
            notes=("Every home lies near the edge of the data.",),
        ),
    )


def toy_assessment(area: StudyArea | None = None) -> Assessment:
    """Return plausible tables for ``area`` (the toy town if None), with the columns of the contract."""
    area = toy_area() if area is None else area
    homes, places = area.residents, area.places
    kinds = tuple(spec.key for spec in area.kinds)
    groups = [c for c in homes if ":" in str(c)]
    dims = list(dict.fromkeys(g.split(":")[0] for g in groups))
    home_xy, place_xy = _xy(homes), _xy(places)
    minutes = np.hypot(*(home_xy[:, None, :] - place_xy[None, :, :]).transpose(2, 0, 1)) * 1.25 / 75
    decay = np.where(minutes <= 30, 2.0 ** (-minutes / 5), 0.0)
    total = homes["total"].to_numpy()
    table = pd.DataFrame(index=homes.index)
    for kind in kinds:
        times = np.sort(minutes[:, (places["kind"] == kind).to_numpy()], axis=1)
        nearest = times[:, 0] if times.shape[1] else np.full(len(homes), np.inf)
        table[f"nearest_min:{kind}"] = np.where(nearest <= 30, nearest, np.nan)
        table[f"access:{kind}"] = 100 * 2.0 ** (-nearest / 5)
        table[f"within_norm:{kind}"] = (nearest <= 6).astype(float)
    access = table[[f"access:{k}" for k in kinds]]
    table["access"] = np.exp(np.log1p(access).mean(axis=1)) - 1
    lowest = access.eq(access.min(axis=1), axis=0)
    table["weakest_kind"] = [
        ";".join(k for k, low in zip(kinds, row, strict=True) if low) for row in lowest.to_numpy()
    ]
    result = pd.DataFrame({"kind": places["kind"], "reach": total @ decay}, index=places.index)
    pull = decay / (decay.sum(axis=1, keepdims=True) + 0.125)
    result["visitors"] = total @ pull
    result["room_to_sort"] = 0.4
    city, last = [], places.index[-1]
    for dim in dims:
        own = [g for g in groups if g.startswith(f"{dim}:")]
        visits = homes[own].to_numpy().T @ pull
        shares = visits / visits.sum(axis=0)
        town = homes[own].sum().to_numpy() / homes[own].to_numpy().sum()
        chance = 1 - (shares**2).sum(axis=0)
        whole = 1 - (town**2).sum()
        result[f"chance:{dim}"] = chance
        result[f"mix:{dim}"] = chance / whole
        result[f"representativeness:{dim}"] = 1 - np.abs(shares - town[:, None]).sum(axis=0) / 2
        result[f"inherited:{dim}"] = 0.9 * chance / whole
        result[f"mixed:{dim}"] = (result[f"mix:{dim}"] >= 0.8).astype(float)
        for g, v in zip(own, visits, strict=True):
            result[f"visitors:{g}"] = v
            table[f"meets_others:{g}"] = (pull @ (1 - shares[own.index(g)])) / pull.sum(axis=1)
            table[f"meets_others_at_home:{g}"] = 0.8 * table[f"meets_others:{g}"]
        mixed = result[f"mixed:{dim}"].to_numpy(dtype=bool)
        table[f"mixed_place_10min:{dim}"] = (minutes[:, mixed] <= 10).any(axis=1).astype(float)
        table[f"mixed_place_10min_sorted:{dim}"] = (minutes[:, mixed] <= 5).any(axis=1).astype(float)
        result.loc[last, [c for c in result if c.endswith(f":{dim}") or c.startswith(f"visitors:{dim}")]] = (
            np.nan
        )
        city.append(
            {
                "dimension": dim,
                "kind": "all",
                "mixed_place_10min": np.average(table[f"mixed_place_10min:{dim}"], weights=total),
                "mixed_place_10min_sorted": np.average(
                    table[f"mixed_place_10min_sorted:{dim}"], weights=total
                ),
                "any_place_10min": 0.97,
                "islands_home_visits": 0.31,
                "islands_places": 0.08,
                "islands_places_nearest": 0.14,
                "islands_home": 0.33,
                "islands_home_visits_nearest": 0.31,
            }
        )
    near = np.argwhere(minutes <= 30)
    times = pd.DataFrame(
        {
            "home_id": homes.index[near[:, 0]],
            "place_id": places.index[near[:, 1]],
            "minutes": minutes[near[:, 0], near[:, 1]],
        }
    )
    empty = pd.DataFrame()
    present = set(places["kind"])
    return Assessment(
        homes=table,
        places=result,
        city=pd.DataFrame(city),
        exposure=empty,
        equity=empty,
        inequality=empty,
        times=lambda: times,
        params=Params(kinds=kinds),
        provenance=area.provenance,
        quality=Quality().with_missing_kinds(tuple(k for k in kinds if k not in present)),
        area=area,
    )


def _xy(frame: gpd.GeoDataFrame) -> np.ndarray:
    return shapely.get_coordinates(shapely.point_on_surface(frame.geometry.to_numpy()))
