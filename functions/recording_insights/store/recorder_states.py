"""What Agora last said of the recorders, and when it may be asked again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from recording_insights.model.moments import utc_text
from recording_insights.store.expressions import if_it_holds, update_of
from recording_insights.store.keys import recorder_key
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

MOST_FILES = 300
"""A state must fit into an item of 400 KB, and the name of a file may have 1 KB."""
INTERVAL_SECONDS = 120
"""Agora allows one query in two minutes for a recorder that runs.

Source: https://docs.agora.io/en/cloud-recording/reference/restful-api
"""


@dataclass(frozen=True)
class RecorderStateStore:
    """`table` is the boto3 resource of the insights table; both methods may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def may_ask(self, recording_id: str) -> bool:
        """Reserve the next question to Agora; False if somebody asked within the last two minutes."""
        from boto3.dynamodb.conditions import Attr

        seconds = int(self.now().timestamp())
        asked = if_it_holds(
            self.table.update_item,
            Key=recorder_key(recording_id),
            **update_of({"asked_until": seconds + INTERVAL_SECONDS}),
            ConditionExpression=Attr("asked_until").not_exists() | Attr("asked_until").lte(seconds),
        )
        return asked is not None

    def keep(self, recording: RecordingRow, state: Mapping[str, Any]) -> str:
        """Store what Agora has just said of a recorder, with MOST_FILES of its files at most, and return the moment."""
        now = self.now()
        kept = {
            "opened_at": recording["created_at"],
            "state": {**state, "files": state["files"][:MOST_FILES]},
            "as_of": utc_text(now),
            "asked_until": int(now.timestamp()) + INTERVAL_SECONDS,
        }
        self.table.update_item(Key=recorder_key(recording["recording_id"]), **update_of(kept))
        return str(kept["as_of"])
