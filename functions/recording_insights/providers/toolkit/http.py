"""HTTP to a vendor: time-outs, and the faults that every vendor shares turned into our errors.

Plain `requests`, no automatic retries: a repeated POST may be a second paid job, so the workflow decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recording_insights.errors import ProviderBusy, ProviderUnavailable, SubmissionUnconfirmed
from recording_insights.providers.port import MediaStream
from recording_insights.providers.toolkit.json import parse_json

if TYPE_CHECKING:
    import requests

TIMEOUT = (3.05, 25)
"""Seconds to connect and to wait for bytes; below every function's own time-out."""

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    """An answer below 500 other than 429; `data` is the parsed JSON (numbers exact), `body` as it came.

    `data` is None for a refusal (4xx) that is not JSON.
    """

    status: int
    data: Any
    body: bytes


@dataclass(frozen=True)
class VendorHttp:
    """Calls one vendor under its base URL (scheme and host, no trailing slash)."""

    vendor: str
    base_url: str
    session: "requests.Session" = field(default_factory=lambda: _session())

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
        buys: bool = False,
    ) -> Reply:
        """One request, one answer. `buys` marks the call that the vendor charges for.

        Raises:
            ProviderBusy: 429, with the vendor's Retry-After if it sent one.
            ProviderUnavailable: no connection, time-out, 5xx, or an answer that is not JSON.
            SubmissionUnconfirmed: the same of a call that buys, unless no connection came about at all.
        """
        what = f"{method} {path}"
        response = self._send(
            method,
            f"{self.base_url}{path}",
            what,
            buys,
            headers=dict(headers or {}),
            params=list(query),
            json=json,
            data=form,
            auth=auth,
        )
        unusable = SubmissionUnconfirmed if buys else ProviderUnavailable
        if response.status_code >= 500:
            raise unusable(f"{self.vendor} answered HTTP {response.status_code} ({what})")
        try:
            data = parse_json(response.content)
        except ValueError:
            # A refusal is one in whatever words.
            if response.status_code < 400:
                raise unusable(f"{self.vendor} answered with something that is not JSON ({what})") from None
            data = None
        return Reply(response.status_code, data, response.content)

    def upload(self, link: str, media: MediaStream) -> None:
        """PUT the bytes to a presigned link, as a stream of known length and with no header of ours.

        Raises:
            ProviderUnavailable: it was not taken; the link's owner answers as S3 does, not in the vendor's words.
        """
        response = self._send("PUT", link, "PUT of the media", buys=False, headers={}, data=media)
        if response.status_code >= 300:
            raise ProviderUnavailable(f"{self.vendor}'s storage answered HTTP {response.status_code} to the media")

    def _send(self, method: str, url: str, what: str, buys: bool, **arguments: Any) -> "requests.Response":
        import requests

        unusable = SubmissionUnconfirmed if buys else ProviderUnavailable
        try:
            response = self.session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **arguments)
        except requests.ConnectTimeout:
            raise ProviderUnavailable(f"{self.vendor} did not answer in time ({what})") from None
        except requests.Timeout:
            raise unusable(f"{self.vendor} did not answer in time ({what})") from None
        except requests.RequestException as error:
            if _never_connected(error):
                unusable = ProviderUnavailable
            # The text of requests' errors holds the whole URL; the class says what happened.
            raise unusable(f"{self.vendor} could not be reached ({type(error).__name__}, {what})") from None
        if response.status_code == 429:
            raise ProviderBusy(f"{self.vendor} is busy (HTTP 429)", _seconds(response.headers.get("Retry-After")))
        return response

    def unreadable(self, what: str, *, buys: bool = False) -> ProviderUnavailable:
        """The error for an answer that lacks what the contract promises."""
        return (SubmissionUnconfirmed if buys else ProviderUnavailable)(f"{self.vendor} answered without {what}")


def _session() -> "requests.Session":
    # Imported late: "Save insights" reads replies through the same adapters and needs no HTTP.
    import requests

    return requests.Session()


def _never_connected(error: Exception) -> bool:
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    inner = error.args[0] if error.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)


def _seconds(retry_after: str | None) -> int | None:
    return int(retry_after) if retry_after and retry_after.isdecimal() else None
