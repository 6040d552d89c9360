"""How settings travel from the stack to a function: in its environment, and in a file of its package."""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from recording_insights import settings as declared
from recording_insights.errors import SettingsInvalid
from recording_insights.settings import (
    AdmitMediaSettings,
    FunctionSettings,
    KeepResultSettings,
    PollJobSettings,
    StageSettings,
    StartRecordingSettings,
    SubmitRecordingSettings,
    secret_name,
)
from tests.unit.environment import ENVIRONMENT, OPTIONAL, STAGE_SETTINGS

EVERY_TYPE = [
    kind
    for kind in vars(declared).values()
    if isinstance(kind, type) and issubclass(kind, FunctionSettings) and kind is not FunctionSettings
]
KEY = OPTIONAL["KMS_KEY_ARN"]


def test_the_environment_is_read_by_type() -> None:
    settings = SubmitRecordingSettings.from_env({**ENVIRONMENT, "UNRELATED": "x"})

    assert settings.failover == ["deepgram"]
    assert settings.base_urls == {}
    assert (settings.give_up_hours, settings.link_minutes) == (72, 45)
    assert settings.slots == {"symbl": 50}
    assert settings.secret_name("agora") == "recording-insights/dev/agora" == secret_name("dev", "agora")


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_what_the_stack_writes_is_what_the_function_reads(kind: type[FunctionSettings]) -> None:
    settings = kind.from_env({**ENVIRONMENT, **OPTIONAL})

    assert kind.from_env(settings.to_env()) == settings
    assert set(settings.to_env()) == {field.name.upper() for field in fields(kind)}


def test_a_setting_with_a_default_has_no_variable_until_it_is_set() -> None:
    without = PollJobSettings.from_env(ENVIRONMENT)
    assert without.kms_key_arn is None
    assert "KMS_KEY_ARN" not in without.to_env()
    assert PollJobSettings.from_env({**ENVIRONMENT, "KMS_KEY_ARN": KEY}).kms_key_arn == KEY


def test_a_token_of_the_cdk_stays_as_it_is() -> None:
    environment = StartRecordingSettings.from_env({**ENVIRONMENT, "WATCH_ARN": "${Token[TOKEN.1]}"}).to_env()
    assert environment["WATCH_ARN"] == "${Token[TOKEN.1]}"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    assert PollJobSettings.from_env() == PollJobSettings.from_env(ENVIRONMENT)


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_a_missing_variable_is_named(kind: type[FunctionSettings]) -> None:
    for name in (field.name.upper() for field in fields(kind) if field.default is MISSING):
        absent = {variable: value for variable, value in ENVIRONMENT.items() if variable != name}
        for environment in (absent, {**absent, name: ""}):
            with pytest.raises(SettingsInvalid, match=rf"^{name} is missing$"):
                kind.from_env(environment)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LINK_MINUTES", "soon", "is not a whole number"),
        ("LINK_MINUTES", "-5", "is not a whole number"),
        ("LINK_MINUTES", "1.5", "is not a whole number"),
        ("LINK_MINUTES", "²", "is not a whole number"),
        ("MOST_JOBS_PER_DAY", "-5", "is not a whole number"),
        ("BASE_URLS", "http://localhost", "is not a JSON object"),
        ("BASE_URLS", "[]", "is not a JSON object"),
        ("BASE_URLS", "null", "is not a JSON object"),
        ("FAILOVER", "{}", "is not a JSON list"),
    ],
)
def test_a_malformed_variable_is_named(name: str, value: str, fault: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"^{name} {fault}$"):
        SubmitRecordingSettings.from_env({**ENVIRONMENT, name: value})


@pytest.mark.parametrize("read_old_secrets", [True, False])
def test_a_former_secret_is_known_only_where_it_may_be_read(read_old_secrets: bool) -> None:
    environment = {**ENVIRONMENT, "READ_OLD_SECRETS": str(read_old_secrets).lower()}
    settings = KeepResultSettings.from_env(environment)
    former = "recording-insights/dev/seameet" if read_old_secrets else None
    assert settings.former_secret("seameet-webhook") == former
    assert settings.former_secret("acme-webhook") is None
    with pytest.raises(SettingsInvalid, match=r"^READ_OLD_SECRETS is not true or false$"):
        KeepResultSettings.from_env({**environment, "READ_OLD_SECRETS": "yes"})


def test_all_faults_come_in_one_message() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        SubmitRecordingSettings.from_env({**ENVIRONMENT, "STAGE": "", "LINK_MINUTES": "x", "WEBHOOK_URL": ""})

    assert set(str(raised.value).split("; ")) == {
        "STAGE is missing",
        "LINK_MINUTES is not a whole number",
        "WEBHOOK_URL is missing",
    }


def test_a_function_declares_only_what_it_reads() -> None:
    with pytest.raises(SettingsInvalid, match=r"^ERASE_ARN is missing; WORKFLOW_ARN is missing; PROVIDER is missing$"):
        AdmitMediaSettings.from_env({"TABLE_NAME": "insights"})


def write(folder: Path, content: Any) -> Path:
    file = folder / "stage_settings.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    words = [f"word {number} ü" for number in range(500)]
    settings = StageSettings({"symbl": {"custom_vocabulary": words}}, {"interviews/": ["deepgram", "transcribe"]})

    assert StageSettings.from_file(write(tmp_path, settings.to_json())) == settings
    assert settings.to_json() == StageSettings(settings.provider_options, settings.prefix_providers).to_json()
    assert StageSettings.from_file(write(tmp_path, StageSettings({}, {}).to_json())) == StageSettings({}, {})


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "stage_settings.json is not a JSON object"),
        ("[]", "stage_settings.json is not a JSON object"),
        ("{}", "stage_settings.json: provider_options is missing; prefix_providers is missing"),
        (
            {"provider_options": [], "prefix_providers": {"a/": "deepgram"}},
            "stage_settings.json: provider_options is not a JSON object of objects; "
            "prefix_providers is not a JSON object of lists of texts",
        ),
        (
            {"provider_options": {"symbl": None}, "prefix_providers": {}},
            "stage_settings.json: provider_options is not a JSON object of objects",
        ),
        (
            {"provider_options": {}, "prefix_providers": {"a/": [7]}},
            "stage_settings.json: prefix_providers is not a JSON object of lists of texts",
        ),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, content: Any, fault: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        StageSettings.from_file(write(tmp_path, content))
    assert str(raised.value) == fault


def test_a_package_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"^stage_settings.json is missing from the package$"):
        StageSettings.from_file(tmp_path / "stage_settings.json")


def test_the_fixture_has_the_form_of_the_file(tmp_path: Path) -> None:
    assert StageSettings.from_file(write(tmp_path, STAGE_SETTINGS.to_json())) == STAGE_SETTINGS
