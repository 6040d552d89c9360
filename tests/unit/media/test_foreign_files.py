"""A file belongs to one recording only: whoever may write an object puts nothing into another recording."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from recording_insights.media.intake import admit_media
from recording_insights.media.probe.ranged_object import RangeReader
from recording_insights.model.media_object import MediaObject
from recording_insights.store.keys import recording_key
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, not_waited
from tests.unit.processing.track_scene import FakeFolder

A, B = "a" * 32, "5eb63bbbe01eeed093cb22bb8f5acdc3"
SID = "b1946ac92492d2347c6235b4d2611184"
TRACK = "team__uid_s_7__uid_e_audio.m3u8"
SOUND = b"ID3\x04" + bytes(60)

Admit = Callable[..., Mapping[str, Any]]


def row_of(recording_id: str, **values: Any) -> dict[str, Any]:
    """The row of a recording that the API made."""
    row = {"recording_id": recording_id, "status": "done", "version": 1, "provider": "marsview", "channel": "team"}
    return {**recording_key(recording_id), **row, "prefix": f"recordings/{recording_id}/", **values}


@pytest.fixture
def executions() -> list[str]:
    return []


@pytest.fixture
def admit(media_store: MediaStore, make_media: MakeMedia, executions: list[str]) -> Admit:
    def read(first: int, last: int) -> bytes:
        return SOUND[first : last + 1]

    def start(*, name: str, state: str) -> bool:
        executions.append(name)
        return True

    def reader(media: MediaObject) -> RangeReader:
        return read

    def call(key: str) -> Mapping[str, Any]:
        event = {
            "time": "2026-03-12T00:00:00Z",
            "detail": {
                "bucket": {"name": "recordings-bucket"},
                "object": {"key": key, "etag": "e", "size": len(SOUND)},
            },
        }
        return admit_media(
            MediaObject.from_event(event),
            store=media_store,
            default_provider="marsview",
            prefix_providers={},
            reader=reader,
            checksum=lambda media: None,
            folder=FakeFolder(FakeClock()),
            start_execution=start,
            end_wait=not_waited,
        )

    return call


@pytest.mark.parametrize(
    "key",
    [
        f"recordings/{A}/{B}/x.mp4",
        f"recordings/{A}/{B}/{SID}_team_0.mp4",
        f"recordings/{A}/{B}/{SID}_{TRACK}",
        f"recordings/{A}/z/{B}_c_0.mp4",
        f"recordings/{A}/z/{B}_{TRACK}",
        f"recordings/{A}/../{B}/x.mp4",
        f"recordings/{A}//x.mp4",
        f"recordings/{A}/{A}/x.mp4",
        f"recordings/{A}/{B}/deeper/x.mp4",
        f"recordings/{B}/deeper/x.mp4",
        f"recordings/{B}//x.mp4",
        f"recordings//{B}/x.mp4",
        f"/recordings/{B}/x.mp4",
        f"Recordings/{B}/x.mp4",
        f"uploads/{B}/x.mp4",
        f"{B}/x.mp4",
    ],
)
def test_a_folder_of_a_recording_takes_files_of_its_own_only(
    admit: Admit, table: FakeTable, executions: list[str], key: str
) -> None:
    for recording_id in (A, B):
        table.put_item(Item=row_of(recording_id, mode="individual"))
    before = table.scan()["Items"]

    assert "belong to the folder" in admit(key)["ignored"]

    assert table.scan()["Items"] == before
    assert executions == []


@pytest.mark.parametrize("name", [f"{B}_c_0.mp4", f"bak0_{B}_team_0.mp4", f"{B}_{TRACK}"])
def test_no_name_makes_the_id_of_another_recording(admit: Admit, table: FakeTable, name: str) -> None:
    table.put_item(Item=row_of(B, mode="individual"))

    admitted = admit(f"uploads/{name}")

    assert admitted["recording_id"] != B
    assert len(table.scan()["Items"]) == 3


def test_a_file_in_the_folder_of_one_recording_stays_there_whatever_its_name(admit: Admit, table: FakeTable) -> None:
    for recording_id in (A, B):
        table.put_item(Item=row_of(recording_id))

    assert admit(f"recordings/{A}/{B}_team_0.mp4")["recording_id"] == A


@pytest.mark.parametrize("mode", [{}, {"mode": "mix"}, {"mode": "web"}])
def test_a_track_belongs_to_a_mode_that_has_tracks(admit: Admit, table: FakeTable, mode: Any) -> None:
    table.put_item(Item=row_of(B, **mode))
    assert "has no tracks" in admit(f"recordings/{B}/{SID}_{TRACK}")["ignored"]

    table.put_item(Item=row_of(B, mode="individual"))
    assert admit(f"recordings/{B}/{SID}_{TRACK}")["recording_id"] == B


class TestRowsOfEarlierVersions:
    """The id of a file with a name of Agora's was the sid, also where a folder had this name."""

    @pytest.fixture(autouse=True)
    def by_hand(self, table: FakeTable) -> None:
        row = {"recording_id": SID, "status": "done", "version": 1, "provider": "marsview", "sid": SID}
        table.put_item(Item={**recording_key(SID), **row})

    @pytest.mark.parametrize("key", [f"{SID}_team_0.mp4", f"uploads/{SID}_{TRACK}", f"uploads/{SID}/x.mp4"])
    def test_their_files_are_theirs_still(self, admit: Admit, key: str) -> None:
        assert admit(key)["recording_id"] == SID

    def test_a_repeated_event_starts_no_other_execution(
        self, admit: Admit, media_store: MediaStore, make_media: MakeMedia, executions: list[str]
    ) -> None:
        media = make_media(f"{SID}_team_0.mp4", etag="e")
        media_store.admit(SID, media, providers=["marsview"])
        media_store.finish(SID, media.media_id, "done")

        assert admit(media.key) == {"ignored": "the media object was processed before"}
        assert executions == []

    def test_not_in_a_folder_of_a_recording_that_the_api_made(self, admit: Admit, table: FakeTable) -> None:
        table.put_item(Item=row_of(A))
        assert "belong to the folder" in admit(f"recordings/{A}/{SID}/x.mp4")["ignored"]
