"""`make agora-key`: whatever breaks off where, the secret holds a key that works, and the next run tidies up."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, NoRegionError

from operations import agora_key
from operations.agora_key import Outcome, main, remove_key, revoke_tokens, rotate_key
from operations.deployed_stack import OperationFailed
from recording_insights.agora.upload_credentials import SECRET as UPLOADER_SECRET
from recording_insights.agora.upload_credentials import SECRET_KEYS
from tests.unit.operations.fake_account import SECRET, USER, Account, Crash, aws_error


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def rotate(account: Account) -> Callable[[], Outcome]:
    return lambda: rotate_key("dev", account, lambda line: None, lambda seconds: None)


@pytest.fixture
def in_use(account: Account) -> str:
    """A key that the secret holds."""
    key_id, secret = account.add_key()
    account.secret = json.dumps({"accessKeyId": key_id, "secretAccessKey": secret})
    return key_id


def test_the_secret_is_the_one_that_the_functions_read(account: Account, rotate: Any) -> None:
    outcome = rotate()
    assert outcome.secret == SECRET == f"recording-insights/dev/{UPLOADER_SECRET}"
    assert account.stored.keys() == set(SECRET_KEYS)


def test_the_first_key(account: Account, rotate: Any) -> None:
    assert rotate() == Outcome("dev", USER, SECRET, [])
    assert account.works
    assert account.calls[-2:] == ["put_secret_value", "create_secret"]


def test_a_rotation(account: Account, rotate: Any, in_use: str) -> None:
    assert rotate().deleted_keys == [in_use]
    assert account.works
    assert list(account.keys) == [account.stored["accessKeyId"]] != [in_use]


def test_a_key_that_is_not_in_the_secret_makes_room(account: Account, rotate: Any, in_use: str) -> None:
    stray, _ = account.add_key()
    assert rotate().deleted_keys == [stray, in_use]
    assert account.works
    assert len(account.keys) == 1


@pytest.mark.parametrize("text", [None, "{}", "[]", "no JSON", '{"accessKeyId": "AKIA-of-another-user"}'])
def test_two_keys_of_which_none_is_in_the_secret(account: Account, rotate: Any, text: str | None) -> None:
    older, newer = account.add_key()[0], account.add_key()[0]
    account.secret = text
    assert rotate().deleted_keys == [older, newer]
    assert account.works


def test_the_former_key_goes_only_when_the_new_one_is_proven_and_stored(
    account: Account, rotate: Any, in_use: str
) -> None:
    account.settles_after = 3
    rotate()
    assert account.calls[3:] == [
        "create_access_key",
        *["get_federation_token"] * 4,
        "put_secret_value",
        "delete_access_key",
    ]


def test_a_key_that_never_works_is_deleted_again(account: Account, in_use: str) -> None:
    naps: list[float] = []
    account.settles_after = 1000
    with pytest.raises(OperationFailed, match=r"does not work after 60 s \(InvalidClientTokenId\)"):
        rotate_key("dev", account, lambda line: None, naps.append)
    assert list(account.keys) == [in_use]
    assert account.works
    assert sum(naps) == agora_key.SETTLE_SECONDS


def copy_of(account: Account) -> Account:
    return Account(dict(account.keys), account.secret, tokens=list(account.tokens), _numbers=account._numbers)


@pytest.mark.parametrize("stray", [False, True], ids=["one key", "two keys"])
def test_a_crash_anywhere_leaves_a_key_that_works(account: Account, in_use: str, stray: bool) -> None:
    if stray:
        account.add_key()
    whole = copy_of(account)
    rotate_key("dev", whole, lambda line: None)
    for step in range(len(whole.calls)):
        broken = copy_of(account)

        def crash(call: str, broken: Account = broken, step: int = step) -> None:
            if len(broken.calls) == step:
                raise Crash

        broken.before = crash
        with pytest.raises(Crash):
            rotate_key("dev", broken, lambda line: None)
        assert broken.works, step
        broken.before = lambda call: None
        rotate_key("dev", broken, lambda line: None)
        assert broken.works, step
        assert len(broken.keys) == 1


def test_a_store_whose_answer_is_lost_leaves_both_keys(account: Account, rotate: Any, in_use: str) -> None:
    def lost(call: str) -> None:
        if call == "put_secret_value":
            raise EndpointConnectionError(endpoint_url="https://secretsmanager")

    account.before = lost
    with pytest.raises(OperationFailed, match="The call to AWS failed"):
        rotate()
    assert len(account.keys) == 2
    assert account.works


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (Account(stacks=()), "There is no stack RecordingInsights-dev in eu-central-1: `make deploy STAGE=dev`"),
        (Account(outputs={}), "has no output AgoraUploaderName: `make deploy STAGE=dev`"),
    ],
)
def test_a_stage_that_is_not_there(account: Account, said: str) -> None:
    for operation in (rotate_key, remove_key):
        with pytest.raises(OperationFailed, match=said):
            operation("dev", account, lambda line: None)
    assert set(account.calls) == {"describe_stacks"}


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ("describe_stacks", NoCredentialsError(), "Set AWS_PROFILE"),
        ("describe_stacks", NoRegionError(), "Set AWS_REGION"),
        ("describe_stacks", aws_error("ExpiredToken", "DescribeStacks", 403), "sign in again"),
        ("describe_stacks", aws_error("InvalidClientTokenId", "DescribeStacks", 403), "sign in again"),
        ("create_access_key", aws_error("AccessDenied", "CreateAccessKey", 403, "User x"), "You may not call CreateA"),
        ("put_secret_value", aws_error("AccessDeniedException", "PutSecretValue", 400), "PutSecretValue, CreateSecret"),
        ("put_secret_value", aws_error("InvalidRequestException", "PutSecretValue", 400, "deleted"), "deleted"),
        ("get_secret_value", aws_error("InternalFailure", "GetSecretValue", 500), "InternalFailure"),
    ],
)
def test_what_aws_refuses_says_what_to_do(
    account: Account, rotate: Any, in_use: str, call: str, error: Exception, said: str
) -> None:
    def refuse(name: str) -> None:
        if name == call:
            raise error

    account.before = refuse
    with pytest.raises(OperationFailed, match=said) as failure:
        rotate()
    assert "s3cr3t" not in str(failure.value)
    assert account.works


def test_removing_leaves_neither_key_nor_secret(account: Account, in_use: str) -> None:
    account.add_key()
    assert remove_key("dev", account, lambda line: None).deleted_keys == [in_use, "AKIA1"]
    assert (account.keys, account.secret) == ({}, None)
    assert remove_key("dev", account, lambda line: None).deleted_keys == []


@pytest.fixture
def revoke(account: Account) -> Callable[[], Outcome]:
    return lambda: revoke_tokens("dev", account, lambda line: None, account.pass_time)


def federate(account: Account) -> None:
    """A start of a recording, with the key that the secret holds."""
    key = account.stored
    sts = account("sts", aws_access_key_id=key["accessKeyId"], aws_secret_access_key=key["secretAccessKey"])
    sts.get_federation_token(Name="recording", DurationSeconds=129_600)


def test_a_revocation_ends_every_token_and_none_that_is_made_after_it(
    account: Account, revoke: Any, in_use: str
) -> None:
    federate(account)
    account.lingers = 3
    outcome = revoke()
    assert account.works
    assert (outcome.deleted_keys, account.living) == ([in_use], [])
    federate(account)
    assert account.living == [account.stored["accessKeyId"]]
    # The tokens end before anything else can fail. Deny says nothing to calls with a key, which have no such moment.
    assert account.calls[:5].index("put_user_policy") < account.calls.index("create_access_key")
    [policy] = account.policies.values()
    assert policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": outcome.revoked_before}},
            }
        ],
    }


def test_a_deleted_key_that_still_makes_tokens_is_said(account: Account, in_use: str) -> None:
    lines: list[str] = []
    account.lingers = 1000
    revoke_tokens("dev", account, lines.append, account.pass_time)
    assert any("AWS still takes the former key after 60 s: run the command once more" in line for line in lines)


def test_the_first_key_can_be_revoked_too(account: Account, revoke: Any) -> None:
    assert revoke().deleted_keys == []
    federate(account)
    assert account.living == [account.stored["accessKeyId"]]


def test_a_crash_anywhere_in_a_revocation_can_be_repeated(account: Account, in_use: str) -> None:
    federate(account)
    whole = copy_of(account)
    revoke_tokens("dev", whole, lambda line: None, whole.pass_time)
    for step in range(len(whole.calls)):
        broken = copy_of(account)

        def crash(call: str, broken: Account = broken, step: int = step) -> None:
            if len(broken.calls) == step:
                raise Crash

        broken.before = crash
        with pytest.raises(Crash):
            revoke_tokens("dev", broken, lambda line: None, broken.pass_time)
        assert broken.works, step
        broken.before = lambda call: None
        revoke_tokens("dev", broken, lambda line: None, broken.pass_time)
        assert broken.living == []
        federate(broken)
        assert (broken.works, len(broken.keys), len(broken.living)) == (True, 1, 1), step


def test_removing_takes_the_revocation_along(account: Account, revoke: Any, in_use: str) -> None:
    revoke()
    for _ in range(2):
        remove_key("dev", account, lambda line: None)
        assert (account.keys, account.secret, account.policies) == ({}, None, {})


def test_the_command_says_what_a_revocation_costs(
    account: Account, in_use: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agora_key, "aws_client", account)
    monkeypatch.setattr(agora_key, "INTERVAL_SECONDS", 0.0)
    assert main(["--stage", "dev", "--revoke"]) == 0
    assert main(["--stage", "dev", "--revoke", "--json"]) == 0
    out, err = capsys.readouterr()
    said, outcome = out.split("\n{")
    assert "Recorders under way cannot upload any more: stop and start them again." in said
    assert json.loads("{" + outcome)["revoked_before"] > "2026-11-28T00:00:00Z"
    assert "s3cr3t" not in out + err
    with pytest.raises(SystemExit):
        main(["--stage", "dev", "--revoke", "--delete"])


def test_the_command(account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(agora_key, "aws_client", account)
    assert main(["--stage", "dev"]) == 0
    assert main(["--stage", "dev", "--json"]) == 0
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first == f"{SECRET} holds a new key of {USER}; the functions read it within minutes."
    assert json.loads(second) == {
        "stage": "dev",
        "user": USER,
        "secret": SECRET,
        "deleted_keys": ["AKIA0"],
        "revoked_before": None,
    }
    assert err.splitlines()[:3] == [f"Making a key for {USER}", "It works", f"Storing it in {SECRET}"]
    assert main(["--stage", "prod"]) == 1
    assert main(["--stage", "dev", "--delete"]) == 0
    out, err = capsys.readouterr()
    assert "There is no stack RecordingInsights-prod" in err
    assert "no recording can be started" in out
    assert "s3cr3t" not in out + err
