"""Marsview Speech Analytics: upload a link, compute models on it, poll their states, fetch the metadata.

A transaction belongs to one link, a compute on it is what costs. The vendor's facts that contradict each other
(token path, state words, times with fractions) are read tolerantly; docs/providers.md lists them.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from recording_insights.errors import MediaLinkExpired, ProviderRejected, ProviderUnavailable
from recording_insights.model.insights import ActionItem, Emotion, Insights, Question, Topic, Utterance, mean_sentiment
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.auth import REFUSALS, AccessToken, Credentials, Token
from recording_insights.providers.toolkit.http import Reply, VendorHttp
from recording_insights.providers.toolkit.json import parse_json, vendor_message
from recording_insights.providers.toolkit.values import maps, optional_text, sentiment, whole

BASE_URL = "https://api.marsview.ai"
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
    """The adapter; `credentials(fresh)` gives apiKey, apiSecret and userId, `fresh` past every cache."""

    capabilities = Capabilities(
        takes="url",
        formats=frozenset({"mp4", "m4a", "mp3", "wav", "avi"}),
        # "A 60-minute call takes about 15-20 minutes", say its pages; the first poll is for the quick ones.
        pace=Pace(start_seconds=5, share=0.25),
    )

    def __init__(self, http: VendorHttp, credentials: Credentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._credentials = credentials
        self._token = AccessToken("Marsview", credentials, self._log_in, _complaint, clock)

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Link, then compute. An earlier try whose answer was lost is found by the models on its transaction."""
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
        """Final only when every model is: some may fail while others succeed."""
        models = self._models(job["transaction_id"])
        if not models:
            return JobState("failed", "no models", "Marsview lists no model for the transaction: nothing was computed")
        states = [(str(model.get("modelType", "?")), *_state(model)) for model in models]
        if LINK_EXPIRED in str(models):
            raise MediaLinkExpired("Marsview came too late for the link (AIRDOW002)")
        words = {word for _, word, _ in states}
        word = ", ".join(sorted(words))
        if words - _FINAL:
            return JobState("running", word)
        failed = [f"{name}: {reason}" for name, word, reason in states if word == "error"]
        if len(failed) == len(states):
            return JobState("failed", word, f"Marsview failed every model: {'; '.join(failed)}")
        return JobState("succeeded", word, missing=failed)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """The metadata of all models in one answer."""
        reply = self._call("GET", f"/cb/v1/conversation/fetch_metadata/{job['transaction_id']}")
        if not isinstance(_data(reply), dict):
            raise self._http.unreadable("data in the metadata")
        return reply.body

    def read_insights(self, reply: bytes) -> Insights:
        """Marsview's metadata in the normalised shape; a key is absent where its model was not asked for."""
        data = parse_json(reply)["data"]
        transcript = _transcript(data)
        summary = " ".join(str(line["sentence"]) for line in data.get("summaryData") or () if line.get("sentence"))
        return Insights(
            transcript=transcript,
            summary=summary or None,
            topics=[Topic(_text(topic, "topic", "name")) for topic in data.get("topicsData") or () if topic],
            action_items=[_action(action) for action in maps(data.get("actionsData")) if action.get("actions")],
            questions=[
                Question(text=str(block["question"]), answer=optional_text(block.get("response")))
                for entry in maps(data.get("questionResponse"))
                for block in maps(entry.get("questionBlock"))
                if block.get("question")
            ],
            emotions=[
                _emotion(entry) for entry in maps(data.get("emotion")) if (entry.get("emotion") or {}).get("value")
            ],
            sentiment=mean_sentiment(transcript),
        )

    def _save_link(self, submission: Submission) -> str:
        body = {"title": submission.title, "description": submission.title, "link": submission.make_link()}
        reply = self._call("POST", "/cb/v1/conversation/save_file_link", body)
        transaction = (_data(reply) or {}).get("txnId")
        if not transaction:
            raise self._http.unreadable("a transaction id")
        return str(transaction)

    def _compute(self, transaction: str, options: Mapping[str, Any]) -> dict[str, str]:
        models = [_model(name, options) for name in _models_of(options)]
        body = {"txnId": transaction, "userId": self._credentials(False)["userId"], "enableModels": models}
        reply = self._call("POST", "/cb/v1/conversation/compute", body)
        request_ids = {
            str(model["modelType"]): str(model["requestId"])
            for model in maps((_data(reply) or {}).get("enableModels"))
            if model.get("modelType") and model.get("requestId")
        }
        if not request_ids and not self._models(transaction):
            # No source shows this answer whole; the transaction's own list of models tells whether it was taken.
            raise self._http.unreadable("the models that it computes")
        return request_ids

    def _models(self, transaction: str) -> list[dict[str, Any]]:
        reply = self._call("GET", f"/cb/v1/conversation/get_txn/{transaction}")
        models = (_data(reply) or {}).get("enableModels")
        if not isinstance(models, list):
            raise self._http.unreadable("the states of the models")
        return [model for model in models if isinstance(model, dict)]

    def _call(self, method: str, path: str, json: Any = None) -> Reply:
        def send(token: str) -> Reply:
            return self._http.call(method, path, headers={"Authorization": f"Bearer {token}"}, json=json)

        return _accepted(self._token.call(send))

    def _log_in(self, secret: Mapping[str, str]) -> Token | Reply:
        login = {key: secret[key] for key in ("apiKey", "apiSecret", "userId")}
        reply = self._http.call("POST", "/cb/v1/auth/create_access_token", json=login)
        if reply.status in REFUSALS:
            return reply
        data = _data(_accepted(reply)) or {}
        if not data.get("accessToken"):
            raise self._http.unreadable("an access token")
        # A life that cannot be read (some issuers write "1h") is none.
        return Token(str(data["accessToken"]), whole(data.get("expiresIn")) or 0)


def _accepted(reply: Reply) -> Reply:
    """The reply, unless it is an error in whatever clothes: Marsview also answers 200 with `status: false`."""
    if not isinstance(reply.data, dict):
        raise ProviderUnavailable("Marsview answered with JSON that is no object")
    if reply.status < 400 and reply.data.get("status") is not False:
        return reply
    if LINK_EXPIRED.encode() in reply.body:
        raise MediaLinkExpired("Marsview came too late for the link (AIRDOW002)")
    raise ProviderRejected(f"Marsview answered HTTP {reply.status}: {_reason(reply.data)}")


def _complaint(reply: Reply) -> str:
    return _reason(reply.data) if isinstance(reply.data, dict) else "no reason given"


def _reason(body: Mapping[str, Any]) -> str:
    """The code and the message of an error: beside each other, or both inside of `error`."""
    error = body.get("error") or body.get("code")
    inner: Mapping[str, Any] = error if isinstance(error, dict) else {"code": error}
    parts = dict.fromkeys((inner.get("code"), inner.get("name"), inner.get("message"), body.get("message")))
    return vendor_message(" ".join(str(part) for part in parts if part) or "no reason given")


def _data(reply: Reply) -> dict[str, Any] | None:
    data = reply.data.get("data")
    return data if isinstance(data, dict) else None


def _state(model: Mapping[str, Any]) -> tuple[str, str]:
    state = model.get("state")
    state = state if isinstance(state, dict) else {"status": state}
    return str(state.get("status") or "unknown").lower(), _reason(state)


def _models_of(options: Mapping[str, Any]) -> list[str]:
    # The other models work on the words of this one.
    return list(dict.fromkeys(("speech_to_text", *options.get("models", DEFAULT_MODELS))))


def _model(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    if name != "speech_to_text":
        return {"modelType": name}
    return {
        "modelType": name,
        "modelConfig": {
            "automatic_punctuation": True,
            "custom_vocabulary": list(options.get("custom_vocabulary", ())),
            # The vendor's spelling; -1 lets it count the speakers itself.
            "speaker_seperation": {"num_speakers": options.get("speakers", -1)},
            "enableKeywords": True,
            "enableTopics": False,
        },
    }


def _transcript(data: Mapping[str, Any]) -> list[Utterance]:
    sentiments = {whole(entry.get("startTime")): entry.get("sentiment") for entry in maps(data.get("sentiment"))}
    utterances = []
    for line in data.get("transcript") or ():
        speakers = line.get("speakers") or ()
        speaker = str(speakers[0]) if speakers else None
        times = whole(line.get("startTime")), whole(line.get("endTime"))
        score = None if times[0] is None else sentiment(sentiments.get(times[0]))
        utterances.append(Utterance(str(line.get("sentence") or ""), speaker, *times, score))
    return utterances


def _action(action: Mapping[str, Any]) -> ActionItem:
    others = (optional_text(action.get(name)) for name in ("assignee", "completionDate", "priority"))
    return ActionItem(str(action["actions"]), *others)


def _emotion(entry: Mapping[str, Any]) -> Emotion:
    tone = optional_text((entry.get("tone") or {}).get("value"))
    times = whole(entry.get("startTime")), whole(entry.get("endTime"))
    return Emotion(str(entry["emotion"]["value"]), tone, entry["emotion"].get("confidence"), *times)


def _text(value: Any, *names: str) -> str:
    if isinstance(value, dict):
        return next((str(value[name]) for name in names if value.get(name)), vendor_message(value))
    return str(value)
