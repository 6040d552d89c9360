"""A journey in which AWS is as unreliable as AWS: functions die, calls fail, queues and events repeat, the sweep runs.

Everything is in this process, and the time is that of the journey's clock.
"""

import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from events import admit_media, receive_result_event, report_stopped_execution, sweep
from recording_insights.aws import clients
from recording_insights.model.moments import utc_text
from recording_insights.store.media import MediaStore
from recording_insights.store.retries import RetryStore
from recording_insights.store.sweeps import SweepStore
from routes import retry_recording
from sandbox.stand_ins.customer.downloads import DownloadFailed
from tests.conformance.counted_aws import CountedBuckets, CountedStepFunctions, etag_of
from tests.conformance.journey import FUNCTIONS, PROCESSING, Due, Journey
from tests.conformance.scene import RECORDINGS, SIGNATURE
from tests.conformance.state_machine import State
from tests.faults.aws import STATE_MACHINE, VENDOR, Aws, Crash, Watched
from tests.unit.conversion.conftest import make_media
from tests.unit.environment import ENVIRONMENT
from tests.unit.fakes import FakeClock, FakeContext
from tests.unit.wired import rewire

OTHERS = (report_stopped_execution, sweep, retry_recording)
"""Functions that no other journey needs."""
SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86_400
SWEEP_SECONDS = 15 * MINUTE
REDELIVERY_SECONDS, DELIVERIES = 6 * MINUTE, 100
"""Of the queue of arrivals, as `infra.arrival` has it."""
EVENT_RETRIES = (1 * MINUTE, 2 * MINUTE)
"""Lambda's own, of an event that a function failed with."""
PAUSES = (SWEEP_SECONDS, 70 * MINUTE, 25 * HOUR)
"""After which the sweep looks at rows, at dead letters, and at jobs that nobody fetched."""
MOST_ROUNDS = 12
MEDIA = make_media("aac", "mp4")


def mp4(number: int = 0) -> bytes:
    """An MP4, another one for each number: a box that players skip is at its end."""
    return MEDIA + b"\0\0\0\x0cfree" + number.to_bytes(4)


class NoAnswer(Exception):
    """A caller has given up."""


class FunctionStopped(Exception):
    """What Step Functions is told of a function that died."""


FunctionStopped.__name__ = "ExitError"


@dataclass
class SkewedClock(FakeClock):
    """A clock that is wrong by some seconds for some functions; `function` tells who asks."""

    skew: Mapping[str, float] = field(default_factory=dict)
    function: Callable[[], str] = lambda: ""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.skew.get(self.function(), 0))


class FaultyBuckets(CountedBuckets):
    """Buckets whose objects can be gone, or be others than those that a call asks for."""

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str = "", Range: str = "") -> dict[str, Any]:
        self._check("GetObject", Bucket, Key, IfMatch, "NoSuchKey")
        return super().get_object(Bucket=Bucket, Key=Key, Range=Range)

    def head_object(self, *, Bucket: str, Key: str, IfMatch: str = "", **_: Any) -> dict[str, Any]:
        self._check("HeadObject", Bucket, Key, IfMatch, "404")
        return {**super().head_object(Bucket=Bucket, Key=Key), "LastModified": self._written(Bucket, Key)}

    def _check(self, operation: str, bucket: str, key: str, etag: str, missing: str) -> None:
        content = self.objects.get((bucket, key))
        if content is None:
            raise _error(operation, missing)
        if etag and etag != etag_of(content):
            raise _error(operation, "PreconditionFailed")

    def _list(self, *, Bucket: str, Prefix: str = "", Delimiter: str = "", StartAfter: str = "") -> Iterator[Any]:
        found = [
            {"Key": key, "LastModified": self._written(bucket, key), "ETag": etag_of(content), "Size": len(content)}
            for (bucket, key), content in sorted(self.objects.items())
            if bucket == Bucket and key.startswith(Prefix) and key > StartAfter
            if not (Delimiter and Delimiter in key.removeprefix(Prefix))
        ]
        self.bill.add("s3_lists")
        yield {"Contents": found}

    def _written(self, bucket: str, key: str) -> datetime:
        return self.written.setdefault((bucket, key), self.now())

    def delete(self, bucket: str, key: str) -> None:
        """What somebody else deletes."""
        self.objects.pop((bucket, key), None)
        self.written.pop((bucket, key), None)


def _error(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@dataclass
class Executions(CountedStepFunctions):
    """Step Functions, which knows how each execution is. `statuses` are by ARN, `waiting` are tokens of tasks."""

    statuses: dict[str, str] = field(default_factory=dict)
    waiting: Mapping[str, object] = field(default_factory=dict)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:
        super().start_execution(stateMachineArn=stateMachineArn, name=name, input=input)
        self.statuses[arn_of(stateMachineArn, name)] = "RUNNING"

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:
        if executionArn not in self.statuses:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": self.statuses[executionArn]}

    def send_task_success(self, *, taskToken: str, output: str) -> None:
        if taskToken not in self.waiting or taskToken in self.woken:
            raise self.exceptions.TaskDoesNotExist
        super().send_task_success(taskToken=taskToken, output=output)


def arn_of(machine: str, name: str) -> str:
    """The ARN of an execution."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


@dataclass
class Letters:
    """The dead-letter queues: the bodies and the moments of the messages, by the queue's URL."""

    now: Callable[[], datetime]
    move_back: Callable[[str], None]
    queues: dict[str, dict[str, tuple[str, datetime]]] = field(default_factory=dict)
    sent: int = 0

    def send(self, url: str, body: str) -> None:
        """Put a message into a queue."""
        self.sent += 1
        self.queues.setdefault(url, {})[f"letter-{self.sent}"] = body, self.now()

    @property
    def left(self) -> int:
        """How many messages nobody has handled."""
        return sum(map(len, self.queues.values()))

    def receive_message(self, *, QueueUrl: str, VisibilityTimeout: int, **_: Any) -> dict[str, Any]:
        # A message that stays in the queue is received once in a sweep: the queue hides it, or the sweep wants ten.
        if self.received == QueueUrl:
            self.received = ""
            return {}
        self.received = QueueUrl
        found = self.queues.get(QueueUrl, {})
        return {
            "Messages": [
                {"Body": body, "ReceiptHandle": name, "Attributes": {"SentTimestamp": str(at.timestamp() * 1000)[:13]}}
                for name, (body, at) in found.items()
            ]
        }

    received: str = ""

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        self.queues[QueueUrl].pop(ReceiptHandle, None)

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"QueueArn": "arn:aws:sqs:eu-central-1:111122223333:unadmitted"}}

    def list_message_move_tasks(self, **_: Any) -> dict[str, Any]:
        return {"Results": []}

    def start_message_move_task(self, *, SourceArn: str, DestinationArn: str) -> None:
        letters = self.queues.pop(ENVIRONMENT["UNADMITTED_URL"], {})
        for body, _ in letters.values():
            self.move_back(body)


class Gate(threading.Event):
    """Where jobs wait until they may end; the main thread never does, in which a job of an early callback runs."""

    def wait(self, timeout: float | None = None) -> bool:
        return threading.current_thread() is threading.main_thread() or super().wait(timeout)


@dataclass(frozen=True)
class Arrived:
    """An object that arrived. `ends` are how its media object may end: "done", or the code that it failed with."""

    key: str
    etag: str
    ends: tuple[str, ...]


@dataclass
class World(Journey):
    """A customer with one provider, and what may happen to them.

    Jobs take `job_seconds`. `refuses_until` is the moment until which our webhooks refuse every callback, and `loses`
    tells which events get lost: "arrivals", "results". `arrived` is what must be processed, and each of it may be paid
    for once; `pays` changes that. `function` is the name of the function that runs.
    """

    slots: int | None = 2
    most_steps: int = 40_000
    job_seconds: float = 90
    refuses_until: float = 0
    loses: set[str] = field(default_factory=set)
    arrived: list[Arrived] = field(default_factory=list)
    pays: int = 0
    tampers: list[Callable[[str, bytes, Mapping[str, str]], None]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a row found wrong on the way."""
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What happens before the next call of a function, by its name."""

    def __post_init__(self) -> None:
        self.aws = Aws()
        self.door = threading.RLock()
        self.present: Due | None = None
        self.known_paid = 0
        self.closing = False
        self.of_execution: dict[str, Due] = {}
        self.adds_fields = False
        super().__post_init__()
        self.ears.may_hear = Gate()
        self.world.jobs.sleep = lambda seconds: None  # type: ignore[method-assign]
        self._watch_vendor()
        self.sweep()

    def close(self) -> None:
        self.closing = True
        self._finish_jobs()
        super().close()

    # --- what a row does

    def put(self, key: str = "talk.mp4", content: bytes = b"", *, announced: bool = True, ends: str = "done") -> None:
        """An object arrives now; `ends` has the codes that it may end with, with blanks between them."""
        content = content or mp4()
        # The row of a track has the ETag of the first playlist that came.
        etag = "" if key.endswith(".m3u8") else etag_of(content).strip('"')
        wanted = Arrived(key, etag, tuple(ends.split()))
        if (wanted.key, wanted.etag) not in {(known.key, known.etag) for known in self.arrived}:
            self.arrived.append(wanted)
            self.pays += 1
        self.arrive(key, content, announced=announced)

    def arrive(self, key: str, content: bytes, *, announced: bool = True) -> None:
        self.buckets.arrive(RECORDINGS, key, content)
        if self.cloud:
            self.cloud.put(key, content, RECORDINGS)
        if announced and "arrivals" not in self.loses:
            self.announce(key, content)

    def announce(self, key: str, content: bytes, *, sequencer: str = "0055") -> None:
        """The event of an object comes, by the queue."""
        described = {"key": key, "etag": etag_of(content).strip('"'), "size": len(content), "sequencer": sequencer}
        detail = {"bucket": {"name": RECORDINGS}, "object": described}
        self._queue(json.dumps({"time": utc_text(self.clock.now()), "source": "aws.s3", "detail": detail}))

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Have something done so many seconds from now."""
        self.at(self.clock.elapsed + seconds, lambda: (do(), None)[1])

    def before(self, function: str, do: Callable[[], None]) -> None:
        """Have something done once, just before a function is called."""
        self.hooks[function] = do

    def abort(self, machine: str = PROCESSING, *, leaves_event: bool = True) -> None:
        """Abort all running executions; without an event they vanish, as if their state machine had been deleted."""
        for arn, execution in list(self.of_execution.items()):
            if self.step_functions.statuses.get(arn) != "RUNNING" or ":process-recording:" not in arn:
                continue
            self.due = [due for due in self.due if due is not execution]
            for token in [token for token, due in self.waiting.items() if due is execution]:
                del self.waiting[token]
            if leaves_event:
                self._end(arn, "ABORTED", {})
            else:
                del self.step_functions.statuses[arn]

    def redeploy(self) -> None:
        """Executions that start from now on have another definition, and workers start anew with another version."""
        definition = deepcopy(dict(self.definition))
        definition["States"]["Await callback"]["TimeoutSeconds"] += 60
        self.definition = definition
        self.adds_fields = True

    def sweep(self) -> None:
        """The schedule calls the sweep; a fault of it is for the next one."""
        self.letters.received = ""
        try:
            sweep.handler({}, FakeContext(600_000))
        except (Exception, Crash):  # noqa: BLE001 - Lambda's
            return
        finally:
            self._begin_executions()

    def settle(self) -> None:
        """Go on until nothing changes any more, with sweeps after all the pauses that they look at."""
        self._schedule_sweeps()
        self.go()
        for _ in range(MOST_ROUNDS):
            before = self._fingerprint()
            for pause in PAUSES:
                self.clock.elapsed += pause
                self.sweep()
                self.go()
            if self._fingerprint() == before:
                return
        raise AssertionError(f"no rest after {MOST_ROUNDS} rounds of sweeps")

    def retry(self, **body: Any) -> None:
        """An operator retries every recording that has failed; `from` the media, each is paid for once more."""
        failed = [row for row in self.media_rows() if row.get("status") == "failed"]
        if body.get("from") == "media":
            self.pays += sum("submitted_at" in row for row in failed)
        for recording_id in sorted({row["recording_id"] for row in failed}):
            self.ask(retry_recording, recording_id, force=True, **body)

    def request(self, route: ModuleType, recording_id: str = "", **body: Any) -> Any:
        """A caller sends a request, and sends it again until it is answered.

        Raises:
            NoAnswer: twenty times there was no answer, or another one than 2xx.
        """
        for _ in range(20):
            try:
                return self.ask(route, recording_id, **body)
            except (Exception, Crash) as error:  # noqa: BLE001 - what the caller sees is "no answer", or 5xx
                last = error
                self._begin_executions()
                self.clock.elapsed += 5
        raise NoAnswer(f"{route.__name__}: {last}")

    # --- functions

    def _call_function(self, name: str, handler: Callable[..., Any], event: Any, context: Any) -> Any:
        short = name.rpartition(".")[2]
        if hook := self.hooks.pop(short, None):
            hook()
        before, own = getattr(self, "function", ""), super()._call_function
        try:
            with self.aws.called_by(short):
                return own(name, handler, event, context)
        finally:
            self.function = before
            if self.paid > self.known_paid:
                self.known_paid = self.paid
                self.later(self.job_seconds, self._finish_jobs)

    def _task(self, module: ModuleType, entry: Mapping[str, Any], state: State) -> Generator[None, None, State]:
        """Call the function of a state, with the state's own retries. A wait with jitter takes half of the longest."""
        execution = self.present
        assert execution
        delays = _delays(entry)
        while True:
            try:
                output: State = module.handler(self._as_now(state), FakeContext(60_000))
                return output
            except AssertionError:
                raise
            except (Exception, Crash) as error:
                delay = next(delays, None)
                if delay is None:
                    if isinstance(error, Crash):
                        raise FunctionStopped(str(error)) from error
                    raise
                execution.at = self.clock.elapsed + delay
            yield

    def _as_now(self, state: State) -> dict[str, Any]:
        """The state as another version of the functions left it: with a field that this one does not know."""
        return {**state, "of_another_version": 1} if self.adds_fields else dict(state)

    def deliver(self, module: ModuleType, event: Mapping[str, Any], *, failures: int = 0) -> None:
        """An event comes to a function; after its failures it comes again, and then lies with the dead letters."""
        try:
            module.handler(dict(event), FakeContext(30_000))
        except (Exception, Crash):  # noqa: BLE001 - Lambda's
            if failures < len(EVENT_RETRIES):
                self.later(EVENT_RETRIES[failures], partial(self.deliver, module, event, failures=failures + 1))
            else:
                self.letters.send(ENVIRONMENT["DEAD_LETTERS_URL"], json.dumps(event))
        finally:
            self._begin_executions()

    def _queue(self, body: str, *, received: int = 0) -> None:
        """A message of the queue of arrivals comes, and comes again if its object could not be admitted."""
        try:
            kept = admit_media.handler({"Records": [{"messageId": "1", "body": body}]}, FakeContext(60_000))
            failed = bool(kept["batchItemFailures"])
        except (Exception, Crash):  # noqa: BLE001 - Lambda's
            failed = True
        self._begin_executions()
        if failed and received + 1 < DELIVERIES:
            self.later(REDELIVERY_SECONDS, partial(self._queue, body, received=received + 1))
        elif failed:
            self.letters.send(ENVIRONMENT["UNADMITTED_URL"], body)

    # --- executions

    def _execution(self, state: State, definition: Mapping[str, Any], *others: Any) -> Due:
        execution = super()._execution(state, definition, *others)
        arn = str(state["execution"])
        self.of_execution[arn] = execution
        execution.steps = self._followed(execution, arn, definition, execution.steps)
        return execution

    def _followed(
        self, execution: Due, arn: str, definition: Mapping[str, Any], steps: Iterator[object]
    ) -> Iterator[object]:
        last, self.present = "", execution
        for name in steps:
            last = str(name) or last
            yield name
            self.present = execution
        failed = definition["States"][last]["Type"] == "Fail"
        self._end(arn, "FAILED" if failed else "SUCCEEDED", {"error": "RecordingFailed"} if failed else {})

    def _end(self, arn: str, status: str, detail: Mapping[str, str]) -> None:
        self.step_functions.statuses[arn] = status
        if status == "SUCCEEDED":
            return
        [(machine, name, text)] = [each for each in self.step_functions.started if arn_of(*each[:2]) == arn]
        described = {"name": name, "stateMachineArn": machine, "status": status, "input": text, **detail}
        self.later(1, partial(self.deliver, report_stopped_execution, {"source": "aws.states", "detail": described}))

    def _wait(self, execution: Due, seconds: int) -> None:
        execution.at = self.clock.elapsed + seconds

    def _await_own_callback(self, execution: Due, entry: Mapping[str, Any], state: State) -> Iterator[None]:
        return self._await_token("Await callback", execution, entry, state)

    def _write_token(self, name: str, entry: Mapping[str, Any], state: State) -> str:
        with self.aws.called_by(STATE_MACHINE):
            return super()._write_token(name, entry, state)

    def _schedule_sweeps(self) -> None:
        due = Due(self.clock.elapsed + SWEEP_SECONDS, iter(()), "")
        due.steps = self._sweeps(due)
        self.due.append(due)

    def _sweeps(self, due: Due) -> Iterator[str]:
        while len(self.due) > 1:
            self.sweep()
            due.at = self.clock.elapsed + SWEEP_SECONDS
            yield "swept"

    def _fingerprint(self) -> int:
        rows = {key: dict(item) for key, item in self.rows.items.items() if key[0] != "SWEEP"}
        return hash((repr(sorted(rows.items())), self.letters.left, len(self.step_functions.started)))

    # --- the vendor

    def _watch_vendor(self) -> None:
        """Let the calls that functions make to the vendor be calls that can be a function's last."""
        open_ = self.client.open

        def watched(*args: Any, **given: Any) -> Any:
            if not self.aws.function or threading.current_thread() is not threading.main_thread():
                return open_(*args, **given)
            return self.aws.call(f"{VENDOR}.{given.get('method', 'GET')}", open_, *args, **given)

        self.client.open = watched  # type: ignore[method-assign]

    def _finish_jobs(self) -> None:
        super()._finish_jobs()
        self._begin_executions()

    def _download(self, link: str, target: Path) -> None:
        """What the vendor downloads: when jobs end, so that each run is the same."""
        self.ears.may_hear.wait()
        parts = urlsplit(link)
        bucket, key = str(parts.hostname).removesuffix(".test"), parts.path.removeprefix("/")
        if parts.query.startswith(SIGNATURE) and (bucket, key) not in self.s3.objects:
            raise DownloadFailed("the link answered HTTP 404", 404)
        super()._download(link, target)

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """What the vendor sends. A job that is over at once sends it when jobs end, so that each run is the same."""
        if threading.current_thread() is not threading.main_thread():
            self.ears.may_hear.wait()
        if self.closing:
            return 410
        with self.door:
            return super()._send(method, url, body, headers)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self.clock.elapsed < self.refuses_until:
            return 429
        while self.tampers:
            self.tampers.pop()(path, body, headers)
        try:
            return super().post(path, body, headers)
        except AssertionError:
            raise
        except (Exception, Crash):  # noqa: BLE001 - API Gateway's
            return 502

    def _announce_reply(self, key: str) -> None:  # type: ignore[override]
        if "results" not in self.loses:
            self.deliver(receive_result_event, {"source": "aws.s3", "detail": {"object": {"key": key}}})

    def _announce(self, detail: Mapping[str, Any]) -> None:
        if "results" in self.loses or self.closing:
            return
        with self.door:
            self.deliver(receive_result_event, {"source": f"aws.{self.name}", "detail": detail})

    # --- the wiring

    def _wire(self) -> None:
        self.clock = SkewedClock(function=lambda: self.aws.function)
        self.world.clock = lambda: self.clock.now().timestamp()
        self.rows = self.table
        self.table = Watched(self.rows, "dynamodb", self.aws)
        self.store = MediaStore(self.table, self.clock.now, self.clock.sleep)
        super()._wire()
        self.letters = Letters(self.clock.now, lambda body: self.later(0, partial(self._queue, body)))
        self.buckets: FaultyBuckets = FaultyBuckets(self.bill, self.clock.now)
        self.s3 = self.buckets
        self.s3.cloud = self.cloud
        executions = Executions(self.bill, self.woken, waiting=self.waiting)
        self.step_functions = executions
        s3 = Watched(self.buckets, "s3", self.aws)
        states: Any = Watched(executions, "states", self.aws)
        sqs = Watched(self.letters, "sqs", self.aws)
        self.patch.setattr(clients, "sqs", lambda: sqs)
        rewire(
            self.patch,
            *FUNCTIONS,
            *OTHERS,
            table=self.table,
            media=self.store,
            recordings=self.store.recordings,
            sweeps=SweepStore(self.table, self.clock.now),
            retries=RetryStore(self.table, self.clock.now),
            s3=s3,
            step_functions=states,
            turns=self._turns(partial(clients.end_wait, states)),
        )
        for module in OTHERS:
            self.patch.setattr(module, "handler", partial(self._call_function, module.__name__, module.handler))
        self.patch.setattr(sweep, "utc_now", self.clock.now)

    def _fetch_secret(self, name: str) -> str:
        text: str = self.aws.call("secretsmanager.GetSecretValue", super()._fetch_secret, name)
        return text


def _delays(entry: Mapping[str, Any]) -> Iterator[float]:
    """Half of each wait between the attempts of a task, by the Retry of its definition that catches all errors."""
    retry = next((each for each in entry.get("Retry", ()) if "States.ALL" in each["ErrorEquals"]), None)
    for attempt in range(retry["MaxAttempts"] if retry else 0):
        assert retry
        yield min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"]) / 2
