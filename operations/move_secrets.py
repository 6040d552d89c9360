"""Give keys that earlier releases kept in other secrets a secret of their own: `make secrets STAGE=dev`.

The command copies, so that functions of both releases find each key at any time, also if a run breaks off. With
DELETE=1 it removes the copied keys where they were. It refuses that while the deployed functions read them there.
Repeating either changes nothing.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.command import command_parser, run_command
from operations.deployed_stack import Clients, OperationFailed, Report, aws_client, explained, outputs_of, parsed
from recording_insights.agora import notifications
from recording_insights.agora.rtc_token import CERTIFICATE_KEY, CERTIFICATE_SECRET
from recording_insights.providers.registry import PROVIDERS, webhook_secret
from recording_insights.settings import FORMER_SECRETS, secret_name

OUTPUT = "ReadsOldSecrets"
KEYS: Mapping[str, str] = {
    CERTIFICATE_SECRET: CERTIFICATE_KEY,
    notifications.SECRET: notifications.SECRET_KEY,
    **{webhook_secret(name): entry.webhook_key for name, entry in PROVIDERS.items() if entry.webhook_key},
}
"""By secret, without stage: its one key."""
RIGHTS = (
    "cloudformation:DescribeStacks (for DELETE=1)",
    "secretsmanager:GetSecretValue, DescribeSecret, CreateSecret and PutSecretValue on the secrets of the stage",
)
PREVIOUS = "AWSPREVIOUS"


@dataclass(frozen=True)
class Outcome:
    """What was done, by the names of secrets: `copied` now, `kept` as they were, and `removed` from the former ones."""

    stage: str
    copied: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def copy_keys(stage: str, client: Clients, report: Report) -> Outcome:
    """Create the secret of each key that only its former secret holds. One that holds its key already is kept.

    Raises:
        OperationFailed: a secret is no JSON object, or AWS refuses a call.
    """
    outcome = Outcome(stage)
    with explained(RIGHTS):
        secrets = client("secretsmanager")
        for name, former in FORMER_SECRETS.items():
            _copy(secrets, secret_name(stage, name), KEYS[name], secret_name(stage, former), outcome, report)
    return outcome


def _copy(secrets: Any, name: str, key: str, former: str, outcome: Outcome, report: Report) -> None:
    old, own = _read(secrets, former), _read(secrets, name)
    if own and own.get(key):
        differs = (
            f"; {former} has another {key}, which is not used" if old and old.get(key) not in (None, own[key]) else ""
        )
        report(f"{name} holds its {key} already{differs}")
        outcome.kept.append(name)
    elif old and old.get(key):
        report(f"Copying {key} from {former} to {name}")
        text = json.dumps({**(own or {}), key: old[key]})
        if own is None:
            # The functions may use the customer's key that the operator chose.
            chosen = secrets.describe_secret(SecretId=former).get("KmsKeyId")
            encryption = {"KmsKeyId": chosen} if chosen else {}
            secrets.create_secret(Name=name, SecretString=text, **encryption)
        else:
            secrets.put_secret_value(SecretId=name, SecretString=text)
        outcome.copied.append(name)
    else:
        report(f"Neither {name} nor {former} holds {key}: there is nothing to copy")


def remove_copied_keys(stage: str, client: Clients, report: Report) -> Outcome:
    """Remove the keys that have secrets of their own from the secrets that held them before.

    Raises:
        OperationFailed: the deployed functions may read the keys there, a key has no secret of its own, a secret is no
            JSON object, or AWS refuses a call. Then nothing is removed any more.
    """
    outcome = Outcome(stage)
    with explained(RIGHTS):
        if outputs_of(stage, client).get(OUTPUT) != "false":
            raise OperationFailed(
                f"The functions of the stage {stage} may still read these keys where they were. First deploy it with "
                'CONTEXT="readOldSecrets=false".'
            )
        secrets = client("secretsmanager")
        moved = {former: [name for name in FORMER_SECRETS if FORMER_SECRETS[name] == former] for former in _FORMER}
        for former, names in moved.items():
            _check_copied(secrets, stage, former, names)
        for former, names in moved.items():
            _remove(secrets, secret_name(stage, former), [KEYS[name] for name in names], outcome, report)
    return outcome


_FORMER = tuple(dict.fromkeys(FORMER_SECRETS.values()))


def _check_copied(secrets: Any, stage: str, former: str, names: list[str]) -> None:
    old = _read(secrets, secret_name(stage, former)) or {}
    for name in names:
        own = _read(secrets, secret_name(stage, name)) or {}
        if old.get(KEYS[name]) and not own.get(KEYS[name]):
            raise OperationFailed(
                f"Only {secret_name(stage, former)} holds {KEYS[name]}: `make secrets STAGE={stage}` copies it."
            )


def _remove(secrets: Any, former: str, keys: list[str], outcome: Outcome, report: Report) -> None:
    """Remove keys from a secret. A second write lets go of the version before, which functions could read as well."""
    old = _read(secrets, former)
    if old is None:
        return
    text = json.dumps({name: value for name, value in old.items() if name not in keys})
    if found := [key for key in keys if key in old]:
        report(f"Removing {', '.join(found)} from {former}")
        secrets.put_secret_value(SecretId=former, SecretString=text)
        outcome.removed.extend(f"{former}: {key}" for key in found)
    if any(key in (_read(secrets, former, VersionStage=PREVIOUS) or {}) for key in keys):
        report(f"Letting go of the version of {former} that held them")
        secrets.put_secret_value(SecretId=former, SecretString=text)


def _read(secrets: Any, name: str, **version: str) -> dict[str, Any] | None:
    try:
        return parsed(name, secrets.get_secret_value(SecretId=name, **version)["SecretString"])
    except secrets.exceptions.ResourceNotFoundException:
        return None


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = command_parser(
        "move_secrets", "Give keys that earlier releases kept in other secrets a secret of their own."
    )
    parser.add_argument("--delete", action="store_true", help="remove the copied keys from where they were")
    given = parser.parse_args(arguments)
    operation, sentence = (remove_copied_keys, _removed) if given.delete else (copy_keys, _copied)
    return run_command(lambda report: operation(given.stage, aws_client, report), sentence, as_json=given.json)


def _removed(outcome: Outcome) -> str:
    return f"{len(outcome.removed)} keys were removed from the secrets of earlier releases."


def _copied(outcome: Outcome) -> str:
    return f"{len(outcome.copied)} keys were copied to secrets of their own, {len(outcome.kept)} were there already."


if __name__ == "__main__":
    sys.exit(main())
