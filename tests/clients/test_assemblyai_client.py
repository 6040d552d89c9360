"""The vendor's published client against the stand-in."""

import json
from collections.abc import Iterator
from typing import Any

import assemblyai as aai
import pytest
from assemblyai.api import delete_transcript  # type: ignore[attr-defined]

from recording_insights.providers.registry import validate_options
from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.assemblyai.server import CREDENTIALS, AssemblyAIDials

# The client calls deprecated methods of pydantic, where pydantic-settings is installed.
pytestmark = pytest.mark.filterwarnings("ignore:The `\\w+` method is deprecated:DeprecationWarning")

LINK = "https://bucket.example/talk.mp4?X-Amz-Signature=5ec0de"


@pytest.fixture
def client(served: str, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[aai.Client]:
    monkeypatch.setattr(runtime, "download", lambda link, target: target.write_bytes(runtime.sample.read_bytes()))
    settings = aai.Settings(api_key=CREDENTIALS["apiKey"], base_url=f"{served}/assemblyai", polling_interval=0.1)
    client = aai.Client(settings=settings)
    yield client
    client.http_client.close()
    runtime.dials.reset()


def transcribe(client: aai.Client, **config: Any) -> aai.Transcript:
    return aai.Transcriber(client=client, config=aai.TranscriptionConfig(**config)).transcribe(LINK)


def test_the_clients_own_default_call(client: aai.Client) -> None:
    """It sends no speech_models."""
    done = transcribe(client)
    assert done.status is aai.TranscriptStatus.completed
    assert done.text
    assert done.utterances is None
    assert done.words


def test_all_that_is_derived(client: aai.Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def send(*call: Any) -> int:
        sent.append(call)
        return 200

    monkeypatch.setattr(runtime, "send", send)
    done = transcribe(
        client,
        speech_models=["universal-3-5-pro", "universal-2"],
        language_detection=True,
        speaker_labels=True,
        speakers_expected=2,
        sentiment_analysis=True,
        iab_categories=True,
        auto_highlights=True,
        entity_detection=True,
        keyterms_prompt=["table"],
        webhook_url="https://hooks.example/here",
        webhook_auth_header_name="X-Token",
        webhook_auth_header_value="value",
    )
    assert done.error is None
    assert done.utterances
    assert {utterance.speaker for utterance in done.utterances} == {"A", "B"}
    assert done.sentiment_analysis
    assert len(done.sentiment_analysis) == len(done.utterances)
    assert done.iab_categories
    assert done.iab_categories.summary
    assert done.auto_highlights
    assert done.auto_highlights.results
    assert done.entities
    assert {entity.entity_type for entity in done.entities} == {"date"}
    runtime.jobs.join()
    ((_, url, body, headers),) = sent
    assert (url, headers["X-Token"]) == ("https://hooks.example/here", "value")
    assert json.loads(body) == {"transcript_id": done.id, "status": "completed"}


def test_the_list_has_the_newest_first(client: aai.Client) -> None:
    done = transcribe(client)
    listed = aai.Transcriber(client=client).list_transcripts(aai.ListTranscriptParameters(limit=2))
    assert listed.transcripts[0].id == done.id
    assert listed.transcripts[0].audio_url == LINK
    assert listed.page_details.before_id_of_prev_url == listed.transcripts[-1].id


def test_deleting(client: aai.Client) -> None:
    transcript_id = transcribe(client).id
    assert transcript_id
    deleted = delete_transcript(client.http_client, transcript_id)
    assert (deleted.id, deleted.text, deleted.audio_url) == (
        transcript_id,
        "Deleted by user.",
        "http://deleted_by_user",
    )


def test_a_link_that_gives_nothing(client: aai.Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(link: str, target: Any) -> None:
        raise DownloadFailed("forbidden", 403)

    monkeypatch.setattr(runtime, "download", refuse)
    failed = transcribe(client)
    assert failed.status is aai.TranscriptStatus.error
    assert str(failed.error).startswith(f"Download error, unable to download {LINK}")


def test_what_is_refused(client: aai.Client) -> None:
    with pytest.raises(aai.TranscriptError, match="not available in this language: sentiment_analysis"):
        transcribe(client, language_code="de", sentiment_analysis=True)
    with pytest.raises(aai.TranscriptError, match="must be a non-empty list"):
        transcribe(client, speech_models=["nano"])


def test_a_wrong_key(served: str) -> None:
    client = aai.Client(settings=aai.Settings(api_key="wrong", base_url=f"{served}/assemblyai"))
    with pytest.raises(aai.TranscriptError, match="API token missing/invalid"):
        transcribe(client)
    client.http_client.close()


def test_more_jobs_than_slots_are_all_done(client: aai.Client, runtime: Runtime) -> None:
    runtime.dials.turn(AssemblyAIDials, concurrent_jobs=1)
    group = aai.Transcriber(client=client, max_workers=2).transcribe_group([LINK, LINK])
    assert isinstance(group, aai.TranscriptGroup)
    assert [transcript.status for transcript in group] == [aai.TranscriptStatus.completed] * 2


def test_all_that_the_client_can_redact_is_an_option() -> None:
    validate_options("assemblyai", {"redact_pii": [policy.value for policy in aai.PIIRedactionPolicy]})
