"""Callbacks of every provider that sends them: early, late, repeated, lost, for another job, and forged."""

from collections.abc import Iterator, Mapping

import pytest

from recording_insights.providers.registry import PROVIDERS, capabilities_of, receives_webhooks
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import Scene
from tests.ways_of_waiting import each_provider

CALL_BACK = each_provider(name for name in PROVIDERS if capabilities_of(name).callback != "none")
BY_WEBHOOK = each_provider(name for name in PROVIDERS if receives_webhooks(name))

Sent = list[tuple[str, bytes, Mapping[str, str]]]
"""POSTs: path, body, headers."""


@pytest.fixture
def webhook(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The POSTs that the vendor made to our webhook."""
    seen: Sent = []
    post = scene.post

    def watch(path: str, body: bytes, headers: Mapping[str, str]) -> int:
        seen.append((path, body, dict(headers)))
        return post(path, body, headers)

    monkeypatch.setattr(scene, "post", watch)
    return seen


@pytest.mark.parametrize("provider", CALL_BACK)
@pytest.mark.parametrize("how", ["once", "double", "early"])
def test_it_ends_the_wait(scene: Scene, how: str) -> None:
    scene.dials(callback=how)
    if how != "early":
        scene.ears.may_hear.clear()  # until the workflow waits

    assert scene.run() == "done", scene.row
    assert "Wait" not in scene.entered
    assert bool(scene.woken) == (how != "early")
    assert scene.entered.count("Poll job") == 1
    assert scene.paid == 1


@pytest.mark.parametrize("provider", CALL_BACK)
def test_a_lost_one_is_made_good_by_the_back_up_poll_or_missed_with_a_reason(scene: Scene) -> None:
    scene.dials(callback="lost")

    status = scene.run()

    assert scene.paid == 1
    if scene.provider.capabilities.callback == "required":
        assert (status, "no result within 240 minutes; last: " in scene.reason) == ("failed", True)
    else:
        assert status == "done"


@pytest.mark.parametrize("provider", BY_WEBHOOK)
def test_every_authentic_one_is_answered_200(scene: Scene, webhook: Sent) -> None:
    scene.dials(callback="double")
    scene.run()

    assert set(scene.answers) == {200}
    assert len(webhook) >= 2


@pytest.mark.parametrize("provider", BY_WEBHOOK)
def test_a_flipped_byte_anywhere_in_the_proof_is_401_and_changes_nothing(scene: Scene, webhook: Sent) -> None:
    scene.dials(callback="once")
    scene.run()
    path, body, headers = webhook[-1]
    fresh = dict(scene.row)

    for forged in _forged(path, body, headers):
        assert scene.post(*forged) == 401, forged
    assert scene.row == fresh


@pytest.mark.parametrize("provider", BY_WEBHOOK)
def test_forged_before_the_end_it_ends_nothing(make_scene: MakeScene, webhook: Sent, scene: Scene) -> None:
    scene.run()
    path, body, headers = webhook[-1]
    waiting = make_scene()
    waiting.dials(job_never_ends=True)
    waiting.do("Submit recording")
    before = dict(waiting.row)

    for forged in _forged(path, body, headers):
        assert waiting.post(*forged) == 401, forged
    assert waiting.row == before
    assert not waiting.woken


@pytest.mark.parametrize("provider", BY_WEBHOOK)
def test_replayed_after_the_end_it_changes_nothing(scene: Scene, webhook: Sent) -> None:
    scene.run()
    before, kept = dict(scene.row), dict(scene.s3.objects)

    for path, body, headers in list(webhook):
        assert scene.post(path, body, headers) == 200

    assert (scene.row, dict(scene.s3.objects)) == (before, kept)


def _forged(path: str, body: bytes, headers: Mapping[str, str]) -> Iterator[tuple[str, bytes, Mapping[str, str]]]:
    """The same POST with a wrong proof: in the path, in a header, or in the body if the vendor signs it."""
    if len(path.split("/")) == 5:
        yield path[:-1] + ("0" if path[-1] != "0" else "1"), body, headers
        yield path.rpartition("/")[0], body, headers
        return
    proofs = [name for name in headers if name.lower().startswith("x-")]
    assert proofs, "nothing proves this callback"
    for name in proofs:
        value = headers[name]
        yield path, body, {**headers, name: value[:-1] + ("0" if value[-1] != "0" else "1")}
        yield path, body, {key: text for key, text in headers.items() if key != name}
    if len(path.split("/")) == 3:
        yield path, body.replace(b"a", b"b", 1), headers
