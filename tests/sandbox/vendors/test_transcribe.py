"""The front of Transcribe, its ears, and the local cloud behind them, without sockets."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.cloud.emulator.transcribe import Recognition
from tests.sandbox.conftest import SAID, FakeSpeechEngine, StandIns, new_stand_ins, until
from tests.transcribe_in_process import MEDIA_BUCKET, OUTPUT_BUCKET, LocalCloud, behind, boto3_client, local_cloud

NAME = "job-1"
OUTPUT = f"transcribe/{NAME}.json"
REDACTION = {"RedactionType": "PII", "RedactionOutput": "redacted"}


@pytest.fixture(scope="module")
def one_cloud() -> Iterator[LocalCloud]:
    with local_cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(one_cloud: LocalCloud) -> LocalCloud:
    one_cloud.empty()
    one_cloud.put("talk.mp4", b"media")
    return one_cloud


@pytest.fixture
def stand_ins(cloud: LocalCloud, engine: FakeSpeechEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIns]:
    behind(cloud, monkeypatch)
    with new_stand_ins(engine) as made:
        cloud.sandbox = made.client
        yield made
        cloud.join()


@pytest.fixture
def transcribe(stand_ins: StandIns) -> Any:
    return boto3_client(stand_ins.client, careful=False)


def wanted(settings: dict[str, Any] | None = None, without: str = "", **changes: Any) -> dict[str, Any]:
    request = {
        "TranscriptionJobName": NAME,
        "LanguageCode": "en-US",
        "MediaFormat": "mp4",
        "Media": {"MediaFileUri": f"s3://{MEDIA_BUCKET}/talk.mp4"},
        "OutputBucketName": OUTPUT_BUCKET,
        "OutputKey": OUTPUT,
        "Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 10, **(settings or {})},
        **changes,
    }
    request.pop(without, None)
    return request


def done(transcribe: Any, cloud: LocalCloud, **changes: Any) -> Any:
    transcribe.start_transcription_job(**wanted(**changes))
    cloud.join()
    return transcribe.get_transcription_job(TranscriptionJobName=NAME)["TranscriptionJob"]


def results(cloud: LocalCloud) -> Any:
    return json.loads(cloud.get(OUTPUT) or b"")["results"]


def refused(call: Any, **request: Any) -> Any:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]


def test_a_job_hears_what_its_media_says(transcribe: Any, cloud: LocalCloud) -> None:
    job = done(transcribe, cloud)
    assert job["TranscriptionJobStatus"] == "COMPLETED"
    document = json.loads(cloud.get(OUTPUT) or b"")
    assert (document["jobName"], document["status"]) == (NAME, "COMPLETED")
    assert document["accountId"] == "123456789012"
    assert document["results"]["transcripts"][0]["transcript"].startswith("How can I help you today?")
    assert "mock" not in json.dumps(document)
    assert cloud.events == [{"TranscriptionJobName": NAME, "TranscriptionJobStatus": "COMPLETED"}]


def test_words_have_times_and_speakers_and_punctuation_has_none(transcribe: Any, cloud: LocalCloud) -> None:
    done(transcribe, cloud)
    items = results(cloud)["items"]
    first, mark = items[0], items[6]
    assert first == {
        "id": 0,
        "start_time": "0.990",
        "end_time": first["end_time"],
        "alternatives": [{"confidence": "1.0", "content": "How"}],
        "type": "pronunciation",
        "speaker_label": "spk_0",
    }
    assert mark == {
        "id": 6,
        "alternatives": [{"confidence": "0.0", "content": "?"}],
        "type": "punctuation",
        "speaker_label": "spk_0",
    }
    spans = [(float(item["start_time"]), float(item["end_time"])) for item in items if "start_time" in item]
    assert spans == sorted(spans)
    assert all(begins < ends for begins, ends in spans)
    assert spans[-1][1] == pytest.approx(SAID[-1].end_ms / 1000, abs=0.001)


def test_segments_and_labels_are_of_the_utterances(transcribe: Any, cloud: LocalCloud) -> None:
    done(transcribe, cloud)
    found = results(cloud)
    assert [segment["speaker_label"] for segment in found["audio_segments"]] == ["spk_0", "spk_1", "spk_0", "spk_1"]
    assert [segment["start_time"] for segment in found["audio_segments"]] == ["0.990", "4.680", "7.380", "11.340"]
    assert found["audio_segments"][1]["items"][0] == 7
    assert found["speaker_labels"]["speakers"] == 2
    assert found["speaker_labels"]["segments"][1]["items"][0] == {
        name: found["items"][7][name] for name in ("start_time", "speaker_label", "end_time")
    }


def test_speakers_are_labelled_only_if_asked_for(transcribe: Any, cloud: LocalCloud) -> None:
    done(transcribe, cloud, Settings={"ShowSpeakerLabels": False})
    assert "speaker_labels" not in results(cloud)
    assert "speaker_label" not in json.dumps(results(cloud))


@pytest.mark.parametrize(
    ("entities", "day", "confidence"),
    [(["DATE_TIME"], "[PII]", {"redactions": [{"confidence": "1.0"}]}), (["NAME"], "Friday", {"confidence": "1.0"})],
)
def test_only_a_redacted_transcript_is_written(
    transcribe: Any, cloud: LocalCloud, entities: list[str], day: str, confidence: dict[str, Any]
) -> None:
    job = done(transcribe, cloud, ContentRedaction={**REDACTION, "PiiEntityTypes": entities})

    assert list(job["Transcript"]) == ["RedactedTranscriptFileUri"]
    assert cloud.get(OUTPUT) is None
    written = json.loads(cloud.get(f"transcribe/redacted-{NAME}.json") or b"")
    assert written["isRedacted"]
    found = written["results"]
    assert f"before {day}." in found["transcripts"][0]["transcript"]
    assert f"before {day}." in found["audio_segments"][2]["transcript"]
    [item] = [item for item in found["items"] if item["alternatives"][0]["content"] == day]
    assert item["alternatives"] == [{"content": day, **confidence}]


def test_more_voices_than_labels_share_the_last_one(stand_ins: StandIns) -> None:
    reply: Any = stand_ins.client.post("/transcribe/hear?speakers=1&format=mp4", data=b"media")
    assert {s["speaker_label"] for s in reply.json["results"]["audio_segments"]} == {"spk_0"}


def test_silence_is_a_transcript_too(
    transcribe: Any, cloud: LocalCloud, engine: FakeSpeechEngine, monkeypatch: Any
) -> None:
    monkeypatch.setattr(engine, "recognise", lambda *_: [])
    assert done(transcribe, cloud)["TranscriptionJobStatus"] == "COMPLETED"
    assert results(cloud)["items"] == []
    assert results(cloud)["transcripts"] == [{"transcript": ""}]


@pytest.mark.parametrize("without", ["OutputKey", "OutputBucketName", "MediaFormat", "Settings"])
def test_what_is_optional_may_be_left_out(transcribe: Any, cloud: LocalCloud, without: str) -> None:
    request = wanted(without=without)
    if without == "OutputBucketName":  # then AWS keeps the transcript itself
        del request["OutputKey"]
    transcribe.start_transcription_job(**request)
    cloud.join()
    job = transcribe.get_transcription_job(TranscriptionJobName=NAME)["TranscriptionJob"]
    assert job["TranscriptionJobStatus"] == "COMPLETED"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TranscriptionJobName": "a b"}, "'transcriptionJobName' failed"),
        ({"TranscriptionJobName": "a" * 201}, "length less than or equal to 200"),
        ({"MediaFormat": "ts"}, "'mediaFormat' failed to satisfy constraint: Member must satisfy enum value set"),
        ({"LanguageCode": "en"}, "'languageCode' failed"),
        ({"without": "LanguageCode"}, "either LanguageCode or IdentifyLanguage"),
        ({"IdentifyLanguage": True}, "only one of"),
        ({"Media": {}}, "Value null at 'media"),
        ({"Media": {"MediaFileUri": "talk.mp4"}}, "'media.mediaFileUri' failed"),
        ({"settings": {"MaxSpeakerLabels": 31}}, "value less than or equal to 30"),
        ({"settings": {"MaxSpeakerLabels": 1}}, "value greater than or equal to 2"),
        ({"Settings": {"ShowSpeakerLabels": True}}, "specified together"),
        ({"Settings": {"MaxSpeakerLabels": 2}}, "specified together"),
        ({"settings": {"VocabularyName": "names"}}, "vocabulary couldn't be found"),
        ({"OutputKey": "with space.json"}, "'outputKey' failed"),
        ({"without": "OutputBucketName"}, "OutputKey can only"),
        ({"OutputBucketName": "no-such-bucket"}, "specified S3 bucket can't be accessed"),
        ({"ContentRedaction": {**REDACTION, "PiiEntityTypes": ["NAMES"]}}, "enum value set"),
        ({"ContentRedaction": REDACTION, "LanguageCode": "en-GB"}, "needs a LanguageCode out of"),
        ({"ContentRedaction": REDACTION, "without": "LanguageCode", "IdentifyLanguage": True}, "needs a LanguageCode"),
        ({"ContentRedaction": {**REDACTION, "RedactionOutput": "redacted_and_unredacted"}}, "not both"),
    ],
)
def test_a_wrong_start_is_refused(transcribe: Any, stand_ins: StandIns, changes: dict[str, Any], message: str) -> None:
    error = refused(transcribe.start_transcription_job, **wanted(**changes))
    assert error["Code"] == "BadRequestException"
    assert message in error["Message"]
    assert stand_ins.ledger()["paid"] == {}


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", json.dumps(wanted(Settings=[])).encode()])
def test_a_body_of_another_form_is_refused(stand_ins: StandIns, body: bytes) -> None:
    target = {"X-Amz-Target": "Transcribe.StartTranscriptionJob"}
    reply = stand_ins.client.post("/transcribe", data=body, headers=target)
    assert (reply.status_code, json.loads(reply.data)["__type"]) == (400, "SerializationException")


def test_a_name_is_taken_once_and_costs_once(transcribe: Any, stand_ins: StandIns, cloud: LocalCloud) -> None:
    done(transcribe, cloud)
    assert refused(transcribe.start_transcription_job, **wanted())["Code"] == "ConflictException"
    assert stand_ins.ledger()["paid"] == {"transcribe.jobs": 1}
    lines = [(line["call"], line["status"], line.get("job")) for line in stand_ins.ledger()["lines"]]
    assert ("transcribe.start_transcription_job", 400, NAME) in lines
    assert ("transcribe.hear", 200, NAME) in lines


def test_aws_leaves_the_file_by_which_it_tried(transcribe: Any, cloud: LocalCloud) -> None:
    done(transcribe, cloud)
    assert cloud.get("transcribe/.write_access_check_file.temp") == b""


def test_unknown_jobs_and_the_other_calls(transcribe: Any, stand_ins: StandIns, cloud: LocalCloud) -> None:
    assert refused(transcribe.get_transcription_job, TranscriptionJobName=NAME)["Code"] == "NotFoundException"
    done(transcribe, cloud)
    assert len(transcribe.list_transcription_jobs()["TranscriptionJobSummaries"]) == 1
    transcribe.delete_transcription_job(TranscriptionJobName=NAME)
    assert transcribe.list_transcription_jobs()["TranscriptionJobSummaries"] == []
    asked = {line["call"] for line in stand_ins.ledger()["lines"]}
    assert {"transcribe.list_transcription_jobs", "transcribe.delete_transcription_job"} < asked


@pytest.mark.parametrize(
    ("method", "path", "target", "status"),
    [
        ("POST", "/transcribe", "Transcribe.StartMedicalScribeJob", 400),
        ("POST", "/transcribe/", "", 400),
        ("GET", "/transcribe", "Transcribe.GetTranscriptionJob", 404),
        ("POST", "/transcribe/v2", "Transcribe.GetTranscriptionJob", 404),
    ],
)
def test_nothing_else_is_there(stand_ins: StandIns, method: str, path: str, target: str, status: int) -> None:
    reply = stand_ins.client.open(path, method=method, headers={"X-Amz-Target": target}, data=b"{}")
    assert (reply.status_code, json.loads(reply.data)["__type"]) == (status, "UnknownOperationException")


@pytest.mark.parametrize(
    ("media", "dials", "reason"),
    [
        (b"nonsense", {}, "The media format provided does not match the detected media format."),
        (b"media", {"job_fails": "Internal error"}, "Internal error"),
        (b"media", {"own_fault_next": 1}, "Internal Failure"),
        (b"media", {"link_expired_next": 1}, "The S3 URI that you provided can't be accessed."),
    ],
)
def test_a_job_fails_with_its_reason(
    transcribe: Any, stand_ins: StandIns, cloud: LocalCloud, media: bytes, dials: dict[str, Any], reason: str
) -> None:
    cloud.put("talk.mp4", media)
    stand_ins.dials(transcribe=dials)
    job = done(transcribe, cloud)
    assert job["TranscriptionJobStatus"] == "FAILED"
    assert job["FailureReason"].startswith(reason)
    assert cloud.get(OUTPUT) is None
    assert [event["TranscriptionJobStatus"] for event in cloud.events] == ["FAILED"]


def test_media_that_is_not_there(transcribe: Any, cloud: LocalCloud) -> None:
    job = done(transcribe, cloud, Media={"MediaFileUri": f"s3://{MEDIA_BUCKET}/other.mp4"})
    assert (job["TranscriptionJobStatus"], cloud.queries) == ("FAILED", [])


@pytest.mark.parametrize(
    "recognition", [Recognition(500, {}, b"{}"), Recognition(200, {}, b"<html>"), ConnectionError("away")]
)
def test_a_job_fails_without_recognition(transcribe: Any, cloud: LocalCloud, recognition: Any) -> None:
    cloud.recognition = recognition
    job = done(transcribe, cloud)
    assert job["FailureReason"] == "Internal Failure. Please try your request again."
    assert len(cloud.events) == 1


@pytest.mark.parametrize(("callback", "events"), [("once", 1), ("lost", 0), ("double", 2)])
def test_events_follow_their_dial(
    transcribe: Any, stand_ins: StandIns, cloud: LocalCloud, callback: str, events: int
) -> None:
    stand_ins.dials(transcribe={"callback": callback})
    assert done(transcribe, cloud)["TranscriptionJobStatus"] == "COMPLETED"
    assert len(cloud.events) == events


def test_an_early_event_comes_before_the_answer(
    transcribe: Any, stand_ins: StandIns, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_ins.dials(transcribe={"callback": "early"})

    def sleep(seconds: float) -> None:
        if seconds > 0:
            until(lambda: cloud.events)

    monkeypatch.setattr(stand_ins.runtime.jobs, "sleep", sleep)
    transcribe.start_transcription_job(**wanted())
    assert len(cloud.events) == 1


def test_the_other_dials(transcribe: Any, stand_ins: StandIns, cloud: LocalCloud) -> None:
    stand_ins.dials(transcribe={"job_never_ends": True, "unknown_state": "PAUSED", "unknown_state_polls": 1})
    assert done(transcribe, cloud)["TranscriptionJobStatus"] == "PAUSED"
    job = transcribe.get_transcription_job(TranscriptionJobName=NAME)["TranscriptionJob"]
    assert job["TranscriptionJobStatus"] == "IN_PROGRESS"
    assert cloud.events == []


def test_a_long_result(transcribe: Any, stand_ins: StandIns, cloud: LocalCloud) -> None:
    stand_ins.dials(transcribe={"oversize_result": 50})
    done(transcribe, cloud)
    assert len(results(cloud)["audio_segments"]) == 50


@pytest.mark.parametrize("query", ["format=ts", "speakers=0"])
def test_the_ears_take_only_what_transcribe_takes(stand_ins: StandIns, query: str) -> None:
    assert stand_ins.client.post(f"/transcribe/hear?{query}", data=b"media").status_code == 400


def test_a_look_waits_for_the_job_in_the_local_cloud(transcribe: Any, stand_ins: StandIns) -> None:
    stand_ins.dials(transcribe={"look_waits": True, "job_seconds": 0.1})
    transcribe.start_transcription_job(**wanted())
    found = transcribe.get_transcription_job(TranscriptionJobName=NAME)["TranscriptionJob"]
    assert found["TranscriptionJobStatus"] == "COMPLETED"


def test_a_look_does_not_wait_for_a_job_that_never_ends(transcribe: Any, stand_ins: StandIns) -> None:
    stand_ins.dials(transcribe={"look_waits": True, "job_never_ends": True})
    transcribe.start_transcription_job(**wanted())
    found = transcribe.get_transcription_job(TranscriptionJobName=NAME)["TranscriptionJob"]
    assert found["TranscriptionJobStatus"] == "IN_PROGRESS"
