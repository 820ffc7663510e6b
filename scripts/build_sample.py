"""Build the bundled sample town from public data: python scripts/build_sample.py [--sdist FILE]

The OpenStreetMap extract of Monaco and its boundary come from the source distribution of quackosm 0.19.0 on the
Python package index (Apache-2.0; the extract inside is ODbL). Without --sdist, pip downloads it. Residents are
invented: see `invent_residents` for the rule.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import osmnx as ox
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gisapp.area import Streets
from gisapp.background import build_background
from gisapp.catalogue import Matcher, load_catalogue
from gisapp.network.build import LIFT_WAIT_S, mark_segments, streets_from_osmnx
from gisapp.places import build_places
from gisapp.quality import Finding
from gisapp.residents import residential_buildings, whole_people
from gisapp.sources.findings import osm_findings
from gisapp.sources.osm import WAY_TAGS, RawOSM, read_osm
from gisapp.sources.read import FRAME_MARGIN_M, OSM_ATTRIBUTION, gates_of, projected_crs

SDIST = "quackosm==0.19.0"
SHA256 = {
    "quackosm-0.19.0.tar.gz": "90b9888963baff37c169fc6f4eec8b07a1d68228426b7a9cabbc7a685a2fd173",
    "tests/test_files/monaco.osm.pbf": "1fdee8b72c48f932cab3aa9f1f74f87dfd954509a3b47cb932556d827189b97c",
    "tests/test_files/monaco_boundary.geojson": "9e567fa3289d3957ef7da8fdbdc1426396173b0078b77da333842fa353afd639",
}
RESIDENTS_TOTAL = 38_367  # published total for the end of 2023 (IMSEE)
SEED = 20231226
# Dealt to the nine quarters, newcomers by their order from west to east, older people by a seeded shuffle: it says
# nothing of the real quarters.
NEWCOMER_SHARES = (0.75, 0.80, 0.60, 0.50, 0.40, 0.15, 0.10, 0.08, 0.05)
OLDER_SHARES = (0.08, 0.10, 0.12, 0.16, 0.22, 0.30, 0.40, 0.46, 0.50)


def main() -> None:
    """Download or open the source, check its hashes, and write data/monaco/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sdist", type=Path, help="the source distribution, if already downloaded")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "data" / "monaco")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build(arguments.sdist or download(Path(folder)), arguments.out, Path(folder))


def download(folder: Path) -> Path:
    """Fetch the source distribution with pip."""
    subprocess.run(  # noqa: S603
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            str(folder),
            SDIST,
        ],
        check=True,
    )
    return next(folder.glob("quackosm-*.tar.gz"))


def checked(name: str, content: bytes) -> bytes:
    """Return ``content`` if it is what this script was written for."""
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise SystemExit(f"{name}: sha256 is {found}, expected {SHA256[name]}. Use the files of {SDIST}.")
    return content


def build(sdist: Path, out: Path, work: Path) -> None:
    """Build every file of the sample from the source distribution."""
    members = {}
    with tarfile.open(fileobj=io.BytesIO(checked("quackosm-0.19.0.tar.gz", sdist.read_bytes()))) as archive:
        for name in list(SHA256)[1:]:
            member = archive.extractfile(f"quackosm-0.19.0/{name}")
            assert member is not None
            members[name] = checked(name, member.read())
            (work / Path(name).name).write_bytes(members[name])
    pbf = work / "monaco.osm.pbf"
    catalogue = load_catalogue()
    matcher = Matcher(catalogue)
    raw = read_osm(pbf, wanted=matcher.wanted, keys=matcher.keys)
    crs = projected_crs(raw)
    boundary = gpd.read_file(work / "monaco_boundary.geojson").to_crs(crs).geometry.union_all()
    streets = streets_by_osmnx(raw, work / "walk.osm", crs)
    places, place_findings = build_places(raw.features.to_crs(crs), catalogue)
    places["core"] = shapely.intersects(places.geometry.to_numpy(), boundary)
    quarters = build_quarters(pbf, boundary, crs)
    buildings = residential_buildings(raw.buildings.to_crs(crs))
    residents = invent_residents(buildings, boundary, quarters)
    frame = shapely.box(*streets.nodes.total_bounds).buffer(FRAME_MARGIN_M, join_style="mitre")
    background = build_background(
        raw, crs, frame=frame, homes=pd.Series(residents.index, index=residents.index)
    )
    imputed = buildings.loc[residents.index, "levels_imputed"]
    findings = [
        *osm_findings(raw, streets),
        *place_findings,
        Finding("levels_imputed", f"{imputed.mean():.0%} of residential buildings have no mapped number of storeys; "
                "it was taken from buildings within 100 m.", "note", int(imputed.sum()), len(imputed)),
    ]  # fmt: skip
    frames = {
        "street_nodes": streets.nodes,
        "street_edges": streets.edges,
        "places": places,
        "residents": residents,
        "neighbourhoods": quarters,
        "boundary": gpd.GeoDataFrame(geometry=[boundary], crs=crs),
        "entrances": gates_of(raw, crs),
        **background,
    }
    write(out, frames, raw, findings)


def streets_by_osmnx(raw: RawOSM, path: Path, crs: CRS) -> Streets:
    """Let OSMnx build and simplify the street graph, lifts charged, every component and ring kept."""
    write_walk_ways(raw, path)
    ox.settings.useful_tags_way = list(WAY_TAGS)
    ox.settings.useful_tags_node = ["highway"]
    graph = ox.graph_from_xml(path, bidirectional=True, simplify=False, retain_all=True)
    # A stretch that two ways share is one street.
    graph.remove_edges_from([(u, v, k) for u, v, k in graph.edges(keys=True) if k > 0])
    aggregates = mark_segments(graph, raw.lifts.tolist())
    graph = ox.simplify_graph(graph, remove_rings=False, edge_attr_aggs=aggregates)
    return streets_from_osmnx(graph, crs)


def write_walk_ways(raw: RawOSM, path: Path) -> None:
    """Write the walkable ways as OSM XML, which is what OSMnx reads."""
    ids, first = np.unique(raw.refs, return_index=True)
    nodes = [
        osmium.osm.mutable.Node(
            id=int(i), location=(float(raw.lon[n]), float(raw.lat[n])), version=1, visible=True
        )
        for i, n in zip(ids, first, strict=True)
    ]
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for node in nodes:
            writer.add_node(node)
        for number, row in enumerate(raw.ways.itertuples()):
            tags = {key: getattr(row, key) for key in WAY_TAGS if isinstance(getattr(row, key), str)}
            refs = raw.refs[raw.starts[number] : raw.starts[number + 1]].tolist()
            # Rings of squares may carry a relation's id: number the ways afresh.
            writer.add_way(
                osmium.osm.mutable.Way(id=number + 1, nodes=refs, tags=tags, version=1, visible=True)
            )


def build_quarters(pbf: Path, boundary: BaseGeometry, crs: CRS) -> gpd.GeoDataFrame:
    """Build the nine quarters: faces between their border ways and the country's boundary.

    Three western quarters lack the border way along the frontier in the extract; the boundary closes them. A face
    belongs to the quarter whose own border ways cover most of its outline.
    """
    ways: dict[int, shapely.LineString] = {}
    quarters: dict[str, list[int]] = {}
    for thing in osmium.FileProcessor(str(pbf)).with_locations():
        if thing.is_way():
            points = [(r.lon, r.lat) for r in thing.nodes if r.location.valid()]
            if len(points) > 1:
                ways[thing.id] = shapely.LineString(points)
        elif thing.is_relation() and thing.tags.get("admin_level") == "10":
            quarters[thing.tags["name"]] = [m.ref for m in thing.members if m.type == "w"]
    borders = {
        name: gpd.GeoSeries([ways[r] for r in refs if r in ways], crs="EPSG:4326").to_crs(crs).union_all()
        for name, refs in quarters.items()
    }
    lines = shapely.union_all([*borders.values(), shapely.boundary(boundary)])
    lines = shapely.union_all(shapely.snap(lines, shapely.boundary(boundary), 1.0))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    rims = shapely.boundary(faces)
    names = np.array(list(borders))
    shared = np.stack([shapely.length(shapely.intersection(rims, b.buffer(0.5))) for b in borders.values()])
    shared /= shapely.length(rims)
    owner = names[shared.argmax(axis=0)]
    keep = shapely.intersects(boundary.buffer(1.0), shapely.point_on_surface(faces)) & (
        shared.max(axis=0) > 0.2
    )
    frame = gpd.GeoDataFrame({"name": owner[keep]}, geometry=faces[keep], crs=crs).dissolve(
        "name", as_index=False
    )
    assert set(frame["name"]) == set(quarters), sorted(set(quarters) - set(frame["name"]))
    return frame.sort_values("name", ignore_index=True)


def invent_residents(
    buildings: gpd.GeoDataFrame, boundary: BaseGeometry, quarters: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Invent the sample's residents, since nobody publishes counts by group for this town.

    The published total is spread over residential buildings by floor area, in whole people. Each quarter is dealt one
    share of newcomers, high in the west and low in the east, and by a seeded shuffle one of people of 65 and over;
    the share of children is a quarter less half of that. Every resident of a building is then drawn from the
    quarter's shares. So quarters become islands, which no real quarter is meant to resemble.
    """
    inner = shapely.point_on_surface(buildings.geometry.to_numpy())
    inside = shapely.intersects(boundary, inner)
    buildings, inner = buildings[inside].sort_index(), inner[inside][np.argsort(buildings.index[inside])]
    rng = np.random.default_rng(SEED)
    eastwards = np.argsort(quarters.geometry.centroid.x.to_numpy())
    newcomer = np.empty(len(quarters))
    newcomer[eastwards] = NEWCOMER_SHARES
    older = rng.permutation(OLDER_SHARES)
    child = 0.25 - older / 2
    quarter = shapely.STRtree(quarters.geometry.to_numpy()).nearest(inner)
    total = whole_people(buildings["floor_m2"].to_numpy(float), RESIDENTS_TOTAL)
    new = rng.binomial(total, newcomer[quarter])
    ages = rng.multinomial(total, np.stack([child, 1 - child - older, older], axis=1)[quarter])
    homes = gpd.GeoDataFrame(
        {
            "residence:newcomer": new, "residence:long_time": total - new,
            "age:0_14": ages[:, 0], "age:15_64": ages[:, 1], "age:65_plus": ages[:, 2],
            "total": total,
        },
        index=pd.Index(buildings.index.to_numpy(dtype=object), name="home_id"),
        geometry=inner,
        crs=quarters.crs,
    ).astype({"total": float})  # fmt: skip
    counts = [c for c in homes.columns if ":" in c]
    homes[counts] = homes[counts].astype(float)
    homes["core"] = True
    homes["zone_id"] = quarters["name"].to_numpy(dtype=object)[quarter]
    homes["floor_m2"] = buildings["floor_m2"].to_numpy(float)
    homes["spread"] = "buildings"
    return homes[homes["total"] > 0]


def write(out: Path, frames: dict[str, gpd.GeoDataFrame], raw: RawOSM, findings: list[Finding]) -> None:
    """Write the GeoParquet files and PROVENANCE.toml."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, frame in frames.items():
        path = out / f"{name}.parquet"
        frame.to_parquet(path, compression="zstd", compression_level=19, geometry_encoding="WKB")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append(f'[[file]]\nname = "{path.name}"\nrows = {len(frame)}\nsha256 = "{digest}"\n')
    west, south, east, north = raw.bbox
    text = f'''# Written by scripts/build_sample.py: change that, not this.
title = "Monaco"
script = "scripts/build_sample.py"
bbox = [{west:.7f}, {south:.7f}, {east:.7f}, {north:.7f}]  # degrees: west, south, east, north
counts = "invented"
counts_note = "Residents are invented: {RESIDENTS_TOTAL:,} people (the published total) spread by floor area, and dealt to groups by a documented rule. They say nothing about the people of Monaco."
seed = {SEED}
notes = [
  "Every home lies near the edge of the data: places across the border are missing from its scores.",
  "Slope is not modelled: Monaco is steep, and its lifts count with {LIFT_WAIT_S:.0f} seconds of waiting and riding.",
]

[[source]]
title = "OpenStreetMap"
data_date = "{raw.data_date}"
licence = "ODbL-1.0"
attribution = "{OSM_ATTRIBUTION}"
note = "tests/test_files/monaco.osm.pbf in the source distribution of {SDIST}, sha256 {SHA256["tests/test_files/monaco.osm.pbf"]}"

[[source]]
title = "Boundary of Monaco (OpenStreetMap)"
data_date = "{raw.data_date}"
licence = "ODbL-1.0"
attribution = "{OSM_ATTRIBUTION}"
note = "tests/test_files/monaco_boundary.geojson in the source distribution of {SDIST}, sha256 {SHA256["tests/test_files/monaco_boundary.geojson"]}"

[[source]]
title = "Residents: invented; total of 38,367 at the end of 2023 as published by IMSEE"
data_date = "2023-12-31"

'''  # noqa: E501
    for finding in findings:
        lines = [f"{key} = {toml(value)}" for key, value in vars(finding).items() if value is not None]
        text += "[[finding]]\n" + "\n".join(lines) + "\n\n"
    (out / "PROVENANCE.toml").write_text(text + "\n".join(rows), encoding="utf-8")
    size = sum(p.stat().st_size for p in out.glob("*.parquet"))
    print(f"{out}: {len(frames)} files, {size / 1e6:.2f} MB")
    for name, frame in frames.items():
        print(f"  {name}: {len(frame)}")


def toml(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
