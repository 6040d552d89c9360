"""Fail-over: another provider takes a media object over from one that cannot take it."""

from dataclasses import dataclass

from recording_insights.model.tries import earlier_jobs, tried_providers
from recording_insights.processing.progress import Progress
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaChanges, MediaRow

_OF_NEXT_PROVIDER: MediaChanges = {"renewals": None, "unprepared": None, "options": None}
"""The attributes that are about the earlier provider only."""


@dataclass(frozen=True)
class FailOver:
    """The end of one provider's work at a media object; `next_provider` takes over, if there is one."""

    progress: Progress
    store: MediaStore
    row: MediaRow
    next_provider: str | None

    def pass_on(self, reason: str, code: str) -> Progress:
        """Let the next provider submit; without one, end as failed with the reason of every provider that was tried.

        The code is that of the last one.
        """
        if self.next_provider is None:
            return self.progress.end("failed", "; ".join(self._reasons(reason)), code)
        recording_id, media_id = self.progress.recording_id, self.progress.media_id
        changes: MediaChanges = {**_OF_NEXT_PROVIDER, "provider": self.next_provider, **self.progress.counted}
        self.store.give_up(recording_id, media_id, reason, code, **changes)
        return self.progress.restart("submit")

    def _reasons(self, last: str) -> list[str]:
        present = self.row["provider"]
        # Renewed links of this provider are left out: each was followed by a new link.
        if tried_providers(self.row) == [present]:
            return [last]
        tries = [*earlier_jobs(self.row), *self.store.tries.of(self.row["recording_id"], self.row["media_id"])]
        since_retry = [each for each in tries if each["provider"] in tried_providers(self.row)]
        reasons = {each["provider"]: each.get("reason", "") for each in since_retry if each["provider"] != present}
        return [*(f"{name}: {reason}" for name, reason in reasons.items()), f"{present}: {last}"]
