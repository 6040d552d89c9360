"""Have the stack's templates and state machines checked by tools of others: `make lint-cloud`.

It fails if a tool has a finding that `acknowledged.toml` does not cover, if an entry there covers nothing, if the
reference implementation of JSONata gives an expression another value, or if no test evaluates an expression.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))

from rich.console import Console

from cli.terminal.phases import Phases
from lint_cloud.acknowledgements import Acknowledgement, Finding, open_findings, read_acknowledgements, unused
from lint_cloud.environments import FOLDER, ToolFailed
from lint_cloud.expressions import Difference, Place, differences, never_evaluated, record_evaluations
from lint_cloud.linters import LINTERS
from lint_cloud.templates import CONTEXTS, Template, synthesise

EXPRESSIONS = "expressions"
CHECKS = (*LINTERS, EXPRESSIONS)


@dataclass
class Report:
    """What the checks found."""

    acknowledged: int = 0
    unacknowledged: list[Finding] = field(default_factory=list)
    unused: list[Acknowledgement] = field(default_factory=list)
    evaluations: int = 0
    differences: list[Difference] = field(default_factory=list)
    never_evaluated: list[Place] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.unacknowledged or self.unused or self.differences or self.never_evaluated)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 1 if a check is not clean, or if a tool fails."""
    chosen = _options().parse_args(arguments)
    checks = chosen.only or CHECKS
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    phases = Phases(console)
    report = Report()
    try:
        templates = _synthesise(phases)
        _lint(templates, [check for check in LINTERS if check in checks], report, phases)
        if EXPRESSIONS in checks:
            _repeat_evaluations(templates, chosen.workers, report, phases, console)
    except ToolFailed as failure:
        phases.say(str(failure))
        return 1
    if chosen.json:
        print(json.dumps(_as_json(report, phases), indent=2))
    else:
        _show(report, phases)
    return int(not report.clean)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lint_cloud", description=__doc__)
    parser.add_argument("--only", action="append", choices=CHECKS, help="a check; repeat for more (all)")
    parser.add_argument("--workers", type=int, default=2, help="processes of the tests that record expressions (2)")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    return parser


def _synthesise(phases: Phases) -> list[Template]:
    folder = FOLDER / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    with phases.phase("Synthesise") as progress:
        templates = []
        for name in CONTEXTS:
            progress(name)
            templates.append(synthesise(name, folder))
    return templates


def _lint(templates: Sequence[Template], tools: Sequence[str], report: Report, phases: Phases) -> None:
    findings = []
    for tool in tools:
        with phases.phase(tool):
            findings += LINTERS[tool](templates)
    entries = read_acknowledgements()
    report.unacknowledged = open_findings(findings, entries)
    report.acknowledged = len(findings) - len(report.unacknowledged)
    report.unused = unused(findings, entries, tools)


def _repeat_evaluations(
    templates: Sequence[Template], workers: int, report: Report, phases: Phases, console: Console
) -> None:
    with phases.phase("Record what tests evaluate") as progress:
        report_line = progress if console.is_terminal else phases.say
        evaluations = record_evaluations(FOLDER / "evaluations", workers, report_line)
    with phases.phase("Repeat it with the reference implementation of JSONata"):
        report.differences = differences(evaluations)
    definitions = [machine for template in templates for machine in template.machines.values()]
    report.evaluations = len(evaluations)
    report.never_evaluated = never_evaluated(definitions, evaluations)


def _as_json(report: Report, phases: Phases) -> dict[str, Any]:
    seconds = {title: round(seconds, 1) for title, seconds in phases.seconds.items()}
    return {"clean": report.clean, **asdict(report), "seconds": seconds}


def _show(report: Report, phases: Phases) -> None:
    for finding in report.unacknowledged:
        phases.say(f"{finding.tool} {finding.rule} {finding.template} {finding.resource}\n  {finding.message}")
    for entry in report.unused:
        phases.say(f"acknowledged.toml: {entry.tool} {entry.rule} {entry.resource} covers no finding. Delete it.")
    for difference in report.differences:
        evaluation = difference.evaluation
        phases.say(f"{evaluation.state}: {evaluation.expression}\n  with $states = {json.dumps(evaluation.states)}")
        phases.say(f"  is {evaluation.failed or json.dumps(evaluation.value)}, not {json.dumps(difference.reference)}")
    for state, expression in report.never_evaluated:
        phases.say(f"{state}: no test evaluates {expression}")
    phases.say(
        f"{len(report.unacknowledged)} findings, {report.acknowledged} acknowledged, {len(report.unused)} "
        f"acknowledgements unused; {report.evaluations} evaluations, {len(report.differences)} differ, "
        f"{len(report.never_evaluated)} expressions never evaluated"
    )


if __name__ == "__main__":
    sys.exit(main())
