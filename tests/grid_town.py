"""A town of 5 x 5 streets as files: what a planner would hand in, small enough to walk with a pencil.

Positions are in blocks: (i, j) is the crossing of column i and row j; a block is some 98 by 100 m.
"""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import shapely
from osm_files import OsmFile, haversine_m

LON, LAT = 3.0, 51.0  # on the central meridian of UTM zone 31: the grid stays upright
DX, DY = 0.0014, 0.0009
SPEED = 1.25

# Cell: west, east (in blocks), then T, NAT, EU_OTH, OTH, Y_LT15, Y_1564, Y_GE65.
CELLS = {
    "west": (-0.5, 2.2, (100, 60, 20, 10, 20, 50, 30)),  # 10 of unknown origin
    "middle": (2.2, 2.8, (40, 10, 0, 30, 10, 20, 10)),  # no building: people live along the streets
    "east": (2.8, 4.5, (80, 70, 5, 5, 10, 60, 10)),
    "hill": (4.5, 6.0, (20, 0, 0, 20, 5, 15, 0)),  # above the lift
}
COUNTS = ("T", "NAT", "EU_OTH", "OTH", "Y_LT15", "Y_1564", "Y_GE65")


def lonlat(i: float, j: float) -> tuple[float, float]:
    """Position in blocks to degrees."""
    return LON + i * DX, LAT + j * DY


def east_m(blocks: float, row: float) -> float:
    """Length of a walk along a row."""
    return haversine_m(*lonlat(0, row), *lonlat(blocks, row))


def north_m(blocks: float) -> float:
    """Length of a walk along a column."""
    return haversine_m(*lonlat(0, 0), *lonlat(0, blocks))


def box(west: float, south: float, east: float, north: float) -> list[tuple[float, float]]:
    """Corners of a rectangle given in blocks."""
    return [lonlat(west, south), lonlat(east, south), lonlat(east, north), lonlat(west, north)]


@dataclass(frozen=True)
class GridTown:
    """The files, and the ids of what is in them."""

    osm: Path
    census: Path
    boundary: Path
    homes: dict[str, str]
    places: dict[str, str]


def write_grid_town(folder: Path) -> GridTown:
    """Write the town's extract, census cells and boundary."""
    osm = OsmFile()
    at = {(i, j): osm.node(*lonlat(i, j)) for i in range(5) for j in range(5)}
    path_south, path_north = osm.node(*lonlat(1.5, 1)), osm.node(*lonlat(1.5, 2))
    beyond = osm.node(*lonlat(5, 2))  # not in the clipped extract
    for j in range(5):
        row = [at[i, j] for i in range(5)]
        if j in (1, 2):
            row.insert(2, path_south if j == 1 else path_north)
        if j == 2:
            row.append(beyond)
        osm.way(row, {"highway": "residential", "name": f"Row {j}"})
    for i in range(5):
        osm.way([at[i, j] for j in range(5)], {"highway": "residential", "name": f"Column {i}"})
    osm.way([path_south, path_north], {"highway": "footway"})
    osm.way([at[3, 0], at[4, 1]], {"highway": "footway", "tunnel": "yes"})
    lift, top = osm.node(*lonlat(4.5, 4), {"highway": "elevator"}), osm.node(*lonlat(5, 4))
    osm.way([at[4, 4], lift, top], {"highway": "footway"})
    osm.way([top, osm.node(*lonlat(5.4, 4))], {"highway": "footway"})
    osm.way([top, osm.node(*lonlat(5, 4.8))], {"highway": "steps"})

    park = osm.ring(box(1.3, 1.3, 1.7, 1.7), {"leisure": "park", "name": "Middle Park"})
    gate = osm.node(*lonlat(3.5, 3.7), {"barrier": "gate"})
    corners = [osm.node(*corner) for corner in box(3.3, 3.3, 3.7, 3.7)]
    playground = osm.way(
        [*corners[:3], gate, corners[3], corners[0]], {"leisure": "playground", "barrier": "fence"}
    )
    door = osm.node(*lonlat(0.2, 3.5), {"entrance": "main"})
    corners = [osm.node(*corner) for corner in box(0.2, 3.4, 0.9, 3.95)]
    library = osm.way(
        [*corners, door, corners[0]], {"building": "yes", "amenity": "library", "name": "Library"}
    )
    cafe = osm.node(*lonlat(5.3, 4.1), {"amenity": "cafe", "name": "Upstairs"})
    lost = osm.node(*lonlat(1.5, -2.5), {"amenity": "cafe", "name": "Far from any street"})
    osm.node(*lonlat(2.5, 2.5), {"amenity": "bench"})

    def house(i: float, j: float, **tags: str) -> str:
        return f"way/{osm.ring(box(i - 0.05, j - 0.05, i + 0.05, j + 0.05), tags)}"

    homes = {
        "south": house(0.5, 0.12, building="apartments", **{"building:levels": "3"}),
        "north": house(1.5, 3.9, building="yes"),
        "tunnel": house(3.4, 0.45, building="house"),
        "hill": house(5.2, 4.1, building="house"),
    }
    house(3.6, 1.4, building="garage")
    house(2.9, 3.2, building="yes", shop="supermarket")
    places = {
        "park": f"way/{park}", "playground": f"way/{playground}", "library": f"way/{library}",
        "cafe": f"node/{cafe}", "lost": f"node/{lost}",
    }  # fmt: skip

    cells = gpd.GeoDataFrame(
        [
            {"GRD_ID": name, **dict(zip(COUNTS, counts, strict=True))}
            for name, (_, _, counts) in CELLS.items()
        ],
        geometry=[shapely.Polygon(box(west, -1, east, 6)) for west, east, _ in CELLS.values()],
        crs=4326,
    )
    cells.to_crs(3035).to_file(folder / "census.gpkg")
    boundary = gpd.GeoDataFrame(
        {"name": ["Town"]}, geometry=[shapely.Polygon(box(-1, -3, 4.45, 6))], crs=4326
    )
    boundary.to_file(folder / "boundary.geojson")
    return GridTown(
        osm.write(folder / "grid town.osm.pbf", without=[beyond]),
        folder / "census.gpkg",
        folder / "boundary.geojson",
        homes,
        places,
    )
