"""One recorder per channel: simultaneous starts, repeats, lost answers, crashes."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any, cast

import pytest

from recording_insights.errors import (
    AgoraOutcomeUnknown,
    AgoraRefusedCredentials,
    AgoraRejected,
    AgoraUnavailable,
    ChannelTaken,
    Conflict,
    InvalidRequest,
    SecretUnusable,
    WatchUnavailable,
)
from recording_insights.recordings.channel_claim import ID_LOST
from recording_insights.recordings.start import Started, recording_id_for, start_recording
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.claims import Claim
from recording_insights.store.keys import recording_key
from recording_insights.store.recorder_names import RecorderNameStore
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import SECRET, Answer, FakeAgora, Lost, client_of
from tests.unit.agora.fake_sts import FakeSts, uploader_of
from tests.unit.crashing_table import Crash, crashes_at_every_write
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted

HOUR = 3600


def rows(table: Any) -> list[dict[str, Any]]:
    return [item for item in table.scan()["Items"] if item["sk"] == "RECORDING"]


def claims(table: Any) -> list[dict[str, Any]]:
    return [item for item in table.scan()["Items"] if item["sk"] == "CLAIM"]


def test_the_row_and_the_claim_of_a_start(start: Any, table: Any, store: RecordingStore, vendor: FakeAgora) -> None:
    started = start(wanted(token="007eJx", max_hours=2, options={"models": ["speech_to_text"]}))
    assert started.new
    (row,) = rows(table)
    assert row == started.recording
    (sid,) = vendor.recorders
    assert (
        row.items()
        >= {
            "status": "starting",
            "channel": "team",
            "uid": wanted().uid,
            "mode": "mix",
            "provider": "marsview",
            "options": {"models": ["speech_to_text"]},
            "audio_only": False,
            "max_hours": 2,
            "resource_id": "resource-0==",
            "sid": sid,
            "prefix": f"recordings/{row['recording_id']}/",
            "created_at": "2026-03-12T00:00:00.000000Z",
            "version": 2,
        }.items()
    )
    assert vendor.recorders[sid]["clientRequest"]["storageConfig"]["fileNamePrefix"] == [
        "recordings",
        row["recording_id"],
    ]
    stored = str(table.scan()["Items"])
    assert "007eJx" not in stored
    assert not any(value in stored for name, value in SECRET.items() if name not in ("appId", "customerId"))
    assert store.claims.find("team") == Claim("team", row["recording_id"], store.seconds + 2 * HOUR)


def test_the_row_is_written_before_agora_is_called(start: Any, table: Any, vendor: FakeAgora) -> None:
    seen: list[tuple[str, int]] = []
    vendor.before = lambda call: seen.append((call, len(rows(table)) + len(claims(table))))
    start()
    assert seen == [("acquire", 2), ("start", 2)]


def test_a_watch_begins_after_the_row_and_before_agora_is_called(
    store: RecordingStore, agora: Any, clock: FakeClock, table: Any, vendor: FakeAgora
) -> None:
    watched: list[tuple[Any, int]] = []

    def start() -> Started:
        return start_recording(
            wanted(),
            store=store,
            agora=agora,
            deadline=clock.deadline(),
            watch=lambda row: watched.append((row, len(vendor.calls))),
        )

    row = start().recording
    [(seen, calls)] = watched
    assert (seen["recording_id"], int(seen["version"]), calls) == (row["recording_id"], 1, 0)
    start()
    assert len(watched) == 1, "a recording that is joined has a watch"


def test_a_start_that_cannot_be_watched_costs_nothing_and_leaves_its_reason(
    store: RecordingStore, agora: Any, clock: FakeClock, table: Any, vendor: FakeAgora
) -> None:
    def fails(row: Any) -> None:
        raise WatchUnavailable("no watch")

    with pytest.raises(WatchUnavailable):
        start_recording(wanted(), store=store, agora=agora, deadline=clock.deadline(), watch=fails)
    [row] = rows(table)
    assert (row["status"], row["reason"]) == ("failed", "no watch")
    assert claims(table) == []
    assert vendor.calls == []


def test_a_recorder_s_sid_leads_to_its_recording(start: Any, table: Any) -> None:
    row = start().recording
    assert RecorderNameStore(table).find(row["sid"]) == row["recording_id"]


def test_a_second_start_returns_the_running_recording(start: Any, table: Any, vendor: FakeAgora) -> None:
    first = start()
    second = start(wanted(uid=9))
    assert not second.new
    assert second.recording == first.recording
    assert vendor.names().count("start") == 1
    assert len(rows(table)) == 1


def test_a_recording_whose_first_part_is_done_still_holds_its_channel(start: Any, store: RecordingStore) -> None:
    first = start()
    store.update(first.recording["recording_id"], {"status": "done"})
    assert start(wanted(uid=9)).recording["recording_id"] == first.recording["recording_id"]


def test_two_channels_are_two_recordings(start: Any, vendor: FakeAgora) -> None:
    assert start(wanted("a")).new
    assert start(wanted("b")).new
    assert len(vendor.recorders) == 2


def test_a_recorder_may_be_placed_apart_from_others(start: Any, store: RecordingStore, vendor: FakeAgora) -> None:
    first = start(wanted("a")).recording
    second = start(wanted("b", apart_from=[first["recording_id"]])).recording
    acquired = [body["clientRequest"] for call, body in vendor.calls if call == "acquire"]
    assert "excludeResourceIds" not in acquired[0]
    assert acquired[1]["excludeResourceIds"] == [store.find(first["recording_id"])["resource_id"]]  # type: ignore[index]
    assert second["apart_from"] == [first["recording_id"]]


def test_what_to_be_apart_from_must_have_a_recorder(start: Any, table: Any, vendor: FakeAgora) -> None:
    with pytest.raises(InvalidRequest, match=r"apart_from\[0\]: has no recorder that was started here"):
        start(wanted(apart_from=["f" * 32]))
    assert table.scan()["Items"] == []
    assert vendor.calls == []


def test_what_to_be_apart_from_must_still_run(start: Any, store: RecordingStore, vendor: FakeAgora) -> None:
    first = start(wanted("a")).recording["recording_id"]
    store.update(first, {"stopped_at": store.timestamp})
    with pytest.raises(InvalidRequest, match=r"apart_from\[0\]: .* and still runs"):
        start(wanted("b", apart_from=[first]))
    assert vendor.names().count("start") == 1


def test_simultaneous_starts_the_slower_one_joins(
    store: RecordingStore, agora: Any, clock: FakeClock, vendor: FakeAgora, start: Any
) -> None:
    """The other start comes wholly between this one's look at the claim and its own write."""
    others: list[Any] = []

    class Overtaken(RecordingStore):
        def open(self, *arguments: Any, **keywords: Any) -> Any:
            if not others:
                others.append(start())
            return super().open(*arguments, **keywords)

    overtaken = Overtaken(store.table, clock.now)
    slow = start_recording(wanted(), store=overtaken, agora=agora, deadline=clock.deadline())
    assert not slow.new
    assert slow.recording == others[0].recording
    assert len(vendor.recorders) == 1


def test_simultaneous_starts_the_later_one_waits_for_the_sid(
    start: Any, store: RecordingStore, clock: FakeClock, vendor: FakeAgora
) -> None:
    in_flight = store.open({"channel": "team"}, Claim("team", "a" * 32, store.seconds + 90), over=None)

    def answered() -> None:
        if len(clock.naps) == 3:
            store.update(in_flight["recording_id"], {"sid": "5" * 32, "resource_id": "r"})
            vendor.recorders["5" * 32] = {"mode": "mix"}
            mode: Any = {"mode": "mix"}
            store.update(in_flight["recording_id"], mode)

    clock.on_sleep = answered
    joined = start()
    assert not joined.new
    assert joined.recording["sid"] == "5" * 32
    assert clock.naps == [0.5] * 3


def test_a_start_in_flight_that_takes_long_is_returned_without_sid(start: Any, table: Any, vendor: FakeAgora) -> None:
    joined: list[Any] = []
    vendor.before = lambda call: joined.append(start(wanted())) if call == "acquire" and not joined else None
    first = start()
    assert first.new
    assert not joined[0].new
    assert joined[0].recording["recording_id"] == first.recording["recording_id"]
    assert "sid" not in joined[0].recording
    assert len(vendor.recorders) == len(rows(table)) == 1


def test_joining_a_start_that_fails_meanwhile_starts_anew(
    start: Any, store: RecordingStore, clock: FakeClock, table: Any
) -> None:
    store.open({"channel": "team"}, Claim("team", "a" * 32, store.seconds + 90), over=None)

    def fail() -> None:
        store.update("a" * 32, {"status": "failed", "reason": "x"})

    clock.on_sleep = fail
    assert start().new
    assert len(rows(table)) == 2


def test_a_channel_is_free_after_a_stop(
    start: Any, store: RecordingStore, agora: Any, clock: FakeClock, vendor: FakeAgora
) -> None:
    first = start().recording
    stop_recording(first["recording_id"], store=store, agora=agora, deadline=clock.deadline(), watch_stop=unwatched)
    assert store.claims.find("team") is None
    second = start()
    assert second.new
    assert second.recording["recording_id"] != first["recording_id"]
    assert "query" not in vendor.names()


def test_a_recorder_that_left_an_empty_channel_frees_it(
    start: Any, store: RecordingStore, vendor: FakeAgora, clock: FakeClock
) -> None:
    first = start().recording
    vendor.recorders.clear()
    second = start()
    assert second.new
    assert clock.naps == [5, 10]
    left = store.find(first["recording_id"])
    assert left
    assert left["status"] == "stopping"
    assert "stopped_at" in left
    assert left["reason"].startswith("the recorder left by itself")


def test_a_recorder_that_is_not_found_for_15_seconds_and_is_back_at_the_start_is_joined(
    start: Any, store: RecordingStore, vendor: FakeAgora
) -> None:
    """It moved to another host, and Agora refuses a second recorder of its uid."""
    first = start().recording
    vendor.script["query"] = [Answer(404, {"code": 404})] * 3
    joined = start()
    assert not joined.new
    assert joined.recording == first == store.find(first["recording_id"])
    assert len(vendor.recorders) == 1
    claim = store.claims.find("team")
    assert claim
    assert claim.recording_id == first["recording_id"]


def test_a_recorder_of_another_uid_is_no_proof_that_one_left(
    start: Any, store: RecordingStore, vendor: FakeAgora
) -> None:
    first = start().recording
    vendor.script["query"] = [Answer(404, {"code": 404})] * 3
    assert start(wanted(uid=9)).new
    assert store.find(first["recording_id"]) == first, "its watch finds out"


@pytest.mark.parametrize("live_status", [7, 8, 20])
def test_a_recorder_that_exited_frees_its_channel_at_once(
    start: Any, store: RecordingStore, vendor: FakeAgora, live_status: int
) -> None:
    first = start().recording
    store.update(first["recording_id"], {"status": "processing"})
    vendor.live_status = live_status
    vendor.before = lambda call: vendor.recorders.clear() if call == "acquire" else None
    assert start().new
    left = store.find(first["recording_id"])
    assert left
    assert left["status"] == "processing"
    assert "stopped_at" in left


def test_while_agora_is_away_the_row_is_believed(start: Any, store: RecordingStore, vendor: FakeAgora) -> None:
    first = start().recording
    vendor.script["query"] = [Answer(500, {})] * 3
    assert start().recording == first
    store.update(first["recording_id"], {"status": "done"})
    vendor.script["query"] = [Answer(500, {})] * 3
    with pytest.raises(AgoraUnavailable):
        start()


def test_a_lost_answer_keeps_the_recording(start: Any, table: Any, store: RecordingStore, vendor: FakeAgora) -> None:
    vendor.script["start"] = [Lost(takes_effect=True)]
    started = start()
    assert started.new
    assert started.recording["status"] == "starting"
    assert started.recording["reason"] == ID_LOST
    assert "sid" not in started.recording
    again = start()
    assert not again.new
    assert again.recording == started.recording
    assert len(rows(table)) == len(vendor.recorders) == 1


def test_an_unknown_outcome_is_settled_by_the_next_start(
    start: Any, table: Any, store: RecordingStore, vendor: FakeAgora
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True), *[Lost(takes_effect=False)] * 2]
    with pytest.raises(AgoraOutcomeUnknown):
        start()
    (first,) = rows(table)
    assert first["status"] == "starting"
    assert "no usable answer to start" in first["reason"]
    again = start(wanted(max_hours=1))
    assert not again.new
    assert again.recording["recording_id"] == first["recording_id"]
    assert len(rows(table)) == len(vendor.recorders) == 1
    assert store.claims.find("team") == Claim("team", first["recording_id"], store.seconds + HOUR)


def test_an_unknown_outcome_that_came_to_nothing_is_closed_by_the_next_start(
    start: Any, store: RecordingStore, vendor: FakeAgora, table: Any
) -> None:
    vendor.script["start"] = [Lost(takes_effect=False)] * 3
    with pytest.raises(AgoraOutcomeUnknown):
        start()
    (first,) = rows(table)
    assert start().new
    closed = store.find(first["recording_id"])
    assert closed
    assert closed["status"] == "failed"
    assert closed["reason"] == "its start was interrupted, and Agora recorded nothing"


def test_another_uid_leaves_an_interrupted_start_as_it_is(
    start: Any, store: RecordingStore, vendor: FakeAgora, table: Any
) -> None:
    vendor.script["start"] = [Lost(takes_effect=False)] * 3
    with pytest.raises(AgoraOutcomeUnknown):
        start()
    (first,) = rows(table)
    assert start(wanted(uid=5)).new
    assert store.find(first["recording_id"]) == first


def crash_after_agora_started(start: Any, vendor: FakeAgora, **arguments: Any) -> None:
    vendor.script["start"] = [Lost(takes_effect=True, error=Crash)]
    with pytest.raises(Crash):
        start(**arguments)


def test_a_crashed_start_is_found_when_its_lease_is_over(
    start: Any, table: Any, vendor: FakeAgora, clock: FakeClock
) -> None:
    crash_after_agora_started(start, vendor)
    (crashed,) = rows(table)
    assert start().recording["recording_id"] == crashed["recording_id"]
    clock.elapsed += 120
    found = start()
    assert not found.new
    assert found.recording["recording_id"] == crashed["recording_id"]
    assert len(rows(table)) == len(vendor.recorders) == 1


def test_a_crashed_start_goes_on_under_its_idempotency_key(
    start: Any, table: Any, vendor: FakeAgora, clock: FakeClock
) -> None:
    crash_after_agora_started(start, vendor, idempotency_key="k")
    clock.elapsed += 120
    again = start(idempotency_key="k")
    assert again.recording["recording_id"] == recording_id_for("k")
    assert again.recording["reason"] == ID_LOST
    assert len(rows(table)) == len(vendor.recorders) == 1


@pytest.mark.parametrize("idempotency_key", [None, "k"])
def test_a_start_that_crashed_at_any_write_is_repeated_and_leaves_one_recorder(idempotency_key: str | None) -> None:
    for table in crashes_at_every_write(at_least=4):
        clock, vendor = FakeClock(), FakeAgora()
        store = RecordingStore(cast(Any, table), clock.now)
        agora = client_of(vendor, uploader_of(FakeSts(clock.now)))
        start = partial(start_recording, wanted(), store=store, agora=agora, idempotency_key=idempotency_key)
        table.arm()
        with suppress(Crash):
            start(deadline=clock.deadline())
        clock.elapsed += 120

        again = start(deadline=clock.deadline()).recording

        assert len(vendor.recorders) == 1, table
        claim = store.claims.find("team")
        assert claim, table
        assert claim.recording_id == again["recording_id"], table
        assert not start_recording(wanted(), store=store, agora=agora, deadline=clock.deadline()).new, table
        assert len(vendor.recorders) == 1, table
        assert [row["status"] for row in rows(table) if row["status"] != "failed"] == ["starting"], table


def test_a_strangers_recorder_is_a_conflict(start: Any, table: Any, vendor: FakeAgora) -> None:
    vendor.recorders["x"] = {"cname": "team", "uid": "7"}
    with pytest.raises(Conflict, match="uid 7"):
        start(wanted(uid=7))
    assert rows(table) == claims(table) == []
    assert start(wanted(uid=8)).new


def test_a_recorder_that_is_still_leaving_is_a_conflict(
    start: Any, store: RecordingStore, vendor: FakeAgora, table: Any
) -> None:
    first = start().recording
    store.update(first["recording_id"], {"stopped_at": "2026"})
    with pytest.raises(Conflict, match="leaving"):
        start()
    assert [row["recording_id"] for row in rows(table)] == [first["recording_id"]]
    assert store.claims.find("team")


@pytest.mark.parametrize(
    ("answers", "error", "reason"),
    [
        ([Answer(401, {"message": "Unauthorized"})] * 2, AgoraRefusedCredentials, "refused the credentials"),
        ([Answer(400, {"code": 406, "reason": "busy"})], AgoraRejected, "peak of concurrent"),
        ([Answer(429, {"message": "slow down"})] * 3, AgoraUnavailable, "too many requests"),
    ],
)
def test_a_refused_start_leaves_its_reason_and_no_claim(
    start: Any, table: Any, vendor: FakeAgora, answers: list[Answer], error: type[Exception], reason: str
) -> None:
    vendor.script["acquire"] = [*answers]
    with pytest.raises(error):
        start()
    (row,) = rows(table)
    assert row["status"] == "failed"
    assert reason in row["reason"]
    assert claims(table) == []
    assert start().new


def test_a_refused_start_gives_the_claim_back(start: Any, store: RecordingStore, vendor: FakeAgora) -> None:
    """A crashed start must still be found after another one in between was refused."""
    vendor.script["start"] = [Lost(takes_effect=True), *[Lost(takes_effect=False)] * 2]
    with pytest.raises(AgoraOutcomeUnknown):
        start()
    before = store.claims.find("team")
    vendor.script["acquire"] = [Answer(403, {})]
    with pytest.raises(AgoraRejected):
        start()
    assert store.claims.find("team") == before


@pytest.mark.parametrize("refusal", [Answer(400, {"code": 2}), Answer(403, {}), Answer(401, {})])
def test_a_refusal_after_a_lost_answer_keeps_the_recording(
    start: Any, table: Any, store: RecordingStore, vendor: FakeAgora, refusal: Answer
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True), refusal, refusal]
    with pytest.raises(AgoraOutcomeUnknown):
        start()
    (first,) = rows(table)
    assert (first["status"], len(vendor.recorders)) == ("starting", 1)
    assert "an earlier request may have started a recorder" in first["reason"]
    vendor.script.clear()
    assert start().recording["recording_id"] == first["recording_id"]
    assert len(vendor.recorders) == 1


@pytest.mark.parametrize("broken", ["watch", "upload", "credentials"])
@pytest.mark.parametrize("idempotency_key", [None, "k"])
def test_a_start_that_breaks_off_before_agora_is_called_ends_at_once(
    start: Any,
    store: RecordingStore,
    clock: FakeClock,
    uploader: Any,
    vendor: FakeAgora,
    table: Any,
    broken: str,
    idempotency_key: str | None,
) -> None:
    """For example Secrets Manager throttles, or a key of KMS may not be used."""

    def breaks(*_: Any) -> Any:
        raise OSError("s3cr3t")

    whole = client_of(vendor, uploader)
    agora = {
        "watch": whole,
        "upload": replace(whole, uploader=replace(uploader, key=breaks)),
        "credentials": replace(whole, calls=replace(whole.calls, credentials=breaks)),
    }[broken]
    watch = breaks if broken == "watch" else lambda row: None
    with pytest.raises(OSError, match="s3cr3t"):
        start_recording(
            wanted(),
            store=store,
            agora=agora,
            deadline=clock.deadline(),
            watch=watch,
            idempotency_key=idempotency_key,
        )
    (row,) = rows(table)
    assert (row["status"], row["reason"]) == ("failed", "the start broke off before Agora recorded")
    assert (claims(table), vendor.calls) == ([], [])
    again = start(idempotency_key=idempotency_key)
    assert again.new
    assert "sid" in again.recording
    assert clock.naps == []


def test_a_row_that_cannot_be_ended_does_not_keep_its_claim(
    store: RecordingStore, clock: FakeClock, agora: Any, table: Any
) -> None:
    class Throttled(RecordingStore):
        def update(self, *_: Any, **__: Any) -> Any:
            raise TimeoutError

    def breaks(_: Any) -> None:
        raise OSError

    throttled = Throttled(store.table, clock.now)
    with pytest.raises(TimeoutError):
        start_recording(wanted(), store=throttled, agora=agora, deadline=clock.deadline(), watch=breaks)
    assert claims(table) == []


@pytest.mark.parametrize("idempotency_key", [None, "k"])
def test_joining_a_start_that_is_dropped_starts_anew(
    start: Any, store: RecordingStore, clock: FakeClock, table: Any, idempotency_key: str | None
) -> None:
    """The other start met a recorder that was not started here, which has left since."""
    other = recording_id_for(idempotency_key)
    row: Any = {"channel": "team", "fingerprint": wanted().fingerprint}
    store.open(row, Claim("team", other, store.seconds + 90), over=None)

    def drop() -> None:
        clock.on_sleep = lambda: None
        store.drop(other)
        store.claims.release("team", other)

    clock.on_sleep = drop
    started = start(idempotency_key=idempotency_key)
    assert started.new
    assert [item["recording_id"] for item in rows(table)] == [started.recording["recording_id"]]


def test_an_unusable_secret_is_named_on_the_row(store: RecordingStore, clock: FakeClock, table: Any) -> None:
    class NoSecret:
        def start(self, *_: Any) -> None:
            raise SecretUnusable("recording-insights/dev/agora", "it lacks the key appId")

    no_secret: Any = NoSecret()
    with pytest.raises(SecretUnusable):
        start_recording(wanted(), store=store, agora=no_secret, deadline=clock.deadline())
    assert rows(table)[0]["reason"] == "secret recording-insights/dev/agora: it lacks the key appId"


def test_an_idempotency_key_leads_to_the_same_recording(start: Any, table: Any, vendor: FakeAgora) -> None:
    first = start(wanted(token="one"), idempotency_key="order-1")
    assert first.recording["recording_id"] == recording_id_for("order-1")
    again = start(wanted(token="two"), idempotency_key="order-1")
    assert not again.new
    assert again.recording == first.recording
    assert vendor.names() == ["acquire", "start"]


def test_an_idempotency_key_outlives_the_recording(
    start: Any, store: RecordingStore, agora: Any, clock: FakeClock
) -> None:
    first = start(idempotency_key="order-1").recording
    stop_recording(first["recording_id"], store=store, agora=agora, deadline=clock.deadline(), watch_stop=unwatched)
    again = start(idempotency_key="order-1")
    assert not again.new
    assert again.recording["status"] == "stopping"


def test_an_idempotency_key_is_for_one_request(start: Any) -> None:
    start(idempotency_key="order-1")
    with pytest.raises(Conflict, match="another request"):
        start(wanted("other"), idempotency_key="order-1")


def test_each_caller_has_idempotency_keys_of_its_own(start: Any, table: Any) -> None:
    billing = start(wanted("one"), idempotency_key="order-1", caller="billing").recording
    support = start(wanted("two"), idempotency_key="order-1", caller="support").recording

    for caller, channel, recording in (("billing", "one", billing), ("support", "two", support)):
        assert start(wanted(channel), idempotency_key="order-1", caller=caller).recording == recording
    assert len(rows(table)) == 2


def test_an_idempotency_key_cannot_be_shifted_into_the_caller() -> None:
    ids = {recording_id_for("b", "a"), recording_id_for("ab"), recording_id_for("a", "b"), recording_id_for("b", "")}
    assert len(ids) == 4


class TestKeysOfEarlierVersions:
    """They left out the caller: the id was the digest of the key alone."""

    FORMER = sha256(b"Idempotency-Key\0order-1").hexdigest()[:32]

    @pytest.fixture
    def former(self, store: RecordingStore) -> Any:
        own: Any = {"status": "done", "prefix": f"recordings/{self.FORMER}/", "sid": "0" * 32}
        row: Any = {"channel": "team", "fingerprint": wanted().fingerprint, **own}
        return store.open(row, Claim("team", self.FORMER, 0), over=None)

    def test_lead_to_the_same_recording_for_a_day(self, start: Any, former: Any, clock: FakeClock) -> None:
        clock.elapsed = 23 * HOUR
        assert start(idempotency_key="order-1", caller="billing") == Started(former, new=False)
        with pytest.raises(Conflict, match="another request"):
            start(wanted("other"), idempotency_key="order-1", caller="billing")

        clock.elapsed = 25 * HOUR
        again = start(idempotency_key="order-1", caller="billing")
        assert again.new
        assert again.recording["recording_id"] == recording_id_for("order-1", "billing")

    def test_a_file_that_was_put_under_this_id_is_no_recording_of_the_key(
        self, start: Any, make_media: Any, store: RecordingStore
    ) -> None:
        store.open_by_arrival(self.FORMER, make_media("x.mp4"), providers=["marsview"])
        assert start(idempotency_key="order-1").new


def test_a_failed_start_may_be_repeated_under_its_key(start: Any, table: Any, vendor: FakeAgora) -> None:
    vendor.script["acquire"] = [Answer(403, {})]
    with pytest.raises(AgoraRejected):
        start(idempotency_key="order-1")
    again = start(idempotency_key="order-1")
    assert again.new
    (row,) = rows(table)
    assert row["status"] == "starting"
    assert "reason" not in row
    assert row["version"] == 4


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "ü", "line\n"])
def test_a_malformed_idempotency_key(start: Any, table: Any, key: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        start(idempotency_key=key)
    assert refusal.value.field == "Idempotency-Key"
    assert rows(table) == []


def test_starts_that_keep_overtaking_each_other_end_in_a_conflict(
    store: RecordingStore, agora: Any, clock: FakeClock, vendor: FakeAgora
) -> None:
    class Contested(RecordingStore):
        def open(self, *_: Any, **__: Any) -> Any:
            raise ChannelTaken

    contested = Contested(store.table, clock.now)
    with pytest.raises(Conflict, match="under way"):
        start_recording(wanted(), store=contested, agora=agora, deadline=clock.deadline(3))
    assert vendor.calls == []


def test_a_claim_whose_recording_was_erased_is_free(start: Any, table: Any) -> None:
    first = start(wanted(uid=1)).recording
    table.delete_item(Key=recording_key(first["recording_id"]))
    assert start(wanted(uid=2)).new


def test_a_row_that_moved_on_meanwhile_still_gets_its_sid(start: Any, store: RecordingStore, vendor: FakeAgora) -> None:
    def media_arrive(call: str) -> None:
        if call == "start":
            (claim,) = claims(store.table)
            store.update(claim["recording_id"], {"status": "processing"})

    vendor.before = media_arrive
    row = start().recording
    assert (row["status"], row["sid"]) == ("processing", f"{1:032x}")
