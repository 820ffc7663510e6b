"""What has no value is told as such, never as an even spread."""

import pandas as pd
import pytest

import gisapp as ga
from gisapp.quality import Finding, Quality

SQUARE = pd.DataFrame({"kind": ["squares"]}, index=["s"])
NOWHERE = pd.DataFrame({"home_id": [], "place_id": [], "minutes": []})
THERE = pd.DataFrame({"home_id": ["a", "b"], "place_id": ["s", "s"], "minutes": [5.0, 5.0]})


@pytest.mark.parametrize("language", ["en", "nl", "fr"])
@pytest.mark.parametrize("figure", ["headline", "islands", "exposure", "q"])
def test_undefined_figures_say_why(figure: str, language: str) -> None:
    """With one group, and where nobody reaches a place, a figure about meeting says that and nothing else."""
    one = pd.DataFrame({"age:young": [10.0, 20.0]}, index=["a", "b"])
    two = one.assign(**{"age:old": [5.0, 1.0]})
    alone = ga.explain(ga.assess_tables(one, SQUARE, THERE), "city", figure, language=language)
    unserved = ga.explain(ga.assess_tables(two, SQUARE, NOWHERE), "city", figure, language=language)
    served = ga.explain(ga.assess_tables(two, SQUARE, THERE), "city", figure, language=language)
    assert len({alone.what_it_is, unserved.what_it_is, served.what_it_is}) == 3
    assert alone.would_raise == unserved.would_raise == ()
    if language == "en":
        assert alone.what_it_is == ("Only one group lives here, so who could meet whom is not defined.",)
        assert "within 30 minutes" in unserved.what_it_is[0]


def test_the_summary_of_one_group_is_one_sentence() -> None:
    """The terminal does not print shares that are not known."""
    from gisapp.summary import summary

    one = pd.DataFrame({"age:young": [10.0, 20.0]}, index=["a", "b"])
    said = summary(ga.assess_tables(one, SQUARE, THERE, published="a test"))
    assert "only one group" in said
    assert "not known" not in said


def test_counts_out_of_arrays_are_stored() -> None:
    """A finding keeps plain numbers, so that a report can always be written."""
    import numpy as np

    quality = Quality().add("x", "Mended.", "note", np.int64(1), np.float64(2.5))
    assert Quality.from_json(quality.to_json()) == quality
    assert quality["x"] == Finding("x", "Mended.", "note", 1, 2.5)


def test_a_text_names_one_kind() -> None:
    """Params(kinds="parks") means parks, not five letters."""
    assert ga.Params(kinds="parks").kinds == ("parks",)  # type: ignore[arg-type]
