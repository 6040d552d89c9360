"""Keys that vendors give once and for all: sent with every call, read anew when one is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recording_insights.errors import CredentialsRefused
from recording_insights.providers.toolkit.auth import REFUSALS, Credentials
from recording_insights.providers.toolkit.http import Reply


@dataclass(frozen=True)
class StaticKey:
    """Signs calls with a secret as it is; `complaint` puts a refusal into words without repeating the key."""

    vendor: str
    credentials: Credentials
    complaint: Callable[[Reply], str]

    def call(self, send: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """Send with the secret that is known, once more with the present one if that is refused.

        Raises:
            CredentialsRefused: the vendor refuses the secret as it is now.
        """
        for fresh in (False, True):  # it may have been rotated since it was read
            reply = send(self.credentials(fresh))
            if reply.status not in REFUSALS:
                return reply
        raise CredentialsRefused(f"{self.vendor} refused the key of its secret: {self.complaint(reply)}")
