"""Uploads to the customer's bucket: at once, late, under another name, or never."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.customer.buckets import Bucket, UploadRefused

_HELD_CHECK_SECONDS = 0.02


class Uploads:
    """Uploads the files of a recording to `bucket`, with the faults that the dials describe.

    `refused` is called for every file that the bucket refuses. `now` returns unix seconds, `played` the seconds of
    media that have passed, `held` whether late files must still wait.
    """

    def __init__(
        self,
        bucket: Bucket,
        dials: AgoraDials,
        refused: Callable[[UploadRefused], None],
        now: Callable[[], float],
        played: Callable[[], float],
        held: Callable[[], bool],
    ) -> None:
        self._bucket = bucket
        self._openings = [0.0]
        self._second: float | None = None
        self._dials = dials
        self._refused = refused
        self._now = now
        self._played = played
        self._held = held
        self._refusals = 0
        self._last: defaultdict[str, deque[tuple[str, bytes]]] = defaultdict(deque)
        self._late: list[tuple[str, bytes]] = []
        self._playlists: dict[str, dict[bool, bytes]] = {}

    @property
    def status(self) -> str:
        """uploadingStatus: Agora keeps refused files in its own cloud, and tries again."""
        waits = self._dials.late_slices or self._dials.backed_up
        return "backuped" if self._refusals or waits else "uploaded"

    def renew(self, bucket: Bucket) -> None:
        """Use another opening of the bucket from now on."""
        self._bucket = bucket
        self._openings.append(self._played())

    @contextmanager
    def at(self, second: float) -> Iterator[None]:
        """Count an upload as one at this second of media: the clock may be ahead of a recorder that has to cut."""
        self._second = second
        try:
            yield
        finally:
            self._second = None

    def put_segment(self, stem: str, index: int, name: str, content: bytes) -> None:
        """Upload the segment at this place of the playlist `stem`."""
        if index in self._dials.lost_slices:
            return
        folder = stem.rpartition("/")[0]
        last = self._last[stem]
        last.append((f"{folder}/{name}" if folder else name, content))
        while len(last) > self._dials.late_slices:
            self._put(*last.popleft())

    def put_playlist(self, stem: str, content: bytes, *, closed: bool) -> bool:
        """Upload it. Return whether the bucket accepted it."""
        first = stem not in self._playlists
        copies = self._playlists.setdefault(stem, {})
        if self._dials.backed_up:
            copies[closed] = content
        return (first or not self._dials.backed_up) and self._put(f"{stem}.m3u8", content)

    def put_picture(self, key: str, content: bytes) -> bool:
        """Upload it. Return whether the bucket accepted it."""
        return self._put(key, content)

    def put_mp4(self, key: str, file: Path) -> None:
        """Upload an MP4, late if segments are late."""
        if self._dials.late_slices:
            self._late.append((key, file.read_bytes()))
        else:
            self._put(key, file)

    def put_late(self, sleep: Callable[[float], None]) -> None:
        """Upload after the end what is late; of a playlist the newest copy comes last.

        Source: docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files.
        """
        late = [slice_ for last in self._last.values() for slice_ in last] + self._late
        if not late and not any(self._playlists.values()):
            return
        if not self._dials.held_late:
            sleep(self._dials.late_seconds)
        while self._held():
            sleep(_HELD_CHECK_SECONDS)
        for key, content in late:
            self._put(key, content)
        tick = int(self._now())
        for stem, copies in self._playlists.items():
            for index, closed in enumerate(sorted(copies)):
                self._put(f"{stem}_{tick}_{index}.m3u8", copies[closed])

    def _put(self, key: str, content: bytes | Path) -> bool:
        try:
            second = self._played() if self._second is None else self._second
            opened = max((at for at in self._openings if at < second), default=0.0)
            if 0 < self._dials.storage_seconds <= second - opened:
                raise UploadRefused("ExpiredToken", 400)
            self._bucket.put(key, content)
        except UploadRefused as refusal:
            self._refusals += 1
            self._refused(refusal)
            return False
        return True
