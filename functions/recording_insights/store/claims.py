"""Claims: which recording a channel belongs to, and until when."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recording_insights.store.expressions import if_it_holds, read
from recording_insights.store.keys import claim_key
from recording_insights.store.rows import ClaimRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class Claim:
    """The right of a recording to its channel; `claimed_until` is in Unix seconds."""

    channel: str
    recording_id: str
    claimed_until: int

    @property
    def row(self) -> ClaimRow:
        """The claim as a row."""
        key = claim_key(self.channel)
        return {
            "pk": key["pk"],
            "sk": key["sk"],
            "recording_id": self.recording_id,
            "claimed_until": self.claimed_until,
        }


@dataclass(frozen=True)
class ClaimStore:
    """Reads and writes claims. `RecordingStore.open` writes a claim together with its recording.

    `table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`.
    """

    table: "Table"

    def find(self, channel: str) -> Claim | None:
        """Return the channel's claim, read consistently; it may have lapsed."""
        row: ClaimRow | None = read(self.table, claim_key(channel))
        return Claim(channel, row["recording_id"], row["claimed_until"]) if row else None

    def hold(self, claim: Claim, *, instead_of: str | None = None) -> None:
        """Rewrite a claim if the channel still belongs to its recording, or to the recording `instead_of`."""
        from boto3.dynamodb.conditions import Attr

        holder = instead_of or claim.recording_id
        if_it_holds(self.table.put_item, Item=claim.row, ConditionExpression=Attr("recording_id").eq(holder))

    def release(self, channel: str, recording_id: str) -> None:
        """Delete the channel's claim if the channel still belongs to the recording."""
        from boto3.dynamodb.conditions import Attr

        holds = Attr("recording_id").eq(recording_id)
        if_it_holds(self.table.delete_item, Key=claim_key(channel), ConditionExpression=holds)
