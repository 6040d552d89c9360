"""The commands at the end of the demo fit the shell that they are copied into."""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.cloud.location import PROJECT, Location
from sandbox.demo.next_commands import next_commands

USUAL = Location(PROJECT / ".local")


def lines(environment: dict[str, str], folder: Path = PROJECT, location: Location = USUAL) -> list[str]:
    return [line.strip() for line in next_commands(environment, folder, location, stays_up=True) if "{" in line]


def test_in_the_folder_of_the_project_they_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.demo.next_commands.program", lambda *_: ".venv/bin/recordings")
    assert lines({})[0] == ".venv/bin/recordings show {recording_id}"
    for name in ("AWS_PROFILE", "RECORDINGS_STAGE", "RECORDINGS_API_URL"):
        assert lines({name: "other"})[0].endswith("{recording_id} --stage local"), "else the command would mean that"


def test_a_stack_elsewhere_is_named(tmp_path: Path) -> None:
    elsewhere = replace(USUAL, directory=tmp_path / "stack")
    assert lines({}, tmp_path, elsewhere)[0].startswith("RECORDINGS_LOCAL_STACK=stack/stack.json ")


def test_a_stack_that_ends_with_the_demo_has_nothing_to_look_into() -> None:
    text = "\n".join(next_commands({}, PROJECT, USUAL, stays_up=False))
    assert "`make up` keeps one running" in text
    assert "recordings show" not in text
