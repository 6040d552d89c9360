"""The template: nothing is public or hidden, and no role has a right that its function does not use."""

import importlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.settings import ContextError, StackSettings
from recording_insights.providers.registry import PROVIDERS
from tests.infra.conftest import EVERY_PROVIDER, synthesise, template_with_every_provider
from tests.ways_of_waiting import each_provider

Template = dict[str, Any]
ALL = ",".join(PROVIDERS)

ACTIONS = {
    "sweep": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:ListBucket",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ListMessageMoveTasks",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "sqs:StartMessageMoveTask",
        "states:DescribeExecution",
        "states:SendTaskSuccess",
        "states:StartExecution",
    },
    "admit_media": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:ListBucket",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "states:DescribeExecution",
        "states:SendTaskSuccess",
        "states:StartExecution",
    },
    "prepare_media": {
        "states:DescribeExecution",
        "sts:AssumeRole",
    },
    "submit_recording": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "states:DescribeExecution",
        "states:SendTaskSuccess",
    },
    "poll_job": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:PutObject",
        "secretsmanager:GetSecretValue",
        "states:SendTaskSuccess",
    },
    "save_insights": {
        "dynamodb:BatchWriteItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    },
    "report_fault": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
    "report_failure": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "states:SendTaskSuccess",
    },
    "report_stopped_execution": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "sqs:SendMessage",
        "states:SendTaskSuccess",
    },
    "publish_changes": {
        "dynamodb:DescribeStream",
        "dynamodb:GetItem",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        "events:PutEvents",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    },
    "start_recording": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
        "states:StartExecution",
    },
    "check_recording": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
        "states:SendTaskSuccess",
    },
    "recover_recording": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:ListBucket",
        "states:DescribeExecution",
        "states:SendTaskSuccess",
        "states:StartExecution",
    },
    "receive_notification": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
    },
    "list_recordings": {"dynamodb:GetItem", "dynamodb:Query"},
    "get_recording": {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
    },
    "update_recording": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
    },
    "correct_transcript": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    },
    "update_layout": {"dynamodb:GetItem", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"},
    "stop_recording": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
        "states:StartExecution",
    },
    "get_insights": {"dynamodb:GetItem", "dynamodb:Query", "s3:GetObject", "s3:ListBucket"},
    "list_insights": {"dynamodb:GetItem", "dynamodb:Query"},
    "get_media": {"dynamodb:Query", "s3:GetObject"},
    "open_upload": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "s3:PutObject"},
    "retry_many": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "states:DescribeExecution",
        "states:StartExecution",
    },
    "list_retries": {"dynamodb:Query"},
    "get_retry": {"dynamodb:GetItem"},
    "cancel_retry": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
    "list_providers": {"dynamodb:Query"},
    "update_provider": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "states:SendTaskSuccess",
    },
    "cancel_recording": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "states:SendTaskSuccess",
    },
    "erase_recording": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "states:DescribeExecution",
        "states:StartExecution",
    },
    "erase_page": {
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:ListBucketVersions",
        "secretsmanager:GetSecretValue",
        "states:SendTaskSuccess",
        "states:StopExecution",
    },
    "deliver_notice": {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "events:PutEvents",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    },
    "create_subscription": {"dynamodb:PutItem", "dynamodb:Query"},
    "list_subscriptions": {"dynamodb:Query"},
    "get_subscription": {"dynamodb:GetItem"},
    "update_subscription": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
    "delete_subscription": {"dynamodb:DeleteItem"},
    "rotate_secret": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
    "send_test_event": {"dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage"},
    "list_deliveries": {"dynamodb:GetItem", "dynamodb:Query"},
    "resend_delivery": {"dynamodb:GetItem", "dynamodb:UpdateItem", "sqs:SendMessage"},
    "retry_page": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "states:DescribeExecution",
        "states:StartExecution",
    },
    "retry_recording": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "states:DescribeExecution",
        "states:StartExecution",
    },
    "admit_object": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:ListBucket",
        "states:DescribeExecution",
        "states:SendTaskSuccess",
        "states:StartExecution",
    },
}
WITH_EVERY_PROVIDER = {
    **ACTIONS,
    "submit_recording": ACTIONS["submit_recording"]
    | {"s3:PutObject", "secretsmanager:PutSecretValue", "transcribe:StartTranscriptionJob"},
    "poll_job": ACTIONS["poll_job"]
    | {"s3:GetObject", "s3:ListBucket", "secretsmanager:PutSecretValue", "transcribe:GetTranscriptionJob"},
    "erase_page": ACTIONS["erase_page"] | {"transcribe:DeleteTranscriptionJob"},
    "keep_result": {"s3:PutObject", "secretsmanager:GetSecretValue"},
    "begin_derivation": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "s3:PutObject",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "states:StartExecution",
    },
    "derive_insights": {
        "bedrock:ApplyGuardrail",
        "bedrock:InvokeModel",
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "states:SendTaskSuccess",
    },
    "receive_callback": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:PutObject",
        "secretsmanager:GetSecretValue",
        "states:DescribeExecution",
        "states:StartExecution",
        "states:SendTaskSuccess",
    },
    "receive_result_event": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "sqs:SendMessage",
        "states:DescribeExecution",
        "states:StartExecution",
        "states:SendTaskSuccess",
    },
}
STATEFUL = {
    "ArrivalDeadLetters6A3991D0": "AWS::SQS::Queue",
    "ArrivalQueue4576B004": "AWS::SQS::Queue",
    "ArrivalUnadmitted9542006B": "AWS::SQS::Queue",
    "BucketsAgoraUploader0A8B63BA": "AWS::IAM::User",
    "BucketsRecordings88502CEC": "AWS::S3::Bucket",
    "BucketsRepliesBA3344E4": "AWS::S3::Bucket",
    "DerivationDeadLetters66B19717": "AWS::SQS::Queue",
    "DerivationQueueAE68DD7D": "AWS::SQS::Queue",
    "DerivationStateMachine94533950": "AWS::StepFunctions::StateMachine",
    "EventsBus45DE4339": "AWS::Events::EventBus",
    "EventsDeadLetters8A90034E": "AWS::SQS::Queue",
    "EventsUnpublished9AE90BC8": "AWS::SQS::Queue",
    "InsightsTable114BD06F": "AWS::DynamoDB::GlobalTable",
    "ErasesStateMachineDC9E5883": "AWS::StepFunctions::StateMachine",
    "ProcessingStateMachineA35F5E42": "AWS::StepFunctions::StateMachine",
    "RecordingsApi084D6518": "AWS::ApiGatewayV2::Api",
    "RetriesStateMachine8B72A012": "AWS::StepFunctions::StateMachine",
    "SubscriptionsDeliveries6068C8F3": "AWS::SQS::Queue",
    "SubscriptionsEventsA258CA56": "AWS::SQS::Queue",
    "SubscriptionsUndelivered95E92729": "AWS::SQS::Queue",
    "WatchStateMachineA7EB3F78": "AWS::StepFunctions::StateMachine",
    "WebhooksSecret2682328B": "AWS::SecretsManager::Secret",
}
"""Logical ids: CloudFormation deletes a resource whose id changes and creates another."""
WRITES_ITS_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}


def of_type(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Resources of a type, as (logical id, properties)."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """Functions by the module they run."""
    return {f["Handler"].split(".")[-2]: f for _, f in of_type(template, "AWS::Lambda::Function")}


def statements_of(template: Template, role: str) -> list[dict[str, Any]]:
    """All statements attached to a role. Managed policies are not allowed, because this test would not see them."""
    assert "ManagedPolicyArns" not in template["Resources"][role]["Properties"]
    assert "Policies" not in template["Resources"][role]["Properties"]
    return [
        statement
        for _, policy in of_type(template, "AWS::IAM::Policy")
        if {"Ref": role} in policy.get("Roles", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_every_function_is_one_of_ours(template: Template, every_provider: Template) -> None:
    assert set(functions(template)) == set(ACTIONS)
    assert set(functions(every_provider)) == set(WITH_EVERY_PROVIDER)


@pytest.mark.parametrize("module", ACTIONS)
def test_a_role_may_do_exactly_what_its_function_does(template: Template, module: str) -> None:
    assert_actions(template, module, ACTIONS[module])


@pytest.mark.parametrize("module", WITH_EVERY_PROVIDER)
def test_more_providers_grant_what_they_need_and_no_more(every_provider: Template, module: str) -> None:
    assert_actions(every_provider, module, WITH_EVERY_PROVIDER[module])


def assert_actions(template: Template, module: str, actions: set[str]) -> None:
    function = functions(template)[module]
    role = function["Role"]["Fn::GetAtt"][0]
    assert [m for m, f in functions(template).items() if f["Role"]["Fn::GetAtt"][0] == role] == [module]

    statements = statements_of(template, role)

    assert {a for s in statements for a in listed(s["Action"])} == actions | WRITES_ITS_LOG
    assert all(s["Effect"] == "Allow" for s in statements)
    unbound = [s for s in statements if s["Resource"] == "*" and "Condition" not in s]
    assert not unbound


def test_a_transcription_may_only_be_started_into_our_own_bucket(every_provider: Template) -> None:
    role = functions(every_provider)["submit_recording"]["Role"]["Fn::GetAtt"][0]
    [start] = [s for s in statements_of(every_provider, role) if s["Action"] == "transcribe:StartTranscriptionJob"]
    assert start["Condition"]["StringEquals"]["transcribe:OutputBucketName"]["Ref"].startswith("BucketsReplies")
    assert start["Condition"]["StringLike"] == {"transcribe:OutputKey": "outputs/*"}


RESULTS: dict[str, set[str]] = {
    "assemblyai": set(),
    "deepgram": {"deliveries/*"},
    "transcribe": {"outputs/*"},
    "marsview": set(),
    "symbl": set(),
    "ringcentral": {"callbacks/ringcentral/*"},
    "seameet": {"callbacks/seameet/*"},
}
"""By provider: where in the replies bucket its results may arrive, apart from those that a call fetches."""


@pytest.mark.matrix
@pytest.mark.parametrize("provider", PROVIDERS)
def test_results_are_written_and_read_where_the_provider_has_them_arrive(provider: str) -> None:
    template = template_of(provider)
    assert objects_of(template, "poll_job", "s3:GetObject") == RESULTS[provider]
    assert objects_of(template, "poll_job", "s3:PutObject") == {"*"}
    links = {prefix for prefix in RESULTS[provider] if not prefix.startswith("callbacks/")}
    assert objects_of(template, "submit_recording", "s3:PutObject") == links
    receivers = [module for module in ("receive_callback", "keep_result") if module in functions(template)]
    kept = {prefix for module in receivers for prefix in objects_of(template, module, "s3:PutObject")}
    assert kept == RESULTS[provider] - links


def objects_of(template: Template, module: str, action: str) -> set[str]:
    """The objects of the replies bucket that a function may use so."""
    statements = statements_of(template, functions(template)[module]["Role"]["Fn::GetAtt"][0])
    arns = [listed(s["Resource"]) for s in statements if action in listed(s["Action"])]
    parts = [arn["Fn::Join"][1] for of_statement in arns for arn in of_statement]
    return {end.removeprefix("/") for bucket, end in parts if bucket["Fn::GetAtt"][0].startswith("BucketsReplies")}


def test_a_wait_can_only_be_ended_in_our_own_workflow(every_provider: Template) -> None:
    ends_waits = [
        *("receive_callback", "receive_result_event", "submit_recording", "poll_job"),
        *("report_failure", "report_stopped_execution", "sweep", "update_provider", "cancel_recording"),
    ]
    for module in ends_waits:
        role = functions(every_provider)[module]["Role"]["Fn::GetAtt"][0]
        ends = [s for s in statements_of(every_provider, role) if s["Action"] == "states:SendTaskSuccess"]
        assert {end["Resource"]["Ref"][:10] for end in ends} - {"Derivation"} == {"Processing"}


def test_the_webhook_secret_is_made_only_where_webhooks_are(template: Template, every_provider: Template) -> None:
    assert not list(of_type(template, "AWS::SecretsManager::Secret"))
    [(_, secret)] = of_type(every_provider, "AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"]["PasswordLength"] == 64


def test_a_secret_of_another_vendor_or_stage_cannot_be_read(template: Template) -> None:
    secrets = [
        json.dumps(resource)
        for function in functions(template).values()
        for statement in statements_of(template, function["Role"]["Fn::GetAtt"][0])
        if statement["Action"] == "secretsmanager:GetSecretValue"
        for resource in statement["Resource"]
    ]
    # AWS adds a hyphen and six characters to the name of a secret.
    named = [re.search(r':secret:recording-insights/dev/([a-z-]+?)(-\?{6})?"', secret) for secret in secrets]
    assert {name[1] if name else name for name in named} == {
        *("agora", "agora-certificate", "agora-notifications", "agora-uploader", "marsview"),
    }


ANONYMOUS = {
    "receive_notification": {"agora-notifications"},
    "keep_result": {"seameet-webhook"},
    "receive_callback": {"the webhooks' key"},
}
"""The functions behind routes without an authorizer, and the one secret that each of them reads."""


def module_of(template: Template, route: dict[str, Any]) -> str:
    """The module of the function behind a route."""
    integration = template["Resources"][route["Target"]["Fn::Join"][1][1]["Ref"]]["Properties"]
    function = template["Resources"][integration["IntegrationUri"]["Fn::GetAtt"][0]]["Properties"]
    return str(function["Handler"].split(".")[-2])


def secrets_of(template: Template, module: str) -> set[str]:
    """The secrets that a function may read: the last parts of their names, and that of the stack's own."""
    found = set()
    for statement in statements_of(template, functions(template)[module]["Role"]["Fn::GetAtt"][0]):
        if "secretsmanager:GetSecretValue" in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                if "Fn::GetAtt" in resource:
                    assert resource["Fn::GetAtt"][0].startswith("WebhooksSecret")
                    found.add("the webhooks' key")
                else:
                    name = re.fullmatch(r".*:secret:recording-insights/dev/([a-z-]+?)(-\?{6})?", joined(resource))
                    assert name, resource
                    found.add(name[1])
    return found


@cache
def template_of(providers: str) -> Template:
    """A stage with one provider, or with several, separated by commas; synthesised once."""
    if providers == ALL:
        return template_with_every_provider()
    with tempfile.TemporaryDirectory() as folder:
        return synthesise(Path(folder), {"stage": "dev", "provider": providers})


@pytest.mark.parametrize("providers", [*each_provider(PROVIDERS), ALL])
def test_a_function_that_anybody_reaches_reads_its_own_secret_and_no_other(providers: str) -> None:
    template = template_of(providers)
    anonymous = {
        module_of(template, route)
        for _, route in of_type(template, "AWS::ApiGatewayV2::Route")
        if route["AuthorizationType"] == "NONE"
    }
    assert {module: secrets_of(template, module) for module in anonymous} == {
        module: ANONYMOUS[module] for module in anonymous
    }
    assert "receive_notification" in anonymous


def test_in_the_release_that_moves_keys_their_readers_read_the_former_secrets_too(tmp_path: Path) -> None:
    template = synthesise(tmp_path, {"stage": "dev", **EVERY_PROVIDER, "readOldSecrets": "true"})
    assert {module: secrets_of(template, module) for module in ANONYMOUS} == {
        "receive_notification": {"agora-notifications", "agora"},
        "keep_result": {"seameet-webhook", "seameet"},
        "receive_callback": {"the webhooks' key"},
    }
    for stage, by_default in (("dev", True), ("local", False)):
        settings = StackSettings.from_context({"stage": stage, "provider": "deepgram"})
        assert settings.read_old_secrets == by_default, "no earlier release is deployed on a laptop"


def test_only_a_start_reads_the_certificate_that_makes_tokens_for_every_channel(every_provider: Template) -> None:
    readers = {m for m in functions(every_provider) if "agora-certificate" in secrets_of(every_provider, m)}
    assert readers == {"start_recording"}
    assert {m for m in functions(every_provider) if "agora" in secrets_of(every_provider, m)} == {
        *("start_recording", "stop_recording", "update_recording", "update_layout", "get_recording", "check_recording"),
        "erase_page",
    }


def test_only_the_secret_of_a_provider_that_shares_its_token_can_be_written(every_provider: Template) -> None:
    writers = {
        module: json.dumps(statement["Resource"])
        for module, function in functions(every_provider).items()
        for statement in statements_of(every_provider, function["Role"]["Fn::GetAtt"][0])
        if statement["Action"] == "secretsmanager:PutSecretValue"
    }
    assert writers.keys() == {"submit_recording", "poll_job"}
    for secret in writers.values():
        assert ":secret:recording-insights/dev/ringcentral-??????" in secret
        assert secret.count(":secret:") == 1


def test_only_a_start_and_its_watch_may_read_the_key_of_agoras_user(template: Template) -> None:
    readers = [
        module
        for module, function in functions(template).items()
        if "/agora-uploader" in json.dumps(statements_of(template, function["Role"]["Fn::GetAtt"][0]))
    ]
    assert set(readers) == {"start_recording", "check_recording"}


def test_functions_run_the_tested_python_on_arm(template: Template) -> None:
    for function in functions(template).values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]


def test_the_environment_is_what_each_function_declares(template: Template, every_provider: Template) -> None:
    given = {"INSIGHTS_MODEL", "INSIGHTS_LANGUAGE", "INSIGHTS_GUARDRAIL", "INSIGHTS_MAX_CENTS", "INSIGHTS_PRICE"}
    given |= {"DERIVATION_ARN", "TRANSCRIPTS_ARN", "UNDERIVED_URL"}
    for stage, optional in ((template, set[str]()), (every_provider, given)):
        for _, function in of_type(stage, "AWS::Lambda::Function"):
            module = importlib.import_module(function["Handler"].removesuffix(".handler"))
            known = {field.name.upper(): field.default is MISSING for field in fields(module.wiring.settings_type)}
            declared = {name for name, is_needed in known.items() if is_needed or name in optional}
            variables = set(function["Environment"]["Variables"])
            assert variables == {*declared, "POWERTOOLS_LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE"}, function["Handler"]


def test_a_deploy_replaces_nothing_that_holds_data_or_has_an_address(every_provider: Template) -> None:
    kinds = {resource: properties["Type"] for resource, properties in every_provider["Resources"].items()}
    assert {name: kind for name, kind in kinds.items() if kind in set(STATEFUL.values())} == STATEFUL


def test_log_groups_keep_what_the_settings_say(template: Template) -> None:
    groups = dict(of_type(template, "AWS::Logs::LogGroup"))
    assert groups
    assert {g["RetentionInDays"] for g in groups.values()} == {30}
    for function in functions(template).values():
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups


def test_stopped_executions_of_every_machine_are_reported(template: Template) -> None:
    machines = [name for name, _ in of_type(template, "AWS::StepFunctions::StateMachine")]
    [detail] = [
        rule["EventPattern"]["detail"]
        for _, rule in of_type(template, "AWS::Events::Rule")
        if rule["EventPattern"]["source"] == ["aws.states"]
    ]
    assert sorted(arn["Ref"] for arn in detail["stateMachineArn"]) == sorted(machines)
    assert detail["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]


def test_eventbridge_may_write_the_log_of_ignored_objects(template: Template) -> None:
    [group] = [g for _, g in of_type(template, "AWS::Logs::LogGroup") if "ResourcePolicyDocument" in g]
    [rule] = [r for _, r in of_type(template, "AWS::Events::Rule") if r["Targets"][0]["Id"] == "Log"]
    create, put = group["ResourcePolicyDocument"]["Statement"]
    assert (create["Action"], put["Action"]) == ("logs:CreateLogStream", "logs:PutLogEvents")
    assert "Condition" not in create
    assert joined(put["Condition"]["ArnEquals"]["aws:SourceArn"]).endswith(f":rule/{rule['Name']}")
    for statement in (create, put):
        assert statement["Principal"]["Service"] == ["events.amazonaws.com", "delivery.logs.amazonaws.com"]
        assert joined(statement["Resource"]).endswith(f":log-group:{group['LogGroupName']}:*")
    assert re.fullmatch(r"arn:.*:log-group:ArrivalIgnoredObjects\w+", joined(rule["Targets"][0]["Arn"]))
    assert not list(of_type(template, "AWS::Logs::ResourcePolicy")), "an account may have ten of them"


def test_log_deliveries_do_not_fill_the_policy_of_the_account(template: Template) -> None:
    groups = dict(of_type(template, "AWS::Logs::LogGroup"))
    destinations = [
        machine["LoggingConfiguration"]["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"]
        for _, machine in of_type(template, "AWS::StepFunctions::StateMachine")
    ]
    [(_, stage)] = of_type(template, "AWS::ApiGatewayV2::Stage")
    named = [
        groups[arn["Fn::GetAtt"][0]]["LogGroupName"]
        for arn in (*destinations, stage["AccessLogSettings"]["DestinationArn"])
    ]
    assert sorted(named) == [
        f"/aws/vendedlogs/recording-insights-dev-{end}" for end in ("api", "erases", "processing", "retries", "watch")
    ]


@pytest.mark.matrix
@pytest.mark.parametrize("closed", ["false", "true"])
def test_the_apis_own_address_can_be_closed(tmp_path: Path, closed: str) -> None:
    settings = {"stage": "dev", "provider": "marsview", "disableExecuteApiEndpoint": closed}
    [(_, api)] = of_type(synthesise(tmp_path, settings), "AWS::ApiGatewayV2::Api")
    assert api.get("DisableExecuteApiEndpoint", False) is (closed == "true")


@pytest.mark.parametrize("settings", ["every_provider", "every_setting"])
def test_the_access_log_says_who_from_where_and_no_path(settings: str, request: pytest.FixtureRequest) -> None:
    [(_, stage)] = of_type(request.getfixturevalue(settings), "AWS::ApiGatewayV2::Stage")
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert set(logged.values()) >= {
        *("$context.identity.userArn", "$context.authorizer.claims.sub", "$context.authorizer.claims.client_id"),
        *("$context.identity.sourceIp", "$context.identity.userAgent", "$context.routeKey", "$context.requestId"),
    }
    assert not any("path" in value.lower() for value in logged.values()), "the path of a webhook may hold its token"
    # Whether API Gateway escapes quotes is not documented. Of two fields of one name, readers take the last.
    assert next(iter(logged.values())) == "$context.identity.userAgent"


def joined(value: Any) -> str:
    """The text that Fn::Join makes, with the names of what it refers to."""
    parts = value["Fn::Join"][1] if isinstance(value, dict) else [value]
    return "".join(part if isinstance(part, str) else str(part["Ref"]) for part in parts)


def test_buckets_are_private_encrypted_and_tls_only(template: Template) -> None:
    buckets = dict(of_type(template, "AWS::S3::Bucket"))
    assert buckets
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    tls_only = {
        policy["Bucket"]["Ref"]
        for _, policy in of_type(template, "AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        and statement["Action"] == "s3:*"
    }
    assert tls_only == set(buckets)


def test_only_the_local_stage_speaks_plain_http(local_template: Template) -> None:
    assert "aws:SecureTransport" not in json.dumps(local_template)


def test_only_the_local_stage_sends_events_to_loopback(template: Template, local_template: Template) -> None:
    """No setting can allow it elsewhere: the variable follows from the name of the stage alone."""
    named = "SUBSCRIBERS_ON_LOOPBACK"

    def allowed(stage: Template) -> dict[str, str]:
        variables = {name: f["Environment"]["Variables"] for name, f in functions(stage).items()}
        return {name: given[named] for name, given in variables.items() if named in given}

    asking = ("create_subscription", "update_subscription", "deliver_notice")
    assert allowed(local_template) == dict.fromkeys(asking, "true")
    assert allowed(template) == dict.fromkeys(asking, "false")
    assert isinstance(StackSettings.subscribers_on_loopback, property)
    assert not StackSettings.from_context({"stage": "prod", "provider": "assemblyai"}).subscribers_on_loopback
    for key in ("subscribersOnLoopback", "subscribers_on_loopback"):
        with pytest.raises(ContextError, match=key):
            StackSettings.from_context({"stage": "dev", "provider": "assemblyai", key: "true"})


def test_events_reach_their_queue_from_the_bus_alone_and_none_is_lost(template: Template) -> None:
    [rule] = [rule for name, rule in of_type(template, "AWS::Events::Rule") if name.startswith("Subscriptions")]
    assert rule["EventPattern"]["source"] == ["recording-insights"]
    assert "EventBusName" in rule
    [target] = rule["Targets"]
    assert target["DeadLetterConfig"]
    queues = {name: queue for name, queue in of_type(template, "AWS::SQS::Queue") if name.startswith("Subscriptions")}
    again = {
        name[13:-8]: queue["RedrivePolicy"]["maxReceiveCount"]
        for name, queue in queues.items()
        if "RedrivePolicy" in queue
    }
    assert again == {"Events": 30, "Deliveries": 30}
    assert {queue["MessageRetentionPeriod"] for queue in queues.values()} == {14 * 86400}
    mappings = [
        m for name, m in of_type(template, "AWS::Lambda::EventSourceMapping") if name.startswith("Subscriptions")
    ]
    assert all(m["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for m in mappings)


def test_data_outlives_the_stack_but_on_a_laptop(template: Template, local_template: Template) -> None:
    kept = ("AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable")
    for kind in kept:
        assert {r["DeletionPolicy"] for r in template["Resources"].values() if r["Type"] == kind} == {"Retain"}
        assert {r["DeletionPolicy"] for r in local_template["Resources"].values() if r["Type"] == kind} == {"Delete"}


def test_what_holds_data_says_what_a_deletion_does(every_provider: Template) -> None:
    holds_data = ("AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable", "AWS::SQS::Queue", "AWS::SecretsManager::Secret")
    kept = [resource for resource in every_provider["Resources"].values() if resource["Type"] in holds_data]
    assert all({"DeletionPolicy", "UpdateReplacePolicy"} <= resource.keys() for resource in kept)
    assert {resource["Type"] for resource in kept} == set(holds_data)


def test_the_buckets_announce_by_property_not_by_a_hidden_function(template: Template) -> None:
    for _, bucket in of_type(template, "AWS::S3::Bucket"):
        assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert not [r for r in template["Resources"].values() if r["Type"].startswith("Custom::")]


def test_the_table_is_on_demand_with_recovery(template: Template) -> None:
    [(_, table)] = of_type(template, "AWS::DynamoDB::GlobalTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["Replicas"][0]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_status", "by_time", "by_change"]


def test_the_list_may_read_each_index(template: Template) -> None:
    [(table_id, table)] = of_type(template, "AWS::DynamoDB::GlobalTable")
    role = functions(template)["list_recordings"]["Role"]["Fn::GetAtt"][0]
    [query] = [s for s in statements_of(template, role) if s["Action"] == "dynamodb:Query"]
    indexes = [index["IndexName"] for index in table["GlobalSecondaryIndexes"]]
    arn = {"Fn::GetAtt": [table_id, "Arn"]}
    assert query["Resource"] == [{"Fn::Join": ["", [arn, f"/index/{name}"]]} for name in indexes]


def test_agoras_user_may_only_write_recordings_and_make_tokens_of_itself(template: Template) -> None:
    [(user, _)] = of_type(template, "AWS::IAM::User")
    [policy] = [p for _, p in of_type(template, "AWS::IAM::Policy") if {"Ref": user} in p.get("Users", [])]
    write, never_deeper, federate = policy["PolicyDocument"]["Statement"]
    assert (write["Effect"], write["Action"]) == ("Allow", "s3:PutObject")
    assert write["Resource"]["Fn::Join"][1][1] == "/recordings/*/*"
    # Its tokens have this key, its long-lived key has not.
    assert write["Condition"] == {"Null": {"aws:TokenIssueTime": "false"}}
    assert (never_deeper["Effect"], never_deeper["Action"]) == ("Deny", "s3:PutObject")
    assert never_deeper["Resource"]["Fn::Join"][1][1] == "/recordings/*/*/*"
    assert federate == {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"}
    assert not list(of_type(template, "AWS::IAM::AccessKey"))


def test_media_are_prepared_in_sessions_of_a_role_that_the_function_alone_may_assume(template: Template) -> None:
    preparer = functions(template)["prepare_media"]
    own = preparer["Role"]["Fn::GetAtt"][0]
    [assume] = [s for s in statements_of(template, own) if s["Action"] == "sts:AssumeRole"]
    assert assume["Resource"] == preparer["Environment"]["Variables"]["SESSION_ROLE_ARN"]
    name = assume["Resource"]["Fn::GetAtt"][0]
    role = template["Resources"][name]["Properties"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": {"Fn::GetAtt": [own, "Arn"]}}
    # Sessions that one role opens with the rights of another live for an hour at most.
    assert "MaxSessionDuration" not in role
    assert {action for s in statements_of(template, name) for action in listed(s["Action"])} == {
        *(f"dynamodb:{action}" for action in ("GetItem", "PutItem", "Query", "UpdateItem")),
        *(f"s3:{action}" for action in ("GetObject", "ListBucket", "PutObject", "AbortMultipartUpload")),
    }
    namers = [r for r in template["Resources"].values() if name in json.dumps(r)]
    assert {r["Type"] for r in namers} == {"AWS::IAM::Policy", "AWS::Lambda::Function"}


def test_no_link_to_a_bucket_outlives_the_setting(template: Template, local_template: Template) -> None:
    for stage in (template, local_template):
        minutes = int(functions(stage)["submit_recording"]["Environment"]["Variables"]["LINK_MINUTES"])
        policies = {policy["Bucket"]["Ref"]: policy for _, policy in of_type(stage, "AWS::S3::BucketPolicy")}
        assert policies.keys() == {name for name, _ in of_type(stage, "AWS::S3::Bucket")}
        for name, policy in policies.items():
            [old] = [s for s in policy["PolicyDocument"]["Statement"] if "NumericGreaterThan" in s["Condition"]]
            assert old == {
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "s3:*",
                "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": [name, "Arn"]}, "/*"]]},
                "Condition": {"NumericGreaterThan": {"s3:signatureAge": minutes * 60_000}},
            }


def test_every_route_asks_for_a_signature(template: Template) -> None:
    routes = {r["RouteKey"]: r["AuthorizationType"] for _, r in of_type(template, "AWS::ApiGatewayV2::Route")}
    assert routes.pop("POST /webhooks/agora") == "NONE"
    assert routes == dict.fromkeys(
        [
            "POST /recordings",
            "GET /recordings",
            "GET /insights",
            "GET /recordings/{recording_id}",
            "DELETE /recordings/{recording_id}",
            "PATCH /recordings/{recording_id}",
            "PUT /recordings/{recording_id}/layout",
            "PATCH /recordings/{recording_id}/transcript",
            "POST /recordings/{recording_id}/stop",
            "GET /recordings/{recording_id}/insights",
            "GET /recordings/{recording_id}/media",
            "POST /recordings/{recording_id}/retry",
            "POST /uploads",
            "POST /media",
            "POST /retries",
            "GET /retries",
            "GET /retries/{retry_id}",
            "POST /retries/{retry_id}/cancel",
            "GET /providers",
            "POST /subscriptions",
            "GET /subscriptions",
            *(f"{method} /subscriptions/{{subscription_id}}" for method in ("GET", "PATCH", "DELETE")),
            *(f"POST /subscriptions/{{subscription_id}}/{verb}" for verb in ("rotate", "test")),
            "GET /subscriptions/{subscription_id}/deliveries",
            "POST /subscriptions/{subscription_id}/deliveries/{delivery_id}/resend",
            "PUT /providers/{provider}",
            "POST /recordings/{recording_id}/cancel",
        ],
        "AWS_IAM",
    )


def test_only_webhooks_ask_for_none(every_provider: Template) -> None:
    routes = {r["RouteKey"]: r["AuthorizationType"] for _, r in of_type(every_provider, "AWS::ApiGatewayV2::Route")}
    assert {key for key, kind in routes.items() if kind == "NONE"} == {
        "POST /webhooks/agora",
        "POST /webhooks/seameet",
        "POST /webhooks/{provider}/{job}",
        "POST /webhooks/{provider}/{job}/{token}",
    }
    assert set(routes.values()) == {"NONE", "AWS_IAM"}


def test_each_webhook_has_a_throttle_of_its_own(every_provider: Template) -> None:
    [(name, stage)] = of_type(every_provider, "AWS::ApiGatewayV2::Stage")
    routes = dict(of_type(every_provider, "AWS::ApiGatewayV2::Route"))
    webhooks = {key: route["RouteKey"] for key, route in routes.items() if route["AuthorizationType"] == "NONE"}
    api, result = stage["DefaultRouteSettings"], {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}
    throttles = {route: stage["RouteSettings"][route] for route in webhooks.values()}
    assert throttles == {route: result if route == "POST /webhooks/seameet" else api for route in webhooks.values()}
    # CloudFormation refuses the settings of a route that does not exist yet.
    assert set(webhooks) <= set(every_provider["Resources"][name]["DependsOn"])


def test_nothing_else_takes_the_workers_of_a_route_that_keeps_results(every_provider: Template) -> None:
    assert "ReservedConcurrentExecutions" not in json.dumps(every_provider), "a new account has none to reserve"
    [route] = [r for _, r in of_type(every_provider, "AWS::ApiGatewayV2::Route") if "seameet" in r["RouteKey"]]
    integration = every_provider["Resources"][route["Target"]["Fn::Join"][1][1]["Ref"]]["Properties"]
    function = every_provider["Resources"][integration["IntegrationUri"]["Fn::GetAtt"][0]]["Properties"]
    assert function["Handler"] == "routes.keep_result.handler"
    callers = [i for _, i in of_type(every_provider, "AWS::ApiGatewayV2::Integration")]
    assert callers.count(integration) == 1
    assert "seameet" not in str(
        statements_of(every_provider, functions(every_provider)["receive_callback"]["Role"]["Fn::GetAtt"][0])
    )


def test_only_its_function_has_the_reserved_workers(tmp_path: Path) -> None:
    context = {"stage": "dev", "provider": "seameet", "otherProviders": "symbl", "resultConcurrency": "5"}
    reserved = {
        module: function["ReservedConcurrentExecutions"]
        for module, function in functions(synthesise(tmp_path, context)).items()
        if "ReservedConcurrentExecutions" in function
    }
    assert reserved == {"keep_result": 5}


def test_a_stack_with_seameet_alone_has_no_function_for_other_callbacks(tmp_path: Path) -> None:
    template = synthesise(tmp_path, {"stage": "dev", "provider": "seameet"})
    assert {"keep_result", "receive_result_event"} <= set(functions(template))
    assert "receive_callback" not in functions(template)


def test_only_results_start_the_search_for_their_job(every_provider: Template) -> None:
    [pattern] = [
        rule["EventPattern"]
        for name, rule in of_type(every_provider, "AWS::Events::Rule")
        if name.startswith("WebhooksDeliveryRule")
    ]
    assert pattern["detail"]["object"]["key"] == [{"prefix": "callbacks/seameet/"}, {"prefix": "deliveries/"}]


def queues_of(template: Template) -> dict[str, str]:
    """Logical ids of the queues by the end of their names."""
    names = (
        *("ArrivalDeadLetters", "ArrivalQueue", "ArrivalUnadmitted"),
        *("EventsDeadLetters", "EventsUnpublished", "SubscriptionsUndelivered"),
    )
    ids = [name for name, _ in of_type(template, "AWS::SQS::Queue")]
    return {name: next(id_ for id_ in ids if id_.startswith(name)) for name in names}


def test_a_queue_keeps_each_arrival_until_it_is_admitted(template: Template) -> None:
    ids = queues_of(template)
    queue = dict(of_type(template, "AWS::SQS::Queue"))[ids["ArrivalQueue"]]
    admit = functions(template)["admit_media"]
    assert queue["VisibilityTimeout"] == 6 * admit["Timeout"]
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    redrive = queue["RedrivePolicy"]
    assert (redrive["deadLetterTargetArn"]["Fn::GetAtt"][0], redrive["maxReceiveCount"]) == (
        ids["ArrivalUnadmitted"],
        100,
    )
    mapping = mappings_of(template)[ids["ArrivalQueue"]]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (10, {"MaximumConcurrency": 5})
    [target] = [rule["Targets"] for _, rule in of_type(template, "AWS::Events::Rule") if "Media" in rule["Description"]]
    assert target[0]["Arn"]["Fn::GetAtt"][0] == ids["ArrivalQueue"]


def mappings_of(template: Template) -> dict[str, dict[str, Any]]:
    """The event source mappings by the logical id of their source."""
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping")
    return {mapping["EventSourceArn"]["Fn::GetAtt"][0]: mapping for _, mapping in mappings}


def test_no_change_that_events_follow_from_is_lost(template: Template) -> None:
    """The stream repeats a batch until half of its day is over, and the queue keeps what a function fails with."""
    ids, queues = queues_of(template), dict(of_type(template, "AWS::SQS::Queue"))
    [(table, _)] = of_type(template, "AWS::DynamoDB::GlobalTable")
    unpublished, letters = ids["EventsUnpublished"], ids["EventsDeadLetters"]
    changes, messages = mappings_of(template)[table], mappings_of(template)[unpublished]
    assert changes["FunctionName"] == messages["FunctionName"]
    assert (changes["StartingPosition"], changes["BisectBatchOnFunctionError"]) == ("TRIM_HORIZON", True)
    assert (changes["MaximumRetryAttempts"], changes["MaximumRecordAgeInSeconds"]) == (-1, 12 * 3600)
    assert changes["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] == unpublished
    assert messages["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queues[unpublished]["VisibilityTimeout"] == 6 * functions(template)["publish_changes"]["Timeout"]
    assert queues[unpublished]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] == letters
    assert {queues[name]["MessageRetentionPeriod"] for name in (unpublished, letters)} == {14 * 24 * 3600}


CHANGES: list[tuple[dict[str, Any], bool]] = [
    ({"sk": "RECORDING", "name": "INSERT", "status": "starting"}, True),
    ({"sk": "RECORDING", "name": "MODIFY", "status": "done"}, True),
    ({"sk": "RECORDING", "name": "REMOVE"}, False),
    ({"sk": "MEDIA#1", "name": "MODIFY", "status": "submitted"}, False),
    ({"sk": "MEDIA#1", "name": "MODIFY", "status": "done"}, True),
    ({"sk": "MEDIA#1", "name": "MODIFY", "status": "failed"}, True),
    ({"sk": "MEDIA#1", "name": "REMOVE", "status": "failed"}, False),
    ({"sk": "RECEIPT", "name": "INSERT"}, True),
    ({"sk": "RECEIPT", "name": "MODIFY"}, False),
    ({"sk": "TRY#1#000", "name": "INSERT", "status": "done"}, False),
    ({"sk": "RECORDER", "name": "MODIFY"}, False),
    ({"sk": "SWEEP", "name": "MODIFY"}, False),
]


@pytest.mark.parametrize(("change", "passes"), CHANGES)
def test_only_changes_that_events_may_follow_from_cost_a_call(
    template: Template, change: dict[str, Any], passes: bool
) -> None:
    from ministack.services.lambda_svc import _match_esm_filter  # type: ignore[import-untyped]

    [(table, _)] = of_type(template, "AWS::DynamoDB::GlobalTable")
    patterns = [json.loads(each["Pattern"]) for each in mappings_of(template)[table]["FilterCriteria"]["Filters"]]
    image = {"status": {"S": change["status"]}} if "status" in change else {}
    place = {} if change["name"] == "REMOVE" else {"NewImage": image}
    record = {"eventName": change["name"], "dynamodb": {"Keys": {"sk": {"S": change["sk"]}}, **place}}
    assert any(_match_esm_filter(record, pattern) for pattern in patterns) == passes


def test_what_a_rule_cannot_deliver_is_kept(template: Template) -> None:
    ids = queues_of(template)
    senders: dict[str, list[str]] = {}
    for _, policy in of_type(template, "AWS::SQS::QueuePolicy"):
        [queue] = [name["Ref"] for name in policy["Queues"]]
        senders[queue] = [
            statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Action"] == "sqs:SendMessage"
        ]
    rules = dict(of_type(template, "AWS::Events::Rule"))
    media = [name for name in rules if name.startswith("ArrivalMediaRule")]
    assert senders[ids["ArrivalUnadmitted"]] == media
    for name, rule in rules.items():
        [letters] = [target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] for target in rule["Targets"]]
        kept = "ArrivalUnadmitted" if name in media else "ArrivalDeadLetters"
        assert letters == ids["SubscriptionsUndelivered" if name.startswith("Subscriptions") else kept]
        assert name in senders[letters]
    for module in ("admit_media", "report_stopped_execution"):
        letters = functions(template)[module]["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0]
        assert letters == ids["ArrivalDeadLetters"]
