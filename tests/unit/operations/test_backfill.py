"""A backfill: what is new, what it costs, the pace of admission, and that no kill pays twice or loses anything."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from operations.backfill.estimate import AWS_OF_EACH
from operations.backfill.order import Order
from operations.backfill.stored import keys_in
from operations.deployed_stack import OperationFailed
from operations.workers import Workers
from recording_insights.model.prices import CALL, TRANSITION
from tests.unit.operations.stage_of_history import Killed, StageOfHistory, sound

KEYS = [f"old/{number}.wav" for number in range(7)]
SID = "aaf22917cc0d2f3b0235a885e974f8e6"


@pytest.fixture
def stage() -> StageOfHistory:
    found = StageOfHistory()
    found.put(*KEYS)
    return found


def skipped(result: Any) -> dict[str, int]:
    return {group["code"]: group["number"] for group in result.data["skipped"]}


def test_all_is_taken_in_and_never_more_at_once_than_the_provider_has_slots(stage: StageOfHistory) -> None:
    result = stage.backfill()

    assert result.outcome
    assert (result.outcome.admitted, result.outcome.done, result.outcome.left) == (7, 7, 0)
    assert sorted(stage.paid) == KEYS
    assert stage.most_at_once == 2
    assert "2 under way, 5 left" in stage.shown[0]
    assert "a minute, about" in stage.shown[-1]
    again = stage.backfill()
    assert skipped(again) == {"done": 7}
    assert (len(stage.paid), len(stage.asked)) == (7, 1), "nothing is new, so nobody is asked"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_is_killed_at_any_call_and_run_again_pays_once_for_each(moment: str) -> None:
    number = 0
    while True:
        number += 1
        stage = StageOfHistory(kills=(number, moment), fails={KEYS[1]: "no_sound"})
        stage.put(*KEYS)
        stage.refuses[KEYS[2]] = "holds the same content as another one"
        try:
            stage.backfill()
        except Killed:
            stage.backfill()
        else:
            break
        assert Counter(stage.paid) == Counter({key: 1 for key in KEYS if key != KEYS[2]}), number
        assert {stage.media(key)["status"] for key in stage.paid} == {"done", "failed"}, number
        assert stage.most_at_once <= 2, number
    assert number > 40, "it was killed at every call"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_retry_of_what_failed_that_is_killed_is_not_begun_twice(moment: str) -> None:
    for number in range(1, 30):
        stage = StageOfHistory(fails={KEYS[0]: "no_sound"})
        stage.put(*KEYS[:2])
        assert skipped(stage.backfill()) == {}
        assert skipped(stage.backfill()) == {"failed_before": 1, "done": 1}
        stage.fails, stage.kills = {}, (stage.calls + number, moment)
        order = Order("", retries_failed=True)
        try:
            assert stage.backfill(order).data["retried"] == 1
        except Killed:
            stage.backfill(order)
        assert Counter(stage.paid) == {KEYS[0]: 2, KEYS[1]: 1}, number
        assert stage.media(KEYS[0])["status"] == "done"


@pytest.mark.parametrize("retries", [False, True])
def test_a_call_whose_answer_is_lost_is_not_paid_for_twice(stage: StageOfHistory, retries: bool) -> None:
    stage.fails = {KEYS[0]: "no_sound"} if retries else {}
    order = Order(keys=KEYS[:1], retries_failed=retries)
    if retries:
        stage.backfill(order)
    before, take, retry = len(stage.paid), stage._take, stage._retry

    def lose(call: Any) -> Any:
        def lost(*arguments: Any) -> Any:
            if not stage.loses_answers:
                stage.loses_answers, stage.away = True, [TimeoutError("no answer")]
            return call(*arguments)

        return lost

    stage._take, stage._retry = lose(take), lose(retry)  # type: ignore[method-assign]
    stage.fails = {}
    result = stage.backfill(order)

    assert len(stage.paid) == before + 1
    assert result.outcome
    assert (result.outcome.done, skipped(result)) == (1, {})
    assert stage.lines == ["no answer Trying again in 2 s."]


def test_what_is_under_way_from_a_run_before_counts_among_the_slots_and_is_followed(stage: StageOfHistory) -> None:
    first = stage.backfill(Order("", waits=False))
    assert first.outcome
    assert (first.outcome.admitted, first.outcome.under_way, first.outcome.left) == (2, 2, 5)

    second = stage.backfill(Order("", waits=False))
    assert second.outcome
    assert (second.outcome.admitted, second.outcome.under_way, len(stage.paid)) == (0, 2, 2)
    third = stage.backfill()
    assert third.outcome
    assert (third.outcome.admitted, third.outcome.done) == (5, 7)


def test_slots_that_others_use_are_left_to_them_and_one_at_a_time_goes_on(stage: StageOfHistory) -> None:
    stage.slots, stage.standing = 8, {"slots_used": 7, "queued": 3}
    stage.backfill()
    assert stage.most_at_once == 1
    assert len(stage.paid) == 7


def test_at_once_is_the_operators_and_a_provider_without_slots_gets_ten(stage: StageOfHistory) -> None:
    stage.backfill(Order("", at_once=5))
    assert stage.most_at_once == 5
    stage.slots, stage.most_at_once = None, 0
    stage.put(*(f"more/{number:02}.wav" for number in range(15)))
    stage.backfill()
    assert stage.most_at_once == 10


def test_a_provider_that_takes_nothing_gets_nothing_until_it_is_back(stage: StageOfHistory) -> None:
    stage.standing = {"paused": True}
    stage.on_pause = lambda: stage.standing.update(paused=stage.pauses < 5)
    stage.backfill()
    assert stage.lines == ["Provider deepgram is paused: the backfill waits until somebody ends that."]
    assert len(stage.paid) == 7


@pytest.mark.parametrize("health", ["open", "half_open"])
@pytest.mark.parametrize("at_once", [None, 5])
def test_one_object_at_a_time_tries_a_provider_that_is_away(
    stage: StageOfHistory, health: str, at_once: int | None
) -> None:
    """A provider counts as away until somebody tries it: without that the backfill would wait for ever."""
    stage.standing = {"health": health, "reason_code": "provider_unavailable"}
    first = stage.backfill(Order("", at_once=at_once, waits=False))
    assert first.outcome
    assert (first.outcome.admitted, first.outcome.under_way) == (1, 1)
    assert stage.backfill(Order("", at_once=at_once, waits=False)).data["admitted"] == 0
    stage.standing = {}
    stage.backfill()
    assert len(stage.paid) == 7
    assert stage.lines[0] == "Provider deepgram takes no jobs (provider_unavailable): one at a time tries it."


def test_the_provider_that_a_prefix_gets_is_the_one_that_is_priced_and_paced(stage: StageOfHistory) -> None:
    stage.prefixes, stage.standing = {"old/": ["transcribe"]}, {"paused": True}
    stage.put("another.wav")
    shares = stage.backfill(dry_run=True).estimate.shares
    assert {share.provider: share.number for share in shares} == {"deepgram": 1, "transcribe": 7}
    stage.backfill(Order("old/"))
    assert (sorted(stage.paid), stage.lines) == (KEYS, []), "a pause of another provider holds nothing back"


def test_what_waits_for_something_else_than_its_turn_is_named(stage: StageOfHistory) -> None:
    def meet_cap() -> None:
        for media in stage.at_work:
            media["reason_code"] = "over_daily_cap"

    stage.on_pause = meet_cap
    stage.backfill()
    assert any(line.endswith("2 wait (over_daily_cap)") for line in stage.shown)


def test_a_pause_of_the_intake_is_waited_out_and_an_api_that_stays_away_ends_the_run(stage: StageOfHistory) -> None:
    stage.away = [TimeoutError("throttled")] * 9
    stage.backfill()
    assert len(stage.paid) == 7
    stage.put("another.wav")
    stage.away = [TimeoutError("throttled")] * 99
    with pytest.raises(TimeoutError, match="throttled"):
        stage.backfill()
    assert len(stage.paid) == 7


def test_a_fault_of_one_object_does_not_keep_the_others_and_one_of_all_ends_the_run(stage: StageOfHistory) -> None:
    stage.breaks = set(KEYS[2:4])
    result = stage.backfill()
    assert (sorted(stage.paid), skipped(result)) == ([*KEYS[:2], *KEYS[4:]], {"not_admitted": 2})
    stage.breaks = {"more/1.wav", "more/2.wav", "more/3.wav"}
    stage.put(*stage.breaks, "more/4.wav")
    with pytest.raises(ArithmeticError):
        stage.backfill(Order("more/"))
    assert stage.lines[-1].startswith("The backfill ends early. 0 are under way and go on, 2 were not admitted")


def test_ctrl_c_says_what_goes_on(stage: StageOfHistory) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    stage.on_pause = interrupt
    with pytest.raises(KeyboardInterrupt):
        stage.backfill()
    assert stage.lines == [
        "2 are under way and go on, 5 were not admitted: the same command goes on from here.",
    ]


def test_what_is_left_out_has_its_reason_and_costs_no_read(stage: StageOfHistory) -> None:
    stage.s3.objects |= {
        "old/notes.txt": b"notes",
        "old/empty.wav": b"",
        "old/page.mp4": b"<html><body>no media</body></html>",
        "prepared/one.wav": sound(1.0),
        f"old/{SID}_room_20261121121344939.ts": b"segment",
    }
    stage.put("cold/one.wav", "cold/two.wav")
    stage.s3.classes = {"cold/one.wav": "GLACIER", "cold/two.wav": "DEEP_ARCHIVE", KEYS[3]: "GLACIER_IR"}
    stage.erased = {stage._media_object(KEYS[0]).own_recording_id}

    result = stage.backfill(Order("", limit=4), dry_run=True)

    by_code = Counter(group["code"] for group in result.data["skipped"] for _ in range(group["number"]))
    assert by_code == {"not_media": 4, "archived": 2, "erased": 1, "over_limit": 3}
    assert (result.data["new"], result.data["dry_run"], stage.paid, stage.asked) == (4, True, [], [])
    assert stage.s3.gets == 4, "lengths are read of what is new"
    [page] = stage.backfill(Order("old/page"), dry_run=True).data["skipped"]
    assert (page["reason"], page["keys"]) == ("the object is an HTML page, not media", ["old/page.mp4"])


def test_a_limit_spares_the_look_at_what_is_behind_it(stage: StageOfHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.backfill.plan.LOOKED_UP_AT_ONCE", 2)
    data = stage.backfill(Order("", limit=3), dry_run=True).data
    assert (data["new"], data["is_whole"], stage.calls) == (3, False, 1 + 4)
    assert stage.backfill(Order("", limit=7), dry_run=True).data["is_whole"]


def test_keys_of_a_file_count_once_and_a_key_without_an_object_is_named(stage: StageOfHistory) -> None:
    lines = [f"\ufeff{KEYS[1]}\r\n", f"{KEYS[0]}\n", "\n", f"s3://history/{KEYS[1]}\n", " no such.wav"]
    keys = keys_in(lines, "history")
    with pytest.raises(OperationFailed, match=r"s3://another/a\.wav is not in the recordings bucket history: copy it"):
        keys_in(["s3://another/a.wav"], "history")
    assert keys == [KEYS[1], KEYS[0], " no such.wav"]
    result = stage.backfill(Order(keys=keys))
    assert stage.paid == [KEYS[1], KEYS[0]]
    assert [(group["code"], group["keys"]) for group in result.data["skipped"]] == [("gone", [" no such.wav"])]


def test_the_playlists_of_a_track_are_one_media_object(stage: StageOfHistory) -> None:
    stem = f"tracks/{SID}_room__uid_s_1__uid_e_audio"
    playlist = b"#EXTM3U\n#EXTINF:15.0\none.ts\n#EXTINF:9.5\ntwo.ts\n#EXT-X-ENDLIST\n"
    stage.s3.objects |= {f"{stem}.m3u8": playlist, f"{stem}_1732190000000_1.m3u8": playlist}
    result = stage.backfill(Order("tracks/"), dry_run=True)
    assert (result.data["new"], result.data["estimate"]["hours"]) == (1, round(24.5 / 3600, 4))


def test_files_of_a_recording_that_the_api_started_go_by_its_row(stage: StageOfHistory) -> None:
    made = "4736218b480a44149a6bac9cd17457c6"
    key = f"recordings/{made}/{SID}_room_0.mp4"
    stage.put(key, f"recordings/{made}/notes.wav", f"copies/{made}/elsewhere.mp4")
    stage.rows[made] = {
        "recording_id": made,
        "status": "done",
        "prefix": f"recordings/{made}/",
        "channel": "room",
        "provider": "transcribe",
        "media": [],
    }
    result = stage.backfill(Order("", keys=[*stage.s3.objects][-3:]), dry_run=True)
    [share] = result.estimate.shares
    assert (result.data["new"], share.provider, skipped(result)) == (1, "transcribe", {"not_taken": 2})
    stage.rows[made]["media"] = [{"media_id": "0" * 20, "key": "another", "status": "done", "copies": [key]}]
    assert skipped(stage.backfill(Order(keys=[key]), dry_run=True)) == {"same_content": 1}


def test_the_estimate_says_what_it_knows_and_what_not(stage: StageOfHistory) -> None:
    stage.put("long.wav", seconds=60)
    stage.s3.objects["odd.mp3"] = b"\xff\x00 no frames"
    estimate = stage.backfill(Order("", provider="transcribe"), dry_run=True).estimate
    [share] = estimate.shares
    assert (share.number, share.unknown_lengths) == (9, 1)
    assert share.dollars == pytest.approx(0.0067, rel=0.01)
    assert "Take in 9 media objects: 67 s of media, 1 more of unknown length." in estimate.sentence
    assert "Provider transcribe gets 9: at least $0.0067 at list price of 2026-09-23, about" in estimate.sentence

    [unknown] = stage.backfill(dry_run=True).estimate.shares
    assert (unknown.provider, unknown.dollars) == ("deepgram", None), "its price is not known, which is not 0"
    assert "its price is not known" in stage.backfill(dry_run=True).estimate.sentence


def test_the_share_of_aws_is_that_of_the_page_of_costs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cost.md").read_text()
    [counts] = re.findall(r"^\| file by hand, converted, callback \| (\d+) \| (\d+) \|", page, flags=re.MULTILINE)
    assert TRANSITION.of(int(counts[0])) + CALL.of(int(counts[1])) == AWS_OF_EACH


def test_who_may_not_read_objects_learns_no_lengths_and_takes_them_in(stage: StageOfHistory) -> None:
    stage.s3.denies = "AccessDenied"
    result = stage.backfill()
    assert (result.estimate.unknown_lengths, len(stage.paid)) == (7, 7)
    stage.put("cold.wav")
    stage.s3.denies = "InvalidObjectState"
    assert skipped(stage.backfill()) == {"done": 7, "archived": 1}, "an archive tier that the list does not show"


def test_what_fails_is_named_with_its_code(stage: StageOfHistory) -> None:
    stage.fails = {KEYS[0]: "no_sound", KEYS[1]: "no_sound", KEYS[2]: "job_failed"}
    data = stage.backfill().data
    assert (data["done"], data["failed_by_code"]) == (4, {"no_sound": 2, "job_failed": 1})
    assert {failed["key"] for failed in data["failed"]} == set(KEYS[:3])


def test_a_recording_that_is_erased_meanwhile_ends_its_wait(stage: StageOfHistory) -> None:
    stage.on_pause = lambda: stage.erased.update(stage.rows)
    result = stage.backfill()
    assert result.outcome
    assert (result.outcome.under_way, skipped(result)) == (0, {"erased": 7})


def test_an_unknown_provider_is_refused_before_anything_is_listed(stage: StageOfHistory) -> None:
    with pytest.raises(OperationFailed, match="has no provider symbl: it has deepgram, transcribe"):
        stage.backfill(Order("", provider="symbl"))


def test_workers_keep_the_order_and_stop_at_an_error() -> None:
    assert list(Workers(3).each(lambda number: number * 2, range(20))) == [number * 2 for number in range(20)]
    with pytest.raises(ZeroDivisionError):
        list(Workers(3).each(lambda number: 1 // number, [1, 0, 2]))
