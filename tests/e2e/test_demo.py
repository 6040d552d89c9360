"""The demo on the deployed stack, with a file of the user's own."""

import io
import os
import re
import subprocess
import wave
from pathlib import Path

import av
import pytest
from rich.console import Console

from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT, Location
from sandbox.demo.follow_recording import run_demo
from sandbox.demo.next_commands import next_commands
from sandbox.demo.recording_plan import RecordingPlan
from tests.deployed import SAMPLE


def as_wav(source: Path, target: Path, seconds: int) -> Path:
    """The first seconds of a recording as 16-bit mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(source)) as container, wave.open(str(target), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        for frame in container.decode(audio=0):
            if frame.time is None or frame.time > seconds:
                break
            for part in resampler.resample(frame):
                sound.writeframes(bytes(part.planes[0])[: part.samples * 2])
    return target


def assert_it_runs(command: str, folder: Path) -> None:
    """A command that was printed runs as it is, in a shell in the folder that it is for."""
    variables = {"PATH": os.defpath, "PYTHONPATH": f"{PROJECT}:{PROJECT / 'functions'}", "NO_COLOR": "1"}
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=variables, capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert (done.returncode, bool(done.stdout)) == (0, True), f"{command}: {done.stderr}"


@pytest.mark.usefixtures("reading_model")
def test_it_shows_each_step_and_what_came_out(stack: LocalStack, tmp_path: Path) -> None:
    stack.dials(agora={"recording_seconds": None}, hearing={"scripted": False})
    written = io.StringIO()
    own = RecordingPlan(as_wav(SAMPLE, tmp_path / "own.wav", seconds=17))
    stack.save(tmp_path / "stack.json")
    more = next_commands({"PATH": os.defpath}, tmp_path, Location(tmp_path), stays_up=True)
    code = run_demo(stack, Console(file=written, width=120), own, more=more)
    shown = written.getvalue()
    assert code == 0, shown
    steps = ["Start recording", "Arrive in S3", "Submit recording", "Wait", "Poll job", "Save insights"]
    positions = [shown.index(f"✓ {step}") for step in steps]
    assert positions == sorted(positions)
    assert "✓ Record  " in shown
    for command in (line for line in shown.splitlines() if "bin/recordings " in line):
        assert_it_runs(command, tmp_path)
    assert "The table was broken when it came to my house" in shown
    assert "speaker 1" in shown
    assert "speaker 2" in shown
    assert re.search(r"\$0\.000\d{3} on AWS, (\$\d+\.\d{6}|an unknown amount) at the provider", shown)

    places = dict(line.split(maxsplit=1) for line in shown.splitlines() if line.startswith(("row ", "recording ")))
    table, _, recording_id = places["row"].removeprefix("table ").partition(", pk ")
    key = {"pk": {"S": recording_id}, "sk": {"S": "RECORDING"}}
    assert stack.client("dynamodb").get_item(TableName=table, Key=key)["Item"]["status"] == {"S": "done"}
    [reply] = [line.split(maxsplit=2)[2] for line in shown.splitlines() if line.startswith("raw reply")]
    bucket, _, where = reply.removeprefix("s3://").partition("/")
    assert b"table was broken" in stack.client("s3").get_object(Bucket=bucket, Key=where)["Body"].read()
