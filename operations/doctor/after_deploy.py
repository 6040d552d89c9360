"""Wait until the events of the recordings bucket flow, after a deployment.

AWS says that it takes around five minutes after the first deployment:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from operations.deployed_stack import Report
from operations.doctor.bucket import RECORDINGS, new_key, object_in
from operations.doctor.check import Check
from operations.doctor.findings import Finding, Symptom, ok, wrong
from operations.doctor.patient import Patient, command

LOG_OUTPUT = "IgnoredObjectsLogGroup"
PATIENCE_SECONDS = 600.0
INTERVAL_SECONDS = 2.0
PUT_AGAIN_SECONDS = 20.0
"""What is put while the events do not flow yet makes no event, so the object is put again and again."""
RIGHTS = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "logs:FilterLogEvents")
_CLOCKS = timedelta(hours=1)
"""How far the clocks of this machine and of AWS may differ."""


def after_deploy(
    patient: Patient,
    patience: float = PATIENCE_SECONDS,
    *,
    report: Report = lambda line: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Finding:
    """Put an object that the arrival ignores and wait until its event is in the log of ignored objects.

    It waits for `patience` seconds at most, and deletes the object in the end. It raises nothing: what fails is
    unknown.
    """

    def examination(patient: Patient) -> Iterator[Symptom]:
        yield _await_event(patient, patience, report, clock, pause)

    [finding] = Check("events flow", examination, RIGHTS).findings(patient)
    return finding


def _await_event(
    patient: Patient, patience: float, report: Report, clock: Callable[[], float], pause: Callable[[float], None]
) -> Symptom:
    key, began = new_key(), clock()
    with object_in(patient.aws("s3"), patient.outputs[RECORDINGS], key) as put_again:
        put_at = clock()
        while not _is_logged(patient, key):
            waited = clock() - began
            if waited >= patience:
                options = ("--bucket", patient.outputs[RECORDINGS])
                return wrong(
                    f"No event of the recordings bucket came within {patience:.0f} s.",
                    command("aws", "s3api", "get-bucket-notification-configuration", *options),
                )
            report(f"No event of the recordings bucket came yet, after {waited:.0f} s of at most {patience:.0f} s")
            if clock() - put_at >= PUT_AGAIN_SECONDS:
                put_again()
                put_at = clock()
            pause(min(INTERVAL_SECONDS, patience - waited))
        return ok(f"Events of the recordings bucket flow; the first one came after {clock() - began:.0f} s.")


def _is_logged(patient: Patient, key: str) -> bool:
    since = int((patient.now() - _CLOCKS).timestamp() * 1000)
    pages = patient.aws("logs").get_paginator("filter_log_events")
    request = {"logGroupName": patient.outputs[LOG_OUTPUT], "startTime": since, "filterPattern": f'"{key}"'}
    return any(key in event["message"] for page in pages.paginate(**request) for event in page["events"])
