"""What things are called on screen: kinds from their layer files, dimensions from the words."""

from gisapp.assessment import Assessment
from gisapp.errors import MissingError
from gisapp.words import Words


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


def readable(key: str) -> str:
    """Return a key as words.

    >>> readable("community_centres")
    'Community centres'
    """
    return key.replace("_", " ").strip().capitalize()
