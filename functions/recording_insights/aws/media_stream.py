"""The bytes of a media object on their way to a provider: piece by piece, never all in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.response import StreamingBody

PIECE = 1024 * 1024


@dataclass(frozen=True)
class S3MediaStream:
    """S3's answer to a GET; `size` in bytes is what makes an upload of known length of it."""

    body: "StreamingBody"
    size: int

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return self.body.iter_chunks(PIECE)
