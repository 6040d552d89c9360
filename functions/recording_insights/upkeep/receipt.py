"""The receipt of an erase: what was deleted where, what could not be, and what expires by itself."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from recording_insights.store.rows import EraseRow, ReceiptRow, RecordingRow
from recording_insights.upkeep.provider_copies import WHY_KEPT

COUNTS = ("media_objects", "prepared_objects", "reply_objects", "delivery_objects", "rows")
HISTORY_DAYS = 90
"""How long Step Functions keeps the history of an execution.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
BACKUP_DAYS = 35
"""How long point-in-time recovery can bring rows back.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
"""


def receipt_of(recording: RecordingRow, progress: EraseRow, erased_at: str, *, log_days: int) -> ReceiptRow:
    """Return the receipt. It names no person, no channel, no file, and no id of a vendor's."""
    counts: Mapping[str, Any] = progress
    provider_copies = Counter(name.partition(":")[0] for name in progress.get("deleted_jobs", ()))
    return {
        "pk": recording["recording_id"],
        "sk": "RECEIPT",
        "recording_id": recording["recording_id"],
        "receipt_id": recording["receipt_id"],
        # By this attribute, an index lists the receipts, the newest first.
        "created_at": erased_at,
        "requested_at": recording["erasing_since"],
        "erased_at": erased_at,
        "deleted": {name: counts.get(name, 0) for name in COUNTS},
        "provider_copies": dict(provider_copies),
        "not_deleted": list(_not_deleted(progress)),
        "expires": [
            f"execution histories expire {HISTORY_DAYS} days after the execution ended",
            f"logs expire after {log_days} days",
            f"backups of the table expire after {BACKUP_DAYS} days",
        ],
    }


def _not_deleted(progress: EraseRow) -> Iterator[Mapping[str, Any]]:
    kept = Counter(tuple(name.split(":")[::2]) for name in progress.get("kept_jobs", ()))
    for (provider, code), jobs in sorted(kept.items()):
        yield {"place": provider, "jobs": jobs, "code": code, "reason": WHY_KEPT[code]}
    if "recorder" in progress:
        reason = "Agora did not answer for three days: the recorder leaves its channel by itself when its time is over"
        yield {"place": "agora", "code": "away", "reason": reason}
