"""MP4s of a mix or a page: when one ends, and the next one begins."""

from typing import Any

import pytest

from sandbox.stand_ins.agora.recorder import RequestedFiles
from tests.sandbox.agora.individual import FAST, seconds_of, still_at
from tests.sandbox.agora.test_modes import page_request
from tests.sandbox.conftest import AgoraCustomer, StandIns, start_request, until


def lengths(stand_ins: StandIns) -> dict[str, int]:
    """Whole seconds of each MP4 by the end of its name, in the order of their upload."""
    return {name[-6:]: round(seconds_of(stand_ins.bucket.objects[name])) for name in stand_ins.bucket.ending_in(".mp4")}


def test_an_mp4_that_reached_its_length_is_uploaded_while_the_recording_runs(
    agora: AgoraCustomer, stand_ins: StandIns
) -> None:
    stand_ins.dials(agora={**still_at(25), "mp4_seconds": 10})
    task = agora.started()
    assert task.state() == 5
    until(lambda: len(lengths(stand_ins)) == 2)
    assert (lengths(stand_ins), task.state()) == ({"_0.mp4": 10, "_1.mp4": 10}, 5)
    named = [file["fileName"] for file in task.query().json["serverResponse"]["fileList"]]
    assert named[1:] == stand_ins.bucket.ending_in(".mp4")

    assert task.stop().status_code == 200
    assert lengths(stand_ins) == {"_0.mp4": 10, "_1.mp4": 10, "_2.mp4": 5}
    playlist = stand_ins.bucket.playlists[-1]
    assert playlist.count("#EXTINF") == 13, "segments are cut without regard to MP4s"


def test_an_mp4_that_reached_its_size_is_followed_by_another(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**FAST, "slice_seconds": 5.0, "recording_seconds": 25, "mp4_bytes": 50_000})
    agora.started(recording={"streamTypes": 0})
    stand_ins.finish()
    segments = [len(stand_ins.bucket.objects[key]) for key in stand_ins.bucket.ending_in(".ts")]
    assert all(25_000 < size < 50_000 for size in segments), "two segments are more than the limit, one is less"
    assert lengths(stand_ins) == {"_0.mp4": 10, "_1.mp4": 10, "_2.mp4": 5}


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_nothing_is_left_for_another_mp4_at_the_end(agora: AgoraCustomer, stand_ins: StandIns, parts: int) -> None:
    stand_ins.dials(agora={**FAST, "parts": parts})
    agora.started()
    stand_ins.finish()
    assert list(lengths(stand_ins)) == [f"_{number}.mp4" for number in range(parts)]


def test_of_a_recorder_that_died_the_mp4s_before_the_last_one_are_there(
    agora: AgoraCustomer, stand_ins: StandIns
) -> None:
    stand_ins.dials(agora={**FAST, "mp4_seconds": 15, "fail_over_at_seconds": 20.0, "fail_over_gap_seconds": 10.0})
    task = agora.started()
    stand_ins.finish()
    names = [name.rpartition("/")[2] for name in stand_ins.bucket.ending_in(".mp4")]
    assert names == [f"{begin}{task.sid}_room_1_{end}.mp4" for begin, end in (("", 0), ("bak0_", 0), ("bak0_", 1))]


@pytest.mark.parametrize(
    ("request_body", "minutes"),
    [(start_request(), 120), (page_request(), 120), (page_request(maxVideoDuration=30), 30)],
)
def test_the_longest_mp4_is_agoras_or_that_of_the_page(request_body: dict[str, Any], minutes: int) -> None:
    assert RequestedFiles.of(request_body).mp4_minutes == minutes
