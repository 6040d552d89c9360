"""Sessions of a role, each of which is narrowed by a policy of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

T = TypeVar("T")

LIFETIME = timedelta(hours=1)
"""The longest life of a session that a role has opened by another role's rights.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html, "Role chaining"
"""
LONGEST_POLICY = 2048
"""The longest session policy in characters. AWS also limits a packed form of it, whose size it does not document.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""
MOST_KEPT = 16
"""Sessions that a worker keeps. The one that was opened first makes room for the next."""


@dataclass(frozen=True)
class SessionCredentials:
    """Temporary credentials, by the names of boto3's arguments."""

    aws_access_key_id: str = field(repr=False)
    aws_secret_access_key: str = field(repr=False)
    aws_session_token: str = field(repr=False)


@dataclass(frozen=True)
class RoleSessions(Generic[T]):
    """Opens sessions of a role and keeps what `open` makes of their credentials.

    A session is used again while it lives for `needs` at least, which is how long a call of the function may take.
    """

    sts: "STSClient"
    role_arn: str
    open: Callable[[SessionCredentials], T]
    needs: timedelta
    now: Callable[[], datetime]
    _kept: dict[str, tuple[T, datetime]] = field(default_factory=dict)

    def of(self, name: str, policy: str) -> T:
        """Return what calls AWS with the rights that both the role and the policy allow.

        `name` is the session's name in CloudTrail: 2 to 64 letters, digits and characters of `+=,.@-_`.

        Raises:
            botocore's ClientError and BotoCoreError: STS did not open the session.
        """
        made, ends_at = self._kept.get(policy, (None, None))
        if made is not None and ends_at is not None and ends_at - self.now() >= self.needs:
            return made
        given = self.sts.assume_role(
            RoleArn=self.role_arn,
            RoleSessionName=name,
            Policy=policy,
            DurationSeconds=int(LIFETIME.total_seconds()),
        )["Credentials"]
        opened = self.open(SessionCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]))
        self._kept.pop(policy, None)
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[policy] = opened, given["Expiration"]
        return opened
