"""Each check: a healthy stage is ok, what is wrong is found with what mends it, and a refusal is unknown."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from typer.main import get_command

from cli.app import app
from operations.doctor.examine import CHECKS, examine
from operations.doctor.findings import Finding
from operations.doctor.patient import Patient
from recording_insights.store.intake import IntakeStore
from tests.aws_command_line import call_of
from tests.docs.pages import PROJECT, Page
from tests.docs.test_commands import parse
from tests.unit.operations.doctor.fake_stage import (
    ALARM,
    KEY,
    MAPPINGS,
    NOW,
    OUTPUTS,
    PROVIDER,
    QUOTAS,
    SCHEDULE,
    FakeAnswer,
    FakeStage,
    answer_of,
    dated,
    denied,
    failure,
    policy,
    workers,
)
from tests.unit.operations.fake_account import aws_error

MAKEFILE = (PROJECT / "Makefile").read_text()


@pytest.fixture
def stage(table: Any) -> FakeStage:
    return FakeStage(table)


def found(patient: Patient, *names: str) -> list[Finding]:
    return list(examine(patient, checks=[each for each in CHECKS if each.name in names or not names]))


def faults(patient: Patient, *names: str) -> list[Finding]:
    return [finding for finding in found(patient, *names) if finding.state != "ok"]


def the_fault(patient: Patient, name: str) -> Finding:
    [finding] = faults(patient, name)
    assert finding.check == name
    return finding


def test_a_healthy_stage_is_all_ok_in_the_order_of_the_table(stage: FakeStage) -> None:
    findings = found(stage.patient)
    assert [finding for finding in findings if finding.state != "ok"] == []
    assert list(dict.fromkeys(finding.check for finding in findings)) == [each.name for each in CHECKS]
    assert stage.objects == [], "what was put is deleted again"
    assert "s3cr3t" not in repr(findings)


def test_the_local_stage_is_all_ok_without_quotas_alarms_and_tls(stage: FakeStage) -> None:
    local = stage.local()
    stage.verdicts["seameet"] = ("unknown", "SeaMeet does not refuse the credentials.")
    stage.answers |= {
        "lambda.get_account_settings": failure("404", "GetAccountSettings"),
        "service-quotas.list_service_quotas": failure("400", "ListServiceQuotas"),
        "sns.list_subscriptions_by_topic": {"Subscriptions": []},
        "s3.get_bucket_policy": lambda Bucket: policy(Bucket, tls=False),
    }
    assert faults(local) == []
    stage.verdicts["assemblyai"] = ("unknown", "It answered 404.")
    assert "It answered 404." in the_fault(local, "secrets").what


def is_command(text: str) -> bool:
    return text.split()[0] in ("aws", "make", "recordings")


def check_mend(text: str) -> None:
    """It runs as printed, or is a sentence whose link leads to a section."""
    if not is_command(text):
        assert re.fullmatch(r"[A-Z].*\.", text), text
        for name, anchor in re.findall(r"(docs/[\w/]+\.md)#([\w-]+)", text):
            assert anchor in Page(PROJECT / name).anchors, text
        return
    program, *words = shlex.split(text)
    if program == "make":
        target, *variables = words
        assert re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE), text
        assert all(f"$({each.partition('=')[0]})" in MAKEFILE for each in variables), text
    elif program == "aws":
        call_of(words)
    else:
        assert words[-2:] == ["--stage", "dev"]
        parse(get_command(app), program, words)


Change = Callable[[FakeStage], object]


def answers(**given: Any) -> Change:
    """Change what AWS answers; `service__operation` names the call."""
    return lambda stage: stage.answers.update({name.replace("__", "."): value for name, value in given.items()})


def page(name: str, answer: Any) -> Change:
    return lambda stage: stage.pages.update({name: answer})


def secret(name: str, value: Any) -> Change:
    def change(stage: FakeStage) -> None:
        if value is None:
            del stage.secrets[f"recording-insights/dev/{name}"]
        else:
            stage.secrets[f"recording-insights/dev/{name}"] = value

    return change


def secret_of_webhooks(value: Any) -> Change:
    """That of the stack, which is known by its ARN."""
    name = OUTPUTS["WebhookSecretArn"]
    return lambda stage: stage.secrets.pop(name) if value is None else stage.secrets.update({name: value})


def letters_in(name: str) -> Change:
    def attributes(QueueUrl: str, AttributeNames: list[str]) -> Any:
        return {"Attributes": dict.fromkeys(AttributeNames, "2" if name in QueueUrl else "0")}

    return answers(sqs__get_queue_attributes=attributes)


GONE = aws_error("InvalidRequestException", "GetSecretValue", message="it was marked for deletion")
WRONG: list[Any] = [
    ("clock", answers(sts__get_caller_identity={"ResponseMetadata": dated(NOW - timedelta(seconds=61))}),
     "61 s ahead of", "Set the clock of this machine"),
    ("clock", answers(sts__get_caller_identity={"ResponseMetadata": dated(NOW + timedelta(hours=1))}),
     "3600 s behind", "Set the clock of this machine"),
    ("secrets", secret("agora", None), "There is no secret recording-insights/dev/agora.",
     "aws secretsmanager create-secret --name recording-insights/dev/agora --secret-string file://agora.json"),
    ("secrets", secret("assemblyai", {"key": "s3cr3t"}), "lacks a usable value of apiKey",
     "aws secretsmanager put-secret-value --secret-id recording-insights/dev/assemblyai"),
    ("secrets", secret("assemblyai", "s3cr3t"), "is no JSON object", "aws secretsmanager put-secret-value"),
    ("secrets", secret("assemblyai", GONE), "is being deleted", "aws secretsmanager restore-secret"),
    ("secrets", secret("seameet-webhook", None), "There is no secret recording-insights/dev/seameet-webhook",
     "aws secretsmanager create-secret"),
    ("secrets", secret("agora-certificate", {"appCertificate": " "}), "lacks a usable value of appCertificate",
     "aws secretsmanager put-secret-value --secret-id recording-insights/dev/agora-certificate"),
    ("secrets", lambda stage: stage.verdicts.update(assemblyai=("refused", "it answered 401")),
     "assemblyai refuses the credentials in recording-insights/dev/assemblyai: it answered 401",
     "aws secretsmanager put-secret-value"),
    ("secrets", lambda stage: stage.verdicts.update(agora=("no_credit", "402")), "has no credit", "Top up the account"),
    ("secrets", secret("agora-uploader", "s3cr3t"), "is no JSON object", "make agora-key STAGE=dev"),
    ("secrets", secret("agora-uploader", GONE), "is being deleted", "aws secretsmanager restore-secret"),
    ("secrets", secret("agora-uploader", None), "There is no secret", "make agora-key STAGE=dev"),
    ("secrets", secret_of_webhooks({"key": ""}), "of the webhooks lacks a usable value of key",
     "aws secretsmanager put-secret-value --secret-id arn:aws:secretsmanager:eu-central-1:111122223333:secret:Web"),
    ("secrets", secret_of_webhooks("s3cr3t"), "is no JSON object", "aws secretsmanager put-secret-value"),
    ("secrets", secret_of_webhooks(None), "of the webhooks was deleted", "Tell the integrator"),
    ("uploader key", answers(iam__list_access_keys={"AccessKeyMetadata": []}), "has no key that", "make agora-key"),
    ("uploader key", answers(iam__list_access_keys={"AccessKeyMetadata": [{**KEY, "Status": "Inactive"}]}),
     "is not active", "make agora-key STAGE=dev"),
    ("uploader key",
     answers(iam__list_access_keys={"AccessKeyMetadata": [{**KEY, "CreateDate": NOW - timedelta(days=91)}]}),
     "91 days old", "make agora-key STAGE=dev"),
    ("uploader key", answers(iam__list_access_keys={"AccessKeyMetadata": [{**KEY, "AccessKeyId": "AKIA1"}, KEY]}),
     "has another key", "make agora-key STAGE=dev"),
    ("region", answers(s3__get_bucket_location={"LocationConstraint": "eu-north-2"}), "Agora cannot write", "Deploy"),
    ("region", answers(s3__get_bucket_location={}), "is in us-east-1, the stack in eu-central-1", "Set AWS_REGION"),
    ("pages", answers(s3__get_bucket_cors={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}),
     "answers pages of *", "aws s3api delete-bucket-cors --bucket recordings"),
    ("link", page("GET link", FakeAnswer(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>")),
     "403, RequestTimeTooSkewed", "Mend what the checks"),
    ("link", page("GET link", FakeAnswer(307, "")), "to another host", "Wait up to a day"),
    ("link", page("GET link", FakeAnswer(200, "<html>Sign in</html>")), "not answered by S3", "Look for"),
    ("concurrency", answers(lambda__get_account_settings=workers(10, 10)), "runs 10 functions",
     "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"),
    ("concurrency", answers(lambda__get_account_settings=workers(1000, 99)), "99 are not reserved",
     "aws service-quotas request-service-quota-increase"),
    ("step functions", lambda stage: stage.answers.update({"service-quotas.list_service_quotas": {
        "Quotas": [{**QUOTAS[0], "Value": 1000.0}]}}), "is 1000; 10,000 recordings a day need 2813",
     "aws service-quotas request-service-quota-increase --service-code states --quota-code L-1"),
    ("log policies", answers(logs__describe_resource_policies={
        "resourcePolicies": [{"policyName": f"p{number}"} for number in range(10)]}), "has 10 policies", "Delete a"),
    ("rules", answers(events__describe_rule={"State": "DISABLED"}), "The rule media is disabled",
     "aws events enable-rule --name media"),
    ("rules", answers(events__list_rules={"Rules": [{"Name": "subscriptions", "State": "DISABLED"}]}),
     "The rule subscriptions is disabled", "aws events enable-rule --name subscriptions --event-bus-name bus"),
    ("rules", answers(events__describe_rule=failure("ResourceNotFoundException", "DescribeRule")),
     "The rule media was deleted", "Tell the integrator"),
    ("state machines", answers(stepfunctions__describe_state_machine={"status": "DELETING"}), "is deleting", "Tell"),
    ("sweep", answers(lambda__get_function_concurrency={"ReservedConcurrentExecutions": 0}), "The sweep is stopped",
     "aws lambda delete-function-concurrency --function-name RecordingInsights-dev-Sweep"),
    ("sweep", answers(scheduler__get_schedule={**SCHEDULE, "State": "DISABLED"}), "schedule of the sweep is disabled",
     "aws scheduler update-schedule --name sweep --group-name group --schedule-expression 'rate(15 minutes)'"),
    ("sweep", answers(cloudwatch__get_metric_statistics={"Datapoints": []}), "did not run for 50 minutes",
     "recordings sweep --now --stage dev"),
    ("dead letters", letters_in("unadmitted"), "There are 4 dead letters: media objects that were not admitted.",
     "recordings redrive send arrivals --stage dev"),
    ("dead letters", letters_in("letters"), "events that a function failed with", "recordings sweep --now --stage dev"),
    ("dead letters", letters_in("unpublished"), "changes", "recordings redrive send changes --stage dev"),
    ("dead letters", letters_in("undelivered"), "subscribers", "recordings redrive send notices --stage dev"),
    ("alarms", answers(cloudwatch__describe_alarms={"MetricAlarms": [{**ALARM, "StateValue": "ALARM"}]}),
     "recording-insights-dev-failures rings: A media object failed.", "Follow docs/operate.md#recordings-fail."),
    ("alarms", answers(cloudwatch__describe_alarms={"MetricAlarms": [{**ALARM, "ActionsEnabled": False}]}),
     "tell nobody", "aws cloudwatch enable-alarm-actions --alarm-names recording-insights-dev-failures"),
    ("alarms", answers(cloudwatch__describe_alarms={"MetricAlarms": []}), "was deleted", "Tell the integrator"),
    ("alarm receivers", answers(sns__list_subscriptions_by_topic={"Subscriptions": []}), "has no subscriber",
     "aws sns subscribe --topic-arn"),
    ("alarm receivers",
     answers(sns__list_subscriptions_by_topic={"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]}),
     "is not confirmed", "Open the link"),
    ("api", page("GET /providers", ConnectionError()), "does not answer", "Look at the network"),
    ("api", page("GET /providers", answer_of({}, 500)), "answered 500", "Follow docs/operate.md#the-api-answers-5xx."),
    ("webhooks", page("POST hooks.example.com", FakeAnswer(404, "", {"content-type": "text/html"})),
     "something else answers 404", "Have the domain or the proxy pass POST requests below /webhooks/ to https://a1b2"),
    ("webhooks", page("POST hooks.example.com", answer_of({"message": "Forbidden"}, 403)), "answers 403", "Have"),
    ("webhooks", page("POST hooks.example.com", ConnectionError()), "does not answer", "Have the domain"),
    ("intake", lambda stage: IntakeStore(stage.table).pause("arn:aws:iam::1:user/kim"), "by arn:aws:iam::1:user/kim",
     "recordings intake resume --stage dev"),
    ("providers", page("GET /providers", answer_of({"providers": [{**PROVIDER, "paused": True, "queued": 3}]})),
     "assemblyai is paused, and 3 media objects wait", "recordings providers resume assemblyai --stage dev"),
    ("providers", page("GET /providers", answer_of({"providers": [
        {**PROVIDER, "health": "open", "since": "x", "reason_code": "out_of_credit", "reason": "no credit"}]})),
     "takes no jobs since x: no credit", "Follow docs/operate.md#credentials-refused-or-no-credit."),
    ("providers", page("GET /providers", answer_of({"providers": [
        {**PROVIDER, "health": "open", "since": "x", "reason_code": "provider_busy", "reason": "busy"}]})),
     "takes no jobs", "Follow docs/operate.md#a-provider-is-away."),
    ("subscriptions", page("GET /subscriptions", answer_of({"subscriptions": [
        {"subscription_id": "s1", "active": False, "disabled_because": "the receiver answered 410"}]})),
     "s1 is switched off because the receiver", "Follow docs/webhooks.md#when-a-subscription-is-switched-off."),
]  # fmt: skip
"""By check: what is wrong with the stage, and parts of what is said of it."""


@pytest.mark.parametrize(("name", "change", "what", "mend"), WRONG)
def test_what_is_wrong_is_found_with_what_mends_it(
    stage: FakeStage, name: str, change: Change, what: str, mend: str
) -> None:
    change(stage)
    fault = the_fault(stage.patient, name)
    assert fault.state == "wrong"
    assert what in fault.what
    assert fault.mend.startswith(mend)
    check_mend(fault.mend)
    assert "s3cr3t" not in repr(fault)
    assert stage.objects == []


def test_the_settings_of_the_file_are_compared_with_those_that_are_deployed(stage: FakeStage) -> None:
    file = {"linkMinutes": "90", "alarmWebhook": "https://events.example.com/k3y", "insightsPrompt": "x" * 500}
    patient = replace(stage.patient, settings=file, deployed={"linkMinutes": "60", "mediaDays": "30"})
    by_key = {finding.what.split()[2]: finding for finding in faults(patient, "settings")}
    assert set(by_key) == {"linkMinutes", "alarmWebhook", "insightsPrompt", "mediaDays"}
    assert by_key["linkMinutes"].what == "The setting linkMinutes is 60 as deployed and 90 in stages/dev.toml."
    assert by_key["mediaDays"].what.endswith("is 30 as deployed and not set in stages/dev.toml.")
    assert by_key["linkMinutes"].mend == "make deploy STAGE=dev"
    assert "k3y" not in repr(by_key)
    assert len(by_key["insightsPrompt"].what) < 200

    no_file = the_fault(replace(stage.patient, settings=None), "settings")
    earlier = the_fault(replace(stage.patient, deployed=None), "settings")
    assert (no_file.state, earlier.state) == ("unknown", "unknown")
    check_mend(no_file.mend)


def test_the_version_is_compared_if_it_is_known(stage: FakeStage) -> None:
    other = the_fault(replace(stage.patient, deployed_version="1.1.0"), "version")
    assert other.what == "The deployed version is 1.1.0, and that of this code is 1.2.0."
    assert the_fault(replace(stage.patient, deployed_version=None), "version").state == "unknown"


def test_a_bucket_without_the_rules_of_the_stack_gets_back_what_it_lacks(stage: FakeStage) -> None:
    """What else somebody has put into the policy stays. An age of another deployment is replaced."""
    own = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "s3:GetObject", "Resource": "*"}
    drifted = json.loads(policy("recordings", minutes=720, tls=False)["Policy"])
    drifted["Statement"].append(own)
    stage.answers["s3.get_bucket_policy"] = lambda Bucket: (
        policy(Bucket) if Bucket == "replies" else {"Policy": json.dumps(drifted)}
    )
    fault = the_fault(stage.patient, "bucket policies")
    assert "does not refuse requests without TLS and links older than 60 minutes" in fault.what
    check_mend(fault.mend)

    mended = shlex.split(fault.mend)[-1]
    stage.answers["s3.get_bucket_policy"] = lambda Bucket: policy(Bucket) if Bucket == "replies" else {"Policy": mended}
    assert faults(stage.patient, "bucket policies") == []
    assert own in json.loads(mended)["Statement"]
    assert len(json.loads(mended)["Statement"]) == 3


def test_a_bucket_without_a_policy_is_found(stage: FakeStage) -> None:
    stage.answers["s3.get_bucket_policy"] = failure("NoSuchBucketPolicy", "GetBucketPolicy")
    assert [fault.state for fault in faults(stage.patient, "bucket policies")] == ["wrong", "wrong"]


def test_a_bucket_that_sends_no_events_keeps_its_other_notifications(stage: FakeStage) -> None:
    topic = {"TopicArn": "arn:aws:sns:x", "Events": ["s3:ObjectRemoved:*"]}
    found: dict[str, Any] = {
        "replies": {"EventBridgeConfiguration": {}},
        "recordings": {"TopicConfigurations": [topic]},
    }
    stage.answers["s3.get_bucket_notification_configuration"] = lambda Bucket: found[Bucket]
    fault = the_fault(stage.patient, "bucket events")
    check_mend(fault.mend)
    assert '"TopicConfigurations"' in fault.mend
    assert '"EventBridgeConfiguration": {}' in fault.mend


def test_the_origins_of_pages_are_those_of_the_setting(stage: FakeStage) -> None:
    patient = replace(stage.patient, deployed={"corsOrigins": "https://a.example.com, https://b.example.com"})
    fault = the_fault(patient, "pages")
    assert "answers pages of no origin, but corsOrigins is https://a.example.com, https://b.example.com" in fault.what
    check_mend(fault.mend)
    origins = {"AllowedOrigins": ["https://a.example.com", "https://b.example.com"], "AllowedMethods": ["GET"]}
    stage.answers["s3.get_bucket_cors"] = {"CORSRules": [origins]}
    assert faults(patient, "pages") == []
    assert the_fault(replace(patient, deployed=None, settings=None), "pages").state == "unknown"


def test_a_mapping_that_is_off_is_switched_on_again(stage: FakeStage) -> None:
    off = {
        "State": "Disabled",
        "EventSourceArn": "arn:aws:sqs:eu-central-1:1:arrivals",
        "FunctionArn": "arn:aws:lambda:eu-central-1:1:function:admit",
    }
    stage.answers["lambda.get_event_source_mapping"] = lambda UUID: (
        off if MAPPINGS[0] == UUID else {"State": "Enabling"}
    )
    fault = the_fault(stage.patient, "mappings")
    assert fault.what == "Lambda does not read arrivals for the function admit."
    assert fault.mend == f"aws lambda update-event-source-mapping --uuid {MAPPINGS[0]} --enabled"
    stage.answers["lambda.get_event_source_mapping"] = failure("ResourceNotFoundException", "GetEventSourceMapping")
    assert ["was deleted" in fault.what for fault in faults(stage.patient, "mappings")] == [True, True]


def test_a_sweep_that_is_new_or_off_by_its_setting_is_no_fault(stage: FakeStage) -> None:
    stage.answers["cloudwatch.get_metric_statistics"] = {"Datapoints": []}
    stage.answers["scheduler.get_schedule"] = {**SCHEDULE, "CreationDate": NOW - timedelta(minutes=20)}
    assert faults(stage.patient, "sweep") == []
    stage.answers["cloudformation.list_stack_resources"] = {"StackResourceSummaries": []}
    assert faults(stage.patient, "sweep") == []


def test_a_key_that_earlier_versions_kept_elsewhere_is_found_there(stage: FakeStage) -> None:
    secret("seameet-webhook", None)(stage)
    stage.secrets["recording-insights/dev/seameet"]["webhookSecret"] = "s3cr3t"
    patient = replace(stage.patient, outputs={**OUTPUTS, "ReadsOldSecrets": "true"})
    assert faults(patient, "secrets") == []
    assert the_fault(stage.patient, "secrets").state == "wrong", "functions do not read it there any more"


@pytest.mark.parametrize("verdict", ["unknown", "unreachable"])
def test_a_vendor_that_does_not_say_is_unknown(stage: FakeStage, verdict: str) -> None:
    stage.verdicts["seameet"] = (verdict, "It did not answer.")
    fault = the_fault(stage.patient, "secrets")
    assert (fault.state, "It did not answer." in fault.what) == ("unknown", True)


def test_a_secret_that_cannot_be_read_hides_no_other(stage: FakeStage) -> None:
    stage.secrets["recording-insights/dev/assemblyai"] = denied("secretsmanager", "get_secret_value")
    fault = the_fault(stage.patient, "secrets")
    assert (fault.state, fault.mend) == ("unknown", "Let somebody give you the right secretsmanager:GetSecretValue.")
    assert "The secret of the webhooks has its keys." in [finding.what for finding in found(stage.patient, "secrets")]


def test_media_from_before_the_stack_are_counted_with_their_folder(stage: FakeStage) -> None:
    def listed(*keys: str, days: int = 60) -> list[Any]:
        moment = NOW - timedelta(days=days)
        return [{"Key": key, "ETag": f'"{key}"', "Size": 9, "LastModified": moment} for key in keys]

    old = listed("calls/2025/a.mp4", "calls/2025/b.mp4", "calls/2026/c.wav", "calls/readme.txt", "prepared/x.mp4")
    stage.answers["s3.list_objects_v2"] = {"Contents": [*old, *listed("calls/new.mp4", days=1)], "IsTruncated": True}
    fault = the_fault(stage.patient, "history")
    assert "3 among the first 1000 objects of the bucket, first 'calls/2025/a.mp4'" in fault.what
    assert fault.mend == "recordings backfill calls/ --stage dev"

    stage.answers["s3.list_objects_v2"] = {"Contents": listed(*(f"{number:03d}.mp4" for number in range(60)))}
    fault = the_fault(stage.patient, "history")
    assert "at least 50 among all objects" in fault.what
    assert fault.mend == "recordings backfill 000.mp4 --stage dev"


def test_a_call_that_the_operator_may_not_make_is_unknown(stage: FakeStage) -> None:
    stage.pages["GET /providers"] = answer_of({"message": "Forbidden"}, 403)
    stage.pages["GET /subscriptions"] = answer_of({"message": "Unauthorized"}, 401)
    findings = faults(stage.patient, "api", "providers", "subscriptions")
    assert {finding.state for finding in findings} == {"unknown"}
    assert "execute-api:Invoke on GET/providers" in findings[0].mend


def test_a_quota_that_aws_does_not_name_is_unknown(stage: FakeStage) -> None:
    stage.answers["service-quotas.list_aws_default_service_quotas"] = {"Quotas": [QUOTAS[0]]}
    assert the_fault(stage.patient, "step functions").state == "unknown"


OF_AWS = [each for each in CHECKS if any(not right.startswith("execute-api:") for right in each.rights)]


@pytest.mark.parametrize("each", OF_AWS, ids=lambda each: each.name)
def test_a_right_that_is_missing_is_named(stage: FakeStage, each: Any) -> None:
    """Of each call that a check makes, in turn. The right is one that the check asks for."""
    list(each.findings(stage.patient))
    for name in dict.fromkeys(stage.calls):
        refused = FakeStage(stage.table)
        service, operation = name.split(".")

        def refuse(service: str = service, operation: str = operation, **request: Any) -> Any:
            raise denied(service, operation)

        refused.answers[name] = refuse
        unknown = [finding for finding in each.findings(refused.patient) if finding.state == "unknown"]
        assert unknown, name
        assert any(right in unknown[0].mend for right in each.rights), (name, unknown)
