"""Symbl's published Python client, and the adapter, against the served stand-in."""

# mypy: disable-error-code="import-untyped"
import functools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.symbl.calls import Symbl
from recording_insights.providers.port import CallbackAddress, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.symbl.server import CREDENTIALS

LOGIN = {"app_id": CREDENTIALS["appId"], "app_secret": CREDENTIALS["appSecret"]}
SPOKEN = {"enableSpeakerDiarization": True, "diarizationSpeakerCount": 2}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *what: Any) -> None:
        pass


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the first two sentences of the sample can be had."""
    folder = tmp_path_factory.mktemp("media")
    beginning_mp4(SAMPLE, 7.0, folder / "talk.mp4")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/talk.mp4"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    """The client, pointed at the stand-in: its objects take the host when they are made, that is at import."""
    from symbl_rest import Configuration

    configuration = Configuration()
    configuration.host = f"{served}/symbl"
    Configuration.set_default(configuration)
    import symbl
    from symbl.Conversations import Conversation

    Conversation._Conversation__INTERVAL_TIME_IN_SECONDS = 0.05  # it would ask every 30 s
    return symbl


@pytest.fixture(autouse=True)
def untouched(runtime: Runtime) -> None:
    runtime.dials.reset()
    runtime.ledger.reset()


@pytest.fixture(scope="module")
def conversation(client: Any, link: str) -> Any:
    trackers = [{"name": "Greeting", "vocabulary": ["help"]}]
    payload = {"url": link, "name": "client", "trackers": trackers, "detectPhrases": True, "confidenceThreshold": 0.6}
    return client.Video.process_url(payload=payload, credentials=LOGIN, parameters=dict(SPOKEN))


def test_the_client_waits_for_the_end(conversation: Any) -> None:
    assert conversation.get_job_status() == "completed"


def test_messages(conversation: Any) -> None:
    messages = conversation.get_messages(parameters={"verbose": True, "sentiment": True}).messages
    assert len(messages) == 2
    assert {message._from.name for message in messages} == {"Speaker 1", "Speaker 2"}
    assert all(message.words[0].word and -1 <= message.sentiment.polarity.score <= 1 for message in messages)
    assert messages[0].start_time < messages[0].end_time < messages[1].start_time


def test_every_result_is_one_that_the_client_can_read(conversation: Any) -> None:
    results = {
        "topics": conversation.get_topics(),
        "action_items": conversation.get_action_items(),
        "follow_ups": conversation.get_follow_ups(),
        "questions": conversation.get_questions(),
        "members": conversation.get_members(),
        "metrics": conversation.get_analytics(),
        "entities": conversation.get_entities(),
        "start_time": conversation.get_conversation(),
    }
    for field, result in results.items():
        assert getattr(result, field) is not None
    assert [tracker.name for tracker in conversation.get_trackers()] == ["Greeting"]
    assert len(results["members"].members) == 2
    assert results["questions"].questions[0].text.startswith("How can I help")


def test_audio_without_diarization(client: Any, link: str, runtime: Runtime) -> None:
    conversation = client.Audio.process_url(payload={"url": link}, credentials=LOGIN)
    assert [message._from.name for message in conversation.get_messages().messages] == [None, None]
    assert runtime.ledger.as_json()["paid"] == {"symbl.jobs": 1}


def test_a_refusal_reaches_the_client(client: Any) -> None:
    from symbl_rest.rest import ApiException

    with pytest.raises(ApiException) as raised:
        client.Video.process_url(payload={"url": "nowhere"}, credentials=LOGIN)
    assert raised.value.status == 400


def test_an_unknown_conversation(client: Any) -> None:
    assert "does not exist" in client.Conversations.get_messages("1", credentials=LOGIN)["message"]


def test_the_adapter_sees_what_the_client_sees(served: str, link: str, runtime: Runtime, conversation: Any) -> None:
    runtime.dials.change({"symbl": {"callback": "lost"}})
    adapter = Symbl(VendorHttp("Symbl", f"{served}/symbl"), lambda fresh: CREDENTIALS)
    submission = Submission(
        title="talk",
        name="rec-media-0",
        media=MediaObject("bucket", "talk.mp4", "etag", 5, datetime(2026, 3, 12, tzinfo=UTC)),
        options={},
        make_link=lambda: link,
        open_media=lambda: pytest.fail("the media goes by link"),
        callback=CallbackAddress(f"{served}/nobody", "token"),
        delivery=Delivery("bucket", "key", lambda: pytest.fail("Symbl does not deliver")),
    )
    job = adapter.submit(submission, {}, lambda job: None)
    runtime.jobs.join()
    assert adapter.poll(job, None).phase == "succeeded"
    transcript = adapter.read_insights(adapter.fetch(job, None)).transcript
    messages = conversation.get_messages().messages
    assert [(u.text, u.speaker) for u in transcript] == [(m.text, m._from.name) for m in messages]
