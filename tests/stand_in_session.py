"""A `requests` session that calls the stand-ins in this process, without sockets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from recording_insights.providers.toolkit.http import TIMEOUT
from sandbox.stand_ins.runtime import calls

HOST = "https://stand-ins.test"
"""Base URL of a vendor: `f"{HOST}/{vendor}"`."""


class FakeSocket:
    """The server's socket, which the dial `drop_connection` shuts down."""

    is_down = False

    def shutdown(self, how: int) -> None:
        self.is_down = True


class TimedOut(Exception):
    """The stand-in would have answered later than the caller waits."""


@contextmanager
def skipped_delays() -> Iterator[None]:
    """Skip the delays of the dial `delay_seconds`; raise `TimedOut` if they exceed the caller's time-out."""
    slept: list[float] = []
    with patch.object(calls, "time", SimpleNamespace(sleep=slept.append)):
        yield
    if sum(slept) > TIMEOUT[1]:
        raise TimedOut


class _InProcess(BaseAdapter):
    def __init__(self, client: FlaskClient) -> None:
        super().__init__()
        self._client = client

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        parts = urlsplit(str(request.url))
        body: Any = request.body
        if body is not None and not isinstance(body, str | bytes):
            body = b"".join(body)
        socket = FakeSocket()
        try:
            with skipped_delays():
                answer = self._client.open(
                    parts.path,
                    method=request.method,
                    query_string=parts.query,
                    headers=list(request.headers.items()),
                    data=body,
                    base_url=HOST,
                    environ_overrides={"werkzeug.socket": socket},
                )
        except TimedOut:
            raise requests.ReadTimeout("no answer in time") from None
        if socket.is_down:
            raise requests.ConnectionError("the connection was dropped")
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response.raw = HTTPResponse(BytesIO(answer.data), preload_content=False)
        response.request = request
        response.url = str(request.url)
        return response

    def close(self) -> None:
        pass


def stand_in_session(client: FlaskClient) -> requests.Session:
    """A session for `VendorHttp`. It can reach only `HOST`."""
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount(HOST, _InProcess(client))
    return session
