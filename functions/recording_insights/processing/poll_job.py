"""Poll job: ask the provider; when the job is through, keep its reply; otherwise decide how long to wait."""

from collections.abc import Callable
from datetime import datetime

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
    SecretUnusable,
)
from recording_insights.processing.progress import Progress
from recording_insights.processing.renewals import renew_link
from recording_insights.providers.pacing import next_try, next_wait
from recording_insights.providers.port import Provider
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow


def poll_job(
    progress: Progress,
    *,
    store: MediaStore,
    provider_for: Callable[[str], Provider],
    replies: ReplyStore,
    ceiling_minutes: int,
    now: Callable[[], datetime],
) -> Progress:
    """One poll. Once the provider has the job, only its own word or the ceiling ends the wait.

    A fault on the way (throttled, away, even unusable credentials, which an operator can mend) is noted on the row
    and waited out: the job is paid for.
    """
    recording_id, media_id = progress.recording_id, progress.media_id
    item = _confirmed(store.get(recording_id, media_id), store)
    if item["status"] != "submitted":
        return progress.end("submit")
    provider = provider_for(item["provider"])
    wish: int | None = None
    try:
        delivered = replies.read(item["delivery"]) if "delivery" in item else None
        state = provider.poll(item["job"], delivered)
        if state.phase == "succeeded":
            where = replies.keep(recording_id, media_id, provider.fetch(item["job"], delivered))
            store.note(recording_id, media_id, reply=where, missing=list(state.missing) or None, reason=None)
            return progress.end("succeeded")
        if state.phase == "failed":
            return progress.end("failed", state.reason or state.word)
        word, fault = state.word, None
    except MediaLinkExpired as error:
        return renew_link(progress, store=store, reason=str(error))
    except ProviderRejected as error:
        return progress.end("failed", str(error))
    except (ProviderBusy, ProviderUnavailable, CredentialsRefused, OutOfCredit, SecretUnusable) as error:
        word = fault = str(error)
        wish = getattr(error, "retry_after", None)

    elapsed = progress.elapsed_seconds(item["submitted_at"], now())
    if elapsed > ceiling_minutes * 60:
        return progress.end("failed", f"no result within {ceiling_minutes} minutes; last: {word}")
    duration_ms = item.get("duration_ms")
    seconds = next_wait(
        provider.capabilities.pace,
        attempt=progress.attempt,
        elapsed_seconds=elapsed,
        media_ms=None if duration_ms is None else int(duration_ms),
    )
    if fault:
        seconds = max(seconds, next_try(attempt=0, retry_after=wish))
    store.note(recording_id, media_id, last_word=word, reason=fault, polls=progress.attempt)
    return progress.wait(seconds)


def _confirmed(item: MediaRow, store: MediaStore) -> MediaRow:
    """A submission whose answer was lost is confirmed by its callback, which names the job; without, asked anew."""
    if item["status"] != "waiting" or "unconfirmed" not in item:
        return item
    recording_id, media_id = item["recording_id"], item["media_id"]
    if "callback_job" not in item:
        store.note(recording_id, media_id, asking=None)
        return item
    job = {**item.get("job", {}), **item["callback_job"]}
    store.submitted(recording_id, media_id, job=job, reason=None, unconfirmed=None, asking=None)
    return store.get(recording_id, media_id)
