"""Streams of tables, and the mappings that read them, behave as AWS documents them."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from ministack.services import dynamodb, lambda_svc  # type: ignore[import-untyped]

from sandbox.cloud.emulator import streams
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.functions import create_function
from tests.sandbox.cloud.machines import eventually

SENDS = """
import json
import os

import boto3

def handler(event, context):
    for record in event["Records"]:
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(record))
"""
PUBLISHES = """
import boto3

def handler(event, context):
    entry = {"Source": "test", "DetailType": "test", "Detail": "{}", "EventBusName": event["bus"]}
    return boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"]
"""
READS = ("DescribeStream", "GetRecords", "GetShardIterator")


def allow(action: str, resource: str) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def make_table(emulator: LocalStack) -> tuple[str, str]:
    """A table with a stream: its name, and the ARN of the stream."""
    name = f"table-{uuid4().hex[:8]}"
    made = emulator.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    return name, made["LatestStreamArn"]


@pytest.mark.matrix
def test_a_mapping_reads_in_order_what_its_filter_and_its_role_let_it(emulator: LocalStack) -> None:
    table, stream = make_table(emulator)
    sqs, db = emulator.client("sqs"), emulator.client("dynamodb")
    url = sqs.create_queue(QueueName=f"queue-{uuid4().hex[:8]}")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = create_function(
        emulator, SENDS, allow("sqs:SendMessage", queue), Environment={"Variables": {"QUEUE": url}}
    )
    pattern = {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "MEDIA#"}]}}, "NewImage": {"status": {"S": ["done"]}}},
    }
    emulator.client("lambda").create_event_source_mapping(
        EventSourceArn=stream,
        FunctionName=function,
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]},
    )

    def put(sort: str, status: str, number: int) -> None:
        item = {"pk": {"S": "r"}, "sk": {"S": sort}, "status": {"S": status}, "number": {"N": str(number)}}
        db.put_item(TableName=table, Item=item)

    for number in range(5):
        put("MEDIA#1", "waiting", number)
        put("MEDIA#1", "done", number)
        put("OTHER#1", "done", number)
    db.delete_item(TableName=table, Key={"pk": {"S": "r"}, "sk": {"S": "MEDIA#1"}})
    role = emulator.client("lambda").get_function_configuration(FunctionName=function)["Role"].rsplit("/", 1)[-1]
    table_arn = stream.split("/stream/")[0]
    rights = [
        *(allow(f"dynamodb:{action}", stream) for action in READS),
        allow("dynamodb:ListStreams", f"{table_arn}/stream/*"),
    ]
    assert not sqs.receive_message(QueueUrl=url).get("Messages"), "its role does not let it yet"
    emulator.client("iam").put_role_policy(
        RoleName=role, PolicyName="read", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": rights})
    )
    found: list[Any] = []

    def has_all() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        found.extend(json.loads(message["Body"])["dynamodb"] for message in messages)
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= 5

    eventually(has_all)
    assert [change["NewImage"]["number"]["N"] for change in found] == ["0", "1", "2", "3", "4"]
    assert {change["OldImage"]["status"]["S"] for change in found} == {"waiting"}


@pytest.mark.matrix
def test_a_function_puts_events_onto_the_bus_that_its_role_names_and_onto_no_other(emulator: LocalStack) -> None:
    client, names = emulator.client("events"), [f"bus-{uuid4().hex[:8]}" for _ in range(2)]
    arns = [client.create_event_bus(Name=name)["EventBusArn"] for name in names]
    function = create_function(emulator, PUBLISHES, allow("events:PutEvents", arns[0]))

    def publish(bus: str) -> Any:
        answer = emulator.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"bus": bus}))
        return json.loads(answer["Payload"].read())

    assert publish(names[0]) == 0
    assert "AccessDenied" in json.dumps(publish(names[1]))


@pytest.mark.matrix
def test_records_are_read_by_place_and_a_place_that_is_none_is_refused(emulator: LocalStack) -> None:
    table, stream = make_table(emulator)
    db, api = emulator.client("dynamodb"), emulator.client("dynamodbstreams")
    for number in range(3):
        db.put_item(TableName=table, Item={"pk": {"S": "r"}, "sk": {"S": str(number)}})
    shard = api.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    place = {"StreamArn": stream, "ShardId": shard}

    def read(**kind: str) -> list[Any]:
        iterator = api.get_shard_iterator(**place, **kind)["ShardIterator"]
        records: list[Any] = api.get_records(ShardIterator=iterator)["Records"]
        return records

    everything = read(ShardIteratorType="TRIM_HORIZON")
    second = everything[1]["dynamodb"]["SequenceNumber"]
    found = read(ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=second)
    assert [record["eventID"] for record in found] == [record["eventID"] for record in everything[1:]]
    with pytest.raises(ClientError):
        read(ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber="9" * 30)


@pytest.fixture
def corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """ministack in this process, with the corrections of streams until the test ends."""
    for module, names in (
        (dynamodb, ("_remove_item", "_build_change_record", "get_state", "load_persisted_state")),
        (lambda_svc, ("_iter_all_esms", "_send_ddb_stream_failure_record", "_poll_dynamodb_streams")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))


@pytest.mark.matrix
def test_what_expires_is_in_the_stream_as_a_removal_by_the_service(
    corrected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams.tell_streams_what_expires()
    name = f"table-{uuid4().hex[:8]}"
    dynamodb._create_table(
        {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }
    )
    expiry = {"AttributeName": "expires_at", "Enabled": True}
    dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": expiry})
    for item, at in (("old", 1), ("new", int(time.time()) + 1000)):
        dynamodb._put_item({"TableName": name, "Item": {"pk": {"S": item}, "expires_at": {"N": str(at)}}})
    dynamodb._put_item({"TableName": name, "Item": {"pk": {"S": "by hand"}}})
    dynamodb._delete_item({"TableName": name, "Key": {"pk": {"S": "by hand"}}})
    rounds = iter([None])

    def sleep(seconds: float) -> None:
        if next(rounds, "over") == "over":
            raise SystemExit

    monkeypatch.setattr(dynamodb, "time", SimpleNamespace(sleep=sleep, time=time.time))

    def reap_once() -> None:
        with pytest.raises(SystemExit):
            dynamodb._ttl_reaper()

    reaper = threading.Thread(target=reap_once, name="dynamodb-ttl-reaper")
    reaper.start()
    reaper.join()
    by_hand, expired = (record for record in dynamodb.stream_live_records(name) if record["eventName"] == "REMOVE")
    assert "userIdentity" not in by_hand
    assert expired["dynamodb"]["OldImage"]["pk"] == {"S": "old"}
    assert expired["userIdentity"].items() >= {"type": "Service", "principalId": "dynamodb.amazonaws.com"}.items()
    assert expired["userIdentity"].items() >= {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}.items()


def test_streams_are_there_after_a_restart(corrected: None, monkeypatch: pytest.MonkeyPatch) -> None:
    streams.keep_streams_over_restarts()
    name = f"table-{uuid4().hex[:8]}"
    dynamodb._create_table(
        {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }
    )
    for item in ("first", "second"):
        dynamodb._put_item({"TableName": name, "Item": {"pk": {"S": item}}})
    before, state = list(dynamodb.stream_live_records(name)), dynamodb.get_state()
    for kept in ("_stream_records", "_stream_trimmed"):
        monkeypatch.setattr(dynamodb, kept, type(getattr(dynamodb, kept))())
    monkeypatch.setattr(dynamodb, "_stream_seq_counter", 0)

    dynamodb.load_persisted_state(state)

    assert dynamodb.stream_records_since(name, 0, 10) == before
    assert dynamodb.stream_end_position(name) == len(before) == 2
    dynamodb._put_item({"TableName": name, "Item": {"pk": {"S": "third"}}})
    numbers = [record["dynamodb"]["SequenceNumber"] for record in dynamodb.stream_live_records(name)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("missing", ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"])
def test_a_mapping_needs_four_rights(corrected: None, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = {"EventSourceArn": "arn:aws:dynamodb:r:a:table/t/stream/1", "FunctionName": "reads"}
    queue = {"EventSourceArn": "arn:aws:sqs:r:a:q", "FunctionName": "reads"}
    found = [("a", "r", mapping), ("a", "r", queue)]
    monkeypatch.setattr(lambda_svc, "_functions", {"reads": {"config": {"Role": "arn:aws:iam::000000000000:role/r"}}})
    monkeypatch.setattr(streams, "require_source", lambda *_: None)
    monkeypatch.setattr(lambda_svc, "_iter_all_esms", lambda: iter(found))
    for denied, read in ((f"dynamodb:{missing}", [queue]), ("none", [mapping, queue])):
        monkeypatch.setattr(streams, "role_allows", lambda role, action, arn, denied=denied: action != denied)
        monkeypatch.setattr(lambda_svc, "_iter_all_esms", lambda: iter(found))
        streams.read_streams_as_allowed()
        assert [each for _, _, each in lambda_svc._iter_all_esms()] == read


def test_a_slow_function_of_a_stream_keeps_the_poller_from_nothing(corrected: None) -> None:
    begun, let_go, ended = threading.Event(), threading.Event(), threading.Event()
    passes = iter([True, False])

    def _poll_dynamodb_streams() -> bool:
        begun.set()
        let_go.wait(10)
        processed_any = next(passes)
        if not processed_any:
            ended.set()
        return processed_any

    lambda_svc._poll_dynamodb_streams = _poll_dynamodb_streams
    streams.read_streams_apart()
    assert lambda_svc._poll_dynamodb_streams() is False
    assert begun.wait(10)
    assert lambda_svc._poll_dynamodb_streams() is False, "one batch is at work"
    let_go.set()
    assert ended.wait(10)


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (streams.tell_streams_what_expires, dynamodb, "_remove_item"),
        (streams.tell_streams_what_expires, dynamodb, "_ttl_reaper"),
        (streams.tell_streams_what_expires, dynamodb, "_build_change_record"),
        (streams.keep_streams_over_restarts, dynamodb, "get_state"),
        (streams.keep_streams_over_restarts, dynamodb, "_next_stream_seq"),
        (streams.read_streams_as_allowed, lambda_svc, "_poll_dynamodb_streams"),
        (streams.read_streams_as_allowed, lambda_svc, "_iter_all_esms"),
        (streams.read_streams_apart, lambda_svc, "_poll_dynamodb_streams"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], None], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
