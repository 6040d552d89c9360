"""`make destroy` says what goes, deletes only that, and can be repeated after it broke off anywhere."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations import destroy as command
from operations.deployed_stack import OperationFailed
from operations.destroy import RIGHTS, ROUNDS, Outcome, Plan, described, destroy, main, plan_destroy
from operations.emptied_bucket import NO_WRITES, Content
from recording_insights.store.keys import recording_key
from tests.docs.pages import page
from tests.unit.fake_table import FakeTable
from tests.unit.operations.fake_account import Crash, aws_error
from tests.unit.operations.fake_stack import RECORDINGS, REPLIES, STACK_ID, TABLE, StackAccount

OF_DATA = {"list_object_versions", "delete_objects", "put_bucket_policy", "abort_multipart_upload"}
MAPPING = {
    "Recordings": {"BucketName": RECORDINGS},
    "Replies": {"BucketName": REPLIES},
    "Table": {"TableName": TABLE},
}


@pytest.fixture
def account() -> StackAccount:
    """A stage whose data goes: versions, markers and uploads in the one bucket, replies in the other."""
    account = StackAccount()
    media = account.buckets[RECORDINGS]
    media.versions = [(f"recordings/{number}.mp4", f"v{number}") for number in range(5)]
    media.markers = [("recordings/0.mp4", "m0")]
    media.uploads = ["unfinished"]
    account.buckets[REPLIES].versions = [("replies/1.json", "null")]
    return account


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def plan(account: StackAccount, table: FakeTable) -> Callable[[], Plan]:
    tables: Any = {TABLE: table}
    return lambda: plan_destroy("dev", account, tables.__getitem__, lambda line: None)


@pytest.fixture
def run(account: StackAccount, plan: Callable[[], Plan], tmp_path: Path) -> Callable[..., Outcome]:
    return lambda report=lambda line: None: destroy(plan(), account, report, account.pass_time, tmp_path)


@pytest.fixture
def given_main(account: StackAccount, table: FakeTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command with these arguments, in an empty folder."""
    monkeypatch.setattr(command, "clients_in", lambda region: account)
    monkeypatch.setattr(command, "tables_in", lambda region: lambda name: table)
    monkeypatch.setattr("time.sleep", account.pass_time)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **named: main(["--stage", "dev", *arguments], **named)


def test_data_that_goes_is_deleted_with_all_versions_and_then_the_stack(account: StackAccount, run: Any) -> None:
    outcome = run()
    assert account.is_gone
    assert (account.left, account.buckets, account.of_user.keys) == ([], {}, {})
    assert outcome.deleted
    assert outcome.buckets == {RECORDINGS: Content(versions=6, uploads=1), REPLIES: Content(versions=1)}
    assert (outcome.stays, outcome.mapping) == ([], None)
    assert (outcome.account, outcome.region) == ("111122223333", "eu-central-1")


def test_data_that_stays_is_not_touched_and_is_named_for_the_import(account: StackAccount, run: Any) -> None:
    account.keeps = True
    before = {name: [*bucket.versions] for name, bucket in account.buckets.items()}
    outcome = run()
    assert account.is_gone
    assert not OF_DATA & {*account.calls}
    assert {name: bucket.versions for name, bucket in account.buckets.items()} == before
    assert [each.name for each in outcome.stays] == [RECORDINGS, REPLIES, TABLE]
    assert json.loads(Path(outcome.mapping).read_text()) == MAPPING
    assert Path(outcome.mapping).name == "retained-dev-51df0918.json"


def test_nobody_writes_while_the_buckets_are_emptied(account: StackAccount, run: Any) -> None:
    account.writer = lambda: account.buckets[RECORDINGS].write("from a recorder")
    allow = {"Sid": "Own", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    account.buckets[RECORDINGS].policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    policies: list[Any] = []

    def note(call: str) -> None:
        if call == "delete_stack":
            policies.append(json.loads(str(account.buckets[RECORDINGS].policy))["Statement"])

    account.before = note
    run()
    [[own, deny]] = policies
    assert own == allow
    assert (deny["Sid"], deny["Resource"]) == (NO_WRITES, f"arn:aws:s3:::{RECORDINGS}/*")
    assert account.calls.count("delete_stack") == 1


def test_what_is_written_after_the_end_of_the_policy_goes_in_another_round(account: StackAccount, run: Any) -> None:
    account.late = 1
    said: list[str] = []
    run(said.append)
    assert account.is_gone
    assert account.calls.count("delete_stack") == 2
    assert [line for line in said if "emptying again" in line]


def test_a_bucket_that_somebody_fills_on_and_on_is_named(account: StackAccount, run: Any) -> None:
    account.late = 99
    with pytest.raises(OperationFailed, match=rf"{RECORDINGS}.*not empty(.|\n)*make destroy STAGE=dev"):
        run()
    assert account.calls.count("delete_stack") == ROUNDS


def test_what_cloudformation_cannot_delete_is_named_with_its_reason(account: StackAccount, run: Any) -> None:
    account.fails = {"Function": "It is replicated"}
    with pytest.raises(OperationFailed) as failure:
        run()
    assert "Function (AWS::Lambda::Function) dev-function: It is replicated" in str(failure.value)
    assert account.calls.count("delete_stack") == 1
    account.fails = {}
    run()
    assert account.is_gone


@pytest.mark.parametrize("keeps", [False, True])
def test_a_run_that_broke_off_anywhere_is_repeated(account: StackAccount, run: Any, keeps: bool) -> None:
    """Each run gets one call further than the one before. In the end, only the deletion of the stack is left."""
    account.keeps, broke_off = keeps, 0
    while not account.is_gone:
        left = broke_off

        def crash(call: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash

        account.before = crash
        try:
            run()
        except Crash:
            broke_off += 1
            account.before = lambda call: None
            if broke_off % 3 == 0:
                account.go_on()  # CloudFormation does not stop
    assert broke_off > 10
    assert account.left == []
    assert bool(account.buckets) is keeps


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"protected": True}, "retainData=false first(.|\n)*update-termination-protection"),
        ({"status": "UPDATE_IN_PROGRESS"}, "wait until that has ended"),
        ({"status": "DELETE_COMPLETE"}, "nothing is left to delete"),
    ],
)
def test_a_stack_that_cannot_be_deleted_now_is_left_alone(
    account: StackAccount, plan: Any, change: dict[str, Any], reason: str
) -> None:
    for name, value in change.items():
        setattr(account, name, value)
    with pytest.raises(OperationFailed, match=reason):
        plan()
    assert not OF_DATA & {*account.calls}


def test_a_stack_without_a_template_goes_too(account: StackAccount, run: Any) -> None:
    """An import that broke off has made it: there is nothing in it."""
    account.status, account.left, account.outputs = "REVIEW_IN_PROGRESS", [], {}
    run()
    assert account.is_gone
    assert "get_template" not in account.calls


def test_a_version_that_s3_does_not_delete_ends_the_run_before_the_stack(account: StackAccount, run: Any) -> None:
    account.buckets[RECORDINGS].refuses = "SlowDown"
    with pytest.raises(OperationFailed, match=f"{RECORDINGS}.*SlowDown.*again"):
        run()
    assert "delete_stack" not in account.calls


def test_a_right_that_is_missing_is_named(account: StackAccount, plan: Any) -> None:
    def deny(call: str) -> None:
        if call == "list_object_versions":
            raise aws_error("AccessDenied", "ListObjectVersions", 403, "User: x is not authorized")

    account.before = deny
    with pytest.raises(OperationFailed, match="s3:ListBucketVersions"):
        plan()


def test_the_rights_of_the_page_are_those_that_the_command_names() -> None:
    [block] = [each.text for each in page("docs/deploy.md").fences if each.info[1:] == ("policy", "destroyer")]
    verbs = {action.partition(":")[2] for action in re.findall(r'"(\w+:\w+)",?$', block, flags=re.MULTILINE)}
    named = set(re.findall(r"[A-Z]\w+", "; ".join(RIGHTS)))
    assert verbs == named


def test_the_plan_says_what_goes_what_stays_and_what_runs(account: StackAccount, plan: Any, table: FakeTable) -> None:
    row = {"recording_id": "r", "status": "recording", "created_at": "2026-11-28T00:00:00.000001"}
    table.put_item(Item={**recording_key("r"), **row})
    said = described(plan())
    assert "account 111122223333, region eu-central-1" in said
    assert f"bucket {RECORDINGS} with 6 versions of objects, 1 unfinished uploads" in said
    assert f"table {TABLE} with about 12 rows" in said
    assert "1 recordings are under way" in said
    account.keeps = True
    goes, _, stays = described(plan()).partition("Stays:")
    assert all(name not in goes and name in stays for name in (RECORDINGS, REPLIES, TABLE))


def test_a_dry_run_deletes_nothing(account: StackAccount, given_main: Any, capsys: Any, tmp_path: Path) -> None:
    assert given_main("--dry-run", "--json") == 0
    outcome = json.loads(capsys.readouterr().out)
    assert (outcome["deleted"], outcome["buckets"][REPLIES]) == (False, {"versions": 1, "uploads": 0})
    assert not {"delete_stack", "delete_objects", "put_bucket_policy", "delete_access_key"} & {*account.calls}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_account_of_the_stages_file_is_the_one(
    account: StackAccount, given_main: Any, stages: Path, capsys: Any
) -> None:
    (stages / "dev.toml").write_text('account = "999999999999"\nregion = "eu-central-1"\n')
    assert given_main("--yes") == 1
    assert "999999999999" in capsys.readouterr().err
    assert "delete_stack" not in account.calls


def test_nobody_is_asked_without_a_terminal(account: StackAccount, given_main: Any, capsys: Any) -> None:
    assert given_main() == 1
    assert "YES=1" in capsys.readouterr().err
    assert "delete_stack" not in account.calls
    assert given_main("--yes") == 0
    assert account.is_gone


@pytest.mark.parametrize(("answer", "code"), [("dev", 0), ("prod", 1), ("", 1)])
def test_somebody_types_the_name_of_the_stage(
    account: StackAccount, given_main: Any, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert given_main(ask=lambda question: answer) == code
    assert account.is_gone is (code == 0)


def test_the_end_of_the_input_is_no_answer(
    account: StackAccount, given_main: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert given_main(ask=close) == 1
    assert "delete_stack" not in account.calls


def test_an_interrupt_says_how_to_go_on(account: StackAccount, given_main: Any, capsys: Any) -> None:
    def interrupt(call: str) -> None:
        if call == "sleep":
            raise KeyboardInterrupt

    account.before = interrupt
    assert given_main("--yes") == 130
    assert "make destroy STAGE=dev` again" in capsys.readouterr().err
    account.before = lambda call: None
    assert given_main("--yes") == 0
    assert account.is_gone
    assert account.calls.count("delete_stack") == 1, "CloudFormation went on by itself"


def test_the_end_names_the_command_that_brings_the_data_back(
    account: StackAccount, given_main: Any, capsys: Any
) -> None:
    account.keeps = True
    assert given_main("--yes") == 0
    said = capsys.readouterr().out
    assert "make import-data STAGE=dev PROVIDER=… DATA=retained-dev-51df0918.json" in said
    assert STACK_ID.rpartition("/")[2][:8] in said
