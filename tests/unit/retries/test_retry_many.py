"""A retry of many media objects: what it finds, page by page, one at a time, and what a crash leaves."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from recording_insights.errors import Conflict, InvalidRequest, NotFound
from recording_insights.retries import retry_page as page_module
from recording_insights.retries.request import RetriesRequest
from recording_insights.retries.retry_many import cancel_retry, get_retry, list_retries, retry_many
from recording_insights.retries.retry_page import retry_page
from recording_insights.retries.retry_recording import retry
from recording_insights.store.media import MediaStore
from recording_insights.store.retries import RetryStore
from recording_insights.store.rows import MediaRow
from tests.unit.conftest import MakeMedia
from tests.unit.crashing_table import Crash, CrashingTable
from tests.unit.fakes import FakeClock
from tests.unit.retries.conftest import PROVIDERS, FakeExecutions, Scene, changed


class Many:
    """Failed recordings of one media object each, and the state machine that retries them."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.store, self.clock = scene, scene.store, scene.clock
        self.retries = RetryStore(cast(Any, self.store.table), self.clock.now)
        self.machine = FakeExecutions()

    def fail(self, *names: str, code: str = "no_result") -> list[MediaRow]:
        """Media objects that failed, each in a recording of its own."""
        self.clock.elapsed += 1
        ids = [self.scene.make_media(name).own_recording_id for name in names]
        return [
            self.scene.fail(name, code, recording_id=recording_id)
            for name, recording_id in zip(names, ids, strict=True)
        ]

    def post(self, body: Mapping[str, Any] | None = None, *, seconds: float = 27.0) -> dict[str, Any]:
        """What POST /retries answers."""
        self.clock.elapsed += 1
        request = RetriesRequest.from_body(body or {}, providers=PROVIDERS)
        deadline = self.clock.deadline(seconds)
        return retry_many(request, store=self.store, retries=self.retries, machine=self.machine, deadline=deadline)

    def page(self, retry_id: str, *, per_minute: int = 60, seconds: float = 300) -> dict[str, Any]:
        """One page of the state machine."""
        self.clock.elapsed += 1
        return retry_page(
            {"retry_id": retry_id},
            store=self.store,
            retries=self.retries,
            executions=self.scene.executions,
            per_minute=per_minute,
            deadline=self.clock.deadline(seconds),
        )

    def run(self, retry_id: str, *, per_minute: int = 60, seconds: float = 300) -> dict[str, Any]:
        """All pages; the retry at its end."""
        while self.page(retry_id, per_minute=per_minute, seconds=seconds)["outcome"] == "more":
            pass
        return get_retry(retry_id, retries=self.retries)

    def tries(self, *rows: MediaRow) -> list[int]:
        return [self.store.get(row["recording_id"], row["media_id"])["try_number"] for row in rows]


@pytest.fixture
def many(scene: Scene) -> Many:
    return Many(scene)


def test_every_media_object_that_failed_begins_once(many: Many) -> None:
    rows = many.fail("a.mp4", "b.mp4", "c.mp4")
    retry = many.post()
    assert (retry["status"], retry["until"]) == ("queued", retry["requested_at"])
    assert list(many.machine.inputs) == [retry["retry_id"]]

    ended = many.run(retry["retry_id"])

    assert (ended["status"], ended["counts"]) == ("done", {"seen": 3, "begun": 3, "refused": {}})
    assert ended["ended_at"] > ended["requested_at"]
    assert many.tries(*rows) == [1, 1, 1]
    assert len(many.scene.executions.inputs) == 3
    assert list_retries(retries=many.retries) == {"retries": [ended]}


def test_what_fails_again_is_not_retried_for_ever(many: Many) -> None:
    rows = many.fail(*"abcde")
    retry_id = many.post()["retry_id"]
    while many.page(retry_id, per_minute=2)["outcome"] == "more":
        for row in rows:
            many.store.finish(row["recording_id"], row["media_id"], "failed", reason="again", reason_code="no_result")
    assert get_retry(retry_id, retries=many.retries)["counts"] == {"seen": 5, "begun": 5, "refused": {}}
    assert many.tries(*rows) == [1] * 5


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({}, ["interviews/a.mp4", "b.mp4"]),
        ({"prefix": "interviews/"}, ["interviews/a.mp4"]),
        ({"reason_code": "out_of_credit"}, ["b.mp4"]),
        ({"provider": "deepgram"}, []),
        ({"status": "partial"}, []),
        ({"since": "2100-01-01T00:00:00Z"}, []),
        ({"until": "2001-01-01T00:00:00+01:00"}, []),
        ({"until": "2100-01-01T00:00:00Z"}, ["interviews/a.mp4", "b.mp4"]),
    ],
)
def test_the_body_says_which(many: Many, body: Any, fits: list[str]) -> None:
    [first] = many.fail("interviews/a.mp4")
    [second] = many.fail("b.mp4", code="out_of_credit")

    assert many.post({**body, "dry_run": True}) == {
        "dry_run": True,
        "media": len(fits),
        "refused": {},
        "at_least": False,
    }
    many.run(many.post(body)["retry_id"])
    assert many.tries(first, second) == [int(row["key"] in fits) for row in (first, second)]


def test_of_a_partial_recording_only_what_failed(many: Many) -> None:
    scene = many.scene
    done, failed = scene.end("a.mp4"), scene.fail("b.mp4")
    ended = many.run(many.post({"status": "partial", "to_provider": "deepgram"})["retry_id"])
    assert ended["counts"]["begun"] == 1
    assert scene.row(done["media_id"]) == done
    assert scene.row(failed["media_id"])["provider"] == "deepgram"


def test_permanent_refusals_are_counted_by_their_code(many: Many) -> None:
    [row] = many.fail("a.mp4", code="provider_rejected")
    assert many.post({"dry_run": True})["refused"] == {"provider_rejected": 1}
    ended = many.run(many.post()["retry_id"])
    assert ended["counts"] == {"seen": 1, "begun": 0, "refused": {"provider_rejected": 1}}
    ended = many.run(many.post({"from": "saved"})["retry_id"])
    assert ended["counts"]["refused"] == {"provider_rejected": 1}
    many.run(many.post({"force": True})["retry_id"])
    assert many.tries(row) == [1]


def test_a_dry_run_counts_for_as_long_as_it_may(many: Many) -> None:
    many.fail("a.mp4", "b.mp4")
    counted = many.post({"dry_run": True}, seconds=1)
    assert (counted["media"], counted["at_least"]) == (1, True)
    assert not many.machine.inputs


def test_a_minute_begins_no_more_than_the_setting_says(many: Many) -> None:
    many.fail(*"abcde")
    retry_id = many.post()["retry_id"]
    assert many.page(retry_id, per_minute=2) == {"retry_id": retry_id, "outcome": "more", "wait_seconds": 60}
    assert get_retry(retry_id, retries=many.retries)["counts"]["begun"] == 2
    assert many.page(retry_id, per_minute=60, seconds=1)["outcome"] == "more", "and stops at its deadline"
    assert many.run(retry_id)["counts"] == {"seen": 5, "begun": 5, "refused": {}}


def test_a_recording_of_many_media_objects_takes_several_pages(many: Many) -> None:
    rows = [many.scene.fail(f"{number}.mp4") for number in range(5)]
    ended = many.run(many.post()["retry_id"], per_minute=2)
    assert ended["counts"] == {"seen": 5, "begun": 5, "refused": {}}, "although it is processing since the first page"
    assert many.tries(*rows) == [1] * 5


@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("write", range(1, 12))
def test_a_crash_between_two_writes_repeats_nothing(
    clock: FakeClock, make_media: MakeMedia, write: int, takes_effect: bool
) -> None:
    table: Any = CrashingTable(crash_at=write, takes_effect=takes_effect)
    many = Many(Scene(MediaStore(table, clock.now, clock.sleep), clock, make_media))
    rows = [*many.fail("a.mp4", "b.mp4"), *(many.scene.fail(f"{number}.mp4") for number in range(2))]
    retry_id = many.post()["retry_id"]
    table.arm()
    try:
        many.page(retry_id)
    except Crash:
        table.disarm()

    ended = many.run(retry_id)

    assert (ended["status"], ended["counts"]) == ("done", {"seen": 4, "begun": 4, "refused": {}})
    assert many.tries(*rows) == [1] * 4
    running = {many.store.get(row["recording_id"], row["media_id"])["execution"] for row in rows}
    assert set(many.scene.executions.inputs) == running


def test_one_is_at_work_at_a_time(many: Many) -> None:
    many.fail("a.mp4", "b.mp4")
    retry_id = many.post()["retry_id"]
    with pytest.raises(Conflict, match=f"retry {retry_id} is at work"):
        many.post()
    assert many.post({"dry_run": True})["media"] == 2, "counting is allowed"
    many.run(retry_id)
    assert many.post()["retry_id"] != retry_id


def test_one_whose_execution_has_ended_gives_way(many: Many) -> None:
    rows = many.fail("a.mp4", "b.mp4")
    lost = many.post()["retry_id"]
    many.page(lost, per_minute=1)
    many.machine.ended.add(lost)

    retry_id = many.post()["retry_id"]

    assert get_retry(lost, retries=many.retries)["status"] == "failed"
    assert many.page(lost)["outcome"] == "over"
    many.run(retry_id)
    assert many.tries(*rows) == [1, 1]


def test_one_whose_execution_never_started_gives_way_after_a_minute(many: Many) -> None:
    many.machine.answers = [RuntimeError("AWS is away")]
    with pytest.raises(RuntimeError):
        many.post()
    with pytest.raises(Conflict, match="is at work"):
        many.post()
    many.clock.elapsed += 60
    assert many.post()["status"] == "queued"


def test_of_two_starts_at_once_one_wins(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = RetryStore.open

    def second(*arguments: Any, **named: Any) -> bool:
        monkeypatch.setattr(RetryStore, "open", opened)
        many.post()
        return opened(*arguments, **named)

    monkeypatch.setattr(RetryStore, "open", second)
    with pytest.raises(Conflict, match="another retry has just been started"):
        many.post()
    assert len(many.machine.inputs) == 1


def test_a_canceled_retry_begins_nothing_more(many: Many) -> None:
    many.fail(*"abc")
    retry_id = many.post()["retry_id"]
    many.page(retry_id, per_minute=1)
    for _ in range(2):
        assert cancel_retry(retry_id, retries=many.retries)["status"] == "canceled"

    assert many.run(retry_id)["counts"]["begun"] == 1
    assert many.post()["status"] == "queued", "another one may begin at once"


def test_a_page_stops_when_it_is_canceled(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        many.scene.fail(f"{number}.mp4")
    retry_id = many.post()["retry_id"]

    def cancel_then(*arguments: Any, **named: Any) -> Any:
        cancel_retry(retry_id, retries=many.retries)
        return retry(*arguments, **named)

    monkeypatch.setattr(page_module, "retry", cancel_then)
    assert many.page(retry_id)["outcome"] == "over"
    assert len(many.scene.executions.inputs) == 1


def test_an_end_is_final(many: Many) -> None:
    retry_id = many.post()["retry_id"]
    many.run(retry_id)
    with pytest.raises(Conflict, match=f"retry {retry_id} has ended: it is done"):
        cancel_retry(retry_id, retries=many.retries)
    assert not many.retries.end(retry_id, "failed", "late")


@pytest.mark.parametrize("retry_id", ["", "LATEST", "20261127T093000Z-5f8ed7d6", "x" * 2000])
def test_an_unknown_retry(many: Many, retry_id: str) -> None:
    for call in (get_retry, cancel_retry):
        with pytest.raises(NotFound, match="no retry"):
            call(retry_id, retries=many.retries)


def test_a_row_edited_into_nonsense_is_counted_and_passed_by(many: Many) -> None:
    broken, good = many.fail("a.mp4", "b.mp4")
    nonsense = changed(broken)
    for name in ("provider", "arrived_at", "media_id"):
        del cast(Any, nonsense)[name]
    many.store.table.put_item(Item=cast(Any, nonsense))

    ended = many.run(many.post()["retry_id"])

    assert ended["counts"] == {"seen": 2, "begun": 1, "refused": {"row_malformed": 1}}
    assert many.tries(good) == [1]


@pytest.mark.parametrize(
    "nonsense",
    [{"finished_at": 7}, {"key": 7}, {"status": ["failed"]}, {"began_from": "job", "waiting_since": 7}, {"part": "x"}],
)
def test_a_row_that_cannot_be_read_ends_no_retry(many: Many, nonsense: Any) -> None:
    broken, good = many.fail("a.mp4", "b.mp4")
    beside = many.scene.fail("c.mp4", recording_id=broken["recording_id"])
    many.store.table.put_item(Item=cast(Any, changed(broken, **nonsense)))
    many.run(many.post()["retry_id"], per_minute=1)
    assert many.tries(good) == [1]
    assert many.store.get(beside["recording_id"], beside["media_id"])["try_number"] == 1


def test_many_begin_more_than_once_minute_by_minute(many: Many) -> None:
    for number in range(40):
        many.scene.fail(f"{number}.mp4")
    retry_id = many.post()["retry_id"]
    pages = 0
    while many.page(retry_id, per_minute=7)["outcome"] == "more":
        pages += 1
    assert pages == 5
    assert get_retry(retry_id, retries=many.retries)["counts"]["begun"] == 40


def test_a_retry_without_end_is_ended(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_PAGES", 2)
    many.fail(*"abcde")
    ended = many.run(many.post()["retry_id"], per_minute=1)
    assert (ended["status"], ended["counts"]["begun"]) == ("failed", 2)
    assert "start another one" in ended["reason"]
    assert many.run(many.post()["retry_id"])["counts"]["begun"] == 3, "which goes on with the others"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "done"}, "status"),
        ({"reason_code": "bad_luck"}, "reason_code"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-11-27T09:30:00"}, "until"),
        ({"until": 7}, "until"),
        ({"provider": "nobody"}, "provider"),
        ({"to_provider": "symbl"}, "to_provider"),
        ({"prefix": ""}, "prefix"),
        ({"from": "job", "to_provider": "deepgram"}, "from"),
        ({"dry_run": "true"}, "dry_run"),
        ({"media_id": "m"}, "media_id"),
    ],
)
def test_a_field_that_is_wrong(many: Many, body: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        many.post(body)
    assert raised.value.field == field
    assert not many.machine.inputs
