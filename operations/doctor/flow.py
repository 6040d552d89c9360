"""What moves a recording on: rules, event source mappings, state machines and the sweep."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from typing import Any

from botocore.exceptions import ClientError

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, wrong
from operations.doctor.patient import Patient, command, recordings, side_by_side

BUS = "EventBusName"
SWEEP_OUTPUT = "SweepFunctionName"
MISSED_SWEEPS = 3
"""Sweeps that may be missed before the sweep counts as dead."""
METRIC_LAG = timedelta(minutes=5)
GONE = "Tell the integrator: CloudFormation creates what was deleted only after the template was without it once."
_UNITS = {"minute": 1, "hour": 60, "day": 24 * 60}


@check("rules", "cloudformation:ListStackResources", "events:ListRules", "events:DescribeRule")
def rules(patient: Patient) -> Iterator[Symptom]:
    """Each rule of the stack is enabled, on the default bus and on the stage's own."""
    own, events = patient.outputs[BUS], patient.aws("events")
    pages = events.get_paginator("list_rules").paginate(EventBusName=own)
    states = {rule["Name"]: rule["State"] for page in pages for rule in page["Rules"]}
    # The id of a rule on another bus than the default one begins with the name of the bus.
    names = [each.rpartition("|")[2] for each in patient.physical_ids("AWS::Events::Rule")]

    def state_of(name: str) -> str | None:
        return states[name] if name in states else _found(events.describe_rule, "State", Name=name)

    enabled = 0
    for name, state in zip(names, side_by_side(state_of, names), strict=True):
        if state is None:
            yield wrong(f"The rule {name} was deleted: its events are lost.", GONE)
        elif not state.startswith("ENABLED"):
            bus = ("--event-bus-name", own) if name in states else ()
            yield wrong(
                f"The rule {name} is disabled: its events are lost.",
                command("aws", "events", "enable-rule", "--name", name, *bus),
            )
        else:
            enabled += 1
    if enabled == len(names):
        yield ok(f"All {enabled} rules of EventBridge are enabled.")


def _found(call: Any, member: str, **request: Any) -> str | None:
    """Return a member of what AWS describes; None if AWS does not know it."""
    try:
        return str(call(**request)[member])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ResourceNotFoundException", "StateMachineDoesNotExist"):
            return None
        raise


@check("mappings", "cloudformation:ListStackResources", "lambda:GetEventSourceMapping")
def mappings(patient: Patient) -> Iterator[Symptom]:
    """Lambda reads the queues and the stream for the functions."""
    call, ids = patient.aws("lambda").get_event_source_mapping, patient.physical_ids("AWS::Lambda::EventSourceMapping")

    def find(uuid: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = call(UUID=uuid)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None
        return found

    faults = 0
    for uuid, found in zip(ids, side_by_side(find, ids), strict=True):
        if found is None:
            faults += 1
            yield wrong(f"The event source mapping {uuid} was deleted: what it reads waits.", GONE)
        elif found["State"] in ("Disabled", "Disabling"):
            faults += 1
            source, function = (found[name].split(":") for name in ("EventSourceArn", "FunctionArn"))
            yield wrong(
                f"Lambda does not read {':'.join(source[5:])} for the function {function[6]}.",
                command("aws", "lambda", "update-event-source-mapping", "--uuid", uuid, "--enabled"),
            )
    if not faults:
        yield ok(f"All {len(ids)} event source mappings are enabled.")


@check("state machines", "cloudformation:ListStackResources", "states:DescribeStateMachine")
def machines(patient: Patient) -> Iterator[Symptom]:
    """Each state machine of the stack is active."""
    call, arns = patient.aws("stepfunctions").describe_state_machine, patient.physical_ids(MACHINE_TYPE)
    states = side_by_side(lambda arn: _found(call, "status", stateMachineArn=arn), arns)
    faults = [(arn, state) for arn, state in zip(arns, states, strict=True) if state != "ACTIVE"]
    for arn, state in faults:
        yield wrong(f"The state machine {arn.rpartition(':')[2]} is {(state or 'deleted').lower()}.", GONE)
    if not faults:
        yield ok(f"All {len(arns)} state machines are active.")


MACHINE_TYPE = "AWS::StepFunctions::StateMachine"


@check(
    "sweep",
    "cloudformation:ListStackResources",
    "scheduler:GetSchedule",
    "lambda:GetFunctionConcurrency",
    "cloudwatch:GetMetricStatistics",
)
def sweep(patient: Patient) -> Iterator[Symptom]:
    """The sweep runs by its schedule, and ran lately."""
    function = patient.outputs[SWEEP_OUTPUT]
    reserved = patient.aws("lambda").get_function_concurrency(FunctionName=function)
    if reserved.get("ReservedConcurrentExecutions") == 0:
        yield wrong(
            "The sweep is stopped: its function may not run.",
            command("aws", "lambda", "delete-function-concurrency", "--function-name", function),
        )
        return
    schedules = patient.physical_ids("AWS::Scheduler::Schedule")
    if not schedules:
        yield ok("No sweep runs by itself, because the setting sweepMinutes is 0.")
        return
    [group] = patient.physical_ids("AWS::Scheduler::ScheduleGroup")
    # The id of a schedule may begin with its group.
    found = patient.aws("scheduler").get_schedule(Name=schedules[0].rpartition("|")[2], GroupName=group)
    if found["State"] != "ENABLED":
        yield wrong("The schedule of the sweep is disabled.", _enable(found))
        return
    yield _of_runs(patient, function, found)


def _enable(schedule: Mapping[str, Any]) -> str:
    """Return the command that enables a schedule. AWS replaces all of it, so the command repeats what it has."""
    return command(
        *("aws", "scheduler", "update-schedule", "--name", schedule["Name"], "--group-name", schedule["GroupName"]),
        *("--schedule-expression", schedule["ScheduleExpression"], "--state", "ENABLED"),
        *("--flexible-time-window", json.dumps(schedule["FlexibleTimeWindow"])),
        *("--target", json.dumps(schedule["Target"])),
    )


def _of_runs(patient: Patient, function: str, schedule: Mapping[str, Any]) -> Symptom:
    number, unit = schedule["ScheduleExpression"].removeprefix("rate(").removesuffix(")").split()
    every = timedelta(minutes=int(number) * _UNITS[unit.removesuffix("s")])
    now, long = patient.now(), MISSED_SWEEPS * every + METRIC_LAG
    answer = patient.aws("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - long,
        EndTime=now,
        Period=300,
        Statistics=["Sum"],
    )
    minutes = int(long.total_seconds() // 60)
    if any(point["Sum"] for point in answer["Datapoints"]):
        return ok(f"The sweep ran within the last {minutes} minutes.")
    begun = schedule["CreationDate"].astimezone(UTC)
    if now - begun < long:
        return ok("The sweep has not run yet: its schedule is new.")
    return wrong(f"The sweep did not run for {minutes} minutes.", sweep_at_once(patient))


def sweep_at_once(patient: Patient) -> str:
    """Return the command that sweeps at once, dead letters included."""
    return recordings(patient, "sweep", "--now")
