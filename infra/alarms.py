"""The alarms of a stage: which metric each one watches, when it rings, and which section of the runbook it names.

An alarm watches one metric: no metric math, which could not be tested in the local cloud. The metrics are measures of
the functions, and those that AWS reports. The number of alarms grows with the providers of the stage, and with nothing
else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from infra.settings import StackSettings
from recording_insights.model.derived import BEDROCK
from recording_insights.processing.turns import LONGEST_PROBE_SECONDS
from recording_insights.providers.registry import PROVIDERS

RUNBOOK = "docs/operate.md"
DAY_MINUTES = 24 * 60
_OPEN_MARGIN_MINUTES = 4 * 60


class Section(StrEnum):
    """The sections of the runbook about alarms, by their headings."""

    OLDEST_OPEN = "The oldest open recording is too old"
    FAILURES = "Recordings fail"
    CREDENTIALS = "Credentials refused or no credit"
    PROVIDER_AWAY = "A provider is away"
    DEAD_LETTERS = "There are dead letters"
    UNDELIVERED = "Events for subscribers are dead letters"
    UNPUBLISHED = "Events do not reach the bus"
    SWEEP_FOUND = "The sweep found something"
    SWEEP_FAILED = "The sweep failed"
    ERASE_FAILING = "A deletion fails again and again"
    API_ERRORS = "The API answers 5xx"
    THROTTLES = "AWS throttles"
    WATCH_ENDED = "A watch ended abnormally"
    QUIET = "No recordings for a day"
    COST = "The cost is above the daily budget"

    @property
    def link(self) -> str:
        """The page and the anchor of the section, from the project's folder."""
        return f"{RUNBOOK}#{self.lower().replace(' ', '-')}"


Missing = Literal["notBreaching", "ignore"]


@dataclass(frozen=True)
class Alarm:
    """An alarm on one metric.

    It rings if the `statistic` of the metric in a period of so many `minutes` is at least the `threshold`, or above it
    if it is `exclusive`, in `needed` of the last `periods`. `meaning` is a sentence. Without data it is silent, or it
    stays as it is (`ignore`).
    """

    name: str
    section: Section
    meaning: str
    namespace: str
    metric: str
    threshold: float
    dimensions: dict[str, str] = field(default_factory=dict)
    statistic: str = "Sum"
    minutes: int = 5
    periods: int = 1
    needed: int = 1
    exclusive: bool = False
    missing: Missing = "notBreaching"

    @property
    def text(self) -> str:
        """What the one who is woken reads: what the alarm means, and where the runbook goes on."""
        return f"{self.meaning} See {self.section.link}"


@dataclass(frozen=True)
class Watched:
    """The names of what alarms watch: queues, functions, state machines, the API and the table."""

    unadmitted: str
    dead_letters: str
    undelivered: str
    unpublished: str
    publish: str
    sweep: str
    erase: str
    api_id: str
    workflow_arn: str
    watch_arn: str
    table: str
    underived: str | None = None


def namespace_of(settings: StackSettings) -> str:
    """The namespace of the stage's measures."""
    return f"RecordingInsights/{settings.stage}"


def alarms_of(settings: StackSettings, watched: Watched) -> list[Alarm]:
    """The alarms of a stage."""
    return [
        *_of_recordings(settings),
        *(alarm for taker in settings.takers for alarm in _of_provider(settings, taker)),
        *_of_lost_events(settings, watched),
        *_of_aws(watched),
    ]


def _of_sweeps(settings: StackSettings, alarm: Alarm, *, sweeps: int = 1) -> Alarm:
    """The alarm on a value that each sweep measures. A period has so many sweeps. Between two, its state stays."""
    minutes = min(max(sweeps * settings.sweep_minutes, 5), DAY_MINUTES)
    return replace(alarm, minutes=minutes, missing="ignore")


def _of_recordings(settings: StackSettings) -> Iterator[Alarm]:
    own = namespace_of(settings)
    oldest = {
        "starting": 60,
        "stopping": settings.late_files_minutes + 60,
        "processing": settings.poll_ceiling_minutes + _OPEN_MARGIN_MINUTES,
        # A provider is away, or pages of the erase fail.
        "erasing": 6 * 60,
    }
    for status, minutes in oldest.items():
        alarm = Alarm(
            f"oldest-open-{status}",
            Section.OLDEST_OPEN,
            f"A recording is still {status} after a wait of {minutes} minutes.",
            own,
            "OldestOpenSeconds",
            60 * minutes,
            {"status": status},
            statistic="Maximum",
        )
        yield _of_sweeps(settings, alarm)
    yield Alarm(
        "failures",
        Section.FAILURES,
        "A media object failed, and not by its content: a retry may help.",
        own,
        "Failures",
        1,
        {"cause": "service"},
    )
    meaning = "No recording began for a day, but one did on the same day a week ago."
    quiet = Alarm("no-recordings", Section.QUIET, meaning, own, "Quiet", 1, statistic="Maximum")
    yield _of_sweeps(settings, quiet)
    if settings.daily_budget is not None:
        yield Alarm(
            "daily-budget",
            Section.COST,
            f"The recordings of a day cost more than ${settings.daily_budget:g}.",
            own,
            "Cost",
            settings.daily_budget,
            minutes=DAY_MINUTES,
            exclusive=True,
        )


def _of_provider(settings: StackSettings, provider: str) -> Iterator[Alarm]:
    own, of_provider = namespace_of(settings), {"provider": provider}
    meanings = {
        "credentials_refused": f"{provider} refuses the credentials in its secret.",
        "secret_unusable": f"The secret of {provider} is missing or malformed.",
        "out_of_credit": f"The account at {provider} has no credit left.",
    }
    if provider == BEDROCK:
        meanings = {"insights_model_unusable": "The stack may not call the model, or there is none of its id here."}
    for code, meaning in meanings.items() if provider == BEDROCK or PROVIDERS[provider].secret_keys else ():
        yield Alarm(
            f"{code.replace('_', '-')}-{provider}",
            Section.CREDENTIALS,
            f"{meaning} All that goes there waits.",
            own,
            "Waited",
            1,
            {**of_provider, "code": code},
            # One media object tries the provider again, at least so often. As long as it is refused, the alarm stays.
            periods=LONGEST_PROBE_SECONDS // 300 + 1,
        )
    away = Alarm(
        f"provider-away-{provider}",
        Section.PROVIDER_AWAY,
        f"{provider} takes no jobs: two sweeps found it so. All that goes there waits, or goes to the next provider.",
        own,
        "ProviderClosed",
        1,
        of_provider,
        # A provider that is only busy takes a job in between.
        statistic="Minimum",
    )
    yield _of_sweeps(settings, away, sweeps=2)


def _of_lost_events(settings: StackSettings, watched: Watched) -> Iterator[Alarm]:
    letters, unsent = Section.DEAD_LETTERS, Section.UNDELIVERED
    queues = {
        "arrivals": (
            watched.unadmitted,
            letters,
            "An arrival could not be admitted, and its message is a dead letter.",
        ),
        "events": (watched.dead_letters, letters, "A function failed with an event, which is a dead letter."),
        "webhooks": (watched.undelivered, unsent, "An event for subscribers could not be worked on: a dead letter."),
    }
    if watched.underived:
        lost = "A transcript could not be handed to the model, and its message is a dead letter."
        queues["transcripts"] = (watched.underived, letters, lost)
    for name, (queue, section, meaning) in queues.items():
        yield Alarm(
            f"dead-letters-{name}",
            section,
            meaning,
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            1,
            {"QueueName": queue},
            statistic="Maximum",
        )
    yield Alarm(
        "dead-letters-changes",
        Section.UNPUBLISHED,
        "Events of a change were not published in many tries, and the change is a dead letter.",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        1,
        {"QueueName": watched.unpublished},
        statistic="Maximum",
    )
    yield Alarm(
        "changes-not-read",
        Section.UNPUBLISHED,
        "Changes are neither published nor put aside for a quarter of an hour: events wait, and after 12 h are put "
        "aside.",
        "AWS/Lambda",
        "Errors",
        1,
        {"FunctionName": watched.publish},
        periods=3,
        needed=3,
    )
    meaning = "The sweep made something good: before that, an event or a call was lost."
    found = Alarm("sweep-found", Section.SWEEP_FOUND, meaning, namespace_of(settings), "SweepFound", 1)
    yield _of_sweeps(settings, found)
    yield Alarm(
        "sweep-failed",
        Section.SWEEP_FAILED,
        "A sweep failed, so that nothing finds what nobody waits for.",
        "AWS/Lambda",
        "Errors",
        1,
        {"FunctionName": watched.sweep},
    )
    yield Alarm(
        "erase-failing",
        Section.ERASE_FAILING,
        "Pages of an erase or of the retention fail for three quarters of an hour: what should be deleted stays.",
        "AWS/Lambda",
        "Errors",
        1,
        {"FunctionName": watched.erase},
        # A page that failed comes again after its retries and ten minutes: each period has one.
        minutes=15,
        periods=3,
        needed=3,
    )


def _of_aws(watched: Watched) -> Iterator[Alarm]:
    yield Alarm(
        "api-5xx",
        Section.API_ERRORS,
        "The API or a webhook answered at least three requests in five minutes with a 5xx status.",
        "AWS/ApiGateway",
        "5xx",
        3,
        {"ApiId": watched.api_id},
    )
    throttles: tuple[tuple[str, str, str, dict[str, str]], ...] = (
        ("lambda", "AWS/Lambda", "Throttles", {}),
        ("states", "AWS/States", "ExecutionThrottled", {"StateMachineArn": watched.workflow_arn}),
        ("table-reads", "AWS/DynamoDB", "ReadThrottleEvents", {"TableName": watched.table}),
        ("table-writes", "AWS/DynamoDB", "WriteThrottleEvents", {"TableName": watched.table}),
    )
    for name, namespace, metric, dimensions in throttles:
        yield Alarm(
            f"throttles-{name}",
            Section.THROTTLES,
            f"AWS throttles for a quarter of an hour ({namespace} {metric}): the account or the table is at a limit.",
            namespace,
            metric,
            1,
            dimensions,
            periods=3,
            needed=3,
        )
    for ending in ("Failed", "TimedOut", "Aborted"):
        yield Alarm(
            f"watch-{ending.lower()}",
            Section.WATCH_ENDED,
            f"The watch of a recorder ended abnormally (Executions{ending}): its recording may stay open.",
            "AWS/States",
            f"Executions{ending}",
            1,
            {"StateMachineArn": watched.watch_arn},
        )
