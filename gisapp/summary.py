"""A result in a few plain lines, for a terminal."""

import pandas as pd

from gisapp.assessment import Assessment


def summary(result: Assessment) -> str:
    """Return the headline of each dimension and what to know before using it."""
    city = result.city[result.city["kind"] == "all"].set_index("dimension")
    lines = (
        []
        if result.area is None
        else [f"{result.area.name}: {len(result.homes):,} homes, {len(result.places):,} places"]
    )
    if result.provenance.mark:
        lines.insert(0, f"{result.provenance.mark}: these figures come from exact, unprotected counts.")
    for dimension, row in city.iterrows():
        lines.append(
            f"By {dimension}: {_percent(row['mixed_place_10min'])} of residents can walk within 10 minutes to at least "
            f"one mixed place ({_percent(row['mixed_place_10min_sorted'])} if groups keep more apart); "
            f"{_percent(row['any_place_10min'])} to any place. Islands at home {_percent(row['islands_home'])}, "
            f"at places {_percent(row['islands_places'])} ({_percent(row['islands_places_nearest'])} if all go to the "
            "nearest). Potential, not prediction."
        )
    if result.quality.missing_kinds:
        lines.append(f"No place of these kinds is mapped here: {', '.join(result.quality.missing_kinds)}.")
    lines += [f"{f.level}: {f.sentence}" for f in result.quality.findings if f.level == "warning"]
    lines += [note for note in (result.provenance.counts_note, *result.provenance.notes) if note]
    if result.provenance.attribution:
        date = f" ({result.provenance.data_date})" if result.provenance.data_date else ""
        lines.append(f"Data: {result.provenance.attribution}{date}.")
    return "\n".join(lines)


def _percent(value: float) -> str:
    """Whole numbers, and never "0 %" or "100 %" for a share that is not.

    >>> _percent(0.004), _percent(0.5), _percent(float("nan"))
    ('under 1 %', '50 %', 'not defined')
    """
    if pd.isna(value):
        return "not defined"
    if 0 < value < 0.01:
        return "under 1 %"
    if 0.99 < value < 1:
        return "over 99 %"
    return f"{value:.0%}".replace("%", " %")
