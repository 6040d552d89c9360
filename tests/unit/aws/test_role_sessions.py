"""Sessions of a role: one call of STS for each policy, as long as the session lives for another call."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recording_insights.aws.role_sessions import MOST_KEPT, RoleSessions, SessionCredentials

ROLE = "arn:aws:iam::111122223333:role/prepares"


class FakeSts:
    """Opens sessions that live for an hour; `refusal` is raised instead, once."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 12, tzinfo=UTC)
        self.requests: list[dict[str, Any]] = []
        self.refusal: Exception | None = None

    def assume_role(self, **request: Any) -> Any:
        if self.refusal:
            refusal, self.refusal = self.refusal, None
            raise refusal
        self.requests.append(request)
        number = len(self.requests)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        expiration = self.now + timedelta(seconds=request["DurationSeconds"])
        return {"Credentials": {**{name: f"{name}-{number}" for name in names}, "Expiration": expiration}}


@pytest.fixture
def sts() -> FakeSts:
    return FakeSts()


@pytest.fixture
def sessions(sts: Any) -> "RoleSessions[str]":
    def open_session(credentials: SessionCredentials) -> str:
        assert "Secret" not in repr(credentials)
        return credentials.aws_session_token

    return RoleSessions(sts, ROLE, open_session, timedelta(minutes=16), lambda: sts.now)


def test_a_session_is_opened_once_and_kept_while_it_lives_for_another_call(
    sts: FakeSts, sessions: "RoleSessions[str]"
) -> None:
    assert [sessions.of("prepare-a", "A") for _ in range(3)] == ["SessionToken-1"] * 3
    assert sts.requests == [{"RoleArn": ROLE, "RoleSessionName": "prepare-a", "Policy": "A", "DurationSeconds": 3600}]
    sts.now += timedelta(minutes=44)
    assert sessions.of("prepare-a", "A") == "SessionToken-1"
    sts.now += timedelta(seconds=1)
    assert sessions.of("prepare-a", "A") == "SessionToken-2"
    assert sessions.of("prepare-a", "A") == "SessionToken-2"


def test_each_policy_has_its_session_and_the_oldest_makes_room(sts: FakeSts, sessions: "RoleSessions[str]") -> None:
    policies = [f"P{number}" for number in range(MOST_KEPT)]
    first = [sessions.of("any", policy) for policy in policies]
    assert [sessions.of("any", policy) for policy in policies] == first
    sessions.of("any", "one more")
    assert len(sts.requests) == MOST_KEPT + 1
    assert sessions.of("any", policies[1]) == first[1]
    assert sessions.of("any", policies[0]) != first[0]


def test_a_fault_of_sts_is_raised_and_not_kept(sts: FakeSts, sessions: "RoleSessions[str]") -> None:
    sts.refusal = ClientError({"Error": {"Code": "ServiceUnavailable"}}, "AssumeRole")
    with pytest.raises(ClientError):
        sessions.of("any", "A")
    assert sessions.of("any", "A") == "SessionToken-1"
