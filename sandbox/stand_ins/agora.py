"""Agora Cloud Recording: acquire, start, query, stop, update, updateLayout.

Every recording really uploads, with the storage credentials that it was given. Errors have Agora's shapes: the
gateway's are `{"message"}`, the recorder's `{"code", "reason"}` with the names of the task around, also with 201
and 206.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.agora_answers import checked, enter, names, names_of, refusal, task_body, worker_not_found
from sandbox.stand_ins.agora_channel import Channel, NoChannel, open_channel
from sandbox.stand_ins.agora_dials import AgoraDials
from sandbox.stand_ins.agora_fields import check_layout, check_offered
from sandbox.stand_ins.agora_listening import Listening
from sandbox.stand_ins.agora_notifications import ERROR, Notifications
from sandbox.stand_ins.agora_recording import CRASHED, Recording
from sandbox.stand_ins.agora_rules import (
    MODES,
    REGIONS,
    check_acquire,
    check_area,
    check_start,
    check_update,
    page_of,
    wants_correct_extinf,
)
from sandbox.stand_ins.agora_token import admit
from sandbox.stand_ins.agora_uploads import Uploads
from sandbox.stand_ins.buckets import BucketAccess, UploadRefused
from sandbox.stand_ins.ledger import note
from sandbox.stand_ins.voices import Voices
from sandbox.stand_ins.world import World

RESOURCE_SECONDS = 5 * 60
_SYNC_STOP_SECONDS = 20
_UPLOAD_FAILED = 47
_DEFAULT_IDLE_SECONDS = 30
_DEFAULT_EXPIRED_HOURS = 72
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_APP = "/v1/apps/<app_id>/cloud_recording"
_TASK = f"{_APP}/resourceid/<resource_id>/sid/<sid>/mode/<mode>"


@dataclass
class _Resource:
    cname: str
    uid: str
    scene: int
    acquired: float
    expired_hours: int
    area: str | None
    start_parameter: Any = field(repr=False)
    sid: str | None = None


@dataclass
class _Task:
    recording: Recording
    access: BucketAccess
    ends: float


class _Agora:
    def __init__(self, world: World) -> None:
        self._world = world
        self._resources: dict[str, _Resource] = {}
        self._tasks: dict[str, _Task] = {}
        self._voices = Voices(world.scratch)
        self._lock = threading.Lock()

    def acquire(self, app_id: str) -> ResponseReturnValue:
        enter(app_id)
        given = task_body(bad_channel=401)
        wanted = given["clientRequest"]
        checked(given, check_acquire, wanted)
        resource_id = secrets.token_urlsafe(180)
        self._resources[resource_id] = _Resource(
            given["cname"],
            given["uid"],
            wanted.get("scene", 0),
            self._world.clock(),
            wanted.get("resourceExpiredHour", _DEFAULT_EXPIRED_HOURS),
            wanted.get("region"),
            wanted.get("startParameter"),
        )
        return {**names(given), "resourceId": resource_id}

    def start(self, app_id: str, resource_id: str, mode: str) -> ResponseReturnValue:
        enter(app_id)
        given = {**task_body(bad_channel=1013, mode=mode), "resourceId": resource_id}
        wanted, now = given["clientRequest"], self._world.clock()
        if mode not in MODES:
            raise refusal(400, 2, "mode must be individual, mix or web", given)
        checked(given, check_start, wanted, mode, now)
        with self._lock:
            resource = self._startable(given, mode, now)
            checked(given, check_area, wanted["storageConfig"], resource.area)
            if mode == "individual":
                checked(given, check_offered, wanted)
            certificate = self._world.dials.of(AgoraDials).app_certificate
            if certificate and mode != "web":
                admit(given, certificate, now)
            task = self._task_of(given, mode, now, resource.expired_hours)
            recording = task.recording
            resource.sid = recording.sid
            self._tasks[recording.sid] = task
        self._world.ledger.pay("agora.recordings_started")
        note(sid=recording.sid)
        self._world.jobs.start(f"agora {recording.sid}", recording.run)
        return {**names(given), "resourceId": resource_id, "sid": recording.sid}

    def query(self, app_id: str, resource_id: str, sid: str, mode: str) -> ResponseReturnValue:
        enter(app_id)
        recording = self._task({"resourceId": resource_id, "sid": sid}, mode).recording
        if not recording.found:
            raise worker_not_found(names_of(recording))
        note(state=recording.status)
        return {**names_of(recording), "serverResponse": recording.state()}

    def stop(self, app_id: str, resource_id: str, sid: str, mode: str) -> ResponseReturnValue:
        enter(app_id)
        given = {**task_body(bad_channel=1013, mode=mode), "resourceId": resource_id, "sid": sid}
        answers_at_once = given["clientRequest"].get("async_stop", False)
        if not isinstance(answers_at_once, bool):
            raise refusal(400, 2, "clientRequest.async_stop must be a boolean", given)
        recording = self._task(given, mode).recording
        self._check_owner(given, recording)
        with self._lock:
            if recording.stop_asked.is_set():
                raise refusal(400, 49, "the recording is already being stopped", given)
            if not recording.running or recording.status == CRASHED:
                raise worker_not_found(given)
            recording.stop()
        if not recording.has_files:
            raise refusal(206, 435, "no recorded file was generated", given)
        if answers_at_once:
            return {**names_of(recording), "serverResponse": {}}
        if not recording.exited.wait(_SYNC_STOP_SECONDS):
            raise refusal(500, 50, "the upload goes on after the stop", given)
        return {**names_of(recording), "serverResponse": recording.result()}

    def update(self, app_id: str, resource_id: str, sid: str, mode: str) -> ResponseReturnValue:
        enter(app_id)
        given, task = self._running(resource_id, sid, mode)
        checked(given, check_update, given["clientRequest"], mode, self._world.clock())
        task.recording.hold(given["clientRequest"].get("webRecordingConfig", {}).get("onhold"))
        if heard := given["clientRequest"].get("streamSubscribe", {}).get("audioUidList"):
            task.recording.listen(heard)
        if renewed := given["clientRequest"].get("storageConfig"):
            task.access = replace(
                task.access,
                access_key=renewed["accessKey"],
                secret_key=renewed["secretKey"],
                session_token=renewed["stsToken"],
            )
            task.recording.uploads.bucket = self._world.open_bucket(task.access)
        return names_of(task.recording)

    def update_layout(self, app_id: str, resource_id: str, sid: str) -> ResponseReturnValue:
        enter(app_id)
        given, task = self._running(resource_id, sid, "mix")
        checked(given, check_layout, given["clientRequest"])
        return names_of(task.recording)

    def _startable(self, given: Mapping[str, Any], mode: str, now: float) -> _Resource:
        resource = self._resources.get(given["resourceId"])
        if resource is None:
            raise refusal(400, 1001, "the resourceId cannot be parsed", given)
        if resource.sid is not None:
            raise refusal(201, 7, "the resourceId has already started a recording", given)
        if now - resource.acquired > RESOURCE_SECONDS:
            raise refusal(400, 433, "the resourceId has expired", given)
        belongs = (resource.cname, resource.uid) == (given["cname"], given["uid"])
        promised = resource.start_parameter in (None, given["clientRequest"])
        if not (belongs and promised and (resource.scene == 1) == (mode == "web")):
            raise refusal(400, 432, "the parameters do not match those of acquire", given)
        for task in self._tasks.values():
            recording = task.recording
            if recording.running and (recording.cname, recording.uid) == (given["cname"], given["uid"]):
                raise refusal(400, 53, "a recording with this cname and uid is under way", given)
        return resource

    def _task_of(self, given: Mapping[str, Any], mode: str, now: float, hours: int) -> _Task:
        wanted = given["clientRequest"]
        storage, config = wanted["storageConfig"], wanted.get("recordingConfig", {})
        page = page_of(wanted)
        idle_seconds = config.get("maxIdleTime", _DEFAULT_IDLE_SECONDS)
        if page:  # never empty
            idle_seconds = page["maxRecordingHour"] * 3600
        access = BucketAccess(
            storage["bucket"],
            REGIONS[storage["region"]],
            storage["accessKey"],
            storage["secretKey"],
            storage.get("stsToken"),
        )
        sid = secrets.token_hex(16)
        dials = self._world.dials.of(AgoraDials)
        notifications = Notifications(self._world, given["cname"], given["uid"], sid)

        def refused(upload: UploadRefused) -> None:
            self._world.ledger.add("agora.upload", upload.status, sid=sid, error=upload.code)
            notifications.tell(ERROR, module=1, errorLevel=4, errorCode=_UPLOAD_FAILED, stat=1, errorMsg=upload.code)

        recording = Recording(
            resource_id=given["resourceId"],
            sid=sid,
            cname=given["cname"],
            uid=given["uid"],
            mode=mode,
            channel=self._channel(given, dials, mode, idle_seconds),
            listening=Listening(config),
            prefix=storage.get("fileNamePrefix", []),
            mp4_wanted="mp4" in wanted.get("recordingFileConfig", {}).get("avFileType", []),
            correct_extinf=wants_correct_extinf(config.get("privateParams")),
            uploads=Uploads(self._world.open_bucket(access), dials, refused, self._world.clock),
            notifications=notifications,
            sleep=self._world.jobs.sleep,
            began=now,
            onhold=page.get("onhold", False),
        )
        return _Task(recording, access, now + hours * 3600)

    def _channel(self, given: Mapping[str, Any], dials: AgoraDials, mode: str, idle_seconds: float) -> Channel:
        config = given["clientRequest"].get("recordingConfig", {})
        world = self._world
        try:
            return open_channel(dials, world.sample, world.scratch, self._voices, mode, config, idle_seconds)
        except NoChannel as error:
            raise refusal(500, 500, str(error), given) from error

    def _running(self, resource_id: str, sid: str, mode: str) -> tuple[dict[str, Any], _Task]:
        given = {**task_body(bad_channel=1013, mode=mode), "resourceId": resource_id, "sid": sid}
        task = self._task(given, mode)
        self._check_owner(given, task.recording)
        if not task.recording.found or task.recording.status == CRASHED:
            raise worker_not_found(given)
        return given, task

    def _task(self, given: Mapping[str, Any], mode: str) -> _Task:
        note(sid=given["sid"])
        if mode not in MODES:
            raise refusal(400, 2, "mode must be individual, mix or web", given)
        task = self._tasks.get(given["sid"])
        if task is None or task.ends < self._world.clock():
            raise worker_not_found(given)
        if task.recording.resource_id != given["resourceId"]:
            raise refusal(400, 1003, "the sid does not belong to the resourceId", given)
        if task.recording.mode != mode:
            raise refusal(400, 2, "mode is not that of the start", given)
        return task

    def _check_owner(self, given: Mapping[str, Any], recording: Recording) -> None:
        if (given["cname"], given["uid"]) != (recording.cname, recording.uid):
            raise refusal(400, 2, "cname and uid are not those of the start", given)


def agora_blueprint(world: World) -> Blueprint:
    """The vendor's routes, from `/v1` on."""
    blueprint = Blueprint("agora", __name__)
    agora = _Agora(world)
    routes: list[tuple[str, str, str, Callable[..., ResponseReturnValue]]] = [
        ("acquire", "POST", f"{_APP}/acquire", agora.acquire),
        ("start", "POST", f"{_APP}/resourceid/<resource_id>/mode/<mode>/start", agora.start),
        ("query", "GET", f"{_TASK}/query", agora.query),
        ("stop", "POST", f"{_TASK}/stop", agora.stop),
        ("update", "POST", f"{_TASK}/update", agora.update),
        ("updateLayout", "POST", f"{_TASK.replace('<mode>', 'mix')}/updateLayout", agora.update_layout),
    ]
    for name, method, path, view in routes:
        blueprint.add_url_rule(path, name, world.calls.named(f"agora.{name}")(view), methods=[method])

    @blueprint.route("/", defaults={"path": ""}, methods=_METHODS)
    @blueprint.route("/<path:path>", methods=_METHODS)
    def no_route(path: str) -> ResponseReturnValue:
        return {"message": "no Route matched with those values"}, 404

    return blueprint
