"""The state machine that watches recordings: every branch, every Catch, and what a recording of ten minutes costs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

from recording_insights.agora.notifications import Notification
from recording_insights.recordings.notifications import process_notification
from recording_insights.store.notices import NoticeStore
from recording_insights.watch.progress import Watch
from routes import stop_recording
from states import check_recording, recover_recording
from tests.conformance.conftest import Travel
from tests.conformance.journey import CHANNEL, Journey
from tests.conformance.state_machine import DEFAULTS_OF_WATCH, words_of_choice
from tests.conformance.test_counts import mp4

PROVIDER = "assemblyai"
END = 600
CHECK = ["Wait", "Check recording", "Recording over?"]
FILES = ["Wait for files", "Recover recording", "Recording over?"]
ALL_UPLOADED = 31


@pytest.fixture
def journey(travel: Travel) -> Journey:
    return travel(PROVIDER)


def record(journey: Journey, *ends: tuple[float, Callable[[str], object]]) -> Sequence[str]:
    """A recording of ten minutes whose only file arrives 5 s after its end; returns the states of its watch."""
    row = journey.record()
    key = f"{row['prefix']}{row['sid']}_{CHANNEL}_0.mp4"
    journey.at(END + 5, partial(journey.arrive, key, mp4()))
    for seconds, end in ends:
        journey.at(seconds, partial(end, row["recording_id"]))
    journey.go()
    after = journey.store.recordings.get(row["recording_id"])
    assert after["status"] == "done"
    assert "complete_at" in after
    return journey.states["watch"]


def leaves(journey: Journey) -> Callable[[str], object]:
    return lambda recording_id: setattr(journey.agora, "live_status", 8)


def stops(journey: Journey) -> Callable[[str], object]:
    return partial(journey.ask, stop_recording)


def test_a_stop_is_found_at_the_next_check(journey: Journey) -> None:
    assert record(journey, (END, stops(journey))) == [*CHECK * 2, *FILES, "Recording watched"]


def test_so_is_a_recorder_that_left_by_itself(journey: Journey) -> None:
    assert record(journey, (END, leaves(journey))) == [*CHECK * 2, *FILES, "Recording watched"]


def test_what_agora_declares_uploaded_is_completed_at_once(journey: Journey) -> None:
    def tell(recording_id: str) -> None:
        recordings = journey.store.recordings
        notice = Notification("n", 3, ALL_UPLOADED, recordings.get(recording_id)["sid"], {})
        assert process_notification(notice, store=recordings, notices=NoticeStore(journey.table)) is None

    assert record(journey, (END + 60, tell)) == [*CHECK * 2, *FILES[1:], "Recording watched"]


@pytest.mark.parametrize(
    ("module", "states"),
    [
        (check_recording, [*CHECK[:2], *CHECK * 2, *FILES, "Recording watched"]),
        (recover_recording, [*CHECK * 2, *FILES[:2], *FILES, "Recording watched"]),
    ],
)
def test_a_fault_of_aws_is_waited_out(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, module: ModuleType, states: Sequence[str]
) -> None:
    work, faults = module.handler, ["DynamoDB is away"]

    def fail_once(event: Any, context: Any) -> Mapping[str, Any]:
        if faults:
            raise RuntimeError(faults.pop())
        after: Mapping[str, Any] = work(event, context)
        return after

    monkeypatch.setattr(module, "handler", fail_once)

    assert record(journey, (END, stops(journey))) == states


def test_every_outcome_has_a_branch_or_is_the_default(watch_definition: Mapping[str, Any]) -> None:
    [(name, defaults)] = DEFAULTS_OF_WATCH.items()
    branches = set(words_of_choice(watch_definition["States"][name]))
    assert branches.isdisjoint(defaults)
    assert branches | defaults == set(get_args(get_type_hints(Watch)["outcome"]))
