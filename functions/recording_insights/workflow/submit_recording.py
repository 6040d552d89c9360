"""Submit recording: presign the media object and hand it to the provider."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from recording_insights.errors import (
    CredentialsRefused,
    MediaLinkExpired,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
    SecretUnusable,
)
from recording_insights.media import MediaObject
from recording_insights.polling import SHORTEST_WAIT, next_try, next_wait
from recording_insights.providers.port import Capabilities, Job, Provider, Submission
from recording_insights.store.media import FINAL, MediaStore
from recording_insights.workflow.progress import Progress

MOST_RENEWALS = 2
"""New links for one media object after the provider came too late for the first."""


def submit_recording(
    progress: Progress,
    *,
    store: MediaStore,
    provider_for: Callable[[str], Provider],
    default_provider: str,
    default_options: Mapping[str, Any],
    make_link: Callable[[MediaObject], str],
    ceiling_minutes: int,
    now: Callable[[], datetime],
) -> Progress:
    """Submit once. A job that an earlier try has placed is found on the row and not bought again.

    A provider that is busy or away is tried again by the loop until the ceiling; nothing is lost meanwhile. What
    no repeat can mend (credentials, a refusal) ends the loop at once; a fault of AWS is raised and retried.
    """
    recording_id, media_id = progress.recording_id, progress.media_id
    item = store.get(recording_id, media_id)
    if item["status"] == "submitted":
        return progress.restart("running").wait(SHORTEST_WAIT)
    if item["status"] in FINAL:
        return progress.end("failed", f"the media object is {item['status']} already")
    recording = store.recording(recording_id)
    name = str(recording["provider"])
    provider = provider_for(name)
    media = _media_of(item)
    if refusal := why_refused(provider.capabilities, media, item.get("duration_ms")):
        return progress.end("failed", f"{name} cannot take this media object: {refusal}")

    def keep(job: Job) -> None:
        store.note(recording_id, media_id, job=job, provider=name)

    submission = Submission(
        title=f"{recording_id} {media.key.rpartition('/')[2]}"[:200],
        media=media,
        make_link=lambda: make_link(media),
        options={**(default_options if name == default_provider else {}), **_plain(recording.get("options", {}))},
    )
    try:
        job = provider.submit(submission, item.get("job", {}), keep)
    except MediaLinkExpired as error:
        return renew_link(progress, store=store, reason=str(error))
    except (CredentialsRefused, ProviderRejected, SecretUnusable) as error:
        return progress.end("failed", str(error))
    except (ProviderBusy, ProviderUnavailable) as error:
        left = ceiling_minutes * 60 - progress.elapsed_seconds(str(item["waiting_since"]), now())
        if left < 0:
            return progress.end("failed", f"not accepted within {ceiling_minutes} minutes; last: {error}")
        store.note(recording_id, media_id, reason=str(error))
        seconds = next_try(attempt=progress.attempt, wish=getattr(error, "retry_after", None))
        return progress.wait(min(seconds, max(round(left), SHORTEST_WAIT)))
    store.submitted(recording_id, media_id, job=job, provider=name, reason=None)
    return progress.restart("running").wait(
        next_wait(provider.capabilities.pace, attempt=0, elapsed_seconds=0, media_ms=_whole(item.get("duration_ms")))
    )


def renew_link(progress: Progress, *, store: MediaStore, reason: str) -> Progress:
    """Give the job up and submit anew with a new link, at most twice: a link belongs to its transaction."""
    item = store.get(progress.recording_id, progress.media_id)
    renewals = int(item.get("renewals", 0))
    if renewals >= MOST_RENEWALS:
        return progress.end("failed", f"{reason}, also with {MOST_RENEWALS} new links")
    store.note(
        progress.recording_id,
        progress.media_id,
        status="waiting",
        job=None,
        renewals=renewals + 1,
        waiting_since=store.timestamp,
        reason=reason,
        given_up_jobs=[*item.get("given_up_jobs", []), item.get("job", {})],
    )
    return progress.restart("submit")


def why_refused(capabilities: Capabilities, media: MediaObject, duration_ms: Any) -> str | None:
    """Which limit of the provider a media object exceeds; None if it can take it."""
    if media.format not in capabilities.formats:
        return f"it takes {', '.join(sorted(capabilities.formats))}, not {media.format}"
    if capabilities.max_bytes is not None and media.size > capabilities.max_bytes:
        return f"{media.size} bytes, it takes {capabilities.max_bytes}"
    minutes = None if duration_ms is None else int(duration_ms) / 60_000
    if capabilities.max_minutes is not None and minutes is not None and minutes > capabilities.max_minutes:
        return f"{minutes:.0f} minutes long, it takes {capabilities.max_minutes}"
    return None


def _media_of(item: Mapping[str, Any]) -> MediaObject:
    return MediaObject(
        bucket=str(item["bucket"]),
        key=str(item["key"]),
        etag=str(item["etag"]),
        size=int(item["size"]),
        created_at=datetime.fromisoformat(str(item["arrived_at"])),
    )


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """As they were given: the table has made Decimals of the numbers, which JSON does not take."""
    plain: dict[str, Any] = json.loads(json.dumps(options, default=int))
    return plain


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
