"""Marsview's Speech Analytics API: token, link, compute, states, metadata.

Where its sources contradict each other, the strict reading counts: tokens come from `create_access_token`, and the
header is `authorization: Bearer <token>` (the bare token of one sample is refused). No source shows the body of a 400
for a missing field: it has the shape of the other errors. `custom_vocabulary` is checked and then ignored.
"""

import secrets
import uuid
from dataclasses import dataclass, field

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.hearing.speech import Utterance
from sandbox.stand_ins.runtime.ledger import note
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.marsview.models import COMPUTED
from sandbox.stand_ins.vendors.marsview.rules import Model, bad_request, body_of, models_in, refusal
from sandbox.stand_ins.vendors.vendor import (
    JobFailed,
    Route,
    Vendor,
    VendorDials,
    recognise,
    start_job,
    vendor_blueprint,
)

CREDENTIALS = {
    "apiKey": "stand-in-marsview-key",
    "apiSecret": "stand-in-marsview-secret",
    "userId": "operations@example.com",
}
LINK_EXPIRED = {"code": "AIRDOW002", "message": "The link had expired before the file could be downloaded"}
_CODES = {"vendor": "AIRPRO001", "own fault": "AIRPRO001", "link": "FHU03", "media": "AIRDEC001"}
_CONTAINERS = frozenset({"mp4", "m4a", "avi", "mp3", "wav"})


@dataclass(frozen=True)
class MarsviewDials(VendorDials):
    """`model_errors`: message by model; the other models succeed. `link_expired_in_reply`: the answer of compute says
    that the link has expired. `empty_models`: get_txn lists no models. `token_seconds`: lifetime of a token.
    """

    model_errors: dict[str, str] = field(default_factory=dict)
    link_expired_in_reply: bool = False
    empty_models: bool = False
    token_seconds: float = 3600.0


@dataclass
class _Transaction:
    title: str
    description: str
    link: str = field(repr=False)
    id: str = field(default_factory=lambda: f"txn-{uuid.uuid4()}")
    models: dict[str, Model] = field(default_factory=dict)
    polls: int = 0


class _Marsview:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tokens: dict[str, float] = {}
        self._transactions: dict[str, _Transaction] = {}

    @property
    def _dials(self) -> MarsviewDials:
        return self._runtime.dials.of(MarsviewDials)

    def create_access_token(self) -> ResponseReturnValue:
        given = body_of(apiKey=str, apiSecret=str, userId=str)
        if any(given[name] != value for name, value in CREDENTIALS.items()):
            raise refusal(401, "NJSCFE001", "Invalid API key, API secret or user id")
        token, life = secrets.token_urlsafe(48), self._dials.token_seconds
        self._tokens[token] = self._runtime.clock() + life
        data = {"accessToken": token, "expiresIn": int(life), "tokenType": "Bearer"}
        return {"status": True, "data": data}

    def save_file_link(self) -> ResponseReturnValue:
        self._authorize()
        given = body_of(title=str, description=str, link=str)
        if not given["link"].startswith(("http://", "https://")):
            raise refusal(400, {"code": "FHU03", "message": "Bad link"}, "The link is no URL of a file")
        transaction = _Transaction(given["title"], given["description"], given["link"])
        self._transactions[transaction.id] = transaction
        note(txn_id=transaction.id)
        return {"status": True, "data": {"txnId": transaction.id}}

    def compute(self) -> ResponseReturnValue:
        self._authorize()
        given = body_of(txnId=str, enableModels=list)
        transaction = self._transaction(given["txnId"])
        if given.get("userId", CREDENTIALS["userId"]) != CREDENTIALS["userId"]:
            raise bad_request('"userId" is not the user of the token')
        models = models_in(given, transaction.models)
        dials = self._dials
        if dials.link_expired_in_reply and dials.link_expired_next:
            self._runtime.dials.turn(MarsviewDials, link_expired_next=dials.link_expired_next - 1)
            raise refusal(400, LINK_EXPIRED, LINK_EXPIRED["message"])
        transaction.models = {**transaction.models, **{model.type: model for model in models}}
        self._runtime.ledger.pay("marsview.transactions_computed")
        note(models=[model.type for model in models])
        for model in models:
            model.status = "processing"
        start_job(self._runtime, dials, f"marsview {transaction.id}", lambda: self._process(transaction, models, dials))
        return {"status": True, "data": {"txnId": transaction.id, "enableModels": [m.as_json() for m in models]}}

    def get_txn(self, txn_id: str) -> ResponseReturnValue:
        self._authorize()
        transaction = self._transaction(txn_id)
        transaction.polls += 1
        dials = self._dials
        models = [] if dials.empty_models else [model.as_json() for model in transaction.models.values()]
        if dials.unknown_state and transaction.polls <= dials.unknown_state_polls:
            for model in models:
                model["state"] = {"status": dials.unknown_state}
        note(states=sorted({model["state"]["status"] for model in models}))
        data = {
            "txnId": transaction.id,
            "title": transaction.title,
            "description": transaction.description,
            "enableModels": models,
        }
        return {"status": True, "data": data}

    def fetch_metadata(self, txn_id: str) -> ResponseReturnValue:
        self._authorize()
        transaction = self._transaction(txn_id)
        done = [model for model in transaction.models.values() if model.result is not None]
        return {"status": True, "data": {COMPUTED[model.type][0]: model.result for model in done}}

    def delete_file(self, txn_id: str) -> ResponseReturnValue:
        self._authorize()
        del self._transactions[self._transaction(txn_id).id]
        return {"status": True, "data": {"txnId": txn_id}}

    def _authorize(self) -> None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        ends = self._tokens.get(token) if kind == "Bearer" else None
        if ends is None:
            raise refusal(403, {"name": "JsonWebTokenError", "message": "jwt malformed"}, "Invalid access token")
        if ends <= self._runtime.clock():
            raise refusal(403, {"name": "JsonWebTokenError", "message": "jwt expired"}, "Access token expired")

    def _transaction(self, txn_id: str) -> _Transaction:
        note(txn_id=txn_id)
        if txn_id not in self._transactions:
            raise refusal(404, {"name": "NotFound", "message": "unknown txnId"}, "No transaction has this txnId")
        return self._transactions[txn_id]

    def _process(self, transaction: _Transaction, models: list[Model], dials: MarsviewDials) -> None:
        error = None
        said: list[Utterance] = []
        speech = next((m for m in (*models, *transaction.models.values()) if m.type == "speech_to_text"), None)
        separation = speech.config.get("speaker_seperation") if speech else None
        most = separation["num_speakers"] if separation else 1
        try:
            speakers = None if most == -1 else most
            said = recognise(self._runtime, dials, transaction.link, containers=_CONTAINERS, speakers=speakers)
        except JobFailed as failed:
            code = _CODES.get(failed.cause)
            error = {"code": code, "message": failed.message} if code else LINK_EXPIRED
        for model in models:
            _finish(model, said, error, dials.model_errors.get(model.type))


def _finish(model: Model, said: list[Utterance], error: dict[str, str] | None, model_error: str | None) -> None:
    if error is None and model_error is not None:
        error = {"code": "AIRMOD001", "message": model_error}
    if error is None and model.type not in COMPUTED:
        error = {"code": "AIRMOD001", "message": f"{model.type} is not offered by this stand-in"}
    if error is not None:
        return model.fail(error)
    model.result = COMPUTED[model.type][1](said, model.config)
    model.status = "processed"
    return None


def marsview_blueprint(runtime: Runtime) -> Blueprint:
    """Create the blueprint. The vendor's own path `/cb/v1` follows its prefix."""
    marsview = _Marsview(runtime)
    routes: list[Route] = [
        ("POST", "/cb/v1/auth/create_access_token", marsview.create_access_token),
        ("POST", "/cb/v1/conversation/save_file_link", marsview.save_file_link),
        ("POST", "/cb/v1/conversation/compute", marsview.compute),
        ("GET", "/cb/v1/conversation/get_txn/<txn_id>", marsview.get_txn),
        ("GET", "/cb/v1/conversation/fetch_metadata/<txn_id>", marsview.fetch_metadata),
        ("DELETE", "/cb/v1/conversation/delete_file/<txn_id>", marsview.delete_file),
    ]

    def unknown(path: str) -> ResponseReturnValue:
        return {"status": False, "error": "NotFound", "message": f"Cannot {request.method} /{path}"}, 404

    return vendor_blueprint(runtime, "marsview", routes, unknown)


VENDOR = Vendor(
    name="marsview",
    credentials=CREDENTIALS,
    dials=MarsviewDials,
    blueprint=marsview_blueprint,
    login="marsview.create_access_token",
    prepares=("marsview.save_file_link",),
    submits="marsview.compute",
    paid="marsview.transactions_computed",
    state="marsview.get_txn",
    results=("marsview.fetch_metadata",),
)
