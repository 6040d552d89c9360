"""The counts of a watch, where they begin again and where they go on."""

from dataclasses import replace

from recording_insights.watch.progress import Watch
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.watch.scene import HOUR, Scene, renewals

WATCH = Watch("r", "2026", "2026", attempt=3, wait_seconds=5, waited_seconds=40, credential_seconds=90)


def test_a_phase_begins_its_counts_but_the_credentials_grow_older() -> None:
    entered = WATCH.enter("recording", "2027")

    assert entered == replace(WATCH, phase="recording", since="2027", attempt=0, waited_seconds=0)
    assert entered.wait(7) == replace(
        entered, attempt=1, wait_seconds=7, waited_seconds=7, credential_seconds=97, outcome="watching"
    )


def test_recovery_follows_at_once_and_is_done_once() -> None:
    recovers = WATCH.recover()

    assert recovers == replace(WATCH, outcome="recover", wait_seconds=0)
    assert recovers.recovered() == replace(recovers, looked_at_slices=True)
    assert WATCH.await_files(9) == replace(WATCH.wait(9), outcome="ended")
    assert WATCH.end() == replace(WATCH, outcome="over", wait_seconds=0)


def test_renewed_credentials_are_as_old_as_the_wait_after_the_renewal(due: Scene, vendor: FakeAgora) -> None:
    watch = due.turn()

    assert len(renewals(vendor)) == 1
    assert due.clock.elapsed >= HOUR
    assert watch.credential_seconds == watch.wait_seconds
