"""The watch among races and faults: late slices, two ends at once, notifications of others, crashes, a mute Agora."""

from datetime import timedelta
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.notifications import Notification
from recording_insights.model.moments import utc_text
from recording_insights.recordings.end import end_left
from recording_insights.recordings.notifications import process_notification
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.keys import media_key
from recording_insights.store.notices import NoticeStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch
from tests.unit.agora.fake_agora import Answer, FakeAgora
from tests.unit.crashing_table import Crash, crashes_at_every_write
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted
from tests.unit.watch.scene import LATE, Scene, watched

HOUR = 3600
EVENTS_PER_LOOK = 9
"""Of an execution's history: five of the task, two each of the choice and the wait."""
MOST_EVENTS = 25_000
"""An execution ends there.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""


def test_a_slice_that_came_late_puts_off_the_word_that_all_is_there(recording: Scene, vendor: FakeAgora) -> None:
    """Otherwise the track that waits for the next one would be cut off by it."""
    recording.media_arrives(status="processing")
    vendor.live_status = 8
    recording.turn()
    last = recording.clock.elapsed + 50 * 60
    item = recording.store.table.get_item(Key=media_key(recording.watch.recording_id, "m1"))["Item"]
    late = {"status": "preparing", "quiet_since": utc_text(recording.clock.now() + timedelta(minutes=50))}
    recording.store.table.put_item(Item={**item, **late})

    recording.run()

    assert "complete_at" in recording.row
    assert last + LATE * 60 <= recording.clock.elapsed < last + LATE * 60 + 2


@pytest.mark.parametrize("answer", [Answer(401, {}), Answer(500, {})])
@pytest.mark.parametrize("live_status", [2, 5])
def test_a_day_without_a_response_of_agora_fits_into_the_history(
    start: Any,
    vendor: FakeAgora,
    store: RecordingStore,
    agora: AgoraClient,
    clock: FakeClock,
    answer: Answer,
    live_status: int,
) -> None:
    scene = Scene(store, agora, clock, Watch.begin(start(wanted(max_hours=24)).recording))
    vendor.live_status = live_status
    scene.turn()
    vendor.script["query"] = [answer] * 40_000
    scene.run(lambda: "stopped_at" in scene.row, turns=5000)
    assert len(scene.looks) * EVENTS_PER_LOOK < MOST_EVENTS / 2
    assert "max_hours have passed" in scene.row["reason"]


def test_agora_is_asked_soon_again_after_a_short_silence(scene: Scene, vendor: FakeAgora) -> None:
    vendor.script["query"] = [Answer(401, {})] * 2
    assert scene.turn().wait_seconds == 30


def test_a_stop_and_the_recorder_s_own_end_at_once_are_one_end(
    recording: Scene, vendor: FakeAgora, clock: FakeClock
) -> None:
    """The watch learns of the end between the stop's answer and its note, and the other way round."""
    recording_id = recording.watch.recording_id

    class Overtaken(RecordingStore):
        def update(self, recording_id: str, changes: Any, **conditions: Any) -> Any:
            if "stopped_at" in changes and not overtaken:
                overtaken.append(changes)
                assert end_left(recording_id, store=recording.store, why="exited")
            return super().update(recording_id, changes, **conditions)

    overtaken: list[Any] = []
    store = Overtaken(recording.store.table, recording.store.now)
    after = stop_recording(
        recording_id, store=store, agora=recording.agora, deadline=clock.deadline(), watch_stop=unwatched
    )
    assert overtaken
    assert (after["status"], after["ended_by"]) == ("stopping", "recorder")
    ended = recording.row
    recording.turn()
    assert recording.row == ended
    assert (
        stop_recording(
            recording_id, store=store, agora=recording.agora, deadline=clock.deadline(), watch_stop=unwatched
        )
        == ended
    )


def test_a_notification_of_the_former_try_of_the_id_ends_nothing(
    start: Any, store: RecordingStore, agora: AgoraClient, clock: FakeClock, vendor: FakeAgora, table: Any
) -> None:
    first = start(idempotency_key="k").recording
    scene = Scene(store, agora, clock, Watch.begin(first))
    vendor.live_status = 2
    scene.run()
    vendor.live_status = 5
    second = start(idempotency_key="k").recording
    notices = NoticeStore(table, clock.now)

    for number, event in enumerate((31, 11, 41, 71)):
        told = Notification(f"n{number}", 3, event, first["sid"], {})
        assert "not started here" in str(process_notification(told, store=store, notices=notices))

    assert store.find(second["recording_id"]) == second
    claim = store.claims.find("team")
    assert claim
    assert claim.recording_id == second["recording_id"]


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_a_file_whose_clock_is_wrong_delays_and_loses_nothing(
    recording: Scene, vendor: FakeAgora, seconds: int
) -> None:
    vendor.live_status = 8
    recording.turn()
    recording.clock.elapsed += seconds
    recording.media_arrives()
    recording.clock.elapsed -= seconds
    recording.run()
    assert "complete_at" in recording.row
    assert LATE * 60 <= recording.clock.elapsed < LATE * 60 + 2 * HOUR + 100


@pytest.mark.parametrize(
    ("course", "writes"), [("never joins", 2), ("leaves", 4), ("leaves without files", 3), ("fault", 5)]
)
def test_a_crash_at_any_write_of_a_look_and_its_retry_end_as_without(course: str, writes: int) -> None:
    for table in crashes_at_every_write(at_least=writes):
        scene, vendor = watched(table)
        if course == "never joins":
            vendor.live_status = 2
        else:
            scene.turn()
            vendor.live_status = 5 if course == "fault" else 8
        if course == "leaves":
            scene.media_arrives()
        if course == "fault":
            vendor.script["query"] = [Answer(401, {})] * 6
        table.arm()
        for _ in range(60):
            before = scene.watch
            try:
                scene.turn()
            except Crash:
                scene.watch = before
            if scene.watch.outcome == "over":
                break
            if course == "fault" and not vendor.script["query"]:
                vendor.live_status = 8
        row = scene.row
        assert scene.watch.outcome == "over", table
        assert row["status"] == ("done" if course == "leaves" else "failed"), table
        assert course == "never joins" or {"complete_at", "stopped_at"} <= row.keys(), table
        assert "watch_reason" not in row, table
        again = scene.store.claims.find("team")
        assert again is None or {"stopped_at", "reason"} & row.keys(), f"the next start is held up {table}"
