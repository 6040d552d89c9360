"""Each correction of the emulator through AWS's own API, and that S3 refuses requests without a signature."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from ministack.core import iam_actions, lambda_runtime  # type: ignore[import-untyped]
from ministack.services import (  # type: ignore[import-untyped]
    cloudwatch_logs,
    eventbridge,
    lambda_svc,
    stepfunctions,
    transcribe,
)

from sandbox.cloud.emulator import __main__ as program
from sandbox.cloud.emulator import corrections
from sandbox.cloud.emulator.transcribe import name_jobs_to_iam, refuse_what_transcribe_refuses
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.functions import create_function, task
from tests.sandbox.cloud.machines import (
    create_machine,
    ended,
    events,
    eventually,
    next_token,
    policy,
    start,
    waiting_for_token,
)

RAISES = """
calls = 0

class OutOfPaper(Exception):
    pass

def handler(event, context):
    global calls
    calls += 1
    if event["crash"]:
        import os
        os._exit(1)
    raise OutOfPaper(f"call {calls}")
"""
WARNS = """
import logging

logging.getLogger("library").addHandler(logging.NullHandler())

def handler(event, context):
    logging.getLogger("library").warning("a library warns")
"""
WHERE = """
import os

def handler(event, context):
    return {"folder": os.path.realpath(os.environ["LAMBDA_TASK_ROOT"]), "files": os.listdir(), "process": os.getpid()}
"""
TRIED_TWICE = [{"ErrorEquals": ["OutOfPaper"], "MaxAttempts": 1, "IntervalSeconds": 1}]


@pytest.fixture(scope="module", autouse=True)
def unwaiting(emulator: LocalStack) -> None:
    emulator.set_wait_scale(0)


@pytest.fixture(scope="module")
def raises(emulator: LocalStack) -> str:
    return create_function(emulator, RAISES)


def test_the_log_of_a_function_has_what_a_library_warns_of(emulator: LocalStack) -> None:
    name = create_function(emulator, WARNS)
    emulator.client("lambda").invoke(FunctionName=name)

    logs, group = emulator.client("logs"), f"/aws/lambda/{name}"
    events = eventually(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert "a library warns" in str([event["message"] for event in events])


def test_retry_and_catch_name_the_class_of_an_exception(emulator: LocalStack, raises: str) -> None:
    caught = [
        {"ErrorEquals": ["Runtime.HandlerError"], "Next": "Other"},
        {"ErrorEquals": ["OutOfPaper"], "Output": "{% $states.errorOutput.Error %}", "Next": "Caught"},
    ]
    states = {
        "Call": task(raises, Retry=TRIED_TWICE, Catch=caught),
        "Caught": {"Type": "Succeed"},
        "Other": {"Type": "Fail"},
    }
    execution = start(emulator, create_machine(emulator, states), crash=False)
    assert ended(emulator, execution)["output"] == '"OutOfPaper"'
    tried = [event["type"] for event in events(emulator, execution)]
    assert tried.count("TaskScheduled") == 2


def test_a_process_lives_through_an_exception_but_not_through_a_crash(emulator: LocalStack, raises: str) -> None:
    def message(crash: bool) -> str:
        answer = emulator.client("lambda").invoke(FunctionName=raises, Payload=json.dumps({"crash": crash}))
        assert answer["FunctionError"]
        return str(json.loads(answer["Payload"].read())["errorMessage"])

    first = int(message(crash=False).removeprefix("call "))
    assert message(crash=False) == f"call {first + 1}"
    message(crash=True)
    assert message(crash=False) == "call 1"


def test_a_throttled_function_fails_its_state_by_name(emulator: LocalStack, raises: str) -> None:
    machine = create_machine(emulator, {"Call": task(raises)})
    emulator.client("lambda").put_function_concurrency(FunctionName=raises, ReservedConcurrentExecutions=0)
    failed = ended(emulator, start(emulator, machine, crash=False))
    emulator.client("lambda").delete_function_concurrency(FunctionName=raises)
    assert failed["error"] == "Lambda.TooManyRequestsException"


def logged(emulator: LocalStack, **target: Any) -> str:
    """The message that an event leaves in the log group of a rule with this target."""
    source, group = f"test.{uuid4().hex[:8]}", f"/aws/events/{uuid4().hex[:8]}"
    logs, bus = emulator.client("logs"), emulator.client("events")
    logs.create_log_group(logGroupName=group)
    [found] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    may_log = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": actions}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**may_log, "Resource": found["arn"]}]})
    logs.put_resource_policy(resourceArn=found["arn"].removesuffix(":*"), policyDocument=document)
    bus.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    bus.put_targets(Rule=source, Targets=[{"Id": "log", "Arn": found["arn"], **target}])
    before = int(time.time() * 1000)
    bus.put_events(Entries=[{"Source": source, "DetailType": "Paper", "Detail": '{"sheets": 3}'}])
    [event] = eventually(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert event["timestamp"] >= before
    return str(event["message"])


def test_an_event_is_logged_as_it_is(emulator: LocalStack) -> None:
    event = json.loads(logged(emulator))
    assert (event["detail-type"], event["detail"]) == ("Paper", {"sheets": 3})


def test_an_event_is_logged_as_its_transformer_says(emulator: LocalStack) -> None:
    transformer = {
        "InputPathsMap": {"sheets": "$.detail.sheets", "time": "$.time"},
        "InputTemplate": '{"timestamp": <time>, "message": "<sheets> sheets are left"}',
    }
    assert logged(emulator, InputTransformer=transformer) == "3 sheets are left"


@pytest.fixture(scope="module")
def link(emulator: LocalStack) -> str:
    s3 = emulator.client("s3", config=Config(signature_version="s3v4"))
    s3.create_bucket(Bucket="talks")
    s3.put_object(Bucket="talks", Key="talk.mp4", Body=b"media")
    return str(s3.generate_presigned_url("get_object", Params={"Bucket": "talks", "Key": "talk.mp4"}))


def called(method: str, url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=10)


def test_a_presigned_link_works(link: str) -> None:
    assert called("GET", link).content == b"media"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_request_without_a_signature_is_refused(link: str, method: str) -> None:
    assert called(method, link.partition("?")[0]).status_code == 403
    assert called("GET", link).content == b"media"


@pytest.mark.parametrize(("instead", "status"), [("", 400), ("&X-Amz-Signature=0", 403)])
def test_a_link_without_its_signature_is_refused(link: str, instead: str, status: int) -> None:
    unsigned, mark, _ = link.partition("&X-Amz-Signature=")
    assert mark
    assert called("GET", unsigned + instead).status_code == status


@pytest.fixture(scope="module")
def queue(emulator: LocalStack) -> str:
    return str(emulator.client("sqs").create_queue(QueueName="tokens")["QueueUrl"])


@pytest.fixture(scope="module")
def machines(emulator: LocalStack, queue: str) -> list[str]:
    return [create_machine(emulator, {"Wait": waiting_for_token(queue)}) for _ in range(2)]


@pytest.fixture(scope="module")
def of_the_first(emulator: LocalStack, machines: list[str]) -> Any:
    """Step Functions for a user who may answer the tokens of the first machine, and nothing else."""
    iam, name = emulator.client("iam"), "answers"
    iam.create_user(UserName=name)
    grant = {
        "Effect": "Allow",
        "Action": ["states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"],
        "Resource": machines[0],
    }
    iam.put_user_policy(UserName=name, PolicyName="answers", PolicyDocument=policy(grant))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return emulator.client(
        "stepfunctions", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )


def test_a_grant_on_a_machine_is_for_its_own_tokens(
    emulator: LocalStack, queue: str, machines: list[str], of_the_first: Any
) -> None:
    own = start(emulator, machines[0])
    own_token = next_token(emulator, queue)
    other = start(emulator, machines[1])
    other_token = next_token(emulator, queue)

    of_the_first.send_task_heartbeat(taskToken=own_token)
    of_the_first.send_task_success(taskToken=own_token, output="{}")
    with pytest.raises(ClientError, match="AccessDenied"):
        of_the_first.send_task_success(taskToken=other_token, output="{}")

    assert ended(emulator, own)["status"] == "SUCCEEDED"
    assert emulator.client("stepfunctions").describe_execution(executionArn=other)["status"] == "RUNNING"
    # A late callback must not look like a missing right: Step Functions itself refuses a token of an ended task.
    with pytest.raises(ClientError, match="TaskDoesNotExist"):
        of_the_first.send_task_failure(taskToken=own_token)
    emulator.client("stepfunctions").stop_execution(executionArn=other)


def test_a_token_that_is_none_belongs_to_no_machine(of_the_first: Any) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        of_the_first.send_task_success(taskToken="never seen", output="{}")


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (corrections.keep_functions_that_raise, lambda_runtime.Worker, "invoke"),
        (corrections.keep_functions_that_raise, lambda_svc, "_execute_function_warm"),
        (corrections.correct_throttling, stepfunctions, "_call_lambda"),
        (corrections.correct_throttling, lambda_svc, "_throttle_response"),
        (corrections.add_log_group_target, eventbridge, "_invoke_target"),
        (corrections.add_log_group_target, eventbridge, "_apply_input_transformer"),
        (corrections.add_log_group_target, eventbridge, "_pattern_event_view"),
        (corrections.add_log_group_target, cloudwatch_logs, "_create_log_stream"),
        (corrections.add_log_group_target, cloudwatch_logs, "_put_log_events"),
        (corrections.name_state_machine_of_tokens_to_iam, stepfunctions, "_execute_task"),
        (corrections.name_state_machine_of_tokens_to_iam, stepfunctions, "_invoke_with_callback"),
        (corrections.name_state_machine_of_tokens_to_iam, iam_actions, "extract_resource_arn"),
        (refuse_what_transcribe_refuses, transcribe, "handle_request"),
        (name_jobs_to_iam, iam_actions, "extract_resource_arn"),
        (name_jobs_to_iam, iam_actions, "request_tag_context"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], None], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()


def test_another_worker_script_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", "run()")
    with pytest.raises(RuntimeError, match="_PYTHON_WORKER_SCRIPT differs from the version"):
        corrections.keep_functions_that_raise()


def test_another_set_up_of_functions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", "run()")
    with pytest.raises(RuntimeError, match="_PYTHON_WORKER_SCRIPT differs from the version"):
        corrections.log_what_libraries_warn_of()


def test_another_version_of_ministack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "SUPPORTED_VERSION", "1.5.32")
    with pytest.raises(SystemExit, match=r"corrects ministack 1\.5\.32, but .* is installed"):
        program.main()


def test_functions_with_the_same_zip_share_its_folder_and_nothing_else(emulator: LocalStack) -> None:
    def told_by(source: str) -> Any:
        name = create_function(emulator, source)
        return json.load(emulator.client("lambda").invoke(FunctionName=name)["Payload"])

    one, other, different = told_by(WHERE), told_by(WHERE), told_by(f"# another file{WHERE}")
    assert one["folder"] == other["folder"] != different["folder"]
    assert one["process"] != other["process"]
    assert "index.py" in one["files"]
    assert one["files"] == different["files"]
