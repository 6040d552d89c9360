"""The Marsview adapter against a scripted Marsview."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.marsview.calls import Marsview
from recording_insights.providers.port import CallbackAddress, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from tests.unit.fakes import FakeClock, FakeStream, FakeVendorSession, Scripted, response

BASE = "https://marsview.test"
LOGIN = "POST /cb/v1/auth/create_access_token"
SAVE = "POST /cb/v1/conversation/save_file_link"
COMPUTE = "POST /cb/v1/conversation/compute"
STATE = "GET /cb/v1/conversation/get_txn/txn-1"
METADATA = "GET /cb/v1/conversation/fetch_metadata/txn-1"

SECRET = {"apiKey": "the-api-key", "apiSecret": "the-api-secret", "userId": "me@example.com"}
TOKEN = "the-access-token"
LINK = "https://bucket.s3.eu-central-1.amazonaws.com/talk.mp4?X-Amz-Credential=AKIA&X-Amz-Signature=5ec0de"
SENSITIVE = ("the-api-key", "the-api-secret", TOKEN, "X-Amz", "5ec0de")

JOB = {"transaction_id": "txn-1", "request_ids": {}}
WRONG_SECRET = response({"status": False, "error": "NJSCFE001", "message": "Invalid API key"}, 401)
BAD_TOKEN = response({"status": False, "error": {"name": "JsonWebTokenError"}, "message": "invalid signature"}, 403)


class Vault:
    """The secret store; `fresh_secret` is the result of a read that bypasses the caches."""

    def __init__(self, secret: Mapping[str, str] = SECRET, fresh_secret: Mapping[str, str] | None = None) -> None:
        self.secret = secret
        self.fresh_secret = fresh_secret
        self.reads: list[bool] = []

    def __call__(self, fresh: bool) -> Mapping[str, str]:
        self.reads.append(fresh)
        if fresh and self.fresh_secret:
            self.secret = self.fresh_secret
        return self.secret


class Scene:
    """The adapter with a script of responses; a login succeeds unless the script has logins."""

    def __init__(self, script: Mapping[str, Sequence[Scripted]], vault: Vault | None = None) -> None:
        self.vault = vault or Vault()
        self.clock = FakeClock()
        self.session = FakeVendorSession({LOGIN: [login()], **script})
        http = VendorHttp("Marsview", BASE, self.session)
        self.provider = Marsview(http, self.vault, self.clock.monotonic)
        self.kept: list[Any] = []
        self.links = 0

    def submit(self, job: Mapping[str, Any] | None = None, **options: Any) -> Any:
        media = MediaObject("recordings-bucket", "talk.mp4", "etag", 5, datetime(2026, 3, 12, tzinfo=UTC))
        callback, delivery = CallbackAddress("https://api.test", "token"), Delivery("replies", "key", self._link)
        submission = Submission(
            "talk", "job-1", media, options, self._link, lambda: FakeStream(b"media"), callback, delivery
        )
        return self.provider.submit(submission, job or {}, self.kept.append)

    def poll(self, job: Mapping[str, Any]) -> Any:
        return self.provider.poll(job, None)

    def _link(self) -> str:
        self.links += 1
        return LINK

    def sent(self, call: str) -> list[Any]:
        """The bodies of a call, in order."""
        return [c.json for c in self.session.calls if f"{c.method} {c.path}" == call]


def login(token: str = TOKEN, expires_in: Any = 3600) -> requests.Response:
    return response({"status": True, "data": {"accessToken": token, "expiresIn": expires_in, "tokenType": "Bearer"}})


def saved() -> requests.Response:
    return response({"status": True, "data": {"txnId": "txn-1"}})


def computed(*models: str) -> requests.Response:
    requests_ = [{"modelType": name, "requestId": f"req-{name}"} for name in models or ("speech_to_text",)]
    return response({"status": True, "data": {"enableModels": requests_}})


def states(*models: Any) -> requests.Response:
    """The transaction's models: (name, state) pairs, or whole entries."""
    entries = [
        model if isinstance(model, dict) else {"modelType": model[0], "state": {"status": model[1]}} for model in models
    ]
    return response({"status": True, "data": {"txnId": "txn-1", "enableModels": entries}})


def assert_nothing_leaks(text: str) -> None:
    for sensitive in SENSITIVE:
        assert sensitive not in text


def text_of(error: BaseException | None) -> str:
    """The text that a traceback would print of an error and of its causes."""
    if error is None:
        return ""
    below = error.__cause__ if error.__suppress_context__ or error.__cause__ else error.__context__
    return f"{error!r} {error.__dict__} {text_of(below)}"
