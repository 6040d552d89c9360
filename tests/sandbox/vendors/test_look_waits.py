"""The dial `look_waits`: a look finds the work done that was started before it, however fast or slow the machine is."""

import threading
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

from sandbox.stand_ins.hearing.speech import Utterance
from sandbox.stand_ins.vendors.registry import vendors
from tests.sandbox.conftest import FakeSpeechEngine, MarsviewCustomer, StandIns, new_stand_ins
from tests.sandbox.vendors import test_symbl as symbl


class SlowEngine(FakeSpeechEngine):
    """Recognises nothing before somebody looks."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Event()

    def recognise(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]:
        self.looked.wait()
        return super().recognise(media, speakers, containers)


@pytest.fixture
def engine() -> SlowEngine:
    return SlowEngine()


@pytest.fixture
def stand_ins(engine: SlowEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIns]:
    with new_stand_ins(engine) as made:
        wait_for_work = made.runtime.jobs.wait_for_work

        def wait(beginning: str, seconds: float) -> None:
            engine.looked.set()
            wait_for_work(beginning, seconds)

        monkeypatch.setattr(made.runtime.jobs, "wait_for_work", wait)
        made.dials(**{name: {"look_waits": True} for name in vendors()})
        yield made
        engine.looked.set()


def test_a_look_at_the_state_waits(stand_ins: StandIns, media: Path) -> None:
    customer = MarsviewCustomer(stand_ins)
    txn_id = customer.link(media)
    customer.compute(txn_id)
    assert customer.states(txn_id)["speech_to_text"]["status"] == "processed"


def test_a_look_at_the_results_waits(stand_ins: StandIns, media: Path) -> None:
    customer = MarsviewCustomer(stand_ins)
    txn_id = customer.link(media)
    customer.compute(txn_id)
    assert customer.metadata(txn_id)["transcript"]


def test_an_unknown_state_is_told_at_the_first_looks_only(stand_ins: StandIns, media: Path) -> None:
    customer = MarsviewCustomer(stand_ins)
    stand_ins.dials(marsview={"unknown_state": "pondering", "unknown_state_polls": 2})
    txn_id = customer.link(media)
    customer.compute(txn_id)
    states = [customer.states(txn_id)["speech_to_text"]["status"] for _ in range(3)]
    assert states == ["pondering", "pondering", "processed"]


def test_a_job_that_never_ends_is_not_waited_for(stand_ins: StandIns, media: Path) -> None:
    customer = MarsviewCustomer(stand_ins)
    stand_ins.dials(marsview={"job_never_ends": True})
    txn_id = customer.link(media)
    customer.compute(txn_id)
    assert customer.states(txn_id)["speech_to_text"]["status"] == "processing"


def test_callbacks_are_not_waited_for(stand_ins: StandIns, media: Path) -> None:
    """A customer may look while it answers the callback."""
    customer = symbl.Customer(stand_ins)
    looks: list[str] = []

    def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if b"completed" in body:
            looks.append(customer.job(ids)["status"])
        return 200

    stand_ins.runtime.send = send
    ids = customer.submit(media, query={"webhookUrl": "https://us.example/hook"}).json
    assert customer.job(ids)["status"] == "completed"
    stand_ins.finish()
    assert looks == ["completed"]
