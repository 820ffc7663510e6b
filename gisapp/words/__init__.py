"""Every word a planner reads: one TOML file a language, and nothing of it in code."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from gisapp.errors import MissingError

LANGUAGES = ("en",)


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

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of ``key`` with its placeholders filled."""
        text = self._find(key)
        if not isinstance(text, str):
            raise MissingError(f"'{key}' in the words of '{self.language}' is a list or a table, not a text.")
        return text.format(**values)

    def several(self, key: str) -> tuple[str, ...]:
        """Return the texts of ``key`` where the catalogue holds a list, such as the classes of a legend."""
        return tuple(self._find(key))

    def _find(self, key: str) -> Any:
        value: Any = self.table
        for part in key.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise MissingError(f"The words of '{self.language}' have no '{key}'.")
            value = value[part]
        return value


@cache
def load_words(language: str = "en") -> Words:
    """Load the words of ``language``; an unknown language is a ``MissingError``."""
    if language not in LANGUAGES:
        raise MissingError(f"There are no words for '{language}': choose one of {', '.join(LANGUAGES)}.")
    text = resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, tomllib.loads(text))
