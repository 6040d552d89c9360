"""A recording whose media objects failed, and the routes' functions."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from recording_insights.model.media_object import MediaObject
from recording_insights.retries.request import RetryRequest
from recording_insights.retries.retry_recording import retry_recording
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock
from tests.unit.processing.flow import JOB, R

PROVIDERS = ("marsview", "deepgram")


class FakeExecutions:
    """`inputs` are the executions that were started, by name; those in `ended` run no more."""

    def __init__(self) -> None:
        self.inputs: dict[str, str] = {}
        self.ended: set[str] = set()
        self.answers: list[Exception] = []

    def start(self, *, name: str, state: str) -> bool:
        if self.answers:
            raise self.answers.pop(0)
        return self.inputs.setdefault(name, state) is state

    def is_running(self, name: str) -> bool:
        return name in self.inputs and name not in self.ended


class Scene:
    """Recordings by hand, each a folder of media objects of one recorder."""

    def __init__(self, store: MediaStore, clock: FakeClock, make_media: MakeMedia) -> None:
        self.store, self.clock, self.make_media = store, clock, make_media
        self.executions = FakeExecutions()

    def admit(self, key: str = "talk.mp4", *, recording_id: str = R, provider: str = "marsview") -> MediaRow:
        """A media object that waits, and whose execution was not started."""
        media: MediaObject = self.make_media(key)
        self.store.admit(recording_id, media, providers=[provider], duration_ms=60_000)
        return self.row(media.media_id, recording_id)

    def fail(
        self, key: str = "talk.mp4", code: str = "no_result", *, recording_id: str = R, submitted: bool = True
    ) -> MediaRow:
        """A media object that failed."""
        row = self.admit(key, recording_id=recording_id)
        if submitted:
            self.store.submitted(recording_id, row["media_id"], job=JOB)
        self.store.finish(recording_id, row["media_id"], "failed", reason="because", reason_code=code)
        return self.row(row["media_id"], recording_id)

    def end(self, key: str = "talk.mp4") -> MediaRow:
        """A media object that is done."""
        row = self.admit(key)
        self.store.submitted(R, row["media_id"], job=JOB)
        self.store.finish(R, row["media_id"], "done")
        return self.row(row["media_id"])

    def row(self, media_id: str, recording_id: str = R) -> MediaRow:
        return self.store.get(recording_id, media_id)

    def retry(
        self, body: Mapping[str, Any] | None = None, *, seconds: float = 27.0, **arguments: Any
    ) -> dict[str, Any]:
        """What the route answers, as a map."""
        request = RetryRequest.from_body(body or {}, providers=PROVIDERS)
        deadline = self.clock.deadline(seconds)
        return retry_recording(R, request, store=self.store, executions=self.executions, deadline=deadline, **arguments)


@pytest.fixture
def scene(media_store: MediaStore, clock: FakeClock, make_media: MakeMedia) -> Scene:
    return Scene(media_store, clock, make_media)


def changed(row: Mapping[str, Any], **changes: Any) -> MediaRow:
    return cast(MediaRow, {**row, **changes})
