"""Names of the executions that process media objects."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from recording_insights.model.media_object import MOST_PARTS, MediaObject
from recording_insights.model.tries import number_of_try
from recording_insights.store.rows import MediaRow

_NOT_FOR_NAMES = re.compile(r"[^0-9A-Za-z]+")
_LONGEST = 80
"""Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""


def execution_name(row: MediaRow) -> str:
    """Return the name of the execution that works on a media object, at most 80 characters.

    It begins with the recording id. The name of the file, the media id and the number of the try follow. A successor of
    an execution that ended without a result also has its own number among the executions of the try. The name follows
    from the row alone: Step Functions refuses a second execution of a name for 90 days.
    """
    successor = row.get("executions", 1)
    numbers = [str(number_of_try(row)), *([str(successor)] if successor > 1 else [])]
    ending = "-".join((row["media_id"], *numbers))
    begin = row["recording_id"][:32]
    slug = _slug_of(row)[: _LONGEST - len(begin) - len(ending) - 2].strip("-")
    return "-".join(part for part in (begin, slug, ending) if part)


def name_before_tries(row: MediaRow, channel: str) -> str:
    """Return the name that earlier versions gave to the first execution of a media object without `execution`.

    It begins with Agora's sid if the name of the file has one. `channel` is that of the recording, or empty.
    """
    recovers = row["part"] % MOST_PARTS if row.get("recovered") else None
    media = MediaObject(row["bucket"], row["key"], "", 0, datetime.fromtimestamp(0, UTC), channel=channel)
    sid = replace(media, recovers=recovers).agora_sid
    stem = PurePosixPath(row["key"]).stem
    if sid:
        stem = _slug_of(row) if "uid" in row or recovers is not None else stem.rpartition("_")[2]
    slug = _NOT_FOR_NAMES.sub("-", stem).strip("-")[:24]
    return "-".join(part for part in ((sid or row["recording_id"])[:32], slug, row["media_id"]) if part)


def _slug_of(row: MediaRow) -> str:
    """Return what tells the media objects of a recording apart, in the letters of a name."""
    if "uid" in row:
        name = f"uid-{row['uid']}"
    elif row.get("recovered"):
        name = f"part-{row['part']}"
    else:
        name = PurePosixPath(row["key"]).stem
        name = name.rpartition("_")[2] if "part" in row else name
    return _NOT_FOR_NAMES.sub("-", name).strip("-")
