"""Counts held back by their publisher: what the totals tell is filled in and said, the rest stays unknown."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import CRS

from gisapp.sources.counts import Counted, read_counts
from gisapp.sources.impute import Floats, fill_held_back, fill_table, read_held_back

UTM = CRS("EPSG:32631")
NEAR = (3.0, 51.0, 3.02, 51.02)
NAN = float("nan")


def filled(
    counts: list[list[float]], total: list[float], most: list[list[float]] | None = None
) -> list[list[float]]:
    """Fill in, as lists."""
    limits = None if most is None else np.array(most)
    return fill_held_back(np.array(counts), np.array(total), limits).tolist()


def test_worked_by_hand() -> None:
    """Shares of the full row are 3/6, 2/6 and 1/6: 30 people of the two last groups are 20 and 10, of all three 15,
    10 and 5; where more is known than the total, and where nothing lacks, the rest is nobody.
    """
    rows = [[30, 20, 10], [70, NAN, NAN], [NAN, NAN, NAN], [12, NAN, 0], [5, 5, NAN]]
    assert filled(rows, [60, 100, 30, 10, 10]) == [
        [30, 20, 10],
        [70, 20, 10],
        [15, 10, 5],
        [12, 0, 0],
        [5, 5, 0],
    ]


def test_no_count_exceeds_what_its_mark_allows() -> None:
    """ "<5" is at most 4: the other takes the rest, and where both are, what is left is of unknown group."""
    inf = float("inf")
    rows = [[50, 25, 25], [80, NAN, NAN], [80, NAN, NAN]]
    found = filled(rows, [100, 100, 100], [[inf] * 3, [inf, 4, inf], [inf, 4, 4]])
    assert found == [[50, 25, 25], [80, 4, 16], [80, 4, 4]]


def test_unknown_stays_unknown() -> None:
    """Without a total, and for a group that nobody counted anywhere, nothing is inferred."""
    found = filled([[30, 20, NAN], [10, NAN, NAN], [NAN, 5, NAN]], [60, NAN, 20])
    assert np.array_equal(found, [[30, 20, NAN], [10, NAN, NAN], [NAN, 5, NAN]], equal_nan=True)


def test_groups_that_do_not_make_up_the_people_tell_nothing() -> None:
    """Of children and the old alone, what lacks of the total is mostly those between: nobody is made old."""
    counts = {"age:child": np.array([20.0, 10.0]), "age:old": np.array([20.0, NAN])}
    most = {column: np.full(2, np.inf) for column in counts}
    found = fill_table(counts, np.array([100.0, 50.0]), most)
    assert np.isnan(found.counts["age:old"][1])
    assert found.findings == []


def test_the_town_is_not_the_whole_table() -> None:
    """Shares are those of the rows in the town, not of a region around it."""
    counts, total = np.array([[90.0, 10.0], [10.0, 90.0], [NAN, NAN]]), np.array([100.0, 100.0, 50.0])
    town = np.array([True, False, True])
    assert fill_held_back(counts, total, town=town)[2].tolist() == [45, 5]


@given(
    counts=hnp.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.integers(0, 400)),
    more=st.lists(st.integers(0, 30), min_size=6, max_size=6),
    data=st.data(),
)
@settings(max_examples=300, deadline=None)
def test_totals_are_conserved_and_known_counts_stay(
    counts: Floats, more: list[int], data: st.DataObject
) -> None:
    """What is filled in is 0 or more, within its limit, and never more than lacks; without limits it is all that
    lacks, group by group of the row, or nothing; other rows and known counts stay as they are.
    """
    hidden = data.draw(hnp.arrays(bool, counts.shape))
    limits = data.draw(hnp.arrays(float, counts.shape, elements=st.sampled_from([4.0, 9.0, np.inf])))
    total = counts.sum(axis=1) + np.array(more[: len(counts)])
    given_counts = np.where(hidden, np.nan, counts)
    before = given_counts.copy()
    for most in (None, limits):
        found = fill_held_back(given_counts, total, most)
        assert np.array_equal(given_counts, before, equal_nan=True)
        assert np.array_equal(found[~hidden], counts[~hidden])
        done = hidden & ~np.isnan(found)
        assert (found[done] >= 0).all()
        assert (np.nansum(found, axis=1) <= total + 1e-6).all()
        for row in range(len(counts)):
            assert done[row].any() == done[row][hidden[row]].all() or not hidden[row].any()
            if done[row].any() and most is None:
                assert found[row].sum() == pytest.approx(total[row])
        if most is not None:
            assert (found[done] <= most[done]).all()


def test_marks_of_publishers() -> None:
    """What is no count by its spelling, and what is one."""
    texts = pd.Series(["-", "x", "X", "<5", "< 10", "≤3", ":", "-9999", "12", "0", "", "few", "-3"])
    values, most = read_held_back(texts)
    assert values.tolist() == [None] * 8 + ["12", "0", "", "few", "-3"]
    assert most[[3, 4, 5]].tolist() == [4, 9, 3]
    numbers, most = read_held_back(pd.Series([5.0, -9999.0, 0.0, -3.0]))
    assert np.array_equal(numbers, [5, NAN, 0, -3], equal_nan=True)
    assert np.isinf(most).all()


def read(path: Path, **columns: list[object]) -> Counted:
    """Read three zones with these counts."""
    shapes = [shapely.box(500_000 + 200 * n, 5_650_000, 500_200 + 200 * n, 5_650_200) for n in range(3)]
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=UTM).to_crs(4326)
    table = pd.DataFrame(frame.drop(columns="geometry")).assign(wkt=frame.to_wkt()["geometry"])
    table.to_csv(path, index=False)
    groups = {"total": ["T"], "origin": ["A", "B", "C"]} if "T" in columns else {"origin": ["A", "B", "C"]}
    return read_counts(path, UTM, near=NEAR, groups=groups)


def test_a_table_with_marks(tmp_path: Path) -> None:
    """60 people of 100 are A; of the 16 others of the second zone the town has 3 B to 1 C; the third has no total."""
    found = read(
        tmp_path / "zones.csv",
        T=["100", "56", "x"],
        A=["60", "40", "10"],
        B=["30", "x", "-"],
        C=["10", "-", "<5"],
    )
    assert found.zones["origin:B"].tolist() == [30, 12, 0]
    assert found.zones["origin:C"].tolist() == [10, 4, 0]
    assert found.zones["total"].tolist() == [100, 56, 10]
    said = {f.code: f for f in found.findings}
    assert (said["residents_imputed:origin"].count, said["residents_imputed:origin"].total) == (2, 9)
    assert said["residents_imputed_people:origin"].count == 16
    assert said["residents_blank"].count == 3
    assert "not the same as nobody" in said["residents_blank"].sentence
