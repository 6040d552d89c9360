"""Unit tests: no socket, no AWS account, and one in-memory AWS for the whole run."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.model.media_object import MediaObject
from recording_insights.recordings.request import RecordingRequest
from recording_insights.recordings.start import start_recording
from recording_insights.store import keys
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import FakeAgora, client_of
from tests.unit.agora.fake_sts import FakeSts, uploader_of
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, FakeS3
from tests.unit.processing.flow import JOB, Flow, R
from tests.unit.recordings.wanted import wanted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table

REGION = "eu-central-1"

MakeMedia = Callable[..., MediaObject]


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Whatever a unit test needs from the outside is a fake."""


@pytest.fixture(scope="session", autouse=True)
def fake_aws() -> Iterator[None]:
    """moto in the place of AWS, with credentials that are none."""
    from moto import mock_aws

    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            environment.delenv(name, raising=False)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "POWERTOOLS_METRICS_NAMESPACE": "RecordingInsights/dev",
        }.items():
            environment.setenv(name, value)
        with mock_aws():
            yield


@pytest.fixture(scope="session")
def dynamodb(fake_aws: None) -> "DynamoDBServiceResource":
    """Made once: loading the service's model is what takes time."""
    import boto3

    return boto3.resource("dynamodb", region_name=REGION)


INDEXES: Sequence[tuple[str, str, str, Literal["ALL", "KEYS_ONLY"]]] = (
    (keys.STATUS_INDEX, keys.STATUS_INDEX_HASH, keys.STATUS_INDEX_RANGE, "ALL"),
    (keys.TIME_INDEX, keys.TIME_INDEX_HASH, keys.TIME_INDEX_RANGE, "ALL"),
    (keys.CHANGE_INDEX, keys.CHANGE_INDEX_HASH, keys.CHANGE_INDEX_RANGE, "KEYS_ONLY"),
)


@pytest.fixture(scope="session")
def only_table(dynamodb: "DynamoDBServiceResource") -> "Table":
    """Made once: making one takes longer than most tests."""
    return dynamodb.create_table(
        TableName="insights",
        KeySchema=[
            {"AttributeName": keys.PARTITION, "KeyType": "HASH"},
            {"AttributeName": keys.SORT, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in (
                *(keys.PARTITION, keys.SORT, keys.STATUS_INDEX_HASH, keys.STATUS_INDEX_RANGE),
                *(keys.CHANGE_INDEX_HASH, keys.CHANGE_INDEX_RANGE),
            )
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": hash_key, "KeyType": "HASH"},
                    {"AttributeName": range_key, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": projection},
            }
            for index, hash_key, range_key, projection in INDEXES
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def moto_table(only_table: "Table") -> "Iterator[Table]":
    """The insights table on moto, empty."""
    yield only_table
    # By moto's own hand: a scan and a delete per item would take longer than the tests.
    from moto.dynamodb.models import dynamodb_backends

    dynamodb_backends["123456789012"][REGION].tables[only_table.name].items.clear()


@pytest.fixture
def table() -> Any:
    """The insights table, empty, in memory."""
    return FakeTable()


@pytest.fixture(params=["moto", "memory"])
def either_table(request: pytest.FixtureRequest) -> Any:
    """The insights table as the tests of the stores want it: what holds on moto holds on the fake one too."""
    return request.getfixturevalue("moto_table") if request.param == "moto" else FakeTable()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def media_store(table: Any, clock: FakeClock) -> MediaStore:
    return MediaStore(table, clock.now, clock.sleep)


@pytest.fixture
def recording_store(table: Any, clock: FakeClock) -> RecordingStore:
    return RecordingStore(table, clock.now)


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
def flow(media_store: MediaStore, replies: ReplyStore, clock: FakeClock, make_media: MakeMedia) -> Flow:
    """An admitted media object."""
    return Flow(media_store, replies, clock, make_media())


@pytest.fixture
def submitted(flow: Flow) -> Flow:
    """The provider has the job."""
    flow.store.submitted(R, flow.media.media_id, job=JOB, provider="marsview")
    return flow


@pytest.fixture
def vendor() -> FakeAgora:
    return FakeAgora()


@pytest.fixture
def sts(clock: FakeClock) -> FakeSts:
    return FakeSts(clock.now)


@pytest.fixture
def uploader(sts: FakeSts) -> Uploader:
    return uploader_of(sts)


@pytest.fixture
def agora(vendor: FakeAgora, uploader: Uploader) -> AgoraClient:
    return client_of(vendor, uploader)


@pytest.fixture
def start(recording_store: RecordingStore, agora: AgoraClient, clock: FakeClock) -> Callable[..., Any]:
    """Start a recording within a function's usual time."""

    def call(request: RecordingRequest | None = None, *, seconds: float = 27.0, **arguments: Any) -> Any:
        return start_recording(
            request or wanted(), store=recording_store, agora=agora, deadline=clock.deadline(seconds), **arguments
        )

    return call
