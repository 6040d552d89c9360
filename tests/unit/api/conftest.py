"""A clock that only moves when somebody sleeps, Agora and STS in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recording_insights.agora.calls import AgoraCalls
from recording_insights.agora.client import AgoraClient
from recording_insights.agora.hosts import HostLadder
from recording_insights.agora.storage import RecordingsBucket
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.deadline import Deadline
from recording_insights.recordings.request import RecordingRequest
from recording_insights.recordings.start import RecordingStart
from recording_insights.store.recordings import RecordingStore
from tests.unit.api.fake_agora import HOST, SECRET, FakeAgora
from tests.unit.api.fake_sts import UPLOADER_KEY, FakeSts


@dataclass
class FakeClock:
    """`naps` are the sleeps in seconds; `on_sleep` runs at each."""

    elapsed: float = 0.0
    naps: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.elapsed += seconds
        self.on_sleep()

    def deadline(self, seconds: float = 27.0) -> Deadline:
        return Deadline(self.elapsed + seconds, self.monotonic, self.sleep)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(table: Any, clock: FakeClock) -> RecordingStore:
    return RecordingStore(table, clock.now)


@pytest.fixture
def vendor() -> FakeAgora:
    return FakeAgora()


@pytest.fixture
def sts(clock: FakeClock) -> FakeSts:
    return FakeSts(clock.now)


@pytest.fixture
def uploader(sts: FakeSts) -> Uploader:
    return Uploader(lambda fresh: UPLOADER_KEY, RecordingsBucket("recordings-bucket", "us-east-1"), sts)


@pytest.fixture
def agora(vendor: FakeAgora, uploader: Uploader) -> AgoraClient:
    return AgoraClient(AgoraCalls(lambda fresh: SECRET, HostLadder([HOST]), vendor, jitter=lambda: 0.0), uploader)


@pytest.fixture
def start(store: RecordingStore, agora: AgoraClient, clock: FakeClock) -> Callable[..., Any]:
    """Start a recording within a function's usual time."""

    def call(request: RecordingRequest | None = None, *, seconds: float = 27.0, **arguments: Any) -> Any:
        return RecordingStart(store, agora, clock.deadline(seconds))(request or wanted(), **arguments)

    return call


def wanted(channel: str = "team", *, aws_region: str = "us-east-1", **fields: Any) -> RecordingRequest:
    """A checked request to a stack in `aws_region`."""
    return RecordingRequest.from_body(
        {"channel": channel, **fields},
        providers=("marsview",),
        default_provider="marsview",
        validate_options=lambda provider, options: None,
        aws_region=aws_region,
    )
