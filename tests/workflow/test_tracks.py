"""Every branch of "Media prepared?", with tracks that were put into the bucket by hand, as ffmpeg makes them."""

from pathlib import Path
from uuid import uuid4

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import (
    FAST,
    HELD,
    all_ended,
    drop,
    drop_all,
    executions,
    hls_of,
    jobs_paid,
    listed,
    read,
    recording_of,
    states,
    until,
    until_ended,
    until_entered,
)

LOOKS = ["Prepare media", "Media prepared?"]
TURN = ["Wait for files", *LOOKS]
AWAITS = "Await end of track"
"""Its time-out is 15 minutes of real time: no test lets it pass."""


@pytest.fixture
def sid() -> str:
    return uuid4().hex


@pytest.fixture
def track(clip: Path, tmp_path: Path, sid: str) -> list[Path]:
    """Slices of two seconds and, last, the playlist that names them."""
    return hls_of(clip, tmp_path, f"{sid}_team__uid_s_1001__uid_e_audio")


def test_a_folder_of_hls_becomes_insights(stack: LocalStack, track: list[Path], sid: str) -> None:
    key = drop_all(stack, track, "by hand")
    recording = until_ended(stack, recording_of(stack, key))

    assert recording["status"] == "done", recording
    assert recording["sid"] == sid
    [media] = recording["media"]
    assert (media["key"], media["uid"], media["format"]) == (key, "1001", "m3u8")
    assert abs(media["duration_ms"] - 6000) < 100
    prepared = stack.client("s3").get_object(Bucket=stack.outputs["RecordingsBucketName"], Key=media["prepared"]["key"])
    assert prepared["Body"].read(12)[4:8] == b"ftyp"
    assert states(stack, recording)[:5] == ["Media prepared?", *LOOKS, "Submit recording", "Job finished?"]
    insights = stack.call_api("GET", f"/recordings/{recording['recording_id']}/insights").json()
    assert "help you" in " ".join(line["text"] for line in insights["transcript"]).lower()
    assert {line["speaker"] for line in insights["transcript"]} == {"1001"}
    assert jobs_paid(stack) == {"marsview.transactions_computed": 1}


def test_a_playlist_that_comes_first_waits_for_its_slices(stack: LocalStack, track: list[Path]) -> None:
    stack.set_wait_scale(HELD)
    *slices, playlist = track
    key = drop(stack, playlist, f"late/{playlist.name}")
    recording_id = recording_of(stack, key)
    [execution] = until(lambda: executions(stack, read(stack, recording_id)), "the execution")
    until_entered(stack, execution, "Wait for files")
    assert read(stack, recording_id)["status"] == "processing"
    drop_all(stack, slices, "late")
    stack.set_wait_scale(FAST)

    recording = until_ended(stack, recording_id)

    assert recording["status"] == "done", recording
    visited = states(stack, recording)
    turns = visited.count("Wait for files")
    assert turns >= 1
    assert visited[: 3 + 3 * turns] == ["Media prepared?", *LOOKS, *TURN * turns]


@pytest.mark.matrix
def test_the_closed_playlist_ends_the_wait_of_a_track_that_is_being_recorded(
    stack: LocalStack, track: list[Path]
) -> None:
    *slices, playlist = track
    closed = playlist.read_text()
    opened = closed.replace("#EXT-X-ENDLIST", "")
    key = drop(stack, opened.encode(), f"under way/{playlist.name}")
    recording_id = recording_of(stack, key)
    [execution] = until(lambda: executions(stack, read(stack, recording_id)), "the execution")
    until_entered(stack, execution, AWAITS)
    drop_all(stack, slices, "under way")
    drop(stack, closed.encode(), key)

    recording = until_ended(stack, recording_id)

    assert recording["status"] == "done", recording
    assert states(stack, recording)[:4] == ["Media prepared?", *LOOKS, AWAITS]
    assert "task_token" not in recording["media"][0]


@pytest.mark.matrix
def test_a_segment_that_never_arrives_leaves_a_gap_that_is_named(stack: LocalStack, track: list[Path]) -> None:
    del track[1]
    key = drop_all(stack, track, "gap")
    recording = until_ended(stack, recording_of(stack, key))

    assert recording["status"] == "partial", recording
    [media] = recording["media"]
    assert "1 of 3 segments" in media["incomplete"]
    assert abs(media["duration_ms"] - 6000) < 200, "what is missing keeps its length"
    insights = stack.call_api("GET", f"/recordings/{recording['recording_id']}/insights").json()
    assert insights["transcript"]
    assert "never arrived" in insights["missing"][0]


@pytest.mark.matrix
def test_a_playlist_that_is_written_many_times_is_one_execution(stack: LocalStack, track: list[Path], sid: str) -> None:
    *slices, playlist = track
    key = f"rewritten/{playlist.name}"
    closed = playlist.read_text()
    opened = closed.replace("#EXT-X-ENDLIST", "")
    for number in range(6):
        drop(stack, f"{opened}# {number}\n".encode(), key)
    drop_all(stack, slices, "rewritten")
    drop(stack, closed.encode(), key)
    recording = until_ended(stack, recording_of(stack, key))

    assert recording["status"] == "done", recording
    assert len(executions(stack, recording)) == 1
    assert jobs_paid(stack) == {"marsview.transactions_computed": 1}


@pytest.mark.matrix
def test_a_track_that_goes_on_after_its_end_is_one_conversation(stack: LocalStack, track: list[Path], sid: str) -> None:
    """The uid comes back after a minute and says the same once more."""
    stem = f"{sid}_team__uid_s_1001__uid_e_audio"
    sounds = [file.read_bytes() for file in track[:-1]]
    names = [f"{stem}_20261121120{minute}0{2 * n}000.ts" for minute in (0, 1) for n in range(len(sounds))]
    lines = ["#EXTM3U", *(line for name in names for line in ("#EXTINF:2.0", name))]

    def come(count: int) -> str:
        for name, sound in list(zip(names, sounds * 2, strict=True))[count - len(sounds) : count]:
            drop(stack, sound, f"back/{name}")
        closed = "\n".join([*lines[: 1 + 2 * count], "#EXT-X-ENDLIST", ""])
        return drop(stack, closed.encode(), f"back/{stem}.m3u8")

    key = come(len(sounds))
    before = until_ended(stack, recording_of(stack, key))
    assert before["status"] == "done", before
    for _ in range(3):
        come(2 * len(sounds))
    recording = all_ended(stack, before["recording_id"], media=2)

    assert recording["status"] == "done", recording
    first, then = sorted(recording["media"], key=lambda media: media.get("continuation", 0))
    assert (then["key"], then["uid"], then["continues"]) == (key, "1001", first["media_id"])
    assert then["starts_at_ms"] - first["starts_at_ms"] == 60_000
    assert len(executions(stack, recording)) == 2
    assert jobs_paid(stack) == {"marsview.transactions_computed": 2}
    transcript = stack.call_api("GET", f"/recordings/{recording['recording_id']}/insights").json()["transcript"]
    times = [line["start_ms"] for line in transcript]
    assert times == sorted(times)
    said = [[line["text"] for line in transcript if (line["start_ms"] >= 60_000) is later] for later in (False, True)]
    assert said[0] == said[1] != []
    assert {line["speaker"] for line in transcript} == {"1001"}


@pytest.mark.matrix
def test_a_track_of_nothing_is_empty(stack: LocalStack, sid: str) -> None:
    key = f"nothing/{sid}_team__uid_s_1001__uid_e_audio.m3u8"
    drop(stack, b"#EXTM3U\n#EXT-X-ENDLIST\n", key)
    recording = until_ended(stack, recording_of(stack, key))

    assert recording["status"] == "empty"
    assert states(stack, recording) == ["Media prepared?", *LOOKS, "Nothing was recorded"]
    assert jobs_paid(stack) == {}


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("playlist", "slices", "reason"),
    [
        (b"<html>no playlist</html>", {}, "none of its playlists can be read"),
        (
            b"#EXTM3U\n#EXTINF:2\n{stem}_0.ts\n#EXT-X-ENDLIST\n",
            {"{stem}_0.ts": b"no transport stream"},
            "the track holds no sound",
        ),
    ],
    ids=["no playlist", "no sound"],
)
def test_what_cannot_be_prepared_fails_with_the_reason(
    stack: LocalStack, sid: str, playlist: bytes, slices: dict[str, bytes], reason: str
) -> None:
    stem = f"{sid}_team__uid_s_1001__uid_e_audio"
    for name, content in slices.items():
        drop(stack, content, f"bad/{name.replace('{stem}', stem)}")
    key = drop(stack, playlist.replace(b"{stem}", stem.encode()), f"bad/{stem}.m3u8")
    recording = until_ended(stack, recording_of(stack, key))

    assert recording["status"] == "failed"
    assert reason in recording["media"][0]["reason"]
    assert states(stack, recording)[-3:] == ["Media prepared?", "Report failure", "Recording failed"]


@pytest.mark.matrix
def test_the_prepared_file_is_no_recording(stack: LocalStack, track: list[Path]) -> None:
    before = len(listed(stack))
    recording = until_ended(stack, recording_of(stack, drop_all(stack, track, "once")))
    found = listed(stack)
    assert len(found) == before + 1
    [entry] = [entry for entry in found if entry["recording_id"] == recording["recording_id"]]
    assert entry in stack.call_api("GET", f"/recordings?status={recording['status']}&limit=100").json()["recordings"]
    assert [entry["media_counts"], [media["key"] for media in entry["media"]]] == [
        {recording["media"][0]["status"]: 1},
        [recording["media"][0]["key"]],
    ]
