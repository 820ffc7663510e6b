"""Explanations against the score itself: what would help most is what scoring again says."""

import re
from dataclasses import replace
from html import escape

import numpy as np
import pandas as pd
import pytest
import shapely
from toy_town import KINDS, toy_area, toy_assessment

import gisapp as ga
from gisapp.area import StudyArea
from gisapp.assessment import Assessment
from gisapp.cells import build_cells, cell_means
from gisapp.display import UNLIKE, mix_classes
from gisapp.errors import InputError, MissingError
from gisapp.explain import CITY_FIGURES
from gisapp.explain.case import Case
from gisapp.explain.city import share_without_each_limit
from gisapp.explain.gain import best_gains
from gisapp.explain.homes import mean_of
from gisapp.explain.meetings import islands_by_kind, others_met
from gisapp.explain.visitors import largest_cell_share, visitors_by_home
from gisapp.maps.legend import legend_html
from gisapp.maps.page import cells_of
from gisapp.maps.paint import build_paint
from gisapp.measures import view_of
from gisapp.summary import summary
from gisapp.titles import words_for
from gisapp.ui.headline import headline_html
from gisapp.words import LANGUAGES, load_words

WORDS = load_words("en")


def times_of(area: StudyArea, *, detour: float = 1.6) -> pd.DataFrame:
    """Return straight-line minutes at 1.25 m/s, times a detour."""
    homes, places = (shapely.get_coordinates(f.geometry.to_numpy()) for f in (area.residents, area.places))
    minutes = np.hypot(*(homes[:, None] - places[None]).transpose(2, 0, 1)) * detour / 75
    near = np.argwhere(minutes <= 30)
    return pd.DataFrame({
        "home_id": area.residents.index[near[:, 0]],
        "place_id": area.places.index[near[:, 1]],
        "minutes": minutes[near[:, 0], near[:, 1]],
    })  # fmt: skip


def scored(area: StudyArea | None = None, *, detour: float = 1.6, **params: object) -> Assessment:
    """Return the toy town with real scores on straight-line minutes."""
    area = toy_area() if area is None else area
    residents = pd.DataFrame(area.residents.drop(columns="geometry"))
    settings = ga.Params(**{"kinds": KINDS, "mixed_at": (0.8, 0.7, 50.0), **params})
    places = pd.DataFrame(area.places.drop(columns="geometry"))
    times = times_of(area, detour=detour)
    result = ga.assess_tables(residents, places, times, params=settings, published="made up")
    return replace(result, area=area, provenance=area.provenance)


RESULT = scored()
CELLS = build_cells(RESULT.area.residents)


def everything(result: Assessment, language: str = "en") -> str:
    """Return every explanation of a town in a row."""
    asked = [("cell", c, None) for c in build_cells(result.area.residents).frame.index[:9]]
    for dimension in result.city["dimension"].unique():
        asked += [("place", p, dimension) for p in result.places.index]
        asked += [("city", f, dimension) for f in CITY_FIGURES]
    said = [ga.explain(result, what, which, dimension=d, language=language) for what, which, d in asked]
    return "\n".join(found.text for found in said)


def test_the_best_place_for_a_square_is_what_scoring_again_says() -> None:
    """For each kind: a place five minutes from a square's homes is put into the tables and scored."""
    square = CELLS.frame.index[7]
    homes = CELLS.of_home.index[CELLS.of_home == square]
    at = np.flatnonzero(RESULT.homes.index.isin(homes))
    people = RESULT.area.residents["total"].to_numpy()[at]
    area, after = RESULT.area, {}
    for kind in KINDS:
        new = area.places.iloc[:1].assign(kind=kind, name="new").set_axis(["new"])
        places = pd.DataFrame(pd.concat([area.places, new]).drop(columns="geometry"))
        more = pd.DataFrame({"home_id": homes, "place_id": "new", "minutes": 5.0})
        again = ga.assess_tables(pd.DataFrame(area.residents.drop(columns="geometry")), places,
                                 pd.concat([times_of(area), more]), params=RESULT.params)  # fmt: skip
        after[kind] = np.average(again.homes.loc[homes, "access"], weights=people)
    gains = best_gains(RESULT, at, people)
    best = max(after, key=lambda k: after[k])
    assert gains[0].kinds == (best,) == ("gardens",)  # the town has none
    assert gains[0].after == pytest.approx(after[best], rel=1e-12)
    assert gains[0].before == pytest.approx(
        np.average(RESULT.homes.loc[homes, "access"], weights=people), rel=1e-12
    )
    present = max(KINDS[:3], key=lambda k: after[k])
    assert gains[1].kinds == (present,)
    assert gains[1].after == pytest.approx(after[present], rel=1e-12)
    said = ga.explain(RESULT, "cell", square)
    assert "gardens" in said.would_raise[0]
    assert f"to {gains[0].after:.0f}" in said.would_raise[0]


def test_one_place_suffices_where_the_layer_says_so() -> None:
    """With a library at the door, and one enough, another library gains nothing."""
    enough = scored(enough={"libraries": 1}, kinds=("libraries",))
    near = int(np.argmin(enough.homes["nearest_min:libraries"]))
    assert enough.homes["nearest_min:libraries"].iloc[near] < 5
    assert best_gains(enough, np.array([near]), np.array([1.0])) == ()
    assert ga.explain(enough, "home", enough.homes.index[near]).would_raise == (WORDS("cell.raise_none"),)


@pytest.mark.parametrize("size", [1, 5, None])
def test_visitors_by_home_add_up_to_the_places_visitors(size: int | None) -> None:
    """The choice is computed again for one place and gives the visitors of the table, ties and pull included."""
    area = toy_area()
    pull = np.linspace(0.5, 2, len(area.places))
    result = scored(area.with_(places=area.places.assign(attractiveness=pull)), choice_set=size)
    for place in result.places.index:
        found = visitors_by_home(result, place).sum()
        assert found == pytest.approx(result.places.loc[place, "visitors"], rel=1e-9, abs=1e-12)


def test_the_largest_square_of_a_places_visitors() -> None:
    """Two homes of 30 in one square and one of 20 in another, all at the door: 60 of 80."""
    area = toy_area()
    east, north = 600_000.0, 5_700_000.0
    spots = [(10, 10), (90, 90), (110, 10)]
    homes = area.residents.iloc[:3].assign(total=[30.0, 30.0, 20.0])
    homes = homes.set_geometry([shapely.Point(east + a, north + b) for a, b in spots])
    town = area.with_(residents=homes, places=area.places.iloc[:1])
    minutes = pd.DataFrame({"home_id": homes.index, "place_id": "node/0", "minutes": 0.0})
    result = ga.assess_tables(
        pd.DataFrame(homes.drop(columns="geometry")),
        pd.DataFrame(town.places.drop(columns="geometry")), minutes, params=ga.Params(kinds=("libraries",)),
    )  # fmt: skip
    assert largest_cell_share(replace(result, area=town), "node/0") == pytest.approx(60 / 80)
    assert largest_cell_share(result, "node/0") == pytest.approx(
        30 / 80
    )  # without geometry: the largest home
    said = ga.explain(replace(result, area=town), "place", "node/0", dimension="age")
    assert WORDS("place.hidden_cell") in said.what_it_is
    assert "different groups" not in said.text


def test_the_headlines_obstacles_are_what_scoring_again_says() -> None:
    """Each limit alone is lifted in the parameters, and the town scored again."""
    area = toy_area()
    town = area.with_(residents=area.residents.assign(core=np.arange(len(area.residents)) % 11 > 2))
    base = scored(town, mixed_at=(0.8, 0.8, 700.0), detour=3.5)
    lifted = {"mix": (0, 0.8, 700), "likeness": (0.8, 0, 700), "visitors": (0.8, 0.8, 0)}
    for dimension in ("age", "residence"):
        found = share_without_each_limit(Case(base, WORDS, dimension))
        for name, limits in lifted.items():
            city = scored(town, mixed_at=limits, detour=3.5).city.set_index(["dimension", "kind"])
            assert found[name] == pytest.approx(city.loc[(dimension, "all"), "mixed_place_10min"], rel=1e-12)
    assert len(set(found.values())) == 3
    (said,) = ga.explain(base, "city", "headline", dimension="residence").would_raise
    most = max(found, key=lambda name: found[name])
    assert said == WORDS(f"town.headline_raise_{most}", share=f"{100 * found[most]:.0f} %")


@pytest.mark.parametrize("dimension", ["age", "residence"])
def test_the_kinds_parts_of_the_islands_add_up(dimension: str) -> None:
    """What each kind's visits lack of an even spread sums to the islands at places."""
    case = Case(scored(kind_weights={"libraries": 3.0, "cafes": 0.5}), WORDS, dimension)
    assert islands_by_kind(case).sum() == pytest.approx(case.pooled()["islands_places"], rel=1e-9)


def test_potential_is_explained_by_its_lowest_factor() -> None:
    """Q over its lowest factor is what Q would be without it; the three are named."""
    said, row = (
        ga.explain(RESULT, "city", "q", dimension="residence"),
        Case(RESULT, WORDS, "residence").pooled(),
    )
    factors = {
        "participation": row["participation"],
        "diversity": row["visit_diversity"],
        "spread": 1 - row["islands_places"],
    }
    lowest = min(factors, key=lambda k: factors[k])
    assert said.holds_down[0] == WORDS(f"town.q_lowest_{lowest}")
    assert f"from {100 * row['q']:.0f} to {100 * row['q'] / factors[lowest]:.0f}" in said.would_raise[0]


def test_exposure_names_each_group_its_street_and_why_it_is_not_symmetric() -> None:
    """Numbers are those of the table; the smaller group meets the other more, and the text says why."""
    said, met = (
        ga.explain(RESULT, "city", "exposure", dimension="residence"),
        others_met(Case(RESULT, WORDS, "residence")),
    )
    table = RESULT.exposure.query(
        "dimension == 'residence' and kind == 'all' and group == 'newcomer'"
    ).set_index("met_group")
    assert met.loc["newcomer", "share"] == pytest.approx(table.loc["long_time", "share"])
    assert f"{100 * met.loc['newcomer', 'share']:.0f} % are from another group" in said.what_it_is[0]
    assert (
        f"streets of the same people it is {100 * met.loc['newcomer', 'share_at_home']:.0f} %"
        in said.what_it_is[0]
    )
    visits = {g: RESULT.places[f"visitors:residence:{g}"].sum() for g in ("newcomer", "long_time")}
    assert (met["share"].idxmax() == min(visits, key=lambda g: visits[g])) is True
    assert WORDS("town.exposure_claim") in said.not_claimed
    assert WORDS("town.exposure_asymmetry") in said.not_claimed


def test_islands_say_what_their_number_means() -> None:
    """ "31 = the chance ... is 31 % lower", and the band of the islands at places."""
    said, row = (
        ga.explain(RESULT, "city", "islands", dimension="residence"),
        Case(RESULT, WORDS, "residence").pooled(),
    )
    home = f"{100 * row['islands_home_visits']:.0f}"
    assert said.what_it_is[1].startswith(f"{home} = the chance")
    assert f"{home} % lower" in said.what_it_is[1]


def test_a_square_says_who_lives_there_and_how_far_it_is() -> None:
    """Residents, access, nearest minutes rounded up, kinds that the town lacks, and no claim of meetings."""
    square = CELLS.of_home["h00"]
    said = ga.explain(RESULT, "cell", square, kind="libraries", dimension="age", cells=CELLS)
    inside = CELLS.of_home.index[CELLS.of_home == square]
    people = RESULT.area.residents.loc[inside, "total"]
    minutes = np.average(RESULT.homes.loc[inside, "nearest_min:libraries"], weights=people)
    assert said.what_it_is[0] == f"{people.sum():.0f} people live in this square."
    assert f"Nearest of libraries: {np.ceil(minutes):.0f} min." in said.what_it_is
    assert said.holds_down[-1] == "Of this kind there is no place in the whole area: gardens."
    assert said.not_claimed[0] == WORDS("explain.potential")
    assert str(said) == said.text


def test_means_of_a_square_are_those_of_the_map() -> None:
    """The mean in the passage is ``cell_means``, unreachable and unknown homes included."""
    values = RESULT.homes["nearest_min:libraries"].copy()
    values.iloc[::3], values.iloc[1::7] = np.inf, np.nan
    people = RESULT.area.residents["total"]
    for square, expected in cell_means(CELLS, values, people).items():
        inside = CELLS.of_home.index[CELLS.of_home == square]
        found = mean_of(values[inside].to_numpy(), people[inside].to_numpy())
        assert found == pytest.approx(expected, nan_ok=True)


def test_a_private_place_shows_its_class_and_nothing_more() -> None:
    """A café by time in town: no share, mix or likeness in any language; by age all of it; a library too."""
    for language in LANGUAGES:
        words = load_words(language)
        cafe = ga.explain(RESULT, "place", "node/5", dimension="residence", language=language)
        assert words("place.hidden_private") in cafe.what_it_is
        numbers = {float(n) for n in re.findall(r"\d+", cafe.text)}
        row = RESULT.places.loc["node/5"]
        known = {
            round(row["visitors"], -1 if row["visitors"] >= 200 else 0),
            round(100 * row["room_to_sort"]),
        }
        reach = round(100 * min(1, row["reach"] / RESULT.params.reach_full))
        assert numbers <= known | {reach, 100.0}
    assert "different groups" in ga.explain(RESULT, "place", "node/5", dimension="age").text
    assert "different groups" in ga.explain(RESULT, "place", "node/0", dimension="residence").text


def test_few_visitors_hide_the_composition_and_are_named_as_the_obstacle() -> None:
    """Under 50 expected visitors of known group the class stands alone."""
    result = scored()
    columns = [c for c in result.places if c.startswith("visitors:age")]
    result.places.loc["node/0", columns] = 49 / len(columns)
    said = ga.explain(result, "place", "node/0", dimension="age")
    assert WORDS("place.hidden_few") in said.what_it_is
    assert said.holds_down[0].startswith("Few visitors: about 49")
    assert "different groups" not in said.text


def test_the_limiting_factor_of_a_place_is_the_least_of_three() -> None:
    """Reach, mix or likeness: the text names the least, and what the meeting score would be without it."""
    result = scored()
    for limit, mix, likeness, reach in (
        ("Reach", 0.9, 0.9, 0.25),
        ("Mix", 0.3, 0.6, 1.0),
        ("Likeness", 1.2, 0.2, 0.5),
    ):
        columns = ["mix:residence", "representativeness:residence", "reach"]
        result.places.loc["node/0", columns] = [mix, likeness, reach * result.params.reach_full]
        (said,) = ga.explain(result, "place", "node/0", dimension="residence").would_raise
        assert said.startswith(limit)
        factors = {"Reach": reach, "Mix": min(1, mix), "Likeness": likeness}
        score = 100 * np.sqrt(reach * min(1, mix, likeness))
        freed = factors | {limit: 1.0}
        better = 100 * np.sqrt(freed["Reach"] * min(freed["Mix"], freed["Likeness"]))
        assert f"from {score:.0f} to {better:.0f}" in said
    assert mix_classes(result.places.loc[["node/0"]], "residence").tolist() == [UNLIKE]


def test_a_place_outside_the_choice_is_access_only() -> None:
    """A club for members has no visitors, and the text does not make any up."""
    area = toy_area()
    places = area.places.assign(open_to=["members", *area.places["open_to"][1:]])
    said = ga.explain(scored(area.with_(places=places)), "place", "node/0", dimension="age")
    assert WORDS("place.reach_only") in said.what_it_is
    assert said.holds_down == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_explanation_speaks_one_language(language: str) -> None:
    """Each part is filled in, no placeholder is left, and no English sentence stands in another language."""
    text = everything(RESULT, language)
    assert "{" not in text
    assert "nan" not in text.lower().split()
    if language != "en":
        for word in (" the ", " and ", "people", "walk", "visitors"):
            assert word not in text, word


PEOPLE = {
    "en": r"people|resident|person|\blives?\b",
    "nl": r"mensen|bewoner|persoon|\bwonen\b|\bwoont\b",
    "fr": r"habitant|personnes|habite",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nobody_is_counted_nobody_is_said_to_live(language: str) -> None:
    """Squares, places, town, legend and map speak of homes by floor area, never of people."""
    area = toy_area()
    homes = area.residents[["total", "core", "zone_id", "geometry"]]
    provenance = replace(area.provenance, counts="missing", counts_note="")
    town = area.with_(residents=homes, provenance=provenance)
    result = scored(town)
    cells, words = cells_of(result), words_for(result, language)
    said = [ga.explain(result, "cell", c, language=language, cells=cells).text for c in cells.frame.index]
    said += [ga.explain(result, "home", h, language=language).text for h in result.homes.index[:5]]
    said += [ga.explain(result, "place", p, language=language).text for p in result.places.index]
    said.append(ga.explain(result, "city", "access", language=language).text)
    for measure in ("access", "walk", "left_out", "residents"):
        said.append(legend_html(result, cells, view_of(result, measure), words))
        said.append(build_paint(result, cells, view_of(result, measure), words))
    # what the town's own note says in words of its own is the one place where residents are named
    note = words("app.missing")
    for text in said:
        clean = re.sub(r'"people":|"view": "residents"', "", text.replace(note, ""))
        clean = clean.replace(words("app.missing_short"), "").replace(words("legend.missing"), "")
        assert not re.search(PEOPLE[language], clean), re.search(f".{{40}}({PEOPLE[language]}).{{20}}", clean)
    assert escape(note) in headline_html(result, None, words)


def test_tables_without_geometry_are_explained_too() -> None:
    """A home, a place and the town of bare tables; squares need geometry and say so."""
    bare = replace(RESULT, area=None)
    assert "live at this address" in ga.explain(bare, "home", "h00").text
    assert ga.explain(bare, "place", "node/0").title == "Library west"
    assert ga.explain(bare, "city").title == "Headline"
    with pytest.raises(InputError, match="geometry"):
        ga.explain(bare, "cell", "E0N0")


@pytest.mark.parametrize(
    ("what", "which", "options", "named"),
    [
        ("street", "x", {}, "cell, home, place, city"),
        ("place", "node/99", {}, "node/99"),
        ("cell", "E0N0", {}, "E0N0"),
        ("home", "nobody", {}, "nobody"),
        ("city", "weather", {}, "headline"),
        ("place", None, {}, "which place"),
        ("city", None, {"dimension": "income"}, "age, residence"),
        ("city", None, {"language": "de"}, "en, nl, fr"),
    ],
)
def test_unknown_names_are_one_sentence(what: str, which: str | None, options: dict, named: str) -> None:
    """What can be explained, which, for whom and in which language is checked, and the known are listed."""
    with pytest.raises(MissingError, match=named):
        ga.explain(RESULT, what, which, **options)


def test_a_figure_that_needs_groups_says_so() -> None:
    """Without groups there is access, and no headline."""
    area = toy_area()
    result = scored(area.with_(residents=area.residents[["total", "core", "zone_id", "geometry"]]))
    assert "Mean access" in ga.explain(result, "city", "access").text
    with pytest.raises(InputError, match="groups"):
        ga.explain(result, "city", "headline")


def test_the_summary_says_the_same_sentences() -> None:
    """The terminal's lines are those of the explanations, a town that was not fully scored included."""
    text = summary(RESULT)
    assert ga.explain(RESULT, "city", "headline", dimension="age").what_it_is[0] in text
    assert ga.explain(RESULT, "city", "islands", dimension="residence").what_it_is[0] in text
    assert "97 % to any place" not in text
    assert "over 95 % to any place" in summary(toy_assessment())


@pytest.mark.parametrize("mixed_at", [(0.8, 0.7, 50.0), (0.0, 0.0, 1e9), (0.0, 0.0, 0.0), (2.0, 2.0, 0.0)])
def test_faults_of_places_that_nobody_has_are_not_listed(mixed_at: tuple[float, float, float]) -> None:
    """Of the places that do not count as mixed only faults that occur are named, and groups that read alike are not
    set apart."""
    result = scored(mixed_at=mixed_at)
    text = ga.explain(result, "city", "headline", dimension="age").text
    assert re.search(r"\b0 (with|mixed|of)\b", text) is None
    assert ("Of the others" in text) == (max(mixed_at) > 50 or mixed_at[0] == 2.0)
    assert ("None of the 9 places" in text) == (mixed_at[0] == 2.0 or mixed_at[2] == 1e9)
    for least, most in re.findall(r"Least: [^,]*, ([^;]*); most: [^,]*, ([^.]*)\.", text):
        assert least != most


def test_the_terminal_names_the_islands_that_it_shows() -> None:
    """The figure is that of the streets of those who go, not of all homes."""
    assert "of 100 on the streets of those who go" in summary(scored())
    assert "at home" not in summary(scored())
