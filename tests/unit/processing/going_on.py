"""A track that goes on after it was processed: its bucket, the events of its playlists, and the executions."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import ClientError

from recording_insights.hls.remux.remux import NoAudio, Prepared
from recording_insights.hls.timeline import PlacedSegment
from recording_insights.media.intake import admit_media
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.late_files import AWAIT_SECONDS
from recording_insights.processing.prepare_media import prepare_media
from recording_insights.processing.progress import Progress
from recording_insights.processing.report_failure import report_failure
from recording_insights.store.expressions import lost_the_race
from recording_insights.store.keys import media_key
from recording_insights.store.media import MediaStore
from tests.unit.fakes import FakeClock, turns_of
from tests.unit.processing.track_scene import (
    BEGAN,
    BY_HAND,
    FOLDER,
    KEY,
    NO_CONVERSION,
    STEM,
    FakeFolder,
    playlist,
    stamp,
)

IGNORED = {"ignored": "the track is being processed, or was processed before"}


def slice_at(seconds: float, *, prefix: str = "") -> str:
    """The name of a slice that begins so long after the track."""
    return f"{prefix}{STEM}_{stamp(BEGAN + timedelta(seconds=seconds))}.ts"


FIRST = [slice_at(0), slice_at(15)]
THEN = [slice_at(100), slice_at(115)]
AT_LAST = [slice_at(300)]
"""After each of them the uid has left for a while."""


class World:
    """What Agora writes is announced to the intake, and what that starts is run; a prepared file holds its pieces.

    `starts` counts the calls that start an execution, `files` the prepared files. `meanwhile` happens while an
    execution waits with a task token; `time_outs` counts the waits that no token ended.
    """

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, table: Any, clock: FakeClock, folder: FakeFolder | None = None) -> None:
        self.clock = clock
        self.store = MediaStore(table, clock.now, clock.sleep)
        self.folder = folder or FakeFolder(clock)
        self.executions: dict[str, Progress] = {}
        self.starts = 0
        self.files = 0
        self.is_silent = False
        self.tokens = 0
        self.woken: set[str] = set()
        self.end_wait: Callable[[str], None] = self.woken.add
        self.time_outs = 0

    def write(self, names: Sequence[str], *, closed: bool = True, key: str = KEY) -> None:
        """The playlist anew, and the slices that it names."""
        for name in names:
            if FOLDER + name not in self.folder.objects:
                self.folder.put(FOLDER + name)
        self.folder.put(key, playlist(names, closed=closed))

    def sounds(self, names: Sequence[str]) -> None:
        """The playlist anew, closed; now there is something to hear."""
        self.is_silent = False
        self.write(names)

    def announce(self, key: str = KEY) -> Any:
        detail = {"bucket": {"name": "recordings-bucket"}, "object": {"key": key, "etag": "any", "size": 9}}
        media = MediaObject.from_event({"time": self.clock.now().isoformat(), "detail": detail})
        return admit_media(
            media,
            store=self.store,
            default_provider="marsview",
            prefix_providers={},
            reader=lambda media: lambda first, last: b"",
            checksum=lambda media: None,
            folder=self.folder,
            start_execution=self._start,
            end_wait=self.end_wait,
        )

    def tell(self, names: Sequence[str], *, closed: bool = True, key: str = KEY) -> Any:
        """Written and announced."""
        self.write(names, closed=closed, key=key)
        return self.announce(key)

    def look(self, name: str) -> Progress:
        """The execution's next look at its track."""
        progress = prepare_media(
            self.executions[name],
            store=self.store,
            folder=self.folder,
            remux=self._remux,
            conversion=NO_CONVERSION,
            late_minutes=60,
            is_running=lambda arn: False,
            now=self.clock.now,
        )
        self.executions[name] = progress
        return progress

    def prepare(self, name: str) -> str:
        """Until the execution waits for files no more; how it goes on."""
        for _ in range(2000):
            progress = self.executions[name]
            if progress.outcome not in ("prepare", "running", "awaiting"):
                return progress.outcome
            progress = self.look(name)
            if progress.outcome == "awaiting":
                self._await_end(progress)
            else:
                self.clock.elapsed += progress.wait_seconds
        raise AssertionError("it waits for ever")

    def _await_end(self, progress: Progress) -> None:
        """What "Await end of track" does."""
        self.tokens += 1
        token = f"token-{self.tokens}"
        try:
            self.store.table.update_item(
                Key=media_key(progress.recording_id, progress.media_id),
                UpdateExpression="SET task_token = :token",
                ConditionExpression="attribute_exists(pk) AND attribute_not_exists(went_on)",
                ExpressionAttributeValues={":token": token},
            )
        except ClientError as error:
            assert lost_the_race(error)  # noqa: PT017 - any other fault is one of the test
            self.clock.elapsed += progress.wait_seconds
            return
        self.meanwhile()
        if token not in self.woken:
            self.time_outs += 1
            self.clock.elapsed += AWAIT_SECONDS

    def process(self, name: str, status: Literal["done", "failed"] = "done") -> None:
        """The execution, to its end."""
        outcome, progress = self.prepare(name), self.executions[name]
        if outcome == "submit":
            self.store.submitted(progress.recording_id, progress.media_id, job={}, provider="marsview")
            self.store.finish(progress.recording_id, progress.media_id, status, reason=None)
        elif outcome == "failed":
            report_failure(progress.to_state(), store=self.store, turns=turns_of(self.store))
        self.executions[name] = replace(progress, outcome="succeeded")

    def process_all(self) -> None:
        while waiting := [name for name, progress in self.executions.items() if progress.outcome != "succeeded"]:
            self.process(waiting[0])

    @property
    def names(self) -> list[str]:
        return list(self.executions)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The media objects, in the order in which they follow each other."""
        items: list[Any] = self.store.table.scan()["Items"]
        found = [item for item in items if item["sk"].startswith("MEDIA#")]
        return sorted(found, key=lambda item: int(item.get("continuation", 0)))

    @property
    def recording(self) -> Any:
        return self.store.recordings.get(BY_HAND)

    @property
    def heard(self) -> list[list[str]]:
        """What the prepared files hold, one after the other."""
        kept = [self.folder.kept[row["prepared"]["key"]] for row in self.rows if "prepared" in row]
        return [[piece["name"] for piece in json.loads(content)] for content in kept]

    def _start(self, *, name: str, state: str) -> bool:
        self.starts += 1
        self.executions.setdefault(name, Progress.from_state(json.loads(state)))
        return True

    def _remux(self, pieces: Sequence[PlacedSegment], read: Callable[[str], bytes | None], target: Path) -> Prepared:
        if self.is_silent:
            raise NoAudio("no sound")
        self.files += 1
        target.write_text(json.dumps([vars(piece) for piece in pieces]))
        length_ms = max(piece.at_ms + piece.length_ms for piece in pieces)
        return Prepared(length_ms, 0, [piece.name for piece in pieces if read(piece.name) is None])
