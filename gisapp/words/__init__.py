"""Every word a planner reads: one TOML file a language, and nothing of it in code."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from gisapp.errors import MissingError

LANGUAGES = ("en", "nl", "fr")
# French sets these apart from the word before them; a line must not begin with one.
_SET_APART = {"fr": ":;?!%»"}
_NO_BREAK = "\u00a0"


@dataclass(frozen=True)
class Words:
    """The words of one language, by dotted key.

    >>> words = load_words("en")
    >>> words("value.minutes", number=7)
    '7 min'
    >>> words.several("measures.access.classes")[0]
    'poor, under 12.5'
    """

    language: str
    table: Mapping[str, Any]
    instead: Mapping[str, Any] | None = None  # looked into first

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of ``key`` with its placeholders filled."""
        text = self._find(key)
        if not isinstance(text, str):
            raise MissingError(f"'{key}' in the words of '{self.language}' is a list or a table, not a text.")
        return text.format(**values)

    def several(self, key: str) -> tuple[str, ...]:
        """Return the texts of ``key`` where the catalogue holds a list, such as the classes of a legend."""
        return tuple(self._find(key))

    def plural(self, key: str, count: float, **values: object) -> str:
        """Return ``key.one`` or ``key.other``, as the language counts.

        >>> [load_words(l).plural("value.people", 0, number=0) for l in ("nl", "fr")]
        ['0 bewoners', '0 habitant']
        """
        one = count in self._find("format.one")
        return self(f"{key}.{'one' if one else 'other'}", **values)

    def number(self, value: float, *, digits: int = 0) -> str:
        """Return a number with the language's decimal sign, thousands apart.

        >>> [load_words(l).number(38366.25, digits=1) for l in ("en", "nl")]
        ['38,366.2', '38.366,2']
        """
        text = f"{value:,.{digits}f}"
        signs = {",": self("format.thousands"), ".": self("format.decimal")}
        return "".join(signs.get(sign, sign) for sign in text)

    def listed(self, items: Iterable[str]) -> str:
        """Return items as a list in a sentence. Names of kinds hold "and" themselves, so commas part them."""
        return self("format.comma").join(items)

    def uncounted(self) -> "Words":
        """Return the words for an area without counts of residents, where homes stand for people.

        >>> load_words("en").uncounted().plural("value.people", 12, number=12)
        '12 homes by floor area'
        """
        return replace(self, instead=self.table["uncounted"])

    def _find(self, key: str) -> Any:
        for table in (self.instead, self.table):
            value: Any = table
            for part in key.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            if value is not None:
                return value
        raise MissingError(f"The words of '{self.language}' have no '{key}'.")


@cache
def load_words(language: str = "en") -> Words:
    """Load the words of ``language``; an unknown language is a ``MissingError``."""
    if language not in LANGUAGES:
        raise MissingError(f"There are no words for '{language}': choose one of {', '.join(LANGUAGES)}.")
    text = resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    for sign in _SET_APART.get(language, ""):
        text = text.replace(f" {sign}", f"{_NO_BREAK}{sign}")
    return Words(language, tomllib.loads(text))
