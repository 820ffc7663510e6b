"""The words: every language says the same things, in its own words and its own signs."""

import string
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gisapp import load_sample
from gisapp.errors import MissingError
from gisapp.titles import translated
from gisapp.words import LANGUAGES, Words, load_words

OTHERS = [language for language in LANGUAGES if language != "en"]
# The same in another language: signs, names, and words that both languages have.
ALIKE = {
    "app.title", "app.loading", "format.comma", "format.thousands", "format.decimal", "format.one",
    "legend.of", "value.minutes", "value.share", "value.score", "place.named", "place.mix",
    "measures.walk.classes", "measures.meets.classes", "measures.meets_at_home.classes", "columns.kind",
    "uncounted.measures.left_out.classes", "headline.islands",
}  # fmt: skip


def entries(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each text or list with its dotted key."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from entries(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def placeholders(text: object) -> set[str]:
    """Return the names in braces."""
    parts = text if isinstance(text, list) else [text]
    return {name for part in parts for _, name, _, _ in string.Formatter().parse(str(part)) if name}


ENGLISH = dict(entries(load_words("en").table))


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_keys_and_placeholders(language: str) -> None:
    """No text is missing, none is left over, and each fills in what the English one does."""
    own = dict(entries(load_words(language).table))
    assert own.keys() == ENGLISH.keys()
    for key, text in ENGLISH.items():
        assert placeholders(own[key]) == placeholders(text), key
        if isinstance(text, list) and key != "format.one":
            assert len(own[key]) == len(text), key


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    """A text that is the same in two languages is one that may be."""
    own = dict(entries(load_words(language).table))
    assert {key for key, text in ENGLISH.items() if own[key] == text} <= ALIKE


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_has_a_stray_sign(language: str) -> None:
    """Sentences end as sentences do, French sets its signs apart with a space that does not break."""
    table = load_words(language).table
    for key, text in entries(table):
        for part in text if isinstance(text, list) else [text]:
            assert str(part) == str(part).strip() or key.startswith("format."), key
            assert str(part), key
            assert "  " not in str(part), key
            if language == "fr":
                assert not any(f" {sign}" in str(part) for sign in ":;?!%"), key
    for key, text in entries({k: table[k] for k in ("cell", "place", "town")}):
        if isinstance(text, str) and "{" in text and key != "place.parts":
            assert text.endswith("."), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_without_counts_stand_for_words_that_exist(language: str) -> None:
    """Each text that is said instead has one that it replaces, with the same placeholders."""
    words = load_words(language)
    main = dict(entries({k: v for k, v in words.table.items() if k != "uncounted"}))
    for key, text in entries(words.table["uncounted"]):
        assert placeholders(text) <= placeholders(main[key]), key


@pytest.mark.parametrize(
    ("language", "number", "one", "none"),
    [
        ("en", "12,345.7", "1 resident", "0 residents"),
        ("nl", "12.345,7", "1 bewoner", "0 bewoners"),
        ("fr", "12\u202f345,7", "1 habitant", "0 habitant"),
    ],
)
def test_numbers_and_plurals_follow_the_language(language: str, number: str, one: str, none: str) -> None:
    """Decimal sign, thousands, and which numbers are singular."""
    words: Words = load_words(language)
    assert words.number(12_345.67, digits=1) == number
    assert words.plural("value.people", 1, number=1) == one
    assert words.plural("value.people", 0, number=0) == none
    assert words("value.share", number=12).replace("\u00a0", " ") == "12 %"


def test_the_samples_notes_are_said_in_every_language() -> None:
    """Each note of the bundled town is one that the words know."""
    notes = load_sample().provenance.notes
    assert len(notes) == 2
    for note in notes:
        assert translated(note, load_words("en")) == (note, "en")
        assert [translated(note, load_words(language))[1] for language in OTHERS] == OTHERS


def test_unknown_words_and_languages_are_told() -> None:
    """A key or language that is not there is an error that names it."""
    for wrong in (
        lambda: load_words("de"),
        lambda: load_words("en")("app.nothing"),
        lambda: load_words("en")("app"),
    ):
        with pytest.raises(MissingError):
            wrong()
