"""The Eurostat Census 2021 grid (cells of 1 km), recognised by its columns."""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd

from gisapp.errors import InputError
from gisapp.quality import Finding

GRID_KEY = "GRD_ID"
# Eurostat's column -> our count column. Born here, elsewhere in the EU, elsewhere; age in three bands.
GRID_GROUPS = {
    "Y_LT15": "age:0_14",
    "Y_1564": "age:15_64",
    "Y_GE65": "age:65_plus",
    "NAT": "origin:born_here",
    "EU_OTH": "origin:born_elsewhere_eu",
    "OTH": "origin:born_outside_eu",
}
GRID_TITLE = "Eurostat, Census 2021 population grid"
GRID_ATTRIBUTION = "Eurostat, Census grid 2021"


def is_census_grid(columns: Iterable[str]) -> bool:
    """Tell whether these are the columns of the Eurostat grid.

    >>> is_census_grid(["GRD_ID", "T", "NAT", "EU_OTH", "OTH", "Y_LT15", "Y_1564", "Y_GE65"])
    True
    """
    return {GRID_KEY, "T", *GRID_GROUPS} <= set(columns)


def read_census_grid(cells: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Turn grid cells into zones: index ``zone_id``, polygons as given, ``total`` and one column per group.

    A negative count is Eurostat's mark for "not available" and becomes 0 known people of that group: they stay
    in ``total`` and count as unknown. A group column that is 0 or missing everywhere was not reported, and is
    left out. Groups need not add up to the total; the remainder is unknown and nothing is scaled. Raises
    ``InputError`` where a cell stands twice.
    """
    ids = cells[GRID_KEY].astype(str)
    if not ids.is_unique:
        raise InputError(
            f"residents: the census grid holds cell {ids[ids.duplicated()].iloc[0]} twice. Keep one row a cell."
        )
    findings: list[Finding] = []
    zones = gpd.GeoDataFrame(
        index=pd.Index(ids.to_numpy(dtype=object), name="zone_id"),
        geometry=cells.geometry.to_numpy(),
        crs=cells.crs,
    )
    groups = {
        column: pd.to_numeric(cells[source], errors="coerce").to_numpy(float)
        for source, column in GRID_GROUPS.items()
    }
    total = pd.to_numeric(cells["T"], errors="coerce").to_numpy(float)
    hidden = sum(int((~(values >= 0)).sum()) for values in (total, *groups.values()))
    if hidden:
        findings.append(
            Finding("census_hidden", f"{hidden} census counts are not published; their people count as unknown.",
                    "note", hidden)
        )  # fmt: skip
    groups = {column: np.where(values >= 0, values, 0.0) for column, values in groups.items()}
    total = np.where(total >= 0, total, 0.0)
    for dimension in dict.fromkeys(column.split(":")[0] for column in groups):
        columns = [c for c in groups if c.startswith(f"{dimension}:")]
        if not sum(groups[c].sum() for c in columns):
            findings.append(
                Finding(
                    f"census_no_{dimension}", f"The census cells hold no counts by {dimension}.", "warning"
                )
            )
            continue
        known = np.sum([groups[c] for c in columns], axis=0)
        total = np.maximum(total, known)
        for column in columns:
            zones[column] = groups[column]
    zones["total"] = total
    confidential = [c for c in cells.columns if c.endswith("_CI")]
    if confidential:
        flagged = int(
            (cells[confidential].apply(pd.to_numeric, errors="coerce") > 0).to_numpy().any(axis=1).sum()
        )
        if flagged:
            findings.append(
                Finding("census_flagged", f"{flagged} of {len(cells)} census cells hold counts that Eurostat altered "
                        "to keep them confidential.", "note", flagged, len(cells))
            )  # fmt: skip
    return zones, findings
