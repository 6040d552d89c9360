"""The stand-ins in this process, without sockets: bucket, links, webhooks and mostly the speech engine are fakes.

No test waits for seconds: it advances `clock`, asks once more, or waits `until` something is the case.
"""

import json
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora import server as agora_stand_in
from sandbox.stand_ins.agora.credentials import (
    AGORA_APP_ID,
    AGORA_CUSTOMER_ID,
    AGORA_CUSTOMER_SECRET,
)
from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.media import beginning_mp4
from sandbox.stand_ins.agora.voices import Voices
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.hearing.speech import Engine, SpeechEngine, UndecodableMedia, Utterance
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.registry import vendors
from tests.sandbox.fake_bucket import FakeBucket

SAID = [
    Utterance(990.0000000000007, 4110.0, "1", "how can i help you today"),
    Utterance(4680.0, 6660.0, "2", "the table was broken that is terrible"),
    Utterance(7380.0, 10650.0, "1", "i will send you a new table before friday"),
    Utterance(11340.0, 16290.0, "2", "wonderful i am very happy"),
]


NOW = 1_800_000_000.0
ANY_RATE = {"requests_per_second": 0}
"""Dials of Agora for tests that send many requests in the same second of their clock."""


class FakeSpeechEngine:
    """Recognises SAID in every media but b"nonsense", and keeps the number of speakers of each call."""

    def __init__(self) -> None:
        self.speakers: list[int | None] = []

    def recognise(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]:
        self.speakers.append(speakers)
        if media.read_bytes() == b"nonsense":
            raise UndecodableMedia("the media cannot be decoded: Invalid data")
        return SAID

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """The tests call the stand-ins without a server."""


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    """Separated voices, shared by all tests: separating them takes a second."""
    return Voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture(autouse=True)
def voices_separated_once(voices: Voices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agora_stand_in, "Voices", lambda scratch: voices)


@dataclass(frozen=True)
class Sent:
    """A callback that a stand-in has sent."""

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class StandIns:
    """An HTTP client of the stand-ins, and what is behind them: runtime, bucket, links, clock, sent callbacks."""

    client: FlaskClient
    runtime: Runtime
    bucket: FakeBucket
    links: dict[str, Path | DownloadFailed]
    now: list[float]
    sent: list[Sent]

    def dials(self, **changes: Any) -> Any:
        reply = self.client.put("/dials", json=changes)
        assert reply.status_code == 200, reply.json
        return reply.json

    def ledger(self) -> Any:
        return self.client.get("/ledger").json

    def finish(self) -> None:
        """Wait until no job runs."""
        self.runtime.jobs.join()


def until(fact: Callable[[], object]) -> None:
    """Wait until something is the case. Only the suite's time-out bounds it."""
    while not fact():
        time.sleep(0.002)


@dataclass(frozen=True)
class LongSleeps:
    """The lengths of the sleeps so far, and the event that ends them."""

    seconds: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class FakeClock:
    """Monotonic seconds that pass when a test says so."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        self._seconds += seconds


@contextmanager
def new_stand_ins(engine: Engine) -> Iterator[StandIns]:
    """Stand-ins with this engine, and with fakes for what is outside of them."""
    links: dict[str, Path | DownloadFailed] = {}
    bucket, now = FakeBucket(), [NOW]

    def download(link: str, target: Path) -> None:
        found = links[link]
        if isinstance(found, DownloadFailed):
            raise found
        shutil.copy(found, target)

    sent: list[Sent] = []

    def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        sent.append(Sent(method, url, body, dict(headers)))
        return 200

    runtime = create_runtime(engine, open_bucket=bucket.open, download=download, send=send, clock=lambda: now[0])
    runtime.dials.turn(AgoraDials, **ANY_RATE)
    with closing(runtime):
        yield StandIns(create_app(runtime).test_client(), runtime, bucket, links, now, sent)


@pytest.fixture
def engine() -> FakeSpeechEngine:
    return FakeSpeechEngine()


@pytest.fixture
def stand_ins(engine: FakeSpeechEngine) -> Iterator[StandIns]:
    with new_stand_ins(engine) as made:
        yield made


@pytest.fixture
def clock(stand_ins: StandIns) -> FakeClock:
    """The clock by which the recordings of this test play their media."""
    stand_ins.runtime.monotonic = fake = FakeClock()
    return fake


@pytest.fixture
def long_sleeps(stand_ins: StandIns, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> LongSleeps:
    """The sleeps of jobs that take more than a second. They last until the test ends them."""
    sleeps, sleep = LongSleeps(), stand_ins.runtime.jobs.sleep

    def hold(seconds: float) -> None:
        if seconds > 1:
            sleeps.seconds.append(seconds)
            sleeps.over.wait()
        else:
            sleep(seconds)

    monkeypatch.setattr(stand_ins.runtime.jobs, "sleep", hold)
    return sleeps


@pytest.fixture(scope="session")
def session_stand_ins() -> Iterator[StandIns]:
    with new_stand_ins(FakeSpeechEngine()) as made:
        yield made


@pytest.fixture
def shared_stand_ins(session_stand_ins: StandIns) -> StandIns:
    """Stand-ins created once, for tests that leave nothing behind: creating them takes time."""
    session_stand_ins.runtime.dials.reset()
    session_stand_ins.runtime.dials.turn(AgoraDials, **ANY_RATE)
    session_stand_ins.runtime.ledger.reset()
    session_stand_ins.now[0] = NOW
    session_stand_ins.sent.clear()
    return session_stand_ins


@pytest.fixture
def recognising_stand_ins() -> Iterator[StandIns]:
    """Stand-ins that really recognise speech, on a thread of this process."""
    with new_stand_ins(SpeechEngine(workers=0)) as made:
        yield made


@pytest.fixture(scope="session")
def first_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first sentence of the sample."""
    target = tmp_path_factory.mktemp("media") / "first.mp4"
    beginning_mp4(SAMPLE, 4.5, target)
    return target


class AgoraCustomer:
    """Calls Agora correctly; a test can spoil each part."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.auth: Any = (AGORA_CUSTOMER_ID, AGORA_CUSTOMER_SECRET)
        self.root = f"/agora/v1/apps/{AGORA_APP_ID}/cloud_recording"

    def call(self, method: str, path: str, **wanted: Any) -> Any:
        return self.client.open(f"{self.root}{path}", method=method, **{"auth": self.auth, **wanted})

    def acquire(self, cname: Any = "room_1", uid: Any = "42", **wanted: Any) -> str:
        body = {"cname": cname, "uid": uid, "clientRequest": wanted}
        reply = self.call("POST", "/acquire", json=body)
        assert reply.status_code == 200, reply.json
        return str(reply.json["resourceId"])

    def start(self, resource_id: str, mode: str = "mix", cname: str = "room_1", uid: str = "42", **parts: Any) -> Any:
        body = {"cname": cname, "uid": uid, "clientRequest": start_request(**parts)}
        return self.call("POST", f"/resourceid/{resource_id}/mode/{mode}/start", json=body)

    def started(self, **parts: Any) -> "AgoraTask":
        resource_id = self.acquire()
        reply = self.start(resource_id, **parts)
        assert reply.status_code == 200, reply.json
        return AgoraTask(self, resource_id, reply.json["sid"])


@dataclass
class AgoraTask:
    customer: AgoraCustomer
    resource_id: str
    sid: str
    uid: str = "42"

    def call(self, method: str, name: str, mode: str = "mix", **wanted: Any) -> Any:
        path = f"/resourceid/{self.resource_id}/sid/{self.sid}/mode/{mode}/{name}"
        return self.customer.call(method, path, **wanted)

    def query(self) -> Any:
        return self.call("GET", "query")

    def state(self) -> int:
        """The recorder's status in the answer to a query, or the code of the error."""
        answer = self.query().json
        return int(answer.get("code") or answer["serverResponse"]["status"])

    def stop(self, **client_request: Any) -> Any:
        return self.call("POST", "stop", json={"cname": "room_1", "uid": self.uid, "clientRequest": client_request})


def start_request(
    storage: dict[str, Any] | None = None,
    recording: dict[str, Any] | None = None,
    without: str | None = None,
    **parts: Any,
) -> dict[str, Any]:
    """A valid clientRequest of start with these parts changed, or one left out ("storageConfig.bucket")."""
    request: dict[str, Any] = {
        "storageConfig": {
            "vendor": 1,
            "region": 0,
            "bucket": "recordings",
            "accessKey": "AKIDEXAMPLE",
            "secretKey": "wJalrXUtnFEMI",
            "fileNamePrefix": ["recordings", "0123abcd"],
            **(storage or {}),
        },
        "recordingConfig": {"channelType": 0, "maxIdleTime": 300, **(recording or {})},
        "recordingFileConfig": {"avFileType": ["hls", "mp4"]},
        **parts,
    }
    if without:
        *path, name = without.split(".")
        holder = request
        for step in path:
            holder = holder[step]
        del holder[name]
    return request


@pytest.fixture
def agora(stand_ins: StandIns) -> AgoraCustomer:
    return AgoraCustomer(stand_ins.client)


class MarsviewCustomer:
    """Calls Marsview with its own token."""

    def __init__(self, stand_ins: StandIns) -> None:
        self.stand_ins = stand_ins
        self.client = stand_ins.client
        self.headers = {"authorization": f"Bearer {self.token()}"}

    def token(self) -> Any:
        login = vendors()["marsview"].credentials
        reply: Any = self.client.post("/marsview/cb/v1/auth/create_access_token", json=login)
        assert reply.status_code == 200
        return reply.json["data"]["accessToken"]

    def call(self, method: str, path: str, **wanted: Any) -> Any:
        path = f"/marsview/cb/v1/conversation/{path}"
        return self.client.open(path, method=method, **{"headers": self.headers, **wanted})

    def link(self, media: Path | DownloadFailed) -> str:
        link = f"https://bucket.example/{len(self.stand_ins.links)}?X-Amz-Signature=secret"
        self.stand_ins.links[link] = media
        body = {"title": "call", "description": "a call", "link": link}
        reply = self.call("POST", "save_file_link", json=body)
        assert reply.status_code == 200, reply.json
        return str(reply.json["data"]["txnId"])

    def compute(self, txn_id: str, *models: str, **config: Any) -> Any:
        enabled: list[dict[str, Any]] = [{"modelType": "speech_to_text", "modelConfig": config}]
        enabled += [{"modelType": name} for name in models]
        return self.call("POST", "compute", json={"txnId": txn_id, "enableModels": enabled})

    def states(self, txn_id: str) -> dict[str, Any]:
        reply = self.call("GET", f"get_txn/{txn_id}")
        assert reply.status_code == 200
        return {model["modelType"]: model["state"] for model in reply.json["data"]["enableModels"]}

    def computed(self, media: Path | DownloadFailed, *models: str, **config: Any) -> str:
        """Compute this media, wait for the job, and return its transaction."""
        txn_id = self.link(media)
        assert self.compute(txn_id, *models, **config).status_code == 200
        self.stand_ins.finish()
        return txn_id

    def metadata(self, txn_id: str) -> Any:
        return self.call("GET", f"fetch_metadata/{txn_id}").json["data"]


@pytest.fixture
def marsview(stand_ins: StandIns) -> MarsviewCustomer:
    return MarsviewCustomer(stand_ins)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A file that FakeSpeechEngine accepts as media."""
    target = tmp_path / "media.mp4"
    target.write_bytes(b"media")
    return target
