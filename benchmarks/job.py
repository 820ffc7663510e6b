"""One job in a process of its own, so that its time and memory are its own: ``python -m benchmarks.job NAME ...``."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import peak_mb


def read_trefpunt(path: str, first: str = "") -> dict[str, float]:
    """Read an extract to its walk graph and places: all tags of the catalogue, with areas assembled."""
    from gisapp.catalogue import Matcher, load_catalogue
    from gisapp.network.build import build_streets
    from gisapp.places import build_places
    from gisapp.sources.osm import read_osm
    from gisapp.sources.read import projected_crs

    if first:  # whatever is loaded when it is first used
        read_trefpunt(first)
    began = time.process_time()
    catalogue = load_catalogue()
    matcher = Matcher(catalogue)
    raw = read_osm(path, wanted=matcher.wanted, keys=matcher.keys)
    crs = projected_crs(raw)
    streets = build_streets(raw, crs)
    places, _ = build_places(raw.features.to_crs(crs), catalogue)
    cpu_s = time.process_time() - began
    return {"cpu_s": cpu_s, "nodes": len(streets.nodes), "edges": len(streets.edges), "places": len(places)}


def read_pyrosm(path: str, first: str = "") -> dict[str, float]:
    """Read the same with pyrosm: its walking network with nodes, and points of interest by the catalogue's keys."""
    import pyrosm

    from gisapp.catalogue import load_catalogue

    if first:  # whatever is loaded when it is first used
        read_pyrosm(first)
    began = time.process_time()
    osm = pyrosm.OSM(path)
    nodes, edges = osm.get_network(network_type="walking", nodes=True)
    tags: dict[str, list[str]] = {}
    for spec in load_catalogue():
        for key, values in spec.any_of.items():
            tags.setdefault(key, []).extend(v for v in values if v != "*")
    places = osm.get_pois(custom_filter={key: values or True for key, values in tags.items()})
    return {
        "cpu_s": time.process_time() - began, "nodes": len(nodes), "edges": len(edges), "places": len(places),
    }  # fmt: skip


def read_osmnx(path: str, first: str = "") -> dict[str, float]:
    """Read a plain .osm with OSMnx and simplify it; places as features of the same file."""
    import osmnx as ox

    if first:  # whatever is loaded when it is first used
        read_osmnx(first)
    began = time.process_time()
    graph = ox.graph_from_xml(path, simplify=True, retain_all=True)
    return {"cpu_s": time.process_time() - began, "nodes": len(graph), "edges": graph.number_of_edges()}


def score(*arguments: str) -> dict[str, float]:
    """Run the command that a planner types."""
    from gisapp.cli import main

    sys.argv = ["trefpunt", "score", *arguments]
    try:
        main()
    except SystemExit as stop:
        if stop.code:
            raise
    return {}


def times(data: str, name: str, tiles: str, homes: str, places: str, kinds: str) -> dict[str, float]:
    """Walk from synthetic homes to synthetic places within 30 minutes, kind by kind, and score their access."""
    from benchmarks import towns
    from gisapp.network import compiled
    from gisapp.network.times import minutes_of
    from gisapp.params import Params
    from gisapp.scores.access import reach
    from gisapp.scores.arrays import Pairs
    from gisapp.scores.decay import decay

    graph = towns.tiled(towns.read_graph(name, Path(data)), int(tiles))
    began = time.perf_counter()
    town = compiled.searchable(towns.as_network(graph), towns.inside_edges(graph, int(homes), 1))
    entries = towns.entries_of(towns.inside_edges(graph, int(places), 2))
    pairs, curve = 0, Params().decay_curve
    for members in np.array_split(np.arange(int(places)), int(kinds)):
        walks = compiled.walks(town, entries.of(members, int(places)), limit=2_250_000)
        pairs += len(walks.mm)
        each = Pairs(walks.home, walks.place, minutes_of(walks.mm, 1.25))
        reach(each, int(homes), decay(each.minutes, curve))
    return {"nodes": graph.n, "pairs": pairs, "seconds": time.perf_counter() - began}


def stages(data: str, name: str) -> dict[str, float]:
    """Go from nothing to a drawn town, stage by stage, in a fresh process: wall seconds of each."""
    taken: dict[str, float] = {}
    began = time.perf_counter()

    def done(stage: str) -> None:
        nonlocal began
        taken[stage], began = time.perf_counter() - began, time.perf_counter()

    import gisapp as ga

    done("import gisapp")
    from gisapp.maps.page import cells_of
    from gisapp.maps.scene import build_scene
    from gisapp.network import engine
    from gisapp.network.routing import route_area

    _ = ga.read_area, ga.assess
    done("import libraries")
    engine.compiled()
    done("load the compiled search")
    folder = Path(data) / name
    area = ga.load_sample() if name == "monaco" else ga.read_area(
        osm=next(folder.glob("*.osm.pbf")), residents=folder / "census2021_1km.gpkg",
        boundary=folder / "municipality.geojson", neighbourhoods=folder / "school_catchments_29.geojson",
    )  # fmt: skip
    done("read")
    routing = route_area(area, ga.Params())
    done("attach to streets")
    routing.walks(np.arange(len(area.places)), limit=routing.limit_mm(30))
    done("walk")
    result = ga.assess(area)
    done("whole assessment, with attaching and walking")
    build_scene(result, cells_of(result))
    done("prepare the map")
    return taken


if __name__ == "__main__":
    job, *rest = sys.argv[1:]
    jobs = {f.__name__: f for f in (read_trefpunt, read_pyrosm, read_osmnx, score, stages, times)}
    print(json.dumps({**jobs[job](*rest), "peak_mb": peak_mb()}))
