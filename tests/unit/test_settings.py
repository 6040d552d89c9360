import pytest

from recording_insights.errors import SettingsInvalid
from recording_insights.settings import FunctionSettings, IntakeSettings
from tests.unit.environment import ENVIRONMENT


def test_the_environment_is_read_by_type() -> None:
    settings = FunctionSettings.from_env({**ENVIRONMENT, "UNRELATED": "x"})

    assert settings.provider_options == {"marsview": {"speakers": 2}}
    assert (settings.providers, settings.failover) == (["marsview", "deepgram"], ["deepgram"])
    assert settings.base_urls == {}
    assert (settings.submit_ceiling_minutes, settings.poll_ceiling_minutes, settings.link_minutes) == (60, 240, 45)
    assert settings.secret_name("agora") == "recording-insights/dev/agora"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    assert FunctionSettings.from_env() == FunctionSettings.from_env(ENVIRONMENT)


@pytest.mark.parametrize("name", ENVIRONMENT)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    environment = {**ENVIRONMENT, name: value or ""}
    if value is None:
        del environment[name]

    with pytest.raises(SettingsInvalid, match=rf"^{name} is missing$"):
        FunctionSettings.from_env(environment)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LINK_MINUTES", "soon", "is not a whole number"),
        ("LINK_MINUTES", "-5", "is not a whole number"),
        ("LINK_MINUTES", "1.5", "is not a whole number"),
        ("LINK_MINUTES", "²", "is not a whole number"),
        ("BASE_URLS", "http://localhost", "is not a JSON object"),
        ("BASE_URLS", "[]", "is not a JSON object"),
        ("PROVIDERS", "{}", "is not a JSON list"),
        ("PROVIDER_OPTIONS", "null", "is not a JSON object"),
    ],
)
def test_a_malformed_variable_is_named(name: str, value: str, fault: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"^{name} {fault}$"):
        FunctionSettings.from_env({**ENVIRONMENT, name: value})


def test_all_faults_come_in_one_message() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        IntakeSettings.from_env({**ENVIRONMENT, "STAGE": "", "LINK_MINUTES": "x"})

    assert str(raised.value) == (
        "STAGE is missing; LINK_MINUTES is not a whole number; WORKFLOW_ARN is missing; PREFIX_PROVIDERS is missing"
    )
