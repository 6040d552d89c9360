"""A recording that was started, and the watch over it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recording_insights.agora.client import AgoraClient
from recording_insights.model.moments import utc_text
from recording_insights.recordings.start import start_recording
from recording_insights.store.keys import media_key
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow
from recording_insights.watch.check_recording import check_recording
from recording_insights.watch.progress import Watch
from recording_insights.watch.recover_recording import recover_recording
from tests.unit.agora.fake_agora import FakeAgora, client_of
from tests.unit.agora.fake_sts import FakeSts, uploader_of
from tests.unit.fakes import FakeClock, not_waited
from tests.unit.processing.track_scene import FakeFolder
from tests.unit.recordings.wanted import wanted

LATE = 60
"""Minutes in which files may come."""
HOUR = 3600


@dataclass
class Scene:
    """A recording and the watch over it; `looks` are the seconds at which it looked, from the start on.

    `folder` is what Agora has written, `executions` are what was begun for it,
    `woken` the task tokens that came back.
    """

    store: RecordingStore
    agora: AgoraClient
    clock: FakeClock
    watch: Watch
    looks: list[float] = field(default_factory=list)
    executions: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = FakeFolder(self.clock)

    @property
    def row(self) -> dict[str, Any]:
        return dict(self.store.find(self.watch.recording_id) or {})

    @property
    def media(self) -> list[MediaRow]:
        return self.store.media_rows(self.watch.recording_id)

    def turn(self, *, scaled: bool = False) -> Watch:
        """Wait and look; `scaled`, as where waits run faster than the clock."""
        if not scaled:
            self.clock.elapsed += self.watch.wait_seconds
        self.looks.append(self.clock.elapsed)
        self.watch = self._looked() if self.watch.outcome == "watching" else self.recover()
        if self.watch.outcome == "recover":
            self.watch = self.recover()
        return self.watch

    def recover(self) -> Watch:
        return recover_recording(
            Watch.from_state(self.watch.to_state()),
            store=self.store,
            media_store=MediaStore(self.store.table, self.clock.now),
            folder=self.folder,
            bucket="recordings-bucket",
            reader=self.folder.reader,
            checksum=lambda media: None,
            start_execution=self._start,
            end_wait=not_waited,
            late_minutes=LATE,
        )

    def _start(self, *, name: str, state: str) -> bool:
        self.executions.append(name)
        return True

    def _looked(self) -> Watch:
        return check_recording(
            Watch.from_state(self.watch.to_state()),
            store=self.store,
            media_store=MediaStore(self.store.table, self.clock.now),
            agora=self.agora,
            end_wait=self.woken.append,
            late_minutes=LATE,
            deadline=self.clock.deadline(50),
        )

    def run(self, until: Callable[[], bool] = lambda: False, turns: int = 400, *, scaled: bool = False) -> None:
        """Turn until the watch is over, or something is so."""
        for _ in range(turns):
            if self.watch.outcome == "over" or until():
                return
            self.turn(scaled=scaled)
        raise AssertionError(f"no end after {turns} turns: {self.watch}, {self.row}")

    def media_arrives(self, media_id: str = "m1", status: str = "done") -> None:
        recording_id = self.watch.recording_id
        item = {"media_id": media_id, "key": f"{media_id}.mp4", "etag": "1", "arrived_at": utc_text(self.clock.now())}
        self.store.table.put_item(Item={**media_key(recording_id, media_id), **item, "status": status})
        self.store.update(recording_id, {"status": status, "media": {media_id: {"key": "k", "status": status}}})


def watched(table: Any) -> tuple[Scene, FakeAgora]:
    """A recorder that Agora has just named, with a table of the caller's; its recording has always the same id."""
    clock, vendor = FakeClock(), FakeAgora()
    store = RecordingStore(table, clock.now)
    agora = client_of(vendor, uploader_of(FakeSts(clock.now)))
    started = start_recording(wanted(), store=store, agora=agora, deadline=clock.deadline(), idempotency_key="the-same")
    return Scene(store, agora, clock, Watch.begin(started.recording)), vendor


def until_due(scene: Scene) -> None:
    """Go on until the recorder's credentials will be an hour old at the next look."""
    scene.run(lambda: scene.clock.elapsed + scene.watch.wait_seconds >= HOUR)


def queries(vendor: FakeAgora) -> int:
    return vendor.names().count("query")


def renewals(vendor: FakeAgora) -> list[dict[str, Any]]:
    """What Agora was told in updates, as `clientRequest`."""
    return [body["clientRequest"] for call, body in vendor.calls if call == "update"]
