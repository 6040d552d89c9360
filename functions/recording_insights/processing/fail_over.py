"""Fail-over: another provider takes a media object over from one that cannot take it."""

from dataclasses import dataclass

from recording_insights.processing.progress import Progress
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow


@dataclass(frozen=True)
class FailOver:
    """The end of one provider's work at a media object; `next_provider` takes over, if there is one."""

    progress: Progress
    store: MediaStore
    row: MediaRow
    next_provider: str | None

    def pass_on(self, reason: str) -> Progress:
        """Let the next provider submit; without one, end as failed with the reason of every provider that was tried."""
        if self.next_provider is None:
            return self.progress.end("failed", "; ".join(self._reasons(reason)))
        recording_id, media_id = self.progress.recording_id, self.progress.media_id
        self.store.give_up(recording_id, media_id, reason, provider=self.next_provider, renewals=None, unprepared=None)
        return self.progress.restart("submit")

    def _reasons(self, last: str) -> list[str]:
        present = self.row["provider"]
        # Renewed links of this provider are left out: each was followed by a new link.
        earlier = [
            f"{given_up['provider']}: {given_up['reason']}"
            for given_up in self.row.get("given_up", ())
            if given_up["provider"] != present
        ]
        return [*earlier, f"{present}: {last}"] if earlier else [last]
