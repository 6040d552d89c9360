"""The dials of Agora's stand-in."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_ins.agora.credentials import AGORA_NOTIFICATION_SECRET


@dataclass(frozen=True)
class AgoraDials:
    """What goes on in the channel, and what goes wrong with its recording.

    `media_path`: what is played in the channel (mp4, m4a, mp3, wav; empty: the sample conversation).
    `recording_seconds`: how much of it is heard before the channel is empty (empty: all; 0: nobody ever speaks).
    `speed`: seconds of media recorded in a second. `idle_speed`: how much faster `maxIdleTime` passes.
    `joining_seconds`: from start to the first sound. `slice_seconds`: media in one slice. `parts`: MP4s of a recording.
    `app_certificate`: the project has this one, and a start without a token that fits it is refused (empty: none).
    `uids`: who is in the channel; each says what one voice says, in the order in which the voices are first heard.
    `mutes`: when one of them is muted, each {"uid": "1001", "from_seconds": 20.0, "to_seconds": 30.0} of media.
    `cameras_off`: when one of them shows nothing, likewise; otherwise every camera is on.
    `unsubscribe_spelling`: "unsubscribe" or "unSubscribe", how lists of uids left out must begin; those that begin the
    other way are silently ignored.

    `late_slices`: the last ones of every playlist come (as do MP4s) `late_seconds` after the recording's end.
    `lost_slices`: these, by their place in each playlist from 0, never come. `backed_up`: playlists cannot be written
    again after the first time; what should have become of them comes `late_seconds` after the end under other names.
    `storage_seconds` of media (0: never): how long storage credentials are good for, those of an update again; after
    that S3 refuses them as ExpiredToken, and what is refused is lost.

    `fail_over_at_seconds` of media (0: never): the recorder dies, and another goes on after `fail_over_gap_seconds`.
    `exit_at_seconds` of media (0: never): it exits abnormally. `never_starts`: it never gets ready to record.

    `notifications_url`: where events are told (empty: nowhere), signed with `notification_secret`. `notify_twice`:
    each is sent again although it was taken.
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
