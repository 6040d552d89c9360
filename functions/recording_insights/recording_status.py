"""A recording's status: it follows from those of its media objects."""

from collections.abc import Mapping, Sequence
from typing import Any

FINAL = ("done", "failed")
"""What a media object's status is when nothing more happens to it."""


def derive_status(present: str, media: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """A recording's status and reason, from those of its media objects; unchanged while there are none.

    A later version of a key replaces the earlier one: a part that failed and came again is judged by the last.
    """
    if not media:
        return present, None
    latest = newest_per_key(media)
    words = [(item, item.get(name)) for item in latest for name in ("incomplete", "reason")]
    reason = "; ".join(f"{item['key']}{which_part(item)}: {said}" for item, said in words if said)[:2000] or None
    if any(item["status"] not in FINAL for item in latest):
        return "processing", reason
    heard = [item for item in latest if not item.get("empty")]
    if not heard:
        return "empty", reason
    if all(item["status"] == "failed" for item in heard):
        return "failed", reason
    if all(item["status"] == "done" and not item.get("missing") and not item.get("incomplete") for item in heard):
        return "done", reason
    return "partial", reason


def newest_per_key(media: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One media object per key, the one that was written last: the parts of a recording in order, then the keys.

    What continues a track stands beside it under the same key. S3's sequencer orders what was written within one
    second, which is all that an event's time tells.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    latest: dict[tuple[str, int], Mapping[str, Any]] = {}
    for item in sorted(media, key=lambda item: (str(item["arrived_at"]), str(item.get("sequencer", "")))):
        latest[str(item["key"]), int(item.get("continuation", 0))] = item
    return sorted(latest.values(), key=place)


def place(item: Mapping[str, Any]) -> tuple[int, str, int]:
    """Where a media object stands among the others: parts in their order, tracks by name, then what continues them."""
    return int(item.get("part", 0)), str(item["key"]), int(item.get("continuation", 0))


def which_part(item: Mapping[str, Any]) -> str:
    """What follows a track's name where several media objects make it: the first has nothing, then comes ", part 2"."""
    return f", part {int(item['continuation']) + 1}" if "continuation" in item else ""
