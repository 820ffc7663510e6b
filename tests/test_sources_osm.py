"""Reading extracts: clipped, multipolygons, squares to walk over, doors and gates, and what is no extract."""

import lzma
import tempfile
from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from osm_files import OsmFile
from osmium.osm.mutable import Node, Relation, Way

from gisapp.catalogue import Matcher, load_catalogue
from gisapp.errors import InputError, MissingError
from gisapp.network.build import build_streets
from gisapp.sources import osm_versions
from gisapp.sources.findings import osm_findings
from gisapp.sources.osm import RawOSM, read_osm
from gisapp.sources.read import projected_crs

LON, LAT = 3.0, 51.0


def read(osm: OsmFile, path: Path, **options: list[int]) -> RawOSM:
    """Write, and read as the product does."""
    return read_file(osm.write(path, **options))


def read_file(path: Path) -> RawOSM:
    """Read as the product does."""
    matcher = Matcher(load_catalogue())
    return read_osm(path, wanted=matcher.wanted, keys=matcher.keys)


def line(osm: OsmFile, n: int, row: float = 0.0) -> list[int]:
    """Nodes in a row, 70 m apart."""
    return [osm.node(LON + 0.001 * i, LAT + row) for i in range(n)]


@pytest.mark.parametrize("suffix", [".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".osm.xz"])
def test_clipped_ways_keep_the_stretches_that_are_there(tmp_path: Path, suffix: str) -> None:
    """A way with nodes outside the extract keeps its present stretches, apart from each other, and is counted."""
    osm = OsmFile()
    nodes = line(osm, 7)
    osm.way(nodes, {"highway": "residential"})
    path = tmp_path / f"clip{suffix}"
    if suffix == ".osm.xz":
        plain = osm.write(tmp_path / "plain.osm", without=[nodes[2], nodes[6]])
        path.write_bytes(lzma.compress(plain.read_bytes()))
        raw = read_file(path)
    else:
        raw = read(osm, path, without=[nodes[2], nodes[6]])
    assert raw.counts["ways_clipped"] == 1
    assert raw.counts["refs_missing"] == 2
    edges = build_streets(raw, projected_crs(raw)).edges
    ends = {frozenset(pair) for pair in zip(edges["u"], edges["v"], strict=True)}
    assert ends == {frozenset((nodes[0], nodes[1])), frozenset((nodes[3], nodes[5]))}
    assert edges["length_m"].sum() == pytest.approx(
        osm.length_m(*nodes[:2]) + osm.length_m(*nodes[3:6]), abs=0.002
    )
    assert raw.data_date == ("2026-03-01" if suffix == ".osm.pbf" else ""), "the writer dates PBF only"


def test_every_part_and_free_ring_of_a_network_is_kept(tmp_path: Path) -> None:
    """Two streets that never meet and a ring that meets nothing: all there, the ring by its lowest node."""
    osm = OsmFile()
    first, second = line(osm, 3), line(osm, 3, 0.002)
    ring = line(osm, 3, 0.004)
    ring.append(osm.node(LON, LAT + 0.005))
    for refs in (first, second, [*ring, ring[0]]):
        osm.way(refs, {"highway": "footway"})
    raw = read(osm, tmp_path / "parts.osm.pbf")
    streets = build_streets(raw, projected_crs(raw))
    assert set(streets.nodes.index) == {first[0], first[2], second[0], second[2], ring[0]}
    loop = streets.edges[streets.edges["u"] == streets.edges["v"]]
    assert loop["length_m"].tolist() == pytest.approx([osm.length_m(*ring, ring[0])], abs=0.001)


def test_stretches_shared_by_two_ways_count_once(tmp_path: Path) -> None:
    """Two ways over the same nodes are one street; two ways between the same crossings are two."""
    osm = OsmFile()
    nodes = line(osm, 3)
    aside = osm.node(LON + 0.001, LAT + 0.0005)
    osm.way(nodes, {"highway": "residential"})
    osm.way(nodes[::-1], {"highway": "footway"})
    osm.way([nodes[0], aside, nodes[2]], {"highway": "path"})
    osm.way([nodes[0], osm.node(LON - 0.001, LAT)], {"highway": "path"})
    osm.way([nodes[2], osm.node(LON + 0.003, LAT)], {"highway": "path"})
    raw = read(osm, tmp_path / "twice.osm.pbf")
    edges = build_streets(raw, projected_crs(raw)).edges
    between = edges[edges["u"].isin([nodes[0], nodes[2]]) & edges["v"].isin([nodes[0], nodes[2]])]
    assert sorted(between["key"]) == [0, 1]
    assert len(edges) == 4


def test_lifts_tunnels_and_flags(tmp_path: Path) -> None:
    """A lift's wait lies half on each side; an edge is a tunnel if most of it is; unknown is not no."""
    osm = OsmFile()
    nodes = line(osm, 6)
    osm.nodes[nodes[1]][2].update({"highway": "elevator"})
    osm.way(nodes[:3], {"highway": "footway", "wheelchair": "yes", "lit": "no"})
    osm.way([nodes[2], nodes[3]], {"highway": "footway", "tunnel": "yes"})
    osm.way([nodes[3], nodes[4]], {"highway": "steps"})
    osm.way([nodes[4], nodes[5]], {"highway": "residential", "tunnel": "building_passage", "incline": "12%"})
    for n in (2, 3, 4):  # crossings, so that every stretch is an edge of its own
        osm.way([nodes[n], osm.node(LON + 0.001 * n, LAT + 0.001)], {"highway": "path"})
    raw = read(osm, tmp_path / "lift.osm.pbf")
    assert raw.lifts.tolist() == [nodes[1]]
    edges = build_streets(raw, projected_crs(raw)).edges
    row = {frozenset((e.u, e.v)): e for e in edges.itertuples()}
    lift, tunnel, steps, passage = (
        row[frozenset((nodes[a], nodes[b]))] for a, b in ((0, 2), (2, 3), (3, 4), (4, 5))
    )
    assert (lift.wait_s, lift.wheelchair_known, lift.wheelchair_no, lift.lit_known, lift.lit_no) == (
        45,
        True,
        False,
        True,
        True,
    )
    assert (tunnel.wait_s, tunnel.tunnel, tunnel.wheelchair_known, tunnel.lit_known) == (
        0,
        True,
        False,
        False,
    )
    assert (steps.steps, steps.wheelchair_no, steps.wheelchair_known) == (True, True, True)
    assert (passage.tunnel, passage.wheelchair_no, passage.steps) == (False, True, False)


def test_people_walk_along_the_edge_of_a_square(tmp_path: Path) -> None:
    """A pedestrian area joins the streets that end at it, whether drawn as a way or as a multipolygon."""
    for relation in (False, True):
        osm = OsmFile()
        corners = [osm.node(LON + x, LAT + y) for x, y in ((0, 0), (0.001, 0), (0.001, 0.001), (0, 0.001))]
        square = {"highway": "pedestrian", "name": "Market"}
        if relation:
            halves = [osm.way(corners[:3], {}), osm.way([*corners[2:], corners[0]], {})]
            osm.relation([("way", ref, "outer") for ref in halves], {"type": "multipolygon", **square})
        else:
            osm.way([*corners, corners[0]], {"area": "yes", **square})
        osm.way([corners[0], osm.node(LON - 0.001, LAT)], {"highway": "residential"})
        osm.way([corners[2], osm.node(LON + 0.002, LAT + 0.001)], {"highway": "residential"})
        raw = read(osm, tmp_path / f"square{relation}.osm.pbf")
        streets = build_streets(raw, projected_crs(raw))
        assert len(streets.edges) == 4
        assert len(raw.features) == 1
        assert raw.features.geometry.iloc[0].geom_type == "Polygon"
        assert raw.features["tags"].iloc[0]["name"] == "Market"


def test_holes_of_a_park_are_no_park(tmp_path: Path) -> None:
    """A multipolygon keeps its hole, and its id says that it is a relation."""
    osm = OsmFile()
    osm.way(line(osm, 2), {"highway": "path"})

    def ring(side: float) -> int:
        return osm.ring(
            [
                (LON - side, LAT - side),
                (LON + side, LAT - side),
                (LON + side, LAT + side),
                (LON - side, LAT + side),
            ],
            {},
        )

    outer, inner = ring(0.002), ring(0.001)
    park = osm.relation(
        [("way", outer, "outer"), ("way", inner, "inner")], {"type": "multipolygon", "leisure": "park"}
    )
    raw = read(osm, tmp_path / "park.osm.pbf")
    assert raw.features.index.tolist() == [f"relation/{park}"]
    assert not shapely.contains_xy(raw.features.geometry.iloc[0], LON, LAT)
    assert shapely.contains_xy(raw.features.geometry.iloc[0], LON + 0.0015, LAT)


def test_doors_and_gates_that_visitors_may_use(tmp_path: Path) -> None:
    """Main entrances and gates are ways in; emergency exits, garages and private gates are not."""
    osm = OsmFile()
    osm.way(line(osm, 2), {"highway": "path"})
    good = [
        {"entrance": "main"},
        {"entrance": "yes"},
        {"barrier": "gate"},
        {"barrier": "gate", "access": "yes"},
    ]
    bad = [{"entrance": "no"}, {"entrance": "emergency"}, {"entrance": "garage"}, {"barrier": "bollard"},
           {"barrier": "gate", "access": "private"}, {"barrier": "gate", "foot": "no"}]  # fmt: skip
    ids = [osm.node(LON, LAT + 0.001 * n, tags) for n, tags in enumerate([*good, *bad])]
    raw = read(osm, tmp_path / "doors.osm.pbf")
    assert set(raw.entrances.index) == {f"node/{i}" for i in ids[: len(good)]}


def test_the_frame_is_that_of_the_streets(tmp_path: Path) -> None:
    """A lone object far away, such as a ferry's other harbour, does not move the area to another zone."""
    osm = OsmFile()
    osm.way(line(osm, 3), {"highway": "residential"})
    osm.node(-70.0, -40.0, {"amenity": "cafe"})
    raw = read(osm, tmp_path / "far.osm.pbf")
    assert np.allclose(raw.bbox, (LON, LAT, LON + 0.002, LAT))
    assert projected_crs(raw).to_epsg() == 32631


def test_what_is_no_extract_is_told_by_its_name(tmp_path: Path) -> None:
    """A missing file, another suffix, an empty file, and one in which nobody can walk."""

    def nothing(tags: dict[str, str]) -> bool:
        return False

    with pytest.raises(MissingError, match=r"gone\.osm\.pbf"):
        read_osm(tmp_path / "gone.osm.pbf", wanted=nothing, keys=[])
    shape = tmp_path / "map.shp"
    shape.write_bytes(b"x")
    with pytest.raises(InputError, match="not an OpenStreetMap extract by its name"):
        read_osm(shape, wanted=nothing, keys=[])
    empty = tmp_path / "empty.osm.pbf"
    empty.write_bytes(b"")
    with pytest.raises(InputError, match=r"empty\.osm\.pbf"):
        read_osm(empty, wanted=nothing, keys=[])
    osm = OsmFile()
    osm.way(line(osm, 3), {"highway": "motorway"})
    with pytest.raises(InputError, match="no walkable way"):
        read(osm, tmp_path / "motorway.osm.pbf")


def versions_of(osm: OsmFile) -> list[osmium.osm.mutable.OSMObject]:
    """The objects of a town as they stand: version 5, visible."""
    about = {"version": 5, "visible": True, "timestamp": "2026-02-01T00:00:00Z"}
    short = {"node": "n", "way": "w", "relation": "r"}
    return [
        *(Node(id=n, location=(x, y), tags=tags, **about) for n, (x, y, tags) in osm.nodes.items()),
        *(Way(id=n, nodes=refs, tags=tags, **about) for n, (refs, tags) in osm.ways.items()),
        *(
            Relation(id=n, members=[(short[kind], ref, role) for kind, ref, role in members], tags=tags, **about)
            for n, (members, tags) in osm.relations.items()
        ),
    ]  # fmt: skip


def write_versions(objects: list[osmium.osm.mutable.OSMObject], path: Path) -> Path:
    """Write objects of any number of versions, in the order of a file with history."""
    kinds = [Node, Way, Relation]
    file = osmium.io.File(str(path))
    if ".osm" in path.suffixes and "pbf" not in path.name:
        file.parse_format(f"{path.name.partition('.')[2]},force_visible_flag=true")
    with osmium.SimpleWriter(file, overwrite=True) as writer:
        for thing in sorted(objects, key=lambda o: (kinds.index(type(o)), o.id, o.version)):
            writer.add(thing)
    return path


def town_with_a_past() -> tuple[OsmFile, list[osmium.osm.mutable.OSMObject]]:
    """A town, and what was there before: 5 older versions, and 4 objects that are deleted now."""
    osm = OsmFile()
    nodes = line(osm, 4)
    street = osm.way(nodes[:3], {"highway": "residential"})
    osm.way([nodes[2], nodes[3]], {"highway": "footway"})
    shop = osm.node(LON, LAT + 0.001, {"shop": "bakery", "name": "New"})
    halves = [
        osm.node(LON + x, LAT + y) for x, y in ((0.01, 0.01), (0.011, 0.01), (0.011, 0.011), (0.01, 0.011))
    ]
    parts = [osm.way(halves[:3], {}), osm.way([*halves[2:], halves[0]], {})]
    osm.relation([("way", part, "outer") for part in parts], {"type": "multipolygon", "leisure": "park"})
    old = {"visible": True, "timestamp": "2020-01-01T00:00:00Z"}
    gone = {"visible": False, "timestamp": "2025-01-01T00:00:00Z"}
    park = {"leisure": "park", "name": "Gone"}
    past = [
        Node(id=nodes[1], version=1, location=(LON + 0.5, LAT + 0.5), **old),  # moved since
        Node(id=shop, version=1, location=(LON, LAT + 0.001), tags={"amenity": "cafe", "name": "Old"}, **old),
        Way(id=street, version=2, nodes=[nodes[0], nodes[3]], tags={"highway": "motorway"}, **old),
        Node(id=900, version=1, location=(LON, LAT), tags={"amenity": "cafe"}, **old),
        Node(id=900, version=2, **gone),
        Way(id=901, version=1, nodes=[*halves, halves[0]], tags=park, **old),
        Way(id=901, version=2, **gone),
        Node(id=902, version=3, **gone),
        Relation(id=903, version=2, **gone),
    ]
    return osm, [*versions_of(osm), *past]


def assert_same(one: RawOSM, other: RawOSM) -> None:
    """Everything that was read is the same, but for what was left out."""
    for name in ("refs", "lon", "lat", "starts", "lifts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    pd.testing.assert_frame_equal(one.ways, other.ways)
    for name in ("features", "buildings", "entrances", "coastline", "green", "water"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert ours.index.tolist() == theirs.index.tolist(), name
        assert ours["tags"].tolist() == theirs["tags"].tolist(), name
        assert ours.geometry.to_wkb().tolist() == theirs.geometry.to_wkb().tolist(), name
    assert one.bbox == other.bbox


@pytest.mark.parametrize("suffix", [".osh.pbf", ".osm", ".osh", ".osm.gz"])
def test_a_file_with_history_is_read_as_it_stands_at_its_end(tmp_path: Path, suffix: str) -> None:
    """Moved, deleted and retagged objects: the same town as from a file without a past, and the past is counted."""
    osm, objects = town_with_a_past()
    now = read(osm, tmp_path / "now.osm.pbf")
    path = write_versions(objects, tmp_path / f"past{suffix}")
    raw = read_file(path)
    assert_same(raw, now)
    assert raw.features.index.tolist() == ["node/5", "relation/1"]
    assert raw.features["tags"].iloc[0]["name"] == "New"
    assert raw.features["last_edit"].tolist() == ["2026-02-01"] * 2
    assert (raw.counts["older_versions"], raw.counts["deleted"]) == (5, 4)
    assert (now.counts["older_versions"], now.counts["deleted"]) == (0, 0)
    codes = {f.code: f.count for f in osm_findings(raw, build_streets(raw, projected_crs(raw)))}
    assert (codes["older_versions"], codes["objects_deleted"]) == (5, 4)


def test_a_history_that_its_format_does_not_tell_is_noticed(tmp_path: Path) -> None:
    """Old places of a moved node, alone, are enough: no way and no tagged object is there twice."""
    osm, objects = town_with_a_past()
    moved = [thing for thing in objects if thing.visible and (thing.version == 5 or thing.id == 2)]
    path = write_versions(moved, tmp_path / "moved.osm.pbf")
    with osmium.io.Reader(str(path)) as reader:
        assert not reader.header().has_multiple_object_versions
    raw = read_file(path)
    assert_same(raw, read(osm, tmp_path / "now.osm.pbf"))
    assert raw.counts["older_versions"] == 1


def test_objects_given_twice_and_out_of_order_are_read_once(tmp_path: Path) -> None:
    """Two extracts put one behind the other: nothing is lost, nothing counts twice."""
    osm, _ = town_with_a_past()
    path = tmp_path / "twice.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for thing in [*reversed(versions_of(osm)), *versions_of(osm)]:
            writer.add(thing)
    raw = read_file(path)
    assert_same(raw, read(osm, tmp_path / "once.osm.pbf"))
    assert raw.counts["older_versions"] == len(versions_of(osm))


def test_nothing_is_left_behind_and_too_much_history_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work files go, whether reading succeeds or fails; more versions than fit in memory are a sentence."""
    osm, objects = town_with_a_past()
    path = write_versions(objects, tmp_path / "past.osh.pbf")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(work))
    read_osm(path, wanted=lambda tags: False, keys=[])
    assert list(work.iterdir()) == []
    monkeypatch.setattr(osm_versions, "MOST_OBJECTS", 10)
    with pytest.raises(InputError, match=r"past\.osh\.pbf: holds 23 versions of objects, more than the 10"):
        read_osm(path, wanted=lambda tags: False, keys=[])
    cut = tmp_path / "cut.osh.pbf"
    cut.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cut\.osh\.pbf: cannot be read"):
        read_osm(cut, wanted=lambda tags: False, keys=[])
    assert list(work.iterdir()) == []


def test_a_packed_file_that_grows_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small .xz that unpacks to more than the limit, and one that breaks off, are a sentence each."""
    monkeypatch.setattr("gisapp.sources.osm.MOST_UNPACKED", 2e6)
    path = tmp_path / "bomb.osm.xz"
    path.write_bytes(lzma.compress(b" " * 5_000_000))
    with pytest.raises(InputError, match=r"bomb\.osm\.xz: unpacks to more than"):
        read_file(path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match=r"bomb\.osm\.xz: cannot be read"):
        read_file(path)


def test_new_objects_of_an_editor_are_counted_as_missing(tmp_path: Path) -> None:
    """Ids below 0, not uploaded yet: the rest is read, their nodes and areas are counted."""
    osm = OsmFile()
    osm.way(line(osm, 3), {"highway": "path"})
    new = [osm.node(LON + x, LAT + y, id=n) for n, x, y in ((-1, 0.1, 0), (-2, 0.1, 0.1), (-3, 0, 0.1))]
    osm.way(new, {"highway": "path"}, id=-1)
    osm.way([*new, new[0]], {"leisure": "park"}, id=-2)
    osm.relations[-1] = ([("way", -2, "outer")], {"type": "multipolygon", "leisure": "park"})
    raw = read(osm, tmp_path / "new.osm")
    assert (raw.counts["ways_clipped"], raw.counts["refs_missing"]) == (1, 3)
    assert raw.counts["relations_incomplete"] == 1
    assert raw.features.empty
    assert np.isfinite(raw.lon).sum() == 3


def test_ugly_texts_come_through(tmp_path: Path) -> None:
    """Whatever a tag holds, it is read as it was written."""
    osm = OsmFile()
    osm.way(line(osm, 2), {"highway": "path"})
    ugly = ["a=b, c", "100 % %20%", "π 東京 🏛", "tab\tline\nend", "@ \u2028\x85", "%", "n1,n2"]
    ids = [osm.node(LON, LAT, {"amenity": "cafe", "name": text, f"note:{text}": "x"}) for text in ugly]
    for suffix in (".osm.pbf", ".osm"):
        raw = read(osm, tmp_path / f"ugly{suffix}")
        found = dict(zip(raw.features.index, raw.features["tags"], strict=True))
        for number, text in zip(ids, ugly, strict=True):
            assert found[f"node/{number}"] == {"amenity": "cafe", "name": text, f"note:{text}": "x"}


def test_deleted_objects_and_areas_in_missing_parts_are_counted(tmp_path: Path) -> None:
    """Deleted objects do not count, nor does an area that lacks a member."""
    osm = OsmFile()
    osm.way(line(osm, 3), {"highway": "path"})
    osm.relation([("way", 99, "outer")], {"type": "multipolygon", "leisure": "park"})
    gone = [Node(id=9, version=2, visible=False), Way(id=9, version=2, visible=False)]
    path = write_versions([*versions_of(osm), *gone], tmp_path / "gone.osm")
    raw = read_file(path)
    assert raw.refs.tolist() == [1, 2, 3]
    assert (raw.counts["deleted"], raw.counts["relations_incomplete"]) == (2, 1)
    assert raw.counts["older_versions"] == 0
