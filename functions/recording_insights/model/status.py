"""A recording's status: it follows from those of its media objects."""

from collections.abc import Mapping, Sequence
from typing import Any

from recording_insights.model.parts import newest_per_key, which_part

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
