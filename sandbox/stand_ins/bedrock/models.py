"""The models of this Bedrock: some that differ in what Converse lets them do.

Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html and the page of each model (context,
output, profiles), https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html (output format),
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html (tool choice). Nova and Llama refuse
`outputConfig`, and Llama and gpt-oss a forced tool: seen in the errors that users of them quote.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.stand_ins.bedrock.errors import ConverseError, invalid

_EVERY_GEOGRAPHY = frozenset({"us", "eu", "apac", "jp", "au", "global"})
_OLD_GEOGRAPHIES = frozenset({"us", "eu", "apac"})


@dataclass(frozen=True)
class Model:
    """A foundation model: most tokens of input and output, and what of Converse it has.

    `geographies` are its system profiles. `on_demand`: its own id works, without a profile. `text_format`: it has
    `outputConfig` and strict tools. `tool_choices`: which of `toolChoice` it has beside `auto`.
    """

    id: str
    context_tokens: int
    output_tokens: int
    geographies: frozenset[str] = frozenset()
    on_demand: bool = False
    text_format: bool = False
    tool_choices: frozenset[str] = frozenset({"any", "tool"})

    @property
    def is_claude(self) -> bool:
        """Whether the rules of Anthropic's API count too."""
        return self.id.startswith("anthropic.")


MODELS: Mapping[str, Model] = {
    model.id: model
    for model in (
        Model("anthropic.claude-haiku-4-5-20251001-v1:0", 200_000, 64_000, _EVERY_GEOGRAPHY, text_format=True),
        Model("anthropic.claude-sonnet-4-5-20250929-v1:0", 200_000, 64_000, _EVERY_GEOGRAPHY, text_format=True),
        Model("anthropic.claude-sonnet-4-20250514-v1:0", 200_000, 64_000, _OLD_GEOGRAPHIES | {"global"}),
        Model("anthropic.claude-3-haiku-20240307-v1:0", 200_000, 4_096, _OLD_GEOGRAPHIES, on_demand=True),
        Model("amazon.nova-micro-v1:0", 128_000, 10_000, _OLD_GEOGRAPHIES, on_demand=True),
        Model("amazon.nova-lite-v1:0", 300_000, 10_000, _OLD_GEOGRAPHIES, on_demand=True),
        Model("amazon.nova-pro-v1:0", 300_000, 10_000, _OLD_GEOGRAPHIES, on_demand=True),
        Model("meta.llama3-3-70b-instruct-v1:0", 128_000, 8_192, frozenset({"us"}), tool_choices=frozenset()),
        Model(
            "openai.gpt-oss-120b-1:0",
            *(128_000, 128_000),
            on_demand=True,
            text_format=True,
            tool_choices=frozenset({"any"}),
        ),
    )
}
ENDED = frozenset({"anthropic.claude-v2:1", "anthropic.claude-instant-v1"})
"""Models that had their day. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html"""


def model_named(model_id: str, foundation_model: str, geography: str) -> Model:
    """Return the model that a request names. The local cloud has found out what the id stands for.

    Raises:
        ConverseError: there is no such model, or not by this way. An ARN that names nothing is "not found", any other
            id is invalid: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
    """
    if foundation_model in ENDED:
        raise ConverseError("ResourceNotFoundException", "This model version has reached the end of its life.")
    model = MODELS.get(foundation_model)
    if model is None or (geography and geography not in model.geographies):
        if model_id.startswith("arn:"):
            raise ConverseError(
                "ResourceNotFoundException", "The specified resource ARN was not found. Check the ARN and try again."
            )
        raise invalid("The provided model identifier is invalid.")
    if not model.on_demand and not geography:
        raise invalid(
            f"Invocation of model ID {foundation_model} with on-demand throughput isn’t supported. Retry your request "
            "with the ID or ARN of an inference profile that contains this model."
        )
    return model
