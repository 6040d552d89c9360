"""Recordings from a request or an event to their insights, through all functions and both state machines.

Everything is in this process, and waits take no time: whatever is due first is done first. `Journey.bill` counts what
AWS would charge for.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

from aws_lambda_powertools.utilities import parameters

from events import admit_media, receive_result_event
from recording_insights.agora import calls as agora_calls
from recording_insights.agora.calls import AgoraCalls
from recording_insights.agora.rtc_token import CERTIFICATE_KEY, CERTIFICATE_SECRET
from recording_insights.agora.upload_credentials import SECRET as UPLOADER
from recording_insights.aws import clients
from recording_insights.hls.timeline import PlacedSegment
from recording_insights.model.media_object import MediaObject
from recording_insights.model.moments import utc_text
from recording_insights.providers.registry import webhook_secret
from recording_insights.settings import secret_name
from recording_insights.store.keys import MEDIA_PREFIX, SORT
from recording_insights.store.numbers import decode
from recording_insights.store.rows import MediaRow, RecordingRow
from routes import (
    get_insights,
    get_recording,
    keep_result,
    list_insights,
    list_recordings,
    receive_callback,
    start_recording,
    stop_recording,
)
from states import check_recording, prepare_media, recover_recording
from tests.conformance.counted_aws import Bill, CountedBuckets, CountedStepFunctions, CountedTable, etag_of
from tests.conformance.counts import Counts
from tests.conformance.scene import MEDIA, RECORDINGS, SECRET, TASKS, WITHOUT_END, Scene
from tests.conformance.state_machine import (
    DEFAULTS,
    DEFAULTS_OF_WATCH,
    State,
    StateMachine,
    Task,
    TaskTimedOut,
    value_of,
)
from tests.stand_in_session import HOST
from tests.transcribe_in_process import LocalCloud
from tests.unit.agora import fake_agora
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.agora.fake_sts import UPLOADER_KEY, FakeSts
from tests.unit.environment import ENVIRONMENT
from tests.unit.fakes import FakeContext
from tests.unit.processing.track_scene import FakeRemux
from tests.unit.wired import rewire

PROCESSING, WATCH = ENVIRONMENT["WORKFLOW_ARN"], ENVIRONMENT["WATCH_ARN"]
WATCH_TASKS: Mapping[str, ModuleType] = {"Check recording": check_recording, "Recover recording": recover_recording}
FUNCTIONS = (
    *(start_recording, stop_recording, get_recording, list_recordings, list_insights, get_insights),
    *(receive_callback, keep_result, admit_media, receive_result_event),
    *TASKS.values(),
    *WATCH_TASKS.values(),
)
CHANNEL = "team"


@dataclass
class Due:
    """What is done from a moment on, in seconds from the start: a step may change it to that of the next step."""

    at: float
    steps: Iterator[object]
    purpose: str


@dataclass
class Journey(Scene):
    """A customer with one provider; `polls` is how often a job is polled until it is done.

    `headers` are those of all requests.

    `purpose` of a call to AWS is "media" for what a media object takes from its event to its end, "watch" for the watch
    of a recording, and for a request the name of its route. `states` are those that the executions of "media" and
    "watch" went through.
    """

    watch_definition: Mapping[str, Any] = field(default_factory=dict)
    polls: int = 1
    most_steps: int = 10_000
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bill = Bill()
        self.table = CountedTable(bill=self.bill)
        self.agora = FakeAgora()
        self.due: list[Due] = []
        self.begun = 0
        self.states: dict[str, list[str]] = {"media": [], "watch": []}
        self.waiting: dict[str, Due] = {}
        super().__post_init__()
        self.ears.may_hear.clear()

    def admit(self, key: str) -> MediaObject:
        """Media objects of a journey arrive by events: this one has no row."""
        return MediaObject(RECORDINGS, key, "etag-1", len(self.content), self.clock.now())

    # --- what a test does

    def ask(self, route: ModuleType, recording_id: str = "", **body: Any) -> Any:
        """Send a request, and return the body of the response."""
        event = {
            "headers": self.headers,
            "requestContext": {"requestId": "request-1"},
            "pathParameters": {"recording_id": recording_id} if recording_id else {},
            "body": json.dumps(body),
        }
        with self.on_bill(route.__name__.rpartition(".")[2]):
            answer = route.handler(event, FakeContext())
        assert answer["statusCode"] < 300, answer
        self._begin_executions()
        return json.loads(answer["body"])

    def record(self, **body: Any) -> RecordingRow:
        """Start a recording by the API, and return its row."""
        started = self.ask(start_recording, channel=CHANNEL, **body)
        row = self.store.recordings.find(started["recording_id"])
        assert row
        return row

    def arrive(self, key: str, content: bytes, *, announced: bool = True) -> None:
        """Put an object into the bucket; if it is `announced`, its event comes by the queue."""
        self.buckets.arrive(RECORDINGS, key, content)
        if self.cloud:
            self.cloud.put(key, content, RECORDINGS)
        if not announced:
            return
        described = {"key": key, "etag": etag_of(content).strip('"'), "size": len(content), "sequencer": "0055"}
        detail = {"bucket": {"name": RECORDINGS}, "object": described}
        body = json.dumps({"time": utc_text(self.clock.now()), "source": "aws.s3", "detail": detail})
        with self.on_bill("media"):
            kept = admit_media.handler({"Records": [{"messageId": "1", "body": body}]}, FakeContext(60_000))
        assert kept == {"batchItemFailures": []}
        self._begin_executions()

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        """Have something done so many seconds after the start."""
        self.due.append(Due(seconds, (do() for _ in range(1)), ""))

    def go(self) -> None:
        """Do what is due, and go on until all executions have ended."""
        for _ in range(self.most_steps):
            if not self.due:
                return
            self._wake()
            present = min(self.due, key=lambda due: due.at)
            self.clock.elapsed = max(self.clock.elapsed, present.at)
            with self.on_bill(present.purpose):
                if next(present.steps, None) is None:
                    self.due.remove(present)
        raise AssertionError(f"no end after {self.most_steps} steps: {self.due}")

    def media_rows(self) -> list[MediaRow]:
        """Return the rows of all media objects."""
        rows: list[MediaRow] = [
            decode(item) for item in self.table.scan()["Items"] if item[SORT].startswith(MEDIA_PREFIX)
        ]
        return rows

    def count(self, *purposes: str) -> Counts:
        """Return what AWS would charge for."""
        return self.bill.of(*purposes)

    @contextmanager
    def on_bill(self, purpose: str) -> Iterator[None]:
        """Count for a purpose; without one, for what is under way."""
        before, self.bill.purpose = self.bill.purpose, purpose or self.bill.purpose
        try:
            yield
        finally:
            self.bill.purpose = before

    # --- executions

    def _begin_executions(self) -> None:
        for arn, name, text in self.step_functions.started[self.begun :]:
            self.begun += 1
            state = {**json.loads(text), "execution": f"{arn.replace(':stateMachine:', ':execution:')}:{name}"}
            if arn == PROCESSING:
                self.due.append(self._execution(state, self.definition, TASKS, DEFAULTS, "media"))
            else:
                self.due.append(self._execution(state, self.watch_definition, WATCH_TASKS, DEFAULTS_OF_WATCH, "watch"))

    def _execution(
        self,
        state: State,
        definition: Mapping[str, Any],
        modules: Mapping[str, ModuleType],
        defaults: Mapping[str, frozenset[str]],
        purpose: str,
    ) -> Due:
        tasks: dict[str, Task] = {name: partial(self._task, module) for name, module in modules.items()}
        execution = Due(self.clock.elapsed, iter(()), purpose)
        if "Await callback" in definition["States"]:
            tasks["Await callback"] = partial(self._await_own_callback, execution)
            for name in ("Await turn", "Await end of track"):
                tasks[name] = partial(self._await_token, name, execution)
        wait = partial(self._wait, execution)
        execution.steps = self._counted(StateMachine(definition, tasks, wait, defaults).run(state), purpose)
        return execution

    def _counted(self, states: Iterator[str], purpose: str) -> Iterator[str]:
        for name in states:
            if name:
                self.bill.add("transitions")
                self.entered.append(name)
                self.states[purpose].append(name)
            self._begin_executions()
            yield name

    def _wait(self, execution: Due, seconds: int) -> None:
        execution.at = self.clock.elapsed + seconds
        if execution.purpose == "media":
            self.polls -= 1
            if self.polls < 1:
                self._finish_jobs()

    def _await_own_callback(self, execution: Due, entry: Mapping[str, Any], state: State) -> Iterator[None]:
        """Let the vendor end the job. Without a callback, wait while others go on."""
        token = self._write_token("Await callback", entry, state)
        self._finish_jobs()
        if token not in self.woken:
            self.waiting[token] = execution
            execution.at = self.clock.elapsed + entry["TimeoutSeconds"]
            yield
            self.waiting.pop(token, None)
        if token not in self.woken:
            raise TaskTimedOut

    def _await_token(self, name: str, execution: Due, entry: Mapping[str, Any], state: State) -> Iterator[None]:
        """Wait until somebody brings the token back, or the time is over."""
        token = self._write_token(name, entry, state)
        self.waiting[token] = execution
        execution.at = self.clock.elapsed + value_of(name, entry["TimeoutSeconds"], {"input": state})
        yield
        self.waiting.pop(token, None)
        if token not in self.woken:
            raise TaskTimedOut

    def _wake(self) -> None:
        """Make the executions due whose tokens have come back."""
        for token in self.waiting.keys() & set(self.woken):
            self.waiting.pop(token).at = self.clock.elapsed

    def _task(self, module: ModuleType, entry: Mapping[str, Any], state: State) -> State | Iterator[None]:
        output: State = module.handler(dict(state), FakeContext(60_000))
        return output

    def _finish_jobs(self) -> None:
        self.ears.may_hear.set()
        self.world.jobs.join(WITHOUT_END)
        if self.cloud:
            self.cloud.join()
        # The next job ends once its execution waits for it.
        self.ears.may_hear.clear()

    # --- the wiring

    def _wire(self) -> None:
        self.s3 = self.buckets = CountedBuckets(self.bill, self.clock.now)
        self.s3.cloud = self.cloud
        step_functions: Any = CountedStepFunctions(self.bill, self.woken)
        self.step_functions = step_functions
        super()._wire()
        self.patch.setenv("BASE_URLS", json.dumps({self.name: f"{HOST}/{self.name}", "agora": fake_agora.HOST}))
        client: Any = self.step_functions
        rewire(
            self.patch,
            *FUNCTIONS,
            table=self.table,
            media=self.store,
            recordings=self.store.recordings,
            s3=self.s3,
            step_functions=self.step_functions,
            turns=self._turns(partial(clients.end_wait, client)),
        )
        for module in FUNCTIONS:
            self.patch.setattr(module, "handler", partial(self._call_function, module.__name__, module.handler))
        self.patch.setattr(prepare_media, "remux", _remux)
        session: Any = self.agora
        self.patch.setattr(agora_calls, "AgoraCalls", partial(AgoraCalls, session=session))
        self.patch.setattr(clients, "sts", FakeSts(self.clock.now))
        self._wire_secrets()

    def _wire_secrets(self) -> None:
        stage = ENVIRONMENT["STAGE"]
        self.secrets: dict[str, Mapping[str, Any]] = {
            secret_name(stage, self.name): self.vendor.credentials,
            secret_name(stage, webhook_secret(self.name)): self.vendor.webhook_secret,
            secret_name(stage, "agora"): {**fake_agora.SECRET, "appId": "970CA35de60c44645bbae8a215061b33"},
            secret_name(stage, CERTIFICATE_SECRET): {CERTIFICATE_KEY: "5CFd2fd1755d40ecb72977518be15d3b"},
            secret_name(stage, UPLOADER): UPLOADER_KEY,
            ENVIRONMENT["WEBHOOK_SECRET"]: {"key": SECRET},
        }
        cached: dict[tuple[str, str], tuple[float, str]] = {}

        def get_secret(name: str, *, max_age: int, force_fetch: bool = False) -> str:
            # Each function has a cache of its own.
            read_at, text = cached.get((self.function, name), (-inf, ""))
            if force_fetch or self.clock.elapsed >= read_at + max_age:
                text = self._fetch_secret(name)
                cached[self.function, name] = self.clock.elapsed, text
            return text

        self.patch.setattr(parameters, "get_secret", get_secret)

    def _fetch_secret(self, name: str) -> str:
        """Return the text of a secret, as Secrets Manager has it now."""
        self.bill.add("secrets")
        return json.dumps(dict(self.secrets[name]))

    def _wire_aws(self, cloud: LocalCloud) -> None:
        super()._wire_aws(cloud)
        self.patch.setattr(clients, "s3", lambda: _CountedCloud(cloud, self.bill))

    def _call_function(self, name: str, handler: Callable[..., Any], event: Any, context: Any) -> Any:
        self.bill.add("calls")
        self.function = name
        return handler(event, context)


@dataclass(frozen=True)
class _CountedCloud:
    """The S3 that a service of AWS wrote to, as its adapter reads it."""

    cloud: LocalCloud
    bill: Bill

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        self.bill.add("s3_gets")
        return self.cloud.get_object(**arguments)


def _remux(pieces: list[PlacedSegment], read: Callable[[str], bytes | None], target: Path) -> Any:
    """Read every segment, as the remux does; what comes of them is what the vendors hear."""
    prepared = FakeRemux()(pieces, read, target)
    target.write_bytes(MEDIA)
    return prepared
