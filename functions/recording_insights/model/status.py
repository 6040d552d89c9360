"""Statuses: the status of a recording follows from those of its media objects."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from recording_insights.model.media_object import is_made_of_segments
from recording_insights.model.parts import continuation_suffix, newer_versions, newest_per_key
from recording_insights.model.places import length_of_recording
from recording_insights.model.reasons import Stage
from recording_insights.store.rows import MediaRow, RecordingChanges, RecordingRow, Summary

ERASING = "erasing"
"""The status of a recording that is being erased. Nothing leads out of it."""
CHANGEABLE = ("starting", "recording", "stopping", "processing", "done", "partial", "failed", "empty")
"""The statuses of a recording that is there to stay."""
RECORDING_STATUSES = (*CHANGEABLE, ERASING)
ENDED = ("done", "partial", "failed", "empty")
"""The statuses in which nothing more is expected of the files of a recording that have arrived."""
READY = ("done", "partial")
"""The statuses in which there is something to read."""
FINAL = ("done", "failed")
"""The terminal statuses of a media object."""
LONGEST_REASON = 2000
"""Upper bound on the reason of a recording, in characters."""
LONGEST_SUMMARY_REASON = 200
"""Upper bound on the reason of a media object in its recording's row, in characters."""
MOST_SUMMARIES = 10
"""A recording may have thousands of media objects, and DynamoDB takes rows of up to 400 KB."""
_FIRST_NAMED = {"failed": 0, "done": 2}
"""Failed media objects come first, then those that are unfinished."""


def settled(recording: RecordingRow, media: Sequence[MediaRow], *, sid: str | None = None) -> RecordingChanges:
    """Return what changes in a recording because of its media objects; empty if nothing changes.

    Covers the status, the reason, the code and the stage of it, the numbers of media objects by status and of insights
    by kind, their length, summaries of the first of them, and the sid if the recording has none; and that something is
    to be derived from its transcript. None removes an attribute.
    """
    # Without a status, a row was changed by hand; its own execution brings it to an end.
    media = [row if "status" in row else cast(MediaRow, {**row, "status": "waiting"}) for row in media]
    status, reason = derive_status(recording["status"], media)
    cause = _cause(media, status)
    after: RecordingChanges = {
        "status": status,
        "reason": reason,
        "reason_code": cause.get("reason_code"),
        "stage": cause.get("stage"),
        "media": first_summaries({row["media_id"]: _summary(row) for row in media}),
        "media_counts": counts_of(media),
        "duration_ms": length_of_recording(media),
        "insight_counts": insight_counts_of(media) or None,
    }
    if sid and "sid" not in recording:
        after["sid"] = sid
    if _is_to_be_derived(recording, after):
        after |= {
            "insights": "pending",
            "derivations": recording.get("derivations", 0) + 1,
            "insights_reason": None,
            "insights_code": None,
        }
    return cast(RecordingChanges, {name: value for name, value in after.items() if recording.get(name) != value})


def has_recorder(recording: RecordingRow) -> bool:
    """Return whether its recorder may be in the channel. A start that failed was stopped without an end."""
    return "resource_id" in recording and not recording.keys() & {"stopped_at", "start_failed_at"}


def _is_to_be_derived(recording: RecordingRow, after: RecordingChanges) -> bool:
    """Return whether the transcript is ready: each time that it is, everything wanted is derived from it anew.

    While the recorder is in the channel more parts come: then nothing is derived before it has left.
    """
    if has_recorder(recording) or "derivation" not in recording or after["status"] not in READY:
        return False
    is_new = after["status"] != recording["status"] or "insights" not in recording
    return is_new and bool((after["insight_counts"] or {}).get("transcript"))


def stage_of(row: MediaRow) -> Stage:
    """Return the stage that a media object has reached."""
    status = row.get("status")
    if status == "submitted":
        return "saving" if "reply" in row else "result"
    is_unprepared = is_made_of_segments(row) and "prepared" not in row
    return "preparation" if status == "preparing" or is_unprepared else "submission"


def first_summaries(summaries: Mapping[str, Summary]) -> dict[str, Summary]:
    """Return at most ten of the summaries, by media id: failed first, then unfinished, then done, by key.

    Their reasons have up to 200 characters.
    """

    def place_of(media_id: str) -> tuple[int, str, str]:
        return _named_at(summaries[media_id]), summaries[media_id]["key"], media_id

    first = sorted(summaries, key=place_of)[:MOST_SUMMARIES]
    return {media_id: _shortened(summaries[media_id]) for media_id in first}


def counts_of(media: Iterable[MediaRow | Summary]) -> dict[str, int]:
    """Return how many media objects there are, by status; one whose row lost it counts as waiting."""
    return dict(Counter(each.get("status", "waiting") for each in media))


def insight_counts_of(media: Sequence[MediaRow]) -> dict[str, int]:
    """Return how many insights the recording has, by kind; under `transcript` the pages of its transcript."""
    found: Counter[str] = Counter()
    for row in newest_per_key(media):
        if row["status"] == "done":
            found.update(row.get("counts", {}))
    return {kind: number for kind, number in sorted(found.items()) if number}


def _cause(media: Sequence[MediaRow], status: str) -> MediaRow:
    """Return the first media object that failed or, without such, that waits with a code; empty if there is none.

    In an empty recording, all media objects are done with a code.
    """
    coded = [row for row in _latest(media) if "reason_code" in row and (row["status"] != "done" or status == "empty")]
    return min(coded, key=_named_at, default=MediaRow())


def _named_at(media: MediaRow | Summary) -> int:
    return _FIRST_NAMED.get(media["status"], 1)


def _summary(row: MediaRow) -> Summary:
    named = Summary.__annotations__
    return cast(Summary, {name: value for name, value in row.items() if name in named})


def _shortened(summary: Summary) -> Summary:
    return {**summary, "reason": summary["reason"][:LONGEST_SUMMARY_REASON]} if "reason" in summary else summary


def derive_status(present: str, media: Sequence[MediaRow]) -> tuple[str, str | None]:
    """Return the status and the reason that follow from the media objects; without any, the present status.

    A newer version of an object replaces the older one: if a failed part is uploaded again, the last upload counts. A
    newer version that fails while an older one is `done` leaves the recording `partial`.
    """
    if not media:
        return present, None
    latest = _latest(media)
    reason = _reason(latest)
    if any(row["status"] not in FINAL for row in latest):
        return "processing", reason
    recorded = [row for row in latest if not row.get("empty")]
    if not recorded:
        return "empty", reason
    if all(row["status"] == "failed" for row in recorded):
        return "failed", reason
    return ("done" if all(map(_is_whole, recorded)) else "partial"), reason


def _latest(media: Sequence[MediaRow]) -> list[MediaRow]:
    return [*newest_per_key(media), *newer_versions(media)]


def _reason(latest: Sequence[MediaRow]) -> str | None:
    given = [(row, row.get(name)) for row in latest for name in ("incomplete", "reason")]
    named = [f"{row['key']}{continuation_suffix(row)}: {text}" for row, text in given if text]
    return "; ".join(named)[:LONGEST_REASON] or None


def _is_whole(row: MediaRow) -> bool:
    return row["status"] == "done" and not row.get("missing") and not row.get("incomplete")
