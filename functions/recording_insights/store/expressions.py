"""What the writes of both stores share: time as text, and the answer to a condition that did not hold."""

from datetime import UTC, datetime

from botocore.exceptions import ClientError


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds: sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def lost_the_race(error: ClientError) -> bool:
    """Whether a conditional write, or one of a transaction, met something else than it was built upon."""
    if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return True
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
    return bool(reasons & {"ConditionalCheckFailed", "TransactionConflict"})
