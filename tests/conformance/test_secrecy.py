"""A hostile vendor quotes our requests and sends control characters: nothing of either is written down."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from recording_insights.processing.callbacks import callback_token
from recording_insights.processing.job_name import JobName
from recording_insights.providers.registry import PROVIDERS
from recording_insights.providers.toolkit import http as vendor_http
from routes import get_recording, list_recordings
from sandbox.stand_ins.runtime.quotes import FORMS
from sandbox.stand_ins.vendors.registry import vendors
from tests.conformance import scene as scenes
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import REPLIES, SECRET, TASKS, R, Scene
from tests.secrecy_in_text import CONTROLS, secrets_in_text, signed_in_text
from tests.stand_in_session import stand_in_session
from tests.unit.fakes import FakeContext
from tests.unit.wired import rewire
from tests.ways_of_waiting import ParameterSet, each

STATUSES = ("200", "400", "401", "403", "404", "409", "422", "429", "500")
ROLES = ("login", "prepares", "submits", "state", "results")
SIGNATURE = f"X-Amz-Credential=ASIA5PRESIGNED%2Fs3&X-Amz-Security-Token=t0k%2Fen%2Bs&X-Amz-Signature={'5ec0de17' * 8}"
PUBLIC = ("appId", "userId", "workspaceId", "clientId")


def every_call() -> list[ParameterSet]:
    """Return each status in one form, and one status in each form, at each call of each vendor.

    Each form at the paid call and the login, and a 404 at each other, always.
    """
    by_http = [name for name, entry in PROVIDERS.items() if entry.base_url]
    called = [(name, role) for name in by_http for role in ROLES if getattr(vendors()[name], role)]
    answers = [*((status, "plain") for status in STATUSES), *(("400", form) for form in FORMS if form != "plain")]
    return each(
        [(*call, *answer) for call in called for answer in answers],
        always=lambda _, role, status, form: status == ("400" if role in ("submits", "login") else "404"),
    )


class Written:
    """All that the functions wrote down and returned, and all secrets that were sent to the vendor."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.states: list[str] = []
        self.logs: list[str] = []
        name = str(JobName(R, scene.media.media_id, 0))
        self.secrets = {
            callback_token(SECRET, scene.name, name),
            *(value for _, value in parse_qsl(SIGNATURE)),
            *(value for key, value in scene.vendor.credentials.items() if key not in PUBLIC),
        }

    def session(self) -> requests.Session:
        """A session that notes the token of each request."""
        session = stand_in_session(self.scene.client)
        send = session.send

        def noting(request: requests.PreparedRequest, **options: Any) -> requests.Response:
            if sent := request.headers.get("Authorization"):
                self.secrets.add(str(sent).rpartition(" ")[2])
            return send(request, **options)

        session.send = noting  # type: ignore[method-assign]
        return session

    def everything(self) -> Iterator[tuple[str, str]]:
        """Where something is written, and its text."""
        yield from (("a row", texts_of(row)) for row in self.scene.table.items.values())
        yield from (("a log", line) for line in self.logs)
        yield from (("a state", state) for state in self.states)
        for (bucket, _), content in self.scene.s3.objects.items():
            if bucket == REPLIES:
                yield "a reply", content.decode(errors="replace")
        for route, path in ((get_recording, {"recording_id": R}), (list_recordings, {})):
            answer = route.handler({"requestContext": {"requestId": "r"}, "pathParameters": path}, FakeContext())
            assert answer["statusCode"] == 200, answer
            yield f"the answer of {route.__name__}", texts_of(json.loads(answer["body"]))


def texts_of(value: Any) -> str:
    """All texts in a value, each on lines of its own."""
    if isinstance(value, dict | list):
        return "\n".join(map(texts_of, value.values() if isinstance(value, dict) else value))
    return str(value)


class Lines(logging.Handler):
    """Keeps each record with its fields and its traceback."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name not in ("msg", "args", "exc_info")}
        self.lines.append(f"{self.format(record)} {fields}")


@pytest.fixture
def written(make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    monkeypatch.setattr(scenes, "SIGNATURE", SIGNATURE)
    scene = make_scene()
    written = Written(scene)
    monkeypatch.setattr(vendor_http, "_session", written.session)
    rewire(monkeypatch, get_recording, list_recordings, table=scene.table)
    for module in TASKS.values():
        monkeypatch.setattr(module, "handler", _noting(module.handler, written.states))
    loggers = [logging.getLogger(), *(module.logger for module in TASKS.values())]
    lines = Lines(written.logs)
    for logger in loggers:
        logger.addHandler(lines)
    yield written
    for logger in loggers:
        logger.removeHandler(lines)


def _noting(handler: Any, states: list[str]) -> Any:
    def noting(event: Any, context: Any) -> Any:
        try:
            state = handler(event, context)
        except Exception as error:
            states.append(f"{type(error).__name__}: {error}")
            raise
        states.append(texts_of(state))
        return state

    return noting


@pytest.mark.parametrize(("provider", "role", "status", "form"), every_call())
def test_a_vendor_that_quotes_our_requests_gives_nothing_away(
    written: Written, role: str, status: str, form: str
) -> None:
    scene, calls = written.scene, getattr(written.scene.vendor, role)
    quoting = {"status": int(status), "quotes": form, "times": 500}
    calls = [calls] if isinstance(calls, str) else calls
    scene.dials(fail_next=[{"call": call, **quoting} for call in calls], callback="lost")

    scene.run()

    for where, text in written.everything():
        assert secrets_in_text(text, written.secrets) == [], (where, text)
        assert signed_in_text(text) is None, (where, text)
        assert where in ("a reply", "a log") or not CONTROLS.search(text), (where, text)
