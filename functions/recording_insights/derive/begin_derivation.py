"""A transcript is ready: keep what a model is to read, and start the execution that derives insights from it."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, Protocol

from recording_insights.aws.reply_bucket import DERIVED
from recording_insights.bounded import parse_bounded
from recording_insights.derive.brief import Brief, default_kinds
from recording_insights.derive.lines import Line, digest_of
from recording_insights.derive.prompt import PROMPT_VERSION
from recording_insights.errors import ReplyTooLarge
from recording_insights.model.status import ERASING
from recording_insights.recordings.shown_line import shown_line
from recording_insights.recordings.transcript import whole_transcript
from recording_insights.store.derivations import DerivationStore
from recording_insights.store.insights import Collection, InsightStore
from recording_insights.store.rows import Derivation, DerivedRow


class Start(Protocol):
    """Starts an execution, unless there is one of this name."""

    def __call__(self, *, name: str, state: str) -> object: ...


def begin_derivation(
    recording_id: str,
    *,
    store: DerivationStore,
    insights: InsightStore,
    stage: Brief,
    keep: Callable[[str, bytes], None],
    start: Start,
) -> str | None:
    """Start the execution that derives what a recording wants, and return its name; None if it wants nothing more.

    `stage` is the brief of the stage: what a recording does not say. Without kinds, those that its providers do not
    find. What the model is to read is kept first, so that a correction made meanwhile changes nothing. A repeated
    event leads to the same row and the same execution.
    """
    recording = store.recordings.find(recording_id)
    if recording is None or recording["status"] == ERASING or recording.get("insights") != "pending":
        return None
    number = recording["derivations"]
    row = store.find(recording_id)
    if row is None or row["number"] < number:
        collection = insights.read(recording_id)
        brief = brief_of(collection, recording.get("derivation", {}), stage)
        lines = lines_of(collection)
        digest = digest_of(lines, brief)
        with suppress(ReplyTooLarge):  # then the execution finds nothing to read, and says so
            keep(key_of(recording_id, digest, number, "conversation"), written(lines, brief))
        given: dict[str, Any] = {"model": brief.model, "language": brief.language, "kinds": list(brief.kinds)}
        name = f"{recording_id[:32]}-{digest[:12]}-{number}"
        row = store.begin(
            recording_id, number=number, digest=digest, execution=name, prompt_version=PROMPT_VERSION, **given
        )
        row = row or store.find(recording_id)
    if row is None or row["state"] != "pending":
        return None
    start(name=row["execution"], state=json.dumps(input_of(row)))
    return row["execution"]


def brief_of(collection: Collection, derivation: Derivation, stage: Brief) -> Brief:
    """Return the brief of a recording: what it does not say itself is the stage's."""
    providers = {row["provider"] for row in collection.media.values() if "provider" in row}
    kinds = derivation.get("kinds") or stage.kinds or default_kinds(sorted(providers))
    return replace(
        stage,
        kinds=tuple(kinds),
        language=derivation.get("language", stage.language),
        prompt="\n\n".join(filter(None, (stage.prompt, derivation.get("prompt", "")))),
    )


def lines_of(collection: Collection) -> list[Line]:
    """Return the lines of a recording as its callers see them: corrected, with names and ids."""
    speakers = collection.recording.get("speakers", {})
    shown = (shown_line(line, speakers) for line in whole_transcript(collection).lines)
    return [
        Line(line["id"], line.get("speaker_name") or line.get("speaker", ""), line["text"], line.get("start_ms"))
        for line in shown
        if "id" in line and line["text"].strip()
    ]


def input_of(row: DerivedRow) -> dict[str, Any]:
    """Return the input of that execution."""
    return {name: row[name] for name in ("recording_id", "digest", "number")}


def key_of(recording_id: str, digest: str, number: int, name: str) -> str:
    """Return the key of an object that an execution keeps in the replies bucket."""
    return f"{DERIVED}{recording_id}/{digest}/{number}/{name}.json"


def written(lines: Sequence[Line], brief: Brief) -> bytes:
    """Return what a model is to read, and what is wanted of it, as an object holds it."""
    spoken = [[line.id, line.speaker, line.text, line.start_ms] for line in lines]
    return json.dumps({"brief": asdict(brief), "lines": spoken}, ensure_ascii=False).encode()


def read(content: bytes) -> tuple[list[Line], Brief]:
    """Return what `written` wrote."""
    given: Mapping[str, Any] = parse_bounded(content)
    return [Line(*line) for line in given["lines"]], Brief(**given["brief"])
