"""Every expression of the recording store, on moto and on the table that the other tests use in its place."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from recording_insights.errors import ChannelTaken
from recording_insights.store.claims import Claim
from recording_insights.store.keys import change_of_row, insight_key, media_key, recording_key, transcript_key
from recording_insights.store.recordings import RecordingStore, position
from recording_insights.store.rows import RecordingRow
from tests.unit.fakes import FakeClock

A, B = "a" * 32, "b" * 32
NOW = "2026-03-12T00:00:00.000000Z"
CLAIM = Claim("team", A, 1000)


@pytest.fixture
def table(either_table: Any) -> Any:
    return either_table


@pytest.fixture
def store(recording_store: RecordingStore) -> RecordingStore:
    return recording_store


def put(table: Any, recording_id: str, status: str, created_at: str = NOW, **attributes: Any) -> None:
    item = {"recording_id": recording_id, "status": status, "created_at": created_at, "version": 1, **attributes}
    table.put_item(Item={**recording_key(recording_id), **item})


class TestOpen:
    def test_recording_and_claim_are_written_together(self, store: RecordingStore) -> None:
        recording = store.open({"channel": "team", "max_hours": 2}, CLAIM, over=None)

        assert recording == {
            **recording_key(A),
            "recording_id": A,
            "status": "starting",
            "created_at": NOW,
            "updated_at": NOW,
            **change_of_row(A, NOW),
            "version": 1,
            "channel": "team",
            "max_hours": 2,
        }
        assert store.find(A) == recording
        assert store.claims.find("team") == CLAIM

    def test_a_claim_that_was_read_may_be_replaced(self, store: RecordingStore) -> None:
        store.open({}, CLAIM, over=None)

        store.open({}, Claim("team", B, 2000), over=CLAIM)

        assert store.claims.find("team") == Claim("team", B, 2000)

    @pytest.mark.parametrize("read", [None, Claim("team", A, 999), Claim("team", B, 1000)])
    def test_a_claim_that_another_start_wrote_leaves_no_recording(
        self, store: RecordingStore, read: Claim | None
    ) -> None:
        store.open({}, CLAIM, over=None)

        with pytest.raises(ChannelTaken):
            store.open({}, Claim("team", B, 2000), over=read)

        assert store.find(B) is None
        assert store.claims.find("team") == CLAIM

    def test_a_recording_is_replaced_by_its_next_version(self, store: RecordingStore) -> None:
        first = store.open({}, CLAIM, over=None)

        again = store.open({"uid": "7"}, Claim("team", A, 2000), over=CLAIM, replacing=first)

        assert again["version"] == 2
        assert store.find(A) == again

    @pytest.mark.parametrize("replacing", [None, {"version": 2}])
    def test_a_recording_that_is_another_by_now_keeps_its_claim(
        self, store: RecordingStore, replacing: RecordingRow | None
    ) -> None:
        first = store.open({}, CLAIM, over=None)

        with pytest.raises(ChannelTaken):
            store.open({}, Claim("team", A, 2000), over=CLAIM, replacing=replacing)

        assert store.find(A) == first
        assert store.claims.find("team") == CLAIM


class TestUpdate:
    def test_attributes_are_set_and_removed_and_the_version_grows(
        self, store: RecordingStore, table: Any, clock: FakeClock
    ) -> None:
        put(table, A, "starting", reason="lost")
        clock.elapsed = 1

        changes: Any = {"status": "recording", "sid": "5", "reason": None, "uid": None}
        updated = store.update(A, changes)

        assert updated == {
            **recording_key(A),
            "recording_id": A,
            "status": "recording",
            "created_at": NOW,
            "updated_at": "2026-03-12T00:00:01.000000Z",
            **change_of_row(A, "2026-03-12T00:00:01.000000Z"),
            "version": 2,
            "sid": "5",
        }
        assert store.find(A) == updated

    @pytest.mark.parametrize(
        ("condition", "changed"),
        [
            ({}, True),
            ({"only_in": ("starting", "recording")}, True),
            ({"only_in": ("starting", "stopping")}, False),
            ({"only_without": "stopped_at"}, True),
            ({"only_without": "sid"}, False),
            ({"only_in": ("recording",), "only_without": "sid"}, False),
            ({"only_in": ("starting",), "only_without": "stopped_at"}, False),
        ],
    )
    def test_it_depends_on_status_and_attributes(
        self, store: RecordingStore, table: Any, condition: dict[str, Any], changed: bool
    ) -> None:
        put(table, A, "recording", sid="5")
        before = store.find(A)

        updated = store.update(A, {"stopped_at": NOW}, **condition)

        assert (updated is not None) == changed
        assert store.find(A) == (updated if changed else before)

    def test_nothing_is_made_of_what_is_not_there(self, store: RecordingStore) -> None:
        assert store.update(A, {"sid": "5"}) is None
        assert store.find(A) is None

    def test_a_fault_of_dynamodb_is_not_swallowed(self, store: RecordingStore, table: Any) -> None:
        put(table, A, "recording")

        key: Any = {"sk": "another key"}
        with pytest.raises(ClientError, match="ValidationException"):
            store.update(A, key)


class TestLease:
    def test_one_at_a_time_has_it(self, store: RecordingStore, table: Any, clock: FakeClock) -> None:
        put(table, A, "recording", sid="5")
        before = store.find(A)
        assert before

        leased = store.lease(A, 30)

        assert leased == {**before, "changing_until": store.seconds + 30}
        assert store.lease(A, 30) is None
        clock.elapsed = 29.9
        assert store.lease(A, 30) is None
        store.end_lease(leased)
        assert store.find(A) == before
        assert store.lease(A, 30)

    def test_it_ends_by_itself_and_passes_on(self, store: RecordingStore, table: Any, clock: FakeClock) -> None:
        put(table, A, "recording")
        slow = store.lease(A, 30)
        clock.elapsed = 30

        quick = store.lease(A, 30)

        assert slow
        assert quick
        store.end_lease(slow)
        assert store.find(A) == quick
        assert store.lease(A, 30) is None

    def test_nothing_is_made_of_what_is_not_there(self, store: RecordingStore) -> None:
        assert store.lease(A, 30) is None
        store.end_lease({"recording_id": A, "changing_until": 1})
        assert store.find(A) is None

    def test_other_recordings_are_free(self, store: RecordingStore, table: Any) -> None:
        for recording_id in (A, B):
            put(table, recording_id, "recording")
            assert store.lease(recording_id, 30)


class TestClaim:
    @pytest.mark.parametrize(("instead_of", "held"), [(None, False), (B, False), (A, True)])
    def test_it_is_rewritten_for_its_holder_only(
        self, store: RecordingStore, instead_of: str | None, held: bool
    ) -> None:
        store.open({}, CLAIM, over=None)
        wanted = Claim("team", B, 2000)

        store.claims.hold(wanted, instead_of=instead_of)

        assert store.claims.find("team") == (wanted if held else CLAIM)

    def test_one_that_is_not_there_is_not_made(self, store: RecordingStore) -> None:
        store.claims.hold(CLAIM)

        assert store.claims.find("team") is None

    @pytest.mark.parametrize(("holder", "left"), [(A, None), (B, CLAIM)])
    def test_it_is_given_up_by_its_holder_only(self, store: RecordingStore, holder: str, left: Claim | None) -> None:
        store.open({}, CLAIM, over=None)

        store.claims.release("team", holder)
        store.claims.release("another", holder)

        assert store.claims.find("team") == left


@pytest.mark.parametrize(
    ("status", "attributes", "dropped"),
    [("starting", {}, True), ("starting", {"sid": "5"}, False), ("processing", {}, False)],
)
def test_only_what_agora_never_began_is_dropped(
    store: RecordingStore, table: Any, status: str, attributes: dict[str, Any], dropped: bool
) -> None:
    put(table, A, status, **attributes)

    store.drop(A)

    assert (store.find(A) is None) == dropped


class TestFindWithMedia:
    def test_it_reads_the_recording_and_its_media_and_nothing_else(self, store: RecordingStore, table: Any) -> None:
        put(table, A, "done")
        put(table, B, "done")
        for key in (
            *(media_key(A, "m2"), media_key(A, "m1"), media_key(B, "m3")),
            *(transcript_key(A, "m1", 0, 1), insight_key(A, "m1", 0, "topics", 1)),
        ):
            table.put_item(Item=key)

        assert store.find_with_media(A) == (store.find(A), [media_key(A, "m1"), media_key(A, "m2")])

    def test_media_without_a_recording_are_none(self, store: RecordingStore, table: Any) -> None:
        table.put_item(Item=media_key(A, "m1"))

        assert store.find_with_media(A) is None

    def test_more_than_a_page(self, store: RecordingStore, table: Any) -> None:
        put(table, A, "processing")
        for number in range(4):
            table.put_item(Item={**media_key(A, str(number)), "text": "x" * 390_000})

        found = store.find_with_media(A)

        assert found
        assert [item["sk"] for item in found[1]] == [f"MEDIA#{number}" for number in range(4)]


class TestNewest:
    def test_it_is_of_the_status_and_before_a_position(self, store: RecordingStore, table: Any) -> None:
        for number, status in enumerate(("done", "failed", "done", "recording", "done")):
            put(table, f"{number:032}", status, f"2026-03-12T00:00:0{number}.000000Z")
        table.put_item(Item={**media_key(A, "m1"), "status": "done"})

        def newest(*arguments: Any, **before: Any) -> list[int]:
            return [int(item["recording_id"]) for item in store.newest(*arguments, **before)]

        assert newest("done", 9) == [4, 2, 0]
        assert newest(None, 3) == [4, 3, 2]
        assert newest(None, 9, before=("2026-03-12T00:00:03.000000Z", f"{3:032}")) == [2, 1, 0]
        assert newest("empty", 9) == []
        assert newest("done", 9, before=("2026-03-12T00:00:04.000000Z", f"{4:032}")) == [2, 0]
        assert newest("done", 9, before=("2026-03-12T00:00:03.000000Z", "")) == [2, 0]

    @pytest.mark.parametrize("status", ["done", None])
    def test_a_moment_of_many_is_read_to_its_end(self, store: RecordingStore, table: Any, status: str | None) -> None:
        for number in (3, 1, 4, 0, 2):
            put(table, f"{number:032}", "done")
        put(table, A, "done", "2026-03-11")
        expected = [*(f"{number:032}" for number in (4, 3, 2, 1, 0)), A]

        before = None
        for recording_id in expected:
            (found,) = store.newest(status, 1, before=before)
            assert found["recording_id"] == recording_id
            before = position(found)
        assert store.newest(status, 1, before=before) == []
