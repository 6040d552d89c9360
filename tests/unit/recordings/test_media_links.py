"""Links to play a recording: which files, and where each begins."""

from datetime import UTC, datetime
from typing import Any

import pytest

from recording_insights.errors import NotFound
from recording_insights.model.insights import Insights, Utterance
from recording_insights.model.media_object import SUFFIXES
from recording_insights.recordings.insights_timeline import place_insights
from recording_insights.recordings.media_links import LINK_MINUTES, list_links
from recording_insights.store.insights import Collection
from recording_insights.store.keys import media_key
from recording_insights.store.recordings import RecordingStore
from tests.unit.recordings.stored import put

R = "a" * 32
NOW = datetime(2026, 11, 27, 9, 30, 0, 999_999, UTC)
PREPARED = {"key": "prepared/r/uid-7.mp4", "etag": "e", "size": 1}


def media(media_id: str, **values: Any) -> dict[str, Any]:
    key = f"recordings/{R}/{media_id}.mp4"
    found = {"media_id": media_id, "bucket": "b", "key": key, "format": "mp4", "status": "done", "arrived_at": "2026"}
    return {**found, **values}


def links(store: RecordingStore, *rows: dict[str, Any], **recording: Any) -> list[dict[str, Any]]:
    put(store.table, R, "done", "2026", **recording)
    for row in rows:
        store.table.put_item(Item={**row, **media_key(R, row["media_id"])})

    def link(bucket: str, key: str, content_type: str, minutes: int) -> str:
        return f"https://{bucket}/{key}?as={content_type}&for={minutes}"

    answer = list_links(R, store=store, link=link, clock=lambda: NOW)
    assert answer["recording_id"] == R
    found: list[dict[str, Any]] = answer["media"]
    return found


def test_each_part_has_a_link_and_begins_where_the_one_before_ends(store: RecordingStore) -> None:
    first, second = links(
        store, media("m1", part=1, duration_ms=500, status="failed"), media("m0", part=0, duration_ms=1000)
    )

    assert first == {
        "media_id": "m0",
        "url": f"https://b/recordings/{R}/m0.mp4?as=video/mp4&for={LINK_MINUTES}",
        "expires_at": "2026-11-27T09:45:00.000000Z",
        "content_type": "video/mp4",
        "offset_ms": 0,
        "duration_ms": 1000,
    }
    assert (second["media_id"], second["offset_ms"], second["duration_ms"]) == ("m1", 1000, 500)


def test_a_track_is_played_from_its_prepared_file_and_names_its_speaker(store: RecordingStore) -> None:
    track = {"format": "m3u8", "duration_ms": 9000, "prepared": PREPARED}
    found = links(
        store,
        media("ma", uid="7", starts_at_ms=62_000, **track),
        media("mb", uid="8", starts_at_ms=60_000, **track),
        media("mc", uid="9", format="m3u8", status="preparing"),
        speakers={"7": "Ada"},
    )

    assert [(each["uid"], each.get("speaker_name"), each["offset_ms"]) for each in found] == [
        ("7", "Ada", 2000),
        ("8", None, 0),
    ]
    assert {each["url"] for each in found} == {f"https://b/{PREPARED['key']}?as=audio/mp4&for={LINK_MINUTES}"}


def test_a_converted_file_is_played_as_it_was_uploaded(store: RecordingStore) -> None:
    [found] = links(store, media("m", key="call.mkv", format="mkv", prepared=PREPARED))

    assert (found["url"], "duration_ms" in found) == (f"https://b/call.mkv?as=video/matroska&for={LINK_MINUTES}", False)


def test_behind_a_part_of_unknown_length_the_offset_is_unknown_until_a_part_has_its_own(store: RecordingStore) -> None:
    found = links(
        store,
        media("m0", part=0),
        media("m1", part=1, duration_ms=10),
        media("m2", part=100_000, offset_ms=9000, duration_ms=10),
        media("m3", part=100_001, duration_ms=10),
    )

    assert [each.get("offset_ms") for each in found] == [0, None, 9000, 9010]


def test_offsets_are_those_of_the_transcript(store: RecordingStore) -> None:
    cut_off = {"recovered": True, "format": "m3u8", "prepared": PREPARED}
    rows: list[Any] = [
        media("m0", part=0, duration_ms=1000),
        media("m1", part=1, duration_ms=5000, offset_ms=900, **cut_off),
        media("m2", part=100_000, offset_ms=4000, duration_ms=700),
        media("m3", part=100_001, duration_ms=700),
    ]
    found = {row["media_id"]: Insights(transcript=[Utterance("at once", None, 0)]) for row in rows}
    collection = Collection({"recording_id": R}, {row["media_id"]: row for row in rows}, found)
    begins = {each.media["media_id"]: each.insights.transcript[0].start_ms for each in place_insights(collection)}

    assert {each["media_id"]: each["offset_ms"] for each in links(store, *rows)} == begins
    assert begins == {"m0": 0, "m1": 1000, "m2": 4000, "m3": 4700}


def test_every_format_that_is_processed_has_a_content_type_of_media(store: RecordingStore) -> None:
    formats = [suffix.removeprefix(".") for suffix in SUFFIXES]
    found = links(store, *(media(f"m{each}", key=f"x.{each}", format=each) for each in formats))

    assert len(found) == len(formats)
    assert {each["content_type"].partition("/")[0] for each in found} == {"audio", "video"}


def test_an_unknown_recording_has_no_links_and_one_without_media_an_empty_list(store: RecordingStore) -> None:
    with pytest.raises(NotFound):
        list_links(R, store=store, link=lambda *_: "", clock=lambda: NOW)
    assert links(store) == []
