"""The insights of a recording's media objects in order, with times from the start of the recording."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from recording_insights.model.insights import Emotion, Entity, Insights, Utterance, Word, in_order_of_time
from recording_insights.model.places import places
from recording_insights.store.insights import Collection, number_shown
from recording_insights.store.rows import CorrectionRow, MediaRow

_Spanned = TypeVar("_Spanned", Utterance, Emotion, Entity, Word)


@dataclass(frozen=True)
class PlacedInsights:
    """The insights of one media object; their times count from the start of the recording.

    The media object itself begins at `begins_ms`. `is_cut` if other media objects hold some of its words.
    """

    media: MediaRow
    insights: Insights
    begins_ms: int = 0
    is_cut: bool = False


class Line(NamedTuple):
    """An utterance of the recording's transcript, its media object and its try, and its correction if it has one."""

    media_id: str
    utterance: Utterance
    number_of_try: int = 0
    correction: CorrectionRow | None = None


def place_insights(collection: Collection, ends_ms: Mapping[str, int] | None = None) -> Iterator[PlacedInsights]:
    """Yield the insights of every finished media object, in order.

    `ends_ms`, by media id, are the ends of the last utterances, for insights that have no lines.
    """
    if ends_ms is None:
        ends_ms = {media_id: _end_ms(insights) for media_id, insights in collection.insights.items()}
    for place in places(list(collection.media.values()), ends_ms):
        insights = collection.insights.get(place.media["media_id"])
        if not insights:
            continue
        if place.ends_ms is not None:
            insights = without_end(insights, place.ends_ms - place.begins_ms)
        insights = without_beginning(insights, place.covered_ms)
        is_cut = place.covered_ms > 0 or place.ends_ms is not None
        yield PlacedInsights(place.media, shifted(insights, place.begins_ms), place.begins_ms, is_cut)


def conversation(
    placed: Sequence[PlacedInsights], corrections: Mapping[str, Mapping[int, CorrectionRow]] | None = None
) -> list[Line]:
    """Return the lines of all media objects as one transcript.

    The lines of tracks are sorted by time. If the provider of a track gave no times, one track follows the other. The
    lines of one media object keep their order among themselves, whichever other media objects there are. `corrections`
    are by media id and number of the line.
    """
    is_of_tracks = any("uid" in each.media for each in placed)
    lines: list[Line] = []
    for each in placed:
        media_id = each.media.get("media_id", "")
        corrected = (corrections or {}).get(media_id, {})
        spoken = in_order_of_time(each.insights.transcript) if is_of_tracks else each.insights.transcript
        of_try = number_shown(each.media)
        lines += (Line(media_id, utterance, of_try, corrected.get(utterance.number)) for utterance in spoken)
    if is_of_tracks and all(line.utterance.start_ms is not None for line in lines):
        lines.sort(key=lambda line: line.utterance.start_ms or 0)
    return lines


def without_beginning(insights: Insights, until_ms: int) -> Insights:
    """Return the insights without utterances, emotions and entities that begin earlier, or at an unknown time.

    The beginning of recovered segments may be in an MP4, too: its words must not stand in the transcript twice.
    """
    if not until_ms:
        return insights

    return _only(insights, lambda start_ms: start_ms is not None and start_ms >= until_ms)


def without_end(insights: Insights, from_ms: int) -> Insights:
    """Return the insights without utterances, emotions and entities that begin at this time or later.

    Another part has them.
    """
    return _only(insights, lambda start_ms: start_ms is None or start_ms < from_ms)


def _only(insights: Insights, remains: Callable[[int | None], bool]) -> Insights:
    """Return the insights with only the utterances, emotions and entities whose start remains."""
    return replace(
        insights,
        transcript=[utterance for utterance in insights.transcript if remains(utterance.start_ms)],
        emotions=[emotion for emotion in insights.emotions if remains(emotion.start_ms)],
        entities=[entity for entity in insights.entities if remains(entity.start_ms)],
    )


def shifted(insights: Insights, by_ms: int) -> Insights:
    """Return the insights with all known times of utterances, emotions and entities moved by some milliseconds."""
    if not by_ms:
        return insights

    return replace(
        insights,
        transcript=[moved(utterance, by_ms) for utterance in insights.transcript],
        emotions=[moved(emotion, by_ms) for emotion in insights.emotions],
        entities=[moved(entity, by_ms) for entity in insights.entities],
    )


def moved(entry: _Spanned, by_ms: int) -> _Spanned:
    """Return an utterance with its words, a word, an emotion or an entity, all known times moved by milliseconds."""
    times = {name: getattr(entry, name) for name in ("start_ms", "end_ms")}
    changes: dict[str, Any] = {name: time + by_ms for name, time in times.items() if time is not None}
    if isinstance(entry, Utterance) and entry.words:
        changes["words"] = [moved(word, by_ms) for word in entry.words]
    return replace(entry, **changes)


def _end_ms(insights: Insights | None) -> int:
    """Return the end of the last utterance, which stands for the length of a part whose own length is unknown."""
    return max((utterance.end_ms or 0 for utterance in insights.transcript), default=0) if insights else 0
