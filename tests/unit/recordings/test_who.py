"""Who started, changed and stopped a recording: the name belongs to the write that took effect."""

from collections.abc import Callable
from typing import Any

import pytest

from recording_insights.agora.recorder import Stopped
from recording_insights.errors import AgoraRejected, Conflict, InvalidRequest
from recording_insights.recordings.change import update_layout, update_recording
from recording_insights.recordings.end import end_by_stop, end_left
from recording_insights.recordings.read import describe_recording
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import Answer, FakeAgora
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted

ANN, BEN = "arn:aws:sts::123456789012:assumed-role/backend/ann", "ben"
NOT_FOUND = Answer(404, {"code": 404, "reason": "failed to find worker"})


@pytest.fixture
def row(start: Any, store: RecordingStore) -> Callable[[], dict[str, Any]]:
    """Gives the row of a recording that somebody started, as it is then."""
    recording_id = start(who=ANN).recording["recording_id"]
    return lambda: dict(store.get(recording_id))


@pytest.fixture
def call(row: Any, store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    """Changes or stops that recording for a caller."""

    def run(function: Any, *body: Any, who: str | None) -> dict[str, Any]:
        others: Any = {"watch_stop": unwatched} if function is stop_recording else {}
        deadline = clock.deadline()
        return dict(
            function(row()["recording_id"], *body, store=store, agora=agora, deadline=deadline, who=who, **others)
        )

    return run


def test_who_started_a_recording_is_on_its_row_and_in_answers(row: Any, store: RecordingStore, agora: Any) -> None:
    recording_id, deadline = row()["recording_id"], FakeClock().deadline()
    shown = describe_recording(recording_id, {}, store=store, agora=lambda: agora, deadline=deadline)
    assert (row()["started_by"], shown["started_by"]) == (ANN, ANN)
    assert not {"changed_by", "stopped_by"} & row().keys()


def test_who_joins_a_recording_did_not_start_it(start: Any, row: Any) -> None:
    assert start(who=BEN).recording == row()
    assert row()["started_by"] == ANN


def test_a_start_that_failed_is_started_by_who_repeats_it(start: Any, vendor: FakeAgora) -> None:
    vendor.script["start"] = [Answer(400, {"code": 2, "reason": "no"})]
    with pytest.raises(AgoraRejected):
        start(who=ANN, idempotency_key="k")
    assert start(who=BEN, idempotency_key="k").recording["started_by"] == BEN


def test_nobody_is_named_where_nobody_is_known(start: Any, clock: FakeClock, store: RecordingStore, agora: Any) -> None:
    recording = start(wanted("other")).recording
    update_recording(
        recording["recording_id"], {"subscribe_audio_uids": [1]}, store=store, agora=agora, deadline=clock.deadline()
    )
    stopped = stop_recording(
        recording["recording_id"], store=store, agora=agora, deadline=clock.deadline(), watch_stop=unwatched
    )
    assert not {"started_by", "changed_by", "stopped_by"} & stopped.keys()


@pytest.mark.parametrize(
    ("function", "body"),
    [
        (update_recording, {"subscribe_audio_uids": [5]}),
        (update_layout, {"layout": "vertical"}),
    ],
)
def test_the_last_change_names_its_caller(row: Any, call: Any, vendor: FakeAgora, function: Any, body: Any) -> None:
    assert call(function, body, who=BEN)["changed_by"] == BEN
    vendor.script = {name: [Answer(400, {"code": 2, "reason": "no"})] for name in ("update", "updateLayout")}
    with pytest.raises(AgoraRejected):
        call(function, body, who=ANN)
    assert row()["changed_by"] == BEN, "a change that Agora rejected is none"
    assert "changed_by" not in call(function, body, who=None), "a caller without a name is not the one before"
    assert row()["started_by"] == ANN


def test_who_names_the_speakers_has_changed_the_recording(start: Any, store: RecordingStore, agora: Any) -> None:
    recording_id = start(wanted(mode="individual")).recording["recording_id"]
    rest: Any = {"store": store, "agora": agora, "deadline": FakeClock().deadline(), "who": BEN}
    assert update_recording(recording_id, {"speakers": {"7": "Ada"}}, **rest)["changed_by"] == BEN
    with pytest.raises(InvalidRequest):
        update_recording(recording_id, {"speakers": 7}, **{**rest, "who": ANN})
    assert store.get(recording_id)["changed_by"] == BEN


def test_the_stop_that_took_effect_names_its_caller(row: Any, call: Any) -> None:
    assert call(stop_recording, who=BEN)["stopped_by"] == BEN
    assert call(stop_recording, who=ANN)["stopped_by"] == BEN, "a repeat stops nothing"
    with pytest.raises(Conflict):
        call(update_recording, {"subscribe_audio_uids": [5]}, who=ANN)
    assert "changed_by" not in row()


def test_of_two_stops_at_once_the_first_write_names_its_caller(row: Any, call: Any, vendor: FakeAgora) -> None:
    def ben_is_faster(name: str) -> None:
        vendor.before = lambda call: None
        call(stop_recording, who=BEN)

    vendor.before = ben_is_faster
    vendor.script["stop"] = [Answer(200, {}, takes_effect=True), Answer(200, {"serverResponse": {}})]
    assert call(stop_recording, who=ANN)["stopped_by"] == BEN
    assert row()["stopped_by"] == BEN


def test_nobody_stopped_a_recorder_that_left_by_itself(row: Any, call: Any, vendor: FakeAgora) -> None:
    vendor.script["stop"] = [Answer(400, {"code": 49})]
    stopped = call(stop_recording, who=BEN)
    assert (stopped["ended_by"], "stopped_by" in stopped) == ("recorder", False)


class TestAStopThatFindsNoRecorder:
    """It is noted, and the watch or another caller carries it out."""

    @pytest.fixture(autouse=True)
    def noted(self, call: Any, vendor: FakeAgora) -> None:
        vendor.script["stop"] = [NOT_FOUND]
        assert call(stop_recording, who=ANN)["stopped_by"] == ANN

    def test_the_watch_stops_for_who_asked(self, row: Any, store: RecordingStore) -> None:
        end_by_stop(Stopped(left=False, lost=False), row(), store=store)
        assert (row()["ended_by"], row()["stopped_by"]) == ("stop", ANN)

    def test_a_recorder_that_leaves_meanwhile_does_not_hide_who_asked(self, row: Any, store: RecordingStore) -> None:
        end_left(row()["recording_id"], store=store, why="it left")
        assert (row()["ended_by"], row()["stopped_by"]) == ("recorder", ANN)

    def test_another_caller_who_stops_it_is_named(self, call: Any) -> None:
        stopped = call(stop_recording, who=BEN)
        assert (stopped["ended_by"], stopped["stopped_by"]) == ("stop", BEN)

    def test_another_caller_who_finds_none_either_is_not_named(self, row: Any, call: Any, vendor: FakeAgora) -> None:
        vendor.script["stop"] = [NOT_FOUND]
        assert call(stop_recording, who=BEN)["stopped_by"] == ANN

    def test_a_start_that_withdraws_the_stop_forgets_who_asked(self, start: Any, row: Any) -> None:
        assert not start(who=BEN).new
        assert not {"stop_requested_at", "stopped_by"} & row().keys()
