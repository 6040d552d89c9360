"""The search for secrets finds them wherever the stack writes, and a hostile vendor leaves none there."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from cli.terminal.insights import print_insights
from cli.terminal.steps import LiveSteps
from cli.timeline.execution_steps import steps_of
from recording_insights.providers.registry import PROVIDERS, capabilities_of
from recording_insights.store.keys import PARTITION, SORT
from sandbox.cloud.local_stack import LocalStack
from sandbox.stand_ins.vendors.registry import vendors
from tests.deployed import execution_ended, history, process
from tests.recordings_command import run_recordings
from tests.secrecy import assert_nothing_secret_is_in_any_form, assert_nothing_secret_was_written
from tests.secrecy_in_text import CONTROLS
from tests.ways_of_waiting import each, representatives

Planting = Callable[[LocalStack], AbstractContextManager[None]]
PLANTED = "https://bucket.s3.amazonaws.com/talk.mp4?X-Amz-Signature=5ec0de"
GROUP = "/planted"


@contextmanager
def in_a_row(stack: LocalStack) -> Iterator[None]:
    table, client = stack.outputs["InsightsTableName"], stack.client("dynamodb")
    key = {PARTITION: {"S": "planted"}, SORT: {"S": "planted"}}
    client.put_item(TableName=table, Item={**key, "reason": {"S": PLANTED}})
    yield
    client.delete_item(TableName=table, Key=key)


@contextmanager
def in_a_reply(stack: LocalStack) -> Iterator[None]:
    where = {"Bucket": stack.outputs["RepliesBucketName"], "Key": "planted.json"}
    stack.client("s3").put_object(**where, Body=PLANTED.encode())
    yield
    stack.client("s3").delete_object(**where)


@contextmanager
def in_a_log(stack: LocalStack) -> Iterator[None]:
    logs = stack.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=GROUP)
    event = {"timestamp": int(time.time() * 1000), "message": PLANTED}
    logs.put_log_events(logGroupName=GROUP, logStreamName=GROUP, logEvents=[event])
    yield
    logs.delete_log_group(logGroupName=GROUP)


CALLED_BACK = next(name for name in PROVIDERS if name in representatives() and capabilities_of(name).callback != "none")
"""The others quote in the same ways. Conformance has them all, in process."""


@pytest.mark.parametrize("planted", [pytest.param(in_a_row, marks=pytest.mark.matrix), in_a_reply, in_a_log])
def test_a_planted_signature_is_found(stack: LocalStack, planted: Planting) -> None:
    with planted(stack), pytest.raises(AssertionError, match="planted"):
        assert_nothing_secret_was_written(stack)
    assert_nothing_secret_was_written(stack)


@pytest.mark.parametrize(
    "provider",
    each(
        ((name,) for name in PROVIDERS if PROVIDERS[name].base_url),
        always=lambda name: name == CALLED_BACK,
    ),
)
def test_a_vendor_that_quotes_our_requests_in_odd_answers_leaves_no_secret(
    stack: LocalStack, clip: Path, provider: str, tmp_path: Path
) -> None:
    vendor, since = vendors()[provider], datetime.now(UTC)
    looks = {look for look in (vendor.state, *vendor.results) if look}
    odd = [{"call": call, "after": True, "odd_headers": True} for call in (*vendor.prepares, vendor.submits)]
    stack.dials(fail_next=[*odd, *({"call": look, "status": 401, "quotes": "percent"} for look in looks)])
    done = process(stack, clip, f"via/{provider}/{uuid4().hex[:8]}.mp4")
    assert done["status"] == "done", done
    stack.dials(fail_next=[{"call": vendor.submits, "status": 400, "quotes": "plain", "times": 9}])
    failed = process(stack, clip, f"via/{provider}/{uuid4().hex[:8]}.mp4")
    assert failed["media"][0]["reason_code"] == "provider_rejected"

    ids = [done["recording_id"], failed["recording_id"]]
    paths = [f"/recordings/{each}{part}" for each in ids for part in ("", "/insights")]
    answers = [stack.call_api("GET", path) for path in (*paths, "/recordings?status=failed")]
    printed = io.StringIO()
    console = Console(file=printed, width=10_000)
    print_insights(console, answers[-2].json())
    with LiveSteps(console) as steps:
        steps.show(steps_of(history(stack, execution_ended(stack, failed)["executionArn"])))
    logged = run_recordings(stack, "logs", failed["recording_id"], folder=tmp_path)
    assert (logged.code, failed["recording_id"] in logged.out) == (0, True)
    terminal = f"{printed.getvalue()}{logged.out}"
    assert "owned" in terminal, "the message has come, without what would control the terminal"

    texts = (*(("an answer", answer.text) for answer in answers), ("the terminal", terminal))
    assert_nothing_secret_is_in_any_form(stack, ids, since, *texts)
    assert not CONTROLS.search(failed["media"][0]["reason"] + terminal)
