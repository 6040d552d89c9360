"""Which media objects a recording consists of, and in which order they are heard.

What was recovered from slices stands for MP4s that never came. If such an MP4 comes after all, nothing is heard twice.
"""

from collections.abc import Iterator, Sequence

from recording_insights.model.media_object import MOST_PARTS
from recording_insights.store.rows import MediaRow

LEAST_MARGIN_MS = 20_000
"""A slice has some 15 s, and at least one must be missing."""
MARGIN = 0.01
"""Of what MP4s hold: they and the slices need not agree to the second, and what is recovered is paid for."""

Media = Sequence[MediaRow]


def newest_per_key(media: Media) -> list[MediaRow]:
    """One media object per key, the one that was written last: the parts of a recording in order, then the keys.

    What continues a track stands beside it under the same key. What was recovered from slices is left out once all of
    it has come in MP4s. S3's sequencer orders what was written within one second, which is all that an event's time
    tells.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    latest: dict[tuple[str, int], MediaRow] = {}
    for item in sorted(media, key=lambda item: (item["arrived_at"], item.get("sequencer", ""))):
        latest[item["key"], item.get("continuation", 0)] = item
    found = sorted(latest.values(), key=place)
    return [item for item in found if not _came_after_all(item, found)]


def heard(media: Media) -> Iterator[tuple[MediaRow, int]]:
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


def _came_after_all(item: MediaRow, media: Media) -> bool:
    """Whether late MP4s hold all of what was recovered."""
    if "recovered" not in item or "duration_ms" not in item:
        return False
    late = _late_mp4s(item, media)
    return bool(late) and _length_ms(late) >= item["duration_ms"] - margin_ms(_length_ms(late))


def _late_mp4s(recovered: MediaRow, media: Media) -> list[MediaRow]:
    """The MP4s that hold the beginning of what was recovered: processed, and without a hole between them."""
    came = {item["part"]: item for item in media if _reaches_to(recovered, item)}
    late: list[MediaRow] = []
    while (mp4 := came.get(recovered["part"] + len(late))) and mp4["status"] == "done" and "duration_ms" in mp4:
        late.append(mp4)
    return late


def _reaches_to(recovered: MediaRow, item: MediaRow) -> bool:
    """Whether a media object is one of the MP4s that the recovered one stands for."""
    if "part" not in item or "recovered" in item:
        return False
    first, part = recovered["part"], item["part"]
    return first <= part and first // MOST_PARTS == part // MOST_PARTS


def _length_ms(media: Media) -> int:
    return sum(item["duration_ms"] for item in media)


def place(item: MediaRow) -> tuple[int, str, int]:
    """Where a media object stands among the others: parts in their order, tracks by name, then what continues them."""
    return item.get("part", 0), item["key"], item.get("continuation", 0)


def which_part(item: MediaRow) -> str:
    """What follows a track's name where several media objects make it: the first has nothing, then comes ", part 2"."""
    return f", part {item['continuation'] + 1}" if "continuation" in item else ""


def margin_ms(held_ms: int) -> int:
    """By how much slices may exceed MP4s that hold so much, and nothing is missing."""
    return max(LEAST_MARGIN_MS, round(held_ms * MARGIN))
