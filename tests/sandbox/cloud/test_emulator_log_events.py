"""The local cloud filters logs as CloudWatch does: what a pattern means, and pages that may be empty."""

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from sandbox.cloud.emulator.log_events import SEARCHED
from sandbox.cloud.local_stack import LocalStack

NOON = 1795780800000
LINES = ('{"recording_id": "r1"}', "execution:r1-0-m1-0 began", "Task timed out", "task r2")


def group_with(emulator: LocalStack, *messages: str) -> str:
    logs, group = emulator.client("logs"), f"/group/{uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    events = [{"timestamp": NOON + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    return group


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", (0, 1, 2, 3)),
        ("%r1%", (0, 1)),
        ("%r1-0|r2%", (1, 3)),
        ('"r1-0"', (1,)),
        ("Task", (2,)),
        ("task", (3,)),
        ("?began ?r2", (1, 3)),
        ("execution -began", ()),
    ],
)
def test_a_pattern_finds_what_it_finds_on_aws(emulator: LocalStack, pattern: str, found: tuple[int, ...]) -> None:
    group = group_with(emulator, *LINES)
    events = emulator.client("logs").filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    assert [event["message"] for event in events] == [LINES[number] for number in found]


@pytest.mark.parametrize("pattern", ["r1-0", "%r1!%", "?a:b", f'"{"a" * 1024}"'])
def test_a_pattern_that_aws_refuses_is_refused(emulator: LocalStack, pattern: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        emulator.client("logs").filter_log_events(logGroupName=group_with(emulator, "a"), filterPattern=pattern)


def test_what_is_found_late_comes_on_a_later_page(emulator: LocalStack) -> None:
    logs = emulator.client("logs")
    group = group_with(emulator, *["other"] * SEARCHED, "r1", "r1")
    first = logs.filter_log_events(logGroupName=group, filterPattern="r1")
    assert (first["events"], "nextToken" in first) == ([], True)
    second = logs.filter_log_events(logGroupName=group, filterPattern="r1", nextToken=first["nextToken"], limit=1)
    third = logs.filter_log_events(logGroupName=group, filterPattern="r1", nextToken=second["nextToken"])
    names = [event["eventId"] for page in (second, third) for event in page["events"]]
    assert (len({*names}), "nextToken" in third) == (2, False)
