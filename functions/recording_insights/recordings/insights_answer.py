"""The response of GET /recordings/{id}/insights: one document from all media objects of a recording."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recording_insights.model.insights import LISTS, Utterance, mean_sentiment
from recording_insights.recordings.await_end import WAIT
from recording_insights.recordings.insights_timeline import PlacedInsights, conversation, place_insights
from recording_insights.recordings.track_names import distinct_names, track_prefix
from recording_insights.recordings.transcript_page import (
    cursor_of_page,
    lines_told,
    response_bytes,
    transcript_page,
)
from recording_insights.store.insights import Collection
from recording_insights.store.rows import RecordingRow
from recording_insights.validation import Reader

ANSWER_BYTES = 5_500_000
"""Of one response, as Lambda counts it; Lambda's limit is 6 MB. The cursor leads to the rest of the transcript.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

_TITLE = ("channel", "created_at")

INSIGHTS_PARAMETERS: Mapping[str, Reader[Any]] = {"cursor": cursor_of_page, "wait": WAIT}
"""The query parameters of insights."""


def whole_insights(recording_id: str, collection: Collection) -> dict[str, Any]:
    """Return all insights of the recording's finished media objects, with the whole transcript.

    `channel`, if it has one, and `created_at` say to people which recording it is.

    Raises:
        NotFound: there is no such recording.
    """
    answer = _answer(recording_id, collection, cursor=None, largest=None)
    return {**answer, **{name: value for name, value in collection.recording.items() if name in _TITLE}}


def answer_insights(recording_id: str, collection: Collection, *, cursor: str | None = None) -> dict[str, Any]:
    """Return all insights of the recording's finished media objects, in order, with one page of the transcript.

    The response has a `cursor` while there are more utterances. A media object that ends between two pages changes
    nothing about the lines before: each line is on one page, and its own lines are on the next one. Insights that no
    provider found are absent.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased, or is being erased.
        InvalidRequest: the cursor comes from no response.
    """
    return _answer(recording_id, collection, cursor=cursor, largest=ANSWER_BYTES)


def _answer(recording_id: str, collection: Collection, *, cursor: str | None, largest: int | None) -> dict[str, Any]:
    """Return an answer of at most `largest` bytes; None is any length."""
    collection.refuse_absent(recording_id)
    recording = collection.recording
    told = lines_told(cursor)
    speakers = recording.get("speakers", {})
    placed = list(place_insights(collection))
    lines = conversation(placed)
    answer: dict[str, Any] = {
        "recording_id": recording_id,
        "status": recording["status"],
        "stage": recording.get("stage"),
        "reason_code": recording.get("reason_code"),
        "reason": recording.get("reason"),
        "provider": _providers(placed, recording),
        "transcript": [],
        **_found(placed, [line.utterance for line in lines], distinct_names(speakers)),
    }
    room = None if largest is None else largest - response_bytes(answer)
    answer["transcript"], answer["cursor"] = transcript_page(lines, speakers, told=told, room=room)
    return {name: value for name, value in answer.items() if value is not None}


def _found(
    placed: Sequence[PlacedInsights], utterances: Sequence[Utterance], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return all insights but the transcript, by kind. None means that no provider found any of this kind."""
    every = [each.insights for each in placed]
    summaries = [
        track_prefix(each.media, names, ": ") + each.insights.summary for each in placed if each.insights.summary
    ]
    return {
        "summary": "\n\n".join(summaries) or None,
        **{kind: [entry.to_map() for insights in every for entry in getattr(insights, kind)] for kind in LISTS},
        "sentiment": every[0].sentiment if len(every) == 1 else mean_sentiment(utterances),
        "language": ", ".join(dict.fromkeys(found.language for found in every if found.language)) or None,
        "ratings": {
            track_prefix(each.media, names, " ") + name: value
            for each in placed
            for name, value in each.insights.ratings.items()
        },
        "missing": list(_missing(placed, names)) or None,
    }


def _providers(placed: Sequence[PlacedInsights], recording: RecordingRow) -> str:
    """Return the providers that found the insights: after a fail-over, not the recording's own."""
    providers = dict.fromkeys(each.media["provider"] for each in placed if "provider" in each.media)
    return ", ".join(providers) or recording["provider"]


def _missing(placed: Sequence[PlacedInsights], names: Mapping[str, str]) -> Iterator[str]:
    """Yield what providers did not deliver, then which sound never arrived."""
    for each in placed:
        yield from each.insights.missing
    for each in placed:
        if "incomplete" in each.media:
            source = "recovered from segments: " if "recovered" in each.media else track_prefix(each.media, names, ": ")
            yield f"{source}{each.media['incomplete']}"
