"""JSON examples of the pages, and what the code says of each: a request is checked, an answer is compared.

The info string of a block says what it is: `json request POST /recordings` (with `refused` if the code refuses it),
`json answer 201 POST /recordings`, `json problem conflict`, `json row MediaRow`, `json secret agora`,
`json context`. A lone `…` at the end of a list or an object stands for more entries.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, cast, get_args

from recording_insights.agora.client_request import update_request
from recording_insights.agora.fields.layout import read_layout
from recording_insights.agora.fields.recorder import UPDATE
from recording_insights.agora.recorder import LiveState
from recording_insights.deadline import Deadline
from recording_insights.errors import InvalidRequest, ProviderBusy
from recording_insights.model.derived import KINDS, Statement
from recording_insights.model.insights import ActionItem, Emotion, Entity, Insights, Question, Topic, Utterance, Word
from recording_insights.notices import deliveries, subscriptions
from recording_insights.notices.subscriptions import CHANGED, CREATED
from recording_insights.processing.callbacks import CallbackOutcome
from recording_insights.processing.keep_result import KeptOutcome
from recording_insights.processing.providers import CHANGES as PROVIDER_CHANGES
from recording_insights.processing.providers import describe_provider
from recording_insights.processing.turns import Turns
from recording_insights.providers.registry import PROVIDERS, validate_options
from recording_insights.recordings.corrections import CORRECTIONS
from recording_insights.recordings.derived_answer import FIGURES
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.recordings.list import list_recordings
from recording_insights.recordings.media_links import list_links
from recording_insights.recordings.read import describe_recording, public
from recording_insights.recordings.request import RecordingRequest
from recording_insights.recordings.sync import Sync
from recording_insights.recordings.upload import UploadRequest, open_upload
from recording_insights.retries.request import AdmissionRequest, RetriesRequest, RetryRequest
from recording_insights.retries.retry_many import described
from recording_insights.store.insights import Collection
from recording_insights.store.keys import change_of_row, media_key, recording_key
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.turns import TurnStore
from recording_insights.validation import object_of
from tests.docs.pages import codes_in, page
from tests.unit.fake_table import FakeTable

RECORDING_ID = "4736218b480a44149a6bac9cd17457c6"
TOO_LONG = "5736218b480a44149a6bac9cd17457c6"
WHY = {"stage": "s", "reason_code": "c", "reason": "r"}
OPEN = {
    "metadata",
    "options",
    "headers",
    "counts",
    "media_counts",
    "ratings",
    "speakers",
    "transcoding",
    "snapshots",
    "decryption",
    "agora_error",
    "job",
    "filters",
    "refused",
    "dropped",
}
"""Maps whose keys are the caller's or the provider's."""

_MORE = re.compile(r",\s*…\s*(?=[\]}])")


def parse(text: str) -> Any:
    """A JSON example; a lone `…` that ends a list or an object is left out.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(_MORE.sub("", text))


def matching_route(request_line: str, routes: Sequence[str]) -> str:
    """The route of a request line such as "POST /recordings/4736…/stop".

    Raises:
        LookupError: the API has no such route.
    """
    for route in sorted(routes, key=lambda route: route.count("{")):
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)), request_line):
            return route
    raise LookupError(request_line)


def check_request(route: str, body: Any) -> None:
    """Check a body as the API does; a `…` within a text stands for any letters.

    Raises:
        InvalidRequest: names the field that is wrong.
    """
    body = json.loads(json.dumps(body, ensure_ascii=False).replace("…", "x"))
    if route not in _BODIES:
        raise LookupError(f"{route} takes no body")
    _BODIES[route](body)


def _check_start(body: Any) -> None:
    RecordingRequest.from_body(
        body,
        providers=tuple(PROVIDERS),
        default_provider=str(body.get("provider", "assemblyai")),
        validate_options=validate_options,
        aws_region="eu-central-1",
    )


def _check_upload(body: Any) -> None:
    UploadRequest.from_body(
        body, providers=tuple(PROVIDERS), default_provider="assemblyai", validate_options=validate_options
    )


def attributes_of(row: str) -> list[str]:
    """The attributes of a kind of row, from its table in docs/data.md."""
    return [name for cells in page("docs/data.md").table(f"### {row}") for name in codes_in(cells[0])]


def full_answer(route: str) -> Any:
    """An answer of the code with every field that the route can return."""
    return ANSWERS[route]()


def fields_in(value: Any, path: str = "") -> Iterator[str]:
    """The path of every field of a JSON value: `media[].key`. Keys within `OPEN` maps are not listed."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{path}{name}"
            if name not in OPEN:
                yield from fields_in(inner, f"{path}{name}.")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from fields_in(inner, f"{path.rstrip('.')}[].")


def _check_change(body: Mapping[str, Any]) -> None:
    modes = [mode for mode, fields in UPDATE.items() if body.keys() <= fields.keys()]
    if not modes:
        raise InvalidRequest("body", f"no mode has all of {', '.join(body)}")
    update_request(modes[0], body)


_BODIES: Mapping[str, Callable[[Any], object]] = {
    "POST /recordings": _check_start,
    "POST /uploads": _check_upload,
    "PATCH /recordings/{recording_id}": _check_change,
    "PUT /recordings/{recording_id}/layout": read_layout,
    "PATCH /recordings/{recording_id}/transcript": partial(object_of(CORRECTIONS, required=["corrections"]), ""),
    "POST /recordings/{recording_id}/retry": partial(RetryRequest.from_body, providers=tuple(PROVIDERS)),
    "POST /retries": partial(RetriesRequest.from_body, providers=tuple(PROVIDERS)),
    "PUT /providers/{provider}": partial(object_of(PROVIDER_CHANGES), ""),
    "POST /subscriptions": partial(object_of(CREATED, required=("url", "events")), ""),
    "PATCH /subscriptions/{subscription_id}": partial(object_of(CHANGED), ""),
    "POST /media": partial(AdmissionRequest.from_body, providers=tuple(PROVIDERS)),
}


def _recording_row(status: str) -> dict[str, Any]:
    summary = {"key": "k", "status": "failed", **WHY}
    filled: dict[str, Any] = dict.fromkeys(attributes_of("RecordingRow"), "text")
    moments = {"created_at": "2026-11-21T12:13:44.939819Z", "version": 1, "duration_ms": 1}
    return {**filled, **recording_key(RECORDING_ID), "recording_id": RECORDING_ID, **moments, "status": status} | {
        "media": {"m": summary},
        "media_counts": {"failed": 1},
    }


def _media_row() -> dict[str, Any]:
    filled: dict[str, Any] = dict.fromkeys(attributes_of("MediaRow"), "text")
    numbers = dict.fromkeys(("part", "continuation", "duration_ms", "starts_at_ms", "offset_ms"), 1)
    given_up = [{"provider": "p", "job": {}, "reason": "r", "at": "t"}]
    prepared = {"key": "k", "etag": "e", "size": 1}
    failed = {"status": "failed", "provider": "assemblyai", "job": {"transcript_id": "t"}}
    return {**filled, **media_key(RECORDING_ID, "m"), **numbers, **failed, "given_up": given_up, "prepared": prepared}


def _store() -> RecordingStore:
    table: Any = FakeTable()
    table.put_item(Item=_recording_row("recording"))
    table.put_item(Item=_media_row())
    return RecordingStore(table)


def _described() -> dict[str, Any]:
    """Agora responds once with its state, and once not at all."""
    agora: Any = SimpleNamespace(query=lambda *_: LiveState(5, files=("f",), onhold=False))
    query, deadline = {"fresh": "true"}, Deadline.after(20)
    answer = describe_recording(RECORDING_ID, query, store=_store(), agora=lambda: agora, deadline=deadline)
    return {**answer, "live": {**answer["live"], "unavailable": "reason"}}


def _listed() -> dict[str, Any]:
    return {**list_recordings({}, store=_store()), "cursor": "of the next page", "more": True}


def _insights() -> dict[str, Any]:
    return answer_insights(RECORDING_ID, _collection(), has_original=True)


def _synced() -> dict[str, Any]:
    """One that is shown, and one that is too long."""
    table: Any = FakeTable()
    for recording_id in (RECORDING_ID, TOO_LONG):
        row = {**_recording_row("partial"), **recording_key(recording_id), "recording_id": recording_id, **WHY}
        table.put_item(Item={**row, **change_of_row(recording_id, row["created_at"]), "speakers": {"1": "Ada"}})
    store = RecordingStore(table)

    def read(recording_id: str) -> Collection:
        return replace(_collection(long=recording_id == TOO_LONG), recording=store.get(recording_id))

    insights: Any = SimpleNamespace(read=read)
    return Sync(store, insights, Deadline.after(20)).page({})


def _collection(*, long: bool = True) -> Collection:
    """What a provider and a model found. The model's summary is shown."""
    half = 0.5
    found = Insights(
        transcript=[
            Utterance("t", "1", 1, 2, half, half, [Word("t", 1, 2, half)], number=1),
            Utterance("x" * (6_000_000 if long else 1)),
        ],
        topics=[Topic("t", half)],
        action_items=[ActionItem("t", "a", "d", "p")],
        follow_ups=[ActionItem("t", "a", "d", "p")],
        questions=[Question("t", "a")],
        emotions=[Emotion("e", "t", half, 1, 2)],
        entities=[Entity("t", "k", 1, 2, half)],
        sentiment=half,
        language="l",
        ratings={"r": 1},
        missing=["m"],
    )
    fields = {"recording_id": RECORDING_ID, "status": "partial", **WHY, "provider": "p"}
    of_model = {"derivation": {}, "insights": "partial", "insights_code": "c", "insights_reason": "r"}
    recording: Any = {**fields, "speakers": {"1": "Ada"}, "corrected_at": "t", **of_model}
    media: Any = {"media_id": "m", "key": "k", "status": "done", "arrived_at": "t", "provider": "p"}
    correction: Any = {"line": 1, "speaker": "1"}
    corrections = {"m": {1: correction}}
    collection = Collection(recording, {"m": media}, {"m": found}, corrections)
    return replace(collection, derived=_derived_row(), statements=_statements())


def _derived_row() -> Any:
    row = {**dict.fromkeys(FIGURES, "t"), "state": "partial", "dropped": {"topics": 1}, "missing": ["m"]}
    return {**row, **dict.fromkeys(("calls", "tokens_in", "tokens_out", "cents"), 1)}


def _statements() -> dict[str, list[Statement]]:
    task = {"assignee": "a", "due": "d"}
    more: dict[str, Any] = {
        "action_items": task,
        "follow_ups": task,
        "questions": {"answer": "a"},
        "chapters": {"start_ms": 1},
    }
    return {kind: [Statement("t", ["m-0-1"], **more.get(kind, {}))] for kind in KINDS}


def _links() -> dict[str, Any]:
    table: Any = FakeTable()
    table.put_item(Item=_recording_row("done") | {"speakers": {"1": "Ada"}})
    track = {name: value for name, value in _media_row().items() if name != "recovered"}
    # It came after the retention had deleted what was there before.
    table.put_item(Item={**track, "uid": "1", "arrived_at": "~"})
    link = "https://bucket.s3.eu-central-1.amazonaws.com/key"
    return list_links(
        RECORDING_ID,
        store=RecordingStore(table),
        link=lambda *_: link,
        clock=lambda: datetime(2026, 11, 27, tzinfo=UTC),
    )


def _changed() -> dict[str, Any]:
    row: Any = _recording_row("recording")
    return public(row)


def _upload() -> dict[str, Any]:
    of_file = {"name": "a.mp3", "size": 1, "checksum": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}
    words = {"failover": ["deepgram"], "speakers": {"1": "Ada"}, "reference": "r", "metadata": {"a": "b"}}
    wanted = UploadRequest.from_body(
        {**of_file, **words}, providers=["deepgram"], default_provider="marsview", validate_options=validate_options
    )
    store, link = RecordingStore(cast(Any, FakeTable())), "https://bucket.s3.eu-central-1.amazonaws.com/key"
    return open_upload(wanted, bucket="b", store=store, sign=lambda *_, **__: link, who="w").public()


def _retry() -> dict[str, Any]:
    row: Any = {**dict.fromkeys(attributes_of("RetryRow"), "text"), "refused": {}}
    return described(row)


DRY_RUN = {"dry_run": True, "media": 3, "refused": {"not_media": 1}, "at_least": False}


def _provider() -> dict[str, Any]:
    table: Any = FakeTable()
    turns = Turns(TurnStore(table), {}, 3600, lambda token: None)
    row: Any = {"provider": "symbl", "recording_id": "r", "media_id": "m", "key": "k", "waiting_since": "t"}
    turns.fail(row, ProviderBusy("all slots are taken"))
    turns.store.brake("symbl", changed_at="t", changed_by="w", slots=2)
    return describe_provider("symbl", turns=turns)


def _subscription() -> dict[str, Any]:
    row: Any = dict.fromkeys(attributes_of("SubscriptionRow"), "text")
    return subscriptions.shown(row)


def _delivery() -> dict[str, Any]:
    row: Any = dict.fromkeys(attributes_of("DeliveryRow"), "text")
    return deliveries.shown(row)


_ONE = "/subscriptions/{subscription_id}"
ANSWERS: Mapping[str, Callable[[], Any]] = {
    "POST /recordings": _changed,
    "POST /uploads": _upload,
    "GET /recordings": _listed,
    "GET /recordings/{recording_id}": _described,
    "PATCH /recordings/{recording_id}": _changed,
    "PUT /recordings/{recording_id}/layout": _changed,
    "PATCH /recordings/{recording_id}/transcript": _changed,
    "POST /recordings/{recording_id}/stop": lambda: {"recording_id": RECORDING_ID, "status": "s", **WHY},
    "DELETE /recordings/{recording_id}": lambda: {"recording_id": RECORDING_ID, "status": "s", "receipt_id": "r"},
    "GET /recordings/{recording_id}/insights": _insights,
    "GET /recordings/{recording_id}/media": _links,
    "GET /insights": _synced,
    "POST /recordings/{recording_id}/retry": lambda: {
        "recording_id": RECORDING_ID,
        "media": [{"media_id": "m", "from": "job", "provider": "p", "try": 1}],
        "not_retried": [{"media_id": "m", "reason": "r"}],
        "remaining": 0,
    },
    "POST /retries": lambda: {**_retry(), **DRY_RUN},
    "GET /retries": lambda: {"retries": [_retry()]},
    "GET /retries/{retry_id}": lambda: _retry(),
    "POST /retries/{retry_id}/cancel": lambda: _retry(),
    "GET /providers": lambda: {"providers": [_provider()], "prefixes": {"interviews/": ["deepgram"]}},
    "PUT /providers/{provider}": lambda: _provider(),
    "POST /recordings/{recording_id}/cancel": _changed,
    "POST /media": lambda: {"recording_id": RECORDING_ID, "media_id": "m", "execution": "e"},
    "POST /subscriptions": lambda: {**_subscription(), "secret": "s"},
    "GET /subscriptions": lambda: {"subscriptions": [_subscription()]},
    f"GET {_ONE}": _subscription,
    f"PATCH {_ONE}": _subscription,
    f"DELETE {_ONE}": _subscription,
    f"POST {_ONE}/rotate": lambda: {**_subscription(), "secret": "s"},
    f"POST {_ONE}/test": _delivery,
    f"GET {_ONE}/deliveries": lambda: {"deliveries": [_delivery()], "cursor": "of the next page"},
    f"POST {_ONE}/deliveries/{{delivery_id}}/resend": _delivery,
    "POST /webhooks/agora": lambda: {"ok": True},
    "POST /webhooks/seameet": lambda: {"outcome": get_args(KeptOutcome)[0]},
    "POST /webhooks/{provider}/{job}": lambda: {"outcome": get_args(CallbackOutcome)[0]},
}
