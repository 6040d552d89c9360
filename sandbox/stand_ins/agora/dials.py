"""The dials of Agora's stand-in."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_ins.agora.credentials import AGORA_NOTIFICATION_SECRET


@dataclass(frozen=True)
class AgoraDials:
    """What happens in the channel, and what goes wrong with its recording. A slice is a segment of a playlist.

    Seconds of media pass on the media clock: `speed` of them in a second. At a speed of 1e6 everything is recorded as
    fast as it can be cut. A recording keeps the dials of its start.

    `media_path`: media that is played in the channel (mp4, m4a, mp3, wav; empty: the sample conversation).
    `recording_seconds`: length of it until the channel is empty (empty: all; 0: nobody ever speaks).
    `speed`: seconds of media recorded in a second. `idle_speed`: how much faster `maxIdleTime` passes.
    `joining_seconds`: time from start to the first sound. `slice_seconds`: media in one slice.
    `parts` (1: by length and size): number of MP4s of equal length, if a recording is not stopped before its end.
    `mp4_seconds` of media (0: two hours, for a page its maxVideoDuration) and `mp4_bytes` (0: any number): an MP4 that
    has reached one of them is uploaded while the recording runs, and the next one begins.
    `replaces_underscores`: `_` in the channel's name becomes `-` in file names, as Agora's page says. Real files keep
    it.
    `app_certificate`: App Certificate of the project. A start needs a token that fits it (empty: no token).
    `uids`: participants of the channel. Each has one voice of the media, in the order in which the voices first speak.
    `mutes`: when a participant is muted, each {"uid": "1001", "from_seconds": 20.0, "to_seconds": 30.0} of media.
    `cameras_off`: when the camera of a participant is off, likewise. Otherwise every camera is on.
    `joins_at_query` (0: after `joining_seconds`): the recorder joins in the answer to this query of the task, counted
    from 1. Queries before it find a recorder that is not ready. This one is answered when the recorder records, or
    after 20 seconds.
    `leaves_at_query` (0: after the idle time): once the channel is empty, the recorder leaves in the answer to this
    query or the first later one, but not in the answer in which it joined. The query is answered when the recorder has
    uploaded its files and left, or after 20 seconds, and so is a stop. A recorder that exited abnormally stays until a
    query has seen it.
    `stands_at_seconds` of media (0: never): the media stands still there until the next accepted update of
    subscriptions or storage, or a stop.
    `unsubscribe_spelling`: "unsubscribe" or "unSubscribe", the beginning of the names of lists that exclude uids.
    Names with the other beginning are silently ignored.

    `late_slices`: this number of last slices of every playlist, and all MP4s, arrive `late_seconds` after the end.
    `lost_slices`: these slices, by their place in each playlist from 0, never arrive.
    `backed_up`: playlists cannot be overwritten. Their later versions arrive `late_seconds` after the end under other
    names.
    `held_late`: what is late arrives when this dial is turned off, also for recordings under way, instead of after
    `late_seconds`.
    `storage_seconds` of media (0: never): lifetime of storage credentials; those of an update begin again. After it S3
    refuses uploads as ExpiredToken, and the refused files are lost.

    `fail_over_at_seconds` of media (0: never, a list: each time): the recorder dies, and another starts after
    `fail_over_gap_seconds` of media. The fourth time the task ends.
    `fail_over_overlap_seconds` of media: the server was only cut off from Agora. The recorder on it records on, and
    ends this long after the other one has started. Their files overlap.
    `exit_at_seconds` of media (0: never): the recorder exits abnormally. `never_starts`: it never becomes ready.

    `requests_per_second`: number of requests of an app id that are accepted within a second (0: any number). Further
    requests get HTTP 429.

    `notifications_url`: webhook for events (empty: none), signed with `notification_secret`.
    `notify_twice`: each event is sent again although it was accepted.
    """

    media_path: str | None = None
    recording_seconds: float | None = None
    speed: float = 9.0
    idle_speed: float = 100.0
    joining_seconds: float = 0.6
    joins_at_query: int = 0
    leaves_at_query: int = 0
    stands_at_seconds: float = 0.0
    slice_seconds: float = 15.0
    parts: int = 1
    mp4_seconds: float = 0.0
    mp4_bytes: int = 2_000_000_000
    replaces_underscores: bool = False
    app_certificate: str | None = None
    uids: list[str] = field(default_factory=lambda: ["1001", "1002"])
    mutes: list[dict[str, Any]] = field(default_factory=list)
    cameras_off: list[dict[str, Any]] = field(default_factory=list)
    unsubscribe_spelling: str = "unsubscribe"
    late_slices: int = 0
    late_seconds: float = 0.0
    held_late: bool = False
    lost_slices: list[int] = field(default_factory=list)
    backed_up: bool = False
    storage_seconds: float = 0.0
    fail_over_at_seconds: float | list[float] = 0.0
    fail_over_gap_seconds: float = 4.5
    fail_over_overlap_seconds: float = 0.0
    exit_at_seconds: float = 0.0
    never_starts: bool = False
    requests_per_second: int = 10
    notifications_url: str = ""
    notification_secret: str = AGORA_NOTIFICATION_SECRET
    notify_twice: bool = False
