"""The Transcribe adapter with its stand-in and the Transcribe of the local cloud."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import get_session
from flask.testing import FlaskClient

from recording_insights.errors import InvalidRequest, ProviderRejected, ProviderUnavailable, SubmissionUnconfirmed
from recording_insights.model.insights import Insights
from recording_insights.processing.job_name import JobName
from recording_insights.providers.adapters.transcribe.calls import Transcribe
from recording_insights.providers.port import CallsBack, JobState
from recording_insights.providers.registry import capabilities_of, load_provider, validate_options
from recording_insights.settings import VendorSettings, job_prefix
from sandbox.stand_ins.app import create_app, create_runtime
from tests.sandbox.conftest import SAID, FakeSpeechEngine
from tests.transcribe_in_process import OUTPUT_BUCKET, LocalCloud, behind, boto3_client, local_cloud
from tests.unit.providers.adapters.transcribe_scene import JOB, NAME, Scripted, submit

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture(scope="module")
def one_cloud() -> Iterator[LocalCloud]:
    with local_cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(one_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    one_cloud.empty()
    one_cloud.put("talks/two words.mp4", b"media")
    behind(one_cloud, monkeypatch)
    return one_cloud


@pytest.fixture
def stand_ins(cloud: LocalCloud) -> Iterator[FlaskClient]:
    world = create_runtime(FakeSpeechEngine())
    cloud.sandbox = create_app(world).test_client()
    yield cloud.sandbox
    cloud.join()
    world.close()


@pytest.fixture
def provider(stand_ins: FlaskClient, cloud: LocalCloud) -> Transcribe:
    return Transcribe(transcribe=boto3_client(stand_ins), s3=cloud)


def test_from_media_to_insights(provider: Transcribe, cloud: LocalCloud, stand_ins: FlaskClient) -> None:
    job = submit(provider)
    assert job == JOB
    cloud.join()
    assert provider.poll(job, None).phase == "succeeded"
    insights = provider.read_insights(provider.fetch(job, None))
    assert [(u.text, u.speaker) for u in insights.transcript] == [
        ("How can I help you today?", "spk_0"),
        ("The table was broken that is terrible.", "spk_1"),
        ("I will send you a new table before Friday.", "spk_0"),
        ("Wonderful I am very happy.", "spk_1"),
    ]
    assert [(u.start_ms, u.end_ms) for u in insights.transcript] == [
        (round(said.start_ms), round(said.end_ms)) for said in SAID
    ]
    assert insights.sentiment is None
    assert insights.transcript[0].sentiment is None
    assert cloud.queries == [{"job": NAME, "format": "mp4", "speakers": "10"}]
    assert paid(stand_ins) == {"transcribe.jobs": 1}


def paid(stand_ins: FlaskClient) -> Any:
    ledger: Any = stand_ins.get("/ledger").json
    return ledger["paid"]


def test_a_repeat_finds_the_first_job(provider: Transcribe, cloud: LocalCloud, stand_ins: FlaskClient) -> None:
    assert submit(provider) == submit(provider) == JOB
    assert paid(stand_ins) == {"transcribe.jobs": 1}


NO_JOB: tuple[Any, ...] = ("<html>", [], {})


@pytest.mark.parametrize(
    "lost",
    [{"status": 500}, {"drop_connection": True}, *({"status": 200, "body": body} for body in NO_JOB)],
)
def test_a_lost_answer_is_no_lost_job(
    provider: Transcribe, cloud: LocalCloud, stand_ins: FlaskClient, lost: dict[str, Any]
) -> None:
    failure = {"call": "transcribe.start_transcription_job", "after": True, **lost}
    assert stand_ins.put("/dials", json={"fail_next": [failure]}).status_code == 200
    with pytest.raises(ProviderUnavailable) as caught:
        submit(provider)
    assert not isinstance(caught.value, SubmissionUnconfirmed)
    assert submit(provider) == JOB
    assert paid(stand_ins) == {"transcribe.jobs": 1}


def test_a_job_that_fails(provider: Transcribe, cloud: LocalCloud) -> None:
    cloud.put("talks/two words.mp4", b"nonsense")
    submit(provider)
    cloud.join()
    state = provider.poll(JOB, None)
    reason = "The media format provided does not match the detected media format."
    assert (state.phase, state.word, state.reason) == ("failed", "FAILED", f"Transcribe failed the job: {reason}")


def test_a_request_that_aws_refuses(provider: Transcribe) -> None:
    with pytest.raises(ProviderRejected, match="'languageCode' failed to satisfy constraint"):
        submit(provider, language="tlh")


def test_the_name_of_a_job_tells_its_stage() -> None:
    aws = Scripted({"TranscriptionJob": {"TranscriptionJobName": NAME}})
    job = submit(Transcribe(job_prefix=job_prefix("dev"), transcribe=aws, s3=aws))
    name = f"recording-insights-dev-{NAME}"
    assert job == {"name": name, "bucket": OUTPUT_BUCKET, "key": f"outputs/{name}.json"}
    (asked,) = aws.asked
    assert (asked["TranscriptionJobName"], asked["OutputKey"]) == (name, job["key"])
    assert JobName.read(name) == JobName.read(NAME), "the event of its end leads to the media object"


def test_a_transcript_is_encrypted_with_the_key_of_the_customer() -> None:
    """Without the parameter Transcribe uses a key of S3, whatever the default of the bucket is."""
    for key, sent in ((None, {}), (KEY, {"OutputEncryptionKMSKeyId": KEY})):
        aws = Scripted({"TranscriptionJob": {"TranscriptionJobName": NAME}})
        submit(Transcribe(kms_key_arn=key, transcribe=aws, s3=aws))
        (asked,) = aws.asked
        assert {name: value for name, value in asked.items() if "KMS" in name} == sent


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, {"IdentifyLanguage": True, "Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 10}}),
        ({"speakers": 2}, {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2}}),
        ({"language": "en-GB"}, {"LanguageCode": "en-GB"}),
        ({"language": "de"}, {"LanguageCode": "de-DE"}),
        ({"language": "nb"}, {"LanguageCode": "no-NO"}),
        ({"language": "fil-PH"}, {"LanguageCode": "tl-PH"}),
        ({"language": "zh-Hant"}, {"LanguageCode": "zh-TW"}),
        ({"language": "zh-Hans-CN"}, {"LanguageCode": "zh-CN"}),
        ({"language": "sr-Latn"}, {"LanguageCode": "sr-RS"}),
        ({"language": "xx"}, {"LanguageCode": "xx"}),
        (
            {"language": "en", "vocabulary_name": "our-names"},
            {"Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 10, "VocabularyName": "our-names"}},
        ),
    ],
)
def test_options_on_the_wire(options: dict[str, Any], sent: dict[str, Any]) -> None:
    validate_options("transcribe", options)
    aws = Scripted({"TranscriptionJob": {"TranscriptionJobName": NAME}})
    assert submit(Transcribe(transcribe=aws, s3=aws), **options) == JOB
    (asked,) = aws.asked
    assert {name: asked[name] for name in sent} == sent
    assert ("LanguageCode" in asked) != ("IdentifyLanguage" in asked)
    assert asked["Media"] == {"MediaFileUri": "s3://recordings/talks/two words.mp4"}
    assert (asked["MediaFormat"], asked["TranscriptionJobName"]) == ("mp4", NAME)
    assert (asked["OutputBucketName"], asked["OutputKey"]) == (JOB["bucket"], JOB["key"])


def test_a_vocabulary_needs_its_language() -> None:
    aws = Scripted(None)
    with pytest.raises(ProviderRejected, match="language"):
        submit(Transcribe(transcribe=aws), vocabulary_name="our-names")
    assert aws.asked == []


def test_only_a_redacted_transcript_is_read(provider: Transcribe, cloud: LocalCloud) -> None:
    options = {"language": "en", "redact_pii": ["ALL"]}
    validate_options("transcribe", options)
    job = submit(provider, **options)
    cloud.join()

    insights = provider.read_insights(provider.fetch(job, None))

    assert job == {**JOB, "redacted": True}
    assert insights.transcript[2].text == "I will send you a new table before [PII]."
    assert cloud.get(JOB["key"]) is None, "there is no other transcript"


@pytest.mark.parametrize(
    "place",
    ["https://s3.eu-central-1.amazonaws.com/replies", "https://replies.s3.eu-central-1.amazonaws.com", "s3://replies"],
)
def test_an_address_has_the_bucket_in_its_path_or_in_its_host(cloud: LocalCloud, place: str) -> None:
    cloud.put("outputs/redacted-a b.json", b'{"results": {"items": []}}', OUTPUT_BUCKET)
    found = {"Transcript": {"RedactedTranscriptFileUri": f"{place}/outputs/redacted-a%20b.json"}}
    reply = Transcribe(transcribe=Scripted({"TranscriptionJob": found}), s3=cloud).fetch(
        {**JOB, "redacted": True}, None
    )
    assert b"items" in reply


def test_the_types_to_redact_are_those_of_aws() -> None:
    types: Any = get_session().get_service_model("transcribe").shape_for("PiiEntityType")
    validate_options("transcribe", {"redact_pii": types.enum})
    with pytest.raises(InvalidRequest):
        validate_options("transcribe", {"redact_pii": ["person_name"]})


@pytest.mark.parametrize("language", [None, "en-GB", "ja"])
def test_a_language_that_is_not_redacted_is_refused_before_it_is_paid_for(language: str | None) -> None:
    aws = Scripted(None)
    with pytest.raises(ProviderRejected, match="redact_pii needs the option language: one of de-CH, "):
        submit(Transcribe(transcribe=aws), redact_pii=["ALL"], **({"language": language} if language else {}))
    assert aws.asked == []


@pytest.mark.parametrize("uri", [None, "", "https://s3.eu-central-1.amazonaws.com/replies/outputs/other.json"])
def test_the_unredacted_transcript_is_never_read_instead(cloud: LocalCloud, uri: str | None) -> None:
    cloud.put(JOB["key"], b'{"results": {"items": []}}', OUTPUT_BUCKET)
    transcript = {} if uri is None else {"RedactedTranscriptFileUri": uri}
    job = Scripted({"TranscriptionJob": {"TranscriptionJobStatus": "COMPLETED", "Transcript": transcript}})
    with pytest.raises(ProviderUnavailable):
        Transcribe(transcribe=job, s3=cloud).fetch({**JOB, "redacted": True}, None)


@pytest.mark.parametrize("laid", [b"", b"<html>", b"[]", b'{"results": {}}', b'{"results": {"items": null}}', None])
def test_what_is_no_transcript(cloud: LocalCloud, laid: bytes | None) -> None:
    if laid is not None:
        cloud.put(JOB["key"], laid, OUTPUT_BUCKET)
    job = Scripted({"TranscriptionJob": {"TranscriptionJobStatus": "COMPLETED"}})
    with pytest.raises(ProviderUnavailable):
        Transcribe(transcribe=job, s3=cloud).fetch(JOB, None)


# As AWS words them, after users' reports.
TOO_LITTLE_SPEECH = (
    "Your audio file must have a speech segment long enough in duration to perform automatic language identification. "
    "Provide an audio file with someone speaking for a longer period of time and try your request again.",
    "The input media file length is too small. Minimum audio duration is 0.500000 milliseconds. Check the length of "
    "the file and try your request again.",
)


@pytest.mark.parametrize("is_redacted", [False, True])
@pytest.mark.parametrize("reason", TOO_LITTLE_SPEECH)
def test_short_or_silent_media_is_an_empty_transcript(cloud: LocalCloud, reason: str, is_redacted: bool) -> None:
    job = {**JOB, **({"redacted": True} if is_redacted else {})}
    aws = Scripted({"TranscriptionJob": {"TranscriptionJobStatus": "FAILED", "FailureReason": reason}})
    provider = Transcribe(transcribe=aws, s3=cloud)
    assert provider.poll(job, None) == JobState("succeeded", "FAILED", missing=[f"transcript: {reason}"])
    assert provider.read_insights(provider.fetch(job, None)) == Insights(transcript=[])


def test_the_registry_makes_one_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Any]] = []
    monkeypatch.setattr("boto3.client", lambda service, **how: made.append((service, how)))
    settings = VendorSettings("dev", {"transcribe": "http://sandbox.test/transcribe"}, kms_key_arn=KEY)
    provider: Any = load_provider("transcribe", settings)
    assert made == []
    assert not isinstance(provider, CallsBack)
    assert provider._transcribe is None
    ((service, how),) = made
    assert provider._job_prefix == "recording-insights-dev-"
    assert provider._encryption == {"OutputEncryptionKMSKeyId": KEY}
    assert (service, how["endpoint_url"]) == ("transcribe", "http://sandbox.test/transcribe")
    assert how["config"].retries == {"total_max_attempts": 1}
    assert (how["config"].connect_timeout, how["config"].read_timeout) == (3.05, 25)


def test_capabilities() -> None:
    capabilities = capabilities_of("transcribe")
    assert (capabilities.takes, capabilities.callback, capabilities.result_by) == ("s3", "optional", "poll")
    service = capabilities.aws_service
    assert service is not None
    assert (service.event_source, service.detail_type, service.job_name) == (
        "aws.transcribe",
        "Transcribe Job State Change",
        "TranscriptionJobName",
    )


def test_the_local_cloud_announces_the_job_as_declared(provider: Transcribe, cloud: LocalCloud) -> None:
    submit(provider)
    cloud.join()
    service = capabilities_of("transcribe").aws_service
    assert service is not None
    assert [event[service.job_name] for event in cloud.events] == [NAME]
