"""What AWS's command line makes of its arguments, as far as the doctor's commands go."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

_SERVICES = {"s3api": "s3"}
_RENAMED = {("sns", "subscribe"): {"--notification-endpoint": "Endpoint"}}
_OF_THE_COMMAND_LINE = ("--cli-binary-format",)


def call_of(words: Sequence[str], files: Path | None = None) -> tuple[str, str, dict[str, Any]]:
    """Return the service, the method of boto3's client and the request of `aws service operation --option …`.

    `files` is the folder that `file://` leads to; without one, such values stay as they are.

    Raises:
        ValueError: the operation, an option or a value is none of AWS's model.
    """
    service, operation, *rest = words
    model = _model(_SERVICES.get(service, service))
    names = [name for name in model.operation_names if botocore.xform_name(name, "-") == operation]
    if not names:
        raise ValueError(f"{service} has no operation {operation}")
    shape = model.operation_model(names[0]).input_shape
    if (service, operation) == ("lambda", "invoke"):
        rest = rest[:-1]  # the file for the answer
    options = {f"--{botocore.xform_name(name, '-')}": name for name in shape.members}
    options |= _RENAMED.get((service, operation), {})
    request: dict[str, Any] = {}
    for option, given in _options(rest):
        if option in _OF_THE_COMMAND_LINE:
            continue
        if option not in options:
            raise ValueError(f"{service} {operation} has no option {option}")
        request[options[option]] = _value(shape.members[options[option]].type_name, given, files)
    faults = ParamValidator().validate(request, shape)
    if faults.has_errors():
        raise ValueError(faults.generate_report())
    return model.service_name, botocore.xform_name(names[0]), request


def _options(words: Sequence[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("--"):
            found.append((word, []))
        else:
            found[-1][1].append(word)
    return found


def _value(kind: str, given: list[str], files: Path | None) -> Any:
    if kind == "boolean" and not given:
        return True
    if kind == "list":
        return given
    [text] = given
    if text.startswith("file://") and files:
        text = (files / text.removeprefix("file://")).read_text()
    if kind in ("structure", "map"):
        return json.loads(text)
    return {"integer": int, "double": float}.get(kind, str)(text)


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)
