"""One sweep at a time, within its time, from where the last one stopped."""

from datetime import timedelta
from typing import Any, cast

import pytest

from events import sweep as handler
from recording_insights.errors import IntakePaused
from recording_insights.model.moments import utc_text
from recording_insights.store.intake import IntakeStore
from recording_insights.store.keys import recording_key
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import SweepRow
from recording_insights.store.sweeps import SweepStore
from recording_insights.sweep.step import AT_ONCE, Step
from recording_insights.sweep.sweep import modified_since, sweep
from tests.unit.environment import ENVIRONMENT
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.upkeep.erase_scene import Executions
from tests.unit.wired import rewire


@pytest.fixture
def sweeps(table: FakeTable, clock: FakeClock) -> SweepStore:
    return SweepStore(cast(Any, table), clock.now)


def seen(cursor: str | None = None, **counts: int) -> Step:
    step = Step(cursor=cursor)
    step.counts.update(counts)
    return step


def test_the_first_sweep_says_since_when_and_later_ones_keep_it(sweeps: SweepStore, clock: FakeClock) -> None:
    began = clock.now()
    rows: list[SweepRow] = []

    def look(row: SweepRow, after: str) -> Step:
        rows.append(row)
        return seen(admitted=1)

    for _ in range(2):
        assert sweep({"look": look}, sweeps=sweeps, deadline=clock.deadline(300)) == {
            "look": {"admitted": 1},
            "unfinished": [],
        }
        clock.elapsed += 900
    assert [row["sweeping_since"] for row in rows] == [utc_text(began)] * 2
    assert modified_since(rows[1]) == began - timedelta(days=2)


def test_in_a_pause_the_steps_of_the_intake_wait_and_the_next_sweep_looks_as_far_back(
    sweeps: SweepStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    seen_since: list[Any] = []

    def paused(row: SweepRow, after: str) -> Step:
        raise IntakePaused("2026-03-12T00:00:00Z")

    def look(row: SweepRow, after: str) -> Step:
        seen_since.append(modified_since(row))
        return seen(looked=1)

    for media in (look, paused, look):
        counts = sweep({"media": media, "rows": look}, sweeps=sweeps, deadline=clock.deadline(300))
        assert counts["rows"] == {"looked": 1}
        assert counts["media"] == ({"paused": 1} if media is paused else {"looked": 1})
        clock.elapsed += 900
    assert seen_since[-1] == seen_since[0] == seen_since[2]
    assert not caplog.records


def test_the_steps_of_the_intake_are_these(table: FakeTable, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = IntakeStore(cast(Any, table))
    intake.pause("operator")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    rewire(monkeypatch, handler, intake=intake)
    arrived = {"source": "aws.s3", "detail": {"bucket": {"name": ENVIRONMENT["RECORDINGS_BUCKET"]}}}
    row: Any = {}

    with pytest.raises(IntakePaused):
        handler._arrivals(AT_ONCE, row, "")
    with pytest.raises(IntakePaused):
        handler._media(clock.deadline(300), row, "")
    with pytest.raises(IntakePaused):
        handler._uploads(clock.deadline(300), row, "")
    with pytest.raises(IntakePaused):
        handler._handle(arrived)


def test_the_days_of_the_settings_say_what_is_too_old(
    table: FakeTable, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    row: dict[str, Any] = {"recording_id": "a", "status": "done", "version": 1}
    at = utc_text(clock.now() - timedelta(days=31))
    table.put_item(Item={**recording_key("a"), **row, "created_at": at, "updated_at": at})
    machine = Executions()
    for days, counts in (
        ({}, {}),
        ({"MEDIA_DAYS": "30"}, {"media_begun": 1}),
        ({"INSIGHTS_DAYS": "30"}, {"insights_begun": 1}),
    ):
        for name, value in {**ENVIRONMENT, **days}.items():
            monkeypatch.setenv(name, value)
        store = RecordingStore(cast(Any, table), clock.now)
        sweeps = SweepStore(cast(Any, table), clock.now)
        rewire(monkeypatch, handler, recordings=store, sweeps=sweeps, erase_machine=machine)
        step = handler._retention(clock.deadline(300), AT_ONCE, cast(SweepRow, {}), "")
        assert (step.counts, step.cursor) == (counts, None)
    assert [name.split("-")[1] for name in machine.started] == ["media", "erase"]


def test_only_one_sweep_is_at_work_until_its_time_is_over(sweeps: SweepStore, clock: FakeClock) -> None:
    def again(row: SweepRow, after: str) -> Step:
        assert sweep({"look": again}, sweeps=sweeps, deadline=clock.deadline(300)) == {"busy": True}
        return seen()

    sweep({"look": again}, sweeps=sweeps, deadline=clock.deadline(300))
    assert sweeps.begin(300)  # and is killed
    clock.elapsed += 301
    assert sweeps.begin(300)


def test_the_next_sweep_runs_what_was_not_finished_at_its_cursor(sweeps: SweepStore, clock: FakeClock) -> None:
    calls: list[tuple[str, str]] = []
    began = utc_text(clock.now())

    def whole(row: SweepRow, after: str) -> Step:
        calls.append(("whole", after))
        return seen()

    def long(row: SweepRow, after: str) -> Step:
        calls.append(("long", after))
        clock.elapsed += 0 if after else 290
        return seen(None if after else "k")

    def last(row: SweepRow, after: str) -> Step:
        calls.append(("last", after))
        return seen()

    steps = {"whole": whole, "long": long, "last": last}
    assert sweep(steps, sweeps=sweeps, deadline=clock.deadline(300))["unfinished"] == ["last", "long"]
    assert sweep(steps, sweeps=sweeps, deadline=clock.deadline(300))["unfinished"] == []
    assert calls == [("whole", ""), ("long", ""), ("long", "k"), ("last", "")]
    row = sweeps.begin(300)
    assert row is not None
    assert row["swept_at"] == began, "the next round looks back from the begin of this one"


def test_a_step_that_fails_keeps_no_other_from_running(sweeps: SweepStore, clock: FakeClock) -> None:
    def broken(row: SweepRow, after: str) -> Step:
        raise RuntimeError("S3 is away")

    steps = {"broken": broken, "good": lambda row, after: seen(noted=1)}
    counts = sweep(steps, sweeps=sweeps, deadline=clock.deadline(300))
    assert counts == {"broken": {"faults": 1}, "good": {"noted": 1}, "unfinished": []}
    assert sweep(steps, sweeps=sweeps, deadline=clock.deadline(300)) == counts, "the good one runs again as well"
    row = sweeps.begin(300)
    assert row is not None
    assert "swept_at" not in row, "the next sweep looks as far back"
