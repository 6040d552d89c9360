"""Stop a recording."""

from typing import Any

import pytest

from recording_insights.errors import AgoraRefusedCredentials, Conflict, NotFound
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.fakes import FakeClock
from tests.unit.recordings.stored import put
from tests.unit.recordings.wanted import wanted


def test_a_stop(
    stop: Any, running: dict[str, Any], store: RecordingStore, vendor: FakeAgora, stop_watches: list[RecordingRow]
) -> None:
    stopped = stop(running["recording_id"])
    assert stopped["status"] == "stopping"
    assert stopped["stopped_at"] == store.timestamp
    assert stopped["ended_by"] == "stop"
    assert stopped["version"] == running["version"] + 1
    assert store.claims.find("team") is None
    assert vendor.recorders == {}
    assert stop(running["recording_id"]) == stopped
    assert vendor.names().count("stop") == 1
    assert stop_watches == []


@pytest.mark.parametrize("code", [49, 501])
def test_a_recorder_that_has_left_counts_as_stopped(
    stop: Any, running: dict[str, Any], store: RecordingStore, vendor: FakeAgora, code: int
) -> None:
    vendor.script["stop"] = [Answer(400, {"code": code})]
    stopped = stop(running["recording_id"])
    assert (stopped["status"], stopped["ended_by"]) == ("stopping", "recorder")
    assert store.claims.find("team") is None


NOT_FOUND = Answer(404, {"code": 404, "reason": "failed to find worker"})


class TestNoRecorderIsFound:
    """The recorder may be moving to another host, for 30 to 90 s."""

    @pytest.fixture
    def lost(self, stop: Any, running: dict[str, Any], vendor: FakeAgora) -> dict[str, Any]:
        vendor.script["stop"] = [NOT_FOUND]
        row: dict[str, Any] = stop(running["recording_id"])
        return row

    def test_nothing_is_proven(
        self, lost: dict[str, Any], store: RecordingStore, stop_watches: list[RecordingRow]
    ) -> None:
        assert (lost["status"], lost["stop_requested_at"]) == ("stopping", store.timestamp)
        assert not lost.keys() & {"stopped_at", "ended_by", "reason"}
        assert stop_watches == [lost]
        claim = store.claims.find("team")
        assert claim
        assert claim.claimed_until > store.seconds + 3600

    def test_a_repeat_stops_the_recorder_that_is_back(
        self, stop: Any, lost: dict[str, Any], store: RecordingStore, vendor: FakeAgora
    ) -> None:
        stopped = stop(lost["recording_id"])
        assert (stopped["status"], stopped["ended_by"]) == ("stopping", "stop")
        assert "stop_requested_at" not in stopped
        assert vendor.recorders == {}
        assert store.claims.find("team") is None

    @pytest.mark.parametrize(("seconds", "ended_by"), [(99, None), (100, "recorder")])
    def test_a_repeat_that_finds_none_after_100_seconds_is_proof(
        self,
        stop: Any,
        lost: dict[str, Any],
        store: RecordingStore,
        vendor: FakeAgora,
        clock: FakeClock,
        seconds: int,
        ended_by: str | None,
    ) -> None:
        clock.elapsed += 50
        vendor.script["stop"] = [NOT_FOUND] * 2
        assert stop(lost["recording_id"]) == lost, "the first one counts"
        clock.elapsed += seconds - 50
        assert stop(lost["recording_id"]).get("ended_by") == ended_by
        assert (store.claims.find("team") is None) is (ended_by is not None)

    def test_the_status_of_media_stays(
        self, stop: Any, running: dict[str, Any], store: RecordingStore, vendor: FakeAgora
    ) -> None:
        store.update(running["recording_id"], {"status": "processing"})
        vendor.script["stop"] = [NOT_FOUND]
        stopped = stop(running["recording_id"])
        assert stopped["status"] == "processing"
        assert "stop_requested_at" in stopped

    @pytest.mark.parametrize("status", ["recording", "processing"])
    @pytest.mark.parametrize("query", [None, NOT_FOUND, Answer(500, {})])
    def test_a_start_of_the_next_100_seconds_joins_and_withdraws_the_stop(
        self,
        stop: Any,
        start: Any,
        running: dict[str, Any],
        store: RecordingStore,
        vendor: FakeAgora,
        clock: FakeClock,
        query: Answer | None,
        status: str,
    ) -> None:
        store.update(running["recording_id"], {"status": status})
        vendor.script["stop"] = [NOT_FOUND]
        stop(running["recording_id"])
        clock.elapsed += 99
        vendor.script["query"] = [query] if query else []
        joined = start(wanted(uid=9))
        assert not joined.new
        assert joined.recording["recording_id"] == running["recording_id"]
        assert joined.recording["status"] == status
        assert "stop_requested_at" not in joined.recording
        assert len(vendor.recorders) == 1

    @pytest.mark.parametrize(("seconds", "live_status"), [(100, None), (10, 8)])
    def test_a_start_that_has_proof_of_the_end_starts_anew(
        self,
        start: Any,
        lost: dict[str, Any],
        store: RecordingStore,
        vendor: FakeAgora,
        clock: FakeClock,
        seconds: int,
        live_status: int | None,
    ) -> None:
        vendor.live_status = live_status or 5
        clock.elapsed += seconds
        if live_status is None:
            vendor.recorders.clear()
        vendor.before = lambda call: vendor.recorders.clear() if call == "acquire" else None
        assert start().new
        ended = store.get(lost["recording_id"])
        assert ended["ended_by"] == "recorder"
        assert "stop_requested_at" not in ended
        assert clock.naps == []


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
    def arrive(call: str) -> None:
        store.update(running["recording_id"], {"status": "processing"})

    vendor.before = arrive
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
