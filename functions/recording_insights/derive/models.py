"""What the families of models take of Converse, by the beginning of the model's id.

Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html (models with an output format),
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html (models with a forced tool) and
https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html (the page of each model has its output).
A form that a model refuses is not asked for again: the next one is tried.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Form = Literal["text_format", "tool", "plain"]
"""How an answer in JSON is asked for: by `outputConfig.textFormat`, by a tool that must be used, by words only."""
FORMS: tuple[Form, ...] = ("text_format", "tool", "plain")
"""In the order in which they are tried."""


@dataclass(frozen=True)
class Family:
    """Models that take the same: the first form to try, the tokens that an answer may have, and whether a temperature.

    Claude Opus 4.7 and later models refuse one: https://github.com/promptfoo/promptfoo/issues/10307.
    """

    form: Form = "text_format"
    output_tokens: int = 4096
    takes_temperature: bool = False


_UNKNOWN = Family()
_FAMILIES: Mapping[str, Family] = {
    "anthropic.claude-3-5": Family("tool", 8192, True),
    "anthropic.claude-3-7": Family("tool", 8192, True),
    "anthropic.claude-3-": Family("tool", 4096, True),
    "anthropic.claude-sonnet-4-2025": Family("tool", 8192, True),
    "anthropic.claude-opus-4-2025": Family("tool", 8192, True),
    "anthropic.claude-opus-4-1": Family("tool", 8192, True),
    "anthropic.claude-haiku-4-5": Family("text_format", 8192, True),
    "anthropic.claude-sonnet-4-5": Family("text_format", 8192, True),
    "anthropic.": Family("text_format", 8192),
    "amazon.nova-": Family("tool", 8192, True),
    "meta.": Family("plain", 4096, True),
    "openai.": Family("text_format", 8192),
}
_GEOGRAPHY = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|global)\.")


def foundation_model(model: str) -> str:
    """Return the id of the model in an id or an ARN, without the geography of its profile.

    The ARN of an application profile does not name its model: it is returned as it is.
    """
    if ":application-inference-profile/" in model:
        return model
    return _GEOGRAPHY.sub("", model.rpartition("/")[2], count=1)


def is_of_geography(model: str) -> bool:
    """Whether an id or an ARN names a system profile of a geography, not a global one."""
    geography = _GEOGRAPHY.match(model.rpartition("/")[2])
    return geography is not None and geography[1] != "global"


def family_of(model: str) -> Family:
    """Return what a model takes. An unknown one gets the first form, and an output that every model has."""
    name = foundation_model(model)
    return next((family for prefix, family in _FAMILIES.items() if name.startswith(prefix)), _UNKNOWN)
