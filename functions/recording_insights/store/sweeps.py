"""The one row of the sweep: since when it sweeps, how far it has come, and who sweeps now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from recording_insights.model.moments import utc_text
from recording_insights.store.expressions import if_it_holds, update_of
from recording_insights.store.keys import SWEEP_KEY
from recording_insights.store.numbers import decode
from recording_insights.store.rows import SweepRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class SweepStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def begin(self, seconds: int) -> SweepRow | None:
        """Reserve the sweep for so many seconds, and return its row; None if another sweep is at work.

        The first sweep writes `sweeping_since`.
        """
        from boto3.dynamodb.conditions import Attr

        now = self.now()
        until = Attr("sweeping_until")
        present = int(now.timestamp())
        reserved = if_it_holds(
            self.table.update_item,
            Key=SWEEP_KEY,
            **update_of({"sweeping_until": present + seconds}),
            ConditionExpression=until.not_exists() | until.lte(present),
            ReturnValues="ALL_NEW",
        )
        if reserved is None:
            return None
        row = decode(reserved["Attributes"])
        first = {name: utc_text(now) for name in ("sweeping_since", "began_at") if name not in row}
        if first:
            self.table.update_item(Key=SWEEP_KEY, **update_of(first))
        return cast(SweepRow, {**row, **first})

    def note_retention(self) -> None:
        """Note that all recordings were looked at whether they are too old."""
        self.table.update_item(Key=SWEEP_KEY, **update_of({"retained_at": utc_text(self.now())}))

    def end(self, row: SweepRow, cursors: Mapping[str, str], *, failed: bool = False) -> None:
        """End the reservation, and keep where the next sweep goes on; without cursors the round is over.

        After a round whose last sweep `failed`, the next one looks as far back.
        """
        swept = {} if failed else {"swept_at": row["began_at"]}
        changes = {"cursors": dict(cursors)} if cursors else {"cursors": None, "began_at": None, **swept}
        self.table.update_item(Key=SWEEP_KEY, **update_of({**changes, "sweeping_until": None}))
