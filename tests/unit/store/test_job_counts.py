"""Counts of jobs: a limit holds for both numbers, and what is taken back never makes a count negative."""

from typing import Any

import pytest

from recording_insights.store.job_counts import JobCountStore
from tests.unit.fakes import FakeClock

R, DAY, MINUTE = "5eb63bbbe01eeed093cb22bb8f5acdc3", "2026-11-28", 60_000


@pytest.fixture
def counts(either_table: Any, clock: FakeClock) -> JobCountStore:
    return JobCountStore(either_table, clock.now)


def numbers(row: Any) -> tuple[int, int]:
    return row.get("jobs", 0), row.get("media_ms", 0)


def test_jobs_and_minutes_of_a_recording_have_a_limit_each(counts: JobCountStore) -> None:
    assert numbers(counts.of_recording(R)) == (0, 0)
    assert not counts.count_of_recording(R, 4 * MINUTE, most_jobs=None, most_ms=3 * MINUTE)
    assert counts.count_of_recording(R, 2 * MINUTE, most_jobs=2, most_ms=3 * MINUTE)
    assert not counts.count_of_recording(R, 2 * MINUTE, most_jobs=2, most_ms=3 * MINUTE)
    assert counts.count_of_recording(R, MINUTE, most_jobs=2, most_ms=3 * MINUTE)
    assert not counts.count_of_recording(R, 0, most_jobs=2, most_ms=None)

    assert numbers(counts.of_recording(R)) == (2, 3 * MINUTE)


def test_the_count_of_a_day_is_taken_back_to_zero_at_the_lowest(counts: JobCountStore) -> None:
    assert counts.count_of_day(DAY, MINUTE, most_jobs=1)
    assert not counts.count_of_day(DAY, MINUTE, most_jobs=1)
    for _ in range(2):
        counts.take_back_of_day(DAY, MINUTE)
    counts.take_back_of_day("2026-11-29", MINUTE)

    assert numbers(counts.of_day(DAY)) == numbers(counts.of_day("2026-11-29")) == (0, 0)
    assert counts.count_of_day(DAY, MINUTE, most_jobs=1)
