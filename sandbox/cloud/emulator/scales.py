"""Settings of the local cloud that the corrections add: numbers from 0 that multiply times."""

import json
import math
from functools import wraps
from types import ModuleType
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters


def add_scale(setting: str, module: ModuleType) -> None:
    """Let `/_ministack/config` set a scale, which is 1 at first. `setting` is "service.NAME", as in ministack.

    The number is the attribute NAME of `module`, the module of that service. A change that is no number from 0 is not
    applied, and the answer then does not name it.

    Raises:
        RuntimeError: the installed ministack is configured in another way.
    """
    from ministack import app  # type: ignore[import-untyped]

    require_parameters(app._handle_admin_config_request, "path", "method", "body")
    configure, name = app._handle_admin_config_request, setting.partition(".")[2]
    setattr(module, name, 1.0)

    @wraps(configure)
    async def configure_also(path: str, method: str, body: bytes) -> Any:
        given = _json_object(body) if path == "/_ministack/config" else {}
        scale = given.pop(setting, None)
        if scale is None:
            return await configure(path, method, body)
        status, headers, answer = await configure(path, method, json.dumps(given).encode())
        applied = json.loads(answer)["applied"]
        if isinstance(scale, int | float) and math.isfinite(scale) and scale >= 0:
            applied[setting] = float(scale)
            setattr(module, name, float(scale))
        return status, headers, json.dumps({"applied": applied}).encode()

    app._handle_admin_config_request = configure_also


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
