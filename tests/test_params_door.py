"""What is asked of an assessment is checked at its door: kinds that nobody knows, and what is no table or area."""

from typing import Any

import pandas as pd
import pytest

import gisapp as ga
from gisapp.area import StudyArea
from gisapp.errors import InputError, ParamsError

KNOWN = ("kinds", "access_only", "enough", "kind_weights", "norm_min", "users", "completeness")
HOMES = pd.DataFrame({"origin:here": [10, 5], "origin:else": [5, 10]}, index=["a", "b"])
PLACES = pd.DataFrame({"kind": ["parks", "cafes"]}, index=["p", "c"])
TIMES = pd.DataFrame({"home_id": ["a", "b"], "place_id": ["p", "c"], "minutes": [3.0, 4.0]})


@pytest.fixture(scope="module")
def area() -> StudyArea:
    """The sample."""
    return ga.load_sample()


def value_of(name: str, kind: str) -> Any:
    """A value of a parameter that names this kind."""
    values: dict[str, Any] = {"users": ("age:0_14",), "completeness": 0.5}
    return (kind,) if name in ("kinds", "access_only") else {kind: values.get(name, 1)}


@pytest.mark.parametrize("name", KNOWN)
def test_a_kind_that_an_area_does_not_know_is_refused_with_the_nearest(area: StudyArea, name: str) -> None:
    """Every parameter that names kinds: one sentence with the parameter, the name and the nearest known one."""
    with pytest.raises(ParamsError) as fault:
        ga.assess(area, ga.Params(**{name: value_of(name, "libary")}))
    assert str(fault.value) == (
        f"params: {name} names the kind 'libary', which is not known here; the nearest is 'libraries'."
    )


def test_every_unknown_kind_is_told_at_once(area: StudyArea) -> None:
    """Two faults, one message."""
    with pytest.raises(ParamsError, match=r"(?s)2 faults:.*enough names.*'zoo'.*norm_min names.*'Parks'"):
        ga.assess(area, ga.Params(norm_min={"Parks": 5}, enough={"zoo": 1}))


def test_tables_have_no_catalogue_but_a_mistyped_name_is_found() -> None:
    """A kind that this town lacks may be named; one that is nearly a kind of the table may not."""
    ga.assess_tables(HOMES, PLACES, TIMES, params=ga.Params(norm_min={"libraries": 5}))
    with pytest.raises(InputError, match="kind_weights names the kind 'park', .* the nearest is 'parks'"):
        ga.assess_tables(HOMES, PLACES, TIMES, params=ga.Params(kind_weights={"park": 2}))


@pytest.mark.parametrize("name", ["residents", "places", "travel_times", "home_times"])
@pytest.mark.parametrize("value", [None, "times.csv", [1]])
def test_what_is_no_table_is_told_by_its_name(name: str, value: object) -> None:
    """None or a path where a table belongs; home times alone may be left out."""
    given: dict[str, Any] = {
        "residents": HOMES,
        "places": PLACES,
        "travel_times": TIMES,
        "home_times": None,
        name: value,
    }
    if name == "home_times" and value is None:
        assert len(ga.assess_tables(**given).places) == 2
        return
    with pytest.raises(InputError, match=rf"^{name}: is (None|a str|a list); give a pandas DataFrame\.$"):
        ga.assess_tables(**given)


def test_what_is_no_area_is_told() -> None:
    """The name of the sample, and a file's path, are not areas yet."""
    with pytest.raises(InputError, match=r"assess: is given 'monaco', and needs a study area: load_sample"):
        ga.assess("monaco")  # type: ignore[arg-type]


@pytest.mark.parametrize("params", [{"speed_kmh": 4}, None, "adult"])
def test_what_are_no_parameters_is_told(area: StudyArea, params: Any) -> None:
    """A mapping or nothing where Params belong."""
    with pytest.raises(ParamsError, match=r"params: is .*; give Params\(\.\.\.\)"):
        ga.assess(area, params)
    with pytest.raises(ParamsError, match=r"params: is .*; give Params\(\.\.\.\)"):
        ga.assess_tables(HOMES, PLACES, TIMES, params=params)


@pytest.mark.parametrize("value", [5, "parks", ("parks",), [("parks", 1, 2)], [5]])
def test_a_parameter_by_kind_that_is_no_mapping_is_told(value: Any) -> None:
    """A bare number or name where each kind has its own."""
    with pytest.raises(ParamsError, match="norm_min=.*: give a mapping, such as norm_min="):
        ga.Params(norm_min=value)
