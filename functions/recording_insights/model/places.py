"""Where the media objects of a recording lie in it, and how long it is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from recording_insights.model.media_object import MOST_PARTS
from recording_insights.model.parts import contributions
from recording_insights.store.rows import MediaRow


@dataclass(frozen=True)
class Place:
    """Where a media object lies in the recording. Other media objects hold the first `covered_ms` of it.

    `ends_ms` is given if another recorder took over then, although the media object is longer.
    """

    media: MediaRow
    begins_ms: int
    covered_ms: int = 0
    ends_ms: int | None = None


def places(media: Sequence[MediaRow], ends_ms: Mapping[str, int] | None = None) -> Iterator[Place]:
    """Yield where each media object of the transcript lies, in order.

    A part begins where the part before it ends, or at its own `offset_ms` if that is later. A part that failed keeps
    its length, so that later parts stay at their times. Recovered segments end where the recorder that took over began:
    a recorder that was only cut off records on beside it. Tracks were recorded side by side: the recording begins with
    the first of them.

    `ends_ms`, by media id, are the ends of the last utterances. They stand for the lengths of parts whose own length is
    unknown.
    """
    ends_ms = ends_ms or {}
    ordered = list(contributions(media))
    finished = [row for row, _ in ordered if row["status"] == "done"]
    tracks_begin_ms = min((item["starts_at_ms"] for item, _ in ordered if _is_timed_track(item)), default=0)
    end_ms = 0
    for item, repeated_ms in ordered:
        if _is_timed_track(item):
            begins_ms = item["starts_at_ms"] - tracks_begin_ms
        else:
            begins_ms = max(end_ms - repeated_ms, item.get("offset_ms", 0))
        length_ms = item.get("duration_ms") or ends_ms.get(item["media_id"], 0)
        taken_over_ms = _taken_over_ms(item, finished)
        if taken_over_ms is not None and begins_ms < taken_over_ms < begins_ms + length_ms:
            yield Place(item, begins_ms, repeated_ms, taken_over_ms)
            length_ms = taken_over_ms - begins_ms
        else:
            yield Place(item, begins_ms, repeated_ms)
        if "part" in item:
            end_ms = begins_ms + length_ms


def length_of_recording(media: Sequence[MediaRow]) -> int | None:
    """Return how long the transcript's media objects are together, in ms; None if the length of one is unknown.

    Without sound, a media object of unknown length has none.
    """
    ends: list[int] = []
    for each in places(media):
        if "duration_ms" not in each.media and not each.media.get("empty"):
            return None
        ends.append(each.ends_ms or each.begins_ms + each.media.get("duration_ms", 0))
    return max(ends, default=None)


def _taken_over_ms(item: MediaRow, finished: Iterable[MediaRow]) -> int | None:
    """Return when the next recorder began, for recovered segments; None if there is none or its begin is unknown.

    `finished` are the media objects with insights, in order: any other one does not hold the same words. Both times
    come from the names of segments. The length of an MP4 is less exact and does not show an overlap.
    """
    if "recovered" not in item:
        return None
    recorder = item["part"] // MOST_PARTS
    later = (row for row in finished if "offset_ms" in row and row.get("part", 0) // MOST_PARTS > recorder)
    return next((row["offset_ms"] for row in later), None)


def _is_timed_track(item: MediaRow) -> bool:
    return "starts_at_ms" in item and "part" not in item
