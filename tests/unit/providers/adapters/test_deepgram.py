"""The Deepgram adapter: its requests, and how it reads the responses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from recording_insights.errors import (
    CredentialsRefused,
    InvalidRequest,
    MediaLinkExpired,
    OutOfCredit,
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    SubmissionUnconfirmed,
)
from recording_insights.providers.adapters.deepgram.calls import DEFAULT_FEATURES
from recording_insights.providers.registry import PROVIDERS, validate_options
from sandbox.stand_ins.customer.downloads import DownloadFailed
from tests.unit.fakes import response
from tests.unit.providers.adapters.deepgram_scene import (
    CREDIT,
    DEAD_LINK,
    JOB,
    KEY,
    StandIn,
    assert_nothing_leaks,
    complaint,
    scripted,
)


def taken() -> requests.Response:
    return response({"request_id": "r-1"})


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    scene = StandIn(tmp_path)
    yield scene
    scene.world.close()


class TestWithStandIn:
    def test_from_link_to_insights(self, stand_in: StandIn) -> None:
        job = stand_in.submit()

        assert stand_in.adapter.poll(job, None).word == "no result yet"
        delivered = stand_in.delivered
        ((method, url, _, headers),) = stand_in.sent
        assert (method, url, stand_in.fetched) == ("PUT", stand_in.links[0], [stand_in.links[1]])
        assert headers["dg-token"] != KEY
        assert delivered is not None
        assert json.loads(delivered)["metadata"]["request_id"] == job["request_id"]
        state = stand_in.adapter.poll(job, delivered)
        assert (state.phase, list(state.missing)) == ("succeeded", [])
        insights = stand_in.adapter.read_insights(delivered)
        assert [(u.speaker, u.text) for u in insights.transcript] == [
            ("0", "How can I help you today?"),
            ("1", "The table was broken that is terrible."),
            ("0", "I will send you a new table before Friday."),
            ("1", "Wonderful I am very happy."),
        ]
        assert [(u.start_ms, u.end_ms) for u in insights.transcript] == [
            (990, 4110),
            (4680, 6660),
            (7380, 10650),
            (11340, 16290),
        ]
        sentiments = [u.sentiment for u in insights.transcript]
        assert all(score is not None for score in sentiments)
        assert sentiments[1] < -0.3 < 0.3 < sentiments[3]  # type: ignore[operator]
        assert insights.sentiment is not None
        assert [topic.text for topic in insights.topics] == ["Table"]
        assert insights.summary is not None
        assert insights.summary.startswith("How can I help you today?")
        assert stand_in.paid == 1

    def test_what_is_redacted_is_in_no_insight(self, stand_in: StandIn) -> None:
        stand_in.submit(language="en", redact_pii=["pii"])

        reply = stand_in.adapter.fetch(JOB, stand_in.delivered)

        assert b"friday" not in reply.lower()
        assert "before [DATE_1]" in stand_in.adapter.read_insights(reply).transcript[2].text

    def test_everything_asked_for_is_known_to_the_vendor(self, stand_in: StandIn) -> None:
        features = ["summarize", "sentiment", "topics", "intents", "detect_entities"]
        stand_in.submit(features=features, language="en-GB", custom_vocabulary=["Agora", "Zürich & 東京"])

        (line,) = [line for line in stand_in.ledger["lines"] if line["call"] == "deepgram.listen"]
        assert (line["status"], "unknown" in line) == (200, False)

    @pytest.mark.parametrize("shape", ["err_code", "category", "text"])
    def test_a_failed_job_delivers_its_reason(self, stand_in: StandIn, shape: str) -> None:
        stand_in.dials(deepgram={"job_fails": "the model fell over", "error_shape": shape})
        job = stand_in.submit()

        state = stand_in.adapter.poll(job, stand_in.delivered)

        assert state.phase == "failed"
        assert "Deepgram failed the job" in str(state.reason)
        assert "the model fell over" in str(state.reason)

    @pytest.mark.parametrize("is_first", [False, True])
    def test_an_expired_link(self, stand_in: StandIn, is_first: bool) -> None:
        stand_in.media = DownloadFailed("the link answered HTTP 403", 403)
        stand_in.dials(deepgram={"link_checked_first": is_first})

        def submit_and_poll() -> None:
            stand_in.adapter.poll(stand_in.submit(), stand_in.delivered)

        with pytest.raises(MediaLinkExpired, match="403 Forbidden") as caught:
            submit_and_poll()

        assert_nothing_leaks(caught.value)
        assert stand_in.paid == (0 if is_first else 1)

    def test_a_lost_answer_is_unconfirmed_and_the_delivery_still_counts(self, stand_in: StandIn) -> None:
        stand_in.dials(fail_next=[{"call": "deepgram.listen", "after": True, "drop_connection": True}])

        with pytest.raises(SubmissionUnconfirmed) as caught:
            stand_in.submit()

        assert_nothing_leaks(caught.value)
        assert stand_in.adapter.poll({}, stand_in.delivered).phase == "succeeded"
        assert stand_in.paid == 1

    def test_a_bucket_that_refuses_is_asked_eleven_times(self, stand_in: StandIn, monkeypatch: Any) -> None:
        monkeypatch.setattr(stand_in.world.jobs, "sleep", lambda seconds: None)
        stand_in.bucket_says = [403]
        stand_in.submit()
        assert stand_in.delivered
        assert len(stand_in.sent) == 11

    def test_a_rotated_key(self, stand_in: StandIn) -> None:
        stand_in.secret = {"apiKey": "old-key"}
        stand_in.fresh_secret = {"apiKey": KEY}
        assert stand_in.submit()["request_id"]
        assert (stand_in.reads, stand_in.paid) == ([False, True], 1)


class TestQuery:
    def test_usual(self) -> None:
        scene = scripted(taken())

        assert scene.submit() == JOB

        assert scene.query() == {
            "model": ["nova-3"],
            "detect_language": ["true"],
            "diarize_model": ["latest"],
            "smart_format": ["true"],
            "summarize": ["v2"],
            "sentiment": ["true"],
            "topics": ["true"],
            "callback": [scene.links[0]],
            "callback_method": ["put"],
        }
        (call,) = scene.session.calls
        assert (call.headers, call.json) == ({"Authorization": f"Token {KEY}"}, {"url": scene.links[1]})
        assert scene.kept == []

    def test_the_callback_survives_as_one_parameter(self) -> None:
        scene = scripted(taken())
        scene.submit()
        sent = requests.Request("POST", "https://x.test", params=scene.session.calls[0].params).prepare().url or ""
        assert sent.count("X-Amz") == 2
        assert (
            "callback=https%3A%2F%2Freplies.s3.amazonaws.com%2Frep1y.json%3FX-Amz-Security-Token%3Da%252Bb%253D" in sent
        )
        assert "&callback_method=put" in sent

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"model": "nova-3-medical"}, {"model": ["nova-3-medical"]}),
            ({"custom_vocabulary": ["Agora", "Dr. Özil"]}, {"keyterm": ["Agora", "Dr. Özil"], "keywords": None}),
            ({"custom_vocabulary": ["x"], "model": "nova-2"}, {"keyterm": None, "keywords": ["x"]}),
            ({"features": ["intents"]}, {"intents": ["true"], "summarize": None, "sentiment": None}),
            ({"features": ["detect_entities", "summarize"]}, {"detect_entities": ["true"], "summarize": ["v2"]}),
            ({"language": "en"}, {"language": ["en"], "detect_language": None, "summarize": ["v2"]}),
            ({"language": "en-CA"}, {"language": ["en"], "summarize": ["v2"]}),
            ({"language": "en-US"}, {"language": ["en-US"]}),
            ({"language": "de-DE"}, {"language": ["de"], "summarize": None, "sentiment": None, "topics": None}),
            ({"language": "de", "features": ["sentiment"]}, {"sentiment": ["true"]}),
            ({"language": "pt-BR"}, {"language": ["pt-BR"]}),
            ({"language": "zh-Hant-TW"}, {"language": ["zh-Hant"]}),
            ({"language": "es-419"}, {"language": ["es-419"]}),
            ({"redact_pii": ["pci", "name"], "language": "en-GB"}, {"redact": ["pci", "name"]}),
            ({"redact_pii": ["numbers"], "language": "de"}, {"redact": ["numbers"]}),
            ({"redact_pii": []}, {"redact": None}),
            ({"mip_opt_out": True}, {"mip_opt_out": ["true"]}),
            ({"mip_opt_out": False}, {"mip_opt_out": None}),
        ],
    )
    def test_options(self, options: dict[str, Any], expected: dict[str, Any]) -> None:
        validate_options("deepgram", options)
        scene = scripted(taken())
        scene.submit(**options)
        query = scene.query()
        assert {name: query.get(name) for name in expected} == expected

    def test_every_option_of_the_row_is_one_of_the_adapter(self) -> None:
        options = {"language", "custom_vocabulary", "model", "features", "redact_pii", "mip_opt_out"}
        assert set(PROVIDERS["deepgram"].options) == options
        validate_options("deepgram", {"features": list(DEFAULT_FEATURES)})

    @pytest.mark.parametrize("entity", ["cardinal", "ordinal", "percent", "ssn ", "name&callback=x"])
    def test_what_deepgram_does_not_redact_is_no_option(self, entity: str) -> None:
        with pytest.raises(InvalidRequest, match=r"^options.redact_pii: must be a list of different names out of pci,"):
            validate_options("deepgram", {"redact_pii": [entity]})

    @pytest.mark.parametrize(
        "options",
        [
            {"redact_pii": ["pii"]},
            {"redact_pii": ["numbers", "ssn"], "language": "de"},
            {"redact_pii": ["numbers"], "language": "ja"},
            {"redact_pii": ["numbers"]},
        ],
    )
    def test_a_language_that_is_not_redacted_is_refused_before_it_is_paid_for(self, options: dict[str, Any]) -> None:
        scene = scripted()
        with pytest.raises(ProviderRejected, match="needs the option language: one of "):
            scene.submit(**options)
        assert scene.session.calls == []

    def test_links_are_signed_in_each_submit(self) -> None:
        scene = scripted(taken(), taken())
        scene.submit()
        scene.submit()
        assert len(set(scene.links)) == 4

    def test_a_job_on_the_row_is_not_bought_again(self) -> None:
        scene = scripted()
        assert scene.submit({"request_id": "r-1"}) == JOB
        assert scene.session.calls == []


class TestAnswers:
    @pytest.mark.matrix
    @pytest.mark.parametrize(
        ("answer", "kind", "text"),
        [
            (response(complaint("ASR_PAYMENT_REQUIRED", CREDIT), 402), OutOfCredit, "enough credits"),
            (response(complaint("ASR_PAYMENT_REQUIRED", CREDIT)), OutOfCredit, "ASR_PAYMENT_REQUIRED: Project"),
            (response({}, 402), OutOfCredit, "no reason given"),
            (
                response(complaint("Bad Request", "No such model"), 400),
                ProviderRejected,
                "400: Bad Request: No such model",
            ),
            (response({"error_code": "X", "err_msg": "y"}, 404), ProviderRejected, "X: y"),
            (
                response({"category": "INVALID_JSON", "message": "Invalid.", "details": "line 1"}, 400),
                ProviderRejected,
                "INVALID_JSON: Invalid. line 1",
            ),
            (response('"a plain text"', 400), ProviderRejected, "a plain text"),
            (response([], 400), ProviderRejected, "no object"),
            (response(complaint("Bad Request", "no"), 200), ProviderRejected, "HTTP 200"),
            (response(complaint("REMOTE_CONTENT_ERROR", DEAD_LINK), 400), MediaLinkExpired, "403 Forbidden"),
            (response(complaint("X", "slow"), 408), ProviderUnavailable, "slow"),
            (response({"error_code": "Service Unavailable", "err_msg": "later"}), ProviderUnavailable, "later"),
            (response(complaint("TOO_MANY_REQUESTS"), 429, {"Retry-After": "7"}), ProviderBusy, "busy"),
            (response({}), SubmissionUnconfirmed, "a request id"),
            (response({"request_id": ""}), SubmissionUnconfirmed, "a request id"),
            (response(["r-1"]), SubmissionUnconfirmed, "a request id"),
            (response("null"), SubmissionUnconfirmed, "a request id"),
            (response({"request_id": "r-1"}, 302), SubmissionUnconfirmed, "a request id"),
            (response(complaint("x"), 503), SubmissionUnconfirmed, "503"),
            (response("<html>"), SubmissionUnconfirmed, "not JSON"),
            (requests.ReadTimeout(), SubmissionUnconfirmed, "in time"),
            (requests.ConnectionError("reset"), SubmissionUnconfirmed, "no connection"),
            (requests.ConnectTimeout(), ProviderUnavailable, "in time"),
        ],
    )
    def test_mapping(self, answer: Any, kind: type[ProviderError], text: str) -> None:
        scene = scripted(answer)

        with pytest.raises(kind, match=text) as caught:
            scene.submit()

        assert type(caught.value) is kind
        assert_nothing_leaks(caught.value)
        assert len(scene.session.calls) == 1, "the paid call is never repeated"

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_is_read_anew_once(self, status: int) -> None:
        refused = response(complaint("INVALID_AUTH", "Invalid credentials."), status)
        scene = scripted(refused, refused)
        scene.fresh_secret = {"apiKey": "rotated-key"}

        with pytest.raises(CredentialsRefused, match="Invalid credentials") as caught:
            scene.submit()

        assert_nothing_leaks(caught.value)
        assert scene.reads == [False, True]
        assert scene.session.calls[1].headers == {"Authorization": "Token rotated-key"}

    def test_an_echoed_link_is_redacted(self) -> None:
        scene = scripted(response(complaint("Bad Request", "https://x.test/y?X-Amz-Signature=5ec0de"), 400))
        with pytest.raises(ProviderRejected, match="redacted") as caught:
            scene.submit()
        assert_nothing_leaks(caught.value)
