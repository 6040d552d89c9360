"""Commands that look into a stage: their options, what they print, and their exit codes."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError

from cli.answer import Answer
from cli.command import finish
from cli.commands import intake, logs, redrive
from cli.commands.sweep import sweep
from cli.commands.why import why
from cli.errors import Conflict, NotFound, UsageWrong
from cli.session import Session
from tests.unit.cli.fake_stage import fake_session
from tests.unit.operations.fake_logs import FakeLogs
from tests.unit.operations.fake_queues import FakeSqs

ID = "4736218b480a44149a6bac9cd17457c6"
NOON = 1795780800000
OUTPUTS = {
    "UnadmittedArrivalsArn": "arn:aws:sqs:r:1:arrivals",
    "ArrivalsArn": "arn:aws:sqs:r:1:in",
    "DeadLettersUrl": "http://sqs.test/functions",
    "SweepFunctionName": "sweep",
    "WorkflowArn": "arn:aws:states:eu-central-1:1:stateMachine:w",
}
ROW = {"recording_id": ID, "status": "processing", "created_at": "2026-11-27T12:00:00Z"}
HOSTILE = "\x1b[2Jowned"


class Lambda:
    def __init__(self, counts: Any, group: str = "sweep") -> None:
        self.counts, self.group = counts, group

    def invoke(self, **given: Any) -> dict[str, Any]:
        return {"Payload": io.BytesIO(json.dumps(self.counts).encode())}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        return {"LoggingConfig": {"LogGroup": self.group}}


def printed(session: Session, answer: Answer | None, capsys: pytest.CaptureFixture[str]) -> str:
    finish(session, answer)
    return capsys.readouterr().out


@pytest.fixture
def written() -> FakeLogs:
    found = FakeLogs()
    found.add("SubmitLog1A2B3C4D", "submit")
    for number, level in enumerate(("INFO", "ERROR")):
        record = {"level": level, "message": HOSTILE, "service": "submit-recording", "recording_id": ID}
        found.write("submit", NOON + number, json.dumps(record))
    return found


def looking(found: FakeLogs, replies: Mapping[str, Any] | None = None, **options: Any) -> Session:
    given = replies or {f"GET /recordings/{ID}": ROW}
    return fake_session(given, clients={"logs": found, "cloudformation": found}, **options)


def test_the_log_of_a_recording_begins_with_it_and_controls_no_terminal(
    written: FakeLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    written.write("submit", NOON - 3_600_000, json.dumps({"level": "INFO", "message": "too early", "id": ID}))
    out = printed(session := looking(written), logs.logs(session, ID), capsys)
    assert (out.count("\n"), out.count("\\x1b[2Jowned"), "\x1b" in out) == (2, 2, False)


def test_records_for_programs_are_lines_of_a_level(written: FakeLogs, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(session := looking(written, as_json=True), logs.logs(session, ID, level="error"), capsys)
    [line] = map(json.loads, out.splitlines())
    assert (line["level"], line["source"], line["fields"]) == ("ERROR", "submit_recording", {"recording_id": ID})


def test_more_records_than_the_limit_are_named(written: FakeLogs, capsys: pytest.CaptureFixture[str]) -> None:
    finish(session := looking(written), logs.logs(session, ID, limit=1))
    assert "Go on with --since 2026-11-27T12:00:00.000+00:00, or raise --limit" in capsys.readouterr().err


def test_the_log_of_a_recording_that_is_gone_can_be_read(written: FakeLogs, capsys: pytest.CaptureFixture[str]) -> None:
    gone = (410, {"detail": "it was erased", "receipt": {"receipt_id": "r"}})
    session = looking(written, {f"GET /recordings/{ID}": gone})
    finish(session, logs.logs(session, ID))
    assert "These are records of the last 7d." in capsys.readouterr().err


def test_what_is_no_id_and_no_moment_is_usage() -> None:
    for recording, since, until in (("r1", None, None), (None, "yesterday", None), (None, "1h", "soon")):
        with pytest.raises(UsageWrong):
            logs.logs(fake_session({}), recording, since, until)


def waiting(**row: Any) -> dict[str, Any]:
    media = {
        "media_id": "m",
        "key": f"a{HOSTILE}.mp4",
        "provider": "deepgram",
        "status": "waiting",
        "stage": "submission",
    }
    return {**ROW, "media": [{**media, "reason_code": "queued", "queue_position": 2, **row}]}


class Denied:
    class exceptions:
        class ExecutionDoesNotExist(Exception):
            pass

    def describe_state_machine(self, **given: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeStateMachine")


def test_why_says_what_the_api_knows_if_step_functions_is_denied(capsys: pytest.CaptureFixture[str]) -> None:
    replies = {f"GET /recordings/{ID}": waiting(), "GET /providers": (403, {"message": "Forbidden"})}
    session = fake_session(replies, outputs=OUTPUTS, clients={"stepfunctions": Denied(), "lambda": None})
    out = printed(session, why(session, ID), capsys)
    for said in ("place 2", "queued: All slots of the provider are taken.", "(queueDays)", "slots deepgram N"):
        assert said in out
    assert out.count("are not known") == 2, "neither providers nor states"
    assert "\x1b" not in out


def test_why_is_data_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    replies = {f"GET /recordings/{ID}": waiting(execution="e"), "GET /providers": {"providers": []}}
    session = fake_session(
        replies,
        outputs=OUTPUTS,
        clients={"stepfunctions": Denied(), "lambda": None},
        as_json=True,
        query="parts[0].code",
    )
    assert printed(session, why(session, ID), capsys) == '"queued"\n'


def dead_letters(number: int = 2, **options: Any) -> tuple[Session, FakeSqs]:
    body = json.dumps({"detail": {"key": HOSTILE}})
    sqs = FakeSqs({"arrivals": [(body, 1_795_780_800, {"ERROR_CODE": "NO_PERMISSIONS"})] * number})
    return fake_session({}, outputs=OUTPUTS, clients={"sqs": sqs}, **options), sqs


def test_queues_are_listed_and_their_messages_shown(capsys: pytest.CaptureFixture[str]) -> None:
    session, _ = dead_letters()
    assert printed(session, redrive.list_queues(session), capsys).splitlines()[1:] == [
        "arrivals\t2\t2026-11-27T12:00:00+00:00\tmedia objects that were not admitted"
        "\tdocs/deploy.md#bring-back-arrivals-that-failed",
        "functions\t0\t–\tevents that a function failed with\tdocs/operate.md#there-are-dead-letters",
    ]
    out = printed(session, redrive.show(session, "arrivals", limit=1), capsys)
    assert "error code: NO_PERMISSIONS" in out
    assert "\x1b" not in out


def test_messages_are_moved_back_after_a_question_with_their_count() -> None:
    session, sqs = dead_letters()
    with pytest.raises(UsageWrong, match="--yes"):
        redrive.send(session, "arrivals")
    asked, sqs = dead_letters(answers=["n"], has_terminal=True)
    with pytest.raises(Conflict):
        redrive.send(asked, "arrivals")
    assert not redrive.send(session, "arrivals", dry_run=True).data["moved"]
    assert sqs.moves == []
    session, sqs = dead_letters()
    assert redrive.send(session, "arrivals", yes=True).data["moved"] == 2
    assert sqs.moves == [("arn:aws:sqs:r:1:arrivals", "arn:aws:sqs:r:1:in")]


def test_an_empty_queue_moves_nothing_and_an_unknown_one_is_not_there() -> None:
    session, sqs = dead_letters(0)
    assert (redrive.send(session, "arrivals").data["messages"], sqs.moves) == (0, [])
    for command in (redrive.show, redrive.send):
        with pytest.raises(NotFound, match="it has arrivals, functions"):
            command(session, "changes")


def test_dead_letters_of_functions_are_swept() -> None:
    sqs = FakeSqs({"functions": [("{}", 1, {})]})
    counts = {"dead_letters": {"handled": 1}, "unfinished": []}
    session = fake_session({}, outputs=OUTPUTS, clients={"sqs": sqs, "lambda": Lambda(counts)})
    [line] = redrive.send(session, "functions", yes=True).data["found"]
    assert (line["count"], line["number"], sqs.moves) == ("handled", 1, [])


def test_a_sweep_says_what_each_count_means_and_fails_with_its_steps(capsys: pytest.CaptureFixture[str]) -> None:
    session = fake_session(
        {}, outputs=OUTPUTS, clients={"lambda": Lambda({"media": {"admitted": 3}, "unfinished": ["jobs"]})}
    )
    out = printed(session, sweep(session, now=True), capsys)
    assert "media\tobjects in the recordings bucket\t3\tadmitted\ta lost event: the object is processed now" in out
    assert "the next sweep goes on: jobs." in out
    faulty = fake_session({}, outputs=OUTPUTS, clients={"lambda": Lambda({"rows": {"faults": 1}})})
    with pytest.raises(typer.Exit):
        finish(faulty, sweep(faulty, now=True))
    busy = fake_session({}, outputs=OUTPUTS, clients={"lambda": Lambda({"busy": True})})
    with pytest.raises(Conflict, match="at work"):
        sweep(busy, now=True)


def test_a_stage_that_is_not_swept_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    found = FakeLogs()
    found.add("SweepLog", "sweep")
    session = fake_session({}, outputs=OUTPUTS, clients={"lambda": Lambda({}), "logs": found})
    assert sweep(session).exit_code == 1


class Sts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::1:user/operator"}


class Stacks:
    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        return {"Stacks": [{"Outputs": [{"OutputKey": "InsightsTableName", "OutputValue": "insights"}]}]}


def test_the_intake_is_paused_until_it_is_resumed(
    table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = fake_session({}, clients={"sts": Sts(), "cloudformation": Stacks()})
    monkeypatch.setattr(session.stage, "table", lambda name: table)
    assert printed(session, intake.show(session), capsys) == "The intake is open.\n"
    intake.pause(session)
    assert "by arn:aws:iam::1:user/operator. `recordings intake resume`" in printed(
        session, intake.show(session), capsys
    )
    assert intake.resume(session).data == {"paused_at": None, "paused_by": None}
