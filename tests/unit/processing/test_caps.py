"""What is over a cap waits with its code and without a slot, until the cap is raised or the day is over."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from recording_insights.errors import ProviderBusy, ProviderError, ProviderRejected, SubmissionUnconfirmed
from recording_insights.processing.caps import AFTER_MIDNIGHT_SECONDS, JITTER, LOOK_SECONDS, Caps
from recording_insights.processing.progress import Progress
from recording_insights.store.job_counts import JobCountStore
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow
from tests.unit.conftest import MakeMedia
from tests.unit.fake_table import FakeTable
from tests.unit.processing.flow import JOB, Flow, R

ONE_JOB = {"most_jobs_per_day": 1}
A_DAY = timedelta(days=1)


def looks_again(flow: Flow, progress: Progress, **defaults: Any) -> Progress:
    """Wait, poll as the state machine does, and submit."""
    flow.clock.elapsed += progress.wait_seconds
    polled = flow.poll(progress)
    assert polled.outcome == "submit"
    return flow.submit(polled, **defaults)


def count_a_job(flow: Flow, **caps: int) -> None:
    """Let another media object of the same recording and day be submitted."""
    other: MediaRow = {"recording_id": R, "duration_ms": 600_000}
    assert Caps(flow.store.recordings, flow.counts, **caps).count(other) is None


@pytest.mark.parametrize(
    ("caps", "code", "reason"),
    [
        (
            {"most_jobs": 1},
            "over_recording_cap",
            "as many jobs of the recording were submitted as mostJobsPerRecording allows: 1",
        ),
        (
            {"most_minutes": 10},
            "over_recording_cap",
            "10.0 minutes of the recording were submitted and 1.0 are to follow, and mostMinutesPerRecording is 10",
        ),
        (ONE_JOB, "over_daily_cap", "as many jobs were submitted today as mostJobsPerDay allows: 1"),
    ],
)
def test_what_is_over_a_cap_waits_with_its_code_and_goes_on_once_the_cap_is_raised(
    flow: Flow, caps: dict[str, int], code: str, reason: str
) -> None:
    flow.limits["marsview"] = 1
    count_a_job(flow, **caps)

    held = flow.submit(caps=caps, failover=["deepgram"])

    assert (held.outcome, flow.item["status"], flow.item["provider"]) == ("running", "waiting", "marsview")
    assert (flow.item["stage"], flow.item["reason_code"], flow.item["reason"]) == ("submission", code, reason)
    assert flow.store.recordings.get(R)["reason_code"] == code
    assert abs(held.wait_seconds - LOOK_SECONDS) <= LOOK_SECONDS * JITTER + 1
    assert not flow.provider.submissions
    assert flow.turns.store.read("marsview").held_by(f"{R} {flow.media.media_id}", 0) is None
    assert flow.turns.has_room("marsview"), "it is not in the queue either"

    held = looks_again(flow, held, caps=caps)
    assert held.outcome == "running"
    flow.provider.submits = [JOB]
    assert looks_again(flow, held, caps={name: most * 2 for name, most in caps.items()}).outcome == "running"
    assert flow.item["status"] == "submitted"
    assert "reason_code" not in flow.item


def test_the_next_day_has_a_count_of_its_own_and_the_oldest_come_first(flow: Flow) -> None:
    flow.clock.elapsed = A_DAY.total_seconds() - 600
    count_a_job(flow, **ONE_JOB)
    held = flow.submit(caps=ONE_JOB)

    assert 600 < held.wait_seconds <= 600 + AFTER_MIDNIGHT_SECONDS * (1 + JITTER)
    older: Any = {**flow.item, "waiting_since": str(datetime.fromisoformat(flow.item["waiting_since"]) - 3 * A_DAY)}
    caps = Caps(flow.store.recordings, flow.counts, **ONE_JOB)
    over = caps.why_over(older)
    assert over
    assert 600 < over.seconds < held.wait_seconds

    flow.provider.submits = [JOB]
    looks_again(flow, held, caps=ONE_JOB)
    assert flow.item["status"] == "submitted"


def test_a_cap_that_nobody_raises_ends_with_its_code_when_the_patience_is_over(flow: Flow) -> None:
    count_a_job(flow, most_jobs=1)
    progress = flow.submit(caps={"most_jobs": 1})
    looks = 0
    while progress.outcome == "running":
        progress, looks = looks_again(flow, progress, caps={"most_jobs": 1}), looks + 1

    assert (progress.outcome, progress.reason_code) == ("failed", "over_recording_cap")
    assert progress.reason.startswith("not accepted within 14 days of the arrival; last: as many jobs of the recording")
    # Events of Wait, "Poll job", "Submit recording" and two choices. AWS ends an execution after 25,000.
    assert looks * 16 / 14 * 30 < 20_000


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (ProviderBusy("HTTP 429"), 0),
        (ProviderRejected("no such language"), 0),
        (SubmissionUnconfirmed("no response"), 1),
    ],
)
def test_only_what_the_provider_may_have_accepted_counts(flow: Flow, fault: ProviderError, counted: int) -> None:
    caps = {"most_jobs": 5, "most_minutes": 50, "most_jobs_per_day": 5}
    flow.provider.submits = [fault]

    flow.submit(caps=caps)

    of_day, of_recording = flow.counts.of_day("2026-03-12"), flow.counts.of_recording(R)
    assert of_day["jobs"] == of_recording["jobs"] == counted
    assert of_recording["media_ms"] == counted * 60_000
    assert "expires_at" in of_day
    assert "expires_at" not in of_recording


def test_retries_count(flow: Flow) -> None:
    caps = {"most_jobs": 1}
    flow.provider.submits = [JOB]
    flow.submit(caps=caps)
    flow.store.give_up(R, flow.media.media_id, "a fault of its own", "provider_fault")

    flow.submit(caps=caps)

    assert flow.item["reason_code"] == "over_recording_cap"
    assert len(flow.provider.submissions) == 1


def test_of_many_that_come_at_once_no_more_are_counted_than_the_cap_allows() -> None:
    table, day, most = FakeTable(), "2026-11-28", 10
    counts = JobCountStore(table)  # type: ignore[arg-type]
    counted = list[bool]()

    def submit() -> None:
        of_recording = counts.count_of_recording(R, 60_000, most_jobs=None, most_ms=5 * 60_000)
        counted.append(of_recording)
        counts.count_of_day(day, 60_000, most_jobs=most)

    threads = [threading.Thread(target=submit) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(counted), counts.of_recording(R)["media_ms"]) == (5, 5 * 60_000)
    assert counts.of_day(day)["jobs"] == most


def test_one_that_loses_the_last_place_gives_its_slot_back(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.limits["marsview"] = 1
    count_a_job(flow, **ONE_JOB)
    monkeypatch.setattr(Caps, "why_over", lambda caps, row: None)  # another one was counted after the look

    held = flow.submit(caps={**ONE_JOB, "most_jobs": 5})

    assert (held.outcome, flow.item["reason_code"]) == ("running", "over_daily_cap")
    assert flow.turns.has_room("marsview")
    assert flow.counts.of_recording(R)["jobs"] == 0
    assert not flow.provider.submissions


def test_the_first_tracks_of_a_recording_are_submitted(store: MediaStore, make_media: MakeMedia, flow: Flow) -> None:
    rows = list[MediaRow]()
    for seconds, uid in enumerate(("1001", "1002", "1003")):
        media = make_media(f"{R}_team__uid_s_{uid}__uid_e_audio.m3u8", etag=uid)
        store.admit(R, replace(media, created_at=media.created_at + timedelta(seconds=seconds)), providers=["marsview"])
        rows.append(store.get(R, media.media_id))
    caps = Caps(store.recordings, flow.counts, most_tracks=2)

    assert [caps.why_over(row) is None for row in rows] == [True, True, False]
    over = caps.why_over(rows[2])
    assert over
    assert over[:2] == ("over_recording_cap", "the recording has 3 tracks, and mostTracksPerRecording is 2")
    assert caps.why_over(store.get(R, flow.media.media_id)) is None, "an MP4 is no track"

    # The playlist of a track is written again and again: one that was submitted keeps its place.
    late = {"arrived_at": "2027-01-01T00:00:00+00:00"}
    store.submitted(R, rows[0]["media_id"], job=JOB)
    store.table.put_item(Item={**store.get(R, rows[0]["media_id"]), **late})  # type: ignore[dict-item]
    assert [caps.why_over(row) is None for row in rows] == [True, True, False]


def test_without_a_cap_nothing_is_read_or_written(store: MediaStore) -> None:
    row: MediaRow = {"recording_id": R, "media_id": "m", "uid": "1", "duration_ms": 1}
    away: Any = None
    caps = Caps(away, away)
    assert caps.why_over(row) is caps.count(row) is None
    caps.take_back(row)
