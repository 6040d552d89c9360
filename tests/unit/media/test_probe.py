import io
import math
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
from recording_insights.media.probe.duration import media_duration_ms
from recording_insights.media.probe.ranged_object import BLOCK, MOST_BYTES

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
        try:
            return media_duration_ms(self.read_range, self.size)
        finally:
            assert len(self.reads) <= 8
            assert sum(last - first + 1 for first, last in self.reads) <= MOST_BYTES


@pytest.fixture(scope="session")
def media_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Three seconds in each format: a second of silence, and two of a tone.

    `moov first` has its index in front, as for streaming. `vbr` has no Xing header.
    """
    folder = tmp_path_factory.mktemp("media")
    half_a_second = "500000"
    quality = {"flags": "+qscale", "global_quality": "472"}
    return {
        "wav": _encode(folder / "a.wav", "pcm_s16le"),
        "mu-law": _encode(folder / "b.wav", "pcm_mulaw"),
        "adpcm": _encode(folder / "c.wav", "adpcm_ima_wav"),
        "rf64": _encode(folder / "d.wav", "pcm_s16le", rf64="always"),
        "aiff": _encode(folder / "a.aiff", "pcm_s16be"),
        "mp4": _encode(folder / "a.mp4", "aac"),
        "moov first": _encode(folder / "b.mp4", "aac", movflags="faststart"),
        "fragmented": _encode(
            folder / "c.mp4", "aac", movflags="frag_keyframe+empty_moov", frag_duration=half_a_second
        ),
        "samples, then fragments": _encode(
            folder / "d.mp4", "aac", movflags="frag_keyframe", frag_duration=half_a_second
        ),
        "index of all": _encode(
            folder / "e.mp4", "aac", movflags="dash+global_sidx+empty_moov", frag_duration=half_a_second
        ),
        "index of each": _encode(folder / "f.mp4", "aac", movflags="dash+empty_moov", frag_duration=half_a_second),
        "m4a": _encode(folder / "a.m4a", "aac", format="ipod"),
        "adts": _encode(folder / "a.aac", "aac", format="adts"),
        "mp3": _encode(folder / "a.mp3", "libmp3lame"),
        "cbr": _encode(folder / "b.mp3", "libmp3lame", write_xing="0", write_id3v2="0", id3v2_version="0"),
        "vbr": _encode(folder / "c.mp3", "libmp3lame", write_xing="0", id3v2_version="0", encoder=quality),
        "vbr with xing": _encode(folder / "d.mp3", "libmp3lame", id3v2_version="0", encoder=quality),
        "mp2": _encode(folder / "e.mp3", "mp2", format="mp2"),
        "opus": _encode(folder / "a.opus", "libopus", rate=48_000),
        "ogg flac": _encode(folder / "a.ogg", "flac"),
        "flac": _encode(folder / "a.flac", "flac"),
        "wma": _encode(folder / "a.wma", "wmav2", rate=44_100, format="asf", encoder={"b": "64000"}),
        "webm": _encode(folder / "a.webm", "libopus", rate=48_000),
        "mkv": _encode(folder / "a.mkv", "libopus", rate=48_000, format="matroska"),
        "webm of a browser": _encode(folder / "b.webm", "libopus", rate=48_000, live="1"),
        "mov": _encode(folder / "a.mov", "aac", format="mov"),
        "mpeg-ts": _encode(folder / "a.ts", "libmp3lame", format="mpegts"),
    }


def _encode(
    path: Path,
    codec: str,
    *,
    rate: int = RATE,
    format: str | None = None,
    encoder: dict[str, str] | None = None,
    **options: str,
) -> bytes:
    import av

    with av.open(str(path), "w", format=format, options=options) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=encoder or {})
        stream.layout = "mono"
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        for second in range(SECONDS):
            frame = av.AudioFrame(format="s16", layout="mono", samples=rate)
            tone = (int(9000 * math.sin(at / 5)) if second else 0 for at in range(rate))
            frame.planes[0].update(struct.pack(f"<{rate}h", *tone))
            frame.sample_rate = rate
            frame.pts = second * rate
            frame.time_base = Fraction(1, rate)
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return path.read_bytes()


LENGTH_IS_KNOWN = [
    *("wav", "mu-law", "adpcm", "rf64", "aiff"),
    *("mp4", "moov first", "m4a", "fragmented", "samples, then fragments", "index of all", "index of each"),
    *("adts", "mp3", "cbr", "vbr", "vbr with xing", "mp2"),
    *("opus", "ogg flac", "flac", "wma", "webm", "mkv", "mov"),
]


@pytest.mark.parametrize("name", LENGTH_IS_KNOWN)
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


@pytest.mark.parametrize("name", ["webm of a browser", "mpeg-ts"])
def test_other_media_is_of_unknown_length(media_files: dict[str, bytes], name: str) -> None:
    assert FakeObject(media_files[name]).duration_ms() is None


DURATION, SEGMENT = b"\x44\x89\x88", b"\x18\x53\x80\x67"
SIZE_UNKNOWN = b"\x01" + b"\xff" * 7


def webm_of(webm: bytes, *, seconds: float = SECONDS, size: bytes | None = None) -> bytes:
    """The file with another length in it, and with another size of its segment."""
    at = webm.index(DURATION) + len(DURATION)
    size_at = webm.index(SEGMENT) + len(SEGMENT)
    changed = webm[:at] + struct.pack(">d", seconds * 1000) + webm[at + 8 :]
    return changed if size is None else changed[:size_at] + size + changed[size_at + len(size) :]


@pytest.mark.parametrize("name", ["webm", "mkv"])
def test_a_matroska_file_that_is_not_whole_is_of_unknown_length(media_files: dict[str, bytes], name: str) -> None:
    whole = media_files[name]

    assert FakeObject(whole[: len(whole) // 2]).duration_ms() is None
    assert FakeObject(whole + whole).duration_ms() is None, "two files in a row"


@pytest.mark.parametrize("seconds", [0.0, -3.0, math.nan, math.inf, 1e9])
def test_a_length_that_a_matroska_file_cannot_have_is_not_believed(
    media_files: dict[str, bytes], seconds: float
) -> None:
    assert FakeObject(webm_of(media_files["webm"], seconds=seconds)).duration_ms() is None


@pytest.mark.parametrize(("seconds", "length_ms"), [(3.0, 3000), (62.0, None), (0.5, 500), (-1.0, None)])
def test_a_length_that_was_added_later_is_believed_if_the_last_cluster_allows_it(
    media_files: dict[str, bytes], seconds: float, length_ms: int | None
) -> None:
    added_later = webm_of(media_files["webm"], seconds=seconds, size=SIZE_UNKNOWN)

    assert FakeObject(added_later + bytes(1000)).duration_ms() == length_ms


@pytest.mark.parametrize("name", ["webm", "mkv"])
def test_a_large_matroska_file_costs_one_block(media_files: dict[str, bytes], name: str) -> None:
    webm = media_files[name]
    size_at = webm.index(SEGMENT) + len(SEGMENT)
    size = (1 << 56 | int.from_bytes(webm[size_at : size_at + 8], "big") & (1 << 56) - 1) + (2 << 30)
    big = FakeObject(webm[:size_at] + size.to_bytes(8, "big") + webm[size_at + 8 :], gap=2 << 30)

    assert big.duration_ms() == pytest.approx(SECONDS * 1000, abs=50)
    assert len(big.reads) == 1


WRITTEN_TO_A_PIPE = [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF024, 0]


@pytest.mark.parametrize("claimed", [*WRITTEN_TO_A_PIPE, 1_000_000])
@pytest.mark.parametrize("name", ["wav", "mu-law", "rf64"])
def test_a_wav_is_as_long_as_the_samples_that_the_object_holds(
    media_files: dict[str, bytes], name: str, claimed: int
) -> None:
    wav = media_files[name]
    at = wav.index(b"data") + 4
    piped = wav[:at] + struct.pack("<I", claimed) + wav[at + 4 :]

    assert FakeObject(piped).duration_ms() == SECONDS * 1000
    assert FakeObject(piped[: at + 4 + (len(wav) - at - 4) // 3]).duration_ms() == SECONDS * 1000 // 3


def test_a_wav_of_more_bytes_than_its_header_can_claim(media_files: dict[str, bytes]) -> None:
    wav = media_files["wav"]
    held = (5 << 30) - (wav.index(b"data") + 8)

    assert FakeObject(wav, gap=(5 << 30) - len(wav)).duration_ms() == round(held // 2 / RATE * 1000)


def test_what_follows_the_samples_of_a_wav_is_not_counted(media_files: dict[str, bytes]) -> None:
    listed = struct.pack("<4sI", b"LIST", 100_000) + bytes(100_000)

    assert FakeObject(media_files["wav"] + listed).duration_ms() == SECONDS * 1000


@pytest.mark.parametrize("name", ["adpcm", "mp4", "moov first", "m4a", "flac", "wma"])
def test_a_file_that_is_cut_off_is_of_unknown_length(media_files: dict[str, bytes], name: str) -> None:
    whole = media_files[name]

    assert FakeObject(whole[: len(whole) * 2 // 3]).duration_ms() is None


@pytest.mark.parametrize(
    "name", ["aiff", "fragmented", "index of all", "index of each", "adts", "mp3", "vbr with xing", "opus", "ogg flac"]
)
def test_a_file_that_is_cut_off_is_as_long_as_what_is_left(media_files: dict[str, bytes], name: str) -> None:
    whole = media_files[name]

    left_ms = FakeObject(whole[: len(whole) * 2 // 3]).duration_ms()

    assert left_ms is not None
    assert 800 <= left_ms <= 2700


def _id3(length: int) -> bytes:
    """An ID3 tag of random bytes, which often look like frames."""
    size = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + size + random.Random(length).randbytes(length)


@pytest.mark.parametrize(
    "front",
    [
        bytes(1),
        bytes(4096),
        bytes(100_000),
        random.Random(2).randbytes(3000),
        _id3(5000) + _id3(200_000),
        _id3(5 << 20),
    ],
    ids=["one zero", "zeros", "many zeros", "junk", "two tags", "large tag"],
)
@pytest.mark.parametrize("name", ["cbr", "vbr", "vbr with xing", "adts"])
@pytest.mark.parametrize("back", [b"", b"TAG" + b"x" * 125], ids=["", "tag at the end"])
def test_the_frames_between_tags_and_junk_are_the_length(
    media_files: dict[str, bytes], front: bytes, name: str, back: bytes
) -> None:
    alone = FakeObject(media_files[name]).duration_ms()

    assert FakeObject(front + media_files[name] + back).duration_ms() == alone
    assert alone == pytest.approx(SECONDS * 1000, abs=250)


def test_two_mp3_in_one_object_are_counted_together(media_files: dict[str, bytes]) -> None:
    both = FakeObject(media_files["vbr with xing"] + media_files["mp3"])

    assert both.duration_ms() == pytest.approx(2 * SECONDS * 1000, abs=500)


def test_a_large_mp3_is_measured_if_it_has_one_bitrate(media_files: dict[str, bytes]) -> None:
    times = MOST_BYTES // len(media_files["cbr"]) + 10
    large = FakeObject(media_files["cbr"] * times)

    alone = FakeObject(media_files["cbr"]).duration_ms()
    assert alone is not None
    assert large.duration_ms() == pytest.approx(times * alone, rel=0.001)
    assert sum(last - first + 1 for first, last in large.reads) <= 6 * BLOCK


@pytest.mark.parametrize("name", ["vbr", "adts"])
def test_a_large_object_without_one_bitrate_is_of_unknown_length(media_files: dict[str, bytes], name: str) -> None:
    large = FakeObject(media_files[name] * (MOST_BYTES // len(media_files[name]) + 10))

    assert large.duration_ms() is None


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_length_that_mvhd_does_not_know_is_unknown(media_files: dict[str, bytes], length: int) -> None:
    mp4 = media_files["mp4"]
    at = mp4.index(b"mvhd") + 20

    assert FakeObject(mp4[:at] + struct.pack(">I", length) + mp4[at + 4 :]).duration_ms() is None


def test_an_mp4_without_ftyp_is_read(media_files: dict[str, bytes]) -> None:
    mp4 = media_files["moov first"]
    without = mp4[struct.unpack(">I", mp4[:4])[0] :]

    assert FakeObject(without).duration_ms() == FakeObject(mp4).duration_ms()


@pytest.mark.parametrize("name", ["fragmented", "samples, then fragments", "index of each"])
def test_the_fragments_of_a_large_mp4_cost_few_reads(media_files: dict[str, bytes], name: str) -> None:
    mp4 = media_files[name]
    middle = mp4.index(b"mdat", mp4.index(b"moof")) + 4
    large = FakeObject(mp4[:middle], tail=mp4[middle:], gap=3 << 30)

    assert large.duration_ms() == FakeObject(mp4).duration_ms()
    assert len(large.reads) <= 3


def test_the_clock_of_a_live_stream_does_not_count(media_files: dict[str, bytes]) -> None:
    """A stream that somebody joined: its fragments begin at the hour 1000 of the clock."""
    alone = media_files["fragmented"]
    joined = bytearray(alone)
    at = joined.find(b"tfdt")
    while at >= 0:
        (begins,) = struct.unpack_from(">Q", joined, at + 8)
        struct.pack_into(">Q", joined, at + 8, begins + 1000 * 3600 * RATE)
        at = joined.find(b"tfdt", at + 4)

    assert FakeObject(bytes(joined)).duration_ms() == FakeObject(alone).duration_ms()


@pytest.mark.parametrize("name", LENGTH_IS_KNOWN)
def test_any_cut_and_any_damage_leaves_a_length_that_the_object_can_hold(
    media_files: dict[str, bytes], name: str
) -> None:
    whole, rng = media_files[name], random.Random(name)
    for _ in range(30):
        damaged = bytearray(whole[: rng.randrange(200, len(whole))])
        for _ in range(rng.randrange(20)):
            damaged[rng.randrange(min(len(damaged), 2000))] = rng.randrange(256)
        length_ms = FakeObject(b"\0" * rng.randrange(2) + damaged).duration_ms()
        assert length_ms is None or 0 <= length_ms <= len(damaged) * 100


@pytest.mark.parametrize("last_box", [b"ftyp", b"mdat", b"moov", b"mvhd"])
def test_an_mp4_truncated_before_the_end_of_its_header_is_media_of_unknown_length(
    media_files: dict[str, bytes], last_box: bytes
) -> None:
    whole = media_files["mp4"]

    assert FakeObject(whole[: whole.index(last_box) + 10]).duration_ms() is None


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
@pytest.mark.parametrize("name", ["mp4", "mp3", "flac"])
def test_a_fault_of_s3_stays_itself(media_files: dict[str, bytes], name: str, fails_at: int) -> None:
    fault = MediaObjectGone("the object is gone") if fails_at == 1 else TimeoutError("slow down")
    tagged = FakeObject(_id3(100_000) + media_files[name])
    big = _blown_up(media_files["mp4"], gap=1 << 20) if name == "mp4" else tagged
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
