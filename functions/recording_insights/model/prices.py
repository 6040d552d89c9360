"""List prices in US dollars: those of AWS in us-east-1, of the providers for audio, of the models for tokens.

They leave free tiers, discounts and taxes out. Each has its date and its source, because prices change.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """A list price: `dollars` for `per` units, as the page has it.

    `as_of` is the day on which the price was read, or that of the dated copy it was read from (ISO 8601).
    """

    dollars: float
    per: int
    as_of: str
    source: str

    def of(self, units: float) -> float:
        """Return the dollars for so many units."""
        return units * self.dollars / self.per


_MINUTE, _HOUR = 60, 3600
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"

TRANSITION = Price(25, 1_000_000, "2026-11-28", "https://aws.amazon.com/step-functions/pricing/")
"""A state transition of a standard workflow."""
CALL = Price(0.20, 1_000_000, "2026-09-13", _LAMBDA)
"""A call of a function, without its time."""

AWS: Mapping[str, Price] = {
    "state transition": TRANSITION,
    "call of a function": CALL,
    "GB-second of a function on arm64": Price(0.0000133334, 1, "2026-09-13", _LAMBDA),
    "write unit of the table": Price(0.625, 1_000_000, "2026-09-13", _DYNAMODB),
    "read unit of the table": Price(0.125, 1_000_000, "2026-09-13", _DYNAMODB),
    "PUT or LIST of S3": Price(0.005, 1_000, "2026-11-28", _S3),
    "GET or HEAD of S3": Price(0.0004, 1_000, "2026-11-28", _S3),
    "event of S3": Price(1, 1_000_000, "2026-09-24", "https://aws.amazon.com/eventbridge/pricing/"),
    "request of the HTTP API": Price(1, 1_000_000, "2026-09-20", "https://aws.amazon.com/api-gateway/pricing/"),
    "read of a secret": Price(0.05, 10_000, "2026-09-20", _SECRETS),
    "month of a secret": Price(0.4, 1, "2026-09-20", _SECRETS),
    "month of a key": Price(1, 1, "2026-06-13", "https://aws.amazon.com/kms/pricing/"),
    "GB of logs": Price(0.5, 1, "2026-06-13", _CLOUDWATCH),
    "month of a metric": Price(0.3, 1, "2026-06-13", _CLOUDWATCH),
    "month of an alarm": Price(0.1, 1, "2026-06-13", _CLOUDWATCH),
    "month of a dashboard": Price(3, 1, "2026-06-13", _CLOUDWATCH),
}
"""What AWS charges for one unit, of the first tier if there are several.

A recording's cost takes the first two, whose numbers its rows have. Events of S3 cost, because a bucket sends them to
EventBridge only if it is told to; events of other services are free.
"""

PROVIDERS: Mapping[str, Price | None] = {
    # Universal-3.5 Pro, the first of the adapter's default models.
    "assemblyai": Price(0.21, _HOUR, "2026-10-07", "https://www.assemblyai.com/pricing"),
    # Copies of https://deepgram.com/pricing disagree on Nova-3 for files: $0.0043 a minute in May 2026, $0.0077 in
    # August. The adapter also asks for the speakers, which costs extra.
    "deepgram": None,
    # Batch, by the second. Source: `USE1-TranscribeAudio` of AWS's price list, published on 2026-09-11.
    "transcribe": Price(
        0.0001, 1, "2026-09-23", "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/transcribe/current/index.json"
    ),
    # Pay as you go, for the first 30,000 minutes of a month that are not free.
    "symbl": Price(0.027, _MINUTE, "2026-08-14", "https://symbl.ai/company/pricing/"),
    # These publish no price.
    "marsview": None,
    "ringcentral": None,
    "seameet": None,
}
"""What a provider charges for seconds of audio with the adapter's default model; None if that is not known."""


@dataclass(frozen=True)
class ModelPrice:
    """The list prices of a model on Amazon Bedrock, on demand, through its own id or a global profile.

    A profile of a geography, such as `eu.…`, costs `geography` times as much.
    """

    tokens_in: Price
    tokens_out: Price
    geography: float = 1.0


_MODELS = (
    "https://github.com/aws/agent-toolkit-for-aws, plugins/aws-startup-advisor/skills/llm-to-bedrock/scripts/"
    "bedrock_pricing.py, which copies https://aws.amazon.com/bedrock/pricing/"
)


def _model(dollars_in: float, dollars_out: float, geography: float = 1.0) -> ModelPrice:
    """In dollars for a million tokens."""
    return ModelPrice(
        Price(dollars_in, 1_000_000, "2026-10-05", _MODELS),
        Price(dollars_out, 1_000_000, "2026-10-05", _MODELS),
        geography,
    )


MODELS: Mapping[str, ModelPrice] = {
    "anthropic.claude-haiku-4-5-20251001-v1:0": _model(1, 5, 1.1),
    "anthropic.claude-sonnet-4-6": _model(3, 15, 1.1),
    "anthropic.claude-sonnet-5": _model(2, 10, 1.1),
    "anthropic.claude-opus-4-8": _model(5, 25, 1.1),
    "amazon.nova-micro-v1:0": _model(0.035, 0.14),
    "amazon.nova-lite-v1:0": _model(0.06, 0.24),
    "amazon.nova-pro-v1:0": _model(0.8, 3.2),
}
"""What Bedrock charges for the tokens of a model, by the id of the model without the geography of a profile.

A model that is not here has a price that was not found in a source of AWS: `insightsPricePerMillionTokens` gives it.
"""
