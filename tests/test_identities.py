"""What must hold in every town, whatever the numbers: the identities of the score's definition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from random_city import City, cities

from gisapp.assessment import Assessment
from gisapp.encode import environments
from gisapp.scores import segregation as own
from gisapp.scores.mixing import describe_town
from gisapp.scores.run import gather, score_kinds
from gisapp.scores.settings import settle

# building a town takes a while on a busy machine
few = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def counts_of(city: City) -> list[str]:
    """The count columns of a town, unknown groups and the total included."""
    return [c for c in city.residents if ":" in c or c == "total"]


def known(city: City) -> dict[str, list[str]]:
    """The columns of known groups by dimension."""
    out: dict[str, list[str]] = {}
    for c in city.residents:
        if ":" in c and not c.endswith(":unknown"):
            out.setdefault(c.split(":")[0], []).append(c)
    return out


def without(table: pd.DataFrame, *parts: str) -> pd.DataFrame:
    """A table without the columns whose name holds one of these."""
    return table.drop(columns=[c for c in table if any(part in c for part in parts)])


def same(one: Assessment, other: Assessment, *leave_out: str) -> None:
    """Every table is equal to 1e-9."""
    for name in ("homes", "places", "city", "exposure", "equity", "inequality"):
        assert_frame_equal(
            without(getattr(one, name), *leave_out), without(getattr(other, name), *leave_out), **CLOSE
        )


@few
@given(city=cities(), factor=st.sampled_from([0.5, 3.0]))
def test_multiplying_all_counts_changes_no_share(city: City, factor: float) -> None:
    """Identity 1: mix, bridging, islands, Q and the day's islands do not depend on the size of the town."""
    residents = city.residents.copy()
    residents[counts_of(city)] *= factor
    one, other = city.assess(), city.with_(residents=residents).assess()
    scaled = ("visitors", "reach", "crowding", "room:", "mixed", "floor")
    same(one, other, *scaled)


@few
@given(city=cities(), seed=st.integers(0, 1000))
def test_order_of_rows_and_groups_never_matters(city: City, seed: int) -> None:
    """Identity 2: permuted homes, places, times and groups give permuted results."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(city.residents.columns)
    shuffled = city.with_(
        residents=city.residents.iloc[rng.permutation(len(city.residents))][list(groups)],
        places=city.places.iloc[rng.permutation(len(city.places))],
        travel_times=city.travel_times.iloc[rng.permutation(len(city.travel_times))],
    )
    one, other = city.assess(), shuffled.assess()
    homes, places = other.homes.loc[one.homes.index, one.homes.columns], other.places.loc[one.places.index]
    assert_frame_equal(one.homes, homes, **CLOSE)
    assert_frame_equal(one.places, places[one.places.columns], **CLOSE)
    for name, keys in (("city", ["dimension", "kind"]), ("exposure", ["dimension", "kind", "group", "met_group"]),
                       ("equity", ["dimension", "group"])):  # fmt: skip
        first, second = getattr(one, name).set_index(keys), getattr(other, name).set_index(keys)
        assert_frame_equal(first, second.loc[first.index], **CLOSE)


@few
@given(city=cities())
def test_the_same_tables_give_the_same_bits(city: City) -> None:
    """Identity 15's ground: reordered times and a frozen second run change not a bit, and no argument changes."""
    before = [t.copy() for t in (city.residents, city.places, city.travel_times)]
    one = city.assess()
    again = city.with_(
        travel_times=city.travel_times.sample(frac=1, random_state=1), params=one.params
    ).assess()
    for name in ("homes", "places", "city", "exposure", "equity", "inequality"):
        assert_frame_equal(getattr(one, name), getattr(again, name), check_exact=True)
    assert again.params == one.params
    for old, new in zip(before, (city.residents, city.places, city.travel_times), strict=True):
        assert_frame_equal(old, new, check_exact=True)


@few
@given(city=cities())
def test_a_home_split_into_clones_changes_nothing(city: City) -> None:
    """Identity 3: two half homes at one door are one home."""
    first = city.residents.index[0]
    residents = city.residents.copy()
    # zones are given here, as a home without one is a zone of its own
    residents["zone_id"] = [f"zone of {h}" for h in residents.index]
    residents[counts_of(city)] = residents[counts_of(city)].astype(float)
    whole = city.with_(residents=residents)
    halves = residents.copy()
    halves.loc[first, counts_of(city)] /= 2
    halves.loc["clone"] = halves.loc[first]
    halves = halves.astype(residents.dtypes.to_dict())
    times = city.travel_times
    near = (
        city.home_times
        if city.home_times is not None
        else pd.DataFrame(columns=["from_id", "to_id", "minutes"])
    )
    near = near.astype({"minutes": float})
    as_origin = near[near["from_id"] == first].assign(from_id="clone")
    as_target = near[near["to_id"] == first].assign(to_id="clone")
    door = pd.DataFrame({"from_id": [first, "clone"], "to_id": ["clone", first], "minutes": [0.0, 0.0]})
    split = city.with_(
        residents=halves,
        travel_times=pd.concat(
            [times, times[times["home_id"] == first].assign(home_id="clone")], ignore_index=True
        ),
        home_times=pd.concat([t for t in (near, as_origin, as_target, door) if len(t)], ignore_index=True),
    )
    one, other = whole.assess(), split.assess()
    for name in ("places", "city", "exposure", "equity", "inequality"):
        assert_frame_equal(getattr(one, name), getattr(other, name), **CLOSE)
    assert_frame_equal(one.homes, other.homes.loc[one.homes.index], **CLOSE)


@few
@given(city=cities(evidence=False))
def test_a_group_split_in_proportion(city: City) -> None:
    """Identity 4: H times E stays, and so does the others' exposure to the sum of the halves."""
    columns = known(city)["origin"]
    core = city.residents[city.residents["core"]] if "core" in city.residents else city.residents
    assume(len(columns) > 1 and all(core[c].sum() for c in columns))
    residents = city.residents.drop(columns=columns[0])
    residents["origin:half"] = residents["origin:other_half"] = city.residents[columns[0]] / 2
    one, other = city.assess(), city.with_(residents=residents).assess()

    def h_times_e(result: Assessment) -> pd.Series:
        shares = np.array([v for k, v in result.params.reference if k.startswith("origin:")])
        rows = result.city[result.city["dimension"] == "origin"].set_index("kind")
        return rows["h_units"] * own.entropy(shares)

    pd.testing.assert_series_equal(h_times_e(one), h_times_e(other), **CLOSE)
    keys = ["kind", "group"]
    split = columns[0].split(":")[1]
    for group in [c.split(":")[1] for c in columns[1:]]:
        mine = [
            r.exposure[(r.exposure["dimension"] == "origin") & (r.exposure["group"] == group)]
            for r in (one, other)
        ]
        met = mine[0][mine[0]["met_group"] == split]
        halves = mine[1][mine[1]["met_group"].str.endswith("half")]
        summed = halves.groupby(keys, sort=False)["share"].sum(min_count=2)
        pd.testing.assert_series_equal(met.set_index(keys)["share"], summed, **CLOSE)


@few
@given(city=cities(), minutes=st.lists(st.integers(0, 30), min_size=9, max_size=9))
def test_adding_a_place_lowers_no_access(city: City, minutes: list[int]) -> None:
    """Identity 5: nearest falls or stays; counts, access and participation rise or stay."""
    base = city.assess()
    assume(base.params.kinds and base.homes["participation"].notna().all())
    kind = next((k for k in base.params.kinds if k in set(base.city["kind"])), None)
    assume(kind is not None)
    place = pd.DataFrame({"kind": [kind]}, index=["new"], dtype=object)
    new = pd.DataFrame({"home_id": city.residents.index, "place_id": "new"})
    new["minutes"] = np.array(minutes[: len(new)], dtype=float)
    after = city.with_(
        places=pd.concat([city.places, place])
        .astype({c: t for c, t in city.places.dtypes.items() if c != "core"})
        .fillna({"core": True} if "core" in city.places else {}),
        travel_times=pd.concat([city.travel_times, new], ignore_index=True),
        params=base.params,
    )
    if "core" in after.places:
        after = after.with_(places=after.places.astype({"core": bool}))
    rose = after.assess()
    for column in base.homes:
        old, now = base.homes[column], rose.homes[column]
        if column.startswith(("nearest_min", "third_nearest_min")):
            assert (now.fillna(99) <= old.fillna(99) + 1e-9).all()
        elif column.startswith(("count:", "access", "within_norm", "participation", "gravity:")):
            assert (now >= old - 1e-9).all(), column


@few
@given(city=cities())
def test_an_unreachable_place_changes_nothing(city: City) -> None:
    """Identity 6: a place beyond every walk adds a row and no number elsewhere."""
    base = city.assess()
    assume(len(city.places))
    row = city.places.iloc[[0]].set_axis(["nowhere"])
    for column in ("capacity", "part_of"):
        if column in row:
            row[column] = None
    table = pd.concat([city.places, row.astype(city.places.dtypes.to_dict())])
    after = city.with_(places=table, params=base.params).assess()
    assert_frame_equal(base.homes, after.homes, **CLOSE)
    assert_frame_equal(base.places, after.places.drop(index="nowhere"), **CLOSE)
    assert_frame_equal(base.city, after.city, **CLOSE)


@few
@given(city=cities(), slower=st.sampled_from([1.1, 1.5]))
def test_slower_walkers_reach_less(city: City, slower: float) -> None:
    """Identity 7: no access value rises when every walk takes longer."""
    times = city.travel_times.assign(minutes=city.travel_times["minutes"] * slower)
    fast, slow = city.assess(), city.with_(travel_times=times).assess()
    columns = [c for c in fast.homes if c.startswith(("access", "count:", "gravity:", "within_norm"))]
    assert (slow.homes[columns].fillna(0) <= fast.homes[columns].fillna(0) + 1e-9).all(axis=None)


@few
@given(city=cities())
def test_q_from_places_from_residents_and_as_a_product(city: City) -> None:
    """Identities 8 and 9: Q adds up over residents, is the product of its factors, and lies between 0 and 1."""
    result = city.assess()
    rows = result.city[result.city["q"].notna()]
    assert ((rows["q"] >= -1e-12) & (rows["q"] <= 1 + 1e-9)).all()
    full = rows[rows["islands_places"].notna()]
    product = full["participation"] * full["visit_diversity"] * (1 - full["islands_places"])
    assert np.allclose(full["q"], product, rtol=0, atol=1e-9)
    for dimension, columns in known(city).items():
        whole = rows[(rows["dimension"] == dimension) & (rows["kind"] == "all")]
        if len(whole):
            core = result.homes[f"q:{dimension}"].notna()
            people = city.residents.loc[core, columns].sum(axis=1)
            mean = (result.homes.loc[core, f"q:{dimension}"] * people).sum() / people.sum()
            assert mean == pytest.approx(whole["q"].item(), abs=1e-9)
        parts = result.places[[f"{c}:{dimension}" for c in ("mix", "inherited", "bridging")]].dropna()
        assert np.allclose(parts.iloc[:, 0], parts.iloc[:, 1] + parts.iloc[:, 2])


@few
@given(city=cities())
def test_capacity_is_handed_out_exactly_once(city: City) -> None:
    """Identity 10: people times room is the capacity of the places that have users."""
    city = city.with_(params=city.params.with_(users=()))
    result = city.assess()
    if "total" in city.residents:
        total = city.residents["total"]
    else:
        sums = city.residents[counts_of(city)].T.groupby(lambda c: c.split(":")[0]).sum().T
        total = sums.max(axis=1)
    for column in [c for c in result.homes if c.startswith("room:")]:
        places = result.places[result.places["kind"] == column[5:]]
        used = places[(places["visitors"] > 0) & places["capacity"].notna()]
        assert (result.homes[column] * total).sum() == pytest.approx(used["capacity"].sum(), abs=1e-9)


@few
@given(city=cities())
def test_exposure_is_mutual(city: City) -> None:
    """Identity 11: rows sum to 1, and a group with fewer visits meets the other more than the reverse."""
    city = city.with_(residents=city.residents.drop(columns="core", errors="ignore"))
    result = city.assess()
    for (_dimension, kind), table in result.exposure.groupby(["dimension", "kind"]):
        if kind == "all" or table["share"].isna().all():
            continue
        share = table.pivot_table(index="group", columns="met_group", values="share", dropna=False)
        places = result.places[result.places["kind"] == kind]
        visits = np.array([places[f"visitors:{_dimension}:{g}"].sum() for g in share.index])
        mutual = visits[:, None] * share.fillna(0).to_numpy()
        assert np.allclose(mutual, mutual.T)
        assert np.allclose(share.dropna(how="all").sum(axis=1), 1)


@few
@given(city=cities(evidence=False, plain=True))
def test_group_blind_places_are_no_more_apart_than_homes(city: City) -> None:
    """Identity 12: H, D and R over places never exceed those over home units, weighted by those who go."""
    result = city.assess()
    kinds = set(result.city["kind"]) - {"all"}
    assume(kinds)
    kind = sorted(kinds)[0]
    alone = city.assess(kinds=(kind,))
    for columns in known(city).values():
        goers = city.residents[columns].to_numpy() * alone.homes["participation"].to_numpy()[:, None]
        places = alone.places.loc[alone.places["kind"] == kind, [f"visitors:{c}" for c in columns]].to_numpy()
        goers, places = goers[:, goers.sum(axis=0) > 0], places[:, goers.sum(axis=0) > 0]
        if goers.shape[1] < 2:
            continue
        assert own.units_h(places)[0] <= own.units_h(goers)[0] + 1e-9
        assert own.dissimilarity(places) <= own.dissimilarity(goers) + 1e-9
        assert own.normalised_exposure(places) <= own.normalised_exposure(goers) + 1e-9
        spread = [
            (units.sum(axis=1) * np.nan_to_num(own.diversity(own.composition(units)))).sum()
            for units in (places, goers)
        ]
        assert spread[0] >= spread[1] - 1e-9  # the same visits, so R falls as the diversity within rises


@few
@given(city=cities(buffer=False, evidence=False, plain=True))
def test_sorting_never_raised_q_without_a_buffer(city: City) -> None:
    """Identity 13: preferring one's own never mixes a town more, and who goes does not change."""
    rows = city.assess().city.dropna(subset=["q"])
    assert (rows["q_sorted"] <= rows["q"] + 1e-9).all()
    assert (rows["q_sorted_half"] <= rows["q"] + 1e-9).all()


@few
@given(city=cities())
def test_closing_the_last_place_of_a_kind_never_raises_access(city: City) -> None:
    """Identity 17: with the kinds frozen, a kind without a place scores 0."""
    base = city.assess()
    assume(len(city.places) and base.params.kinds)
    kind = city.places["kind"].iloc[0]
    assume(kind in base.params.kinds)
    left = city.places[city.places["kind"] != kind]
    times = city.travel_times[city.travel_times["place_id"].isin(left.index)]
    after = city.with_(places=left, travel_times=times, params=base.params).assess()
    assert (after.homes["access"] <= base.homes["access"] + 1e-9).all()
    assert (after.homes[f"access:{kind}"] == 0).all()
    assert kind in after.quality.missing_kinds


@few
@given(city=cities(), eta=st.floats(0, 1))
def test_no_sorting_is_the_baseline_and_sorting_moves_visits_only(city: City, eta: float) -> None:
    """Identity 13: eta = 0 gives the baseline, and no eta changes how many of a group go out."""
    inputs, params = city.assess().inputs, city.assess().params
    assert inputs is not None
    town = describe_town(inputs.homes, environments(inputs.homes, inputs.home_pairs, 5), None)
    plan = settle(params, inputs.homes, inputs.places)
    kinds = score_kinds(inputs.splits(), inputs.homes, inputs.places, town, params, plan, etas=(0.0, eta))
    _, places, sums = gather(kinds, len(inputs.places.kind), town, plan, etas=2)
    for values in (places.mix, places.likeness, places.inherited, places.known):
        assert np.allclose(values[0], values[1], equal_nan=True)
    assert np.allclose(places.known[0], places.known[2], equal_nan=True) or np.allclose(
        np.nansum(places.known[0], axis=0), np.nansum(places.known[2], axis=0)
    )
    for each in sums:
        if each is not None:
            assert np.allclose(each.sorted_diversity[0], each.diversity)
