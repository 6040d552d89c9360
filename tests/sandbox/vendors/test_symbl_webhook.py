"""Symbl's stand-in: the list of conversations, and the webhook."""

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import StandIns
from tests.sandbox.vendors.test_symbl import Customer


@pytest.fixture
def symbl(stand_ins: StandIns) -> Customer:
    return Customer(stand_ins)


class TestConversations:
    def test_listed_by_start(self, symbl: Customer, media: Path) -> None:
        for name in ("one", "two", "three"):
            symbl.done(media, name=name)
            symbl.stand_ins.now[0] += 1

        def names(**query: str) -> Any:
            reply = symbl.call("GET", "/v1/conversations", query_string=query)
            return [entry["name"] for entry in reply.json["conversations"]]

        assert names() == ["one", "two", "three"]
        assert names(order="desc", limit="1", offset="1") == ["two"]
        assert names(limit="0") == []
        assert names(startTime="2027-01-15T08:00:01Z") == ["two", "three"]
        symbl.stand_ins.now[0] += 7 * 86400
        symbl.headers = {"x-api-key": symbl.token()["accessToken"]}
        assert names() == []

    @pytest.mark.parametrize("query", [{"limit": "-1"}, {"order": "up"}, {"startTime": "today"}, {"limit": "70000"}])
    def test_bad_queries(self, shared_stand_ins: StandIns, query: dict[str, str]) -> None:
        assert Customer(shared_stand_ins).call("GET", "/v1/conversations", query_string=query).status_code == 400

    def test_deleted(self, symbl: Customer, media: Path) -> None:
        path = f"/v1/conversations/{symbl.done(media)['conversationId']}"
        assert [symbl.call(m, path).status_code for m in ("GET", "DELETE", "GET")] == [200, 200, 404]


class TestWebhook:
    @pytest.mark.parametrize(
        ("dials", "told"),
        [
            ({}, ["scheduled", "in_progress", "completed"]),
            ({"job_fails": "no speech"}, ["scheduled", "in_progress", "failed"]),
            ({"callback": "lost"}, []),
            ({"callback": "double"}, ["scheduled"] * 2 + ["in_progress"] * 2 + ["completed"] * 2),
        ],
    )
    def test_every_change(self, symbl: Customer, media: Path, dials: Any, told: list[str]) -> None:
        symbl.stand_ins.dials(symbl=dials)
        ids = symbl.done(media, webhookUrl="https://us.example/hook/70ken")
        assert [sent.json for sent in symbl.stand_ins.sent] == [
            {"jobId": ids["jobId"], "status": word} for word in told
        ]
        assert "70ken" not in symbl.stand_ins.client.get("/ledger").text

    def test_early_and_in_the_query(self, symbl: Customer, media: Path) -> None:
        symbl.stand_ins.dials(symbl={"callback": "early"})
        symbl.submit(media, query={"webhookUrl": "https://us.example/hook"})
        assert symbl.stand_ins.sent[-1].json["status"] == "completed"
