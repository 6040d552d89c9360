"""One provider, whole and in this process: adapter, its vendor's stand-in, our functions, and the state machine's loop.

Nothing here knows a vendor: what differs stands in the stand-in's `VENDOR` and in the adapter's `capabilities`.
"""

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from recording_insights.aws.reply_bucket import DELIVERIES, ReplyStore
from recording_insights.model.insights import Insights
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.callbacks import callback_token
from recording_insights.processing.poll_job import poll_job
from recording_insights.processing.progress import Progress
from recording_insights.processing.provider_choice import ProviderChoice
from recording_insights.processing.save_insights import save_insights
from recording_insights.processing.submit_recording import SubmissionLinks, submit_recording
from recording_insights.providers.port import CallbackAddress, Delivery, Provider
from recording_insights.providers.registry import PROVIDERS
from recording_insights.store.insights import Collection as Stored
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.hearing.speech import Utterance
from sandbox.stand_ins.vendors.registry import vendors
from sandbox.stand_ins.vendors.vendor import Vendor
from tests.stand_in_session import HOST, stand_in_session
from tests.transcribe_in_process import LocalCloud, boto3_client
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, FakeStream

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
RECORDINGS, REPLIES = "recordings-bucket", "replies-bucket"
SECRET = "webhook-secret"
SIGNATURE = "X-Amz-Signature=5ec0de"
API = "https://api.test"
CALLBACK_WAIT_SECONDS = 900
SAID = [
    Utterance(990.0, 4110.0, "1", "how can i help you today"),
    Utterance(4680.0, 6660.0, "2", "the table was broken that is terrible"),
    Utterance(7380.0, 10650.0, "1", "i will send you a new table before friday"),
    Utterance(11340.0, 16290.0, "2", "wonderful i am very happy"),
]


class Ears:
    """Hears `said` in whatever is media."""

    def __init__(self) -> None:
        self.said = list(SAID)

    def recognise(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]:
        assert media.read_bytes() == b"media"
        return self.said

    def close(self) -> None:
        """Nothing to end."""


class FakeS3(dict[tuple[str, str], bytes]):
    """Objects by bucket and key."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **rest: Any) -> None:
        self[Bucket, Key] = Body

    def get_object(self, *, Bucket: str, Key: str, **rest: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(self[Bucket, Key])}


@dataclass
class Scene:
    """A media object on its way through one provider; `entered` are the states that the workflow went through.

    `receive_callback` and `receive_event` are the two Lambda handlers, as AWS calls them.
    """

    name: str
    receive_callback: Any
    receive_event: Any
    key: str = "talk.mp4"
    cloud: LocalCloud | None = None
    entered: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.table: Any = FakeTable()
        self.s3: Any = FakeS3()
        self.ears = Ears()
        self.store = MediaStore(self.table, self.clock.now, self.clock.sleep)
        self.replies = ReplyStore(self.s3, REPLIES)
        self.vendor: Vendor = vendors()[self.name]
        self.world = create_runtime(self.ears, download=self._download, send=self._send, webhooks=f"{API}/webhooks")
        self.client = create_app(self.world).test_client()
        self.secret: Mapping[str, str] = self.vendor.credentials
        self.provider = self._adapter()
        self.media = MediaObject(RECORDINGS, self.key, "etag-1", 5, datetime(2026, 3, 12, tzinfo=UTC))
        self.s3[RECORDINGS, self.key] = b"media"
        self.woken: list[str] = []
        self.store.admit(R, self.media, providers=[self.name], duration_ms=17_000)

    def close(self) -> None:
        self.world.close()

    # --- what a test turns and reads

    def dials(self, **values: Any) -> None:
        """The vendor's own dials, and `fail_next`."""
        failures = {"fail_next": values.pop("fail_next")} if "fail_next" in values else {}
        answer = self.client.put("/dials", json={**failures, **({self.name: values} if values else {})})
        assert answer.status_code == 200, answer.json

    @property
    def paid(self) -> int:
        """How often the vendor would have charged."""
        return int(self.world.ledger.as_json()["paid"].get(self.vendor.paid, 0))

    @property
    def item(self) -> Mapping[str, Any]:
        return self.store.get(R, self.media.media_id)

    @property
    def reason(self) -> str:
        return str(self.item.get("reason", ""))

    @property
    def reply(self) -> bytes:
        return self.replies.read(str(self.item["reply"]))

    def insights(self) -> Insights:
        """What lies in the table."""
        stored: Stored = InsightStore(self.table).read(R)
        return stored.insights[self.media.media_id]

    def callback_event(self, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """A POST as API Gateway hands it on."""
        names = ("provider", "job", "token")
        parts = urlsplit(path).path.removeprefix("/webhooks/").split("/")
        return {
            "version": "2.0",
            "routeKey": "POST /webhooks/{provider}",
            "headers": dict(headers),
            "requestContext": {"requestId": "request-1"},
            "isBase64Encoded": False,
            "pathParameters": dict(zip(names, parts, strict=False)),
            "body": body.decode(),
        }

    # --- the state machine

    def run(self, *, most: int = 60) -> str:
        """Go through the workflow to its end, and let the vendor come to its own; the media object's final status."""
        status = self._run(most)
        self._finish_jobs()
        return status

    def _run(self, most: int) -> str:
        state = Progress(R, self.media.media_id, self.media.key)
        step = "Submit recording"
        for _ in range(most):
            self.entered.append(step)
            if step == "Submit recording":
                state = self.submit(state)
            elif step == "Poll job":
                state = self.poll(state)
            elif step == "Wait":
                self._finish_jobs()
                self.clock.elapsed += state.wait_seconds
            elif step == "Await callback":
                self.await_callback()
            elif step == "Save insights":
                self.save(state)
                return str(self.item["status"])
            else:
                self.store.finish(R, self.media.media_id, "failed", reason=state.reason)
                return str(self.item["status"])
            step = self._next(step, state)
        raise AssertionError(f"no end after {most} states: {self.entered} {self.item}")

    def submit(self, state: Progress) -> Progress:
        return submit_recording(
            state,
            store=self.store,
            providers=ProviderChoice(
                load=lambda name: self.provider, checks=lambda name: PROVIDERS[name].options, options={}, failover=()
            ),
            links=SubmissionLinks(
                link=lambda media: f"https://{media.bucket}.test/{media.key}?{SIGNATURE}",
                stream=lambda media: FakeStream(self.s3[media.bucket, media.key]),
                callback=self._callback,
                delivery=lambda name, job: Delivery(
                    REPLIES,
                    f"{DELIVERIES}{name}/{job}.json",
                    lambda: f"https://{REPLIES}.test/{DELIVERIES}{name}/{job}.json?{SIGNATURE}",
                ),
            ),
            ceiling_minutes=60,
            failover_minutes=15,
            now=self.clock.now,
        )

    def poll(self, state: Progress) -> Progress:
        return poll_job(
            state,
            store=self.store,
            provider_for=lambda name: self.provider,
            replies=self.replies,
            ceiling_minutes=240,
            now=self.clock.now,
        )

    def save(self, state: Progress) -> None:
        save_insights(
            state,
            store=self.store,
            insight_store=InsightStore(self.table),
            replies=self.replies,
            provider_for=lambda name: self.provider,
        )

    def await_callback(self) -> None:
        """Waits until the callback wakes it, or until its time is over."""
        if "callback_at" in self.item:
            return
        self.store.note(R, self.media.media_id, task_token="task-token")
        self._finish_jobs()
        if not self.woken:
            self.clock.elapsed += CALLBACK_WAIT_SECONDS

    @staticmethod
    def _next(step: str, state: Progress) -> str:
        if step in ("Wait", "Await callback"):
            return "Poll job"
        after = {"awaiting": "Await callback", "running": "Wait", "succeeded": "Save insights"}
        return {**after, "submit": "Submit recording", "failed": "Report failure"}[state.outcome]

    # --- the world around

    def _adapter(self) -> Provider:
        from importlib import import_module

        module_name, _, class_name = PROVIDERS[self.name].adapter.partition(":")
        adapter = getattr(import_module(f"recording_insights.providers.adapters.{module_name}.calls"), class_name)
        if not self.vendor.credentials:
            return self._adapter_on_aws(adapter)
        from recording_insights.providers.toolkit.http import VendorHttp

        http = VendorHttp(class_name, f"{HOST}/{self.name}", stand_in_session(self.client))
        provider: Provider = adapter(http, lambda fresh: self.secret)
        return provider

    def _adapter_on_aws(self, adapter: Any) -> Provider:
        """A service of AWS: its jobs read and write the local cloud's S3, and its event comes from there."""
        assert self.cloud is not None
        self.cloud.empty()
        self.cloud.put(self.key, b"media", RECORDINGS)
        self.cloud.sandbox = self.client
        self.cloud.announce = self._announce
        provider: Provider = adapter(**{self.name: boto3_client(self.client)}, s3=self.cloud)
        return provider

    def _announce(self, detail: Mapping[str, Any]) -> None:
        self.receive_event({"source": f"aws.{self.name}", "detail": detail}, None)

    def _finish_jobs(self) -> None:
        """Let what the vendor works at come to its end, callbacks included."""
        self.world.jobs.join(5)
        if self.cloud:
            self.cloud.join()

    def _callback(self, provider: str, job: str) -> CallbackAddress:
        return CallbackAddress(f"{API}/webhooks/{provider}/{job}", callback_token(SECRET, provider, job))

    def _download(self, link: str, target: Path) -> None:
        parts = urlsplit(link)
        if parts.query != SIGNATURE:
            raise DownloadFailed("the link answered HTTP 403", 403)
        target.write_bytes(self.s3[str(parts.hostname).removesuffix(".test"), parts.path.removeprefix("/")])

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        parts = urlsplit(url)
        if parts.hostname == f"{REPLIES}.test":
            assert (method, parts.query) == ("PUT", SIGNATURE)
            key = parts.path.removeprefix("/")
            self.s3[REPLIES, key] = body
            self.receive_event({"source": "aws.s3", "detail": {"object": {"key": key}}}, None)
            return 200
        assert method == "POST"
        return self.post(parts.path, body, headers)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """What a vendor, or somebody who would like to be one, sends to our webhook; gives our answer's status."""
        answer = self.receive_callback(self.callback_event(path, body, headers), _Context())
        self.answers.append(answer["statusCode"])
        return int(answer["statusCode"])


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000
