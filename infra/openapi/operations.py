"""The routes that callers use: bodies, parameters, answers and problems. Webhooks follow their vendors' contracts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.openapi import answers
from infra.openapi.schemas import Shape
from infra.openapi.words import words
from recording_insights.agora.fields.layout import LAYOUT
from recording_insights.agora.fields.recorder import MODES, UPDATE, fields_of
from recording_insights.agora.fields.translation import agora_object
from recording_insights.notices.deliveries import DELIVERY_PARAMETERS
from recording_insights.notices.subscriptions import CHANGED, CREATED
from recording_insights.processing.providers import CHANGES
from recording_insights.providers.registry import PROVIDERS
from recording_insights.recordings.change import OWN_CHANGES
from recording_insights.recordings.corrections import CORRECTIONS
from recording_insights.recordings.exports.formats import EXPORT_PARAMETERS, FORMATS
from recording_insights.recordings.list import LIST_PARAMETERS
from recording_insights.recordings.read import READ_PARAMETERS
from recording_insights.recordings.request import request_readers
from recording_insights.recordings.sync import SYNC_PARAMETERS
from recording_insights.recordings.upload import REQUIRED, upload_readers
from recording_insights.retries.request import admission, retries_readers, retry_readers
from recording_insights.validation import Reader, Schema, object_of

_NAMES = tuple(PROVIDERS)
OPTIONS = "Options"
"""Schemas of providers' options are named after it: `OptionsOf_deepgram`."""


@dataclass(frozen=True)
class Operation:
    """A route. `answers` are the shapes of success by status, `problems` the statuses of other answers.

    `files` are the content types of a success that is not JSON. `links` are the operations that take an id of the first
    answer, as {operation: (name of the id, pointer)}.
    """

    route: str
    name: str
    answers: Mapping[int, Shape]
    problems: Sequence[int] = ()
    body: Schema | None = None
    may_lack_body: bool = False
    parameters: Mapping[str, Reader[Any]] = field(default_factory=dict)
    headers: Sequence[Schema] = ()
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    files: Sequence[str] = ()

    @property
    def method(self) -> str:
        """The method in lower case, as OpenAPI has it."""
        return self.route.partition(" ")[0].lower()

    @property
    def path(self) -> str:
        """The path with its placeholders."""
        return self.route.partition(" ")[2]


def _described(schema: Schema, meanings: Mapping[str, str]) -> Schema:
    """Add to the properties of a schema what the documentation says of them."""
    properties = {
        name: {**inner, "description": meanings[name]} if name in meanings else inner
        for name, inner in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _object(readers: Mapping[str, Reader[Any]], page: str, heading: str) -> Schema:
    return _described(object_of(readers).schema, words(page, heading))


def _start_body() -> Schema:
    return {"oneOf": [_start_of(mode) for mode in MODES]}


def _start_of(mode: str) -> Schema:
    recorder = fields_of(mode)
    own = dict(request_readers(mode, _NAMES))
    if mode == "web":
        del own["token"]
    required = ["channel", *(name for name, each in recorder.items() if each.required)]
    schema = object_of({**own, **{name: each.read for name, each in recorder.items()}}, required=required).schema
    meanings = {**words("recording-options.md", "# Recording options"), **words("api.md", "### POST /recordings")}
    described = _described(schema, meanings)
    properties = {
        **described["properties"],
        "mode": {"const": mode, "description": meanings["mode"]},
        "options": {"anyOf": [{"$ref": f"#/components/schemas/{OPTIONS}Of_{name}"} for name in _NAMES]},
    }
    # Without a mode, a recording is a mix.
    return {
        **described,
        "title": f"Mode {mode}",
        "properties": properties,
        "required": required if mode == "mix" else ["mode", *required],
    }


def _upload_body() -> Schema:
    schema = _described(
        object_of(upload_readers(_NAMES), required=REQUIRED).schema, words("api.md", "### POST /uploads")
    )
    options = {"anyOf": [{"$ref": f"#/components/schemas/{OPTIONS}Of_{name}"} for name in _NAMES]}
    return {**schema, "properties": {**schema["properties"], "options": options}}


def _change_body() -> Schema:
    recorder = {name: each.read for mode in MODES for name, each in UPDATE[mode].items()}
    return _object({**recorder, **OWN_CHANGES}, "api.md", "### PATCH /recordings/{recording_id}")


_RECORDING = "/recordings/{recording_id}"
_BY_ID = ("recording_id", "/recording_id")
_OF_A_START = {
    "get_recording": _BY_ID,
    "update_recording": _BY_ID,
    "update_layout": _BY_ID,
    "stop_recording": _BY_ID,
    "cancel_recording": _BY_ID,
    "retry_recording": _BY_ID,
    "get_insights": _BY_ID,
    "get_media": _BY_ID,
}
_SUBSCRIPTION = "/subscriptions/{subscription_id}"
_OF_A_SUBSCRIPTION = ("get_subscription", "update_subscription", "rotate_secret", "send_test_event", "list_deliveries")
_IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeated request of the same caller with this key returns the same recording.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}

OPERATIONS = (
    Operation(
        "POST /recordings",
        "start_recording",
        {201: answers.RECORDING, 200: answers.RECORDING},
        (409, 502),
        body=_start_body(),
        headers=(_IDEMPOTENCY_KEY,),
        links=_OF_A_START,
    ),
    Operation(
        "POST /uploads",
        "open_upload",
        {201: answers.UPLOAD, 200: answers.UPLOAD},
        (409,),
        body=_upload_body(),
        headers=(_IDEMPOTENCY_KEY,),
        links={"get_recording": _BY_ID, "get_insights": _BY_ID},
    ),
    Operation(
        "GET /recordings",
        "list_recordings",
        {200: answers.RECORDINGS_PAGE},
        parameters=LIST_PARAMETERS,
        links=dict.fromkeys(("get_recording", "get_insights"), ("recording_id", "/recordings/0/recording_id")),
    ),
    Operation(
        f"GET {_RECORDING}", "get_recording", {200: answers.RECORDING_DETAIL}, (404, 410), parameters=READ_PARAMETERS
    ),
    Operation(
        f"PATCH {_RECORDING}", "update_recording", {200: answers.RECORDING}, (404, 409, 410, 502), body=_change_body()
    ),
    Operation(
        f"PUT {_RECORDING}/layout",
        "update_layout",
        {200: answers.RECORDING},
        (404, 409, 410, 502),
        body=_described(agora_object(LAYOUT).schema, words("recording-options.md", "# Recording options")),
    ),
    Operation(f"POST {_RECORDING}/stop", "stop_recording", {202: answers.STOPPED}, (404, 409, 410, 502)),
    Operation(
        f"POST {_RECORDING}/retry",
        "retry_recording",
        {202: answers.RETRIED},
        (404, 409, 410),
        body=_object(retry_readers(_NAMES), "api.md", "### POST /recordings/{recording_id}/retry"),
        may_lack_body=True,
    ),
    Operation(f"POST {_RECORDING}/cancel", "cancel_recording", {200: answers.RECORDING}, (404, 409, 410)),
    Operation(
        f"GET {_RECORDING}/insights",
        "get_insights",
        {200: answers.INSIGHTS},
        (404, 410, 413),
        parameters=EXPORT_PARAMETERS,
        files=[each.media_type for each in FORMATS.values()],
    ),
    Operation("GET /insights", "list_insights", {200: answers.SYNC_PAGE}, parameters=SYNC_PARAMETERS),
    Operation(
        f"PATCH {_RECORDING}/transcript",
        "correct_transcript",
        {200: answers.RECORDING},
        (404, 409, 410, 413),
        body=object_of(CORRECTIONS, required=["corrections"]).schema,
    ),
    Operation(f"GET {_RECORDING}/media", "get_media", {200: answers.MEDIA_LINKS}, (404, 410)),
    Operation(f"DELETE {_RECORDING}", "erase_recording", {202: answers.ERASING}, (404, 410)),
    Operation(
        "POST /media",
        "admit_object",
        {202: answers.ADMITTED},
        (404, 409),
        body=_described(admission(_NAMES).schema, words("api.md", "### POST /media")),
        links={"get_recording": _BY_ID, "get_insights": _BY_ID},
    ),
    Operation(
        "POST /retries",
        "retry_many",
        {202: answers.RETRY, 200: answers.DRY_RUN},
        (409,),
        body=_object(retries_readers(_NAMES), "api.md", "### POST /retries"),
        links=dict.fromkeys(("get_retry", "cancel_retry"), ("retry_id", "/retry_id")),
    ),
    Operation(
        "GET /retries",
        "list_retries",
        {200: answers.RETRIES},
        links={"get_retry": ("retry_id", "/retries/0/retry_id")},
    ),
    Operation("GET /retries/{retry_id}", "get_retry", {200: answers.RETRY}, (404,)),
    Operation("POST /retries/{retry_id}/cancel", "cancel_retry", {202: answers.RETRY}, (404, 409)),
    Operation("GET /providers", "list_providers", {200: answers.PROVIDERS_LIST}),
    Operation(
        "PUT /providers/{provider}",
        "update_provider",
        {200: answers.PROVIDER},
        (404,),
        body={**object_of(CHANGES).schema, "minProperties": 1},
    ),
    Operation(
        "POST /subscriptions",
        "create_subscription",
        {201: answers.NEW_SECRET},
        (409,),
        body=_described(
            object_of(CREATED, required=("url", "events")).schema, words("api.md", "### POST /subscriptions")
        ),
        links=dict.fromkeys(_OF_A_SUBSCRIPTION, ("subscription_id", "/subscription_id")),
    ),
    Operation("GET /subscriptions", "list_subscriptions", {200: answers.SUBSCRIPTIONS}),
    Operation(f"GET {_SUBSCRIPTION}", "get_subscription", {200: answers.SUBSCRIPTION}, (404,)),
    Operation(
        f"PATCH {_SUBSCRIPTION}",
        "update_subscription",
        {200: answers.SUBSCRIPTION},
        (404,),
        body={**_object(CHANGED, "api.md", f"### PATCH {_SUBSCRIPTION}"), "minProperties": 1},
    ),
    Operation(f"DELETE {_SUBSCRIPTION}", "delete_subscription", {200: answers.SUBSCRIPTION}, (404,)),
    Operation(f"POST {_SUBSCRIPTION}/rotate", "rotate_secret", {200: answers.NEW_SECRET}, (404,)),
    Operation(f"POST {_SUBSCRIPTION}/test", "send_test_event", {202: answers.DELIVERY}, (404,)),
    Operation(
        f"GET {_SUBSCRIPTION}/deliveries",
        "list_deliveries",
        {200: answers.DELIVERIES},
        (404,),
        parameters=DELIVERY_PARAMETERS,
    ),
    Operation(
        f"POST {_SUBSCRIPTION}/deliveries/{{delivery_id}}/resend",
        "resend_delivery",
        {202: answers.DELIVERY},
        (404, 409),
    ),
)
