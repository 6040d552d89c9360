"""A recording task from its start to its end. After a fail-over another recorder continues it."""

import contextlib
import itertools
import math
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_ins.agora import notifications as events
from sandbox.stand_ins.agora.channel import Channel, Stream
from sandbox.stand_ins.agora.clock import MediaClock
from sandbox.stand_ins.agora.media import Span
from sandbox.stand_ins.agora.notifications import Notifications
from sandbox.stand_ins.agora.page import RECORDER as PAGE_RECORDER
from sandbox.stand_ins.agora.page import Page
from sandbox.stand_ins.agora.recorder import Recorder, RequestedFiles, Source
from sandbox.stand_ins.agora.subscriptions import Subscriptions
from sandbox.stand_ins.agora.uploads import Uploads

# Agora's list of characters that become "-" in file names, but for "_", which real files keep. A space stays.
# Such a file of 2024: 972b2f73e8408e687e2819a2d9e70693_ride_17822__uid_s_1000__uid_e_video_20240203052751685.ts
_SPECIAL = re.compile(r"[!@#$%^&*()+.=\[\]{}~|,;:?<>]")

_CRASH_SECONDS = 1.0
_LONGEST_ANSWER_SECONDS = 20.0
_LEAST_WAIT_SECONDS, _CHECK_SECONDS = 0.001, 0.02
"""The second one is how often a wait looks whether the process ends, and at a clock that somebody may advance."""

INITIALISED, PARTLY_READY, ALL_READY, IN_PROGRESS, STOP_REQUESTED, EXITED, CRASHED = 1, 3, 4, 5, 6, 8, 20

# Why the recorder leaves the channel, as a bit of Agora's leaveCode.
_INIT_FAILED, _STOPPED, _NO_USERS = 0, 2, 4


@dataclass
class Recording:
    """One recording task. `run` records until `stop`, until the channel was empty for a while, or until a crash.

    While its `clock` is paused, nothing is played or recorded. `page` exists in web mode only. `began` is in unix
    seconds. `sleep` raises when the process ends. `changed` is set by a stop, by new subscriptions, and by media that
    plays on.
    """

    resource_id: str
    sid: str
    cname: str
    uid: str
    mode: str
    channel: Channel
    clock: MediaClock
    subscriptions: Subscriptions
    prefix: Sequence[str]
    requested_files: RequestedFiles
    page: Page | None
    uploads: Uploads
    notifications: Notifications
    sleep: Callable[[float], None]
    began: float
    status: int = INITIALISED
    stop_asked: threading.Event = field(default_factory=threading.Event)
    changed: threading.Event = field(default_factory=threading.Event)
    exited: threading.Event = field(default_factory=threading.Event)
    _join_asked: threading.Event = field(default_factory=threading.Event)
    _leave_asked: threading.Event = field(default_factory=threading.Event)
    _crash_seen: threading.Event = field(default_factory=threading.Event)
    _joined: threading.Event = field(default_factory=threading.Event)
    _join_answered: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _query_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _recorder: Recorder | None = None
    _earlier_recorders: list[Recorder] = field(default_factory=list)
    _between_recorders: bool = False

    @property
    def running(self) -> bool:
        """Whether the task has not ended."""
        return not self.exited.is_set()

    @property
    def found(self) -> bool:
        """Whether the task has a recorder at the moment."""
        return self.running and not self._between_recorders

    @property
    def has_files(self) -> bool:
        """Whether the bucket has or will have any file."""
        seconds = self.clock.seconds
        return any(
            self.requested_files.any_from(stream, seconds, self._gaps(stream)) for stream in self.channel.streams
        )

    def stop(self) -> None:
        """Request the end of the recording."""
        self.clock.stop()
        self.status = STOP_REQUESTED
        for asked in (self.stop_asked, self._join_asked, self._leave_asked, self.changed):
            asked.set()

    def subscribe(self, lists: Mapping[str, Any]) -> None:
        """Change the subscriptions of individual mode from now on; the present segments end here."""
        self.subscriptions.change(self.clock.seconds, lists)
        self.changed.set()

    def play_on(self) -> None:
        """Let media continue that stands still."""
        self.clock.play_on()
        self.changed.set()

    @contextlib.contextmanager
    def query(self) -> Iterator[None]:
        """Count a query, and let its answer be made. If the recorder is to join or to leave in it, wait for that."""
        number = next(self._query_numbers)
        self._join_or_leave(number)
        try:
            yield
        finally:
            if number == self.channel.dials.joins_at_query:
                self._join_answered.set()

    def _join_or_leave(self, number: int) -> None:
        dials = self.channel.dials
        if number >= dials.joins_at_query:
            self._join_asked.set()
        if number < dials.joins_at_query and self.status <= PARTLY_READY:
            self.status = INITIALISED if number == 1 else PARTLY_READY
        elif dials.joins_at_query and not self._joined.is_set():
            self._joined.wait(_LONGEST_ANSWER_SECONDS)
        elif 0 < dials.leaves_at_query <= number and (self.clock.at_end or dials.never_starts):
            self._leave_asked.set()
            self._ended.wait(_LONGEST_ANSWER_SECONDS)

    def leave_after_crash(self) -> None:
        """Let a crashed recorder go that waits until a query has seen it."""
        if self.channel.dials.leaves_at_query:
            self._crash_seen.set()
            self.exited.wait(_LONGEST_ANSWER_SECONDS)

    def state(self) -> dict[str, Any]:
        """Return serverResponse of query."""
        if self.page:
            services = [self._page(), *self.page.publisher(self._service_state)]
            return {"status": self.status, "extensionServiceState": services}
        return {"status": self.status, **self.file_list(), "sliceStartTime": self.slice_start_ms}

    def result(self) -> dict[str, Any]:
        """Return serverResponse of a stop that waited for the uploads."""
        if self.page:
            upload = {"serviceName": "upload_service", "payload": {"uploadingStatus": self.uploads.status}}
            return {"extensionServiceState": [upload, self._page()]}
        return {**self.file_list(), "uploadingStatus": self.uploads.status}

    def file_list(self) -> dict[str, Any]:
        """Return fileListMode and fileList of the present recorder: a name in mode mix with hls only, else objects.

        Both are missing if only snapshots are taken.
        """
        if not self.requested_files.playlists:
            return {}
        files = self._files()
        if self.mode == "mix" and not self.requested_files.mp4s:
            return {"fileListMode": "string", "fileList": files[0]["fileName"] if files else ""}
        return {"fileListMode": "json", "fileList": files}

    def _files(self) -> list[dict[str, Any]]:
        return self._recorder.files if self._recorder else []

    @property
    def _service_state(self) -> str:
        return "exit" if self.status >= STOP_REQUESTED else "inProgress" if self.clock.started else "init"

    def _page(self) -> dict[str, Any]:
        """The state of the recorder of a page."""
        payload = {"state": self._service_state, "onhold": self.clock.paused, "fileList": self._page_files()}
        return {"serviceName": PAGE_RECORDER, "payload": payload}

    def _page_files(self) -> list[dict[str, Any]]:
        """Files of a page: the key is `filename`, and sliceStartTime is in seconds."""
        begin = self.slice_start_ms // 1000
        return [{"filename": file["fileName"], "sliceStartTime": begin} for file in self._files()]

    @property
    def slice_start_ms(self) -> int:
        dials = self.channel.dials
        return int((self.began + (0.0 if dials.joins_at_query else dials.joining_seconds)) * 1000)

    def run(self) -> None:
        try:
            leave_code = self._record()
            if leave_code is None:
                self._crash()
            else:
                self._finish(leave_code)
        finally:
            self.status = EXITED
            for reached in (self._joined, self._ended, self.exited):
                reached.set()
        self.uploads.put_late(self.sleep)

    def _record(self) -> int | None:
        """Record to the end. Return the leaveCode, None after a crash."""
        channel = self.channel
        if channel.dials.never_starts:
            self._joined.set()
            return _STOPPED if self._stopped_before_join() or self._stopped_before_leave() else _INIT_FAILED
        for stream in channel.streams:
            stream.media()  # separating the voices takes a while, and the clock must not run meanwhile
        if self._stopped_before_join():
            return _STOPPED
        self.status = IN_PROGRESS if channel.seconds else ALL_READY
        self._recorder = self._new_recorder("", 0.0)
        self.clock.start()
        self._joined.set()
        if channel.dials.joins_at_query:
            self._wait_for(self._join_answered)  # the query in which it joined must still find it recording
        if self.page:
            self.notifications.notify(events.PAGE_STARTED, recorderStartTime=self.slice_start_ms)
        else:
            self.notifications.notify(events.STARTED, status=0)
        for at, is_end in channel.accidents:
            if not self._record_until(at):
                return _STOPPED
            if is_end:
                return None
            self._fail_over(at)
        if not self._record_until(channel.seconds) or self._stopped_before_leave():
            return _STOPPED
        return _NO_USERS

    def _stopped_before_join(self) -> bool:
        """Wait until the recorder is to join. Return true if a stop came first."""
        dials = self.channel.dials
        if dials.joins_at_query:
            self._wait_for(self._join_asked)
            return self.stop_asked.is_set()
        for status in (INITIALISED, PARTLY_READY):
            self.status = status
            if self._wait_for(self.stop_asked, dials.joining_seconds / 2):
                return True
        return False

    def _stopped_before_leave(self) -> bool:
        """Wait until the recorder is to leave. Return true if a stop came first."""
        if not self.channel.dials.leaves_at_query:
            return self._wait_for(self.stop_asked, self.channel.idle_seconds)
        self._wait_for(self._leave_asked)
        return self.stop_asked.is_set()

    def _wait_for(self, event: threading.Event, seconds: float = math.inf) -> bool:
        """Wait for the event, at most these seconds. Return whether it is set."""
        end = time.monotonic() + seconds
        return self._wait(lambda: end - time.monotonic(), event)

    def _wait_until(self, second: float, event: threading.Event) -> bool:
        """Wait until this second of media. Return whether the event is set, which ends the wait."""
        return self._wait(lambda: self.clock.until(second), event)

    def _wait(self, left: Callable[[], float], event: threading.Event) -> bool:
        while (seconds := left()) > 0 and not event.is_set():
            event.wait(min(max(seconds, _LEAST_WAIT_SECONDS), _CHECK_SECONDS))
            self.sleep(0)
        return event.is_set()

    def _record_until(self, end: float) -> bool:
        """Upload every complete piece until this second of media. Return false if a stop came first."""
        while True:
            self.changed.clear()
            if self.stop_asked.is_set():
                if self._recorder:
                    self._recorder.record_rest(self.clock.seconds)
                return False
            coming = self._upcoming(end)
            if self._wait_until(coming[2][1] if coming else end, self.changed):
                continue
            if not coming:
                return True
            recorder, source, span = coming
            recorder.record(source, span)

    def _upcoming(self, end: float) -> tuple[Recorder, Source, Span] | None:
        """Return the next piece of any recorder, None if none is complete at this second of media."""
        recorders = [*self._earlier_recorders, *([self._recorder] if self._recorder else [])]
        pieces = [(recorder, *coming) for recorder in recorders if (coming := recorder.upcoming(end))]
        return min(pieces, key=lambda piece: piece[2][1], default=None)

    def _gaps(self, stream: Stream) -> Sequence[Span]:
        """The spans in which nothing of a stream is recorded, in order."""
        if stream.mixed or stream.medium == "audio_and_video":
            return stream.gaps
        return sorted([*stream.gaps, *self.subscriptions.gaps(stream.medium, stream.uid)])

    def _fail_over(self, at: float) -> None:
        """The recorder dies and loses its present segment. Another one with a new uid continues after the gap.

        A recorder that was only cut off records on for a while, also after the other one has begun.
        Source: docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files.
        """
        dials = self.channel.dials
        continues = min(at + dials.fail_over_gap_seconds, self.channel.seconds)
        if self._recorder:
            overlap = dials.fail_over_overlap_seconds
            self._recorder.ends = continues + overlap if overlap else at
            self._earlier_recorders.append(self._recorder)
        self._recorder, self._between_recorders = None, self.clock.seconds < continues
        if not self._record_until(continues):
            return
        self._recorder = self._new_recorder(f"bak{len(self._earlier_recorders) - 1}_", continues)
        self._between_recorders = False
        new_uid = 1 + secrets.randbelow((1 << 32) - 1)
        self.notifications.uid = str(new_uid)
        self.notifications.notify(events.FAIL_OVER, newUid=new_uid)

    def _crash(self) -> None:
        self._recorder = None
        self.status = CRASHED
        self.notifications.notify(events.EXIT, exitStatus=1)
        self._ended.set()
        if self.channel.dials.leaves_at_query:
            self._wait_for(self._crash_seen)
        else:
            self.sleep(_CRASH_SECONDS)

    def _finish(self, leave_code: int) -> None:
        """Write the last files and leave the channel."""
        if self._recorder:
            self._recorder.close()
        if self.page:
            ended = {"code": 0, "message": "ok", "details": "", "fileList": self._page_files()}
            self.notifications.notify(events.PAGE_STOPPED, **ended)
        else:
            self.notifications.notify(events.LEFT, leaveCode=leave_code)
        self.notifications.notify(events.EXIT, exitStatus=int(leave_code == _INIT_FAILED))
        if self._recorder and self._recorder.wrote:
            event = events.UPLOADED if self.uploads.status == "uploaded" else events.BACKED_UP
            named = {} if self.page or not self.requested_files.playlists else {"fileList": self._files()}
            self.notifications.notify(event, status=0, **named)

    def _new_recorder(self, marker: str, begins: float) -> Recorder:
        """Create a recorder that begins at this second. The names of its files have `marker` before the sid."""
        channel = _SPECIAL.sub("-", self.cname)
        if self.channel.dials.replaces_underscores:
            channel = channel.replace("_", "-")
        return Recorder(
            "/".join([*self.prefix, f"{marker}{self.sid}_{channel}"]),
            self.channel,
            self.requested_files,
            self._gaps,
            self.slice_start_ms,
            begins,
            self.uploads,
            self.notifications,
            stamps_unix_ms=self.page is not None,  # so says Agora's page in Chinese
        )
