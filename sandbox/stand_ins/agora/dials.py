"""The dials of Agora's stand-in."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_ins.agora.credentials import AGORA_NOTIFICATION_SECRET


@dataclass(frozen=True)
class AgoraDials:
    """What happens in the channel, and what goes wrong with its recording. A slice is a segment of a playlist.

    `media_path`: media that is played in the channel (mp4, m4a, mp3, wav; empty: the sample conversation).
    `recording_seconds`: length of it until the channel is empty (empty: all; 0: nobody ever speaks).
    `speed`: seconds of media recorded in a second. `idle_speed`: how much faster `maxIdleTime` passes.
    `joining_seconds`: time from start to the first sound. `slice_seconds`: media in one slice.
    `parts`: number of MP4s of a recording.
    `app_certificate`: App Certificate of the project. A start needs a token that fits it (empty: no token).
    `uids`: participants of the channel. Each has one voice of the media, in the order in which the voices first speak.
    `mutes`: when a participant is muted, each {"uid": "1001", "from_seconds": 20.0, "to_seconds": 30.0} of media.
    `cameras_off`: when the camera of a participant is off, likewise. Otherwise every camera is on.
    `unsubscribe_spelling`: "unsubscribe" or "unSubscribe", the beginning of the names of lists that exclude uids.
    Names with the other beginning are silently ignored.

    `late_slices`: this number of last slices of every playlist, and all MP4s, arrive `late_seconds` after the end.
    `lost_slices`: these slices, by their place in each playlist from 0, never arrive.
    `backed_up`: playlists cannot be overwritten. Their later versions arrive `late_seconds` after the end under other
    names.
    `storage_seconds` of media (0: never): lifetime of storage credentials; those of an update begin again. After it S3
    refuses uploads as ExpiredToken, and the refused files are lost.

    `fail_over_at_seconds` of media (0: never): the recorder dies, and another starts after `fail_over_gap_seconds`.
    `exit_at_seconds` of media (0: never): the recorder exits abnormally. `never_starts`: it never becomes ready.

    `notifications_url`: webhook for events (empty: none), signed with `notification_secret`.
    `notify_twice`: each event is sent again although it was accepted.
    """

    media_path: str | None = None
    recording_seconds: float | None = None
    speed: float = 9.0
    idle_speed: float = 100.0
    joining_seconds: float = 0.6
    slice_seconds: float = 15.0
    parts: int = 1
    app_certificate: str | None = None
    uids: list[str] = field(default_factory=lambda: ["1001", "1002"])
    mutes: list[dict[str, Any]] = field(default_factory=list)
    cameras_off: list[dict[str, Any]] = field(default_factory=list)
    unsubscribe_spelling: str = "unsubscribe"
    late_slices: int = 0
    late_seconds: float = 0.0
    lost_slices: list[int] = field(default_factory=list)
    backed_up: bool = False
    storage_seconds: float = 0.0
    fail_over_at_seconds: float = 0.0
    fail_over_gap_seconds: float = 0.5
    exit_at_seconds: float = 0.0
    never_starts: bool = False
    notifications_url: str = ""
    notification_secret: str = AGORA_NOTIFICATION_SECRET
    notify_twice: bool = False
