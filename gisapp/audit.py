"""The tables an auditor needs to recompute every number, on the counts and lengths the run really used."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gisapp.assessment import Assessment
from gisapp.errors import InputError, OutputError, TrefpuntError
from gisapp.network.routing import Routing, route_area

_WORDS = {
    "published": "{note}",
    "invented": "{note}",
    "missing": "{note}",
    "protected": "Counts are protected; exact ones are not in these tables.",
    "exact": "NOT FOR PUBLICATION: counts are exact and unprotected.",
}


def check_raw_folder(folder: str | Path) -> Path:
    """Return the folder if raw tables can be written there; called before the work, not after it.

    Raises ``OutputError`` where it is a file or not empty, or where nothing may be written.
    """
    folder = Path(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise OutputError(f"{folder}: give an empty or a new folder for the raw tables.")
    if not folder.parent.is_dir():
        raise OutputError(f"{folder}: the folder '{folder.parent}' does not exist. Make it first.")
    if not os.access(folder.parent, os.W_OK):
        raise OutputError(f"{folder}: nothing may be written there. Choose a folder of your own.")
    return folder


def write_raw(result: Assessment, folder: str | Path) -> str:
    """Write the audit tables into ``folder``, and return what may be said of the counts: see ``raw_tables``."""
    with raw_tables(result, folder) as said:
        return said


@contextlib.contextmanager
def raw_tables(result: Assessment, folder: str | Path) -> Iterator[str]:
    """Write the audit tables as Parquet and ``params.json`` into ``folder``; yield what may be said of the counts.

    Lengths, offsets and legs are metres in whole millimetres, as searched; a lift's wait is in ``length_m`` at the
    run's speed. Ids are in the index, so read them with pandas or geopandas. Composition per place is unrounded:
    for the data's owner. All of it or nothing: the folder is there when the block ends, and not if it fails. Raises
    ``OutputError`` where the folder cannot be written or is not empty.
    """
    area = result.area
    if area is None:
        raise InputError("This result has no geometry, so there is nothing to audit on the network.")
    folder = check_raw_folder(folder)
    draft = folder
    try:
        draft = Path(tempfile.mkdtemp(prefix=".trefpunt-", dir=folder.parent))
        routing = route_area(area, result.params)
        _write_network(routing, result, draft)
        result.travel_times.to_parquet(draft / "travel_times.parquet", index=False)
        _write_home_times(
            routing, area.residents.index, result.params.environment_min, draft / "home_times.parquet"
        )
        for name in ("homes", "places", "city", "exposure"):
            table: pd.DataFrame = getattr(result, name)
            table.to_parquet(draft / f"result_{name}.parquet")
        if area.provenance.mark:
            sentence = _WORDS[area.provenance.counts]
            (draft / "NOT_FOR_PUBLICATION.txt").write_text(f"{sentence}\n", encoding="utf-8")
        (draft / "params.json").write_text(result.params.to_json(), encoding="utf-8")
        yield _WORDS[area.provenance.counts].format(note=area.provenance.counts_note)
        draft.chmod(0o755)  # mkdtemp's is closed to others, as a new folder is not
        if folder.is_dir():
            folder.rmdir()
        draft.replace(folder)
    except TrefpuntError:
        raise
    except OSError as fault:
        raise OutputError(f"{folder}: the raw tables could not be written ({fault}).") from fault
    finally:
        if draft != folder:
            shutil.rmtree(draft, ignore_errors=True)


def _write_network(routing: Routing, result: Assessment, folder: Path) -> None:
    area = result.area
    assert area is not None
    network = routing.network
    edges = area.streets.edges.iloc[network.row].copy()
    edges["length_m"] = network.cost_mm / 1000.0
    edges.to_parquet(folder / "street_edges.parquet", index=False)
    area.streets.nodes.to_parquet(folder / "street_nodes.parquet")
    u, v, key = (edges[c].to_numpy() for c in ("u", "v", "key"))
    homes = area.residents.copy()
    on, edge = routing.homes.reached, routing.homes.edge
    for column, values in (("u", u), ("v", v), ("key", key)):
        homes[column] = pd.array(np.where(on, values[edge], 0), dtype="Int64")
        homes.loc[~on, column] = pd.NA
    homes["offset_m"] = np.where(on, routing.homes.offset_mm / 1000.0, np.nan)
    homes["access_m"] = np.where(on, routing.homes.access_mm / 1000.0, np.nan)
    homes.to_parquet(folder / "homes.parquet")
    area.places.to_parquet(folder / "places.parquet")
    entries = routing.entries
    table = pd.DataFrame(
        {
            "u": u[entries.edge],
            "v": v[entries.edge],
            "key": key[entries.edge],
            "offset_m": entries.offset_mm / 1000.0,
            "access_m": entries.access_mm / 1000.0,
        },
        index=pd.Index(area.places.index[entries.place], name="place_id"),
    )
    table.to_parquet(folder / "entries.parquet")


def _write_home_times(routing: Routing, index: pd.Index, within_min: float, path: Path) -> None:
    """Stream the pairs: a city has millions, which are never all held at once."""
    ids = pa.array(index.astype(str).tolist())
    schema = pa.schema(
        [("from_id", pa.dictionary(pa.int32(), pa.string())), ("to_id", pa.dictionary(pa.int32(), pa.string())),
         ("minutes", pa.float64())]
    )  # fmt: skip
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for here, there, minutes in routing.home_pairs(limit=routing.limit_mm(within_min)):
            columns = [
                pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), ids)
                for codes in (here, there)
            ]
            writer.write_batch(pa.record_batch([*columns, pa.array(minutes)], schema=schema))
