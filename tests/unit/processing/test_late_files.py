"""How long the state waits for late files, and when it checks again."""

from datetime import UTC, datetime, timedelta

import pytest

from recording_insights.hls.playlist import Segment
from recording_insights.media.track import Track
from recording_insights.processing.late_files import (
    BEING_WRITTEN,
    LONGEST_SILENCE,
    LateFiles,
    is_being_written,
    seconds_until_next_check,
)
from recording_insights.store.rows import RecordingRow
from tests.unit.fakes import FakeClock
from tests.unit.processing.track_scene import KEY, FakeFolder, playlist

ARRIVED = "2026-03-12T00:00:00.000000Z"
LATE = timedelta(minutes=60)
EVENTS_PER_CHECK = 9
"""Events in an execution's history: five of the task, two each of the choice and the wait."""
MOST_EVENTS = 25_000
"""An execution with more events fails.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""


def at(hour: int) -> datetime:
    return datetime(2026, 3, 12, hour, tzinfo=UTC)


def text(hour: int) -> str:
    return f"2026-03-12T{hour:02}:00:00.000000Z"


def late_files(
    recording: RecordingRow, *, written_at: datetime | None = None, closed: bool = False, recorders: int = 1
) -> LateFiles:
    track = Track(KEY, [[Segment("1.ts", 15.0, None)]] * recorders, closed, written_at, {})
    return LateFiles(track, {"arrived_at": ARRIVED}, recording, 60)


@pytest.mark.parametrize(
    ("recording", "written_at", "since"),
    [
        ({}, None, ARRIVED),
        ({}, at(2), text(2)),
        ({"stopped_at": text(1)}, at(2), text(2)),
        ({"stopped_at": text(3)}, at(2), text(3)),
        ({"stopped_at": text(3)}, None, text(3)),
        ({"stopped_at": text(3), "complete_at": text(4)}, at(2), text(4)),
    ],
)
def test_quiet_begins_with_the_newest_file_or_the_end(
    recording: RecordingRow, written_at: datetime | None, since: str
) -> None:
    assert late_files(recording, written_at=written_at).quiet_since == since


def test_an_open_playlist_of_a_recording_without_an_end_is_given_a_day() -> None:
    assert late_files({}).patience == LONGEST_SILENCE
    assert late_files({}, closed=True).patience == LATE
    assert late_files({}, recorders=0).patience == LATE
    assert late_files({"stopped_at": text(1)}).patience == LATE


@pytest.mark.parametrize(
    ("recording", "written_at", "nothing"),
    [
        ({}, None, False),
        ({"stopped_at": text(3)}, at(2), False),
        ({"complete_at": text(3)}, None, True),
        ({"complete_at": text(3)}, at(3), True),
        ({"complete_at": text(3)}, at(4), False),
    ],
)
def test_a_file_after_the_recording_was_complete_refutes_it(
    recording: RecordingRow, written_at: datetime | None, nothing: bool
) -> None:
    assert late_files(recording, written_at=written_at).nothing_will_follow is nothing


@pytest.mark.parametrize(
    ("content", "age", "expected"),
    [
        (playlist(["1.ts"], closed=False), timedelta(0), True),
        (playlist(["1.ts"], closed=False), BEING_WRITTEN, True),
        (playlist(["1.ts"], closed=False), BEING_WRITTEN + timedelta(seconds=1), False),
        (playlist(["1.ts"]), timedelta(0), False),
        ("<html>", timedelta(0), False),
        (None, timedelta(0), False),
    ],
)
def test_an_open_playlist_that_was_just_written_is_being_written(
    clock: FakeClock, content: str | None, age: timedelta, expected: bool
) -> None:
    folder = FakeFolder(clock)
    if content is not None:
        folder.put(KEY, content)

    assert is_being_written(KEY, folder, clock.now() + age) is expected
    assert (folder.gets, folder.lists) == (1, 0)


@pytest.mark.parametrize(
    ("quiet_seconds", "waiting_seconds", "seconds"),
    [
        (0, 0, 5),
        (20, 500, 5),
        (24, 0, 6),
        (100, 0, 25),
        (1_196, 0, 299),
        (1_204, 0, 300),
        (0, 600, 6),
        (0, 29_900, 299),
        (0, 30_100, 300),
        (100, 10_000, 100),
        (10**6, 10**6, 300),
    ],
)
def test_the_checks_become_rarer(quiet_seconds: float, waiting_seconds: float, seconds: int) -> None:
    assert seconds_until_next_check(quiet_seconds=quiet_seconds, waiting_seconds=waiting_seconds) == seconds


def test_the_checks_of_two_days_fit_into_one_execution() -> None:
    """Even if a file is written just before each check, so that the time of quiet is always 0."""
    seconds, checks = 0, 0
    while seconds < 48 * 3600:
        seconds += seconds_until_next_check(quiet_seconds=0, waiting_seconds=seconds)
        checks += 1

    assert 900 < checks < 1_000
    assert checks * EVENTS_PER_CHECK < MOST_EVENTS / 2
