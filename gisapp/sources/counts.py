"""Residents' counts in whatever way a town keeps them: a census grid, zones, addresses, or a table and its polygons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from gisapp.area import Source
from gisapp.errors import InputError, MissingError, raise_faults
from gisapp.quality import Finding
from gisapp.sources.census import (
    GRID_ATTRIBUTION,
    GRID_GROUPS,
    GRID_KEY,
    GRID_TITLE,
    is_census_grid,
    read_census_grid,
)
from gisapp.sources.files import Bounds, Layer, read_layer
from gisapp.sources.formats import open_table, parse_spec
from gisapp.sources.grid_file import grid_columns, is_whole, read_grid_cells
from gisapp.sources.impute import Flags, Floats, fill_table, read_held_back
from gisapp.sources.neighbourhoods import overlaps
from gisapp.sources.numbers import RowName, count_faults, name_rows

Groups = Mapping[str, Sequence[str]]
WHAT = "residents"
TOTAL = "total"  # the name in ``groups`` of the column with all people
MANY_AT_A_POINT = 200.0  # people at one address: rather the middle of a zone


class Counted(NamedTuple):
    """Zones or points with counts (index ``zone_id``; ``dimension:group``, ``total``), and who published them."""

    zones: gpd.GeoDataFrame
    source: Source | None
    findings: list[Finding]


def read_counts(
    residents: str | Path,
    crs: CRS,
    *,
    near: Bounds,
    groups: Groups | None = None,
    published: str | None = None,
    zones: str | Path | None = None,
    key: str | None = None,
) -> Counted:
    """Read residents' counts of the town that lies in ``near`` (degrees), in ``crs``.

    ``residents``: a Eurostat census grid (recognised by its columns and read by its cells near the town), polygons or
    points with counts; or, with ``zones``, a table whose column ``key`` names the polygons of that file
    (``key="sector=code"`` where they call it otherwise). ``groups``: dimension -> count columns, and ``total`` -> the
    column of all people; without it columns called ``dimension:group`` count. ``published``: who published them.

    A blank, and a mark of its publisher such as "x" or "<5", is a count held back: imputed where the rest of the row
    and the town's shares tell it (``fill_table``), else nobody known. Raises ``InputError`` with every fault, by row.
    """
    grid = Source(GRID_TITLE, "2021", "CC BY 4.0", GRID_ATTRIBUTION)
    if zones is not None:
        rows, findings, row_name, name = _joined(residents, zones, key, crs, near)
    else:
        spec = parse_spec(residents, what=WHAT)
        if is_census_grid(grid_columns(spec, what=WHAT)):
            named = [column for own in (groups or {}).values() for column in own]
            cells, findings, row_name = _grid_cells(residents, crs, near, named)
            if groups is None:
                counted, notes = read_census_grid(cells, town=_near_rows(cells, near))
                return Counted(counted, grid, [*findings, *notes])
            rows, name = cells, spec.name
        else:
            layer = read_layer(residents, crs, what=WHAT, shapes=("points", "polygons"), near=near)
            rows, findings, row_name, name = layer.frame, list(layer.findings), layer.row, layer.name
    groups = groups or _named_groups(rows)
    if not groups:
        raise InputError(
            f"{WHAT}: '{name}' is not a Eurostat census grid. Name its count columns, for instance "
            "--groups 'origin=NAT,EU_OTH,OTH;age=Y_LT15,Y_1564,Y_GE65'."
        )
    town = _near_rows(rows, near)
    counted = _count(rows, groups, row_name, name, findings, town)
    findings += _twice(counted[town])
    by_grid = is_census_grid(rows.columns) and _of_grid(groups)
    source = Source(published, attribution=published) if published else grid if by_grid else None
    return Counted(counted, source, findings)


def _grid_cells(
    source: str | Path, crs: CRS, near: Bounds, columns: Sequence[str]
) -> tuple[gpd.GeoDataFrame, list[Finding], RowName]:
    """The cells of a census grid: of a town's file all, checked as any layer; of a country's those near."""
    spec = parse_spec(source, what=WHAT)
    if is_whole(spec, what=WHAT):
        layer = read_layer(source, crs, what=WHAT, shapes=("polygons",), near=near)
        return layer.frame, list(layer.findings), layer.row
    cells = read_grid_cells(spec, near, what=WHAT, more=columns).to_crs(crs)
    return cells, [], lambda n: f"cell {cells[GRID_KEY].iloc[n]}"


def are_points(zones: gpd.GeoDataFrame) -> bool:
    """Say whether people are counted at points, which then are homes. Raises ``InputError`` where only some are."""
    points = shapely.get_dimensions(zones.geometry.to_numpy()) == 0
    if points.any() and not points.all():
        raise InputError(
            f"{WHAT}: points and polygons are mixed. Give homes as points, or zones as polygons."
        )
    return bool(points.all())


def homes_at_points(points: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Make each point with counts a home: index ``home_id``; ``zone_id`` is missing, so that a grid protects them."""
    homes = points[points[TOTAL].to_numpy(float) > 0].copy()
    homes.index = pd.Index([f"point/{i}" for i in homes.index], dtype=object, name="home_id")
    single = shapely.get_num_geometries(homes.geometry.to_numpy()) == 1
    middle = np.where(single, homes.geometry.to_numpy(), shapely.centroid(homes.geometry.to_numpy()))
    homes = homes.set_geometry(shapely.get_geometry(middle, 0), crs=points.crs)
    homes["zone_id"] = pd.Series([None] * len(homes), index=homes.index, dtype=object)
    homes["floor_m2"], homes["spread"] = np.nan, pd.Series("points", index=homes.index, dtype=object)
    mean = float(homes[TOTAL].mean()) if len(homes) else 0.0
    if mean <= MANY_AT_A_POINT:
        return homes, []
    sentence = (
        f"The points hold over {MANY_AT_A_POINT:.0f} people each, as the middles of zones do, and all people of a zone "
        "would start from there. Give the zones' polygons."
    )
    return homes, [Finding("residents_at_points", sentence, "warning")]


def unknown_findings(homes: pd.DataFrame) -> list[Finding]:
    """Report, for each dimension, how many people's group is unknown: they count in totals only.

    >>> unknown_findings(pd.DataFrame({"age:old": [3.0], "total": [4.0]}))[0].sentence
    'The group by age of 1 of 4 people (25%) is unknown; they count in totals only.'
    """
    findings = []
    total = float(homes[TOTAL].sum())
    for dimension in dict.fromkeys(str(c).split(":")[0] for c in homes.columns if ":" in str(c)):
        own = [c for c in homes.columns if str(c).startswith(f"{dimension}:") and c != f"{dimension}:unknown"]
        unknown = total - float(homes[own].to_numpy(float).sum())
        if unknown > 0.5:
            share = f"{unknown / total:.1%}".replace(".0%", "%")
            findings.append(
                Finding(f"residents_unknown_{dimension}", f"The group by {dimension} of {unknown:,.0f} of {total:,.0f} "
                        f"people ({share}) is unknown; they count in totals only.",
                        "warning" if unknown > 0.1 * total else "note", unknown, total)
            )  # fmt: skip
    return findings


def drop_unreported(homes: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Leave out groups of which nobody was counted anywhere: they were not reported, which is not the same as nobody.

    Done on homes, after protection: what a protected table does not tell, its columns do not tell either.
    """
    empty = [c for c in homes.columns if ":" in str(c) and not (homes[c].to_numpy(float) > 0).any()]
    if not empty:
        return homes, []
    names = ", ".join(f"'{c}'" for c in empty)
    sentence = f"{names}: 0 everywhere, taken as not reported and left out; missing is not zero."
    return homes.drop(columns=empty), [Finding("residents_not_reported", sentence, "warning", len(empty))]


def _near_rows(rows: gpd.GeoDataFrame, near: Bounds) -> Flags:
    """Which zones reach into the streets' frame: the town, whose shares count; all where none does."""
    turn = Transformer.from_crs("EPSG:4326", rows.crs, always_xy=True)
    west, south, east, north = turn.transform_bounds(*near)
    box = rows.bounds
    here = (box["maxx"] >= west) & (box["minx"] <= east) & (box["maxy"] >= south) & (box["miny"] <= north)
    return np.asarray(here if here.any() else ~here, dtype=np.bool_)


def _count(
    rows: gpd.GeoDataFrame,
    groups: Groups,
    row_name: RowName,
    name: str,
    findings: list[Finding],
    town: Flags,
) -> gpd.GeoDataFrame:
    """The counts that ``groups`` names, checked, as zones."""
    zones = gpd.GeoDataFrame(geometry=rows.geometry.to_numpy(), crs=rows.crs)
    zones.index = pd.Index([f"zone {n + 1}" for n in range(len(rows))], dtype=object, name="zone_id")
    faults: list[str] = []
    values: dict[str, Floats] = {}
    most: dict[str, Floats] = {}
    for dimension, columns in groups.items():
        if dimension == TOTAL and len(columns) != 1:
            faults.append(f"{WHAT}: 'total' is one column, not {len(columns)}.")
        for column in columns:
            if column not in rows:
                faults.append(f"{WHAT}: '{name}' has no column '{column}' (named for {dimension}).")
                continue
            told, limit = read_held_back(rows[column])
            numbers, wrong = count_faults(told, column, row_name)
            faults += [f"{WHAT}: '{name}': {sentence}" for sentence in wrong]
            group = column.removeprefix(f"{dimension}:").replace(":", " ")
            title = TOTAL if dimension == TOTAL else f"{dimension}:{group}"
            if title in values:
                faults.append(f"{WHAT}: '{column}' is named twice for {dimension}. Name each column once.")
            values[title], most[title] = numbers, limit
    raise_faults(faults)
    given = values.pop(TOTAL, np.full(len(rows), np.nan))
    filled = fill_table(values, given, most, town=town)
    findings += filled.findings
    unknown = sum(int(np.isnan(counts).sum()) for counts in filled.counts.values())
    if TOTAL in groups:
        unknown += int(np.isnan(filled.total).sum())
    if unknown:
        sentence = (
            f"{unknown} counts of '{name}' are blank or held back, and nothing tells them: nobody is known there, "
            "which is not the same as nobody."
        )
        findings.append(Finding("residents_blank", sentence, "warning", unknown))
    sums: dict[str, Floats] = {}
    for title, numbers in filled.counts.items():
        zones[title] = np.nan_to_num(numbers)
        dimension = title.split(":")[0]
        sums[dimension] = sums.get(dimension, np.zeros(len(rows))) + zones[title].to_numpy(float)
    total = np.nan_to_num(filled.total)
    largest = np.max(list(sums.values()) or [total], axis=0)
    over = int((largest > given + 1e-6).sum())
    if over:
        sentence = f"In {over} rows of '{name}' the groups add up to more than the total; their sum counts."
        findings.append(Finding("residents_over_total", sentence, "warning", over, len(rows)))
    zones[TOTAL] = np.maximum(total, largest)
    if not (zones[TOTAL] > 0).any():
        raise InputError(
            f"{WHAT}: '{name}' counts nobody: its columns are 0 or blank in every row. Name others."
        )
    return zones


def _twice(zones: gpd.GeoDataFrame) -> list[Finding]:
    """Say that zones share ground: who is counted in both is counted twice."""
    pairs = len(overlaps(zones.assign(name=zones.index))) if not are_points(zones) else 0
    if not pairs:
        return []
    sentence = f"{pairs} pairs of zones overlap: are people counted twice there? Keep one row a zone."
    return [Finding("residents_overlap", sentence, "warning", pairs)]


def _named_groups(rows: gpd.GeoDataFrame) -> Groups:
    """Groups by the names of columns that say it themselves: ``origin:born_here``."""
    groups: dict[str, list[str]] = {}
    for column in rows.columns:
        dimension, colon, group = str(column).partition(":")
        if colon and dimension.strip() and group.strip():
            groups.setdefault(dimension, []).append(str(column))
    if groups and TOTAL in rows:
        groups[TOTAL] = [TOTAL]
    return groups


def _of_grid(groups: Groups) -> bool:
    return {c for own in groups.values() for c in own} <= {*GRID_GROUPS, "T"}


def _joined(
    table: str | Path, zones: str | Path, key: str | None, crs: CRS, near: Bounds
) -> tuple[gpd.GeoDataFrame, list[Finding], RowName, str]:
    """A table of counts on the polygons that it names."""
    spec = parse_spec(table, what=WHAT)
    counts = open_table(spec, what=WHAT)
    layer = read_layer(zones, crs, what="zones", shapes=("polygons",), near=near)
    ours, theirs = _keys(key, counts.frame, layer, spec.name)
    left, right = (_codes(values) for values in (counts.frame[ours], layer.frame[theirs]))
    findings = [*counts.findings, *layer.findings]
    if not set(left) & set(right):
        bare = left.str.lstrip("0"), right.str.lstrip("0")
        if not set(bare[0]) & set(bare[1]):
            raise InputError(
                f"{WHAT}: no '{ours}' of '{spec.name}' ('{left.iloc[0]}') is a '{theirs}' of '{layer.name}' "
                f"('{right.iloc[0]}'). Name the right columns: key='{ours}=...'."
            )
        left, right = bare
        sentence = f"'{ours}' of '{spec.name}' was matched without leading zeros, which spreadsheets drop."
        findings.append(Finding("residents_zeros", sentence, "note"))
    faults = []
    for codes, file, row_name in ((left, spec.name, counts.row), (right, layer.name, layer.row)):
        twice = np.flatnonzero(codes.duplicated(keep=False))
        if len(twice):
            faults.append(
                f"{WHAT}: '{codes.iloc[twice[0]]}' stands twice in '{file}' ({name_rows(twice, row_name)})."
            )
    raise_faults(faults)
    at = pd.Index(right).get_indexer(pd.Index(left))
    if (at < 0).any():
        rows = name_rows(np.flatnonzero(at < 0), counts.row)
        sentence = (
            f"{(at < 0).sum()} of {len(at)} rows of '{spec.name}' have no polygon in '{layer.name}' ({rows})."
        )
        findings.append(Finding("residents_without_zone", sentence, "warning", int((at < 0).sum()), len(at)))
    if lone := len(right) - len(set(at[at >= 0])):
        sentence = f"{lone} of {len(right)} polygons of '{layer.name}' have no row in '{spec.name}'."
        findings.append(Finding("residents_zones_empty", sentence, "note", lone, len(right)))
    found = np.flatnonzero(at >= 0)
    joined = gpd.GeoDataFrame(
        counts.frame.iloc[found].reset_index(drop=True),
        geometry=layer.frame.geometry.to_numpy()[at[found]],
        crs=crs,
    )
    return joined, findings, lambda n: counts.row(int(found[n])), spec.name


def _keys(key: str | None, table: pd.DataFrame, layer: Layer, name: str) -> tuple[str, str]:
    """The columns that join a table and its polygons: as told, else the one that both have."""
    polygons = [str(c) for c in layer.frame.columns if c != layer.frame.geometry.name]
    if key is None:
        both = [str(c) for c in table.columns if c in polygons]
        if len(both) != 1:
            raise InputError(
                f"{WHAT}: '{name}' and '{layer.name}' share {'no column' if not both else ', '.join(both)}. Say which "
                "columns name the zones, for instance key='sector=cd_sector'."
            )
        return both[0], both[0]
    ours, _, theirs = (part.strip() for part in key.partition("="))
    theirs = theirs or ours
    for column, columns, file in ((ours, list(table.columns), name), (theirs, polygons, layer.name)):
        if column not in columns:
            raise MissingError(
                f"{WHAT}: '{file}' has no column '{column}' (named as key). It has {', '.join(columns)}."
            )
    return ours, theirs


def _codes(values: "pd.Series[Any]") -> "pd.Series[str]":
    """Keys as text: a spreadsheet's 12.0 is 12."""
    texts = values.map(lambda v: str(int(v)) if isinstance(v, float) and v.is_integer() else str(v).strip())
    return texts.astype(object)
