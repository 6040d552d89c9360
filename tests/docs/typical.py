"""A typical recording: what it costs in a month, and which quotas of AWS many of them need.

It is a mix of an hour in one MP4, whose provider calls back. The API starts and stops it, and a program reads it and
its insights once. What AWS counts for it is what `tests/conformance/test_counts.py` counts.
"""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from infra.alarms import Watched, alarms_of
from infra.settings import StackSettings
from recording_insights.measures import MEASURES
from recording_insights.model.prices import AWS, PROVIDERS
from recording_insights.model.reasons import REASONS
from recording_insights.sweep.state_measures import OPEN
from tests.conformance.counts import CHANGES_OF_A_RECORDING, EVENTS_OF_A_RECORDING, EXPECTED, Counts
from tests.conformance.test_counts import SEGMENT_SECONDS

HOUR, DAY = 3600, 86_400
ROUTES = (
    "`POST /recordings`",
    "`POST /recordings/{id}/stop`",
    "`GET /recordings/{id}`",
    "`GET /recordings/{id}/insights`",
)
KINDS = (*ROUTES, "watch of a recording of one hour", "MP4, callback")
RECORDING = Counts(*(sum(numbers) for numbers in zip(*(EXPECTED[kind] for kind in KINDS), strict=True)))
REQUESTS = len(ROUTES) + 1
"""The callback is one, too."""
FILES = 2 * HOUR // SEGMENT_SECONDS + 1
"""That Agora puts into the bucket: the segments, the playlist after each of them, and the MP4."""

# --- a month

MONTHS = (100, 10_000, 1_000_000)
GB_SECONDS = 1.0
"""Of a call: a second with 1 GB. Not measured on AWS."""
GB_SECONDS_OF_A_CHANGE = 0.05
"""Of the call that publishes the events of a change: a tenth of a second with 512 MB. Not measured on AWS."""
SECRETS = 4
"""Of Agora, of the uploader, of one provider, and the key of the webhooks."""
ALARMS = len(alarms_of(StackSettings(stage="dev", provider="deepgram"), Watched(*Watched.__dataclass_fields__)))
DASHBOARDS = 1
SWEEPS = 30 * DAY // (15 * 60)
GB_SECONDS_OF_A_SWEEP = 5.0
KB_OF_LOGS = {"call": 2.0, "transition": 1.0, "request": 0.5, "ignored object": 0.3}
"""Not measured on AWS. A segment or a playlist of a mix is an ignored object."""
STEPS, WEBHOOKS = 8, 3


def month(recordings: int) -> Iterator[tuple[str, float]]:
    """Yield what AWS charges for in a month with so many recordings, in dollars."""
    one = RECORDING
    time = AWS["GB-second of a function on arm64"]
    changes = recordings * CHANGES_OF_A_RECORDING
    calls = recordings * one.calls + changes + SWEEPS
    yield "Step Functions: transitions", AWS["state transition"].of(recordings * one.transitions)
    yield (
        "Lambda: calls and their time, the sweep included",
        AWS["call of a function"].of(calls)
        + time.of(recordings * one.calls * GB_SECONDS + SWEEPS * GB_SECONDS_OF_A_SWEEP)
        + time.of(changes * GB_SECONDS_OF_A_CHANGE),
    )
    reads = recordings * (one.gets + one.queries + 1)
    writes = recordings * one.units
    yield "DynamoDB: units", AWS["write unit of the table"].of(writes) + AWS["read unit of the table"].of(reads)
    yield (
        "S3: requests of the functions",
        AWS["PUT or LIST of S3"].of(recordings * (one.s3_puts + one.s3_lists))
        + AWS["GET or HEAD of S3"].of(recordings * one.s3_gets),
    )
    yield "S3: Agora's uploads", AWS["PUT or LIST of S3"].of(recordings * FILES)
    events = FILES + one.s3_puts + EVENTS_OF_A_RECORDING
    yield "EventBridge: events of S3 and of the stack", AWS["event of S3"].of(recordings * events)
    yield "API Gateway: requests", AWS["request of the HTTP API"].of(recordings * REQUESTS)
    yield (
        "Secrets Manager: secrets and reads",
        AWS["month of a secret"].of(SECRETS) + AWS["read of a secret"].of(recordings * one.secrets),
    )
    yield "CloudWatch: logs", AWS["GB of logs"].of(recordings * _kilobytes() / 1024**2)
    yield (
        "CloudWatch: alarms and a dashboard",
        AWS["month of an alarm"].of(ALARMS) + AWS["month of a dashboard"].of(DASHBOARDS),
    )
    yield "KMS: the key of the alarms", AWS["month of a key"].of(1)
    yield "CloudWatch: metrics without reason codes", AWS["month of a metric"].of(metrics(codes=0))
    yield (
        "CloudWatch: metrics of all reason codes",
        AWS["month of a metric"].of(metrics(codes=len(REASONS)) - metrics(codes=0)),
    )


def provider_month(provider: str, recordings: int) -> float:
    """Return what a provider charges for so many recordings of an hour, in dollars."""
    price = PROVIDERS[provider]
    assert price
    return price.of(recordings * HOUR)


def metrics(*, codes: int) -> int:
    """Return the number of metrics of a stack with one provider, if so many reason codes occur."""
    values = {"provider": 1, "code": codes, "cause": 3, "status": len(OPEN), "step": STEPS, "route": WEBHOOKS}
    return sum(_product(values[name] for name in measure.dimensions) for measure in MEASURES.values())


def _product(numbers: Iterator[int]) -> int:
    product = 1
    for number in numbers:
        product *= number
    return product


def _kilobytes() -> float:
    one, kb = RECORDING, KB_OF_LOGS
    written = one.calls * kb["call"] + one.transitions * kb["transition"] + REQUESTS * kb["request"]
    return written + (FILES - 1) * kb["ignored object"]


# --- many at once

DAYS = (1_000, 10_000, 100_000)
BUSY_HOUR, BUSY_SECONDS = 8, 300
"""An eighth of a day's recordings are in the busiest hour, and all of them begin and end in the same five minutes."""
OPEN_HOURS = 2.0
"""The watch of a recording runs until an hour after its last file. The execution of its MP4 takes minutes."""


class Quota(NamedTuple):
    """A quota of AWS with its default in a region that has the lowest one, and the need of one recording.

    `sure` is how sure the default is; docs/operate.md explains the words. The need is spread over the busy
    minutes, or, if it is `at_once`, that of each recording of the busiest hour.
    """

    service: str
    name: str
    default: int
    sure: str
    need: float
    at_once: bool = False


QUOTAS = (
    Quota("Lambda", "Concurrent executions", 1000, "high", RECORDING.calls * GB_SECONDS),
    Quota("Step Functions", "StateTransition throttle token refill rate", 500, "middle", RECORDING.transitions),
    Quota("Step Functions", "StartExecution throttle token refill rate", 150, "middle", 2),
    Quota("Step Functions", "SendTaskSuccess throttle token refill rate", 300, "middle", 1),
    Quota("Step Functions", "Open executions", 1_000_000, "high", OPEN_HOURS + 0.25, at_once=True),
    Quota("DynamoDB", "write units a second, new table", 4000, "low", RECORDING.units),
    Quota("DynamoDB", "read units a second, new table", 12_000, "low", RECORDING.gets + RECORDING.queries),
    Quota("API Gateway", "Throttle rate", 2500, "middle", REQUESTS),
    Quota("S3", "PUT requests a second and prefix", 3500, "low", FILES / HOUR, at_once=True),
    Quota("EventBridge", "Invocations throttle limit", 750, "high", FILES / HOUR, at_once=True),
    Quota("Secrets Manager", "rate of GetSecretValue", 10_000, "high", RECORDING.secrets),
    Quota("this stack", "`throttles`, each route", 50, "high", 1),
)


def capacity_row(quota: Quota) -> list[str]:
    """Return the cells of a quota: what so many recordings a day need, in bold if that is more than the default."""
    cells = []
    for day in DAYS:
        busiest = day / BUSY_HOUR
        need = ceil(busiest * quota.need / (1 if quota.at_once else BUSY_SECONDS))
        cells.append(f"**{need:,}**" if need > quota.default else f"{need:,}")
    return [quota.service, quota.name, f"{quota.default:,}", quota.sure, f"{round(quota.need, 2):g}", *cells]
