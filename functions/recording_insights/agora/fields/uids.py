"""Readers of uids, the numbers by which Agora knows the users of a channel."""

import re
from typing import Any

from recording_insights.errors import InvalidRequest
from recording_insights.validation import Reader, distinct, list_of

LARGEST_UID = 2**32 - 1
MOST_UIDS = 32
"""In one list of a subscription."""
ALL_UIDS = "all"
AGORAS_ALL_UIDS = "#allstream#"

_DIGITS = "[1-9][0-9]{0,9}"


def _read_uid(path: str, value: Any) -> str:
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(digits, str) or not re.fullmatch(_DIGITS, digits) or int(digits) > LARGEST_UID:
        raise InvalidRequest(path, f"must be a whole number from 1 to {LARGEST_UID}")
    return digits


uid = Reader(
    _read_uid,
    {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": LARGEST_UID},
            {"type": "string", "pattern": f"^{_DIGITS}$"},
        ]
    },
)
"""A uid, as a number or as its digits; returns the digits, as Agora wants them."""

uid_list = distinct(list_of(uid, most=MOST_UIDS, of="uids"), "must not name a uid twice")
"""A list of different uids."""


def _read_uids(path: str, value: Any) -> list[str]:
    if value == ALL_UIDS:
        return [AGORAS_ALL_UIDS]
    if isinstance(value, list):
        return uid_list(path, value)
    raise InvalidRequest(path, f'must be a list of 1 to {MOST_UIDS} uids, or "{ALL_UIDS}"')


uids_or_all = Reader(_read_uids, {"anyOf": [{"const": ALL_UIDS}, uid_list.schema]})
"""A list of different uids, or "all"; returns Agora's list."""
