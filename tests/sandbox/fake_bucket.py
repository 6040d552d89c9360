"""The customer's bucket, in memory."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sandbox.stand_ins.customer.buckets import BucketAccess, UploadRefused


@dataclass
class FakeBucket:
    """Objects by key, every version of the playlists, and the credentials of each opening.

    `refuses` is the S3 error code that every upload gets; None accepts them.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    playlists: list[str] = field(default_factory=list)
    opened: list[BucketAccess] = field(default_factory=list)
    refuses: str | None = None

    def open(self, access: BucketAccess) -> Self:
        self.opened.append(access)
        return self

    def put(self, key: str, content: bytes | Path) -> None:
        if self.refuses:
            raise UploadRefused(self.refuses, 403)
        self.objects[key] = content.read_bytes() if isinstance(content, Path) else content
        if key.endswith(".m3u8"):
            self.playlists.append(self.objects[key].decode())

    def ending_in(self, suffix: str) -> list[str]:
        """Keys that end so, in the order of the first upload."""
        return [key for key in self.objects if key.endswith(suffix)]
