"""State "Submit recording": submit the media object to its provider, or to the next one of the fail-over list."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil, inf
from typing import Unpack, cast

from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
    RecordingInsightsError,
    SecretUnavailable,
    SecretUnusable,
    SubmissionUnconfirmed,
)
from recording_insights.model.media_object import MediaObject
from recording_insights.model.reasons import NO_REASON, because, code_of_fault
from recording_insights.model.tries import confirmed_job
from recording_insights.processing.caps import Caps, Over
from recording_insights.processing.expected_end import expect_end, seconds_until_poll
from recording_insights.processing.fail_over import FailOver
from recording_insights.processing.job_name import JobName
from recording_insights.processing.progress import Progress
from recording_insights.processing.provider_choice import ProviderChoice
from recording_insights.processing.renewals import renew_link
from recording_insights.processing.take_over import take_over
from recording_insights.processing.turns import Turn, Turns
from recording_insights.providers.pacing import SHORTEST_WAIT, Estimate
from recording_insights.providers.port import (
    NO_CALLBACK,
    CallbackAddress,
    CallsBack,
    Delivery,
    Job,
    MediaStream,
    Provider,
    Submission,
)
from recording_insights.store.keys import provider_of_turns
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaChanges, MediaRow, RecordingRow

MOST_LOOKS = 1400
"""Whether the next provider has room. AWS ends an execution after 25,000 events, and a look is 14 of them.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""


@dataclass(frozen=True)
class SubmissionLinks:
    """Makes links, streams, callback addresses and deliveries for a provider, each in the call that uses it.

    `callback` and `delivery` follow from the provider and the name of the job.
    """

    link: Callable[[MediaObject], str]
    stream: Callable[[MediaObject], MediaStream]
    callback: Callable[[str, str], CallbackAddress]
    delivery: Callable[[str, str], Delivery]


@dataclass(frozen=True)
class Patience:
    """How long a media object waits for a provider.

    `give_up_hours` counts from its first turn, `queue_days` from its arrival. After `failover_minutes` the next
    provider takes over, if it has room.
    """

    give_up_hours: int
    queue_days: int
    failover_minutes: int

    @property
    def seconds_between_looks(self) -> float:
        """How long nobody looks again whether the next provider has room, unless a turn comes."""
        return max(self.failover_minutes * 60, self.queue_days * 86_400 / MOST_LOOKS)


def submit_recording(
    progress: Progress,
    *,
    store: MediaStore,
    providers: ProviderChoice,
    links: SubmissionLinks,
    turns: Turns,
    caps: Caps,
    patience: Patience,
    is_running: Callable[[str], bool],
    now: Callable[[], datetime],
) -> Progress:
    """Submit a media object when it has its turn. A job that an earlier try placed is found and not paid for again.

    What time or an operator can mend makes it wait: no slot, a provider that is busy or away, refused or missing
    credentials, no credit, a cap of the stack. What only the content explains ends it at once. Any other fault of AWS
    is raised, and the state machine retries. The next provider of the fail-over list takes over if this one refuses the
    credentials, is out of credit or cannot take the media object, or if it takes nothing for a while. A media object in
    a format that the provider does not take is prepared first.
    """
    is_due = progress.timed_out and progress.probes
    progress, row = take_over(progress.unpark(), store=store, is_running=is_running)
    if row is None:
        return progress
    recording = store.recordings.get(progress.recording_id)
    fail_over = FailOver(progress, store, row, providers.after(row, recording))
    waiting = _Waiting(progress, store, row, fail_over, turns, patience, now())
    try:
        provider = providers.load(row["provider"])
    except ProviderNotConfigured as error:
        return waiting.after_fault(error)
    if placed := _after_placed_job(progress, row, provider):
        return placed
    media = media_of(row)
    if refusal := providers.why_unfit(row["provider"], row, media, recording):
        return waiting.pass_on(refusal.reason, refusal.code)
    if providers.needs_conversion(row["provider"], row, media):
        return progress.restart("prepare")
    attempt = _Attempt(progress, store, row, provider, waiting, caps, providers.residency)
    if unsure := attempt.after_broken_try():
        return unsure
    if refusal := providers.why_outside(row):
        return waiting.pass_on(refusal.reason, refusal.code)
    if over := caps.why_over(row):
        return waiting.hold(over)
    turn = turns.take(row, is_due=is_due)
    if not turn.goes:
        return waiting.park(turn)
    return attempt.submit(_submission(row, media, recording, provider, providers, links), turn)


@dataclass(frozen=True)
class _Waiting:
    """What follows if the job cannot be placed now: a wait for a turn, another provider, or the end."""

    progress: Progress
    store: MediaStore
    row: MediaRow
    fail_over: FailOver
    turns: Turns
    patience: Patience
    now: datetime

    def after_fault(self, fault: RecordingInsightsError) -> Progress:
        """Wait after a fault of the provider, of its credentials or of the network; it has had its turn."""
        turn = self.turns.fail(self.row, fault, getattr(fault, "retry_after", None))
        had_its_turn = cast(MediaRow, {"first_turn_at": self.store.timestamp, **self.row})
        mine = turn._replace(code=code_of_fault(type(fault).__name__), reason=str(fault))
        return replace(self, row=had_its_turn).park(mine)

    def park(self, turn: Turn) -> Progress:
        """Wait for a turn, or pass the media object on if the patience is over."""
        following, until_next = self.fail_over.next_provider, self._seconds_until_next
        if self.is_over:
            return self.pass_on(self._not_accepted(turn.reason), self._code_of_the_end)
        if following is not None and until_next <= 0 and self.turns.has_room(following):
            within = f"not accepted within {self.patience.failover_minutes} minutes"
            return self.pass_on(f"{within}; last: {turn.reason}", self._code_of_the_end)
        left = [self._seconds_in_queue, self._seconds_of_turns]
        if following is not None:
            left.append(until_next if until_next > 0 else self.patience.seconds_between_looks)
        until_retry = inf if turn.retry_at is None else turn.retry_at - self.now.timestamp()
        why = because("submission", turn.code, turn.reason)
        changes = cast(MediaChanges, {"asking": None, "queue_place": turn.place, **why, **self.progress.counted})
        if "first_turn_at" in self.row:
            changes["first_turn_at"] = self.row["first_turn_at"]
        self.store.wait(self.row, **changes)
        seconds = max(ceil(min(*left, until_retry)), SHORTEST_WAIT)
        queue, probes = provider_of_turns(self.row["provider"]), until_retry <= min(left)
        return self.progress.park(seconds, queue=queue, place=turn.place, probes=probes)

    def hold(self, over: Over) -> Progress:
        """Wait for a cap, outside of the queue and without a slot; end as failed if the patience is over.

        No other provider takes over: the cap holds for all of them.
        """
        self.turns.give_back(self.row)
        if self.is_over:
            return self.progress.end("failed", self._not_accepted(over.reason), over.code)
        self.store.wait(self.row, queue_place=None, **because("submission", over.code, over.reason))
        left = min(self._seconds_in_queue, self._seconds_of_turns)
        # Without a job, the poll after this wait leads back to the submission.
        return self.progress.wait(max(ceil(min(left, over.seconds)), SHORTEST_WAIT))

    def pass_on(self, reason: str, code: str) -> Progress:
        """Give the turn back and let the next provider submit; without one, end as failed."""
        self.turns.give_back(self.row)
        return self.fail_over.pass_on(reason, code)

    def _not_accepted(self, last: str) -> str:
        within = f"{self.patience.queue_days} days of the arrival"
        if self._seconds_of_turns <= 0:
            within = f"{self.patience.give_up_hours} hours of the first turn"
        return f"not accepted within {within}; last: {last}"

    @property
    def _code_of_the_end(self) -> str:
        if "unconfirmed" in self.row or self.row.get("reason_code") == "submission_unconfirmed":
            return "submission_unconfirmed"
        return "not_accepted" if "first_turn_at" in self.row else "queued_too_long"

    @property
    def is_over(self) -> bool:
        """Whether the patience is over."""
        return min(self._seconds_in_queue, self._seconds_of_turns) <= 0

    @property
    def is_next_due(self) -> bool:
        """Whether the next provider, if there is one, may take over."""
        return self.fail_over.next_provider is not None and self._seconds_until_next <= 0

    @property
    def _seconds_waited(self) -> float:
        return self.progress.elapsed_seconds(self.row["waiting_since"], self.now)

    @property
    def _seconds_in_queue(self) -> float:
        return self.patience.queue_days * 86_400 - self._seconds_waited

    @property
    def _seconds_until_next(self) -> float:
        return self.patience.failover_minutes * 60 - self._seconds_waited

    @property
    def _seconds_of_turns(self) -> float:
        if "first_turn_at" not in self.row:
            return inf
        since = self.progress.elapsed_seconds(self.row["first_turn_at"], self.now)
        return self.patience.give_up_hours * 3600 - since


@dataclass(frozen=True)
class _Attempt:
    """One try to place the job.

    `residency` is where the provider's host is: it is on the row before the call, because the polls go there too.
    """

    progress: Progress
    store: MediaStore
    row: MediaRow
    provider: Provider
    waiting: _Waiting
    caps: Caps
    residency: str | None

    def after_broken_try(self) -> Progress | None:
        """Return what follows a try whose job may be placed already; None if there was no such try."""
        if confirmed_job(self.row) is not None:
            # The callback came after the wait for it. The poll notes the job.
            return self.progress.await_callback()
        if "asking" in self.row:
            # The try ended between the provider's response and the row: a second one could pay twice.
            return self._await_confirmation("a submission broke off before the provider's response was stored")
        if "unconfirmed" in self.row and (self.waiting.is_over or self.waiting.is_next_due):
            reason = f"not accepted in time; last: {self.row.get('reason')}"
            return self.waiting.pass_on(reason, "submission_unconfirmed")
        return None

    def submit(self, submission: Submission, turn: Turn) -> Progress:
        """Place the job with the provider, and return the next step of the loop."""
        if over := self.caps.count(self.row):
            return replace(self.waiting, row=self._with(turn.slot)).hold(over)
        # Before the paid call: nothing but the row's write may come between its response and the row.
        estimate = expect_end(self.row, self.provider.capabilities.pace, store=self.store)
        before: MediaChanges = {"asking": self.store.timestamp} if _calls_back(self.provider) else {}
        if self.residency != self.row.get("residency"):
            before["residency"] = self.residency
        if before:
            self._note(**before)
        try:
            job = self._place(submission)
        except MediaLinkExpired as error:
            return renew_link(self.progress, store=self.store, reason=str(error))
        except ProviderRejected as error:
            self.waiting.turns.give_back(self._with(turn.slot))
            return self.progress.end("failed", str(error), "provider_rejected")
        except SubmissionUnconfirmed as error:
            return self._unconfirmed(error)
        except (CredentialsRefused, OutOfCredit, SecretUnusable) as error:
            if self.waiting.fail_over.next_provider is None:
                return self.waiting.after_fault(error)
            return self.waiting.pass_on(str(error), code_of_fault(type(error).__name__))
        except (ProviderBusy, ProviderUnavailable, SecretUnavailable) as error:
            return self.waiting.after_fault(error)
        return self._accepted(job, estimate, turn)

    def _place(self, submission: Submission) -> Job:
        """Place the job. The caps do not count one that the provider has certainly not accepted."""
        try:
            return self.provider.submit(submission, self.row.get("job", {}), self._keep)
        except SubmissionUnconfirmed:
            raise
        except (ProviderError, SecretUnavailable, SecretUnusable):
            self.caps.take_back(self.row)
            raise

    def _with(self, slot: int | None) -> MediaRow:
        """The row, with the slot that this try has taken."""
        return self.row if slot is None else cast(MediaRow, {**self.row, "slot": slot})

    def _accepted(self, job: Job, estimate: Estimate, turn: Turn) -> Progress:
        progress = self.progress
        is_noted = self.store.submitted(
            progress.recording_id,
            progress.media_id,
            job=job,
            expected_seconds=round(estimate.seconds, 1),
            expected_spread=round(estimate.spread, 3),
            slot=turn.slot,
            queue_place=None,
            unconfirmed=None,
            asking=None,
            **NO_REASON,
            **progress.counted,
        )
        if not is_noted:
            self.waiting.turns.give_back(self._with(turn.slot))
            return progress.end("over", "it was cancelled while the provider accepted its job")
        self.waiting.turns.succeed(self.row, turn)
        if _calls_back(self.provider):
            return progress.await_callback()
        begun = progress.restart("running")
        return begun.wait(seconds_until_poll(begun, estimate, 0))

    def _unconfirmed(self, error: SubmissionUnconfirmed) -> Progress:
        """The provider may have the job: one that calls back is awaited, since a second submission could pay twice."""
        if not _calls_back(self.provider):
            return self.waiting.after_fault(error)
        self.waiting.turns.doubt(self.row, error)
        return self._await_confirmation(str(error))

    def _await_confirmation(self, reason: str) -> Progress:
        why = because("submission", "submission_unconfirmed", reason)
        first_turn_at = self.row.get("first_turn_at", self.store.timestamp)
        self.store.wait(
            self.row,
            unconfirmed=self.store.timestamp,
            first_turn_at=first_turn_at,
            queue_place=None,
            **why,
            **self.progress.counted,
        )
        return self.progress.await_callback()

    def _keep(self, job: Job) -> None:
        """Store the ids that the provider has given so far, before the next call that could fail."""
        recording_id, media_id = self.progress.recording_id, self.progress.media_id
        self._note(job=job)
        if "callback_key" in job:
            provider, key = self.row["provider"], str(job["callback_key"])
            self.store.jobs.name(recording_id, media_id, provider=provider, key=key)

    def _note(self, **changes: Unpack[MediaChanges]) -> None:
        self.store.note(self.progress.recording_id, self.progress.media_id, **changes)


def _after_placed_job(progress: Progress, row: MediaRow, provider: Provider) -> Progress | None:
    """Return what follows a job that is placed, or a reply that is kept; None if the job is to be placed."""
    if row["status"] != "submitted":
        return None
    if "reply" in row:
        return progress.end("succeeded")
    if _calls_back(provider):
        return progress.await_callback()
    return progress.restart("running").wait(SHORTEST_WAIT)


def _submission(
    row: MediaRow,
    media: MediaObject,
    recording: RecordingRow,
    provider: Provider,
    providers: ProviderChoice,
    links: SubmissionLinks,
) -> Submission:
    recording_id, name = row["recording_id"], row["provider"]
    job_name = str(JobName.of(row))
    options = providers.options_for(name, row, recording)
    return Submission(
        title=_title(options.get("title", "{recording_id}"), recording_id, media),
        name=job_name,
        media=media,
        options=options,
        make_link=lambda: links.link(media),
        open_media=lambda: links.stream(media),
        callback=links.callback(name, job_name) if isinstance(provider, CallsBack) else NO_CALLBACK,
        delivery=links.delivery(name, job_name),
    )


def _title(pattern: str, recording_id: str, media: MediaObject) -> str:
    """Fill in a title; a file's name is in it only if an operator wants it, because it holds the channel's name."""
    file_name = media.key.rpartition("/")[2]
    return pattern.replace("{recording_id}", recording_id).replace("{file_name}", file_name)[:200]


def media_of(row: MediaRow) -> MediaObject:
    """Return the media object that the provider gets; the file that was prepared from it, if there is one."""
    prepared = row.get("prepared")
    return MediaObject(
        bucket=row["bucket"],
        key=prepared["key"] if prepared else row["key"],
        etag=prepared["etag"] if prepared else row.get("copied_etag", row["etag"]),
        size=prepared["size"] if prepared else row["size"],
        created_at=datetime.fromisoformat(row["arrived_at"]),
    )


def _calls_back(provider: Provider) -> bool:
    return provider.capabilities.callback != "none"
