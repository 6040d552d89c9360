"""The Deepgram adapter over the stand-in in this process, or over a script."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.deepgram.calls import Deepgram
from recording_insights.providers.port import CallbackAddress, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.vendors.deepgram.server import CREDENTIALS
from tests.sandbox.conftest import NOW, FakeSpeechEngine
from tests.stand_in_session import HOST, stand_in_session
from tests.unit.fakes import FakeVendorSession, Scripted
from tests.unit.providers.adapters.marsview_scene import text_of

LISTEN = "POST /v1/listen"
KEY = CREDENTIALS["apiKey"]
SENSITIVE = (KEY, "rotated-key", "X-Amz", "5ec0de", "rep1y")
JOB = {"request_id": "r-1"}
CREDIT = "Project does not have enough credits for an ASR request and does not have an overage agreement."
DEAD_LINK = "The remote server hosting the media returned a client error: 403 Forbidden."


class Scene:
    """The adapter with a session; every link is signed anew."""

    def __init__(self, session: requests.Session, base: str = HOST) -> None:
        self.session: Any = session
        self.secret = {"apiKey": KEY}
        self.fresh_secret = self.secret
        self.reads: list[bool] = []
        self.kept: list[Any] = []
        self.links: list[str] = []
        self.adapter = Deepgram(VendorHttp("Deepgram", base, session), self._read)

    def _read(self, fresh: bool) -> Mapping[str, str]:
        self.reads.append(fresh)
        return self.fresh_secret if fresh else self.secret

    def _link(self, place: str) -> str:
        self.links.append(f"{place}?X-Amz-Security-Token=a%2Bb%3D&X-Amz-Signature=5ec0de{len(self.links)}")
        return self.links[-1]

    def submit(self, job: Mapping[str, Any] | None = None, **options: Any) -> Any:
        submission = Submission(
            title="talk",
            name="rec-media-0",
            media=MediaObject("bucket", "a/talk.mp4", "etag", 5, datetime.fromtimestamp(NOW, UTC)),
            options=options,
            make_link=lambda: self._link("https://media.s3.amazonaws.com/a/talk.mp4"),
            open_media=lambda: pytest.fail("the media goes by link"),
            callback=CallbackAddress("https://hooks.example/never", "never"),
            delivery=Delivery(
                "replies", "rep1y.json", lambda: self._link("https://replies.s3.amazonaws.com/rep1y.json")
            ),
        )
        return self.adapter.submit(submission, job or {}, self.kept.append)

    def query(self) -> dict[str, list[str]]:
        """The query of the last call."""
        found: dict[str, list[str]] = {}
        for name, value in self.session.calls[-1].params:
            found.setdefault(name, []).append(value)
        return found


class StandIn(Scene):
    """The adapter with the stand-in; `sent` lists the calls of the stand-in to links of ours."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.bucket_says = [200]
        self.media: Path | DownloadFailed = folder / "talk.mp4"
        self.media.write_bytes(b"media")
        self.fetched: list[str] = []
        self.world = create_runtime(FakeSpeechEngine(), download=self._download, send=self._take, clock=lambda: NOW)
        self.client = create_app(self.world).test_client()
        super().__init__(stand_in_session(self.client), f"{HOST}/deepgram")

    def _download(self, link: str, target: Path) -> None:
        self.fetched.append(link)
        if isinstance(self.media, DownloadFailed):
            raise self.media
        shutil.copy(self.media, target)

    def _take(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((method, url, body, dict(headers)))
        return self.bucket_says.pop(0) if len(self.bucket_says) > 1 else self.bucket_says[0]

    def dials(self, **changes: Any) -> None:
        reply = self.client.put("/dials", json=changes)
        assert reply.status_code == 200, reply.json

    @property
    def delivered(self) -> bytes | None:
        """The delivery in the bucket once all jobs have ended."""
        self.world.jobs.join()
        return self.sent[-1][2] if self.sent else None

    @property
    def ledger(self) -> Any:
        return self.client.get("/ledger").json

    @property
    def paid(self) -> int:
        return int(self.ledger["paid"].get("deepgram.jobs", 0))


def scripted(*replies: Scripted) -> Scene:
    return Scene(FakeVendorSession({LISTEN: replies}))


def talk(**results: Any) -> bytes:
    """A result of two sentences by two speakers; `results` replace parts of it."""
    words = [
        word("Hi", 0.08, 0.32, 0),
        word("there.", 0.32, 0.815, 0, 0.8),
        word("Is", 1.2000001, 1.3, 1),
        word("it", 1.3, 1.4, 1),
        word("broken?", 1.4, 1.9996, 1),
    ]
    spoken = {"transcript": "Hi there. Is it broken?", "confidence": 0.9, "words": words}
    found = {"channels": [{"alternatives": [spoken]}], **results}
    return json.dumps({"metadata": {"request_id": "r-1"}, "results": found}).encode()


def word(shown: str, start: Any, end: Any, speaker: Any = None, confidence: Any = 0.9, **more: Any) -> dict[str, Any]:
    plain = shown.strip(".?").lower()
    entry = {"word": plain, "start": start, "end": end, "confidence": confidence, "punctuated_word": shown, **more}
    return entry if speaker is None else {**entry, "speaker": speaker, "speaker_confidence": 0.7}


def spoken(*words: Any, **more: Any) -> bytes:
    """A result of these words."""
    return talk(channels=[{"alternatives": [{"transcript": "", "confidence": 0.5, "words": list(words), **more}]}])


def assert_nothing_leaks(error: BaseException) -> None:
    assert not [text for text in SENSITIVE if text in text_of(error)]


def complaint(code: str, message: str = "no", **more: Any) -> dict[str, Any]:
    return {"err_code": code, "err_msg": message, "request_id": "r-0", **more}
