import io
import random
import struct
import wave
import zipfile
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from recording_insights.errors import MediaObjectGone, NotMedia
from recording_insights.media.probe.duration import BLOCK, MOST_BYTES, media_duration_ms

SECONDS = 3
RATE = 16_000


@dataclass
class FakeObject:
    """An object of S3: `head` and `tail` with zeros between; `fault` is raised by the read number `fails_at`."""

    head: bytes
    tail: bytes = b""
    gap: int = 0
    fails_at: int = 0
    fault: Exception = field(default_factory=lambda: ConnectionError("reset by peer"))
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.head) + self.gap + len(self.tail)

    def read_range(self, first: int, last: int) -> bytes:
        self.reads.append((first, last))
        assert 0 <= first <= last < self.size, "S3 refuses a range outside of the object"
        if len(self.reads) == self.fails_at:
            raise self.fault
        end = last + 1
        before = self.head[first:end]
        tail_at = len(self.head) + self.gap
        after = self.tail[max(first - tail_at, 0) : max(end - tail_at, 0)]
        return before + bytes(end - first - len(before) - len(after)) + after

    def duration_ms(self) -> int | None:
        return media_duration_ms(self.read_range, self.size)


@pytest.fixture(scope="session")
def media_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Three seconds of silence in each format; `moov first` has its index in front, as for streaming."""
    folder = tmp_path_factory.mktemp("media")
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(2 * RATE * SECONDS))
    return {
        "wav": (folder / "a.wav").read_bytes(),
        "mp4": _encode(folder / "a.mp4", "aac"),
        "moov first": _encode(folder / "b.mp4", "aac", movflags="faststart"),
        "fragmented": _encode(folder / "c.mp4", "aac", movflags="frag_keyframe+empty_moov"),
        "m4a": _encode(folder / "a.m4a", "aac", format="ipod"),
        "mp3": _encode(folder / "a.mp3", "libmp3lame"),
    }


def _encode(path: Path, codec: str, *, format: str | None = None, **options: str) -> bytes:
    import av

    with av.open(str(path), "w", format=format, options=options) as container:
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        for second in range(SECONDS):
            frame = av.AudioFrame(format="s16", layout="mono", samples=RATE)
            frame.planes[0].update(bytes(2 * RATE))
            frame.sample_rate = RATE
            frame.pts = second * RATE
            frame.time_base = Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("name", ["wav", "mp4", "moov first", "m4a", "mp3"])
def test_the_length_is_read(media_files: dict[str, bytes], name: str) -> None:
    # Encoders pad to whole frames of 1024 or 1152 samples.
    assert FakeObject(media_files[name]).duration_ms() == pytest.approx(SECONDS * 1000, abs=250)


def test_the_index_of_a_plain_mp4_lies_at_its_end(media_files: dict[str, bytes]) -> None:
    assert media_files["mp4"].index(b"moov") > media_files["mp4"].index(b"mdat")
    assert media_files["moov first"].index(b"moov") < media_files["moov first"].index(b"mdat")


@pytest.mark.parametrize("name", ["mp4", "moov first"])
def test_a_file_of_gigabytes_costs_a_few_blocks(media_files: dict[str, bytes], name: str) -> None:
    big = _blown_up(media_files[name], gap=3 << 30)

    assert big.size > 3 << 30
    assert big.duration_ms() == pytest.approx(SECONDS * 1000, abs=250)
    assert len(big.reads) <= 6
    assert sum(last - first + 1 for first, last in big.reads) <= 6 * BLOCK


def _blown_up(mp4: bytes, *, gap: int) -> FakeObject:
    """The same file with a media data box of gigabytes, its size in the 64-bit form."""
    at = mp4.index(b"mdat") - 4
    size = struct.unpack(">I", mp4[at : at + 4])[0]
    head = mp4[:at] + struct.pack(">I4sQ", 1, b"mdat", size + gap + 8) + mp4[at + 8 : at + size]
    return FakeObject(head, tail=mp4[at + size :], gap=gap)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("talk.mp3", bytes(1000))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"only a note that somebody named talk.mp4", "text"),
        ("\ufeffЗаметки: ".encode() * 20_000, "text"),
        (b"x", "text"),
        (b"\n<!DOCTYPE html><title>404", "an HTML page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "an XML document"),
        (b'\xef\xbb\xbf {"message": "Not Found"}', "JSON"),
        (b"[1, 2]", "JSON"),
        (b"%PDF-1.7 \x00", "a PDF document"),
        (_zip(), "a ZIP archive"),
    ],
)
def test_something_else_under_a_media_name_is_not_media(head: bytes, reason: str) -> None:
    with pytest.raises(NotMedia, match=f"^the object is {reason}, not media$"):
        FakeObject(head).duration_ms()


@pytest.mark.parametrize("head", [bytes(5000), random.Random(1).randbytes(5000), b"{\x00\x01", b"RIFF\0\0\0\0WAVE"])
def test_what_is_not_recognised_may_be_media(head: bytes) -> None:
    assert FakeObject(head).duration_ms() is None


def test_an_mpeg_segment_under_a_media_name_may_be_media() -> None:
    assert FakeObject((b"\x47" + bytes(187)) * 20).duration_ms() is None


@pytest.mark.parametrize("last_box", [b"ftyp", b"mdat", b"moov", b"mvhd"])
def test_an_mp4_truncated_before_the_end_of_its_header_is_media_of_unknown_length(
    media_files: dict[str, bytes], last_box: bytes
) -> None:
    whole = media_files["mp4"]

    assert FakeObject(whole[: whole.index(last_box) + 10]).duration_ms() is None


def test_a_fragmented_mp4_tells_no_length(media_files: dict[str, bytes]) -> None:
    assert FakeObject(media_files["fragmented"]).duration_ms() is None


def test_a_box_that_lies_about_its_size_loads_no_gigabytes(media_files: dict[str, bytes]) -> None:
    mp4 = media_files["moov first"]
    at = mp4.index(b"mvhd") - 4
    liar = FakeObject(mp4[:at] + struct.pack(">I", 0x7FFFFFFF) + mp4[at + 4 :], gap=2 << 30)

    assert liar.duration_ms() is None
    assert sum(last - first + 1 for first, last in liar.reads) <= MOST_BYTES


def test_a_file_of_endless_boxes_is_given_up() -> None:
    front = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    box = struct.pack(">I4s", BLOCK, b"free") + bytes(BLOCK - 8)
    reads = []

    def read_range(first: int, last: int) -> bytes:
        reads.append(last + 1 - first)
        start = max(first - len(front), 0) % BLOCK
        return (front[first:] + (box * 3)[start:])[: last + 1 - first]

    assert media_duration_ms(read_range, 1 << 40) is None
    assert sum(reads) <= MOST_BYTES


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("name", ["mp4", "mp3", "wav"])
def test_a_fault_of_s3_stays_itself(media_files: dict[str, bytes], name: str, fails_at: int) -> None:
    fault = MediaObjectGone("the object is gone") if fails_at == 1 else TimeoutError("slow down")
    big = _blown_up(media_files["mp4"], gap=1 << 20) if name == "mp4" else FakeObject(media_files[name])
    big.fails_at, big.fault = fails_at, fault

    with pytest.raises(type(fault)) as raised:
        big.duration_ms()

    assert raised.value is fault
    assert len(big.reads) == fails_at, "parsing went on after the fault"


def test_reads_stay_inside_an_object_smaller_than_a_block() -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))

    assert FakeObject(buffer.getvalue()).duration_ms() == 100
