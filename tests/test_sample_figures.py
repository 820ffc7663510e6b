"""The sample's walks and figures, against networkx and plain loops on the files in data/."""

import numpy as np
import pytest
from plain_sample import PlainSample

from gisapp.assess_area import assess
from gisapp.assessment import Assessment
from gisapp.resources import bundled_dir
from gisapp.sources.sample import load_sample

DIMENSIONS = ("age", "residence")


@pytest.fixture(scope="module")
def plain() -> PlainSample:
    """The sample walked with networkx."""
    return PlainSample(bundled_dir("data") / "monaco", bundled_dir("layers"))


@pytest.fixture(scope="module")
def result() -> Assessment:
    """The sample as the product scores it."""
    return assess(load_sample())


def test_every_walk_of_the_sample_is_exact(plain: PlainSample, result: Assessment) -> None:
    """All homes times all places: the same pairs, and the same whole millimetres as networkx finds."""
    times = result.travel_times
    mm = np.round(times["minutes"].to_numpy() * 75_000).astype(int)
    assert np.allclose(times["minutes"], mm / 75_000, rtol=1e-12, atol=0)
    found = dict(zip(zip(times["home_id"], times["place_id"], strict=True), mm.tolist(), strict=True))
    assert len(found) > 250_000
    assert found == plain.mm


def test_access_of_the_sample(plain: PlainSample, result: Assessment) -> None:
    """Overall access of every home, and its mean in every group."""
    access = plain.access()
    assert result.homes["access"].to_dict() == pytest.approx(access, abs=1e-9)
    for row in result.equity.itertuples():
        n = plain.homes[f"{row.dimension}:{row.group}"]
        mean = sum(n[h] * access[h] for h in n.index) / n.sum()
        assert row.access_mean == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_mixing_of_the_sample(plain: PlainSample, result: Assessment, dimension: str) -> None:
    """Mix, likeness to the town and visitors of every place, Q of every kind, and the headline."""
    places, q, headline = plain.mixing(dimension)
    assert len(places) > 200
    table = result.places
    groups = [c for c in table if c.startswith(f"visitors:{dimension}:")]
    for place, (m, f, visitors) in places.items():
        row = table.loc[place]
        assert row[f"mix:{dimension}"] == pytest.approx(m, abs=1e-9)
        assert row[f"representativeness:{dimension}"] == pytest.approx(f, abs=1e-9)
        assert row[groups].sum() == pytest.approx(visitors, rel=1e-9)
    assert table.loc[~table.index.isin(places), f"mix:{dimension}"].isna().all()
    city = result.city[result.city["dimension"] == dimension].set_index("kind")
    assert city["q"].drop("all").to_dict() == pytest.approx(q, abs=1e-9)
    assert city.at["all", "q"] == pytest.approx(sum(q.values()) / len(q), abs=1e-9)
    assert city.at["all", "mixed_place_10min"] == pytest.approx(headline, abs=1e-9)
