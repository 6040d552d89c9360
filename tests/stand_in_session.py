"""A `requests` session that reaches the stand-ins in this process, through no socket."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter

HOST = "https://stand-ins.test"
"""Base URL of a vendor: `f"{HOST}/{vendor}"`."""


class _Socket:
    """What the dial `drop_connection` shuts down."""

    is_down = False

    def shutdown(self, how: int) -> None:
        self.is_down = True


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
        socket = _Socket()
        answer = self._client.open(
            parts.path,
            method=request.method,
            query_string=parts.query,
            headers=list(request.headers.items()),
            data=body,
            base_url=HOST,
            environ_overrides={"werkzeug.socket": socket},
        )
        if socket.is_down:
            raise requests.ConnectionError("the connection was dropped")
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response._content = answer.data
        response.request = request
        response.url = str(request.url)
        return response

    def close(self) -> None:
        pass


def stand_in_session(client: FlaskClient) -> requests.Session:
    """A session for `VendorHttp`; only `HOST` can be reached."""
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount(HOST, _InProcess(client))
    return session
