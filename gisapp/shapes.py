"""Shapes as they come from a map, made fit to compute with: broken ones mended, long ones cut."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Shapes = npt.NDArray[np.object_]

# Overlays on a micrometre grid: on bare floats, GEOS can lose or double a piece where edges all but coincide.
GRID_M = 1e-6


def mend(shapes: Shapes) -> tuple[Shapes, npt.NDArray[np.bool_]]:
    """Return valid, flat shapes (None where there is nothing to save) and which ones had to be mended.

    >>> bow_tie = shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))")
    >>> shapes, mended = mend(np.array([bow_tie], dtype=object))
    >>> shapes[0].area, mended.tolist()
    (2.0, [True])
    """
    shapes = shapely.force_2d(shapes)
    sound = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    shapes[~sound] = None
    broken = sound & ~shapely.is_valid(shapes)
    for n in np.flatnonzero(broken):
        shapes[n] = largest_dimension(shapely.make_valid(shapes[n]))
    return shapes, broken


def largest_dimension(shape: Any) -> Any:
    """Keep the areas of a collection, else its lines, else its points."""
    pieces = shapely.get_parts(shapely.get_parts(shape))
    if len(pieces) < 2:
        return pieces[0] if len(pieces) else shape
    dimension = shapely.get_dimensions(pieces)
    return shapely.union_all(pieces[dimension == dimension.max()], grid_size=GRID_M)


def cut_long(shape: Any, length_m: float) -> Iterator[Any]:
    """Yield the area in equal slices across its long axis, west to east, none longer than ``length_m``.

    Length is that of the minimum rotated rectangle. A slice that is still too long is cut again.

    >>> [round(part.area) for part in cut_long(shapely.box(0, 0, 900, 10), 400)]
    [3000, 3000, 3000]
    """
    bounds = shape.bounds
    if math.hypot(bounds[2] - bounds[0], bounds[3] - bounds[1]) <= length_m:
        yield shape
        return
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))
    sides = np.diff(corners[:3], axis=0)
    lengths = np.hypot(*sides.T)
    long, short = sides if lengths[0] >= lengths[1] else sides[::-1]
    if lengths.max() <= length_m * (1 + 1e-9):
        yield shape
        return
    origin = corners[0]
    if (round(long[0], 6), long[1]) < (0, 0):
        origin, long = origin + long, -long
    count = math.ceil(lengths.max() / length_m - 1e-9)
    for n in range(count):
        # A hundredth to spare outside, so that rounding leaves nothing of the shape behind.
        begin = n / count if n else -0.01
        end = (n + 1) / count if n < count - 1 else 1.01
        strip = [
            origin + long * s + short * t
            for s, t in ((begin, -0.01), (end, -0.01), (end, 1.01), (begin, 1.01))
        ]
        slice_ = largest_dimension(shapely.intersection(shape, shapely.Polygon(strip), grid_size=GRID_M))
        if slice_.area > 0:
            yield from cut_long(slice_, length_m)
