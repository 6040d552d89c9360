"""A recording of a mix or a page that is over: what its recorders left in its folder, and what recovers it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from recording_insights.model.media_object import MediaObject
from recording_insights.model.moments import utc_text
from recording_insights.processing.prepare_media import prepare_media
from recording_insights.processing.progress import Progress
from recording_insights.store.keys import recording_key
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch
from recording_insights.watch.recover_recording import recover_recording
from tests.unit.fakes import FakeClock, not_waited
from tests.unit.processing.track_scene import (
    BEGAN,
    FOLDER,
    NO_CONVERSION,
    SID,
    FakeFolder,
    FakeRemux,
    R,
    playlist,
    stamp,
)

STEM = f"{SID}_all hands"
BUCKET = "recordings-bucket"
BEGAN_MS = int(BEGAN.timestamp() * 1000)


def named(recorder: int, rest: str, *, stem: str = STEM) -> str:
    """The name of a recorder's file."""
    return f"{f'bak{recorder - 1}_' if recorder else ''}{stem}{rest}"


def unix_ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


class Recovery:
    """The bucket, the rows of what came, and the executions that were begun."""

    def __init__(self, table: Any, clock: FakeClock) -> None:
        self.clock = clock
        self.store = RecordingStore(table, clock.now)
        self.media_store = MediaStore(table, clock.now, clock.sleep)
        self.folder = FakeFolder(clock)
        self.executions: dict[str, Any] = {}
        self.starts = 0
        self.watch = Watch(R, utc_text(clock.now()), utc_text(clock.now()), outcome="recover")
        ended = {"status": "stopping", "stopped_at": self.watch.since, "complete_at": self.watch.since}
        self._put({"created_at": self.watch.opened_at, "version": 1, "provider": "marsview", "sid": SID, **ended})

    def _put(self, values: Mapping[str, Any]) -> None:
        row = {**recording_key(R), "recording_id": R, "prefix": FOLDER, **values}
        self.store.table.put_item(Item=row)

    def channel(self, name: str) -> None:
        """The row knows the channel, as that of every recording that the API started."""
        key = recording_key(R)
        self.store.table.update_item(
            Key=key, UpdateExpression="SET channel = :name", ExpressionAttributeValues={":name": name}
        )

    def slices(
        self, count: int, *, recorder: int = 0, at: float = 0, pause: float = 0, written: Any = stamp, **of: Any
    ) -> list[str]:
        """So many slices of 15 s from second `at` on, a `pause` after the second, and the open playlist of them."""
        begin = [BEGAN + timedelta(seconds=at + 15 * n + (pause if n > 1 else 0)) for n in range(count)]
        names = [named(recorder, f"_{written(moment)}.ts", **of) for moment in begin]
        for name in names:
            self.folder.put(FOLDER + name)
        self.folder.put(FOLDER + named(recorder, ".m3u8", **of), playlist(names, closed=False))
        return names

    def mp4(self, number: int, seconds: float | None, *, recorder: int = 0, **of: Any) -> MediaObject:
        """An MP4 that came and was processed; None if nobody can tell how long it is."""
        key = FOLDER + named(recorder, f"_{number}.mp4", **of)
        self.folder.put(key)
        [stored] = self.folder.list(key)
        media = MediaObject(BUCKET, key, stored.etag, stored.size, self.clock.now())
        length = None if seconds is None else round(seconds * 1000)
        self.media_store.admit(R, media, providers=["marsview"], duration_ms=length)
        self.media_store.finish(R, media.media_id, "done")
        return media

    def recover(self) -> Watch:
        self.folder.gets = self.folder.lists = 0
        return recover_recording(
            self.watch,
            store=self.store,
            media_store=self.media_store,
            folder=self.folder,
            bucket=BUCKET,
            reader=self.folder.reader,
            checksum=lambda media: None,
            start_execution=self._start,
            end_wait=not_waited,
            late_minutes=60,
        )

    def prepare(self, remux: FakeRemux) -> Progress:
        """The one execution's look at its slices."""
        [state] = self.executions.values()
        return prepare_media(
            Progress.from_state(state),
            store=self.media_store,
            folder=self.folder,
            remux=remux,
            conversion=NO_CONVERSION,
            late_minutes=60,
            is_running=lambda arn: False,
            now=self.clock.now,
        )

    @property
    def recovered(self) -> Sequence[Mapping[str, Any]]:
        """The rows of what was recovered, in order."""
        found = self.store.find_with_media(R)
        assert found
        return sorted((row for row in found[1] if "recovered" in row), key=lambda row: int(row["part"]))

    @property
    def recording(self) -> Mapping[str, Any]:
        return self.media_store.recordings.get(R)

    def _start(self, *, name: str, state: str) -> bool:
        self.starts += 1
        self.executions.setdefault(name, json.loads(state))
        return True
