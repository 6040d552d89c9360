"""Agora Cloud Recording: acquire, start, query, stop, update, updateLayout.

Every recording really uploads, with the storage credentials that it was given. Errors have Agora's shapes: the
gateway's are `{"message"}`, the recorder's `{"code", "reason"}` with the names of the task around, also with 201
and 206.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.agora_answers import checked, enter, names, names_of, refusal, task_body, worker_not_found
from sandbox.stand_ins.agora_fields import check_layout
from sandbox.stand_ins.agora_recording import Channel, Recording, page_of, wants_correct_extinf
from sandbox.stand_ins.agora_rules import MODES, REGIONS, check_acquire, check_area, check_start, check_update
from sandbox.stand_ins.agora_token import admit
from sandbox.stand_ins.buckets import BucketAccess, UploadRefused
from sandbox.stand_ins.ledger import note
from sandbox.stand_ins.media import Unplayable, duration_of, playable
from sandbox.stand_ins.world import World

RESOURCE_SECONDS = 5 * 60
_SYNC_STOP_SECONDS = 20
_DEFAULT_IDLE_SECONDS = 30
_DEFAULT_EXPIRED_HOURS = 72
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_APP = "/v1/apps/<app_id>/cloud_recording"
_TASK = f"{_APP}/resourceid/<resource_id>/sid/<sid>/mode/<mode>"


@dataclass(frozen=True)
class AgoraDials:
    """`media_path`: what is played in the channel (mp4, m4a, mp3, wav; empty: the sample conversation).

    `recording_seconds`: how much of it is heard before the channel is empty (empty: all; 0: nobody ever speaks).
    `speed`: seconds of media recorded in a second. `idle_speed`: how much faster `maxIdleTime` passes.
    `joining_seconds`: from start to the first sound. `slice_seconds`: media in one slice. `parts`: MP4s of a recording.
    `app_certificate`: the project has this one, and a start without a token that fits it is refused (empty: none).
    """

    media_path: str | None = None
    recording_seconds: float | None = None
    speed: float = 9.0
    idle_speed: float = 100.0
    joining_seconds: float = 0.6
    slice_seconds: float = 15.0
    parts: int = 1
    app_certificate: str | None = None


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
                raise refusal(400, 2, f"{mode} mode is not offered by this stand-in", given)
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
        if not recording.running:
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
            if not recording.running:
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
        if renewed := given["clientRequest"].get("storageConfig"):
            task.access = replace(
                task.access,
                access_key=renewed["accessKey"],
                secret_key=renewed["secretKey"],
                session_token=renewed["stsToken"],
            )
            task.recording.bucket = self._world.open_bucket(task.access)
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

        def refused(upload: UploadRefused) -> None:
            self._world.ledger.add("agora.upload", upload.status, sid=sid, error=upload.code)

        recording = Recording(
            resource_id=given["resourceId"],
            sid=sid,
            cname=given["cname"],
            uid=given["uid"],
            mode=mode,
            channel=self._channel(given, idle_seconds),
            prefix=storage.get("fileNamePrefix", []),
            mp4_wanted="mp4" in wanted.get("recordingFileConfig", {}).get("avFileType", []),
            correct_extinf=wants_correct_extinf(config.get("privateParams")),
            bucket=self._world.open_bucket(access),
            refused=refused,
            began=now,
            onhold=page.get("onhold", False),
        )
        return _Task(recording, access, now + hours * 3600)

    def _channel(self, given: Mapping[str, Any], idle_seconds: int) -> Channel:
        dials = self._world.dials.of(AgoraDials)
        source = Path(dials.media_path) if dials.media_path else self._world.sample
        try:
            name = hashlib.sha256(f"{source} {source.stat().st_mtime_ns}".encode()).hexdigest()
            media = playable(source, self._world.scratch / f"{name}.mp4")
            length = duration_of(media)
        except (Unplayable, OSError) as error:
            raise refusal(500, 500, f"the dial agora.media_path cannot be played: {error}", given) from error
        heard = length if dials.recording_seconds is None else min(length, dials.recording_seconds)
        speed, idle_speed = max(dials.speed, 0.01), max(dials.idle_speed, 0.01)
        idle, slices = idle_seconds / idle_speed, dials.slice_seconds or 15.0
        return Channel(media, heard, speed, dials.joining_seconds, slices, idle, dials.parts or 1)

    def _running(self, resource_id: str, sid: str, mode: str) -> tuple[dict[str, Any], _Task]:
        given = {**task_body(bad_channel=1013, mode=mode), "resourceId": resource_id, "sid": sid}
        task = self._task(given, mode)
        self._check_owner(given, task.recording)
        if not task.recording.running:
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
