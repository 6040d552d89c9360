"""What goes wrong between us and a provider that is a service of AWS, as our errors.

Only for calls that may be repeated: a fault whose outcome is unknown is `ProviderUnavailable` like any other.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from recording_insights.errors import (
    CredentialsRefused,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from recording_insights.redaction import vendor_message

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
    """The answer of boto3 to a call; None if AWS answers with one of these error codes.

    Raises:
        ProviderBusy: throttled, or too many jobs at once.
        CredentialsRefused: no credentials, wrong ones, or ones that may not do this.
        ProviderRejected: the request itself is refused, with AWS's reason.
        ProviderUnavailable: no answer, a server's fault, or an answer that cannot be read.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in none_if:
            return None
        raise _refusal(error.response) from None
    except BotoCoreError as error:
        raise _fault(error) from None
    except (ResponseParserError, AttributeError, TypeError, ValueError) as error:
        # The others are botocore's own parsers', where an answer has JSON of another form than its model.
        raise ProviderUnavailable(f"AWS's answer cannot be read ({type(error).__name__})") from None


def _refusal(response: Mapping[str, Any]) -> ProviderError:
    error, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(error.get("Code") or "no code"), meta.get("HTTPStatusCode", 0)
    message = vendor_message(error.get("Message") or "no reason given")
    if code in _BUSY or status == 429:
        wish = str(meta.get("HTTPHeaders", {}).get("retry-after", ""))
        return ProviderBusy(f"AWS is busy ({code})", int(wish) if wish.isdecimal() else None)
    if code in _DENIED:
        return CredentialsRefused(f"AWS does not allow it ({code}): {message}")
    if code in _UNKNOWN_CALLER or status in (401, 403):
        # Without the message: it may hold the string to sign, and with it the session's token.
        return CredentialsRefused(f"AWS refused the credentials ({code})")
    if code in _AWAY or not 400 <= status < 500:
        return ProviderUnavailable(f"AWS answered HTTP {status} ({code})")
    return ProviderRejected(f"AWS refused it ({code}): {message}")


def _fault(error: Exception) -> ProviderError:
    from botocore import exceptions

    name = type(error).__name__
    if isinstance(error, exceptions.ParamValidationError):
        return ProviderRejected(f"the request cannot be put to AWS: {vendor_message(str(error))}")
    credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
    )
    if isinstance(error, credentials):
        return CredentialsRefused(f"there are no credentials for AWS ({name})")
    # The text of botocore's errors holds whole URLs; the class says what happened.
    return ProviderUnavailable(f"AWS could not be reached ({name})")
