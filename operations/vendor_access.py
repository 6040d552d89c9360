"""Check whether Agora and the providers accept the keys in a stage's secrets: one call each, free and without effect.

The call of a provider is in its adapter (`VerifiesAccess`), that of Agora in `agora/access.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from botocore.config import Config

from operations.deployed_stack import Clients, aws_client
from operations.move_secrets import KEYS
from recording_insights.agora import upload_credentials
from recording_insights.agora.access import verify_access
from recording_insights.agora.calls import AgoraCalls
from recording_insights.agora.client import SECRET_KEYS
from recording_insights.agora.hosts import HostRotation, hosts_in, hosts_near
from recording_insights.aws.secrets import trimmed, unusable_keys
from recording_insights.deadline import Deadline
from recording_insights.errors import (
    AgoraError,
    AgoraRefusedCredentials,
    AgoraUnavailable,
    CredentialsRefused,
    OutOfCredit,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from recording_insights.providers.port import VerifiesAccess
from recording_insights.providers.registry import (
    PROVIDERS,
    capabilities_of,
    provider_on_aws,
    provider_with,
    verifies_access,
)
from recording_insights.redaction import hide_secrets, vendor_message

if TYPE_CHECKING:
    import requests

SECONDS = 5.0
"""The longest wait for a connection and for each part of an answer."""

AGORA = "agora"
VENDORS: Sequence[str] = (AGORA, *PROVIDERS)
SECRETS: Mapping[str, Sequence[str]] = {
    AGORA: SECRET_KEYS,
    upload_credentials.SECRET: upload_credentials.SECRET_KEYS,
    **{name: entry.secret_keys for name, entry in PROVIDERS.items() if entry.secret_keys},
    **{name: (key,) for name, key in KEYS.items()},
}
"""The required keys of each secret, by the last part of its name."""

Verdict = Literal["accepted", "refused", "no_credit", "unreachable", "unknown"]

_VERDICTS: Mapping[type[Exception], Verdict] = {
    CredentialsRefused: "refused",
    OutOfCredit: "no_credit",
    ProviderUnavailable: "unreachable",
    ProviderError: "unknown",
    AgoraRefusedCredentials: "refused",
    AgoraUnavailable: "unreachable",
    AgoraError: "unknown",
}
"""By class of error. A class comes before the class that it derives from."""


@dataclass(frozen=True)
class Access:
    """Whether a vendor accepts the credentials of a secret.

    `unreachable`: there was no usable answer. `unknown`: the answer does not show it, or no call can. `what` is the
    reason in sentences, without a key, a token or a whole answer.
    """

    vendor: str
    verdict: Verdict
    what: str


def missing_keys(secret_name: str, secret: Mapping[str, Any]) -> list[str]:
    """Return the keys that a secret lacks, or whose value is no text of printable ASCII characters.

    `secret_name` is the last part of the secret's name, see `SECRETS`. A provider that is a service of AWS needs none.
    """
    return unusable_keys(trimmed(secret), SECRETS.get(secret_name, ()))


def check_access(
    vendor: str,
    secret: Mapping[str, Any],
    *,
    base_url: str | None = None,
    residency: str | None = None,
    aws_region: str = "",
    http: "requests.Session | None" = None,
    client: Clients = aws_client,
) -> Access:
    """Ask one of `VENDORS` whether it accepts the content of its secret, in one call that is not repeated.

    `base_url` is the stage's address of the vendor if it has one of its own, `residency` and `aws_region` are those of
    the stack. A provider that is a service of AWS is called with the operator's own credentials, through `client`.

    Raises:
        BotoCoreError: the client of AWS cannot be made, such as without a region.
    """
    if missing := missing_keys(vendor, secret):
        return Access(
            vendor, "unknown", f"The secret lacks a usable value of {', '.join(missing)}. Nothing was called."
        )
    keys = {key: value for key, value in trimmed(secret).items() if isinstance(value, str)}
    deadline = Deadline.after(SECONDS)
    try:
        with deadline.limits_calls():
            if vendor == AGORA:
                shown = verify_access(_agora_calls(keys, base_url, residency, aws_region, http), deadline)
            elif vendor in PROVIDERS and PROVIDERS[vendor].base_url is None:
                shown = _verify(vendor, provider_on_aws(vendor, _client_of(vendor, base_url, client)))
            else:
                provider = provider_with(vendor, keys, base_url=base_url, residency=residency, session=http)
                shown = _verify(vendor, provider)
    except (AgoraError, ProviderError) as error:
        verdict = next(verdict for kind, verdict in _VERDICTS.items() if isinstance(error, kind))
        return Access(vendor, verdict, _sentences(vendor, str(error), keys))
    return Access(vendor, "accepted", _sentences(vendor, shown, keys))


def _verify(vendor: str, provider: Any) -> str:
    if not verifies_access(vendor):
        raise ProviderRejected("The adapter has no call that shows whether the provider accepts the credentials")
    verifier: VerifiesAccess = provider
    return verifier.verify_access()


def _agora_calls(
    keys: Mapping[str, str],
    base_url: str | None,
    residency: str | None,
    aws_region: str,
    http: "requests.Session | None",
) -> AgoraCalls:
    agoras = hosts_in(residency, aws_region) if residency else hosts_near(aws_region)
    hosts = HostRotation([base_url.rstrip("/")] if base_url else agoras)
    calls = AgoraCalls(lambda fresh: keys, hosts)
    return replace(calls, session=http) if http else calls


def _client_of(vendor: str, endpoint_url: str | None, client: Clients) -> Any:
    service = capabilities_of(vendor).aws_service
    config = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    return client(service.name if service else vendor, endpoint_url=endpoint_url, config=config)


def _sentences(vendor: str, text: str, keys: Mapping[str, str]) -> str:
    """Return a text as sentences that a terminal may show: no secret, no link with a query, at most 500 characters."""
    shown = vendor_message(hide_secrets(text, keys.values()))
    shown = f"{shown[:1].upper()}{shown[1:].rstrip('.')}."
    if vendor in PROVIDERS and PROVIDERS[vendor].base_url is None:
        shown += " The call used your own credentials, not the role of the functions."
    return shown
