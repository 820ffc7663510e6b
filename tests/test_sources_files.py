"""Files of strangers: every format gives the same layer, and every fault one sentence that names file and row."""

import contextlib
import json
import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from gisapp.errors import CRSError, InputError, MissingError, TrefpuntError
from gisapp.sources import archives
from gisapp.sources.files import Layer, name_column, read_layer
from gisapp.sources.numbers import count_faults, read_numbers

UTM = CRS("EPSG:32631")
TOWN = (4.4, 51.0, 4.6, 51.1)
SHARED = Path(__file__).parents[2] / "shared" / "data"
Write = Callable[[gpd.GeoDataFrame, Path], Path]


@pytest.fixture
def clubs() -> gpd.GeoDataFrame:
    """Three clubs of Mechelen, one with an accent."""
    points = gpd.points_from_xy([4.4748, 4.4752, 4.4806], [51.0262, 51.0266, 51.0268])
    return gpd.GeoDataFrame({"naam": ["Café Zon", "'t Ankertje", "Den Anker"], "capaciteit": [40, 25, 60]},
                            geometry=points, crs=4326)  # fmt: skip


def read(path: Path | str, **options: object) -> Layer:
    """Read a file as places of a town in UTM zone 31."""
    return read_layer(path, UTM, what="places", **options)  # type: ignore[arg-type]


def as_csv(
    mark: str = ",", comma: bool = False, encoding: str = "utf-8", names: tuple[str, str] = ("lon", "lat")
) -> Write:
    """Write as CSV of some country."""

    def write(frame: gpd.GeoDataFrame, path: Path) -> Path:
        table = pd.DataFrame(frame.drop(columns="geometry"))
        table[names[0]], table[names[1]] = frame.geometry.x, frame.geometry.y
        table.to_csv(path, index=False, sep=mark, decimal="," if comma else ".", encoding=encoding)
        return path

    return write


def as_wkt(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Write as CSV with WKT."""
    pd.DataFrame({**frame.drop(columns="geometry"), "wkt": frame.geometry.to_wkt()}).to_csv(path, index=False)
    return path


def as_excel(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Write as a workbook with a title above the table and an empty second sheet."""
    table = pd.DataFrame({**frame.drop(columns="geometry"), "lat": frame.geometry.y, "lon": frame.geometry.x})
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        table.to_excel(book, index=False, startrow=2, sheet_name="Clubs")
        pd.DataFrame(["Clubs of the town"]).to_excel(book, header=False, index=False, sheet_name="Clubs")
        pd.DataFrame().to_excel(book, sheet_name="Blad2")
    return path


def as_json(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Write as a JSON list."""
    rows = [
        {"naam": r.naam, "capaciteit": r.capaciteit, "lat": r.geometry.y, "lon": r.geometry.x}
        for r in frame.itertuples()
    ]
    path.write_text(json.dumps(rows))
    return path


def as_file(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Write in the format of the suffix."""
    if path.suffix.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_file(path, **({"driver": "KML"} if path.suffix == ".kml" else {}))
    return path


def as_zip(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Write as a zipped Shapefile in a folder of its own."""
    shape = path.with_suffix(".shp")
    frame.to_crs(31370).to_file(shape)
    with zipfile.ZipFile(path, "w") as archive:
        for file in path.parent.glob(f"{path.stem}.*"):
            if file != path:
                archive.write(file, f"clubs/{file.name}")
    return path


FORMATS: dict[str, tuple[str, Write]] = {
    "csv": ("clubs.csv", as_csv()),
    "csv, semicolon and decimal comma": ("clubs.csv", as_csv(";", True, "utf-8-sig")),
    "csv, tabs, Dutch names": ("clubs.txt", as_csv("\t", names=("Lengtegraad", "Breedtegraad"))),
    "csv, utf-16": ("clubs.csv", as_csv(encoding="utf-16")),
    "csv, cp1252": ("clubs.csv", as_csv(";", encoding="cp1252", names=("x", "y"))),
    "csv, wkt": ("clubs.csv", as_wkt),
    "excel": ("clubs.xlsx", as_excel),
    "json list": ("clubs.json", as_json),
    "geopackage": ("clubs.gpkg", as_file),
    "geojson": ("clubs.geojson", as_file),
    "json that is geojson": ("clubs.json", lambda f, p: as_file(f, p.with_suffix(".geojson")).rename(p)),
    "shapefile": ("clubs.shp", as_file),
    "zipped shapefile, Lambert": ("clubs.zip", as_zip),
    "geoparquet": ("clubs.parquet", as_file),
    "flatgeobuf": ("clubs.fgb", as_file),
    "kml": ("clubs.kml", lambda f, p: as_file(f.rename(columns={"naam": "Name"}), p)),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_layer(kind: str, clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """The same three clubs come out of every format, at the same place to a centimetre, accents right."""
    name, write = FORMATS[kind]
    frame = read(write(clubs, tmp_path / name), near=TOWN).frame
    frame = frame.rename(columns={"Name": "naam"})
    wanted = clubs.to_crs(UTM).set_index("naam")
    found = frame.set_index("naam").loc[wanted.index]
    assert found.crs == UTM
    assert shapely.distance(found.geometry.to_numpy(), wanted.geometry.to_numpy()).max() < 0.01
    assert read_numbers(found["capaciteit"])[0].tolist() == [40, 25, 60]


def test_a_guessed_encoding_and_degrees_are_said(clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """A file that is not in UTF-8 and one in degrees are read, and both are in the findings."""
    said = " ".join(
        f.sentence for f in read(as_csv(encoding="cp1252")(clubs, tmp_path / "clubs.csv")).findings
    )
    assert "'clubs.csv' is not in UTF-8 and was read as Windows-1252" in said
    assert "in degrees (EPSG:4326) and was brought to EPSG:32631" in said


def test_a_layer_is_named_as_in_qgis(clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """Of several layers one must be named, behind a bar; a wrong name lists them."""
    path = tmp_path / "town.gpkg"
    clubs.to_file(path, layer="clubs")
    clubs.head(1).to_file(path, layer="bars")
    assert len(read(f"{path}|layername=bars").frame) == 1
    with pytest.raises(
        InputError, match=r"'town.gpkg' has 2 layers: 'clubs', 'bars'. Name one: 'town.gpkg\|layername="
    ):
        read(path)
    with pytest.raises(MissingError, match="has no layer 'pubs'; it has 'clubs', 'bars'"):
        read(f"{path}|layername=pubs")
    with pytest.raises(InputError, match="'colour=red' behind .* is no option"):
        read(f"{path}|colour=red")


def write_zip(path: Path, name: str, content: bytes = b"x", *, link: bool = False) -> Path:
    """Write a zip with one file of any name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        if link:
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


@pytest.mark.parametrize("name", ["../../evil.shp", "/etc/evil.shp", "C:\\evil.shp", "a\\..\\..\\evil.shp"])
def test_a_zip_that_climbs_out_is_not_unpacked(name: str, tmp_path: Path) -> None:
    """A name that leads out of the folder is refused by name, and nothing is written."""
    path = write_zip(tmp_path / "clubs.zip", name)
    with pytest.raises(
        InputError, match=r"'clubs.zip' holds '.*evil.shp', which would be written outside its folder"
    ):
        read(path)
    with pytest.raises(InputError, match="outside"):
        archives.unpack(path, tmp_path / "to", what="places")
    assert not list(tmp_path.rglob("evil.shp"))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    """A link could lead anywhere."""
    with pytest.raises(InputError, match="outside its folder"):
        read(write_zip(tmp_path / "clubs.zip", "clubs.csv", b"/etc/passwd", link=True))


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_that_unpacks_to_gigabytes_is_stopped(
    lies: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own account, or, where that is a lie, when it has written as much as it may or said it would."""
    monkeypatch.setattr(archives, "MOST_UNPACKED", 100_000)
    path = write_zip(tmp_path / "clubs.zip", "clubs.csv", b"\0" * 1_000_000)
    if lies:
        content = path.read_bytes().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
        path.write_bytes(content)
    with pytest.raises(InputError, match="'clubs.zip' (unpacks to more than|cannot be unpacked)"):
        read(path)


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_never_reach_a_parser(encoding: str, tmp_path: Path) -> None:
    """A KML that declares a document type is refused before anything is expanded, in any encoding."""
    path = tmp_path / "clubs.kml"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?>{BOMB}<kml>&b;</kml>', encoding=encoding)
    with pytest.raises(InputError, match="'clubs.kml' declares a document type"):
        read(path)


def test_entities_in_a_workbook_are_refused(clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """An Excel file is XML too."""
    good = as_excel(clubs, tmp_path / "good.xlsx")
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(("sharedStrings.xml", "workbook.xml")):
                content = BOMB.encode() + re.sub(rb"^<\?xml.*?\?>", b"", content)
            copy.writestr(name, content)
    with pytest.raises(InputError, match="'bad.xlsx' declares a document type"):
        read(tmp_path / "bad.xlsx")


@pytest.mark.parametrize("kind", [k for k in FORMATS if k != "shapefile"])
def test_an_empty_file_is_named(kind: str, tmp_path: Path) -> None:
    """0 bytes, whatever the suffix."""
    path = tmp_path / FORMATS[kind][0]
    path.touch()
    with pytest.raises(InputError, match=rf"'{path.name}' is empty \(0 bytes\)"):
        read(path)


@pytest.mark.parametrize(
    "kind", ["excel", "json list", "geopackage", "geojson", "shapefile", "zipped shapefile, Lambert", "geoparquet",
             "flatgeobuf", "kml"]
)  # fmt: skip
@pytest.mark.parametrize("kept", [0.4, 0.97])
def test_a_truncated_file_is_told(kind: str, kept: float, tmp_path: Path) -> None:
    """Half a file is refused in every format that has an end, and never read as if it were whole."""
    count = 400
    points = gpd.points_from_xy(np.linspace(4.4, 4.6, count), np.full(count, 51.05))
    frame = gpd.GeoDataFrame(
        {"naam": [f"Club {n}" for n in range(count)], "capaciteit": range(count)}, geometry=points, crs=4326
    )
    name, write = FORMATS[kind]
    path = write(frame, tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match=rf"'{path.name}' (is|cannot be|has)") as fault:
        read(path)
    assert str(tmp_path) not in str(fault.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("clubs.gpkg", b"\x89PNG....", "is by its content no gpkg file"),
        ("clubs.geojson", b"<OGRVRTDataSource/>", "is by its content no GeoJSON file"),
        ("clubs.pdf", b"%PDF", "is in no format that can be read. Save it as GeoPackage"),
        ("clubs.csv", b"\x00\x01\x02\x03", "is no text in UTF-8 or Windows-1252. Save it as 'CSV UTF-8'"),
        ("clubs.csv", b"naam,lon,lat\nZ\x81n,4.5,51\n", "is no text in UTF-8 or Windows-1252"),
        ("clubs.csv", b"naam,lon,lat\nZon,4.5,51,9,9\n", "row 2 of 'clubs.csv' does not have the columns"),
        ("clubs.csv", b"naam,lon,lon\nZon,4.5,51\n", "has two columns 'lon'"),
        ("clubs.csv", b"naam,stad\nZon,Gent\n", "no column that says where its rows lie; it has 'naam', 'stad'"),
        ("clubs.csv", b"naam,adres\nZon,Markt 1\n", "has addresses and no coordinates .1 of 1 rows.. Say --geocode"),
        ("clubs.csv", b"naam,lon,lat\nA,4.5,51\nB,4.5,\n", "gives only one of 'lon' and 'lat' in row 3"),
        ("clubs.csv", b"naam,lon,lat\nA,4.5,51\nB,west,51\n", "no coordinate in row 3 of column 'lon' .'west'"),
        ("clubs.csv", b"naam,lon,lat\nA,4.5,51\nB,inf,51\n", "no coordinate in row 3 of column 'lon' .'inf'"),
        ("clubs.csv", b"naam,x,y\nA,157000,190000\n", r"in which system. Name it, for instance 'clubs.csv\|crs="),
        ("clubs.csv", b"naam,wkt\nA,POINT (4.5 51)\nB,POINT (4.5\n", "holds no WKT in row 3 of column 'wkt'"),
        ("clubs.csv", b"n;wkt\nA;SRID=4326;POINT (4.5 51)\n", "does not have the columns"),
        ("clubs.csv", b"n,wkt\nA,SRID=4326;POINT (4.5 51)\nB,SRID=31370;POINT (157000 190000)\n",
         r"mixes two coordinate systems, EPSG:31370 \(row 3\) and EPSG:4326 \(row 2\)"),
        ("clubs.csv", b"naam,lon,lat\nA,51.02,4.48\n", "far from the streets, and would lie among them with latitude"),
        ("clubs.csv", b"naam,lon,lat\nA,2.35,48.85\n", "not overlap the streets: it lies between longitude 2.35 and"),
        ("clubs.csv", b"naam,lon,lat\nA,157000,190000\n", r"in degrees \(EPSG:4326\), but has coordinates such as"),
        ("clubs.csv", b"naam,lon,lat\nA,-33,151\n", "latitudes of up to 151 degrees: latitude and"),
        ("clubs.json", b'[{"name": "A", "lat": 51.0', "is no whole JSON file"),
        ("clubs.json", b'["A", "B"]', "is no list of objects"),
        ("clubs.json", b"[" * 100_000, "is no whole JSON file"),
        ("clubs.kml", b"<html></html>", "is no KML file .its root is 'html'"),
        ("clubs.kml", b'<!DOCTYPE kml SYSTEM "x.dtd"><kml/>', "'clubs.kml' declares a document type"),
        ("clubs.zip", b"PK\x03\x04nonsense", "'clubs.zip' is no whole zip file"),
        ("clubs.xlsx", b"PK\x05\x06" + b"\0" * 18, "is no Excel workbook"),
    ],
)  # fmt: skip
def test_each_fault_is_one_sentence_that_names_it(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    """What, where and what to do, without the path of the machine."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrefpuntError, match=message) as fault:
        read(tmp_path / name, near=TOWN)
    assert str(fault.value).startswith("places: ")
    assert str(tmp_path) not in str(fault.value)


def test_missing_and_wrong_systems_are_told(clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """No system, and one that the coordinates cannot be in; naming the right one mends both."""
    lambert = clubs.to_crs(31370)
    lambert.to_file(tmp_path / "bare.shp")
    (tmp_path / "bare.prj").unlink()
    with pytest.raises(
        CRSError,
        match=r"'bare.shp' has no coordinate system. Set it .* or name it: 'bare.shp\|crs=EPSG:31370'",
    ):
        read(tmp_path / "bare.shp")
    bare = f"{tmp_path / 'bare.shp'}|crs=EPSG:31370"
    assert len(read(bare, near=TOWN).frame) == 3
    lambert.set_crs(4326, allow_override=True).to_file(tmp_path / "metres.gpkg")
    with pytest.raises(CRSError, match="says that it is in degrees .* these are metres"):
        read(tmp_path / "metres.gpkg")
    assert len(read(f"{tmp_path / 'metres.gpkg'}|crs=EPSG:31370", near=TOWN).frame) == 3
    clubs.set_crs(31370, allow_override=True).to_file(tmp_path / "degrees.gpkg")
    with pytest.raises(CRSError, match="says that it is in EPSG:31370, but .* these are degrees"):
        read(tmp_path / "degrees.gpkg")
    with pytest.raises(CRSError, match="there is no coordinate system 'EPSG:1'"):
        read(f"{tmp_path / 'bare.shp'}|crs=EPSG:1")


def test_swapped_axes_of_a_projected_layer_are_told(clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """North and east swapped in Lambert 72."""
    lambert = clubs.to_crs(31370)
    swapped = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lambert.geometry.y, lambert.geometry.x), crs=31370)
    swapped.to_file(tmp_path / "swapped.gpkg")
    with pytest.raises(InputError, match=r"swapped \(x and y\)"):
        read(tmp_path / "swapped.gpkg", near=TOWN)


def test_two_systems_in_one_file_are_told(tmp_path: Path, clubs: gpd.GeoDataFrame) -> None:
    """Shapefiles of two systems in one zip: each is a file of its own, and one must be chosen."""
    for name, epsg in (("a", 31370), ("b", 3812)):
        clubs.to_crs(epsg).to_file(tmp_path / f"{name}.shp")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for file in [*tmp_path.glob("a.*"), *tmp_path.glob("b.*")]:
            archive.write(file, file.name)
    with pytest.raises(InputError, match="'two.zip' holds 2 files that could be meant: 'a.shp', 'b.shp'"):
        read(tmp_path / "two.zip")


def test_broken_shapes_are_mended_and_counted(tmp_path: Path) -> None:
    """A bow tie keeps its area; null and empty rows go; heights are dropped: each with its count and rows."""
    bow_tie = shapely.Polygon([(0, 0), (200, 200), (200, 0), (0, 200)])
    box = shapely.force_3d(shapely.box(300, 0, 400, 100), 7.0)
    shapes = [shapely.affinity.translate(s, 600_000, 5_650_000) for s in (bow_tie, box)]
    frame = gpd.GeoDataFrame(
        {"naam": list("abcd")}, geometry=[shapes[0], None, shapely.Polygon(), shapes[1]], crs=UTM
    )
    frame.to_file(tmp_path / "zones.gpkg", geometry_type="Unknown")
    layer = read(tmp_path / "zones.gpkg")
    assert layer.frame["naam"].tolist() == ["a", "d"]
    assert layer.frame.area.tolist() == pytest.approx([20_000, 10_000])
    assert not shapely.has_z(layer.frame.geometry.to_numpy()).any()
    said = {f.code.partition(":")[0]: f for f in layer.findings}
    assert said["places_empty"].count == 2
    assert "(row 2, row 3)" in said["places_empty"].sentence
    assert said["places_mended"].count == 1
    assert "(row 1)" in said["places_mended"].sentence
    assert said["places_heights"].count == 1


def test_coordinates_that_are_no_numbers_are_named(tmp_path: Path, clubs: gpd.GeoDataFrame) -> None:
    """NaN and infinite coordinates, drawn or computed by somebody's script."""
    line = shapely.LineString([(4.4, 51.0), (np.inf, 51.0)])
    frame = gpd.GeoDataFrame(
        {"n": [1, 2]}, geometry=[shapely.LineString([(4.4, 51), (4.5, 51)]), line], crs=4326
    )
    frame.to_file(tmp_path / "lines.gpkg")
    with pytest.raises(InputError, match=r"coordinates that are no numbers \(not finite\) in row 2"):
        read(tmp_path / "lines.gpkg")


def test_measures_are_dropped_and_said(tmp_path: Path) -> None:
    """M values come with surveyed roads; they carry no people."""
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.from_wkt("POINT ZM (4.5 51 3 9)")], crs=4326)
    frame.to_parquet(tmp_path / "measured.parquet")
    layer = read(tmp_path / "measured.parquet")
    assert shapely.get_coordinate_dimension(layer.frame.geometry.to_numpy()).tolist() == [2]
    assert any("heights or measures of 1 shapes were dropped" in f.sentence for f in layer.findings)


def test_the_wrong_shapes_are_told(tmp_path: Path, clubs: gpd.GeoDataFrame) -> None:
    """Polygons where points are wanted, and points where polygons are: with the row."""
    zones = clubs.to_crs(UTM).assign(geometry=lambda f: f.buffer(10))
    zones.to_file(tmp_path / "zones.gpkg")
    with pytest.raises(
        InputError,
        match="'zones.gpkg' has polygons in row 1, row 2, row 3, where points are wanted",
    ):
        read(tmp_path / "zones.gpkg", shapes=("points",))
    clubs.to_file(tmp_path / "points.gpkg")
    with pytest.raises(InputError, match="has points .* where lines or polygons are wanted"):
        read(tmp_path / "points.gpkg", shapes=("lines", "polygons"))


def test_folders_of_a_kml_are_read_together(tmp_path: Path) -> None:
    """A map of several folders, as map makers online export it, is one list."""
    folders = "".join(
        f"<Folder><name>{n}</name><Placemark><name>Club {n}</name><Point><coordinates>4.5,51.0{n},0</coordinates>"
        "</Point></Placemark></Folder>"
        for n in (1, 2)
    )
    (tmp_path / "map.kml").write_text(
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{folders}</Document></kml>'
    )
    assert read(tmp_path / "map.kml").frame["Name"].tolist() == ["Club 1", "Club 2"]


def test_names_are_found_and_made_distinct() -> None:
    """The column called like a name, a number where it is blank or met twice."""
    frame = gpd.GeoDataFrame(
        {"code": ["x", "y", "z"], "WIJKNAAM": ["Centrum", None, "Centrum"]},
        geometry=gpd.points_from_xy([0] * 3, [0] * 3),
    )
    assert name_column(frame, what="neighbourhoods").tolist() == ["Centrum", "Area 2", "Centrum (2)"]
    assert name_column(frame[["code", "geometry"]], what="neighbourhoods").tolist() == ["x", "y", "z"]
    with pytest.raises(InputError, match="no column names the areas"):
        name_column(frame[["geometry"]], what="neighbourhoods")


@given(st.floats(0, 1e9, allow_nan=False).map(lambda v: round(v, 3)))
def test_numbers_are_read_as_every_country_writes_them(value: float) -> None:
    """English, Dutch, French and Swiss marks all give the same number, where both marks stand or neither."""
    english = f"{value:,.3f}"
    dutch = english.replace(",", " ").replace(".", ",").replace(" ", ".")
    writings = [
        f"{value:.3f}",
        f"{value:.3f}".replace(".", ","),
        english.replace(",", " "),
        english.replace(",", "’"),
    ]
    if value >= 1000:
        writings += [english, dutch]
    numbers, wrong = read_numbers(pd.Series(writings))
    assert not wrong.any()
    assert numbers == pytest.approx([value] * len(writings), abs=1e-9)


def test_counts_are_never_guessed() -> None:
    """Text, negative counts and thousands that may be decimals are faults with their rows."""

    def row(n: int) -> str:
        return f"row {n + 2}"

    assert count_faults(pd.Series(["3", "many", "-4", None]), "n", row)[1] == [
        "column 'n' holds no number in row 3 ('many').", "column 'n' is negative in row 4."
    ]  # fmt: skip
    assert "'1.234', which may be 1234 or 1.234" in count_faults(pd.Series(["1.234", "12"]), "n", row)[1][0]
    assert count_faults(pd.Series(["1.234", "12.5"]), "n", row)[1] == []
    assert count_faults(pd.Series([True, False]), "n", row)[1] != []


@pytest.mark.parametrize("epsg", [31370, 3812, 5635, 3035, 4326])
def test_neighbourhoods_come_in_any_system(epsg: int, tmp_path: Path) -> None:
    """A square kilometre in Mechelen (or on Gran Canaria) keeps its area whatever system it was drawn in."""
    utm = CRS("EPSG:32628") if epsg == 5635 else UTM
    square = (
        shapely.box(458_000, 3_108_000, 459_000, 3_109_000)
        if epsg == 5635
        else shapely.box(603_000, 5_653_000, 604_000, 5_654_000)
    )
    frame = gpd.GeoDataFrame({"naam": ["A"]}, geometry=[shapely.segmentize(square, 20)], crs=utm).to_crs(epsg)
    as_file(frame, tmp_path / "areas.gpkg")
    layer = read_layer(tmp_path / "areas.gpkg", utm, what="neighbourhoods", shapes=("polygons",))
    assert layer.frame.area.iloc[0] == pytest.approx(1e6, rel=1e-4)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
def test_real_neighbourhoods(tmp_path: Path) -> None:
    """Mechelen's twelve wijken (Lambert 72, one of three layers) and Las Palmas' catchments (EPSG:5635)."""
    wijken = read_layer(
        f"{SHARED / 'mechelen' / 'mechelen_boundaries.gpkg'}|layername=wijken12",
        UTM,
        what="neighbourhoods",
        near=TOWN,
    )
    assert len(set(name_column(wijken.frame, what="neighbourhoods"))) == 12
    catchments = read_layer(
        SHARED / "las_palmas" / "school_catchments_29.geojson", CRS("EPSG:32628"), what="neighbourhoods",
        near=(-15.6, 27.9, -15.3, 28.3),
    )  # fmt: skip
    assert len(set(name_column(catchments.frame, what="neighbourhoods"))) == 29
    bars = read(SHARED / "mechelen" / "osm_bars_2026-04-10.json", near=TOWN)
    assert len(bars.frame) > 80
    assert bars.frame["amenity"].isin(["cafe", "bar", "pub"]).any()


def test_a_workbook_with_two_sheets_asks(clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """One sheet must be named where several hold data."""
    with pd.ExcelWriter(tmp_path / "two.xlsx", engine="openpyxl") as book:
        for sheet in ("Clubs", "Bars"):
            pd.DataFrame({"lon": [4.5], "lat": [51.0]}).to_excel(book, index=False, sheet_name=sheet)
    with pytest.raises(InputError, match="'two.xlsx' has 2 sheets with data: 'Clubs', 'Bars'"):
        read(tmp_path / "two.xlsx")
    assert len(read(f"{tmp_path / 'two.xlsx'}|layername=Bars").frame) == 1
    with pytest.raises(InputError, match="'two.xlsx' cannot be read"):
        read(f"{tmp_path / 'two.xlsx'}|layername=Pubs")


@given(
    st.binary(max_size=300),
    st.sampled_from([".csv", ".json", ".geojson", ".kml", ".gpkg", ".zip", ".xlsx", ".fgb"]),
)
def test_garbage_never_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    """Whatever the bytes, what comes is a layer or one of our own errors."""
    path = tmp_path_factory.mktemp("garbage") / f"file{suffix}"
    path.write_bytes(
        {".gpkg": b"SQLite format 3\0", ".zip": b"PK", ".xlsx": b"PK", ".fgb": b"fgb\x03"}.get(suffix, b"")
        + content
    )
    with contextlib.suppress(TrefpuntError):
        read(path)


def test_shapefile_without_its_companions(clubs: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """Only the .shp was copied."""
    clubs.to_file(tmp_path / "clubs.shp")
    (tmp_path / "clubs.dbf").unlink()
    with pytest.raises(InputError, match="lies there without its .dbf. A Shapefile is several files"):
        read(tmp_path / "clubs.shp")


def test_geopackage_table_without_shapes(tmp_path: Path) -> None:
    """A table is no layer."""
    pyogrio.write_dataframe(pd.DataFrame({"n": [1]}), tmp_path / "table.gpkg")
    with pytest.raises(InputError, match="'table.gpkg' holds no geometry"):
        read(tmp_path / "table.gpkg")
    with pytest.raises(MissingError, match="there is no file"):
        read(tmp_path / "none.gpkg")
    with pytest.raises(MissingError, match="is a folder"):
        read(tmp_path)


def test_a_layer_without_any_shape(tmp_path: Path) -> None:
    """All rows are null."""
    text = json.dumps(
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": None}]}
    )
    (tmp_path / "empty.geojson").write_text(text)
    with pytest.raises(InputError, match="'empty.geojson' hol?ds? no"):
        read(tmp_path / "empty.geojson")
