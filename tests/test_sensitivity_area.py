"""Sensitivity of an area: the walks it finds by itself are those that tables would bring."""

import numpy as np
import pandas as pd
import pytest

import gisapp as ga
from gisapp.assess import KEEP_BEYOND, WIDEST_ENVIRONMENT_MIN
from gisapp.network.routing import route_area
from gisapp.network.times import minutes_of


@pytest.fixture(scope="module")
def town() -> ga.Assessment:
    """The sample's two smallest quarters, scored."""
    area = ga.load_sample()
    small = area.residents["zone_id"].isin(["Ravin de Sainte-Dévote", "Les Monegetti"])
    return ga.assess(area.with_(residents=area.residents[small]))


def test_an_area_and_its_tables_are_equally_sensitive(town: ga.Assessment) -> None:
    """Draws on an area equal draws on the tables of its own walking times, to 35 and 11 minutes."""
    area = town.area
    assert area is not None
    routing = route_area(area, town.params)
    homes, places = area.residents.index, area.places.index
    limit = routing.limit_mm(town.params.horizon_min * KEEP_BEYOND)
    found = routing.walks(np.arange(len(places)), limit=limit)
    minutes = minutes_of(found.mm, routing.network.speed_ms)
    times = pd.DataFrame({"home_id": homes[found.home], "place_id": places[found.place], "minutes": minutes})
    blocks = [
        pd.DataFrame(dict(zip("ftm", b, strict=True)))
        for b in routing.home_pairs(limit=routing.limit_mm(WIDEST_ENVIRONMENT_MIN))
    ]
    near = pd.concat(blocks)
    near = pd.DataFrame(
        {"from_id": homes[near["f"]], "to_id": homes[near["t"]], "minutes": near["m"].to_numpy()}
    )
    tables = ga.assess_tables(
        area.residents.drop(columns="geometry"),
        area.places.drop(columns="geometry"),
        times,
        near,
        town.params,
    )
    of_area, of_tables = (ga.sensitivity(a, draws=6, seed=3) for a in (town, tables))
    pd.testing.assert_frame_equal(of_area.city, of_tables.city, rtol=1e-9)
    pd.testing.assert_frame_equal(of_area.places, of_tables.places, rtol=1e-9)


def test_the_same_seed_gives_the_same_intervals(town: ga.Assessment) -> None:
    """A seed decides the draws, another seed draws others, and medians lie between the 5th and 95th percentile."""
    first, again, other = (ga.sensitivity(town, draws=6, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.city, again.city)
    assert not first.city.equals(other.city)
    known = first.city.dropna()
    assert (known["p05"] <= known["p50"] + 1e-12).all()
    assert (known["p50"] <= known["p95"] + 1e-12).all()
    assert np.isfinite(known["p50"]).all()
