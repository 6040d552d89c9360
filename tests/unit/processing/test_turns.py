"""Slots and queues of providers: who goes, who waits, and who is woken."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from recording_insights.errors import (
    CredentialsRefused,
    ProviderBusy,
    ProviderUnavailable,
    RecordingInsightsError,
    SubmissionUnconfirmed,
)
from recording_insights.processing.turns import Turn, Turns, place_of
from recording_insights.store.turns import TurnStore
from tests.unit.crashing_table import Crash, crashes_at_every_write
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock

AWAY = ProviderUnavailable("Symbl answered HTTP 503")
UNCONFIRMED = SubmissionUnconfirmed("Symbl did not answer in time")


def media(number: int, *, retry: bool = False, provider: str = "symbl") -> Any:
    """The row of a media object that arrived in this second."""
    row = {
        "recording_id": f"{number:032x}",
        "media_id": f"{number:020x}",
        "key": f"{number}.mp4",
        "provider": provider,
        "waiting_since": f"2026-03-12T00:{number // 60:02d}:{number % 60:02d}.000000Z",
        "status": "waiting",
    }
    return {**row, "began_from": "media"} if retry else row


@dataclass
class Place:
    """A provider with some slots, and the executions of media objects that wait for it."""

    slots: int | None = 2
    table: Any = field(default_factory=FakeTable)
    clock: FakeClock = field(default_factory=FakeClock)
    woken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        limits = {} if self.slots is None else {"symbl": self.slots}
        self.store = TurnStore(self.table, self.clock.now)
        self.turns = Turns(self.store, limits, 3600, self.woken.append)
        self.rows: dict[str, Any] = {}

    def comes(self, row: Any) -> bool:
        """A media object asks for its turn, and waits with a token if it has none. Returns whether it goes."""
        return self.waits(row, self.turns.take(self.rows.get(row["key"], row)))

    def fails(self, row: Any, fault: RecordingInsightsError = AWAY, retry_after: int | None = None) -> Turn:
        turn = self.turns.fail(self.rows.get(row["key"], row), fault, retry_after)
        self.waits(row, turn)
        return turn

    def waits(self, row: Any, turn: Turn) -> bool:
        """What submit and the state "Await turn" write."""
        if turn.goes:
            self.rows[row["key"]] = {**row, "slot": turn.slot} if turn.slot is not None else row
            return True
        self.rows[row["key"]] = {**row, "queue_place": turn.place}
        key = {"pk": f"PROVIDER#{row['provider']}", "sk": turn.place}
        item = self.table.get_item(Key=key).get("Item")
        if item and "called_at" not in item:
            self.table.update_item(
                Key=key, UpdateExpression="SET task_token = :t", ExpressionAttributeValues={":t": row["key"]}
            )
        return False

    def ends(self, row: Any) -> None:
        """The job of a media object is over."""
        self.turns.give_back(self.rows[row["key"]])

    def holders(self) -> list[str]:
        slots, now = self.store.read("symbl").slots.values(), self.clock.now().timestamp()
        return sorted(slot["holder"].split()[1] for slot in slots if "holder" in slot and slot["until"] > now)


@pytest.fixture
def place() -> Place:
    return Place()


def meanwhile(patch: pytest.MonkeyPatch, method: str, happens: Callable[[], object]) -> None:
    """Have something happen just before the next call of a method of the store."""
    original, left = getattr(TurnStore, method), [happens]

    def call(store: TurnStore, *args: Any, **given: Any) -> Any:
        if left:
            left.pop()()
        return original(store, *args, **given)

    patch.setattr(TurnStore, method, call)


class TestSlots:
    def test_what_does_not_fit_waits_and_is_woken_in_order_of_arrival(self, place: Place) -> None:
        rows = [media(number) for number in (1, 2, 5, 4, 3)]
        assert [place.comes(row) for row in rows] == [True, True, False, False, False]

        for ended, woken in ((rows[0], "3.mp4"), (rows[1], "4.mp4"), (media(3), "5.mp4")):
            if ended["key"] not in ("1.mp4", "2.mp4"):
                assert place.comes(ended), "whoever is woken has the slot already"
            place.ends(ended)
            assert place.woken[-1] == woken

        assert len(place.woken) == 3

    def test_nobody_passes_those_who_wait(self, place: Place) -> None:
        """A slot that became free although others wait is theirs: its wake-up got lost."""
        for number in (1, 2, 3):
            place.comes(media(number))
        place.store.free_slot("symbl", 0, f"{1:032x} {1:020x}")

        assert not place.comes(media(4))
        assert place.woken == ["3.mp4"]

    def test_a_slot_that_is_given_back_before_the_token_is_written_is_not_lost(self, place: Place) -> None:
        place.comes(media(1))
        place.comes(media(2))
        late = media(3)
        assert not place.turns.take(late).goes
        place.ends(media(1))

        assert place.woken == [], "there is no token yet"
        assert place.store.head("symbl") is None, "its write of the token fails, and it asks again"
        late["queue_place"] = place_of(late)
        assert place.turns.take(late).goes

    def test_a_slot_that_is_given_back_between_the_two_looks_is_taken(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.comes(media(1))
        place.comes(media(2))
        enqueue = TurnStore.enqueue

        def give_back_first(store: TurnStore, *args: Any) -> None:
            place.store.free_slot("symbl", 0, f"{1:032x} {1:020x}")
            enqueue(store, *args)

        monkeypatch.setattr(TurnStore, "enqueue", give_back_first)
        assert place.comes(media(3))
        assert place.store.length("symbl") == 0

    def test_each_fifth_turn_is_a_retrys(self) -> None:
        place = Place(slots=1)
        place.comes(media(0))
        for number in range(1, 11):
            place.comes(media(number))
            place.comes(media(100 + number, retry=True))
        order, present = [], media(0)
        for _ in range(20):
            place.ends(present)
            key = place.woken[-1]
            order.append(int(key.removesuffix(".mp4")))
            present = media(order[-1], retry=order[-1] > 100)
            assert place.comes(present)

        assert [number for number in order if number < 100] == list(range(1, 11))
        assert [number for number in order if number > 100] == list(range(101, 111))
        assert [number > 100 for number in order[:11]].count(True) == 2

    def test_a_crashed_holder_loses_its_slot_when_the_lease_ends(self, place: Place) -> None:
        place.comes(media(1))
        place.comes(media(2))
        assert not place.comes(media(3))
        place.clock.elapsed = 3601

        assert place.turns.dispatch("symbl") == [f"{3:032x} {3:020x}"]

    def test_two_who_give_slots_back_at_once_wake_one_each(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both see the same first one in the queue, before either has called it."""
        for number in (1, 2, 3, 4):
            place.comes(media(number))
        meanwhile(monkeypatch, "hand_over", lambda: place.ends(media(2)))
        place.ends(media(1))

        assert place.woken == ["3.mp4", "4.mp4"]
        assert place.holders() == [f"{3:020x}", f"{4:020x}"]

    def test_one_whose_wait_ends_by_itself_while_it_is_called_has_one_slot(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It goes on with a slot of its own, or with the one that it was given: never without, never with two."""
        for number in (1, 2, 3, 4):
            place.comes(media(number))
        place.store.free_slot("symbl", 1, f"{2:032x} {2:020x}")
        meanwhile(monkeypatch, "hand_over", lambda: place.comes(media(3)))
        place.ends(media(1))

        assert place.holders() == [f"{3:020x}", f"{4:020x}"]
        assert place.woken == ["4.mp4"]

    def test_one_that_waits_anew_is_not_taken_out_of_the_queue_by_the_end_of_an_earlier_call(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is woken, finds the provider away and waits again, before the function that woke it has ended."""
        for number in (1, 2, 3):
            place.comes(media(number))
        meanwhile(monkeypatch, "leave_after_call", lambda: place.fails(media(3)))
        place.ends(media(1))

        first = place.store.head("symbl")
        assert first is not None
        assert (first["key"], first["task_token"]) == ("3.mp4", "3.mp4")

    def test_one_that_came_back_into_the_queue_with_its_slot_is_called(self, place: Place) -> None:
        for number in (1, 2, 3):
            place.comes(media(number))
        place.ends(media(1))
        place.store.enqueue("symbl", place_of(media(3)), media(3))

        assert place.turns.dispatch("symbl") == [f"{3:032x} {3:020x}"]
        assert place.store.head("symbl") is None
        assert place.holders() == [f"{2:020x}", f"{3:020x}"]

    def test_a_repeated_call_takes_no_second_slot(self, place: Place) -> None:
        assert place.comes(media(1))
        assert place.comes(media(1))
        assert place.holders() == [f"{1:020x}"]
        place.ends(media(1))
        place.ends(media(1))
        assert place.holders() == []

    def test_without_slots_everybody_goes_and_nothing_is_written(self) -> None:
        place = Place(slots=None)
        assert all(place.comes(media(number)) for number in range(50))
        place.ends(media(7))
        assert place.table.scan() == {"Items": []}

    def test_the_operator_changes_the_number_of_slots(self, place: Place) -> None:
        for number in (1, 2, 3, 4):
            place.comes(media(number))
        place.store.brake("symbl", slots=3)

        assert place.turns.dispatch("symbl") == [f"{3:032x} {3:020x}"]
        place.store.brake("symbl", slots=1)
        place.ends(media(1))
        place.ends(media(2))
        assert len(place.woken) == 1, "two more than the limit were at work"

    def test_one_that_gives_up_leaves_the_queue(self, place: Place) -> None:
        for number in (1, 2, 3, 4):
            place.comes(media(number))
        place.ends(media(3))
        place.ends(media(1))

        assert place.woken == ["4.mp4"]


class TestHealth:
    def test_while_a_provider_is_away_one_tries_and_the_others_wait_for_nothing(self, place: Place) -> None:
        place.comes(media(1))
        turn = place.fails(media(1))
        assert (turn.code, turn.retry_at) == ("provider_unavailable", place.clock.now().timestamp() + 10)
        for number in (2, 3, 4):
            turn = place.turns.take(media(number))
            assert (turn.goes, turn.retry_at) == (False, None)
            place.waits(media(number), turn)
        assert place.turns.dispatch("symbl") == []

        place.clock.elapsed = 10
        turn = place.turns.take(place.rows["1.mp4"])
        assert (turn.goes, turn.probes) == (True, True)
        place.turns.succeed(place.rows["1.mp4"], turn)

        assert place.woken == ["2.mp4"], "there are two slots, and one is taken"
        assert place.store.read("symbl").health is None

    def test_after_each_failure_it_is_the_next_ones_turn_to_try(self, place: Place) -> None:
        """One media object that the provider cannot digest does not hold up the others for ever."""
        place.comes(media(1))
        place.fails(media(1))
        for number in (2, 3):
            place.comes(media(number))
        place.clock.elapsed = 10
        assert place.comes(media(1))

        assert place.fails(media(1)).retry_at is None
        assert place.woken == ["2.mp4"]
        assert not place.comes(media(2))
        assert place.turns.take(place.rows["2.mp4"]).retry_at == place.clock.now().timestamp() + 20
        place.clock.elapsed = 30
        assert place.comes(media(2))

    def test_the_end_of_its_wait_counts_and_not_the_clock(self, place: Place) -> None:
        """The sandbox runs waits faster than the clock."""
        place.comes(media(1))
        place.fails(media(1))

        assert not place.turns.take(place.rows["1.mp4"]).goes
        assert place.turns.take(place.rows["1.mp4"], is_due=True).goes
        place.comes(media(2))
        assert not place.turns.take(place.rows["2.mp4"], is_due=True).goes, "another one tries the provider"

    def test_a_lost_prober_is_replaced(self, place: Place) -> None:
        place.comes(media(1))
        place.fails(media(1))
        place.clock.elapsed = 10 + 900
        assert not place.comes(media(2))
        place.clock.elapsed += 1

        assert place.comes(media(2))

    def test_a_busy_provider_is_tried_as_soon_as_a_job_has_ended(self) -> None:
        """The account takes fewer jobs than the setting says."""
        place = Place(slots=5)
        assert [place.comes(media(number)) for number in (1, 2, 3)] == [True] * 3
        assert place.fails(media(3), ProviderBusy("HTTP 429"), 600).retry_at == place.clock.now().timestamp() + 600
        place.comes(media(4))

        place.ends(media(1))

        assert place.woken == ["3.mp4"]
        assert place.comes(media(3)), "before its time, since a slot became free"

    def test_refused_credentials_are_tried_again_every_15_minutes(self, place: Place) -> None:
        waits = []
        for _ in range(10):
            place.comes(media(1))
            retry_at = place.fails(media(1), CredentialsRefused("no")).retry_at or 0
            waits.append(retry_at - place.clock.now().timestamp())
            place.clock.elapsed += waits[-1]

        assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900, 900]

    def test_those_who_waited_without_slots_are_woken_in_waves(self) -> None:
        place = Place(slots=None)
        place.comes(media(1))
        place.fails(media(1))
        for number in range(2, 62):
            place.comes(media(number))
        place.clock.elapsed = 10
        turn = place.turns.take(place.rows["1.mp4"])
        assert (turn.goes, turn.probes) == (True, True)
        place.turns.succeed(place.rows["1.mp4"], turn)

        assert len(place.woken) == 25
        for number in (2, 3):
            place.turns.succeed(place.rows[f"{number}.mp4"], Turn(True))
        assert place.woken == [f"{number}.mp4" for number in range(2, 62)]


class TestDoubt:
    """Submissions of which nobody knows whether the provider has accepted them."""

    def test_the_second_in_a_row_closes_the_provider_and_the_next_that_comes_tries_it(self, place: Place) -> None:
        for number in (1, 2):
            assert place.comes(media(number))
            place.turns.doubt(place.rows[f"{number}.mp4"], UNCONFIRMED)
        assert place.holders() == [f"{1:020x}", f"{2:020x}"], "the provider may have their jobs"
        place.turns.give_back(place.rows["1.mp4"])

        turn = place.turns.take(media(3))

        assert (turn.goes, turn.code) == (False, "provider_unavailable")
        assert turn.retry_at == place.clock.now().timestamp() + 20
        place.waits(media(3), turn)
        assert place.turns.take(media(4)).retry_at is None, "one tries it"
        place.clock.elapsed = 20
        assert not place.comes(media(4))
        assert place.comes(media(3))

    def test_one_that_is_confirmed_ends_the_doubt(self, place: Place) -> None:
        for number in (1, 2):
            assert place.comes(media(number))
            place.turns.doubt(place.rows[f"{number}.mp4"], UNCONFIRMED)
            place.turns.give_back(place.rows[f"{number}.mp4"])
            place.turns.confirm("symbl")

        turn = place.turns.take(media(3))
        assert turn.goes
        place.turns.doubt(media(3), UNCONFIRMED)
        turn = place.turns.take(media(4))
        assert turn.goes
        place.turns.succeed(media(4), turn)
        place.turns.doubt(media(5), UNCONFIRMED)

        assert place.store.read("symbl").health is None

    def test_the_job_of_an_unconfirmed_try_that_runs_wakes_who_waits(self, place: Place) -> None:
        for number in (1, 2):
            place.comes(media(number))
            place.turns.doubt(place.rows[f"{number}.mp4"], UNCONFIRMED)
        place.comes(media(3))
        place.store.free_slot("symbl", 1, f"{2:032x} {2:020x}")

        place.turns.confirm("symbl")

        assert place.woken == ["3.mp4"]

    def test_the_next_in_the_queue_tries_after_an_unconfirmed_try(self, place: Place) -> None:
        for number in (1, 2):
            place.comes(media(number))
            place.turns.doubt(place.rows[f"{number}.mp4"], UNCONFIRMED)
            place.turns.give_back(place.rows[f"{number}.mp4"])
        for number in (3, 4):
            place.comes(media(number))
        place.clock.elapsed = 20
        assert place.comes(media(3))

        place.turns.doubt(place.rows["3.mp4"], UNCONFIRMED)

        assert place.woken == ["4.mp4"]
        assert place.turns.take(place.rows["4.mp4"]).retry_at == place.clock.now().timestamp() + 40

    def test_who_waits_for_the_callback_and_has_the_only_slot_leaves_it_to_who_tries(self) -> None:
        place = Place(slots=1)
        place.comes(media(1))
        place.turns.doubt(place.rows["1.mp4"], UNCONFIRMED)
        place.comes(media(2))
        place.turns.doubt(place.rows["1.mp4"], UNCONFIRMED)
        assert place.woken == ["2.mp4"]
        place.comes(media(2))
        place.clock.elapsed = 20
        assert not place.comes(media(2)), "the slot is taken"

        assert not place.comes(place.rows["1.mp4"])

        assert place.woken == ["2.mp4", "2.mp4"]
        assert place.comes(media(2))

    def test_nobody_else_tries_while_the_one_that_tries_awaits_its_callback(self, place: Place) -> None:
        for _ in range(2):
            assert place.comes(media(1))
            place.turns.doubt(place.rows["1.mp4"], UNCONFIRMED)
        place.clock.elapsed = 900

        assert place.comes(media(1)), "it comes back, and nobody else has come"
        place.turns.doubt(place.rows["1.mp4"], UNCONFIRMED)
        turn = place.turns.take(media(2))
        assert turn.retry_at == place.clock.now().timestamp() + 40


class TestBrake:
    def test_a_paused_provider_gets_nothing_until_it_is_resumed(self, place: Place) -> None:
        place.comes(media(1))
        place.store.brake("symbl", paused=True)
        assert place.turns.take(media(2)).code == "provider_paused"
        place.comes(media(2))
        place.ends(media(1))
        assert place.woken == []

        place.store.brake("symbl", paused=None)

        assert place.turns.dispatch("symbl") == [f"{2:032x} {2:020x}"]

    def test_room(self, place: Place) -> None:
        assert place.turns.has_room("symbl")
        place.comes(media(1))
        place.comes(media(2))
        assert not place.turns.has_room("symbl")
        assert place.turns.has_room("deepgram")


def retried(step: Callable[[Any], Any], row: Any) -> Any:
    """Call a step as the state machine does: once more after a crash."""
    try:
        return step(row)
    except Crash:
        return step(row)


def order_of(place: Place, rows: Sequence[Any], check: Callable[[], None]) -> Iterator[int]:
    """Let all come, then end one job after the other; yield who goes, in order."""
    going = [row for row in rows if retried(place.comes, row)]
    yield from (int(row["media_id"], 16) for row in going)
    while going:
        check()
        before = len(place.woken)
        retried(place.ends, going.pop(0))
        for key in dict.fromkeys(place.woken[before:]):
            row = media(int(key.removesuffix(".mp4")))
            assert retried(place.comes, row)
            going.append(row)
            yield int(row["media_id"], 16)


def test_a_crash_at_any_write_loses_nobody_and_never_exceeds_the_slots() -> None:
    """Where a crash loses a wake-up, the sweep's dispatch makes it good."""
    rows = [media(number) for number in range(1, 7)]
    for table in crashes_at_every_write(at_least=20):
        place = Place(table=table)
        table.arm()

        def check(place: Place = place) -> None:
            assert len(place.holders()) <= 2

        went = list(order_of(place, rows, check))
        if len(went) < len(rows):
            woken = place.turns.dispatch("symbl")
            went += [int(holder.split()[1], 16) for holder in woken]
            assert woken, str(table)
        assert len(went) == len(set(went)), str(table)
