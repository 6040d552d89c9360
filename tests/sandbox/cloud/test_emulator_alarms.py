"""CloudWatch of the local cloud: functions and services report metrics, and alarms act on them as AWS documents it."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from botocore.exceptions import ClientError
from ministack import app  # type: ignore[import-untyped]
from ministack.core import lambda_runtime  # type: ignore[import-untyped]
from ministack.services import (  # type: ignore[import-untyped]
    apigateway,
    cloudwatch,
    lambda_svc,
    sqs,
    stepfunctions,
)
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from sandbox.cloud.emulator import alarms, metrics
from sandbox.cloud.emulator.alarms import state_of
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.functions import create_function, task
from tests.sandbox.cloud.machines import create_machine, ended, eventually, policy, start, waiting_for_token

pytestmark = pytest.mark.matrix

PRINTS = """
import json
import time

def handler(event, context):
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
        "Namespace": "Printed",
        "Dimensions": [["Stage"], []],
        "Metrics": [{"Name": "wait", "Unit": "Seconds", "StorageResolution": 1}],
    }]}
    print(json.dumps({"Stage": "poll", "wait": "broken", "_aws": about}))
    print(json.dumps({"Stage": "poll", "wait": [1, 5, 6], "_aws": about}))
    if event.get("raises"):
        raise ValueError
"""
BROKEN = "def handler(event, context):\n    return event['absent']\n"


@pytest.fixture(scope="module", autouse=True)
def _at_once(emulator: LocalStack) -> None:
    """All periods have two seconds, and queues report every half second."""
    emulator.set_alarm_scale(0)


def seen(emulator: LocalStack, namespace: str, name: str, **dimensions: str) -> dict[str, float]:
    """Return Sum, SampleCount and Maximum of a metric so far, and its unit; nothing if it does not exist."""
    now = datetime.now(UTC)
    points = emulator.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(days=1),
        Period=10 * 86400,
        Statistics=["Sum", "SampleCount", "Maximum"],
    )["Datapoints"]
    return {**points[0], "Timestamp": 0} if points else {}


def total(emulator: LocalStack, namespace: str, name: str, **dimensions: str) -> float | None:
    return seen(emulator, namespace, name, **dimensions).get("Sum")


def test_what_a_function_prints_is_a_metric(emulator: LocalStack) -> None:
    function = create_function(emulator, PRINTS)
    for event in ({}, {"raises": True}):
        emulator.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))

    expected = {"Sum": 24, "SampleCount": 6, "Maximum": 6, "Unit": "Seconds", "Timestamp": 0}
    eventually(lambda: seen(emulator, "Printed", "wait", Stage="poll") == expected)
    listed = emulator.client("cloudwatch").list_metrics(Namespace="Printed")["Metrics"]
    assert sorted(len(metric["Dimensions"]) for metric in listed) == [0, 1]


def test_all_calls_of_a_function_are_counted_whoever_calls(emulator: LocalStack) -> None:
    client = emulator.client("lambda")
    function, whole = create_function(emulator, BROKEN), create_function(emulator, BROKEN)
    machine = create_machine(emulator, {"Call": task(function)})
    ended(emulator, start(emulator, machine, absent=1))
    ended(emulator, start(emulator, machine))
    client.put_function_event_invoke_config(FunctionName=whole, MaximumRetryAttempts=0)
    client.invoke(FunctionName=whole, InvocationType="Event", Payload="{}")
    eventually(lambda: total(emulator, "AWS/Lambda", "Errors", FunctionName=whole) == 1)

    def counts() -> list[float | None]:
        return [
            total(emulator, "AWS/Lambda", name, FunctionName=function)
            for name in ("Invocations", "Errors", "Throttles")
        ]

    assert counts() == [2, 1, 0]
    assert seen(emulator, "AWS/Lambda", "Duration", FunctionName=function)["SampleCount"] == 2
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequests") as throttled:
        client.invoke(FunctionName=function)
    assert counts() == [2, 1, 1 + throttled.value.response["ResponseMetadata"]["RetryAttempts"]]


def test_executions_are_counted_for_their_machine(emulator: LocalStack) -> None:
    queue = create_queue(emulator)
    states = {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.fails %}", "Next": "Fail"}],
            "Default": "Wait",
        },
        "Fail": {"Type": "Fail"},
        "Wait": waiting_for_token(queue),
    }
    machine = create_machine(emulator, states)
    ended(emulator, start(emulator, machine, fails=True))
    emulator.client("stepfunctions").stop_execution(executionArn=start(emulator, machine, fails=False))
    other = create_machine(emulator, {"Pass": {"Type": "Pass", "End": True}})
    ended(emulator, start(emulator, other))

    def counts(machine: str) -> Mapping[str, float]:
        names = ("Started", "Succeeded", "Failed", "Aborted", "TimedOut")
        found = {name: total(emulator, "AWS/States", f"Executions{name}", StateMachineArn=machine) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    eventually(lambda: counts(machine) == {"Started": 2, "Failed": 1, "Aborted": 1})
    eventually(lambda: counts(other) == {"Started": 1, "Succeeded": 1})
    late = create_machine(emulator, {"Wait": waiting_for_token(queue)}, TimeoutSeconds=1)
    start(emulator, late)
    eventually(lambda: counts(late) == {"Started": 1, "TimedOut": 1})


def test_requests_of_an_api_are_counted_by_their_status_and_route(emulator: LocalStack) -> None:
    client, function = emulator.client("apigatewayv2"), create_function(emulator, BROKEN)
    arn = emulator.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    emulator.client("lambda").add_permission(
        FunctionName=function, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = client.create_api(Name="counted", ProtocolType="HTTP")["ApiId"]
    integration = client.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    for route, authorizer in (("GET /broken/{name}", "NONE"), ("GET /closed", "AWS_IAM")):
        client.create_route(
            ApiId=api, RouteKey=route, AuthorizationType=authorizer, Target=f"integrations/{integration}"
        )
    client.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    url = f"{emulator.endpoint_url}/_aws/execute-api/{api}/$default"
    statuses = [requests.get(url + path, timeout=30).status_code for path in ("/broken/one", "/closed", "/absent")]
    assert [status // 100 for status in statuses] == [5, 4, 4]

    def counts(**dimensions: str) -> list[float | None]:
        return [total(emulator, "AWS/ApiGateway", name, **dimensions) for name in ("Count", "4xx", "5xx")]

    assert counts(ApiId=api) == counts(ApiId=api, Stage="$default") == [3, 2, 1]
    assert counts(ApiId=api, Stage="$default", Method="GET", Resource="/broken/{name}") == [1, 0, 1]


def create_queue(emulator: LocalStack) -> str:
    return str(emulator.client("sqs").create_queue(QueueName=f"queue-{uuid4().hex[:8]}")["QueueUrl"])


class Bell:
    """A topic, and a queue that has subscribed to it."""

    def __init__(self, emulator: LocalStack) -> None:
        self._sqs, self._queue = emulator.client("sqs"), create_queue(emulator)
        sns, name = emulator.client("sns"), self._queue.rsplit("/", 1)[-1]
        self.topic = str(sns.create_topic(Name=name)["TopicArn"])
        queue = self.topic.replace(":sns:", ":sqs:")
        by_sns = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        self._sqs.set_queue_attributes(
            QueueUrl=self._queue, Attributes={"Policy": policy({**by_sns, "Resource": queue})}
        )
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=queue)

    def rings(self) -> dict[str, Any]:
        """Wait for the next message of an alarm, and return it."""
        [message] = eventually(
            lambda: self._sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=1).get("Messages")
        )
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        found: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
        return found


@pytest.fixture
def bell(emulator: LocalStack) -> Bell:
    return Bell(emulator)


@pytest.fixture
def put_alarm(emulator: LocalStack, bell: Bell) -> Callable[..., str]:
    """Creates an alarm that rings for each of its states. Returns its name."""

    def put(**fields: Any) -> str:
        name = f"alarm-{uuid4().hex[:8]}"
        every = {kind: [bell.topic] for kind in ("AlarmActions", "OKActions", "InsufficientDataActions")}
        defaults: dict[str, Any] = {
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        }
        emulator.client("cloudwatch").put_metric_alarm(AlarmName=name, **every, **{**defaults, **fields})
        return name

    return put


@pytest.fixture
def put_data(emulator: LocalStack) -> Callable[..., None]:
    """Puts values of a metric of the namespace Tests."""

    def put(name: str, *values: float, **dimensions: str) -> None:
        datum: dict[str, Any] = {
            "MetricName": name,
            "Values": values,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        }
        emulator.client("cloudwatch").put_metric_data(Namespace="Tests", MetricData=[datum])

    return put


def test_an_alarm_of_a_template_rings_and_then_gives_the_all_clear(emulator: LocalStack, bell: Bell) -> None:
    """The alarm is written as cdk-monitoring-constructs writes it: its one metric is in `Metrics`."""
    queue, stack = create_queue(emulator), emulator.client("cloudformation")
    name = queue.rsplit("/", 1)[-1]
    alarm: dict[str, Any] = {
        "AlarmActions": [bell.topic],
        "OKActions": [bell.topic],
        "AlarmDescription": "Dead letters: see the runbook.",
        "ComparisonOperator": "GreaterThanThreshold",
        "DatapointsToAlarm": 1,
        "EvaluationPeriods": 1,
        "Metrics": [
            {
                "Id": "m1",
                "Label": "Messages",
                "MetricStat": {
                    "Metric": {
                        "Dimensions": [{"Name": "QueueName", "Value": name}],
                        "MetricName": "ApproximateNumberOfMessagesVisible",
                        "Namespace": "AWS/SQS",
                    },
                    "Period": 300,
                    "Stat": "Maximum",
                },
                "ReturnData": True,
            }
        ],
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
    }
    create_stack(emulator, {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm}})
    assert bell.rings()["NewStateValue"] == "OK"
    emulator.client("sqs").send_message(QueueUrl=queue, MessageBody="dead")
    rung = bell.rings()
    assert (rung["OldStateValue"], rung["NewStateValue"]) == ("OK", "ALARM")
    assert rung["AlarmDescription"] == "Dead letters: see the runbook."
    eventually(lambda: seen(emulator, "AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName=name)["Maximum"] > 0)
    emulator.client("sqs").purge_queue(QueueUrl=queue)
    assert bell.rings()["NewStateValue"] == "OK"

    alarm["Metrics"].append({"Id": "e1", "Expression": "m1 * 2", "ReturnData": True})
    failed = create_stack(emulator, {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm}}, "ROLLBACK")
    reasons = [
        event.get("ResourceStatusReason", "") for event in stack.describe_stack_events(StackName=failed)["StackEvents"]
    ]
    assert any("no metric math" in reason for reason in reasons)


def create_stack(emulator: LocalStack, resources: Mapping[str, Any], status: str = "CREATE_COMPLETE") -> str:
    """Create a stack, and wait until its status begins with `status`. Return its name."""
    client, name = emulator.client("cloudformation"), f"stack-{uuid4().hex[:8]}"
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    eventually(lambda: client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"].startswith(status))
    return name


def test_statistics_comparisons_and_dimensions(
    bell: Bell, put_alarm: Callable[..., str], put_data: Callable[..., None]
) -> None:
    """Of the alarms' dimensions there are 1, 3, 6 and 10. Other values have more, fewer or other dimensions."""
    names = {
        put_alarm(
            Namespace="Tests",
            MetricName="compared",
            Dimensions=[{"Name": "Stage", "Value": "poll"}],
            ComparisonOperator=comparison,
            Threshold=threshold,
            **{"ExtendedStatistic" if statistic.startswith("p") else "Statistic": statistic},
        ): breaches
        for comparison, statistic, threshold, breaches in (
            ("GreaterThanThreshold", "Sum", 19, True),
            ("GreaterThanThreshold", "Sum", 20, False),
            ("GreaterThanOrEqualToThreshold", "Maximum", 10, True),
            ("GreaterThanThreshold", "Maximum", 10, False),
            ("LessThanThreshold", "Minimum", 2, True),
            ("LessThanThreshold", "Minimum", 1, False),
            ("LessThanOrEqualToThreshold", "Average", 5, True),
            ("LessThanOrEqualToThreshold", "SampleCount", 4, True),
            ("GreaterThanThreshold", "p75", 6, True),
            ("GreaterThanThreshold", "p75", 8, False),
        )
    }
    for dimensions in ({"Stage": "other"}, {"Stage": "poll", "Code": "other"}, {}):
        put_data("compared", *[-50.0, 50.0] * 9, **dimensions)
    put_data("compared", 1, 3, 6, 10, Stage="poll")
    rung = [bell.rings() for _ in names]
    assert {message["AlarmName"]: message["NewStateValue"] == "ALARM" for message in rung} == names
    # Without values the alarms do not know.
    assert {bell.rings()["NewStateValue"] for _ in names} == {"INSUFFICIENT_DATA"}


def test_time_alone_rings_an_alarm_of_what_is_missing(
    bell: Bell, put_alarm: Callable[..., str], put_data: Callable[..., None]
) -> None:
    """No recording for a day."""
    put_alarm(
        Namespace="Tests",
        MetricName="recordings",
        Statistic="Sum",
        Period=86400,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    assert bell.rings()["NewStateValue"] == "ALARM"
    put_data("recordings", 1)
    assert [bell.rings()["NewStateValue"] for _ in range(2)] == ["OK", "ALARM"]


MATH = [{"Id": "e", "Expression": "m / n"}]
BAND = {
    "ComparisonOperator": "GreaterThanUpperThreshold",
    "Namespace": "Tests",
    "MetricName": "any",
    "Statistic": "Sum",
}


@pytest.mark.parametrize(
    ("alarm", "fault"),
    [
        ({"Metrics": MATH}, "no metric math"),
        (BAND, "no ComparisonOperator GreaterThanUpperThreshold"),
        ({"Namespace": "Tests", "MetricName": "any", "ExtendedStatistic": "tm99"}, "no statistic tm99"),
    ],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(
    put_alarm: Callable[..., str], alarm: Mapping[str, Any], fault: str
) -> None:
    with pytest.raises(ClientError, match=fault):
        put_alarm(**alarm)


B, F, M = True, False, None  # breaching, fine, missing: the oldest first, as in the tables of AWS


@pytest.mark.parametrize(
    ("datapoints", "needed", "states"),
    [
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
        ([F, M, B, M, B], 3, ["OK", "OK", "OK", "OK"]),
        ([M, M, M, M, F], 3, ["OK", "OK", "OK", "OK"]),
        ([M, M, M, M, M], 3, ["INSUFFICIENT_DATA", None, "ALARM", "OK"]),
        ([F, B, B, M, B], 3, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ([M, M, B, M, M], 3, ["ALARM", None, "ALARM", "OK"]),
        ([F, M, B, M, B], 2, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ([F, F, B, F, B], 2, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ([F, M, B, M, M], 2, ["OK", "OK", "ALARM", "OK"]),
        ([M, M, M, M, F], 2, ["OK", "OK", "ALARM", "OK"]),
        ([M, M, M, B, M], 2, ["ALARM", None, "ALARM", "OK"]),
        # The first datapoint that breaches does not ring: the next one may be another.
        ([M, M, M, M, B], 3, [None, None, "ALARM", "OK"]),
    ],
)
def test_missing_datapoints_are_treated_as_documented(
    datapoints: Sequence[bool | None], needed: int, states: Sequence[str | None]
) -> None:
    treatments = ("missing", "ignore", "breaching", "notBreaching")
    newest_first = datapoints[::-1]
    assert [state_of(newest_first, periods=3, needed=needed, missing=missing) for missing in treatments] == states


@pytest.mark.parametrize(
    ("correct", "module", "name"),
    [
        (metrics.lose_no_values, cloudwatch, "_metric_bucket"),
        (metrics.lose_no_values, cloudwatch, "_evict_old_metrics"),
        (metrics.read_metrics_of_functions, lambda_runtime.Worker, "_read_stderr"),
        (metrics.count_calls_of_functions, lambda_svc, "_execute_function"),
        (metrics.count_executions, stepfunctions, "_stop_execution"),
        (metrics.count_requests_of_apis, app, "_enforce_execute_api"),
        (metrics.count_requests_of_apis, apigateway, "_handle_execute_in_scope"),
        (metrics.report_of_queues, sqs, "_dlq_sweep"),
        (alarms.take_alarms_of_one_metric, provisioners, "_cw_metric_alarm_record"),
        (alarms.take_alarms_of_one_metric, cloudwatch, "_put_metric_alarm"),
        (lambda: alarms.evaluate_alarms_by_time(print), cloudwatch, "_evaluate_alarm"),
    ],
)
def test_another_ministack_is_refused(
    monkeypatch: pytest.MonkeyPatch, correct: Callable[[], None], module: Any, name: str
) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        correct()
