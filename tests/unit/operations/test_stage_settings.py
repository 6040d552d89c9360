"""What a command works on: the stage's file, what was typed over it, and the account and region of the file."""

import argparse
import json
from pathlib import Path

import pytest

from operations.deployed_stack import OperationFailed
from operations.stage_settings import add_settings, check_place, given_settings, pairs_of
from tests.unit.operations.fake_account import Account

PROD = """\
account = "111122223333"
region = "eu-central-1"
[settings]
provider = "symbl"
linkMinutes = 60
retainData = true
throttles = {write = 5}
"""


def test_the_file_counts_before_cdk_json_and_what_is_typed_before_both(stages: Path, tmp_path: Path) -> None:
    (stages / "prod.toml").write_text(PROD)
    cdk_json = tmp_path / "cdk.json"
    cdk_json.write_text(json.dumps({"context": {"stage": "dev", "linkMinutes": 30, "queueDays": 3, "@aws-cdk/x": 1}}))

    settings = given_settings("prod", ["retainData=false"]).checked(cdk_json)
    assert (settings.stage, settings.link_minutes, settings.queue_days) == ("prod", 60, 3)
    assert (settings.retain_data, settings.throttles) == (False, {"write": 5})

    without_a_file = given_settings("test", ["provider=symbl"]).checked(cdk_json)
    assert (without_a_file.stage, without_a_file.link_minutes) == ("test", 30)


def test_an_override_is_printed_if_it_changes_something(stages: Path) -> None:
    (stages / "prod.toml").write_text(PROD)
    typed = ["linkMinutes=90", "queueDays=3", "provider=symbl", 'throttles={"write":5}', "retainData=TRUE"]

    assert list(given_settings("prod", typed).overrides()) == [
        "override: linkMinutes=90 instead of 60 of stages/prod.toml",
        "override: queueDays=3, which stages/prod.toml does not set",
    ]
    assert list(given_settings("dev", typed).overrides()) == []
    [line] = given_settings("prod", ["alarmWebhook=https://events.example.com/s3cr3t"]).overrides()
    assert line == "override: alarmWebhook=https://events.example.com/…, which stages/prod.toml does not set"


@pytest.mark.parametrize(
    ("pairs", "refusal"),
    [
        (["provider=symbl", "linkMinutes=1"], "cdk.json or the command line).*\nlinkMinutes: '1' is not allowed"),
        (["linkMinutes"], "'linkMinutes' is not of the form key=value"),
        (["stage=prod"], "STAGE is dev, and a setting says stage=prod"),
        ([], "provider: missing"),
    ],
)
def test_wrong_settings_are_refused(pairs: list[str], refusal: str) -> None:
    with pytest.raises(OperationFailed, match=refusal.replace(")", r"\)")):
        given_settings("dev", pairs).checked()


def test_a_wrong_file_is_refused_by_name(stages: Path) -> None:
    (stages / "dev.toml").write_text(PROD.replace("60", "1"))
    with pytest.raises(OperationFailed, match=r"^stages/dev\.toml: linkMinutes: 1 is not allowed; a whole number"):
        given_settings("dev", [])


def test_settings_are_taken_apart_as_a_shell_does() -> None:
    parser = argparse.ArgumentParser()
    add_settings(parser)
    options = parser.parse_args(["--stage", "dev", "-c", "a=b", "--settings", """c=1 throttles='{"write": 5}'"""])
    assert pairs_of(options) == ["a=b", "c=1", 'throttles={"write": 5}']
    with pytest.raises(OperationFailed, match="Close every quote"):
        pairs_of(parser.parse_args(["--stage", "dev", "--settings", "a='b"]))


def test_another_account_or_region_than_the_files_is_refused_and_both_are_named(stages: Path) -> None:
    (stages / "prod.toml").write_text(PROD)
    given = given_settings("prod", [])

    check_place(given, Account(), "eu-central-1")
    check_place(given, Account(), None)
    with pytest.raises(OperationFailed, match="for the region eu-central-1, and AWS_REGION is us-east-1"):
        check_place(given, Account(), "us-east-1")
    (stages / "prod.toml").write_text(PROD.replace("111122223333", "444455556666"))
    with pytest.raises(OperationFailed, match=r"for the account 444455556666, and your .* of the account 111122223333"):
        check_place(given_settings("prod", []), Account(), None)
    without_a_file = Account()
    check_place(given_settings("dev", []), without_a_file, "us-east-1")
    assert without_a_file.calls == []
