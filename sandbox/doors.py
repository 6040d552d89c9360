"""What a server on loopback refuses, so that no web page and no other user of the machine gets in.

The local cloud and the stand-ins share these checks. A page of another site reaches loopback through the browser: with
its own name that points to 127.0.0.1 (the Host), or with a request across sites (Origin, Sec-Fetch-Site). Source:
https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

import hmac
import re
import secrets
from collections.abc import Mapping, MutableMapping

CONTROL_KEY_HEADER = "x-sandbox-key"
"""The header with the control key, which opens the routes that configure the local cloud and the stand-ins."""
CONTROL_KEY_VARIABLE = "SANDBOX_CONTROL_KEY"
"""The variable with which a server gets its control key."""

_OUR_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)


def new_control_key() -> str:
    """Return a key that nobody can guess."""
    return secrets.token_urlsafe(32)


def take_secret(environment: MutableMapping[str, str], variable: str) -> str:
    """Return a variable and remove it, so that the children of this process do not inherit it. Without one: ""."""
    return environment.pop(variable, "")


def refusal(headers: Mapping[str, str]) -> str | None:
    """Return why a request is refused, None if it is let in. `headers` have lower-case names.

    A header that came twice has both values, joined by a comma.
    """
    if not _OUR_HOST.fullmatch(headers.get("host", "")):
        return "the Host is not localhost, 127.0.0.1 or [::1]"
    if "origin" in headers:
        return "a web page sent it: it has an Origin"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "a page of another site sent it: see Sec-Fetch-Site"
    return None


def opens(headers: Mapping[str, str], control_key: str) -> bool:
    """Tell whether a request has the control key."""
    given = headers.get(CONTROL_KEY_HEADER, "")
    return bool(control_key) and hmac.compare_digest(given.encode(), control_key.encode())
