"""The file that is made of a media object whose format the provider does not take, and what the row says of it."""

import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recording_insights.conversion.ranged_file import RangedFile
from recording_insights.deadline import Deadline
from recording_insights.model.media_object import PREPARED, MediaObject
from recording_insights.processing.prepared_file import TrackFolder
from recording_insights.store.rows import MediaChanges, MediaRow

if TYPE_CHECKING:
    from recording_insights.conversion.convert import Converted

TIMEOUT_SECONDS = 15 * 60
"""Time-out of the function that prepares media: the longest that Lambda has."""
CONVERSION_SECONDS = TIMEOUT_SECONDS - 60
"""How long a conversion may take. The rest is for the upload of the file."""


class Convert(Protocol):
    """`conversion.convert.convert`."""

    def __call__(
        self,
        media: RangedFile,
        formats: Collection[str],
        folder: Path,
        *,
        duration_ms: int | None,
        seconds_left: Callable[[], float],
    ) -> "Converted": ...


@dataclass(frozen=True)
class FileConversion:
    """Makes a file that the provider takes, and stores it in the recordings bucket.

    `reader` makes a function that reads a range of a media object's bytes. `formats` returns the formats that a
    provider takes.
    """

    folder: TrackFolder
    reader: Callable[[MediaObject], Callable[[int, int], bytes]]
    formats: Callable[[str], Collection[str]]
    convert: Convert

    def conclude(self, row: MediaRow) -> MediaChanges:
        """Make the file, and return what changes in the row: the file and its length, or why there is none.

        Raises:
            MediaObjectGone: the media object was deleted or replaced.
            Exception: another error of S3, unchanged.
        """
        from recording_insights.conversion.convert import CannotConvert

        media = _original(row)
        file = RangedFile(self.reader(media), media.size)
        deadline = Deadline.after(CONVERSION_SECONDS)
        with tempfile.TemporaryDirectory() as scratch:
            try:
                converted = self.convert(
                    file,
                    self.formats(row["provider"]),
                    Path(scratch),
                    duration_ms=row.get("duration_ms"),
                    seconds_left=lambda: deadline.seconds_left,
                )
            except CannotConvert as error:
                return {"unprepared": str(error)}
            key = f"{PREPARED}{row['recording_id']}/file-{row['media_id']}{converted.file.suffix}"
            etag, size = self.folder.keep(key, converted.file)
        return {
            "prepared": {"key": key, "etag": etag, "size": size},
            "duration_ms": converted.duration_ms,
            "unprepared": None,
        }


def _original(row: MediaRow) -> MediaObject:
    """Return the media object as it arrived."""
    return MediaObject(row["bucket"], row["key"], row["etag"], row["size"], datetime.fromisoformat(row["arrived_at"]))
