"""The insights of a recording's media objects in order, with times from the start of the recording."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from recording_insights.model.insights import Insights, Utterance
from recording_insights.model.places import places
from recording_insights.store.insights import Collection
from recording_insights.store.rows import MediaRow


@dataclass(frozen=True)
class PlacedInsights:
    """The insights of one media object; their times count from the start of the recording."""

    media: MediaRow
    insights: Insights


class Line(NamedTuple):
    """An utterance of the recording's transcript, and the id of its media object."""

    media_id: str
    utterance: Utterance


def place_insights(collection: Collection) -> Iterator[PlacedInsights]:
    """Yield the insights of every finished media object, in order."""
    for place in places(list(collection.media.values()), collection.insights):
        insights = collection.insights.get(place.media["media_id"])
        if not insights:
            continue
        if place.ends_ms is not None:
            insights = without_end(insights, place.ends_ms - place.begins_ms)
        insights = without_beginning(insights, place.covered_ms)
        yield PlacedInsights(place.media, shifted(insights, place.begins_ms))


def conversation(placed: Sequence[PlacedInsights]) -> list[Line]:
    """Return the lines of all media objects as one transcript.

    The lines of tracks are sorted by time. If the provider of a track gave no times, one track follows the other. The
    lines of one media object keep their order among themselves, whichever other media objects there are.
    """
    is_of_tracks = any("uid" in each.media for each in placed)
    lines: list[Line] = []
    for each in placed:
        spoken = [Line(each.media.get("media_id", ""), utterance) for utterance in each.insights.transcript]
        lines += _by_time(spoken) if is_of_tracks else spoken
    return _by_time(lines) if is_of_tracks else lines


def _by_time(lines: list[Line]) -> list[Line]:
    """Return the lines sorted by time; as they are if the time of one is unknown."""
    if any(line.utterance.start_ms is None for line in lines):
        return lines
    return sorted(lines, key=lambda line: line.utterance.start_ms or 0)


def without_beginning(insights: Insights, until_ms: int) -> Insights:
    """Return the insights without utterances and emotions that begin earlier, or at an unknown time.

    The beginning of recovered segments may be in an MP4, too: its words must not stand in the transcript twice.
    """
    if not until_ms:
        return insights

    return _only(insights, lambda start_ms: start_ms is not None and start_ms >= until_ms)


def without_end(insights: Insights, from_ms: int) -> Insights:
    """Return the insights without utterances and emotions that begin at this time or later: another part has them."""
    return _only(insights, lambda start_ms: start_ms is None or start_ms < from_ms)


def _only(insights: Insights, remains: Callable[[int | None], bool]) -> Insights:
    """Return the insights with only the utterances and emotions whose start remains."""
    return replace(
        insights,
        transcript=[utterance for utterance in insights.transcript if remains(utterance.start_ms)],
        emotions=[emotion for emotion in insights.emotions if remains(emotion.start_ms)],
    )


def shifted(insights: Insights, by_ms: int) -> Insights:
    """Return the insights with all known times of utterances and emotions moved by some milliseconds."""
    if not by_ms:
        return insights

    def moved(entry: Any) -> Any:
        times = {name: getattr(entry, name) for name in ("start_ms", "end_ms")}
        return replace(entry, **{name: time + by_ms for name, time in times.items() if time is not None})

    return replace(
        insights,
        transcript=[moved(utterance) for utterance in insights.transcript],
        emotions=[moved(emotion) for emotion in insights.emotions],
    )
