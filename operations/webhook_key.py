"""Rotate the key that makes the tokens of callbacks: `make webhook-key STAGE=dev`.

The former key stays good as `previousKey`, for the jobs that were submitted with it. One write replaces both, so a run
that breaks off has rotated or has not, and the next one says which. A second rotation would end the former key, so it
is refused while such jobs may run. Start only one run at a time.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, OperationFailed, Report, aws_client, explained, outputs_of, parsed
from recording_insights.processing.callbacks import KEY, PREVIOUS_KEY

SECRET_OUTPUT, MINUTES_OUTPUT = "WebhookSecretArn", "WebhookKeyMinutes"
KEY_CHARACTERS = 64
RIGHTS = (
    "cloudformation:DescribeStacks",
    "secretsmanager:GetSecretValue and PutSecretValue on the secret of the webhooks",
)
COSTS = (
    "Callbacks of jobs that were submitted before the last rotation are refused, within five minutes everywhere. "
    "Polls find their results, up to callbackWaitSeconds later."
)


@dataclass(frozen=True)
class Outcome:
    """The secret, whether it has another key now, and until when jobs may call back with tokens of the former one.

    `former_key_until` is None if there is no former key.
    """

    stage: str
    secret: str
    rotated: bool
    former_key_until: str | None


def rotate_webhook_key(
    stage: str,
    client: Clients,
    report: Report,
    *,
    force: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Outcome:
    """Make a new key, which new tokens are made with, and keep the former one for the jobs that have its tokens.

    Raises:
        OperationFailed: the stage is not deployed or has no webhooks, or AWS refuses a call. Without `force` also if
            jobs may still have tokens of the key before, which would not be good any more.
    """
    with explained(RIGHTS):
        stored = _Stored.read(stage, client)
        if stored.value.get(PREVIOUS_KEY) and now() < stored.former_key_until:
            text = (
                f"jobs that were submitted before may call back until {_said(stored.former_key_until)}, "
                "and their callbacks would be refused"
            )
            if not force:
                raise OperationFailed(
                    f"The key was rotated at {_said(stored.written_at)}: {text}. Wait, or set FORCE=1. {COSTS}"
                )
            report(f"Although {text}")
        report(f"Making a new key in {stored.secret}")
        stored.write({**stored.value, KEY: token_hex(KEY_CHARACTERS // 2), PREVIOUS_KEY: stored.value[KEY]})
    until = now() + stored.lifetime
    return Outcome(stage, stored.secret, True, _said(until))


def revoke_former_key(stage: str, client: Clients, report: Report) -> Outcome:
    """End the former key at once. Repeating it changes nothing.

    Raises:
        OperationFailed: the stage is not deployed or has no webhooks, or AWS refuses a call.
    """
    with explained(RIGHTS):
        stored = _Stored.read(stage, client)
        if PREVIOUS_KEY in stored.value:
            report(f"Ending the former key in {stored.secret}")
            stored.write({name: value for name, value in stored.value.items() if name != PREVIOUS_KEY})
        else:
            report(f"{stored.secret} holds no former key")
    return Outcome(stage, stored.secret, False, None)


@dataclass(frozen=True)
class _Stored:
    """The stack's webhook secret as it was read. Jobs have tokens of a key for `lifetime` after its replacement."""

    secret: str
    value: dict[str, Any]
    written_at: datetime
    lifetime: timedelta
    client: Any

    @classmethod
    def read(cls, stage: str, client: Clients) -> "_Stored":
        outputs = outputs_of(stage, client)
        if not outputs.keys() >= {SECRET_OUTPUT, MINUTES_OUTPUT}:
            raise OperationFailed(
                f"The stage {stage} has no output {SECRET_OUTPUT}: none of its providers calls back, or an earlier "
                f"version deployed it, and `make deploy STAGE={stage}` updates it."
            )
        secrets, name = client("secretsmanager"), outputs[SECRET_OUTPUT]
        version = secrets.get_secret_value(SecretId=name)
        value = parsed(name, version["SecretString"])
        if not isinstance(value.get(KEY), str) or not value[KEY]:
            raise OperationFailed(f"The secret {name} has no {KEY}: put a text of {KEY_CHARACTERS} letters there.")
        minutes = timedelta(minutes=int(outputs[MINUTES_OUTPUT]))
        return cls(name, value, version["CreatedDate"].astimezone(UTC), minutes, secrets)

    @property
    def former_key_until(self) -> datetime:
        """When no job has a token of the former key any more: a rotation has written the version that holds one."""
        return self.written_at + self.lifetime

    def write(self, value: dict[str, Any]) -> None:
        self.client.put_secret_value(SecretId=self.secret, SecretString=json.dumps(value))


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = command_parser("webhook_key", "Rotate the key that makes the tokens of callbacks.")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--force", action="store_true", help="rotate although jobs may have tokens of the key before")
    instead.add_argument("--revoke", action="store_true", help="do not rotate, but end the former key at once")
    given = parser.parse_args(arguments)

    def operation(report: Report) -> Outcome:
        if given.revoke:
            return revoke_former_key(given.stage, aws_client, report)
        return rotate_webhook_key(given.stage, aws_client, report, force=given.force)

    return run_command(operation, _sentence, as_json=given.json)


def _sentence(outcome: Outcome) -> str:
    if not outcome.rotated:
        return f"{outcome.secret} holds one key. {COSTS}"
    return f"{outcome.secret} holds a new key; callbacks with the former one come until {outcome.former_key_until}."


if __name__ == "__main__":
    sys.exit(main())
