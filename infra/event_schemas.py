"""JSON Schemas of the events on the bus: `python -m infra.event_schemas` writes docs/events.schema.json.

Each type has a schema of its envelope with an example, under `$defs`. Consumers of a type have to ignore attributes
that they do not know: a later release may add some.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from recording_insights.model.reasons import INSIGHT_REASONS, REASONS
from recording_insights.notices.events import VERSION
from recording_insights.providers.registry import PROVIDERS
from recording_insights.validation import RECORDING_ID

Schema = Mapping[str, Any]
PUBLISHED = Path(__file__).parents[1] / "docs" / "events.schema.json"
_NO_WORDS = ("recording.erased", "subscription.disabled")
"""Types without the words of a recording's caller."""

_TEXT: Schema = {"type": "string"}
_ID: Schema = {"type": "string", "pattern": f"^{RECORDING_ID}$"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
_CODE: Schema = {"type": "string", "x-extensible-enum": sorted(REASONS)}
_INSIGHTS_CODE: Schema = {"type": "string", "x-extensible-enum": sorted(INSIGHT_REASONS)}
_OF_DERIVED: Schema = {
    "insights": {
        "enum": ["pending", "done", "partial"],
        "description": "how far what a model derives is; absent if nothing is derived",
    },
    "insights_code": {**_INSIGHTS_CODE, "description": "why they are partial"},
}
_OF_RECORDING: Schema = {
    "recording_id": _ID,
    "version": {**_WHOLE, "description": "rises with each change of the recording"},
    **_OF_DERIVED,
    "stage": _TEXT,
    "reason_code": _CODE,
    "ended_by": {"enum": ["stop", "recorder"]},
    "complete_at": {**_MOMENT, "description": "since when no more files are expected"},
    "media_counts": {**_COUNTS, "description": "number of media objects by status"},
}
_OF_MEDIA: Schema = {
    "recording_id": _ID,
    "media_id": _TEXT,
    "try_number": {**_WHOLE, "description": "from 0: how often the media object was tried before"},
    "part": _WHOLE,
    "provider": {"type": "string", "x-extensible-enum": list(PROVIDERS)},
    "stage": _TEXT,
    "reason_code": _CODE,
    "duration_ms": _WHOLE,
}
_READY: Schema = {"recording_id": _ID, "status": {"enum": ["done", "partial"]}, "version": _WHOLE, **_OF_DERIVED}


class _Data(NamedTuple):
    meaning: str
    properties: Schema
    required: tuple[str, ...]
    example: Mapping[str, Any]


_R, _MEDIA_ID = "4736218b480a44149a6bac9cd17457c6", "0b1f8a3c5d7e9f02"
_EXAMPLE = {"recording_id": _R, "status": "done", "version": 11}


def _of_recording(meaning: str, statuses: list[str], **example: Any) -> _Data:
    of_status = {"enum": statuses} if statuses else _TEXT
    return _Data(meaning, {**_OF_RECORDING, "status": of_status}, ("recording_id", "status"), {**_EXAMPLE, **example})


def _of_media(meaning: str, status: str, **example: Any) -> _Data:
    named = {"recording_id": _R, "media_id": _MEDIA_ID, "status": status, "provider": "deepgram", "try_number": 0}
    properties = {**_OF_MEDIA, "status": {"const": status}}
    return _Data(meaning, properties, ("recording_id", "media_id", "status", "try_number"), {**named, **example})


DATA: Mapping[str, _Data] = {
    "recording.started": _of_recording(
        "The recorder runs.", ["recording", "processing"], status="recording", version=3
    ),
    "recording.ended": _of_recording(
        "The recorder has ended. Files may still arrive.", [], status="stopping", version=4, ended_by="stop"
    ),
    "recording.completed": _of_recording(
        "Every file that has arrived is processed. Without `complete_at`, more may come, and with it this event.",
        ["done", "partial", "empty"],
        ended_by="stop",
        media_counts={"done": 1},
    ),
    "recording.failed": _of_recording(
        "The recording failed, as `reason_code` says.",
        ["failed"],
        status="failed",
        stage="result",
        reason_code="job_failed",
        media_counts={"failed": 1},
    ),
    "media.done": _of_media(
        "A media object is done. A `reason_code` says why another try of it failed; the insights of before stay.",
        "done",
        duration_ms=61_000,
    ),
    "media.failed": _of_media(
        "A media object failed, as `reason_code` says.", "failed", stage="result", reason_code="job_failed"
    ),
    "transcript.ready": _Data(
        "The recording is done or partial, and has a transcript.", _READY, ("recording_id", "status"), _EXAMPLE
    ),
    "insights.ready": _Data(
        "The recording is done or partial, and has insights: `counts` by kind.",
        {**_READY, "counts": _COUNTS},
        ("recording_id", "status", "counts"),
        {**_EXAMPLE, "counts": {"topics": 3, "summary": 1}},
    ),
    "insights.updated": _Data(
        "Insights that were there have changed: by a correction, by names of speakers, another try is shown, or "
        "a model has derived some.",
        {
            **_READY,
            "status": _TEXT,
            "media_id": {**_TEXT, "description": "of the media object, if another try is shown"},
            "cause": {"enum": ["correction", "speakers", "try", "derived"]},
        },
        ("recording_id", "cause"),
        {**_EXAMPLE, "version": 12, "cause": "correction"},
    ),
    "recording.erased": _Data(
        "The recording was erased. The receipt has no personal data, nor has this event.",
        {"recording_id": _ID, "receipt_id": _TEXT},
        ("recording_id", "receipt_id"),
        {"recording_id": _R, "receipt_id": "rcp_7d1c3f60a4b24e0c9a55"},
    ),
    "subscription.disabled": _Data(
        "A subscription was switched off, because its events fail.",
        {
            "subscription_id": _ID,
            "reason": _TEXT,
            "failing_since": {**_MOMENT, "description": "since when none was delivered, if one failed before"},
        },
        ("subscription_id", "reason"),
        {
            "subscription_id": "9b2d7c4f1e8a4d06b3c5a7f0e1d2c3b4",
            "reason": "no event was delivered for 5 days",
            "failing_since": "2026-11-23T11:58:00.000000Z",
        },
    ),
}


def event_schemas() -> dict[str, Any]:
    """Return the document: an event is one of the envelopes under `$defs`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of Recording Insights",
        "description": "The `detail` of an event on the bus. Ignore attributes that you do not know.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in DATA],
        "$defs": {name: _envelope(name, data) for name, data in DATA.items()},
    }


def _envelope(name: str, data: _Data) -> dict[str, Any]:
    words = {
        "reference": {"type": "string", "description": "the caller's own id of the recording, if it has one"},
        "metadata": {"type": "object", "additionalProperties": _TEXT, "description": "the caller's own texts, if any"},
    }
    has_words = name not in _NO_WORDS
    example = {
        "id": "evt_0d5c1f1f7d2b4b51a2f4c9a3f4f7e6b2",
        "type": name,
        "version": VERSION,
        "time": "2026-11-28T12:00:00.000000Z",
        **({"reference": "ticket 4711"} if has_words else {}),
        "data": data.example,
    }
    return {
        "type": "object",
        "description": data.meaning,
        "properties": {
            "id": {"type": "string", "pattern": "^evt_[0-9a-f]{32}$", "description": "the same if it comes again"},
            "type": {"const": name},
            "version": {"const": VERSION},
            "time": {**_MOMENT, "description": "when the change was made"},
            **(words if has_words else {}),
            "data": {"type": "object", "properties": dict(data.properties), "required": list(data.required)},
        },
        "required": ["id", "type", "version", "time", "data"],
        "examples": [example],
    }


def text_of(document: Mapping[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(text_of(event_schemas()))
    print(f"docs/{PUBLISHED.name}")
