"""The deployed API keeps its contract, docs/openapi.json: for a caller who follows it, and for a hostile one."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import av
import pytest
import requests

from infra.openapi.document import EXAMPLES, PUBLISHED
from infra.openapi.operations import OPERATIONS
from recording_insights.recordings.exports.formats import FORMATS
from recording_insights.store.changes import LAG
from recording_insights.store.keys import media_key, recording_key
from sandbox.cloud.local_stack import LocalStack
from tests.contract_schemas import faults_of_answer
from tests.deployed import FAST, HELD, STAYS, drop, process, recording_of, until, until_ended, until_waits, waits_at

PROJECT = Path(__file__).parent.parent.parent
NOBODY = "0" * 32
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "missing_required_header"),
)


REFUSALS = """
[checks.negative_data_rejection]
expected-statuses = ["400", "403", "404", "409", "413"]
"""
"""What refuses a wrong body: 413 is not among the tool's own. A body may be wrong and too large at once."""
_SIGNATURE = re.compile(r"\?[^\"]*X-Amz-[^\"]*")
"""Of a presigned link: an example is published."""


_SECRET = re.compile("whsec_[A-Za-z0-9+/=]+")
EXAMPLE_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


class Caller:
    """Calls operations, and keeps what each answered, after a check against the contract."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.answers: dict[str, dict[str, Any]] = {}

    def call(
        self, route: str, expected: int, *, body: Any = None, query: str = "", key: str | None = None, **names: str
    ) -> Any:
        """Call a route whose placeholders are `names`, and return the body of the answer.

        `key` is an Idempotency-Key.
        """
        method, _, path = route.partition(" ")
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.stack.call_api(method, path.format(**names) + query, json=body, headers=headers)
        assert answer.status_code == expected, answer.text
        return self.keep(route, answer, body)

    def keep(self, route: str, answer: requests.Response, body: Any) -> Any:
        """Check an answer, and keep it as an example."""
        kind = answer.headers["content-type"].partition(";")[0]
        content = answer.json() if kind.endswith("json") else answer.text
        assert faults_of_answer(route, answer.status_code, content, kind=kind) == []
        shown = json.loads(_SECRET.sub(EXAMPLE_SECRET, _SIGNATURE.sub("", json.dumps(content))))
        example = {"answer": shown} if body is None else {"request": body, "answer": shown}
        self.answers.setdefault(f"{route} {answer.status_code}", example)
        return content


def forget(stack: LocalStack, recording: Mapping[str, Any]) -> None:
    """Delete the rows of a recording."""
    table = stack.client("dynamodb")
    keys = [media_key(recording["recording_id"], media["media_id"]) for media in recording["media"]]
    for row in (*keys, recording_key(recording["recording_id"])):
        key = {name: {"S": value} for name, value in row.items()}
        table.delete_item(TableName=stack.outputs["InsightsTableName"], Key=key)


def call_for_a_recording(caller: Caller) -> str:
    """From its start to its insights; returns its id."""
    caller.stack.dials(agora={"recording_seconds": None, **STAYS})
    route = "/recordings/{recording_id}"
    ticket = f"ticket {uuid4().hex[:6]}"
    wanted = {"channel": f"support {ticket}", "max_hours": 2, "reference": ticket, "metadata": {"team": "north"}}
    recording_id: str = caller.call("POST /recordings", 201, body=wanted)["recording_id"]
    caller.call("POST /recordings", 200, body=wanted)
    caller.call("POST /recordings", 400, body={"channel": "support", "uid": 0})
    one = {"recording_id": recording_id}
    until(lambda: caller.call(f"GET {route}", 200, **one)["status"] == "recording", "the recorder")
    caller.call(f"PATCH {route}", 200, body={"subscribe_audio_uids": ["7", "8"]}, **one)
    caller.call(f"PATCH {route}", 400, body={"onhold": True}, **one)
    caller.call(f"PUT {route}/layout", 200, body={"layout": "vertical"}, **one)
    caller.call(f"PUT {route}/layout", 400, body={"layout": "round"}, **one)
    caller.call(f"POST {route}/cancel", 409, **one)
    caller.call(f"POST {route}/stop", 202, **one)
    until_ended(caller.stack, recording_id)
    del caller.answers[f"GET {route} 200"]
    caller.call(f"GET {route}", 200, **one)
    caller.call(f"GET {route}/insights", 200, **one)
    caller.call(f"GET {route}/insights", 400, query="?format=pdf", **one)
    call_to_correct(caller, recording_id)
    call_for_files(caller, recording_id)
    call_for_links(caller, recording_id)
    caller.call(f"POST {route}/retry", 409, body={}, **one)
    for ending in ("", "/insights", "/media"):
        caller.call(f"GET {route}{ending}", 404, recording_id=NOBODY)
    for ending in ("/stop", "/retry", "/cancel"):
        caller.call(f"POST {route}{ending}", 404, body={}, recording_id=NOBODY)
    [listed] = caller.call("GET /recordings", 200, query=f"?reference={quote(ticket)}&status=done%2Cpartial")[
        "recordings"
    ]
    assert (listed["recording_id"], listed["metadata"]) == (recording_id, {"team": "north"})
    caller.call("GET /recordings", 400, query="?limit=0")
    return recording_id


def call_for_changes(caller: Caller, recording_id: str) -> None:
    """Read a recording when its last change is ten seconds old; the cursor behind it leads to nothing of it."""
    recording = caller.stack.call_api("GET", f"/recordings/{recording_id}").json()
    rests_at = datetime.fromisoformat(recording["updated_at"]) + LAG
    until(lambda: datetime.now(UTC) > rests_at, "the end of the lag")
    since = f"updated_since={quote(recording['updated_at'])}&limit=1"

    page = caller.call("GET /insights", 200, query=f"?{since}")

    [entry] = page["recordings"]
    alone = caller.stack.call_api("GET", f"/recordings/{recording_id}/insights").json()
    assert entry.items() >= {**alone, "version": recording["version"]}.items()
    after = caller.stack.call_api("GET", f"/insights?cursor={page['cursor']}").json()
    assert recording_id not in {each["recording_id"] for each in after["recordings"]}
    [listed] = caller.stack.call_api("GET", f"/recordings?{since}").json()["recordings"]
    assert (listed["recording_id"], listed["duration_ms"] > 0) == (recording_id, True)
    caller.call("GET /insights", 400, query="?limit=0")


def call_to_correct(caller: Caller, recording_id: str) -> None:
    """Correct a line, and read it with what the provider had, page by page."""
    one = {"recording_id": recording_id}
    insights, transcript = "GET /recordings/{recording_id}/insights", "PATCH /recordings/{recording_id}/transcript"
    [first, *_] = caller.call(insights, 200, query="?include=words&limit=1", **one)["transcript"]
    correction = {"id": first["id"], "text": "Good evening --> <b>everybody</b>.", "was": first["text"]}
    assert caller.call(transcript, 200, body={"corrections": [correction]}, **one)["corrections"] == 1
    caller.call(transcript, 409, body={"corrections": [correction]}, **one)
    [corrected] = caller.call(insights, 200, query="?include=original&limit=1", **one)["transcript"]
    assert (corrected["text"], corrected["original"]["text"]) == (correction["text"], first["text"])
    caller.call(transcript, 400, body={"corrections": [{"id": "7"}]}, **one)
    caller.call(transcript, 404, body={"corrections": [correction]}, recording_id=NOBODY)
    assert "corrections" not in caller.call(transcript, 200, body={"corrections": [{"id": first["id"]}]}, **one)


def call_for_files(caller: Caller, recording_id: str) -> None:
    """Read the insights in each format, by its name and by its type."""
    route = "GET /recordings/{recording_id}/insights"
    [first, *_] = caller.call(route, 200, recording_id=recording_id)["transcript"]
    for name, each in FORMATS.items():
        by_name = caller.call(route, 200, query=f"?format={name}", recording_id=recording_id)
        assert first["text"].split()[0] in by_name
        accept = {"Accept": each.media_type}
        answer = caller.stack.call_api("GET", f"/recordings/{recording_id}/insights", headers=accept)
        assert (answer.text, answer.headers["content-type"]) == (by_name, f"{each.media_type}; charset=utf-8")
        assert answer.headers["content-disposition"].endswith(f'; filename="recording-{recording_id}.{name}"')


def call_for_links(caller: Caller, recording_id: str) -> None:
    """Play what was recorded, as a player does: its beginning first, and from the middle on."""
    links = caller.call("GET /recordings/{recording_id}/media", 200, recording_id=recording_id)["media"]
    assert links
    for link in links:
        # A link needs no signature of the caller.
        part = requests.get(link["url"], headers={"Range": "bytes=4-7"}, timeout=30)
        assert (part.status_code, part.content, len(part.content)) == (206, b"ftyp", 4)
        assert part.headers["content-type"] == link["content_type"] == "video/mp4"
        with av.open(link["url"]) as played:
            assert played.duration is not None
            assert abs(played.duration / 1000 - link["duration_ms"]) < 500
            played.seek(played.duration // 2)
            assert next(played.decode(audio=0)).samples


def call_for_an_upload(caller: Caller, clip: Path) -> None:
    """Ask for a link twice, and send the file to the second one."""
    content, key = clip.read_bytes(), uuid4().hex
    body = {"name": "Interview 7.mp4", "size": len(content), "reference": "ticket 7", "metadata": {"team": "north"}}
    first = caller.call("POST /uploads", 201, body=body, key=key)
    again = caller.call("POST /uploads", 200, body=body, key=key)
    assert again["recording_id"] == first["recording_id"]
    caller.call("POST /uploads", 409, body={**body, "size": 1}, key=key)
    caller.call("POST /uploads", 400, body={**body, "name": "talk.exe"})
    link = again["upload"]
    assert requests.put(link["url"], data=content, headers=link["headers"], timeout=30).status_code == 200
    until_ended(caller.stack, first["recording_id"])


def call_for_a_media_object(caller: Caller, clip: Path) -> None:
    """Pause a provider, cancel, retry, and take an object by its key."""
    paused = {"paused": True}
    caller.call("PUT /providers/{provider}", 404, body=paused, provider="nobody")
    caller.call("PUT /providers/{provider}", 200, body=paused, provider="marsview")
    try:
        recording_id = recording_of(caller.stack, drop(caller.stack, clip))
        until_waits(caller.stack, recording_id, "provider_paused")
        caller.call("GET /providers", 200)
        caller.call("GET /providers", 400, query="?provider=marsview")
        caller.call("POST /recordings/{recording_id}/cancel", 200, recording_id=recording_id)
        caller.call("POST /retries", 200, body={"reason_code": "cancelled", "dry_run": True})
        caller.call("POST /recordings/{recording_id}/retry", 202, body={}, recording_id=recording_id)
    finally:
        caller.call("PUT /providers/{provider}", 200, body={"paused": False}, provider="marsview")
    until_ended(caller.stack, recording_id)
    taken = process(caller.stack, clip, f"by hand/{uuid4().hex[:8]}.mp4")
    [media] = taken["media"]
    caller.call("POST /media", 409, body={"key": media["key"]})
    forget(caller.stack, taken)
    caller.call("POST /media", 202, body={"key": media["key"]})


def call_for_a_retry_of_many(caller: Caller) -> None:
    """Start one, read it, cancel it."""
    caller.call("POST /retries", 400, body={"reason_code": "nobody_knows"})
    with waits_at(caller.stack, HELD):

        def canceled() -> str | None:
            retry_id: str = caller.call("POST /retries", 202, body={"prefix": "no such folder/"})["retry_id"]
            answer = caller.stack.call_api("POST", f"/retries/{retry_id}/cancel")
            caller.keep("POST /retries/{retry_id}/cancel", answer, None)
            return retry_id if answer.status_code == 202 else None

        retry_id = until(canceled, "a retry that is canceled before it ends")
    caller.call("GET /retries", 200)
    caller.call("GET /retries", 400, query="?limit=1")
    caller.call("GET /retries/{retry_id}", 200, retry_id=retry_id)
    for route in ("GET /retries/{retry_id}", "POST /retries/{retry_id}/cancel"):
        caller.call(route, 404, retry_id="20261127T093000Z-00000000")


def call_for_an_erase(caller: Caller, clip: Path) -> None:
    """Erase a recording, and read what is left."""
    recording_id = process(caller.stack, clip)["recording_id"]
    route = "/recordings/{recording_id}"
    caller.call(f"DELETE {route}", 202, recording_id=recording_id)
    path = f"/recordings/{recording_id}"
    until(lambda: caller.stack.call_api("GET", path).status_code == 410, "the receipt")
    caller.call(f"GET {route}", 410, recording_id=recording_id)
    caller.call(f"DELETE {route}", 410, recording_id=recording_id)
    caller.call(f"DELETE {route}", 404, recording_id=NOBODY)


def call_for_subscriptions(caller: Caller) -> None:
    """Subscribe, change, send and delete. Nobody listens at the address."""
    wanted = {"url": "https://localhost/hooks", "events": ["insights.ready"], "description": "ticket system"}
    caller.call("POST /subscriptions", 400, body={**wanted, "url": "https://10.0.0.1/hooks"})
    one = {"subscription_id": caller.call("POST /subscriptions", 201, body=wanted)["subscription_id"]}
    route = "/subscriptions/{subscription_id}"
    caller.call("GET /subscriptions", 200)
    caller.call("GET /subscriptions", 400, query="?limit=1")
    caller.call(f"GET {route}", 200, **one)
    caller.call(f"PATCH {route}", 400, body={"events": ["nothing"]}, **one)
    caller.call(f"PATCH {route}", 200, body={"active": True}, **one)
    caller.call(f"POST {route}/rotate", 200, **one)
    delivery = {"delivery_id": caller.call(f"POST {route}/test", 202, **one)["delivery_id"]}
    caller.call(f"GET {route}/deliveries", 200, **one)
    caller.call(f"GET {route}/deliveries", 400, query="?limit=0", **one)
    caller.call(f"POST {route}/deliveries/{{delivery_id}}/resend", 202, **one, **delivery)
    caller.call(f"POST {route}/deliveries/{{delivery_id}}/resend", 404, **one, delivery_id="none")
    for ending in ("rotate", "test"):
        caller.call(f"POST {route}/{ending}", 404, subscription_id=NOBODY)
    for method in ("GET", "DELETE"):
        caller.call(f"{method} {route}", 404, subscription_id=NOBODY)
    caller.call(f"DELETE {route}", 200, **one)


def test_every_operation_answers_as_the_contract_says(stack: LocalStack, clip: Path) -> None:
    """Each operation succeeds once and refuses once. RECORD=1 keeps the answers as the contract's examples."""
    caller = Caller(stack)

    recording_id = call_for_a_recording(caller)
    call_for_an_upload(caller, clip)
    call_for_a_media_object(caller, clip)
    call_for_a_retry_of_many(caller)
    call_for_changes(caller, recording_id)
    call_for_an_erase(caller, clip)
    call_for_subscriptions(caller)

    for operation in OPERATIONS:
        statuses = {
            answer.rpartition(" ")[2][0] for answer in caller.answers if answer.startswith(f"{operation.route} ")
        }
        assert statuses >= {"2", "4"}, operation.route
    assert {f"{operation.route} {status}" for operation in OPERATIONS for status in operation.answers} <= set(
        caller.answers
    )
    if os.environ.get("RECORD"):
        kept = {name: caller.answers[name] for name in sorted(caller.answers)}
        EXAMPLES.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def run_schemathesis(stack: LocalStack, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": stack.access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.secret_access_key,
        "AWS_REGION": stack.region,
        "SCHEMATHESIS_HOOKS": "tests.e2e.contract_calls",
        "PYTHONPATH": str(PROJECT),
    }
    (folder / "schemathesis.toml").write_text(REFUSALS)
    command = [
        *(str(Path(sys.executable).with_name("st")), "run", str(PUBLISHED), "--url", stack.api_url),
        *("--checks", ",".join(CHECKS), "--request-timeout", "120", "--no-color", "--generation-deterministic"),
        *options,
    ]
    # Fixed arguments.
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603


def end_all(stack: LocalStack) -> None:
    """Undo what the requests have changed of the providers, and wait until every recording that they began has ended.

    Their recorders leave by themselves. Nobody sends the files of their uploads, and no sweep runs for an hour.
    """
    for each in stack.call_api("GET", "/providers").json()["providers"]:
        stack.call_api("PUT", f"/providers/{each['provider']}", json={"paused": False, "slots": None})
    for each in stack.call_api("GET", "/recordings?status=starting&limit=100").json()["recordings"]:
        if each.get("stage") == "upload":
            forget(stack, each)
    for each in stack.call_api("GET", "/subscriptions").json()["subscriptions"]:
        stack.call_api("DELETE", f"/subscriptions/{each['subscription_id']}")
    for status in ("starting", "recording", "stopping", "processing"):
        route = f"/recordings?status={status}&limit=1"
        until(lambda route=route: not stack.call_api("GET", route).json()["recordings"], f"no recording is {status}")  # type: ignore[misc]


def check_answers(stack: LocalStack, folder: Path, *options: str) -> None:
    try:
        with waits_at(stack, FAST):
            run = run_schemathesis(stack, folder, *options)
    finally:
        end_all(stack)
    assert run.returncode == 0, run.stdout[-8000:]


def test_no_request_gets_an_answer_that_the_contract_lacks(stack: LocalStack, tmp_path: Path) -> None:
    check_answers(stack, tmp_path, "--phases", "fuzzing", "--max-examples", "1")


@pytest.mark.matrix
@pytest.mark.timeout(1800)
def test_no_request_of_many_gets_an_answer_that_the_contract_lacks(stack: LocalStack, tmp_path: Path) -> None:
    check_answers(stack, tmp_path, "--phases", "coverage,fuzzing,stateful", "--max-examples", "10")
