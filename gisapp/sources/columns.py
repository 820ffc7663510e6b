"""Which column of a planner's list says what: proposed by its name in English, Dutch, French or Spanish."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import pandas as pd

from gisapp.catalogue import LayerSpec
from gisapp.places import fold_name as fold

# What may be known of a place -> names of columns, folded (no accents, spaces or case).
ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "placeid", "code", "nummer", "nr", "uid", "identifiant", "uniekeid", "ref"),
    "name": ("name", "naam", "nom", "benaming", "titel", "title", "denomination", "organisatie", "organisation",
             "vereniging", "association", "clubnaam", "nomduclub", "nombre", "denominacion", "label"),
    "kind": ("kind", "soort", "type", "categorie", "category", "genre", "laag", "layer", "soortplaats", "placetype",
             "tipo", "categoria"),
    "open_to": ("opento", "openvoor", "toegankelijkvoor", "openfor", "ouverta", "ouvertapour", "publiek", "public"),
    "capacity": ("capacity", "capaciteit", "capacite", "capacidad", "aforo", "seats", "zitplaatsen", "aantalplaatsen",
                 "plaatsenaantal", "nombredeplaces"),
    "attractiveness": ("attractiveness", "aantrekkelijkheid", "attractivite", "gewicht", "poids"),
    "supervised": ("supervised", "supervision", "toezicht", "begeleid", "begeleiding", "surveille", "surveillance",
                   "encadre", "encadrement"),
    "programme": ("programme", "program", "programma", "activiteiten", "activites", "activities"),
    "hosts": ("hosts", "host", "gastheer", "gastheren", "gastvrouw", "onthaal", "hote", "hotes", "accueil"),
    "open_evening": ("openevening", "evening", "evenings", "avond", "avonds", "savonds", "openavond", "avondopen",
                     "openinavond", "soir", "soiree", "ouvertlesoir"),
    "language_practice": ("languagepractice", "taaloefening", "taaloefenkans", "taaloefenkansen", "oefenkansen",
                          "praattafel", "conversation", "pratiquedelalangue", "tabledeconversation"),
    "buddy_point": ("buddypoint", "buddy", "buddypunt", "maatje", "maatjespunt", "maatjeswerking", "parrainage",
                    "pointbuddy"),
}  # fmt: skip
_COUNTED = re.compile(r"(?:visitors|bezoekers|visiteurs)\s*:\s*([^:]+?)\s*:\s*([^:]+)", re.I)
_GIVEN = re.compile(r"attractiveness\s*:\s*([^:]+?)\s*:\s*([^:]+)", re.I)
_LONG = 8  # letters of a name that may stand anywhere in a longer one


def propose_columns(frame: pd.DataFrame) -> dict[str, str]:
    """Return, for what may be known of a place, the column that says it; no column is used twice.

    Keys are those of ``ALIASES``, and ``visitors:dimension:group`` and ``attractiveness:dimension:group`` as found.

    >>> propose_columns(pd.DataFrame(columns=["Naam", "Toezicht", "Capaciteit (pers.)", "Telefoon"]))
    {'name': 'Naam', 'capacity': 'Capaciteit (pers.)', 'supervised': 'Toezicht'}
    """
    folded = {str(column): fold(str(column)) for column in frame.columns}
    found: dict[str, str] = {}
    for pattern, word in ((_COUNTED, "visitors"), (_GIVEN, "attractiveness")):
        for column in folded:
            if match := pattern.fullmatch(column.strip()):
                found[f"{word}:{match[1]}:{match[2].strip()}"] = column
    for exact in (True, False):
        for field, aliases in ALIASES.items():
            if field in found:
                continue
            for alias in aliases:
                fits = [
                    c for c in folded
                    if c not in found.values() and (folded[c] == alias or (not exact and _says(c, alias)))
                ]  # fmt: skip
                if fits:
                    found[field] = fits[0]
                    break
    order = [*ALIASES, *(field for field in found if ":" in field)]
    return {field: found[field] for field in order if field in found}


def _says(column: str, alias: str) -> bool:
    """Tell whether a longer name ("Capaciteit (pers.)") holds the alias as a word; tags with colons are no names."""
    if ":" in column:
        return False
    words = {fold(word) for word in re.split(r"[\W_\d]+", column)}
    return alias in words or (len(alias) >= _LONG and alias in fold(column))


def describe_columns(mapping: Mapping[str, str], columns: Iterable[str]) -> str:
    """Return the proposal as one sentence, with the columns that nobody uses.

    >>> describe_columns({"name": "Naam"}, ["Naam", "Telefoon"])
    "name from 'Naam'; not used: 'Telefoon'"
    """
    used = (
        ", ".join(f"{field} from '{column}'" for field, column in mapping.items()) or "no column recognised"
    )
    rest = ", ".join(f"'{column}'" for column in columns if column not in mapping.values())
    return f"{used}; not used: {rest}" if rest else used


class KindNames:
    """Finds the kind that a word stands for: its key, its title in three languages, or a value of its OSM tags.

    >>> from gisapp.catalogue import load_catalogue
    >>> kinds = KindNames(load_catalogue())
    >>> [kinds.find(word) for word in ("playgrounds", "Speeltuin", "Bibliothèque", "pub", "Kapper")]
    ['playgrounds', 'playgrounds', 'libraries', 'cafes', None]
    """

    def __init__(self, catalogue: Sequence[LayerSpec]) -> None:
        self._words: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        values: dict[str, set[str]] = {}
        for spec in catalogue:
            titles = [
                part
                for title in spec.title.values()
                for part in [title, *re.split(r" (?:and|en|et) |, ", title)]
            ]
            for word in (spec.key, *titles):
                self._words.setdefault(_stem(word), spec.key)
                self._shown.setdefault(word.casefold(), spec.key)
            for tagged in spec.any_of.values():
                for value in tagged:
                    values.setdefault(_stem(value), set()).add(spec.key)
        for word, keys in values.items():
            if len(keys) == 1 and word:
                self._words.setdefault(word, next(iter(keys)))

    def find(self, word: str) -> str | None:
        """Return the key of the kind, or None."""
        return self._words.get(_stem(word))

    def nearest(self, word: str) -> str:
        """Return the key of the kind whose name looks most like ``word``."""
        return self._shown[get_close_matches(word.casefold(), list(self._shown), n=1, cutoff=0.0)[0]]


def _stem(word: str) -> str:
    """Fold a word to what its singular and plural share, in three languages."""
    folded = re.sub(r"(.)\1", r"\1", fold(word.replace("_", " ")))
    return re.sub(r"(ies|es|en|y|s|x|e)$", "", folded) if len(folded) > 4 else folded
