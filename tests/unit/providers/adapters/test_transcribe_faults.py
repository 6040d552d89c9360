"""Faults between the Transcribe adapter and AWS, and the states of a job."""

from typing import Any

import pytest
from botocore import exceptions

from recording_insights.errors import (
    CredentialsRefused,
    JobNotFound,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
)
from tests.unit.providers.adapters.marsview_scene import text_of
from tests.unit.providers.adapters.transcribe_scene import JOB, error, scripted, submit

TOKEN = "FwoGZXIvYXdzEA"
ENDPOINT = "https://transcribe.test"


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *[
            (error(code), ProviderBusy)
            for code in ("ThrottlingException", "LimitExceededException", "TooManyRequestsException")
        ],
        (error("SlowDown", 503), ProviderBusy),
        (error("429", 429), ProviderBusy),
        *[
            (error(code), CredentialsRefused)
            for code in ("AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException")
        ],
        (error("ExpiredTokenException"), CredentialsRefused),
        (error("SubscriptionRequiredException"), CredentialsRefused),
        (error("403", 403), CredentialsRefused),
        (exceptions.NoCredentialsError(), CredentialsRefused),
        (error("BadRequestException", message="The S3 URI that you provided can't be accessed."), ProviderRejected),
        (exceptions.ParamValidationError(report="Invalid length"), ProviderRejected),
        (error("InternalFailureException", 500), ProviderUnavailable),
        (error("InternalFailureException"), ProviderUnavailable),
        (error("502", 502), ProviderUnavailable),
        (error("302", 302), ProviderUnavailable),
        (exceptions.EndpointConnectionError(endpoint_url=ENDPOINT), ProviderUnavailable),
        (exceptions.ReadTimeoutError(endpoint_url=ENDPOINT), ProviderUnavailable),
        (exceptions.ConnectionClosedError(endpoint_url=ENDPOINT), ProviderUnavailable),
        (AttributeError("'list' object has no attribute 'get'"), ProviderUnavailable),
    ],
)
def test_faults_become_ours(fault: Exception, kind: type[Exception]) -> None:
    for call in (submit, lambda provider: provider.fetch(JOB, None)):
        with pytest.raises(kind) as caught:
            call(scripted(fault))
        assert type(caught.value) is kind
        assert ENDPOINT not in text_of(caught.value)


def test_what_a_wrong_signature_was_made_of_stays_unsaid() -> None:
    message = f"The Canonical String for this request should have been 'POST\n/\n\nx-amz-security-token:{TOKEN}'"
    with pytest.raises(CredentialsRefused) as caught:
        submit(scripted(error("InvalidSignatureException", message=message)))
    assert TOKEN not in text_of(caught.value)


def test_the_reason_of_a_denial_is_said() -> None:
    message = "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: transcribe:StartTranscriptionJob"
    with pytest.raises(CredentialsRefused, match="transcribe:StartTranscriptionJob"):
        submit(scripted(error("AccessDeniedException", message=message)))


@pytest.mark.parametrize(("header", "retry_after"), [("7", 7), ("soon", None), (None, None)])
def test_the_retry_after_of_a_busy_aws(header: str | None, retry_after: int | None) -> None:
    with pytest.raises(ProviderBusy) as caught:
        submit(scripted(error("ThrottlingException", headers={"retry-after": header} if header else {})))
    assert caught.value.retry_after == retry_after


@pytest.mark.parametrize("answer", [{}, {"TranscriptionJob": None}, {"TranscriptionJob": {}}, []])
def test_an_answer_without_the_job(answer: Any) -> None:
    for call in (submit, lambda provider: provider.poll(JOB, None)):
        with pytest.raises(ProviderUnavailable, match="without the job"):
            call(scripted(answer))


@pytest.mark.parametrize(
    ("word", "phase"),
    [("QUEUED", "running"), ("IN_PROGRESS", "running"), ("COMPLETED", "succeeded"), ("PAUSED", "running")],
)
def test_states(word: str, phase: str) -> None:
    state = scripted({"TranscriptionJob": {"TranscriptionJobStatus": word}}).poll(JOB, None)
    assert (state.phase, state.word) == (phase, word)


def test_states_without_words() -> None:
    assert scripted({"TranscriptionJob": {"MediaFormat": "mp4"}}).poll(JOB, None).word == "unknown"
    failed = scripted({"TranscriptionJob": {"TranscriptionJobStatus": "FAILED"}}).poll(JOB, None)
    assert failed.reason == "Transcribe failed the job: no reason given"


@pytest.mark.parametrize("code", ["NotFoundException", "BadRequestException"])
def test_a_job_that_aws_knows_no_more(code: str) -> None:
    with pytest.raises(JobNotFound, match=r"^Transcribe knows no job of this name$"):
        scripted(error(code)).poll(JOB, None)


@pytest.mark.parametrize(
    ("reason", "is_providers_fault"),
    [
        # https://docs.aws.amazon.com/transcribe/latest/APIReference/CommonErrors.html, and the documentation of
        # InternalFailureException in boto3's model
        ("Internal Failure", True),
        ("Internal failure. Please try your request again.", True),
        ("There was an internal error. Check the error message, correct the issue, and try your request again.", True),
        ("An internal service error occurred.", True),
        # https://docs.aws.amazon.com/transcribe/latest/APIReference/API_TranscriptionJob.html: all that it lists
        ("Unsupported media format.", False),
        ("The media format provided does not match the detected media format.", False),
        ("Invalid sample rate for audio file.", False),
        ("The sample rate provided does not match the detected sample rate.", False),
        ("Invalid file size: file size too large.", False),
        ("Invalid number of channels: number of channels too large.", False),
        # As users report it
        ("The S3 URI that you provided can't be accessed. Make sure that you have read permission.", False),
        # Nobody's words
        ("Internal error: unsupported codec", False),
        ("The file has an internal error: it cannot be decoded", False),
        (None, False),
    ],
)
def test_a_fault_that_transcribe_calls_its_own(reason: str | None, is_providers_fault: bool) -> None:
    job = {"TranscriptionJobStatus": "FAILED", "FailureReason": reason}
    state = scripted({"TranscriptionJob": job}).poll(JOB, None)
    assert (state.phase, state.is_providers_fault) == ("failed", is_providers_fault)
