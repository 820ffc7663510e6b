"""What an area's report says of its streets, its homes and where its data ends."""

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gisapp.area import Streets
from gisapp.quality import Finding
from gisapp.sources.osm import RawOSM

COARSE_M2 = 250_000.0  # half a kilometre square: wider than what lies within five minutes' walk of a home
EDGE_M = 2250.0  # 30 minutes at the adult's speed


def osm_findings(raw: RawOSM, streets: Streets) -> list[Finding]:
    """Report clipped ways, broken areas and what the network does not say."""
    edges = streets.edges
    findings = []
    if raw.counts.get("ways_clipped"):
        n = raw.counts["ways_clipped"]
        findings.append(
            Finding("ways_clipped", f"{n} of {len(raw.ways)} walkable ways name nodes that the extract lacks; the "
                    "stretches that are there were kept.", "note", n, len(raw.ways))
        )  # fmt: skip
    if raw.counts.get("areas_broken"):
        n = raw.counts["areas_broken"]
        findings.append(
            Finding("areas_broken", f"{n} areas could not be assembled and were left out.", "note", n)
        )
    if raw.counts.get("relations_incomplete"):
        n = raw.counts["relations_incomplete"]
        findings.append(
            Finding("relations_incomplete", f"{n} areas are drawn in parts of which the extract lacks some, and were "
                    "left out.", "note", n)
        )  # fmt: skip
    if raw.counts.get("older_versions"):
        n = raw.counts["older_versions"]
        findings.append(
            Finding("older_versions", f"{n:,} older versions of objects were left out: the file holds its history, and "
                    "the newest version of each object was read.", "note", n)
        )  # fmt: skip
    if raw.counts.get("deleted"):
        n = raw.counts["deleted"]
        findings.append(
            Finding(
                "objects_deleted",
                f"{n:,} objects are marked as deleted in the file and were left out.",
                "note",
                n,
            )
        )
    length = edges["length_m"].to_numpy(float)
    for code, word in (("wheelchair", "wheelchair access"), ("lit", "lighting")):
        unknown = length[~edges[f"{code}_known"].to_numpy(bool)].sum()
        findings.append(
            Finding(f"{code}_unknown", f"{unknown / length.sum():.0%} of the network's length says nothing on {word}: "
                    "unknown is not no.", "info", float(unknown), float(length.sum()))
        )  # fmt: skip
    return findings


def home_findings(homes: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> list[Finding]:
    """Report guessed storeys, and people who live where no building is mapped."""
    total = float(homes["total"].sum())
    used = buildings.loc[buildings.index.intersection(homes.index)]
    findings = [
        Finding("levels_imputed", f"{used['levels_imputed'].mean():.0%} of residential buildings have no mapped number "
                "of storeys; it was taken from buildings within 100 m.", "note",
                int(used["levels_imputed"].sum()), len(used))
    ] if len(used) else []  # fmt: skip
    elsewhere = float(homes.loc[homes["spread"].isin(["streets", "zone"]), "total"].sum())
    if elsewhere:
        findings.append(
            Finding("no_buildings", f"{elsewhere / total:.0%} of residents live in census cells without a mapped "
                    "residential building; they were spread along the streets there.", "note", elsewhere, total)
        )  # fmt: skip
    return findings


def coarse_findings(homes: gpd.GeoDataFrame, zones: gpd.GeoSeries) -> list[Finding]:
    """Say where zones of residents are so large that who lives apart in them cannot be seen.

    ``homes``: points with ``total``. Half of these people are counted in zones of the area told, or larger ones.
    """
    at, zone = shapely.STRtree(zones.to_numpy()).query(homes.geometry.to_numpy(), predicate="intersects")
    people = homes["total"].to_numpy(float)[at]
    area_m2 = shapely.area(zones.to_numpy())[zone]
    order = np.argsort(-area_m2, kind="stable")
    reached = np.cumsum(people[order])
    if not len(reached) or reached[-1] <= 0:
        return []
    half_m2 = float(area_m2[order][np.searchsorted(reached, reached[-1] / 2)])
    # A hair of tolerance: cells of half a kilometre that were brought to another system.
    if half_m2 < 0.98 * COARSE_M2:
        return []
    sentence = (
        f"Half of the residents are counted in zones of {half_m2 / 1e6:.2g} km² or more. Who lives apart inside a zone "
        "cannot be seen: people are spread evenly in it, so that islands at home look smaller than they may be."
    )
    return [Finding("residents_coarse", sentence, "note", half_m2)]


def edge_findings(
    homes: gpd.GeoDataFrame, streets: Streets, land: gpd.GeoDataFrame, core: BaseGeometry | None
) -> list[Finding]:
    """Report core residents within 30 minutes of where the data ends; the sea is no such edge."""
    hull = shapely.convex_hull(shapely.multipoints(streets.nodes.geometry.to_numpy()))
    rim = shapely.intersection(shapely.boundary(hull), shapely.union_all(land.geometry.to_numpy()))
    inside = homes[homes["core"]]
    near = shapely.dwithin(inside.geometry.to_numpy(), rim, EDGE_M)
    people, total = float(inside.loc[near, "total"].sum()), float(inside["total"].sum())
    findings = []
    if people:
        findings.append(
            Finding("near_edge", f"{people / total:.0%} of residents live within 30 minutes of the edge of the data: "
                    "places beyond it are missing from their scores.", "note", people, total)
        )  # fmt: skip
    if core is None:
        findings.append(
            Finding("no_boundary", "No boundary was given: everybody in the data counts as a resident of the town.",
                    "note")
        )  # fmt: skip
    return findings
