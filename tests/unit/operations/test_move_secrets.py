"""`make secrets`: at any moment each key is where the functions look for it, in this release and in the one before."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from operations.deployed_stack import OperationFailed
from operations.move_secrets import KEYS, copy_keys, main, remove_copied_keys
from recording_insights.settings import FORMER_SECRETS
from tests.unit.operations.account_of_secrets import REGION, Account
from tests.unit.operations.fake_account import Crash

AGORA, SEAMEET = "recording-insights/dev/agora", "recording-insights/dev/seameet"
OWN = {name: f"recording-insights/dev/{name}" for name in FORMER_SECRETS}
FORMER = {
    AGORA: {
        "appId": "app",
        "customerId": "customer",
        "customerSecret": "s3cr3t-c",
        "appCertificate": "s3cr3t-a",
        "notificationSecret": "s3cr3t-n",
    },
    SEAMEET: {"apiKey": "s3cr3t-k", "workspaceId": "w", "webhookSecret": "s3cr3t-w"},
}
MOVED = {
    OWN["agora-certificate"]: {"appCertificate": "s3cr3t-a"},
    OWN["agora-notifications"]: {"notificationSecret": "s3cr3t-n"},
    OWN["seameet-webhook"]: {"webhookSecret": "s3cr3t-w"},
}
LEFT = {
    AGORA: {"appId": "app", "customerId": "customer", "customerSecret": "s3cr3t-c"},
    SEAMEET: {"apiKey": "s3cr3t-k", "workspaceId": "w"},
}


@pytest.fixture
def account() -> Iterator[Account]:
    """A stage of the release before, with every key, whose functions read their own secrets only."""
    account = Account({"ReadsOldSecrets": "false"})
    for name, value in FORMER.items():
        account.put(name, value)
    yield account
    account.clear()


def copy(account: Account) -> Any:
    return copy_keys("dev", account, lambda line: None)


def remove(account: Account) -> Any:
    return remove_copied_keys("dev", account, lambda line: None)


def everything(account: Account) -> dict[str, Any]:
    return {name: value for name in (*FORMER, *MOVED) if (value := account.stored(name)) is not None}


def test_every_key_that_was_moved_is_known() -> None:
    assert KEYS.keys() == FORMER_SECRETS.keys()


def test_keys_are_copied_once_and_removed_later(account: Account) -> None:
    assert sorted(copy(account).copied) == sorted(MOVED)
    assert everything(account) == {**FORMER, **MOVED}
    assert sorted(copy(account).kept) == sorted(MOVED)
    assert len(remove(account).removed) == 3
    assert everything(account) == {**LEFT, **MOVED}
    for name in LEFT:
        assert account.stored(name, "AWSPREVIOUS") == LEFT[name], "who reads a secret may read the version before"
    assert (copy(account).copied, remove(account).removed) == ([], [])
    assert everything(account) == {**LEFT, **MOVED}


def test_what_a_secret_of_its_own_holds_is_kept(account: Account) -> None:
    account.put(OWN["agora-certificate"], {"appCertificate": "newer"})
    account.put(OWN["seameet-webhook"], {"note": "no key yet"})
    copy(account)
    assert account.stored(OWN["agora-certificate"]) == {"appCertificate": "newer"}
    assert account.stored(OWN["seameet-webhook"]) == {"note": "no key yet", "webhookSecret": "s3cr3t-w"}


def test_a_stage_without_these_keys_gets_no_secrets() -> None:
    assert copy(Account()).copied == []
    assert everything(Account()) == {}


@pytest.mark.parametrize("outputs", [{"ReadsOldSecrets": "true"}, {}])
def test_nothing_is_removed_while_functions_may_read_it(account: Account, outputs: dict[str, str]) -> None:
    copy(account)
    account.outputs = outputs
    with pytest.raises(OperationFailed, match="readOldSecrets=false"):
        remove(account)
    assert everything(account) == {**FORMER, **MOVED}


def test_nothing_is_removed_before_it_is_copied(account: Account) -> None:
    account.put(OWN["agora-certificate"], {"appCertificate": "s3cr3t-a"})
    with pytest.raises(OperationFailed, match=r"Only .*/agora holds notificationSecret: `make secrets STAGE=dev`"):
        remove(account)
    assert {name: account.stored(name) for name in FORMER} == FORMER


def test_a_crash_anywhere_leaves_every_key_where_it_is_read(account: Account) -> None:
    for operation, may_be_gone in ((copy, False), (remove, True)):
        with account.copy() as whole:
            operation(whole)
        for step in range(len(whole.calls)):
            with account.copy() as broken:
                broken.breaks_at = step
                with pytest.raises(Crash):
                    operation(broken)
                found = everything(broken)
                for name, value in MOVED.items():
                    assert found.get(name, value) == value
                assert may_be_gone or {name: found[name] for name in FORMER} == FORMER
                broken.breaks_at = -1
                operation(broken)
                assert everything(broken) == {**(LEFT if may_be_gone else FORMER), **MOVED}
                for name in LEFT if may_be_gone else ():
                    assert broken.stored(name, "AWSPREVIOUS") == LEFT[name]
        operation(account)


def test_a_secret_of_another_form_is_named_and_not_shown(account: Account) -> None:
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(SecretId=SEAMEET, SecretString="s3cr3t-text")
    with pytest.raises(OperationFailed, match=f"The secret {SEAMEET} holds no JSON object") as raised:
        copy(account)
    assert "s3cr3t" not in str(raised.value)


def test_the_customers_key_of_a_secret_goes_with_its_key(account: Account) -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    client.update_secret(SecretId=SEAMEET, KmsKeyId="alias/ours")
    copy(account)
    assert client.describe_secret(SecretId=OWN["seameet-webhook"])["KmsKeyId"] == "alias/ours"


def test_the_command(account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(boto3, "client", account)
    assert main(["--stage", "dev", "--json"]) == 0
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)["copied"]) == 3
    assert main(["--stage", "dev"]) == 0
    assert main(["--stage", "dev", "--delete"]) == 0
    account.refuses = "get_secret_value"
    assert main(["--stage", "dev"]) == 1
    said = printed.out + printed.err + "".join(capsys.readouterr())
    assert "This command needs" in said
    assert "s3cr3t" not in said
