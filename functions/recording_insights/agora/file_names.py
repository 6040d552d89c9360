"""The names that Agora gives to what it writes.

Source: https://docs.agora.io/en/cloud-recording/develop/manage-files, "Naming conventions". In the channel's name
special characters have become `-`: no `_` is left in it, so a name can be taken apart, but not the channel be told.
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
    """A file's name, taken apart.

    `recorder` is 0 for the first recorder and counts those that took over from it after a failure (`bak0_` is 1).
    `uid` and `medium` are there in individual mode. `rest` is the number of an MP4, the stamp of a slice, or the
    moment at which a playlist was uploaded anew; `copy` numbers these uploads.
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
        """From the last part of a key; None if Agora names nothing so."""
        found = _NAME.fullmatch(name)
        # A sid has 32 hex digits in all but one of Agora's samples; the marks of a uid leave no doubt either.
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
        """A playlist of what one uid said, or an upload anew of one."""
        return self.medium == "audio" and self.is_playlist

    @property
    def is_playlist(self) -> bool:
        """A playlist, or an upload anew of one."""
        return self.extension == "m3u8"

    @property
    def is_slice(self) -> bool:
        """What playlists name."""
        return self.extension in ("ts", "webm")

    @property
    def mp4_number(self) -> int | None:
        """Which of its recorder's MP4s it is, counted from 0; None if it is none."""
        return int(self.rest) if self.extension == "mp4" and self.rest is not None else None

    @property
    def stem(self) -> str:
        """The name that the files of one uid share, or of all who were mixed, whichever recorder wrote them."""
        uid = "" if self.uid is None else f"__uid_s_{self.uid}__uid_e_{self.medium}"
        return f"{self.sid}_{self.channel}{uid}"

    @property
    def playlist(self) -> str:
        """The name of the playlist that its recorder writes."""
        instance = f"bak{self.recorder - 1}_" if self.recorder else ""
        return f"{instance}{self.stem}.m3u8"
