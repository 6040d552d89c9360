"""Examine a stage: all checks side by side, their findings in the order of the table."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from operations.deployed_stack import Report
from operations.doctor.account import concurrency, log_policies, step_functions
from operations.doctor.alarms import alarms, topic
from operations.doctor.api import api, intake, providers, subscriptions, webhooks
from operations.doctor.bucket import cors, events, link, policies, region
from operations.doctor.check import Check
from operations.doctor.clock import clock
from operations.doctor.configuration import settings, version
from operations.doctor.findings import Finding, unknown
from operations.doctor.flow import machines, mappings, rules, sweep
from operations.doctor.history import history
from operations.doctor.patient import AT_ONCE, Patient
from operations.doctor.queues import dead_letters
from operations.doctor.secrets import secrets, uploader

CHECKS: Sequence[Check] = (
    *(clock, settings, version, secrets, uploader),
    *(region, policies, events, cors, link, history),
    *(concurrency, step_functions, log_policies),
    *(rules, mappings, machines, sweep),
    *(dead_letters, alarms, topic),
    *(api, webhooks, intake, providers, subscriptions),
)
"""All checks, in the order of their findings."""


def examine(
    patient: Patient,
    *,
    checks: Sequence[Check] = CHECKS,
    read_only: bool = False,
    report: Report = lambda line: None,
) -> Iterator[Finding]:
    """Yield the findings of all checks, each as soon as it and those before it have ended.

    With `read_only`, a check that writes says that it was left out. No check raises: what it cannot find out, it
    says to be unknown. `report` gets the name of each check that is waited for.
    """
    threads, patient = ThreadPoolExecutor(AT_ONCE), patient.anew()
    try:
        ends = [threads.submit(_findings, each, patient, read_only) for each in checks]
        for each, end in zip(checks, ends, strict=True):
            report(f"Examining: {each.name}")
            yield from end.result()
    finally:
        threads.shutdown(cancel_futures=True)


def _findings(each: Check, patient: Patient, read_only: bool) -> list[Finding]:
    if read_only and each.writes:
        return [each.named(unknown("This check writes an object and deletes it, so it was left out."))]
    return list(each.findings(patient))
