"""What the commands of the terminal share."""

import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from gisapp.errors import InputError

if TYPE_CHECKING:
    from gisapp.area import StudyArea

_TOLD = ("own_", "places_addresses", "places_geocoded", "places_not_found")


def parse_groups(text: str) -> dict[str, list[str]]:
    """Read the --groups text: dimensions and the count columns that are its groups.

    >>> parse_groups("origin=NAT,OTH;age=Y_LT15")
    {'origin': ['NAT', 'OTH'], 'age': ['Y_LT15']}
    """
    groups: dict[str, list[str]] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        dimension, equals, columns = part.partition("=")
        names = [c.strip() for c in columns.split(",") if c.strip()]
        if not equals or not dimension.strip() or not names or ":" in part:
            raise InputError(
                f"--groups '{part}': write dimension=COLUMN,COLUMN, such as 'age=Y_LT15,Y_1564,Y_GE65'."
            )
        if dimension.strip() in groups:
            raise InputError(f"--groups: '{dimension.strip()}' is named twice.")
        groups[dimension.strip()] = names
    if not groups:
        raise InputError("--groups: is empty; write for instance 'age=Y_LT15,Y_1564,Y_GE65'.")
    return groups


def check_own_data(**given: Any) -> None:
    """Raise ``InputError`` where an option is given without the one that it says something about.

    >>> check_own_data(residents=None, groups="age=A,B", published=None, keep_exact=True)
    Traceback (most recent call last):
    gisapp.errors.InputError: --groups and --keep-exact go with --residents.
    """
    for owner, names in (
        ("residents", ("zones", "key", "groups", "published", "keep_exact")),
        ("places", ("geocode",)),
    ):
        alone = [f"--{name.replace('_', '-')}" for name in names if given.get(name)]
        if alone and not given.get(owner):
            raise InputError(f"{' and '.join(alone)} {'go' if len(alone) > 1 else 'goes'} with --{owner}.")
    if given.get("keep_exact") and given.get("published"):
        raise InputError("--keep-exact is for counts that nobody published: give either that or --published.")


def tell_own_places(area: "StudyArea") -> None:
    """Print what was made of the planner's own lists."""
    for finding in area.quality.findings:
        if finding.code.startswith(_TOLD):
            typer.echo(finding.sentence)


class Progress:
    """Says on stderr what is being done, when somebody watches."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.shown = sys.stderr.isatty()

    def __call__(self, step: str) -> None:
        if self.shown:
            typer.echo(f"{time.monotonic() - self.start:5.1f} s  {step}", err=True)

    def done(self) -> None:
        self("Done")
