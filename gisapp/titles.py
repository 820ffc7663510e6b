"""What things are called on screen: kinds from their layer files, dimensions and groups from the words."""

from gisapp.assessment import Assessment
from gisapp.errors import MissingError
from gisapp.words import Words, load_words


def words_for(assessment: Assessment, language: str) -> Words:
    """Return the words that fit an assessment: where nobody is counted, none of them speaks of people."""
    words = load_words(language)
    return words.uncounted() if assessment.provenance.counts == "missing" else words


def counts_sentence(assessment: Assessment, words: Words) -> str:
    """Return what nobody may miss about the residents' counts; empty where they are published or protected.

    The area's own note is in English: readers of other languages get the catalogue's sentence.
    """
    provenance = assessment.provenance
    if provenance.counts not in ("invented", "missing", "exact"):
        return ""
    if words.language == "en" and provenance.counts_note and provenance.counts != "exact":
        return provenance.counts_note
    return words(f"app.{provenance.counts}")


def translated(note: str, words: Words) -> tuple[str, str]:
    """Return a sentence of the data's maker and its language: the reader's where the words know it.

    >>> from gisapp.words import load_words
    >>> translated("Made by hand.", load_words("nl"))
    ('Made by hand.', 'en')
    """
    for key, english in load_words("en").table["notes"].items():
        if english == note:
            return words(f"notes.{key}"), words.language
    return note, "en"


def kind_title(kind: str, assessment: Assessment, words: Words) -> str:
    """Return the title of a kind in the reader's language: the layer file's, else the key made readable."""
    for spec in assessment.area.kinds if assessment.area is not None else ():
        if spec.key == kind:
            return spec.title.get(words.language) or spec.title.get("en") or readable(kind)
    return readable(kind)


def dimension_title(dimension: str, words: Words) -> str:
    """Return the name of a dimension.

    >>> from gisapp.words import load_words
    >>> dimension_title("age", load_words("en")), dimension_title("shoe_size", load_words("en"))
    ('Age', 'Shoe size')
    """
    try:
        return words(f"dimensions.{dimension}")
    except MissingError:
        return readable(dimension)


def by_dimension(dimension: str, words: Words) -> str:
    """Return the beginning of a sentence on a dimension.

    >>> from gisapp.words import load_words
    >>> by_dimension("age", load_words("fr")), by_dimension("shoe_size", load_words("en"))
    ("Selon l'âge", 'By “Shoe size”')
    """
    try:
        return words(f"by.{dimension}")
    except MissingError:
        return words("explain.by", dimension=readable(dimension))


def group_title(group: str, words: Words) -> str:
    """Return the name of a group, given as ``dimension:group``.

    >>> from gisapp.words import load_words
    >>> group_title("age:0_14", load_words("nl")), group_title("club:red_team", load_words("nl"))
    ('jonger dan 15', 'Red team')
    """
    dimension, _, name = group.partition(":")
    try:
        return words(f"groups.{dimension}.{name}")
    except MissingError:
        return readable(name)


def sentence_start(text: str) -> str:
    """Return a text with its first letter large, the others as they are.

    >>> sentence_start("newcomers (EU)")
    'Newcomers (EU)'
    """
    return text[:1].upper() + text[1:]


def readable(key: str) -> str:
    """Return a key as words.

    >>> readable("community_centres")
    'Community centres'
    """
    return key.replace("_", " ").strip().capitalize()
