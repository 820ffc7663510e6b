"""The Eurostat Census 2021 grid (cells of 1 km), recognised by its columns."""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd

from gisapp.errors import InputError, raise_faults
from gisapp.quality import Finding
from gisapp.sources.impute import Flags, Floats, fill_table, read_held_back
from gisapp.sources.numbers import name_rows, read_numbers

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


def read_census_grid(
    cells: gpd.GeoDataFrame, *, town: Flags | None = None
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Turn grid cells into zones: index ``zone_id``, polygons as given, ``total`` and one column per group.

    A count that is missing, negative (Eurostat's mark for "not available") or 0 beside a flag of confidentiality is
    held back. Where the rest of the cell and the shares of the ``town`` (rows; else all) tell it, it is imputed
    (``fill_table``); else its people stay in ``total`` and count as unknown. A dimension that is 0 or missing
    everywhere was not reported, and is left out. Groups need not add up to the total; the remainder is unknown and
    nothing is scaled. Raises ``InputError`` where a cell stands twice or holds text.
    """
    ids = cells[GRID_KEY].astype(str)
    if not ids.is_unique:
        raise InputError(
            f"residents: the census grid holds cell {ids[ids.duplicated()].iloc[0]} twice. Keep one row a cell."
        )
    zones = gpd.GeoDataFrame(
        index=pd.Index(ids.to_numpy(dtype=object), name="zone_id"),
        geometry=cells.geometry.to_numpy(),
        crs=cells.crs,
    )
    columns = {"total": "T", **{column: source for source, column in GRID_GROUPS.items()}}
    faults: list[str] = []
    read = {column: _told(cells, source, ids, faults) for column, source in columns.items()}
    raise_faults(faults)
    hidden = sum(int(np.isnan(counts).sum()) for counts, _ in read.values())
    reported = {c.split(":")[0] for c, (counts, _) in read.items() if np.nansum(counts) > 0}
    groups = {c: counts for c, (counts, _) in read.items() if c != "total" and c.split(":")[0] in reported}
    filled = fill_table(groups, read["total"][0], {c: read[c][1] for c in groups}, town=town)
    findings = _hidden_findings(hidden, sum(int(np.isnan(v).sum()) for v in filled.counts.values()))
    findings += filled.findings
    total = np.nan_to_num(filled.total)
    for dimension in dict.fromkeys(column.split(":")[0] for column in GRID_GROUPS.values()):
        own = [c for c in filled.counts if c.startswith(f"{dimension}:")]
        if not own:
            findings.append(
                Finding(
                    f"census_no_{dimension}", f"The census cells hold no counts by {dimension}.", "warning"
                )
            )
            continue
        for column in own:
            zones[column] = np.nan_to_num(filled.counts[column])
        total = np.maximum(total, zones[own].sum(axis=1).to_numpy(float))
    zones["total"] = total
    flagged = np.any(
        [_flagged(cells, c.removesuffix("_CI")) for c in cells if str(c).endswith("_CI")], axis=0
    )
    if flagged.any():
        findings.append(
            Finding("census_flagged", f"{flagged.sum()} of {len(cells)} census cells hold counts that Eurostat altered "
                    "or held back to keep them confidential.", "note", int(flagged.sum()), len(cells))
        )  # fmt: skip
    return zones, findings


def _told(
    cells: gpd.GeoDataFrame, source: str, ids: "pd.Series[str]", faults: list[str]
) -> tuple[Floats, Floats]:
    """The counts of a column, NaN where held back, and the most that these can be."""
    values, most = read_held_back(cells[source])
    numbers, wrong = read_numbers(values)
    if wrong.any():
        shown = name_rows(np.flatnonzero(wrong), lambda n: f"cell {ids.iloc[n]}")
        text = str(values.iloc[int(np.argmax(wrong))])[:40]
        faults.append(
            f"residents: column '{source}' of the census grid holds no number in {shown} ('{text}')."
        )
    silent = ~(numbers >= 0) | ((numbers == 0) & _flagged(cells, source))
    return np.where(silent, np.nan, numbers), most


def _flagged(cells: gpd.GeoDataFrame, source: str) -> Flags:
    """Which cells' counts are flagged as confidential."""
    if f"{source}_CI" not in cells:
        return np.zeros(len(cells), dtype=bool)
    flags = pd.to_numeric(cells[f"{source}_CI"], errors="coerce").fillna(0.0)
    return np.asarray(flags.to_numpy(float) > 0, dtype=bool)


def _hidden_findings(hidden: int, unknown: int) -> list[Finding]:
    if not hidden:
        return []
    rest = f"; {unknown} cannot be told from the others, and their people count as unknown" if unknown else ""
    return [Finding("census_hidden", f"{hidden} census counts are not published{rest}.", "note", hidden)]
