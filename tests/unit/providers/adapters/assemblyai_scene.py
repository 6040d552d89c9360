"""The AssemblyAI adapter over the stand-in in this process, or over a script."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.assemblyai.calls import AssemblyAI
from recording_insights.providers.port import CallbackAddress, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.vendors.assemblyai.server import CREDENTIALS
from tests.sandbox.conftest import NOW, FakeSpeechEngine
from tests.stand_in_session import HOST, stand_in_session
from tests.unit.fakes import FakeVendorSession, Scripted
from tests.unit.providers.adapters.marsview_scene import text_of

PLACE = "https://bucket.s3.eu-central-1.amazonaws.com/a/talk.mp4"
WEBHOOK = "https://hooks.example/webhooks/assemblyai/rec/media"
TOKEN = "70ken" * 12
KEY = CREDENTIALS["apiKey"]
SENSITIVE = (KEY, "rotated-key", TOKEN, "X-Amz", "5ec0de", WEBHOOK)
ASK, LIST, GET = "POST /v2/transcript", "GET /v2/transcript", "GET /v2/transcript/t-1"
JOB = {"transcript_id": "t-1"}
TOOK = {"id": "t-1", "status": "queued"}


class Scene:
    """The adapter with a session and its submission; every link is signed anew."""

    def __init__(self, session: requests.Session, base: str = HOST) -> None:
        self.session: Any = session
        self.secret = {"apiKey": KEY}
        self.fresh_secret = self.secret
        self.reads: list[bool] = []
        self.kept: list[Any] = []
        self.links: list[str] = []
        self.adapter = AssemblyAI(VendorHttp("AssemblyAI", base, session), self._read)

    def _read(self, fresh: bool) -> Mapping[str, str]:
        self.reads.append(fresh)
        return self.fresh_secret if fresh else self.secret

    def _link(self) -> str:
        self.links.append(f"{PLACE}?X-Amz-Signature=5ec0de{len(self.links)}&X-Amz-Date=20260312T000000Z")
        return self.links[-1]

    def submit(self, job: Mapping[str, Any] | None = None, **options: Any) -> Any:
        submission = Submission(
            title="talk",
            name="rec-media-0",
            media=MediaObject("bucket", "a/talk.mp4", "etag", 5, datetime.fromtimestamp(NOW, UTC)),
            options=options,
            make_link=self._link,
            open_media=lambda: pytest.fail("the media goes by link"),
            callback=CallbackAddress(WEBHOOK, TOKEN),
            delivery=Delivery("bucket", "key", lambda: "unused"),
        )
        return self.adapter.submit(submission, job or {}, self.kept.append)

    def sent(self, call: str = ASK) -> list[Any]:
        return [c.json for c in self.session.calls if f"{c.method} {c.path}" == call]


class StandIn(Scene):
    def __init__(self, folder: Path) -> None:
        self.outside_sent: list[Any] = []

        def send(*call: Any) -> int:
            self.outside_sent.append(call)
            return 200

        self.world = create_runtime(
            FakeSpeechEngine(),
            download=lambda link, target: shutil.copy(folder / "talk.mp4", target),
            send=send,
            clock=lambda: NOW,
        )
        self.client = create_app(self.world).test_client()
        super().__init__(stand_in_session(self.client), f"{HOST}/assemblyai")

    def dials(self, **changes: Any) -> None:
        assert self.client.put("/dials", json=changes).status_code == 200

    @property
    def paid(self) -> int:
        ledger: Any = self.client.get("/ledger").json
        return int(ledger["paid"].get("assemblyai.jobs", 0))


def scripted(script: Mapping[str, Sequence[Scripted]]) -> Scene:
    return Scene(FakeVendorSession(script))


def assert_nothing_leaks(error: BaseException) -> None:
    assert not [text for text in SENSITIVE if text in text_of(error)]
