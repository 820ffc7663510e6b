"""What a suggested site changes, in numbers and in a sentence, and how it stands among its rivals."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import shapely

from gisapp.assessment import Assessment
from gisapp.compare import Comparison
from gisapp.scores.arrays import Bools, Floats
from gisapp.siting_mixing import Mixing
from gisapp.siting_objectives import Access, Problem, Within
from gisapp.titles import by_dimension
from gisapp.words import Words

SHORTLIST = 20
_APART_M = 300.0  # rivals on one street corner tell a planner nothing
_CITY = (
    "q", "q_sorted", "participation", "visit_diversity", "islands_places", "islands_places_sorted",
    "islands_home_visits", "islands_day", "mixed_place_10min", "mixed_place_10min_sorted",
)  # fmt: skip
_EQUITY = ("access_mean", "participation", "mixed_place_10min", "mixed_place_10min_sorted", "any_place_10min")


def effects(change: Comparison, kind: str) -> dict[str, float]:
    """Return what a change does to a town: differences, after minus before.

    ``residents_within_norm`` (people), ``access`` (mean, 0-100), ``people_losing``, ``places_losing``; by dimension
    the town's figures (``q:{d}`` and the others of ``Assessment.city``, all kinds together) and by group those of
    ``Assessment.equity`` (``access_mean:{d}:{g}``), both with sorting where there is such a column.
    """
    homes, difference = change.difference.homes, change.difference
    area = change.scenario.area
    assert area is not None
    people = (area.residents["total"] * area.residents["core"]).reindex(homes.index).to_numpy(dtype=float)
    total = people.sum()
    found = {
        "residents_within_norm": float((people * np.nan_to_num(homes[f"within_norm:{kind}"])).sum()),
        "access": float((people * homes["access"].to_numpy()).sum() / total) if total else float("nan"),
        "people_losing": change.people_losing,
        "places_losing": float(len(change.places_losing)),
    }
    pooled = difference.city[difference.city["kind"] == "all"]
    for _, row in pooled.iterrows():
        found |= {f"{name}:{row['dimension']}": float(row[name]) for name in _CITY if name in pooled}
    equity = difference.equity
    names = [*_EQUITY, f"share_within_10_min:{kind}", f"share_within_norm:{kind}"]
    for _, row in equity.iterrows():
        group = f"{row['dimension']}:{row['group']}"
        found |= {f"{name.split(':')[0]}:{group}": float(row[name]) for name in names if name in equity}
    return found


def reason(
    site: Mapping[str, object], kind: str, before: Assessment, dimension: str | None, words: Words
) -> str:
    """Return why a site (a row of ``Sites.table``) is suggested, in a sentence or two; less mixing is told."""
    where = words(f"site.{site['source']}")
    if isinstance(site["name"], str):
        where += f" ({site['name']})"
    norm = words.number(dict(before.params.norm_min).get(kind, 10.0))
    people = round(_number(site, "residents_within_norm"))
    served = words("site.nobody", norm=norm)
    if people:
        served = words.plural("site.served", people, people=words.number(people), norm=norm)
    access = _signed(_number(site, "access"), 2, words)
    lines = [words("site.reason", where=where, served=served, access=access)]
    if dimension is not None:
        rise, apart = (100 * _number(site, f"{name}:{dimension}") for name in ("q", "q_sorted"))
        lines.append(
            words("site.mixing", by=by_dimension(dimension, words), rise=_signed(rise, 3, words),
                  rise_sorted=_signed(apart, 3, words))
        )  # fmt: skip
        if rise < -1e-9:
            lines.append(words("site.conflict"))
    return " ".join(lines)


def _number(site: Mapping[str, object], column: str) -> float:
    value = site[column]
    assert isinstance(value, int | float)
    return float(value)


def _signed(value: float, digits: int, words: Words) -> str:
    return ("+" if value >= 0 else "\u2212") + words.number(abs(value), digits=digits)


def shortlist_of(
    problem: Problem,
    table: gpd.GeoDataFrame,
    before: Assessment,
    mixing: Mixing | None,
    chosen: Sequence[int],
) -> gpd.GeoDataFrame:
    """Return at most 20 candidates, each by itself: the first of the chosen, then the best for the norm, for access
    and for mixing in turn, 300 m apart; ``on_front`` where no other has more of both access and mixing.
    """
    norm = float(problem.kept.settings.norm_min[problem.kind])
    within, access = Within(problem, norm).gains([]), Access(problem)
    orders = [within, access.gains([])]
    if mixing is not None:
        orders.append(mixing.screened([], np.arange(problem.size)))
    picked = _apart(table.geometry.to_numpy(), [np.argsort(-gain, kind="stable") for gain in orders], chosen)
    short = table.iloc[picked].copy()
    short["residents_within_norm"] = within[picked]
    short["access"] = [_mean_rise(problem, access, before, one) for one in picked]
    short["q"] = np.nan if mixing is None else [mixing.value([one]) - mixing.value([]) for one in picked]
    short["on_front"] = _front(short["access"].to_numpy(), short["q"].fillna(0.0).to_numpy())
    short["chosen"] = np.isin(picked, list(chosen))
    return short


def _apart(points: np.ndarray, orders: list[np.ndarray], chosen: Sequence[int]) -> list[int]:
    picked, turns = list(chosen)[:SHORTLIST], [iter(order.tolist()) for order in orders]
    while turns and len(picked) < SHORTLIST:
        for turn in list(turns):
            for one in turn:
                if not len(picked) or shapely.distance(points[picked], points[one]).min() >= _APART_M:
                    picked.append(one)
                    break
            else:
                turns.remove(turn)
            if len(picked) == SHORTLIST:
                break
    return picked


def _mean_rise(problem: Problem, access: Access, before: Assessment, one: int) -> float:
    """Return by how much mean overall access rises: of one kind only the term changes."""
    home, rise = access.rises([], one)
    weight = problem.kept.settings.weights[problem.kind]
    overall = before.homes["access"].to_numpy()[home]
    total = float((problem.people[home] * (1 + overall) * np.expm1(weight * rise)).sum())
    return total / float(problem.people.sum())


def _front(access: Floats, mixing: Floats) -> Bools:
    """Tell which points no other beats in one and equals in the other."""
    better = (access[:, None] >= access) & (mixing[:, None] >= mixing)
    strictly = better & ((access[:, None] > access) | (mixing[:, None] > mixing))
    return np.asarray(~strictly.any(axis=0))
