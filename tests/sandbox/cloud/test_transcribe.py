"""What the local cloud's Transcribe is corrected in beside what its jobs hear: IAM, and the version it is made for."""

import json
from typing import Any

import pytest
from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-untyped]
from ministack.services import s3, transcribe  # type: ignore[import-untyped]

from sandbox.cloud.emulator import transcribe as emulator_transcribe
from sandbox.cloud.emulator.transcribe import name_jobs_to_iam, transcribe_real_speech

JOB_ARN = "arn:aws:transcribe:eu-central-1:123456789012:transcription-job/job-1"
START = {
    "TranscriptionJobName": "job-1",
    "Media": {"MediaFileUri": "s3://recordings/folder/talk.mp4"},
    "OutputBucketName": "replies",
    "OutputKey": "transcribe/job-1.json",
}


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("extract_resource_arn", "request_tag_context"):
        monkeypatch.setattr(iam_actions, name, getattr(iam_actions, name))
    name_jobs_to_iam()


@pytest.mark.parametrize(
    ("service", "target", "body", "arn"),
    [
        ("transcribe", "Transcribe.GetTranscriptionJob", b'{"TranscriptionJobName": "job-1"}', JOB_ARN),
        ("transcribe", "Transcribe.DeleteTranscriptionJob", b'{"TranscriptionJobName": "job-1"}', JOB_ARN),
        ("transcribe", "Transcribe.GetTranscriptionJob", b"nonsense", JOB_ARN.replace("job-1", "None")),
        ("transcribe", "Transcribe.StartTranscriptionJob", json.dumps(START).encode(), "*"),
        ("transcribe", "Transcribe.ListTranscriptionJobs", b"{}", "*"),
        ("translate", "Transcribe.GetTranscriptionJob", b"{}", "*"),
    ],
)
def test_policies_may_name_a_job_where_aws_lets_them(
    named: None, service: str, target: str, body: bytes, arn: str
) -> None:
    headers = {"x-amz-target": target}
    found = iam_actions.extract_resource_arn(service, "POST", "/", headers, body, {}, "eu-central-1", "123456789012")
    assert found == arn


def test_policies_may_name_the_output_of_a_start(named: None) -> None:
    body = json.dumps(START).encode()
    context = iam_actions.request_tag_context("transcribe", "transcribe:StartTranscriptionJob", body, {})
    assert context["transcribe:OutputBucketName"] == "replies"
    assert context["transcribe:OutputKey"] == "transcribe/job-1.json"
    other = iam_actions.request_tag_context("transcribe", "transcribe:GetTranscriptionJob", body, {})
    assert "transcribe:OutputBucketName" not in other


@pytest.mark.parametrize(
    ("denied", "message"),
    [
        ("s3:GetObject", "The S3 URI that you provided can't be accessed."),
        ("s3:PutObject", "The specified S3 bucket can't be accessed."),
        (None, None),
    ],
)
def test_the_caller_itself_must_read_and_write(
    monkeypatch: pytest.MonkeyPatch, denied: str | None, message: str | None
) -> None:
    asked: list[tuple[Any, ...]] = []

    def enforce(caller: str, action: str, service: str, region: str, resource_arn: str) -> str | None:
        asked.append((caller, action, resource_arn))
        return "denied" if action == denied else None

    monkeypatch.setattr("ministack.app.AUTH", True)
    monkeypatch.setattr(iam_evaluator, "enforce", enforce)
    monkeypatch.setattr(s3, "_put_object", lambda *_: (200, {}, b""))
    signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260312/eu-central-1/transcribe/aws4_request, Signature=0"
    fault = emulator_transcribe._access_fault(START, {"authorization": signed}, {})
    assert (fault and fault.message[: len(message or "")]) == message
    assert asked[0] == ("AKIDEXAMPLE", "s3:GetObject", "arn:aws:s3:::recordings/folder/talk.mp4")
    if denied != "s3:GetObject":
        assert asked[1][1:] == ("s3:PutObject", "arn:aws:s3:::replies/transcribe/.write_access_check_file.temp")


def test_another_ministack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_in_another_way(job_name: str, run_id: str, netloc: str) -> None:
        return None

    monkeypatch.setattr(transcribe, "_run_job_inner", run_in_another_way)
    with pytest.raises(RuntimeError, match="differs from the version"):
        transcribe_real_speech("http://nobody.test")
