"""Requests to the API: bodies, queries, Agora's notifications, callbacks of providers, and answers over damaged rows.

The handlers run as Lambda calls them, over a table and an Agora in memory.
"""

import base64
import hmac
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import NotFound
from recording_insights.processing.callbacks import Callbacks, callback_token
from recording_insights.processing.job_name import JobName
from recording_insights.providers.registry import sends_result
from recording_insights.recordings.shown_line import LinePlace
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import change_of_row, derived_key, recording_key, statement_key
from recording_insights.store.media import MediaStore
from recording_insights.store.numbers import decode, encode
from recording_insights.store.recorder_names import RecorderNameStore
from recording_insights.store.recordings import RecordingStore
from routes import (
    admit_object,
    cancel_recording,
    cancel_retry,
    correct_transcript,
    erase_recording,
    get_insights,
    get_media,
    get_recording,
    get_retry,
    get_subscription,
    keep_result,
    list_deliveries,
    list_insights,
    list_providers,
    list_recordings,
    list_retries,
    list_subscriptions,
    open_upload,
    receive_callback,
    receive_notification,
    retry_many,
    retry_recording,
    rotate_secret,
    start_recording,
    stop_recording,
    update_layout,
    update_recording,
)
from tests.fuzz.answers import JOBS, adapter_of
from tests.fuzz.damage import damaged_json, damaged_value, files, json_of
from tests.fuzz.properties import assert_storable
from tests.fuzz.replies import MEDIA, R
from tests.fuzz.target import Target
from tests.unit.agora.fake_agora import FakeAgora, client_of
from tests.unit.agora.fake_sts import FakeSts, uploader_of
from tests.unit.environment import ENVIRONMENT, STAGE_SETTINGS
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, FakeContext, FakeS3, FakeStarter
from tests.unit.retries.conftest import FakeExecutions
from wiring import Wiring

SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
NOTICES_SENT = datetime.fromtimestamp(1611566412.672, UTC)
"""When Agora sent the notifications of the corpus."""
RECORDING: dict[str, Any] = {
    **recording_key(R),
    **change_of_row(R, "2026-03-12T00:00:00.000000Z"),
    "recording_id": R,
    "status": "recording",
    "created_at": "2026-03-12T00:00:00.000000Z",
    "updated_at": "2026-03-12T00:00:00.000000Z",
    "version": 1,
    "channel": "team",
    "uid": "527841",
    "mode": "mix",
    "provider": "marsview",
    "max_hours": 24,
    "options": {},
    "sid": SID,
    "resource_id": "resource-0==",
    "prefix": R,
    "subscribe_audio_uids": "all",
    "transcoding": {"width": 360, "height": 640, "layout": "floating"},
}
KEY = "notification-secret"


def targets() -> Iterator[Target]:
    """Yield the fuzzers of routes."""
    bodies = {
        ("start-*", "start", start_recording),
        ("layout*", "layout", update_layout),
        ("update*", "update", update_recording),
        ("upload", "upload", open_upload),
        ("correct*", "correct", correct_transcript),
        ("retry-*", "retry", retry_recording),
        ("retries", "retries", retry_many),
        ("media", "media", admit_object),
    }
    for pattern, name, module in sorted(bodies):
        seeds = [json_of(path) for path in files(f"bodies/{pattern}.json")]
        yield Target(f"bodies of {name}", damaged_json(*seeds), partial(check_body, module))
    notices = [json_of(path) for path in files("notifications/*.json")]
    yield Target("notifications", damaged_json(*notices), check_notification)
    for path in files("callbacks/*.json"):
        yield Target(f"callbacks of {path.stem}", damaged_json(json_of(path)), partial(check_callback, path.stem))
    known = ["", "1", "0", "101", "done", "srt", "html", "csv", "٣", "a.1-2", "eyJ9", "a" * 5000]
    # A moment, and a cursor of the changes.
    known += ["2026-03-01T00:00:00Z", "WyJjaGFuZ2VzIiwgIjIwMjYiXQ"]
    text = st.one_of(st.none(), st.sampled_from(known), st.text())
    parameters = ["status", "limit", "cursor", "channel", "format", "include", "updated_since"]
    names = st.dictionaries(st.sampled_from(parameters), text)
    yield Target("queries", st.tuples(names, text), check_query)
    yield Target("rows", st.lists(damaged_value(*_rows()), min_size=1, max_size=6), check_rows)


def check_body(module: ModuleType, body: bytes) -> None:
    """A body is accepted or refused with a problem document, and what is stored of it fits into the table."""
    table = _table()
    vendor = FakeAgora()
    vendor.recorders[SID] = {"cname": "team", "uid": "527841", "resource_id": "resource-0=="}
    response = _call(module, table, body, vendor=vendor)
    assert response["statusCode"] in (200, 201, 202, 400, 404, 409, 413, 422), response
    for item in _items(table):
        assert_storable(item)


def check_notification(body: bytes) -> None:
    """A signed notification is processed or refused, and changes rows in what it may change only."""
    table = _table()
    RecorderNameStore(table).name(SID, R)
    signature = hmac.new(KEY.encode(), body, "sha256").hexdigest()
    response = _call(receive_notification, table, body, headers={"agora-signature-v2": signature})
    assert response["statusCode"] in (200, 400), response
    [row] = [item for item in _items(table) if item["sk"] == RECORDING["sk"] and item["pk"] == R]
    same = ("channel", "uid", "mode", "provider", "sid", "resource_id", "created_at")
    assert [row[name] for name in same] == [RECORDING[name] for name in same]


def check_callback(provider: str, body: bytes) -> None:
    """An authentic callback is noted, ignored or refused, and its job goes on."""
    table = _table(has_result=False)
    store = MediaStore(table)
    store.submitted(R, MEDIA.media_id, provider=provider, job=JOBS[provider])
    store.jobs.name(R, MEDIA.media_id, provider=provider, key="seax_1")
    name = str(JobName(R, MEDIA.media_id, 0))
    token = callback_token(KEY, provider, name)
    signature = hmac.new(KEY.encode(), body, "sha256").hexdigest()
    headers = {"x-seasalt-server-signature": signature, "x-recording-insights-token": token}
    s3: Any = FakeS3()
    path = {"provider": provider, "job": name, "token": token}
    route = keep_result if sends_result(provider) else receive_callback
    response = _call(route, table, body, headers=headers, path=path, s3=s3, provider=provider)
    assert response["statusCode"] in (200, 400, 404), response
    callbacks = Callbacks(store, ReplyStore(s3, ENVIRONMENT["REPLIES_BUCKET"]), lambda token: None, FakeStarter())
    for _, key in s3.objects if sends_result(provider) else ():
        with suppress(NotFound):
            callbacks.receive_kept_result(key)
    row = store.get(R, MEDIA.media_id)
    assert row["status"] == "submitted"
    assert_storable(dict(row))


def check_query(found: tuple[dict[str, str | None], str | None]) -> None:
    """Any query and any id are answered or refused."""
    query, recording_id = found
    given = {name: value for name, value in query.items() if value is not None}
    for module, path in (
        (list_recordings, {}),
        (list_insights, {}),
        (get_insights, {"recording_id": R}),
        (get_media, {"recording_id": recording_id or ""}),
        (get_recording, {"recording_id": recording_id or ""}),
        (stop_recording, {"recording_id": recording_id or ""}),
        (list_retries, {}),
        (get_retry, {"retry_id": recording_id or ""}),
        (cancel_retry, {"retry_id": recording_id or ""}),
        (list_providers, {}),
        (list_subscriptions, {}),
        (get_subscription, {"subscription_id": recording_id or ""}),
        (rotate_secret, {"subscription_id": recording_id or ""}),
        (list_deliveries, {"subscription_id": recording_id or ""}),
        (cancel_recording, {"recording_id": recording_id or ""}),
        (erase_recording, {"recording_id": recording_id or ""}),
    ):
        response = _call(module, _table(), b"", query=given, path=path)
        assert response["statusCode"] in (200, 400, 404), response


def check_rows(items: list[Any]) -> None:
    """A row that was edited into nonsense costs an answer at most: a handler returns a response, and writes nothing."""
    table = _table()
    for item, key in zip(items, _keys(), strict=False):
        if isinstance(item, dict):
            table.put_item(Item=_storable({**item, **key}))
    before = _items(table)
    for module in (list_recordings, list_insights, get_insights, get_media, get_recording):
        response = _call(module, table, b"", path={"recording_id": R}, live=False)
        assert response["statusCode"] in (200, 404, 500), response
    assert _items(table) == before


def _rows() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = decode(_items(_table()))
    return items


def _keys() -> Iterator[dict[str, str]]:
    for row in _rows():
        yield {"pk": row["pk"], "sk": row["sk"]}


def _storable(item: dict[str, Any]) -> dict[str, Any]:
    try:
        encoded: dict[str, Any] = encode(item)
        assert_storable(encoded)
    except (AssertionError, RecursionError, UnicodeEncodeError):
        return {"pk": item["pk"], "sk": item["sk"]}
    return encoded


def _table(*, has_result: bool = True) -> Any:
    """A table with one recording under way and one media object, which may have insights, also derived ones."""
    table: Any = FakeTable()
    table.put_item(Item=RECORDING)
    clock = FakeClock()
    store = MediaStore(table, clock.now, clock.sleep)
    store.admit(R, MEDIA, providers=["marsview"], duration_ms=60_000)
    if has_result:
        store.recordings.update(R, {"derivation": {}, "insights": "done"})
        line = LinePlace(MEDIA.media_id, 0, 1).id
        derived = {"digest": "d", "state": "done", "counts": {"topics": 1}, "model": "m", "calls": 1, "cents": 1}
        table.put_item(Item={**derived_key(R), **derived})
        table.put_item(Item={**statement_key(R, "d", "topics", 1), "text": "ships", "evidence": [line]})
        insights = adapter_of("marsview", lambda *_: None).read_insights(_REPLY)
        saved = InsightStore(table).save(R, MEDIA.media_id, 0, insights)
        store.finish(R, MEDIA.media_id, "done", counts=saved.counts, outline=saved.outline)
    return table


_REPLY = files("replies/marsview.json")[0].read_bytes()


def _items(table: Any) -> list[dict[str, Any]]:
    return [table.get_item(Key={"pk": pk, "sk": sk})["Item"] for pk, sk in table.items]


def _call(
    module: ModuleType,
    table: Any,
    body: bytes,
    *,
    headers: dict[str, str] | None = None,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    vendor: FakeAgora | None = None,
    live: bool = True,
    s3: Any = None,
    provider: str = ENVIRONMENT["PROVIDER"],
) -> dict[str, Any]:
    """Call a handler and check the form of its response, whatever the status is."""
    event = {
        "body": body.decode("latin-1"),
        "isBase64Encoded": False,
        "headers": headers or {},
        "pathParameters": path or {"recording_id": R},
        "queryStringParameters": query or {},
        "requestContext": {"requestId": "r"},
        "routeKey": "ANY /",
    }
    event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    with _wired(module, table, vendor or FakeAgora(live_status=5 if live else 0), s3 or FakeS3(), provider):
        response: dict[str, Any] = module.handler(event, FakeContext())
    content = json.loads(response["body"]) if response["headers"]["content-type"].endswith("json") else {}
    if response["statusCode"] >= 400:
        assert response["headers"]["content-type"] == "application/problem+json"
        assert content["status"] == response["statusCode"]
        assert content["title"]
    response["body"].encode()
    return response


def _read_secret(name: str, keys: Sequence[str], *, fresh: bool = False) -> dict[str, str]:
    return dict.fromkeys(keys, KEY)


@contextmanager
def _wired(module: ModuleType, table: Any, vendor: FakeAgora, s3: Any, provider: str) -> Iterator[None]:
    parts: dict[str, Any] = {
        "stage_settings": STAGE_SETTINGS,
        "table": table,
        "s3": s3,
        "agora": client_of(vendor, uploader_of(FakeSts(FakeClock().now))),
        "start_watch": lambda recording: None,
        "end_wait": lambda token: None,
        "workflow": FakeExecutions(),
        "retry_machine": FakeExecutions(),
        "start_processing": FakeStarter(),
    }
    if module is get_media:
        parts["s3_media"] = SimpleNamespace(play_link=lambda *_: "https://recordings.test/link")
    if module is open_upload:
        parts["s3_media"] = SimpleNamespace(upload_link=lambda *_, **__: "https://recordings.test/link")
    if module is admit_object:
        parts["s3_media"] = SimpleNamespace(find=lambda bucket, key: None)
    if module is receive_notification:
        parts["recordings"] = RecordingStore(table, lambda: NOTICES_SENT)
    names = '["marsview", "deepgram", "assemblyai", "symbl", "ringcentral", "seameet", "transcribe"]'
    wiring = Wiring(module.wiring.settings_type)
    vars(wiring).update(parts)
    with (
        patch.dict(
            os.environ,
            {
                **ENVIRONMENT,
                "INSIGHTS_MODEL": "example.model-v1:0",
                "POWERTOOLS_METRICS_NAMESPACE": "RecordingInsights/dev",
                "PROVIDER": provider,
                "PROVIDERS": names,
            },
        ),
        patch.object(module, "wiring", wiring),
        patch("wiring.read_secret", _read_secret),
        patch("recording_insights.aws.secrets.read_secret", _read_secret),
    ):
        yield
