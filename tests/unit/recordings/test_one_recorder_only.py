"""A channel whose claim has lapsed: which recording a recorder in it can belong to, and what may start again."""

from typing import Any

import pytest

from recording_insights.recordings.channel_claim import HeldChannel, adopt_recorder, await_recorder_id
from recording_insights.store.claims import Claim
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.fakes import FakeClock

OWN, OTHER = "a" * 32, "b" * 32


@pytest.mark.parametrize("changes", [{}, {"status": "recording"}, {"status": "recording", "sid": None}], ids=str)
def test_a_recording_that_agora_began_is_not_started_again_under_its_key(
    start: Any, store: RecordingStore, vendor: FakeAgora, changes: Any
) -> None:
    first = start(idempotency_key="k").recording
    store.update(first["recording_id"], changes)
    store.claims.release("team", first["recording_id"])

    again = start(idempotency_key="k")

    assert not again.new
    assert again.recording["recording_id"] == first["recording_id"]
    assert len(vendor.recorders) == 1


@pytest.mark.parametrize(
    ("earlier", "is_adopted"),
    [
        ({"status": "recording", "sid": "s"}, True),
        ({"status": "recording"}, False),
        ({"status": "starting"}, True),
        ({"status": "failed"}, True),
        ({"status": "done", "sid": "s", "stopped_at": "2026"}, False),
    ],
    ids=str,
)
def test_a_recorder_belongs_to_a_recording_that_may_have_one(
    store: RecordingStore, earlier: Any, is_adopted: bool
) -> None:
    before = Claim("team", OTHER, store.seconds + 90)
    store.open({"channel": "team", **earlier}, before, over=None)  # type: ignore[typeddict-item]
    store.open({"channel": "team"}, Claim("team", OWN, store.seconds + 90), over=before)

    adopted = adopt_recorder(HeldChannel("team", OWN, before, store), 1, watch=lambda row: None)

    assert (adopted or {}).get("recording_id") == (OTHER if is_adopted else None)


def test_a_start_that_left_its_reason_is_not_awaited(store: RecordingStore, clock: FakeClock) -> None:
    store.open({"channel": "team", "reason": "lost"}, Claim("team", OWN, store.seconds + 90), over=None)
    recording = store.get(OWN)

    assert await_recorder_id(recording, store=store, deadline=clock.deadline()) == recording
    assert clock.naps == []
