"""Hide secrets in text before the text is stored, logged or returned.

Secrets reach text in three ways. A vendor repeats the request that it received. A link carries a signature or a token.
A live stream carries its key in the path.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

LONGEST_MESSAGE = 500
SHORTEST_IN_BASE64 = 8
"""A secret up to here is not looked for within longer Base64: the few characters may be there by chance."""

_LINKS = ("https://", "http://")
_STREAMS = ("rtmp://", "rtmps://")

# Every quantifier over a URL is possessive and the query is optional, so one match covers a whole URL. A pattern that
# fails at the end of a long URL would start again at every "https://" inside it, in quadratic time.
# In JSON a link may be written with escapes: https:\/\/host\/key?a=1\u0026b=2.
LINK_WITH_QUERY = re.compile(
    r"(https?:(?:\\?/){2}(?:[^\s\"'?\\]|\\/)++)(?P<query>\?(?:[^\s\"'\\]|\\/|\\u[0-9a-fA-F]{4})++)?+"
)
LINK_WITH_QUERY_OR_FRAGMENT = re.compile(r"(https?:\\?/\\?/[^\s?#\"']++)(?P<query>[?#][^\s\"']*+)?+")
_STREAM = re.compile(r"(rtmps?:\\?/\\?/[^\s/\\?#\"']+)[^\s\"']*")
_URL = re.compile(r"https?:[^\s\"'<>]+", re.IGNORECASE)
_WEBHOOK_TOKEN = re.compile(r"(/webhooks(?:\\?/[^\s\"'/\\]+){2}\\?/)[0-9a-f]{64}")
_URL_OR_TOKEN = re.compile(r"https?:\S+|\b(?:bearer|basic)\s+\S{12,}|[\w.~+/=%:@-]{32,}", re.IGNORECASE | re.ASCII)
_KEY_OR_TOKEN = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}|[A-Za-z0-9+/=_%-]{32,}")
_SIGNATURE = re.compile(
    r"(X-(?:Amz|Goog)-(?:Algorithm|Credential|Security-Token|Signature)(?:=|%3D|\\{1,4}u003d))[\w%.~+/-]++",
    re.IGNORECASE | re.ASCII,
)
"""A parameter of a presigned link, wherever it is. The link may be encoded, escaped or without its beginning."""
_AUTHORIZATION = re.compile(
    r"(\b(?:token|bearer|basic)(?:[ :=\"']{1,3}|%20))(?=[\w.~+/-]{0,40}\d)[\w.~+/=-]{16,}", re.IGNORECASE | re.ASCII
)
"""The header of another call, such as that of the submission, which the message of a failed job may quote."""
_CREDENTIAL = re.compile(
    r"(?:^|[?&;]|u0026)(?:X-Amz-|X-Goog-|AWSAccessKeyId\b"
    r"|(?:[\w-]{0,20}(?:token|signature|key|secret|password)|sig|jwt|auth|code)(?:=|\\{1,4}u003d)[\w%.~+/-]{16})",
    re.IGNORECASE | re.ASCII,
)
"""What shows that a query holds a credential: a parameter of a presigned link, or 16 characters under such a name."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 except tab and line feed, DEL, C1: an escape sequence begins with one. And what makes a text read as another."""
_ORDINARY_WORD = re.compile(r"[^\W\d_]{1,12}|\d{1,5}")
_BEFORE_A_VALUE = r"(?:[\"'=/:?&]|\b(?:key|token|secret|password|passphrase|credential)(?: is|:)? )"
_GO_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "&<>"}


def redact_credentials(reply: str) -> str:
    """Replace the queries of presigned links, and the tokens in the paths of our webhooks, by `redacted`.

    Use it for a provider's reply: providers repeat the presigned link and the callback URL that they were given. What
    was said stays as it was. A link of the conversation is no secret, and `https://x.io/?Yes` may be two sentences.
    """

    def redacted(link: re.Match[str]) -> str:
        query = link["query"]
        return f"{link[1]}?redacted" if query and _CREDENTIAL.search(query) else link[0]

    without_queries = LINK_WITH_QUERY.sub(redacted, reply)
    return _WEBHOOK_TOKEN.sub(r"\1redacted", _SIGNATURE.sub(r"\1redacted", without_queries))


def redact_links(text: str) -> str:
    """Replace the query strings of URLs, and the tokens in the paths of our webhooks, by `redacted`.

    Use it for a message of a vendor's software. For a reply, which holds what was said, use `redact_credentials`.
    """
    without_queries = LINK_WITH_QUERY.sub(lambda link: f"{link[1]}?redacted" if link["query"] else link[0], text)
    return _WEBHOOK_TOKEN.sub(r"\1redacted", _SIGNATURE.sub(r"\1redacted", without_queries))


def vendor_message(value: Any) -> str:
    """Return a vendor's message in a form that a row may hold: one line, links redacted, at most 500 characters.

    It controls nobody's terminal. Half of a surrogate pair becomes `?`.
    """
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except RecursionError:
        text = "a message that is nested too deeply"
    one_line = " ".join(without_controls(text.encode(errors="replace").decode()).split())
    return redact_links(_AUTHORIZATION.sub(r"\1***", one_line))[:LONGEST_MESSAGE]


def without_controls(text: str) -> str:
    """Return the text without characters that control a terminal or the direction of writing; lines and tabs stay."""
    return _CONTROLS.sub("", text)


def hide_urls(text: str) -> str:
    """Replace every http and https URL by `(link)`."""
    return _URL.sub("(link)", text)


def hide_urls_and_tokens(text: str) -> str:
    """Replace URLs, the credentials of Authorization headers, and runs of 32 or more token characters by `…`."""
    return _URL_OR_TOKEN.sub("…", text)


def hide_keys_and_tokens(text: str) -> str:
    """Replace AWS access keys, and runs of 32 or more token characters, by `***`."""
    return _KEY_OR_TOKEN.sub("***", text)


def hide_queries_and_stream_keys(text: str) -> str:
    """Replace queries and fragments of http links by `?***`, and cut RTMP links after the host.

    The slashes of the links may be escaped, as in JSON.
    """
    without_queries = LINK_WITH_QUERY_OR_FRAGMENT.sub(lambda link: f"{link[1]}?***" if link["query"] else link[0], text)
    return _STREAM.sub(r"\1", without_queries)


def hide_secrets(text: str, secrets: Iterable[str]) -> str:
    """Replace the secrets by `***`, however the text quotes them; then do as `hide_queries_and_stream_keys` does.

    A secret that is an ordinary word or a short number is replaced only where it is a value: in quotes, behind `=`,
    `:` or `/`, or after a word such as "key". Elsewhere the text most likely means the word.
    """
    found = set(secrets)
    words = {secret for secret in found if _ORDINARY_WORD.fullmatch(secret)}
    text = hide_exactly(text, found - words)
    for word in sorted(words):
        text = re.sub(rf"({_BEFORE_A_VALUE}){re.escape(word)}(?!\w)", r"\1***", text)
    return hide_queries_and_stream_keys(text)


def hide_exactly(text: str, secrets: Iterable[str]) -> str:
    """Replace the secrets by `***`: plain, as JSON, percent-encoded or as Base64. Nothing else changes."""
    forms = {form for secret in secrets for form in (*_quoted(secret), *_encoded(secret)) if form}
    for form in sorted(forms, key=len, reverse=True):  # a short secret may be part of a longer one
        text = text.replace(form, "***")
    return text


def secrets_in(request: Any, secret_fields: Collection[str]) -> Iterator[str]:
    """Yield the secrets of a request body: the texts of `secret_fields` at any depth, and the secret parts of links."""
    entries = request.items() if isinstance(request, Mapping) else enumerate(request)
    for name, value in entries:
        if isinstance(value, Mapping | list):
            yield from secrets_in(value, secret_fields)
        elif isinstance(value, str) and name in secret_fields:
            yield value
        elif isinstance(value, str) and value.startswith(_LINKS + _STREAMS):
            hidden = value.removeprefix(_public_part(value)).lstrip("/?#")
            yield from (value, hidden, hidden.rpartition("/")[2])


def _public_part(link: str) -> str:
    """A link without its query and fragment; of an RTMP link, only scheme and host: its path lets anybody publish."""
    if link.startswith(_STREAMS):
        parts = urlsplit(link)
        return f"{parts.scheme}://{parts.netloc}"
    return link.partition("?")[0].partition("#")[0]


def _quoted(secret: str) -> Iterator[str]:
    """Yield a secret as plain text, as JSON, and as JSON within JSON, with the escapes that vendors use.

    Blanks are also yielded collapsed, because messages are put on one line before they are searched.
    """
    for plain in (secret, " ".join(secret.split())):
        for ascii_only in (True, False):
            once = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
            for form in (plain, once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]):
                yield from (form, form.replace("/", "\\/"), form.translate(_GO_ESCAPES))


def _encoded(secret: str) -> Iterator[str]:
    """Yield a secret as it is in a URL, once and twice encoded, and as Base64, alone and within a longer text."""
    in_urls = {secret}
    for encode in (quote_plus, lambda plain: quote(plain, safe=""), quote):
        once = encode(secret)
        in_urls |= {once, quote(once, safe=""), re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), once)}
    yield from in_urls
    for encode_bytes in (b64encode, urlsafe_b64encode):
        encoded = encode_bytes(secret.encode()).decode()
        yield from (encoded, encoded.rstrip("="))
        if len(secret) >= SHORTEST_IN_BASE64:
            for form in in_urls:
                yield from _within_base64(form.encode(), encode_bytes)


def _within_base64(plain: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """Yield the characters that depend on these bytes alone, for each place that they may have in a group of three."""
    for before in range(3):
        encoded = encode(bytes(before) + plain).decode()
        yield encoded[-(before * -8 // 6) : (before + len(plain)) * 8 // 6]


def storable(value: Any) -> Any:
    """Return what may be stored and shown of a value: no secret, no salt, links without query, streams without key."""
    match value:
        case Mapping():
            return {name: storable(inner) for name, inner in value.items() if name not in ("secret", "salt")}
        case list():
            return [storable(inner) for inner in value]
        case float():
            return round(value, 6)  # Agora reads six decimals
        case str() if value.startswith(_LINKS + _STREAMS):
            return _public_part(value)
        case _:
            return value
