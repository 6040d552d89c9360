"""The command `recordings` as an operator looks into a stage with it: a recording that waits, and a lost arrival."""

import json
from pathlib import Path
from typing import Any

from sandbox.cloud.local_stack import LocalStack
from tests.deployed import FAST, HELD, drop, recording_of, until, until_ended, until_waits, waits_at
from tests.recordings_command import run_recordings
from tests.workflow.aws_faults import unadmitted_arrivals
from tests.workflow.test_arrival import messages
from tests.workflow.test_providers import key_for


def test_an_operator_finds_what_waits_and_brings_back_what_was_lost(
    stack: LocalStack, clip: Path, tmp_path: Path
) -> None:
    def run(*arguments: str) -> Any:
        ran = run_recordings(stack, *arguments, "--json", folder=tmp_path)
        assert ran.code == 0, ran.words
        assert "X-Amz-" not in ran.out + ran.words
        return [json.loads(line) for line in ran.out.splitlines()] if arguments[0] == "logs" else ran.data

    away = {"call": "symbl.token", "status": 503, "body": {}, "times": 10_000}
    with waits_at(stack, HELD):
        stack.dials(fail_next=[away])
        recording_id = recording_of(stack, drop(stack, clip, key_for("symbl")))
        until_waits(stack, recording_id, "provider_unavailable")
        [part] = run("why", recording_id)["parts"]
        assert (part["code"], part["provider"], part["state"]) == (
            "provider_unavailable",
            "symbl",
            "Await turn: It waits for its turn.",
        )
        assert part["provider_state"].startswith("takes none since ")
        assert part["limit"].startswith("giveUpHours = ")
        assert part["next_at"] < part["latest_at"]
        assert {"admit_media", "submit_recording"} <= {record["source"] for record in run("logs", recording_id)}
        stack.dials(fail_next=[])
        stack.set_wait_scale(FAST)
    until_ended(stack, recording_id)

    name = stack.outputs["UnadmittedArrivalsArn"].rpartition(":")[2]
    url = stack.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    with unadmitted_arrivals(stack, deliveries=1):
        key = drop(stack, clip)
        until(lambda: messages(stack, url), "the dead letter")
    assert [row["queue"] for row in run("redrive") if row["messages"]] == ["arrivals"]
    [letter] = run("redrive", "show", "arrivals")
    assert letter["body"]["detail"]["object"]["key"] == key
    assert run("redrive", "send", "arrivals", "--yes")["moved"] == 1
    until(lambda: messages(stack, url) == 0, "the empty queue")
    assert until_ended(stack, recording_of(stack, key))["status"] == "done"

    assert run("sweep", "--now")["busy"] is False
    assert run("sweep")["ended_at"]
