"""Reads that a decision follows from are consistent, and items that are needed only for a time have an end."""

from datetime import UTC, datetime
from typing import Any

import pytest

from recording_insights.model.insights import Insights
from recording_insights.store.claims import Claim, ClaimStore
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import notice_key, sid_key
from recording_insights.store.media import MediaStore
from recording_insights.store.notices import NoticeStore
from recording_insights.store.provider_jobs import ProviderJobStore
from recording_insights.store.recorder_names import RecorderNameStore
from recording_insights.store.recordings import RecordingStore
from tests.unit.conftest import MakeMedia
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"


class ConsistentTable(FakeTable):
    """Refuses reads that may miss what was just written."""

    def get_item(self, *, ConsistentRead: bool = False, **arguments: Any) -> dict[str, Any]:
        assert ConsistentRead
        return super().get_item(ConsistentRead=True, **arguments)

    def query(self, *, ConsistentRead: bool = False, **arguments: Any) -> dict[str, Any]:
        assert ConsistentRead or "IndexName" in arguments, "an index has no consistent reads"
        return super().query(ConsistentRead=ConsistentRead, **arguments)


@pytest.fixture
def table() -> ConsistentTable:
    return ConsistentTable()


def test_what_was_just_written_is_read(
    table: Any, media_store: MediaStore, insight_store: InsightStore, make_media: MakeMedia
) -> None:
    media = make_media()
    claims, names, jobs = ClaimStore(table), RecorderNameStore(table), ProviderJobStore(table)
    media_store.admit(R, media, providers=["marsview"])
    media_store.finish(
        R, media.media_id, "done", counts=insight_store.save(R, media.media_id, 0, Insights(summary="a")).counts
    )
    media_store.recordings.open({}, Claim("team", "b" * 32, 10), over=None)
    names.name("the-sid", R)
    jobs.name(R, media.media_id, provider="symbl", key="the-job")

    assert media_store.get(R, media.media_id)["status"] == "done"
    assert media_store.recordings.get(R)["status"] == "done"
    assert media_store.recordings.find_with_media(R) == (
        media_store.recordings.get(R),
        [media_store.get(R, media.media_id)],
    )
    assert insight_store.read(R).insights[media.media_id].summary == "a"
    assert claims.find("team") == Claim("team", "b" * 32, 10)
    assert (names.find("the-sid"), names.find("another")) == (R, None)
    assert jobs.find("symbl", "the-job") == (R, media.media_id)
    assert jobs.find("deepgram", "the-job") is None


def test_a_notification_is_known_once_it_is_kept(table: Any) -> None:
    notices = NoticeStore(table)
    notices.keep("one")

    assert notices.has("one")
    assert not notices.has("other")


def test_names_of_recorders_end_after_30_days_and_notifications_after_7(either_table: Any, clock: FakeClock) -> None:
    RecorderNameStore(either_table, clock.now).name("the-sid", R)
    NoticeStore(either_table, clock.now).keep("the-notice")

    kept = (either_table.get_item(Key=key)["Item"] for key in (sid_key("the-sid"), notice_key("the-notice")))

    assert [datetime.fromtimestamp(int(item["expires_at"]), UTC) for item in kept] == [
        datetime(2026, 4, 11, tzinfo=UTC),
        datetime(2026, 3, 19, tzinfo=UTC),
    ]


def test_a_job_that_was_given_up_is_kept_with_its_reason_and_moment(
    media_store: MediaStore, make_media: MakeMedia, clock: FakeClock
) -> None:
    media = make_media()
    media_store.admit(R, media, providers=["marsview"])
    media_store.submitted(R, media.media_id, job={"id": "1"}, asking="first", unconfirmed="yes")
    clock.elapsed = 60
    media_store.give_up(R, media.media_id, "it was busy", "provider_busy", provider="symbl")
    media_store.give_up(R, media.media_id, "it was slow", "link_expired")

    row = media_store.get(R, media.media_id)
    at = "2026-03-12T00:01:00.000000Z"
    marsview, symbl = media_store.tries.of(R, media.media_id)
    assert (marsview["provider"], marsview["job"], marsview["reason"]) == ("marsview", {"id": "1"}, "it was busy")
    assert (symbl["provider"], symbl.get("job"), symbl["reason"]) == ("symbl", None, "it was slow")
    assert {each["ended_at"] for each in (marsview, symbl)} == {at}
    assert [each["number"] for each in (marsview, symbl)] == [0, 1]
    assert row["try_number"] == 2
    assert (row["status"], row["provider"], row["reason"], row["waiting_since"]) == (
        "waiting",
        "symbl",
        "it was slow",
        at,
    )
    assert not {"job", "asking", "unconfirmed"} & row.keys()


def test_without_a_recording_s_folder_nothing_is_read(make_media: MakeMedia) -> None:
    no_table: Any = object()
    media = make_media("talk.mp4")

    assert RecordingStore(no_table).recording_of(media) == media.own_recording_id


@pytest.mark.parametrize(
    "status", ["starting", "recording", "stopping", "processing", "done", "partial", "failed", "empty"]
)
def test_a_recording_of_any_status_can_be_changed(recording_store: RecordingStore, status: str) -> None:
    recording_store.open({"status": status}, Claim("team", R, 10), over=None)

    changed = recording_store.update(R, {"sid": "the-sid"})

    assert changed is not None
    assert (changed["status"], changed["sid"]) == (status, "the-sid")


@pytest.mark.parametrize("status", ["starting", None])
def test_the_last_place_of_a_list_is_not_drawn_by_lot(
    recording_store: RecordingStore, clock: FakeClock, status: str | None
) -> None:
    """An index sorts by moments only: of many recordings of one moment, a list ends with the right one."""
    for number in range(28):
        recording_store.open({}, Claim(f"team {number}", f"{number:032}", 10), over=None)
    clock.elapsed = 1
    recording_store.open({}, Claim("team", f"{0:031}a", 10), over=None)

    found = recording_store.newest(status, 2)

    # The fake index has this one far from the first of its moment.
    assert [row["recording_id"] for row in found] == [f"{0:031}a", f"{27:032}"]
