"""The layers of a project file, and how files of older versions of the format become today's."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import shapely

from gisapp import __version__
from gisapp.area import NOT_FOR_PUBLICATION, Edits, StudyArea
from gisapp.assessment import Assessment
from gisapp.errors import InputError
from gisapp.params import Params

# 1: inputs, parameters, results. 2: places as they were written (so that edits are found), edits, buffer, scenario.
FORMAT = 2
META = "trefpunt"
PLACES_WRITTEN = "places_as_written"
SHAPE = "wkb_hex"
BACKGROUND = ("land", "water", "green", "buildings")
_BUFFER = re.compile(r"and ([\d.]+) minutes' walk around it")


class Contents(NamedTuple):
    """What stands in a project file: ``meta`` (key and text), ``tables`` by the name of the layer.

    ``places`` has the file's own row numbers as its index, the other tables none.
    """

    meta: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame]


def layers_of(
    area: StudyArea,
    params: Params,
    result: Assessment | None,
    scenario: str | None,
    extra: Mapping[str, pd.DataFrame] = {},
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the layers of a project file in their order, each with its name; ``extra``: further ones."""
    meta = {
        "format": str(FORMAT),
        "version": __version__,
        "name": area.name,
        "params": params.to_json(),
        "provenance": area.provenance.to_json(),
        "quality": area.quality.to_json(),
        "kinds": json.dumps([asdict(kind) for kind in area.kinds], ensure_ascii=False),
        "edits": area.edits.to_json(),
        "buffer_min": json.dumps(area.buffer_min),
        **({} if scenario is None else {"scenario": scenario}),
    }
    if area.provenance.mark:
        # With a shape: a GeoPackage lists tables without one last.
        extent = shapely.box(*area.residents.total_bounds)
        note = {"note": [area.provenance.counts_note]}
        yield NOT_FOR_PUBLICATION.replace(" ", "_"), gpd.GeoDataFrame(note, geometry=[extent], crs=area.crs)
    yield "homes", area.residents.reset_index()
    yield "places", area.places.reset_index()
    yield "street_nodes", area.streets.nodes.reset_index()
    yield "street_edges", area.streets.edges
    if area.neighbourhoods is not None:
        yield "neighbourhoods", area.neighbourhoods
    if area.boundary is not None:
        yield "boundary", gpd.GeoDataFrame(geometry=[area.boundary], crs=area.crs)
    if area.entrances is not None and len(area.entrances):
        yield "entrances", area.entrances.reset_index(names="osm_id")
    for layer in BACKGROUND:
        if layer in area.background and len(area.background[layer]):
            frame = area.background[layer]
            yield layer, frame.reset_index(names="osm_id") if layer == "buildings" else frame
    if result is not None:
        meta["result_quality"] = result.quality.to_json()
        yield "result_homes", result.homes.reset_index()
        yield "result_places", result.places.reset_index()
        yield "result_inequality", result.inequality.reset_index()
        for name in ("city", "exposure", "equity"):
            yield f"result_{name}", getattr(result, name)
    yield from extra.items()
    yield PLACES_WRITTEN, without_shapes(area.places)
    # Last: a file without it was not finished.
    yield META, pd.DataFrame({"key": list(meta), "value": list(meta.values())})


def upgrade(contents: Contents) -> Contents:
    """Return the contents as today's version of the format has them."""
    for step in range(int(contents.meta["format"]), FORMAT):
        contents = _STEPS[step](contents)
    return contents


def refuse_newer(meta: Mapping[str, str]) -> None:
    """Raise ``InputError`` where a newer version of the format was written; before anything else is read of it."""
    if int(meta["format"]) > FORMAT:
        raise InputError(
            f"was written by Trefpunt {meta['version']}, this is {__version__}. Install the newer version."
        )


def without_shapes(places: pd.DataFrame) -> pd.DataFrame:
    """Return places as a table without shapes for ``PLACES_WRITTEN``: QGIS draws it nowhere, and nobody edits it."""
    plain = pd.DataFrame(places.drop(columns="geometry"))
    return plain.assign(**{SHAPE: shapely.to_wkb(places["geometry"].to_numpy(), hex=True)}).reset_index()


def _from_1(contents: Contents) -> Contents:
    """Take the places that have an id of their own as those that were written: edits made since are not known."""
    places = contents.tables["places"]
    known = places["place_id"].notna() & ~places["place_id"].duplicated()
    written = without_shapes(places[known].set_index("place_id"))
    buffer = _BUFFER.search(contents.meta["provenance"])
    meta = {
        "edits": Edits().to_json(),
        "buffer_min": buffer[1] if buffer else "null",
        **contents.meta,
        "format": "2",
    }
    return Contents(meta, {**contents.tables, PLACES_WRITTEN: written})


_STEPS: Mapping[int, Callable[[Contents], Contents]] = {1: _from_1}
