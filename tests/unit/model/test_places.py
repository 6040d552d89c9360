"""How long a recording is, from the lengths of its media objects."""

from typing import Any, cast

import pytest

from recording_insights.model.places import length_of_recording
from recording_insights.model.status import settled
from recording_insights.store.rows import MediaRow


def media(key: str, **values: Any) -> MediaRow:
    return cast(MediaRow, {"key": key, "media_id": key, "status": "submitted", "arrived_at": "2026", **values})


@pytest.mark.parametrize(
    ("rows", "length_ms"),
    [
        ([], None),
        ([media("talk.mp4", duration_ms=61_000)], 61_000),
        ([media("talk.mp4")], None),
        ([media("0.mp4", part=0, duration_ms=5), media("1.mp4", part=1, duration_ms=7)], 12),
        ([media("0.mp4", part=0, duration_ms=5), media("1.mp4", part=1, duration_ms=7, offset_ms=20)], 27),
        ([media("0.mp4", part=0, duration_ms=5), media("1.mp4", part=1)], None),
        ([media("a", starts_at_ms=1000, duration_ms=50), media("b", starts_at_ms=1020, duration_ms=60)], 80),
        ([media("a", starts_at_ms=1000, duration_ms=50), media("b", status="done", empty=True)], 50),
        ([media("0.mp4", part=0, duration_ms=5), media("1.mp4", part=1, status="failed", duration_ms=7)], 12),
    ],
    ids=[
        *("nothing", "one file", "one of unknown length", "parts", "a gap between parts", "an unknown part"),
        *("tracks side by side", "a silent track", "a part that failed"),
    ],
)
def test_the_length_of_a_recording(rows: list[MediaRow], length_ms: int | None) -> None:
    assert length_of_recording(rows) == length_ms
    assert settled({"status": "processing"}, rows).get("duration_ms") == length_ms


def test_a_length_that_is_no_longer_known_is_removed() -> None:
    changes = settled({"status": "processing", "duration_ms": 5}, [media("talk.mp4")])
    assert changes["duration_ms"] is None
