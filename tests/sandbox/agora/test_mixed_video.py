"""The picture of a mix or a page, in segments and MP4s, and the pipeline's reading of the sound beside it."""

import io
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest

from recording_insights.hls.playlist import parse_playlist
from recording_insights.hls.remux.remux import remux
from recording_insights.hls.timeline import place_segments
from recording_insights.media.probe.duration import media_duration_ms
from tests.sandbox.agora.individual import FAST, Picture, picture
from tests.sandbox.agora.test_modes import started as started_page
from tests.sandbox.conftest import AgoraCustomer, StandIns

SECONDS, SLICE, FPS, FRAME = 20, 8, 5, 0.065
SHORT = {**FAST, "recording_seconds": SECONDS, "slice_seconds": SLICE, "mp4_seconds": 12}


def tracks(content: bytes) -> dict[str, list[Any]]:
    """The decoded frames of each track, by its kind."""
    with av.open(io.BytesIO(content), "r") as container:
        kinds = [stream.type for stream in container.streams]
        frames: dict[str, list[Any]] = {kind: [] for kind in kinds}
        assert len(frames) == len(kinds), "one track of each kind"
        for frame in container.decode():
            frames["video" if isinstance(frame, av.VideoFrame) else "audio"].append(frame)
    return frames


def recorded(stand_ins: StandIns, suffix: str) -> list[dict[str, list[Any]]]:
    return [tracks(stand_ins.bucket.objects[key]) for key in stand_ins.bucket.ending_in(suffix)]


@pytest.mark.parametrize(
    ("requested", "kinds"),
    [({"streamTypes": 0}, {"audio"}), ({"streamTypes": 1}, {"video"}), ({"streamTypes": 2}, {"audio", "video"})],
)
def test_a_mix_has_the_tracks_that_were_requested(
    agora: AgoraCustomer, stand_ins: StandIns, requested: dict[str, int], kinds: set[str]
) -> None:
    stand_ins.dials(agora=SHORT)
    agora.started(recording=requested)
    stand_ins.finish()
    files = [*recorded(stand_ins, ".ts"), *recorded(stand_ins, ".mp4")]
    assert len(files) == 5
    assert all(set(file) == kinds and all(file.values()) for file in files)
    lines = stand_ins.bucket.playlists[-1].splitlines()
    told = {line.partition("TRACK_TYPE=")[2].partition(",")[0] for line in lines if "TRACK-EVENT" in line}
    assert told == {kind.upper() for kind in kinds}


@pytest.mark.parametrize("start", [AgoraCustomer.started, started_page], ids=["mix", "page"])
def test_both_are_recorded_unless_requested_otherwise_and_show_what_is_heard(
    agora: AgoraCustomer, stand_ins: StandIns, start: Any
) -> None:
    stand_ins.dials(agora=SHORT)
    start(agora)
    stand_ins.finish()
    for suffix, begins, zeros in ((".ts", (0, 8, 16), (0, 8, 16)), (".mp4", (0, 12), (0, 0))):
        for file, begin, zero in zip(recorded(stand_ins, suffix), begins, zeros, strict=True):
            pictures: list[Picture] = [picture(frame) for frame in file["video"]]
            assert file["video"][0].key_frame
            assert file["video"][0].time == pytest.approx(zero, abs=FRAME)
            assert file["audio"][0].time == pytest.approx(zero, abs=FRAME)
            assert [each.second for each in pictures] == pytest.approx(
                [begin + index / FPS for index in range(len(pictures))], abs=0.5
            )
    assert [len(file["video"]) for file in recorded(stand_ins, ".ts")] == [40, 40, 20]
    assert [len(file["video"]) for file in recorded(stand_ins, ".mp4")] == [60, 40]


def test_the_sound_beside_a_picture_is_what_it_is_alone(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    heard = []
    for stream_types in (0, 2):
        stand_ins.dials(agora=SHORT)
        agora.started(recording={"streamTypes": stream_types})
        stand_ins.finish()
        files = [*recorded(stand_ins, ".ts"), *recorded(stand_ins, ".mp4")]
        heard.append([b"".join(bytes(frame.planes[0]) for frame in file["audio"]) for file in files])
        stand_ins.bucket.objects.clear()
    assert heard[0] == heard[1]


def test_files_with_a_picture_are_listed_as_such(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**SHORT, "idle_speed": 1.0, "joins_at_query": 1, "stands_at_seconds": 10})
    task = agora.started()
    assert task.state() == 5
    listed = task.stop().json["serverResponse"]["fileList"]
    assert [(file["fileName"][-5:], file["trackType"]) for file in listed] == [
        (".m3u8", "audio_and_video"),
        ("0.mp4", "audio_and_video"),
    ]


def test_the_pipeline_takes_the_sound_of_segments_with_a_picture(
    agora: AgoraCustomer, stand_ins: StandIns, tmp_path: Path
) -> None:
    stand_ins.dials(agora=SHORT)
    agora.started()
    stand_ins.finish()
    objects = {key.rpartition("/")[2]: content for key, content in stand_ins.bucket.objects.items()}
    timeline = place_segments([parse_playlist(stand_ins.bucket.playlists[-1].encode()).segments])
    prepared = remux(timeline.segments, objects.get, tmp_path / "prepared.mp4")
    assert list(prepared.lost) == []
    assert prepared.silent_ms < 100
    assert prepared.duration_ms == pytest.approx(SECONDS * 1000, abs=100)
    assert set(tracks((tmp_path / "prepared.mp4").read_bytes())) == {"audio"}


def test_the_pipeline_finds_the_length_of_an_mp4_with_a_picture(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora=SHORT)
    agora.started()
    stand_ins.finish()
    contents = [stand_ins.bucket.objects[key] for key in stand_ins.bucket.ending_in(".mp4")]
    lengths = [media_duration_ms(partial(_range_of, content), len(content)) for content in contents]
    assert lengths == pytest.approx([12_000, 8_000], abs=200)


def _range_of(content: bytes, first: int, last: int) -> bytes:
    return content[first : last + 1]
