"""Renewed links: a provider that fetched the media after its link had expired gets a new job with a new link."""

from recording_insights.processing.progress import Progress
from recording_insights.store.media import MediaStore

MOST_RENEWALS = 2
"""Upper bound on the new links of one media object."""


def renew_link(progress: Progress, *, store: MediaStore, reason: str) -> Progress:
    """Give the job up and submit again with a new link, at most `MOST_RENEWALS` times.

    A provider's job belongs to the link it was submitted with.
    """
    row = store.get(progress.recording_id, progress.media_id)
    renewals = row.get("renewals", 0)
    if renewals >= MOST_RENEWALS:
        return progress.end("failed", f"{reason}, also with {MOST_RENEWALS} new links")
    store.give_up(progress.recording_id, progress.media_id, reason, renewals=renewals + 1)
    return progress.restart("submit")
