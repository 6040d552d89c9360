"""RingCentral's published client against the stand-in, as the vendor's samples use it."""

# mypy: disable-error-code="import-untyped"
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ringcentral import SDK
from ringcentral.http.api_exception import ApiException

from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.ringcentral.server import CREDENTIALS

HOOK = "https://api.example/hooks/secret?a=1&b=2"
LINK = "https://bucket.example/talk.mp4?X-Amz-Signature=5ec0de"
ANALYZE = "/ai/insights/v1/async/analyze-interaction"


class StandIns:
    """What the stand-ins reach: the links are one clip, the webhooks take everything."""

    def __init__(self, clip: Path) -> None:
        self.clip = clip
        self.sent: list[tuple[str, Any, dict[str, str]]] = []

    def download(self, link: str, target: Path) -> None:
        assert link == LINK
        target.write_bytes(self.clip.read_bytes())

    def send(self, method: str, url: str, body: bytes, headers: Any) -> int:
        self.sent.append((url, json.loads(body), dict(headers)))
        return 200


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("media") / "clip.mp4"
    beginning_mp4(SAMPLE, 4.5, target)
    return target


@pytest.fixture
def outside(runtime: Runtime, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIns]:
    outside = StandIns(clip)
    monkeypatch.setattr(runtime, "download", outside.download)
    monkeypatch.setattr(runtime, "send", outside.send)
    runtime.ledger.reset()
    yield outside
    runtime.dials.reset()


@pytest.fixture
def platform(served: str, outside: StandIns) -> Any:
    platform = SDK(CREDENTIALS["clientId"], CREDENTIALS["clientSecret"], f"{served}/ringcentral").platform()
    platform.login(jwt=CREDENTIALS["jwt"])
    return platform


def body(**changes: Any) -> dict[str, Any]:
    """As the sample sends it."""
    return {
        "contentUri": LINK,
        "encoding": "Mpeg",
        "languageCode": "en-US",
        "source": "RingCentral",
        "audioType": "CallCenter",
        "insights": ["All"],
        "enableVoiceActivityDetection": True,
        "separateSpeakerPerChannel": True,
        **changes,
    }


def test_analyze_interaction(platform: Any, outside: StandIns, runtime: Runtime) -> None:
    accepted = platform.post(f"{ANALYZE}?webhook={quote(HOOK, safe='')}", body())
    assert accepted.response().status_code == 202
    runtime.jobs.join(60)
    job = platform.get(f"/ai/status/v1/jobs/{accepted.json().jobId}").json_dict()
    assert job["status"] == "Success"
    assert "delivery office" in job["response"]["utteranceInsights"][0]["text"].lower()
    [(url, told, headers)] = outside.sent
    assert (url, told) == (HOOK, job)
    assert headers["RCRequestId"] == accepted.response().headers["RCRequestId"]
    assert runtime.ledger.as_json()["paid"] == {"ringcentral.jobs": 1}


def test_speech_to_text(platform: Any, outside: StandIns, runtime: Runtime) -> None:
    asked = body(enablePunctuation=True, enableSpeakerDiarization=False)
    del asked["insights"]
    job_id = platform.post(f"/ai/audio/v1/async/speech-to-text?webhook={quote(HOOK)}", asked).json().jobId
    runtime.jobs.join(60)
    job = platform.get(f"/ai/status/v1/jobs/{job_id}").json()
    assert job.response.transcript
    assert job.response.words[0].word


def test_its_query_params_lose_the_tail_of_a_webhook(platform: Any, outside: StandIns, runtime: Runtime) -> None:
    platform.post(ANALYZE, body(), query_params={"webhook": HOOK})
    runtime.jobs.join(60)
    assert [url for url, _, _ in outside.sent] == ["https://api.example/hooks/secret?a=1"]


def test_it_renews_its_token(platform: Any, runtime: Runtime) -> None:
    runtime.dials.change({"ringcentral": {"token_seconds": 0}})
    platform.login(jwt=CREDENTIALS["jwt"])
    runtime.dials.change({"ringcentral": {"token_seconds": 7199}})
    with pytest.raises(ApiException, match="CMN-102"):
        platform.get("/ai/status/v1/jobs/unknown")
    calls = [line["call"] for line in runtime.ledger.as_json()["lines"]]
    assert calls == ["ringcentral.token"] * 3 + ["ringcentral.job"]
    platform.logout()
    assert not platform.auth().access_token_valid()


@pytest.mark.parametrize(
    ("path", "changes", "code"),
    [
        (ANALYZE, {}, "CAI-101"),
        (f"{ANALYZE}?webhook={quote(HOOK)}", {"encoding": "MP3"}, "CAI-101"),
        ("/ai/unknown", {}, "CMN-120"),
    ],
)
def test_refusals(platform: Any, path: str, changes: Any, code: str) -> None:
    with pytest.raises(ApiException, match=code):
        platform.post(path, body(**changes))


def test_a_wrong_jwt(served: str) -> None:
    platform = SDK(CREDENTIALS["clientId"], CREDENTIALS["clientSecret"], f"{served}/ringcentral").platform()
    with pytest.raises(ApiException, match="invalid_grant"):
        platform.login(jwt="another")
    assert not platform.logged_in()
