"""State machines, mappings, stacks, queues and updates of the local cloud behave as AWS documents them."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from ministack.core import lambda_runtime  # type: ignore[import-untyped]
from ministack.services import apigateway, lambda_svc, sqs, stepfunctions  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from sandbox.cloud.emulator import executions, queues, rights, stacks, updates
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.functions import create_function, task
from tests.sandbox.cloud.machines import (
    create_machine,
    create_role,
    ended,
    events,
    eventually,
    next_token,
    start,
    waiting_for_token,
)

ECHO = "def handler(event, context):\n    return 'came'\n"
SLOW = """
import os
import pathlib
import time

AT_START = os.environ.get("STATE", "as it was")

def handler(event, context):
    pathlib.Path(event["marker"]).touch()
    time.sleep(event["seconds"])
    return AT_START
"""
BUSY = """
import pathlib
import time

def handler(event, context):
    if "Records" not in event:
        pathlib.Path(event["busy"]).touch()
        while not pathlib.Path(event["free"]).exists():
            time.sleep(0.05)
"""
LISTS_MOVE_TASKS = """
import boto3

def handler(event, context):
    return boto3.client("sqs").list_message_move_tasks(SourceArn=event["arn"])["Results"]
"""


def allow(action: str, resource: str) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def put_item(table: str) -> Mapping[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:putItem",
        "Arguments": {"TableName": table, "Item": {"pk": {"S": "written"}}},
        "End": True,
    }


@pytest.fixture(scope="module")
def table(emulator: LocalStack) -> str:
    name = f"table-{uuid4().hex[:8]}"
    emulator.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


def test_a_state_machine_does_what_its_role_allows_and_no_more(emulator: LocalStack, table: str) -> None:
    function = create_function(emulator, ECHO)
    arn = emulator.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    table_arn = emulator.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"]
    call, write = {"Call": task(function)}, {"Write": put_item(table)}
    other = allow("sqs:SendMessage", "*")
    statuses = {
        name: ended(emulator, start(emulator, create_machine(emulator, states, right)))
        for name, states, right in [
            ("may call", call, allow("lambda:InvokeFunction", arn)),
            ("may not call", call, other),
            ("may write", write, allow("dynamodb:PutItem", table_arn)),
            ("may not write", write, allow("dynamodb:GetItem", table_arn)),
            ("may write elsewhere", write, allow("dynamodb:PutItem", table_arn + "-other")),
        ]
    }
    assert {name: execution["status"] for name, execution in statuses.items()} == {
        "may call": "SUCCEEDED",
        "may not call": "FAILED",
        "may write": "SUCCEEDED",
        "may not write": "FAILED",
        "may write elsewhere": "FAILED",
    }
    assert statuses["may not call"]["error"] == "Lambda.AWSLambdaException"
    assert statuses["may not write"]["error"] == "DynamoDb.DynamoDbException"
    assert "not authorized to perform: dynamodb:PutItem" in statuses["may not write"]["cause"]


def test_optimised_integrations_need_the_right_as_well(emulator: LocalStack) -> None:
    queue = emulator.client("sqs").create_queue(QueueName="optimised")["QueueUrl"]
    topic = emulator.client("sns").create_topic(Name="optimised")["TopicArn"]
    entry = {"Source": "test", "DetailType": "test", "Detail": {}}
    found = {}
    for action, name, arguments, resource in [
        ("sqs:SendMessage", "sqs:sendMessage", {"QueueUrl": queue, "MessageBody": "m"}, "arn:aws:sqs:*:*:optimised"),
        ("sns:Publish", "sns:publish", {"TopicArn": topic, "Message": "m"}, topic),
        ("events:PutEvents", "events:putEvents", {"Entries": [entry]}, "arn:aws:events:*:*:event-bus/default"),
    ]:
        state = {"Type": "Task", "Resource": f"arn:aws:states:::{name}", "Arguments": arguments, "End": True}
        rights_given = [allow(action, resource), allow(action, resource + "-other")]
        found[name] = [
            ended(emulator, start(emulator, create_machine(emulator, {"Do": state}, right)))["status"]
            for right in rights_given
        ]
    assert found == {name: ["SUCCEEDED", "FAILED"] for name in found}


def test_a_mapping_takes_messages_when_the_role_of_its_function_allows_it(emulator: LocalStack) -> None:
    client, queue_name = emulator.client("sqs"), f"queue-{uuid4().hex[:8]}"
    url = client.create_queue(QueueName=queue_name, Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = create_function(emulator, ECHO)
    emulator.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    client.send_message(QueueUrl=url, MessageBody="waits")

    def waiting() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    role = emulator.client("lambda").get_function_configuration(FunctionName=function)["Role"].rsplit("/", 1)[-1]
    assert waiting() == 1
    emulator.client("iam").put_role_policy(
        RoleName=role,
        PolicyName="poll",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    allow(f"sqs:{action}", arn) for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
                ],
            }
        ),
    )
    eventually(lambda: waiting() == 0)


def test_a_throttled_batch_waits_for_a_worker(emulator: LocalStack, tmp_path: Path) -> None:
    client, functions = emulator.client("sqs"), emulator.client("lambda")
    hour = {"VisibilityTimeout": "3600"}
    url = client.create_queue(QueueName=f"queue-{uuid4().hex[:8]}", Attributes=hour)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = create_function(emulator, BUSY, allow("sqs:*", arn))
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    files = {"busy": str(tmp_path / "busy"), "free": str(tmp_path / "free")}
    functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(files))
    eventually((tmp_path / "busy").exists)

    def taken() -> int:
        name = "ApproximateNumberOfMessagesNotVisible"
        return int(client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])

    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    client.send_message(QueueUrl=url, MessageBody="waits")
    eventually(lambda: taken() == 1)
    (tmp_path / "free").touch()
    eventually(lambda: taken() == 0)


@pytest.mark.parametrize("missing", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
def test_a_mapping_needs_three_rights(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "role_allows", lambda role, action, source: action != f"sqs:{missing}")
    monkeypatch.setattr(lambda_svc, "_sqs_esm_concurrency", lambda_svc._sqs_esm_concurrency)
    rights.enforce_roles_of_mappings()
    function = {"config": {"Role": "arn:aws:iam::000000000000:role/polls"}}
    assert lambda_svc._sqs_esm_concurrency({"EventSourceArn": "arn:aws:sqs:r:a:q"}, function, {}, {}) == 0


STACK: dict[str, Any] = {
    "Resources": {
        "Letters": {"Type": "AWS::SQS::Queue"},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    },
                }
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "kept-function",
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": ECHO},
                "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Letters", "Arn"]}},
                "ReservedConcurrentExecutions": 7,
            },
        },
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "kept-api",
                "ProtocolType": "HTTP",
                "CorsConfiguration": {"AllowOrigins": ["https://app.example.com"], "MaxAge": 60},
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "Properties": {
                "TableName": "kept-table",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
                "Replicas": [
                    {
                        "Region": "us-east-1",
                        "DeletionProtectionEnabled": True,
                        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                    }
                ],
            },
        },
    }
}


def kept(emulator: LocalStack) -> tuple[Any, ...]:
    dynamodb, functions = emulator.client("dynamodb"), emulator.client("lambda")
    recovery = dynamodb.describe_continuous_backups(TableName="kept-table")["ContinuousBackupsDescription"]
    return (
        functions.get_function_configuration(FunctionName="kept-function").get("DeadLetterConfig", {}).get("TargetArn"),
        functions.get_function_concurrency(FunctionName="kept-function").get("ReservedConcurrentExecutions"),
        dynamodb.describe_time_to_live(TableName="kept-table")["TimeToLiveDescription"]["TimeToLiveStatus"],
        recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        dynamodb.describe_table(TableName="kept-table")["Table"]["DeletionProtectionEnabled"],
    )


def pages_of_api(emulator: LocalStack) -> Any:
    [api] = [each for each in emulator.client("apigatewayv2").get_apis()["Items"] if each["Name"] == "kept-api"]
    return api["CorsConfiguration"]


def test_a_stack_keeps_what_its_template_says(emulator: LocalStack) -> None:
    stack, name = emulator.client("cloudformation"), "kept"

    def status() -> str:
        return str(stack.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    stack.create_stack(StackName=name, TemplateBody=json.dumps(STACK), Capabilities=["CAPABILITY_IAM"])
    eventually(lambda: status() == "CREATE_COMPLETE")
    letters, *rest = kept(emulator)
    assert letters.startswith("arn:aws:sqs:")
    assert rest == [7, "ENABLED", "ENABLED", True]
    assert pages_of_api(emulator) == {"AllowOrigins": ["https://app.example.com"], "MaxAge": 60}

    changed = deepcopy(STACK)
    del changed["Resources"]["Function"]["Properties"]["ReservedConcurrentExecutions"]
    del changed["Resources"]["Function"]["Properties"]["DeadLetterConfig"]
    del changed["Resources"]["Table"]["Properties"]["TimeToLiveSpecification"]
    changed["Resources"]["Api"]["Properties"]["CorsConfiguration"] = {"AllowOrigins": ["https://b.example.com"]}
    stack.update_stack(StackName=name, TemplateBody=json.dumps(changed), Capabilities=["CAPABILITY_IAM"])
    eventually(lambda: status() == "UPDATE_COMPLETE")
    assert kept(emulator) == (None, None, "DISABLED", "ENABLED", True)
    assert pages_of_api(emulator) == {"AllowOrigins": ["https://b.example.com"]}

    stack.delete_stack(StackName=name)
    eventually(lambda: status() == "DELETE_FAILED")
    assert emulator.client("dynamodb").describe_table(TableName="kept-table")["Table"]["TableStatus"] == "ACTIVE"


def test_an_update_keeps_the_items_of_a_table_without_a_name(emulator: LocalStack) -> None:
    stack, db = emulator.client("cloudformation"), emulator.client("dynamodb")
    properties = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "Replicas": [{"Region": "us-east-1"}],
    }

    def template(**more: Any) -> str:
        table = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {**properties, **more}}
        outputs = {"Name": {"Value": {"Ref": "Table"}}}
        if more:
            outputs["Stream"] = {"Value": {"Fn::GetAtt": ["Table", "StreamArn"]}}  # type: ignore[dict-item]
        return json.dumps({"Resources": {"Table": table}, "Outputs": outputs})

    def outputs(status: str) -> dict[str, str]:
        def find() -> Any:
            return stack.describe_stacks(StackName="nameless")["Stacks"][0]

        eventually(lambda: find()["StackStatus"] == status)
        return {each["OutputKey"]: each["OutputValue"] for each in find()["Outputs"]}

    stack.create_stack(StackName="nameless", TemplateBody=template())
    name = outputs("CREATE_COMPLETE")["Name"]
    db.put_item(TableName=name, Item={"pk": {"S": "kept"}})
    stack.update_stack(
        StackName="nameless",
        TemplateBody=template(
            StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"},
            TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True},
        ),
    )
    after = outputs("UPDATE_COMPLETE")
    assert after["Name"] == name
    assert after["Stream"] == db.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    assert "Item" in db.get_item(TableName=name, Key={"pk": {"S": "kept"}})


@pytest.fixture
def parked(emulator: LocalStack) -> Callable[..., tuple[str, str]]:
    """Start an execution that waits for a token: its ARN and the token."""
    emulator.set_wait_scale(0)
    url = emulator.client("sqs").create_queue(QueueName=f"tokens-{uuid4().hex[:8]}")["QueueUrl"]

    def park(**fields: Any) -> tuple[str, str]:
        execution = start(emulator, create_machine(emulator, {"Wait for token": waiting_for_token(url, **fields)}))
        return execution, next_token(emulator, url)

    return park


def test_a_stopped_execution_ends_its_token(emulator: LocalStack, parked: Callable[..., tuple[str, str]]) -> None:
    retried = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}]
    execution, token = parked(Retry=retried)
    client = emulator.client("stepfunctions")
    client.stop_execution(executionArn=execution)
    with pytest.raises(client.exceptions.TaskDoesNotExist):
        client.send_task_success(taskToken=token, output='"late"')
    assert ended(emulator, execution)["status"] == "ABORTED"
    assert events(emulator, execution)[-1]["type"] == "ExecutionAborted"


def test_a_stopped_execution_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepfunctions, "_fail_execution", stepfunctions._fail_execution)
    executions.fail_only_what_runs()
    stopped = {"status": "ABORTED", "events": []}
    stepfunctions._fail_execution(stopped, "Broken", "a cause")
    assert stopped == {"status": "ABORTED", "events": []}


def test_an_execution_ends_with_the_time_of_its_machine(emulator: LocalStack) -> None:
    queue = emulator.client("sqs").create_queue(QueueName=f"tokens-{uuid4().hex[:8]}")["QueueUrl"]
    machine = create_machine(emulator, {"Wait for token": waiting_for_token(queue)}, TimeoutSeconds=1)
    execution = start(emulator, machine)
    token = next_token(emulator, queue)
    assert ended(emulator, execution)["status"] == "TIMED_OUT"
    client = emulator.client("stepfunctions")
    with pytest.raises(client.exceptions.TaskDoesNotExist):
        client.send_task_success(taskToken=token, output='"late"')
    assert events(emulator, execution)[-1]["type"] == "ExecutionTimedOut"


def test_time_outs_of_tokens_have_a_scale_of_their_own(
    emulator: LocalStack, parked: Callable[..., tuple[str, str]]
) -> None:
    emulator.set_token_scale(0.0001)
    try:
        execution, _ = parked(TimeoutSeconds=3000)
        assert ended(emulator, execution)["error"] == "States.Timeout"
    finally:
        emulator.set_token_scale(1)
    with pytest.raises(ValueError, match="cannot be -1"):
        emulator.set_token_scale(-1)


def test_messages_move_back_to_the_queue_that_they_came_from(emulator: LocalStack) -> None:
    client, name = emulator.client("sqs"), uuid4().hex[:8]
    letters = client.create_queue(QueueName=f"letters-{name}")["QueueUrl"]

    def arn(url: str) -> str:
        return str(client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])

    redrive = json.dumps({"deadLetterTargetArn": arn(letters), "maxReceiveCount": "1"})
    attributes = {"RedrivePolicy": redrive, "VisibilityTimeout": "0"}
    source = client.create_queue(QueueName=f"source-{name}", Attributes=attributes)["QueueUrl"]
    client.send_message(QueueUrl=source, MessageBody="comes back")

    def take(url: str) -> list[str]:
        received = client.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        return [found["Body"] for found in received]

    assert take(source) == ["comes back"]
    assert take(source) == [], "it was received once, which is its limit"
    client.start_message_move_task(SourceArn=arn(letters))
    [moved] = client.list_message_move_tasks(SourceArn=arn(letters))["Results"]
    assert (moved["Status"], moved["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    assert take(source) == ["comes back"]


def test_a_message_is_hidden_for_twelve_hours_at_most(emulator: LocalStack) -> None:
    client = emulator.client("sqs")
    url = client.create_queue(QueueName=f"hides-{uuid4().hex[:8]}")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="waits", MessageGroupId="fair")
    [message] = client.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
    receipt = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    for seconds in (12 * 3600 + 1, -1):
        with pytest.raises(ClientError, match="VisibilityTimeout is invalid"):
            client.change_message_visibility(**receipt, VisibilityTimeout=seconds)
    client.change_message_visibility(**receipt, VisibilityTimeout=12 * 3600)
    assert "Messages" not in client.receive_message(QueueUrl=url)


def test_a_message_move_task_is_granted_by_the_arn_of_its_queue(emulator: LocalStack) -> None:
    client, name = emulator.client("sqs"), uuid4().hex[:8]
    for queue in ("mine", "theirs"):
        client.create_queue(QueueName=f"{queue}-{name}")
    url = client.get_queue_url(QueueName=f"mine-{name}")["QueueUrl"]
    mine = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = create_function(emulator, LISTS_MOVE_TASKS, allow("sqs:ListMessageMoveTasks", mine))

    def call(arn: str) -> Any:
        payload = json.dumps({"arn": arn})
        return json.loads(emulator.client("lambda").invoke(FunctionName=function, Payload=payload)["Payload"].read())

    assert call(mine) == []
    assert "not authorized" in call(mine.replace("mine", "theirs"))["errorMessage"]


def test_a_running_call_ends_while_its_function_is_updated(emulator: LocalStack, tmp_path: Path) -> None:
    function, client, marker = create_function(emulator, SLOW), emulator.client("lambda"), str(tmp_path / "runs")

    def call(seconds: float) -> Any:
        answer = client.invoke(FunctionName=function, Payload=json.dumps({"seconds": seconds, "marker": marker}))
        return json.loads(answer["Payload"].read())

    with ThreadPoolExecutor() as pool:
        running = pool.submit(call, 2)
        eventually(lambda: Path(marker).exists())
        client.update_function_configuration(FunctionName=function, Environment={"Variables": {"STATE": "changed"}})
        assert running.result() == "as it was"
    assert call(0) == "changed"


def test_a_running_call_ends_while_its_stack_is_updated(emulator: LocalStack, tmp_path: Path) -> None:
    marker, stack = tmp_path / "runs", emulator.client("cloudformation")

    def template(state: str) -> str:
        properties = {
            "FunctionName": "deployed",
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": create_role(emulator, "lambda"),
            "Timeout": 30,
            "Code": {"ZipFile": f"# {state}{SLOW}"},
            "Environment": {"Variables": {"STATE": state}},
        }
        return json.dumps({"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}})

    def await_status(status: str) -> None:
        eventually(lambda: stack.describe_stacks(StackName="deployed")["Stacks"][0]["StackStatus"] == status)

    def call(seconds: float) -> Any:
        payload = json.dumps({"seconds": seconds, "marker": str(marker)})
        return json.loads(emulator.client("lambda").invoke(FunctionName="deployed", Payload=payload)["Payload"].read())

    stack.create_stack(StackName="deployed", TemplateBody=template("as it was"))
    await_status("CREATE_COMPLETE")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(call, 2)
        eventually(marker.exists)
        stack.update_stack(StackName="deployed", TemplateBody=template("changed"))
        await_status("UPDATE_COMPLETE")
        assert running.result() == "as it was"
    assert call(0) == "changed"


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (rights.enforce_roles_of_state_machines, stepfunctions, "_run_execution"),
        (rights.enforce_roles_of_state_machines, stepfunctions, "_call_lambda"),
        (rights.enforce_roles_of_state_machines, stepfunctions, "_invoke_resource"),
        (rights.enforce_roles_of_mappings, lambda_svc, "_sqs_esm_concurrency"),
        (stacks.keep_what_stacks_say, provisioners, "_lambda_create"),
        (stacks.keep_what_stacks_say, provisioners, "_ddb_update"),
        (stacks.keep_what_stacks_say, provisioners, "_apigw_v2_api_create"),
        (stacks.keep_what_stacks_say, apigateway, "_cors_response_headers"),
        (stacks.update_tables_in_place, provisioners, "_ddb_global_table_update"),
        (executions.end_tokens_of_stopped_executions, stepfunctions, "_stop_execution"),
        (executions.fail_only_what_runs, stepfunctions, "_fail_execution"),
        (lambda: executions.end_executions_that_take_too_long(print), stepfunctions, "_run_execution"),
        (executions.scale_time_outs_of_tokens, stepfunctions, "_invoke_with_callback"),
        (queues.add_message_move_tasks, sqs, "_dlq_sweep"),
        (queues.retry_throttled_batches, lambda_svc, "_run_sqs_batch"),
        (queues.refuse_to_hide_for_too_long, sqs, "_act_change_visibility"),
        (updates.let_running_calls_end, lambda_runtime, "kill_workers"),
        (updates.let_running_calls_end, lambda_svc, "_update_code"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], None], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
