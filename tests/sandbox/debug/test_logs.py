"""Logs of all groups as one, with made-up groups: the deployed stack's own are in tests/e2e."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sandbox.cloud.local_stack import LocalStack
from sandbox.debug.logs import OVERLAP_MS, LogReader, Record, print_logs, read_record
from tests.sandbox.debug.fake_aws import FakeAws

SUBMITTED = json.dumps(
    {
        "level": "INFO",
        "location": "handler:29",
        "message": "submitted",
        "timestamp": "2026-11-27 08:21:43,751+0000",
        "service": "submit-recording",
        "recording_id": "r1",
        "items": {"topics": 5},
    }
)
NOON = 1795780800000


@pytest.fixture(autouse=True)
def written(aws: FakeAws) -> None:
    aws.write("/group/Submit", NOON, "START RequestId: 1 Version: $LATEST")
    aws.write("/group/Submit", NOON, SUBMITTED)
    aws.write("/aws/vendedlogs/recording-insights-local-processing", NOON - 1, '{"id": "r1"}')
    aws.write("/aws/events/recording-insights-local-ignored-objects", NOON - 2, "ignored: a.ts\n")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_records_of_all_groups_are_merged_by_the_loggers_own_time(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    print_logs(stack)
    assert [" ".join(line.split()) for line in lines(capsys)] == [
        '08:21:43.751 submit_recording INFO submitted recording_id=r1 items={"topics": 5}',
        "11:59:59.998 ignored-objects ignored: a.ts",
        '11:59:59.999 processing {"id": "r1"}',
    ]


def test_a_recordings_id_selects_the_records_that_contain_it(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    print_logs(stack, containing="r1", as_json=True)
    submitted, execution = map(json.loads, lines(capsys))
    assert submitted == {
        "time": "2026-11-27T08:21:43.751+00:00",
        "source": "submit_recording",
        "level": "INFO",
        "message": "submitted",
        "fields": {"recording_id": "r1", "items": {"topics": 5}},
    }
    assert execution["source"] == "processing"


def test_a_traceback_follows_its_record() -> None:
    text = json.dumps({"level": "ERROR", "message": {"a": 1}, "timestamp": "soon", "exception": "Traceback:\n  x"})
    record = read_record("poll_job", NOON, text)
    assert record.line().splitlines() == [
        '12:00:00.000  poll_job                 ERROR    {"a": 1}',
        "    Traceback:",
        "      x",
    ]


@pytest.mark.parametrize("text", ["plain", "[1]", '"text"', '{"message": "of nobody"}', "{", ""])
def test_other_lines_are_shown_as_they_are(text: str) -> None:
    assert read_record("poll_job", NOON, text).message == text


def test_a_reader_returns_each_record_once_and_alike_ones_all(
    stack: LocalStack, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON / 1000)
    reader = LogReader(stack)
    assert len(reader.new_records()) == 3
    assert reader.new_records() == []
    for stamp in (NOON - OVERLAP_MS, NOON + 1, NOON + 1):
        aws.write("/group/Submit", stamp, "printed")
    assert [record.message for record in reader.new_records()] == ["printed"] * 3
    assert reader.new_records() == []


def test_following_goes_on_until_it_is_interrupted(
    stack: LocalStack, aws: FakeAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def turns() -> Iterator[None]:
        aws.write("/group/Submit", NOON, "the second turn's")
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "time", lambda: NOON / 1000)
    turn = turns()
    monkeypatch.setattr(time, "sleep", lambda _: next(turn))
    with pytest.raises(KeyboardInterrupt):
        print_logs(stack, follow=True)
    assert lines(capsys)[-1].endswith("the second turn's")


def test_a_record_in_json_has_no_empty_values() -> None:
    record: Record = read_record("poll_job", NOON, "plain")
    document: Mapping[str, Any] = json.loads(record.document())
    assert document == {"time": "2026-11-27T12:00:00.000+00:00", "source": "poll_job", "message": "plain"}
