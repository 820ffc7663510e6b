"""The faults a user can cause or meet, as a tree. Each child is also a builtin, so plain code can catch it.

TrefpuntError
├── InputError (ValueError)            a table, file or value does not hold what it must
├── ParamsError (ValueError)           a parameter is out of range or contradicts another
├── CatalogueError (ValueError)        a layer file is broken
├── CRSError (ValueError)              a coordinate system is missing, geographic or differs
├── IntegrityError (ValueError)        a bundled file is not the one that was published
├── MissingError (LookupError)         a sample, file, kind or id does not exist
├── OutputError (OSError)              a result cannot be written where it was asked
└── OfflineError (ConnectionError)     a server cannot be reached or does not answer
"""

from collections.abc import Sequence


class TrefpuntError(Exception):
    """Base of every fault that Trefpunt raises on purpose: its text says what, where and what to do."""


class InputError(TrefpuntError, ValueError):
    """A table, file or value does not hold what it must."""


class ParamsError(TrefpuntError, ValueError):
    """A parameter is out of range or contradicts another."""


class CatalogueError(TrefpuntError, ValueError):
    """A layer file is broken."""


class CRSError(TrefpuntError, ValueError):
    """A coordinate system is missing, geographic where metres are needed, or differs from the others."""


class IntegrityError(TrefpuntError, ValueError):
    """A bundled file is not the one that was published."""


class MissingError(TrefpuntError, LookupError):
    """A sample, file, kind or id does not exist."""

    def __str__(self) -> str:
        # LookupError's child KeyError would quote the text; a plain sentence is wanted whatever the base.
        return str(self.args[0]) if self.args else ""


class OutputError(TrefpuntError, OSError):
    """A result cannot be written where it was asked."""


class OfflineError(TrefpuntError, ConnectionError):
    """A server cannot be reached or does not answer."""


def raise_faults(faults: Sequence[str], error: type[TrefpuntError] = InputError) -> None:
    """Raise ``error`` once with every fault found, or do nothing when there is none.

    >>> raise_faults([])
    >>> raise_faults(["residents: no rows", "places: column 'kind' is missing"])
    Traceback (most recent call last):
    gisapp.errors.InputError: 2 faults:
    - residents: no rows
    - places: column 'kind' is missing
    """
    if not faults:
        return
    if len(faults) == 1:
        raise error(faults[0])
    raise error(f"{len(faults)} faults:\n" + "\n".join(f"- {fault}" for fault in faults))
