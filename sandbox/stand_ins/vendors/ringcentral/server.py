"""RingCentral's AI API: token by JWT, analyze-interaction or speech-to-text, webhook, state with the result.

Where its sources contradict each other: the webhook is required (the OpenAPI) and never validated. There are two names
each for success and failure (dials). The callback is the job as the status call returns it, or only
`{status, response}` (dial). A job whose link does not work fails with the only failure that the vendor documents,
`CAI-101` for `contentUri`. No source shows how a file fails that cannot be decoded, or the answer to a wrong JWT: they
have the shape of the other errors, and `CAI-104` and `CAI-110` are guesses. `source`, `audioType`, voice activity and
speech contexts are checked and then ignored.
"""

import functools
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.ringcentral.results import Utterances, interaction, transcription
from sandbox.stand_ins.vendors.ringcentral.rules import (
    INSIGHTS,
    RateGroup,
    are_insights,
    error,
    is_flag,
    job_body,
    oauth_refusal,
    refusal,
    webhook_of,
)
from sandbox.stand_ins.vendors.vendor import (
    JobFailed,
    Vendor,
    VendorDials,
    call_back,
    recognise,
    start_job,
    vendor_blueprint,
)

CREDENTIALS = {
    "clientId": "stand-in-ringcentral-id",
    "clientSecret": "stand-in-ringcentral-secret",
    "jwt": "stand-in.ringcentral.jwt",
}
OWN_FAULT = ("CMN-203", "Internal Server Error")
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CONTAINERS = frozenset({"mp4", "m4a", "mov", "mp3", "wav", "aac", "avi", "ogg", "webm", "asf", "mpeg"})
_REFRESH_SECONDS = 604799
_TRIES = 6
"""The first try of a callback, and five more."""

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class RingCentralDials(VendorDials):
    """`token_seconds`: lifetime of a token. `job_life_seconds`: lifetime of a job and its result.
    `success_word` and `failure_word`: the terminal states ("Completed" and "Failed" in other sources).
    `callback_names_job`: false for the old callback, which has only status and response. `penalty_seconds`: the wait
    after more than 10 Heavy or 5 Auth calls a minute, 0 for no limits.
    """

    token_seconds: float = 7199.0
    job_life_seconds: float = 604800.0
    success_word: str = "Success"
    failure_word: str = "Fail"
    callback_names_job: bool = True
    penalty_seconds: float = 0.0


@dataclass
class _Job:
    api: str
    created: float
    expires: float
    webhook: str = field(repr=False)
    content_uri: str = field(repr=False)
    speakers: int | None
    compute: Callable[[Utterances], dict[str, Any]] = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid.uuid1()))
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    completed: float | None = None
    response: dict[str, Any] | None = None
    polls: int = 0

    def as_json(self) -> dict[str, Any]:
        job: dict[str, Any] = {"jobId": self.id, "api": self.api, "creationTime": _iso(self.created)}
        if self.completed is not None:
            job["completionTime"] = _iso(self.completed)
        job |= {"expirationTime": _iso(self.expires), "status": self.status}
        return job if self.response is None else {**job, "response": self.response}


class _RingCentral:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tokens: dict[str, float] = {}
        self._refresh_tokens: dict[str, float] = {}
        self._jobs: dict[str, _Job] = {}
        self._groups = {name: RateGroup(name, runtime.clock) for name in ("Heavy", "Auth")}

    @property
    def _dials(self) -> RingCentralDials:
        return self._runtime.dials.of(RingCentralDials)

    def limited(self, group: str, view: View) -> View:
        """Decorate a view with the limit of its rate group."""

        @functools.wraps(view)
        def answer(**path: Any) -> ResponseReturnValue:
            headers = self._groups[group].take(self._dials.penalty_seconds)
            if headers is None:
                return view(**path)
            return refusal(429, "CMN-301", "Request rate exceeded").body, 429, headers

        return answer

    def token(self) -> ResponseReturnValue:
        self._check_client()
        if request.mimetype != "application/x-www-form-urlencoded":
            raise oauth_refusal(400, "invalid_request", "OAU-250", "Unsupported grant type")
        grant = request.form.get("grant_type")
        if grant == _JWT_BEARER:
            if request.form.get("assertion") != CREDENTIALS["jwt"]:
                raise oauth_refusal(400, "invalid_grant", "OAU-140", "Invalid resource owner credentials.")
        elif grant == "refresh_token":
            ends = self._refresh_tokens.pop(request.form.get("refresh_token", ""), 0.0)
            if ends <= self._runtime.clock():
                raise oauth_refusal(400, "invalid_grant", "OAU-210", "Token not found")
        else:
            raise oauth_refusal(400, "invalid_request", "OAU-250", "Unsupported grant type")
        life = self._dials.token_seconds
        token, refresh_token = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self._tokens[token] = self._runtime.clock() + life
        self._refresh_tokens[refresh_token] = self._runtime.clock() + _REFRESH_SECONDS
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(life),
            "refresh_token": refresh_token,
            "refresh_token_expires_in": _REFRESH_SECONDS,
            "scope": "AI",
            "owner_id": "256440016",
        }

    def revoke(self) -> ResponseReturnValue:
        self._check_client()
        self._tokens.pop(request.form.get("token", ""), None)
        return "", 200

    def analyze_interaction(self) -> ResponseReturnValue:
        self._authorize()
        given = job_body({"insights": are_insights})
        requested = set(given.get("insights", ()))
        requested = set(INSIGHTS) if "All" in requested else requested
        return self._accept(given, lambda said: interaction(said, requested), _voices(given))

    def speech_to_text(self) -> ResponseReturnValue:
        self._authorize()
        given = job_body({"enablePunctuation": is_flag, "enableSpeakerDiarization": is_flag})
        punctuate, diarize = given.get("enablePunctuation", True), given.get("enableSpeakerDiarization", False)
        speakers = _voices(given) if diarize else 1
        return self._accept(given, lambda said: transcription(said, punctuate=punctuate, diarize=diarize), speakers)

    def job(self, job_id: str) -> ResponseReturnValue:
        self._authorize()
        note(job_id=job_id)
        job = self._jobs.get(job_id)
        if job is None or job.expires <= self._runtime.clock():
            raise refusal(404, "CMN-102", "Resource for parameter [jobId] is not found", "jobId")
        job.polls += 1
        dials, answer = self._dials, job.as_json()
        if dials.unknown_state and job.polls <= dials.unknown_state_polls:
            answer["status"] = dials.unknown_state
            answer.pop("response", None)
        note(state=answer["status"])
        return answer

    def _accept(
        self, given: dict[str, Any], compute: Callable[[Utterances], dict[str, Any]], speakers: int | None
    ) -> ResponseReturnValue:
        dials, now = self._dials, self._runtime.clock()
        job = _Job(
            api=request.path.partition("/ringcentral")[2] or request.path,
            created=now,
            expires=now + dials.job_life_seconds,
            webhook=webhook_of(),
            content_uri=given["contentUri"],
            speakers=speakers,
            compute=compute,
        )
        self._jobs[job.id] = job
        self._runtime.ledger.pay("ringcentral.jobs")
        note(job_id=job.id)
        start_job(self._runtime, dials, f"ringcentral {job.id}", lambda: self._process(job, dials))
        return {"jobId": job.id}, 202, {"RCRequestId": job.request_id}

    def _process(self, job: _Job, dials: RingCentralDials) -> None:
        try:
            said = recognise(self._runtime, dials, job.content_uri, containers=_CONTAINERS, speakers=job.speakers)
            word, response = dials.success_word, job.compute(said)
        except JobFailed as failed:
            word, response = dials.failure_word, {"errors": [_error_of(failed)]}
        job.completed = self._runtime.clock()
        job.response, job.status = response, word
        callback = job.as_json() if dials.callback_names_job else {"status": word, "response": response}
        headers = {"Content-Type": "application/json", "RCRequestId": job.request_id}
        body = json.dumps(callback).encode()
        call_back(self._runtime, dials, "ringcentral", job.webhook, body, headers, tries=_TRIES)

    def _check_client(self) -> None:
        given = request.authorization
        known = (CREDENTIALS["clientId"], CREDENTIALS["clientSecret"])
        if given is None or given.type != "basic" or (given.username, given.password) != known:
            raise oauth_refusal(401, "invalid_client", "OAU-146", "Invalid client credentials")

    def _authorize(self) -> None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":  # the vendor's own clients send "bearer", as the token call spells it
            raise refusal(401, "OAU-134", "Invalid Authorization header.")
        ends = self._tokens.get(token)
        if ends is None:
            raise refusal(401, "OAU-129", "Access token corrupted.")
        if ends <= self._runtime.clock():
            raise refusal(401, "OAU-128", "Access token expired.")


def _voices(given: dict[str, Any]) -> int | None:
    count = given.get("speakerCount", -1)
    return None if count == -1 else int(count)


def _error_of(failed: JobFailed) -> dict[str, str]:
    if failed.cause == "own fault":
        return error(*OWN_FAULT)
    if failed.cause in ("link", "link expired"):
        return error("CAI-101", "Parameter [contentUri] is invalid. It should be a valid uri", "contentUri")
    return error("CAI-104" if failed.cause == "media" else "CAI-110", failed.message)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ringcentral_blueprint(runtime: Runtime) -> Blueprint:
    """Create the blueprint. The vendor's own paths follow its prefix."""
    vendor = _RingCentral(runtime)
    routes = [
        ("POST", "/restapi/oauth/token", vendor.limited("Auth", vendor.token)),
        ("POST", "/restapi/oauth/revoke", vendor.limited("Auth", vendor.revoke)),
        ("POST", "/ai/insights/v1/async/analyze-interaction", vendor.limited("Heavy", vendor.analyze_interaction)),
        ("POST", "/ai/audio/v1/async/speech-to-text", vendor.limited("Heavy", vendor.speech_to_text)),
        ("GET", "/ai/status/v1/jobs/<job_id>", vendor.limited("Heavy", vendor.job)),
    ]
    return vendor_blueprint(
        runtime, "ringcentral", routes, lambda path: (refusal(404, "CMN-120", "Invalid URI").body, 404)
    )


VENDOR = Vendor(
    name="ringcentral",
    credentials=CREDENTIALS,
    dials=RingCentralDials,
    blueprint=ringcentral_blueprint,
    login="ringcentral.token",
    submits="ringcentral.analyze_interaction",
    paid="ringcentral.jobs",
    state="ringcentral.job",
    results=("ringcentral.job",),
    own_fault=" ".join(OWN_FAULT),
)
