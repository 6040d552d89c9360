"""The answer of a hostile vendor: it quotes the request that it got, and tries to control the reader's terminal."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import request

FORMS: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "Base64": lambda text: b64encode(text.encode()).decode(),
    "Base64 of URLs": lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
}
"""How a vendor may write what it quotes."""

CONTROLS = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\x00"
"""A window's title, an empty screen, a colour, text from right to left, and the end of a text in C."""


def quoting(form: str) -> dict[str, Any]:
    """Return a body that quotes headers, URL and body of the present request, in the fields of every vendor's errors.

    Messages are cut on their way, so each part of the request comes first in some field.
    """
    write = FORMS[form]
    headers = " ".join(value for name, value in request.headers if name not in ("Host", "Content-Type", "Accept"))
    body = request.get_data(as_text=True)
    texts = [f"{CONTROLS}{write(part)}" for part in (headers, request.url, body)]
    said = " ".join(texts)
    return {
        "status": False,
        "error": said,
        "errors": [{"errorCode": "ODD-1", "message": text} for text in texts],
        "err_code": "ODD",
        "err_msg": " ".join(reversed(texts)),
        "error_description": texts[2],
        "message": texts[1],
        "detail": texts[0],
    }
