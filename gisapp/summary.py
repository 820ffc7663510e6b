"""A result in a few plain lines, for a terminal."""

from gisapp.assessment import Assessment
from gisapp.explain.case import Case
from gisapp.explain.city import headline_sentence
from gisapp.explain.meetings import islands_sentence
from gisapp.measures import dimensions
from gisapp.titles import dimension_title, kind_title, words_for

# Notes that bear on every figure; the others are in the project file.
_TOLD = ("near_edge", "no_boundary", "residents_beyond", "no_buildings", "residents_coarse")


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
        if not compares(result, dimension):
            title = dimension_title(dimension, words).lower()
            lines.append(f"By {title}: only one group lives here, so mixing is not defined.")
            continue
        case = Case(result, words, dimension)
        lines.append(f"{headline_sentence(case)} {islands_sentence(case)} {words('explain.potential')}")
    if result.quality.missing_kinds:
        kinds = words.listed(kind_title(k, result, words).lower() for k in result.quality.missing_kinds)
        lines.append(words("app.missing_kinds", kinds=kinds))
    told = [f for f in result.quality.findings if f.level == "warning" or f.code in _TOLD]
    lines += [f"{f.level}: {f.sentence}" for f in told]
    lines += [note for note in (result.provenance.counts_note, *result.provenance.notes) if note]
    credits = dict.fromkeys(
        f"{s.attribution} ({s.data_date})" if s.data_date else s.attribution
        for s in result.provenance.sources
        if s.attribution
    )
    if credits:
        lines.append(f"Data: {'; '.join(credits)}.")
    return "\n".join(lines)


def compares(result: Assessment, dimension: str) -> bool:
    """Tell whether a dimension has groups to compare: with one group in the core, nothing of it is defined."""
    city = result.city
    rows = city[(city["dimension"] == dimension) & (city["kind"] == "all")]
    return bool(rows["islands_home"].notna().any())
