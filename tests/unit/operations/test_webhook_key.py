"""`make webhook-key`: at any moment the secret holds each key that a running job has a token of."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from operations.deployed_stack import OperationFailed, aws_client
from operations.webhook_key import Outcome, main, revoke_former_key, rotate_webhook_key
from recording_insights.processing.callbacks import webhook_keys
from tests.unit.operations.account_of_secrets import REGION, Account
from tests.unit.operations.fake_account import Crash

SECRET = "WebhooksSecret2682328B"
FIRST = "k" * 64


@pytest.fixture
def account() -> Iterator[Account]:
    account = Account({"WebhookSecretArn": SECRET, "WebhookKeyMinutes": "305"})
    account.put(SECRET, {"key": FIRST})
    yield account
    account.clear()


@pytest.fixture
def rotate(account: Account) -> Callable[..., Outcome]:
    """Rotates so many minutes from now."""

    def call(minutes: int = 0, *, force: bool = False) -> Outcome:
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        return rotate_webhook_key("dev", account, lambda line: None, force=force, now=lambda: moment)

    return call


def test_the_former_key_stays_good(account: Account, rotate: Any) -> None:
    outcome = rotate()
    made, former = webhook_keys(account.stored(SECRET))
    assert former == FIRST != made
    assert len(made) == 64
    assert made.isalnum()
    assert (outcome.secret, outcome.rotated) == (SECRET, True)
    assert account.calls == ["describe_stacks", "get_secret_value", "put_secret_value"]


@pytest.mark.parametrize(("minutes", "refused"), [(0, True), (303, True), (306, False)])
def test_a_key_that_running_jobs_may_have_tokens_of_is_not_dropped(
    account: Account, rotate: Any, minutes: int, refused: bool
) -> None:
    rotate()
    before = account.stored(SECRET)
    if refused:
        with pytest.raises(OperationFailed, match=r"The key was rotated at .*Wait, or set FORCE=1"):
            rotate(minutes)
        assert account.stored(SECRET) == before
    else:
        rotate(minutes)
        assert webhook_keys(account.stored(SECRET))[1] == before["key"]


def test_by_force_it_is(account: Account, rotate: Any) -> None:
    rotate()
    second = account.stored(SECRET)["key"]
    rotate(force=True)
    assert webhook_keys(account.stored(SECRET))[1] == second


def test_the_former_key_ends_at_once(account: Account, rotate: Any) -> None:
    rotate()
    made = account.stored(SECRET)["key"]
    for _ in range(2):
        assert revoke_former_key("dev", account, lambda line: None) == Outcome("dev", SECRET, False, None)
        assert webhook_keys(account.stored(SECRET)) == [made]
    assert account.calls.count("put_secret_value") == 2
    rotate()
    assert webhook_keys(account.stored(SECRET))[1] == made, "nothing is left to wait for"


@pytest.mark.parametrize("step", range(3))
def test_a_crash_anywhere_leaves_the_key_good(account: Account, rotate: Any, step: int) -> None:
    account.breaks_at = step
    with pytest.raises(Crash):
        rotate()
    assert webhook_keys(account.stored(SECRET)) == [FIRST]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (None, "There is no stack RecordingInsights-dev in eu-central-1: `make deploy STAGE=dev`"),
        ({}, "has no output WebhookSecretArn: none of its providers calls back"),
    ],
)
def test_a_stage_without_webhooks(outputs: Any, said: str) -> None:
    for operation in (rotate_webhook_key, revoke_former_key):
        with pytest.raises(OperationFailed, match=said):
            operation("dev", Account(outputs), lambda line: None)


@pytest.mark.parametrize("text", ["s3cr3t", "[]", '{"key": ""}', "{}"])
def test_a_secret_of_another_form_is_left_alone(account: Account, rotate: Any, text: str) -> None:
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(SecretId=SECRET, SecretString=text)
    with pytest.raises(OperationFailed, match=f"The secret {SECRET} ") as raised:
        rotate()
    assert "s3cr3t" not in str(raised.value)
    assert "put_secret_value" not in account.calls


def test_a_missing_right_is_named(account: Account, rotate: Any) -> None:
    account.refuses = "put_secret_value"
    with pytest.raises(OperationFailed, match=r"This command needs .*PutSecretValue on the secret of the webhooks"):
        rotate()


def test_the_region_is_that_of_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for region in ("us-east-1", ""):
        monkeypatch.setenv("AWS_REGION", region)
        assert aws_client("cloudformation").meta.region_name == (region or "eu-west-1")


def test_the_command(account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(boto3, "client", account)
    assert main(["--stage", "dev", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["rotated"] is True
    assert "Making a new key" in printed.err
    assert main(["--stage", "dev"]) == 1
    refused = capsys.readouterr().err
    assert "FORCE=1" in refused
    assert main(["--stage", "dev", "--force"]) == 0
    assert main(["--stage", "dev", "--revoke"]) == 0
    said = printed.err + refused + capsys.readouterr().out
    assert "Polls find their results" in said
    assert FIRST not in said
    assert account.stored(SECRET)["key"] not in said
