"""Parts: which media objects a recording consists of, in which order, and which of them are in its transcript.

A media object that is recovered from segments replaces MP4s that never arrived. If such an MP4 arrives after all, its
words are in the transcript once.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recording_insights.model.media_object import MOST_PARTS
from recording_insights.store.rows import MediaRow

LEAST_MARGIN_MS = 20_000
"""A segment has about 15 s, and at least one must be missing."""
MARGIN = 0.01
"""Share of the MP4s' length: MP4s and segments may differ by some seconds, and each recovered media object costs."""

Media = Sequence[MediaRow]


class Contribution(NamedTuple):
    """A media object in the transcript. Other media objects cover the first `covered_ms` of it, in ms."""

    row: MediaRow
    covered_ms: int


def newest_per_key(media: Media) -> list[MediaRow]:
    """Return the newest version under each key: the parts in order of time, then the others by key.

    A version that is `done` counts until a newer one is `done`. A recovered media object is left out once MP4s hold all
    of it.
    """
    newest: dict[tuple[str, int], MediaRow] = {}
    for row in _by_arrival(media):
        version = _version_of(row)
        if row["status"] == "done" or newest.get(version, row)["status"] != "done":
            newest[version] = row
    found = sorted(newest.values(), key=place)
    return [row for row in found if not _is_replaced(row, found)]


def newer_versions(media: Media) -> list[MediaRow]:
    """Return the newest version under each key if it is not `done` and an older one counts, in the same order."""
    newest = {_version_of(row): row for row in _by_arrival(media)}
    counting = {_version_of(row): row for row in newest_per_key(media)}
    newer = [newest[version] for version, row in counting.items() if newest[version] is not row]
    return sorted(newer, key=place)


def is_overwritten(row: MediaRow, media: Media) -> bool:
    """Return whether another content was written under the key of a media object since."""
    versions = [other for other in media if _version_of(other) == _version_of(row)]
    return any(_arrival(other) > _arrival(row) for other in versions)


def _by_arrival(media: Media) -> list[MediaRow]:
    return sorted(media, key=_arrival)


def _arrival(row: MediaRow) -> tuple[str, str]:
    """Return a sort key: media objects in the order in which they were written.

    The event's time has no fraction of a second: S3's sequencer orders what was written within one second.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return row["arrived_at"], row.get("sequencer", "")


def _version_of(row: MediaRow) -> tuple[str, int]:
    """Return what the versions of one object share. A continuation is no version of the track of the same key."""
    return row["key"], row.get("continuation", 0)


def contributions(media: Media) -> Iterator[Contribution]:
    """Yield the media objects that are in the transcript, in its order.

    MP4s that arrive late take the place of the beginning of the recovered media object, as long as they follow the
    earlier MP4s without a gap. MP4s behind a gap are left out: their start is unknown, and the recovered media object
    holds the same words.
    """
    found = newest_per_key(media)
    recovered = [row for row in found if "recovered" in row and row["status"] != "failed"]
    for row in found:
        if row in recovered:
            late = _late_mp4s(row, found)
            yield from (Contribution(mp4, 0) for mp4 in late)
            yield Contribution(row, _length_ms(late))
        elif "recovered" not in row and not any(_replaces(other, row) for other in recovered):
            yield Contribution(row, 0)


def _is_replaced(row: MediaRow, media: Media) -> bool:
    """Return whether late MP4s hold all of a recovered media object."""
    if "recovered" not in row or "duration_ms" not in row:
        return False
    late = _late_mp4s(row, media)
    return bool(late) and _length_ms(late) >= row["duration_ms"] - margin_ms(_length_ms(late))


def _late_mp4s(recovered: MediaRow, media: Media) -> list[MediaRow]:
    """Return the processed MP4s that hold the beginning of a recovered media object, up to the first gap."""
    arrived = {row["part"]: row for row in media if _replaces(recovered, row)}
    late: list[MediaRow] = []
    while (mp4 := arrived.get(recovered["part"] + len(late))) and mp4["status"] == "done" and "duration_ms" in mp4:
        late.append(mp4)
    return late


def _replaces(recovered: MediaRow, row: MediaRow) -> bool:
    """Return whether a media object is one of the MP4s that the recovered one replaces: those of its recorder."""
    if "part" not in row or "recovered" in row:
        return False
    first, part = recovered["part"], row["part"]
    return first <= part and first // MOST_PARTS == part // MOST_PARTS


def _length_ms(media: Media) -> int:
    return sum(row["duration_ms"] for row in media)


def place(row: MediaRow) -> tuple[int, str, int]:
    """Return a sort key: parts in order of time, tracks by key, each followed by its continuations."""
    return row.get("part", 0), row["key"], row.get("continuation", 0)


def continuation_suffix(row: MediaRow) -> str:
    """Return what distinguishes a continuation's name from its track's: ", part 2" for the first, "" for the track."""
    return f", part {row['continuation'] + 1}" if "continuation" in row else ""


def margin_ms(length_ms: int) -> int:
    """Return by how many ms segments may exceed MP4s of a total length before something counts as missing."""
    return max(LEAST_MARGIN_MS, round(length_ms * MARGIN))
