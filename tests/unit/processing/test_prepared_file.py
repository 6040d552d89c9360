"""What the row says of a prepared file, or of why there is none."""

from typing import Any

import pytest

from recording_insights.hls.playlist import Segment
from recording_insights.hls.remux.remux import NoAudio
from recording_insights.media.track import Track
from recording_insights.model.reasons import NO_REASON
from recording_insights.processing.prepared_file import FilePreparation
from recording_insights.store.rows import MediaChanges, MediaRow
from tests.unit.fakes import FakeClock
from tests.unit.processing.track_scene import KEY, FakeFolder, FakeRemux, R

NOW = "2026-03-12T00:00:00.000000Z"
BEGAN_MS = 1_773_273_600_000
ROW: MediaRow = {"recording_id": R, "media_id": "f" * 20, "uid": "1001"}


def conclude(track: Track, *, row: MediaRow = ROW, fails: Exception | None = None) -> MediaChanges:
    folder = FakeFolder(FakeClock())
    for key in track.segment_keys.values():
        folder.put(key)
    return FilePreparation(folder, FakeRemux(fails=fails)).conclude(track, row, NOW)


def track_of(count: int, *, seconds: float = 15.0, starts: bool = True, **values: Any) -> Track:
    segments = [
        Segment(f"{n}.ts", seconds, BEGAN_MS + round(n * seconds * 1000) if starts else None) for n in range(count)
    ]
    keys = {segment.name: segment.name for segment in segments}
    return Track(KEY, [segments], True, None, keys, **values)


def test_a_whole_track_waits_to_be_submitted() -> None:
    assert conclude(track_of(2)) == {
        "status": "waiting",
        "waiting_since": NOW,
        **NO_REASON,
        "prepared": {"key": f"prepared/{R}/uid-1001-{'f' * 20}.mp4", "etag": "etag-of-the-file", "size": 3},
        "duration_ms": 30_000,
        "silent_ms": 0,
        "incomplete": None,
        "starts_at_ms": BEGAN_MS,
        "ends_at_ms": BEGAN_MS + 30_000,
    }


def test_without_start_times_the_end_is_unknown() -> None:
    changes = conclude(track_of(2, starts=False))

    assert (changes["starts_at_ms"], changes["ends_at_ms"]) == (None, None)


def test_a_recovered_media_object_is_named_after_its_part() -> None:
    row: MediaRow = {"recording_id": R, "media_id": "f" * 20, "part": 100_003}

    prepared = conclude(track_of(1), row=row)["prepared"]

    assert prepared is not None
    assert prepared["key"] == f"prepared/{R}/part-100003-{'f' * 20}.mp4"


def test_of_a_uid_without_end_the_key_has_twenty_digits() -> None:
    prepared = conclude(track_of(1), row={**ROW, "uid": "9" * 800})["prepared"]

    assert prepared is not None
    assert prepared["key"] == f"prepared/{R}/uid-{'9' * 20}-{'f' * 20}.mp4"


@pytest.mark.parametrize(
    ("continues_at_ms", "reason"),
    [
        (0, "nothing of this uid was recorded: its playlist names no segment"),
        (BEGAN_MS, "nothing more of this uid was recorded: its playlist names no segment"),
    ],
)
def test_a_track_without_segments_is_empty(continues_at_ms: int, reason: str) -> None:
    assert conclude(track_of(0, continues_at_ms=continues_at_ms)) == {
        "status": "done",
        "finished_at": NOW,
        "stage": "preparation",
        "reason_code": "nothing_recorded",
        "reason": reason,
        "empty": True,
        "counts": {},
        "ends_at_ms": continues_at_ms,
    }


def test_segments_that_no_playlist_names_are_a_failure() -> None:
    changes = conclude(Track(KEY, [[]], True, None, {"1.ts": "1.ts"}))

    assert (changes["status"], changes["ends_at_ms"]) == ("failed", 0)
    assert (changes["stage"], changes["reason_code"]) == ("preparation", "files_incomplete")
    assert changes["reason"] == "segments that no playlist names: 1, such as 1.ts"


def test_a_track_without_sound_may_continue() -> None:
    changes = conclude(track_of(2), fails=NoAudio("no packet"))

    assert (changes["status"], changes["finished_at"]) == ("failed", NOW)
    assert (changes["reason_code"], changes["reason"]) == ("no_sound", "the track holds no sound: no packet")
    assert changes["ends_at_ms"] == BEGAN_MS + 30_000


def test_a_track_over_the_limit_is_not_prepared() -> None:
    changes = conclude(track_of(4, seconds=20 * 3600, starts=False))

    assert changes["reason_code"] == "too_large"
    assert changes["reason"] == "its playlists claim 80 hours; the limit is 72"
    assert "ends_at_ms" not in changes
    assert "prepared" in conclude(track_of(4, seconds=18 * 3600, starts=False)), "72 hours are not over it"
