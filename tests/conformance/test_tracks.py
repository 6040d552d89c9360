"""The wait for the end of a track, through the real state machine: by its event, its time-out, and a fault of AWS."""

from functools import partial
from typing import Any

import pytest

from recording_insights.processing.late_files import AWAIT_SECONDS
from routes import stop_recording
from tests.conformance.conftest import Travel
from tests.conformance.journey import CHANNEL, Journey
from tests.unit.processing.track_scene import BEGAN, playlist, stamp

CHECK = ["Prepare media", "Media prepared?"]
AWAITS = "Await end of track"
END = 60


@pytest.fixture
def journey(travel: Travel) -> Journey:
    return travel("assemblyai")


def record(journey: Journey, *, announced: bool = True) -> list[str]:
    """A track of one segment whose playlist is closed at the end; returns the states until it is submitted."""
    row = journey.record(mode="individual")
    stem = f"{row['prefix']}{row['sid']}_{CHANNEL}__uid_s_1001__uid_e_audio"
    segment, key = f"{stem}_{stamp(BEGAN)}.ts", f"{stem}.m3u8"
    names = [segment.rpartition("/")[2]]
    journey.at(15, partial(journey.arrive, segment, b"ts", announced=False))
    journey.at(16, partial(journey.arrive, key, playlist(names, closed=False).encode()))
    journey.at(END, partial(journey.ask, stop_recording, row["recording_id"]))
    journey.at(END, partial(journey.arrive, key, playlist(names).encode(), announced=announced))
    journey.go()
    assert journey.store.recordings.get(row["recording_id"])["status"] == "done"
    [media] = journey.store.recordings.media_rows(row["recording_id"])
    assert "incomplete" not in media
    states = journey.states["media"]
    return states[: states.index("Submit recording")]


def test_the_event_of_the_closed_playlist_ends_the_wait(journey: Journey) -> None:
    assert record(journey) == ["Media prepared?", *CHECK, AWAITS, *CHECK]


def test_a_lost_event_is_made_good_by_the_time_out(journey: Journey) -> None:
    assert record(journey, announced=False) == ["Media prepared?", *CHECK, AWAITS, *CHECK]
    assert journey.clock.elapsed >= AWAIT_SECONDS


def test_a_task_token_that_cannot_be_written_is_a_wait(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    write, faults = journey.table.update_item, ["DynamoDB is away"]

    def fail_once(**arguments: Any) -> Any:
        if arguments["UpdateExpression"] == "SET task_token = :token" and faults:
            raise RuntimeError(faults.pop())
        return write(**arguments)

    monkeypatch.setattr(journey.table, "update_item", fail_once)

    assert record(journey) == ["Media prepared?", *CHECK, AWAITS, "Wait for files", *CHECK]
