"""The settings of the local stack: what is fixed, what is the default, and what the user gave."""

import json
import shlex
from collections.abc import Mapping

from sandbox.cloud.location import Location
from sandbox.stand_ins.vendors.registry import vendors

STAGE = "local"
# A provider that is alive, and the one of those that finds most by default: summary, topics and sentiment.
DEFAULTS: Mapping[str, str] = {"provider": "deepgram", "insightsModel": "amazon.nova-lite-v1:0"}
"""Settings of a local stack for which the user gave none. A stage on AWS has no default provider."""

_FIXED = ("stage",)


class ContextError(Exception):
    """The settings cannot be used. The text says which one, and what is allowed."""


def parse_context(text: str) -> dict[str, str]:
    """Parse `provider=symbl pollCeilingMinutes=5` to settings. Quotes as in a shell keep blanks.

    Raises:
        ContextError: a word has no "=", a quote is not closed, or a setting cannot be changed in the local stack.
    """
    context = {}
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ContextError(f"--context {text!r}: {error}. Close every quote.") from error
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise ContextError(
                f'--context {word!r} is not of the form key=value. Example: "provider=symbl linkMinutes=30"'
            )
        if key in _FIXED:
            raise ContextError(f"{key} cannot be set here: the local stack is always the stage {STAGE!r}.")
        context[key] = value
    return context


def full_context(location: Location, context: Mapping[str, str]) -> dict[str, str]:
    """Complete the user's settings: every vendor is a stand-in, and calls back to the local cloud.

    An empty text leaves a default out: `insightsModel=` is a stack without a model.
    """
    base_urls = {f"{vendor}BaseUrl": f"{location.sandbox_url}/{vendor}" for vendor in ("agora", *vendors())}
    settings = {"stage": STAGE, **DEFAULTS, "webhookBaseUrl": location.api_url, **base_urls, **context}
    return {key: value for key, value in settings.items() if value or key not in DEFAULTS}


def tests_context() -> dict[str, str]:
    """Return the settings of the deployed tests' stack: every provider, for a prefix of its own or in a request."""
    default = "marsview"
    prefixes = {**{f"via/{name}/": name for name in vendors()}, "via/two/": "symbl,transcribe"}
    return {
        "provider": default,
        "otherProviders": ",".join(name for name in vendors() if name != default),
        "prefixProviders": json.dumps(prefixes),
        "giveUpHours": "1",
        "queueDays": "1",
        "pollCeilingMinutes": "20",
        "lateFilesMinutes": "5",
        "sweepMinutes": "0",
        "callbackWaitSeconds": "120",
    }
