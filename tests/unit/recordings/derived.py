"""A recording with what a model derived from it, as it lies in the table."""

from typing import Any

from recording_insights.model.derived import Statement
from recording_insights.model.insights import Insights, Utterance
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import derived_key, media_key, recording_key, statement_key
from recording_insights.store.numbers import encode

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
DIGEST = "0123456789abcdef"
LINES = (
    Utterance("We ship on Friday.", "A", 0, 2_000),
    Utterance("Who tells Ada?", "B", 65_000, 66_000),
    Utterance("I do, by Monday.", "A", 3_600_000, 3_601_000),
)
FOUND = {
    "title": [Statement("Ship on Friday", ["m-0-1"])],
    "short_summary": [Statement("It ships on Friday.", ["m-0-1"])],
    "summary": [Statement("It ships on Friday.\nA tells Ada.", ["m-0-1", "m-0-3"])],
    "topics": [Statement("shipping", ["m-0-1"])],
    "chapters": [Statement("The date", ["m-0-1"], start_ms=0), Statement("Who tells", ["m-0-2"], start_ms=65_000)],
    "action_items": [Statement("Tell Ada", ["m-0-2", "m-0-3"], assignee="A", due="by Monday")],
    "questions": [Statement("Who tells Ada?", ["m-0-2"], answer="A")],
    "decisions": [Statement("Ship on Friday", ["m-0-1"])],
}
FIGURES = {"model": "example.model-v1:0", "prompt_version": "1", "calls": 2, "tokens_in": 900, "tokens_out": 80}


def put_derived(
    table: Any,
    found: dict[str, list[Statement]],
    *,
    digest: str = DIGEST,
    state: str = "done",
    derivation: bool = True,
    recording: dict[str, Any] | None = None,
    insights: Insights | None = None,
    number_of_try: int = 0,
    has_outline: bool = True,
    media: dict[str, Any] | None = None,
    **figures: Any,
) -> None:
    """Write a recording of one media object `m`, with statements of `DIGEST` about its first try."""
    of_recording = {"recording_id": R, "status": "done", "provider": "transcribe", "version": 1, "insights": state}
    wanted: dict[str, Any] = {"derivation": {}} if derivation else {}
    table.put_item(Item={**recording_key(R), **of_recording, **wanted, **(recording or {})})
    saved = InsightStore(table).save(R, "m", number_of_try, insights or Insights(LINES))
    outline = {"outline": saved.outline} if has_outline else {}
    row = {"recording_id": R, "media_id": "m", "key": "m", "status": "done", "arrived_at": "2026-03-12"}
    of_try = {"provider": "transcribe", "shown_try": number_of_try, "counts": saved.counts, **outline}
    table.put_item(Item={**media_key(R, "m"), **row, **of_try, **(media or {})})
    counts = {kind: len(statements) for kind, statements in found.items()}
    derived = {
        "counts": counts,
        "digest": digest,
        "state": state,
        "number": 1,
        "slot": 3,
        "provider": "bedrock",
        **FIGURES,
        **figures,
    }
    table.put_item(Item=encode({**derived_key(R), **derived}))
    for kind, statements in found.items():
        for number, statement in enumerate(statements, start=1):
            table.put_item(Item={**statement_key(R, DIGEST, kind, number), **encode(statement.to_map())})
