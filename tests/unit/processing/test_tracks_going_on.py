"""A track that was processed and goes on: what comes later becomes insights too, once."""

from typing import Any

import pytest

from recording_insights.store.keys import recording_key
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.processing.going_on import AT_LAST, FIRST, IGNORED, THEN, World, slice_at
from tests.unit.processing.track_scene import BEGAN, BY_HAND, FOLDER, KEY, STEM

BEGAN_MS = int(BEGAN.timestamp() * 1000)


@pytest.fixture
def world(table: Any, clock: FakeClock) -> World:
    """Its first playlist was closed, and is announced."""
    world = World(table, clock)
    world.tell(FIRST)
    return world


def bring_to(world: World, state: str) -> None:
    """The first media object into that state."""
    [name] = world.names
    media_id = world.executions[name].media_id
    match state:
        case "waiting":
            return
        case "preparing":
            world.store.note(BY_HAND, media_id, status="preparing")
        case "failed before it was prepared":
            world.store.finish(BY_HAND, media_id, "failed", reason="the execution was aborted")
        case "prepared":
            world.prepare(name)
        case "submitted":
            world.prepare(name)
            world.store.submitted(BY_HAND, media_id, job={})
        case "handed to another provider":
            world.prepare(name)
            world.store.give_up(BY_HAND, media_id, "busy", "provider_busy", provider="symbl")
        case "done" | "failed":
            world.process(name, state)


class TestStates:
    @pytest.mark.parametrize("state", ["prepared", "submitted", "handed to another provider", "done", "failed"])
    def test_what_comes_after_the_file_was_prepared_is_a_media_object_of_its_own(
        self, world: World, state: str
    ) -> None:
        bring_to(world, state)
        [first] = world.rows

        outcome = world.tell([*FIRST, *THEN])

        [_, then] = world.rows
        assert outcome == {"recording_id": BY_HAND, "media_id": then["media_id"], "execution": world.names[1]}
        assert (then["continues"], then["continuation"]) == (first["media_id"], 1)
        assert then["continues_at_ms"] == first["ends_at_ms"] == BEGAN_MS + 30_000
        assert {then[name] for name in ("key", "uid", "provider")} == {KEY, "1001", "marsview"}
        assert world.names[1] == f"{BY_HAND}-uid-1001-{then['media_id']}-0"
        assert world.recording["status"] == "processing"
        world.process(world.names[1])
        assert world.heard == [FIRST, THEN]
        assert world.rows[1]["starts_at_ms"] == BEGAN_MS + 100_000
        assert "incomplete" not in world.rows[1]

    @pytest.mark.parametrize("state", ["waiting", "preparing"])
    def test_what_comes_before_belongs_to_the_same_file(self, world: World, state: str) -> None:
        bring_to(world, state)

        world.tell([*FIRST, *THEN])
        world.process_all()

        assert world.heard == [[*FIRST, *THEN]]
        assert len(world.rows) == 1

    def test_a_track_that_could_not_be_prepared_has_failed_for_good(self, world: World) -> None:
        bring_to(world, "failed before it was prepared")

        assert world.tell([*FIRST, *THEN]) == IGNORED

    @pytest.mark.parametrize("state", ["preparing", "prepared", "submitted", "done", "failed"])
    @pytest.mark.parametrize("closed", [True, False])
    def test_a_playlist_that_names_nothing_new_is_ignored(self, world: World, state: str, closed: bool) -> None:
        bring_to(world, state)

        assert world.tell(FIRST, closed=closed) == IGNORED
        assert len(world.rows) == world.starts == 1

    def test_a_track_that_was_empty_goes_on(self, table: Any, clock: FakeClock) -> None:
        world = World(table, clock)
        world.tell([])
        world.process_all()
        assert world.tell([]) == IGNORED
        assert world.recording["status"] == "empty"

        world.tell(FIRST)
        world.process_all()
        world.tell([*FIRST, *THEN])
        world.process_all()

        assert world.heard == [FIRST, THEN]
        assert world.recording["status"] == "done"

    @pytest.mark.parametrize("first", ["<html>", None])
    def test_a_track_whose_playlist_was_none_goes_on_with_a_better_copy(
        self, table: Any, clock: FakeClock, first: str | None
    ) -> None:
        world = World(table, clock)
        world.tell(FIRST if first else [])
        world.folder.put(FOLDER + FIRST[0])
        if first:
            world.folder.put(KEY, first)
        world.process_all()
        assert world.recording["status"] == "failed"
        assert world.announce() == IGNORED

        world.tell(FIRST, key=f"{FOLDER}{STEM}_1741737847_0.m3u8")
        world.process_all()

        assert world.heard == [FIRST]
        assert world.recording["status"] == "partial", "the first try stays as it was"

    def test_a_track_without_sound_goes_on(self, world: World) -> None:
        world.is_silent = True
        world.process_all()
        assert world.recording["status"] == "failed"
        world.is_silent = False
        assert world.tell(FIRST) == IGNORED

        world.tell([*FIRST, *THEN])
        world.process_all()

        assert world.heard == [THEN]
        assert world.recording["status"] == "partial"


class TestEvents:
    def test_forty_rewrites_are_one_continuation(self, world: World, table: FakeTable) -> None:
        world.process_all()
        later = [slice_at(100 + 15 * n) for n in range(40)]
        for count in range(1, 41):
            world.tell([*FIRST, *later[:count]], closed=count == 40)
            if count == 20:
                world.look(world.names[1])
        assert len(world.rows) == 2
        assert world.starts == 1 + 20, "asked for again until the state has begun: a start may have been lost"

        world.process_all()

        assert world.heard == [FIRST, later]
        assert world.announce() == IGNORED
        assert len(table.scan()["Items"]) == 3

    def test_it_goes_on_twice(self, world: World) -> None:
        world.process_all()
        world.tell([*FIRST, *THEN])
        world.process_all()
        world.tell([*FIRST, *THEN, *AT_LAST])
        world.process_all()

        assert world.heard == [FIRST, THEN, AT_LAST]
        first, then, at_last = world.rows
        assert then["continues"] == at_last["continues"] == first["media_id"]
        assert at_last["continues_at_ms"] == then["ends_at_ms"]
        assert len({row["prepared"]["key"] for row in world.rows}) == 3
        assert world.announce() == IGNORED
        assert world.recording["status"] == "done"

    def test_two_events_at_once_are_one_continuation(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.process_all()
        world.write([*FIRST, *THEN])
        admit = type(world.store).admit
        others: list[Any] = []

        def meanwhile(*arguments: Any, **named: Any) -> None:
            monkeypatch.setattr(type(world.store), "admit", admit)
            others.append(world.announce())
            admit(*arguments, **named)

        monkeypatch.setattr(type(world.store), "admit", meanwhile)

        assert world.announce() == others[0]
        assert len(world.names) == len(world.rows) == 2

    def test_events_of_earlier_rewrites_come_late_and_twice(self, world: World) -> None:
        world.process_all()
        world.write([*FIRST, *THEN])
        outcomes = [world.announce() for _ in range(3)]
        assert outcomes[0] == outcomes[1] == outcomes[2]
        world.process_all()

        assert [world.announce() for _ in range(3)] == [IGNORED] * 3
        assert world.heard == [FIRST, THEN]

    def test_news_of_a_finished_track_costs_two_gets_and_no_list(
        self, table: FakeTable, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder_id = FOLDER.split("/")[1]
        row = {"recording_id": folder_id, "status": "recording", "version": 1, "prefix": FOLDER, "mode": "individual"}
        table.put_item(Item={**recording_key(folder_id), **row})
        world = World(table, clock)
        world.tell(FIRST)
        world.process_all()
        gets: list[str] = []
        get_item = table.get_item

        def counted(**asked: Any) -> Any:
            gets.append(asked["Key"]["sk"])
            return get_item(**asked)

        monkeypatch.setattr(table, "get_item", counted)
        writes, queries = dict(table.items), table.queries
        world.folder.gets = world.folder.lists = 0

        assert world.announce() == IGNORED

        assert [sort[:6] for sort in gets] == ["RECORD", "MEDIA#"], "the first is the recording of the folder"
        assert (world.folder.gets, world.folder.lists) == (1, 0)
        assert (table.items, table.queries) == (writes, queries)

    def test_it_waits_for_its_own_slices_and_its_own_end(self, world: World) -> None:
        world.process_all()
        world.tell([*FIRST, *THEN[:1]], closed=False)
        name = world.names[1]
        assert world.look(name).outcome == "awaiting"
        assert world.rows[1]["reason"] == "waiting for files: the track is still being recorded"
        world.tell([*FIRST, *THEN])
        del world.folder.objects[FOLDER + THEN[1]]
        assert world.look(name).outcome == "running"
        assert world.rows[1]["reason"] == f"waiting for files: 1 of 2 segments did not arrive, such as {THEN[1]}"

        world.process(name)

        assert world.rows[1]["incomplete"] == f"1 of 2 segments never arrived or cannot be read, such as {THEN[1]}"
        assert world.recording["status"] == "partial"
        assert "audio.m3u8, part 2: 1 of 2 segments" in world.recording["reason"]

    def test_what_it_continues_is_not_missed_once_more(self, world: World) -> None:
        """Slices that came too late for the file before, or in no playlist, are no part of what follows it."""
        world.process_all()
        world.folder.put(FOLDER + slice_at(5))
        world.folder.put(FOLDER + slice_at(107))
        world.tell([FIRST[0], slice_at(5), FIRST[1], *THEN], closed=False)

        world.process_all()

        assert world.heard == [FIRST, THEN]
        gaps = "its playlist was never closed; segments left out because no playlist names them: 1, such as"
        assert world.rows[1]["incomplete"] == f"{gaps} {slice_at(107)}"
