"""A recording under way: what is played in the channel or on the page, cut and uploaded as Agora does it."""

import math
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.stand_ins import agora_notifications as events
from sandbox.stand_ins.agora_channel import Channel, Stream
from sandbox.stand_ins.agora_listening import Listening
from sandbox.stand_ins.agora_notifications import Notifications
from sandbox.stand_ins.agora_tracks import Track, files_of, next_span
from sandbox.stand_ins.agora_uploads import Uploads
from sandbox.stand_ins.media import Span, part_mp4

# Agora's list of characters that become "-" in file names; a space stays.
_SPECIAL = re.compile(r"[!@#$%^&*()+_.=\[\]{}~|,;:?<>]")

_HELD_SECONDS = 0.02
_CRASH_SECONDS = 1.0

INITIALISED, PARTLY_READY, ALL_READY, IN_PROGRESS, STOP_REQUESTED, EXITED, CRASHED = 1, 3, 4, 5, 6, 8, 20

# Why the recorder leaves the channel, as a bit of Agora's leaveCode.
_INIT_FAILED, _STOPPED, _NO_USERS = 0, 2, 4


@dataclass
class Recording:
    """One recording task. `run` records until `stop`, until the channel has been empty for a while, or until it dies.

    While it is `onhold`, nothing is recorded, and what is played waits. `began` is in unix seconds; `sleep` raises
    when the process ends.
    """

    resource_id: str
    sid: str
    cname: str
    uid: str
    mode: str
    channel: Channel
    listening: Listening
    prefix: list[str]
    mp4_wanted: bool
    correct_extinf: bool
    uploads: Uploads
    notifications: Notifications
    sleep: Callable[[float], None]
    began: float
    onhold: bool = False
    status: int = INITIALISED
    stop_asked: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)
    exited: threading.Event = field(default_factory=threading.Event)
    _tracks: list[Track] = field(default_factory=list)
    _mp4s: list[str] = field(default_factory=list)
    _from: float = 0.0
    _between_recorders: bool = False
    _playlist_told: bool = False
    _joined: float | None = None
    _stopped: float | None = None
    _held: float | None = None

    @property
    def running(self) -> bool:
        """Whether the task is not over."""
        return not self.exited.is_set()

    @property
    def found(self) -> bool:
        """Whether there is a recorder to ask."""
        return self.running and not self._between_recorders

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
        heard = self.heard_seconds
        return any(next_span(0.0, heard, math.inf, self._holes(stream)) for stream in self.channel.streams)

    def stop(self) -> None:
        self._stopped = time.monotonic()
        self.status = STOP_REQUESTED
        self.stop_asked.set()
        self.told.set()

    def listen(self, lists: Mapping[str, Any]) -> None:
        """From now on to others, if each uid is recorded apart; the slices at hand end where that changes."""
        self.listening.change(self.heard_seconds, lists)
        self.told.set()

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
            upload = {"serviceName": "upload_service", "payload": {"uploadingStatus": self.uploads.status}}
            return {"extensionServiceState": [upload, self._page()]}
        return {**self.file_list(), "uploadingStatus": self.uploads.status}

    def _page(self) -> dict[str, Any]:
        """What the recorder of a page says of itself; its files are `filename`, and begin in seconds."""
        begin = self.slice_start_ms // 1000
        state = "exit" if self.status >= STOP_REQUESTED else "inProgress" if self._joined is not None else "init"
        files = [{"filename": file["fileName"], "sliceStartTime": begin} for file in self._files()]
        return {
            "serviceName": "web_recorder_service",
            "payload": {"state": state, "onhold": self.onhold, "fileList": files},
        }

    def file_list(self) -> dict[str, Any]:
        """fileListMode and fileList of this recorder: in mode mix with hls only a name, objects in other cases."""
        files = self._files()
        if self.mode == "mix" and not self.mp4_wanted:
            return {"fileListMode": "string", "fileList": files[0]["fileName"] if files else ""}
        return {"fileListMode": "json", "fileList": files}

    def _files(self) -> list[dict[str, Any]]:
        return files_of(self._tracks, self._mp4s)

    @property
    def slice_start_ms(self) -> int:
        return int((self.began + self.channel.dials.joining_seconds) * 1000)

    def run(self) -> None:
        try:
            leave_code = self._record()
            if leave_code is None:
                self._crash()
            else:
                self._finish(leave_code)
        finally:
            self.status = EXITED
            self.exited.set()
        self.uploads.put_late(self.sleep)

    def _record(self) -> int | None:
        """Gives the leaveCode; None if the recorder crashed."""
        channel = self.channel
        for status in (INITIALISED, PARTLY_READY):
            self.status = status
            if self.stop_asked.wait(channel.dials.joining_seconds / 2):
                return _STOPPED
        if channel.dials.never_starts:
            return _STOPPED if self.stop_asked.wait(channel.idle_seconds) else _INIT_FAILED
        for stream in channel.streams:
            stream.media()  # telling voices apart takes a while, in which nothing must be missed
        self.status = IN_PROGRESS if channel.seconds else ALL_READY
        self._tracks = self._new_tracks("")
        self._joined = time.monotonic()
        self._held = self._joined if self.onhold else None
        if self.mode == "web":
            self.notifications.tell(events.PAGE_STARTED, recorderStartTime=self.slice_start_ms)
        else:
            self.notifications.tell(events.STARTED, status=0)
        for at, is_end in channel.accidents:
            if not self._record_until(at):
                return _STOPPED
            if is_end:
                return None
            self._fail_over()
        if not self._record_until(channel.seconds) or self.stop_asked.wait(channel.idle_seconds):
            return _STOPPED
        return _NO_USERS

    def _record_until(self, end: float) -> bool:
        """Upload slices as they become whole, until so much was heard; false if the stop came first."""
        longest = self.channel.slice_seconds
        while True:
            self.told.clear()
            if self.stop_asked.is_set():
                for each in self._tracks:
                    while span := each.upcoming(longest, self.heard_seconds):
                        self._upload_slice(each, *span)
                return False
            spans = [(track, track.upcoming(longest, self.channel.seconds)) for track in self._tracks]
            whole = [(track, span) for track, span in spans if span and span[1] <= end]
            track, coming = min(whole, key=lambda pair: pair[1][1], default=(None, None))
            if self._told_before(coming[1] if coming else end):
                continue
            if not track or not coming:
                return True
            self._upload_slice(track, *coming)

    def _told_before(self, heard: float) -> bool:
        """Wait until so many seconds were heard; true if a stop, or whom else to listen to, came first."""
        while (missing := heard - self.heard_seconds) > 0 and not self.told.is_set():
            self.told.wait(_HELD_SECONDS if self.onhold else missing / self.channel.speed)
        return self.told.is_set()

    def _holes(self, stream: Stream) -> Sequence[Span]:
        """When nothing of a stream is recorded, by order of beginning."""
        return sorted([*stream.holes, *([] if stream.mixed else self.listening.holes(stream.uid))])

    def _fail_over(self) -> None:
        """The recorder dies, with the slice it was at; another, with a new uid, begins where the channel is by then.

        Source: docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files.
        """
        self._tracks, self._between_recorders = [], True
        if self.stop_asked.wait(self.channel.dials.fail_over_gap_seconds):
            return
        self._from = self.heard_seconds
        self._tracks = self._new_tracks("bak0_")
        self._between_recorders = self._playlist_told = False
        new_uid = 1 + secrets.randbelow((1 << 32) - 1)
        self.notifications.uid = str(new_uid)
        self.notifications.tell(events.FAIL_OVER, newUid=new_uid)

    def _crash(self) -> None:
        self._tracks = []
        self.status = CRASHED
        self.notifications.tell(events.EXIT, exitStatus=1)
        self.sleep(_CRASH_SECONDS)

    def _finish(self, leave_code: int) -> None:
        """Close the playlists, upload the MP4s, leave."""
        written = [track for track in self._tracks if track.slices]
        for track in written:
            self._upload_playlist(track, closed=True)
        if written and self.mp4_wanted:
            self._upload_mp4s(written[0])
        files = self._files()
        if self.mode == "web":
            ended = {"code": 0, "message": "ok", "details": "", "fileList": self._page()["payload"]["fileList"]}
            self.notifications.tell(events.PAGE_STOPPED, **ended)
        else:
            self.notifications.tell(events.LEFT, leaveCode=leave_code)
        self.notifications.tell(events.EXIT, exitStatus=int(leave_code == _INIT_FAILED))
        if files:
            event = events.UPLOADED if self.uploads.status == "uploaded" else events.BACKED_UP
            self.notifications.tell(event, status=0, **({} if self.mode == "web" else {"fileList": files}))

    def _new_tracks(self, marker: str) -> list[Track]:
        """The playlists of a recorder that begins now, `marker` before the sid in their names."""
        name = "/".join([*self.prefix, f"{marker}{self.sid}_{_SPECIAL.sub('-', self.cname)}"])
        return [
            Track(
                name if stream.mixed else f"{name}__uid_s_{stream.uid}__uid_e_audio",
                stream,
                self.slice_start_ms,
                self._from,
                partial(self._holes, stream),
            )
            for stream in self.channel.streams
        ]

    def _upload_slice(self, track: Track, start: float, end: float) -> None:
        if (piece := track.cut(start, end)) is None:
            return
        self.uploads.put_slice(track.stem, len(track.slices) - 1, piece.name, piece.content)
        self._upload_playlist(track, closed=False)

    def _upload_playlist(self, track: Track, *, closed: bool) -> None:
        content = track.playlist(closed=closed, correct_extinf=self.correct_extinf)
        taken = self.uploads.put_playlist(track.stem, content, closed=closed)
        if taken and not self._playlist_told:
            self._playlist_told = True
            self.notifications.tell(events.FIRST_PLAYLIST, fileList=f"{track.stem}.m3u8")

    def _upload_mp4s(self, track: Track) -> None:
        length = (track.position - self._from) / self.channel.parts
        with tempfile.TemporaryDirectory() as scratch:
            for index in range(self.channel.parts):
                file, start = Path(scratch) / f"{index}.mp4", self._from + index * length
                part_mp4(self.channel.media, start, start + length, file)
                self._mp4s.append(f"{track.stem}_{index}.mp4")
                self.uploads.put_mp4(self._mp4s[-1], file)
