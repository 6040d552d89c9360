"""Calls to a provider that is a service of AWS, with its faults turned into our errors.

Only for calls that may be repeated: a fault with an unknown outcome becomes `ProviderUnavailable` like any other.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from recording_insights.errors import (
    CredentialsRefused,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from recording_insights.providers.toolkit.http import time_for_a_call
from recording_insights.providers.toolkit.retry_after import retry_after_seconds
from recording_insights.redaction import vendor_message

_logger = logging.getLogger(__name__)

_BUSY = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "OptInRequired", "SubscriptionRequiredException"})
_UNKNOWN_CALLER = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_AWAY = frozenset({"InternalFailure", "InternalFailureException", "RequestTimeout", "ServiceUnavailableException"})


def ask_aws(call: Callable[[], Any], *, none_if: Collection[str]) -> Any:
    """Return the response of a boto3 call, or None if AWS answers with one of the error codes in `none_if`.

    Raises:
        ProviderBusy: AWS throttles the call, or too many jobs run at once.
        CredentialsRefused: the credentials are missing, wrong, or lack the permission.
        ProviderRejected: AWS refuses the request itself; the text is its reason.
        ProviderUnavailable: no response, a fault of the server, a response that cannot be read, or no time for a call.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    time_for_a_call("AWS", "one of its services")
    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in none_if:
            return None
        raise _refusal(error.response) from None
    except BotoCoreError as error:
        raise _fault(error) from None
    except (ResponseParserError, AttributeError, TypeError, ValueError) as error:
        # The parsers of botocore raise the built-in errors for JSON that does not fit their model.
        _logger.warning("the answer of AWS cannot be read: %s", type(error).__name__)
        raise ProviderUnavailable("AWS's answer cannot be read") from None


def _refusal(response: Mapping[str, Any]) -> ProviderError:
    error, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(error.get("Code") or "no code"), meta.get("HTTPStatusCode", 0)
    message = vendor_message(error.get("Message") or "no reason given")
    _logger.warning("AWS refused the call: %s", code)
    if code in _BUSY or status == 429:
        headers = {name.title(): str(value) for name, value in meta.get("HTTPHeaders", {}).items()}
        return ProviderBusy("AWS throttles, or runs too many jobs", retry_after_seconds(headers, datetime.now(UTC)))
    if code in _DENIED:
        return CredentialsRefused(f"AWS does not allow the call: {message}")
    if code in _UNKNOWN_CALLER or status in (401, 403):
        # The message is left out: it may contain the string to sign, and with it the session's token.
        return CredentialsRefused("AWS refused the credentials of the function")
    if code in _AWAY or not 400 <= status < 500:
        return ProviderUnavailable(f"AWS answered HTTP {status}")
    return ProviderRejected(f"AWS refused the request: {message}")


def _fault(error: Exception) -> ProviderError:
    from botocore import exceptions

    if isinstance(error, exceptions.ParamValidationError):
        return ProviderRejected(f"the request is not valid for AWS: {vendor_message(str(error))}")
    credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
    )
    if isinstance(error, credentials):
        return CredentialsRefused("there are no credentials for AWS")
    # The text of botocore's errors contains whole URLs. The class says enough, in the log.
    _logger.warning("AWS could not be reached: %s", type(error).__name__)
    return ProviderUnavailable("AWS could not be reached")
