"""Agora Cloud Recording in memory, behind the one method of a `requests.Session` that the client uses.

Strict: an unknown path, method, header, credential or field fails the test. `script` puts answers before the real ones.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from recording_insights.agora.calls import AgoraCalls
from recording_insights.agora.client import AgoraClient
from recording_insights.agora.hosts import HostRotation
from recording_insights.agora.upload_credentials import Uploader
from sandbox.stand_ins.agora.rules import check_acquire

HOST = "https://agora.test"
SECRET = {
    "appId": "app0",
    "customerId": "customer",
    "customerSecret": "s3cr3t-customer",
}

_PATH = re.compile(
    r"https://agora\.test/v1/apps/(?:app0|[0-9a-fA-F]{32})/cloud_recording/"
    r"(?:(?P<acquire>acquire)|resourceid/(?P<rid>[^/]+)(?:/sid/(?P<sid>[^/]+))?/mode/(?:mix|individual|web)/"
    r"(?P<action>start|query|stop|update|updateLayout))"
)


@dataclass
class Answer:
    """An HTTP answer; `takes_effect` lets the call happen before this answer replaces its own."""

    status: int
    body: Any
    takes_effect: bool = False


@dataclass
class Lost:
    """No answer at all."""

    takes_effect: bool
    error: type[BaseException] = requests.ReadTimeout


@dataclass
class FakeAgora:
    """`recorders` are the running ones, by sid; `calls` the calls with their bodies, in order."""

    script: dict[str, list[Answer | Lost]] = field(default_factory=dict)
    recorders: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    before: Callable[[str], None] = lambda call: None
    live_status: int = 5
    resources: dict[str, str | None] = field(default_factory=dict)
    timeouts: list[tuple[float, float]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        auth: Any,
        timeout: tuple[float, float],
        allow_redirects: bool,
        stream: bool,
    ) -> requests.Response:
        path = _PATH.fullmatch(url)
        assert path, url
        assert (auth.username, auth.password) == (b"customer", SECRET["customerSecret"].encode())
        assert headers == {"Content-Type": "application/json;charset=utf-8"}
        assert allow_redirects is False
        call = path["acquire"] or path["action"]
        assert method == ("GET" if call == "query" else "POST")
        self.timeouts.append(timeout)
        self.calls.append((call, dict(json or {})))
        self.before(call)
        scripted = self.script[call].pop(0) if self.script.get(call) else None
        if scripted and not scripted.takes_effect:
            return _deliver(scripted)
        answer = getattr(self, f"_{call}")(json, path["rid"], path["sid"])
        return _deliver(scripted or answer)

    def _acquire(self, body: Mapping[str, Any], *_: Any) -> Answer:
        check_acquire(body["clientRequest"])
        assert body["clientRequest"].keys() >= {"scene", "resourceExpiredHour"}
        assert isinstance(body["uid"], str)
        resource_id = f"resource-{len(self.resources)}=="
        self.resources[resource_id] = None
        return Answer(200, {"cname": body["cname"], "uid": body["uid"], "resourceId": resource_id})

    def _start(self, body: Mapping[str, Any], quoted: str, *_: Any) -> Answer:
        resource_id = quoted.replace("%3D", "=")
        if self.resources[resource_id]:
            return Answer(201, {"code": 7, "reason": "already started"})
        request = body["clientRequest"]
        assert request["storageConfig"]["vendor"] == 1
        assert type(request["storageConfig"]["region"]) is int
        assert type(request["storageConfig"]["stsExpiration"]) is int
        assert all(part.isalnum() for part in request["storageConfig"]["fileNamePrefix"])
        if any((r["cname"], r["uid"]) == (body["cname"], body["uid"]) for r in self.recorders.values()):
            return Answer(400, {"code": 53, "reason": "conflict"})
        sid = f"{len(self.resources):032x}"
        self.resources[resource_id] = sid
        self.recorders[sid] = {**body, "resource_id": resource_id}
        return Answer(200, {"cname": body["cname"], "uid": body["uid"], "resourceId": resource_id, "sid": sid})

    def _query(self, _: Any, __: str, sid: str) -> Answer:
        if sid not in self.recorders:
            return Answer(404, {"code": 404, "reason": "failed to find worker"})
        files = [{"fileName": f"{sid}_c.m3u8", "isPlayable": True}]
        return Answer(200, {"serverResponse": {"status": self.live_status, "fileListMode": "json", "fileList": files}})

    def _update(self, body: Mapping[str, Any], _: str, sid: str) -> Answer:
        if sid not in self.recorders:
            return Answer(404, {"code": 404, "reason": "failed to find worker"})
        assert (self.recorders[sid]["cname"], self.recorders[sid]["uid"]) == (body["cname"], body["uid"])
        return Answer(200, {"cname": body["cname"], "uid": body["uid"], "sid": sid})

    _updateLayout = _update

    def _stop(self, body: Mapping[str, Any], _: str, sid: str) -> Answer:
        assert body["clientRequest"] == {"async_stop": True}
        if sid not in self.recorders:
            return Answer(404, {"code": 404, "reason": "failed to find worker"})
        assert self.recorders[sid]["uid"] == body["uid"]
        del self.recorders[sid]
        return Answer(200, {"sid": sid, "serverResponse": {}})


def client_of(vendor: FakeAgora, uploader: Uploader) -> AgoraClient:
    """The product's client of a fake Agora."""
    session: Any = vendor
    return AgoraClient(AgoraCalls(lambda fresh: SECRET, HostRotation([HOST]), session, jitter=lambda: 0.0), uploader)


def _deliver(answer: Answer | Lost) -> requests.Response:
    if isinstance(answer, Lost):
        raise answer.error("https://agora.test/secret-url")
    response = requests.Response()
    response.status_code = answer.status
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    response._content = text.encode()
    response._content_consumed = True  # type: ignore[attr-defined]
    return response
