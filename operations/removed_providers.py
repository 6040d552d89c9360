"""Refuse a deployment without a provider that media objects still need: a step of `make deploy`.

The rights on a provider's secret and its adapter's address go with the deployment. What waits for the provider or has a
job there would wait until the provider is back. The index by status lists the recordings that are not finished, so no
scan is needed, and providers without slots count as well. A deployment that removes no provider costs one call.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.settings import StackSettings
from operations.deployed_stack import Clients, OperationFailed, Report, explained, find_outputs
from recording_insights.model.status import FINAL
from recording_insights.providers.registry import PROVIDERS
from recording_insights.store.newest_first import recordings_with
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

PROVIDERS_OUTPUT, TABLE_OUTPUT = "Providers", "InsightsTableName"
RIGHTS = (
    "cloudformation:DescribeStacks",
    "dynamodb:Query on the table InsightsTableName and its indexes",
    "kms:Decrypt on the key of the table, if it has one of yours",
)
RUNNING = ("starting", "recording", "stopping")
"""Statuses of recordings whose media objects have yet to come."""


@dataclass(frozen=True)
class Outcome:
    """`removed` are the providers that the deployed stage has and the settings do not; nothing needs one of them."""

    stage: str
    removed: list[str] = field(default_factory=list)


def check_removed_providers(
    settings: StackSettings, client: Clients, table_of: Callable[[str], "Table"], report: Report
) -> Outcome:
    """Look whether anything needs a provider that the settings no longer have. Changes nothing.

    Raises:
        OperationFailed: something does, or AWS refuses a call. The text says how many, and what to do.
    """
    with explained(RIGHTS):
        outputs = find_outputs(settings.stage, client) or {}
        if TABLE_OUTPUT not in outputs:
            return Outcome(settings.stage)  # the first deployment
        # A stage of an earlier version does not name its providers: any may be one of them.
        deployed = outputs[PROVIDERS_OUTPUT].split(",") if PROVIDERS_OUTPUT in outputs else [*PROVIDERS]
        removed = [name for name in deployed if name not in settings.providers]
        if not removed:
            return Outcome(settings.stage)
        report(f"Counting what needs {', '.join(removed)}, which the settings no longer have")
        needed = _needed(RecordingStore(table_of(outputs[TABLE_OUTPUT])), removed)
    if needed:
        raise OperationFailed(_refusal(needed))
    return Outcome(settings.stage, removed)


def _needed(store: RecordingStore, removed: Sequence[str]) -> Mapping[str, Counter[str]]:
    """Return by provider how many media objects are `waiting` for it or `submitted`, and how many recordings run."""
    needed: dict[str, Counter[str]] = {}
    for provider, state in _needs(store):
        if provider in removed:
            needed.setdefault(provider, Counter())[state] += 1
    return needed


def _needs(store: RecordingStore) -> Iterator[tuple[str, str]]:
    for status in (*RUNNING, "processing"):
        for recording, _ in recordings_with(store, status):
            if _has_more_to_come(recording):
                yield recording.get("provider", ""), "running"
            for row in store.media_rows(recording["recording_id"]) if status == "processing" else ():
                if row.get("status") not in FINAL:
                    yield row.get("provider", ""), "submitted" if row.get("status") == "submitted" else "waiting"


def _has_more_to_come(recording: RecordingRow) -> bool:
    """Whether a recorder, or the upload after it, may bring more media objects. Only the API's have a prefix."""
    return recording["status"] in RUNNING or ("prefix" in recording and "complete_at" not in recording)


def _refusal(needed: Mapping[str, Counter[str]]) -> str:
    counts = [
        f"{name}: media objects that wait: {of['waiting']}, that have jobs there: {of['submitted']}; "
        f"recordings that are not complete: {of['running']}"
        for name, of in sorted(needed.items())
    ]
    named = ",".join(sorted(needed))
    return "\n".join(
        (
            "The settings no longer have a provider that is still needed.",
            *counts,
            f"Keep {named} in otherProviders until they are done; recordings that name no provider do not go there.",
            "FORCE=1 deploys without this check: they wait until the provider is back, with provider_not_configured.",
        )
    )
