"""Access tokens that vendors give for a login: kept while they live, renewed when they are refused."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recording_insights.errors import CredentialsRefused
from recording_insights.providers.toolkit.http import Reply

Credentials = Callable[[bool], Mapping[str, str]]
"""A vendor's secret; True reads it anew, past every cache."""

REFUSALS = (401, 403)
MARGIN_SECONDS = 60


@dataclass(frozen=True)
class Token:
    """A token and its life in seconds; a life of 0 serves one call."""

    text: str
    seconds: int


class AccessToken:
    """Signs calls with a token. `log_in` asks for one; it answers with the token, or with the vendor's refusal."""

    def __init__(
        self,
        vendor: str,
        credentials: Credentials,
        log_in: Callable[[Mapping[str, str]], Token | Reply],
        complaint: Callable[[Reply], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vendor = vendor
        self._credentials = credentials
        self._log_in = log_in
        self._complaint = complaint
        self._clock = clock
        self._token = Token("", 0)
        self._ends = 0.0

    def call(self, send: Callable[[str], Reply]) -> Reply:
        """Send with the present token, once more with a new one if that is refused.

        Raises:
            CredentialsRefused: the vendor refuses the secret, as it is now, or a token that it has just given.
        """
        for fresh in (False, True):
            reply = send(self._current(fresh))
            if reply.status not in REFUSALS:
                return reply
        raise CredentialsRefused(f"{self._vendor} refused a new access token: {self._complaint(reply)}")

    def _current(self, fresh: bool) -> str:
        if not fresh and self._token.text and self._clock() < self._ends:
            return self._token.text
        for newest in (False, True):  # the secret may have been rotated since it was read
            answer = self._log_in(self._credentials(newest))
            if isinstance(answer, Token):
                self._token, self._ends = answer, self._clock() + answer.seconds - MARGIN_SECONDS
                return answer.text
            refusal = self._complaint(answer)
        raise CredentialsRefused(f"{self._vendor} refused the credentials of its secret: {refusal}")
