"""A customer's cloud that is down: its vendors wait until it is up again, because AWS is never down."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.stand_ins.customer.downloads import Download, DownloadFailed
from sandbox.stand_ins.customer.webhooks import Send

_LOOK_SECONDS = 0.1


class Outages:
    """`is_up` tells whether the cloud is up. `sleep` waits so many seconds, and may raise what ends the wait."""

    def __init__(self, is_up: Callable[[], bool], sleep: Callable[[float], None]) -> None:
        self._is_up = is_up
        self._sleep = sleep

    def outlasted_by_download(self, download: Download) -> Download:
        """Return a download that is repeated if the cloud was down."""

        def run(link: str, target: Path) -> None:
            while True:
                try:
                    return download(link, target)
                except DownloadFailed as failed:
                    if failed.status is not None or self._is_up():
                        raise
                self._wait()

        return run

    def outlasted_by_send(self, send: Send) -> Send:
        """Return a call that is repeated if the cloud was down."""

        def run(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
            while (status := send(method, url, body, headers)) == 0 and not self._is_up():
                self._wait()
            return status

        return run

    def _wait(self) -> None:
        while not self._is_up():
            self._sleep(_LOOK_SECONDS)


def listens(url: str) -> bool:
    """Tell whether somebody listens at the host and port of this URL."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname or "localhost", place.port or 80), timeout=1).close()
    except OSError:
        return False
    return True
