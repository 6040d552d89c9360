"""The outline of a transcript: what has to be known of its lines before they are read.

The row of a media object has it, so that a page of a long transcript is found and placed without the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from recording_insights.model.insights import Utterance, sentiment_sums
from recording_insights.store.rows import Outline, Talk

TURN_PAUSE_MS = 2_000
"""A speaker who is silent for longer takes another turn, also if nobody else speaks."""


def outline_of(pages: Sequence[Sequence[Utterance]]) -> Outline:
    """Return the outline of a transcript in pages."""
    transcript = [spoken for page in pages for spoken in page]
    starts = [spoken.start_ms for spoken in transcript if spoken.start_ms is not None]
    length, total = sentiment_sums(transcript)
    outline: Outline = {
        "lines": [len(page) for page in pages],
        "ends_ms": max((spoken.end_ms or 0 for spoken in transcript), default=0),
        "talk": talk_of(transcript),
    }
    if length:
        outline |= {"scored": length, "sentiments": str(total)}
    if len(starts) == len(transcript):
        outline["starts_ms"] = [page[0].start_ms or 0 for page in pages]
        outline["is_sorted"] = all(before <= after for before, after in pairwise(starts))
    return outline


def sentiments_in(outline: Outline) -> tuple[int, Decimal]:
    """Return the `sentiment_sums` of a transcript."""
    return outline.get("scored", 0), Decimal(outline.get("sentiments", "0"))


def talk_of(transcript: Iterable[Utterance]) -> Mapping[str, Talk]:
    """Return how often and how long each known speaker speaks, by the provider's label.

    The length is absent if that of one of the speaker's lines is not known.
    """
    talk: dict[str, Talk] = {}
    untimed: set[str] = set()
    before: Utterance | None = None
    for spoken in transcript:
        if (speaker := spoken.speaker) is not None:
            known = talk.setdefault(speaker, {"turns": 0, "talk_ms": 0})
            known["turns"] += not _goes_on(before, spoken)
            if spoken.start_ms is None or spoken.end_ms is None:
                untimed.add(speaker)
            else:
                known["talk_ms"] += spoken.end_ms - spoken.start_ms
        before = spoken
    for speaker in untimed:
        del talk[speaker]["talk_ms"]
    return talk


def _goes_on(before: Utterance | None, spoken: Utterance) -> bool:
    """Return whether an utterance continues the turn of the one before."""
    if before is None or before.speaker != spoken.speaker:
        return False
    if before.end_ms is None or spoken.start_ms is None:
        return True
    return spoken.start_ms - before.end_ms <= TURN_PAUSE_MS
