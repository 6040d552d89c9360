"""Text from outside is shown in what people read, and controls no terminal."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.session import Session
from cli.visible import visible, visible_json, visible_line
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_stage import fake_session
from tests.unit.cli.test_commands import ID, MEDIA, PROVIDER, RETRY, ROW, TestInsights

HOSTILE = "\x1b]0;owned\x07\x9b31m\r\u202egnirts\u2028\ud83d[/bold]"
SHOWN = "\\x1b]0;owned\\x07\\x9b31m\\x0d\\u202egnirts\\u2028\\ud83d[/bold]"
CONTROLS = set("\x1b\x07\x9b\r\u202e\u2028\ud83d")

_media = {**MEDIA, "reason": HOSTILE, "key": HOSTILE, "provider": HOSTILE, "execution": None, "job_id": HOSTILE}
_row = {
    **ROW,
    **dict.fromkeys(("channel", "reference", "reason", "reason_code", "stage", "started_by", "consent"), HOSTILE),
    **dict.fromkeys(("provider", "mode", "sid", "insights_reason", "stopped_by", "watch_reason"), HOSTILE),
    "metadata": {HOSTILE: HOSTILE},
    "media_counts": {HOSTILE: 1},
    "media": [{**_media, "tries": [{"number": 0, "reason": HOSTILE}]}, {**_media, "uid": HOSTILE}],
}
_said = {"text": HOSTILE, "speaker_name": HOSTILE, "start_ms": 1, "id": "a", "emotion": HOSTILE, "assignee": HOSTILE}
_insights = {
    **TestInsights.REST,
    **{kind: [_said] for kind in ("transcript", "topics", "action_items", "emotions", "questions", "decisions")},
    **dict.fromkeys(("title", "summary", "missing", "reason"), HOSTILE),
    "ratings": {HOSTILE: HOSTILE},
    "derived": {"state": HOSTILE},
}
_retry = {**RETRY, "filters": {"prefix": HOSTILE}, "reason": HOSTILE, "counts": {"refused": {HOSTILE: 1}}}
_uploading = {**ROW, "file": {"name": HOSTILE}, "media": [_media], "insights": "off", "status": "failed"}
_counted = {"media": 1, "refused": {HOSTILE: 1}}
_refused = {"media": [{"media_id": HOSTILE}], "not_retried": [{"media_id": "", "reason": HOSTILE}], "remaining": 0}

OUTPUTS: dict[str, dict[str, Any]] = {
    "list": {"GET /recordings": {"recordings": [_row]}},
    "start room": {"POST /recordings": (409, {"detail": HOSTILE})},
    f"stop {ID}": {f"POST /recordings/{ID}/stop": {"recording_id": ID, "status": "failed", "reason": HOSTILE}},
    f"show {ID}": {f"GET /recordings/{ID}": _row},
    f"watch {ID}": {f"GET /recordings/{ID}": _row},
    f"cancel {ID} --yes": {f"GET /recordings/{ID}": _row, f"POST /recordings/{ID}/cancel": (409, {"detail": HOSTILE})},
    f"erase {ID} --dry-run": {f"GET /recordings/{ID}": _row},
    f"erase {ID} --yes": {f"GET /recordings/{ID}": _row, f"DELETE /recordings/{ID}": (409, {"detail": HOSTILE})},
    f"insights show {ID}": {f"GET /recordings/{ID}/insights": _insights},
    f"retry {ID} --dry-run": {f"GET /recordings/{ID}": _row},
    f"retry {ID} --yes": {f"GET /recordings/{ID}": _row, f"POST /recordings/{ID}/retry": (202, _refused)},
    "retries": {"GET /retries": {"retries": [_retry]}},
    "retries start --dry-run": {"POST /retries": _counted},
    "providers": {"GET /providers": {"providers": [{**PROVIDER, "provider": HOSTILE, "reason": HOSTILE}]}},
}


def on_a_terminal(session: Session) -> Session:
    for console in (session.out, session.words):
        console._force_terminal, console.width = True, 2000
        console.no_color = True
    return session


@pytest.mark.parametrize("arguments", OUTPUTS)
@pytest.mark.parametrize("kind", [lambda session: session, on_a_terminal], ids=["piped", "terminal"])
def test_it_is_shown_and_not_obeyed(run: Run, arguments: str, kind: Callable[[Session], Session]) -> None:
    ran = run(kind(fake_session(OUTPUTS[arguments])), *arguments.split(" "))
    written = ran.out + ran.words
    found = CONTROLS & set(written)
    # In a terminal rich draws with escape sequences of its own, all of which begin with ESC and a bracket.
    if kind is on_a_terminal:
        found -= {"\x1b"} if "\x1b]" not in written else set()
        found -= {"\r"}
    assert not found, written
    assert "owned" in written, "it has come"


def test_an_upload_under_way_shows_its_name(run: Run) -> None:
    ran = run(fake_session({f"GET /recordings/{ID}": _uploading}), "watch", ID)
    assert SHOWN in ran.out
    assert not CONTROLS & set(ran.out)


def test_each_control_is_shown_as_python_writes_it() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible("two\nlines\tand a tab") == "two\nlines\tand a tab"
    assert visible_line("two\nlines") == "two lines"
    assert visible_json({"a": "\u202e\x9b\ud83d"}, indent=None) == '{"a": "\\u202e\\u009b\\ud83d"}'
    assert visible("name 👋 é").encode() == "name 👋 é".encode()
