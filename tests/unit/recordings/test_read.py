"""Stop, look at one, list them."""

import base64
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest

from recording_insights.errors import AgoraRefusedCredentials, Conflict, InvalidRequest, NotFound
from recording_insights.model.status import RECORDING_STATUSES as STATUSES
from recording_insights.recordings.read import describe_recording, list_recordings, stop_recording
from recording_insights.store.keys import insight_key, media_key, recording_key, transcript_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.fakes import FakeClock


@pytest.fixture
def stop(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    return lambda recording_id: stop_recording(recording_id, store=store, agora=agora, deadline=clock.deadline())


@pytest.fixture
def describe(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    return lambda recording_id: describe_recording(recording_id, store=store, agora=agora, deadline=clock.deadline())


@pytest.fixture
def running(start: Any) -> dict[str, Any]:
    return start().recording


def put(table: Any, recording_id: str, status: str, created_at: str, **attributes: Any) -> None:
    item = {"recording_id": recording_id, "status": status, "created_at": created_at, "provider": "marsview"}
    table.put_item(Item={**recording_key(recording_id), **item, "version": 1, **attributes})


def test_a_stop(stop: Any, running: dict[str, Any], store: RecordingStore, vendor: FakeAgora) -> None:
    stopped = stop(running["recording_id"])
    assert stopped["status"] == "stopping"
    assert stopped["stopped_at"] == store.timestamp
    assert stopped["ended_by"] == "stop"
    assert stopped["version"] == running["version"] + 1
    assert store.claims.find("team") is None
    assert vendor.recorders == {}
    assert stop(running["recording_id"]) == stopped
    assert vendor.names().count("stop") == 1


@pytest.mark.parametrize("answer", [Answer(400, {"code": 49}), Answer(404, {"code": 404})])
def test_a_recorder_that_has_left_counts_as_stopped(
    stop: Any, running: dict[str, Any], vendor: FakeAgora, answer: Answer
) -> None:
    vendor.script["stop"] = [answer]
    stopped = stop(running["recording_id"])
    assert (stopped["status"], stopped["ended_by"]) == ("stopping", "recorder")


def test_nothing_recorded_ends_as_empty(stop: Any, running: dict[str, Any], vendor: FakeAgora) -> None:
    vendor.script["stop"] = [Answer(206, {"code": 435, "reason": "no user"})]
    stopped = stop(running["recording_id"])
    assert stopped["status"] == "empty"
    assert stopped["complete_at"] == stopped["stopped_at"]
    assert stopped["reason"] == "Agora: nothing was recorded, so there is no file: no user"
    assert stop(running["recording_id"]) == stopped


def test_a_stop_after_the_first_part_leaves_the_status_to_the_media(
    stop: Any, running: dict[str, Any], store: RecordingStore, vendor: FakeAgora
) -> None:
    store.update(running["recording_id"], {"status": "processing"})
    stopped = stop(running["recording_id"])
    assert stopped["status"] == "processing"
    assert "stopped_at" in stopped
    assert vendor.recorders == {}


def test_media_that_arrive_while_agora_stops_keep_the_status(
    stop: Any, running: dict[str, Any], store: RecordingStore, vendor: FakeAgora
) -> None:
    vendor.before = lambda call: store.update(running["recording_id"], {"status": "processing"}) and None
    assert stop(running["recording_id"])["status"] == "processing"


def test_two_stops_at_once_keep_the_first_ones_time(
    stop: Any, running: dict[str, Any], store: RecordingStore, clock: FakeClock, vendor: FakeAgora
) -> None:
    first: list[Any] = []

    def other(call: str) -> None:
        if call == "stop" and not first:
            first.append(None)
            first.append(stop(running["recording_id"]))
            clock.elapsed += 1

    vendor.before = other
    assert stop(running["recording_id"]) == first[1]


def test_a_stop_frees_only_its_own_claim(
    stop: Any, running: dict[str, Any], store: RecordingStore, table: Any, vendor: FakeAgora
) -> None:
    claim = store.claims.find("team")
    assert claim
    table.put_item(Item={**claim.row, "recording_id": "f" * 32})
    stop(running["recording_id"])
    later = store.claims.find("team")
    assert later
    assert later.recording_id == "f" * 32


def test_a_stop_that_agora_refuses_changes_nothing(
    stop: Any, running: dict[str, Any], store: RecordingStore, vendor: FakeAgora
) -> None:
    vendor.script["stop"] = [Answer(401, {})] * 2
    with pytest.raises(AgoraRefusedCredentials):
        stop(running["recording_id"])
    assert store.find(running["recording_id"]) == running
    assert store.claims.find("team")


def test_a_recorder_without_id_cannot_be_stopped_yet(stop: Any, start: Any, vendor: FakeAgora) -> None:
    vendor.script["start"] = [Lost(takes_effect=True)]
    with pytest.raises(Conflict, match="not reported its id yet"):
        stop(start().recording["recording_id"])


def test_nothing_to_stop(stop: Any, table: Any, vendor: FakeAgora) -> None:
    put(table, "a" * 32, "processing", "2026")
    put(table, "b" * 32, "failed", "2026", channel="team")
    assert stop("a" * 32)["status"] == "processing"
    assert stop("b" * 32)["status"] == "failed"
    assert vendor.calls == []
    with pytest.raises(NotFound):
        stop("c" * 32)


def test_describing_a_running_recording(describe: Any, running: dict[str, Any], store: RecordingStore) -> None:
    found = describe(running["recording_id"])
    assert found["status"] == "recording"
    assert found["live"] == {"status": 5, "meaning": "in progress", "files": [f"{running['sid']}_c.m3u8"]}
    assert found["media"] == []
    assert found["channel"] == "team"
    assert not found.keys() & {"pk", "sk", "version", "resource_id"}
    after = store.find(running["recording_id"])
    assert after
    assert after["status"] == "recording"


def test_a_recorder_that_is_not_ready_leaves_the_status(
    describe: Any, running: dict[str, Any], vendor: FakeAgora
) -> None:
    vendor.live_status = 2
    found = describe(running["recording_id"])
    assert (found["status"], found["live"]["meaning"]) == ("starting", "components starting")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([Answer(401, {})] * 2, "refused the credentials"),
        ([Answer(500, {})], "HTTP 500"),
        ([Lost(takes_effect=False)], "ReadTimeout"),
    ],
)
def test_agora_being_away_does_not_hide_the_row(
    describe: Any, running: dict[str, Any], vendor: FakeAgora, clock: FakeClock, answers: list[Any], reason: str
) -> None:
    vendor.script["query"] = list(answers)
    found = describe(running["recording_id"])
    assert found["status"] == "starting"
    assert reason in found["live"]["unavailable"]
    assert clock.naps == []


def test_a_stopped_recorder_is_gone(describe: Any, stop: Any, running: dict[str, Any]) -> None:
    stop(running["recording_id"])
    found = describe(running["recording_id"])
    assert found["live"]["status"] is None
    assert "ended" in found["live"]["meaning"]


def test_describing_a_finished_recording_asks_nobody(describe: Any, table: Any, vendor: FakeAgora) -> None:
    recording_id = "a" * 32
    put(table, recording_id, "done", "2026", sid="s", resource_id="r", media={"m1": {"key": "k", "status": "done"}})
    media = {"media_id": "m1", "key": "k", "status": "done", "duration_ms": 5, "provider": "marsview"}
    table.put_item(Item={**media_key(recording_id, "m1"), **media, "recording_id": recording_id, "job": {"id": "x"}})
    table.put_item(Item=transcript_key(recording_id, "m1", 1))
    table.put_item(Item=insight_key(recording_id, "m1", "topics", 1))
    assert describe(recording_id) == {
        "recording_id": recording_id,
        "status": "done",
        "created_at": "2026",
        "provider": "marsview",
        "sid": "s",
        "media": [{**media, "duration_ms": Decimal(5)}],
    }
    assert vendor.calls == []


def test_describing_nothing(describe: Any, table: Any) -> None:
    with pytest.raises(NotFound):
        describe("a" * 32)
    table.put_item(Item=media_key("a" * 32, "m1"))
    with pytest.raises(NotFound):
        describe("a" * 32)


def test_many_media_objects(describe: Any, table: Any) -> None:
    put(table, "a" * 32, "processing", "2026")
    for number in range(12):
        table.put_item(Item={**media_key("a" * 32, f"{number:02}"), "key": "k", "text": "x" * 120_000})
    assert len(describe("a" * 32)["media"]) == 12


def ids(page: dict[str, Any]) -> list[str]:
    return [recording["recording_id"] for recording in page["recordings"]]


def pages(store: RecordingStore, **query: str) -> list[list[str]]:
    found = []
    while True:
        page = list_recordings(query, store=store)
        found.append(ids(page))
        if "cursor" not in page:
            return found
        query["cursor"] = page["cursor"]


def test_a_list_of_none(store: RecordingStore) -> None:
    assert list_recordings({}, store=store) == {"recordings": []}


def test_newest_first_over_all_statuses(store: RecordingStore, table: Any) -> None:
    for number in range(10):
        put(table, f"{number:032}", STATUSES[number % len(STATUSES)], f"2026-11-21T12:00:{number:02}.000000Z")
    everything = [f"{number:032}" for number in reversed(range(10))]
    assert pages(store, limit="4") == [everything[:4], everything[4:8], everything[8:]]
    assert pages(store, limit="5") == [everything[:5], everything[5:]]
    assert pages(store, status="recording", limit="1") == [[f"{9:032}"], [f"{1:032}"]]


def test_recordings_of_the_same_moment_come_once_each(store: RecordingStore, table: Any) -> None:
    for number in (3, 1, 4, 0, 2):
        put(table, f"{number:032}", "done", "2026-11-21T12:00:00Z")
    put(table, "9" * 32, "done", "2026-11-21T11:00:00Z")
    put(table, "8" * 32, "done", "2026-11-21T13:00:00Z")
    expected = ["8" * 32, *(f"{number:032}" for number in (4, 3, 2, 1, 0)), "9" * 32]
    for limit in ("1", "2", "7"):
        assert list(chain(*pages(store, limit=limit, status="done"))) == expected


def test_what_a_list_shows(store: RecordingStore, table: Any) -> None:
    summary = {"b": {"key": "b.mp4", "status": "done"}, "a": {"key": "a.mp4", "status": "failed", "reason": "too long"}}
    put(
        table,
        "a" * 32,
        "partial",
        "2026",
        channel="team",
        media=summary,
        resource_id="r",
        options={},
        complete_at="2027",
    )
    assert list_recordings({}, store=store)["recordings"] == [
        {
            "recording_id": "a" * 32,
            "status": "partial",
            "created_at": "2026",
            "complete_at": "2027",
            "channel": "team",
            "provider": "marsview",
            "media": [summary["a"], summary["b"]],
        }
    ]


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "1.5"),
        ("limit", "ten"),
        ("limit", ""),
        ("limit", "٣"),
        ("limit", "9" * 5000),
        ("status", "ready"),
        ("status", ""),
        ("status", "done,failed"),
        ("cursor", ""),
        ("cursor", "!!!"),
        ("cursor", "ü"),
        ("cursor", cursor("[")),
        ("cursor", cursor("[1, 2]")),
        ("cursor", cursor('["", ""]')),
        ("cursor", cursor('["2026"]')),
        ("cursor", cursor("7")),
        ("cursor", cursor("[" * 3000)),
        ("page", "2"),
    ],
)
def test_a_wrong_parameter_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        list_recordings({name: value}, store=RecordingStore(None))  # type: ignore[arg-type] # it is not looked at
    assert refusal.value.field == name
