"""The settings of the local stack."""

from pathlib import Path

import pytest

from infra.settings import StackSettings
from recording_insights.providers.registry import PROVIDERS
from sandbox.cloud import context as contexts
from sandbox.cloud.context import ContextError, full_context, parse_context
from sandbox.cloud.location import Location


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location(tmp_path, cloud_port=4601, sandbox_port=4602)


def test_context_is_parsed_as_words() -> None:
    assert parse_context('provider=symbl  pollCeilingMinutes=5 providerOptions=\'{"a": "b c"}\'') == {
        "provider": "symbl",
        "pollCeilingMinutes": "5",
        "providerOptions": '{"a": "b c"}',
    }
    assert parse_context("") == {}


@pytest.mark.parametrize("text", ["provider", "=5", "provider=symbl nonsense", "stage=prod", "provider='symbl"])
def test_malformed_context_is_refused(text: str) -> None:
    with pytest.raises(ContextError):
        parse_context(text)


def test_every_vendor_is_a_stand_in_unless_the_user_gives_its_address(location: Location) -> None:
    context = full_context(location, {"marsviewBaseUrl": "http://localhost:1", "linkMinutes": "30"})
    assert context["stage"] == "local"
    assert context["agoraBaseUrl"] == "http://localhost:4602/agora"
    assert context["marsviewBaseUrl"] == "http://localhost:1"
    assert context["linkMinutes"] == "30"


def test_the_default_provider_is_alive_and_can_be_replaced(location: Location) -> None:
    assert StackSettings.from_context(full_context(location, {})).provider == "deepgram"
    assert StackSettings.from_context(full_context(location, {"provider": "symbl"})).provider == "symbl"
    assert StackSettings.from_context(full_context(location, {"insightsModel": ""})).insights_model is None


def test_the_user_may_choose_another_provider_and_other_options(location: Location) -> None:
    context = {"provider": "marsview", "assemblyaiOptions": "{}"}
    settings = StackSettings.from_context(full_context(location, context))
    assert settings.provider == "marsview"
    assert settings.provider_options == {"assemblyai": {}}


def test_the_deployed_tests_can_choose_every_provider(location: Location) -> None:
    settings = StackSettings.from_context(full_context(location, contexts.tests_context()))
    assert {settings.provider, *settings.other_providers} == set(PROVIDERS)
    assert set(settings.prefix_providers) == {*(f"via/{name}/" for name in PROVIDERS), "via/two/"}
