"""`python -m sandbox.stand_ins --port 9000`: serves all stand-ins on loopback until SIGTERM or SIGINT.

The variable SANDBOX_CONTROL_KEY has the key of the controls. Without it they are closed. With MODEL_URL a model of the
user's answers in place of Bedrock's stand-in.
"""

import argparse
import contextlib
import os
import signal
import sys
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.doors import CONTROL_KEY_VARIABLE, take_secret
from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.bedrock.open_model import KEY_VARIABLE, BadModelUrl, OpenModel
from sandbox.stand_ins.customer.buckets import s3_at
from sandbox.stand_ins.customer.outages import Outages, listens
from sandbox.stand_ins.doors import close_doors
from sandbox.stand_ins.hearing.speech import SpeechEngine


class _Quiet(WSGIRequestHandler):
    """Writes no access log: the ledger lists the calls."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _end(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stand_ins", description=__doc__)
    parser.add_argument("--port", type=int, default=9000, help="port on 127.0.0.1 (default: 9000)")
    parser.add_argument(
        "--webhooks", help="base URL of the customer's webhooks, for vendors that have one for all jobs"
    )
    arguments = parser.parse_args()
    port = arguments.port
    control_key = take_secret(os.environ, CONTROL_KEY_VARIABLE)
    signal.signal(signal.SIGTERM, _end)
    try:
        model = OpenModel.from_environment(os.environ)
    except BadModelUrl as bad:
        sys.exit(str(bad))
    take_secret(os.environ, KEY_VARIABLE)
    cloud = os.environ.get("AWS_ENDPOINT_URL")
    runtime = create_runtime(SpeechEngine(workers=2), open_bucket=s3_at(cloud), webhooks=arguments.webhooks)
    if cloud:
        outages = Outages(lambda: listens(cloud), runtime.jobs.sleep)
        runtime.download = outages.outlasted_by_download(runtime.download)
        runtime.send = outages.outlasted_by_send(runtime.send)
    with contextlib.closing(runtime), contextlib.suppress(KeyboardInterrupt):
        app = close_doors(create_app(runtime, other_model=model), control_key)
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
        print(f"stand-ins listen on http://127.0.0.1:{port}", flush=True)
        if model:
            print(model.greeting(), flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
