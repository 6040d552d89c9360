"""When a job is expected to end, and what is learned from jobs that have ended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recording_insights.processing.expected_end import estimate_of, kind_of
from recording_insights.processing.progress import Progress
from recording_insights.providers.pacing import Estimate
from recording_insights.providers.port import JobState
from recording_insights.store.media import MediaStore
from tests.unit.processing.flow import JOB, RUNNING, Flow

USUAL = 23.0
"""Seconds of a job of a minute at the fake provider, by its built-in pace."""
DONE = JobState("succeeded", "completed", reply=b"{}")


@pytest.fixture
def placed(flow: Flow) -> Flow:
    flow.provider.submits = [JOB]
    flow.submit()
    return flow


def finished(store: MediaStore) -> list[tuple[Any, bool]]:
    """Ratio and "at the first poll" of the finished jobs of MP4s of a minute."""
    return [(row["ratio"], row["at_first_poll"]) for row in store.finished_jobs.newest("marsview", "mp4 1")]


def poll_at(flow: Flow, seconds: float, progress: Progress | None = None, *, attempt: int = 1, wait: int = 0) -> None:
    flow.clock.elapsed = seconds
    flow.poll(replace(progress or flow.progress, outcome="running", attempt=attempt, wait_seconds=wait))


@pytest.mark.parametrize(
    ("minutes", "kind"),
    [(0.1, "mp4 1"), (3.9, "mp4 1"), (4.1, "mp4 4"), (17, "mp4 16"), (65, "mp4 64"), (None, "mp4 unknown")],
)
def test_a_kind_is_the_format_and_the_length_to_a_factor_of_four(minutes: float | None, kind: str) -> None:
    row: Any = {"key": "a/b.MP4"} if minutes is None else {"key": "a/b.MP4", "duration_ms": int(minutes * 60_000)}
    assert kind_of(row) == kind
    track: Any = {**row, "key": "t.m3u8", "prepared": {"key": "prepared/t.mp4"}}
    assert kind_of(track) == kind


class TestLearn:
    def test_an_end_between_two_polls_counts_as_their_middle(self, placed: Flow) -> None:
        placed.provider.polls = [DONE]
        poll_at(placed, 40, attempt=3, wait=10)

        assert finished(placed.store) == [(pytest.approx(35 / USUAL, rel=1e-3), False)]

    def test_an_end_before_the_first_poll_is_marked(self, placed: Flow) -> None:
        placed.provider.polls = [DONE]
        poll_at(placed, 14, attempt=1, wait=14)

        assert finished(placed.store) == [(pytest.approx(14 / USUAL, rel=1e-3), True)]

    def test_a_callback_tells_the_end(self, placed: Flow) -> None:
        placed.clock.elapsed = 12
        media_id = placed.media.media_id
        note: Any = {"provider": "marsview", "job": JOB, "delivery": None, "calls": 1}
        placed.store.note_callback(placed.progress.recording_id, media_id, **note)
        placed.provider.polls = [DONE]
        poll_at(placed, 200, attempt=0)

        assert finished(placed.store) == [(pytest.approx(12 / USUAL, rel=1e-3), False)]

    def test_nothing_is_learned_from_an_end_before_the_begin(self, placed: Flow) -> None:
        """The clock was set back meanwhile."""
        placed.clock.start -= timedelta(hours=1)
        note: Any = {"provider": "marsview", "job": JOB, "delivery": None, "calls": 1}
        placed.store.note_callback(placed.progress.recording_id, placed.media.media_id, **note)
        placed.provider.polls = [DONE]
        poll_at(placed, 200, attempt=0)

        assert finished(placed.store) == []

    @pytest.mark.parametrize("row", [{"reason": "Marsview is away"}, {"began_from": "job"}])
    def test_nothing_is_learned_from_an_end_that_nobody_saw(self, placed: Flow, row: Any) -> None:
        """After a fault of the provider, or if the job ended before this try began."""
        placed.store.note(placed.progress.recording_id, placed.media.media_id, **row)
        placed.provider.polls = [DONE]
        poll_at(placed, 4000, attempt=9, wait=300)

        assert finished(placed.store) == []
        assert "reply" in placed.item

    def test_a_table_that_refuses_the_row_costs_no_paid_job(
        self, placed: Flow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem")

        monkeypatch.setattr(placed.store.table, "put_item", refuse)
        placed.provider.polls = [DONE]
        poll_at(placed, 40)

        assert "reply" in placed.item


class TestExpect:
    def test_the_next_job_is_expected_as_the_last_ones_were(self, flow: Flow) -> None:
        for number, seconds in enumerate((400, 410, 420)):
            flow.store.finished_jobs.keep(
                "marsview", "mp4 1", f"media-{number}", ratio=seconds / USUAL, at_first_poll=False
            )
        flow.provider.submits, flow.provider.polls = [JOB], [RUNNING]

        progress = flow.submit()

        assert flow.item["expected_seconds"] == pytest.approx(410, abs=0.1)
        assert flow.item["expected_spread"] == 1.15
        assert 357 < progress.wait_seconds < 400
        flow.clock.elapsed = progress.wait_seconds
        assert flow.poll(progress).wait_seconds < 40

    @pytest.mark.parametrize("nonsense", [0, -1, "soon", None, float("inf")])
    def test_nonsense_in_the_row_is_no_estimate(self, placed: Flow, nonsense: Any) -> None:
        row: Any = {**placed.item, "expected_seconds": nonsense}
        assert estimate_of(row, placed.provider.capabilities.pace) == Estimate(USUAL)

    def test_jobs_of_another_length_or_provider_count_apart(self, flow: Flow) -> None:
        for number in range(3):
            flow.store.finished_jobs.keep("marsview", "mp4 64", f"{number}", ratio=9.0, at_first_poll=False)
            flow.store.finished_jobs.keep("symbl", "mp4 1", f"{number}", ratio=9.0, at_first_poll=False)
        flow.provider.submits = [JOB]
        flow.submit()

        assert flow.item["expected_seconds"] == USUAL

    def test_a_hundred_jobs_fill_sixteen_places_once_each(self, store: MediaStore) -> None:
        for number in range(100):
            store.finished_jobs.keep("marsview", "mp4 1", f"media-{number}", ratio=1.0, at_first_poll=False)

        assert len(finished(store)) == 16

    def test_without_an_answer_of_the_table_the_built_in_pace_counts(
        self, flow: Flow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "Query")

        assert len(finished(flow.store)) == 0
        with monkeypatch.context() as patch:
            patch.setattr(flow.store.table, "query", refuse)
            assert flow.store.finished_jobs.newest("marsview", "mp4 1") == ()
