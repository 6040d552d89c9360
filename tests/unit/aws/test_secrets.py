import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from recording_insights.aws import secrets
from recording_insights.aws.secrets import FreshReads, OwnSecret, SharedToken, read_secret
from recording_insights.errors import SecretUnavailable, SecretUnusable
from tests.unit.fakes import FakeClock

NAME = "recording-insights/dev/marsview"
KEYS = ("apiKey", "apiSecret", "userId")
CREDENTIALS = {"apiKey": "key-1", "apiSecret": "s3cr3t-value", "userId": "me@example.com"}


def source_of(text: str) -> Callable[..., str]:
    return lambda name, *, fresh=False: text


def absent(name: str, *, fresh: bool = False) -> str:
    raise LookupError(name)


def test_the_credentials_are_read_and_may_hold_more() -> None:
    secret = read_secret(NAME, KEYS, source=source_of(json.dumps({**CREDENTIALS, "note": 7})))

    assert {key: secret[key] for key in KEYS} == CREDENTIALS


@pytest.mark.parametrize("fresh", [True, False])
def test_a_fresh_read_is_passed_on(fresh: bool) -> None:
    seen: list[Any] = []

    def source(name: str, *, fresh: bool = False) -> str:
        seen.append((name, fresh))
        return json.dumps(CREDENTIALS)

    read_secret(NAME, KEYS, fresh=fresh, source=source)

    assert seen == [(NAME, fresh)]


def test_a_missing_secret_is_named_with_its_keys() -> None:
    with pytest.raises(SecretUnusable, match="does not exist") as raised:
        read_secret(NAME, KEYS, source=absent)

    assert NAME in str(raised.value)
    assert "apiKey, apiSecret, userId" in str(raised.value)


@pytest.mark.parametrize(
    "text",
    ["s3cr3t-value", "", '["s3cr3t-value"]', '"s3cr3t-value"', '{"apiKey": "s3cr3t-value"', "null", "7"],
)
def test_a_secret_that_is_no_json_object_is_named_without_its_value(text: str) -> None:
    with pytest.raises(SecretUnusable, match="not a JSON object") as raised:
        read_secret(NAME, KEYS, source=source_of(text))

    assert NAME in str(raised.value)
    assert_value_is_nowhere(raised.value)


def test_what_copying_adds_around_a_value_is_cut() -> None:
    copied = {**CREDENTIALS, "apiKey": " key-1\r\n"}
    assert read_secret(NAME, KEYS, source=source_of(json.dumps(copied))) == CREDENTIALS


@pytest.mark.parametrize("odd", ["\u201cs3cr3t-value\u201d", "s3cr3t-\nvalue", "s3cr3t-value\u200bx"])
def test_a_value_that_no_header_can_carry_is_named_without_it(odd: str) -> None:
    with pytest.raises(SecretUnusable, match="the value of apiSecret has characters") as raised:
        read_secret(NAME, KEYS, source=source_of(json.dumps({**CREDENTIALS, "apiSecret": odd})))

    assert_value_is_nowhere(raised.value)


@pytest.mark.parametrize("wrong", [{}, {"apiSecret": ""}, {"apiSecret": None}, {"apiSecret": 7}, {"apiSecret": ["x"]}])
def test_a_missing_or_empty_key_is_named_without_any_value(wrong: dict[str, Any]) -> None:
    stored = {"apiKey": "s3cr3t-value", "userId": "me@example.com", **wrong}

    with pytest.raises(SecretUnusable, match=r"lacks the key apiSecret$") as raised:
        read_secret(NAME, KEYS, source=source_of(json.dumps(stored)))

    assert_value_is_nowhere(raised.value)


def assert_value_is_nowhere(error: BaseException) -> None:
    assert "s3cr3t-value" not in repr(error)
    assert error.__suppress_context__ or error.__context__ is None or "s3cr3t" not in repr(error.__context__.__dict__)


class TestSecretsManager:
    """The default source, against moto."""

    def test_a_secret_is_cached_until_a_fresh_read_is_wanted(self) -> None:
        import boto3

        client = boto3.client("secretsmanager")
        client.create_secret(Name=NAME, SecretString=json.dumps(CREDENTIALS))
        assert read_secret(NAME, KEYS)["apiKey"] == "key-1"

        client.put_secret_value(SecretId=NAME, SecretString=json.dumps({**CREDENTIALS, "apiKey": "key-2"}))

        assert read_secret(NAME, KEYS)["apiKey"] == "key-1"
        assert read_secret(NAME, KEYS, fresh=True)["apiKey"] == "key-2"
        assert read_secret(NAME, KEYS)["apiKey"] == "key-2"
        client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)

    def test_a_secret_that_does_not_exist_is_named(self) -> None:
        with pytest.raises(SecretUnusable, match="secret recording-insights/dev/nobody: it does not exist"):
            read_secret("recording-insights/dev/nobody", KEYS)

    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            (ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue"), "denied the access to it"),
            (ReadTimeoutError(endpoint_url="https://s3cr3t"), "did not return it"),
            (None, "did not return it"),
        ],
    )
    def test_another_fault_of_aws_is_no_missing_secret(
        self,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        fault: Exception | None,
        said: str,
    ) -> None:
        from aws_lambda_powertools.utilities import parameters
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        def denied(*_: Any, **__: Any) -> str:
            raise GetParameterError("s3cr3t") from fault

        monkeypatch.setattr(parameters, "get_secret", denied)

        with pytest.raises(SecretUnavailable) as raised:
            read_secret(NAME, KEYS)
        assert str(raised.value) == f"secret {NAME}: AWS {said}"
        assert raised.value.fault in caplog.text
        assert "s3cr3t" not in caplog.text


class TestOwnSecret:
    """One key in a secret of its own, which another secret held before."""

    OWN, FORMER = "recording-insights/dev/seameet-webhook", "recording-insights/dev/seameet"

    @pytest.fixture
    def stored(self) -> dict[str, dict[str, str]]:
        return {self.FORMER: {"apiKey": "k", "webhookSecret": "of before"}, self.OWN: {"webhookSecret": "of now"}}

    @pytest.fixture
    def reads(self, stored: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
        reads = []

        def read(name: str, *, fresh: bool = False) -> str:
            reads.append((name, fresh))
            return json.dumps(stored[name])

        monkeypatch.setattr(secrets, "_from_secrets_manager", read)
        return reads

    def secret(self, former: str | None, clock: FakeClock) -> OwnSecret:
        return OwnSecret(self.OWN, "webhookSecret", former, lambda: clock.elapsed)

    def test_it_is_read_alone(self, reads: list[tuple[str, bool]], clock: FakeClock) -> None:
        secret = self.secret(self.FORMER, clock)
        assert [secret.read(), secret.read(fresh=True)] == ["of now"] * 2
        assert reads == [(self.OWN, False), (self.OWN, True)]

    def test_before_it_exists_the_former_one_is_read_if_it_may(
        self, stored: dict[str, dict[str, str]], reads: list[tuple[str, bool]], clock: FakeClock
    ) -> None:
        own = stored.pop(self.OWN)
        may, must_not = self.secret(self.FORMER, clock), self.secret(None, clock)
        for _ in range(3):
            assert may.read() == "of before"
            with pytest.raises(SecretUnusable, match=f"secret {self.OWN}: it does not exist") as raised:
                must_not.read()
            assert raised.value.is_missing
        assert [name for name, _ in reads] == [self.OWN, self.FORMER, self.OWN, self.FORMER, self.FORMER]
        stored[self.OWN] = own
        clock.elapsed += 60
        assert [may.read(), must_not.read()] == ["of now"] * 2

    def test_what_no_secret_holds_is_missing(
        self, stored: dict[str, dict[str, str]], reads: list[tuple[str, bool]], clock: FakeClock
    ) -> None:
        del stored[self.OWN], stored[self.FORMER]["webhookSecret"]
        with pytest.raises(SecretUnusable, match=f"secret {self.OWN}: it does not exist") as raised:
            self.secret(self.FORMER, clock).read()
        assert raised.value.is_missing

    def test_one_that_is_malformed_hides_behind_no_former_one(
        self, stored: dict[str, dict[str, str]], reads: list[tuple[str, bool]], clock: FakeClock
    ) -> None:
        stored[self.OWN] = {}
        with pytest.raises(SecretUnusable, match=f"secret {self.OWN}: it lacks the key webhookSecret$") as raised:
            self.secret(self.FORMER, clock).read()
        assert not raised.value.is_missing


def test_what_nobody_can_prove_causes_one_fresh_read_a_minute(clock: FakeClock) -> None:
    reads: list[bool] = []
    fresh_reads = FreshReads(lambda: clock.elapsed)
    for _ in range(180):
        list(fresh_reads.attempts(reads.append))
        clock.elapsed += 1
    assert (reads.count(False), reads.count(True)) == (180, 3)
    assert next(fresh_reads.attempts(lambda fresh: fresh)) is False
    assert list(fresh_reads.attempts(lambda fresh: fresh)) == [False, True], "what is not taken counts for nothing"


class TestSharedToken:
    """Against moto."""

    @pytest.fixture
    def secrets_manager(self) -> Iterator[Any]:
        import boto3

        client = boto3.client("secretsmanager")
        client.create_secret(Name=NAME, SecretString=json.dumps(CREDENTIALS))
        yield client
        client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)

    def test_other_workers_read_the_last_token_and_the_credentials_stay(self, secrets_manager: Any) -> None:
        assert SharedToken(NAME).read() is None
        for token in (("token-1", 1_800_000_000.5), ("token-2", 1_800_007_000.0)):
            SharedToken(NAME).write(*token)
            assert SharedToken(NAME).read() == token
        assert read_secret(NAME, KEYS, fresh=True) == CREDENTIALS
        current = secrets_manager.get_secret_value(SecretId=NAME)
        assert current["VersionStages"] == ["AWSCURRENT"]

    def test_without_the_secret_or_the_right_each_worker_keeps_its_own(self) -> None:
        shared = SharedToken("recording-insights/dev/nobody")
        shared.write("token-1", 1.0)
        assert shared.read() is None

    @pytest.mark.parametrize("stored", ["", "nonsense", "[]", "{}", '{"token": 7, "usable_until": "x"}'])
    def test_a_version_of_another_form_is_no_token(self, secrets_manager: Any, stored: str) -> None:
        secrets_manager.put_secret_value(SecretId=NAME, SecretString=stored or " ", VersionStages=["ACCESS_TOKEN"])
        assert SharedToken(NAME).read() is None
