"""Media are prepared with the rights on their own recording: any key works, and another recording is out of reach."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest

from recording_insights.aws.role_sessions import RoleSessions, SessionCredentials
from recording_insights.processing.recording_rights import session_name, session_policy
from recording_insights.store.keys import PARTITION, RECORDING, SORT
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import drop, drop_all, hls_of, process, recording_of, until_ended
from tests.e2e.test_upload_credentials import Clients, clients_of, refused

A, B = "a" * 32, "b" * 32


def as_flac(clip: Path, target: Path) -> Path:
    """The sound of a file in a format that the default provider does not take."""
    with av.open(str(clip)) as source, av.open(str(target), "w", format="flac") as sink:
        stream = sink.add_stream("flac", rate=source.streams.audio[0].rate)
        for frame in source.decode(audio=0):
            sink.mux(stream.encode(av.AudioResampler("s16", frame.layout, frame.rate).resample(frame)[0]))
        sink.mux(stream.encode(None))
    return target


@pytest.mark.parametrize("folder", ["uploads/a*b?c$d/${x}", 'uploads/会议 "1" + 100%'])
def test_a_file_with_any_key_is_converted(stack: LocalStack, clip: Path, tmp_path: Path, folder: str) -> None:
    key = f"{folder}/{uuid4().hex}*.flac"
    recording = process(stack, as_flac(clip, tmp_path / "talk.flac"), key)
    assert recording["status"] == "done", recording
    [media] = recording["media"]
    assert (media["key"], media["format"]) == (key, "flac")
    assert media["prepared"]["key"].startswith(f"prepared/{recording['recording_id']}/")


def test_a_track_in_a_folder_of_any_name_is_prepared(stack: LocalStack, clip: Path, tmp_path: Path) -> None:
    track = hls_of(clip, tmp_path, f"{uuid4().hex}_team__uid_s_1001__uid_e_audio")
    recording = until_ended(stack, recording_of(stack, drop_all(stack, track, "uploads/a*b?c$d")))
    assert recording["status"] == "done", recording


@pytest.fixture
def preparer(stack: LocalStack) -> tuple[str, Clients]:
    """The role of sessions, and clients with the rights of the function that prepares media itself."""
    functions = stack.client("lambda").get_paginator("list_functions").paginate()
    [function] = [
        each for page in functions for each in page["Functions"] if each["Handler"] == "states.prepare_media.handler"
    ]
    role = function["Environment"]["Variables"]["SESSION_ROLE_ARN"]
    key = key_of_function_with(stack, function["Role"])
    return role, clients_of(stack, key["AWS_ACCESS_KEY_ID"], key["AWS_SECRET_ACCESS_KEY"], key["AWS_SESSION_TOKEN"])


def key_of_function_with(stack: LocalStack, role: str) -> dict[str, str]:
    """The credentials that Lambda gives to a function with this role."""
    package, name, client = io.BytesIO(), f"tells-{uuid4().hex[:8]}", stack.client("lambda")
    with zipfile.ZipFile(package, "w") as target:
        target.writestr("index.py", "import os\n\ndef handler(event, context):\n    return dict(os.environ)\n")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
    )
    told: dict[str, str] = json.loads(client.invoke(FunctionName=name)["Payload"].read())
    client.delete_function(FunctionName=name)
    return told


@pytest.fixture
def limited_to(stack: LocalStack, preparer: tuple[str, Clients]) -> Callable[[str, str], Clients]:
    """Clients with the rights of a session, as the function opens it for a media object."""
    role, own = preparer

    def open_session(given: SessionCredentials) -> Clients:
        return clients_of(stack, given.aws_access_key_id, given.aws_secret_access_key, given.aws_session_token)

    sessions = RoleSessions(own("sts"), role, open_session, timedelta(minutes=16), lambda: datetime.now(UTC))
    bucket = stack.outputs["RecordingsBucketName"]
    return lambda recording_id, key: sessions.of(
        session_name(recording_id), session_policy(recording_id, key, bucket=bucket)
    )


def test_a_session_reaches_its_own_recording_only(stack: LocalStack, limited_to: Callable[[str, str], Clients]) -> None:
    bucket, table = stack.outputs["RecordingsBucketName"], stack.outputs["InsightsTableName"]
    for key in (
        f"recordings/{A}/1.ts",
        f"recordings/{B}/1.ts",
        f"prepared/{B}/x.mp4",
        "uploads/a.txt",
        "uploads/b.txt",
    ):
        drop(stack, b"x", key)
    of_track, of_file = limited_to(A, f"recordings/{A}/track.m3u8"), limited_to(A, "uploads/a.txt")
    s3, file_s3, dynamodb = of_track("s3"), of_file("s3"), of_track("dynamodb")

    s3.get_object(Bucket=bucket, Key=f"recordings/{A}/1.ts")
    s3.list_objects_v2(Bucket=bucket, Prefix=f"recordings/{A}/tra")
    s3.put_object(Bucket=bucket, Key=f"prepared/{A}/x.mp4", Body=b"x")
    s3.head_object(Bucket=bucket, Key=f"prepared/{A}/x.mp4")
    file_s3.get_object(Bucket=bucket, Key="uploads/a.txt")

    foreign: dict[str, partial[Any]] = {
        "segment": partial(s3.get_object, Bucket=bucket, Key=f"recordings/{B}/1.ts"),
        "prepared": partial(s3.get_object, Bucket=bucket, Key=f"prepared/{B}/x.mp4"),
        "file": partial(s3.get_object, Bucket=bucket, Key="uploads/a.txt"),
        "neighbour": partial(file_s3.get_object, Bucket=bucket, Key="uploads/b.txt"),
        "folder": partial(s3.list_objects_v2, Bucket=bucket, Prefix=f"recordings/{B}/"),
        "bucket": partial(s3.list_objects_v2, Bucket=bucket),
        "write": partial(s3.put_object, Bucket=bucket, Key=f"prepared/{B}/x.mp4", Body=b"x"),
        "own media": partial(s3.put_object, Bucket=bucket, Key=f"recordings/{A}/1.ts", Body=b"x"),
        "delete": partial(s3.delete_object, Bucket=bucket, Key=f"prepared/{A}/x.mp4"),
        "replies": partial(s3.list_objects_v2, Bucket=stack.outputs["RepliesBucketName"]),
    }
    assert {name: refused(call) for name, call in foreign.items()} == dict.fromkeys(foreign, "AccessDenied")

    def row(recording_id: str) -> dict[str, Any]:
        return {PARTITION: {"S": recording_id}, SORT: {"S": RECORDING}}

    name, condition = {"TableName": table}, {"KeyConditionExpression": f"{PARTITION} = :p"}
    dynamodb.get_item(**name, Key=row(A))
    dynamodb.query(**name, **condition, ExpressionAttributeValues={":p": {"S": A}})
    calls: dict[str, partial[Any]] = {
        "get": partial(dynamodb.get_item, **name, Key=row(B)),
        "put": partial(dynamodb.put_item, **name, Item=row(B)),
        "update": partial(dynamodb.update_item, **name, Key=row(B), UpdateExpression="REMOVE provider"),
        "query": partial(dynamodb.query, **name, **condition, ExpressionAttributeValues={":p": {"S": B}}),
        "transaction": partial(dynamodb.transact_write_items, TransactItems=[{"Put": {**name, "Item": row(B)}}]),
        "scan": partial(dynamodb.scan, **name),
        "delete": partial(dynamodb.delete_item, **name, Key=row(A)),
    }
    assert {name: refused(call) for name, call in calls.items()} == dict.fromkeys(calls, "AccessDeniedException")


def test_the_function_itself_reads_nothing_and_nobody_else_opens_its_sessions(
    stack: LocalStack, preparer: tuple[str, Clients]
) -> None:
    role, own = preparer
    bucket, table = stack.outputs["RecordingsBucketName"], stack.outputs["InsightsTableName"]
    key = drop(stack, b"x", f"recordings/{A}/1.ts")
    assert refused(partial(own("s3").get_object, Bucket=bucket, Key=key)) == "AccessDenied"
    assert refused(partial(own("s3").list_objects_v2, Bucket=bucket)) == "AccessDenied"
    denied = refused(partial(own("dynamodb").query, TableName=table, KeyConditionExpression=f"{PARTITION} = :p"))
    assert denied == "AccessDeniedException"
    # Not even one that may assume every role: the role trusts the function alone.
    user, iam = f"user-{uuid4().hex[:8]}", stack.client("iam")
    iam.create_user(UserName=user)
    allow = {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    other = clients_of(stack, made["AccessKeyId"], made["SecretAccessKey"])("sts")
    assert refused(partial(other.assume_role, RoleArn=role, RoleSessionName="other")) == "AccessDenied"
