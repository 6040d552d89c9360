"""A renewal among other changes, faults and crashes: the recording goes on with what it has."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from recording_insights.agora.client import AgoraClient
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.errors import Conflict, SecretUnusable, UploadCredentialsUnavailable
from recording_insights.recordings.change import update_recording
from recording_insights.recordings.lease import LEASE_SECONDS, WAITS
from recording_insights.recordings.stop import stop_recording
from recording_insights.store.recordings import RecordingStore
from recording_insights.watch.progress import Watch
from tests.unit.agora.fake_agora import Answer, FakeAgora, Lost
from tests.unit.agora.fake_sts import FakeSts, refusal
from tests.unit.crashing_table import Crash, crashes_at_every_write
from tests.unit.fakes import FakeClock, unwatched
from tests.unit.recordings.wanted import wanted
from tests.unit.watch.scene import HOUR, Scene, renewals, until_due, watched

LONGEST_LOOK_SECONDS = 55
GONE = Answer(404, {"code": 404, "reason": "failed to find worker"})
NOT_RENEWED = "the upload credentials could not be renewed: "


class TestOneChangeAtATime:
    def test_a_change_that_is_under_way_comes_first(self, due: Scene, vendor: FakeAgora, clock: FakeClock) -> None:
        other = due.store.lease(due.watch.recording_id, LEASE_SECONDS + due.watch.wait_seconds)
        assert other
        due.turn()
        assert renewals(vendor) == []
        assert clock.naps == [*WAITS]
        assert due.row["watch_reason"] == f"{NOT_RENEWED}another change is under way; try again"
        assert due.row["changing_until"] == other["changing_until"], "the lease is still the other's"
        due.turn()
        assert len(renewals(vendor)) == 1
        assert "watch_reason" not in due.row

    def test_one_that_ends_meanwhile_is_waited_for(self, due: Scene, vendor: FakeAgora, clock: FakeClock) -> None:
        other = due.store.lease(due.watch.recording_id, LEASE_SECONDS + due.watch.wait_seconds)
        assert other
        clock.on_sleep = lambda: due.store.end_lease(other)
        due.turn()
        assert len(renewals(vendor)) == 1

    def test_a_callers_change_waits_for_the_renewal(self, due: Scene, vendor: FakeAgora, clock: FakeClock) -> None:
        def change() -> dict[str, Any]:
            fields = {"subscribe_audio_uids": [5]}
            return dict(
                update_recording(
                    due.watch.recording_id, fields, store=due.store, agora=due.agora, deadline=clock.deadline()
                )
            )

        def meanwhile(call: str) -> None:
            if call == "update":
                vendor.before = lambda call: None
                with pytest.raises(Conflict, match=r"^another change is under way; try again$"):
                    change()

        vendor.before = meanwhile
        due.turn()
        assert len(renewals(vendor)) == 1
        assert change()["credentials_renewed_at"]
        assert len(renewals(vendor)) == 2

    @pytest.mark.parametrize("answers", [[Lost(takes_effect=False)] * 3, [Answer(206, {"code": 65})] * 3, [GONE] * 3])
    def test_agora_is_told_under_the_lease_only_and_within_the_time_of_a_look(
        self, due: Scene, vendor: FakeAgora, sts: FakeSts, clock: FakeClock, answers: list[Any]
    ) -> None:
        def slowly(call: str) -> None:
            if call == "update":
                clock.elapsed += 8  # as long as an answer is waited for
                assert clock.now().timestamp() < due.row["changing_until"]

        vendor.before = slowly
        vendor.script["update"] = list(answers)
        sts.script = [refusal("InternalFailure", 500)]
        due.turn()
        assert clock.elapsed - due.looks[-1] < LONGEST_LOOK_SECONDS
        assert due.row["watch_reason"].startswith(NOT_RENEWED)
        assert "changing_until" not in due.row

    def test_a_stop_in_between_is_an_end_without_a_complaint(
        self, due: Scene, vendor: FakeAgora, clock: FakeClock
    ) -> None:
        def meanwhile(call: str) -> None:
            if call == "update":
                vendor.before = lambda call: None
                stop_recording(
                    due.watch.recording_id,
                    store=due.store,
                    agora=due.agora,
                    deadline=clock.deadline(),
                    watch_stop=unwatched,
                )

        vendor.before = meanwhile
        due.turn()
        assert due.row["status"] == "stopping"
        assert not {"watch_reason", "credentials_renewed_at", "changing_until"} & due.row.keys()

    def test_one_that_was_stopped_before_the_lease_is_not_told(
        self, due: Scene, vendor: FakeAgora, clock: FakeClock
    ) -> None:
        other = due.store.lease(due.watch.recording_id, LEASE_SECONDS + due.watch.wait_seconds)
        assert other

        def stop() -> None:
            clock.on_sleep = lambda: None
            stop_recording(
                due.watch.recording_id,
                store=due.store,
                agora=due.agora,
                deadline=clock.deadline(),
                watch_stop=unwatched,
            )
            due.store.end_lease(other)

        clock.on_sleep = stop
        due.turn()
        assert renewals(vendor) == []
        assert "watch_reason" not in due.row


FAULTS: Mapping[str, tuple[Callable[[FakeSts, FakeAgora], Any], str]] = {
    "AWS away": (
        lambda sts, _: sts.script.extend([refusal("ServiceUnavailable", 503)] * 2),
        "AWS gave no credentials for the upload (ServiceUnavailable)",
    ),
    "key refused": (
        lambda sts, _: sts.script.extend([refusal("InvalidClientTokenId", 403)] * 2),
        "AWS refused the key that signs the credentials for uploads (InvalidClientTokenId)",
    ),
    "no right": (
        lambda sts, _: sts.script.extend([refusal("AccessDenied", 403)] * 2),
        "the user of the uploads may not call sts:GetFederationToken",
    ),
    "Agora away": (
        lambda _, vendor: vendor.script.update(update=[Answer(500, {})] * 3),
        "Agora gave no usable answer to update (HTTP 500)",
    ),
    "Agora silent": (
        lambda _, vendor: vendor.script.update(update=[Lost(takes_effect=False)] * 3),
        "Agora gave no usable answer to update (no answer: ReadTimeout)",
    ),
    "Agora refuses": (
        lambda _, vendor: vendor.script.update(update=[Answer(400, {"code": 2, "reason": "storageConfig"})]),
        "Agora refused (code 2): a parameter is wrong: storageConfig",
    ),
    "Agora refuses the credentials": (
        lambda _, vendor: vendor.script.update(update=[Answer(401, {})] * 2),
        "Agora refused the credentials",
    ),
    "moving": (
        lambda _, vendor: vendor.script.update(update=[GONE] * 3),
        "the recorder has left by itself, or is moving to another host",
    ),
}


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_fault_is_written_and_retried_while_the_recording_goes_on(
        self, due: Scene, vendor: FakeAgora, sts: FakeSts, fault: str
    ) -> None:
        arrange, reason = FAULTS[fault]
        before = due.row
        for look in range(3):
            arrange(sts, vendor)
            assert due.turn().outcome == "watching"
            assert due.row["watch_reason"].startswith(f"{NOT_RENEWED}{reason}"), look
            noted = {"watch_reason": due.row["watch_reason"], "version": before["version"] + 1}
            moved = {name: due.row[name] for name in ("updated_at", "change_place")}
            assert due.row == {**before, **noted, **moved}, "and written once"
        due.turn()
        assert "watch_reason" not in due.row
        assert due.row["credentials_renewed_at"] == due.store.timestamp
        assert renewals(vendor)[-1]["storageConfig"]["stsToken"] == f"s3cr3t-session-{len(sts.requests) - 1}"

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (SecretUnusable("recording-insights/dev/agora-uploader", "it does not exist"), "does not exist; `make ago"),
            (UploadCredentialsUnavailable("AWS did not hand out the secret x"), "AWS did not hand out the secret x"),
        ],
    )
    def test_without_a_key_it_goes_on_as_well(
        self, due: Scene, vendor: FakeAgora, uploader: Uploader, error: Exception, reason: str
    ) -> None:
        def missing(fresh: bool) -> Mapping[str, str]:
            raise error

        due.agora = replace(due.agora, uploader=replace(uploader, key=missing))
        due.turn()
        assert reason in due.row["watch_reason"]
        assert due.row["status"] == "recording"
        assert renewals(vendor) == []

    def test_the_end_is_noticed_all_the_same(self, due: Scene, vendor: FakeAgora, sts: FakeSts) -> None:
        sts.script = [refusal("InternalFailure", 500)] * 2
        due.turn()
        vendor.live_status = 8
        due.turn()
        assert due.row["status"] == "stopping"
        assert "watch_reason" not in due.row

    def test_after_max_hours_no_credentials_are_renewed(
        self, start: Any, vendor: FakeAgora, sts: FakeSts, store: RecordingStore, agora: AgoraClient, clock: FakeClock
    ) -> None:
        scene = Scene(store, agora, clock, Watch.begin(start(wanted(max_hours=1)).recording))
        sts.script = [refusal("InternalFailure", 500)] * 100
        scene.run(lambda: clock.elapsed + scene.watch.wait_seconds > HOUR + 600)
        asked = len(sts.requests)
        assert asked > 1
        scene.turn()
        assert "max_hours have passed" in scene.row["reason"]
        assert len(sts.requests) == asked


def test_none_of_it_is_written_anywhere(due: Scene, vendor: FakeAgora, caplog: pytest.LogCaptureFixture) -> None:
    """Agora's words may repeat what it was sent."""
    storage = {"accessKey": "ASIAEXAMPLE1", "secretKey": "s3cr3t-upload-1", "stsToken": "s3cr3t-session-1"}
    vendor.script["update"] = [Answer(400, {"code": 2, "reason": f"cannot use {json.dumps(storage)}"})]
    due.turn()
    assert renewals(vendor)[0]["storageConfig"].items() >= storage.items()
    assert "cannot use" in due.row["watch_reason"]
    due.turn()
    table: Any = due.store.table
    for written in (table.scan()["Items"], due.watch.to_state(), caplog.text, due.row):
        assert "s3cr3t" not in str(written)
        assert "ASIA" not in str(written)


def test_a_crash_at_any_write_of_a_renewal_leaves_one_to_be_repeated() -> None:
    """What Agora said, the lease, the row, the lease's end."""
    for table in crashes_at_every_write(at_least=4):
        due, vendor = watched(table)
        until_due(due)
        before = due.watch
        table.arm()
        try:
            due.turn()
        except Crash:
            due.watch = before
        table.disarm()
        for _ in range(2):
            due.turn()
        assert 1 <= len(renewals(vendor)) <= 2, table
        assert due.row["credentials_renewed_at"], table
        assert due.row["status"] == "recording", table
        assert not {"watch_reason", "changing_until"} & due.row.keys(), table
        assert due.watch.credential_seconds < HOUR, table
