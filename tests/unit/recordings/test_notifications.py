"""Agora's notifications: who may send them, what they say, what follows."""

import hmac
from contextlib import suppress
from typing import Any

import pytest

from recording_insights.agora.notifications import Notification, check_signature
from recording_insights.errors import CallbackForged, InvalidRequest
from recording_insights.recordings.notifications import process_notification
from recording_insights.store.keys import EXPIRES_AT, notice_key, recording_key, sid_key
from recording_insights.store.notices import NoticeStore
from recording_insights.store.recorder_names import RecorderNameStore
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import RecordingChanges
from tests.unit.crashing_table import Crash, CrashingTable, crashes_at_every_write
from tests.unit.fakes import FakeClock
from tests.unit.watch.scene import watched

SECRET = "notification-secret"
BODY = b'{"noticeId": "1", "payload": "\xc3\xbc"}'
SHA1 = hmac.new(SECRET.encode(), BODY, "sha1").hexdigest()
SHA256 = hmac.new(SECRET.encode(), BODY, "sha256").hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {"agora-signature": SHA1},
        {"agora-signature-v2": SHA256},
        {"agora-signature-v2": SHA256.upper()},
        {"agora-signature-v2": SHA256, "agora-signature": "wrong"},
    ],
)
def test_what_agora_signs_is_believed(headers: dict[str, str]) -> None:
    check_signature(BODY, headers, SECRET)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        ({"agora-signature": SHA256}, BODY),
        ({"agora-signature-v2": SHA1}, BODY),
        ({"agora-signature-v2": "wrong", "agora-signature": SHA1}, BODY),
        ({"agora-signature-v2": ""}, BODY),
        ({"agora-signature-v2": "ü"}, BODY),
        ({"agora-signature": SHA1, "agora-signature-v2": SHA256}, BODY + b" "),
    ],
)
def test_whatever_else_comes_is_forged(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(CallbackForged):
        check_signature(body, headers, SECRET)


@pytest.mark.parametrize("body", [{}, {"noticeId": 7}, {"noticeId": ""}, {"noticeId": "x" * 501}])
def test_a_notification_has_an_id(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        Notification.from_body(body)


@pytest.mark.parametrize("payload", [None, "x", [], {"sid": 7, "details": "x"}])
def test_a_payload_of_any_form_is_read(payload: Any) -> None:
    assert Notification.from_body({"noticeId": "1", "payload": payload}) == Notification("1", None, None, "")


def notice(event: Any, sid: str, notice_id: str = "n1", product: Any = 3, **details: Any) -> Notification:
    return Notification(notice_id, product, event, sid, details)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        *[
            (2, "stopped on request"),
            (4, "nobody else in the channel"),
            (20, "nobody else in the channel, disconnected"),
        ],
        *[(0, "it could not join"), (8, "left the channel"), (None, "left the channel"), ("4", "left the channel")],
    ],
)
def test_why_a_recorder_left(code: Any, cause: str) -> None:
    assert notice(41, "s", leaveCode=code).leave_cause == cause


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"errorCode": 47, "errorMsg": " upload\n failed "}, {"code": 47, "message": "upload failed"}),
        ({"errorCode": "x", "errorMsg": 7}, {}),
        (
            {"errorMsg": "PUT https://b.s3.amazonaws.com/k.ts?X-Amz-Signature=5ec0de failed"},
            {"message": "PUT https://b.s3.amazonaws.com/k.ts?*** failed"},
        ),
        ({"errorMsg": "AKIAIOSFODNN7EXAMPLE is refused"}, {"message": "*** is refused"}),
        ({"errorMsg": f"token {'Fwo/' * 20}== has expired"}, {"message": "token *** has expired"}),
        ({"errorMsg": "no space " * 100}, {"message": ("no space " * 100)[:400]}),
    ],
)
def test_an_error_is_told_without_secrets(details: dict[str, Any], told: dict[str, Any]) -> None:
    assert notice(1, "s", **details).error == told


DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("age_ms", "is_timely"),
    [
        *[(0, True), (DAY_MS, True), (DAY_MS + 1, False), (8 * DAY_MS, False)],
        *[(-DAY_MS, True), (-DAY_MS - 1, False), (10**400, False), (-(10**400), False)],
    ],
)
def test_a_notification_that_is_a_day_old_or_from_the_future_changes_nothing(
    store: RecordingStore, notices: NoticeStore, row: dict[str, Any], clock: FakeClock, age_ms: int, is_timely: bool
) -> None:
    now_ms = int(clock.now().timestamp() * 1000)
    for event in (1, 11, 12, 31, 32, 41, 71):
        payload = {"sid": row["sid"], "details": {"leaveCode": 4, "errorCode": 7}}
        body = {"noticeId": f"n{event}", "productId": 3, "eventType": event, "notifyMs": now_ms - age_ms}
        told = Notification.from_body({**body, "payload": payload})
        ignored = process_notification(told, store=store, notices=notices)
        assert ("replayed" in (ignored or "")) is not is_timely
        assert notices.has(f"n{event}") is is_timely
    assert (store.get(row["recording_id"]) == row) is not is_timely


@pytest.mark.parametrize("sent", [None, True, "1611566412672", "", [], {}, 1.5, float("inf"), float("nan")])
def test_a_notification_that_does_not_say_when_it_was_sent_is_processed(
    store: RecordingStore, notices: NoticeStore, row: dict[str, Any], sent: Any
) -> None:
    body = {"noticeId": "n", "productId": 3, "eventType": 11, "notifyMs": sent, "payload": {"sid": row["sid"]}}
    assert process_notification(Notification.from_body(body), store=store, notices=notices) is None
    assert store.get(row["recording_id"])["status"] == "stopping"


@pytest.fixture
def notices(table: Any, clock: FakeClock) -> NoticeStore:
    return NoticeStore(table, clock.now)


@pytest.fixture
def row(start: Any) -> dict[str, Any]:
    return dict(start().recording)


@pytest.fixture
def tell(store: RecordingStore, notices: NoticeStore, row: dict[str, Any]) -> Any:
    """Process a notification about the recording; returns the row."""

    def take(event: int, notice_id: str = "n1", **details: Any) -> dict[str, Any]:
        assert (
            process_notification(notice(event, row["sid"], notice_id, **details), store=store, notices=notices) is None
        )
        return dict(store.find(row["recording_id"]) or {})

    return take


@pytest.mark.parametrize(
    ("event", "details", "why"),
    [
        (11, {"exitStatus": 0}, "exited"),
        (11, {"exitStatus": 1}, "exited abnormally"),
        (41, {"leaveCode": 2}, "stopped on request"),
        (41, {"leaveCode": 4}, "nobody else in the channel"),
        (41, {"leaveCode": 20}, "nobody else in the channel, disconnected"),
        (41, {"leaveCode": 0}, "it could not join"),
        (71, {"code": 0}, "exited"),
    ],
)
def test_an_end_is_known_early(tell: Any, store: RecordingStore, event: int, details: dict[str, Any], why: str) -> None:
    ended = tell(event, **details)
    assert (ended["status"], ended["reason"]) == ("stopping", f"the recorder left by itself ({why})")
    assert (ended["stopped_at"], ended["ended_by"]) == (store.timestamp, "recorder")
    assert "complete_at" not in ended
    assert store.claims.find("team") is None


def test_everything_uploaded_is_complete(tell: Any, store: RecordingStore) -> None:
    ended = tell(31, status=0, fileList=[{"fileName": "x.mp4"}])
    assert ended["complete_at"] == ended["stopped_at"] == store.timestamp


def test_an_end_that_is_known_stays_as_it_was(
    tell: Any, store: RecordingStore, row: dict[str, Any], clock: FakeClock
) -> None:
    told: RecordingChanges = {"stopped_at": store.timestamp, "ended_by": "stop", "status": "stopping"}
    store.update(row["recording_id"], told)
    clock.elapsed += 60
    ended = tell(41, leaveCode=2)
    assert ended.items() >= told.items()
    assert "reason" not in ended
    complete = tell(31, "n2")
    assert complete.items() >= told.items()
    assert complete["complete_at"] == store.timestamp


def test_files_in_the_backup_are_noted(tell: Any, store: RecordingStore) -> None:
    noted = tell(32, fileList=[])
    assert noted["backed_up_at"] == store.timestamp
    assert not noted.keys() & {"stopped_at", "complete_at"}


def test_fail_overs_are_counted_and_end_nothing(tell: Any) -> None:
    assert tell(12, "a", newUid=7)["fail_overs"] == 1
    assert tell(12, "b", newUid=8)["fail_overs"] == 2
    after = tell(41, "c", leaveCode=4)
    assert after["status"] == "starting", "the one that left was replaced"
    assert tell(11, "d", exitStatus=0)["status"] == "stopping"


@pytest.mark.parametrize("details", [*({"leaveCode": code} for code in (8, 24, 1, -2, None, "4", True)), {}])
def test_a_recorder_that_left_without_a_known_cause_may_have_been_replaced(
    tell: Any, store: RecordingStore, details: dict[str, Any]
) -> None:
    """Its fail-over's own notification may come later."""
    after = tell(41, "a", **details)
    assert after["status"] == "starting"
    assert not after.keys() & {"stopped_at", "ended_by", "reason"}
    assert store.claims.find("team") is not None
    assert tell(12, "b", newUid=7)["fail_overs"] == 1
    assert tell(11, "c", exitStatus=0)["status"] == "stopping"


def test_an_error_is_noted(tell: Any) -> None:
    noted = tell(1, module="uploader", errorLevel=3, errorCode=47, errorMsg="upload failed")
    assert noted["agora_error"] == {"code": 47, "message": "upload failed"}
    assert noted["status"] == "starting"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (notice(11, "s", product=1), "not about cloud recording"),
        (notice(999, "s"), "nothing follows"),
        (notice({"a": 1}, "s"), "nothing follows"),
        (notice(11, "unknown"), "not started here"),
        (notice(11, ""), "not started here"),
    ],
)
def test_what_is_ignored_leaves_no_trace(
    store: RecordingStore, notices: NoticeStore, table: Any, told: Notification, why: str
) -> None:
    assert why in str(process_notification(told, store=store, notices=notices))
    assert table.scan()["Items"] == []


def test_an_earlier_recorder_of_the_row_ends_nothing(
    store: RecordingStore, notices: NoticeStore, row: dict[str, Any]
) -> None:
    store.update(row["recording_id"], {"sid": "5" * 32})
    assert "not started here" in str(process_notification(notice(11, row["sid"]), store=store, notices=notices))
    store.recorders.name("6" * 32, "e" * 32)
    assert "not started here" in str(process_notification(notice(11, "6" * 32), store=store, notices=notices))


def test_a_notification_counts_once(
    tell: Any, store: RecordingStore, notices: NoticeStore, row: dict[str, Any]
) -> None:
    after = tell(12, "same")
    assert "before" in str(process_notification(notice(12, row["sid"], "same"), store=store, notices=notices))
    assert store.find(row["recording_id"]) == after


def test_a_fail_over_that_agora_repeats_behind_another_counts_once(
    tell: Any, store: RecordingStore, row: dict[str, Any]
) -> None:
    """The function crashed between the effects of a notification and the note that it was processed."""

    class Forgetful(NoticeStore):
        def keep(self, notice_id: str) -> None:
            raise Crash

    forgetful = Forgetful(store.table, store.now)
    with suppress(Crash):
        process_notification(notice(12, row["sid"], "a", newUid=7), store=store, notices=forgetful)
    assert tell(12, "b", newUid=8)["fail_overs"] == 2
    assert tell(12, "a", newUid=7)["fail_overs"] == 2


def test_fail_overs_are_counted_on_dynamodb(either_table: Any, clock: FakeClock) -> None:
    store = RecordingStore(either_table, clock.now)
    store.count_fail_over("a" * 32, "n")
    assert store.find("a" * 32) is None
    either_table.put_item(Item={**recording_key("a" * 32), "version": 1})
    for notice_id in ("n", "m", "n", "nm"):
        store.count_fail_over("a" * 32, notice_id)
    row = store.get("a" * 32)
    assert (row["fail_overs"], row["counted_fail_overs"], row["version"]) == (3, {"n", "m", "nm"}, 4)


@pytest.mark.parametrize(("event", "writes"), [(11, 3), (31, 4), (32, 2), (12, 2)])
def test_after_a_crash_at_any_write_its_repeat_changes_nothing_twice(event: int, writes: int) -> None:
    expected = after_deliveries(CrashingTable(), event)
    for table in crashes_at_every_write(at_least=writes):
        assert after_deliveries(table, event) == expected, table


def after_deliveries(table: CrashingTable, event: int) -> dict[str, Any]:
    """A recording whose notification is delivered twice, the second time after a crash if there is one."""
    scene, _ = watched(table)
    notices = NoticeStore(scene.store.table, scene.clock.now)
    told = notice(event, scene.row["sid"], newUid=7)
    table.arm()
    for _ in range(2):
        with suppress(Crash):
            process_notification(told, store=scene.store, notices=notices)
    assert notices.has(told.notice_id), table
    return scene.row


def test_what_leads_to_a_recording_goes_after_a_time(
    tell: Any, store: RecordingStore, table: Any, row: dict[str, Any]
) -> None:
    tell(11)
    for key, days in ((notice_key("n1"), 7), (sid_key(row["sid"]), 30)):
        assert table.get_item(Key=key)["Item"][EXPIRES_AT] == store.seconds + days * 24 * 3600


def test_the_store_on_dynamodb(either_table: Any, clock: FakeClock) -> None:
    recorders, notices = RecorderNameStore(either_table, clock.now), NoticeStore(either_table, clock.now)
    assert recorders.find("s") is None
    assert not notices.has("n")
    recorders.name("s", "a" * 32)
    notices.keep("n")
    notices.keep("n")
    assert recorders.find("s") == "a" * 32
    assert notices.has("n")
