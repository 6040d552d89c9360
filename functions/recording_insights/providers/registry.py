"""The providers there are: one row each, read at synth and by the functions.

Nothing heavy is imported here: an adapter is loaded when it is asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from recording_insights.errors import InvalidRequest
from recording_insights.providers.port import Provider
from recording_insights.secrets import read_secret
from recording_insights.settings import FunctionSettings

Check = Callable[[Any], str | None]
"""Says what is wrong with a value, None if nothing."""


def one_or_more_of(*allowed: str) -> Check:
    """A non-empty list of different names out of `allowed`."""

    def check(value: Any) -> str | None:
        if isinstance(value, list) and value and all(isinstance(v, str) and v in allowed for v in value):
            return None if len(set(value)) == len(value) else "must not name anything twice"
        return f"must be a list of one or more of {', '.join(allowed)}"

    return check


def words(*, most: int) -> Check:
    """A list of up to `most` non-empty texts of at most 100 characters."""

    def check(value: Any) -> str | None:
        texts = isinstance(value, list) and all(isinstance(v, str) and 0 < len(v.strip()) <= 100 for v in value)
        return None if texts and len(value) <= most else f"must be a list of up to {most} words or phrases"

    return check


def whole_number(lowest: int, highest: int) -> Check:
    """A whole number in a range, both ends included."""

    def check(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
        return None if fits else f"must be a whole number from {lowest} to {highest}"

    return check


@dataclass(frozen=True)
class Row:
    """One provider: its adapter `module:class`, the keys of its secret, its options with their checks."""

    adapter: str
    secret_keys: tuple[str, ...]
    options: Mapping[str, Check]


PROVIDERS: Mapping[str, Row] = {
    "marsview": Row(
        adapter="marsview:Marsview",
        secret_keys=("apiKey", "apiSecret", "userId"),
        options={
            "models": one_or_more_of(
                "speech_to_text",
                "sentiment_analysis",
                "emotion_analysis",
                "speech_type_analysis",
                "action_items",
                "question_response",
                "extractive_summary",
                "meeting_topics",
            ),
            "custom_vocabulary": words(most=500),
            "speakers": whole_number(1, 20),
        },
    ),
}


def validate_options(provider: str, options: Any) -> None:
    """Check a provider's options, from CDK context or from a request.

    Raises:
        InvalidRequest: names the option (`options.models`) and what it may be.
    """
    if not isinstance(options, dict):
        raise InvalidRequest("options", "must be an object")
    checks = PROVIDERS[provider].options
    for name, value in options.items():
        if name not in checks:
            raise InvalidRequest(f"options.{name}", f"{provider} has only the options {', '.join(checks)}")
        if fault := checks[name](value):
            raise InvalidRequest(f"options.{name}", fault)


def load_provider(name: str, settings: FunctionSettings) -> Provider:
    """The adapter of a provider, wired to its secret and its base URL."""
    from recording_insights.providers.vendor_http import VendorHttp

    row = PROVIDERS[name]
    module_name, _, class_name = row.adapter.partition(":")
    module = import_module(f"recording_insights.providers.{module_name}")
    secret = settings.secret_name(name)

    def credentials(fresh: bool) -> Mapping[str, str]:
        return read_secret(secret, row.secret_keys, fresh=fresh)

    http = VendorHttp(name.capitalize(), settings.base_urls.get(name, module.BASE_URL).rstrip("/"))
    provider: Provider = getattr(module, class_name)(http, credentials)
    return provider
