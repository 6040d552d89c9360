"""Who retried: the name is that of the try, of the retry of many, or of the media object that was named by its key."""

from typing import Any, cast

import pytest

from recording_insights.errors import Conflict
from recording_insights.processing.reopen import reopen
from recording_insights.recordings.read import describe_recording
from recording_insights.retries.request import RetriesRequest, RetryRequest
from recording_insights.retries.retry_many import cancel_retry, get_retry, list_retries, retry_many
from recording_insights.retries.retry_page import retry_page
from recording_insights.retries.retry_recording import retry_recording
from recording_insights.store.media import MediaStore
from recording_insights.store.retries import RetryStore
from recording_insights.store.rows import MediaRow
from tests.unit.conftest import MakeMedia
from tests.unit.processing.flow import JOB, R
from tests.unit.retries.conftest import PROVIDERS, FakeExecutions, Scene

ANN, BEN = "arn:aws:iam::123456789012:user/ann", "ben"


def retried(scene: Scene, who: str | None, **body: Any) -> dict[str, Any]:
    """The media object as GET /recordings/{recording_id} shows it, after a retry of the recording."""
    request, deadline = RetryRequest.from_body(body, providers=PROVIDERS), scene.clock.deadline()
    retry_recording(R, request, store=scene.store, executions=scene.executions, deadline=deadline, who=who)
    return shown(scene)


def shown(scene: Scene) -> dict[str, Any]:
    agora: Any = None
    store, deadline = scene.store.recordings, scene.clock.deadline()
    return cast(
        dict[str, Any], describe_recording(R, {}, store=store, agora=lambda: agora, deadline=deadline)["media"][0]
    )


def fail_again(scene: Scene, row: MediaRow) -> MediaRow:
    scene.store.finish(R, row["media_id"], "failed", reason="again", reason_code="no_result")
    return scene.row(row["media_id"])


def test_each_try_names_who_began_it(scene: Scene) -> None:
    row = scene.fail()
    assert retried(scene, ANN)["retried_by"] == ANN
    with pytest.raises(Conflict):
        retried(scene, BEN)
    fail_again(scene, row)
    media = retried(scene, BEN, **{"from": "media"})
    assert (media["retried_by"], [each.get("retried_by") for each in media["tries"]]) == (BEN, [None, ANN])
    fail_again(scene, row)
    media = retried(scene, None)
    assert ("retried_by" in media, [each.get("retried_by") for each in media["tries"]]) == (False, [None, ANN, BEN])


def test_the_sweep_retries_for_nobody(scene: Scene) -> None:
    row = scene.fail()
    retried(scene, ANN)
    reopened = reopen(fail_again(scene, row), store=scene.store, start="job")
    assert "retried_by" not in reopened


def test_a_provider_that_takes_over_in_a_retry_works_for_the_same_caller(scene: Scene) -> None:
    row = scene.fail()
    retried(scene, ANN, **{"from": "media"})
    scene.store.give_up(R, row["media_id"], "it is away", "provider_unavailable", provider="deepgram")
    media = shown(scene)
    assert (media["retried_by"], [each.get("retried_by") for each in media["tries"]]) == (ANN, [None, ANN])


def test_insights_that_are_shown_again_are_not_of_the_retry_that_failed(scene: Scene) -> None:
    row = scene.end()
    retried(scene, ANN, force=True, provider="deepgram")
    fail_again(scene, row)
    media = shown(scene)
    assert (media["status"], "retried_by" in media) == ("done", False)
    assert [each.get("retried_by") for each in media["tries"]] == [None, ANN]

    retried(scene, BEN, force=True, provider="deepgram")
    scene.store.submitted(R, row["media_id"], job=JOB)
    scene.store.finish(R, row["media_id"], "done")
    retried(scene, ANN, force=True)
    fail_again(scene, row)
    assert shown(scene)["retried_by"] == BEN, "the insights of BEN's try are shown"


def test_of_two_retries_at_once_the_one_that_began_is_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    row, begin_try = scene.fail(), MediaStore.begin_try

    def ben_is_faster(*arguments: Any) -> Any:
        monkeypatch.setattr(MediaStore, "begin_try", begin_try)
        retried(scene, BEN)
        return begin_try(*arguments)

    monkeypatch.setattr(MediaStore, "begin_try", ben_is_faster)
    with pytest.raises(Conflict, match="has just been changed by somebody else"):
        retried(scene, ANN)
    assert scene.row(row["media_id"]).get("retried_by") == BEN


def test_a_retry_of_many_names_who_started_and_canceled_it_and_its_tries_name_the_former(scene: Scene) -> None:
    row = scene.fail()
    scene.clock.elapsed += 1
    retries, machine = RetryStore(scene.store.table, scene.store.now), FakeExecutions()
    rest: Any = {"store": scene.store, "retries": retries, "machine": machine, "deadline": scene.clock.deadline()}
    request = RetriesRequest.from_body({}, providers=PROVIDERS)

    first = retry_many(request, who=ANN, **rest)
    assert first["started_by"] == ANN
    for who in (BEN, ANN):
        assert cancel_retry(first["retry_id"], retries=retries, who=who)["canceled_by"] == BEN
    unnamed = retry_many(request, who=None, **rest)
    assert not {"started_by", "canceled_by"} & unnamed.keys()
    assert "canceled_by" not in cancel_retry(unnamed["retry_id"], retries=retries)

    scene.clock.elapsed += 1
    retry_id = retry_many(request, who=ANN, **rest)["retry_id"]
    deadline = scene.clock.deadline(300)
    retry_page(
        {"retry_id": retry_id},
        store=scene.store,
        retries=retries,
        executions=scene.executions,
        per_minute=60,
        deadline=deadline,
    )
    ended = get_retry(retry_id, retries=retries)
    assert (ended["status"], ended["started_by"], "canceled_by" in ended) == ("done", ANN, False)
    assert ended in list_retries(retries=retries)["retries"]
    assert scene.row(row["media_id"]).get("retried_by") == ANN


def test_an_object_that_arrived_before_it_was_named_was_admitted_by_nobody(scene: Scene, make_media: MakeMedia) -> None:
    first, second = make_media("1.mp4"), make_media("2.mp4")
    scene.store.admit(R, first, providers=["marsview"])
    for media in (first, second):
        scene.store.admit(R, media, providers=["marsview"], admitted_by=ANN)
    assert [scene.row(media.media_id).get("admitted_by") for media in (first, second)] == [None, ANN]
