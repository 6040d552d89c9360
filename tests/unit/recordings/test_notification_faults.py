"""Notifications that are odd, hostile, doubled or early."""

from typing import Any
from urllib.parse import quote

import pytest

from recording_insights.agora.notifications import Notification
from recording_insights.recordings.notifications import process_notification
from recording_insights.store.notices import NoticeStore
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock

SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfi+CYEXAMPLEKEY="
SESSION = "IQoJb3JpZ2luX2VjE/" * 20


@pytest.fixture
def notices(table: Any, clock: FakeClock) -> NoticeStore:
    return NoticeStore(table, clock.now)


@pytest.mark.parametrize(
    ("secret", "form"),
    [
        (SECRET_KEY, "token={}"),
        (SESSION, '{{"stsToken":"{}"}}'),
        (quote(SECRET_KEY, safe=""), "HTTPS://B.S3.amazonaws.com/a.ts?x={}"),
        (quote(SESSION, safe=""), "({})"),
    ],
)
def test_an_error_tells_no_secret_however_it_is_written(secret: str, form: str) -> None:
    told = Notification("n", 3, 1, "s", {"errorCode": 32, "errorMsg": f"refused {form.format(secret)} twice"}).error
    runs = [secret[at : at + 8] for at in range(len(secret) - 8)]
    assert not [run for run in runs if run in told["message"]]
    assert told["message"].startswith("refused ")


@pytest.mark.parametrize("event", [12, 31, 11])
def test_a_notification_that_comes_twice_at_once_counts_once(
    start: Any, store: RecordingStore, notices: NoticeStore, event: int
) -> None:
    row = start().recording
    told = Notification("same", 3, event, row["sid"], {})

    class Twin(NoticeStore):
        """The other delivery is taken in between this one's question and its effects."""

        def has(self, notice_id: str) -> bool:
            known = super().has(notice_id)
            assert process_notification(told, store=store, notices=notices) is None
            return known

    assert process_notification(told, store=store, notices=Twin(notices.table, notices.now)) is None
    after = store.find(row["recording_id"]) or {}
    assert after.get("fail_overs", 1) == 1
    assert (after["status"], "complete_at" in after) == ("starting" if event == 12 else "stopping", event == 31)


def test_before_the_recorder_is_known_a_notification_is_ignored(
    start: Any, store: RecordingStore, notices: NoticeStore, table: Any
) -> None:
    """Whoever comes between Agora's answer and the row: the watch learns of it all the same."""
    row = start().recording
    store.update(row["recording_id"], {"sid": None, "resource_id": None})
    told = Notification("early", 3, 31, row["sid"], {})
    assert "not started here" in str(process_notification(told, store=store, notices=notices))
    store.update(row["recording_id"], {"sid": row["sid"], "resource_id": row["resource_id"]})
    assert process_notification(told, store=store, notices=notices) is None


@pytest.mark.parametrize("code", [10**60, -(10**60), True, 1.5, None, [1]])
def test_an_error_code_of_any_form_is_taken_in(
    start: Any, store: RecordingStore, notices: NoticeStore, code: Any
) -> None:
    row = start().recording
    told = Notification("n", 3, 1, row["sid"], {"errorCode": code, "errorMsg": "upload failed"})
    assert process_notification(told, store=store, notices=notices) is None
    assert (store.find(row["recording_id"]) or {})["agora_error"]["message"] == "upload failed"
