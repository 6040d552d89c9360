"""The page on integration: its calls and programs run as printed against the deployed stack."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import SLOW, STAYS, until
from tests.docs.pages import PROJECT, page
from tests.e2e.test_documents import calls_of, send

PAGE = page("docs/integrate.md")
PROGRAMS = {fence.info[2]: fence.text for fence in PAGE.fences if fence.info[1:2] == ("program",)}
NODE = Path(sys.executable).parent / "node"


def run(command: Sequence[str | Path], stack: LocalStack, folder: Path) -> list[str]:
    """Run a program of the page: it records, and is told to stop when Agora has written a file. Return its lines."""
    environment = {"PATH": os.environ["PATH"], **stack.environment()}
    with subprocess.Popen(  # noqa: S603 - a program of our page
        command, cwd=folder, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdin
        assert program.stdout
        first = program.stdout.readline().rstrip("\n")
        until_files(stack, first.rpartition("/")[2])
        program.stdin.write("\n")
        program.stdin.flush()
        lines = program.stdout.read().splitlines()
    assert program.returncode == 0
    return [first, *lines]


def until_files(stack: LocalStack, recording_id: str) -> None:
    """Wait until the recorder has written a file."""
    files = {"Bucket": stack.outputs["RecordingsBucketName"], "Prefix": f"recordings/{recording_id}/"}
    until(lambda: stack.client("s3").list_objects_v2(**files).get("Contents"), "a file of the recorder")


@pytest.mark.parametrize(
    ("name", "interpreter"),
    [
        ("record.py", sys.executable),
        pytest.param("record.mjs", NODE, marks=pytest.mark.matrix),
    ],
    ids=["Python", "JavaScript"],
)
def test_a_program_records_stops_and_prints_what_was_said(
    stack: LocalStack, tmp_path: Path, name: str, interpreter: str | Path
) -> None:
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    (tmp_path / name).write_text(PROGRAMS[name])
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    first, status, *transcript = run([interpreter, name, "support 42"], stack, tmp_path)
    assert first.startswith("Agora records /recordings/")
    assert status.strip() == "done"
    assert any("Good morning" in line for line in transcript), transcript
    listed = stack.call_api("GET", "/recordings?reference=ticket%204711").json()["recordings"]
    assert first.rpartition("/")[2] in [recording["recording_id"] for recording in listed]


@pytest.mark.matrix
def test_the_calls_of_the_page_are_answered(stack: LocalStack) -> None:
    """Each as printed. The page subscribes an address that does not exist, which the door says."""
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    [start, *_] = calls_of(PAGE, stack, "")
    started = send(stack, start)
    assert started.status_code == 201, started.text
    recording_id = started.json()["recording_id"]
    until_files(stack, recording_id)

    _, stop, insights, subscription, sync, upload = calls_of(PAGE, stack, recording_id)
    assert send(stack, stop).status_code == 202
    until(lambda: send(stack, insights).json()["status"] == "done", "the insights")
    refused = send(stack, subscription)
    assert (refused.status_code, refused.json()["field"]) == (400, "url"), refused.text
    assert send(stack, sync).json().keys() == {"recordings", "cursor", "more"}
    link = send(stack, upload)
    assert (link.status_code, link.json()["upload"]["method"]) == (201, "PUT"), link.text


def test_a_program_ends_with_the_problem_of_a_refused_request(stack: LocalStack, tmp_path: Path) -> None:
    (tmp_path / "record.py").write_text(PROGRAMS["record.py"])
    ended = subprocess.run(
        [sys.executable, "record.py", ""],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **stack.environment()},
        text=True,
        capture_output=True,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith('400 {"type":')
    assert "channel" in ended.stderr
