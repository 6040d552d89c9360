"""Symbl.ai's API: token, submission of an audio or video link, job, and the conversation's results, each a GET.

The token is sent as `Authorization: Bearer` or, as the vendor's own client does, as `x-api-key`. Results are answered
with 200 from the start, and are incomplete until the job has ended: here they are empty. Only the summary is 404 until
then, and for ever if it was not requested. No source shows the reason of a failed job: here its `message` has it, as in
the vendor's errors. The account has no trackers for `enableAllTrackers`. `customVocabulary` and `mode` are checked and
then ignored.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.symbl.results import Conversation
from sandbox.stand_ins.vendors.symbl.rules import (
    body_of,
    query_flag,
    query_moment,
    query_number,
    refusal,
    submission_in_request,
)
from sandbox.stand_ins.vendors.vendor import (
    JobFailed,
    Route,
    Vendor,
    VendorDials,
    call_back,
    recognise,
    start_job,
    vendor_blueprint,
)

CREDENTIALS = {"appId": "stand-in-symbl-app-id", "appSecret": "stand-in-symbl-app-secret"}
OWN_FAULT = "Internal Server Error -- We had a problem with our server. Try again later."
_CONTAINERS = {
    "video": frozenset({"mp4"}),
    "audio": frozenset({"mp3", "wav", "amr", "aac", "ac3", "aiff", "flac", "ogg", "asf", "mp4", "m4a"}),
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NOT_FOUND = "The conversation and/or its metadata you asked for could not be found, please check the input provided"


@dataclass(frozen=True)
class SymblDials(VendorDials):
    """`token_seconds`: lifetime of a token. `concurrent_jobs`: number of jobs at once, 0 for no limit. `old_trackers`:
    only the deprecated path `/trackers` exists. `offsets`: messages and words have timeOffset and duration.
    `no_summary`: no conversation gets a summary. `no_list`: conversations cannot be listed.
    """

    token_seconds: float = 86400.0
    concurrent_jobs: int = 0
    old_trackers: bool = False
    offsets: bool = True
    no_summary: bool = False
    no_list: bool = False


class _Symbl:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tokens: dict[str, float] = {}
        self._conversations: dict[str, Conversation] = {}

    @property
    def _dials(self) -> SymblDials:
        return self._runtime.dials.of(SymblDials)

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._runtime.clock(), UTC)

    def token(self) -> ResponseReturnValue:
        """Return the present token, in the last tenth of its lifetime a new one."""
        given = body_of()
        if given.get("type") != "application":
            raise refusal(400, '"type" must be [application]')
        for name in CREDENTIALS:
            if not isinstance(given.get(name), str) or not given[name]:
                raise refusal(400, f'"{name}" is required')
        if any(given[name] != value for name, value in CREDENTIALS.items()):
            raise refusal(401, "Unauthorized: the appId or the appSecret is invalid")
        now, life = self._runtime.clock(), self._dials.token_seconds
        alive = (known for known, ends in self._tokens.items() if now + life / 10 < ends <= now + life)
        token = next(alive, None)
        if token is None:
            token = secrets.token_urlsafe(48)
            self._tokens[token] = now + life
        return {"accessToken": token, "expiresIn": int(self._tokens[token] - now)}

    def process_url(self, kind: str) -> ResponseReturnValue:
        self._authorize()
        submission, dials = submission_in_request(), self._dials
        running = [c for c in self._conversations.values() if c.status in ("scheduled", "in_progress")]
        if dials.concurrent_jobs and len(running) >= dials.concurrent_jobs:
            raise refusal(429, f"This API has a limit of maximum of {dials.concurrent_jobs} number of concurrent jobs")
        conversation = Conversation(submission, self._now)
        self._conversations[conversation.id] = conversation
        self._runtime.ledger.pay("symbl.jobs")
        ids = {"conversationId": conversation.id, "jobId": conversation.job_id}
        note(**ids)
        name = f"symbl {conversation.job_id}"
        start_job(self._runtime, dials, name, lambda: self._process(conversation, kind, dials))
        return ids, 201

    def job(self, job_id: str) -> ResponseReturnValue:
        self._authorize()
        note(jobId=job_id)
        found = next((c for c in self._conversations.values() if c.job_id == job_id), None)
        if found is None:
            raise refusal(404, "The job you asked for could not be found")
        found.polls += 1
        dials, status = self._dials, found.status
        if dials.unknown_state and found.polls <= dials.unknown_state_polls:
            status = dials.unknown_state
        note(state=status)
        reason = {"message": found.error} if status == "failed" else {}
        return {"id": job_id, "status": status, **reason}

    def conversations(self) -> ResponseReturnValue:
        """Return twenty conversations of the last week, oldest first, unless the query says otherwise."""
        self._authorize()
        if self._dials.no_list:
            raise refusal(404, _NOT_FOUND)
        limit, offset = query_number("limit", least=0, most=65536), query_number("offset", least=0, most=65536)
        if request.args.get("order", "asc") not in ("asc", "desc"):
            raise refusal(400, '"order" must be one of [asc, desc]')
        end = query_moment("endTime") or self._now
        start = query_moment("startTime") or end - timedelta(days=7)
        found = [c for c in self._conversations.values() if start <= c.began <= end]
        found.sort(key=lambda c: c.began, reverse=request.args.get("order") == "desc")
        page = found[offset or 0 :][: 20 if limit is None else limit]
        return {"conversations": [conversation.as_json() for conversation in page]}

    def conversation(self, conversation_id: str) -> ResponseReturnValue:
        return self._found(conversation_id).as_json()

    def delete_conversation(self, conversation_id: str) -> ResponseReturnValue:
        del self._conversations[self._found(conversation_id).id]
        return {"message": f"Successfully deleted the conversation {conversation_id}"}

    def members(self, conversation_id: str) -> ResponseReturnValue:
        return {"members": self._found(conversation_id).members()}

    def messages(self, conversation_id: str) -> ResponseReturnValue:
        found = self._found(conversation_id)
        verbose, sentiment = query_flag("verbose"), query_flag("sentiment")
        return {"messages": found.messages(verbose=verbose, sentiment=sentiment, offsets=self._dials.offsets)}

    def topics(self, conversation_id: str) -> ResponseReturnValue:
        return {"topics": self._found(conversation_id).topics(sentiment=query_flag("sentiment"))}

    def action_items(self, conversation_id: str) -> ResponseReturnValue:
        return {"actionItems": self._found(conversation_id).actions("action_item")}

    def follow_ups(self, conversation_id: str) -> ResponseReturnValue:
        return {"followUps": self._found(conversation_id).actions("follow_up")}

    def questions(self, conversation_id: str) -> ResponseReturnValue:
        return {"questions": self._found(conversation_id).questions()}

    def analytics(self, conversation_id: str) -> ResponseReturnValue:
        return self._found(conversation_id).analytics()

    def entities(self, conversation_id: str) -> ResponseReturnValue:
        return {"entities": self._found(conversation_id).entities()}

    def trackers_detected(self, conversation_id: str) -> ResponseReturnValue:
        found = self._found(conversation_id)
        if self._dials.old_trackers:
            raise refusal(404, f"Cannot GET {request.path}")
        return found.trackers()

    def trackers(self, conversation_id: str) -> ResponseReturnValue:
        return self._found(conversation_id).trackers()

    def summary(self, conversation_id: str) -> ResponseReturnValue:
        found = self._found(conversation_id)
        if found.status != "completed" or self._dials.no_summary or not found.submission["enableSummary"]:
            raise refusal(404, f"There is no summary of the conversation {conversation_id}: {found.status}")
        return {"summary": found.summary()}

    def _found(self, conversation_id: str) -> Conversation:
        self._authorize()
        note(conversationId=conversation_id)
        if conversation_id not in self._conversations:
            raise refusal(404, _NOT_FOUND)
        return self._conversations[conversation_id]

    def _authorize(self) -> None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            token = request.headers.get("x-api-key", "")
        if self._tokens.get(token, 0.0) <= self._runtime.clock():
            raise refusal(401, "Unauthorized. Please generate a new access token.")

    def _process(self, conversation: Conversation, kind: str, dials: SymblDials) -> None:
        self._change_status(conversation, "scheduled", dials)
        self._change_status(conversation, "in_progress", dials)
        speakers = conversation.submission["speakers"]
        try:
            link, containers = conversation.submission["url"], _CONTAINERS[kind]
            conversation.finish(recognise(self._runtime, dials, link, containers=containers, speakers=speakers or 1))
        except JobFailed as failed:
            said = {"link expired": "HTTP 403 Forbidden", "own fault": OWN_FAULT}.get(failed.cause, failed.message)
            at_link = failed.cause in ("link", "link expired")
            conversation.error = f"The file of the url could not be downloaded: {said}" if at_link else said
            return self._change_status(conversation, "failed", dials)
        return self._change_status(conversation, "completed", dials)

    def _change_status(self, conversation: Conversation, status: str, dials: SymblDials) -> None:
        """Set the state and call the webhook. Symbl repeats a call that is not answered with 200."""
        conversation.status = status
        if hook := conversation.submission["webhookUrl"]:
            event = json.dumps({"jobId": conversation.job_id, "status": status}).encode()
            headers, ends = {"Content-Type": "application/json"}, status in ("completed", "failed")
            call_back(self._runtime, dials, "symbl", hook, event, headers, tries=3, is_last=ends)


def symbl_blueprint(runtime: Runtime) -> Blueprint:
    """Create the blueprint. The vendor's own paths follow its prefix."""
    symbl = _Symbl(runtime)
    one = "/v1/conversations/<conversation_id>"
    routes: list[Route] = [
        ("POST", "/oauth2/token:generate", symbl.token),
        ("POST", "/v1/process/<any(audio, video):kind>/url", symbl.process_url),
        ("GET", "/v1/job/<job_id>", symbl.job),
        ("GET", "/v1/conversations", symbl.conversations),
        ("GET", one, symbl.conversation),
        ("DELETE", one, symbl.delete_conversation),
        ("GET", f"{one}/members", symbl.members),
        ("GET", f"{one}/messages", symbl.messages),
        ("GET", f"{one}/topics", symbl.topics),
        ("GET", f"{one}/action-items", symbl.action_items),
        ("GET", f"{one}/follow-ups", symbl.follow_ups),
        ("GET", f"{one}/questions", symbl.questions),
        ("GET", f"{one}/analytics", symbl.analytics),
        ("GET", f"{one}/entities", symbl.entities),
        ("GET", f"{one}/trackers-detected", symbl.trackers_detected),
        ("GET", f"{one}/trackers", symbl.trackers),
        ("GET", f"{one}/summary", symbl.summary),
    ]

    def unknown(path: str) -> ResponseReturnValue:
        return {"message": f"Cannot {request.method} /{path}"}, 404

    def wrong_method(**path: Any) -> ResponseReturnValue:
        return {"message": f"{request.method} is not allowed here"}, 405

    blueprint = vendor_blueprint(runtime, "symbl", routes, unknown)
    for path in dict.fromkeys(path for _, path, _ in routes):
        others = {"GET", "POST", "PUT", "PATCH", "DELETE"} - {method for method, known, _ in routes if known == path}
        blueprint.add_url_rule(path, "wrong_method", wrong_method, methods=sorted(others))
    return blueprint


VENDOR = Vendor(
    name="symbl",
    credentials=CREDENTIALS,
    dials=SymblDials,
    blueprint=symbl_blueprint,
    login="symbl.token",
    submits="symbl.process_url",
    paid="symbl.jobs",
    state="symbl.job",
    results=tuple(
        f"symbl.{part}"
        for part in ("messages", "topics", "action_items", "follow_ups", "questions", "analytics", "summary")
    ),
    own_fault=OWN_FAULT,
)
