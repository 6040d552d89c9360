"""The alarms of a stage: what each one watches, when it rings, and whom it tells."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from infra.alarms import RUNBOOK, Section
from recording_insights.measures import MEASURES
from recording_insights.model.derived import BEDROCK
from recording_insights.model.reasons import INSIGHT_REASONS, REASONS
from recording_insights.providers.registry import PROVIDERS
from recording_insights.sweep.state_measures import OPEN

Template = dict[str, Any]
OWN, SQS, LAMBDA, API = "RecordingInsights/dev", "AWS/SQS", "AWS/Lambda", "AWS/ApiGateway"
STATES, DYNAMODB = "AWS/States", "AWS/DynamoDB"
VISIBLE = "ApproximateNumberOfMessagesVisible"


class Rule(NamedTuple):
    """What an alarm watches and when it rings: `needed` of `periods` of so many seconds, and what no data means."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    seconds: int
    threshold: float
    needed: int = 1
    periods: int = 1
    missing: str = "notBreaching"


def waited(code: str) -> Rule:
    return Rule(OWN, "Waited", {"code": code, "provider": "marsview"}, "Sum", 300, 1, periods=4)


def swept(metric: str, statistic: str, threshold: float = 1, seconds: int = 900, **dimensions: str) -> Rule:
    return Rule(OWN, metric, dimensions, statistic, seconds, threshold, missing="ignore")


WORKFLOW, WATCH = {"StateMachineArn": "Processing"}, {"StateMachineArn": "Watch"}
ALARMS = {
    "oldest-open-starting": swept("OldestOpenSeconds", "Maximum", 3600, status="starting"),
    "oldest-open-stopping": swept("OldestOpenSeconds", "Maximum", 7200, status="stopping"),
    "oldest-open-processing": swept("OldestOpenSeconds", "Maximum", 8 * 3600, status="processing"),
    "oldest-open-erasing": swept("OldestOpenSeconds", "Maximum", 6 * 3600, status="erasing"),
    "failures": Rule(OWN, "Failures", {"cause": "service"}, "Sum", 300, 1),
    "no-recordings": swept("Quiet", "Maximum"),
    "credentials-refused-marsview": waited("credentials_refused"),
    "secret-unusable-marsview": waited("secret_unusable"),
    "out-of-credit-marsview": waited("out_of_credit"),
    "provider-away-marsview": swept("ProviderClosed", "Minimum", seconds=1800, provider="marsview"),
    "dead-letters-arrivals": Rule(SQS, VISIBLE, {"QueueName": "ArrivalUnadmitted"}, "Maximum", 300, 1),
    "dead-letters-events": Rule(SQS, VISIBLE, {"QueueName": "ArrivalDeadLetters"}, "Maximum", 300, 1),
    "dead-letters-webhooks": Rule(SQS, VISIBLE, {"QueueName": "SubscriptionsUndelivered"}, "Maximum", 300, 1),
    "dead-letters-changes": Rule(SQS, VISIBLE, {"QueueName": "EventsDeadLetters"}, "Maximum", 300, 1),
    "changes-not-read": Rule(LAMBDA, "Errors", {"FunctionName": "EventsPublishChanges"}, "Sum", 300, 1, 3, 3),
    "sweep-found": swept("SweepFound", "Sum"),
    "erase-failing": Rule(LAMBDA, "Errors", {"FunctionName": "ErasesErasePage"}, "Sum", 900, 1, 3, 3),
    "sweep-failed": Rule(LAMBDA, "Errors", {"FunctionName": "SweepRun"}, "Sum", 300, 1),
    "api-5xx": Rule(API, "5xx", {"ApiId": "RecordingsApi"}, "Sum", 300, 3),
    "throttles-lambda": Rule(LAMBDA, "Throttles", {}, "Sum", 300, 1, 3, 3),
    "throttles-states": Rule(STATES, "ExecutionThrottled", WORKFLOW, "Sum", 300, 1, 3, 3),
    "throttles-table-reads": Rule(DYNAMODB, "ReadThrottleEvents", {"TableName": "InsightsTable"}, "Sum", 300, 1, 3, 3),
    "throttles-table-writes": Rule(
        DYNAMODB, "WriteThrottleEvents", {"TableName": "InsightsTable"}, "Sum", 300, 1, 3, 3
    ),
    "watch-failed": Rule(STATES, "ExecutionsFailed", WATCH, "Sum", 300, 1),
    "watch-timedout": Rule(STATES, "ExecutionsTimedOut", WATCH, "Sum", 300, 1),
    "watch-aborted": Rule(STATES, "ExecutionsAborted", WATCH, "Sum", 300, 1),
}
"""Of a stage with Marsview alone. The names of resources begin with these values."""


def of_type(template: Template, kind: str) -> dict[str, Template]:
    return {name: row["Properties"] for name, row in template["Resources"].items() if row["Type"] == kind}


def alarms_in(template: Template) -> dict[str, Template]:
    """By the end of their names, which begin with the stage's."""
    rows = of_type(template, "AWS::CloudWatch::Alarm").values()
    return {row["AlarmName"].removeprefix("recording-insights-dev-"): row for row in rows}


def resource_of(value: Any) -> str:
    """The logical id that a value refers to."""
    if isinstance(value, str):
        return value
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


def test_each_alarm_watches_its_metric_and_rings_when_it_should(template: Template) -> None:
    found = alarms_in(template)
    assert sorted(found) == sorted(ALARMS)
    for name, rule in ALARMS.items():
        alarm = found[name]
        named = {row["Name"]: resource_of(row["Value"]) for row in alarm.get("Dimensions", ())}
        assert named.keys() == rule.dimensions.keys(), name
        assert all(named[key].startswith(value) for key, value in rule.dimensions.items()), (name, named)
        fields = ("Namespace", "MetricName", "Statistic", "Period", "Threshold", "DatapointsToAlarm")
        watched = [alarm[each] for each in (*fields, "EvaluationPeriods", "TreatMissingData")]
        namespace, metric, _, *rest = rule
        assert watched == [namespace, metric, *rest], name
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name


def test_every_metric_of_ours_is_measured(every_setting: Template) -> None:
    codes = {**REASONS, **INSIGHT_REASONS}
    values = {"provider": [*PROVIDERS, BEDROCK], "code": codes, "status": OPEN, "cause": ("media", "person", "service")}
    for name, alarm in alarms_in(every_setting).items():
        if alarm["Namespace"] != OWN:
            continue
        measure = MEASURES[alarm["MetricName"]]
        dimensions = {row["Name"]: row["Value"] for row in alarm.get("Dimensions", ())}
        assert {*dimensions} == {*measure.dimensions} or (measure.sums and not dimensions), name
        assert all(value in values[key] for key, value in dimensions.items()), name


def test_alarms_grow_with_providers_alone(template: Template, every_provider: Template) -> None:
    """A provider without a secret of its own, a service of AWS, has one alarm. Others have four, and a model three."""
    of_all = sum(4 if row.secret_keys else 1 for row in PROVIDERS.values())
    assert len(alarms_in(every_provider)) == len(alarms_in(template)) - 4 + of_all + 3


def test_each_alarm_and_each_all_clear_goes_to_the_topic_with_the_way_to_the_runbook(every_setting: Template) -> None:
    [topic] = of_type(every_setting, "AWS::SNS::Topic")
    links = {section.link for section in Section}
    for name, alarm in alarms_in(every_setting).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}], name
        meaning, link = alarm["AlarmDescription"].split(" See ")
        assert meaning.endswith("."), name
        assert link in links, name
    assert all(link.startswith(f"{RUNBOOK}#") for link in links)
    assert every_setting["Outputs"]["AlarmsTopicArn"]["Value"] == {"Ref": topic}


def test_the_topic_is_encrypted_and_cloudwatch_alone_may_publish_over_tls(
    template: Template, local_template: Template
) -> None:
    [topic] = of_type(template, "AWS::SNS::Topic").values()
    [(key_id, key)] = of_type(template, "AWS::KMS::Key").items()
    assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": [key_id, "Arn"]}
    assert key["EnableKeyRotation"]
    [policy] = of_type(template, "AWS::SNS::TopicPolicy").values()
    publish = {row["Effect"]: row for row in policy["PolicyDocument"]["Statement"]}
    assert publish["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    uses = [row for row in key["KeyPolicy"]["Statement"] if "Service" in row["Principal"]]
    assert {row["Principal"]["Service"] for row in (publish["Allow"], *uses)} == {"cloudwatch.amazonaws.com"}
    assert str(publish["Allow"]["Condition"]["ArnLike"]["aws:SourceArn"]).endswith(
        ":alarm:recording-insights-dev-*']]}"
    )
    assert [row["Action"] for row in uses] == [["kms:Decrypt", "kms:GenerateDataKey*"]]
    [local] = of_type(local_template, "AWS::SNS::TopicPolicy").values()
    assert [row["Effect"] for row in local["PolicyDocument"]["Statement"]] == ["Allow"]


def test_the_settings_name_who_is_told(template: Template, every_setting: Template) -> None:
    told = of_type(every_setting, "AWS::SNS::Subscription").values()
    assert {row["Protocol"]: row["Endpoint"] for row in told} == {
        "email": "on-call@example.com",
        "https": "https://events.example.com/1",
    }
    assert not of_type(template, "AWS::SNS::Subscription")


def test_the_budget_is_that_of_a_day_and_of_all_providers(every_setting: Template) -> None:
    alarm = alarms_in(every_setting)["daily-budget"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == ("Cost", "Sum", 86400)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 50)
    assert "Dimensions" not in alarm
    assert alarm["AlarmDescription"].startswith("The recordings of a day cost more than $50.")


@pytest.mark.parametrize("settings", ["template", "every_setting"])
def test_the_dashboard_shows_every_alarm(settings: str, request: pytest.FixtureRequest) -> None:
    template = request.getfixturevalue(settings)
    [dashboard] = of_type(template, "AWS::CloudWatch::Dashboard").values()
    text = str(dashboard["DashboardBody"])
    assert dashboard["DashboardName"] == "recording-insights-dev"
    assert all(alarm["MetricName"] in text for alarm in alarms_in(template).values())
