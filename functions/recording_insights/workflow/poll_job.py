"""Poll job: ask the provider; when the job is through, keep its reply; otherwise decide how long to wait."""

from collections.abc import Callable
from datetime import datetime

from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
    SecretUnusable,
)
from recording_insights.polling import next_try, next_wait
from recording_insights.providers.port import Provider
from recording_insights.replies import ReplyStore
from recording_insights.store.media import MediaStore
from recording_insights.workflow.progress import Progress
from recording_insights.workflow.submit_recording import renew_link


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
    item = store.get(recording_id, media_id)
    if item["status"] != "submitted":
        return progress.end("submit")
    provider = provider_for(str(item["provider"]))
    wish: int | None = None
    try:
        state = provider.poll(item["job"])
        if state.phase == "succeeded":
            where = replies.keep(recording_id, media_id, provider.fetch(item["job"]))
            store.note(recording_id, media_id, reply=where, missing=list(state.missing) or None, reason=None)
            return progress.end("succeeded")
        if state.phase == "failed":
            return progress.end("failed", state.reason or state.word)
        word, fault = state.word, None
    except MediaLinkExpired as error:
        return renew_link(progress, store=store, reason=str(error))
    except ProviderRejected as error:
        return progress.end("failed", str(error))
    except (ProviderBusy, ProviderUnavailable, CredentialsRefused, SecretUnusable) as error:
        word = fault = str(error)
        wish = getattr(error, "retry_after", None)

    elapsed = progress.elapsed_seconds(str(item["submitted_at"]), now())
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
        seconds = max(seconds, next_try(attempt=0, wish=wish))
    store.note(recording_id, media_id, last_word=word, reason=fault, polls=progress.attempt)
    return progress.wait(seconds)
