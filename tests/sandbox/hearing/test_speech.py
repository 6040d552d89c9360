"""Real media through the real engine: nothing is canned."""

import contextlib
import math
import struct
from pathlib import Path
from typing import Any

import av
import pytest

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import cut_ts
from sandbox.stand_ins.hearing.pitch import pitch_of
from sandbox.stand_ins.hearing.speakers import label_speakers
from sandbox.stand_ins.hearing.speech import UndecodableMedia, Utterance, check_container, decode
from tests.sandbox.conftest import MarsviewCustomer, StandIns


def test_a_recording_becomes_its_words(recognising_stand_ins: StandIns, first_words: Path) -> None:
    marsview = MarsviewCustomer(recognising_stand_ins)
    txn_id = marsview.computed(first_words, automatic_punctuation=True)
    (line,) = marsview.metadata(txn_id)["transcript"]
    assert line["sentence"] == "Good morning thank you for calling the delivery office."
    assert 500 < line["startTime"] < 1500
    assert 3500 < line["endTime"] < 4500


def test_other_audio_other_words_in_another_container(recognising_stand_ins: StandIns, tmp_path: Path) -> None:
    media = tmp_path / "question.ts"
    media.write_bytes(cut_ts(SAMPLE, 20.8, 23.5).content)
    (said,) = recognising_stand_ins.runtime.engine.recognise(media)
    assert "the package come on monday" in said.text


def test_same_bytes_are_recognised_once(
    recognising_stand_ins: StandIns, first_words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    engine = recognising_stand_ins.runtime.engine

    def recognise_all(media: Path, scripted: bool) -> list[Utterance]:
        asked.append(media)
        return []

    monkeypatch.setattr(engine, "_recognise_all", recognise_all)
    assert engine.recognise(first_words) == engine.recognise(first_words)
    assert asked == [first_words]


def test_marsview_takes_its_own_formats_only(recognising_stand_ins: StandIns, tmp_path: Path) -> None:
    media = tmp_path / "slice.ts"
    media.write_bytes(cut_ts(SAMPLE, 0, 1).content)
    marsview = MarsviewCustomer(recognising_stand_ins)
    state = marsview.states(marsview.computed(media))["speech_to_text"]
    assert (state["status"], state["error"]["message"]) == ("error", "the format mpegts is not supported")


@pytest.mark.parametrize("content", [b"", b"this is no media" * 100])
def test_what_cannot_be_decoded(tmp_path: Path, content: bytes) -> None:
    media = tmp_path / "media"
    media.write_bytes(content)
    with pytest.raises(UndecodableMedia):
        list(decode(media))


@pytest.mark.parametrize("hertz", [90, 120, 180, 240])
def test_pitch_of_a_buzz(hertz: int) -> None:
    samples = [sum(8000 / k * math.sin(2 * math.pi * hertz * k * n / 16_000) for k in (1, 2, 3)) for n in range(8_000)]
    pitch = pitch_of(struct.pack(f"<{len(samples)}h", *map(int, samples)))
    assert pitch == pytest.approx(hertz, rel=0.06)


def test_silence_has_no_pitch() -> None:
    assert pitch_of(bytes(16_000)) is None


@pytest.mark.parametrize(
    ("pitches", "speakers", "told"),
    [
        ([170, 100, 102, 168, 99], None, ["1", "2", "2", "1", "2"]),
        ([100, 102, 104, 98], None, ["1", "1", "1", "1"]),
        ([100, None, 200, None], None, ["1", "1", "2", "2"]),
        ([100, 102, 200], 1, ["1", "1", "1"]),
        ([100, 104], 2, ["1", "2"]),
        ([100, 150, 220, 101, 221], 3, ["1", "2", "3", "1", "3"]),
        ([None, None], 2, ["1", "1"]),
        ([], None, []),
    ],
)
def test_voices_told_apart(pitches: list[float | None], speakers: int | None, told: list[str]) -> None:
    assert label_speakers(pitches, speakers) == told


@pytest.mark.parametrize(
    ("form", "codec", "formats"),
    [
        ("mov", "aac", {"mov"}),
        ("mp4", "aac", {"mp4", "m4a"}),
        ("ipod", "aac", {"mp4", "m4a"}),
        ("matroska", "aac", {"matroska"}),
        ("webm", "libopus", {"webm"}),
        ("ogg", "libopus", {"ogg"}),
    ],
)
def test_formats_that_vendors_tell_apart_are_told_apart(
    tmp_path: Path, form: str, codec: str, formats: set[str]
) -> None:
    media = tmp_path / "media"
    with av.open(str(media), "w", format=form) as file:
        stream: Any = file.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame(format="flt" if codec == "libopus" else "fltp", layout="mono", samples=1920)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)

    for other in {"mov", "mp4", "m4a", "matroska", "webm", "ogg"}:
        with contextlib.nullcontext() if other in formats else pytest.raises(UndecodableMedia, match="not supported"):
            check_container(media, {other})
