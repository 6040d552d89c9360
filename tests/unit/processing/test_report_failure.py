import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

from recording_insights.processing.report_failure import fault_of, report_failure, report_stopped_execution
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import RecordingRow
from recording_insights.watch.progress import Watch
from tests.unit.conftest import MakeMedia
from tests.unit.executions import name_of
from tests.unit.fakes import turns_of

SID = "b1946ac92492d2347c6235b4d2611184"


@pytest.fixture
def state(store: MediaStore, make_media: MakeMedia) -> dict[str, Any]:
    """What "Report failure" gets for an admitted media object."""
    media = make_media(f"{SID}_weekly-sync_0.mp4")
    store.admit(SID, media, providers=["marsview"], duration_ms=None)
    execution = f"arn:aws:states:eu-central-1:000000000000:execution:processing:{name_of(media, SID)}"
    ids = {"recording_id": SID, "media_id": media.media_id, "key": media.key, "execution": execution}
    return {**ids, "outcome": "running", "reason": ""}


def lambda_error(name: str, message: str) -> dict[str, str]:
    """As Step Functions hands on what a function raised."""
    cause = {"errorMessage": message, "errorType": name, "requestId": "1f0a", "stackTrace": ["  File x, line 1\n"]}
    return {"Error": name, "Cause": json.dumps(cause)}


def test_the_reason_of_an_outcome_is_on_the_row(state: dict[str, Any], store: MediaStore) -> None:
    reason = report_failure(
        {**state, "outcome": "failed", "reason": "Marsview is away"}, store=store, turns=turns_of(store)
    )

    assert reason == "Marsview is away"
    item = store.get(SID, state["media_id"])
    assert (item["status"], item["reason"]) == ("failed", "Marsview is away")
    recording = store.recordings.get(SID)
    assert (recording["status"], recording["reason"]) == ("failed", f"{state['key']}: Marsview is away")


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (
            lambda_error("ReplyUnreadable", "it has no field data; stored as a/b.json"),
            "reply_unreadable",
            "The provider's reply does not match its contract: it has no field data; stored as a/b.json",
        ),
        (
            lambda_error("SecretUnusable", "secret a/b: gone"),
            "secret_unusable",
            "The provider's secret is missing or malformed: secret a/b: gone",
        ),
        (lambda_error("KeyError", "'data'"), "internal_error", "The processing failed by a fault of its own"),
        (
            lambda_error("ClientError", "An error occurred (AccessDenied) when calling the GetObject operation: no"),
            "aws_denied",
            "AWS denied a right to a function",
        ),
        (
            lambda_error("Sandbox.Timedout", "Task timed out after 3.00 seconds"),
            "function_stopped",
            "A function ran into its time limit, or was ended before it returned",
        ),
        (
            {"Error": "Lambda.TooManyRequestsException", "Cause": "Rate\nexceeded"},
            "aws_unavailable",
            "A service of AWS did not answer, or throttled",
        ),
        ({"Error": "States.TaskFailed", "Cause": '"text"'}, "internal_error", None),
        ({"Error": "States.TaskFailed", "Cause": "[1]"}, "internal_error", None),
        ({"Error": "States.TaskFailed", "Cause": "{}"}, "internal_error", None),
        ({"Error": "States.TaskFailed"}, "internal_error", None),
        ({"Error": "ProviderRejected", "Cause": ""}, "provider_rejected", "The provider refused the job"),
    ],
)
def test_a_caught_error_becomes_a_code_and_a_sentence(
    state: dict[str, Any], store: MediaStore, error: dict[str, str], code: str, reason: str | None
) -> None:
    expected = reason or "The processing failed by a fault of its own"

    assert (
        report_failure({**state, "error": error, "failed_state": "Save insights"}, store=store, turns=turns_of(store))
        == expected
    )

    row = store.get(SID, state["media_id"])
    assert (row["stage"], row["reason_code"], row["reason"]) == ("saving", code, expected)
    recording = store.recordings.get(SID)
    assert (recording["stage"], recording["reason_code"]) == ("saving", code)


def test_an_outcome_fails_at_the_stage_that_was_reached(state: dict[str, Any], store: MediaStore) -> None:
    report_failure(
        {**state, "outcome": "failed", "reason": "no", "reason_code": "provider_rejected"},
        store=store,
        turns=turns_of(store),
    )

    row = store.get(SID, state["media_id"])
    assert (row["stage"], row["reason_code"], row["reason"]) == ("submission", "provider_rejected", "no")


def test_the_log_has_what_aws_said() -> None:
    assert fault_of(lambda_error("KeyError", "'data'")) == "KeyError: 'data'"
    assert fault_of({"Error": "Lambda.Unknown", "Cause": "It could not\nbe reached"}) == (
        "Lambda.Unknown: It could not be reached"
    )
    assert fault_of({}) == ""


def test_no_link_reaches_the_row(state: dict[str, Any], store: MediaStore) -> None:
    error = lambda_error("ProviderRejected", "https://bucket/a.mp4?X-Amz-Signature=5ec0de " + "x" * 9000)

    reason = report_failure({**state, "error": error, "failed_state": "Poll job"}, store=store, turns=turns_of(store))

    assert "5ec0de" not in reason
    assert len(reason) < 600


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_finished_media_object_keeps_its_end(
    state: dict[str, Any], store: MediaStore, captured_event: Callable[[str], Any], status: Literal["done", "failed"]
) -> None:
    store.finish(SID, state["media_id"], status, reason="the first")
    event = stopped(captured_event("execution_aborted"), state)

    report_stopped_execution(event["detail"], store=store, turns=turns_of(store))
    report_failure({**state, "reason": "late"}, store=store, turns=turns_of(store))

    item = store.get(SID, state["media_id"])
    assert (item["status"], item["reason"]) == (status, "the first")


def stopped(event: Any, state: dict[str, Any]) -> Any:
    """The event, for the media object of this test."""
    given = json.loads(event["detail"]["input"])
    event["detail"]["input"] = json.dumps({**given, "media_id": state["media_id"]})
    event["detail"]["name"] = state["execution"].rpartition(":")[2]
    return event


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("execution_aborted", "the execution was aborted"),
        ("execution_timed_out", "the execution exceeded its time limit"),
        ("execution_failed", "the execution failed"),
    ],
)
def test_an_execution_that_was_stopped_leaves_its_reason(
    state: dict[str, Any], store: MediaStore, captured_event: Callable[[str], Any], name: str, reason: str
) -> None:
    event = stopped(captured_event(name), state)

    assert report_stopped_execution(event["detail"], store=store, turns=turns_of(store)) == reason

    item = store.get(SID, state["media_id"])
    assert (item["status"], item["stage"], item["reason_code"]) == ("failed", "submission", name)
    assert item["reason"] == reason
    assert store.recordings.get(SID)["status"] == "failed"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"error": "Operator", "cause": "the wrong recording"}, "Operator: the wrong recording"),
        ({"cause": "the wrong recording"}, "the wrong recording"),
        ({"error": "Operator"}, "Operator"),
    ],
)
def test_whoever_aborts_may_say_why(
    state: dict[str, Any],
    store: MediaStore,
    captured_event: Callable[[str], Any],
    said: dict[str, str],
    reason: str,
) -> None:
    event = stopped(captured_event("execution_aborted"), state)
    event["detail"].update(said)

    assert (
        report_stopped_execution(event["detail"], store=store, turns=turns_of(store))
        == f"the execution was aborted: {reason}"
    )


def test_a_failure_that_could_not_be_reported_says_so(
    state: dict[str, Any], store: MediaStore, captured_event: Callable[[str], Any]
) -> None:
    event = stopped(captured_event("execution_failed"), state)
    event["detail"] |= {"error": "RecordingFailed", "cause": "the failure could not be reported"}

    report_stopped_execution(event["detail"], store=store, turns=turns_of(store))

    row = store.get(SID, state["media_id"])
    assert row["reason"] == "the execution failed: the failure could not be reported"


def test_a_status_of_the_future_is_named(
    state: dict[str, Any], store: MediaStore, captured_event: Callable[[str], Any]
) -> None:
    event = stopped(captured_event("execution_aborted"), state)
    event["detail"]["status"] = "EVAPORATED"

    assert (
        report_stopped_execution(event["detail"], store=store, turns=turns_of(store))
        == "the execution ended as EVAPORATED"
    )


class TestWatch:
    """An execution of the watch that ended: the recording keeps its status and gets the reason."""

    @pytest.fixture
    def recording(self, store: MediaStore, make_media: MakeMedia) -> RecordingRow:
        store.admit(SID, make_media(f"{SID}_weekly-sync_0.mp4"), providers=["marsview"], duration_ms=None)
        return store.recordings.get(SID)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("execution_aborted", "the execution was aborted"),
            ("execution_timed_out", "the execution exceeded its time limit"),
            ("execution_failed", "the execution failed"),
        ],
    )
    def test_its_reason_is_on_the_row(
        self,
        recording: RecordingRow,
        store: MediaStore,
        captured_event: Callable[[str], Any],
        name: str,
        reason: str,
    ) -> None:
        detail = captured_event(name)["detail"] | {"input": json.dumps(Watch.begin(recording).to_state())}

        assert report_stopped_execution(detail, store=store, turns=turns_of(store)).startswith(reason)

        row = store.recordings.get(SID)
        assert row["watch_reason"].startswith(f"the watch has ended: {reason}")
        assert row["status"] == recording["status"]

    def test_the_watch_over_a_stop_leaves_no_reason(
        self, recording: RecordingRow, store: MediaStore, captured_event: Callable[[str], Any]
    ) -> None:
        watch = replace(Watch.begin(recording), stops_only=True)
        report_stopped_execution(
            captured_event("execution_aborted")["detail"] | {"input": json.dumps(watch.to_state())},
            store=store,
            turns=turns_of(store),
        )
        assert store.recordings.get(SID) == recording

    @pytest.mark.parametrize("recording_id", [SID, "0" * 32])
    def test_a_later_start_or_no_row_is_left_alone(
        self, recording: RecordingRow, store: MediaStore, captured_event: Callable[[str], Any], recording_id: str
    ) -> None:
        watch = Watch(recording_id, "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00")
        detail = captured_event("execution_aborted")["detail"] | {"input": json.dumps(watch.to_state())}

        report_stopped_execution(detail, store=store, turns=turns_of(store))

        assert store.recordings.get(SID) == recording
