"""The response of GET /recordings/{id}/insights: one document from all media objects of a recording."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from recording_insights.model.derived import LISTED
from recording_insights.model.insights import LISTS
from recording_insights.recordings.await_end import WAIT
from recording_insights.recordings.derived_answer import derived_found, state_shown
from recording_insights.recordings.insights_timeline import PlacedInsights
from recording_insights.recordings.shown_line import shown_line
from recording_insights.recordings.track_names import distinct_names, names_in, track_prefix
from recording_insights.recordings.transcript import (
    ReadWords,
    Transcript,
    no_words,
    paged_transcript,
    whole_transcript,
)
from recording_insights.recordings.transcript_page import (
    Page,
    cursor_of_page,
    lines_told,
    response_bytes,
    transcript_page,
)
from recording_insights.store.insights import Collection, InsightStore
from recording_insights.store.rows import RecordingRow, Speakers
from recording_insights.validation import Reader, names_in_text, whole_number_in_text

ANSWER_BYTES = 5_500_000
"""Of one response, as Lambda counts it; Lambda's limit is 6 MB. The cursor leads to the rest of the transcript.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

_TITLE = ("channel", "created_at")

MOST_LINES = 10_000

INSIGHTS_PARAMETERS: Mapping[str, Reader[Any]] = {
    "cursor": cursor_of_page,
    "wait": WAIT,
    "limit": whole_number_in_text(1, MOST_LINES),
    "include": names_in_text("words", "original"),
}
"""The query parameters of insights."""


def whole_insights(recording_id: str, collection: Collection, read_words: ReadWords = no_words) -> dict[str, Any]:
    """Return all insights of the recording's finished media objects, with the whole transcript.

    `channel`, if it has one, and `created_at` say to people which recording it is. Lines have words if `read_words`
    reads some.

    Raises:
        NotFound: there is no such recording.
    """
    collection.refuse_absent(recording_id)
    answer = _answer(recording_id, collection, whole_transcript(collection, read_words))
    return {**answer, **{name: value for name, value in collection.recording.items() if name in _TITLE}}


def read_insights(
    recording_id: str, query: Mapping[str, str], *, store: InsightStore, read_words: ReadWords = no_words
) -> dict[str, Any]:
    """Return `answer_insights` of a recording, and read no more of the transcript than the page shows if possible.

    `query` may hold the `cursor` of the page before; `limit`, the most lines of a page; and what to `include`: `words`
    with their times, and the `original` of each line that was corrected.

    Raises:
        NotFound: there is no such recording.
        InvalidRequest: names the parameter that is wrong.
    """
    wanted = {name: read(name, query[name]) for name, read in INSIGHTS_PARAMETERS.items() if name in query}
    include = wanted.get("include", ())
    words = read_words if "words" in include else no_words
    told = lines_told(wanted.get("cursor"))
    collection = store.read_outlines(recording_id)
    collection.refuse_absent(recording_id)
    transcript = paged_transcript(collection, store.transcripts, told, words)
    if transcript is None:
        collection = store.read(recording_id)
        transcript = whole_transcript(collection, words)
    page = Page(told, ANSWER_BYTES, wanted.get("limit"))
    return _answer(recording_id, collection, transcript, page, has_original="original" in include)


def answer_insights(
    recording_id: str, collection: Collection, *, cursor: str | None = None, has_original: bool = False
) -> dict[str, Any]:
    """Return all insights of the recording's finished media objects, in order, with one page of the transcript.

    The response has a `cursor` while there are more utterances. A media object that ends between two pages changes
    nothing about the lines before: each line is on one page, and its own lines are on the next one. Insights that no
    provider found are absent.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased, or is being erased.
        InvalidRequest: the cursor comes from no response.
    """
    collection.refuse_absent(recording_id)
    page = Page(lines_told(cursor), ANSWER_BYTES)
    return _answer(recording_id, collection, whole_transcript(collection), page, has_original=has_original)


def _answer(
    recording_id: str,
    collection: Collection,
    transcript: Transcript,
    page: Page | None = None,
    *,
    has_original: bool = False,
) -> dict[str, Any]:
    """Return an answer with a page of the transcript; None is the whole."""
    recording = collection.recording
    speakers = recording.get("speakers", {})
    placed = transcript.placed
    answer: dict[str, Any] = {
        "recording_id": recording_id,
        "status": recording["status"],
        "stage": recording.get("stage"),
        "reason_code": recording.get("reason_code"),
        "reason": recording.get("reason"),
        **state_shown(collection),
        "provider": _providers(placed, recording),
        "transcript": [],
        **_with_derived(_found(placed, recording, distinct_names(names_in(speakers, ""))), collection),
        "sentiment": transcript.sentiment,
        "speakers": _talk(transcript, speakers) or None,
        "corrected_at": recording.get("corrected_at"),
    }
    if page is None:
        page = Page()
    elif page.room is not None:
        page = replace(page, room=page.room - response_bytes(answer))
    show = partial(shown_line, speakers=speakers, has_original=has_original)
    lines = transcript_page(transcript.lines, show, page, passed=transcript.passed)
    answer["transcript"], answer["cursor"] = lines
    return {name: value for name, value in answer.items() if value is not None}


def _talk(transcript: Transcript, speakers: Speakers) -> list[dict[str, Any]]:
    """Return how often and how long each speaker speaks. A uid is one speaker in all media objects, a label in one.

    The length is absent if it is not known in one of the media objects.
    """
    entries: dict[tuple[str | None, str], dict[str, Any]] = {}
    for placed, talk in zip(transcript.placed, transcript.talk, strict=True):
        media_id = placed.media.get("media_id", "")
        names = names_in(speakers, media_id)
        of_media = None if "uid" in placed.media else media_id
        for speaker, said in talk.items():
            who = {"speaker": speaker, "speaker_name": names.get(speaker), "media_id": of_media}
            entry = entries.setdefault((of_media, speaker), {**who, "turns": 0, "talk_ms": 0})
            entry["turns"] += said["turns"]
            known = entry["talk_ms"] is not None and "talk_ms" in said
            entry["talk_ms"] = entry["talk_ms"] + said["talk_ms"] if known else None
    return [{name: value for name, value in entry.items() if value is not None} for entry in entries.values()]


def _with_derived(found: Mapping[str, Any], collection: Collection) -> dict[str, Any]:
    """Return what providers found with what a model derived behind it."""
    derived = derived_found(collection, found["summary"])
    lists = {kind: [*found.get(kind, ()), *derived.pop(kind, ())] for kind in LISTED}
    return {**found, **derived, **lists}


def _found(placed: Sequence[PlacedInsights], recording: RecordingRow, names: Mapping[str, str]) -> dict[str, Any]:
    """Return all insights but transcript and sentiment, by kind. None means that no provider found any of this kind.

    The entries of the kinds that a model may derive as well have a `source`.
    """
    every = [each.insights for each in placed]
    summaries = [
        track_prefix(each.media, names, ": ") + each.insights.summary for each in placed if each.insights.summary
    ]
    return {
        "summary": "\n\n".join(summaries) or None,
        **{kind: list(_entries(placed, recording, kind)) for kind in LISTS},
        "language": ", ".join(dict.fromkeys(found.language for found in every if found.language)) or None,
        "ratings": {
            track_prefix(each.media, names, " ") + name: value
            for each in placed
            for name, value in each.insights.ratings.items()
        },
        "missing": list(_missing(placed, names)) or None,
    }


def _entries(placed: Sequence[PlacedInsights], recording: RecordingRow, kind: str) -> Iterator[dict[str, Any]]:
    for each in placed:
        source = {"source": each.media.get("provider", recording["provider"])} if kind in LISTED else {}
        yield from ({**entry.to_map(), **source} for entry in getattr(each.insights, kind))


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
