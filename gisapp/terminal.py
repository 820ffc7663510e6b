"""What the commands of the terminal share."""

import sys
import time

import typer

from gisapp.errors import InputError


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
