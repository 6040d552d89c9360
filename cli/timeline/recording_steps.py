"""The steps of a recording, from its row and its media objects as GET /recordings/{recording_id} returns them.

Times are those that the API returns, so that a recording looks the same whoever follows it, and since when.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cli.timeline.execution_steps import Event, steps_of
from cli.timeline.step import State, Step

ENDED = ("done", "partial", "failed", "empty")
READY = ("done", "partial")
_ENDED_BY = {"stop": "stopped by a call of the API", "recorder": "the recorder left by itself"}

Row = Mapping[str, Any]
Histories = Mapping[str, Sequence[Event]]
"""Of media objects, by their ids: the events of their present executions."""


def recorder_may_run(recording: Row) -> bool:
    """Whether the recorder of a recording may still be in its channel."""
    if "channel" not in recording or recording.keys() & {"stopped_at", "complete_at"}:
        return False
    return recording["status"] not in ("failed", "empty") or recording.get("stage") != "recorder"


def has_ended(recording: Row) -> bool:
    """Whether nothing more is expected of the recorder, the media objects that arrived, and the model."""
    return recording["status"] in ENDED and recording["insights"] != "pending" and not recorder_may_run(recording)


def steps_of_recording(recording: Row, histories: Histories, now: datetime | None = None) -> list[Step]:
    """Return the steps of a recording in their order: of the recorder or the upload, the media objects, the model.

    A media object without a history has the steps that its row tells of.
    """
    now = now or datetime.now(UTC)
    media = recording.get("media", [])
    steps = [*_before_media(recording, now), *_arrival(media)]
    for item in media:
        history = histories.get(item["media_id"])
        of = _name_of(item)
        for step in steps_of(history, now) if history else steps_of_media(item, now):
            step.of = of
            steps.append(step)
    return [*steps, *_after_media(recording, now)]


def steps_of_media(item: Row, now: datetime) -> list[Step]:
    """Return the steps of one media object, from its row alone."""
    arrived, submitted = _moment(item.get("arrived_at")), _moment(item.get("submitted_at"))
    finished, status = _moment(item.get("finished_at")), item.get("status", "waiting")
    why = str(item.get("reason") or item.get("reason_code") or "")
    if status == "preparing":
        return [Step("Prepare media", "running", _seconds(arrived, now), why)]
    if status == "waiting":
        return [Step("Submit recording", "running", _seconds(arrived, now), why)]
    accepted = [Step("Submit recording", "done", _seconds(arrived, submitted), f"accepted by {item.get('provider')}")]
    steps = accepted if submitted else []
    if status == "submitted":
        return [*steps, Step("Await result", "running", _seconds(submitted, now), why)]
    seconds = _seconds(submitted or arrived, finished)
    if status == "failed":
        return [*steps, Step("Report failure", "failed", seconds, why)]
    counts = {kind.replace("_", " "): count for kind, count in item.get("counts", {}).items()}
    if pages := counts.pop("transcript", None):
        counts["page of transcript"] = pages
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return [*steps, Step("Save insights", "done", seconds, found or why)]


def _before_media(recording: Row, now: datetime) -> list[Step]:
    """The steps until media is in S3: of a recorder, or of an upload. A file that was put by hand has none."""
    created = _moment(recording["created_at"])
    if "file" in recording:
        return [_upload(recording, created, now)]
    if "channel" not in recording:
        return []
    if "sid" not in recording:
        state: State = "failed" if recording["status"] in ENDED else "running"
        return [Step("Start recording", state, _seconds(created, now), str(recording.get("reason") or ""))]
    start = Step("Start recording", "done", 0.0, f"POST /recordings → sid {recording['sid']}")
    return [start, _record(recording, created, now)]


def _record(recording: Row, created: datetime | None, now: datetime) -> Step:
    stopped = _moment(recording.get("stopped_at"))
    if stopped:
        return Step("Record", "done", _seconds(created, stopped), _ENDED_BY.get(recording.get("ended_by", ""), ""))
    if not recorder_may_run(recording):
        failed = recording["status"] == "failed"
        why = str(recording.get("reason") or "")
        return Step("Record", "failed" if failed else "done", _seconds(created, None), why)
    live = recording.get("live") or {}
    state = str(live.get("meaning") or recording["status"])
    if recording["status"] in ENDED or recording.get("media"):
        state = "the stack has not noticed yet whether the recorder has left"
    elif "meaning" in live:
        state = f"Agora: {state}"
    return Step("Record", "running", _seconds(created, now), state)


def _upload(recording: Row, created: datetime | None, now: datetime) -> Step:
    file, media = recording["file"], recording.get("media", [])
    if media:
        arrived = _moment(media[0].get("arrived_at"))
        return Step("Upload", "done", _seconds(created, arrived), f"{file.get('name')}, {file.get('size')} bytes")
    if recording["status"] in ENDED:
        return Step("Upload", "failed", _seconds(created, None), str(recording.get("reason") or ""))
    until = recording.get("upload_expires_at")
    return Step("Upload", "running", _seconds(created, now), f"waits for {file.get('name')}, until {until}")


def _arrival(media: Sequence[Row]) -> list[Step]:
    keys = [str(item["key"]) for item in media]
    others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return [Step("Arrive in S3", "done", 0.0, f"{keys[0]}{others}")] if keys else []


def _after_media(recording: Row, now: datetime) -> list[Step]:
    """The step in which a model derives insights, once the transcript is there."""
    if recording["status"] not in ENDED or recording["insights"] == "off":
        return []
    finished = [at for item in recording.get("media", []) if (at := _moment(item.get("finished_at")))]
    since = max(finished, default=None)
    if recording["insights"] == "pending":
        waits = "waits until the stack notices that the recorder has left"
        why = waits if recorder_may_run(recording) else "by the model in Bedrock"
        return [Step("Derive insights", "running", _seconds(since, now), why)]
    detail = str(recording.get("insights_reason") or recording["insights"])
    return [Step("Derive insights", "done", _seconds(since, _moment(recording.get("updated_at"))), detail)]


def _name_of(item: Row) -> str:
    """A short name of a media object among others: its uid, or the end of its key."""
    if "uid" in item:
        return f"uid {item['uid']}"
    if "part" in item:
        return f"part {item['part']}"
    return str(item["key"]).rpartition("/")[2]


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None


def _seconds(start: datetime | None, end: datetime | None) -> float:
    """How long something took. The clock of this machine may differ from AWS's, so it is 0 at least."""
    return max((end - start).total_seconds(), 0.0) if start and end else 0.0
