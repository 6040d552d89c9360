"""The dials of Bedrock."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class BedrockDials:
    """What goes wrong. A dial whose name ends in `next` counts the next calls that it acts on.

    `slow_seconds`: how long an answer takes. `not_enabled`: ids of models without access. `guardrails`: the guardrails
    that exist, each as id:version.

    Refused calls: `throttle_next`, `not_ready_next`, `timeout_next`, `model_error_next`, `own_fault_next` and
    `unavailable_next`.

    Spoiled answers: `guardrail_next` (only for requests with a guardrail) and `content_filtered_next` end an answer,
    `cut_next` cuts it as `maxTokens` does, `malformed_json_next` breaks its JSON, `schema_broken_next` its form,
    `prose_next` puts words around its JSON. `evidence_invented_next` cites utterances that do not exist,
    `facts_invented_next` adds a name, a number and a date that nobody said, `other_language_next` writes another
    language, `obeys_injection_next` obeys the orders in the conversation, `oversized_next` answers 10 MB.
    """

    slow_seconds: float = 0.0
    not_enabled: list[str] = field(default_factory=list)
    guardrails: list[str] = field(default_factory=list)
    throttle_next: int = 0
    not_ready_next: int = 0
    timeout_next: int = 0
    model_error_next: int = 0
    own_fault_next: int = 0
    unavailable_next: int = 0
    guardrail_next: int = 0
    content_filtered_next: int = 0
    cut_next: int = 0
    malformed_json_next: int = 0
    schema_broken_next: int = 0
    prose_next: int = 0
    evidence_invented_next: int = 0
    facts_invented_next: int = 0
    other_language_next: int = 0
    obeys_injection_next: int = 0
    oversized_next: int = 0
