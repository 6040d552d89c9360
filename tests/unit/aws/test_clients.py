"""The calls of Step Functions that must not fail when they are repeated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS
from botocore.exceptions import ClientError, ReadTimeoutError

from recording_insights.aws import clients
from recording_insights.aws.secrets import read_secret
from recording_insights.derive.derive_insights import TIMEOUT_SECONDS
from recording_insights.errors import SecretUnavailable, SecretUnusable
from recording_insights.http.problems import problem_of
from tests.unit.fake_step_functions import FakeStepFunctions

MACHINE = "arn:aws:states:eu-central-1:000000000000:stateMachine:processing"


@pytest.fixture
def fake() -> Any:
    return FakeStepFunctions(machine=MACHINE)


@pytest.mark.parametrize("start", [clients.start_execution, clients.run_execution])
def test_an_execution_is_started_once(fake: Any, start: Callable[..., bool]) -> None:
    for number in range(2):
        start(fake, MACHINE, name="one", state=f'{{"n": {number}}}')
    assert fake.executions == {"one": {"n": 0}}


def test_a_name_is_taken_while_its_execution_runs(fake: Any) -> None:
    assert clients.run_execution(fake, MACHINE, name="one", state="{}")
    assert clients.run_execution(fake, MACHINE, name="one", state="{}")
    fake.over.add("one")
    assert not clients.run_execution(fake, MACHINE, name="one", state="{}")


def test_a_wait_may_have_ended_before(fake: Any) -> None:
    for _ in range(2):
        clients.end_wait(fake, "token")
    fake.answers = [FakeStepFunctions.exceptions.TaskTimedOut()]
    clients.end_wait(fake, "late")
    assert fake.ended == ["token"]


def test_any_other_fault_is_raised(fake: Any) -> None:
    fake.answers = [TimeoutError(), TimeoutError()]
    with pytest.raises(TimeoutError):
        clients.start_execution(fake, MACHINE, name="one", state="{}")
    with pytest.raises(TimeoutError):
        clients.end_wait(fake, "token")


MOST_SECONDS = 10
"""Of a call with all of its attempts: the shortest time-out of a function that answers a request."""


@pytest.mark.parametrize(
    "make", [lambda **which: clients.table("t", **which).meta.client, clients.s3, clients.step_functions]
)
def test_a_call_of_a_route_gives_up_in_time(fake_aws: None, make: Any) -> None:
    config = make(short_calls=True).meta.config
    most_waited = 1  # before the second attempt, in botocore's mode "legacy"
    attempts = config.retries["total_max_attempts"]
    assert attempts == 2, "a throttle is tried again"
    assert attempts * (config.connect_timeout + config.read_timeout) + most_waited < MOST_SECONDS
    assert make().meta.config.read_timeout == 60


@dataclass
class Hanging:
    """A service of AWS that accepts a connection of a client and sends nothing; `attempts` counts the calls."""

    client: Any
    attempts: int = 0

    def __post_init__(self) -> None:
        self.client.meta.events.register_first("before-send", self)

    def __call__(self, **_: Any) -> None:
        self.attempts += 1
        raise ReadTimeoutError(endpoint_url="https://service/?X-Amz-Signature=5ec0de")


def hanging_table() -> tuple[Hanging, Callable[[], Any]]:
    table = clients.table("t", short_calls=True)
    return Hanging(table.meta.client), lambda: table.get_item(Key={"pk": "a", "sk": "b"})


def hanging_secrets() -> tuple[Hanging, Callable[[], Any]]:
    with pytest.raises(SecretUnusable):
        read_secret("nobody", ("key",))  # Powertools makes its client
    return Hanging(DEFAULT_PROVIDERS["secrets"].provider.client), lambda: read_secret("somebody", ("key",))


@pytest.mark.parametrize(
    ("hanging", "kind", "detail"),
    [
        (hanging_table, "aws-unavailable", "AWS did not answer in time (ReadTimeoutError); try again."),
        (hanging_secrets, "secret-unavailable", "secret somebody: AWS did not return it"),
    ],
)
def test_a_hanging_aws_is_a_problem_document(
    fake_aws: None,
    monkeypatch: pytest.MonkeyPatch,
    hanging: Callable[[], tuple[Hanging, Callable[[], Any]]],
    kind: str,
    detail: str,
) -> None:
    monkeypatch.setitem(DEFAULT_PROVIDERS, "secrets", None)
    del DEFAULT_PROVIDERS["secrets"]
    service, call = hanging()
    with pytest.raises((ReadTimeoutError, SecretUnavailable)) as raised:
        call()
    assert service.attempts == clients.ATTEMPTS
    problem = problem_of(raised.value)
    assert (problem.status, problem.kind, problem.retry_after) == (503, kind, 10)
    assert problem.detail == detail


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "ValidationException"])
def test_an_execution_that_has_ended_counts_as_stopped(code: str) -> None:
    client = _RefusingStepFunctions(code)
    clients.stop_execution(client, "arn")  # type: ignore[arg-type]
    assert client.stopped == ["arn"]
    with pytest.raises(ClientError):
        clients.stop_execution(_RefusingStepFunctions("AccessDeniedException"), "arn")  # type: ignore[arg-type]


class _RefusingStepFunctions:
    """Answers every stop with one code."""

    def __init__(self, code: str) -> None:
        self.code, self.stopped = code, list[str]()

    def stop_execution(self, *, executionArn: str, cause: str) -> None:
        assert cause
        self.stopped.append(executionArn)
        raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "StopExecution")


def test_a_call_of_a_model_is_one_attempt_that_ends_before_its_function(fake_aws: None) -> None:
    config = clients.bedrock().meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 300)
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout < TIMEOUT_SECONDS
