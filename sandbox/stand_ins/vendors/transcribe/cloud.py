"""Calls the local cloud behind this Transcribe."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests

_TIMEOUT_SECONDS = (5, 60)


@dataclass(frozen=True)
class CloudAnswer:
    """An HTTP answer, unchanged."""

    status: int
    content_type: str
    body: bytes


AskCloud = Callable[[str, Mapping[str, str], bytes], CloudAnswer]
"""(path, headers, body) of a POST → the local cloud's answer. Raises NoCloud."""


class NoCloud(Exception):
    """No local cloud runs, or it does not answer."""


def ask_cloud(path: str, headers: Mapping[str, str], body: bytes) -> CloudAnswer:
    """Send a POST to AWS_ENDPOINT_URL with exactly these headers: the signature covers path and Host."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise NoCloud("no local cloud: AWS_ENDPOINT_URL is not set")
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.headers.clear()
            url = f"{endpoint.rstrip('/')}{path}"
            answer = session.post(
                url, data=body, headers=dict(headers), timeout=_TIMEOUT_SECONDS, allow_redirects=False
            )
    except requests.RequestException as error:
        raise NoCloud(f"the local cloud does not answer ({type(error).__name__})") from None
    return CloudAnswer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)
