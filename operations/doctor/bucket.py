"""The buckets of a stage: region, policies, events, pages that may use them, and links."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, unknown, wrong
from operations.doctor.patient import Answer, Patient, command
from recording_insights.agora.storage import region_number
from recording_insights.aws.clients import s3_config
from recording_insights.errors import SettingsInvalid

RECORDINGS, REPLIES = "RecordingsBucketName", "RepliesBucketName"
PREFIX = "doctor/"
"""Where the doctor puts objects. They are no media, so the pipeline ignores and logs them."""
LINK_MINUTES = 60
"""The default of the setting `linkMinutes`."""
LINK_SECONDS = 60
BODY = b"The doctor of Recording Insights puts this object and deletes it."
CORS_RULE = {
    "AllowedHeaders": ["content-type", "if-none-match", "range", "x-amz-checksum-sha256"],
    "AllowedMethods": ["GET", "HEAD", "PUT"],
    "ExposeHeaders": ["content-range", "etag"],
    "MaxAgeSeconds": 3600,
}
"""The rule of the stack without its origins. A test compares it with the template."""
_CODE = re.compile(r"<Code>(\w+)</Code>")


@check("region", "s3:GetBucketLocation")
def region(patient: Patient) -> Iterator[Symptom]:
    """Agora can write to the bucket's region, and the stack is there."""
    answer = patient.aws("s3").get_bucket_location(Bucket=patient.outputs[RECORDINGS])
    # S3 calls its oldest regions so.
    there = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(
        answer.get("LocationConstraint"), answer.get("LocationConstraint")
    )
    try:
        number = region_number(str(there))
    except SettingsInvalid as error:
        yield wrong(f"{error}.", "Deploy the stage in one of these regions.")
        return
    if there != patient.region:
        yield wrong(
            f"The bucket of the recordings is in {there}, the stack in {patient.region}.", f"Set AWS_REGION to {there}."
        )
    else:
        yield ok(f"The bucket of the recordings is in {there}, which is Agora's region {number}.")


@check("bucket policies", "s3:GetBucketPolicy")
def policies(patient: Patient) -> Iterator[Symptom]:
    """The buckets refuse what comes without TLS, and links that are too old."""
    for output in (RECORDINGS, REPLIES):
        yield _of_policy(patient, patient.outputs[output])


def _of_policy(patient: Patient, bucket: str) -> Symptom:
    statements = _statements(patient, bucket)
    lacking = {
        what: statement
        for what, statement in wanted_statements(patient, bucket).items()
        if not any(is_same_statement(each, statement, exactly=patient.knows_settings) for each in statements)
    }
    if not lacking:
        return ok(f"The policy of the bucket {bucket} is that of the stack.")
    replaced = [
        each for each in statements if any(is_same_statement(each, statement) for statement in lacking.values())
    ]
    kept = [each for each in statements if each not in replaced]
    policy = {"Version": "2012-10-17", "Statement": [*kept, *lacking.values()]}
    mend = command("aws", "s3api", "put-bucket-policy", "--bucket", bucket, "--policy", json.dumps(policy))
    return wrong(f"The bucket {bucket} does not refuse {' and '.join(lacking)}.", mend)


def _statements(patient: Patient, bucket: str) -> Sequence[Mapping[str, Any]]:
    try:
        text = patient.aws("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return []
    found: Sequence[Mapping[str, Any]] = json.loads(text)["Statement"]
    return found


def wanted_statements(patient: Patient, bucket: str) -> dict[str, Mapping[str, Any]]:
    """Return the statements that the stack puts into the policy of a bucket, by what each refuses."""
    arn = f"arn:{patient.partition}:s3:::{bucket}"
    minutes = int(patient.setting("linkMinutes") or LINK_MINUTES)
    everybody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*"}
    without_tls = {"Bool": {"aws:SecureTransport": "false"}}
    too_old = {"NumericGreaterThan": {"s3:signatureAge": minutes * 60_000}}
    wanted: dict[str, Mapping[str, Any]] = {
        "requests without TLS": {**everybody, "Resource": [arn, f"{arn}/*"], "Condition": without_tls},
        f"links older than {minutes} minutes": {**everybody, "Resource": f"{arn}/*", "Condition": too_old},
    }
    if patient.is_local:
        # The local cloud has no TLS.
        del wanted["requests without TLS"]
    return wanted


def is_same_statement(one: Mapping[str, Any], other: Mapping[str, Any], *, exactly: bool = False) -> bool:
    """Whether two statements refuse the same; only `exactly` compares the values of their conditions too."""
    return bool(_normal(one, exactly) == _normal(other, exactly))


def _normal(statement: Mapping[str, Any], exactly: bool) -> Any:
    """Return a statement in a form that does not depend on how AWS writes it."""
    principal = statement.get("Principal")
    conditions = {
        (operator, key.lower(), frozenset(map(_plain, _listed(values))) if exactly else None)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    }
    return (
        statement["Effect"],
        "*" if principal in ("*", {"AWS": "*"}) else json.dumps(principal, sort_keys=True),
        frozenset(_listed(statement.get("Action", ()))),
        frozenset(_listed(statement.get("Resource", ()))),
        frozenset(conditions),
    )


def _plain(value: Any) -> str:
    text = str(value).lower()
    return text.removesuffix(".0")


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


@check("bucket events", "s3:GetBucketNotification")
def events(patient: Patient) -> Iterator[Symptom]:
    """The buckets send their events to EventBridge."""
    for output in (RECORDINGS, REPLIES):
        bucket = patient.outputs[output]
        found = dict(patient.aws("s3").get_bucket_notification_configuration(Bucket=bucket))
        found.pop("ResponseMetadata", None)
        if "EventBridgeConfiguration" in found:
            yield ok(f"The bucket {bucket} sends its events to EventBridge.")
            continue
        given = json.dumps({**found, "EventBridgeConfiguration": {}})
        options = ("--bucket", bucket, "--notification-configuration", given)
        yield wrong(
            f"The bucket {bucket} does not send its events to EventBridge: what arrives there is not noticed.",
            command("aws", "s3api", "put-bucket-notification-configuration", *options),
        )


@check("pages", "s3:GetBucketCORS")
def cors(patient: Patient) -> Iterator[Symptom]:
    """The recordings bucket answers the pages of the setting `corsOrigins`, and no others."""
    if not patient.knows_settings and not patient.is_local:
        yield unknown("The setting corsOrigins is unknown, so the pages that may use the bucket are too.")
        return
    origins = {each.strip() for each in (patient.setting("corsOrigins") or "").split(",")} - {""}
    bucket = patient.outputs[RECORDINGS]
    allowed = {origin for rule in _cors_rules(patient, bucket) for origin in rule.get("AllowedOrigins", ())}
    if origins == allowed:
        shown = ", ".join(sorted(origins)) or "no other origin"
        yield ok(f"The bucket of the recordings answers pages of {shown}.")
    elif origins:
        rules = {"CORSRules": [{**CORS_RULE, "AllowedOrigins": sorted(origins)}]}
        options = ("--bucket", bucket, "--cors-configuration", json.dumps(rules))
        yield wrong(
            f"The bucket of the recordings answers pages of {', '.join(sorted(allowed)) or 'no origin'}, "
            f"but corsOrigins is {', '.join(sorted(origins))}.",
            command("aws", "s3api", "put-bucket-cors", *options),
        )
    else:
        yield wrong(
            f"The bucket of the recordings answers pages of {', '.join(sorted(allowed))}, but corsOrigins is not set.",
            command("aws", "s3api", "delete-bucket-cors", "--bucket", bucket),
        )


def _cors_rules(patient: Patient, bucket: str) -> Sequence[Mapping[str, Any]]:
    try:
        rules: Sequence[Mapping[str, Any]] = patient.aws("s3").get_bucket_cors(Bucket=bucket)["CORSRules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchCORSConfiguration":
            raise
        return []
    return rules


@check("link", "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion", writes=True)
def link(patient: Patient) -> Iterator[Symptom]:
    """A presigned link, made as the functions make theirs, is answered with its object."""
    bucket, key = patient.outputs[RECORDINGS], new_key()
    endpoint = str(patient.aws("s3").meta.endpoint_url)
    s3 = patient.new_client("s3", config=s3_config(has_endpoint=".amazonaws.com" not in endpoint))
    with object_in(s3, bucket, key):
        url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=LINK_SECONDS)
        yield _of_link(patient.http("GET", url))


def _of_link(answer: Answer) -> Symptom:
    """Say what came. The link itself is a secret, and S3 repeats parts of it in its refusals."""
    if answer.status_code == 200 and answer.text == BODY.decode():
        return ok("A presigned link to an object of the recordings bucket works.")
    if answer.status_code in (301, 307):
        return wrong(
            "S3 sends a presigned link to another host: the bucket is new, and its name is not known everywhere yet.",
            "Wait up to a day after the first deployment.",
        )
    if code := _CODE.search(answer.text):
        return wrong(
            f"S3 refuses a presigned link ({answer.status_code}, {code[1]}).",
            "Mend what the checks of the clock and of the bucket policies found, then examine again.",
        )
    return wrong(
        f"A presigned link was not answered by S3, but with the status {answer.status_code}.",
        "Look for a proxy or an endpoint between this machine and S3.",
    )


def new_key() -> str:
    """Return the key of an object that the pipeline ignores, and that nobody else uses."""
    return f"{PREFIX}{uuid4().hex}.txt"


@contextmanager
def object_in(s3: Any, bucket: str, key: str) -> Iterator[Callable[[], None]]:
    """Put an object meanwhile. What is yielded puts it again. In the end each version of it is deleted."""
    versions = []

    def put() -> None:
        versions.append(s3.put_object(Bucket=bucket, Key=key, Body=BODY, ContentType="text/plain").get("VersionId"))

    try:
        put()
        yield put
    finally:
        for version in dict.fromkeys(versions):
            s3.delete_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
