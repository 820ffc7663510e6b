"""Protection at the door: what a reader, an attacker and a careless colleague get to see of unpublished counts."""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from grid_town import CELLS, GridTown, box, lonlat, write_grid_town
from plain_protect import plain_round, plain_u

import gisapp as ga
from gisapp.assessment import Assessment
from gisapp.audit import write_raw
from gisapp.cli import main
from gisapp.errors import InputError
from gisapp.project import write_project
from gisapp.protect import user_secret
from gisapp.resources import config_dir
from gisapp.summary import summary

MARK = "NOT FOR PUBLICATION"
Counts = Mapping[str, tuple[int, int, int]]
GROUPS = {"origin": ["NEW", "OLD"], "age": ["YOUNG"]}
# Newcomers, others, the young, in the cells of the grid town.
EXACT = {"west": (7, 93, 31), "middle": (3, 37, 8), "east": (12, 68, 24), "hill": (19, 1, 2)}
# Others in their places: zones that are joined need not have the same totals either.
TWIN = {"west": (8, 92, 32), "middle": (3, 38, 8), "east": (11, 69, 25), "hill": (19, 0, 1)}


def write_zones(path: Path, counts: Counts) -> Path:
    """Write a planner's own table: four zones with counts that nobody published."""
    columns = [c for own in GROUPS.values() for c in own]
    gpd.GeoDataFrame(
        [{"zone": name, **dict(zip(columns, counts[name], strict=True))} for name in CELLS],
        geometry=[shapely.Polygon(box(west, -1, east, 6)) for west, east, _ in CELLS.values()],
        crs=4326,
    ).to_file(path)
    return path


@dataclass(frozen=True)
class Twins:
    """Two towns whose protected tables are the same, and the first once more with exact counts."""

    town: GridTown
    file: Path
    secret: bytes
    one: Assessment
    two: Assessment
    exact: Assessment


@contextlib.contextmanager
def users_secret(secret: bytes) -> Iterator[None]:
    """Let the user have this secret for a while."""
    before = user_secret()
    (config_dir() / "secret").write_bytes(secret)
    yield
    (config_dir() / "secret").write_bytes(before)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Read and score both, under a user's secret that rounds both alike."""
    folder = tmp_path_factory.mktemp("twins")
    town = write_grid_town(folder)
    files = [write_zones(folder / f"own{n}.gpkg", counts) for n, counts in enumerate((EXACT, TWIN))]
    secret = secret_that_rounds_alike(EXACT, TWIN)
    with users_secret(secret):
        one, two = (ga.assess(read(town, file)) for file in files)
        yield Twins(town, files[0], secret, one, two, ga.assess(read(town, files[0], keep_exact=True)))


def read(town: GridTown, file: Path, **options: bool) -> ga.StudyArea:
    """Read the town with a planner's own table."""
    return ga.read_area(osm=town.osm, residents=file, boundary=town.boundary, groups=GROUPS, **options)


def zone_name(zone: str) -> str:
    """The name of a zone: where its middle lies."""
    west, east, _ = CELLS[zone]
    lon, lat = lonlat((west + east) / 2, 2.5)
    return f"{lat:.5f} {lon:.5f}"


def by_cell(counts: Counts) -> dict[tuple[str, str, str], int]:
    """What is rounded: counts of cells, people of unknown age, and totals of zones as weights.

    "hill" is the smallest, and "middle" its nearest.
    """
    found = {}
    for cell, zones in {"west": ("west",), "middle": ("middle", "hill"), "east": ("east",)}.items():
        new, old, young = (sum(counts[zone][at] for zone in zones) for at in range(3))
        found |= {(cell, "origin", "NEW"): new, (cell, "origin", "OLD"): old, (cell, "age", "YOUNG"): young}
        found[cell, "age", ""] = new + old - young
    return found | {(zone, "total", "weight"): sum(counts[zone][:2]) for zone in CELLS}


def secret_that_rounds_alike(one: Counts, two: Counts) -> bytes:
    """Find a secret under which both tables are rounded alike, though they differ."""
    first, second = by_cell(one), by_cell(two)
    assert first != second
    for number in range(100_000):
        secret = b"%032d" % number
        chance = {(zone, *names): plain_u(secret, zone_name(zone), *names) for zone, *names in first}
        if all(plain_round(first[key], u) == plain_round(second[key], u) for key, u in chance.items()):
            return secret
    raise AssertionError("no such secret")


def write_all(result: Assessment, folder: Path) -> dict[str, bytes]:
    """Write every kind of output there is and return the bytes by file name."""
    assert result.area is not None
    folder.mkdir()
    write_project(folder / "town.gpkg", result.area, result.params, result)
    for measure in ("access", "mixed_place", "meets", "residents"):
        ga.score_map(result, measure).save(folder / f"{measure}.html")
    said = write_raw(result, folder / "raw")
    (folder / "said.txt").write_text(f"{summary(result)}\n{said}", encoding="utf-8")
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@dataclass(frozen=True)
class Outputs:
    """Where the three towns' outputs are, and the bytes of each."""

    folder: Path
    one: dict[str, bytes]
    two: dict[str, bytes]
    exact: dict[str, bytes]


@pytest.fixture(scope="module")
def outputs(twins: Twins, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Write everything once."""
    folder = tmp_path_factory.mktemp("outputs")
    return Outputs(
        folder, *(write_all(getattr(twins, name), folder / name) for name in ("one", "two", "exact"))
    )


def test_counts_are_protected_at_the_door(twins: Twins) -> None:
    """Cells sum to rounded counts, hill's 20 people joined middle's 40, and provenance says so."""
    area = twins.one.area
    assert area is not None
    assert area.provenance.counts == "protected"
    assert "3 cells of at least 50 residents; 1 smaller ones joined" in area.provenance.counts_note
    sums = area.residents.groupby("zone_id")[["origin:NEW", "origin:OLD", "age:YOUNG"]].sum()
    assert sorted(sums.index) == sorted(zone_name(zone) for zone in ("west", "middle", "east"))
    for (cell, dimension, group), n in by_cell(EXACT).items():
        if f"{dimension}:{group}" in sums:
            rounded = plain_round(n, plain_u(twins.secret, zone_name(cell), dimension, group))
            assert sums.loc[zone_name(cell), f"{dimension}:{group}"] == pytest.approx(rounded)


def test_nobody_and_hardly_anybody_look_the_same(twins: Twins, tmp_path: Path) -> None:
    """A house in a zone of nobody, and one in a zone of a single newcomer that rounds to nobody, are both left out."""
    nobody = {**EXACT, "middle": (13, 47, 8), "hill": (0, 0, 0)}
    somebody = {**nobody, "hill": (1, 0, 0)}
    files = [write_zones(tmp_path / f"{n}.gpkg", table) for n, table in enumerate((nobody, somebody))]
    with users_secret(secret_that_rounds_alike(nobody, somebody)):
        one, two = (read(twins.town, file).residents for file in files)
    assert twins.town.homes["hill"] not in one.index
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_same_protected_table_same_bytes(twins: Twins, outputs: Outputs) -> None:
    """Two towns that differ within the rounding give the same files to the byte; exact ones do not."""
    one, two, exact = outputs.one, outputs.two, outputs.exact
    assert len(one) >= 15
    assert sorted(one) == sorted(two)
    assert [name for name in one if one[name] != two[name]] == []
    differ = {name for name in one if one[name] != exact[name]}
    assert differ >= {
        "town.gpkg",
        "mixed_place.html",
        "raw/homes.parquet",
        "raw/result_places.parquet",
        "said.txt",
    }
    for name, content in {**one, **exact}.items():
        assert twins.secret not in content, name
        assert twins.secret.hex().encode() not in content, name
        assert str(config_dir()).encode() not in content, name


def test_exact_counts_are_marked_on_every_output(twins: Twins, outputs: Outputs, tmp_path: Path) -> None:
    """Project (first layer, and what is made from it), pages, summary and raw tables; nothing else is marked."""
    project = outputs.folder / "exact" / "town.gpkg"
    again = ga.read_project(project)
    write_project(tmp_path / "again.gpkg", again.area, again.params)
    for path in (project, tmp_path / "again.gpkg"):
        assert pyogrio.list_layers(path)[0, 0] == "NOT_FOR_PUBLICATION"
        assert MARK in pyogrio.read_dataframe(path, layer="NOT_FOR_PUBLICATION")["note"].iloc[0]
    assert "NOT_FOR_PUBLICATION" not in pyogrio.list_layers(outputs.folder / "one" / "town.gpkg")[:, 0]
    for name in (name for name in outputs.exact if name.endswith(".html")):
        text = outputs.exact[name].decode()
        assert f"<strong>{MARK}</strong>" in text
        assert f"<title>{MARK}" in text
        assert MARK not in outputs.one[name].decode(), name
    assert summary(twins.exact).startswith(MARK)
    assert outputs.exact["said.txt"].decode().splitlines()[-1].startswith(MARK)
    assert outputs.exact["raw/NOT_FOR_PUBLICATION.txt"].decode().startswith(MARK)
    assert "raw/NOT_FOR_PUBLICATION.txt" not in outputs.one
    assert MARK not in outputs.one["said.txt"].decode()


def test_a_zone_is_rounded_alike_in_every_file(twins: Twins, tmp_path: Path) -> None:
    """Rows in another order are the same zones: else each new file would tell a little more of the same count."""
    table = gpd.read_file(twins.file).iloc[::-1].to_crs(3035)
    table.to_file(tmp_path / "turned.gpkg")
    turned, one = read(twins.town, tmp_path / "turned.gpkg").residents, twins.one.area
    assert one is not None
    columns = ["origin:NEW", "origin:OLD", "age:YOUNG", "total", "zone_id"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(turned[columns]).sort_index(), pd.DataFrame(one.residents[columns]).sort_index()
    )


def test_addresses_are_protected_by_squares(twins: Twins, tmp_path: Path) -> None:
    """Two doors in one square of 100 m share its rounded counts equally, whoever lives behind which."""
    doors = gpd.GeoDataFrame(
        {"NEW": [37, 1, 0], "OLD": [0, 22, 71], "YOUNG": [4, 4, 4]},
        geometry=gpd.points_from_xy(*zip(lonlat(1.1, 1.1), lonlat(1.12, 1.12), lonlat(3.5, 3.5), strict=True)),
        crs=4326,
    )  # fmt: skip
    doors.to_file(tmp_path / "doors.gpkg")
    homes = read(twins.town, tmp_path / "doors.gpkg").residents
    assert homes.attrs["counts"] == "protected"
    for column, n in {"origin:NEW": 38, "origin:OLD": 22, "age:YOUNG": 8}.items():
        u = plain_u(user_secret(), homes["zone_id"].iloc[0], *column.split(":"))
        assert homes[column].iloc[:2].tolist() == [plain_round(n, u) / 2] * 2
    assert homes["zone_id"].nunique() == 2


def test_declared_or_recognised_counts_pass_as_they_are(twins: Twins) -> None:
    """A named publisher, or the Eurostat grid under groups of one's own, keeps its counts; both at once is refused."""
    area = ga.read_area(
        osm=twins.town.osm,
        residents=twins.file,
        boundary=twins.town.boundary,
        groups=GROUPS,
        published="City of Grid",
    )
    assert area.provenance.counts == "published"
    assert area.residents["origin:NEW"].sum() == pytest.approx(sum(new for new, _, _ in EXACT.values()))
    grid = ga.read_area(osm=twins.town.osm, residents=twins.town.census, groups={"age": ["Y_LT15", "Y_GE65"]})
    assert grid.provenance.counts == "published"
    assert "Eurostat" in grid.provenance.attribution
    with pytest.raises(InputError, match="keep_exact"):
        ga.read_area(
            osm=twins.town.osm, residents=twins.file, groups=GROUPS, published="City of Grid", keep_exact=True
        )


def test_the_command_keeps_exact_counts_only_when_asked(
    twins: Twins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--keep-exact marks what it prints and writes; beside --published, or without files, it is refused with code 2."""

    def score(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trefpunt", "score", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    files = ("--osm", twins.town.osm, "--residents", twins.file, "--groups", "origin=NEW,OLD;age=YOUNG")
    code, said, fault = score(*files, "--keep-exact", "--out", tmp_path / "exact.gpkg")
    assert code == 0, fault
    assert said.startswith(MARK)
    assert pyogrio.list_layers(tmp_path / "exact.gpkg")[0, 0] == "NOT_FOR_PUBLICATION"
    for words in ((*files, "--keep-exact", "--published", "City"), ("--sample", "monaco", "--keep-exact")):
        code, said, fault = score(*words, "--out", tmp_path / "none.gpkg")
        assert code == 2
        assert "--keep-exact" in fault
        assert not (tmp_path / "none.gpkg").exists()


# The attack: 24 homes in a street, 4 cells; whoever asks may put places anywhere and change every parameter.

HOMES = pd.Index([f"h{n:02}" for n in range(24)], name="home_id")


def street(seed: int) -> pd.DataFrame:
    """Homes with whole counts of two dimensions, 60 to 90 people in each cell of six."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({g: rng.integers(0, 9, 24) for g in ("origin:new", "age:old")}, index=HOMES)
    total = rng.integers(10, 15, 24)
    table["origin:here"], table["age:young"] = total - table["origin:new"], total - table["age:old"]
    return table.assign(total=total, zone_id=np.arange(24) // 6)


def what_if(table: pd.DataFrame, at: Sequence[float], **settings: object) -> Assessment:
    """Score places of one kind at these spots of the street, a minute from home to home."""
    places = pd.DataFrame(
        {"kind": "squares"}, index=pd.Index([f"p{n}" for n in range(len(at))], name="place_id")
    )
    minutes = abs(np.arange(24)[:, None] - np.array(at)[None, :])
    times = pd.DataFrame(
        {
            "home_id": np.repeat(HOMES, len(at)),
            "place_id": np.tile(places.index, 24),
            "minutes": minutes.ravel(),
        }
    )
    pairs = abs(np.subtract.outer(np.arange(24), np.arange(24)))
    near = np.argwhere((pairs <= 10) & (pairs > 0))
    home_times = pd.DataFrame(
        {
            "from_id": HOMES[near[:, 0]],
            "to_id": HOMES[near[:, 1]],
            "minutes": pairs[tuple(near.T)].astype(float),
        }
    )
    return ga.assess_tables(table, places, times, home_times, ga.Params(**settings))


def solved(table: pd.DataFrame, group: str) -> "pd.Series[float]":
    """Solve the counts of every home out of the visitors of one what-if place after another, at two decays.

    Each place has a catchment of its own, overlapping the others'; what share of each home visits it is no secret.
    """
    shares, visitors = [], []
    for half_time in (2.0, 6.0):
        for spot in range(24):
            pull = 2.0 ** (-abs(np.arange(24) - spot) / half_time)
            shares.append(pull / (2.0 ** (-15 / half_time) + pull))
            result = what_if(table, [float(spot)], half_time_min=half_time)
            visitors.append(result.places[f"visitors:{group}"].iloc[0])
    found = np.linalg.lstsq(np.array(shares), np.array(visitors), rcond=None)[0]
    return pd.Series(found, index=HOMES)


def test_overlapping_catchments_recover_exact_counts_but_never_protected_ones() -> None:
    """The attack is real: it reads every home off exact counts. Off protected ones it reads the table, no more."""
    exact = street(1)
    assert solved(exact, "origin:new").round(3).tolist() == exact["origin:new"].tolist()
    safe = ga.protect(exact, secret=b"owner")
    found = solved(safe, "origin:new")
    np.testing.assert_allclose(found, safe["origin:new"], atol=1e-4)
    cells = found.groupby(exact["zone_id"]).sum().round(3)
    assert (cells % 5 == 0).all()
    # Within a cell it reads building totals, which were known.
    rate = found / exact["total"]
    assert rate.groupby(exact["zone_id"]).agg(np.ptp).max() < 1e-5


def test_no_parameter_or_what_if_tells_twins_apart() -> None:
    """People swapped between homes and counts changed within their rounding: all tables stay the same to the bit."""
    exact = street(2)
    secret, twin = twin_of(exact)
    assert (exact.groupby("zone_id").sum() != twin.groupby("zone_id").sum()).any(axis=None)
    one, two = ga.protect(exact, secret=secret), ga.protect(twin, secret=secret)
    rng = np.random.default_rng(3)
    questions: list[dict[str, object]] = [
        {}, {"choice_set": 1}, {"choice_set": None}, {"horizon_min": 7}, {"environment_min": 1},
        {"half_time_min": 1.5, "outside_min": 3}, {"choice_weights": (1.0,)}, {"mixed_at": (0.1, 0.1, 1)},
        {"reference": {"origin:new": 0.5, "origin:here": 0.5}}, {"cutoffs_min": (1, 2, 3)},
    ]  # fmt: skip
    for question in questions:
        at = rng.uniform(0, 24, rng.integers(1, 6)).round(1)
        for spots in (
            at,
            [*at, 3.0],
            at[1:] if len(at) > 1 else at,
        ):  # as it is, a place added, a place closed
            first, second = (what_if(table, spots, **question) for table in (one, two))
            for name in ("homes", "places", "city", "exposure", "equity", "inequality"):
                pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)
            assert first.quality == second.quality
            assert first.params == second.params
    plain = what_if(exact, [3.0, 9.0]), what_if(twin, [3.0, 9.0])
    assert not plain[0].places.equals(plain[1].places)


def twin_of(exact: pd.DataFrame) -> tuple[bytes, pd.DataFrame]:
    """A table of the same building totals with other people in them, and a secret that rounds both alike."""
    twin = exact.copy()
    for _, homes in exact.groupby("zone_id"):
        for dimension, group, other in (("origin", "new", "here"), ("age", "old", "young")):
            new = (
                homes[f"{dimension}:{group}"].to_numpy()[::-1].clip(max=homes["total"].to_numpy())
            )  # other homes
            new[0] += 1 if new[0] < homes["total"].iloc[0] else -1
            twin.loc[homes.index, f"{dimension}:{group}"] = new
            twin.loc[homes.index, f"{dimension}:{other}"] = homes["total"].to_numpy() - new
    names = [c for c in exact if ":" in c]
    one, two = (table.groupby("zone_id")[names].sum() for table in (exact, twin))
    for number in range(100_000):
        secret = str(number).encode()
        if all(
            plain_round(one.loc[cell, name], u) == plain_round(two.loc[cell, name], u)
            for cell in one.index
            for name in names
            for u in [plain_u(secret, str(cell), *name.split(":"))]
        ):
            return secret, twin
    raise AssertionError("no such secret")
