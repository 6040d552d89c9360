"""Renewals: another job takes the place of one that failed for another reason than its media.

A provider's job belongs to the link that it was submitted with, and it ends once. So the job is given up and the media
object is submitted again, up to an upper bound for each reason.
"""

from typing import Unpack

from recording_insights.processing.progress import Progress
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaChanges

MOST_RENEWALS = 2
"""Upper bound on the new links of one media object."""
MOST_REPEATS = 1
"""Upper bound on the jobs that are submitted again after a fault of the provider. Each of them is paid for."""


def renew_link(progress: Progress, *, store: MediaStore, reason: str) -> Progress:
    """Submit again with a new link: the provider fetched the media after its link had expired."""
    renewals = store.get(progress.recording_id, progress.media_id).get("renewals", 0)
    if renewals >= MOST_RENEWALS:
        return progress.end("failed", f"{reason}, also with {MOST_RENEWALS} new links", "link_expired")
    return _submit_again(progress, store, reason, "link_expired", renewals=renewals + 1)


def repeat_job(progress: Progress, *, store: MediaStore, reason: str) -> Progress:
    """Submit again: the provider accepted the job and failed it by a fault of its own."""
    repeats = store.get(progress.recording_id, progress.media_id).get("repeats", 0)
    if repeats >= MOST_REPEATS:
        before = "it failed another job before, also by a fault of its own"
        return progress.end("failed", f"{reason}; {before}", "provider_fault")
    return _submit_again(progress, store, reason, "provider_fault", repeats=repeats + 1)


def _submit_again(
    progress: Progress, store: MediaStore, reason: str, code: str, /, **counts: Unpack[MediaChanges]
) -> Progress:
    changes: MediaChanges = {**counts, **progress.counted}
    store.give_up(progress.recording_id, progress.media_id, reason, code, **changes)
    return progress.restart("submit")
