"""A comparison in a few plain lines: what changes for whom, and never a gain where a group loses."""

from gisapp.compare import Comparison
from gisapp.display import change_texts, count_text
from gisapp.explain.case import number
from gisapp.measures import dimensions
from gisapp.summary import compares
from gisapp.titles import by_dimension, group_title, sentence_start, words_for
from gisapp.words import Words


def change_summary(change: Comparison, language: str = "en") -> str:
    """Return the verdict first, then each dimension's groups, mixing and islands before and after.

    A scenario by which a group loses access or participation is told as a conflict, whatever mixing does.
    """
    words = words_for(change.scenario, language)
    lines = [
        words("change.title", name=change.plan.name or words("change.unnamed"), edits=len(change.plan.edits))
    ]
    lines += [verdict(change, words)]
    for dimension in dimensions(change.baseline):
        lines += _groups(change, dimension, words)
        if compares(change.baseline, dimension):
            lines.append(_mixing(change, dimension, words))
    people, places = change.people_losing, len(change.places_losing)
    if people > 0:
        lines.append(words("change.people_lose", people=count_text(people, words)))
    if places:
        lines.append(words.plural("change.places_lose", places, number=words.number(places)))
    lines += [f.sentence for f in change.scenario.quality.findings if f.code == "scenario_assumed"]
    lines.append(words("explain.potential"))
    mark = change.scenario.provenance.mark
    return "\n".join([mark, *lines] if mark else lines)


def verdict(change: Comparison, words: Words) -> str:
    """Return one sentence: a conflict and whose, nobody touched, or more access with what it does to mixing."""
    if change.conflict:
        groups = dict.fromkeys(group_title(f"{d}:{g}", words) for d, g in _lost_groups(change))
        return words("change.conflict", groups=words.listed(groups))
    access = change.difference.equity.get("access_mean")
    if access is None or not (access > 1e-9).any():
        return words("change.nobody")
    pooled = change.difference.city
    mixing = pooled.loc[pooled["kind"] == "all", "q"].dropna()
    if (mixing < -1e-9).any():
        return words("change.access_only")
    return words("change.gain")


def _lost_groups(change: Comparison) -> list[tuple[str, str]]:
    return list(zip(change.losers["dimension"], change.losers["group"], strict=True))


def _groups(change: Comparison, dimension: str, words: Words) -> list[str]:
    lines = []
    both = change.baseline.equity.merge(
        change.scenario.equity, on=["dimension", "group"], suffixes=("|before", "|after")
    )
    for _, row in both[both["dimension"] == dimension].iterrows():
        access, goes = (
            _move(number(row, f"{name}|before") / scale, number(row, f"{name}|after") / scale, words)
            for name, scale in (("access_mean", 100), ("participation", 1))
        )
        title = sentence_start(group_title(f"{dimension}:{row['group']}", words))
        lines.append(words("change.group", group=title, access=access, goes=goes))
    return lines


def _mixing(change: Comparison, dimension: str, words: Words) -> str:
    values = {}
    for name, table in (("before", change.baseline.city), ("after", change.scenario.city)):
        row = table[(table["dimension"] == dimension) & (table["kind"] == "all")].iloc[0]
        values[name] = {
            column: float(row[column]) for column in ("q", "q_sorted", "islands_places", "islands_day")
        }
    texts = {
        column: _move(value, values["after"][column], words) for column, value in values["before"].items()
    }
    return words("change.mixing", by=by_dimension(dimension, words), **texts)


def _move(before: float, after: float, words: Words) -> str:
    then, now = change_texts(before, after, words)
    return (
        words("change.stays", before=then) if then == now else words("change.moves", before=then, after=now)
    )
