"""The copies that providers have of a recording: each job of each try, those given up included."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from recording_insights.errors import (
    CredentialsRefused,
    OutOfCredit,
    ProviderBusy,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
    SecretUnavailable,
    SecretUnusable,
)
from recording_insights.model.tries import earlier_jobs
from recording_insights.providers.port import Erases, Job, ProviderLoader
from recording_insights.store.rows import MediaRow, TryRow

WHY_KEPT = {
    "no_delete_call": "the provider's API has no call that deletes",
    "keeps_nothing": "by its own pages the provider keeps no copy of media or result",
    "no_id": "the response to the submission was lost, so the provider's id of the job is unknown",
    "refused": "the provider refused to delete the job",
    "away": "the provider did not answer, or did not accept the credentials, for three days",
    "not_configured": "the stack has no such provider any more",
}
"""Why a provider's copy was not deleted, by the code in the receipt."""
_AWAY = (
    *(ProviderBusy, ProviderUnavailable, CredentialsRefused, OutOfCredit),
    *(SecretUnusable, SecretUnavailable),
)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Copy:
    """What a provider has of one job. `name` is the same for the same job, and names no id of the vendor's."""

    provider: str
    residency: str | None
    job: Job

    @property
    def name(self) -> str:
        """The provider and a digest of the job."""
        digest = sha256(json.dumps(dict(self.job), sort_keys=True, default=str).encode()).hexdigest()
        return f"{self.provider}:{digest[:24]}"


def copies_of(media: Sequence[MediaRow], tries: Sequence[TryRow]) -> Iterator[Copy]:
    """Yield each job that a provider may have, once."""
    seen = set[str]()
    rows = [*media, *tries, *(earlier for each in media for earlier in earlier_jobs(each))]
    for row in rows:
        has_job = "job" in row or "submitted_at" in row or "unconfirmed" in row
        if "provider" not in row or not has_job:
            continue
        copy = Copy(row["provider"], row.get("residency"), row.get("job", {}))
        if copy.name not in seen:
            seen.add(copy.name)
            yield copy


def delete_copy(copy: Copy, provider_for: ProviderLoader) -> str | None:
    """Delete a provider's copy; return None if it is gone, or the code why it stays.

    `away` may pass. All others are final. Repeating this changes nothing.
    """
    try:
        provider = provider_for(copy.provider, copy.residency)
        if provider.capabilities.keeps_nothing:
            return "keeps_nothing"
        if not isinstance(provider, Erases):
            return "no_delete_call"
        return None if provider.delete(copy.job) else "no_id"
    except ProviderNotConfigured:
        return "not_configured"
    except _AWAY as fault:
        _logger.warning("a copy at %s could not be deleted: %s", copy.provider, type(fault).__name__)
        return "away"
    except ProviderRejected as fault:
        _logger.warning("%s refused to delete a copy: %s", copy.provider, type(fault).__name__)
        return "refused"
