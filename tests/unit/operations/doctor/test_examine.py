"""The examination as a whole: order, failures, and what it leaves out."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from operations.deployed_stack import OperationFailed
from operations.doctor.after_deploy import after_deploy
from operations.doctor.check import Check, check
from operations.doctor.examine import CHECKS, examine
from operations.doctor.findings import Finding, Symptom, ok
from operations.doctor.patient import Patient
from tests.unit.operations.doctor.fake_stage import FakeAnswer, FakeStage, denied, failure
from tests.unit.operations.fake_account import aws_error


@pytest.fixture
def stage(table: Any) -> FakeStage:
    return FakeStage(table)


def raising(error: Exception) -> Check:
    @check("raises", "lambda:GetAccountSettings", "iam:ListAccessKeys")
    def examination(patient: Patient) -> Iterator[Symptom]:
        yield ok("First it finds something.")
        raise error

    return examination


def test_findings_come_in_the_order_of_the_table_although_checks_end_in_another(stage: FakeStage) -> None:
    second_has_ended = threading.Event()

    @check("first")
    def first(patient: Patient) -> Iterator[Symptom]:
        assert second_has_ended.wait(30)
        yield ok("First.")

    @check("second")
    def second(patient: Patient) -> Iterator[Symptom]:
        yield ok("Second.")
        second_has_ended.set()

    said: list[str] = []
    findings = examine(stage.patient, checks=[first, second], report=said.append)
    assert [finding.what for finding in findings] == ["First.", "Second."]
    assert said == ["Examining: first", "Examining: second"]


@pytest.mark.parametrize(
    ("error", "what", "mend"),
    [
        (denied("lambda", "get_account_settings"), "You may not call GetAccountSettings.", "lambda:GetAccountSettings"),
        (
            denied("s3", "get_bucket_policy", "User: x is not authorized to perform: s3:GetBucketPolicy on resource"),
            "You may not call GetBucketPolicy.",
            "s3:GetBucketPolicy",
        ),
        (
            aws_error("AuthorizationError", "ListSubscriptionsByTopic"),
            "You may not call",
            "lambda:GetAccountSettings or iam:ListAccessKeys",
        ),
        (aws_error("ExpiredTokenException", "ListRules"), "refuses your credentials", "Sign in to AWS again."),
        (aws_error("Throttling", "ListRules", message="s3cr3t"), "AWS refused ListRules (Throttling).", ""),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS did not answer", "Look at the network"),
        (NoCredentialsError(), "There are no credentials of AWS.", "Sign in"),
        (TimeoutError(), "Nobody answered (TimeoutError).", "Look at the network"),
        (OperationFailed("It is not deployed."), "It is not deployed.", ""),
        (KeyError("s3cr3t"), "The check failed (KeyError)", ""),
    ],
)
def test_a_check_that_fails_hides_no_other(stage: FakeStage, error: Exception, what: str, mend: str) -> None:
    @check("healthy")
    def healthy(patient: Patient) -> Iterator[Symptom]:
        yield ok("All is well.")

    first, failed, last = examine(stage.patient, checks=[raising(error), healthy])
    assert first == Finding("raises", "ok", "First it finds something.")
    assert (failed.check, failed.state) == ("raises", "unknown")
    assert what in failed.what
    assert mend in failed.mend
    assert "s3cr3t" not in repr(failed)
    assert last == Finding("healthy", "ok", "All is well.")


def test_an_examination_that_only_reads_leaves_out_what_writes_and_says_so(stage: FakeStage) -> None:
    findings = list(examine(stage.patient, read_only=True))
    assert [finding.check for finding in findings if finding.state == "unknown"] == [
        each.name for each in CHECKS if each.writes
    ]
    assert "s3.put_object" not in stage.calls


def test_each_examination_looks_again_and_asks_the_api_once(stage: FakeStage) -> None:
    patient, asked = stage.patient, list[str]()
    answer = patient.call_api
    counted = replace(patient, call_api=lambda method, path: asked.append(path) or answer(method, path))  # type: ignore[func-returns-value]
    assert {finding.state for finding in examine(counted)} == {"ok"}
    assert sorted(asked) == ["/providers", "/subscriptions"]
    stage.pages["GET /providers"] = FakeAnswer(500)
    assert {finding.check for finding in examine(counted) if finding.state != "ok"} == {"api", "providers"}


class Time:
    """A clock that moves by pauses. What the log has depends on it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


def log_after(stage: FakeStage, time: Time, seconds: float) -> None:
    def events(logGroupName: str, startTime: int, filterPattern: str) -> Any:
        key = filterPattern.strip('"')
        came = time.seconds >= seconds and any(key == each for each, _ in stage.objects)
        return {"events": [{"message": f"ignored: {key} (9 bytes)"}] if came else []}

    stage.answers["logs.filter_log_events"] = events


def test_after_a_deployment_the_object_is_put_until_its_event_comes(stage: FakeStage) -> None:
    time, said = Time(), list[str]()
    log_after(stage, time, 45)
    finding = after_deploy(stage.patient, 300, report=said.append, clock=time.clock, pause=time.pause)
    assert finding == Finding(
        "events flow", "ok", "Events of the recordings bucket flow; the first one came after 46 s."
    )
    assert stage.calls.count("s3.put_object") == 3, "events of before are lost for good"
    assert stage.objects == [], "all versions are deleted"
    assert said[0] == "No event of the recordings bucket came yet, after 0 s of at most 300 s"


def test_after_a_deployment_it_waits_no_longer_than_its_patience(stage: FakeStage) -> None:
    time = Time()
    finding = after_deploy(stage.patient, 61, clock=time.clock, pause=time.pause)
    assert (finding.state, time.seconds) == ("wrong", 61)
    assert finding.mend == "aws s3api get-bucket-notification-configuration --bucket recordings"
    assert stage.objects == []


def test_after_a_deployment_a_refusal_is_unknown(stage: FakeStage) -> None:
    stage.answers["logs.filter_log_events"] = failure("AccessDeniedException", "FilterLogEvents")
    time = Time()
    finding = after_deploy(stage.patient, 60, clock=time.clock, pause=time.pause)
    assert (finding.state, finding.mend) == ("unknown", "Let somebody give you the right logs:FilterLogEvents.")
    assert stage.objects == []
