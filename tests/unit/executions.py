"""The names of executions, from a media object instead of its row."""

from typing import Any

from recording_insights.model.execution_name import execution_name, name_before_tries
from recording_insights.model.media_object import MediaObject


def name_of(media: MediaObject, recording_id: str) -> str:
    """The name of the first execution of a media object."""
    row: Any = {**media.attributes, "recording_id": recording_id, "try_number": 0}
    return execution_name(row)


def name_before(media: MediaObject, recording_id: str) -> str:
    """The name that earlier versions gave it."""
    row: Any = {**media.attributes, "recording_id": recording_id}
    return name_before_tries(row, media.channel)
