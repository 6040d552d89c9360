"""The tools that read templates and definitions. Each returns its findings."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lint_cloud.acknowledgements import Finding
from lint_cloud.environments import FOLDER, ToolFailed, run, run_script
from lint_cloud.templates import Template, machines_alone

_FOUND = range(0, 31, 2)
"""The exit codes of cfn-lint: sums of 2, 4, 8 and 16, one for each level of its findings. 1 is a failure."""


def run_cfn_lint(templates: Sequence[Template]) -> list[Finding]:
    """Check the templates, and the definitions in them, for all regions of AWS.

    Raises:
        ToolFailed: cfn-lint failed.
    """
    files = [*templates, *(machines_alone(template, template.path.parent) for template in templates)]
    options = ["--format", "json", "--include-checks", "I", "--regions", "ALL_REGIONS"]
    command: list[str | Path] = [
        FOLDER / "cfn-lint" / "bin" / "cfn-lint",
        *options,
        "-t",
        *(file.path for file in files),
    ]
    by_path = {str(file.path): file for file in files}
    return [
        _of_cfn_lint(by_path[found["Filename"]], found) for found in json.loads(run(command, accepted=_FOUND) or "[]")
    ]


def _of_cfn_lint(template: Template, found: Mapping[str, Any]) -> Finding:
    path = [str(step) for step in found["Location"]["Path"] or []]
    resource = template.resource(path[1]) if path[:1] == ["Resources"] and len(path) > 1 else "/".join(path)
    return Finding("cfn-lint", found["Rule"]["Id"], template.name, resource, found["Message"])


def run_checkov(templates: Sequence[Template]) -> list[Finding]:
    """Check the security of the templates.

    Raises:
        ToolFailed: checkov failed, or could not read a template.
    """
    # Without its call home for the texts of guidelines.
    options = ["--framework", "cloudformation", "--output", "json", "--quiet", "--compact", "--skip-download"]
    files = [word for template in templates for word in ("--file", template.path)]
    report = json.loads(run([FOLDER / "checkov" / "bin" / "checkov", *options, *files], accepted=(0, 1)))
    if unread := report["summary"]["parsing_errors"]:
        raise ToolFailed(f"checkov cannot read {unread} of {len(templates)} templates")
    return [
        Finding(
            "checkov",
            found["check_id"],
            Path(found["file_path"]).name.removesuffix(".template.json"),
            found["resource"],
            found["check_name"],
        )
        for found in report["results"]["failed_checks"]
    ]


def run_asl_validator(templates: Sequence[Template]) -> list[Finding]:
    """Check the structure of the state machines, and that every expression can be parsed.

    Raises:
        ToolFailed: the validator failed.
    """
    machines = [(template, name, machine) for template in templates for name, machine in template.machines.items()]
    faults = run_script("validate.cjs", [machine for _, _, machine in machines])
    return [
        Finding("asl-validator", fault["rule"], template.name, template.resource(name), fault["message"])
        for (template, name, _), of_machine in zip(machines, faults, strict=True)
        for fault in of_machine
    ]


LINTERS: Mapping[str, Callable[[Sequence[Template]], list[Finding]]] = {
    "cfn-lint": run_cfn_lint,
    "checkov": run_checkov,
    "asl-validator": run_asl_validator,
}
