"""State "Report fault": what failed by AWS or by ourselves goes on where it was, once that is mended."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recording_insights.model.reasons import because
from recording_insights.model.status import FINAL
from recording_insights.processing.progress import Progress
from recording_insights.processing.report_failure import stage_of_state, why
from recording_insights.store.media import MediaStore

PASSING = frozenset(
    {
        *("aws_unavailable", "aws_denied", "function_stopped", "internal_error"),
        *("secret_unavailable", "secret_unusable", "provider_not_configured"),
    }
)
"""Reason codes that time or an operator mends. All others are about the content."""
FIRST_WAIT = 30
LONGEST_WAIT = 900
MOST_FAULTS = 600
"""In a row. AWS ends an execution after 25,000 events, and a fault with its retries is 34 of them.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""


def report_fault(state: Mapping[str, Any], *, store: MediaStore, give_up_hours: int) -> Progress:
    """Write a fault to the row and return after which wait the state is entered again; its `outcome` says which one.

    The wait grows with each fault in a row. The outcome is `failed` if the content is the cause, or if the faults have
    lasted for `give_up_hours`.
    """
    # The call that failed has counted nothing. Its retries are not known.
    progress = Progress.enter(state).count(transitions=1, calls=1)
    code, reason = why(state["error"])
    if code not in PASSING or seconds_waited(progress.faults, give_up_hours) >= give_up_hours * 3600:
        return progress.end("failed", reason, code)
    row = store.get(progress.recording_id, progress.media_id)
    if row.get("status") not in FINAL:
        store.wait(row, **because(stage_of_state(state), code, reason), **progress.counted)
    return replace(progress, wait_seconds=_wait(progress.faults, give_up_hours), faults=progress.faults + 1)


def _wait(faults: int, give_up_hours: int) -> int:
    return min(FIRST_WAIT << min(faults, 10), max(LONGEST_WAIT, give_up_hours * 3600 // MOST_FAULTS))


def seconds_waited(faults: int, give_up_hours: int) -> int:
    """Return how long an execution has waited after so many faults in a row."""
    return sum(_wait(number, give_up_hours) for number in range(faults))
