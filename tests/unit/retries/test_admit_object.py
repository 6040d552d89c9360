"""POST /media: an object that was ignored or never seen is taken as its event would have taken it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.errors import Conflict, InvalidRequest, NotFound
from recording_insights.model.media_object import MediaObject, why_ignored
from recording_insights.retries.admit_object import admit_object
from recording_insights.retries.request import LONGEST_KEY, AdmissionRequest
from recording_insights.store.keys import recording_key
from recording_insights.store.media import MediaStore

BUCKET = "recordings-bucket"


class Objects:
    """The objects of the bucket, and what their events would have done."""

    def __init__(self, store: MediaStore) -> None:
        self.store = store
        self.files: dict[str, StoredFile] = {}

    def put(self, key: str, size: int = 1000) -> str:
        self.files[key] = StoredFile(key, datetime(2026, 3, 12, tzinfo=UTC), "etag-1", size)
        return key

    def post(self, key: str) -> Mapping[str, Any]:
        key = AdmissionRequest.from_body({"key": key}, providers=["symbl"]).key
        return admit_object(key, bucket=BUCKET, store=self.store, find=self.files.get, admit=self._admit)

    def _admit(self, media: MediaObject) -> Mapping[str, Any]:
        if reason := why_ignored(media, recording=self.store.recordings.find_by_folder(media)):
            return {"ignored": reason}
        recording_id = self.store.recordings.recording_of(media)
        self.store.admit(recording_id, media, providers=["marsview"])
        return {"recording_id": recording_id, "media_id": media.media_id, "execution": "e"}


@pytest.fixture
def objects(media_store: MediaStore) -> Objects:
    return Objects(media_store)


def test_an_object_that_was_never_seen_is_admitted(objects: Objects) -> None:
    admitted = objects.post(objects.put("by hand/two words+.wav"))
    assert objects.store.get(admitted["recording_id"], admitted["media_id"])["key"] == "by hand/two words+.wav"


def test_there_must_be_such_an_object(objects: Objects) -> None:
    with pytest.raises(NotFound, match="the recordings bucket has no object gone"):
        objects.post("gone")


@pytest.mark.parametrize(
    ("key", "size", "words"),
    [
        ("notes.txt", 10, "notes.txt is not processed: not a media file"),
        ("empty.mp4", 0, "the object has zero bytes"),
        ("folder/", 0, "a key that ends in / is a folder marker"),
        ("prepared/a.ogg", 10, "the object was prepared from another media object"),
    ],
)
def test_what_is_ignored_is_refused_with_the_reason(objects: Objects, key: str, size: int, words: str) -> None:
    with pytest.raises(Conflict, match=words):
        objects.post(objects.put(key, size))


def test_an_object_in_a_foreign_folder_of_a_recording_is_refused_with_the_reason(objects: Objects) -> None:
    recording_id = "b" * 32
    row = {"recording_id": recording_id, "status": "done", "prefix": f"recordings/{recording_id}/"}
    objects.store.table.put_item(Item={**recording_key(recording_id), **row})
    with pytest.raises(
        Conflict, match=f"x.mp4 is not processed: files of recording {recording_id} belong to the folder"
    ):
        objects.post(objects.put(f"uploads/{recording_id}/x.mp4"))


def test_what_is_known_is_left_to_its_retry(objects: Objects) -> None:
    known = objects.post(objects.put("talk.mp4"))
    with pytest.raises(Conflict, match="is waiting") as raised:
        objects.post("talk.mp4")
    assert f"POST /recordings/{known['recording_id']}/retry processes it again" in str(raised.value)
    assert known["media_id"] in str(raised.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "key: is required"),
        ({"key": 7}, "must be the key of an object"),
        ({"key": ""}, "must be the key of an object"),
        ({"key": "ü" * (LONGEST_KEY // 2) + "."}, f"of at most {LONGEST_KEY} bytes"),
        ({"key": "a.mp4", "bucket": "another"}, "bucket: unknown; the fields are key, provider"),
        ({"key": "a.mp4", "provider": "deepgram"}, "provider: must be one of symbl"),
    ],
)
def test_a_key_is_a_text_that_s3_may_have(body: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        AdmissionRequest.from_body(body, providers=["symbl"])
