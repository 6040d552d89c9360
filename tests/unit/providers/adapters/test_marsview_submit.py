from collections.abc import Mapping
from typing import Any

import pytest
import requests

from recording_insights.errors import (
    CredentialsRefused,
    ProviderUnavailable,
    SecretUnusable,
)
from recording_insights.providers.adapters.marsview.calls import DEFAULT_MODELS, Marsview
from recording_insights.providers.toolkit.http import VendorHttp
from tests.unit.fakes import FakeVendorSession, response
from tests.unit.providers.adapters.marsview_scene import (
    BAD_TOKEN,
    BASE,
    COMPUTE,
    JOB,
    LINK,
    LOGIN,
    SAVE,
    SECRET,
    STATE,
    TOKEN,
    WRONG_SECRET,
    Scene,
    Vault,
    computed,
    login,
    saved,
    states,
)


class TestSubmit:
    def test_link_then_compute(self) -> None:
        scene = Scene({SAVE: [saved()], COMPUTE: [computed("speech_to_text", "meeting_topics")]})

        job = scene.submit(models=["meeting_topics"], custom_vocabulary=["Agora", "Zürich"], speakers=2)

        assert scene.session.asked == [LOGIN, SAVE, COMPUTE]
        assert job == {
            "transaction_id": "txn-1",
            "request_ids": {"speech_to_text": "req-speech_to_text", "meeting_topics": "req-meeting_topics"},
        }
        assert scene.sent(LOGIN) == [SECRET]
        assert scene.sent(SAVE) == [{"title": "talk", "description": "talk", "link": LINK}]
        (compute,) = scene.sent(COMPUTE)
        assert (compute["txnId"], compute["userId"]) == ("txn-1", "me@example.com")
        assert [model["modelType"] for model in compute["enableModels"]] == ["speech_to_text", "meeting_topics"]
        config = compute["enableModels"][0]["modelConfig"]
        assert config["custom_vocabulary"] == ["Agora", "Zürich"]
        assert config["speaker_seperation"] == {"num_speakers": 2}

    def test_without_options_all_the_usual_models_are_computed(self) -> None:
        scene = Scene({SAVE: [saved()], COMPUTE: [computed()]})

        scene.submit()

        (compute,) = scene.sent(COMPUTE)
        assert tuple(model["modelType"] for model in compute["enableModels"]) == DEFAULT_MODELS
        config = compute["enableModels"][0]["modelConfig"]
        assert config["custom_vocabulary"] == []
        assert config["speaker_seperation"] == {"num_speakers": -1}

    def test_the_call_is_bounded_authorised_and_follows_no_redirect(self) -> None:
        scene = Scene({SAVE: [saved()], COMPUTE: [computed()]})

        scene.submit()

        for call in scene.session.calls:
            assert call.timeout == (3.05, 25)
            assert not call.allow_redirects
        assert [call.headers.get("Authorization") for call in scene.session.calls] == [
            None,
            *[f"Bearer {TOKEN}"] * 2,
        ]

    def test_the_transaction_is_kept_before_anything_is_paid_for(self) -> None:
        scene = Scene({SAVE: [saved()], COMPUTE: [requests.ReadTimeout()]})

        with pytest.raises(ProviderUnavailable):
            scene.submit()

        assert scene.kept == [{"transaction_id": "txn-1"}]

    def test_a_retry_whose_compute_had_arrived_computes_nothing_again(self) -> None:
        scene = Scene({STATE: [states(("speech_to_text", "uploaded"))]})

        job = scene.submit({"transaction_id": "txn-1"})

        assert job == {"transaction_id": "txn-1"}
        assert scene.session.asked == [LOGIN, STATE]
        assert scene.links == 0

    def test_a_retry_whose_compute_had_not_arrived_computes_on_the_same_transaction(self) -> None:
        scene = Scene({STATE: [states()], COMPUTE: [computed()]})

        job = scene.submit({"transaction_id": "txn-1"})

        assert job["transaction_id"] == "txn-1"
        assert scene.session.asked == [LOGIN, STATE, COMPUTE]
        assert scene.links == 0

    def test_a_retry_that_cannot_see_the_transaction_does_not_pay_on_suspicion(self) -> None:
        scene = Scene({STATE: [response({"status": True, "data": {"txnId": "txn-1"}})]})

        with pytest.raises(ProviderUnavailable, match="without the states of the models"):
            scene.submit({"transaction_id": "txn-1"})

    @pytest.mark.parametrize("data", [None, {}, {"txnId": ""}, {"txnid": "txn-1"}, []])
    def test_a_reply_without_a_transaction_is_no_success(self, data: Any) -> None:
        scene = Scene({SAVE: [response({"status": True, "data": data})]})

        with pytest.raises(ProviderUnavailable, match="Marsview answered without a transaction id"):
            scene.submit()

    @pytest.mark.parametrize("data", [None, {}, {"enableModels": None}, {"enableModels": ["x", {"modelType": "y"}]}])
    def test_a_compute_reply_without_request_ids_is_a_job_if_the_transaction_lists_models(self, data: Any) -> None:
        script = {SAVE: [saved()], COMPUTE: [response({"status": True, "data": data})]}

        taken = Scene({**script, STATE: [states(("a", "uploaded"))]})
        assert taken.submit() == {"transaction_id": "txn-1", "request_ids": {}}

        not_taken = Scene({**script, STATE: [states()]})
        with pytest.raises(ProviderUnavailable, match="without the models that it computes"):
            not_taken.submit()
        assert not_taken.kept == [{"transaction_id": "txn-1"}]


class TestToken:
    def test_it_is_used_until_shortly_before_its_end(self) -> None:
        scene = Scene({LOGIN: [login(), login("newer")], STATE: [states(("a", "processed"))] * 3})

        scene.poll(JOB)
        scene.clock.elapsed = 3539
        scene.poll(JOB)
        scene.clock.elapsed = 3541
        scene.poll(JOB)

        assert scene.session.asked == [LOGIN, STATE, STATE, LOGIN, STATE]
        assert scene.session.calls[-1].headers["Authorization"] == "Bearer newer"

    @pytest.mark.parametrize("expires_in", [None, 0, "", "1h", 30])
    def test_one_whose_life_is_unknown_serves_one_call(self, expires_in: Any) -> None:
        scene = Scene({LOGIN: [login(expires_in=expires_in)] * 2, STATE: [states(("a", "processed"))] * 2})

        scene.poll(JOB)
        scene.poll(JOB)

        assert scene.session.asked == [LOGIN, STATE, LOGIN, STATE]

    @pytest.mark.parametrize("expires_in", ["3600", 3600.0])
    def test_its_life_may_be_written_otherwise(self, expires_in: Any) -> None:
        scene = Scene({LOGIN: [login(expires_in=expires_in)], STATE: [states(("a", "processed"))] * 2})

        scene.poll(JOB)
        scene.poll(JOB)

        assert scene.session.asked == [LOGIN, STATE, STATE]

    @pytest.mark.parametrize("refusal", [BAD_TOKEN, response({"status": False}, 401)])
    def test_one_that_is_refused_in_the_middle_is_renewed_once(self, refusal: requests.Response) -> None:
        scene = Scene({LOGIN: [login(), login("newer")], SAVE: [saved()], COMPUTE: [refusal, computed()]})

        assert scene.submit()["transaction_id"] == "txn-1"

        assert scene.session.asked == [LOGIN, SAVE, COMPUTE, LOGIN, COMPUTE]
        assert scene.session.calls[-1].headers["Authorization"] == "Bearer newer"

    def test_a_new_one_that_is_refused_is_a_refusal(self) -> None:
        scene = Scene({LOGIN: [login(), login("newer")], STATE: [BAD_TOKEN, BAD_TOKEN]})

        with pytest.raises(CredentialsRefused, match="new access token: JsonWebTokenError invalid signature"):
            scene.poll(JOB)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_wrong_secret_is_refused_after_one_fresh_read(self, status: int) -> None:
        refusal = response({"status": False, "error": "NJSCFE001", "message": "Invalid API key"}, status)
        scene = Scene({LOGIN: [refusal, refusal]})

        with pytest.raises(CredentialsRefused, match="NJSCFE001 Invalid API key"):
            scene.submit()

        assert scene.vault.reads == [False, True]
        assert scene.session.asked == [LOGIN, LOGIN]

    def test_a_rotated_secret_is_found_by_the_fresh_read(self) -> None:
        old, new = {**SECRET, "apiSecret": "old"}, SECRET
        scene = Scene({LOGIN: [WRONG_SECRET, login()], STATE: [states(("a", "processed"))]}, Vault(old, new))

        assert scene.poll(JOB).phase == "succeeded"

        assert scene.sent(LOGIN) == [old, new]

    def test_only_credentials_are_sent_to_log_in(self) -> None:
        scene = Scene({STATE: [states(("a", "processed"))]}, Vault({**SECRET, "note": "not for Marsview"}))

        scene.poll(JOB)

        assert scene.sent(LOGIN) == [SECRET]

    @pytest.mark.parametrize("data", [None, {}, {"accessToken": None}])
    def test_a_login_without_a_token_is_no_success(self, data: Any) -> None:
        scene = Scene({LOGIN: [response({"status": True, "data": data})]})

        with pytest.raises(ProviderUnavailable, match="without an access token"):
            scene.poll(JOB)

    def test_an_unusable_secret_is_named(self) -> None:
        def vault(fresh: bool) -> Mapping[str, str]:
            raise SecretUnusable("recording-insights/dev/marsview", "it lacks the key apiKey")

        provider = Marsview(VendorHttp("Marsview", BASE, FakeVendorSession({})), vault)

        with pytest.raises(SecretUnusable, match="recording-insights/dev/marsview: it lacks the key apiKey"):
            provider.poll(JOB, None)
