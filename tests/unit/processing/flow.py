"""The workflow's functions around one media object and a scripted provider."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import (
    MediaLinkExpired,
    ProviderNotConfigured,
    SecretUnavailable,
    SecretUnusable,
)
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.caps import Caps
from recording_insights.processing.poll_job import CALLS_SECONDS, poll_job
from recording_insights.processing.progress import Progress
from recording_insights.processing.provider_choice import ProviderChoice
from recording_insights.processing.save_insights import save_insights
from recording_insights.processing.submit_recording import Patience, SubmissionLinks, submit_recording
from recording_insights.processing.turns import Turns
from recording_insights.providers.port import CallbackAddress, Delivery, JobState
from recording_insights.providers.registry import PROVIDERS
from recording_insights.store.insights import InsightStore
from recording_insights.store.job_counts import JobCountStore
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import TryRow
from recording_insights.store.turns import TurnStore
from tests.unit.fakes import FakeClock, FakeProvider, FakeStream

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
JOB = {"transaction_id": "txn-1"}
RUNNING = JobState("running", "uploaded")
EXPIRED = MediaLinkExpired("Marsview came too late for the link (AIRDOW002)")
SECRET_FAULT = SecretUnusable("recording-insights/dev/marsview", "it does not exist")
SECRET_AWAY = SecretUnavailable("recording-insights/dev/marsview", "AccessDeniedException")
USUAL_FORMATS = {"mp4", "m4a", "mp3", "wav"}
LINK = "https://bucket/talk.mp4?X-Amz-Signature=5ec0de"


class Flow:
    """One admitted media object of a minute, a provider with a script, and the workflow's functions."""

    def __init__(self, store: MediaStore, replies: ReplyStore, clock: FakeClock, media: MediaObject) -> None:
        self.store = store
        self.replies = replies
        self.clock = clock
        self.media = media
        self.provider = FakeProvider()
        self.others: dict[str, FakeProvider] = {}
        self.formats: dict[str, set[str]] = {}
        self.running: set[str] = set()
        self.woken: list[str] = []
        self.limits: dict[str, int] = {}
        self.turns = Turns(TurnStore(store.table, clock.now), self.limits, 5 * 3600, self.woken.append)
        self.counts = JobCountStore(store.table, clock.now)
        self.loaded: list[tuple[str, str | None]] = []
        store.admit(R, media, providers=["marsview"], duration_ms=60_000)
        self.progress = Progress(R, media.media_id, media.key)

    def submit(self, progress: Progress | None = None, **defaults: Any) -> Progress:
        return submit_recording(
            progress or self.progress,
            store=self.store,
            providers=ProviderChoice(
                load=partial(self._provider_for, residency=defaults.get("residency")),
                formats=lambda name: self.formats.get(name, USUAL_FORMATS),
                checks=lambda name: PROVIDERS[name].options,
                options=defaults.get("options", {}),
                failover=defaults.get("failover", ()),
                residency=defaults.get("residency"),
            ),
            links=SubmissionLinks(
                link=lambda media: f"https://bucket/{media.key}?signed={len(self.provider.links)}",
                stream=lambda media: FakeStream(media.key.encode()),
                callback=lambda provider, name: CallbackAddress(f"https://api/webhooks/{provider}/{name}", "token"),
                delivery=lambda provider, name: Delivery("replies", f"deliveries/{provider}/{name}.json", lambda: LINK),
            ),
            turns=self.turns,
            caps=Caps(self.store.recordings, self.counts, **defaults.get("caps", {})),
            patience=defaults.get("patience", Patience(give_up_hours=72, queue_days=14, failover_minutes=15)),
            is_running=self.running.__contains__,
            now=self.clock.now,
        )

    def again(self, progress: Progress, **defaults: Any) -> Progress:
        """Submit once the wait of a parked media object is over, since nobody has woken it."""
        assert progress.outcome == "parked"
        self.clock.elapsed += progress.wait_seconds
        return self.submit(replace(progress, timed_out=True), **defaults)

    def poll(self, progress: Progress | None = None) -> Progress:
        return poll_job(
            progress or replace(self.progress, outcome="running", attempt=1),
            store=self.store,
            provider_for=self._provider_for,
            replies=self.replies,
            turns=self.turns,
            ceiling_minutes=240,
            now=self.clock.now,
            deadline=self.clock.deadline(CALLS_SECONDS),
        )

    def save(self, insight_store: InsightStore) -> dict[str, int]:
        return save_insights(
            self.progress,
            store=self.store,
            insight_store=insight_store,
            replies=self.replies,
            provider_for=self._provider_for,
        )

    def change_recording(self, **values: Any) -> None:
        """Write these attributes of the recording's row."""
        row: Any = {**self.store.recordings.get(R), **values}
        self.store.table.put_item(Item=row)

    @property
    def item(self) -> Mapping[str, Any]:
        return self.store.get(R, self.media.media_id)

    @property
    def tries(self) -> Sequence[TryRow]:
        """The earlier tries of the media object."""
        return self.store.tries.of(R, self.media.media_id)

    def _provider_for(self, name: str, residency: str | None = None) -> FakeProvider:
        self.loaded.append((name, residency))
        if name != "marsview" and name not in self.others:
            raise ProviderNotConfigured(f"there is no provider {name}")
        return self.provider if name == "marsview" else self.others[name]
