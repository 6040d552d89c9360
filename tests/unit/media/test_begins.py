"""When the MP4s begin of a recorder that took over, by the start times of its segments."""

from datetime import timedelta
from typing import Any

import pytest

from recording_insights.media.intake import admit_media
from recording_insights.model.media_object import MediaObject
from recording_insights.store.media import MediaStore
from tests.unit.fakes import FakeClock, not_waited
from tests.unit.media.test_intake import wav
from tests.unit.processing.track_scene import BEGAN, FOLDER, SID, FakeFolder, stamp
from tests.unit.watch.recovery_scene import STEM, named, unix_ms


class Arrivals:
    """A folder, and what comes into it."""

    def __init__(self, store: MediaStore, clock: FakeClock) -> None:
        self.store = store
        self.folder = FakeFolder(clock)

    def slices(self, recorder: int, *seconds: float, written: Any = stamp, stem: str = STEM) -> None:
        for second in seconds:
            moment = written(BEGAN + timedelta(seconds=second))
            self.folder.put(FOLDER + named(recorder, f"_{moment}.ts", stem=stem))

    def offset_of(self, name: str) -> int | None:
        media = MediaObject("recordings-bucket", FOLDER + name, "etag", len(wav()), BEGAN)
        admitted = admit_media(
            media,
            store=self.store,
            default_provider="marsview",
            prefix_providers={},
            reader=lambda media: lambda first, last: wav()[first : last + 1],
            checksum=lambda media: None,
            folder=self.folder,
            start_execution=lambda *, name, state: True,
            end_wait=not_waited,
        )
        offset_ms = self.store.get(admitted["recording_id"], admitted["media_id"]).get("offset_ms")
        return None if offset_ms is None else int(offset_ms)


@pytest.fixture
def arrivals(store: MediaStore, clock: FakeClock) -> Arrivals:
    return Arrivals(store, clock)


@pytest.mark.parametrize("written", [stamp, unix_ms], ids=["mix", "web"])
def test_it_is_the_time_between_the_first_slices(arrivals: Arrivals, written: Any) -> None:
    arrivals.slices(0, 15, 0, 30, written=written)
    arrivals.slices(1, 107.25, 92.25, written=written)

    assert arrivals.offset_of(named(1, "_0.mp4")) == 92_250


def test_neither_files_of_others_nor_mp4s_count(arrivals: Arrivals) -> None:
    arrivals.slices(0, 20, 35)
    arrivals.slices(0, 0, stem=f"{STEM}2")
    arrivals.slices(0, 0, stem=f"{STEM}_2")
    arrivals.slices(1, 80)
    arrivals.slices(2, 10)
    arrivals.folder.put(FOLDER + named(0, "_0.mp4"))

    assert arrivals.offset_of(named(1, "_0.mp4")) == 60_000


@pytest.mark.parametrize("name", [named(0, "_0.mp4"), named(1, "_1.mp4"), "talk.mp4", f"bak0_{SID}.mp4"])
def test_other_files_have_no_offset_and_list_nothing(arrivals: Arrivals, name: str) -> None:
    arrivals.slices(0, 0)
    arrivals.slices(1, 60)

    assert arrivals.offset_of(name) is None
    assert arrivals.folder.lists == 0


def test_a_channel_with_underscores_is_placed_too(arrivals: Arrivals) -> None:
    stem = f"{SID}_ride_17822"
    arrivals.slices(0, 0, stem=stem)
    arrivals.slices(1, 60, stem=stem)

    assert arrivals.offset_of(named(1, "_0.mp4", stem=stem)) == 60_000


@pytest.mark.parametrize("recorder", [0, 1])
def test_without_the_segments_of_one_recorder_there_is_no_offset(arrivals: Arrivals, recorder: int) -> None:
    arrivals.slices(recorder, 0)

    assert arrivals.offset_of(named(1, "_0.mp4")) is None


def test_a_clock_that_went_back_moves_nothing_before_the_beginning(arrivals: Arrivals) -> None:
    arrivals.slices(0, 60)
    arrivals.slices(1, 0)

    assert arrivals.offset_of(named(1, "_0.mp4")) == 0
