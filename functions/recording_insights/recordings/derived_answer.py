"""What a model derived from a recording, as the API shows it beside what the providers found.

A statement is shown while all lines that prove it are: those of another try, or of a transcript of before, are gone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from recording_insights.model.derived import LISTED, SINGLE, Statement
from recording_insights.recordings.derivation import OFF, WHY, state_of
from recording_insights.recordings.shown_line import LinePlace, line_id
from recording_insights.store.insights import Collection, number_shown

MODEL = "model"
"""The source of what a model derived. What a provider found has the provider's name."""
ENDED = ("done", "partial")
FIGURES = (
    *("model", "prompt_version", "ended_at", "calls", "tokens_in", "tokens_out", "cents"),
    *("dropped", "missing", "reason_code", "reason"),
)
"""The attributes of the row that `derived` shows."""


def state_shown(collection: Collection) -> dict[str, Any]:
    """Return the state of the insights, and why they are partial."""
    recording = collection.recording
    why = {name: value for name, value in recording.items() if name in WHY}
    return {"insights": state_of(recording), **why}


def derived_found(collection: Collection, summary: str | None) -> dict[str, Any]:
    """Return what was derived by kind, and under `derived` how: empty if nothing is derived.

    `summary` is that of the providers, which comes before the model's. The kinds that a conversation has once are
    texts, whose proof lies under `derived.evidence`.
    """
    state = state_of(collection.recording)
    if state == OFF:
        return {}
    statements = _proved(collection)
    single = {kind: statements[kind][0] for kind in SINGLE if kind in statements}
    if summary:
        single.pop("summary", None)
    figures = {name: value for name, value in collection.derived.items() if name in FIGURES}
    evidence = {kind: list(statement.evidence) for kind, statement in single.items()}
    derived = {"state": state, **figures, **({"evidence": evidence} if evidence else {})}
    listed = {kind: [_entry(each) for each in statements.get(kind, ())] for kind in LISTED}
    return {**{kind: statement.text for kind, statement in single.items()}, **listed, "derived": derived}


def _entry(statement: Statement) -> dict[str, Any]:
    return {**statement.to_map(), "source": MODEL}


def _proved(collection: Collection) -> dict[str, Sequence[Statement]]:
    """Return the statements by kind all whose lines are shown."""
    if collection.derived.get("state") not in ENDED:
        return {}
    lines = {media_id: _lines_of(collection, media_id) for media_id in collection.insights}
    proved = {
        kind: [each for each in statements if each.evidence and all(_is_there(line, lines) for line in each.evidence)]
        for kind, statements in collection.statements.items()
    }
    return {kind: statements for kind, statements in proved.items() if statements}


def _lines_of(collection: Collection, media_id: str) -> tuple[int, int]:
    """Return the try of a media object that is shown, and how many lines it has."""
    row = collection.media[media_id]
    outline = row.get("outline")
    lines = len(collection.insights[media_id].transcript) if outline is None else sum(outline["lines"])
    return number_shown(row), lines


def _is_there(id_of_line: str, lines: Mapping[str, tuple[int, int]]) -> bool:
    if not line_id.accepts(id_of_line):
        return False
    place = LinePlace.of_id(id_of_line)
    number_of_try, most = lines.get(place.media_id, (None, 0))
    return place.number_of_try == number_of_try and 1 <= place.line <= most
