"""Retention: what is due, what is not, and that the deletion comes to its end whatever breaks off."""

import json
from datetime import timedelta
from typing import Any

import pytest

from recording_insights.errors import Conflict
from recording_insights.model.moments import utc_text
from recording_insights.processing.reopen import reopen
from recording_insights.recordings.media_links import list_links
from recording_insights.store.keys import recording_key
from recording_insights.store.rows import MediaRow
from recording_insights.store.sweeps import SweepStore
from recording_insights.sweep.step import Step
from recording_insights.sweep.too_old import delete_too_old
from recording_insights.upkeep.erase_page import Erase
from recording_insights.upkeep.retention import Retention
from tests.unit.crashing_table import Crash, CrashingTable, crashes_at_every_write
from tests.unit.upkeep.erase_scene import RECORDINGS, REPLIES, EraseScene

DAYS = 30
MEDIA, SEGMENTS, INSIGHTS = Retention(media_days=DAYS), Retention(segments_days=DAYS), Retention(insights_days=DAYS)
ALL = Retention(DAYS, DAYS, DAYS)


def look(scene: EraseScene, retention: Retention, *, every: timedelta = timedelta(0), seconds: float = 300) -> Step:
    """One sweep's look at all recordings."""
    sweeps = SweepStore(scene.table, scene.clock.now)
    row = sweeps.begin(1)
    assert row
    step = delete_too_old(
        row,
        retention,
        store=scene.recordings,
        sweeps=sweeps,
        executions=scene.executions,
        after=row.get("cursors", {}).get("retention", ""),
        deadline=scene.clock.deadline(seconds),
        every=every,
    )
    sweeps.end(row, {} if step.cursor is None else {"retention": step.cursor})
    return step


def ended(table: CrashingTable) -> tuple[EraseScene, str]:
    """A recording whose one media object is done, beside one whose recorder still runs."""
    scene = EraseScene(table)
    scene.other()
    recording = scene.record()
    recording_id, folder = recording["recording_id"], recording["prefix"]
    scene._done(recording_id, scene._admit(recording_id, f"{folder}part_0.mp4", "symbl"))
    sid = "5ec0de" + "0" * 26
    scene.s3.put(RECORDINGS, f"{folder}part_0.mp4", f"prepared/{recording_id}/part-1.mp4", "talk.mp4")
    scene.s3.put(RECORDINGS, *(f"{folder}{sid}_team{end}" for end in ("_20261128100000123.ts", ".m3u8", "_0.mp4")))
    at = scene.recordings.timestamp
    scene.recordings.update(recording_id, {"stopped_at": at, "complete_at": at})
    scene.recordings.settle(recording_id)
    assert scene.recordings.get(recording_id)["status"] == "done"
    return scene, recording_id


def pass_days(scene: EraseScene, days: float = DAYS + 1) -> None:
    scene.clock.elapsed += days * 86_400


def change_media(scene: EraseScene, row: MediaRow, **changes: Any) -> MediaRow:
    """Change a media object whatever its status is, and return it."""
    scene.table.put_item(Item={**row, **changes})
    return scene.store.get(row["recording_id"], row["media_id"])


def run_started(scene: EraseScene) -> None:
    """Run each execution that was started, to its end."""
    for name, state in list(scene.executions.started.items()):
        if name not in scene.executions.over:
            scene.run(Erase.from_state(json.loads(state)))
            scene.executions.over.add(name)


def keys_of(scene: EraseScene, recording_id: str) -> set[str]:
    return {key for key in sorted(scene.s3.keys()) if recording_id in key}


@pytest.fixture
def scene() -> EraseScene:
    return ended(CrashingTable())[0]


@pytest.fixture
def recording_id(scene: EraseScene) -> str:
    return next(row["recording_id"] for row in scene.recordings.newest(None, 9) if "complete_at" in row)


def test_media_go_and_the_rest_stays(scene: EraseScene, recording_id: str) -> None:
    before, [row] = scene.s3.keys(), scene.recordings.media_rows(recording_id)
    pass_days(scene)
    assert look(scene, MEDIA).counts == {"media_begun": 1}
    run_started(scene)

    left = before - scene.s3.keys()
    assert len(left) == 5
    assert all(f"recordings/{recording_id}/" in key or f"prepared/{recording_id}/" in key for key in left)
    assert any(key.startswith(f"{recording_id}/") for key in keys_of(scene, recording_id)), "replies stay"
    kept = scene.recordings.get(recording_id)
    assert (kept["status"], kept["media_deleted_at"]) == ("done", kept["updated_at"])
    assert "media_runs" not in kept
    answer = list_links(recording_id, store=scene.recordings, link=lambda *_: "link", clock=scene.clock.now)
    assert (answer["media"], answer["media_deleted_at"]) == ([], kept["media_deleted_at"])
    with pytest.raises(Conflict, match=r"media_gone.*deleted at"):
        reopen(row, store=scene.store, start="media", force=True)
    assert reopen(row, store=scene.store, start="saved", force=True)["status"] == "submitted"
    failed = change_media(scene, row, status="failed")
    taken = reopen(failed, store=scene.store, start="media", force=True, execution="by hand")
    assert taken["status"] == "waiting", "an execution that runs ends with the code of the deletion"


def test_segments_go_alone(scene: EraseScene, recording_id: str) -> None:
    before, [row] = scene.s3.keys(), scene.recordings.media_rows(recording_id)
    pass_days(scene)
    look(scene, SEGMENTS)
    run_started(scene)
    assert sorted(key[-5:] for key in before - scene.s3.keys()) == [".m3u8"[-5:], "23.ts"]
    track: Any = {**row, "uid": "7", "status": "failed"}
    with pytest.raises(Conflict, match="media_gone"):
        reopen(track, store=scene.store, start="media")
    assert reopen(row, store=scene.store, start="media", force=True), "an MP4 needs no segments"


def test_insights_go_with_all_that_there_is(scene: EraseScene, recording_id: str) -> None:
    pass_days(scene)
    assert look(scene, ALL).counts == {"insights_begun": 1}
    assert scene.recordings.get(recording_id)["erased_by"] == "retention"
    assert look(scene, ALL).counts == {}, "the sweep has a step of its own for erases that broke off"
    run_started(scene)
    assert scene.mentions(recording_id) == []
    assert scene.recordings.erasures.find_receipt(recording_id)


@pytest.mark.parametrize("retention", [MEDIA, SEGMENTS, INSIGHTS])
def test_what_is_not_due_stays(retention: Retention) -> None:
    changes: list[dict[str, Any]] = [
        {"status": "processing"},
        {"status": "starting"},
        {"status": "erasing"},
        {"stopped_at": None, "complete_at": None},
        {"complete_at": "young"},
    ]
    for change in changes:
        scene, recording_id = ended(CrashingTable())
        pass_days(scene)
        young = utc_text(scene.clock.now() - timedelta(days=1))
        row = {**scene.recordings.get(recording_id), **change}
        row = {name: young if value == "young" else value for name, value in row.items() if value is not None}
        scene.table.put_item(Item={**recording_key(recording_id), **row})
        assert look(scene, retention).counts == {}, change
    scene, recording_id = ended(CrashingTable())
    pass_days(scene, DAYS - 1)
    assert look(scene, retention).counts == {}, "a day is left"
    pass_days(scene, 2)
    [media] = scene.recordings.media_rows(recording_id)
    young = utc_text(scene.clock.now() - timedelta(days=1))
    change_media(scene, media, finished_at=young)
    assert look(scene, retention).counts == {}, "its retry ended yesterday"
    change_media(scene, media, status="waiting")
    assert look(scene, retention).counts == {}, "a retry has just begun, and its recording does not say so yet"
    assert look(scene, Retention()).counts == {}


def test_a_recording_that_has_changed_since_the_look_stays(scene: EraseScene, recording_id: str) -> None:
    pass_days(scene)
    stale = scene.recordings.get(recording_id)
    scene.recordings.update(recording_id, {"speakers": {}})
    assert scene.recordings.mark_deletion(stale, "media") is None
    assert scene.recordings.erasures.mark(recording_id, "r", "retention", version=stale["version"]) is None
    assert scene.recordings.get(recording_id)["status"] == "done"


def test_a_retry_that_read_the_row_before_the_mark_ends_first(scene: EraseScene, recording_id: str) -> None:
    pass_days(scene)
    look(scene, MEDIA)
    [row] = scene.recordings.media_rows(recording_id)
    change_media(scene, row, status="waiting")
    before = scene.s3.keys()
    erase = Erase(recording_id=recording_id, phase="media")
    for _ in range(5):
        erase = Erase.from_state(scene.page(erase).to_state())
        assert (erase.phase, scene.s3.keys()) == ("media", before)
    change_media(scene, row, status="failed")
    assert scene.page(erase).phase == "over"
    assert len(before - scene.s3.keys()) == 5


def test_what_came_after_the_mark_goes_when_it_is_too_old_itself(scene: EraseScene, recording_id: str) -> None:
    pass_days(scene)
    look(scene, MEDIA)
    pass_days(scene, 1)
    folder = scene.recordings.get(recording_id)["prefix"]
    scene._done(recording_id, scene._admit(recording_id, f"{folder}part_1.mp4", "symbl"))
    scene.s3.put(RECORDINGS, f"{folder}part_1.mp4")
    scene.recordings.settle(recording_id)
    run_started(scene)
    assert any("part_1" in key for key in sorted(scene.s3.keys()))
    links = list_links(recording_id, store=scene.recordings, link=lambda _, key, *rest: key, clock=scene.clock.now)
    assert [entry["url"] for entry in links["media"]] == [f"{folder}part_1.mp4"]
    assert look(scene, MEDIA).counts == {}
    pass_days(scene)
    assert look(scene, MEDIA).counts == {"media_begun": 1}
    run_started(scene)
    assert not any("part_" in key and key.startswith("recordings") for key in keys_of(scene, recording_id))


def test_looks_are_a_day_apart_and_go_on_where_time_was_over(scene: EraseScene, recording_id: str) -> None:
    pass_days(scene)
    day = timedelta(days=1)
    assert look(scene, MEDIA, every=day, seconds=1).cursor == ""
    assert look(scene, MEDIA, every=day).counts == {"media_begun": 1}
    assert look(scene, MEDIA, every=day).counts == {}, "not again today"
    pass_days(scene, 1.1)
    assert look(scene, MEDIA, every=day).counts == {"media_at_work": 1}
    run_started(scene)
    pass_days(scene, 1.1)
    assert look(scene, MEDIA, every=day).counts == {}, "its media are gone"
    assert len(scene.executions.started) == 1


def test_a_deletion_that_broke_off_gets_a_successor(scene: EraseScene, recording_id: str) -> None:
    pass_days(scene)
    look(scene, MEDIA)
    scene.executions.over.update(scene.executions.started)
    assert look(scene, MEDIA).counts == {"media_begun": 1}
    assert [name.rpartition("-")[2] for name in scene.executions.started] == ["1", "2"]
    run_started(scene)
    assert "media_runs" not in scene.recordings.get(recording_id)


@pytest.mark.parametrize("retention", [MEDIA, SEGMENTS, INSIGHTS])
def test_a_crash_at_any_call_leads_to_the_same_end(retention: Retention) -> None:
    def end(table: CrashingTable, *, armed: bool) -> tuple[Any, ...]:
        scene, recording_id = ended(table)
        pass_days(scene)
        if armed:
            table.arm()
        for _ in range(2):
            try:
                look(scene, retention)
                run_started(scene)
            except Crash:
                table.disarm()
            scene.clock.elapsed += 400
        table.disarm()
        # What the sweep's other step does for an erase whose start was lost.
        row = scene.recordings.find(recording_id)
        if row and row["status"] == "erasing":
            scene.run(scene.ask(recording_id))
        kept = {name: row.get(name) for name in ("status", "media_runs", "segments_runs")} if row else {}
        replies = {key for key in keys_of(scene, recording_id) if REPLIES in key}
        return kept.get("media_runs"), kept.get("segments_runs"), len(replies), len(scene.s3.keys())

    expected = end(CrashingTable(), armed=False)
    for table in crashes_at_every_write(at_least=3):
        assert end(table, armed=True) == expected, table
