"""A transcript's life at the stand-in, what it refuses, and the dials that disturb it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.vendors.assemblyai.results import results
from sandbox.stand_ins.vendors.assemblyai.server import CREDENTIALS, NO_SPEECH
from tests.sandbox.conftest import SAID, FakeSpeechEngine, LongSleeps, StandIns

KEY = {"Authorization": CREDENTIALS["apiKey"]}
LINK = "https://bucket.example/talk.mp4?X-Amz-Signature=5ec0de"
SCHEMA = "Invalid endpoint schema, please refer to documentation for examples."
HOOK = {
    "webhook_url": "https://hooks.example/here",
    "webhook_auth_header_name": "X-Token",
    "webhook_auth_header_value": "the-token",
}


class Customer:
    def __init__(self, stand_ins: StandIns) -> None:
        self.stand_ins = stand_ins

    def call(self, method: str, path: str = "", **wanted: Any) -> Any:
        return self.stand_ins.client.open(
            f"/assemblyai/v2/transcript{path}", method=method, **{"headers": KEY, **wanted}
        )

    def ask(self, **wish: Any) -> Any:
        return self.call("POST", json={"audio_url": LINK, **wish})

    def done(self, media: Path | DownloadFailed, **wish: Any) -> Any:
        """The transcript of media whose job is over."""
        self.stand_ins.links[LINK] = media
        asked = self.ask(**wish)
        assert asked.status_code == 200, asked.json
        self.stand_ins.finish()
        return self.get(asked.json["id"])

    def get(self, transcript_id: str) -> Any:
        return self.call("GET", f"/{transcript_id}").json


@pytest.fixture
def customer(stand_ins: StandIns) -> Customer:
    return Customer(stand_ins)


@pytest.fixture
def lasting_customer(shared_stand_ins: StandIns, media: Path) -> Customer:
    shared_stand_ins.links[LINK] = media
    return Customer(shared_stand_ins)


FEATURES = dict.fromkeys(
    ("speaker_labels", "sentiment_analysis", "iab_categories", "auto_highlights", "entity_detection"), True
)


def test_results_in_the_vendors_shapes(customer: Customer, media: Path, engine: FakeSpeechEngine) -> None:
    done = customer.done(media, **FEATURES, **HOOK, language_detection=True)

    assert (done["status"], done["language_code"], engine.speakers) == ("completed", "en", [None])
    assert done["text"].startswith("How can I help you today? The table was broken")
    assert [(u["speaker"], u["start"], u["end"]) for u in done["utterances"]] == [
        ("A", 990, 4110),
        ("B", 4680, 6660),
        ("A", 7380, 10650),
        ("B", 11340, 16290),
    ]
    first = done["utterances"][0]
    assert [word["text"] for word in first["words"]] == ["How", "can", "I", "help", "you", "today?"]
    assert (first["words"][0]["start"], first["words"][-1]["end"]) == (990, 4110)
    assert all(a["end"] == b["start"] for a, b in zip(first["words"], first["words"][1:], strict=False))
    assert done["words"][:6] == first["words"]
    moods = [entry["sentiment"] for entry in done["sentiment_analysis_results"]]
    assert moods[1:] == ["NEGATIVE", "NEUTRAL", "POSITIVE"]
    assert done["iab_categories_result"]["summary"] == {"Table": 1.0}
    assert done["auto_highlights_result"]["results"][0] | {"timestamps": 2} == {
        "count": 2,
        "rank": 1.0,
        "text": "table",
        "timestamps": 2,
    }
    assert done["entities"] == [
        {"entity_type": "date", "text": "today", "start": first["words"][-1]["start"], "end": 4110},
        {"entity_type": "date", "text": "Friday", "start": done["utterances"][2]["words"][-1]["start"], "end": 10650},
    ]
    assert done["audio_duration"] == 16


def test_features_not_asked_for_are_not_there(customer: Customer, media: Path, engine: FakeSpeechEngine) -> None:
    done = customer.done(media)
    assert (done["utterances"], done["sentiment_analysis_results"], done["entities"]) == (None, None, None)
    assert (done["iab_categories_result"]["status"], done["language_code"]) == ("unavailable", "en_us")
    assert (done["words"][0]["speaker"], engine.speakers, "error" in done) == (None, [1], False)


def test_the_echo_has_the_urls_but_not_the_headers_value(customer: Customer, media: Path) -> None:
    done = customer.done(media, **HOOK)
    assert (done["audio_url"], done["webhook_url"]) == (LINK, HOOK["webhook_url"])
    assert (done["webhook_auth"], done["webhook_auth_header_name"]) == (True, "X-Token")
    assert "the-token" not in str(done)
    assert LINK not in str(customer.stand_ins.ledger())


def test_the_webhook(customer: Customer, stand_ins: StandIns, media: Path) -> None:
    done = customer.done(media, **HOOK)
    (sent,) = stand_ins.sent
    assert (sent.method, sent.url) == ("POST", HOOK["webhook_url"])
    assert sent.json == {"transcript_id": done["id"], "status": "completed"}
    assert sent.headers == {"Content-Type": "application/json", "X-Token": "the-token"}


@pytest.mark.parametrize(("callback", "times"), [("lost", 0), ("double", 2), ("early", 1)])
def test_the_dial_of_the_callback(
    customer: Customer, stand_ins: StandIns, media: Path, callback: str, times: int
) -> None:
    stand_ins.dials(assemblyai={"callback": callback})
    customer.done(media, **HOOK)
    assert len(stand_ins.sent) == times


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "", {}),
        ("POST", "", {"Authorization": "wrong"}),
        ("POST", "", {"Authorization": f"Bearer {KEY['Authorization']}"}),
        ("GET", "", {}),
        ("GET", "/x", {}),
        ("DELETE", "/x", {}),
    ],
)
def test_without_the_key(lasting_customer: Customer, method: str, path: str, headers: Any) -> None:
    refused = lasting_customer.call(method, path, headers=headers, json={})
    assert (refused.status_code, refused.json) == (401, {"error": "Authentication error, API token missing/invalid"})


@pytest.mark.parametrize(
    "wish",
    [
        {"audio_url": None},
        {"audio_url": "s3://bucket/talk.mp4"},
        {"audio_url": 5},
        {"webhook_url": "hooks.example"},
        {"speaker_label": True},
        {"speaker_labels": "true"},
        {"speakers_expected": True},
        {"speakers_expected": 11},
        {"speakers_expected": "2"},
        {"language_code": "en-US"},
        {"language_code": "xx"},
        {"keyterms_prompt": "word"},
        {"keyterms_prompt": [5]},
        {"keyterms_prompt": ["one two three four five six seven"]},
        {"redact_pii": True},
    ],
)
def test_what_is_not_of_the_schema(lasting_customer: Customer, wish: Any) -> None:
    refused = lasting_customer.ask(**wish)
    assert (refused.status_code, refused.json) == (400, {"error": SCHEMA})
    assert lasting_customer.stand_ins.ledger()["paid"] == {}


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense"])
def test_what_is_no_object(lasting_customer: Customer, body: bytes) -> None:
    refused = lasting_customer.call("POST", data=body, content_type="application/json")
    assert (refused.status_code, refused.json) == (400, {"error": SCHEMA})


@pytest.mark.parametrize("models", [[], ["universal"], ["nano", "universal-2"], [5]])
def test_models_that_are_none(lasting_customer: Customer, models: Any) -> None:
    refused = lasting_customer.ask(speech_models=models)
    assert refused.status_code == 400
    assert refused.json["error"].startswith('"speech_models" must be a non-empty list')


@pytest.mark.parametrize("feature", ["sentiment_analysis", "auto_highlights"])
def test_features_for_english_only(lasting_customer: Customer, feature: str) -> None:
    refused = lasting_customer.ask(language_code="de", **{feature: True})
    error = f"The following models are not available in this language: {feature}"
    assert (refused.status_code, refused.json) == (400, {"error": error})
    assert lasting_customer.ask(language_code="en_uk", **{feature: True}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v3/transcript"), ("PUT", "/v2/transcript"), ("GET", "/v2/transcript/"), ("GET", "/")]
)
def test_unknown_paths(lasting_customer: Customer, method: str, path: str) -> None:
    answer = lasting_customer.stand_ins.client.open(f"/assemblyai{path}", method=method, headers=KEY)
    assert (answer.status_code, answer.json) == (404, {"error": "Not found"})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_transcript(lasting_customer: Customer, method: str) -> None:
    answer = lasting_customer.call(method, "/nobody")
    assert (answer.status_code, answer.json) == (400, {"error": "Transcript lookup error, transcript id not found"})


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "status=done", "page=2"])
def test_the_list_is_asked_well(lasting_customer: Customer, query: str) -> None:
    assert lasting_customer.call("GET", f"?{query}").status_code == 400


def test_the_list_is_newest_first_and_in_pages(customer: Customer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.links[LINK] = media
    ids = [customer.ask().json["id"] for _ in range(3)]
    first = customer.call("GET", "?limit=2").json
    assert [entry["id"] for entry in first["transcripts"]] == [ids[2], ids[1]]
    assert first["transcripts"][0]["audio_url"] == LINK
    assert first["transcripts"][0]["created"] == "2027-01-15T08:00:00.000000"
    assert first["page_details"]["prev_url"].endswith(f"before_id={ids[1]}")
    older = customer.call("GET", f"?limit=2&before_id={ids[1]}").json
    assert [entry["id"] for entry in older["transcripts"]] == [ids[0]]
    newer = customer.call("GET", f"?limit=2&after_id={ids[0]}").json
    assert [entry["id"] for entry in newer["transcripts"]] == [ids[2], ids[1]]
    stand_ins.dials(assemblyai={"list_hides_queries": True})
    assert customer.call("GET").json["transcripts"][0]["audio_url"] == LINK.partition("?")[0]


def test_a_deleted_transcript_keeps_its_id_only(customer: Customer, media: Path) -> None:
    done = customer.done(media, **HOOK)
    customer.call("DELETE", f"/{done['id']}")
    left = customer.get(done["id"])
    assert (left["id"], left["status"], left["text"]) == (done["id"], "completed", "Deleted by user.")
    assert (left["audio_url"], left["webhook_url"], left["words"]) == (*["http://deleted_by_user"] * 2, None)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (DownloadFailed("no", 403), f"Download error, unable to download {LINK}. Please"),
        (DownloadFailed("no"), f"Download error, unable to download {LINK}. Please"),
        (b"nonsense", "Transcoding failed. File does not appear to contain audio."),
    ],
)
def test_media_that_cannot_be_had(customer: Customer, stand_ins: StandIns, media: Path, fault: Any, error: str) -> None:
    if isinstance(fault, bytes):
        media.write_bytes(fault)
    done = customer.done(media if isinstance(fault, bytes) else fault, **HOOK)
    assert done["status"] == "error"
    assert done["error"].startswith(error)
    assert stand_ins.sent[0].json["status"] == "error"


@pytest.mark.parametrize("detects", [True, False])
def test_silence(customer: Customer, media: Path, monkeypatch: pytest.MonkeyPatch, detects: bool) -> None:
    monkeypatch.setattr(FakeSpeechEngine, "recognise", lambda *_: [])
    done = customer.done(media, **({"language_detection": True} if detects else {"language_code": "en"}))
    expected = ("error", None, NO_SPEECH) if detects else ("completed", "", None)
    assert (done["status"], done["text"], done.get("error")) == expected


def test_more_than_the_account_may_have_at_once_are_queued(
    customer: Customer, stand_ins: StandIns, media: Path, long_sleeps: LongSleeps
) -> None:
    stand_ins.links[LINK] = media
    stand_ins.dials(assemblyai={"concurrent_jobs": 1, "job_seconds": 60})
    ids = [customer.ask().json["id"] for _ in range(2)]
    assert [customer.get(transcript_id)["status"] for transcript_id in ids] == ["processing", "queued"]
    long_sleeps.over.set()
    stand_ins.finish()
    assert [customer.get(transcript_id)["status"] for transcript_id in ids] == ["completed"] * 2
    assert stand_ins.ledger()["paid"] == {"assemblyai.jobs": 2}


def test_the_other_dials(customer: Customer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(assemblyai={"oversize_result": 9, "unknown_state": "musing"})
    musing = customer.done(media, speaker_labels=True)
    assert musing["status"] == "musing"
    assert len(customer.get(musing["id"])["utterances"]) == 9 > len(SAID)
    stand_ins.dials(assemblyai={"job_fails": "Server error", "unknown_state": None})
    assert customer.done(media)["error"] == "Server error"
    stand_ins.dials(assemblyai={"job_never_ends": True})
    assert customer.done(media)["status"] == "processing"


def test_a_turn_ends_with_the_speaker_only() -> None:
    said = [replace(utterance, speaker=speaker) for utterance, speaker in zip(SAID, "1121", strict=True)]
    found = results(said, {"speaker_labels": True, "sentiment_analysis": True})
    assert [(turn["speaker"], turn["start"], turn["end"]) for turn in found["utterances"]] == [
        ("A", 990, 6660),
        ("B", 7380, 10650),
        ("A", 11340, 16290),
    ]
    assert found["utterances"][0]["text"] == "How can I help you today? The table was broken that is terrible."
    assert [word for turn in found["utterances"] for word in turn["words"]] == found["words"]
    assert len(found["sentiment_analysis_results"]) == 4
