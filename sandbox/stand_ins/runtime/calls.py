"""What every call of a vendor does: fail if a dial says so, answer refusals, and add a line to the ledger."""

import functools
import socket
import time
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from sandbox.stand_ins.runtime.dials import Dials, Failure
from sandbox.stand_ins.runtime.ledger import Ledger, note, noted
from sandbox.stand_ins.runtime.quotes import quoting

View = Callable[..., ResponseReturnValue]


class Refusal(Exception):
    """Ends the call with this answer, in the vendor's shape."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body


class Calls:
    """Names the calls of the vendors for dials and ledger, such as "agora.start"."""

    def __init__(self, dials: Dials, ledger: Ledger) -> None:
        self._dials = dials
        self._ledger = ledger
        self._before: dict[str, Callable[[], None]] = {}

    def before(self, call: str, do: Callable[[], None]) -> None:
        """Run `do` before each call of this name does its work."""
        self._before[call] = do

    def named(self, call: str) -> Callable[[View], View]:
        """Decorate the view of this call. The view may raise Refusal, and `note` ids for the ledger."""
        self._dials.know_call(call)

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def answer(**path: Any) -> ResponseReturnValue:
                failure = self._dials.take_failure(call)
                if failure is None:
                    response = self._worked(call, view, path)
                else:
                    time.sleep(failure.delay_seconds)
                    worked = self._worked(call, view, path) if failure.after else None
                    note(dial=_effect_of(failure))
                    response = worked if worked and failure.odd_headers else _failed(failure)
                self._ledger.add(call, response.status_code, **noted())
                if failure is not None and failure.odd_headers:
                    _send_with_odd_headers(response)
                if failure is not None and (failure.drop_connection or failure.odd_headers):
                    _drop_connection()
                return response

            return answer

        return decorate

    def _worked(self, call: str, view: View, path: dict[str, Any]) -> Response:
        if before := self._before.get(call):
            before()
        try:
            return make_response(view(**path))
        except Refusal as refusal:
            return make_response(jsonify(refusal.body), refusal.status)


def _effect_of(failure: Failure) -> str:
    if failure.odd_headers:
        return "odd headers"
    return "answer lost" if failure.after else "failed"


def _failed(failure: Failure) -> Response:
    if failure.quotes is not None:
        response = make_response(jsonify(quoting(failure.quotes)), failure.status)
    elif isinstance(failure.body, str):
        response = Response(failure.body, failure.status, content_type="text/plain")
    else:
        response = make_response(jsonify(failure.body), failure.status)
    response.headers.update(failure.headers)
    return response


def _send_with_odd_headers(response: Response) -> None:
    """Send the answer with a line among its headers that is none: clients give up there, and may log the rest."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    head = f"HTTP/1.1 {response.status}\r\nthis is no header\r\nContent-Type: application/json\r\n\r\n"
    connection.sendall(head.encode() + response.get_data())


def _drop_connection() -> None:
    """Close the socket under the server, which then cannot send its answer."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
