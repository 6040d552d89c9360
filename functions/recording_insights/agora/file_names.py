"""Parse the names that Agora gives to the files of a recording.

Source: https://docs.agora.io/en/cloud-recording/develop/manage-files, "Naming conventions". Agora replaces special
characters in the channel's name by `-`. So the name has no `_`, and the original channel cannot be restored.
"""

import re
from dataclasses import dataclass
from typing import Self

_NAME = re.compile(
    r"(?:bak(?P<instance>\d{1,9})_)?(?P<sid>[0-9A-Za-z]+)_(?P<channel>[^/_]*)"
    r"(?:__uid_s_(?P<uid>\d+)__uid_e_(?P<medium>audio|video|av))?"
    r"(?:_(?P<rest>\d{1,18})(?:_(?P<copy>\d{1,9}))?)?\.(?P<extension>[0-9A-Za-z]+)",
    re.ASCII,
)
_SID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class AgoraName:
    """The parts of a file's name.

    `recorder` is 0 for the first recorder, 1 for the one that took over after a failure (`bak0_`), and so on. `uid` and
    `medium` exist in individual mode only. `rest` is the number of an MP4, the timestamp of a segment, or the time at
    which a playlist was uploaded again. `copy` numbers these uploads.
    """

    recorder: int
    sid: str
    channel: str
    uid: str | None
    medium: str | None
    rest: str | None
    copy: int | None
    extension: str

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Parse the last part of an S3 key; None if it is not a name of Agora's."""
        found = _NAME.fullmatch(name)
        # One of Agora's samples has a shorter sid; there the marks of a uid show that the name is Agora's.
        if not found or not (found["uid"] or _SID.fullmatch(found["sid"])):
            return None
        return cls(
            recorder=0 if found["instance"] is None else int(found["instance"]) + 1,
            sid=found["sid"],
            channel=found["channel"],
            uid=found["uid"],
            medium=found["medium"],
            rest=found["rest"],
            copy=None if found["copy"] is None else int(found["copy"]),
            extension=found["extension"].lower(),
        )

    @property
    def is_track(self) -> bool:
        """Whether it is the audio playlist of one uid, or a repeated upload of one."""
        return self.medium == "audio" and self.is_playlist

    @property
    def is_playlist(self) -> bool:
        """Whether it is a playlist, or a repeated upload of one."""
        return self.extension == "m3u8"

    @property
    def is_segment(self) -> bool:
        """Whether it is a segment of a playlist."""
        return self.extension in ("ts", "webm")

    @property
    def mp4_number(self) -> int | None:
        """The number of the MP4 among those of its recorder, from 0; None if it is not an MP4."""
        return int(self.rest) if self.extension == "mp4" and self.rest is not None else None

    @property
    def stem(self) -> str:
        """The part of the name that all files of one uid share, or all files of a mix, from whichever recorder."""
        uid = "" if self.uid is None else f"__uid_s_{self.uid}__uid_e_{self.medium}"
        return f"{self.sid}_{self.channel}{uid}"

    @property
    def playlist(self) -> str:
        """The name of the playlist that the same recorder writes."""
        instance = f"bak{self.recorder - 1}_" if self.recorder else ""
        return f"{instance}{self.stem}.m3u8"
