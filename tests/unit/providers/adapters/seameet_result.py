"""A callback of SeaMeet with the result of an analysis."""

import json
from typing import Any

RESULT = {
    "event_name": "dashboard_analysis_finished",
    "workspace_id": "the-workspace",
    "meeting_id": "seax_1",
    "payload": {
        "meeting_id": "seax_1",
        "customer_satisfaction_rating": "A",
        "agent_performance_rating": None,
        "agent_performance_feedback": "Clear instructions.",
        "risk_factor": "",
        "summary": "Documents are missing.",
        "title": "Documents",
        "transcript": [{"text": "Hi, I'm calling to ask.", "speaker": "test agent"}],
    },
}


def reply(**payload: Any) -> bytes:
    changed = {**RESULT["payload"], **payload}  # type: ignore[dict-item]
    return json.dumps({**RESULT, "payload": changed}).encode()
