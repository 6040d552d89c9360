"""What a sweep measures of open recordings and of providers, and of what it made good."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recording_insights.model.moments import utc_text
from recording_insights.store.keys import recording_key
from recording_insights.store.recordings import RecordingStore
from recording_insights.sweep.state_measures import measure_found, measure_state
from tests.unit.conftest import MakeMedia
from tests.unit.measured import measured
from tests.unit.processing.test_turns import Place, media


def test_slots_queue_and_health_of_each_provider(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place()
    for number in (1, 2, 3):
        place.comes(media(number))
    recordings = RecordingStore(place.table, place.clock.now)
    measure_state(["symbl"], recordings=recordings, turns=place.store)
    first = measured(capsys.readouterr().out)
    place.fails(media(1))
    measure_state(["symbl"], recordings=recordings, turns=place.store)

    of_symbl = {name: value for name, value, dimensions in first if dimensions == {"provider": "symbl"}}
    assert of_symbl == {"SlotsUsed": 2, "QueueLength": 1, "ProviderClosed": 0}
    assert ("ProviderClosed", 1, {"provider": "symbl"}) in measured(capsys.readouterr().out)


def test_only_what_was_lost_before_counts_as_made_good(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Any = {"media": {"admitted": 2, "left_alone": 5}, "rows": {"ended": 1, "unfinished": 3}, "unfinished": []}
    measure_found(counts)
    assert measured(capsys.readouterr().out) == [
        ("SweepFound", 2, {"step": "media"}),
        ("SweepFound", 2, {}),
        ("SweepFound", 0, {"step": "rows"}),
        ("SweepFound", 0, {}),
    ]


@pytest.mark.parametrize(
    ("began", "quiet"),
    [
        ([], 0),  # nothing was ever recorded
        ([-30], 0),  # nothing a week ago: the stack is new, or its days are like this
        ([-8 * 24 + 1], 1),
        ([-7 * 24 - 1, -30], 1),
        ([-7 * 24 + 1, -8 * 24 - 1], 0),
        ([-7 * 24 - 1, -23], 0),
    ],
)
def test_a_day_is_quiet_if_the_same_day_of_the_week_was_not(
    began: Sequence[float], quiet: int, make_media: MakeMedia, capsys: pytest.CaptureFixture[str]
) -> None:
    """`began`: when recordings began, in hours from now."""
    place = Place()
    recordings = RecordingStore(place.table, place.clock.now)
    for hours in began:
        arrived = replace(make_media(f"{hours}.mp4"), created_at=place.clock.now() + timedelta(hours=hours))
        recordings.open_by_arrival(arrived.own_recording_id, arrived, providers=["symbl"])
    measure_state([], recordings=recordings, turns=place.store)
    assert ("Quiet", quiet, {}) in measured(capsys.readouterr().out)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("row", "hours"),
    [
        ({"status": "starting", "channel": "c"}, 30),
        ({"status": "starting", "upload_expires_at": 3}, 2),  # its file may be on its way for an hour
        ({"status": "starting", "upload_expires_at": 1}, 0),
        ({"status": "stopping", "channel": "c", "stop_requested_at": 2}, 2),
        ({"status": "processing"}, 30),
        ({"status": "processing", "channel": "c", "stopped_at": 3}, 3),
        ({"status": "processing", "channel": "c"}, 6),  # its recorder may stay for a day
        ({"status": "processing", "channel": "c", "max_hours": 48}, 0),
        ({"status": "processing", "channel": "c", "max_hours": "many"}, 0),  # somebody has edited it
        ({"status": "done"}, 0),
    ],
)
def test_a_recording_is_waited_for_since_its_end(row: Any, hours: float, capsys: pytest.CaptureFixture[str]) -> None:
    """It began 30 hours ago. Moments are in hours before now. Another one began before, and has just ended."""
    place = Place()
    recordings = RecordingStore(place.table, place.clock.now)

    def before(hours: float) -> str:
        return utc_text(place.clock.now() - hours * HOUR)

    moments = {name: before(value) for name, value in row.items() if name.endswith("_at")}
    for number, began, attributes in ((1, 40, {"channel": "c", "stopped_at": before(0)}), (2, 30, moments)):
        recording_id = f"{number:032x}"
        known = {**recording_key(recording_id), "recording_id": recording_id, "created_at": before(began)}
        place.table.put_item(Item={**row, **attributes, **known})
    measure_state([], recordings=recordings, turns=place.store)
    measures = measured(capsys.readouterr().out)
    assert max(value for name, value, _ in measures if name == "OldestOpenSeconds") == hours * 3600
