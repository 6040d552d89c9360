"""The errors that a caller can act on, as one tree; the numbers are the HTTP status where an API route raises them.

RecordingInsightsError
├── SettingsInvalid             the environment of a function is incomplete or malformed
├── SecretUnusable              a secret or one of its keys is missing or malformed                 (500)
├── SecretUnavailable           AWS did not return a secret: access denied, or no answer: try again (503)
├── InvalidRequest              a field of a request is wrong                                       (400)
│   └── CallbackUnusable        an authentic callback has no usable content                         (400)
├── NotFound                    there is no recording, job, media object or provider of this name   (404)
├── RecordingErased             the recording was erased, or is being erased                        (410)
├── Conflict                    the recording's state does not allow the request                    (409)
├── PayloadTooLarge             the body of a request exceeds the limit                             (413)
├── AnswerTooLarge              an answer in one piece would exceed what Lambda can return          (413)
├── CallbackForged              a callback does not prove that its vendor sent it                   (401)
├── WatchUnavailable            the watch over a recording could not be started: try again          (503)
├── IntakePaused                an operator has paused the intake: try again later                  (503)
├── AwsUnavailable              a service of AWS did not answer in time, or throttled: try again     (503)
├── HostRefused                 a subscription's host is not public, or its name cannot be resolved
├── ChangeUnreadable            a record of the table's stream has no id, key or moment
├── MediaObjectGone             a media object was deleted or replaced after its event
├── NotMedia                    an object in the recordings bucket is no media
├── ReplyGone                   a reply in the replies bucket was deleted
├── StoreError
│   ├── ItemTooLarge            one utterance or insight does not fit into an item of the table
│   ├── MediaMissing            the row of a media object was deleted while it was processed
│   ├── RowMalformed            the row of a media object was changed so that it cannot be processed
│   ├── ChannelTaken            another start changed the claim or the recording after they were read
│   └── StatusContended         other writers kept changing a recording while its status was derived
├── UploadCredentialsError
│   ├── UploadKeyRefused        AWS refuses the key that signs them: an operator must act           (500)
│   └── UploadCredentialsUnavailable  AWS returned no credentials in time: try again                (503)
├── AgoraError
│   ├── AgoraRefusedCredentials customer id or customer secret is wrong                             (502)
│   ├── AgoraRejected           Agora refuses the request, with its reason                          (502)
│   │   └── AgoraChannelBusy    another recorder of this uid is in the channel                      (502)
│   └── AgoraUnavailable        no usable response in time: try again                               (503)
│       └── AgoraOutcomeUnknown … to a start: a recorder may run                                    (503)
└── ProviderError
    ├── ProviderNotConfigured   there is no provider of this name
    ├── ProviderBusy            the provider throttles or has no free slot: wait, then try again
    ├── ProviderUnavailable     no usable response: wait, then try again
    │   ├── SubmissionUnconfirmed   … to the call that is paid for: the provider may have the job
    │   └── PartsUnavailable    … for parts of a finished job's reply: the error has the other parts
    ├── MediaLinkExpired        the provider fetched the media too late: submit a new link
    ├── CredentialsRefused      the provider's secret is wrong: an operator must act
    │   └── ModelUnusable       there is no access to the model, or none of its id: an operator must act
    ├── OutOfCredit             the provider's account is empty: an operator must act
    └── ProviderRejected        the provider refuses the job, with its reason
        ├── ModelRefused        the model refuses a request, with its reason
        ├── ReplyTooLarge       the reply is larger than any that is read
        ├── ReplyUnreadable     the reply does not match the provider's contract
        └── JobNotFound         the provider does not know the job: poll once more, minutes later

No message holds a secret, a token or a presigned URL: messages are written to rows, logs and problem documents.
"""


class RecordingInsightsError(Exception):
    """Root of the tree."""


class SettingsInvalid(RecordingInsightsError):
    """A variable in the environment of a function is missing or has the wrong form."""


class SecretUnusable(RecordingInsightsError):
    """A secret is missing, is no JSON object, or lacks a valid key; the message holds no value of the secret.

    `is_missing` is True if there is no secret of this name.
    """

    def __init__(self, name: str, detail: str, *, is_missing: bool = False) -> None:
        super().__init__(f"secret {name}: {detail}")
        self.name = name
        self.detail = detail
        self.is_missing = is_missing


class SecretUnavailable(RecordingInsightsError):
    """AWS did not return a secret: it denied the secret or its key, throttled, or did not answer.

    `fault` is AWS's code or the name of the error, for the log. The message has no such names.
    """

    def __init__(self, name: str, fault: str) -> None:
        said = "denied the access to it" if "AccessDenied" in fault else "did not return it"
        super().__init__(f"secret {name}: AWS {said}")
        self.name = name
        self.fault = fault


class InvalidRequest(RecordingInsightsError):
    """A field of a request is missing, of the wrong type or out of range."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class CallbackUnusable(InvalidRequest):
    """An authentic callback has no usable content; `key` is the `callback_key` of the job that it names, or empty."""

    def __init__(self, detail: str, key: str) -> None:
        super().__init__("body", detail)
        self.key = key


class NotFound(RecordingInsightsError):
    """There is no recording, job, media object, provider or route of this name."""


class RecordingErased(RecordingInsightsError):
    """The recording was erased, or is being erased. `receipt` is what may be shown of it: its id at least."""

    def __init__(self, recording_id: str, receipt: dict[str, object]) -> None:
        is_over = "erased_at" in receipt
        super().__init__(f"recording {recording_id} {'was' if is_over else 'is being'} erased")
        self.receipt = receipt


class Conflict(RecordingInsightsError):
    """The request is valid, but the recording's present state does not allow it."""


class HostRefused(RecordingInsightsError):
    """No event is sent to a host: one of its addresses is not public, or its name cannot be resolved."""


class PayloadTooLarge(RecordingInsightsError):
    """The body of a request exceeds the limit."""


class AnswerTooLarge(RecordingInsightsError):
    """An answer in one piece would be larger than Lambda can return."""


class CallbackForged(RecordingInsightsError):
    """The token or signature of a callback is missing or wrong; nothing of the callback was processed."""


class WatchUnavailable(RecordingInsightsError):
    """The watch over a new recording could not be started, so Agora was not called; trying again may help."""


class IntakePaused(RecordingInsightsError):
    """An operator has paused the intake: nothing new is taken in until it goes on."""

    def __init__(self, since: str) -> None:
        super().__init__(f"An operator has paused the intake since {since}; try again later.")


class AwsUnavailable(RecordingInsightsError):
    """A service of AWS did not answer in time, answered with a fault of its own, or throttled; a write may be done."""


class NotMedia(RecordingInsightsError):
    """An object is recognised as something else than media, such as HTML or text, whatever its key."""


class ChangeUnreadable(RecordingInsightsError):
    """A record of the table's stream has no id, no key or no moment, or holds what DynamoDB does not have."""


class MediaObjectGone(RecordingInsightsError):
    """A media object was deleted or replaced after the event that announced it."""


class ReplyGone(RecordingInsightsError):
    """A reply in the replies bucket was deleted."""


class StoreError(RecordingInsightsError):
    """The insights table could not be read or written as expected."""


class ItemTooLarge(StoreError):
    """A single utterance or insight exceeds the size of one item of the table."""


class MediaMissing(StoreError):
    """The row of a media object is not in the table, although it is written before the execution starts."""


class RowMalformed(StoreError):
    """The row of a media object was changed so that it cannot be processed; the message names the attribute."""


class ChannelTaken(StoreError):
    """Another start changed the claim or the recording after they were read."""


class StatusContended(StoreError):
    """Other writers kept changing a recording while its status was derived."""


class UploadCredentialsError(RecordingInsightsError):
    """There are no credentials for Agora to upload the recording with, so Agora was not called."""


class UploadKeyRefused(UploadCredentialsError):
    """AWS refused the uploader's key, also a fresh copy, or its user lacks the right: an operator must act."""


class UploadCredentialsUnavailable(UploadCredentialsError):
    """AWS returned no credentials within the caller's time; trying again may help."""


class AgoraError(RecordingInsightsError):
    """A call to Agora Cloud Recording failed."""


class AgoraRefusedCredentials(AgoraError):
    """Agora responded with 401: customer id or customer secret is wrong."""


class AgoraRejected(AgoraError):
    """Agora refuses the request, and trying again does not help; holds Agora's code and reason."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"Agora refused{'' if code is None else f' (code {code})'}: {reason}")
        self.code = code
        self.reason = reason


class AgoraChannelBusy(AgoraRejected):
    """Another recorder of the same uid is in the channel, and this request did not start it."""


class AgoraUnavailable(AgoraError):
    """Agora returned no usable response within the caller's time."""


class AgoraOutcomeUnknown(AgoraUnavailable):
    """Agora returned no usable response to a start. Its files, or the next start, show whether a recorder runs."""


class ProviderError(RecordingInsightsError):
    """A call to a conversation-insight provider failed."""


class ProviderNotConfigured(ProviderError):
    """There is no provider of this name."""


class ProviderBusy(ProviderError):
    """The provider throttles or has no free slot; `retry_after` is the delay that it requests, in seconds, or None."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    """No connection, a time-out, a server error, or a response that cannot be read."""


class SubmissionUnconfirmed(ProviderUnavailable):
    """The call that is paid for got no usable response: the provider may or may not have the job."""


class PartsUnavailable(ProviderUnavailable):
    """Parts of a finished job's reply are not available; `reply` is the reply without them, which can be read."""

    def __init__(self, message: str, reply: bytes) -> None:
        super().__init__(message)
        self.reply = reply


class MediaLinkExpired(ProviderError):
    """The provider fetched the media after the presigned link had expired."""


class CredentialsRefused(ProviderError):
    """The provider refused the credentials, also fresh ones."""


class ModelUnusable(CredentialsRefused):
    """The account has no access to the model, or there is no such model or guardrail in the region."""


class OutOfCredit(ProviderError):
    """The provider accepts no job because the account has no credit left."""


class ProviderRejected(ProviderError):
    """The provider refused or ended the job, and trying again does not help; the message is its reason."""


class ModelRefused(ProviderRejected):
    """The model refuses a request; `is_too_long` if that is because of the request's length."""

    def __init__(self, reason: str, *, is_too_long: bool = False) -> None:
        super().__init__(reason)
        self.is_too_long = is_too_long


class ReplyTooLarge(ProviderRejected):
    """The reply is larger than any that is read: its parsing could take more memory than a function has."""


class ReplyUnreadable(ProviderRejected):
    """The reply does not match the provider's contract; it stays in the replies bucket."""


class JobNotFound(ProviderRejected):
    """The provider does not know the job. A provider has said so once for a job that exists, so ask it again."""
