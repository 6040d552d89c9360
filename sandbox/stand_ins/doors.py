"""Who gets in to the stand-ins when they listen on loopback: no web page, and to the controls only with their key."""

from flask import Flask, request
from flask.typing import ResponseReturnValue

from sandbox.doors import CONTROL_KEY_HEADER, opens, refusal

_CONTROLS = ("dials", "ledger")


def close_doors(app: Flask, control_key: str) -> Flask:
    """Refuse what web pages send, and ask for the control key on the controls. Return the application."""

    @app.before_request
    def check() -> ResponseReturnValue | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if reason := refusal(headers):
            return {"error": f"The stand-ins refuse this: {reason}."}, 403
        if request.blueprint in _CONTROLS and not opens(headers, control_key):
            return {"error": f"The stand-ins refuse this: it lacks their key ({CONTROL_KEY_HEADER})."}, 403
        return None

    return app
