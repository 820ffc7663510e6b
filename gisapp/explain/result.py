"""What an explanation is: four parts, in plain sentences."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """A figure explained: what it is, what holds it back, what would help most, what it does not claim.

    Each part is a tuple of whole sentences in one language; ``language`` says which.

    >>> print(Explanation("Park", ("By age: little mixed.",), ("Low mix.",), (), ("Not counted.",), "en"))
    By age: little mixed. Low mix. Not counted.
    """

    title: str
    what_it_is: tuple[str, ...]
    holds_down: tuple[str, ...]
    would_raise: tuple[str, ...]
    not_claimed: tuple[str, ...]
    language: str = "en"

    @property
    def text(self) -> str:
        """All sentences in a row."""
        parts = (self.what_it_is, self.holds_down, self.would_raise, self.not_claimed)
        return " ".join(sentence for part in parts for sentence in part)

    def __str__(self) -> str:
        return self.text
