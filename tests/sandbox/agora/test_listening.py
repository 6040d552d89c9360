"""Individual mode: update changes who is recorded, at once and with true times."""

import itertools
import math
from typing import Any

import pytest

from sandbox.stand_ins.agora.media import Span
from sandbox.stand_ins.agora.tracks import next_span
from tests.sandbox.agora.individual import (
    FAST,
    PACE,
    WOMAN,
    HeardSlice,
    IndividualTask,
    files_of,
    individual_parts,
    named_in,
    playlists_of,
    seen_of,
    slices_of,
    started,
    still_at,
)
from tests.sandbox.conftest import AgoraCustomer, FakeClock, StandIns, until

# The woman of the sample, 1001, speaks until 7.0 s, the man, 1002, from then until 16.6 s.
HIS_TURN = (7.5, 16.2)
EVERYBODY = {"subscribeAudioUids": ["#allstream#"]}
FRAME = 0.07
"""Longer than a frame of AAC in any rate: sound is cut between frames."""


def listen(task: IndividualTask, **lists: Any) -> None:
    reply = task.ask("POST", "update", streamSubscribe={"audioUidList": lists})
    assert reply.status_code == 200, reply.json


def slices(stand_ins: StandIns, uid: str) -> int:
    """How many slices of a uid are in the bucket."""
    return len(files_of(stand_ins.bucket, uid, "audio", "ts"))


def spans(slices: list[HeardSlice]) -> list[Span]:
    """What they cover, slices that follow each other as one."""
    pieces: list[Span] = []
    for part in slices:
        start, end = part.starts, part.starts + part.seconds
        if pieces and start - pieces[-1][1] < FRAME:
            start = pieces.pop()[0]
        pieces.append((start, end))
    return pieces


def test_a_uid_ends_where_its_subscription_ends(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**still_at(5), "recording_seconds": 12})
    task = started(agora, subscribeAudioUids=["1001"]).joined()
    listen(task, subscribeAudioUids=["1002"])
    stand_ins.finish()

    hers, his = slices_of(stand_ins.bucket, "1001"), slices_of(stand_ins.bucket, "1002")
    assert spans(hers) == [pytest.approx((0, 5), abs=FRAME)]
    assert spans(his) == [pytest.approx((5, 12), abs=FRAME)]
    assert WOMAN[0] < (hers[0].pitch or 0) < WOMAN[1]
    for part in his:
        assert part.clock == pytest.approx(part.starts, abs=0.002)
        assert part.loudness(5.1, 6.6) < 0.01
        if HIS_TURN[0] < part.starts < part.starts + part.seconds < HIS_TURN[1]:
            assert 85 < (part.pitch or 0) < 125, "a man's, as well as two seconds tell it"
    assert max(part.loudness(*HIS_TURN) for part in his) > 0.1
    for (_, playlist), parts in zip(playlists_of(stand_ins.bucket), (hers, his), strict=True):
        assert playlist.endswith("#EXT-X-ENDLIST\n")
        assert named_in(playlist) == [part.name.rpartition("/")[2] for part in parts]


def test_a_uid_that_is_subscribed_to_again_continues_after_a_gap(
    agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock
) -> None:
    stand_ins.dials(agora={**PACE, "recording_seconds": 12})
    task = started(agora).joined()
    clock.advance(3)
    listen(task, unsubscribeAudioUids=["1001"])
    clock.advance(5.5)
    until(lambda: slices(stand_ins, "1002") == 4)
    assert slices(stand_ins, "1001") == 2
    listen(task, **EVERYBODY)
    clock.advance(3.5)
    stand_ins.finish()

    hers = spans(slices_of(stand_ins.bucket, "1001"))
    assert hers == [pytest.approx(span, abs=FRAME) for span in [(0, 3), (8.5, 12)]]
    assert all(part.clock == pytest.approx(part.starts, abs=0.002) for part in slices_of(stand_ins.bucket, "1001"))
    his_slices = slices_of(stand_ins.bucket, "1002")
    assert [round(part.starts) for part in his_slices] == list(range(0, 12, 2)), "his go on as if nothing were"
    for part, following in itertools.pairwise(his_slices):
        assert following.starts == pytest.approx(part.starts + part.seconds, abs=0.002)
    [(_, her_playlist), _] = playlists_of(stand_ins.bucket)
    assert len(named_in(her_playlist)) == len(slices_of(stand_ins.bucket, "1001"))


def test_a_recorder_without_subscriptions_has_files_after_the_first_one(
    agora: AgoraCustomer, stand_ins: StandIns
) -> None:
    stand_ins.dials(agora={**still_at(4), "idle_speed": 1.0})
    task = started(agora, subscribeAudioUids=["9"]).joined()
    assert task.query().json["serverResponse"]["fileList"] == []
    listen(task, **EVERYBODY)
    until(lambda: len(task.query().json["serverResponse"]["fileList"]) == 2)
    files = task.query().json["serverResponse"]["fileList"]
    [his] = [file for file in files if file["uid"] == "1002"]
    [first, *_] = slices_of(stand_ins.bucket, "1002")
    assert his["sliceStartTime"] == 1_800_000_000_000 + int(first.starts * 1000)
    assert first.starts == pytest.approx(4, abs=FRAME)
    reply = task.stop()
    assert reply.status_code == 200
    assert {file["uid"] for file in reply.json["serverResponse"]["fileList"]} == {"1001", "1002"}


def test_subscriptions_to_video_do_not_change_audio(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**still_at(4), "recording_seconds": 8})
    task = started(agora, subscribeAudioUids=["1001"]).joined()
    video = {"videoUidList": {"subscribeVideoUids": ["1002"]}}
    assert task.ask("POST", "update", streamSubscribe=video).status_code == 200
    stand_ins.finish()
    assert spans(slices_of(stand_ins.bucket, "1001")) == [pytest.approx((0, 8), abs=FRAME)]
    assert slices_of(stand_ins.bucket, "1002") == []


@pytest.mark.parametrize(
    ("dial", "lists", "recorded"),
    [
        ("unsubscribe", {"unsubscribeAudioUids": ["1001"]}, {"1002"}),
        ("unsubscribe", {"unSubscribeAudioUids": ["1001"]}, {"1001", "1002"}),
        ("unSubscribe", {"unsubscribeAudioUids": ["1001"]}, {"1001", "1002"}),
        ("unSubscribe", {"unSubscribeAudioUids": ["1001"]}, {"1002"}),
        ("unsubscribe", {"unsubscribeAudioUids": ["1001"], "unSubscribeAudioUids": ["1002"]}, {"1002"}),
        ("unSubscribe", {"unsubscribeAudioUids": ["1001"], "unSubscribeAudioUids": ["1002"]}, {"1001"}),
        ("unsubscribe", {"subscribeAudioUids": ["1001"], "unSubscribeAudioUids": ["1001"]}, {"1001"}),
        ("unsubscribe", {"unSubscribeAudioUids": "nobody"}, {"1001", "1002"}),
    ],
)
def test_one_spelling_is_understood_the_other_ignored(
    agora: AgoraCustomer, stand_ins: StandIns, dial: str, lists: dict[str, Any], recorded: set[str]
) -> None:
    stand_ins.dials(agora={**FAST, "recording_seconds": 3, "unsubscribe_spelling": dial})
    started(agora, **lists)
    stand_ins.finish()
    assert {uid for uid in ("1001", "1002") if slices_of(stand_ins.bucket, uid)} == recorded


@pytest.mark.parametrize(("spelling", "goes_on"), [("unSubscribe", False), ("unsubscribe", True)])
def test_an_update_is_understood_in_the_same_spelling(
    agora: AgoraCustomer, stand_ins: StandIns, spelling: str, goes_on: bool
) -> None:
    stand_ins.dials(agora={**still_at(4), "recording_seconds": 9, "unsubscribe_spelling": "unSubscribe"})
    task = started(agora, streamTypes=2).joined()
    audio, video = ({f"{spelling}{medium}Uids": ["1001"]} for medium in ("Audio", "Video"))
    both = {"audioUidList": audio, "videoUidList": video}
    assert task.ask("POST", "update", streamSubscribe=both).status_code == 200
    stand_ins.finish()
    for ends in (
        spans(slices_of(stand_ins.bucket, "1001"))[-1][1],
        max(part.ends for part in seen_of(stand_ins.bucket, "1001")),
    ):
        assert (ends > 8.7) == goes_on


@pytest.mark.parametrize("spelling", ["unsubscribe", "unSubscribe"])
def test_both_a_list_and_one_of_exceptions_is_refused_if_it_is_understood(
    agora: AgoraCustomer, stand_ins: StandIns, spelling: str
) -> None:
    stand_ins.dials(agora={"recording_seconds": 0, "unsubscribe_spelling": spelling})
    lists = {"subscribeVideoUids": ["1001"], f"{spelling}VideoUids": ["1002"]}
    reply = agora.start(agora.acquire(), "individual", **individual_parts(streamTypes=2, **lists))
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    assert "has both subscribeVideoUids and unsubscribeVideoUids" in reply.json["reason"]
    task = started(agora, streamTypes=2)
    reply = task.ask("POST", "update", streamSubscribe={"videoUidList": lists})
    assert (reply.status_code, reply.json["code"]) == (400, 2)
    task.stop()


@pytest.mark.parametrize(
    ("start", "end", "gaps", "span"),
    [
        (0.0, 30.0, [], (0.0, 15.0)),
        (20.0, 30.0, [], (20.0, 30.0)),
        (0.0, 30.0, [(0.0, math.inf)], None),
        (0.0, 30.0, [(0.0, 4.0)], (4.0, 19.0)),
        (3.0, 30.0, [(7.0, math.inf)], (3.0, 7.0)),
        (7.0, 30.0, [(7.0, math.inf)], None),
        (6.9, 30.0, [(7.0, 9.0)], (9.0, 24.0)),
        (0.0, 30.0, [(0.0, 0.0), (5.0, 6.0)], (0.0, 5.0)),
        (0.0, 30.0, [(0.0, 8.0), (2.0, 5.0)], (8.0, 23.0)),
        (0.0, 30.0, [(0.0, 4.0), (2.0, 9.0), (12.0, 13.0)], (9.0, 12.0)),
        (29.9, 30.0, [], None),
    ],
)
def test_the_next_span_avoids_gaps(start: float, end: float, gaps: list[Span], span: Span | None) -> None:
    assert next_span(start, end, 15.0, gaps) == span
