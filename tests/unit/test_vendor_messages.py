"""What becomes of links in vendors' texts, messages and kept replies."""

import json
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.redaction import (
    LINK_WITH_QUERY,
    LINK_WITH_QUERY_OR_FRAGMENT,
    hide_keys_and_tokens,
    hide_secrets,
    hide_urls_and_tokens,
    redact_credentials,
    redact_links,
    vendor_message,
)

SIGNED = "https://bucket.s3.amazonaws.com/a/talk%201.mp4?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=5ec0de"
PLAIN = "https://bucket.s3.amazonaws.com/a/talk%201.mp4?redacted"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (SIGNED, PLAIN),
        (f"cannot read {SIGNED} (403)", f"cannot read {PLAIN} (403)"),
        (f"'{SIGNED}' and \"{SIGNED}\"", f"'{PLAIN}' and \"{PLAIN}\""),
        ("http://localhost:4566/b/k?X-Amz-Signature=5ec0de", "http://localhost:4566/b/k?redacted"),
        ("no query: https://example.com/a and a question? yes", "no query: https://example.com/a and a question? yes"),
        ("", ""),
    ],
)
def test_links_lose_their_query(text: str, redacted: str) -> None:
    assert redact_links(text) == redacted


@pytest.mark.parametrize("pattern", [LINK_WITH_QUERY, LINK_WITH_QUERY_OR_FRAGMENT])
def test_the_search_for_links_takes_linear_work(pattern: re.Pattern[str]) -> None:
    links = "https://" * 8192
    # One match covers all links, and possessive quantifiers take no step back.
    assert [match.span() for match in pattern.finditer(links)] == [(0, len(links))]
    assert not set("+*") & set(re.sub(r"[+*?]\+", "", pattern.pattern))
    assert redact_links(links) == links


def _escape_slashes(text: str) -> str:
    return text.replace("/", r"\/")


def _escape_ampersands(text: str) -> str:
    return text.replace("&", r"\u0026").replace("=", r"\u003d")


@pytest.mark.parametrize(
    "dump",
    [
        json.dumps,
        lambda value: json.dumps(value, indent=1),
        lambda value: _escape_slashes(json.dumps(value)),
        lambda value: _escape_ampersands(json.dumps(value)),
        lambda value: _escape_slashes(_escape_ampersands(json.dumps(value))),
        lambda value: json.dumps({"nested": json.dumps(value)}),
    ],
    ids=["plain", "indented", "slashes", "ampersands", "both", "JSON in JSON"],
)
def test_a_reply_is_kept_without_the_links_however_its_json_is_written(replies: ReplyStore, dump: Any) -> None:
    value = {"link": SIGNED, "text": f'é {SIGNED}\n"quoted" \\ back', "n": 1.5}

    kept = replies.read(replies.keep("r", "m", 0, dump(value).encode()))

    assert b"X-Amz" not in kept
    assert b"5ec0de" not in kept
    read = json.loads(kept)
    if "nested" in read:
        read = json.loads(read["nested"])
    assert read == {"link": PLAIN, "text": f'é {PLAIN}\n"quoted" \\ back', "n": 1.5}


def test_a_reply_without_links_is_kept_byte_for_byte(replies: ReplyStore) -> None:
    reply = '{"b": 1.50,  "a": "はい 🎙 \\ud83d?"}'.encode()

    key = replies.keep("5eb63bbb", "0123456789", 0, reply)

    assert key == "5eb63bbb/0123456789-0.json"
    assert replies.read(key) == reply


@pytest.mark.parametrize(
    "said",
    [
        "Did you open https://x.io/?Yes I did.",
        "https://x.io/?Yes",
        "Open https://x.io/search?q=tokens&page=2, then http://y.io/a?b#c. Is it https://x.io/? It is.",
        "The parameter is called X-Amz-Signature; the token=abc is an example, https://x.io/?key=short",
        "My link is https://meet.x.io/j/123?pwd=abc and the webhooks are at /webhooks/x/y/z.",
    ],
)
def test_what_was_said_stays_as_it_was(replies: ReplyStore, said: str) -> None:
    reply = json.dumps({"text": said, "words": said.split(), "url": SIGNED}).encode()

    kept = replies.read(replies.keep("r", "m", 0, reply))

    assert json.loads(kept) == {"text": said, "words": said.split(), "url": PLAIN}


@pytest.mark.parametrize(
    "link",
    [
        SIGNED.replace("https://", "HTTPS://"),
        SIGNED.removeprefix("https:"),
        SIGNED.partition("?")[2],
        quote(SIGNED, safe=""),
        SIGNED.replace("?", r"\u003f").replace("=", r"\u003d"),
        SIGNED.replace("?", "%3F"),
        SIGNED.replace("?", "? "),
        SIGNED.replace("X-Amz-", "X-Goog-"),
        "https://a.blob.core.windows.net/b?sv=2020&sig=5ec0de5ec0de5ec0de%3D",
        "https://d.cloudfront.net/a?Expires=1&Signature=5ec0de~5ec0de5ec0de&Key-Pair-Id=K",
        "https://media.vendor.test/a?access_token=5ec0de.5ec0de.5ec0de",
    ],
)
def test_a_kept_reply_holds_no_credential_of_a_link(replies: ReplyStore, link: str) -> None:
    kept = replies.read(replies.keep("r", "m", 0, f'{{"link": "{link}"}}'.encode()))
    assert b"5ec0de" not in kept
    assert b"AKIA" not in kept


hide_two = partial(hide_secrets, secrets=["token", "s3cr3t"])


@pytest.mark.parametrize(
    "piece",
    ["https://", "https://a?", "https://a?token=", "?&token=", "X-Amz-Signature=", "/webhooks/a", "token-", "bearer  "],
)
@pytest.mark.parametrize(
    "hide", [redact_credentials, redact_links, hide_urls_and_tokens, hide_keys_and_tokens, hide_two]
)
def test_redaction_takes_linear_time(piece: str, hide: Callable[[str], str]) -> None:
    """It takes milliseconds of CPU time. In quadratic time it took two minutes."""
    text = piece * (100_000 // len(piece))
    begun = time.process_time()
    hide(text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("two\n  lines\t.", "two lines ."),
        ({"code": "X1", "at": SIGNED}, json.dumps({"code": "X1", "at": PLAIN})),
        (["a"], '["a"]'),
        (7, "7"),
        ("x" * 501, "x" * 500),
    ],
)
def test_a_message_is_one_short_line_without_links(value: Any, message: str) -> None:
    assert vendor_message(value) == message


@pytest.mark.parametrize("scheme", ["Token ", "Bearer ", "basic  ", 'token: "', "Token%20"])
def test_a_message_of_a_later_call_quotes_no_authorization(scheme: str) -> None:
    quoted = vendor_message(f"failed: Authorization: {scheme}5tand1n0deepgram0key0000000 was sent, a token is no word")
    assert "5tand1n0" not in quoted
    assert quoted.endswith("*** was sent, a token is no word")


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def test_what_cannot_be_written_is_a_message_all_the_same() -> None:
    assert vendor_message("cut \ud83d") == "cut ?"
    assert vendor_message(nested(100_000)) == "a message that is nested too deeply"


def test_a_link_at_the_cut_is_redacted_before_it() -> None:
    assert "X-Amz" not in vendor_message("x" * 430 + SIGNED)
