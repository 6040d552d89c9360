"""Every failure that a caller can act on.

RecordingInsightsError
├── SettingsInvalid             the function's environment is incomplete or malformed
├── SecretUnusable              a secret is missing, lacks a key or holds one that cannot be right
├── InvalidRequest              a field of a request is wrong                             (400)
├── NotFound                    no such recording                                         (404)
├── Conflict                    the recording's state does not allow it                   (409)
├── PayloadTooLarge             a request body over the limit                             (413)
├── CallbackForged              a callback does not prove that its vendor sent it         (401)
├── WatchUnavailable            the watch over a recording could not be started           (503)
├── MediaObjectGone             a media object was deleted or replaced since its event
├── StoreError
│   ├── ItemTooLarge            one utterance or insight does not fit an item of the table
│   ├── MediaMissing            a media object's row was erased while it was processed
│   ├── ChannelTaken            another start changed the claim or the recording since they were read
│   └── StatusContended         other writers kept changing a recording while its status was derived
├── UploadCredentialsError
│   ├── UploadKeyRefused        the key that signs them is wrong, or its user may not       (500)
│   └── UploadCredentialsUnavailable  AWS gave no usable answer: try again                  (503)
├── AgoraError
│   ├── AgoraRefusedCredentials customer id or secret wrong                               (502)
│   ├── AgoraRejected           parameters or quota, with Agora's reason                  (502)
│   │   └── AgoraChannelBusy    a recorder of this uid is in the channel already
│   └── AgoraUnavailable        no usable answer within the function's time               (503)
│       └── AgoraOutcomeUnknown it may have started the recording nevertheless
└── ProviderError
    ├── ProviderBusy            it is full or throttles: wait, then try again
    ├── ProviderUnavailable     no usable answer: wait, then try again
    │   └── SubmissionUnconfirmed   … to the call that buys: it may have the job nevertheless
    ├── MediaLinkExpired        it came too late for the link: submit a new one
    ├── CredentialsRefused      the secret is wrong: nobody but an operator can help
    ├── OutOfCredit             the account is empty: nobody but an operator can help
    └── ProviderRejected        it will not take this job, with its reason

No message holds a secret, a token or a presigned URL: messages end on the row, in logs and in problem documents.
"""


class RecordingInsightsError(Exception):
    """Root of the tree."""


class SettingsInvalid(RecordingInsightsError):
    """The environment of a function lacks a variable or holds one of the wrong form."""


class SecretUnusable(RecordingInsightsError):
    """A secret is missing, is not a JSON object, or a key of it is missing or malformed; holds none of its values."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"secret {name}: {detail}")
        self.name = name
        self.detail = detail


class InvalidRequest(RecordingInsightsError):
    """A field of a request is missing, of the wrong type or out of range."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class NotFound(RecordingInsightsError):
    """There is no recording of this id."""


class Conflict(RecordingInsightsError):
    """The request is sound, the recording's present state does not allow it."""


class PayloadTooLarge(RecordingInsightsError):
    """A request body exceeds the limit."""


class CallbackForged(RecordingInsightsError):
    """A callback's secret or signature is missing or wrong; nothing of it is believed."""


class WatchUnavailable(RecordingInsightsError):
    """The watch over a new recording could not be started, so Agora was not called; a repeat may help."""


class MediaObjectGone(RecordingInsightsError):
    """A media object was deleted or replaced after the event that announced it."""


class StoreError(RecordingInsightsError):
    """The insights table cannot hold, or does not hold, what was expected."""


class ItemTooLarge(StoreError):
    """A single utterance or insight exceeds what one item of the table may hold."""


class MediaMissing(StoreError):
    """The row of a media object is not in the table; it is written before the execution starts."""


class ChannelTaken(StoreError):
    """Another start changed the claim or the recording since they were read."""


class StatusContended(StoreError):
    """Other writers kept changing a recording while its status was derived."""


class UploadCredentialsError(RecordingInsightsError):
    """There are no credentials that Agora could write the recording with, so Agora was not called."""


class UploadKeyRefused(UploadCredentialsError):
    """AWS refused the uploader's key, also a fresh copy, or its user lacks the right: an operator can help."""


class UploadCredentialsUnavailable(UploadCredentialsError):
    """AWS gave no credentials within the time that the caller had; a repeat may help."""


class AgoraError(RecordingInsightsError):
    """Agora Cloud Recording did not do what it was asked."""


class AgoraRefusedCredentials(AgoraError):
    """Agora answered 401: customer id or customer secret is wrong."""


class AgoraRejected(AgoraError):
    """Agora will not do this, and a repeat will not help; holds Agora's code and reason."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"Agora refused{'' if code is None else f' (code {code})'}: {reason}")
        self.code = code
        self.reason = reason


class AgoraChannelBusy(AgoraRejected):
    """A recorder of the same uid is in the channel already, and not by this request."""


class AgoraUnavailable(AgoraError):
    """Agora gave no usable answer within the time that the caller had."""


class AgoraOutcomeUnknown(AgoraUnavailable):
    """A start got no usable answer; whether the recorder runs, its files or the next start will tell."""


class ProviderError(RecordingInsightsError):
    """A conversation-insight provider did not do what it was asked."""


class ProviderBusy(ProviderError):
    """The provider throttles or has no free slot; `retry_after` is its own wish in seconds, if it told one."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    """No connection, a time-out, a server error or an answer that cannot be read."""


class SubmissionUnconfirmed(ProviderUnavailable):
    """The call that buys got no usable answer: the provider may or may not have the job."""


class MediaLinkExpired(ProviderError):
    """The provider fetched the media after the presigned link had expired."""


class CredentialsRefused(ProviderError):
    """The provider refused the credentials, also fresh ones."""


class OutOfCredit(ProviderError):
    """The provider takes no job because the account has no credit left."""


class ProviderRejected(ProviderError):
    """The provider refused the job or ended it, and a repeat will not help; the text is its reason."""
