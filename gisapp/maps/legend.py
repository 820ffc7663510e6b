"""The legend as plain HTML: true class limits, the share of residents in each, the classes of places."""

from html import escape

from gisapp.assessment import Assessment
from gisapp.cells import Cells
from gisapp.display import part_text
from gisapp.maps.paint import MARK_COLOURS, view_title
from gisapp.measures import View, cell_values, class_shares
from gisapp.words import Words


def legend_html(
    assessment: Assessment, cells: Cells, view: View, words: Words, *, marks: bool = True, title: bool = True
) -> str:
    """Return the legend of ``view`` as an HTML fragment; its style is ``static/legend.css``."""
    values = cell_values(assessment, view, cells)
    shares, unknown = class_shares(view, values, cells.frame["residents"])
    people = float(cells.frame["residents"].sum())
    labels = words.several(f"measures.{view.measure.key}.classes")
    rows = [
        _row(
            f'<span class="s" style="background:{colour}"></span>',
            label,
            part_text(share, words, base=people),
        )
        for colour, label, share in zip(view.measure.colours, labels, shares, strict=True)
    ]
    if unknown > 0:
        share = part_text(unknown, words, base=people)
        rows.append(_row('<span class="s hatch"></span>', words("legend.missing"), share))
    help_key = "help_all" if view.measure.key == "access" and view.kind is None else "help"
    parts = [
        f"<h3>{escape(view_title(view, assessment, words))}</h3>" if title else "",
        f"<p>{escape(words(f'measures.{view.measure.key}.{help_key}'))}</p>",
        "<table><thead><tr><th></th><th></th>"
        f'<th class="n">{escape(words("legend.share"))}</th></tr></thead>',
        f"<tbody>{''.join(rows)}</tbody></table>",
        f"<p>{escape(words('legend.cell', size=f'{cells.size_m:g}'))}</p>",
    ]
    if marks:
        parts.append(_marks(words))
    return f'<div class="tp-legend" lang="{words.language}">{"".join(parts)}</div>'


def _marks(words: Words) -> str:
    rows = [
        _row(f'<span class="c" style="background:{colour}"></span>', label, "")
        for colour, label in zip(MARK_COLOURS, words.several("marks.classes"), strict=True)
    ]
    return (
        f"<h3>{escape(words('marks.title'))}</h3><table><tbody>{''.join(rows)}</tbody></table>"
        f"<p>{escape(words('marks.size'))}</p>"
    )


def _row(swatch: str, label: str, number: str) -> str:
    return f'<tr><td>{swatch}</td><td>{escape(label)}</td><td class="n">{escape(number)}</td></tr>'
