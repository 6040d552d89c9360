"""Policies of the local cloud tell apart what IAM tells apart: partitions, keys with wildcards, the age of links."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import botocore.auth
import pytest
import requests
from botocore.client import Config
from botocore.exceptions import ClientError
from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-untyped]

from sandbox.cloud.emulator import conditions
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.machines import EVERYTHING, policy

Clients = Callable[[str], Any]


@pytest.fixture
def session_of(emulator: LocalStack) -> Callable[..., Clients]:
    """Make clients of a session whose role may do everything, and whose own policy allows these statements."""
    sts, iam, name = emulator.client("sts"), emulator.client("iam"), f"role-{uuid4().hex[:8]}"
    root = sts.get_caller_identity()["Arn"]
    trusted = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trusted))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(EVERYTHING))

    def session(*statements: Mapping[str, Any]) -> Clients:
        given = sts.assume_role(RoleArn=role, RoleSessionName="limited", Policy=policy(*statements))["Credentials"]

        def client(service: str) -> Any:
            return emulator.client(
                service,
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
                **({"config": Config(signature_version="s3v4")} if service == "s3" else {}),
            )

        return client

    return session


@pytest.fixture
def table(emulator: LocalStack) -> str:
    name = f"table-{uuid4().hex[:8]}"
    texts = [{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk", "status")]
    emulator.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=texts,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_status",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return name


@pytest.fixture
def bucket(emulator: LocalStack) -> str:
    name = f"bucket-{uuid4().hex[:8]}"
    emulator.client("s3").create_bucket(Bucket=name)
    return name


def is_refused(call: Callable[..., Any], **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ("AccessDenied", "AccessDeniedException"), code
        return True
    return False


def calls_about(dynamodb: Any, table: str, pk: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """One call of each operation, with the partition in each way that a request names it."""
    key = {"pk": {"S": pk}, "sk": {"S": "1"}}
    value = {":v": {"S": pk}}
    update = {"TableName": table, "Key": key, "UpdateExpression": "SET a = :v", "ExpressionAttributeValues": value}
    query = {"TableName": table, "ExpressionAttributeValues": {**value, ":s": {"S": "1"}}}
    legacy = {"pk": {"AttributeValueList": [{"S": pk}], "ComparisonOperator": "EQ"}}
    return {
        "put": (dynamodb.put_item, {"TableName": table, "Item": key}),
        "get": (dynamodb.get_item, {"TableName": table, "Key": key}),
        "update": (dynamodb.update_item, update),
        "delete": (dynamodb.delete_item, {"TableName": table, "Key": key}),
        "query": (dynamodb.query, {**query, "KeyConditionExpression": "pk = :v AND sk = :s"}),
        "query by names": (
            dynamodb.query,
            {
                **query,
                "KeyConditionExpression": "(#s = :s AND #p = :v)",
                "ExpressionAttributeNames": {"#p": "pk", "#s": "sk"},
            },
        ),
        "query as of old": (dynamodb.query, {"TableName": table, "KeyConditions": legacy}),
        "batch get": (dynamodb.batch_get_item, {"RequestItems": {table: {"Keys": [key]}}}),
        "batch write": (dynamodb.batch_write_item, {"RequestItems": {table: [{"PutRequest": {"Item": key}}]}}),
        "transaction": (
            dynamodb.transact_write_items,
            {"TransactItems": [{"Update": update}, {"Put": {"TableName": table, "Item": {**key, "sk": {"S": "2"}}}}]},
        ),
    }


def test_a_policy_limits_a_caller_to_partitions(session_of: Callable[..., Clients], table: str) -> None:
    own = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["mine"]}}
    dynamodb = session_of({**EVERYTHING, "Action": "dynamodb:*", "Condition": own})("dynamodb")
    for pk, refused in (("mine", False), ("yours", True)):
        calls = calls_about(dynamodb, table, pk)
        assert {name: is_refused(call, **given) for name, (call, given) in calls.items()} == dict.fromkeys(
            calls, refused
        )
    # One foreign item in a transaction is enough, and an index has another partition key.
    foreign = {"Put": {"TableName": table, "Item": {"pk": {"S": "yours"}, "sk": {"S": "1"}}}}
    mine = {"Put": {"TableName": table, "Item": {"pk": {"S": "mine"}, "sk": {"S": "3"}}}}
    assert is_refused(dynamodb.transact_write_items, TransactItems=[mine, foreign])
    by_status = {"TableName": table, "IndexName": "by_status", "KeyConditionExpression": "#s = :v"}
    values = {"ExpressionAttributeNames": {"#s": "status"}, "ExpressionAttributeValues": {":v": {"S": "done"}}}
    assert is_refused(dynamodb.query, **by_status, **values)
    # As on AWS, a condition for all values holds where there is none.
    assert not is_refused(dynamodb.scan, TableName=table)


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/2015-03-31/event-source-mappings/4a2c", "GetEventSourceMapping"),
        ("PUT", "/2015-03-31/event-source-mappings/4a2c", "UpdateEventSourceMapping"),
        ("DELETE", "/2015-03-31/event-source-mappings/4a2c/", "DeleteEventSourceMapping"),
        ("GET", "/2015-03-31/event-source-mappings/", "ListEventSourceMappings"),
        ("POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping"),
        ("GET", "/2019-09-30/functions/sweep/concurrency", "GetFunctionConcurrency"),
        ("PUT", "/2017-10-31/functions/sweep/concurrency", "PutFunctionConcurrency"),
        ("DELETE", "/2017-10-31/functions/sweep/concurrency", "DeleteFunctionConcurrency"),
        ("GET", "/2016-08-19/account-settings/", "GetAccountSettings"),
        ("GET", "/2015-03-31/functions/concurrency", "GetFunction"),
    ],
)
def test_calls_of_lambda_have_their_actions(
    method: str, path: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iam_actions, "_lambda_action", iam_actions._lambda_action)
    conditions.name_reads_of_lambda()
    assert iam_actions._lambda_action(method, path) == action


@pytest.mark.parametrize(
    ("pattern", "matched", "others"),
    [
        ("a${*}b${?}c${$}d", ["a*b?c$d"], ["axb?c$d", "a*bxc$d", "a*b?c${$}d", "a${*}b${?}c${$}d"]),
        ("a*b?", ["a*b?", "axyzbx", "a\n\nbx"], ["ab", "abxy", "abx\n"]),
        ("a${x}[b]", ["a${x}[b]"], ["ax[b]", "a${x}b"]),
    ],
)
def test_patterns_of_policies(
    pattern: str, matched: list[str], others: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iam_evaluator, "_fnmatch_compile", iam_evaluator._fnmatch_compile)
    conditions.read_escapes_in_patterns()
    assert [iam_evaluator.fnmatch_iam_cs(value, pattern) for value in matched] == [True] * len(matched)
    assert [iam_evaluator.fnmatch_iam_cs(value, pattern) for value in others] == [False] * len(others)


def test_a_session_reads_the_one_key_with_wildcards_in_it(
    emulator: LocalStack, session_of: Callable[..., Clients], bucket: str
) -> None:
    own, other = "uploads/a*b?c$d/x.wav", "uploads/a1b2c$d/x.wav"
    for key in (own, other):
        emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    escaped = "uploads/a${*}b${?}c${$}d/x.wav"
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/{escaped}"}
    listed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    s3 = session_of(read, {**listed, "Condition": {"StringLike": {"s3:prefix": escaped}}})("s3")
    assert [is_refused(s3.get_object, Bucket=bucket, Key=key) for key in (own, other)] == [False, True]
    assert [is_refused(s3.list_objects_v2, Bucket=bucket, Prefix=key) for key in (own, other, "")] == [
        False,
        True,
        True,
    ]


def test_a_policy_of_a_bucket_ends_old_links_and_no_signed_call(
    emulator: LocalStack, session_of: Callable[..., Clients], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = session_of(EVERYTHING)("s3")
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    old = {"NumericGreaterThan": {"s3:signatureAge": 60_000}}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": old,
    }
    emulator.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy(deny))

    def status(age_seconds: int) -> int:
        signed_at = datetime.now(UTC) - timedelta(seconds=age_seconds)
        with monkeypatch.context() as past:
            past.setattr(botocore.auth, "get_current_datetime", lambda **_: signed_at.replace(tzinfo=None))
            link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"}, ExpiresIn=3600)
        return requests.get(link, timeout=10).status_code

    assert [status(0), status(30), status(90)] == [200, 200, 403]
    assert not is_refused(s3.get_object, Bucket=bucket, Key="x")


def test_a_token_says_when_it_was_issued_and_a_key_does_not(emulator: LocalStack, bucket: str) -> None:
    iam, name = emulator.client("iam"), f"user-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    federate = {**EVERYTHING, "Action": "sts:GetFederationToken"}
    put = {**EVERYTHING, "Action": "s3:PutObject", "Condition": {"Null": {"aws:TokenIssueTime": "false"}}}
    iam.put_user_policy(UserName=name, PolicyName="put", PolicyDocument=policy(federate, put))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    pair = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    given = emulator.client("sts", **pair).get_federation_token(Name="token", Policy=policy(EVERYTHING))["Credentials"]
    token = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    assert is_refused(emulator.client("s3", **pair).put_object, Bucket=bucket, Key="x", Body=b"x")
    assert not is_refused(emulator.client("s3", **token).put_object, Bucket=bucket, Key="x", Body=b"x")


@pytest.mark.parametrize(
    ("module", "name", "correct"),
    [
        (iam_evaluator, "_fnmatch_compile", conditions.read_escapes_in_patterns),
        (app, "_dispatch_service_request", conditions.tell_policies_the_leading_keys),
        (app, "_dispatch_service_request", conditions.tell_policies_the_age_of_links),
        (iam_actions, "_lambda_action", conditions.name_reads_of_lambda),
        (iam_actions, "extract_iam_action", conditions.name_reads_of_lambda),
        (iam_actions, "dynamodb_service_context", conditions.tell_policies_the_leading_keys),
        (iam_actions, "s3_service_context", conditions.tell_policies_the_age_of_links),
    ],
)
def test_a_correction_refuses_another_ministack(
    module: Any, name: str, correct: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, lambda other: other)
    with pytest.raises(RuntimeError, match="differs from the version that sandbox/cloud/emulator corrects"):
        correct()
