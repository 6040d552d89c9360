"""A track that goes on at any moment of its processing, and crashes at any write of what follows."""

from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from recording_insights.processing.prepared_file import FilePreparation
from recording_insights.store.media import MediaStore
from tests.unit.crashing_table import Crash, CrashingTable, crashes_at_every_write
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.processing.going_on import AT_LAST, FIRST, THEN, World
from tests.unit.processing.test_tracks_crashes import retried
from tests.unit.processing.track_scene import FakeFolder


class Moments:
    """Every access to the table or the bucket is one; just before some of them something happens."""

    def __init__(self) -> None:
        self.passed = 0
        self.events: list[tuple[int, Callable[[], Any]]] = []

    def pass_one(self) -> None:
        self.passed += 1
        while self.events and self.events[0][0] <= self.passed:
            self.events.pop(0)[1]()


class WatchedTable(FakeTable):
    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self.moments = moments

    def get_item(self, **asked: Any) -> dict[str, Any]:
        self.moments.pass_one()
        return super().get_item(**asked)

    def update_item(self, **asked: Any) -> dict[str, Any]:
        self.moments.pass_one()
        return super().update_item(**asked)


class WatchedFolder(FakeFolder):
    moments: Moments

    def read(self, key: str) -> Any:
        self.moments.pass_one()
        return super().read(key)

    def list(self, prefix: str) -> Any:
        self.moments.pass_one()
        return super().list(prefix)

    def keep(self, key: str, file: Any) -> tuple[str, int]:
        self.moments.pass_one()
        return super().keep(key, file)


def watched() -> tuple[World, Moments]:
    moments, clock = Moments(), FakeClock()
    folder = WatchedFolder(clock)
    folder.moments = moments
    return World(WatchedTable(moments), clock, folder), moments


@pytest.mark.parametrize("before", ["nothing", pytest.param("a slice", marks=pytest.mark.matrix), "no sound"])
def test_whenever_it_goes_on_and_whenever_that_is_announced_all_is_heard_once(before: str) -> None:
    """The last event of a playlist is the last there is: nobody comes back for what it did not begin."""
    first = [] if before == "nothing" else FIRST[:1]
    expected = [*(first if before == "a slice" else ()), *THEN]
    interleavings = 0
    for written, later in product(range(1, 100), range(12)):
        world, moments = watched()
        world.tell(first)
        moments.passed = 0
        world.is_silent = before == "no sound"
        moments.events = [
            (written, partial(world.sounds, [*first, *THEN])),
            (written + later, world.announce),
        ]
        world.process_all()
        if len(moments.events) == 2:
            break  # that is after the end of everything
        for _, announce in moments.events:
            announce()
        world.process_all()
        interleavings += 1
        heard = [name for names in world.heard for name in names if name in expected]
        assert heard == expected, f"written before access {written}, announced {later} later"
        assert len(world.rows) <= 2
        whole = before != "no sound" or len(world.rows) == 1
        assert world.recording["status"] == ("done" if whole else "partial")
    assert interleavings > 100


def test_whenever_its_playlist_is_closed_and_whenever_that_is_announced_no_wait_runs_out() -> None:
    """The token is written before, between or after the playlist, its event, and the checks of the execution."""
    interleavings = 0
    for written, later in product(range(1, 100), range(12)):
        world, moments = watched()
        world.tell(FIRST[:1], closed=False)
        moments.passed = 0
        moments.events = [(written, partial(world.write, FIRST)), (written + later, world.announce)]

        def the_rest_happens(moments: Moments = moments) -> None:
            while moments.events:
                moments.events.pop(0)[1]()

        world.meanwhile = the_rest_happens
        world.process_all()
        assert world.time_outs == 0, f"written before access {written}, announced {later} later"
        assert world.heard == [FIRST]
        assert world.recording["status"] == "done"
        interleavings += 1
        if moments.passed < written:
            break  # everything has happened while the execution waited
    assert interleavings > 20


def test_only_a_closed_playlist_ends_the_wait_and_its_event_does_so_after_a_crash(table: Any, clock: FakeClock) -> None:
    world = World(table, clock)
    world.tell(FIRST[:1], closed=False)
    seen: list[set[str]] = []

    def crash(task_token: str) -> None:
        world.end_wait = world.woken.add
        raise Crash

    def goes_on_and_ends() -> None:
        world.tell(FIRST, closed=False)
        seen.append(set(world.woken))
        world.end_wait = crash
        world.write(FIRST)
        retried(world.announce)

    world.meanwhile = goes_on_and_ends
    world.process_all()

    assert seen == [set()]
    assert (world.tokens, world.time_outs) == (1, 0)
    assert "task_token" not in world.rows[0], "it is not that of the callback"


def test_a_playlist_that_was_closed_and_goes_on_is_awaited_again(table: Any, clock: FakeClock) -> None:
    world = World(table, clock)
    world.tell(FIRST[:1], closed=False)
    name = world.names[0]
    courses = [partial(world.tell, FIRST[:1]), partial(world.write, FIRST, closed=False)]
    world.look(name)
    for course in courses:
        course()

    def ends() -> None:
        world.tell([*FIRST, *THEN])

    world.meanwhile = ends
    world.process_all()

    assert (world.tokens, world.time_outs) == (1, 0)
    assert world.heard == [[*FIRST, *THEN]]


@pytest.mark.parametrize(("later", "files"), [([], 1), (THEN, 2)], ids=["nothing new", "more"])
def test_only_more_of_the_track_makes_a_second_file(
    table: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, later: list[str], files: int
) -> None:
    world = World(table, clock)
    world.tell(FIRST)
    keep = FakeFolder.keep

    def and_announced(folder: FakeFolder, key: str, file: Path) -> tuple[str, int]:
        monkeypatch.setattr(FakeFolder, "keep", keep)
        world.tell([*FIRST, *later])
        return keep(folder, key, file)

    monkeypatch.setattr(FakeFolder, "keep", and_announced)

    assert world.look(world.names[0]).outcome == "submit"
    assert world.files == files
    assert world.heard == [[*FIRST, *later]]


@pytest.mark.parametrize("status", ["prepared", "done", "failed"])
def test_an_intake_that_fell_asleep_while_the_file_was_made(monkeypatch: pytest.MonkeyPatch, status: Any) -> None:
    world = World(FakeTable(), FakeClock())
    world.tell(FIRST)
    seen: list[Any] = []
    keep, find = FakeFolder.keep, MediaStore.find

    def and_seen(folder: FakeFolder, key: str, file: Path) -> tuple[str, int]:
        seen.extend(world.rows)
        return keep(folder, key, file)

    monkeypatch.setattr(FakeFolder, "keep", and_seen)
    if status == "prepared":
        world.prepare(world.names[0])
    else:
        world.process(world.names[0], status)
    monkeypatch.setattr(MediaStore, "find", lambda *asked: seen.pop() if seen else find(*asked))
    world.tell([*FIRST, *THEN])
    assert not seen

    world.process_all()

    assert world.heard == [FIRST, THEN]


def test_a_crash_at_any_write_and_the_retry_end_as_without() -> None:
    expected = story(CrashingTable())
    for table in crashes_at_every_write(at_least=20):
        table.arm()
        assert story(table) == expected, str(table)


def story(table: Any) -> dict[str, Any]:
    """A track that goes on twice; whatever crashes is called once more. All that is to be seen in the end."""
    world = World(table, FakeClock())
    for names in (FIRST, [*FIRST, *THEN], [*FIRST, *THEN, *AT_LAST]):
        world.write(names)
        for _ in range(2):
            retried(world.announce)
        retried(world.process, world.names[-1])
    rows = [{name: value for name, value in row.items() if name != "finished_at"} for row in world.rows]
    assert len(world.names) == len(rows) == 3
    assert world.heard == [FIRST, THEN, AT_LAST]
    return {"rows": rows, "names": world.names, **{name: world.recording[name] for name in ("status", "media")}}


class Killed(Exception):
    """Lambda ends a run."""


def test_news_between_two_runs_of_which_the_second_is_killed_is_heard(
    table: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(table, clock)
    world.tell(FIRST)
    name = world.names[0]
    conclusion = FilePreparation.conclude

    def kill(*_: Any) -> Any:
        raise Killed

    def news_and_a_second_run(*arguments: Any) -> Any:
        concluded = conclusion(*arguments)
        world.tell([*FIRST, *THEN])
        monkeypatch.setattr(FilePreparation, "conclude", kill)
        with pytest.raises(Killed):
            world.look(name)
        monkeypatch.setattr(FilePreparation, "conclude", conclusion)
        return concluded

    monkeypatch.setattr(FilePreparation, "conclude", news_and_a_second_run)
    world.look(name)
    world.process_all()

    assert [slice_ for names in world.heard for slice_ in names] == [*FIRST, *THEN]


def test_a_run_that_comes_late_does_not_take_back_what_the_second_has_handed_on(
    table: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(table, clock)
    world.tell(FIRST)
    name = world.names[0]
    conclusion = FilePreparation.conclude

    def second_run(*arguments: Any) -> Any:
        concluded = conclusion(*arguments)
        monkeypatch.setattr(FilePreparation, "conclude", conclusion)
        assert world.look(name).outcome == "submit"
        progress = world.executions[name]
        world.store.submitted(progress.recording_id, progress.media_id, job={}, provider="marsview")
        return concluded

    monkeypatch.setattr(FilePreparation, "conclude", second_run)
    world.look(name)

    assert world.rows[0]["status"] == "submitted"
