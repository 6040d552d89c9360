"""Real files of each format: the sound is copied where it can be, encoded where not, and is at the right time."""

import io
from pathlib import Path
from typing import Any

import av
import pytest

from recording_insights.conversion import convert as conversion
from recording_insights.conversion.convert import CannotConvert, Converted, convert
from recording_insights.conversion.ranged_file import BLOCKS, RangedFile
from recording_insights.errors import MediaObjectGone
from tests.unit.conversion.conftest import SECONDS, Make

EVERY = {"mp4", "mp3", "ogg", "flac"}


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def convert_bytes(content: bytes, formats: set[str], **changes: Any) -> Converted:
        media = changes.pop("media", RangedFile(lambda first, last: content[first : last + 1], len(content)))
        arguments: Any = {"duration_ms": None, "seconds_left": lambda: 60.0, **changes}
        return convert(media, formats, tmp_path, **arguments)

    return convert_bytes


def loud_ms(file: Path) -> tuple[float, float]:
    """Return where the tone begins and ends, to 20 ms."""
    at, begin, end = 0.0, None, 0.0
    with av.open(str(file)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000, frame_size=320)
        for decoded in container.decode(container.streams.audio[0]):
            for frame in resampler.resample(decoded):
                samples = memoryview(bytes(frame.planes[0])[: frame.samples * 2]).cast("h")
                if max(map(abs, samples), default=0) > 3000:
                    begin, end = at if begin is None else begin, at + 20
                at += 20
    assert begin is not None, "there is no tone"
    return begin, end


def codec_of(file: Path) -> tuple[str, str]:
    with av.open(str(file)) as container:
        stream: Any = container.streams.audio[0]
        assert len(container.streams) == 1
        return stream.codec_context.codec.canonical_name, stream.codec_context.layout.name


@pytest.mark.parametrize(
    ("codec", "container", "suffix"),
    [
        *(("libopus", container, ".ogg") for container in ("webm", "matroska", "ogg")),
        *(("vorbis", container, ".ogg") for container in ("webm", "matroska", "ogg")),
        *(("aac", container, ".mp4") for container in ("adts", "mov", "matroska", "mpegts")),
        *(("libmp3lame", container, ".mp3") for container in ("mov", "matroska")),
        *(("flac", container, ".flac") for container in ("flac", "ogg", "matroska")),
    ],
)
def test_the_sound_is_copied_into_a_container_that_may_hold_it(
    make: Make, run: Any, codec: str, container: str, suffix: str
) -> None:
    done = run(make(codec, container), EVERY)

    assert (done.is_copied, done.file.suffix) == (True, suffix)
    assert codec_of(done.file)[0] in codec
    assert done.duration_ms == pytest.approx(SECONDS * 1000, abs=80)
    assert loud_ms(done.file) == pytest.approx((1000, SECONDS * 1000), abs=80)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize(
    ("codec", "container"),
    [("libopus", "webm"), ("flac", "flac"), ("pcm_s16be", "aiff"), ("pcm_s16be", "mov")],
)
def test_what_cannot_be_copied_is_encoded_once(make: Make, run: Any, codec: str, container: str, layout: str) -> None:
    done = run(make(codec, container, layout=layout), {"mp4", "wav"})

    assert (done.is_copied, done.file.suffix) == (False, ".mp4")
    assert codec_of(done.file) == ("aac", layout)
    assert done.duration_ms == pytest.approx(SECONDS * 1000, abs=80)
    assert loud_ms(done.file) == pytest.approx((1000, SECONDS * 1000), abs=80)


@pytest.mark.parametrize(("codec", "container"), [("aac", "matroska"), ("libopus", "webm")])
def test_a_pause_between_timestamps_becomes_silence(make: Make, run: Any, codec: str, container: str) -> None:
    done = run(make(codec, container, jump=(2.0, 5.0)), EVERY)

    assert not done.is_copied, "decoders ignore a jump between timestamps"
    assert done.duration_ms == pytest.approx((SECONDS + 5) * 1000, abs=80)
    assert loud_ms(done.file) == pytest.approx((1000, (SECONDS + 5) * 1000), abs=80)


def test_a_clock_that_jumps_by_days_adds_nothing(make: Make, run: Any) -> None:
    done = run(make("libopus", "webm", jump=(2.0, 200_000.0)), {"mp4"})

    assert done.duration_ms == pytest.approx(SECONDS * 1000, abs=80)


def test_pictures_are_left_out(make: Make, run: Any) -> None:
    done = run(make("aac", "mov", picture=True), EVERY)

    assert codec_of(done.file)[0] == "aac"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not recognised"),
        (b"\xff", "not recognised"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00\x00\xff", "not recognised"),
        (b"#EXTM3U\nhttp://169.254.169.254/", "not recognised"),
        (bytes(1000), "not recognised"),
        (b"\x1aE\xdf\xa3" + bytes(1000), "cannot be read as media"),
        (b"OggS" + bytes(1000), "cannot be read|no sound"),
        (b"\xff\xf1" + bytes(1000), "cannot be read|no sound|cannot be decoded"),
    ],
)
def test_what_is_no_media_says_so(run: Any, content: bytes, reason: str) -> None:
    with pytest.raises(CannotConvert, match=reason):
        run(content, EVERY)


def test_a_file_without_sound_says_so(run: Any) -> None:
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as file:
        stream: Any = file.add_stream("mpeg4", rate=1, width=32, height=32, pix_fmt="yuv420p")
        for packet in [*stream.encode(av.VideoFrame(32, 32, "yuv420p")), *stream.encode(None)]:
            file.mux(packet)

    with pytest.raises(CannotConvert, match="no sound"):
        run(target.getvalue(), EVERY)


def test_more_than_ten_hours_are_not_encoded_but_copied(make: Make, run: Any) -> None:
    eleven_hours = 11 * 3_600_000

    with pytest.raises(CannotConvert, match=r"it is 11\.0 hours long; at most 10 hours .* upload it as \.mp4"):
        run(make("libopus", "webm"), {"mp4"}, duration_ms=eleven_hours)
    assert run(make("libopus", "webm"), {"mp4", "ogg"}, duration_ms=eleven_hours).is_copied


def test_the_sound_is_measured_where_no_length_is_known(make: Make, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "LONGEST_HOURS", 2 / 3600)

    with pytest.raises(CannotConvert, match="longer than"):
        run(make("flac", "flac"), {"mp4"})


def test_a_copy_that_is_too_large_is_encoded_instead(make: Make, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "MOST_BYTES", 1000)

    assert not run(make("flac", "ogg"), EVERY).is_copied


@pytest.mark.parametrize("formats", [{"mp4"}, EVERY])
def test_a_conversion_ends_with_its_time(make: Make, run: Any, formats: set[str]) -> None:
    with pytest.raises(CannotConvert, match="in the time that the function has"):
        run(make("libopus", "webm"), formats, seconds_left=lambda: 0.0)


def test_a_provider_without_mp4_gets_no_file(make: Make, run: Any) -> None:
    with pytest.raises(CannotConvert, match="formats spx, wav can be made"):
        run(make("libopus", "webm"), {"wav", "spx"})


@pytest.mark.parametrize("formats", [{"mp4"}, EVERY])
def test_a_fault_of_s3_is_no_fault_of_the_file(
    make: Make, run: Any, monkeypatch: pytest.MonkeyPatch, formats: set[str]
) -> None:
    monkeypatch.setattr("recording_insights.conversion.ranged_file.BLOCK", 8_000)
    content = make("pcm_s16be", "mov") if formats == {"mp4"} else make("flac", "ogg")

    def read(first: int, last: int) -> bytes:
        if first > len(content) // 2:
            raise MediaObjectGone("the object was replaced by another")
        return content[first : last + 1]

    with pytest.raises(MediaObjectGone):
        run(content, formats, media=RangedFile(read, len(content)))


def test_an_object_is_read_once_and_a_little_of_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recording_insights.conversion.ranged_file.BLOCK", 10)
    content = bytes(range(95))
    reads: list[tuple[int, int]] = []

    def read(first: int, last: int) -> bytes:
        reads.append((first, last))
        return content[first : last + 1]

    file = RangedFile(read, len(content))
    assert b"".join(iter(lambda: file.read(7), b"")) == content
    assert reads == [(first, min(first + 9, 94)) for first in range(0, 95, 10)]
    assert file.seek(-5, io.SEEK_END) == file.tell() == 90
    assert file.read() == content[90:]
    assert len(reads) == 10, "kept"
    assert file.seek(0) == 0
    assert file.read(3) == content[:3]
    assert len(reads) == 11
    assert len(file._blocks) == BLOCKS
