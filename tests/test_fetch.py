"""A town by its name: what is downloaded is what a file of the same data gives, and no bad day does harm."""

import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely
from fake_servers import BUSY, DATE, NO_LIMIT, FakeServers, Overpass, osm_data, place
from grid_town import GridTown, box, lonlat, write_grid_town
from osm_files import OsmFile
from pyproj import CRS

from gisapp import assess, fetch_area, read_area, read_project
from gisapp.area import StudyArea
from gisapp.catalogue import load_catalogue
from gisapp.cli import main
from gisapp.errors import InputError, MissingError, OfflineError, TrefpuntError
from gisapp.resources import cache_dir, config_dir
from gisapp.settings import OnlineSettings, read_settings
from gisapp.sources.osm import WALK_FILTERS
from gisapp.sources.overpass import clear_cache

SHARED = Path(__file__).parents[2] / "shared" / "data"
OUTLINE = shapely.Polygon(box(-1, -3, 4.45, 6))
FAR = shapely.affinity.translate(OUTLINE, 1.0)
PUB = shapely.Point(3.0, 51.0)
PLACES = {
    "Grid, Belgium": [place("Grid, Belgium", OUTLINE, osm_id=7)],
    "Twice": [
        place("Twice, North", OUTLINE, osm_id=7, importance=0.6),
        place("Twice, South", FAR, osm_id=8, importance=0.55),
        place("Twice, a street's name", FAR, osm_id=9, importance=0.1),
    ],
    "Nested": [
        place("Nested, the town", OUTLINE, osm_id=7, importance=0.6),
        place("Nested, its centre", OUTLINE.buffer(-0.001), osm_id=8, importance=0.59),
    ],
    "Hamlet": [
        {**place("Hamlet", PUB.buffer(0.01)), "geojson": {"type": "Point", "coordinates": [3.0, 51.0]}}
    ],
    "Inn": [
        {**place("Inn", PUB.buffer(0.01)), "geojson": {"type": "Point", "coordinates": [3.0, 51.0]}},
        place("The Inn", PUB.buffer(0.001), importance=0.2, **{"class": "amenity", "type": "pub"}),
    ],
    "Huge": [place("Huge", PUB.buffer(0.3), osm_id=10)],
    "At Sea": [place("At Sea", shapely.box(2.0, 50.0, 2.1, 50.1), osm_id=11)],
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """The grid town's files, with two squares more: one drawn as a ring, one as a relation."""
    town = write_grid_town(tmp_path_factory.mktemp("grid"))
    data = osm_data(town.osm)
    corner = {(i, j): 5 * i + j + 1 for i in range(5) for j in range(5)}
    assert data.nodes[corner[2, 3]][:2] == pytest.approx(lonlat(2, 3))
    ring = [data.node(*lonlat(2.3, 3)), data.node(*lonlat(2.3, 3.3)), data.node(*lonlat(2, 3.3))]
    square = {"highway": "pedestrian", "area": "yes", "name": "Ring Square"}
    data.way([corner[2, 3], *ring, corner[2, 3]], square)
    outer = data.way(
        [corner[0, 1], data.node(*lonlat(0.4, 1.4)), data.node(*lonlat(0.1, 1.6)), corner[0, 1]], {}
    )
    about = {"type": "multipolygon", "highway": "pedestrian", "name": "Relation Square"}
    data.relation([("way", outer, "outer")], about)
    data.write(town.osm)
    return town


@pytest.fixture(scope="module")
def overpass(town: GridTown) -> Overpass:
    """The grid town as an Overpass server has it."""
    return Overpass(osm_data(town.osm))


@pytest.fixture
def servers(overpass: Overpass) -> Iterator[FakeServers]:
    """Both servers, in good health."""
    with FakeServers(overpass, PLACES) as servers:
        yield servers


_ZONES: dict[tuple[float, ...], CRS] = {}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts without kept answers; pauses of courtesy and repeated searches for the zone are left out."""
    clear_cache()
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    estimate = gpd.GeoSeries.estimate_utm_crs

    def once(series: gpd.GeoSeries, datum_name: str = "WGS 84") -> CRS:
        key = tuple(series.total_bounds.round(1))
        if key not in _ZONES:
            _ZONES[key] = estimate(series, datum_name)
        return _ZONES[key]

    monkeypatch.setattr(gpd.GeoSeries, "estimate_utm_crs", once)


def settings(servers: FakeServers, **more: object) -> OnlineSettings:
    """Return settings that lead to the servers."""
    return read_settings(overpass_url=f"{servers.url}/api", nominatim_url=servers.url, **more)


def edges(area: StudyArea) -> pd.DataFrame:
    """Return the streets in one order, whichever way round they were built."""
    table = pd.DataFrame(area.streets.edges.drop(columns=["key", "geometry"]))
    table[["u", "v"]] = np.sort(table[["u", "v"]].to_numpy(), axis=1)
    return table.sort_values(["u", "v", "length_m"], ignore_index=True)


def assert_same(fetched: StudyArea, read: StudyArea) -> None:
    """Compare all that enters a score, and the map."""
    assert set(fetched.streets.nodes.index) == set(read.streets.nodes.index)
    ours, theirs = edges(fetched), edges(read)
    pd.testing.assert_frame_equal(ours.drop(columns="name"), theirs.drop(columns="name"))
    pd.testing.assert_series_equal(ours["name"].fillna(""), theirs["name"].fillna(""))
    by_id = read.places.loc[fetched.places.index]
    # A server tells no dates of edits, unless asked for more than OSMnx asks.
    ours, theirs = (
        pd.DataFrame(t.drop(columns=["geometry", "last_edit"], errors="ignore"))
        for t in (fetched.places, by_id)
    )
    pd.testing.assert_frame_equal(ours, theirs)
    assert fetched.places.geom_equals_exact(read.places.loc[fetched.places.index], 1e-6).all()
    assert len(fetched.places) == len(read.places)
    homes = read.residents.loc[fetched.residents.index]
    np.testing.assert_allclose(fetched.residents["total"], homes["total"])
    assert len(fetched.residents) == len(homes) == len(read.residents)
    assert len(fetched.entrances) == len(read.entrances)
    for layer, frame in read.background.items():
        assert fetched.background[layer].area.sum() == pytest.approx(frame.area.sum(), rel=0.05), layer


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object
) -> tuple[int, str, str]:
    """Run the command in this process; return exit code, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["trefpunt", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    out = capsys.readouterr()
    return stop.value.code, out.out, out.err


def test_a_fetched_town_is_the_town_of_the_file(servers: FakeServers, town: GridTown) -> None:
    """Streets, places, homes and squares are those that the reader makes of the same data."""
    area = fetch_area("Grid, Belgium", settings=settings(servers))
    read = read_area(osm=town.osm, boundary=town.boundary)
    assert {"Ring Square", "Relation Square"} <= set(area.places["name"])
    assert_same(area, read)
    assert area.name == "Grid"
    assert area.boundary.symmetric_difference(read.boundary).area < 1
    assert area.provenance.sources[0].data_date == DATE[:10]
    assert "OpenStreetMap contributors" in area.provenance.attribution
    assert "127.0.0.1" in area.provenance.sources[0].note


@pytest.mark.skipif(not (SHARED / "monaco").is_dir(), reason="the extract of Monaco is not on this machine")
def test_fetched_monaco_is_the_monaco_of_the_file() -> None:
    """On a real town's data too, to the millimetre; nothing is left out and nothing added."""
    extract = SHARED / "monaco" / "monaco_20231226.osm.pbf"
    boundary = SHARED / "monaco" / "monaco_boundary.geojson"
    outline = gpd.read_file(boundary).geometry.union_all()
    with FakeServers(Overpass(osm_data(extract)), {"Monaco": [place("Monaco", outline)]}) as servers:
        area = fetch_area("Monaco", settings=settings(servers))
    assert_same(area, read_area(osm=extract, boundary=boundary))


@pytest.mark.skipif(not (SHARED / "mechelen").is_dir(), reason="Mechelen's answer is not on this machine")
def test_a_recorded_answer_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mechelen's cafes as a real server sent them (positions beside the ways' nodes) are all there, or merged."""
    recorded = json.loads((SHARED / "mechelen" / "osm_bars_2026-04-10.json").read_text())
    data = OsmFile()  # one street and one house: the recording holds none
    data.way([data.node(4.47 + n / 500, 51.025, id=n + 1) for n in range(8)], {"highway": "residential"})
    data.ring([(4.48, 51.026), (4.4801, 51.026), (4.4801, 51.0261)], {"building": "house"})
    answer = Overpass.answer
    monkeypatch.setattr(Overpass, "answer", lambda o, q: recorded if "'amenity'" in q else answer(o, q))
    outline = shapely.box(4.35, 50.95, 4.6, 51.1)
    with FakeServers(Overpass(data), {"Mechelen": [place("Mechelen", outline)]}) as servers:
        area = fetch_area("Mechelen", settings=settings(servers))
    cafes = [
        e["tags"]
        for e in recorded["elements"]
        if e["tags"]["amenity"] in ("bar", "pub", "cafe", "biergarten")
    ]
    assert len(cafes) == 88
    merged = area.quality["places_merged"].count if "places_merged" in area.quality else 0
    assert (area.places["kind"] == "cafes").sum() + merged == len(cafes)
    assert {tags["name"] for tags in cafes if "name" in tags} == set(area.places["name"].dropna())
    assert area.places.loc["way/85615110", "name"] == "Vertoi"


def test_what_lies_beyond_the_buffer_stays_out(servers: FakeServers) -> None:
    """Whole ways come in the answers; the area ends where it was asked to, and reaches as far as it must."""
    area = fetch_area("Grid, Belgium", buffer_min=0, settings=settings(servers))
    core = gpd.GeoSeries([OUTLINE], crs=4326).to_crs(area.crs).iloc[0]
    away = area.streets.nodes.distance(core)
    assert away.max() < 101
    wide = fetch_area("Grid, Belgium", buffer_min=2, settings=settings(servers))
    near = wide.streets.nodes[wide.streets.nodes.distance(core) <= 2 * 75]
    assert len(near) > len(area.streets.nodes)
    assert set(near.index) <= set(wide.streets.nodes.index)
    assert "Upstairs" in set(wide.places["name"])
    assert "Upstairs" not in set(area.places["name"])
    assert not wide.places.loc[wide.places["name"] == "Upstairs", "core"].any()


def test_members_that_lie_elsewhere_stay_out(town: GridTown) -> None:
    """A wood comes with all its parts, and one of them may be a playground in the next town."""
    data = osm_data(town.osm)
    near = data.ring(box(1.1, 3.1, 1.2, 3.2), {})
    far = data.ring(box(60, 60, 60.5, 60.5), {"leisure": "playground"})
    data.relation([("w", near, "outer"), ("w", far, "outer")], {"type": "multipolygon", "leisure": "park"})
    with FakeServers(Overpass(data), PLACES) as servers:
        area = fetch_area("Grid, Belgium", settings=settings(servers))
    assert f"way/{far}" not in area.places.index
    assert "relation/2" in set(area.places["part_of"])


def test_servers_are_asked_as_their_policies_want(servers: FakeServers) -> None:
    """Our own name in each request, our walk filters word for word, and no answer asked for twice."""
    steps: list[str] = []
    fetch_area("Grid, Belgium", settings=settings(servers, user_agent="Town hall/1"), progress=steps.append)
    assert {headers["User-Agent"] for _, headers, _ in servers.asked} == {"Town hall/1"}
    queries = [query for path, _, query in servers.asked if path == "/api/interpreter"]
    assert all(any(text in query for query in queries) for text in WALK_FILTERS)
    assert len(queries) == len(set(queries)) == 5
    assert len(max(queries, key=len)) < 200_000
    assert servers.count("/search") == 1
    assert [s.split()[0] for s in steps][:4] == ["Looking", "Found", "Asking", "Downloading"]
    asked = len(servers.asked)
    fetch_area("Grid, Belgium", settings=settings(servers))
    assert len(servers.asked) == asked  # kept answers need no server at all
    fetch_area("Grid, Belgium", settings=settings(servers), fresh=True)
    assert servers.count("/api/interpreter") == 10


def test_only_the_kinds_that_are_wanted(servers: FakeServers) -> None:
    """Fewer kinds, fewer places and a shorter question; an unknown kind names the nearest."""
    area = fetch_area("Grid, Belgium", kinds=["libraries"], settings=settings(servers))
    assert set(area.places["kind"]) == {"libraries"}
    assert [kind.key for kind in area.kinds] == ["libraries"]
    with pytest.raises(MissingError, match="nearest is 'libraries'"):
        fetch_area("Grid, Belgium", kinds=["library"], settings=settings(servers))


def test_osmnx_is_left_as_it_was(servers: FakeServers) -> None:
    """Its settings and the machine's name look-up are ours for a call only, after a fault as well."""
    before = {n: getattr(osmnx.settings, n) for n in dir(osmnx.settings) if not n.startswith("_")}
    look_up = socket.getaddrinfo
    fetch_area("Grid, Belgium", settings=settings(servers))
    servers.fault = "504"
    with pytest.raises(OfflineError):
        fetch_area("Grid, Belgium", settings=settings(servers), fresh=True)
    assert {n: getattr(osmnx.settings, n) for n in before} == before
    assert socket.getaddrinfo is look_up
    asked = len(servers.asked)
    fetch_area("Grid, Belgium", settings=settings(servers))
    assert len(servers.asked) == asked  # the earlier answers are kept until all fresh ones are there


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("429", r"too many requests \(429\)"),
        ("504", r"too busy \(504\)"),
        ("400", r"refused the request \(400"),
        ("truncated", "cut short"),
        ("broken off", "cut short"),
        ("remark", "half-way: runtime error: Query timed out"),
        ("empty", "no walkable street"),
        ("web page", "no map data"),
        ("other json", "not answer as a map server"),
        ("silent", "did not answer within 1 s"),
        ("trickle", "too slow"),
    ],
)
def test_a_bad_day_is_one_sentence(servers: FakeServers, fault: str, sentence: str) -> None:
    """Each fault ends at once with a sentence of one line."""
    servers.fault = fault
    start = time.monotonic()
    with pytest.raises((OfflineError, InputError), match=sentence) as caught:
        fetch_area("Grid, Belgium", settings=settings(servers, answer_s=1, total_s=1.5))
    assert time.monotonic() - start < 8
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", ["429", "remark", "broken off"])
def test_a_bad_day_half_way_keeps_what_came(servers: FakeServers, fault: str) -> None:
    """The next try asks only for what is missing."""
    servers.fault, servers.fault_from = fault, 3
    with pytest.raises(OfflineError, match="kept"):
        fetch_area("Grid, Belgium", settings=settings(servers))
    servers.fault = ""
    area = fetch_area("Grid, Belgium", settings=settings(servers))
    assert servers.count("/api/interpreter") == 3 + 1 + 2
    assert len(area.places) > 5


@pytest.mark.parametrize("fault", ["429", "truncated", "web page", "silent", "other json"])
def test_a_bad_day_of_the_name_server(servers: FakeServers, fault: str) -> None:
    """The server of names is watched in the same way."""
    servers.nominatim_fault = fault
    with pytest.raises(OfflineError):
        fetch_area("Grid, Belgium", settings=settings(servers, answer_s=1))
    assert servers.count("/api/interpreter") == 0


def test_packed_answers_are_unpacked(servers: FakeServers) -> None:
    """Real servers compress."""
    servers.fault = "gzip"
    assert len(fetch_area("Grid, Belgium", settings=settings(servers)).places) > 5


@pytest.mark.parametrize("status", [NO_LIMIT, None, "silent"])
def test_a_server_without_slots_is_not_waited_for(
    servers: FakeServers, status: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the status page says nothing of slots, OSMnx's wait for one is turned off: it would never end."""
    monkeypatch.setattr("gisapp.sources.overpass.STATUS_S", 0.5)
    servers.status = status
    fetch_area("Grid, Belgium", settings=settings(servers))
    assert servers.count("/api/status") == 1


def test_a_server_with_slots_is_waited_for_within_reason(servers: FakeServers) -> None:
    """With slots OSMnx looks before each request; a slot in ten years' time is a sentence."""
    fetch_area("Grid, Belgium", settings=settings(servers))
    assert servers.count("/api/status") == 6
    servers.status = BUSY
    with pytest.raises(OfflineError, match="no room for us"):
        fetch_area("Grid, Belgium", settings=settings(servers), fresh=True)


def test_a_server_out_of_reach_is_said_at_once(servers: FakeServers) -> None:
    """A refused connection takes no time, and names the server and another way."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for urls in ({"overpass_url": f"http://127.0.0.1:{port}"}, {"nominatim_url": f"http://127.0.0.1:{port}"}):
        start = time.monotonic()
        both = {"overpass_url": f"{servers.url}/api", "nominatim_url": servers.url, **urls}
        with pytest.raises(OfflineError, match=r"127\.0\.0\.1 cannot be reached.*--osm FILE"):
            fetch_area("Grid, Belgium", settings=read_settings(**both))
        assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Nowhere", "No place called 'Nowhere'"),
        (" ", "has no name"),
        ("Hamlet", "is a point on the map"),
        ("Inn", "is a point on the map"),
        ("Twice", r"2 places: Twice, North \(R7\); Twice, South \(R8\)"),
        ("At Sea", "no walkable street"),
        ("R999", "No place called 'R999'"),
    ],
)
def test_a_name_that_is_no_town_is_refused(servers: FakeServers, name: str, sentence: str) -> None:
    """Nothing is guessed: no such place, a point, a pub, one of two towns, the sea."""
    with pytest.raises(InputError, match=sentence):
        fetch_area(name, settings=settings(servers))


@pytest.mark.parametrize("name", ["R7", "relation/7", "Nested"])
def test_a_name_that_is_plain_enough(servers: FakeServers, name: str) -> None:
    """An id says which; a town and its own centre are not two towns."""
    assert len(fetch_area(name, settings=settings(servers)).streets.nodes) > 20


def test_a_large_area_is_asked_about_first(servers: FakeServers) -> None:
    """Without an answer or with a no, nothing is downloaded; with a yes, it is."""
    asked: list[str] = []
    with pytest.raises(InputError, match="more than 1,500 km2.*--large"):
        fetch_area("Huge", settings=settings(servers))
    with pytest.raises(InputError, match="Nothing was downloaded"):
        fetch_area("Huge", settings=settings(servers), confirm=lambda question: bool(asked.append(question)))
    assert servers.count("/api/interpreter") == 0
    assert "Go on?" in asked[0]
    fetch_area("Huge", settings=settings(servers), confirm=lambda question: True)
    assert servers.count("/api/interpreter") > 0


def test_nobody_is_invented(servers: FakeServers, town: GridTown) -> None:
    """Without counts homes have access and weights that say they are no people; with a census there are groups."""
    area = fetch_area("Grid, Belgium", settings=settings(servers))
    assert area.provenance.counts == "missing"
    assert "--residents" in area.provenance.counts_note
    assert area.quality["residents_missing"].level == "warning"
    assert not [c for c in area.residents if ":" in c]
    assert area.residents["total"].mean() == pytest.approx(1)
    floor = area.residents["floor_m2"]
    np.testing.assert_allclose(area.residents["total"], floor / floor.mean())
    result = assess(area)
    assert result.city.empty
    assert not [c for c in result.places if c.startswith(("mix", "meeting_score"))]
    counted = fetch_area("Grid, Belgium", residents=town.census, settings=settings(servers))
    pd.testing.assert_series_equal(
        assess(counted).homes["access"].reindex(result.homes.index).dropna(),
        result.homes["access"].loc[lambda s: s.index.isin(counted.residents.index)],
    )
    assert counted.provenance.counts == "published"
    assert {"origin:born_here", "age:0_14"} <= set(counted.residents)


def test_the_command_writes_a_project_that_opens_offline(
    servers: FakeServers, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`trefpunt fetch` gives a file that reads and scores when no server is left."""
    monkeypatch.setenv("TREFPUNT_OVERPASS_URL", f"{servers.url}/api/interpreter")
    monkeypatch.setenv("TREFPUNT_NOMINATIM_URL", f"{servers.url}/")
    out = tmp_path / "grid.gpkg"
    code, said, _ = run(capsys, monkeypatch, "fetch", "Grid, Belgium", "--out", out)
    assert code == 0
    assert "trefpunt score --project" in said
    assert "No residents were given" in said
    servers.__exit__()
    clear_cache()
    project = read_project(out)
    assert len(project.area.places) > 5
    assert project.area.provenance.counts == "missing"
    assert project.area.kinds == load_catalogue()
    code, said, fault = run(capsys, monkeypatch, "score", "--project", out, "--out", tmp_path / "scored.gpkg")
    assert code == 0, fault
    assert "Nobody is counted here" in said


def test_a_fault_leaves_no_file_and_spoils_none(
    servers: FakeServers, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one message, nothing half-written; a file that was there is still the one it was."""
    servers.fault, servers.fault_from = "truncated", 2
    there = tmp_path / "there.gpkg"
    there.write_bytes(b"an earlier project")
    where = ("--overpass-url", f"{servers.url}/api", "--nominatim-url", servers.url)
    for words in (("--out", tmp_path / "new.gpkg"), ("--out", there, "--overwrite")):
        code, said, fault = run(capsys, monkeypatch, "fetch", "Grid, Belgium", *words, *where)
        assert (code, said) == (2, "")
        assert fault.startswith("trefpunt: 127.0.0.1 sent an answer that is cut short")
        assert fault.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there.gpkg"]
    assert there.read_bytes() == b"an earlier project"
    code, _, fault = run(capsys, monkeypatch, "fetch", "Huge", "--out", tmp_path / "huge.gpkg", *where)
    assert code == 2
    assert "--large" in fault


def test_the_cache_has_a_limit_and_can_be_cleared(
    servers: FakeServers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest answers go first when there is too much; `trefpunt cache --clear` takes all."""
    folder = cache_dir("overpass")
    old = folder / "an old answer"
    old.mkdir()
    (old / "x.json").write_text("{}" * 100_000)
    import os

    os.utime(old, (1e9, 1e9))
    fetch_area("Grid, Belgium", settings=settings(servers, cache_mb=0.15))
    assert not old.exists()
    assert len(list(folder.glob("*/*.json"))) > 4
    code, said, _ = run(capsys, monkeypatch, "cache")
    assert code == 0
    assert "MB. Delete it with --clear" in said
    code, said, _ = run(capsys, monkeypatch, "cache", "--clear")
    assert code == 0
    assert "MB deleted" in said
    assert not list(cache_dir().iterdir())


def test_a_half_written_answer_is_asked_for_again(servers: FakeServers) -> None:
    """A run that was stopped while it wrote an answer spoils nothing; answers of last month are too old."""
    fetch_area("Grid, Belgium", settings=settings(servers))
    kept = sorted(cache_dir("overpass").glob("*/*.json"), key=lambda p: p.stat().st_size)[-1]
    kept.write_bytes(kept.read_bytes()[:1000])
    fetch_area("Grid, Belgium", settings=settings(servers))
    assert servers.count("/api/interpreter") == 6
    fetch_area("Grid, Belgium", settings=settings(servers, cache_days=0))
    assert servers.count("/api/interpreter") == 11


def test_settings_come_from_file_environment_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last that says something wins; what is not understood is said, all at once."""
    path = config_dir() / "settings.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.write_text(
            '[online]\noverpass_url = "http://a/api"\nuser_agent = "A"\nanswer_s = 20\n[other]\nx = 1\n'
        )
        monkeypatch.setenv("TREFPUNT_USER_AGENT", "B")
        monkeypatch.setenv("TREFPUNT_TOTAL_S", "60")
        found = read_settings(total_s=90)
        assert (found.overpass_url, found.user_agent) == ("http://a/api", "B")
        assert (found.answer_s, found.total_s) == (20, 90)
        path.write_text('[online]\noverpas_url = "http://a"\nanswer_s = "long"\n')
        with pytest.raises(InputError, match=r"(?s)nearest known one is 'overpass_url'.*answer_s is 'long'"):
            read_settings()
        path.write_text("online = [")
        with pytest.raises(InputError, match="cannot be read as TOML"):
            read_settings()
    finally:
        path.unlink()
    with pytest.raises(InputError, match="(?s)overpass_url.*no address.*ca_bundle.*no file"):
        read_settings(overpass_url="overpass", ca_bundle="/nowhere.pem")


def test_a_proxy_is_used(servers: FakeServers) -> None:
    """With a proxy only that is connected to, and asked for the servers' full addresses."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}"
    through = read_settings(overpass_url=f"{gone}/api", nominatim_url=gone, proxy=servers.url)
    assert len(fetch_area("Grid, Belgium", settings=through).places) > 5


def test_a_town_s_own_authority_is_trusted_when_named(servers: FakeServers, tmp_path: Path) -> None:
    """A certificate of one's own authority is refused with a sentence, until ca_bundle names it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    servers.http.socket = context.wrap_socket(servers.http.socket, server_side=True)
    url = servers.url.replace("http", "https")
    with pytest.raises(OfflineError, match="certificate that is not trusted.*ca_bundle"):
        fetch_area("Grid, Belgium", settings=read_settings(overpass_url=f"{url}/api", nominatim_url=url))
    trusting = read_settings(overpass_url=f"{url}/api", nominatim_url=url, ca_bundle=certificate)
    assert len(fetch_area("Grid, Belgium", settings=trusting).places) > 5


def test_every_fault_is_of_ours() -> None:
    """What goes wrong online can be caught with the one base class, and as a builtin."""
    assert issubclass(OfflineError, TrefpuntError)
    assert issubclass(OfflineError, ConnectionError)
