"""The stores on an empty table, and media objects to put in."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.model.media_object import MediaObject
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from tests.unit.domain.flow import JOB, Flow, R
from tests.unit.fakes import FakeClock, FakeS3

MakeMedia = Callable[..., MediaObject]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(table: Any, clock: FakeClock) -> MediaStore:
    return MediaStore(table, clock.now, clock.sleep)


@pytest.fixture
def insight_store(table: Any) -> InsightStore:
    return InsightStore(table)


@pytest.fixture
def replies() -> ReplyStore:
    fake: Any = FakeS3()
    return ReplyStore(fake, "replies-bucket")


@pytest.fixture
def make_media() -> MakeMedia:
    """A media object of any key."""

    def make(key: str = "talk.mp4", *, etag: str = "etag-1", size: int = 1000, second: int = 0) -> MediaObject:
        return MediaObject("recordings-bucket", key, etag, size, datetime(2026, 3, 12, 0, 0, second, tzinfo=UTC))

    return make


@pytest.fixture
def flow(store: MediaStore, replies: ReplyStore, clock: FakeClock, make_media: MakeMedia) -> Flow:
    """An admitted media object."""
    return Flow(store, replies, clock, make_media())


@pytest.fixture
def submitted(flow: Flow) -> Flow:
    """The provider has the job."""
    flow.store.submitted(R, flow.media.media_id, job=JOB, provider="marsview")
    return flow
