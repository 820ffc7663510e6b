"""A result in a few plain lines, for a terminal."""

from gisapp.assessment import Assessment
from gisapp.explain.case import Case
from gisapp.explain.city import headline_sentence
from gisapp.explain.meetings import islands_sentence
from gisapp.measures import dimensions
from gisapp.titles import kind_title, words_for


def summary(result: Assessment) -> str:
    """Return the headline of each dimension and what to know before using it."""
    words = words_for(result, "en")
    size = {"homes": words.number(len(result.homes)), "places": words.number(len(result.places))}
    lines = (
        [] if result.area is None else [f"{result.area.name}: {size['homes']} homes, {size['places']} places"]
    )
    if result.provenance.mark:
        lines.insert(0, f"{result.provenance.mark}: these figures come from exact, unprotected counts.")
    for dimension in dimensions(result):
        case = Case(result, words, dimension)
        lines.append(f"{headline_sentence(case)} {islands_sentence(case)} {words('explain.potential')}")
    if result.quality.missing_kinds:
        kinds = words.listed(kind_title(k, result, words).lower() for k in result.quality.missing_kinds)
        lines.append(words("app.missing_kinds", kinds=kinds))
    lines += [f"{f.level}: {f.sentence}" for f in result.quality.findings if f.level == "warning"]
    lines += [note for note in (result.provenance.counts_note, *result.provenance.notes) if note]
    if result.provenance.attribution:
        date = f" ({result.provenance.data_date})" if result.provenance.data_date else ""
        lines.append(f"Data: {result.provenance.attribution}{date}.")
    return "\n".join(lines)
