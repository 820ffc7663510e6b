"""The neighbourhoods by which a planner reads results: polygons with names, checked against each other and the town."""

from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisapp.errors import InputError
from gisapp.quality import Finding
from gisapp.sources.files import Bounds, name_column, read_layer

WHAT = "neighbourhoods"
OVERLAP = 0.01  # of the smaller of two; less is how their outline was drawn
_NAMED = 3


class Neighbourhoods(NamedTuple):
    """``name`` and polygon, by name; and what was found."""

    frame: gpd.GeoDataFrame
    findings: list[Finding]


def read_neighbourhoods(source: str | Path, homes: gpd.GeoDataFrame, *, near: Bounds) -> Neighbourhoods:
    """Read neighbourhoods in the CRS of the ``homes`` (points, ``total``, ``core``).

    Names met again are numbered. Same names, overlaps, and residents of the core who live in none or in several are
    counted. Raises ``InputError`` where they are no polygons, have no names, or nobody lives in any.
    """
    layer = read_layer(source, homes.crs, what=WHAT, shapes=("polygons",), near=near)
    where = f"{WHAT}: '{layer.name}'"
    names = name_column(layer.frame, what=where)
    frame = gpd.GeoDataFrame(
        {"name": names.to_numpy(dtype=object)}, geometry=layer.frame.geometry.to_numpy(), crs=homes.crs
    ).sort_values("name", ignore_index=True)
    findings = list(layer.findings)
    again = names.attrs.get("again", 0)
    if again:
        findings.append(
            Finding("neighbourhoods_names", f"{where}: {again} of {len(frame)} areas bear the name of another and "
                    "were numbered.", "note", again, len(frame))
        )  # fmt: skip
    pairs = overlaps(frame)
    if len(pairs):
        named = [f"{one} and {other}" for one, other in pairs[["one", "other"]].to_numpy()[:_NAMED]]
        more = f" and {len(pairs) - _NAMED} more" if len(pairs) > _NAMED else ""
        findings.append(
            Finding("neighbourhoods_overlap", f"{where}: {len(pairs)} pairs of areas overlap "
                    f"({'; '.join(named)}{more}): who lives in both counts in both.", "note", len(pairs))
        )  # fmt: skip
    return Neighbourhoods(frame, findings + _people(frame, homes, where))


def overlaps(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return pairs of areas that share more than ``OVERLAP`` of the smaller: ``one``, ``other``, ``share``."""
    shapes = frame.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    size = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    share = np.divide(shared, size, out=np.zeros_like(shared), where=size > 0)
    names = frame["name"].to_numpy(dtype=object)
    much = share > OVERLAP
    pairs = pd.DataFrame({"one": names[one[much]], "other": names[other[much]], "share": share[much]})
    return pairs.sort_values("share", ascending=False, ignore_index=True)


def _people(frame: gpd.GeoDataFrame, homes: gpd.GeoDataFrame, where: str) -> list[Finding]:
    core = homes[homes["core"].to_numpy(bool)] if "core" in homes else homes
    tree = shapely.STRtree(frame.geometry.to_numpy())
    times = np.bincount(tree.query(core.geometry.to_numpy(), "intersects")[0], minlength=len(core))
    if not times.any():
        raise InputError(
            f"{where} does not overlap the town: no home lies in any of its {len(frame)} areas. Use the neighbourhoods "
            "of the same town."
        )
    people = core["total"].to_numpy(float)
    everybody, none = float(people.sum()), float(people[times == 0].sum())
    if none <= 0:
        return []
    sentence = f"{where}: {none / everybody:.1%} of the residents live in none of these areas."
    return [Finding("neighbourhoods_none", sentence, "note", none, everybody)]
