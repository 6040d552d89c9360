"""One track in a bucket in memory, and the state that prepares it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.hls.remux.remux import Prepared
from recording_insights.hls.timeline import PlacedSegment
from recording_insights.media.probe.ranged_object import RangeReader
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.file_conversion import FileConversion
from recording_insights.processing.late_files import AWAIT_SECONDS
from recording_insights.processing.prepare_media import prepare_media
from recording_insights.processing.progress import Progress
from recording_insights.store.media import MediaStore
from tests.unit.fakes import FakeClock

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
SID = "b1946ac92492d2347c6235b4d2611184"
BY_HAND = "4f66448e912f59fcaa6dd15cbd237e95"
"""The recording of files with this sid in their names that were put by hand."""
FOLDER = f"recordings/{R}/"
STEM = f"{SID}_team__uid_s_1001__uid_e_audio"
KEY = f"{FOLDER}{STEM}.m3u8"
BEGAN = datetime(2026, 3, 12, tzinfo=UTC)
LATE_MINUTES = 60


@dataclass
class FakeFolder:
    """A bucket in memory that counts its calls; a thousand keys to a list call, as in S3."""

    clock: FakeClock
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    gets: int = 0
    lists: int = 0

    def put(self, key: str, content: bytes | str = b"ts") -> None:
        self.objects[key] = (content.encode() if isinstance(content, str) else content, self.clock.now())

    def read(self, key: str) -> tuple[bytes, datetime] | None:
        self.gets += 1
        return self.objects.get(key)

    def list(self, prefix: str) -> Sequence[StoredFile]:
        found = [
            StoredFile(key, at, md5(content, usedforsecurity=False).hexdigest(), len(content))
            for key, (content, at) in self.objects.items()
            if key.startswith(prefix)
        ]
        self.lists += 1 + max(len(found) - 1, 0) // 1000
        return found

    def reader(self, media: MediaObject) -> RangeReader:
        """Reads ranges of an object, as the intake does."""
        return lambda first, last: self.objects[media.key][0][first : last + 1]

    def keep(self, key: str, file: Path) -> tuple[str, int]:
        self.kept[key] = file.read_bytes()
        return "etag-of-the-file", len(self.kept[key])


@dataclass
class FakeRemux:
    """Remembers what it was given; what is not there is lost."""

    pieces: Sequence[PlacedSegment] = ()
    contents: Sequence[bytes | None] = ()
    fails: Exception | None = None

    def __call__(self, pieces: Sequence[PlacedSegment], read: Callable[[str], bytes | None], target: Path) -> Prepared:
        if self.fails:
            raise self.fails
        self.pieces = pieces
        self.contents = [read(piece.name) for piece in pieces]
        target.write_bytes(b"mp4")
        lost = [piece.name for piece, content in zip(pieces, self.contents, strict=True) if content is None]
        return Prepared(duration_ms=30_000, silent_ms=0, lost=lost)


def _no_file(*_: Any, **__: Any) -> Any:
    raise AssertionError("a track is made of segments, and is no file to convert")


NO_CONVERSION = FileConversion(FakeFolder(FakeClock()), reader=_no_file, formats=_no_file, convert=_no_file)
"""For media objects that are made of segments."""


class Scene:
    """One track whose playlist was announced, and the state that prepares it."""

    def __init__(self, store: MediaStore, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        self.folder = FakeFolder(clock)
        self.remux = FakeRemux()
        self.media = MediaObject("recordings-bucket", KEY, "", 300, clock.now())
        store.admit(R, self.media, providers=["marsview"], duration_ms=None)
        self.progress = Progress(R, self.media.media_id, KEY, "prepare")

    def look(self) -> Progress:
        self.progress = prepare_media(
            self.progress,
            store=self.store,
            folder=self.folder,
            remux=self.remux,
            conversion=NO_CONVERSION,
            late_minutes=LATE_MINUTES,
            is_running=lambda arn: False,
            now=self.clock.now,
        )
        return self.progress

    def look_until_it_ends(self, most: int = 200) -> int:
        """Waits as it is told; the number of looks."""
        for number in range(1, most):
            if self.look().outcome not in ("running", "awaiting"):
                return number
            self.clock.elapsed += AWAIT_SECONDS if self.progress.outcome == "awaiting" else self.progress.wait_seconds
        raise AssertionError(f"it still waits: {self.item.get('reason')}")

    def end(self, **values: Any) -> None:
        """The recorder is known to have left."""
        attributes = {"stopped_at": self.clock.now().isoformat(), **values}
        for name, value in attributes.items():
            self.store.table.update_item(
                Key={"pk": R, "sk": "RECORDING"},
                UpdateExpression=f"SET #{name} = :{name}",
                ExpressionAttributeNames={f"#{name}": name},
                ExpressionAttributeValues={f":{name}": value},
            )

    def slices(self, count: int, *, prefix: str = "", present: bool = True) -> list[str]:
        names = [f"{prefix}{STEM}_{stamp(BEGAN + timedelta(seconds=15 * n))}.ts" for n in range(count)]
        if present:
            for name in names:
                self.folder.put(FOLDER + name, name)
        return names

    @property
    def item(self) -> Mapping[str, Any]:
        return self.store.get(R, self.media.media_id)


def stamp(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}"


def playlist(names: Sequence[str], *, closed: bool = True) -> str:
    lines = [line for name in names for line in ("#EXTINF:15.000", name)]
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:16", *lines, *(["#EXT-X-ENDLIST"] if closed else [])])
