"""Read one recording, list them."""

import base64
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest

from recording_insights.errors import InvalidRequest, NotFound
from recording_insights.model.status import RECORDING_STATUSES as STATUSES
from recording_insights.recordings.list import list_recordings
from recording_insights.recordings.read import describe_recording
from recording_insights.store.keys import insight_key, media_key, recording_key, transcript_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.recordings.derived import FOUND, put_derived
from tests.unit.recordings.derived import R as DERIVED_RECORDING
from tests.unit.recordings.stored import put


@pytest.fixture
def describe(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    def call(recording_id: str, **query: str) -> dict[str, Any]:
        return describe_recording(recording_id, query, store=store, agora=lambda: agora, deadline=clock.deadline())

    return call


def test_a_read_asks_nobody_and_writes_nothing(
    describe: Any, running: dict[str, Any], table: FakeTable, vendor: FakeAgora
) -> None:
    before, asked = table.scan()["Items"], vendor.names().count("query")
    for _ in range(10):
        found = describe(running["recording_id"])
    assert "live" not in found, "nobody has asked Agora yet"
    assert (table.scan()["Items"], vendor.names().count("query")) == (before, asked)


def test_a_read_shows_what_was_last_learned(
    describe: Any, running: dict[str, Any], store: RecordingStore, clock: FakeClock
) -> None:
    fresh = describe(running["recording_id"], fresh="true")
    assert fresh["status"] == "recording"
    files = [f"{running['sid']}_c.m3u8"]
    learned = {"status": 5, "meaning": "in progress", "files": files, "as_of": store.timestamp}
    assert fresh["live"] == learned
    assert fresh["media"] == []
    assert fresh["channel"] == "team"
    assert not fresh.keys() & {"pk", "sk", "change_place", "resource_id"}
    clock.elapsed += 60
    assert describe(running["recording_id"])["live"] == learned


def test_agora_is_asked_once_in_two_minutes(
    describe: Any, running: dict[str, Any], vendor: FakeAgora, clock: FakeClock
) -> None:
    def asked() -> int:
        describe(running["recording_id"], fresh="true")
        return vendor.names().count("query")

    first = asked()
    clock.elapsed += 119
    assert asked() == first
    clock.elapsed += 1
    assert asked() == first + 1


def test_what_an_earlier_recorder_said_is_not_shown(
    describe: Any, running: dict[str, Any], store: RecordingStore, table: FakeTable
) -> None:
    describe(running["recording_id"], fresh="true")
    table.put_item(Item={**running, "created_at": "2027-01-01T00:00:00.000000Z"})
    assert "live" not in describe(running["recording_id"])


@pytest.mark.parametrize("query", [{"fresh": "yes"}, {"fresh": ""}, {"frsh": "true"}])
def test_a_parameter_that_is_wrong_is_refused(describe: Any, running: dict[str, Any], query: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(query))):
        describe(running["recording_id"], **query)


def test_a_recorder_that_is_not_ready_leaves_the_status(
    describe: Any, running: dict[str, Any], vendor: FakeAgora
) -> None:
    vendor.live_status = 2
    found = describe(running["recording_id"], fresh="true")
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
    found = describe(running["recording_id"], fresh="true")
    assert found["status"] == "starting"
    assert reason in found["live"]["unavailable"]
    assert clock.naps == []


def test_a_stopped_recorder_is_gone(describe: Any, stop: Any, running: dict[str, Any]) -> None:
    stop(running["recording_id"])
    found = describe(running["recording_id"], fresh="true")
    assert found["live"]["status"] is None
    assert "ended" in found["live"]["meaning"]


def test_describing_a_finished_recording_asks_nobody(describe: Any, table: Any, vendor: FakeAgora) -> None:
    recording_id = "a" * 32
    put(table, recording_id, "done", "2026", sid="s", resource_id="r", media={"m1": {"key": "k", "status": "done"}})
    media = {"media_id": "m1", "key": "k", "status": "done", "duration_ms": 5, "provider": "marsview"}
    table.put_item(Item={**media_key(recording_id, "m1"), **media, "recording_id": recording_id, "job": {"id": "x"}})
    table.put_item(Item=transcript_key(recording_id, "m1", 0, 1))
    table.put_item(Item=insight_key(recording_id, "m1", 0, "topics", 1))
    found = describe(recording_id)
    assert found.pop("cost")["aws"] is found["media"][0].pop("cost")["aws"] is None, (
        "an earlier version counted nothing"
    )
    assert found == {
        "recording_id": recording_id,
        "status": "done",
        "created_at": "2026",
        "insights": "off",
        "version": 1,
        "provider": "marsview",
        "sid": "s",
        "media": [{**media, "duration_ms": 5}],
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
    assert pages(store, status="starting", limit="1") == [[f"{9:032}"], [f"{0:032}"]]


def test_recordings_of_the_same_moment_come_once_each(store: RecordingStore, table: Any) -> None:
    for number in (3, 1, 4, 0, 2):
        put(table, f"{number:032}", "done", "2026-11-21T12:00:00Z")
    put(table, "9" * 32, "done", "2026-11-21T11:00:00Z")
    put(table, "8" * 32, "done", "2026-11-21T13:00:00Z")
    expected = ["8" * 32, *(f"{number:032}" for number in (4, 3, 2, 1, 0)), "9" * 32]
    for limit in ("1", "2", "7"):
        assert list(chain(*pages(store, limit=limit, status="done"))) == expected
        assert list(chain(*pages(store, limit=limit))) == expected


@dataclass
class ChangedMeanwhile:
    """A table in which a recording that was done goes back to processing just before one of the queries."""

    table: FakeTable
    recording_id: str
    before_query: int
    queries: int = 0

    def query(self, **query: Any) -> Any:
        self.queries += 1
        if self.queries == self.before_query:
            row = self.table.get_item(Key=recording_key(self.recording_id))["Item"]
            self.table.put_item(Item={**row, "status": "processing"})
        return self.table.query(**query)


@pytest.mark.parametrize("before_query", range(1, 10))
def test_a_change_of_status_hides_no_recording(table: FakeTable, before_query: int) -> None:
    for number in range(4):
        put(table, f"{number:032}", "done", "2026-11-21T12:00:00Z")
    changing: Any = ChangedMeanwhile(table, f"{3:032}", before_query)

    assert list(chain(*pages(RecordingStore(changing), limit="2"))) == [f"{number:032}" for number in (3, 2, 1, 0)]


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
            "insights": "off",
            "version": 1,
            "complete_at": "2027",
            "channel": "team",
            "provider": "marsview",
            "retryable": True,
            "media": [{"media_id": "a", **summary["a"], "retryable": True}, {"media_id": "b", **summary["b"]}],
            "media_counts": {"failed": 1, "done": 1},
        }
    ]


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "0020"),
        ("limit", ""),
        ("limit", "٣"),
        ("limit", "9" * 5000),
        ("status", "ready"),
        ("status", "done,ready"),
        ("status", "done,done"),
        ("status", ""),
        ("channel", ""),
        ("provider", "nobody"),
        ("reference", "x" * 257),
        ("reference", "a\nb"),
        ("since", "yesterday"),
        ("since", "2026-11-28"),
        ("until", "2026-11-28T10:00:00"),
        ("cursor", ""),
        ("cursor", "!!!"),
        ("cursor", "ü"),
        ("cursor", cursor("[")),
        ("cursor", cursor("[1, 2]")),
        ("cursor", cursor('["", ""]')),
        ("cursor", cursor("[" * 3000)),
        ("cursor", cursor('["changes", "2026"]')),
        ("updated_since", "2026-11-28"),
        ("page", "2"),
    ],
)
def test_a_wrong_parameter_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        list_recordings({name: value}, store=RecordingStore(None))  # type: ignore[arg-type] # it is not looked at
    assert refusal.value.field == name


def test_the_cost_has_what_the_model_was_asked(describe: Any, table: Any) -> None:
    put_derived(table, FOUND, cents=1.5)
    found = describe(DERIVED_RECORDING)
    assert found["cost"]["model"] == 0.015
    assert found["insights"] == "done"
    assert not found.keys() & {"derivation", "derivations"}
