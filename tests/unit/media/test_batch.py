"""One object that takes all the time keeps no other of its batch from being admitted."""

import pytest

from recording_insights.errors import AwsUnavailable
from recording_insights.media.batch import PROBE_SECONDS, RESERVE_SECONDS, admit_batch, read_until
from tests.unit.fakes import FakeClock

LAMBDA_SECONDS = 60.0


def test_the_neighbours_of_an_object_that_s3_returns_slowly_are_admitted(clock: FakeClock) -> None:
    admitted = []

    def read(first: int, last: int) -> bytes:
        clock.elapsed += 9.0
        return b""

    def admit(body: str) -> None:
        if body == "slow":
            slow = read_until(clock.deadline(PROBE_SECONDS), read)
            while True:
                slow(0, 1)
        admitted.append(body)

    messages = [{"messageId": name, "body": name} for name in ("one", "slow", "two", "three")]
    deadline = clock.deadline(LAMBDA_SECONDS)
    assert admit_batch(messages, admit=admit, deadline=deadline) == ["slow"]
    assert admitted == ["one", "two", "three"]


def test_what_too_little_time_is_left_for_comes_again(clock: FakeClock) -> None:
    def admit(body: str) -> None:
        clock.elapsed += 20.0

    messages = [{"messageId": str(number), "body": ""} for number in range(4)]
    assert admit_batch(messages, admit=admit, deadline=clock.deadline(LAMBDA_SECONDS)) == ["2", "3"]
    assert RESERVE_SECONDS > PROBE_SECONDS


def test_reads_before_the_deadline_are_those_of_s3(clock: FakeClock) -> None:
    read = read_until(clock.deadline(1), lambda first, last: b"0123456789"[first : last + 1])
    assert read(2, 4) == b"234"
    clock.elapsed += 1
    with pytest.raises(AwsUnavailable):
        read(2, 4)
