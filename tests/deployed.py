"""What the tests of the deployed stack share: media to drop, and how to follow a recording to its end."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import av

from sandbox.cloud.local_stack import LocalStack

SAMPLE = Path(__file__).parent.parent / "sandbox" / "sample" / "conversation.mp4"

PATIENCE_SECONDS = 60
ENDED = ("done", "partial", "failed", "empty")


def drop(stack: LocalStack, media: Path | bytes, key: str | None = None) -> str:
    """Put a media object into the recordings bucket by hand; returns its key, a new one unless given."""
    body = media if isinstance(media, bytes) else media.read_bytes()
    key = key or f"dropped/{uuid4().hex[:8]}.mp4"
    stack.client("s3").put_object(Bucket=stack.outputs["RecordingsBucketName"], Key=key, Body=body)
    return key


def hls_of(media: Path, folder: Path, stem: str, *, slice_seconds: float = 2.0) -> list[Path]:
    """A playlist and its slices as ffmpeg makes them of a file, the playlist last."""
    playlist = folder / f"{stem}.m3u8"
    options = {
        "hls_time": str(slice_seconds),
        "hls_list_size": "0",
        "hls_segment_filename": str(folder / f"{stem}_%d.ts"),
    }
    with av.open(str(media)) as source, av.open(str(playlist), "w", format="hls", options=options) as target:
        stream = source.streams.audio[0]
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
    return [*sorted(folder.glob(f"{stem}_*.ts"), key=lambda file: int(file.stem.rpartition("_")[2])), playlist]


def drop_all(stack: LocalStack, files: Sequence[Path], folder: str) -> str:
    """Put files into a folder of the recordings bucket by hand; the key of the last one."""
    return [drop(stack, file, f"{folder}/{file.name}") for file in files][-1]


def recording_of(stack: LocalStack, key: str, patience: float = 20) -> str:
    """The id of the recording that a dropped object became."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for recording in listed(stack):
            if any(media["key"] == key for media in recording["media"]):
                return str(recording["recording_id"])
        time.sleep(0.1)
    raise AssertionError(f"{key} became no recording")


def listed(stack: LocalStack) -> list[dict[str, Any]]:
    """All recordings, newest first."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = stack.call_api("GET", f"/recordings?limit=100{cursor}").json()
        found += answer["recordings"]
        if "cursor" not in answer:
            return found
        cursor = f"&cursor={answer['cursor']}"


def until_ended(stack: LocalStack, recording_id: str, patience: float = PATIENCE_SECONDS) -> dict[str, Any]:
    """The recording when it has a final status."""
    deadline = time.monotonic() + patience
    while True:
        recording: dict[str, Any] = stack.call_api("GET", f"/recordings/{recording_id}").json()
        if recording["status"] in ENDED:
            return recording
        assert time.monotonic() < deadline, f"still {recording['status']} after {patience} s: {recording}"
        time.sleep(0.1)


def all_ended(stack: LocalStack, recording_id: str, media: int) -> dict[str, Any]:
    """The recording when so many media objects have come and all are final: its own status may lag."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        recording = until_ended(stack, recording_id)
        if len(recording["media"]) == media and all(one["status"] in ("done", "failed") for one in recording["media"]):
            return until_ended(stack, recording_id)
        assert time.monotonic() < deadline, f"not all of {media} have ended: {recording}"
        time.sleep(0.1)


def process(stack: LocalStack, media: Path | bytes, key: str | None = None) -> dict[str, Any]:
    """Drop a media object and follow it to its end."""
    return until_ended(stack, recording_of(stack, drop(stack, media, key)))


def executions(stack: LocalStack, recording: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The executions of a recording's media objects."""
    client = stack.client("stepfunctions")
    ids = tuple(media["media_id"] for media in recording["media"])
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=stack.outputs["WorkflowArn"])
    return [e for page in pages for e in page["executions"] if e["name"].endswith(ids)]


def execution_ended(stack: LocalStack, recording: Mapping[str, Any]) -> dict[str, Any]:
    """The one execution of a recording, when it has ended (the row is final a moment before)."""
    for _ in range(100):
        [execution] = executions(stack, recording)
        if execution["status"] != "RUNNING":
            return execution
        time.sleep(0.1)
    raise AssertionError(f"{execution['name']} still runs")


def states(stack: LocalStack, recording: Mapping[str, Any]) -> list[str]:
    """The states that a recording's execution entered, in order."""
    execution = execution_ended(stack, recording)
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in history(stack, execution["executionArn"])
        if event["type"].endswith("StateEntered")
    ]


def history(stack: LocalStack, execution_arn: str) -> list[dict[str, Any]]:
    """All events of an execution."""
    pages = stack.client("stepfunctions").get_paginator("get_execution_history")
    return [event for page in pages.paginate(executionArn=execution_arn) for event in page["events"]]


def cut_sample(target: Path, *, seconds: float) -> Path:
    """Copy the first seconds of the sample conversation, without re-encoding."""
    with av.open(str(SAMPLE)) as source, av.open(str(target), "w") as copy:
        stream = source.streams.audio[0]
        copied = copy.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is None or float(packet.pts * stream.time_base) > seconds:
                continue
            packet.stream = copied
            copy.mux(packet)
    return target
