"""The raw tables: an auditor finds every walk again from them alone, with networkx."""

import json
from pathlib import Path

import geopandas as gpd
import networkx as nx
import pandas as pd
import pytest
from grid_town import write_grid_town

from gisapp import audit
from gisapp.assess_area import assess
from gisapp.assessment import Assessment
from gisapp.audit import write_raw
from gisapp.errors import InputError, OutputError
from gisapp.params import PROFILES_MS, Params
from gisapp.sources.read import read_area

FILES = {
    "street_nodes.parquet", "street_edges.parquet", "homes.parquet", "places.parquet", "entries.parquet",
    "travel_times.parquet", "home_times.parquet", "result_homes.parquet", "result_places.parquet",
    "result_city.parquet", "result_exposure.parquet", "params.json",
}  # fmt: skip


@pytest.fixture(scope="module", params=["adult", "wheelchair"])
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    """The grid town scored for one profile."""
    town = write_grid_town(tmp_path_factory.mktemp("raw"))
    area = read_area(osm=town.osm, residents=town.census, boundary=town.boundary)
    return assess(area, Params(profile=request.param, horizon_min=12))


@pytest.fixture(scope="module")
def folder(result: Assessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its raw tables."""
    path = tmp_path_factory.mktemp("audit") / "raw"
    sentence = write_raw(result, path)
    assert "published" in sentence
    assert "\n" not in sentence
    return path


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """A table as objects, with one kind of missing value."""
    return table.astype(object).where(table.notna(), None).set_index(table.index.astype(object))


def test_tables_are_those_of_the_contract(folder: Path, result: Assessment) -> None:
    """File by file: the names, columns and ids that were promised."""
    assert {path.name for path in folder.iterdir()} == FILES
    nodes, edges, homes = (
        gpd.read_parquet(folder / f"{n}.parquet") for n in ("street_nodes", "street_edges", "homes")
    )
    places, entries = gpd.read_parquet(folder / "places.parquet"), pd.read_parquet(folder / "entries.parquet")
    assert nodes.index.name == "node_id"
    assert set(nodes.geom_type) == {"Point"}
    assert {"u", "v", "key", "length_m", "geometry"} <= set(edges)
    assert set(edges.geom_type) == {"LineString"}
    assert edges[["u", "v"]].isin(nodes.index).all(axis=None)
    assert homes.index.name == "home_id"
    assert set(homes.geom_type) == {"Point"}
    groups = {c for c in result.area.residents if ":" in c}
    assert {"total", "core", "u", "v", "key", "offset_m", "access_m", *groups} <= set(homes)
    assert places.index.name == entries.index.name == "place_id"
    assert {"kind", "geometry"} <= set(places)
    assert entries.columns.tolist() == ["u", "v", "key", "offset_m", "access_m"]
    assert pd.read_parquet(folder / "travel_times.parquet").columns.tolist() == [
        "home_id",
        "place_id",
        "minutes",
    ]
    assert pd.read_parquet(folder / "home_times.parquet").columns.tolist() == ["from_id", "to_id", "minutes"]
    for name in ("homes", "places", "city", "exposure"):
        found, expected = pd.read_parquet(folder / f"result_{name}.parquet"), getattr(result, name)
        assert found.index.name == expected.index.name
        pd.testing.assert_frame_equal(plain(found), plain(expected))
    assert Params.from_json((folder / "params.json").read_text(encoding="utf-8")) == result.params
    for frame in (nodes, edges, homes, places):
        assert frame.crs == result.area.crs


def audit_graph(folder: Path) -> nx.MultiGraph:
    """Streets, homes and entries as the tables give them; feet hang on both ends of their edge, by their offset."""
    edges = gpd.read_parquet(folder / "street_edges.parquet")
    rows = [
        ("home", *row)
        for row in pd.read_parquet(folder / "homes.parquet")[
            list("uv") + ["key", "offset_m", "access_m"]
        ].itertuples()
    ]
    rows += [("place", *row) for row in pd.read_parquet(folder / "entries.parquet").itertuples()]
    length = {(e.u, e.v, e.key): e.length_m for e in edges.itertuples()}
    feet: dict[tuple[int, int, int], list[float]] = {edge: [0.0, metres] for edge, metres in length.items()}
    graph = nx.DiGraph()

    def arc(a: object, b: object, metres: float) -> None:
        if not graph.has_edge(a, b) or graph[a][b]["m"] > metres:
            graph.add_edge(a, b, m=metres)

    for what, name, u, v, key, offset, access in rows:
        if not pd.isna(u):
            feet[int(u), int(v), int(key)].append(offset)
            foot = (int(u), int(v), int(key), offset)
            arc((what, name), foot, access)
            if what == "home":
                arc(foot, (what, name), access)
    for (u, v, key), offsets in feet.items():
        at = sorted(set(offsets))
        for a, b in zip(at[:-1], at[1:], strict=True):
            arc((u, v, key, a), (u, v, key, b), b - a)
            arc((u, v, key, b), (u, v, key, a), b - a)
        for node, end in ((u, 0.0), (v, length[u, v, key])):
            arc(node, (u, v, key, end), 0.0)
            arc((u, v, key, end), node, 0.0)
    return graph


def walks(graph: nx.DiGraph, start: tuple[str, str], speed_ms: float, limit_min: float) -> dict[str, float]:
    """Minutes to every home in reach of one node."""
    if start not in graph:
        return {}
    reach = nx.single_source_dijkstra_path_length(
        graph, start, weight="m", cutoff=limit_min * 60 * speed_ms + 1e-6
    )
    return {n[1]: m / speed_ms / 60 for n, m in reach.items() if isinstance(n, tuple) and n[0] == "home"}


def test_walks_can_be_found_again(folder: Path) -> None:
    """Travel times and home times from edges, homes and entries alone: the same pairs, within 1e-6 minutes."""
    graph = audit_graph(folder)
    params = json.loads((folder / "params.json").read_text(encoding="utf-8"))
    speed = PROFILES_MS[params["profile"]]
    places, homes = (pd.read_parquet(folder / f"{name}.parquet").index for name in ("places", "homes"))
    found = pd.read_parquet(folder / "travel_times.parquet")
    expected = {
        (home, place): minutes for place in places
        for home, minutes in walks(graph, ("place", place), speed, params["horizon_min"]).items()
    }  # fmt: skip
    assert expected
    pairs = dict(zip(zip(found["home_id"], found["place_id"], strict=True), found["minutes"], strict=True))
    assert pairs == pytest.approx(expected, abs=1e-6)
    found = pd.read_parquet(folder / "home_times.parquet")
    expected = {
        (a, b): minutes for a in homes
        for b, minutes in walks(graph, ("home", a), speed, params["environment_min"]).items()
    }  # fmt: skip
    pairs = dict(zip(zip(found["from_id"], found["to_id"], strict=True), found["minutes"], strict=True))
    assert pairs == pytest.approx({**{(a, a): 0.0 for a in homes}, **expected}, abs=1e-6)


def test_raw_tables_take_only_an_empty_folder(result: Assessment, tmp_path: Path) -> None:
    """A folder with something in it, a file, and a folder in none: refused, and left as they are."""
    (tmp_path / "mine.txt").write_text("mine")
    for target in (tmp_path, tmp_path / "mine.txt", tmp_path / "none" / "raw"):
        with pytest.raises(OutputError):
            write_raw(result, target)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    write_raw(result, tmp_path / "empty")
    assert {p.name for p in (tmp_path / "empty").iterdir()} == FILES


def test_a_failure_in_the_middle_leaves_no_table(
    result: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half set of tables: an auditor would take it for a whole one."""

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit, "_write_home_times", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_raw(result, tmp_path / "raw")
    assert list(tmp_path.iterdir()) == []


def test_tables_without_a_map_have_no_walks_to_audit(result: Assessment, tmp_path: Path) -> None:
    """A result of one's own travel times says that there is no network behind it."""
    from dataclasses import replace

    with pytest.raises(InputError, match="no geometry"):
        write_raw(replace(result, area=None), tmp_path / "raw")
