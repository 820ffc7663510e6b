"""Before and after a scenario: what changes, for whom, and who loses by it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gisapp.area import StudyArea
from gisapp.assess_area import assess
from gisapp.assessment import Assessment
from gisapp.left_out import neighbourhood_of
from gisapp.params import Params
from gisapp.scenario import Scenario
from gisapp.scenario_apply import apply_scenario
from gisapp.scores.arrays import TIE

# What no group may lose without the whole being called a conflict (score.md 4.1).
GUARDED = ("access_mean", "participation")
LOST_VISITORS = 0.10

_KEYS = {
    "city": ["dimension", "kind"],
    "exposure": ["dimension", "kind", "group", "met_group"],
    "equity": ["dimension", "group"],
}


@dataclass(frozen=True)
class Difference:
    """After minus before, table by table and column by column as in ``Assessment``; texts are left out.

    Rows are those of either side; what is on one side only is null, not 0. ``places`` keeps ``kind`` and ``name``.
    """

    homes: pd.DataFrame
    places: pd.DataFrame
    city: pd.DataFrame
    exposure: pd.DataFrame
    equity: pd.DataFrame
    inequality: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """A town before (``baseline``) and after (``scenario``) the edits of ``plan``.

    ``losers``: a row for each ``dimension``, ``group`` and ``measure`` (mean access, participation) that falls, with
    ``before`` and ``after``. ``conflict``: whether there is any: then the scenario is no gain, whatever mixing does.
    """

    plan: Scenario
    baseline: Assessment
    scenario: Assessment
    difference: Difference
    losers: pd.DataFrame

    @property
    def conflict(self) -> bool:
        """Whether mean access or participation of any group falls."""
        return len(self.losers) > 0

    @property
    def people_losing(self) -> float:
        """Core residents in homes whose overall access falls."""
        area = self.scenario.area
        assert area is not None
        change = self.difference.homes["access"].to_numpy(dtype=float)
        before = self.baseline.homes["access"].reindex(self.difference.homes.index).to_numpy(dtype=float)
        people = (area.residents["total"] * area.residents["core"]).reindex(self.difference.homes.index)
        return float(people.to_numpy(dtype=float)[_falls(before, before + change)].sum())

    @property
    def places_losing(self) -> pd.DataFrame:
        """Places that lose more than 10 % of their expected visitors: ``kind``, ``before``, ``after``."""
        before = self.baseline.places["visitors"]
        after = self.scenario.places["visitors"].reindex(before.index)
        lost = (after < (1 - LOST_VISITORS) * before - TIE) & after.notna()
        return pd.DataFrame(
            {"kind": self.baseline.places["kind"][lost], "before": before[lost], "after": after[lost]}
        )


def compare(
    area: StudyArea,
    scenario: Scenario,
    params: Params = Params(),  # noqa: B008 (frozen)
    *,
    baseline: Assessment | None = None,
) -> Comparison:
    """Score an area before and after a scenario, and take the difference.

    Kinds, weights, the reference composition, the reach reference and class limits are the baseline's.
    ``baseline``: the area's assessment under ``params``, if it is at hand; nothing that the scenario leaves as it was
    is computed again. Raises ``InputError`` with every fault of all edits.

    >>> from gisapp.sources.sample import load_sample
    >>> area = load_sample()
    >>> area = area.with_(residents=area.residents.iloc[::20])
    >>> change = compare(area, Scenario().add("clubs", at=(7.4246, 43.7384), crs=4326))
    >>> change.conflict, bool(change.difference.homes["access"].max() > 0)
    (False, True)
    """
    after_area = apply_scenario(area, scenario)
    before = assess(area, params) if baseline is None else baseline
    after = assess(after_area, before.params, since=before)
    tables = {
        name: _by_key(getattr(before, name), getattr(after, name), keys) for name, keys in _KEYS.items()
    }
    difference = Difference(
        homes=_change(before.homes, after.homes),
        places=_named(_change(before.places, after.places), before.places, after.places),
        inequality=_change(before.inequality, after.inequality),
        **tables,
    )
    return Comparison(scenario, before, after, difference, _losers(before.equity, after.equity))


def by_neighbourhood(change: Comparison) -> pd.DataFrame:
    """Return mean access before and after, and residents who gain and who lose, by name of neighbourhood.

    Index ``neighbourhood``; columns ``residents``, ``access_before``, ``access_after``, ``gain``, ``lose`` (people).
    Residents outside all neighbourhoods are left out.
    """
    area = change.scenario.area
    columns = ["residents", "access_before", "access_after", "gain", "lose"]
    if area is None or area.neighbourhoods is None:
        return pd.DataFrame(columns=columns)
    where = neighbourhood_of(area)
    homes = area.residents[where.notna()]
    people = homes["total"]
    before, after = (each.homes["access"].reindex(homes.index) for each in (change.baseline, change.scenario))
    rises, falls = _falls(after.to_numpy(), before.to_numpy()), _falls(before.to_numpy(), after.to_numpy())
    parts = pd.DataFrame(
        {
            "residents": people,
            "access_before": before * people,
            "access_after": after * people,
            "gain": people * rises,
            "lose": people * falls,
        }
    )
    table = parts.groupby(where[where.notna()]).sum()
    for column in ("access_before", "access_after"):
        table[column] = table[column] / table["residents"].where(table["residents"] > 0)
    return table[columns]


def _losers(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    keys = _KEYS["equity"]
    then, now = (
        frame.melt(id_vars=keys, value_vars=list(GUARDED), var_name="measure", value_name="value")
        for frame in (before, after)
    )
    both = then.merge(now, on=[*keys, "measure"], suffixes=("_before", "_after"))
    both = both.rename(columns={"value_before": "before", "value_after": "after"})
    lost = _falls(both["before"].to_numpy(dtype=float), both["after"].to_numpy(dtype=float))
    return both[lost].reset_index(drop=True)


def _falls(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Tell where a value is lower than it was, by more than summing order explains."""
    with np.errstate(invalid="ignore"):
        return np.asarray(after < before - TIE * np.maximum(1.0, np.abs(before)))


def _change(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Subtract on the union of rows: those of before in their order, then what is new."""
    index = before.index.append(after.index.difference(before.index, sort=False))
    columns = [
        c for c in after.columns if c in before.columns and _is_number(after[c]) and _is_number(before[c])
    ]
    now, then = (frame[columns].reindex(index).astype(float) for frame in (after, before))
    return now - then


def _by_key(before: pd.DataFrame, after: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    if not set(keys) <= set(before.columns) or not set(keys) <= set(after.columns):
        return pd.DataFrame(columns=keys)
    return _change(before.set_index(keys), after.set_index(keys)).reset_index()


def _named(change: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    for at, column in enumerate([c for c in ("kind", "name") if c in before and c in after]):
        values = before[column].reindex(change.index)
        change.insert(at, column, values.where(values.notna(), after[column].reindex(change.index)))
    return change


def _is_number(values: "pd.Series") -> bool:
    return bool(pd.api.types.is_numeric_dtype(values)) and not pd.api.types.is_bool_dtype(values)
