"""Downloads the customer's media from a link. No message repeats the link, which is a credential."""

from collections.abc import Callable
from pathlib import Path

import requests

Download = Callable[[str, Path], None]

_CONNECT_AND_READ_SECONDS = (10, 60)
_PIECE_BYTES = 1 << 16


class DownloadFailed(Exception):
    """The download failed. `status` is the HTTP status, None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def forbidden(self) -> bool:
        """Whether S3 refused the link, as it does when the link has expired."""
        return self.status == 403


def download(link: str, target: Path) -> None:
    """Download the link to the file `target`. Raises DownloadFailed."""
    try:
        with requests.get(link, stream=True, timeout=_CONNECT_AND_READ_SECONDS) as answer:
            if answer.status_code != 200:
                raise DownloadFailed(f"the link answered HTTP {answer.status_code}", answer.status_code)
            with target.open("wb") as file:
                for piece in answer.iter_content(_PIECE_BYTES):
                    file.write(piece)
    except requests.RequestException as error:
        raise DownloadFailed(f"the link could not be fetched: {type(error).__name__}") from None
