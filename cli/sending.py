"""Send a file to a presigned link. The link is a secret for as long as it works: it is in no output and no error."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cli.errors import CommandFailed, Conflict, NotReachable, UsageWrong

if TYPE_CHECKING:
    import requests

    from cli.session import Session

TRIES = 3
TIMEOUT_SECONDS = (15, 300)
"""To connect, and between two answers of the network."""
LINE_SECONDS = 5.0
"""Without a terminal, progress is a line so often."""

Progress = Callable[[int], None]
"""Is called with how many bytes are sent so far."""


class _Watched:
    """A file that says how far it is read. requests sends it without reading it into memory."""

    def __init__(self, file: IO[bytes], size: int, progress: Progress) -> None:
        self._file, self._size, self._progress = file, size, progress
        self._sent = 0

    def __len__(self) -> int:
        return self._size

    def read(self, most: int = -1) -> bytes:
        data = self._file.read(most)
        self._sent += len(data)
        self._progress(self._sent)
        return data


def send_file(session: "Session", file: Path, link: Mapping[str, Any], size: int) -> None:
    """Send a file to the link of POST /uploads, and show how far it is.

    Raises:
        UsageWrong: the file has changed its size since, or S3 refuses it.
        NotReachable: S3 does not answer.
        CommandFailed: S3 answers something else.
    """
    import requests

    http = session.stage.http
    for attempt in range(1, TRIES + 1):
        with file.open("rb") as opened, _shown(session, file.name, size) as progress:
            try:
                answer = http.request(
                    link["method"],
                    link["url"],
                    data=_Watched(opened, size, progress),
                    headers=dict(link["headers"]),
                    timeout=TIMEOUT_SECONDS,
                )
            except requests.RequestException as error:
                if attempt == TRIES:
                    # The text of the error would have the link.
                    raise NotReachable(f"The bucket cannot be reached ({type(error).__name__}).") from None
                session.say(f"The sending broke off ({type(error).__name__}). It begins again.")
                continue
        if answer.status_code < 500 or attempt == TRIES:
            _check(answer, is_repeat=attempt > 1)
            return
        session.say(f"The bucket answered {answer.status_code}. It begins again.")


def _check(answer: "requests.Response", *, is_repeat: bool) -> None:
    status = answer.status_code
    if status < 300 or (status == 412 and is_repeat):
        return
    if status == 412:
        raise Conflict("There is a file of this recording already: the first one counts.")
    if status == 403:
        raise UsageWrong(
            "The bucket refused the file: its size has changed, or the link has ended. Repeat the command."
        )
    if status == 400:
        raise UsageWrong("The bucket refused the file: its content is not that of the checksum, or was cut off.")
    raise CommandFailed(f"The bucket answered {status}.")


def _shown(session: "Session", name: str, size: int) -> "_Bar | _Lines":
    return _Bar(session, name, size) if session.words.is_terminal else _Lines(session, size)


class _Bar:
    """Progress in a terminal."""

    def __init__(self, session: "Session", name: str, size: int) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        from cli.visible import visible_line

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._drawn = Progress(*columns, console=session.words, transient=True)
        self._task = self._drawn.add_task(visible_line(name), total=size)

    def __enter__(self) -> Progress:
        self._drawn.start()
        return lambda sent: self._drawn.update(self._task, completed=sent)

    def __exit__(self, *_: object) -> None:
        self._drawn.stop()


class _Lines:
    """Progress as a line now and then, if it takes long."""

    def __init__(self, session: "Session", size: int) -> None:
        self._session, self._size, self._next = session, size, time.monotonic() + LINE_SECONDS

    def __enter__(self) -> Progress:
        return self._say

    def __exit__(self, *_: object) -> None:
        pass

    def _say(self, sent: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_SECONDS
            self._session.say(f"{sent * 100 // self._size} % of {self._size} bytes sent")
