"""Media objects: what lies in the bucket, which of it is taken, and the names that follow from it.

A media object is (bucket, key, etag): the same bytes under the same key are one object however often they are
announced, other bytes under the key are a new one. A track, which is all that Agora writes of one uid, is one object
under the key of its playlist, however often that is rewritten; what Agora writes after that was processed is another,
a continuation. Every id below is derived from these, so that a repeated event finds what the first one made.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from recording_insights.agora.file_names import AgoraName

SUFFIXES = (".mp4", ".m4a", ".mp3", ".wav")
"""What starts an execution: self-contained media (Agora's MP4) and the common audio files from elsewhere."""
TRACKS = "*__uid_e_audio*.m3u8"
"""So do the playlists of individual mode, where there is no MP4. Others are no media of their own, nor are slices."""
PREPARED = "prepared/"
"""Where the files lie that were made of tracks."""

MOST_PARTS = 100_000
"""More than one recorder can write: what the next one writes counts from here on."""
_ID = re.compile(r"[0-9a-f]{32}")
_RECORDING_FOLDER = re.compile(r"(?:^|/)(?P<recording_id>[0-9a-f]{32})/[^/]+$")
_NOT_FOR_NAMES = re.compile(r"[^0-9A-Za-z]+")


@dataclass(frozen=True)
class MediaObject:
    """An object of the recordings bucket; `key` is exact, never URL-decoded, `etag` has no quotes, `size` is bytes.

    `playlist` is the key of the playlist that announced a track. `continuation` counts how often the track had been
    processed before it went on; then it begins at `continues_at_ms` (unix ms), where what was processed ends. What
    stands for MP4s that never came is under the key of its recorder's playlist; the first of them would have had the
    number `recovers`, and what the ones before it hold ends at `continues_at_ms`.
    """

    bucket: str
    key: str
    etag: str
    size: int
    created_at: datetime
    sequencer: str = ""
    playlist: str = ""
    continuation: int = 0
    continues_at_ms: int = 0
    recovers: int | None = None

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "MediaObject":
        """From an EventBridge "Object Created" event; a playlist of any recorder and copy stands for its track.

        EventBridge carries the key as it is (the older S3 notification form encodes it): decoding it again would
        turn `a+b.mp4` into another key.
        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
        """
        detail = event["detail"]
        media = cls(
            bucket=detail["bucket"]["name"],
            key=detail["object"]["key"],
            etag=detail["object"]["etag"].strip('"'),
            size=int(detail["object"].get("size", 0)),
            created_at=datetime.fromisoformat(event["time"]),
            sequencer=detail["object"].get("sequencer", ""),
        )
        name = media._agora_name
        return media._as_track(name) if name and name.is_track else media

    @property
    def is_track(self) -> bool:
        """All that Agora writes of one uid: no file that a provider takes until it is prepared."""
        return self.uid is not None

    @property
    def is_prepared_first(self) -> bool:
        """Whether one file has to be made of it before a provider takes it."""
        return self.is_track or self.recovers is not None

    @property
    def uid(self) -> str | None:
        """Whose track it is."""
        name = self._agora_name
        return name.uid if name and name.is_track else None

    @property
    def media_id(self) -> str:
        """20 hex characters, the same for the same bytes under the same key."""
        number = [str(self.continuation)] if self.continuation else []
        return _digest(self.bucket, self.key, self.etag, *number)[:20]

    @property
    def continues(self) -> str | None:
        """The media id of the track that it continues."""
        return replace(self, continuation=0).media_id if self.continuation else None

    def going_on(self, ended_at_ms: int) -> "MediaObject":
        """The next continuation of the track, of what reaches beyond a moment (unix ms)."""
        return replace(self, continuation=self.continuation + 1, continues_at_ms=ended_at_ms)

    @property
    def agora_sid(self) -> str | None:
        """The recording's sid if Agora wrote the object, after its naming rules."""
        return self._agora_name.sid if self._agora_name else None

    @property
    def part(self) -> int | None:
        """The object's place among the parts of its recording, if Agora wrote it: they follow each other in time.

        Parts of a recorder that took over after a failure (`bak0_`, `bak1_`, …) come after those of the one before.
        """
        name = self._agora_name
        if not name or name.is_track:
            return None
        number = name.mp4_number if self.recovers is None else self.recovers
        return name.recorder * MOST_PARTS + int(number or 0)

    @property
    def recording_folder(self) -> str | None:
        """The folder an API-started recording was told to write to: our own recording id."""
        folder = _RECORDING_FOLDER.search(self.key)
        return folder["recording_id"] if folder else None

    @property
    def own_recording_id(self) -> str:
        """The recording id when no API call started it: Agora's sid, otherwise one of the key's own."""
        sid = self.agora_sid
        if sid and not _ID.fullmatch(sid):
            return _digest(self.bucket, self.key.rpartition("/")[0], sid)[:32]
        return sid or _digest(self.bucket, self.key)[:32]

    @property
    def format(self) -> str:
        """File format by suffix: mp4, m4a, mp3, wav, or m3u8 for a track."""
        return self.key.rpartition(".")[2].lower()

    @property
    def attributes(self) -> dict[str, Any]:
        """What its row says of it from the beginning; None where there is nothing to say."""
        names = ("media_id", "bucket", "key", "etag", "size", "format", "sequencer", "part", "uid", "continues")
        return {
            **{name: getattr(self, name) for name in names},
            "continuation": self.continuation or None,
            "continues_at_ms": self.continues_at_ms if self.continuation else self.continues_at_ms or None,
            "recovered": True if self.recovers is not None else None,
        }

    def execution_name(self, recording_id: str) -> str:
        """Deterministic, at most 80 characters, and readable: sid or recording id, file name, digest.

        Step Functions refuses a second execution of the same name for 90 days.
        Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
        sid = self.agora_sid
        stem = PurePosixPath(self.key).stem
        if sid:
            stem = f"uid-{self.uid}" if self.uid else stem.rpartition("_")[2]
            stem = stem if self.recovers is None else f"part-{self.part}"
        slug = _NOT_FOR_NAMES.sub("-", stem).strip("-")[:24]
        return "-".join(part for part in ((sid or recording_id)[:32], slug, self.media_id) if part)

    @property
    def _agora_name(self) -> AgoraName | None:
        name = AgoraName.parse(self.key.rpartition("/")[2])
        is_part = name is not None and (name.mp4_number is not None or self.recovers is not None)
        return name if name and (name.is_track or is_part) else None

    def _as_track(self, name: AgoraName) -> "MediaObject":
        folder = self.key[: self.key.rfind("/") + 1]
        return replace(self, key=f"{folder}{name.stem}.m3u8", etag="", sequencer="", playlist=self.key)


def why_ignored(media: MediaObject) -> str | None:
    """The reason why an object starts no execution, or None if it does; needs no look into the object."""
    if media.key.endswith("/"):
        return "a key that ends in / is a folder marker"
    if media.key.startswith(PREPARED):
        return "it was made of a recording that is processed already"
    if not media.is_track and not media.key.lower().endswith(SUFFIXES):
        return f"not a media file that providers take ({', '.join(SUFFIXES)})"
    if media.size == 0:
        return "the object has zero bytes"
    return None


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()
