"""Marsview's Speech Analytics API: token, link, compute, states, metadata.

Where its sources contradict each other, the strict reading: tokens come from `create_access_token`, and the header
is `authorization: Bearer <token>` (the bare token of one sample is refused). No source shows the body of a 400 for a
missing field; the shape is that of its other errors. `custom_vocabulary` is checked and then ignored.
"""

import secrets
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.credentials import MARSVIEW_API_KEY, MARSVIEW_API_SECRET, MARSVIEW_USER_ID
from sandbox.stand_ins.downloads import DownloadFailed
from sandbox.stand_ins.ledger import note
from sandbox.stand_ins.marsview_models import COMPUTED
from sandbox.stand_ins.marsview_rules import Model, bad_request, body_of, models_in, refusal
from sandbox.stand_ins.speech import UndecodableMedia, Utterance
from sandbox.stand_ins.world import World

LINK_EXPIRED = {"code": "AIRDOW002", "message": "The link had expired before the file could be downloaded"}
_CONTAINERS = frozenset({"mp4", "m4a", "avi", "mp3", "wav"})
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class MarsviewDials:
    """`job_seconds`: shortest job. `job_never_ends`: stays in "processing". `job_fails`: every model, this message.

    `model_errors`: model to message, the others succeed. `link_expired_next`: how many computes to come find their
    link expired; with `link_expired_in_reply` the compute's own answer says so. `unknown_state`: the word shown for
    the first `unknown_state_polls` polls of a transaction. `empty_models`: get_txn lists none. `oversize_result`:
    the conversation repeated until it has so many utterances. `token_seconds`: life of a token.
    """

    job_seconds: float = 0.0
    job_never_ends: bool = False
    job_fails: str | None = None
    model_errors: dict[str, str] = field(default_factory=dict)
    link_expired_next: int = 0
    link_expired_in_reply: bool = False
    unknown_state: str | None = None
    unknown_state_polls: int = 1
    empty_models: bool = False
    oversize_result: int = 0
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
    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, float] = {}
        self._transactions: dict[str, _Transaction] = {}
        self._lock = threading.Lock()

    @property
    def _dials(self) -> MarsviewDials:
        return self._world.dials.of(MarsviewDials)

    def create_access_token(self) -> ResponseReturnValue:
        given = body_of(apiKey=str, apiSecret=str, userId=str)
        known = {"apiKey": MARSVIEW_API_KEY, "apiSecret": MARSVIEW_API_SECRET, "userId": MARSVIEW_USER_ID}
        if any(given[name] != value for name, value in known.items()):
            raise refusal(401, "NJSCFE001", "Invalid API key, API secret or user id")
        token, life = secrets.token_urlsafe(48), self._dials.token_seconds
        self._tokens[token] = self._world.clock() + life
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
        if given.get("userId", MARSVIEW_USER_ID) != MARSVIEW_USER_ID:
            raise bad_request('"userId" is not the user of the token')
        models = models_in(given, transaction.models)
        dials = self._dials
        expired = self._use_up_expired_link()
        if expired and dials.link_expired_in_reply:
            raise refusal(400, LINK_EXPIRED, LINK_EXPIRED["message"])
        transaction.models = {**transaction.models, **{model.type: model for model in models}}
        self._world.ledger.pay("marsview.transactions_computed")
        note(models=[model.type for model in models])
        self._world.jobs.start(
            f"marsview {transaction.id}", lambda: self._process(transaction, models, dials, link_expired=expired)
        )
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
        if ends <= self._world.clock():
            raise refusal(403, {"name": "JsonWebTokenError", "message": "jwt expired"}, "Access token expired")

    def _transaction(self, txn_id: str) -> _Transaction:
        note(txn_id=txn_id)
        if txn_id not in self._transactions:
            raise refusal(404, {"name": "NotFound", "message": "unknown txnId"}, "No transaction has this txnId")
        return self._transactions[txn_id]

    def _use_up_expired_link(self) -> bool:
        with self._lock:
            left = self._dials.link_expired_next
            if left:
                self._world.dials.turn(MarsviewDials, link_expired_next=left - 1)
            return left > 0

    def _process(
        self, transaction: _Transaction, models: list[Model], dials: MarsviewDials, *, link_expired: bool
    ) -> None:
        began = time.monotonic()
        for model in models:
            model.status = "processing"
        if dials.job_never_ends:
            return
        error = LINK_EXPIRED if link_expired else None
        said: list[Utterance] = []
        if error is None and dials.job_fails is not None:
            error = {"code": "AIRPRO001", "message": dials.job_fails}
        if error is None:
            try:
                said = self._listen(transaction, models)
            except DownloadFailed as failed:
                error = LINK_EXPIRED if failed.forbidden else {"code": "FHU03", "message": f"Bad link: {failed}"}
            except UndecodableMedia as undecodable:
                error = {"code": "AIRDEC001", "message": str(undecodable)}
        if dials.oversize_result and said:
            said = _repeated(said, dials.oversize_result)
        self._world.jobs.sleep(began + dials.job_seconds - time.monotonic())
        for model in models:
            _finish(model, said, error, dials.model_errors.get(model.type))

    def _listen(self, transaction: _Transaction, models: list[Model]) -> list[Utterance]:
        speech = next((m for m in (*models, *transaction.models.values()) if m.type == "speech_to_text"), None)
        separation = speech.config.get("speaker_seperation") if speech else None
        wanted = separation["num_speakers"] if separation else 1
        with tempfile.TemporaryDirectory() as scratch:
            media = Path(scratch) / "media"
            self._world.download(transaction.link, media)
            return self._world.engine.listen(media, None if wanted == -1 else wanted, _CONTAINERS)


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


def _repeated(said: list[Utterance], least: int) -> list[Utterance]:
    length = said[-1].end_ms
    again = []
    for n in range(least):
        rounds, i = divmod(n, len(said))
        shift = rounds * length
        again.append(replace(said[i], start_ms=said[i].start_ms + shift, end_ms=said[i].end_ms + shift))
    return again


def marsview_blueprint(world: World) -> Blueprint:
    """The vendor's routes; its own path `/cb/v1` follows the blueprint's prefix."""
    blueprint = Blueprint("marsview", __name__)
    marsview = _Marsview(world)
    routes: list[tuple[str, str, Callable[..., ResponseReturnValue]]] = [
        ("POST", "/cb/v1/auth/create_access_token", marsview.create_access_token),
        ("POST", "/cb/v1/conversation/save_file_link", marsview.save_file_link),
        ("POST", "/cb/v1/conversation/compute", marsview.compute),
        ("GET", "/cb/v1/conversation/get_txn/<txn_id>", marsview.get_txn),
        ("GET", "/cb/v1/conversation/fetch_metadata/<txn_id>", marsview.fetch_metadata),
        ("DELETE", "/cb/v1/conversation/delete_file/<txn_id>", marsview.delete_file),
    ]
    for method, path, view in routes:
        call = f"marsview.{view.__name__}"
        blueprint.add_url_rule(path, view.__name__, world.calls.named(call)(view), methods=[method])

    @blueprint.route("/", defaults={"path": ""}, methods=_METHODS)
    @blueprint.route("/<path:path>", methods=_METHODS)
    def no_route(path: str) -> ResponseReturnValue:
        return {"status": False, "error": "NotFound", "message": f"Cannot {request.method} /{path}"}, 404

    return blueprint
