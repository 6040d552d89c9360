"""A request that waits for the end of a recording."""

from typing import Any

import pytest

from recording_insights.errors import InvalidRequest
from recording_insights.recordings.await_end import await_end
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import wanted


@pytest.mark.parametrize(("query", "waited"), [({}, 0), ({"wait": "5"}, 5), ({"wait": "25"}, 24)])
def test_it_waits_as_long_as_it_may(
    query: dict[str, str], waited: int, start: Any, store: RecordingStore, clock: FakeClock
) -> None:
    """Three seconds of the call are left for the answer."""
    recording_id = start(wanted()).recording["recording_id"]
    before = clock.monotonic()

    await_end(recording_id, query, store=store, deadline=clock.deadline())

    assert clock.monotonic() - before == pytest.approx(waited)


def test_it_ends_with_the_recording_and_knows_when_there_is_none(
    start: Any, store: RecordingStore, clock: FakeClock
) -> None:
    recording_id = start(wanted()).recording["recording_id"]
    deadline = clock.deadline()
    before, sleep = clock.monotonic(), clock.sleep

    def end_after_three(seconds: float) -> None:
        sleep(seconds)
        if clock.monotonic() - before >= 3:
            store.update(recording_id, {"status": "partial"})

    object.__setattr__(deadline, "sleep", end_after_three)
    await_end(recording_id, {"wait": "20"}, store=store, deadline=deadline)
    await_end("0" * 32, {"wait": "20"}, store=store, deadline=deadline)

    assert clock.monotonic() - before == pytest.approx(3)


@pytest.mark.parametrize("seconds", ["0", "26", "", "ten", "1.5", "٣", "-1"])
def test_a_wrong_wait_is_named(seconds: str, store: RecordingStore, clock: FakeClock) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await_end("0" * 32, {"wait": seconds}, store=store, deadline=clock.deadline())
    assert refusal.value.field == "wait"
