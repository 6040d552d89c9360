"""Agora Cloud Recording: acquire, start, query, stop, update, updateLayout.

Every recording really uploads, with the storage credentials of its start. Errors have Agora's shapes: those of the
gateway are `{"message"}`, those of the recorder `{"code", "reason"}` with the names of the task, also for HTTP 201 and
206.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.agora.answers import authenticate, checked, names, names_of, refusal, task_body, worker_not_found
from sandbox.stand_ins.agora.cameras import Cameras
from sandbox.stand_ins.agora.channel import ParticipantMedia
from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.fields import check_layout
from sandbox.stand_ins.agora.notifications import check_webhook
from sandbox.stand_ins.agora.page import rtmp_urls
from sandbox.stand_ins.agora.recording import CRASHED, Recording
from sandbox.stand_ins.agora.request_rate import RequestRate
from sandbox.stand_ins.agora.rules import MODES, check_acquire, check_area, check_start, check_update
from sandbox.stand_ins.agora.tasks import Resource, Task, new_task
from sandbox.stand_ins.agora.token import admit
from sandbox.stand_ins.agora.voices import Voices
from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime

_SYNC_STOP_SECONDS = 20
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_APP = "/v1/apps/<app_id>/cloud_recording"
_TASK = f"{_APP}/resourceid/<resource_id>/sid/<sid>/mode/<mode>"


class _Agora:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._resources: dict[str, Resource] = {}
        self._tasks: dict[str, Task] = {}
        self._participants = ParticipantMedia(Voices(runtime.scratch), Cameras(runtime.scratch))
        self._request_rate = RequestRate(runtime.clock)
        self._lock = threading.Lock()

    def acquire(self, app_id: str) -> ResponseReturnValue:
        self._authenticate(app_id)
        given, now = task_body(bad_channel=401), self._runtime.clock()
        request = given["clientRequest"]
        checked(given, check_acquire, request)
        if not all(self._is_valid(named, now) for named in request.get("excludeResourceIds", [])):
            raise refusal(400, 2, "clientRequest.excludeResourceIds names one that is unknown or has expired", given)
        resource_id = secrets.token_urlsafe(180)
        self._resources[resource_id] = Resource.of(given, now)
        return {**names(given), "resourceId": resource_id}

    def start(self, app_id: str, resource_id: str, mode: str) -> ResponseReturnValue:
        self._authenticate(app_id)
        given = {**task_body(bad_channel=1013, mode=mode), "resourceId": resource_id}
        request, now = given["clientRequest"], self._runtime.clock()
        if mode not in MODES:
            raise refusal(400, 2, "mode must be individual, mix or web", given)
        dials = self._runtime.dials.of(AgoraDials)
        checked(given, check_start, request, mode, now, dials.unsubscribe_spelling)
        with self._lock:
            resource = self._startable(given, mode, now)
            checked(given, check_area, request["storageConfig"], resource.area)
            if dials.app_certificate and mode != "web":
                admit(given, dials.app_certificate, now)
            task = new_task(self._runtime, self._participants, given, mode, now, resource.expired_hours)
            recording = task.recording
            resource.sid = recording.sid
            self._tasks[recording.sid] = task
        self._runtime.ledger.pay("agora.recordings_started")
        note(sid=recording.sid)
        self._runtime.jobs.start(f"agora {recording.sid}", recording.run)
        return {**names(given), "resourceId": resource_id, "sid": recording.sid}

    def query(self, app_id: str, resource_id: str, sid: str, mode: str) -> ResponseReturnValue:
        self._authenticate(app_id)
        recording = self._task({"resourceId": resource_id, "sid": sid}, mode).recording
        with recording.query():
            if not recording.found:
                raise worker_not_found(names_of(recording))
            state = recording.state()
        note(state=state["status"])
        if state["status"] == CRASHED:
            recording.leave_after_crash()
        return {**names_of(recording), "serverResponse": state}

    def stop(self, app_id: str, resource_id: str, sid: str, mode: str) -> ResponseReturnValue:
        self._authenticate(app_id)
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
        if recording.channel.dials.leaves_at_query:
            recording.exited.wait(_SYNC_STOP_SECONDS)
        if not recording.has_files:
            raise refusal(206, 435, "no recorded file was generated", given)
        if answers_at_once:
            return {**names_of(recording), "serverResponse": {}}
        if not recording.exited.wait(_SYNC_STOP_SECONDS):
            raise refusal(500, 50, "the upload goes on after the stop", given)
        return {**names_of(recording), "serverResponse": recording.result()}

    def update(self, app_id: str, resource_id: str, sid: str, mode: str) -> ResponseReturnValue:
        self._authenticate(app_id)
        given, task = self._running(resource_id, sid, mode)
        recording, changes = task.recording, given["clientRequest"]
        spelling = recording.channel.dials.unsubscribe_spelling
        checked(given, check_update, changes, mode, self._runtime.clock(), spelling)
        if published := changes.get("rtmpPublishConfig"):
            if recording.page is None or recording.page.outputs is None:
                raise refusal(400, 2, "clientRequest.rtmpPublishConfig needs the service rtmp_publish_service", given)
            recording.page.outputs = rtmp_urls(published)
        if (paused := changes.get("webRecordingConfig", {}).get("onhold")) is not None:
            recording.clock.set_paused(paused)
        if lists := changes.get("streamSubscribe"):
            recording.subscribe(lists)
        if storage := changes.get("storageConfig"):
            task.renew(storage, self._runtime)
        if changes.keys() & {"streamSubscribe", "storageConfig"}:
            recording.play_on()
        return names_of(recording)

    def update_layout(self, app_id: str, resource_id: str, sid: str) -> ResponseReturnValue:
        self._authenticate(app_id)
        given, task = self._running(resource_id, sid, "mix")
        checked(given, check_layout, given["clientRequest"])
        return names_of(task.recording)

    def _authenticate(self, app_id: str) -> None:
        authenticate(app_id)
        self._request_rate.admit(app_id, self._runtime.dials.of(AgoraDials).requests_per_second)

    def _startable(self, given: Mapping[str, Any], mode: str, now: float) -> Resource:
        resource = self._resources.get(given["resourceId"])
        if resource is None:
            raise refusal(400, 1001, "the resourceId cannot be parsed", given)
        if resource.sid is not None:
            raise refusal(201, 7, "the resourceId has already started a recording", given)
        if resource.too_old(now):
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

    def _is_valid(self, resource_id: str, now: float) -> bool:
        """Whether a resource exists and can still be started or, once started, be queried."""
        resource = self._resources.get(resource_id)
        if resource is None:
            return False
        return self._tasks[resource.sid].ends >= now if resource.sid else not resource.too_old(now)

    def _running(self, resource_id: str, sid: str, mode: str) -> tuple[dict[str, Any], Task]:
        given = {**task_body(bad_channel=1013, mode=mode), "resourceId": resource_id, "sid": sid}
        task = self._task(given, mode)
        self._check_owner(given, task.recording)
        if not task.recording.found or task.recording.status == CRASHED:
            raise worker_not_found(given)
        return given, task

    def _task(self, given: Mapping[str, Any], mode: str) -> Task:
        note(sid=given["sid"])
        if mode not in MODES:
            raise refusal(400, 2, "mode must be individual, mix or web", given)
        task = self._tasks.get(given["sid"])
        if task is None or task.ends < self._runtime.clock():
            raise worker_not_found(given)
        if task.recording.resource_id != given["resourceId"]:
            raise refusal(400, 1003, "the sid does not belong to the resourceId", given)
        if task.recording.mode != mode:
            raise refusal(400, 2, "mode is not that of the start", given)
        return task

    def _check_owner(self, given: Mapping[str, Any], recording: Recording) -> None:
        if (given["cname"], given["uid"]) != (recording.cname, recording.uid):
            raise refusal(400, 2, "cname and uid are not those of the start", given)


def agora_blueprint(runtime: Runtime) -> Blueprint:
    """Create the blueprint. Agora's own path `/v1` follows its prefix. `/console/check` is a button of its console."""
    blueprint = Blueprint("agora", __name__)
    agora = _Agora(runtime)
    routes: list[tuple[str, str, str, Callable[..., ResponseReturnValue]]] = [
        ("acquire", "POST", f"{_APP}/acquire", agora.acquire),
        ("start", "POST", f"{_APP}/resourceid/<resource_id>/mode/<mode>/start", agora.start),
        ("query", "GET", f"{_TASK}/query", agora.query),
        ("stop", "POST", f"{_TASK}/stop", agora.stop),
        ("update", "POST", f"{_TASK}/update", agora.update),
        ("updateLayout", "POST", f"{_TASK.replace('<mode>', 'mix')}/updateLayout", agora.update_layout),
    ]
    for name, method, path, view in routes:
        blueprint.add_url_rule(path, name, runtime.calls.named(f"agora.{name}")(view), methods=[method])

    @blueprint.post("/console/check")
    def check() -> ResponseReturnValue:
        if not runtime.dials.of(AgoraDials).notifications_url:
            return {"error": "the dial agora.notifications_url is empty"}, 400
        statuses = check_webhook(runtime)
        return {"passed": set(statuses.values()) == {200}, "statuses": statuses}

    @blueprint.route("/", defaults={"path": ""}, methods=_METHODS)
    @blueprint.route("/<path:path>", methods=_METHODS)
    def no_route(path: str) -> ResponseReturnValue:
        return {"message": "no Route matched with those values"}, 404

    return blueprint
