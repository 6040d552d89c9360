"""Resources and tasks: what acquire gives out, and what a start makes of it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.stand_ins.agora.answers import refusal
from sandbox.stand_ins.agora.channel import Channel, NoChannel, Senders, open_channel
from sandbox.stand_ins.agora.clock import MediaClock
from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.notifications import ERROR, Notifications
from sandbox.stand_ins.agora.page import Page
from sandbox.stand_ins.agora.recorder import Products
from sandbox.stand_ins.agora.recording import Recording
from sandbox.stand_ins.agora.rules import REGIONS
from sandbox.stand_ins.agora.subscriptions import Subscriptions
from sandbox.stand_ins.agora.uploads import Uploads
from sandbox.stand_ins.customer.buckets import BucketAccess, UploadRefused
from sandbox.stand_ins.runtime.runtime import World

RESOURCE_SECONDS = 5 * 60
_UPLOAD_FAILED = 47
_DEFAULT_IDLE_SECONDS = 30
_DEFAULT_EXPIRED_HOURS = 72


@dataclass
class Resource:
    """What acquire gave out for one start, whose `sid` it then has; `acquired` is in unix seconds."""

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
        """That of the body of an acquire."""
        wanted = given["clientRequest"]
        return cls(
            given["cname"],
            given["uid"],
            wanted.get("scene", 0),
            now,
            wanted.get("resourceExpiredHour", _DEFAULT_EXPIRED_HOURS),
            wanted.get("region"),
            wanted.get("startParameter"),
        )

    def too_old(self, now: float) -> bool:
        """Whether it may no longer be used for a start."""
        return now - self.acquired > RESOURCE_SECONDS


@dataclass
class Task:
    """A recording that may be asked about until `ends` (unix seconds), and how it gets into its bucket."""

    recording: Recording
    access: BucketAccess
    ends: float

    def renew(self, storage: Mapping[str, Any], world: World) -> None:
        """From now on with the storageConfig of an update; the folder stays that of the start."""
        self.access = _access(storage)
        self.recording.uploads.renew(world.open_bucket(self.access))


def new_task(world: World, senders: Senders, given: Mapping[str, Any], mode: str, now: float, hours: int) -> Task:
    """The task that the body of a start, found good, asks for. Raises Refusal where the dials make no channel."""
    wanted = given["clientRequest"]
    storage, config, page = wanted["storageConfig"], wanted.get("recordingConfig", {}), Page.of(wanted)
    dials = world.dials.of(AgoraDials)
    idle_seconds = page.hours * 3600 if page else config.get("maxIdleTime", _DEFAULT_IDLE_SECONDS)  # pages never empty
    channel = _channel(world, senders, given, mode, idle_seconds)
    clock = MediaClock(channel.speed, channel.seconds, held=page.onhold if page else False)
    access = _access(storage)
    sid = secrets.token_hex(16)
    notifications = Notifications(world, given["cname"], given["uid"], sid)

    def refused(upload: UploadRefused) -> None:
        world.ledger.add("agora.upload", upload.status, sid=sid, error=upload.code)
        notifications.tell(ERROR, module=1, errorLevel=4, errorCode=_UPLOAD_FAILED, stat=1, errorMsg=upload.code)

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
        products=Products.of(wanted),
        page=page,
        uploads=Uploads(world.open_bucket(access), dials, refused, world.clock, lambda: clock.seconds),
        notifications=notifications,
        sleep=world.jobs.sleep,
        began=now,
    )
    return Task(recording, access, now + hours * 3600)


def _access(storage: Mapping[str, Any]) -> BucketAccess:
    region = REGIONS[storage["region"]]
    return BucketAccess(storage["bucket"], region, storage["accessKey"], storage["secretKey"], storage.get("stsToken"))


def _channel(world: World, senders: Senders, given: Mapping[str, Any], mode: str, idle_seconds: float) -> Channel:
    config = given["clientRequest"].get("recordingConfig", {})
    try:
        return open_channel(
            world.dials.of(AgoraDials), world.sample, world.scratch, senders, mode, config, idle_seconds
        )
    except NoChannel as error:
        raise refusal(500, 500, str(error), given) from error
