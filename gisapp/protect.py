"""Counts that their owner has not published, made safe once, at the door.

Cells of at least 50 residents, each count in them rounded to a multiple of 5 by keyed chance, and spread over the
homes by what is known of these anyway. All that follows is a function of that table, so no combination of results,
however many places are added or parameters changed, tells more than it does.
"""

import contextlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisapp.area import Streets
from gisapp.errors import InputError, IntegrityError, OutputError
from gisapp.frames import check_residents, count_columns
from gisapp.partition import (
    DECIMALS,
    LEAST_RESIDENTS,
    build_partition,
    by_home,
    coordinates,
    has_geometry,
    join_small,
    sums_by_cell,
)
from gisapp.residents import share_out
from gisapp.resources import config_dir

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Table = TypeVar("Table", bound=pd.DataFrame)

STEP = 5
SECRET_BYTES = 32
_KEPT = ("total", "core", "zone_id", "floor_m2", "spread", "dwellings")


def protect(
    residents: Table,
    zones: "pd.Series[Any] | gpd.GeoDataFrame | Sequence[Any] | None" = None,
    *,
    weights: "pd.Series[float] | Sequence[float] | None" = None,
    secret: bytes | str | None = None,
) -> Table:
    """Return residents whose counts may leave the house; scores and exports of them tell no exact count.

    ``residents``: index ``home_id``; counts ``dimension:group`` (fractions are fine), optional ``total``, ``core``,
    ``zone_id``, points in a projected CRS in metres. ``zones``: the cell of each home (a series by ``home_id``, or
    values in row order) or polygons (index: their ids); default the column ``zone_id``; a home without one, or in
    none, is in a square of a 100 m grid. Geometry is needed for the grid, and to find what lies nearest to a cell
    of fewer than 50. ``secret``: the key of the rounding, default the user's own (``user_secret``).

    1. While a cell has fewer than 50 residents, the smallest (ties: lowest id) joins the cell with the nearest
       resident-weighted centroid (ties: lowest id) and takes its id. If all together are fewer than 50, every group
       count becomes 0: their group is unknown.
    2. A count n of (cell, dimension, group) becomes 5*floor(n/5), or 5 more if n mod 5 > 5u, where u in 0-1 comes
       from the secret and these three names (``keyed_chance``). Unbiased over secrets.
    3. Rounded counts are spread over the cell's homes in proportion to building totals, equally where these are 0.

    Without ``weights``, building totals (``total``, or else the largest row sum over dimensions) count as known, and
    ``total`` stays. Where they are not known, give ``weights`` that are, one a home: dwellings, or floor area. Counts
    are then spread by these, and ``total`` becomes the mean over dimensions of all that were counted (those of
    unknown group too), rounded and spread alike. What the result tells beyond the rounded counts is which cells
    were joined: that these had fewer than 50 residents, and never who.

    Result: index and columns as given, counts as floats; ``zone_id`` names the joined cell where it was the
    partition. Columns that a table of residents need not have are left out, as nobody can say what they tell.
    ``attrs`` holds ``counts`` ("protected") and ``counts_note``, nothing else. Raises ``InputError``, ``CRSError``.

    >>> homes = pd.DataFrame({"origin:newcomer": [7, 0], "origin:here": [40, 30]}, index=["a", "b"])
    >>> safe = protect(homes, ["7", "7"], secret="key")
    >>> safe.sum().to_dict(), safe["origin:newcomer"].round(3).tolist()
    ({'origin:newcomer': 10.0, 'origin:here': 70.0}, [6.104, 3.896])
    """
    check_residents(residents)
    key = _key(secret)
    columns = count_columns(residents)
    total = _totals(residents, columns)
    weight = total if weights is None else _weights(weights, residents)
    xy = coordinates(residents)
    cells = build_partition(residents, zones, xy)
    joined = join_small(cells, total, xy)
    code = joined[cells.code]
    size = sums_by_cell(code, total[:, None], len(cells.ids))[:, 0]
    alive = np.flatnonzero(joined == np.arange(len(joined)))
    nothing = size.sum() < LEAST_RESIDENTS

    table = sums_by_cell(code, residents[columns].to_numpy(np.float64), len(cells.ids))
    if nothing:
        table[:] = 0.0
    rows = [cells.ids[at] for at in alive]
    names = [tuple(column.split(":", 1)) for column in columns]
    rounded = np.zeros_like(table)
    rounded[alive] = round_to_five(table[alive], keyed_chances(key, rows, names))
    share = _shares(code, weight)

    result = residents[[c for c in residents.columns if _may_stay(c, residents)]].copy()
    for at, column in enumerate(columns):
        result[column] = rounded[code, at] * share
    if "total" in residents and weights is not None:
        whole = np.zeros(len(cells.ids))
        whole[alive] = _mean_total(size[alive], table[alive], rounded[alive], names, key, rows)
        result["total"] = whole[code] * share
    elif "total" not in residents and nothing:
        result["total"] = total  # else people would vanish with their groups
    if zones is None and "zone_id" in residents:
        result["zone_id"] = cells.labels[code]
    result.attrs = {
        "counts": "protected",
        "counts_note": _note(len(alive), len(cells.ids) - len(alive), nothing=bool(nothing)),
    }
    return result


def share_out_protected(
    zones: gpd.GeoDataFrame,
    columns: list[str],
    buildings: gpd.GeoDataFrame,
    streets: Streets,
    *,
    secret: bytes | str | None = None,
) -> gpd.GeoDataFrame:
    """Share zones' counts to the homes in them, as ``share_out`` does, and protect them on the way.

    Totals of zones do not count as known: weights are floor area within a zone and, between zones that were
    joined, their totals rounded to 5, so that a handful of people in a harbour does not draw a whole quarter
    into its sheds. Zones that round to nobody have no homes. A cell's id is where its zone lies, so that the
    same zone is rounded alike in every file: a second chance for the same count would give it away.
    """
    key = _key(secret)
    zones = zones.set_axis(_stable_ids(zones), axis=0)
    chances = keyed_chances(key, list(zones.index), [("total", "weight")])[:, 0]
    zones["weight"] = round_to_five(np.round(zones["total"].to_numpy(np.float64), DECIMALS), chances)
    homes = share_out(zones, [*columns, "weight"], buildings, streets)
    safe = protect(homes.drop(columns="weight"), weights=homes["weight"], secret=key)
    return safe[(safe[columns] > 0).any(axis=1)]


def keyed_chance(key: bytes, cell: str, dimension: str, group: str) -> float:
    """Return u, the number in 0-1 that rounds one count: the first 8 bytes of HMAC-SHA256, big-endian, / 2**64.

    >>> round(keyed_chance(b"key", "7", "origin", "newcomer"), 12)
    0.193150307238
    """
    digest = hmac.digest(key, f"{cell}\n{dimension}\n{group}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big") / 2**64


def keyed_chances(key: bytes, cells: Sequence[str], names: Sequence[tuple[str, ...]]) -> Floats:
    """Return u of every cell (rows) and every dimension and group (columns)."""
    values = [[keyed_chance(key, cell, *name) for name in names] for cell in cells]
    return np.array(values, dtype=np.float64).reshape(len(cells), len(names))


def round_to_five(counts: npt.ArrayLike, chance: npt.ArrayLike) -> Floats:
    """Return multiples of 5 next to ``counts``, the upper one where n mod 5 > 5u: unbiased over u.

    >>> round_to_five([7, 7, 4, 4], [0.3, 0.4, 0.79, 0.8]).tolist()
    [10.0, 5.0, 5.0, 0.0]
    """
    n = np.asarray(counts, dtype=np.float64)
    low = STEP * np.floor(n / STEP)
    return np.asarray(low + STEP * (n - low > STEP * np.asarray(chance, dtype=np.float64)))


def user_secret() -> bytes:
    """Return the user's secret, made on first use: 32 bytes in the settings folder, for the user alone to read.

    Whoever has it can narrow down rounded counts, so it is in no project and no output. Whoever loses it rounds the
    same counts a second time, and two roundings tell more than one: colleagues who publish the same table share it.
    Raises ``OutputError`` where it cannot be kept and ``IntegrityError`` where it is damaged.
    """
    path = config_dir() / "secret"
    try:
        if not path.exists():
            _make_secret(path)
        key = path.read_bytes()
    except OSError as fault:
        raise OutputError(
            f"{path}: the secret for protecting counts can be neither read nor made ({fault.strerror}). Give that "
            "file to your own user, or set XDG_CONFIG_HOME to a folder of yours."
        ) from fault
    if len(key) != SECRET_BYTES:
        raise IntegrityError(
            f"{path}: the secret for protecting counts is damaged ({len(key)} bytes, not {SECRET_BYTES}). Put back a "
            "copy of it; only if nothing protected with it was ever published, delete it and a new one is made."
        )
    return key


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        # A link fails where another process was first: its secret stands, and is whole.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)


def _key(secret: bytes | str | None) -> bytes:
    key = user_secret() if secret is None else secret.encode() if isinstance(secret, str) else bytes(secret)
    if not key:
        raise InputError("secret: is empty; leave it out to use your own, or give some bytes.")
    return key


def _totals(residents: pd.DataFrame, columns: list[str]) -> Floats:
    if "total" in residents:
        return residents["total"].to_numpy(np.float64)
    sums: dict[str, Floats] = {}
    for column in columns:
        dimension = column.split(":")[0]
        sums[dimension] = sums.get(dimension, np.zeros(1)) + residents[column].to_numpy(np.float64)
    return np.asarray(np.round(np.max(list(sums.values()), axis=0), DECIMALS))


def _weights(weights: "pd.Series[float] | Sequence[float]", residents: pd.DataFrame) -> Floats:
    values = pd.to_numeric(by_home(weights, residents, "weights"), errors="coerce").to_numpy(np.float64)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise InputError(
            f"weights: {int(wrong.sum())} homes have none ('{residents.index[wrong][0]}' the first); give each home a "
            "number of 0 or more, such as its dwellings or its floor area."
        )
    return values


def _may_stay(column: Any, residents: pd.DataFrame) -> bool:
    geometry = residents.geometry.name if has_geometry(residents) else None
    return column in _KEPT or column == geometry or (isinstance(column, str) and ":" in column)


def _shares(code: Ints, weight: Floats) -> Floats:
    """Each home's share in its cell."""
    whole, homes = np.bincount(code, weight)[code], np.bincount(code)[code]
    return np.where(whole > 0, weight / np.where(whole > 0, whole, 1.0), 1.0 / homes)


def _mean_total(
    size: Floats, table: Floats, rounded: Floats, names: list[tuple[str, ...]], key: bytes, cells: list[str]
) -> Floats:
    """The cells' residents out of the rounded counts: the mean over dimensions, those of unknown group rounded too."""
    dimensions = list(dict.fromkeys(name[0] for name in names)) or ["total"]
    sums = np.zeros((len(cells), len(dimensions)))
    for at, dimension in enumerate(dimensions):
        own = [column for column, name in enumerate(names) if name[0] == dimension]
        rest = np.maximum(np.round(size - table[:, own].sum(axis=1), DECIMALS), 0.0)
        chance = keyed_chances(key, cells, [(dimension, "")])[:, 0]
        sums[:, at] = rounded[:, own].sum(axis=1) + round_to_five(rest, chance)
    return np.asarray(sums.mean(axis=1))


def _note(cells: int, joined: int, *, nothing: bool) -> str:
    if nothing:
        return f"Counts protected: fewer than {LEAST_RESIDENTS} residents in all, so nothing is told of their groups."
    smaller = f"; {joined} smaller ones joined the nearest" if joined else ""
    return (
        f"Counts protected: {cells} {'cell' if cells == 1 else 'cells'} of at least {LEAST_RESIDENTS} residents"
        f"{smaller}; each count rounded to a multiple of {STEP} by chance, so that 5 means 1 to 9, and 0 means 0 to 4."
    )


def _stable_ids(zones: gpd.GeoDataFrame) -> pd.Index:
    """Name zones by where they lie (latitude, longitude to a metre), not by their row in a file."""
    inner = gpd.GeoSeries(shapely.centroid(zones.geometry.to_numpy()), crs=zones.crs).to_crs(4326)
    names = pd.Series([f"{y:.5f} {x:.5f}" for x, y in zip(inner.x, inner.y, strict=True)])
    again = names.groupby(names).cumcount()
    return pd.Index(
        names.where(again == 0, names + " #" + (again + 1).astype(str)), dtype=object, name="zone_id"
    )
