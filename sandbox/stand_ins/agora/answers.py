"""Agora's answers: the authentication of its gateway, the body of every POST, and the shapes of errors."""

import hmac
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from sandbox.stand_ins.agora.checks import BadParameter
from sandbox.stand_ins.agora.credentials import AGORA_APP_ID, AGORA_CUSTOMER_ID, AGORA_CUSTOMER_SECRET
from sandbox.stand_ins.agora.recording import Recording
from sandbox.stand_ins.agora.rules import channel_name, check_uid
from sandbox.stand_ins.runtime.calls import Refusal
from sandbox.stand_ins.runtime.ledger import note


def authenticate(app_id: str) -> None:
    """Check HTTP Basic, then the app id, as the gateway does. Raises Refusal."""
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if kind != "Basic":
        raise Refusal(401, {"message": "Unauthorized"})
    try:
        given = b64decode(encoded, validate=True)
    except ValueError:
        given = b""
    if not hmac.compare_digest(given, f"{AGORA_CUSTOMER_ID}:{AGORA_CUSTOMER_SECRET}".encode()):
        raise Refusal(401, {"message": "Invalid authentication credentials"})
    if app_id != AGORA_APP_ID:
        raise Refusal(400, {"message": "appid is invalid"})


def task_body(bad_channel: int, mode: str | None = None) -> dict[str, Any]:
    """Check and return cname, uid and clientRequest of the body.

    `bad_channel` is the call's error code for a wrong channel name. Without a mode in the path, the scene in the body
    says whether cname is the label of a web page.
    """
    body = request.get_json(silent=True)
    if not request.is_json or not isinstance(body, dict):
        raise refusal(400, 8, "the body must be a JSON object, the Content-Type application/json", {})
    for name in ("cname", "uid", "clientRequest"):
        if name not in body:
            raise refusal(400, 2, f"{name} is required", body)
    if not isinstance(body["clientRequest"], dict):
        raise refusal(400, 2, "clientRequest must be an object", body)
    web = mode == "web" if mode else body["clientRequest"].get("scene") == 1
    if not channel_name(body["cname"], web=web):
        raise refusal(400, bad_channel, "cname is not a channel name", body)
    checked(body, check_uid, body["uid"])
    note(cname=body["cname"], uid=body["uid"])
    return body


def checked(given: Mapping[str, Any], check: Callable[..., None], *values: Any) -> None:
    """Run a check. BadParameter becomes HTTP 400 with code 2 and the reason."""
    try:
        check(*values)
    except BadParameter as bad:
        raise refusal(400, 2, str(bad), given) from None


def refusal(status: int, code: int, reason: str, given: Mapping[str, Any]) -> Refusal:
    """Create the recorder's error, with those names of the task that the request has."""
    return Refusal(status, {**names(given), "code": code, "reason": reason})


def worker_not_found(given: Mapping[str, Any]) -> Refusal:
    """Create the error of a task that has ended or never existed."""
    return refusal(404, 404, "failed to find worker", given)


def names(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a request that every answer repeats."""
    return {name: given[name] for name in ("cname", "uid", "resourceId", "sid") if name in given}


def names_of(recording: Recording) -> dict[str, Any]:
    """Return the parameters that every answer about the recording repeats."""
    return {
        "cname": recording.cname,
        "uid": recording.uid,
        "resourceId": recording.resource_id,
        "sid": recording.sid,
    }
