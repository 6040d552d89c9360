"""What others send is read and parsed within limits: of bytes, values and levels."""

import io
import json
import re
import tracemalloc
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recording_insights import bounded
from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.aws.secrets import read_secret
from recording_insights.bounded import CHUNK, DEEPEST, LARGEST_REPLY, MOST_BYTES_FOR_A_MARK, MOST_MARKS, parse_bounded
from recording_insights.errors import (
    CallbackUnusable,
    InvalidRequest,
    ProviderUnavailable,
    ReplyTooLarge,
    SecretUnusable,
    SettingsInvalid,
)
from recording_insights.http.edge import HttpMessage
from recording_insights.processing.report_failure import fault_of
from recording_insights.providers.adapters.deepgram.calls import Deepgram
from recording_insights.providers.adapters.seameet.calls import SeaMeet
from recording_insights.providers.adapters.transcribe.calls import Transcribe
from recording_insights.providers.port import CallbackRequest
from recording_insights.providers.toolkit.http import VendorHttp
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.recordings.list import LIST_PARAMETERS
from recording_insights.settings import StageSettings, _parse
from recording_insights.validation import from_json, phrase
from tests.unit.fakes import FakeS3, FakeVendorSession, response


def levels(number: int) -> str:
    return "[" * number + "]" * number


# --- values and levels


@pytest.mark.parametrize(
    "unit",
    [
        "[],",
        "{},",
        '{"":0},',
        '{"":"ab"},',
        "[1.5],",
        '"ab",',
        '"é中",',
        "1.5,",
        '{"%x":1.5},',
        '{"%x":1.5,"%x":2.5},',
    ],
)
def test_parsing_takes_bounded_memory_for_each_mark(unit: str) -> None:
    # In one piece and of unique names, as far as the unit has any: names that repeat are kept once.
    names = iter(range(10**6, 10**7))
    one = (unit % tuple(next(names) for _ in range(unit.count("%x"))) for _ in range(20_000))
    body = f"[{''.join(one)}0]".encode()
    marks = sum(body.count(mark) for mark in b"{[:,")
    tracemalloc.start()
    try:
        value = parse_json(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(value) == 20_001
    assert peak <= MOST_BYTES_FOR_A_MARK * marks + 5 * len(body)


def test_a_text_with_too_many_values_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_bounded(f"[{'0,' * (MOST_MARKS - 2)}0]")
    monkeypatch.setattr(json, "loads", None)
    for text in (f"[{'0,' * MOST_MARKS}0]", b"[" * (MOST_MARKS + 1)):
        with pytest.raises(ValueError, match="its JSON has too many values"):
            parse_bounded(text)


def test_escapes_cost_no_memory_of_their_own() -> None:
    body = b'["' + rb"\n" * 100_000 + rb"\ud83d" + b'"]'
    tracemalloc.start()
    try:
        [text] = parse_json(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert text == "\n" * 100_000 + "\ufffd"
    assert peak < 20 * len(body)


@pytest.mark.parametrize("text", [levels(DEEPEST + 1), '{"a":' * 150 + "0" + "}" * 150, "[" * 200_000])
def test_a_text_with_too_many_levels_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="its JSON is nested too deeply"):
        parse_bounded(text)


def test_what_is_within_the_limits_is_parsed() -> None:
    assert parse_bounded(levels(DEEPEST))
    assert [parse_bounded(text) for text in ("7", '{"a": [{}]}', b'"\xc3\xa9"')] == [7, {"a": [{}]}, "é"]


# --- every door to a parser

DEEP = "[" * 200_000


def of_message() -> object:
    return HttpMessage(DEEP.encode(), {}).json_object()


def of_callback() -> object:
    return CallbackRequest(DEEP.encode(), {}).json_object()


def of_seameet() -> object:
    return SeaMeet.read_result(DEEP.encode())


def of_secret() -> object:
    return read_secret("a-secret", ["key"], source=lambda name, *, fresh=False: DEEP)


def of_answer() -> object:
    session = FakeVendorSession({"GET /": [response(DEEP)]})
    return VendorHttp("Vendor", "https://vendor.test", session).call("GET", "/")


def of_variable() -> object:
    return _parse(DEEP, dict)


def of_stage() -> object:
    file: Any = SimpleNamespace(name="stage_settings.json", read_bytes=DEEP.encode)
    return StageSettings.from_file(file)


def of_option() -> object:
    return from_json(phrase(200))("field", DEEP)


def of_cursor() -> object:
    return LIST_PARAMETERS["cursor"]("cursor", b64encode(DEEP.encode()).decode())


@pytest.mark.parametrize(
    ("door", "error"),
    [
        (of_message, InvalidRequest),
        (of_callback, InvalidRequest),
        (of_seameet, CallbackUnusable),
        (of_secret, SecretUnusable),
        (of_answer, ProviderUnavailable),
        (of_variable, ValueError),
        (of_stage, SettingsInvalid),
        (of_option, InvalidRequest),
        (of_cursor, InvalidRequest),
    ],
)
def test_every_door_refuses_what_is_too_deep(door: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        door()


def test_there_is_no_other_parser() -> None:
    functions = Path(bounded.__file__).parents[1]
    others = [path for path in functions.rglob("*.py") if re.search(r"json\.loads?\(|\.json\(\)", path.read_text())]
    assert others == [Path(bounded.__file__)]


def test_a_cause_that_is_too_deep_is_the_text_itself() -> None:
    assert fault_of({"Error": "States.TaskFailed", "Cause": "[" * 20_000}).startswith("States.TaskFailed: [[[")


def test_a_delivery_that_is_too_deep_is_a_failure_in_words() -> None:
    http: Any = None  # nothing calls the vendor here
    state = Deepgram(http, lambda fresh: {}).poll({}, DEEP.encode())
    assert state.phase == "failed"


# --- bytes


class CountedObject(io.RawIOBase):
    """The body of an object without an end: `served` are the bytes that were read."""

    served = 0

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= CHUNK
        self.served += size
        return b" " * size


def test_of_an_object_without_end_no_more_is_read_than_a_reply_may_have() -> None:
    body: Any = CountedObject()
    s3: Any = FakeS3()
    s3.get_object = lambda **_: {"Body": body}
    with pytest.raises(ReplyTooLarge, match=r"^the reply deliveries/x.json has more than 32 MB$"):
        ReplyStore(s3, "replies").read("deliveries/x.json")
    assert LARGEST_REPLY < body.served <= LARGEST_REPLY + CHUNK
    assert body.closed


def test_a_transcript_that_is_too_large_is_not_read_to_its_end() -> None:
    body: Any = CountedObject()
    s3: Any = FakeS3()
    s3.get_object = lambda **_: {"Body": body}
    with pytest.raises(ReplyTooLarge):
        Transcribe(s3=s3).fetch({"name": "n", "bucket": "b", "key": "outputs/n.json"}, None)
    assert body.served <= LARGEST_REPLY + CHUNK


def test_a_reply_that_nobody_could_read_is_not_stored() -> None:
    s3 = FakeS3()
    fake: Any = s3
    store = ReplyStore(fake, "replies")
    with pytest.raises(ReplyTooLarge):
        store.keep("r", "m", 0, bytes(LARGEST_REPLY + 1))
    assert not s3.objects
    assert len(store.read(store.keep("r", "m", 0, bytes(LARGEST_REPLY)))) == LARGEST_REPLY
