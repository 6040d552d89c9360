"""SeaMeet's rules for the bodies of its calls, and its refusals."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import request

from sandbox.stand_ins.runtime.calls import Refusal

LANGUAGES = ("en-US", "zh-TW")

_Check = Callable[[Any], bool]


def refusal(status: int, detail: str) -> Refusal:
    """Create SeaMeet's error."""
    return Refusal(status, {"detail": detail})


def body_of() -> dict[str, Any]:
    """Check and return the JSON object of the request, which may be empty."""
    body = request.get_json(silent=True)
    if not request.is_json or not isinstance(body, dict):
        raise refusal(400, "the body must be a JSON object")
    return body


def meeting_in(body: dict[str, Any]) -> dict[str, Any]:
    """Check and return the body of a new meeting."""
    return _checked(body, _MEETING, required=("meeting_name", "channel_type", "language", "start_time"))


def file_name_in(body: dict[str, Any], in_query: str | None) -> str:
    """Return the name of a file to upload: `name` in the body (documented), or `file_name` in the query (script)."""
    in_body = _checked(body, {"name": _is_name}, required=()).get("name")
    name = in_body or in_query
    if not name or "/" in name:
        raise refusal(400, "name is required")
    if in_query not in (None, name):
        raise refusal(400, "name and file_name differ")
    return str(name)


def analysis_in(body: dict[str, Any], meeting_id: str) -> dict[str, Any]:
    """Check and return the body of an analysis. Rate and encoding need not fit the file, as in the vendor's script."""
    _checked(body, _ANALYSIS, required=())
    channels = {body[name] for name in ("channels", "channel") if name in body}
    if len(channels) != 1:
        raise refusal(400, "channels must be given, once")
    if body.get("meeting_id", meeting_id) != meeting_id:
        raise refusal(400, "meeting_id is not that of the path")
    if "scenario" in body:
        _checked(body.get("scenario_parameters", {}), _CUSTOMER_SERVICE_CALL, required=("customer_number",))
    return body


def _checked(body: dict[str, Any], checks: Mapping[str, _Check], required: tuple[str, ...]) -> dict[str, Any]:
    for name in required:
        if name not in body:
            raise refusal(400, f"{name} is required")
    for name, check in checks.items():
        if name in body and not check(body[name]):
            raise refusal(400, f"{name} is invalid")
    return body


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 1


def _is_accounts(value: Any) -> bool:
    """A text in the table; a list of texts in its example and in the script."""
    return _is_text(value) or (isinstance(value, list) and all(isinstance(account, str) for account in value))


def _is_utc_moment(value: Any) -> bool:
    """ISO 8601 without an offset, with a T or a blank."""
    try:
        return isinstance(value, str) and len(value) > 10 and datetime.fromisoformat(value).tzinfo is None
    except ValueError:
        return False


def _one_of(*allowed: Any) -> _Check:
    return lambda value: not isinstance(value, bool) and value in allowed


_MEETING: Mapping[str, _Check] = {
    "meeting_name": _is_name,
    "channel_type": _one_of("PHONE"),
    "language": _one_of(*LANGUAGES),
    "start_time": _is_utc_moment,
    "resource_metadata": _is_object,
}
_ANALYSIS: Mapping[str, _Check] = {
    "meeting_id": _is_name,
    "channels": _one_of(1, 2),
    "channel": _one_of(1, 2),
    "file_name": _is_name,
    "audio_start_offset": _is_number,
    "audio_format": _is_name,
    "audio_sample_rate": _is_number,
    "audio_encoding": _is_name,
    "scenario": _one_of("customer_service_call"),
    "scenario_parameters": _is_object,
    "speaker_accounts": _is_accounts,
    "diarization_options": _one_of("by_server", "disabled"),
    "num_speakers": _is_count,
    "enable_itn": _is_flag,
    "enable_punctuation": _is_flag,
    "use_existing_audio": _is_flag,
    "reset_meeting": _is_flag,
    "queue_type": _one_of("DEDICATED"),
}
_CUSTOMER_SERVICE_CALL: Mapping[str, _Check] = {
    "customer_number": _is_name,
    "customer_name": _is_text,
    "agent_name": _is_text,
    "went_to_voicemail": _is_flag,
    "contains_recordings": _is_flag,
    "spoke_to_agent": _is_flag,
    "enable_agent_recognition": _is_flag,
    "direction": _one_of("INBOUND", "OUTBOUND", None),
}
