"""What may be shown, and rounded how: one test a rule, and a guard that no number goes round the rules."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy_town import toy_area, toy_assessment

from gisapp.display import (
    change_texts,
    count_text,
    exposure_text,
    hidden_because,
    index_text,
    minutes_text,
    mix_classes,
    part_text,
    relative_text,
    rounded_count,
    share_text,
)
from gisapp.maps.page import cells_of
from gisapp.maps.paint import value_text
from gisapp.maps.scene import build_scene
from gisapp.maps.tables import cell_table, place_table
from gisapp.measures import MEASURES, view_of
from gisapp.words import load_words

WORDS = load_words("en")
PACKAGE = Path(__file__).parents[1] / "gisapp"


@pytest.mark.parametrize(
    ("share", "base", "text"),
    [
        (0.0, np.inf, "under 5 %"),
        (0.0499, 100, "under 5 %"),
        (0.05, np.inf, "5 %"),
        (0.126, 200, "13 %"),
        (0.126, 199, "10 %"),
        (0.15, 199, "20 %"),
        (0.95, np.inf, "95 %"),
        (0.95, 50, "over 90 %"),
        (1.0, np.inf, "over 95 %"),
        (np.nan, np.inf, "not known"),
    ],
)
def test_shares_never_promise_nobody_or_everybody(share: float, base: float, text: str) -> None:
    """To 10 % under 200 people, else to 1 %; the ends are "under 5 %" and "over 95 %"."""
    assert share_text(share, WORDS, base=base) == text


def test_minutes_round_up_and_stay_whole() -> None:
    """Exactly 15 stays 15; a second more is 16."""
    assert [minutes_text(m, WORDS) for m in (15.0, 15.02, 0.2)] == ["15 min", "16 min", "under 1 min"]


def test_mix_classes_have_the_limits_of_the_method() -> None:
    """M 0.5 and 0.8 belong to the class above; F 0.7 is like the town; no F is not; no M is not computed."""
    table = pd.DataFrame(
        {
            "mix:age": [0.49, 0.5, 0.8, 0.8, 1.3, 0.9, np.nan],
            "representativeness:age": [1, 1, 0.7, 0.69, 0.06, np.nan, 1],
        }
    )
    assert mix_classes(table, "age").tolist() == [0, 1, 2, 3, 3, 3, 4]
    assert mix_classes(table, "origin").tolist() == [4] * 7


@pytest.mark.parametrize(
    ("dimension", "open_to", "visitors", "largest", "hidden"),
    [
        ("origin", "all", 50, 0.3, None),
        ("origin", "all", 49.9, 0.1, "few"),
        ("origin", "all", 500, 0.31, "cell"),
        ("origin", "all", 500, None, "cell"),
        ("origin", "customers", 500, 0.1, "private"),
        ("income", "faith", 500, 0.1, "private"),
        ("language", "customers", 500, 0.1, "private"),
        ("residence", "members", 500, 0.1, "private"),
        ("age", "customers", 500, 0.1, None),
        ("household", "members", 500, 0.1, None),
        ("age", "customers", 49, 0.1, "few"),
    ],
)
def test_composition_is_shown_only_where_it_may_be(
    dimension: str, open_to: str, visitors: float, largest: float | None, hidden: str | None
) -> None:
    """50 visitors, no square above 30 %, and no origin of a single business, club or place of worship."""
    found = hidden_because(dimension=dimension, open_to=open_to, visitors=visitors, largest_share=largest)
    assert found == hidden


def test_mix_likeness_and_exposure_are_whole_numbers() -> None:
    """Mix is shown up to 100; exposure to 1 % however few people stand behind it, as on the map."""
    assert [index_text(v, WORDS) for v in (0.0, 0.004, 0.345, 1.5625)] == ["0", "0", "35", "100"]
    assert relative_text(1.5625, WORDS) == "100 %"
    assert exposure_text(0.126, WORDS) == "13 %"
    assert value_text(0.126, MEASURES["meets"], WORDS, base=12) == "13 %"
    assert value_text(0.126, MEASURES["mixed_place"], WORDS, base=12) == "10 %"


def test_a_change_that_whole_numbers_would_hide_gets_a_decimal() -> None:
    """28.4 to 28.9 reads 28 to 29; 28.1 to 28.4 needs the decimal, in the language's own sign."""
    assert change_texts(0.284, 0.289, WORDS) == ("28", "29")
    assert change_texts(0.281, 0.284, load_words("fr")) == ("28,1", "28,4")
    assert change_texts(0.281, np.nan, WORDS) == ("28", "not known")


def test_people_are_whole_and_to_tens_from_200_on() -> None:
    """199.4 is 199, 204.9 is 200; thousands are apart as the language does it."""
    assert [rounded_count(n) for n in (0.4, 199.4, 204.9, 38_366.6)] == [0, 199, 200, 38_370]
    assert [count_text(38_366.6, load_words(x)) for x in ("en", "nl", "fr")] == [
        "38,370",
        "38.370",
        "38\u202f370",
    ]


def test_an_empty_class_is_a_dash_and_a_small_one_is_not() -> None:
    """The legend tells nobody from few; of few people it rounds to tens."""
    assert [part_text(s, WORDS, base=150) for s in (0.0, 0.01, 0.26)] == ["–", "under 5 %", "30 %"]


def test_tables_show_rounded_people_and_of_places_only_the_class() -> None:
    """The table under the map tells no more than the map: visitors to tens, no share of any group."""
    result = toy_assessment()
    result.places.loc["node/0", "visitors"] = 1234.0
    result.places.loc["node/1", "visitors"] = np.nan
    table = place_table(result, view_of(result, "access", dimension="residence"), WORDS)
    assert list(table) == ["Name", "Kind", "Mix", "Expected visitors"]
    assert table["Expected visitors"][0] == 1230
    assert pd.isna(table["Expected visitors"][1])
    area = toy_area()
    result = toy_assessment(area.with_(residents=area.residents.assign(total=area.residents["total"] * 8.3)))
    cells = cells_of(result)
    assert cells.frame["residents"].max() > 200
    shown = [rounded_count(n) for n in cells.frame["residents"]]
    assert json.loads(build_scene(result, cells))["residents"] == shown
    squares = cell_table(result, cells, view_of(result, "mixed_place", dimension="age"), WORDS)
    assert list(squares["Residents"]) == shown
    assert all(re.fullmatch(r"(under|over)? ?\d0? %|under 5 %|over 95 %", text) for text in squares["Value"])


# Numbers that say nothing of people: squares in metres, the length of a bar, coordinates.
NOT_PEOPLE = {("legend.py", "g"), ("app.py", "g"), ("headline.py", ".0f"), ("scene.py", "round")}


def formats_in(path: Path) -> set[tuple[str, str]]:
    """Return the number formats of a module: of f-strings, ``format`` and the built-in ``round``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            found.add((path.name, "".join(ast.literal_eval(part) for part in node.format_spec.values)))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("round", "format"):
            found.add((path.name, node.func.id))
        elif (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mod)
            and isinstance(node.left, ast.Constant)
        ):
            found.add((path.name, "%"))
    return found


def test_no_number_goes_round_the_rules() -> None:
    """What draws, explains and sums up formats no number itself: all of them come from ``display``."""
    shown = [p for folder in ("maps", "ui", "explain") for p in (PACKAGE / folder).glob("*.py")]
    found = set().union(*map(formats_in, [*shown, PACKAGE / "summary.py", PACKAGE / "titles.py"]))
    assert found <= NOT_PEOPLE
    assert ("display.py", "round") in formats_in(PACKAGE / "display.py"), "the guard is blind"
