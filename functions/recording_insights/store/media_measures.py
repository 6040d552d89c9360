"""What is measured of media objects, from their rows."""

from contextlib import suppress
from datetime import datetime

from recording_insights.measures import measure
from recording_insights.model.cost import MediaCost
from recording_insights.model.reasons import CANCELLED, REASONS
from recording_insights.store.rows import MediaRow

UNKNOWN = "unknown"
"""The value of a dimension that a row of an earlier version, or one that was edited, does not have."""


class MediaMeasures:
    """Measures what happens to media objects: the `Observer` of their rows on AWS."""

    def arrived(self, row: MediaRow) -> None:
        """Its row was written."""
        measure("Arrived")

    def submitted(self, row: MediaRow) -> None:
        """A provider has accepted its job. `row` is as it was before."""
        provider = row.get("provider", UNKNOWN)
        measure("Submitted", provider=provider)

    def waits(self, row: MediaRow, code: str) -> None:
        """It waits for what time or an operator can mend."""
        measure("Waited", provider=row.get("provider", UNKNOWN), code=_known(code))

    def ended(self, row: MediaRow) -> None:
        """It is done or failed. `row` is as it is now."""
        provider = row.get("provider", UNKNOWN)
        measure("Cost", MediaCost.of_try(row).known, provider=provider)
        if row["status"] != "done":
            code = _known(row.get("reason_code", ""))
            measure("Failed", code=code)
            measure("Failures", cause=_cause(code))
            return
        measure("Done", provider=provider)
        moments = (
            ("QueuedSeconds", row.get("waiting_since"), row.get("submitted_at")),
            ("JobSeconds", row.get("submitted_at"), row.get("finished_at")),
            ("StoredAfterSeconds", row.get("callback_at"), row.get("finished_at")),
        )
        for name, since, until in moments:
            with suppress(TypeError, ValueError):  # a moment is missing, or was edited into nonsense
                seconds = (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()  # type: ignore[arg-type]
                if seconds >= 0:
                    measure(name, seconds, provider=provider)

    def gave_up(self, row: MediaRow) -> None:
        """Another try has begun in its execution. What AWS did for both is measured when it ends."""
        if paid := MediaCost.of_try(row).provider:
            measure("Cost", paid, provider=row.get("provider", UNKNOWN))


def _known(code: str) -> str:
    return code if code in REASONS else UNKNOWN


def _cause(code: str) -> str:
    """Return what caused a failure: the `media` or its order, a `person` who cancelled it, or a `service`."""
    if code == CANCELLED:
        return "person"
    return "service" if code == UNKNOWN or REASONS[code].retry == "yes" else "media"
