"""Renew the credentials that a recorder uploads its files with."""

from dataclasses import replace
from typing import TYPE_CHECKING

from recording_insights.deadline import Deadline
from recording_insights.recordings.lease import change_recorder, lease_recorder
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingRow

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

RENEWAL_SECONDS = 20
"""For Agora's response to a renewal. The watch's function may run longer than the lease; the call must not."""


def renew_credentials(
    recording: RecordingRow, *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> None:
    """Send a recorder new credentials for its folder, and write when. The former credentials stay valid.

    Raises:
        Conflict: the recorder has left, is moving to another host, or another change is under way.
        SecretUnusable, UploadCredentialsError, AgoraError: the recorder keeps its former credentials.
    """
    recording_id = recording["recording_id"]
    # Before the lease: while AWS makes the credentials, others may change the recorder.
    storage = agora.uploader.storage_config(recording["prefix"].strip("/").split("/"), deadline)
    with lease_recorder(recording_id, store=store, deadline=deadline) as leased:
        in_time = replace(deadline, ends_at=min(deadline.ends_at, deadline.monotonic() + RENEWAL_SECONDS))
        change_recorder("update", leased, {"storageConfig": storage}, agora=agora, deadline=in_time)
        store.update(recording_id, {"credentials_renewed_at": store.timestamp})
