"""Alarms that ring, and who gets them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, wrong
from operations.doctor.flow import GONE
from operations.doctor.patient import Patient, command

TOPIC = "AlarmsTopicArn"
_RUNBOOK = re.compile(r"docs/operate\.md#[\w-]+")
_PENDING = "PendingConfirmation"


@check("alarms", "cloudformation:ListStackResources", "cloudwatch:DescribeAlarms")
def alarms(patient: Patient) -> Iterator[Symptom]:
    """Each alarm of the stack is there, may tell somebody, and does not ring."""
    pages = patient.aws("cloudwatch").get_paginator("describe_alarms")
    prefix = f"recording-insights-{patient.stage}-"
    found = {
        each["AlarmName"]: each for page in pages.paginate(AlarmNamePrefix=prefix) for each in page["MetricAlarms"]
    }
    faults = list(_faults(found, patient.physical_ids("AWS::CloudWatch::Alarm")))
    yield from faults
    if not faults:
        yield ok(f"None of {len(found)} alarms rings.")


def _faults(found: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> Iterator[Symptom]:
    for name in sorted(set(names) - set(found)):
        yield wrong(f"The alarm {name} was deleted.", GONE)
    for name, alarm in found.items():
        if alarm["StateValue"] == "ALARM":
            meaning = str(alarm.get("AlarmDescription", ""))
            section = _RUNBOOK.search(meaning)
            yield wrong(
                f"The alarm {name} rings: {meaning.partition(' See ')[0]}",
                f"Follow {section[0]}." if section else "Look the alarm up in docs/operate.md.",
            )
    if muted := sorted(name for name, alarm in found.items() if not alarm["ActionsEnabled"]):
        yield wrong(
            f"Alarms tell nobody, because their actions are disabled: {', '.join(muted)}.",
            command("aws", "cloudwatch", "enable-alarm-actions", "--alarm-names", *muted),
        )


@check("alarm receivers", "sns:ListSubscriptionsByTopic")
def topic(patient: Patient) -> Iterator[Symptom]:
    """Somebody gets the alarms."""
    arn = patient.outputs[TOPIC]
    pages = patient.aws("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    given = [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]]
    confirmed = [each for each in given if each.startswith("arn:")]
    if confirmed:
        yield ok(f"The topic of the alarms has {len(confirmed)} subscribers.")
    elif patient.is_local:
        yield ok("Nobody gets the alarms of the local stage.")
    elif _PENDING in given:
        yield wrong(
            "Nobody gets the alarms: the subscription is not confirmed.", "Open the link in the message that AWS sent."
        )
    else:
        options = ("--protocol", "email", "--notification-endpoint", "you@example.com")
        yield wrong(
            "Nobody gets the alarms: their topic has no subscriber.",
            command("aws", "sns", "subscribe", "--topic-arn", arn, *options),
        )
