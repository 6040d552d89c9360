"""An event reaches its function before a wait is over that began after it, however short the scale makes the wait."""

import json
from uuid import uuid4

import pytest
from ministack.services import eventbridge  # type: ignore[import-untyped]

from sandbox.cloud.emulator.deliveries import deliver_events_before_waits_end
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.cloud.functions import create_function
from tests.sandbox.cloud.machines import create_machine, ended, start

SLOW = """
import time

def handler(event, context):
    time.sleep(1)
    print("handled", event["detail"]["number"])
"""
WAITS = {"Wait": {"Type": "Wait", "Seconds": 300, "End": True}}


def test_a_wait_sees_the_events_before_it_handled(emulator: LocalStack) -> None:
    emulator.set_wait_scale(0.0001)
    events, function, rule = emulator.client("events"), create_function(emulator, SLOW), f"rule-{uuid4().hex[:8]}"
    arn = emulator.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": arn}])
    machine = create_machine(emulator, WAITS)

    events.put_events(Entries=[{"Source": "test", "DetailType": "numbered", "Detail": '{"number": 7}'}])
    ended(emulator, start(emulator, machine))

    logged = emulator.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    assert any("handled 7" in line["message"] for line in logged)


def test_another_way_of_delivery_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventbridge, "_dispatch_to_lambda", lambda arn, payload: None)
    with pytest.raises(RuntimeError, match="differs from the version"):
        deliver_events_before_waits_end()
