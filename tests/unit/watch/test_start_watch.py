"""The start of a watch: its name, its input, and what a fault of AWS becomes."""

import json
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from recording_insights.aws import clients
from recording_insights.errors import WatchUnavailable
from recording_insights.store.rows import RecordingRow
from recording_insights.watch.progress import Watch
from recording_insights.watch.start_watch import start_stop_watch, start_watch
from tests.unit.environment import ENVIRONMENT
from tests.unit.fake_step_functions import FakeStepFunctions

RECORDING: RecordingRow = {"recording_id": "a" * 32, "created_at": "2026-03-12T00:00:00Z", "version": 1}


def starter(fake: FakeStepFunctions) -> Any:
    client: Any = fake
    return partial(clients.start_execution, client, ENVIRONMENT["WATCH_ARN"])


def test_the_same_recording_has_one_watch() -> None:
    fake = FakeStepFunctions()
    for _ in range(2):
        start_watch(RECORDING, start_execution=starter(fake))
    assert fake.executions == {f"{'a' * 32}-1": json.loads(json.dumps(Watch.begin(RECORDING).to_state()))}


def test_a_watch_begins_with_its_first_wait_and_no_attempt() -> None:
    watch = Watch.begin(RECORDING)
    assert (watch.attempt, watch.wait_seconds, watch.waited_seconds, watch.credential_seconds) == (0, 7, 7, 7)
    assert (watch.phase, watch.outcome, watch.since) == ("unnamed", "watching", RECORDING["created_at"])
    assert Watch.from_state({"recording_id": "a", "opened_at": "b", "since": "c"}).attempt == 0


def test_a_stop_has_one_watch_beside_that_of_the_recording() -> None:
    fake, stopped = FakeStepFunctions(), RecordingRow(**RECORDING, stop_requested_at="2026-03-12T01:02:03.000004Z")
    start_watch(RECORDING, start_execution=starter(fake))
    for _ in range(2):
        start_stop_watch(stopped, start_execution=starter(fake))
    later = RecordingRow(**{**stopped, "stop_requested_at": "2026-03-12T01:09:00.000000Z"})
    start_stop_watch(later, start_execution=starter(fake))
    names = [name.removeprefix("a" * 32) for name in fake.executions]
    assert names == ["-1", "-stop-20260312010203000004", "-stop-20260312010900000000"]
    watch = Watch.from_state(fake.executions["a" * 32 + names[1]])
    assert (watch.phase, watch.wait_seconds, watch.waited_seconds, watch.stops_only) == ("stopping", 100, 100, True)
    assert watch.since == stopped["stop_requested_at"]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "secret"}}, "StartExecution"), "ClientError"),
        (EndpointConnectionError(endpoint_url="https://states.test"), "EndpointConnectionError"),
    ],
)
def test_a_fault_of_aws_is_named_by_its_class(error: Exception, name: str) -> None:
    with pytest.raises(WatchUnavailable) as raised:
        start_watch(RECORDING, start_execution=starter(FakeStepFunctions(answers=[error])))
    assert str(raised.value) == f"the watch over the recording was not started ({name})"
