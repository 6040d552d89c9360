"""What is measured of a media object from its arrival to its end."""

from typing import Any

import pytest

from recording_insights.model.cost import MediaCost
from recording_insights.model.media_object import MediaObject
from recording_insights.model.reasons import because
from recording_insights.model.tries import number_of_job
from recording_insights.store.media import MediaStore
from recording_insights.store.media_measures import MediaMeasures
from tests.unit.conftest import MakeMedia
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock
from tests.unit.measured import measured

R = "r" * 32
OF_DEEPGRAM = {"provider": "deepgram"}


def costs(dollars: float) -> list[Any]:
    """The measures of a cost: that of the provider's media objects, and that of all."""
    return [("Cost", pytest.approx(dollars), of) for of in (OF_DEEPGRAM, {})]


ARRIVAL = costs(2e-7)


@pytest.fixture
def store(clock: FakeClock) -> MediaStore:
    table: Any = FakeTable()
    return MediaStore(table, clock.now, observer=MediaMeasures())


@pytest.fixture
def media(store: MediaStore, make_media: MakeMedia, capsys: pytest.CaptureFixture[str]) -> MediaObject:
    media = make_media("talk.mp4")
    store.admit(R, media, providers=["deepgram"])
    store.admit(R, media, providers=["deepgram"])  # its event comes twice
    return media


def test_each_step_is_measured_once(
    store: MediaStore, media: MediaObject, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.sleep(30)
    store.wait(store.get(R, media.media_id), **because("submission", "provider_busy", "all slots are taken"))
    clock.sleep(30)
    store.submitted(R, media.media_id, job={"id": "j"})
    clock.sleep(100)
    store.note_callback(R, media.media_id, provider="deepgram", job={"id": "j"}, delivery=None, calls=1)
    clock.sleep(2)
    for _ in range(2):
        store.finish(R, media.media_id, "done")

    assert measured(capsys.readouterr().out) == [
        ("Arrived", 1, {}),
        ("Waited", 1, {**OF_DEEPGRAM, "code": "provider_busy"}),
        ("Submitted", 1, OF_DEEPGRAM),
        *costs(4e-7),
        ("Done", 1, OF_DEEPGRAM),
        ("QueuedSeconds", 60, OF_DEEPGRAM),
        ("JobSeconds", 102, OF_DEEPGRAM),
        ("StoredAfterSeconds", 2, OF_DEEPGRAM),
    ]


@pytest.mark.parametrize(
    ("code", "measured_as", "cause"),
    [
        ("provider_rejected", "provider_rejected", "media"),
        ("nothing_recorded", "nothing_recorded", "media"),
        ("cancelled", "cancelled", "person"),
        ("no_result", "no_result", "service"),
        ("banana", "unknown", "service"),
    ],
)
def test_a_failure_is_measured_by_its_code_and_its_cause(
    store: MediaStore, media: MediaObject, capsys: pytest.CaptureFixture[str], code: Any, measured_as: str, cause: str
) -> None:
    store.finish(R, media.media_id, "failed", **because("submission", code, "no"))
    failed = [("Failed", 1, {"code": measured_as}), ("Failures", 1, {"cause": cause})]
    assert measured(capsys.readouterr().out)[1:] == [*ARRIVAL, *failed]


def test_a_row_that_was_edited_into_nonsense_is_done_all_the_same(
    store: MediaStore, media: MediaObject, capsys: pytest.CaptureFixture[str]
) -> None:
    store.note(R, media.media_id, waiting_since="soon", submitted_at="2026-01-01T00:00:00")
    store.finish(R, media.media_id, "done")
    assert measured(capsys.readouterr().out)[1:] == [*ARRIVAL, ("Done", 1, OF_DEEPGRAM)]


def test_the_costs_of_all_tries_are_that_of_the_media_object(
    store: MediaStore, media: MediaObject, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job that was given up, the job of another provider, and a retry that takes over that job."""
    media_id = media.media_id
    store.note(R, media_id, provider="assemblyai", duration_ms=3_600_000)
    store.submitted(R, media_id, job={"id": "1"})
    store.give_up(R, media_id, "it fails", "provider_fault", provider="transcribe")
    store.submitted(R, media_id, job={"id": "2"}, transitions=20, calls=10)
    store.finish(R, media_id, "failed", **because("result", "no_result", "too late"))
    row = store.get(R, media_id)
    store.begin_try(row, {"status": "waiting", "provider": "transcribe", "job_number": number_of_job(row)})
    store.submitted(R, media_id, job={"id": "2"}, transitions=4, calls=3)
    store.finish(R, media_id, "done")

    found = [(value, of) for name, value, of in measured(capsys.readouterr().out) if name == "Cost"]
    costs: list[tuple[Any, str]] = [(value, of["provider"]) for value, of in found if of]
    aws, retry = 20 * 25e-6 + 10 * 2e-7, 4 * 25e-6 + 3 * 2e-7
    assert costs == [
        (pytest.approx(0.21), "assemblyai"),
        (pytest.approx(0.36 + aws), "transcribe"),
        (pytest.approx(retry), "transcribe"),
    ]
    whole = MediaCost.of(store.get(R, media_id), store.tries.of(R, media_id))
    assert whole.known == pytest.approx(sum(value for value, _ in costs), abs=1e-6)
