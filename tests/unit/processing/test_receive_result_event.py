"""Events of EventBridge that report a result or the end of a job."""

from typing import Any

import pytest

from recording_insights.errors import NotFound
from recording_insights.processing.receive_result_event import receive_result_event

PROVIDERS = ("symbl", "transcribe")


class FakeCallbacks:
    """Notes what it receives; knows the job `known` only."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    def receive_delivery(self, key: str) -> str:
        return self._receive(key)

    def receive_kept_result(self, key: str) -> str:
        return self._receive("kept", key.removeprefix("callbacks/seameet/"))

    def receive_state_change(self, provider: str, job_name: str) -> str:
        return self._receive(provider, job_name)

    def _receive(self, *what: str) -> str:
        self.received.append(what)
        if "unknown" in what:
            raise NotFound("no job of ours is called unknown")
        return "noted"


def receive(event: dict[str, Any]) -> tuple[str, list[Any]]:
    fake: Any = FakeCallbacks()
    return receive_result_event(event, callbacks=fake, providers=PROVIDERS), fake.received


def state_change(source: str, job: str) -> dict[str, Any]:
    return {"source": source, "detail": {"TranscriptionJobName": job}}


def test_an_object_is_a_delivery() -> None:
    event = {"source": "aws.s3", "detail": {"object": {"key": "deliveries/deepgram/job.json"}}}
    assert receive(event) == ("noted", [("deliveries/deepgram/job.json",)])


def kept(name: str) -> dict[str, Any]:
    return {"source": "aws.s3", "detail": {"object": {"key": f"callbacks/seameet/{name}"}}}


def test_a_kept_result_is_received() -> None:
    assert receive(kept("digest")) == ("noted", [("kept", "digest")])


def test_a_kept_result_of_a_job_that_is_not_known_yet_comes_again() -> None:
    with pytest.raises(NotFound):
        receive(kept("unknown"))


def test_the_end_of_a_job_leads_to_the_provider_of_its_service() -> None:
    assert receive(state_change("aws.transcribe", "job")) == ("noted", [("transcribe", "job")])


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (state_change("aws.translate", "job"), "no provider of this stack is aws.translate"),
        (state_change("aws.transcribe", "unknown"), "no job of ours is called unknown"),
    ],
)
def test_events_of_other_jobs_are_ignored_with_the_reason(event: dict[str, Any], outcome: str) -> None:
    assert receive(event)[0] == outcome
