"""A recording under way: what is played in the channel or on the page, cut and uploaded as Agora does it."""

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.stand_ins.buckets import Bucket, UploadRefused
from sandbox.stand_ins.media import part_mp4, slice_ts

# Agora's list of characters that become "-" in file names; a space stays.
_SPECIAL = re.compile(r"[!@#$%^&*()+_.=\[\]{}~|,;:?<>]")

_SHORTEST_SECONDS = 0.2
_HELD_SECONDS = 0.02

INITIALISED, PARTLY_READY, ALL_READY, IN_PROGRESS, STOP_REQUESTED, EXITED = 1, 3, 4, 5, 6, 8


@dataclass(frozen=True)
class Channel:
    """What is played in the channel: an MP4 with AAC audio, its seconds that are heard, how fast time goes in it.

    `parts` is into how many MP4s the recorder cuts what it hears; the real one begins a new one after some hours.
    """

    media: Path
    seconds: float
    speed: float
    joining_seconds: float
    slice_seconds: float
    idle_seconds: float
    parts: int = 1


@dataclass
class Recording:
    """One recording task. `run` records until `stop` or until the channel has been empty for `idle_seconds`.

    While it is `onhold`, nothing is recorded, and what is played waits.
    """

    resource_id: str
    sid: str
    cname: str
    uid: str
    mode: str
    channel: Channel
    prefix: list[str]
    mp4_wanted: bool
    correct_extinf: bool
    bucket: Bucket
    refused: Callable[[UploadRefused], None]
    began: float
    onhold: bool = False
    status: int = INITIALISED
    refusals: int = 0
    recorded: float = 0.0
    stop_asked: threading.Event = field(default_factory=threading.Event)
    exited: threading.Event = field(default_factory=threading.Event)
    _slices: list[tuple[str, float]] = field(default_factory=list)
    _mp4s: list[str] = field(default_factory=list)
    _joined: float | None = None
    _stopped: float | None = None
    _held: float | None = None

    @property
    def name(self) -> str:
        """Key prefix, sid and channel: what every file's name begins with."""
        return "/".join([*self.prefix, f"{self.sid}_{_SPECIAL.sub('-', self.cname)}"])

    @property
    def running(self) -> bool:
        return not self.exited.is_set()

    @property
    def uploading_status(self) -> str:
        """Agora keeps in its own cloud what the bucket refuses, and goes on trying."""
        return "backuped" if self.refusals else "uploaded"

    @property
    def heard_seconds(self) -> float:
        """Seconds of media since joining the channel, until now or the stop."""
        if self._joined is None:
            return 0.0
        ends = (self._held, self._stopped, time.monotonic())
        until = next(end for end in ends if end is not None)
        return min((until - self._joined) * self.channel.speed, self.channel.seconds)

    @property
    def has_files(self) -> bool:
        """Whether there is or will be anything in the bucket."""
        return self.heard_seconds >= _SHORTEST_SECONDS

    def stop(self) -> None:
        self._stopped = time.monotonic()
        self.status = STOP_REQUESTED
        self.stop_asked.set()

    def hold(self, onhold: bool | None) -> None:
        """Pause, go on, or (None) neither."""
        if onhold is None or onhold == self.onhold:
            return
        if onhold:
            self._held = time.monotonic()
        elif self._joined is not None and self._held is not None:
            self._joined += time.monotonic() - self._held
            self._held = None
        self.onhold = onhold

    def state(self) -> dict[str, Any]:
        """serverResponse of query."""
        if self.mode == "web":
            return {"status": self.status, "extensionServiceState": [self._page()]}
        return {"status": self.status, **self.file_list(), "sliceStartTime": self.slice_start_ms}

    def result(self) -> dict[str, Any]:
        """serverResponse of a stop that waited for the uploads."""
        if self.mode == "web":
            upload = {"serviceName": "upload_service", "payload": {"uploadingStatus": self.uploading_status}}
            return {"extensionServiceState": [upload, self._page()]}
        return {**self.file_list(), "uploadingStatus": self.uploading_status}

    def _page(self) -> dict[str, Any]:
        """What the recorder of a page says of itself; its files are `filename`, and begin in seconds."""
        names = [f"{self.name}.m3u8"] * bool(self._slices) + self._mp4s
        begin = self.slice_start_ms // 1000
        state = "exit" if self.status >= STOP_REQUESTED else "inProgress" if self._joined is not None else "init"
        files = [{"filename": name, "sliceStartTime": begin} for name in names]
        return {
            "serviceName": "web_recorder_service",
            "payload": {"state": state, "onhold": self.onhold, "fileList": files},
        }

    def file_list(self) -> dict[str, Any]:
        """fileListMode and fileList: one name with hls only, objects when an MP4 was asked for as well."""
        playlist = f"{self.name}.m3u8" if self._slices else ""
        if not self.mp4_wanted:
            return {"fileListMode": "string", "fileList": playlist}
        names = [name for name in (playlist, *self._mp4s) if name]
        return {
            "fileListMode": "json",
            "fileList": [
                {
                    "fileName": name,
                    "trackType": "audio",
                    "uid": "0",
                    "mixedAllUser": True,
                    "isPlayable": True,
                    "sliceStartTime": self.slice_start_ms,
                }
                for name in names
            ],
        }

    @property
    def slice_start_ms(self) -> int:
        return int((self.began + self.channel.joining_seconds) * 1000)

    def run(self) -> None:
        try:
            self._record()
            if self._slices:
                self._upload_playlist(closed=True)
                if self.mp4_wanted:
                    self._upload_mp4s()
        finally:
            self.status = EXITED
            self.exited.set()

    def _record(self) -> None:
        channel = self.channel
        for status in (INITIALISED, PARTLY_READY):
            self.status = status
            if self.stop_asked.wait(channel.joining_seconds / 2):
                return
        self.status = IN_PROGRESS if channel.seconds else ALL_READY
        self._joined = time.monotonic()
        self._held = self._joined if self.onhold else None
        while channel.seconds - self.recorded >= _SHORTEST_SECONDS:
            end = min(self.recorded + channel.slice_seconds, channel.seconds)
            stopped = self._stopped_before(end)
            self._upload_slice(self.recorded, min(end, self.heard_seconds) if stopped else end)
            if stopped:
                return
        self.stop_asked.wait(channel.idle_seconds)

    def _stopped_before(self, heard: float) -> bool:
        """Wait until so many seconds were heard; true if the stop came first."""
        while (missing := heard - self.heard_seconds) > 0 and not self.stop_asked.is_set():
            self.stop_asked.wait(_HELD_SECONDS if self.onhold else missing / self.channel.speed)
        return self.stop_asked.is_set()

    def _upload_slice(self, start: float, end: float) -> None:
        if end - start < _SHORTEST_SECONDS:
            return
        stamp = datetime.fromtimestamp(self.slice_start_ms / 1000, UTC) + timedelta(seconds=start)
        name = f"{self.name}_{stamp:%Y%m%d%H%M%S}{stamp.microsecond // 1000:03}.ts"
        self._put(name, slice_ts(self.channel.media, start, end))
        self._slices.append((name.rpartition("/")[2], end - start))
        self.recorded = end
        self._upload_playlist(closed=False)

    def _upload_playlist(self, *, closed: bool) -> None:
        longest = max(seconds for _, seconds in self._slices)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-ALLOW-CACHE:YES",
            f"#EXT-X-TARGETDURATION:{int(longest) + 1}",
            f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME={self.slice_start_ms}",
        ]
        comma = "," if self.correct_extinf else ""
        for name, seconds in self._slices:
            lines += [f"#EXTINF:{seconds:.6f}{comma}", name]
        if closed:
            lines.append("#EXT-X-ENDLIST")
        self._put(f"{self.name}.m3u8", ("\n".join(lines) + "\n").encode())

    def _upload_mp4s(self) -> None:
        length = self.recorded / self.channel.parts
        with tempfile.TemporaryDirectory() as scratch:
            for index in range(self.channel.parts):
                file = Path(scratch) / f"{index}.mp4"
                part_mp4(self.channel.media, index * length, (index + 1) * length, file)
                self._mp4s.append(f"{self.name}_{index}.mp4")
                self._put(self._mp4s[-1], file)

    def _put(self, key: str, content: bytes | Path) -> None:
        try:
            self.bucket.put(key, content)
        except UploadRefused as refusal:
            self.refusals += 1
            self.refused(refusal)


def page_of(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """`serviceParam` of the recorder of a page in a start's clientRequest; empty in other modes."""
    services = wanted.get("extensionServiceConfig", {}).get("extensionServices", [{}])
    page: Mapping[str, Any] = services[0].get("serviceParam", {})
    return page


def wants_correct_extinf(private_params: str | None) -> bool:
    """Whether `privateParams`, JSON in a string, asks for playlists with a standard EXTINF line."""
    try:
        params = json.loads(private_params or "{}")
    except ValueError:
        return False
    return isinstance(params, dict) and params.get("correctEXTINF") is True
