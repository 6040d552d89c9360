"""Follow a recording: what is read how often, what is shown, and what a fault of the network does."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.errors import NotFound, NotReachable
from cli.timeline.follow import MOST_FAILURES, Changes, Follower
from cli.timeline.histories import MOST_FOLLOWED, StepFunctionsHistories
from cli.timeline.step import Step

ROW: dict[str, Any] = {
    "recording_id": "a" * 32,
    "status": "done",
    "insights": "off",
    "created_at": "2026-11-21T12:00:00.000000Z",
    "media": [{"media_id": "m1", "key": "k", "status": "done", "execution": "e1"}],
}
ENTERED = {"type": "WaitStateEntered", "timestamp": 1}
ENDED = {"type": "ExecutionSucceeded", "timestamp": 2}
WORKFLOW = "arn:aws:states:us-east-1:1:stateMachine:Flow"


@dataclass
class FakeStepFunctions:
    """Answers histories by the ARN of the execution; a list of pages, or an error."""

    histories: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    class exceptions:
        class ExecutionDoesNotExist(Exception):
            pass

    def get_execution_history(self, executionArn: str, maxResults: int, nextToken: str = "0") -> Any:
        self.asked.append(executionArn)
        found = self.histories[executionArn]
        if isinstance(found, Exception):
            raise found
        number = int(nextToken)
        page = {"events": found[number]}
        return {**page, "nextToken": str(number + 1)} if number + 1 < len(found) else page


def arn(name: str) -> str:
    return f"arn:aws:states:us-east-1:1:execution:Flow:{name}"


def histories(client: FakeStepFunctions, lost: list[str]) -> StepFunctionsHistories:
    return StepFunctionsHistories(lambda: (client, WORKFLOW), lost.append)


def test_a_history_is_read_in_pages_and_once_if_it_has_ended() -> None:
    client = FakeStepFunctions({arn("e1"): [[ENTERED], [ENDED]]})
    reader = histories(client, [])
    assert reader(ROW) == {"m1": [ENTERED, ENDED]}
    assert reader(ROW) == {"m1": [ENTERED, ENDED]}
    assert len(client.asked) == 2
    client.histories[arn("e1")] = [[ENTERED]]
    reader = histories(client, [])
    reader(ROW), reader(ROW)
    assert len(client.asked) == 4, "one that goes on is read again"


def test_an_execution_that_is_gone_leaves_the_row() -> None:
    client = FakeStepFunctions({arn("e1"): FakeStepFunctions.exceptions.ExecutionDoesNotExist()})
    assert histories(client, [])(ROW) == {"m1": []}


def test_a_missing_right_is_said_once() -> None:
    answer = {"Error": {"Code": "AccessDeniedException", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    client, lost = FakeStepFunctions({arn("e1"): ClientError(answer, "GetExecutionHistory")}), list[str]()  # type: ignore[arg-type]
    reader = histories(client, lost)
    assert (reader(ROW), reader(ROW)) == ({}, {})
    assert (lost, len(client.asked)) == (["You may not call GetExecutionHistory: no"], 1)


def test_the_histories_of_many_media_objects_are_not_read() -> None:
    client = FakeStepFunctions({})
    media = [{**ROW["media"][0], "media_id": f"m{number}"} for number in range(MOST_FOLLOWED + 1)]
    assert histories(client, [])({**ROW, "media": media}) == {}
    assert client.asked == []


@dataclass
class Watched:
    """Reads rows one by one, and notes what is shown and said."""

    rows: list[Any]
    shown: list[list[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def read(self) -> dict[str, Any]:
        row = self.rows.pop(0)
        if isinstance(row, Exception):
            raise row
        found: dict[str, Any] = row
        return found

    def follower(self, **options: Any) -> Follower:
        return Follower(
            self.read,
            lambda steps: self.shown.append([step.name for step in steps]),
            self.said.append,
            pause_seconds=2,
            sleep=self.slept.append,
            **options,
        )


def test_it_reads_until_the_recording_and_its_executions_have_ended() -> None:
    running = {**ENTERED, "type": "ExecutionStarted"}
    found = iter([{}, {"m1": [running]}, {"m1": [running, ENDED]}])
    watched = Watched([{**ROW, "status": "processing"}, ROW, ROW])
    assert watched.follower(histories=lambda row: next(found)).follow() == ROW
    assert (len(watched.shown), watched.slept) == (3, [2, 2])


def test_a_network_that_is_away_for_a_moment_ends_nothing() -> None:
    away = NotReachable("The API cannot be reached.")
    watched = Watched([away, away, ROW])
    assert watched.follower().follow() == ROW
    assert (watched.said, watched.slept) == (["The API cannot be reached. Trying again."] * 2, [2, 4])
    with pytest.raises(NotReachable):
        Watched([away] * MOST_FAILURES).follower().follow()
    with pytest.raises(NotFound):
        Watched([NotFound("none")]).follower().follow()


def test_one_that_is_being_erased_is_not_waited_for() -> None:
    row = {**ROW, "status": "erasing"}
    assert Watched([row]).follower().follow() == row


def test_only_changes_of_state_are_changes() -> None:
    changes = Changes()
    wait = Step("Wait", "running", 1, "next in 4 s")
    assert [each["state"] for each in changes.since([wait])] == ["running"]
    assert changes.since([Step("Wait", "running", 2, "next in 3 s")]) == []
    again = changes.since([Step("Wait", "done", 5), Step("Wait", "running", 1), Step("Wait", "done", 1, of="part 0")])
    assert [(each["state"], each.get("of")) for each in again] == [
        ("done", None),
        ("running", None),
        ("done", "part 0"),
    ]
