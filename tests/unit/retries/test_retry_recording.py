"""POST /recordings/{recording_id}/retry: what begins where, and each refusal with what is so."""

from typing import Any

import pytest

from recording_insights.errors import Conflict, InvalidRequest, NotFound
from recording_insights.processing.reopen import reopen
from recording_insights.retries import retry_recording as module
from recording_insights.retries.order import Order
from recording_insights.retries.request import RetryRequest
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.crashing_table import Crash, CrashingTable
from tests.unit.fakes import FakeClock
from tests.unit.processing.flow import R
from tests.unit.retries.conftest import Scene


def test_every_failed_media_object_begins_as_late_as_it_can(scene: Scene) -> None:
    paid, refused, done = scene.fail("a.mp4"), scene.fail("b.mp4", submitted=False), scene.end("c.mp4")

    answer = scene.retry()

    assert answer == {
        "recording_id": R,
        "media": [
            {"media_id": paid["media_id"], "from": "job", "provider": "marsview", "try": 1},
            {"media_id": refused["media_id"], "from": "media", "provider": "marsview", "try": 1},
        ],
        "not_retried": [],
        "remaining": 0,
    }
    assert scene.row(done["media_id"]) == done
    names = [scene.row(row["media_id"])["execution"] for row in (paid, refused)]
    assert list(scene.executions.inputs) == names


@pytest.mark.parametrize(
    ("body", "begins", "provider"),
    [
        ({"provider": "deepgram", "options": {"language": "de"}}, "media", "deepgram"),
        ({"options": {"speakers": 3}}, "media", "marsview"),
        ({"provider": "marsview"}, "job", "marsview"),
        ({"from": "media"}, "media", "marsview"),
        ({"from": "job", "force": True}, "job", "marsview"),
    ],
)
def test_a_caller_names_provider_options_and_begin(scene: Scene, body: Any, begins: str, provider: str) -> None:
    row = scene.fail()

    [begun] = scene.retry({**body, "media_id": row["media_id"]})["media"]

    assert (begun["from"], begun["provider"]) == (begins, provider)
    assert scene.row(row["media_id"]).get("options") == body.get("options")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"provider": "symbl"}, "provider", "must be one of marsview, deepgram"),
        ({"provider": "deepgram", "options": {"models": ["x"]}}, "options.models", "deepgram has only the options"),
        ({"options": {"features": ["topics"]}}, "options.features", "marsview has only the options"),
        ({"options": []}, "options", "must be an object"),
        ({"from": "reply"}, "from", "must be one of saved, job, media"),
        ({"from": "job", "provider": "deepgram"}, "from", "need a new job"),
        ({"media_id": "talk.mp4"}, "media_id", "must be the id of a media object"),
        ({"force": "yes"}, "force", "must be true or false"),
        ({"key": "talk.mp4"}, "key", "unknown; the fields are media_id, provider, options, from, force, insights"),
    ],
)
def test_a_field_that_is_wrong_changes_nothing(scene: Scene, body: Any, field: str, words: str) -> None:
    row = scene.fail()
    with pytest.raises(InvalidRequest, match=words) as raised:
        scene.retry(body)
    assert raised.value.field == field
    assert scene.row(row["media_id"]) == row


def test_what_is_unknown_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound, match=f"no recording {R}"):
        scene.retry()
    scene.fail()
    with pytest.raises(NotFound, match=f"recording {R} has no media object 00000000000000000000"):
        scene.retry({"media_id": "0" * 20})


def test_a_recording_that_is_at_work_or_done_is_refused(scene: Scene) -> None:
    row = scene.admit()
    scene.executions.start(name=row["execution"], state="{}")
    with pytest.raises(Conflict, match=f"media object {row['media_id']} is at work: its status is waiting"):
        scene.retry()

    scene.store.finish(R, row["media_id"], "done")
    with pytest.raises(Conflict, match="is done, and none of its media objects failed; with force"):
        scene.retry()
    assert scene.retry({"force": True})["media"][0]["try"] == 1


def test_a_recording_without_media_has_nothing_to_retry(scene: Scene, start: Any) -> None:
    recording_id = start().recording["recording_id"]
    with pytest.raises(Conflict, match=f"recording {recording_id} has no media object to retry: its status is"):
        module.retry_recording(
            recording_id,
            RetryRequest(Order()),
            store=scene.store,
            executions=scene.executions,
            deadline=scene.clock.deadline(20),
        )


@pytest.mark.parametrize("code", ["provider_rejected", "not_media", "format_not_taken"])
def test_a_refusal_for_good_needs_force_or_something_else(scene: Scene, code: str) -> None:
    row = scene.fail(code=code, submitted=False)
    for body in ({}, {"provider": "marsview"}, {"from": "media"}):
        with pytest.raises(Conflict, match="name another provider or other options, or use force"):
            scene.retry(body)
    assert scene.retry({"provider": "deepgram"})["media"][0]["provider"] == "deepgram"

    scene.store.finish(R, row["media_id"], "failed", reason="again", reason_code=code)
    assert scene.retry({"force": True})["media"][0]["try"] == 2


def test_one_that_is_refused_keeps_no_other_from_its_retry(scene: Scene) -> None:
    refused, failed = scene.fail("a.mp4", "provider_rejected"), scene.fail("b.mp4")

    answer = scene.retry()

    assert [begun["media_id"] for begun in answer["media"]] == [failed["media_id"]]
    [named] = answer["not_retried"]
    assert named["media_id"] == refused["media_id"]
    assert "reason code provider_rejected" in named["reason"]


@pytest.mark.parametrize("status", ["waiting", "preparing", "submitted"])
def test_an_unfinished_media_object_gets_the_execution_that_it_lacks(scene: Scene, status: str) -> None:
    row = scene.admit()
    scene.executions.start(name=row["execution"], state="{}")
    scene.executions.ended.add(row["execution"])
    scene.store.note(R, row["media_id"], status=status, job={"id": "j"})

    [begun] = scene.retry()["media"]

    assert begun["try"] == 0, "the same try goes on"
    successor = scene.row(row["media_id"])["execution"]
    assert scene.executions.is_running(successor)
    with pytest.raises(Conflict, match=f"is at work: its status is {status}"):
        scene.retry()
    with pytest.raises(
        Conflict, match=f"is at work: its status is {status}; if no execution runs, a retry with an empty"
    ):
        scene.retry({"provider": "deepgram"})


def test_of_two_retries_at_once_one_wins(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    row = scene.fail()

    def second(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(module, "reopen", reopen)
        assert scene.retry()["media"][0]["try"] == 1
        return reopen(*arguments, **named)

    monkeypatch.setattr(module, "reopen", second)
    with pytest.raises(Conflict, match="has just been changed by somebody else"):
        scene.retry()
    assert scene.row(row["media_id"])["try_number"] == 1
    assert len(scene.executions.inputs) == 1


@pytest.mark.parametrize("body", [{}, {"provider": "deepgram", "options": {"language": "de"}}, {"from": "job"}])
@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("write", range(1, 4))
def test_after_a_crash_between_writes_the_same_call_goes_on(
    clock: FakeClock, make_media: MakeMedia, write: int, takes_effect: bool, body: Any
) -> None:
    table: Any = CrashingTable(crash_at=write, takes_effect=takes_effect)
    scene = Scene(MediaStore(table, clock.now, clock.sleep), clock, make_media)
    row = scene.fail()
    table.arm()
    try:
        scene.retry(body)
    except Crash:
        table.disarm()
        assert scene.retry(body)["media"][0]["try"] == 1

    assert len(scene.store.tries.of(R, row["media_id"])) == 1
    assert list(scene.executions.inputs) == [scene.row(row["media_id"])["execution"]]


def test_a_call_begins_as_many_as_it_has_time_for_and_says_how_many_remain(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        scene.fail(f"{number}.mp4")
    assert (scene.retry(seconds=1)["remaining"]) == 4, "one in every case"
    monkeypatch.setattr(module, "MOST_AT_ONCE", 3)
    answer = scene.retry()
    assert (len(answer["media"]), answer["not_retried"], answer["remaining"]) == (3, [], 2)
    answer = scene.retry()
    assert (len(answer["media"]), len(answer["not_retried"]), answer["remaining"]) == (1, 2, 2)


def test_a_version_that_was_uploaded_anew_stands_for_the_one_before(scene: Scene, make_media: MakeMedia) -> None:
    old = scene.fail("talk.mp4")
    newer = make_media("talk.mp4", etag="etag-2", second=5)
    scene.store.admit(R, newer, providers=["marsview"])
    scene.store.finish(R, newer.media_id, "failed", reason="because", reason_code="no_result")

    assert [begun["media_id"] for begun in scene.retry()["media"]] == [newer.media_id]
    assert scene.row(old["media_id"]) == old
