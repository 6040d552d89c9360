"""Findings, and the acknowledgements that let some of them pass."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path(__file__).parent / "acknowledged.toml"


@dataclass(frozen=True)
class Finding:
    """What a tool found. `resource` is `type.logical id`."""

    tool: str
    rule: str
    template: str
    resource: str
    message: str


@dataclass(frozen=True)
class Acknowledgement:
    """Lets the findings of one rule pass. `resource` is a pattern with `*` and `[…]`."""

    tool: str
    rule: str
    resource: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        same_rule = (finding.tool, finding.rule) == (self.tool, self.rule)
        return same_rule and fnmatchcase(finding.resource, self.resource)


def read_acknowledgements(file: Path = FILE) -> list[Acknowledgement]:
    """Return the acknowledgements of a file.

    Raises:
        ValueError: an entry has no reason.
        TypeError: an entry lacks another field, or has an unknown one.
    """
    entries = [Acknowledgement(**entry) for entry in tomllib.loads(file.read_text())["acknowledged"]]
    if unreasoned := [entry for entry in entries if not entry.reason]:
        raise ValueError(f"{file.name}: {unreasoned[0]} needs a reason")
    return entries


def open_findings(findings: Sequence[Finding], entries: Sequence[Acknowledgement]) -> list[Finding]:
    """Return the findings that no acknowledgement covers."""
    return [finding for finding in findings if not any(entry.covers(finding) for entry in entries)]


def unused(
    findings: Sequence[Finding], entries: Sequence[Acknowledgement], tools: Sequence[str]
) -> list[Acknowledgement]:
    """Return the acknowledgements of these tools that cover no finding."""
    return [
        entry for entry in entries if entry.tool in tools and not any(entry.covers(finding) for finding in findings)
    ]
