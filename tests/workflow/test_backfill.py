"""`recordings backfill` and `recordings cost` on the deployed stack, run as an operator runs them."""

import io
import json
import os
import signal
import subprocess
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import jobs_paid, recording_of, row, until
from tests.recordings_command import Ran, command_of, run_recordings
from tests.workflow.aws_faults import without_rule
from tests.workflow.test_sweep import ARRIVALS

SLOTS = 5


def tone(number: int) -> bytes:
    """A second of sound, unlike that of any other number."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(number.to_bytes(4, "big") * 4000)
    return content.getvalue()


@contextmanager
def history(stack: LocalStack, number: int) -> Iterator[tuple[str, list[str]]]:
    """A prefix with so many media objects that no event announced, and their keys; a provider with few slots."""
    s3, bucket = stack.client("s3"), stack.outputs["RecordingsBucketName"]
    prefix = f"history-{uuid4().hex[:8]}/"
    keys = [f"{prefix}call {each:03}.wav" for each in range(number)]
    with without_rule(stack, ARRIVALS):
        for each, key in enumerate(keys):
            s3.put_object(Bucket=bucket, Key=key, Body=tone(each))
        s3.put_object(Bucket=bucket, Key=f"{prefix}notes.txt", Body=b"of the calls")
        s3.put_object(Bucket=bucket, Key=f"{prefix}cold.wav", Body=tone(9999), StorageClass="DEEP_ARCHIVE")
        stack.call_api("PUT", "/providers/marsview", json={"slots": SLOTS})
        try:
            yield prefix, keys
        finally:
            stack.call_api("PUT", "/providers/marsview", json={"slots": None})


def take_in(stack: LocalStack, folder: Path, *arguments: str) -> Ran:
    return run_recordings(stack, "backfill", *arguments, "--json", folder=folder)


def test_history_is_taken_in_once_and_its_cost_is_summed_up(stack: LocalStack, tmp_path: Path) -> None:
    with history(stack, 10) as (prefix, keys):
        (tmp_path / "keys.txt").write_text("\n".join(keys[:2]))
        named = take_in(stack, tmp_path, "--from-file", "keys.txt", "--yes")
        assert (named.code, named.data["done"]) == (0, 2), named.words

        planned = take_in(stack, tmp_path, prefix, "--dry-run").data
        assert (planned["new"], planned["estimate"]["hours"]) == (8, round(8 / 3600, 4))
        assert {group["code"]: group["number"] for group in planned["skipped"]} == {
            "not_media": 1,
            "archived": 1,
            "done": 2,
        }
        unasked = take_in(stack, tmp_path, prefix)
        assert (unasked.code, "--yes" in unasked.words) == (2, True)
        ran = take_in(stack, tmp_path, prefix, "--yes", "--provider", "marsview")
        assert (ran.code, ran.data["done"], ran.data["left"], ran.data["failed"]) == (0, 8, 0, []), ran.words
        assert jobs_paid(stack) == {"marsview.transactions_computed": 10}

    first = recording_of(stack, keys[0])
    of_one = run_recordings(stack, "cost", first, "--json", folder=tmp_path).data
    assert {part["part"]: part["dollars"] is None for part in of_one["parts"]} == {
        "aws": False,
        "provider": True,
        "model": False,
    }
    of_hour = run_recordings(stack, "cost", "--since", "1h", "--json", folder=tmp_path).data
    assert of_hour["all"]["recordings"] >= 10
    [marsview] = [each for each in of_hour["by_provider"] if each["name"] == "marsview"]
    assert (marsview["provider"], marsview["unknown"]["provider"] >= 10) == (None, True), "not known is not 0"


@pytest.mark.matrix
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", [40, 500])
def test_a_backfill_that_is_killed_goes_on_and_pays_once_for_each(
    stack: LocalStack, tmp_path: Path, number: int
) -> None:
    with history(stack, number) as (prefix, keys):
        command, environment = command_of(stack, tmp_path, "backfill", prefix, "--yes", "--json")
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as first:  # noqa: S603
            until(lambda: jobs_paid(stack).get("marsview.transactions_computed", 0) >= number // 4, "some jobs")
            os.kill(first.pid, signal.SIGKILL)

        ran = run_recordings(stack, "backfill", prefix, "--yes", "--json", folder=tmp_path, seconds=1500)

        assert (ran.code, ran.data["left"], ran.data["failed"]) == (0, 0, []), ran.words
        assert jobs_paid(stack) == {"marsview.transactions_computed": number}
        rows = [row(stack, recording_of(stack, key)) for key in keys]
        assert {found["status"] for found in rows if found} == {"done"}, json.dumps(rows, default=str)
