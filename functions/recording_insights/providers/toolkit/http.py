"""HTTP calls to a vendor, with time-outs, and with the faults of every vendor turned into our errors.

The calls use plain `requests` and never retry: a repeated POST may start a second paid job, so the workflow decides.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from recording_insights.bounded import CHUNK, LARGEST_REPLY, read_at_most
from recording_insights.deadline import seconds_left_for_calls
from recording_insights.errors import (
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ReplyTooLarge,
    SubmissionUnconfirmed,
)
from recording_insights.providers.port import MediaStream
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.retry_after import retry_after_seconds
from recording_insights.providers.toolkit.sent import secrets_sent
from recording_insights.redaction import hide_exactly

if TYPE_CHECKING:
    import requests

_logger = logging.getLogger(__name__)

TIMEOUT = (3.05, 25)
"""Seconds to connect, and seconds to wait for bytes; below the time-out of every function."""

SHORTEST_CALL_SECONDS = 1
"""With less time left until the deadline of the calls, no request is sent."""

Query = Sequence[tuple[str, str]]
"""Names and values of a query string, in order; a name may occur more than once."""


@dataclass(frozen=True)
class Reply:
    """A vendor's response with a status below 500 other than 429.

    `body` holds the bytes as received. What it quotes of the request's secrets is replaced by `***`.
    `data` is the parsed JSON. It is None for a refusal (4xx) that is not JSON, and for a body that does not matter.
    """

    status: int
    data: Any
    body: bytes


@dataclass(frozen=True)
class VendorHttp:
    """Calls one vendor under its base URL, which has no trailing slash."""

    vendor: str
    base_url: str
    session: "requests.Session" = field(default_factory=lambda: _session())
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Query = (),
        json: Any = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        is_paid: bool = False,
        may_be_empty: bool = False,
    ) -> Reply:
        """Send one request and return the response. `is_paid` marks the call that the vendor charges for.

        `may_be_empty`: what the call returns does not matter, so a response without JSON has no data.

        Raises:
            ProviderBusy: status 429, with the vendor's Retry-After if there is one.
            ProviderUnavailable: no connection, a time-out, a 5xx, a response that is not JSON, or no time for a call.
            ReplyTooLarge: a response of more than 32 MB.
            SubmissionUnconfirmed: the same for a paid call, unless there was no connection at all.
        """
        request = f"{method} {path}"
        status, body = self._send(
            method,
            f"{self.base_url}{path}",
            request,
            is_paid,
            headers=dict(headers or {}),
            params=list(query),
            json=json,
            data=form,
            auth=auth,
        )
        unusable = _unusable(is_paid)
        if status >= 500:
            raise unusable(f"{self.vendor} answered HTTP {status} ({request})")
        body = _without(secrets_sent(headers=headers or {}, query=query, json=json, form=form, auth=auth), body)
        try:
            data = parse_json(body)
        except ValueError:
            # A refusal needs no JSON: its status says enough.
            if status < 400 and not may_be_empty:
                raise unusable(f"{self.vendor} answered with something that is not JSON ({request})") from None
            data = None
        return Reply(status, data, body)

    def upload(self, link: str, media: MediaStream) -> None:
        """PUT the media to a presigned link, as a stream of known length and without headers of ours.

        Raises:
            ProviderUnavailable: the storage refuses the media. It answers as S3 does, not in the vendor's format.
        """
        status, _ = self._send("PUT", link, "PUT of the media", is_paid=False, headers={}, data=media)
        if status >= 300:
            raise ProviderUnavailable(f"{self.vendor}'s storage answered HTTP {status} to the media")

    def _send(self, method: str, url: str, request: str, is_paid: bool, **arguments: Any) -> tuple[int, bytes]:
        """Send a request, and return the status and the body of the answer."""
        import requests

        unusable = _unusable(is_paid)
        seconds = time_for_a_call(self.vendor, request)
        timeout = min(TIMEOUT[0], seconds), min(TIMEOUT[1], seconds)
        try:
            response = self.session.request(
                method, url, timeout=timeout, allow_redirects=False, stream=True, **arguments
            )
            with response:
                body = read_at_most(response.iter_content(CHUNK))
        except requests.ConnectTimeout:
            raise ProviderUnavailable(f"{self.vendor} did not answer in time ({request})") from None
        except requests.Timeout:
            raise unusable(f"{self.vendor} did not answer in time ({request})") from None
        except requests.RequestException as error:
            if _never_connected(error):
                unusable = ProviderUnavailable
            # The text of requests' errors contains the whole URL. The class says enough, in the log.
            _logger.warning("%s could not be reached: %s", self.vendor, type(error).__name__)
            why = "its certificate is not valid" if isinstance(error, requests.exceptions.SSLError) else "no connection"
            raise unusable(f"{self.vendor} could not be reached ({why}, {request})") from None
        if response.status_code == 429:
            retry_after = retry_after_seconds(response.headers, self.now())
            raise ProviderBusy(f"{self.vendor} is busy (HTTP 429)", retry_after)
        if body is None and response.status_code < 500:
            too_large = SubmissionUnconfirmed if is_paid else ReplyTooLarge
            raise too_large(f"{self.vendor} answered with more than {LARGEST_REPLY >> 20} MB ({request})")
        return response.status_code, body or b""

    def unreadable(self, promised: str, *, is_paid: bool = False) -> ProviderUnavailable:
        """Return the error for a response without `promised`, which the vendor's API promises."""
        return _unusable(is_paid)(f"{self.vendor} answered without {promised}")

    def refusal(self, status: int, reason: str, *, no_credit: bool = False) -> ProviderError:
        """Return the error for a refused request: `OutOfCredit` for 402, or if the vendor names missing credit."""
        error = OutOfCredit if status == 402 or no_credit else ProviderRejected
        return error(f"{self.vendor} answered HTTP {status}: {reason}")


def time_for_a_call(vendor: str, request: str) -> float:
    """Return the seconds that a call may take: infinite without a deadline of the calls.

    Raises:
        ProviderUnavailable: too little is left, so nothing was sent.
    """
    seconds = seconds_left_for_calls()
    if seconds < SHORTEST_CALL_SECONDS:
        raise ProviderUnavailable(f"{vendor}'s answers took so long that no time was left ({request})")
    return seconds


def path_segment(value: Any) -> str:
    """Encode a value as one segment of a path: an id from a vendor may contain slashes or dots."""
    return quote(str(value), safe="")


def _unusable(is_paid: bool) -> type[ProviderUnavailable]:
    return SubmissionUnconfirmed if is_paid else ProviderUnavailable


def _without(secrets: Collection[str], body: bytes) -> bytes:
    """Return the body without the secrets; the same bytes if it has none."""
    text = body.decode(errors="surrogateescape")
    hidden = hide_exactly(text, secrets)
    return body if hidden == text else hidden.encode(errors="surrogateescape")


def _session() -> "requests.Session":
    # Imported late: "Save insights" reads replies through the same adapters and needs no HTTP.
    import requests

    return requests.Session()


def _never_connected(error: Exception) -> bool:
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    inner = error.args[0] if error.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)
