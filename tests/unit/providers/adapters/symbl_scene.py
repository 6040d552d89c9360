"""The Symbl adapter over the stand-in in this process, or over a script."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.symbl.calls import Symbl
from recording_insights.providers.port import CallbackAddress, CallbackRequest, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.vendors.symbl.server import CREDENTIALS
from tests.sandbox.conftest import NOW, FakeSpeechEngine
from tests.stand_in_session import HOST, stand_in_session
from tests.unit.fakes import FakeClock, FakeVendorSession, Scripted, response
from tests.unit.providers.adapters.marsview_scene import text_of

LOGIN, BUY, BUY_AUDIO = "POST /oauth2/token:generate", "POST /v1/process/video/url", "POST /v1/process/audio/url"
STATE, LIST, ONE = "GET /v1/job/job-1", "GET /v1/conversations", "GET /v1/conversations/42"
ACCESS = "the-access-token"
TOKEN = "70ken" * 12
WEBHOOK = "https://hooks.example/webhooks/symbl/rec/media"
NAME = "rec-media-0"
LINK = "https://bucket.s3.eu-central-1.amazonaws.com/a/talk.mp4?X-Amz-Signature=5ec0de"
SENSITIVE = (CREDENTIALS["appSecret"], ACCESS, TOKEN, "X-Amz", "5ec0de", "hooks.example")
JOB = {"name": NAME, "job_id": "job-1", "conversation_id": "42"}
IDS = {"conversationId": "42", "jobId": "job-1"}
BEYOND_JSON = [response("<html>", 200), response([1], 200), response("", 200), response({}, 200)]
"""Responses with status 200 that contain nothing that a call promises."""
UNAUTHORIZED = {"message": "Unauthorized. Please generate a new access token."}


class Scene:
    """The adapter with a session and its submission."""

    def __init__(self, session: requests.Session, base: str = HOST) -> None:
        self.session: Any = session
        self.secrets: list[Mapping[str, str]] = [CREDENTIALS]
        self.reads: list[bool] = []
        self.kept: list[Any] = []
        self.clock = FakeClock()
        self.adapter = Symbl(VendorHttp("Symbl", base, session), self._read, self.clock.monotonic)

    def _read(self, fresh: bool) -> Mapping[str, str]:
        self.reads.append(fresh)
        return self.secrets[-1 if fresh else 0]

    def submit(self, job: Mapping[str, Any] | None = None, key: str = "a/talk.mp4", **options: Any) -> Any:
        submission = Submission(
            title="rec talk.mp4",
            name=NAME,
            media=MediaObject("bucket", key, "etag", 5, datetime.fromtimestamp(NOW, UTC)),
            options=options,
            make_link=lambda: LINK,
            open_media=lambda: pytest.fail("the media goes by link"),
            callback=CallbackAddress(WEBHOOK, TOKEN),
            delivery=Delivery("bucket", "key", lambda: pytest.fail("Symbl does not deliver")),
        )
        return self.adapter.submit(submission, job or {}, self.kept.append)


class OverScript(Scene):
    """The adapter with a script of responses; a login succeeds unless the script has logins."""

    def __init__(self, script: Mapping[str, Sequence[Scripted]]) -> None:
        super().__init__(FakeVendorSession({LOGIN: [login()], **script}), "https://symbl.test")

    def sent(self, call: str = BUY) -> Any:
        """The last request of a call."""
        return [c for c in self.session.calls if f"{c.method} {c.path}" == call][-1]


class StandIn(Scene):
    """The adapter with the stand-in, which finds SAID in the media unless a dial makes it fail."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[Any] = []
        self.media = folder / "media.mp4"
        self.media.write_bytes(b"media")
        self.failure: DownloadFailed | None = None
        self.world = create_runtime(FakeSpeechEngine(), download=self._download, send=self._receive, clock=lambda: NOW)
        self.client = create_app(self.world).test_client()
        super().__init__(stand_in_session(self.client), f"{HOST}/symbl")

    def _download(self, link: str, target: Path) -> None:
        assert link == LINK
        if self.failure:
            raise self.failure
        shutil.copy(self.media, target)

    def _receive(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append(
            CallbackRequest(body, {k.lower(): v for k, v in headers.items()}, url.rpartition("/")[2], secrets=[[TOKEN]])
        )
        return 200

    def dials(self, fail_next: Sequence[Any] = (), **dials: Any) -> None:
        assert self.client.put("/dials", json={"symbl": dials, "fail_next": list(fail_next)}).status_code == 200

    def finished(self, **options: Any) -> Any:
        """The job of media that is finished."""
        job = self.submit(**options)
        self.world.jobs.join()
        return job

    @property
    def paid(self) -> int:
        return int(self.world.ledger.as_json()["paid"].get("symbl.jobs", 0))


def login(token: str = ACCESS, expires_in: Any = 86400) -> requests.Response:
    return response({"accessToken": token, "expiresIn": expires_in})


def assert_nothing_leaks(error: BaseException) -> None:
    text = text_of(error) + repr(error.args)
    for sensitive in SENSITIVE:
        assert sensitive not in text
