"""The one row of the intake: whether an operator has paused it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from recording_insights.errors import IntakePaused
from recording_insights.model.moments import utc_text
from recording_insights.store.expressions import if_it_holds, read, update_of
from recording_insights.store.keys import INTAKE_KEY
from recording_insights.store.rows import IntakeRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class IntakeStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`."""

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def pause(self, who: str) -> None:
        """Pause the intake. A pause that was there keeps its moment and its operator."""
        from boto3.dynamodb.conditions import Attr

        if_it_holds(
            self.table.update_item,
            Key=INTAKE_KEY,
            **update_of({"paused_at": utc_text(self.now()), "paused_by": who}),
            ConditionExpression=Attr("paused_at").not_exists(),
        )

    def go_on(self) -> None:
        """End the pause, if there is one."""
        self.table.delete_item(Key=INTAKE_KEY)

    def find_pause(self) -> IntakeRow | None:
        """Return the row of the pause, read consistently; None if the intake is open."""
        return cast(IntakeRow | None, read(self.table, INTAKE_KEY))

    def check_open(self) -> None:
        """Raise `IntakePaused` if the intake is paused."""
        if pause := self.find_pause():
            raise IntakePaused(pause["paused_at"])
