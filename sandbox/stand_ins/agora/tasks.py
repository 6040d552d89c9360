"""Resources, which acquire returns, and tasks, which a start creates."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_ins.agora.answers import refusal
from sandbox.stand_ins.agora.channel import Channel, NoChannel, ParticipantMedia, open_channel
from sandbox.stand_ins.agora.clock import MediaClock
from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.notifications import ERROR, Notifications
from sandbox.stand_ins.agora.page import Page
from sandbox.stand_ins.agora.recorder import RequestedFiles
from sandbox.stand_ins.agora.recording import Recording
from sandbox.stand_ins.agora.rules import REGIONS
from sandbox.stand_ins.agora.subscriptions import Subscriptions
from sandbox.stand_ins.agora.uploads import Uploads
from sandbox.stand_ins.customer.buckets import BucketAccess, UploadRefused
from sandbox.stand_ins.runtime.runtime import Runtime

RESOURCE_SECONDS = 5 * 60
_UPLOAD_FAILED = 47
_DEFAULT_IDLE_SECONDS = 30
_DEFAULT_EXPIRED_HOURS = 72


@dataclass
class Resource:
    """A resource for one start, whose `sid` it then gets. `acquired` is in unix seconds."""

    cname: str
    uid: str
    scene: int
    acquired: float
    expired_hours: int
    area: str | None
    start_parameter: Any = field(repr=False)
    sid: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any], now: float) -> "Resource":
        """Read the body of an acquire."""
        request = given["clientRequest"]
        return cls(
            given["cname"],
            given["uid"],
            request.get("scene", 0),
            now,
            request.get("resourceExpiredHour", _DEFAULT_EXPIRED_HOURS),
            request.get("region"),
            request.get("startParameter"),
        )

    def too_old(self, now: float) -> bool:
        """Whether a start can no longer use it."""
        return now - self.acquired > RESOURCE_SECONDS


@dataclass
class Task:
    """A recording that can be queried until `ends` (unix seconds), and its access to the bucket."""

    recording: Recording
    access: BucketAccess
    ends: float

    def renew(self, storage: Mapping[str, Any], runtime: Runtime) -> None:
        """Use the storageConfig of an update from now on. The folder stays that of the start."""
        self.access = _access(storage)
        self.recording.uploads.renew(runtime.open_bucket(self.access))


def new_task(
    runtime: Runtime, participants: ParticipantMedia, given: Mapping[str, Any], mode: str, now: float, hours: int
) -> Task:
    """Create the task of a checked start. Raises Refusal if the dials describe no channel."""
    request = given["clientRequest"]
    storage, config, page = request["storageConfig"], request.get("recordingConfig", {}), Page.of(request)
    dials = runtime.dials.of(AgoraDials)
    idle_seconds = (
        page.hours * 3600 if page else config.get("maxIdleTime", _DEFAULT_IDLE_SECONDS)
    )  # a page is never empty
    channel = _channel(runtime, participants, given, mode, idle_seconds)
    clock = MediaClock(
        channel.speed,
        channel.seconds,
        runtime.monotonic,
        paused=page.onhold if page else False,
        stands_at=dials.stands_at_seconds,
    )
    access = _access(storage)
    sid = secrets.token_hex(16)
    notifications = Notifications(runtime, given["cname"], given["uid"], sid)

    def refused(upload: UploadRefused) -> None:
        runtime.ledger.add("agora.upload", upload.status, sid=sid, error=upload.code)
        notifications.notify(ERROR, module=1, errorLevel=4, errorCode=_UPLOAD_FAILED, stat=1, errorMsg=upload.code)

    recording = Recording(
        resource_id=given["resourceId"],
        sid=sid,
        cname=given["cname"],
        uid=given["uid"],
        mode=mode,
        channel=channel,
        clock=clock,
        subscriptions=Subscriptions(config, dials.unsubscribe_spelling),
        prefix=storage.get("fileNamePrefix", []),
        requested_files=RequestedFiles.of(request),
        page=page,
        uploads=Uploads(
            runtime.open_bucket(access),
            dials,
            refused,
            runtime.clock,
            lambda: clock.seconds,
            lambda: runtime.dials.of(AgoraDials).held_late,
        ),
        notifications=notifications,
        sleep=runtime.jobs.sleep,
        began=now,
    )
    return Task(recording, access, now + hours * 3600)


def _access(storage: Mapping[str, Any]) -> BucketAccess:
    region = REGIONS[storage["region"]]
    return BucketAccess(storage["bucket"], region, storage["accessKey"], storage["secretKey"], storage.get("stsToken"))


def _channel(
    runtime: Runtime, participants: ParticipantMedia, given: Mapping[str, Any], mode: str, idle_seconds: float
) -> Channel:
    config = given["clientRequest"].get("recordingConfig", {})
    try:
        return open_channel(
            runtime.dials.of(AgoraDials), runtime.sample, runtime.scratch, participants, mode, config, idle_seconds
        )
    except NoChannel as error:
        raise refusal(500, 500, str(error), given) from error
