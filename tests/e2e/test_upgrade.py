"""This version deployed over the last release, under recordings in all stages: nothing is lost or paid twice.

`last_release.txt` names the commit of the last release. Whoever makes a release writes its commit there.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import boto3
import pytest

from cli.terminal.phases import Phases
from operations.pause_intake import pause_intake, resume_intake
from recording_insights.processing.progress import Outcome
from recording_insights.processing.report_failure import stage_of_state
from recording_insights.settings import KeepResultSettings
from sandbox.cloud.lifecycle import bring_up, update
from sandbox.cloud.lifecycle import drop as drop_stack
from sandbox.cloud.local_stack import LocalStack
from sandbox.cloud.location import PROJECT, Location
from sandbox.stand_ins.vendors.registry import vendors
from tests.deployed import (
    FAST,
    HELD,
    STAYS,
    drop,
    entered,
    executions,
    jobs_paid,
    listed,
    read,
    recording_of,
    start_afresh,
    until,
    until_ended,
    until_recording,
)
from tests.workflow.aws_faults import without_grants

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(1200)]

LAST_RELEASE = Path(__file__).with_name("last_release.txt")
SETTINGS = {
    "provider": "marsview",
    "otherProviders": "assemblyai,deepgram,seameet,symbl",
    "prefixProviders": json.dumps({f"via/{name}/": name for name in ("assemblyai", "deepgram", "symbl")}),
    "callbackWaitSeconds": "120",
    "lateFilesMinutes": "5",
    "sweepMinutes": "0",
    "insightsModel": "",
}
"""Settings that the last release knows too. It knows no model."""
KEPT = (
    *("AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SecretsManager::Secret"),
    *("AWS::StepFunctions::StateMachine", "AWS::ApiGatewayV2::Api", "AWS::IAM::User"),
)
"""Resources that hold data, or that executions, vendors and callers refer to."""
OUTCOME = re.compile(r"outcome = '(\w+)'")
Template = Mapping[str, Any]


@pytest.fixture(autouse=True)
def fresh_stand_ins() -> None:
    """These tests bring a stack of their own."""


@pytest.fixture(scope="module")
def last_release() -> Path:
    """The folder of the last release's files."""
    commit = LAST_RELEASE.read_text().strip()
    folder = PROJECT / ".local" / "last-release" / commit
    if not (folder / "app.py").exists():
        packed = subprocess.run(["git", "archive", commit], cwd=PROJECT, check=False, capture_output=True)  # noqa: S603, S607
        if packed.returncode:
            pytest.skip(
                f"NO UPGRADE WAS TESTED: this clone does not have the last release, {commit}. "
                f"Run: git fetch --unshallow ({packed.stderr.decode().strip()})"
            )
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)  # noqa: S603, S607
    # cdk.json runs the app with .venv. Wheels are named after what they are built of, so both versions share them.
    (folder / ".local").mkdir(exist_ok=True)
    (PROJECT / ".local" / "wheels").mkdir(parents=True, exist_ok=True)
    for name in (".venv", ".local/wheels"):
        if not (folder / name).exists():
            (folder / name).symlink_to(PROJECT / name)
    return folder


@pytest.fixture
def location(tmp_path: Path) -> Iterator[Location]:
    location = Location.free(tmp_path / "local")
    yield location
    drop_stack(location)


def template_of(location: Location) -> Template:
    """The template that was deployed last."""
    template: Template = json.loads(
        (location.directory / "cdk.out" / "RecordingInsights-local.template.json").read_text()
    )
    return template


def paid(stack: LocalStack) -> int:
    jobs = jobs_paid(stack)
    return sum(int(jobs.get(vendor.paid, 0)) for vendor in vendors().values())


class Traffic:
    """Recordings of one customer. No two media objects have the same content."""

    def __init__(self, stack: LocalStack, clip: Path) -> None:
        self.stack, self._clip, self._number = stack, clip.read_bytes(), 0

    def put(self, provider: str, count: int) -> list[str]:
        """Drop media objects for a provider, and return their keys."""
        return [drop(self.stack, self._media(), f"via/{provider}/{self._number}.mp4") for _ in range(count)]

    def _media(self) -> bytes:
        self._number += 1
        # A box that is to be skipped.
        return self._clip + (16).to_bytes(4, "big") + b"free" + self._number.to_bytes(8, "big")

    def recordings(self, provider: str, count: int) -> list[str]:
        """Drop media objects, and return the ids of their recordings once these have rows."""
        return [recording_of(self.stack, key) for key in self.put(provider, count)]

    def start(self, count: int) -> list[str]:
        """Start recordings, and return their ids once their recorders have joined."""
        answers = [self.stack.call_api("POST", "/recordings", json={"channel": f"team {n}"}) for n in range(count)]
        ids = [str(answer.json()["recording_id"]) for answer in answers]
        for recording_id in ids:
            until_recording(self.stack, recording_id)
        return ids

    def until_in(self, state: str, ids: Sequence[str], times: int = 1) -> None:
        """Wait until the executions of recordings are in a state, for the n-th time."""
        for recording_id in ids:
            until(lambda one=recording_id: self._is_in(state, one, times), f"{recording_id} in {state}")  # type: ignore[misc]

    def _is_in(self, state: str, recording_id: str, times: int) -> bool:
        found = executions(self.stack, read(self.stack, recording_id))
        states = entered(self.stack, found[0]) if found else []
        return states[-1:] == [state] and states.count(state) >= times


def intake_mapping(stack: LocalStack, *, enabled: bool) -> None:
    """Let the intake take messages of its queue, or none."""
    # The stack of the last release has no output with the ARN of the queue.
    found = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    [mapping] = [each for each in found if "Arrival" in each["EventSourceArn"]]
    stack.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)


def pause(stack: LocalStack, provider: str, *, paused: bool) -> None:
    assert stack.call_api("PUT", f"/providers/{provider}", json={"paused": paused}).status_code == 200


def table_of(stack: LocalStack) -> Any:
    keys = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    resource: Any = boto3.resource
    return resource("dynamodb", endpoint_url=stack.endpoint_url, region_name=stack.region, **keys).Table


@contextmanager
def offered_again_after(stack: LocalStack, *, seconds: int) -> Iterator[None]:
    """The queue of arrivals offers a message again after so many seconds. More calls than these would run at once."""
    sqs, url = stack.client("sqs"), stack.outputs["ArrivalsUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def until_offered(stack: LocalStack, times: int) -> None:
    """Wait until a message of the queue of arrivals was offered so often, and is still there."""
    sqs, url = stack.client("sqs"), stack.outputs["ArrivalsUrl"]

    def find() -> bool:
        asked = {"AttributeNames": ["ApproximateReceiveCount"], "VisibilityTimeout": 0}
        messages = sqs.receive_message(QueueUrl=url, **asked).get("Messages", [])
        return any(int(message["Attributes"]["ApproximateReceiveCount"]) >= times for message in messages)

    until(find, f"a message that was offered {times} times")


def test_twenty_recordings_in_all_stages_survive_an_upgrade(last_release: Path, location: Location, clip: Path) -> None:
    stack = bring_up(location, SETTINGS, Phases(), last_release)
    before = template_of(location)
    start_afresh(stack)
    stack.set_token_scale(0.5)  # for the tokens that no callback will bring back: a minute
    traffic = Traffic(stack, clip)

    with without_grants(stack, "Save insights"):
        saving = traffic.recordings("deepgram", 2)
        stack.dials(agora=STAYS)
        watched = traffic.start(2)
        traffic.until_in("Wait for repair", saving, times=7)
        stack.set_wait_scale(HELD)  # before the repair: the waits for it have grown to a quarter of an hour
    stack.dials(
        marsview={"job_seconds": 45.0, "look_waits": False},
        symbl={"job_seconds": 20.0},
        assemblyai={"callback": "lost"},
    )
    pause(stack, "deepgram", paused=True)
    polling = traffic.recordings("marsview", 4)
    parked = traffic.recordings("deepgram", 4)
    awaiting = [*traffic.recordings("symbl", 3), *traffic.recordings("assemblyai", 2)]
    traffic.until_in("Wait", polling)
    traffic.until_in("Await turn", parked)
    traffic.until_in("Await callback", awaiting[3:])
    until(lambda: paid(stack) == len((*saving, *polling, *awaiting)), "a paid job of each that has its turn")
    intake_mapping(stack, enabled=False)
    queued = traffic.put("symbl", 3)

    upgraded = update(stack, location, Phases())
    assert_what_runs_is_understood(before, template_of(location))

    upgraded.dials(marsview={"job_seconds": 0.0, "look_waits": True}, symbl={"job_seconds": 0.0})
    upgraded.dials(assemblyai={"callback": "once"})
    check_that_the_intake_can_be_paused(upgraded)
    upgraded.set_wait_scale(FAST)
    pause(upgraded, "deepgram", paused=False)
    for recording_id in watched:
        assert upgraded.call_api("POST", f"/recordings/{recording_id}/stop").status_code == 202
    admitted = [recording_of(upgraded, key) for key in queued]
    everything = [*saving, *polling, *parked, *awaiting, *watched, *admitted]
    ended = [until_ended(upgraded, recording_id) for recording_id in everything]

    assert [(recording["status"], recording.get("reason")) for recording in ended] == [("done", None)] * 20
    assert paid(upgraded) == 20
    for machine in ("WorkflowArn", "WatchArn"):
        broken = upgraded.client("stepfunctions").list_executions(
            stateMachineArn=upgraded.outputs[machine], statusFilter="FAILED"
        )
        assert broken["executions"] == []


def check_that_the_intake_can_be_paused(stack: LocalStack) -> None:
    """Arrivals stay in their queue and nothing starts, until the pause ends."""
    tables, known = table_of(stack), len(listed(stack))
    assert pause_intake("local", stack.client, tables).paused_at
    with offered_again_after(stack, seconds=3):
        intake_mapping(stack, enabled=True)
        refused = stack.call_api("POST", "/recordings", json={"channel": "refused"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert refused.json()["type"].endswith(":intake-paused")
        until_offered(stack, 2)
        assert len(listed(stack)) == known
        resume_intake("local", stack.client, tables)


def assert_what_runs_is_understood(before: Template, after: Template) -> None:
    """Compare two templates: what executions of the former one need is in the present one."""
    old, new = before["Resources"], after["Resources"]
    lost = [
        name for name, each in old.items() if each["Type"] in KEPT and new.get(name, {}).get("Type") != each["Type"]
    ]
    assert lost == []
    for definition in definitions(before):
        called = set(re.findall(r"GetAtt (\w+)", definition))
        assert {name for name in called if new.get(name, {}).get("Type") != old[name]["Type"]} == set()
        for state in json.loads(definition)["States"].values():
            for caught in state.get("Catch", ()):
                for name in re.findall(r"'failed_state': '([^']+)'", str(caught.get("Output"))):
                    assert stage_of_state({"failed_state": name})
    assert outcomes_that_fail(before) == set()
    for each in old.values():
        if each.get("Properties", {}).get("Handler") == "routes.keep_result.handler":
            # The new code may meet the former environment, and nobody may repeat the callback.
            variables = each["Properties"]["Environment"]["Variables"]
            KeepResultSettings.from_env(
                {name: value if isinstance(value, str) else "a" for name, value in variables.items()}
            )


def definitions(template: Template) -> list[str]:
    """The definitions of the state machines; a reference is a text with the name of what it refers to."""
    texts = [
        each["Properties"]["DefinitionString"]["Fn::Join"][1]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::StepFunctions::StateMachine"
    ]

    def text_of(part: Any) -> str:
        if isinstance(part, str):
            return part
        return f"GetAtt {part['Fn::GetAtt'][0]}" if "Fn::GetAtt" in part else "reference"

    return ["".join(map(text_of, parts)) for parts in texts]


def outcomes_that_fail(template: Template) -> set[str]:
    """The outcomes of this version that would fail a media object of the template's state machine."""
    [states] = [json.loads(text)["States"] for text in definitions(template) if "Job finished?" in text]
    choice = states["Job finished?"]
    known = {outcome for branch in choice["Choices"] for outcome in OUTCOME.findall(branch["Condition"])}
    known |= {
        outcome for branch in states["Media prepared?"]["Choices"] for outcome in OUTCOME.findall(branch["Condition"])
    }
    return {*get_args(Outcome)} - known - {"failed"} if choice["Default"] == "Report failure" else set()
