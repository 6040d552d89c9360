"""Deepgram's stand-in: strict as the vendor, one answer or one callback, nothing kept."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.vendors.deepgram.server import CREDENTIALS, KEY_ID
from tests.sandbox.conftest import FakeSpeechEngine, StandIns

LINK = "https://bucket.example/talk.mp4?X-Amz-Signature=secret"
PLACE = "https://replies.example/result.json?X-Amz-Signature=secret"
AUTHORIZATION = f"Token {CREDENTIALS['apiKey']}"


class Customer:
    """Calls Deepgram as a well-behaved customer; every part can be spoilt."""

    def __init__(self, stand_ins: StandIns, media: Path | DownloadFailed) -> None:
        self.stand_ins = stand_ins
        stand_ins.links[LINK] = media

    def listen(self, *, headers: Any = None, json: Any = None, **query: Any) -> Any:
        call: dict[str, Any] = {"json": {"url": LINK} if json is None else json}
        if isinstance(json, bytes):
            call = {"data": json}
        headers = {"Authorization": AUTHORIZATION} if headers is None else headers
        return self.stand_ins.client.post("/deepgram/v1/listen", query_string=query, headers=headers, **call)

    def result(self, **query: Any) -> Any:
        reply = self.listen(**query)
        assert reply.status_code == 200, reply.json
        return reply.json

    def delivered(self, **query: Any) -> Any:
        """The request id, and the callback once the job is over."""
        reply = self.listen(callback=PLACE, **query)
        assert reply.status_code == 200, reply.json
        self.stand_ins.finish()
        return reply.json["request_id"], self.stand_ins.sent[-1]

    @property
    def paid(self) -> int:
        return int(self.stand_ins.ledger()["paid"].get("deepgram.jobs", 0))


@pytest.fixture
def deepgram(shared_stand_ins: StandIns, media: Path) -> Customer:
    return Customer(shared_stand_ins, media)


@pytest.fixture
def heard(stand_ins: StandIns, media: Path) -> Customer:
    """One with ears of its own."""
    return Customer(stand_ins, media)


def test_the_result_comes_at_once_without_a_callback(heard: Customer, engine: FakeSpeechEngine) -> None:
    result = heard.result(model="nova-3", diarize_model="latest", smart_format="true")
    assert (engine.speakers, heard.paid, heard.stand_ins.sent) == ([None], 1, [])
    metadata = result["metadata"]
    assert metadata["sha256"] == hashlib.sha256(b"media").hexdigest()
    assert (metadata["created"], metadata["duration"], metadata["channels"]) == ("2027-01-15T08:00:00.000Z", 16.29, 1)
    (model,) = metadata["models"]
    assert metadata["model_info"][model]["arch"] == "nova-3"
    assert metadata["diarize_info"]["arch"] == "v2"
    (channel,) = result["results"]["channels"]
    (spoken,) = channel["alternatives"]
    assert spoken["transcript"].startswith("How can I help you today? The table")
    first, *_, last = spoken["words"]
    assert first.keys() == {
        "word",
        "start",
        "end",
        "confidence",
        "speaker",
        "speaker_confidence",
        "punctuated_word",
    }
    assert (first["word"], first["punctuated_word"], first["start"], first["speaker"]) == ("how", "How", 0.99, 0)
    assert (last["punctuated_word"], last["end"], last["speaker"]) == ("happy.", 16.29, 1)
    starts = [word["start"] for word in spoken["words"]]
    assert starts == sorted(starts)
    assert [paragraph["num_words"] for paragraph in spoken["paragraphs"]["paragraphs"]] == [6, 7, 9, 5]
    assert result["results"].keys() == {"channels"}


def test_what_was_not_asked_for_is_absent(heard: Customer, engine: FakeSpeechEngine) -> None:
    result = heard.result()
    (word, *_) = result["results"]["channels"][0]["alternatives"][0]["words"]
    assert word.keys() == {"word", "start", "end", "confidence"}
    assert engine.speakers == [1]
    assert "detected_language" not in result["results"]["channels"][0]


def test_intelligence_points_at_words(deepgram: Customer) -> None:
    features = dict.fromkeys(("sentiment", "topics", "intents", "detect_entities", "utterances"), "true")
    result = deepgram.result(**features, summarize="v2", punctuate="true", detect_language="true")
    results = result["results"]
    assert results["channels"][0]["detected_language"] == "en"
    (spoken,) = results["channels"][0]["alternatives"]
    words = [word["punctuated_word"] for word in spoken["words"]]
    segments = results["sentiments"]["segments"]
    assert [segment["sentiment"] for segment in segments] == ["positive", "negative", "neutral", "positive"]
    assert (segments[0]["start_word"], segments[-1]["end_word"]) == (0, len(words) - 1)
    for found in (segments, results["topics"]["segments"], results["intents"]["segments"]):
        for segment in found:
            assert " ".join(words[segment["start_word"] : segment["end_word"] + 1]) == segment["text"]
    assert -1 <= results["sentiments"]["average"]["sentiment_score"] <= 1
    assert spoken["words"][7]["sentiment"] == "negative"
    assert results["topics"]["segments"][0]["topics"][0]["topic"] == "Table"
    assert spoken["entities"] == [
        {"label": "DATE", "value": " today", "confidence": 0.9, "start_word": 5, "end_word": 6},
        {"label": "DATE", "value": " friday", "confidence": 0.9, "start_word": 21, "end_word": 22},
    ]
    assert results["summary"] == {"result": "success", "short": spoken["transcript"]}
    assert results["utterances"][0]["transcript"] == "How can I help you today?"
    assert result["metadata"].keys() >= {"summary_info", "sentiment_info", "topics_info", "intents_info"}


@pytest.mark.parametrize(
    ("query", "day"),
    [
        ({"redact": "pii"}, "[DATE_1]."),
        ({"redact": "ssn"}, "Friday."),
        ({"redact": "pii", "language": "de"}, "Friday."),
    ],
)
def test_a_day_is_redacted_in_english(deepgram: Customer, query: dict[str, str], day: str) -> None:
    (spoken,) = deepgram.result(smart_format="true", **query)["results"]["channels"][0]["alternatives"]
    assert f"before {day}" in spoken["transcript"]
    assert day in [word["punctuated_word"] for word in spoken["words"]]


def test_a_longer_talk_is_summed_up(deepgram: Customer) -> None:
    deepgram.stand_ins.dials(deepgram={"oversize_result": 12})
    results = deepgram.result(summarize="v2", punctuate="true")["results"]
    spoken = results["channels"][0]["alternatives"][0]
    assert len(results["summary"]["short"]) < len(spoken["transcript"]) / 2
    assert deepgram.result(summarize="true")["results"]["channels"][0]["alternatives"][0]["summaries"]


def test_another_language_is_warned_of(deepgram: Customer) -> None:
    result = deepgram.result(language="de", sentiment="true", topics="true")
    assert result["results"].keys() == {"channels"}
    assert result["metadata"]["warnings"][0] == {
        "parameter": "sentiment",
        "type": "unsupported_language",
        "message": "Sentiment is only supported for English.",
    }


@pytest.mark.parametrize(
    ("query", "method"), [({}, "POST"), ({"callback_method": "put"}, "PUT"), ({"callback_method": "PUT"}, "PUT")]
)
def test_a_callback_brings_the_complete_result(deepgram: Customer, query: dict[str, str], method: str) -> None:
    request_id, sent = deepgram.delivered(**query)
    assert (sent.method, sent.url) == (method, PLACE)
    assert sent.headers == {"Content-Type": "application/json", "dg-token": KEY_ID}
    assert sent.json["metadata"]["request_id"] == request_id
    assert sent.json["results"]["channels"]
    assert deepgram.paid == 1


def test_tags_and_extras_come_back(deepgram: Customer) -> None:
    metadata = deepgram.result(tag=["a", "b"], extra=["id:7", "place:x:y"])["metadata"]
    assert (metadata["tags"], metadata["extra"]) == (["a", "b"], {"id": "7", "place": "x:y"})


def test_bytes_may_be_sent_instead_of_a_link(deepgram: Customer) -> None:
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "audio/mp4"}
    reply = deepgram.listen(headers=headers, json=b"bytes")
    assert reply.json["metadata"]["sha256"] == hashlib.sha256(b"bytes").hexdigest()


@pytest.mark.parametrize("header", [None, "", "Token wrong", f"Bearer {CREDENTIALS['apiKey']}", CREDENTIALS["apiKey"]])
def test_a_wrong_key(deepgram: Customer, header: str | None) -> None:
    reply = deepgram.listen(headers={} if header is None else {"Authorization": header})
    assert (reply.status_code, reply.json["err_code"]) == (401, "INVALID_AUTH")
    assert reply.json.keys() == {"err_code", "err_msg", "request_id"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"smart_format": "True"}, "INVALID_QUERY_PARAMETER"),
        ({"sentiment": "1"}, "INVALID_QUERY_PARAMETER"),
        ({"topics": ""}, "INVALID_QUERY_PARAMETER"),
        ({"utterances": ["true", "true"]}, "INVALID_QUERY_PARAMETER"),
        ({"summarize": "v3"}, "INVALID_QUERY_PARAMETER"),
        ({"diarize_model": "true"}, "INVALID_QUERY_PARAMETER"),
        ({"callback": PLACE, "callback_method": "PATCH"}, "INVALID_QUERY_PARAMETER"),
        ({"detect_language": "True"}, "INVALID_QUERY_PARAMETER"),
        ({"utt_split": "long"}, "INVALID_QUERY_PARAMETER"),
        ({"callback": "ftp://example.com/x"}, "INVALID_QUERY_PARAMETER"),
        ({"callback": "example.com"}, "INVALID_QUERY_PARAMETER"),
        ({"callback": "https://example.com:9000/x"}, "INVALID_QUERY_PARAMETER"),
        ({"callback": "https://example.com:port/x"}, "INVALID_QUERY_PARAMETER"),
        ({"model": "nova-9"}, "Bad Request"),
        ({"model": "nova-3", "language": "de-DE"}, "Bad Request"),
        ({"language": "German"}, "Bad Request"),
        ({"model": "nova-3", "language": "de", "summarize": "v2"}, "Bad Request"),
        ({"model": "nova-2", "keyterm": "x"}, "Bad Request"),
        ({"model": "nova-3", "keywords": "x"}, "Bad Request"),
        ({"model": "nova-3", "keyterm": ["many words"] * 251}, "Bad Request"),
        ({"model": "nova-2", "keywords": ["x"] * 101}, "Bad Request"),
    ],
)
def test_a_wrong_query(deepgram: Customer, query: dict[str, Any], code: str) -> None:
    reply = deepgram.listen(**query)
    assert (reply.status_code, reply.json["err_code"], deepgram.paid) == (400, code, 0)


@pytest.mark.parametrize(
    "callback",
    ["https://example.com:8443/x", "http://127.0.0.1:4566/x", "http://localhost:4566/x", "http://u:p@example.com/x"],
)
def test_callbacks_it_takes(deepgram: Customer, callback: str) -> None:
    assert deepgram.listen(callback=callback).status_code == 200
    deepgram.stand_ins.finish()


def test_another_customers_model(deepgram: Customer) -> None:
    reply = deepgram.listen(model="2187e11a-3532-4498-b076-81fa530bdd49")
    assert (reply.status_code, reply.json["err_code"]) == (403, "INSUFFICIENT_PERMISSIONS")


@pytest.mark.parametrize(
    ("body", "key", "value"),
    [
        ({}, "category", "INVALID_JSON"),
        (["url"], "category", "INVALID_JSON"),
        ({"url": 5}, "err_code", "PAYLOAD_ERROR"),
        ({"url": "s3://bucket/key"}, "err_code", "PAYLOAD_ERROR"),
    ],
)
def test_a_wrong_body(deepgram: Customer, body: Any, key: str, value: str) -> None:
    reply = deepgram.listen(json=body)
    assert (reply.status_code, reply.json[key]) == (400, value)


def test_no_json_under_its_content_type(deepgram: Customer) -> None:
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}
    assert deepgram.listen(headers=headers, json=b"{").json["details"].startswith("Json deserialize error")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "v1/listen"), ("GET", "v1/listen/some-id"), ("GET", ""), ("POST", "v2/listen")]
)
def test_nothing_else_can_be_asked(deepgram: Customer, method: str, path: str) -> None:
    reply: Any = deepgram.stand_ins.client.open(f"/deepgram/{path}", method=method)
    assert reply.status_code in (404, 405)
    assert reply.json["request_id"]


@pytest.mark.parametrize(
    ("media", "status", "code"),
    [
        (DownloadFailed("the link answered HTTP 403", 403), 400, "REMOTE_CONTENT_ERROR"),
        (DownloadFailed("the link could not be fetched"), 400, "REMOTE_CONTENT_ERROR"),
        (b"nonsense", 400, "Bad Request"),
    ],
)
def test_media_that_gives_nothing(deepgram: Customer, tmp_path: Path, media: Any, status: int, code: str) -> None:
    if isinstance(media, bytes):
        (tmp_path / "bad").write_bytes(media)
        media = tmp_path / "bad"
    deepgram.stand_ins.links[LINK] = media
    files = set(deepgram.stand_ins.runtime.scratch.iterdir())
    reply = deepgram.listen()
    assert (reply.status_code, reply.json["err_code"], deepgram.paid) == (status, code, 0)
    _, sent = deepgram.delivered()
    assert (sent.json["err_code"], deepgram.paid) == (code, 1)
    assert set(deepgram.stand_ins.runtime.scratch.iterdir()) == files


def test_dials_of_jobs(deepgram: Customer) -> None:
    dials = deepgram.stand_ins.dials
    dials(deepgram={"job_fails": "no speech", "error_shape": "text"})
    assert deepgram.delivered()[1].body == b"UNPROCESSABLE_ENTITY: no speech"
    dials(deepgram={"error_shape": "category"})
    assert deepgram.delivered()[1].json["category"] == "UNPROCESSABLE_ENTITY"
    dials(deepgram={"job_fails": None, "own_fault_next": 1})
    assert deepgram.delivered()[1].json["category"] == "INTERNAL_SERVER_ERROR"
    dials(deepgram={"link_expired_next": 1, "link_checked_first": True})
    assert deepgram.listen(callback=PLACE).json["err_code"] == "REMOTE_CONTENT_ERROR"
    assert deepgram.delivered()[1].json["results"]
    dials(deepgram={"job_never_ends": True})
    sent = len(deepgram.stand_ins.sent)
    assert deepgram.listen().status_code == 504
    deepgram.delivered()
    assert len(deepgram.stand_ins.sent) == sent


@pytest.mark.parametrize(("dial", "times"), [("lost", 0), ("once", 1), ("double", 2), ("early", 1)])
def test_dial_callback(deepgram: Customer, dial: str, times: int) -> None:
    deepgram.stand_ins.dials(deepgram={"callback": dial})
    assert deepgram.listen(callback=PLACE).status_code == 200
    if dial != "early":
        deepgram.stand_ins.finish()
    assert len(deepgram.stand_ins.sent) == times


def test_the_ledger_holds_ids_and_no_secret(deepgram: Customer) -> None:
    request_id, _ = deepgram.delivered(colour="red")
    ledger = deepgram.stand_ins.ledger()
    (line,) = [line for line in ledger["lines"] if line["call"] == "deepgram.listen"]
    assert (line["request_id"], line["unknown"]) == (request_id, ["colour"])
    assert not [secret for secret in ("X-Amz", CREDENTIALS["apiKey"]) if secret in str(ledger)]
