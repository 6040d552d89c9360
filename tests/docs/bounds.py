"""The most that each wait, retry and sweep can cost, from the definitions, the settings and the product's own policies.

Each bound is that of the worst case alone: every interval as short as it may be, every retry of a state used up. The
dollars are those of state transitions and calls. With the functions' time-outs, each call takes all its time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, product
from math import ceil
from typing import Any, NamedTuple

from infra import erase
from infra.arrival import DELIVERIES
from infra.events import TRIES
from infra.settings import StackSettings
from infra.subscriptions import MOST_RECEIVES
from infra.watch import FAULT_SECONDS
from recording_insights.media.executions import MOST_EXECUTIONS
from recording_insights.model.prices import AWS, CALL, TRANSITION
from recording_insights.notices.deliveries import WAITS
from recording_insights.processing.caps import JITTER, LOOK_SECONDS
from recording_insights.processing.late_files import AWAIT_SECONDS, LONGEST_SILENCE, seconds_until_next_check
from recording_insights.processing.renewals import MOST_RENEWALS, MOST_REPEATS
from recording_insights.processing.report_fault import seconds_waited
from recording_insights.processing.submit_recording import Patience
from recording_insights.processing.turns import pause_after
from recording_insights.providers.pacing import SPREADS, UNLEARNED_SPREAD, Estimate, next_wait
from recording_insights.providers.registry import PROVIDERS, capabilities_of
from recording_insights.recordings.request import MOST_HOURS
from recording_insights.retries.retry_page import MOST_PAGES
from recording_insights.watch.check_recording import GRACE_SECONDS, SILENCE_SECONDS

DAY, HOUR = 86_400, 3600
HISTORY = 25_000
"""Events of one execution, after which AWS ends it.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
EVENTS_OF_A_TRANSITION, EVENTS_OF_A_CALL = 2, 3
"""At least: a state is entered and left. A call is scheduled and begins, and then it ends."""
MEDIA_MINUTES = (None, *(length * scale for scale in (1, 60) for length in (1, 4, 16, 24)))
"""Lengths of media that polls are counted for."""

ANY = "any function"

Template = Mapping[str, Any]
Machine = Mapping[str, Any]


class _Attempts(NamedTuple):
    """What a state takes at most until it has failed. Each retry is a transition, and a call unless it is throttled."""

    transitions: int
    calls: int


@dataclass(frozen=True)
class Bound:
    """The most of one wait, retry or sweep: state transitions, and calls by function. It ends after `seconds`.

    `seconds` is None if it has no end of its own; the counts are then those of a day.
    """

    what: str
    ends: str
    seconds: float | None
    transitions: int = 0
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def dollars(self) -> float:
        """For transitions and calls."""
        return TRANSITION.of(self.transitions) + CALL.of(sum(self.calls.values()))

    def dollars_in_time_out(self, template: Template) -> float | None:
        """Return the dollars if each call takes its function's whole time-out; None if any function may be called."""
        if ANY in self.calls:
            return None
        gb_seconds = sum(calls * _gb_seconds(template, name) for name, calls in self.calls.items())
        return self.dollars + AWS["GB-second of a function on arm64"].of(gb_seconds)

    @property
    def days(self) -> float:
        """How many days it lasts, one at least."""
        return max((self.seconds or DAY) / DAY, 1)


def bounds_of_media(settings: StackSettings, machine: Machine, template: Template) -> Iterator[Bound]:
    """Yield the bounds for one try of a media object."""
    recorded = (MOST_HOURS + LONGEST_SILENCE.total_seconds() / HOUR) * HOUR
    checks = _checks(recorded, AWAIT_SECONDS)
    yield Bound("a track is recorded", "its end, or a day of silence", recorded, 3 * checks, {"prepare_media": checks})
    late, patience = settings.late_files_minutes * 60, _late_checks
    checks = patience(late, keeps_coming=False)
    yield Bound("files are late", "`lateFilesMinutes`", late, 3 * checks, {"prepare_media": checks})
    checks = patience(DAY, keeps_coming=True)
    yield Bound("late files keep coming", "the last file", None, 3 * checks, {"prepare_media": checks})
    queue = settings.queue_days * DAY
    give_ups = Patience(settings.give_up_hours, settings.queue_days, settings.failover_minutes)
    looks = _checks(queue, give_ups.seconds_between_looks)
    yield Bound("a queue without fail-over", "`queueDays`", queue, 3, {"submit_recording": 1})
    yield Bound("a queue, the next provider is full", "`queueDays`", queue, 3 * looks, {"submit_recording": looks})
    patience_seconds = settings.give_up_hours * HOUR
    tries = most_probes(patience_seconds)
    yield Bound("a provider takes nothing", "`giveUpHours`", patience_seconds, 3 * tries, {"submit_recording": tries})
    looks = _checks(queue, LOOK_SECONDS * (1 - JITTER))
    yield Bound("a cap is reached", "`queueDays`", queue, 5 * looks, {"poll_job": looks, "submit_recording": looks})
    polls = most_polls(settings.poll_ceiling_minutes)
    ceiling = settings.poll_ceiling_minutes * 60
    yield Bound("a job never ends", "`pollCeilingMinutes`", ceiling, 3 * polls, {"poll_job": polls})
    yield _faults(patience_seconds, machine)
    yield Bound(
        "whatever happens",
        f"{MOST_EXECUTIONS} executions",
        None,
        MOST_EXECUTIONS * HISTORY // EVENTS_OF_A_TRANSITION,
        {ANY: MOST_EXECUTIONS * HISTORY // EVENTS_OF_A_CALL},
    )
    yield _deliveries(template)
    yield _undelivered(template)
    yield _unpublished(template)


def bounds_of_recording(watch: Machine) -> Iterator[Bound]:
    """Yield the bounds for the watch of a recording."""
    longest = MOST_HOURS * HOUR + GRACE_SECONDS
    checks = _checks(longest, SILENCE_SECONDS)
    yield Bound("the watch, Agora does not answer", "`max_hours`", longest, 3 * checks, {"check_recording": checks})
    ends = watch["TimeoutSeconds"]
    rounds, attempts = _checks(ends, FAULT_SECONDS), _attempts(watch, "Check recording")
    yield _of_one_execution("the watch, AWS has a fault", "25,000 events", ends, "check_recording", rounds, attempts, 1)


def bound_of_erase(erases: Machine) -> Bound:
    """Return the bound for an erase whose pages fail. An execution that ends has a successor, so it has no end."""
    rounds, attempts = _checks(DAY, erase.FAULT_SECONDS), _attempts(erases, "Erase page")
    calls = {"erase_page": rounds * attempts.calls}
    return Bound("an erase, each page fails", "its cause is removed", None, rounds * (attempts.transitions + 1), calls)


def bound_of_delivery() -> Bound:
    """Return the bound for an event on its way to a subscriber: each try is a call, and others may crash."""
    return Bound("its subscriber fails", "eight tries", sum(WAITS) * 1.1, 0, {"deliver_notice": MOST_RECEIVES})


def bounds_of_stack(settings: StackSettings, template: Template, retries: Machine) -> Iterator[Bound]:
    """Yield the bounds for the stack, however many recordings there are."""
    policy = _one(template, "AWS::Scheduler::Schedule")["Target"]["RetryPolicy"]
    calls = 1440 // settings.sweep_minutes * (1 + policy["MaximumRetryAttempts"])
    yield Bound("the sweep", "never", None, 0, {"sweep": calls})
    ends, attempts = retries["TimeoutSeconds"], _attempts(retries, "Retry page")
    yield _of_one_execution("a retry of many, its pages", "25,000 events", ends, "retry_page", MOST_PAGES, attempts, 2)


def _of_one_execution(
    what: str, ends: str, seconds: float, function: str, rounds: int, attempts: _Attempts, others: int
) -> Bound:
    """Rounds of a task that is called so often in each, and of other states; the history ends them if nothing else."""
    transitions = min(rounds * (attempts.transitions + others), HISTORY // EVENTS_OF_A_TRANSITION)
    return Bound(
        what, ends, seconds, transitions, {function: min(rounds * attempts.calls, HISTORY // EVENTS_OF_A_CALL)}
    )


def jobs_of_media(settings: StackSettings) -> Iterator[tuple[str, int]]:
    """Yield why a provider may be paid for jobs of one try of a media object, and for how many at most."""
    yield "it accepts the job", 1
    yield "it fetched the media too late, with each link", MOST_RENEWALS
    yield "it failed the job by a fault of its own", MOST_REPEATS
    unconfirmed = most_unconfirmed(UNCONFIRMED[0], settings.give_up_hours, settings.callback_wait_seconds)
    yield "it accepts each job, and its responses and callbacks are all lost", unconfirmed


def most_polls(ceiling_minutes: int) -> int:
    """Return the most polls of a job that never ends, for every provider, length of media and what was learned."""
    ceiling = ceiling_minutes * 60
    spreads = (*SPREADS, UNLEARNED_SPREAD)
    paces = [capabilities_of(name).pace for name in PROVIDERS]
    usual = {
        pace.seconds_for(None if minutes is None else minutes * 60_000) for pace in paces for minutes in MEDIA_MINUTES
    }
    return max(_polls(Estimate(seconds, spread), ceiling) for seconds, spread in product(usual, spreads))


UNCONFIRMED = ("deepgram", "ringcentral", "seameet")
"""Providers that may have a job without saying so: they have no idempotency key, and no list in which it is found."""


def most_unconfirmed(provider: str, give_up_hours: int, callback_wait_seconds: int) -> int:
    """Return the most jobs of a provider that accepts each one, and whose responses and callbacks are all lost."""
    return give_up_hours * HOUR // callback_wait_seconds if provider in UNCONFIRMED else 1


def _polls(estimate: Estimate, ceiling: float) -> int:
    """Count the polls with the product's own policy, at the shortest intervals of its jitter."""
    elapsed, polls = 0.0, 1  # the first one comes at once after a callback that was lost
    while elapsed <= ceiling:
        elapsed += next_wait(estimate, elapsed_seconds=elapsed, place=0)
        polls += 1
    return polls


def _late_checks(seconds: float, *, keeps_coming: bool) -> int:
    """Count the checks of a track, with the product's own policy. If files keep coming, one has just come each time."""
    elapsed = 0.0
    for checks in count(1):
        quiet = 0 if keeps_coming else elapsed
        elapsed += seconds_until_next_check(quiet_seconds=quiet, waiting_seconds=elapsed)
        if elapsed > seconds:
            return checks + 1
    raise AssertionError


def most_probes(seconds: float) -> int:
    """Count the tries of one media object, alone in the queue, at a provider that takes nothing."""
    elapsed = 0.0
    for tries in count(1):
        elapsed += pause_after(tries)
        if elapsed > seconds:
            return tries + 1
    raise AssertionError


def _faults(seconds: float, machine: Machine) -> Bound:
    """A fault of AWS, or of ours, in the same state again and again, until patience or history are at their end."""
    rounds = next(number for number in count() if seconds_waited(number, int(seconds // HOUR)) >= seconds) + 1
    prepare, report = _attempts(machine, "Prepare media"), _attempts(machine, "Report fault")
    return Bound(
        "a fault of AWS or of ours",
        "`giveUpHours` of waits",
        seconds,
        min(rounds * (prepare.transitions + report.transitions + 3), HISTORY // EVENTS_OF_A_TRANSITION),
        {"prepare_media": rounds * prepare.calls, "report_fault": rounds * report.calls},
    )


def _deliveries(template: Template) -> Bound:
    """A message that cannot be admitted is delivered again and again, and the sweep brings it back."""
    queue = _queue_of(template, DELIVERIES)
    deliveries = DAY // queue["VisibilityTimeout"]
    return Bound("an object cannot be admitted", "its cause is mended", None, 0, {"admit_media": deliveries})


def _unpublished(template: Template) -> Bound:
    """A message of a change whose events cannot be published is delivered again and again."""
    seconds = TRIES * int(_queue_of(template, TRIES)["VisibilityTimeout"])
    return Bound("a change cannot be published", "a dead letter", seconds, 0, {"publish_changes": TRIES + 1})


def _queue_of(template: Template, deliveries: int) -> Mapping[str, Any]:
    """The queue whose messages are dead letters after so many deliveries."""
    queues = [each for each in _all(template, "AWS::SQS::Queue") if "RedrivePolicy" in each]
    [queue] = [each for each in queues if each["RedrivePolicy"]["maxReceiveCount"] == deliveries]
    return queue


def _undelivered(template: Template) -> Bound:
    """An event that EventBridge cannot deliver, and each call of whose function fails."""
    targets = [target for rule in _all(template, "AWS::Events::Rule") for target in rule.get("Targets", ())]
    policies = [target["RetryPolicy"] for target in targets if "RetryPolicy" in target]
    events = max(policy["MaximumRetryAttempts"] for policy in policies) + 1
    again = max(each["MaximumRetryAttempts"] for each in _all(template, "AWS::Lambda::EventInvokeConfig"))
    age = max(policy["MaximumEventAgeInSeconds"] for policy in policies)
    return Bound("an event cannot be handled", "a dead letter", age, 0, {"report_stopped_execution": events + again})


def row_of(bound: Bound, of: str, template: Template) -> list[str]:
    """Return the cells of a bound in the table of docs/cost.md."""
    in_time_out = bound.dollars_in_time_out(template)
    return [
        of,
        bound.what,
        bound.ends,
        _length(bound.seconds),
        f"{bound.transitions:,}",
        f"{sum(bound.calls.values()):,}",
        dollars(bound.dollars),
        dollars(bound.dollars / bound.days),
        "–" if in_time_out is None else dollars(in_time_out),
    ]


def dollars(amount: float) -> str:
    """Return an amount, rounded up: to cents, or below ten cents to a hundredth of a cent."""
    digits = 4 if amount < 0.1 else 2 if amount < 100 else 0
    return f"{ceil(round(amount * 10**digits, 6)) / 10**digits:,.{digits}f}"


def _length(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds / DAY:.0f} days" if seconds >= 2 * DAY else f"{seconds / HOUR:.0f} h"


def _checks(seconds: float, every: float) -> int:
    return int(seconds // every) + 1


def _attempts(machine: Machine, state: str) -> _Attempts:
    retries = {retry["ErrorEquals"][0]: retry["MaxAttempts"] for retry in machine["States"][state]["Retry"]}
    return _Attempts(1 + sum(retries.values()), 1 + retries["States.ALL"])


def _gb_seconds(template: Template, name: str) -> float:
    [function] = [f for f in _all(template, "AWS::Lambda::Function") if f["Handler"].endswith(f".{name}.handler")]
    return float(function["Timeout"]) * float(function["MemorySize"]) / 1024


def _all(template: Template, kind: str) -> Sequence[Mapping[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def _one(template: Template, kind: str) -> Mapping[str, Any]:
    [found] = _all(template, kind)
    return found
