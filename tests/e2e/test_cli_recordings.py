"""The command `recordings` on a deployed stack: a file and a channel from the start to the erase."""

import json
from pathlib import Path

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import STAYS, until_recording
from tests.recordings_command import run_recordings


def test_a_file_is_sent_read_and_looked_after(stack: LocalStack, clip: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        ran = run_recordings(stack, *arguments, folder=tmp_path)
        assert ran.code == 0, ran.words
        assert "X-Amz-" not in ran.out + ran.words
        return ran.out

    sent = json.loads(run("upload", str(clip), "--reference", "t 7", "--no-insights", "--wait", "--json"))
    recording_id = sent["recording_id"]
    assert (sent["status"], sent["reference"]) == ("done", "t 7")
    assert json.loads(run("list", "--reference", "t 7", "--query", "[].recording_id")) == [recording_id]
    assert "Good morning" in run("insights", "show", recording_id)
    run("insights", "export", recording_id, "--format", "srt", "--output", "a.srt")
    assert (tmp_path / "a.srt").read_text().startswith("1\n00:00:")
    plan = json.loads(run("retry", recording_id, "--force", "--dry-run", "--json"))
    assert [(item["from"], item["paid"]) for item in plan["media"]] == [("saved", False)]
    assert json.loads(run("retries", "start", "--prefix", "none/", "--dry-run", "--json"))["media"] == 0
    assert "paused" in run("providers", "pause", "symbl")
    assert "paused" not in run("providers", "resume", "symbl")
    assert recording_id in run("erase", recording_id, "--dry-run")


@pytest.mark.matrix
def test_a_channel_is_recorded_until_it_is_stopped(stack: LocalStack, tmp_path: Path) -> None:
    stack.dials(agora=STAYS)
    started = run_recordings(stack, "start", "a room", "--no-insights", "--json", folder=tmp_path)
    recording_id = started.data["recording_id"]
    until_recording(stack, recording_id)
    assert run_recordings(stack, "stop", recording_id, folder=tmp_path).code == 0
    watched = run_recordings(stack, "watch", recording_id, folder=tmp_path)
    assert watched.code == 0, watched.words
    steps = ("Start recording", "Record", "Arrive in S3", "Submit recording", "Save insights")
    assert all(f"✓ {step}" in watched.out for step in steps)
    assert "alone" not in watched.words, "it read the history"
    erased = run_recordings(stack, "erase", recording_id, "--yes", "--json", folder=tmp_path)
    assert [receipt["status"] for receipt in erased.data] == ["erasing"]
    gone = run_recordings(stack, "stop", recording_id, folder=tmp_path)
    assert (gone.code, gone.words.count("\n")) == (4, 1)
