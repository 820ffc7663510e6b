"""The door: every table that comes in is checked here, and all faults of all tables are raised in one
message.

Nothing here changes its argument, and the order of rows never matters.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from gisapp.errors import raise_faults
from gisapp.params import PROFILES_MS

UNKNOWN = "unknown"  # the group that is in totals only
OPEN_TO = ("all", "customers", "members", "faith")
ATTRACTIVENESS = "attractiveness"

_SHOWN = 3  # examples named in one fault


def group_columns(residents: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the known groups of each dimension, in column order; ``unknown`` is left out.

    >>> frame = pd.DataFrame(columns=["origin:here", "age:old", "origin:elsewhere", "age:unknown", "total"])
    >>> group_columns(frame)
    {'origin': ('here', 'elsewhere'), 'age': ('old',)}
    """
    found: dict[str, list[str]] = {}
    for column in count_columns(residents):
        dimension, group = column.split(":", 1)
        if group != UNKNOWN:
            found.setdefault(dimension, []).append(group)
    return {dimension: tuple(groups) for dimension, groups in found.items()}


def count_columns(residents: pd.DataFrame) -> list[str]:
    """Return the names of all count columns (``dimension:group``), ``unknown`` included, in column order."""
    return [c for c in residents.columns if isinstance(c, str) and ":" in c]


def check_residents(residents: pd.DataFrame) -> None:
    """Raise ``InputError`` with every fault of a table of residents, or do nothing.

    Index ``home_id`` (unique); one column per group named ``dimension:group`` with counts >= 0; optional
    ``total`` (>= 0), ``core`` (True or False) and ``zone_id``.

    >>> check_residents(pd.DataFrame({"age:old": [1, -2]}, index=["h", "h"]))
    Traceback (most recent call last):
    gisapp.errors.InputError: 2 faults:
    - residents: home_id is not unique ('h'); give each home one row.
    - residents: 'age:old' is negative at 'h'; counts are 0 or more.
    """
    raise_faults(residents_faults(residents))


def check_places(places: pd.DataFrame, residents: pd.DataFrame | None = None) -> None:
    """Raise ``InputError`` with every fault of a table of places, or do nothing.

    Index ``place_id`` (unique); column ``kind``; optional ``core``, ``open_to``, ``capacity``,
    ``attractiveness``, ``attractiveness:dimension:group`` (groups that ``residents`` has) and ``part_of``.

    >>> check_places(pd.DataFrame({"kind": ["all"]}, index=["p"]))
    Traceback (most recent call last):
    gisapp.errors.InputError: places: a kind is called 'all', which stands for the sum of kinds; rename it.
    """
    raise_faults(places_faults(places, residents))


def check_travel_times(travel_times: pd.DataFrame, residents: pd.DataFrame, places: pd.DataFrame) -> None:
    """Raise ``InputError`` with every fault of a table of walking times from homes to places, or do nothing.

    Columns ``home_id``, ``place_id``, ``minutes`` (finite, >= 0), optional ``profile``; ids must be known.

    >>> homes, places = pd.DataFrame(index=["h"]), pd.DataFrame(index=["p"])
    >>> times = pd.DataFrame({"home_id": ["x"], "place_id": ["p"], "minutes": [1.0]})
    >>> check_travel_times(times, homes, places)
    Traceback (most recent call last):
    gisapp.errors.InputError: travel_times: home_id 'x' is not in residents; add it or drop its rows.
    """
    raise_faults(travel_times_faults(travel_times, residents.index, places.index))


def check_home_times(home_times: pd.DataFrame, residents: pd.DataFrame) -> None:
    """Raise ``InputError`` with every fault of a table of walking times between homes, or do nothing.

    Columns ``from_id``, ``to_id``, ``minutes`` (finite, >= 0), both directions; ids must be known.

    >>> check_home_times(pd.DataFrame({"from_id": [], "to_id": []}), pd.DataFrame(index=["h"]))
    Traceback (most recent call last):
    gisapp.errors.InputError: home_times: column 'minutes' is missing.
    """
    raise_faults(home_times_faults(home_times, residents.index))


def table_faults(**tables: object) -> list[str]:
    """Return a sentence for each of these that is no table at all.

    >>> table_faults(places=pd.DataFrame(), travel_times=None)
    ['travel_times: is None; give a pandas DataFrame.']
    """
    return [
        f"{name}: is {'None' if value is None else 'a ' + type(value).__name__}; give a pandas DataFrame."
        for name, value in tables.items()
        if not isinstance(value, pd.DataFrame)
    ]


def residents_faults(residents: pd.DataFrame) -> list[str]:
    """Return every fault of a table of residents as a sentence."""
    faults = _index_faults("residents", "home_id", residents)
    if residents.empty and not len(residents):
        faults.append("residents: no rows; give at least one home.")
    names = count_columns(residents)
    for name in names:
        parts = name.split(":")
        if len(parts) != 2:
            faults.append(f"residents: '{name}' has {len(parts) - 1} colons; name it dimension:group.")
        elif not all(part.strip() for part in parts):
            faults.append(f"residents: '{name}' lacks a dimension or a group; name it dimension:group.")
    if not names and "total" not in residents:
        faults.append("residents: no count column; name one dimension:group, such as 'age:0_14'.")
    faults += _duplicate_columns("residents", residents)
    for name in dict.fromkeys([*names, *(["total"] if "total" in residents else [])]):
        faults += _number_faults("residents", residents, name, "counts are 0 or more")
    if "core" in residents:
        faults += _bool_faults("residents", residents, "core")
    return faults


def places_faults(places: pd.DataFrame, residents: pd.DataFrame | None = None) -> list[str]:
    """Return every fault of a table of places as a sentence."""
    faults = _index_faults("places", "place_id", places) + _duplicate_columns("places", places)
    if "kind" not in places:
        faults.append("places: column 'kind' is missing.")
    elif len(places):
        kinds = places["kind"]
        blank = kinds.isna() | ~kinds.map(lambda kind: isinstance(kind, str) and bool(kind.strip())).astype(
            bool
        )
        if blank.any():
            faults.append(f"places: 'kind' is blank or no text at {_some(places.index[blank])}.")
        names = sorted(set(kinds[~blank]))
        if "all" in names:
            faults.append("places: a kind is called 'all', which stands for the sum of kinds; rename it.")
        faults += [f"places: kind '{name}' has a colon; rename it." for name in names if ":" in name]
    if "open_to" in places:
        wrong = places["open_to"].notna() & ~places["open_to"].isin(OPEN_TO)
        if wrong.any():
            values = _some(places["open_to"][wrong].drop_duplicates())
            faults.append(f"places: open_to is {values}; choose one of {', '.join(OPEN_TO)}.")
    if "core" in places:
        faults += _bool_faults("places", places, "core")
    if "capacity" in places:
        faults += _number_faults("places", places, "capacity", "leave it blank where unknown", blank=True)
    known = None if residents is None else group_columns(residents)
    for name in [c for c in places.columns if isinstance(c, str) and c.split(":")[0] == ATTRACTIVENESS]:
        parts = name.split(":")
        if len(parts) not in (1, 3):
            faults.append(
                f"places: '{name}' has {len(parts) - 1} colons; name it attractiveness:dimension:group."
            )
            continue
        if len(parts) == 3 and known is not None and parts[2] not in known.get(parts[1], ()):
            faults.append(f"places: '{name}': residents have no known group '{parts[1]}:{parts[2]}'.")
        faults += _number_faults("places", places, name, "leave it blank where unknown", blank=True)
    if "part_of" in places and "kind" in places:
        parts_of = places[places["part_of"].notna()]
        if parts_of[["part_of", "kind"]].drop_duplicates()["part_of"].duplicated().any():
            faults.append("places: parts of one place (part_of) have different kinds; give them one kind.")
    return faults


def travel_times_faults(travel_times: pd.DataFrame, homes: pd.Index, places: pd.Index) -> list[str]:
    """Return every fault of a table of walking times from homes to places as a sentence."""
    faults = _time_faults(
        "travel_times", travel_times, {"home_id": (homes, "residents"), "place_id": (places, "places")}
    )
    if "profile" in travel_times:
        named = pd.unique(travel_times["profile"].dropna())
        wrong = [name for name in named if name not in PROFILES_MS]
        if wrong:
            faults.append(f"travel_times: profile is {_some(wrong)}; choose one of {', '.join(PROFILES_MS)}.")
    return faults


def home_times_faults(home_times: pd.DataFrame, homes: pd.Index) -> list[str]:
    """Return every fault of a table of walking times between homes as a sentence."""
    return _time_faults(
        "home_times", home_times, {"from_id": (homes, "residents"), "to_id": (homes, "residents")}
    )


def id_codes(values: pd.Series, index: pd.Index) -> np.ndarray:
    """Return the position of each id in ``index`` as int32, -1 where unknown; categories are looked up once.

    >>> id_codes(pd.Series(["b", "a", "x"], dtype="category"), pd.Index(["a", "b"])).tolist()
    [1, 0, -1]
    """
    if not index.is_unique:
        return np.full(len(values), -1, dtype=np.int32)
    if isinstance(values.dtype, pd.CategoricalDtype):
        # the last entry stands for missing values, whose code is -1
        lookup = np.append(index.get_indexer(values.cat.categories), -1).astype(np.int32)
        return lookup[values.cat.codes.to_numpy()]
    return index.get_indexer(pd.Index(values)).astype(np.int32)


def _time_faults(table: str, frame: pd.DataFrame, ids: dict[str, tuple[pd.Index, str]]) -> list[str]:
    faults = [f"{table}: column '{c}' is missing." for c in (*ids, "minutes") if c not in frame]
    faults += _duplicate_columns(table, frame)
    for column, (index, other) in ids.items():
        if column in frame and index.is_unique:
            unknown = id_codes(frame[column], index) < 0
            if unknown.any():
                named = frame[column][unknown].drop_duplicates()
                verb = "is" if len(named) == 1 else "are"
                faults.append(
                    f"{table}: {column} {_some(named)} {verb} not in {other}; add it or drop its rows."
                )
    if "minutes" in frame:
        faults += _number_faults(table, frame, "minutes", "leave out pairs that cannot be reached")
    return faults


def _index_faults(table: str, name: str, frame: pd.DataFrame) -> list[str]:
    faults = []
    if isinstance(frame.index, pd.MultiIndex):
        return [f"{table}: the index has {frame.index.nlevels} levels; set_index('{name}') alone."]
    if name in frame.columns:
        faults.append(f"{table}: '{name}' is a column; make it the index with set_index('{name}').")
    if frame.index.hasnans:
        faults.append(f"{table}: {name} is blank in some rows; give each row an id.")
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()].unique()
        row = "home" if name == "home_id" else "place"
        faults.append(f"{table}: {name} is not unique ({_some(twice)}); give each {row} one row.")
    return faults


def _duplicate_columns(table: str, frame: pd.DataFrame) -> list[str]:
    twice = frame.columns[frame.columns.duplicated()].unique()
    return [f"{table}: column '{column}' stands there twice; keep one." for column in twice]


def _number_faults(
    table: str, frame: pd.DataFrame, column: str, advice: str, *, blank: bool = False
) -> list[str]:
    values = frame[column]
    if isinstance(values, pd.DataFrame):  # a column named twice has its own fault
        return []
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_complex_dtype(values.dtype):
        if len(values) and not values.isna().all():
            return [f"{table}: '{column}' holds {values.dtype} and not numbers; {advice}."]
        return [] if blank or not len(values) else [f"{table}: '{column}' is blank everywhere; {advice}."]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    # travel times have no ids in their index: name the row's ids there
    where = frame.index if table in ("residents", "places") else _rows(frame)
    faults = []
    missing = np.isnan(numbers)
    if missing.any() and not blank:
        faults.append(f"{table}: '{column}' is blank at {_some(where[missing])}; {advice}.")
    infinite = np.isinf(numbers)
    if infinite.any():
        faults.append(f"{table}: '{column}' is not finite at {_some(where[infinite])}; {advice}.")
    negative = numbers < 0
    negative &= ~infinite
    if negative.any():
        faults.append(f"{table}: '{column}' is negative at {_some(where[negative])}; {advice}.")
    return faults


def _rows(frame: pd.DataFrame) -> pd.Index:
    return pd.RangeIndex(len(frame), name="row")


def _bool_faults(table: str, frame: pd.DataFrame, column: str) -> list[str]:
    values = frame[column]
    if pd.api.types.is_bool_dtype(values.dtype) and not values.isna().any():
        return []
    wrong = values.isna() | ~values.isin([True, False])
    if not wrong.any():
        return []
    return [f"{table}: '{column}' is neither True nor False at {_some(frame.index[wrong])}."]


def _some(values: Iterable[object] | Sequence[object] | pd.Index) -> str:
    items = list(values)
    shown = ", ".join(repr(v.item() if isinstance(v, np.generic) else v) for v in items[:_SHOWN])
    return shown + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")
