"""Islands and exposure of the town explained, with why one group always meets another more than the reverse."""

import math

import pandas as pd

from gisapp.display import change_texts, exposure_text, index_text
from gisapp.explain.case import Case, named_until, number, value_at
from gisapp.explain.result import Explanation
from gisapp.titles import sentence_start

_BANDS = (0.05, 0.15, 0.30)  # of R: hardly, some, clear, strong
_FLOOR_SHARE = 0.10  # a floor above this share of the value is told
_EQUAL = 1e-9


def islands_sentence(case: Case) -> str:
    """Return the islands at home, at places, and if everybody goes to the nearest: one sentence."""
    row, columns = case.pooled(), {"home": "home_visits", "places": "places", "nearest": "places_nearest"}
    shown = {key: index_text(number(row, f"islands_{name}"), case.words) for key, name in columns.items()}
    return case.words("town.islands_says", by=case.by, **shown)


def explain_islands(case: Case) -> Explanation:
    """Explain the islands at home and at meeting places, and which kind of place weighs most in them."""
    row, words = case.pooled(), case.words
    home, places = number(row, "islands_home_visits"), number(row, "islands_places")
    says = [islands_sentence(case)]
    if math.isfinite(home):
        says.append(words("town.islands_home", home=index_text(home, words)))
    if math.isfinite(places):
        band = words.several("town.islands_bands")[sum(places >= limit - _EQUAL for limit in _BANDS)]
        says.append(words("town.islands_band", band=band))
    claims = [words("explain.potential"), words("town.islands_claim")]
    day, floor = number(row, "islands_day"), number(row, "islands_home_floor")
    if math.isfinite(day):
        claims.append(words("town.islands_claim_stay", day=index_text(day, words)))
    if math.isfinite(floor) and floor > _FLOOR_SHARE * number(row, "islands_home"):
        claims.append(words("town.islands_floor", floor=index_text(floor, words)))
    rows = case.city_rows().drop(index="all")
    kinds = rows["islands_places"].dropna().sort_values(ascending=False, kind="stable")
    kinds = kinds[kinds > 0]
    holds = []
    if len(kinds):
        listed = words.listed(
            f"{case.kind_name(k)} {index_text(value_at(kinds, k), words)}"
            for k in named_until(list(kinds.index))
        )
        holds.append(words("town.islands_kinds", list=listed))
    return Explanation(
        title=words("town.islands"),
        what_it_is=tuple(says),
        holds_down=tuple(holds),
        would_raise=_heaviest_kind(case, places),
        not_claimed=tuple(claims),
        language=words.language,
    )


def islands_by_kind(case: Case) -> pd.Series:
    """Return the part of the islands at places that each kind brings in; the parts sum to ``islands_places``.

    A kind's part is w_k (participation_k I(P*)/I(P) - Q_k) over participation I(P*)/I(P), with w its weight
    among the kinds that mix in the dimension: what its visits lack of an even spread. It may be negative for a
    kind whose visits are together more varied than all visits.
    """
    rows = case.city_rows()
    row, kinds = rows.loc["all"], rows.drop(index="all")
    if not {"q", "participation", "visit_diversity"} <= set(rows) or not len(kinds):
        return pd.Series(dtype=float)
    given = dict(case.assessment.params.kind_weights)
    weights = pd.Series([float(given.get(str(k), 1.0)) for k in kinds.index], index=kinds.index)
    possible = number(row, "participation") * number(row, "visit_diversity")
    lacking = kinds["participation"] * number(row, "visit_diversity") - kinds["q"]
    parts: pd.Series[float] = weights / weights.sum() * lacking / possible
    return parts


def _heaviest_kind(case: Case, places: float) -> tuple[str, ...]:
    parts = islands_by_kind(case).dropna()
    if not len(parts) or not parts.max() > _EQUAL:
        return (case.words("town.islands_even"),)
    kind = str(parts.idxmax())
    before, after = change_texts(places, places - float(parts[kind]), case.words)
    return (case.words("town.islands_raise", kind=case.kind_name(kind), before=before, after=after),)


def others_met(case: Case, kind: str = "all") -> pd.DataFrame:
    """Return, for each group, the share of others among whom it meets: ``share``, ``share_at_home``,
    ``share_if_even``; index ``group``."""
    exposure = case.assessment.exposure
    if "dimension" not in exposure:
        return pd.DataFrame(columns=["share", "share_at_home", "share_if_even"], dtype=float)
    rows = exposure[(exposure["dimension"] == case.dimension) & (exposure["kind"] == kind)]
    own = rows[rows["group"] == rows["met_group"]].set_index("group")
    return 1.0 - own[["share", "share_at_home", "share_if_even"]].astype(float)


def explain_exposure(case: Case) -> Explanation:
    """Explain whom each group would meet at places, on its own streets, and in an even spread."""
    case.pooled()
    words, met = case.words, others_met(case)
    says = []
    for group, row in met.dropna(subset=["share"]).iterrows():
        shown = {
            name: exposure_text(number(row, column), words)
            for name, column in (("share", "share"), ("home", "share_at_home"), ("even", "share_if_even"))
        }
        says.append(words("town.exposure_says", by=case.by, group=case.group_name(str(group)), **shown))
    found = furthest_below(case)
    holds = words("town.exposure_least", **found) if found else words("town.exposure_above")
    return Explanation(
        title=words("town.exposure"),
        what_it_is=tuple(says),
        holds_down=(holds,),
        would_raise=_kinds_of(case, _furthest(met)) or (words("explain.nothing"),),
        not_claimed=(
            words("explain.potential"),
            words("town.exposure_claim"),
            words("town.exposure_asymmetry"),
        ),
        language=words.language,
    )


def furthest_below(case: Case) -> dict[str, str]:
    """Return the group that meets others least against an even spread, in words; empty where none is below."""
    met = others_met(case)
    group = _furthest(met)
    if group is None:
        return {}
    return {
        "group": case.group_name(group),
        "share": exposure_text(value_at(met["share"], group), case.words),
        "even": exposure_text(value_at(met["share_if_even"], group), case.words),
    }


def _furthest(met: pd.DataFrame) -> str | None:
    relative = (met["share"] / met["share_if_even"].where(met["share_if_even"] > 0)).dropna()
    return str(relative.idxmin()) if len(relative) and relative.min() < 1 - _EQUAL else None


def _kinds_of(case: Case, group: str | None) -> tuple[str, ...]:
    kinds = [k for k in case.city_rows().index if k != "all"]
    if group is None:
        return ()
    shares = pd.Series(
        {k: others_met(case, k)["share"].get(group, math.nan) for k in kinds}, dtype=float
    ).dropna()
    if len(shares) < 2:
        return ()
    least, most = str(shares.idxmin()), str(shares.idxmax())
    shown = {
        "least": case.kind_name(least), "least_share": exposure_text(float(shares[least]), case.words),
        "most": case.kind_name(most), "most_share": exposure_text(float(shares[most]), case.words),
    }  # fmt: skip
    return (sentence_start(case.words("town.exposure_kind", group=case.group_name(group), **shown)),)
