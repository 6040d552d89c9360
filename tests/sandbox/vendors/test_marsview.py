"""A transaction's life, and the dials that disturb it."""

from pathlib import Path

import pytest

from sandbox.stand_ins.credentials import credentials
from sandbox.stand_ins.customer.downloads import DownloadFailed
from tests.sandbox.conftest import SAID, FakeSpeechEngine, LongSleeps, MarsviewCustomer, StandIns, until

ALL_MODELS = (
    "sentiment_analysis",
    "emotion_analysis",
    "action_items",
    "question_response",
    "extractive_summary",
    "meeting_topics",
)


def test_results_in_marsviews_shapes(marsview: MarsviewCustomer, media: Path, engine: FakeSpeechEngine) -> None:
    config = {"automatic_punctuation": True, "speaker_seperation": {"num_speakers": -1}, "enableKeywords": True}
    txn_id = marsview.computed(media, *ALL_MODELS, **config)
    assert engine.speakers == [None]
    assert {state["status"] for state in marsview.states(txn_id).values()} == {"processed"}
    data = marsview.metadata(txn_id)
    assert [line["sentence"] for line in data["transcript"]] == [
        "How can I help you today?",
        "The table was broken that is terrible.",
        "I will send you a new table before Friday.",
        "Wonderful I am very happy.",
    ]
    assert data["transcript"][0]["startTime"] == 990.0000000000007
    assert [line["speakers"] for line in data["transcript"]] == [["1"], ["2"], ["1"], ["2"]]
    assert data["transcript"][1]["keywords"][0] == {"keyword": "table", "metadata": [], "type": "Keyword"}
    assert [line["sentiment"].split()[-1] for line in data["sentiment"]][1:] == ["Negative", "Neutral", "Positive"]
    assert data["emotion"][3]["emotion"]["value"] == "Joy"
    assert data["emotion"][3].keys() >= {"emotion", "tone", "startTime", "endTime"}
    assert data["actionsData"][0]["actions"] == "I will send you a new table before Friday."
    assert (data["actionsData"][0]["assignee"], data["actionsData"][0]["completionDate"]) == (
        "Speaker 1",
        "before friday",
    )
    assert data["questionResponse"][0]["questionBlock"][0] == {
        "question": "How can I help you today?",
        "response": "The table was broken that is terrible.",
        "questionSpeaker": "1",
        "responseSpeaker": "2",
    }
    assert {line["sentence"] for line in data["summaryData"]} <= {line["sentence"] for line in data["transcript"]}
    assert data["topicsData"] == ["table"]


def test_without_separation_nobody_is_named(marsview: MarsviewCustomer, media: Path) -> None:
    txn_id = marsview.computed(media)
    lines = marsview.metadata(txn_id)["transcript"]
    assert (lines[0]["sentence"], lines[0]["speakers"]) == ("how can i help you today", [])


def test_a_second_compute_is_paid_again(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    txn_id = marsview.computed(media)
    marsview.compute(txn_id)
    stand_ins.finish()
    assert stand_ins.ledger()["paid"] == {"marsview.transactions_computed": 2}
    assert marsview.states(txn_id)["speech_to_text"]["status"] == "processed"


def test_before_compute_there_are_no_models(marsview: MarsviewCustomer, media: Path) -> None:
    txn_id = marsview.link(media)
    assert marsview.states(txn_id) == {}
    assert marsview.metadata(txn_id) == {}


@pytest.mark.parametrize(("status", "code"), [(403, "AIRDOW002"), (404, "FHU03"), (None, "FHU03")])
def test_a_link_that_gives_nothing(marsview: MarsviewCustomer, status: int | None, code: str) -> None:
    txn_id = marsview.computed(DownloadFailed("the link answered", status))
    state = marsview.states(txn_id)["speech_to_text"]
    assert (state["status"], state["error"]["code"]) == ("error", code)


def test_undecodable_media_is_an_error_with_a_message(marsview: MarsviewCustomer, media: Path) -> None:
    media.write_bytes(b"nonsense")
    txn_id = marsview.computed(media)
    assert "cannot be decoded" in marsview.states(txn_id)["speech_to_text"]["error"]["message"]


def test_models_not_offered_say_so(marsview: MarsviewCustomer, media: Path) -> None:
    states = marsview.states(marsview.computed(media, "screengrabs"))
    assert (states["speech_to_text"]["status"], states["screengrabs"]["status"]) == ("processed", "error")


def test_delete_forgets(marsview: MarsviewCustomer, media: Path) -> None:
    txn_id = marsview.computed(media)
    assert marsview.call("DELETE", f"delete_file/{txn_id}").status_code == 200
    assert marsview.call("GET", f"fetch_metadata/{txn_id}").status_code == 404


def test_dial_expired_links(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"link_expired_next": 1})
    first, second = marsview.computed(media), marsview.computed(media)
    assert marsview.states(first)["speech_to_text"]["error"]["code"] == "AIRDOW002"
    assert marsview.states(second)["speech_to_text"]["status"] == "processed"
    stand_ins.dials(marsview={"link_expired_next": 1, "link_expired_in_reply": True})
    reply = marsview.compute(marsview.link(media))
    assert (reply.status_code, reply.json["error"]["code"]) == (400, "AIRDOW002")


def test_dial_partial_result(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"model_errors": {"sentiment_analysis": "model crashed"}})
    txn_id = marsview.computed(media, *ALL_MODELS)
    states = marsview.states(txn_id)
    assert states["sentiment_analysis"] == {
        "status": "error",
        "error": {"code": "AIRMOD001", "message": "model crashed"},
    }
    assert states["action_items"]["status"] == "processed"
    assert "sentiment" not in marsview.metadata(txn_id)


def test_dial_failing_job(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"job_fails": "no speech"})
    states = marsview.states(marsview.computed(media, "action_items"))
    assert [state["error"]["message"] for state in states.values()] == ["no speech", "no speech"]


def test_dial_own_fault(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"own_fault_next": 1})
    assert marsview.states(marsview.computed(media))["speech_to_text"]["error"]["code"] == "AIRPRO001"
    assert marsview.states(marsview.computed(media)) == {"speech_to_text": {"status": "processed"}}


def test_dial_endless_job(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"job_never_ends": True})
    assert marsview.states(marsview.computed(media)) == {"speech_to_text": {"status": "processing"}}


def test_dial_job_seconds(
    marsview: MarsviewCustomer, stand_ins: StandIns, media: Path, long_sleeps: LongSleeps
) -> None:
    stand_ins.dials(marsview={"job_seconds": 60})
    txn_id = marsview.link(media)
    marsview.compute(txn_id)
    until(lambda: long_sleeps.seconds == [60])
    assert marsview.states(txn_id)["speech_to_text"]["status"] == "processing"
    long_sleeps.over.set()
    stand_ins.finish()
    assert marsview.states(txn_id)["speech_to_text"]["status"] == "processed"


def test_dial_unknown_state(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"unknown_state": "pondering", "unknown_state_polls": 1})
    txn_id = marsview.computed(media)
    states = [marsview.states(txn_id)["speech_to_text"]["status"] for _ in range(2)]
    assert states == ["pondering", "processed"]


def test_dial_empty_models(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"empty_models": True})
    assert marsview.states(marsview.computed(media)) == {}


def test_dial_oversize_result(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    stand_ins.dials(marsview={"oversize_result": 9})
    lines = marsview.metadata(marsview.computed(media))["transcript"]
    assert len(lines) == 9
    starts = [line["startTime"] for line in lines]
    assert starts == sorted(starts)
    assert lines[4]["startTime"] == SAID[0].start_ms + SAID[-1].end_ms


def test_the_ledger_holds_no_link_and_no_token(marsview: MarsviewCustomer, stand_ins: StandIns, media: Path) -> None:
    txn_id = marsview.computed(media)
    marsview.states(txn_id)
    lines = stand_ins.ledger()["lines"]
    assert [line["call"].removeprefix("marsview.") for line in lines] == [
        "create_access_token",
        "save_file_link",
        "compute",
        "get_txn",
    ]
    assert {line.get("txn_id") for line in lines} == {None, txn_id}
    text = stand_ins.client.get("/ledger").text
    for secret in (
        "X-Amz-Signature",
        marsview.headers["authorization"].removeprefix("Bearer "),
        credentials()["marsview"]["apiSecret"],
    ):
        assert secret not in text
