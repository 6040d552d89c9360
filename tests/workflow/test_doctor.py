"""The doctor on a deployed stage, with exactly the rights of its policy in docs/security.md."""

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from operations.doctor.admission import Ways, admit
from operations.doctor.after_deploy import after_deploy
from operations.doctor.examine import examine
from operations.doctor.findings import Finding
from operations.doctor.patient import Patient
from operations.pause_intake import pause_intake, resume_intake
from sandbox.cloud.local_stack import LocalStack
from sandbox.stand_ins.credentials import credentials
from tests.aws_command_line import call_of
from tests.deployed import PATIENCE_SECONDS, until
from tests.docs.pages import page
from tests.recordings_command import run_recordings

EXAMPLES = {
    "eu-central-1": "us-east-1",
    "111122223333": "000000000000",
    "RecordingInsights-dev-": "RecordingInsights-local-",
    "RecordingInsights-dev/": "RecordingInsights-local/",
    "recordinginsights-dev-": "recordinginsights-local-",
    "recording-insights-dev-": "recording-insights-local-",
    "recording-insights/dev/": "recording-insights/local/",
}
"""What stands in the page, and what it is on the local stage."""
OF_EARLIER_TESTS = {"alarms", "providers", "subscriptions"}
"""Checks that may find what other tests of the same stack have left."""


@pytest.fixture
def operator(stack: LocalStack) -> Iterator[LocalStack]:
    """The stack as somebody sees it who has the doctor's policy and no other right."""
    [text] = [fence.text for fence in page("docs/security.md").fences if fence.info[1:] == ("policy", "doctor")]
    for example, real in {**EXAMPLES, "a1b2c3d4e5": stack.outputs["ApiId"]}.items():
        text = text.replace(example, real)
    iam, name = stack.client("iam"), "doctor"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="doctor", PolicyDocument=text)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield replace(stack, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"])
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="doctor")
    iam.delete_user(UserName=name)


def patient_of(operator: LocalStack) -> Patient:
    """The stage as `recordings doctor` admits it, without a file of it."""
    ways = Ways(operator.client, lambda name: _table(operator, name), operator.call_api, _http)
    return admit("local", operator.outputs, operator.region, ways, Path("no folder"))


def _table(stack: LocalStack, name: str) -> Any:
    keys = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    place = {"endpoint_url": stack.endpoint_url, "region_name": stack.region, "config": Config(proxies={})}
    return boto3.resource("dynamodb", **place, **keys).Table(name)  # type: ignore[call-overload]


def _http(method: str, url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, allow_redirects=False, timeout=35)


def test_a_healthy_stage_is_all_ok_and_its_events_flow(
    stack: LocalStack, operator: LocalStack, reading_model: None
) -> None:
    _purge_letters(stack)
    findings = list(examine(patient_of(operator)))
    assert [each for each in findings if each.state != "ok" and each.check not in OF_EARLIER_TESTS] == []
    assert [each for each in findings if each.state == "unknown"] == []

    flow = after_deploy(patient_of(operator), PATIENCE_SECONDS)
    assert (flow.check, flow.state) == ("events flow", "ok")
    listed = stack.client("s3").list_objects_v2(Bucket=stack.outputs["RecordingsBucketName"], Prefix="doctor/")
    assert listed["KeyCount"] == 0, "what it puts it deletes"


def _purge_letters(stack: LocalStack) -> None:
    """Delete what other tests have left."""
    sqs = stack.client("sqs")
    for output in ("UnadmittedArrivalsArn", "UnpublishedDeadLettersArn", "UndeliveredArn", "UnderivedArn"):
        name = stack.outputs[output].rpartition(":")[2]
        sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
    sqs.purge_queue(QueueUrl=stack.outputs["DeadLettersUrl"])


def test_what_is_broken_is_found_and_its_mends_mend_it(
    stack: LocalStack,
    operator: LocalStack,
    reading_model: None,
    captured_event: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    patient = patient_of(operator)
    _purge_letters(stack)
    left = {each.what for each in examine(patient) if each.state == "wrong"}
    with ExitStack() as broken:
        broken.enter_context(_eight_faults(stack, captured_event("object_created")))
        faults = [each for each in examine(patient) if each.state != "ok" and each.what not in left]
        said = {each.check: each for each in faults}
        assert {each.state for each in faults} == {"wrong"}
        assert set(said) >= {
            *("rules", "mappings", "sweep", "dead letters", "secrets", "intake", "providers"),
            *("bucket policies", "alarms"),
        }
        assert "lacks a usable value of customerSecret" in said["secrets"].what

        (tmp_path / "agora.json").write_text(json.dumps(credentials()["agora"]))
        for each in faults:
            mend(stack, each, tmp_path)
        until(lambda: not _faults_of(patient, left), "a stage that is healthy again")


def _faults_of(patient: Patient, left: set[str]) -> list[Finding]:
    return [each for each in examine(patient) if each.state != "ok" and each.what not in left]


@contextmanager
def _eight_faults(stack: LocalStack, event: dict[str, Any]) -> Iterator[None]:
    """Break the stage in as many ways as the test expects. What the mends do not mend is mended in the end."""
    events, lambda_, s3, cloudwatch = (stack.client(name) for name in ("events", "lambda", "s3", "cloudwatch"))
    bucket, sweep = stack.outputs["RecordingsBucketName"], stack.outputs["SweepFunctionName"]
    [rule] = [each["Name"] for each in events.list_rules(EventBusName=stack.outputs["EventBusName"])["Rules"][:1]]
    [media] = [each["Name"] for each in events.list_rules()["Rules"] if "ArrivalMediaRule" in each["Name"]]
    [mapping, *_] = lambda_.list_event_source_mappings()["EventSourceMappings"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    alarm = "recording-insights-local-watch-failed"
    event["detail"]["bucket"]["name"], event["detail"]["object"]["key"] = bucket, "prepared/a.mp4"
    letters = stack.outputs["UnadmittedArrivalsArn"].rpartition(":")[2]
    sqs, secrets = stack.client("sqs"), stack.client("secretsmanager")

    events.disable_rule(Name=rule, EventBusName=stack.outputs["EventBusName"])
    events.disable_rule(Name=media)
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    lambda_.put_function_concurrency(FunctionName=sweep, ReservedConcurrentExecutions=0)
    s3.delete_bucket_policy(Bucket=bucket)
    cloudwatch.disable_alarm_actions(AlarmNames=[alarm])
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=letters)["QueueUrl"], MessageBody=json.dumps(event))
    lacking = {name: value for name, value in credentials()["agora"].items() if name != "customerSecret"}
    secrets.put_secret_value(SecretId="recording-insights/local/agora", SecretString=json.dumps(lacking))
    pause_intake("local", stack.client, lambda name: _table(stack, name))
    assert stack.call_api("PUT", "/providers/deepgram", {"paused": True}).status_code == 200
    try:
        yield
    finally:
        events.enable_rule(Name=rule, EventBusName=stack.outputs["EventBusName"])
        events.enable_rule(Name=media)
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
        lambda_.delete_function_concurrency(FunctionName=sweep)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        cloudwatch.enable_alarm_actions(AlarmNames=[alarm])
        text = json.dumps(credentials()["agora"])
        secrets.put_secret_value(SecretId="recording-insights/local/agora", SecretString=text)
        resume_intake("local", stack.client, lambda name: _table(stack, name))
        stack.call_api("PUT", "/providers/deepgram", {"paused": False})


def mend(stack: LocalStack, finding: Finding, folder: Path) -> None:
    """Do what the finding says: as `aws`, or as the operator types the command, who says yes."""
    program, *words = shlex.split(finding.mend)
    if program == "aws":
        service, call, request = call_of(words, folder)
        getattr(stack.client(service), call)(**request)
    else:
        assert program == "recordings", finding.mend
        yes = ["--yes"] if words[0] == "redrive" else []
        ran = run_recordings(stack, *words, *yes, folder=folder)
        assert ran.code == 0, ran.words
