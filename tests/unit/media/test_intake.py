import io
import json
import wave
from collections.abc import Callable
from typing import Any, Literal

import pytest

from recording_insights.errors import MediaObjectGone
from recording_insights.media.intake import admit_media
from recording_insights.media.probe.ranged_object import RangeReader
from recording_insights.model.media_object import MediaObject
from recording_insights.store.keys import recording_key
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.executions import name_of
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, not_waited
from tests.unit.processing.track_scene import FakeFolder

SID = "b1946ac92492d2347c6235b4d2611184"
BY_HAND = "4f66448e912f59fcaa6dd15cbd237e95"
"""The recording of files with this sid in their names that were put by hand."""
FOLDER = "5eb63bbbe01eeed093cb22bb8f5acdc3"
API_RECORDING = {
    **recording_key(FOLDER),
    "recording_id": FOLDER,
    "status": "recording",
    "version": 1,
    "provider": "marsview",
    "prefix": f"recordings/{FOLDER}/",
}


class FakeBucket:
    """Objects by key, and the executions that were started by name; those in `over` have ended."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.executions: dict[str, Any] = {}
        self.starts: list[str] = []
        self.over: set[str] = set()
        self.fault: Exception | None = None

    def checksum(self, media: MediaObject) -> str | None:
        """S3 has none: each version is another content."""
        return None

    def reader(self, media: MediaObject) -> RangeReader:
        def read(first: int, last: int) -> bytes:
            if media.key not in self.objects:
                raise MediaObjectGone("the object is gone")
            return self.objects[media.key][first : last + 1]

        return read

    def start(self, *, name: str, state: str) -> bool:
        if self.fault:
            raise self.fault
        self.starts.append(name)
        self.executions.setdefault(name, json.loads(state))
        return name not in self.over


@pytest.fixture
def bucket() -> FakeBucket:
    return FakeBucket()


@pytest.fixture
def admit(store: MediaStore, bucket: FakeBucket) -> Callable[[MediaObject], Any]:
    def call(media: MediaObject) -> Any:
        return admit_media(
            media,
            store=store,
            default_provider="marsview",
            prefix_providers={"interviews/": ["deepgram", "transcribe"], "interviews/legal/": ["transcribe"]},
            reader=bucket.reader,
            checksum=bucket.checksum,
            folder=FakeFolder(FakeClock()),
            start_execution=lambda **given: bucket.start(**given),
            end_wait=not_waited,
        )

    return call


@pytest.fixture
def put(bucket: FakeBucket, make_media: MakeMedia) -> Callable[..., MediaObject]:
    """Puts an object and gives its announcement."""

    def call(key: str = "talk.wav", content: bytes | None = None, **arguments: Any) -> MediaObject:
        bucket.objects[key] = wav() if content is None else content
        return make_media(key, size=len(bucket.objects[key]), **arguments)

    return call


def wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    return buffer.getvalue()


def test_an_object_becomes_a_row_and_an_execution(admit: Any, put: Any, bucket: FakeBucket, store: MediaStore) -> None:
    media = put("a folder/two words+.wav")

    outcome = admit(media)

    recording_id = media.own_recording_id
    assert outcome == {
        "recording_id": recording_id,
        "media_id": media.media_id,
        "execution": name_of(media, recording_id),
    }
    assert bucket.executions == {
        outcome["execution"]: {
            "recording_id": recording_id,
            "media_id": media.media_id,
            "key": "a folder/two words+.wav",
        }
    }
    assert store.get(recording_id, media.media_id)["duration_ms"] == 1000
    assert store.recordings.get(recording_id)["provider"] == "marsview"


def test_five_deliveries_are_one_execution_and_one_row(
    admit: Any, put: Any, bucket: FakeBucket, table: FakeTable
) -> None:
    media = put()

    outcomes = [admit(media) for _ in range(5)]

    assert len(bucket.executions) == 1
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert len(table.scan()["Items"]) == 2


def test_a_crash_between_row_and_execution_is_made_good_by_the_next_delivery(
    admit: Any, put: Any, bucket: FakeBucket
) -> None:
    media = put()
    bucket.fault = TimeoutError("no answer from Step Functions")
    with pytest.raises(TimeoutError):
        admit(media)
    assert not bucket.executions

    bucket.fault = None

    assert admit(media)["execution"] in bucket.executions


@pytest.mark.parametrize("status", ["done", "failed"])
def test_what_was_processed_before_is_not_processed_again(
    admit: Any, put: Any, bucket: FakeBucket, store: MediaStore, status: Literal["done", "failed"]
) -> None:
    media = put()
    first = admit(media)
    store.finish(first["recording_id"], first["media_id"], status)
    bucket.starts.clear()

    assert admit(media) == {"ignored": "the media object was processed before"}
    assert not bucket.starts


def test_an_execution_that_ended_without_a_result_has_a_successor(admit: Any, put: Any, bucket: FakeBucket) -> None:
    media = put("support calls of the whole week.wav")
    names = [admit(media)["execution"]]
    for _ in range(2):
        bucket.over.add(names[-1])
        names.append(admit(media)["execution"])

    assert len(set(names)) == 3
    assert {json.dumps(bucket.executions[name]) for name in names} == {json.dumps(bucket.executions[names[0]])}
    assert all(name.startswith(media.own_recording_id[:32]) and len(name) <= 80 for name in names)
    assert admit(media)["execution"] == names[-1], "the last one runs"


def test_an_execution_that_ends_with_its_result_in_this_moment_has_no_successor(
    admit: Any, put: Any, bucket: FakeBucket, store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = put()
    first = admit(media)

    def end(*, name: str, state: str) -> bool:
        store.finish(first["recording_id"], first["media_id"], "done")
        return False

    monkeypatch.setattr(bucket, "start", end)
    assert admit(media) == {"ignored": "the media object was processed before"}
    assert len(bucket.executions) == 1


def test_other_bytes_under_the_key_are_another_execution_of_the_same_recording(
    admit: Any, put: Any, bucket: FakeBucket
) -> None:
    first, second = admit(put(etag="one")), admit(put(etag="two"))

    assert first["recording_id"] == second["recording_id"]
    assert len(bucket.executions) == 2


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("list.m3u8", b"#EXTM3U", "not a media file"),
        ("empty.mp4", b"", "zero bytes"),
        ("folder/", b"", "folder"),
        ("notes.mp4", b"these are only notes, whatever they are called", "the object is text"),
        ("page.mp3", b"<html>404</html>", "the object is an HTML page"),
    ],
)
def test_what_is_no_media_leaves_a_reason_and_nothing_else(
    admit: Any, put: Any, bucket: FakeBucket, table: FakeTable, key: str, content: bytes, reason: str
) -> None:
    assert reason in admit(put(key, content))["ignored"]
    assert not bucket.starts
    assert not table.scan()["Items"]


@pytest.mark.parametrize("content", [b"\x1aE\xdf\xa3" + bytes(100), bytes(500)], ids=["WebM", "zeros"])
def test_what_is_not_recognised_is_admitted_without_a_length(
    admit: Any, put: Any, store: MediaStore, content: bytes
) -> None:
    outcome = admit(put("talk.mp4", content))

    row = store.get(outcome["recording_id"], outcome["media_id"])
    assert (row["status"], "duration_ms" in row) == ("waiting", False)


def test_an_object_that_is_gone_is_ignored(admit: Any, put: Any, bucket: FakeBucket, table: FakeTable) -> None:
    media = put()
    bucket.objects.clear()

    assert admit(media) == {"ignored": "the object is gone"}
    assert not table.scan()["Items"]


def test_a_fault_of_s3_is_no_reason_to_ignore(
    admit: Any, put: Any, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reader(media: MediaObject) -> RangeReader:
        def read(first: int, last: int) -> bytes:
            raise TimeoutError("no answer from S3")

        return read

    monkeypatch.setattr(bucket, "reader", reader)
    media = put()

    with pytest.raises(TimeoutError, match="S3"):
        admit_media(
            media,
            store=MediaStore(None),  # type: ignore[arg-type]
            default_provider="marsview",
            prefix_providers={"interviews/": ["deepgram", "transcribe"], "interviews/legal/": ["transcribe"]},
            reader=bucket.reader,
            checksum=bucket.checksum,
            folder=FakeFolder(FakeClock()),
            start_execution=bucket.start,
            end_wait=not_waited,
        )


def test_an_api_started_recording_decides_on_the_provider(
    admit: Any, put: Any, store: MediaStore, table: FakeTable, bucket: FakeBucket
) -> None:
    table.put_item(Item={**API_RECORDING, "provider": "other"})

    outcome = admit(put(f"recordings/{FOLDER}/{SID}_team_0.mp4", wav()))

    assert outcome["recording_id"] == FOLDER
    assert outcome["execution"].startswith(FOLDER)
    assert store.recordings.get(FOLDER)["provider"] == "other"


def test_a_recording_without_a_provider_leaves_the_choice_to_the_stack(
    admit: Any, put: Any, store: MediaStore, table: FakeTable
) -> None:
    table.put_item(Item={name: value for name, value in API_RECORDING.items() if name != "provider"})

    outcome = admit(put(f"recordings/{FOLDER}/{SID}_team_0.mp4", wav()))

    assert store.get(FOLDER, outcome["media_id"])["provider"] == "marsview"


def test_the_parts_of_a_recording_put_by_hand_come_together(admit: Any, put: Any, store: MediaStore) -> None:
    for part in (f"{SID}_team_0.mp4", f"bak0_{SID}_team_0.mp4", f"{SID}_team_1.mp4"):
        assert admit(put(part, wav()))["recording_id"] == BY_HAND

    assert len(store.recordings.get(BY_HAND)["media"]) == 3


UPLOAD = {
    **{name: value for name, value in API_RECORDING.items() if name != "prefix"},
    "status": "starting",
    "stage": "upload",
    "reason_code": "awaiting_upload",
    "prefix": f"uploads/{FOLDER}/",
    "upload_expires_at": "2026-03-12T00:00:00.000000+00:00",
    "file": {"key": f"uploads/{FOLDER}/media.wav", "name": "a.wav", "size": 7, "content_type": "audio/wav"},
}


@pytest.mark.parametrize("status", ["starting", "empty"])
def test_the_file_of_an_upload_is_the_media_of_its_recording(
    admit: Any, put: Any, store: MediaStore, table: FakeTable, status: str
) -> None:
    """Also if it comes after the recording has ended without it."""
    table.put_item(Item={**UPLOAD, "status": status, "provider": "other", "failover": ["marsview"]})

    outcome = admit(put(f"uploads/{FOLDER}/media.wav"))

    recording = store.recordings.get(FOLDER)
    assert (outcome["recording_id"], recording["status"]) == (FOLDER, "processing")
    assert recording.keys().isdisjoint({"stage", "reason_code"})
    assert (recording["provider"], store.get(FOLDER, outcome["media_id"])["provider"]) == ("other", "other")


def test_an_upload_without_media_fails_with_the_reason(
    admit: Any, put: Any, store: MediaStore, table: FakeTable, bucket: FakeBucket
) -> None:
    table.put_item(Item=UPLOAD)
    reason = "the object is an HTML page, not media"

    assert admit(put(f"uploads/{FOLDER}/media.wav", b"<html>not found</html>")) == {"ignored": reason}

    recording = store.recordings.get(FOLDER)
    assert (recording["status"], recording["stage"], recording["reason_code"], recording["reason"]) == (
        *("failed", "upload", "not_media"),
        reason,
    )
    table.put_item(Item={**UPLOAD, "media": {}})
    admit(put(f"uploads/{FOLDER}/media.wav", b"<html>not found</html>"))
    assert store.recordings.get(FOLDER)["status"] == "starting", "its media decide"


@pytest.mark.parametrize(
    "key", [f"uploads/{FOLDER}/other.wav", f"uploads/{FOLDER}/a/media.wav", f"recordings/{FOLDER}/{SID}_team_0.mp4"]
)
def test_no_other_file_reaches_the_recording_of_an_upload(
    admit: Any, put: Any, store: MediaStore, table: FakeTable, key: str
) -> None:
    table.put_item(Item=UPLOAD)

    assert f"the one file of recording {FOLDER} is uploads/{FOLDER}/media.wav" in admit(put(key))["ignored"]
    assert store.recordings.get(FOLDER)["status"] == "starting"


def test_uploads_of_the_same_content_are_recordings_of_their_own(
    admit: Any, put: Any, table: FakeTable, bucket: FakeBucket
) -> None:
    other = FOLDER[::-1]
    table.put_item(Item=UPLOAD)
    there = {"key": f"uploads/{other}/media.wav"}
    table.put_item(
        Item={**UPLOAD, **recording_key(other), "recording_id": other, "prefix": f"uploads/{other}/", "file": there}
    )

    assert [admit(put(f"uploads/{each}/media.wav"))["recording_id"] for each in (FOLDER, other)] == [FOLDER, other]


@pytest.mark.parametrize("channel", ["room_one", "ride_17822", "_0", "a__uid_s_1"])
def test_the_parts_of_a_channel_with_underscores_come_together(
    admit: Any, put: Any, store: MediaStore, channel: str
) -> None:
    names = [f"{SID}_{channel}_{number}.mp4" for number in range(11)] + [f"bak0_{SID}_{channel}_0.mp4"]
    admitted = [admit(put(name, wav())) for name in names]

    assert {each["recording_id"] for each in admitted} == {BY_HAND}
    parts = [store.get(BY_HAND, each["media_id"])["part"] for each in admitted]
    assert parts == [*range(11), 100_000]


@pytest.mark.parametrize(
    ("channel", "name", "part"),
    [
        ("room_one", "room_one_7.mp4", 7),
        ("room_one", "room-one_7.mp4", 7),
        ("ride_17822", "ride_17822.mp4", None),
        ("a__uid_s_1__uid_e_audio", "a__uid_s_1__uid_e_audio_3.mp4", 3),
    ],
)
def test_the_channel_of_the_row_decides_which_part_it_is(
    admit: Any, put: Any, store: MediaStore, table: FakeTable, channel: str, name: str, part: int | None
) -> None:
    table.put_item(Item={**API_RECORDING, "channel": channel})

    admitted = admit(put(f"recordings/{FOLDER}/{SID}_{name}", wav()))

    assert admitted["recording_id"] == FOLDER
    assert store.get(FOLDER, admitted["media_id"]).get("part") == part


@pytest.mark.parametrize("channel", ["room_one", "ride_17822", "a__uid_s_1"])
@pytest.mark.parametrize("known", [False, True])
def test_a_track_of_a_channel_with_underscores_is_one_execution(
    admit: Any, captured_event: Any, bucket: FakeBucket, table: FakeTable, channel: str, known: bool
) -> None:
    table.put_item(Item={**API_RECORDING, "mode": "individual", **({"channel": channel} if known else {})})
    stem = f"{SID}_{channel}__uid_s_1__uid_e_audio"
    for name in (f"{stem}.m3u8", f"{stem}_22194679897_3.m3u8", f"bak0_{stem}.m3u8"):
        admit(announced(captured_event, f"recordings/{FOLDER}/{name}", name))

    [state] = bucket.executions.values()
    assert state["key"] == f"recordings/{FOLDER}/{stem}.m3u8"


def test_a_mix_whose_channel_is_called_as_a_track_has_no_track(
    admit: Any, captured_event: Any, bucket: FakeBucket, table: FakeTable
) -> None:
    table.put_item(Item={**API_RECORDING, "channel": "a__uid_s_1__uid_e_audio"})
    media = announced(captured_event, f"recordings/{FOLDER}/{SID}_a__uid_s_1__uid_e_audio.m3u8", "etag")

    assert "not a media file" in admit(media)["ignored"]
    assert not bucket.starts


@pytest.mark.parametrize(
    ("key", "provider", "failover"),
    [
        ("talk.wav", "marsview", None),
        ("interviews/talk.wav", "deepgram", ["transcribe"]),
        ("interviews/legal/talk.wav", "transcribe", None),
        ("old/interviews/talk.wav", "marsview", None),
    ],
)
def test_the_longest_prefix_of_the_key_names_the_provider(
    admit: Any, put: Any, store: MediaStore, key: str, provider: str, failover: list[str] | None
) -> None:
    outcome = admit(put(key, wav()))

    recording = store.recordings.get(outcome["recording_id"])
    assert (recording["provider"], recording.get("failover")) == (provider, failover)
    assert store.get(outcome["recording_id"], outcome["media_id"])["provider"] == provider


STEM = f"{SID}_team__uid_s_1001__uid_e_audio"


def announced(captured_event: Callable[[str], Any], key: str, etag: str) -> MediaObject:
    event = captured_event("object_created")
    event["detail"]["object"].update(key=key, etag=etag)
    return MediaObject.from_event(event)


def test_a_playlist_that_is_written_400_times_is_one_execution(
    admit: Any, captured_event: Callable[[str], Any], bucket: FakeBucket, store: MediaStore, table: FakeTable
) -> None:
    names = [f"{STEM}.m3u8"] * 400 + [f"bak0_{STEM}.m3u8", f"{STEM}_1741737847_1.m3u8"]
    outcomes = []
    for number, name in enumerate(names):
        media = announced(captured_event, f"folder/{name}", f"etag {number}")
        outcomes.append(admit(media))
        if number == 2:
            store.note(BY_HAND, media.media_id, status="preparing")

    [(name, state)] = bucket.executions.items()
    assert name == f"{BY_HAND}-uid-1001-{media.media_id}-0"
    assert state == {
        "recording_id": BY_HAND,
        "media_id": media.media_id,
        "key": f"folder/{STEM}.m3u8",
        "outcome": "prepare",
    }
    assert len(bucket.starts) == 3, "asked for again until the state has begun: a start may have been lost"
    assert outcomes[-1] == {"ignored": "the track is being processed, or was processed before"}
    item = store.get(BY_HAND, media.media_id)
    assert (item["uid"], item["format"], item["etag"]) == ("1001", "m3u8", "")
    assert len(table.scan()["Items"]) == 2


@pytest.mark.parametrize("suffix", ["webm", "mp4", "m4a"])
@pytest.mark.parametrize("folder", [f"recordings/{FOLDER}/", "by hand/"])
def test_300_segments_of_an_individual_recording_are_one_job_per_audio_track(
    admit: Any,
    put: Any,
    captured_event: Callable[[str], Any],
    bucket: FakeBucket,
    table: FakeTable,
    folder: str,
    suffix: str,
) -> None:
    table.put_item(Item={**API_RECORDING, "mode": "individual", "channel": "room_one", "sid": SID})
    stems = [f"{SID}_room_one__uid_s_{uid}__uid_e_{medium}" for uid in (1001, 1002) for medium in ("audio", "video")]
    for number in range(75):
        for stem in stems:
            segment = put(f"{folder}{stem}_20260312{number // 60:02}{number % 60:02}00123.{suffix}", wav())
            assert "a segment of Agora's" in admit(segment)["ignored"]
            admit(announced(captured_event, f"{folder}{stem}.m3u8", f"etag {number}"))

    audio = [f"{folder}{stem}.m3u8" for stem in stems if stem.endswith("audio")]
    assert [state["key"] for state in bucket.executions.values()] == audio
    assert len([row for row in table.scan()["Items"] if "media_id" in row]) == 2


@pytest.mark.parametrize("name", [f"{SID}_team_0.m4a", "shared talk.mp3", "talk.wav"])
def test_in_a_recorder_s_folder_only_mp4s_and_playlists_are_media(
    admit: Any, put: Any, bucket: FakeBucket, table: FakeTable, name: str
) -> None:
    table.put_item(Item={**API_RECORDING, "channel": "team"})

    assert "only MP4s and playlists" in admit(put(f"recordings/{FOLDER}/{name}", wav()))["ignored"]
    assert not bucket.starts


def test_in_a_folder_that_is_called_as_a_sid_other_files_are_media(admit: Any, put: Any, store: MediaStore) -> None:
    part, notes = (admit(put(f"{SID}/{name}", wav())) for name in (f"{SID}_team_0.mp4", "notes.mp3"))

    assert part["recording_id"] == BY_HAND
    assert "execution" in notes


def test_the_tracks_of_one_recording_are_its_media_objects(
    admit: Any, captured_event: Callable[[str], Any], bucket: FakeBucket, store: MediaStore
) -> None:
    for uid in (1001, 1002):
        admit(announced(captured_event, f"{STEM.replace('1001', str(uid))}.m3u8", "etag"))

    assert len(bucket.executions) == 2
    assert len(store.recordings.get(BY_HAND)["media"]) == 2
