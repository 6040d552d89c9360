"""The environment of a function: the variables of its settings, within the limit that Lambda sets."""

import json
import re
from collections.abc import Mapping

from recording_insights.errors import SettingsInvalid
from recording_insights.settings import FunctionSettings

LARGEST_ENVIRONMENT = 4096
"""Bytes of all variables as a JSON object, which is the text that Lambda measures.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, and the text "String measured:" in
https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594
"""
LONGEST_VALUE = 256
"""Characters counted for a token of the CDK. At deploy it becomes a name or an ARN of the stack, which is shorter."""

_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
_CONTEXT_KEYS = {
    "BASE_URLS": "the <vendor>BaseUrl settings",
    "PROVIDERS": "otherProviders, failover or prefixProviders",
    "FAILOVER": "failover",
    "WEBHOOK_URL": "webhookBaseUrl",
}
"""Variables without a limit on their length, and the context keys that they come from."""


def metrics_namespace(stage: str) -> str:
    """The namespace of a stage's measures in CloudWatch."""
    return f"RecordingInsights/{stage}"


def function_environment(module: str, settings: FunctionSettings, *, stage: str) -> dict[str, str]:
    """The variables of a function's settings, the level of its log, and the namespace of its measures.

    Raises:
        SettingsInvalid: Lambda would refuse the environment at deploy, because it is too large.
    """
    variables = {
        **settings.to_env(),
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_METRICS_NAMESPACE": metrics_namespace(stage),
    }
    size = _measured(variables)
    if size > LARGEST_ENVIRONMENT:
        largest = max(variables, key=lambda name: _measured({name: variables[name]}))
        shorten = _CONTEXT_KEYS.get(largest, largest)
        raise SettingsInvalid(
            f"{module}: its environment has {size} bytes, Lambda allows {LARGEST_ENVIRONMENT}; the largest variable is "
            f"{largest} with {_measured({largest: variables[largest]})} bytes: shorten {shorten}"
        )
    return variables


def _measured(variables: Mapping[str, str]) -> int:
    """The bytes of variables as Lambda measures them, with tokens at their longest."""
    text = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    return len(_TOKEN.sub("x" * LONGEST_VALUE, text).encode())
