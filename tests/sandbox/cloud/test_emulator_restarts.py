"""The local cloud stops and starts: its state is there, and executions continue where they were."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack import app  # type: ignore[import-untyped]
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from sandbox.cloud.emulator.restarts import CALLS_VARIABLE, go_on_after_restarts
from sandbox.cloud.local_cloud import LocalCloud, start_local_cloud
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import REGION, Location
from sandbox.cloud.processes import Interrupts, Supervisor
from sandbox.doors import new_control_key
from tests.sandbox.cloud.conftest import free_port
from tests.sandbox.cloud.functions import create_function, task
from tests.sandbox.cloud.machines import (
    create_machine,
    ended,
    entered,
    events,
    eventually,
    next_token,
    start,
    waiting_for_token,
)
from tests.sandbox.cloud.test_emulator_streams import make_table


class Restarting:
    """A local cloud of its own, which stops and starts again in the same folder."""

    def __init__(self, supervisor: Supervisor, location: Location) -> None:
        self._supervisor, self._location = supervisor, location
        self._cloud: LocalCloud | None = None
        self._control_key = new_control_key()
        self.restart()

    def restart(self) -> None:
        for process in self._supervisor.processes[:]:
            self._supervisor.end(process)
        self._cloud = start_local_cloud(
            self._supervisor, self._location, Path(sys.executable), self._control_key, self._cloud
        )

    @property
    def stack(self) -> LocalStack:
        assert self._cloud
        return LocalStack(
            endpoint_url=self._cloud.endpoint_url,
            region=REGION,
            access_key_id=self._cloud.access_key_id,
            secret_access_key=self._cloud.secret_access_key,
            api_url=self._location.api_url,
            sandbox_url=self._location.sandbox_url,
            outputs={},
            context={},
            processes=tuple(self._supervisor.processes),
            control_key=self._control_key,
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarting]:
    location = Location(tmp_path_factory.mktemp("cloud"), cloud_port=free_port(), sandbox_port=free_port())
    location.log("local-cloud").parent.mkdir()
    with Interrupts() as interrupts, pytest.MonkeyPatch.context() as environment:
        # The calls of these tests are cut off.
        environment.setenv(CALLS_VARIABLE, "2")
        supervisor = Supervisor(location.journal, interrupts)
        try:
            yield Restarting(supervisor, location)
        finally:
            supervisor.end_all()


def test_executions_go_on_where_they_were(cloud: Restarting, tmp_path: Path) -> None:
    """One waits for its token, one waits for its time, one has a call under way; variables are kept."""
    stack, sfn, began = cloud.stack, cloud.stack.client("stepfunctions"), tmp_path / "began"
    queue = stack.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    sets = {"Type": "Pass", "Assign": {"kept": "{% $states.input.n %}"}, "Next": "Then"}
    tells = {"Type": "Pass", "Output": "{% $kept %}", "End": True}
    slow = create_function(
        stack,
        "import pathlib, time\n"
        f"def handler(event, context):\n    file = pathlib.Path({str(began)!r})\n"
        "    if file.exists():\n        return 'again'\n"
        "    file.touch()\n    time.sleep(25)\n    return 'at first'\n",
    )
    token = {**waiting_for_token(queue), "Next": "Tell"}
    del token["End"]
    of_token = start(stack, create_machine(stack, {"Set": sets, "Then": token, "Tell": tells}), n=1)
    of_time = start(
        stack,
        create_machine(stack, {"Set": sets, "Then": {"Type": "Wait", "Seconds": 1000, "Next": "Tell"}, "Tell": tells}),
        n=2,
    )
    caught = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}
    of_call = start(stack, create_machine(stack, {"Call": task(slow, **caught), "Failed": {"Type": "Fail"}}))
    waiting = next_token(stack, queue)
    entered(stack, of_time, "Then")
    eventually(began.exists)

    cloud.restart()

    assert {sfn.describe_execution(executionArn=arn)["status"] for arn in (of_token, of_time)} == {"RUNNING"}
    eventually(lambda: len([event for event in events(stack, of_token) if event["type"] == "TaskScheduled"]) == 2)
    sfn.send_task_success(taskToken=waiting, output="{}")
    assert ended(stack, of_token)["output"] == "1"
    assert not stack.client("sqs").receive_message(QueueUrl=queue).get("Messages")
    stack.set_wait_scale(0.001)
    assert ended(stack, of_time)["output"] == "2"
    assert json.loads(ended(stack, of_call)["output"]) == "again"


def test_an_event_under_way_is_delivered_again(cloud: Restarting, tmp_path: Path) -> None:
    began, came = tmp_path / "began", tmp_path / "came"
    function = create_function(
        cloud.stack,
        "import pathlib, time\n"
        f"def handler(event, context):\n    began = pathlib.Path({str(began)!r})\n"
        f"    if began.exists():\n        pathlib.Path({str(came)!r}).write_text(event['n'])\n        return\n"
        "    began.touch()\n    time.sleep(25)\n",
    )
    cloud.stack.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload='{"n": "one"}')
    eventually(began.exists)

    cloud.restart()

    eventually(came.exists)
    eventually(lambda: came.read_text() == "one")


def test_what_it_held_is_there(cloud: Restarting) -> None:
    stack = cloud.stack
    s3, sqs, secrets = (stack.client(service) for service in ("s3", "sqs", "secretsmanager"))
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a", Body=b"content")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="message")
    secrets.create_secret(Name="kept", SecretString="secret")

    cloud.restart()

    assert s3.get_object(Bucket="kept", Key="a")["Body"].read() == b"content"
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "message"
    assert secrets.get_secret_value(SecretId="kept")["SecretString"] == "secret"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (stepfunctions, "_run_execution"),
        (stepfunctions, "_execute_task"),
        (stepfunctions, "_invoke_with_callback"),
        (stepfunctions, "_restore_state"),
        (stepfunctions, "_execute_wait"),
        (app, "_run_ready_scripts"),
        (app, "save_all"),
    ],
)
def test_another_ministack_is_refused(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    monkeypatch.setattr(module, name, lambda otherwise: otherwise)
    with pytest.raises(RuntimeError, match="differs from the version"):
        go_on_after_restarts()


@pytest.mark.matrix
def test_streams_of_tables_go_on(cloud: Restarting) -> None:
    table, stream = make_table(cloud.stack)

    def put(number: int) -> None:
        item = {"pk": {"S": "r"}, "sk": {"S": str(number)}, "tags": {"SS": ["a"]}}
        cloud.stack.client("dynamodb").put_item(TableName=table, Item=item)

    put(1)
    cloud.restart()
    put(2)

    api = cloud.stack.client("dynamodbstreams")
    shard = api.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    place = {"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    records = api.get_records(ShardIterator=api.get_shard_iterator(**place)["ShardIterator"])["Records"]
    assert [record["dynamodb"]["NewImage"]["sk"]["S"] for record in records] == ["1", "2"]
