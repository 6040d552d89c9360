"""Unit tests: no socket, no AWS account, and one in-memory AWS for the whole run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from recording_insights.store import keys
from tests.unit.fake_table import FakeTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table

REGION = "eu-central-1"


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
        }.items():
            environment.setenv(name, value)
        with mock_aws():
            yield


@pytest.fixture(scope="session")
def dynamodb(fake_aws: None) -> "DynamoDBServiceResource":
    """Made once: loading the service's model is what takes time."""
    import boto3

    return boto3.resource("dynamodb", region_name=REGION)


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
            for name in (keys.PARTITION, keys.SORT, keys.STATUS_INDEX_HASH, keys.STATUS_INDEX_RANGE)
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": keys.STATUS_INDEX,
                "KeySchema": [
                    {"AttributeName": keys.STATUS_INDEX_HASH, "KeyType": "HASH"},
                    {"AttributeName": keys.STATUS_INDEX_RANGE, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
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
