"""Each kind of recording costs what the table in `counts` says: no change makes one dearer without saying so."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from struct import pack
from typing import Any

import pytest

from recording_insights.model.cost import MediaCost
from recording_insights.model.moments import utc_text
from recording_insights.store.changes import LAG
from recording_insights.store.rows import RecordingRow
from routes import get_insights, get_recording, list_insights, list_recordings, start_recording, stop_recording
from tests.conformance.conftest import Travel
from tests.conformance.counts import EXPECTED, Counts, changes
from tests.conformance.journey import CHANNEL, Journey
from tests.unit.conversion.conftest import make_media
from tests.unit.processing.track_scene import BEGAN, playlist, stamp

POLLED, CALLS_BACK, DELIVERS, OF_AWS, SENDS_RESULT = "marsview", "assemblyai", "deepgram", "transcribe", "seameet"
HOUR = 3600
UPLOAD_SECONDS = 10
SEGMENT_SECONDS = 15
EXITED = 8
"""Agora's status of a recorder that has left."""

KINDS: dict[str, Callable[[Travel], Counts]] = {}


def kind(name: str) -> Callable[[Callable[[Travel], Counts]], Callable[[Travel], Counts]]:
    """Name what a function counts."""

    def register(count: Callable[[Travel], Counts]) -> Callable[[Travel], Counts]:
        KINDS[name] = count
        return count

    return register


def mp4(number: int = 0) -> bytes:
    """An MP4, another one for each number: a box that players skip is at its end."""
    return make_media("aac", "mp4") + pack(">I4sI", 12, b"free", number)


def recorded(
    journey: Journey, *, seconds: int = HOUR, parts: int = 1, end: Callable[[str], object] | None = None
) -> RecordingRow:
    """A mix that the API started, in MP4s of equal length. The API stops it, unless it ends otherwise."""
    row = journey.record()
    for part in range(parts):
        key = f"{row['prefix']}{row['sid']}_{CHANNEL}_{part}.mp4"
        arrives = seconds * (part + 1) / parts + UPLOAD_SECONDS
        journey.at(arrives, partial(journey.arrive, key, mp4(part)))
    journey.at(seconds, partial(end or partial(journey.ask, stop_recording), row["recording_id"]))
    journey.go()
    return ended(journey, row["recording_id"])


def ended(journey: Journey, recording_id: str) -> RecordingRow:
    row = journey.store.recordings.get(recording_id)
    assert row["status"] == "done", row
    return row


@kind("MP4, polled three times")
def polled(travel: Travel) -> Counts:
    journey = travel(POLLED, polls=3)
    recorded(journey)
    assert journey.entered.count("Poll job") == 3
    return journey.count("media")


@kind("MP4, polled four times")
def polled_once_more(travel: Travel) -> Counts:
    journey = travel(POLLED, polls=4)
    recorded(journey)
    return journey.count("media")


@kind("MP4, callback")
def called_back(travel: Travel) -> Counts:
    return _woken(travel(CALLS_BACK))


@kind("MP4, result delivered to S3")
def delivered(travel: Travel) -> Counts:
    return _woken(travel(DELIVERS))


@kind("MP4, event of AWS (Transcribe)")
def event_of_aws(travel: Travel) -> Counts:
    return _woken(travel(OF_AWS))


@kind("MP4, result by callback alone (SeaMeet)")
def result_by_callback(travel: Travel) -> Counts:
    return _woken(travel(SENDS_RESULT))


def _woken(journey: Journey) -> Counts:
    recorded(journey)
    assert len(journey.woken) == 1
    assert journey.entered.count("Poll job") == 1
    return journey.count("media")


@kind("three MP4s of a mix, callbacks")
def parts(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    row = recorded(journey, parts=3)
    assert row["media_counts"] == {"done": 3}
    return journey.count("media")


@kind("two tracks of two minutes, callbacks")
def individual(travel: Travel) -> Counts:
    journey, seconds = travel(CALLS_BACK), 120
    row = journey.record(mode="individual")
    for uid in (1001, 1002):
        stem = f"{row['sid']}_{CHANNEL}__uid_s_{uid}__uid_e_audio"
        ends = range(SEGMENT_SECONDS, seconds + 1, SEGMENT_SECONDS)
        names = [f"{stem}_{stamp(BEGAN + timedelta(seconds=end - SEGMENT_SECONDS))}.ts" for end in ends]
        for number, end in enumerate(ends, start=1):
            segment, key = f"{row['prefix']}{names[number - 1]}", f"{row['prefix']}{stem}.m3u8"
            text = playlist(names[:number], closed=end == seconds).encode()
            journey.at(end + 1, partial(journey.arrive, segment, b"ts", announced=False))
            journey.at(end + 2, partial(journey.arrive, key, text))
    journey.at(seconds, partial(journey.ask, stop_recording, row["recording_id"]))
    journey.go()
    assert ended(journey, row["recording_id"])["media_counts"] == {"done": 2}
    last = utc_text(journey.clock.start + timedelta(seconds=seconds + 2))
    submitted = [media["submitted_at"] for media in journey.store.recordings.media_rows(row["recording_id"])]
    assert submitted == [last] * 2, "the provider gets each track when its last file arrives"
    return journey.count("media")


@kind("file by hand, converted, callback")
def converted(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    journey.arrive("talk.mkv", make_media("libopus", "matroska"))
    journey.go()
    assert journey.entered.count("Prepare media") == 1
    return journey.count("media")


@kind("watch of a recording of one hour")
def watch(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    recorded(journey)
    return journey.count("watch")


@kind("watch of ten minutes, stopped")
def watch_of_ten_minutes(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    recorded(journey, seconds=600)
    return journey.count("watch")


@kind("watch of ten minutes, without a stop")
def watch_until_it_leaves(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    recorded(journey, seconds=600, end=lambda recording_id: setattr(journey.agora, "live_status", EXITED))
    return journey.count("watch")


@kind("`POST /recordings`")
def start(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    journey.record()
    return journey.count(_name(start_recording))


@kind("`POST /recordings/{id}/stop`")
def stop(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    recorded(journey)
    return journey.count(_name(stop_recording))


@kind("`GET /recordings/{id}`")
def get(travel: Travel) -> Counts:
    return _of_route(travel(CALLS_BACK), get_recording)


@kind("`GET /recordings/{id}/insights`")
def insights(travel: Travel) -> Counts:
    return _of_route(travel(CALLS_BACK), get_insights)


@kind("`GET /recordings`")
def list_(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    recorded(journey)
    journey.ask(list_recordings)
    return journey.count(_name(list_recordings))


@kind("`GET /insights` of one recording")
def synced(travel: Travel) -> Counts:
    journey = travel(CALLS_BACK)
    recorded(journey)
    journey.clock.elapsed += LAG.total_seconds() + 1
    [entry] = journey.ask(list_insights)["recordings"]
    assert entry["status"] == "done"
    return journey.count(_name(list_insights))


def _of_route(journey: Journey, route: Any) -> Counts:
    journey.ask(route, recorded(journey)["recording_id"])
    return journey.count(_name(route))


def _name(route: Any) -> str:
    return str(route.__name__).rpartition(".")[2]


def test_every_kind_is_in_the_table() -> None:
    assert list(KINDS) == list(EXPECTED)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_costs_what_the_table_says(travel: Travel, name: str) -> None:
    expected, counted = EXPECTED.get(name, Counts()), KINDS[name](travel)
    assert counted == expected, (
        f"{name}: {changes(expected, counted)}. If that is meant, tests/conformance/counts.py and docs/cost.md say so."
    )


MEDIA_KINDS = [name for name in KINDS if not name.startswith(("`", "watch"))]
TRACKS_EVENTS = {"two tracks of two minutes, callbacks": 14}
"""The events of playlists that find the row of their track and change no count of it."""


@pytest.mark.parametrize("name", MEDIA_KINDS)
def test_the_rows_have_the_transitions_and_calls_that_were_counted(travel: Travel, name: str) -> None:
    journeys: list[Journey] = []

    def noted(*args: Any, **changes: Any) -> Journey:
        journeys.append(travel(*args, **changes))
        return journeys[-1]

    counted = KINDS[name](noted)
    costs = [MediaCost.of(row, ()) for row in journeys[-1].media_rows()]

    assert sum(cost.transitions or 0 for cost in costs) == counted.transitions
    assert sum(cost.calls or 0 for cost in costs) == counted.calls - TRACKS_EVENTS.get(name, 0)
