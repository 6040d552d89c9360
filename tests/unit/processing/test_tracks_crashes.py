"""Tracks among crashes: a function that Lambda ends between any two writes, and the retry or the next event."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recording_insights.hls.remux.remux import Prepared
from recording_insights.hls.timeline import PlacedSegment
from recording_insights.media.intake import admit_media
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.prepare_media import prepare_media
from recording_insights.processing.progress import Progress
from recording_insights.processing.report_failure import report_failure
from recording_insights.store.media import MediaStore
from tests.unit.crashing_table import Crash, CrashingTable, crashes_at_every_write
from tests.unit.fakes import FakeClock, not_waited, turns_of
from tests.unit.processing.track_scene import BEGAN, FOLDER, KEY, NO_CONVERSION, STEM, FakeFolder, playlist, stamp


@pytest.mark.parametrize("kind", ["whole", "late", "empty", "no playlist"])
def test_a_crash_at_any_write_and_the_retry_end_as_without(kind: str) -> None:
    expected = Arrival(CrashingTable(), kind).ends()
    for table in crashes_at_every_write(at_least=4):
        table.arm()
        assert Arrival(table, kind).ends() == expected, str(table)


class Arrival:
    """A track that is announced again and again, and prepared; whatever crashes is called once more."""

    def __init__(self, table: Any, kind: str) -> None:
        self.clock = FakeClock()
        self.store = MediaStore(table, self.clock.now, self.clock.sleep)
        self.folder = FakeFolder(self.clock)
        self.media = MediaObject("recordings-bucket", KEY, "", 300, self.clock.now())
        self.executions: dict[str, str] = {}
        names = [f"{STEM}_{stamp(BEGAN + timedelta(seconds=15 * n))}.ts" for n in range(2)]
        for name in {"whole": names, "late": names[:1]}.get(kind, ()):
            self.folder.put(FOLDER + name)
        self.folder.put(KEY, {"no playlist": "<html>", "empty": playlist([])}.get(kind, playlist(names)))

    def ends(self) -> dict[str, Any]:
        """All that is to be seen in the end."""
        for _ in range(2):
            retried(self._announced)
        [state] = self.executions.values()
        progress = Progress.from_state(json.loads(state))
        while progress.outcome in ("prepare", "running"):
            progress = retried(self._looked, progress)
            self.clock.elapsed += progress.wait_seconds
        if progress.outcome == "failed":
            retried(report_failure, progress.to_state(), store=self.store, turns=turns_of(self.store))
        retried(self._announced)
        recording = self.store.recordings.get(progress.recording_id)
        assert len(self.executions) == 1
        return {
            "progress": progress,
            "media": self.store.get(progress.recording_id, progress.media_id),
            "recording": {name: recording.get(name) for name in ("status", "reason", "sid", "provider", "created_at")},
            "kept": self.folder.kept,
        }

    def _announced(self) -> None:
        admit_media(
            self.media,
            store=self.store,
            default_provider="marsview",
            prefix_providers={},
            reader=lambda media: lambda first, last: b"",
            checksum=lambda media: None,
            folder=self.folder,
            start_execution=self._start,
            end_wait=not_waited,
        )

    def _start(self, *, name: str, state: str) -> bool:
        self.executions.setdefault(name, state)
        return True

    def _looked(self, progress: Progress) -> Progress:
        return prepare_media(
            progress,
            store=self.store,
            folder=self.folder,
            remux=silently,
            conversion=NO_CONVERSION,
            late_minutes=2,
            is_running=lambda arn: False,
            now=self.clock.now,
        )


def retried(step: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """The patience of Lambda's queue and of Step Functions."""
    try:
        return step(*arguments, **named)
    except Crash:
        return step(*arguments, **named)


def silently(pieces: Sequence[PlacedSegment], read: Callable[[str], bytes | None], target: Path) -> Prepared:
    target.write_bytes(b"mp4")
    return Prepared(30_000, 0, [piece.name for piece in pieces if read(piece.name) is None])


def test_four_hundred_announcements_in_any_order_are_one_execution(store: MediaStore, clock: FakeClock) -> None:
    names = [f"{STEM}.m3u8", f"bak0_{STEM}.m3u8", *(f"{STEM}_1741737847_{n}.m3u8" for n in range(9, -1, -1))]
    started: list[str] = []
    outcomes = []

    def start(*, name: str, state: str) -> bool:
        started.append(name)
        return True

    for number in range(400):
        announced = {"key": f"lone/{names[-number % len(names)]}", "etag": f"{number:032x}", "size": 9}
        detail = {"bucket": {"name": "recordings-bucket"}, "object": announced}
        media = MediaObject.from_event({"time": f"2026-03-12T00:{number // 60:02}:{number % 60:02}Z", "detail": detail})
        outcome = admit_media(
            media,
            store=store,
            default_provider="marsview",
            prefix_providers={},
            reader=lambda media: lambda first, last: b"",
            checksum=lambda media: None,
            folder=FakeFolder(clock),
            start_execution=start,
            end_wait=not_waited,
        )
        outcomes.append(outcome)
        if number == 200:
            store.note(media.own_recording_id, media.media_id, status="preparing")
        if number == 300:
            store.finish(media.own_recording_id, media.media_id, "done")
    assert len(set(started)) == 1
    assert len(store.table.scan()["Items"]) == 2
    assert {str(outcome["ignored"]) for outcome in outcomes[201:]} == {
        "the track is being processed, or was processed before"
    }
