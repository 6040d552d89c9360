"""A file in a format that its provider does not take: submitted after it was converted, or failed with the reason."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from recording_insights.conversion.convert import CannotConvert, Converted
from recording_insights.conversion.ranged_file import RangedFile
from recording_insights.errors import MediaObjectGone
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.file_conversion import FileConversion
from recording_insights.processing.prepare_media import prepare_media
from recording_insights.processing.progress import Progress
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock, FakeProvider
from tests.unit.processing.flow import JOB, Flow, R
from tests.unit.processing.track_scene import FakeFolder

CONTENT = b"sound and pictures"
TOO_LONG = CannotConvert("it is 11.0 hours long; at most 10 hours of sound are encoded")


@dataclass
class FakeConvert:
    """Writes `made.<suffix>`, or raises; remembers the formats that it was asked for, and the status at that time."""

    flow: Flow
    suffix: str = "mp4"
    fails: Exception | None = None
    asked: list[Collection[str]] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, media: RangedFile, formats: Collection[str], folder: Path, **limits: Any) -> Converted:
        self.asked.append(set(formats))
        self.shown.append((self.flow.item["status"], self.flow.item["reason"]))
        assert media.read() == CONTENT
        assert limits["duration_ms"] in (60_000, 61_000)
        assert 800 < limits["seconds_left"]() < 850
        if self.fails:
            raise self.fails
        file = folder / f"made.{self.suffix}"
        file.write_bytes(b"sound")
        return Converted(file, 61_000, is_copied=False)


class Conversion:
    """One `.mkv` of a minute, and the two states on its way to the provider."""

    def __init__(self, store: MediaStore, replies: Any, clock: FakeClock, media: MediaObject) -> None:
        self.flow = Flow(store, replies, clock, media)
        self.convert = FakeConvert(self.flow)
        self.folder = FakeFolder(clock)
        self.reader: Callable[[MediaObject], Callable[[int, int], bytes]] = lambda media: lambda first, last: CONTENT

    def prepare(self, progress: Progress) -> Progress:
        assert progress.outcome == "prepare"
        conversion = FileConversion(
            self.folder,
            reader=self.reader,
            formats=lambda name: self.flow.formats.get(name, {"mp4", "mp3"}),
            convert=self.convert,
        )
        return prepare_media(
            progress,
            store=self.flow.store,
            folder=self.folder,
            remux=None,  # type: ignore[arg-type]
            conversion=conversion,
            late_minutes=60,
            is_running=lambda arn: False,
            now=self.flow.clock.now,
        )

    def run(self, **defaults: Any) -> Progress:
        """Submit and prepare until the outcome is another."""
        progress = self.flow.submit(**defaults)
        for _ in range(9):
            if progress.outcome == "prepare":
                progress = self.prepare(progress)
            elif progress.outcome == "submit":
                progress = self.flow.submit(progress, **defaults)
            else:
                return progress
        raise AssertionError("it goes on and on")


@pytest.fixture
def mkv(media_store: MediaStore, replies: Any, clock: FakeClock, make_media: MakeMedia) -> Conversion:
    scene = Conversion(media_store, replies, clock, make_media("talks/Talk.MKV", size=len(CONTENT)))
    scene.flow.others["deepgram"] = FakeProvider(submits=[JOB])
    return scene


def test_a_format_that_the_provider_takes_is_submitted_as_it_is(mkv: Conversion) -> None:
    mkv.flow.formats["marsview"] = {"mkv"}
    mkv.flow.provider.submits = [JOB]

    assert mkv.run().outcome == "running"
    assert mkv.flow.provider.submissions[0].media == mkv.flow.media
    assert not mkv.convert.asked


def test_another_format_is_converted_once_and_the_file_is_submitted(mkv: Conversion) -> None:
    mkv.flow.provider.submits = [ConnectionError(), JOB]

    with pytest.raises(ConnectionError):
        mkv.run()
    assert mkv.run().outcome == "running"

    key = f"prepared/{R}/file-{mkv.flow.media.media_id}.mp4"
    assert mkv.folder.kept == {key: b"sound"}
    assert mkv.convert.asked == [{"mp4", "mp3"}]
    assert mkv.convert.shown == [("preparing", "its sound is being converted to a format that marsview takes")]
    assert [(sent.media.key, sent.media.size) for sent in mkv.flow.provider.submissions] == [(key, 5)] * 2
    assert (mkv.flow.item["duration_ms"], mkv.flow.item["status"]) == (61_000, "submitted")
    assert "reason" not in mkv.flow.item


def test_a_file_that_was_replaced_is_not_offered_to_anybody(mkv: Conversion) -> None:
    mkv.convert.fails = MediaObjectGone("the object was replaced by another")

    progress = mkv.run(failover=["deepgram"])

    assert (progress.outcome, progress.reason_code) == ("failed", "media_gone")
    assert progress.reason == "the object was replaced by another"


def test_a_file_that_cannot_be_converted_fails_with_the_reason(mkv: Conversion) -> None:
    mkv.convert.fails = TOO_LONG

    progress = mkv.run()

    assert (progress.outcome, progress.reason_code) == ("failed", "format_not_taken")
    assert progress.reason == (
        f"marsview cannot take this media object: its format is mkv, not one of m4a, mp3, mp4, wav, "
        f"and it cannot be converted: {TOO_LONG}"
    )
    assert not mkv.flow.provider.submissions


def test_the_next_provider_gets_what_the_first_cannot_be_given(mkv: Conversion) -> None:
    mkv.convert.fails = TOO_LONG
    mkv.flow.formats["deepgram"] = {"mkv"}

    assert mkv.run(failover=["deepgram"]).outcome == "running"
    assert mkv.flow.others["deepgram"].submissions[0].media == mkv.flow.media
    assert "11.0 hours" in mkv.flow.tries[0]["reason"]


def test_a_provider_that_does_not_take_the_first_file_gets_another_one(mkv: Conversion) -> None:
    mkv.flow.formats.update(marsview={"ogg"}, deepgram={"mp3"})
    mkv.convert.suffix = "ogg"
    progress = mkv.prepare(mkv.flow.submit())
    mkv.flow.store.give_up(R, mkv.flow.media.media_id, "away", "not_accepted", provider="deepgram")
    mkv.convert.suffix = "mp3"

    assert mkv.prepare(mkv.flow.submit(progress)).outcome == "submit"
    assert mkv.flow.submit(progress).outcome == "running"
    assert mkv.flow.others["deepgram"].submissions[0].media.format == "mp3"


def test_a_length_that_the_provider_refuses_costs_no_conversion(mkv: Conversion) -> None:
    mkv.flow.provider.capabilities = replace(mkv.flow.provider.capabilities, max_minutes=0, max_bytes=1)

    assert "its length is 1 minutes" in mkv.run().reason
    assert not mkv.convert.asked


def test_a_fault_of_s3_is_raised_and_the_next_try_converts(mkv: Conversion) -> None:
    mkv.convert.fails = ConnectionError("reset by peer")
    mkv.flow.provider.submits = [JOB]

    with pytest.raises(ConnectionError):
        mkv.run()
    mkv.convert.fails = None

    assert mkv.flow.submit(mkv.prepare(mkv.flow.submit())).outcome == "running"
