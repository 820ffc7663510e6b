"""An extract in one pass of pyosmium: objects as lines of text, and the places of all nodes as an array.

Asked object by object, pyosmium makes several Python objects for each node of each way. Written as OPL (one object
a line, https://osmcode.org/opl-file-format/) and read in bulk, the same takes a fifth of the time.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import osmium

from gisapp.sources.osm_tags import Tags

Ints = npt.NDArray[np.int64]

UNIT = 1e7  # OpenStreetMap keeps whole ten-millionths of a degree
_NO_PLACE = np.iinfo(np.int32).max
_PAIR = np.dtype([("id", "<u8"), ("x", "<i4"), ("y", "<i4")])  # libosmium's `sparse_file_array`
_ESCAPE = re.compile("%([0-9a-f]+)%")


# One object: its kind and id ("n1"), version, flag, time, tags, and its place, node ids or members, as OPL writes them.
Line = tuple[str, str, str, str, str, str]


@dataclass(frozen=True)
class Extract:
    """One file as pyosmium gave it: ``lines`` of ways, relations and nodes of interest, and the places of nodes.

    ``ids``, ``x``, ``y``: all nodes with an id above 0, ids rising, places in units of 1e-7 degrees; nodes without
    a place are left out, and counted in ``placeless`` (deleted ones have none). ``repeated``: some node is there
    twice. ``locations``: the same for pyosmium.
    """

    text: Path
    ids: Ints
    x: Ints
    y: Ints
    placeless: int
    total: int
    unordered: bool
    locations: osmium.index.LocationTable

    def lines(self) -> Iterator[Line]:
        """Yield the objects in the order of the file."""
        with self.text.open(encoding="utf-8", newline="\n") as text:
            for line in text:
                name, version, flag, time, tags, rest = line.split(" ", 5)
                yield name, version, flag, time, tags, rest

    def places(self, ids: Ints) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
        """Return x and y of nodes, and which of them the file has."""
        if not len(self.ids):
            nothing = np.zeros(len(ids), dtype=np.int64)
            return nothing, nothing, np.zeros(len(ids), dtype=bool)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return self.x[at], self.y[at], self.ids[at] == ids


def read_extract(path: Path, folder: Path, *, node_keys: Iterable[str]) -> Extract:
    """Read a file; nodes without any of ``node_keys`` become places only. Work files go into ``folder``.

    Raises what pyosmium raises of a file that it cannot read: RuntimeError, ValueError or OSError.
    """
    text, pairs = folder / "objects.opl", folder / "nodes"
    pairs.unlink(missing_ok=True)
    locations = osmium.index.create_map(f"sparse_file_array,{pairs}")
    store = osmium.NodeLocationsForWays(locations)
    store.apply_nodes_to_ways = False
    tagged = osmium.filter.KeyFilter(*dict.fromkeys(node_keys))
    tagged.enable_for(osmium.osm.NODE)
    opl = osmium.io.File(str(text), "opl,add_metadata=version+timestamp")
    with osmium.io.Reader(str(path)) as reader, osmium.SimpleWriter(opl, overwrite=True) as writer:
        osmium.apply(reader, store, tagged, writer)
    table = np.fromfile(pairs, dtype=_PAIR)
    table = table[table["id"] > 0]
    ids = table["id"].astype(np.int64)
    here = _is_place(table["x"], table["y"])
    unordered = bool((np.diff(ids) <= 0).any())
    return Extract(
        text=text,
        ids=ids[here],
        x=table["x"][here].astype(np.int64),
        y=table["y"][here].astype(np.int64),
        placeless=int((~here).sum()),
        total=len(table),
        unordered=unordered,
        locations=locations,
    )


def tags_of(text: str) -> Tags:
    """Return the tags of a line.

    >>> tags_of("Thighway=path,name=Het%20%Pad"), tags_of("T")
    ({'highway': 'path', 'name': 'Het Pad'}, {})
    >>> tags_of("Tname=A%2c%%20%B%3d%C")
    {'name': 'A, B=C'}
    """
    if text == "T":
        return {}
    late = "%2c%" in text or "%3d%" in text  # a comma or an equals sign: they must not split
    pairs = (pair.split("=") for pair in (text if late else _plain(text))[1:].split(","))
    if late:
        return {_plain(key): _plain(value) for key, value in pairs}
    return {key: value for key, value in pairs}  # noqa: C416 (mypy: a split pair is no tuple)


def node_ids(texts: Iterable[str]) -> tuple[Ints, Ints]:
    """Return the node ids of ways one after the other, and where each way's begin (one more than ways).

    >>> node_ids(["Nn1,n2,n3", "N", "Nn3,n-4"])
    (array([ 1,  2,  3,  3, -4]), array([0, 3, 3, 5]))
    """
    lists = [text[1:] for text in texts]
    counts = np.array([text.count("n") for text in lists], dtype=np.int64)
    joined = ",".join(filter(None, lists)).replace("n", "")
    refs = np.fromstring(joined, dtype=np.int64, sep=",") if joined else np.empty(0, dtype=np.int64)
    return refs, np.concatenate([[0], np.cumsum(counts)])


def member_ways(text: str) -> list[int]:
    """Return the ids of the ways that are members of a relation.

    >>> member_ways("Mw99@outer,n5@label,w-3@")
    [99, -3]
    """
    return [int(part[1 : part.index("@")]) for part in text[1:].split(",") if part.startswith("w")]


def place_of(text: str) -> tuple[float, float] | None:
    """Return longitude and latitude of a node's line, or None where it has none on earth.

    >>> place_of("x4.1 y50"), place_of("x y"), place_of("x4 y95")
    ((4.1, 50.0), None, None)
    """
    x, _, y = text.partition(" ")
    if len(x) == 1 or len(y) == 1:
        return None
    lon, lat = float(x[1:]), float(y[1:])
    return (lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None


def _plain(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "%" in text else text


@lru_cache(maxsize=1000)
def _code(text: str) -> str:
    return chr(int(text, 16))


def _character(found: re.Match[str]) -> str:
    return _code(found[1])


def _is_place(x: npt.NDArray[np.int32], y: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    lon, lat = x.astype(np.int64), y.astype(np.int64)
    is_set = (lon != _NO_PLACE) | (lat != _NO_PLACE)
    is_place: npt.NDArray[np.bool_] = is_set & (abs(lon) <= 180 * UNIT) & (abs(lat) <= 90 * UNIT)
    return is_place
