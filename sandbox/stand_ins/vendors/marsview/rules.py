"""Marsview's rules for the bodies of its calls, and its refusals."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from flask import request

from sandbox.stand_ins.runtime.calls import Refusal
from sandbox.stand_ins.vendors.marsview.models import MODEL_TYPES


@dataclass
class Model:
    """A requested model of a transaction, with its state (uploaded, processing, processed, error) and result."""

    type: str
    config: dict[str, Any]
    request_id: str = field(default_factory=lambda: f"req-{uuid.uuid4()}")
    status: str = "uploaded"
    error: dict[str, str] | None = None
    result: list[Any] | None = None

    def fail(self, error: dict[str, str]) -> None:
        self.error = error
        self.status = "error"

    def as_json(self) -> dict[str, Any]:
        state = {"status": self.status, **({"error": self.error} if self.error else {})}
        return {"modelType": self.type, "modelConfig": self.config, "requestId": self.request_id, "state": state}


def refusal(status: int, error: Any, message: str) -> Refusal:
    """Create Marsview's error. `error` is a code, or an object with a name or a code."""
    return Refusal(status, {"status": False, "error": error, "message": message})


def bad_request(message: str) -> Refusal:
    """Create the refusal of a field that is missing or has the wrong type."""
    return refusal(400, {"name": "ValidationError", "message": message}, message)


def body_of(**required: type) -> dict[str, Any]:
    """Check and return the JSON object of the request: its fields have these types and are not empty."""
    body = request.get_json(silent=True)
    if not request.is_json or not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    for name, kind in required.items():
        if name not in body:
            raise bad_request(f'"{name}" is required')
        if not isinstance(body[name], kind) or not body[name]:
            raise bad_request(f'"{name}" must be a {kind.__name__} and not empty')
    return body


def models_in(given: dict[str, Any], known: Collection[str]) -> list[Model]:
    """Check and return the models in the body of a compute. `known` are those that the transaction has already."""
    vocabulary = given.get("custom_vocabulary", [])
    models = []
    for entry in given["enableModels"]:
        if not isinstance(entry, dict) or entry.get("modelType") not in MODEL_TYPES:
            raise bad_request('"enableModels" has an unknown "modelType"')
        config = entry.get("modelConfig", {})
        if not isinstance(config, dict):
            raise bad_request('"modelConfig" must be an object')
        if entry["modelType"] == "speech_to_text":
            _check_speech(config, vocabulary)
        models.append(Model(entry["modelType"], config))
    types = [model.type for model in models]
    if len(set(types)) < len(types):
        raise bad_request('"enableModels" has a "modelType" twice')
    if "speech_to_text" not in {*types, *known}:
        message = f"DependencyError: {types[0]} depends on speech_to_text"
        raise refusal(400, {"code": "MCST07", "message": message}, message)
    return models


def _check_speech(config: dict[str, Any], vocabulary: Any) -> None:
    for words in (vocabulary, config.get("custom_vocabulary", [])):
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise bad_request('"custom_vocabulary" must be a list of strings')
    for name in ("automatic_punctuation", "enableKeywords", "enableTopics", "enableSuggestedIntents"):
        if not isinstance(config.get(name, False), bool):
            raise bad_request(f'"{name}" must be a boolean')
    separation = config.get("speaker_seperation", {"num_speakers": -1})
    speakers = separation.get("num_speakers") if isinstance(separation, dict) else None
    if type(speakers) is not int or not (speakers == -1 or speakers >= 1):
        raise bad_request('"speaker_seperation.num_speakers" must be -1 or at least 1')
