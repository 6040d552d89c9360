"""The name that we give to a provider's job: it leads a callback back to the media object."""

import re
from dataclasses import dataclass
from typing import Self

from recording_insights.model.tries import number_of_job
from recording_insights.store.rows import MediaRow
from recording_insights.validation import RECORDING_ID

_FORM = re.compile(
    r"(?:^|-)(?P<recording_id>" + RECORDING_ID + r")-(?P<media_id>[0-9a-f]{20})-(?P<number>\d+)(?:\.json)?$"
)


@dataclass(frozen=True)
class JobName:
    """The name of one job, about 55 characters as text. `number` is that of the try which submits it."""

    recording_id: str
    media_id: str
    number: int

    @classmethod
    def of(cls, row: MediaRow) -> Self:
        """Return the name of a media object's present job. Each job that replaces another has a new name."""
        return cls(row["recording_id"], row["media_id"], number_of_job(row))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the job name at the end of a text, such as an S3 key; None if the text ends in no job name."""
        match = _FORM.search(text)
        return cls(match["recording_id"], match["media_id"], int(match["number"])) if match else None

    def __str__(self) -> str:
        return f"{self.recording_id}-{self.media_id}-{self.number}"
