"""How many jobs were submitted, of a recording and on a day: what caps are compared with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from recording_insights.store.expressions import if_it_holds, read, update_of
from recording_insights.store.keys import PARTITION, jobs_of_day_key, jobs_of_recording_key
from recording_insights.store.rows import JobCountRow

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table

LIFE = timedelta(days=90)
"""Of the count of a day. The count of a recording stays as long as the recording."""


@dataclass(frozen=True)
class JobCountStore:
    """`table` is the boto3 resource of the insights table; every method may raise botocore's `ClientError`.

    A count is one item and not spread over several: a day's item takes 1,000 writes a second, far more than there are
    jobs. A function that breaks off between the count and the job leaves a count that is too high by one.
    """

    table: "Table"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def of_recording(self, recording_id: str) -> JobCountRow:
        """Return what was counted of a recording, read consistently."""
        return read(self.table, jobs_of_recording_key(recording_id)) or JobCountRow()

    def of_day(self, day: str) -> JobCountRow:
        """Return what was counted on a day, such as 2026-11-28, read consistently."""
        return read(self.table, jobs_of_day_key(day)) or JobCountRow()

    def count_of_recording(
        self, recording_id: str, media_ms: int, *, most_jobs: int | None, most_ms: int | None
    ) -> bool:
        """Count a job of so many milliseconds of media; False, and nothing is counted, if that exceeds a limit."""
        return self._count(jobs_of_recording_key(recording_id), media_ms, {"jobs": most_jobs, "media_ms": most_ms})

    def count_of_day(self, day: str, media_ms: int, *, most_jobs: int) -> bool:
        """Count a job of a day; False, and nothing is counted, if that exceeds the limit."""
        return self._count(jobs_of_day_key(day), media_ms, {"jobs": most_jobs}, ends=True)

    def take_back_of_recording(self, recording_id: str, media_ms: int) -> None:
        """Take back the count of a job that the provider has not accepted."""
        self._take_back(jobs_of_recording_key(recording_id), media_ms)

    def take_back_of_day(self, day: str, media_ms: int) -> None:
        """Take back the count of a job that the provider has not accepted."""
        self._take_back(jobs_of_day_key(day), media_ms)

    def _count(
        self, key: Mapping[str, str], media_ms: int, limits: Mapping[str, int | None], *, ends: bool = False
    ) -> bool:
        from boto3.dynamodb.conditions import Attr

        adds = {"jobs": 1, "media_ms": media_ms}
        rooms = {name: most - adds[name] for name, most in limits.items() if most is not None}
        if min(rooms.values()) < 0:
            return False
        is_within: list[ConditionBase] = [Attr(name).lte(room) for name, room in rooms.items()]
        condition = Attr(PARTITION).not_exists() | reduce(and_, is_within)
        expiry = {"expires_at": int((self.now() + LIFE).timestamp())} if ends else {}
        counted = if_it_holds(
            self.table.update_item,
            Key=key,
            **update_of(expiry, add=adds),
            ConditionExpression=condition,
        )
        return counted is not None

    def _take_back(self, key: Mapping[str, str], media_ms: int) -> None:
        from boto3.dynamodb.conditions import Attr

        # Midnight may have passed since: the count of a new day does not become negative.
        if_it_holds(
            self.table.update_item,
            Key=key,
            **update_of({}, add={"jobs": -1, "media_ms": -media_ms}),
            ConditionExpression=Attr("jobs").gt(0),
        )
