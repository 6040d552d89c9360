"""State "Submit recording": submit the media object to its provider, or to the next one of the fail-over list."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Unpack

from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
    SecretUnavailable,
    SecretUnusable,
    SubmissionUnconfirmed,
)
from recording_insights.model.media_object import MediaObject
from recording_insights.model.reasons import NO_REASON, because, code_of_fault
from recording_insights.processing.fail_over import FailOver
from recording_insights.processing.job_name import JobName
from recording_insights.processing.progress import Progress
from recording_insights.processing.provider_choice import ProviderChoice
from recording_insights.processing.renewals import renew_link
from recording_insights.processing.take_over import take_over
from recording_insights.providers.pacing import SHORTEST_WAIT, next_try, next_wait
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
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaChanges, MediaRow, RecordingRow


@dataclass(frozen=True)
class SubmissionLinks:
    """Makes links, streams, callback addresses and deliveries for a provider, each in the call that uses it.

    `callback` and `delivery` follow from the provider and the name of the job.
    """

    link: Callable[[MediaObject], str]
    stream: Callable[[MediaObject], MediaStream]
    callback: Callable[[str, str], CallbackAddress]
    delivery: Callable[[str, str], Delivery]


def submit_recording(
    progress: Progress,
    *,
    store: MediaStore,
    providers: ProviderChoice,
    links: SubmissionLinks,
    ceiling_minutes: int,
    failover_minutes: int,
    is_running: Callable[[str], bool],
    now: Callable[[], datetime],
) -> Progress:
    """Submit a media object once. A job that an earlier try placed is found on the row and not paid for again.

    If the provider is busy, or it or its secret is unavailable, the loop tries again until the ceiling. A fault that no
    repeat can mend ends the loop at once. Any other fault of AWS is raised, and the state machine retries. The next
    provider of the fail-over list takes over if this one refuses the credentials, is out of credit or cannot take the
    media object. The same happens if this one stays unavailable or busy for `failover_minutes`. A media object in a
    format that the provider does not take is prepared first.
    """
    progress, row = take_over(progress, store=store, is_running=is_running)
    if row is None:
        return progress
    try:
        provider = providers.load(row["provider"])
    except ProviderNotConfigured as error:
        return progress.end("failed", str(error), "provider_not_configured")
    if placed := _after_placed_job(progress, row, provider):
        return placed
    recording = store.recordings.get(progress.recording_id)
    media = media_of(row)
    fail_over = FailOver(progress, store, row, providers.after(row, recording))
    if refusal := providers.why_unfit(row["provider"], row, media, recording):
        return fail_over.pass_on(refusal.reason, refusal.code)
    if providers.needs_conversion(row["provider"], row, media):
        return progress.restart("prepare")
    attempt = _Attempt(
        progress,
        store,
        row,
        provider,
        fail_over,
        elapsed_seconds=progress.elapsed_seconds(row["waiting_since"], now()),
        patience_minutes=failover_minutes if fail_over.next_provider else ceiling_minutes,
        residency=providers.residency,
    )
    if unsure := attempt.after_broken_try():
        return unsure
    if refusal := providers.why_outside(row):
        return fail_over.pass_on(refusal.reason, refusal.code)
    return attempt.submit(_submission(row, media, recording, provider, providers, links))


@dataclass(frozen=True)
class _Attempt:
    """One try to place the job; `patience_minutes` is how long the provider may be busy or away.

    `residency` is where the provider's host is: it is on the row before the call, because the polls go there too.
    """

    progress: Progress
    store: MediaStore
    row: MediaRow
    provider: Provider
    fail_over: FailOver
    elapsed_seconds: float
    patience_minutes: int
    residency: str | None

    def after_broken_try(self) -> Progress | None:
        """Return what follows a try whose job may be placed already; None if there was no such try."""
        if "asking" in self.row:
            # The try ended between the provider's response and the row: a second one could pay twice.
            return self._await_confirmation("a submission broke off before the provider's response was stored")
        if self._provider_is_away and "unconfirmed" in self.row:
            return self._pass_on(self.row.get("reason"))
        return None

    def submit(self, submission: Submission) -> Progress:
        """Place the job with the provider, and return the next step of the loop."""
        before: MediaChanges = {"asking": self.store.timestamp} if _calls_back(self.provider) else {}
        if self.residency != self.row.get("residency"):
            before["residency"] = self.residency
        if before:
            self._note(**before)
        try:
            job = self.provider.submit(submission, self.row.get("job", {}), self._keep)
        except MediaLinkExpired as error:
            return renew_link(self.progress, store=self.store, reason=str(error))
        except ProviderRejected as error:
            return self.progress.end("failed", str(error), "provider_rejected")
        except (CredentialsRefused, OutOfCredit, SecretUnusable) as error:
            return self.fail_over.pass_on(str(error), code_of_fault(type(error).__name__))
        except SubmissionUnconfirmed as error:
            return self._unconfirmed(error)
        except (ProviderBusy, ProviderUnavailable, SecretUnavailable) as error:
            return self._try_again(error)
        return self._accepted(job)

    def _accepted(self, job: Job) -> Progress:
        progress = self.progress
        recording_id, media_id = progress.recording_id, progress.media_id
        self.store.submitted(recording_id, media_id, job=job, unconfirmed=None, asking=None, **NO_REASON)
        if _calls_back(self.provider):
            return progress.await_callback()
        pace, media_ms = self.provider.capabilities.pace, self.row.get("duration_ms")
        return progress.restart("running").wait(next_wait(pace, attempt=0, elapsed_seconds=0, media_ms=media_ms))

    def _unconfirmed(self, error: SubmissionUnconfirmed) -> Progress:
        """The provider may have the job: one that calls back is awaited, since a second submission could pay twice."""
        if not _calls_back(self.provider):
            return self._try_again(error)
        return self._await_confirmation(str(error))

    def _await_confirmation(self, reason: str) -> Progress:
        why = because("submission", "submission_unconfirmed", reason)
        self.store.wait(self.row, unconfirmed=self.store.timestamp, **why)
        return self.progress.await_callback()

    def _try_again(self, error: ProviderError | SecretUnavailable) -> Progress:
        why = because("submission", code_of_fault(type(error).__name__), str(error))
        self.store.wait(self.row, asking=None, **why)
        if self._provider_is_away:
            return self._pass_on(str(error), error)
        seconds = next_try(attempt=self.progress.attempt, retry_after=getattr(error, "retry_after", None))
        # The last try is due when the patience ends, even if the provider asks for a longer wait.
        left = max(ceil(60 * self.patience_minutes - self.elapsed_seconds), SHORTEST_WAIT)
        return self.progress.wait(min(seconds, left))

    @property
    def _provider_is_away(self) -> bool:
        return self.elapsed_seconds > 60 * self.patience_minutes

    def _pass_on(self, last: str | None, fault: Exception | None = None) -> Progress:
        may_be_placed = "unconfirmed" in self.row or isinstance(fault, SubmissionUnconfirmed)
        code = "submission_unconfirmed" if may_be_placed else "not_accepted"
        return self.fail_over.pass_on(f"not accepted within {self.patience_minutes} minutes; last: {last}", code)

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
