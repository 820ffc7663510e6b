"""Files as they go wrong in practice: each is one sentence with its name and the mend, or mended and counted."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from grid_town import COUNTS, GridTown, box, lonlat, write_grid_town
from osm_files import OsmFile

from gisapp.errors import InputError, TrefpuntError
from gisapp.quality import Finding
from gisapp.sources.findings import coarse_findings
from gisapp.sources.read import read_area

GRID = ",".join(("GRD_ID", *COUNTS))
DOCTYPE = '<!DOCTYPE a [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
Write = Callable[[Path], Path]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> GridTown:
    """A town as files."""
    return write_grid_town(tmp_path_factory.mktemp("bad"))


def text(name: str, content: str | bytes) -> Write:
    """Write a file of this content."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def layer(name: str, *shapes: shapely.Geometry, **columns: list[object]) -> Write:
    """Write a GeoPackage of these shapes, in degrees."""

    def write(folder: Path) -> Path:
        frame = gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(list(shapes), crs=4326), crs=4326)
        frame.to_file(folder / name)
        return folder / name

    return write


WORLD = shapely.box(-179.9, 50, 179.9, 52)
SEA = shapely.Polygon(box(-30, -1, -20, 6))
ZONE = shapely.Polygon(box(-1, -1, 6, 6))
BAD: dict[str, tuple[str, Write, str]] = {
    "boundary over the antimeridian": (
        "boundary", layer("b.gpkg", WORLD), "'b.gpkg' reaches from longitude -179.90 to 179.90, around the world",
    ),
    "boundary in the sea": ("boundary", layer("sea.gpkg", SEA), "'sea.gpkg' holds no street"),
    "boundary without rows": ("boundary", layer("none.gpkg"), "'none.gpkg' has no rows"),
    "entities": ("neighbourhoods", text("n.kml", f"{DOCTYPE}<kml/>"), "'n.kml' declares a document type"),
    "neighbourhoods around the world": ("neighbourhoods", layer("w.gpkg", WORLD), "'w.gpkg' reaches from longitude"),
    "nothing in the first row": ("places", text("p.csv", "\n\n\n"), "'p.csv' has nothing in its first row"),
    "column names only": ("places", text("p.csv", "name,kind,lon,lat\n"), "'p.csv' has column names and no rows"),
    "a coordinate beyond all bounds": (
        "places", text("p.csv", "name,kind,lon,lat\nA,clubs,1e300,51\n"), "such as 1e.300, 51: these are metres",
    ),
    "both kinds of swapped": (
        "places", text("p.csv", "name,kind,lon,lat\nA,clubs,51.001,3.001\n"), "swapped .* here, or in the streets",
    ),
    "cells that are none": (
        "residents", text("grid.csv", f"{GRID}\nA7,1,1,0,0,1,0,0\n"), "'grid.csv' has ids in 'GRD_ID' that are none",
    ),
    "a grid in another encoding": (
        "residents", text("grid.csv", f"{GRID}\n".encode() + b"\xff\xfe\x81,1,1,0,0,1,0,0\n"), "'grid.csv'",
    ),
    "nobody counted": (
        "residents", layer("r.gpkg", ZONE, **{"age:old": [0], "age:young": [np.nan]}), "'r.gpkg' counts nobody",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_one_sentence(town: GridTown, tmp_path: Path, case: str) -> None:
    """What it was given as, its name, what is wrong; once, not a fault within a fault."""
    what, write, words = BAD[case]
    files = {"osm": town.osm, "residents": town.census, what: write(tmp_path)}
    with pytest.raises(TrefpuntError, match=words) as caught:
        read_area(**files)  # type: ignore[arg-type]
    assert str(caught.value).count(f"{what}: ") == 1


def test_an_unknown_encoding_is_told(town: GridTown, tmp_path: Path) -> None:
    """Of a census grid too, which is read in another way."""
    path = text("grid.csv", f"{GRID}\nCRS3035RES1000mN3100000E3800000,1,1,0,0,1,0,0\n")(tmp_path)
    with pytest.raises(InputError, match="'grid.csv'.*klingon"):
        read_area(osm=town.osm, residents=f"{path}|encoding=klingon")


@pytest.mark.parametrize("name", ["roads.gpkg", "roads.graphml"])
def test_streets_that_are_none(town: GridTown, tmp_path: Path, name: str) -> None:
    """A network around the world; a graph without a coordinate system."""
    if name.endswith("gpkg"):
        layer(name, shapely.LineString([(-179.99, 51), (179.99, 51)]))(tmp_path)
        words = "around the world"
    else:
        text(name, "<graphml><graph/></graphml>")(tmp_path)
        words = r"it has no 'crs'"
    with pytest.raises(InputError, match=f"streets: '{name}' .*{words}"):
        read_area(streets=tmp_path / name, residents=town.census)


def test_an_extract_over_the_antimeridian(tmp_path: Path, town: GridTown) -> None:
    """A town on both sides of the 180th meridian has no zone of metres; it is said, not computed."""
    osm = OsmFile()
    osm.way([osm.node(179.999, -16.8), osm.node(179.9995, -16.8)], {"highway": "residential"})
    osm.way([osm.node(-179.999, -16.8), osm.node(-179.9995, -16.8)], {"highway": "residential"})
    with pytest.raises(InputError, match="the extract reaches from longitude -180.00 to 180.00"):
        read_area(osm=osm.write(tmp_path / "taveuni.osm.pbf"), residents=town.census)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"zones": "z.gpkg"}, "zones: say something of residents"),
        ({"groups": {"age": ["A"]}, "published": "us"}, "groups and published: say something"),
    ],
)
def test_options_of_residents_need_residents(town: GridTown, options: dict[str, object], words: str) -> None:
    """Flags that would silently do nothing."""
    with pytest.raises(InputError, match=words):
        read_area(osm=town.osm, **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="key: joins a table"):
        read_area(osm=town.osm, residents=town.census, key="code")


def found(town: GridTown, **files: object) -> dict[str, Finding]:
    """What is found on reading the town with these files."""
    area = read_area(**{"osm": town.osm, "residents": town.census, **files})  # type: ignore[arg-type]
    return {f.code: f for f in area.quality.findings}


def test_a_column_named_twice(town: GridTown) -> None:
    """'age=U15,U15' is no group of two, but a slip."""
    with pytest.raises(InputError, match="'Y_LT15' is named twice for age"):
        found(town, groups={"age": ["Y_LT15", "Y_LT15"]})


def test_zones_that_overlap_are_counted(town: GridTown, tmp_path: Path) -> None:
    """The same zone in two rows holds its people twice: who publishes it must look."""
    write = layer("r.gpkg", ZONE, ZONE, shapely.Polygon(box(6, -1, 7, 6)), **{"age:old": [60, 60, 9]})
    said = found(town, residents=write(tmp_path), published="the town")
    assert said["residents_overlap"].count == 1
    assert "residents_overlap" not in found(town)


def test_a_capacity_of_nothing_is_unknown(town: GridTown, tmp_path: Path) -> None:
    """0 seats is how registers write that nobody counted them: missing, and said."""
    (lon, lat), (east, _) = lonlat(1, 1), lonlat(2, 2)
    path = tmp_path / "clubs.csv"
    path.write_text(f"name,kind,lon,lat,capacity\nA,clubs,{lon},{lat},0\nB,clubs,{east},{lat},12\n")
    area = read_area(osm=town.osm, residents=town.census, places=path)
    capacity = area.places.loc[area.places["kind"] == "clubs", "capacity"]
    assert capacity.isna().tolist() == [True, False]
    assert "The capacity of 1 is 0, taken as unknown" in area.quality["own_places:clubs.csv"].sentence


def test_large_zones_hide_who_lives_apart_in_them() -> None:
    """Half of the people in zones of 0.25 km² or more is said, with the size that half of them has; less is not."""
    shapes = [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 1500, 500), shapely.box(2000, 0, 2100, 100)]
    zones = gpd.GeoSeries(shapes, crs=32631)

    def homes(*people: float) -> gpd.GeoDataFrame:
        points = [shapely.centroid(s) for s in shapes]
        return gpd.GeoDataFrame({"total": people}, geometry=points, crs=32631)

    said = coarse_findings(homes(40, 20, 40), zones)[0]
    assert (said.code, said.count) == ("residents_coarse", 250_000)
    assert "0.25 km² or more" in said.sentence
    assert coarse_findings(homes(60, 0, 40), zones)[0].count == 1_000_000
    assert coarse_findings(homes(20, 20, 60), zones) == []
    assert coarse_findings(homes(0, 0, 0), zones) == []
