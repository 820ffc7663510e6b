"""Node lists of ways in bulk, and lines and polygons from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gisapp.sources.osm_text import UNIT, Extract, Ints, node_ids

Bools = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]

RING = 4  # nodes of a triangle, the first again at the end


@dataclass(frozen=True)
class Paths:
    """Node lists of ways one after the other: way ``w`` has rows ``starts[w]:starts[w+1]``.

    ``x``, ``y`` in units of 1e-7 degrees where the file is ``here`` with the node.
    """

    refs: Ints
    x: Ints
    y: Ints
    here: Bools
    starts: Ints

    @classmethod
    def of(cls, texts: Iterable[str], extract: Extract) -> "Paths":
        """Read the node lists of OPL lines and look up the nodes' places."""
        refs, starts = node_ids(texts)
        x, y, here = extract.places(refs)
        return cls(refs, x, y, here, starts)

    @classmethod
    def joined(cls, parts: Sequence["Paths"]) -> "Paths":
        """Put the ways of several one after the other."""
        sizes = np.concatenate([np.diff(part.starts) for part in parts])
        return cls(
            np.concatenate([part.refs for part in parts]),
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.here for part in parts]),
            np.concatenate([[0], np.cumsum(sizes)]),
        )

    def take(self, ways: Ints) -> "Paths":
        """Return the node lists of some ways."""
        sizes = np.diff(self.starts)[ways]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return self.reorder(np.arange(starts[-1]) + np.repeat(self.starts[ways] - starts[:-1], sizes), starts)

    def reorder(self, rows: Ints, starts: Ints) -> "Paths":
        """Return other rows, cut at ``starts``."""
        return Paths(self.refs[rows], self.x[rows], self.y[rows], self.here[rows], starts)

    @property
    def way(self) -> Ints:
        """The way of each row."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @property
    def lonlat(self) -> npt.NDArray[np.float64]:
        """Longitude and latitude of each row, NaN where the node is not in the file."""
        return np.where(self.here[:, None], np.column_stack([self.x, self.y]) / UNIT, np.nan)


def lines_of(paths: Paths) -> Shapes:
    """Return each way as a line over the nodes that are there; None where fewer than two are."""
    way, lonlat = paths.way[paths.here], paths.lonlat[paths.here]
    lines = np.full(len(paths.starts) - 1, None, dtype=object)
    enough = np.bincount(way, minlength=len(lines)) > 1
    used = enough[way]
    if used.any():
        number = np.cumsum(enough) - 1
        lines[enough] = shapely.linestrings(lonlat[used], indices=number[way[used]])
    return lines


def closed(paths: Paths) -> tuple[Bools, Bools]:
    """Tell which ways end at the node they begin at, and which end at the place they begin at."""
    some = np.diff(paths.starts) > 0
    first, last = paths.starts[:-1][some], paths.starts[1:][some] - 1
    same_node, same_place = np.zeros((2, len(some)), dtype=bool)
    same_node[some] = paths.refs[first] == paths.refs[last]
    same_place[some] = (
        (paths.x[first] == paths.x[last])
        & (paths.y[first] == paths.y[last])
        & paths.here[first]
        & paths.here[last]
    )
    return same_node, same_place


def simple_rings(paths: Paths) -> tuple[Bools, Paths]:
    """Tell which ways are one simple ring, all of it there, and return those rings as libosmium draws them.

    That is: from the westernmost node (the southernmost of several), counter-clockwise.
    """
    way, sizes = paths.way, np.diff(paths.starts)
    simple = closed(paths)[1] & (sizes >= RING) & (np.bincount(way, ~paths.here, minlength=len(sizes)) == 0)
    stays = (np.diff(paths.x) == 0) & (np.diff(paths.y) == 0) & (way[1:] == way[:-1])
    simple[way[1:][stays]] = False
    rings = paths.take(np.flatnonzero(simple))
    # In whole numbers, so that what lies on a line to the digit is seen to lie on it.
    outlines = _outlines(rings, np.column_stack([rings.x, rings.y]))
    valid = shapely.is_valid(shapely.polygons(outlines))
    simple[simple] = valid
    return simple, _as_drawn(rings.take(np.flatnonzero(valid)), shapely.is_ccw(outlines[valid]))


def polygons_of(rings: Paths) -> Shapes:
    """Return simple rings as polygons in longitude and latitude."""
    return np.asarray(shapely.polygons(_outlines(rings, rings.lonlat)), dtype=object)


def _outlines(rings: Paths, xy: npt.NDArray[Any]) -> Shapes:
    if not len(xy):
        return np.empty(0, dtype=object)
    return np.asarray(shapely.linearrings(xy.astype(np.float64), indices=rings.way), dtype=object)


def _as_drawn(rings: Paths, is_ccw: Bools) -> Paths:
    """Turn each ring to begin where libosmium begins, and to run counter-clockwise."""
    if not len(rings.refs):
        return rings
    first, sizes = rings.starts[:-1], np.diff(rings.starts)
    begin = np.lexsort((rings.y, rings.x, rings.way))[first] - first
    place = np.arange(len(rings.refs)) - np.repeat(first, sizes)
    turned = np.repeat(begin, sizes) + place * np.repeat(np.where(is_ccw, 1, -1), sizes)
    return rings.reorder(np.repeat(first, sizes) + turned % np.repeat(sizes - 1, sizes), rings.starts)
