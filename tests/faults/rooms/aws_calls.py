"""Calls of AWS that fail: one after the other, once and for a minute, and services that are away as a whole."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from botocore.exceptions import ReadTimeoutError

from recording_insights.providers.registry import PROVIDERS
from tests.faults import scenes
from tests.faults.audit import Counts
from tests.faults.aws import STATE_MACHINE, VENDOR, Call, Fault, away, denied, throttled
from tests.faults.bench import JOB_SECONDS, Bench
from tests.faults.row import Exempt, Play, Room, Run
from tests.faults.world import HOUR, MINUTE, World
from tests.ways_of_waiting import representatives

ROOM = Room("AWS")
SENT_ONCE = Exempt(
    "SeaMeet sends a result once, to our webhook alone: what comes while the webhook cannot store it fails, and can be "
    "retried",
    Counts(wrong_status=3),
    ("seameet",),
)
CHANGES = frozenset(
    (
        *("dynamodb.PutItem", "dynamodb.UpdateItem", "dynamodb.DeleteItem", "dynamodb.TransactWriteItems"),
        *("s3.PutObject", "states.StartExecution", "states.SendTaskSuccess"),
        *("sqs.DeleteMessage", "sqs.StartMessageMoveTask"),
    )
)
"""The operations that have an effect."""
OF_ONE = "assemblyai"
"""The provider whose recordings and tracks are looked at: their functions know no provider."""


def calls_of(bench: Bench, provider: str) -> Iterator[tuple[str, Call]]:
    """Yield each call of each function, with the scene in which it is made."""
    for scene in scenes.SCENES:
        if scene in ("recording", "track") and provider != OF_ONE:
            continue
        if scene == "swept" and provider not in representatives():
            continue
        seen_before = frozenset(bench.calls(provider, "file")) if scene == "swept" else frozenset()
        for call in bench.calls(provider, scene):
            if call.function == "sweep" and scene != "swept":
                continue
            if call.function and call not in seen_before:
                yield scene, call


def each_call(
    bench: Bench, provider: str, damage: Callable[[World, Call], None], *, only: Callable[[Call], bool]
) -> Sequence[Run]:
    """Return a run for each call."""

    def play(scene: str, call: Call, world: World) -> None:
        world.job_seconds = JOB_SECONDS
        damage(world, call)
        scenes.SCENES[scene](world)

    calls = [(scene, call) for scene, call in calls_of(bench, provider) if only(call)]
    return [Run(f"{scene}: {call}", partial(play, scene, call)) for scene, call in calls]


def of_aws(call: Call) -> bool:
    """Whether AWS answers the call."""
    return call.service != VENDOR


@ROOM.rows_of(
    "throttled, call by call",
    "AWS throttles one call of one function, after the attempts of boto3",
    [
        "test_faults.py::test_a_passing_fault_of_aws_is_tried_again",
        "test_recording_watch.py::test_a_passing_fault_of_aws_is_tried_again_and_a_lasting_one_waited_out",
    ],
    exempt=[SENT_ONCE],
)
def throttle(bench: Bench, provider: str) -> Sequence[Run]:
    def damage(world: World, call: Call) -> None:
        world.aws.faults.append(Fault(call.__eq__, throttled, times=1))

    return each_call(bench, provider, damage, only=of_aws)


@ROOM.rows_of(
    "away for a minute, call by call",
    "for 60 seconds from a call on, the function does not reach the service for this operation",
    ["test_faults.py::test_a_lasting_fault_is_waited_out_until_it_is_mended"],
    exempt=[SENT_ONCE],
)
def outage(bench: Bench, provider: str) -> Sequence[Run]:
    def damage(world: World, call: Call) -> None:
        until: list[float] = []

        def hits(met: Call) -> bool:
            if met == call:
                until.append(world.clock.elapsed + MINUTE)
            same = met[:2] == call[:2]
            return same and bool(until) and world.clock.elapsed < until[0]

        world.aws.faults.append(Fault(hits, away))

    return each_call(bench, provider, damage, only=of_aws)


@ROOM.rows_of(
    "answer lost, call by call",
    "a write takes effect, and the function gets a time-out instead of the answer",
    ["test_faults.py::test_a_passing_fault_of_aws_is_tried_again"],
)
def lost_answer(bench: Bench, provider: str) -> Sequence[Run]:
    def timed_out(call: Call) -> Exception:
        return ReadTimeoutError(endpoint_url=f"https://{call.service}.test")

    def damage(world: World, call: Call) -> None:
        world.aws.faults.append(Fault(call.__eq__, timed_out, after=True, times=1))

    return each_call(bench, provider, damage, only=lambda call: call.operation in CHANGES)


@ROOM.rows_of(
    "functions throttled",
    "Lambda refuses to call a function, because too many run",
    ["test_faults.py::test_a_throttled_function_is_tried_again"],
    exempt=[SENT_ONCE],
)
def functions(bench: Bench, provider: str) -> Sequence[Run]:
    called = {(scene, call.function): None for scene, call in calls_of(bench, provider)}

    def play(scene: str, function: str, world: World) -> None:
        def refuse() -> None:
            raise TooManyRequestsException

        world.before(function, refuse)
        scenes.SCENES[scene](world)

    return [
        Run(f"{scene}: {name}", partial(play, scene, name))
        for scene, name in called
        if name not in (STATE_MACHINE, "start_recording", "stop_recording")
    ]


class TooManyRequestsException(Exception):
    """What a caller gets whom Lambda throttles."""


def service_away(service: str, seconds: float, error: Callable[[Call], BaseException]) -> Play:
    """A service does not work for a while, from the arrival of three files on."""

    def play(world: World) -> None:
        # A function that has read a secret uses it for five minutes.
        begun = world.clock.elapsed + (0 if service == "secretsmanager" else 30)
        hits = lambda call: call.service == service and begun <= world.clock.elapsed < begun + seconds  # noqa: E731
        world.aws.faults.append(Fault(hits, error))
        scenes.several(3, 60)(world)

    return play


def services_of(provider: str) -> list[str]:
    """The services that functions call for a provider; one of AWS has no secret."""
    secrets = ["secretsmanager"] if PROVIDERS[provider].secret_keys else []
    return ["dynamodb", "s3", "states", *secrets]


@ROOM.rows_of(
    "a service throttled for ten minutes",
    "the table, S3, Step Functions or Secrets Manager throttles all functions",
    ["test_faults.py::test_a_lasting_fault_is_waited_out_until_it_is_mended"],
    exempt=[SENT_ONCE],
)
def throttled_service(bench: Bench, provider: str) -> Sequence[Run]:
    return [Run(service, service_away(service, 10 * MINUTE, throttled)) for service in services_of(provider)]


@ROOM.rows_of(
    "a service away for an hour",
    "no function reaches the table, S3, Step Functions or Secrets Manager",
    [
        "test_faults.py::test_a_lasting_fault_is_waited_out_until_it_is_mended",
        "test_faults.py::test_a_fault_that_cannot_be_reported_is_waited_out_too",
    ],
    exempt=[SENT_ONCE],
)
def away_service(bench: Bench, provider: str) -> Sequence[Run]:
    return [Run(service, service_away(service, HOUR, away)) for service in services_of(provider)]


@ROOM.rows_of(
    "rights missing for a night",
    "for nine hours AWS denies all functions what they do with one service",
    ["test_faults.py::test_a_lasting_fault_is_waited_out_until_it_is_mended", "test_secrets.py::test_missing"],
    exempt=[SENT_ONCE],
    slow=True,
)
def denied_service(bench: Bench, provider: str) -> Sequence[Run]:
    return [Run(service, service_away(service, 9 * HOUR, denied)) for service in services_of(provider)]
