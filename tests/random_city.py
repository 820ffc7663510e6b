"""Small random towns with all the awkward features that tables may have, for property tests."""
# ruff: noqa: PD008 (single cells are what is read)

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from gisapp.assess import assess_tables
from gisapp.assessment import Assessment
from gisapp.params import Params


@dataclass(frozen=True)
class City:
    """The tables of a town and the parameters to score it with."""

    residents: pd.DataFrame
    places: pd.DataFrame
    travel_times: pd.DataFrame
    home_times: pd.DataFrame | None = None
    params: Params = field(default_factory=Params)

    def assess(self, **changes: Any) -> Assessment:
        """Score the town, with some parameters changed."""
        params = self.params.with_(**changes) if changes else self.params
        return assess_tables(self.residents, self.places, self.travel_times, self.home_times, params)

    def with_(self, **changes: Any) -> "City":
        """Return a copy with some tables replaced."""
        return replace(self, **changes)


def random_city(
    seed: int,
    *,
    buffer: bool = True,
    evidence: bool = True,
    sizes: tuple[int, int] = (9, 12),
    plain: bool = False,
) -> City:
    """Build a town from a seed. ``buffer``: some homes and places outside the core; ``evidence``:
    attractiveness by group; ``plain``: nothing but counts, kinds and times.
    """
    rng = np.random.default_rng(seed)
    n, j = int(rng.integers(1, sizes[0] + 1)), int(rng.integers(0, sizes[1] + 1))
    homes, places = [f"h{i}" for i in range(n)], [f"p{i}" for i in range(j)]
    dimensions = {
        "origin": ["a", "b", "c"][: rng.integers(1, 4)],
        "age": ["young", "old"][: rng.integers(1, 3)],
    }
    columns = [f"{d}:{g}" for d, groups in dimensions.items() for g in groups]
    residents = pd.DataFrame(
        {c: rng.integers(0, 120, n) * (rng.random(n) < 0.75) for c in columns}, index=pd.Index(homes)
    ).astype(float)
    kinds = ["cafe", "park", "school", "worship"]
    table = pd.DataFrame(
        {"kind": rng.choice(kinds[: rng.integers(1, 5)], j)}, index=pd.Index(places), dtype=object
    )

    params: dict[str, Any] = {"kinds": kinds[:3] if rng.random() < 0.5 else ()}
    if not plain:
        if rng.random() < 0.3:
            residents[columns[0]] = 0.0  # a group of which nobody lives here
        if rng.random() < 0.4:
            residents["origin:unknown"] = rng.integers(0, 40, n).astype(float)
        if rng.random() < 0.3:
            residents["total"] = residents[columns].sum(axis=1) + rng.integers(0, 50, n)
        if rng.random() < 0.5:
            residents["zone_id"] = rng.choice(["z1", "z2", None], n)
        if buffer and rng.random() < 0.5:
            residents["core"] = rng.random(n) < 0.7
            table["core"] = rng.random(j) < 0.7
        if rng.random() < 0.4:
            table["open_to"] = rng.choice(["all", "customers", "members", "faith"], j, p=[0.6, 0.2, 0.1, 0.1])
        if rng.random() < 0.4:
            table["capacity"] = np.where(rng.random(j) < 0.7, rng.integers(0, 50, j), np.nan)
        if rng.random() < 0.4:
            table["attractiveness"] = rng.choice([0.0, 0.5, 1.0, 2.0, np.nan], j)
        if evidence:
            for column in columns:
                if rng.random() < 0.3:
                    table[f"attractiveness:{column}"] = rng.choice([0.0, 1.0, 3.0, np.nan], j)
        if rng.random() < 0.3 and j:
            whole = table.index[rng.integers(0, j)]
            parts = (table["kind"] == table.at[whole, "kind"]) & (rng.random(j) < 0.6)
            table["part_of"] = np.where(parts, "river park", None)
        params |= {
            "users": {"school": ("age:young",)} if rng.random() < 0.4 else (),
            "access_only": ("park",) if rng.random() < 0.2 else (),
            "enough": {"cafe": 1} if rng.random() < 0.3 else (),
            "kind_weights": {"cafe": 3.0, "park": 0.5} if rng.random() < 0.4 else (),
            "norm_min": {"cafe": 6} if rng.random() < 0.4 else (),
            "choice_set": [1, 2, 5, None][rng.integers(0, 4)],
            "mixed_at": (0.8, 0.7, float(rng.choice([0.0, 10.0, 50.0]))),
        }
    # whole minutes make ties; some lie beyond the horizon
    reach = [(h, p, float(rng.integers(0, 36))) for h in homes for p in places if rng.random() < 0.75]
    times = pd.DataFrame(reach, columns=["home_id", "place_id", "minutes"]).astype({"minutes": float})
    if len(times) and not plain and rng.random() < 0.3:
        again = times.sample(frac=0.3, random_state=seed % 2**31)
        times = pd.concat([times, again.assign(minutes=again["minutes"] + 1)], ignore_index=True)
    near = None
    if rng.random() < 0.7:
        walk = [(a, b, float(rng.integers(0, 12))) for x, a in enumerate(homes) for b in homes[x:]]
        both = walk + [(b, a, t) for a, b, t in walk]
        near = pd.DataFrame(both, columns=["from_id", "to_id", "minutes"])
    return City(residents, table, times, near, Params(**params))


def cities(**options: Any) -> st.SearchStrategy[City]:
    """Random towns, as a Hypothesis strategy."""
    return st.integers(0, 2**32 - 1).map(lambda seed: random_city(seed, **options))
