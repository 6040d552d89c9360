"""The watch over a recorder that records for hours: what it writes its files with is renewed."""

from collections.abc import Mapping
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.upload_credentials import write_policy
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch
from sandbox.stand_ins.agora.rules import check_update
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.agora.fake_sts import FakeSts
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import wanted
from tests.unit.watch.scene import HOUR, Scene, renewals


def test_after_an_hour_agora_is_told_new_ones_for_the_same_folder(
    recording: Scene, vendor: FakeAgora, sts: FakeSts, store: RecordingStore
) -> None:
    recording.run(lambda: bool(renewals(vendor)))
    assert HOUR <= recording.clock.elapsed <= HOUR + 900
    [told] = renewals(vendor)
    [of_start] = [body["clientRequest"]["storageConfig"] for call, body in vendor.calls if call == "start"]
    check_update(told, "mix", recording.clock.now().timestamp())
    renewed = {
        "accessKey": "ASIAEXAMPLE1",
        "secretKey": "s3cr3t-upload-1",
        "stsToken": "s3cr3t-session-1",
        "stsExpiration": int(recording.clock.now().timestamp()) + 36 * HOUR,
    }
    assert told == {"storageConfig": {**of_start, **renewed}}
    assert of_start["stsToken"] == "s3cr3t-session-0"
    assert sts.requests[1] == sts.requests[0]
    assert sts.requests[1]["Name"] == recording.watch.recording_id
    folder = f"arn:aws:s3:::recordings-bucket/recordings/{recording.watch.recording_id}"
    assert sts.requests[1]["Policy"] == write_policy(folder)
    assert recording.row["credentials_renewed_at"] == store.timestamp
    assert recording.row["status"] == "recording"
    assert "watch_reason" not in recording.row
    assert "changing_until" not in recording.row


@pytest.mark.parametrize("scaled", [False, True])
def test_and_again_every_further_hour(recording: Scene, vendor: FakeAgora, sts: FakeSts, scaled: bool) -> None:
    ages: list[int] = []
    for _ in range(120):
        before = recording.watch
        count = len(renewals(vendor))
        recording.turn(scaled=scaled)
        if len(renewals(vendor)) > count:
            ages.append(before.credential_seconds)
    assert len(ages) > 20
    assert all(HOUR <= age <= HOUR + 900 for age in ages)
    assert len(sts.requests) == 1 + len(ages)


@pytest.mark.parametrize("fields", [{"mode": "individual"}, {"mode": "web", "url": "https://example.org/room"}])
def test_in_every_mode(
    start: Any,
    vendor: FakeAgora,
    store: RecordingStore,
    agora: AgoraClient,
    clock: FakeClock,
    fields: Mapping[str, Any],
) -> None:
    scene = Scene(store, agora, clock, Watch.begin(start(wanted(**fields)).recording))
    scene.run(lambda: bool(renewals(vendor)))
    check_update(renewals(vendor)[0], str(fields["mode"]), clock.now().timestamp())


def test_also_when_the_first_part_is_done(due: Scene, vendor: FakeAgora) -> None:
    due.media_arrives()
    due.turn()
    assert len(renewals(vendor)) == 1
    assert due.row["status"] == "done"


@pytest.mark.parametrize("status", [0, 3, 6, 8, 20, 99, None])
def test_only_of_one_that_records(due: Scene, vendor: FakeAgora, status: int | None) -> None:
    if status is None:
        vendor.recorders = {}
    else:
        vendor.live_status = status
    due.turn()
    assert renewals(vendor) == []
    due.run(lambda: due.clock.elapsed > 3 * HOUR)
    assert renewals(vendor) == []


def test_not_while_agora_says_nothing(due: Scene, vendor: FakeAgora) -> None:
    vendor.script["query"] = [Answer(500, {})]
    due.turn()
    assert renewals(vendor) == []
    assert "HTTP 500" in due.row["watch_reason"]
    due.turn()
    assert len(renewals(vendor)) == 1
    assert "watch_reason" not in due.row


def test_not_while_it_is_to_join_however_long_agora_was_silent(scene: Scene, vendor: FakeAgora) -> None:
    vendor.script["query"] = [Answer(401, {})] * 1000
    scene.run(lambda: scene.clock.elapsed > 2 * HOUR)
    assert renewals(vendor) == []
    vendor.script["query"].clear()
    scene.turn()
    assert scene.row["status"] == "recording"
    assert renewals(vendor) == []
    scene.turn()
    assert len(renewals(vendor)) == 1


def test_one_that_was_not_found_is_given_new_ones_when_it_is_back(recording: Scene, vendor: FakeAgora) -> None:
    hidden, vendor.recorders = vendor.recorders, {}
    recording.turn()
    assert renewals(vendor) == []
    vendor.recorders = hidden
    recording.turn()
    assert len(renewals(vendor)) == 1
    recording.turn()
    assert len(renewals(vendor)) == 1, "then they are an hour's again"


def test_of_a_recorder_whose_name_was_lost_nobody_can_be_asked(
    start: Any, vendor: FakeAgora, sts: FakeSts, store: RecordingStore, agora: AgoraClient, clock: FakeClock
) -> None:
    vendor.script["start"] = [Lost(takes_effect=True)]
    scene = Scene(store, agora, clock, Watch.begin(start().recording))
    scene.run(lambda: clock.elapsed > 3 * HOUR)
    assert renewals(vendor) == []
    assert len(sts.requests) == 1


def test_a_watch_that_was_begun_before_there_were_renewals_renews(due: Scene, vendor: FakeAgora) -> None:
    state = due.watch.to_state()
    del state["credential_seconds"]
    due.watch = Watch.from_state(state)
    due.turn()
    assert len(renewals(vendor)) == 1
