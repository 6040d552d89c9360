"""What the tests of the deployed stack share: media to drop, and how to follow a recording to its end.

Nothing here depends on the machine's speed. The stand-ins progress by calls, waits are shorter than the clock, and a
test waits for facts. `PATIENCE_SECONDS` ends a test that waits for something that will never come.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import av
from boto3.dynamodb.types import TypeDeserializer

from recording_insights.model.media_object import MediaObject
from recording_insights.model.status import ENDED
from recording_insights.store.keys import PARTITION, RECORDING, SORT
from sandbox.cloud.local_stack import LocalStack, client
from sandbox.cloud.location import REGION
from sandbox.stand_ins.vendors.registry import vendors

SAMPLE = Path(__file__).parent.parent / "sandbox" / "sample" / "conversation.mp4"

PATIENCE_SECONDS = 240

FAST, SLOW, HELD = 0.002, 0.02, 1.0
"""Wait scales. With FAST an hour of waits takes 7 s, which suits recordings that go their way alone. With SLOW it
takes 72 s: time for a test to do something to a recording that runs. With HELD the waits nearly stand still."""

BY_CALLS: Mapping[str, Mapping[str, Any]] = {
    "agora": {
        "recording_seconds": 6.0,
        "speed": 1e6,
        "joins_at_query": 2,
        "leaves_at_query": 3,
        "requests_per_second": 0,
    },
    "hearing": {"scripted": True},
    **{name: {"look_waits": True} for name in vendors()},
}
"""Dials with which the stand-ins progress by calls: a recorder joins at the second query and leaves the empty channel
at the third, and a look at a job finds it done."""
STAYS: Mapping[str, Any] = {"leaves_at_query": 1_000_000}
"""Agora's dials of a recorder that stays in the channel until it is stopped."""

Found = TypeVar("Found")
_plain = TypeDeserializer().deserialize


def start_afresh(stack: LocalStack) -> None:
    """Bring the stand-ins and the waits into the state in which every test begins."""
    stack.reset_dials()
    stack.dials(**BY_CALLS)
    stack.reset_ledger()
    stack.set_wait_scale(FAST)


def let_model_read(stack: LocalStack, reads: bool) -> None:
    """Have a model read each transcript that is ready from now on, or none: then insights stay pending."""
    events, bus = stack.client("events"), stack.outputs["EventBusName"]
    types = {
        r["Name"]: json.loads(r["EventPattern"])["detail-type"] for r in events.list_rules(EventBusName=bus)["Rules"]
    }
    [rule] = [name for name, of_rule in types.items() if of_rule == ["transcript.ready"]]
    (events.enable_rule if reads else events.disable_rule)(Name=rule, EventBusName=bus)


@contextmanager
def waits_at(stack: LocalStack, scale: float) -> Iterator[None]:
    """Let waits and retries run at this scale meanwhile."""
    stack.set_wait_scale(scale)
    try:
        yield
    finally:
        stack.set_wait_scale(FAST)


def jobs_paid(stack: LocalStack) -> dict[str, Any]:
    """What vendors would have charged so far. Each transcript is also read by the model, which is no matter of most."""
    return {name: count for name, count in stack.ledger()["paid"].items() if not name.startswith("bedrock.")}


def until(find: Callable[[], Found | None], what: str) -> Found:
    """Wait until `find` returns something that is true, and return it; `what` is missing otherwise."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)
    return found


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


def recording_of(stack: LocalStack, key: str) -> str:
    """The id of the recording that a dropped object becomes, when it has a row."""
    media = MediaObject(stack.outputs["RecordingsBucketName"], key, "", 0, datetime.now(UTC))
    recording_id = next(iter(media.folder_ids), media.own_recording_id)
    until(lambda: row(stack, recording_id), f"a recording of {key}")
    return recording_id


def row(stack: LocalStack, recording_id: str) -> dict[str, Any] | None:
    """The recording's row. To look at it costs little, runs no function, and asks Agora nothing."""
    item = _dynamodb(stack.endpoint_url, stack.access_key_id, stack.secret_access_key).get_item(
        TableName=stack.outputs["InsightsTableName"],
        Key={PARTITION: {"S": recording_id}, SORT: {"S": RECORDING}},
        ConsistentRead=True,
    )
    return {name: _plain(value) for name, value in item["Item"].items()} if "Item" in item else None


@cache
def _dynamodb(endpoint_url: str, access_key_id: str, secret_access_key: str) -> Any:
    keys = {"aws_access_key_id": access_key_id, "aws_secret_access_key": secret_access_key}
    return client("dynamodb", endpoint_url=endpoint_url, region_name=REGION, **keys)


def until_row(
    stack: LocalStack, recording_id: str, so: Callable[[dict[str, Any]], object], what: str
) -> dict[str, Any]:
    """The recording's row when something is so."""

    def find() -> dict[str, Any] | None:
        found = row(stack, recording_id)
        return found if found and so(found) else None

    return until(find, f"{what} of recording {recording_id}")


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


def read(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    """The recording as the API returns it."""
    return dict(stack.call_api("GET", f"/recordings/{recording_id}").json())


def until_recording(stack: LocalStack, recording_id: str) -> None:
    """Wait until the recorder has joined its channel; use it with a recorder that stays there.

    Media of it that has come makes the recording `processing`.
    """
    found = until_row(stack, recording_id, lambda row: row["status"] != "starting", "the recorder")
    assert found["status"] in ("recording", "processing"), found


def until_ended(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    """The recording when it has a final status."""
    until_row(stack, recording_id, lambda row: row["status"] in ENDED, "the end")
    return read(stack, recording_id)


def until_waits(stack: LocalStack, recording_id: str, code: str) -> dict[str, Any]:
    """The media object of a recording, when it waits with this reason code."""

    def find() -> dict[str, Any] | None:
        media = read(stack, recording_id)["media"]
        return dict(media[0]) if media and media[0].get("reason_code") == code else None

    return until(find, f"a media object that waits: {code}")


def all_ended(stack: LocalStack, recording_id: str, media: int) -> dict[str, Any]:
    """The recording when so many media objects have come and all are final: its own status may lag."""

    def find() -> dict[str, Any] | None:
        recording = until_ended(stack, recording_id)
        final = [one for one in recording["media"] if one["status"] in ("done", "failed")]
        return recording if len(final) == len(recording["media"]) == media else None

    until(find, f"the end of {media} media objects of recording {recording_id}")
    return until_ended(stack, recording_id)


def process(stack: LocalStack, media: Path | bytes, key: str | None = None) -> dict[str, Any]:
    """Drop a media object and follow it to its end."""
    return until_ended(stack, recording_of(stack, drop(stack, media, key)))


def executions(stack: LocalStack, recording: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The executions of a recording's media objects."""
    client = stack.client("stepfunctions")
    ids = [media["media_id"] for media in recording["media"]]
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=stack.outputs["WorkflowArn"])
    return [e for page in pages for e in page["executions"] if any(each in e["name"] for each in ids)]


def execution_ended(stack: LocalStack, recording: Mapping[str, Any]) -> dict[str, Any]:
    """The one execution of a recording, when it has ended (the row is final a moment before)."""

    def find() -> dict[str, Any] | None:
        [execution] = executions(stack, recording)
        return execution if execution["status"] != "RUNNING" else None

    return until(find, "the end of the execution")


def entered(stack: LocalStack, execution: Mapping[str, Any]) -> list[str]:
    """The states that an execution has entered so far, in order."""
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in history(stack, execution["executionArn"])
        if event["type"].endswith("StateEntered")
    ]


def until_entered(stack: LocalStack, execution: Mapping[str, Any], *states: str) -> None:
    """Wait until an execution enters one of these states."""
    until(lambda: not {*states}.isdisjoint(entered(stack, execution)), " or ".join(states))


def states(stack: LocalStack, recording: Mapping[str, Any]) -> list[str]:
    """The states that a recording's execution entered, in order."""
    return entered(stack, execution_ended(stack, recording))


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
            if packet.dts is None or packet.pts is None or packet.pts * (stream.time_base or 0) > seconds:
                continue
            packet.stream = copied
            copy.mux(packet)
    return target
