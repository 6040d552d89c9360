"""Media objects: what is in the recordings bucket, which of it is processed, and the ids and names that follow from it.

A media object is identified by (bucket, key, etag). The same version of an object is one media object, however many
events announce it. Another version is another media object, unless S3's checksum says that the content is the same.

A track is one media object under the key of its playlist, however often Agora rewrites the playlist. What Agora adds
after the track was processed is another media object, a continuation.

Every id and name below is derived from these facts, so that a repeated event finds what the first event created.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from recording_insights.agora.file_names import AgoraName
from recording_insights.store.rows import MediaRow, RecordingRow
from recording_insights.validation import RECORDING_ID

SUFFIXES = (
    *(".mp4", ".m4a", ".mp3", ".wav"),
    *(".webm", ".ogg", ".opus", ".flac", ".aac", ".aiff", ".mov", ".mkv"),
)
"""Suffixes of the media files that start an execution: Agora's MP4, and the common files from elsewhere. A file in a
format that its provider does not take is converted."""
TRACKS = "*__uid_e_audio*.m3u8"
"""Keys of the playlists that start an execution too: those of individual mode, where Agora writes no MP4."""
RECORDED = ("mp4", "m3u8")
"""Formats of the media objects in the folder of a recording that the API started."""
PREPARED = "prepared/"
"""Folder of the files that were prepared from tracks, or converted."""
UPLOADS = "uploads/"
"""Folder of the folders of recordings whose file a caller uploads."""

MOST_PARTS = 100_000
"""Upper bound on the number of parts that one recorder writes; the parts of the next recorder count on from here."""
_ID = re.compile(RECORDING_ID)


@dataclass(frozen=True)
class MediaObject:
    """An object of the recordings bucket. `key` is exact, never URL-decoded; `etag` has no quotes; `size` is in bytes.

    - `playlist` is the key of the playlist whose event announced the track.
    - `continuation` is 0 for a track and n for its n-th continuation, which begins at `continues_at_ms` (unix ms).
    - `recovers` is set for a media object that is recovered from segments in place of MP4s that never arrived. Its
      `key` is that of the recorder's playlist, and `recovers` is the number of the first MP4 that it replaces. The
      earlier MP4s end at `continues_at_ms`.
    - `channel` is the channel's name if the recording's row has it. It decides how Agora's name is read.
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
    channel: str = ""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "MediaObject":
        """Read an EventBridge event "Object Created"; a playlist of any recorder and any copy means its track.

        EventBridge does not encode the key (the older S3 notifications do): decoding would turn `a+b.mp4` into
        another key.
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
        return media._as_announced()

    def in_channel(self, channel: str) -> "MediaObject":
        """Return the object that arrived as its name reads in this channel."""
        media = replace(self, key=self.playlist or self.key, playlist="", channel=channel)
        return media._as_announced()

    @property
    def is_track(self) -> bool:
        """Whether it is a track: the audio of one uid in individual mode."""
        return self.uid is not None

    @property
    def needs_preparation(self) -> bool:
        """Whether a file must be prepared from its segments before a provider can take it."""
        return self.is_track or self.recovers is not None

    @property
    def uid(self) -> str | None:
        """The uid of a track; None for other media objects."""
        name = self._agora_name
        return name.uid if name and name.is_track and self.recovers is None else None

    @property
    def media_id(self) -> str:
        """The id, 20 hex characters: the same for the same ETag under the same key."""
        number = [str(self.continuation)] if self.continuation else []
        return _digest(self.bucket, self.key, self.etag, *number)[:20]

    @property
    def continues(self) -> str | None:
        """The media id of the track that a continuation belongs to; None if it is no continuation."""
        return replace(self, continuation=0).media_id if self.continuation else None

    def next_continuation(self, ended_at_ms: int) -> "MediaObject":
        """Return the next continuation of the track: what follows `ended_at_ms` (unix ms)."""
        return replace(self, continuation=self.continuation + 1, continues_at_ms=ended_at_ms)

    @property
    def agora_sid(self) -> str | None:
        """The sid in the file's name if Agora wrote the object, else None."""
        return self._agora_name.sid if self._agora_name else None

    @property
    def part(self) -> int | None:
        """The number among the parts of its recording, in the order of time; None unless Agora wrote it as a part.

        A recorder that took over after a failure (`bak0_`, `bak1_`, …) has its parts after those of the one before.
        """
        name = self._agora_name
        if not name or name.is_track:
            return None
        number = name.mp4_number if self.recovers is None else self.recovers
        return name.recorder * MOST_PARTS + int(number or 0)

    @property
    def is_segment(self) -> bool:
        """Whether it has the name that Agora gives to a segment, whatever its suffix."""
        name = self._read_name()
        return name is not None and name.is_named_as_segment

    @property
    def folder_ids(self) -> Sequence[str]:
        """The names of its folders that may be recording ids, from the innermost folder on."""
        _, *folders = reversed(self.key.split("/"))
        return [name for name in dict.fromkeys(folders) if _ID.fullmatch(name)]

    @property
    def own_recording_id(self) -> str:
        """The recording id where no API call started the recording: a digest of Agora's sid, or of the key.

        Being a digest, it cannot be chosen: no key makes the id of a recording that the API made.
        """
        sid = self.agora_sid
        if sid and not _ID.fullmatch(sid):
            return _digest(self.bucket, self.key.rpartition("/")[0], sid)[:32]
        # No bucket has capitals in its name, so the digest of a sid is that of no key.
        return _digest("Agora-sid", sid)[:32] if sid else _digest(self.bucket, self.key)[:32]

    @property
    def earlier_recording_ids(self) -> Sequence[str]:
        """The ids that earlier versions gave to its recording where they differ: that of its folder, or Agora's sid."""
        folder, sid = self.key.rpartition("/")[0].rpartition("/")[2], self.agora_sid
        return [name for name in (folder, sid) if name and _ID.fullmatch(name)]

    @property
    def format(self) -> str:
        """The file format by suffix without the dot, such as mp4, or m3u8 for a track."""
        return self.key.rpartition(".")[2].lower()

    @property
    def attributes(self) -> MediaRow:
        """The attributes of its row that follow from the object; an attribute without a value is left out."""
        row: MediaRow = {
            "media_id": self.media_id,
            "bucket": self.bucket,
            "key": self.key,
            "etag": self.etag,
            "size": self.size,
            "format": self.format,
            "sequencer": self.sequencer,
        }
        if self.part is not None:
            row["part"] = self.part
        if self.uid is not None:
            row["uid"] = self.uid
        if self.continues is not None:
            row["continues"] = self.continues
            row["continuation"] = self.continuation
        if self.continuation or self.continues_at_ms:
            row["continues_at_ms"] = self.continues_at_ms
        if self.recovers is not None:
            row["recovered"] = True
        return row

    @property
    def _agora_name(self) -> AgoraName | None:
        name = self._read_name()
        is_part = name is not None and (name.mp4_number is not None or self.recovers is not None)
        return name if name and (name.is_track or is_part) else None

    def _read_name(self) -> AgoraName | None:
        return AgoraName.parse(self.key.rpartition("/")[2], channel=self.channel)

    def _as_announced(self) -> "MediaObject":
        """Return the track if the object is one of its playlists, else the object itself."""
        name = self._read_name()
        if name is None or not name.is_track:
            return self
        folder = self.key[: self.key.rfind("/") + 1]
        return replace(self, key=f"{folder}{name.stem}.m3u8", etag="", sequencer="", playlist=self.key)


def why_ignored(media: MediaObject, *, recording: RecordingRow | None = None) -> str | None:
    """Return why an object starts no execution, or None if it starts one; does not read the object.

    `recording` is the recording that the API made and that one of the object's folders is named after.
    """
    if media.key.endswith("/"):
        return "a key that ends in / is a folder marker"
    if media.key.startswith(PREPARED):
        return "the object was prepared from another media object, which is processed already"
    if media.is_segment:
        return "a segment of Agora's is processed with the playlist or the MP4 that holds it"
    if not media.is_track and not media.key.lower().endswith(SUFFIXES):
        return f"not a media file ({', '.join(SUFFIXES)})"
    if media.size == 0:
        return "the object has zero bytes"
    return _why_not_of(recording, media) if recording else None


def _why_not_of(recording: RecordingRow, media: MediaObject) -> str | None:
    """Return why a recording that the API made does not take an object; None if it does."""
    if "file" in recording:
        key = recording["file"]["key"]
        return None if media.key == key else f"the one file of recording {recording['recording_id']} is {key}"
    if media.key.rpartition("/")[0] != recording["prefix"].removesuffix("/"):
        return f"files of recording {recording['recording_id']} belong to the folder {recording['prefix']} itself"
    if media.format not in RECORDED:
        return "in the folder of a recording that the API started, only MP4s and playlists are media"
    if media.is_track and recording.get("mode") != "individual":
        return f"recording {recording['recording_id']} has no tracks: its mode is {recording.get('mode', 'mix')}"
    return None


def is_made_of_segments(row: MediaRow) -> bool:
    """Return whether a row is that of a track or of recovered segments: the file for the provider is made of these."""
    return "uid" in row or row.get("recovered", False)


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()
