"""Authentication of calls to a vendor: a key of the secret, or an access token that a login returns.

A credential that the vendor refuses is replaced once: an operator may have rotated the secret since it was read.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

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
        reply = send(self.credentials(False))
        return self.call_once(send) if reply.status in REFUSALS else reply

    def call_once(self, send: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """Call `send` with a fresh copy of the secret.

        Raises:
            CredentialsRefused: the vendor refuses the key.
        """
        reply = send(self.credentials(True))
        if reply.status in REFUSALS:
            raise CredentialsRefused(f"{self.vendor} refused the key of its secret: {self.reason_of(reply)}")
        return reply


@dataclass(frozen=True)
class Token:
    """An access token and its lifetime in seconds; a lifetime of 0 is good for one call."""

    text: str = field(repr=False)
    seconds: int


class TokenStore(Protocol):
    """Shares an access token between all workers of a stage, for a vendor that limits logins."""

    def read(self) -> tuple[str, float] | None:
        """Return the token and the moment until which it may be used, in Unix seconds; None if there is none."""

    def write(self, text: str, usable_until: float) -> None:
        """Replace the token. A fault is no error: then other workers log in for themselves."""


class LoginRefused(Exception):
    """The vendor refuses the credentials of a login; the text is its reason."""


class AccessToken:
    """Sends calls with an access token, and keeps the token until it expires or the vendor refuses it.

    `log_in` takes the secret and returns a `Token`, or raises `LoginRefused`. `reason_of` reads the refusal of a token.
    `clock` returns seconds: Unix seconds if the token is `shared`.
    """

    def __init__(
        self,
        vendor: str,
        credentials: Credentials,
        log_in: Callable[[Mapping[str, str]], Token],
        reason_of: Callable[[Reply], str],
        clock: Callable[[], float] = time.time,
        shared: TokenStore | None = None,
    ) -> None:
        self._vendor = vendor
        self._credentials = credentials
        self._log_in = log_in
        self._reason_of = reason_of
        self._clock = clock
        self._shared = shared
        self._text = ""
        self._usable_until = 0.0

    def call(self, send: Callable[[str], Reply]) -> Reply:
        """Call `send` with a token, and again with another one if the vendor refuses it; the last one is new.

        Raises:
            CredentialsRefused: the vendor refuses a fresh copy of the secret, or a token that it has just issued.
        """
        for token in self._tokens():
            reply = send(token)
            if reply.status not in REFUSALS:
                return reply
        raise CredentialsRefused(f"{self._vendor} refused a new access token: {self._reason_of(reply)}")

    def log_in_once(self) -> str:
        """Log in with a fresh copy of the secret, whatever token is known, and return the new token.

        Raises:
            CredentialsRefused: the vendor refuses the credentials.
        """
        try:
            return self._kept(self._log_in(self._credentials(True)))
        except LoginRefused as refused:
            reason = f"{self._vendor} refused the credentials of its secret: {refused}"
            raise CredentialsRefused(reason) from None

    def _tokens(self) -> Iterator[str]:
        """Yield a known token or else a new one, then that of the other workers if it is another, then a new one."""
        if not self._is_usable():
            self._take_shared()
        first = self._text if self._is_usable() else self._new_token()
        yield first
        self._take_shared()
        if self._text != first and self._is_usable():
            yield self._text
        yield self._new_token()

    def _take_shared(self) -> None:
        if self._shared and (shared := self._shared.read()):
            self._text, self._usable_until = shared

    def _is_usable(self) -> bool:
        return bool(self._text) and self._clock() < self._usable_until

    def _new_token(self) -> str:
        with suppress(LoginRefused):
            return self._kept(self._log_in(self._credentials(False)))
        return self.log_in_once()

    def _kept(self, token: Token) -> str:
        self._text, self._usable_until = token.text, self._clock() + token.seconds - MARGIN_SECONDS
        if self._shared:
            self._shared.write(self._text, self._usable_until)
        return self._text
