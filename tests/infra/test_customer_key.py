"""The setting kmsKeyArn: what the customer's key encrypts, and that each role has exactly the rights that it needs."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.settings import StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.errors import SettingsInvalid
from tests.infra.conftest import EVERY_PROVIDER, MODEL, synthesise
from tests.infra.test_stack import Template, functions, listed, of_type

REGION = "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DECRYPT, GENERATE = "kms:Decrypt", "kms:GenerateDataKey"
TABLE = {"dynamodb": {DECRYPT}}
SECRET = {"secretsmanager": {DECRYPT}}
SHARED_TOKEN = {"secretsmanager": {DECRYPT, GENERATE}}
DEAD_LETTERS = {"sqs": {DECRYPT, GENERATE}}
RIGHTS = {
    "sweep": TABLE | DEAD_LETTERS | {"s3": {DECRYPT}},
    "start_recording": TABLE | SECRET,
    "update_recording": TABLE | SECRET,
    "correct_transcript": TABLE,
    "update_layout": TABLE | SECRET,
    "stop_recording": TABLE | SECRET,
    "get_recording": TABLE | SECRET,
    "list_recordings": TABLE,
    "get_insights": TABLE | {"s3": {DECRYPT}},
    "list_insights": TABLE,
    # It signs the links.
    "get_media": TABLE | {"s3": {DECRYPT}},
    "open_upload": TABLE | {"s3": {GENERATE}},
    "retry_recording": TABLE,
    "retry_many": TABLE,
    "list_retries": TABLE,
    "get_retry": TABLE,
    "cancel_retry": TABLE,
    "list_providers": TABLE,
    "update_provider": TABLE,
    "cancel_recording": TABLE,
    "retry_page": TABLE,
    "erase_recording": TABLE,
    # S3 deletes without the key.
    "erase_page": TABLE | SECRET,
    "deliver_notice": TABLE | DEAD_LETTERS,
    "create_subscription": TABLE,
    "list_subscriptions": TABLE,
    "get_subscription": TABLE,
    "update_subscription": TABLE,
    "delete_subscription": TABLE,
    "rotate_secret": TABLE,
    "send_test_event": TABLE | DEAD_LETTERS,
    "list_deliveries": TABLE,
    "resend_delivery": TABLE | DEAD_LETTERS,
    "admit_object": TABLE | {"s3": {DECRYPT}},
    "receive_notification": TABLE | SECRET,
    "check_recording": TABLE | SECRET,
    "recover_recording": TABLE | {"s3": {DECRYPT}},
    "admit_media": TABLE | DEAD_LETTERS | {"s3": {DECRYPT}},
    # It has the rights in sessions of another role.
    "prepare_media": None,
    # It signs the links to media, and the links that results are delivered to.
    "submit_recording": TABLE
    | SHARED_TOKEN
    | {"s3": {DECRYPT, GENERATE}, "transcribe": {DECRYPT, GENERATE, "kms:DescribeKey", "kms:Encrypt"}},
    "poll_job": TABLE | SHARED_TOKEN | {"s3": {DECRYPT, GENERATE}},
    "save_insights": TABLE | {"s3": {DECRYPT, GENERATE}},
    "report_fault": TABLE,
    "report_failure": TABLE,
    "report_stopped_execution": TABLE | DEAD_LETTERS,
    "publish_changes": TABLE | DEAD_LETTERS,
    "receive_callback": TABLE | SECRET | {"s3": {GENERATE}},
    "keep_result": SECRET | {"s3": {GENERATE}},
    "receive_result_event": TABLE | DEAD_LETTERS | {"s3": {DECRYPT}},
    "begin_derivation": TABLE | {"s3": {GENERATE}, "sqs": {DECRYPT}},
    "derive_insights": TABLE | {"s3": {DECRYPT, GENERATE}},
}
"""By function, and by the service that uses the key for it."""
UNDER_THE_KEY = {"ArrivalDeadL", "EventsDeadLe", "EventsUnpubl"}


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A stage with all providers, under a key of the customer."""
    return synthesise(tmp_path_factory.mktemp("key"), {"stage": "dev", **EVERY_PROVIDER, **MODEL, "kmsKeyArn": KEY})


def rights_on_the_key(template: Template) -> dict[str, dict[str, set[str]]]:
    """By role or user, and by service: the actions on the key. No other key may be named."""
    rights: dict[str, dict[str, set[str]]] = {}
    for _, policy in of_type(template, "AWS::IAM::Policy"):
        owners = policy["Roles"] if "Roles" in policy else policy["Users"]
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = {action for action in listed(statement["Action"]) if action.startswith("kms:")}
            if actions:
                [owner] = owners
                assert actions == set(listed(statement["Action"]))
                assert statement["Resource"] == KEY
                of_owner = rights.setdefault(owner["Ref"], {})
                assert service_of(statement) not in of_owner
                of_owner[service_of(statement)] = actions
    return rights


def service_of(statement: dict[str, Any]) -> str:
    """The service that the key may be used through. Only Transcribe's use has no condition."""
    if "Condition" not in statement:
        return "transcribe"
    via = statement["Condition"]["StringLike"]["kms:ViaService"]["Fn::Join"][1]
    assert via[1:] == [{"Ref": "AWS::Region"}, ".amazonaws.com*"]
    return str(via[0].removesuffix("."))


def test_each_role_may_use_the_key_exactly_as_its_function_does(encrypted: Template) -> None:
    rights = rights_on_the_key(encrypted)
    by_module = {
        module: rights.pop(function["Role"]["Fn::GetAtt"][0], None) for module, function in functions(encrypted).items()
    }
    assert by_module == RIGHTS
    # "Await callback" and "Await turn" write to the table. Agora uploads with the rights of the user.
    [user] = [name for name, _ in of_type(encrypted, "AWS::IAM::User")]
    [processing] = [name for name in rights if name.startswith("ProcessingRole")]
    [derivation] = [name for name in rights if name.startswith("DerivationRole")]
    [session] = [name for name in rights if name.startswith("ProcessingPrepareMediaSession")]
    media = {"s3": {DECRYPT, GENERATE}}
    assert rights == {processing: TABLE, derivation: TABLE, user: media, session: TABLE | media}


def test_what_the_stack_stores_is_under_the_key(encrypted: Template) -> None:
    buckets = dict(of_type(encrypted, "AWS::S3::Bucket"))
    assert len(buckets) == 2
    for bucket in buckets.values():
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
            {
                "BucketKeyEnabled": True,
                "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
            }
        ]
    [(_, table)] = of_type(encrypted, "AWS::DynamoDB::GlobalTable")
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert [replica["SSESpecification"] for replica in table["Replicas"]] == [{"KMSMasterKeyId": KEY}]
    queues = dict(of_type(encrypted, "AWS::SQS::Queue"))
    assert {name[:12] for name, queue in queues.items() if queue.get("KmsMasterKeyId") == KEY} == UNDER_THE_KEY
    assert all("KmsMasterKeyId" in queue or queue["SqsManagedSseEnabled"] for queue in queues.values())
    [(_, secret)] = of_type(encrypted, "AWS::SecretsManager::Secret")
    assert secret["KmsKeyId"] == KEY
    [(_, bus)] = of_type(encrypted, "AWS::Events::EventBus")
    assert bus["KmsKeyIdentifier"] == KEY


def test_functions_that_name_the_key_to_aws_are_told_it(encrypted: Template) -> None:
    for module in ("start_recording", "check_recording", "submit_recording", "prepare_media"):
        assert functions(encrypted)[module]["Environment"]["Variables"]["KMS_KEY_ARN"] == KEY


def test_without_the_setting_there_is_no_key(every_provider: Template) -> None:
    others = {name: row for name, row in every_provider["Resources"].items() if not name.startswith("Monitoring")}
    assert "kms" not in json.dumps(others).lower()


def test_a_stack_without_secrets_has_no_right_to_decrypt_them(tmp_path: Path) -> None:
    template = synthesise(tmp_path, {"stage": "dev", "provider": "transcribe", "kmsKeyArn": KEY})
    rights, role = rights_on_the_key(template), functions(template)["submit_recording"]["Role"]["Fn::GetAtt"][0]
    assert set(rights[role]) == {"dynamodb", "s3", "transcribe"}


@pytest.mark.parametrize(("region", "fits"), [(REGION, True), ("eu-west-1", False)])
def test_the_key_is_in_the_region_of_the_stack(region: str, fits: bool) -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    settings = StackSettings("dev", "transcribe", kms_key_arn=KEY)
    env = cdk.Environment(account="123456789012", region=region)
    if fits:
        RecordingInsightsStack(app, "Stack", settings=settings, env=env)
    else:
        with pytest.raises(SettingsInvalid, match=r"kmsKeyArn: the key is in eu-central-1, the stack in eu-west-1"):
            RecordingInsightsStack(app, "Stack", settings=settings, env=env)
