"""An audit is clean only if every package was checked. The answers are those of pip-audit 2.10.1 and npm 11."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from dependencies import __main__ as command
from dependencies.audit import Audit, Vulnerability, audit_all, audit_npm, audit_python, exit_code
from dependencies.tools import Ended

SOUND = {"name": "idna", "version": "3.20", "vulns": []}
KNOWN = {"id": "PYSEC-2026-1", "fix_versions": ["2.8.1"], "aliases": ["CVE-2026-1"], "description": "…"}
VULNERABLE = {"name": "urllib3", "version": "2.8.0", "vulns": [KNOWN]}
SKIPPED = {
    "name": "requests",
    "skip_reason": "Dependency not found on PyPI and could not be audited: requests (2.34.2)",
}
NPM_FOUND = {
    "vulnerabilities": {
        "aws-cdk": {"name": "aws-cdk", "range": "<=2.1", "via": ["semver"]},
        "semver": {"name": "semver", "range": "<7.5.2", "via": [{"title": "ReDoS", "url": "https://advisory.test/1"}]},
    }
}
NPM_REFUSED = {
    "message": "405 Method Not Allowed - POST …/advisories/bulk",
    "statusCode": 405,
    "error": {"summary": ""},
}


class Tool:
    """Stands for pip-audit and npm: always the same answer."""

    def __init__(self, answer: Any, *, stderr: str = "", code: int = 0) -> None:
        self.ended = Ended(answer if isinstance(answer, str) else json.dumps(answer), stderr, code)
        self.commands: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> Ended:
        self.commands.append(command)
        return self.ended


def test_packages_that_the_index_does_not_know_are_not_clean() -> None:
    """pip-audit ends with 0 and says that it found nothing."""
    audit = audit_python("a-lock.txt", Tool({"dependencies": [SOUND, SKIPPED], "fixes": []}))
    assert audit == Audit("a-lock.txt", [], [SKIPPED["skip_reason"]])
    assert exit_code([Audit("b-lock.txt"), audit]) == 2


def test_a_vulnerability_comes_before_what_was_not_checked() -> None:
    audit = audit_python("a-lock.txt", Tool({"dependencies": [VULNERABLE, SKIPPED], "fixes": []}, code=1))
    assert audit.vulnerabilities == [Vulnerability("urllib3", "2.8.0", "PYSEC-2026-1", ["2.8.1"])]
    assert exit_code([audit]) == 1


def test_everything_checked_and_nothing_found_is_clean() -> None:
    tool = Tool({"dependencies": [SOUND], "fixes": []})
    assert (
        exit_code([audit_python("a-lock.txt", tool), audit_npm("package-lock.json", Tool({"vulnerabilities": {}}))])
        == 0
    )
    assert tool.commands[0][-2:] == ["--requirement", "a-lock.txt"]


@pytest.mark.parametrize("answer", ["", "Traceback …", "[]"])
def test_an_index_that_is_not_reached_is_not_clean(answer: str) -> None:
    stderr = "Traceback …\nERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\n"
    audit = audit_python("a-lock.txt", Tool(answer, stderr=stderr, code=1))
    assert audit.not_checked == ["pip-audit: ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"]
    assert exit_code([audit]) == 2


def test_npm_that_is_refused_is_not_clean() -> None:
    audit = audit_npm("lint_cloud/package-lock.json", Tool(NPM_REFUSED, code=1))
    assert audit.not_checked == ["npm audit: 405 Method Not Allowed - POST …/advisories/bulk"]


def test_npm_names_the_package_that_has_the_advisory() -> None:
    tool = Tool(NPM_FOUND, code=1)
    audit = audit_npm("lint_cloud/package-lock.json", tool)
    assert audit.vulnerabilities == [Vulnerability("semver", "<7.5.2", "https://advisory.test/1")]
    assert tool.commands[0][-2:] == ["--prefix", "lint_cloud"]


def test_the_command_says_that_this_is_no_clean_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = Tool({"dependencies": [SKIPPED, SKIPPED]})
    monkeypatch.setattr(command, "audit_all", lambda: audit_all(tool))
    assert command.main(["audit"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert f"requirements-lock.txt: NOT CHECKED: {SKIPPED['skip_reason']} (2 such packages)" in lines
    assert lines[-1].startswith("NOT EVERYTHING WAS CHECKED")
    assert command.main(["audit", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["clean"] is False
