"""An upload: what may be asked for, the recording that waits, its link, and how it ends."""

from datetime import timedelta
from typing import Any

import pytest

from recording_insights.errors import Conflict, InvalidRequest
from recording_insights.providers.registry import validate_options
from recording_insights.recordings.await_upload import LATE, end_upload
from recording_insights.recordings.list import list_recordings
from recording_insights.recordings.upload import (
    FILE_READERS,
    LARGEST_FILE,
    LINK_MINUTES,
    Upload,
    UploadRequest,
    open_upload,
)
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock

LINK = "https://bucket.test/one?X-Amz-Signature=secret"
CHECKSUM = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
LIFE = timedelta(minutes=LINK_MINUTES)


def asked(**fields: Any) -> UploadRequest:
    body = {"name": "Talk of 3 May.MP4", "size": 77, **fields}
    providers = ["marsview", "deepgram"]
    return UploadRequest.from_body(
        body, providers=providers, default_provider="marsview", validate_options=validate_options
    )


class Signer:
    """Signs what it notes."""

    def __init__(self) -> None:
        self.signed: list[tuple[Any, ...]] = []

    def __call__(self, bucket: str, key: str, **of_file: Any) -> str:
        self.signed.append((bucket, key, of_file))
        return LINK


@pytest.fixture
def sign() -> Signer:
    return Signer()


@pytest.fixture
def upload(store: RecordingStore, sign: Signer) -> Any:
    def call(request: UploadRequest | None = None, **arguments: Any) -> Upload:
        return open_upload(request or asked(), bucket="bucket", store=store, sign=sign, **arguments)

    return call


def test_a_recording_waits_for_the_file_that_its_link_takes(
    upload: Any, sign: Signer, store: RecordingStore, clock: FakeClock
) -> None:
    words = {"reference": "ticket 7", "metadata": {"team": "north"}, "speakers": {"1": "Ada"}}
    request = asked(provider="deepgram", options={"model": "nova-3"}, failover=["marsview"], **words, checksum=CHECKSUM)
    answer = upload(request, who="ann").public()

    recording_id = answer["recording_id"]
    key = f"uploads/{recording_id}/media.mp4"
    of_file = {"size": 77, "content_type": "video/mp4", "checksum": CHECKSUM, "minutes": LINK_MINUTES}
    assert sign.signed == [("bucket", key, of_file)]
    assert answer["upload"] == {
        "method": "PUT",
        "url": LINK,
        "headers": {"content-type": "video/mp4", "if-none-match": "*", "x-amz-checksum-sha256": CHECKSUM},
        "expires_at": answer["upload_expires_at"],
    }
    row: Any = store.get(recording_id)
    assert row.items() >= {**words, "provider": "deepgram", "options": {"model": "nova-3"}}.items()
    assert (row["status"], row["stage"], row["reason_code"]) == ("starting", "upload", "awaiting_upload")
    assert row["file"] == {
        "key": key,
        "name": "Talk of 3 May.MP4",
        "size": 77,
        "content_type": "video/mp4",
        "checksum": CHECKSUM,
    }
    assert (row["failover"], row["started_by"]) == (["marsview"], "ann")
    [listed] = list_recordings({"reference": "ticket 7"}, store=store)["recordings"]
    assert (listed["recording_id"], listed["stage"]) == (recording_id, "upload")
    everything = str([store.table.get_item(Key={"pk": pk, "sk": sk}) for pk, sk in store.table.items])  # type: ignore[attr-defined]
    assert "Signature" not in everything, "the link is in no row"


def test_every_upload_has_a_folder_of_its_own(upload: Any, sign: Signer) -> None:
    ids = {upload().recording["recording_id"] for _ in range(2)}
    ids |= {upload(idempotency_key="k", caller=caller).recording["recording_id"] for caller in ("ann", "ben")}
    assert {key for _, key, _ in sign.signed} == {f"uploads/{each}/media.mp4" for each in ids}
    assert len(ids) == 4


def test_a_repeated_request_gets_a_new_link_to_the_same_recording(
    upload: Any, store: RecordingStore, clock: FakeClock
) -> None:
    first = upload(idempotency_key="k")
    clock.sleep(60)
    again = upload(idempotency_key="k")
    assert (first.new, again.new) == (True, False)
    assert again.recording["recording_id"] == first.recording["recording_id"]
    assert again.recording["upload_expires_at"] > first.recording["upload_expires_at"]
    with pytest.raises(Conflict):
        upload(asked(size=78), idempotency_key="k")

    clock.sleep((LIFE + LATE).total_seconds() + 1)
    assert end_upload(again.recording, store=store) == "missing"
    reopened = upload(idempotency_key="k").recording
    assert (reopened["status"], reopened["reason_code"]) == ("starting", "awaiting_upload")

    arrived: Any = {"status": "processing", "stage": None, "media_counts": {"waiting": 1}}
    store.update(reopened["recording_id"], arrived)
    assert "upload" not in upload(idempotency_key="k").public(), "its file has come"


def test_a_request_that_another_one_overtakes_is_made_again(
    upload: Any, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = upload(idempotency_key="k")
    find, unseen = RecordingStore.find, iter([True])
    monkeypatch.setattr(RecordingStore, "find", lambda self, name: None if next(unseen, False) else find(self, name))
    assert upload(idempotency_key="k").recording["recording_id"] == first.recording["recording_id"]

    monkeypatch.setattr(RecordingStore, "find", lambda self, name: None)
    with pytest.raises(Conflict):
        upload(idempotency_key="k")


def test_a_file_that_never_comes_ends_its_recording(upload: Any, store: RecordingStore, clock: FakeClock) -> None:
    recording = upload().recording
    clock.sleep((LIFE + LATE).total_seconds() - 1)
    assert end_upload(recording, store=store) is None
    clock.sleep(2)
    changed = store.update(recording["recording_id"], {"reference": "r"})
    assert end_upload(recording, store=store) is None, "it has changed since it was read"
    assert changed
    assert end_upload(changed, store=store) == "missing"
    ended = store.get(recording["recording_id"])
    assert (ended["status"], ended["stage"], ended["reason_code"]) == ("empty", "upload", "upload_missing")
    assert end_upload(ended, store=store) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("name", name) for name in ("", ".mp4", " .mp4", "..mp4", "talk", "talk.exe", "talk.mp4.exe", "talk.m3u8")),
        *(("name", name) for name in ("../talk.mp4", "a/b.mp4", "a\\b.mp4", "a\nb.mp4", "a\x00.mp4", "\u202e3pm.mp4")),
        ("name", "a" * 197 + ".mp4"),
        ("name", 7),
        *(("size", size) for size in (0, -1, LARGEST_FILE + 1, 1.5, "77", True, None)),
        *(("content_type", kind) for kind in ("text/html", "video/mp4; charset=x", "video/", "video/mp4\r\nx: y", 1)),
        *(("checksum", text) for text in ("", "abc", "x" * 44, CHECKSUM.replace("U=", "V="), 1)),
        ("provider", "nobody"),
        ("options.nothing", {"nothing": 1}),
        ("failover", ["nobody"]),
        ("speakers", {"A": 7}),
        ("reference", ""),
        ("metadata", {"a": 1}),
        ("channel", "team"),
    ],
)
def test_bad_fields_are_refused_with_their_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asked(**{field.partition(".")[0]: value})
    assert refusal.value.field.startswith(field)


@pytest.mark.parametrize("name", ["name", "size"])
def test_a_request_names_its_file_and_its_size(name: str) -> None:
    body = {"name": "talk.mp4", "size": 1}
    del body[name]
    with pytest.raises(InvalidRequest, match="is required") as refusal:
        UploadRequest.from_body(body, providers=["marsview"], default_provider="marsview", validate_options=print)
    assert refusal.value.field == name


@pytest.mark.parametrize("name", ["talk.mp4", "Über uns (2).M4a", "a.b.mkv", "sid_team_0.mp4", "x" * 196 + ".mp4"])
def test_what_is_accepted_has_the_form_of_the_schema(name: str) -> None:
    import re

    assert asked(name=name).name == name
    assert re.search(FILE_READERS["name"].schema["pattern"], name)
