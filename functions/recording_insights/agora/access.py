"""A call that shows whether Agora accepts the keys of a project. It is free, and changes nothing."""

import re

from recording_insights.agora.answers import Verdict
from recording_insights.agora.calls import AgoraCalls
from recording_insights.deadline import Deadline
from recording_insights.errors import AgoraRefusedCredentials, AgoraRejected, AgoraUnavailable

NO_RECORDER = "/resourceid/none/sid/00000000000000000000000000000000/mode/mix/query"
_UNKNOWN_RESOURCE = (433, 1001)
"""Codes for a resource that has expired or that Agora cannot read: its gateway has let the call pass."""
_PROJECT_REFUSED = re.compile(r"not enabled for this project|\bapp ?id is invalid|\binvalid app ?id", re.IGNORECASE)
"""In the reason for an App ID that Agora does not accept, or whose project may not record."""


def verify_access(calls: AgoraCalls, deadline: Deadline) -> str:
    """Query a recorder that does not exist, once, and return what the answer shows, as one or two sentences.

    The gateway checks customer id, customer secret and App ID before Agora looks for the recorder. This is the API that
    the pipeline uses, on the same host. The list of projects (`GET /dev/v1/projects`) would contain App Certificates.
    Source: https://docs.agora.io/en/cloud-recording/rest-api/status-codes

    Raises:
        AgoraRefusedCredentials: Agora refuses the customer id, the customer secret, the App ID or its project.
        AgoraRejected: Agora's refusal shows nothing about the keys.
        AgoraUnavailable: Agora gave no usable answer.
    """
    try:
        found = calls("query", NO_RECORDER, None, deadline, once=True).verdict
        if found is Verdict.DONE:
            raise AgoraUnavailable("Agora answered with the state of a recorder that does not exist")
    except AgoraRejected as rejected:
        if _PROJECT_REFUSED.search(rejected.reason):
            raise AgoraRefusedCredentials(str(rejected)) from None
        if rejected.code not in _UNKNOWN_RESOURCE:
            raise
    return "Agora accepts the keys. The call does not show whether the account is overdue."
