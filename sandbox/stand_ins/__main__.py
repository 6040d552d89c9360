"""`python -m sandbox.stand_ins --port 9000`: serves on loopback until SIGTERM or SIGINT."""

import argparse
import contextlib
import os
import signal
import sys
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.stand_ins.app import create_app, create_world
from sandbox.stand_ins.customer.buckets import s3_at
from sandbox.stand_ins.hearing.speech import SpeechEngine


class _Quiet(WSGIRequestHandler):
    """No access log: paths hold resource ids, and what is asked stands in the ledger."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _end(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stand_ins", description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--webhooks", help="the customer's webhooks, for vendors where they are set once for all jobs")
    arguments = parser.parse_args()
    port = arguments.port
    signal.signal(signal.SIGTERM, _end)
    world = create_world(
        SpeechEngine(workers=2), open_bucket=s3_at(os.environ.get("AWS_ENDPOINT_URL")), webhooks=arguments.webhooks
    )
    with contextlib.closing(world), contextlib.suppress(KeyboardInterrupt):
        server = make_server("127.0.0.1", port, create_app(world), threaded=True, request_handler=_Quiet)
        print(f"stand-ins listen on http://127.0.0.1:{port}", flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
