"""Transcribe in the local cloud, corrected where the stack would notice that it is not AWS.

ministack has the API, the jobs and their events. Corrected here:

* What a job hears is what its media says: the sandbox's speech engine listens. ministack's words are canned.
* A start is refused where AWS refuses it: by the service's own published model, by the rules that its documentation
  adds, and where the caller may not read the media or write the transcript, which AWS does with the caller's
  permissions. ministack takes nearly everything.
* A start leaves `.write_access_check_file.temp` beside the transcript to come, as AWS does to try whether it may.
* IAM knows the ARN of a job and the conditions on a job's output. ministack knows none of them.

Like sandbox/cloud/emulator.py this replaces internals of one exact version of ministack, and refuses another.
"""

import asyncio
import concurrent.futures
import contextvars
import inspect
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.cloud.emulator.transcribe_rules import BAD_REQUEST, Fault, fault_in_start

_EXPECTED = (
    'document = _transcript_document(job_name, text, job.get("Settings"), codes)',
    '_emit_state_change(job_name, "COMPLETED")',
    "if _JOB_RUN_SECONDS > 0:",
)
_HEARING_SECONDS = (5, 3600)
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
class Heard:
    """The sandbox's answer to a job's media."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Hear = Callable[[Mapping[str, str], bytes], Heard]
"""(query, media) → what was heard; may take long."""


def hear_real_speech(sandbox_url: str, hear: Hear | None = None) -> None:
    """Let jobs transcribe what their media says; `hear` stands in for the sandbox at this URL."""
    from ministack.services import transcribe  # type: ignore[import-untyped]

    source = inspect.getsource(transcribe._run_job_inner)
    if missing := [line for line in _EXPECTED if line not in source]:
        raise RuntimeError(f"ministack runs a transcription job in another way than this module corrects: {missing}")
    ask = hear or _sandbox_at(sandbox_url)
    heard_now: contextvars.ContextVar[tuple[dict[str, Any] | None, int]] = contextvars.ContextVar("transcribe_heard")
    run, emit = transcribe._run_job_inner, transcribe._emit_state_change

    async def run_hearing(job_name: str, run_id: str, netloc: str) -> None:
        job = transcribe._live_job(job_name, run_id)
        media = _media_of(job) if job else None
        if media is None:
            # The job was deleted, or its media is gone: ministack knows what to do.
            await run(job_name, run_id, netloc)
            return
        heard = await _on_a_thread(lambda: ask(_query(job_name, job), media))
        if heard.status == 200:
            heard_now.set((json.loads(heard.body), _events(heard)))
            await run(job_name, run_id, netloc)
        elif heard.status == _FAILS:
            heard_now.set((None, _events(heard)))
            _fail(job_name, run_id, json.loads(heard.body)["FailureReason"])
        elif heard.status != _NEVER_ENDS:
            raise RuntimeError(f"the sandbox answered HTTP {heard.status} to the media of a transcription job")

    def heard_document(job_name: str, text: str, settings: Any, language_codes: Any) -> dict[str, Any]:
        document, _ = heard_now.get()
        if document is None:
            raise RuntimeError("nothing was heard")
        return {**document, "accountId": transcribe.get_account_id()}

    def emit_as_often(job_name: str, status: str) -> None:
        _, events = heard_now.get((None, 1))
        for _ in range(events):
            emit(job_name, status)

    transcribe._run_job_inner = run_hearing
    transcribe._transcript_document = heard_document
    transcribe._emit_state_change = emit_as_often
    transcribe._JOB_RUN_SECONDS = 0


def refuse_what_transcribe_refuses() -> None:
    """Check a start as AWS checks it, after the caller is known and before there is a job."""
    from ministack.services import transcribe

    handle = transcribe.handle_request

    async def handle_checked(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if _target(headers) == "Transcribe.StartTranscriptionJob":
            try:
                wanted = json.loads(body)
            except ValueError:
                wanted = None
            fault = fault_in_start(wanted) or _access_fault(wanted, headers, query_params)
            if fault:
                return transcribe.error_response_json(fault.code, fault.message, 400)
        return await handle(method, path, headers, body, query_params)

    transcribe.handle_request = handle_checked


def name_jobs_to_iam() -> None:
    """Let policies name a job by its ARN, and a start by the bucket and the key of its output.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazontranscribe.html
    """
    from ministack.core import iam_actions  # type: ignore[import-untyped]

    arn_of, context_of = iam_actions.extract_resource_arn, iam_actions.request_tag_context

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

    def context_with_output(service: str, iam_action: str, body: bytes, params: Any) -> dict[str, Any]:
        context: dict[str, Any] = context_of(service, iam_action, body, params)
        if iam_action != "transcribe:StartTranscriptionJob":
            return context
        wanted = _object(body)
        output = {f"transcribe:{name}": wanted.get(name) for name in ("OutputBucketName", "OutputKey")}
        return {**context, **{name: str(value) for name, value in output.items() if value is not None}}

    iam_actions.extract_resource_arn = arn_of_job
    iam_actions.request_tag_context = context_with_output


def _sandbox_at(url: str) -> Hear:
    def hear(query: Mapping[str, str], media: bytes) -> Heard:
        with requests.Session() as session:
            session.trust_env = False
            address = f"{url.rstrip('/')}/transcribe/hear"
            answer = session.post(address, params=dict(query), data=media, timeout=_HEARING_SECONDS)
        return Heard(answer.status_code, answer.headers, answer.content)

    return hear


async def _on_a_thread(work: Callable[[], Heard]) -> Heard:
    """Run it beside the loop, which serves the whole cloud.

    On a thread of its own: hearing takes long, the loop's few run the functions, and the end of the process waits
    for those.
    """
    future: concurrent.futures.Future[Heard] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - whoever awaits the future gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)


def _media_of(job: Mapping[str, Any]) -> bytes | None:
    from ministack.services import s3, transcribe

    bucket, key = transcribe._parse_s3_uri(job["Media"]["MediaFileUri"])
    media: bytes | None = s3._get_object_data(bucket, key)
    return media


def _query(job_name: str, job: Mapping[str, Any]) -> dict[str, str]:
    settings = job.get("Settings") or {}
    query = {"job": job_name, "format": job.get("MediaFormat") or ""}
    return {**query, "speakers": str(settings["MaxSpeakerLabels"])} if settings.get("ShowSpeakerLabels") else query


def _events(heard: Heard) -> int:
    return int(heard.headers["X-Events"])


def _fail(job_name: str, run_id: str, reason: str) -> None:
    from ministack.services import transcribe

    job = transcribe._live_job(job_name, run_id)
    if job is not None:
        job.update(TranscriptionJobStatus="FAILED", FailureReason=reason, CompletionTime=time.time())
        transcribe._emit_state_change(job_name, "FAILED")


def _access_fault(wanted: Mapping[str, Any], headers: Any, query_params: Any) -> Fault | None:
    """What the caller itself may not do, or the test file that AWS leaves once it may."""
    from ministack.services import s3, transcribe

    bucket, key = transcribe._parse_s3_uri(wanted["Media"].get("MediaFileUri"))
    if bucket is None:
        return None  # ministack refuses it in AWS's words
    if not _allowed("s3:GetObject", f"{bucket}/{key}", headers, query_params):
        return Fault(BAD_REQUEST, _UNREADABLE)
    output = wanted.get("OutputBucketName")
    if output is None:
        return None
    folder, slash, _ = str(wanted.get("OutputKey", "")).rpartition("/")
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
