"""One POST to a subscriber: to an address that was checked, without redirects and proxies, within a time-out.

`http.client` and `ssl` are enough. What a client library adds must not happen here: redirects, proxies, retries.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer

from recording_insights.errors import HostRefused
from recording_insights.notices.addresses import Destination

TIMEOUT_SECONDS = 15.0
"""For everything after the name was resolved: to connect, to send, and until the headers of the answer are there."""
CONNECT_SECONDS = 5.0
LARGEST_ANSWER = 4096
"""Bytes of an answer's body that are read. None of them is kept."""


@dataclass(frozen=True)
class Sent:
    """What became of one POST: the status of the answer, or why there is none."""

    status_code: int | None = None
    error: str | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the subscriber took the event."""
        return self.status_code is not None and 200 <= self.status_code < 300


@cache
def _public_certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass(frozen=True)
class Sender:
    """`destination_of` checks a URL, and may raise `HostRefused`; `certificates` says whose certificates are valid."""

    destination_of: Callable[[str], Destination]
    certificates: Callable[[], ssl.SSLContext] = _public_certificates
    timeout_seconds: float = TIMEOUT_SECONDS

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sent:
        """Send one request. A fault of the subscriber is a result, not an exception."""
        try:
            destination = self.destination_of(url)
        except HostRefused as refused:
            return Sent(error=f"not sent: {refused}")
        connection = _Connection(destination, self.certificates, self.timeout_seconds)
        watchdog = Timer(self.timeout_seconds, connection.abort)
        watchdog.daemon = True
        watchdog.start()
        try:
            return _exchange(connection, destination, body, headers)
        except ssl.SSLCertVerificationError:
            return Sent(error="the certificate is not valid")
        except TimeoutError:
            return Sent(error=self._too_slow)
        except (OSError, HTTPException, ValueError):
            return Sent(error=self._too_slow if connection.aborted.is_set() else "no connection, or no HTTP")
        finally:
            watchdog.cancel()
            connection.close()

    @property
    def _too_slow(self) -> str:
        return f"no answer within {self.timeout_seconds:g} s"


def _exchange(connection: "_Connection", destination: Destination, body: bytes, headers: Mapping[str, str]) -> Sent:
    own = {"host": destination.authority, "content-type": "application/json", "user-agent": "recording-insights"}
    connection.request("POST", destination.target, body, {**own, **headers, "connection": "close"})
    answer = connection.getresponse()
    # The status decides. A body that breaks off, or never ends, changes nothing.
    with suppress(OSError, HTTPException, ValueError):
        answer.read(LARGEST_ANSWER)
    error = "redirects are not followed" if 300 <= answer.status < 400 else None
    return Sent(answer.status, error)


class _Connection(HTTPConnection):
    """Connects to the checked addresses. The certificate has to name the host."""

    def __init__(
        self, destination: Destination, certificates: Callable[[], ssl.SSLContext], timeout_seconds: float
    ) -> None:
        super().__init__(destination.host, destination.port, timeout=timeout_seconds)
        self.destination, self.certificates = destination, certificates
        self.aborted = Event()

    def connect(self) -> None:
        """Open a connection to the first address that takes one."""
        self.sock = self._first_open()
        if self.destination.is_encrypted:
            self.sock = self.certificates().wrap_socket(
                # The handshake comes later, so that `abort` finds the socket.
                self.sock,
                server_hostname=self.destination.host,
                do_handshake_on_connect=False,
            )
            self.sock.do_handshake()

    def _first_open(self) -> socket.socket:
        fault: OSError = OSError("no address")
        for address in self.destination.addresses:
            if self.aborted.is_set():
                break
            try:
                # Of an address in figures, this asks no name server.
                opened = socket.create_connection((address, self.destination.port), CONNECT_SECONDS)
            except OSError as error:
                fault = error
            else:
                opened.settimeout(self.timeout)
                return opened
        raise fault

    def abort(self) -> None:
        """End the connection from another thread: time-outs of a socket begin anew with each byte."""
        self.aborted.set()
        if self.sock:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
