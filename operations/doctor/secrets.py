"""The secrets of a stage, and the key that signs Agora's upload credentials."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from operations.agora_key import OUTPUT as UPLOADER_OUTPUT
from operations.agora_key import VENDOR as UPLOADER
from operations.doctor.check import Examination, check, in_spite_of_failures
from operations.doctor.findings import Symptom, ok, unknown, wrong
from operations.doctor.flow import GONE
from operations.doctor.patient import Access, Patient, command, side_by_side
from operations.move_secrets import KEYS
from operations.move_secrets import OUTPUT as READS_OLD
from recording_insights.agora import notifications
from recording_insights.agora.rtc_token import CERTIFICATE_SECRET
from recording_insights.processing.callbacks import KEY as WEBHOOK_KEY
from recording_insights.providers.registry import PROVIDERS, webhook_secret
from recording_insights.settings import FORMER_SECRETS, secret_name

AGORA = "agora"
OPTIONAL = (CERTIFICATE_SECRET, notifications.SECRET)
"""Secrets that a stage need not have."""
WITHOUT_PROOF = ("seameet",)
"""Vendors that document no free call which shows that they accept a key."""
OLDEST_KEY = timedelta(days=90)
"""Source: https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html, IAM.3"""
WEBHOOK_SECRET_OUTPUT = "WebhookSecretArn"  # noqa: S105 - the name of an output
RIGHTS = ("secretsmanager:GetSecretValue", "transcribe:ListTranscriptionJobs")


@dataclass(frozen=True)
class _Read:
    """A secret that was read: its value, or what is wrong with it. Neither if there is none."""

    value: Mapping[str, Any] | None = None
    fault: Symptom | None = None


@check("secrets", *RIGHTS)
def secrets(patient: Patient) -> Iterator[Symptom]:
    """Each secret is there and has its keys, and its vendor accepts them. A secret that fails hides no other one."""
    providers = [name for name in patient.outputs["Providers"].split(",") if name]
    examinations: list[Examination] = [
        *(partial(_of_vendor, vendor) for vendor in (AGORA, *providers)),
        *(partial(_of_one_key, name) for name in _with_one_key(providers)),
        _of_uploader,
        _of_webhooks,
    ]
    for symptoms in side_by_side(lambda each: [*in_spite_of_failures(each, patient, RIGHTS)], examinations):
        yield from symptoms


def _with_one_key(providers: Sequence[str]) -> list[str]:
    return [*OPTIONAL, *(webhook_secret(name) for name in providers if PROVIDERS[name].webhook_key)]


def _of_vendor(vendor: str, patient: Patient) -> Iterator[Symptom]:
    name = secret_name(patient.stage, vendor)
    value: Mapping[str, Any] = {}
    if vendor == AGORA or PROVIDERS[vendor].secret_keys:
        read = _read(patient, name)
        if read.fault or read.value is None:
            yield read.fault or _missing(name)
            return
        value = read.value
        if lacks := patient.missing_keys(vendor, value):
            yield _of_keys(f"The secret {name}", lacks, _put(name))
            return
    yield _of_access(patient, vendor, name, patient.check_access(vendor, value))


def _of_access(patient: Patient, vendor: str, name: str, access: Access) -> Symptom:
    verdicts = {
        "accepted": ok(access.what or f"{vendor} accepts the credentials."),
        "refused": wrong(f"{vendor} refuses the credentials in {name}: {access.what}", _put(name)),
        "no_credit": wrong(f"The account at {vendor} has no credit: {access.what}", f"Top up the account at {vendor}."),
        "unreachable": unknown(f"{vendor} cannot be reached: {access.what}", "Look at the vendor's status page."),
    }
    if access.verdict in verdicts:
        return verdicts[access.verdict]
    if patient.is_local and vendor in WITHOUT_PROOF:
        return ok(access.what)
    return unknown(f"Whether {vendor} accepts the credentials is unknown: {access.what}")


def _of_one_key(short: str, patient: Patient) -> Iterator[Symptom]:
    """A secret that has one key, of which earlier versions kept some in another secret."""
    name, key = secret_name(patient.stage, short), KEYS[short]
    read = _read(patient, name)
    if read.fault:
        yield read.fault
    elif read.value is not None:
        yield _of_keys(f"The secret {name}", patient.missing_keys(short, read.value), _put(name))
    elif short not in OPTIONAL:
        former = _read(patient, secret_name(patient.stage, FORMER_SECRETS[short])).value or {}
        if former.get(key) and patient.outputs.get(READS_OLD) == "true":
            yield ok(f"The key {key} is in the secret of earlier versions: `make secrets` moves it to {name}.")
        else:
            yield _missing(name)


def _of_uploader(patient: Patient) -> Iterator[Symptom]:
    name, mend = secret_name(patient.stage, UPLOADER), _new_key(patient)
    read = _read(patient, name, mend)
    if read.value is not None:
        yield _of_keys(f"The secret {name}", patient.missing_keys(UPLOADER, read.value), mend)
    else:
        yield read.fault or wrong(f"There is no secret {name}.", mend)


def _of_webhooks(patient: Patient) -> Iterator[Symptom]:
    """The secret that the stack makes, if a provider calls back."""
    arn = patient.outputs.get(WEBHOOK_SECRET_OUTPUT)
    if arn is None:
        return
    mend = _secret_command("put-secret-value", "--secret-id", arn, "webhooks")
    read = _read(patient, arn, mend)
    if read.value is not None:
        lacks = [] if read.value.get(WEBHOOK_KEY) else [WEBHOOK_KEY]
        yield _of_keys("The secret of the webhooks", lacks, mend)
    else:
        yield read.fault or wrong("The secret of the webhooks was deleted.", GONE)


def _of_keys(which: str, lacks: Sequence[str], mend: str) -> Symptom:
    if lacks:
        return wrong(f"{which} lacks a usable value of {', '.join(lacks)}.", mend)
    return ok(f"{which} has its keys.")


def _read(patient: Patient, name: str, mend: str = "") -> _Read:
    """Read a secret. `mend` replaces one that is no JSON object; without it, the operator's file does.

    Raises `ClientError` for refusals that say nothing about the secret.
    """
    try:
        text = patient.aws("secretsmanager").get_secret_value(SecretId=name).get("SecretString", "")
    except ClientError as error:
        code, message = error.response["Error"]["Code"], str(error.response["Error"].get("Message"))
        if code == "ResourceNotFoundException":
            return _Read()
        if code == "InvalidRequestException" and "delet" in message:
            restore = command("aws", "secretsmanager", "restore-secret", "--secret-id", name)
            return _Read(fault=wrong(f"The secret {name} is being deleted.", restore))
        raise
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return _Read(fault=wrong(f"The secret {name} is no JSON object.", mend or _put(name)))
    return _Read(value)


def _missing(name: str) -> Symptom:
    mend = _secret_command("create-secret", "--name", name, name.rpartition("/")[2])
    return wrong(f"There is no secret {name}.", mend)


def _put(name: str) -> str:
    return _secret_command("put-secret-value", "--secret-id", name, name.rpartition("/")[2])


def _secret_command(operation: str, option: str, name: str, file: str) -> str:
    """The command reads the new value from a file, so that no shell keeps it."""
    return command("aws", "secretsmanager", operation, option, name, "--secret-string", f"file://{file}.json")


def _new_key(patient: Patient) -> str:
    return command("make", "agora-key", f"STAGE={patient.stage}")


@check("uploader key", "secretsmanager:GetSecretValue", "iam:ListAccessKeys")
def uploader(patient: Patient) -> Iterator[Symptom]:
    """The key in the secret is the only one of its user, active and not old."""
    stored = (_read(patient, secret_name(patient.stage, UPLOADER)).value or {}).get("accessKeyId")
    user = patient.outputs[UPLOADER_OUTPUT]
    keys = patient.aws("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
    own = next((key for key in keys if key["AccessKeyId"] == stored), None)
    mend = _new_key(patient)
    if own is None:
        yield wrong(f"The user {user} has no key that the secret holds: recorders cannot upload.", mend)
        return
    age = patient.now() - own["CreateDate"].astimezone(UTC)
    if own["Status"] != "Active":
        yield wrong(f"The key of the user {user} is not active: recorders cannot upload.", mend)
    elif age > OLDEST_KEY:
        yield wrong(f"The key of the user {user} is {age.days} days old. AWS advises {OLDEST_KEY.days} at most.", mend)
    else:
        yield ok(f"The key of the user {user} is {max(age.days, 0)} days old.")
    if len(keys) > 1:
        yield wrong(f"The user {user} has another key, which the secret does not hold.", mend)
