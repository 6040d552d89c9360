"""A recording under way: a task from its start to its end, whichever recorder is at it."""

import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_ins.agora import notifications as events
from sandbox.stand_ins.agora.channel import Channel, Stream
from sandbox.stand_ins.agora.clock import MediaClock
from sandbox.stand_ins.agora.media import Span
from sandbox.stand_ins.agora.notifications import Notifications
from sandbox.stand_ins.agora.page import RECORDER as PAGE_RECORDER
from sandbox.stand_ins.agora.page import Page
from sandbox.stand_ins.agora.recorder import Products, Recorder
from sandbox.stand_ins.agora.subscriptions import Subscriptions
from sandbox.stand_ins.agora.uploads import Uploads

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

    While its `clock` is held, nothing is recorded, and what is played waits. `page` is there in web mode only. `began`
    is in unix seconds; `sleep` raises when the process ends.
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
    products: Products
    page: Page | None
    uploads: Uploads
    notifications: Notifications
    sleep: Callable[[float], None]
    began: float
    status: int = INITIALISED
    stop_asked: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)
    exited: threading.Event = field(default_factory=threading.Event)
    _recorder: Recorder | None = None
    _between_recorders: bool = False

    @property
    def running(self) -> bool:
        """Whether the task is not over."""
        return not self.exited.is_set()

    @property
    def found(self) -> bool:
        """Whether there is a recorder to ask."""
        return self.running and not self._between_recorders

    @property
    def has_files(self) -> bool:
        """Whether there is or will be anything in the bucket."""
        heard = self.clock.seconds
        return any(self.products.come_of(stream, heard, self._holes(stream)) for stream in self.channel.streams)

    def stop(self) -> None:
        self.clock.stop()
        self.status = STOP_REQUESTED
        self.stop_asked.set()
        self.told.set()

    def subscribe(self, lists: Mapping[str, Any]) -> None:
        """From now on to others, if each uid is recorded apart; the slices at hand end where that changes."""
        self.subscriptions.change(self.clock.seconds, lists)
        self.told.set()

    def state(self) -> dict[str, Any]:
        """serverResponse of query."""
        if self.page:
            services = [self._page(), *self.page.publisher(self._service_state)]
            return {"status": self.status, "extensionServiceState": services}
        return {"status": self.status, **self.file_list(), "sliceStartTime": self.slice_start_ms}

    def result(self) -> dict[str, Any]:
        """serverResponse of a stop that waited for the uploads."""
        if self.page:
            upload = {"serviceName": "upload_service", "payload": {"uploadingStatus": self.uploads.status}}
            return {"extensionServiceState": [upload, self._page()]}
        return {**self.file_list(), "uploadingStatus": self.uploads.status}

    def file_list(self) -> dict[str, Any]:
        """fileListMode and fileList of this recorder: in mode mix with hls only a name, objects in other cases.

        Neither where only pictures are taken.
        """
        if not self.products.playlists:
            return {}
        files = self._files()
        if self.mode == "mix" and not self.products.mp4s:
            return {"fileListMode": "string", "fileList": files[0]["fileName"] if files else ""}
        return {"fileListMode": "json", "fileList": files}

    def _files(self) -> list[dict[str, Any]]:
        return self._recorder.files if self._recorder else []

    @property
    def _service_state(self) -> str:
        return "exit" if self.status >= STOP_REQUESTED else "inProgress" if self.clock.started else "init"

    def _page(self) -> dict[str, Any]:
        """What the recorder of a page says of itself."""
        payload = {"state": self._service_state, "onhold": self.clock.held, "fileList": self._page_files()}
        return {"serviceName": PAGE_RECORDER, "payload": payload}

    def _page_files(self) -> list[dict[str, Any]]:
        """A page's files are `filename`, and begin in seconds."""
        begin = self.slice_start_ms // 1000
        return [{"filename": file["fileName"], "sliceStartTime": begin} for file in self._files()]

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
        self._recorder = self._new_recorder("")
        self.clock.start()
        if self.page:
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
        """Upload what becomes whole, until so much was heard; false if the stop came first."""
        recorder = self._recorder
        if recorder is None:  # stopped between recorders
            return False
        while True:
            self.told.clear()
            if self.stop_asked.is_set():
                recorder.record_rest(self.clock.seconds)
                return False
            coming = recorder.upcoming(end)
            if self._told_before(coming[1][1] if coming else end):
                continue
            if not coming:
                return True
            recorder.record(*coming)

    def _told_before(self, heard: float) -> bool:
        """Wait until so many seconds were heard; true if a stop, or whom else to record, came first."""
        while (missing := heard - self.clock.seconds) > 0 and not self.told.is_set():
            self.told.wait(_HELD_SECONDS if self.clock.held else missing / self.channel.speed)
        return self.told.is_set()

    def _holes(self, stream: Stream) -> Sequence[Span]:
        """When nothing of a stream is recorded, by order of beginning."""
        return sorted([*stream.holes, *([] if stream.mixed else self.subscriptions.holes(stream.medium, stream.uid))])

    def _fail_over(self) -> None:
        """The recorder dies, with the slice it was at; another, with a new uid, begins where the channel is by then.

        Source: docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files.
        """
        self._recorder, self._between_recorders = None, True
        if self.stop_asked.wait(self.channel.dials.fail_over_gap_seconds):
            return
        self._recorder = self._new_recorder("bak0_")
        self._between_recorders = False
        new_uid = 1 + secrets.randbelow((1 << 32) - 1)
        self.notifications.uid = str(new_uid)
        self.notifications.tell(events.FAIL_OVER, newUid=new_uid)

    def _crash(self) -> None:
        self._recorder = None
        self.status = CRASHED
        self.notifications.tell(events.EXIT, exitStatus=1)
        self.sleep(_CRASH_SECONDS)

    def _finish(self, leave_code: int) -> None:
        """Write the last files, leave."""
        if self._recorder:
            self._recorder.close()
        if self.page:
            ended = {"code": 0, "message": "ok", "details": "", "fileList": self._page_files()}
            self.notifications.tell(events.PAGE_STOPPED, **ended)
        else:
            self.notifications.tell(events.LEFT, leaveCode=leave_code)
        self.notifications.tell(events.EXIT, exitStatus=int(leave_code == _INIT_FAILED))
        if self._recorder and self._recorder.wrote:
            event = events.UPLOADED if self.uploads.status == "uploaded" else events.BACKED_UP
            named = {} if self.page or not self.products.playlists else {"fileList": self._files()}
            self.notifications.tell(event, status=0, **named)

    def _new_recorder(self, marker: str) -> Recorder:
        """One that begins where the channel is by now, `marker` before the sid in the names of its files."""
        return Recorder(
            "/".join([*self.prefix, f"{marker}{self.sid}_{_SPECIAL.sub('-', self.cname)}"]),
            self.channel,
            self.products,
            self._holes,
            self.slice_start_ms,
            self.clock.seconds,
            self.uploads,
            self.notifications,
        )
