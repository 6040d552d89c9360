"""Individual mode from the API to one conversation: a track for each uid, whatever becomes of the uploads."""

import re
from typing import Any
from uuid import uuid4

import pytest

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import FAST, HELD, SLOW, STAYS, all_ended, executions, jobs_paid, read, until, until_entered

FIRST_WORDS = {"1001": 990, "1002": 7380}
"""When each speaker of the sample is heard first, in ms."""
AFTER_A_MUTE = 17_010
"""When the first speaker goes on."""
TOLERANCE_MS = 300


def record(stack: LocalStack, **body: Any) -> dict[str, Any]:
    channel = f"two tracks {uuid4().hex[:8]}"
    answer = stack.call_api("POST", "/recordings", json={"channel": channel, "mode": "individual", **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def both_tracks(stack: LocalStack, recording_id: str) -> list[dict[str, Any]] | None:
    found = executions(stack, read(stack, recording_id))
    return found if len(found) == 2 else None


def insights_of(stack: LocalStack, recording_id: str) -> dict[str, Any]:
    return dict(stack.call_api("GET", f"/recordings/{recording_id}/insights").json())


def starts(insights: dict[str, Any], uid: str) -> list[int]:
    """When each line of a speaker begins."""
    return [line["start_ms"] for line in insights["transcript"] if line["speaker"] == uid]


def test_two_uids_are_one_conversation_with_names(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": 12.0, "slice_seconds": 5.0})
    recording_id = record(stack, speakers={"1001": "Agent", "1002": "Caller"})["recording_id"]

    recording = all_ended(stack, recording_id, media=2)

    assert recording["status"] == "done", recording
    assert [media["uid"] for media in recording["media"]] == ["1001", "1002"]
    assert len(executions(stack, recording)) == 2
    insights = insights_of(stack, recording_id)
    lines = insights["transcript"]
    assert [line["start_ms"] for line in lines] == sorted(line["start_ms"] for line in lines)
    assert {line["speaker"]: line["speaker_name"] for line in lines} == {"1001": "Agent", "1002": "Caller"}
    for uid, at in FIRST_WORDS.items():
        assert abs(starts(insights, uid)[0] - at) < TOLERANCE_MS, lines
    assert jobs_paid(stack) == {"agora.recordings_started": 1, "marsview.transactions_computed": 2}


@pytest.mark.matrix
def test_pictures_are_recorded_beside_the_voices_and_stay_in_the_bucket(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": 12.0, "slice_seconds": 5.0})
    with_pictures = {"audio_only": False, "stream_mode": "standard", "snapshots": {"interval_seconds": 5}}
    recording_id = record(stack, unsubscribe_audio_uids=["1002"], announce_start=True, **with_pictures)["recording_id"]

    recording = all_ended(stack, recording_id, media=1)

    assert recording["status"] == "done", recording
    assert [media["uid"] for media in recording["media"]] == ["1001"], "the other one is left out"
    assert {line["speaker"] for line in insights_of(stack, recording_id)["transcript"]} == {"1001"}
    bucket = stack.outputs["RecordingsBucketName"]
    listed = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=recording["prefix"])["Contents"]
    written = {entry["Key"].partition("__uid_s_")[2] for entry in listed}
    kinds = {re.sub(r"_[0-9]{17}", "", name.replace("__uid_e", "")) for name in written}
    assert kinds == {
        *("1001_audio.m3u8", "1001_audio.ts", "1001_video.m3u8", "1001_video.ts", "1001_video.jpg", "1001_av.m3u8"),
        *("1002_video.m3u8", "1002_video.ts", "1002_video.jpg", "1002_av.m3u8"),
    }


@pytest.mark.matrix
def test_after_a_mute_the_times_are_still_true(stack: LocalStack) -> None:
    mute = {"uid": "1001", "from_seconds": 2.0, "to_seconds": 12.0}
    stack.dials(agora={"recording_seconds": 20.0, "slice_seconds": 5.0, "mutes": [mute]})
    recording_id = record(stack, stream_mode="original")["recording_id"]

    recording = all_ended(stack, recording_id, media=2)

    assert recording["status"] == "done", recording
    [muted] = [media for media in recording["media"] if media["uid"] == "1001"]
    assert abs(muted["silent_ms"] - 10_000) < TOLERANCE_MS
    insights = insights_of(stack, recording_id)
    [after] = [at for at in starts(insights, "1001") if at > 5_000]
    assert abs(after - AFTER_A_MUTE) < TOLERANCE_MS, insights["transcript"]


@pytest.mark.matrix
def test_what_comes_late_is_waited_for(stack: LocalStack) -> None:
    late = {"late_slices": 2, "backed_up": True, "held_late": True}
    stack.set_wait_scale(SLOW)
    stack.dials(agora={"recording_seconds": 12.0, "slice_seconds": 3.0, **late, **STAYS})
    recording_id = record(stack)["recording_id"]
    tracks = until(lambda: both_tracks(stack, recording_id), "the executions of both tracks")
    stack.set_wait_scale(HELD)
    assert stack.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    for track in tracks:
        # Which of them depends on whether the first check or the stop comes first.
        until_entered(stack, track, "Await end of track", "Wait for files")
    stack.dials(agora={"held_late": False})
    stack.set_wait_scale(FAST)

    recording = all_ended(stack, recording_id, media=2)

    assert recording["status"] == "done", recording
    assert all(abs(media["duration_ms"] - 12_000) < 300 for media in recording["media"])
    assert starts(insights_of(stack, recording_id), "1002")


@pytest.mark.matrix
def test_what_never_comes_is_named_and_the_rest_stands(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": 12.0, "slice_seconds": 3.0, "lost_slices": [1]})
    recording_id = record(stack)["recording_id"]

    recording = all_ended(stack, recording_id, media=2)

    assert recording["status"] == "partial", recording
    assert all("1 of 4 segments" in media["incomplete"] for media in recording["media"])
    insights = insights_of(stack, recording_id)
    assert insights["transcript"]
    assert len(insights["missing"]) == 2


@pytest.mark.matrix
def test_a_recorder_that_takes_over_goes_on_with_the_conversation(stack: LocalStack) -> None:
    stack.dials(
        agora={
            "recording_seconds": 30.0,
            "slice_seconds": 3.0,
            "fail_over_at_seconds": 4.0,
            "fail_over_gap_seconds": 2.4,
        }
    )
    recording_id = record(stack)["recording_id"]

    recording = all_ended(stack, recording_id, media=2)

    assert recording["status"] == "done", recording
    assert len(executions(stack, recording)) == 2, "both recorders' files of a uid are one track"
    insights = insights_of(stack, recording_id)
    assert {line["speaker"] for line in insights["transcript"]} == {"1001", "1002"}
    assert max(line["start_ms"] for line in insights["transcript"]) > 16_000, "long after the first recorder's death"


@pytest.mark.matrix
def test_a_recorder_that_exits_abnormally_leaves_what_it_had(stack: LocalStack) -> None:
    stack.dials(agora={"recording_seconds": 20.0, "slice_seconds": 3.0, "exit_at_seconds": 10.0})
    recording_id = record(stack)["recording_id"]

    recording = all_ended(stack, recording_id, media=2)

    assert recording["status"] == "partial", recording
    assert all(media["incomplete"] == "its playlist was never closed" for media in recording["media"])
    assert abs(starts(insights_of(stack, recording_id), "1001")[0] - FIRST_WORDS["1001"]) < TOLERANCE_MS
