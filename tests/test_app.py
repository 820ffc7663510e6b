"""The app's first screen without a browser: what is said, what is sent to the map, and how faults read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from toy_town import toy_assessment

from gisapp import assess, load_sample
from gisapp.errors import InputError
from gisapp.ui import load

APP = Path(__file__).parents[1] / "streamlit_app.py"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """Return the app on the toy town, not yet run."""
    monkeypatch.setattr(load, "assess_project", lambda path: toy_assessment())
    monkeypatch.setattr(load.sys, "argv", ["streamlit_app.py"])
    monkeypatch.delenv(load.PROJECT_VARIABLE, raising=False)
    load._town.cache_clear()
    yield AppTest.from_file(str(APP), default_timeout=60)
    load._town.cache_clear()


def texts(app: AppTest) -> str:
    """Return all HTML that the app has written."""
    return "\n".join(element.proto.body for element in app.get("html"))


def sent_to_map(app: AppTest) -> dict[str, Any]:
    """Return the arguments that the map component got."""
    (component,) = app.get("component_instance")
    return json.loads(component.proto.json_args)


def test_the_first_screen_says_the_headline_and_what_is_invented(app: AppTest) -> None:
    """No exception; figures with and without sorting; potential; invented residents; missing kinds."""
    app.run()
    assert not app.exception
    assert not app.error
    said = texts(app)
    for part in (
        "Toy town",
        "can walk to a mixed place",
        "keep more apart",
        "potential",
        "at meeting places",
    ):
        assert part in said
    assert "Residents are invented for this toy town." in said
    assert "Not found in this area: gardens" in said
    assert "window.hacked" not in said


def test_another_measure_repaints_and_leaves_the_map_alone(app: AppTest) -> None:
    """Only the feature group differs after a switch: the same script means that nothing is mounted anew."""
    app.run()
    before = sent_to_map(app)
    app.selectbox(key="measure").select("walk").run()
    app.selectbox(key="kind").select("playgrounds").run()
    app.selectbox(key="dimension").select("residence").run()
    assert not app.exception
    after = sent_to_map(app)
    assert "Walking time, playgrounds" in texts(app)
    assert "time in town" in texts(app)
    assert "walk:playgrounds:residence" in after["feature_group"]
    for name in before:
        assert name == "feature_group" or before[name] == after[name], name


def test_every_measure_can_be_chosen(app: AppTest) -> None:
    """Each measure of the list draws without a fault."""
    app.run()
    for measure in app.selectbox(key="measure").options:
        app.selectbox(key="measure").set_value(app.selectbox(key="measure").value)
        app.selectbox(key="measure").select_index(app.selectbox(key="measure").options.index(measure)).run()
        assert not app.exception
        assert not app.error, measure
        assert measure in texts(app)


def test_scripts_come_from_this_server_only(app: AppTest) -> None:
    """Every script and style is addressed beside the component: no host is named."""
    app.run()
    sent = sent_to_map(app)
    for link in (*sent["js_links"], *sent["css_links"]):
        assert link.startswith("../gisapp.ui.assets."), link


@pytest.mark.parametrize(
    ("fault", "said", "hidden"),
    [
        (InputError("The file town.gpkg holds no streets: save it again."), "holds no streets", "Traceback"),
        (RuntimeError("secret detail"), "did not foresee", "secret detail"),
    ],
)
def test_a_fault_is_a_sentence(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str, hidden: str
) -> None:
    """A known fault speaks for itself, an unknown one is told without its insides; neither is a traceback."""

    def fail(path: str | None) -> None:
        raise fault

    monkeypatch.setattr(load, "assess_project", fail)
    app.run()
    assert not app.exception
    (message,) = app.error
    assert said in message.value
    assert hidden not in message.value


def test_a_project_that_is_not_there_is_said_so(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file named by the environment is looked for first."""
    monkeypatch.setenv(load.PROJECT_VARIABLE, "no/such/town.gpkg")
    app.run()
    (message,) = app.error
    assert "no/such/town.gpkg" in message.value


def test_without_groups_only_what_needs_none_is_offered(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A town whose residents have no groups has access and walking times, and no measure that would fail."""
    area = load_sample()
    people = area.residents[["total", "core", "zone_id", "geometry"]]
    monkeypatch.setattr(load, "assess_project", lambda path: assess(area.with_(residents=people)))
    app.run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="measure").options == ["Access", "Walking time", "Left out", "Residents"]


@pytest.mark.parametrize(
    ("language", "headline", "measure", "invented"),
    [
        ("nl", "kan te voet naar een gemengde plek", "Wandeltijd", "De bewoners zijn verzonnen"),
        ("fr", "peuvent aller à pied à un lieu mixte", "Temps de marche", "Les habitants sont fictifs"),
        ("de", "can walk to a mixed place", "Walking time", "Residents are invented"),
    ],
)
def test_the_address_chooses_the_language(
    app: AppTest, language: str, headline: str, measure: str, invented: str
) -> None:
    """Headline, measures, warnings and the map's words follow ``?lang=``; an unknown one is English."""
    app.query_params["lang"] = language
    app.run()
    assert not app.exception
    assert not app.error
    said = texts(app)
    assert headline in said
    assert invented in said
    assert measure in app.selectbox(key="measure").options
    assert f'"language": "{language if language != "de" else "en"}"' in sent_to_map(app)["feature_group"]


def test_only_words_go_to_the_map_on_a_switch_of_language(app: AppTest) -> None:
    """The map's own script is the same text in every language, so that it is not mounted anew."""
    app.run()
    before = sent_to_map(app)
    app.query_params["lang"] = "fr"
    app.run()
    after = sent_to_map(app)
    assert "Zoom avant" in after["feature_group"]
    for name in before:
        assert name == "feature_group" or before[name] == after[name], name


def test_a_figure_of_the_town_is_explained_when_asked_for(app: AppTest) -> None:
    """Nothing is computed unasked; once chosen, the sentence and its parts are there."""
    app.run()
    assert "100 = everybody goes" not in texts(app)
    app.button_group(key="figure").select("islands").run()
    assert not app.exception
    assert not app.error
    assert "% lower than if everybody were spread evenly" in texts(app)
    assert "What it does not claim" in texts(app)
