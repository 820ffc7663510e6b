"""What is taken over from an earlier assessment changes no bit of the next one, and is really taken over."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gisapp as ga
from gisapp.area import Streets, StudyArea
from gisapp.reuse import Kept

TABLES = ("homes", "places", "city", "exposure", "equity", "inequality", "travel_times")


@pytest.fixture(scope="module")
def area() -> StudyArea:
    """The sample with every ninth home."""
    sample = ga.load_sample()
    return sample.with_(residents=sample.residents.iloc[::9])


@pytest.fixture(scope="module")
def before(area: StudyArea) -> ga.Assessment:
    """The baseline."""
    return ga.assess(area)


def same(one: ga.Assessment, other: ga.Assessment) -> None:
    """Fail unless all tables, parameters and findings are equal to the bit."""
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert one.params == other.params
    assert one.quality == other.quality


def add(area: StudyArea, kind: str, shape: shapely.Geometry, name: str = "new/1") -> StudyArea:
    """Add a place at the end of the table."""
    places = area.places
    row = dict.fromkeys(places.columns) | {"kind": kind, "geometry": shape}
    new = gpd.GeoDataFrame([row], index=pd.Index([name], name=places.index.name), crs=places.crs)
    for column in places.columns.drop("geometry"):
        new[column] = True if places[column].dtype == bool else new[column].astype(places[column].dtype)
    return area.with_(places=pd.concat([places, new]))


def kept(result: ga.Assessment) -> Kept:
    """Return what an assessment keeps."""
    assert result.inputs is not None
    assert isinstance(result.inputs.kept, Kept)
    return result.inputs.kept


def taken_over(before: ga.Assessment, after: ga.Assessment) -> set[str]:
    """Return the kinds whose scores are the earlier objects, not equal ones computed again."""
    pairs = zip(kept(before).settings.kinds, kept(before).kinds, kept(after).kinds, strict=True)
    return {name for name, old, new in pairs if new.reach is old.reach}


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["close", "add", "add area", "move", "capacity", "attractiveness", "open_to", "kind", "order"]),
        st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def edited(area: StudyArea, edits: list[tuple[str, int, float, float]]) -> StudyArea:
    """Apply edits of all sorts to the places."""
    left, bottom, right, top = area.residents.total_bounds
    for number, (what, row, along, up) in enumerate(edits):
        at = shapely.Point(left + along * (right - left), bottom + up * (top - bottom))
        places = area.places.copy()
        name = places.index[row % len(places)]
        if what == "close":
            places = places.drop(index=name)
        elif what == "move":
            places.loc[[name], "geometry"] = [at]
        elif what in ("capacity", "attractiveness"):
            places[what] = places.get(what, pd.Series(np.nan, index=places.index)).astype(float)
            places.loc[name, what] = 1 + 9 * along
        elif what == "open_to":
            places.loc[name, "open_to"] = "members"
        elif what == "kind":
            places.loc[name, "kind"] = places["kind"].iloc[(row // 7) % len(places)]
        elif what == "order":
            places = places.iloc[::-1]
        else:
            kind = places["kind"].iloc[row % len(places)]
            shape = at.buffer(40) if what == "add area" else at
            area = add(area, kind, shape, f"new/{number}-{row}")
            continue
        area = area.with_(places=places)
    return area


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=EDITS)
def test_any_edits_of_places_give_what_a_fresh_run_gives(
    area: StudyArea, before: ga.Assessment, edits: list[tuple[str, int, float, float]]
) -> None:
    """Added, closed, moved and changed places: every number equals a full recompute, there and back again."""
    changed = edited(area, edits)
    after = ga.assess(changed, before.params, since=before)
    same(after, ga.assess(changed, before.params))
    same(ga.assess(area, before.params, since=after), ga.assess(area, before.params))


def test_one_place_touches_one_kind(area: StudyArea, before: ga.Assessment) -> None:
    """A new playground leaves the scores of every other kind the very objects they were."""
    place = area.places.index[area.places["kind"] == "cafes"][0]
    centre = area.residents.geometry.iloc[100]
    kinds = set(before.params.kinds)
    assert taken_over(before, ga.assess(area, before.params, since=before)) == kinds
    added = ga.assess(add(area, "playgrounds", centre), before.params, since=before)
    assert taken_over(before, added) == kinds - {"playgrounds"}
    assert not added.homes["access:playgrounds"].equals(before.homes["access:playgrounds"])
    closed = ga.assess(area.with_(places=area.places.drop(index=place)), before.params, since=before)
    assert taken_over(before, closed) == kinds - {"cafes"}


def test_a_fence_moves_the_ways_in(area: StudyArea, before: ga.Assessment) -> None:
    """A park that is fenced, or becomes a school, is entered elsewhere: tags and kind count as much as shape."""
    size = area.places.geometry.area.where(area.places["kind"] == "parks", 0.0)
    park = size.idxmax()
    for column, value in (("tags", '{"leisure": "park", "barrier": "fence"}'), ("kind", "schools")):
        places = area.places.copy()
        places.loc[park, column] = value
        changed = area.with_(places=places)
        after = ga.assess(changed, before.params, since=before)
        same(after, ga.assess(changed, before.params))
        entries = [kept(each).routing.entries for each in (before, after)]
        row = area.places.index.get_loc(park)
        assert (entries[0].place == row).sum() != (entries[1].place == row).sum()


def test_weights_of_kinds_and_norms_compute_no_kind_again(area: StudyArea, before: ga.Assessment) -> None:
    """Moving a weight or a norm takes all kinds over, and gives what a fresh run gives."""
    params = before.params.with_(
        kind_weights={**dict(before.params.kind_weights), "parks": 3.0}, norm_min={"parks": 4.0}
    )
    after = ga.assess(area, params, since=before)
    assert taken_over(before, after) == set(before.params.kinds)
    same(after, ga.assess(area, params))


@pytest.mark.parametrize(
    "change", [{"speed_kmh": 3.0}, {"profile": "wheelchair"}, {"choice_set": 2}, {"half_time_min": 4.0},
               {"environment_min": 3.0}, {"horizon_min": 12.0}, {"reference": ()}, {"mixed_at": (0.5, 0.5, 10.0)}]
)  # fmt: skip
def test_other_assumptions_are_computed_afresh(
    area: StudyArea, before: ga.Assessment, change: dict[str, object]
) -> None:
    """Whatever parameter moves, nothing that depends on it is taken over."""
    params = before.params.with_(**change)
    same(ga.assess(area, params, since=before), ga.assess(area, params))


def test_other_streets_residents_and_gates_are_walked_afresh(area: StudyArea, before: ga.Assessment) -> None:
    """A street less, a new link, fewer homes or no gates: nothing of the earlier walks stays."""
    edges = area.streets.edges
    a, b = area.streets.nodes.index[[10, 900]]
    line = shapely.LineString(area.streets.nodes.geometry.loc[[a, b]].tolist())
    link = (
        edges.iloc[[0]]
        .assign(u=a, v=b, key=0, length_m=line.length, wait_s=0.0, tunnel=False)
        .set_geometry([line])
    )
    longer = gpd.GeoDataFrame(pd.concat([edges, link.set_crs(edges.crs)], ignore_index=True), crs=edges.crs)
    for changed in (
        area.with_(streets=Streets(area.streets.nodes, edges.iloc[50:].reset_index(drop=True))),
        area.with_(streets=Streets(area.streets.nodes, longer)),
        area.with_(residents=area.residents.iloc[:-3]),
        area.with_(entrances=area.entrances.iloc[:0]),
    ):
        after = ga.assess(changed, before.params, since=before)
        same(after, ga.assess(changed, before.params))
        assert not after.homes.equals(before.homes)
