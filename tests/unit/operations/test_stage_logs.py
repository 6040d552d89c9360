"""The logs of a stage as one: whoever wrote a record, in the order of their times, without secrets."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from operations.log_record import Record, read_record
from operations.stage_logs import OVERLAP_MS, Found, StageLogs, Wanted, log_groups
from tests.unit.operations.fake_logs import FakeLogs

NOON = 1795780800000
ID, OTHER = "4736218b480a44149a6bac9cd17457c6", "f" * 32
SUBMIT, MACHINE, API = (
    "Stack-Submit-1",
    "/aws/vendedlogs/recording-insights-local-processing",
    "/aws/vendedlogs/recording-insights-local-api",
)
IGNORED = "/aws/events/recording-insights-local-ignored-objects"
CALL, REQUEST = "11111111-2222-3333-4444-555555555555", "Jk0aXg="


def logged(message: str, call: str = CALL, **fields: Any) -> str:
    stamp = {"timestamp": "2026-11-27 12:00:01,500+0000", "service": "submit-recording", "location": "handler:29"}
    return json.dumps({"level": "INFO", "message": message, **stamp, "request_id": call, **fields})


@pytest.fixture
def logs() -> FakeLogs:
    """A recording that was submitted in a call that ran out of time, and stopped by a request."""
    logs = FakeLogs()
    for logical, name in (("SubmitLog1A2B3C4D", SUBMIT), ("Log9", MACHINE), ("Access1", API), ("Ignored1", IGNORED)):
        logs.add(logical, name)
    logs.write(SUBMIT, NOON, f"START RequestId: {CALL} Version: $LATEST")
    logs.write(SUBMIT, NOON + 1, logged("submitted", recording_id=ID, items={"topics": 5}))
    logs.write(SUBMIT, NOON + 2, logged("submitted", recording_id=OTHER))
    logs.write(SUBMIT, NOON + 60_000, f"2026-11-27T12:01:00Z {CALL} Task timed out after 60.00 seconds")
    logs.write(SUBMIT, NOON + 70_000, logged("stopped", REQUEST, recording_id=ID, exception="Traceback:\n  x"))
    execution = {"execution_arn": f"arn:aws:states:eu-central-1:1:execution:process:{ID}-0-m-0"}
    logs.write(MACHINE, NOON, json.dumps({"id": "1", "type": "ExecutionStarted", "details": {}, **execution}))
    failed = {"type": "TaskStateEntered", "details": {"name": "Submit recording"}, **execution}
    logs.write(MACHINE, NOON + 500, json.dumps(failed))
    access = {"userAgent": "curl", "requestId": REQUEST, "time": "27/Nov/2026", "status": "502", "subject": "-"}
    logs.write(API, NOON + 70_001, json.dumps({"route": "POST /recordings/{recording_id}/stop", **access}))
    logs.write(API, NOON + 70_002, json.dumps({"route": "GET /recordings", **access, "requestId": "other="}))
    logs.write(IGNORED, NOON - 2, f"ignored: recordings/{ID}/a.ts (1 bytes)\n")
    return logs


def reader(logs: FakeLogs) -> StageLogs:
    return StageLogs(logs, log_groups("local", logs))


def shown(found: Found) -> list[str]:
    return [f"{record.source} {record.level} {record.message}".replace("  ", " ") for record in found.records]


def test_all_that_was_written_about_a_recording_comes_in_the_order_of_its_times(logs: FakeLogs) -> None:
    assert shown(reader(logs).find(Wanted(NOON - 10, containing=ID))) == [
        f"ignored-objects ignored: recordings/{ID}/a.ts (1 bytes)",
        "processing INFO ExecutionStarted",
        "processing INFO TaskStateEntered Submit recording",
        "submit_recording INFO submitted",
        "submit_recording INFO stopped",
        "SubmitLog1A2B3C4D".removesuffix("Log1A2B3C4D")
        + f" ERROR 2026-11-27T12:01:00Z {CALL} Task timed out after 60.00 seconds",
        "api ERROR POST /recordings/{recording_id}/stop 502",
    ]


def test_the_whole_stage_is_read_without_an_id_and_only_the_time_that_is_asked_for(logs: FakeLogs) -> None:
    found = reader(logs).find(Wanted(NOON, NOON + 2))
    assert shown(found) == ["processing INFO ExecutionStarted", *["submit_recording INFO submitted"] * 2]
    assert {*logs.patterns} == {""}


def test_a_log_group_that_is_gone_keeps_nobody_from_the_others(logs: FakeLogs) -> None:
    of_stack = reader(logs)
    del logs.events[MACHINE]
    assert len(of_stack.find(Wanted(0, containing=ID)).records) == 5


def test_the_first_records_come_and_that_there_are_more(logs: FakeLogs) -> None:
    found = reader(logs).find(Wanted(0, containing=ID, limit=2))
    assert ([record.source for record in found.records], found.has_more) == (["ignored-objects", "processing"], True)
    assert not reader(logs).find(Wanted(0, containing=ID, limit=20)).has_more


def test_the_limit_counts_records_of_the_level_and_the_service_looks_for_words_of_it(logs: FakeLogs) -> None:
    for number in range(30):
        logs.write(SUBMIT, NOON + number, logged("polled", recording_id=OTHER))
    of_stage = reader(logs).find(Wanted(0, limit=3, level="ERROR"))
    assert (len(of_stage.records), of_stage.has_more) == (3, False)
    assert {record.level for record in of_stage.records} == {"ERROR"}
    assert sum("ERROR" in pattern for pattern in logs.patterns) == 3, "not in the requests: their status says it"
    of_one = reader(logs).find(Wanted(0, containing=ID, limit=2, level="ERROR"))
    assert [record.message.rpartition(" Task ")[2] for record in of_one.records] == [
        "timed out after 60.00 seconds",
        "POST /recordings/{recording_id}/stop 502",
    ]


def test_progress_is_reported_for_each_log_group(logs: FakeLogs) -> None:
    seen: list[tuple[int, int]] = []
    reader(logs).find(Wanted(0, containing=ID), lambda done, all_of: seen.append((done, all_of)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_many_calls_are_looked_for_in_expressions_that_aws_takes(logs: FakeLogs) -> None:
    for number in range(60):
        logs.write(SUBMIT, NOON, logged("polled", f"{number:08d}-2222-3333-4444-555555555555", recording_id=ID))
    logs.write(SUBMIT, NOON, logged("polled", "%{a} b", recording_id=ID))
    reader(logs).find(Wanted(0, containing=ID))
    assert max(map(len, logs.patterns)) <= 1024
    assert not any(" " in pattern for pattern in logs.patterns)


def test_who_follows_gets_each_record_once_also_one_that_comes_late(logs: FakeLogs) -> None:
    def turns() -> Iterator[float]:
        yield (NOON + 80_000) / 1000
        logs.write(SUBMIT, NOON + 82_000 - OVERLAP_MS, logged("late", recording_id=ID))
        yield (NOON + 82_000) / 1000
        logs.write(SUBMIT, NOON + 81_000, "of nobody")
        raise KeyboardInterrupt

    turn = turns()
    got: list[str] = []
    followed = reader(logs).follow(Wanted(NOON, containing=ID), lambda: next(turn))
    with pytest.raises(KeyboardInterrupt):
        got.extend(record.message for record in followed)
    assert got == ["ExecutionStarted", "TaskStateEntered Submit recording", "submitted", "stopped", "late"]


def test_a_text_that_would_be_an_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="other characters"):
        Wanted(0, containing="a|b")


def test_a_record_is_one_line_with_its_traceback_below_it() -> None:
    text = json.dumps({"level": "ERROR", "message": {"a": 1}, "timestamp": "soon", "exception": "Traceback:\n  x"})
    assert read_record("poll_job", NOON, text).line().splitlines() == [
        '2026-11-27 12:00:00.000  poll_job                 ERROR    {"a": 1}',
        "    Traceback:",
        "      x",
    ]


@pytest.mark.parametrize("text", ["plain", "[1]", '"text"', '{"message": "of nobody"}', "{", ""])
def test_other_lines_are_shown_as_they_are_and_count_as_info(text: str) -> None:
    record = read_record("poll_job", NOON, text)
    assert (record.message, record.is_at_least("INFO"), record.is_at_least("WARNING")) == (text, True, False)


def test_a_record_for_a_program_has_no_empty_values() -> None:
    record: Record = read_record("poll_job", NOON, "plain")
    assert record.document() == {"time": "2026-11-27T12:00:00.000+00:00", "source": "poll_job", "message": "plain"}


def test_no_link_is_shown_with_what_opens_it() -> None:
    link = "https://bucket.s3.amazonaws.com/a.mp4?X-Amz-Signature=0123456789abcdef&X-Amz-Credential=ASIA"
    for text in (link, logged(f"refused {link}"), logged("no", exception=f"Traceback {link}")):
        assert "0123456789abcdef" not in f"{read_record('a', NOON, text)}"
