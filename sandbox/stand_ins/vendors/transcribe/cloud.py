"""The local cloud as the front of its Transcribe reaches it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests

_TIMEOUT_SECONDS = (5, 60)


@dataclass(frozen=True)
class CloudAnswer:
    """An answer as it came."""

    status: int
    content_type: str
    body: bytes


AskCloud = Callable[[str, Mapping[str, str], bytes], CloudAnswer]
"""(path, headers, body) of a POST → the cloud's answer; raises NoCloud."""


class NoCloud(Exception):
    """There is no local cloud, or it does not answer."""


def ask_cloud(path: str, headers: Mapping[str, str], body: bytes) -> CloudAnswer:
    """Ask the cloud at AWS_ENDPOINT_URL with exactly these headers: path and Host are part of what was signed."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise NoCloud("AWS_ENDPOINT_URL names no local cloud")
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
