"""Marsview Speech Analytics: upload a link, compute models on it, poll their states, fetch the metadata.

A transaction belongs to one link; a compute on the transaction is the paid call. The vendor's pages contradict each
other in some facts (the path of the token, names of states, times with fractions). docs/providers/marsview.md lists
them. The adapter accepts both forms.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from recording_insights.errors import JobNotFound, MediaLinkExpired, OutOfCredit, ProviderRejected, ProviderUnavailable
from recording_insights.model.insights import Insights
from recording_insights.providers.adapters.marsview import reading
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import REFUSALS, AccessToken, Credentials, LoginRefused, Token
from recording_insights.providers.toolkit.http import Reply, VendorHttp, path_segment
from recording_insights.providers.toolkit.values import NO_REASON, mapping, maps, whole
from recording_insights.redaction import vendor_message

LINK_EXPIRED = "AIRDOW002"
DEFAULT_MODELS = (
    "speech_to_text",
    "sentiment_analysis",
    "emotion_analysis",
    "action_items",
    "question_response",
    "extractive_summary",
    "meeting_topics",
)

_FINAL = {"processed", "completed", "error"}


class Marsview:
    """The adapter. `credentials(fresh)` returns apiKey, apiSecret and userId; `fresh` bypasses every cache."""

    capabilities = Capabilities(
        takes="url",
        # "A 60-minute call takes about 15-20 minutes", say its pages. Short calls end earlier.
        pace=Pace(start_seconds=5, share=0.25),
    )

    def __init__(self, http: VendorHttp, credentials: Credentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._credentials = credentials
        self._token = AccessToken(
            "Marsview", credentials, self._log_in, lambda reply: _reason_of(mapping(reply.data)), clock
        )

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Save the link, then compute. A compute whose response was lost shows as models on the transaction."""
        transaction = job.get("transaction_id")
        if transaction:
            if self._models(transaction):
                return job
        else:
            transaction = self._save_link(submission)
            job = {"transaction_id": transaction}
            keep(job)
        return {**job, "request_ids": self._compute(transaction, submission.options)}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Return the state: final only when every model is final. Some may fail while others succeed."""
        models = self._models(job["transaction_id"])
        if not models:
            return JobState("failed", "no models", "Marsview lists no model for the transaction: nothing was computed")
        states = [(str(model.get("modelType", "?")), *_state_of(model)) for model in models]
        if LINK_EXPIRED in str(models):
            raise _link_expired()
        words = {word for _, word, _ in states}
        word = ", ".join(sorted(words))
        if words - _FINAL:
            return JobState("running", word)
        failed = [f"{name}: {reason}" for name, word, reason in states if word == "error"]
        if len(failed) == len(states):
            return JobState("failed", word, f"Marsview failed every model: {'; '.join(failed)}")
        return JobState("succeeded", word, missing=failed)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Fetch the metadata of all models, which come in one response."""
        reply = self._call("GET", f"/cb/v1/conversation/fetch_metadata/{job['transaction_id']}")
        if not isinstance(reply.data.get("data"), dict):
            raise self._http.unreadable("data in the metadata")
        return reply.body

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise the metadata."""
        return reading.read_insights(reply)

    def delete(self, job: Job) -> bool:
        """Delete the file of the transaction, and what was computed of it.

        Source: "Delete file" in the vendor's documentation of its conversation API, which shows no response
        """
        if not job.get("transaction_id"):
            return False
        with suppress(JobNotFound):
            self._call("DELETE", f"/cb/v1/conversation/delete_file/{path_segment(job['transaction_id'])}")
        return True

    def verify_access(self) -> str:
        """Log in. The token is not used."""
        self._token.log_in_once()
        return "Marsview issued an access token."

    def _save_link(self, submission: Submission) -> str:
        body = {"title": submission.title, "description": submission.title, "link": submission.make_link()}
        transaction = _data_of(self._call("POST", "/cb/v1/conversation/save_file_link", body)).get("txnId")
        if not transaction:
            raise self._http.unreadable("a transaction id")
        return str(transaction)

    def _compute(self, transaction: str, options: Mapping[str, Any]) -> dict[str, str]:
        """Order the models and return the id of each request by its model."""
        models = [_model(name, options) for name in _ordered_models(options)]
        body = {"txnId": transaction, "userId": self._credentials(False)["userId"], "enableModels": models}
        reply = self._call("POST", "/cb/v1/conversation/compute", body)
        request_ids = {
            str(model["modelType"]): str(model["requestId"])
            for model in maps(_data_of(reply).get("enableModels"))
            if model.get("modelType") and model.get("requestId")
        }
        if not request_ids and not self._models(transaction):
            # No source shows this response completely. The models of the transaction prove that the order was accepted.
            raise self._http.unreadable("the models that it computes")
        return request_ids

    def _models(self, transaction: str) -> list[dict[str, Any]]:
        models = _data_of(self._call("GET", f"/cb/v1/conversation/get_txn/{transaction}")).get("enableModels")
        if not isinstance(models, list):
            raise self._http.unreadable("the states of the models")
        return maps(models)

    def _call(self, method: str, path: str, json: Any = None) -> Reply:
        def send(token: str) -> Reply:
            headers = {"Authorization": f"Bearer {token}"}
            return self._http.call(method, path, headers=headers, json=json, may_be_empty=method == "DELETE")

        reply = self._token.call(send)
        if method == "DELETE" and reply.status < 400 and reply.data is None:
            return reply
        return _accepted(reply, of_job=method != "POST")

    def _log_in(self, secret: Mapping[str, str]) -> Token:
        login = {key: secret[key] for key in ("apiKey", "apiSecret", "userId")}
        reply = self._http.call("POST", "/cb/v1/auth/create_access_token", json=login)
        if reply.status in REFUSALS:
            raise LoginRefused(_reason_of(mapping(reply.data)))
        data = _data_of(_accepted(reply))
        if not data.get("accessToken"):
            raise self._http.unreadable("an access token")
        # Some issuers write "1h". A lifetime that is no number counts as none.
        return Token(str(data["accessToken"]), whole(data.get("expiresIn")) or 0)


def _accepted(reply: Reply, *, of_job: bool = False) -> Reply:
    """Return the reply, whose data is an object, or raise the error that it contains.

    Marsview sends errors with status 200 as well, together with `status: false`.
    """
    if not isinstance(reply.data, dict):
        raise ProviderUnavailable("Marsview answered with JSON that is no object")
    if reply.status < 400 and reply.data.get("status") is not False:
        return reply
    if LINK_EXPIRED.encode() in reply.body:
        raise _link_expired()
    error = JobNotFound if reply.status == 404 and of_job else ProviderRejected
    raise (OutOfCredit if reply.status == 402 else error)(
        f"Marsview answered HTTP {reply.status}: {_reason_of(reply.data)}"
    )


def _link_expired() -> MediaLinkExpired:
    return MediaLinkExpired(f"Marsview came too late for the link ({LINK_EXPIRED})")


def _reason_of(body: Mapping[str, Any]) -> str:
    """Return the code and the message of an error, which are at the top of the body or both inside its `error`.

    Each may be any JSON value.
    """
    error = body.get("error") or body.get("code")
    inner: Mapping[str, Any] = error if isinstance(error, dict) else {"code": error}
    parts = (inner.get("code"), inner.get("name"), inner.get("message"), body.get("message"))
    return vendor_message(" ".join(dict.fromkeys(vendor_message(part) for part in parts if part)) or NO_REASON)


def _data_of(reply: Reply) -> dict[str, Any]:
    return mapping(reply.data.get("data"))


def _state_of(model: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name of a model's state in lower case, and its reason."""
    state = model.get("state")
    if not isinstance(state, dict):
        state = {"status": state}
    return str(state.get("status") or "unknown").lower(), _reason_of(state)


def _ordered_models(options: Mapping[str, Any]) -> list[str]:
    # The other models work on the text of the first.
    return list(dict.fromkeys(("speech_to_text", *options.get("models", DEFAULT_MODELS))))


def _model(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the order of one model."""
    if name != "speech_to_text":
        return {"modelType": name}
    return {
        "modelType": name,
        "modelConfig": {
            "automatic_punctuation": True,
            "custom_vocabulary": list(options.get("custom_vocabulary", ())),
            # The vendor's spelling. With -1 it counts the speakers itself.
            "speaker_seperation": {"num_speakers": options.get("speakers", -1)},
            "enableKeywords": True,
            "enableTopics": False,
        },
    }
