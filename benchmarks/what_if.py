"""One place more on Las Palmas: ``python -m benchmarks.what_if DATA ROUNDS`` prints the rows of a table."""

import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import gisapp as ga
from benchmarks import engines, towns
from benchmarks.measure import side_by_side
from gisapp.network import compiled
from gisapp.network.entries import Entries


def with_place(area: ga.StudyArea, kind: str, at: shapely.Point) -> ga.StudyArea:
    """Return the area with one place more."""
    places = area.places
    row = dict.fromkeys(places.columns) | {"kind": kind, "geometry": at}
    new = gpd.GeoDataFrame([row], index=pd.Index(["new/1"], name=places.index.name), crs=places.crs)
    for column in places.columns.drop("geometry"):
        new[column] = True if places[column].dtype == bool else new[column].astype(places[column].dtype)
    return area.with_(places=pd.concat([places, new]))


def main(data: Path, rounds: int) -> list[str]:
    """Score the town, then again with one place more of several kinds."""
    town = data / "las_palmas"
    area = ga.read_area(
        osm=data / towns.FILES["Las Palmas"], residents=town / "census2021_1km.gpkg",
        boundary=town / "municipality.geojson", neighbourhoods=town / "school_catchments_29.geojson",
    )  # fmt: skip
    base = ga.assess(area)
    centre = shapely.Point(area.residents.geometry.x.median(), area.residents.geometry.y.median())
    rows = ["| new place, of a kind with | walks to the kind | computed since the baseline, s | in full, s | equal |",
            "|---|---|---|---|---|"]  # fmt: skip
    of_kind = base.travel_times["place_id"].astype(str).map(area.places["kind"]).value_counts()
    for kind in ("clubs", "playgrounds", "parks", "restaurants"):
        changed = with_place(area, kind, centre)
        timed = side_by_side(
            {
                "since": lambda: ga.assess(changed, base.params, since=base),  # noqa: B023
                "full": lambda: ga.assess(changed, base.params),  # noqa: B023
            },
            rounds=rounds,
        )
        one, other = timed["since"].result, timed["full"].result
        equal = all(getattr(one, t).equals(getattr(other, t)) for t in ("homes", "places", "city", "equity"))
        number = int((area.places["kind"] == kind).sum())
        rows.append(
            f"| {kind} ({number:,}) | {int(of_kind[kind]):,} | {timed['since'].wall_s:.2f} "
            f"| {timed['full'].wall_s:.2f} | {'to the bit' if equal else 'NO'} |"
        )
    rows.append("")
    return rows + next_aggregation(data, rounds)


def next_aggregation(data: Path, rounds: int) -> list[str]:
    """The walks of one new place, beside pandana's aggregation of all kinds after the same change."""
    graph = towns.read_graph("Las Palmas", data)
    task = towns.make_task(graph, places=3000)
    prepared = compiled.searchable(towns.as_network(graph), towns.at_nodes(graph, np.arange(graph.n)))
    snaps = towns.at_nodes(graph, task.place_node[:1])
    entry = Entries(np.zeros(1, np.int64), snaps.edge, snaps.offset_mm, snaps.access_mm)
    kept, plain = engines.Pandana(graph, precompute=True), engines.Pandana(graph, precompute=False)
    kept(task)
    timed = side_by_side(
        {
            "one": lambda: [compiled.search(prepared, entry, limit=task.limit) for _ in range(100)],
            "kept": lambda: kept.aggregate(task),
            "plain": lambda: plain.aggregate(task),
        },
        rounds=rounds,
    )
    mine = timed["one"].wall_s / 100
    return [
        f"Walks of one new place within 1,200 m: {mine * 1000:.2f} ms. pandana's next aggregation of 10 kinds, counts "
        f"and gravity: {timed['kept'].wall_s:.2f} s after precompute ({timed['kept'].wall_s / mine:,.0f} times), "
        f"{timed['plain'].wall_s:.2f} s without ({timed['plain'].wall_s / mine:,.0f} times).",
    ]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
