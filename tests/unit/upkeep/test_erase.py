"""Erase a recording: nothing of it is left but the receipt, whatever breaks off and whatever comes late."""

import json
from typing import Any

import pytest

from recording_insights.errors import NotFound, ProviderUnavailable, RecordingErased
from recording_insights.model.insights import Insights, Utterance
from recording_insights.recordings.upload import UploadRequest, open_upload
from recording_insights.store.insights import InsightStore
from recording_insights.upkeep.erase_page import LONG_QUIET_SECONDS, Erase
from tests.unit.crashing_table import CrashingTable, crashes_at_every_write
from tests.unit.upkeep.erase_scene import REFERENCE, REPLIES, WORDS, EraseScene


@pytest.fixture
def scene() -> EraseScene:
    scene = EraseScene(CrashingTable())
    scene.other()
    return scene


def state_of(scene: EraseScene) -> dict[str, Any]:
    """Everything there is, but the moments and the random ids."""
    rows = {(item["pk"], item["sk"]): item for item in scene.table.scan()["Items"]}
    kept = {key: item for key, item in rows.items() if key[1] != "RECEIPT"}
    return {
        "rows": {
            key: {name: value for name, value in item.items() if name != "expires_at"} for key, item in kept.items()
        },
        "keys": scene.s3.keys(),
        "symbl": sorted(json.dumps(job) for job in scene.symbl.jobs),
        "seameet": scene.seameet.jobs,
        "recorders": [each["cname"] for each in scene.vendor.recorders.values()],
        "stopped": sorted(set(scene.stopped)),
    }


def made(table: CrashingTable) -> tuple[EraseScene, str]:
    scene = EraseScene(table)
    scene.other()
    recording = scene.record()
    scene.fill(recording)
    return scene, recording["recording_id"]


def test_nothing_is_left_but_the_receipt(scene: EraseScene) -> None:
    before = state_of(scene)
    recording = scene.record()
    scene.fill(recording)
    recording_id, sid = recording["recording_id"], recording["sid"]

    scene.run(scene.ask(recording_id))

    assert scene.mentions(recording_id, sid, "ticket-4711#", "request 1", "meeting 7", "bert") == []
    after = state_of(scene)
    assert after["recorders"] == ["other-team"]
    assert after["keys"] == before["keys"], "and nothing of others"
    receipt = scene.recordings.erasures.find_receipt(recording_id)
    assert receipt
    assert receipt["deleted"] == {
        "media_objects": 7,
        "prepared_objects": 1,
        "reply_objects": 5,
        "delivery_objects": 3,
        "rows": 9,
    }
    assert receipt["provider_copies"] == {"symbl": 1, "seameet": 1}
    assert [(each["place"], each["jobs"], each["code"]) for each in receipt["not_deleted"]] == [
        ("deepgram", 1, "no_delete_call")
    ]
    assert not any(text in repr(receipt) for text in (*WORDS, REFERENCE, sid, "anna", "bert", "team", "part_0"))
    assert (receipt["late_objects"], receipt["late_rows"]) == (0, 0)


def test_a_crash_at_any_call_leads_to_the_same_end() -> None:
    whole, recording_id = made(CrashingTable())
    whole.run(whole.ask(recording_id))
    expected = state_of(whole)
    for table in crashes_at_every_write(at_least=30):
        scene, _ = made(table)
        erase = scene.ask(recording_id)
        table.arm()
        scene.run(erase)
        table.disarm()
        assert state_of(scene) == expected, table
        assert scene.recordings.erasures.find_receipt(recording_id), table


def test_pages_without_time_come_to_the_same_end() -> None:
    whole, recording_id = made(CrashingTable())
    whole.run(whole.ask(recording_id))
    scene, _ = made(CrashingTable())
    pages = scene.run(scene.ask(recording_id), seconds=1)
    assert len(pages) > 8
    assert state_of(scene) == state_of(whole)
    assert scene.recordings.erasures.find_receipt(recording_id)["deleted"]["rows"] == 9  # type: ignore[index]


def test_a_broken_off_erase_gets_a_successor(scene: EraseScene) -> None:
    recording_id = scene.record()["recording_id"]
    asked = scene.ask(recording_id)
    assert scene.ask(recording_id) == asked
    assert list(scene.executions.started) == [f"{recording_id}-erase-1"]
    scene.executions.over.add(f"{recording_id}-erase-1")
    scene.ask(recording_id)
    assert list(scene.executions.started)[1:] == [f"{recording_id}-erase-2"]
    assert scene.recordings.get(recording_id)["erased_by"] == "bert"
    scene.run(asked)
    with pytest.raises(RecordingErased) as error:
        scene.ask(recording_id)
    assert error.value.receipt["receipt_id"] == asked.receipt_id
    with pytest.raises(NotFound):
        scene.ask("f" * 32)


def test_a_provider_that_is_away_is_waited_for(scene: EraseScene) -> None:
    recording = scene.record()
    scene.fill(recording)
    scene.symbl.faults = [ProviderUnavailable("Symbl did not answer")] * 3
    pages = scene.run(scene.ask(recording["recording_id"]))
    waits = [page.wait_seconds for page in pages if page.phase == "delete"]
    assert waits[1:] == [60, 120, 240]
    assert len(scene.symbl.jobs) == 1


def test_after_three_days_its_copy_stays_and_the_receipt_says_so(scene: EraseScene) -> None:
    recording = scene.record()
    scene.fill(recording)
    scene.symbl.faults = [ProviderUnavailable("Symbl did not answer")] * 200
    scene.run(scene.ask(recording["recording_id"]))
    receipt = scene.recordings.erasures.find_receipt(recording["recording_id"])
    assert receipt
    assert [each["code"] for each in receipt["not_deleted"] if each["place"] == "symbl"] == ["away"]
    assert scene.mentions(recording["recording_id"]) == []


def test_files_that_came_late_are_deleted_and_counted(scene: EraseScene) -> None:
    recording = scene.record()
    recording_id = recording["recording_id"]
    erase = scene.ask(recording_id)
    while erase.phase != "late":
        erase = scene.page(erase)
    scene.s3.put("recordings-bucket", f"{recording['prefix']}late.ts")
    scene.run(erase)
    receipt = scene.recordings.erasures.find_receipt(recording_id)
    assert receipt
    assert receipt["late_objects"] == 1
    assert scene.mentions(recording_id) == []


def test_one_late_file_is_deleted_by_its_key(scene: EraseScene) -> None:
    scene.s3.put("replies-bucket", "callbacks/seameet/x.json", "callbacks/seameet/x.json.other")
    scene.run(Erase(phase="file", bucket="replies", key="callbacks/seameet/x.json"))
    left = scene.s3.keys()
    assert "callbacks/seameet/x.json.other" in left
    assert "callbacks/seameet/x.json" not in left


@pytest.mark.parametrize("comes", ["before the erase", "after it"])
def test_the_file_of_an_upload_goes_although_no_row_names_it(scene: EraseScene, comes: str) -> None:
    """A file that is no media has no row, and one that is sent while its link lasts comes late."""
    wanted = {"name": "talk.mp4", "size": 3}
    request = UploadRequest.from_body(
        wanted, providers=["symbl"], default_provider="symbl", validate_options=lambda *_: None
    )
    upload = open_upload(request, bucket="b", store=scene.recordings, sign=lambda *_, **__: "link")
    recording_id, key = upload.recording["recording_id"], upload.recording["file"]["key"]
    erase = scene.ask(recording_id)
    while comes == "after it" and erase.phase != "late":
        erase = scene.page(erase)
    scene.s3.put("recordings-bucket", key)

    scene.run(erase)

    assert scene.mentions(recording_id) == []
    assert not {key} & scene.s3.keys()


@pytest.mark.parametrize("phase", ["delete", "late"])
def test_what_a_poll_and_a_save_that_ran_still_write_is_deleted(scene: EraseScene, phase: str) -> None:
    """They began before the erase. The erase waits until they must have ended; a slower one is found days later."""
    recording = scene.record()
    recording_id = recording["recording_id"]
    scene.fill(recording)
    media = next(row for row in scene.recordings.media_rows(recording_id) if row["status"] == "waiting")
    erase = scene.ask(recording_id)
    while erase.phase != phase:
        erase = scene.page(erase)
    assert erase.wait_seconds >= LONG_QUIET_SECONDS

    reply = f"{recording_id}/{media['media_id']}-0.json"
    scene.s3.put(REPLIES, reply)
    said = Insights(transcript=[Utterance(speaker="1", text=WORDS[0], start_ms=0, end_ms=900)], summary=WORDS[0])
    InsightStore(scene.table).save(recording_id, media["media_id"], 0, said)
    scene.store.finish(recording_id, media["media_id"], "done", reply=reply, counts={"transcript": 1})
    scene.run(erase)

    assert scene.mentions(recording_id) == []
