"""Vendor credentials in AWS Secrets Manager: one JSON object for each vendor, with checked keys."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from recording_insights.aws.clients import limits
from recording_insights.bounded import parse_bounded
from recording_insights.errors import SecretUnavailable, SecretUnusable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300
"""How long a function uses a secret that it has read. `fresh` skips this cache after a vendor refused the secret."""

TOKEN_LABEL = "ACCESS_TOKEN"  # noqa: S105 - a staging label
"""The staging label of the version of a vendor's secret that holds an access token."""

FRESH_READ_SECONDS = 60
"""What nobody can prove, or what does not exist, causes one billed read of a secret in this time, in each worker."""

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class SecretSource(Protocol):
    """Reads the text of a secret. Raises `LookupError` if it does not exist, `SecretUnavailable` for other faults."""

    def __call__(self, name: str, *, fresh: bool = False) -> str: ...


def read_secret(
    name: str, keys: Sequence[str], *, fresh: bool = False, source: SecretSource | None = None
) -> Mapping[str, str]:
    """Read the credentials under `name`: a mapping that has at least `keys`, each with a non-empty text.

    Blanks and line ends around a value are cut: they come from copying, and no header can carry them.

    Raises:
        SecretUnusable: the secret does not exist, is not a JSON object, lacks one of the keys, or has a value that no
            header can carry, such as typographic quotes.
        SecretUnavailable: AWS did not return it.
    """
    try:
        text = (source or _from_secrets_manager)(name, fresh=fresh)
    except LookupError:
        detail = f"it does not exist; create it with the keys {', '.join(keys)}"
        raise SecretUnusable(name, detail, is_missing=True) from None
    try:
        value = parse_bounded(text)
    except ValueError:
        value = None  # the message must not hold the text of the secret
    if not isinstance(value, dict):
        raise SecretUnusable(name, f"it is not a JSON object with the keys {', '.join(keys)}")
    value = trimmed(value)
    if missing := [key for key in keys if not _is_text(value.get(key))]:
        raise SecretUnusable(name, f"it lacks the key {', '.join(missing)}")
    if odd := unusable_keys(value, keys):
        raise SecretUnusable(name, f"the value of {', '.join(odd)} has characters that are not printable ASCII")
    return value


def trimmed(secret: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a secret without blanks and line ends around its values."""
    return {key: held.strip() if isinstance(held, str) else held for key, held in secret.items()}


def unusable_keys(secret: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """Return those of `keys` that a trimmed secret lacks, or whose value no header can carry."""
    held = {key: value for key, value in secret.items() if _is_text(value)}
    return [key for key in keys if not (key in held and held[key].isascii() and held[key].isprintable())]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _from_secrets_manager(name: str, *, fresh: bool = False) -> str:
    from aws_lambda_powertools.utilities import parameters
    from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    DEFAULT_PROVIDERS.setdefault("secrets", _SecretsInTime())
    try:
        text = parameters.get_secret(name, max_age=CACHE_SECONDS, force_fetch=fresh)
    except GetParameterError as error:
        # Powertools makes one class of all errors of AWS. Only "does not exist" is final.
        if "ResourceNotFoundException" in str(error):
            raise LookupError(name) from None
        # The text is AWS's, and may hold the string to sign.
        fault = _fault(error)
        _logger.warning("AWS did not return the secret %s: %s", name, fault)
        raise SecretUnavailable(name, fault) from None
    return text if isinstance(text, str) else ""


def _fault(error: Exception) -> str:
    """AWS's code behind an error of Powertools, or the name of the error behind it."""
    from botocore.exceptions import ClientError

    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ClientError):
        return str(cause.response.get("Error", {}).get("Code"))
    return type(cause).__name__


class _SecretsInTime:
    """Powertools' provider with the limits of a route. It opens its client at the first read."""

    @cached_property
    def provider(self) -> "SecretsProvider":
        from aws_lambda_powertools.utilities.parameters import SecretsProvider

        return SecretsProvider(boto_config=limits(short_calls=True))

    def get(self, name: str, **options: Any) -> Any:
        return self.provider.get(name, **options)


@dataclass
class FreshReads:
    """Limits the reads past every cache that a caller may cause who may be anybody: each is billed."""

    monotonic: Callable[[], float] = time.monotonic
    _last: float = -math.inf

    def attempts(self, read: Callable[[bool], T]) -> Iterator[T]:
        """Yield what is known. Then yield what a fresh read returns, if one is due: one in `FRESH_READ_SECONDS`.

        `read(fresh)` is called only for what is taken from the iterator.
        """
        yield read(False)
        now = self.monotonic()
        if now - self._last >= FRESH_READ_SECONDS:
            self._last = now
            yield read(True)


@dataclass
class OwnSecret:
    """A key that has a secret of its own, so that the function that reads it can read nothing else.

    `former` is the name of the secret that held the key before; None if the function must not read it there. Whether
    the secret exists is asked once in `FRESH_READ_SECONDS`, because strangers may cause the reads.
    """

    name: str
    key: str
    former: str | None = None
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)
    _missing_until: float = field(default=-math.inf, repr=False)

    def read(self, fresh: bool = False) -> str:
        """Return the value. `fresh` reads it past every cache.

        Raises:
            SecretUnusable: the secret is malformed. With `is_missing` there is none, and no former one holds the key.
            SecretUnavailable: AWS did not return it.
        """
        missing = SecretUnusable(self.name, f"it does not exist; create it with the key {self.key}", is_missing=True)
        now = self.monotonic()
        if now >= self._missing_until:
            try:
                return read_secret(self.name, (self.key,), fresh=fresh)[self.key]
            except SecretUnusable as error:
                if not error.is_missing:
                    raise
                self._missing_until = now + FRESH_READ_SECONDS
        if self.former is None:
            raise missing
        try:
            return read_secret(self.former, (self.key,), fresh=fresh)[self.key]
        except SecretUnusable:
            raise missing from None


@dataclass(frozen=True)
class SharedToken:
    """A vendor's access token in a version of its own of the vendor's secret `name`; the credentials stay current.

    The token is encrypted and guarded as the credentials are. Sharing saves logins and nothing depends on it: without
    the secret, without the right, or with a fault of AWS, there is no token to read, and a written one is lost.
    """

    name: str

    @cached_property
    def _client(self) -> "SecretsManagerClient":
        import boto3

        return boto3.client("secretsmanager", config=limits(short_calls=True))

    def read(self) -> tuple[str, float] | None:
        """Return the token and the moment until which it may be used, in Unix seconds; None if there is none."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            version = self._client.get_secret_value(SecretId=self.name, VersionStage=TOKEN_LABEL)
            stored = parse_bounded(version["SecretString"])
            return str(stored["token"]), float(stored["usable_until"])
        except (BotoCoreError, ClientError, LookupError, TypeError, ValueError):
            return None

    def write(self, text: str, usable_until: float) -> None:
        """Replace the token. Secrets Manager removes the label from the version before, and later that version."""
        from botocore.exceptions import BotoCoreError, ClientError

        stored = json.dumps({"token": text, "usable_until": usable_until})
        with suppress(BotoCoreError, ClientError):
            self._client.put_secret_value(SecretId=self.name, SecretString=stored, VersionStages=[TOKEN_LABEL])
