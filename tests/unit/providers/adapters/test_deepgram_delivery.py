"""The Deepgram adapter with and without a delivery."""

import json
from typing import Any

import pytest

from recording_insights.errors import MediaLinkExpired, ProviderUnavailable
from recording_insights.providers.adapters.deepgram.calls import Deepgram
from recording_insights.providers.port import CallsBack
from recording_insights.providers.registry import capabilities_of
from tests.unit.providers.adapters.deepgram_scene import CREDIT, DEAD_LINK, JOB, complaint, scripted, talk


class TestPoll:
    def test_nothing_yet(self) -> None:
        state = scripted().adapter.poll(JOB, None)
        assert (state.phase, state.word) == ("running", "no result yet")

    @pytest.mark.parametrize(
        ("delivered", "word", "text"),
        [
            (
                complaint("UNPROCESSABLE_ENTITY", "Failed to handle request."),
                "UNPROCESSABLE_ENTITY",
                "Failed to handle",
            ),
            ({"category": "X", "message": "m", "details": "d", "request_id": "r"}, "X", "X: m d"),
            (b"no speech at all", "error", "no speech at all"),
            (b"\xff\xfe", "error", "\ufffd"),
            (b"", "error", "no object"),
            (b"[1]", "error", "no object"),
            (b'"a text"', "error", "a text"),
            (complaint("ASR_PAYMENT_REQUIRED", CREDIT), "ASR_PAYMENT_REQUIRED", "enough credits"),
        ],
    )
    def test_a_delivered_error(self, delivered: Any, word: str, text: str) -> None:
        body = delivered if isinstance(delivered, bytes) else json.dumps(delivered).encode()
        state = scripted().adapter.poll(JOB, body)
        assert (state.phase, state.word) == ("failed", word)
        assert text in str(state.reason)

    def test_a_delivered_dead_link(self) -> None:
        with pytest.raises(MediaLinkExpired, match="REMOTE_CONTENT_ERROR"):
            scripted().adapter.poll(JOB, json.dumps(complaint("REMOTE_CONTENT_ERROR", DEAD_LINK)).encode())

    def test_a_result_with_words_of_errors_is_a_result(self) -> None:
        result = {**json.loads(talk()), "message": "fine"}
        assert scripted().adapter.poll({}, json.dumps(result).encode()).phase == "succeeded"

    def test_what_was_not_found_is_named(self) -> None:
        warning = {"parameter": "topics", "type": "unsupported_language", "message": "Only English."}
        result = json.loads(talk(summary={"result": "failure", "short": "Not for this language."}))
        result["metadata"]["warnings"] = [warning, None, {"parameter": "sentiment", "type": "unsupported_language"}]
        result["warnings"] = [warning]
        state = scripted().adapter.poll(JOB, json.dumps(result).encode())
        assert (state.phase, list(state.missing)) == (
            "succeeded",
            ["topics: Only English.", "sentiment: unsupported_language", "summarize: Not for this language."],
        )


def test_it_only_delivers() -> None:
    capabilities = capabilities_of("deepgram")
    assert (capabilities.callback, capabilities.result_by, capabilities.takes) == ("required", "delivery", "url")
    assert capabilities.max_bytes == 2_000_000_000
    assert not issubclass(Deepgram, CallsBack)
    with pytest.raises(ProviderUnavailable, match="keeps no copy"):
        scripted().adapter.fetch(JOB, None)


@pytest.mark.parametrize(
    ("delivered", "is_providers_fault"),
    [
        # https://developers.deepgram.com/docs/errors: the codes of HTTP, in its three shapes of errors
        (complaint("INTERNAL_SERVER_ERROR", "The server does not know how to handle it."), True),
        ({"category": "INTERNAL_SERVER_ERROR", "message": "m", "details": "d"}, True),
        ({"error_code": "Service Unavailable", "err_msg": "Please try again later"}, True),
        (b"502 Bad Gateway", False),
        (b"Bad Gateway", True),
        (complaint("GATEWAY_TIMEOUT", "The processing took longer than ten minutes."), False),
        (complaint("Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data"), False),
        (complaint("UNPROCESSABLE_ENTITY", "Failed to handle request."), False),
        (complaint("ASR_PAYMENT_REQUIRED", CREDIT), False),
        # Nobody's words
        (complaint("MEDIA_ERROR", "the file's host said: internal server error"), False),
        (b"", False),
    ],
)
def test_a_fault_that_deepgram_calls_its_own(delivered: Any, is_providers_fault: bool) -> None:
    body = delivered if isinstance(delivered, bytes) else json.dumps(delivered).encode()
    state = scripted().adapter.poll(JOB, body)
    assert (state.phase, state.is_providers_fault) == ("failed", is_providers_fault)
