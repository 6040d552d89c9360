from dataclasses import replace
from typing import Any

import pytest

from recording_insights.aws.secrets import SharedToken
from recording_insights.errors import CredentialsRefused, InvalidRequest
from recording_insights.providers import registry
from recording_insights.providers.adapters.marsview.calls import DEFAULT_MODELS
from recording_insights.providers.adapters.ringcentral.calls import ENCODINGS
from recording_insights.providers.registry import (
    PROVIDERS,
    capabilities_of,
    formats_of,
    load_provider,
    options_in,
    receives_webhooks,
    uploads_result,
    validate_options,
    why_outside,
)
from recording_insights.providers.toolkit import http
from recording_insights.residency import RESIDENCIES
from recording_insights.settings import VendorSettings
from tests.unit.fakes import FakeVendorSession
from tests.unit.providers.adapters.marsview_scene import JOB, LOGIN, SECRET, WRONG_SECRET

SETTINGS = VendorSettings("dev", {})


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_can_be_loaded_and_answers_to_the_port(name: str) -> None:
    provider = load_provider(name, SETTINGS)

    assert provider.capabilities.pace
    for method in ("submit", "poll", "fetch", "read_insights"):
        assert callable(getattr(provider, method))


@pytest.mark.parametrize(
    ("base_urls", "url"),
    [
        ({}, "https://api.marsview.ai"),
        ({"marsview": "http://localhost:9000/marsview/"}, "http://localhost:9000/marsview"),
        ({"agora": "http://localhost:9000/agora"}, "https://api.marsview.ai"),
    ],
)
def test_the_base_url_is_a_setting(base_urls: dict[str, str], url: str) -> None:
    provider: Any = load_provider("marsview", replace(SETTINGS, base_urls=base_urls))

    assert provider._http.base_url == url


@pytest.mark.parametrize(
    ("name", "residency", "url"),
    [
        ("deepgram", "EU", "https://api.eu.deepgram.com"),
        ("deepgram", "US", "https://api.us.deepgram.com"),
        ("deepgram", None, "https://api.deepgram.com"),
        ("assemblyai", "EU", "https://api.eu.assemblyai.com"),
        ("assemblyai", "US", "https://api.assemblyai.com"),
        # A job that was submitted before the stack had the residency.
        ("symbl", None, "https://api.symbl.ai"),
    ],
)
def test_a_job_stays_at_the_host_of_its_residency(name: str, residency: str | None, url: str) -> None:
    provider: Any = load_provider(name, replace(SETTINGS, residency="EU"), residency)

    assert provider._http.base_url == url


@pytest.mark.parametrize("residency", RESIDENCIES)
def test_who_is_inside_of_a_residency_is_documented(residency: str) -> None:
    inside = {name for name in PROVIDERS if not why_outside(name, residency)}

    assert inside == {"assemblyai", "deepgram", "transcribe"}
    for name in inside - {"transcribe"}:
        entry = PROVIDERS[name]
        assert entry.hosts[residency].source.startswith("https://")
        validate_options(name, dict(options_in(name, residency)))
    assert why_outside("gone", residency) == f"gone documents no host that keeps data in the residency {residency}"


def test_without_a_residency_nobody_is_outside() -> None:
    assert not [name for name in (*PROVIDERS, "gone") if why_outside(name, None) or options_in(name, None)]


@pytest.mark.parametrize("base_url", ["", "http://api.test", "https://api.test/", "https://api.test/v1", "api.test"])
def test_a_base_url_is_https_and_a_host(base_url: str) -> None:
    with pytest.raises(ValueError, match="is not https:// and a host"):
        replace(PROVIDERS["marsview"], base_url=base_url)


@pytest.mark.parametrize(("name", "base_url"), [("marsview", None), ("transcribe", "https://api.test")])
def test_a_vendor_has_base_url_and_secret_and_a_service_of_aws_has_neither(name: str, base_url: str | None) -> None:
    with pytest.raises(ValueError, match="a vendor has a base URL and a secret"):
        replace(PROVIDERS[name], base_url=base_url)


def test_a_refused_secret_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[tuple[str, tuple[str, ...], bool]] = []

    def read(name: str, keys: tuple[str, ...], *, fresh: bool) -> Any:
        reads.append((name, keys, fresh))
        return SECRET

    session = FakeVendorSession({LOGIN: [WRONG_SECRET, WRONG_SECRET]})
    monkeypatch.setattr(registry, "read_secret", read)
    monkeypatch.setattr(http, "_session", lambda: session)

    with pytest.raises(CredentialsRefused):
        load_provider("marsview", SETTINGS).poll(JOB, None)

    secret = "recording-insights/dev/marsview", ("apiKey", "apiSecret", "userId")
    assert reads == [(*secret, False), (*secret, True)]


def test_whose_access_token_all_workers_share() -> None:
    assert [name for name, entry in PROVIDERS.items() if entry.shares_token] == ["ringcentral"]
    ringcentral: Any = load_provider("ringcentral", SETTINGS)
    assert ringcentral._token._shared == SharedToken("recording-insights/dev/ringcentral")


def test_who_receives_webhooks() -> None:
    assert {name for name in PROVIDERS if receives_webhooks(name)} == {"assemblyai", "symbl", "ringcentral", "seameet"}


def test_whose_callbacks_may_be_results() -> None:
    assert {name for name in PROVIDERS if capabilities_of(name).callback_is_result} == {"ringcentral", "seameet"}
    assert {name for name in PROVIDERS if uploads_result(name)} == {"deepgram"}


def test_who_signs_callbacks_with_a_key_of_its_own() -> None:
    assert {name: entry.webhook_key for name, entry in PROVIDERS.items() if entry.webhook_key} == {
        "seameet": "webhookSecret"
    }
    assert not [name for name, entry in PROVIDERS.items() if entry.webhook_key in entry.secret_keys]


def test_the_usual_models_are_allowed_models() -> None:
    validate_options("marsview", {"models": list(DEFAULT_MODELS)})


@pytest.mark.parametrize("options", [{}, {"speakers": 20}, {"custom_vocabulary": []}, {"custom_vocabulary": ["a b"]}])
def test_sound_options_pass(options: dict[str, Any]) -> None:
    validate_options("marsview", options)


@pytest.mark.parametrize("options", [None, [], "models", 7])
def test_options_are_an_object(options: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^options: must be an object"):
        validate_options("marsview", options)


def test_a_wrong_option_is_named() -> None:
    with pytest.raises(InvalidRequest) as raised:
        validate_options("marsview", {"speakers": 2.0})

    assert raised.value.field == "options.speakers"


@pytest.mark.parametrize("name", PROVIDERS)
def test_everybody_takes_what_is_made_of_a_track(name: str) -> None:
    formats = PROVIDERS[name].formats
    assert {"mp4", "mp3", "wav"} <= formats.suffixes == formats_of(name)
    assert formats.source.startswith("https://")


@pytest.mark.parametrize("name", PROVIDERS)
def test_formats_are_suffixes_without_the_dot(name: str) -> None:
    assert all(suffix.isalnum() and suffix == suffix.lower() for suffix in formats_of(name))


def test_ringcentral_has_an_encoding_for_each_of_its_formats() -> None:
    assert ENCODINGS.keys() == formats_of("ringcentral")
