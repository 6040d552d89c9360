"""Two changes of one recording at the same time: Agora gets one after the other."""

from collections.abc import Callable
from typing import Any

import pytest

from recording_insights.errors import AgoraUnavailable, Conflict, InvalidRequest
from recording_insights.recordings.change import update_layout, update_recording
from recording_insights.recordings.lease import LEASE_SECONDS, WAITS
from recording_insights.recordings.read import describe_recording
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges
from tests.unit.agora.fake_agora import Answer, FakeAgora
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted

CHANGES = ("update", "updateLayout")


@pytest.fixture
def recording_id(start: Any) -> str:
    return str(start(wanted()).recording["recording_id"])


@pytest.fixture
def change(store: RecordingStore, agora: Any, clock: FakeClock, recording_id: str) -> Callable[..., Any]:
    """By the name of Agora's call."""

    def call(name: str, **fields: Any) -> Any:
        apply = update_recording if name == "update" else update_layout
        usual = {} if name == "updateLayout" else {"subscribe_audio_uids": [5]}
        return apply(recording_id, fields or usual, store=store, agora=agora, deadline=clock.deadline())

    return call


def changes_of(vendor: FakeAgora) -> list[str]:
    return [name for name in vendor.names() if name in CHANGES]


@pytest.mark.parametrize("first", CHANGES)
@pytest.mark.parametrize("second", CHANGES)
def test_the_second_waits_a_moment_and_is_refused(
    change: Any, vendor: FakeAgora, clock: FakeClock, first: str, second: str
) -> None:
    def meanwhile(call: str) -> None:
        vendor.before = lambda call: None
        with pytest.raises(Conflict, match=r"^another change is under way; try again$"):
            change(second)

    vendor.before = meanwhile
    change(first)
    assert changes_of(vendor) == [first]
    assert clock.naps == [*WAITS]
    change(second)
    assert changes_of(vendor) == [first, second]
    assert clock.naps == [*WAITS], "the first has let go"


@pytest.mark.parametrize("name", CHANGES)
def test_one_that_has_ended_meanwhile_is_built_upon(
    change: Any, vendor: FakeAgora, clock: FakeClock, store: RecordingStore, recording_id: str, name: str
) -> None:
    first = store.lease(recording_id, LEASE_SECONDS)
    assert first

    def end() -> None:
        clock.on_sleep = lambda: None
        left: RecordingChanges = {"subscribe_video_uids": [9], "transcoding": {"width": 640, "layout": "best_fit"}}
        store.update(recording_id, left)
        store.end_lease(first)

    clock.on_sleep = end
    row = change(name)
    assert clock.naps == [WAITS[0]]
    if name == "update":
        lists = vendor.calls[-1][1]["clientRequest"]["streamSubscribe"]
        assert lists == {
            "audioUidList": {"subscribeAudioUids": ["5"]},
            "videoUidList": {"subscribeVideoUids": ["9"]},
        }
    else:
        assert row["transcoding"] == {"width": 640}


def test_one_that_was_stopped_meanwhile_is_not_changed(
    change: Any, clock: FakeClock, store: RecordingStore, agora: Any, vendor: FakeAgora, recording_id: str
) -> None:
    first = store.lease(recording_id, LEASE_SECONDS)
    assert first

    def end() -> None:
        clock.on_sleep = lambda: None
        stop_recording(recording_id, store=store, agora=agora, deadline=clock.deadline(), watch_stop=unwatched)
        store.end_lease(first)

    clock.on_sleep = end
    with pytest.raises(Conflict, match="not under way"):
        change("update")
    assert changes_of(vendor) == []


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    ("answers", "error"),
    [([Answer(500, {})] * 3, AgoraUnavailable), ([Answer(404, {"code": 404})] * 3, Conflict)],
)
def test_one_that_failed_lets_go(
    change: Any, vendor: FakeAgora, clock: FakeClock, name: str, answers: list[Answer], error: type[Exception]
) -> None:
    vendor.script[name] = list(answers)
    with pytest.raises(error):
        change(name)
    clock.naps.clear()
    change(name)
    assert clock.naps == []


def test_one_that_was_cut_off_hinders_for_a_short_time_only(
    change: Any, store: RecordingStore, clock: FakeClock, recording_id: str
) -> None:
    assert store.lease(recording_id, LEASE_SECONDS)
    clock.elapsed += LEASE_SECONDS
    assert change("update")["subscribe_audio_uids"] == [5]


def test_without_time_to_wait_it_is_refused_at_once(
    store: RecordingStore, agora: Any, clock: FakeClock, recording_id: str
) -> None:
    assert store.lease(recording_id, LEASE_SECONDS)
    with pytest.raises(Conflict, match="another change"):
        update_layout(recording_id, {}, store=store, agora=agora, deadline=clock.deadline(1.4))
    assert clock.naps == []


def test_what_agora_is_not_told_need_not_wait(
    start: Any, store: RecordingStore, agora: Any, clock: FakeClock, change: Any, recording_id: str
) -> None:
    assert store.lease(recording_id, LEASE_SECONDS)
    with pytest.raises(InvalidRequest):
        change("update", subscribe_audio_uids=["a"])
    with pytest.raises(InvalidRequest):
        change("updateLayout", layout="round")
    individual = start(wanted("voices", mode="individual")).recording["recording_id"]
    assert store.lease(individual, LEASE_SECONDS)
    names = {"speakers": {"7": "Ada"}}
    named = update_recording(individual, names, store=store, agora=agora, deadline=clock.deadline())
    assert named["speakers"] == names["speakers"]
    assert clock.naps == []


def test_a_lease_is_nobody_elses_business(
    change: Any, store: RecordingStore, agora: Any, clock: FakeClock, recording_id: str
) -> None:
    change("update")
    assert "changing_until" not in (store.find(recording_id) or {})
    store.lease(recording_id, LEASE_SECONDS)
    found = describe_recording(recording_id, {}, store=store, agora=lambda: agora, deadline=clock.deadline())
    assert "changing_until" not in found
