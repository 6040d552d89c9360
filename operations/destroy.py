"""Delete a stage: `make destroy STAGE=dev`.

It says first what goes and what stays, by the deployed template, and asks. Then it deletes the key of Agora's uploader,
which would keep AWS from deleting the user. Buckets that go are closed to writers and emptied. Then CloudFormation
deletes the stack. A run that breaks off anywhere can be repeated, also while CloudFormation works on.

Who writes into a bucket between the end of its policy and its own end makes CloudFormation fail. By then nothing of the
stack is left that could write. So the command empties such a bucket once more and goes on.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from operations.agora_key import OUTPUT as UPLOADER_OUTPUT
from operations.agora_key import remove_key
from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, OperationFailed, Report, clients_in, explained, stack_name, tables_in
from operations.emptied_bucket import Content, EmptiedBucket
from operations.removed_providers import RUNNING, TABLE_OUTPUT
from operations.stack_deletion import BUCKET, TABLE, USER, Deletion, Failure, Resource, StageStack, find_stack
from operations.stage_settings import IDENTITY_RIGHT, check_place, given_settings
from recording_insights.store.newest_first import recordings_with
from recording_insights.store.recordings import RecordingStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ROUNDS = 3
"""How often a bucket is emptied that somebody still writes to."""
RIGHTS = (
    "cloudformation:DescribeStacks, GetTemplate, ListStackResources, DescribeStackEvents and DeleteStack on the stack",
    "iam:ListAccessKeys, DeleteAccessKey and DeleteUserPolicy on the uploader's user",
    "secretsmanager:DeleteSecret on the uploader's secret",
    "dynamodb:DescribeTable and Query on the table and its indexes",
    "and on buckets that go s3:ListBucketVersions, ListBucketMultipartUploads, GetBucketPolicy, PutBucketPolicy, "
    "DeleteObject, DeleteObjectVersion and AbortMultipartUpload",
)
_WORKS_ON = ("DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
"""Statuses that end with "in progress", but in which the stack can be deleted."""


@dataclass(frozen=True)
class Plan:
    """What a deletion would do. `content` is that of the buckets that go, by name; `runs` counts recordings."""

    stage: str
    stack: StageStack
    content: Mapping[str, Content] = field(default_factory=dict)
    rows: int = 0
    runs: int = 0


@dataclass(frozen=True)
class Outcome:
    """`deleted` is False after a dry run. `mapping` is the file that names what stays for an import, if any does."""

    stage: str
    account: str
    region: str
    deleted: bool
    buckets: Mapping[str, Content]
    stays: Sequence[Resource]
    mapping: str | None = None


def plan_destroy(stage: str, client: Clients, tables: "Callable[[str], Table]", report: Report) -> Plan:
    """Look at what a deletion of the stage would delete. Changes nothing.

    Raises:
        OperationFailed: the stage is not deployed, is protected, or is being deployed; or AWS refuses a call.
    """
    with explained(RIGHTS):
        stack = _deletable(stage, client)
        content = {
            bucket.name: EmptiedBucket(client, bucket.name, stack.partition, report).content()
            for bucket in stack.going(BUCKET)
        }
        present = [*stack.goes, *stack.stays]
        table = next((each.name for each in present if each.name == stack.outputs.get(TABLE_OUTPUT)), None)
        rows = client("dynamodb").describe_table(TableName=table)["Table"]["ItemCount"] if table else 0
        runs = _count_running(tables(table)) if table else 0
    return Plan(stage, stack, content, rows, runs)


def destroy(
    plan: Plan, client: Clients, report: Report, sleep: Callable[[float], None], folder: Path = Path()
) -> Outcome:
    """Delete the stage. `folder` gets the file for an import, before anything is deleted.

    Raises:
        OperationFailed: AWS refuses a call, or cannot delete a resource. The text says which, and what to do.
    """
    stack: StageStack | None = plan.stack
    mapping = _write_mapping(plan, folder)
    with explained(RIGHTS):
        for rounds_left in reversed(range(ROUNDS)):
            assert stack  # noqa: S101 - for the type checker
            if stack.status != "DELETE_IN_PROGRESS":
                _prepare(plan.stage, stack, client, report)
            failures = Deletion(stack, client, report, sleep).run()
            if not failures:
                break
            if not rounds_left or not any(each.resource.kind == BUCKET for each in failures):
                raise OperationFailed(_refusal(plan.stage, failures))
            report("A bucket is not empty: emptying again, now that nothing of the stack is left that writes")
            stack = find_stack(plan.stage, client)
            if stack is None:
                break  # somebody else has deleted it meanwhile
    first = plan.stack
    return Outcome(plan.stage, first.account, first.region, True, plan.content, first.stays, mapping)


def _deletable(stage: str, client: Clients) -> StageStack:
    stack = find_stack(stage, client)
    if stack is None:
        region = client("cloudformation").meta.region_name
        raise OperationFailed(
            f"There is no stack {stack_name(stage)} in {region}: nothing is left to delete. "
            "If it is in another region or account, set AWS_REGION or AWS_PROFILE."
        )
    if stack.protected:
        raise OperationFailed(
            f"{stack_name(stage)} is protected from deletion, because the stage keeps its data.\n"
            "To delete the data too, deploy the stage with retainData=false first.\n"
            "To keep the data, end the protection: aws cloudformation update-termination-protection "
            f"--no-enable-termination-protection --stack-name {stack_name(stage)}"
        )
    if stack.status.endswith("_IN_PROGRESS") and stack.status not in _WORKS_ON:
        raise OperationFailed(f"{stack_name(stage)} is {stack.status}: wait until that has ended, then try again.")
    return stack


def _count_running(table: "Table") -> int:
    store = RecordingStore(table)
    return sum(1 for status in RUNNING for _ in recordings_with(store, status))


def _prepare(stage: str, stack: StageStack, client: Clients, report: Report) -> None:
    """Remove what AWS does not delete by itself: the user's keys, and what is in the buckets."""
    if stack.going(USER) and UPLOADER_OUTPUT in stack.outputs:
        remove_key(stage, client, report)
    buckets = [EmptiedBucket(client, each.name, stack.partition, report) for each in stack.going(BUCKET)]
    for bucket in buckets:
        bucket.end_writes()
    for bucket in buckets:
        report(f"Emptied {bucket.name}: deleted {bucket.empty():,} versions of objects")


def _write_mapping(plan: Plan, folder: Path) -> str | None:
    if not plan.stack.mapping:
        return None
    # The part of the id that differs between two stacks of one name: no file of an earlier one is overwritten.
    file = folder / f"retained-{plan.stage}-{plan.stack.stack_id.rpartition('/')[2][:8]}.json"
    file.write_text(json.dumps(plan.stack.mapping, indent=2) + "\n")
    return str(file)


def _refusal(stage: str, failures: Sequence[Failure]) -> str:
    left = [
        f"{each.resource.logical_id} ({each.resource.kind}) {each.resource.name}: {each.reason}" for each in failures
    ]
    return "\n".join(
        (
            f"CloudFormation could not delete {len(left)} resources of {stack_name(stage)}:",
            *left,
            f"Remove the cause, then run `make destroy STAGE={stage}` again: it deletes only what is left.",
        )
    )


def described(plan: Plan) -> str:
    """Return what will be deleted and what stays, for somebody who has to decide."""
    stack = plan.stack
    lines = [
        f"Stage {plan.stage}: {stack_name(plan.stage)} in account {stack.account}, region {stack.region}",
        f"Will be deleted: {len(stack.goes)} resources and the key of Agora's uploader",
    ]
    for name, content in plan.content.items():
        uploads = f", {content.uploads} unfinished uploads" if content.uploads else ""
        lines.append(f"  bucket {name} with {content.versions:,} versions of objects{uploads}")
    lines += [f"  table {each.name} with {_rows(plan)}" for each in stack.going(TABLE)]
    lines.append("Stays:" if stack.stays else "Stays: no data")
    for each in stack.stays:
        lines.append(f"  {each.kind} {each.name}{f' with {_rows(plan)}' if each.kind == TABLE else ''}")
    lines.append(f"  secrets recording-insights/{plan.stage}/… that you created, and CDK's bootstrap stack")
    if plan.runs:
        lines.append(
            f"{plan.runs} recordings are under way. Stop them first: otherwise their recorders stay in their channels, "
            "Agora charges them, and what they upload from now on is lost."
        )
    return "\n".join(lines)


def _rows(plan: Plan) -> str:
    return f"about {plan.rows:,} rows (AWS counts them every six hours)"


def _confirm(plan: Plan, ask: Callable[[str], str] | None) -> None:
    """Let somebody type the stage's name. Raises OperationFailed if nobody is there, or somebody types another."""
    if ask is None:
        raise OperationFailed(f"Nobody can be asked without a terminal: YES=1 deletes the stage {plan.stage} unasked.")
    try:
        answer = ask(f"Type the name of the stage to delete it ({plan.stage}): ")
    except EOFError:
        answer = ""
    if answer.strip() != plan.stage:
        raise OperationFailed("Nothing was deleted.")


def main(arguments: list[str] | None = None, ask: Callable[[str], str] = input) -> int:
    """Run the command."""
    parser = command_parser("destroy", "Delete a stage; say first what goes and what stays.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    given = parser.parse_args(arguments)

    def operation(report: Report) -> Outcome:
        stage = given_settings(given.stage, [])
        client = clients_in(stage.region)
        with explained([IDENTITY_RIGHT]):
            check_place(stage, client, os.environ.get("AWS_REGION"))
        plan = plan_destroy(given.stage, client, tables_in(stage.region), report)
        report(described(plan))
        if given.dry_run:
            stack = plan.stack
            return Outcome(given.stage, stack.account, stack.region, False, plan.content, stack.stays)
        if not given.yes:
            _confirm(plan, ask if sys.stdin.isatty() else None)
        return destroy(plan, client, report, time.sleep)

    try:
        return run_command(operation, _sentence, as_json=given.json)
    except KeyboardInterrupt:
        again = f"Run `make destroy STAGE={given.stage}` again to go on. CloudFormation does not stop by this."
        print(f"\nInterrupted. {again}", file=sys.stderr)
        return 130


def _sentence(outcome: Outcome) -> str:
    if not outcome.deleted:
        return "Nothing was deleted: this was a dry run."
    said = [f"The stage {outcome.stage} is deleted."]
    if outcome.stays:
        said += [
            "These stay, and cost what they cost before:",
            *(f"  {each.kind} {each.name}" for each in outcome.stays),
        ]
    if outcome.mapping:
        said.append(
            f"To bring them back: `make import-data STAGE={outcome.stage} PROVIDER=… DATA={outcome.mapping}`, "
            "then `make deploy` with the same settings."
        )
    return "\n".join(said)


if __name__ == "__main__":
    sys.exit(main())
