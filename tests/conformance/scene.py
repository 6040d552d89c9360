"""One provider, whole and in this process: adapter, its vendor's stand-in, our functions, and the state machine.

Nothing here knows a vendor: what differs stands in the stand-in's `VENDOR` and in the adapter's `capabilities`.
"""

import io
import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import pytest
from aws_lambda_powertools.utilities import parameters
from botocore.response import StreamingBody

from events import receive_result_event
from recording_insights.aws import clients
from recording_insights.aws.reply_bucket import CALLBACKS
from recording_insights.model.insights import Insights
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.progress import Progress
from recording_insights.processing.turns import LEASE_MARGIN_SECONDS, Turns
from recording_insights.providers.port import Provider
from recording_insights.providers.registry import PROVIDERS, capabilities_of, sends_result, webhook_secret
from recording_insights.providers.toolkit import http as vendor_http
from recording_insights.settings import StageSettings, secret_name
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow, TryRow
from recording_insights.store.turns import TurnStore
from routes import keep_result, receive_callback
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.hearing.speech import Utterance, check_container
from sandbox.stand_ins.vendors.registry import vendors
from sandbox.stand_ins.vendors.vendor import Vendor
from states import poll_job, prepare_media, report_failure, report_fault, save_insights, submit_recording
from tests.conformance.state_machine import DEFAULTS, NoWay, State, StateMachine, Task, TaskTimedOut, value_of
from tests.stand_in_session import HOST, stand_in_session
from tests.transcribe_in_process import LocalCloud, boto3_calls_stand_ins
from tests.unit.environment import ENVIRONMENT
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, FakeS3
from tests.unit.wired import rewire

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
RECORDINGS, REPLIES = ENVIRONMENT["RECORDINGS_BUCKET"], ENVIRONMENT["REPLIES_BUCKET"]
SECRET = "webhook-secret"
SIGNATURE = "X-Amz-Signature=5ec0de"
LEASE_SECONDS = int(ENVIRONMENT["POLL_CEILING_MINUTES"]) * 60 + LEASE_MARGIN_SECONDS
MEDIA = b"media"
MOST_STATES = 2_000
WITHOUT_END = 1e6
"""Seconds to wait for threads of this process. They end by themselves, or pytest's own limit ends the test."""
SAID = [
    Utterance(990.0, 4110.0, "1", "how can i help you today"),
    Utterance(4680.0, 6660.0, "2", "the table was broken that is terrible"),
    Utterance(7380.0, 10650.0, "1", "i will send you a new table before friday"),
    Utterance(11340.0, 16290.0, "2", "wonderful i am very happy"),
]
TASKS: Mapping[str, ModuleType] = {
    "Prepare media": prepare_media,
    "Submit recording": submit_recording,
    "Poll job": poll_job,
    "Save insights": save_insights,
    "Report fault": report_fault,
    "Report failure": report_failure,
}
"""The function of each Task that calls one."""


class Ears:
    """Hears `said` as soon as it `may_hear`, in `MEDIA`, or in a real file of a format that the vendor takes."""

    def __init__(self) -> None:
        self.said = list(SAID)
        self.may_hear = threading.Event()
        self.may_hear.set()

    def recognise(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]:
        if media.read_bytes() != MEDIA:
            check_container(media, containers)
        self.may_hear.wait()
        return self.said

    def close(self) -> None:
        """Nothing to end."""


class Buckets(FakeS3):
    """The two buckets, with presigned links that `Scene` knows. `cloud` has the same files, if there is one."""

    cloud: LocalCloud | None = None

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str = "", Range: str = "") -> dict[str, Any]:
        content = self.objects[Bucket, Key]
        if Range:
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            content = content[first : last + 1]
        return {"Body": StreamingBody(io.BytesIO(content), len(content))}

    def upload_file(self, path: str, bucket: str, key: str, *, ExtraArgs: Mapping[str, str]) -> None:
        self.objects[bucket, key] = Path(path).read_bytes()
        if self.cloud:
            self.cloud.put(key, self.objects[bucket, key], bucket)

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"ETag": '"etag-2"', "ContentLength": len(self.objects[Bucket, Key])}

    @staticmethod
    def generate_presigned_url(method: str, *, Params: Mapping[str, str], ExpiresIn: int) -> str:
        return f"https://{Params['Bucket']}.test/{Params['Key']}?{SIGNATURE}{crc32(Params['Key'].encode()):08x}"


@dataclass
class Scene:
    """A media object on its way through one provider; `entered` are the states that the workflow went through.

    `parked` are the rows of the media object each time it waited for its turn, and `woken` the tokens that came back.
    `slots` replaces the provider's own number of slots. `defaults` are the outcomes that a Choice may not know.
    `options` are the stage's for the provider.

    The functions are wired as on AWS, by their environment; `patch` puts doubles in the place of AWS and the vendor.
    """

    name: str
    definition: Mapping[str, Any]
    patch: pytest.MonkeyPatch
    key: str = "talk.mp4"
    content: bytes = MEDIA
    cloud: LocalCloud | None = None
    table: Any = field(default_factory=FakeTable)
    entered: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    parked: list[MediaRow] = field(default_factory=list)
    slots: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, frozenset[str]] = field(default_factory=lambda: DEFAULTS)
    tokens: int = 0

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.s3 = Buckets()
        self.s3.cloud = self.cloud
        self.ears = Ears()
        self.store = MediaStore(self.table, self.clock.now, self.clock.sleep)
        self.vendor: Vendor = vendors()[self.name]
        self.world = create_runtime(
            self.ears, download=self._download, send=self._send, webhooks=f"{ENVIRONMENT['WEBHOOK_URL']}/webhooks"
        )
        self.client = create_app(self.world, only=[self.name]).test_client()
        self._wire()
        self.media = self.admit(self.key)

    def close(self) -> None:
        self.ears.may_hear.set()
        self.world.close()

    # --- what a test turns and reads

    def admit(self, key: str) -> MediaObject:
        """Put a media object into the bucket and into the table, as its event does."""
        media = MediaObject(RECORDINGS, key, "etag-1", len(self.content), datetime(2026, 3, 12, tzinfo=UTC))
        self.s3.objects[RECORDINGS, key] = self.content
        if self.cloud:
            self.cloud.put(key, self.content, RECORDINGS)
        self.store.admit(R, media, providers=[self.name], duration_ms=17_000)
        return media

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
    def provider(self) -> Provider:
        """The adapter, as the functions load it."""
        return submit_recording.wiring.provider_for(self.name)

    def names_vendor(self, text: str) -> bool:
        """Whether a text names the vendor, by the name of its adapter or of the provider."""
        names = ("AWS",) if self.cloud else (type(self.provider).__name__, self.name)
        return any(name in text for name in names)

    @property
    def row(self) -> MediaRow:
        return self.store.get(R, self.media.media_id)

    @property
    def tries(self) -> Sequence[TryRow]:
        """The earlier tries of the media object."""
        return self.store.tries.of(R, self.media.media_id)

    @property
    def reason(self) -> str:
        return self.row.get("reason") or ""

    @property
    def reply(self) -> bytes:
        return self.s3.objects[REPLIES, self.row["reply"]]

    def insights(self) -> Insights:
        """What lies in the table."""
        return InsightStore(self.table).read(R).insights[self.media.media_id]

    # --- the state machine

    @property
    def start(self) -> State:
        """The input of the execution."""
        return Progress(R, self.media.media_id, self.media.key).to_state()

    def run(self, *, is_counted: bool = True) -> str:
        """Go through the workflow to its end, and let the vendor come to its own; the media object's final status.

        Whatever happens on the way, the row counts every state, unless "Report fault" fails too.
        """
        tasks: dict[str, Task] = {name: partial(self._call, name) for name in TASKS}
        waits: dict[str, Task] = {
            "Await callback": self._await_callback,
            "Await end of track": self._await_callback,
            "Await turn": self._await_turn,
        }
        machine = StateMachine(self.definition, {**tasks, **waits}, self._pass_time, self.defaults)
        before = len(self.entered)
        for name in machine.run(self.start):
            self.entered.append(name)
            if len(self.entered) > MOST_STATES:
                raise NoWay(f"no end after {MOST_STATES} states: {self.entered[-9:]} {self.row}")
        self._finish_jobs()
        if is_counted:
            assert self.row["transitions"] == len(self.entered) - before, self.entered
        return self.row["status"]

    def do(self, task: str) -> State:
        """Call the function of a Task with the input of the execution, outside of the state machine."""
        return self._call(task, {}, self.start)

    @staticmethod
    def _call(task: str, entry: Mapping[str, Any], state: State) -> State:
        output: State = TASKS[task].handler(dict(state), None)
        return output

    def _pass_time(self, seconds: int) -> None:
        self._finish_jobs()
        self.clock.elapsed += seconds

    def _await_callback(self, entry: Mapping[str, Any], state: State) -> State:
        """Wait until the token comes back or the time is over."""
        token = self._write_token("Await callback", entry, state)
        self._finish_jobs()
        if token not in self.woken:
            self.clock.elapsed += entry["TimeoutSeconds"]
            raise TaskTimedOut
        return {}

    def _await_turn(self, entry: Mapping[str, Any], state: State) -> State:
        """Wait until the time is over: no other media object could free a slot or mend the provider."""
        token = self._write_token("Await turn", entry, state)
        self.parked.append(self.row)
        self._finish_jobs()
        assert token not in self.woken
        self.clock.elapsed += value_of("Await turn", entry["TimeoutSeconds"], {"input": state})
        raise TaskTimedOut

    def _write_token(self, name: str, entry: Mapping[str, Any], state: State) -> str:
        """Write a task token as the definition says, and return it.

        Raises:
            ClientError: the condition of the write does not hold. The state ends with this error.
        """
        self.tokens += 1
        token = f"token-{self.tokens}"
        write = value_of(name, entry["Arguments"], {"input": state, "context": {"Task": {"Token": token}}})
        self.table.update_item(
            Key=plain(write["Key"]),
            UpdateExpression=write["UpdateExpression"],
            ConditionExpression=write["ConditionExpression"],
            ExpressionAttributeValues=plain(write["ExpressionAttributeValues"]),
        )
        return token

    # --- the world around

    def _wire(self) -> None:
        """Give every function the environment that the stack gives, and doubles of what AWS gives."""
        modules = (*TASKS.values(), keep_result, receive_callback, receive_result_event)
        environment = {
            "POWERTOOLS_METRICS_NAMESPACE": "RecordingInsights/dev",
            **ENVIRONMENT,
            "PROVIDER": self.name,
            "PROVIDERS": json.dumps([self.name]),
            "FAILOVER": "[]",
            "BASE_URLS": json.dumps({self.name: f"{HOST}/{self.name}"}),
        }
        for name, value in environment.items():
            self.patch.setenv(name, value)
        rewire(
            self.patch,
            *modules,
            stage_settings=StageSettings(provider_options={self.name: self.options}, prefix_providers={}),
            table=self.table,
            media=self.store,
            s3=self.s3,
            end_wait=self.woken.append,
            turns=self._turns(self.woken.append),
        )
        for module in (prepare_media, submit_recording, poll_job):
            self.patch.setattr(module, "utc_now", self.clock.now)
        secrets = {
            secret_name(ENVIRONMENT["STAGE"], self.name): self.vendor.credentials,
            secret_name(ENVIRONMENT["STAGE"], webhook_secret(self.name)): self.vendor.webhook_secret,
            ENVIRONMENT["WEBHOOK_SECRET"]: {"key": SECRET},
        }
        self.patch.setattr(parameters, "get_secret", lambda name, **_: json.dumps(dict(secrets[name])))
        self.patch.setattr(vendor_http, "_session", lambda: stand_in_session(self.client))
        if self.cloud:
            self._wire_aws(self.cloud)

    def _turns(self, end_wait: Callable[[str], None]) -> Turns:
        """The turns of the provider, by the clock of the scene."""
        slots = PROVIDERS[self.name].slots if self.slots is None else self.slots
        limits = {} if slots is None else {self.name: slots}
        return Turns(TurnStore(self.table, self.clock.now), limits, LEASE_SECONDS, end_wait)

    def _wire_aws(self, cloud: LocalCloud) -> None:
        """A service of AWS: its jobs read and write the local cloud's S3, and its event comes from there."""
        cloud.empty()
        cloud.sandbox = self.client
        cloud.announce = self._announce
        self.patch.setattr(clients, "s3", lambda: cloud)
        boto3_calls_stand_ins(self.client, self.patch)

    def _announce(self, detail: Mapping[str, Any]) -> None:
        receive_result_event.handler({"source": f"aws.{self.name}", "detail": detail}, None)

    def _finish_jobs(self) -> None:
        """Let what the vendor works at come to its end, callbacks included."""
        self.ears.may_hear.set()
        self.world.jobs.join(WITHOUT_END)
        if self.cloud:
            self.cloud.join()

    def _download(self, link: str, target: Path) -> None:
        parts = urlsplit(link)
        if not parts.query.startswith(SIGNATURE):
            raise DownloadFailed("the link answered HTTP 403", 403)
        bucket, key = str(parts.hostname).removesuffix(".test"), parts.path.removeprefix("/")
        target.write_bytes(self.s3.objects[bucket, key])

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        parts = urlsplit(url)
        if parts.hostname == f"{REPLIES}.test":
            assert (method, parts.query.startswith(SIGNATURE)) == ("PUT", True)
            key = parts.path.removeprefix("/")
            self.s3.objects[REPLIES, key] = body
            self._announce_reply(key)
            return 200
        assert method == "POST"
        return self.post(parts.path, body, headers)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """What a vendor, or somebody who would like to be one, sends to our webhook; gives our answer's status."""
        event, before = _callback_event(path, body, headers), set(self.s3.objects)
        route = keep_result if sends_result(self.name) else receive_callback
        answer = route.handler(event, _Context())
        self.answers.append(int(answer["statusCode"]))
        for bucket, key in self.s3.objects.keys() - before:
            if key.startswith(CALLBACKS):
                assert capabilities_of(self.name).callback_is_result, "without it, the function may store no result"
            if bucket == REPLIES and sends_result(self.name):
                self._announce_reply(key)
        return self.answers[-1]

    @staticmethod
    def _announce_reply(key: str) -> None:
        receive_result_event.handler({"source": "aws.s3", "detail": {"object": {"key": key}}}, None)


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000


def plain(values: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The texts of DynamoDB's wire format."""
    return {name: value["S"] for name, value in values.items()}


def _callback_event(path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
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
