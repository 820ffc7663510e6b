"""Own data goes with a download; addresses are looked up when asked, at the given server, and otherwise told."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pytest
import shapely
from fake_servers import FakeServers, Overpass, osm_data, place
from grid_town import GridTown, box, lonlat, write_grid_town

from gisapp import assess, fetch_area, read_area, read_project
from gisapp.cli import main
from gisapp.errors import InputError, OfflineError
from gisapp.settings import OnlineSettings, read_settings
from gisapp.sources.overpass import clear_cache

OUTLINE = shapely.Polygon(box(-1, -3, 4.45, 6))
CLUBS = """naam,soort,adres,nr,gemeente,lon,lat
Chess,community_centres,Row 1,3,Grid,,
Choir,community_centres,,,,{lon},{lat}
Judo,sports,Nowhere 9,,Grid,,
Other town,sports,Far Street 1,,,,
"""


class Said(NamedTuple):
    """What a call of the command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """The grid town's files."""
    return write_grid_town(tmp_path_factory.mktemp("grid"))


@pytest.fixture
def clubs(tmp_path: Path) -> Path:
    """A list of four: an address, coordinates, an unknown address, one in another town."""
    lon, lat = lonlat(1, 1)
    path = tmp_path / "clubs.csv"
    path.write_text(CLUBS.format(lon=lon, lat=lat))
    return path


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No kept answers and no pauses of courtesy."""
    clear_cache()
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.fixture
def servers(town: GridTown) -> Iterator[FakeServers]:
    """Servers that know the town, one address in it, and one far away."""
    lon, lat = lonlat(2, 1)
    known = {
        "Grid": [place("Grid", OUTLINE)],
        "Row 1 3, Grid": [{"lat": str(lat), "lon": str(lon)}],
        "Far Street 1": [{"lat": "40.0", "lon": "-3.0"}],
    }
    with FakeServers(Overpass(osm_data(town.osm)), known) as servers:
        yield servers


def settings(servers: FakeServers) -> OnlineSettings:
    """Return settings that lead to the servers."""
    return read_settings(overpass_url=f"{servers.url}/api", nominatim_url=servers.url)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Call the command in this process."""

    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["trefpunt", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return Said(int(stop.value.code or 0), out, err)

    return call


def searches(servers: FakeServers) -> list[str]:
    """The addresses that were asked for."""
    return [query for path, _, query in servers.asked if path == "/search" and "polygon_geojson" not in query]


def test_addresses_are_looked_up_when_asked(servers: FakeServers, clubs: Path) -> None:
    """The known one lies where the server says; the unknown and the one of another town are left out and told."""
    area = fetch_area("Grid", places=clubs, geocode=True, settings=settings(servers))
    own = area.places[area.places["source"] == "clubs.csv"].set_index("name")
    assert sorted(own.index) == ["Chess", "Choir"]
    spot = gpd.GeoSeries([shapely.Point(*lonlat(2, 1))], crs=4326).to_crs(area.crs).iloc[0]
    assert own.geometry["Chess"].distance(spot) < 0.01
    assert (
        "1 rows lie where their address was found online (row 2)"
        in area.quality["places_geocoded:clubs.csv"].sentence
    )
    lost = area.quality["places_not_found:clubs.csv"]
    assert (lost.level, lost.count, lost.total) == ("warning", 2, 3)
    assert "(row 4, row 5)" in lost.sentence
    asked = len(searches(servers))
    assert asked >= 3
    again = fetch_area("Grid", places=clubs, geocode=True, settings=settings(servers))
    assert len(again.places) == len(area.places)
    assert len(searches(servers)) == asked  # answers are kept


def test_without_asking_nothing_goes_online_and_the_rows_are_told(
    servers: FakeServers, clubs: Path, town: GridTown
) -> None:
    """From a file no server is asked for anything; from a download none for an address."""
    area = read_area(osm=town.osm, places=clubs)
    finding = area.quality["places_addresses:clubs.csv"]
    assert (finding.level, finding.count, finding.total) == ("warning", 3, 4)
    assert (
        "3 of 4 rows give an address and no coordinates, and were left out (row 2, row 4, row 5)"
        in finding.sentence
    )
    assert "--geocode" in finding.sentence
    assert servers.asked == []
    fetched = fetch_area("Grid", places=clubs, settings=settings(servers))
    assert "places_addresses:clubs.csv" in fetched.quality
    assert searches(servers) == []


def test_a_list_of_addresses_alone_is_told_to_be_geocoded(town: GridTown, tmp_path: Path) -> None:
    """Nothing of it could be used: one sentence with how many and what to say."""
    path = tmp_path / "clubs.csv"
    path.write_text("naam,soort,straat\nA,sports,Row 1\nB,sports,Row 2\n")
    with pytest.raises(
        InputError, match=r"'clubs.csv' has addresses and no coordinates \(2 of 2 rows\). Say --geocode"
    ):
        read_area(osm=town.osm, places=path)


def test_addresses_of_people_are_never_looked_up(
    town: GridTown, tmp_path: Path, servers: FakeServers
) -> None:
    """Residents by address are refused, whatever is asked."""
    path = tmp_path / "people.csv"
    path.write_text("adres,total\nRow 1,3\n")
    with pytest.raises(InputError, match="addresses of people are never looked up online"):
        read_area(osm=town.osm, residents=path, geocode=True)
    assert servers.asked == []


@pytest.mark.parametrize("fault", ["504", "429", "truncated"])
def test_a_server_that_fails_is_one_sentence(
    servers: FakeServers, clubs: Path, town: GridTown, fault: str
) -> None:
    """A bad day of the geocoder stops the job, and says so."""
    fetch_area("Grid", settings=settings(servers))  # what else is needed is kept
    servers.nominatim_fault = fault
    with pytest.raises(OfflineError):
        fetch_area("Grid", places=clubs, geocode=True, settings=settings(servers))


def test_the_command_takes_own_data_along(
    servers: FakeServers, town: GridTown, clubs: Path, tmp_path: Path, run: Callable[..., Said]
) -> None:
    """Lists, a table with its zones and key, quarters: all in the project, and what was made of them is printed."""
    cells = gpd.read_file(town.census)
    cells.rename(columns={"GRD_ID": "zone"})[["zone", "geometry"]].to_file(tmp_path / "zones.gpkg")
    cells.drop(columns="geometry").rename(columns={"GRD_ID": "code"}).to_csv(
        tmp_path / "counts.csv", index=False
    )
    out = tmp_path / "grid.gpkg"
    said = run(
        "fetch", "Grid", "--out", out, "--places", clubs, "--geocode", "--residents", tmp_path / "counts.csv",
        "--zones", tmp_path / "zones.gpkg", "--key", "code=zone", "--groups", "origin=NAT,EU_OTH,OTH",
        "--published", "us", "--neighbourhoods", f"{town.boundary}", "--overpass-url", f"{servers.url}/api",
        "--nominatim-url", servers.url, "--buffer-min", "10",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "were not found near the town" in said.out
    assert "'clubs.csv': 2 places read" in said.out
    area = read_project(out).area
    assert {"Chess", "Choir"} <= set(area.places["name"].dropna())
    assert area.residents["origin:NAT"].sum() == pytest.approx(140)
    assert area.neighbourhoods is not None
    assert area.buffer_min == 10
    assert assess(area).homes["access"].notna().all()
    lone = run("fetch", "Grid", "--out", tmp_path / "b.gpkg", "--geocode", "--zones", tmp_path / "zones.gpkg")
    assert lone.code == 2
    assert "--zones goes with --residents" in lone.err
    lone = run("fetch", "Grid", "--out", tmp_path / "b.gpkg", "--geocode")
    assert "--geocode goes with --places" in lone.err


def test_what_lies_around_the_town_is_in_the_project(
    servers: FakeServers, tmp_path: Path, town: GridTown, run: Callable[..., Said]
) -> None:
    """Streets, places and homes beyond the boundary are stored, so that scoring the file gives the same numbers."""
    out = tmp_path / "grid.gpkg"
    said = run(
        "fetch", "Grid", "--out", out, "--overpass-url", f"{servers.url}/api", "--nominatim-url", servers.url
    )
    assert said.code == 0, said.err
    fetched = fetch_area("Grid", settings=settings(servers))
    area, params, _ = read_project(out)
    assert area.boundary is not None
    outside = ~shapely.intersects(area.boundary, area.streets.nodes.geometry.to_numpy())
    assert outside.any()
    assert not area.places.loc[town.places["cafe"], "core"]
    assert not area.residents.loc[town.homes["hill"], "core"]
    now, before = assess(area, params), assess(fetched)
    for name in ("homes", "places", "city", "exposure"):
        a, b = getattr(now, name), getattr(before, name)
        assert (
            a.select_dtypes("number").to_numpy().tobytes() == b.select_dtypes("number").to_numpy().tobytes()
        ), name
    # The same width is downloaded again, not another.
    widths = fetch_area("Grid", buffer_min=5, settings=settings(servers))
    assert widths.buffer_min == 5
    assert len(widths.streets.nodes) <= len(area.streets.nodes)
