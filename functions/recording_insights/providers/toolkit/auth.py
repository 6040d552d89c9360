"""Authentication of calls to a vendor: a key of the secret, or an access token that a login returns.

A credential that the vendor refuses is replaced once: an operator may have rotated the secret since it was read.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recording_insights.errors import CredentialsRefused
from recording_insights.providers.toolkit.http import Reply

Credentials = Callable[[bool], Mapping[str, str]]
"""Returns the vendor's secret as a map of its keys. The argument True reads it anew and bypasses every cache."""

REFUSALS = (401, 403)
"""HTTP statuses that refuse a credential."""

MARGIN_SECONDS = 60
"""A token is replaced so long before it expires."""


@dataclass(frozen=True)
class StaticKey:
    """Sends calls with a key that the vendor issued once; `reason_of` reads a refusal and must not repeat the key."""

    vendor: str
    credentials: Credentials
    reason_of: Callable[[Reply], str]

    def call(self, send: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """Call `send` with the known secret, and once more with a fresh copy if the vendor refuses the key.

        Raises:
            CredentialsRefused: the vendor refuses the fresh copy as well.
        """
        for fresh in (False, True):
            reply = send(self.credentials(fresh))
            if reply.status not in REFUSALS:
                return reply
        raise CredentialsRefused(f"{self.vendor} refused the key of its secret: {self.reason_of(reply)}")


@dataclass(frozen=True)
class Token:
    """An access token and its lifetime in seconds; a lifetime of 0 is good for one call."""

    text: str
    seconds: int


class LoginRefused(Exception):
    """The vendor refuses the credentials of a login; the text is its reason."""


class AccessToken:
    """Sends calls with an access token, and keeps the token until it expires or the vendor refuses it.

    `log_in` takes the secret and returns a `Token`, or raises `LoginRefused`. `reason_of` reads the refusal of a token.
    """

    def __init__(
        self,
        vendor: str,
        credentials: Credentials,
        log_in: Callable[[Mapping[str, str]], Token],
        reason_of: Callable[[Reply], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vendor = vendor
        self._credentials = credentials
        self._log_in = log_in
        self._reason_of = reason_of
        self._clock = clock
        self._token = Token("", 0)
        self._expires_at = 0.0

    def call(self, send: Callable[[str], Reply]) -> Reply:
        """Call `send` with the present token, and once more with a new one if the vendor refuses the token.

        Raises:
            CredentialsRefused: the vendor refuses a fresh copy of the secret, or a token that it has just issued.
        """
        for is_refused in (False, True):
            reply = send(self._new_token() if is_refused else self._present_token())
            if reply.status not in REFUSALS:
                return reply
        raise CredentialsRefused(f"{self._vendor} refused a new access token: {self._reason_of(reply)}")

    def _present_token(self) -> str:
        is_valid = self._token.text and self._clock() < self._expires_at
        return self._token.text if is_valid else self._new_token()

    def _new_token(self) -> str:
        for fresh in (False, True):
            try:
                self._token = self._log_in(self._credentials(fresh))
            except LoginRefused as error:
                reason = str(error)
                continue
            self._expires_at = self._clock() + self._token.seconds - MARGIN_SECONDS
            return self._token.text
        raise CredentialsRefused(f"{self._vendor} refused the credentials of its secret: {reason}")
