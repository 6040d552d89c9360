"""Which media objects a recording consists of, and in which order they are heard.

What was recovered from slices stands for MP4s that never came. If such an MP4 comes after all, nothing is heard twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recording_insights.model.media_object import MOST_PARTS

LEAST_MARGIN_MS = 20_000
"""A slice has some 15 s, and at least one must be missing."""
MARGIN = 0.01
"""Of what MP4s hold: they and the slices need not agree to the second, and what is recovered is paid for."""

Media = Sequence[Mapping[str, Any]]


def newest_per_key(media: Media) -> list[Mapping[str, Any]]:
    """One media object per key, the one that was written last: the parts of a recording in order, then the keys.

    What continues a track stands beside it under the same key. What was recovered from slices is left out once all of
    it has come in MP4s. S3's sequencer orders what was written within one second, which is all that an event's time
    tells.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    latest: dict[tuple[str, int], Mapping[str, Any]] = {}
    for item in sorted(media, key=lambda item: (str(item["arrived_at"]), str(item.get("sequencer", "")))):
        latest[str(item["key"]), int(item.get("continuation", 0))] = item
    found = sorted(latest.values(), key=place)
    return [item for item in found if not _came_after_all(item, found)]


def heard(media: Media) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Media objects in the order in which they are heard, each with how much of its beginning (ms) is not.

    MP4s that came late are heard instead of what was recovered in their place, as far as they follow the ones before.
    Those behind a hole are not heard: nobody knows when they begin, and what was recovered holds their words.
    """
    found = newest_per_key(media)
    recovered = [item for item in found if "recovered" in item and item["status"] != "failed"]
    for item in found:
        if item in recovered:
            late = _late_mp4s(item, found)
            yield from ((mp4, 0) for mp4 in late)
            yield item, _length_ms(late)
        elif "recovered" not in item and not any(_reaches_to(piece, item) for piece in recovered):
            yield item, 0


def _came_after_all(item: Mapping[str, Any], media: Media) -> bool:
    """Whether late MP4s hold all of what was recovered."""
    if "recovered" not in item or "duration_ms" not in item:
        return False
    late = _late_mp4s(item, media)
    return bool(late) and _length_ms(late) >= int(item["duration_ms"]) - margin_ms(_length_ms(late))


def _late_mp4s(recovered: Mapping[str, Any], media: Media) -> list[Mapping[str, Any]]:
    """The MP4s that hold the beginning of what was recovered: processed, and without a hole between them."""
    came = {int(item["part"]): item for item in media if _reaches_to(recovered, item)}
    late: list[Mapping[str, Any]] = []
    while (mp4 := came.get(int(recovered["part"]) + len(late))) and mp4["status"] == "done" and "duration_ms" in mp4:
        late.append(mp4)
    return late


def _reaches_to(recovered: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether a media object is one of the MP4s that the recovered one stands for."""
    if "part" not in item or "recovered" in item:
        return False
    first, part = int(recovered["part"]), int(item["part"])
    return first <= part and first // MOST_PARTS == part // MOST_PARTS


def _length_ms(media: Media) -> int:
    return sum(int(item["duration_ms"]) for item in media)


def place(item: Mapping[str, Any]) -> tuple[int, str, int]:
    """Where a media object stands among the others: parts in their order, tracks by name, then what continues them."""
    return int(item.get("part", 0)), str(item["key"]), int(item.get("continuation", 0))


def which_part(item: Mapping[str, Any]) -> str:
    """What follows a track's name where several media objects make it: the first has nothing, then comes ", part 2"."""
    return f", part {int(item['continuation']) + 1}" if "continuation" in item else ""


def margin_ms(held_ms: int) -> int:
    """By how much slices may exceed MP4s that hold so much, and nothing is missing."""
    return max(LEAST_MARGIN_MS, round(held_ms * MARGIN))
