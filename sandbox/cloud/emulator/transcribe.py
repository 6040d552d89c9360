"""Corrections of Transcribe where ministack differs from AWS in a way that the stack notices.

ministack has the API, the jobs and their events. This module corrects:

* A job transcribes the speech in its media, with the sandbox's speech engine, which also redacts it. ministack's
  transcript is canned.
* A start is refused where AWS refuses it: by the service's published model, by the rules of its documentation, and if
  the caller may not read the media or write the transcript. ministack accepts nearly everything.
* A start leaves `.write_access_check_file.temp` where the transcript will be, as AWS does to test its access.
* IAM knows the ARN of a job and the conditions on a job's output. ministack knows none of them.

Like `corrections` it replaces internals of one exact version of ministack.
"""

import contextvars
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import requests

from sandbox.cloud.emulator.internals import require_parameters, require_source
from sandbox.cloud.emulator.threads import on_a_thread
from sandbox.cloud.emulator.transcribe_rules import BAD_REQUEST, Fault, fault_in_start

_EXPECTED = (
    'document = _transcript_document(job_name, text, job.get("Settings"), codes)',
    "redacted_document = _transcript_document(",
    '_emit_state_change(job_name, "COMPLETED")',
    "if _JOB_RUN_SECONDS > 0:",
)
_RECOGNITION_SECONDS = (5, 3600)
_FAILS, _NEVER_ENDS = 422, 202
_UNREADABLE = (
    "The S3 URI that you provided can't be accessed. Make sure that you have read permission and try your request "
    "again."
)
_UNWRITABLE = (
    "The specified S3 bucket can't be accessed. Make sure you have write permission on the bucket and try your "
    "request again."
)


@dataclass(frozen=True)
class Recognition:
    """The sandbox's HTTP answer to the media of a job."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Recognise = Callable[[Mapping[str, str], bytes], Recognition]
"""(query, media) → the sandbox's answer; may take as long as the media lasts."""


def transcribe_real_speech(sandbox_url: str, recognise: Recognise | None = None) -> None:
    """Let jobs transcribe the speech in their media.

    The sandbox at this URL recognises it, or `recognise` in its place.

    Raises:
        RuntimeError: the installed ministack runs jobs in a way that this module does not know.
    """
    from ministack.services import transcribe  # type: ignore[import-untyped]

    require_source(transcribe._run_job_inner, *_EXPECTED)
    jobs = _RealSpeechJobs(transcribe, recognise or _sandbox_at(sandbox_url))
    transcribe._run_job_inner = jobs.run
    transcribe._transcript_document = jobs.document
    transcribe._emit_state_change = jobs.announce
    transcribe._JOB_RUN_SECONDS = 0


class _RealSpeechJobs:
    """Replaces three functions of ministack's Transcribe; each job is a task with a context of its own."""

    def __init__(self, transcribe: Any, recognise: Recognise) -> None:
        self._transcribe = transcribe
        self._recognise = recognise
        self._run = transcribe._run_job_inner
        self._announce = transcribe._emit_state_change
        self._transcript: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("transcript")
        self._events: contextvars.ContextVar[int] = contextvars.ContextVar("events", default=1)

    async def run(self, job_name: str, run_id: str, netloc: str) -> None:
        """Recognise the media, then let ministack finish the job or bring it to FAILED."""
        job = self._transcribe._live_job(job_name, run_id)
        media = _media_of(job) if job else None
        if media is None:
            # The job was deleted, or its media is gone: ministack ends both cases right.
            await self._run(job_name, run_id, netloc)
            return
        recognition = await on_a_thread(lambda: self._recognise(_query(job_name, job), media))
        if recognition.status == _NEVER_ENDS:
            return
        if recognition.status not in (200, _FAILS):
            raise RuntimeError(f"the sandbox answered HTTP {recognition.status} to the media of a transcription job")
        body = json.loads(recognition.body)
        self._events.set(int(recognition.headers["X-Events"]))
        if recognition.status == 200:
            self._transcript.set(body)
            await self._run(job_name, run_id, netloc)
        else:
            _fail(job_name, run_id, body["FailureReason"])

    def document(self, job_name: str, text: str, settings: Any, language_codes: Any) -> dict[str, Any]:
        """The transcript of the job that is being finished; the engine has redacted it if the job redacts."""
        return {**self._transcript.get(), "accountId": self._transcribe.get_account_id()}

    def announce(self, job_name: str, status: str) -> None:
        """Emit the job's state change as often as the sandbox's dials say."""
        for _ in range(self._events.get()):
            self._announce(job_name, status)


def refuse_what_transcribe_refuses() -> None:
    """Check a start as AWS checks it, after the caller is authorised and before the job is created.

    Raises:
        RuntimeError: the installed ministack serves Transcribe in another way.
    """
    from ministack.services import transcribe

    require_parameters(transcribe.handle_request, "method", "path", "headers", "body", "query_params")
    require_parameters(transcribe._parse_s3_uri, "uri")
    handle = transcribe.handle_request

    @wraps(handle)
    async def handle_checked(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if _target(headers) == "Transcribe.StartTranscriptionJob":
            try:
                request = json.loads(body)
            except ValueError:
                request = None
            fault = fault_in_start(request) or _access_fault(request, headers, query_params)
            if fault:
                return transcribe.error_response_json(fault.code, fault.message, 400)
        return await handle(method, path, headers, body, query_params)

    transcribe.handle_request = handle_checked


def name_jobs_to_iam() -> None:
    """Let policies name a job by its ARN, and a start by the bucket and the key of its output.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazontranscribe.html

    Raises:
        RuntimeError: the installed ministack names resources and conditions in another way.
    """
    from ministack.core import iam_actions  # type: ignore[import-untyped]

    require_parameters(
        iam_actions.extract_resource_arn,
        *("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
    )
    require_parameters(iam_actions.request_tag_context, "service", "iam_action", "body", "params")
    arn_of, context_of = iam_actions.extract_resource_arn, iam_actions.request_tag_context

    @wraps(arn_of)
    def arn_of_job(
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> Any:
        job_operations = ("Transcribe.GetTranscriptionJob", "Transcribe.DeleteTranscriptionJob")
        if service == "transcribe" and _target(headers) in job_operations:
            name = _object(body).get("TranscriptionJobName")
            return f"arn:aws:transcribe:{region}:{account_id}:transcription-job/{name}"
        return arn_of(service, method, path, headers, body, query_params, region, account_id)

    @wraps(context_of)
    def context_with_output(service: str, iam_action: str, body: bytes, params: Any) -> dict[str, Any]:
        context: dict[str, Any] = context_of(service, iam_action, body, params)
        if iam_action != "transcribe:StartTranscriptionJob":
            return context
        request = _object(body)
        output = {f"transcribe:{name}": request.get(name) for name in ("OutputBucketName", "OutputKey")}
        return {**context, **{name: str(value) for name, value in output.items() if value is not None}}

    iam_actions.extract_resource_arn = arn_of_job
    iam_actions.request_tag_context = context_with_output


def _sandbox_at(url: str) -> Recognise:
    def recognise(query: Mapping[str, str], media: bytes) -> Recognition:
        with requests.Session() as session:
            session.trust_env = False
            address = f"{url.rstrip('/')}/transcribe/hear"
            answer = session.post(address, params=dict(query), data=media, timeout=_RECOGNITION_SECONDS)
        return Recognition(answer.status_code, answer.headers, answer.content)

    return recognise


def _media_of(job: Mapping[str, Any]) -> bytes | None:
    from ministack.services import s3, transcribe

    bucket, key = transcribe._parse_s3_uri(job["Media"]["MediaFileUri"])
    media: bytes | None = s3._get_object_data(bucket, key)
    return media


def _query(job_name: str, job: Mapping[str, Any]) -> dict[str, str]:
    settings = job.get("Settings") or {}
    query = {"job": job_name, "format": job.get("MediaFormat") or ""}
    if settings.get("ShowSpeakerLabels"):
        query["speakers"] = str(settings["MaxSpeakerLabels"])
    if redaction := job.get("ContentRedaction"):
        query["redact"] = ",".join(redaction.get("PiiEntityTypes") or ["ALL"])
    return query


def _fail(job_name: str, run_id: str, reason: str) -> None:
    from ministack.services import transcribe

    job = transcribe._live_job(job_name, run_id)
    if job is not None:
        job.update(TranscriptionJobStatus="FAILED", FailureReason=reason, CompletionTime=time.time())
        transcribe._emit_state_change(job_name, "FAILED")


def _access_fault(request: Mapping[str, Any], headers: Any, query_params: Any) -> Fault | None:
    """Return a fault if the caller may not read the media or write the output; else leave AWS's test file."""
    from ministack.services import s3, transcribe

    bucket, key = transcribe._parse_s3_uri(request["Media"].get("MediaFileUri"))
    if bucket is None:
        return None  # ministack refuses it, with AWS's message
    if not _allowed("s3:GetObject", f"{bucket}/{key}", headers, query_params):
        return Fault(BAD_REQUEST, _UNREADABLE)
    output = request.get("OutputBucketName")
    if output is None:
        return None
    folder, slash, _ = str(request.get("OutputKey", "")).rpartition("/")
    test_file = f"{folder}{slash}.write_access_check_file.temp"
    if not _allowed("s3:PutObject", f"{output}/{test_file}", headers, query_params):
        return Fault(BAD_REQUEST, _UNWRITABLE)
    answer = s3._put_object(output, test_file, b"", {"content-length": "0"})
    return Fault(BAD_REQUEST, _UNWRITABLE) if answer[0] >= 300 else None


def _allowed(action: str, resource: str, headers: Any, query_params: Any) -> bool:
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import iam_evaluator
    from ministack.core.router import extract_access_key_id, extract_region  # type: ignore[import-untyped]

    if not app.AUTH:
        return True
    caller, region = extract_access_key_id(headers, query_params), extract_region(headers, query_params)
    return iam_evaluator.enforce(caller, action, "s3", region, resource_arn=f"arn:aws:s3:::{resource}") is None


def _target(headers: Any) -> str:
    return str(headers.get("x-amz-target") or headers.get("X-Amz-Target") or "")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
