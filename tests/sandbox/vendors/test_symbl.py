"""Symbl's stand-in: what it takes, what it refuses, how its results look while a job runs and after."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.stand_ins.customer.downloads import DownloadFailed
from sandbox.stand_ins.vendors.symbl.server import CREDENTIALS
from tests.sandbox.conftest import SAID, FakeSpeechEngine, StandIns

LOGIN = {"type": "application", **CREDENTIALS}
SPOKEN = {"enableSpeakerDiarization": "true", "diarizationSpeakerCount": "2"}
PARTS = (
    "messages",
    "topics",
    "action-items",
    "follow-ups",
    "questions",
    "analytics",
    "entities",
    "members",
    "trackers",
)


class Customer:
    """Calls Symbl with a token of its own."""

    def __init__(self, stand_ins: StandIns) -> None:
        self.stand_ins = stand_ins
        self.headers = {"Authorization": f"Bearer {self.token()['accessToken']}"}

    def token(self, **spoilt: Any) -> Any:
        reply = self.stand_ins.client.post("/symbl/oauth2/token:generate", json={**LOGIN, **spoilt})
        assert reply.status_code == 200, reply.json
        return reply.json

    def call(self, method: str, path: str, **wanted: Any) -> Any:
        return self.stand_ins.client.open(f"/symbl{path}", method=method, **{"headers": self.headers, **wanted})

    def submit(self, media: Path | DownloadFailed, kind: str = "video", query: Any = SPOKEN, **fields: Any) -> Any:
        link = f"https://bucket.example/{len(self.stand_ins.links)}?X-Amz-Signature=secret"
        self.stand_ins.links[link] = media
        return self.call("POST", f"/v1/process/{kind}/url", query_string=query, json={"url": link, **fields})

    def done(self, media: Path | DownloadFailed, **wanted: Any) -> Any:
        """The ids of a job that is over."""
        reply = self.submit(media, **wanted)
        assert reply.status_code == 201, reply.json
        self.stand_ins.finish()
        return reply.json

    def job(self, ids: Any) -> Any:
        return self.call("GET", f"/v1/job/{ids['jobId']}").json

    def get(self, ids: Any, part: str, **query: str) -> Any:
        return self.call("GET", f"/v1/conversations/{ids['conversationId']}/{part}", query_string=query)


@pytest.fixture
def symbl(stand_ins: StandIns) -> Customer:
    return Customer(stand_ins)


class TestToken:
    @pytest.mark.parametrize(
        ("spoilt", "status"),
        [
            ({"appId": "other"}, 401),
            ({"appSecret": "other"}, 401),
            ({"appSecret": ""}, 400),
            ({"appId": 7}, 400),
            ({"type": "password"}, 400),
        ],
    )
    def test_refused(self, shared_stand_ins: StandIns, spoilt: dict[str, Any], status: int) -> None:
        reply = shared_stand_ins.client.post("/symbl/oauth2/token:generate", json={**LOGIN, **spoilt})
        assert (reply.status_code, (reply.json or {}).keys()) == (status, {"message"})

    def test_the_same_until_near_its_end(self, symbl: Customer) -> None:
        first = symbl.token()
        assert first["expiresIn"] == 86400
        symbl.stand_ins.now[0] += 70_000
        assert symbl.token() == {"accessToken": first["accessToken"], "expiresIn": 16_400}
        symbl.stand_ins.now[0] += 10_000
        assert symbl.token()["accessToken"] != first["accessToken"]
        assert symbl.call("GET", "/v1/conversations").status_code == 200
        symbl.stand_ins.now[0] += 6_400
        assert symbl.call("GET", "/v1/conversations").status_code == 401

    def test_a_dial_shortens_it(self, symbl: Customer) -> None:
        symbl.stand_ins.dials(symbl={"token_seconds": 5})
        assert symbl.token()["expiresIn"] == 5

    @pytest.mark.parametrize("form", ["Bearer", "bearer", "x-api-key"])
    def test_forms_that_are_taken(self, symbl: Customer, form: str) -> None:
        token = symbl.token()["accessToken"]
        symbl.headers = {form: token} if form == "x-api-key" else {"Authorization": f"{form} {token}"}
        assert symbl.call("GET", "/v1/conversations").status_code == 200

    @pytest.mark.parametrize("header", [None, "Bearer ", "Bearer nonsense", "Basic nonsense"])
    def test_forms_that_are_not(self, symbl: Customer, header: str | None) -> None:
        reply = symbl.call("GET", "/v1/conversations", headers={"Authorization": header} if header else {})
        assert (reply.status_code, reply.json.keys()) == (401, {"message"})


class TestSubmission:
    @pytest.mark.parametrize(
        "spoilt",
        [
            {"url": None},
            {"url": "s3://bucket/key"},
            {"name": 7},
            {"name": ""},
            {"webhookUrl": "nowhere"},
            {"confidenceThreshold": 0.4},
            {"confidenceThreshold": "0.6"},
            {"customVocabulary": "word"},
            {"detectPhrases": "true"},
            {"detectEntities": 1},
            {"entities": [{"customType": "t"}]},
            {"languageCode": "de"},
            {"mode": "meeting"},
            {"trackers": [{"name": "t", "vocabulary": "x"}]},
            {"trackers": {"name": "t"}},
            {"enableAllTrackers": "yes"},
            {"enableSummary": None},
            {"summary": True},
        ],
    )
    def test_bad_fields(self, shared_stand_ins: StandIns, media: Path, spoilt: dict[str, Any]) -> None:
        reply = Customer(shared_stand_ins).submit(media, **spoilt)
        assert (reply.status_code, reply.json.keys()) == (400, {"message"})
        assert next(iter(spoilt)) in reply.json["message"]
        assert shared_stand_ins.ledger()["paid"] == {}

    @pytest.mark.parametrize(
        "query",
        [
            {"enableSpeakerDiarization": "true"},
            {"enableSpeakerDiarization": "True", "diarizationSpeakerCount": "2"},
            {"enableSpeakerDiarization": "true", "diarizationSpeakerCount": "two"},
            {"enableSpeakerDiarization": "true", "diarizationSpeakerCount": "0"},
            {"webhookUrl": "nowhere"},
        ],
    )
    def test_bad_queries(self, shared_stand_ins: StandIns, media: Path, query: dict[str, str]) -> None:
        assert Customer(shared_stand_ins).submit(media, query=query).status_code == 400

    @pytest.mark.parametrize(
        "sent", [{"data": "{}"}, {"json": []}, {"json": {}}, {"data": "x", "content_type": "application/json"}]
    )
    def test_bad_bodies(self, shared_stand_ins: StandIns, sent: dict[str, Any]) -> None:
        assert Customer(shared_stand_ins).call("POST", "/v1/process/audio/url", **sent).status_code == 400

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v1/process/video/url", 405),
            ("POST", "/v1/conversations", 405),
            ("POST", "/v1/process/text/url", 404),
            ("POST", "/v1/process/video", 404),
            ("GET", "/", 404),
            ("GET", "/v1/job/unknown", 404),
            ("GET", "/v1/conversations/unknown/messages", 404),
        ],
    )
    def test_wrong_routes(self, shared_stand_ins: StandIns, method: str, path: str, status: int) -> None:
        reply = Customer(shared_stand_ins).call(method, path)
        assert (reply.status_code, reply.json.keys()) == (status, {"message"})

    def test_diarization_counts_from_the_query_only(
        self, symbl: Customer, media: Path, engine: FakeSpeechEngine
    ) -> None:
        ids = symbl.done(media, query={}, enableSpeakerDiarization=True, diarizationSpeakerCount=2)
        assert [m["from"] for m in symbl.get(ids, "messages").json["messages"]] == [{}] * 4
        symbl.done(media, query={**SPOKEN, "diarizationSpeakerCount": "3"})
        assert engine.speakers == [1, 3]

    def test_too_many_jobs(self, symbl: Customer, media: Path) -> None:
        symbl.stand_ins.dials(symbl={"concurrent_jobs": 2, "job_never_ends": True})
        assert [symbl.submit(media).status_code for _ in range(3)] == [201, 201, 429]
        reply = symbl.submit(media)
        assert (reply.json["statusCode"], "Retry-After" in reply.headers) == (429, False)
        assert symbl.stand_ins.ledger()["paid"] == {"symbl.jobs": 2}


class TestResults:
    def test_messages(self, symbl: Customer, media: Path) -> None:
        ids = symbl.done(media, detectPhrases=True)
        plain = symbl.get(ids, "messages").json["messages"]
        told = symbl.get(ids, "messages", verbose="true", sentiment="true").json["messages"]
        assert {"words", "sentiment"} & plain[2].keys() == set()
        assert (
            told[2].items()
            >= {
                "text": "I will send you a new table before Friday.",
                "startTime": "2027-01-15T08:00:07.380Z",
                "endTime": "2027-01-15T08:00:10.650Z",
                "timeOffset": 7.38,
                "duration": 3.27,
                "conversationId": ids["conversationId"],
            }.items()
        )
        assert told[2]["from"]["name"] == "Speaker 1"
        assert told[2]["phrases"][0]["type"] == "action_phrase"
        assert told[1]["sentiment"]["suggested"] == "negative"
        assert told[1]["words"][0].keys() == {"word", "startTime", "endTime", "timeOffset", "duration"}
        assert symbl.get(ids, "messages", sentiment="True").status_code == 400

    def test_a_running_job_has_incomplete_results(self, symbl: Customer, media: Path) -> None:
        symbl.stand_ins.dials(symbl={"job_never_ends": True})
        ids = symbl.submit(media, enableSummary=True).json
        assert symbl.job(ids) == {"id": ids["jobId"], "status": "scheduled"}
        replies = {part: symbl.get(ids, part) for part in (*PARTS, "trackers-detected")}
        assert {reply.status_code for reply in replies.values()} == {200}
        assert replies["messages"].json == {"messages": []}
        assert replies["analytics"].json == {"metrics": [], "members": []}
        assert symbl.get(ids, "summary").status_code == 404

    @pytest.mark.parametrize(
        ("wanted", "dials", "status"),
        [
            ({"enableSummary": True}, {}, 200),
            ({"query": {"enableSummary": "true"}}, {}, 200),
            ({}, {}, 404),
            ({"enableSummary": True}, {"no_summary": True}, 404),
            ({"enableSummary": True}, {"job_fails": "no speech"}, 404),
        ],
    )
    def test_summary(self, symbl: Customer, media: Path, wanted: Any, dials: Any, status: int) -> None:
        symbl.stand_ins.dials(symbl=dials)
        assert symbl.get(symbl.done(media, **wanted), "summary").status_code == status

    def test_trackers_are_a_bare_list_on_two_paths(self, symbl: Customer, media: Path) -> None:
        ids = symbl.done(
            media, trackers=[{"name": "Furniture", "vocabulary": ["Table"]}, {"name": "T", "vocabulary": []}]
        )
        old, new = symbl.get(ids, "trackers").json, symbl.get(ids, "trackers-detected").json
        assert [tracker["name"] for tracker in new] == [tracker["name"] for tracker in old] == ["Furniture"]
        assert len(new[0]["matches"][0]["messageRefs"]) == 2
        symbl.stand_ins.dials(symbl={"old_trackers": True})
        assert symbl.get(ids, "trackers-detected").status_code == 404

    def test_entities_are_custom_ones_then_days(self, symbl: Customer, media: Path) -> None:
        custom = [{"customType": "Goods", "text": "Table"}, {"customType": "Goods", "text": "chair"}]
        ids = symbl.done(media, detectEntities=True, entities=custom)
        table, today, friday = symbl.get(ids, "entities").json["entities"]
        refs = [(ref["text"][ref["offset"] :][:5], ref.keys()) for ref in table.pop("messageRefs")]
        assert refs == [("table", {"id", "text", "offset"})] * 2
        assert table == {"type": "custom", "customType": "Goods", "value": "Table", "text": "Table"}
        assert today.keys() == {"type", "value", "text", "messageRefs"}
        assert (friday["type"], friday["text"], len(friday["messageRefs"])) == ("date", "friday", 1)
        assert today["value"] < friday["value"]
        assert symbl.get(symbl.done(media, entities=custom), "entities").json == {"entities": []}

    def test_a_threshold_leaves_the_sure_ones(self, symbl: Customer, media: Path) -> None:
        assert symbl.get(symbl.done(media), "questions").json["questions"]
        assert symbl.get(symbl.done(media, confidenceThreshold=0.95), "questions").json == {"questions": []}

    def test_insights_are_for_english(self, symbl: Customer, media: Path) -> None:
        ids = symbl.done(media, languageCode="de-DE", enableSummary=True)
        assert len(symbl.get(ids, "messages").json["messages"]) == 4
        for part in ("topics", "action-items", "questions", "summary"):
            assert next(iter(symbl.get(ids, part).json.values())) == []

    def test_a_dial_repeats_the_conversation(self, symbl: Customer, media: Path) -> None:
        symbl.stand_ins.dials(symbl={"oversize_result": 9})
        last = symbl.get(symbl.done(media), "messages").json["messages"][-1]
        assert last["timeOffset"] == round((SAID[0].start_ms + 2 * SAID[-1].end_ms) / 1000, 2)

    @pytest.mark.parametrize(
        ("content", "kind", "reason"),
        [(b"nonsense", "video", "cannot be decoded"), (DownloadFailed("HTTP 404", 404), "audio", "HTTP 404")],
    )
    def test_failures(self, symbl: Customer, media: Path, content: Any, kind: str, reason: str) -> None:
        if isinstance(content, bytes):
            media.write_bytes(content)
        job = symbl.job(symbl.done(media if isinstance(content, bytes) else content, kind=kind))
        assert (job["status"], reason in job["message"]) == ("failed", True)
