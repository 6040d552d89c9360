"""What a media object's row holds, and what a recording's row holds of its media objects."""

from typing import Any

import pytest

from recording_insights.model.parts import newest_per_key
from recording_insights.model.status import settled
from tests.unit.conftest import MakeMedia

SID = "b1946ac92492d2347c6235b4d2611184"
TRACK = f"{SID}_team__uid_s_1001__uid_e_audio.m3u8"


def test_a_file_has_the_attributes_of_its_object(make_media: MakeMedia) -> None:
    media = make_media(f"{SID}_team_3.MP4".lower())

    assert media.attributes == {
        "media_id": media.media_id,
        "bucket": "recordings-bucket",
        "key": f"{SID}_team_3.mp4",
        "etag": "etag-1",
        "size": 1000,
        "format": "mp4",
        "sequencer": "",
        "part": 3,
    }
    assert not media.needs_preparation


def test_a_continuation_names_its_track_and_where_it_begins(make_media: MakeMedia) -> None:
    track = make_media(TRACK, etag="")
    second = track.next_continuation(30_000).next_continuation(90_000)
    begins = {"continues": track.media_id, "continuation": 2, "continues_at_ms": 90_000}

    assert second.attributes == {**track.attributes, "media_id": second.media_id, **begins}
    assert track.attributes["uid"] == "1001"
    assert not {"part", "continues", "continuation", "continues_at_ms", "recovered"} & track.attributes.keys()
    assert track.needs_preparation
    assert second.needs_preparation


@pytest.mark.parametrize(("begins_at_ms", "then"), [(0, {}), (60_000, {"continues_at_ms": 60_000})])
def test_what_is_recovered_stands_for_a_part(make_media: MakeMedia, begins_at_ms: int, then: dict[str, Any]) -> None:
    plain = make_media(f"bak0_{SID}_team.m3u8", etag="", size=0)
    media = type(plain)(**{**vars(plain), "recovers": 2, "continues_at_ms": begins_at_ms})

    added = {name: value for name, value in media.attributes.items() if plain.attributes.get(name) != value}
    assert added == {"part": 100_002, "recovered": True, **then}
    assert media.needs_preparation
    assert not plain.needs_preparation


def row(key: str, status: str, *, second: int = 0, **values: Any) -> dict[str, Any]:
    return {"media_id": f"{key} {second}", "key": key, "status": status, "arrived_at": f"2026-03-12 {second}", **values}


def test_a_recording_holds_a_summary_of_each_media_object() -> None:
    media: Any = [row("a", "done", part=1), row("b", "failed", reason="no sound")]
    recording: Any = {"status": "processing"}

    assert settled(recording, media) == {
        "status": "partial",
        "reason": "b: no sound",
        "media": {
            "a 0": {"key": "a", "status": "done"},
            "b 0": {"key": "b", "status": "failed", "reason": "no sound"},
        },
        "media_counts": {"done": 1, "failed": 1},
    }


def test_of_many_media_objects_it_holds_the_ten_that_need_attention_first() -> None:
    media: Any = [row(f"{number:02}", "done") for number in range(20)]
    media += [row("97", "waiting", reason="b" * 201), row("98", "failed", reason="broken"), row("99", "submitted")]

    found = settled({"status": "processing"}, media[::-1])

    assert list(found["media"] or {}) == ["98 0", "97 0", "99 0", *(f"{number:02} 0" for number in range(7))]
    assert (found["media"] or {})["97 0"]["reason"] == "b" * 200
    assert found["media_counts"] == {"done": 20, "waiting": 1, "failed": 1, "submitted": 1}
    assert "97: " + "b" * 201 in (found["reason"] or "")


def test_it_counts_the_insights_of_what_is_in_the_transcript() -> None:
    media: Any = [
        row("a", "done", counts={"transcript": 2, "topics": 3}),
        row("b", "done", counts={"transcript": 1, "summary": 1}),
        row("b", "failed", second=1, counts={"topics": 9}),
        row("c", "submitted", counts={"topics": 9}),
        row("d", "done"),
    ]
    counted = {"summary": 1, "topics": 3, "transcript": 3}
    assert settled({"status": "processing"}, media)["insight_counts"] == counted
    before: Any = {"status": "done", "insight_counts": counted}
    without: Any = [row("d", "done")]
    assert settled(before, without)["insight_counts"] is None


BUSY: Any = {"reason_code": "busy", "stage": "submission", "reason": "x"}
BROKEN: Any = {"reason_code": "broken", "stage": "result", "reason": "y"}


@pytest.mark.parametrize(
    ("media", "code", "stage"),
    [
        ([row("a", "waiting", **BUSY), row("b", "failed", **BROKEN)], "broken", "result"),
        ([row("a", "failed"), row("b", "waiting", **BUSY)], "busy", "submission"),
        ([row("a", "failed", **BROKEN), row("b", "failed", **BUSY)], "broken", "result"),
        ([row("a", "done", **BROKEN), row("b", "waiting")], None, None),
        ([row("a", "failed", **BROKEN), row("a", "done", second=1)], None, None),
    ],
)
def test_a_recording_has_the_code_of_what_failed_first_or_else_waits(
    media: Any, code: str | None, stage: str | None
) -> None:
    found = settled({"status": "processing", "reason_code": "of before", "stage": "recorder"}, media)

    assert (found["reason_code"], found["stage"]) == (code, stage)


def test_only_what_differs_is_a_change() -> None:
    media: Any = [row("a", "done")]
    as_it_is: Any = {"status": "done", "sid": "one", "reason": None}
    as_it_is |= {"media": {"a 0": {"key": "a", "status": "done"}}, "media_counts": {"done": 1}}

    assert settled(as_it_is, media, sid="other") == {}
    assert settled(as_it_is | {"reason": "busy"}, media) == {"reason": None}
    without: Any = {name: value for name, value in as_it_is.items() if name != "sid"}
    assert settled(without, media) == {}
    assert settled(without, media, sid="one") == {"sid": "one"}


def test_a_track_comes_before_its_continuations_whenever_they_were_written() -> None:
    first, second, track = (
        row("a", "done", continuation=1),
        row("a", "done", second=1, continuation=2),
        row("a", "done"),
    )
    track["arrived_at"] = "2026-03-12 9"
    part: Any = row("z", "done", part=1)

    found: Any = [part, second, first, track]
    assert newest_per_key(found) == [track, first, second, part]
