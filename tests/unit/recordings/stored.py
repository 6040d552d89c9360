"""Rows of recordings that the table holds already."""

from typing import Any

from recording_insights.store.keys import recording_key


def put(table: Any, recording_id: str, status: str, created_at: str, **attributes: Any) -> None:
    item = {"recording_id": recording_id, "status": status, "created_at": created_at, "provider": "marsview"}
    table.put_item(Item={**recording_key(recording_id), **item, "version": 1, **attributes})
