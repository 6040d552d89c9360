"""The runbook has a section for each alarm, and no other one. Each section says what a woken person needs."""

import re

import pytest

from infra.alarms import RUNBOOK, Section
from tests.docs.commands import Command, commands_in
from tests.docs.pages import anchor_of, page

LABELS = ("**First look.**", "**Command.**", "**Escalate.**")


def headings() -> list[str]:
    """The headings of the sections about alarms."""
    return [line.removeprefix("### ") for line in page(RUNBOOK).section("## Alarms") if line.startswith("### ")]


def command_of(section: Section) -> Command:
    """The command of a section of the runbook."""
    _, _, rest = page(RUNBOOK).path.read_text().partition(f"\n### {section}\n")
    below = rest.partition("\n##")[0].partition("**Command.**")[2]
    [text] = re.findall(r"```sh\n(.*?)```", below, flags=re.DOTALL)
    [command] = commands_in(text)
    return command


def test_each_alarm_has_its_section() -> None:
    assert headings() == [str(section) for section in Section]


@pytest.mark.parametrize("section", Section, ids=lambda section: section.name.lower())
def test_a_section_has_a_first_look_one_command_and_an_escalation(section: Section) -> None:
    """And the alarm's link leads to it."""
    assert section.link == f"{RUNBOOK}#{anchor_of(section)}"
    lines = page(RUNBOOK).section(f"### {section}")
    assert [label for line in lines for label in LABELS if line.startswith(label)] == [*LABELS]
    assert command_of(section)
