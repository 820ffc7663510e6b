"""Every figure in plain sentences: what it is, what holds it back, what would help most, what it does not claim."""

import math
from collections.abc import Callable, Mapping

from gisapp.assessment import Assessment
from gisapp.cells import Cells, build_cells
from gisapp.errors import InputError, MissingError
from gisapp.explain.case import Case, number
from gisapp.explain.city import explain_access, explain_headline
from gisapp.explain.homes import explain_cell, explain_home
from gisapp.explain.meetings import explain_exposure, explain_islands
from gisapp.explain.place import explain_place
from gisapp.explain.potential import explain_q
from gisapp.explain.result import Explanation
from gisapp.measures import dimensions
from gisapp.titles import words_for

__all__ = ["CITY_FIGURES", "Explanation", "explain"]

CITY_FIGURES: Mapping[str, Callable[[Case], Explanation]] = {
    "headline": explain_headline,
    "islands": explain_islands,
    "exposure": explain_exposure,
    "q": explain_q,
    "access": explain_access,
}
_SUBJECTS = ("cell", "home", "place", "city")


def explain(
    assessment: Assessment,
    what: str,
    which: str | None = None,
    *,
    dimension: str | None = None,
    kind: str | None = None,
    language: str = "en",
    cells: Cells | None = None,
) -> Explanation:
    """Explain a figure of an assessment in plain sentences, with its numbers as they may be shown.

    ``what`` and ``which``: ``cell`` and the id of a square of 100 m (``E3717N48434``), ``home`` and a
    ``home_id``, ``place`` and a ``place_id``, ``city`` and ``headline`` (the default), ``islands``,
    ``exposure``, ``q`` or ``access``. ``dimension``: whose mixing is meant, default the first. ``kind``: a
    kind of place whose nearest is named too, for a cell or home. ``language``: ``en``, ``nl`` or ``fr``.
    ``cells``: the squares, where they are at hand.

    What would help most is computed with the formulas of the score. Raises ``MissingError`` for an unknown
    name, ``InputError`` where the figure needs groups or geometry that the assessment does not have.

    >>> import pandas as pd
    >>> from gisapp.assess import assess_tables
    >>> homes = pd.DataFrame({"age:young": [100, 0], "age:old": [0, 100]}, index=["a", "b"])
    >>> square = pd.DataFrame({"kind": ["squares"]}, index=["s"])
    >>> times = pd.DataFrame({"home_id": ["a", "b"], "place_id": ["s", "s"], "minutes": [5.0, 5.0]})
    >>> result = assess_tables(homes, square, times)
    >>> explain(result, "home", "a").what_it_is[1]
    'Access 50 of 100 (good): as good as one place of every kind at 5 min on foot.'
    >>> explain(result, "home", "a").would_raise
    ("A place of this kind at 5 minutes' walk would raise access most, from 50 to 60: squares.",)
    """
    words, known = words_for(assessment, language), dimensions(assessment)
    if dimension is not None and dimension not in known:
        raise MissingError(f"dimension='{dimension}': choose one of {', '.join(known) or 'none here'}.")
    case = Case(assessment, words, dimension or (known[0] if known else None), kind)
    if what == "city":
        figure = which or "headline"
        if figure not in CITY_FIGURES:
            raise MissingError(f"There is no figure '{figure}': choose one of {', '.join(CITY_FIGURES)}.")
        return undefined(case, figure) or CITY_FIGURES[figure](case)
    if what not in _SUBJECTS:
        raise MissingError(f"what='{what}': choose one of {', '.join(_SUBJECTS)}.")
    if which is None:
        raise MissingError(f"Say which {what} is to be explained: give its id.")
    if what == "cell":
        if cells is None:
            if assessment.area is None:
                raise InputError("This assessment was made from tables without geometry: it has no squares.")
            cells = build_cells(assessment.area.residents)
        return explain_cell(case, which, cells)
    return explain_home(case, which) if what == "home" else explain_place(case, which)


def undefined(case: Case, figure: str) -> Explanation | None:
    """Say why a town figure about meeting has no value, or None where it has one."""
    if figure == "access" or case.dimension is None:
        return None
    row, words = case.pooled(), case.words
    if math.isnan(number(row, "islands_home")):
        says = words("town.one_group")
    elif not (number(row, "participation") > 0 or math.isfinite(number(row, "islands_places"))):
        says = words("town.nobody_goes", minutes=words.number(case.assessment.params.horizon_min))
    else:
        return None
    return Explanation(
        title=words(f"town.{figure}"),
        what_it_is=(says,),
        holds_down=(),
        would_raise=(),
        not_claimed=(words("explain.potential"),),
        language=words.language,
    )
