"""What lies under the map: land where the coastline says so, whatever of it the extract holds."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisapp.background import land_polygons

FRAME = shapely.box(0, 0, 4000, 4000)


def land(*coast: list[tuple[float, float]]) -> shapely.Geometry:
    """The land of a coast that is drawn with the land on its left."""
    return shapely.union_all(
        land_polygons(np.array([shapely.LineString(line) for line in coast], dtype=object), FRAME)
    )


def holds(shape: shapely.Geometry, *points: tuple[float, float]) -> list[bool]:
    """Which points are land."""
    return [bool(shape.contains(shapely.Point(p))) for p in points]


def test_without_a_coast_all_is_land() -> None:
    """A town inland."""
    assert land_polygons(np.array([], dtype=object), FRAME)[0].equals(FRAME)


def test_land_is_on_the_left_of_the_coast() -> None:
    """A coast drawn northwards has land in the west; drawn southwards, in the east."""
    line = [(1000.0, -50.0), (1000.0, 4050.0)]
    assert land(line).area == pytest.approx(1000 * 4000)
    assert land(line[::-1]).area == pytest.approx(3000 * 4000)


def test_islands_and_enclosed_harbours() -> None:
    """An island off the coast is land, a dock cut into it is water, whatever pieces the coast comes in."""
    island = [(3000.0, 3000.0), (3500.0, 3000.0), (3500.0, 3500.0), (3000.0, 3500.0), (3000.0, 3000.0)]
    coast = [[(1000.0, -50.0), (1000.0, 1000.0)], [(1000.0, 1000.0), (500.0, 1000.0), (500.0, 1500.0)],
             [(500.0, 1500.0), (1000.0, 1500.0), (1000.0, 4050.0)]]  # fmt: skip
    shape = land(island, *coast)
    assert holds(shape, (3200, 3200), (700, 1200), (200, 1200), (2000, 2000)) == [True, False, True, False]


def test_a_lagoon_inside_an_island_is_water() -> None:
    """A ring drawn clockwise has its land outside."""
    island = [(1000.0, 1000.0), (3000.0, 1000.0), (3000.0, 3000.0), (1000.0, 3000.0), (1000.0, 1000.0)]
    lagoon = [(1500.0, 1500.0), (1500.0, 2500.0), (2500.0, 2500.0), (2500.0, 1500.0), (1500.0, 1500.0)]
    assert holds(land(island, lagoon), (1200, 1200), (2000, 2000), (100, 100)) == [True, False, False]


def test_a_coast_that_a_clipped_extract_breaks_off_goes_on() -> None:
    """A long coast that ends inside the frame is carried on to it, the way it was going."""
    shape = land([(1000.0, 800.0), (1000.0, 3200.0)])
    assert holds(shape, (500, 100), (500, 3900), (2000, 100), (2000, 3900)) == [True, True, False, False]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(500, 3500), min_size=2, max_size=8),
    st.integers(0, 10_000),
    st.randoms(use_true_random=False),
)
def test_pieces_order_and_place_of_the_coast_change_nothing(
    xs: list[int], shift: int, random: object
) -> None:
    """A winding coast cut into ways and shuffled, anywhere on the map: the same land, west of it."""
    ys = np.linspace(-100, 4100, len(xs))
    line = list(zip(map(float, xs), ys.tolist(), strict=True))
    pieces = [list(pair) for pair in zip(line[:-1], line[1:], strict=True)]
    random.shuffle(pieces)
    west = shapely.Polygon([(-1000, -100), *line, (-1000, 4100)]).intersection(FRAME)
    assert land(*pieces).symmetric_difference(west).area < 1
    moved = np.array([shapely.LineString(np.array(p) + shift) for p in pieces], dtype=object)
    faces = land_polygons(moved, shapely.transform(FRAME, lambda xy: xy + shift))
    assert sum(face.area for face in faces) == pytest.approx(west.area, abs=1)
