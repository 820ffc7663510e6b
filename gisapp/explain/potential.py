"""Q, the town's potential of meetings, explained by its three factors."""

import math

from gisapp.display import change_texts, index_text
from gisapp.explain.case import Case, named_until, number, two_groups, value_at
from gisapp.explain.meetings import furthest_below
from gisapp.explain.result import Explanation
from gisapp.titles import sentence_start


def explain_q(case: Case) -> Explanation:
    """Explain Q by its three factors: participation, diversity of all visits, spread over places."""
    row, words = case.pooled(), case.words
    q, islands = number(row, "q"), number(row, "islands_places")
    factors = {
        "participation": number(row, "participation"),
        "diversity": number(row, "visit_diversity"),
        "spread": 1 - islands,
    }
    says = [words("town.q_says", by=case.by, q=index_text(q, words))]
    holds, helps = [], []
    known = {name: value for name, value in factors.items() if math.isfinite(value)}
    if len(known) == len(factors):
        shown = {name: index_text(value, words) for name, value in factors.items()}
        says.append(words("town.q_factors", **shown, islands=index_text(islands, words)))
        lowest = min(known, key=lambda name: known[name])
        holds.append(words(f"town.q_lowest_{lowest}"))
        if 0 < known[lowest] < 1:
            before, after = change_texts(q, q / known[lowest], words)
            helps.append(words("town.q_raise", before=before, after=after))
        holds += (
            _least_met(case) if lowest == "spread" else two_groups(case, "participation", "town.q_least_goes")
        )
    kinds = case.city_rows().drop(index="all")["q"].dropna().sort_values(kind="stable")
    if len(kinds) > 1:
        listed = words.listed(
            f"{case.kind_name(k)} {index_text(value_at(kinds, k), words)}"
            for k in named_until(list(kinds.index))
        )
        holds.append(words("town.q_kinds", list=listed))
    return Explanation(
        title=words("town.q"),
        what_it_is=tuple(says),
        holds_down=tuple(holds),
        would_raise=tuple(helps) or (words("explain.nothing"),),
        not_claimed=(words("explain.potential"), words("town.q_claim")),
        language=words.language,
    )


def _least_met(case: Case) -> list[str]:
    found = furthest_below(case)
    return [sentence_start(case.words("town.q_least_meets", **found))] if found else []
