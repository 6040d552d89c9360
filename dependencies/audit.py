"""Known vulnerabilities of the locked packages, from pip-audit and from npm."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dependencies.locks import LOCKS
from dependencies.tools import NPM, TOOLS, Run, run

NPM_LOCKS = ("package-lock.json", "lint_cloud/package-lock.json")


@dataclass(frozen=True)
class Vulnerability:
    """`advisory` is its id or address. `fixed_in` are versions without it, and empty if none is known."""

    package: str
    version: str
    advisory: str
    fixed_in: Sequence[str] = ()


@dataclass(frozen=True)
class Audit:
    """The result for one lock. `not_checked` says, per package or for all, why nothing is known about it."""

    lock: str
    vulnerabilities: Sequence[Vulnerability] = ()
    not_checked: Sequence[str] = field(default=())


def audit_all(run: Run = run) -> Iterator[Audit]:
    """Audit every lock, those of Python first."""
    for lock in LOCKS:
        yield audit_python(lock.file, run)
    for file in NPM_LOCKS:
        yield audit_npm(file, run)


def exit_code(audits: Sequence[Audit]) -> int:
    """1 if there is a vulnerability, else 2 if something was not checked, else 0."""
    if any(audit.vulnerabilities for audit in audits):
        return 1
    return 2 if any(audit.not_checked for audit in audits) else 0


def audit_python(lock: str, run: Run = run) -> Audit:
    """Ask PyPI about each package of a lock.

    Behind a mirror without advisories, pip-audit skips packages and still ends with 0: "not found on PyPI". All
    packages of a lock are on PyPI, so such a package counts as not checked.
    """
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
    ended = run([str(TOOLS / "pip-audit"), *options, "--requirement", lock])
    answer = _json(ended.stdout)
    if "dependencies" not in answer:
        return Audit(lock, not_checked=[f"pip-audit: {_last_line(ended.stderr)}"])
    packages = answer["dependencies"]
    found = [
        Vulnerability(package["name"], package["version"], known["id"], known["fix_versions"])
        for package in packages
        for known in package.get("vulns", ())
    ]
    return Audit(lock, found, [package["skip_reason"] for package in packages if "skip_reason" in package])


def audit_npm(lock: str, run: Run = run) -> Audit:
    """Ask the npm registry about the packages of a package-lock.json."""
    folder = lock.rpartition("/")[0] or "."
    ended = run([str(NPM), "audit", "--json", "--package-lock-only", "--prefix", folder])
    answer = _json(ended.stdout)
    if "vulnerabilities" not in answer:
        reason = answer.get("message") or _last_line(ended.stderr)
        return Audit(lock, not_checked=[f"npm audit: {reason}"])
    found = [
        Vulnerability(name, entry["range"], advisory["url"])
        for name, entry in answer["vulnerabilities"].items()
        for advisory in entry["via"]
        # A name instead of an advisory: the vulnerable package is another one, which this one requires.
        if not isinstance(advisory, str)
    ]
    return Audit(lock, found)


def _json(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no output")
