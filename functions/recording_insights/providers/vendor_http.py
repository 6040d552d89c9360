"""HTTP to a vendor: time-outs, and the faults that every vendor shares turned into our errors.

Plain `requests`, no automatic retries: a repeated POST may be a second paid job, so the workflow decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recording_insights.errors import ProviderBusy, ProviderUnavailable
from recording_insights.providers.vendor_text import parse_json

if TYPE_CHECKING:
    import requests

TIMEOUT = (3.05, 25)
"""Seconds to connect and to wait for bytes; below every function's own time-out."""


@dataclass(frozen=True)
class Reply:
    """An answer below 500 other than 429; `data` is the parsed JSON (numbers exact), `body` as it came."""

    status: int
    data: Any
    body: bytes


@dataclass(frozen=True)
class VendorHttp:
    """Calls one vendor under its base URL (scheme and host, no trailing slash)."""

    vendor: str
    base_url: str
    session: "requests.Session" = field(default_factory=lambda: _session())

    def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None) -> Reply:
        """One request, one answer.

        Raises:
            ProviderBusy: 429, with the vendor's Retry-After if it sent one.
            ProviderUnavailable: no connection, time-out, 5xx, or an answer that is not JSON.
        """
        import requests

        try:
            response = self.session.request(
                method,
                f"{self.base_url}{path}",
                headers=dict(headers or {}),
                json=json,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            body = response.content
        except requests.Timeout:
            raise ProviderUnavailable(f"{self.vendor} did not answer in time ({method} {path})") from None
        except requests.RequestException as error:
            # The text of requests' errors holds the whole URL; the class says what happened.
            raise ProviderUnavailable(
                f"{self.vendor} could not be reached ({type(error).__name__}, {method} {path})"
            ) from None
        if response.status_code == 429:
            raise ProviderBusy(f"{self.vendor} is busy (HTTP 429)", _seconds(response.headers.get("Retry-After")))
        if response.status_code >= 500:
            raise ProviderUnavailable(f"{self.vendor} answered HTTP {response.status_code} ({method} {path})")
        return Reply(response.status_code, self._parse(body, f"{method} {path}"), body)

    def _parse(self, body: bytes, what: str) -> Any:
        try:
            return parse_json(body)
        except ValueError:
            raise ProviderUnavailable(f"{self.vendor} answered with something that is not JSON ({what})") from None

    def unreadable(self, what: str) -> ProviderUnavailable:
        """The error for an answer that lacks what the contract promises."""
        return ProviderUnavailable(f"{self.vendor} answered without {what}")


def _session() -> "requests.Session":
    # Imported late: "Save insights" reads replies through the same adapters and needs no HTTP.
    import requests

    return requests.Session()


def _seconds(retry_after: str | None) -> int | None:
    return int(retry_after) if retry_after and retry_after.isdecimal() else None
