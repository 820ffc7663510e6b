"""What was found, dropped, not reached or invented: the part of a result that says how far to trust it."""

import json
from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "note", "warning"]


@dataclass(frozen=True)
class Finding:
    """One line of the quality report: a stable ``code``, a plain sentence and the counts behind it."""

    code: str
    sentence: str
    level: Level = "info"
    count: float | None = None
    total: float | None = None

    def __post_init__(self) -> None:
        # Counts often come out of arrays, whose numbers JSON does not know.
        for name in ("count", "total"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, int(value) if float(value).is_integer() else float(value))


@dataclass(frozen=True)
class Quality:
    """The quality report of an area or a result.

    >>> quality = Quality().add("homes_unsnapped", "2 of 40 homes lie over 100 m from a path.", "warning", 2, 40)
    >>> quality["homes_unsnapped"].count
    2
    """

    findings: tuple[Finding, ...] = ()
    missing_kinds: tuple[str, ...] = ()

    def add(
        self,
        code: str,
        sentence: str,
        level: Level = "info",
        count: float | None = None,
        total: float | None = None,
    ) -> "Quality":
        """Return a report with one more finding; a finding of the same code is replaced."""
        kept = tuple(f for f in self.findings if f.code != code)
        return Quality((*kept, Finding(code, sentence, level, count, total)), self.missing_kinds)

    def with_missing_kinds(self, kinds: tuple[str, ...]) -> "Quality":
        """Return a report that names the selected kinds of which the area has no place."""
        return Quality(self.findings, kinds)

    def __getitem__(self, code: str) -> Finding:
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(code)

    def __contains__(self, code: object) -> bool:
        return any(f.code == code for f in self.findings)

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(
            {"findings": [vars(f) for f in self.findings], "missing_kinds": self.missing_kinds},
            ensure_ascii=False,
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> "Quality":
        """Read what ``to_json`` wrote."""
        value = json.loads(text)
        return cls(tuple(Finding(**f) for f in value["findings"]), tuple(value["missing_kinds"]))
