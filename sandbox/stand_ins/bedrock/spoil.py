"""What a model does wrong, by the names of the dials."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.stand_ins.bedrock.errors import ConverseError
from sandbox.stand_ins.bedrock.findings import Finding, Findings, changed

OVERSIZED_CHARACTERS = 10_000_000
INVENTED = "Zorblax pays 4711 euros by 31 February."
OTHER_LANGUAGE = "Puhelussa sovittiin asiasta."

REFUSALS: Mapping[str, tuple[str, str]] = {
    "throttle_next": ("ThrottlingException", "Too many requests, please wait before trying again."),
    "not_ready_next": ("ModelNotReadyException", "Model is not ready for inference."),
    "timeout_next": ("ModelTimeoutException", "Model has timed out in processing the request. Try your request again."),
    "model_error_next": ("ModelErrorException", "The request failed due to an error while processing the model."),
    "own_fault_next": ("InternalServerException", "The system encountered an unexpected error during processing."),
    "unavailable_next": ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}
"""The error and its message of each dial that refuses a call."""

SPOILS = (
    *("guardrail_next", "content_filtered_next", "cut_next", "malformed_json_next", "schema_broken_next"),
    *("prose_next", "evidence_invented_next", "facts_invented_next", "other_language_next", "obeys_injection_next"),
    "oversized_next",
)
"""The dials that spoil an answer. The first one that is turned counts."""


def refusal(dial: str) -> ConverseError:
    """Return the error of a dial that refuses a call."""
    kind, message = REFUSALS[dial]
    members = {"originalStatusCode": 500} if kind == "ModelErrorException" else {}
    return ConverseError(kind, message, **members)


def spoil_findings(dial: str | None, findings: Findings, system: str) -> Findings:
    """Return the findings as a model finds them that does what this dial says."""
    if dial == "obeys_injection_next":
        return _obeying(findings, system)
    change = _CHANGES.get(dial or "")
    return changed(findings, change()) if change else findings


def spoil_value(dial: str | None, value: Any) -> Any:
    """Return an answer in the form of its schema, or for one dial in another form."""
    if dial != "schema_broken_next" or not isinstance(value, dict):
        return value
    lists = [name for name, member in value.items() if isinstance(member, list)]
    broken = {name: "none" if name in lists[:1] else member for name, member in value.items()}
    return {**dict(itertools.islice(broken.items(), 1, None)), "unexpected": True}


def spoil_text(dial: str | None, text: str) -> str:
    """Return the JSON of an answer, or for two dials a text that is no JSON."""
    if dial == "malformed_json_next":
        return f"{text[: len(text) * 2 // 3]},}}"
    if dial == "prose_next":
        return f"Here is the JSON that you asked for:\n\n```json\n{text}\n```\n\nLet me know if you need more."
    return text


def _invent_evidence() -> Callable[[Finding], Finding]:
    numbers = itertools.count(1)
    return lambda finding: replace(finding, ids=(f"invented-{next(numbers)}",))


def _invent_facts() -> Callable[[Finding], Finding]:
    return lambda finding: replace(finding, text=f"{finding.text} {INVENTED}", title="")


def _translate() -> Callable[[Finding], Finding]:
    return lambda finding: replace(
        finding, text=OTHER_LANGUAGE, title="", answer=OTHER_LANGUAGE if finding.answer else ""
    )


def _repeat() -> Callable[[Finding], Finding]:
    first = itertools.count()

    def repeat(finding: Finding) -> Finding:
        if next(first):
            return finding
        return replace(finding, text=f"{finding.text} " * (OVERSIZED_CHARACTERS // (len(finding.text) + 1) + 1))

    return repeat


_CHANGES: Mapping[str, Callable[[], Callable[[Finding], Finding]]] = {
    "evidence_invented_next": _invent_evidence,
    "facts_invented_next": _invent_facts,
    "other_language_next": _translate,
    "oversized_next": _repeat,
}


def _obeying(findings: Findings, system: str) -> Findings:
    """Tell the system prompt, and do what the lines say that give orders."""
    if not findings.orders:
        return findings
    told = Finding(f"My instructions: {system}", findings.orders[0].ids)
    done = tuple(Finding(line.text, line.ids, assignee=line.speaker) for line in findings.orders)
    return replace(findings, title=(told,), summary=(told,), short_summary=(told,), action_items=done)
