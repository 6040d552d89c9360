"""Recordings in individual mode: how they are asked for, and what is heard and seen in what they leave."""

import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import av
import pytest

from sandbox.stand_ins.hearing.pitch import SAMPLE_RATE, pitch_of
from tests.sandbox.conftest import AgoraCustomer, AgoraTask
from tests.sandbox.fake_bucket import FakeBucket

STARTED = datetime(2027, 1, 15, 8, tzinfo=UTC)
FAST = {"speed": 1e6, "joining_seconds": 0.0, "idle_speed": 1e6}
"""Everything is recorded as fast as it can be cut, and then the recorder leaves."""
AT_ONCE = {"speed": 1e6, "joins_at_query": 1}
"""Everything is recorded after the first query, and the recorder waits."""
PACE = {**FAST, "speed": 1.0, "joins_at_query": 1, "slice_seconds": 2.0}
"""The media plays by the clock of the test, from the first query on."""
WOMAN, MAN = (160.0, 190.0), (95.0, 115.0)
"""Pitches in Hz of the two voices of the sample; the woman is heard first."""

_STAMP = re.compile(r"_(\d{17})\.(?:ts|jpg)$")


@dataclass
class IndividualTask(AgoraTask):
    def ask(self, method: str, name: str, **client_request: Any) -> Any:
        body = {"cname": "room_1", "uid": "42", "clientRequest": client_request}
        return self.call(method, name, mode="individual", **({} if method == "GET" else {"json": body}))

    def query(self) -> Any:
        return self.ask("GET", "query")

    def stop(self, **client_request: Any) -> Any:
        return self.ask("POST", "stop", **client_request)

    def joined(self) -> "IndividualTask":
        """The same, once the recorder is in progress: it joins in the answer to the first query."""
        assert self.query().json["serverResponse"]["status"] == 5
        return self


def still_at(seconds: float) -> dict[str, float]:
    """Dials of media that stands still at this second until an update or a stop, recorded from the first query on."""
    return {**FAST, "joins_at_query": 1, "stands_at_seconds": seconds, "slice_seconds": 2.0}


def individual_parts(**recording: Any) -> dict[str, Any]:
    """What a start in individual mode has of its own."""
    audio_only = {"streamTypes": 0, "subscribeUidGroup": 0, **recording}
    return {"recording": audio_only, "recordingFileConfig": {"avFileType": ["hls"]}}


def started(agora: AgoraCustomer, snapshots: dict[str, Any] | None = None, **recording: Any) -> IndividualTask:
    resource_id = agora.acquire()
    parts = {**individual_parts(**recording), **({"snapshotConfig": snapshots} if snapshots else {})}
    reply = agora.start(resource_id, "individual", **parts)
    assert reply.status_code == 200, reply.json
    return IndividualTask(agora, resource_id, reply.json["sid"])


@dataclass(frozen=True)
class HeardSlice:
    """A slice, decoded. `starts` and `clock` are seconds from the recording's start, by its name and by its PTS."""

    name: str
    starts: float
    clock: float
    seconds: float
    rate: int
    pcm: bytes

    @property
    def pitch(self) -> float | None:
        return pitch_of(self.pcm)

    def loudness(self, start: float, end: float) -> float:
        """The largest sample between these seconds of the recording, 0 to 1."""
        first, last = (max(int((at - self.starts) * SAMPLE_RATE), 0) * 2 for at in (start, end))
        samples = memoryview(self.pcm[first:last]).cast("h")
        return max(map(abs, samples), default=0) / 32768


def seconds_of(media: bytes) -> float:
    """The length of the audio."""
    with av.open(io.BytesIO(media), "r") as container:
        return float(sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0)))


def stamped_at(key: str) -> float:
    """Seconds from the recording's start, by the name of a file."""
    stamp = _STAMP.search(key)
    assert stamp
    at = datetime.strptime(f"{stamp[1]}000", "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    return (at - STARTED).total_seconds()


def heard(key: str, content: bytes) -> HeardSlice:
    pcm, clocks, samples, rate = b"", [], 0, 0
    with av.open(io.BytesIO(content), "r", format="mpegts") as container:
        assert [stream.type for stream in container.streams] == ["audio"]
        assert container.streams.audio[0].codec_context.layout.name == "mono"
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in container.decode(audio=0):
            assert frame.time is not None
            clocks.append(frame.time)
            samples, rate = samples + frame.samples, frame.sample_rate
            pcm += b"".join(_bytes(resampler.resample(frame)))
        pcm += b"".join(_bytes(resampler.resample(None)))
    return HeardSlice(key, stamped_at(key), clocks[0], samples / rate, rate, pcm)


def slices_of(bucket: FakeBucket, uid: str, prefix: str = "") -> list[HeardSlice]:
    """The decoded slices of a uid, in order; `prefix` before the sid."""
    return [heard(key, bucket.objects[key]) for key in files_of(bucket, uid, "audio", "ts", prefix)]


def files_of(bucket: FakeBucket, uid: str, medium: str, suffix: str, prefix: str = "") -> list[str]:
    """The keys of a uid's files with a time in their names, in order."""
    recorder = rf"^recordings/0123abcd/{prefix}[0-9a-f]{{32}}_room_1"
    name = re.compile(rf"{recorder}__uid_s_{uid}__uid_e_{medium}_\d{{17}}\.{suffix}$")
    return [key for key in sorted(bucket.objects) if name.match(key)]


@dataclass(frozen=True)
class Picture:
    """What a camera showed: size in pixels, colour (RGB) beside the bar, and the second of the minute that it tells."""

    size: tuple[int, int]
    colour: tuple[int, ...]
    second: float

    def like(self, other: "Picture") -> bool:
        """Whether it is the same camera's, in the eye of somebody who sees the difference between two."""
        return all(abs(one - another) < 12 for one, another in zip(self.colour, other.colour, strict=True))


@dataclass(frozen=True)
class SeenSlice:
    """A slice of video, decoded. `starts` and `clock` are seconds from the recording's start, by its name and PTS."""

    name: str
    starts: float
    clock: float
    seconds: float
    pictures: list[Picture]

    @property
    def ends(self) -> float:
        return self.starts + self.seconds


def seen(key: str, content: bytes) -> SeenSlice:
    with av.open(io.BytesIO(content), "r", format="mpegts") as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert container.streams.video[0].codec_context.name == "h264"
        frames = list(container.decode(video=0))
    assert frames[0].key_frame
    times = [frame.time or 0.0 for frame in frames]
    assert all(after - before == pytest.approx(0.2, abs=0.001) for before, after in itertools.pairwise(times))
    pictures = [picture(frame) for frame in frames]
    return SeenSlice(key, stamped_at(key), times[0], len(frames) / 5, pictures)


def seen_of(bucket: FakeBucket, uid: str, prefix: str = "") -> list[SeenSlice]:
    """The decoded video of a uid, in order."""
    return [seen(key, bucket.objects[key]) for key in files_of(bucket, uid, "video", "ts", prefix)]


def still(content: bytes) -> Picture:
    """What a JPEG shows."""
    with av.open(io.BytesIO(content), "r", format="jpeg_pipe") as container:
        [frame] = container.decode(video=0)
    return picture(frame)


def picture(frame: av.VideoFrame) -> Picture:
    [plane] = frame.reformat(format="rgb24").planes
    row = bytes(plane)[frame.height // 2 * plane.line_size :][: frame.width * 3]
    pixels = [tuple(row[at : at + 3]) for at in range(0, len(row), 3)]
    half = (max(map(sum, pixels)) + min(map(sum, pixels))) / 2
    [edge] = [x for x, pixel in enumerate(pixels) if sum(pixel) > half > sum(pixels[x - 1])]
    return Picture((frame.width, frame.height), pixels[edge - frame.width // 2], edge / frame.width * 60)


def playlists_of(bucket: FakeBucket) -> Iterator[tuple[str, str]]:
    """Key and text of each playlist in the bucket."""
    for key in sorted(bucket.objects):
        if key.endswith(".m3u8"):
            yield key, bucket.objects[key].decode()


def named_in(playlist: str) -> list[str]:
    """The slices that a playlist names."""
    return [line for line in playlist.splitlines() if line.endswith(".ts")]


def _bytes(frames: list[av.AudioFrame]) -> Iterator[bytes]:
    for frame in frames:
        yield bytes(frame.planes[0])[: frame.samples * 2]
