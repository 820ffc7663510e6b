"""Measure everything and write the tables into docs/performance.md: ``make bench``, on a quiet machine."""

import argparse
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import engines, towns
from benchmarks.floor import search_and_floor_ns
from benchmarks.measure import Timed, once, processes, python, side_by_side

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
PEERS = ("pandana", "cityseer", "pyrosm", "osmnx", "networkx", "scipy", "numba", "numpy")
EGO_NODES = 12  # nodes around which the common idiom is timed; its time for all is that, multiplied


def kernels(data: Path, *, rounds: int, places: int) -> Iterator[str]:
    """Counts and gravity within 1,200 m of every node, by all engines."""
    yield "## Counts and gravity within 1,200 m of every node\n"
    yield f"{places:,} synthetic places of 10 kinds on real streets. CPU seconds, median of {rounds} rounds in turn.\n"
    yield "| town | nodes | pairs | engine | CPU s | wall s | to Trefpunt | counts that differ | gravity off by |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in towns.FILES:
        graph = towns.read_graph(name, data)
        task = towns.make_task(graph, places=places)
        made = {
            "trefpunt": engines.trefpunt(graph),
            "scipy": engines.scipy_search(graph),
            "pandana, precompute counted": (kept := engines.Pandana(graph, precompute=True)),
        }
        timed = side_by_side(
            {who: lambda f=f, task=task: f(task) for who, f in made.items()},
            rounds=rounds,
            before={"pandana, precompute counted": kept.build},
        )
        timed["pandana"] = once(lambda: engines.Pandana(graph, precompute=False)(task))  # noqa: B023
        timed["networkx, from the places"] = once(lambda: engines.networkx_from_places(graph)(task))  # noqa: B023
        if name == "Monaco":
            timed["cityseer"] = once(lambda: engines.cityseer(graph)(task))  # noqa: B023
        nodes = np.random.default_rng(3).integers(0, graph.n, EGO_NODES)
        ego = once(lambda: engines.ego_graphs(graph, nodes)(task))  # noqa: B023
        times = graph.n / EGO_NODES
        counts, gravity = timed["trefpunt"].result
        assert np.array_equal(ego.result[0], counts[nodes]), "the common idiom finds other places"
        timed["networkx.ego_graph a node, scaled up"] = Timed(
            ego.cpu_s * times, ego.wall_s * times, (counts, gravity)
        )
        for who, each in timed.items():
            wrong = (each.result[0] != counts).mean()
            off = np.nanmax(np.abs(each.result[1] - gravity))
            yield (
                f"| {name} | {graph.n:,} | {int(counts.sum()):,} | {who} | {each.cpu_s:.3g} | {each.wall_s:.3g} "
                f"| {each.cpu_s / timed['trefpunt'].cpu_s:,.1f} | {wrong:.1%} | {off:.1e} |"
            )
    yield ""


def growth(data: Path, *, rounds: int) -> Iterator[str]:
    """Constant density, more and more nodes; and how far the search is from its floor."""
    yield "## Growth, and the floor\n"
    yield "Porto tiled, one synthetic place for every 20 nodes. The floor is one look at each out-edge of each node"
    yield "that a search settles, measured in the same run.\n"
    yield "| nodes | pairs | search, CPU s | with sums, CPU s | search, ns a settled node | its floor | ratio |"
    yield "|---|---|---|---|---|---|---|"
    sizes, seconds = [], []
    base = towns.read_graph("Porto", data)
    for times in (1, 2, 4):
        graph = towns.tiled(base, times)
        task = towns.make_task(graph, places=graph.n // 20)
        made = {"search": engines.walker(graph), "sums": engines.trefpunt(graph)}
        timed = side_by_side(
            {who: lambda run=run, task=task: run(task) for who, run in made.items()}, rounds=rounds
        )
        search, floor = search_and_floor_ns(task)
        yield (
            f"| {graph.n:,} | {len(timed['search'].result.mm):,} | {timed['search'].cpu_s:.3g} "
            f"| {timed['sums'].cpu_s:.3g} | {search:.0f} | {floor:.0f} | {search / floor:.1f} |"
        )
        sizes.append(np.log(graph.n))
        seconds.append(np.log(timed["search"].cpu_s))
    yield f"\nGrowth exponent of the search in nodes: {np.polyfit(sizes, seconds, 1)[0]:.2f}.\n"


def reading(data: Path, *, rounds: int) -> Iterator[str]:
    """From a file to walk graph and places, each reader in a fresh process."""
    yield "## Reading an extract to walk graph and places\n"
    yield f"Fresh processes in turn, {rounds} rounds, medians. Reading: CPU seconds of a second file, after"
    yield "all imports; whole: the process, with imports and the first file (Monaco).\n"
    yield "| file | reader | reading, CPU s | to Trefpunt | whole, CPU s | wall s | peak MB | what it found |"
    yield "|---|---|---|---|---|---|---|---|"
    first = str(data / towns.FILES["Monaco"])
    for name in ("Monaco", "Las Palmas"):
        file = str(data / towns.FILES[name])
        with tempfile.TemporaryDirectory() as folder:
            commands = {
                who: python("benchmarks.job", f"read_{who}", file, first) for who in ("trefpunt", "pyrosm")
            }
            if name == "Monaco":
                plain = plain_osm(file, Path(folder))
                commands["OSMnx, simplified, no places"] = python(
                    "benchmarks.job", "read_osmnx", plain, plain
                )
            timed = processes(commands, rounds=rounds)
        for who, each in timed.items():
            told = dict(each.result)
            cpu, peak = told.pop("cpu_s"), told.pop("peak_mb")
            found = ", ".join(f"{int(number):,} {what}" for what, number in told.items())
            yield (
                f"| {name} | {who} | {cpu:.2f} | {cpu / timed['trefpunt'].result['cpu_s']:.1f} | {each.cpu_s:.2f} "
                f"| {each.wall_s:.2f} | {peak:.0f} | {found} |"
            )
    yield ""


def plain_osm(file: str, folder: Path) -> str:
    """Write a .pbf as plain .osm, the only format that OSMnx reads."""
    import osmium

    target = str(folder / "town.osm")
    writer = osmium.SimpleWriter(target)
    for element in osmium.FileProcessor(file):
        writer.add(element)
    writer.close()
    return target


def whole(data: Path, *, rounds: int) -> Iterator[str]:
    """The command that a planner types, beside what pyrosm takes to read the file."""
    yield "## One command: Las Palmas from its extract and census to a scored project\n"
    yield "| what | CPU s | wall s | peak MB |"
    yield "|---|---|---|---|"
    town, osm = data / "las_palmas", str(data / towns.FILES["Las Palmas"])
    with tempfile.TemporaryDirectory() as folder:
        score = python(
            "benchmarks.job", "score", "--osm", osm, "--residents", str(town / "census2021_1km.gpkg"),
            "--boundary", str(town / "municipality.geojson"), "--neighbourhoods",
            str(town / "school_catchments_29.geojson"), "--out", str(Path(folder) / "town.gpkg"), "--overwrite",
        )  # fmt: skip
        commands = {
            "trefpunt score": score,
            "pyrosm, reading alone": python("benchmarks.job", "read_pyrosm", osm),
        }
        timed = processes(commands, rounds=rounds)
    for who, each in timed.items():
        yield f"| {who} | {each.cpu_s:.1f} | {each.wall_s:.1f} | {each.result['peak_mb']:.0f} |"
    yield ""


def sizes(data: Path) -> Iterator[str]:
    """Many homes and places within 30 minutes, each in a fresh process."""
    yield "## Size: all walks within 30 minutes and what they reach\n"
    yield "Synthetic homes and places inside the edges of real streets; tiles are joined by bridges.\n"
    yield "| network | homes | places | kinds | pairs | s | peak MB |"
    yield "|---|---|---|---|---|---|---|"
    for name, tiles, homes, places, kinds in (
        ("Porto", 1, 20_000, 5_000, 10),
        ("Porto", 4, 320_000, 80_000, 10),
    ):
        job = python(
            "benchmarks.job", "times", str(data), name, str(tiles), str(homes), str(places), str(kinds)
        )
        found = processes({"times": job}, rounds=1)["times"].result
        yield (
            f"| {name} x {tiles * tiles}, {int(found['nodes']):,} nodes | {homes:,} | {places:,} | {kinds} "
            f"| {int(found['pairs']):,} | {found['seconds']:.1f} | {found['peak_mb']:.0f} |"
        )
    yield ""


def what_if(data: Path, *, rounds: int) -> Iterator[str]:
    """One place more on Las Palmas: to all scores, and to its walks alone beside pandana's next aggregation."""
    yield "## One place more\n"
    timed = processes({"what-if": python("benchmarks.what_if", str(data), str(rounds))}, rounds=1)
    yield from timed["what-if"].result
    yield ""


def stages(data: Path, *, rounds: int) -> Iterator[str]:
    """Where the time goes, from nothing to a map."""
    yield "## Where the time goes: from nothing to a map, seconds\n"
    jobs = {
        "Monaco (sample)": python("benchmarks.job", "stages", str(data), "monaco"),
        "Las Palmas": python("benchmarks.job", "stages", str(data), "las_palmas"),
    }
    timed = [processes({name: job}, rounds=rounds)[name].result for name, job in jobs.items()]
    yield f"| stage | {' | '.join(jobs)} |"
    yield "|---|---|---|"
    for stage in timed[0]:
        if stage != "peak_mb":
            yield f"| {stage} | {' | '.join(f'{each[stage]:.2f}' for each in timed)} |"
    yield ""


def machine() -> str:
    """Say on what and with what all of this was measured."""
    peers = ", ".join(f"{name} {version(name)}" for name in PEERS)
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; {peers}.\n"


def main() -> None:
    """Run the sections that were asked for; write the page when all were."""
    sections = {"kernels": kernels, "growth": growth, "reading": reading, "whole": whole, "sizes": sizes,
                "what_if": what_if, "stages": stages}  # fmt: skip
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--places", type=int, default=3000)
    parser.add_argument("--only", choices=sections, action="append")
    asked = parser.parse_args()
    lines = [machine()]
    options = {"kernels": {"rounds": asked.rounds, "places": asked.places}, "sizes": {}}
    for name in asked.only or sections:
        for line in sections[name](asked.data, **options.get(name, {"rounds": asked.rounds})):
            print(line, flush=True)
            lines.append(line)
    if asked.only is None:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(
            before + BEGIN + "\n".join(lines) + "\n" + END + rest.partition(END)[2], encoding="utf-8"
        )


if __name__ == "__main__":
    sys.exit(main())
