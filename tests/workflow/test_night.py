"""The night drill: a wrong key, a lost event and a provider that is down at once.

What the one who is woken has are the text of an alarm, the section of the runbook that it names, and the command there.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore import xform_name

from infra.alarms import Section
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import HELD, SLOW, Found, drop, jobs_paid, recording_of, until, until_row, until_waits, waits_at
from tests.docs.commands import Command
from tests.docs.test_operate_alarms import command_of
from tests.recordings_command import run_recordings
from tests.workflow.aws_faults import begin_anew, function_of, without_rule
from tests.workflow.test_providers import key_for
from tests.workflow.test_sweep import ARRIVALS, job_of, sweep

pytestmark = pytest.mark.matrix
REFUSED, DOWN = "assemblyai", "symbl"
SECRET = f"recording-insights/local/{REFUSED}"
CREDENTIALS, AWAY, FOUND = f"credentials-refused-{REFUSED}", f"provider-away-{DOWN}", "sweep-found"
FAILED = "failures"
SINCE = "2026-11-28T00:00:00Z"
"""The moment in the page's commands that the reader replaces."""


class Pager:
    """A queue that has subscribed to the alarms: the messages of each alarm, in order."""

    def __init__(self, stack: LocalStack) -> None:
        self._sqs, self._topic = stack.client("sqs"), stack.outputs["AlarmsTopicArn"]
        name = f"pager-{uuid4().hex[:8]}"
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        by_sns = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**by_sns, "Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        self._sns = stack.client("sns")
        self._subscription = self._sns.subscribe(
            TopicArn=self._topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        self._messages: dict[str, list[dict[str, Any]]] = {}

    def messages(self, alarm: str) -> list[dict[str, Any]]:
        """What has come of an alarm so far."""
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                told = json.loads(json.loads(message["Body"])["Message"])
                name = told["AlarmName"].removeprefix("recording-insights-local-")
                self._messages.setdefault(name, []).append(told)
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return self._messages.get(alarm, [])

    def rung(self, alarm: str) -> str | None:
        """The text of an alarm that has rung."""
        texts = [told["AlarmDescription"] for told in self.messages(alarm) if told["NewStateValue"] == "ALARM"]
        return texts[-1] if texts else None

    def all_clear(self, alarm: str) -> bool:
        """Whether the last message of an alarm that has rung is that it ended."""
        states = [told["NewStateValue"] for told in self.messages(alarm)]
        return "ALARM" in states and states[-1] == "OK"

    def end(self) -> None:
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._queue)


@pytest.fixture
def pager(stack: LocalStack) -> Iterator[Pager]:
    """Alarms go to it. Their periods are as short as can be."""
    pager = Pager(stack)
    stack.set_alarm_scale(0)
    yield pager
    stack.set_alarm_scale(1)
    pager.end()


@contextmanager
def secret_kept(stack: LocalStack) -> Iterator[str]:
    """The right secret of the provider; it is there again at the end."""
    client = stack.client("secretsmanager")
    text = client.get_secret_value(SecretId=SECRET)["SecretString"]
    try:
        yield text
    finally:
        client.put_secret_value(SecretId=SECRET, SecretString=text)
        new_workers(stack)


def new_workers(stack: LocalStack) -> None:
    for state in ("Submit recording", "Poll job"):
        begin_anew(stack, function_of(stack, state, "WorkflowArn"))


def command_for(text: str) -> Command:
    """The command in the section that the link in an alarm's text leads to."""
    [section] = [section for section in Section if text.endswith(f" See {section.link}")]
    return command_of(section)


def do_what_the_page_says(stack: LocalStack, command: Command, values: Mapping[str, str], folder: Path) -> None:
    """Run a command of the page, with these values filled in."""
    if command.program == "recordings":
        words = [values.get(word, word) for word in command.words[1:]]
        # Nobody is there to say yes. One retry of many is at work at a time.
        words += ["--yes"] if words[0] == "retries" else []

        def is_done() -> bool:
            ran = run_recordings(stack, *words, folder=folder)
            # In a night as short as this one, nothing has given up yet.
            return ran.code == 0 or "Nothing was done" in ran.words

        until(is_done, f"recordings {' '.join(words)}")
        return
    _, service, operation, *arguments = command.words
    client = stack.client(service)
    model = client.meta.service_model
    [name] = [each for each in model.operation_names if xform_name(each, "-") == operation]
    members = {f"--{xform_name(each, '-')}": each for each in model.operation_model(name).input_shape.members}
    filled = [values.get(word, word) for word in arguments]
    given = {members[key]: value for key, value in pairwise(filled) if key in members}
    getattr(client, xform_name(name))(**given)


def swept_until(stack: LocalStack, find: Callable[[], Found | None], what: str) -> Found:
    """Sweep, as the schedule does, until `find` returns something that is true."""

    def swept() -> Found | None:
        if not (found := find()):
            sweep(stack, at_once=False)
        return found

    return until(swept, what)


def test_three_faults_in_one_night_and_the_commands_of_the_page(
    stack: LocalStack, clip: Path, pager: Pager, tmp_path: Path
) -> None:
    def run(*arguments: str) -> Any:
        ran = run_recordings(stack, *arguments, "--json", folder=tmp_path)
        assert ran.code == 0, ran.words
        return ran.data

    sweep(stack, at_once=False)
    with secret_kept(stack) as secret, waits_at(stack, HELD):
        running = recording_of(stack, drop(stack, clip, key_for(DOWN)))
        job_of(stack, running)
        values = {
            SINCE: datetime.now(UTC).isoformat(),
            f"recording-insights/dev/{REFUSED}": SECRET,
            f"file://{REFUSED}.json": secret,
        }
        # The night begins.
        stack.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString='{"apiKey": "of yesterday"}')
        new_workers(stack)
        away = {"status": 503, "body": {}, "times": 10_000}
        stack.dials(fail_next=[{"call": f"{DOWN}.{call}", **away} for call in ("token", "job")])
        stack.set_wait_scale(SLOW)
        keys = [key_for(provider) for provider in (REFUSED, DOWN) for _ in range(2)]
        recordings = [recording_of(stack, drop(stack, clip, key)) for key in keys]
        with without_rule(stack, ARRIVALS):
            lost = drop(stack, clip)
        until_waits(stack, recordings[0], "credentials_refused")
        until_waits(stack, recordings[2], "provider_unavailable")

        rung = {
            alarm: swept_until(stack, partial(pager.rung, alarm), alarm) for alarm in (CREDENTIALS, AWAY, FOUND, FAILED)
        }
        commands = {alarm: command_for(text) for alarm, text in rung.items()}
        [refused] = run("why", recordings[0])["parts"]
        assert (refused["code"], refused["provider"]) == ("credentials_refused", REFUSED)
        do_what_the_page_says(stack, commands[CREDENTIALS], values, tmp_path)
        do_what_the_page_says(stack, commands[FOUND], values, tmp_path)
        stack.dials(fail_next=[])  # the vendor has mended it
        do_what_the_page_says(stack, commands[AWAY], values, tmp_path)
        do_what_the_page_says(stack, commands[FAILED], values, tmp_path)

        recordings += [running, recording_of(stack, lost)]
        for recording_id in recordings:
            until_row(stack, recording_id, lambda row: row["status"] == "done", "the insights")
        for alarm in rung:
            swept_until(stack, partial(pager.all_clear, alarm), f"the all-clear of {alarm}")
    assert sum(jobs_paid(stack).values()) == len(recordings)
    assert rung[CREDENTIALS].startswith("assemblyai refuses the credentials in its secret.")
