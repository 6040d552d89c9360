"""Submit recording: hand the media object to its provider, or to the next one of the fail-over list."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
    SecretUnusable,
    SubmissionUnconfirmed,
)
from recording_insights.model.media_object import MediaObject
from recording_insights.model.status import FINAL
from recording_insights.processing.callbacks import job_name
from recording_insights.processing.progress import Progress
from recording_insights.processing.provider_choice import ProviderChoice
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

MOST_RENEWALS = 2
"""New links for one media object after the provider came too late for the first."""


@dataclass(frozen=True)
class Handover:
    """What a provider is given beside the media object's name; each is made in the call that uses it.

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
    handover: Handover,
    ceiling_minutes: int,
    failover_minutes: int,
    now: Callable[[], datetime],
) -> Progress:
    """Submit once. A job that an earlier try has placed is found on the row and not bought again.

    A provider that is busy or away is tried again by the loop until the ceiling; nothing is lost meanwhile. What
    no repeat can mend ends the loop at once; a fault of AWS is raised and retried. Where the list has another
    provider, it takes over from one that refuses the credentials, is out of credit, cannot take the media object,
    or stays away for `failover_minutes`.
    """
    recording_id, media_id = progress.recording_id, progress.media_id
    item = store.get(recording_id, media_id)
    name = str(item["provider"])
    provider = providers.load(name)
    if item["status"] == "submitted":
        return progress.await_callback() if _calls_back(provider) else progress.restart("running").wait(SHORTEST_WAIT)
    if item["status"] in FINAL:
        return progress.end("failed", f"the media object is {item['status']} already")
    recording = _plain(store.recording(recording_id))
    media = _media_of(item)
    take_over = _TakeOver(progress, store, item, providers.after(item, recording))
    if reason := providers.why_unfit(name, item, media, recording):
        return take_over(reason)
    elapsed = progress.elapsed_seconds(str(item["waiting_since"]), now())
    limit = failover_minutes if take_over.next else ceiling_minutes
    is_away = elapsed > 60 * limit
    if "asking" in item:
        # A try broke off between the vendor's answer and the row: what it may have bought is not bought again.
        store.note(recording_id, media_id, unconfirmed=store.timestamp, reason="a submission broke off")
        return progress.await_callback()
    if is_away and "unconfirmed" in item:
        return take_over(f"not accepted within {limit} minutes; last: {item.get('reason')}")

    def keep(job: Job) -> None:
        store.note(recording_id, media_id, job=job)
        if "callback_key" in job:
            store.name_job(recording_id, media_id, provider=name, key=str(job["callback_key"]))

    job_id = job_name(recording_id, media_id, item)
    submission = Submission(
        title=f"{recording_id} {media.key.rpartition('/')[2]}"[:200],
        name=job_id,
        media=media,
        options=providers.options_for(name, recording),
        make_link=lambda: handover.link(media),
        open_media=lambda: handover.stream(media),
        callback=handover.callback(name, job_id) if isinstance(provider, CallsBack) else NO_CALLBACK,
        delivery=handover.delivery(name, job_id),
    )
    if _calls_back(provider):
        store.note(recording_id, media_id, asking=store.timestamp)
    try:
        job = provider.submit(submission, item.get("job", {}), keep)
    except MediaLinkExpired as error:
        return renew_link(progress, store=store, reason=str(error))
    except ProviderRejected as error:
        return progress.end("failed", str(error))
    except (CredentialsRefused, OutOfCredit, SecretUnusable) as error:
        return take_over(str(error))
    except (ProviderBusy, ProviderUnavailable) as error:
        if isinstance(error, SubmissionUnconfirmed) and _calls_back(provider):
            # It may have been bought: the callback will tell. To ask again at once would be to pay twice.
            store.note(recording_id, media_id, reason=str(error), unconfirmed=store.timestamp)
            return progress.await_callback()
        store.note(recording_id, media_id, reason=str(error), asking=None)
        if is_away:
            return take_over(f"not accepted within {limit} minutes; last: {error}")
        seconds = next_try(attempt=progress.attempt, retry_after=getattr(error, "retry_after", None))
        return progress.wait(min(seconds, max(round(60 * ceiling_minutes - elapsed), SHORTEST_WAIT)))
    store.submitted(recording_id, media_id, job=job, reason=None, unconfirmed=None, asking=None)
    if _calls_back(provider):
        return progress.await_callback()
    duration_ms = item.get("duration_ms")
    seconds = next_wait(
        provider.capabilities.pace,
        attempt=0,
        elapsed_seconds=0,
        media_ms=None if duration_ms is None else int(duration_ms),
    )
    return progress.restart("running").wait(seconds)


def renew_link(progress: Progress, *, store: MediaStore, reason: str) -> Progress:
    """Give the job up and submit anew with a new link, at most twice: a link belongs to its transaction."""
    renewals = int(store.get(progress.recording_id, progress.media_id).get("renewals", 0))
    if renewals >= MOST_RENEWALS:
        return progress.end("failed", f"{reason}, also with {MOST_RENEWALS} new links")
    store.give_up(progress.recording_id, progress.media_id, reason=reason, renewals=renewals + 1)
    return progress.restart("submit")


class _TakeOver:
    """Ends the work of the present provider: the next one of the list goes on, or nobody."""

    def __init__(self, progress: Progress, store: MediaStore, item: Mapping[str, Any], following: str | None) -> None:
        self._progress = progress
        self._store = store
        self._present = item["provider"]
        # Links that were renewed are no story: whoever follows was given a new one.
        self._before = [
            f"{given_up['provider']}: {given_up['reason']}"
            for given_up in item.get("given_up", ())
            if given_up["provider"] != self._present
        ]
        self.next = following

    def __call__(self, reason: str) -> Progress:
        if self.next is None:
            story = [*self._before, f"{self._present}: {reason}"] if self._before else [reason]
            return self._progress.end("failed", "; ".join(story))
        self._store.give_up(
            self._progress.recording_id, self._progress.media_id, reason=reason, provider=self.next, renewals=None
        )
        return self._progress.restart("submit")


def _calls_back(provider: Provider) -> bool:
    return provider.capabilities.callback != "none"


def _media_of(item: Mapping[str, Any]) -> MediaObject:
    """What the provider gets: of a track the file that was made of it."""
    file = {**item, **item.get("prepared", {})}
    return MediaObject(
        bucket=str(file["bucket"]),
        key=str(file["key"]),
        etag=str(file["etag"]),
        size=int(file["size"]),
        created_at=datetime.fromisoformat(str(item["arrived_at"])),
    )


def _plain(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Providers and options as they were given: the table made Decimals of the numbers, which JSON does not take."""
    given = {name: recording[name] for name in ("provider", "failover", "options") if name in recording}
    plain: dict[str, Any] = json.loads(
        json.dumps(given, default=lambda number: float(number) if number % 1 else int(number))
    )
    return plain
