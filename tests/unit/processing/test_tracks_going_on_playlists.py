"""A track that goes on, in whatever playlist that is written; and the answer of a recording whose tracks did."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from recording_insights.hls.remux.remux import remux
from recording_insights.media.track import Track
from recording_insights.model.insights import Insights, Utterance
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.store.insights import Collection
from tests.unit.fakes import FakeClock
from tests.unit.hls.remux.made import FRAME_MS, segment_of, tone_spans
from tests.unit.processing.going_on import FIRST, IGNORED, THEN, World, slice_at
from tests.unit.processing.track_scene import BEGAN, BY_HAND, FOLDER, KEY, STEM, FakeFolder

BEGAN_MS = int(BEGAN.timestamp() * 1000)


@pytest.fixture
def world(table: Any, clock: FakeClock) -> World:
    """Its first playlist was closed, and is announced."""
    world = World(table, clock)
    world.tell(FIRST)
    return world


class TestPlaylists:
    def test_a_recorder_that_took_over_comes_after_the_end(self, world: World) -> None:
        world.process_all()
        later = [slice_at(60, prefix="bak0_"), slice_at(75, prefix="bak0_")]

        assert "execution" in world.tell(later, key=f"{FOLDER}bak0_{STEM}.m3u8")
        world.process_all()

        assert world.heard == [FIRST, later]
        assert world.announce() == IGNORED

    def test_what_it_repeats_of_the_first_one_is_heard_once(self, world: World) -> None:
        world.process_all()
        later = [slice_at(5, prefix="bak0_"), slice_at(20, prefix="bak0_"), slice_at(35, prefix="bak0_")]
        world.tell(later, key=f"{FOLDER}bak0_{STEM}.m3u8")
        world.process_all()

        pieces = json.loads(world.folder.kept[world.rows[1]["prepared"]["key"]])
        assert [(piece["name"], piece["at_ms"], piece["trim"]) for piece in pieces] == [
            (later[1], -10_000, True),
            (later[2], 5_000, False),
        ]
        assert world.rows[1]["starts_at_ms"] == BEGAN_MS + 30_000
        assert world.rows[1]["ends_at_ms"] == BEGAN_MS + 50_000

    def test_of_a_slice_that_is_half_known_the_other_half_is_heard(self, clock: FakeClock, tmp_path: Path) -> None:
        folder = FakeFolder(clock)
        names = [slice_at(0), slice_at(2), slice_at(6)]
        lines = [f"#EXTINF:{seconds}\n{name}" for seconds, name in zip((2, 3, 1), names, strict=True)]
        folder.put(KEY, "\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST"]))
        track = Track.read(KEY, folder, continues_at_ms=BEGAN_MS + 3000)
        target = tmp_path / "track.mp4"

        prepared = remux(track.timeline.segments, {names[1]: segment_of(3.0), names[2]: segment_of(1.0)}.get, target)

        assert track.timeline.starts_at_ms == BEGAN_MS + 3000
        assert prepared.lost == ()
        near = 3 * FRAME_MS
        edges = [edge for span in tone_spans(target) for edge in span]
        assert edges == pytest.approx([0, 2000, 3000, 4000], abs=near)

    def test_a_recorder_that_only_repeats_adds_nothing(self, world: World) -> None:
        world.process_all()

        repeated = [slice_at(0.09, prefix="bak0_"), slice_at(15.1, prefix="bak0_")]
        assert world.tell(repeated, key=f"{FOLDER}bak0_{STEM}.m3u8") == IGNORED

    @pytest.mark.parametrize("closed", [True, False])
    def test_a_copy_from_the_backup_names_more(self, world: World, closed: bool) -> None:
        world.process_all()
        world.tell([*FIRST, *THEN], closed=closed, key=f"{FOLDER}{STEM}_1741737847_0.m3u8")
        world.tell([*FIRST, *THEN], closed=closed, key=f"{FOLDER}{STEM}_1741737847_1.m3u8")
        world.process_all()

        assert world.heard == [FIRST, THEN]
        assert ("incomplete" in world.rows[1]) is not closed

    def test_a_copy_that_names_more_than_a_closed_one_is_the_better_one_at_first_already(self, world: World) -> None:
        world.write([*FIRST, *THEN], closed=False, key=f"{FOLDER}{STEM}_1741737847_0.m3u8")

        world.process_all()

        assert world.heard == [[*FIRST, *THEN]]

    def test_a_playlist_that_begins_anew_names_only_what_is_new(self, world: World) -> None:
        world.process_all()
        world.tell(THEN)
        world.process_all()

        assert world.heard == [FIRST, THEN]

    def test_an_end_that_another_recorder_had_is_not_this_one_s(self, world: World) -> None:
        later = [slice_at(60, prefix="bak0_")]
        world.tell(later, key=f"{FOLDER}bak0_{STEM}.m3u8")
        world.process_all()
        world.tell([*FIRST, *THEN], closed=False)
        world.clock.elapsed += 200  # it stands still

        assert world.look(world.names[1]).outcome == "awaiting"
        assert world.rows[1]["reason"] == "waiting for files: its playlist is not closed"
        world.tell([*FIRST, *THEN])
        world.process_all()
        assert world.heard == [[*FIRST, *later], THEN]

    def test_it_is_shorter_again_before_anybody_looks(self, world: World) -> None:
        world.process_all()
        world.tell([*FIRST, *THEN])
        world.write(FIRST)
        for name in THEN:
            del world.folder.objects[FOLDER + name]

        world.process_all()

        assert (world.rows[1]["status"], world.rows[1]["empty"]) == ("done", True)
        assert "nothing more of this uid" in world.rows[1]["reason"]
        assert world.recording["status"] == "done"
        world.tell([*FIRST, *THEN])
        world.process_all()
        assert world.heard == [FIRST, THEN]

    @pytest.mark.parametrize("content", ["<html>", None])
    def test_what_is_no_playlist_any_more_adds_nothing(self, world: World, content: str | None) -> None:
        world.process_all()
        del world.folder.objects[KEY]
        if content:
            world.folder.put(KEY, content)

        assert world.announce() == IGNORED

    def test_without_times_nobody_can_tell_what_is_new(self, table: Any, clock: FakeClock) -> None:
        world = World(table, clock)
        world.tell([f"{STEM}_{n}.ts" for n in range(2)])
        world.process_all()
        assert "ends_at_ms" not in world.rows[0]

        assert world.tell([f"{STEM}_{n}.ts" for n in range(4)]) == IGNORED

    def test_a_long_track_s_sum_of_small_errors_hides_nothing(self, table: Any, clock: FakeClock) -> None:
        """Lengths that are 90 ms too long each: what follows without a gap is new all the same, and nothing else is."""
        world = World(table, clock)
        names = [slice_at(14.91 * n) for n in range(100)]
        world.tell(names[:60])
        world.process_all()
        assert world.announce() == IGNORED
        world.tell(names)
        world.process_all()

        assert world.heard == [names[:60], names[60:]]


def said(*texts: tuple[int, str]) -> Insights:
    lines = [Utterance(text, "1001", at, at + 900) for at, text in texts]
    return Insights(transcript=lines, summary=texts[0][1], ratings={"politeness": len(texts)})


Ending = Literal["done", "failed"]


class TestAnswer:
    def test_one_conversation_in_true_order(self, world: World) -> None:
        world.process_all()
        other = STEM.replace("1001", "1002")
        world.tell([slice_at(20).replace("1001", "1002")], key=f"{FOLDER}{other}.m3u8")
        world.tell([*FIRST, *THEN])
        world.process_all()
        rows: dict[str, Any] = {row["media_id"]: row for row in world.rows}
        first, then = (row["media_id"] for row in world.rows if row["uid"] == "1001")
        [between] = (row["media_id"] for row in world.rows if row["uid"] == "1002")
        collection = Collection(
            world.recording | {"speakers": {"1001": "Ann"}},
            rows,
            {first: said((1000, "a"), (25_000, "c")), then: said((500, "d")), between: said((0, "b"))},
        )

        answer = answer_insights(BY_HAND, collection)

        told = [(line["start_ms"], line["text"]) for line in answer["transcript"]]
        assert told == [(1000, "a"), (20_000, "b"), (25_000, "c"), (100_500, "d")]
        assert {line.get("speaker_name") for line in answer["transcript"]} == {"Ann"}
        assert answer["summary"] == "Ann: a\n\nAnn, part 2: d\n\n1002: b"
        assert answer["ratings"] == {"Ann politeness": 2, "Ann, part 2 politeness": 1, "1002 politeness": 1}
        assert answer["status"] == "done"

    @pytest.mark.parametrize(
        ("first", "then", "status"),
        [
            *[("done", "done", "done"), ("done", "failed", "partial")],
            *[("failed", "done", "partial"), ("failed", "failed", "failed")],
        ],
    )
    def test_the_recording_ends_as_both_do(self, world: World, first: Ending, then: Ending, status: str) -> None:
        world.process(world.names[0], first)
        world.tell([*FIRST, *THEN])
        world.process(world.names[1], then)

        assert world.recording["status"] == status
        assert len(world.recording["media"]) == 2
