"""Rows as the version of commit 7d03ed7 wrote them: a recording of 12 parts, of which nobody had tried one again.

Its row has a summary of each media object, by media id, and no counts of them.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from recording_insights.recordings.list import list_recordings
from recording_insights.store.media import MediaStore
from recording_insights.store.recordings import RecordingStore

WRITTEN = json.loads((Path(__file__).parents[2] / "vectors" / "rows_of_7d03ed7.json").read_text())
SID = "b1946ac92492d2347c6235b4d2611184"


@pytest.fixture
def table(either_table: Any) -> Any:
    read = TypeDeserializer().deserialize
    for item in WRITTEN:
        either_table.put_item(Item={name: read(value) for name, value in item.items()})
    return either_table


def test_a_list_shows_them(recording_store: RecordingStore) -> None:
    (listed,) = list_recordings({}, store=recording_store)["recordings"]

    assert listed["media_counts"] == {"done": 7, "failed": 1, "submitted": 1, "waiting": 3}
    assert [media["key"] for media in listed["media"]] == [f"{SID}_team_{n}.mp4" for n in (8, 10, 11, 7, 9, *range(5))]
    assert listed["media"][0] == {
        "media_id": next(key for key in _ids_of(8)),
        "key": f"{SID}_team_8.mp4",
        "status": "failed",
        "reason": "Poll job: KeyError: 'nobody'",
        "retryable": True,
    }


def test_the_next_change_of_a_media_object_migrates_them(media_store: MediaStore) -> None:
    before = media_store.recordings.get(SID)
    assert (len(before["media"]), "media_counts" in before) == (12, False)

    for number in (7, 9, 10, 11):
        (media_id,) = _ids_of(number)
        media_store.finish(SID, media_id, "done", reason=None)

    after = media_store.recordings.get(SID)
    assert after["status"] == "partial"
    assert after["media_counts"] == {"done": 11, "failed": 1}
    assert len(after["media"]) == 10
    listed = list_recordings({}, store=media_store.recordings)["recordings"][0]
    assert [media["status"] for media in listed["media"]] == ["failed", *["done"] * 9]
    assert listed["reason"] == f"{SID}_team_8.mp4: Poll job: KeyError: 'nobody'"


def test_settling_without_a_change_of_a_media_object_migrates_them_too(recording_store: RecordingStore) -> None:
    recording_store.settle(SID)

    after = recording_store.get(SID)
    assert (after["status"], len(after["media"])) == ("processing", 10)
    assert after["media_counts"] == {"done": 7, "failed": 1, "submitted": 1, "waiting": 3}


def _ids_of(part: int) -> list[str]:
    return [item["media_id"]["S"] for item in WRITTEN if item.get("part") == {"N": str(part)}]
