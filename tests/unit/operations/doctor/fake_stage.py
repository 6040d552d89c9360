"""A healthy stage `dev` in memory, as far as the doctor looks at it. Requests and answers have the form of AWS's model.

A test changes `answers` and `files`: an answer is a value, or a function of the request.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from operations.doctor.bucket import BODY
from operations.doctor.patient import Patient
from tests.unit.operations.fake_account import aws_error

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
DEPLOYED_AT = datetime(2026, 11, 1, tzinfo=UTC)
IN = "eu-central-1:111122223333"
MACHINE = f"arn:aws:states:{IN}:stateMachine:RecordingInsights-dev-Processing"
MAPPINGS = ("4a2c0000-0000-4000-8000-000000000000", "9b1f0000-0000-4000-8000-000000000000")
OUTPUTS = {
    "RecordingsBucketName": "recordings",
    "RepliesBucketName": "replies",
    "InsightsTableName": "insights",
    "WorkflowArn": MACHINE,
    "ApiUrl": "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    "WebhookUrl": "https://hooks.example.com/",
    "AgoraUploaderName": "RecordingInsights-dev-Uploader",
    "ArrivalsArn": f"arn:aws:sqs:{IN}:arrivals",
    "UnadmittedArrivalsArn": f"arn:aws:sqs:{IN}:unadmitted",
    "DeadLettersUrl": "https://sqs.eu-central-1.amazonaws.com/111122223333/letters",
    "UnpublishedDeadLettersArn": f"arn:aws:sqs:{IN}:unpublished",
    "UndeliveredArn": f"arn:aws:sqs:{IN}:undelivered",
    "NoticesArn": f"arn:aws:sqs:{IN}:notices",
    "EventBusName": "bus",
    "SweepFunctionName": "RecordingInsights-dev-Sweep",
    "IgnoredObjectsLogGroup": "/aws/events/recording-insights-dev-ignored-objects",
    "AlarmsTopicArn": f"arn:aws:sns:{IN}:alarms",
    "Providers": "assemblyai,seameet,transcribe",
    "ReadsOldSecrets": "false",
    "WebhookSecretArn": f"arn:aws:secretsmanager:{IN}:secret:WebhooksSecret-a1b2c3",
}
SECRETS: Mapping[str, Any] = {
    "recording-insights/dev/agora": {"appId": "app", "customerId": "customer", "customerSecret": "s3cr3t-agora"},
    "recording-insights/dev/assemblyai": {"apiKey": "s3cr3t-assemblyai"},
    "recording-insights/dev/seameet": {"apiKey": "s3cr3t-seameet", "workspaceId": "workspace"},
    "recording-insights/dev/seameet-webhook": {"webhookSecret": "s3cr3t-webhook"},
    "recording-insights/dev/agora-uploader": {"accessKeyId": "AKIA0", "secretAccessKey": "s3cr3t-uploader"},
    OUTPUTS["WebhookSecretArn"]: {"key": "s3cr3t-callbacks"},
}
KEYS_OF = {
    **{name.rpartition("/")[2]: [*value] for name, value in SECRETS.items() if "/" in name},
    "agora-certificate": ["appCertificate"],
}
RESOURCES = {
    "AWS::Events::Rule": ("media", "bus|subscriptions"),
    "AWS::Lambda::EventSourceMapping": MAPPINGS,
    "AWS::StepFunctions::StateMachine": (MACHINE,),
    "AWS::Scheduler::Schedule": ("sweep",),
    "AWS::Scheduler::ScheduleGroup": ("group",),
    "AWS::CloudWatch::Alarm": ("recording-insights-dev-failures",),
}
SCHEDULE = {
    "Name": "sweep",
    "GroupName": "group",
    "State": "ENABLED",
    "ScheduleExpression": "rate(15 minutes)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": f"arn:aws:lambda:{IN}:function:sweep", "RoleArn": "arn:aws:iam::111122223333:role/schedule"},
    "CreationDate": DEPLOYED_AT,
}
ALARM = {
    "AlarmName": "recording-insights-dev-failures",
    "AlarmDescription": "A media object failed. See docs/operate.md#recordings-fail",
    "StateValue": "OK",
    "ActionsEnabled": True,
}
KEY = {"AccessKeyId": "AKIA0", "Status": "Active", "CreateDate": NOW - timedelta(days=12)}
QUOTAS = (
    {"QuotaName": "Open executions", "QuotaCode": "L-1", "Value": 1_000_000.0},
    {"QuotaName": "StartExecution throttle token refill rate", "QuotaCode": "L-2", "Value": 150.0},
)
PROVIDER = {"provider": "assemblyai", "paused": False, "health": "closed", "queued": 0}


def policy(bucket: str, *, minutes: int = 60, tls: bool = True) -> dict[str, str]:
    """The policy of a bucket as S3 returns it: numbers are texts, and lists of one element are that element."""
    arn = f"arn:aws:s3:::{bucket}"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    plain = {**deny, "Resource": [f"{arn}/*", arn], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    age = {"NumericGreaterThan": {"s3:signatureAge": str(minutes * 60_000)}}
    old = {**deny, "Principal": {"AWS": "*"}, "Resource": f"{arn}/*", "Condition": age}
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [*([plain] if tls else []), old]})}


@dataclass
class FakeAnswer:
    status_code: int = 200
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.text)


def answer_of(value: Any, status: int = 200) -> FakeAnswer:
    return FakeAnswer(status, json.dumps(value), {"content-type": "application/json"})


REFUSED = FakeAnswer(401, "{}", {"content-type": "application/problem+json"})


@dataclass
class FakeStage:
    """`answers` are AWS's by `service.operation`; `pages` are those of HTTP by method and the path or the URL's host.

    `objects` are the keys and versions that the recordings bucket has now, `calls` what AWS was asked for.
    """

    table: Any
    answers: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=lambda: dict(SECRETS))
    verdicts: dict[str, tuple[str, str]] = field(default_factory=dict)
    now: datetime = NOW
    objects: list[tuple[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = {**self._healthy(), **self.answers}
        self.pages = {
            "GET /providers": answer_of({"providers": [PROVIDER]}),
            "GET /subscriptions": answer_of({"subscriptions": [{"subscription_id": "s1", "active": True}]}),
            "POST hooks.example.com": REFUSED,
            "GET link": FakeAnswer(200, BODY.decode()),
            **self.pages,
        }

    @property
    def patient(self) -> Patient:
        return Patient(
            stage="dev",
            outputs=OUTPUTS,
            client=lambda service, **options: FakeClient(self, service),
            table_of=lambda name: self.table,
            call_api=lambda method, path: self._page(f"{method} {path}"),
            http=lambda method, url: self._page(f"{method} {url.split('/')[2]}"),
            check_access=lambda vendor, secret: SimpleNamespace(
                **dict(zip(("verdict", "what"), self.verdicts.get(vendor, ("accepted", "")), strict=True))
            ),
            missing_keys=lambda name, secret: [key for key in KEYS_OF[name] if not str(secret.get(key, "")).strip()],
            now=lambda: self.now,
            settings={"linkMinutes": "60", "provider": "assemblyai"},
            deployed={"linkMinutes": "60", "provider": "assemblyai"},
            version="1.2.0",
            deployed_version="1.2.0",
        )

    def local(self) -> Patient:
        """The same as the stage on a laptop."""
        secrets = {name.replace("/dev/", "/local/"): value for name, value in self.secrets.items()}
        self.secrets.update(secrets)
        return replace(self.patient, stage="local", settings=None, deployed=None, version=None)

    def _page(self, name: str) -> Any:
        page = self.pages[name]
        if isinstance(page, Exception):
            raise page
        return page

    def _healthy(self) -> dict[str, Any]:
        listed = [{"ResourceType": kind, "PhysicalResourceId": each} for kind, ids in RESOURCES.items() for each in ids]
        queue = {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}
        rule = {"Name": "subscriptions", "State": "ENABLED"}
        return {
            "sts.get_caller_identity": lambda: {"ResponseMetadata": dated(NOW)},
            "cloudformation.describe_stacks": {"Stacks": [{"CreationTime": DEPLOYED_AT}]},
            "cloudformation.list_stack_resources": {"StackResourceSummaries": listed},
            "secretsmanager.get_secret_value": self._secret,
            "iam.list_access_keys": {"AccessKeyMetadata": [KEY]},
            "s3.get_bucket_location": {"LocationConstraint": "eu-central-1"},
            "s3.get_bucket_policy": lambda Bucket: policy(Bucket),
            "s3.get_bucket_notification_configuration": {"EventBridgeConfiguration": {}},
            "s3.get_bucket_cors": failure("NoSuchCORSConfiguration", "GetBucketCors"),
            "s3.list_objects_v2": {"Contents": []},
            "s3.put_object": self._put,
            "s3.delete_object": self._delete,
            "lambda.get_account_settings": workers(1000, 1000),
            "lambda.get_event_source_mapping": {"State": "Enabled"},
            "lambda.get_function_concurrency": {},
            "service-quotas.list_aws_default_service_quotas": {"Quotas": list(QUOTAS)},
            "service-quotas.list_service_quotas": {"Quotas": []},
            "logs.describe_resource_policies": {"resourcePolicies": [{"policyName": "one"}]},
            "logs.filter_log_events": {"events": []},
            "events.list_rules": {"Rules": [rule]},
            "events.describe_rule": {"State": "ENABLED"},
            "stepfunctions.describe_state_machine": {"status": "ACTIVE"},
            "scheduler.get_schedule": SCHEDULE,
            "cloudwatch.get_metric_statistics": {"Datapoints": [{"Sum": 1.0}]},
            "cloudwatch.describe_alarms": {"MetricAlarms": [ALARM]},
            "sqs.get_queue_url": lambda QueueName: {"QueueUrl": f"https://sqs.test/{QueueName}"},
            "sqs.get_queue_attributes": {"Attributes": queue},
            "sns.list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": "arn:aws:sns:one"}]},
        }

    def _secret(self, SecretId: str) -> Any:
        if SecretId not in self.secrets:
            raise aws_error("ResourceNotFoundException", "GetSecretValue")
        value = self.secrets[SecretId]
        if isinstance(value, Exception):
            raise value
        return {"SecretString": value if isinstance(value, str) else json.dumps(value)}

    def _put(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Any:
        version = f"v{len(self.calls)}"
        self.objects.append((Key, version))
        return {"VersionId": version}

    def _delete(self, Bucket: str, Key: str, VersionId: str) -> Any:
        self.objects.remove((Key, VersionId))
        return {}


def failure(code: str, call: str, message: str = "") -> Callable[..., Any]:
    """An answer of AWS that is an error."""

    def fail(**request: Any) -> Any:
        raise aws_error(code, call, message=message)

    return fail


def dated(moment: datetime) -> dict[str, Any]:
    """What boto3 gives with each answer."""
    return {"HTTPHeaders": {"date": format_datetime(moment, usegmt=True)}}


def workers(all_of_them: int, unreserved: int) -> dict[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": all_of_them, "UnreservedConcurrentExecutions": unreserved}}


class Misused(BaseException):
    """A request or an answer is none of AWS's. No check catches it."""


@dataclass
class FakeClient:
    """A client of boto3 that answers what the stage says."""

    stage: FakeStage
    service: str

    @property
    def meta(self) -> Any:
        return SimpleNamespace(region_name="eu-central-1", endpoint_url=f"https://{self.service}.amazonaws.com")

    def generate_presigned_url(self, operation: str, *, Params: Mapping[str, str], ExpiresIn: int) -> str:
        assert (Params["Key"], ExpiresIn) in [(key, 60) for key, _ in self.stage.objects]
        return "https://link/?X-Amz-Signature=s3cr3t-signature"

    def get_paginator(self, operation: str) -> Any:
        assert model_of(self.service, operation)
        return SimpleNamespace(paginate=lambda **request: iter([getattr(self, operation)(**request)]))

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            model = model_of(self.service, operation)
            if model.input_shape:
                faults = ParamValidator().validate(request, model.input_shape)
                if faults.has_errors():
                    raise Misused(f"{operation}: {faults.generate_report()}")
            name = f"{self.service}.{operation}"
            self.stage.calls.append(name)
            answer = self.stage.answers[name]
            found = answer(**request) if callable(answer) else answer
            if odd := set(found) - {"ResponseMetadata"} - set(model.output_shape.members if model.output_shape else ()):
                raise Misused(f"{operation} does not answer {odd}")
            return found

        return call


@cache
def model_of(service: str, operation: str) -> Any:
    """What AWS says of an operation."""
    model = _session().get_service_model(service)
    [name] = [each for each in model.operation_names if botocore.xform_name(each) == operation]
    return model.operation_model(name)


@cache
def _session() -> Any:
    return botocore.session.get_session()


def denied(service: str, operation: str, message: str = "") -> ClientError:
    """AWS's refusal of a call that somebody has no right to."""
    return aws_error("AccessDeniedException", model_of(service, operation).name, 403, message)
