"""A recording that progresses by calls and by a clock of its own, never by seconds of the machine."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.stand_ins.agora.clock import MediaClock
from sandbox.stand_ins.agora.recording import Recording
from tests.sandbox.agora.individual import AT_ONCE, slices_of, started
from tests.sandbox.agora.test_uploads import RENEWED
from tests.sandbox.conftest import AgoraCustomer, FakeClock, StandIns, until


def test_the_media_clock_follows_its_own_time() -> None:
    now = FakeClock()
    clock = MediaClock(2.0, 10.0, now, stands_at=4.0)
    now.advance(1)
    assert (clock.seconds, clock.started) == (0.0, False)
    assert clock.until(4.0) == math.inf
    clock.start()
    now.advance(1)
    assert (clock.seconds, clock.until(1.0), clock.until(4.0), clock.until(4.1)) == (2.0, 0.0, 1.0, math.inf)
    clock.play_on()
    clock.set_paused(True)
    now.advance(1)
    clock.set_paused(False)
    now.advance(0.5)
    assert clock.seconds == 3.0
    now.advance(5)
    assert clock.seconds == 4.0
    clock.play_on()
    now.advance(1)
    assert (clock.seconds, clock.at_end) == (6.0, False)
    now.advance(5)
    assert (clock.seconds, clock.at_end) == (10.0, True)


def test_a_stopped_media_clock_stands_for_ever() -> None:
    now = FakeClock()
    clock = MediaClock(1.0, 10.0, now)
    clock.start()
    now.advance(3)
    clock.stop()
    clock.set_paused(True)
    clock.set_paused(False)
    clock.play_on()
    now.advance(3)
    assert clock.seconds == 3.0


@pytest.mark.parametrize("mode", ["mix", "individual"])
def test_a_recorder_joins_and_leaves_in_the_answers_to_queries(
    agora: AgoraCustomer, stand_ins: StandIns, mode: str
) -> None:
    stand_ins.dials(agora={"speed": 1e6, "recording_seconds": 20, "joins_at_query": 3, "leaves_at_query": 5})
    task = started(agora) if mode == "individual" else agora.started()
    assert [task.state() for _ in range(6)] == [1, 3, 5, 5, 404, 404]
    assert any("#EXT-X-ENDLIST" in playlist for playlist in stand_ins.bucket.playlists)
    assert bool(stand_ins.bucket.ending_in(".mp4")) == (mode == "mix")


def test_queries_beside_the_one_that_lets_it_join_wait_for_it_too(
    agora: AgoraCustomer, stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Voices are separated before it joins; somebody else's query must not find it initialised meanwhile."""
    separated = threading.Event()
    stand_ins.dials(agora={**AT_ONCE, "recording_seconds": 20})
    monkeypatch.setattr(Recording, "_stopped_before_join", lambda recording: not separated.wait())
    task = started(agora)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(task.state) for _ in range(3)]
        until(lambda: sum(answer.running() for answer in answers) == 3)
        separated.set()
        assert [answer.result() for answer in answers] == [5, 5, 5]


def test_a_recorder_does_not_leave_in_the_answer_in_which_it_joined(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**AT_ONCE, "leaves_at_query": 1, "recording_seconds": 0})
    task = agora.started()
    assert [task.state() for _ in range(2)] == [4, 404]


def test_a_recorder_leaves_at_the_first_query_after_the_channel_is_empty(
    agora: AgoraCustomer, stand_ins: StandIns, clock: FakeClock
) -> None:
    stand_ins.dials(agora={**AT_ONCE, "speed": 1.0, "leaves_at_query": 2, "recording_seconds": 20})
    task = agora.started()
    assert [task.state() for _ in range(3)] == [5, 5, 5]
    clock.advance(20)
    assert task.state() == 404


@pytest.mark.parametrize("queries", [0, 2])
def test_a_stop_works_before_and_after_the_recorder_joined(
    agora: AgoraCustomer, stand_ins: StandIns, queries: int
) -> None:
    stand_ins.dials(agora={"speed": 1e6, "recording_seconds": 20, "joins_at_query": 2, "leaves_at_query": 9})
    task = agora.started()
    assert [task.state() for _ in range(queries)] == [1, 5][:queries]
    assert task.stop().status_code == (200 if queries else 206)
    stand_ins.finish()
    assert task.state() == 404


def test_a_recorder_that_never_starts_leaves_in_the_answer_to_a_query(
    agora: AgoraCustomer, stand_ins: StandIns
) -> None:
    stand_ins.dials(agora={"never_starts": True, "joins_at_query": 2, "leaves_at_query": 3})
    task = agora.started()
    assert [task.state() for _ in range(3)] == [1, 1, 404]


def test_a_crash_stays_until_a_query_has_seen_it(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**AT_ONCE, "exit_at_seconds": 20, "leaves_at_query": 2})
    task = agora.started()
    assert [task.state() for _ in range(3)] == [5, 20, 404]


def test_any_query_can_see_a_crash(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**AT_ONCE, "exit_at_seconds": 20, "leaves_at_query": 10**9})
    task = agora.started()
    until(lambda: task.state() == 20)
    assert task.state() == 404


def test_media_stands_still_until_an_update(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**AT_ONCE, "stands_at_seconds": 7, "leaves_at_query": 2, "slice_seconds": 5})
    task = started(agora)
    assert [task.state() for _ in range(3)] == [5, 5, 5]
    until(lambda: len(stand_ins.bucket.ending_in(".ts")) == 2)
    lists = {"audioUidList": {"subscribeAudioUids": ["1002"]}}
    assert task.ask("POST", "update", streamSubscribe=lists).status_code == 200
    assert task.state() == 404
    hers = slices_of(stand_ins.bucket, "1001")
    assert [round(part.starts) for part in hers] == [0, 5]
    assert hers[-1].starts + hers[-1].seconds == pytest.approx(7, abs=0.07)
    assert [round(part.starts) for part in slices_of(stand_ins.bucket, "1002")] == list(range(0, 52, 5))


def test_new_credentials_for_the_storage_let_media_play_on(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**AT_ONCE, "stands_at_seconds": 7, "leaves_at_query": 2})
    task = started(agora).joined()
    assert task.state() == 5
    assert task.ask("POST", "update", storageConfig=RENEWED).status_code == 200
    assert task.state() == 404


def test_media_that_stands_still_ends_there_with_a_stop(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**AT_ONCE, "stands_at_seconds": 7})
    task = agora.started()
    assert task.state() == 5
    assert task.stop().status_code == 200
    [only] = stand_ins.bucket.ending_in(".ts")
    assert f"\n#EXTINF:7.000000\n{only.rpartition('/')[2]}\n" in stand_ins.bucket.playlists[-1]


def test_an_update_that_is_refused_lets_nothing_play_on(agora: AgoraCustomer, stand_ins: StandIns) -> None:
    stand_ins.dials(agora={**AT_ONCE, "stands_at_seconds": 7, "leaves_at_query": 2})
    task = started(agora)
    assert task.state() == 5
    assert task.ask("POST", "update", streamSubscribe={"audioUidList": []}).status_code == 400
    assert task.state() == 5
    task.stop()


@pytest.mark.parametrize("dial", [{"late_slices": 1}, {"backed_up": True}])
def test_late_files_are_held_until_the_dial_is_turned_off(
    agora: AgoraCustomer, stand_ins: StandIns, dial: dict[str, object]
) -> None:
    stand_ins.dials(agora={**AT_ONCE, **dial, "held_late": True, "late_seconds": 1e9, "leaves_at_query": 2})
    task = agora.started()
    assert [task.state() for _ in range(2)] == [5, 404]
    before = set(stand_ins.bucket.objects)
    stand_ins.dials(agora={"held_late": False})
    stand_ins.finish()
    assert set(stand_ins.bucket.objects) > before
