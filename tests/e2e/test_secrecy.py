"""The search for secrets finds them wherever the stack writes."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from recording_insights.store.keys import PARTITION, SORT
from sandbox.cloud.local_stack import LocalStack
from tests.secrecy import assert_nothing_secret_was_written

Planting = Callable[[LocalStack], AbstractContextManager[None]]
PLANTED = "https://bucket.s3.amazonaws.com/talk.mp4?X-Amz-Signature=5ec0de"
GROUP = "/planted"


@contextmanager
def in_a_row(stack: LocalStack) -> Iterator[None]:
    table, client = stack.outputs["InsightsTableName"], stack.client("dynamodb")
    key = {PARTITION: {"S": "planted"}, SORT: {"S": "planted"}}
    client.put_item(TableName=table, Item={**key, "reason": {"S": PLANTED}})
    yield
    client.delete_item(TableName=table, Key=key)


@contextmanager
def in_a_reply(stack: LocalStack) -> Iterator[None]:
    where = {"Bucket": stack.outputs["RepliesBucketName"], "Key": "planted.json"}
    stack.client("s3").put_object(**where, Body=PLANTED.encode())
    yield
    stack.client("s3").delete_object(**where)


@contextmanager
def in_a_log(stack: LocalStack) -> Iterator[None]:
    logs = stack.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=GROUP)
    event = {"timestamp": int(time.time() * 1000), "message": PLANTED}
    logs.put_log_events(logGroupName=GROUP, logStreamName=GROUP, logEvents=[event])
    yield
    logs.delete_log_group(logGroupName=GROUP)


@pytest.mark.parametrize("planted", [in_a_row, in_a_reply, in_a_log])
def test_a_planted_signature_is_found(stack: LocalStack, planted: Planting) -> None:
    with planted(stack), pytest.raises(AssertionError, match="planted"):
        assert_nothing_secret_was_written(stack)
    assert_nothing_secret_was_written(stack)
