"""A job among crashes: a function that Lambda ends between any two writes, and the retry by the state machine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.model.insights import Insights, Topic, Utterance
from recording_insights.processing.callbacks import Callbacks
from recording_insights.processing.job_name import JobName
from recording_insights.providers.port import Callback, CallbackRequest, Job, JobState, Submission
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.crashing_table import CrashingTable, crashes_at_every_write
from tests.unit.fakes import FakeClock, FakeProvider, FakeS3, FakeStarter
from tests.unit.processing.flow import Flow, R
from tests.unit.processing.test_tracks_crashes import retried

FOUND = Insights(transcript=[Utterance("Guten Tag.")], summary="A greeting.", topics=[Topic("greeting")])


@dataclass
class Shop(FakeProvider):
    """A provider that charges for each job; one that knows its jobs by name charges once for a name."""

    knows_names: bool = False
    paid: int = 0

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        keep({"name": submission.name})
        if not self.knows_names or self.paid == 0:
            self.paid += 1
        return {"name": submission.name, "id": "job-1"}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        return JobState("succeeded", "completed")

    @staticmethod
    def read_callback(request: CallbackRequest) -> Callback:
        return Callback({"id": "job-1"})

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        return b"{}"


class Processing:
    """One media object from its submission to its insights; whatever crashes is called once more."""

    def __init__(self, table: CrashingTable, media: Any, callback: Any) -> None:
        clock = FakeClock()
        s3: Any = FakeS3()
        fake: Any = table
        self.store = MediaStore(fake, clock.now, clock.sleep)
        self.flow = Flow(self.store, ReplyStore(s3, "replies-bucket"), clock, media)
        self.shop = Shop(insights=FOUND, knows_names=callback == "none")
        self.shop.capabilities = replace(self.shop.capabilities, callback=callback)
        self.flow.provider = self.shop
        self.insights = InsightStore(fake)
        self.callbacks = Callbacks(self.store, self.flow.replies, lambda token: None, FakeStarter())

    def ends(self) -> dict[str, Any]:
        """All that is to be seen in the end."""
        progress = self.flow.progress
        while progress.outcome != "succeeded":
            assert progress.outcome in ("submit", "awaiting", "running"), progress.reason
            if progress.outcome == "submit":
                progress = retried(self.flow.submit, progress)
                continue
            if progress.outcome == "awaiting" and self.shop.paid:
                retried(self._called_back)
            progress = retried(self.flow.poll, progress)
        retried(self.flow.save, self.insights)
        collection = self.insights.read(R)
        recording = {name: value for name, value in collection.recording.items() if name != "version"}
        # A job that a callback confirms has no estimate, and its first turn was noted.
        apart = ("expected_seconds", "expected_spread", "first_turn_at")
        row = {name: value for name, value in self.flow.item.items() if name not in apart}
        return {"row": row, "recording": recording, "found": collection.insights, "paid": self.shop.paid}

    def _called_back(self) -> None:
        name = str(JobName(R, self.flow.media.media_id, 0))
        self.callbacks.receive_webhook("marsview", self.shop, CallbackRequest(b"{}", {}), name=name)


@pytest.mark.parametrize(("callback", "writes"), [("none", 7), ("optional", 9)])
def test_a_crash_at_any_write_and_the_retry_end_as_without(make_media: MakeMedia, callback: str, writes: int) -> None:
    expected = Processing(CrashingTable(), make_media(), callback).ends()
    assert (expected["row"]["status"], expected["paid"]) == ("done", 1)
    for table in crashes_at_every_write(at_least=writes):
        processing = Processing(table, make_media(), callback)
        table.arm()
        assert processing.ends() == expected, str(table)
