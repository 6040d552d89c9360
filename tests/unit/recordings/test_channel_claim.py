"""The claim of one start on its channel, and what becomes of the claim that it replaced."""

from typing import Any

import pytest

from recording_insights.errors import AgoraUnavailable
from recording_insights.recordings.channel_claim import (
    ID_LOST,
    HeldChannel,
    adopt_recorder,
    await_recorder_id,
    close_interrupted_start,
    is_held,
    running_recording,
)
from recording_insights.store.claims import Claim
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import Answer, FakeAgora
from tests.unit.fakes import FakeClock

OWN, OTHER = "a" * 32, "b" * 32


def opened(store: RecordingStore, recording_id: str, over: Claim | None = None, **attributes: Any) -> Claim:
    """The claim of a recording that is about to start."""
    claim = Claim("team", recording_id, store.seconds + 90)
    store.open({"channel": "team", "uid": "7", **attributes}, claim, over=over)  # type: ignore[typeddict-item]
    return claim


@pytest.fixture
def first(store: RecordingStore) -> HeldChannel:
    """The channel of a start that found no claim."""
    opened(store, OWN)
    return HeldChannel("team", OWN, None, store)


@pytest.fixture
def second(store: RecordingStore) -> HeldChannel:
    """The channel of a start that replaced another recording's claim."""
    before = opened(store, OTHER)
    opened(store, OWN, before)
    return HeldChannel("team", OWN, before, store)


def test_a_claim_is_extended_to_the_hours_of_its_recording(first: HeldChannel, store: RecordingStore) -> None:
    first.extend(2)
    assert store.claims.find("team") == Claim("team", OWN, store.seconds + 7200)


def test_a_claim_that_lapsed_holds_nothing(first: HeldChannel, store: RecordingStore) -> None:
    first.lapse()
    claim = store.claims.find("team")
    assert claim == Claim("team", OWN, store.seconds)
    assert not is_held(claim, OWN, store)


def test_a_channel_is_held_by_one_recording(first: HeldChannel, store: RecordingStore) -> None:
    claim = store.claims.find("team")
    assert is_held(claim, OWN, store)
    assert not is_held(claim, OTHER, store)
    assert not is_held(None, OWN, store)


def test_a_channel_is_given_back_to_the_claim_before(second: HeldChannel, store: RecordingStore) -> None:
    second.give_back()
    assert store.claims.find("team") == second.before


def test_a_channel_without_a_claim_before_is_released(first: HeldChannel, store: RecordingStore) -> None:
    first.give_back()
    assert store.claims.find("team") is None


@pytest.mark.parametrize("change", ["extend", "lapse", "pass_on", "give_back"])
def test_a_channel_that_belongs_to_another_start_stays_its_own(
    second: HeldChannel, store: RecordingStore, change: str
) -> None:
    third = opened(store, "c" * 32, store.claims.find("team"))
    arguments = {"extend": (1,), "pass_on": (OTHER, 1)}.get(change, ())
    getattr(second, change)(*arguments)
    assert store.claims.find("team") == third


def test_the_claim_before_may_be_of_the_same_recording(second: HeldChannel, store: RecordingStore) -> None:
    assert not second.was_own
    assert HeldChannel("team", OTHER, second.before, store).was_own


class TestAdoption:
    def test_a_failed_start_whose_recorder_runs_is_revived_and_watched(
        self, second: HeldChannel, store: RecordingStore
    ) -> None:
        store.update(OTHER, {"status": "failed", "reason": "x"})
        watched: list[str] = []
        adopted = adopt_recorder(second, 1, watch=lambda row: watched.append(row["recording_id"]))
        assert adopted
        assert (adopted["recording_id"], adopted["status"], adopted["reason"]) == (OTHER, "starting", ID_LOST)
        assert watched == [OTHER]
        assert store.find(OWN) is None
        assert store.claims.find("team") == Claim("team", OTHER, store.seconds + 3600)

    def test_a_recording_that_has_an_id_keeps_its_watch(self, second: HeldChannel, store: RecordingStore) -> None:
        store.update(OTHER, {"sid": "s"})
        adopted = adopt_recorder(second, 1, watch=lambda row: pytest.fail("it has a watch"))
        assert adopted == store.find(OTHER)

    def test_a_stopped_recording_cannot_have_the_recorder(self, second: HeldChannel, store: RecordingStore) -> None:
        store.update(OTHER, {"stopped_at": store.timestamp})
        assert adopt_recorder(second, 1, watch=lambda row: None) is None
        assert store.find(OWN) is None
        assert store.claims.find("team") == second.before

    def test_nobody_had_the_channel_before(self, first: HeldChannel, store: RecordingStore) -> None:
        assert adopt_recorder(first, 1, watch=lambda row: None) is None
        assert store.claims.find("team") is None


class TestInterruptedStart:
    def test_it_fails_when_agora_took_a_new_recorder_of_its_uid(
        self, second: HeldChannel, store: RecordingStore
    ) -> None:
        close_interrupted_start(second, "7")
        assert store.get(OTHER)["reason"] == "its start was interrupted, and Agora recorded nothing"

    @pytest.mark.parametrize(
        ("change", "uid"), [({}, "8"), ({"sid": "s"}, "7"), ({"status": "recording"}, "7")], ids=str
    )
    def test_any_other_recording_stays(self, second: HeldChannel, store: RecordingStore, change: Any, uid: str) -> None:
        store.update(OTHER, change)
        before = store.find(OTHER)
        close_interrupted_start(second, uid)
        assert store.find(OTHER) == before


class TestRunningRecording:
    def test_one_without_an_id_is_awaited_for_8_seconds(
        self, first: HeldChannel, store: RecordingStore, clock: FakeClock
    ) -> None:
        row = await_recorder_id(store.get(OWN), store=store, deadline=clock.deadline())
        assert row
        assert "sid" not in row
        assert clock.elapsed == 8

    def test_a_deadline_ends_the_wait_earlier(
        self, first: HeldChannel, store: RecordingStore, clock: FakeClock
    ) -> None:
        await_recorder_id(store.get(OWN), store=store, deadline=clock.deadline(3))
        assert clock.elapsed == 2

    @pytest.mark.parametrize("status", ["recording", "done"])
    def test_while_agora_is_away_only_a_row_under_way_is_trusted(
        self, start: Any, store: RecordingStore, agora: Any, clock: FakeClock, vendor: FakeAgora, status: str
    ) -> None:
        recording_id = start().recording["recording_id"]
        row = store.update(recording_id, {"status": status})
        claim = store.claims.find("team")
        assert claim
        vendor.script["query"] = [Answer(500, {})] * 3
        if status == "recording":
            assert running_recording(claim, store=store, agora=agora, deadline=clock.deadline()) == row
        else:
            with pytest.raises(AgoraUnavailable):
                running_recording(claim, store=store, agora=agora, deadline=clock.deadline())

    def test_a_claim_that_lapsed_asks_nobody(
        self, start: Any, store: RecordingStore, agora: Any, clock: FakeClock, vendor: FakeAgora
    ) -> None:
        recording_id = start().recording["recording_id"]
        claim = Claim("team", recording_id, store.seconds)
        assert running_recording(claim, store=store, agora=agora, deadline=clock.deadline()) is None
        assert "query" not in vendor.names()
