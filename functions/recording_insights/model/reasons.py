"""Reasons: why a media object or a recording failed or waits. The codes are a public contract (docs/reasons.md)."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypedDict

from recording_insights.store.rows import RecordingChanges

Stage = Literal["preparation", "submission", "result", "saving"]
"""Where a media object fails or waits. A recording that has no media yet has the stage `recorder` or `upload`."""
Retry = Literal["yes", "force", "no"]
"""`force`: the content or the order is the cause, so the same provider would most probably refuse it again."""


CANCELLED = "cancelled"
"""The code of what an operator ended: nothing but a retry goes on with it."""


class Reason(NamedTuple):
    """A reason code: what it means, whether a retry may help, and what to do. The texts are sentences."""

    code: str
    meaning: str
    retry: Retry
    advice: str


_AGAIN = "Retry it."
_WAIT = "Nothing: it goes on by itself."
_NEW_RECORDING = "Start a new recording."
_LIST = (
    # Preparation
    Reason("awaiting_files", "Files of the track have not arrived yet.", "yes", _WAIT),
    Reason("awaiting_conversion", "The file is being converted to a format that the provider takes.", "yes", _WAIT),
    Reason("files_incomplete", "Files of the track never arrived.", "yes", "Upload the files, then retry it."),
    Reason("nothing_recorded", "Nothing was recorded.", "no", "Nothing: there is no sound to transcribe."),
    Reason("no_sound", "The track holds no sound.", "force", "Check the files of the track."),
    Reason("not_media", "The file is not a media file.", "force", "Upload the right file."),
    Reason("media_gone", "The file was deleted or replaced.", "yes", "Upload the file again, or retry it once it is."),
    # Submission
    Reason(
        "format_not_taken",
        "The provider does not take the format of the file, and it was not converted.",
        "force",
        "Retry it with a provider that takes the format.",
    ),
    Reason(
        "too_large",
        "The media object is larger or longer than the limit.",
        "force",
        "Retry it with a provider that has a higher limit.",
    ),
    Reason(
        "language_not_taken",
        "The provider does not support the language.",
        "force",
        "Retry it with another provider or another language.",
    ),
    Reason(
        "redaction_not_taken",
        "The provider would not redact what has to be redacted.",
        "force",
        "Retry it with redact_pii in options, or with another provider.",
    ),
    Reason(
        "outside_residency",
        "The provider has no host in the residency of the stack.",
        "force",
        "Retry it with a provider that has one.",
    ),
    Reason(
        "provider_not_configured",
        "The stack does not have the provider.",
        "yes",
        "Add the provider and deploy: what waits goes on by itself.",
    ),
    Reason(
        "secret_unusable",
        "The provider's secret is missing or malformed.",
        "yes",
        "Correct the secret: what waits goes on by itself.",
    ),
    Reason(
        "secret_unavailable",
        "AWS did not return the provider's secret.",
        "yes",
        "Check the rights to the secret and its key: what waits goes on by itself.",
    ),
    Reason(
        "credentials_refused",
        "The provider refused the credentials of its secret.",
        "yes",
        "Replace the credentials: what waits goes on by itself.",
    ),
    Reason(
        "out_of_credit",
        "The provider's account has no credit left.",
        "yes",
        "Top the account up: what waits goes on by itself.",
    ),
    Reason("queued", "All slots of the provider are taken.", "yes", _WAIT),
    Reason(
        "over_recording_cap",
        "No more of the recording is submitted: it has reached a cap.",
        "yes",
        "Raise the cap: what waits goes on by itself.",
    ),
    Reason(
        "over_daily_cap",
        "The stack has submitted as many jobs today as it may.",
        "yes",
        "Nothing: it goes on after midnight UTC. Or raise mostJobsPerDay.",
    ),
    Reason("provider_paused", "An operator has paused the provider.", "yes", "Resume the provider."),
    Reason(
        "queued_too_long",
        "The media object had no turn at the provider within the time limit.",
        "yes",
        "Raise the slots or lower the load, then retry it.",
    ),
    Reason("provider_busy", "The provider throttles, or has no free slot.", "yes", _WAIT),
    Reason("provider_unavailable", "The provider gave no usable response.", "yes", _WAIT),
    Reason(
        "submission_unconfirmed",
        "The provider may have the job: it did not confirm the submission.",
        "yes",
        "Look for the job there. A retry may pay for another.",
    ),
    Reason(
        "not_accepted",
        "The provider did not accept the job within the time limit.",
        "yes",
        "Retry it when the provider works again, or with another provider.",
    ),
    Reason(
        "provider_rejected",
        "The provider refused the job.",
        "force",
        "Correct what the reason names, or retry it with another provider.",
    ),
    # Result
    Reason("link_expired", "The provider fetched the media too late, also with new links.", "yes", "Retry it later."),
    Reason(
        "job_failed",
        "The provider accepted the job and could not finish it.",
        "yes",
        "Read the reason, then retry it, perhaps with another provider.",
    ),
    Reason(
        "provider_fault",
        "The provider failed the job twice by a fault of its own.",
        "yes",
        "Retry it later. A retry pays for a new job.",
    ),
    Reason("job_unknown", "The provider does not know the job.", "yes", "Retry it. A retry pays for a new job."),
    Reason(
        "no_result",
        "The job had no result within the time limit.",
        "yes",
        "Retry it: a job that has finished since is fetched, not paid for again.",
    ),
    Reason(
        "result_not_delivered",
        "The provider's callback, the only way to the result, did not come.",
        "yes",
        "Have the provider send it again. A retry may pay anew.",
    ),
    # Saving
    Reason(
        "reply_too_large",
        "The provider's reply is larger than any that is read.",
        "force",
        "Retry it with another provider.",
    ),
    Reason(
        "reply_unreadable",
        "The provider's reply does not match its contract.",
        "yes",
        "Report it. After a correction, retry it: the kept reply is read again.",
    ),
    Reason(
        "reply_gone",
        "The stored reply of the provider was deleted.",
        "yes",
        "Retry it: the reply is fetched from the provider again.",
    ),
    Reason(
        "item_too_large",
        "One utterance or insight does not fit into an item of the table.",
        "force",
        "Retry it with another provider.",
    ),
    # Any stage
    Reason(
        "aws_unavailable",
        "A service of AWS did not answer, or throttled.",
        "yes",
        "Nothing: it goes on by itself. Once it has failed, retry it.",
    ),
    Reason(
        "aws_denied",
        "AWS denied a right to a function.",
        "yes",
        "Deploy again, or correct the right: what waits goes on by itself.",
    ),
    Reason(
        "function_stopped",
        "A function ran into its time limit, or was ended before it returned.",
        "yes",
        "Read the function's log. Once it has failed, retry it.",
    ),
    Reason(CANCELLED, "Somebody cancelled what the recording waited for.", "yes", _AGAIN),
    Reason("execution_aborted", "Somebody aborted the execution.", "yes", _AGAIN),
    Reason("execution_timed_out", "The execution exceeded its time limit.", "yes", _AGAIN),
    Reason("execution_failed", "The execution failed.", "yes", "Read the execution's history, then retry it."),
    Reason(
        "executions_used_up",
        "Too many executions ended without a result.",
        "yes",
        "Read the history of the last execution, then retry it.",
    ),
    Reason(
        "row_malformed",
        "The row of the media object was changed so that it cannot be processed.",
        "yes",
        "Correct what the reason names, then retry it.",
    ),
    Reason(
        "internal_error",
        "The processing failed by a fault of its own.",
        "yes",
        "Report it with the function's log. Once it has failed, retry it.",
    ),
    # Recorder
    Reason("start_failed", "The recorder could not be started.", "no", _NEW_RECORDING),
    Reason(
        "start_unconfirmed",
        "Agora's response to the start was lost, so the recorder may run.",
        "no",
        "Nothing: if the recorder runs, its files are processed.",
    ),
    Reason("start_interrupted", "The start was interrupted, and nothing was recorded.", "no", _NEW_RECORDING),
    Reason("recorder_not_started", "The recorder did not start within the time limit.", "no", _NEW_RECORDING),
    Reason("recorder_left", "The recorder left by itself.", "no", "Nothing: its files are processed."),
    Reason(
        "no_file_came",
        "No file of the recording came within the time limit.",
        "no",
        "Nothing: a file that comes later is processed.",
    ),
    # Upload
    Reason("awaiting_upload", "The file of the upload has not come yet.", "no", "Send the file to the link."),
    Reason("upload_missing", "The file of the upload did not come in time.", "no", "Ask for a new link, and send it."),
)
REASONS: Mapping[str, Reason] = {reason.code: reason for reason in _LIST}
"""Every reason code of media objects and recordings. Codes are never renamed."""

INSIGHT_REASONS: Mapping[str, Reason] = {
    reason.code: reason
    for reason in (
        Reason(
            "insights_model_refused",
            "The model refused a request, or the account has no access to it.",
            "yes",
            "Give access, then derive it again.",
        ),
        Reason(
            "insights_unreadable",
            "The model gave no answer in the form that was asked for, twice.",
            "yes",
            "Choose another model, then derive it again.",
        ),
        Reason(
            "insights_filtered",
            "The model or its guardrail kept the answer back, twice.",
            "yes",
            "Choose another model or guardrail, then derive it again.",
        ),
        Reason(
            "insights_unproved",
            "The lines of the conversation do not prove what the model gave.",
            "yes",
            "Choose another model, then derive it again.",
        ),
        Reason(
            "insights_over_budget",
            "More calls of the model would have cost more than insightsMaxCents.",
            "yes",
            "Raise the bound, then derive it again.",
        ),
        Reason(
            "insights_given_up",
            "The model did not answer within the time limit.",
            "yes",
            "Derive it again once the model answers.",
        ),
    )
}
"""Why something that a model was to derive is missing. The transcript and what the providers found are there."""

_CODE_OF_FAULT: Mapping[str, str] = {
    # Errors of ours
    "NotMedia": "not_media",
    "MediaObjectGone": "media_gone",
    "SecretUnusable": "secret_unusable",
    "SecretUnavailable": "secret_unavailable",
    "CredentialsRefused": "credentials_refused",
    "OutOfCredit": "out_of_credit",
    "ProviderBusy": "provider_busy",
    "ProviderUnavailable": "provider_unavailable",
    "PartsUnavailable": "provider_unavailable",
    "SubmissionUnconfirmed": "submission_unconfirmed",
    "ProviderNotConfigured": "provider_not_configured",
    "ProviderRejected": "provider_rejected",
    "MediaLinkExpired": "link_expired",
    "JobNotFound": "job_unknown",
    "ModelUnusable": "insights_model_refused",
    "ModelRefused": "insights_model_refused",
    "ReplyTooLarge": "reply_too_large",
    "ReplyUnreadable": "reply_unreadable",
    "ReplyGone": "reply_gone",
    "ItemTooLarge": "item_too_large",
    "RowMalformed": "row_malformed",
    "AwsUnavailable": "aws_unavailable",
    # Errors of Step Functions and Lambda
    **dict.fromkeys(("Timeout", "HeartbeatTimeout", "Timedout", "Unknown", "ExitError"), "function_stopped"),
    **dict.fromkeys(("ExecutionAborted", "Aborted"), "execution_aborted"),
    # Errors of AWS' services
    **dict.fromkeys(
        (
            *("AccessDenied", "AccessDeniedException", "KMSAccessDeniedException", "UnauthorizedOperation"),
            *("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"),
        ),
        "aws_denied",
    ),
    **dict.fromkeys(
        (
            *("TooManyRequestsException", "ServiceException", "AWSLambdaException", "SdkClientException"),
            *("ClientExecutionTimeoutException", "ThrottlingException", "Throttling", "KMSThrottlingException"),
            *("ProvisionedThroughputExceededException", "RequestLimitExceeded", "LimitExceededException"),
            *("TransactionConflictException", "TransactionInProgressException", "SlowDown", "RequestTimeout"),
            *("InternalError", "InternalServerError", "InternalServiceError", "InternalFailure"),
            *("ServiceUnavailable", "ServiceUnavailableException", "RequestTimeoutException"),
            *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"),
        ),
        "aws_unavailable",
    ),
    **dict.fromkeys(("404", "NoSuchKey", "412", "PreconditionFailed"), "media_gone"),
}


class Why(TypedDict):
    """The attributes of a media object that say why it failed or waits."""

    stage: Stage | None
    reason_code: str | None
    reason: str | None


NO_REASON: Why = {"stage": None, "reason_code": None, "reason": None}
"""The changes that take a reason back."""


def because(stage: Stage, code: str, reason: str) -> Why:
    """Return the changes that give a media object a reason."""
    return {"stage": stage, "reason_code": code, "reason": reason}


def because_of_recorder(code: str, reason: str) -> RecordingChanges:
    """Return the changes that give a recording a reason that is not about its media objects."""
    return {"stage": "recorder", "reason_code": code, "reason": reason}


def because_of_upload(code: str, reason: str) -> RecordingChanges:
    """Return the changes that give a reason to a recording whose file did not come, or is no media file."""
    return {"stage": "upload", "reason_code": code, "reason": reason}


def is_retryable(code: str | None) -> bool:
    """Return whether a retry may help; True if the code is unknown, as in rows of earlier versions."""
    reason = REASONS.get(code or "")
    return reason is None or reason.retry != "no"


def needs_force(code: str | None) -> bool:
    """Return whether the same provider would most probably refuse the media object again."""
    reason = REASONS.get(code or "")
    return reason is not None and reason.retry == "force"


def code_of_fault(error_name: str) -> str:
    """Return the reason code of an error's name: a class of ours, or as AWS or Step Functions names an error.

    What stands before the last dot, such as `Lambda.` or `States.`, does not count. "internal_error" if it is unknown.
    """
    return _CODE_OF_FAULT.get(error_name.rpartition(".")[2], "internal_error")
