"""Parse the names that Agora gives to the files of a recording.

Source: https://docs.agora.io/en/cloud-recording/develop/manage-files, "Naming conventions". The page says that special
characters in the channel's name, `_` among them, become `-`. Real files keep `_`, so both spellings are read:
everything between the sid and a known ending is the channel. Only the recording's row knows the original channel.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

_BEGIN = r"(?:bak(?P<instance>\d{1,9})_)?(?P<sid>[0-9A-Za-z]+)_"
_UID = r"__uid_s_(?P<uid>\d+)__uid_e_(?P<medium>audio|video|av)"
_NUMBERS = r"(?:_(?P<rest>\d{1,18})(?:_(?P<copy>\d{1,9}))?)?"
_EXTENSION = r"\.(?P<extension>[0-9A-Za-z]+)"

_OF_UID = re.compile(rf"{_BEGIN}(?P<channel>[^/]*){_UID}{_NUMBERS}{_EXTENSION}", re.ASCII)
# A channel may end in numbers too. Of an MP4 only the last number is its own. A tick and a stamp are long.
_OF_ALL = re.compile(
    rf"{_BEGIN}(?P<channel>(?![^/]*__uid_s_\d+__uid_e_)[^/]*?)"
    rf"(?:_(?P<tick>\d{{9,18}})_(?P<copy>\d{{1,9}})(?=\.m3u8$)|_(?P<number>\d{{1,18}})(?=\.mp4$)"
    rf"|_(?P<stamp>\d{{13}}|\d{{17}})(?!\.m3u8$))?"
    rf"{_EXTENSION}",
    re.ASCII | re.IGNORECASE,
)
_STAMP_DIGITS = (13, 17)
"""Unix ms in web mode, else `yyyyMMddHHmmssSSS`."""
_SID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class AgoraName:
    """The parts of a file's name.

    `recorder` is 0 for the first recorder, 1 for the one that took over after a failure (`bak0_`), and so on. `channel`
    is spelled as in the file's name. `uid` and `medium` exist in individual mode only. `rest` is the number of an MP4,
    the timestamp of a segment, or the time at which a playlist was uploaded again. `copy` numbers these uploads.
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
    def parse(cls, name: str, *, channel: str = "") -> Self | None:
        """Parse the last part of an S3 key; None if it is not a name of Agora's.

        `channel` is the channel's name if the caller knows it, in any spelling. It decides where a name can be read in
        two ways. A name that does not hold it is read as if the channel were unknown.
        """
        return (channel and cls._in_channel(name, channel)) or cls._in_any_channel(name)

    @classmethod
    def of_playlist(cls, name: str) -> Self | None:
        """Parse the name of a playlist that is known to be no repeated upload: its numbers belong to the channel."""
        parsed = cls.parse(name)
        if parsed is None or parsed.uid is not None or parsed.rest is None:
            return parsed
        numbers = [parsed.rest] if parsed.copy is None else [parsed.rest, str(parsed.copy)]
        return replace(parsed, channel="_".join([parsed.channel, *numbers]), rest=None, copy=None)

    @classmethod
    def _in_channel(cls, name: str, channel: str) -> Self | None:
        spelled = "".join(each if each.isalnum() else f"(?:{re.escape(each)}|-)" for each in channel)
        pattern = rf"{_BEGIN}(?P<channel>{spelled})(?:{_UID})?{_NUMBERS}{_EXTENSION}"
        found = re.fullmatch(pattern, name, re.ASCII)
        return cls._of(found, found["uid"], found["rest"]) if found else None

    @classmethod
    def _in_any_channel(cls, name: str) -> Self | None:
        # One of Agora's samples has a shorter sid; there the marks of a uid show that the name is Agora's.
        if of_uid := _OF_UID.fullmatch(name):
            return cls._of(of_uid, of_uid["uid"], of_uid["rest"])
        found = _OF_ALL.fullmatch(name)
        if not found or not _SID.fullmatch(found["sid"]):
            return None
        return cls._of(found, None, found["tick"] or found["number"] or found["stamp"])

    @classmethod
    def _of(cls, found: re.Match[str], uid: str | None, rest: str | None) -> Self:
        return cls(
            recorder=0 if found["instance"] is None else int(found["instance"]) + 1,
            sid=found["sid"],
            channel=found["channel"],
            uid=uid,
            medium=None if uid is None else found["medium"],
            rest=rest,
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
    def is_named_as_segment(self) -> bool:
        """Whether it has the name of a segment, whatever its suffix: the marks of a uid, or a stamp at its end."""
        has_stamp = self.rest is not None and self.copy is None and len(self.rest) in _STAMP_DIGITS
        return not self.is_playlist and (self.uid is not None or has_stamp)

    @property
    def mp4_number(self) -> int | None:
        """The number of the MP4 among those of its recorder, from 0; None if it is not an MP4."""
        is_mp4 = self.extension == "mp4" and not self.is_named_as_segment
        return int(self.rest) if is_mp4 and self.rest is not None else None

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
