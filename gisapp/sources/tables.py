"""Tables without shapes of their own: CSV, Excel and JSON lists."""

import csv
import io
import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from gisapp.errors import InputError
from gisapp.quality import Finding
from gisapp.sources.archives import check_workbook

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 20_000


class Table(NamedTuple):
    """Rows of a file, and the numbers under which a spreadsheet shows them."""

    frame: pd.DataFrame
    rows: npt.NDArray[np.int64]
    findings: tuple[Finding, ...] = ()

    def row(self, n: int) -> str:
        """Return the name of the ``n``-th row for a message."""
        return f"row {self.rows[n]}"


def read_csv(path: Path, *, what: str, encoding: str | None = None) -> Table:
    """Read a CSV file as text; commas, semicolons, tabs and bars part its columns.

    Encodings: as told, else what a byte-order mark says, UTF-8, or Windows-1252 (which holds Latin-1's letters).
    """
    text, findings = _decoded(path, what, encoding)
    mark = csv_delimiter(text)
    header = next(csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=mark), [])
    if not any(name.strip() for name in header):
        raise InputError(
            f"{what}: '{path.name}' has nothing in its first row. Put column names there and data below them."
        )
    _check_header(header, path, what)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # how pandas tells of a long first row
            frame = pd.read_csv(
                io.StringIO(text), sep=mark, dtype=str, keep_default_na=False, na_values=[""], skipinitialspace=True,
                index_col=False, skip_blank_lines=False,
            )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = f"row {line[1]}" if line else "row 2"
        raise InputError(
            f"{what}: {place} of '{path.name}' does not have the columns of the first row, parted by '{mark}'. Put "
            "texts that hold the mark itself between quotes."
        ) from fault
    return _table(frame, 2, findings)


def csv_delimiter(text: str) -> str:
    """Return what parts the columns of a CSV text: what gives its first rows the same number of columns, and most.

    >>> csv_delimiter("naam;lon;lat\\nZon;4,48;51,02\\n")
    ';'
    """
    sample = text[:_SAMPLE].splitlines()[:10]
    best, most = ",", (False, 0)
    for mark in DELIMITERS:
        widths = [len(row) for row in csv.reader(sample, delimiter=mark) if row]
        if widths and (found := (len(set(widths)) == 1 and widths[0] > 1, widths[0])) > most:
            best, most = mark, found
    return best


def read_excel(path: Path, *, what: str, sheet: str | None = None) -> Table:
    """Read a sheet of an Excel workbook: the one named, else the only one that is not empty."""
    check_workbook(path, what=what)
    with warnings.catch_warnings(record=True):  # openpyxl tells of forms and styles that it does not keep
        try:
            sheets = pd.read_excel(
                path, sheet_name=sheet, header=None, dtype=object, engine="openpyxl", na_filter=False
            )
        except Exception as fault:
            raise InputError(
                f"{what}: '{path.name}' cannot be read ({first_line(fault)}). Is the sheet's name right? "
                "Save it again, or save the sheet as CSV."
            ) from fault
    full = {name: table for name, table in _by_name(sheets, sheet).items() if _filled(table).any(axis=None)}
    if len(full) != 1:
        names = ", ".join(f"'{name}'" for name in full)
        raise InputError(
            f"{what}: '{path.name}' has {len(full)} sheets with data: {names}. Name one: '{path.name}|layername=...'."
            if full
            else f"{what}: '{path.name}' is empty. Put column names in the first row and data below it."
        )
    table = next(iter(full.values()))
    filled = _filled(table)
    columns = np.flatnonzero(filled.any(axis=0))
    top = int(np.argmax(filled.sum(axis=1) > min(1, len(columns) - 1)))
    header = [str(v).strip() for v in table.iloc[top, columns]]
    _check_header(header, path, what)
    rows = table.iloc[top + 1 :, columns].set_axis(header, axis=1)
    rows = rows.map(lambda v: None if isinstance(v, str) and not v.strip() else v)
    return _table(rows, top + 2)


def read_json(path: Path, *, what: str) -> Table | None:
    """Read a JSON list of objects, or an answer of Overpass, as a table; None where it is GeoJSON."""
    try:
        value = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=lambda name: None)
    except (UnicodeDecodeError, ValueError, RecursionError) as fault:
        raise InputError(
            f"{what}: '{path.name}' is no whole JSON file ({first_line(fault)}). Download it again."
        ) from fault
    if isinstance(value, dict) and isinstance(value.get("elements"), list):
        value = [_flat(element) for element in value["elements"] if isinstance(element, dict)]
    elif isinstance(value, dict):
        return None
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise InputError(
            f'{what}: \'{path.name}\' is no list of objects. Use [{{"name": ..., "lat": ..., "lon": ...}}, ...].'
        )
    rows = [
        {k: v if not isinstance(v, dict | list) else json.dumps(v) for k, v in row.items()} for row in value
    ]
    return _table(pd.DataFrame(rows, dtype=object), 1)


def first_line(fault: BaseException) -> str:
    """Return the first line of an error's text, or its name."""
    return (str(fault).splitlines() or [type(fault).__name__])[0][:200]


def _decoded(path: Path, what: str, encoding: str | None) -> tuple[str, tuple[Finding, ...]]:
    content = path.read_bytes()
    marked = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for name in (encoding,) if encoding else (marked, "cp1252"):
        try:
            text = content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" in text:
            continue
        if name != "cp1252" or encoding:
            return text, ()
        sentence = f"{what}: '{path.name}' is not in UTF-8 and was read as Windows-1252: check the accents."
        return text, (Finding(f"{what}_encoding:{path.name}", sentence, "note"),)
    tried = encoding or "UTF-8 or Windows-1252"
    raise InputError(
        f"{what}: '{path.name}' is no text in {tried}. Save it as 'CSV UTF-8', or name its encoding: "
        f"'{path.name}|encoding=cp1250'."
    )


def _check_header(header: Sequence[str], path: Path, what: str) -> None:
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(f"{what}: '{path.name}' has two columns '{twice[0]}'. Rename one of them.")


def _table(frame: pd.DataFrame, first_row: int, findings: tuple[Finding, ...] = ()) -> Table:
    """Column names without spaces around them; no empty rows, and no nameless columns without data."""
    frame = frame.set_axis([str(c).strip() for c in frame.columns], axis=1)
    frame = frame[
        [c for c in frame.columns if c and not (c.startswith("Unnamed: ") and frame[c].isna().all())]
    ]
    said = frame.notna().any(axis=1).to_numpy(bool)
    return Table(frame[said].reset_index(drop=True), np.flatnonzero(said) + first_row, findings)


def _by_name(sheets: Any, sheet: str | None) -> dict[str, pd.DataFrame]:
    return sheets if isinstance(sheets, dict) else {str(sheet): sheets}


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    return table.map(lambda v: v is not None and v == v and str(v).strip() != "")


def _flat(element: dict[str, Any]) -> dict[str, Any]:
    """One object of an Overpass answer as a row: closed ways as areas, others by their middle."""
    tags, drawn = (element.get(key) or {} for key in ("tags", "geometry"))
    middle = element.get("center") or element
    bounds = element.get("bounds")
    try:
        if len(drawn) > 3 and drawn[0] == drawn[-1]:
            wkt = "POLYGON ((" + ", ".join(f"{p['lon']} {p['lat']}" for p in drawn) + "))"
        elif bounds and "lat" not in middle:
            wkt = f"POINT ({(bounds['minlon'] + bounds['maxlon']) / 2} {(bounds['minlat'] + bounds['maxlat']) / 2})"
        else:
            wkt = f"POINT ({middle['lon']} {middle['lat']})"
    except (KeyError, TypeError):
        wkt = None
    return {
        "id": f"{element.get('type')}/{element.get('id')}",
        "wkt": wkt,
        **(tags if isinstance(tags, dict) else {}),
    }
